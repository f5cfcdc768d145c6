"""How the time of a detection grows with the pixels: a table, and a plot of it.

    python bench/scaling.py PICTURE --output docs/images/scaling.svg

The middle of the picture, scaled to cover 640x480, is repeated side by side to fill each size, so
that the faces grow in number with the pixels, and not in size. Each size is timed with each number
of threads in turn, with the default model's settings. Prints a Markdown table of medians, with the
detector's scratch memory; the plot has a line of slope 1, along which twice the pixels take twice
the time, for the eye.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from bench import common
from pymtcnn import Detector, read_picture
from pymtcnn.commands.console import status_of
from pymtcnn.commands.options import Parser
from pymtcnn.files import atomic_write

TILE = (640, 480)
SIZES = [(640, 480), (1280, 720), (1920, 1080), (3840, 2160), (7680, 4320)]


@dataclass(frozen=True)
class Point:
    """What was measured of one size with one number of threads."""

    width: int
    height: int
    threads: int
    faces: int
    ms: float  # median
    minimum: float
    memory: int  # bytes

    @property
    def megapixels(self) -> float:
        return self.width * self.height / 1e6


def measure(rgb: np.ndarray, args: argparse.Namespace) -> Iterator[Point]:
    """Points of a picture that is repeated to fill each size, small ones first."""
    part = common.cover(rgb, *TILE)
    for width, height in sorted(args.sizes, key=lambda size: size[0] * size[1]):
        picture = common.tile(part, width, height)
        detectors = [Detector(min_face=args.min_face, threads=n) for n in args.threads]
        times: list[list[float]] = [[] for _ in detectors]
        for number in range(-1, args.runs):
            for detector, ms in zip(detectors, times):
                found = detector.detect(picture)
                if number >= 0:
                    ms.append(found.total_ms)
        for detector, threads, ms in zip(detectors, args.threads, times):
            yield Point(
                width, height, threads, len(found), median(ms), min(ms), detector.memory
            )  # results do not depend on the threads
            detector.close()


def row(point: Point) -> str:
    cells = [
        f"{point.width}x{point.height}",
        f"{point.megapixels:.1f}",
        f"{point.faces}",
        f"{point.threads}",
        f"{point.ms:.1f}",
        f"{point.minimum:.1f}",
        f"{point.ms / point.megapixels:.1f}",
        f"{point.memory / 2**20:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def plot(points: list[Point], title: str, kind: str) -> bytes:
    """The file of a plot: milliseconds against megapixels, both logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "scaling"  # the same points make the same file
    matplotlib.rcParams["svg.fonttype"] = "none"  # and a small one: text, not outlines
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    for threads in dict.fromkeys(point.threads for point in points):
        line = [point for point in points if point.threads == threads]
        x = [point.megapixels for point in line]
        axes.plot(x, [p.ms for p in line], "o-", label=common.many_threads(threads))
        if threads == points[0].threads:
            first = line[0]
            slope = [first.ms * pixels / first.megapixels for pixels in x]
            axes.plot(x, slope, "--", color="grey", linewidth=1, label="slope 1")
    axes.set(xscale="log", yscale="log", xlabel="megapixels", ylabel="milliseconds")
    ticks = {p.megapixels: f"{p.megapixels:.1f}\n{p.width}x{p.height}" for p in points}
    axes.set_xticks(list(ticks), list(ticks.values()), fontsize=7)
    axes.set_xticks([], minor=True)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_title(title, fontsize=9)
    axes.grid(alpha=0.3)
    axes.legend()
    file = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else None
    figure.savefig(file, format=kind, metadata=metadata)
    pyplot.close(figure)
    return file.getvalue()


def _image(text: str) -> Path:
    if Path(text).suffix not in (".svg", ".png"):
        raise argparse.ArgumentTypeError(f"{text}: must end in .svg or .png")
    return Path(text)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser("scaling.py", __doc__)
    add = parser.add_argument
    add("picture", type=Path)
    add("--sizes", type=common.size, nargs="+", default=SIZES, metavar="WxH",
        help=f"default: {' '.join(f'{w}x{h}' for w, h in SIZES)}")  # fmt: skip
    add("--min-face", type=common.min_face, default=20.0, metavar="PX", help="default: 20")
    add("--threads", type=common.count(256), nargs="+", default=[1, 2], metavar="N",
        help="default: 1 2")  # fmt: skip
    add("--runs", type=common.count(10000), default=11, metavar="N", help="default: 11")
    add("--output", type=_image, metavar="FILE", help="draw the plot there, .svg or .png")
    return parser.parse_args(argv)


def _run(argv: Sequence[str] | None) -> int:
    args = parse(argv)
    points = []
    rgb = read_picture(args.picture)
    title = f"{args.picture.name} repeated, min face {args.min_face:g}, {common.cpu_name()}"
    print(f"{title}, {args.runs} runs in turn\n")
    print("| size | megapixels | faces | threads | ms | minimum | ms a megapixel | scratch MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for point in measure(rgb, args):
        print(row(point), flush=True)
        points.append(point)
    if args.output:
        with atomic_write(args.output) as file:
            file.write(plot(points, title, args.output.suffix[1:]))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of("scaling.py", lambda: _run(argv))


if __name__ == "__main__":
    raise SystemExit(main())
