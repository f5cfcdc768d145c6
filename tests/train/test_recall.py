"""Recall by face size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from train_mtcnn.cascade.boxes import iou
from train_mtcnn.data import recall
from train_mtcnn.data.recall import SIZE_NAMES, SizeRecall, best_overlaps

coordinates = st.integers(-20, 60)


def some_boxes(count):
    return arrays(np.float32, st.tuples(count, st.just(4)), elements=coordinates)


def test_names():
    assert SIZE_NAMES == ("<10", "10-20", "20-30", "30-50", "50-100", "100-200", ">200")


def test_overlaps_by_hand():
    faces = np.array([[0, 0, 10, 10], [100, 0, 110, 10], [5, 5, 5, 9]], np.float32)
    boxes = np.array([[5, 0, 15, 10], [0, 0, 10, 5], [110, 0, 120, 10]], np.float32)
    # 50 of 150 pixels, 50 of 100; boxes side by side share nothing; no area, no overlap.
    assert best_overlaps(faces, boxes).tolist() == [0.5, 0, 0]
    assert best_overlaps(faces, boxes[:1])[0] == pytest.approx(1 / 3)
    assert best_overlaps(faces, boxes[:0]).tolist() == [0, 0, 0]
    assert best_overlaps(faces[:0], boxes).shape == (0,)


def ordered(boxes):
    low, high = boxes[:, :2], boxes[:, 2:]
    return np.hstack([np.minimum(low, high), np.maximum(low, high)])


@settings(deadline=None)
@given(some_boxes(st.integers(0, 9)), some_boxes(st.integers(1, 9)), st.integers(1, 30))
def test_overlaps_are_the_cascades(faces, boxes, pairs):
    faces, boxes = ordered(faces), ordered(boxes)
    expected = [iou(face, boxes).max() for face in faces]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recall, "_PAIRS", pairs)  # blocks of a few faces
        assert best_overlaps(faces, boxes).tolist() == expected


def face(size, x=0):
    return [x, 0, x + size, size]


def test_counts_by_hand():
    counts = SizeRecall()
    # Sides 9.9, 10, 19.9, 200 and 8 x 18 = 12 squared; one without area, one turned inside out.
    faces = [face(9.9), face(10, 50), face(19.9, 100), face(200, 300), [600, 0, 608, 18]]
    faces = np.array([*faces, face(0, 700), [800, 10, 790, 0]], np.float32)
    half = faces[3] * [1, 1, 1, 0.5]  # overlaps by exactly 0.5
    less = faces[2] * [1, 1, 1, 0.49]
    boxes = np.array([faces[1], faces[1], half, less, faces[4]], np.float32)
    assert counts.add(faces, boxes).tolist() == [0, 2, 0, 0, 0, 0, 1]
    assert counts.faces.tolist() == [1, 3, 0, 0, 0, 0, 1]
    assert counts.by_size == [0, 2 / 3, None, None, None, None, 1]
    assert counts.overall == 3 / 5 and counts.boxes_per_picture == 5

    assert counts.add(faces[:1], faces[:1]).tolist() == [1, 0, 0, 0, 0, 0, 0]
    assert counts.add(faces[:0], faces[:0]).sum() == 0  # a picture without faces
    assert counts.found.tolist() == [1, 2, 0, 0, 0, 0, 1]
    assert counts.overall == 4 / 6 and counts.boxes_per_picture == 6 / 3
    assert counts.boxes == 6 and counts.pictures == 3


def test_nothing():
    counts = SizeRecall()
    assert counts.overall is None and counts.by_size == [None] * 7
    assert counts.boxes_per_picture == 0
