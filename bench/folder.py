"""Time whole programs on a folder of pictures: from the files to JSON, the start included.

    python bench/folder.py FOLDER [--yunet FILE.onnx]

./mtcnn with one thread and with two, `pymtcnn detect` with one process and with two, and, where
they can be had, the same loop in Python with facenet-pytorch's MTCNN and OpenCV's YuNet, one thread
each: read a picture with OpenCV, find faces and landmarks, print a line of JSON. All but YuNet,
which has no pyramid, look for faces from --min-face pixels on with thresholds 0.6, 0.7, 0.7 and
scale factor 0.709. The programs run in turn. Prints the medians of pictures a second, and of the
ratios to ./mtcnn with one thread in the same round.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import cv2
import numpy as np

from bench import common
from bench.common import FACTOR, THRESHOLDS
from pymtcnn import MtcnnError
from pymtcnn.commands.console import complain, status_of
from pymtcnn.commands.options import Parser
from pymtcnn.commands.sources import find_pictures

ROOT = Path(__file__).resolve().parents[1]

BASE = "./mtcnn, 1 thread"
"""What the ratios are to."""

Find = Callable[[np.ndarray], "tuple[list, list, list]"]
"""Boxes x1, y1, x2, y2, scores and landmarks of a BGR picture [H, W, 3]."""


# ---- the loops in Python -------------------------------------------------------------------------


def facenet_pytorch(args: argparse.Namespace) -> Find:
    import torch
    from facenet_pytorch import MTCNN

    torch.set_num_threads(1)
    net = MTCNN(keep_all=True, min_face_size=args.min_face, thresholds=THRESHOLDS, factor=FACTOR)

    def find(bgr: np.ndarray) -> tuple[list, list, list]:
        boxes, scores, points = net.detect(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), landmarks=True)
        if boxes is None:
            return [], [], []
        return boxes.tolist(), scores.tolist(), points.tolist()

    return find


def yunet(args: argparse.Namespace) -> Find:
    net = cv2.FaceDetectorYN.create(str(args.yunet), "", (320, 320), THRESHOLDS[0])

    def find(bgr: np.ndarray) -> tuple[list, list, list]:
        net.setInputSize((bgr.shape[1], bgr.shape[0]))
        faces = net.detect(bgr)[1]
        if faces is None:
            return [], [], []
        corners = np.hstack([faces[:, :2], faces[:, :2] + faces[:, 2:4]])
        return corners.tolist(), faces[:, 14].tolist(), faces[:, 4:14].reshape(-1, 5, 2).tolist()

    return find


LOOPS = {"facenet-pytorch": facenet_pytorch, "YuNet": yunet}


def loop(args: argparse.Namespace) -> None:
    """Find faces in the pictures with one of the LOOPS."""
    cv2.setNumThreads(1)
    find = LOOPS[args.loop](args)
    for path in args.pictures:
        bgr = cv2.imread(path)
        faces = [
            {"box": box, "score": score, "landmarks": points}
            for box, score, points in zip(*find(bgr))
        ]
        height, width = bgr.shape[:2]
        print(json.dumps({"image": path, "width": width, "height": height, "faces": faces}))


# ---- timing --------------------------------------------------------------------------------------


def programs(args: argparse.Namespace) -> dict[str, list[str]]:
    """The command of each."""
    options = ["--json", "--min-face", f"{args.min_face:g}", "--scale-factor", str(FACTOR)]
    options += ["--thresholds", ",".join(map(str, THRESHOLDS))]
    if args.model:
        options += ["--model", args.model]
    c = [str(args.program), *options]
    python = [sys.executable, "-m", "pymtcnn", "detect", *options]
    looped = [sys.executable, __file__, "--min-face", f"{args.min_face:g}"]
    found = {
        BASE: c,
        "./mtcnn, 2 threads": [*c, "--threads", "2"],
        "./mtcnn, 2 pictures at a time": [*c, "--jobs", "2"],
        "pymtcnn detect, 1 process": python,
        "pymtcnn detect, 2 processes": [*python, "--jobs", "2"],
        "facenet-pytorch, 1 thread": [*looped, "--loop", "facenet-pytorch"],
    }
    if args.yunet:
        found["YuNet, 1 thread"] = [*looped, "--yunet", args.yunet, "--loop", "YuNet"]
    return found


def seconds(command: Sequence[str], pictures: Sequence[str]) -> tuple[float, int]:
    """Wall time of a program, and the faces that it found; ValueError where it fails."""
    start = perf_counter()
    done = subprocess.run([*command, *pictures], capture_output=True, text=True)
    wall = perf_counter() - start
    lines = done.stdout.splitlines()
    if done.returncode or len(lines) != len(pictures):
        raise ValueError(done.stderr.strip().rpartition("\n")[2] or "not a line a picture")
    return wall, sum(len(json.loads(line)["faces"]) for line in lines)


def report(args: argparse.Namespace, pictures: Sequence[str]) -> Iterator[str]:
    """The lines of the whole report; MtcnnError where no program ran."""
    commands = programs(args)
    walls: dict[str, list[float]] = {name: [] for name in commands}
    faces = {}
    for _ in range(args.runs):
        for name in list(walls):
            try:
                wall, faces[name] = seconds(commands[name], pictures)
            except (OSError, ValueError) as error:
                complain("folder.py", f"without {name}: {error}")
                del walls[name]
            else:
                walls[name].append(wall)
    if not any(walls.values()):
        raise MtcnnError("no program ran")
    yield (
        f"{len(pictures)} pictures, min face {args.min_face:g}, {common.cpu_name()}, "
        f"{args.runs} rounds in turn"
    )
    yield ""
    yield "| program | pictures a second | times ./mtcnn's time | faces |"
    yield "| --- | --- | --- | --- |"
    base = walls.get(BASE, [])
    for name, measured in walls.items():
        rate = len(pictures) / median(measured)
        ratio = f"{median(a / b for a, b in zip(measured, base)):.2f}" if base else "-"
        yield f"| {name} | {rate:.2f} | {ratio} | {faces[name]} |"


# ---- the command line ----------------------------------------------------------------------------


def _run(argv: Sequence[str] | None) -> int:
    parser = Parser("folder.py", __doc__)
    add = parser.add_argument
    add("pictures", nargs="+", metavar="FOLDER", help="or pictures")
    add("--min-face", type=common.min_face, default=20.0, metavar="PX", help="default: 20")
    add("--runs", type=common.count(100), default=3, metavar="N", help="rounds; default: 3")
    add("--limit", type=common.count(10**6), metavar="N", help="only N pictures, spread over all")
    add("--model", metavar="FILE.data", help="of ./mtcnn and pymtcnn; default: the one built in")
    add("--program", type=Path, default=ROOT / "mtcnn", metavar="FILE", help="default: ./mtcnn")
    add("--yunet", metavar="FILE.onnx", help="YuNet's model, as OpenCV takes it")
    add("--loop", choices=LOOPS, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.loop:
        loop(args)
        return 0
    found = find_pictures(args.pictures)
    for problem in found.problems:
        complain("folder.py", problem)
    if found.problems:
        return 1
    paths = [picture.path for picture in found.pictures]
    count = min(args.limit or len(paths), len(paths))
    for line in report(args, [paths[i * len(paths) // count] for i in range(count)]):
        print(line, flush=True)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of("folder.py", lambda: _run(argv))


if __name__ == "__main__":
    raise SystemExit(main())
