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
from ..settings import picture_endings

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Picture:
    """A picture to search.

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
    """All pictures in the order of the words, a folder's sorted; and the errors of words."""
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
        before = len(problems)
        found = list(_in_folder(word, problems))
        if not found and len(problems) == before:
            raise FileError(
                f"{word}: is a folder without pictures, by the endings of the names in it"
            )
        for path in found:
            yield Picture(path, os.path.relpath(path, word))
    elif os.path.lexists(word) or not glob.has_magic(word):
        yield Picture(word, Path(word).name)
    else:
        matches = sorted(glob.glob(word.replace("[^", "[!")), key=os.fsencode)  # as glob(3) has it
        if not matches:
            raise FileError(f"{word}: no file has a name of this pattern")
        for match in matches:
            yield from _pictures(match, problems)


def _in_folder(folder: str, problems: list[FileError]) -> Iterator[str]:
    """Paths of the pictures in a folder and its subfolders, except hidden ones.

    Sorted by the names' bytes, folders and files together; links to folders are not followed.
    """
    try:
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        problems.append(FileError(f"{folder}: cannot be read: {reason(error)}"))
        return
    for entry in sorted(visible, key=lambda entry: os.fsencode(entry.name)):
        if entry.is_dir(follow_symlinks=False):
            yield from _in_folder(entry.path, problems)
        elif Path(entry.name).suffix.lower() in picture_endings() and entry.is_file():
            yield entry.path


def _standard_input() -> bytes:
    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileError(f"standard input: cannot be read: {reason(error)}") from error
    if len(data) > MAX_BYTES:
        raise FileError(f"standard input: more than {MAX_BYTES >> 20} MiB, which no picture has")
    return data
