"""How far what was written of a network is from the network: both on the same noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from pymtcnn.errors import CfgError, ModelError
from train_mtcnn.network.network_input import Input
from train_mtcnn.network.networks import Network

TOLERANCE = 1e-5  # against PyTorch; where values exceed 1, in parts of the largest


def other_size(network: Network) -> tuple[int, int]:
    """Height and width of some other picture than that of its `[net]`."""
    _, height, width = network.input_shape
    return 2 * height + 5, 3 * width + 2


def takes_any_size(network: Network) -> bool:
    """Whether a network takes pictures of another size than that of its `[net]`."""
    try:
        network.shape(*other_size(network))
    except (CfgError, ModelError):
        return False
    return True


def largest_difference(
    run: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    network: Network,
    fed: Input,
    any_size: bool,
    run_fed: Input | None = None,
) -> float:
    """Run what was written of a network, and compare it with the network in PyTorch.

    Parameters
    ----------
    run
        Runs what was written: [B, C, H, W] -> [B, c, h, w].
    network
        The network that it should be.
    fed
        What the network takes: on other values than those that it was trained on, differences in
        rounding may grow large.
    any_size
        Try another size than that of `[net]`, too.
    run_fed
        What `run` takes; None: the same.

    Returns
    -------
    The largest difference of any output, in parts of the largest output where this is above 1.
    """
    shape = network.input_shape
    shapes = [(1, *shape), (7, *shape)]
    if any_size:
        shapes.append((2, shape.channels, *other_size(network)))
    random = np.random.default_rng(0)
    largest = 0.0
    for sides in shapes:
        pixels = random.uniform(0, 255, sides)
        with torch.no_grad():
            expected = network(torch.from_numpy(_input(pixels, fed))).numpy()
        run_pixels = pixels
        if run_fed and run_fed.color != fed.color:
            run_pixels = pixels[:, ::-1]
        found = run(_input(run_pixels, run_fed or fed))
        difference = np.abs(found - expected).max() / max(1, np.abs(expected).max())
        largest = np.maximum(largest, difference).item()  # NaN, too
    return largest


def _input(pixels: NDArray[np.float64], fed: Input) -> NDArray[np.float32]:
    """Pixels as a network takes them."""
    return np.ascontiguousarray((pixels - fed.mean) * fed.norm, np.float32)
