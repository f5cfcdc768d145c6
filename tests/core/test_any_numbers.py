"""Any finite floats where numbers become places in pictures: padding or an error, never a crash."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pymtcnn import ArgumentError, Detector, Tracker, crop, draw, extract_faces
from pymtcnn.results import Detections

FLOAT = st.one_of(
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.floats(-100, 200, width=32),
    st.sampled_from([0, -0.0, 1e-45, 1e-38, 2.0**31, -(2.0**31), 2.0**63, 1e30, -1e30, 3e38]),
)
PICTURE = np.full((40, 50, 3), 20, np.uint8)
FACE = np.array([[38.3, 51.7], [73.5, 51.5], [56.0, 71.7], [41.5, 92.4], [70.7, 92.2]])
FAR = 1.93303698e37


def holds_only(pixels, *values):
    """Whether all values lie between the least and the largest of these."""
    return min(values) <= pixels.min() and pixels.max() <= max(values)


@given(st.lists(FLOAT, min_size=10, max_size=10), st.integers(1, 40))
@example([-4504.3, FAR, -8598.3, FAR, -6562.5, FAR, -4876.7, FAR, -8271.3, FAR], 38)
def test_any_landmarks(values, side):
    points = np.array(values, np.float32).reshape(1, 5, 2)
    try:
        crops = extract_faces(PICTURE, points, side=side, pad=90)
    except ArgumentError:
        return
    assert holds_only(crops, 20, 90)


@given(FLOAT, FLOAT, FLOAT, st.integers(1, 40))
def test_faces_of_any_size_and_place(size, x, y, side):
    with np.errstate(over="ignore"):
        points = (FACE * (size / 112) + (x, y)).astype(np.float32)
    try:
        crops = extract_faces(PICTURE, points[None], side=side, pad=90)
    except ArgumentError:
        return
    assert holds_only(crops, 20, 90)
    if max(abs(x), abs(y)) > 1000 * abs(size) + 1000:
        assert holds_only(crops, 90)


@given(st.lists(FLOAT, min_size=4, max_size=4), st.integers(1, 40))
def test_any_box(values, side):
    x1, y1, x2, y2 = values
    try:
        crops = crop(PICTURE, [values], side=side, pad=90)
    except ArgumentError:
        assert not (x1 < x2 and y1 < y2)
        return
    assert holds_only(crops, 20, 90)
    if x1 >= 50 or y1 >= 40 or x2 <= 0 or y2 <= 0:
        assert holds_only(crops, 90)


@given(st.lists(FLOAT, min_size=15, max_size=15))
def test_any_face_is_drawn(values):
    box, score, points = values[:4], values[4], values[5:]
    faces = Detections(
        boxes=np.array([box], np.float32),
        scores=np.array([score], np.float32),
        landmarks=np.array(points, np.float32).reshape(1, 5, 2),
        stages=(),
        levels=0,
        pyramid_ms=0.0,
        total_ms=0.0,
    )
    assert draw(PICTURE, faces).shape == PICTURE.shape


@pytest.fixture(scope="module")
def detector():
    with Detector(min_face=12, thresholds=(0, 0, 0), max_boxes=(20, 20, 20)) as detector:
        yield detector


@settings(max_examples=15)
@given(seconds=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=4))
def test_any_times(detector, seconds):
    tracker = Tracker(detector, every=100, min_score=0)
    for time in sorted(set(seconds)):
        tracks = tracker.update(PICTURE, time)
        assert np.isfinite(tracks.boxes).all() and np.isfinite(tracks.landmarks).all()


@given(
    thresholds=st.lists(st.floats(), min_size=3, max_size=3),
    min_face=st.floats(),
    scale_factor=st.floats(0, 0.95),
    max_side=st.integers(-1, 1 << 40),
)
def test_any_options(thresholds, min_face, scale_factor, max_side):
    options = {
        "thresholds": thresholds,
        "min_face": min_face,
        "scale_factor": scale_factor,
        "max_side": max_side,
    }
    try:
        with Detector(**options) as detector:
            detector.detect(PICTURE[:13, :13])
    except ArgumentError as error:
        assert "must be" in str(error) or "levels" in str(error) or "min_face" in str(error)
