"""Rung 2: the C core's networks against PyTorch's, on the same input.

Tolerance: 1e-5 on probabilities, offsets and landmarks.
"""

import numpy as np
import pytest
import torch
from support.random_cascade import write_random_cascade

from pymtcnn import Network as CNetwork
from pymtcnn import read_picture
from train_mtcnn.network.darknet import NETWORKS, read_data
from train_mtcnn.network.networks import Network as TorchNetwork

TOLERANCE = 1e-5

# Heights and widths for PNet, odd ones too; RNet and ONet take their own size only.
PNET_SIZES = [(12, 12), (13, 12), (12, 17), (37, 64), (151, 203), (200, 600)]


def crops(picture, height, width, count, seed):
    """`count` parts of a picture as network input: [count, 3, height, width] float32."""
    rng = np.random.default_rng(seed)
    tall, wide = picture.shape[0] - height, picture.shape[1] - width
    assert min(tall, wide) >= 0, "the picture is too small for this test"
    parts = [
        picture[y : y + height, x : x + width]
        for y, x in zip(rng.integers(tall + 1, size=count), rng.integers(wide + 1, size=count))
    ]
    values = (np.stack(parts).astype(np.float32) - 127.5) / 128
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2))


@torch.inference_mode()
def largest_difference(cfg, weights, x):
    ours = CNetwork(cfg, weights).run(x)
    theirs = TorchNetwork.from_darknet(cfg, weights)(torch.from_numpy(x)).numpy()
    assert ours.shape == theirs.shape
    return float(np.abs(ours - theirs).max())


@pytest.fixture(params=["default", "random"])
def model(request, tmp_path):
    """The default model (PReLU), and our own networks (leaky) with random weights."""
    if request.param == "default":
        return read_data(request.getfixturevalue("default_model"))
    return read_data(write_random_cascade(tmp_path))


@pytest.mark.parametrize("name", NETWORKS)
def test_c_network_equals_torch(name, model, pictures, report_difference):
    picture = read_picture(pictures[0])
    network = CNetwork(model.cfg[name], model.weights[name])
    if name == "pnet":
        inputs = [crops(picture, *size, 1, seed=0) for size in PNET_SIZES if size[1] <= 512]
        wide = np.tile(crops(picture, 200, 300, 1, seed=1), (1, 1, 1, 2))  # several bands of im2col
        inputs += [wide, crops(picture, 61, 47, 3, seed=2)]
    else:
        side = network.input.height
        inputs = [crops(picture, side, side, count, seed=count) for count in (1, 2, 33)]
    difference = max(largest_difference(model.cfg[name], model.weights[name], x) for x in inputs)
    report_difference(f"{name}, C against PyTorch", difference, TOLERANCE)
    assert difference <= TOLERANCE


def test_batch_equals_single(model, pictures):
    """A picture's output does not depend on what else is in the batch, beyond rounding."""
    picture = read_picture(pictures[0])
    for name in NETWORKS:
        network = CNetwork(model.cfg[name], model.weights[name])
        side = network.input.height
        x = crops(picture, side, side, 7, seed=3)
        single = np.concatenate([network.run(x[i : i + 1]) for i in range(7)])
        assert np.abs(network.run(x) - single).max() <= 1e-6
