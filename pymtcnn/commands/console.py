"""A command's messages and its exit status."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO, TypeVar

from ..errors import MtcnnError

T = TypeVar("T")


def status_of(prog: str, run: Callable[[], int], *, stopped: str | None = None) -> int:
    """Run a command; what it raises becomes a message and an exit status.

    Parameters
    ----------
    prog : str
        The program's name in messages.
    run : callable
        Does the work; returns the exit status.
    stopped : str, optional
        How to continue after Ctrl-C, for a message; no message by default.
    """
    if sys.stderr is None:  # closed, as by 2>&-
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 open until the process ends
    try:
        return run()
    except SystemExit as stop:  # --help, --version or a usage error, already printed
        if isinstance(stop.code, str):  # Python itself would print it at exit
            complain(prog, stop.code.removeprefix(f"{prog}: "))
            return 1
        return int(stop.code or 0)
    except MtcnnError as error:
        complain(prog, error)
        return 1
    except OSError as error:  # from emit; all other files' errors are MtcnnErrors
        if not isinstance(error, BrokenPipeError):  # head, for example, needs no more
            complain(prog, f"standard output cannot be written: {error.strerror}")
        if sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        return 1
    except KeyboardInterrupt:
        if stopped:
            complain(prog, f"stopped; {stopped}")
        return 130


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets, for an orderly stop; a second Ctrl-C interrupts."""
    event = threading.Event()

    def set_event(number: int, frame: object) -> None:
        event.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, set_event)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


def emit(text: str) -> None:
    """Write to standard output and flush; a path's bytes stay as they were."""
    if sys.stdout is None:  # closed, as by >&-
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:  # replaced by a text-only object
        sys.stdout.write(text)
    else:
        stream.write(os.fsencode(text))
    sys.stdout.flush()


def is_terminal(stream: TextIO | None) -> bool:
    """Whether one of sys.stdout and sys.stderr, which are None when closed, is a terminal."""
    return stream is not None and stream.isatty()


def note(text: str) -> None:
    """A line on standard error, above a progress bar where there is one."""
    tqdm = sys.modules.get("tqdm")
    (tqdm.tqdm.write if tqdm else print)(text, file=sys.stderr)


def complain(prog: str, problem: object) -> None:
    """One line on standard error."""
    note(f"{prog}: {' '.join(str(problem).splitlines())}")


def with_progress(items: Iterable[T], total: int | None, unit: str) -> Iterable[T]:
    """The items, with a progress bar on standard error."""
    from tqdm import tqdm

    bar: Iterable[T] = tqdm(items, total=total, unit=unit, dynamic_ncols=True)
    return bar
