"""The report page: evaluations and trainings side by side."""

import json

import numpy as np
import pytest

from pymtcnn.errors import FileError
from train_mtcnn import report as program
from train_mtcnn.data.recall import SIZE_NAMES
from train_mtcnn.data.wider import SETS
from train_mtcnn.evaluation.evaluation_results import Results, read_results, table, write_results
from train_mtcnn.training.history import read_history


def results(ap=0.5, **more):
    """An evaluation; `more` goes into its values."""
    stage = {
        "ap": dict.fromkeys(SETS, ap / 2),
        "boxes_per_picture": 12.25,
        "recall": 0.75,
        "recall_by_size": {**dict.fromkeys(SIZE_NAMES, 0.625), "<10": None},
    }
    values = {
        "ap": {name: ap + 0.01 * index for index, name in enumerate(SETS)},
        "faces": dict.fromkeys(SETS, 10),
        "found_at": {
            "0.1": {"recall": 0.4375, "false_alarms": 0.1, "score": 0.9},
            "1": {"recall": 0.8125, "false_alarms": 0.5, "score": None},
        },
        "faces_by_size": dict.fromkeys(SIZE_NAMES, 3),
        "stages": {"pnet": stage, "final": stage},
        "settings": {"pictures": 7, "median_ms": 12.34, "thresholds": [0.5, 0.5, 0.3]},
    }
    points = np.linspace(0, 1, 5, dtype=np.float32)
    curves = {name: np.stack([points, 1 - points]) for name in SETS}
    return Results({**values, **more}, curves)


LANDMARKS = {"mean": 0.0857, "median": 0.0734, "large": 0.233, "faces": 1500, "left_out": 0}
FDDB = {
    "pictures": 2,
    "faces": 3,
    "discrete": {"100": 0.5, "2000": 0.875},
    "continuous": {"100": 0.25, "2000": 0.375},
}


def test_written_results_are_read(tmp_path):
    written = results(landmarks=LANDMARKS)
    write_results(tmp_path / "a" / "b", written)
    read = read_results(tmp_path / "a" / "b")
    assert read.values == written.values
    assert set(read.curves) == set(SETS)
    assert all(np.array_equal(read.curves[name], written.curves[name]) for name in SETS)


def test_table():
    text = table(results(landmarks=LANDMARKS, fddb=FDDB).values)
    for line in (
        "medium      10  0.5100",
        "0.1                           43.8%  0.9000",
        "1                             81.2%  -",
        "pnet      12.2   0.2500  0.2500  0.2500",
        "pnet      75.0%        -    62.5%    62.5%    62.5%    62.5%    62.5%    62.5%",
        "faces        21        3",
        "landmark error: mean 8.6%, median 7.3%, 23.3% of 1500 faces above 10%",
        "FDDB's false positives     100    2000",
        "discrete                 50.0%   87.5%",
        "thresholds: 0.5 0.5 0.3",
    ):
        assert line in text, text


def log(folder, *rows):
    folder.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / "history.jsonl").write_text("\n".join(lines) + "\n")
    return folder / "history.jsonl"


def test_history(tmp_path):
    path = log(
        tmp_path,
        {"epoch": 1, "step": 10, "loss": 0.5, "net": "pnet", "best": True},
        "",
        {"epoch": 2, "step": 20, "loss": 0.25, "val_loss": 1},
    )
    with path.open("a") as file:
        file.write('{"epoch": 3, "lo')  # being written
    history = read_history(path)
    assert {key: points.tolist() for key, points in history.items()} == {
        "loss": [[1, 2], [0.5, 0.25]],
        "val_loss": [[2], [1]],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"history\.jsonl: no epoch is logged there yet"),
        ('{"epoch": 1}', r"no epoch is logged there yet"),  # the line has no end
        ('{"epoch": 1}\n', r"no quantity is logged beside epoch and step"),
        ('{"epoch": 1, "loss": 2}\n{"loss": 1}\n', r"history\.jsonl:2: expected a JSON object"),
        ('{"epoch": "one"}\n', r"history\.jsonl:1: expected"),
        ("[1]\n", r"history\.jsonl:1: expected"),
        ("\xff\n", r"history\.jsonl:1: expected"),
    ],
)
def test_history_errors(tmp_path, text, message):
    (tmp_path / "history.jsonl").write_bytes(text.encode("latin-1"))
    with pytest.raises(FileError, match=message):
        read_history(tmp_path / "history.jsonl")


@pytest.mark.slow
def test_page(tmp_path, capsys):
    with_fddb = results(0.25, landmarks=LANDMARKS, fddb=FDDB)
    with_fddb.curves.update({f"fddb-{kind}": np.eye(2) for kind in ("discrete", "continuous")})
    write_results(tmp_path / "one" / "_a|$b", with_fddb)
    write_results(tmp_path / "two", results())
    log(tmp_path / "two", {"epoch": 1, "loss": 0.5, "val_loss": 0.75, "lr": float("nan")})
    log(tmp_path / "three", *({"epoch": n, "loss": 1 / n, "accuracy": n / 4} for n in (1, 2, 4)))
    log(tmp_path / "many", {"epoch": 1, **{f"quantity{n}": n for n in range(9)}})
    runs = [str(tmp_path / name) for name in ("one/_a|$b", "two", "three", "many")]
    out = tmp_path / "deep" / "page"
    assert program.main([*runs, "--out", str(out)]) == 0
    assert "report.md" in capsys.readouterr().out
    page = (out / "report.md").read_text()
    for line in (
        r"| _a\|$b | 7 | 0.2500 | 0.2600 | 0.2700 | 43.8% | 81.2% | 8.6% | 23.3% | 12.3 |",
        "| two | 7 | 0.5000 | 0.5100 | 0.5200 | 43.8% | 81.2% | - | - | 12.3 |",
        "| two | pnet | 12.2 | 0.2500 | 0.2500 | 0.2500 | 75.0% | - | 62.5% | 62.5% |",
        r"| _a\|$b | discrete | 50.0% | 87.5% |",
        "| two | lr | 1 | nan | - | - |",
        "| three | loss | 4 | 0.25 | 0.25 | 1 |",
        "0.5 0.5 0.3",
    ):
        assert line in page, page
    assert "do not compare" not in page
    drawn = {line.split("(")[1][:-1] for line in page.splitlines() if line.startswith("![")}
    assert drawn == {path.name for path in out.glob("*.png")} and len(drawn) == 4
    assert all((out / name).read_bytes()[:4] == b"\x89PNG" for name in drawn)


@pytest.mark.slow
def test_missing_parts(tmp_path):
    log(tmp_path / "log", {"epoch": 1, "loss": 0.5})
    assert program.main([str(tmp_path / "log"), "--out", str(tmp_path / "a")]) == 0
    assert "## Evaluations" not in (tmp_path / "a" / "report.md").read_text()
    write_results(tmp_path / "run", results())
    fewer = results(settings={"pictures": 3})
    write_results(tmp_path / "fewer", fewer)
    runs = [str(tmp_path / name) for name in ("run", "fewer")]
    assert program.main([*runs, "--out", str(tmp_path / "b")]) == 0
    page = (tmp_path / "b" / "report.md").read_text()
    assert "## Trainings" not in page and "## FDDB" not in page and "do not compare" in page
    assert "| fewer | 3 | 0.5000 | 0.5100 | 0.5200 | 43.8% | 81.2% | - | - | - |" in page


def test_names_distinguish_folders(tmp_path):
    folders = [tmp_path / name for name in ("a/run", "b/run", "c")]
    assert program.names(folders) == ["a/run", "b/run", f"{tmp_path.name}/c"]
    assert program.names(folders[1:]) == ["run", "c"]


def test_errors(tmp_path, capsys):
    def fails(*runs):
        assert program.main([*map(str, runs), "--out", str(tmp_path / "out")]) == 1
        message = capsys.readouterr().err
        assert message.count("\n") == 1 and message.startswith("report.py: ")
        return message

    assert "nowhere: neither results.json nor history.jsonl" in fails(tmp_path / "nowhere")
    good = tmp_path / "good"
    write_results(good, results())
    assert "given twice" in fails(good, tmp_path / "." / "good")
    bad = tmp_path / "bad"
    write_results(bad, results())
    for change in (
        lambda values: values.pop("stages"),
        lambda values: values["ap"].pop("easy"),
        lambda values: values["stages"]["pnet"].pop("recall_by_size"),
        lambda values: values.update(settings=[]),
        lambda values: values.update(stages=[]),
    ):
        values = results().values
        change(values)
        (bad / "results.json").write_text(json.dumps(values))
        assert "bad/results.json: not a result of evaluate.py" in fails(good, bad)
    for text in ("{", "[]", "null", "\xff"):
        (bad / "results.json").write_bytes(text.encode("latin-1"))
        assert "bad/results.json: not a result of evaluate.py" in fails(bad)
    write_results(bad, results())
    content = (bad / "curves.npz").read_bytes()
    for damaged in (b"", b"no", content[:-40], content[:100] + b"x" * 50 + content[150:]):
        (bad / "curves.npz").write_bytes(damaged)
        assert "bad/curves.npz: not the curves" in fails(bad)
    (bad / "curves.npz").unlink()
    assert "bad/curves.npz: cannot be read" in fails(bad)
    for curves in ({"easy": np.zeros((2, 3))}, dict.fromkeys(SETS, np.zeros(3))):
        write_results(bad, Results(results().values, curves))
        assert "bad/curves.npz: not the curves" in fails(bad)
    (tmp_path / "out").write_text("")
    assert "out: cannot be made" in fails(good)
