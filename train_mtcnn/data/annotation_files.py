"""What the readers of data sets' text files share."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pymtcnn.errors import FileError

LARGEST_COORDINATE = 1 << 20  # in pixels; files with larger ones are damaged


def is_picture(name: str) -> bool:
    """Whether a word of a data set's file is the path of a picture, by its ending."""
    return name.lower().endswith((".jpg", ".jpeg", ".png"))


def wrong_line(
    path: str | os.PathLike, lines: Sequence[str], number: int, expected: str
) -> FileError:
    """The error to raise where line `number` (from 1) of a data set's file is not as expected."""
    found = lines[number - 1] if number <= len(lines) else "the end of the file"
    return FileError(
        f"{path}:{number}: '{found[:80]}', expected {expected};"
        " if the file was cut or changed, unpack the download again"
    )
