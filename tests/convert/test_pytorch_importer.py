"""The importer for state dicts of PyTorch, whatever their layers are called."""

import itertools
import os

import numpy as np
import pytest
import torch
from torch import nn

import pymtcnn
from convert import import_pretrained
from convert.import_pretrained import import_model
from pymtcnn.errors import FileError, ModelError, WeightsError
from train_mtcnn.network.darknet import DARKNET_CFG, NETWORKS, read_data
from train_mtcnn.network.networks import Network

TOLERANCE = 1e-5
SIZES = {"pnet": [(12, 12), (13, 40), (31, 28)], "rnet": [(24, 24)], "onet": [(48, 48)]}

# A word a layer: convolutions (filters, kernel), poolings (window), dense layers (outputs).
CHAINS = {
    "pnet": "c10:3 p2 c16:3 c32:3",
    "rnet": "c28:3 p3 c48:3 p3 c64:2 d128",
    "onet": "c32:3 p3 c64:3 p3 c64:3 p2 c128:2 d256",
}


class Plain(nn.Module):
    """A network as someone may have written it: slopes none, one or one a channel."""

    def __init__(self, name, slopes="channel", ceil=True, classes=2, face=1, order=(1, 2, 0)):
        super().__init__()
        self.name, self.face = name, face
        layers, channels, side = [], 3, {"pnet": 12, "rnet": 24, "onet": 48}[name]
        for word in CHAINS[name].split():
            count, _, kernel = word[1:].partition(":")
            count = int(count)
            if word[0] == "p":
                layers.append(nn.MaxPool2d(count, 2, ceil_mode=ceil))
                side = -(-(side - count) // 2) + 1 if ceil else (side - count) // 2 + 1
                continue
            if word[0] == "c":
                layers.append(nn.Conv2d(channels, count, int(kernel)))
                side -= int(kernel) - 1
            else:
                layers += [nn.Flatten(), nn.Linear(channels * side * side, count)]
            channels = count
            if slopes == "none":
                layers.append(nn.LeakyReLU(0.1))
            else:
                layers.append(nn.PReLU(count if slopes == "channel" else 1))
        self.trunk = nn.Sequential(*layers)
        head = nn.Linear if name != "pnet" else lambda *counts: nn.Conv2d(*counts, 1)
        outputs = (classes, 4, 10)
        self.ends = nn.ModuleDict({f"head{i}": head(channels, outputs[i]) for i in order})
        for parameter in self.parameters():
            scale = 0.3 if parameter.ndim == 1 else parameter[0].numel() ** -0.5
            nn.init.normal_(parameter, 0, scale)

    def forward(self, x):
        x = self.trunk(x)
        first, *others = (self.ends[f"head{i}"](x) for i in range(3 if self.name == "onet" else 2))
        two = first.shape[1] == 2
        first = first.softmax(1)[:, [self.face]] if two else first.sigmoid()
        y = torch.cat([first, *others], 1)
        return y if y.ndim == 4 else y[:, :, None, None]


def make(folder, seed=0, **options):
    """Write the three files of a cascade; gives its networks."""
    torch.manual_seed(seed)
    folder.mkdir(exist_ok=True)
    networks = {name: Plain(name, **options).eval() for name in NETWORKS}
    for name, network in networks.items():
        torch.save(network.state_dict(), folder / f"{name}_best.pt")
    return networks


def largest_difference(networks, data):
    largest = 0.0
    for name, network in networks.items():
        files = data.cfg[name], data.weights[name]
        ours, c_network = Network.from_darknet(*files), pymtcnn.Network(*files)
        for size in SIZES[name]:
            x = torch.rand(4, 3, *size) * 2 - 1
            with torch.no_grad():
                expected = network(x).numpy()
                outputs = [ours(x).numpy(), c_network.run(x.numpy())]
            for y in outputs:
                assert y.shape == expected.shape
                difference = np.abs(y - expected) / np.maximum(1, np.abs(expected))
                largest = np.maximum(largest, difference.max())
    return largest


@pytest.mark.slow
@pytest.mark.parametrize("slopes", ["none", "one", "channel"])
@pytest.mark.parametrize("ceil", [True, False])
@pytest.mark.parametrize(("classes", "face"), [(1, 1), (2, 1), (2, 0)])
def test_imported_networks(tmp_path, report_difference, slopes, ceil, classes, face):
    networks = make(tmp_path / "source", slopes=slopes, ceil=ceil, classes=classes, face=face)
    import_model("pytorch", tmp_path / "source", tmp_path / "out", face_class=face)
    data = read_data(tmp_path / "out" / "pytorch.data")
    assert (data.mean, data.norm, data.color) == (127.5, 1 / 128, "RGB")
    largest = largest_difference(networks, data)
    what = f"state dict, slopes {slopes}, ceil_mode {ceil}, {classes} classes, face {face}"
    report_difference(what, largest, TOLERANCE)
    assert largest < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("order", list(itertools.permutations(range(3)))[1:])
def test_heads_in_any_order(tmp_path, order):
    networks = make(tmp_path / "source", order=order)
    import_model("pytorch", tmp_path / "source", tmp_path / "out")
    assert largest_difference(networks, read_data(tmp_path / "out/pytorch.data")) < TOLERANCE


def test_the_same_as_by_names(models_dir, tmp_path):
    """mtCNN_sysu's published files, read by their shapes and by their names."""
    for model in ("pytorch", "mtcnn-sysu"):
        import_model(model, models_dir / "mtcnn-sysu", tmp_path / model)
    for name in NETWORKS:
        for kind in ("cfg", "weights"):
            first, second = (tmp_path / m / f"{name}.{kind}" for m in ("pytorch", "mtcnn-sysu"))
            assert first.read_bytes() == second.read_bytes()


def test_checkpoints_with_more_than_a_state(tmp_path):
    """A dict with "state_dict", DataParallel's names, the ending .pth, no unneeded landmarks."""
    source = tmp_path / "source"
    make(source)
    import_model("pytorch", source, tmp_path / "out")
    for name in NETWORKS:
        path = source / f"{name}_best.pt"
        state = {f"module.{key}": value for key, value in torch.load(path).items()}
        if name != "onet":
            state = {key: value for key, value in state.items() if "head2" not in key}
        torch.save({"epoch": 3, "state_dict": state}, path.with_suffix(".pth"))
        path.unlink()
    assert "nothing to do" in import_model("pytorch", source, tmp_path / "out")


@pytest.mark.slow
def test_face_class_on_the_command_line(tmp_path, capsys):
    source = tmp_path / "source"
    networks = make(source, face=0)
    command = ["pytorch", str(source), "--face-class", "0", "--out", str(tmp_path / "out")]
    assert import_pretrained.main(command) == 0
    assert largest_difference(networks, read_data(tmp_path / "out/pytorch.data")) < TOLERANCE
    command[3] = "1"
    assert import_pretrained.main(command) == 1
    assert "would change; --force" in capsys.readouterr().err
    command[3] = "2"
    assert import_pretrained.main(command) == 2


# ---- what is refused -----------------------------------------------------------------------------


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("evil",))


def refused(source, error, message):
    with pytest.raises(error, match=message) as raised:
        import_model("pytorch", source, source.parent / "out")
    assert "\n" not in str(raised.value)
    assert list(source.parent.iterdir()) == [source]


NORM = {"norm.weight": torch.ones(48), "norm.bias": torch.ones(48)}


@pytest.mark.parametrize(
    ("network", "change", "error", "message"),
    [
        ("rnet", NORM, ModelError, r"unknown, no .*: norm.weight \[48\], norm.bias \[48\]$"),
        (
            "rnet",
            {"norm.running_mean": torch.ones(48)},
            ModelError,
            r"unknown, .*: norm.running_mean",
        ),
        ("rnet", {"n.count": torch.tensor(3)}, ModelError, "n.count is no tensor of floating-p"),
        ("pnet", {"anchors": torch.ones(4)}, ModelError, r"unknown, .*: anchors \[4\]$"),
        ("rnet", {"trunk.0.bias": None}, ModelError, r"trunk.0.weight \[28, 3, 3, 3\]$"),
        (
            "rnet",
            {"trunk.1.weight": None},
            ModelError,
            r"has 4 .* \(trunk.0, trunk.3, .*\) and 3 PReLU layers with weights, .* 4 and 4",
        ),
        (
            "rnet",
            {"z.weight": torch.ones(64, 64, 1, 1), "z.bias": torch.ones(64)},
            ModelError,
            r"before its heads has 8 convolutions or dense layers \(.*, z\)",
        ),
        (
            "onet",
            {"trunk.6.weight": torch.ones(64, 64, 5, 5)},
            ModelError,
            r"trunk.6 \(weights\) is \[64, 64, 5, 5\], darknet_cfg/onet.cfg makes it \[64, 64, 3",
        ),
        (
            "onet",
            {"trunk.12.weight": torch.ones(256, 2048)},
            ModelError,
            r"trunk.12 \(weights\) is \[256, 2048\], .* makes it \[256, 128, 3, 3\]",
        ),
        ("pnet", {"trunk.1.weight": torch.ones(1)}, ModelError, r"trunk.1 \(slopes\) is \[1\], "),
        (
            "onet",
            {"ends.head2.weight": None, "ends.head2.bias": None},
            ModelError,
            "expected one head of 10 outputs, there are: none",
        ),
        (
            "rnet",
            {"more.weight": torch.ones(4, 128), "more.bias": torch.ones(4)},
            ModelError,
            "expected one head of 4 outputs, there are: ends.head1, more",
        ),
        (
            "pnet",
            {"ends.head1.bias": torch.tensor([1, np.nan, 2, 3])},
            WeightsError,
            "1: nan is not",
        ),
        ("pnet", {"ends.head1.bias": [1.0] * 4}, ModelError, "head1.bias is no tensor"),
        ("pnet", {"x": Evil()}, FileError, "refused"),
    ],
)
def test_other_states(tmp_path, monkeypatch, network, change, error, message):
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "source"
    make(source)
    path = source / f"{network}_best.pt"
    state = {k: v for k, v in (torch.load(path) | change).items() if v is not None}
    torch.save(state, path)
    refused(source, error, rf"{network}_best\.pt: .*{message}")


def test_damaged_and_missing_files(tmp_path):
    source = tmp_path / "source"
    make(source)
    path = source / "rnet_best.pt"
    whole = path.read_bytes()
    for content in (b"", whole[:-100], b"text"):
        path.write_bytes(content)
        refused(source, FileError, r"rnet_best\.pt: (not a whole|refused)")
    path.write_bytes(whole)
    path.with_name("rnet_last.pt").write_bytes(whole)
    refused(source, FileError, r"one rnet\*.pt or rnet\*.pth, there are: rnet_best.pt, rnet_last.p")
    path.unlink()
    path.with_name("rnet_last.pt").unlink()
    refused(source, FileError, "there are: none")
    for path in source.iterdir():
        torch.save({}, path)
    torch.save({}, source / "rnet.pt")
    refused(source, ModelError, r"pnet_best.pt: before its heads has 0 convolutions")


def test_changed_networks(tmp_path, monkeypatch):
    """darknet_cfg/ may be edited; then the states no longer fit."""
    source = tmp_path / "source"
    make(source)
    cfgs = source / "cfgs"
    cfgs.mkdir()
    for old, new, message in (
        ("filters=128", "filters=64", r"darknet_cfg/rnet.cfg makes it \[64\]"),
        ("filters=128", "filters=128\nbatch_normalize=1", "no batch normalisation"),
        ("activation=leaky", "activation=relu", "3 PReLU layers with weights, .* 3 and 0"),
        ("filters=4\n", "filters=5\n", "before its heads has 3 convolutions"),
        ("filters=4\n", "filters=1\n", r"has heads of 1, 4 .* darknet_cfg/pnet.cfg of \[1, 1\]"),
    ):
        for name in NETWORKS:
            text = (DARKNET_CFG / f"{name}.cfg").read_text()
            (cfgs / f"{name}.cfg").write_text(text.replace(old, new))
        monkeypatch.setattr(import_pretrained, "DARKNET_CFG", cfgs)
        refused(source, ModelError, message)
