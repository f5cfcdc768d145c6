"""Step 2 of the cascade (docs/architecture.md): resizing of pyramid levels and crops.

A triangle filter, widened when shrinking. It is separable: one matrix an axis, made in double
precision and rounded once. What lies outside the picture is `pad`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_BLOCK = 32  # outputs of one matrix product: they need a narrow band of the input only


class Span(NamedTuple):
    """Part of an axis and what to make of it.

    Attributes
    ----------
    start, length
        The part [start, start + length), pixels; it may reach outside the picture.
    outputs
        Pixels to make of it.
    """

    start: float
    length: float
    outputs: int


def weights(
    span: Span, size: int, first: int = 0, last: int | None = None
) -> tuple[NDArray[np.float32], int, NDArray[np.bool_]]:
    """The matrix that resizes one axis.

    Parameters
    ----------
    span
        What to make.
    size
        Pixels of the axis.
    first, last
        The outputs wanted, [first, last); None: up to the last one.

    Returns
    -------
    matrix : [last - first, n] float32
        Weights of the pixels low..low + n (n may be 0); the sum of a row is 1, or 0 where the
        output's centre lies outside the axis.
    low : int
        First pixel with a weight.
    inside : [last - first] bool
        Which outputs have their centres on the axis.
    """
    last = span.outputs if last is None else last
    scale = span.length / span.outputs
    support = max(scale, 1.0)
    centres = span.start + (np.arange(first, last) + 0.5) * scale
    low, high = _band(centres[0] - support, centres[-1] + support, size)
    distances = np.abs(np.arange(low, high) + 0.5 - centres[:, None])
    matrix = np.maximum(0.0, 1.0 - distances / support)
    inside = (centres >= 0) & (centres < size)
    sums = np.where(inside, matrix.sum(1), 1.0)
    matrix = np.where(inside[:, None], matrix / sums[:, None], 0.0)
    return matrix.astype(np.float32), low, inside


def _band(start: float, end: float, size: int) -> tuple[int, int]:
    """The pixels that [start, end) touches: low and high, 0 <= low <= high <= size."""
    low = math.floor(min(max(start, 0), size))
    return low, max(math.ceil(min(max(end, 0), size)), low)


def _rows(planes: Tensor, span: Span, size: int, offset: int) -> tuple[Tensor, NDArray[np.bool_]]:
    """Resize along the rows' axis, which has `size` pixels; planes [C, H, W] begins at `offset`.

    Returns [C, span.outputs, W], and which outputs have their centres on the axis.
    """
    blocks, insides = [], []
    for first in range(0, span.outputs, _BLOCK):
        last = min(first + _BLOCK, span.outputs)
        matrix, low, inside = weights(span, size, first, last)
        band = planes[:, low - offset : low - offset + matrix.shape[1]]
        blocks.append(torch.from_numpy(matrix) @ band)
        insides.append(inside)
    return torch.cat(blocks, 1), np.concatenate(insides)


def resize(planes: Tensor, x: Span, y: Span, pad: float = 0.0) -> Tensor:
    """Resize a part of a picture.

    Parameters
    ----------
    planes : [C, H, W] float32
        The picture.
    x, y
        Its part, and the size to make of it.
    pad
        Value of outputs whose centres lie outside the picture.

    Returns
    -------
    [C, y.outputs, x.outputs] float32
    """
    height, width = planes.shape[1:]
    support = max(x.length / x.outputs, 1.0)
    low, high = _band(x.start - support, x.start + x.length + support, width)
    made, inside_y = _rows(planes[:, :, low:high], y, height, 0)
    made, inside_x = _rows(made.transpose(1, 2), x, width, low)
    outside = ~(inside_y[:, None] & inside_x)
    made = made.transpose(1, 2)
    return made.masked_fill(torch.from_numpy(outside), pad) if outside.any() else made
