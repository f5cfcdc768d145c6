"""What the stages of a cascade see and propose, drawn over a picture with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pymtcnn.results import Detections, Stage
from train_mtcnn.cascade.torch_detector import HeatMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLES = {"pnet": "PNet", "rnet": "RNet", "onet": "ONet"}

_SCORES = "cool"  # cyan is 0, magenta is 1: both stand out against grey
_PROBABILITIES = "inferno"
_LABELLED = 10  # with more boxes than that, the colours alone show the scores
_PANEL = 4.5  # inches, the longer side of a panel; one that is alone has twice that


def show_picture(axes: Axes, rgb: NDArray[np.uint8]) -> None:
    """A picture [H, W, 3], grey and pale, so that what is drawn over it stands out.

    Axes are in the project's coordinates: pixel (0, 0) covers the square from (0, 0) to (1, 1).
    """
    height, width = rgb.shape[:2]
    grey = rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    axes.imshow(grey, cmap="gray", vmin=-120, vmax=255, extent=(0, width, height, 0))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()


def draw_boxes(axes: Axes, boxes: NDArray, scores: NDArray, width: float = 1.2) -> None:
    """Boxes [N, 4] in the colour of their scores [N], the best on top; a few have labels, too."""
    from matplotlib import colormaps
    from matplotlib.collections import PolyCollection

    order = np.argsort(scores, kind="stable")
    corners = boxes[order][:, [[0, 1], [2, 1], [2, 3], [0, 3]]]  # [N, 4, 2]
    colors = colormaps[_SCORES](scores[order])
    axes.add_collection(
        PolyCollection(list(corners), facecolors="none", edgecolors=colors, linewidths=width)
    )
    if len(boxes) > _LABELLED:
        return
    for (x1, y1, _, _), score, color in zip(boxes[order], scores[order], colors, strict=True):
        style = {"facecolor": color, "edgecolor": "none", "pad": 1}
        axes.text(x1, y1, f"{score:.2f}", size=8, va="bottom", bbox=style, clip_on=True)


def draw_heat_map(axes: Axes, heat_map: HeatMap, size: tuple[int, int]) -> None:
    """PNet's probabilities over a picture of `size`, height and width: black is 0, yellow is 1.

    Each is drawn in the middle of its cell, as large as a step of the grid.
    """
    height, width = size
    (cell, step), level = heat_map.grid, heat_map.level
    y, x = height / level.height, width / level.width
    rows, columns = heat_map.probabilities.shape
    start = (cell - step) / 2 - level.margin
    left, right, top, bottom = start, start + step * columns, start, start + step * rows
    axes.imshow(
        heat_map.probabilities,
        cmap=_PROBABILITIES,
        vmin=0,
        vmax=1,
        alpha=0.7,
        interpolation="nearest",
        extent=(left * x, right * x, bottom * y, top * y),
    )
    axes.set(xlim=(0, width), ylim=(height, 0))


def face_side(heat_map: HeatMap, size: tuple[int, int]) -> float:
    """Side of the faces that fill a cell, in pixels of a picture of `size`, height and width."""
    return heat_map.grid.cell * min(size) / min(heat_map.level[:2])


def heat_map_title(heat_map: HeatMap, size: tuple[int, int]) -> str:
    """A level's size, and the faces that PNet finds there in a picture of `size`."""
    side = face_side(heat_map, size)
    level = heat_map.level
    return f"{level.width}x{level.height}: faces of {side:.0f} pixels"


def stage_title(stage: Stage) -> str:
    """What a stage was given and what it hands on."""
    of = "cells" if stage.name == "pnet" else "crops"
    count = f"{len(stage):,} {'box' if len(stage) == 1 else 'boxes'}"
    return f"{TITLES[stage.name]}: {count} of {stage.inputs:,} {of}"


def draw_stage(axes: Axes, rgb: NDArray[np.uint8], faces: Detections, name: str) -> None:
    """The boxes that the stage `name` hands on; for ONet the landmarks, too."""
    stage = next(stage for stage in faces.stages if stage.name == name)
    show_picture(axes, rgb)
    draw_boxes(axes, stage.boxes, stage.scores)
    if name == "onet":
        axes.plot(*faces.landmarks.reshape(-1, 2).T, ".", color="yellow", markersize=5)
    axes.set_title(stage_title(stage), size=10)


def panels(figure: Figure, count: int, size: tuple[int, int], columns: int) -> list[Axes]:
    """Axes for `count` pictures of `size`, height and width, some in a row; sizes the figure."""
    height, width = size
    columns = min(count, columns)
    rows = -(-count // columns)
    scale = _PANEL * (2 if count == 1 else 1) / max(height, width)
    figure.set_layout_engine("constrained")
    figure.set_size_inches(
        max(width * scale, _PANEL / 2) * columns, (max(height * scale, 0.5) + 0.4) * rows
    )
    return [figure.add_subplot(rows, columns, place) for place in range(1, count + 1)]


def add_scale(figure: Figure, axes: Sequence[Axes], what: str = "score") -> None:
    """What the colours of boxes, or of heat maps (`what` is "probability"), mean."""
    from matplotlib.cm import ScalarMappable

    colors = {"score": _SCORES, "probability": _PROBABILITIES}[what]
    figure.colorbar(ScalarMappable(cmap=colors), ax=axes, label=what, shrink=0.6, aspect=30)
