"""The importer for isLouisHsu/MTCNN_Darknet's files, with random numbers."""

import numpy as np
import pytest
import torch
from support.mtcnn_darknet_files import MTCNN_DARKNET, write_mtcnn_darknet

import pymtcnn
from convert.import_pretrained import import_model
from pymtcnn.errors import FileError, MtcnnError
from train_mtcnn.network.darknet import NETWORKS, read_data
from train_mtcnn.network.networks import Network

TOLERANCE = 1e-5
SIZES = {"pnet": [(12, 12), (13, 40)], "rnet": [(24, 24)], "onet": [(48, 48)]}


def write(folder, shared):
    folder.mkdir()
    return {name: write_mtcnn_darknet(folder, name, shared) for name in MTCNN_DARKNET}


@pytest.mark.parametrize("shared", [True, False])
def test_imported_networks(tmp_path, shared, report_difference):
    theirs = write(tmp_path / "source", shared)
    import_model("mtcnn-darknet", tmp_path / "source", tmp_path / "out")
    data = read_data(tmp_path / "out" / "mtcnn-darknet.data")
    assert (data.mean, data.norm, data.color) == (0, 1 / 255, "BGR")
    largest = 0.0
    for name, network in zip(NETWORKS, theirs.values()):
        files = data.cfg[name], data.weights[name]
        ours, core = Network.from_darknet(*files), pymtcnn.Network(*files)
        for size in SIZES[name]:
            x = torch.rand(4, 3, *size)
            with torch.no_grad():
                y = network(x)
                y = y if y.ndim == 4 else y[:, :, None, None]
                count = 15 if name == "onet" else 5  # the landmarks of others are left out
                y = torch.cat([y[:, :1].sigmoid(), y[:, 1:count]], 1).numpy()
                outputs = ours(x).numpy(), core.run(x.numpy())
            for found in outputs:
                assert found.shape == y.shape
                difference = np.abs(found - y) / np.maximum(1, np.abs(y))
                largest = np.maximum(largest, difference.max())
    what = f"mtcnn-darknet, random, {'one slope' if shared else 'slopes by channel'}"
    report_difference(what, largest, TOLERANCE)
    assert largest < TOLERANCE


def test_folders_of_the_repository(tmp_path):
    write(tmp_path / "source", True)
    import_model("mtcnn-darknet", tmp_path / "source", tmp_path / "out")
    for kind in ("cfg", "weights"):
        (tmp_path / "source" / kind).mkdir()
        for path in (tmp_path / "source").glob(f"*.{kind}"):
            path.rename(path.parent / kind / path.name)
    assert "nothing to do" in import_model("mtcnn-darknet", tmp_path / "source", tmp_path / "out")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("padding=0", "padding=1", r"RNet\.weights: .* it ends in "),
        ("activation=linear", "activation=leaky", r"RNet\.weights: its \.cfg is not MTCNN_Dar"),
        ("pad=0\n", "pad=0\nbatch_normalize=1\n", r"RNet\.weights: its \.cfg is not MTCNN_Dark"),
        ("groups = 28", "n = 1", r"RNet\.weights: .* more than the last layer"),
    ],
)
def test_other_networks(tmp_path, old, new, message):
    write(tmp_path / "source", False)
    cfg = tmp_path / "source" / "RNet.cfg"
    cfg.write_text(cfg.read_text().replace(old, new))
    if "batch" in new:  # as many values more as that has
        with open(cfg.with_suffix(".weights"), "ab") as file:
            file.write(np.ones(3 * (28 + 48 + 64), np.float32).tobytes())
    with pytest.raises(MtcnnError, match=message):
        import_model("mtcnn-darknet", tmp_path / "source", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_missing_files(tmp_path):
    write(tmp_path / "source", True)
    (tmp_path / "source" / "ONet.weights").unlink()
    with pytest.raises(FileError, match=r"expected one ONet.weights or weights/ONet.weights"):
        import_model("mtcnn-darknet", tmp_path / "source", tmp_path / "out")
