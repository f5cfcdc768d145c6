"""Files read whole, as bytes or as lines of text."""

from __future__ import annotations

import os
from pathlib import Path

from pymtcnn.errors import FileError


def read_bytes(path: str | os.PathLike) -> bytes:
    """The whole file at `path`; FileError names it if it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror or error}") from error


def read_lines(path: str | os.PathLike) -> list[str]:
    """The lines of a UTF-8 text without the blanks around them, nor blank lines at the end.

    Raises
    ------
    FileError
        If the file cannot be read or is not UTF-8; names the line.
    """
    content = read_bytes(path)
    try:
        lines = [line.strip() for line in content.decode("utf-8-sig").split("\n")]
    except UnicodeDecodeError as error:
        number = error.object.count(b"\n", 0, error.start) + 1
        raise FileError(
            f"{path}:{number}: not a text file (byte {error.start} is not UTF-8);"
            " if it is one, save it as UTF-8"
        ) from error
    while lines and not lines[-1]:
        lines.pop()
    return lines
