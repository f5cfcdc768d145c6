"""The command line: `pymtcnn [COMMAND] ...`, also `python -m pymtcnn [COMMAND] ...`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from .commands.console import complain, emit, status_of

COMMANDS = {
    "detect": "find faces in pictures and folders; may be left out",
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
    words = [*(sys.argv[1:] if argv is None else argv)]
    command = words[0] if words else ""
    if command in ("", "-h", "--help", "--version"):
        return status_of(prog, lambda: _without_command(command, prog))
    if command in COMMANDS:
        words = words[1:]
    elif _is_input(command):
        command = "detect"
    else:
        return status_of(prog, lambda: _refuse_command(command, prog))
    module = import_module(f".commands.{command}", __package__)
    return int(module.main(words, prog=f"{prog} {command}"))


def _is_input(word: str) -> bool:
    """Whether a word is for `detect`, which may be left out: an option, a path, a pattern."""
    return word.startswith("-") or any(c in word for c in "./*?[") or os.path.exists(word)


def _without_command(word: str, prog: str) -> int:
    if word == "--version":
        from . import __version__

        emit(f"pymtcnn {__version__}\n")
    elif word:
        emit(_help(prog))
    return 0 if word else _refuse("no command given", prog)


def _refuse_command(command: str, prog: str) -> int:
    from .settings import nearest

    near = nearest(command, COMMANDS)
    hint = f"; did you mean {near}?" if near else ""
    return _refuse(f"{command}: no such command{hint}", prog)


def _refuse(problem: str, prog: str) -> int:
    complain(prog, f"{problem}; for pictures: {prog} detect PICTURE...; try --help")
    return 2


def _help(prog: str) -> str:
    rows = "".join(f"  {name:<9} {what}\n" for name, what in COMMANDS.items())
    return (
        f"usage: {prog} COMMAND ...\n       {prog} [OPTION...] PICTURE...\n\n"
        "Face detection with MTCNN on the CPU.\n\n"
        f"commands:\n{rows}\n"
        "options:\n  -h, --help\n  --version\n\n"
        f"'{prog} COMMAND --help' has the options of a command.\n"
    )
