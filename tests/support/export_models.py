"""The models that exports are tested with: name -> its three networks as they are converted."""

from pathlib import Path

import numpy as np
import pytest

from convert.import_pretrained import import_model
from convert.model_sources import Source, read_checkpoint_source, read_model
from support.skips import absent
from train_mtcnn.network.checkpoint import save_checkpoint
from train_mtcnn.network.darknet import DARKNET_CFG, NETWORKS, Cfg, read_cfg
from train_mtcnn.network.networks import Network
from train_mtcnn.network.rewrite import with_batch_norm, with_prelu

# "trained": our own checkpoints; "leaky" to "batch-norm": random numbers; the others: published.
# (facenet-pytorch and ipazc have the same weights as caffe.)
MODELS = ("trained", "leaky", "prelu", "batch-norm", "caffe", "mtcnn-sysu")
_PUBLISHED = {"caffe": "caffe-original", "mtcnn-sysu": "mtcnn-sysu"}  # folder in $MTCNN_MODELS
_RANDOM = {
    "leaky": lambda cfg: cfg,
    "prelu": with_prelu,
    "batch-norm": lambda cfg: with_batch_norm(with_prelu(cfg)),
}


def random_network(cfg: Cfg | Path, seed: int = 0) -> Network:
    """A network whose layers' outputs stay near 1; slopes inside and outside of 0..1."""
    network = Network(cfg)
    random = np.random.default_rng(seed)
    parts = [np.empty(0)]
    for layer in network.definition:
        for name, shape in layer.tensors.items():
            if name in ("slopes", "means", "biases"):
                low, high = (-1, 1.5) if name == "slopes" else (-0.3, 0.3)
                part = random.uniform(low, high, shape)
            elif name == "weights":
                part = random.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape)
            else:  # scales and variances
                part = random.uniform(0.5, 1, shape)
            parts.append(part.ravel())
    network.load_weights(np.concatenate(parts))
    return network.eval()


def read_test_model(name: str, folder: Path, request: pytest.FixtureRequest) -> dict[str, Source]:
    """The networks of a model, made in `folder`; skips where its data are not there."""
    if name == "trained":
        found = DARKNET_CFG / "training"
        return {net: read_checkpoint_source(found / f"{net}.pt") for net in NETWORKS}
    if name in _RANDOM:
        for seed, net in enumerate(NETWORKS):
            cfg = _RANDOM[name](read_cfg(DARKNET_CFG / f"{net}.cfg"))
            save_checkpoint(folder / f"{net}.pt", random_network(cfg, seed))
        return {net: read_checkpoint_source(folder / f"{net}.pt") for net in NETWORKS}
    source = request.getfixturevalue("models_dir") / _PUBLISHED[name]
    if not source.is_dir():
        absent(str(source))
    import_model(name, source, folder / name)
    return read_model(folder / name / f"{name}.data")[1]
