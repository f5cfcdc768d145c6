"""What a training depends on besides its samples, and the learning rate that follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from train_mtcnn.augment import Augmentation
from train_mtcnn.batches import RATIOS

WEIGHTS = {"pnet": (1, 0.5, 0.5), "rnet": (1, 0.5, 0.5), "onet": (1, 0.5, 1)}  # the paper's
BATCH = {"pnet": 1024, "rnet": 256, "onet": 128}
PRECISIONS = ("auto", "float32", "bfloat16")  # auto: float16 on a GPU, float32 on the CPU


@dataclass(frozen=True)
class Settings:
    """All that a training depends on besides the samples."""

    net: str
    epochs: int = 20
    steps: int = 0  # of an epoch; 0: so many that all positives are shown about once
    batch: int = 0  # samples over all processes; 0: BATCH
    rate: float = 2e-3  # the highest learning rate
    schedule: str = "cosine"
    warmup: float = 1.0  # epochs
    decay: float = 1e-4
    average: float = 0.999  # of the weights, a step
    keep: float = 1.0
    ratios: tuple[float, ...] = tuple(RATIOS.values())
    weights: tuple[float, ...] = ()  # of the tasks; (): WEIGHTS
    batch_norm: bool = True
    prelu: bool = False
    precision: str = PRECISIONS[0]  # of the layers
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "batch", self.batch or BATCH[self.net])
        object.__setattr__(self, "weights", tuple(self.weights) or WEIGHTS[self.net])


def learning_rate(settings: Settings, epoch: float) -> float:
    """The learning rate at a moment, in epochs from the start."""
    if epoch < settings.warmup:
        return settings.rate * max(epoch / settings.warmup, 0.01)
    left = (epoch - settings.warmup) / max(settings.epochs - settings.warmup, 1e-9)
    if settings.schedule == "step":  # a tenth after 60%, a hundredth after 85%
        return settings.rate * (0.01 if left > 0.85 else 0.1 if left > 0.6 else 1)
    return settings.rate * (0.005 + 0.995 * (1 + math.cos(math.pi * min(left, 1))) / 2)
