"""Augmentation of whole batches, on the device where they are.

All random numbers are drawn for the whole batch first, from one generator, so that processes that
share a batch change each sample as one process would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from train_mtcnn.common.dataclass_options import Range, option
from train_mtcnn.training.losses import Targets

_MIRRORED = [1, 0, 2, 4, 3]  # the left eye of a mirrored face was the right one


_SHARE = Range(0, 1)
_CHANCE = "augmentation: probability of a sample"


@dataclass(frozen=True)
class Augmentation:
    """How much is changed; 0 turns a part off."""

    flip: float = option(0.5, f"{_CHANCE} to be mirrored", _SHARE)
    colour: float = option(
        0.25,
        "augmentation: brightness, contrast and each channel change by up to this share",
        _SHARE,
    )
    grey: float = option(0.05, f"{_CHANCE} to be grey", _SHARE)
    blur: float = option(0.15, f"{_CHANCE} to have half the resolution", _SHARE)
    sharpen: float = option(0.1, f"{_CHANCE} to be sharpened", _SHARE)
    compression: float = option(0.1, f"{_CHANCE} to be quantised as in JPEG", _SHARE)
    scale: float = option(
        0.05, "augmentation: zoom and shift by up to this share of the side", Range(0, 0.5)
    )
    cut: float = option(0.1, f"{_CHANCE} to be black beyond a line, as outside a picture", _SHARE)


def augment(
    pixels: Tensor,
    targets: Targets,
    how: Augmentation,
    generator: torch.Generator,
    part: slice = slice(None),
    whole: int | None = None,
) -> tuple[Tensor, Targets]:
    """Change a batch.

    Parameters
    ----------
    pixels : [B, 3, side, side] float32
        0..255.
    targets
    how
    generator
        Of the CPU.
    part, whole
        The batch is this part of one of `whole` samples.

    Returns
    -------
    Pixels and targets of the same shapes.
    """
    count = len(pixels) if whole is None else whole

    def draw(*shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=generator)[part].to(pixels.device)

    def chance(probability: float) -> Tensor:
        return draw() < probability

    zoom, shift = draw() * 2 - 1, draw(2) * 2 - 1
    flipped, grey, blurred, compressed, sharp, cut = (
        chance(value)
        for value in (how.flip, how.grey, how.blur, how.compression, how.sharpen, how.cut)
    )
    quality, light, strength, lines = draw(), draw(5) * 2 - 1, draw(), draw(4)
    if how.scale:
        pixels, targets = _zoom(pixels, targets, 1 + how.scale * zoom, how.scale * shift)
    pixels, targets = _flip(pixels, targets, flipped)
    if how.colour:
        pixels = _colour(pixels, how.colour * light)
    for chosen, change, *values in (
        (grey, _grey),
        (blurred, _blur),
        (sharp, _sharpen, strength),
        (compressed, _compress, quality),
        (cut, _cut, lines),
    ):
        pixels = _some(pixels, chosen, change, *values)
    return pixels.clamp(0, 255), targets


def _some(pixels: Tensor, chosen: Tensor, change: Callable[..., Tensor], *others: Tensor) -> Tensor:
    """`change` the chosen samples; `others` are one value a sample."""
    if not chosen.any():
        return pixels
    pixels = pixels.clone(memory_format=torch.preserve_format)
    pixels[chosen] = change(pixels[chosen], *(values[chosen] for values in others))
    return pixels


def _zoom(pixels: Tensor, targets: Targets, zoom: Tensor, shift: Tensor) -> tuple[Tensor, Targets]:
    """Look at a part of the crop, of side `zoom` [B], moved by `shift` [B, 2]; both in sides."""
    theta = torch.zeros(len(pixels), 2, 3, device=pixels.device)
    theta[:, 0, 0] = theta[:, 1, 1] = zoom
    theta[:, :, 2] = 2 * shift
    grid = F.affine_grid(theta, list(pixels.shape), align_corners=False)
    pixels = F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    corner = (0.5 + shift - zoom[:, None] / 2).repeat(1, 2)  # of the part
    ends = pixels.new_tensor([0, 0, 1, 1])
    offsets = (targets.offsets + ends - corner) / zoom[:, None] - ends
    landmarks = (targets.landmarks - corner[:, :2].repeat(1, 5)) / zoom[:, None]
    return pixels, Targets(targets.kind, offsets, landmarks)


def _flip(pixels: Tensor, targets: Targets, chosen: Tensor) -> tuple[Tensor, Targets]:
    pixels = torch.where(chosen[:, None, None, None], pixels.flip(3), pixels)
    offsets = targets.offsets[:, [2, 1, 0, 3]] * targets.offsets.new_tensor([-1, 1, -1, 1])
    points = targets.landmarks.view(-1, 5, 2)[:, _MIRRORED]
    points = torch.stack([1 - points[..., 0], points[..., 1]], 2).flatten(1)
    chosen = chosen[:, None]
    return pixels, Targets(
        targets.kind,
        torch.where(chosen, offsets, targets.offsets),
        torch.where(chosen, points, targets.landmarks),
    )


def _colour(pixels: Tensor, amounts: Tensor) -> Tensor:
    """Brightness, contrast and the channels' strengths by `amounts` [B, 5]."""
    gain = (1 + amounts[:, 1:2]) * (1 + amounts[:, 2:5] / 2)
    bias = 127.5 * (amounts[:, :1] - amounts[:, 1:2])
    return pixels * gain[:, :, None, None] + bias[:, :, None, None]


def _grey(pixels: Tensor) -> Tensor:
    weights = pixels.new_tensor([0.299, 0.587, 0.114])[:, None, None]
    return (pixels * weights).sum(1, keepdim=True).expand_as(pixels)


def _blur(pixels: Tensor) -> Tensor:
    side = pixels.shape[2]
    small = F.interpolate(pixels, size=side // 2, mode="area")
    return F.interpolate(small, size=side, mode="bilinear", align_corners=False)


def _sharpen(pixels: Tensor, strength: Tensor) -> Tensor:
    """Add up to the difference from the mean of 3x3 pixels (unsharp masking)."""
    smooth = F.avg_pool2d(F.pad(pixels, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return pixels + strength[:, None, None, None] * (pixels - smooth)


def _cut(pixels: Tensor, lines: Tensor) -> Tensor:
    """Black beyond lines near the sides, `lines` [B, 4]: of each side, half keep everything."""
    side = pixels.shape[2]
    depth = ((lines - 0.5).clamp(min=0) / 2 * side).round()  # left, top, right, bottom: a quarter
    place = torch.arange(side, device=pixels.device)
    columns, rows = (
        (place >= depth[:, i, None]) & (place < side - depth[:, i + 2, None]) for i in (0, 1)
    )
    return pixels * (rows[:, :, None] & columns[:, None, :])[:, None]


# JPEG's luminance table (ISO/IEC 10918-1, table K.1), at quality 50.
_TABLE = """16 11 10 16 24 40 51 61  12 12 14 19 26 58 60 55  14 13 16 24 40 57 69 56
14 17 22 29 51 87 80 62  18 22 37 56 68 109 103 77  24 35 55 64 81 104 113 92
49 64 78 87 103 121 120 101  72 92 95 98 112 100 103 99"""


def _compress(pixels: Tensor, quality: Tensor) -> Tensor:
    """Round the coefficients of each 8x8 block, as JPEG does at qualities of about 25 to 75."""
    side = pixels.shape[2]
    padded = F.pad(pixels, (0, -side % 8, 0, -side % 8), mode="replicate")
    n = torch.arange(8, device=pixels.device, dtype=torch.float32)
    transform = torch.cos((2 * n + 1) * n[:, None] * torch.pi / 16) / 2
    transform[0] /= 2**0.5
    blocks = padded.unfold(2, 8, 8).unfold(3, 8, 8)  # [B, 3, rows, columns, 8, 8]
    step = torch.tensor([float(v) for v in _TABLE.split()], device=pixels.device).view(8, 8)
    step = step * 2 ** (1 - 2 * quality)[:, None, None, None, None, None]
    made = transform @ (blocks - 128) @ transform.T
    made = transform.T @ ((made / step).round() * step) @ transform + 128
    made = made.transpose(3, 4).flatten(4, 5).flatten(2, 3)
    return made[:, :, :side, :side]
