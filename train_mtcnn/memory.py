"""How much memory a program and its processes hold."""

from __future__ import annotations

from pathlib import Path


def own_memory(pid: int) -> float:
    """Memory of a process and of all processes that it started, MiB; 0 where it cannot be known.

    Files that are mapped (samples) do not count: the system takes that memory back when needed.
    Read from Linux's /proc.
    """
    total = 0.0
    waiting = [Path("/proc", str(pid))]
    while waiting:
        process = waiting.pop()
        try:
            lines = (process / "status").read_text().splitlines()
            children = [path.read_text().split() for path in process.glob("task/*/children")]
        except OSError:  # it has ended, or this is not Linux
            continue
        total += sum(float(line.split()[1]) for line in lines if line.startswith("RssAnon:")) / 1024
        waiting += [process.with_name(child) for row in children for child in row]
    return total
