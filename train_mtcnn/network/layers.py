"""What the sections of a cfg mean: each layer's inputs, options, output shape and weights.

One function a section, entered in `_SECTIONS`. Needs neither torch nor any weights; networks.py
makes modules of the result, the converters read the layout of the `.weights` file from it.

As in Darknet, options that a section does not know are ignored; those that other readers know and
that would change the result are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from pymtcnn.errors import CfgError, ModelError
from pymtcnn.settings import nearest
from train_mtcnn.network.darknet import Cfg, Section, float32, parse_decimal

ACTIVATIONS = (
    "linear",
    "logistic",
    "loggy",
    "relu",
    "elu",
    "selu",
    "relie",
    "ramp",
    "leaky",
    "tanh",
    "plse",
    "stair",
    "hardtan",
    "lhtan",
)

# Limits: far above any real network, far below what overflows.
_MAX_SIDE = 1 << 20  # of pictures
_MAX_CHANNELS = 1 << 16  # of layers, and their groups
_MAX_KERNEL = 1 << 10  # sizes, strides, paddings
_MAX_OUTPUT = (1 << 31) - 1  # values of one layer's output
_MAX_WEIGHTS = 1 << 26  # values of all layers: 256 MiB of float32
_MAX_LAYERS = 4096

# Darknet's second names
_ALIASES = {
    "conv": "convolutional",
    "max": "maxpool",
    "avg": "avgpool",
    "conn": "connected",
    "soft": "softmax",
}


class Shape(NamedTuple):
    """Shape of one picture's activations."""

    channels: int
    height: int
    width: int

    def __str__(self) -> str:
        return "x".join(map(str, self))


@dataclass(frozen=True)
class Layer:
    """One layer, with nothing left implicit.

    Attributes
    ----------
    type
        The section's full name: "convolutional", "maxpool", ...
    inputs
        The layers it reads; -1 is the network's input.
    shape
        Of its output.
    options
        Its options, read and checked, defaults filled in.
    tensors
        Name -> shape of its weights, in the order of the `.weights` file.
    """

    type: str
    inputs: tuple[int, ...]
    shape: Shape
    options: dict[str, Any]
    tensors: dict[str, tuple[int, ...]]


class _Options:
    """Reads the options of a section; each value comes with its place in the file if it is bad."""

    def __init__(self, cfg: Cfg, section: Section):
        self.cfg, self.section = cfg, section
        self.values: dict[str, int | float | str] = {}

    def error(self, message: str, option: str | None = None) -> CfgError:
        where = self.cfg.where(self.section, option)
        return CfgError(f"{where}: [{self.section.name}] {message}")

    def text(self, option: str, default: str | None = None) -> str:
        value = self.section.options.get(option, default)
        if value is None:
            raise self.error(f"has no {option}")
        self.values[option] = value
        return value

    def refuse(self, option: str, accepted: str) -> None:
        """Refuse what would change the result and is not done here."""
        value = self.section.options.get(option, accepted)
        if value != accepted:
            raise self.error(f"{option}={value} is not supported, only {option}={accepted}", option)

    def integer(self, option: str, default: int | None, low: int, high: int) -> int:
        text = self.text(option, None if default is None else str(default))
        value = int(text) if re.fullmatch(r"[+-]?[0-9]{1,4000}", text) else None
        if value is None or not low <= value <= high:
            raise self.error(f"{option}={text}; expected an integer {low}..{high}", option)
        self.values[option] = value
        return value

    def positive(self, option: str, default: float) -> float:
        text = self.text(option, str(default))
        value = parse_decimal(text)
        if not float32(value) > 0:
            raise self.error(f"{option}={text}; expected a number above 0", option)
        self.values[option] = value
        return value

    def strides(self) -> None:
        """Refuse strides that differ between the two directions."""
        stride = str(self.values["stride"])
        for option in ("stride_x", "stride_y"):
            if self.integer(option, int(stride), 1, _MAX_KERNEL) != int(stride):
                self.refuse(option, stride)
            del self.values[option]

    def activation(self) -> str:
        value = self.text("activation")  # no default: readers differ in it
        if value not in ACTIVATIONS:
            raise self.error(
                f"activation={value} is unknown; known are {', '.join(ACTIVATIONS)}", "activation"
            )
        return value

    def layers(self, option: str, index: int) -> tuple[int, ...]:
        """Absolute numbers of the layers that layer `index` names; negative ones are relative."""
        found = []
        for part in self.text(option).split(","):
            if not re.fullmatch(r"[+-]?[0-9]{1,9}", part):
                raise self.error(f"{option}: '{part}' is not the number of a layer", option)
            layer = int(part) + (index if int(part) < 0 else 0)
            if not 0 <= layer < index:
                raise self.error(
                    f"{option}: {part} is no layer before this one, which is layer {index}", option
                )
            found.append(layer)
        return tuple(found)


class _Part(NamedTuple):
    """What a section's function makes; tensors None: none; inputs None: the layer before."""

    shape: Shape
    tensors: dict[str, tuple[int, ...]] | None = None
    inputs: tuple[int, ...] | None = None


def _window(options: _Options, size: int, padding: int, kernel: int, stride: int) -> int:
    """Outputs of a window sliding over `size` values and `padding` more; never less than one."""
    if size + padding < kernel:
        raise options.error(f"its window of {kernel} does not fit into its input of {size}")
    return (size + padding - kernel) // stride + 1


_BATCH_NORM = ("scales", "means", "variances")


def _convolutional(options: _Options, index: int, shape: Shape, shapes: list[Shape]) -> _Part:
    filters = options.integer("filters", 1, 1, _MAX_CHANNELS)
    size = options.integer("size", 1, 1, _MAX_KERNEL)
    stride = options.integer("stride", 1, 1, _MAX_KERNEL)
    padding = options.integer("padding", 0, 0, _MAX_KERNEL)
    if options.integer("pad", 0, 0, 1):
        padding = options.values["padding"] = size // 2
    groups = options.integer("groups", 1, 1, _MAX_CHANNELS)
    normalize = options.integer("batch_normalize", 0, 0, 1)
    options.activation()
    for option, accepted in (("binary", "0"), ("xnor", "0"), ("flipped", "0"), ("dilation", "1")):
        options.refuse(option, accepted)
    options.refuse("antialiasing", "0")
    options.strides()
    if shape.channels % groups or filters % groups:
        raise options.error(
            f"groups={groups} does not divide {shape.channels} channels and {filters} filters",
            "groups",
        )
    height = _window(options, shape.height, 2 * padding, size, stride)
    width = _window(options, shape.width, 2 * padding, size, stride)
    tensors: dict[str, tuple[int, ...]] = {"biases": (filters,)}
    if normalize:
        tensors |= dict.fromkeys(_BATCH_NORM, (filters,))
    tensors["weights"] = (filters, shape.channels // groups, size, size)
    return _Part(Shape(filters, height, width), tensors)


def _connected(options: _Options, index: int, shape: Shape, shapes: list[Shape]) -> _Part:
    output = options.integer("output", 1, 1, _MAX_CHANNELS)
    normalize = options.integer("batch_normalize", 0, 0, 1)
    options.activation()
    tensors = {"biases": (output,), "weights": (output, math.prod(shape))}
    if normalize:  # after the weights, unlike a convolution's
        tensors |= dict.fromkeys(_BATCH_NORM, (output,))
    return _Part(Shape(output, 1, 1), tensors)


def _maxpool(options: _Options, index: int, shape: Shape, shapes: list[Shape]) -> _Part:
    stride = options.integer("stride", 1, 1, _MAX_KERNEL)
    size = options.integer("size", stride, 1, _MAX_KERNEL)
    padding = options.integer("padding", size - 1, 0, _MAX_KERNEL)  # on both sides together
    options.refuse("maxpool_depth", "0")
    options.refuse("antialiasing", "0")
    options.strides()
    height = _window(options, shape.height, padding, size, stride)
    width = _window(options, shape.width, padding, size, stride)
    return _Part(Shape(shape.channels, height, width))


def _avgpool(options: _Options, index: int, shape: Shape, shapes: list[Shape]) -> _Part:
    return _Part(Shape(shape.channels, 1, 1))  # over the whole input


def _route(options: _Options, index: int, shape: Shape, shapes: list[Shape]) -> _Part:
    inputs = options.layers("layers", index)
    options.refuse("groups", "1")
    first = shapes[inputs[0]]
    for layer in inputs:
        if shapes[layer][1:] != first[1:]:
            raise options.error(
                f"joins layer {inputs[0]} ({first}) and layer {layer} ({shapes[layer]}), which"
                " differ in height or width",
                "layers",
            )
    channels = sum(shapes[layer].channels for layer in inputs)
    return _Part(Shape(channels, *first[1:]), inputs=inputs)


def _shortcut(options: _Options, index: int, shape: Shape, shapes: list[Shape]) -> _Part:
    inputs = options.layers("from", index)
    options.activation()
    for option, accepted in (("alpha", "1"), ("beta", "1"), ("weights_type", "none")):
        options.refuse(option, accepted)
    if len(inputs) != 1 or shapes[inputs[0]] != shape:
        raise options.error(
            f"from={options.values['from']}; expected one layer of the shape {shape}", "from"
        )
    return _Part(shape, inputs=(index - 1, *inputs))


def _dropout(options: _Options, index: int, shape: Shape, shapes: list[Shape]) -> _Part:
    options.text("probability", "0.5")  # for training; detection does not read it
    return _Part(shape)


def _softmax(options: _Options, index: int, shape: Shape, shapes: list[Shape]) -> _Part:
    groups = options.integer("groups", 1, 1, _MAX_CHANNELS)
    options.integer("spatial", 0, 0, 1)  # 1: over the channels of each pixel
    options.positive("temperature", 1)
    if options.section.options.get("tree"):
        raise options.error("tree is not supported", "tree")
    if shape.channels % groups:
        raise options.error(f"groups={groups} does not divide {shape.channels} channels", "groups")
    return _Part(shape)


def _prelu(options: _Options, index: int, shape: Shape, shapes: list[Shape]) -> _Part:
    slopes = options.integer("groups", 1, 1, _MAX_CHANNELS)
    if slopes not in (1, shape.channels):
        raise options.error(
            f"groups={slopes}; expected 1 or its {shape.channels} channels", "groups"
        )
    return _Part(shape, {"slopes": (slopes,)})


_SECTIONS: dict[str, Callable[[_Options, int, Shape, list[Shape]], _Part]] = {
    "convolutional": _convolutional,
    "connected": _connected,
    "maxpool": _maxpool,
    "avgpool": _avgpool,
    "route": _route,
    "shortcut": _shortcut,
    "dropout": _dropout,
    "softmax": _softmax,
    "prelu": _prelu,
}


def input_shape(cfg: Cfg) -> Shape:
    """The input that `[net]` gives. Raises CfgError."""
    options = _Options(cfg, cfg.sections[0])
    shape = Shape(
        options.integer("channels", None, 1, _MAX_CHANNELS),
        options.integer("height", None, 1, _MAX_SIDE),
        options.integer("width", None, 1, _MAX_SIDE),
    )
    if math.prod(shape) > _MAX_OUTPUT:
        raise options.error(f"its input of {shape} values is too large")
    return shape


def read_layers(cfg: Cfg, height: int | None = None, width: int | None = None) -> list[Layer]:
    """Work out every layer of a network.

    Parameters
    ----------
    cfg
        The network. Options of `[net]` other than its shape concern training and do not count.
    height, width
        Size of the input, pixels; None for the cfg's own.

    Returns
    -------
    One Layer for each section after `[net]`.

    Raises
    ------
    CfgError
        If a section is unknown, a value is outside its range, or shapes do not fit; the message
        names file and line.
    """
    net = input_shape(cfg)
    if len(cfg.sections) - 1 > _MAX_LAYERS:
        raise CfgError(f"{cfg.path}: more than {_MAX_LAYERS} layers")
    net = Shape(net.channels, height or net.height, width or net.width)
    layers: list[Layer] = []
    shapes: list[Shape] = []
    total = 0
    for index, section in enumerate(cfg.sections[1:]):
        options = _Options(cfg, section)
        kind = _ALIASES.get(section.name, section.name)
        if kind not in _SECTIONS:
            near = nearest(section.name, _SECTIONS)
            remedy = f"did you mean [{near}]?" if near else f"known are {', '.join(_SECTIONS)}"
            raise CfgError(f"{cfg.where(section)}: unknown section [{section.name}]; {remedy}")
        part = _SECTIONS[kind](options, index, shapes[-1] if shapes else net, shapes)
        tensors = part.tensors or {}
        total += sum(math.prod(shape) for shape in tensors.values())
        if part.shape.channels > _MAX_CHANNELS or math.prod(part.shape) > _MAX_OUTPUT:
            raise options.error(f"its output of {part.shape} values is too large")
        if total > _MAX_WEIGHTS:
            raise options.error(f"the network has more than {_MAX_WEIGHTS} weights up to here")
        inputs = (index - 1,) if part.inputs is None else part.inputs
        layers.append(Layer(kind, inputs, part.shape, options.values, tensors))
        shapes.append(part.shape)
    if not layers:
        raise CfgError(f"{cfg.path}: no layers after [net]")
    return layers


def resized_layers(cfg: Cfg, height: int, width: int) -> list[Layer]:
    """The layers of a network for an input of another size, with the weights that it has.

    Raises
    ------
    CfgError, ModelError
        If the cfg makes no sense, or the network does not take that size.
    """
    layers = read_layers(cfg, height, width)
    for index, (layer, own) in enumerate(zip(layers, read_layers(cfg), strict=True)):
        if layer.tensors != own.tensors:
            raise ModelError(
                f"{cfg.path}: layer {index} ({layer.type}) is made for inputs of"
                f" {input_shape(cfg)}; it cannot take {height}x{width} pixels"
            )
    return layers


def count_weights(layers: list[Layer]) -> int:
    """How many values the network's `.weights` file holds after its header."""
    return sum(math.prod(shape) for layer in layers for shape in layer.tensors.values())


def weight_parts(layers: list[Layer]) -> dict[str, int]:
    """What the network's `.weights` file holds after its header: part -> values, in order."""
    return {
        f"layer {index} ({layer.type}), {name}": math.prod(shape)
        for index, layer in enumerate(layers)
        for name, shape in layer.tensors.items()
    }
