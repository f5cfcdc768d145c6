"""Checkpoints to a cascade: the networks stay the same, batch normalisation folded."""

import numpy as np
import pytest
import torch

from pymtcnn import Detector
from pymtcnn import Network as CoreNetwork
from pymtcnn.errors import FileError
from train_mtcnn.assemble import assemble, main
from train_mtcnn.network.checkpoint import save_checkpoint
from train_mtcnn.network.darknet import DARKNET_CFG, DEFAULT_MODEL, NETWORKS, read_cfg, read_data
from train_mtcnn.network.networks import Network
from train_mtcnn.network.rewrite import with_batch_norm, with_prelu


def trained(name, prelu=False):
    """A network with batch normalisation that has seen some steps."""
    cfg = read_cfg(DARKNET_CFG / f"{name}.cfg")
    torch.manual_seed(NETWORKS.index(name))
    network = Network(with_batch_norm(with_prelu(cfg) if prelu else cfg)).train()
    optimizer = torch.optim.SGD(network.parameters(), 0.02)
    with torch.enable_grad():
        for _ in range(5):
            output = network(torch.randn(16, *network.input_shape) * 2 + 1)
            optimizer.zero_grad()
            (output - 0.3).square().mean().backward()
            optimizer.step()
    return network.eval()


@pytest.mark.slow
@pytest.mark.parametrize("prelu", [False, True])
def test_the_cascade_is_what_was_trained(tmp_path, prelu):
    networks = [trained(name, prelu) for name in NETWORKS]
    files = [tmp_path / f"{name}.pt" for name in NETWORKS]
    for file, network in zip(files, networks):
        save_checkpoint(file, network)
    path = assemble(files, tmp_path / "made")
    data = read_data(path)
    for name, network in zip(NETWORKS, networks):
        folded = Network.from_darknet(data.cfg[name], data.weights[name])
        assert not any("scales" in key for key in folded.state_dict())
        x = torch.randn(8, *network.input_shape)
        with torch.no_grad():
            expected = network(x)
        tolerance = 1e-5 * max(1.0, float(expected.abs().max()))
        assert (folded(x) - expected).abs().max() <= tolerance
        core = CoreNetwork(data.cfg[name], data.weights[name])
        assert np.abs(core.run(x.numpy()) - expected.numpy()).max() <= tolerance
    default = read_data(DEFAULT_MODEL)
    for setting in ("thresholds", "min_face", "scale_factor", "nms", "mean", "norm", "color"):
        assert getattr(data, setting) == getattr(default, setting)


@pytest.mark.slow
def test_networks_that_are_not_there_yet_find_nothing(tmp_path, pictures):
    save_checkpoint(tmp_path / "pnet.pt", trained("pnet"))
    path = assemble([tmp_path / "pnet.pt"], tmp_path / "made", "half")
    assert path == tmp_path / "made/half.data"
    detector = Detector(path, thresholds=(0.1, 1, 1), min_face=100)
    found = detector.detect(pictures[0])
    assert len(found) == 0 and found.stages[0].name == "pnet"


def test_bad_checkpoints(tmp_path, capsys):
    (tmp_path / "pnet.pt").write_bytes(b"nothing")
    with pytest.raises(FileError, match=r"pnet\.pt: "):
        assemble([tmp_path / "pnet.pt"], tmp_path / "made")
    assert main(["--out", str(tmp_path / "made"), str(tmp_path / "pnet.pt")]) == 1
    assert capsys.readouterr().err.startswith("assemble.py: ")
    assert not (tmp_path / "made").exists()
    assert main(["--out", str(tmp_path / "made"), *["x.pt"] * 4]) == 2
    assert "at most three checkpoints" in capsys.readouterr().err


def test_all_checkpoints_are_read_before_any_is_written(tmp_path):
    for name in ("old", "pnet"):
        save_checkpoint(tmp_path / f"{name}.pt", Network(DARKNET_CFG / "pnet.cfg"))
    data = assemble([tmp_path / "old.pt"], tmp_path / "made")
    before = {path.name: path.read_bytes() for path in data.parent.iterdir()}
    with pytest.raises(FileError, match=r"rnet\.pt: cannot be read"):
        assemble([tmp_path / "pnet.pt", tmp_path / "rnet.pt"], tmp_path / "made")
    assert {path.name: path.read_bytes() for path in data.parent.iterdir()} == before
