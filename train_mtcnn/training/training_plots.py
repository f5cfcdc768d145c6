"""Plots of trainings, as PNG files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train_mtcnn.common.plotting import plain_label, png_figure


def plot_trainings(path: Path, runs: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> None:
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
    with png_figure(path, len(panels), width=4, height=4) as row:
        for axes, panel in zip(row, panels):
            for index, (label, history) in enumerate(runs.items()):
                for key, style in ((panel, "-"), (f"val_{panel}", "--")):
                    if key in history:
                        text = plain_label(f"{label}: {key}" if f"val_{panel}" in keys else label)
                        axes.plot(*history[key], style, color=f"C{index}", label=text, marker=".")
            axes.set(xlabel="epoch", title=plain_label(panel))
            axes.legend(fontsize="small")
