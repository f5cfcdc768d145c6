"""How many faces are found at a given rate of false alarms a picture.

Faces and detections are those of WIDER FACE's protocol (average_precision.py), its hard set. A
false alarm is a detection that overlaps no annotated face enough; a second detection of a face is
none, and pictures without any face are passed over, as the protocol does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train_mtcnn.data.wider import Truth
from train_mtcnn.evaluation.average_precision import OVERLAP, matches, verdicts

RATES = (0.1, 1.0)  # false alarms a picture


@dataclass(frozen=True)
class FoundAt:
    """Faces found at a rate of false alarms.

    Attributes
    ----------
    recall
        Share of the faces that count, 0..1.
    false_alarms
        A picture; less than the rate asked for where all detections make no more, or where equal
        scores leave no threshold nearer to it.
    score
        The least score taken; None without a detection.
    """

    recall: float
    false_alarms: float
    score: float | None


def found_at(
    truth: list[Truth], predictions: list[NDArray[np.float64]], rates: tuple[float, ...] = RATES
) -> dict[float, FoundAt]:
    """Faces found at each of the rates of false alarms.

    Parameters
    ----------
    truth
        The pictures.
    predictions : for each picture [N, 5]
        x, y, width, height, score, best first.
    rates
        False alarms a picture.

    Returns
    -------
    Rate -> what is found with the lowest threshold that makes no more false alarms.
    """
    rows = [np.empty((0, 3))]  # score, is a false alarm, finds a face
    for picture, faces in zip(truth, predictions, strict=True):
        if len(faces) and len(picture.boxes):
            best, overlap = matches(faces[:, :4], picture.boxes)
            _, first = verdicts(best, overlap, picture.counted["hard"])
            rows.append(np.column_stack([faces[:, 4], overlap < OVERLAP, first]))
    scores, alarm, first = np.concatenate(rows).T
    alarms = -np.sort(-scores[alarm > 0])
    total = sum(int(picture.counted["hard"].sum()) for picture in truth)
    result = {}
    for rate in rates:
        allowed = math.floor(rate * len(truth) + 1e-9)
        taken = scores > alarms[allowed] if allowed < len(alarms) else np.ones(len(scores), bool)
        result[rate] = FoundAt(
            float(first[taken].sum()) / max(total, 1),
            float(alarm[taken].sum()) / max(len(truth), 1),
            float(scores[taken].min()) if taken.any() else None,
        )
    return result
