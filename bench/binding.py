"""What Python adds to a detection: time around `Detector.detect` less what the C core took.

    python bench/binding.py tests/data/grace_hopper.jpg

The middle of the picture is scaled to cover each size. `detect` and `detect_stages` take turns.
Prints a Markdown table: medians of the runs of the C core's own time (`total_ms`), and, of both
methods, of what was added to it in the same run.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from bench import common
from pymtcnn import Detector, read_picture
from pymtcnn.commands.console import status_of
from pymtcnn.commands.options import Parser

WARM_UP = 5


def measure(detector: Detector, rgb: np.ndarray, runs: int) -> tuple[list[float], list[float]]:
    """Medians of the core's milliseconds and of what is added: of detect, of detect_stages."""
    times: list[list[tuple[float, float]]] = [[], []]
    for _ in range(WARM_UP + runs):
        for method, measured in zip((detector.detect, detector.detect_stages), times):
            start = perf_counter()
            faces = method(rgb)
            wall = (perf_counter() - start) * 1e3
            measured.append((faces.total_ms, wall - faces.total_ms))
    core, added = np.median(np.array(times)[:, WARM_UP:], axis=1).T.tolist()
    return core, added


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser("binding.py", __doc__)
    add = parser.add_argument
    add("pictures", type=Path, nargs="+", metavar="PICTURE")
    add("--sizes", type=common.size, nargs="+", default=[(640, 480)], metavar="WxH",
        help="default: 640x480")  # fmt: skip
    add("--min-faces", type=common.min_face, nargs="+", default=[20.0, 40.0], metavar="PX",
        help="default: 20 40")  # fmt: skip
    add("--runs", type=common.count(10000), default=201, metavar="N", help="default: 201")
    return parser.parse_args(argv)


def _run(argv: Sequence[str] | None) -> int:
    args = parse(argv)
    print(f"{common.cpu_name()}, one thread, medians of {args.runs} runs\n")
    print(
        "| picture | size | min face | candidates | C core, ms | detect adds | detect_stages adds |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for path in args.pictures:
        rgb = read_picture(path)
        for size in args.sizes:
            picture = common.cover(rgb, *size)
            for min_face in args.min_faces:
                with Detector(min_face=min_face) as detector:
                    stages = detector.detect(picture).stages
                    core, added = measure(detector, picture, args.runs)
                cells = [
                    path.name,
                    f"{size[0]}x{size[1]}",
                    f"{min_face:g}",
                    " / ".join(str(len(stage)) for stage in stages),
                    f"{median(core):.2f}",
                    *(f"{1e3 * ms:.0f} us, {ms / total:.1%}" for ms, total in zip(added, core)),
                ]
                print(f"| {' | '.join(cells)} |", flush=True)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of("binding.py", lambda: _run(argv))


if __name__ == "__main__":
    raise SystemExit(main())
