"""Both programs, ./mtcnn and pymtcnn, write the same: text, JSON, CSV, predictions, statuses."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import ASTRONAUT, ROOT
from support.picture_files import PNG_SIGNATURE, png_chunk, png_rgb, resized_jpeg_header
from support.random_cascade import write_random_cascade
from support.skips import missing

FORMS = [[], ["--json"], ["--csv"]]

ODD_NAMES = [
    b'quote", comma, back\\slash.png',
    b"line\nfeed\ttab\rreturn.png",
    b"control\x01\x1b[31m\x7f.png",
    "zw\u00f6lf \u6f22 \U0001f600.png".encode(),
    b"no utf8 \xff\xc3.\xe6\xbc.\xed\xa0\x80.png",
]


# ---- the same bytes ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory, pictures) -> Path:
    """The bundled pictures and one without a face as PNG, for equal decoding; odd names too."""
    folder = tmp_path_factory.mktemp("same") / "an event"
    folder.mkdir()
    for path in pictures:
        assert cv2.imwrite(str(folder / f"{path.stem}.png"), cv2.imread(str(path)))
    assert cv2.imwrite(str(folder / "none.png"), np.zeros((50, 60, 3), np.uint8))
    data = (folder / f"{pictures[0].stem}.png").read_bytes()
    for name in ODD_NAMES:
        (folder / os.fsdecode(name)).write_bytes(data)
    return folder


def bytes_of(command: list[object]) -> bytes:
    done = subprocess.run(list(map(str, command)), capture_output=True, cwd=ROOT, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_same_bytes(program, default_model, folder, form):
    words = ["--model", default_model, *form, folder]
    theirs = bytes_of([program, *words])
    ours = bytes_of([sys.executable, "-m", "pymtcnn", "detect", *words])
    assert ours == theirs
    assert (rb"no utf8 \\xff\\xc3." in ours) == (form == ["--json"]) == (b"\xff" not in ours)


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["pnet", "rnet", "onet"])
def test_same_stages(program, default_model, folder, tmp_path, stage):
    """What a stage proposes: the same bytes, and the same pixels drawn."""
    picture = folder / "none.png"
    cv2.imwrite(str(picture), cv2.imread(str(next(folder.glob("g*.png")))))
    for form in FORMS:
        words = ["--model", default_model, *form, "--stage", stage, picture]
        theirs = bytes_of([program, *words, "--out", tmp_path / "theirs.png"])
        ours = bytes_of([sys.executable, "-m", "pymtcnn", *words, "--out", tmp_path / "ours.png"])
        assert ours == theirs and len(ours) > 50
    drawn = [cv2.imread(str(tmp_path / f"{name}.png")) for name in ("ours", "theirs")]
    assert (drawn[0] == drawn[1]).all() and (drawn[0] != cv2.imread(str(picture))).any()


def test_same_options(program):
    """Names, values, headings and sentences of the help; pymtcnn adds its tables."""
    command = [sys.executable, "-m", "pymtcnn", "detect", "--help"]
    theirs, ours = (bytes_of(words).decode() for words in ([program, "--help"], command))
    options = r"^  (--[a-z-]+(?: [A-Z][\w.,]*)?)"
    named = [re.findall(options, text, re.MULTILINE) for text in (theirs, ours)]
    own = ("--save FILE", "--resume", "--version")
    assert named[0][:-2] == [name for name in named[1] if name not in own]
    shown = " ".join(ours.split())
    for option in re.split(r"\n  (?=--)", theirs)[1:-2]:
        name, sentence = re.match(r"(--[a-z-]+(?: [A-Z][\w.,]*)?)\s+([^(]*)", option).groups()
        assert f"{name} {' '.join(sentence.split())}" in shown


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["--min-face", "0", "x.jpg"],
        ["--min-face", "0x20", "x.jpg"],
        ["--thresholds", "0.5,0.6", "x.jpg"],
        ["--max-boxes", "5,5,5.5", "x.jpg"],
        ["--nms", "linear", "x.jpg"],
        ["--stage", "qnet", "x.jpg"],
        ["--max-side", "0", "x.jpg"],
        ["--max-pixels", "1000001", "x.jpg"],
        ["--crop-size", "64", "x.jpg"],
        ["--crops", "x", "--stage", "rnet", "x.jpg"],
        ["--json", "--csv", "x.jpg"],
        ["--every", "3", "x.jpg"],
        ["--track", "x.jpg"],
        ["--fps", "3", "x.jpg"],
        ["--json"],
        ["video"],
        ["video", "a.mp4", "b.mp4"],
        ["video", "256"],
        ["video", "--jobs", "2", "a.mp4"],
        ["video", "--every", "0", "a.mp4"],
        ["video", "--fps", "0", "a.mp4"],
        ["video", "--reconnect", "3", "a.mp4"],
        ["video", "--reconnect", "-1", "rtsp://a"],
        ["--reconnect", "3", "x.jpg"],
        ["video", "--track", "--stage", "pnet", "a.mp4"],
        ["--video", "a.mp4", "--camera", "0"],
        ["--video", "a.mp4", "x.jpg"],
        ["--camera", "0", "--wider", "x"],
        ["x.jpg", "--min-face"],
        ["--min-face=", "x.jpg"],
        ["--json=1", "x.jpg"],
        ["--nope", "x.jpg"],
        ["--treshold", "0.5", "x.jpg"],
        ["--MIN_FACE=3", "x.jpg"],
        ["--everyone=2", "x.jpg"],
        ["--min-face", "2\n0", "x.jpg"],
    ],
)
def test_same_error_messages(program, words):
    """Both programs give the same message and status for an error."""
    sentences = []
    for command in ([str(program)], [sys.executable, "-m", "pymtcnn"]):
        done = subprocess.run([*command, *words], capture_output=True, text=True, cwd=ROOT)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        sentences.append(
            re.fullmatch(r"(?:mtcnn|python -m pymtcnn \w+): (.*?)(?:; try .*)?\n", done.stderr)[1]
        )
    assert sentences[0] == sentences[1]


@pytest.mark.slow
@pytest.mark.parametrize("words", [["none.*"], ["none.png"], ["[^a-m]*.png", "missing*"]])
def test_same_files(program, default_model, folder, tmp_path, words):
    """What --out makes: a folder or a file, names, and PNG for formats that are only read."""
    source = tmp_path / "source"
    source.mkdir()
    for name in ("none.png", "other.bmp", "third.tif"):
        cv2.imwrite(str(source / name), cv2.imread(str(folder / "none.png")))
    made = []
    for name, command in (("c", [program]), ("py", [sys.executable, "-m", "pymtcnn"])):
        out = tmp_path / name / "out.png"
        out.parent.mkdir()
        inputs = [source / word for word in words]
        done = [*command, "--model", default_model, "--out", out, *inputs]
        subprocess.run(list(map(str, done)), capture_output=True, cwd=ROOT)
        subprocess.run(
            list(map(str, [*command, "--model", default_model, "--out", out.parent, source])),
            capture_output=True,
            cwd=ROOT,
        )
        made.append(sorted(str(p.relative_to(out.parent)) for p in out.parent.rglob("*")))
    assert made[0] == made[1] and "third.png" in made[0] and "other.png" in made[0]


def test_same_warnings(program, tmp_path):
    path = write_random_cascade(tmp_path)
    cfg = tmp_path / "odd.cfg"
    text = (ROOT / "darknet_cfg" / "rnet.cfg").read_text()
    cfg.write_text(text.replace("[net]", "[net] # RNet's\nbatsh=1\nodd=\x1b[31m", 1))
    data = re.sub(r"(?m)^rnet_cfg.*", f"rnet_cfg = {cfg.name}  ; mine", path.read_text())
    path.write_text(data)
    lines = []
    for command in ([str(program)], [sys.executable, "-m", "pymtcnn"]):
        words = [*command, "--model", str(path), "--min-face", "90", str(ASTRONAUT)]
        done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0
        lines.append([line.partition(": ")[2] for line in done.stderr.splitlines()])
    line = text.splitlines().index("[net]") + 2
    assert (
        lines[0]
        == lines[1]
        == [
            f"{cfg}:{line}: [net] unknown key 'batsh' is ignored; did you mean batch?",
            f"{cfg}:{line + 1}: [net] unknown key 'odd' is ignored",
        ]
    )


@pytest.mark.slow
def test_same_predictions(program, default_model, folder, tmp_path):
    words = ["--model", default_model, folder, "--wider"]
    bytes_of([program, *words, tmp_path / "theirs"])
    bytes_of([sys.executable, "-m", "pymtcnn", "detect", *words, tmp_path / "ours"])
    files = [path for path in (tmp_path / "theirs").rglob("*") if path.is_file()]
    assert len(files) == len(list(folder.iterdir()))
    for path in files:
        ours = tmp_path / "ours" / path.relative_to(tmp_path / "theirs")
        assert ours.read_bytes() == path.read_bytes()
        assert path.read_bytes().startswith(b"an event/")


@pytest.mark.slow
def test_same_table_of_times(program, default_model, folder):
    """Except the milliseconds."""
    paths = [folder / os.fsdecode(name) for name in ODD_NAMES]
    tables = []
    for command in ([program], [sys.executable, "-m", "pymtcnn", "detect"]):
        words = [*command, "--model", default_model, "--time", *paths]
        done = subprocess.run(list(map(str, words)), capture_output=True, cwd=ROOT, timeout=120)
        assert done.returncode == 0
        tables.append(re.sub(rb" +\d+\.\d\d ms", b" ms", done.stderr))
    assert tables[0] == tables[1] and tables[0].count(b"levels") == len(paths)


def odd_files(folder: Path) -> list[Path]:
    """Files with something odd about them that both programs put into the same words."""
    pixels = np.full((64, 64, 3), 90, np.uint8)
    jpeg = cv2.imencode(".jpg", pixels)[1].tobytes()
    progressive = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    scan = progressive[progressive.rindex(b"\xff\xda") : -2]
    header = struct.pack(">IIBBBBB", 9000, 10000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(99))), (b"IEND", b""))
    contents = {
        "no-end.jpg": jpeg[:-2],
        "no-end.png": png_rgb(pixels)[:-12],
        "scans.jpg": progressive[:-2] + 120 * scan + b"\xff\xd9",
        "claims.jpg": resized_jpeg_header(jpeg, 9000, 10000),
        "claims.png": PNG_SIGNATURE + b"".join(png_chunk(*chunk) for chunk in chunks),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in contents]


def test_same_words_about_files(program, default_model, tmp_path):
    lines = []
    for command in ([program], [sys.executable, "-m", "pymtcnn", "detect"]):
        words = [*command, "--model", default_model, *odd_files(tmp_path)]
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 1
        found = [line.partition(": ")[2] for line in done.stderr.splitlines()]
        lines.append([line for line in found if line.startswith("/")])
    assert lines[0] == lines[1] and len(lines[0]) == 5


@pytest.fixture(scope="module")
def clip(tmp_path_factory, program, pictures) -> Path:
    """A video without loss; skips the test where the program reads no videos."""
    path = tmp_path_factory.mktemp("clip") / 'clip, "odd".avi'
    picture = cv2.imread(str(pictures[0]))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"png "), 25, (400, 320))
    for i in range(12):
        writer.write(np.ascontiguousarray(picture[20:340, 40 + 2 * i : 440 + 2 * i]))
    writer.release()
    done = subprocess.run([str(program), "--min-face", "1000000", "--video", path])
    if done.returncode:
        missing("FFmpeg, or videos in the mtcnn program")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("track", [True, False])
def test_same_bytes_of_videos(program, default_model, clip, form, track):
    words = ["video", "--model", default_model, "--every", "3", *["--track"] * track, *form, clip]
    theirs = bytes_of([program, *words])
    ours = bytes_of([sys.executable, "-m", "pymtcnn", *words])
    assert ours == theirs and len(ours.splitlines()) >= (12 if track else 4)


# ---- the same within what decoders differ --------------------------------------------------------


def both(program, default_model, *arguments) -> list[subprocess.CompletedProcess[str]]:
    """The C program and the Python one, run on the same arguments."""
    options = ["--model", str(default_model), *map(str, arguments)]
    commands = [[str(program), *options], [sys.executable, "-m", "pymtcnn", "detect", *options]]
    return [
        subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
        for command in commands
    ]


NUMBER = re.compile(r"-?\d+\.\d+")


@pytest.mark.slow
@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"], ["--json", "--no-clip"]])
def test_same_output_as_the_program(program, default_model, pictures, form):
    """The same text; numbers within 0.01, as decoders may round a pixel differently."""
    theirs, ours = both(program, default_model, *form, *pictures)
    assert (theirs.returncode, theirs.stderr) == (ours.returncode, ours.stderr) == (0, "")
    assert len(ours.stdout.splitlines()) >= len(pictures)
    assert NUMBER.sub("N", ours.stdout) == NUMBER.sub("N", theirs.stdout)
    numbers = [np.array(NUMBER.findall(done.stdout), float) for done in (ours, theirs)]
    assert np.abs(numbers[0] - numbers[1]).max() <= 0.01


@pytest.mark.slow
def test_same_candidates_as_the_program(program, default_model, pictures):
    theirs, ours = both(program, default_model, "--json", "--time", *pictures)
    for a, b in zip(theirs.stdout.splitlines(), ours.stdout.splitlines(), strict=True):
        a, b = json.loads(a), json.loads(b)
        assert list(a) == list(b) and list(a["milliseconds"]) == list(b["milliseconds"])
        assert (a["levels"], a["candidates"]) == (b["levels"], b["candidates"])


# ---- wrong usage ---------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        *(["--min-face", "0"], ["--thresholds", "1,2"], ["--scale-factor", "1"]),
        *(
            ["--max-boxes", value]
            for value in ("0,1,1", "1,-1,1", "1,1", "1,1,1.5", "1,1,1,1", "a")
        ),
        *(["--threads", "300"], ["--nonsense"], ["--json", "--csv"], ["--out", "x.txt"], []),
    ],
)
def test_same_status_for_wrong_usage(program, default_model, pictures, arguments):
    for done in both(program, default_model, *arguments, *(pictures[:1] if arguments else [])):
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
