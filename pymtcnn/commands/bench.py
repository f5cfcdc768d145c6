"""`pymtcnn bench`: time the detector on this machine."""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from .._library import core
from ..arguments import check_count
from ..detector import Detector
from ..errors import ArgumentError, FileError
from ..optional import library
from ..pictures import MAX_PIXELS, read_picture
from ..results import STAGE_NAMES, Detections
from ..settings import settings
from .console import emit, status_of
from .options import Option, Parser

DESCRIPTION = """\
Time the detector on the middle of a picture, scaled to cover each size, for each minimum size of
face, with one thread and with several in alternation. Prints medians in milliseconds, without
reading the picture, and the number of inputs of each network."""

PICTURE = "grace_hopper.jpg"
"""The picture that comes with the package; in a source tree it is in tests/data."""

PAUSE = 0.02
"""Seconds before each run: several threads spin for a while after the previous run."""

SMALLEST = 12
"""Smallest side of a size: PNet's input."""


# ---- arguments -----------------------------------------------------------------------------------


def _check_sizes(sizes: list[tuple[int, ...]], name: str) -> list[tuple[int, ...]]:
    if not sizes or not all(
        len(size) == 2
        and min(size) >= SMALLEST
        and max(size) <= core().lib.MTCNN_MAX_SIDE
        and prod(size) <= MAX_PIXELS
        for size in sizes
    ):
        raise ArgumentError(
            f"{name} {sizes}: must be sizes like 640x480,1920x1080, each side at least "
            f"{SMALLEST}, and {MAX_PIXELS // 1_000_000} megapixels at most"
        )
    return sizes


SIZES = Option(
    "WxH,...",
    "sizes of the picture",
    lambda text: [tuple(map(int, size.split("x"))) for size in text.split(",")],
    _check_sizes,
)
MIN_FACES = Option(
    "PX,...",
    "sizes of the smallest face, pixels",
    lambda text: [float(number) for number in text.split(",")],
    lambda values, name: [
        settings()["min_face"].check(value, name) for value in values or [values]
    ],
)
RUNS = Option(
    "N",
    "runs of each, 1..10000",
    int,
    lambda value, name: check_count(value, name, 10_000),
)


def _parser(prog: str) -> Parser:
    parser = Parser(prog, DESCRIPTION)
    parser.add_argument(
        "picture", nargs="?", metavar="PICTURE", help=f"default: {PICTURE}, which is included"
    )
    parser.model_option("the model built in")
    parser.checked("sizes", SIZES, "640x480,1920x1080")
    parser.checked("min_faces", MIN_FACES, "20,40")
    parser.setting("threads", str(_processors()))
    parser.checked("runs", RUNS, "11")
    parser.add_argument("--json", action="store_true", help="one JSON object, not a table")
    return parser


def main(argv: Sequence[str], *, prog: str = "pymtcnn bench") -> int:
    """Run the command; returns the exit status."""
    return status_of(prog, lambda: _run(_parser(prog).read(argv)))


# ---- machine and picture -------------------------------------------------------------------------


def _processors() -> int:
    """Number of processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def cpu_name() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(": ")[2] for line in lines if "model name" in line), "unknown")


def cover(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """The middle of a picture [H, W, 3], scaled to cover width x height.

    Raises
    ------
    ArgumentError
        The scaled picture, before it is cut to size, has more than `MAX_PIXELS` pixels.
    """
    image = library("PIL.Image", "pillow")
    filters = image.Resampling
    scale = max(width / rgb.shape[1], height / rgb.shape[0])
    sides = [max(side, round(n * scale)) for side, n in zip((width, height), rgb.shape[1::-1])]
    if prod(sides) > MAX_PIXELS:
        raise ArgumentError(
            f"size {width}x{height}: the picture would have to be scaled to {sides[0]}x{sides[1]} "
            "pixels to cover it, which is too large; choose a less narrow one"
        )
    scaled = image.fromarray(rgb).resize(sides, filters.BOX if scale < 1 else filters.BILINEAR)
    x, y = (sides[0] - width) // 2, (sides[1] - height) // 2
    return np.array(scaled.crop((x, y, x + width, y + height)))


def _bundled() -> Path:
    package = Path(__file__).resolve().parents[1]
    for folder in (package, package.parent / "tests" / "data"):
        if (folder / PICTURE).is_file():
            return folder / PICTURE
    raise FileError(f"{PICTURE}: did not come with this installation; name a picture")


# ---- measuring -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One size of picture and minimum size of face.

    Attributes
    ----------
    width, height : int
    min_face : float
    milliseconds : dict
        The median for each number of threads.
    inputs : dict
        PNet's cells, RNet's and ONet's crops.
    faces : int
    """

    width: int
    height: int
    min_face: float
    milliseconds: dict[int, float]
    inputs: dict[str, int]
    faces: int


def _run(args: argparse.Namespace) -> int:
    path = args.picture or _bundled()
    rgb = read_picture(path)
    about = {
        "picture": Path(path).name,
        "model": args.model or "the model built in",
        "cpu": cpu_name(),
        "version": __version__,
        "runs": args.runs,
    }
    threads = sorted({1, args.threads})
    rows = _measure(rgb, threads, args)
    if args.json:
        emit(json.dumps({**about, "rows": [vars(row) for row in rows]}) + "\n")
        return 0
    emit("{picture}, {model}, {cpu}, pymtcnn {version}, medians of {runs} runs\n\n".format(**about))
    times = [f"{n} thread{'s' * (n > 1)}, ms" for n in threads]
    heads = ["size", "min face", *times, "cells", "rnet crops", "onet crops", "faces"]
    emit(_line(heads))
    for row in rows:
        times = [f"{row.milliseconds[n]:.1f}" for n in threads]
        emit(
            _line(
                [f"{row.width}x{row.height}", f"{row.min_face:g}", *times]
                + [str(row.inputs[name]) for name in STAGE_NAMES]
                + [str(row.faces)]
            )
        )
    return 0


def _line(cells: list[str]) -> str:
    return "  ".join(f"{cell:>12}" for cell in cells) + "\n"


def _measure(
    rgb: NDArray[np.uint8], threads: Sequence[int], args: argparse.Namespace
) -> Iterator[Row]:
    for width, height in args.sizes:
        picture = cover(rgb, width, height)
        for min_face in args.min_faces:
            detectors = {n: Detector(args.model, min_face=min_face, threads=n) for n in threads}
            times, found = _timed(detectors, picture, args.runs)
            inputs = {stage.name: stage.inputs for stage in found.stages}
            yield Row(width, height, min_face, times, inputs, len(found))
            for detector in detectors.values():
                detector.close()


def _timed(
    detectors: dict[int, Detector], picture: NDArray[np.uint8], runs: int
) -> tuple[dict[int, float], Detections]:
    """The median of each, over alternating runs after a warm-up; and what was found."""
    times: dict[int, list[float]] = {n: [] for n in detectors}
    for run in range(-1, runs):
        for n, detector in detectors.items():
            time.sleep(PAUSE)
            found = detector.detect(picture)
            if run >= 0:
                times[n].append(found.total_ms)
    return {n: round(median(ms), 2) for n, ms in times.items()}, found
