"""State dicts of PyTorch with the layers of our networks: pnet*.pt, rnet*.pt, onet*.pt (or .pth).

What the layers are called does not matter: their shapes and their order identify them.

- Convolutions and dense layers have a weight and a bias. Dense layers, here convolutions that cover
  their whole input, flatten in the order channel, y, x.
- PReLU has a weight, of one slope or of one a channel. Where there is none, the activations are
  those of darknet_cfg/.
- The heads come last, in any order: probability (one output before a logistic, or two classes
  before a softmax: the difference of the two), 4 box offsets, 10 landmark coordinates (left out of
  networks that have none here).
- The size of RNet's dense layer shows whether the last window of a pooling hangs over
  (ceil_mode=True) or is left out.

The rest is not in such files. It is assumed to be ours: offsets dx1, dy1, dx2, dy2 in parts of
the box, landmarks x, y interleaved, RGB, the input (v - 127.5) / 128. `mean`, `norm` and `color` of
the `.data` file may be edited.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from convert.importers.file_search import find_one
from convert.importers.tensors import (
    PAPER,
    Published,
    Tensors,
    load_state,
    logistic,
    pair,
    state_array,
    weights_values,
)
from pymtcnn.errors import ModelError
from train_mtcnn.common.file_content import read_bytes
from train_mtcnn.network.darknet import Cfg
from train_mtcnn.network.layers import Layer, read_layers
from train_mtcnn.network.rewrite import with_floor_pooling, with_prelu

# Outputs of a head -> its place among ours: probability, box offsets, landmarks.
_HEADS = {1: 0, 2: 0, 4: 1, 10: 2}


class _States(NamedTuple):
    """What a file holds, in its order: layer's name -> tensors."""

    file: str
    body: dict[str, Tensors]  # convolutions and dense layers
    prelus: dict[str, Tensors]
    heads: dict[str, Tensors]


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the argument `source`, and an option for what no file says."""
    parser.add_argument(
        "source", type=Path, metavar="FOLDER", help="holds pnet*.pt, likewise rnet, onet"
    )
    parser.add_argument(
        "--face-class",
        type=int,
        choices=(0, 1),
        default=1,
        help="where the probability is a softmax of two classes, the face's number (default: 1)",
    )


def rewrite(cfgs: dict[str, Cfg], source: Path) -> dict[str, Cfg]:
    """Our networks with the activations and poolings of those in the folder."""
    states = {name: _read(source, name) for name in cfgs}
    slopes = {len(prelu["slopes"]) for each in states.values() for prelu in each.prelus.values()}
    if slopes:
        cfgs = {name: with_prelu(cfg, shared=slopes == {1}) for name, cfg in cfgs.items()}
    floor = {name: with_floor_pooling(cfg) for name, cfg in cfgs.items()}
    ours, _ = _split(read_layers(floor["rnet"]))
    theirs = [tensors["weights"].shape for tensors in states["rnet"].body.values()]
    same = _inputs(theirs) == _inputs([layer.tensors["weights"] for layer in ours])
    return floor if same else cfgs


def _inputs(weights: list[tuple[int, ...]]) -> int:
    """How many values the last layer before the heads, a dense one, sums up."""
    return math.prod(weights[-1][1:]) if weights else 0


def read(source: Path, layers: dict[str, list[Layer]], face_class: int = 1) -> Published:
    """Read the three networks (`convert.importers` has the contract).

    Of two classes, `face_class` is the one that is the face.
    """
    return Published(
        {n: _network(n, _read(source, n), layers[n], face_class) for n in layers}, PAPER
    )


def _network(name: str, states: _States, layers: list[Layer], face_class: int) -> np.ndarray:
    file, body, prelus, heads = states
    our_body, our_heads = _split(layers)
    ours = len(our_body), sum(layer.type == "prelu" for layer in layers)
    if (len(body), len(prelus)) != ours:
        raise ModelError(
            f"{file}: before its heads has {len(body)} convolutions or dense layers"
            f" ({', '.join(body)}) and {len(prelus)} PReLU layers with weights,"
            f" darknet_cfg/{name}.cfg {ours[0]} and {ours[1]}"
        )
    outputs = [layer.shape.channels for layer in our_heads]
    if outputs not in ([1, 4], [1, 4, 10]):
        raise ModelError(
            f"{file}: has heads of 1, 4 and 10 outputs, darknet_cfg/{name}.cfg of {outputs}"
        )
    chosen = _heads_in_order(file, heads, len(outputs))
    slopes, others = iter(prelus), iter([*body, *chosen])
    names = [next(slopes if x.type == "prelu" else others) for x in layers if x.tensors]
    pairs = pair(file, name, layers, names)
    theirs = {**body, **prelus, **heads}
    if len(theirs[chosen[0]]["biases"]) == 2:
        step = 1 if face_class == 1 else -1
        classes = {part: values[::step] for part, values in theirs[chosen[0]].items()}
        theirs[chosen[0]] = logistic(classes)
    return weights_values(file, name, pairs, theirs, np.reshape)


def _heads_in_order(file: str, heads: dict[str, Tensors], count: int) -> list[str]:
    """The names of the first `count` heads in the order of our sections."""
    places: dict[int, list[str]] = {}
    for their, tensors in heads.items():
        places.setdefault(_HEADS[len(tensors["biases"])], []).append(their)
    for place, what in enumerate(("1 or 2", "4", "10")):
        there = places.get(place, [])
        if len(there) > 1 or (place < count and not there):
            raise ModelError(
                f"{file}: expected one head of {what} outputs, there are:"
                f" {', '.join(there) or 'none'}"
            )
    return [places[place][0] for place in range(count)]


def _read(folder: Path, name: str) -> _States:
    """The layers of a network's file."""
    path = find_one(folder, f"{name}*.pt", f"{name}*.pth")
    file = str(path)
    modules: dict[str, Tensors] = {}
    for key, value in load_state(read_bytes(path), file).items():
        module, _, part = str(key).rpartition(".")
        modules.setdefault(module, {})[part] = state_array(file, str(key), value)
    layers: dict[str, Tensors] = {}
    prelus: dict[str, Tensors] = {}
    for module, parts in modules.items():
        axes = {part: values.ndim for part, values in parts.items()}
        if axes == {"weight": 1}:
            prelus[module] = {"slopes": parts["weight"]}
        elif axes in ({"weight": 2, "bias": 1}, {"weight": 4, "bias": 1}):
            layers[module] = {"weights": parts["weight"], "biases": parts["bias"]}
        else:
            there = ", ".join(f"{module}.{part} {list(parts[part].shape)}" for part in parts)
            raise ModelError(
                f"{file}: unknown, no convolution, dense layer or PReLU: {there.removeprefix('.')}"
            )
    start = _first_head([len(tensors["biases"]) for tensors in layers.values()])
    names = list(layers)
    return _States(
        file,
        {their: layers[their] for their in names[:start]},
        prelus,
        {their: layers[their] for their in names[start:]},
    )


def _split(layers: list[Layer]) -> tuple[list[Layer], list[Layer]]:
    """Our convolutions: those before the heads, and the heads."""
    found = [layer for layer in layers if "weights" in layer.tensors]
    start = _first_head([layer.shape.channels for layer in found])
    return found[:start], found[start:]


def _first_head(outputs: list[int]) -> int:
    """Where the heads begin: the layers at the end with as many outputs as heads have."""
    start = len(outputs)
    while start and outputs[start - 1] in _HEADS:
        start -= 1
    return start
