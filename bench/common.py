"""What the benchmarks in Python share: arguments, pictures, the processor's name."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np

from pymtcnn.commands.bench import cover, cpu_name
from train_mtcnn.cascade.boxes import overlaps

__all__ = [
    "FACTOR",
    "THRESHOLDS",
    "count",
    "cover",
    "cpu_name",
    "many_threads",
    "min_face",
    "overlaps",
    "pairs",
    "size",
    "tile",
]

FACTOR = 0.709
THRESHOLDS = (0.6, 0.7, 0.7)
"""With the scale factor, the settings of all detectors that are compared."""

# ---- arguments: each reads one word, or says what is wrong with it -------------------------------


def size(text: str) -> tuple[int, int]:
    """Width and height of WxH."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and min(int(width), int(height)) >= 12):
        raise argparse.ArgumentTypeError(f"{text!r} is no size like 640x480, at least 12x12")
    return int(width), int(height)


def min_face(text: str) -> float:
    """Pixels."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of pixels, 1 to 1000000")
    return value


def count(most: int) -> Callable[[str], int]:
    """A reader of a whole number from 1 to `most`."""

    def read(text: str) -> int:
        if not (text.isdecimal() and 1 <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number, 1 to {most}")
        return int(text)

    return read


def many_threads(number: int) -> str:
    return "one thread" if number == 1 else f"{number} threads"


# ---- pictures ------------------------------------------------------------------------------------


def tile(rgb: np.ndarray, width: int, height: int) -> np.ndarray:
    """A picture [H, W, 3] side by side with itself, cut to width x height."""
    down, across = -(-height // rgb.shape[0]), -(-width // rgb.shape[1])
    return np.ascontiguousarray(np.tile(rgb, (down, across, 1))[:height, :width])


# ---- boxes ---------------------------------------------------------------------------------------


def pairs(overlaps: np.ndarray, least: float) -> Iterator[tuple[int, int]]:
    """Pairs of rows and columns, each at most once, the largest overlaps first."""
    left = overlaps.copy()
    while left.size and left.max() >= least:
        row, column = np.unravel_index(left.argmax(), left.shape)
        yield int(row), int(column)
        left[row], left[:, column] = -1, -1
