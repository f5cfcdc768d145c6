"""Figures of the default model at work on the bundled pictures."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from pymtcnn.pictures import read_picture
from train_mtcnn.cascade.boxes import Boxes, nms
from train_mtcnn.cascade.stage_plots import (
    add_scale,
    draw_boxes,
    draw_heat_map,
    draw_stage,
    face_side,
    show_picture,
)
from train_mtcnn.cascade.torch_detector import HeatMap, TorchDetector

_PICTURES = Path(__file__).resolve().parents[2] / "tests" / "data"
_CELL = "#00d0ff"


@cache
def _detector() -> TorchDetector:
    return TorchDetector()


def _picture(name: str) -> NDArray[np.uint8]:
    return read_picture(_PICTURES / f"{name}.jpg")


def _level(rgb: NDArray[np.uint8], heat_map: HeatMap) -> NDArray[np.uint8]:
    """The picture as large as a level."""
    size = heat_map.level.width, heat_map.level.height
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)


def _cells(heat_map: HeatMap, size: tuple[int, int], threshold: float) -> tuple[Boxes, NDArray]:
    """Boxes and scores of a level's cells, in a picture of `size`: step 3 of the cascade."""
    rows, columns = np.nonzero(heat_map.probabilities >= threshold)
    boxes = heat_map.grid.boxes(rows, columns, heat_map.level, size)
    return boxes, heat_map.probabilities[rows, columns]


def _hottest(maps: list[HeatMap]) -> HeatMap:
    """The level with most cells above 0.9: there the face fills a cell."""
    return max(maps, key=lambda one: (one.probabilities > 0.9).sum())


# ---- the figures ---------------------------------------------------------------------------------


def pyramid() -> Figure:
    """Levels of grace_hopper.jpg in their true proportions, each with one cell."""
    rgb = _picture("grace_hopper")
    maps = _detector().heat_maps(rgb)[1:9]
    gap, x = 8, 0
    figure = Figure(figsize=(9.4, 3.6))
    axes = figure.add_axes((0, 0, 1, 1))
    bottom = maps[0].level.height
    for one in maps:
        level, cell = one.level, one.grid.cell
        grey = cv2.cvtColor(_level(rgb, one), cv2.COLOR_RGB2GRAY)
        extent = (x, x + level.width, bottom, bottom - level.height)
        axes.imshow(grey, cmap="gray", vmin=-60, vmax=255, extent=extent)
        cell_x, cell_y = x + 0.51 * level.width, bottom - 0.62 * level.height  # the face's middle
        corner = cell_x - cell / 2, cell_y - cell / 2
        square = Rectangle(corner, cell, cell, fill=False, edgecolor=_CELL, linewidth=1.5)
        axes.add_patch(square)
        label = f"{level.width}x{level.height}\n{face_side(one, rgb.shape[:2]):.0f} px"
        axes.text(x + level.width / 2, bottom + 4, label, ha="center", va="top", size=7)
        x += level.width + gap
    axes.set(xlim=(-2, x), ylim=(bottom + 28, -2), aspect="equal")
    axes.set_axis_off()
    return figure


def heat_map() -> Figure:
    """One level with PNet's grid; the probabilities of its cells; the boxes that they make."""
    rgb = _picture("grace_hopper")
    size = rgb.shape[:2]
    hottest = _hottest(_detector().heat_maps(rgb))
    (side, stride), (height, width, margin) = hottest.grid, hottest.level
    figure = Figure(figsize=(9.4, 3.9), layout="constrained")
    level, heat, found = figure.subplots(1, 3)

    show_picture(level, _level(rgb, hottest))
    rows, columns = hottest.probabilities.shape
    y, x = np.mgrid[:rows, :columns] * stride + side / 2 - margin
    level.plot(x.ravel(), y.ravel(), ".", color=_CELL, markersize=4)
    row, column = np.unravel_index(hottest.probabilities.argmax(), (rows, columns))
    corner = column * stride - margin, row * stride - margin
    cell = Rectangle(corner, side, side, fill=False, edgecolor="red", lw=2)
    level.add_patch(cell)
    level.set_title(f"level of {width}x{height} pixels,\n{columns}x{rows} cells")

    show_picture(heat, rgb)
    draw_heat_map(heat, hottest, size)
    heat.set_title(f"probability of a face\nof {side * size[0] / height:.0f} pixels")
    add_scale(figure, [heat], "probability")

    threshold = _detector().options.thresholds[0]
    boxes, scores = _cells(hottest, size, threshold)
    show_picture(found, rgb)
    draw_boxes(found, boxes, scores)
    found.set_title(f"{len(boxes)} cells of {threshold:g} and more,\nas boxes")
    add_scale(figure, [found])
    return figure


def suppression() -> Figure:
    """A level's boxes before and after non-maximum suppression."""
    rgb = _picture("astronaut")[:300, 60:400]
    size = rgb.shape[:2]
    detector = _detector()
    level = _hottest(detector.heat_maps(rgb))
    limit = detector.options.nms[0]
    boxes, scores = _cells(level, size, detector.options.thresholds[0])
    kept = nms(boxes, scores, limit)
    figure = Figure(figsize=(9.4, 3.9), layout="constrained")
    before, after = figure.subplots(1, 2)
    for axes, some, title in (
        (before, np.arange(len(boxes)), "before"),
        (after, kept, f"after: no two overlap by more than {limit:g}"),
    ):
        show_picture(axes, rgb)
        draw_boxes(axes, boxes[some], scores[some])
        axes.set_title(f"{title}: {len(some)} boxes")
    add_scale(figure, [before, after])
    return figure


def stages() -> Figure:
    """The boxes that each network hands on."""
    rgb = _picture("astronaut")
    faces = _detector().detect(rgb)
    figure = Figure(figsize=(9.4, 3.3), layout="constrained")
    panels = figure.subplots(1, 3)
    for axes, name in zip(panels, ("pnet", "rnet", "onet"), strict=True):
        draw_stage(axes, rgb, faces, name)
    add_scale(figure, list(panels))
    return figure
