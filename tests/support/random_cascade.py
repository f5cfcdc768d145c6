"""A cascade of random weights, for tests that need any model at all."""

from pathlib import Path

import numpy as np

from train_mtcnn.network.darknet import DARKNET_CFG, NETWORKS, Data, write_data, write_weights
from train_mtcnn.network.networks import Network


def write_random_cascade(folder: Path, seed: int = 0, **settings) -> Path:
    """Write `random.data` and its weights into `folder`; its networks are those of darknet_cfg/.

    About half of all positions look like a face to it, so use small pictures.
    """
    random = np.random.default_rng(seed)
    weights = {}
    for name in NETWORKS:
        count = Network(DARKNET_CFG / f"{name}.cfg").weights_count
        weights[name] = folder / f"{name}.weights"
        write_weights(weights[name], random.normal(0, 0.05, count))
    values = {
        "cfg": {name: DARKNET_CFG / f"{name}.cfg" for name in NETWORKS},
        "weights": weights,
        "thresholds": (0.5, 0.5, 0.3),
        "min_face": 20.0,
        "scale_factor": 0.709,
        "nms": (0.5, 0.7, 0.7, 0.7),
        "max_boxes": (65536, 16384, 16384),
        "mean": 127.5,
        "norm": 1 / 128,
        "color": "RGB",
        "pad": 0.0,
        "border": 0.0,
    }
    path = folder / "random.data"
    write_data(path, Data(**(values | settings)))
    return path
