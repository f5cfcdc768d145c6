"""facenet-pytorch's three networks (the paper's weights, MIT licence), from its wheel.

What differs from our networks, and is put right exactly: two classes and a softmax where we have
one logistic (the difference of the two), dense layers where we have convolutions that cover their
whole input (theirs flatten in the order width, height, channel), landmarks as x1..x5, y1..y5 where
ours are x, y interleaved.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from convert.importers import package
from convert.importers.tensors import (
    PAPER,
    interleaved,
    logistic,
    pair,
    read_state,
    unflatten_xyc,
    weights_values,
    with_slopes,
)
from train_mtcnn.layers import Layer

SETTINGS = PAPER

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
_PROBABILITY = {"pnet": "conv4_1", "rnet": "dense5_1", "onet": "dense6_1"}
_LANDMARKS = "dense6_3"

add_source = package.add_source
rewrite = with_slopes


def read(source: Path | None, layers: dict[str, list[Layer]]) -> dict[str, np.ndarray]:
    """Read the three networks.

    Parameters
    ----------
    source
        A wheel of facenet-pytorch or a folder of it; None: the installed package, else the wheel
        from PyPI.
    layers
        Our networks' layers, by name.

    Returns
    -------
    Network's name -> [weights_count] float32.

    Raises
    ------
    FileError
        If the files cannot be found, downloaded or read.
    ModelError
        If they are not the networks that we expect.
    """
    files = find(source)
    return {name: _network(name, *files[name], layers[name]) for name in layers}


def find(source: Path | None) -> dict[str, tuple[str, bytes]]:
    """Network's name -> name and content of its `.pt` file. Raises FileError."""
    return package.find(source, _REQUIREMENT, _MEMBERS)


def _network(name: str, file: str, content: bytes, layers: list[Layer]) -> np.ndarray:
    pairs = pair(file, name, layers, _LAYERS[name].split())
    theirs = read_state(content, file, f"facenet-pytorch's {name}", pairs)
    theirs[_PROBABILITY[name]] = logistic(theirs[_PROBABILITY[name]])
    if _LANDMARKS in theirs:
        theirs[_LANDMARKS] = interleaved(theirs[_LANDMARKS])
    return weights_values(file, name, pairs, theirs, unflatten_xyc)
