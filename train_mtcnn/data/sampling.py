"""Where training crops lie, and what they teach: pure functions of boxes.

All crops are squares. A crop is compared with the square around a face, not with its rectangle: a
crop that fits a narrow face perfectly would else overlap it by 0.6 alone, and hardly any cell of
PNet's grid would count as positive.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from train_mtcnn.cascade.boxes import Boxes, overlaps, square
from train_mtcnn.data.samples import LABEL, Kind

_NONE = 255  # between the classes: of no use


class Limits(NamedTuple):
    """Overlaps (IoU) that make a crop positive, part of a face, negative (below)."""

    positive: float = 0.65
    part: float = 0.4
    negative: float = 0.3


def label(crops: Boxes, faces: Boxes, others: Boxes, limits: Limits) -> NDArray:
    """What each crop teaches.

    Parameters
    ----------
    crops : [N, 4]
        Squares.
    faces : [F, 4]
        Faces to learn from.
    others : [O, 4]
        Faces to leave out (too small, not to be judged): no crop of them is negative.
    limits

    Returns
    -------
    [N] of LABEL; `kind` is 255 where a crop teaches nothing.
    """
    labels = np.zeros(len(crops), LABEL)
    labels["size"] = crops[:, 2] - crops[:, 0]
    everything = square(np.concatenate([faces, others]))
    if not len(everything):
        return labels  # all negative
    table = overlaps(crops, everything)
    best = table.argmax(1)
    overlap = table[np.arange(len(crops)), best]
    labels["kind"] = _NONE
    labels["kind"][overlap < limits.negative] = Kind.NEGATIVE
    own = best < len(faces)
    labels["kind"][own & (overlap >= limits.part)] = Kind.PART
    labels["kind"][own & (overlap >= limits.positive)] = Kind.POSITIVE
    near = own & (overlap >= limits.part)
    sides = (crops[near, 2] - crops[near, 0])[:, None]
    labels["offsets"][near] = (faces[best[near]] - crops[near]) / sides
    squares = everything[best[near]]
    labels["size"][near] = squares[:, 2] - squares[:, 0]
    return labels


def jitter(faces: Boxes, count: int, scale: float, shift: float, rng: np.random.Generator) -> Boxes:
    """Squares near faces.

    Parameters
    ----------
    faces : [F, 4]
    count
        Squares a face.
    scale
        Their sides are the face's times e^-scale to e^scale.
    shift
        Their centres are off by up to this, in sides of the face.
    rng

    Returns
    -------
    [F * count, 4]
    """
    squares = np.repeat(square(faces).astype(np.float64), count, 0)
    sides = squares[:, 2:3] - squares[:, :1]
    centres = (squares[:, :2] + squares[:, 2:]) / 2
    centres += sides * rng.uniform(-shift, shift, centres.shape)
    half = sides * np.exp(rng.uniform(-scale, scale, sides.shape)) / 2
    return np.hstack([centres - half, centres + half]).astype(np.float32)


def random_squares(
    width: int, height: int, count: int, least: float, rng: np.random.Generator
) -> Boxes:
    """Squares [count, 4] anywhere in the picture; their sides, from `least` on, log-uniform."""
    most = min(width, height)
    if most < least:
        return np.empty((0, 4), np.float32)
    sides = np.exp(rng.uniform(np.log(least), np.log(most), count))
    x, y = rng.uniform(0, width - sides), rng.uniform(0, height - sides)
    return np.stack([x, y, x + sides, y + sides], 1).astype(np.float32)


def inside(boxes: Boxes, width: int, height: int) -> NDArray[np.bool_]:
    """Which of `boxes` [N, 4] lie inside the picture."""
    return np.all(boxes[:, :2] >= 0, 1) & np.all(boxes[:, 2:] <= (width, height), 1)


def at_most(indices: NDArray, count: int, rng: np.random.Generator) -> NDArray:
    """`count` of the indices by chance, in their order, or all."""
    if len(indices) <= count:
        return indices
    return np.sort(rng.choice(indices, count, replace=False))
