"""Videos and cameras in the ``mtcnn`` program, and the pictures that it reads through FFmpeg."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import socket
import struct
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import ASTRONAUT, DATA
from support import picture_files as files
from support.program_runs import assert_one_line
from support.skips import absent, missing

import pymtcnn

COUNT = 12  # frames of each video
NUMBERS = "x1,y1,x2,y2,score,left_eye_x,left_eye_y,right_eye_x,right_eye_y,nose_x,nose_y,"
NUMBERS += "left_mouth_x,left_mouth_y,right_mouth_x,right_mouth_y"


# ---- videos --------------------------------------------------------------------------------------


def _frames(width: int, height: int) -> list[np.ndarray]:
    """A walk along two pictures, side by side: COUNT frames [height, width, 3], BGR."""
    names = ("grace_hopper.jpg", "astronaut.jpg")
    wall = np.hstack([cv2.imread(str(DATA / name))[:512] for name in names])
    wall = cv2.resize(wall, (round(1024 * height / 512), height))
    steps = np.linspace(0, wall.shape[1] - width, COUNT).astype(int)
    return [np.ascontiguousarray(wall[:, x : x + width]) for x in steps]


def _write(path: Path, codec: str, rate: float, frames: list[np.ndarray]) -> Path:
    height, width, _ = frames[0].shape
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*codec), rate, (width, height)
    )
    if not writer.isOpened():
        missing(f"an OpenCV that writes {codec} into {path.suffix}")
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


def _read(path: Path) -> tuple[list[np.ndarray], list[float], float]:
    """The frames (BGR), their times in seconds, and the frames a second."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    frames, seconds = [], []
    while True:
        done, frame = capture.read()
        if not done:
            return frames, seconds, capture.get(cv2.CAP_PROP_FPS)
        frames.append(frame)
        seconds.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> dict[str, Path]:
    """Videos of several containers, codecs, rates, and sizes that are not multiples of 8 or 16."""
    folder = tmp_path_factory.mktemp("clips")
    return {
        "mp4": _write(folder / "clip.mp4", "mp4v", 25, _frames(400, 320)),
        "mkv": _write(folder / "clip.mkv", "mp4v", 30000 / 1001, _frames(402, 322)),
        "avi": _write(folder / "clip.avi", "MJPG", 10, _frames(400, 320)),
    }


@pytest.fixture(scope="module")
def mjpeg() -> bytes:
    """A stream of JPEG pictures, which FFmpeg reads as a video."""
    return b"".join(cv2.imencode(".jpg", frame)[1].tobytes() for frame in _frames(400, 320))


# ---- the program ---------------------------------------------------------------------------------


@pytest.fixture
def command(program, default_model, clips):
    """The program with the default model; skips the test where it cannot read videos."""
    command = [str(program), "--model", str(default_model)]
    done = subprocess.run(
        [*command, "--min-face", "1000000", "--video", clips["avi"]], capture_output=True
    )
    if b"FFmpeg" in done.stderr:  # built without it, or its libraries are missing
        missing(done.stderr.decode().strip())
    assert (done.returncode, done.stderr) == (0, b"")
    return command


@pytest.fixture
def run(command):
    """A function that runs the program on its arguments."""

    def run(*arguments, **options):
        return subprocess.run(
            [*command, *map(str, arguments)],
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE,
            timeout=120,
            **options,
        )

    return run


@pytest.fixture
def detect(run):
    """A function that returns the JSON objects, one for each frame, of a run without errors."""

    def detect(*arguments, **options):
        done = run("--json", *arguments, **options)
        assert (done.returncode, done.stderr) == (0, b"")
        return [json.loads(line) for line in done.stdout.splitlines()]

    return detect


def numbers_of(face: dict) -> np.ndarray:
    """x1, y1, x2, y2, then x and y of the five landmarks."""
    return np.array([*face["box"], *np.ravel(face["landmarks"])])


# ---- what is found -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mp4", "mkv", "avi"])
def test_faces_are_those_of_opencv_and_pymtcnn(detect, clips, kind, report_difference):
    """Decoders, and the conversions from their YUV to RGB, may differ by some grey levels."""
    found = detect("--video", clips[kind])
    frames, seconds, _ = _read(clips[kind])
    assert [frame["frame"] for frame in found] == list(range(COUNT)) == list(range(len(frames)))
    assert all(frame["video"] == str(clips[kind]) for frame in found)
    largest = score = 0.0
    with pymtcnn.Detector() as detector:
        for frame, picture in zip(found, frames, strict=True):
            assert (frame["height"], frame["width"]) == picture.shape[:2]
            faces = detector.detect(picture, color="BGR")
            expected = np.hstack([faces.boxes, faces.landmarks.reshape(-1, 10)])
            got = np.array([numbers_of(face) for face in frame["faces"]]).reshape(-1, 14)
            assert got.shape == expected.shape
            if len(got):
                largest = max(largest, np.abs(got - expected).max())
                scores = np.array([face["score"] for face in frame["faces"]])
                score = max(score, np.abs(scores - faces.scores).max())
    report_difference(f"px, faces in .{kind}, the program's against OpenCV's frames", largest, 1)
    assert largest < 1 and score < 0.02
    assert sum(len(frame["faces"]) for frame in found) >= COUNT
    assert np.abs(np.subtract([frame["seconds"] for frame in found], seconds)).max() < 0.002


@pytest.mark.slow
def test_text_csv_and_json_agree(run, detect, clips):
    video = clips["mp4"]
    rows = [
        [*about, *face["box"], face["score"], *np.ravel(face["landmarks"])]
        for frame in detect("--video", video)
        for about in [(frame["video"], frame["frame"], frame["seconds"])]
        for face in frame["faces"]
    ]
    table = run("--csv", "--video", video)
    header, *lines = csv.reader(io.StringIO(table.stdout.decode()))
    assert ",".join(header) == f"video,frame,seconds,{NUMBERS}"
    assert [[path, *map(float, values)] for path, *values in lines] == rows

    text = run("--video", video)
    assert (text.returncode, text.stderr) == (0, b"")
    for line, row in zip(text.stdout.decode().splitlines(), rows, strict=True):
        path, number, seconds, numbers = line.split("\t")
        assert [path, int(number), float(seconds)] == row[:3]
        assert np.abs(np.array(numbers.split(), float) - row[3:]).max() < 0.011


def test_every_skips_frames(detect, clips):
    everything = detect("--video", clips["mp4"])
    assert detect("--every", "5", "--video", clips["mp4"]) == everything[::5]


@pytest.mark.slow
def test_track_keeps_ids(run, detect, clips):
    found = detect("--track", "--video", clips["mp4"])
    assert [frame["frame"] for frame in found] == list(range(COUNT))
    first = [face for frame in found for face in frame["faces"] if face["id"] == 1]
    assert len(first) >= 4  # Grace Hopper, who then leaves the picture at its left
    left = [face["box"][0] for face in first]
    assert left == sorted(left, reverse=True)
    assert max(face["id"] for frame in found for face in frame["faces"]) > 1  # the astronaut

    table = run("--csv", "--track", "--video", clips["mp4"]).stdout.decode().splitlines()
    assert table[0] == f"video,frame,seconds,id,{NUMBERS}"
    text = run("--track", "--video", clips["mp4"]).stdout.decode().splitlines()
    ids = [face["id"] for frame in found for face in frame["faces"]]
    assert [int(line.split(",")[3]) for line in table[1:]] == ids
    assert [int(line.split("\t")[3]) for line in text] == ids


def test_standard_input(detect, mjpeg):
    found = detect("--video", "-", input=mjpeg)
    assert len(found) == COUNT and found[0]["video"] == "-" and found[0]["faces"]


def test_named_pipe(command, mjpeg, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen([*command, "--json", "--video", pipe], stdout=subprocess.PIPE) as process:
        pipe.write_bytes(mjpeg)
        lines = process.stdout.readlines()
    assert (process.returncode, len(lines)) == (0, COUNT)


def test_more_pixels_than_the_limit(run, clips):
    done = run("--max-pixels", "0.1", "--video", clips["mp4"])
    assert_one_line(done, 1, "400 x 320", "0.1 megapixels", "raise --max-pixels")


@pytest.mark.slow
def test_size_may_change_in_the_middle(run, detect, tmp_path, mjpeg):
    other = b"".join(cv2.imencode(".jpg", frame)[1].tobytes() for frame in _frames(301, 201))
    video, out = tmp_path / "two.mjpeg", tmp_path / "out.mp4"
    video.write_bytes(mjpeg + other)
    sizes = [(f["width"], f["height"]) for f in detect("--video", video, "--out", out)]
    assert sizes == [(400, 320)] * COUNT + [(301, 201)] * COUNT
    frames, _, _ = _read(out)
    assert len(frames) == 2 * COUNT and frames[-1].shape == (320, 400, 3)
    assert len(detect("--track", "--video", video)) == 2 * COUNT


@pytest.mark.slow
@pytest.mark.parametrize("turn", [90, 180, 270])
def test_rotation_is_applied(detect, tmp_path, turn):
    """A phone held upright writes rotated frames, and a matrix that says so."""
    upright = _frames(400, 320)[:2]
    rotated = [np.ascontiguousarray(np.rot90(frame, turn // 90)) for frame in upright]
    path = _write(tmp_path / "turned.mp4", "mp4v", 25, rotated)
    data = bytearray(path.read_bytes())
    matrix = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[turn]
    fixed = [value << 16 for value in matrix]
    at = data.index(b"tkhd") + 4 + 40  # ISO/IEC 14496-12: a 3 x 3 matrix, by rows
    struct.pack_into(">iiiiii", data, at, fixed[0], fixed[1], 0, fixed[2], fixed[3], 0)
    path.write_bytes(data)
    reference = _write(tmp_path / "upright.mp4", "mp4v", 25, upright)
    for turned, expected in zip(detect("--video", path), detect("--video", reference), strict=True):
        assert (turned["width"], turned["height"]) == (400, 320)
        assert len(turned["faces"]) == len(expected["faces"]) == 1
        gap = numbers_of(turned["faces"][0]) - numbers_of(expected["faces"][0])
        assert np.abs(gap).max() < 3  # two encodings of the same picture


# ---- the annotated video -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["mp4", "mkv", "avi"])
def test_out(run, clips, tmp_path, kind):
    out = tmp_path / f"out.{kind}"
    done = run("--json", "--every", "2", "--video", clips["mkv"], "--out", out)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    before, seconds, rate = _read(clips["mkv"])
    after, their_seconds, their_rate = _read(out)
    assert len(after) == len(before) and abs(their_rate - rate) < 0.01
    assert np.abs(np.subtract(seconds, their_seconds)).max() < 0.002
    found = {frame["frame"]: frame["faces"] for frame in map(json.loads, done.stdout.splitlines())}
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        changed = np.abs(new.astype(int) - old).max(axis=2) > 70
        for face in found[number - number % 2]:  # frames between show those of the previous one
            x1, y1, _, y2 = (int(value) for value in face["box"])
            assert changed[y1 + 2 : y2 - 2, max(x1 - 1, 0) : x1 + 2].any(axis=1).mean() > 0.5
        assert changed.mean() < 0.1


def test_out_never_overwrites_the_video_itself(run, clips):
    before = clips["mp4"].read_bytes()
    assert_one_line(run("--video", clips["mp4"], "--out", clips["mp4"]), 2, "overwrite", "--out")
    assert clips["mp4"].read_bytes() == before


def test_out_into_a_missing_folder(run, clips, tmp_path):
    done = run("--json", "--video", clips["mp4"], "--out", tmp_path / "missing" / "out.mp4")
    assert_one_line(done, 1, "missing/out.mp4", "No such file or directory")
    assert len(done.stdout.splitlines()) == COUNT  # results are still printed


# ---- ends before the end -------------------------------------------------------------------------


def test_interrupt_finishes_the_annotated_video(command, mjpeg, tmp_path):
    video, out = tmp_path / "long.mjpeg", tmp_path / "out.mp4"
    video.write_bytes(50 * mjpeg)  # what is found is more than a pipe holds: it cannot finish
    with subprocess.Popen(
        [*command, "--json", "--video", video, "--out", out],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
        lines += process.stdout.readlines()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (130, b"")
    assert len(_read(out)[0]) == len(lines) < 50 * COUNT
    assert [json.loads(line)["frame"] for line in lines] == list(range(len(lines)))
    assert set(tmp_path.iterdir()) == {video, out}


def test_interrupt_while_a_pipe_gives_nothing(command, mjpeg):
    with subprocess.Popen(
        [*command, "--video", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdin.write(mjpeg)
        process.stdin.flush()  # more than a pipe holds: it is reading by now
        process.send_signal(signal.SIGINT)
        errors = process.stderr.read()  # standard input is still open
    assert (process.returncode, errors) == (130, b"")


def test_standard_output_on_a_full_disk(run, clips, tmp_path):
    if not os.path.exists("/dev/full"):
        absent("/dev/full")
    with open("/dev/full", "wb") as full:
        done = run("--video", clips["mp4"], "--out", tmp_path / "out.mp4", stdout=full)
    assert_one_line(done, 1, "standard output", "No space left on device")
    assert len(_read(tmp_path / "out.mp4")[0]) == 1  # complete, but nobody read more


@pytest.mark.parametrize("kind", ["mkv", "avi"])
def test_video_cut_short(run, clips, tmp_path, kind):
    data = clips[kind].read_bytes()
    path, out = tmp_path / f"cut.{kind}", tmp_path / "out.mp4"
    path.write_bytes(data[: len(data) // 2])
    done = run("--json", "--video", path, "--out", out)
    assert_one_line(done, 1, path.name, "breaks off")
    found = len(done.stdout.splitlines())
    assert 1 < found < COUNT and len(_read(out)[0]) == found


def test_damaged_frame(run, clips, tmp_path):
    data = bytearray(clips["mp4"].read_bytes())
    data[len(data) // 2 : len(data) // 2 + 500] = bytes(range(250)) * 2
    path, out = tmp_path / "damaged.mp4", tmp_path / "out.mkv"
    path.write_bytes(data)
    done = run("--json", "--video", path, "--out", out)
    assert_one_line(done, 1, "damaged.mp4", f"of {COUNT} frames are damaged")
    assert len(done.stdout.splitlines()) == len(_read(out)[0]) >= COUNT - 3


# ---- bad input -----------------------------------------------------------------------------------


def wav() -> bytes:
    """A second of silence."""
    header = struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    return (
        b"RIFF" + struct.pack("<I", 16036) + b"WAVEfmt " + header
        + b"data" + struct.pack("<I", 16000) + bytes(16000)
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("missing.mp4", None, ["cannot be opened", "No such file or directory"]),
        ("empty.mp4", b"", ["is an empty file"]),
        ("noise.mp4", bytes(range(256)) * 100, ["is no video"]),
        ("page.md", b"# A page\n\nof text\n" * 20, ["is no video"]),
        ("page.txt", b"A page of text, which FFmpeg may take for art\n" * 200, ["is no video"]),
        ("sound.wav", wav(), ["no video stream", "only sound"]),
    ],
)
def test_no_video(run, tmp_path, name, data, words):
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    done = run("--video", path, "--out", tmp_path / "out.mp4")
    assert_one_line(done, 1, str(path), *words)
    assert done.stdout == b"" and not (tmp_path / "out.mp4").exists()


def test_mp4_without_its_index(run, clips, tmp_path):
    path = tmp_path / "recording.mp4"
    data = clips["mp4"].read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert_one_line(run("--video", path), 1, "recording.mp4", "damaged", "moov")


def test_folder(run, tmp_path):
    assert_one_line(run("--video", tmp_path), 1, str(tmp_path), "is a folder")


def test_missing_camera(run):
    if os.path.exists("/dev/video255"):
        absent("a number without a camera: this machine has 256")
    there = sorted(str(path) for path in Path("/dev").glob("video[0-9]*"))
    done = run("--camera", "255")
    assert_one_line(done, 1, "/dev/video255", "no such camera", *there)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["http", "rtsp", "tcp"])
def test_address_that_does_not_answer(run, scheme):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/video.mp4"
        done = run("--timeout", "0.2", "--video", url, env={**os.environ, "no_proxy": "*"})
    assert_one_line(done, 1, url, "gave nothing for 0.2 seconds", "--timeout")


def test_address_that_refuses(run):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"rtsp://127.0.0.1:{port}/video"
    assert_one_line(run("--video", url), 1, url, "Connection refused")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--video", ""], ["--video", "path or URL"]),
        (["--video", "a.mp4", "b.jpg"], ["--video", "pictures"]),
        (["--video", "a.mp4", "--camera", "0"], ["--camera", "--video"]),
        (["--camera", "-1"], ["--camera -1", "0 to 255"]),
        (["--camera", "front"], ["--camera front"]),
        (["--every", "2", "b.jpg"], ["--every", "--video or --camera"]),
        (["--track", "b.jpg"], ["--track", "--video or --camera"]),
        (["--timeout", "1", "b.jpg"], ["--timeout", "--video or --camera"]),
        (["--video", "a.mp4", "--every", "0"], ["--every 0", "1 to 1000000"]),
        (["--video", "a.mp4", "--timeout", "0"], ["--timeout 0", "above 0"]),
        (["--video", "a.mp4", "--out", "b.jpg"], ["b.jpg", ".mp4, .mkv or .avi"]),
        (["--video", "a.mp4", "--out", "folder/"], ["folder/", ".mp4, .mkv or .avi"]),
    ],
)
def test_wrong_options(run, tmp_path, arguments, words):
    done = run(*arguments, cwd=tmp_path)
    assert_one_line(done, 2, *words)
    assert done.stdout == b"" and list(tmp_path.iterdir()) == []


def test_missing_library_is_named(run, clips, tmp_path):
    """Files that are not libraries are where the loader looks first."""
    for major in range(56, 70):
        (tmp_path / f"libavutil.so.{major}").write_bytes(b"no library" * 10)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    done = run("--video", clips["mp4"], env=environment)
    assert_one_line(done, 1, str(clips["mp4"]), "FFmpeg's libavutil.so.", "Debian", "libavutil5")
    done = run(ASTRONAUT, env=environment)  # needs no library
    assert (done.returncode, done.stderr) == (0, b"") and done.stdout


# ---- pictures that FFmpeg decodes ----------------------------------------------------------------


@pytest.fixture
def decode(run, tmp_path):
    """A function that returns the pixels [H, W, 3], BGR, that the program reads from a file."""

    def decode(data: bytes) -> np.ndarray:
        source, copy = tmp_path / "picture", tmp_path / "decoded.png"
        source.write_bytes(data)
        done = run("--min-face", "1000000", "--out", copy, source)  # finds and draws nothing
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        return cv2.imread(str(copy))

    return decode


@pytest.mark.slow
@pytest.mark.parametrize(
    ("extension", "parameters", "tolerance"),
    [
        (".bmp", [], 0),
        (".tiff", [], 0),
        (".webp", [cv2.IMWRITE_WEBP_QUALITY, 101], 0),  # lossless
        (".webp", [cv2.IMWRITE_WEBP_QUALITY, 90], 12),  # at edges chroma is enlarged otherwise
    ],
)
def test_other_formats(decode, extension, parameters, tolerance):
    picture = cv2.imread(str(ASTRONAUT))[50:181, 150:281]  # both sides odd
    data = cv2.imencode(extension, picture, parameters)[1].tobytes()
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    difference = np.abs(decode(data).astype(int) - expected)
    assert np.percentile(difference, 99) <= tolerance


def gif() -> bytes:
    """Two frames of one pixel, red then blue: GIF89a with a palette of two colours."""
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02%s\x01\x00"
    codes = b"\x44", b"\x4c"  # clear, colour 0 or 1, end: 3 bits each
    header = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\xff\0\0\0\0\xff"
    return header + frame % codes[0] + frame % codes[1] + b"\x3b"


def test_gif_gives_its_first_frame(decode):
    assert decode(gif()).tolist() == [[[0, 0, 255]]]


@pytest.mark.slow
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_webp_is_turned_upright(decode, orientation, prefix):
    upright = np.random.default_rng(1).integers(0, 256, (37, 29, 3), np.uint8)
    stored = files.stored(upright, orientation)
    webp = cv2.imencode(".webp", stored, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()
    exif = prefix + files.tiff(orientation, "<")
    chunk = b"EXIF" + struct.pack("<I", len(exif)) + exif + bytes(len(exif) % 2)
    data = b"RIFF" + struct.pack("<I", len(webp) - 8 + len(chunk)) + webp[8:] + chunk
    assert (decode(data) == upright).all()


@pytest.mark.parametrize("name", ["WebP", "BMP", "TIFF", "GIF"])
def test_damaged_picture(run, tmp_path, name):
    data, said = {
        "WebP": (b"RIFF\x20\0\0\0WEBPVP8 " + bytes(40), "cannot be read as WebP"),
        "BMP": (b"BM" + bytes(80), "cannot be read as BMP"),
        "TIFF": (b"II*\0" + bytes(80), "is a damaged TIFF: its directory is missing"),
        "GIF": (b"GIF89a" + bytes(80), "is a truncated or damaged GIF"),
    }[name]
    path = tmp_path / "picture"
    path.write_bytes(data)
    assert_one_line(run(path), 1, str(path), said)


def test_video_named_as_a_picture(run, clips):
    assert_one_line(run(clips["mp4"]), 1, str(clips["mp4"]), "neither a JPEG", "--video")
