"""What a network costs and sees, and whether stock Darknet reads it: from its layers alone."""

from __future__ import annotations

import codecs
import math
import re
from typing import Any

from train_mtcnn.network.darknet import Cfg
from train_mtcnn.network.layers import Layer, count_weights, read_layers
from train_mtcnn.network.rewrite import with_batch_norm, with_prelu, without_batch_norm


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
        stride: Any = seen[0][1]
        field = max(f for f in fields if f) + (layer.options.get("size", 1) - 1) * stride
        found.append((field, stride * layer.options.get("stride", 1)))
    return found


_VARIANTS = {
    "[prelu] for leaky": with_prelu,
    "batch normalisation": with_batch_norm,
    "no batch normalisation": without_batch_norm,
}


def misfit(count: int, cfg: Cfg) -> str | None:
    """Where a `.weights` file of `count` values and a network part; None if they fit.

    The file has no names: what is wrong is the layer that is named, or one before it.
    """
    layers = read_layers(cfg)
    total = count_weights(layers)
    if count == total:
        return None
    text = f"the file has {count:,} values, {cfg.path} takes {total:,}: "
    start = 0
    for index, layer in enumerate(layers):
        end = start + count_weights([layer])
        if count < end:
            text += f"they end in layer {index} ({layer.type}), which takes {start:,} to {end:,}"
            break
        start = end
    else:
        text += f"{count - total:,} are left over behind the last layer"
    for name, rewrite in _VARIANTS.items():
        if count == count_weights(read_layers(rewrite(cfg))):
            text += f"; they would fit the network with {name}"
    return text


_COMMENT_BEHIND = re.compile(rb"^\s*[^\s#;][^#;]*[#;]")


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
    if any(_COMMENT_BEHIND.search(line) for line in content.splitlines()):
        found.append("comments stand behind values: it takes them for part of the values")
    if b"\r" in content:
        found.append("lines of the .cfg end in CR LF: it takes CR for part of the line")
    return found
