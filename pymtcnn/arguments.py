"""Checks of what callers pass in: pictures as arrays, counts, times; settings.py has the options.

Every check raises `ArgumentError` with a sentence that names the argument, what it was and what it
may be.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._library import COLORS, core
from .errors import ArgumentError

# ---- pictures ---------------------------------------------------------------------------------


def check_color(color: Any) -> str:
    """The colour order's name, or ArgumentError."""
    if not isinstance(color, str) or color not in COLORS:
        raise ArgumentError(f"color {color!r}: must be one of {', '.join(COLORS)}")
    return color


def check_image(image: Any, color: Any = "RGB") -> tuple[NDArray[np.uint8], str]:
    """Check a picture in an array.

    Parameters
    ----------
    image : ndarray, uint8, [H, W] (GRAY), [H, W, 3] (RGB, BGR) or [H, W, 4] (RGBA, BGRA)
        Any strides.
    color : str
        Order of the bytes of a pixel; it is never guessed.

    Returns
    -------
    image : ndarray, uint8, of the same shape
        The bytes of each row are contiguous. It is a view of the given array where that is already
        so (crops, pictures flipped upside down), else a copy.
    color : str

    Raises
    ------
    ArgumentError
        Wrong type, dtype or shape, or an unknown colour order.
    """
    name = check_color(color)
    if not isinstance(image, np.ndarray):
        problem = f"image of type {type(image).__name__}: must be a numpy array of dtype uint8"
        raise ArgumentError(problem + _remedy(image))
    _check_dtype(image)
    _check_shape(image.shape, name)
    return _with_whole_rows(image), name


def _remedy(image: Any) -> str:
    """What probably went wrong where the caller passed no array."""
    if image is None:
        return "; cv2.imread gives None for a file that it cannot read"
    if isinstance(image, (list, tuple)):
        return ", or a path; detect_many takes several pictures"
    if hasattr(image, "__array__") or hasattr(image, "__array_interface__"):
        return ", such as numpy.asarray(image), or a path"
    return ", or a path, a file's bytes or an open file"


def _check_dtype(image: NDArray[Any]) -> None:
    if image.dtype == np.uint8:
        return
    problem = f"image of dtype {image.dtype}: must be uint8"
    if image.dtype.kind == "f":
        if not np.isfinite(image).all():
            problem += "; it holds NaN or infinite values"
        problem += "; scale it to 0..255, then round and use .astype(numpy.uint8)"
    raise ArgumentError(problem)


def _check_shape(shape: tuple[int, ...], color: str) -> None:
    channels = COLORS[color]
    if shape[2:] != (() if channels == 1 else (channels,)) or len(shape) < 2:
        expected = "(height, width)" if channels == 1 else f"(height, width, {channels})"
        fits = [name for name, n in COLORS.items() if shape[2:] == (() if n == 1 else (n,))]
        hint = f"; color may be {' or '.join(fits)} for it" if fits and len(shape) > 1 else ""
        if len(shape) == 3 and shape[0] == channels:
            hint = (
                "; move the channels to the end: .transpose(1, 2, 0), of a tensor .permute(1, 2, 0)"
            )
        raise ArgumentError(f"image of shape {shape}: must be {expected} for color {color}{hint}")
    most = core().lib.MTCNN_MAX_SIDE
    if 0 in shape or max(shape) > most:
        raise ArgumentError(f"image of shape {shape}: each side must have 1..{most} pixels")


def _with_whole_rows(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The array itself where each row is contiguous, else a contiguous copy."""
    if image.flags.c_contiguous:
        return image
    row = image[0]
    steps = abs(image.strides[0])
    if row.flags.c_contiguous and (steps >= row.nbytes or image.shape[0] == 1):
        return image
    return np.ascontiguousarray(image)


# ---- numbers ----------------------------------------------------------------------------------


def check_count(value: Any, name: str, most: int, least: int = 1) -> int:
    """A whole number, least..most; text, booleans and floats are not accepted."""
    try:
        number = None if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        number = None
    if number is None or not least <= number <= most:
        raise ArgumentError(f"{name} {value!r}: must be a whole number, {least} to {most}")
    return number


def check_boxes(boxes: Any, dtype: type[np.floating[Any]] = np.float64) -> NDArray[Any]:
    """Boxes as an array [N, 4] of a type, all finite in it, or ArgumentError."""
    try:
        with np.errstate(over="ignore"):
            array = np.asarray(boxes, dtype)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"boxes: {error}; must be numbers, (N, 4)") from None
    if array.ndim != 2 or array.shape[1] != 4 or not np.isfinite(array).all():
        raise ArgumentError(f"boxes of shape {array.shape}: must be finite numbers, (N, 4)")
    return array


def check_seconds(value: Any, name: str = "seconds") -> float:
    """The time of a frame: a finite number; text and booleans are not accepted."""
    if not isinstance(value, (bool, np.bool_, str, bytes)):
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            pass
        else:
            if math.isfinite(number):
                return number
    raise ArgumentError(f"{name} {value!r}: must be a number of seconds")
