"""Files written completely or not at all."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .errors import FileError, MtcnnError

_REMEDIES = {errno.ENOENT: "; make its folder first", errno.ENOSPC: "; free some space"}


def reason(error: Exception) -> str:
    """Cause of a failed file operation in a few words, without the path."""
    return getattr(error, "strerror", None) or str(error)


def is_stream(path: str | os.PathLike[str]) -> bool:
    """Whether `path` is a pipe or a device, which takes bytes one after the other only."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary name next to `path`; its file replaces `path` when the block ends.

    If the block raises, the temporary file is deleted and `path` is unchanged. The name keeps the
    ending of `path`.

    Parameters
    ----------
    path : path
        The file to write; for a link what it leads to, also where that is not there yet.

    Yields
    ------
    Path
        No such file exists yet.

    Raises
    ------
    FileError
        If the file cannot be written, or is a pipe or a device; also in place of an OSError of the
        block.
    """
    try:
        _check_target(path)
        if is_stream(path):
            raise OSError(0, "is a pipe or device, where a file is needed")
        target = Path(os.path.realpath(path))
        if target.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
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
    """Open the temporary file of `atomic_path` for writing; a pipe or a device itself.

    Yields
    ------
    binary file

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    if is_stream(path):
        try:
            with open(path, "wb") as file:
                yield file
        except OSError as error:
            if isinstance(error, MtcnnError):
                raise
            raise _unwritable(path, error) from error
        return
    with atomic_path(path) as temporary, open(temporary, "xb") as file:
        yield file


def make_folder(path: Path) -> None:
    """Make the folder `path` and its parents; FileError names it if it cannot be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{path}: cannot be made: {reason(error)}") from error


def _check_target(path: str | os.PathLike[str]) -> None:
    """Raise OSError where what is at `path` is not to be replaced by a file."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        raise OSError(0, "is a disk or a socket; name a file")
    if not os.access(path, os.W_OK):  # replacing would not respect a write-protected file
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))


def _unwritable(path: str | os.PathLike[str], error: Exception) -> FileError:
    remedy = _REMEDIES.get(getattr(error, "errno", None) or 0, "")
    return FileError(f"{os.fspath(path)}: cannot be written: {reason(error)}{remedy}")
