"""WIDER FACE's official evaluation, as in the authors' MATLAB code (eval_tools)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train_mtcnn.data.wider import SETS, Truth

OVERLAP = 0.5
_THRESHOLDS = 1000


@dataclass(frozen=True)
class Curve:
    """Precision and recall over the score's threshold, and the area under their curve.

    Attributes
    ----------
    precision, recall : [1000] float64
        At thresholds 0.999, 0.998, ..., 0 of the normalised score.
    ap
        Average precision, 0..1.
    faces
        Faces that count.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    ap: float
    faces: int


def evaluate(truth: list[Truth], predictions: list[NDArray[np.float64]]) -> dict[str, Curve]:
    """Evaluate the predictions of a set of pictures.

    Parameters
    ----------
    truth
        The pictures.
    predictions : for each picture [N, 5]
        x, y, width, height, score, best first. Scores of any range: they are normalised over the
        set.

    Returns
    -------
    "easy", "medium", "hard" -> Curve.
    """
    counts = {name: np.zeros((_THRESHOLDS, 2)) for name in SETS}
    for picture, faces in zip(truth, _normalised(predictions), strict=True):
        if not len(faces) or not len(picture.boxes):
            continue
        best, overlap = matches(faces[:, :4], picture.boxes)
        for name in SETS:
            counts[name] += _count(faces[:, 4], best, overlap, picture.counted[name])
    curves = {}
    for name in SETS:
        total = sum(int(picture.counted[name].sum()) for picture in truth)
        proposals, found = counts[name].T
        precision = np.divide(found, proposals, out=np.zeros(_THRESHOLDS), where=proposals > 0)
        recall = found / max(total, 1)
        curves[name] = Curve(precision, recall, average_precision(recall, precision), total)
    return curves


def average_precision(recall: NDArray, precision: NDArray) -> float:
    """Area under the curve, its precision made to fall steadily (VOC's, all points)."""
    recall = np.concatenate([[0], recall, [1]])
    precision = np.concatenate([[0], precision, [0]])
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall) * precision[1:]).sum())


def _normalised(predictions: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """The predictions, their scores mapped from their range over all pictures to 0..1."""
    scores = np.concatenate([np.empty(0), *(faces[:, 4] for faces in predictions)])
    if not len(scores):
        return predictions
    low, span = scores.min(), np.ptp(scores)
    return [
        np.column_stack([faces[:, :4], (faces[:, 4] - low) / span if span else faces[:, 4] ** 0])
        for faces in predictions
    ]


def matches(
    boxes: NDArray[np.float64], truth: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """For each of `boxes` [N, 4] the box of `truth` [G, 4] that it overlaps most, and how much.

    Boxes are x, y, width, height; x + width is taken as the last pixel, hence the +1.
    """
    low = np.maximum(boxes[:, None, :2], truth[:, :2])
    high = np.minimum((boxes[:, :2] + boxes[:, 2:])[:, None], truth[:, :2] + truth[:, 2:])
    inter = np.clip(high - low + 1, 0, None).prod(2)
    union = (boxes[:, 2:] + 1).prod(1)[:, None] + (truth[:, 2:] + 1).prod(1) - inter
    overlap = inter / union
    best = overlap.argmax(1)
    return best, overlap[np.arange(len(boxes)), best]


def verdicts(
    best: NDArray[np.intp], overlap: NDArray[np.float64], counted: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """What detections, best first, of one picture are.

    Parameters
    ----------
    best, overlap : [N]
        From `matches`.
    counted : [G]
        The faces that count.

    Returns
    -------
    proposal : [N]
        Detections that count: all but those of ignored faces.
    first : [N]
        Detections that find a face: the first that overlaps it by `OVERLAP` or more.
    """
    hit = overlap >= OVERLAP
    proposal = ~(hit & ~counted[best])
    first = np.zeros(len(best), bool)
    found = np.flatnonzero(hit & counted[best])
    first[found[np.unique(best[found], return_index=True)[1]]] = True
    return proposal, first


def _count(
    scores: NDArray[np.float64],
    best: NDArray[np.intp],
    overlap: NDArray[np.float64],
    counted: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Proposals that count and faces found at each threshold, [1000, 2], of one picture."""
    table = np.zeros((len(scores) + 1, 2))
    table[1:] = np.cumsum(np.column_stack(verdicts(best, overlap, counted)), 0)
    thresholds = 1 - np.arange(1, _THRESHOLDS + 1) / _THRESHOLDS
    return table[np.searchsorted(-scores, -thresholds, side="right")]
