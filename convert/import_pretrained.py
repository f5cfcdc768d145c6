"""Published models to Darknet files of our native dialect: `.cfg`, `.weights`, `.data`.

    python convert/import_pretrained.py facenet-pytorch
    python convert/import_pretrained.py caffe FOLDER
    python convert/import_pretrained.py ipazc
    python convert/import_pretrained.py mtcnn-darknet FOLDER
    python convert/import_pretrained.py mtcnn-sysu FOLDER
    python convert/import_pretrained.py pytorch FOLDER

The networks are those of darknet_cfg/ with their own activations and poolings; what the cascade
needs beside what they are fed is that of darknet_cfg/default.data. docs/importing.md has the rest.
A new model is one file in importers/ and one line in its table.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    try:
        from train_mtcnn.common.requirements import require
    except ImportError as error:
        sys.exit(f"import_pretrained.py: {error}; `bash make_install.sh` makes a .venv that has it")
    require("import_pretrained.py", "numpy", "torch")

from convert.importers import IMPORTERS
from convert.staging import staged
from pymtcnn.commands.console import status_of
from pymtcnn.commands.options import Parser
from train_mtcnn.network.darknet import (
    DARKNET_CFG,
    DEFAULT_MODEL,
    NETWORKS,
    read_cfg,
    read_data,
)
from train_mtcnn.network.layers import read_layers
from train_mtcnn.network.model_files import write_model_files


def write_model(name: str, source: Path | None, folder: Path, options: dict) -> None:
    """Import the model `name` and write its seven files into `folder`."""
    importer = IMPORTERS[name]
    cfgs = {n: read_cfg(DARKNET_CFG / f"{n}.cfg") for n in NETWORKS}
    cfgs = importer.rewrite(cfgs, source)
    layers = {network: read_layers(cfg) for network, cfg in cfgs.items()}
    published = importer.read(source, layers, **options)
    write_model_files(
        folder / f"{name}.data",
        # Published figures are those without a border.
        dataclasses.replace(read_data(DEFAULT_MODEL), border=0.0, **published.settings),
        {network: (cfgs[network], published.values[network]) for network in NETWORKS},
        comments=(f"{name}, imported by convert/import_pretrained.py.",),
    )


def import_model(
    name: str, source: Path | None, out: Path, force: bool = False, **options: object
) -> str:
    """Import the model `name` into the folder `out`, whole or not at all.

    Parameters
    ----------
    name
        One of IMPORTERS.
    source
        The published file or folder; None: the importer finds or downloads it, if it can.
    out
        The folder to write; other files in it stay as they are.
    force
        Replace files that are there and differ.
    options
        The importer's own.

    Returns
    -------
    One sentence that says what was done.

    Raises
    ------
    FileError
        If a file cannot be read or written, or is there, differs and `force` is not given.
    LibraryError, ModelError, WeightsError
        As the importer's `read`: the published files are not what it expects.
    """
    there = out.exists()
    with staged(out, force) as (folder, new):
        write_model(name, source, folder, options)
    if not there:
        return f"{name}: written to {out}/"
    if not new:
        return f"{name}: already in {out}/, nothing to do"
    return f"{name}: {', '.join(new)} written to {out}/"


def _run(argv: Sequence[str] | None) -> int:
    parser = Parser("import_pretrained.py", __doc__)
    commands = parser.add_subparsers(dest="model", required=True, metavar="MODEL")
    for name, importer in sorted(IMPORTERS.items()):
        about = (importer.__doc__ or "").split("\n")[0]
        command = commands.add_parser(name, help=about, description=importer.__doc__)
        importer.add_source(command)
        command.add_argument(
            "--out", type=Path, metavar="DIR", help=f"folder to write (default: darknet_cfg/{name})"
        )
        command.add_argument("--force", action="store_true", help="replace files that differ")
    args = vars(parser.parse_args(argv))
    name, out = args.pop("model"), args.pop("out")
    out = out or DARKNET_CFG / name
    print(import_model(name, out=out.resolve(), **args))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of("import_pretrained.py", lambda: _run(argv))


if __name__ == "__main__":
    raise SystemExit(main())
