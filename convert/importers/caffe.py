"""The paper's own networks: det1..3.prototxt and .caffemodel (MIT licence). Caffe is not needed.

They go by the names of a training program, too: 12net, 24net and 48net, in one folder or each in a
folder of its own name. What such a program itself trained has layers of other names: it is refused.

What differs from our networks, and is put right exactly:

- Their program is MATLAB's, whose pictures lie column by column: to Caffe, a picture's x is the
  height and y the width. So the two axes of each kernel are exchanged. Dense layers, here
  convolutions that cover their whole input, flatten in the order channel, x, y.
- Two classes, other and face, and a softmax where we have one logistic: the difference of the two.
- Landmarks as x1..x5, y1..y5 where ours are x, y interleaved. Their order is ours: left eye, right
  eye, nose, left mouth, right mouth, as seen in the picture.

What does not differ: box offsets dx1, dy1, dx2, dy2 in parts of the box's width and height; RGB;
the input (v - 127.5) * 0.0078125; poolings whose last window may hang over (ceil_mode).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from convert.caffe_net import read_caffe
from convert.importers.folder import find_one
from convert.importers.tensors import (
    PAPER,
    Tensors,
    check_names,
    interleaved,
    logistic,
    pair,
    weights_values,
    with_slopes,
)
from pymtcnn.errors import ModelError
from train_mtcnn.layers import Layer

SETTINGS = PAPER

_FILES = {"pnet": ("det1", "12net"), "rnet": ("det2", "24net"), "onet": ("det3", "48net")}

# Their layers with weights, in the order of our sections.
_LAYERS = {
    "pnet": "conv1 PReLU1 conv2 PReLU2 conv3 PReLU3 conv4-1 conv4-2",
    "rnet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 conv4 prelu4 conv5-1 conv5-2",
    "onet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 conv4 prelu4 conv5 prelu5"
    " conv6-1 conv6-2 conv6-3",
}
_PROBABILITY = {"pnet": "conv4-1", "rnet": "conv5-1", "onet": "conv6-1"}
_LANDMARKS = "conv6-3"


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the argument `source`."""
    parser.add_argument(
        "source",
        type=Path,
        metavar="FOLDER",
        help="holds det1, det2, det3 (or 12net, 24net, 48net) .prototxt, .caffemodel",
    )


rewrite = with_slopes


def read(source: Path, layers: dict[str, list[Layer]]) -> dict[str, np.ndarray]:
    """Read the three networks.

    Parameters
    ----------
    source
        The folder of the six files.
    layers
        Our networks' layers, by name.

    Returns
    -------
    Network's name -> [weights_count] float32.

    Raises
    ------
    FileError
        If a file cannot be found or read.
    LibraryError
        If OpenCV is missing or does not read Caffe's files.
    ModelError
        If they are not the networks that we expect.
    """
    return {name: _network(source, name, layers[name]) for name in layers}


def _network(folder: Path, name: str, layers: list[Layer]) -> np.ndarray:
    stem, side = _FILES[name]
    stems = stem, side, f"{side}/{stem}", f"{side}/{side}"
    prototxt, model = (
        find_one(folder, *(f"{stem}.{ending}" for stem in stems))
        for ending in ("prototxt", "caffemodel")
    )
    file = str(model)
    pairs = pair(file, name, layers, _LAYERS[name].split())
    found = read_caffe(prototxt, file)
    blobs = {layer.name: layer.blobs for layer in found if layer.blobs}
    check_names(file, f"the paper's {name}", pairs, blobs)
    theirs = {their: _tensors(file, their, layer, blobs[their]) for their, layer in pairs.items()}
    theirs[_PROBABILITY[name]] = logistic(theirs[_PROBABILITY[name]])
    if _LANDMARKS in theirs:
        theirs[_LANDMARKS] = interleaved(theirs[_LANDMARKS])
    return weights_values(file, name, pairs, theirs, _unflatten)


def _tensors(file: str, their: str, layer: Layer, blobs: list[np.ndarray]) -> Tensors:
    """A layer's arrays as its tensors, their spatial axes exchanged."""
    if len(blobs) != len(layer.tensors):
        raise ModelError(f"{file}: {their} has {len(blobs)} arrays, expected {len(layer.tensors)}")
    first, *others = (blob.astype(np.float64) for blob in blobs)
    if layer.type == "prelu":
        return {"slopes": first.ravel()}
    weights = first.swapaxes(2, 3) if first.ndim == 4 else first
    return {"weights": weights, "biases": others[0].ravel()}


def _unflatten(weights: np.ndarray, shape: tuple[int, int, int, int]) -> np.ndarray:
    filters, channels, height, width = shape
    return weights.reshape(filters, channels, width, height).swapaxes(2, 3)
