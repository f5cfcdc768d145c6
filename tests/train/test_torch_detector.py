"""The reference cascade in PyTorch."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
from support import ASTRONAUT, DATA, HOPPER
from support.random_cascade import write_random_cascade

from pymtcnn.errors import ArgumentError, FileError, ModelError, PictureError, WeightsError
from pymtcnn.pictures import read_picture
from train_mtcnn import detector as program
from train_mtcnn.cascade.boxes import iou
from train_mtcnn.cascade.torch_detector import TorchDetector
from train_mtcnn.common.requirements import require
from train_mtcnn.network.darknet import DARKNET_CFG, read_data

FACES = {  # box, then left eye, right eye, nose, mouth: by eye, give or take a few pixels
    "astronaut.jpg": (
        [177, 63, 268, 179],
        [[204, 101], [246, 104], [226, 127], [204, 141], [244, 142]],
    ),
    "grace_hopper.jpg": (
        [176, 117, 349, 340],
        [[223, 194], [308, 190], [268, 240], [233, 281], [307, 278]],
    ),
}


@pytest.fixture(scope="module")
def published(default_model):
    """The default model in PyTorch."""
    return TorchDetector(default_model)


@pytest.fixture
def model(tmp_path):
    return write_random_cascade(tmp_path)


def noise(height, width, seed=0):
    small = np.random.default_rng(seed).integers(
        0, 256, (height // 4 + 1, width // 4 + 1, 3), np.uint8
    )
    return cv2.resize(small, (width, height))


def same(first, second):
    return all(
        np.array_equal(getattr(first, name), getattr(second, name))
        for name in ("boxes", "scores", "landmarks")
    )


# ---- faces ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FACES)
def test_faces(published, name):
    found = published.detect(DATA / name)
    box, landmarks = FACES[name]
    assert found.scores[0] > 0.99
    assert iou(found.boxes[0], np.array([box]))[0] > 0.8
    assert np.abs(found.landmarks[0] - landmarks).max() < 0.06 * (box[3] - box[1])
    others = [detection for detection in found.scores[1:] if detection > 0.95]
    assert not others


def test_a_face_moves_with_its_picture(published):
    image = read_picture(ASTRONAUT)[:256, 100:356]
    found = published.detect(image).boxes[0]
    for dx, dy in ((0, 30), (64, 0), (7, 5)):
        moved = np.zeros((256 + dy, 256 + dx, 3), np.uint8)
        moved[dy:, dx:] = image
        assert np.abs(published.detect(moved).boxes[0] - found - [dx, dy, dx, dy]).max() < 6


def test_a_face_at_the_border(published):
    image = read_picture(ASTRONAUT)
    cut = np.ascontiguousarray(image[95:, 195:])  # through forehead and cheek
    found = published.detect(cut)
    assert len(found) and found.boxes[0][0] == 0 and found.boxes[0][1] == 0
    loose = TorchDetector(clip=False).detect(cut)
    assert loose.boxes[0].min() < 0 and np.array_equal(loose.boxes.clip(0), found.boxes)
    assert (found.stages[2].boxes == loose.boxes).all()


def test_min_face_and_thresholds(published):
    image = ASTRONAUT
    assert len(TorchDetector(min_face=400).detect(image)) == 0
    assert len(TorchDetector(min_face=80).detect(image)) == 1
    every = TorchDetector(min_face=60, thresholds=(0.3, 0.3, 0)).detect(image)
    few = TorchDetector(min_face=60).detect(image)
    assert len(every) >= len(few) and len(every.stages[0]) > len(few.stages[0])
    assert (few.scores >= np.float32(0.7)).all()


@pytest.mark.slow
def test_color_orders(published):
    rgb = read_picture(HOPPER)
    found = published.detect(rgb)
    alpha = np.full((*rgb.shape[:2], 1), 77, np.uint8)
    assert same(published.detect(rgb[..., ::-1], "BGR"), found)
    assert same(published.detect(np.dstack([rgb, alpha]), "RGBA"), found)
    assert same(published.detect(np.dstack([rgb[..., ::-1], alpha]), "BGRA"), found)
    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    assert same(published.detect(gray, "GRAY"), published.detect(np.dstack([gray] * 3)))
    assert iou(published.detect(gray, "GRAY").boxes[0], found.boxes[:1])[0] > 0.8


# ---- contracts -----------------------------------------------------------------------------------


def test_result_contracts(model):
    image = noise(60, 80)
    detector = TorchDetector(model, min_face=30)
    found = detector.detect(image)
    assert len(found) > 1
    assert found.boxes.shape == (len(found), 4) and found.landmarks.shape == (len(found), 5, 2)
    for array in (found.boxes, found.scores, found.landmarks):
        assert array.dtype == np.float32
    assert (np.diff(found.scores) <= 0).all() and found.scores.max() <= 1
    assert (found.boxes[:, :2] < found.boxes[:, 2:]).all()
    assert (found.boxes >= 0).all() and (found.boxes <= [80, 60, 80, 60]).all()
    pnet, rnet, onet = found.stages
    assert [stage.name for stage in found.stages] == ["pnet", "rnet", "onet"]
    assert rnet.inputs == len(pnet) and onet.inputs == len(rnet) and len(onet) == len(found)
    assert all((np.diff(stage.scores) <= 0).all() for stage in found.stages)
    # Levels of faces of 30, 42.3 and 59.7 px: 32 x 24, 23 x 17 and 16 x 12 pixels.
    assert found.levels == 3 and pnet.inputs == 11 * 7 + 7 * 4 + 3 * 1
    assert 0 < found.pyramid_ms < found.total_ms


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (19, 19), (19, 300), (3, 20000)])
def test_smaller_than_the_smallest_face(model, shape):
    found = TorchDetector(model).detect(noise(*shape))
    assert found.boxes.shape == (0, 4) and found.boxes.dtype == np.float32
    assert found.scores.shape == (0,) and found.landmarks.shape == (0, 5, 2)
    assert found.levels == 0 and [stage.inputs for stage in found.stages] == [0, 0, 0]


@pytest.mark.parametrize("side", [20, 21, 28])
def test_as_small_as_the_smallest_face(model, side):
    found = TorchDetector(model).detect(noise(side, side))
    assert found.levels == 1 and found.stages[0].inputs >= 1


def test_one_pixel_with_the_smallest_min_face(model):
    found = TorchDetector(model, min_face=1).detect(np.full((1, 1, 3), 200, np.uint8))
    assert found.levels == 1 and found.stages[0].inputs == 1


def test_nothing_passes(model):
    for thresholds in ((1, 0, 0), (0.5, 1, 0), (0.5, 0.5, 1)):
        found = TorchDetector(model, min_face=40, thresholds=thresholds).detect(noise(60, 60))
        assert len(found) == 0 and found.landmarks.shape == (0, 5, 2)


def test_batch_equals_single(model):
    detector = TorchDetector(model, min_face=30)
    images = [noise(60, 50, 1), noise(5, 5), noise(60, 80)]
    many = detector.detect_many(images)
    assert len(many) == 3 and len(many[0]) and not len(many[1]) and len(many[2])
    assert all(map(same, many, [detector.detect(image) for image in images]))
    assert detector.detect_many([]) == []
    with pytest.raises(ArgumentError, match="must be a list of pictures"):
        detector.detect_many(images[0])


def test_views(model):
    detector = TorchDetector(model, min_face=30)
    image = noise(60, 50)
    wide = np.zeros((60, 100, 3), np.uint8)
    wide[:, ::2] = image
    assert same(detector.detect(wide[:, ::2]), detector.detect(image))
    assert same(detector.detect(image[::-1]), detector.detect(image[::-1].copy()))


def test_model_settings(tmp_path):
    path = write_random_cascade(tmp_path, min_face=33.0, scale_factor=0.6, thresholds=(0, 1, 0.25))
    options = TorchDetector(path).options
    assert (options.min_face, options.thresholds) == (33, (0, 1, 0.25))
    assert options.scale_factor == pytest.approx(0.6) and options.clip and options.threads == 1
    assert TorchDetector(path, min_face=50).options.min_face == 50


def test_bgr_models_get_bgr(tmp_path):
    image = noise(50, 50)
    found = TorchDetector(write_random_cascade(tmp_path), min_face=30).detect(image)
    bgr = TorchDetector(write_random_cascade(tmp_path, color="BGR"), min_face=30)
    assert same(bgr.detect(image[..., ::-1]), found)
    assert not same(bgr.detect(image), found)


# ---- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"min_face": 0.5},
        {"min_face": float("nan")},
        {"thresholds": (0.5, 0.5)},
        {"thresholds": (0.5, 0.5, 1.5)},
        {"scale_factor": 1},
        {"scale_factor": 0},
        {"nms": (0.5, 0.5, 0.5)},
        {"max_boxes": (1, 1, 0)},
        {"max_boxes": (1, 1)},
        {"threads": 0},
    ],
)
def test_options_out_of_range(model, options):
    with pytest.raises(ArgumentError, match=next(iter(options))):
        TorchDetector(model, **options)


def test_invalid_pictures(model, tmp_path):
    detector = TorchDetector(model)
    for image in (
        np.zeros((30, 30, 3)),
        np.zeros((30, 30), np.uint8),
        np.zeros((0, 3, 3), np.uint8),
    ):
        with pytest.raises(ArgumentError):
            detector.detect(image)
    with pytest.raises(ArgumentError, match="XYZ"):
        detector.detect(noise(30, 30), "XYZ")
    with pytest.raises(FileError, match=r"none\.jpg"):
        detector.detect(tmp_path / "none.jpg")
    (tmp_path / "empty.jpg").write_bytes(b"")
    with pytest.raises(PictureError, match=r"empty\.jpg"):
        detector.detect(tmp_path / "empty.jpg")


def test_invalid_models(model):
    with pytest.raises(FileError, match=r"no\.data: cannot be read"):
        TorchDetector(model.parent / "no.data")
    values = dict(line.split(" = ") for line in model.read_text().splitlines())
    for name, wrong, message in (
        ("pnet", "onet", "makes 15x1x1 of 3x48x48, expected 5x1x1"),
        ("rnet", "onet", "makes 15x1x1 of 3x48x48, expected 5x1x1"),
        ("onet", "rnet", "makes 5x1x1 of 3x24x24, expected 15x1x1"),
    ):
        swapped = values | {
            f"{name}_{kind}": values[f"{wrong}_{kind}"] for kind in ("cfg", "weights")
        }
        text = "".join(f"{key} = {value}\n" for key, value in swapped.items())
        (model.parent / "wrong.data").write_text(text)
        with pytest.raises(ModelError, match=message):
            TorchDetector(model.parent / "wrong.data")
    data = read_data(model)
    weights = data.weights["rnet"]
    weights.write_bytes(weights.read_bytes()[:-4])
    with pytest.raises(WeightsError, match=r"rnet\.weights"):
        TorchDetector(model)


# ---- the program ---------------------------------------------------------------------------------


def test_program(model, tmp_path, capsysbinary):
    picture = tmp_path / "noise.png"
    cv2.imwrite(str(picture), noise(60, 80)[..., ::-1])
    out = tmp_path / "out.png"
    arguments = ["--model", str(model), "--min-face", "30", "--out", str(out), "--json", "--time"]
    assert program.main([str(picture), *arguments]) == 0
    shown = json.loads(capsysbinary.readouterr().out)
    found = TorchDetector(model, min_face=30).detect(picture)
    assert len(shown["faces"]) == len(found) > 0 and shown["levels"] == found.levels
    assert np.abs(np.array([f["box"] for f in shown["faces"]]) - found.boxes).max() < 1e-3
    assert cv2.imread(str(out)).shape == (60, 80, 3)
    assert program.main([str(tmp_path / "none.png"), "--model", str(model)]) == 1
    assert b"none.png" in capsysbinary.readouterr().err
    assert program.main([str(picture), "--min-face", "0"]) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [[DARKNET_CFG.parent / "train_mtcnn" / "detector.py"], ["-m", "train_mtcnn.detector"]],
)
def test_runs_as_script_and_module(model, tmp_path, command):
    picture = tmp_path / "noise.png"
    cv2.imwrite(str(picture), noise(40, 40))
    done = subprocess.run(
        [sys.executable, *command, picture, "--model", model, "--thresholds", "1,1,1"],
        cwd=tmp_path if len(command) == 1 else DARKNET_CFG.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_missing_packages_are_named():
    require("x.py", "numpy")
    with pytest.raises(SystemExit, match=r"x\.py: not installed: no_such_package; `bash make_inst"):
        require("x.py", "numpy", "no_such_package")


def test_a_border_leaves_the_cells_inside(default_model):
    """Large faces' windows reach out of the picture, by whole strides; the others stay inside."""
    picture = read_picture(ASTRONAUT)
    with_border = TorchDetector(default_model, border=0.3).heat_maps(picture)
    inside = TorchDetector(default_model, border=0).heat_maps(picture)
    assert len(with_border) > len(inside)
    for ours, theirs in zip(with_border, inside):
        cells, (cell, stride) = theirs.probabilities.shape, ours.grid
        face = cell * min(picture.shape[:2]) / min(theirs.level[:2])
        assert ours.level.margin == (4 if face >= min(picture.shape[:2]) / 4 else 0)
        first = ours.level.margin // stride
        part = ours.probabilities[first : first + cells[0], first : first + cells[1]]
        assert np.abs(part - theirs.probabilities)[:-1, :-1].max() < 1e-5


@pytest.mark.parametrize(
    "boxes", [[[0, 0, np.nan, 9]], [[0, 0, 9, 1e300]], [[1, 2, 3]], [1, 2, 3, 4], "a"]
)
def test_landmarks_need_finite_boxes(published, boxes):
    with pytest.raises(ArgumentError, match="boxes"):
        published.landmarks(noise(40, 40), boxes)


def test_landmarks_of_far_boxes(published):
    boxes = [[1e30, 0, 2e30, 9], [-3e38, -3e38, 3e38, 3e38], [5e5, 0, 500000.03, 1]]
    assert np.isfinite(published.landmarks(noise(40, 40), boxes)).all()


def test_too_many_levels(default_model):
    detector = TorchDetector(default_model, scale_factor=0.9999)
    with pytest.raises(ArgumentError, match=r"scale_factor 0\.9999 makes too many .* 200x300"):
        detector.detect(np.zeros((300, 200, 3), np.uint8))


def test_model_of_the_environment(capfd, monkeypatch):
    monkeypatch.setenv("MTCNN_MODEL", "environment.data")
    assert program.main([str(ASTRONAUT)]) == 1
    assert capfd.readouterr().err.startswith("detector.py: environment.data: cannot be read")
    assert program.main(["--help"]) == 0
    shown = " ".join(capfd.readouterr().out.split())
    assert "MTCNN_MODEL names, else darknet_cfg/default.data" in shown
