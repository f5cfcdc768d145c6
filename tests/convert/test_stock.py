"""Networks rewritten for stock Darknet, and round trips of its files."""

import json
import shutil
import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.export_models import random_network
from support.random_cascade import write_random_cascade

import pymtcnn
from convert import darknet2torch, torch2darknet
from convert.stock import to_stock
from pymtcnn.errors import ArgumentError, FileError, ModelError, WeightsError
from train_mtcnn.network.checkpoint import load_checkpoint, read_checkpoint, save_checkpoint
from train_mtcnn.network.darknet import (
    DARKNET_CFG,
    NETWORKS,
    format_cfg,
    parse_cfg,
    read_cfg,
    read_data,
    write_cfg,
    write_data,
    write_weights,
)
from train_mtcnn.network.network_input import STOCK, STOCK_NOTE, TRAINED, Input
from train_mtcnn.network.networks import Network
from train_mtcnn.network.rewrite import with_prelu
from train_mtcnn.train import make_network
from train_mtcnn.training.hyperparameters import Hyperparameters

NET = "[net]\nwidth=9\nheight=9\nchannels=3\n"
CONV = "[convolutional]\nfilters=4\nsize=3\nactivation=linear\n"
POINTWISE = CONV.replace("size=3", "size=1")
POOL = "[maxpool]\nsize=2\nstride=2\npadding=1\n"
PRELU = "[prelu]\ngroups=4\n"
BGR = Input(100.0, 0.02, "BGR")


def double(network):
    """Double precision shows the error of the rewriting itself, without float32's."""
    return network.double()


@torch.inference_mode()
def difference(network, fed, stock, size=(9, 9), seed=0):
    """Largest difference of a network's and its rewriting's output, each fed the same pixels."""
    v = torch.from_numpy(np.random.default_rng(seed).uniform(0, 255, (2, 3, *size)))
    x = v if fed.color == "RGB" else v.flip(1)
    expected = double(network)((x - fed.mean) * fed.norm)
    found = double(stock)((v - STOCK.mean) * STOCK.norm)
    assert expected.shape == found.shape
    return (expected - found).abs().max().item() / max(1.0, expected.abs().max().item())


def with_slopes(text, *slopes):
    """A random network of a cfg whose [prelu] sections have these slopes, in order."""
    network = random_network(parse_cfg(text))
    modules = [m for la, m in zip(network.definition, network.layers) if la.type == "prelu"]
    for module, values in zip(modules, slopes, strict=True):
        module.slopes.data = torch.tensor(values, dtype=torch.float32)
    return network


# ---- PReLU ---------------------------------------------------------------------------------------

SLOPES = st.lists(st.floats(-4, 4, width=32), min_size=4, max_size=4)


@pytest.mark.slow
@settings(max_examples=60)
@given(SLOPES, SLOPES, SLOPES, st.sampled_from([TRAINED, BGR, STOCK]))
def test_any_slopes_are_rewritten_exactly(first, second, third, fed):
    """Before a pooling, between convolutions and at a network's end; exact in float32."""
    network = with_slopes(
        NET + CONV + PRELU + POOL + CONV + PRELU + POINTWISE + PRELU, first, second, third
    )
    stock = to_stock(network, fed)
    assert {layer.type for layer in stock.definition} == {"convolutional", "maxpool"}
    assert difference(network, fed, stock) < 5e-6


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        (CONV, ""),
        (CONV.replace("linear", "relu"), POOL),  # nothing linear to scale
        (CONV + "[dropout]\n", POOL),  # nor here
        (CONV.replace("filters=4", "filters=4\npad=1"), POOL),
        (POINTWISE + POINTWISE, "[shortcut]\nfrom=-2\nactivation=linear\n"),
        (CONV, "[shortcut]\nfrom=-2\nactivation=linear\n"),  # two read the convolution
        (CONV, "[route]\nlayers=-1,0,1\n" + POINTWISE),
        (CONV, POOL + "[route]\nlayers=-1\n" + POINTWISE + "[route]\nlayers=-3,2,-1\n"),
        (CONV, POOL + "[connected]\noutput=2\nactivation=logistic\n"),
        (CONV, "[maxpool]\nsize=1\nstride=2\npadding=3\n"),  # windows of padding only
        (CONV, "[maxpool]\nsize=3\nstride=2\n" + CONV.replace("size=3", "size=2")),
        (CONV, "[avgpool]\n[softmax]\n"),
    ],
)
@pytest.mark.parametrize("slopes", [[0.5, 0, 1, 3.5], [-0.5, 1.25, -3, 0.1], [-1, -0.0, -2, -3]])
@pytest.mark.parametrize("fed", [TRAINED, BGR])
def test_any_position_of_a_prelu(before, after, slopes, fed):
    text = NET + before + PRELU + after
    if not before:
        text, slopes = text.replace("groups=4", "groups=3"), slopes[:3]
    network = with_slopes(text, slopes)
    stock = to_stock(network, fed)
    assert "prelu" not in {layer.type for layer in stock.definition}
    if "size=1\nstride=2" in after:  # PyTorch's -3.4e38 cannot be compared
        assert stock.definition[-1].shape == network.definition[-1].shape
        return
    assert difference(network, fed, stock) < 5e-6


def test_a_pooling_comes_first_where_it_can():
    """Poolings leave a quarter of the pixels; a channel is split into two halves after them."""
    text = NET + CONV + PRELU + POOL
    for slopes, filters in (([0.5, 0, 1, 3], [4, 8, 4]), ([-1, 0, -2, 3], [6, 10, 4])):
        stock = to_stock(with_slopes(text, slopes), TRAINED)
        assert [layer.type for layer in stock.definition] == [
            "convolutional",
            "maxpool",
            "convolutional",
            "convolutional",
        ]
        assert [layer.shape.channels for layer in stock.definition if layer.tensors] == filters


def test_one_slope_of_all_channels():
    network = with_slopes(NET + CONV + "[prelu]\ngroups=1\n" + POOL, [-0.3])
    assert difference(network, TRAINED, to_stock(network, TRAINED)) < 5e-6


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_slopes_that_are_not_numbers(tmp_path, capsys, value):
    network = with_slopes(NET + CONV + PRELU, [0, 0, value, 0])
    save_checkpoint(tmp_path / "a.pt", network)
    for dialect in ("stock", "native"):
        out = str(tmp_path / "out")
        assert torch2darknet.main([str(tmp_path / "a.pt"), "--out", out, "--dialect", dialect]) == 1
        message = capsys.readouterr().err
        assert f"a.pt (its cfg): layer 1 ([prelu]), slopes, channel 2: {value}" in message
        assert message.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt"]


def test_weights_that_grow_beyond_float32():
    network = with_slopes(NET + CONV + PRELU + POOL, [-3e38, 0, 0, 0])
    with torch.no_grad():
        network.layers[0].weights += 2
    with pytest.raises(WeightsError, match=r"layer 0 .*, weights, channel 4: .* beyond float32"):
        to_stock(network, STOCK)


# ---- input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", [0, 1])
@pytest.mark.parametrize("pad", [0, 1])
@pytest.mark.parametrize("fed", [TRAINED, BGR, STOCK])
def test_input_is_folded(normalize, pad, fed):
    conv = CONV.replace("size=3", f"size=3\npad={pad}\nbatch_normalize={normalize}")
    text = NET + conv + conv + "[route]\nlayers=0,1\n" if pad else NET + conv + conv
    network = random_network(parse_cfg(text))
    stock = to_stock(network, fed)
    assert difference(network, fed, stock) < 5e-6
    front = len(stock.definition) - len(network.definition)
    assert front == (1 if pad and fed != STOCK else 0), "padding is 0 in every form of input"
    assert format_cfg(stock.cfg).startswith(f"# {STOCK_NOTE}\n[net]\n")


def test_input_of_other_channels():
    text = NET.replace("channels=3", "channels=1") + CONV
    assert len(to_stock(random_network(parse_cfg(text)), TRAINED).definition) == 1
    with pytest.raises(ModelError, match="takes 1 channels, which are not BGR"):
        to_stock(random_network(parse_cfg(text)), BGR)


def test_options_whose_defaults_differ_are_written():
    text = NET + "[convolutional]\nactivation=linear\n[maxpool]\nstride=2\n"
    sections = to_stock(random_network(parse_cfg(text)), STOCK).cfg.sections
    assert sections[1].options == {"activation": "linear", "size": "1", "stride": "1", "pad": "0"}
    assert sections[2].options == {"stride": "2", "size": "2", "padding": "1"}


# ---- round trips ---------------------------------------------------------------------------------


def files(folder, *suffixes):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in suffixes}


def write_pnet(folder, prelu=False, header=b""):
    """PNet's cfg and weights of random numbers."""
    cfg = read_cfg(DARKNET_CFG / "pnet.cfg")
    network = random_network(with_prelu(cfg) if prelu else cfg)
    folder.mkdir(exist_ok=True)
    write_cfg(folder / "pnet.cfg", network.cfg)
    write_weights(folder / "pnet.weights", network.weights())
    if header:
        (folder / "pnet.weights").write_bytes(header + network.weights().tobytes())
    return network


@pytest.mark.parametrize("prelu", [False, True])
@pytest.mark.parametrize("dialect", ["stock", "native"])
def test_round_trip_is_exact(tmp_path, dialect, prelu):
    """checkpoint -> Darknet -> checkpoint -> Darknet: the same bytes; the .json has the input."""
    write_pnet(tmp_path / "a", prelu)
    to_darknet, to_torch = torch2darknet.main, darknet2torch.main
    a, b, c = (str(tmp_path / name) for name in "abc")
    options = ["--dialect", dialect]
    assert to_darknet([f"{a}/pnet.weights", "--out", b, *options]) == 0
    assert to_torch([f"{b}/pnet.weights", "--out", f"{b}/pnet.pt"]) == 0
    assert to_darknet([f"{b}/pnet.pt", "--out", c, *options]) == 0
    first, second = (files(tmp_path / name, ".cfg", ".weights") for name in "bc")
    assert first == second and len(first) == 2
    if dialect == "native":
        assert first == files(tmp_path / "a", ".cfg", ".weights")
    assert read_checkpoint(f"{b}/pnet.pt")[1] == {"stock": STOCK, "native": TRAINED}[dialect]


@pytest.mark.parametrize(
    "header", [struct.pack("<iiii", 0, 0, 0, 0), struct.pack("<iiiQ", 0, 2, 0, 7)]
)
@pytest.mark.parametrize("prelu", [False, True])
def test_both_headers(tmp_path, header, prelu):
    network = write_pnet(tmp_path, prelu, header)
    assert darknet2torch.main([str(tmp_path / "pnet.weights")]) == 0
    assert np.array_equal(load_checkpoint(tmp_path / "pnet.pt").weights(), network.weights())


def test_training_gets_its_own_input(tmp_path):
    """train.py --load feeds (v - 127.5) / 128, for any input of the files."""
    network = write_pnet(tmp_path / "a", prelu=True)
    torch2darknet.convert(tmp_path / "a/pnet.weights", None, tmp_path / "b")
    shutil.move(tmp_path / "b/pnet.json", tmp_path / "kept.json")
    weights, checkpoint = tmp_path / "b/pnet.weights", tmp_path / "pnet.pt"
    darknet2torch.convert(weights, None, checkpoint, dialect="stock")
    loaded = make_network(Hyperparameters("pnet"), None, checkpoint)
    assert STOCK_NOTE not in format_cfg(loaded.cfg)
    x = torch.randn(2, 3, 12, 12)
    with torch.inference_mode():
        assert torch.allclose(loaded(x), network(x), atol=1e-5)
        darknet2torch.convert(weights, None, checkpoint, force=True)  # a comment of the cfg says it
        assert torch.allclose(load_checkpoint(checkpoint)(x), network(x), atol=1e-5)
        cfg = weights.with_suffix(".cfg")
        cfg.write_text(cfg.read_text().replace(f"# {STOCK_NOTE}\n", ""))
        darknet2torch.convert(weights, None, checkpoint, force=True)  # now it is read as native
        assert not torch.allclose(load_checkpoint(checkpoint)(x), network(x), atol=1e-2)
    shutil.move(tmp_path / "kept.json", tmp_path / "b/pnet.json")
    darknet2torch.convert(weights, None, checkpoint, force=True)  # the .json says it
    assert read_checkpoint(checkpoint)[1] == STOCK
    with pytest.raises(ArgumentError, match=r"pnet\.json says otherwise"):
        darknet2torch.convert(weights, None, checkpoint, force=True, dialect="native")


# ---- whole models --------------------------------------------------------------------------------


@pytest.fixture
def cascade(tmp_path):
    """A model of random PReLU networks that take BGR."""
    folder = tmp_path / "model"
    folder.mkdir()
    path = write_random_cascade(folder, color="BGR", norm=0.01, mean=120.0)
    data = read_data(path)
    for name in NETWORKS:
        data.cfg[name] = folder / f"{name}.cfg"
        network = random_network(with_prelu(read_cfg(DARKNET_CFG / f"{name}.cfg")))
        write_cfg(data.cfg[name], network.cfg)
        write_weights(data.weights[name], network.weights())
    write_data(path, data)
    return path


@pytest.mark.slow
def test_round_trip_of_a_model(tmp_path, cascade, capsys):
    a, b, c = (tmp_path / name for name in "abc")
    assert torch2darknet.main([str(cascade), "--out", str(a), "--licence", "MIT, ours"]) == 0
    assert "norm = 0.00392156862745098, color = RGB" in capsys.readouterr().out
    data = read_data(a / "random.data")
    assert (data.mean, data.norm, data.color) == STOCK
    assert data.thresholds == read_data(cascade).thresholds
    about = json.loads((a / "rnet.json").read_text())
    assert about["input"]["norm"] == 1 / 255 and about["licence"] == "MIT, ours"
    assert about["source"] == "rnet.weights" and about["dialect"] == "stock"
    assert str(tmp_path) not in (a / "rnet.json").read_text()
    assert len(about["source_sha256"]) == len(about["weights_sha256"]) == 64

    assert darknet2torch.main([str(cascade), "--out", str(b)]) == 0
    for name in NETWORKS:
        torch2darknet.convert(b / f"{name}.pt", None, c)
    assert files(c, ".cfg", ".weights") == files(a, ".cfg", ".weights")
    assert torch2darknet.main([str(cascade), "--out", str(c), "--dialect", "native"]) == 1
    assert "would change; --force replaces them" in capsys.readouterr().err
    options = ["--out", str(c), "--dialect", "native", "--force"]
    assert torch2darknet.main([str(cascade), *options]) == 0
    assert files(c, ".cfg", ".weights") == files(cascade.parent, ".cfg", ".weights")


def test_a_folder_instead_of_a_file(cascade, tmp_path):
    """Nothing is moved, even with force."""
    out = tmp_path / "out"
    (out / "rnet.weights").mkdir(parents=True)
    (out / "pnet.weights").write_bytes(b"mine")
    with pytest.raises(FileError, match=r"out: rnet\.weights: a folder is where a file belongs"):
        torch2darknet.convert_model(cascade, out, force=True)
    assert sorted(path.name for path in out.iterdir()) == ["pnet.weights", "rnet.weights"]
    assert (out / "pnet.weights").read_bytes() == b"mine"


def test_the_core_finds_the_same_boxes(tmp_path, cascade, pictures):
    torch2darknet.convert_model(cascade, tmp_path / "stock")
    picture = pymtcnn.read_picture(pictures[0])[100:180, 180:260]
    found = []
    for model in (cascade, tmp_path / "stock" / "random.data"):
        with pymtcnn.Detector(model, thresholds=(0.3, 0.3, 0.3)) as detector:
            found.append(detector.detect(picture))
    assert len(found[0]) == len(found[1]) > 0
    assert np.allclose(found[0].boxes, found[1].boxes, atol=0.5)
    assert np.allclose(found[0].scores, found[1].scores, atol=1e-3)


def test_sources_are_not_written_over(tmp_path, cascade, capsys):
    before = files(cascade.parent, ".cfg", ".weights", ".data")
    for command in (
        [str(cascade), "--out", str(cascade.parent), "--force"],
        [str(cascade.parent / "pnet.weights"), "--force"],
    ):
        assert torch2darknet.main(command) == 1
        assert "would be written over; name another folder" in capsys.readouterr().err
    assert files(cascade.parent, ".cfg", ".weights", ".data", ".json") == before


# ---- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (100, r"it ends in layer 0 \(convolutional\), weights \(90 of 270 values\)"),
        (283, r"it ends in layer 2 \(convolutional\), biases \(3 of 16 values\)"),
        (6541 + 2, ": 8 bytes more than the last layer takes"),
    ],
)
def test_weights_that_do_not_fit_say_where(tmp_path, values, message):
    write_pnet(tmp_path)
    path = tmp_path / "pnet.weights"
    path.write_bytes(struct.pack("<iiiQ", 0, 2, 0, 0) + bytes(4 * values))
    with pytest.raises(WeightsError, match=rf"pnet\.weights: .*{message}; does the file belong"):
        darknet2torch.convert(path, None, tmp_path / "pnet.pt")
    assert not (tmp_path / "pnet.pt").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{}", None),
        (b"[1]", None),
        (b"{", "does not say how pnet.weights is fed"),
        (b'{"weights_sha256": "0"}', "does not say how pnet.weights is fed"),
        (
            b'{"weights_sha256": "0", "input": {"mean": 0, "norm": 1, "color": "RGB"}}',
            "its checksum is not that of pnet.weights",
        ),
        (
            b'{"weights_sha256": "0", "input": {"mean": 0, "norm": 0, "color": "RGB"}}',
            "a norm other than 0",
        ),
    ],
)
def test_sidecars(tmp_path, content, message):
    write_pnet(tmp_path)
    (tmp_path / "pnet.json").write_bytes(content)
    arguments = tmp_path / "pnet.weights", None, tmp_path / "pnet.pt"
    if message is None:  # another program's
        darknet2torch.convert(*arguments)
        assert read_checkpoint(tmp_path / "pnet.pt")[1] == TRAINED
        return
    with pytest.raises(FileError, match=rf"pnet\.json: .*{message}"):
        darknet2torch.convert(*arguments)
    darknet2torch.convert(*arguments, dialect="native")


@pytest.mark.parametrize("value", [3, {"mean": 0}, {"mean": 0, "norm": 0, "color": "RGB"}])
def test_checkpoints_with_a_wrong_input(tmp_path, value):
    save_checkpoint(tmp_path / "a.pt", random_network(parse_cfg(NET + CONV)), {"input": value})
    with pytest.raises(ModelError, match=r"a\.pt: its input is"):
        load_checkpoint(tmp_path / "a.pt")


def test_other_files_are_refused(tmp_path, capsys):
    write_pnet(tmp_path)
    save_checkpoint(tmp_path / "a.pt", Network(parse_cfg(NET + CONV)))
    cfg = str(tmp_path / "pnet.cfg")
    assert darknet2torch.main([str(tmp_path / "a.pt"), "--cfg", cfg]) == 1
    assert "a.pt: is a checkpoint; name a .weights or .data" in capsys.readouterr().err
    for program, endings in (
        (torch2darknet, ".pt, .weights or .data"),
        (darknet2torch, ".weights or .data"),
    ):
        for path, what in ((cfg, "a network without its weights"), (str(tmp_path), "a folder")):
            assert program.main([path]) == 1
            assert f"{path}: is {what}; name a {endings}\n" in capsys.readouterr().err
        (tmp_path / "coco.data").write_text("classes = 80\ntrain = train.txt\n")
        assert program.main([str(tmp_path / "coco.data"), "--out", str(tmp_path / "x")]) == 1
        message = capsys.readouterr().err
        assert "coco.data:1: unknown key 'classes'; the .data of a cascade, such as" in message
        assert message.count("\n") == 1
    assert not (tmp_path / "x").exists()
    assert torch2darknet.main([str(tmp_path / "x.data")]) == 2
    assert darknet2torch.main([str(tmp_path / "x.data")]) == 2
