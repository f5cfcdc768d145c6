"""Compare pymtcnn.compat's classes with the packages whose interface they have: what both find.

    python convert/import_pretrained.py facenet-pytorch --out facenet
    python convert/import_pretrained.py ipazc --out ipazc
    python bench/dropin.py PICTURE... --facenet-pytorch facenet/facenet-pytorch.data \\
        --ipazc ipazc/ipazc.data

Both sides run the same weights with the same scale factor, least face and thresholds (0.6, 0.7,
0.7). Faces are the same where their boxes overlap by half or more (intersection over union), each
with one of the other side, the most overlapping ones first. Prints a Markdown table: the faces, and
of those that both found the differences, median and largest: the largest of a box's or a face's
landmarks' coordinates, in pixels and in parts of the box's longer side, and the scores'.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np

from bench import common
from bench.common import FACTOR, THRESHOLDS
from pymtcnn import Detections, read_picture
from pymtcnn.commands.console import status_of
from pymtcnn.commands.options import Parser
from pymtcnn.compat import facenet_pytorch, ipazc
from pymtcnn.optional import library

OVERLAP = 0.5

Detect = Callable[[np.ndarray], Detections]
"""Faces of an RGB picture [H, W, 3], boxes not clipped."""


# ---- the two interfaces: each makes theirs and ours ----------------------------------------------


def make_facenet_pytorch(model: Path, min_face: float) -> Iterator[Detect]:
    their_class = library("facenet_pytorch", "facenet-pytorch").MTCNN
    options = {"min_face_size": min_face, "thresholds": list(THRESHOLDS), "factor": FACTOR}
    for detector in (their_class(**options), facenet_pytorch.MTCNN(**options, model=model)):

        def detect(rgb: np.ndarray, detector=detector) -> Detections:
            boxes, probs, points = detector.detect(rgb, landmarks=True)
            if boxes is None:
                return detections(np.empty((0, 4)), np.empty(0), np.empty((0, 5, 2)))
            return detections(boxes, probs, points)

        yield detect


def make_ipazc(model: Path, min_face: float) -> Iterator[Detect]:
    their_class = library("mtcnn").MTCNN
    options = dict(zip(("threshold_pnet", "threshold_rnet", "threshold_onet"), THRESHOLDS))
    options |= {"min_face_size": min_face, "scale_factor": FACTOR, "postprocess": False}
    options |= {"box_format": "xyxy", "output_type": "numpy"}
    for detector in (their_class(), ipazc.MTCNN(model=model)):

        def detect(rgb: np.ndarray, detector=detector) -> Detections:
            rows = np.asarray(detector.detect_faces(rgb, **options)).reshape(-1, 16)
            points = np.stack([rows[:, 6:11], rows[:, 11:]], 2)
            return detections(rows[:, 1:5], rows[:, 5], points)

        yield detect


INTERFACES = {
    "facenet-pytorch": (make_facenet_pytorch, "facenet-pytorch"),
    "ipazc": (make_ipazc, "mtcnn"),
}
"""What makes both sides, and the package whose version is printed."""


def detections(boxes: np.ndarray, scores: np.ndarray, landmarks: np.ndarray) -> Detections:
    arrays = (np.asarray(values, np.float32) for values in (boxes, scores, landmarks))
    return Detections(*arrays)


# ---- comparing -----------------------------------------------------------------------------------


def partners(theirs: Detections, ours: Detections) -> list[tuple[int, int]]:
    """Pairs of faces that both found, one to one."""
    return list(common.pairs(common.overlaps(theirs.boxes, ours.boxes), OVERLAP))


def differences(theirs: Detections, ours: Detections) -> np.ndarray:
    """Of each face that both found, [K, 4]: box, landmarks (pixels), score, box's longer side."""
    rows = []
    for i, j in partners(theirs, ours):
        a, b = theirs[i], ours[j]
        rows.append(
            (
                np.abs(a.box - b.box).max(),
                np.abs(a.landmarks - b.landmarks).max(),
                abs(a.score - b.score),
                (a.box[2:] - a.box[:2]).max(),
            )
        )
    return np.array(rows).reshape(-1, 4)


def row(name: str, theirs: list[Detections], ours: list[Detections]) -> str:
    found = np.concatenate([differences(a, b) for a, b in zip(theirs, ours)])
    box, points, score, side = found.T

    def spread(values: np.ndarray, form: str) -> str:
        return f"{np.median(values):{form}} / {values.max():{form}}" if len(values) else ""

    cells = [
        name,
        str(sum(map(len, theirs))),
        str(sum(map(len, ours))),
        str(len(found)),
        spread(box, ".2f"),
        spread(box / side, ".1%"),
        spread(points, ".2f"),
        spread(points / side, ".1%"),
        spread(score, ".4f"),
    ]
    return f"| {' | '.join(cells)} |"


# ---- the command line ----------------------------------------------------------------------------


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser("dropin.py", __doc__)
    add = parser.add_argument
    add("pictures", type=Path, nargs="+", metavar="PICTURE")
    for name in INTERFACES:
        add(f"--{name}", dest=name, type=Path, metavar="FILE.data",
            help="its weights, imported; without them it is left out")  # fmt: skip
    add("--min-face", type=common.min_face, default=20.0, metavar="PX", help="default: 20")
    args = parser.parse_args(argv)
    if not any(getattr(args, name) for name in INTERFACES):
        parser.error("nothing to compare with: give --facenet-pytorch or --ipazc")
    return args


def _run(argv: Sequence[str] | None) -> int:
    args = parse(argv)
    rows = []
    pictures = [read_picture(path) for path in args.pictures]
    for name, (make, package) in INTERFACES.items():
        model = getattr(args, name)
        if model is None:
            continue
        theirs, ours = ([detect(rgb) for rgb in pictures] for detect in make(model, args.min_face))
        rows.append(row(f"{package} {metadata.version(package)}", theirs, ours))
    print(f"{len(pictures)} pictures, least face {args.min_face:g} pixels; median / largest\n")
    print(
        "| package | its faces | ours | both | boxes, px | of the side "
        "| landmarks, px | of the side | scores |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    print("\n".join(rows))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of("dropin.py", lambda: _run(argv))


if __name__ == "__main__":
    raise SystemExit(main())
