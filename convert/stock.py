"""A network for stock Darknet: no batch normalisation, no [prelu], its input as Darknet feeds it.

Darknet has no PReLU, but prelu(x) = relu(x) - a relu(-x): a convolution of 1x1 with relu takes x
and -x, a linear one puts them together. That holds for any slope a, whatever comes next.

Before a pooling there are four times as many pixels, so both are done after it:

- a >= 0: prelu rises, so the PReLU of the maximum is the maximum of the PReLU;
- a < 0: prelu(x) = max(x, a x), and the maximum of maxima is the maximum of all, so x and a x are
  pooled, to p and q; then max(p, q) = q + relu(p - q).

docs/darknet.md has the proofs.
"""

from __future__ import annotations

import numpy as np

from train_mtcnn.network.darknet import Section
from train_mtcnn.network.layers import Layer
from train_mtcnn.network.network_input import STOCK, STOCK_NOTE, Input, refit
from train_mtcnn.network.networks import Network
from train_mtcnn.network.rewrite import copied, renumbered
from train_mtcnn.network.weighted_sections import (
    WeightedSection,
    check_finite,
    layers_of,
    network_of,
    pointwise,
    sections_of,
)


def to_stock(network: Network, fed: Input) -> Network:
    """Rewrite a network so that stock Darknet computes the same.

    Parameters
    ----------
    network
        It stays as it is.
    fed
        What it takes; the result takes STOCK.

    Raises
    ------
    ModelError
        If its input cannot become Darknet's.
    WeightsError
        If a weight or slope is not finite, or beyond float32 once folded.
    """
    path = network.cfg.path
    parts = without_prelu(sections_of(network, fold=True), path)
    parts = refit(parts, fed, STOCK, path)
    for layer, part in zip(layers_of(parts, path), parts[1:], strict=True):
        _spell_out(layer, part.section)
    net = parts[0].section
    if STOCK_NOTE not in net.comments:
        net.comments.append(STOCK_NOTE)
    return network_of(parts, path)


def without_prelu(parts: list[WeightedSection], path: str) -> list[WeightedSection]:
    """Rewrite each `[prelu]` as convolutions of 1x1; the output stays the same.

    Parameters
    ----------
    parts
        A network; it stays as it is.
    path
        Name of its cfg in messages.

    Raises
    ------
    WeightsError
        If a slope is not finite; names layer and channel.
    """
    layers = layers_of(parts, path)
    new = parts[:1]
    moved: list[int] = []  # old layer -> new layer with the same output
    waiting = None  # slopes that the next layer, a pooling, is done before
    for index, (layer, part) in enumerate(zip(layers, parts[1:], strict=True)):
        if layer.type == "prelu":
            slopes = np.broadcast_to(part.tensors["slopes"], layer.shape.channels)
            check_finite(slopes, f"{path}: layer {index} ([prelu]), slopes")
            if _pooled_first(layers, index, slopes):
                waiting = slopes
                if (slopes < 0).any():
                    new[-1] = _with_scaled(new[-1], slopes)
            else:
                new += _prelu(slopes, np.zeros(len(slopes), bool))
        else:
            section = renumbered(layer, part.section, moved, len(new) - 1)
            new.append(WeightedSection(section, part.tensors))
            if waiting is not None:
                new += _prelu(waiting, waiting < 0)
                waiting = None
        moved.append(len(new) - 2)
    return new


def _pooled_first(layers: list[Layer], index: int, slopes: np.ndarray) -> bool:
    """Whether a `[prelu]` can be done after the pooling that follows it."""
    readers = [source for layer in layers for source in layer.inputs]
    pool = layers[index + 1] if index + 1 < len(layers) else None
    if pool is None or pool.type != "maxpool" or readers.count(index) != 1:
        return False
    if (pool.options["padding"] + 1) // 2 >= pool.options["size"]:
        return False  # windows of padding alone
    if (slopes >= 0).all():
        return True
    before = layers[index - 1] if index else None  # it has to make a x, too
    return (
        before is not None
        and before.type == "convolutional"
        and before.options["activation"] == "linear"
        and before.options["groups"] == 1
        and readers.count(index - 1) == 1
    )


def _with_scaled(part: WeightedSection, slopes: np.ndarray) -> WeightedSection:
    """A convolution that makes x and, behind all of it, a x for each slope a below 0."""
    scaled = np.flatnonzero(slopes < 0)
    tensors = {}
    for name, array in part.tensors.items():
        factors = slopes[scaled].reshape(-1, *[1] * (array.ndim - 1))
        tensors[name] = np.concatenate([array, array[scaled] * factors])
    section = copied(part.section)
    section.options["filters"] = str(len(slopes) + len(scaled))
    return WeightedSection(section, tensors)


def _prelu(slopes: np.ndarray, paired: np.ndarray) -> list[WeightedSection]:
    """PReLU as two convolutions of 1x1.

    Parameters
    ----------
    slopes : [C]
        One a channel.
    paired : [C] bool
        Channels that come as p and q, the maxima of x and a x, q behind all p: for these the result
        is max(p, q) = relu(p - q) + relu(q) - relu(-q).

    Returns
    -------
    [C + paired] -> [2 C + paired] with relu -> [C].
    """
    channels = len(slopes)
    unit = np.eye(channels + paired.sum())
    split, joined = [], []  # rows of the first, columns of the second
    behind = channels
    for channel, slope in enumerate(slopes):
        p, result = unit[channel], np.eye(channels)[channel]
        if paired[channel]:
            q = unit[behind]
            behind += 1
            split += [p - q, q, -q]
            joined += [result, result, -result]
        else:
            split += [p, -p]
            joined += [result, -slope * result]
    return [
        _pointwise(np.stack(split), "relu", "PReLU: the two sides of each channel"),
        _pointwise(np.stack(joined, 1), "linear", "and their sum"),
    ]


def _pointwise(matrix: np.ndarray, activation: str, comment: str) -> WeightedSection:
    """The convolution of 1x1 that multiplies by a matrix [outputs, inputs]."""
    weights = matrix[:, :, None, None] + 0.0  # no -0
    tensors = {"biases": np.zeros(len(matrix)), "weights": weights}
    section = pointwise(len(matrix), activation)
    section.comments = [comment]
    return WeightedSection(section, tensors)


# Options whose defaults differ between readers.
_SPELLED_OUT = {"convolutional": ("size", "stride"), "maxpool": ("size", "stride", "padding")}


def _spell_out(layer: Layer, section: Section) -> None:
    for option in _SPELLED_OUT.get(layer.type, ()):
        section.options.setdefault(option, str(layer.options[option]))
    if layer.type == "convolutional":
        section.options.setdefault("pad", "0")  # `padding` counts, if it is there
