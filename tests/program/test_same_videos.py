"""Videos as people bring them: both programs read the same frames, at the same times."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from support import ROOT, videos
from support.skips import missing
from support.videos import RATE, camera, download, make_video, served

from pymtcnn import cli

COUNT = 20
STEADY = range(COUNT)
RESTS = [*range(6), 20, 21, 50]
"""Ticks of a screen that rests."""


@dataclass
class Done:
    """How a run ended. message: the line on standard error, without the program's name."""

    status: int
    frames: list[dict]
    messages: list[str]

    @property
    def seconds(self) -> list[float]:
        return [frame["seconds"] for frame in self.frames]


def done(status: int, out: str, error: str) -> Done:
    messages = [re.sub(r"^mtcnn(?: video)?: ", "", line) for line in error.splitlines()]
    return Done(status, [json.loads(line) for line in out.splitlines()], messages)


@pytest.fixture(params=["mtcnn", "pymtcnn"])
def run(request, program, default_model, capfd):
    """A function that runs ./mtcnn or `pymtcnn` in this process on the words behind `video`."""
    options = ["video", "--json", "--min-face", "1000", "--model", str(default_model)]

    def run_program(*words) -> Done:
        ran = subprocess.run(
            [program, *options, *words], capture_output=True, text=True, timeout=60
        )
        if "FFmpeg" in ran.stderr and "install" in ran.stderr:
            missing(ran.stderr.strip())
        return done(ran.returncode, ran.stdout, ran.stderr)

    def run_python(*words) -> Done:
        capfd.readouterr()
        status = cli.main([*options, *map(str, words)], prog="mtcnn")
        return done(status, *capfd.readouterr())

    return run_program if request.param == "mtcnn" else run_python


def assert_whole(ran: Done, ticks, tolerance: float = 0.0011) -> None:
    """All frames came, at these ticks since the first one, and nothing was said."""
    assert (ran.status, ran.messages) == (0, [])
    expected = (np.array(ticks) - ticks[0]) / RATE
    assert len(ran.frames) == len(expected)
    assert np.abs(ran.seconds - expected).max() <= tolerance


# ---- whole videos --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mkv", "libx264"), ("a.webm", "libvpx"), ("a.mp4", "libx264")]
)
def test_variable_rate(run, tmp_path, name, codec):
    """The issue's: 'breaks off after frame 12 of 75'."""
    options = {"bf": "2", "preset": "veryfast"} if codec == "libx264" else {"deadline": "realtime"}
    assert_whole(run(make_video(tmp_path / name, RESTS, codec=codec, options=options)), RESTS)


@pytest.mark.parametrize(("start", "seconds"), [(0.2, 0.6), (0, 0.4), (0.2, 0.2)])
def test_edit_list(run, tmp_path, start, seconds):
    """An MP4 whose edit leaves out frames at the beginning, at the end, or both."""
    path = videos.edit(make_video(tmp_path / "a.mp4", STEADY), start, seconds)
    ran = run(path)
    assert (ran.status, ran.messages) == (0, [])
    assert abs(len(ran.frames) - RATE * seconds) <= 1
    assert np.allclose(np.diff(ran.seconds), 1 / RATE, atol=0.0011)


def test_gap_in_a_recording(run, tmp_path):
    """Two transport streams one after the other, as a camera's recorder leaves them."""
    parts = [make_video(tmp_path / f"{i}.ts", STEADY, offset=30 * i) for i in (0, 1)]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert_whole(run(path), [*STEADY, *(750 + tick for tick in STEADY)])


def test_times_that_begin_again(run, tmp_path):
    part = make_video(tmp_path / "a.ts", STEADY).read_bytes()
    path = tmp_path / "twice.ts"
    path.write_bytes(2 * part)
    assert_whole(run(path), range(2 * COUNT))


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.avi"])
@pytest.mark.parametrize("sound", [0.25, 3])
def test_sound_of_another_length_before_the_video(run, tmp_path, name, sound):
    codec = "mpeg4" if name == "a.avi" else "libx264"
    assert_whole(run(make_video(tmp_path / name, STEADY, codec=codec, sound=sound)), STEADY)


def test_cover(run, tmp_path):
    assert_whole(run(make_video(tmp_path / "a.mp4", STEADY, cover=True)), STEADY)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_still(run, tmp_path, name):
    assert_whole(run(make_video(tmp_path / name, [0])), [0])


def test_frames_without_data(run, tmp_path):
    """An AVI has empty frames where others have gaps; its declared number counts them."""
    assert_whole(run(make_video(tmp_path / "a.avi", RESTS, codec="mpeg4")), RESTS)


def test_avi_without_its_index(run, tmp_path):
    path = make_video(tmp_path / "a.avi", STEADY, codec="mpeg4")
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"idx1")])
    assert_whole(run(path), STEADY)


def test_stream_that_begins_in_the_middle(run, tmp_path):
    """What comes before the first key frame cannot be decoded, and is no damage."""
    options = {"g": "8", "keyint_min": "8"}
    path = make_video(tmp_path / "a.ts", STEADY, options=options)
    data = path.read_bytes()
    path.write_bytes(data[len(data) // 188 // 4 * 188 :])
    ran = run(path)
    assert (ran.status, ran.messages) == (0, [])
    assert 8 <= len(ran.frames) <= 16 and ran.seconds[0] == 0


@pytest.mark.parametrize(("name", "codec"), [("a.h264", "libx264"), ("a.mjpeg", "mjpeg")])
def test_file_without_stamps(run, tmp_path, name, codec):
    path = make_video(tmp_path / name, STEADY, codec=codec, options={"bf": "0"})
    assert_whole(run(path), STEADY)
    assert run(path, "--fps", "10").seconds == [tick / 10 for tick in STEADY]


@pytest.mark.parametrize("matrix", [(0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0), (-1, 0, 0, 1)])
def test_display_matrix(run, tmp_path, matrix):
    """Both turn alike: the annotated video shows what they made of the frame."""
    path = videos.turn(make_video(tmp_path / "a.mp4", STEADY), matrix)
    out = tmp_path / "out.mkv"
    ran = run("--out", out, path)
    turned = matrix[0] == 0
    assert (ran.status, ran.frames[0]["width"]) == (0, 64 if turned else 96)
    rgb = videos.grey(COUNT)[-1]
    upright = {
        (0, 1, -1, 0): np.rot90(rgb, -1),
        (-1, 0, 0, -1): rgb[::-1, ::-1],
        (0, -1, 1, 0): np.rot90(rgb),
        (-1, 0, 0, 1): rgb[:, ::-1],
    }[matrix]
    assert np.abs(read(out)[-1].astype(int) - upright).mean() < 6


# ---- videos that break off -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mkv", "libx264"), ("a.mp4", "libx264"), ("a.avi", "mjpeg"), ("a.flv", "libx264")],
)
@pytest.mark.parametrize("share", [0.7, 0.93])
def test_cut_file(run, tmp_path, name, codec, share):
    """The frames until there, the annotated video of them, one line, status 1."""
    fast = {"movflags": "faststart"} if name == "a.mp4" else {}
    options = {"crf": "1"} if codec == "libx264" else {}
    path = make_video(tmp_path / name, STEADY, codec=codec, options=options, container=fast)
    data = path.read_bytes()
    path.write_bytes(data[: round(share * len(data))])
    out = tmp_path / "out.mp4"
    ran = run("--out", out, path)
    count = len(ran.frames)
    text = f"{path}: breaks off after frame {count}: its end is missing; get a whole copy of it"
    assert (ran.status, ran.messages) == (1, [text])
    assert 3 < count < COUNT and len(read(out)) == count


def test_cut_in_the_sound(run, tmp_path):
    """A file whose sound alone is cut is not whole."""
    fast = {"movflags": "faststart"}
    path = make_video(tmp_path / "a.mp4", STEADY, sound=3, container=fast)
    path.write_bytes(path.read_bytes()[:-18])
    ran = run(path)
    assert (ran.status, len(ran.frames)) == (1, COUNT)


# ---- streams -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def jpegs() -> list[bytes]:
    noise = np.random.default_rng(1).integers(0, 256, (6, 64, 96, 3), np.uint8)
    return [cv2.imencode(".jpg", frame)[1].tobytes() for frame in noise]


@pytest.mark.slow
def test_time_of_arrival(run, jpegs, tmp_path):
    """Where a stream has no stamps; FFmpeg makes up 25 a second. The annotated video has it too."""
    out = tmp_path / "out.mkv"
    with served(camera=camera(jpegs, 0.15)) as url:
        ran = run("--out", out, f"{url}/camera")
    assert (ran.status, ran.messages, len(ran.frames)) == (0, [], len(jpegs))
    assert 0.35 < ran.seconds[-1] < 1.1 and ran.seconds == sorted(ran.seconds)
    assert np.abs(np.subtract(times(out), ran.seconds)).max() < 0.002


@pytest.mark.slow
def test_stream_that_stalls(run, jpegs, tmp_path):
    out = tmp_path / "out.mp4"
    with served(camera=camera(jpegs, 0.01, hang=20)) as url:
        ran = run("--timeout", "0.5", "--out", out, f"{url}/camera")
    count = len(ran.frames)
    assert count >= len(jpegs) - 1 and len(read(out)) == count and ran.status == 1
    text = f"breaks off after frame {count}: gave nothing for 0.5 seconds; check it, or allow more"
    assert len(ran.messages) == 1 and text in ran.messages[0]


@pytest.mark.slow
def test_endless_stream_goes_on(run, jpegs):
    """Times go on, too; when the camera does not come back, that is said."""
    turns = []

    def answer(request):
        turns.append(request)
        if len(turns) > 2:
            request.send_error(503)
        else:
            camera(jpegs, 0.02)(request)

    with served(camera=answer) as url:
        ran = run("--reconnect", "1.5", f"{url}/camera")
    assert (ran.status, len(ran.frames), len(turns) > 2) == (1, 2 * len(jpegs), True)
    first, second, last = ran.messages
    where = f"{url}/camera: breaks off after frame"
    assert first == f"{where} {len(jpegs)}: the other side has ended it; connecting again"
    assert second == f"{where} {2 * len(jpegs)}: the other side has ended it; connecting again"
    assert last.startswith(f"{where} {2 * len(jpegs)}: cannot be opened: ")
    assert last.endswith("; gave up after 1.5 seconds (--reconnect)")
    assert ran.seconds == sorted(ran.seconds) and 1 < ran.seconds[-1] < 4
    assert ran.seconds[len(jpegs)] - ran.seconds[len(jpegs) - 1] > 0.9  # the waiting


@pytest.mark.slow
def test_download_goes_on_where_it_broke_off(run, tmp_path):
    """Each frame once, at its time."""
    path = make_video(
        tmp_path / "a.mp4", range(60), options={"g": "5", "crf": "1"},
        container={"movflags": "faststart"},
    )  # fmt: skip
    data = path.read_bytes()
    turns = iter([download(data, most=len(data) * 2 // 3)])
    with served(a=lambda request: next(turns, download(data))(request)) as url:
        ran = run("--reconnect", "5", f"{url}/a")
        assert ran.status == 0 and len(ran.messages) == 1 and "connecting again" in ran.messages[0]
        assert np.allclose(ran.seconds, np.arange(60) / RATE, atol=0.0011)
    with served(a=download(data, most=len(data) * 2 // 3)) as url:
        broken = run(f"{url}/a")
    assert broken.status == 1 and "breaks off after frame" in broken.messages[0]
    assert 20 < len(broken.frames) < 60


def test_only_streams_are_connected_to_again(run, tmp_path):
    ran = run("--reconnect", "3", make_video(tmp_path / "a.mkv", [0, 1]))
    assert ran.status == 2 and "--reconnect: is for streams and cameras" in ran.messages[0]


# ---- the annotated video -------------------------------------------------------------------------


def read(path) -> list[np.ndarray]:
    """Its frames, RGB, as a peer reads them."""
    capture, found = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG), []
    while (shown := capture.read())[0]:
        found.append(shown[1][..., ::-1])
    return found


def times(path) -> list[float]:
    capture, found = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG), []
    while capture.read()[0]:
        found.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    return found


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".avi"])
def test_annotated_video_keeps_times(run, tmp_path, ending):
    out = tmp_path / f"out{ending}"
    ran = run("--out", out, make_video(tmp_path / "a.mkv", RESTS))
    assert_whole(ran, RESTS)
    assert np.abs(np.subtract(times(out), ran.seconds)).max() < 0.002


def test_frames_that_change_size_are_not_squeezed(run, tmp_path):
    """A white square stays one, in the middle, with black at both sides."""
    frames = [np.zeros((64, 96, 3), np.uint8), np.zeros((80, 40, 3), np.uint8)]
    for frame in frames:
        frame[...] = 90
    frames[1][20:60, :] = 255
    path, out = tmp_path / "a.mjpeg", tmp_path / "out.mkv"
    path.write_bytes(b"".join(cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames))
    ran = run("--out", out, path)
    assert [(f["width"], f["height"]) for f in ran.frames] == [(96, 64), (40, 80)]
    shown = read(out)[1]
    assert shown.shape == (64, 96, 3)
    assert (
        shown[:, :30].max() < 30 and shown[:, -30:].max() < 30
    )  # 32 of 96 columns are the frame's
    assert abs(int(shown[4, 48, 0]) - 90) < 12
    white = shown[..., 0] > 200
    assert abs(int(white.any(axis=1).sum()) - 32) <= 2 >= abs(int(white.any(axis=0).sum()) - 32)


# ---- ends of the annotated video -----------------------------------------------------------------


@pytest.fixture(params=["mtcnn", "pymtcnn"])
def command(request, program, default_model):
    """The program in a process of its own."""
    start = [program] if request.param == "mtcnn" else [sys.executable, "-m", "pymtcnn"]
    return [*start, "video", "--json", "--min-face", "1000", "--model", default_model]


@pytest.fixture(scope="module")
def long_video(tmp_path_factory):
    """Frames of noise, which take much room."""
    path = tmp_path_factory.mktemp("long") / "long.avi"
    noise = np.random.default_rng(1).integers(0, 256, (20, 120, 160, 3), np.uint8)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, (160, 120))
    for index in range(100):
        writer.write(noise[index % 20])
    writer.release()
    return path


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".avi"])
def test_full_disk_keeps_the_frames_until_there(command, long_video, tmp_path, ending):
    """A limit on the size of files is told like a full disk. What is found is still printed."""
    out = tmp_path / f"out{ending}"
    ran = subprocess.run(
        [*command, "--out", out, long_video],
        capture_output=True, text=True, cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000)),
    )  # fmt: skip
    assert (ran.returncode, len(ran.stdout.splitlines())) == (1, 100)
    text = f"{out}: cannot be written: File too large; it has the frames until there\n"
    assert ran.stderr.partition(": ")[2] == text
    assert 5 < len(read(out)) < 95 and out.stat().st_size <= 600_000
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.slow
def test_reader_that_ends_keeps_the_annotated_video(command, long_video, tmp_path):
    """`... | head -3`: the video of what was printed is completed, and no message is given."""
    out = tmp_path / "out.mp4"
    process = subprocess.Popen(
        [*command, "--out", out, long_video],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait(30) in (-signal.SIGPIPE, 141)
    assert 1 <= len(read(out)) <= 100 and list(tmp_path.iterdir()) == [out]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_while_a_pipe_gives_nothing(command, tmp_path, number):
    """It ends at once, and the annotated video is completed."""
    out, pipe = tmp_path / "out.mkv", tmp_path / "pipe"
    os.mkfifo(pipe)
    data = make_video(tmp_path / "a.ts", range(100)).read_bytes()
    process = subprocess.Popen([*command, "--out", out, pipe], stdout=subprocess.PIPE, cwd=ROOT)
    with open(pipe, "wb") as writing:
        writing.write(data)
        writing.flush()
        process.stdout.readline()
        time.sleep(0.3)
        process.send_signal(number)
        assert process.wait(10) == 128 + number
    assert len(read(out)) == 1 + len(process.stdout.read().splitlines())
