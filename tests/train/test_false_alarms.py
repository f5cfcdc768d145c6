"""Faces found at a rate of false alarms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train_mtcnn.data.wider import SETS, Truth
from train_mtcnn.evaluation.false_alarms import found_at


def picture(boxes, counted):
    boxes = np.array(boxes, float).reshape(-1, 4)
    return Truth("e", "n", boxes, dict.fromkeys(SETS, np.array(counted, bool)))


A, B, C, IGNORED = [0, 0, 9, 9], [50, 0, 9, 9], [0, 50, 9, 9], [90, 90, 9, 9]
NOTHING = [300, 300, 9, 9]


def detections(*rows):
    return np.array([[*box, score] for box, score in rows], float).reshape(-1, 5)


def test_by_hand():
    truth = [picture([A, B, IGNORED], [1, 1, 0]), picture([C], [1]), picture([], [])]
    found = [
        detections((A, 0.9), (NOTHING, 0.8), (IGNORED, 0.75), (A, 0.7), (B, 0.3)),
        detections((NOTHING, 0.6), (C, 0.5), (NOTHING, 0.4), (NOTHING, 0.2)),
        detections((NOTHING, 1.0)),  # not counted: the picture has no face
    ]
    # False alarms at 0.8, 0.6, 0.4, 0.2; faces found at 0.9, 0.5, 0.3; three pictures.
    results = found_at(truth, found, (0.1, 1 / 3, 0.99, 1.0, 2.0))
    assert [results[rate].recall for rate in results] == pytest.approx([1 / 3, 1 / 3, 2 / 3, 1, 1])
    alarms = [results[rate].false_alarms for rate in results]
    assert alarms == pytest.approx([0, 1 / 3, 2 / 3, 1, 4 / 3])
    assert [results[rate].score for rate in results] == [0.9, 0.7, 0.5, 0.3, 0.2]


def test_equal_scores_have_no_threshold_between_them():
    truth = [picture([A, B], [1, 1])]
    found = [detections((A, 0.9), (NOTHING, 0.5), (NOTHING, 0.5), (B, 0.5))]
    results = found_at(truth, found, (1.0, 2.0))
    assert (results[1.0].recall, results[1.0].false_alarms, results[1.0].score) == (0.5, 0, 0.9)
    assert (results[2.0].recall, results[2.0].false_alarms) == (1, 2)


def test_nothing_found():
    results = found_at([picture([A], [1])], [np.empty((0, 5))])
    assert [(r.recall, r.false_alarms, r.score) for r in results.values()] == [(0, 0, None)] * 2
    assert list(found_at([], [])) == [0.1, 1.0]


@settings(deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.1, 0.5, 1.0, 3.0]))
def test_any_lower_threshold_makes_too_many_alarms(seed, rate):
    random = np.random.default_rng(seed)
    truth, found = [], []
    for _ in range(random.integers(1, 6)):
        boxes = np.array([A, B, C])
        truth.append(picture(boxes, [1, 1, 1]))
        rows = np.array([A, B, C, NOTHING, NOTHING])[random.integers(0, 5, random.integers(0, 9))]
        scores = -np.sort(-random.integers(0, 5, len(rows)))
        found.append(np.column_stack([rows, scores]).astype(float))
    result = found_at(truth, found, (rate,))[rate]

    def at(threshold):
        """Alarms a picture and recall with all scores of at least `threshold`."""
        alarms = hits = 0
        for faces in found:
            boxes = {tuple(row[:4]) for row in faces[faces[:, 4] >= threshold]}
            hits += len(boxes - {tuple(NOTHING)})
            seen = (faces[:, :4] == NOTHING).all(1) & (faces[:, 4] >= threshold)
            alarms += int(seen.sum())
        return alarms / len(truth), hits / (3 * len(truth))

    allowed = [score for score in range(5) if at(score)[0] <= rate + 1e-9]
    recall = at(min(allowed))[1] if allowed else 0
    assert result.recall == pytest.approx(recall)
    assert result.false_alarms <= rate + 1e-9
