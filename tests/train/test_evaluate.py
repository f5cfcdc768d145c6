"""WIDER FACE: its files, the official protocol, the program."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ROOT
from support.random_cascade import write_random_cascade
from support.tiny_wider import EVENTS, PREDICTIONS, write_annotations, write_tiny_wider, write_truth

from pymtcnn.errors import FileError
from train_mtcnn import evaluate as program
from train_mtcnn.data.wider import (
    SETS,
    Truth,
    read_annotations,
    read_prediction,
    read_truth,
    usable,
    write_prediction,
)
from train_mtcnn.evaluation.average_precision import average_precision, evaluate
from train_mtcnn.evaluation.evaluation_results import read_results
from train_mtcnn.evaluation.wider_measures import measure, read_valid_faces


@pytest.fixture(scope="session")
def wider(data_dir):
    """WIDER FACE, real pictures and annotations."""
    return data_dir / "wider"


# ---- annotations ---------------------------------------------------------------------------------

FACE = "10 20 30 40 0 1 0 0 2 0 \n"
NO_FACE = "0--Parade/none.jpg\n0\n0 0 0 0 0 0 0 0 0 0 \n"


def test_annotations(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text(
        f"1--A/a b.jpg\n2\n{FACE}5 6 0 7 2 0 1 1 0 1\n{NO_FACE}1--A/c.jpg\n1\n{FACE}"
        "2--B/d.jpg\n0\n2--B/e.jpg\n0\n0 0 0 0 0 0 0 0 0 0\n".replace("\n", "\r\n")
    )
    pictures = read_annotations(path)
    assert [p.path for p in pictures] == [
        *("1--A/a b.jpg", "0--Parade/none.jpg", "1--A/c.jpg", "2--B/d.jpg", "2--B/e.jpg")
    ]
    assert [len(p.boxes) for p in pictures] == [2, 0, 1, 0, 0]
    assert pictures[0].boxes.tolist() == [[10, 20, 40, 60], [5, 6, 5, 13]]
    assert pictures[0].attributes[1].tolist() == [2, 0, 1, 1, 0, 1]
    assert pictures[0].invalid.tolist() == [False, True]
    assert pictures[1].boxes.shape == (0, 4) and pictures[1].attributes.shape == (0, 6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.jpg\n", "x.txt:2: 'the end of the file', expected the number of faces"),
        ("a.jpg\n-1\n", "x.txt:2: '-1', expected the number of faces"),
        ("1\n" + FACE, "x.txt:1: '1', expected the path of a picture"),
        ("a.jpg\n2\n" + FACE, "x.txt:4: 'the end of the file', expected x y width height"),
        ("a.jpg\n1\n" + FACE + FACE, "x.txt:4: '10 20 30 40 0 1 0 0 2 0', expected the path"),
        (
            "a.jpg\n1\n1 2 3 4\n",
            "x.txt:3: '1 2 3 4', expected x y width height, in pixels, and 6 flags",
        ),
        ("a.jpg\n1\n" + FACE.replace("30", "30,5"), "x.txt:3: '10 20 30,5 40"),
        ("a.jpg\n1\n" + FACE.replace("30", "nan"), "x.txt:3: '10 20 nan 40"),
        ("a.jpg\n1\n10 20 30 40 0 1 0 0 2.5 0\n", "whole numbers; mend the line, or"),
        ("a\n1\n" + FACE, "x.txt:1: 'a', expected the path of a picture with its ending"),
        ("a.jpg\n\n1.5\n" + FACE, "x.txt:3: '1.5', expected the number of faces"),
        ("a.jpg\n\n2\n\n" + FACE + "\n\nb.jpg\n1\n", "x.txt:8: 'b.jpg', expected x y"),
        ("a.jpg\n1\n" + FACE.replace("30", "9" * 30), "x.txt:3: '10 20 999"),
        ("a.jpg\n99999999999\n" + FACE, "x.txt:4: 'the end of the file'"),
    ],
)
def test_annotation_errors(tmp_path, text, message):
    (tmp_path / "x.txt").write_text(text)
    with pytest.raises(FileError) as error:
        read_annotations(tmp_path / "x.txt")
    assert message in str(error.value)


def test_annotations_of_other_programs(tmp_path):
    text = (
        "mine/a b.webp\n\n1\n10.5 20.25 30.0 40.5 0 0 0 1 0 0\n\n"
        "mine\\c.BMP\r\n0\r\n0.0 0 0 0 0 0 0 0 0 0\r\n\r\n"
        "d.jp2\n0\n  \ne.avif\n1\n1e2 2 3 4 0 0 0 0 0 0\n\n\n"
    )
    (tmp_path / "x.txt").write_text(text, newline="")
    read = read_annotations(tmp_path / "x.txt")
    assert [each.path for each in read] == ["mine/a b.webp", "mine/c.BMP", "d.jp2", "e.avif"]
    assert read[0].boxes.tolist() == [[10.5, 20.25, 40.5, 60.75]] and read[0].invalid.all()
    assert read[3].boxes.tolist() == [[100, 2, 103, 6]]
    assert [len(each.boxes) for each in read] == [1, 0, 0, 1]


@given(st.integers(0, 10**6))
def test_annotations_cut_anywhere(tmp_path_factory, position):
    """A truncated file is an error, or holds the complete entries before the cut."""
    text = f"1--A/a.jpg\n2\n{FACE}5 6 12 7 2 0 1 1 0 1\n{NO_FACE}1--A/c.jpg\n12\n" + 12 * FACE
    path = tmp_path_factory.mktemp("cut") / "x.txt"
    path.write_text(text)
    whole = read_annotations(path)
    path.write_text(text[: position % len(text)])
    try:
        read = read_annotations(path)
    except FileError as error:
        assert re.search(r"x\.txt:\d+: .*unpack the download again$", str(error))
        return
    for picture, expected in zip(read, whole):
        assert picture.path == expected.path
        assert np.array_equal(picture.boxes, expected.boxes)


def test_usable(tmp_path):
    lines = {  # of a picture of 100 x 50 pixels
        "90 40 30 30 0 0 0 0 0 0": None,
        "-5 -5 6 6 0 0 0 0 0 0": None,
        "5 5 0 9 0 0 0 0 0 0": "box without an area",
        "5 5 9 -3 0 0 0 0 0 0": "box without an area",
        "100 5 9 9 0 0 0 0 0 0": "box outside the picture",
        "5 -9 9 9 0 0 0 0 0 0": "box outside the picture",
        "5 5 9 9 0 0 0 1 0 0": "marked invalid",
        "5 5 0 0 0 0 0 1 0 0": "marked invalid",
        "999 5 0 9 0 0 0 0 0 0": "box without an area",
    }
    (tmp_path / "x.txt").write_text("\n".join(["a.jpg", str(len(lines)), *lines, NO_FACE]))
    picture, empty = read_annotations(tmp_path / "x.txt")
    keep, skipped = usable(picture, 100, 50)
    assert keep.tolist() == [reason is None for reason in lines.values()]
    assert skipped == Counter(filter(None, lines.values()))
    keep, skipped = usable(empty, 100, 50)
    assert keep.shape == (0,) and not skipped


def test_real_annotations(wider):
    split = wider / "wider_face_split"
    pictures = read_annotations(split / "wider_face_val_bbx_gt.txt")
    truth = read_truth(split)
    assert {p.path for p in pictures} == {f"{t.event}/{t.name}.jpg" for t in truth}
    boxes = {f"{t.event}/{t.name}.jpg": t.boxes for t in truth}
    assert sum(len(p.boxes) for p in pictures) == sum(map(len, boxes.values())) > 0
    for picture in pictures:
        corners = picture.boxes.copy()
        corners[:, 2:] -= corners[:, :2]
        assert np.array_equal(corners, boxes[picture.path])
    train = np.concatenate(
        [p.boxes for p in read_annotations(split / "wider_face_train_bbx_gt.txt")]
    )
    assert (train[:, :2] < train[:, 2:]).all(1).mean() > 0.999  # corners, not sides


# ---- the protocol --------------------------------------------------------------------------------


def test_by_hand(tmp_path):
    write_truth(tmp_path / "split", EVENTS)
    for (event, name), faces in PREDICTIONS.items():
        faces = np.array(faces).reshape(-1, 5)[::-1]  # to be put in order
        boxes = np.hstack([faces[:, :2], faces[:, :2] + faces[:, 2:4]])
        write_prediction(tmp_path / "out", event, name, boxes, faces[:, 4])
    truth = read_truth(tmp_path / "split")
    assert [(t.event, t.name) for t in truth] == list(PREDICTIONS)
    curves = evaluate(truth, [read_prediction(tmp_path / "out", t.event, t.name) for t in truth])

    assert {name: curve.faces for name, curve in curves.items()} == {
        **{"easy": 2, "medium": 2, "hard": 3}
    }
    # Normalised scores: 0.8, 0.6, 0.4, 0.
    at = {score: round((1 - score) * 1000) - 1 for score in (0.805, 0.795, 0.595, 0.395, 0.0)}
    expected = {  # precision and recall at each
        "easy": {0.805: (0, 0), 0.795: (1, 1 / 2), 0.595: (1, 1 / 2), 0.395: (1 / 2, 1 / 2)},
        "medium": {0.805: (0, 0), 0.795: (0, 0), 0.595: (1, 1 / 2), 0.395: (1, 1 / 2)},
        "hard": {0.805: (0, 0), 0.795: (1, 1 / 3), 0.595: (1, 2 / 3), 0.395: (2 / 3, 2 / 3)},
    }
    expected["easy"][0.0] = (1 / 3, 1 / 2)
    expected["medium"][0.0] = (1 / 2, 1 / 2)
    expected["hard"][0.0] = (2 / 4, 2 / 3)
    for name, points in expected.items():
        for score, (precision, recall) in points.items():
            assert curves[name].precision[at[score]] == pytest.approx(precision), (name, score)
            assert curves[name].recall[at[score]] == pytest.approx(recall), (name, score)
    assert [curves[name].ap for name in SETS] == pytest.approx([1 / 2, 1 / 2, 2 / 3])


def truth_of(boxes, counted):
    boxes = np.array(boxes, float)
    return Truth("e", "n", boxes, dict.fromkeys(SETS, np.array(counted, bool)))


def test_overlap_counts_last_pixels():
    """4 + 1 by 9 + 1 pixels of 10 x 10 are half of it."""
    truth = truth_of([[0, 0, 9, 9]], [True])
    for width, ap in ((4, 1), (3.99, 0)):
        assert evaluate([truth], [np.array([[0, 0, width, 9, 0.3]])])["hard"].ap == ap


def test_average_precision_by_hand():
    recall, precision = np.array([0.2, 0.4, 0.4, 0.8]), np.array([1, 0.5, 0.25, 0.75])
    assert average_precision(recall, precision) == pytest.approx(0.2 * 1 + 0.6 * 0.75)


def test_no_prediction_at_all():
    curves = evaluate([truth_of([[0, 0, 9, 9]], [True])], [np.zeros((0, 5))])
    assert curves["easy"].ap == 0 and curves["easy"].faces == 1


def matlab(truth, predictions, name):
    """The authors' code, statement by statement."""
    scores = np.concatenate([p[:, 4] for p in predictions])
    low, high = scores.min(), scores.max()
    total, faces = np.zeros((1000, 2)), 0
    for picture, pred in zip(truth, predictions, strict=True):
        keep = picture.counted[name]
        faces += keep.sum()
        if not len(pred) or not len(keep):
            continue
        recalls, proposals = np.zeros(len(keep)), np.ones(len(pred))
        pred_recall = np.zeros(len(pred))
        for h, (x, y, w, h_, _) in enumerate(pred):
            overlaps = []
            for gx, gy, gw, gh in picture.boxes:
                iw = min(x + w, gx + gw) - max(x, gx) + 1
                ih = min(y + h_, gy + gh) - max(y, gy) + 1
                union = (w + 1) * (h_ + 1) + (gw + 1) * (gh + 1) - iw * ih
                overlaps.append(iw * ih / union if iw > 0 and ih > 0 else 0)
            best = int(np.argmax(overlaps))
            if overlaps[best] >= 0.5:
                if not keep[best]:
                    recalls[best] = proposals[h] = -1
                elif recalls[best] == 0:
                    recalls[best] = 1
            pred_recall[h] = (recalls == 1).sum()
        for t in range(1, 1001):
            last = np.flatnonzero((pred[:, 4] - low) / (high - low) >= 1 - t / 1000)
            if len(last):
                total[t - 1] += (proposals[: last[-1] + 1] == 1).sum(), pred_recall[last[-1]]
    precision = [found / count if count else 0 for count, found in total]
    return average_precision(total[:, 1] / max(faces, 1), np.array(precision))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_against_the_authors_code(seed):
    random = np.random.default_rng(seed)
    truth, predictions = [], []
    for _ in range(random.integers(1, 4)):
        boxes = random.integers(1, 30, (random.integers(0, 6), 4))
        truth.append(truth_of(boxes.reshape(-1, 4), random.random(len(boxes)) < 0.6))
        near = boxes[random.integers(0, len(boxes), 6)] if len(boxes) else np.ones((2, 4))
        near = near + random.integers(-2, 3, near.shape)
        scores = np.sort(random.integers(0, 7, len(near)))[::-1]
        predictions.append(np.column_stack([near, scores]).astype(float))
    predictions[0][-1, 4] = -1  # so that scores differ
    expected = matlab(truth, predictions, "hard")
    assert evaluate(truth, predictions)["hard"].ap == pytest.approx(expected, abs=1e-12)


def test_truth_as_prediction(wider):
    truth = read_truth(wider / "wider_face_split")
    perfect = [np.column_stack([t.boxes, np.full(len(t.boxes), 0.9)]) for t in truth]
    perfect[0][0, 4] = 0.8
    curves = evaluate(truth, perfect)
    for name in SETS:
        assert 0.995 < curves[name].ap <= 1
    shifted = [faces + np.array([1000, 0, 0, 0, 0]) for faces in perfect]
    assert evaluate(truth, shifted)["hard"].ap < 0.01


def test_prediction_files(tmp_path):
    boxes = np.array([[1.5, 2, 4, 6], [0, 0, 1, 1]], np.float32)
    write_prediction(tmp_path, "1--A", "x", boxes, np.array([0.25, 0.75], np.float32))
    assert (tmp_path / "1--A" / "x.txt").read_text() == (
        "1--A/x.jpg\n2\n0.000 0.000 1.000 1.000 0.75000000\n1.500 2.000 2.500 4.000 0.25000000\n"
    )
    write_prediction(tmp_path, "1--A", "y", boxes[:0], np.zeros(0))
    assert read_prediction(tmp_path, "1--A", "y").shape == (0, 5)
    with pytest.raises(FileError, match=r"z\.txt: cannot be read"):
        read_prediction(tmp_path, "1--A", "z")
    for text in ("x\n", "x\n2\n1 2 3 4 5\n", "x\n1\n1 2 3 4\n", "x\n1\n1 2 3 4 nan\n", "x\ny\n"):
        (tmp_path / "1--A" / "z.txt").write_text(text)
        with pytest.raises(FileError, match=r"z\.txt: not of the official form"):
            read_prediction(tmp_path, "1--A", "z")


def test_truth_errors(tmp_path):
    split = tmp_path / "split"
    with pytest.raises(FileError, match=r"wider_easy_val\.mat: cannot be read"):
        read_truth(split)
    write_truth(split, EVENTS)
    (split / "wider_hard_val.mat").write_bytes(b"no mat file" * 100)
    with pytest.raises(FileError, match=r"wider_hard_val\.mat: not a \.mat file"):
        read_truth(split)
    write_truth(tmp_path / "other", dict(list(EVENTS.items())[:1]))
    (tmp_path / "other" / "wider_hard_val.mat").replace(split / "wider_hard_val.mat")
    with pytest.raises(FileError, match=r"wider_hard_val\.mat: lists other pictures"):
        read_truth(split)


# ---- the program ---------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path):
    return write_tiny_wider(tmp_path / "data")


def read_all(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.txt")}


@pytest.mark.slow
def test_program(tmp_path, data, capsys):
    model = write_random_cascade(tmp_path)
    out = tmp_path / "out"
    command = ["--data", str(data), "--backend", "torch", "--model", str(model), "--min-face", "40"]
    assert program.main([*command, "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "easy         2  0." in shown and "thresholds: 0.5 0.5 0.3" in shown
    results = json.loads((out / "results.json").read_text())
    assert results["faces"] == {"easy": 2, "medium": 2, "hard": 3}
    assert results["settings"]["median_ms"] == round(results["settings"]["median_ms"], 2) > 0
    assert results["settings"]["min_face"] == 40 and results["settings"]["pictures"] == 3
    assert f"{results['ap']['hard']:.4f}" in (out / "results.txt").read_text()
    assert (out / "precision_recall.png").read_bytes()[:4] == b"\x89PNG"
    assert sorted(path.name for path in out.glob("*")) == [
        *("curves.npz", "precision_recall.png", "predictions", "predictions-pnet"),
        *("predictions-rnet", "recall_by_size.png", "results.json", "results.txt"),
        "settings.json",
    ]
    assert list(results["stages"]) == ["pnet", "rnet", "final"]
    assert results["stages"]["final"]["ap"] == results["ap"]
    boxes = [row["boxes_per_picture"] for row in results["stages"].values()]
    assert boxes[0] > boxes[2] == results["settings"]["detections"] / 3
    assert results["faces_by_size"]["50-100"] == 2 and list(results["found_at"]) == ["0.1", "1"]
    predictions = read_all(out / "predictions")
    counts = [int(content.split(b"\n")[1]) for content in predictions.values()]
    assert results["settings"]["detections"] == sum(counts) and "faces" not in results["settings"]
    assert sorted(map(str, predictions)) == ["0--Parade/a.txt", "0--Parade/none.txt", "1--B/b.txt"]
    assert any(content.count(b"\n") > 2 for content in predictions.values())

    # --resume keeps existing results, and only with the same settings.
    kept, gone = out / "predictions/0--Parade/a.txt", out / "predictions/1--B/b.txt"
    assert program.main([*command, "--out", str(out), "--resume"]) == 0  # all is there
    resumed = json.loads((out / "results.json").read_text())["settings"]
    assert (resumed["detected"], resumed["detections"]) == (0, sum(counts))
    assert "median_ms" not in resumed
    kept.write_text("0--Parade/a.jpg\n0\n")
    gone.unlink()
    assert program.main([*command, "--out", str(out), "--resume"]) == 0
    assert "detected: 1" in capsys.readouterr().out
    assert kept.read_text() == "0--Parade/a.jpg\n0\n"
    assert gone.read_bytes() == predictions[Path("1--B/b.txt")]
    proposals = out / "predictions-pnet/1--B/b.txt"
    before = proposals.read_bytes()
    proposals.unlink()  # a picture is done when all of its stages exist
    assert program.main([*command, "--out", str(out), "--resume"]) == 0
    assert "detected: 1" in capsys.readouterr().out and proposals.read_bytes() == before
    other = [*command, "--out", str(out), "--resume", "--scale-factor", "0.8"]
    before = read_all(out)
    for words in (other, [word for word in other if word != "--resume"]):
        assert program.main(words) == 1
        message = capsys.readouterr().err.splitlines()[-1]
        assert "settings.json: the predictions there were made with other settings" in message
        assert "--force" in message and read_all(out) == before
    write_random_cascade(tmp_path, seed=1)  # the same path, other weights
    assert program.main([*command, "--out", str(out), "--resume"]) == 1
    (out / "settings.json").write_text("no JSON")
    write_random_cascade(tmp_path)
    assert program.main([*command, "--out", str(out)]) == 1
    assert program.main([*command, "--out", str(out), "--force", "--resume"]) == 0
    assert read_all(out / "predictions") == predictions

    # Any number of processes makes the same predictions.
    assert program.main([*command, "--out", str(tmp_path / "two"), "--jobs", "2"]) == 0
    assert read_all(tmp_path / "two" / "predictions") == predictions

    # Existing predictions.
    capsys.readouterr()
    again = ["--data", str(data), "--predictions", str(out / "predictions")]
    assert program.main(again) == 0
    assert f"{results['ap']['hard']:.4f}" in capsys.readouterr().out
    assert program.main([*again, "--pictures", "1", "--out", str(tmp_path / "three")]) == 0
    assert json.loads((tmp_path / "three/results.json").read_text())["settings"]["pictures"] == 1
    gone.unlink()
    assert program.main(again) == 1
    assert "b.txt: missing" in capsys.readouterr().err

    # Another program's predictions have no stages.
    (out / "predictions").rename(tmp_path / "theirs")
    gone = tmp_path / "theirs/1--B/b.txt"
    gone.write_bytes(predictions[Path("1--B/b.txt")])
    command = ["--data", str(data), "--predictions", str(tmp_path / "theirs")]
    assert program.main([*command, "--out", str(tmp_path / "four")]) == 0
    assert list(read_results(tmp_path / "four").values["stages"]) == ["final"]

    # Other results are not overwritten without a request.
    assert program.main([*command, "--out", str(tmp_path / "four")]) == 0
    capsys.readouterr()
    assert program.main([*command, "--out", str(out)]) == 1
    assert "results.json: holds the results of a model; give" in capsys.readouterr().err
    assert program.main([*command, "--out", str(out), "--force"]) == 0


def test_recall_ignores_invalid_faces(tmp_path):
    split = tmp_path / "split"
    write_truth(split, EVENTS)
    write_annotations(split, EVENTS, invalid=["a"])
    truth = read_truth(split)
    faces = read_valid_faces(split, truth)
    assert [len(boxes) for boxes in faces] == [2, 0, 1]
    assert faces[0].tolist() == [[200, 0, 299, 99], [400, 0, 409, 9]]
    rows = [np.array(PREDICTIONS[t.event, t.name]).reshape(-1, 5) for t in truth]
    values, curves = measure(truth, faces, {"pnet": rows, "final": [row[:1] for row in rows]})
    # Faces of 99, 9 and 20 pixels; only PNet has the first.
    assert list(values["faces_by_size"].values()) == [1, 0, 1, 0, 1, 0, 0]
    recall = values["stages"]["pnet"]["recall_by_size"]
    assert list(recall.values()) == [0, None, 0, None, 1, None, None]
    assert values["stages"]["pnet"]["recall"] == 1 / 3
    assert values["stages"]["final"]["recall"] == 0
    assert values["stages"]["pnet"]["boxes_per_picture"] == 5 / 3
    assert values["ap"] == values["stages"]["final"]["ap"] != values["stages"]["pnet"]["ap"]
    assert curves["hard"].shape == (2, 1000) and set(curves) == set(SETS)
    (split / "wider_face_val_bbx_gt.txt").write_text(NO_FACE)
    with pytest.raises(FileError, match=r"gt\.txt: lacks 0--Parade/a\.jpg"):
        read_valid_faces(split, truth)


@pytest.mark.slow
def test_on_real_pictures(tmp_path, wider, default_model):
    """Three pictures; each stage leaves fewer boxes, and its proposals cover most larger faces."""
    command = ["--data", str(wider), "--model", str(default_model), "--pictures", "3"]
    landmarks = wider.parent / "landmarks"
    if landmarks.is_dir():
        short = tmp_path / "landmarks"
        short.mkdir()
        (short / "AFLW").symlink_to(landmarks / "AFLW")
        lines = (landmarks / "testImageList.txt").read_text().splitlines()[:20]
        (short / "testImageList.txt").write_text("\n".join(lines))
        command += ["--landmarks", str(short)]
    assert program.main([*command, "--out", str(tmp_path / "out")]) == 0
    values = read_results(tmp_path / "out").values
    boxes = [row["boxes_per_picture"] for row in values["stages"].values()]
    assert boxes[0] > 3 * boxes[1] > 3 * boxes[2] > 3
    assert values["ap"]["easy"] > 0.5 and values["stages"]["pnet"]["recall"] > 0.4
    assert values["found_at"]["0.1"]["recall"] <= values["found_at"]["1"]["recall"] > 0.3
    if landmarks.is_dir():
        assert values["landmarks"]["faces"] + values["landmarks"]["left_out"] == 20
        assert 0.03 < values["landmarks"]["mean"] < 0.2


def test_program_errors(tmp_path, data, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = write_random_cascade(tmp_path)
    command = ["--backend", "torch", "--model", str(model), "--min-face", "40"]

    def fails(*args):
        assert program.main([*command, *map(str, args)]) == 1
        message = capsys.readouterr().err
        assert message.count("\n") == 1
        return message

    assert "nowhere/wider_face_split: no such folder; --data is" in fails("--data", "nowhere")
    missing = data / "WIDER_val/images/1--B/b.jpg"
    content = missing.read_bytes()
    missing.write_bytes(content[:100])
    assert "b.jpg" in fails("--data", data)
    missing.unlink()
    assert "b.jpg: cannot be read" in fails("--data", data)
    assert "no.data: cannot be read" in fails("--data", data, "--model", "no.data")
    (tmp_path / "file").write_text("")
    assert "file/predictions-pnet: cannot be made" in fails("--data", data, "--out", "file")
    assert "testImageList.txt: cannot be read" in fails("--data", data, "--landmarks", "none")
    assert "FDDB-folds: no FDDB-fold" in fails("--data", data, "--fddb", "none")
    (data / "WIDER_val").rename(data / "WIDER_test")
    assert "images: no such folder" in fails("--data", data)

    for option in ("--landmarks", "--fddb"):
        assert program.main(["--data", str(data), "--predictions", "x", option, "y"]) == 2
        assert "leave out --landmarks" in capsys.readouterr().err
    for option, value in (
        *(("--min-face", "0"), ("--min-face", "20,30"), ("--thresholds", "0.5,0.5")),
        *(("--scale-factor", "1"), ("--pictures", "0"), ("--jobs", "x")),
    ):
        assert program.main(["--data", str(data), option, value]) == 2
        assert option in capsys.readouterr().err


@pytest.mark.slow
def test_script_runs_from_any_folder(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "train_mtcnn" / "evaluate.py", "--help"],
        **{"cwd": tmp_path, "capture_output": True, "text": True, "check": False},
    )
    assert done.returncode == 0 and done.stdout.startswith("usage: evaluate.py")


def test_negative_threshold(tmp_path, capsys):
    assert program.main(["--data", str(tmp_path), "--thresholds", "-0.1,0.5,0.3"]) == 2
    assert "each 0 to 1" in capsys.readouterr().err
