"""The three networks of a cascade, read and checked."""

from __future__ import annotations

from typing import Any

from pymtcnn.errors import ModelError
from pymtcnn.settings import of
from train_mtcnn.network.darknet import NETWORKS, Data
from train_mtcnn.network.networks import Network

_OUTPUTS = {"pnet": 5, "rnet": 5, "onet": 15}  # channels: probability, offsets, landmarks


def default_options(data: Data) -> dict[str, Any]:
    """The options of a detector: what a `.data` file has, else the table's defaults."""
    return {
        row.name: getattr(data, row.name) if row.has("IN_DATA") else row.default
        for row in of("detector")
    }


def load_networks(data: Data) -> dict[str, Network]:
    """The three networks of a cascade, checked.

    Raises
    ------
    FileError, CfgError, WeightsError
        If a file cannot be read or makes no sense.
    ModelError
        If the networks do not make a cascade.
    """
    networks = {name: Network.from_darknet(data.cfg[name], data.weights[name]) for name in NETWORKS}
    for name, network in networks.items():
        if network.input_shape.channels != 3:
            raise ModelError(f"{data.cfg[name]}: takes {network.input_shape}, expected 3 channels")
        if network.output_shape != (_OUTPUTS[name], 1, 1):
            raise ModelError(
                f"{data.cfg[name]}: makes {network.output_shape} of {network.input_shape},"
                f" expected {_OUTPUTS[name]}x1x1"
            )
        if network.input_shape.width != network.input_shape.height:
            raise ModelError(f"{data.cfg[name]}: width and height of its [net] differ")
    _check_pnet(networks["pnet"])
    return networks


def _check_pnet(pnet: Network) -> None:
    """PNet runs on levels of any size: each output must see its own cell alone."""
    path, before = pnet.cfg.path, {-1: pnet.input_shape}
    for index, layer in enumerate(pnet.definition):
        options, side = layer.options, before[layer.inputs[0]].height
        padded = False
        if layer.type == "convolutional":
            padded = options["padding"] > 0
        elif layer.type == "maxpool":
            last = (layer.shape.height - 1) * options["stride"] + options["size"]
            padded = options["padding"] > 1 or last > side
        whole = layer.type == "softmax" and not options["spatial"]
        if padded or whole or layer.type in ("connected", "avgpool"):
            raise ModelError(
                f"{path}: layer {index} ({layer.type}): PNet must be fully convolutional and"
                " without padding (a [maxpool] may have padding=1 if it is of no use at PNet's own"
                " size)"
            )
        before[index] = layer.shape
    side = pnet.cell + pnet.stride
    if pnet.stride > pnet.cell or pnet.shape(side, side)[1:] != (2, 2):
        raise ModelError(
            f"{path}: PNet's outputs do not lie on one grid, at most its width {pnet.cell} apart"
        )
