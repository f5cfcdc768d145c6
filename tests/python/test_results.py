"""Results of a detection, as a sequence of faces and converted for other packages."""

from __future__ import annotations

import json
import pickle
import sys

import numpy as np
import pytest
from support.skips import import_peer

from pymtcnn import ArgumentError, Detections, Detector, Face, LibraryError, Stage, formats
from pymtcnn.faces import COLUMNS


def made_up(count: int) -> Detections:
    """This many faces of random numbers, with descending scores."""
    rng = np.random.default_rng(count)
    return Detections(
        boxes=rng.uniform(0, 100, (count, 4)).astype(np.float32),
        scores=np.linspace(0.99, 0.5, count, dtype=np.float32),
        landmarks=rng.uniform(0, 100, (count, 5, 2)).astype(np.float32),
        stages=(Stage("pnet", 1000, 20, 1.5),),
        levels=3,
        pyramid_ms=0.5,
        total_ms=4.0,
    )


@pytest.fixture
def faces() -> Detections:
    return made_up(5)


# ---- a sequence ----------------------------------------------------------------------------------


def test_iteration(faces):
    seen = list(faces)
    assert len(seen) == 5 and all(isinstance(face, Face) for face in seen)
    for i, (box, score, landmarks) in enumerate(faces):
        assert (box == faces.boxes[i]).all() and (landmarks == faces.landmarks[i]).all()
        assert type(score) is float and score == faces.scores[i]
    assert list(made_up(0)) == [] and not made_up(0)


def test_one_face(faces):
    for number in (2, -3, np.int64(2)):
        face = faces[number]
        assert isinstance(face, Face) and type(face.score) is float
        assert face.score == faces.scores[2] and (face.landmarks == faces.landmarks[2]).all()
    for number in (5, -6):
        with pytest.raises(IndexError):
            faces[number]


@pytest.mark.parametrize(
    ("which", "numbers"),
    [
        (slice(1, 3), [1, 2]),
        (slice(None, None, -2), [4, 2, 0]),
        ([3, 0], [3, 0]),
        ([], []),
        (np.array([4]), [4]),
        (np.array([True, False, False, True, False]), [0, 3]),
        ([False] * 5, []),
    ],
)
def test_some_faces(faces, which, numbers):
    some = faces[which]
    assert isinstance(some, Detections) and len(some) == len(numbers)
    for name, shape in (("boxes", (4,)), ("scores", ()), ("landmarks", (5, 2))):
        assert getattr(some, name).shape == (len(numbers), *shape)
        assert (getattr(some, name) == getattr(faces, name)[numbers]).all()
    assert (some.stages, some.levels, some.total_ms) == (faces.stages, 3, 4.0)


def test_a_mask_of_scores(faces):
    good = faces[faces.scores > 0.7]
    assert 0 < len(good) < 5 and (good.scores > 0.7).all()


@pytest.mark.parametrize("which", [np.ones(4, bool), np.ones((5, 4), bool), None, [[0], [1]], 1.5])
def test_what_picks_nothing(faces, which):
    with pytest.raises(IndexError):
        faces[which]


def test_pickling(faces):
    back = pickle.loads(pickle.dumps(faces))
    assert (back.boxes == faces.boxes).all() and back.stages[0].inputs == 1000


def test_reprs(faces):
    lines = repr(faces).splitlines()
    assert lines[0] == "Detections(5 faces, 4.00 ms)" and len(lines) == 6
    assert repr(faces[0]) == f"Face({lines[1].strip()})"
    assert repr(made_up(12)).splitlines()[-1] == "  ... 2 more"
    assert repr(made_up(0)) == "Detections(0 faces, 4.00 ms)"
    assert repr(faces.stages[0]) == "Stage(pnet: 1000 -> 20, 1.50 ms)"


# ---- other forms ---------------------------------------------------------------------------------


def numbers_of(face: dict) -> np.ndarray:
    return np.array([*face["box"], face["score"], *np.ravel(face["landmarks"])])


def test_dicts_are_the_command_lines_json(faces):
    dicts = faces.to_dicts()
    assert json.loads(json.dumps(dicts)) == dicts
    printed = json.loads(formats.json_line("a.jpg", 9, 9, faces))["faces"]
    assert [list(face) for face in printed] == [list(face) for face in dicts]
    for mine, theirs in zip(dicts, printed, strict=True):
        assert np.abs(numbers_of(mine) - numbers_of(theirs)).max() <= 5.01e-4
    assert dicts[1]["box"] == faces.boxes[1].tolist()
    assert dicts[1]["landmarks"] == faces.landmarks[1].tolist()
    assert made_up(0).to_dicts() == []


def test_pandas_has_the_columns_of_the_csv(faces):
    table = faces.to_pandas()
    assert ",".join(["image", *table.columns]) + "\n" == formats.csv_header()
    rows = np.stack([numbers_of(face) for face in faces.to_dicts()])
    assert (table.to_numpy() == rows).all()
    empty = made_up(0).to_pandas()
    assert empty.shape == (0, 15) and tuple(empty.columns) == COLUMNS


def test_supervision(faces):
    import_peer("supervision")
    found = faces.to_supervision()
    assert (found.xyxy == faces.boxes).all() and (found.confidence == faces.scores).all()
    assert (found.class_id == 0).all() and (found.data["landmarks"] == faces.landmarks).all()
    good = found[found.confidence > 0.7]
    assert len(good) == len(good.data["landmarks"]) == (faces.scores > 0.7).sum()
    assert len(made_up(0).to_supervision()) == 0


@pytest.mark.parametrize("name", ["pandas", "supervision"])
def test_a_library_that_is_missing(faces, name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(LibraryError, match=rf"^{name} cannot be loaded \(.*\); install {name}$"):
        getattr(faces, f"to_{name}")()


# ---- stages --------------------------------------------------------------------------------------


def test_stages_have_their_boxes_where_asked(default_model, pictures):
    for path in pictures:
        with Detector(default_model) as detector:
            light, found = detector.detect(path), detector.detect_stages(path)
        assert light.boxes.tobytes() == found.boxes.tobytes()
        for without, stage in zip(light.stages, found.stages, strict=True):
            assert (without.name, without.inputs) == (stage.name, stage.inputs)
            for name in ("boxes", "scores"):
                with pytest.raises(
                    ArgumentError, match=f"^boxes of {stage.name}: .*detect_stages$"
                ):
                    getattr(without, name)
            assert len(without) == without.count == stage.count == len(stage) > 0
            assert (stage.boxes.dtype, stage.boxes.shape) == (np.float32, (stage.count, 4))
            assert (stage.scores.dtype, stage.scores.shape) == (np.float32, (stage.count,))
            assert stage.boxes.flags.owndata and (np.diff(stage.scores) <= 0).all()
            assert (stage.boxes[:, :2] < stage.boxes[:, 2:]).all()
        assert (found.stages[2].scores == found.scores).all()


def test_stages_of_a_picture_without_a_face(default_model):
    with Detector(default_model) as detector:
        found = detector.detect_stages(np.zeros((1, 1, 3), np.uint8))
    assert [(stage.count, stage.boxes.shape) for stage in found.stages] == [(0, (0, 4))] * 3
