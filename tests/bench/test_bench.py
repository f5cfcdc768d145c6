"""bench/*.py: arguments, tables, peers that fail; without any peer."""

import subprocess
import sys

import numpy as np
import pytest
from support import HOPPER, ROOT
from support.skips import missing

from bench import cold_start, common, folder, peers, scaling, tracking


@pytest.fixture
def fakes(monkeypatch):
    """Detectors that find nothing: ours, one that cannot be made, one that fails when run."""

    def make(args, min_face):
        return lambda rgb: 3

    def missing(args, min_face):
        raise ImportError("no such\npackage")

    def failing(args, min_face):
        def run(rgb):
            raise ValueError("no candidate")

        return run

    detectors = {
        "ours": peers.Peer(make, "numpy"),
        "absent": peers.Peer(missing, "numpy"),
        "broken": peers.Peer(failing, "numpy"),
        "ours, alone": peers.Peer(lambda args, min_face: lambda rgb: -1, "numpy", alone=True),
    }
    monkeypatch.setattr(peers, "DETECTORS", detectors)


@pytest.mark.parametrize(
    "arguments, part",
    [
        ([], "PICTURE"),
        (["x.jpg", "--sizes", "640"], "'640' is no size like 640x480"),
        (["x.jpg", "--sizes", "640x"], "'640x' is no size"),
        (["x.jpg", "--sizes", "11x640"], "at least 12x12"),
        (["x.jpg", "--min-faces", "0"], "'0' is no number of pixels"),
        (["x.jpg", "--min-faces", "nan"], "'nan' is no number of pixels"),
        (["x.jpg", "--runs", "0"], "'0' is no whole number, 1 to 10000"),
        (["x.jpg", "--threads", "257"], "'257' is no whole number, 1 to 256"),
        (["x.jpg", "--ncnn", "/nonexistent"], "/nonexistent: has no det1.param"),
        (["x.jpg", "--yunet", "/nonexistent.onnx"], "/nonexistent.onnx: no such file"),
    ],
)
def test_wrong_arguments_are_named(capsys, arguments, part):
    assert peers.main(arguments) == 2
    assert part in capsys.readouterr().err


def test_a_missing_picture_is_named(capsys):
    assert peers.main(["/nonexistent.jpg"]) == 1
    assert "peers.py: /nonexistent.jpg" in capsys.readouterr().err


def test_table(fakes, capsys, tmp_path):
    output = tmp_path / "table.md"
    sizes = ["--sizes", "64x48", "48x64", "--min-faces", "20", "--runs", "2"]
    assert peers.main([str(HOPPER), str(HOPPER), *sizes, "--output", str(output)]) == 0
    out, err = capsys.readouterr()
    assert output.read_text() == out
    table = [line for line in out.splitlines() if line.startswith("| ")]
    assert len(table) == 2 * (2 + 2 * 2)  # two pictures: two lines of heading, two rows a size
    assert {line.count("|") for line in table} == {9}
    assert table[2].startswith("| 64x48 | 20 | ours | 3 |") and table[2].endswith("| 1.00 |  |")
    assert table[3].startswith("| 64x48 | 20 | ours, alone |  |") and table[3].endswith("| 1.00 |")
    assert "numpy " in out.splitlines()[-1]
    # Each is reported in one line and does not stop the others; one that cannot be made, once.
    broken = [f"grace_hopper.jpg, {size}, min face 20: " for size in ("64x48", "48x64")] * 2
    assert err.splitlines() == [
        "peers.py: without absent: no such package",
        *(f"peers.py: {where}without broken: no candidate" for where in broken),
    ]


def test_ratios_are_those_of_the_rounds():
    ours, theirs = peers.Timing(0, [1.0, 10.0, 2.0]), peers.Timing(0, [2.0, 30.0, 3.0])
    assert peers.ratio(theirs, ours) == 2.0


def test_cover_keeps_the_middle():
    picture = np.zeros((40, 100, 3), np.uint8)
    picture[:, 50:] = 200
    for size in ((20, 20), (100, 40), (160, 80), (37, 91)):
        covered = common.cover(picture, *size)
        assert covered.shape == (size[1], size[0], 3)
        assert (covered[:, 0] == 0).all() and (covered[:, -1] == 200).all()


def test_levels_are_those_of_the_cascade():
    assert list(peers.levels(60, 80, 20)) == [(36, 48), (26, 34), (18, 24), (13, 17)]
    assert list(peers.levels(12, 400, 20)) == []


# ---- scaling.py ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, part",
    [
        ([], "picture"),
        (["x.jpg", "--sizes", "640x480x3"], "'640x480x3' is no size"),
        (["x.jpg", "--threads", "1", "two"], "'two' is no whole number"),
        (["x.jpg", "--min-face", "0.5"], "'0.5' is no number of pixels"),
        (["x.jpg", "--output", "plot.txt"], "plot.txt: must end in .svg or .png"),
    ],
)
def test_scaling_names_wrong_arguments(capsys, arguments, part):
    assert scaling.main(arguments) == 2
    assert part in capsys.readouterr().err


def test_scaling_names_a_missing_picture(capsys):
    assert scaling.main(["/nonexistent.jpg"]) == 1
    assert "scaling.py: /nonexistent.jpg" in capsys.readouterr().err


@pytest.mark.parametrize("kind, begin", [("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_scaling(default_model, capsys, tmp_path, kind, begin):
    path = tmp_path / f"plot.{kind}"
    sizes = ["--sizes", "1280x960", "640x480", "--min-face", "100", "--threads", "1", "2"]
    assert scaling.main([str(HOPPER), *sizes, "--runs", "1", "--output", str(path)]) == 0
    table = [line.split() for line in capsys.readouterr().out.splitlines()[4:]]
    assert [(cells[1], cells[5], cells[7]) for cells in table] == [
        *(("640x480", "1", "1"), ("640x480", "1", "2")),
        *(("1280x960", "4", "1"), ("1280x960", "4", "2")),
    ]
    assert path.read_bytes().startswith(begin) and len(path.read_bytes()) < 100_000


def test_tile_repeats_the_picture():
    part = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    tiled = common.tile(part, 7, 5)
    assert tiled.shape == (5, 7, 3)
    for y in range(5):
        for x in range(7):
            assert (tiled[y, x] == part[y % 2, x % 3]).all()


# ---- tracking.py ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, part",
    [
        ([], "PICTURE"),
        (["x.jpg", "--every", "0"], "'0' is no whole number"),
        (["x.jpg", "--size", "640"], "'640' is no size"),
        (["x.jpg", "--quality", "101"], "'101' is no whole number, 1 to 100"),
    ],
)
def test_tracking_names_wrong_arguments(capsys, arguments, part):
    assert tracking.main(arguments) == 2
    assert part in capsys.readouterr().err


def test_tracking_names_a_missing_picture(capsys):
    assert tracking.main(["/nonexistent.jpg"]) == 1
    assert "tracking.py: /nonexistent.jpg" in capsys.readouterr().err


@pytest.mark.slow
def test_tracking(default_model, capsys):
    arguments = ["--size", "320x420", "--min-faces", "60", "--every", "4", "--frames", "12"]
    assert tracking.main([str(HOPPER), str(HOPPER), *arguments, "--runs", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("2 shots of 12 frames, 320x420, 2 faces, one thread")
    assert {line.count("|") for line in lines[2:]} == {11}
    detection, tracked = ([cell.strip() for cell in line.split("|")] for line in lines[4:])
    assert (detection[2], detection[5], detection[7]) == ("detection", "", "")
    assert (tracked[2], tracked[7]) == ("tracking, every 4", "0")
    assert detection[6] == tracked[6] == "0 of 24"


# ---- bench_core ----------------------------------------------------------------------------------


@pytest.fixture
def bench_core():
    path = ROOT / "build" / "bench" / "bench" / "bench_core"
    if not path.is_file():
        missing(f"{path}: docs/performance.md says how to build it")
    return path


@pytest.mark.parametrize(
    "arguments, part",
    [
        ([], "PICTURE: is missing"),
        ([HOPPER, HOPPER], "only one picture"),
        ([HOPPER, "--sizes", "640x480,"], "--sizes: needs sizes"),
        ([HOPPER, "--sizes", "99999x99999"], "--sizes: needs sizes"),
        ([HOPPER, "--min-faces", "20;40"], "--min-faces: needs numbers of pixels"),
        ([HOPPER, "--threads", "0"], "--threads: needs a whole number"),
        ([HOPPER, "--runs"], "--runs: needs a whole number"),
        ([HOPPER, "--size", "640x480"], "--size: no such option"),
    ],
)
def test_bench_core_names_wrong_arguments(bench_core, arguments, part):
    done = subprocess.run([bench_core, *arguments], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert part in done.stderr and "usage: bench_core PICTURE" in done.stderr


# ---- cold_start.py -------------------------------------------------------------------------------


def test_cold_start_names_a_missing_program(capsys):
    assert cold_start.main([str(HOPPER), "--program", "/nonexistent"]) == 2
    assert "/nonexistent: no such program" in capsys.readouterr().err


def test_cold_start(program, default_model, monkeypatch, capsys):
    monkeypatch.setenv("MTCNN_MODEL", str(default_model))
    arguments = [str(HOPPER), "--program", str(program), "--sizes", "64x48", "--runs", "2"]
    assert cold_start.main(arguments) == 0
    (row,) = capsys.readouterr().out.splitlines()[4:]
    cells = row.strip("| ").split(" | ")
    assert cells[0] == "64x48" and 0 < float(cells[2]) <= float(cells[1])
    assert cells[4] == "not measured" or 1 < float(cells[4]) < 100


def test_cold_start_reports_a_failing_program(capsys):
    assert cold_start.main([str(HOPPER), "--program", "/bin/false", "--runs", "1"]) == 1
    assert "cold_start.py: /bin/false" in capsys.readouterr().err


@pytest.mark.slow
def test_folder(capsys, program, default_model):
    """Programs that fail, or are not installed, are skipped with a message."""
    words = [str(HOPPER.parent), "--runs", "1", "--program", str(program), "--min-face", "80"]
    assert folder.main([*words, "--yunet", "missing.onnx", "--model", str(default_model)]) == 0
    out, error = capsys.readouterr()
    head, _, _, _, *rows = out.splitlines()
    assert head.startswith("2 pictures, min face 80, ") and "without YuNet, 1 thread: " in error
    table = {row.split("|")[1].strip(): row.split("|")[2:5] for row in rows}
    ours = ["./mtcnn, 1 thread", "./mtcnn, 2 threads", "./mtcnn, 2 pictures at a time"]
    ours += ["pymtcnn detect, 1 process", "pymtcnn detect, 2 processes"]
    assert list(table)[:5] == ours and len({table[name][2] for name in ours}) == 1
    assert float(table[ours[0]][1]) == 1


@pytest.mark.slow
def test_folder_without_the_program(capsys, monkeypatch):
    """No ratio is printed without a comparison; without any result the run fails."""
    assert folder.main(["missing/*.jpg"]) == 1
    assert "missing/*.jpg: no file has a name of this pattern" in capsys.readouterr().err
    words = [str(HOPPER), "--runs", "1", "--program", "/nonexistent"]
    python = {"pymtcnn": [sys.executable, "-m", "pymtcnn", "detect", "--json"]}
    monkeypatch.setattr(folder, "programs", lambda args: {folder.BASE: [args.program], **python})
    assert folder.main(words) == 0
    assert [cell.strip() for cell in capsys.readouterr().out.split("|")[-3:-1]] == ["-", "1"]
    monkeypatch.setattr(folder, "programs", lambda args: {folder.BASE: [args.program]})
    assert folder.main(words) == 1
    out, error = capsys.readouterr()
    assert out == "" and error.endswith("folder.py: no program ran\n")
