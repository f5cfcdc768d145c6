"""The error of landmarks, and ONet on boxes that are known."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.random_cascade import write_random_cascade
from support.skips import absent

from pymtcnn.errors import FileError
from train_mtcnn.cascade.boxes import square
from train_mtcnn.cascade.cascade_networks import load_networks
from train_mtcnn.cascade.torch_detector import TorchDetector
from train_mtcnn.data.landmark_sets import LandmarkFace, read_facepoint
from train_mtcnn.evaluation.landmark_error import LandmarkErrors, errors, landmark_error, summary
from train_mtcnn.network.darknet import read_data

TRUTH = np.array([[10, 10], [30, 10], [20, 20], [12, 30], [28, 30]], float)


def test_errors_by_hand():
    moved = TRUTH.copy()
    moved[0] += (3, 4)  # 5 pixels, of 20 between the eyes: 5 / 5 / 20
    moved[4] += (0, -2.5)
    assert errors(np.array([TRUTH, moved]), np.array([TRUTH, TRUTH])).tolist() == [0, 1.5 / 20]


@pytest.mark.slow
@given(st.floats(0.1, 50), st.floats(-100, 100))
def test_errors_know_no_scale_and_place(scale, shift):
    points = TRUTH[None] + np.random.default_rng(0).normal(0, 2, (1, 5, 2))
    expected = errors(points, TRUTH[None])
    assert errors(points * scale + shift, TRUTH[None] * scale + shift) == pytest.approx(expected)


def test_eyes_at_one_point(tmp_path):
    box = np.array([0, 0, 40, 40], np.float32)
    faces = [LandmarkFace("a.jpg", box, TRUTH), LandmarkFace("b.jpg", box, np.ones((5, 2)))]
    with pytest.raises(FileError, match=r"b\.jpg: both eyes"):
        landmark_error(tmp_path / "none.data", tmp_path, faces)


def test_summary_by_hand():
    # Eyes 20 pixels apart; moved by 1.25, 2, 2.5, 5 and 10 pixels. 0.1 itself is not large.
    truth = np.tile(TRUTH, (5, 1, 1))
    moved = truth + np.array([(0, 1.25), (0, 2), (-2.5, 0), (-3, 4), (6, -8)])[:, None]
    found = summary(moved, truth)
    left = np.array([(-0.1, 1.25 + 0.15), (-0.1, 2.15), (-2.6, 0.15), (-3.1, 4.15), (5.9, -7.85)])
    assert found == LandmarkErrors(
        mean=pytest.approx(1.0375 / 5),
        median=pytest.approx(0.125),
        large=3 / 5,
        faces=5,
        shift=(pytest.approx(0.1 / 20), pytest.approx(-0.15 / 20)),
        mean_without_shift=pytest.approx(np.linalg.norm(left / 20, axis=1).mean()),
    )


def test_a_shift_alone_is_no_error_without_it():
    truth = np.array([TRUTH, TRUTH])
    found = summary(truth + np.array([1, -2]), truth)
    assert found.shift == pytest.approx((0.05, -0.1))
    assert found.mean == pytest.approx(5**0.5 / 20) and found.mean_without_shift < 1e-9


def test_onet_sees_the_square_padded(tmp_path):
    """A box of 48 x 30 pixels beyond two borders: its square needs no resizing."""
    detector = TorchDetector(write_random_cascade(tmp_path, pad=9.0))
    data = read_data(tmp_path / "random.data")
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    box = np.array([[-8, 1, 40, 31]], np.float32)
    assert square(box).tolist() == [[-8, -8, 40, 40]]
    crop = np.full((48, 48, 3), 9.0, np.float32)
    crop[8:, 8:] = picture[:40, :40]
    network = load_networks(data)["onet"]
    with torch.inference_mode():
        given = torch.from_numpy((crop - data.mean) * data.norm).permute(2, 0, 1)[None]
        output = network(given.float()).flatten().numpy()
    expected = -8 + 48 * output[5:15].reshape(5, 2)
    assert np.allclose(detector.landmarks(picture, box)[0], expected, atol=1e-3)
    assert detector.landmarks(picture, box[:0]).shape == (0, 5, 2)


def test_the_default_model_on_some_faces(default_model, data_dir):
    """9.0% on all 1,537 faces; the first 100 are not far from it."""
    folder = data_dir / "landmarks"
    if not folder.is_dir():
        absent(str(folder))
    faces = read_facepoint(folder / "testImageList.txt").faces
    assert len(faces) > 1500
    result = landmark_error(default_model, folder, faces[:100])
    assert result.faces == 100 and 0.06 < result.mean < 0.11 and 0.05 < result.median < 0.10
    # AFLW's marks lie right of and below where the model puts them.
    assert result.shift[0] < -0.01 and result.mean_without_shift < result.mean
