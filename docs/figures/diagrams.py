"""Figures without a picture: networks, activations, overlaps."""

from __future__ import annotations

from math import log2

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from train_mtcnn.cascade.boxes import iom, iou
from train_mtcnn.cascade.stage_plots import TITLES
from train_mtcnn.network.darknet import DARKNET_CFG, NETWORKS, read_cfg
from train_mtcnn.network.layers import Layer, Shape, count_weights, input_shape, read_layers

# ---- the networks, as their cfgs have them -------------------------------------------------------

_HEADS = {1: "face: 1", 4: "box: 4", 10: "points: 10"}  # channels -> what they are
_ARROW = {"arrowstyle": "->"}
_GAP = 1.15  # between two blocks, for the arrow
_TEXT = 1.9  # width of a head's text
_FACE, _TOP, _SIDE = "#cfe3f5", "#e4f0fa", "#a9c9e6"


def _chain(layers: list[Layer]) -> tuple[list[Layer], list[Layer]]:
    """The layers from the input to where the heads begin, and the heads."""
    heads = [layers[index] for index in layers[-1].inputs]
    index, chain = heads[0].inputs[0], []
    while index >= 0:
        if layers[index].type != "route":
            chain.insert(0, layers[index])
        index = layers[index].inputs[0]
    return chain, heads


def _operation(layer: Layer) -> str:
    """A layer in a few words, for above an arrow."""
    options = layer.options
    if layer.type == "maxpool":
        return f"max {options['size']}x{options['size']}\nstep {options['stride']}"
    size = options["size"]
    return f"conv {size}x{size}\n{options['activation']}"


def _block(axes: Axes, x: float, y: float, shape: Shape) -> float:
    """A tensor as a block, its front the pixels and its depth the channels; returns its width."""
    side, depth = 0.25 + shape.height / 30, log2(shape.channels + 1) / 16
    low, high = y - side / 2, y + side / 2
    right, back = x + side, x + side + depth
    axes.add_patch(Rectangle((x, low), side, side, facecolor=_FACE, edgecolor="black", lw=0.6))
    top = [(x, high), (x + depth, high + depth), (back, high + depth), (right, high)]
    flank = [(right, high), (back, high + depth), (back, low + depth), (right, low)]
    for corners, color in ((top, _TOP), (flank, _SIDE)):
        axes.add_patch(Polygon(corners, facecolor=color, edgecolor="black", lw=0.6))
    label = f"{shape.width}x{shape.height}\nx{shape.channels}"
    axes.text(x + side / 2, low - 0.12, label, ha="center", va="top", size=7)
    return side + depth


def _network(axes: Axes, name: str, y: float) -> float:
    """Draws a network from left to right at the height y; returns where it ends."""
    cfg = read_cfg(DARKNET_CFG / f"{name}.cfg")
    layers = read_layers(cfg)
    chain, heads = _chain(layers)
    shape = input_shape(cfg)
    title = f"{TITLES[name]}, {count_weights(layers):,} weights"
    axes.text(0, y + 0.5 + shape.height / 60, title, size=10, weight="bold")
    x = _block(axes, 0, y, shape)
    for layer in chain:
        end = x + _GAP
        axes.annotate("", (end - 0.05, y), (x + 0.1, y), arrowprops=_ARROW)
        axes.text((x + end) / 2, y + 0.1, _operation(layer), ha="center", va="bottom", size=7)
        x = end + _block(axes, end, y, layer.shape)
    for place, head in enumerate(heads):
        to = y + 0.45 * ((len(heads) - 1) / 2 - place)
        axes.annotate("", (x + _GAP - 0.05, to), (x + 0.1, y), arrowprops=_ARROW)
        text = f"{_HEADS[head.shape.channels]} ({head.options['activation']})"
        axes.text(x + _GAP, to, text, va="center", size=8)
    return x + _GAP + _TEXT


def networks() -> Figure:
    """The layers of the three networks with the shapes that they make."""
    figure = Figure(figsize=(10.5, 4.4))
    axes = figure.add_axes((0, 0, 1, 1))
    end = max(_network(axes, name, y) for name, y in zip(NETWORKS, (5, 2.8, 0), strict=True))
    axes.set(xlim=(-0.1, end), ylim=(-1.6, 5.9), aspect="equal")
    axes.set_axis_off()
    return figure


# ---- activations ---------------------------------------------------------------------------------

# Slopes of the ten channels of PNet's first layer in the paper's published weights, rounded.
_SLOPES = (-0.63, -0.21, 1.01, 0.44, -1.03, 0.32, -0.3, 0.25, -0.88, -1.28)


def activations() -> Figure:
    """PReLU of published weights beside the default model's leaky."""
    figure = Figure(figsize=(9.4, 3.2), layout="constrained")
    leaky, prelu = figure.subplots(1, 2, sharey=True)
    x = np.array([-3.0, 0, 3])
    leaky.plot(x, np.where(x < 0, 0.1 * x, x), color="C0", lw=2)
    leaky.set_title("leaky: 0.1 x below 0, in all channels")
    for slope in _SLOPES:
        prelu.plot(x, np.where(x < 0, slope * x, x), color="C1", lw=1.2)
        y = -3 * slope
        prelu.annotate(f"{slope:g}", (-3, y), (-3.12, y), ha="right", va="center", size=7)
    prelu.set_title("PReLU: a learned slope for each channel")
    for axes in (leaky, prelu):
        axes.axhline(0, color="grey", lw=0.5)
        axes.axvline(0, color="grey", lw=0.5)
        axes.set(xlabel="x", xlim=(-3.7, 3), ylim=(-3.3, 4))
    leaky.set_ylabel("activation")
    return figure


# ---- overlaps ------------------------------------------------------------------------------------

_PAIRS = {
    "side by side": ((0, 0, 10, 10), (4, 2, 14, 12)),
    "one inside the other": ((0, 0, 14, 12), (4, 3, 10, 9)),
}


def overlaps() -> Figure:
    """Intersection over union and over the smaller box, for two pairs of boxes."""
    figure = Figure(figsize=(9.4, 2.9), layout="constrained")
    for axes, (name, pair) in zip(figure.subplots(1, 2), _PAIRS.items(), strict=True):
        first, second = (np.array(box, np.float32) for box in pair)
        for box in (first, second):
            corner, (width, height) = box[:2], box[2:] - box[:2]
            axes.add_patch(Rectangle(corner, width, height, facecolor=_FACE, edgecolor="none"))
        start, end = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
        axes.add_patch(Rectangle(start, *(end - start), facecolor="C1", edgecolor="none"))
        for box in (first, second):
            corner, (width, height) = box[:2], box[2:] - box[:2]
            axes.add_patch(Rectangle(corner, width, height, fill=False, lw=1.5))
        union, smaller = (float(of(first, second[None])[0]) for of in (iou, iom))
        text = f"over the union: {union:.2f}\nover the smaller box: {smaller:.2f}"
        axes.text(16, 6, text, va="center", size=10)
        axes.set(xlim=(-1, 30), ylim=(13, -1), aspect="equal", title=name)
        axes.set_axis_off()
    return figure
