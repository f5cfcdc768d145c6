"""Plots of one or more evaluations and trainings, as PNG files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pymtcnn.files import atomic_write
from train_mtcnn.recall import SIZE_NAMES
from train_mtcnn.results import Results
from train_mtcnn.wider import SETS

_COLUMNS = 4  # panels side by side at most


@contextmanager
def _figure(path: Path, panels: int = 1, width: float = 6, height: float = 5) -> Iterator:
    """Axes, some in a row; what is drawn becomes the PNG file `path` when the block ends well."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    columns = min(panels, _COLUMNS)
    rows = -(-panels // columns)
    figure = pyplot.figure(figsize=(width * columns, height * rows))
    axes = [figure.add_subplot(rows, columns, place) for place in range(1, panels + 1)]
    try:
        yield axes
        for one in axes:
            one.grid(alpha=0.3)
        figure.tight_layout()
        with atomic_write(path) as file:
            figure.savefig(file, format="png", dpi=120)
    finally:
        pyplot.close(figure)


def _text(label: str) -> str:
    """A label that stays text: matplotlib takes $ for formulas and hides a leading underscore."""
    return (" " if label.startswith("_") else "") + label.replace("$", r"\$")


def precision_recall(path: Path, results: Results, title: str) -> None:
    """The curves of one evaluation."""
    with _figure(path) as (axes,):
        for name in SETS:
            recall, precision = results.curves[name]
            axes.plot(recall, precision, label=f"{name}: AP {results.values['ap'][name]:.3f}")
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title=title)
        axes.legend(loc="lower left")


def precision_recall_of_runs(path: Path, runs: Mapping[str, Results]) -> None:
    """The curves of several evaluations, a panel for each set of faces."""
    with _figure(path, len(SETS), width=5) as panels:
        for axes, name in zip(panels, SETS):
            for label, results in runs.items():
                recall, precision = results.curves[name]
                text = f"{_text(label)}: {results.values['ap'][name]:.3f}"
                axes.plot(recall, precision, label=text)
            axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title=name)
            axes.legend(loc="lower left", fontsize="small")


def recall_by_size(path: Path, runs: Mapping[str, Results]) -> None:
    """Share of faces found over their size, a panel for each stage that any of the runs has."""
    stages = list(dict.fromkeys(s for results in runs.values() for s in results.values["stages"]))
    with _figure(path, len(stages), width=5) as panels:
        for axes, stage in zip(panels, stages):
            for label, results in runs.items():
                if stage in results.values["stages"]:
                    shares = results.values["stages"][stage]["recall_by_size"]
                    values = [np.nan if shares[n] is None else shares[n] for n in SIZE_NAMES]
                    axes.plot(range(len(values)), values, marker="o", label=_text(label))
            axes.set_xticks(range(len(SIZE_NAMES)), SIZE_NAMES)
            axes.set(xlabel="face size, pixels", ylabel="recall", ylim=(0, 1.02), title=stage)
            axes.legend(loc="lower right", fontsize="small")


def roc(path: Path, runs: Mapping[str, Results]) -> None:
    """FDDB's curves, discrete and continuous, of the evaluations that have them."""
    with _figure(path, 2) as panels:
        for axes, kind in zip(panels, ("discrete", "continuous")):
            for label, results in runs.items():
                if f"fddb-{kind}" in results.curves:
                    axes.plot(*results.curves[f"fddb-{kind}"], label=_text(label))
            axes.set(
                **{"xlabel": "false positives", "ylabel": "true positive rate", "title": kind},
                **{"xlim": (0, 2000), "ylim": (0, 1.02)},
            )
            axes.legend(loc="lower right", fontsize="small")


def training(path: Path, runs: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> None:
    """What trainings logged over their epochs, a panel for each quantity.

    Parameters
    ----------
    path
        The file to write.
    runs
        Label -> quantity -> [2, K]: epochs and values. `val_x` shares the panel of `x`.
    """
    keys = dict.fromkeys(key for history in runs.values() for key in history)
    panels = [key for key in keys if key.removeprefix("val_") == key or key[4:] not in keys]
    with _figure(path, len(panels), width=4, height=4) as row:
        for axes, panel in zip(row, panels):
            for index, (label, history) in enumerate(runs.items()):
                for key, style in ((panel, "-"), (f"val_{panel}", "--")):
                    if key in history:
                        text = _text(f"{label}: {key}" if f"val_{panel}" in keys else label)
                        axes.plot(*history[key], style, color=f"C{index}", label=text, marker=".")
            axes.set(xlabel="epoch", title=_text(panel))
            axes.legend(fontsize="small")
