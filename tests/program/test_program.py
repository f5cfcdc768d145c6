"""The ``mtcnn`` program: options, output forms, picture files and bad input."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import resource
import signal
import struct
import subprocess
import sys
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
from support.skips import absent, absent_if

DEFAULT_MODEL = ROOT / "darknet_cfg" / "default.data"
OPTIONS = [
    "--model", "--min-face", "--thresholds", "--scale-factor", "--max-boxes", "--nms", "--stage",
    "--no-clip", "--threads", "--jobs", "--max-side", "--max-pixels", "--json", "--csv", "--time",
    "--out", "--crops", "--crop-size", "--wider", "--video", "--camera", "--every", "--track",
    "--timeout", "--reconnect", "--fps", "--help", "--version",
]  # fmt: skip
CSV_HEADER = (
    "image,x1,y1,x2,y2,score,left_eye_x,left_eye_y,right_eye_x,right_eye_y,nose_x,nose_y,"
    "left_mouth_x,left_mouth_y,right_mouth_x,right_mouth_y"
)


@pytest.fixture
def file_modes_hold(tmp_path) -> None:
    """Skips the test for root, whom file modes do not stop."""
    path = tmp_path / "locked"
    path.touch(mode=0)
    if os.access(path, os.R_OK):
        absent("file modes that hold: they do not stop root")
    path.unlink()


# ---- help and version ----------------------------------------------------------------------------


def test_help_names_every_option(program):
    done = execute(program, "--help")
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode()
    assert re.findall(r"^  (--[a-z-]+)", text, re.MULTILINE) == OPTIONS
    assert "default" in text and "pixels" in text and "MTCNN_MODEL" in text
    assert max(map(len, text.splitlines())) <= 80


def test_help_shows_the_defaults_of_the_model(run):
    text = " ".join(run("--help").stdout.decode().split())
    for name in ("min_face", "thresholds", "scale_factor", "max_boxes"):
        line = re.search(rf"^{name} = (.*)$", DEFAULT_MODEL.read_text(), re.MULTILINE)
        assert f"default: the model's, {line[1].replace(' ', '')})" in text


def test_help_needs_no_valid_model(program):
    done = execute(program, "--help", environment={"MTCNN_MODEL": "/nonexistent.data"})
    assert (done.returncode, done.stderr) == (0, b"")


def test_version(program):
    done = execute(program, "--version")
    assert done.returncode == 0
    assert re.fullmatch(rb"mtcnn \d+\.\d+\.\d+\n", done.stdout)


def test_no_arguments_give_the_usage(program):
    done = execute(program)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"usage: mtcnn ") and done.stderr.count(b"\n") == 1


# ---- forms of output -----------------------------------------------------------------------------


def test_faces_are_at_their_annotated_positions(detect):
    hopper, astronaut = detect(HOPPER, ASTRONAUT)
    assert (hopper["image"], hopper["width"], hopper["height"]) == (str(HOPPER), 512, 600)
    assert (astronaut["image"], astronaut["width"]) == (str(ASTRONAUT), 512)
    # Eyes, nose, mouth corners, pixels, read off the pictures by a person
    for picture, points in [
        (hopper, [(220, 189), (306, 187), (269, 235), (235, 277), (301, 275)]),
        (astronaut, [(203, 100), (247, 103), (224, 126), (203, 142), (245, 142)]),
    ]:
        face = picture["faces"][0]  # the best one
        assert face["score"] > 0.99
        assert all(other["score"] < 0.99 for other in picture["faces"][1:])
        assert np.abs(np.subtract(face["landmarks"], points)).max() < 8
        x1, y1, x2, y2 = face["box"]
        assert all(x1 < x < x2 and y1 < y < y2 for x, y in points)


def test_text_csv_and_json_agree(run, detect):
    pictures = detect(HOPPER, ASTRONAUT)
    rows = [
        [picture["image"], *face["box"], face["score"], *np.ravel(face["landmarks"])]
        for picture in pictures
        for face in picture["faces"]
    ]
    text = run(HOPPER, ASTRONAUT)
    assert (text.returncode, text.stderr) == (0, b"")
    expected = [
        f"{path}\t" + " ".join(f"{v:.4f}" if i == 4 else f"{v:.2f}" for i, v in enumerate(values))
        for path, *values in rows
    ]
    for line, row in zip(text.stdout.decode().splitlines(), expected, strict=True):
        assert re.fullmatch(r"[^\t]+\t(\d+\.\d\d ){4}\d\.\d{4}( \d+\.\d\d){10}", line)
        path, numbers = line.split("\t")
        assert path == row.split("\t")[0]
        got = np.array(numbers.split(), float)
        assert np.abs(got - np.array(row.split("\t")[1].split(), float)).max() < 0.011

    table = run("--csv", HOPPER, ASTRONAUT)
    assert (table.returncode, table.stderr) == (0, b"")
    header, *lines = csv.reader(io.StringIO(table.stdout.decode()))
    assert ",".join(header) == CSV_HEADER
    assert [[path, *map(float, values)] for path, *values in lines] == rows


def test_json_is_written_to_the_letter(run):
    number = r"-?\d+\.\d{3}"
    face = (
        rf'\{{"box": \[{number}, {number}, {number}, {number}\], "score": \d\.\d{{6}}, '
        rf'"landmarks": \[\[{number}, {number}\](, \[{number}, {number}\]){{4}}\]\}}'
    )
    line = rf'\{{"image": "[^"]*", "width": 512, "height": 600, "faces": \[{face}\]\}}\n'
    assert re.fullmatch(line, run("--json", HOPPER).stdout.decode())


def test_names_are_escaped(run, tmp_path):
    name = 'quote" back\\slash, comma\ttab\nline é\x01.jpg'
    path = tmp_path / name
    path.write_bytes(HOPPER.read_bytes())
    done = run("--json", path)
    assert done.stdout.count(b"\n") == 1 and "é".encode() in done.stdout
    assert json.loads(done.stdout)["image"] == str(path)
    done = run("--csv", path)
    rows = list(csv.reader(io.StringIO(done.stdout.decode(), newline="")))
    assert len(rows) == 2 and rows[1][0] == str(path)


def test_names_reach_the_terminal_without_escape_sequences(run, tmp_path):
    path = tmp_path / "\x1b[31m\n.jpg"
    path.write_bytes(HOPPER.read_bytes())
    done = run("--time", path)
    assert b"\x1b" not in done.stderr and done.stderr.splitlines()[0].endswith(b"/?[31m?.jpg:")


def test_names_that_are_not_utf8_still_make_json(run, tmp_path):
    path = os.fsencode(tmp_path) + b"/a\xff\xc3.jpg"
    Path(os.fsdecode(path)).write_bytes(HOPPER.read_bytes())
    done = run("--json", path)
    assert json.loads(done.stdout.decode())["image"].endswith("/a��.jpg")


def test_time_in_text(run):
    done = run("--time", HOPPER)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1
    form = (
        rf"{re.escape(str(HOPPER))}:\n"
        r"  pyramid +\d+ levels +\d+\.\d\d ms\n"
        r"  pnet +\d+ cells +-> +\d+ boxes +\d+\.\d\d ms\n"
        r"  rnet +\d+ crops +-> +\d+ boxes +\d+\.\d\d ms\n"
        r"  onet +\d+ crops +-> +1 faces +\d+\.\d\d ms\n"
        r"  total +\d+\.\d\d ms\n"
    )
    assert re.fullmatch(form, done.stderr.decode())


def test_time_in_json(detect):
    picture = detect("--time", HOPPER)[0]
    assert picture["levels"] >= 5
    pnet, rnet, onet = (picture["candidates"][name] for name in ("pnet", "rnet", "onet"))
    assert pnet[0] > pnet[1] == rnet[0] >= rnet[1] == onet[0] >= onet[1] == 1
    times = picture["milliseconds"]
    assert list(times) == ["pyramid", "pnet", "rnet", "onet", "total"]
    assert 0 < sum(times.values()) - times["total"] <= times["total"] * 1.01


# ---- options -------------------------------------------------------------------------------------


def test_options_may_follow_pictures(run):
    assert run(HOPPER, "--json").stdout == run("--json", HOPPER).stdout
    assert run("--json", "--", HOPPER).stdout == run("--json", HOPPER).stdout


def test_min_face_skips_small_faces(detect):
    x1, y1, x2, y2 = detect("--min-face", "60", HOPPER)[0]["faces"][0]["box"]
    assert detect("--min-face", str(3 * min(x2 - x1, y2 - y1)), HOPPER)[0]["faces"] == []
    assert detect("--min-face", "601", HOPPER)[0]["faces"] == []


def test_thresholds(detect):
    assert detect("--thresholds", "1,1,1", HOPPER)[0]["faces"] == []
    few = detect(ASTRONAUT)[0]["faces"]
    many = detect("--thresholds", "0.3,0.1,0.05", ASTRONAUT)[0]["faces"]
    assert len(many) > len(few)
    assert sorted((face["score"] for face in many), reverse=True) == [f["score"] for f in many]


def test_scale_factor_sets_the_levels(detect):
    few = detect("--time", "--scale-factor", "0.5", HOPPER)[0]["levels"]
    many = detect("--time", "--scale-factor", "0.9", HOPPER)[0]["levels"]
    assert many > 2 * few


def test_max_boxes(detect):
    low = ("--time", "--thresholds", "0.3,0.1,0.05", ASTRONAUT)
    everything = detect(*low)[0]
    assert everything["candidates"]["onet"][1] > 2
    few = detect("--max-boxes", "9999,999,2", *low)[0]
    assert few["faces"] == everything["faces"][:2]
    few = detect("--max-boxes", "40,5,9", *low)[0]["candidates"]
    assert few["pnet"][1] == few["rnet"][0] <= 40
    assert few["rnet"][1] == few["onet"][0] == 5


def test_threads_do_not_change_the_faces(run):
    one = run("--json", HOPPER, ASTRONAUT)
    three = run("--json", "--threads", "3", HOPPER, ASTRONAUT)
    assert one.stdout == three.stdout != b""


def test_no_clip(detect, tmp_path):
    x1, _, x2, _ = detect(HOPPER)[0]["faces"][0]["box"]
    left = int(x1 + 0.12 * (x2 - x1))
    path = tmp_path / "cut.png"
    path.write_bytes(files.png_rgb(np.ascontiguousarray(read_rgb(HOPPER)[:, left:])))
    clipped = detect(path)[0]["faces"][0]["box"]
    free = detect("--no-clip", path)[0]["faces"][0]["box"]
    assert clipped[0] == 0 > free[0]
    assert clipped[1:] == free[1:]


def test_model_is_named_or_in_the_environment(program):
    for arguments, environment in [
        (["--model", "/missing/named.data"], {}),
        (["--model", "/missing/named.data"], {"MTCNN_MODEL": "/missing/environment.data"}),
        ([], {"MTCNN_MODEL": "/missing/environment.data"}),
    ]:
        done = execute(program, *arguments, HOPPER, environment=environment)
        assert_one_line(done, 1, arguments[1] if arguments else "/missing/environment.data")
        assert done.stdout == b""


def test_named_model_detects(program, run, default_model):
    missing = {"MTCNN_MODEL": "/missing/environment.data"}
    named = execute(program, "--json", "--model", default_model, HOPPER, environment=missing)
    environment = {"MTCNN_MODEL": str(default_model)}
    assert named.stdout == run("--json", HOPPER, environment=environment).stdout
    assert len(json.loads(named.stdout)["faces"]) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--min-face", "0.5"], ["--min-face", "0.5", "1 to 1000000", "pixels"]),
        (["--min-face", "-20"], ["--min-face", "-20", "1 to 1000000"]),
        (["--min-face", "nan"], ["--min-face", "nan"]),
        (["--min-face", "inf"], ["--min-face", "inf"]),
        (["--min-face", "1e999"], ["--min-face", "1e999"]),
        (["--min-face", "20px"], ["--min-face", "20px"]),
        (["--min-face", "0x20"], ["--min-face", "0x20"]),
        (["--min-face="], ["--min-face", "''"]),
        (["--min-face"], ["--min-face", "1 to 1000000"]),
        (["--thresholds", "0.5"], ["--thresholds", "0.5", "three", "0 to 1"]),
        (["--thresholds", "0.5,0.6"], ["--thresholds", "three"]),
        (["--thresholds", "0.5,0.6,0.7,0.8"], ["--thresholds", "three"]),
        (["--thresholds", "0.5,,0.7"], ["--thresholds", "three"]),
        (["--thresholds", "0.5,0.6,"], ["--thresholds", "three"]),
        (["--thresholds", "0.5,0.6,1.01"], ["--thresholds", "1.01", "0 to 1"]),
        (["--thresholds", "-0.1,0.6,0.7"], ["--thresholds", "-0.1", "0 to 1"]),
        (["--thresholds", "nan,0.6,0.7"], ["--thresholds", "nan"]),
        (["--scale-factor", "0"], ["--scale-factor", "above 0", "below 1"]),
        (["--scale-factor", "1"], ["--scale-factor", "below 1"]),
        (["--scale-factor", "1.0000001"], ["--scale-factor", "below 1"]),
        (["--scale-factor", "1e-600"], ["--scale-factor", "above 0"]),
        (["--scale-factor", "-0.7"], ["--scale-factor", "-0.7"]),
        (["--max-boxes", "5"], ["--max-boxes", "three whole numbers", "1 to 1000000"]),
        (["--max-boxes", "5,5,5,5"], ["--max-boxes", "three"]),
        (["--max-boxes", "5,,5"], ["--max-boxes", "three"]),
        (["--max-boxes", "5,0,5"], ["--max-boxes", "5,0,5", "1 to 1000000"]),
        (["--max-boxes", "-5,5,5"], ["--max-boxes", "-5,5,5"]),
        (["--max-boxes", "5,5,1000001"], ["--max-boxes", "1000001"]),
        (["--max-boxes", "5,5,5.5"], ["--max-boxes", "5.5", "whole"]),
        (["--max-boxes", "a,b,c"], ["--max-boxes", "a,b,c"]),
        (["--threads", "0"], ["--threads", "1 to 256"]),
        (["--threads", "257"], ["--threads", "257", "1 to 256"]),
        (["--threads", "1.5"], ["--threads", "1.5"]),
        (["--threads", "99999999999999999999"], ["--threads"]),
        (["--jobs", "0"], ["--jobs", "1 to 256"]),
        (["--max-side", "0"], ["--max-side", "1 to 1000000"]),
        (["--max-side", "640.5"], ["--max-side", "whole number of pixels"]),
        (["--max-pixels", "0"], ["--max-pixels", "megapixels", "above 0"]),
        (["--max-pixels", "1000001"], ["--max-pixels", "1000000"]),
        (["--nms", "linear"], ["--nms", "linear", "hard or soft"]),
        (["--stage", "qnet"], ["--stage", "qnet", "pnet, rnet or onet"]),
        (["--crop-size", "4097"], ["--crop-size", "1 to 4096"]),
        (["--crop-size", "64"], ["--crop-size", "needs --crops"]),
        (["--crops", ""], ["--crops", "folder"]),
        (["--wider", ""], ["--wider", "folder"]),
        (["--crops", "x", "--stage", "rnet"], ["--crops", "landmarks", "--stage"]),
        (["--model", ""], ["--model"]),
        (["--out", ""], ["--out"]),
        (["--out", "x.gif"], ["x.gif", ".jpg", ".png"]),
        (["--out", "x"], ["x", ".jpg", ".png"]),
        (["--out", "folder.png/x"], ["folder.png/x", ".jpg", ".png"]),
        (["--json", "--csv"], ["--csv", "--json"]),
        (["--json=1"], ["--json"]),
        (["--colour"], ["--colour"]),
        (["--th", "1"], ["--th"]),
        (["-q"], ["-q"]),
    ],
)
def test_wrong_options(program, tmp_path, arguments, words):
    done = execute(program, *arguments, HOPPER, cwd=tmp_path)
    assert_one_line(done, 2, *words)
    assert done.stdout == b"" and list(tmp_path.iterdir()) == []


def test_options_without_a_picture(program):
    assert_one_line(execute(program, "--json"), 2, "picture", "--help")


# ---- annotated pictures --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["out.png", "out.jpg", "OUT.JPEG"])
def test_out_file(run, tmp_path, name):
    done = run("--out", tmp_path / name, HOPPER)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    data = (tmp_path / name).read_bytes()
    assert data.startswith(files.PNG_SIGNATURE if name == "out.png" else b"\xff\xd8\xff")
    before, after = read_rgb(HOPPER).astype(int), read_rgb(tmp_path / name).astype(int)
    assert after.shape == before.shape
    changed = np.abs(after - before).max(axis=2) > 60
    assert 500 < changed.sum() < 0.05 * changed.size


def test_out_draws_box_and_landmarks(run, detect, tmp_path):
    face = detect(HOPPER)[0]["faces"][0]
    run("--out", tmp_path / "out.png", HOPPER)
    before, after = read_rgb(HOPPER), read_rgb(tmp_path / "out.png")
    changed = (after != before).any(axis=2)
    x1, y1, x2, y2 = (round(v) for v in face["box"])
    assert changed[y1, x1:x2].all() and changed[y2 - 1, x1:x2].all()
    assert changed[y1:y2, x1].all() and changed[y1:y2, x2 - 1].all()
    for x, y in face["landmarks"]:
        assert changed[int(y), int(x)]
    # Nothing else: outside box, score's plate and dots all pixels are unchanged
    changed[y1 - 25 : y2 + 3, x1 - 3 : x2 + 4] = False
    assert not changed.any()


def test_out_leaves_a_picture_without_faces_unchanged(decode, noise):
    assert (decode(files.png_rgb(noise)) == noise).all()


def test_out_folder(run, tmp_path):
    folder = tmp_path / "a" / "b"
    done = run("--out", folder, HOPPER, ASTRONAUT)  # several pictures: a folder, made if missing
    assert (done.returncode, done.stderr) == (0, b"")
    assert sorted(path.name for path in folder.iterdir()) == [ASTRONAUT.name, HOPPER.name]
    assert read_rgb(folder / HOPPER.name).shape == (600, 512, 3)

    (folder / HOPPER.name).unlink()
    assert run("--out", folder, HOPPER).returncode == 0  # there already
    assert (folder / HOPPER.name).exists()
    slash = f"{tmp_path}/c.png/"
    assert run("--out", slash, HOPPER).returncode == 0  # by its ending
    assert (tmp_path / "c.png" / HOPPER.name).exists()


def test_out_keeps_the_umask(run, tmp_path):
    (tmp_path / "reference").touch()
    run("--out", tmp_path / "out.png", HOPPER)
    assert (tmp_path / "out.png").stat().st_mode == (tmp_path / "reference").stat().st_mode


def test_out_replaces_an_older_file(run, tmp_path):
    target = tmp_path / "out.jpg"
    target.write_bytes(b"older")
    assert run("--out", target, HOPPER).returncode == 0
    assert read_rgb(target).shape == (600, 512, 3)


@pytest.mark.parametrize("inside_folder", [False, True])
def test_out_never_overwrites_the_picture_itself(run, tmp_path, inside_folder):
    source = tmp_path / "picture.jpg"
    source.write_bytes(HOPPER.read_bytes())
    done = run("--out", tmp_path if inside_folder else source, source)
    assert_one_line(done, 1, "picture.jpg", "overwrite", "--out")
    assert source.read_bytes() == HOPPER.read_bytes()


def test_out_refuses_two_pictures_of_one_name(run, tmp_path):
    twin = tmp_path / "twin" / HOPPER.name
    twin.parent.mkdir()
    twin.write_bytes(HOPPER.read_bytes())
    done = run("--out", tmp_path / "out", HOPPER, twin)
    assert_one_line(done, 2, HOPPER.name)
    assert done.stdout == b"" and not (tmp_path / "out").exists()


def test_out_into_a_missing_folder(run, tmp_path):
    done = run("--out", tmp_path / "missing" / "out.jpg", HOPPER)
    assert_one_line(done, 1, "missing/out.jpg", "No such file or directory")
    assert len(done.stdout.splitlines()) == 1  # results are still printed
    assert not (tmp_path / "missing").exists()


@pytest.mark.usefixtures("file_modes_hold")
def test_out_into_a_folder_that_is_not_writable(run, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    assert_one_line(run("--out", folder / "out.jpg", HOPPER), 1, "out.jpg", "Permission denied")
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("file_modes_hold")
def test_out_over_a_file_that_is_write_protected(run, tmp_path):
    target = tmp_path / "out.jpg"
    target.write_bytes(b"mine")
    target.chmod(0o444)
    assert_one_line(run("--out", target, HOPPER), 1, "out.jpg", "Permission denied")
    assert target.read_bytes() == b"mine"


def test_out_folder_that_is_a_file(run, tmp_path):
    target = tmp_path / "taken"
    target.write_bytes(b"mine")
    done = run("--out", target, HOPPER, ASTRONAUT)
    assert_one_line(done, 1, "taken", "folder", "Not a directory")
    assert target.read_bytes() == b"mine"


@pytest.mark.slow
@pytest.mark.parametrize("extension", [".jpg", ".png"])
@pytest.mark.parametrize("limit", [0, 5000])
def test_out_on_a_full_disk_leaves_nothing(run, tmp_path, extension, limit):
    """A limit on the size of files makes writes fail midway, like a full disk."""

    def limit_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    folder = tmp_path / "out"
    folder.mkdir()
    target = folder / f"out{extension}"
    done = run("--out", target, HOPPER, preexec_fn=limit_files)
    assert_one_line(done, 1, f"out{extension}", "cannot be written: File too large")
    assert list(folder.iterdir()) == []

    target.write_bytes(b"older")
    run("--out", target, HOPPER, preexec_fn=limit_files)
    assert [path.name for path in folder.iterdir()] == [target.name]
    assert target.read_bytes() == b"older"


@pytest.mark.parametrize("arguments", [[HOPPER], ["--json", HOPPER], ["--help"], ["--version"]])
def test_standard_output_on_a_full_disk(run, arguments):
    with open("/dev/full", "wb") as full:
        done = run(*arguments, stdout=full)
    assert_one_line(done, 1, "standard output", "No space left on device")


def test_out_name_without_extension_in_a_folder(run, tmp_path):
    source = tmp_path / "picture"
    source.write_bytes(HOPPER.read_bytes())
    done = run("--out", f"{tmp_path}/out/", source, HOPPER)
    assert_one_line(done, 1, "picture", ".jpg")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [HOPPER.name]


# ---- JPEG ----------------------------------------------------------------------------------------


def smooth(noise: np.ndarray) -> np.ndarray:
    """Pixels that JPEG keeps well: [148, 116, 3]."""
    return cv2.resize(noise[::4, ::4], (116, 148), interpolation=cv2.INTER_LINEAR)


JPEG_KINDS = {
    "baseline": (),
    "progressive": (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restarts": (cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
    "444": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
}


@pytest.mark.parametrize("kind", JPEG_KINDS)
def test_jpeg(decode, noise, kind):
    rgb = smooth(noise)
    pixels = decode(encode_jpeg(rgb, *JPEG_KINDS[kind]))
    assert pixels.shape == rgb.shape
    assert np.abs(pixels.astype(int) - rgb).mean() < 4


def test_gray_jpeg(decode, noise):
    gray = smooth(noise)[..., 1]
    pixels = decode(encode_jpeg(gray))
    assert np.abs(pixels.astype(int) - gray[..., None]).max() < 12
    assert (pixels == pixels[..., :1]).all()


def test_jpeg_of_rgb_components(decode, noise):
    """An Adobe segment says that the components are red, green, blue, not YCbCr."""
    data = encode_jpeg(smooth(noise), *JPEG_KINDS["444"])
    y, cr, cb = np.moveaxis(cv2.cvtColor(decode(data), cv2.COLOR_RGB2YCrCb), 2, 0)
    assert data[2:4] == b"\xff\xe0"  # JFIF, which means YCbCr, must be removed
    after_jfif = 4 + struct.unpack(">H", data[4:6])[0]
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
    pixels = decode(data[:2] + adobe + data[after_jfif:])
    assert np.abs(pixels.astype(int) - np.stack([y, cb, cr], axis=2)).mean() < 3


def test_jpeg_pixels_are_opencvs(decode, report_difference):
    """C and Python must see the same pixels; both decode with libjpeg-turbo."""
    difference = np.abs(decode(HOPPER.read_bytes()).astype(int) - read_rgb(HOPPER)).max()
    report_difference("JPEG pixels, the program's against OpenCV's", difference, 2)
    assert difference <= 2


def test_cmyk_jpeg_is_refused(run, tmp_path):
    path = tmp_path / "cmyk.jpg"
    path.write_bytes(files.jpeg_cmyk())
    assert_one_line(run(path), 1, "cmyk.jpg", "CMYK", "save it as RGB")


def test_damaged_jpeg_is_reported(run, tmp_path):
    data = HOPPER.read_bytes()
    path = tmp_path / "damaged.jpg"
    path.write_bytes(data[:-20000] + data[-2:])
    done = run(path)
    assert_one_line(done, 0, "damaged.jpg", "damaged")


# ---- EXIF orientation ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_a_jpeg(detect, tmp_path, orientation, report_difference):
    upright = read_rgb(HOPPER)
    reference = tmp_path / "upright.jpg"
    reference.write_bytes(encode_jpeg(upright))
    path = tmp_path / "turned.jpg"
    order = "<>"[orientation % 2]
    turned = encode_jpeg(files.stored(upright, orientation))
    path.write_bytes(files.with_orientation(turned, orientation, order))
    expected, got = detect(reference, path)
    assert (got["width"], got["height"]) == (512, 600)
    assert len(got["faces"]) == len(expected["faces"]) == 1
    expected, got = expected["faces"][0], got["faces"][0]
    difference = max(
        np.abs(np.subtract(got[what], expected[what])).max() for what in ("box", "landmarks")
    )
    report_difference(f"px, EXIF orientation {orientation} against upright", difference, 2)
    assert difference < 2


@pytest.mark.parametrize("exif_last", [False, True])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_a_png_is_exact(decode, noise, orientation, exif_last):
    pixels = files.stored(noise, orientation)
    exif = files.tiff(orientation)
    assert (decode(files.png_rgb(pixels, exif=exif, exif_last=exif_last)) == noise).all()


def test_orientation_behind_another_app1_segment(decode, noise):
    upright = encode_jpeg(noise)
    xmp = b"http://ns.adobe.com/xap/1.0/\0<x/>"
    turned = files.with_app1(files.with_orientation(upright, 3), xmp)
    assert (decode(turned) == decode(upright)[::-1, ::-1]).all()


@pytest.mark.slow
def test_invalid_exif_is_ignored(decode, noise):
    upright = encode_jpeg(noise)
    pixels = decode(upright)
    good = b"Exif\0\0" + files.tiff(6, "<")
    count_at, type_at = 6 + 8, 6 + 10 + 12 + 2
    bodies = [good[:length] for length in range(len(good) - 4 - 12)]
    bodies += [
        good.replace(b"II*\0", b"II+\0"),
        good.replace(b"II*\0", b"XX*\0"),
        good[:10] + b"\xff\xff\xff\xff" + good[14:],  # the directory's offset
        good[:10] + b"\xfe\xff\xff\x7f" + good[14:],
        good[:count_at] + b"\x00\x00" + good[count_at + 2 :],  # no entries
        good[:type_at] + b"\x02" + good[type_at + 1 :],  # text, not a number
    ]
    bodies += [b"Exif\0\0" + files.tiff(value) for value in (0, 9, 65535)]
    for body in bodies:
        assert (decode(files.with_app1(upright, body)) == pixels).all(), body
    many = good[:count_at] + b"\xff\xff" + good[count_at + 2 :]  # more entries than bytes
    assert decode(files.with_app1(upright, many)).shape == (29, 37, 3)  # but ours is among them


# ---- PNG -----------------------------------------------------------------------------------------

# Colour type, bits, whether a tRNS chunk makes some colours transparent
PNG_KINDS = [
    *((files.GRAY, depth, transparent) for depth in (1, 2, 4, 8, 16) for transparent in (0, 1)),
    *((files.RGB, depth, transparent) for depth in (8, 16) for transparent in (0, 1)),
    *((files.PALETTE, depth, transparent) for depth in (1, 2, 4, 8) for transparent in (0, 1)),
    *((files.GRAY_ALPHA, depth, 0) for depth in (8, 16)),
    *((files.RGB_ALPHA, depth, 0) for depth in (8, 16)),
]
CHANNELS = {files.GRAY: 1, files.RGB: 3, files.PALETTE: 1, files.GRAY_ALPHA: 2, files.RGB_ALPHA: 4}


@pytest.mark.parametrize("interlaced", [False, True], ids=["rows", "interlaced"])
@pytest.mark.parametrize(("color_type", "depth", "transparent"), PNG_KINDS)
def test_png_of_every_kind(decode, color_type, depth, transparent, interlaced):
    random = np.random.default_rng(color_type * 100 + depth)
    samples = random.integers(0, 2**depth, (21, 19, CHANNELS[color_type]))
    palette = transparency = None
    if color_type == files.PALETTE:
        palette = random.integers(0, 256, (2**depth, 3))
        transparency = bytes([0, 128]) if transparent else None
        expected = palette[samples[..., 0]]
    else:
        eight_bits = samples >> 8 if depth == 16 else samples * 255 // (2**depth - 1)
        colors = eight_bits[..., :3] if CHANNELS[color_type] >= 3 else eight_bits[..., :1]
        expected = np.broadcast_to(colors, (21, 19, 3))
        if transparent:
            transparency = struct.pack(">" + "H" * CHANNELS[color_type], *samples[3, 3])
    data = files.png(
        samples, color_type, depth,
        palette=palette, transparency=transparency, interlaced=interlaced,
    )  # fmt: skip
    assert (decode(data) == expected).all()


def test_the_format_is_recognised_by_content(decode, noise):
    assert (decode(files.png_rgb(noise), "really-a-png.jpg") == noise).all()


def test_png_with_a_broken_checksum(run, tmp_path, noise):
    data = bytearray(files.png_rgb(noise))
    data[-14] ^= 1  # within the last four bytes before IEND: the pixels' checksum
    path = tmp_path / "broken.png"
    path.write_bytes(data)
    assert_one_line(run(path), 1, "broken.png", "PNG", "CRC")


# ---- pictures that cannot be read ----------------------------------------------------------------


def test_empty_name(run):
    assert_one_line(run(""), 1, "mtcnn: '': cannot be opened")


def test_missing_picture(run, tmp_path):
    path = tmp_path / "missing.jpg"
    assert_one_line(run(path), 1, str(path), "No such file or directory")


@pytest.mark.usefixtures("file_modes_hold")
def test_unreadable_picture(run, tmp_path):
    path = tmp_path / "secret.jpg"
    path.write_bytes(HOPPER.read_bytes())
    path.chmod(0)
    assert_one_line(run(path), 1, str(path), "Permission denied")


@pytest.mark.parametrize(
    "data",
    [b"\n", b"\xff\xd8", b"GIF90a" + bytes(100), b"plain text, no picture\n", bytes(1 << 20)],
)
def test_not_a_picture(run, tmp_path, data):
    path = tmp_path / "picture.jpg"
    path.write_bytes(data)
    assert_one_line(run(path), 1, str(path), "neither a JPEG nor a PNG")


def test_endless_file(run):
    assert_one_line(run("/dev/zero"), 1, "/dev/zero", "neither a JPEG nor a PNG")


def test_empty_file(run, tmp_path):
    path = tmp_path / "empty.png"
    path.touch()
    assert_one_line(run(path), 1, str(path), "empty")


def cut_points(size: int) -> list[int]:
    return [*range(8, 200, 13), *(int(size * f) for f in (0.1, 0.3, 0.5, 0.7, 0.9, 0.99)),
            size - 12, size - 4, size - 2, size - 1]  # fmt: skip


def check_truncated(run, folder, whole: bytes, kind: str) -> None:
    """Each cut of a file is refused in a line of its own; nothing is written."""
    paths = []
    for size in cut_points(len(whole)):
        paths.append(folder / f"cut{size}.{kind.lower()}")
        paths[-1].write_bytes(whole[:size])
    done = run("--json", "--out", folder / "out", *paths)
    lines = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout, len(lines)) == (1, b"", len(paths))
    for path, line in zip(paths, lines):
        assert line.startswith(f"mtcnn: {path}: ")
        assert f"truncated {kind}" in line
    assert list((folder / "out").iterdir()) == []


@pytest.mark.parametrize("kind", ["baseline", "progressive", "restarts"])
def test_truncated_jpeg(run, tmp_path, kind):
    whole = encode_jpeg(read_rgb(HOPPER)[:200, :200], *JPEG_KINDS[kind])
    check_truncated(run, tmp_path, whole, "JPEG")


@pytest.mark.parametrize("interlaced", [False, True])
def test_truncated_png(run, tmp_path, interlaced):
    whole = files.png_rgb(read_rgb(HOPPER)[:100, :100], interlaced=interlaced)
    check_truncated(run, tmp_path, whole, "PNG")


def test_truncated_bundled_picture(run, tmp_path):
    data = HOPPER.read_bytes()
    path = tmp_path / "half.jpg"
    path.write_bytes(data[: len(data) // 2])
    assert_one_line(run(path), 1, str(path), "truncated")


def test_pictures_beyond_the_limit(run, tmp_path):
    huge_jpeg = tmp_path / "huge.jpg"
    huge_jpeg.write_bytes(files.resized_jpeg_header(HOPPER.read_bytes(), 65000, 65000))
    assert_one_line(run(huge_jpeg), 1, str(huge_jpeg), "65000 x 65000", "100 megapixels")

    def header(width: int, height: int) -> bytes:
        body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        return files.PNG_SIGNATURE + files.png_chunk(b"IHDR", body) + files.png_chunk(b"IDAT", b"")

    huge_png = tmp_path / "huge.png"
    for width, height, words in [
        (30000, 30000, ["30000 x 30000", "100 megapixels"]),
        (2**31 - 1, 2**31 - 1, ["too large"]),
        (2000000, 10, ["2000000 x 10", "1000000 pixels"]),
    ]:
        huge_png.write_bytes(header(width, height))
        assert_one_line(run(huge_png), 1, str(huge_png), *words)


@pytest.mark.parametrize("size", [(1, 1), (3, 20000), (20000, 3), (19, 19), (20, 20)])
@pytest.mark.parametrize("extension", [".jpg", ".png"])
def test_small_and_thin_pictures_have_no_face(run, tmp_path, size, extension):
    width, height = size
    path, target = tmp_path / f"thin{extension}", tmp_path / f"out{extension}"
    assert cv2.imwrite(str(path), np.full((height, width, 3), 127, np.uint8))
    done = run("--out", target, path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert read_rgb(target).shape == (height, width, 3)
    done = run("--json", path)
    assert json.loads(done.stdout) == {
        "image": str(path), "width": width, "height": height, "faces": [],
    }  # fmt: skip


def test_good_and_bad_pictures_mixed(run, tmp_path):
    empty, missing = tmp_path / "empty.jpg", tmp_path / "missing.jpg"
    empty.touch()
    out = tmp_path / "out"
    done = run("--json", "--out", out, empty, HOPPER, missing, ASTRONAUT)
    assert done.returncode == 1
    pictures = [json.loads(line) for line in done.stdout.splitlines()]
    assert [picture["image"] for picture in pictures] == [str(HOPPER), str(ASTRONAUT)]
    assert all(picture["faces"] for picture in pictures)
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 2 and str(empty) in lines[0] and str(missing) in lines[1]
    assert sorted(path.name for path in out.iterdir()) == [ASTRONAUT.name, HOPPER.name]


def test_pictures_from_a_pipe(run):
    with HOPPER.open("rb") as picture:
        cat = subprocess.Popen(["cat"], stdin=picture, stdout=subprocess.PIPE)
        done = run("--json", "/dev/stdin", stdin=cat.stdout)
        cat.stdout.close()
        cat.wait()
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(json.loads(done.stdout)["faces"]) == 1


@absent_if(sys.platform != "linux", "a pseudo-terminal as Linux has it")
def test_summary_on_a_terminal(program, model_environment):
    out, shown = run_on_terminal(program, HOPPER, environment=model_environment)
    assert shown.strip() == f"{HOPPER}: 1 face"
    assert len(out.splitlines()) == 1
