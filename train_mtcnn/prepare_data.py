"""Make the training samples of one network from annotated pictures.

    python train_mtcnn/prepare_data.py --net pnet --wider WIDER_FACE --out runs/mine/pnet-data
    python train_mtcnn/prepare_data.py --net rnet --model runs/mine/pnet.data ...
    python train_mtcnn/prepare_data.py --net onet --model runs/mine/rnet.data --landmarks FOLDER ...

Squares near faces and anywhere else, and what the networks trained so far let through (--model),
found by the C core: RNet and ONet need it, PNet can do without. All are written in steps: a broken
run continues where it was, a finished one is not done again.

Writes samples (train_mtcnn/data/samples.py) into OUT, and there report.txt (counts by class and
size, proposal recall, what was skipped and why) and samples.png (crops with their labels drawn).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    try:
        from train_mtcnn.common.requirements import require
    except ImportError as error:
        sys.exit(f"prepare_data.py: {error}; `bash make_install.sh` makes a .venv that has it")
    require("prepare_data.py", "numpy", "cv2", "tqdm")

from pymtcnn.commands.console import status_of
from pymtcnn.commands.options import Parser
from pymtcnn.errors import ArgumentError
from train_mtcnn.common.dataclass_options import add_options, read_options
from train_mtcnn.data.picture_samples import SIDES, SampleSettings
from train_mtcnn.data.preparation import prepare
from train_mtcnn.data.sample_report import Report
from train_mtcnn.data.sampling import Limits


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser("prepare_data.py", __doc__)
    add = parser.add_argument
    add("--net", choices=tuple(SIDES), required=True, help="the network to make samples for")
    add("--wider", type=Path, required=True, metavar="DIR", help="WIDER FACE, unpacked")
    add("--landmarks", type=Path, metavar="DIR", help="CNN_FacePoint or CelebA, for ONet")
    add("--model", type=Path, metavar="FILE.data", help="the networks so far, for RNet and ONet")
    add("--out", type=Path, metavar="DIR", help="default: runs/NET-data")
    add("--pictures", type=int, metavar="N", help="only N pictures, spread over the set")
    jobs = os.cpu_count() or 1
    add("--jobs", type=int, default=jobs, metavar="N", help="processes; default: all cores")
    add_options(parser, SampleSettings)
    for name, value in Limits()._asdict().items():
        text = f"overlap (IoU) of {name} crops; default: {value}"
        add(f"--iou-{name}", type=float, default=value, metavar="X", help=text)
    return parser.parse_args(argv)


def _settings(args: argparse.Namespace) -> SampleSettings:
    limits = Limits(args.iou_positive, args.iou_part, args.iou_negative)
    if not 0 < limits.negative <= limits.part <= limits.positive <= 1:
        raise ArgumentError(f"{limits}: must be 0 < negative <= part <= positive <= 1")
    if args.jobs < 1 or (args.pictures is not None and args.pictures < 1):
        raise ArgumentError("--jobs and --pictures: must be at least 1")
    if args.own and args.net == "pnet":
        raise ArgumentError("--own: for rnet and onet; what PNet lets through is --mined")
    return read_options(args, SampleSettings, net=args.net, limits=limits)


def _run(argv: Sequence[str] | None) -> int:
    args = _arguments(argv)
    out = args.out or Path("runs") / f"{args.net}-data"
    settings = _settings(args)
    report = prepare(
        out, settings, args.wider, args.landmarks, args.model, args.pictures, args.jobs
    )
    print(Report.from_json(report).text(), end="")
    print(f"written to {out}/: samples, report.txt, samples.png")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of(
        "prepare_data.py", lambda: _run(argv), stopped="the same command goes on from here"
    )


if __name__ == "__main__":
    raise SystemExit(main())
