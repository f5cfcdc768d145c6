"""Steps 1 and 3 of the cascade (docs/architecture.md): the image pyramid, PNet's grid on it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymtcnn.detector import Options
from pymtcnn.errors import ArgumentError
from train_mtcnn.cascade.boxes import Boxes

_MAX_LEVELS = 1024
_BORDER_SHARE = 1 / 4  # of the shorter side: smaller faces are looked for inside the picture only


class Level(NamedTuple):
    """A level of the pyramid.

    Attributes
    ----------
    height, width
        Of the picture in it, pixels.
    margin
        Pixels by which PNet's windows reach out of it, on each side.
    """

    height: int
    width: int
    margin: int

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of what PNet looks at."""
        return self.height + 2 * self.margin, self.width + 2 * self.margin


class Grid(NamedTuple):
    """PNet's outputs: one for each square of `cell` pixels of a level, `stride` pixels apart."""

    cell: int
    stride: int

    def boxes(self, rows: NDArray, columns: NDArray, level: Level, size: tuple[int, int]) -> Boxes:
        """Step 3: the squares of outputs [N] in the pixels of a picture of `size`, [N, 4] float32.

        size: the picture's height and width.
        """
        corner = np.stack([columns, rows], 1) * float(self.stride) - level.margin
        scale = np.array([size[1] / level.width, size[0] / level.height])
        return np.hstack([corner * scale, (corner + self.cell) * scale]).astype(np.float32)


def pyramid(height: int, width: int, grid: Grid, options: Options) -> list[Level]:
    """The levels of the pyramid of a picture, the largest first.

    Raises
    ------
    ArgumentError
        If there are too many levels.
    """
    face = options.min_face
    shorter = min(height, width)
    levels: list[Level] = []
    if options.max_side and max(width, height) > options.max_side:
        face = face * max(width, height) / options.max_side
    while face * (1 - 2 * options.border) <= shorter:
        if len(levels) == _MAX_LEVELS:
            raise ArgumentError(
                f"scale_factor {options.scale_factor:g} makes too many pyramid levels of a picture"
                f" of {width}x{height} pixels; use a smaller one"
            )
        margin = _margin(grid, options.border) if face >= _BORDER_SHARE * shorter else 0
        least = max(grid.cell - 2 * margin, 1)
        h, w = (max(least, math.floor(n * grid.cell / face + 0.5)) for n in (height, width))
        levels.append(Level(h, w, margin))
        face /= options.scale_factor
    return levels


def _margin(grid: Grid, border: float) -> int:
    """In whole strides, so that the cells inside the picture are those of a level without one."""
    return grid.stride * math.floor(border * grid.cell / grid.stride + 0.5)
