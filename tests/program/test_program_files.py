"""The ``mtcnn`` program on many pictures: folders, patterns, standard input, written files."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import ASTRONAUT, HOPPER, ROOT
from support import picture_files as files
from support.program_runs import (
    assert_one_line,
    encode_jpeg,
    execute,
    read_rgb,
    run_on_terminal,
)
from support.skips import absent_if, missing, missing_if

from pymtcnn import Detector
from train_mtcnn.data.wider import write_prediction

ARCFACE = np.array(  # in a crop of 112 x 112, from the centre of the first pixel
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
     [70.7299, 92.2041]]
)  # fmt: skip


@pytest.fixture
def album(tmp_path):
    """A folder of pictures, and the paths of them below it in the order in which they are read."""
    folder = tmp_path / "album"
    for name in ("a-b", "a", ".hidden", "empty"):
        (folder / name).mkdir(parents=True)
    for path in ("a/two.JPEG", "a-b/one.jpg", "z.png", ".hidden/no.jpg", "._z.png", "notes.txt"):
        shutil.copy(ASTRONAUT if "o" in path else HOPPER, folder / path)
    (folder / "notes.txt").write_text("no picture")
    (folder / "link.jpg").symlink_to(ASTRONAUT)
    (folder / "loop").symlink_to(folder)
    (folder / "folder.jpg").mkdir()
    return folder, ["a/two.JPEG", "a-b/one.jpg", "link.jpg", "z.png"]


def names(done) -> list[str]:
    return [json.loads(line)["image"] for line in done.stdout.splitlines()]


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


# ---- inputs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["", "/"])
def test_folder(run, album, end):
    folder, expected = album
    done = run("--json", f"{folder}{end}")
    passed = f"mtcnn: {folder}{end}: passed over 1 file that is no picture: notes.txt\n"
    assert (done.returncode, done.stderr.decode()) == (0, passed)
    assert names(done) == [f"{folder}/{name}" for name in expected]


def test_folder_without_pictures(run, album):
    folder, _ = album
    assert_one_line(run(folder / "empty"), 1, f"{folder}/empty: is a folder without pictures")
    done = run("--json", folder / "empty", HOPPER)
    assert_one_line(done, 1, "without pictures")
    assert names(done) == [str(HOPPER)]


def test_named_pipes_in_a_folder_are_skipped(run, tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert_one_line(run(tmp_path), 1, "without pictures")


def test_patterns(run, album):
    folder, expected = album
    done = run("--json", f"{folder}/a*/*.jp*")
    assert (done.returncode, done.stderr) == (0, b"")
    assert names(done) == [f"{folder}/a-b/one.jpg"]
    done = run("--json", f"{folder}/[az]*")  # folders, too
    assert names(done) == [f"{folder}/{name}" for name in (*expected[:2], "z.png")]
    done = run("--json", f"{folder}/*.gif", HOPPER)
    assert_one_line(done, 1, "/*.gif: no file has a name of this pattern")
    assert names(done) == [str(HOPPER)]


def test_a_file_whose_name_looks_like_a_pattern(run, tmp_path):
    path = tmp_path / "face[1].jpg"
    shutil.copy(HOPPER, path)
    assert names(run("--json", path)) == [str(path)]


def test_standard_input(run, detect, tmp_path):
    done = run(
        "--json", "--out", f"{tmp_path}/", "--crops", tmp_path, "-", input=HOPPER.read_bytes()
    )
    assert (done.returncode, done.stderr) == (0, b"")
    expected = detect(HOPPER)[0]
    assert json.loads(done.stdout) == {**expected, "image": "-"}
    assert tree(tmp_path) == ["stdin.png", "stdin_0.png"]
    done = run("-", input=b"no picture")
    assert_one_line(done, 1, "standard input: is neither a JPEG nor a PNG")
    assert_one_line(run("-", input=b""), 1, "standard input: is an empty file")


# ---- pictures side by side -----------------------------------------------------------------------


def test_jobs_do_not_change_the_output(run, album, tmp_path):
    folder, _ = album
    (folder / "b.jpg").write_bytes(b"broken")
    (folder / "y.jpg").touch()
    outputs = []
    for jobs in ("1", "3"):
        out = tmp_path / jobs
        done = run("--csv", "--jobs", jobs, "--out", out, "--crops", out / "crops", folder)
        assert done.returncode == 1
        outputs.append((done.stdout, done.stderr, [(p, (out / p).read_bytes()) for p in tree(out)]))
    assert outputs[0] == outputs[1]
    first, second, third = outputs[0][1].decode().splitlines()
    assert "b.jpg" in first and "y.jpg" in second and "notes.txt" in third


def many_pictures(folder):
    folder.mkdir()
    for i in range(400):
        (folder / f"{i:03}.jpg").symlink_to(ASTRONAUT)
    return folder


SLOW_FILES = """
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int unlink(const char *path)
{
    const int failed = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    usleep(300000);
    return failed;
}
int rename(const char *from, const char *to)
{
    usleep(50000);
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}
"""


@pytest.mark.slow
@missing_if(not shutil.which("cc"), "a C compiler")
def test_a_file_that_a_signal_removed_is_not_an_error(program, model_environment, tmp_path):
    """Threads whose files the signal removes print nothing, and begin no others."""
    (tmp_path / "slow.c").write_text(SLOW_FILES)
    command = ["cc", "-shared", "-fPIC", "-o", tmp_path / "slow.so", tmp_path / "slow.c"]
    subprocess.run(command, check=True)
    out = tmp_path / "out"
    process = subprocess.Popen(
        [program, "--jobs", "3", "--out", out, "--crops", out, many_pictures(tmp_path / "in")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **model_environment, "LD_PRELOAD": str(tmp_path / "slow.so")},
    )
    while process.poll() is None and not list(out.glob(".mtcnn-*.tmp")):
        pass
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (-signal.SIGTERM, b"")
    assert len(tree(out)) < 20  # only finished ones
    assert not list(out.glob(".mtcnn-*.tmp"))


@pytest.mark.parametrize(("number", "jobs"), [(signal.SIGINT, "1"), (signal.SIGTERM, "3")])
def test_a_signal_leaves_whole_files(program, model_environment, tmp_path, number, jobs):
    folder, out = many_pictures(tmp_path / "in"), tmp_path / "out"
    with open(tmp_path / "found.jsonl", "wb") as found:
        process = subprocess.Popen(
            [program, "--json", "--jobs", jobs, "--out", out, "--crops", out / "crops", folder],
            stdout=found,
            stderr=subprocess.PIPE,
            env={**os.environ, **model_environment},
        )
        while process.poll() is None and not (out / "002.jpg").exists():
            time.sleep(0.005)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (-number, b"")  # a shell shows 128 + number
    lines = (tmp_path / "found.jsonl").read_text().splitlines(keepends=True)
    least = 2 if jobs == "1" else 0  # with more, the first picture may be the last one done
    assert least <= len(lines) < 400
    assert all(json.loads(line) and line[-1] == "\n" for line in lines)
    written = tree(out)
    assert len(written) < 800 and all(name.endswith((".jpg", ".png")) for name in written)
    assert all(read_rgb(out / name).size for name in written[-4:])


def test_a_closed_pipe_is_quiet(program, model_environment):
    process = subprocess.Popen(
        [program, "--json", *[HOPPER] * 30],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **model_environment},
    )
    process.stdout.readline()
    process.stdout.close()
    stderr = process.stderr.read()
    assert (process.wait(60), stderr) == (-signal.SIGPIPE, b"")


def test_a_full_disk_ends_it(run):
    with open("/dev/full", "wb") as full:
        done = run("--json", "--jobs", "2", *[HOPPER] * 4, stdout=full)
    assert_one_line(done, 1, "standard output", "No space left on device")


@absent_if(sys.platform != "linux", "a pseudo-terminal as Linux has it")
def test_progress_on_a_terminal(program, model_environment):
    _, shown = run_on_terminal(program, HOPPER, ASTRONAUT, environment=model_environment)
    assert re.search(r"\r1 of 2 pictures, 1 face, \d+\.\d pictures/s\x1b\[K\r", shown)
    assert re.search(r"\r2 of 2 pictures, 2 faces, \d+\.\d pictures/s\x1b\[K\r?\n$", shown)


# ---- files ---------------------------------------------------------------------------------------


def test_out_keeps_the_paths_below_a_folder(run, album, tmp_path):
    folder, expected = album
    assert run("--out", tmp_path / "out", folder).returncode == 0
    assert tree(tmp_path / "out") == sorted(expected)
    one = folder / "a"  # a single picture in it: still a folder
    assert run("--out", tmp_path / "one.png", one).returncode == 0
    assert tree(tmp_path / "one.png") == ["two.JPEG"]


@pytest.mark.slow
def test_copies_of_formats_that_are_only_read(run, tmp_path):
    """They are PNG; what would get the name of another picture's copy is refused."""
    folder = tmp_path / "in"
    folder.mkdir()
    assert cv2.imwrite(str(folder / "face.webp"), read_rgb(HOPPER)[..., ::-1])
    done = run("--json", "--jobs", "2", "--out", tmp_path / "out", folder, ASTRONAUT)
    if b"FFmpeg" in done.stderr:
        missing(done.stderr.decode())
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)
    assert tree(tmp_path / "out") == ["astronaut.jpg", "face.png"]
    shutil.copy(HOPPER, folder / "face.png")
    assert_one_line(run("--out", tmp_path / "out", folder), 2, "two pictures are called face.png")


@pytest.mark.parametrize("side", [112, 200])
def test_crops_are_opencvs(run, detect, tmp_path, side, report_difference):
    done = run("--crops", tmp_path / "crops", "--crop-size", str(side), ASTRONAUT, HOPPER)
    assert (done.returncode, done.stderr) == (0, b"")
    assert tree(tmp_path / "crops") == ["astronaut_0.png", "grace_hopper_0.png"]
    # The astronaut's face is not larger than its crop, so both are plain bilinear.
    landmarks = np.array(detect(ASTRONAUT)[0]["faces"][0]["landmarks"]) - 0.5
    template = (ARCFACE + 0.5) * side / 112 - 0.5
    x, y = landmarks.T
    one, none = np.ones(5), np.zeros(5)
    rows = np.concatenate([np.stack([x, -y, one, none], 1), np.stack([y, x, none, one], 1)])
    a, b, u, v = np.linalg.lstsq(rows, template.T.ravel(), rcond=None)[0]
    expected = cv2.warpAffine(
        read_rgb(ASTRONAUT), np.array([[a, -b, u], [b, a, v]]), (side, side), flags=cv2.INTER_LINEAR
    )
    crop = read_rgb(tmp_path / "crops" / "astronaut_0.png")
    difference = np.abs(crop.astype(int) - expected).max()
    report_difference(f"aligned crop of {side} pixels against OpenCV's", difference, 4)
    assert difference <= 4  # OpenCV rounds positions to 1/32 pixel


@pytest.mark.slow
def test_a_face_much_larger_than_its_crop(run, detect, tmp_path):
    """The same crop, slightly less sharp, from the picture enlarged six times."""
    large = tmp_path / "large.png"
    pixels = cv2.resize(read_rgb(HOPPER), None, fx=6, fy=6, interpolation=cv2.INTER_LINEAR)
    cv2.imwrite(str(large), pixels[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
    for path in (large, HOPPER):
        assert (
            run("--crops", tmp_path, "--crop-size", "64", "--max-side", "600", path).returncode == 0
        )
    crop, other = (read_rgb(tmp_path / f"{name}_0.png") for name in ("large", "grace_hopper"))
    difference = np.abs(crop.astype(int) - other)
    assert difference.mean() < 4 and np.quantile(difference, 0.99) < 30


def test_crops_and_predictions_refuse_two_of_one_name(run, tmp_path):
    for name in ("a.jpg", "a.png"):
        shutil.copy(HOPPER, tmp_path / name)
    for option in ("--crops", "--wider"):
        done = run(option, tmp_path / "new", tmp_path)
        assert_one_line(done, 2, "new", "two pictures are called", "a ")
        assert done.stdout == b"" and not (tmp_path / "new").exists()


def test_crops_where_a_file_is_in_the_way(run, tmp_path):
    (tmp_path / "taken").touch()
    assert_one_line(run("--crops", tmp_path / "taken", HOPPER), 1, "taken", "Not a directory")
    (tmp_path / "crops" / "grace_hopper_0.png").mkdir(parents=True)
    done = run("--crops", tmp_path / "crops", HOPPER)
    assert_one_line(done, 1, "crops/grace_hopper_0.png", "Is a directory")


@pytest.mark.slow
@pytest.mark.parametrize("stage", [None, "pnet", "rnet"])
def test_predictions_are_those_of_the_evaluation(run, default_model, album, tmp_path, stage):
    """The same bytes as detect_set.py's: evaluate.py --predictions gives the same AP."""
    folder, expected = album
    options = ["--stage", stage] if stage else []
    (folder / "notes.txt").unlink()
    done = run("--model", default_model, *options, "--wider", tmp_path / "ours", folder)
    assert (done.returncode, done.stderr) == (0, b"")
    with Detector(default_model) as detector:
        for name in expected:
            found = detector.detect_stages(folder / name)
            boxes = {stage.name: stage for stage in found.stages}.get(stage, found)
            event, stem = (folder / name).parent.name, Path(name).stem
            write_prediction(tmp_path / "theirs", event, stem, boxes.boxes, boxes.scores)
            ours = (tmp_path / "ours" / event / f"{stem}.txt").read_text().splitlines()
            theirs = (tmp_path / "theirs" / event / f"{stem}.txt").read_text().splitlines()
            assert ours[1:] == theirs[1:] and ours[0] == f"{event}/{Path(name).name}"
    assert tree(tmp_path / "ours") == tree(tmp_path / "theirs")


def test_predictions_of_the_current_folder(run, tmp_path):
    shutil.copy(HOPPER, tmp_path / "face.jpg")
    assert run("--wider", "new", "face.jpg", cwd=tmp_path).returncode == 0
    assert tree(tmp_path / "new") == [f"{tmp_path.name}/face.txt"]


# ---- stages and settings -------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["pnet", "rnet", "onet"])
def test_stage(run, detect, tmp_path, stage):
    count = detect("--time", ASTRONAUT)[0]["candidates"][stage][1]
    found = detect("--stage", stage, "--out", tmp_path / "out.png", ASTRONAUT)[0]
    assert (found["stage"], len(found["faces"])) == (stage, count) and count > 0
    assert all(("landmarks" in face) == (stage == "onet") for face in found["faces"])
    text = run("--stage", stage, ASTRONAUT).stdout.decode().splitlines()
    assert {len(line.split("\t")[1].split()) for line in text} == {15 if stage == "onet" else 5}
    rows = list(csv.reader(io.StringIO(run("--stage", stage, "--csv", ASTRONAUT).stdout.decode())))
    assert len(rows) == count + 1 and {len(row) for row in rows} == {16}
    assert all((row[6] == "") == (stage != "onet") for row in rows[1:])
    x1, y1, x2, _ = (round(value) for value in found["faces"][0]["box"])
    changed = (read_rgb(tmp_path / "out.png") != read_rgb(ASTRONAUT)).any(2)
    assert changed[y1, x1:x2].all()
    assert not changed[:3, :3].any()  # no landmarks at 0, 0


def test_max_side(detect):
    whole, small = detect("--time", HOPPER)[0], detect("--time", "--max-side", "300", HOPPER)[0]
    assert small["levels"] < whole["levels"]
    difference = np.subtract(small["faces"][0]["box"], whole["faces"][0]["box"])
    assert np.abs(difference).max() < 12 and (small["width"], small["height"]) == (512, 600)


def test_nms(detect):
    with Detector(final_nms="soft", thresholds=(0.2, 0.1, 0.02)) as detector:
        scores = detector.detect(ASTRONAUT).scores
    options = ("--nms", "soft", "--thresholds", "0.2,0.1,0.02", ASTRONAUT)
    faces = detect(*options)[0]["faces"]
    assert np.allclose([face["score"] for face in faces], scores, atol=1e-6)
    assert len(faces) > len(detect(*options[2:])[0]["faces"])


def test_max_pixels(run, tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(files.png_rgb(np.zeros((1000, 1100, 3), np.uint8)))
    assert run("--max-pixels", "1.1", path).returncode == 0
    done = run("--max-pixels", "1.09", path)
    assert_one_line(done, 1, "1100 x 1000", "1.09 megapixels", "--max-pixels")
    huge = tmp_path / "huge.jpg"  # without pixels: only the header is read
    huge.write_bytes(files.resized_jpeg_header(HOPPER.read_bytes(), 20000, 10000))
    assert_one_line(run(huge), 1, "20000 x 10000", "100 megapixels", "--max-pixels")


# ---- odd pictures --------------------------------------------------------------------------------


def test_animated_png_is_its_first_frame(decode):
    random = np.random.default_rng(5)
    first, second = (random.integers(0, 256, (16, 18, 3), np.uint8) for _ in range(2))
    data = files.png_animated([first, second])
    assert (decode(data, "animated.png") == first).all()
    assert (cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1] == first).all()


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("kind", ["gray_alpha", "palette", "rgb16"])
def test_png_pixels_are_opencvs(decode, kind, interlaced):
    random = np.random.default_rng(6)
    options = {"interlaced": interlaced}
    if kind == "gray_alpha":
        data = files.png(random.integers(0, 256, (20, 23, 2)), files.GRAY_ALPHA, 8, **options)
    elif kind == "palette":
        palette = random.integers(0, 256, (16, 3))
        samples = random.integers(0, 16, (20, 23, 1))
        data = files.png(samples, files.PALETTE, 4, palette=palette, **options)
    else:
        data = files.png(random.integers(0, 65536, (20, 23, 3)), files.RGB, 16, **options)
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert (decode(data) == expected).all()


@pytest.mark.parametrize("transform", [0, 2])  # Adobe's mark: CMYK, YCCK
def test_jpeg_of_four_colours_is_refused(run, tmp_path, transform):
    data = files.jpeg_cmyk()
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform])
    path = tmp_path / "print.jpg"
    path.write_bytes(data[:2] + adobe + data[2:])
    assert_one_line(run(path), 1, "print.jpg", "CMYK", "save it as RGB")


def test_progressive_gray_jpeg_is_opencvs(decode):
    gray = cv2.cvtColor(read_rgb(HOPPER), cv2.COLOR_RGB2GRAY)
    data = encode_jpeg(gray, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(decode(data).astype(int) - expected).max() <= 2


def test_a_picture_with_too_many_pixels_in_another_format(run, tmp_path):
    path = tmp_path / "face.webp"
    assert cv2.imwrite(str(path), np.zeros((1000, 1100, 3), np.uint8))
    done = run("--max-pixels", "1.09", path)
    if b"FFmpeg" in done.stderr:
        missing(done.stderr.decode())
    assert_one_line(done, 1, "face.webp", "--max-pixels")


# ---- the manual ----------------------------------------------------------------------------------


def test_man_page_has_the_options_of_the_help(program):
    page = ROOT / "build" / "mtcnn.1"
    if not page.is_file():
        missing("build/mtcnn.1: run make_install.sh")
    text = page.read_text()
    listed = re.findall(r"^  (--[a-z-]+)", execute(program, "--help").stdout.decode(), re.MULTILINE)
    assert [
        name.replace("\\", "") for name in re.findall(r"^\.B (\\-\\-[a-z\\-]+)", text, re.M)
    ] == listed
    if shutil.which("man"):
        done = subprocess.run(
            ["man", "--warnings", "-l", str(page)], capture_output=True, text=True,
            env={**os.environ, "MANPAGER": "cat", "MANWIDTH": "80"},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "") and "EXIT STATUS" in done.stdout
