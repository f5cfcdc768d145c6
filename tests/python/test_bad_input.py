"""Bad input to the Python API: one typed exception, whose message names the cause."""

from __future__ import annotations

import io
import re
import struct
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import picture_files as files

from pymtcnn import (
    ArgumentError,
    CfgError,
    Detector,
    FileError,
    ModelError,
    MtcnnError,
    Network,
    PictureError,
    PictureWarning,
    WeightsError,
    draw,
    read_picture,
)
from pymtcnn.arguments import check_image
from pymtcnn.settings import check_options


class ArrayLike:
    """Like a PIL image or a tensor."""

    def __array__(self):
        return np.zeros((9, 9, 3), np.uint8)


NETWORKS = ("pnet", "rnet", "onet")


@pytest.fixture(scope="module")
def detector(default_model):
    with Detector(default_model) as detector:
        yield detector


def one_line(caught: pytest.ExceptionInfo) -> str:
    """The message, a single line with more than the exception's name."""
    text = str(caught.value)
    assert text and "\n" not in text
    assert isinstance(caught.value, MtcnnError)
    return text


# ---- arrays --------------------------------------------------------------------------------------

PIXELS = np.zeros((30, 40, 3), np.uint8)
NAN = np.full((30, 40, 3), np.nan, np.float32)


@pytest.mark.parametrize(
    ("image", "color", "words"),
    [
        (PIXELS.astype(np.float32), "RGB", ["float32", "must be uint8", "0..255"]),
        (PIXELS.astype(np.float64), "BGR", ["float64", "must be uint8"]),
        (NAN, "RGB", ["float32", "NaN"]),
        (np.where(PIXELS == 0, np.inf, 0.0), "RGB", ["float64", "infinite"]),
        (PIXELS.astype(np.int64), "RGB", ["int64"]),
        (PIXELS.astype(np.int8), "RGB", ["int8"]),
        (PIXELS.astype(np.uint16), "RGB", ["uint16"]),
        (PIXELS.astype(bool), "RGB", ["bool"]),
        (PIXELS.astype(object), "RGB", ["object"]),
        (PIXELS[..., 0], "RGB", ["(30, 40)", "(height, width, 3)", "color may be GRAY"]),
        (PIXELS[..., :1], "GRAY", ["(30, 40, 1)", "(height, width)"]),
        (PIXELS[..., :2], "RGB", ["(30, 40, 2)"]),
        (PIXELS, "GRAY", ["(30, 40, 3)", "color may be RGB or BGR"]),
        (PIXELS, "RGBA", ["(30, 40, 3)", "(height, width, 4)"]),
        (np.zeros((30, 40, 4), np.uint8), "RGB", ["(30, 40, 4)", "RGBA or BGRA"]),
        (PIXELS[None], "RGB", ["(1, 30, 40, 3)"]),
        (PIXELS[0, 0], "GRAY", ["(3,)"]),
        (np.uint8(3) + np.zeros((), np.uint8), "GRAY", ["uint8"]),
        (PIXELS[:0], "RGB", ["(0, 40, 3)", "1..1000000"]),
        (PIXELS[:, :0], "RGB", ["(30, 0, 3)"]),
        (np.broadcast_to(np.uint8(0), (2, 1_000_001)), "GRAY", ["1000001"]),
        (PIXELS.tolist(), "RGB", ["list"]),
        (None, "RGB", ["NoneType"]),
        (7, "RGB", ["int"]),
        (PIXELS, "rgb", ["'rgb'", "RGB, BGR, GRAY, RGBA, BGRA"]),
        (PIXELS, "HSV", ["'HSV'"]),
        (PIXELS, None, ["None"]),
        (PIXELS, ["RGB"], ["['RGB']"]),
    ],
)
def test_arrays(detector, image, color, words):
    for use in (detector.detect, check_image):
        with pytest.raises(ArgumentError) as caught:
            use(image, color)
        text = one_line(caught)
        assert all(word in text for word in words), text
    assert isinstance(caught.value, ValueError)


def test_unknown_colour_order_of_a_file(detector, pictures):
    with pytest.raises(ArgumentError, match="'YUV'"):
        detector.detect(pictures[0], color="YUV")


def test_one_bad_picture_among_many(detector):
    with pytest.raises(ArgumentError, match="float32"):
        detector.detect_many([PIXELS, PIXELS.astype(np.float32)])
    assert len(detector.detect(PIXELS)) == 0  # it still works


# ---- options -------------------------------------------------------------------------------------

BAD_OPTIONS = [
    *(("min_face", value) for value in (0, 0.99, -20, np.nan, np.inf, 1e7, "20", True, [20], 1j)),
    *(("scale_factor", value) for value in (0, 1, -0.5, 1.5, np.nan, "0.7", (0.7,), False)),
    ("thresholds", (0.6, 0.7)),
    ("thresholds", (0.6, 0.7, 0.7, 0.7)),
    ("thresholds", 0.6),
    ("thresholds", ()),
    ("thresholds", (0.6, 0.7, 1.01)),
    ("thresholds", (-0.01, 0.7, 0.7)),
    ("thresholds", (0.6, np.nan, 0.7)),
    ("thresholds", "0.6,0.7,0.7"),
    ("thresholds", ("0.6", "0.7", "0.7")),
    ("thresholds", (0.6, None, 0.7)),
    ("nms", (0.5, 0.7, 0.7)),
    ("nms", (0.5, 0.7, 0.7, 2)),
    ("max_boxes", (100, 100)),
    ("max_boxes", (100, 100, 100, 100)),
    ("max_boxes", 100),
    ("max_boxes", "100,100,100"),
    *(("max_boxes", (9, value, 9)) for value in (0, -1, 1_000_001, 1.0, "1", True, None, 2**70)),
    *(("max_side", value) for value in (-1, 1_000_001, 640.0, "640", False, 2**70)),
    *(("border", value) for value in (-0.1, 0.5, np.nan, "0.3", True)),
    *(("final_nms", value) for value in ("linear", "", 0, True, ["hard"])),
    *(("threads", value) for value in (0, -1, 257, 1.0, "1", True, np.nan, 2**70)),
]


@pytest.mark.parametrize(("name", "value"), BAD_OPTIONS)
def test_options(name, value):
    for use in (lambda given: Detector(**given), partial(check_options, "detector")):
        with pytest.raises(ArgumentError) as caught:
            use({name: value})
        assert re.match(rf"{name} .*: must be .*(\d|above|hard)", one_line(caught))


def test_unknown_option():
    with pytest.raises(TypeError):
        Detector(minimum_face=20)


@given(st.lists(st.floats() | st.integers(-3, 3), max_size=5))
def test_thresholds_are_three_numbers_from_0_to_1(values):
    good = len(values) == 3 and all(0 <= value <= 1 for value in values)
    if good:
        assert check_options("detector", {"thresholds": values}) == {
            "thresholds": tuple(map(float, values))
        }
    else:
        with pytest.raises(ArgumentError):
            check_options("detector", {"thresholds": values})


# ---- model files ---------------------------------------------------------------------------------


@pytest.fixture
def model(default_model, tmp_path):
    """A copy of the default model in its own folder."""
    text = default_model.read_text()
    for network in NETWORKS:
        for kind in ("cfg", "weights"):
            [source] = re.findall(rf"^{network}_{kind} *= *(.*)$", text, re.MULTILINE)
            name = f"{network}.{kind}"
            (tmp_path / name).write_bytes((default_model.parent / source).read_bytes())
            text = text.replace(source, name)
    path = tmp_path / "model.data"
    path.write_text(text)
    with Detector(path):
        pass
    return path


def refused(path, error: type[MtcnnError], *words: str) -> None:
    with pytest.raises(error) as caught:
        Detector(path)
    text = one_line(caught)
    for word in words:
        assert word in text, text


@pytest.mark.parametrize("name", [f"{n}.{kind}" for n in NETWORKS for kind in ("cfg", "weights")])
def test_missing_files(model, name):
    (model.parent / name).unlink()
    refused(model, FileError, str(model.parent / name), "No such file")


def test_missing_model(tmp_path):
    refused(tmp_path / "none.data", FileError, "none.data", "No such file")
    refused(tmp_path, FileError, str(tmp_path))
    refused("nul\0.data", ArgumentError, "NUL")
    refused(3, ArgumentError, "int")


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("change", [-4, 4, -1, 1])
def test_weights_short_or_long(model, network, change):
    path = model.parent / f"{network}.weights"
    data = path.read_bytes()
    path.write_bytes(data[:change] if change < 0 else data + bytes(change))
    words = "are missing" if change < 0 else "too many"
    refused(model, WeightsError, str(path), words, str(abs(change)))


def test_weights_empty_or_foreign(model):
    path = model.parent / "rnet.weights"
    weights = path.read_bytes()
    for data in [b"", weights[:11], bytes(3), weights.replace(weights[20:24], b"\0\0\xc0\x7f", 1)]:
        path.write_bytes(data)
        refused(model, WeightsError, str(path))


def test_weights_of_another_network(model):
    (model.parent / "rnet.weights").write_bytes((model.parent / "pnet.weights").read_bytes())
    refused(model, WeightsError, "rnet.weights", "rnet.cfg")


BAD_CFGS = [
    ("[maxpool]", "[yolo]", ["unknown section [yolo]"]),
    ("size=3", "size=-3", ["size=-3"]),
    ("size=3", "size=0", ["size=0"]),
    ("filters=10", "filters=1000000000", ["filters=1000000000"]),
    ("filters=10", "filters=99999999999999999999", ["filters="]),
    ("filters=10", "filters=ten", ["filters=ten"]),
    ("layers=-3,-1", "layers=-30,-1", ["[route]", "-30"]),
    ("layers=-3,-1", "layers=-3,0,99", ["[route]", "99"]),
    ("layers=-3,-1", "layers=", ["layers="]),
    ("stride=1", "stride=0", ["stride=0"]),
    ("[net]", "[start]", ["[start]"]),
    ("width=12", "width=-12", ["width=-12"]),
    ("channels=3", "channels=1000000000", ["channels=1000000000"]),
    ("pad=0", "pad", ["'pad'"]),
]


@pytest.mark.parametrize(("old", "new", "words"), BAD_CFGS)
def test_cfgs(model, old, new, words):
    path = model.parent / "pnet.cfg"
    text = path.read_text()
    assert old in text
    changed = text.replace(old, new, 1)
    path.write_text(changed)
    refused(model, CfgError, str(path), *words)
    with pytest.raises(CfgError) as caught:
        Network(path)
    line = re.search(r":(\d+): ", one_line(caught))
    assert line, "the message names the line"
    assert 1 <= int(line[1]) <= len(changed.splitlines())


@pytest.mark.parametrize("data", [b"", b"\n\n# nothing\n", bytes(100), b"\x7fELF\x02", b"[net]\n"])
def test_files_that_are_not_a_cfg(tmp_path, data):
    path = tmp_path / "no.cfg"
    path.write_bytes(data)
    with pytest.raises(CfgError) as caught:
        Network(path)
    assert str(path) in one_line(caught)


@pytest.mark.parametrize(
    ("pattern", "new", "words"),
    [
        (r"^thresholds.*\n", "", ["thresholds"]),
        (r"^thresholds.*", "thresholds = 0.6, 0.7", ["thresholds"]),
        (r"^thresholds.*", "thresholds = 0.6, 0.7, 1.7", ["thresholds"]),
        (r"^min_face.*", "min_face = 0", ["min_face"]),
        (r"^scale_factor.*", "scale_factor = 1", ["scale_factor"]),
        (r"^nms.*", "nms = a, b, c, d", ["nms"]),
        (r"^max_boxes.*\n", "", ["max_boxes"]),
        (r"^max_boxes.*", "max_boxes = 1, 1", ["max_boxes", "1, 1"]),
        (r"^max_boxes.*", "max_boxes = 1, 1, 1, 1", ["max_boxes", "1, 1, 1, 1"]),
        (r"^max_boxes.*", "max_boxes = 1, 0, 1", ["max_boxes", "1, 0, 1", "1 to 1000000"]),
        (r"^max_boxes.*", "max_boxes = 1, 1, -1", ["max_boxes", "1, 1, -1", "1 to 1000000"]),
        (r"^max_boxes.*", "max_boxes = 1, 1, 1.5", ["max_boxes", "1, 1, 1.5", "whole numbers"]),
        (r"^max_boxes.*", "max_boxes = many", ["max_boxes", "many"]),
        (r"^color.*", "color = GRAY", ["color", "RGB or BGR"]),
        (r"^pad.*", "pad = 0\nfoo = 1", ["foo"]),
        (r"^pad.*", "pad", ["pad"]),
    ],
)
def test_data_files(model, pattern, new, words):
    model.write_text(re.sub(pattern, new, model.read_text(), count=1, flags=re.MULTILINE))
    refused(model, CfgError, str(model), *words)


def test_networks_that_do_not_make_a_cascade(model):
    for kind in ("cfg", "weights"):
        (model.parent / f"onet.{kind}").write_bytes((model.parent / f"rnet.{kind}").read_bytes())
    refused(model, ModelError, "onet.cfg")


def test_missing_cfg_of_a_network(tmp_path, model):
    with pytest.raises(FileError, match=r"none\.cfg"):
        Network(tmp_path / "none.cfg")
    with pytest.raises(FileError, match=r"none\.weights"):
        Network(tmp_path / "pnet.cfg", tmp_path / "none.weights")
    with pytest.raises(ArgumentError):
        Network(None)


# ---- picture files -------------------------------------------------------------------------------


def test_missing_and_unreadable_pictures(detector, tmp_path):
    missing = tmp_path / "missing.jpg"
    for use in (detector.detect, read_picture):
        with pytest.raises(FileError) as caught:
            use(missing)
        assert one_line(caught) == f"{missing}: cannot be read: No such file or directory"
        assert isinstance(caught.value, OSError)
    with pytest.raises(FileError, match="directory"):
        detector.detect(tmp_path)
    with pytest.raises(FileError, match="null"):
        detector.detect("nul\0.jpg")
    closed = io.BytesIO()
    closed.close()
    with pytest.raises(FileError, match="closed"):
        detector.detect(closed)


def test_text_files(tmp_path):
    with pytest.raises(ArgumentError, match="binary mode"):
        read_picture(io.StringIO("text"))
    path = tmp_path / "x.jpg"
    path.write_bytes(b"\xff\xd8\xff")
    with path.open(encoding="utf-8") as file, pytest.raises(ArgumentError, match="binary mode"):
        read_picture(file)
    with pytest.raises(ArgumentError, match="of type int"):
        read_picture(3)


def broken(data: bytes, capfd) -> str:
    """The message about this picture, as bytes and as a named file; nothing is printed."""
    named = io.BytesIO(data)
    named.name = "the-file.xyz"
    for source, name in [(data, "picture: "), (named, "the-file.xyz: ")]:
        with pytest.raises(PictureError) as caught:
            read_picture(source)
        assert one_line(caught).startswith(name)
    assert capfd.readouterr() == ("", "")
    return str(caught.value)


def test_empty_picture(capfd):
    assert "empty" in broken(b"", capfd)


@pytest.mark.parametrize(
    "data", [b"\n", b"\xff\xd8", b"text" * 50, bytes(5000), b"RIFF" + bytes(20), b"BMW" * 9]
)
def test_not_a_picture(data, capfd):
    assert "not a picture" in broken(data, capfd)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"II*\0" + bytes(40), "TIFF"),
        (b"GIF89a" + bytes(50), "GIF"),
        (b"BM" + bytes(9), "BMP"),
        (b"RIFF\x20\0\0\0WEBPVP8 " + bytes(40), "WebP"),
        (b"\xff\x4f\xff\x51" + bytes(40), "JPEG 2000"),
        (b"P6 9 9 255 ", "PNM"),
    ],
)
def test_a_picture_s_beginning_alone(data, name, capfd):
    assert re.search(
        f"(cannot be read as|truncated) {name}.*; get a whole copy", broken(data, capfd)
    )


def cut_points(size: int) -> list[int]:
    fractions = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
    return [*range(8, 300, 17), *(int(size * f) for f in fractions), size - 12, size - 4]


def test_truncated_jpeg(pictures, capfd):
    data = pictures[0].read_bytes()
    assert data.endswith(b"\xff\xd9")
    for size in [
        3,
        *cut_points(len(data)),
    ]:  # two bytes less are test_a_jpeg_without_its_end_marker
        assert "truncated JPEG" in broken(data[:size], capfd), size


def test_truncated_progressive_jpeg(pictures, capfd):
    import cv2

    pixels = read_picture(pictures[0])[:200, :200]
    done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    assert done
    for size in cut_points(len(data)):
        assert "truncated JPEG" in broken(data.tobytes()[:size], capfd), size


def test_truncated_png(pictures, capfd):
    data = files.png_rgb(read_picture(pictures[0])[:100, :100])
    for size in cut_points(len(data)):
        if size < len(data) - 24:
            assert "truncated PNG" in broken(data[:size], capfd), size
    for size in range(len(data) - 12, len(data)):  # behind the pixels
        with pytest.warns(PictureWarning, match="lacks its end; all its pixels are there"):
            assert (read_picture(data[:size]) == read_picture(data)).all()


@pytest.mark.parametrize("position", [17, 30, 60, -20, -5])
def test_damaged_png(pictures, capfd, position):
    data = bytearray(files.png_rgb(read_picture(pictures[0])[:40, :40]))
    data[position] ^= 0x10
    assert "PNG" in broken(bytes(data), capfd)


def test_picture_without_frame(capfd):
    assert "no picture" in broken(b"\xff\xd8\xff\xe0\x00\x04ab\xff\xd9", capfd)


def test_pictures_over_the_limit(pictures, capfd):
    jpeg = files.resized_jpeg_header(pictures[0].read_bytes(), 65000, 65000)
    assert "65000x65000" in broken(jpeg, capfd)
    header = struct.pack(">IIBBBBB", 20001, 20000, 8, 2, 0, 0, 0)
    chunks = [files.png_chunk(name, body) for name, body in [(b"IHDR", header), (b"IEND", b"")]]
    text = broken(files.PNG_SIGNATURE + b"".join(chunks), capfd)
    assert "20001x20000" in text and "400 megapixels" in text


@given(st.binary(max_size=80), st.sampled_from([b"\xff\xd8\xff", files.PNG_SIGNATURE]))
def test_random_bytes_behind_a_signature(data, signature):
    with pytest.raises(PictureError):
        read_picture(signature + data)


@pytest.mark.parametrize("size", [(1, 1), (3, 20000), (20000, 3)])
def test_tiny_and_thin_pictures_have_no_face(detector, size):
    pixels = np.full((*size, 3), 90, np.uint8)
    assert len(detector.detect(pixels)) == 0
    assert len(detector.detect(files.png_rgb(pixels))) == 0


@pytest.mark.parametrize(
    ("image", "remedy"),
    [
        (None, "cv2.imread gives None"),
        (["a.jpg"], "detect_many"),
        (ArrayLike(), "numpy.asarray"),
        (7, "a path"),
    ],
)
def test_other_types_are_refused_with_a_remedy(image, remedy):
    with pytest.raises(ArgumentError, match=re.escape(remedy)):
        check_image(image)


def test_drawing_arrays():
    picture = np.zeros((40, 50, 3), np.uint8)
    with pytest.raises(ArgumentError, match="faces of type ndarray: must be what detect gives"):
        draw(picture, np.zeros((1, 4), np.float32))
