"""The history of a training: one JSON object an epoch, and its curves."""

from __future__ import annotations

import json
from pathlib import Path

from pymtcnn.errors import FileError
from pymtcnn.files import atomic_write
from train_mtcnn.files import read_bytes


def read_history(path: Path) -> list[dict]:
    """The epochs in history.jsonl; [] where there is none. Raises FileError for a damaged one."""
    if not path.exists():
        return []
    try:
        rows = [json.loads(line) for line in read_bytes(path).decode().splitlines() if line.strip()]
        assert all(isinstance(row, dict) and "epoch" in row for row in rows)
    except (ValueError, AssertionError) as error:
        raise FileError(f"{path}: not a training's history: {error}; remove it") from error
    return rows


def plot_history(path: Path, rows: list[dict], title: str) -> None:
    """Draw each quantity over the epochs, training and validation together, into a PNG file."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = list(dict.fromkeys(key.removeprefix("val_") for row in rows for key in row))
    names = [name for name in names if name not in ("epoch", "step", "samples_per_second")]
    columns = min(4, max(1, len(names)))
    lines = -(-len(names) // columns)
    figure, axes = pyplot.subplots(
        max(1, lines), columns, figsize=(3.6 * columns, 2.8 * max(1, lines)), squeeze=False
    )
    for axis in axes.flat[len(names) :]:
        axis.remove()
    for name, axis in zip(names, axes.flat):
        for key, style in ((name, "-"), (f"val_{name}", "--")):
            points = [(row["epoch"], row[key]) for row in rows if key in row]
            if points:
                label = "validation" if key.startswith("val_") else "training"
                axis.plot(*zip(*points), style, label=label)
        axis.set_title(name.replace("_", " "), fontsize=10)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7)
    figure.suptitle(title)
    figure.tight_layout()
    with atomic_write(path) as file:
        figure.savefig(file, format="png", dpi=110)
    pyplot.close(figure)
