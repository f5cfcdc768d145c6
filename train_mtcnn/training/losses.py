"""The multi-task loss: face or not, box, landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from train_mtcnn.data.samples import Kind

TASKS = ("face", "box", "landmarks")
_BETA = 0.05  # where the regressions' loss turns from a square to a line, in sides of the crop


@dataclass(frozen=True)
class Targets:
    """What a batch teaches.

    Attributes
    ----------
    kind : [B] uint8
        Of Kind.
    offsets : [B, 4] float32
    landmarks : [B, 10] float32
    """

    kind: Tensor
    offsets: Tensor
    landmarks: Tensor


def taught(kind: Tensor) -> dict[str, Tensor]:
    """Which samples of a batch teach each task: [B] bool, for `kind` [B]."""
    positive = kind == Kind.POSITIVE
    return {
        "face": positive | (kind == Kind.NEGATIVE),
        "box": positive | (kind == Kind.PART),
        "landmarks": kind == Kind.LANDMARK,
    }


def task_losses(output: Tensor, targets: Targets, keep: float = 1.0) -> dict[str, Tensor]:
    """The loss of each task, a mean over the samples that teach it.

    Parameters
    ----------
    output : [B, 5 or 15]
        The network's, with the probability as a logit.
    targets
    keep
        Online hard example mining: the share of the samples, those of the largest loss, that count
        for the probability; 1: all.

    Returns
    -------
    "face": binary cross-entropy; "box" and, with 15 outputs, "landmarks": smooth L1, summed over
    the coordinates. A task that no sample teaches has loss 0.
    """
    teach = taught(targets.kind)
    face, box, points = (teach[task] for task in TASKS)
    logits, truth = output[face, 0], (targets.kind[face] == Kind.POSITIVE).float()
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    if keep < 1 and len(entropy):
        entropy = entropy.topk(max(1, round(keep * len(entropy)))).values
    losses = {"face": _mean(entropy)}
    losses["box"] = _mean(_distance(output[box, 1:5], targets.offsets[box]))
    if output.shape[1] == 15:
        losses["landmarks"] = _mean(_distance(output[points, 5:], targets.landmarks[points]))
    return losses


def _mean(values: Tensor) -> Tensor:
    return values.mean() if len(values) else values.sum()


def _distance(found: Tensor, wanted: Tensor) -> Tensor:
    """Smooth L1, summed over the coordinates: [N]."""
    return F.smooth_l1_loss(found, wanted, reduction="none", beta=_BETA).sum(1)


@torch.no_grad()
def measures(output: Tensor, targets: Targets) -> dict[str, Tensor]:
    """Sums and counts for validation: name -> [sum, count]."""
    kind, score = targets.kind, output[:, 0] > 0
    positive, negative = kind == Kind.POSITIVE, kind == Kind.NEGATIVE
    box = positive | (kind == Kind.PART)
    sums = {
        "recall": score[positive].float(),
        "false_positives": score[negative].float(),
        "box_error": (output[box, 1:5] - targets.offsets[box]).abs().mean(1),
    }
    if output.shape[1] == 15:
        points = kind == Kind.LANDMARK
        found, wanted = (
            values[points].view(-1, 5, 2) for values in (output[:, 5:], targets.landmarks)
        )
        eyes = (wanted[:, 0] - wanted[:, 1]).norm(dim=1).clamp(min=1e-6)
        sums["landmark_error"] = (found - wanted).norm(dim=2).mean(1) / eyes
    return {name: torch.stack([v.sum(), v.new_tensor(len(v))]) for name, v in sums.items()}
