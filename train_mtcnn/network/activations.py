"""Darknet's activations, as its activations.h defines them."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def _loggy(x: Tensor) -> Tensor:
    return 2 * torch.sigmoid(x) - 1


def _selu(x: Tensor) -> Tensor:  # Darknet's rounded constants
    return torch.where(x >= 0, 1.0507 * x, 1.0507 * 1.6732 * torch.expm1(x.clamp(max=0)))


def _relie(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.01)


def _ramp(x: Tensor) -> Tensor:
    return F.relu(x) + 0.1 * x


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.1)


def _plse(x: Tensor) -> Tensor:
    middle = 0.125 * x + 0.5
    return torch.where(x < -4, 0.01 * (x + 4), torch.where(x > 4, 0.01 * (x - 4) + 1, middle))


def _stair(x: Tensor) -> Tensor:
    floor = torch.floor(x)
    half = torch.floor(x / 2)
    return torch.where(floor.remainder(2) == 0, half, x - floor + half)


def _lhtan(x: Tensor) -> Tensor:
    return torch.where(x < 0, 0.001 * x, torch.where(x > 1, 0.001 * (x - 1) + 1, x))


ACTIVATION: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda x: x,
    "logistic": torch.sigmoid,
    "loggy": _loggy,
    "relu": F.relu,
    "elu": F.elu,
    "selu": _selu,
    "relie": _relie,
    "ramp": _ramp,
    "leaky": _leaky,
    "tanh": torch.tanh,
    "plse": _plse,
    "stair": _stair,
    "hardtan": F.hardtanh,
    "lhtan": _lhtan,
}

# Those that rise with x: the function of a maximum is the maximum of the function, bit for bit.
RISING = frozenset({"leaky", "relu", "relie"})
