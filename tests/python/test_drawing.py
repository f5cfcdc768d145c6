"""Faces drawn into pictures."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest

from pymtcnn import (
    ArgumentError,
    Detections,
    Detector,
    draw,
    drawing,
    read_picture,
    write_picture,
)


def detections(*boxes, landmarks=None) -> Detections:
    count = len(boxes)
    points = np.zeros((count, 5, 2)) if landmarks is None else np.array(landmarks)
    return Detections(
        boxes=np.array(boxes, np.float32).reshape(count, 4),
        scores=np.full(count, 0.9, np.float32),
        landmarks=points.astype(np.float32),
    )


def test_drawing():
    black = np.zeros((100, 120, 3), np.uint8)
    points = [[[40.5, 50.5], [60.5, 50.5], [50.5, 60.5], [42.5, 70.5], [58.5, 70.5]]]
    drawn = draw(black, detections((30, 40, 70, 80), landmarks=points))
    assert (black == 0).all()
    box = (drawn == drawing.BOX_COLOR).all(2)
    for border in (slice(39, 41), slice(79, 81)):  # two pixels, one on each side
        assert box[border, 29:71].all() and not box[82:].any()
    for border in (slice(29, 31), slice(69, 71)):
        assert box[39:81, border].all() and not box[39:, 72:].any()
    assert not box[45:75, 35:65].any()
    for (x, y), color in zip(points[0], drawing.LANDMARK_COLORS):
        assert (drawn[int(y), int(x)] == color).all()
    assert drawn[:38].any()  # the score stands above the box


def test_as_the_program_draws(program, default_model, pictures, tmp_path):
    """All but the labels, whose fonts differ: the same pixels."""
    copy = tmp_path / "copy.png"
    with Detector(default_model) as detector:
        for path in pictures:
            rgb = read_picture(path)
            write_picture(tmp_path / "picture.png", rgb)
            words = ["--model", default_model, "--out", copy, tmp_path / "picture.png"]
            subprocess.run([*map(str, [program, *words])], check=True, capture_output=True)
            faces = detector.detect(rgb)
            assert len(faces)
            different = (read_picture(copy) != draw(rgb, faces)).any(2)
            for x1, y1, x2, _ in faces.boxes.astype(int):
                label = different[max(0, y1 - 40) : y1, max(0, x1 - 2) : x2]
                assert label.any()
                label[:] = False
            assert not different.any()


def test_drawing_labels():
    black = np.zeros((100, 120, 3), np.uint8)
    points = np.full((2, 5, 2), 60.0)
    faces = detections((30, 40, 70, 80), (80, 40, 110, 80), landmarks=points)
    scores = draw(black, faces)
    assert (draw(black, faces, labels=["0.90", "0.90"]) == scores).all()
    assert (draw(black, faces, labels=iter([0.9, "0.90"])) != scores).any()
    blank = draw(black, faces, labels=["", ""])
    assert not blank[:39].any() and scores[:39].any() and (blank[40:] == scores[40:]).all()
    for labels in ([], ["1"], range(3)):
        with pytest.raises(ArgumentError, match=f"^{len(labels)} labels for 2 faces"):
            draw(black, faces, labels=labels)


def test_drawing_nothing(noise):
    drawn = draw(noise, detections())
    assert (drawn == noise).all() and not np.shares_memory(drawn, noise)


def test_drawing_outside(noise):
    inside = draw(noise, detections((-50, -1e9, 1e9, 20), (1e30, 0, 1e31, 3)))
    assert inside.shape == noise.shape
