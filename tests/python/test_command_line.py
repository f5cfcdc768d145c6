"""`python -m pymtcnn`: the forms of its output, and its errors."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import PYTHON_PATH, ROOT
from support.skips import absent_if

from pymtcnn import Detections, Stage, formats, read_picture, write_picture
from pymtcnn.commands import detect

HEADER = formats.csv_header().strip()


def face(number: int) -> tuple[list[float], float, list[list[float]]]:
    """Box, score and landmarks of a made-up face; exact in float32."""
    points = [[10.0 * i + number, 5.5 * i] for i in range(5)]
    return [1.25 + number, 2.5, 30.0, 40.0625], 0.875 - number / 4, points


def detections(count: int) -> Detections:
    faces = [face(i) for i in range(count)]
    boxes, scores, landmarks = zip(*faces) if faces else ([], [], [])
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    scores = np.array(scores, np.float32)
    stages = tuple(
        Stage(name, inputs, count, ms)
        for name, inputs, ms in [("pnet", 12345, 9.9), ("rnet", 180, 6.5), ("onet", 35, 4.6)]
    )
    points = np.array(landmarks, np.float32).reshape(-1, 5, 2)
    return Detections(boxes, scores, points, stages=stages, levels=8, pyramid_ms=2.1, total_ms=23.1)


class FakeDetector:
    """Finds as many faces as the picture's first byte says."""

    def detect(self, rgb: np.ndarray) -> Detections:
        return detections(int(rgb[0, 0, 0]))


@pytest.fixture
def picture(tmp_path):
    """A function that writes a picture in which FakeDetector finds `count` faces."""

    def picture(name: str, count: int) -> str:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        pixels = np.zeros((50, 60, 3), np.uint8)
        pixels[0, 0] = count
        write_picture(path, pixels)
        return str(path)

    return picture


@pytest.fixture
def run(capfd):
    """A function that runs the command line with FakeDetector: status, stdout, stderr."""

    def run(*arguments, make_detector=lambda args: FakeDetector()):
        status = detect.main([*map(str, arguments)], prog="prog", make_detector=make_detector)
        return status, *capfd.readouterr()

    return run


# ---- forms of output -----------------------------------------------------------------------------


def test_text(run, picture):
    two, none = picture("two.png", 2), picture("none.png", 0)
    status, out, error = run(two, none)
    assert (status, error) == (0, "")
    assert out == (
        f"{two}\t1.25 2.50 30.00 40.06 0.8750 "
        "0.00 0.00 10.00 5.50 20.00 11.00 30.00 16.50 40.00 22.00\n"
        f"{two}\t2.25 2.50 30.00 40.06 0.6250 "
        "1.00 0.00 11.00 5.50 21.00 11.00 31.00 16.50 41.00 22.00\n"
    )


def test_json(run, picture):
    one, none = picture("one.png", 1), picture("none.png", 0)
    status, out, error = run("--json", one, none)
    assert (status, error) == (0, "")
    assert out == (
        f'{{"image": "{one}", "width": 60, "height": 50, "faces": [{{"box": [1.250, 2.500, '
        '30.000, 40.062], "score": 0.875000, "landmarks": [[0.000, 0.000], [10.000, 5.500], '
        "[20.000, 11.000], [30.000, 16.500], [40.000, 22.000]]}]}\n"
        f'{{"image": "{none}", "width": 60, "height": 50, "faces": []}}\n'
    )


def test_json_with_time(run, picture):
    status, out, error = run("--json", "--time", picture("two.png", 2))
    assert (status, error) == (0, "")
    assert out.endswith(
        '}], "levels": 8, "candidates": {"pnet": [12345, 2], "rnet": [180, 2], "onet": [35, 2]}, '
        '"milliseconds": {"pyramid": 2.100, "pnet": 9.900, "rnet": 6.500, "onet": 4.600, '
        '"total": 23.100}}\n'
    )
    assert len(json.loads(out)["faces"]) == 2


def test_csv(run, picture):
    odd, none = picture('odd, "name".png', 1), picture("none.png", 0)
    status, out, error = run("--csv", odd, none)
    assert (status, error) == (0, "")
    header, row = csv.reader(io.StringIO(out))
    assert ",".join(header) == HEADER and len(header) == 16
    assert row == [odd, "1.250", "2.500", "30.000", "40.062", "0.875000"] + [
        f"{value:.3f}" for value in np.ravel(face(0)[2])
    ]
    assert run("--csv", none)[1] == HEADER + "\n"


def test_time(run, picture):
    path = picture("two.png", 2)
    status, out, error = run("--time", path)
    assert status == 0 and len(out.splitlines()) == 2
    assert error == (
        f"{path}:\n"
        "  pyramid   8 levels                      2.10 ms\n"
        "  pnet      12345 cells  ->    2 boxes    9.90 ms\n"
        "  rnet      180 crops    ->    2 boxes    6.50 ms\n"
        "  onet      35 crops     ->    2 faces    4.60 ms\n"
        "  total                                  23.10 ms\n"
    )


@pytest.mark.slow
def test_names_keep_their_bytes(picture, run, tmp_path):
    path = picture("zwölf\t\u6f22.png", 1)
    assert run(path)[1].startswith(f"{path}\t1.25")
    assert json.loads(run("--json", path)[1])["image"] == path
    assert "zwölf\\t\u6f22" in run("--json", path)[1]
    latin = os.fsdecode(os.fsencode(tmp_path) + b"/\xe9\xff.png")
    Path(path).rename(latin)
    environment = {**os.environ, "PYTHONPATH": PYTHON_PATH}
    script = (
        "import tests.python.test_command_line as t\n"
        "exit(t.detect.main(make_detector=lambda a: t.FakeDetector()))"
    )
    for form, expected in [
        ([], os.fsencode(latin) + b"\t1.25"),
        (["--csv"], os.fsencode(latin) + b",1.25"),
        (["--json"], rb'/\\xe9\\xff.png", "width"'),
    ]:
        done = subprocess.run(
            [sys.executable, "-c", script, *form, latin],
            capture_output=True, env=environment, cwd=ROOT,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, b"")
        assert expected in done.stdout


# ---- annotated pictures --------------------------------------------------------------------------


def test_out_one_picture(run, picture, tmp_path):
    path, target = picture("one.png", 1), tmp_path / "out.png"
    assert run("--out", target, path)[0] == 0
    assert (read_picture(target) != read_picture(path)).any()


def test_out_folder(run, picture, tmp_path):
    paths = [picture("a.png", 1), picture("b.png", 0)]
    folder = tmp_path / "new" / "folder"
    assert run("--out", folder, *paths)[0] == 0
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "b.png"]
    assert run("--out", f"{tmp_path}/one/", paths[0])[0] == 0
    assert (tmp_path / "one" / "a.png").is_file()
    assert run("--out", tmp_path / "one", paths[1])[0] == 0
    assert (tmp_path / "one" / "b.png").is_file()


def test_out_never_replaces_a_picture_that_was_read(run, picture, tmp_path):
    paths = [picture("a.png", 1), picture("b.png", 1)]
    before = [Path(path).read_bytes() for path in paths]
    status, out, error = run("--out", tmp_path, *paths)
    assert (status, out) == (1, "")
    assert len(error.splitlines()) == 3 and error.count("would overwrite") == 2
    assert run("--out", paths[0], paths[0])[0] == 1
    assert [Path(path).read_bytes() for path in paths] == before


def test_out_refuses_same_names(run, picture, tmp_path):
    paths = [picture("x/a.png", 1), picture("y/a.png", 1)]
    status, out, error = run("--out", tmp_path / "out", *paths)
    assert (status, out, len(error.splitlines())) == (2, "", 1)
    assert "two pictures are called a.png" in error
    assert not (tmp_path / "out").exists()


def test_out_that_cannot_be_written(run, picture, tmp_path):
    path = picture("a.png", 1)
    (tmp_path / "file").write_text("text")
    status, out, error = run("--out", tmp_path / "missing" / "out.png", path)
    assert (status, len(out.splitlines()), len(error.splitlines())) == (1, 1, 1)
    assert "missing/out.png: cannot be written: No such file or directory" in error
    for folder in ["file/", "file/folder/"]:
        status, out, error = run("--out", f"{tmp_path}/{folder}", path)
        assert (status, out, len(error.splitlines())) == (1, "", 1)
        assert f"{tmp_path}/{folder.rstrip('/')}: cannot be made: " in error
    status, out, error = run("--out", tmp_path / "out.txt", path)
    assert (status, out) == (2, "") and "out.txt" in error and ".jpeg or .png" in error
    assert sorted(os.listdir(tmp_path)) == ["a.png", "file"]


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["no picture named"]),
        (
            ["--min-face", "0", "x.jpg"],
            ["--min-face 0:", "must be a number of pixels, 1 to 1000000"],
        ),
        (["--min-face", "big", "x.jpg"], ["--min-face big:", "number of pixels"]),
        (["--min-face", "-5", "x.jpg"], ["--min-face -5:", "1 to 1000000"]),
        (["--min-face", "-5e0", "x.jpg"], ["--min-face -5e0:", "1 to 1000000"]),
        (["--min-face", "1000001", "x.jpg"], ["--min-face 1000001:", "1 to 1000000"]),
        (["--thresholds", "-0.1,0.7,0.7", "x.jpg"], ["--thresholds -0.1,0.7,0.7:", "each 0 to 1"]),
        (["--thres", "-.1,0.7,0.7", "x.jpg"], ["--thresholds -.1,0.7,0.7:", "each 0 to 1"]),
        (["--threads", "--json", "x.jpg"], ["--threads --json:", "1 to 256"]),
        (["--out", "x.gif", "x.jpg"], ["--out x.gif:", ".jpg, .jpeg or .png"]),
        (["--min-face", "nan", "x.jpg"], ["--min-face nan:"]),
        (["--thresholds", "0.6,0.7", "x.jpg"], ["--thresholds 0.6,0.7:", "three", "0 to 1"]),
        (["--thresholds", "0.6,0.7,2", "x.jpg"], ["--thresholds 0.6,0.7,2:", "0 to 1"]),
        (["--thresholds", "a,b,c", "x.jpg"], ["--thresholds a,b,c:"]),
        (
            ["--max-boxes", "9,9", "x.jpg"],
            ["--max-boxes 9,9:", "three whole numbers", "each 1 to 1000000"],
        ),
        (["--max-boxes", "9,0,9", "x.jpg"], ["--max-boxes 9,0,9:", "each 1 to 1000000"]),
        (["--max-boxes", "-9,9,9", "x.jpg"], ["--max-boxes -9,9,9:", "each 1 to 1000000"]),
        (["--max-boxes", "9,9.5,9", "x.jpg"], ["--max-boxes 9,9.5,9:", "whole"]),
        (["--max-boxes", "a,b,c", "x.jpg"], ["--max-boxes a,b,c:", "whole"]),
        (["--scale-factor", "1", "x.jpg"], ["--scale-factor 1:", "above 0 and below 1"]),
        (["--threads", "0", "x.jpg"], ["--threads 0:", "1 to 256"]),
        (["--threads", "1.5", "x.jpg"], ["--threads 1.5:"]),
        (["--threads"], ["--threads"]),
        (["--nonsense", "x.jpg"], ["--nonsense"]),
        (["--json", "--csv", "x.jpg"], ["--json", "--csv"]),
    ],
)
def test_wrong_usage(run, arguments, words):
    status, out, error = run(*arguments)
    assert (status, out, len(error.splitlines())) == (2, "", 1)
    assert error.startswith("prog: ") and error.endswith("; try --help\n")
    assert all(word in error for word in words), error


def test_bad_pictures_do_not_stop_the_others(run, picture, tmp_path):
    empty = tmp_path / "empty.jpg"
    empty.touch()
    good = [picture("one.png", 1), picture("two.png", 2)]
    status, out, error = run("--json", good[0], empty, tmp_path / "missing.jpg", good[1])
    assert status == 1
    assert [json.loads(line)["image"] for line in out.splitlines()] == good
    lines = error.splitlines()
    assert run("")[::2] == (1, "prog: : cannot be read: No such file or directory\n")
    assert len(lines) == 3 and all(line.startswith("prog: ") for line in lines)
    assert "empty.jpg: the file is empty" in lines[0] and "missing.jpg" in lines[1]
    assert lines[2] == f"prog: 2 of 4 failed: {empty}, {tmp_path}/missing.jpg"


def test_missing_model(capfd, pictures):
    status = detect.main([str(pictures[0]), "--model", "missing.data"], prog="prog")
    out, error = capfd.readouterr()
    assert (status, out, len(error.splitlines())) == (1, "", 1)
    assert error.startswith("prog: missing.data: ")


def test_options_reach_the_detector(run, picture):
    seen = []

    def make_detector(args):
        seen.append(vars(args))
        return FakeDetector()

    path = picture("one.png", 1)
    run(path, make_detector=make_detector)
    run(
        *("--model", "m.data", "--min-face", "33.5", "--thresholds", "0.1,0.2,0.3"),
        *("--scale-factor", "0.5", "--max-boxes", "300,200,100"),
        *("--threads", "2", "--no-clip", path),
        make_detector=make_detector,
    )
    names = ("model", "min_face", "thresholds", "scale_factor", "max_boxes", "threads", "clip")
    assert [seen[0][name] for name in names] == 7 * [None]
    given = ["m.data", 33.5, (0.1, 0.2, 0.3), 0.5, (300, 200, 100), 2, False]
    assert [seen[1][name] for name in names] == given


def test_help_and_version(run):
    status, out, error = run("--help")
    assert (status, error) == (0, "")
    for option in ("--model", "--min-face", "--thresholds", "--scale-factor", "--threads"):
        assert option in out
    for option in ("--max-boxes", "--no-clip", "--json", "--csv", "--out", "--time", "--version"):
        assert option in out
    status, out, error = run("--version")
    assert (status, error) == (0, "") and re.fullmatch(r"pymtcnn \d+\.\d+\.\d+\S*\n", out)


def detect_command(model, picture):
    return [sys.executable, "-m", "pymtcnn", "detect", "--model", str(model), str(picture)]


@pytest.mark.slow
@absent_if(not os.path.exists("/dev/full"), "/dev/full")
def test_standard_output_that_cannot_be_written(pictures, default_model):
    command = detect_command(default_model, pictures[0])
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert done.returncode == 1
    message = (
        "python -m pymtcnn detect: standard output cannot be written: No space left on device\n"
    )
    assert done.stderr == message


@pytest.mark.slow
def test_closed_streams(pictures, default_model):
    command = f"{sys.executable} -m pymtcnn"
    detect = f"{command} detect --model '{default_model}' '{pictures[0]}'"

    def run(words):
        return subprocess.run(words, shell=True, capture_output=True, text=True, cwd=ROOT)

    done = run(f"{detect} >&-")
    problem = "standard output cannot be written: Bad file descriptor"
    assert (done.returncode, done.stderr) == (1, f"python -m pymtcnn detect: {problem}\n")
    done, plain = run(f"{detect} 2>&-"), run(detect)
    assert (done.returncode, done.stdout) == (0, plain.stdout) and plain.stdout
    done = run(f"{detect} nothing.jpg 2>&-")
    assert (done.returncode, done.stdout) == (1, plain.stdout)  # no message among the faces
    done = run(f"{command} --help >&-")
    assert (done.returncode, done.stderr) == (1, f"python -m pymtcnn: {problem}\n")


@pytest.mark.slow
def test_reader_that_closes_the_pipe(pictures, default_model):
    command = detect_command(default_model, pictures[0])
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    os.close(write)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


def test_words_that_begin_with_a_minus_sign(run, picture, tmp_path, monkeypatch):
    monkeypatch.chdir(Path(picture("-1.png", 1)).parent)
    assert run("--out", "-2.png", "--", "-1.png")[0] == 0
    assert Path("-2.png").is_file()
    status, out, error = run("--json", "--", "-1.png", "--out")
    assert (status, len(out.splitlines())) == (1, 1) and "prog: --out: cannot be read" in error


def test_model_of_the_environment(run, picture, monkeypatch):
    models = []

    def make_detector(args):
        models.append(args.model)
        return FakeDetector()

    path = picture("one.png", 1)
    monkeypatch.setenv("MTCNN_MODEL", "environment.data")
    run(path, make_detector=make_detector)
    run(path, "--model", "option.data", make_detector=make_detector)
    monkeypatch.setenv("MTCNN_MODEL", "")
    run(path, make_detector=make_detector)
    assert models == ["environment.data", "option.data", None]


def test_help_names_no_numbers_of_a_model(run, capfd):
    shown = " ".join(run("--help")[1].split())
    assert "MTCNN_MODEL names, else the model built in" in shown
    assert not re.search(r"0\.6|0\.7|\(20\)", shown)
    detect.main(["--help"], default_model="some.data")
    shown = " ".join(capfd.readouterr().out.split())
    assert "MTCNN_MODEL names, else some.data" in shown and shown.startswith(
        "usage: pymtcnn detect "
    )


def test_module_names_itself():
    command = [sys.executable, "-m", "pymtcnn", "detect", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0 and done.stdout.startswith("usage: python -m pymtcnn detect ")


def test_module_without_numpy(tmp_path):
    """-S omits site-packages, as in a Python without packages."""
    command = [sys.executable, "-S", "-E", "-m", "pymtcnn", "detect", "x.jpg"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert done.stderr.startswith("python -m pymtcnn: not installed: numpy; run 'bash make_in")
