"""Plots as PNG files: figures to draw on, and labels that matplotlib takes as text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pymtcnn.files import atomic_write

_COLUMNS = 4  # panels side by side at most


@contextmanager
def png_figure(path: Path, panels: int = 1, width: float = 6, height: float = 5) -> Iterator:
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


def plain_label(label: str) -> str:
    """A label that stays text: matplotlib takes $ for formulas and hides a leading underscore."""
    return (" " if label.startswith("_") else "") + label.replace("$", r"\$")
