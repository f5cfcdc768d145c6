"""The demo: what it shows of a picture, the command, and the page in a browser."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import numpy as np
import pytest
from support import ASTRONAUT, HOPPER, ROOT
from support.picture_files import resized_jpeg_header, with_orientation
from support.skips import absent

from pymtcnn import ArgumentError, Detector, draw, extract_faces, formats, read_picture
from pymtcnn.commands import demo as command
from pymtcnn.demo.view import view

MODEL = {"min_face": 20, "thresholds": (0.6, 0.5, 0.7)}


def found(path):
    """The picture, and what the detector finds in it with the settings above."""
    rgb = read_picture(path)
    with Detector(**MODEL) as detector:
        return rgb, detector.detect_stages(rgb)


def faces_of(line):
    return json.loads(line)["faces"]


# ---- what is shown of a picture ------------------------------------------------------------------


def test_faces():
    rgb, faces = found(HOPPER)
    seen = view(HOPPER, "grace.jpg", "onet", **MODEL)
    assert seen.message == "grace.jpg: 1 face, 512x600 pixels"
    assert np.array_equal(seen.picture, draw(rgb, faces))
    assert np.array_equal(seen.faces, extract_faces(rgb, faces))
    assert [row[:2] for row in seen.timing] == [row[:2] for row in formats.timing_rows(faces)]
    assert faces_of(seen.json) == faces_of(formats.json_line("", 512, 600, faces))
    assert json.loads(seen.json)["image"] == "grace.jpg"


def test_boxes_of_a_stage():
    rgb, faces = found(HOPPER)
    rnet = faces.stages[1]
    seen = view(HOPPER, "grace.jpg", "rnet", **MODEL)
    changed = (seen.picture != rgb).any(axis=2)
    inside = np.zeros_like(changed)
    for x1, y1, x2, y2 in rnet.boxes.round().astype(int).clip(0):
        inside[max(y1 - 1, 0) : y2 + 1, max(x1 - 1, 0) : x2 + 1] = True  # lines are 2 pixels wide
        assert changed[y1:y2, x1].all() and changed[y1, x1:x2].all()
    assert len(rnet) > 5 and changed.any() and not (changed & ~inside).any()


def test_exif_turns_the_picture(tmp_path):
    path = tmp_path / "turned.jpg"
    path.write_bytes(with_orientation(HOPPER.read_bytes(), 6))
    assert view(path, "x.jpg", "onet", **MODEL).picture.shape == (512, 600, 3)


def broken_files():
    whole = HOPPER.read_bytes()
    return {
        "no picture": (b"hello", "that can be decoded"),
        "truncated": (whole[:5000], "truncated JPEG"),
        "empty": (b"", "the file is empty"),
        "huge": (resized_jpeg_header(whole, 10_000, 10_000), "10000x10000 pixels are too many"),
    }


@pytest.mark.parametrize("kind", broken_files())
def test_broken_files_give_a_message_alone(tmp_path, kind):
    data, message = broken_files()[kind]
    path = tmp_path / "upload"
    path.write_bytes(data)
    seen = view(path, "mine.jpg", "onet", **MODEL)
    assert seen.message.startswith("mine.jpg: ") and message in seen.message
    assert (seen.picture, len(seen.faces), seen.timing, seen.json) == (None, 0, [], "")


def test_a_setting_out_of_range_gives_a_message():
    seen = view(HOPPER, "x.jpg", "onet", min_face=20, thresholds=(0.6, 2, 0.7))
    assert seen.message.startswith("thresholds ") and seen.picture is None


def test_what_the_page_never_asks_for_gives_a_message(tmp_path):
    seen = view(HOPPER, "grace.jpg", "nope", **MODEL)
    assert (seen.message, seen.picture) == ("stage 'nope': must be pnet, rnet or onet", None)
    seen = view(tmp_path, "grace.jpg", "onet", **MODEL)
    assert (seen.message, seen.picture) == ("grace.jpg: cannot be read: Is a directory", None)
    seen = view(HOPPER, "grace.jpg", "onet", min_face="40", thresholds=(0.6, [], None))
    assert seen.message.startswith("min_face '40': must be a number")


# ---- the command ---------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["--port", "x"], ["--port", "65536"], ["--threads", "0"]])
def test_wrong_usage(capsys, words):
    assert command.main(words) == 2
    assert capsys.readouterr().err.startswith(f"pymtcnn demo: {words[0]} {words[1]}: must be")


def test_without_gradio(capsys, monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert command.main([]) == 1
    assert capsys.readouterr().err.startswith("pymtcnn demo: gradio is not installed: pip install ")


def test_port_in_use(capsys, monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda name: True)  # not reached
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        assert command.main(["--port", str(port)]) == 1
    message = capsys.readouterr().err
    assert message.startswith(f"pymtcnn demo: 127.0.0.1:{port}: cannot be opened: Address al")


@pytest.mark.slow
def test_ends_without_leftovers(tmp_path):
    words = [sys.executable, "-m", "pymtcnn", "demo", "--port", "0"]
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().split()[0]
            with urlopen(address) as answer:
                assert b"gradio" in answer.read()
            assert list(tmp_path.glob("pymtcnn-demo-*"))
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not list(tmp_path.glob("pymtcnn-demo-*"))


UPLOADED = {"path": "x", "orig_name": "x"}
ODD_REQUESTS = {
    "Only pictures that were uploaded": [UPLOADED, "onet", 40, 0.6, 0.5, 0.7],
    "ImageData": ["x", "onet", 40, 0.6, 0.5, 0.7],
    "enough input values": [],
}


@pytest.mark.slow
def test_requests_that_no_page_makes_give_one_line(tmp_path):
    words = [sys.executable, "-m", "pymtcnn", "demo", "--port", "0"]
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    errors = tmp_path / "errors"

    def post(address, **request):
        body = json.dumps({"session_hash": "x", "fn_index": 0, **request}).encode()
        headers = {"Content-Type": "application/json"}
        try:
            with urlopen(Request(f"{address}gradio_api/run/show", body, headers)) as answer:
                return answer.status
        except HTTPError as error:
            return error.code

    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            words, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as process,
    ):
        try:
            address = process.stdout.readline().split()[0]
            for data in ODD_REQUESTS.values():
                assert post(address, data=data) == 500
            assert post(address, data=[], fn_index=99) == 500
            assert post(address, data=[None, "onet", 40, 0.6, 0.5, 0.7]) == 200  # it goes on
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    *lines, last = errors.read_text().splitlines()
    assert [text for text, line in zip(ODD_REQUESTS, lines) if text in line] == [*ODD_REQUESTS]
    assert "99" in last
    assert len(lines) == 3


# ---- the page in a browser -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def hosts():
    """The hosts that this process has looked up or connected to since the fixture was made."""
    names = set()

    def note(event, arguments):
        if event == "socket.getaddrinfo":
            names.add(arguments[0])
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            names.add(arguments[1][0])

    sys.addaudithook(note)
    return names


@pytest.fixture(scope="module")
def page(hosts):
    from support.demo_browser import missing_programs, open_page

    from pymtcnn.demo.server import serving

    if missing_programs():
        absent(", ".join(missing_programs()))
    with serving(port=0) as address, open_page(address) as page:
        yield page


def green_edges(rgb, box):
    """How much greener than red and blue the pixels on a box's edges are, on average."""
    x1, y1, x2, y2 = box.round().astype(int)
    edges = np.concatenate(
        [rgb[y1:y2, x1], rgb[y1:y2, x2 - 1], rgb[y1, x1:x2], rgb[y2 - 1, x1:x2]]
    ).astype(int)
    return (edges[:, 1] - edges[:, [0, 2]].max(axis=1)).mean()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:gradio")
def test_no_other_files_of_the_machine_are_shown(tmp_path, monkeypatch):
    from pymtcnn.demo.page import make_page

    uploads = tmp_path / "uploads"
    uploads.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(uploads))
    (handler,) = make_page().fns.values()

    def message(path):
        upload = {"path": str(path), "orig_name": "x"}  # a request's content
        return handler.fn(upload, "onet", 20, 0.6, 0.5, 0.7)[0]

    picture = Path(shutil.copy(HOPPER, uploads))
    assert message(picture) == "x: 1 face, 512x600 pixels"
    for other in (HOPPER, uploads / "../../etc/hostname", "/nowhere", uploads / "\0", "\ud800"):
        with pytest.raises(ArgumentError, match="uploaded"):
            message(other)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:gradio")
def test_page(page, hosts, tmp_path):
    rgb, faces = found(ASTRONAUT)

    page.upload(ASTRONAUT)
    page.until(lambda: page.message() == "astronaut.jpg: 1 face, 512x512 pixels")
    shown = page.picture()
    assert np.abs(shown.astype(int) - draw(rgb, faces)).mean() < 4  # it is a JPEG
    assert green_edges(shown, faces.boxes[0]) > 60 > 10 > green_edges(rgb, faces.boxes[0])
    assert faces_of(page.json()) == faces_of(formats.json_line("", 512, 512, faces))
    aligned = page.face()
    assert np.abs(aligned.astype(int) - extract_faces(rgb, faces)[0]).mean() < 4
    for stage in faces.stages:
        assert str(stage.inputs) in page.timing()

    before = page.picture_address()
    page.choose_stage("pnet")
    page.until(lambda: page.picture_address() != before)
    assert green_edges(page.picture(), faces.stages[0].boxes[0]) > 60

    page.choose_stage("onet")
    page.set_min_face(300)
    page.until(lambda: page.message() == "astronaut.jpg: 0 faces, 512x512 pixels")
    page.until(lambda: faces_of(page.json()) == [])
    assert green_edges(page.picture(), faces.boxes[0]) < 10

    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    page.remove()
    page.upload(broken)
    page.until(lambda: page.message().startswith("broken.jpg: not a picture that can be decoded"))

    requests = [urlsplit(address) for address in page.requests()]
    assert any(request.path.endswith("/upload") for request in requests)
    strangers = {request.hostname for request in requests if request.scheme in ("http", "https")}
    assert strangers == {"127.0.0.1"}
    assert {"127.0.0.1"} <= hosts <= {"127.0.0.1", "localhost", "::1"}
