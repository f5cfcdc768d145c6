"""The command line: `pymtcnn COMMAND ...`, also `python -m pymtcnn COMMAND ...`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from .commands.console import complain, emit, status_of

COMMANDS = {
    "detect": "find faces in pictures and folders",
    "video": "find and follow faces in a video, a stream or a camera",
    "demo": "try it out in the browser",
    "bench": "time the detector on this machine",
    "evaluate": "measure a model on WIDER FACE",
}
"""Each is the module of its name in `pymtcnn.commands`, imported when it is called."""


def main(argv: Sequence[str] | None = None, *, prog: str = "pymtcnn") -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, optional
        The command and its arguments; those of the process by default.
    prog : str
        The program's name in help and messages.

    Returns
    -------
    int
        The exit status: 0 done; 1 a picture or an output failed; 2 wrong usage; 130 interrupted.
    """
    command, *rest = [*(sys.argv[1:] if argv is None else argv)] or [""]
    if command in COMMANDS:
        module = import_module(f".commands.{command}", __package__)
        return int(module.main(rest, prog=f"{prog} {command}"))
    return status_of(prog, lambda: _without_command(command, prog))


def _without_command(word: str, prog: str) -> int:
    if word in ("-h", "--help"):
        emit(_help(prog))
        return 0
    if word == "--version":
        from . import __version__

        emit(f"pymtcnn {__version__}\n")
        return 0
    problem = f"{word}: no such command" if word else "no command given"
    complain(prog, f"{problem}; for pictures: {prog} detect PICTURE...; try --help")
    return 2


def _help(prog: str) -> str:
    rows = "".join(f"  {name:<9} {what}\n" for name, what in COMMANDS.items())
    return (
        f"usage: {prog} COMMAND ...\n\n"
        "Face detection with MTCNN on the CPU.\n\n"
        f"commands:\n{rows}\n"
        "options:\n  -h, --help\n  --version\n\n"
        f"'{prog} COMMAND --help' has the options of a command.\n"
    )
