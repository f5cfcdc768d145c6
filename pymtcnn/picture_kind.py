"""What kind of picture a file holds, by the C library's mtcnn_picture_kind."""

from __future__ import annotations

import os
from functools import cache

from ._library import core


def picture_kind(head: bytes, name: str | os.PathLike[str] | None = None) -> str | None:
    """The kind of picture that a file holds, for messages.

    Parameters
    ----------
    head : bytes
        The file's first `head_size()` bytes, or all of them.
    name : path, optional
        Its ending counts where the bytes are those of no picture.

    Returns
    -------
    str or None
        ``"JPEG"``, ``"PNG"``, ``"HEIC"``, ``"camera raw"`` or another; None: no picture.
    """
    loaded = core()
    path = loaded.ffi.NULL if name is None else os.fsencode(name)
    kind = loaded.lib.mtcnn_picture_kind(head, len(head), path)
    return None if kind == loaded.ffi.NULL else loaded.ffi.string(kind).decode()


@cache
def head_size() -> int:
    """Bytes at a file's beginning that are enough for `picture_kind`."""
    size: int = core().lib.MTCNN_PICTURE_HEAD
    return size


def kind_of_file(path: str) -> str | None:
    """The kind of picture that the file at `path` holds; None: no picture.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with open(path, "rb", buffering=0) as file:
        return picture_kind(file.read(head_size()), path)
