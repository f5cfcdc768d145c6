"""Batches with a fixed share of each kind of sample."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pymtcnn.errors import ArgumentError
from train_mtcnn.data.samples import KINDS, Kind, Samples
from train_mtcnn.training.losses import Targets

RATIOS = {Kind.POSITIVE: 1.0, Kind.NEGATIVE: 3.0, Kind.PART: 1.0, Kind.LANDMARK: 1.0}


def shares(batch: int, ratios: dict[Kind, float], present: set[Kind]) -> dict[Kind, int]:
    """How many samples of each kind a batch holds; kinds of ratio 0 or without samples have none.

    Raises
    ------
    ArgumentError
        If nothing can be learnt, or the batch is too small for all kinds.
    """
    used = {kind: ratio for kind, ratio in ratios.items() if ratio > 0 and kind in present}
    if Kind.POSITIVE not in used or Kind.NEGATIVE not in used:
        raise ArgumentError("there must be positive and negative samples, of ratios above 0")
    if batch < len(used):
        raise ArgumentError(f"a batch of {batch} is too small for {len(used)} kinds of samples")
    exact = {kind: batch * ratio / sum(used.values()) for kind, ratio in used.items()}
    counts = {kind: max(1, int(value)) for kind, value in exact.items()}
    by_rest = sorted(used, key=lambda kind: counts[kind] - exact[kind])
    while (short := batch - sum(counts.values())) != 0:
        kind = by_rest.pop(0) if short > 0 else max(counts, key=counts.__getitem__)
        counts[kind] += 1 if short > 0 else -1
        by_rest.append(kind)
    return counts


class Batches:
    """Endless batches of indices: each kind is gone through in an order of its own, over again.

    Parameters
    ----------
    labels : [N] of LABEL
    indices
        Those to use.
    batch
        Samples of a batch.
    ratios
        Of the kinds.
    seed

    Attributes
    ----------
    steps_per_epoch : int
        Batches that show all positives about once.
    """

    def __init__(
        self, labels: NDArray, indices: NDArray, batch: int, ratios: dict[Kind, float], seed: int
    ):
        kinds = labels["kind"][indices]
        self._pools = {kind: indices[kinds == kind] for kind in Kind}
        present = {kind for kind, pool in self._pools.items() if len(pool)}
        try:
            self._counts = shares(batch, ratios, present)
        except ArgumentError as error:
            counts = ", ".join(f"{len(pool)} {KINDS[kind]}" for kind, pool in self._pools.items())
            raise ArgumentError(f"{error}; the samples are {counts}") from None
        self._seed = seed
        positives = len(self._pools[Kind.POSITIVE])
        self.steps_per_epoch = max(1, positives // self._counts[Kind.POSITIVE])

    def epoch(self, number: int, steps: int) -> Iterator[NDArray[np.int64]]:
        """The `steps` batches [batch] of epoch `number`: they depend on both and the seed alone."""
        orders = {kind: self._order(kind, number, steps) for kind in self._counts}
        for step in range(steps):
            yield np.concatenate(
                [orders[kind][step * n : (step + 1) * n] for kind, n in self._counts.items()]
            )

    def _order(self, kind: Kind, number: int, steps: int) -> NDArray[np.int64]:
        """Indices of a kind for one epoch: its rounds go on from the epoch before."""
        pool, need = self._pools[kind], self._counts[kind] * steps
        start = number * need
        rounds = range(start // len(pool), (start + need - 1) // len(pool) + 1)
        order = np.concatenate(
            [np.random.default_rng([self._seed, kind, r]).permutation(pool) for r in rounds]
        )
        first = start - rounds[0] * len(pool)
        return order[first : first + need]


class Source:
    """Samples on the device of training where they fit there, else in their memory map.

    Parameters
    ----------
    samples
    device
    """

    def __init__(self, samples: Samples, device: torch.device):
        self.device = device
        labels = samples.labels
        self._kind = torch.from_numpy(labels["kind"].copy()).to(device)
        self._offsets = torch.from_numpy(labels["offsets"].copy()).to(device)
        self._landmarks = torch.from_numpy(labels["landmarks"].reshape(-1, 10).copy()).to(device)
        self._crops: NDArray[np.uint8] | Tensor = samples.crops
        if device.type == "cuda" and samples.crops.nbytes < torch.cuda.mem_get_info(device)[0] / 2:
            self._crops = torch.from_numpy(np.ascontiguousarray(samples.crops)).to(device)

    def kinds(self, indices: NDArray[np.int64]) -> Tensor:
        """Of Kind, [B] uint8."""
        return self._kind[torch.from_numpy(indices).to(self.device)]

    def take(self, indices: NDArray[np.int64]) -> tuple[Tensor, Targets]:
        """Pixels [B, 3, side, side] float32, 0..255, channels last in memory, and targets."""
        where = torch.from_numpy(indices).to(self.device)
        if isinstance(self._crops, Tensor):
            crops = self._crops[where]
        else:
            crops = torch.from_numpy(self._crops[indices]).to(self.device)
        targets = Targets(self._kind[where], self._offsets[where], self._landmarks[where])
        return crops.permute(0, 3, 1, 2).float(), targets
