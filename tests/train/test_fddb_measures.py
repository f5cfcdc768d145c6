"""FDDB measured with a model."""

import json

import cv2
import numpy as np
import pytest
from support.random_cascade import write_random_cascade
from support.tiny_wider import write_tiny_wider

from pymtcnn.errors import FileError
from train_mtcnn import evaluate as program
from train_mtcnn.data.fddb import read_folds
from train_mtcnn.data.wider import write_prediction
from train_mtcnn.evaluation import fddb_measures
from train_mtcnn.evaluation.evaluation_results import read_results
from train_mtcnn.evaluation.fddb_roc import Roc

PICTURES = ("2002/08/11/big/img_1", "2003/01/02/big/img_2")


@pytest.fixture
def fddb(tmp_path):
    """An FDDB of two noisy pictures with one round face each."""
    folder = tmp_path / "fddb"
    (folder / "FDDB-folds").mkdir(parents=True)
    random = np.random.default_rng(0)
    for number, name in enumerate(PICTURES, 1):
        fold = folder / "FDDB-folds" / f"FDDB-fold-{number:02}"
        fold.with_name(fold.name + ".txt").write_text(f"{name}\n")
        text = f"{name}\n1\n20 20 0 40 40  1\n"
        fold.with_name(fold.name + "-ellipseList.txt").write_text(text)
        path = folder / "originalPics" / f"{name}.jpg"
        path.parent.mkdir(parents=True)
        assert cv2.imwrite(str(path), random.integers(0, 256, (80, 100, 3), np.uint8))
    return folder


def test_by_hand(tmp_path, fddb, monkeypatch):
    """The first face is found, at a lower score than the one false alarm; the second is not."""
    boxes = {
        PICTURES[0]: ([[20, 20, 60, 60], [70, 0, 80, 10]], [0.5, 0.75]),
        PICTURES[1]: ([], []),
    }

    def detect_all(settings, pictures, images, out, **others):
        assert settings == {"model": "m"} and others["jobs"] == 3 and others["resume"]
        for event, name in pictures:
            assert (images / event / f"{name}.jpg").is_file()
            rows, scores = boxes[f"{event}/{name}"]
            rows = np.array(rows, float).reshape(-1, 4)
            write_prediction(out / "predictions", event, name, rows, np.array(scores))

    monkeypatch.setattr(fddb_measures, "detect_all", detect_all)
    truth = read_folds(fddb)
    options = {"jobs": 3, "resume": True}
    values, curves = fddb_measures.measure(truth, fddb, {"model": "m"}, tmp_path / "out", **options)
    assert (values["pictures"], values["faces"]) == (2, 2)
    assert values["discrete"] == dict.fromkeys(("100", "500", "1000", "2000"), 0.5)
    # A circle in its square: pi / 4, of two faces; a little less, as boxes end one pixel later.
    assert values["continuous"]["100"] == pytest.approx(np.pi / 8, abs=0.02)
    assert curves["fddb-discrete"].tolist() == [[1, 1], [0, 0.5]]
    assert json.loads(json.dumps(values)) == values
    (fddb / "originalPics").rename(fddb / "pictures")
    with pytest.raises(FileError, match="originalPics: no such folder"):
        fddb_measures.measure(truth, fddb, {"model": "m"}, tmp_path / "out", **options)


def test_curves_end_and_are_short():
    alarms = np.arange(0, 9000, 1)
    rate = np.linspace(0, 1, len(alarms))
    curves = fddb_measures.curves(Roc(-rate, rate, rate / 2, alarms, 10))
    for name, scale in (("fddb-discrete", 1), ("fddb-continuous", 2)):
        x, y = curves[name]
        assert x[0] == 0 and x[-1] == 2000 and len(x) == 1000
        assert y * scale == pytest.approx(x / 8999, abs=1e-6)


@pytest.mark.slow
def test_program(tmp_path, fddb):
    out = tmp_path / "out"
    data = write_tiny_wider(tmp_path / "data")
    command = ["--data", str(data), "--backend", "torch", "--min-face", "40", "--fddb"]
    command += [str(fddb), "--model", str(write_random_cascade(tmp_path)), "--out", str(out)]
    assert program.main(command) == 0
    assert (out / "fddb.png").read_bytes()[:4] == b"\x89PNG"
    results = read_results(out)
    assert results.values["fddb"]["faces"] == 2
    assert {"fddb-discrete", "fddb-continuous"} < set(results.curves)
    assert "FDDB's false positives" in (out / "results.txt").read_text()
    first = out / "fddb" / "predictions" / f"{PICTURES[0]}.txt"
    assert not (out / "fddb" / "predictions-pnet").exists()
    first.write_text(first.read_text().splitlines()[0] + "\n0\n")
    kept = first.read_text()
    assert program.main([*command, "--resume"]) == 0
    assert first.read_text() == kept
