"""Networks as ONNX: what ONNX Runtime makes of them is what PyTorch makes of the network."""

import os
import subprocess
import sys

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from support import ROOT
from support.random_cascade import write_random_cascade

from convert import torch2onnx
from pymtcnn.errors import ArgumentError, FileError, ModelError, MtcnnError
from train_mtcnn.cascade.cascade_networks import load_networks
from train_mtcnn.network.checkpoint import save_checkpoint
from train_mtcnn.network.darknet import (
    DARKNET_CFG,
    NETWORKS,
    parse_cfg,
    read_cfg,
    read_data,
    write_cfg,
    write_weights,
)
from train_mtcnn.network.layers import ACTIVATIONS
from train_mtcnn.network.networks import Network
from train_mtcnn.network.rewrite import with_batch_norm, with_floor_pooling, with_prelu

TOLERANCE = 1e-5
SIZES = {"pnet": [(12, 12), (13, 40), (61, 78)], "rnet": [(24, 24)], "onet": [(48, 48)]}


def random_network(cfg, seed=0):
    """A network with random weights of a size that keeps values near 1, batch normalisation too."""
    network = Network(cfg)
    torch.manual_seed(seed)
    for name, tensor in network.state_dict().items():
        if name.endswith("variances"):
            tensor.uniform_(0.3, 3)
        elif name.endswith(("slopes", "scales")):
            tensor.uniform_(0.1, 1.5)
        elif not name.endswith("weights"):
            tensor.normal_(0, 0.3)
    return network.eval()


def session(path):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def difference(path, network, shape, seed=1):
    """The largest difference on noise of a batch's shape, where values exceed 1 in their parts."""
    x = np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(x)).numpy()
    (found,) = session(path).run(["output"], {"input": x})
    assert found.shape == expected.shape and found.dtype == np.float32
    assert np.ptp(expected) > 0.01  # all alike would say nothing
    return float(np.abs(found - expected).max() / max(1, np.abs(expected).max()))


REWRITES = {
    "leaky": lambda cfg: cfg,
    "prelu": with_prelu,
    "shared prelu, floor pooling": lambda cfg: with_floor_pooling(with_prelu(cfg, shared=True)),
    "batch norm": with_batch_norm,
    "prelu, batch norm": lambda cfg: with_batch_norm(with_prelu(cfg)),
}


@pytest.mark.slow
@pytest.mark.parametrize("rewrite", REWRITES)
@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name, rewrite, tmp_path, report_difference):
    network = random_network(REWRITES[rewrite](read_cfg(DARKNET_CFG / f"{name}.cfg")))
    save_checkpoint(tmp_path / "a.pt", network)
    (line,) = torch2onnx.convert(tmp_path / "a.pt")
    assert " from PyTorch at most" in line
    assert {path.name for path in tmp_path.iterdir()} == {"a.pt", "a.onnx"}
    largest = max(
        difference(tmp_path / "a.onnx", network, (batch, 3, *size))
        for size in SIZES[name]
        for batch in (1, 7)
    )
    report_difference(f"ONNX Runtime against PyTorch, {name}, {rewrite}", largest, TOLERANCE)
    assert largest < TOLERANCE


def test_default_model(default_model, tmp_path, report_difference):
    lines = torch2onnx.convert(default_model, out=tmp_path)
    assert [line.split(" -> ")[1].split(":")[0] for line in lines] == [
        str(tmp_path / f"{name}.onnx") for name in NETWORKS
    ]
    for name, network in load_networks(read_data(default_model)).items():
        shapes = [(5, 3, *size) for size in SIZES[name]]
        largest = max(difference(tmp_path / f"{name}.onnx", network, shape) for shape in shapes)
        report_difference(f"ONNX Runtime against PyTorch, default {name}", largest, TOLERANCE)
        assert largest < TOLERANCE


NET = "[net]\nwidth=9\nheight=7\nchannels=4\n"
CONV = "[convolutional]\nfilters=6\nsize=3\nstride=1\npad=1\nactivation={}\n"
LAYERS = {
    **{activation: CONV.format(activation) for activation in ACTIVATIONS},
    "groups": "[convolutional]\nfilters=6\nsize=2\nstride=2\npadding=1\ngroups=2\n"
    "activation=relu\n",
    "maxpool": "[maxpool]\nsize=2\nstride=2\npadding=0\n",
    "darknet's padding": "[maxpool]\nsize=3\nstride=2\n",
    "padding=1": "[maxpool]\nsize=3\nstride=2\npadding=1\n",
    "wide padding": "[maxpool]\nsize=2\nstride=1\npadding=3\n",
    "stride 1": "[maxpool]\nsize=4\nstride=1\n",
    "avgpool": "[avgpool]\n",
    "softmax": "[softmax]\ngroups=2\ntemperature=0.5\n",
    "spatial softmax": "[softmax]\nspatial=1\ngroups=2\n",
    "dropout": "[dropout]\nprobability=0.3\n",
    "prelu": "[prelu]\ngroups=4\n",
    "shortcut": CONV.format("leaky").replace("6", "4")
    + CONV.format("linear").replace("6", "4")
    + "[shortcut]\nfrom=-2\nactivation=tanh\n",
    "route": CONV.format("relu")
    + "[route]\nlayers=0\n"
    + CONV.format("elu")
    + "[route]\nlayers=-1,0\n",
    "connected": "[connected]\noutput=5\nbatch_normalize=1\nactivation=leaky\n",
    "pooled, then connected": "[avgpool]\n[connected]\noutput=5\nactivation=linear\n",
}


@pytest.mark.parametrize("kind", LAYERS)
def test_layers(kind, tmp_path):
    network = random_network(parse_cfg(NET + LAYERS[kind]))
    save_checkpoint(tmp_path / "a.pt", network)
    (line,) = torch2onnx.convert(tmp_path / "a.pt")
    path = tmp_path / "a.onnx"
    assert difference(path, network, (3, 4, 7, 9)) < TOLERANCE
    if kind == "connected":
        assert "(this size only)" in line
        with pytest.raises(Exception, match="Got invalid dimensions"):
            session(path).run(None, {"input": np.zeros((1, 4, 7, 10), np.float32)})
    else:
        assert "(any size)" in line
        for size in ((10, 8), (11, 13)):
            assert difference(path, network, (2, 4, *size)) < TOLERANCE


@pytest.mark.slow
def test_activations_at_their_bends(tmp_path):
    """Noise seldom comes near them."""
    x = np.arange(-8, 8, 0.25, dtype=np.float32).reshape(1, 1, 8, 8)
    for activation in ACTIVATIONS:
        cfg = f"[net]\nwidth=8\nheight=8\nchannels=1\n[convolutional]\nactivation={activation}\n"
        network = Network(parse_cfg(cfg)).eval()
        network.load_weights(np.array([0, 1], np.float32))
        save_checkpoint(tmp_path / "a.pt", network)
        torch2onnx.convert(tmp_path / "a.pt", force=True)
        with torch.no_grad():
            expected = network(torch.from_numpy(x)).numpy()
        (found,) = session(tmp_path / "a.onnx").run(None, {"input": x})
        assert np.abs(found - expected).max() < TOLERANCE, activation


def test_windows_that_lie_outside(tmp_path):
    """What is outside of a [maxpool] is the lowest float32, as in Darknet."""
    cfg = "[net]\nwidth=3\nheight=3\nchannels=1\n[maxpool]\nsize=1\nstride=1\npadding=2\n"
    save_checkpoint(tmp_path / "a.pt", Network(parse_cfg(cfg)))
    torch2onnx.convert(tmp_path / "a.pt")
    (y,) = session(tmp_path / "a.onnx").run(None, {"input": np.ones((1, 1, 3, 3), np.float32)})
    assert y.shape == (1, 1, 5, 5)
    assert (y[0, 0, 0] == np.finfo(np.float32).min).all() and (y[0, 0, 1:4, 1:4] == 1).all()


# ---- what the files say --------------------------------------------------------------------------


def shapes(path):
    """Names and shapes of input and output."""
    runtime = session(path)
    (first,), (last,) = runtime.get_inputs(), runtime.get_outputs()
    return first.name, first.shape, last.name, last.shape


def test_a_whole_cascade(tmp_path):
    model = write_random_cascade(tmp_path, color="BGR", mean=0.0, norm=1 / 255)
    assert torch2onnx.main([str(model)]) == 0
    assert shapes(tmp_path / "pnet.onnx") == (
        *("input", ["batch", 3, "height", "width"]),
        *("output", ["batch", 5, "rows", "columns"]),
    )
    assert shapes(tmp_path / "rnet.onnx")[1::2] == (["batch", 3, 24, 24], ["batch", 5, 1, 1])
    assert shapes(tmp_path / "onet.onnx")[1::2] == (["batch", 3, 48, 48], ["batch", 15, 1, 1])
    said = session(tmp_path / "pnet.onnx").get_modelmeta().custom_metadata_map
    assert (said["color"], said["mean"], float(said["norm"])) == ("BGR", "0.0", 1 / 255)
    assert (said["cell"], said["stride"]) == ("12", "2")
    assert "BGR: (v - 0.0) * 0.00392156862745098, v in 0..255" in said["input"]
    assert "probability, dx1, dy1, dx2, dy2;" in said["output"]
    said = session(tmp_path / "onet.onnx").get_modelmeta().custom_metadata_map
    assert "dy2, left_eye_x, left_eye_y," in said["output"] and "right_mouth_y;" in said["output"]


def test_options_of_a_single_network(tmp_path):
    network = random_network(DARKNET_CFG / "pnet.cfg")
    write_weights(tmp_path / "a.weights", network.weights())
    write_cfg(tmp_path / "b.cfg", network.cfg)
    command = [str(tmp_path / "a.weights"), "--cfg", str(tmp_path / "b.cfg")]
    out = tmp_path / "c.onnx"
    assert torch2onnx.main([*command, "--out", str(out), "--fixed-size", "--color", "BGR"]) == 0
    assert shapes(out)[1::2] == (["batch", 3, 12, 12], ["batch", 5, 1, 1])
    said = session(out).get_modelmeta().custom_metadata_map
    assert (said["color"], said["mean"], said["norm"]) == ("BGR", "127.5", "0.0078125")
    (tmp_path / "b.cfg").rename(tmp_path / "a.cfg")  # beside the weights: found
    torch2onnx.convert(tmp_path / "a.weights")
    assert difference(tmp_path / "a.onnx", network, (2, 3, 15, 18)) < TOLERANCE


def test_old_readers_can_read_them(tmp_path):
    save_checkpoint(tmp_path / "a.pt", random_network(DARKNET_CFG / "onet.cfg"))
    torch2onnx.convert(tmp_path / "a.pt")
    model = onnx.load(tmp_path / "a.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 13)]
    assert model.ir_version == 7
    assert {c.data_type for c in model.graph.initializer} == {onnx.TensorProto.FLOAT}


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_opencv_reads_them(name, tmp_path, report_difference):
    network = random_network(with_prelu(read_cfg(DARKNET_CFG / f"{name}.cfg")))
    save_checkpoint(tmp_path / "a.pt", network)
    torch2onnx.convert(tmp_path / "a.pt")
    largest = 0.0
    for size in SIZES[name]:
        reader = cv2.dnn.readNetFromONNX(str(tmp_path / "a.onnx"))
        if hasattr(reader, "enableWinograd"):
            reader.enableWinograd(False)  # it costs precision
        x = np.random.default_rng(1).uniform(-1, 1, (7, 3, *size)).astype(np.float32)
        reader.setInput(x)
        with torch.no_grad():
            expected = network(torch.from_numpy(x)).numpy()
        found = reader.forward()
        assert found.shape == expected.shape
        difference = np.abs(found - expected).max() / max(1, np.abs(expected).max())
        largest = np.maximum(largest, difference)
    report_difference(f"OpenCV on ONNX files against PyTorch, {name}", largest, TOLERANCE)
    assert largest < TOLERANCE


# ---- writing -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_nothing_that_differs_is_replaced_unasked(tmp_path, capsys):
    model = write_random_cascade(tmp_path)
    command = [str(model), "--out", str(tmp_path)]
    assert torch2onnx.main(command) == 0
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert torch2onnx.main(command) == 0  # the same again
    (tmp_path / "onet.onnx").write_bytes(b"mine")
    (tmp_path / "rnet.onnx").unlink()
    capsys.readouterr()
    assert torch2onnx.main(command) == 1
    assert "onet.onnx would change; --force replaces" in capsys.readouterr().err
    assert (tmp_path / "onet.onnx").read_bytes() == b"mine"
    assert not (tmp_path / "rnet.onnx").exists()  # all or none
    assert torch2onnx.main([*command, "--force"]) == 0
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first


def test_a_file_that_computes_something_else_is_not_written(tmp_path, monkeypatch, capsys):
    network = random_network(DARKNET_CFG / "pnet.cfg")
    save_checkpoint(tmp_path / "a.pt", network)
    other = random_network(DARKNET_CFG / "pnet.cfg", seed=5)
    made = torch2onnx.onnx_model
    monkeypatch.setattr(torch2onnx, "onnx_model", lambda network, *rest: made(other, *rest))
    assert torch2onnx.main([str(tmp_path / "a.pt")]) == 1
    assert "a.onnx: not written: ONNX Runtime's output is " in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt"]


def test_out_may_be_a_folder(tmp_path):
    save_checkpoint(tmp_path / "a.pt", random_network(DARKNET_CFG / "pnet.cfg"))
    torch2onnx.convert(tmp_path / "a.pt", out=tmp_path / "new")
    assert (tmp_path / "new/a.onnx").is_file()


def test_numbers_that_are_none(tmp_path):
    network = random_network(DARKNET_CFG / "pnet.cfg")
    with torch.no_grad():
        next(network.parameters())[0] = float("nan")
    save_checkpoint(tmp_path / "a.pt", network)
    with pytest.raises(ModelError, match="ONNX Runtime's output is nan from PyTorch's"):
        torch2onnx.convert(tmp_path / "a.pt")
    assert not (tmp_path / "a.onnx").exists()


def test_without_onnxruntime(tmp_path, monkeypatch, capsys):
    save_checkpoint(tmp_path / "a.pt", random_network(DARKNET_CFG / "pnet.cfg"))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert torch2onnx.main([str(tmp_path / "a.pt")]) == 0
    assert "not checked, since onnxruntime is not installed" in capsys.readouterr().out
    assert (tmp_path / "a.onnx").stat().st_size > 20000


# ---- what is refused -----------------------------------------------------------------------------


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("evil",))


def refused(path, message, error=MtcnnError, **options):
    before = sorted(path.parent.iterdir())
    with pytest.raises(error, match=message) as raised:
        torch2onnx.convert(path, **options)
    assert "\n" not in str(raised.value)
    assert sorted(path.parent.iterdir()) == before


def test_bad_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("none.pt", "none.weights", "none.data"):
        refused(tmp_path / name, rf"{name}: cannot be read: No such file", FileError)
    bad = tmp_path / "bad.pt"
    bad.write_bytes(b"text")
    refused(bad, r"bad\.pt: not a whole PyTorch file", FileError)
    torch.save({"a": Evil()}, bad)
    refused(bad, r"bad\.pt: refused", FileError)
    network = random_network(DARKNET_CFG / "pnet.cfg")
    torch.save(network.state_dict(), bad)
    refused(bad, "name its cfg with --cfg", ModelError)
    refused(bad, "not a state of", ModelError, cfg=DARKNET_CFG / "rnet.cfg")
    weights = tmp_path / "a.weights"
    write_weights(weights, network.weights()[:-1])
    refused(weights, r"a\.cfg: cannot be read", FileError)
    refused(weights, "does the file belong to this .cfg", cfg=DARKNET_CFG / "pnet.cfg")
    data = tmp_path / "a.data"
    data.write_text("thresholds = 1\n")
    refused(data, r"a\.data:1: thresholds = 1|missing")
    refused(data, "for a single network", ArgumentError, fixed_size=True)
    refused(data, "for a single network", ArgumentError, given={"mean": 0.0})


def test_a_cascade_that_is_none(tmp_path):
    model = write_random_cascade(tmp_path)
    model.write_text(model.read_text().replace("rnet.", "onet."))
    refused(model, "makes 15x1x1 of 3x48x48, expected 5x1x1", ModelError)


def test_folders(tmp_path):
    save_checkpoint(tmp_path / "a.pt", random_network(DARKNET_CFG / "pnet.cfg"))
    refused(tmp_path / "a.pt", "a.pt: cannot be written", FileError, out=tmp_path / "a.pt/a.onnx")
    torch2onnx.convert(tmp_path / "a.pt", out=tmp_path / "new" / "b.onnx")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["b.onnx"]


@pytest.mark.slow
def test_runs_from_any_folder(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "convert" / "torch2onnx.py", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and done.stdout.startswith("usage: torch2onnx.py")
