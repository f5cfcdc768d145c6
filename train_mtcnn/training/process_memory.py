"""Memory of a program and its processes: how much it is, and keeping it where that is faster."""

from __future__ import annotations

import ctypes
from pathlib import Path

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of glibc's mallopt(3)


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


def keep_freed_memory() -> None:
    """Have the C library keep what is freed instead of handing it back to the system.

    By default glibc maps each large tensor and unmaps it after use, so that the system clears
    all of a step's memory in each step: a third of the time that training on a CPU takes. Other C
    libraries are left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # not glibc
        return
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
