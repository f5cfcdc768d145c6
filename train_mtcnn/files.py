"""Files read whole, folders made."""

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


def make_folder(path: Path) -> None:
    """Make the folder `path` and those above it; FileError names it if it cannot be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{path}: cannot be made: {error.strerror or error}") from error
