"""train_mtcnn/show.py: pictures of what the stages propose."""

import re

import cv2
import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from pymtcnn.pictures import read_picture, write_picture
from train_mtcnn import show
from train_mtcnn.cascade.stage_plots import draw_heat_map
from train_mtcnn.cascade.torch_detector import TorchDetector


@pytest.fixture(scope="module")
def hopper(pictures):
    (path,) = [path for path in pictures if path.stem == "grace_hopper"]
    return path


@pytest.fixture(scope="module")
def detector(default_model):
    return TorchDetector(default_model, min_face=80)


def test_heat_maps_are_what_pnet_proposes_from(detector, hopper):
    rgb = read_picture(hopper)
    maps = detector.heat_maps(rgb)
    found = detector.detect(rgb)
    assert len(maps) == found.levels > 1
    assert sum(one.probabilities.size for one in maps) == found.stages[0].inputs
    assert max(one.probabilities.max() for one in maps) == found.stages[0].scores[0]
    areas = [one.level.height * one.level.width for one in maps]
    assert areas == sorted(areas, reverse=True)
    assert maps[0].grid == (12, 2)
    assert detector.heat_maps(rgb[:31, :31]) == []


def test_a_heat_map_matches_its_cells(detector, hopper):
    rgb = read_picture(hopper)
    hottest = max(detector.heat_maps(rgb), key=lambda one: one.probabilities.max())
    axes = Figure().add_subplot()
    draw_heat_map(axes, hottest, rgb.shape[:2])
    left, right, bottom, top = axes.images[0].get_extent()
    rows, columns = hottest.probabilities.shape
    row, column = np.unravel_index(hottest.probabilities.argmax(), (rows, columns))
    x = left + (column + 0.5) * (right - left) / columns
    y = top + (row + 0.5) * (bottom - top) / rows
    assert 176 < x < 349 and 117 < y < 340  # the face


@pytest.mark.slow
@pytest.mark.parametrize("nets", [("pnet",), ("rnet",), ("onet",), ("pnet", "rnet", "onet")])
def test_panels_and_boxes(detector, hopper, nets):
    rgb = read_picture(hopper)
    figure = Figure()
    show.draw_stages(figure, rgb, detector, nets)
    found = {stage.name: stage for stage in detector.detect(rgb).stages}
    drawn = [c for axes in figure.axes for c in axes.collections if isinstance(c, PolyCollection)]
    boxes = [c for c in drawn if len(c.get_facecolor()) == 0]  # not a scale's
    for net, collection in zip(nets, boxes, strict=True):
        corners = np.array([path.vertices[[0, 2]].ravel() for path in collection.get_paths()])
        assert np.allclose(corners[::-1], found[net].boxes)  # the best are drawn last
    titles = [axes.get_title() for axes in figure.axes]
    heat_maps = [title for title in titles if "faces of" in title]
    assert len(heat_maps) == (detector.detect(rgb).levels if nets == ("pnet",) else 0)
    assert titles[0].startswith({"p": "PNet", "r": "RNet", "o": "ONet"}[nets[0][0]])


def test_program(hopper, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert show.main(["--net", "onet", "--min-face", "80", str(hopper)]) == 0
    out = tmp_path / "runs" / "show" / "grace_hopper-onet.png"
    assert capsys.readouterr().out == "written to runs/show/grace_hopper-onet.png\n"
    assert cv2.imread(str(out)).std() > 20
    assert [path.name for path in out.parent.iterdir()] == [out.name]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (30, 200)])
def test_nothing_to_show(size, tmp_path):
    """A picture without a face, or too small for one, is shown without boxes."""
    write_picture(tmp_path / "grey.png", np.full((*size, 3), 128, np.uint8))
    for net in ([], ["--net", "pnet"]):
        out = tmp_path / "out.png"
        assert show.main([*net, str(tmp_path / "grey.png"), "--out", str(out)]) == 0
        assert cv2.imread(str(out)) is not None


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["missing.jpg"], 1, "missing.jpg: cannot be read"),
        (["PICTURE", "--model", "none.data"], 1, "none.data: "),
        (["PICTURE", "--min-face", "0"], 2, "--min-face 0: must be"),
        (["PICTURE", "--thresholds", "1,2,3"], 2, "--thresholds 1,2,3: must be"),
        (["PICTURE", "--out", "out.jpg"], 2, "--out out.jpg: must end in .png"),
        (["PICTURE", "--out", "folder/file/out.png"], 1, "folder/file: cannot be made"),
        (["PICTURE", "--net", "qnet"], 2, "invalid choice: 'qnet'"),
        (["PICTURE", "--show"], 2, "--show: no window can be opened"),
    ],
)
def test_errors(words, status, message, hopper, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("matplotlib.pyplot.get_backend", lambda: "agg")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("")
    words = [str(hopper) if word == "PICTURE" else word for word in words]
    assert show.main(words) == status
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("show.py: ") and re.search(message, error)
    assert not list(tmp_path.rglob("*.png")) and not list(tmp_path.rglob("*.tmp"))
