"""pymtcnn.frames: files, cameras, arrays, and their errors."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading

import av
import cv2
import numpy as np
import pytest
from support import ROOT
from support.skips import absent, missing
from support.videos import camera, served

import pymtcnn
from pymtcnn import (
    ArgumentError,
    FileError,
    VideoError,
    VideoWarning,
    frames,
    optional,
    video_input,
)

SIZE = (160, 120)
COUNT = 30


@pytest.fixture(scope="module")
def pictures_in(pictures) -> list[np.ndarray]:
    """The frames of the videos: RGB [120, 160, 3]."""
    rgb = pymtcnn.read_picture(pictures[0])
    return [np.ascontiguousarray(rgb[i : i + SIZE[1], i : i + SIZE[0]]) for i in range(COUNT)]


def write(path, pictures, code, fps=20):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), fps, SIZE)
    if not writer.isOpened():
        missing(f"an OpenCV that writes {code}")
    for rgb in pictures:
        writer.write(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


@pytest.fixture(scope="module")
def avi(tmp_path_factory, pictures_in):
    return write(tmp_path_factory.mktemp("video") / "a:b %d.avi", pictures_in, "MJPG")


def open_files() -> list[str]:
    """The open files of this process."""
    folder = "/proc/self/fd"
    if not os.path.isdir(folder):
        absent("/proc")
    names = []
    for number in os.listdir(folder):
        try:
            names.append(os.readlink(f"{folder}/{number}"))
        except OSError:  # listdir's own
            continue
    return names


def test_a_file(avi, pictures_in):
    read = list(frames(avi))
    assert [frame.index for frame in read] == list(range(COUNT))
    assert np.allclose([frame.seconds for frame in read], np.arange(COUNT) / 20)
    for frame, rgb in zip(read, pictures_in, strict=True):
        assert (frame.picture.shape, frame.picture.dtype) == ((*SIZE[::-1], 3), np.uint8)
        assert np.abs(frame.picture.astype(int) - rgb).mean() < 8  # JPEG's loss; BGR would be > 20
    assert str(avi) not in open_files()


def test_mp4_and_fps(tmp_path, pictures_in):
    path = write(tmp_path / "a.mp4", pictures_in, "mp4v")
    assert len(list(frames(str(path)))) == COUNT
    assert [frame.seconds for frame in frames(path, fps=10)] == [i / 10 for i in range(COUNT)]


@pytest.mark.slow
def test_closing_closes_the_file(avi):
    video = frames(avi)
    next(video)
    assert str(avi) in open_files()
    video.close()
    assert str(avi) not in open_files()
    video = frames(avi)  # never started
    del video
    gc.collect()
    assert str(avi) not in open_files()
    for frame in pymtcnn.track(avi, every=5):
        assert len(frame.tracks) <= 1
        break
    gc.collect()
    assert str(avi) not in open_files()


def test_no_such_file(tmp_path):
    for name, part in ((tmp_path / "absent.mp4", "No such file"), (tmp_path, "is a folder")):
        with pytest.raises(FileError, match=part):
            frames(name)
    with pytest.raises(FileError, match="cannot be opened"):
        frames("a\0b.mp4")
    with pytest.raises(FileError, match="No such file"):
        pymtcnn.track(tmp_path / "absent.mp4")


@pytest.mark.parametrize(
    ("content", "text"), [(b"", "is an empty file"), (b"no video\n" * 1000, "is no video")]
)
def test_not_a_video(tmp_path, content, text):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoError, match=rf"a\.mp4: {text}") as caught:
        frames(path)
    assert isinstance(caught.value, ValueError)


def test_no_such_camera():
    for number in (97, 197):
        with pytest.raises(FileError, match=f"/dev/video{number}: there is no such camera"):
            frames(number)
    for number in (-1, 256, 9137):
        with pytest.raises(ArgumentError, match=rf"camera {number}: must be .* 0 to 255"):
            frames(number)


def test_no_such_stream():
    with pytest.raises(FileError, match="cannot be opened: Connection refused"):
        frames("rtsp://127.0.0.1:9/none")


def test_a_video_that_breaks_off(avi, tmp_path):
    path = tmp_path / "cut.avi"
    path.write_bytes(avi.read_bytes()[: avi.stat().st_size // 2])
    read = []
    with pytest.raises(VideoError, match=r"cut\.avi: breaks off after frame \d+: ") as caught:
        for frame in frames(path):
            read.append(frame)
    assert COUNT / 4 < len(read) < 3 * COUNT / 4
    assert f"frame {len(read)}: " in str(caught.value)
    tracked = []
    with pytest.raises(VideoError, match="breaks off"):
        for frame in pymtcnn.track(path):
            tracked.append(frame)
    assert len(tracked) == len(read)


@pytest.fixture(scope="module")
def jpegs(pictures_in) -> list[bytes]:
    return [cv2.imencode(".jpg", rgb)[1].tobytes() for rgb in pictures_in[:6]]


@pytest.mark.slow
def test_a_stream_that_stalls(jpegs):
    """It never ends as if all were well."""
    for read in (frames, pymtcnn.track):
        seen = []
        stalled = pytest.raises(VideoError, match=r"gave nothing for 0\.5 seconds")
        with served(camera=camera(jpegs, 0.01, hang=20)) as url, stalled:
            for frame in read(f"{url}/camera", timeout=0.5):
                seen.append(frame.seconds)
        assert len(seen) >= len(jpegs) - 1 and seen == sorted(set(seen)) and seen[0] == 0


@pytest.mark.slow
def test_connecting_again(jpegs):
    turns = []
    with served(camera=lambda request: (turns.append(1), camera(jpegs, 0.01)(request))) as url:
        video = frames(f"{url}/camera", reconnect=10)
        with pytest.warns(VideoWarning, match="connecting again"):
            seen = [next(video).seconds for _ in range(9)]
        video.close()
    assert len(turns) == 2 and seen == sorted(set(seen)) and seen[6] - seen[5] > 0.9


def test_files_are_not_connected_to_again(avi):
    with pytest.raises(ArgumentError, match="reconnect: is for streams"):
        frames(avi, reconnect=3)
    with pytest.raises(ArgumentError, match="reconnect -1"):
        frames(avi, reconnect=-1)


def test_a_pipe(avi, tmp_path, pictures_in):
    """What FFmpeg reads from a pipe's bytes, without going back."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writing = threading.Thread(target=lambda: path.write_bytes(avi.read_bytes()))
    writing.start()
    assert len(list(frames(path))) == COUNT
    writing.join()


@pytest.mark.slow
def test_ctrl_c_while_a_pipe_gives_nothing(avi):
    code = "import pymtcnn\nfor frame in pymtcnn.frames('-'): print(frame.index, flush=True)"
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, text=False,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdin.write(avi.read_bytes())
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(10) != 0 and b"KeyboardInterrupt" in process.stderr.read()


def test_without_pyav(monkeypatch):
    monkeypatch.setattr(video_input, "library", lambda *words: optional.library("no_av", words[1]))
    video_input.pyav.cache_clear()
    with pytest.raises(pymtcnn.LibraryError, match=r"install av .*or use \./mtcnn video"):
        frames(__file__)
    video_input.pyav.cache_clear()


def test_ffmpeg_stays_quiet_and_the_log_level_as_it_was(avi, tmp_path, capfd):
    path = tmp_path / "cut.avi"
    path.write_bytes(avi.read_bytes()[:-9000])
    for level in (None, av.logging.ERROR):
        av.logging.set_level(level)
        with pytest.raises(VideoError):
            list(frames(path))
        assert av.logging.get_level() == level
    av.logging.set_level(None)
    assert capfd.readouterr().err == ""


def test_arrays(pictures_in):
    read = list(frames(iter(pictures_in), fps=50))
    assert [frame.seconds for frame in read] == [i / 50 for i in range(COUNT)]
    assert all(frame.picture is rgb for frame, rgb in zip(read, pictures_in, strict=True))
    assert list(frames([])) == []
    assert len(list(frames(np.stack(pictures_in[:2])))) == 2
    with pytest.raises(ArgumentError, match=r"video of shape \(.*must be \(frames, "):
        frames(pictures_in[0])  # a picture is not a video
    video = frames([pictures_in[0], pictures_in[1][..., 0]])
    next(video)
    with pytest.raises(ArgumentError, match="shape"):
        next(video)


@pytest.mark.parametrize("source", [None, 1.5, True, b"a.mp4"])
def test_wrong_sources(source):
    with pytest.raises(ArgumentError, match="video of type"):
        frames(source)


@pytest.mark.parametrize("fps", [0, -1, 1e-300, 9e-5, float("nan"), "25", 1e7])
def test_wrong_fps(fps):
    with pytest.raises(ArgumentError, match="fps"):
        frames([], fps=fps)
