"""What a training depends on besides its samples, and the learning rate that follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from train_mtcnn.common.dataclass_options import Range, option
from train_mtcnn.training.augment import Augmentation
from train_mtcnn.training.batches import RATIOS

WEIGHTS = {"pnet": (1, 0.5, 0.5), "rnet": (1, 0.5, 0.5), "onet": (1, 0.5, 1)}  # the paper's
BATCH = {"pnet": 1024, "rnet": 256, "onet": 128}
PRECISIONS = ("auto", "float32", "bfloat16")  # auto: float16 on a GPU, float32 on the CPU


@dataclass(frozen=True)
class Hyperparameters:
    """All that a training depends on besides the samples."""

    net: str
    epochs: int = option(20, "passes over the samples", Range(1))
    steps: int = option(0, "of an epoch", Range(0), shown="all positives about once")
    batch: int = option(0, "samples, over all processes", Range(0), shown=str(BATCH))  # 0: BATCH
    rate: float = option(2e-3, "highest learning rate", Range(0, 1, above=True, below=True))
    schedule: str = option("cosine", "of the learning rate", ("cosine", "step"))
    warmup: float = option(
        1.0, "until the learning rate is at its highest", Range(0), metavar="EPOCHS"
    )
    decay: float = option(1e-4, "weight decay", Range(0))
    average: float = option(0.999, "of the weights: how much a step keeps", Range(0, 1, below=True))
    keep: float = option(
        1.0,
        "hard example mining: the share of the samples that counts (the paper: 0.7)",
        Range(0, 1, above=True),
        metavar="SHARE",
    )
    ratios: tuple[float, ...] = option(
        tuple(RATIOS.values()),
        "of the kinds in a batch",
        Range(0),
        metavar=("POS", "NEG", "PART", "LM"),
    )
    weights: tuple[float, ...] = option(  # (): WEIGHTS
        (), "of the tasks", Range(0), metavar=("FACE", "BOX", "LM"), shown=f"the paper's, {WEIGHTS}"
    )
    batch_norm: bool = option(True, "train without batch normalisation")
    prelu: bool = option(False, "[prelu] in place of leaky (not stock Darknet)")
    precision: str = option(
        PRECISIONS[0],
        "of the layers; auto: float16 on a GPU, float32 on the CPU; bfloat16: faster on a CPU that"
        " has it",
        PRECISIONS,
    )
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = option(0, "of the random numbers", Range(0, (1 << 32) - 1))

    def __post_init__(self) -> None:
        object.__setattr__(self, "batch", self.batch or BATCH[self.net])
        object.__setattr__(self, "weights", tuple(self.weights) or WEIGHTS[self.net])


def learning_rate(settings: Hyperparameters, epoch: float) -> float:
    """The learning rate at a moment, in epochs from the start."""
    if epoch < settings.warmup:
        return settings.rate * max(epoch / settings.warmup, 0.01)
    left = (epoch - settings.warmup) / max(settings.epochs - settings.warmup, 1e-9)
    if settings.schedule == "step":  # a tenth after 60%, a hundredth after 85%
        return settings.rate * (0.01 if left > 0.85 else 0.1 if left > 0.6 else 1)
    return settings.rate * (0.005 + 0.995 * (1 + math.cos(math.pi * min(left, 1))) / 2)
