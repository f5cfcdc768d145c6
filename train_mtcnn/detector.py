"""The reference cascade in PyTorch, to compare `./mtcnn` with: it takes the same options.

    python train_mtcnn/detector.py picture.jpg
    python -m train_mtcnn.detector picture.jpg

train_mtcnn/cascade/torch_detector.py is what it runs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

if __name__ == "__main__":
    try:
        from train_mtcnn.common.requirements import require
    except ImportError as error:
        sys.exit(f"detector.py: {error}; `bash make_install.sh` makes a .venv that has it")
    require("detector.py", "numpy", "torch")

from pymtcnn.commands import detect
from pymtcnn.commands.console import note
from pymtcnn.commands.options import given_options
from train_mtcnn.cascade.torch_detector import TorchDetector

USAGE = """\
usage: python train_mtcnn/detector.py [OPTION ...] PICTURE ...
for example: python train_mtcnn/detector.py tests/data/grace_hopper.jpg
'python train_mtcnn/detector.py --help' has the options."""


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    words = sys.argv[1:] if argv is None else argv
    if not words:
        note(USAGE)
        return 2
    return detect.main(
        words,
        prog="detector.py",
        description="Find faces with the reference cascade in PyTorch, to compare ./mtcnn with.",
        default_model="darknet_cfg/default.data",
        make_detector=_make_detector,
    )


def _make_detector(args: argparse.Namespace) -> TorchDetector:
    return TorchDetector(args.model, **given_options("detector", args))


if __name__ == "__main__":
    raise SystemExit(main())
