"""Checks of what callers pass in: pictures as arrays, and the options of a detection.

Every check raises `ArgumentError` with a sentence that names the argument, what it was and what it
may be. Option checks take the name to use in that sentence, so that the command line can say
``--min-face`` where Python says ``min_face``.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ArgumentError

COLORS = {"RGB": 3, "BGR": 3, "GRAY": 1, "RGBA": 4, "BGRA": 4}
"""Colour orders and their bytes a pixel."""

# The limits of mtcnn.h, MTCNN_MAX_... (a test compares them): checks need no library.
MAX_THREADS = 256
MAX_BOXES = 1_000_000
MAX_SIDE = 1_000_000
MAX_CROP = 4096
MAX_FRAMES = 1_000_000
MAX_SMOOTHING = 60
FINAL_NMS = ("hard", "soft")
"""Forms of the final suppression, in the order of mtcnn.h's mtcnn_final_nms."""


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
        The bytes of each row lie side by side. It is a view of the given array where that is so
        already (crops, pictures flipped upside down), else a copy.
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
    """What those who gave no array have probably missed."""
    if image is None:
        return "; cv2.imread gives None for a file that it cannot read"
    if isinstance(image, (list, tuple)):
        return ", or a path; detect_many takes several pictures"
    if hasattr(image, "__array__"):
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
        wanted = "(height, width)" if channels == 1 else f"(height, width, {channels})"
        fits = [name for name, n in COLORS.items() if shape[2:] == (() if n == 1 else (n,))]
        hint = f"; color may be {' or '.join(fits)} for it" if fits and len(shape) > 1 else ""
        raise ArgumentError(f"image of shape {shape}: must be {wanted} for color {color}{hint}")
    if 0 in shape or max(shape) > MAX_SIDE:
        raise ArgumentError(f"image of shape {shape}: each side must have 1..{MAX_SIDE} pixels")


def _with_whole_rows(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The array itself where each row is one run of bytes, else a contiguous copy."""
    if image.flags.c_contiguous:
        return image
    row = image[0]
    steps = abs(image.strides[0])
    if row.flags.c_contiguous and (steps >= row.nbytes or image.shape[0] == 1):
        return image
    return np.ascontiguousarray(image)


# ---- options ----------------------------------------------------------------------------------


def _number(value: Any, name: str, rule: str) -> float:
    """A finite real number; text and booleans are none."""
    if not isinstance(value, (bool, np.bool_, str, bytes)):
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            pass
        else:
            if math.isfinite(number):
                return number
    raise ArgumentError(f"{name} {value!r}: must be {rule}")


def _number_from(value: Any, name: str, low: float, high: float, rule: str) -> float:
    """A finite number from low to high."""
    number = _number(value, name, rule)
    if not low <= number <= high:
        raise ArgumentError(f"{name} {value!r}: must be {rule}")
    return number


def check_min_face(value: Any, name: str = "min_face") -> float:
    """Side of the smallest face looked for, in pixels of the picture: 1..MAX_SIDE."""
    rule = f"a number of pixels from 1 to {MAX_SIDE}"
    return _number_from(value, name, 1, MAX_SIDE, rule)


def check_scale_factor(value: Any, name: str = "scale_factor") -> float:
    """Ratio of neighbouring pyramid levels: above 0 and below 1."""
    rule = "a number above 0 and below 1"
    number = _number(value, name, rule)
    if not 0 < number < 1:
        raise ArgumentError(f"{name} {value!r}: must be {rule}")
    return number


def _items(values: Any, count: int, name: str, rule: str) -> list[Any]:
    """The `count` items of a sequence; text is none."""
    try:
        items = None if isinstance(values, (str, bytes)) else list(values)
    except TypeError:
        items = None
    if items is None or len(items) != count:
        raise ArgumentError(f"{name} {values!r}: must be {rule}")
    return items


def _fractions(values: Any, count: int, name: str, rule: str) -> tuple[float, ...]:
    """`count` numbers, each 0..1."""
    numbers = tuple(_number(item, name, rule) for item in _items(values, count, name, rule))
    if not all(0 <= number <= 1 for number in numbers):
        raise ArgumentError(f"{name} {values!r}: must be {rule}")
    return numbers


def check_thresholds(values: Any, name: str = "thresholds") -> tuple[float, float, float]:
    """Least probabilities after PNet, RNet and ONet: three numbers, each 0..1."""
    pnet, rnet, onet = _fractions(values, 3, name, "three numbers (PNet, RNet, ONet), each 0..1")
    return pnet, rnet, onet


def check_nms(values: Any, name: str = "nms") -> tuple[float, float, float, float]:
    """Largest overlaps kept (within a level, between levels, RNet, ONet): four, each 0..1."""
    rule = "four numbers (within a level, between levels, RNet, ONet), each 0..1"
    level, levels, rnet, onet = _fractions(values, 4, name, rule)
    return level, levels, rnet, onet


def _integer(value: Any) -> int:
    """A whole number, or -1 where it is none: text, booleans and floats are none."""
    try:
        return -1 if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        return -1


def check_max_boxes(values: Any, name: str = "max_boxes") -> tuple[int, int, int]:
    """Most boxes that PNet, RNet and ONet hand on: three whole numbers, each 1..MAX_BOXES."""
    rule = f"three whole numbers (PNet, RNet, ONet), each 1..{MAX_BOXES}"
    pnet, rnet, onet = (_integer(item) for item in _items(values, 3, name, rule))
    if not all(1 <= number <= MAX_BOXES for number in (pnet, rnet, onet)):
        raise ArgumentError(f"{name} {values!r}: must be {rule}")
    return pnet, rnet, onet


def check_count(value: Any, name: str, most: int, least: int = 1) -> int:
    """A whole number, least..most, where least is 0 or more."""
    number = _integer(value)
    if not least <= number <= most:
        raise ArgumentError(f"{name} {value!r}: must be a whole number, {least}..{most}")
    return number


def check_threads(value: Any, name: str = "threads") -> int:
    """Number of threads: 1..MAX_THREADS."""
    return check_count(value, name, MAX_THREADS)


def check_megapixels(value: Any, name: str) -> float:
    """A number of megapixels, above 0, at most 1000000."""
    rule = "a number of megapixels, above 0 and at most 1000000"
    number = _number(value, name, rule)
    if not 0 < number <= 1e6:
        raise ArgumentError(f"{name} {value!r}: must be {rule}")
    return number


def check_max_side(value: Any, name: str = "max_side") -> int:
    """Longer side to which larger pictures count as scaled down: 1..MAX_SIDE pixels; 0: none."""
    return check_count(value, name, MAX_SIDE, 0)


def check_final_nms(value: Any, name: str = "final_nms") -> str:
    """How the final stage suppresses overlapping faces: one of `FINAL_NMS`."""
    if not isinstance(value, str) or value not in FINAL_NMS:
        raise ArgumentError(f"{name} {value!r}: must be one of {', '.join(FINAL_NMS)}")
    return value


def check_options(
    *,
    min_face: Any = None,
    thresholds: Sequence[float] | None = None,
    scale_factor: Any = None,
    nms: Sequence[float] | None = None,
    max_boxes: Sequence[int] | None = None,
    clip: Any = None,
    threads: Any = None,
    max_side: Any = None,
    final_nms: Any = None,
) -> dict[str, Any]:
    """Check the options of a detection.

    Parameters
    ----------
    min_face : float, optional
        Side of the smallest face, in pixels; at least 1.
    thresholds : three floats, optional
        Least probability after PNet, RNet, ONet; each 0..1.
    scale_factor : float, optional
        Ratio of neighbouring pyramid levels; above 0 and below 1.
    nms : four floats, optional
        Largest overlap kept within a level, between levels, after RNet, after ONet; each 0..1.
    max_boxes : three ints, optional
        Most boxes that PNet, RNet, ONet hand on; each 1..MAX_BOXES.
    clip : bool, optional
        Whether boxes are clipped to the picture.
    threads : int, optional
        1..MAX_THREADS.
    max_side : int, optional
        0..MAX_SIDE.
    final_nms : str, optional
        One of FINAL_NMS.

    Returns
    -------
    dict
        The given options (those that are not None) by name, as plain numbers and tuples.

    Raises
    ------
    ArgumentError
    """
    checks: dict[str, tuple[Any, Callable[[Any], Any]]] = {
        "min_face": (min_face, check_min_face),
        "thresholds": (thresholds, check_thresholds),
        "scale_factor": (scale_factor, check_scale_factor),
        "nms": (nms, check_nms),
        "max_boxes": (max_boxes, check_max_boxes),
        "clip": (clip, bool),
        "threads": (threads, check_threads),
        "max_side": (max_side, check_max_side),
        "final_nms": (final_nms, check_final_nms),
    }
    return {name: check(value) for name, (value, check) in checks.items() if value is not None}


# ---- videos -----------------------------------------------------------------------------------


def check_every(value: Any, name: str = "every") -> int:
    """Frames from one full scan to the next: 1..MAX_FRAMES."""
    return check_count(value, name, MAX_FRAMES)


def check_lost(value: Any, name: str = "lost") -> int:
    """Frames in a row in which a face may be missed: 0..MAX_FRAMES."""
    return check_count(value, name, MAX_FRAMES, 0)


def check_min_score(value: Any, name: str = "min_score") -> float:
    """Least score of a face that gets an id: 0..1."""
    return _number_from(value, name, 0, 1, "a number from 0 to 1")


def check_smoothing(value: Any, name: str = "smoothing") -> float:
    """Time constant of the smoothing of a face at rest: 0..MAX_SMOOTHING seconds."""
    rule = f"a number of seconds from 0 to {MAX_SMOOTHING}"
    return _number_from(value, name, 0, MAX_SMOOTHING, rule)


def check_beta(value: Any, name: str = "beta") -> float:
    """How much less a face that moves is smoothed: at least 0."""
    return _number_from(value, name, 0, math.inf, "a number from 0 on")


def check_tracker_options(**given: Any) -> dict[str, Any]:
    """Check the options of a tracker.

    Parameters
    ----------
    **given
        every, lost, min_score, smoothing, beta, as `Tracker` takes them.

    Returns
    -------
    dict
        Those that are not None by name, as plain numbers.

    Raises
    ------
    ArgumentError
    """
    checks = {
        "every": check_every,
        "lost": check_lost,
        "min_score": check_min_score,
        "smoothing": check_smoothing,
        "beta": check_beta,
    }
    return {name: checks[name](value) for name, value in given.items() if value is not None}


def check_seconds(value: Any, name: str = "seconds") -> float:
    """The time of a frame: a finite number."""
    return _number(value, name, "a number of seconds")


def check_fps(value: Any, name: str = "fps") -> float:
    """Frames a second: above 0, at most 1000000."""
    rule = "a number of frames a second, above 0 and at most 1000000"
    number = _number_from(value, name, 0, 1e6, rule)
    if number == 0:
        raise ArgumentError(f"{name} {value!r}: must be {rule}")
    return number
