"""Darknet's `.cfg` and `.weights` to a PyTorch checkpoint: the inverse of torch2darknet.py.

python convert/darknet2torch.py pnet.weights --cfg pnet.cfg --out pnet.pt
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    if not __package__:  # run as a script
        sys.path[0] = str(Path(__file__).resolve().parents[1])
    from train_mtcnn.script import require

    require("darknet2torch.py", "numpy", "torch")

from pymtcnn.errors import MtcnnError
from train_mtcnn.checkpoint import save_checkpoint
from train_mtcnn.files import read_bytes
from train_mtcnn.networks import Network


def convert(weights: Path, cfg: Path, out: Path) -> str:
    """Convert one network; returns one line that says what was done.

    Raises
    ------
    FileError, CfgError, WeightsError
        If a file cannot be read or written, the cfg makes no sense or the weights do not fit it.
    """
    read_bytes(weights)  # where it is missing, so is perhaps the cfg beside it: name this one
    network = Network.from_darknet(cfg, weights)
    save_checkpoint(out, network)
    return f"{weights} -> {out}: {network.weights_count} weights, output {network.output_shape}"


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="darknet2torch.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("weights", type=Path, metavar="FILE.weights", help="the weights")
    add("--cfg", type=Path, metavar="FILE", help="default: the .cfg beside the weights")
    add("--out", type=Path, metavar="FILE.pt", help="default: beside the weights")
    args = parser.parse_args(argv)
    try:
        cfg = args.cfg or args.weights.with_suffix(".cfg")
        print(convert(args.weights, cfg, args.out or args.weights.with_suffix(".pt")))
    except MtcnnError as error:
        print(f"darknet2torch.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
