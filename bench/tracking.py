"""How fast faces are tracked, and how well: a table beside detection frame by frame.

    python bench/tracking.py PICTURE... [--every 5 10]

Each picture makes a shot of a video: a camera pans and zooms over it, noise is added, each frame is
compressed as a JPEG; between shots is a cut. Faces found in the still pictures are the truth. Each
frame goes through detection and each way of tracking in turn, with the default model's settings.
Prints a Markdown table: frames a second over the whole video, the median of the runs; median
milliseconds of a frame with a full scan and of one without; and what bench/made_video.py measures.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np

from bench import common
from bench.made_video import Camera, Judge, Shot, made_video
from pymtcnn import Detector, Tracker, read_picture
from pymtcnn.commands.console import status_of
from pymtcnn.commands.options import Parser

FPS = 25.0
CLEAR = 0.95
"""Least score of the faces that are the truth."""


@dataclass
class Way:
    """A way to find the faces of each frame, and what came of it."""

    name: str
    every: int | None  # None: detection
    judge: Judge
    seconds: list[float] = field(default_factory=list)  # of the whole video, run by run
    scans: list[float] = field(default_factory=list)  # ms of a frame with a full scan
    between: list[float] = field(default_factory=list)  # ms of a frame without


def shot(path: Path, size: tuple[int, int], frames: int, detector: Detector) -> Shot:
    """A picture that covers 1.4 times the frame; the camera moves there and back as it zooms."""
    width, height = (round(1.4 * side) for side in size)
    picture = common.cover(read_picture(path), width, height)
    found = detector.detect(picture)
    boxes = found.boxes[found.scores >= CLEAR].astype(np.float64)
    path_of_camera = [
        Camera(width * x, height * y, size[0] * zoom)
        for x, y, zoom in [(0.42, 0.45, 1.15), (0.58, 0.5, 0.95), (0.45, 0.55, 1.05)]
    ]
    return Shot(picture, boxes, path_of_camera, frames)


def measure(shots: list[Shot], min_face: float, args: argparse.Namespace) -> list[Way]:
    """All ways, frame by frame in turn, run after run."""
    # Faces at the limit of the size that is looked for are no truth.
    ways = [Way("detection", None, Judge(1.3 * min_face))]
    ways += [Way(f"tracking, every {n}", n, Judge(1.3 * min_face)) for n in args.every]
    with Detector(min_face=min_face, threads=args.threads) as detector:
        for number in range(args.runs):
            run(ways, shots, detector, args, judged=number == 0)
    return ways


def run(
    ways: list[Way], shots: list[Shot], detector: Detector, args: argparse.Namespace, judged: bool
) -> None:
    trackers = [way.every and Tracker(detector, every=way.every) for way in ways]
    totals = [0.0] * len(ways)
    video = made_video(shots, args.size, noise=args.noise, quality=args.quality)
    for number, frame in enumerate(video):
        for i, (way, tracker) in enumerate(zip(ways, trackers)):
            if tracker:
                found = tracker.update(frame.picture, number / FPS)
                ids, scanned = found.ids, found.scanned
            else:
                found = detector.detect(frame.picture)
                ids, scanned = np.zeros(len(found), np.int64), True
            totals[i] += found.total_ms / 1000
            (way.scans if scanned else way.between).append(found.total_ms)
            if judged:
                way.judge.add(frame, found.boxes, ids)
    for way, seconds in zip(ways, totals):
        way.seconds.append(seconds)


def row(min_face: float, way: Way, frames: int) -> str:
    measures = way.judge.measures()
    cells = [
        f"{min_face:g}",
        way.name,
        f"{frames / median(way.seconds):.0f}",
        f"{median(way.scans):.1f}",
        f"{median(way.between):.1f}" if way.between else "",
        f"{measures.faces - measures.found} of {measures.faces}",
        f"{measures.switches}" if way.every else "",
        f"{measures.overlap:.3f}",
        f"{100 * measures.trembling:.1f}%",
        f"{measures.false}",
    ]
    return f"| {' | '.join(cells)} |"


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser("tracking.py", __doc__)
    add = parser.add_argument
    add("pictures", type=Path, nargs="+", metavar="PICTURE")
    add("--size", type=common.size, default=(1280, 720), metavar="WxH", help="default: 1280x720")
    add("--min-faces", type=common.min_face, nargs="+", default=[20.0, 40.0], metavar="PX",
        help="default: 20 40")  # fmt: skip
    add("--every", type=common.count(1000000), nargs="+", default=[5, 10], metavar="N",
        help="default: 5 10")  # fmt: skip
    add("--frames", type=common.count(100000), default=75, metavar="N",
        help="of each picture's shot; default: 75, 3 seconds")  # fmt: skip
    add("--noise", type=common.count(255), default=4, metavar="N",
        help="standard deviation, of 255; default: 4")  # fmt: skip
    add("--quality", type=common.count(100), default=85, metavar="N",
        help="of the JPEGs; default: 85")  # fmt: skip
    add("--runs", type=common.count(1000), default=3, metavar="N", help="default: 3")
    add("--threads", type=common.count(256), default=1, metavar="N", help="default: 1")
    return parser.parse_args(argv)


def _run(argv: Sequence[str] | None) -> int:
    args = parse(argv)
    with Detector(min_face=min(args.min_faces)) as detector:
        shots = [shot(path, args.size, args.frames, detector) for path in args.pictures]
    width, height = args.size
    print(
        f"{len(shots)} shots of {args.frames} frames, {width}x{height}, "
        f"{sum(len(shot.boxes) for shot in shots)} faces, "
        f"{common.many_threads(args.threads)}, {common.cpu_name()}, {args.runs} runs in turn\n"
    )
    print(
        "| min face | method | frames a second | ms, a scan | ms, between | lost | switches "
        f"| overlap | jitter | false |\n{'| --- ' * 10}|"
    )
    for min_face in args.min_faces:
        for way in measure(shots, min_face, args):
            print(row(min_face, way, len(shots) * args.frames), flush=True)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of("tracking.py", lambda: _run(argv))


if __name__ == "__main__":
    raise SystemExit(main())
