"""Networks as isLouisHsu/MTCNN_Darknet writes them, with random numbers: .cfg and .weights."""

from __future__ import annotations

import struct
from pathlib import Path

import torch
from torch import nn

# Name -> side of the input, a word a layer: convolutions (filters, kernel), poolings (window),
# dense layers (outputs); the last has no PReLU.
MTCNN_DARKNET = {
    "PNet": (12, "c10:3 p2 c16:3 c32:3 c15:1"),
    "RNet": (24, "c28:3 p3 c48:3 p3 c64:2 d128 d15"),
    "ONet": (48, "c32:3 p3 c64:3 p3 c64:3 p2 c128:2 d256 d15"),
}


def write_mtcnn_darknet(folder: Path, name: str, shared: bool, seed: int = 0) -> nn.Sequential:
    """Write NAME.cfg and NAME.weights; returns the network as its train programs have it.

    PReLU has one slope a layer where `shared` (`n = 1`, in its mtcnn/cfg), else one a channel
    (`groups = 28`, in its backup/).
    """
    torch.manual_seed(seed)
    side, words = MTCNN_DARKNET[name]
    text = f"[net]\nbatch=1\nsubdivisions=1\nheight={side}\nwidth={side}\nchannels=3\n\n"
    content = struct.pack("<4i", 0, 0, 0, 0)
    layers, channels = [], 3
    for word in words.split():
        count, _, kernel = word[1:].partition(":")
        count = int(count)
        if word[0] == "p":
            layers.append(nn.MaxPool2d(count, 2))
            side = (side - count) // 2 + 1
            text += f"# pool\n[maxpool]\nsize={count}\nstride=2\npadding=0\n\n"
            continue
        if word[0] == "c":
            layers.append(nn.Conv2d(channels, count, int(kernel)))
            side -= int(kernel) - 1
            text += f"# conv\n[convolutional]\nfilters={count}\nsize={kernel}\nstride=1\npad=0\n"
        else:
            layers += [nn.Flatten(), nn.Linear(channels * side * side, count)]
            side = 1
            text += f"# fc\n[connected]\noutput={count}\n"
        text += "activation=linear\n\n"
        channels = count
        if count != 15:
            layers.append(nn.PReLU(1 if shared else count))
            text += f"# prelu\n[prelu]\n{'n = 1' if shared else f'groups = {count}'}\n\n"
    for layer in layers:
        for part in ("bias", "weight"):
            values = getattr(layer, part, None)
            if values is not None:
                scale = 0.3 if values.ndim == 1 else values[0].numel() ** -0.5
                nn.init.normal_(values, 0, scale)
                content += values.detach().numpy().tobytes()
    (folder / f"{name}.cfg").write_text(text)
    (folder / f"{name}.weights").write_bytes(content)
    return nn.Sequential(*layers)
