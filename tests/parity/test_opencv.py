"""Rung 3: OpenCV 4's Darknet reader on our stock files against PyTorch."""

import cv2
import numpy as np
import pytest
import torch

from train_mtcnn.darknet import DARKNET_CFG, read_cfg, write_cfg, write_weights
from train_mtcnn.networks import Network

TOLERANCE = 1e-4

SIZES = {
    "pnet": [(12, 12), (13, 12), (17, 23), (47, 61), (120, 160), (333, 241)],
    "rnet": [(24, 24)],
    "onet": [(48, 48)],
}

if not hasattr(cv2.dnn, "readNetFromDarknet"):
    pytest.skip("OpenCV 5 reads no Darknet files", allow_module_level=True)


@pytest.mark.parametrize(
    ("name", "size"), [(n, size) for n, sizes in SIZES.items() for size in sizes]
)
def test_opencv_reads_our_files(tmp_path, report_difference, name, size):
    height, width = size
    cfg = read_cfg(DARKNET_CFG / f"{name}.cfg")
    cfg.sections[0].options |= {"height": str(height), "width": str(width)}
    network = Network(cfg).eval()
    random = np.random.default_rng(7)
    parts = []  # numbers that keep the layers' outputs near 1, so that differences would show
    for layer in network.definition:
        for part, shape in layer.tensors.items():
            scale = 0.2 if part == "biases" else np.sqrt(2 / np.prod(shape[1:]))
            parts.append(random.normal(0, scale, shape).ravel())
    network.load_weights(np.concatenate(parts))
    write_cfg(tmp_path / "x.cfg", cfg)
    write_weights(tmp_path / "x.weights", network.weights())

    reader = cv2.dnn.readNetFromDarknet(str(tmp_path / "x.cfg"), str(tmp_path / "x.weights"))
    reader.enableWinograd(False)  # it costs precision
    x = random.uniform(-1, 1, (1, 3, height, width)).astype(np.float32)
    reader.setInput(x)
    theirs = reader.forward()
    with torch.no_grad():
        ours = network(torch.from_numpy(x)).numpy()

    assert ours.shape == theirs.shape
    assert np.ptp(ours[:, 0]) > 0.01 or ours[:, 0].size == 1
    difference = np.abs(ours - theirs).max()
    report_difference(f"{name} {height}x{width}, OpenCV against PyTorch", difference, TOLERANCE)
    assert difference <= TOLERANCE
