"""pymtcnn.compat: the results of Detector in the forms of other packages.

If those packages are installed, their signatures and forms are also compared.
"""

from __future__ import annotations

import inspect
import sys

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from support.skips import import_peer

from pymtcnn import (
    ArgumentError,
    Detector,
    FileError,
    LibraryError,
    PictureError,
    read_picture,
)
from pymtcnn.compat import facenet_pytorch, ipazc
from pymtcnn.faces import LANDMARK_NAMES


@pytest.fixture(scope="module")
def hopper(pictures) -> np.ndarray:
    return read_picture(next(path for path in pictures if "hopper" in path.name))


@pytest.fixture(scope="module")
def several(hopper) -> np.ndarray:
    """Three faces of rising size, RGB [600, 900, 3]."""
    canvas = np.zeros((600, 900, 3), np.uint8)
    for x, side in ((10, 160), (180, 260), (450, 440)):
        canvas[20 : 20 + side, x : x + side] = cv2.resize(
            hopper[:512], (side, side), interpolation=cv2.INTER_AREA
        )
    return canvas


BLANK = np.zeros((90, 120, 3), np.uint8)


def arguments(function) -> dict[str, object]:
    """Names and defaults of positional arguments."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD}


# ---- ipazc ---------------------------------------------------------------------------------------


def test_ipazc_form(several):
    with Detector() as detector:
        expected = detector.detect(several)
    assert len(expected) == 3
    found = ipazc.MTCNN().detect_faces(several)
    corners = ipazc.MTCNN().predict(several, box_format="xyxy")
    for face, same, mine in zip(found, corners, expected, strict=True):
        assert list(face) == ["box", "confidence", "keypoints"]
        x, y, width, height = face["box"]
        assert np.abs(np.array([x, y, x + width, y + height]) - mine.box).max() <= 1
        assert np.abs(np.array(same["box"]) - mine.box).max() <= 0.5
        assert all(type(number) is int for number in (x, y, width, height, *same["box"]))
        assert type(face["confidence"]) is float and face["confidence"] == mine.score
        assert face["keypoints"] == same["keypoints"]
        for name, point in zip(LANDMARK_NAMES, mine.landmarks):
            theirs = name if "eye" in name or name == "nose" else "_".join(name.split("_")[::-1])
            assert np.abs(np.array(face["keypoints"][theirs]) - point).max() <= 0.5
        points = face["keypoints"]
        assert points["left_eye"][0] < points["nose"][0] < points["right_eye"][0]
        assert points["mouth_left"][0] < points["mouth_right"][0]


def test_ipazc_batches_and_sources(hopper, pictures, several):
    detector = ipazc.MTCNN()
    path = next(path for path in pictures if "hopper" in path.name)
    batch = detector.detect_faces([several, BLANK, str(path), path.read_bytes()])
    assert [len(faces) for faces in batch] == [3, 0, 1, 1]
    assert batch[2] == batch[3] == detector.detect_faces(hopper)
    assert detector.detect_faces(torch.from_numpy(hopper)) == batch[2]
    with pytest.raises(ArgumentError, match="dtype float32"):
        detector.detect_faces(torch.from_numpy(hopper).float().requires_grad_())
    assert detector.detect_faces(BLANK) == [] and detector.detect_faces([]) == []


def test_ipazc_arrays(several):
    detector = ipazc.MTCNN()
    rows = detector.detect_faces(several, output_type="numpy")
    assert rows.shape == (3, 16)
    for row, face in zip(rows, detector.detect_faces(several), strict=True):
        assert row[1:5].round().tolist() == face["box"] and row[5] == face["confidence"]
        assert row[[6, 11]].round().tolist() == face["keypoints"]["left_eye"]
        assert row[[10, 15]].round().tolist() == face["keypoints"]["mouth_right"]
    many = detector.detect_faces([BLANK, several, several], output_type="numpy", box_format="xyxy")
    assert many[:, 0].tolist() == [1, 1, 1, 2, 2, 2]
    assert np.allclose(many[:3, 3:5] - many[:3, 1:3], rows[:, 3:5])
    assert detector.detect_faces(BLANK, output_type="numpy").shape == (0, 16)


def test_ipazc_options(several):
    detector = ipazc.MTCNN()
    assert 0 < len(detector.detect_faces(several, min_face_size=150)) < 3
    assert len(detector.detect_faces(several)) == 3  # the previous call's options no longer apply
    assert detector.detect_faces(several, threshold_onet=1.0) == []
    with Detector(thresholds=(0.3, 0.5, 0.7), nms=(0.5, 0.7, 0.1, 0.7)) as ours:
        expected = ours.detect(several)
    found = detector.detect_faces(several, threshold_pnet=0.3, nms_rnet=0.1)
    assert [face["confidence"] for face in found] == expected.scores.tolist()


def test_ipazc_limits(hopper):
    detector = ipazc.MTCNN()
    cut = np.ascontiguousarray(hopper[:300, 215:])  # through the left eye and the mouth
    low = {"threshold_onet": 0.3, "box_format": "xyxy", "output_type": "numpy"}
    (inside,) = detector.detect_faces(cut, **low)
    (free,) = detector.detect_faces(cut, fit_to_image=False, **low)
    (raw,) = detector.detect_faces(cut, postprocess=False, limit_boundaries_landmarks=True, **low)
    (limited,) = detector.detect_faces(cut, limit_boundaries_landmarks=True, **low)
    sides = [cut.shape[1], cut.shape[0]] * 2
    assert (inside[1:5] == np.clip(free[1:5], 0, sides)).all() and (inside != free).any()
    assert (raw == free).all()
    points = np.clip(free[6:].reshape(2, 5), 0, [[cut.shape[1] - 1], [cut.shape[0] - 1]])
    assert (limited[6:].reshape(2, 5) == points).all()


@pytest.mark.parametrize(
    ("make", "call", "words"),
    [
        ({"stages": "face_detection_only"}, {}, "stages 'face_detection_only': must be"),
        ({"device": "GPU:0"}, {}, "device GPU:0: must be cpu"),
        ({}, {"box_format": "cxcywh"}, "box_format 'cxcywh': must be one of xywh, xyxy"),
        ({}, {"output_type": "tf"}, "output_type 'tf': must be one of json, numpy"),
        ({}, {"min_face_size": 0}, "min_face 0: must be"),
        ({}, {"threshold_rnet": 2}, "thresholds"),
    ],
)
def test_ipazc_refuses(make, call, words):
    with pytest.raises(ArgumentError, match=words):
        ipazc.MTCNN(**make).detect_faces(BLANK, **call)


def test_ipazc_refuses_unknown_arguments():
    with pytest.raises(TypeError, match="min_size"):
        ipazc.MTCNN().detect_faces(BLANK, min_size=30)


def test_ipazc_signature():
    theirs = import_peer("mtcnn").MTCNN
    for name in ("__init__", "detect_faces"):
        assert arguments(getattr(ipazc.MTCNN, name)) == arguments(getattr(theirs, name))


# ---- facenet-pytorch -----------------------------------------------------------------------------


def test_facenet_detect(several):
    with Detector(clip=False) as detector:
        expected = detector.detect(several)
    boxes, probs, points = facenet_pytorch.MTCNN(select_largest=False).detect(several, True)
    assert (boxes == expected.boxes).all() and (probs == expected.scores).all()
    assert (points == expected.landmarks).all()
    boxes, probs = facenet_pytorch.MTCNN().detect(several)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    assert (np.diff(areas) < 0).all()
    assert sorted(probs) == sorted(expected.scores)


def test_facenet_sources(several):
    detector = facenet_pytorch.MTCNN()
    boxes, _ = detector.detect(several)
    for picture in [
        Image.fromarray(several),
        Image.fromarray(np.dstack([several, several[..., 0]])),  # transparency is dropped
        torch.from_numpy(several),
        torch.from_numpy(several).float(),
    ]:
        assert (detector.detect(picture)[0] == boxes).all()


NUMBERS = {
    "float64": lambda t: t.double(),
    "float16": lambda t: t.half(),
    "bfloat16": lambda t: t.bfloat16(),  # which arrays lack
    "int64": lambda t: t.long(),
    "with gradients": lambda t: t.float().requires_grad_(),
    "somewhat outside": lambda t: torch.where(t == 0, -3.2, torch.where(t == 255, 258.7, t)),
    "Pillow's floats": lambda t: Image.fromarray(t[..., 0].float().numpy()),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_facenet_takes_all_numbers_of_a_byte(several, kind):
    tensor = torch.from_numpy(several)
    if kind == "Pillow's floats":
        tensor = tensor[..., :1].expand_as(tensor)
    detector = facenet_pytorch.MTCNN()
    expected, _ = detector.detect(tensor)
    boxes, _ = detector.detect(NUMBERS[kind](tensor))
    assert np.array_equal(boxes, expected)


SCALES = {
    "0..1": (lambda t: t / 255, "from 0 to 1: must be 0..255"),
    "-1..1": (lambda t: (t - 127.5) / 128, "multiply by 127.5"),
    "ImageNet's": (lambda t: (t / 255 - 0.45) / 0.225, "from -2 to 2.44444"),
    "16 bits": (lambda t: t * 257, "divide 0..65535 by 257"),
    "10 bits": (lambda t: t * 4, "from 0 to 1020"),
    "Pillow's 16 bits": (
        lambda t: Image.fromarray(t[..., 0].numpy().astype(np.uint16) * 257),
        "divide 0..65535 by 257",
    ),
    "NaN": (lambda t: torch.where(t == 7, float("nan"), t), "holds NaN or infinite"),
    "infinite": (lambda t: torch.where(t == 7, float("inf"), t), "holds NaN or infinite"),
    "channels first": (lambda t: t.permute(2, 0, 1), r"move the channels .* \.permute\(1, 2, 0\)"),
    "a batch of these": (lambda t: t.permute(2, 0, 1)[None], "move the channels to the end"),
    "boolean": (lambda t: t > 100, "dtype bool"),
    "sparse": (lambda t: t.to_sparse(), "cannot be an array"),
    "without content": (lambda t: t.to("meta"), "cannot be an array"),
}


@pytest.mark.parametrize("kind", SCALES)
def test_facenet_refuses_other_scales(hopper, kind):
    change, words = SCALES[kind]
    picture = change(torch.from_numpy(hopper).float())
    detector = facenet_pytorch.MTCNN()
    for call in (detector.detect, detector):
        with pytest.raises(ArgumentError, match=words):
            call(picture)
    if kind != "a batch of these":
        with pytest.raises(ArgumentError, match=words):
            detector.detect([hopper, picture])


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_facenet_takes_black_pictures(value):
    assert facenet_pytorch.MTCNN().detect(np.full((90, 90, 3), value))[1] == [None]


def test_facenet_names_a_picture_that_pillow_cannot_decode(pictures, tmp_path):
    path = tmp_path / "half.jpg"
    content = pictures[0].read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with Image.open(path) as picture, pytest.raises(PictureError, match="cannot be decoded"):
        facenet_pytorch.MTCNN().detect(picture)


def test_facenet_batches(several, hopper):
    detector = facenet_pytorch.MTCNN()
    assert detector.detect(BLANK, landmarks=True) == (None, [None], None)
    boxes, probs, points = detector.detect([hopper, BLANK, Image.fromarray(several)], True)
    assert len(boxes) == len(probs) == len(points) == 3
    assert boxes[0].shape == (1, 4) and points[0].shape == (1, 5, 2)
    assert boxes[1] is None and probs[1] == [None] and points[1] is None
    assert boxes[2].shape == (3, 4) and probs[2].shape == (3,)
    for stack in (np.stack([hopper, hopper]), torch.from_numpy(np.stack([hopper, hopper]))):
        assert [len(one) for one in detector.detect(stack)[0]] == [1, 1]
    assert len(detector.detect([])[0]) == 0 and detector([]) == []


def test_facenet_faces(several, hopper):
    one = facenet_pytorch.MTCNN(image_size=80)
    face, prob = one(several, return_prob=True)
    assert face.shape == (3, 80, 80) and face.dtype == torch.float32 and 0.9 < prob <= 1
    assert face.min() >= -1 and face.max() <= 1
    every = facenet_pytorch.MTCNN(image_size=80, keep_all=True, post_process=False)
    faces, probs = every(several, return_prob=True)
    assert faces.shape == (3, 3, 80, 80) and len(probs) == 3 and faces.max() > 128
    assert torch.equal((faces[0] - 127.5) / 128, face)
    assert one(BLANK) is None and one(BLANK, return_prob=True) == (None, None)
    batch, probs = one([hopper, BLANK], return_prob=True)
    assert batch[0].shape == (3, 80, 80) and batch[1] is None and probs[1] == [None]


def test_facenet_attributes_set_later(several):
    """Also those of the detector; a refused value changes nothing."""
    detector = facenet_pytorch.MTCNN(select_largest=False, factor=0.6)
    assert detector.factor == pytest.approx(0.6) and detector.min_face_size == 20
    detector.min_face_size = 200
    detector.thresholds = [0.5, 0.4, 0.3]
    assert detector.thresholds == (0.5, 0.4, 0.3) and detector.factor == pytest.approx(0.6)
    same = facenet_pytorch.MTCNN(
        min_face_size=200, thresholds=(0.5, 0.4, 0.3), factor=0.6, select_largest=False
    )
    found = detector.detect(several)[0]
    assert (found == same.detect(several)[0]).all()
    assert len(facenet_pytorch.MTCNN().detect(several)[0]) > len(found)
    with pytest.raises(ArgumentError, match="factor"):
        detector.factor = 2
    assert detector.factor == pytest.approx(0.6)
    detector.image_size, detector.keep_all = 64, True
    assert detector(several).shape == (len(found), 3, 64, 64)


@pytest.mark.parametrize("pil", [True, False])
def test_facenet_crops(hopper, pil):
    """Box and margin computed by hand, also at the picture's edge."""
    detector = facenet_pytorch.MTCNN(image_size=100, margin=20, keep_all=True, post_process=False)
    boxes = np.array([[100.9, 120.2, 180.9, 280.2], [-30, 500.5, 200, 700]])
    sides = [(90, 100, 190, 300), (0, 475, 228, 600)]  # 20 / 80 of the box more, to whole pixels
    picture = Image.fromarray(hopper)
    for made, (x1, y1, x2, y2) in zip(
        detector.extract(picture if pil else hopper, boxes), sides, strict=True
    ):
        if pil:
            part = picture.crop((x1, y1, x2, y2)).resize((100, 100), Image.Resampling.BILINEAR)
        else:
            part = cv2.resize(hopper[y1:y2, x1:x2], (100, 100), interpolation=cv2.INTER_AREA)
        assert (made.permute(1, 2, 0).numpy() == np.asarray(part)).all()


def test_facenet_selection(several):
    boxes = np.array([[0, 0, 200, 200], [400, 250, 500, 350], [0, 0, 150, 150]], np.float32)
    probs = np.array([0.8, 0.92, 0.99], np.float32)
    points = np.arange(30, dtype=np.float32).reshape(3, 5, 2)
    detector = facenet_pytorch.MTCNN()
    for method, best in [
        ("largest", 0),
        ("probability", 2),
        ("largest_over_threshold", 2),
        ("center_weighted_size", 1),
    ]:
        box, prob, point = detector.select_boxes(boxes, probs, points, several, method)
        assert (box == boxes[[best]]).all() and prob == probs[best]
        assert (point == points[[best]]).all()
    nothing = detector.select_boxes(boxes, probs, points, several, "largest_over_threshold", 0.995)
    assert nothing == (None, None, None)
    assert facenet_pytorch.MTCNN(select_largest=False).selection_method == "probability"


def test_facenet_saves(several, tmp_path):
    detector = facenet_pytorch.MTCNN(keep_all=True, image_size=60)
    detector(several, save_path=str(tmp_path / "new" / "face.png"))
    names = ["face.png", "face_2.png", "face_3.png"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == names
    saved = read_picture(tmp_path / "new" / "face_2.png")
    made = facenet_pytorch.MTCNN(keep_all=True, image_size=60, post_process=False)(several)
    assert (saved == made[1].permute(1, 2, 0).numpy()).all()
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    facenet_pytorch.MTCNN()([several, BLANK], save_path=paths)
    assert paths[0].exists() and not paths[1].exists()
    with pytest.raises(ArgumentError, match="one for each picture"):
        detector([several, several], save_path="a.png")
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="file: cannot be made"):
        detector(several, save_path=tmp_path / "file" / "a.png")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"device": "cuda:0"}, "device cuda:0: must be cpu"),
        ({"selection_method": "best"}, "selection method 'best': must be one of"),
        ({"margin": 160}, r"margin 160: must be a whole number, 0 to 159"),
        ({"margin": "3"}, "margin '3': must be"),
        ({"image_size": 160.5}, r"image_size 160\.5: must be"),
        ({"min_face_size": -1}, "min_face -1"),
        ({"factor": 2}, "scale_factor 2"),
    ],
)
def test_facenet_refuses(options, words):
    with pytest.raises(ArgumentError, match=words):
        facenet_pytorch.MTCNN(**options)


def test_facenet_refuses_pictures_and_boxes(several):
    detector = facenet_pytorch.MTCNN(device=torch.device("cpu")).eval().to("cpu")
    with pytest.raises(ArgumentError, match="img of type str"):
        detector.detect("picture.jpg")
    with pytest.raises(ArgumentError, match=r"shape \(3, 600, 900\)"):
        detector.detect(several.transpose(2, 0, 1))
    with pytest.raises(ArgumentError, match="outside the picture"):
        detector.extract(several, np.array([[1000, 0, 1100, 100]]))
    assert detector.extract(several, np.empty((0, 4))) is None
    for boxes in ([[0, 0, np.nan, 9]], [[0, 0, np.inf, 9]], [[1, 2, 3]], [1, 2, 3, 4], ["a"]):
        with pytest.raises(ArgumentError, match="boxes"):
            detector.extract(several, boxes)
    for box in ([1e30, 0, 2e30, 9], [0, -1e300, 9, -1]):
        with pytest.raises(ArgumentError, match="outside the picture"):
            detector.extract(several, [box])
    assert detector.extract(several, [[-1e300, -1e300, 1e300, 1e300]]).shape == (3, 160, 160)
    detector.margin = 160
    with pytest.raises(ArgumentError, match="margin 160"):
        detector.extract(several, [[0, 0, 9, 9]])


def test_facenet_detects_without_pytorch(several, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    detector = facenet_pytorch.MTCNN()
    assert len(detector.detect(several)[0]) == 3
    with pytest.raises(LibraryError, match=r"^torch cannot be loaded"):
        detector(several)


def test_facenet_equals_the_package(several):
    theirs = import_peer("facenet_pytorch").MTCNN
    for name in ("forward", "detect", "select_boxes"):
        assert arguments(getattr(facenet_pytorch.MTCNN, name)) == arguments(getattr(theirs, name))
    mine, others = arguments(facenet_pytorch.MTCNN), arguments(theirs)
    assert list(mine) == list(others)
    assert {n: v for n, v in mine.items() if v is not None} == {
        n: v for n, v in others.items() if mine[n] is not None
    }
    boxes = facenet_pytorch.MTCNN().detect(several)[0]
    for options in ({"margin": 30}, {"keep_all": True, "image_size": 77, "post_process": False}):
        for picture in (Image.fromarray(several), several):
            a = facenet_pytorch.MTCNN(**options).extract(picture, boxes, None)
            b = theirs(**options).extract(picture, boxes, None)
            assert torch.equal(a, b)
