"""Faces drawn into pictures."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest

from pymtcnn import (
    ArgumentError,
    Detections,
    Detector,
    Tracks,
    draw,
    read_picture,
    write_picture,
)

BOX_COLOR = (60, 220, 70)
LEFT_COLOR, NOSE_COLOR, RIGHT_COLOR = (255, 70, 60), (255, 210, 0), (60, 150, 255)
LANDMARK_COLORS = (LEFT_COLOR, RIGHT_COLOR, NOSE_COLOR, LEFT_COLOR, RIGHT_COLOR)


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
    box = (drawn == BOX_COLOR).all(2)
    for border in (slice(39, 41), slice(79, 81)):  # two pixels, one on each side
        assert box[border, 29:71].all() and not box[82:].any()
    for border in (slice(29, 31), slice(69, 71)):
        assert box[39:81, border].all() and not box[39:, 72:].any()
    assert not box[45:75, 35:65].any()
    for (x, y), color in zip(points[0], LANDMARK_COLORS):
        assert (drawn[int(y), int(x)] == color).all()
    assert drawn[:38].any()  # the score is above the box


def test_as_the_program_draws(program, default_model, pictures, tmp_path):
    """The same pixels, also for labels."""
    copy = tmp_path / "copy.png"
    with Detector(default_model) as detector:
        for path in pictures:
            rgb = read_picture(path)
            write_picture(tmp_path / "picture.png", rgb)
            words = ["--model", default_model, "--out", copy, tmp_path / "picture.png"]
            subprocess.run([*map(str, [program, *words])], check=True, capture_output=True)
            faces = detector.detect(rgb)
            assert len(faces)
            assert (read_picture(copy) == draw(rgb, faces)).all()
            assert (read_picture(copy) != rgb).any()


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


def test_drawing_ids():
    black = np.zeros((100, 120, 3), np.uint8)
    faces = detections((30, 40, 70, 80), landmarks=np.full((1, 5, 2), 60.0))
    tracks = Tracks(
        faces.boxes,
        faces.scores,
        faces.landmarks,
        ids=np.array([7], np.uint32),
        ages=np.zeros(1, np.uint32),
    )
    assert (draw(black, tracks) == draw(black, faces, labels=["#7 0.90"])).all()
    assert (draw(black, tracks) != draw(black, faces)).any()
    assert (draw(black, tracks, labels=["x"]) == draw(black, faces, labels=["x"])).all()


def test_drawing_characters():
    """Each printable one looks different; all others are the same box."""
    black = np.zeros((100, 120, 3), np.uint8)
    faces = detections((30, 40, 70, 80))
    looks = {draw(black, faces, labels=[f"<{chr(code)}>"]).tobytes() for code in range(32, 127)}
    assert len(looks) == 95
    box = draw(black, faces, labels=["<\x7f>"])
    for other in ("\x01", "é", "漢", "😀"):
        assert (draw(black, faces, labels=[f"<{other}>"]) == box).all()
    assert box.tobytes() not in looks


def test_drawing_without_landmarks():
    """PNet and RNet find none, and propose more boxes than there is room for scores."""
    black = np.zeros((100, 120, 3), np.uint8)
    faces = detections((30, 40, 70, 80))
    assert not draw(black, faces)[:39].any()
    assert draw(black, faces, labels=["x"])[:39].any()


def test_drawing_nothing(noise):
    drawn = draw(noise, detections())
    assert (drawn == noise).all() and not np.shares_memory(drawn, noise)


def test_drawing_outside(noise):
    inside = draw(noise, detections((-50, -1e9, 1e9, 20), (1e30, 0, 1e31, 3)))
    assert inside.shape == noise.shape
