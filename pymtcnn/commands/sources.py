"""The pictures that the command line's words mean: files, folders, patterns, standard input."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from ..errors import FileError
from ..files import reason
from ..pictures import MAX_BYTES, PictureSource

STANDARD_INPUT = "-"

# fmt: off
EXTENSIONS = frozenset((
    ".bmp", ".dib", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm",
    ".tif", ".tiff", ".webp",
))
# fmt: on
"""What a folder's pictures end in; a file that is named itself may end in anything."""


@dataclass(frozen=True)
class Picture:
    """A picture to look at.

    Attributes
    ----------
    path : str
        As the output names it.
    name : str
        Path of its annotated copy in a folder of such: relative to the folder that was given.
    data : bytes, optional
        The file's bytes, where they came from standard input.
    """

    path: str
    name: str
    data: bytes | None = None

    def __str__(self) -> str:
        return self.path

    def source(self) -> PictureSource:
        """What `read_picture` takes."""
        if self.data is None:
            return self.path
        file = BytesIO(self.data)
        file.name = "standard input"  # for messages
        return file


def find_pictures(words: Iterable[str]) -> tuple[list[Picture], list[FileError]]:
    """All pictures in the order of the words, a folder's sorted; and the words that have none."""
    pictures: list[Picture] = []
    problems: list[FileError] = []
    for word in words:
        try:
            pictures += _pictures(word, problems)
        except FileError as error:
            problems.append(error)
    return pictures, problems


def _pictures(word: str, problems: list[FileError]) -> Iterator[Picture]:
    if word == STANDARD_INPUT:
        yield Picture(word, "stdin.png", _standard_input())
    elif os.path.isdir(word):
        found = sorted(_in_folder(word, problems))
        if not found:
            raise FileError(f"{word}: no picture in this folder; it needs .jpg, .png or the like")
        for path in found:
            yield Picture(path, os.path.relpath(path, word))
    elif os.path.lexists(word) or not glob.has_magic(word):
        yield Picture(word, Path(word).name)
    else:
        matches = sorted(glob.glob(word, recursive=True))
        if not matches:
            raise FileError(f"{word}: no file matches")
        for match in matches:
            yield from _pictures(match, problems)


def _in_folder(folder: str, problems: list[FileError]) -> Iterator[str]:
    """Paths of a folder's pictures and of those in its folders, less the hidden ones."""

    def unreadable(error: OSError) -> None:
        problems.append(FileError(f"{error.filename}: cannot be read: {reason(error)}"))

    for where, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in EXTENSIONS:
                yield os.path.join(where, name)


def _standard_input() -> bytes:
    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileError(f"standard input: cannot be read: {reason(error)}") from error
    if len(data) > MAX_BYTES:
        raise FileError(f"standard input: more than {MAX_BYTES >> 20} MiB, which no picture has")
    return data
