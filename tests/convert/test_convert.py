"""Published models and checkpoints converted to Darknet files, and back."""

import io
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from support.skips import absent

from convert import darknet2torch, import_pretrained, torch2darknet
from convert.importers import facenet_pytorch_wheel as facenet_pytorch
from convert.staging import staged
from pymtcnn.errors import FileError, ModelError
from train_mtcnn.network.checkpoint import load_checkpoint, save_checkpoint
from train_mtcnn.network.darknet import (
    DARKNET_CFG,
    DEFAULT_MODEL,
    NETWORKS,
    parse_cfg,
    read_cfg,
    read_data,
    read_weights,
    write_weights,
)
from train_mtcnn.network.layers import read_layers
from train_mtcnn.network.networks import Network
from train_mtcnn.network.rewrite import with_batch_norm, with_prelu

BATCH_NORM = """\
[net]
width=6
height=6
channels=2
[convolutional]
filters=3
size=3
batch_normalize=1
activation=linear
[prelu]
groups=3
[connected]
output=4
batch_normalize=1
activation=logistic
"""


def random_network(cfg, seed=0):
    network = Network(cfg)
    values = np.random.default_rng(seed).uniform(0.1, 1, network.weights_count)
    network.load_weights(values.astype(np.float32))
    return network.eval()


# ---- facenet-pytorch -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published():
    """facenet-pytorch's own states: network's name -> state dict, and a wheel that holds them."""
    wheel = os.environ.get("MTCNN_FACENET_WHEEL")
    try:
        files = facenet_pytorch.find(Path(wheel) if wheel else None)
    except FileError as error:
        absent(f"facenet-pytorch's weights: {error} (or in $MTCNN_FACENET_WHEEL)")
    return {name: content for name, (_, content) in files.items()}


def make_wheel(path, contents):
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in contents.items():
            wheel.writestr(f"facenet_pytorch/data/{name}.pt", content)
    return path


def state_bytes(state):
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


def plain_forward(name, state, x):
    """The published network as its authors wrote it; outputs in our order."""
    pools = {"pnet": {1: 2}, "rnet": {1: 3, 2: 3}, "onet": {1: 3, 2: 3, 3: 2}}[name]

    def apply(function, layer, x):
        return function(x, state[f"{layer}.weight"], state[f"{layer}.bias"])

    i = 1
    while f"prelu{i}.weight" in state and f"conv{i}.weight" in state:
        x = F.prelu(apply(F.conv2d, f"conv{i}", x), state[f"prelu{i}.weight"])
        if i in pools:
            x = F.max_pool2d(x, pools[i], 2, ceil_mode=True)
        i += 1
    if name == "pnet":
        heads = [apply(F.conv2d, f"conv4_{k}", x) for k in (1, 2)]
    else:
        x = x.permute(0, 3, 2, 1).flatten(1)
        x = F.prelu(apply(F.linear, f"dense{i}", x), state[f"prelu{i}.weight"])
        count = 3 if name == "onet" else 2
        heads = [apply(F.linear, f"dense{i + 1}_{k}", x) for k in range(1, count + 1)]
    heads[0] = heads[0].softmax(1)[:, 1:]
    if name == "onet":  # x1..x5, y1..y5
        heads[2] = heads[2].view(-1, 2, 5).transpose(1, 2).flatten(1)
    y = torch.cat(heads, 1)
    return y if y.dim() == 4 else y[:, :, None, None]


def published_like(seed=0):
    """States of the published form with random numbers."""
    random = np.random.default_rng(seed)
    cfgs = {name: with_prelu(read_cfg(DARKNET_CFG / f"{name}.cfg")) for name in NETWORKS}
    states = {}
    for name, theirs in facenet_pytorch._LAYERS.items():
        layers = [layer for layer in read_layers(cfgs[name]) if layer.tensors]
        state = states[name] = {}
        for layer, their in zip(layers, theirs.split(), strict=True):
            for part, shape in layer.tensors.items():
                if their in ("conv4_1", "dense5_1", "dense6_1"):  # two classes
                    shape = (2, *shape[1:])
                if part == "weights" and their.startswith("dense"):
                    shape = (shape[0], int(np.prod(shape[1:])))
                values = torch.tensor(random.normal(0, 0.05, shape), dtype=torch.float32)
                state[f"{their}.{'bias' if part == 'biases' else 'weight'}"] = values
    return states


SIZES = {"pnet": [(12, 12), (61, 77)], "rnet": [(24, 24)], "onet": [(48, 48)]}


def largest_difference(states, folder):
    difference = 0.0
    for name in NETWORKS:
        ours = Network.from_darknet(folder / f"{name}.cfg", folder / f"{name}.weights")
        for size in SIZES[name]:
            x = torch.randn(8, 3, *size, generator=torch.Generator().manual_seed(1))
            with torch.no_grad():
                theirs = plain_forward(name, states[name], x)
                difference = max(difference, (ours(x) - theirs).abs().max().item())
    return difference


@pytest.mark.slow
def test_import_of_the_published_model(published, tmp_path, report_difference):
    wheel = make_wheel(tmp_path / "x.whl", published)
    import_pretrained.import_model("facenet-pytorch", wheel, tmp_path / "out")
    states = {
        name: torch.load(io.BytesIO(content), weights_only=True)
        for name, content in published.items()
    }
    difference = largest_difference(states, tmp_path / "out")
    report_difference("import against the published networks", difference, 1e-5)
    assert difference < 1e-5


@pytest.mark.slow
def test_import_of_any_numbers(tmp_path, report_difference):
    states = published_like()
    wheel = make_wheel(tmp_path / "x.whl", {n: state_bytes(s) for n, s in states.items()})
    import_pretrained.import_model("facenet-pytorch", wheel, tmp_path / "out")
    difference = largest_difference(states, tmp_path / "out")
    report_difference("import of random numbers against plain networks", difference, 1e-5)
    assert difference < 1e-5
    data, default = (read_data(p) for p in (tmp_path / "out/facenet-pytorch.data", DEFAULT_MODEL))
    assert data.cfg["rnet"] == tmp_path / "out" / "rnet.cfg"
    assert (data.thresholds, data.nms, data.color) == ((0.6, 0.7, 0.7), default.nms, "RGB")
    assert data.max_boxes == default.max_boxes
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "x.whl"]
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "folder")
    for folder in ("folder", "folder/facenet_pytorch", "folder/facenet_pytorch/data"):
        command = "facenet-pytorch", tmp_path / folder, tmp_path / "out"
        assert "nothing to do" in import_pretrained.import_model(*command)


def test_import_again(tmp_path, capsys):
    out = tmp_path / "out"
    first, second = (
        str(make_wheel(tmp_path / f"{i}.whl", {n: state_bytes(s) for n, s in states.items()}))
        for i, states in enumerate((published_like(0), published_like(1)))
    )
    command = ["facenet-pytorch", "--out", str(out)]
    assert import_pretrained.main([*command, first]) == 0
    (out / "mine.txt").write_text("mine")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    capsys.readouterr()

    assert import_pretrained.main([*command, first]) == 0
    assert "already in" in capsys.readouterr().out
    assert import_pretrained.main([*command, second]) == 1
    message = capsys.readouterr().err
    assert "onet.weights, pnet.weights, rnet.weights would change; --force" in message
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before

    assert import_pretrained.main([*command, second, "--force"]) == 0
    assert (out / "pnet.weights").read_bytes() != before["pnet.weights"]
    assert (out / "mine.txt").read_text() == "mine"
    (out / "pnet.cfg").unlink()
    assert import_pretrained.main([*command, second]) == 0
    assert (out / "pnet.cfg").read_bytes() == before["pnet.cfg"]


def spoil(states, key):
    if key == "missing":
        states["rnet"].pop("conv2.bias")
    elif key == "unknown":
        states["rnet"]["extra"] = torch.zeros(1)
    else:
        states["rnet"]["dense4.weight"] = torch.zeros(128, 577)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("missing", r"rnet.pt: not facenet-pytorch's rnet: missing \['conv2.bias'\], unknown \[\]"),
        ("unknown", r"missing \[\], unknown \['extra'\]"),
        (
            "shape",
            r"dense4 \(weights\) is \[128, 577\], darknet_cfg/rnet.cfg makes it \[128, 64, 3, 3\]",
        ),
    ],
)
def test_import_of_other_networks(tmp_path, key, message):
    states = published_like()
    spoil(states, key)
    wheel = make_wheel(tmp_path / "x.whl", {n: state_bytes(s) for n, s in states.items()})
    with pytest.raises(ModelError, match=message):
        import_pretrained.import_model("facenet-pytorch", wheel, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [wheel]


def test_import_of_files_that_are_not_a_wheel(tmp_path):
    wheel = tmp_path / "x.whl"
    with pytest.raises(FileError, match=r"x\.whl: cannot be read: No such file"):
        import_pretrained.import_model("facenet-pytorch", wheel, tmp_path / "out")
    wheel.write_bytes(b"no zip")
    with pytest.raises(FileError, match=r"x\.whl: not a wheel"):
        import_pretrained.import_model("facenet-pytorch", wheel, tmp_path / "out")
    make_wheel(wheel, {"pnet": b""})
    with pytest.raises(FileError, match=r"not a wheel of facenet-pytorch: .*rnet\.pt"):
        import_pretrained.import_model("facenet-pytorch", wheel, tmp_path / "out")
    make_wheel(wheel, dict.fromkeys(NETWORKS, pickle.dumps(os.getcwd)))
    with pytest.raises(FileError, match=r"pnet\.pt: refused"):
        import_pretrained.import_model("facenet-pytorch", wheel, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [wheel]


# ---- checkpoints ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_round_trip_is_exact(tmp_path, name):
    cfg = DARKNET_CFG / f"{name}.cfg"
    weights = tmp_path / "a.weights"
    write_weights(weights, random_network(cfg).weights())
    darknet2torch.convert(weights, cfg, tmp_path / "a.pt")
    torch2darknet.convert(tmp_path / "a.pt", cfg, tmp_path / "b.weights", dialect="native")
    assert (tmp_path / "b.weights").read_bytes() == weights.read_bytes()
    assert (tmp_path / "b.cfg").read_bytes() == cfg.read_bytes()


def test_a_checkpoint_brings_its_cfg(tmp_path):
    network = random_network(with_prelu(read_cfg(DARKNET_CFG / "rnet.cfg")))
    save_checkpoint(tmp_path / "a.pt", network)
    torch2darknet.convert(tmp_path / "a.pt", None, tmp_path / "a.weights", dialect="native")
    again = Network.from_darknet(tmp_path / "a.cfg", tmp_path / "a.weights")
    assert again.cfg == network.cfg and np.array_equal(again.weights(), network.weights())


def test_batch_norm_is_folded(tmp_path):
    network = random_network(parse_cfg(BATCH_NORM))
    save_checkpoint(tmp_path / "a.pt", network)
    (tmp_path / "a.cfg").write_text(BATCH_NORM)
    native = {"dialect": "native"}
    files = tmp_path / "a.pt", tmp_path / "a.cfg"
    torch2darknet.convert(*files, tmp_path / "b.weights", **native)
    assert "batch_normalize" not in (tmp_path / "b.cfg").read_text()
    folded = Network.from_darknet(tmp_path / "b.cfg", tmp_path / "b.weights")
    x = torch.randn(5, 2, 6, 6)
    with torch.no_grad():
        assert torch.equal(folded(x), network(x))
    with pytest.raises(ValueError, match=r"a\.cfg: would be written over"):
        torch2darknet.convert(*files, tmp_path / "a.weights", force=True, **native)
    assert (tmp_path / "a.cfg").read_text() == BATCH_NORM and not (tmp_path / "a.weights").exists()


def test_bare_state_dict(tmp_path):
    network = random_network(DARKNET_CFG / "pnet.cfg")
    torch.save(network.state_dict(), tmp_path / "a.pt")
    files = tmp_path / "a.pt", DARKNET_CFG / "pnet.cfg", tmp_path / "a.weights"
    torch2darknet.convert(*files, dialect="native")
    assert np.array_equal(read_weights(tmp_path / "a.weights")[0], network.weights())
    with pytest.raises(ModelError, match="name its cfg with --cfg"):
        load_checkpoint(tmp_path / "a.pt")
    with pytest.raises(ModelError, match=r"not a state of .*rnet\.cfg: .*, unknown layers.3"):
        load_checkpoint(tmp_path / "a.pt", read_cfg(DARKNET_CFG / "rnet.cfg"))
    wide = parse_cfg((DARKNET_CFG / "pnet.cfg").read_text().replace("filters=10", "filters=11"))
    with pytest.raises(ModelError, match=r"layers.0.biases is \[10\], cfg has \[11\]"):
        load_checkpoint(tmp_path / "a.pt", wide)


@pytest.mark.parametrize("prelu", [False, True])
@pytest.mark.parametrize("normalize", [False, True])
def test_the_cfg_that_a_checkpoint_was_trained_from(tmp_path, prelu, normalize):
    """train.py adds batch normalisation and PReLU to the user's cfg."""
    plain = DARKNET_CFG / "pnet.cfg"
    cfg = with_prelu(read_cfg(plain)) if prelu else read_cfg(plain)
    network = random_network(with_batch_norm(cfg) if normalize else cfg)
    torch.save(network.state_dict(), tmp_path / "a.pt")
    torch2darknet.convert(tmp_path / "a.pt", plain, tmp_path / "a.weights", dialect="native")
    again = Network.from_darknet(tmp_path / "a.cfg", tmp_path / "a.weights")
    assert again.cfg == cfg and np.array_equal(again.weights(), network.weights(fold=True))


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("evil",))


def test_checkpoints_that_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    bad = tmp_path / "bad.pt"
    for content, message in (
        (state_bytes({"cfg": Evil()}), "bad.pt: refused"),
        (pickle.dumps(Evil()), "bad.pt: refused"),
        (b"", "bad.pt: not a whole PyTorch file"),
        (b"text", "bad.pt: not a whole PyTorch file"),
        (state_bytes({"a": torch.zeros(1000)})[:-700], "bad.pt: not a whole PyTorch file"),
        (state_bytes([1]), "bad.pt: holds a list"),
    ):
        bad.write_bytes(content)
        assert torch2darknet.main([str(bad)]) == 1
        captured = capsys.readouterr().err
        assert message in captured and captured.count("\n") == 1
    assert list(tmp_path.iterdir()) == [bad]
    assert torch2darknet.main(["none.pt"]) == 1
    assert "none.pt: cannot be read: No such file" in capsys.readouterr().err


def test_files_that_differ_are_replaced_only_with_force(tmp_path, capsys):
    save_checkpoint(tmp_path / "a.pt", random_network(parse_cfg(BATCH_NORM)))
    command = [str(tmp_path / "a.pt"), "--out", str(tmp_path / "b.weights")]
    (tmp_path / "b.cfg").write_text("mine")
    assert torch2darknet.main(command) == 1
    assert "b.cfg would change; --force replaces" in capsys.readouterr().err
    assert (tmp_path / "b.cfg").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pt", "b.cfg"]
    assert torch2darknet.main([*command, "--force"]) == 0
    Network.from_darknet(tmp_path / "b.cfg", tmp_path / "b.weights")
    assert torch2darknet.main(command) == 0  # repeated
    (tmp_path / "b.weights").write_bytes(b"mine")
    assert torch2darknet.main(command) == 1
    assert (tmp_path / "b.weights").read_bytes() == b"mine"


def test_missing_weights_are_named(tmp_path, capsys):
    assert darknet2torch.main([str(tmp_path / "x.weights")]) == 1
    assert "x.weights: cannot be read: No such file" in capsys.readouterr().err


def test_output_that_cannot_be_written(tmp_path, capsys):
    checkpoint = tmp_path / "a.pt"
    save_checkpoint(checkpoint, random_network(DARKNET_CFG / "pnet.cfg"))
    assert torch2darknet.main([str(checkpoint), "--out", str(checkpoint / "a.weights")]) == 1
    assert "a.pt: cannot be written: File exists" in capsys.readouterr().err
    assert torch2darknet.main([str(checkpoint), "--out", str(checkpoint / "b")]) == 1
    assert "a.pt/b: cannot be written: Not a directory" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [checkpoint]
    out = tmp_path / "a" / "b" / "c"
    with pytest.raises(FileError), staged(out, force=False):
        raise FileError("no network")
    assert list(tmp_path.iterdir()) == [checkpoint]
    out.parent.mkdir(parents=True)
    with pytest.raises(FileError), staged(out, force=False):
        raise FileError("no network")
    assert out.parent.is_dir() and not out.exists()


def test_links_are_followed(tmp_path, capsys):
    """--force replaces the file that a link names; the link stays."""
    checkpoint, real = tmp_path / "a.pt", tmp_path / "elsewhere" / "real.weights"
    save_checkpoint(checkpoint, random_network(DARKNET_CFG / "pnet.cfg"))
    out = tmp_path / "out" / "b.weights"
    out.parent.mkdir()
    real.parent.mkdir()
    real.write_bytes(b"old")
    out.symlink_to(real)
    command = [str(checkpoint), "--out", str(out)]
    assert torch2darknet.main(command) == 1 and real.read_bytes() == b"old"
    assert "b.weights would change; --force" in capsys.readouterr().err
    assert torch2darknet.main([*command, "--force"]) == 0
    assert out.is_symlink() and out.read_bytes() == real.read_bytes() != b"old"
    assert [path.name for path in real.parent.iterdir()] == ["real.weights"]
    assert torch2darknet.main(command) == 0  # repeated


@pytest.mark.slow
@pytest.mark.parametrize("script", ["import_pretrained", "torch2darknet", "darknet2torch"])
def test_scripts_run_from_any_folder(tmp_path, script):
    path = DARKNET_CFG.parent / "convert" / f"{script}.py"
    done = subprocess.run(
        [sys.executable, path, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and done.stdout.startswith(f"usage: {script}.py")
