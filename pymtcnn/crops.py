"""Crops of a picture: parts of it, resized as the cascade resizes them, and aligned faces."""

from __future__ import annotations

import operator
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._library import core, image_view
from .detector import ImageSource
from .errors import ArgumentError, OutOfMemoryError
from .pictures import pixels_of


class HasLandmarks(Protocol):
    """An object with landmarks [N, 5, 2], such as `Detections`."""

    @property
    def landmarks(self) -> NDArray[np.float32]: ...


def crop(
    image: ImageSource, boxes: ArrayLike, side: int, color: str = "RGB", pad: int = 0
) -> NDArray[np.uint8]:
    """Cut parts out of a picture and resize them, as for RNet and ONet.

    Parameters
    ----------
    image : ndarray, path, bytes of a picture file, or binary file object
        As for `Detector.detect`.
    boxes : [N, 4]
        x1, y1, x2, y2 in pixels; they may reach outside the picture.
    side : int
        Of the crops, pixels, 1 to 4096.
    color : str
        Order of an array's bytes.
    pad : int
        0 to 255: the value outside the picture.

    Returns
    -------
    [N, side, side, 3] uint8, RGB

    Raises
    ------
    ArgumentError
        Wrong type, shape or range, or a box without an area.
    FileError, PictureError
        The file cannot be read or is not a complete picture.
    OutOfMemoryError
    """
    return _cut(core().lib.mtcnn_crop, image, _numbers(boxes, "boxes", (4,)), side, color, pad)


def extract_faces(
    image: ImageSource,
    faces: HasLandmarks | ArrayLike,
    side: int = 112,
    color: str = "RGB",
    pad: int = 0,
) -> NDArray[np.uint8]:
    """Cut faces out of a picture, aligned by their landmarks as recognition networks need them.

    Each is rotated, scaled and moved, never mirrored, so that its landmarks come as close as
    possible, in the least-squares sense, to ArcFace's five points.

    Parameters
    ----------
    image : ndarray, path, bytes of a picture file, or binary file object
        As for `Detector.detect`.
    faces : Detections, or landmarks [N, 5, 2]
        Landmarks are in pixels, in the order of `Detections.landmarks`; they may be outside the
        picture.
    side : int
        Of the crops, pixels, 1 to 4096.
    color : str
        Order of an array's bytes.
    pad : int
        0 to 255: the value outside the picture.

    Returns
    -------
    [N, side, side, 3] uint8, RGB

    Raises
    ------
    ArgumentError
        Wrong type, shape or range, or landmarks that are not finite or all the same point.
    FileError, PictureError
        The file cannot be read or is not a complete picture.
    OutOfMemoryError

    Examples
    --------
    >>> from pymtcnn import Detector, extract_faces, read_picture
    >>> picture = read_picture("tests/data/grace_hopper.jpg")
    >>> with Detector() as detector:
    ...     faces = detector.detect(picture)
    >>> extract_faces(picture, faces).shape
    (1, 112, 112, 3)
    """
    landmarks = _numbers(getattr(faces, "landmarks", faces), "landmarks", (5, 2))
    return _cut(core().lib.mtcnn_align, image, landmarks, side, color, pad)


def _numbers(values: Any, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Values as an array [N, *shape], or ArgumentError."""
    expected = f"(N, {', '.join(map(str, shape))})"
    try:
        array = np.ascontiguousarray(values, np.float32)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{name}: {error}; must be numbers, {expected}") from None
    if array.ndim == 0 or array.shape[1:] != shape:
        raise ArgumentError(f"{name} of shape {array.shape}: must be {expected}")
    return array


def _cut(
    function: Any,
    image: ImageSource,
    sources: NDArray[np.float32],
    side: int,
    color: str,
    pad: int,
) -> NDArray[np.uint8]:
    """Run mtcnn_crop or mtcnn_align; `sources` are boxes or landmarks, one for each crop."""
    pixels, color = pixels_of(image, color)
    library = core()
    ffi, most = library.ffi, library.lib.MTCNN_MAX_CROP
    try:
        side, pad = operator.index(side), operator.index(pad)
    except TypeError:
        raise ArgumentError(f"side {side!r}, pad {pad!r}: must be whole numbers") from None
    if not (1 <= side <= most and 0 <= pad <= 255):
        raise ArgumentError(f"side {side}, pad {pad}: must be 1 to {most} and 0 to 255")
    try:
        crops = np.empty((len(sources), side, side, 3), np.uint8)
    except MemoryError as error:
        raise OutOfMemoryError(f"no memory for {len(sources)} crops; ask for fewer") from error
    message = ffi.new("mtcnn_error *")
    status = function(
        image_view(library, pixels, color),
        ffi.from_buffer("float[]", sources),
        len(sources),
        side,
        pad,
        ffi.from_buffer("uint8_t[]", crops, require_writable=True),
        message,
    )
    library.check(status, message)
    return crops
