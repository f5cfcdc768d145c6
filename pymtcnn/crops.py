"""Crops of a picture, resized as the cascade resizes them: for training and for looking."""

from __future__ import annotations

import operator

import numpy as np
from numpy.typing import NDArray

from ._library import core, image_view
from .detector import ImageSource
from .errors import ArgumentError, OutOfMemoryError
from .pictures import pixels_of


def crop(
    image: ImageSource, boxes: NDArray, side: int, color: str = "RGB", pad: int = 0
) -> NDArray[np.uint8]:
    """Cut parts out of a picture and resize them, as RNet and ONet are shown them.

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
        0 to 255: the value of what lies outside the picture.

    Returns
    -------
    [N, side, side, 3] uint8, RGB

    Raises
    ------
    ArgumentError
        Wrong type, shape or range, or a box without an area.
    FileError, PictureError
        The file cannot be read or is no whole picture.
    OutOfMemoryError
    """
    pixels, color = pixels_of(image, color)
    try:
        boxes = np.ascontiguousarray(boxes, np.float32)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"boxes: {error}; must be numbers, (N, 4)") from None
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ArgumentError(f"boxes of shape {boxes.shape}: must be (N, 4)")
    library = core()
    ffi, lib = library.ffi, library.lib
    try:
        side, pad = operator.index(side), operator.index(pad)
    except TypeError:
        raise ArgumentError(f"side {side!r}, pad {pad!r}: must be whole numbers") from None
    if not (1 <= side <= lib.MTCNN_MAX_CROP and 0 <= pad <= 255):
        raise ArgumentError(
            f"side {side}, pad {pad}: must be 1 to {lib.MTCNN_MAX_CROP} and 0 to 255"
        )
    try:
        crops = np.empty((len(boxes), side, side, 3), np.uint8)
    except MemoryError as error:
        raise OutOfMemoryError(f"no memory for {len(boxes)} crops; ask for fewer") from error
    error = ffi.new("mtcnn_error *")
    status = lib.mtcnn_crop(
        image_view(library, pixels, color),
        ffi.from_buffer("float[]", boxes),
        len(boxes),
        side,
        pad,
        ffi.from_buffer("uint8_t[]", crops, require_writable=True),
        error,
    )
    library.check(status, error)
    return crops
