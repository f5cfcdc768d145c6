"""A PyTorch checkpoint to Darknet's `.cfg` and `.weights`.

    python convert/torch2darknet.py pnet.pt --out FOLDER
    python convert/torch2darknet.py darknet_cfg/caffe/caffe.data --out FOLDER

By default for stock Darknet and OpenCV 4: fed with RGB in 0..1, PReLU rewritten, batch
normalisation folded. With --dialect native for this project's programs only: [prelu] stays, and so
does the input. docs/darknet.md has the details.

SOURCE is a checkpoint or state dict, one network's .weights, or a model's .data; then all three
networks and a .data are written. Without a SOURCE it is what was trained here: the checkpoints of
the newest finished run of train_all.py below runs/, else those of darknet_cfg/training/. They are
written into runs/darknet/ and compared with PyTorch. Beside each .weights lies a .json with how it
was made and what it is fed. Files that are there and differ are replaced with --force only.
"""

from __future__ import annotations

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

import pymtcnn
from convert.comparison import TOLERANCE, largest_difference, takes_any_size
from convert.model_sources import Source, check_kind, read_model, read_source
from convert.sidecar import write_sidecar
from convert.staging import staged
from convert.stock import to_stock
from convert.trained_model import newest_model
from pymtcnn.commands.console import status_of
from pymtcnn.commands.options import Parser
from pymtcnn.errors import ArgumentError, ModelError
from train_mtcnn.network.darknet import (
    Data,
    read_data,
    write_cfg,
    write_data,
    write_weights,
)
from train_mtcnn.network.model_files import with_files_in
from train_mtcnn.network.network_input import STOCK, Input
from train_mtcnn.network.weighted_sections import network_of, sections_of
from train_mtcnn.training.run_folder import MODEL_FILE

RUNS = Path("runs")
NEWEST_OUT = RUNS / "darknet"  # where what was trained here goes
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
    with staged(weights.parent, force) as (folder, _):
        fed = write_network(read, folder / weights.name, dialect, licence)
        beside = source.with_suffix(".cfg") if source.suffix == ".weights" else source
        for taken in (source, cfg or beside):
            _keep(taken, folder, weights.parent)
    return f"{source} -> {weights}: {dialect}, {_fed(fed)}, output {read.network.output_shape}"


def write_model(
    data: Data,
    networks: dict[str, Source],
    path: Path,
    comment: str,
    dialect: str = "stock",
    licence: str | None = None,
) -> Input:
    """Write the `.data` file `path` with the settings of `data`, and the networks beside it.

    Dialect, licence, what is returned and errors are as for `write_network`.
    """
    for name, network in networks.items():
        fed = write_network(network, path.with_name(f"{name}.weights"), dialect, licence)
    data = dataclasses.replace(with_files_in(path.parent, data), **fed._asdict())
    write_data(path, data, (comment,))
    return fed


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
    comment = f"Of {source.name}, by convert/torch2darknet.py, {dialect}."
    with staged(out, force) as (folder, _):
        fed = write_model(data, networks, folder / source.name, comment, dialect, licence)
        for taken in (*data.cfg.values(), *data.weights.values(), source):
            _keep(taken, folder, out)
    return f"{source} -> {out / source.name}: {dialect}, {_fed(fed)}"


def convert_newest(
    out: Path = NEWEST_OUT,
    force: bool = False,
    dialect: str = "stock",
    licence: str | None = None,
) -> str:
    """Convert what was trained here (`trained_model.newest_model`), and compare it with PyTorch.

    Parameters are those of `convert`.

    Returns
    -------
    Lines that say what was done, and what to do next.

    Raises
    ------
    FileError, CfgError, ModelError, WeightsError
        As for `convert`; ModelError also where the C core's outputs for the written networks are
        more than TOLERANCE from PyTorch's for the checkpoints: then nothing is written.
    """
    model = newest_model(RUNS)
    networks = {name: read_source(path) for name, path in model.checkpoints.items()}
    path = out / MODEL_FILE
    comment = f"Of the checkpoints of {model.folder.name}, by convert/torch2darknet.py, {dialect}."
    with staged(out, force) as (folder, _):
        made = folder / path.name
        fed = write_model(read_data(model.data), networks, made, comment, dialect, licence)
        largest = max(
            difference_of(made.with_name(f"{name}.weights"), source, fed)
            for name, source in networks.items()
        )
        if not largest <= TOLERANCE:
            raise ModelError(
                f"{path}: not written: the C core's output is {largest:.1e} from PyTorch's, more"
                f" than {TOLERANCE:.0e}"
            )
    lines = [f"{source.path} -> {out / name}.weights" for name, source in networks.items()]
    return "\n".join(
        [
            *lines,
            f"{path}: {dialect}, {_fed(fed)}",
            f"largest difference from PyTorch: {largest:.1e}, at most {TOLERANCE:.0e} is allowed",
            f"next: ./mtcnn --model {path} picture.jpg",
        ]
    )


def difference_of(weights: Path, source: Source, fed: Input) -> float:
    """The largest difference of the C core's outputs for a written network from PyTorch's."""
    network = pymtcnn.Network(weights.with_suffix(".cfg"), weights)
    any_size = takes_any_size(source.network)
    return largest_difference(network.run, source.network, source.fed, any_size, fed)


def _keep(path: Path, folder: Path, out: Path) -> None:
    """Refuse to write over `path`, which was read, in a form that differs from it."""
    new, old = folder / path.name, out / path.name
    same_place = path.exists() and old.exists() and os.path.samefile(path, old)
    if same_place and new.exists() and new.read_bytes() != path.read_bytes():
        raise ArgumentError(f"{path}: would be written over; name another folder with --out")


def _fed(fed: Input) -> str:
    return f"input mean = {fed.mean:g}, norm = {fed.norm!r}, color = {fed.color}"


def _run(argv: Sequence[str] | None) -> int:
    parser = Parser("torch2darknet.py", __doc__)
    add = parser.add_argument
    add(
        "source",
        nargs="?",
        type=Path,
        metavar="SOURCE",
        help=".pt, .weights or .data; default: the newest",
    )
    add("--cfg", type=Path, metavar="FILE", help="the network, where the source has none")
    add(
        "--out",
        type=Path,
        metavar="DIR",
        help="a folder, or FILE.weights for one network; default: beside the source, without one "
        f"{NEWEST_OUT}",
    )
    add("--dialect", choices=DIALECTS, default="stock", help="default: stock")
    add("--licence", metavar="TEXT", help="of the weights, for the .json")
    add("--force", action="store_true", help="replace files that differ")
    args = parser.parse_args(argv)
    source, out = args.source, args.out
    if not source and args.cfg:
        parser.error("--cfg goes with a SOURCE; name it")
    options = {"force": args.force, "dialect": args.dialect, "licence": args.licence}
    if source is None:
        print(convert_newest(out or NEWEST_OUT, **options))
    elif source.suffix == ".data" and not source.is_dir():
        if not out or args.cfg:
            parser.error("a .data has its own cfgs and needs --out DIR")
        print(convert_model(source, out, **options))
    else:
        check_kind(source, ".pt", ".weights", ".data")
        print(convert(source, args.cfg, out or source.with_suffix(".weights"), **options))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of("torch2darknet.py", lambda: _run(argv))


if __name__ == "__main__":
    raise SystemExit(main())
