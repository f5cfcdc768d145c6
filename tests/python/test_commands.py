"""`pymtcnn`: its commands; bench, evaluate and video."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from support import HOPPER, ROOT
from support.skips import missing

from pymtcnn import Detector, cli, frames, read_picture, track
from pymtcnn.commands import bench
from pymtcnn.errors import FileError

COUNT = 30  # frames of film
NUMBER = re.compile(r"-?\d+\.\d+")


@pytest.fixture
def run(capfd):
    """A function that runs a command: status, stdout, stderr."""

    def run(*words):
        status = cli.main([*map(str, words)], prog="prog")
        return status, *capfd.readouterr()

    return run


# ---- the commands --------------------------------------------------------------------------------


def test_help_names_all_commands(run):
    status, out, error = run("--help")
    assert (status, error) == (0, "") and out.startswith("usage: prog COMMAND")
    for name in cli.COMMANDS:
        assert f"\n  {name} " in out
        status, out_of_command, error = run(name, "--help")
        assert (status, error) == (0, "")
        usage = "usage: prog evaluate" if name == "evaluate" else f"usage: prog {name}"
        assert out_of_command.startswith(usage)
    assert run("--version")[1].startswith("pymtcnn ")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "no command given"),
        (["detekt", "a.jpg"], "detekt: no such command; did you mean detect?"),
    ],
)
def test_no_command(run, words, problem):
    status, out, error = run(*words)
    assert (status, out, len(error.splitlines())) == (2, "", 1)
    assert problem in error and "for pictures: prog detect PICTURE...; try --help" in error


def test_detect_may_be_omitted(run, pictures, default_model):
    words = ["--json", "--model", default_model, *pictures]
    status, out, error = run(*words)
    assert (status, error) == (0, "") and len(out.splitlines()) == len(pictures)
    assert run("detect", *words)[1] == out
    status, out, error = run("missing.jpg")
    assert (status, out) == (1, "") and "missing.jpg: cannot be read" in error
    assert run("--json")[0] == 2


# ---- bench ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_bench(run, default_model):
    words = ["--model", default_model, "--sizes", "80x60,160x120", "--min-faces", "20,40"]
    words += ["--runs", "1", "--threads", "2"]
    status, out, error = run("bench", *words)
    assert (status, error) == (0, "")
    first, _, head, *rows = out.splitlines()
    assert first.startswith("grace_hopper.jpg, ") and str(default_model) in first
    assert head.split("  ")[-1].strip() == "faces" and "2 threads, ms" in head
    assert [row.split()[:2] for row in rows] == [
        [size, face] for size in ("80x60", "160x120") for face in ("20", "40")
    ]
    printed = json.loads(run("bench", "--json", *words)[1])
    with Detector(default_model, min_face=20) as detector:
        picture = bench.cover(read_picture(HOPPER), 160, 120)
        found = detector.detect(picture)
    row = printed["rows"][2]
    assert row["inputs"] == {stage.name: stage.inputs for stage in found.stages}
    assert row["faces"] == len(found) and list(row["milliseconds"]) == ["1", "2"]


@pytest.mark.parametrize(
    ("words", "status", "part"),
    [
        (["--sizes", "5x5"], 2, "--sizes 5x5: must be sizes like 640x480"),
        (["--sizes", "640"], 2, "--sizes 640: must be sizes"),
        (["--sizes", "1000000x1000000"], 2, "400 megapixels at most"),
        (["--min-faces", "20,0"], 2, "--min-faces 20,0: must be a number of pixels"),
        (["--min-faces", "a"], 2, "--min-faces a: must be"),
        (["--min-faces", ""], 2, "--min-faces '': must be a number of pixels"),
        (["--sizes", ""], 2, "--sizes '': must be sizes"),
        (["--sizes", "12x1000000", "--json"], 1, "size 12x1000000: the picture would have"),
        (["--runs", "0"], 2, "--runs 0: must be a whole number, 1 to 10000"),
        (["missing.jpg"], 1, "missing.jpg: cannot be read"),
    ],
)
def test_wrong_bench(run, words, status, part):
    assert (done := run("bench", *words))[:2] == (status, "")
    assert part in done[2] and len(done[2].splitlines()) == 1


def test_bench_without_its_picture(monkeypatch):
    monkeypatch.setattr(bench, "PICTURE", "nothing.jpg")
    with pytest.raises(FileError, match=r"nothing\.jpg: did not come with this installation"):
        bench._bundled()


# ---- evaluate ------------------------------------------------------------------------------------


def test_evaluate(run, tmp_path, monkeypatch):
    status, out, error = run("evaluate", "--data", tmp_path)
    assert (status, out) == (1, "")
    assert error.startswith("prog evaluate: ") and "wider_face_split: no such folder" in error
    status, _, error = run("evaluate", "--data", tmp_path, "--jobs", "0")
    assert (status, error.count("\n")) == (2, 1) and "--jobs 0: must be" in error
    monkeypatch.setitem(sys.modules, "train_mtcnn.common.requirements", None)
    status, out, error = run("evaluate", "--data", tmp_path)
    assert (status, out, error.count("\n")) == (1, "", 1)
    assert "it needs train_mtcnn, which is not installed" in error and "make_install.sh" in error


# ---- video ---------------------------------------------------------------------------------------


def test_video_json(run, film, default_model):
    status, out, error = run(
        "video", "--json", "--track", "--model", default_model, "--every", "5", film
    )
    assert (status, error) == (0, "")
    lines = [json.loads(line) for line in out.splitlines()]
    with Detector(default_model) as detector:
        for line, frame in zip(lines, track(film, detector, every=5), strict=True):
            assert (line["video"], line["width"], line["height"]) == (str(film), 320, 240)
            assert (line["frame"], line["seconds"]) == (frame.index, round(frame.seconds, 3))
            assert [face["id"] for face in line["faces"]] == frame.tracks.ids.tolist()
            boxes = np.array([face["box"] for face in line["faces"]]).reshape(-1, 4)
            assert np.abs(boxes - frame.tracks.boxes).max(initial=0) < 0.001
    assert {face["id"] for line in lines for face in line["faces"]} == {1}


def test_video_text_and_csv(run, film, default_model):
    model = ["--track", "--model", default_model]
    text = run("video", *model, film)[1].splitlines()
    rows = list(csv.DictReader(run("video", "--csv", *model, film)[1].splitlines()))
    assert len(text) == len(rows) == COUNT
    name, frame, seconds, number, face = text[7].split("\t")
    assert [name, frame, seconds, number] == [str(film), "7", "0.280", "1"]
    row = rows[7]
    assert [row["video"], row["frame"], row["seconds"], row["id"]] == [name, frame, seconds, number]
    assert abs(float(face.split()[0]) - float(row["x1"])) <= 0.01


def test_video_without_tracking(run, film, default_model):
    words = ["--every", "10", "--model", default_model, film]
    rows = list(csv.DictReader(run("video", "--csv", *words)[1].splitlines()))
    assert "id" not in rows[0] and [row["frame"] for row in rows] == ["0", "10", "20"]
    line = json.loads(run("video", "--json", "--time", *words)[1].splitlines()[1])
    with Detector(default_model) as detector:
        picture = [frame.picture for frame in frames(film)][10]
        found = detector.detect(picture)
    assert np.abs(np.array(line["faces"][0]["box"]) - found.boxes[0]).max() < 0.001
    assert list(line["milliseconds"]) == ["pyramid", "pnet", "rnet", "onet", "total"]


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".avi"])
def test_annotated_video(run, film, default_model, tmp_path, ending):
    out = tmp_path / f"out{ending}"
    status, _, error = run("video", "--model", default_model, "--out", out, film)
    assert (status, error) == (0, "") and os.listdir(tmp_path) == [out.name]
    plain, drawn = (list(frames(path)) for path in (film, out))
    assert len(drawn) == COUNT and abs(drawn[-1].seconds - plain[-1].seconds) < 0.01
    changed = [np.abs(a.picture.astype(int) - b.picture).mean() for a, b in zip(plain, drawn)]
    assert min(changed) > 1


@pytest.mark.parametrize(
    ("words", "status", "part"),
    [
        (["--out", "x.gif", "FILM"], 2, "x.gif: the name must end in .mp4, .mkv, .avi"),
        (["--out", "FILM", "FILM"], 2, "would overwrite the video itself"),
        (["--every", "0", "FILM"], 2, "--every 0: must be a whole number"),
        (["--jobs", "2", "FILM"], 2, "--jobs: is for pictures, not for videos"),
        (["--track", "--stage", "rnet", "FILM"], 2, "--track: cannot go with --stage"),
        (["--fps", "0", "FILM"], 2, "--fps 0: must be a number of frames a second"),
        (["missing.mp4"], 1, "missing.mp4: cannot be opened: No such file"),
        (["README.md"], 1, "README.md: is no video"),
        (["99"], 1, "/dev/video99: there is no such camera"),
        (["--max-pixels", "0.07", "FILM"], 1, "320x240 pixels are too many"),
        (["x" * 5000], 1, "cannot be opened: File name too long"),
        (["256"], 2, "--camera 256: must be a whole number, 0 to 255"),
        ([], 2, "video: one file, URL or number of a camera is needed"),
    ],
)
def test_wrong_video(run, film, monkeypatch, words, status, part):
    monkeypatch.chdir(ROOT)
    before = film.read_bytes()
    done = run("video", *(str(film) if word == "FILM" else word for word in words))
    assert (done[0], done[1]) == (status, "")
    assert part in done[2] and len(done[2].splitlines()) == 1
    assert film.read_bytes() == before


def test_results_without_the_annotated_video(run, film, default_model):
    """It cannot be written; what is found is still printed."""
    words = ["--json", "--model", default_model, "--out", "no/x.mp4", film]
    status, out, error = run("video", *words)
    assert (status, len(out.splitlines())) == (1, COUNT)
    assert "no/x.mp4: cannot be written: No such file" in error and len(error.splitlines()) == 1


def test_times_of_no_frames(run, film):
    """The first search fails: one line says so, below a table without rows."""
    status, out, error = run("video", "--time", "--scale-factor", "0.9999", film)
    assert (status, out, len(error.splitlines())) == (1, "", 3)
    assert "0 frames" in error and "too many pyramid levels" in error


@pytest.mark.slow
def test_video_that_breaks_off(run, film, default_model, tmp_path):
    """Results until then are printed, and the annotated video of them is completed."""
    avi, cut = tmp_path / "film.avi", tmp_path / "cut.avi"
    run("video", "--model", default_model, "--out", avi, film)
    cut.write_bytes(avi.read_bytes()[: avi.stat().st_size // 2])
    status, out, error = run("video", "--model", default_model, "--out", tmp_path / "out.mp4", cut)
    assert status == 1 and 5 < len(out.splitlines()) < COUNT
    assert "cut.avi: breaks off" in error
    assert len(list(frames(tmp_path / "out.mp4"))) == len(out.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_video(film, default_model, tmp_path, number):
    """Ctrl-C, the way to end a camera, completes the annotated video; so does SIGTERM."""
    out = tmp_path / "out.avi"
    words = ["video", "--model", default_model, "--json", "--min-face", "2", "--out", out, film]
    command = [sys.executable, "-m", "pymtcnn", *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    lines = [process.stdout.readline() for _ in range(2)]
    process.send_signal(number)
    lines += process.communicate(timeout=60)[0].splitlines()
    assert process.returncode == 128 + number and os.listdir(tmp_path) == [out.name]
    assert abs(len(list(frames(out))) - len(lines)) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]])
def test_same_form_as_the_program(program, film, default_model, form):
    """The same text; boxes within 3 pixels, as the two convert the frames' colours differently."""
    model = ["--track", "--model", str(default_model), *form]
    theirs = subprocess.run([program, "video", *model, film], capture_output=True, text=True)
    if "FFmpeg" in theirs.stderr:
        missing(theirs.stderr)
    ours = subprocess.run(
        [sys.executable, "-m", "pymtcnn", "video", *model, film],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert (theirs.returncode, theirs.stderr) == (ours.returncode, ours.stderr) == (0, "")
    assert NUMBER.sub("N", ours.stdout) == NUMBER.sub("N", theirs.stdout)
    numbers = [np.array(NUMBER.findall(done.stdout), float) for done in (ours, theirs)]
    assert np.abs(numbers[0] - numbers[1]).max() <= 3
