"""Put evaluations and trainings side by side: a Markdown page with plots.

    python train_mtcnn/report.py RUN_DIR [RUN_DIR ...] --out DIR

A RUN_DIR holds what evaluate.py wrote (results.json, curves.npz), or a training's history.jsonl, or
both. Writes report.md and PNG files into DIR.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    try:
        from train_mtcnn.common.requirements import require
    except ImportError as error:
        sys.exit(f"report.py: {error}; `bash make_install.sh` makes a .venv that has it")
    require("report.py", "numpy", "matplotlib")

import numpy as np
from numpy.typing import NDArray

from pymtcnn.commands.console import status_of
from pymtcnn.commands.options import Parser
from pymtcnn.errors import FileError
from pymtcnn.files import atomic_write, make_folder
from train_mtcnn.data.recall import SIZE_NAMES
from train_mtcnn.data.wider import SETS
from train_mtcnn.evaluation import evaluation_plots
from train_mtcnn.evaluation.evaluation_results import (
    RESULTS,
    Results,
    percent,
    read_results,
    show_setting,
)
from train_mtcnn.evaluation.landmark_error import LARGE
from train_mtcnn.training.history import HISTORY, read_history
from train_mtcnn.training.training_plots import plot_trainings

History = Mapping[str, NDArray[np.float64]]


# ---- reading -------------------------------------------------------------------------------------


def names(folders: Sequence[Path]) -> list[str]:
    """A short name for each of different folders: as many of its last parts as make it unique."""
    parts = [folder.resolve().parts for folder in folders]
    taken = 1
    while len({part[-taken:] for part in parts}) < len(set(parts)):
        taken += 1
    return ["/".join(part[-taken:]) for part in parts]


def read_runs(folders: Sequence[Path]) -> tuple[dict[str, Results], dict[str, History]]:
    """What the folders hold: name -> evaluation, name -> training.

    Raises
    ------
    FileError
        If a folder holds neither, comes twice, or a file in it is not what is expected.
    """
    evaluations: dict[str, Results] = {}
    trainings: dict[str, History] = {}
    for index, folder in enumerate(folders):
        if folder.resolve() in [other.resolve() for other in folders[:index]]:
            raise FileError(f"{folder}: given twice, expected different folders")
    for name, folder in zip(names(folders), folders):
        if (folder / RESULTS).exists():
            evaluations[name] = read_results(folder)
        if (folder / HISTORY).exists():
            trainings[name] = read_history(folder / HISTORY)
        if name not in evaluations and name not in trainings:
            raise FileError(
                f"{folder}: neither {RESULTS} nor {HISTORY} is there; give folders that"
                " evaluate.py or a training wrote"
            )
    return evaluations, trainings


# ---- writing -------------------------------------------------------------------------------------


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table, its first column text, all others numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    cells = [[cell.replace("|", r"\|") for cell in line] for line in lines]
    return [f"| {' | '.join(line)} |" for line in cells]


def _cell(values: Mapping, *keys: str, show: Callable[[float], str] = percent) -> str:
    """The value at the end of a path of keys; a dash where there is none."""
    value: Any = values
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return "-" if value is None else show(value)


def _number(digits: int) -> Callable[[float], str]:
    return lambda value: f"{value:.{digits}f}"


def evaluation_page(runs: Mapping[str, Results]) -> list[str]:
    """The lines about evaluations."""
    ap, ms = _number(4), _number(1)
    head = ["run", "pictures", *(f"AP {name}" for name in SETS)]
    head += ["found at 0.1 false alarms", "at 1", "landmark error", f"above {LARGE:.0%}", "ms"]
    rows = []
    for name, run in runs.items():
        cell = partial(_cell, run.values)
        row = [name, cell("settings", "pictures", show=str)]
        row += [cell("ap", part, show=ap) for part in SETS]
        row += [cell("found_at", rate, "recall") for rate in ("0.1", "1")]
        row += [cell("landmarks", key) for key in ("mean", "large")]
        rows.append([*row, cell("settings", "median_ms", show=ms)])
    lines = ["## Evaluations", "", *_table(head, rows), ""]
    lines += [
        "AP: WIDER FACE, official protocol. Found: share of the hard set's faces at so many false"
        " alarms a picture. Landmark error: mean of AFLW, in distances between the eyes. ms: median"
        " of a picture, of those detected in the last run.",
        "",
    ]
    if len({row[1] for row in rows}) > 1:
        lines += ["**The runs are of different numbers of pictures: do not compare them.**", ""]
    lines += ["![precision over recall](precision_recall.png)", ""]
    return lines + _stages(runs, ap, ms) + _fddb(runs) + _settings(runs)


def _stages(runs: Mapping[str, Results], ap: Callable, number: Callable) -> list[str]:
    head = ["run", "stage", "boxes a picture", *(f"AP {name}" for name in SETS)]
    head += ["recall", *(f"{name} px" for name in SIZE_NAMES)]
    rows = []
    for name, run in runs.items():
        for stage, values in run.values["stages"].items():
            row = [name, stage, _cell(values, "boxes_per_picture", show=number)]
            row += [_cell(values, "ap", part, show=ap) for part in SETS]
            row.append(_cell(values, "recall"))
            rows.append([*row, *(_cell(values, "recall_by_size", size) for size in SIZE_NAMES)])
    return [
        "## Stages",
        "",
        *_table(head, rows),
        "",
        "Each stage as if the cascade ended there. Recall: share of annotated faces with a box of"
        " IoU 0.5 or more, by size.",
        "",
        "![recall by size](recall_by_size.png)",
        "",
    ]


def _fddb(runs: Mapping[str, Results]) -> list[str]:
    measured = {name: run.values["fddb"] for name, run in runs.items() if "fddb" in run.values}
    if not measured:
        return []
    counts = list(next(iter(measured.values()))["discrete"])
    rows = [
        [name, kind, *(_cell(values, kind, count) for count in counts)]
        for name, values in measured.items()
        for kind in ("discrete", "continuous")
    ]
    head = ["run", "FDDB", *(f"at {count} false positives" for count in counts)]
    return ["## FDDB", "", *_table(head, rows), "", "![FDDB](fddb.png)", ""]


def _settings(runs: Mapping[str, Results]) -> list[str]:
    keys = ("backend", "model", "predictions", "min_face", "scale_factor", "thresholds")
    rows = [
        [name, *(_cell(run.values, "settings", key, show=show_setting) for key in keys)]
        for name, run in runs.items()
    ]
    return ["## Settings", "", *_table(["run", *(key.replace("_", " ") for key in keys)], rows), ""]


def training_page(runs: Mapping[str, History]) -> list[str]:
    """The lines about trainings."""
    rows = []
    for name, history in runs.items():
        for quantity, (epochs, values) in history.items():
            finite = values[np.isfinite(values)]
            row = [name, quantity, f"{epochs[-1]:g}", f"{values[-1]:.5g}"]
            row += [f"{n:.5g}" for n in (finite.min(), finite.max())] if len(finite) else ["-", "-"]
            rows.append(row)
    head = ["run", "quantity", "last epoch", "last", "least", "most"]
    return ["## Trainings", "", *_table(head, rows), "", "![training](training.png)", ""]


def write_report(folders: Sequence[Path], out: Path) -> None:
    """Write report.md and its plots into `out`, which is made if missing.

    Raises
    ------
    FileError
        As `read_runs`, or if a file cannot be written.
    """
    evaluations, trainings = read_runs(folders)
    make_folder(out)
    lines = ["# Report", ""]
    if evaluations:
        evaluation_plots.precision_recall_of_runs(out / "precision_recall.png", evaluations)
        evaluation_plots.recall_by_size(out / "recall_by_size.png", evaluations)
        if any("fddb" in run.values for run in evaluations.values()):
            evaluation_plots.roc(out / "fddb.png", evaluations)
        lines += evaluation_page(evaluations)
    if trainings:
        plot_trainings(out / "training.png", trainings)
        lines += training_page(trainings)
    with atomic_write(out / "report.md") as file:
        file.write(("\n".join(lines).rstrip("\n") + "\n").encode(errors="surrogateescape"))


# ---- the command line ----------------------------------------------------------------------------


def _run(argv: Sequence[str] | None) -> int:
    parser = Parser("report.py", __doc__)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN_DIR", help="a run's folder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="is made if missing")
    args = parser.parse_args(argv)
    write_report(args.runs, args.out)
    print(f"written to {os.fspath(args.out)}/: report.md, plots")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of("report.py", lambda: _run(argv))


if __name__ == "__main__":
    raise SystemExit(main())
