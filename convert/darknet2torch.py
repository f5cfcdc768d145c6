"""Darknet's `.cfg` and `.weights` to a PyTorch checkpoint: the inverse of torch2darknet.py.

    python convert/darknet2torch.py pnet.weights --cfg pnet.cfg --out pnet.pt
    python convert/darknet2torch.py darknet_cfg/caffe/caffe.data --out FOLDER

The checkpoint is one that train.py --load takes. It notes what the network is fed: what the .data
or the .json of torch2darknet.py says, or --dialect: stock (RGB, v / 255), else native (RGB,
(v - 127.5) / 128). Files that are there and differ are replaced with --force only.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    try:
        from train_mtcnn.common.requirements import require
    except ImportError as error:
        sys.exit(f"darknet2torch.py: {error}; `bash make_install.sh` makes a .venv that has it")
    require("darknet2torch.py", "numpy", "torch")

from convert.model_sources import FED, Source, check_kind, read_darknet_source, read_model
from convert.sidecar import sha256
from convert.staging import staged
from pymtcnn.commands.console import status_of
from pymtcnn.commands.options import Parser
from train_mtcnn.network.checkpoint import save_checkpoint


def convert(
    weights: Path,
    cfg: Path | None,
    out: Path,
    force: bool = False,
    dialect: str | None = None,
) -> str:
    """Convert one network.

    Parameters
    ----------
    weights
        The file.
    cfg
        Its network; None: the .cfg beside it.
    out
        The checkpoint to write, or a folder.
    force
        Replace a file that is there and differs.
    dialect
        "stock" or "native": what the network takes; None: what the .json beside the weights says,
        else "native".

    Returns
    -------
    One line that says what was done.

    Raises
    ------
    FileError, CfgError, WeightsError
        If a file cannot be read or written, the cfg makes no sense or the weights do not fit it.
    """
    path = out if out.suffix in (".pt", ".pth") else out / f"{weights.stem}.pt"
    source = read_darknet_source(weights, cfg, dialect)
    with staged(path.parent, force) as (folder, _):
        return _write(source, folder / path.name, path)


def convert_model(data: Path, out: Path, force: bool = False) -> str:
    """Convert the networks of a `.data` file to OUT/{pnet,rnet,onet}.pt; errors as in `convert`."""
    with staged(out, force) as (folder, _):
        networks = read_model(data)[1].items()
        return "\n".join(_write(s, folder / f"{n}.pt", out / f"{n}.pt") for n, s in networks)


def _write(source: Source, path: Path, place: Path) -> str:
    about = {
        "input": source.fed._asdict(),
        "source": source.path.name,
        "source_sha256": sha256(source.path),
    }
    network = source.network
    save_checkpoint(path, network, about)
    count, shape = network.weights_count, network.output_shape
    return f"{source.path} -> {place}: {count} weights, output {shape}"


def _run(argv: Sequence[str] | None) -> int:
    parser = Parser("darknet2torch.py", __doc__)
    add = parser.add_argument
    add("source", type=Path, metavar="SOURCE", help="a .weights, or a model's .data")
    add("--cfg", type=Path, metavar="FILE", help="default: the .cfg beside the weights")
    add("--out", type=Path, metavar="FILE.pt", help="or a folder (default: beside the weights)")
    add("--dialect", choices=FED, help="what the network is fed, if no .json says it")
    add("--force", action="store_true", help="replace files that differ")
    args = parser.parse_args(argv)
    source = args.source
    check_kind(source, ".weights", ".data")
    if source.suffix == ".data":
        if not args.out or args.cfg or args.dialect:
            parser.error("a .data names cfgs and input itself, and needs --out DIR")
        print(convert_model(source, args.out, args.force))
    else:
        out = args.out or source.with_suffix(".pt")
        print(convert(source, args.cfg, out, args.force, args.dialect))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of("darknet2torch.py", lambda: _run(argv))


if __name__ == "__main__":
    raise SystemExit(main())
