"""Files written completely or not at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .errors import FileError, MtcnnError


def reason(error: Exception) -> str:
    """Cause of a failed file operation in a few words, without the path."""
    return getattr(error, "strerror", None) or str(error)


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary name next to `path`; its file replaces `path` when the block ends.

    If the block raises, the temporary file is deleted and `path` is unchanged. The name keeps the
    ending of `path`.

    Parameters
    ----------
    path : path
        The file to write; for a link, its target.

    Yields
    ------
    Path
        No such file exists yet.

    Raises
    ------
    FileError
        If the file cannot be written; also in place of an OSError of the block.
    """
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            raise OSError(0, "Not a regular file")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise _unwritable(path, error) from error
    temporary = target.with_name(
        f".{target.name}.{os.getpid()}-{threading.get_ident()}.tmp{target.suffix}"
    )
    try:
        yield temporary
        os.replace(temporary, target)
    except BaseException as error:
        with suppress(OSError):  # it may not exist
            temporary.unlink()
        if isinstance(error, OSError) and not isinstance(error, MtcnnError):
            raise _unwritable(path, error) from error
        raise


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open the temporary file of `atomic_path` for writing.

    Yields
    ------
    binary file

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    with atomic_path(path) as temporary, open(temporary, "xb") as file:
        yield file


def make_folder(path: Path) -> None:
    """Make the folder `path` and its parents; FileError names it if it cannot be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{path}: cannot be made: {reason(error)}") from error


def _unwritable(path: str | os.PathLike[str], error: Exception) -> FileError:
    return FileError(f"{os.fspath(path)}: cannot be written: {reason(error)}")
