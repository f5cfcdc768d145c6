"""describe.py: its output for each kind of file, and its messages for bad ones."""

import hashlib
import json
import os
import struct
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from support.caffe_files import write_random_caffe
from support.random_cascade import write_random_cascade
from support.skips import missing_if
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from convert import describe
from convert.network_measures import misfit, multiply_adds, receptive_fields, stock_obstacles
from train_mtcnn.network.checkpoint import save_checkpoint
from train_mtcnn.network.darknet import (
    DARKNET_CFG,
    NETWORKS,
    parse_cfg,
    read_cfg,
    write_cfg,
    write_weights,
)
from train_mtcnn.network.layers import count_weights, read_layers, resized_layers
from train_mtcnn.network.networks import Network
from train_mtcnn.network.rewrite import with_batch_norm, with_prelu

needs_opencv_4 = missing_if(
    not hasattr(cv2.dnn, "readNetFromCaffe"), "OpenCV 4: 5 reads no Caffe files"
)
NET = "[net]\nwidth=12\nheight=12\nchannels=3\n"


@pytest.fixture
def run_describe(capsys):
    """Runs describe.py; returns status, lines of the output, lines of the errors."""

    def run(*words):
        status = describe.main([str(word) for word in words])
        captured = capsys.readouterr()
        return status, captured.out.splitlines(), captured.err.splitlines()

    return run


@pytest.fixture
def described(run_describe):
    """The JSON object of one file, which is described without an error."""

    def run(*words):
        status, (line,), errors = run_describe("--json", *words)
        assert status == 0 and not errors
        return json.loads(line)

    return run


def row(lines, name):
    """The value behind a name."""
    (found,) = [line for line in lines if line.startswith(f"  {name}  ")]
    return found[len(name) + 2 :].strip()


# ---- measures ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("size", [None, (60, 71)])
@pytest.mark.parametrize("name", NETWORKS)
def test_multiply_adds_are_those_of_the_run(name, size):
    """PyTorch counts two operations for each."""
    network = Network(DARKNET_CFG / f"{name}.cfg").eval()
    height, width = size or network.input_shape[1:]
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(torch.zeros(1, 3, height, width))
    layers = resized_layers(network.cfg, height, width)
    assert 2 * sum(map(multiply_adds, layers)) == counter.get_total_flops()


def test_multiply_adds_of_groups_and_dense_layers():
    cfg = parse_cfg(
        NET.replace("=3", "=4") + "[convolutional]\nfilters=6\nsize=3\ngroups=2\nactivation=relu\n"
        "[connected]\noutput=7\nactivation=linear\n"
    )
    first, second = map(multiply_adds, read_layers(cfg))
    assert first == 6 * 10 * 10 * (2 * 3 * 3)
    assert second == 7 * 6 * 10 * 10


CHAINS = [
    "[convolutional]\nsize=3\nactivation=linear\n",
    "[convolutional]\nsize=3\nstride=2\nactivation=linear\n[convolutional]\nsize=2\n"
    "activation=linear\n[maxpool]\nsize=3\nstride=2\npadding=0\n",
    "[maxpool]\nsize=2\nstride=2\npadding=0\n[dropout]\n[maxpool]\nsize=2\nstride=1\npadding=0\n"
    "[convolutional]\nsize=3\nactivation=linear\n",
    "[convolutional]\nsize=5\nactivation=linear\n[route]\nlayers=0\n[route]\nlayers=-1,-2\n",
]


@pytest.mark.slow
@pytest.mark.parametrize("chain", CHAINS)
def test_receptive_fields_are_where_changes_count(chain):
    """An output changes only with the pixels in its square."""
    cfg = parse_cfg(NET.replace("=12", "=40") + chain)
    network = Network(cfg).eval()
    network.load_weights(np.full(network.weights_count, 0.1, np.float32))
    field, stride = receptive_fields(network.definition)[-1]
    x = (torch.arange(40.0) + 100 * torch.arange(40.0)[:, None]).expand(1, 3, 40, 40)
    for position in (0, 3):
        seen = []
        for pixel in range(40):
            y = x.clone()
            y[..., pixel] += 1e6
            with torch.no_grad():
                before, after = network(x), network(y)
            if before[0, 0, 0, position] != after[0, 0, 0, position]:
                seen.append(pixel)
        assert seen == list(range(position * stride, position * stride + field))


def test_receptive_fields_of_the_networks():
    last = {
        name: receptive_fields(read_layers(read_cfg(DARKNET_CFG / f"{name}.cfg")))[-1]
        for name in NETWORKS
    }
    assert last == {"pnet": (12, 2), "rnet": (25, 4), "onet": (49, 8)}


@pytest.mark.parametrize(
    "layer", ["[connected]\nactivation=linear\n", "[avgpool]\n", "[softmax]\n"]
)
def test_layers_that_see_everything(layer):
    layers = read_layers(parse_cfg(NET + layer + "[dropout]\n"))
    assert receptive_fields(layers) == [(None, None)] * 2


def test_stock_obstacles():
    for name in NETWORKS:
        path = DARKNET_CFG / f"{name}.cfg"
        assert stock_obstacles(read_cfg(path), path.read_bytes()) == []
    text = NET + "[prelu]\ngroups=1\n[prelu]\ngroups=3\n"
    assert stock_obstacles(parse_cfg(text)) == ["[prelu] (lines 5, 7): it has no PReLU"]
    assert stock_obstacles(with_prelu(read_cfg(path))) == ["[prelu]: it has no PReLU"]
    found = stock_obstacles(parse_cfg(NET), b"\xef\xbb\xbf[net]\r\n")
    assert "byte order mark" in found[0] and "CR LF" in found[1] and len(found) == 2


# ---- kinds of files ------------------------------------------------------------------------------


def test_cfg(described, run_describe):
    path = DARKNET_CFG / "pnet.cfg"
    found = described(path)
    assert found["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found["bytes"] == path.stat().st_size
    assert (found["kind"], found["dialect"]) == ("Darknet cfg", "stock")
    assert found["stock_darknet"] is True and found["obstacles"] == []
    assert (found["input"], found["output"]) == ([3, 12, 12], [5, 1, 1])
    assert (found["receptive_field"], found["stride"]) == (12, 2)
    assert found["parameters"] == Network(path).weights_count
    assert sum(layer["parameters"] for layer in found["layers"]) == found["parameters"]
    assert sum(layer["multiply_adds"] for layer in found["layers"]) == found["multiply_adds"]
    assert found["layers"][0]["tensors"] == {"biases": [10], "weights": [10, 3, 3, 3]}
    assert found["layers"][-1]["inputs"] == [4, 6]

    status, lines, errors = run_describe(path)
    assert (status, errors, lines[0]) == (0, [], str(path))
    assert row(lines, "stock darknet") == "yes" and row(lines, "input") == "3x12x12"
    assert row(lines, "parameters") == "6,541"
    assert "2x2/2 padding 1" in "\n".join(lines)
    header, *rows = lines[lines.index("") + 1 :]
    assert len(rows) == 8
    end = header.index("parameters") + len("parameters")
    assert rows[0][:end].endswith(" 280") and rows[1][:end].endswith(" 0")  # aligned


def test_size(described, run_describe):
    path = DARKNET_CFG / "pnet.cfg"
    found = described(path, "--size", "640x480")
    assert (found["input"], found["output"]) == ([3, 480, 640], [5, 235, 315])
    assert found["multiply_adds"] == sum(
        map(multiply_adds, resized_layers(read_cfg(path), 480, 640))
    )
    assert found["parameters"] == described(path)["parameters"]


def test_native_cfg(described, tmp_path):
    path = tmp_path / "a.cfg"
    write_cfg(path, with_prelu(read_cfg(DARKNET_CFG / "pnet.cfg")))
    found = described(path)
    assert (found["dialect"], found["stock_darknet"]) == ("native", False)
    lines = path.read_text().splitlines()
    numbers = [number for number, line in enumerate(lines, 1) if line == "[prelu]"]
    assert found["obstacles"] == [f"[prelu] (lines {str(numbers)[1:-1]}): it has no PReLU"]
    path.write_bytes((DARKNET_CFG / "pnet.cfg").read_bytes().replace(b"\n", b"\r\n"))
    found = described(path)
    assert (found["dialect"], found["stock_darknet"]) == ("stock", False)
    assert "CR LF" in found["obstacles"][0]


def pnet_weights(folder, rewrite=lambda cfg: cfg):
    network = Network(rewrite(read_cfg(DARKNET_CFG / "pnet.cfg")))
    path = folder / "a.weights"
    write_weights(path, network.weights())
    return path, network


def test_weights_alone(described, run_describe, tmp_path):
    path, network = pnet_weights(tmp_path)
    found = described(path)
    header = {k: found[k] for k in ("major", "minor", "revision", "seen", "header_bytes")}
    assert header == {"major": 0, "minor": 2, "revision": 0, "seen": 0, "header_bytes": 20}
    assert (found["values"], found["cfg"]) == (network.weights_count, None)
    assert "layers" not in found
    path.write_bytes(struct.pack("<iiii", 0, 1, 3, 77) + bytes(40))
    found = described(path)
    header = {k: found[k] for k in ("major", "minor", "revision", "seen", "header_bytes")}
    assert header == {"major": 0, "minor": 1, "revision": 3, "seen": 77, "header_bytes": 16}
    assert (found["values"], found["transposed"]) == (10, False)
    path.write_bytes(struct.pack("<iiiQ", 0, 2, 0, 1 << 40) + bytes(4))
    assert (described(path)["seen"], described(path)["values"]) == (1 << 40, 1)
    path.write_bytes(struct.pack("<iiii", 1001, 0, 0, 0))
    assert described(path)["transposed"] is True


def test_weights_with_their_cfg(described, tmp_path):
    path, network = pnet_weights(tmp_path)
    elsewhere = described(path, "--cfg", DARKNET_CFG / "pnet.cfg")
    write_cfg(tmp_path / "a.cfg", network.cfg)
    beside = described(path)
    assert beside["cfg"] == str(tmp_path / "a.cfg")
    assert elsewhere | {"cfg": beside["cfg"]} == beside
    assert beside["stock_darknet"] is True and len(beside["layers"]) == 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (-1, "they end in layer 6 (convolutional), which takes 6,409 to 6,541"),
        (1 - 6541, "they end in layer 0 (convolutional), which takes 0 to 280"),
        (300 - 6541, "they end in layer 2 (convolutional), which takes 280 to 1,736"),
        (3, "3 are left over behind the last layer"),
    ],
)
def test_weights_that_do_not_fit(run_describe, tmp_path, change, message):
    path, network = pnet_weights(tmp_path)
    write_weights(path, np.zeros(network.weights_count + change))
    status, lines, errors = run_describe(path, "--cfg", DARKNET_CFG / "pnet.cfg")
    assert status == 1 and len(errors) == 1
    assert errors[0].startswith(f"describe.py: {path}: the file has {6541 + change:,} values, ")
    assert errors[0].endswith(f"pnet.cfg takes 6,541: {message}")
    assert row(lines, "major") == "0" and row(lines, "stock darknet") == "no"


def test_weights_of_a_network_of_the_other_dialect(tmp_path):
    stock = read_cfg(DARKNET_CFG / "pnet.cfg")
    for rewrite, name in ((with_prelu, "[prelu] for leaky"), (with_batch_norm, "batch norm")):
        other = rewrite(stock)
        assert f"; they would fit the network with {name}" in misfit(
            count_weights(read_layers(other)), stock
        )
    text = misfit(count_weights(read_layers(stock)), with_batch_norm(stock))
    assert "; they would fit the network with no batch normalisation" in text
    assert misfit(count_weights(read_layers(stock)), stock) is None


def test_checkpoint(described, tmp_path):
    network = Network(with_batch_norm(with_prelu(read_cfg(DARKNET_CFG / "rnet.cfg"))))
    save_checkpoint(tmp_path / "a.pt", network, {"epoch": 7, "settings": {"x": 1}})
    found = described(tmp_path / "a.pt")
    assert found["kind"] == "PyTorch checkpoint"
    assert found["also_holds"] == ["cfg", "epoch 7", "settings"]
    assert (found["cfg"], found["dialect"]) == ("its own", "native")
    assert found["fed"] == {"mean": 127.5, "norm": 1 / 128, "color": "RGB"}
    assert found["parameters"] == network.weights_count
    assert list(found["layers"][0]["tensors"]) == [
        *("biases", "scales", "means", "variances", "weights")
    ]
    assert found["stock_darknet"] is False
    assert "torch2darknet.py" in found["obstacles"][0] and "[prelu]" in found["obstacles"][1]


def test_checkpoint_is_shown_as_it_is_stored(described, tmp_path):
    """Loaded for training, this one has an additional 1x1 convolution before its padded layer."""
    text = NET + "[convolutional]\nfilters=4\nsize=3\nstride=1\npad=1\nactivation=leaky\n"
    fed = {"mean": 0.0, "norm": 1 / 255, "color": "BGR"}
    save_checkpoint(tmp_path / "a.pt", Network(parse_cfg(text)), {"input": fed})
    found = described(tmp_path / "a.pt")
    assert len(found["layers"]) == 1 and found["fed"] == fed


def test_state_dicts(described, tmp_path):
    network = Network(DARKNET_CFG / "pnet.cfg")
    torch.save(network.state_dict(), tmp_path / "a.pth")
    found = described(tmp_path / "a.pth")
    assert (found["kind"], found["cfg"]) == ("PyTorch state dict", None)
    assert found["parameters"] == network.weights_count
    assert found["tensors"][1] == {
        **{"name": "layers.0.weights", "shape": [10, 3, 3, 3]},
        **{"type": "float32", "values": 270},
    }
    found = described(tmp_path / "a.pth", "--cfg", DARKNET_CFG / "pnet.cfg")
    assert len(found["layers"]) == 8 and found["cfg"] == str(DARKNET_CFG / "pnet.cfg")
    torch.save(nn.Linear(3, 2).state_dict() | {"steps": 5}, tmp_path / "a.pt")
    found = described(tmp_path / "a.pt")
    assert found["parameters"] == 8
    assert found["tensors"][2] == {"name": "steps", "shape": None, "type": "int", "values": None}


@needs_opencv_4
def test_caffemodel(described, tmp_path):
    write_random_caffe(tmp_path)
    for name, file in zip(NETWORKS, ("det1", "det2", "det3")):
        found = described(tmp_path / f"{file}.caffemodel")
        ours = described(DARKNET_CFG / f"{name}.cfg")
        assert (found["kind"], found["input"]) == ("Caffe model", ours["input"])
        theirs = {layer["layer"]: layer for layer in found["layers"]}
        assert theirs["conv1"]["output"] == ours["layers"][0]["output"]
        assert theirs["conv1"]["multiply_adds"] == ours["layers"][0]["multiply_adds"]
        last = ours["layers"][0]["output"][0]
        assert theirs["conv1"]["arrays"][0] == [last, 3, 3, 3]
        classes = ours["layers"][-2]["tensors"]["weights"][1]  # one more class than ours
        assert found["multiply_adds"] == ours["multiply_adds"] + classes
        assert found["stock_darknet"] is False and "receptive_field" not in found
    wide = described(tmp_path / "det1.caffemodel", "--size", "40x30")
    assert wide["input"] == [3, 30, 40]
    assert wide["layers"][0]["output"] == [10, 28, 38]
    assert wide["multiply_adds"] > 20 * described(tmp_path / "det1.caffemodel")["multiply_adds"]


@needs_opencv_4
def test_caffemodel_whose_input_is_not_named(described, run_describe, tmp_path):
    write_random_caffe(tmp_path)
    text = tmp_path / "det1.prototxt"
    text.write_text(text.read_text().replace("input_dim", "# input_dim"))
    found = described(tmp_path / "det1.caffemodel")
    assert found["input"] is None and found["multiply_adds"] is None
    assert found["layers"][0]["output"] is None
    status, _, (error,) = run_describe(tmp_path / "det1.caffemodel", "--size", "30x30")
    assert status == 1 and "names no input" in error


def test_cascade(described, tmp_path):
    model = write_random_cascade(tmp_path, min_face=40.0)
    found = described(model)
    assert found["kind"] == "cascade" and found["thresholds"] == [0.5, 0.5, 0.3]
    assert [network["network"] for network in found["networks"]] == list(NETWORKS)
    assert found["parameters"] == sum(network["parameters"] for network in found["networks"])
    assert found["stock_darknet"] is True and "v / 255" in found["stock_input"]
    pnet, rnet, _ = found["networks"]
    assert (pnet["levels"], pnet["multiply_adds"]) == (None, 44728)
    assert pnet["weights"] == str(tmp_path / "pnet.weights")

    again = described(model, "--size", "100x80")
    first = again["networks"][0]
    sizes = [(24, 30), (17, 21), (12, 15)]  # of faces of 40, 56.4, 79.6 pixels
    cfg = read_cfg(DARKNET_CFG / "pnet.cfg")
    assert first["levels"] == 3
    assert first["multiply_adds"] == sum(
        multiply_adds(layer) for size in sizes for layer in resized_layers(cfg, *size)
    )
    assert again["networks"][1] == rnet
    (tmp_path / "b").mkdir()
    model = write_random_cascade(tmp_path / "b", mean=0.0, norm=1 / 255)
    assert "stock_input" not in described(model)
    assert described(model)["model_sha256"] != found["model_sha256"]


# ---- several files, bad files --------------------------------------------------------------------


def test_files_without_a_description(run_describe, tmp_path):
    cfg = DARKNET_CFG / "pnet.cfg"
    for path, message in (
        (tmp_path / "none", "cannot be read: No such file or directory"),
        (tmp_path, "is a folder; name files in it (.cfg, .weights, "),
        (tmp_path / "none.data", "cannot be read: No such file or directory"),
    ):
        status, lines, (error,) = run_describe(path)
        assert status == 1 and not lines and error.startswith(f"describe.py: {path}: {message}")
    for path in (DARKNET_CFG / "onet.cfg", DARKNET_CFG / "default.data"):
        status, lines, (error,) = run_describe(path, "--cfg", cfg)
        assert status == 1 and not lines
        assert error == f"describe.py: {path}: --cfg {cfg} is for .weights, .pt, .pth; leave it out"


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("evil",))


def test_several_files(run_describe, tmp_path):
    cfgs = [DARKNET_CFG / f"{name}.cfg" for name in NETWORKS]
    text = tmp_path / "x.txt"
    text.write_text("text")
    status, lines, errors = run_describe(cfgs[0], tmp_path / "none.cfg", cfgs[1], text)
    assert status == 1
    assert errors == [
        f"describe.py: {tmp_path}/none.cfg: cannot be read: No such file or directory",
        f"describe.py: {text}: its ending is none of .cfg, .weights, .pt, .pth, .caffemodel, .data",
    ]
    headings = [line for line in lines if line and line[0] != " "]
    assert headings == [str(cfgs[0]), str(cfgs[1])]
    status, lines, errors = run_describe("--json", *cfgs)
    assert [json.loads(line)["file"] for line in lines] == list(map(str, cfgs))


def test_bad_files(run_describe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {}, "cfg": Evil()}, "evil.pt")
    torch.save({"state_dict": {"a": torch.ones(1)}, "cfg": "[net]\n"}, "other.pt")
    network = Network(DARKNET_CFG / "pnet.cfg")
    save_checkpoint("short.pt", network)
    with open("short.pt", "r+b") as file:
        file.truncate(1000)
    write_cfg(tmp_path / "connected.cfg", parse_cfg(NET + "[connected]\nactivation=linear\n"))
    model = write_random_cascade(tmp_path)
    model.write_text(model.read_text().replace("rnet.", "onet."))
    for name, content in {
        "empty.cfg": b"",
        "binary.cfg": b"\0\1",
        "yolo.cfg": NET.encode() + b"[upsample]\nstride=2\n",
        "short.weights": b"1234",
        "odd.weights": bytes(23),
        "nan.weights": bytes(16) + struct.pack("<f", np.nan),
        "list.pt": b"text",
        "a.data": b"colour = RGB\n",
        "lonely.caffemodel": b"x",
    }.items():
        (tmp_path / name).write_bytes(content)
    for name, message in {
        "empty.cfg": "empty.cfg: no sections",
        "binary.cfg": "binary.cfg: not a text file",
        "yolo.cfg": "yolo.cfg:5: unknown section [upsample]",
        "short.weights": "short.weights: 4 bytes; even the header",
        "odd.weights": "odd.weights: 7 bytes of weights after the header of 16",
        "nan.weights": "nan.weights: value 0 of 1 is nan",
        "list.pt": "list.pt: not a whole PyTorch file",
        "evil.pt": "evil.pt: refused",
        "other.pt": "other.pt (its cfg):1: [net] has no channels",
        "short.pt": "short.pt: not a whole PyTorch file",
        "a.data": "a.data:1: unknown key 'colour'",
        "random.data": "makes 15x1x1 of 3x48x48, expected 5x1x1",
        "lonely.caffemodel": "lonely.prototxt: cannot be read",
        "none.caffemodel": "none.caffemodel: cannot be read",
        "none.weights": "none.weights: cannot be read",
        "--size=13x13 connected.cfg": "layer 0 (connected) is made for inputs of 3x12x12",
        f"--size=5x5 {DARKNET_CFG}/pnet.cfg": "does not fit into its input of 2",
        "--cfg=none.cfg rnet.weights": "none.cfg: cannot be read",
    }.items():
        status, lines, errors = run_describe(*name.split())
        assert status == 1 and not lines, name
        assert len(errors) == 1 and errors[0].startswith("describe.py: "), name
        assert message in errors[0], name
    assert not (tmp_path / "evil").exists()


@needs_opencv_4
def test_bad_caffemodels(run_describe, tmp_path):
    write_random_caffe(tmp_path)
    path = tmp_path / "det2.caffemodel"
    status, _, (error,) = run_describe(path, "--size", "60x60")  # dense layers have one size
    assert status == 1 and "det2.caffemodel: conv4 is not made for inputs of 3x60x60" in error
    status, _, (error,) = run_describe(path, "--size", "1x1")
    assert status == 1 and "det2.caffemodel: does not take 3x1x1: " in error
    path.write_bytes(path.read_bytes()[:5000])
    status, lines, (error,) = run_describe(path)
    assert status == 1 and not lines and "det2.caffemodel: not a whole Caffe model" in error


@pytest.mark.slow
def test_runs_from_any_folder(tmp_path):
    script = DARKNET_CFG.parent / "convert" / "describe.py"
    done = subprocess.run(
        [sys.executable, script, DARKNET_CFG / "pnet.cfg"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and "Darknet cfg" in done.stdout
