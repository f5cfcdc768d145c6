"""FDDB's official evaluation, as in the authors' C++ code: two ROC curves.

A picture's detections are matched with its ellipses so that the sum of their overlaps is largest:
intersection over union, counted in pixels. In the discrete curve a match with an overlap above one
half is a face found; in the continuous curve a match counts as its overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pymtcnn.opencv import opencv
from train_mtcnn.data.fddb import FddbPicture

_OVERLAP = 0.5


@dataclass(frozen=True)
class Roc:
    """The curves, at each score that occurs, from the highest on.

    Attributes
    ----------
    thresholds : [T] float64
        The scores, falling.
    discrete, continuous : [T] float64
        True positive rate, 0..1.
    false_positives : [T] int64
        In the whole set. Grows, but for rare matches that a further detection changes.
    faces
        Number of ellipses.
    """

    thresholds: NDArray[np.float64]
    discrete: NDArray[np.float64]
    continuous: NDArray[np.float64]
    false_positives: NDArray[np.int64]
    faces: int

    def at(self, false_positives: int) -> tuple[float, float]:
        """The best discrete and continuous rate with at most so many false positives."""
        within = self.false_positives <= false_positives
        discrete, continuous = self.discrete[within], self.continuous[within]
        return float(discrete.max(initial=0)), float(continuous.max(initial=0))


def evaluate(
    truth: Sequence[FddbPicture],
    predictions: Sequence[NDArray[np.float64]],
    sizes: Sequence[tuple[int, int]],
) -> Roc:
    """Evaluate the predictions of a set of pictures.

    Parameters
    ----------
    truth
        The pictures.
    predictions : for each picture [N, 5]
        x, y, width, height, score, in any order. Scores of any range.
    sizes
        Width and height of each picture in pixels: what lies outside does not count.
    """
    thresholds, steps = [np.empty(0)], [np.empty((0, 3))]
    for picture, faces, (width, height) in zip(truth, predictions, sizes, strict=True):
        overlap = overlaps(picture.ellipses, faces[:, :4], width, height)
        scores, counts = _count(faces[:, 4], overlap)
        thresholds.append(scores)
        steps.append(np.diff(counts, axis=0, prepend=0))
    scores = np.concatenate(thresholds)
    order = np.argsort(-scores, kind="stable")
    scores, counts = scores[order], np.cumsum(np.concatenate(steps)[order], 0)
    last = np.flatnonzero(np.diff(scores, append=np.nan) != 0)  # of those with the same score
    total = sum(len(picture.ellipses) for picture in truth)
    discrete, continuous, false_positives = counts[last].T
    return Roc(
        scores[last],
        discrete / max(total, 1),
        continuous / max(total, 1),
        np.rint(false_positives).astype(np.int64),
        total,
    )


def _count(
    scores: NDArray[np.float64], overlap: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One picture's different scores, falling, and what holds at each of them.

    Parameters
    ----------
    scores : [N]
    overlap : [G, N]

    Returns
    -------
    scores : [T]
    counts : [T, 3]
        Faces found, sum of the matches' overlaps, false positives.
    """
    thresholds = np.unique(scores)[::-1]
    counts = np.empty((len(thresholds), 3))
    for row, threshold in zip(counts, thresholds):
        seen = overlap[:, scores >= threshold]
        matches = seen[linear_sum_assignment(seen, maximize=True)]
        found = np.count_nonzero(matches > _OVERLAP)
        row[:] = found, matches.sum(), seen.shape[1] - found
    return thresholds, counts


def overlaps(
    ellipses: NDArray[np.float64], boxes: NDArray[np.float64], width: int, height: int
) -> NDArray[np.float64]:
    """Intersection over union of each ellipse with each box, in pixels of the picture.

    Parameters
    ----------
    ellipses : [G, 5]
        As in FddbPicture. OpenCV draws them, with centre and angle (in degrees) rounded and axes
        cut to whole numbers.
    boxes : [N, 4]
        x, y, width, height. Corners are rounded; x + width is the last pixel, not the one after.
    width, height
        Of the picture.

    Returns
    -------
    [G, N]
    """
    corners = np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]).astype(np.float32)
    corners = np.rint(corners).astype(np.int64) + np.array([0, 0, 1, 1])
    x1, y1, x2, y2 = corners.clip(0, (width, height, width, height)).T
    areas = np.clip(x2 - x1, 0, None) * np.clip(y2 - y1, 0, None)
    result = np.zeros((len(ellipses), len(boxes)))
    cv2 = opencv()
    for row, (major, minor, angle, x, y) in zip(result, ellipses):
        mask = np.zeros((height, width), np.uint8)
        centre = (round(float(np.float32(x))), round(float(np.float32(y))))
        cv2.ellipse(mask, centre, (int(major), int(minor)), np.degrees(angle), 0, 360, 1, -1)
        sums = cv2.integral(mask)
        common = np.where(areas > 0, sums[y2, x2] - sums[y1, x2] - sums[y2, x1] + sums[y1, x1], 0)
        union = sums[-1, -1] + areas - common
        np.divide(common, union, out=row, where=union > 0)
    return result
