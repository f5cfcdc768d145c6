"""Picture files: reading and writing. Pixels are uint8 RGB."""

from __future__ import annotations

import os
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from .arguments import check_color, check_image
from .containers import check_container
from .errors import ArgumentError, FileError, OutOfMemoryError, PictureError
from .files import atomic_write, reason
from .opencv import opencv, quiet

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
        JPEG, PNG or another format that OpenCV reads.
    max_pixels : int
        Larger pictures are refused, JPEG and PNG before they are decoded.

    Returns
    -------
    ndarray, [H, W, 3] uint8, RGB
        Turned upright as its EXIF orientation says; transparency is dropped, not blended.

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
        size = check_container(data)
    except PictureError as error:
        raise PictureError(f"{name}: {error}; get a whole copy of it") from None
    if size is not None:
        check_pixels(name, size.width, size.height, max_pixels)
    rgb = _decode(data, name)
    check_pixels(name, rgb.shape[1], rgb.shape[0], max_pixels)
    return rgb


def check_pixels(name: str, width: int, height: int, most: int) -> None:
    """Raise PictureError where a picture, or a video's frame, has more than `most` pixels."""
    if width * height > most:
        raise PictureError(
            f"{name}: {width}x{height} pixels are too many; scale it down to "
            f"{most / 1e6:g} megapixels at most, or raise the limit"
        )


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
        name = os.fspath(source)
        try:
            with open(name, "rb") as file:
                return _whole(file, name), str(name)
        except PictureError:
            raise
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise FileError(f"{name}: cannot be read: {reason(error)}") from error
    read = getattr(source, "read", None)
    if read is None:
        raise ArgumentError(
            f"picture of type {type(source).__name__}: must be a path, the bytes of a file or a "
            "binary file object"
        )
    name = str(getattr(source, "name", "picture"))
    try:
        data = read()
    except UnicodeDecodeError:
        data = None
    except (OSError, ValueError) as error:  # ValueError: the file object is closed
        raise FileError(f"{name}: cannot be read: {reason(error)}") from error
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise ArgumentError(f"{name}: opened as text; open it in binary mode, 'rb'")
    return bytes(data), name


def _whole(file: BinaryIO, name: str) -> bytes:
    """The contents of an open file; PictureError above MAX_BYTES."""
    parts, size = [], 0
    while part := file.read(1 << 24):
        parts.append(part)
        size += len(part)
        if size > MAX_BYTES:
            raise PictureError(f"{name}: more than {MAX_BYTES >> 20} MiB, which no picture has")
    return b"".join(parts)


def _decode(data: bytes, name: str) -> NDArray[np.uint8]:
    cv2 = opencv()
    try:
        with quiet(cv2):
            bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if bgr is not None:
            rgb: NDArray[np.uint8] = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
            return rgb
    except MemoryError as error:
        raise OutOfMemoryError(f"{name}: no memory for its pixels; scale it down") from error
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise OutOfMemoryError(f"{name}: no memory for its pixels; scale it down") from error
    raise PictureError(
        f"{name}: not a picture that can be decoded; a JPEG or PNG is needed, "
        "and videos go through pymtcnn video or pymtcnn.track"
    )


# ---- writing ----------------------------------------------------------------------------------


def write_picture(path: str | os.PathLike[str], rgb: NDArray[np.uint8]) -> None:
    """Write a picture in the format that the path's extension names.

    The file is written completely or not at all: an existing one stays until then.

    Parameters
    ----------
    path : path
        ``.jpg``, ``.png`` or another extension that OpenCV knows.
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
    extension = os.path.splitext(path)[1]
    if not (extension and opencv().haveImageWriter(f"picture{extension}")):
        raise ArgumentError(
            f"{os.fspath(path)}: no picture can be written under this name; end it in .jpg or .png"
        )


def _encode(image: NDArray[np.uint8], path: str | os.PathLike[str]) -> bytes:
    cv2 = opencv()
    extension = os.path.splitext(path)[1]
    try:
        with quiet(cv2):
            ok, data = cv2.imencode(extension, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    except cv2.error:
        ok = False
    if not ok:
        height, width = image.shape[:2]
        raise ArgumentError(
            f"{os.fspath(path)}: {width}x{height} pixels are too many for {extension}; use .png"
        )
    return bytes(data)
