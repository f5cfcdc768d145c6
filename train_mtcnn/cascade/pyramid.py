"""Step 1 of the cascade (docs/architecture.md): the sizes of the levels of the image pyramid."""

from __future__ import annotations

import math

from pymtcnn.detector import Options
from pymtcnn.errors import ArgumentError

_MAX_LEVELS = 1024


def pyramid(height: int, width: int, cell: int, options: Options) -> list[tuple[int, int]]:
    """Height and width of each level of the pyramid of a picture, pixels.

    Raises
    ------
    ArgumentError
        If there are too many levels.
    """
    face = options.min_face
    levels: list[tuple[int, int]] = []
    if options.max_side and max(width, height) > options.max_side:
        face = face * max(width, height) / options.max_side
    while face <= min(width, height):
        if len(levels) == _MAX_LEVELS:
            raise ArgumentError(
                f"scale_factor {options.scale_factor:g} makes too many pyramid levels of a picture"
                f" of {width}x{height} pixels; use a smaller one"
            )
        h, w = (max(cell, math.floor(n * cell / face + 0.5)) for n in (height, width))
        levels.append((h, w))
        face /= options.scale_factor
    return levels
