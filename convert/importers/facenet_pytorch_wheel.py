"""facenet-pytorch's three networks (the paper's weights, MIT licence), from its wheel.

What differs from our networks, and is converted exactly: two classes and a softmax where we have
one logistic (the difference of the two), dense layers where we have convolutions that cover their
whole input (theirs flatten in the order width, height, channel), landmarks as x1..x5, y1..y5 where
ours are x, y interleaved.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from convert.importers import published_package as package
from convert.importers.tensors import (
    PAPER,
    Published,
    pair,
    read_state,
    two_class_values,
    unflatten_xyc,
    with_slopes,
)
from train_mtcnn.network.layers import Layer

_REQUIREMENT = "facenet-pytorch==2.6.0"
_MEMBERS = {name: f"facenet_pytorch/data/{name}.pt" for name in ("pnet", "rnet", "onet")}

# Their layers in the order of our sections with weights; the last two or three are the heads:
# probability, box offsets, landmarks.
_LAYERS = {
    "pnet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 conv4_1 conv4_2",
    "rnet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 dense4 prelu4 dense5_1 dense5_2",
    "onet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 conv4 prelu4 dense5 prelu5"
    " dense6_1 dense6_2 dense6_3",
}

add_source = package.add_source
rewrite = with_slopes


def read(source: Path | None, layers: dict[str, list[Layer]]) -> Published:
    """Read the three networks (`convert.importers` has the contract)."""
    files = find(source)
    return Published({name: _network(name, *files[name], layers[name]) for name in layers}, PAPER)


def find(source: Path | None) -> dict[str, tuple[str, bytes]]:
    """Network's name -> name and content of its `.pt` file. Raises FileError."""
    return package.find(source, _REQUIREMENT, _MEMBERS)


def _network(name: str, file: str, content: bytes, layers: list[Layer]) -> np.ndarray:
    pairs = pair(file, name, layers, _LAYERS[name].split())
    theirs = read_state(content, file, f"facenet-pytorch's {name}", pairs)
    return two_class_values(file, name, pairs, theirs, unflatten_xyc)
