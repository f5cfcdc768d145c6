"""A network as sections with their weights, for rewritings that change both and keep its output.

A rewriting takes a list of weighted sections and returns another; only `network_of` rounds to
float32.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from pymtcnn.errors import WeightsError
from train_mtcnn.network.darknet import Cfg, Section
from train_mtcnn.network.layers import Layer, read_layers
from train_mtcnn.network.networks import Network
from train_mtcnn.network.rewrite import copied, without_batch_norm


@dataclasses.dataclass
class WeightedSection:
    """One section of a cfg and its weights.

    Attributes
    ----------
    section
        As in the cfg; that of `[net]` comes first.
    tensors
        Name -> float64 array, as layers.Layer.tensors names and orders them.
    """

    section: Section
    tensors: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)


def sections_of(network: Network, fold: bool = False) -> list[WeightedSection]:
    """The sections of a network, which stays as it is.

    Parameters
    ----------
    network
        The network.
    fold
        True: its batch normalisation goes into weights and biases, in double precision.
    """
    cfg = without_batch_norm(network.cfg) if fold else network.cfg
    tensors: list[dict[str, np.ndarray]] = [{}, *network.tensors(fold)]
    return [WeightedSection(copied(s), part) for s, part in zip(cfg.sections, tensors, strict=True)]


def pointwise(filters: int, activation: str = "linear") -> Section:
    """The section of a convolution of 1x1."""
    options = {"filters": filters, "size": 1, "stride": 1, "pad": 0, "activation": activation}
    return Section("convolutional", {name: str(value) for name, value in options.items()})


def layers_of(sections: Sequence[WeightedSection], path: str) -> list[Layer]:
    """The layers of all sections but the first, which is `[net]`."""
    return read_layers(Cfg([part.section for part in sections], path))


def network_of(sections: Sequence[WeightedSection], path: str) -> Network:
    """The network of weighted sections, in evaluation mode.

    Parameters
    ----------
    sections
        `[net]`, then the layers.
    path
        Name of its cfg in messages.

    Raises
    ------
    WeightsError
        If a weight is not finite or beyond float32; names layer, tensor and channel.
    """
    network = Network(Cfg([part.section for part in sections], path))
    values = [np.empty(0)]
    for index, part in enumerate(sections[1:]):
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
