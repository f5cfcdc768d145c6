"""Aligned faces, against a transform by numpy's SVD and OpenCV's warping."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pymtcnn import ArgumentError, Detections, Detector, PictureError, extract_faces, read_picture

# insightface, face_align.py: 112 x 112, from the centre of the first pixel
TEMPLATE = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ]
)


@pytest.fixture(scope="module")
def hopper(pictures) -> np.ndarray:
    return read_picture(next(path for path in pictures if "hopper" in path.name))


@pytest.fixture(scope="module")
def faces(default_model, hopper) -> Detections:
    with Detector(default_model) as detector:
        return detector.detect(hopper)


def umeyama(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The similarity [2, 3] that takes points [5, 2] closest to target [5, 2] (Umeyama 1991)."""
    middle, aim = points.mean(0), target.mean(0)
    u, stretch, v = np.linalg.svd((target - aim).T @ (points - middle))
    signs = np.array([1.0, np.sign(np.linalg.det(u @ v))])
    turn = u * signs @ v
    scale = (stretch * signs).sum() / ((points - middle) ** 2).sum()
    return np.column_stack([scale * turn, aim - scale * turn @ middle])


def warped(rgb: np.ndarray, points: np.ndarray, side: int, pad: int) -> tuple[np.ndarray, float]:
    """The crop by OpenCV [side, side, 3], and how many times larger the face is in the picture."""
    target = (TEMPLATE + 0.5) * side / 112 - 0.5  # centres of pixels, as OpenCV counts
    matrix = umeyama(points.astype(np.float64) - 0.5, target)
    scale = 1 / np.hypot(*matrix[:, 0])
    if scale > 1:  # antialiasing, roughly
        rgb = cv2.GaussianBlur(rgb, None, 0.5 * scale)
    made = cv2.warpAffine(rgb, matrix, (side, side), borderValue=(pad, pad, pad))
    return made, scale


@pytest.mark.parametrize("side", [224, 300, 401])
@pytest.mark.parametrize("turn", [0, 30, 180])
@pytest.mark.parametrize("pad", [0, 200])
def test_enlarged_faces_are_bilinear(hopper, faces, side, turn, pad):
    """Without antialiasing, the crops are OpenCV's; also turned, and beyond the picture."""
    points = faces.landmarks[0].astype(np.float64)
    angle = np.deg2rad(turn)
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (points - points.mean(0)) @ turned.T * 0.9 + [120, 100]
    expected, scale = warped(hopper, points, side, pad)
    assert scale < 1
    (made,) = extract_faces(hopper, points[None], side, pad=pad)
    difference = np.abs(made.astype(int) - expected)
    assert (made.dtype, made.shape) == (np.uint8, (side, side, 3))
    # OpenCV has 32 steps between two pixels, and mixes the border with the picture.
    assert np.percentile(difference, 99) <= 8 and difference.mean() < 1


@pytest.mark.parametrize("side", [112, 64, 31])
def test_shrunk_faces_are_those_of_the_picture(hopper, faces, side):
    expected, scale = warped(hopper, faces.landmarks[0], side, 0)
    assert scale > 1
    (made,) = extract_faces(hopper, faces, side)
    assert np.abs(made.astype(int) - expected).mean() < 4
    shifted = np.roll(expected, 1, 1)
    assert np.abs(made.astype(int) - shifted).mean() > 5  # by a single pixel


def test_eyes_and_mouth_are_where_they_belong(default_model, hopper):
    """A face found in a large crop of itself is upright and in the middle."""
    turned = cv2.warpAffine(hopper, cv2.getRotationMatrix2D((260, 230), 20, 1), (512, 600))
    with Detector(default_model, min_face=60) as detector:
        faces = detector.detect(turned)
        (made,) = extract_faces(turned, faces[:1], 224)
        again = detector.detect(made)
    assert np.abs(again.landmarks[0] - 2 * (TEMPLATE + 0.5)).max() < 16


def test_inputs(hopper, faces, pictures):
    target = extract_faces(hopper, faces)
    assert target.shape == (1, 112, 112, 3)
    path = next(path for path in pictures if "hopper" in path.name)
    for made in [
        extract_faces(path, faces),
        extract_faces(hopper, faces.landmarks),
        extract_faces(hopper, faces.landmarks.tolist()),
        extract_faces(hopper[..., ::-1], faces, color="BGR"),
    ]:
        assert made.tobytes() == target.tobytes()
    twice = extract_faces(hopper, faces[[0, 0]])
    assert twice.shape == (2, 112, 112, 3) and (twice == target).all()
    none = extract_faces(hopper, faces[:0], 40)
    assert (none.dtype, none.shape) == (np.uint8, (0, 40, 40, 3))


@pytest.mark.parametrize(
    ("landmarks", "words"),
    [
        (np.zeros((5, 2)), r"landmarks of shape \(5, 2\): must be \(N, 5, 2\)"),
        (np.zeros((1, 10)), r"must be \(N, 5, 2\)"),
        (None, r"must be \(N, 5, 2\)"),
        ([["a"] * 5], "landmarks: .*must be numbers"),
        (np.zeros((1, 5, 2)), "landmarks of face 0"),
        (np.full((1, 5, 2), np.nan), "landmarks of face 0"),
    ],
)
def test_invalid_landmarks(hopper, landmarks, words):
    with pytest.raises(ArgumentError, match=words):
        extract_faces(hopper, landmarks)


def test_other_arguments(hopper, faces):
    with pytest.raises(ArgumentError, match="side 0, pad 0"):
        extract_faces(hopper, faces, 0)
    with pytest.raises(ArgumentError, match="whole numbers"):
        extract_faces(hopper, faces, 112.5)
    with pytest.raises(ArgumentError, match="color"):
        extract_faces(hopper, faces, color="HSV")
    with pytest.raises(PictureError):
        extract_faces(b"no picture", faces)
