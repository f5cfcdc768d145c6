"""Files read whole."""

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
    """The lines of a text file without the blanks around them; FileError if it cannot be read."""
    try:
        return [line.strip() for line in read_bytes(path).decode().split("\n")]
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: not a text file (byte {error.start} is not UTF-8)") from error
