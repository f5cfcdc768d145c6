"""A network as sections with their weights, for what changes both: rewritings that keep its output.

A rewriting takes a list of parts and makes another; only its end rounds to float32.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from pymtcnn.errors import WeightsError
from train_mtcnn.darknet import Cfg, Section
from train_mtcnn.layers import Layer, read_layers
from train_mtcnn.networks import Network
from train_mtcnn.rewrite import copied, without_batch_norm


@dataclasses.dataclass
class Part:
    """One section of a cfg and its weights.

    Attributes
    ----------
    section
        As in the cfg; `[net]` is the first part.
    tensors
        Name -> float64 array, as layers.Layer.tensors names and orders them.
    """

    section: Section
    tensors: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)


def take_apart(network: Network, fold: bool = False) -> list[Part]:
    """The parts of a network, which stays as it is.

    Parameters
    ----------
    network
        The network.
    fold
        True: its batch normalisation goes into weights and biases, in double precision.
    """
    cfg = without_batch_norm(network.cfg) if fold else network.cfg
    tensors: list[dict[str, np.ndarray]] = [{}, *network.tensors(fold)]
    return [Part(copied(s), part) for s, part in zip(cfg.sections, tensors, strict=True)]


def pointwise(filters: int, activation: str = "linear") -> Section:
    """The section of a convolution of 1x1."""
    options = {"filters": filters, "size": 1, "stride": 1, "pad": 0, "activation": activation}
    return Section("convolutional", {name: str(value) for name, value in options.items()})


def layers_of(parts: Sequence[Part], path: str) -> list[Layer]:
    """The layers of all parts but the first, which is `[net]`."""
    return read_layers(Cfg([part.section for part in parts], path))


def put_together(parts: Sequence[Part], path: str) -> Network:
    """The network of some parts, in evaluation mode.

    Parameters
    ----------
    parts
        `[net]`, then the layers.
    path
        Name of its cfg in messages.

    Raises
    ------
    WeightsError
        If a weight is not finite or beyond float32; names layer, tensor and channel.
    """
    network = Network(Cfg([part.section for part in parts], path))
    values = [np.empty(0)]
    for index, part in enumerate(parts[1:]):
        for name, array in part.tensors.items():
            check_finite(array, f"{path}: layer {index} ([{part.section.name}]), {name}")
            values.append(array.ravel())
    network.load_weights(np.concatenate(values).astype(np.float32))
    return network.eval()


def check_finite(array: np.ndarray, where: str) -> None:
    """Raise WeightsError if a value is not finite as float32; axis 0 counts channels."""
    with np.errstate(over="ignore"):
        bad = np.argwhere(~np.isfinite(array.astype(np.float32)))
    if len(bad):
        value = array[tuple(bad[0])]
        what = "beyond float32" if np.isfinite(value) else "not a finite number"
        raise WeightsError(f"{where}, channel {bad[0][0]}: {value:g} is {what}")
