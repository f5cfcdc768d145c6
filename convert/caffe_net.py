"""Caffe's files, `.prototxt` and `.caffemodel`, without Caffe.

OpenCV 4 reads them: it is there already, knows the old and the new form of the files, runs no code
of them, and gives each layer's tensors. (The protobuf package would be one more dependency, with a
description of the files of our own. OpenCV 5 reads no Caffe files: it is refused.)
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pymtcnn.errors import LibraryError, ModelError
from train_mtcnn.common.file_content import read_bytes


class CaffeLayer(NamedTuple):
    """A layer: name and type as in the prototxt, its arrays, the shape of its output."""

    name: str
    type: str
    blobs: list[np.ndarray]
    output: tuple[int, ...] | None  # of one picture; None where the input's is not known


def input_shape(prototxt: Path) -> tuple[int, int, int] | None:
    """Channels, height and width of the input that a prototxt names; None if it names none."""
    text = re.sub("#.*", "", read_bytes(prototxt).decode("utf-8", "replace"))
    sizes = re.findall(r"\b(?:input_dim|dim)\s*:\s*([0-9]{1,6})\b", text)[1:4]  # after the batch's
    shape = tuple(map(int, sizes))
    return shape if len(shape) == 3 and all(shape) else None


# Layers that only training has: sources of data, losses, accuracy, bridges in Python.
_TRAINING = re.compile("Python|Accuracy|.*Data|.*Loss.*")
_TOKEN = re.compile(r"""#[^\n]*|"[^"\n]*"|'[^'\n]*'|[{}]""")
_FIELD = re.compile(r"""\b(type|top|bottom)\s*:\s*["']([^"'\n]*)""")


def deployed(prototxt: str) -> str:
    """A prototxt without the layers that only training has, its inputs named instead.

    One that has no such layers stays as it is.
    """
    bare = _TOKEN.sub(lambda token: "" if token[0][0] == "#" else token[0], prototxt)
    blocks = [(block, _FIELD.findall(block)) for block in _blocks(bare)]
    kept = [
        (block, fields)
        for block, fields in blocks
        if not any(name == "type" and _TRAINING.fullmatch(value) for name, value in fields)
    ]
    if kept == blocks:
        return prototxt
    made = {value for _, fields in kept for name, value in fields if name == "top"}
    read = [value for _, fields in kept for name, value in fields if name == "bottom"]
    inputs = dict.fromkeys(name for name in read if name not in made)
    return "".join(f'input: "{name}"\n' for name in inputs) + "".join(block for block, _ in kept)


def _blocks(text: str) -> Iterator[str]:
    """The parts of a prototxt that end with the brace of a top-level message, and the rest."""
    start = depth = 0
    for token in _TOKEN.finditer(text):
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        if token[0] == "}" and depth == 0:
            yield text[start : token.end()]
            start = token.end()
    yield text[start:]


def read_caffe(
    prototxt: Path, caffemodel: str | os.PathLike, shape: tuple[int, int, int] | None = None
) -> list[CaffeLayer]:
    """Read a network.

    Parameters
    ----------
    prototxt, caffemodel
        Its two files.
    shape
        Channels, height and width of the input, for the outputs' shapes.

    Returns
    -------
    Its layers, in the order of the prototxt.

    Raises
    ------
    FileError
        If a file cannot be read.
    LibraryError
        If OpenCV is missing or does not read Caffe's files.
    ModelError
        If they are no Caffe model, or it does not take inputs of that shape.
    """
    text = deployed(read_bytes(prototxt).decode("latin-1")).encode("latin-1")
    contents = [np.frombuffer(content, np.uint8) for content in (text, read_bytes(caffemodel))]
    try:
        import cv2  # here: other importers do without

        read_net = cv2.dnn.readNetFromCaffe
    except (ImportError, AttributeError) as error:
        raise LibraryError(
            f"{caffemodel}: to read it takes OpenCV 4 ({error});"
            " pip install 'opencv-python>=4.10,<5'"
        ) from error
    try:
        net = read_net(*contents)
        layers = [net.getLayer(name) for name in net.getLayerNames()]
    except cv2.error as error:
        raise ModelError(
            f"{caffemodel}: not a whole Caffe model of the network in {prototxt}: {_why(error)}"
        ) from error
    outputs: list[tuple[int, ...] | None] = [None] * len(layers)
    if shape:
        size = "x".join(map(str, shape))
        try:
            _, *found = net.getLayersShapes([1, *shape])  # of the input, then of each layer
        except cv2.error as error:
            raise ModelError(f"{caffemodel}: does not take {size}: {_why(error)}") from error
        inputs, outputs[:] = ([tuple(map(int, of[0][1:])) for of in s[1:]] for s in found)
        for layer, given in zip(layers, inputs):  # OpenCV looks at that when it runs only
            dense = layer.type == "InnerProduct" and layer.blobs
            if dense and layer.blobs[0].shape[-1] != math.prod(given):
                raise ModelError(f"{caffemodel}: {layer.name} is not made for inputs of {size}")
    return [
        CaffeLayer(layer.name, layer.type, list(layer.blobs), output)
        for layer, output in zip(layers, outputs, strict=True)
    ]


def _why(error: Exception) -> str:
    """OpenCV's reason in one line."""
    return " ".join((getattr(error, "err", None) or str(error)).split())
