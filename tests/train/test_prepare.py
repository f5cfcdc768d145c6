"""Preparation of samples from a small WIDER FACE and CNN_FacePoint."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from support.random_cascade import write_random_cascade
from support.small_wider import write_small_sets

from pymtcnn import read_picture
from pymtcnn.errors import ArgumentError, FileError, MtcnnError
from train_mtcnn.data import preparation
from train_mtcnn.data.landmark_sets import read_landmarks
from train_mtcnn.data.picture_samples import SampleSettings, held_out, landmark_samples
from train_mtcnn.data.preparation import prepare
from train_mtcnn.data.samples import Kind, Samples
from train_mtcnn.prepare_data import main

COUNT = 35  # pictures: three chunks
FEW = {"positives": 2, "parts": 1, "negatives": 6, "near": 1, "landmark_crops": 2, "mined": 5}


@pytest.fixture(scope="module")
def sets(tmp_path_factory, pictures):
    folder = tmp_path_factory.mktemp("small")
    write_small_sets(folder, pictures, COUNT)
    return folder


@pytest.fixture
def own(sets, tmp_path):
    """A copy to spoil."""
    shutil.copytree(sets, tmp_path / "own")
    return tmp_path / "own"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_random_cascade(tmp_path_factory.mktemp("model"))


def settings(net="pnet", **values):
    return SampleSettings(net, **(FEW | values))


def annotations(folder):
    return folder / "wider/wider_face_split/wider_face_train_bbx_gt.txt"


def image(folder, number):
    return folder / f"wider/WIDER_train/images/0--Small/{number}.png"


def content(out):
    return [(out / name).read_bytes() for name in ("crops.u8", "labels.bin")]


def run(sets, out, net="pnet", landmarks=False, **more):
    values = {
        key: more.pop(key) for key in list(more) if key in SampleSettings.__dataclass_fields__
    }
    return prepare(
        out,
        settings(net, **values),
        sets / "wider",
        sets / "landmarks" if landmarks else None,
        **more,
    )


# ---- what comes out ------------------------------------------------------------------------------


@pytest.mark.slow
def test_pnet(sets, tmp_path):
    report = run(sets, tmp_path)
    samples = Samples(tmp_path)
    kinds = np.bincount(samples.labels["kind"], minlength=4)
    assert samples.crops.shape[1:] == (12, 12, 3)
    assert report["pictures"] == COUNT and report["bad"] == []
    assert np.array(report["kinds"]).sum(1).tolist() == kinds.tolist()
    assert kinds[Kind.POSITIVE] > 3 * COUNT and kinds[Kind.PART] > COUNT and kinds[3] == 0
    assert kinds[Kind.NEGATIVE] > 6 * COUNT
    text = (tmp_path / "report.txt").read_text()
    assert f"{COUNT} pictures" in text and "positive" in text
    assert read_picture(tmp_path / "samples.png").size
    # One that was interrupted before its report is reported again.
    names = ("report.txt", "samples.png")
    shown = [(tmp_path / name).read_bytes() for name in names]
    for name in names:
        (tmp_path / name).unlink()
    assert run(sets, tmp_path) == report
    assert [(tmp_path / name).read_bytes() for name in names] == shown
    # A second call does nothing.
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert run(sets, tmp_path) == report
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == stamps


@pytest.mark.slow
def test_positives_show_their_faces(sets, tmp_path):
    """A crop of a face has the picture's pixels where the offsets locate the face."""
    run(sets, tmp_path)
    labels = Samples(tmp_path).labels
    near = labels[np.isin(labels["kind"], (Kind.POSITIVE, Kind.PART))]
    assert np.abs(near["offsets"]).max() < 1
    positive = labels[labels["kind"] == Kind.POSITIVE]
    corners = positive["offsets"] + (0, 0, 1, 1)
    longer = (corners[:, 2:] - corners[:, :2]).max(1)
    assert ((longer > 0.75) & (longer < 1.35)).all()
    assert np.allclose((corners[:, :2] + corners[:, 2:]) / 2, 0.5, atol=0.25)


@pytest.mark.slow
@pytest.mark.parametrize("net, side", [("rnet", 24), ("onet", 48)])
def test_mined(sets, tmp_path, model, net, side):
    values = {"pictures": 6, "detect_face": 60.0, "thresholds": (0.5, 0.5, 0.3)}
    report = run(sets, tmp_path / "with", net, model=model, landmarks=net == "onet", **values)
    run(sets, tmp_path / "none", net, model=model, mined=0, **values)
    with_, none = Samples(tmp_path / "with"), Samples(tmp_path / "none")
    assert with_.crops.shape[1:] == (side, side, 3)
    counts = [np.bincount(s.labels["kind"], minlength=4) for s in (with_, none)]
    assert counts[0][Kind.NEGATIVE] > counts[1][Kind.NEGATIVE]
    assert (counts[0][Kind.LANDMARK] > 0) == (net == "onet")
    stages = {name.split(",")[0] for name in report["recalls"]}
    assert stages == set(preparation.STAGES[net])
    assert "boxes each" in (tmp_path / "with/report.txt").read_text()


@pytest.mark.slow
def test_own_mistakes(sets, tmp_path, model):
    """`own` adds negatives that the network itself accepts, up to its limit."""
    values = {"pictures": 6, "detect_face": 40.0, "thresholds": (0.5, 0.1, 1), "mined": 0}
    run(sets, tmp_path / "none", "rnet", model=model, **values)
    run(sets, tmp_path / "own", "rnet", model=model, own=5, **values)
    none, own = (
        (Samples(tmp_path / name).labels["kind"] == Kind.NEGATIVE).sum() for name in ("none", "own")
    )
    assert none < own <= none + 5 * 6


def test_an_older_model_is_not_used_again(sets, tmp_path, model):
    run(sets, tmp_path / "fresh", pictures=4)
    run(sets, tmp_path / "rnet", "rnet", model=model, pictures=2, detect_face=60.0)
    run(sets, tmp_path / "again", pictures=4)
    assert content(tmp_path / "again") == content(tmp_path / "fresh")


def test_landmark_crops_show_their_points(sets):
    """Dots painted on the points are found again where the labels say."""
    face = next(f for f in read_landmarks(sets / "landmarks").faces if np.ptp(f.box[[0, 2]]) > 40)
    face = dataclasses.replace(face, points=np.round(face.points))
    pixels = np.zeros_like(read_picture(sets / "landmarks" / face.path))
    for point in range(5):
        pixels[:] = 0
        x, y = face.points[point].astype(int)
        pixels[y - 1 : y + 1, x - 1 : x + 1] = 255  # its middle is x, y
        crops, labels = landmark_samples(pixels, face, 6, 48, np.random.default_rng(0))
        scale = labels["size"][0] / 48
        for crop, label in zip(crops.astype(float).sum(3), labels):
            assert label["kind"] == Kind.LANDMARK
            places = (np.arange(48) + 0.5) / 48
            middle = [(crop.sum(axis) * places).sum() / crop.sum() for axis in (0, 1)]
            moved = np.array(middle) - label["landmarks"][point]
            assert np.abs(moved).max() * 48 * scale < 0.12  # pixels of the picture


def test_held_out():
    names = [f"0--Parade/{number}.jpg" for number in range(4000)]
    share = np.mean([held_out(name, 0.05) for name in names])
    assert 0.04 < share < 0.06
    assert not any(held_out(name, 0) for name in names)
    assert all(held_out(n, 0.2) for n in names if held_out(n, 0.05))


def test_all_networks_hold_out_the_same(sets, tmp_path, model):
    run(sets, tmp_path / "p", held=0.3, pictures=8)
    run(sets, tmp_path / "r", "rnet", held=0.3, pictures=8, model=model, detect_face=60.0, seed=5)
    names = [f"0--Small/{number * COUNT // 8}.png" for number in range(8)]
    held = {name for name in names if held_out(name, 0.3)}
    assert 0 < len(held) < 8
    for net in "pr":
        labels = Samples(tmp_path / net).labels
        # Pictures come one after the other, each beginning with its positives.
        changes = np.flatnonzero(np.diff(labels["held"]))
        assert labels["held"].any() and not labels["held"].all()
        flags = [held_out(name, 0.3) for name in names]
        assert len(changes) == np.count_nonzero(np.diff(flags))
        assert labels["held"][0] == flags[0]


# ---- jobs and breaks -----------------------------------------------------------------------------


@pytest.mark.slow
def test_jobs_and_interruptions_do_not_matter(sets, tmp_path, monkeypatch):
    whole = run(sets, tmp_path / "whole", landmarks=True)
    run(sets, tmp_path / "two", landmarks=True, jobs=2)
    assert content(tmp_path / "two") == content(tmp_path / "whole")

    made, chunk = [], preparation._chunk

    def breaking(task):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(task)
        return chunk(task)

    with monkeypatch.context() as patch:
        patch.setattr(preparation, "_chunk", breaking)
        with pytest.raises(KeyboardInterrupt):
            run(sets, tmp_path / "broken", landmarks=True)
    monkeypatch.setattr(preparation, "_chunk", lambda task: made.append(task) or chunk(task))
    report = run(sets, tmp_path / "broken", landmarks=True)
    assert [task[0] for task in made] == [0, 1, 2, 3]  # each was made once
    assert content(tmp_path / "broken") == content(tmp_path / "whole")
    assert {**report, "rate": 0} == {**whole, "rate": 0}


def test_other_annotations_are_other_samples(own, tmp_path):
    run(own, tmp_path / "out", pictures=3)
    before = content(tmp_path / "out")
    lines = annotations(own).read_text().split("\n")
    lines[2] = "5 5 60 60 0 0 0 0 0 0"
    annotations(own).write_text("\n".join(lines))
    run(own, tmp_path / "out", pictures=3)
    assert content(tmp_path / "out") != before


def test_damaged_samples_are_made_again(sets, tmp_path):
    run(sets, tmp_path, pictures=3)
    before = content(tmp_path)
    (tmp_path / "crops.u8").write_bytes(b"")
    run(sets, tmp_path, pictures=3)
    assert content(tmp_path) == before


# ---- bad data ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_bad_pictures_are_counted(own, tmp_path, jobs):
    image(own, 3).unlink()
    image(own, 5).write_bytes(image(own, 5).read_bytes()[:200])
    image(own, 7).write_bytes(b"")
    report = run(own, tmp_path / "out", jobs=jobs)
    assert report["pictures"] == COUNT - 3
    assert ["3.png" in report["bad"][0], "5.png" in report["bad"][1]] == [True, True]
    assert "7.png" in report["bad"][2] and len(report["bad"]) == 3
    text = (tmp_path / "out/report.txt").read_text()
    assert "3 pictures could not be read:" in text and "0--Small/5.png" in text


def test_no_readable_picture(own, tmp_path):
    good = image(own, 0).parent
    hidden = good.rename(good.with_name("hidden"))
    with pytest.raises(FileError, match=r"none of the pictures could be read; first: .*0\.png"):
        run(own, tmp_path / "out")
    hidden.rename(good)
    assert run(own, tmp_path / "out")["pictures"] == COUNT  # the same command, with the pictures


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "the annotations list no pictures"),
        ("0--Small/0.png\n", ":2: 'the end of the file', expected the number of faces"),
        ("0--Small/0.png\n2\n1 2 30 40 0 0 0 0 0 0\n", ":4: 'the end of the file', expected x y"),
        ("0--Small/0.png\n1\n1 2 30 40 0 0\n", ":3: '1 2 30 40 0 0', expected x y width"),
    ],
)
def test_bad_annotations(own, tmp_path, text, message):
    annotations(own).write_text(text)
    with pytest.raises(FileError, match=message):
        run(own, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_folders(own, tmp_path):
    shutil.rmtree(own / "wider/WIDER_train")
    with pytest.raises(FileError, match="no such folder; the training pictures belong there"):
        run(own, tmp_path / "out")
    annotations(own).unlink()
    with pytest.raises(FileError, match=r"wider_face_train_bbx_gt\.txt: cannot be read"):
        run(own, tmp_path / "out")


def test_skipped_faces_are_counted(own, tmp_path):
    rows = [
        "300 20 0 40 0 0 0 0 0 0",  # no width
        "300 20 40 -5 0 0 0 0 0 0",
        "5000 20 40 40 0 0 0 0 0 0",  # outside
        "300 20 40 40 0 0 0 1 0 0",  # invalid
        "10 10 8 9 0 0 0 0 0 0",  # small
        "60 30 50 60 0 0 0 0 0 0",
    ]
    annotations(own).write_text("\n".join(["0--Small/0.png", str(len(rows)), *rows]) + "\n")
    report = run(own, tmp_path / "out")
    assert report["skipped"] == {
        "box without an area": 2,
        "box outside the picture": 1,
        "marked invalid": 1,
        "smaller than 15 px": 1,
    }
    labels = Samples(tmp_path / "out").labels
    sizes = labels["size"][labels["kind"] == Kind.POSITIVE]
    assert len(sizes) and (sizes == 60).all()
    assert "2 box without an area" in (tmp_path / "out/report.txt").read_text()


def test_a_picture_without_faces(own, tmp_path):
    annotations(own).write_text("0--Small/0.png\n0\n0 0 0 0 0 0 0 0 0 0\n")
    report = run(own, tmp_path / "out")
    assert np.array(report["kinds"]).sum(1).tolist() == [6, 0, 0, 0]


# ---- the command line ----------------------------------------------------------------------------


@pytest.mark.parametrize("net", ["rnet", "onet"])
def test_later_networks_need_a_model(sets, tmp_path, net):
    with pytest.raises(ArgumentError, match=f"--net {net}: needs --model"):
        run(sets, tmp_path, net)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("thresholds, spoilt", [((0.5, 0.5, 2), None), ((0.5, 0.5, 0.5), "w")])
def test_a_bad_model_is_named(sets, tmp_path, jobs, thresholds, spoilt):
    model = write_random_cascade(tmp_path)
    if spoilt:
        (tmp_path / "rnet.weights").write_bytes(b"short")
    out = tmp_path / "out"
    with pytest.raises(MtcnnError, match=r"rnet\.weights" if spoilt else "thresholds"):
        run(sets, out, "rnet", model=model, jobs=jobs, thresholds=thresholds)
    assert not out.exists()


def test_command_line(sets, tmp_path, capsys):
    command = ["--net", "pnet", "--wider", str(sets / "wider"), "--out", str(tmp_path / "out")]
    assert main([*command, "--pictures", "3", "--jobs", "1", "--positives", "2"]) == 0
    out = capsys.readouterr().out
    assert "3 pictures" in out and f"written to {tmp_path / 'out'}/" in out
    about = json.loads((tmp_path / "out/samples.json").read_text())
    assert about["settings"]["positives"] == 2


@pytest.mark.parametrize(
    "options",
    [
        "--iou-part 0.7",
        "--iou-negative 0",
        "--negatives -1",
        "--seed -1",
        "--jobs 0",
        "--pictures 0",
        "--held 1",
        "--held nan",
        "--min-face 0",
        "--min-face nan",
        "--detect-face 0",
    ],
)
def test_options_out_of_range(sets, tmp_path, capsys, options):
    command = f"--net pnet --wider {sets}/wider --out {tmp_path}/out {options}"
    assert main(command.split()) == 1
    error = capsys.readouterr().err
    assert error.startswith("prepare_data.py: ") and error.count("\n") == 1
    assert not (tmp_path / "out").exists()
