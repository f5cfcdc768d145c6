"""A network as an ONNX graph: one function a kind of layer, entered in `_LAYERS`.

The graph is made from the layers of the cfg, like PyTorch's modules and the C core's layers. (Of
PyTorch's own exporters the older one is deprecated and freezes paddings to one size of the input,
the newer one needs further packages; the result of both depends on PyTorch's version.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from train_mtcnn.network.layers import Layer, Shape, read_layers
from train_mtcnn.network.networks import Network
from train_mtcnn.network.rewrite import without_batch_norm

OPSET = 13  # of 2020: the first with all that is needed here, and so the one that most can read
_IR_VERSION = 7  # that goes with it
_LOWEST = float(np.finfo(np.float32).min)  # outside of what a [maxpool] sees

Tensors = dict[str, np.ndarray]


class _Graph:
    """Nodes and constants so far. Values are known by their names."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.layer = ""  # the layer that is being made: names begin with it

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node of one output; returns the output."""
        output = f"{self.layer}.{kind}{len(self.nodes)}"
        node = helper.make_node(kind, inputs, [output], name=output, **attributes)
        self.nodes.append(node)
        return output

    def constant(self, name: str, values: np.ndarray) -> str:
        """Add an array."""
        name = f"{self.layer}.{name}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def number(self, value: float) -> str:
        """Add a float32."""
        return self.constant(f"number{len(self.constants)}", np.array(value, np.float32))

    def integers(self, *values: int) -> str:
        """Add a list of int64: a shape, axes or paddings."""
        return self.constant(f"integers{len(self.constants)}", np.array(values, np.int64))


# ---- activations, as in train_mtcnn/network/activations.py ---------------------------------------


def _loggy(graph: _Graph, x: str) -> str:
    doubled = graph.node("Mul", graph.node("Sigmoid", x), graph.number(2))
    return graph.node("Sub", doubled, graph.number(1))


def _ramp(graph: _Graph, x: str) -> str:
    return graph.node("Add", graph.node("Relu", x), graph.node("Mul", x, graph.number(0.1)))


def _bent(graph: _Graph, x: str, low: float, high: float, inside: float, outside: float) -> str:
    """Straight parts: slope `inside` from low to high, `outside` beyond; 0 at 0."""
    middle = graph.node("Clip", x, graph.number(low), graph.number(high))
    beyond = graph.node("Mul", graph.node("Sub", x, middle), graph.number(outside))
    return graph.node("Add", graph.node("Mul", middle, graph.number(inside)), beyond)


def _plse(graph: _Graph, x: str) -> str:
    return graph.node("Add", _bent(graph, x, -4, 4, 0.125, 0.01), graph.number(0.5))


def _stair(graph: _Graph, x: str) -> str:
    """floor(x / 2), and x - floor(x) more where floor(x) is odd."""
    floor = graph.node("Floor", x)
    half = graph.node("Floor", graph.node("Mul", x, graph.number(0.5)))
    odd = graph.node("Sub", floor, graph.node("Add", half, half))
    return graph.node("Add", half, graph.node("Mul", odd, graph.node("Sub", x, floor)))


_ACTIVATIONS: dict[str, Callable[[_Graph, str], str]] = {
    "linear": lambda graph, x: x,
    "logistic": lambda graph, x: graph.node("Sigmoid", x),
    "loggy": _loggy,
    "relu": lambda graph, x: graph.node("Relu", x),
    "elu": lambda graph, x: graph.node("Elu", x, alpha=1.0),
    "selu": lambda graph, x: graph.node("Selu", x, alpha=1.6732, gamma=1.0507),
    "relie": lambda graph, x: graph.node("LeakyRelu", x, alpha=0.01),
    "ramp": _ramp,
    "leaky": lambda graph, x: graph.node("LeakyRelu", x, alpha=0.1),
    "tanh": lambda graph, x: graph.node("Tanh", x),
    "plse": _plse,
    "stair": _stair,
    "hardtan": lambda graph, x: graph.node("Clip", x, graph.number(-1), graph.number(1)),
    "lhtan": lambda graph, x: _bent(graph, x, 0, 1, 1, 0.001),
}

# ---- layers: function(graph, layer, its tensors, its inputs) -> its output -----------------------


def _convolutional(graph: _Graph, layer: Layer, tensors: Tensors, x: str) -> str:
    options = layer.options
    y = graph.node(
        "Conv",
        x,
        *(graph.constant(name, tensors[name]) for name in ("weights", "biases")),
        kernel_shape=[options["size"]] * 2,
        strides=[options["stride"]] * 2,
        pads=[options["padding"]] * 4,
        group=options["groups"],
    )
    return _ACTIVATIONS[options["activation"]](graph, y)


def _connected(graph: _Graph, layer: Layer, tensors: Tensors, x: str) -> str:
    constants = [graph.constant(name, tensors[name]) for name in ("weights", "biases")]
    y = graph.node("Gemm", graph.node("Flatten", x, axis=1), *constants, transB=1)
    y = _ACTIVATIONS[layer.options["activation"]](graph, y)
    return graph.node("Unsqueeze", y, graph.integers(2, 3))


def _maxpool(graph: _Graph, layer: Layer, tensors: Tensors, x: str) -> str:
    size, padding = layer.options["size"], layer.options["padding"]
    before, after = padding // 2, padding - padding // 2  # `padding` counts both sides
    if after >= size:  # windows that lie outside as a whole: ONNX Runtime's MaxPool refuses them
        pads = graph.integers(0, 0, before, before, 0, 0, after, after)
        x = graph.node("Pad", x, pads, graph.number(_LOWEST))
        before = after = 0
    return graph.node(
        "MaxPool",
        x,
        kernel_shape=[size] * 2,
        strides=[layer.options["stride"]] * 2,
        pads=[before, before, after, after],
    )


def _softmax(graph: _Graph, layer: Layer, tensors: Tensors, x: str) -> str:
    groups = layer.options["groups"]
    shape = graph.node("Shape", x)
    each = layer.shape.channels // groups
    parts = (0, groups, each, -1) if layer.options["spatial"] else (0, groups, -1)
    y = graph.node("Div", x, graph.number(layer.options["temperature"]))
    y = graph.node("Softmax", graph.node("Reshape", y, graph.integers(*parts)), axis=2)
    return graph.node("Reshape", y, shape)


def _shortcut(graph: _Graph, layer: Layer, tensors: Tensors, x: str, other: str) -> str:
    return _ACTIVATIONS[layer.options["activation"]](graph, graph.node("Add", x, other))


def _route(graph: _Graph, layer: Layer, tensors: Tensors, *inputs: str) -> str:
    return inputs[0] if len(inputs) == 1 else graph.node("Concat", *inputs, axis=1)


def _prelu(graph: _Graph, layer: Layer, tensors: Tensors, x: str) -> str:
    return graph.node("PRelu", x, graph.constant("slopes", tensors["slopes"].reshape(-1, 1, 1)))


_LAYERS: dict[str, Callable[..., str]] = {
    "convolutional": _convolutional,
    "connected": _connected,
    "maxpool": _maxpool,
    "avgpool": lambda graph, layer, tensors, x: graph.node("GlobalAveragePool", x),
    "route": _route,
    "shortcut": _shortcut,
    "dropout": lambda graph, layer, tensors, x: x,
    "softmax": _softmax,
    "prelu": _prelu,
}

# ---- the model -----------------------------------------------------------------------------------


def _value(name: str, shape: Shape, sizes: tuple[str, str] | None) -> onnx.ValueInfoProto:
    """Input or output of any batch; `sizes` are the names of its height and width if they vary."""
    sides = ("batch", shape.channels, *(sizes or shape[1:]))
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, sides)


def onnx_model(network: Network, any_size: bool, metadata: dict[str, str]) -> onnx.ModelProto:
    """Make the ONNX model of a network.

    Parameters
    ----------
    network
        The network; its batch normalisation is folded, in double precision.
    any_size
        Take pictures of any height and width; else only of those of `[net]`.
    metadata
        Key -> value, to be kept in the model.

    Returns
    -------
    A checked model: `input` [batch, C, height, width] to `output` [batch, c, rows, columns], both
    float32.
    """
    layers = read_layers(without_batch_norm(network.cfg))
    values = network.tensors(fold=True)
    graph = _Graph()
    outputs = {-1: "input"}
    for index, (layer, parts) in enumerate(zip(layers, values, strict=True)):
        tensors = {name: part.astype(np.float32) for name, part in parts.items()}
        graph.layer = f"layers.{index}"
        inputs = [outputs[source] for source in layer.inputs]
        outputs[index] = _LAYERS[layer.type](graph, layer, tensors, *inputs)
    graph.nodes.append(
        helper.make_node("Identity", [outputs[len(layers) - 1]], ["output"], name="output")
    )
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "network",
            [_value("input", network.input_shape, ("height", "width") if any_size else None)],
            [_value("output", layers[-1].shape, ("rows", "columns") if any_size else None)],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR_VERSION,
        producer_name="pymtcnn",
    )
    helper.set_model_props(model, metadata)
    onnx.checker.check_model(model, full_check=True)
    return model
