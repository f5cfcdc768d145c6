"""isLouisHsu/MTCNN_Darknet's PNet, RNet and ONet: Darknet's .cfg and .weights, with [prelu].

The files lie in one folder, or in its folders cfg/ and weights/. What differs from our networks:

- One layer at the end makes all 15 outputs, the probability before the logistic, box offsets and
  landmarks, where ours has a head for each; the landmarks of PNet and RNet, which no cascade needs,
  are left out.
- Dense layers are [connected]; they flatten in the order channel, y, x, like our convolutions that
  cover their whole input.
- Poolings leave out what does not fill a window (padding=0), so dense layers see 2x2 where ours see
  3x3. PReLU has one slope a layer or one a channel.

The input is BGR, v / 255: its programs exchange red and blue of what Darknet reads. Box offsets and
landmarks (x, y interleaved) are ours.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from convert.importers.file_search import find_one
from convert.importers.tensors import PAPER, Published, Tensors, pair, weights_values
from pymtcnn.errors import ModelError
from train_mtcnn.network.darknet import Cfg
from train_mtcnn.network.layers import Layer
from train_mtcnn.network.networks import Network
from train_mtcnn.network.rewrite import with_floor_pooling, with_prelu

_NAMES = {"pnet": "PNet", "rnet": "RNet", "onet": "ONet"}
_SETTINGS = {**PAPER, "mean": 0.0, "norm": 1 / 255, "color": "BGR"}
_HEADS = {"probability": slice(0, 1), "offsets": slice(1, 5), "landmarks": slice(5, 15)}
_OPTIONS = ("size", "stride", "padding", "groups", "activation")  # those of our layers


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the argument `source`."""
    parser.add_argument(
        "source", type=Path, metavar="FOLDER", help="holds PNet, RNet, ONet .cfg, .weights"
    )


def rewrite(cfgs: dict[str, Cfg], source: Path) -> dict[str, Cfg]:
    """Our networks as theirs, with as many slopes."""
    found = {}
    for name, cfg in cfgs.items():
        prelus = [x for x in _network(source, name)[1].definition if x.type == "prelu"]
        shared = all(layer.tensors["slopes"] == (1,) for layer in prelus)
        found[name] = with_floor_pooling(with_prelu(cfg, shared=shared))
    return found


def read(source: Path, layers: dict[str, list[Layer]]) -> Published:
    """Read the three networks (`convert.importers` has the contract)."""
    values = {name: _values(name, *_network(source, name), layers[name]) for name in layers}
    return Published(values, _SETTINGS)


def _network(folder: Path, name: str) -> tuple[str, Network]:
    """The weights' file and the network."""
    stem = _NAMES[name]
    cfg = find_one(folder, f"{stem}.cfg", f"cfg/{stem}.cfg")
    weights = find_one(folder, f"{stem}.weights", f"weights/{stem}.weights")
    return str(weights), Network.from_darknet(cfg, weights)


def _values(name: str, file: str, network: Network, layers: list[Layer]) -> np.ndarray:
    heads = list(_HEADS)[: 3 if name == "onet" else 2]
    theirs: dict[str, Tensors] = {}
    for index, (layer, tensors) in enumerate(zip(network.definition, network.tensors())):
        if tensors:
            theirs[f"layer {index} ({layer.type})"] = tensors
    last = theirs.popitem()[1] if theirs else {}
    pairs = pair(file, name, layers, [*theirs, *heads])
    body, end = layers[: layers.index(pairs["probability"])], network.definition[-1]
    whole = end.shape == (15, 1, 1) and set(last) == {"biases", "weights"} and _linear(end)
    if not whole or not _alike(body, network.definition[:-1]):
        raise ModelError(
            f"{file}: its .cfg is not MTCNN_Darknet's {_NAMES[name]}: darknet_cfg/{name}.cfg with"
            " [prelu], poolings of padding=0 and one linear layer of 15 outputs at the end"
        )
    theirs |= {head: {part: a[_HEADS[head]] for part, a in last.items()} for head in heads}
    return weights_values(file, name, pairs, theirs, np.reshape)


def _alike(ours: list[Layer], theirs: list[Layer]) -> bool:
    """Whether layers do the same; dense layers are convolutions here and [connected] there."""
    made, found = ([(x.shape, x.tensors.keys()) for x in layers] for layers in (ours, theirs))
    if made != found:
        return False
    for our, their in zip(ours, theirs, strict=True):
        if (our.type, their.type) == ("convolutional", "connected"):
            alike = _linear(their)
        else:
            alike = all(our.options.get(key) == their.options.get(key) for key in _OPTIONS)
            alike &= our.type == their.type
        if not alike:
            return False
    return True


def _linear(layer: Layer) -> bool:
    return layer.options.get("activation") == "linear"
