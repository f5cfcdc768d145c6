"""`pymtcnn detect` on many pictures: their names, several processes, saved results."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import PYTHON_PATH, ROOT
from support.program_runs import read_terminal
from support.skips import absent_if

from pymtcnn import Detections, PictureError, read_picture, write_picture
from pymtcnn.commands import detect
from pymtcnn.commands.results_file import done_in
from pymtcnn.commands.sources import find_pictures
from pymtcnn.commands.workers import outcomes


class OneFace:
    """A detector that finds one face at the size of the picture."""

    def detect(self, rgb: np.ndarray) -> Detections:
        height, width = rgb.shape[:2]
        boxes = np.array([[0, 0, width, height]], np.float32)
        points = np.arange(10, dtype=np.float32).reshape(1, 5, 2)
        return Detections(boxes, np.array([0.5], np.float32), points)


def make_one_face(args):
    return OneFace()


@pytest.fixture
def folder(tmp_path):
    """Four pictures in two folders, a hidden one, a broken one, a text."""
    folder = tmp_path / "in"
    for number, name in enumerate(["b.png", "a.jpg", "deep/er/c.PNG", ".hidden.png"]):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(path, np.full((20 + number, 30, 3), 9, np.uint8))
    (folder / "broken.jpg").write_bytes((folder / "a.jpg").read_bytes()[:100])
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture
def run(capfd):
    """A function that runs the command with OneFace: status, lines of stdout, lines of stderr."""

    def run(*words):
        status = detect.main([*map(str, words)], prog="prog", make_detector=make_one_face)
        out, error = capfd.readouterr()
        return status, out.splitlines(), error.splitlines()

    return run


def images(lines):
    return [json.loads(line)["image"] for line in lines]


# ---- what names them -----------------------------------------------------------------------------


def test_folder(run, folder):
    status, out, error = run("--json", folder)
    good = [f"{folder}/{name}" for name in ("a.jpg", "b.png", "deep/er/c.PNG")]
    assert (status, images(out)) == (1, good)
    assert len(error) == 3 and "broken.jpg: truncated JPEG" in error[0]
    assert error[1] == f"prog: {folder}: passed over 1 file that is no picture: notes.txt"
    assert error[2] == f"prog: 1 of 4 failed: {folder}/broken.jpg"


@pytest.mark.slow
def test_same_pictures_as_the_program(program, default_model, folder):
    """In the same order, with the same status and lines about other files, also for broken ones."""
    for name in ("deep.JFIF", "deep", "deep.json", "deep.mp4", "zw\u00f6lf.tar"):
        shutil.copy(folder / "b.png", folder / name)
    (folder / "deep.txt").mkdir()
    shutil.copy(folder / "b.png", folder / "deep.txt" / "a.png")
    for name in ("no.mp4", "no.txt", "deep.txt/no", "line\nfeed", "x", "y", "z"):
        (folder / name).write_text("P5 is no picture")
    (folder / "page.jpg").write_text("<html>")  # it should have been one
    words = ["--json", "--model", str(default_model), str(folder), f"{folder}/*.p*", "missing.jpg"]
    theirs, ours = (
        subprocess.run([*command, *words], capture_output=True, text=True, cwd=ROOT)
        for command in ([str(program)], [sys.executable, "-m", "pymtcnn", "detect"])
    )
    assert theirs.returncode == ours.returncode == 1
    assert images(theirs.stdout.splitlines()) == images(ours.stdout.splitlines())
    assert len(theirs.stdout.splitlines()) == 5 + 5
    lines = [
        [line.partition(": ")[2] for line in done.stderr.splitlines() if "passed over" in line]
        for done in (theirs, ours)
    ]
    names = "deep.txt/no, line?feed, no.mp4, no.txt, notes.txt and 3 more"
    assert lines[0] == lines[1] == [f"{folder}: passed over 8 files that are no pictures: {names}"]
    assert all(f"{folder}/page.jpg: " in done.stderr for done in (theirs, ours))


def test_pattern_and_words_without_pictures(run, folder, tmp_path):
    (tmp_path / "empty").mkdir()
    status, out, error = run("--json", f"{folder}/*/*/*.PNG", tmp_path / "empty", f"{folder}/*.gif")
    assert (status, images(out)) == (1, [f"{folder}/deep/er/c.PNG"])
    assert error[0] == f"prog: {tmp_path}/empty: is a folder without pictures"
    assert error[1] == f"prog: {folder}/*.gif: no file has a name of this pattern"
    assert error[2].startswith("prog: 2 of 3 failed: ")
    odd = tmp_path / "a[1].png"  # a file of this name is not a pattern
    shutil.copy(folder / "b.png", odd)
    assert images(run("--json", odd)[1]) == [str(odd)]


def test_links_to_folders_are_skipped(folder):
    (folder / "deep" / "loop").symlink_to(folder)
    found = find_pictures([str(folder)])
    assert len(found.pictures) == 4 and not found.problems


@absent_if(os.geteuid() == 0, "file modes that hold: they do not stop root")
def test_folder_that_cannot_be_read(run, folder):
    (folder / "deep").chmod(0)
    status, _, error = run("--json", folder)
    (folder / "deep").chmod(0o700)
    assert status == 1 and f"{folder}/deep: cannot be read: Permission denied" in error[0]


@pytest.mark.slow
def test_standard_input(pictures, default_model, tmp_path):
    command = [sys.executable, "-m", "pymtcnn", "detect", "--model", str(default_model)]
    words = ["--json", "--out", f"{tmp_path}/", "--jobs", "2", "-", str(pictures[1])]
    with open(pictures[0], "rb") as file:
        done = subprocess.run(
            [*command, *words], stdin=file, capture_output=True, text=True, cwd=ROOT
        )
    assert (done.returncode, done.stderr) == (0, "")
    piped, named = map(json.loads, done.stdout.splitlines())
    assert (piped["image"], named["image"]) == ("-", str(pictures[1]))
    assert piped["faces"] and sorted(os.listdir(tmp_path)) == [pictures[1].name, "stdin.png"]
    done = subprocess.run([*command, "-"], input="", capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout) == (
        1,
        "",
    ) and ": standard input: the file is" in done.stderr


def test_annotated_copies_keep_the_folders(run, folder, tmp_path):
    out = tmp_path / "out"
    assert run("--out", out, folder)[0] == 1
    found = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert found == ["a.jpg", "b.png", "deep/er/c.PNG"]
    (folder / "broken.jpg").unlink()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    status, _, error = run("--out", folder, folder)
    assert status == 1 and sum("would overwrite" in line for line in error) == 3
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_crops_and_predictions(run, folder, tmp_path):
    crops, wider = tmp_path / "crops", tmp_path / "wider"
    (folder / "broken.jpg").unlink()
    assert run("--crops", crops, "--crop-size", 32, "--wider", wider, folder)[0] == 0
    found = sorted(str(path.relative_to(crops)) for path in crops.rglob("*.png"))
    assert found == ["a_0.png", "b_0.png", "deep/er/c_0.png"]
    assert read_picture(crops / "a_0.png").shape == (32, 32, 3)
    found = sorted(str(path.relative_to(wider)) for path in wider.rglob("*.txt"))
    assert found == ["er/c.txt", "in/a.txt", "in/b.txt"]
    assert (wider / "in/a.txt").read_text() == (
        "in/a.jpg\n1\n0.000 0.000 30.000 21.000 0.50000000\n"
    )


@pytest.mark.parametrize("option", ["--crops", "--wider"])
def test_files_that_would_overwrite_each_other(run, folder, tmp_path, option):
    shutil.copy(folder / "b.png", folder / "a.png")
    status, out, error = run(option, tmp_path / "out", folder)
    assert (status, out, len(error)) == (2, [], 1)
    assert "two pictures are called " in error[0] and not (tmp_path / "out").exists()
    (tmp_path / "file").touch()
    status, out, error = run(option, tmp_path / "file", "--json", folder / "a.png")
    assert (status, len(out), len(error)) == (1, 1, 1)
    assert f"{tmp_path}/file" in error[0] and "cannot be made: " in error[0]


@pytest.mark.slow
@pytest.mark.parametrize("command", ["c", "python"])
def test_no_picture_is_overwritten_for_another(program, default_model, pictures, tmp_path, command):
    """Neither by a crop nor by an annotated copy, also through a link."""
    folder = tmp_path / "in"
    (folder / "out").mkdir(parents=True)
    (tmp_path / "link").symlink_to(folder)
    names = [f"a{pictures[0].suffix}", f"out/a{pictures[0].suffix}", "a_0.png"]
    for name in names[:2]:
        shutil.copy(pictures[0], folder / name)
    write_picture(folder / names[2], np.zeros((40, 40, 3), np.uint8))
    before = {name: (folder / name).read_bytes() for name in names}
    words = [program] if command == "c" else [sys.executable, "-m", "pymtcnn", "detect"]
    words += ["--model", default_model, folder]
    for option, target, victim in (
        ("--crops", tmp_path / "link", names[2]),
        ("--out", tmp_path / "link/out", names[1]),
    ):
        words_now = [*map(str, [*words, option, target])]
        done = subprocess.run(words_now, capture_output=True, text=True, cwd=ROOT)
        line = next(line for line in done.stderr.splitlines() if "is one of the pictures" in line)
        assert done.returncode == 1 and f"choose another {option}" in line
        assert f"{tmp_path}/link/{victim}" in line
        assert before == {name: (folder / name).read_bytes() for name in names}


@pytest.mark.slow
def test_the_same_files_as_the_program(program, default_model, pictures, tmp_path):
    """Predictions within 0.01; crops differ where decoders round a pixel differently."""
    for name, command in (
        ("c", [program]),
        ("python", [sys.executable, "-m", "pymtcnn", "detect"]),
    ):
        words = ["--model", default_model, "--crops", tmp_path / name, "--crop-size", 64]
        words += ["--wider", tmp_path / name, "--max-side", 300, "--nms", "soft", *pictures]
        subprocess.run([*map(str, [*command, *words])], check=True, cwd=ROOT, capture_output=True)
    files = [sorted(p.relative_to(tmp_path / n) for p in (tmp_path / n).rglob("*.*"))
             for n in ("c", "python")]  # fmt: skip
    assert files[0] == files[1] and len(files[0]) == 4
    for name in files[0]:
        theirs, ours = tmp_path / "c" / name, tmp_path / "python" / name
        if name.suffix == ".png":
            difference = read_picture(theirs).astype(int) - read_picture(ours)
            assert np.abs(difference).mean() < 0.5
        else:
            (path, count, *theirs), (*head, ours) = (
                [*p.read_text().splitlines()] for p in (theirs, ours)
            )
            assert head == [path, count] and len(theirs) == 1
            numbers = [np.array(line.split(), float) for line in (*theirs, ours)]
            assert np.abs(numbers[0] - numbers[1]).max() <= 0.01


# ---- several processes ---------------------------------------------------------------------------


@pytest.mark.slow
def test_jobs_change_nothing(run, folder):
    one, two = run("--json", folder), run("--json", "--jobs", "2", folder)
    assert one == two and len(one[1]) == 3


@pytest.mark.parametrize("jobs", ["0", "-1", "257", "1.5", "many"])
def test_wrong_jobs(run, folder, jobs):
    status, out, error = run("--jobs", jobs, folder)
    assert (status, out, len(error)) == (2, [], 1)
    assert error[0] == f"prog: --jobs {jobs}: must be a whole number, 1 to 256; try --help"


def make_work(folder):
    return partial(work, Path(folder))


def work(folder, task):
    """Notes the task's process; `kill` ends it, `wrong` fails, `slow` takes its time."""
    if task == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "wrong":
        raise PictureError(f"{task}: not good")
    if task == "slow":
        (folder / f"slow-{os.getpid()}").touch()
        time.sleep(1)
    return os.getpid()


@pytest.mark.slow
def test_a_process_that_dies_costs_one_task(tmp_path):
    tasks = ["a", "wrong", "kill", *"bcd"]
    results = dict(outcomes(partial(make_work, tmp_path), tasks, 2))
    assert list(results) == tasks  # in their order
    assert "kill: its process died" in str(results.pop("kill"))
    assert str(results.pop("wrong")) == "wrong: not good"
    assert all(isinstance(result, int) and result != os.getpid() for result in results.values())


INTERRUPTED = """
import os, sys
from functools import partial
from tests.python.test_detect_many import make_work
from pymtcnn.commands.workers import outcomes
if __name__ == "__main__":
    try:
        for _ in outcomes(partial(make_work, sys.argv[1]), ["slow"] * 100, 2):
            pass
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_processes_end_with_the_first(tmp_path, number):
    script = tmp_path / "script.py"
    script.write_text(INTERRUPTED)
    environment = {**os.environ, "PYTHONPATH": PYTHON_PATH}
    process = subprocess.Popen(
        [sys.executable, script, tmp_path],
        env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while len(workers := list(tmp_path.glob("slow-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL)
    assert len(workers) == 2
    assert number == signal.SIGKILL or error == ""
    while any(is_running(int(path.name[5:])) for path in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# ---- results that are kept -----------------------------------------------------------------------


def test_save_and_resume(run, folder, tmp_path):
    save = tmp_path / "faces.jsonl"
    expected = run("--json", folder)[1]
    status, out, error = run("--save", save, folder)
    assert (status, out, len(error)) == (1, [], 3)
    assert save.read_text().splitlines() == expected

    status, out, error = run("--save", save, folder)
    assert (status, out) == (1, [])
    assert error == [f"prog: {save}: exists already; give --save another name or --resume"]
    assert save.read_text().splitlines() == expected

    save.write_text(f"{expected[0]}\n{expected[1]}\n{expected[2][:40]}")  # ended in the middle
    assert run("--save", save, "--resume", folder)[0] == 1
    assert save.read_text().splitlines() == expected
    shutil.copy(folder / "b.png", folder / "broken.jpg")  # failed pictures are retried
    passed = f"prog: {folder}: passed over 1 file that is no picture: notes.txt"
    assert run("--save", save, "--resume", folder)[0::2] == (0, [passed])
    assert images(save.read_text().splitlines()) == [*images(expected), f"{folder}/broken.jpg"]
    assert run("--save", tmp_path / "new.jsonl", "--resume", folder)[0] == 0  # a new file


@pytest.mark.parametrize("content", ["", "no json\n", "[1]\n", '{"image": 1}\n', "{}\n", "\x00\n"])
def test_resume_with_something_else(run, folder, tmp_path, content):
    save = tmp_path / "faces.jsonl"
    save.write_text(content + "tail")
    status, out, error = run("--save", save, "--resume", folder)
    assert (status, out, len(error)) == (1, [], 1)
    assert f"{save}:1: not a line of" in error[0]
    assert save.read_text() == content + "tail"


def test_resume_with_a_pipe(run, folder, tmp_path):
    save = tmp_path / "faces.jsonl"
    os.mkfifo(save)
    error = run("--save", save, "--resume", folder)[2]
    assert error[-1] == f"prog: {save}: cannot be resumed: Not a regular file"


def test_names_that_are_not_utf8_are_resumed(run, tmp_path):
    """Each is done once, under a name of its own; also beside what looks like an escaped name."""
    folder, save, table = tmp_path / "in", tmp_path / "faces.jsonl", tmp_path / "faces.parquet"
    folder.mkdir()
    given = [b"J\xe4.png", b"J\xf6.png", rb"J\xe4.png", rb"a\b.png"]
    for name in given:
        write_picture(folder / os.fsdecode(name), np.full((20, 30, 3), 9, np.uint8))
    for _ in range(3):
        assert run("--save", save, "--resume", folder)[0] == 0
        names = images(save.read_text().splitlines())
        expected = [r"J\xe4.png", r"J\xf6.png", r"J\\xe4.png", r"a\b.png"]
        assert sorted(names) == sorted(f"{folder}/{name}" for name in expected)
    assert run("--save", table, folder)[0] == 0
    assert parquet_images(table) == set(names)
    assert run("--save", tmp_path / "faces.csv", "--out", tmp_path / "out", folder)[0] == 0
    rows = (tmp_path / "faces.csv").read_bytes().splitlines()[1:]
    assert {row.split(b",")[0] for row in rows} == {
        os.fsencode(folder) + b"/" + name for name in given
    }
    assert set(os.listdir(os.fsencode(tmp_path / "out"))) == set(given)


def parquet_images(path) -> set[str]:
    from pyarrow import parquet

    return set(parquet.read_table(path)["image"].to_pylist())


def test_save_csv(run, folder, tmp_path):
    save = tmp_path / "faces.csv"
    expected = run("--csv", folder)[1]
    assert run("--save", save, folder)[:2] == (1, [])
    assert save.read_text().splitlines() == expected and len(expected) == 4


def test_save_parquet(run, folder, tmp_path, monkeypatch):
    from pyarrow import parquet

    save = tmp_path / "faces.parquet"
    monkeypatch.setattr("pymtcnn.commands.results_file._ROWS", 2)
    assert run("--save", save, folder)[:2] == (1, [])
    table = parquet.read_table(save)
    rows = list(csv.DictReader(run("--csv", folder)[1]))
    assert table.column_names == list(rows[0]) and table.num_rows == len(rows) == 3
    for ours, theirs in zip(table.to_pylist(), rows):
        assert ours.pop("image") == theirs.pop("image")
        assert ours == {name: float(value) for name, value in theirs.items()}


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_save_into_a_pipe(run, folder, tmp_path, ending):
    pipe, kept = tmp_path / f"pipe.{ending}", tmp_path / f"kept.{ending}"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as cat:
        assert run("--save", pipe, folder)[0] == 1
        data = cat.communicate(timeout=20)[0]
    assert run("--save", kept, folder)[0] == 1
    assert data == kept.read_bytes() and pipe.is_fifo()


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_save_through_a_link(run, folder, tmp_path, ending):
    link = tmp_path / f"link.{ending}"
    link.symlink_to(f"new.{ending}")
    assert run("--save", link, folder)[0] == 1
    assert link.is_symlink() and (tmp_path / f"new.{ending}").stat().st_size > 100
    error = run("--save", link, folder)[2]
    assert "exists already" in error[-1]


def test_save_parquet_into_a_pipe(run, folder, tmp_path):
    os.mkfifo(tmp_path / "pipe.parquet")
    status, _, error = run("--save", tmp_path / "pipe.parquet", folder)
    said = "cannot be written: is a pipe or device, where a file is needed"
    assert status == 1 and error[-1] == f"prog: {tmp_path}/pipe.parquet: {said}"


def test_save_parquet_without_pyarrow(run, folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    status, out, error = run("--save", tmp_path / "faces.parquet", folder)
    assert (status, out, len(error)) == (1, [], 1)
    assert "pip install pyarrow" in error[0]


def test_wrong_save(run, folder, tmp_path):
    def wrong(*words):
        status, out, error = run(*words, folder)
        assert (status, out, len(error)) == (2, [], 1)
        return error[0]

    assert "x.txt: the name must end in .jsonl, .csv, .parquet" in wrong("--save", "x.txt")
    assert "only JSON Lines can be resumed; --save x.jsonl" in wrong("--save", "x.csv", "--resume")
    assert "--resume: needs --save FILE.jsonl" in wrong("--resume")
    assert "--save: cannot go with" in wrong("--json", "--save", "x.jsonl")
    status, _, error = run("--save", tmp_path / "no" / "x.jsonl", folder)
    assert status == 1 and "no/x.jsonl: cannot be written: No such file or directory" in error[0]
    assert not os.path.exists("x.csv") and not os.path.exists("x.jsonl")


FULL = """
import resource, sys
import tests.python.test_detect_many as t
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
sys.exit(t.detect.main(sys.argv[1:], make_detector=t.make_one_face))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["faces.jsonl", "faces.csv"])
def test_disk_that_is_full(folder, tmp_path, name):
    """Complete lines of JSON stay, and no table."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, "--save", tmp_path / name, folder],
        env={**os.environ, "PYTHONPATH": PYTHON_PATH}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{name}: cannot be written: File too large" in done.stderr
    if name.endswith(".jsonl"):
        assert len(done_in(str(tmp_path / name))) == 1 and (tmp_path / name).stat().st_size < 300
    else:
        assert os.listdir(tmp_path) == ["in"]


def test_huge_picture_is_refused_before_it_is_decoded(run, tmp_path):
    """A PNG of 3 KiB that claims 12000 x 12000 pixels."""
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((8, 8, 3), np.uint8))
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[16:24] = (12000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(data)
    status, _, error = run(tmp_path / "a.png")
    assert status == 1 and "12000x12000 pixels are too many" in error[0]
    status, _, error = run("--max-pixels", "1000", tmp_path / "a.png")  # a higher limit
    assert status == 1 and "claims 12000x12000 pixels, for which its" in error[0]
    status, _, error = run("--max-pixels", "0", tmp_path / "a.png")
    assert status == 2 and "--max-pixels 0: must be a number of megapixels" in error[0]


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_odd_about_a_file_is_a_line(run, folder, jobs):
    """And no failure: the picture is searched."""
    (folder / "broken.jpg").unlink()
    (folder / "notes.txt").unlink()
    data = (folder / "a.jpg").read_bytes()
    (folder / "a.jpg").write_bytes(data[:-2])
    status, out, error = run("--json", "--jobs", jobs, folder)
    assert (status, len(out)) == (0, 3)
    assert error == [
        f"prog: {folder}/a.jpg: lacks its end marker, as some cameras leave it out; "
        "all its pixels are there"
    ]


# ---- a terminal ----------------------------------------------------------------------------------


@pytest.mark.slow
@absent_if(sys.platform == "win32", "pseudo-terminals")
def test_progress_on_a_terminal(folder, tmp_path):
    """A bar, and complete lines of messages above it; no bar if standard error is a file."""
    import fcntl
    import pty
    import termios

    script = "import sys, tests.python.test_detect_many as t\n"
    script += "sys.exit(t.detect.main(sys.argv[1:], prog='prog', make_detector=t.make_one_face))"
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 200, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", script, "--save", tmp_path / "faces.csv", folder],
        env={**os.environ, "PYTHONPATH": PYTHON_PATH}, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    lines = re.split(r"[\r\n]+", read_terminal(ours))
    assert process.wait() == 1
    assert any("4/4 [" in line and "picture" in line for line in lines)
    assert any(re.fullmatch(r"prog: \S+broken\.jpg: truncated JPEG: .*", line) for line in lines)
