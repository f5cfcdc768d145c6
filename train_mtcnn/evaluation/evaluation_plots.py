"""Plots of one or more evaluations, as PNG files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from train_mtcnn.common.plotting import plain_label, png_figure
from train_mtcnn.data.recall import SIZE_NAMES
from train_mtcnn.data.wider import SETS
from train_mtcnn.evaluation.evaluation_results import Results


def precision_recall(path: Path, results: Results, title: str) -> None:
    """The curves of one evaluation."""
    with png_figure(path) as (axes,):
        for name in SETS:
            recall, precision = results.curves[name]
            axes.plot(recall, precision, label=f"{name}: AP {results.values['ap'][name]:.3f}")
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title=title)
        axes.legend(loc="lower left")


def precision_recall_of_runs(path: Path, runs: Mapping[str, Results]) -> None:
    """The curves of several evaluations, a panel for each set of faces."""
    with png_figure(path, len(SETS), width=5) as panels:
        for axes, name in zip(panels, SETS):
            for label, results in runs.items():
                recall, precision = results.curves[name]
                text = f"{plain_label(label)}: {results.values['ap'][name]:.3f}"
                axes.plot(recall, precision, label=text)
            axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title=name)
            axes.legend(loc="lower left", fontsize="small")


def recall_by_size(path: Path, runs: Mapping[str, Results]) -> None:
    """Share of faces found over their size, a panel for each stage that any of the runs has."""
    stages = list(dict.fromkeys(s for results in runs.values() for s in results.values["stages"]))
    with png_figure(path, len(stages), width=5) as panels:
        for axes, stage in zip(panels, stages):
            for label, results in runs.items():
                if stage in results.values["stages"]:
                    shares = results.values["stages"][stage]["recall_by_size"]
                    values = [np.nan if shares[n] is None else shares[n] for n in SIZE_NAMES]
                    axes.plot(range(len(values)), values, marker="o", label=plain_label(label))
            axes.set_xticks(range(len(SIZE_NAMES)), SIZE_NAMES)
            axes.set(xlabel="face size, pixels", ylabel="recall", ylim=(0, 1.02), title=stage)
            axes.legend(loc="lower right", fontsize="small")


def roc(path: Path, runs: Mapping[str, Results]) -> None:
    """FDDB's curves, discrete and continuous, of the evaluations that have them."""
    with png_figure(path, 2) as panels:
        for axes, kind in zip(panels, ("discrete", "continuous")):
            for label, results in runs.items():
                if f"fddb-{kind}" in results.curves:
                    axes.plot(*results.curves[f"fddb-{kind}"], label=plain_label(label))
            axes.set(
                **{"xlabel": "false positives", "ylabel": "true positive rate", "title": kind},
                **{"xlim": (0, 2000), "ylim": (0, 1.02)},
            )
            axes.legend(loc="lower right", fontsize="small")
