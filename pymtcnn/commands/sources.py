"""The pictures that the command line's words mean: files, folders, patterns, standard input."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from ..errors import FileError
from ..files import reason
from ..picture_kind import head_size, kind_of_file, picture_kind
from ..pictures import MAX_BYTES, PictureSource

STANDARD_INPUT = "-"
_NAMED = 5
"""Of the files in a folder that are no pictures, so many are named."""


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


@dataclass
class Found:
    """What the command line's words mean.

    Attributes
    ----------
    pictures : list of Picture
        In the order of the words, a folder's sorted.
    problems : list of FileError
        Of words, and of folders below them.
    passed_over : list of str
        A line for each folder that also has files which are no pictures.
    """

    pictures: list[Picture] = field(default_factory=list)
    problems: list[FileError] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)


def find_pictures(words: Iterable[str]) -> Found:
    """All pictures that the words mean."""
    found = Found()
    for word in words:
        try:
            found.pictures += _pictures(word, found)
        except FileError as error:
            found.problems.append(error)
    return found


def _pictures(word: str, found: Found) -> Iterator[Picture]:
    if word == STANDARD_INPUT:
        yield Picture(word, "stdin.png", _standard_input())
    elif os.path.isdir(word):
        before = len(found.problems)
        passed: list[str] = []
        paths = list(_in_folder(word, found.problems, passed))
        if passed:
            found.passed_over.append(_passed_over(word, passed))
        if not paths and len(found.problems) == before:
            raise FileError(f"{word}: is a folder without pictures")
        for path in paths:
            yield Picture(path, os.path.relpath(path, word))
    elif os.path.lexists(word) or not glob.has_magic(word):
        yield Picture(word, Path(word).name)
    else:
        matches = sorted(glob.glob(word.replace("[^", "[!")), key=os.fsencode)  # as glob(3) has it
        if not matches:
            raise FileError(f"{word}: no file has a name of this pattern")
        for match in matches:
            yield from _pictures(match, found)


def _passed_over(folder: str, paths: list[str]) -> str:
    """The line about a folder's files that are no pictures."""
    count = len(paths)
    files = "1 file that is no picture" if count == 1 else f"{count} files that are no pictures"
    names = ", ".join(os.path.relpath(path, folder) for path in paths[:_NAMED])
    more = f" and {count - _NAMED} more" if count > _NAMED else ""
    return f"{folder}: passed over {files}: {names}{more}"


def _in_folder(folder: str, problems: list[FileError], passed: list[str]) -> Iterator[str]:
    """Paths of the pictures in a folder and its subfolders, except hidden ones.

    Sorted by the names' bytes, folders and files together; links to folders are not followed. The
    paths of other files go into `passed`.
    """
    try:
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        problems.append(FileError(f"{folder}: cannot be read: {reason(error)}"))
        return
    for entry in sorted(visible, key=lambda entry: os.fsencode(entry.name)):
        if entry.is_dir(follow_symlinks=False):
            yield from _in_folder(entry.path, problems, passed)
        elif entry.is_file() and _is_picture(entry.path):
            yield entry.path
        elif entry.is_file():
            passed.append(entry.path)


def _is_picture(path: str) -> bool:
    """Whether a file is one, or may be, as it cannot be read; then its reading says why."""
    try:
        return kind_of_file(path) is not None
    except OSError:
        return True


def _standard_input() -> bytes:
    """All bytes of a picture; of something else, which may never end, its beginning."""
    try:
        data = sys.stdin.buffer.read(head_size())
        if picture_kind(data) is not None:
            data += sys.stdin.buffer.read(MAX_BYTES + 1 - len(data))
    except OSError as error:
        raise FileError(f"standard input: cannot be read: {reason(error)}") from error
    if len(data) > MAX_BYTES:
        raise FileError(f"standard input: more than {MAX_BYTES >> 20} MiB, which no picture has")
    return data
