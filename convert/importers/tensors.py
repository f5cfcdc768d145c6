"""Tensors of a published network to the values of our `.weights` file: what the readers share.

A layer's tensors are a dict: "weights" and "biases" of a convolution or a dense layer, "slopes" of
a PReLU; float64, so that sums are rounded once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import torch

from pymtcnn.errors import ModelError
from train_mtcnn.network.checkpoint import is_plain, load_tensors, state_dict_of
from train_mtcnn.network.darknet import Cfg
from train_mtcnn.network.layers import Layer
from train_mtcnn.network.rewrite import with_prelu
from train_mtcnn.network.weighted_sections import check_finite

Tensors = dict[str, np.ndarray]
Unflatten = Callable[[np.ndarray, Any], np.ndarray]


class Published(NamedTuple):
    """A published model.

    Attributes
    ----------
    values
        Network's name -> [weights_count] float32, as in its `.weights` file.
    settings
        The keys of the `.data` file that are the model's own: thresholds, mean, norm, color.
    """

    values: dict[str, np.ndarray]
    settings: dict[str, Any]


# The paper's networks: their settings in a `.data` file.
PAPER = {"thresholds": (0.6, 0.7, 0.7), "mean": 127.5, "norm": 0.0078125, "color": "RGB"}


def with_slopes(cfgs: dict[str, Cfg], source: object = None) -> dict[str, Cfg]:
    """Our networks as the paper's, whatever their source: one PReLU slope a channel."""
    return {name: with_prelu(cfg) for name, cfg in cfgs.items()}


def check_names(file: str, what: str, expected: Iterable[str], found: Iterable[str]) -> None:
    """Raise ModelError if the names in `file` are not those of `what`."""
    wanted, there = set(expected), set(found)
    missing, unknown = sorted(wanted - there), sorted(there - wanted)
    if missing or unknown:
        raise ModelError(f"{file}: not {what}: missing {missing}, unknown {unknown}")


def pair(file: str, name: str, layers: list[Layer], names: list[str]) -> dict[str, Layer]:
    """Their names -> our layers, of those with weights, in file order.

    Parameters
    ----------
    file, name
        The published file and the network, "pnet", "rnet" or "onet", for messages.
    layers
        The network that is to be written.
    names
        Their layers in the order of those of `layers` that have weights; the heads come last:
        probability, box offsets, landmarks.

    Raises
    ------
    ModelError
        If darknet_cfg/ has been changed to what they do not fit.
    """
    ours = [layer for layer in layers if layer.tensors]
    if any("scales" in layer.tensors for layer in ours):
        raise ModelError(f"{file}: has no batch normalisation, darknet_cfg/{name}.cfg has some")
    if len(ours) != len(names):
        raise ModelError(
            f"{file}: has {len(names)} layers with weights, darknet_cfg/{name}.cfg {len(ours)}"
        )
    return dict(zip(names, ours, strict=True))


def load_state(content: bytes, file: str) -> dict:
    """The state dict in a file of PyTorch, by itself or in a checkpoint.

    Raises FileError, as load_tensors does; no code of the file is run.
    """
    return state_dict_of(load_tensors(content, file))[0]


def state_array(file: str, key: str, value: object) -> np.ndarray:
    """A tensor of a state dict as float64. Raises ModelError if it is none of real numbers."""
    tensor = value if isinstance(value, torch.Tensor) and is_plain(value) else torch.zeros(())
    if not tensor.is_floating_point() or not tensor.ndim:
        raise ModelError(f"{file}: {key} is no tensor of floating-point numbers")
    return tensor.detach().double().numpy()


_KEYS = {"weights": "weight", "biases": "bias", "slopes": "weight"}  # part -> PyTorch's name


def read_state(
    content: bytes, file: str, what: str, pairs: dict[str, Layer], left_out: tuple[str, ...] = ()
) -> dict[str, Tensors]:
    """Read a state dict of PyTorch; no code of the file is run.

    Parameters
    ----------
    content
        The whole file.
    file, what
        Its name and the network that it should hold, for messages.
    pairs
        Their names -> our layers.
    left_out
        Further tensors that the file may have and that are not read.

    Returns
    -------
    Layer's name -> its tensors, in the order of `pairs`.

    Raises
    ------
    FileError
        If the file is not PyTorch's, or holds more than tensors and plain values.
    ModelError
        If it holds other layers, or something else than floating-point tensors.
    """
    state = load_state(content, file)
    keys = {
        name: {part: f"{name}.{_KEYS[part]}" for part in layer.tensors}
        for name, layer in pairs.items()
    }
    expected = [key for parts in keys.values() for key in parts.values()]
    check_names(file, what, expected, [str(key) for key in state if key not in left_out])
    return {
        name: {part: state_array(file, key, state[key]) for part, key in parts.items()}
        for name, parts in keys.items()
    }


def logistic(tensors: Tensors) -> Tensors:
    """A head of the two classes other and face, before a softmax, as one before a logistic.

    Exact: exp(f) / (exp(o) + exp(f)) = 1 / (1 + exp(-(f - o))).
    """
    return {part: values[1:] - values[:1] for part, values in tensors.items()}


def interleaved(tensors: Tensors) -> Tensors:
    """A head of the landmarks x1..x5, y1..y5 as x1, y1, x2, y2, ..."""
    order = np.arange(10).reshape(2, 5).T.ravel()  # 0, 5, 1, 6, ...
    return {
        part: values[order] if len(values) == len(order) else values
        for part, values in tensors.items()
    }


def unflatten_xyc(weights: np.ndarray, shape: tuple[int, int, int, int]) -> np.ndarray:
    """A dense layer's weights, flattened in the order x, y, channel, as a convolution's."""
    filters, channels, height, width = shape
    return weights.reshape(filters, width, height, channels).transpose(0, 3, 2, 1)


def two_class_values(
    file: str,
    name: str,
    pairs: dict[str, Layer],
    theirs: dict[str, Tensors],
    unflatten: Unflatten,
    planar: bool = True,
) -> np.ndarray:
    """`weights_values` of a network whose probability is a softmax of the classes other and face.

    Where `planar`, its landmarks are x1..x5, y1..y5.
    """
    probability, _, *landmarks = list(pairs)[-3 if name == "onet" else -2 :]
    theirs = {**theirs, probability: logistic(theirs[probability])}
    if planar:
        theirs |= {head: interleaved(theirs[head]) for head in landmarks}
    return weights_values(file, name, pairs, theirs, unflatten)


def weights_values(
    file: str,
    name: str,
    pairs: dict[str, Layer],
    theirs: dict[str, Tensors],
    unflatten: Unflatten,
) -> np.ndarray:
    """The values of a network's `.weights` file.

    Parameters
    ----------
    file, name
        The published file and the network, for messages.
    pairs
        Their names -> our layers.
    theirs
        Their names -> tensors.
    unflatten
        Makes of a dense layer's weights [filters, inputs] those of the convolution of the given
        shape that covers its whole input: [filters, channels, height, width].

    Returns
    -------
    [weights_count] float32, in file order.

    Raises
    ------
    ModelError
        If a shape does not fit.
    WeightsError
        If a value is not finite, or beyond float32.
    """
    values = []
    for their, layer in pairs.items():
        for part, shape in layer.tensors.items():
            array = theirs[their][part]
            if array.ndim == 2 and array.shape == (shape[0], math.prod(shape[1:])):
                array = unflatten(array, shape)
            if array.shape != shape:
                raise ModelError(
                    f"{file}: {their} ({part}) is {list(array.shape)}, darknet_cfg/{name}.cfg"
                    f" makes it {list(shape)}"
                )
            check_finite(array, f"{file}: {their} ({part})")
            values.append(array.ravel())
    return np.concatenate(values).astype(np.float32)
