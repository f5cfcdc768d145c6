"""What the benchmarks in Python share: arguments, pictures, the processor's name."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

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


def cover(rgb: np.ndarray, width: int, height: int) -> np.ndarray:
    """The middle of a picture [H, W, 3], scaled to cover width x height."""
    scale = max(width / rgb.shape[1], height / rgb.shape[0])
    sides = [max(side, round(n * scale)) for side, n in zip((width, height), rgb.shape[1::-1])]
    scaled = cv2.resize(rgb, sides, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    x, y = (sides[0] - width) // 2, (sides[1] - height) // 2
    return np.ascontiguousarray(scaled[y : y + height, x : x + width])


def tile(rgb: np.ndarray, width: int, height: int) -> np.ndarray:
    """A picture [H, W, 3] side by side with itself, cut to width x height."""
    down, across = -(-height // rgb.shape[0]), -(-width // rgb.shape[1])
    return np.ascontiguousarray(np.tile(rgb, (down, across, 1))[:height, :width])


# ---- the machine ---------------------------------------------------------------------------------


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(": ")[2] for line in lines if "model name" in line), "unknown")
