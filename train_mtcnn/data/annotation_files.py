"""What the readers of data sets' text files share."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from pymtcnn.errors import FileError

LARGEST_COORDINATE = 1 << 20  # in pixels; files with larger ones are damaged


_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")


def is_picture(name: str) -> bool:
    """Whether a part of a data set's file is the path of a picture of any format, not numbers.

    What is no picture is found out when it is read.
    """
    return bool(_ENDING.search(name))


def wrong_line(
    path: str | os.PathLike, lines: Sequence[str], number: int, expected: str
) -> FileError:
    """The error to raise where line `number` (from 1) of a data set's file is not as expected."""
    found = lines[number - 1] if number <= len(lines) else "the end of the file"
    return FileError(
        f"{path}:{number}: '{found[:80]}', expected {expected};"
        " mend the line, or, where a download was cut or changed, unpack the download again"
    )
