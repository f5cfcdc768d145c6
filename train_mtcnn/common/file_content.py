"""Files read whole, as bytes or as lines of text, up to a size that none of them reaches."""

from __future__ import annotations

import io
import os
import zipfile
from typing import IO

from pymtcnn.errors import FileError

MOST_BYTES = 1 << 28
"""The C core's limit of a file, too (csrc/file.c); a device like /dev/zero would never end."""

_PIECE = 1 << 20

OTHER = "file of this kind"
"""What files other than a network's are called in messages."""


def read_bytes(path: str | os.PathLike, kind: str = "network file") -> bytes:
    """The whole file at `path`; FileError names it if it cannot be read or has too many bytes."""
    try:
        with open(path, "rb") as file:
            return read_stream(file, path, kind)
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror or error}") from error


def read_stream(file: IO[bytes], name: str | os.PathLike, kind: str = "network file") -> bytes:
    """What is left in an open file; FileError with its name if that has too many bytes."""
    pieces, count = [], 0
    while piece := file.read(_PIECE):
        pieces.append(piece)
        count += len(piece)
        if count > MOST_BYTES:
            raise _too_large(name, kind)
    return b"".join(pieces)


def check_unpacked(content: bytes, name: str | os.PathLike, kind: str = "network file") -> None:
    """FileError where a zip archive says that it unpacks to too many bytes."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
                raise _too_large(name, kind)


def _too_large(name: str | os.PathLike, kind: str) -> FileError:
    return FileError(f"{os.fspath(name)}: more than {MOST_BYTES} bytes, which no {kind} has")


def read_lines(path: str | os.PathLike) -> list[str]:
    """The lines of a UTF-8 text without the blanks around them, nor blank lines at the end.

    Raises
    ------
    FileError
        If the file cannot be read, has too many bytes or is not UTF-8; names the line.
    """
    content = read_bytes(path, "list of pictures")
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
