"""Picture files: reading and writing. Pixels are uint8 RGB."""

from __future__ import annotations

import os
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from .arguments import check_color, check_image
from .decoding import check_size, decode, format_of
from .errors import (
    ArgumentError,
    FileError,
    OutOfMemoryError,
    PictureError,
    PictureWarning,
)
from .files import atomic_write, reason
from .optional import library
from .picture_kind import head_size

MAX_PIXELS = 400_000_000
"""Larger pictures are refused."""

MAX_BYTES = 1 << 30
"""Larger files are refused: a device like /dev/zero would never end."""

PictureSource = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


# ---- reading ----------------------------------------------------------------------------------


def is_picture_source(source: object) -> bool:
    """Whether `read_picture` takes it: a path, the bytes of a file, or a file object."""
    return isinstance(source, (str, os.PathLike, bytes, bytearray, memoryview)) or hasattr(
        source, "read"
    )


def read_picture(source: PictureSource, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Read a picture file.

    Parameters
    ----------
    source : path, bytes of a file, or binary file object (read from its current position)
        JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, JPEG 2000 or PNM; HEIC with pillow-heif. Of an
        animation or of several pages the first one is read.
    max_pixels : int
        Larger pictures are refused before they are decoded.

    Returns
    -------
    ndarray, [H, W, 3] uint8, RGB
        Turned upright as the file says; transparency is dropped, not blended, and of 16 bits
        the upper 8 are taken.

    Warns
    -----
    PictureWarning
        A JPEG that lacks only its end marker, or some of whose pixels are missing between others.

    Raises
    ------
    FileError
        The file is missing or cannot be read.
    PictureError
        It is empty, truncated, damaged, not a picture, or has more than `max_pixels` pixels or
        `MAX_BYTES` bytes.
    """
    data, name = _contents(source)
    if not data:
        raise PictureError(f"{name}: the file is empty; a JPEG or PNG picture is needed")
    try:
        rgb, oddity = decode(data, max_pixels)
    except PictureError as error:
        raise PictureError(f"{name}: {error}") from error.__cause__
    except MemoryError as error:
        raise OutOfMemoryError(f"{name}: no memory for its pixels; scale it down") from error
    if oddity:
        warnings.warn(f"{name}: {oddity}", PictureWarning, stacklevel=2)
    return rgb


def check_pixels(name: str, width: int, height: int, most: int) -> None:
    """Raise PictureError where a picture, or a video's frame, has more than `most` pixels."""
    try:
        check_size(width, height, most)
    except PictureError as error:
        raise PictureError(f"{name}: {error}") from None


def pixels_of(
    image: NDArray[np.uint8] | PictureSource, color: str
) -> tuple[NDArray[np.uint8], str]:
    """A picture of any source as a checked array, and its colour order."""
    if isinstance(image, np.ndarray) or not is_picture_source(image):
        return check_image(image, color)
    check_color(color)
    return read_picture(image), "RGB"


def _contents(source: PictureSource) -> tuple[bytes, str]:
    """The file's bytes and a name for messages."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source), "picture"
    if isinstance(source, (str, os.PathLike)):
        name = os.fsdecode(source)
        try:
            with open(name, "rb") as file:
                return _whole(file, name), name
        except PictureError:
            raise
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise FileError(f"{name}: cannot be read: {reason(error)}") from error
    if not hasattr(source, "read"):
        raise ArgumentError(
            f"picture of type {type(source).__name__}: must be a path, the bytes of a file or a "
            "binary file object"
        )
    name = str(getattr(source, "name", "picture"))
    try:
        return _whole(source, name), name
    except (UnicodeDecodeError, TypeError):
        raise ArgumentError(f"{name}: opened as text; open it in binary mode, 'rb'") from None
    except PictureError:
        raise
    except (OSError, ValueError) as error:  # ValueError: the file object is closed
        raise FileError(f"{name}: cannot be read: {reason(error)}") from error


def _whole(file: BinaryIO, name: str) -> bytes:
    """The contents of an open file.

    Raises
    ------
    PictureError
        It begins as no picture, or has more than MAX_BYTES.
    TypeError
        It is opened as text.
    """
    part = bytes(memoryview(file.read(head_size())))
    if len(part) >= head_size():
        try:
            format_of(part)  # else what never ends would be read to the limit
        except PictureError as error:
            raise PictureError(f"{name}: {error}") from None
    parts, size = [part], len(part)
    while part := file.read(1 << 24):
        parts.append(bytes(memoryview(part)))
        size += len(part)
        if size > MAX_BYTES:
            raise PictureError(f"{name}: more than {MAX_BYTES >> 20} MiB, which no picture has")
    return b"".join(parts)


# ---- writing ----------------------------------------------------------------------------------


def write_picture(path: str | os.PathLike[str], rgb: NDArray[np.uint8]) -> None:
    """Write a picture in the format that the path's extension names.

    The file is written completely or not at all: an existing one stays until then.

    Parameters
    ----------
    path : path
        ``.jpg``, ``.png`` or ``.webp``, ``.tif``, ``.bmp`` or ``.ppm``.
    rgb : ndarray, [H, W, 3] uint8, RGB

    Raises
    ------
    ArgumentError
        Not such an array, or an unknown extension.
    FileError
        The file cannot be written.
    """
    check_writable(path)
    image, _ = check_image(rgb, "RGB")
    data = _encode(image, path)
    with atomic_write(path) as file:
        file.write(data)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise ArgumentError where no picture format is known for a path's extension."""
    _writer(path)


_JPEG: tuple[str, dict[str, Any]] = ("JPEG", {"quality": 95})
_TIFF: tuple[str, dict[str, Any]] = ("TIFF", {"compression": "tiff_lzw"})
_WRITERS: dict[str, tuple[str, dict[str, Any]]] = {
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".jpe": _JPEG,
    ".jfif": _JPEG,
    ".png": ("PNG", {"compress_level": 1}),
    ".webp": ("WebP", {"lossless": True, "method": 0}),
    ".bmp": ("BMP", {}),
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".ppm": ("PPM", {}),
}
"""Pillow's writer for an ending, and its options; all but JPEG keep each pixel."""


def _writer(path: str | os.PathLike[str]) -> tuple[str, dict[str, Any]]:
    writer = _WRITERS.get(Path(os.fsdecode(path)).suffix.lower())
    if writer is None:
        raise ArgumentError(
            f"{os.fspath(path)}: no picture can be written under this name; end it in .jpg or .png"
        )
    return writer


def _encode(image: NDArray[np.uint8], path: str | os.PathLike[str]) -> bytes:
    format, options = _writer(path)
    file = BytesIO()
    try:
        library("PIL.Image", "pillow").fromarray(image).save(file, format, **options)
    except (OSError, ValueError, KeyError) as error:
        height, width = image.shape[:2]
        extension = os.path.splitext(os.fsdecode(path))[1]
        raise ArgumentError(
            f"{os.fspath(path)}: {width}x{height} pixels are too many for {extension}; use .png"
        ) from error
    return file.getvalue()
