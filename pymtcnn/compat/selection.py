"""Which face of a picture facenet-pytorch's MTCNN selects where it selects one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError

Selection = Callable[[NDArray[Any], NDArray[Any], NDArray[Any], float, float], "int | None"]
"""From boxes [N, 4], probabilities [N], the picture's middle [2], a threshold of probability and
the weight of the distance from the middle to the index of a face, or None."""


def areas(boxes: NDArray[Any]) -> NDArray[Any]:
    """Areas [N] of boxes [N, 4]."""
    sides = boxes[:, 2:] - boxes[:, :2]
    found: NDArray[Any] = sides[:, 0] * sides[:, 1]
    return found


def largest_first(boxes: NDArray[Any]) -> NDArray[np.intp]:
    """The order [N] of boxes [N, 4] by their areas."""
    return np.argsort(-areas(boxes), kind="stable")


def selection(method: str) -> Selection:
    """The selection of this name, or ArgumentError."""
    if method not in _SELECTIONS:
        names = ", ".join(_SELECTIONS)
        raise ArgumentError(f"selection method {method!r}: must be one of {names}")
    return _SELECTIONS[method]


def _best(values: NDArray[Any]) -> int:
    return int(np.argmax(values))


def _largest_over_threshold(
    boxes: NDArray[Any], probs: NDArray[Any], middle: NDArray[Any], threshold: float, weight: float
) -> int | None:
    above = probs > threshold
    return _best(np.where(above, areas(boxes), -np.inf)) if above.any() else None


def _center_weighted_size(
    boxes: NDArray[Any], probs: NDArray[Any], middle: NDArray[Any], threshold: float, weight: float
) -> int | None:
    offsets = (boxes[:, :2] + boxes[:, 2:]) / 2 - middle
    return _best(areas(boxes) - weight * (offsets**2).sum(1))


_SELECTIONS: dict[str, Selection] = {
    "probability": lambda boxes, probs, *_: _best(probs),
    "largest": lambda boxes, *_: _best(areas(boxes)),
    "largest_over_threshold": _largest_over_threshold,
    "center_weighted_size": _center_weighted_size,
}
