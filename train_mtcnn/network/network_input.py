"""What a network is fed: the form of its input, and a network made to take another form.

A change of form is linear in each pixel, so the first convolution does it: with x = s * y + t,
W * x + b = (s W) * y + (b + t sum(W)). With padding this would be wrong at the border, where the
padding is 0 whatever the form: then a convolution of 1x1 before it does the change instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pymtcnn.errors import ModelError
from train_mtcnn.network.rewrite import copied, renumbered
from train_mtcnn.network.weighted_sections import WeightedSection, layers_of, pointwise


class Input(NamedTuple):
    """The form of a network's input, as a `.data` file has it.

    Attributes
    ----------
    mean, norm
        Input = (v - mean) * norm, v in 0..255.
    color
        Channel order, "RGB" or "BGR".
    """

    mean: float
    norm: float
    color: str


TRAINED = Input(127.5, 1 / 128, "RGB")  # train.py's, and so that of a checkpoint that names none
STOCK = Input(0.0, 1 / 255, "RGB")  # what Darknet's programs feed
STOCK_NOTE = "For stock Darknet and OpenCV 4. Input: RGB, 0..1 (v / 255)."  # of the cfg


def checked_input(mean: float, norm: float, color: str) -> Input:
    """An Input of values that were read somewhere. Raises ValueError."""
    try:
        fed = Input(float(mean), float(norm), color)
    except OverflowError as error:
        raise ValueError(str(error)) from error
    if not (math.isfinite(fed.mean) and math.isfinite(fed.norm) and fed.norm):
        raise ValueError("expected finite numbers, and a norm other than 0")
    if color not in ("RGB", "BGR"):
        raise ValueError("expected a color of RGB or BGR")
    return fed


def refit(
    parts: Sequence[WeightedSection], old: Input, new: Input, path: str
) -> list[WeightedSection]:
    """Make a network take another form of input; its output stays the same.

    Parameters
    ----------
    parts
        The network; it stays as it is.
    old
        What it takes.
    new
        What it is to take.
    path
        Name of its cfg in messages.

    Returns
    -------
    The same parts where nothing changes. Else the first convolution is another one or, where it
    has padding or groups or is no convolution, one of 1x1 stands before it.

    Raises
    ------
    ModelError
        If the order of colours changes and the network does not take three channels.
    """
    if old == new:
        return list(parts)
    net = WeightedSection(copied(parts[0].section))
    net.section.comments = [line for line in net.section.comments if line != STOCK_NOTE]
    channels = int(net.section.options["channels"])
    matrix = np.eye(channels) * (old.norm / new.norm)  # old = matrix @ new + shift
    if old.color != new.color:
        if channels != 3:
            raise ModelError(f"{path}: takes {channels} channels, which are not {old.color}")
        matrix = matrix[::-1]
    shift = (new.mean - old.mean) * old.norm
    layers = layers_of(parts, path)
    options = layers[0].options
    if layers[0].type == "convolutional" and options["groups"] == 1 and options["padding"] == 0:
        return [net, _absorbed(parts[1], matrix, shift), *parts[2:]]
    moved = range(1, len(layers) + 1)
    rest = [
        WeightedSection(renumbered(layer, part.section, moved, index + 1), part.tensors)
        for index, (layer, part) in enumerate(zip(layers, parts[1:], strict=True))
    ]
    front = {"biases": np.full(channels, shift), "weights": matrix[:, :, None, None]}
    return [net, WeightedSection(pointwise(channels), front), *rest]


def _absorbed(part: WeightedSection, matrix: np.ndarray, shift: float) -> WeightedSection:
    """A convolution that takes y where it took x = matrix @ y + shift."""
    weights = part.tensors["weights"]
    change = shift * weights.sum((1, 2, 3))
    new = dict(part.tensors, weights=np.einsum("oihw,ij->ojhw", weights, matrix))
    if "means" in new:  # its biases come after the normalisation
        new["means"] = new["means"] - change
    else:
        new["biases"] = new["biases"] + change
    return WeightedSection(part.section, new)
