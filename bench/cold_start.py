"""From nothing to the faces: the program's time from its start to its end, and its peak memory.

    python bench/cold_start.py tests/data/grace_hopper.jpg

The middle of the picture, scaled to cover each size, is written as a JPEG, and the program run on
it, one size after the other in turn. Prints a Markdown table: median and minimum of the wall time,
median of the processor time of all threads, and the most memory (by GNU time, where it is there).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from bench import common
from pymtcnn import MtcnnError, read_picture, write_picture
from pymtcnn.commands.console import status_of
from pymtcnn.commands.options import Parser

ROOT = Path(__file__).resolve().parents[1]
GNU_TIME = "/usr/bin/time"


def run(command: list[str]) -> tuple[float, float]:
    """Milliseconds of a command: wall, and processor."""
    output = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    start = perf_counter()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=output)
    _, status, usage = os.wait4(process, 0)
    wall = perf_counter() - start
    if status:
        raise MtcnnError(f"{' '.join(command)}: failed, status {os.waitstatus_to_exitcode(status)}")
    return wall * 1e3, (usage.ru_utime + usage.ru_stime) * 1e3


def peak_memory(command: list[str]) -> str:
    """MiB. Not from wait4: a child's peak begins with that of the Python that started it."""
    if not shutil.which(GNU_TIME):
        return "not measured"
    done = subprocess.run([GNU_TIME, "-f", "%M", *command], capture_output=True, text=True)
    return f"{int(done.stderr.split()[-1]) / 1024:.1f}"


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser("cold_start.py", __doc__)
    add = parser.add_argument
    add("picture", type=Path)
    add("--program", default=str(ROOT / "mtcnn"), metavar="PATH", help="default: ./mtcnn")
    add("--sizes", type=common.size, nargs="+", default=[(640, 480), (1920, 1080)], metavar="WxH",
        help="default: 640x480 1920x1080")  # fmt: skip
    add("--min-face", type=common.min_face, default=20.0, metavar="PX", help="default: 20")
    add("--threads", type=common.count(256), default=1, metavar="N", help="default: 1")
    add("--runs", type=common.count(10000), default=41, metavar="N", help="default: 41")
    args = parser.parse_args(argv)
    if not os.access(args.program, os.X_OK) or os.path.isdir(args.program):
        parser.error(f"{args.program}: no such program; --program names another")
    return args


def _run(argv: Sequence[str] | None) -> int:
    args = parse(argv)
    options = ["--min-face", f"{args.min_face:g}", "--threads", str(args.threads)]
    rgb = read_picture(args.picture)
    with TemporaryDirectory() as folder:
        commands = {}
        for size in args.sizes:
            path = Path(folder) / f"{size[0]}x{size[1]}.jpg"
            write_picture(path, common.cover(rgb, *size))
            commands[path.stem] = [os.path.abspath(args.program), *options, str(path)]
        times = {name: [] for name in commands}
        for number in range(-1, args.runs):
            for name, command in commands.items():
                measured = run(command)
                if number >= 0:
                    times[name].append(measured)
        memory = {name: peak_memory(command) for name, command in commands.items()}
    print(
        f"{args.picture.name}, {common.cpu_name()}, {common.many_threads(args.threads)}, "
        f"min face {args.min_face:g}, {args.runs} runs in turn\n"
    )
    print("| JPEG | ms | minimum | processor ms | most memory, MiB |")
    print("| --- | --- | --- | --- | --- |")
    for name, measured in times.items():
        walls = [wall for wall, _ in measured]
        print(
            f"| {name} | {median(walls):.1f} | {min(walls):.1f} "
            f"| {median(processor for _, processor in measured):.1f} | {memory[name]} |"
        )
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of("cold_start.py", lambda: _run(argv))


if __name__ == "__main__":
    raise SystemExit(main())
