"""Rung 4: the C core's faces against those of train_mtcnn/detector.py, on real pictures.

The same faces; boxes and landmarks within 0.5 pixels, scores within 1e-3.
"""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pymtcnn import Detector, read_picture
from train_mtcnn.cascade.boxes import iou
from train_mtcnn.cascade.torch_detector import TorchDetector

PIXELS = 0.5
SCORE = 1e-3


def partners(ours, theirs):
    """For each of our faces the index of the other side's face that overlaps it most."""
    assert len(ours) == len(theirs)
    if len(ours) == 0:
        return np.empty(0, int)
    overlaps = np.stack([iou(box, theirs.boxes) for box in ours.boxes])
    best = overlaps.argmax(1)
    assert sorted(best) == list(range(len(theirs))), "not the same faces"
    return best


def differences(ours, theirs):
    """Largest differences of two Detections: boxes and landmarks in pixels, scores."""
    index = partners(ours, theirs)
    if len(index) == 0:
        return 0.0, 0.0, 0.0
    return (
        float(np.abs(ours.boxes - theirs.boxes[index]).max()),
        float(np.abs(ours.landmarks - theirs.landmarks[index]).max()),
        float(np.abs(ours.scores - theirs.scores[index]).max()),
    )


def compare(paths, model, report_difference, label, **options):
    largest = np.zeros(3)
    faces = 0
    torch = TorchDetector(model, **options)
    with Detector(model, **options) as detector:
        for path in paths:
            picture = read_picture(path)
            ours, theirs = detector.detect(picture), torch.detect(picture)
            assert [stage.inputs for stage in ours.stages[:1]] == [theirs.stages[0].inputs]
            assert ours.levels == theirs.levels
            largest = np.maximum(largest, differences(ours, theirs))
            faces += len(ours)
    name = f"{label}: {faces} faces in {len(paths)} pictures, C against PyTorch"
    report_difference(f"{name}, boxes [px]", largest[0], PIXELS)
    report_difference(f"{name}, landmarks [px]", largest[1], PIXELS)
    report_difference(f"{name}, scores", largest[2], SCORE)
    assert faces > 0
    assert largest[0] <= PIXELS
    assert largest[1] <= PIXELS
    assert largest[2] <= SCORE


def test_bundled_pictures(pictures, default_model, report_difference):
    compare(pictures, default_model, report_difference, "bundled")


@pytest.mark.slow
@pytest.mark.parametrize("min_face, scale_factor", [(12, 0.8), (33.3, 0.5), (100, 0.709)])
def test_bundled_pictures_other_settings(
    pictures, default_model, report_difference, min_face, scale_factor
):
    options = {"min_face": min_face, "scale_factor": scale_factor, "clip": False}
    compare(pictures, default_model, report_difference, f"bundled, {options}", **options)


@pytest.mark.slow
def test_soft_nms(pictures, default_model, report_difference):
    options = {"final_nms": "soft", "thresholds": (0.3, 0.2, 0.05), "nms": (0.5, 0.7, 0.7, 0.1)}
    compare(pictures, default_model, report_difference, "bundled, soft NMS", **options)
    with Detector(default_model, **options) as soft:
        found = [len(soft.detect(path)) for path in pictures]
    with Detector(default_model, **options | {"final_nms": "hard"}) as hard:
        assert sum(found) > sum(len(hard.detect(path)) for path in pictures)


def close_up(picture, box, share):
    """The picture cut so tightly that each side loses `share` of the face's box."""
    x1, y1, x2, y2 = box
    x, y = share * (x2 - x1), share * (y2 - y1)
    left, top, right, bottom = (round(side) for side in (x1 + x, y1 + y, x2 - x, y2 - y))
    return np.ascontiguousarray(picture[top:bottom, left:right])


@pytest.mark.parametrize("share", [0, 0.1])
def test_faces_that_fill_the_picture(pictures, default_model, share):
    """Found where the whole face is; without a border the cut ones are lost."""
    reference = TorchDetector(default_model)
    with Detector(default_model, clip=False) as ours, Detector(default_model, border=0) as inside:
        for path in pictures:
            picture = read_picture(path)
            x1, y1, x2, y2 = box = ours.detect(picture).boxes[0]
            close = close_up(picture, box, share)
            found = ours.detect(close)
            assert len(found) == 1
            corner = np.array([x1 + share * (x2 - x1), y1 + share * (y2 - y1)] * 2)
            assert np.abs(found.boxes[0] - (box - corner)).max() < 0.2 * (y2 - y1)
            assert len(partners(ours.detect(close), reference.detect(close))) == 1
            assert (len(inside.detect(close)) == 0) == (share > 0)


@pytest.mark.slow
@pytest.mark.parametrize("border", [0.1, 0.3, 0.49])
def test_border(pictures, default_model, report_difference, border):
    """Whatever the border, both look at the same windows, of edges and corners alone, too."""
    options = {"border": border, "clip": False}
    compare(pictures, default_model, report_difference, f"bundled, border {border}", **options)
    reference = TorchDetector(default_model, thresholds=(0.05, 0.05, 0.05), **options)
    with Detector(default_model, thresholds=(0.05, 0.05, 0.05), **options) as detector:
        for path in pictures:
            picture = read_picture(path)[100:260, 150:300]
            for height, width in ((160, 150), (40, 150), (160, 25), (9, 9), (8, 60), (1, 1)):
                part = np.ascontiguousarray(picture[:height, :width])
                ours, theirs = detector.detect_stages(part), reference.detect(part)
                for stage, other in zip(ours.stages, theirs.stages, strict=True):
                    assert (stage.inputs, len(stage)) == (other.inputs, len(other))
                if len(ours.stages[0]):
                    proposals = np.sort(ours.stages[0].scores), np.sort(theirs.stages[0].scores)
                    assert np.abs(proposals[0] - proposals[1]).max() < SCORE


@pytest.mark.slow
def test_max_side(pictures, default_model, report_difference):
    """A larger picture counts as one of 300 pixels, and its faces are in its own pixels."""
    compare(pictures, default_model, report_difference, "bundled, max_side 300", max_side=300)
    path = next(path for path in pictures if path.stem == "grace_hopper")
    picture = read_picture(path)  # 512 x 600
    small = cv2.resize(picture, (256, 300), interpolation=cv2.INTER_AREA)
    with Detector(default_model, max_side=300) as detector:
        found, expected = detector.detect(picture), detector.detect(small)
    assert (found.levels, found.stages[0].inputs) == (expected.levels, expected.stages[0].inputs)
    assert np.abs(found.boxes[0] / 2 - expected.boxes[0]).max() < 4
    with Detector(default_model) as detector, Detector(default_model, max_side=600) as same:
        assert (detector.detect(picture).boxes == same.detect(picture).boxes).all()


@pytest.mark.slow
@pytest.mark.parametrize("min_face", [20, 24, 30, 45, 48, 21.7])
@pytest.mark.parametrize("border", [0, 0.3])
def test_same_pyramid(default_model, min_face, border):
    """Sizes of the levels are rounded equally: PNet has the same number of cells."""
    with Detector(default_model, min_face=min_face, border=border) as detector:
        reference = TorchDetector(default_model, min_face=min_face, border=border)
        for width in range(100, 2600, 25):
            height = math.ceil(min_face) + width % 7
            found = detector.detect(np.zeros((height, width), np.uint8), color="GRAY")
            levels = reference._levels(height, width)
            shapes = [reference._pnet.shape(*level.input_size) for level in levels]
            cells = sum(shape.height * shape.width for shape in shapes)
            assert (found.levels, found.stages[0].inputs) == (len(shapes), cells), (width, height)


@pytest.mark.slow
@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.tuples(*[st.integers(1, most) for most in (300, 30, 8)]))
def test_capped_boxes(default_model, pictures, max_boxes):
    """The same boxes of every stage, for any maximum number of them."""
    picture = next(read_picture(path) for path in pictures if path.stem == "astronaut")[:300, :300]
    options = {"max_boxes": max_boxes, "thresholds": (0.2, 0.05, 0.05)}
    with Detector(default_model, **options) as detector:
        ours = detector.detect_stages(picture)
    theirs = TorchDetector(default_model, **options).detect(picture)
    for stage, other, most in zip(ours.stages, theirs.stages, max_boxes, strict=True):
        assert stage.inputs == other.inputs
        assert len(stage.boxes) == len(other.boxes) <= most
        assert np.allclose(stage.boxes, other.boxes, atol=PIXELS)
        assert np.allclose(stage.scores, other.scores, atol=SCORE)
    assert len(ours.stages[0].boxes) > 0


def test_caps_have_an_effect(default_model, pictures):
    """Otherwise the test above would prove nothing."""
    low = {"thresholds": (0.2, 0.05, 0.05)}
    with Detector(default_model, **low) as detector:
        picture = next(read_picture(p) for p in pictures if p.stem == "astronaut")[:300, :300]
        found = [len(stage) for stage in detector.detect(picture).stages]
    assert found[0] > 150 and found[1] > 15 and found[2] > 4, found


@pytest.mark.slow
def test_wider_val(wider_val, default_model, report_difference):
    """50 pictures, spread over the events, at the low thresholds that evaluation uses."""
    paths = sorted(wider_val.glob("images/*/*.jpg"))
    assert len(paths) >= 50
    chosen = [paths[i * len(paths) // 50] for i in range(50)]
    compare(chosen, default_model, report_difference, "WIDER_val", thresholds=(0.5, 0.5, 0.3))
