"""bench/binding.py and bench/dropin.py, without any other package."""

from pathlib import Path

import numpy as np
from support import HOPPER

from bench import binding, dropin
from pymtcnn import Detections


def made_up(boxes: np.ndarray, scores: list[float]) -> Detections:
    centers = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
    return dropin.detections(boxes, np.array(scores), np.repeat(centers, 5, 1))


def test_binding(capsys):
    assert (
        binding.main([str(HOPPER), "--min-faces", "80", "--sizes", "160x120", "--runs", "3"]) == 0
    )
    cells = capsys.readouterr().out.splitlines()[-1].split(" | ")
    assert cells[1:3] == ["160x120", "80"]
    assert all("us, " in cell for cell in cells[-2:])


def test_differences_of_faces_that_both_found():
    boxes = np.array([[0, 0, 10, 20], [50, 50, 90, 90], [200, 200, 210, 210]], float)
    theirs = made_up(boxes, [0.9, 0.8, 0.7])
    ours = made_up(boxes[[1, 0, 0]] + [[-2, 0, 0, 1], [0, 0, 0, 4], [1, 1, 1, 1]], [0.75, 0.9, 0.6])
    assert dropin.partners(theirs, ours) == [(1, 0), (0, 1)]
    found = dropin.differences(theirs, ours)
    assert np.allclose(found, [[2, 1, 0.05, 40], [4, 2, 0.0, 20]], atol=1e-6)
    none = made_up(np.empty((0, 4)), [])
    assert dropin.differences(none, ours).shape == dropin.differences(theirs, none).shape == (0, 4)
    assert "| 3 | 0 | 0 |" in dropin.row("package", [theirs], [none])


def test_dropin_table(monkeypatch, capsys):
    boxes = np.array([[0, 0, 10, 10]], float)

    def make(model, min_face):
        assert (model, min_face) == (Path("a.data"), 30)
        yield lambda rgb: made_up(boxes, [0.9])
        yield lambda rgb: made_up(boxes + 1, [0.8])

    monkeypatch.setattr(dropin, "INTERFACES", {"ipazc": (make, "numpy")})
    assert dropin.main([str(HOPPER), "--ipazc", "a.data", "--min-face", "30"]) == 0
    row = capsys.readouterr().out.splitlines()[-1]
    assert "| 1 | 1 | 1 | 1.00 / 1.00 | 10.0% / 10.0% |" in row and "0.1000 / 0.1000" in row


def test_wrong_arguments_and_files(capsys):
    assert dropin.main([str(HOPPER)]) == 2
    assert "nothing to compare with" in capsys.readouterr().err
    for main, options in ((binding.main, []), (dropin.main, ["--ipazc", "a.data"])):
        assert main(["/nonexistent.jpg", *options]) == 1
        assert ".py: /nonexistent.jpg: cannot be read" in capsys.readouterr().err
