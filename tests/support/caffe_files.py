"""Networks as Caffe writes them, with random weights: the paper's and lippman1125/mtcnn_caffe's.

The layers of the latter, their names and files are those of its prototxts (commits 50b25b2 and
add2f93 of the repository).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass
class CaffeLayer:
    """A layer: its line of the prototxt, and its arrays."""

    name: str
    type: str
    bottom: str
    top: str
    parameters: str = ""
    blobs: list[np.ndarray] = field(default_factory=list)

    def text(self) -> str:
        return (
            f'layer {{ name: "{self.name}" type: "{self.type}" bottom: "{self.bottom}"'
            f' top: "{self.top}" {self.parameters} }}\n'
        )


def _field(number: int, content: bytes) -> bytes:
    """A field of protobuf that has a length."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _message(layer: CaffeLayer) -> bytes:
    """LayerParameter: name 1, type 2, blobs 7 (BlobProto: data 5, shape 7)."""
    parts = [_field(1, layer.name.encode()), _field(2, layer.type.encode())]
    for blob in layer.blobs:
        shape = _field(1, b"".join(map(_varint, blob.shape)))
        data = _field(5, struct.pack(f"<{blob.size}f", *blob.ravel()))
        parts.append(_field(7, data + _field(7, shape)))
    return b"".join(parts)


# Input's side, then the chain: convolutions (filters, kernel), poolings (window), dense layers.
_CHAINS = {
    "det1": (12, "conv1:10:3 PReLU1 pool1:2 conv2:16:3 PReLU2 conv3:32:3 PReLU3"),
    "det2": (
        24,
        "conv1:28:3 prelu1 pool1:3 conv2:48:3 prelu2 pool2:3 conv3:64:2 prelu3 conv4:128 prelu4",
    ),
    "det3": (
        48,
        "conv1:32:3 prelu1 pool1:3 conv2:64:3 prelu2 pool2:3 conv3:64:3 prelu3 pool3:2"
        " conv4:128:2 prelu4 conv5:256 prelu5",
    ),
    "12net": (12, "conv1:10:3 relu1 pool1:2 conv2:16:3 relu2 conv3:32:3 relu3"),
    "24net": (
        24,
        "conv1:28:3 relu1 pool1:3 conv2:48:3 relu2 pool2:3 conv3:64:2 relu3 fc4:128 relu4",
    ),
    "48net": (
        48,
        "conv1:32:3 relu1 pool1:3 conv2:64:3 relu2 pool2:3 conv3:64:3 relu3 pool3:2"
        " conv4:128:2 relu4 fc5:256 relu5 drop5",
    ),
}
_HEADS = {
    "det1": "conv4-1:2:1 conv4-2:4:1",
    "det2": "conv5-1:2 conv5-2:4",
    "det3": "conv6-1:2 conv6-2:4 conv6-3:10",
    "12net": "conv4-1:2:1 conv4-2:4:1 conv4-3:10:1",
    "24net": "fc5-1:2 fc5-2:4 fc5-3:10",
    "48net": "fc6-1:2 fc6-2:4 fc6-3:10",
}
PAPER = ("det1", "det2", "det3")
LIPPMAN1125 = {"12net": "PNet", "24net": "RNet", "48net": "ONet"}  # -> name of its caffemodel
_DENSE_INPUT = 9  # pixels


def caffe_layers(network: str, seed: int = 0) -> list[CaffeLayer]:
    """The layers of one of PAPER or LIPPMAN1125."""
    random = np.random.default_rng(seed)
    layers = []
    bottom, channels, pixels = "data", 3, _DENSE_INPUT

    def add(word: str) -> CaffeLayer:
        name, *numbers = word.split(":")
        numbers = [int(number) for number in numbers]
        if name.startswith("drop"):
            text = "dropout_param { dropout_ratio: 0.5 }"
            return CaffeLayer(name, "Dropout", bottom, bottom, text)
        if not numbers:
            blobs = [random.uniform(-0.2, 0.5, channels)]
            return CaffeLayer(name, "PReLU", bottom, bottom, "", blobs)
        if name.startswith("pool"):
            text = f"pooling_param {{ pool: MAX kernel_size: {numbers[0]} stride: 2 }}"
            return CaffeLayer(name, "Pooling", bottom, name, text)
        filters, *kernel = numbers
        shape = (filters, channels, *kernel, *kernel) if kernel else (filters, channels * pixels)
        weights = random.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
        blobs = [weights, random.normal(0, 0.2, filters)]
        kind, text = "InnerProduct", f"inner_product_param {{ num_output: {filters} }}"
        if kernel:
            kind = "Convolution"
            text = f"convolution_param {{ num_output: {filters} kernel_size: {kernel[0]} }}"
        return CaffeLayer(name, kind, bottom, name, text, blobs)

    for word in _CHAINS[network][1].split():
        layers.append(add(word))
        if layers[-1].blobs:
            channels = len(layers[-1].blobs[0])
        if layers[-1].type == "InnerProduct":
            pixels = 1
        bottom = layers[-1].top
    layers += [add(word) for word in _HEADS[network].split()]
    probability = _HEADS[network].partition(":")[0]
    return [*layers, CaffeLayer("prob1", "Softmax", probability, "prob1")]


def write_caffe(folder: Path, network: str, layers: list[CaffeLayer]) -> None:
    """Write NETWORK.prototxt and NETWORK.caffemodel."""
    (folder / f"{network}.prototxt").write_text(prototxt(network, layers))
    messages = [_field(100, _message(layer)) for layer in layers]
    (folder / f"{network}.caffemodel").write_bytes(b"".join(messages))


def prototxt(network: str, layers: list[CaffeLayer]) -> str:
    """The text of a prototxt for detecting."""
    side = _CHAINS[network][0]
    text = f'name: "{network}"\ninput: "data"\n'
    text += "".join(f"input_dim: {size}\n" for size in (1, 3, side, side))
    return text + "".join(layer.text() for layer in layers)


def training_prototxt(network: str, layers: list[CaffeLayer]) -> str:
    """The text of a prototxt for training: data from Python, losses instead of the softmax."""
    text = f'name: "face_{_CHAINS[network][0]}c"  # it isn\'t for detecting {{\n'
    text += """layer {
  name: "PythonLayer" type: "Python" top: "data" top: "label"
  python_param { module: "pythonLayer" layer: "Data_Layer_train" }
}
"""
    text += "".join(layer.text() for layer in layers[:-1])
    head = layers[-1].bottom
    for name, kind in (("cls_loss", "SoftmaxWithLossOHEM"), ("cls_Acc", "Accuracy")):
        text += (
            f'layer {{ name: "{name}" type: "{kind}" bottom: "{head}" bottom: "label"'
            f' top: "{name}" include {{ phase: TRAIN }} }}\n'
        )
    return text


def write_random_lippman1125(folder: Path, seed: int = 0) -> None:
    """Write the files of a cascade, named as in the repository; PNet's prototxt trains only."""
    for network, result in LIPPMAN1125.items():
        side = folder / network
        side.mkdir(parents=True, exist_ok=True)
        layers = caffe_layers(network, seed)
        write_caffe(side, network, layers)
        (side / f"{network}.caffemodel").rename(side / f"{result}_iter_1200000.caffemodel")
        text = training_prototxt(network, layers)
        (side / f"train{network.removesuffix('net')}.prototxt").write_text(text)
    (folder / "12net" / "12net.prototxt").unlink()


def write_random_caffe(folder: Path, seed: int = 0) -> None:
    """Write the six files of a cascade."""
    folder.mkdir(exist_ok=True)
    for network in PAPER:
        write_caffe(folder, network, caffe_layers(network, seed))
