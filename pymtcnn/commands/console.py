"""A command's messages and its exit status."""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TextIO, TypeVar

from ..errors import MtcnnError, MtcnnWarning

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
        with _warnings_as_lines(prog):
            return run()
    except SystemExit as stop:  # --help, --version or a usage error, already printed
        if isinstance(stop.code, str):  # Python itself would print it at exit
            complain(prog, stop.code.removeprefix(f"{prog}: "))
            return 1
        return int(stop.code or 0)
    except MtcnnError as error:
        complain(prog, error)
        return 1
    except MemoryError:
        complain(prog, "memory ran out; close other programs, or give it less to do at a time")
        return 1
    except OSError as error:  # from emit; all other files' errors are MtcnnErrors
        closed = isinstance(error, BrokenPipeError)  # head, for example, needs no more
        if not closed:
            complain(prog, f"standard output cannot be written: {error.strerror}")
        if sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        return 128 + signal.SIGPIPE if closed else 1
    except KeyboardInterrupt:
        if stopped:
            complain(prog, f"stopped; {stopped}")
        return 130


@contextmanager
def _warnings_as_lines(prog: str) -> Iterator[None]:
    """A warning about a file is one line on standard error, once."""
    seen: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("always", MtcnnWarning)
        show: Any = warnings.showwarning

        def show_once(message: Any, category: type[Warning], *others: Any) -> None:
            if not issubclass(category, MtcnnWarning):
                show(message, category, *others)
            elif str(message) not in seen:
                seen.add(str(message))
                complain(prog, message)

        warnings.showwarning = show_once  # type: ignore[assignment]
        yield


@dataclass
class Stop:
    """Whether a signal asked for an orderly stop.

    Attributes
    ----------
    signal : int
        Its number; 0: none so far.
    """

    signal: int = 0


@contextmanager
def interruptible() -> Iterator[Stop]:
    """What the first Ctrl-C, SIGTERM or SIGHUP is noted in; the second one ends the program."""
    stop = Stop()
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note_signal(number: int, frame: object) -> None:
        stop.signal = number
        restore()

    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, note_signal)
    try:
        yield stop
    finally:
        restore()


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
    """A line on standard error, above a progress bar if there is one; a path's bytes stay."""
    tqdm = sys.modules.get("tqdm")
    with tqdm.tqdm.external_write_mode(file=sys.stderr) if tqdm else nullcontext():
        buffer = getattr(sys.stderr, "buffer", None)
        if buffer is None:  # replaced by a text-only object
            print(text, file=sys.stderr)
            return
        try:
            line = os.fsencode(f"{text}\n")
        except UnicodeEncodeError:  # not of the system's encoding
            line = f"{text}\n".encode(errors="backslashreplace")
        sys.stderr.flush()
        buffer.write(line)
        buffer.flush()


def complain(prog: str, problem: object) -> None:
    """One line on standard error."""
    note(f"{prog}: {printable(' '.join(str(problem).splitlines()))}")


def printable(text: str) -> str:
    """Text for a terminal: control characters, as of an odd file name, become '?'."""
    return re.sub(r"[\x00-\x1f\x7f]", "?", text)


def with_progress(items: Iterable[T], total: int | None, unit: str) -> Iterable[T]:
    """The items, with a progress bar on standard error."""
    from tqdm import tqdm

    bar: Iterable[T] = tqdm(items, total=total, unit=unit, dynamic_ncols=True)
    return bar
