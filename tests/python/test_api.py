"""The Python API: its inputs and results, and what does not change them."""

from __future__ import annotations

import gc
import io
import re
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT

import pymtcnn
from pymtcnn import ArgumentError, CfgError, Detections, Detector, Network
from pymtcnn._library import COLORS, core
from pymtcnn.arguments import check_image


@pytest.fixture(scope="module")
def detector(default_model):
    with Detector(default_model) as detector:
        yield detector


@pytest.fixture(scope="module")
def hopper(pictures) -> np.ndarray:
    """A picture with one face, RGB [600, 512, 3]."""
    return pymtcnn.read_picture(next(path for path in pictures if "hopper" in path.name))


@pytest.fixture(scope="module")
def reference(detector, hopper) -> Detections:
    return detector.detect(hopper)


def assert_same(ours: Detections, theirs: Detections) -> None:
    """The same faces, bit for bit, and the same number of boxes on the way."""
    for name in ("boxes", "scores", "landmarks"):
        assert getattr(ours, name).tobytes() == getattr(theirs, name).tobytes(), name
    assert ours.levels == theirs.levels
    for a, b in zip(ours.stages, theirs.stages, strict=True):
        assert (a.name, a.inputs, a.count) == (b.name, b.inputs, b.count)


def assert_contract(detections: Detections, count: int) -> None:
    assert isinstance(detections, Detections)
    assert len(detections) == count
    for array, shape in [
        (detections.boxes, (count, 4)),
        (detections.scores, (count,)),
        (detections.landmarks, (count, 5, 2)),
    ]:
        assert (array.dtype, array.shape) == (np.float32, shape)
        assert array.flags.c_contiguous and array.flags.owndata and array.flags.writeable
    assert tuple(stage.name for stage in detections.stages) == ("pnet", "rnet", "onet")
    for stage in detections.stages:
        assert stage.milliseconds >= 0 and len(stage) == stage.count
    assert detections.total_ms >= detections.pyramid_ms >= 0


# ---- results -------------------------------------------------------------------------------------


def test_a_face(reference):
    assert_contract(reference, 1)
    assert reference.scores[0] > 0.99
    x1, y1, x2, y2 = reference.boxes[0]
    assert 140 < x1 < 200 and 90 < y1 < 140 and 320 < x2 < 380 and 300 < y2 < 360
    left_eye, right_eye, nose, left_mouth, right_mouth = reference.landmarks[0]
    assert left_eye[0] < nose[0] < right_eye[0] and left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    pnet, rnet, onet = reference.stages
    assert pnet.inputs > rnet.inputs == len(pnet) > onet.inputs == len(rnet) > 0
    assert len(onet) == 1 and reference.levels > 1


@pytest.mark.parametrize("size", [(1, 1), (20000, 3), (3, 20000), (19, 600), (100, 100)])
def test_no_face_is_an_empty_result(detector, size):
    assert_contract(detector.detect(np.full((*size, 3), 127, np.uint8)), 0)


@pytest.mark.parametrize("border, min_face", [(0, 513), (0.3, 1281)])
def test_smallest_face_larger_than_the_picture(default_model, hopper, border, min_face):
    """A border of 0.3 lets a face be 1 / (1 - 2 * 0.3) times as large."""
    with Detector(default_model, min_face=min_face - 1, border=border) as detector:
        assert detector.detect(hopper).levels == 1
    with Detector(default_model, min_face=min_face, border=border) as detector:
        empty = detector.detect(hopper)
    assert_contract(empty, 0)
    assert (empty.levels, empty.stages[0].inputs) == (0, 0)


def test_scores_descend_and_boxes_are_inside(default_model, hopper):
    with Detector(default_model, thresholds=(0.5, 0.3, 0.05)) as detector:
        faces = detector.detect(hopper[:250])  # cuts the face
    assert len(faces) > 1
    assert (np.diff(faces.scores) <= 0).all()
    assert (faces.boxes[:, :2] >= 0).all() and (faces.boxes[:, 2:] <= (512, 250)).all()
    assert (faces.boxes[:, :2] < faces.boxes[:, 2:]).all()


def test_clip_only_clips(default_model, hopper):
    cut = hopper[130:, 190:]  # the face's top and left are outside
    settings = {"thresholds": (0.5, 0.5, 0.3)}
    with Detector(default_model, **settings) as clipping:
        clipped = clipping.detect(cut)
    with Detector(default_model, clip=False, **settings) as leaving:
        whole = leaving.detect(cut)
        last = leaving.detect_stages(cut).stages[2]
    height, width = cut.shape[:2]
    assert (whole.boxes < 0).any()
    assert (clipped.boxes == np.clip(whole.boxes, 0, [width, height, width, height])).all()
    assert clipped.landmarks.tobytes() == whole.landmarks.tobytes()
    assert last.boxes.tobytes() == whole.boxes.tobytes()


def test_results_outlive_the_next_detection_and_the_detector(default_model, hopper, reference):
    with Detector(default_model) as detector:
        first = detector.detect(hopper)
        detector.detect(hopper[::-1])
        first.boxes[0, 0] += 0  # writable
    assert_same(first, reference)


def test_repr(detector, reference):
    assert re.match(r"Detections\(1 face, \d+\.\d\d ms\)\n  [01]\.\d{4}  \d", repr(reference))
    assert re.fullmatch(r"Stage\(pnet: \d+ -> \d+, \d+\.\d\d ms\)", repr(reference.stages[0]))
    assert f"thresholds={detector.options.thresholds}" in repr(detector)


# ---- images --------------------------------------------------------------------------------------


def with_alpha(picture: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (*picture.shape[:2], 1), np.uint8)
    return np.concatenate([picture, noise], 2)


def test_every_colour_order_gives_the_same_faces(detector, hopper, reference):
    bgr = np.ascontiguousarray(hopper[..., ::-1])
    assert_same(detector.detect(bgr, color="BGR"), reference)
    assert_same(detector.detect(with_alpha(hopper), color="RGBA"), reference)
    assert_same(detector.detect(with_alpha(bgr), color="BGRA"), reference)
    assert detector.detect(bgr).boxes.tobytes() != reference.boxes.tobytes()


def test_gray_is_three_equal_colours(detector, hopper):
    gray = hopper[..., 1]
    faces = detector.detect(gray, color="GRAY")
    assert len(faces) == 1
    assert_same(faces, detector.detect(np.repeat(gray[..., None], 3, 2)))


VIEWS = {
    "crop": (slice(50, 450), slice(100, 401)),
    "upside down": (slice(None, None, -1),),
    "mirrored": (slice(None), slice(None, None, -1)),
    "every second row": (slice(None, None, 2),),
    "every second column": (slice(None), slice(None, None, 2)),
    "crop upside down": (slice(450, 50, -1), slice(100, 401)),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_views_equal_copies(detector, hopper, view):
    view = hopper[view]
    assert not view.flags.c_contiguous
    assert_same(detector.detect(view), detector.detect(view.copy()))


def test_other_layouts_equal_copies(detector, hopper):
    for array in [hopper.transpose(1, 0, 2), np.asfortranarray(hopper)]:
        assert_same(detector.detect(array), detector.detect(np.ascontiguousarray(array)))
    row = np.broadcast_to(hopper[200], hopper.shape)  # one row repeated: stride 0
    assert_same(detector.detect(row), detector.detect(row.copy()))
    locked = hopper.copy()
    locked.flags.writeable = False
    assert len(detector.detect(locked)) == 1


@pytest.mark.parametrize("name", ["crop", "upside down", "every second row", "crop upside down"])
def test_whole_rows_are_not_copied(hopper, name):
    view = hopper[VIEWS[name]]
    assert check_image(view, "RGB")[0] is view


slices = st.builds(
    slice,
    st.none() | st.integers(-12, 12),
    st.none() | st.integers(-12, 12),
    st.sampled_from([None, 1, 2, 3, -1, -2]),
)


@given(st.sampled_from(sorted(COLORS)), slices, slices, st.booleans())
def test_checked_images_have_whole_rows(color, rows, columns, swap):
    shape = (11, 7) if COLORS[color] == 1 else (11, 7, COLORS[color])
    image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    view = (image.swapaxes(0, 1) if swap else image)[rows, columns]
    if 0 in view.shape:
        with pytest.raises(ArgumentError, match="each side"):
            check_image(view, color)
        return
    checked, name = check_image(view, color)
    assert name == color and (checked == view).all()
    length = checked.shape[1] * COLORS[color]
    assert checked[0].flags.c_contiguous and checked[0].nbytes == length
    assert len(checked) == 1 or abs(checked.strides[0]) >= length


def test_paths_bytes_and_file_objects(detector, pictures):
    path = pictures[0]
    data = path.read_bytes()
    expected = detector.detect(pymtcnn.read_picture(path))
    assert len(expected)
    for source in [path, str(path), data, bytearray(data), memoryview(data), io.BytesIO(data)]:
        assert_same(detector.detect(source), expected)
    with path.open("rb") as file:
        assert_same(detector.detect(file), expected)


# ---- many ----------------------------------------------------------------------------------------


def test_many_equal_single_bit_for_bit(default_model, hopper, pictures):
    images = [
        hopper[:300, :300],
        np.zeros((1, 1, 3), np.uint8),
        hopper,
        pictures[0],
        np.zeros((40, 900, 3), np.uint8),
        hopper[::2, ::2],
        pictures[0].read_bytes(),
    ]
    singles = []
    for image in images:
        with Detector(default_model) as fresh:
            singles.append(fresh.detect(image))
    with Detector(default_model) as detector:
        for many in [detector.detect_many(images), detector.detect_many(iter(images))]:
            assert len(many) == len(images)
            for ours, theirs in zip(many, singles):
                assert_same(ours, theirs)
        assert detector.detect_many([]) == []
        bgr = detector.detect_many([hopper[..., ::-1], hopper[:300, :300, ::-1]], color="BGR")
    assert_same(bgr[0], singles[2])
    assert_same(bgr[1], singles[0])


def test_many_takes_a_stack(detector, hopper, reference):
    for faces in detector.detect_many(np.stack([hopper, hopper])):
        assert_same(faces, reference)


def test_many_refuses_a_single_picture(detector, hopper, pictures):
    for single in [hopper, hopper[..., 0], str(pictures[0]), pictures[0], b"", io.BytesIO()]:
        with pytest.raises(ArgumentError, match="list of pictures"):
            detector.detect_many(single)
    with pytest.raises(ArgumentError, match="of type int"):
        detector.detect_many(3)


# ---- options and models --------------------------------------------------------------------------


def test_options_are_the_models_own(default_model):
    values = dict(
        re.split(r"\s*=\s*", line, maxsplit=1)
        for line in default_model.read_text().splitlines()
        if "=" in line and not line.startswith("#")
    )

    def numbers(name):
        return tuple(float(number) for number in values[name].split(","))

    with Detector(default_model) as detector:
        own = detector.options
    assert (own.min_face,) == numbers("min_face")
    assert (own.scale_factor,) == numbers("scale_factor")
    assert own.thresholds == numbers("thresholds")
    assert own.nms == numbers("nms")
    assert own.max_boxes == numbers("max_boxes")
    assert (own.clip, own.threads) == (True, 1)


def test_given_options_are_taken(default_model):
    given = {
        "min_face": np.float32(33.5),
        "thresholds": np.array([0.1, 0.2, 0.3]),
        "scale_factor": 0.5,
        "nms": [0, 0.25, 0.5, 1],
        "max_boxes": np.array([300, 200, 100]),
        "clip": False,
        "threads": np.int64(2),
        "max_side": 640,
        "final_nms": "soft",
        "border": 0.25,
    }
    with Detector(str(default_model), **given) as detector:
        options = detector.options
    assert options == pymtcnn.Options(
        33.5,
        (0.1, 0.2, 0.3),
        0.5,
        (0.0, 0.25, 0.5, 1.0),
        (300, 200, 100),
        False,
        2,
        640,
        "soft",
        0.25,
    )


def test_the_built_in_model_is_the_default_one(detector, hopper, reference):
    with Detector() as built_in:
        assert built_in.options == detector.options
        assert_same(built_in.detect(hopper), reference)


def test_threads_do_not_change_results(default_model, hopper):
    low = {"thresholds": (0.5, 0.5, 0.3)}
    with Detector(default_model, **low) as one:
        expected = one.detect(hopper)
    for threads in (2, 3, 16):
        with Detector(default_model, threads=threads, **low) as several:
            assert_same(several.detect(hopper), expected)


def test_colors_are_those_of_the_header():
    lib = core().lib
    assert all(hasattr(lib, f"MTCNN_{color}") for color in COLORS)


def test_every_function_of_the_header_exists():
    header = (ROOT / "csrc" / "include" / "mtcnn.h").read_text()
    functions = set(re.findall(r"^MTCNN_API[^(;]*?(mtcnn_\w+)\(", header, re.MULTILINE))
    assert len(functions) > 10
    assert functions <= set(dir(core().lib))


def test_one_version():
    header = (ROOT / "csrc" / "include" / "mtcnn.h").read_text()
    version = ".".join(re.findall(r"#define MTCNN_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header))
    assert pymtcnn.__version__ == version
    assert core().ffi.string(core().lib.mtcnn_version()).decode() == version


# ---- lifetime ------------------------------------------------------------------------------------


def test_context_manager_and_close(default_model, hopper):
    with Detector(default_model) as detector:
        assert len(detector.detect(hopper)) == 1
        assert detector.memory > 0
    for use in [
        lambda: detector.detect(hopper),
        lambda: detector.detect_many([hopper]),
        lambda: detector.memory,
        lambda: detector.__enter__(),
    ]:
        with pytest.raises(ArgumentError, match="closed"):
            use()
    detector.close()
    assert "closed" in repr(detector)


def test_memory_grows_only_when_it_must(default_model, hopper):
    with Detector(default_model) as detector:
        detector.detect(hopper)
        most = detector.memory
        detector.detect(hopper[:100, :100])
        detector.detect(hopper)
        assert detector.memory == most


def test_a_forgotten_detector_is_freed(default_model):
    detector = Detector(default_model)
    gone, pointer, free = weakref.ref(detector), detector._detector, detector._free
    assert free.alive and pointer[0]
    del detector
    gc.collect()
    assert gone() is None and not free.alive and not pointer[0]


def test_threads_may_share_a_detector(detector, hopper, reference):
    results = [[] for _ in range(4)]

    def work(mine: list) -> None:
        for _ in range(3):
            detector.detect(hopper[:100])
            mine.append(detector.detect(hopper))

    threads = [threading.Thread(target=work, args=(mine,)) for mine in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(mine) for mine in results] == [3] * 4
    for mine in results:
        for faces in mine:
            assert_same(faces, reference)


def test_import_needs_neither_library_nor_opencv():
    script = (
        "import sys, pymtcnn; "
        "late = ('cv2', 'PIL', 'importlib.metadata', 'pandas', 'pymtcnn._mtcnn_abi', 'torch',"
        " 'tqdm')\n"
        "print([m for m in late if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


# ---- single networks -----------------------------------------------------------------------------

CFG = """[net]
channels=3
height=12
width=12

[convolutional]
filters=4
size=3
stride=1
pad=0
activation=linear

[maxpool]
size=2
stride=2
padding=1
"""


@pytest.fixture
def network(tmp_path) -> Network:
    """A convolution whose output o is the sum of its 27 inputs plus o, and a pooling."""
    cfg, weights = tmp_path / "tiny.cfg", tmp_path / "tiny.weights"
    cfg.write_text(CFG)
    header = np.array([0, 2, 0, 0, 0], "<i4").tobytes()
    values = np.concatenate([np.arange(4), np.ones(4 * 27)]).astype("<f4")
    weights.write_bytes(header + values.tobytes())
    return Network(cfg, weights)


def test_network_has_shapes(network):
    assert network.layers == 2
    assert network.layer_types == ("convolutional", "maxpool")
    assert network.weights_count == 4 + 4 * 27
    assert network.input == (3, 12, 12)
    assert network.shape(12, 12) == (4, 5, 5)
    assert network.shape(21, 30, layer=0) == (4, 19, 28)
    assert network.shape(21, 30) == network.shape(21, 30, layer=1) == (4, 10, 14)
    assert "2 layers, 112 weights, input 3x12x12" in repr(network)


def test_network_runs(network):
    x = np.random.default_rng(0).normal(size=(3, 3, 13, 9)).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3)).sum((1, 4, 5))
    sums = np.pad(windows, ((0, 0), (0, 1), (0, 1)), constant_values=-np.inf)
    pooled = sums[:, : 2 * 6, : 2 * 4].reshape(3, 6, 2, 4, 2).max((2, 4))
    expected = pooled[:, None] + np.arange(4).reshape(1, 4, 1, 1)
    output = network.run(x)
    assert (output.dtype, output.shape) == (np.float32, (3, 4, 6, 4))
    assert np.abs(output - expected).max() < 1e-5
    flipped = x[:, :, ::-1]
    assert (network.run(flipped) == network.run(flipped.copy())).all()
    assert network.run(x[:0]).shape == (0, 4, 6, 4)


def test_network_without_weights_is_zero(tmp_path):
    path = tmp_path / "tiny.cfg"
    path.write_text(CFG)
    x = np.ones((1, 3, 12, 12), np.float32)
    assert (Network(str(path)).run(x) == 0).all()


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((1, 3, 12, 12)), "float64"),
        (np.zeros((3, 12, 12), np.float32), "batch, 3"),
        (np.zeros((1, 4, 12, 12), np.float32), "batch, 3"),
        (np.zeros((1, 3, 0, 12), np.float32), "12x0"),
        ([[1.0]], "list"),
    ],
)
def test_network_refuses(network, x, words):
    with pytest.raises(ArgumentError, match=words):
        network.run(x)


@pytest.mark.parametrize("arguments", [(12, 12, 2), (12, 12, -2), (0, 12), (1.5, 12), (2**40, 12)])
def test_network_refuses_shapes(network, arguments):
    with pytest.raises(ArgumentError):
        network.shape(*arguments)


def test_network_refuses_inputs_smaller_than_its_kernels(network):
    for use in [lambda: network.shape(2, 12), lambda: network.run(np.zeros((1, 3, 2, 12), "f4"))]:
        with pytest.raises(CfgError, match="kernel of 3 does not fit an input of 12x2"):
            use()
