"""The paper's networks as Caffe writes them, with random weights: .prototxt and .caffemodel."""

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


# Input's side, then the chain: convolutions (filters, kernel), poolings (window), a dense layer.
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
}
_HEADS = {
    "det1": "conv4-1:2:1 conv4-2:4:1",
    "det2": "conv5-1:2 conv5-2:4",
    "det3": "conv6-1:2 conv6-2:4 conv6-3:10",
}
_DENSE_INPUT = 9  # pixels


def caffe_layers(network: str, seed: int = 0) -> list[CaffeLayer]:
    """The layers of "det1", "det2" or "det3"."""
    random = np.random.default_rng(seed)
    layers = []
    bottom, channels, pixels = "data", 3, _DENSE_INPUT

    def add(word: str) -> CaffeLayer:
        name, *numbers = word.split(":")
        numbers = [int(number) for number in numbers]
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
        if layers[-1].type != "Pooling":
            channels = len(layers[-1].blobs[0])
        if layers[-1].type == "InnerProduct":
            pixels = 1
        bottom = layers[-1].top
    layers += [add(word) for word in _HEADS[network].split()]
    probability = _HEADS[network].partition(":")[0]
    return [*layers, CaffeLayer("prob1", "Softmax", probability, "prob1")]


def write_caffe(folder: Path, network: str, layers: list[CaffeLayer]) -> None:
    """Write NETWORK.prototxt and NETWORK.caffemodel."""
    side = _CHAINS[network][0]
    text = f'name: "{network}"\ninput: "data"\n'
    text += "".join(f"input_dim: {size}\n" for size in (1, 3, side, side))
    (folder / f"{network}.prototxt").write_text(text + "".join(layer.text() for layer in layers))
    messages = [_field(100, _message(layer)) for layer in layers]
    (folder / f"{network}.caffemodel").write_bytes(b"".join(messages))


def write_random_caffe(folder: Path, seed: int = 0) -> None:
    """Write the six files of a cascade."""
    folder.mkdir(exist_ok=True)
    for network in _CHAINS:
        write_caffe(folder, network, caffe_layers(network, seed))
