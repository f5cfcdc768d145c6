"""What a network costs and sees, and whether stock Darknet reads it: from its layers alone."""

from __future__ import annotations

import codecs
import math

from train_mtcnn.darknet import Cfg
from train_mtcnn.layers import Layer, count_weights


def multiply_adds(layer: Layer) -> int:
    """Of a layer's convolution or dense product, for one picture; all else is little beside it."""
    weights = math.prod(layer.tensors["weights"]) if "weights" in layer.tensors else 0
    return weights * layer.shape.height * layer.shape.width


def receptive_fields(layers: list[Layer]) -> list[tuple[int | None, int | None]]:
    """What one output of each layer sees of the input.

    Returns
    -------
    For each layer the side of the square that it sees and the distance to that of the next output,
    pixels; None, None where each output sees the whole input. The square may go beyond the input:
    by paddings, and by the last window of a pooling, which may hang over.
    """
    found: list[tuple[int | None, int | None]] = []
    for layer in layers:
        seen = [found[source] if source >= 0 else (1, 1) for source in layer.inputs]
        fields = [field for field, _ in seen]
        whole = layer.type == "softmax" and not layer.options["spatial"]
        if whole or None in fields or layer.type in ("connected", "avgpool"):
            found.append((None, None))
            continue
        stride = seen[0][1]
        field = max(fields) + (layer.options.get("size", 1) - 1) * stride
        found.append((field, stride * layer.options.get("stride", 1)))
    return found


def misfit(count: int, layers: list[Layer]) -> str | None:
    """Where a `.weights` file of `count` values and a network part; None if they fit.

    A file has no names: what is wrong is the layer that is named, or one before it.
    """
    start = 0
    for index, layer in enumerate(layers):
        end = start + count_weights([layer])
        if count < end:
            return (
                f"{count:,} values end in layer {index} ({layer.type}), which takes the values"
                f" {start:,} to {end:,}; the network has {count_weights(layers):,}"
            )
        start = end
    if count > start:
        return f"{count - start:,} of {count:,} values are left over behind the last layer"
    return None


def stock_obstacles(cfg: Cfg, content: bytes = b"") -> list[str]:
    """Why stock Darknet (pjreddie's) cannot read a network; empty if it can.

    All else that read_layers takes is stock Darknet's own.

    Parameters
    ----------
    cfg
        The network.
    content
        The bytes of its file, where it has one.
    """
    found = []
    prelus = [section for section in cfg.sections if section.name == "prelu"]
    if prelus:
        where = ", ".join(str(section.line) for section in prelus if section.line)
        lines = f" ({'line' if len(prelus) == 1 else 'lines'} {where})" if where else ""
        found.append(f"[prelu]{lines}: it has no PReLU")
    if content.startswith(codecs.BOM_UTF8):
        found.append("the .cfg begins with a byte order mark: it takes that for part of the line")
    if b"\r" in content:
        found.append("lines of the .cfg end in CR LF: it takes CR for part of the line")
    return found
