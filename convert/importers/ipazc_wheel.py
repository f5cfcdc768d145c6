"""ipazc's mtcnn 1.0 (the paper's weights, MIT licence), from its wheel; TensorFlow is not needed.

Each network is a file of joblib's with Keras's list of arrays; to read it takes the package lz4.

What differs from our networks, and is converted exactly: kernels lie y, x, input, output; dense
layers, here convolutions that cover their whole input, flatten in the order x, y, channel (they
exchange the axes first); two classes, other and face, and a softmax where we have one logistic (the
difference of the two), the last head instead of the first; landmarks as x1..x5, y1..y5 where ours
are x, y interleaved.

What does not differ: one PReLU slope a channel; box offsets dx1, dy1, dx2, dy2; RGB; the input
(v - 127.5) / 128. TensorFlow fills up a pooling of 'same' at the end first, and these never need
more than one row or column: the last window hangs over, as ours do. Those that leave out what does
not fill a window ('valid') see 9 and 21 rows, of which nothing is left over.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from convert.importers import published_package as package
from convert.importers.joblib_arrays import read_arrays
from convert.importers.tensors import (
    PAPER,
    Published,
    Tensors,
    pair,
    two_class_values,
    unflatten_xyc,
    with_slopes,
)
from pymtcnn.errors import ModelError
from train_mtcnn.network.layers import Layer

_SETTINGS = {**PAPER, "thresholds": (0.6, 0.7, 0.8)}  # its own defaults

_REQUIREMENT = "mtcnn==1.0.0"
_MEMBERS = {name: f"mtcnn/assets/weights/{name}.lz4" for name in ("pnet", "rnet", "onet")}

# Their layers in the order of our sections with weights. In the files the probability comes last.
_LAYERS = {
    "pnet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 conv4-2 conv4-1",
    "rnet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 fc4 prelu4 fc5-2 fc5-1",
    "onet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 conv4 prelu4 fc5 prelu5 fc6-3 fc6-1 fc6-2",
}
_PROBABILITY = {"pnet": "conv4-2", "rnet": "fc5-2", "onet": "fc6-3"}

add_source = package.add_source
rewrite = with_slopes


def read(source: Path | None, layers: dict[str, list[Layer]]) -> Published:
    """Read the three networks (`convert.importers` has the contract)."""
    files = find(source)
    return Published(
        {name: _network(name, *files[name], layers[name]) for name in layers}, _SETTINGS
    )


def find(source: Path | None) -> dict[str, tuple[str, bytes]]:
    """Network's name -> name and content of its file. Raises FileError."""
    return package.find(source, _REQUIREMENT, _MEMBERS)


def _network(name: str, file: str, content: bytes, layers: list[Layer]) -> np.ndarray:
    pairs = pair(file, name, layers, _LAYERS[name].split())
    head = _PROBABILITY[name]
    order = [their for their in pairs if their != head] + [head]
    arrays = read_arrays(content, file)
    count = sum(len(pairs[their].tensors) for their in order)
    if len(arrays) != count:
        raise ModelError(f"{file}: has {len(arrays)} arrays, mtcnn's {name} {count}")
    each = iter(arrays)
    theirs = {their: _tensors(pairs[their], each) for their in order}
    return two_class_values(file, name, pairs, theirs, unflatten_xyc)


def _tensors(layer: Layer, arrays: Iterator[np.ndarray]) -> Tensors:
    """A layer's tensors, of the next array or two."""
    first = np.atleast_1d(next(arrays)).astype(np.float64)
    if layer.type == "prelu":
        return {"slopes": first.ravel()}
    order = (3, 2, 0, 1) if first.ndim == 4 else (1, 0) if first.ndim == 2 else None
    return {"weights": first.transpose(order), "biases": next(arrays).astype(np.float64)}
