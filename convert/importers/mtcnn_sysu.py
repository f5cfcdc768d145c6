"""Networks trained with mtCNN_sysu: {pnet,rnet,onet}_epoch_N.pt, state dicts of PyTorch.

What differs from our networks: poolings that leave out what does not fill a window (ceil_mode is
False), so dense layers see 2x2 where ours see 3x3; one PReLU slope a layer. They flatten in the
order channel, height, width, like our convolutions that cover their whole input.

Probability (one logistic), offsets dx1, dy1, dx2, dy2 and landmarks (x, y interleaved) are ours.
PNet and RNet have landmarks, too, which no cascade needs: they are left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from convert.importers.file_search import find_one
from convert.importers.tensors import PAPER, Published, pair, read_state, weights_values
from train_mtcnn.common.file_content import read_bytes
from train_mtcnn.network.darknet import Cfg
from train_mtcnn.network.layers import Layer
from train_mtcnn.network.rewrite import with_floor_pooling, with_prelu

_SETTINGS = {**PAPER, "mean": 0.0, "norm": 1 / 255, "color": "BGR"}

# Their layers in the order of our sections with weights.
_LAYERS = {
    "pnet": "pre_layer.0 pre_layer.1 pre_layer.3 pre_layer.4 pre_layer.5 pre_layer.6"
    " conv4_1 conv4_2",
    "rnet": "pre_layer.0 pre_layer.1 pre_layer.3 pre_layer.4 pre_layer.6 pre_layer.7"
    " conv4 prelu4 conv5_1 conv5_2",
    "onet": "pre_layer.0 pre_layer.1 pre_layer.3 pre_layer.4 pre_layer.6 pre_layer.7"
    " pre_layer.9 pre_layer.10 conv5 prelu5 conv6_1 conv6_2 conv6_3",
}
_LEFT_OUT = {
    "pnet": ("conv4_3.weight", "conv4_3.bias"),
    "rnet": ("conv5_3.weight", "conv5_3.bias"),
    "onet": (),
}


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the argument `source`."""
    parser.add_argument(
        "source", type=Path, metavar="FOLDER", help="holds pnet_epoch_N.pt, likewise rnet, onet"
    )


def rewrite(cfgs: dict[str, Cfg], source: Path) -> dict[str, Cfg]:
    """Our networks as theirs."""
    return {name: with_floor_pooling(with_prelu(cfg, shared=True)) for name, cfg in cfgs.items()}


def read(source: Path, layers: dict[str, list[Layer]]) -> Published:
    """Read the three networks (`convert.importers` has the contract)."""
    return Published({name: _network(name, source, layers[name]) for name in layers}, _SETTINGS)


def _network(name: str, folder: Path, layers: list[Layer]) -> np.ndarray:
    path = find_one(folder, f"{name}_epoch_*.pt")
    file = str(path)
    pairs = pair(file, name, layers, _LAYERS[name].split())
    theirs = read_state(read_bytes(path), file, f"mtCNN_sysu's {name}", pairs, _LEFT_OUT[name])
    return weights_values(file, name, pairs, theirs, np.reshape)
