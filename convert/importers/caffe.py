"""Caffe's .prototxt and .caffemodel: the paper's own (MIT licence), or lippman1125's training.

The files are det1, det2 and det3, or 12net, 24net and 48net, in one folder or each in a folder of
its own name; lippman1125's are PNet_iter_N.caffemodel and the like. Caffe is not needed.

The names of the layers with weights say whose they are. What differs from our networks, and is
converted exactly:

- The paper's program is MATLAB's, whose pictures lie column by column: to Caffe, a picture's x is
  the height and y the width. So the two axes of each kernel are exchanged. Dense layers, here
  convolutions that cover their whole input, flatten in the order channel, x, y. lippman1125's
  pictures lie row by row, as ours do.
- Two classes, other and face, and a softmax where we have one logistic: the difference of the two.
- The paper's landmarks are x1..x5, y1..y5 where ours, and lippman1125's, are x, y interleaved.
  Their order is ours: left eye, right eye, nose, left mouth, right mouth, as seen in the picture.
- lippman1125's PNet and RNet have landmarks, too, which no cascade needs: they are left out.

The paper's input is RGB, lippman1125's BGR, both (v - 127.5) / 128. Box offsets are dx1, dy1, dx2,
dy2 in parts of the box's width and height; the last window of a pooling may hang over (ceil_mode).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from convert.caffe_net import read_caffe
from convert.importers.file_search import find_one
from convert.importers.tensors import (
    PAPER,
    Published,
    Tensors,
    check_names,
    pair,
    two_class_values,
    with_slopes,
)
from pymtcnn.errors import ModelError
from train_mtcnn.network.layers import Layer


class _Layout(NamedTuple):
    """What follows from the names of a cascade's layers."""

    whose: str
    layers: dict[str, str]  # those with weights, in the order of our sections, heads last
    left_out: dict[str, set[str]]  # others with weights: landmarks that no cascade needs
    by_columns: bool  # pictures lie column by column, and landmarks x1..x5, y1..y5
    settings: dict[str, Any]

    def names(self, network: str) -> set[str]:
        """The names of all layers with weights."""
        return {*self.layers[network].split(), *self.left_out[network]}


_LAYOUTS = (
    _Layout(
        whose="the paper's",
        layers={
            "pnet": "conv1 PReLU1 conv2 PReLU2 conv3 PReLU3 conv4-1 conv4-2",
            "rnet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 conv4 prelu4 conv5-1 conv5-2",
            "onet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 conv4 prelu4 conv5 prelu5"
            " conv6-1 conv6-2 conv6-3",
        },
        left_out={"pnet": set(), "rnet": set(), "onet": set()},
        by_columns=True,
        settings=PAPER,
    ),
    _Layout(
        whose="lippman1125/mtcnn_caffe's",
        layers={
            "pnet": "conv1 relu1 conv2 relu2 conv3 relu3 conv4-1 conv4-2",
            "rnet": "conv1 relu1 conv2 relu2 conv3 relu3 fc4 relu4 fc5-1 fc5-2",
            "onet": "conv1 relu1 conv2 relu2 conv3 relu3 conv4 relu4 fc5 relu5 fc6-1 fc6-2 fc6-3",
        },
        left_out={"pnet": {"conv4-3"}, "rnet": {"fc5-3"}, "onet": set()},
        by_columns=False,
        settings={**PAPER, "color": "BGR"},
    ),
)

# network -> the names of its files: the paper's, the size of its input, that of a training's result
_FILES = {"pnet": ("det1", 12, "PNet"), "rnet": ("det2", 24, "RNet"), "onet": ("det3", 48, "ONet")}


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the argument `source`."""
    parser.add_argument(
        "source",
        type=Path,
        metavar="FOLDER",
        help="holds det1, det2, det3 (or 12net, 24net, 48net) .prototxt, .caffemodel",
    )


rewrite = with_slopes


def read(source: Path, layers: dict[str, list[Layer]]) -> Published:
    """Read the three networks (`convert.importers` has the contract)."""
    files = {name: _files(source, name) for name in layers}
    found = {name: _blobs(*files[name]) for name in layers}
    layout = _layout_of({name: str(model) for name, (_, model) in files.items()}, found)
    values = {}
    for name in layers:
        file = str(files[name][1])
        pairs = pair(file, name, layers[name], layout.layers[name].split())
        theirs = {
            their: _tensors(file, their, layer, found[name][their], layout.by_columns)
            for their, layer in pairs.items()
        }
        unflatten = _by_columns if layout.by_columns else np.reshape
        values[name] = two_class_values(file, name, pairs, theirs, unflatten, layout.by_columns)
    return Published(values, layout.settings)


def _files(folder: Path, network: str) -> tuple[Path, Path]:
    """The prototxt and the caffemodel of a network; without a prototxt, that of its training."""
    stem, size, result = _FILES[network]
    side = f"{size}net"
    names = [stem, side, f"{side}/{stem}", f"{side}/{side}"]
    prototxts = [f"{name}.prototxt" for name in names]
    if not any((folder / name).is_file() for name in prototxts):
        prototxts += [f"train{size}.prototxt", f"{side}/train{size}.prototxt"]
    names += [f"{result}_iter_*", f"{side}/{result}_iter_*"]
    models = [f"{name}.caffemodel" for name in names]
    return find_one(folder, *prototxts), find_one(folder, *models)


def _blobs(prototxt: Path, model: Path) -> dict[str, list[np.ndarray]]:
    """Layer's name -> its arrays, of those that have some."""
    return {layer.name: layer.blobs for layer in read_caffe(prototxt, model) if layer.blobs}


def _layout_of(files: dict[str, str], found: Mapping[str, Iterable[str]]) -> _Layout:
    """The layout whose names all networks have; ModelError names what differs from the nearest."""

    def common(layout: _Layout) -> int:
        return sum(len(layout.names(name) & set(there)) for name, there in found.items())

    layout = max(_LAYOUTS, key=common)
    for name, there in found.items():
        check_names(files[name], f"{layout.whose} {name}", layout.names(name), there)
    return layout


def _tensors(
    file: str, their: str, layer: Layer, blobs: list[np.ndarray], by_columns: bool
) -> Tensors:
    """A layer's arrays as its tensors, the spatial axes y, x."""
    if len(blobs) != len(layer.tensors):
        raise ModelError(f"{file}: {their} has {len(blobs)} arrays, expected {len(layer.tensors)}")
    first, *others = (blob.astype(np.float64) for blob in blobs)
    if layer.type == "prelu":
        return {"slopes": first.ravel()}
    weights = first.swapaxes(2, 3) if by_columns and first.ndim == 4 else first
    return {"weights": weights, "biases": others[0].ravel()}


def _by_columns(weights: np.ndarray, shape: tuple[int, int, int, int]) -> np.ndarray:
    """A dense layer's weights, flattened in the order channel, x, y, as a convolution's."""
    filters, channels, height, width = shape
    return weights.reshape(filters, channels, width, height).swapaxes(2, 3)
