"""A PyTorch checkpoint to Darknet's `.cfg` and `.weights`.

    python convert/torch2darknet.py pnet.pt --out FOLDER
    python convert/torch2darknet.py darknet_cfg/caffe/caffe.data --out FOLDER

By default for stock Darknet and OpenCV 4: fed with RGB in 0..1, PReLU rewritten, batch
normalisation folded. With --dialect native for this project's programs only: [prelu] stays, and so
does the input. docs/darknet.md has the details.

SOURCE is a checkpoint or state dict, one network's .weights, or a model's .data; then all three
networks and a .data are written. Without a SOURCE checkpoints/{pnet,rnet,onet}.pt are converted, in
place. Beside each .weights lies a .json that tells how it was made and how it is fed. Files that
are there and differ are replaced with --force only.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    try:
        from train_mtcnn.common.requirements import require
    except ImportError as error:
        sys.exit(f"torch2darknet.py: {error}; `bash make_install.sh` makes a .venv that has it")
    require("torch2darknet.py", "numpy", "torch")

from convert.model_sources import Source, check_kind, read_model, read_source
from convert.sidecar import write_sidecar
from convert.staging import placing
from convert.stock import to_stock
from pymtcnn.commands.console import status_of
from pymtcnn.commands.options import Parser
from pymtcnn.errors import ArgumentError, FileError
from train_mtcnn.network.darknet import NETWORKS, write_cfg, write_data, write_weights
from train_mtcnn.network.inputs import STOCK, Input
from train_mtcnn.network.weighted_sections import network_of, sections_of

CHECKPOINTS = Path("checkpoints")
DIALECTS = ("stock", "native")


def write_network(
    source: Source, weights: Path, dialect: str = "stock", licence: str | None = None
) -> Input:
    """Write a network's `.cfg`, `.weights` and `.json`.

    Parameters
    ----------
    source
        The network.
    weights
        The `.weights` file; the others lie beside it.
    dialect
        "stock" or "native".
    licence
        Of the weights, for the `.json`; None: the source's.

    Returns
    -------
    What the written network takes.

    Raises
    ------
    FileError, ModelError, WeightsError
        If a file cannot be written, or the network is not one that can be.
    """
    if dialect == "stock":
        network, fed = to_stock(source.network, source.fed), STOCK
    else:
        parts = sections_of(source.network, fold=True)
        network, fed = network_of(parts, source.network.cfg.path), source.fed
    write_cfg(weights.with_suffix(".cfg"), network.cfg)
    write_weights(weights, network.weights())
    write_sidecar(weights, source.path, dialect, fed, licence)
    return fed


def convert(
    source: Path,
    cfg: Path | None,
    out: Path,
    force: bool = False,
    dialect: str = "stock",
    licence: str | None = None,
) -> str:
    """Convert one network.

    Parameters
    ----------
    source
        A checkpoint or a `.weights` file.
    cfg
        The network's cfg; None: the checkpoint's own, or that beside the `.weights`.
    out
        The `.weights` file to write, or a folder.
    force
        Replace files that are there and differ.
    dialect
        "stock" or "native".
    licence
        Of the weights, for the `.json`; None: the source's.

    Returns
    -------
    One line that says what was done.

    Raises
    ------
    FileError, CfgError, ModelError, WeightsError
        If a file cannot be read or written, or is there, differs and `force` is not given, or the
        files do not fit each other.
    """
    weights = out if out.suffix == ".weights" else out / f"{source.stem}.weights"
    check_kind(source, ".pt", ".pth", ".weights")
    read = read_source(source, cfg)
    with placing(weights.parent, force) as (folder, _):
        fed = write_network(read, folder / weights.name, dialect, licence)
        beside = source.with_suffix(".cfg") if source.suffix == ".weights" else source
        for taken in (source, cfg or beside):
            _keep(taken, folder, weights.parent)
    return f"{source} -> {weights}: {dialect}, {_fed(fed)}, output {read.network.output_shape}"


def convert_model(
    source: Path,
    out: Path,
    force: bool = False,
    dialect: str = "stock",
    licence: str | None = None,
) -> str:
    """Convert a model: a `.data` file and its three networks, into the folder `out`.

    Parameters, line and errors are those of `convert`; files are OUT/{pnet,rnet,onet}.* and a
    `.data` of the name of `source`.
    """
    data, networks = read_model(source)
    with placing(out, force) as (folder, _):
        for name, network in networks.items():
            fed = write_network(network, folder / f"{name}.weights", dialect, licence)
            for taken in (data.cfg[name], data.weights[name]):
                _keep(taken, folder, out)
        files = {
            kind: {name: folder / f"{name}.{kind}" for name in NETWORKS}
            for kind in ("cfg", "weights")
        }
        comments = (f"Of {source.name}, by convert/torch2darknet.py, {dialect}.",)
        new = dataclasses.replace(data, **files, **fed._asdict())
        write_data(folder / source.name, new, comments)
        _keep(source, folder, out)
    return f"{source} -> {out / source.name}: {dialect}, {_fed(fed)}"


def _keep(path: Path, folder: Path, out: Path) -> None:
    """Refuse to write over `path`, which was read, in a form that differs from it."""
    new, old = folder / path.name, out / path.name
    same_place = path.exists() and old.exists() and os.path.samefile(path, old)
    if same_place and new.exists() and new.read_bytes() != path.read_bytes():
        raise ArgumentError(f"{path}: would be written over; name another folder with --out")


def _fed(fed: Input) -> str:
    return f"input mean = {fed.mean:g}, norm = {fed.norm!r}, color = {fed.color}"


def _jobs(args: argparse.Namespace) -> list[tuple[Path, Path | None, Path]]:
    """What to convert: source, cfg, output."""
    if args.source:
        check_kind(args.source, ".pt", ".weights", ".data")
        return [(args.source, args.cfg, args.out or args.source.with_suffix(".weights"))]
    found = [CHECKPOINTS / f"{name}.pt" for name in NETWORKS]
    missing = [str(path) for path in found if not path.exists()]
    if missing:
        raise FileError(
            f"no SOURCE given, and not there: {', '.join(missing)}; name one:"
            " torch2darknet.py FILE.pt [--cfg FILE.cfg] --out FOLDER"
        )
    return [(path, None, path.with_suffix(".weights")) for path in found]


def _run(argv: Sequence[str] | None) -> int:
    parser = Parser("torch2darknet.py", __doc__)
    add = parser.add_argument
    add("source", nargs="?", type=Path, metavar="SOURCE", help=".pt, .weights or .data")
    add("--cfg", type=Path, metavar="FILE", help="the network, where the source has none")
    add(
        "--out",
        type=Path,
        metavar="DIR",
        help="a folder, or FILE.weights for one network (default: beside the source)",
    )
    add("--dialect", choices=DIALECTS, default="stock", help="default: stock")
    add("--licence", metavar="TEXT", help="of the weights, for the .json")
    add("--force", action="store_true", help="replace files that differ")
    args = parser.parse_args(argv)
    if not args.source and (args.cfg or args.out):
        parser.error("--cfg and --out go with a SOURCE; name it")
    options = {"force": args.force, "dialect": args.dialect, "licence": args.licence}
    if args.source and args.source.suffix == ".data" and not args.source.is_dir():
        if not args.out or args.cfg:
            parser.error("a .data has its own cfgs and needs --out DIR")
        print(convert_model(args.source, args.out, **options))
    else:
        for job in _jobs(args):
            print(convert(*job, **options))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of("torch2darknet.py", lambda: _run(argv))


if __name__ == "__main__":
    raise SystemExit(main())
