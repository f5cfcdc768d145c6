"""Boxes: overlaps, non-maximum suppression, regression, squares.

Boxes are float32 [N, 4]: x1, y1, x2, y2 in pixels. Arithmetic is in double precision, rounded once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
Overlap = Callable[[NDArray, NDArray], NDArray[np.float64]]


def intersections(box: NDArray, boxes: NDArray) -> NDArray[np.float64]:
    """Area that `box` [4] shares with each of `boxes` [N, 4]."""
    box, boxes = box.astype(np.float64), boxes.astype(np.float64)
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    return np.clip(sides, 0, None).prod(1)


def areas(boxes: NDArray) -> NDArray[np.float64]:
    """Areas of `boxes` [..., 4]."""
    boxes = boxes.astype(np.float64)
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def iou(box: NDArray, boxes: NDArray) -> NDArray[np.float64]:
    """Intersection over union of `box` [4] with each of `boxes` [N, 4]; 0 where both are empty."""
    inter = intersections(box, boxes)
    union = areas(box) + areas(boxes) - inter
    return np.divide(inter, union, out=np.zeros_like(inter), where=union > 0)


def overlaps(boxes: NDArray, others: NDArray) -> NDArray[np.float64]:
    """IoU of each of `boxes` [N, 4] with each of `others` [M, 4]: [N, M]."""
    boxes, others = boxes.astype(np.float64)[:, None], others.astype(np.float64)
    sides = np.minimum(boxes[..., 2:], others[:, 2:]) - np.maximum(boxes[..., :2], others[:, :2])
    inter = np.clip(sides, 0, None).prod(2)
    union = areas(boxes) + areas(others) - inter
    return np.divide(inter, union, out=np.zeros_like(inter), where=union > 0)


def iom(box: NDArray, boxes: NDArray) -> NDArray[np.float64]:
    """Intersection over the smaller box, of `box` [4] with each of `boxes` [N, 4]."""
    inter = intersections(box, boxes)
    smaller = np.minimum(areas(box), areas(boxes))
    return np.divide(inter, smaller, out=np.zeros_like(inter), where=smaller > 0)


def nms(boxes: Boxes, scores: NDArray, limit: float, overlap: Overlap = iou) -> NDArray[np.intp]:
    """Greedy non-maximum suppression.

    Parameters
    ----------
    boxes : [N, 4]
    scores : [N]
    limit
        A box is dropped if its overlap with a kept one is greater.
    overlap
        `iou` or `iom`.

    Returns
    -------
    Indices of the kept boxes, best score first, ties in the given order.
    """
    rest = np.argsort(-scores, kind="stable")
    kept = []
    while len(rest):
        best, rest = rest[0], rest[1:]
        kept.append(best)
        rest = rest[overlap(boxes[best], boxes[rest]) <= limit]
    return np.array(kept, np.intp)


def soft_nms(
    boxes: Boxes, scores: NDArray, limit: float, threshold: float, overlap: Overlap = iou
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Linear soft non-maximum suppression (Bodla et al. 2017): lowers scores instead of dropping.

    Parameters
    ----------
    boxes : [N, 4]
    scores : [N] float32
    limit
        Overlaps above it lower a score: it is multiplied by 1 - overlap.
    threshold
        A box is dropped if its score falls below it.
    overlap
        `iou` or `iom`.

    Returns
    -------
    Indices of the kept boxes, best new score first, ties in the given order, and the new scores.
    """
    scores = scores.astype(np.float32)
    rest, kept = np.arange(len(boxes)), []
    while len(rest):
        best = rest[scores[rest].argmax()]  # the first of equals
        kept.append(best)
        rest = rest[rest != best]
        shared = overlap(boxes[best], boxes[rest])
        scores[rest] = scores[rest] * np.where(shared > limit, 1 - shared, 1)
        rest = rest[scores[rest] >= threshold]
    index = np.array(kept, np.intp)
    return index, scores[index]


def regress(boxes: Boxes, offsets: NDArray) -> Boxes:
    """Move the corners of `boxes` [N, 4] by `offsets` [N, 4], given in widths and heights."""
    boxes = boxes.astype(np.float64)
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return (boxes + offsets * sides).astype(np.float32)


def square(boxes: Boxes) -> Boxes:
    """The squares around `boxes` [N, 4]: same centre, the longer of the two sides."""
    boxes = boxes.astype(np.float64)
    half = (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True) / 2
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.hstack([centre - half, centre + half]).astype(np.float32)


def visible(boxes: Boxes, width: int, height: int) -> NDArray[np.bool_]:
    """Which of `boxes` [N, 4] have an area, and some of it inside the picture."""
    return (
        np.all(np.isfinite(boxes), 1)
        & np.all(boxes[:, :2] < boxes[:, 2:], 1)
        & np.all(boxes[:, :2] < (width, height), 1)
        & np.all(boxes[:, 2:] > 0, 1)
    )


def clip(boxes: Boxes, width: int, height: int) -> Boxes:
    """`boxes` [N, 4] cut at the borders of the picture."""
    return boxes.clip(0, np.array([width, height, width, height], np.float32))
