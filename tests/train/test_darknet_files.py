"""Darknet's files in Python: cfg, weights, data, and the meaning of sections."""

import struct

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.mtcnn_darknet_files import MTCNN_DARKNET, write_mtcnn_darknet

import pymtcnn
from pymtcnn.errors import CfgError, FileError, WeightsError
from pymtcnn.files import atomic_write
from train_mtcnn.network.activations import ACTIVATION
from train_mtcnn.network.darknet import (
    DARKNET_CFG,
    DEFAULT_MODEL,
    NETWORKS,
    Cfg,
    Section,
    format_cfg,
    format_data,
    parse_cfg,
    read_cfg,
    read_data,
    read_weights,
    write_cfg,
    write_data,
    write_weights,
)
from train_mtcnn.network.layers import ACTIVATIONS, Shape, count_weights, read_layers
from train_mtcnn.network.networks import Network
from train_mtcnn.network.rewrite import with_floor_pooling, with_prelu

NET = "[net]\nwidth=12\nheight=12\nchannels=3\n"
CONV = "[convolutional]\nfilters=4\nsize=3\nactivation=leaky\n"


def layers(text, **size):
    return read_layers(parse_cfg(NET + text), **size)


# ---- cfg -----------------------------------------------------------------------------------------


def test_stock_quirks():
    cfg = parse_cfg(
        "# a comment\r\n; another\r\n\r\n [ network ]\r\n width = 1 2\r\nheight=12\r\n"
        "channels=3\r\n[conv]\r\nfilters=4\r\nfilters=8\r\nactivation=linear"
    )
    assert [section.name for section in cfg.sections] == ["network", "conv"]
    assert cfg.sections[0].options == {"width": "12", "height": "12", "channels": "3"}
    assert cfg.sections[1].options["filters"] == "4"  # the first one counts
    assert cfg.sections[1].lines["filters"] == 9
    assert read_layers(cfg)[0].shape == (4, 12, 12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no sections"),
        ("width=3\n", "cfg:1: option 'width' stands before any section"),
        ("[convolutional]\n", "cfg:1: the first section is [convolutional], expected [net]"),
        ("[net]\nwidth\n", "cfg:2: 'width' is not 'option = value'"),
        ("[net]\n=3\n", "cfg:2: '=3' is not 'option = value'"),
        ("[net\nwidth=1\n", "cfg:1: '[net' is not a [section]"),
        ("[net] here\n", "cfg:1: '[net] here' is not a [section]"),
    ],
)
def test_syntax_errors(text, message):
    with pytest.raises(CfgError) as error:
        parse_cfg(text)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no layers"),
        ("[yolo]\n", "cfg:5: unknown section [yolo]; known are convolutional"),
        (CONV.replace("size=3", "size=-3"), "cfg:7: [convolutional] size=-3; expected an integer"),
        (CONV.replace("filters=4", "filters=1000000000"), "cfg:6: [convolutional] filters=1000000"),
        (CONV.replace("filters=4", "filters=9" + 99 * "9"), "expected an integer 1..65536"),
        (CONV.replace("filters=4", "filters=4.5"), "filters=4.5; expected an integer"),
        (CONV.replace("filters=4", "filters=0"), "filters=0; expected an integer"),
        (CONV.replace("leaky", "leeky"), "cfg:8: [convolutional] activation=leeky is unknown"),
        (CONV.replace("activation=leaky\n", ""), "cfg:5: [convolutional] has no activation"),
        (CONV.replace("size=3", "size=13"), "its window of 13 does not fit into its input of 12"),
        (CONV + "groups=3\n", "groups=3 does not divide 3 channels and 4 filters"),
        (CONV + "dilation=2\n", "dilation=2 is not supported, only dilation=1"),
        (CONV + "[route]\nlayers=-2\n", "layers: -2 is no layer before this one, which is layer 1"),
        (CONV + "[route]\nlayers=1\n", "layers: 1 is no layer before this one"),
        (CONV + "[route]\nlayers=0,7\n", "layers: 7 is no layer before this one"),
        (CONV + "[route]\nlayers=-1,\n", "'' is not the number of a layer"),
        (CONV + "[route]\n", "cfg:9: [route] has no layers"),
        (CONV + CONV + "[route]\nlayers=0,1\n", "differ in height or width"),
        (
            CONV + CONV + "[shortcut]\nfrom=0\nactivation=linear\n",
            "expected one layer of the shape",
        ),
        (CONV + "[maxpool]\nsize=30\npadding=1\n", "its window of 30 does not fit"),
        (CONV + "[maxpool]\nsize=2\npadding=-1\n", "padding=-1; expected an integer"),
        (CONV + "[softmax]\ngroups=3\n", "groups=3 does not divide 4 channels"),
        (CONV + "[softmax]\ntemperature=0\n", "temperature=0; expected a number"),
        (CONV + "[prelu]\ngroups=3\n", "groups=3; expected 1 or its 4 channels"),
        (5 * "[connected]\noutput=65536\nactivation=relu\n", "more than 67108864 weights"),
    ],
)
def test_meaning_errors(text, message):
    with pytest.raises(CfgError) as error:
        layers(text)
    assert message in str(error.value)


@pytest.mark.parametrize("line", ["width=0", "height=-1", "channels=x", "width=2000000"])
def test_bad_input_shapes(line):
    option = line.partition("=")[0]
    text = "".join(part for part in NET.splitlines(True) if not part.startswith(option))
    with pytest.raises(CfgError, match=line):
        read_layers(parse_cfg(text + line + "\n" + CONV))


def test_missing_input_shape():
    with pytest.raises(CfgError, match=r"\[net\] has no height"):
        read_layers(parse_cfg("[net]\nwidth=12\nchannels=3\n" + CONV))


def test_unknown_options_are_ignored():
    assert layers(CONV + "stopbackward=1\n")[0].shape == (4, 10, 10)


def test_shapes_and_weights_of_all_sections():
    found = layers(
        """
        [convolutional]
        filters=6
        size=3
        stride=2
        pad=1
        padding=7
        groups=3
        batch_normalize=1
        activation=linear
        [prelu]
        groups=6
        [prelu]
        [maxpool]
        size=3
        stride=2
        [convolutional]
        filters=6
        size=1
        activation=relu
        [shortcut]
        from=-2
        activation=linear
        [route]
        layers=-1, 3
        [dropout]
        probability=.5
        [avgpool]
        [connected]
        output=5
        batch_normalize=1
        activation=linear
        [softmax]
        """
    )
    assert [layer.shape for layer in found] == [
        *[(6, 6, 6)] * 3,
        *[(6, 3, 3)] * 3,
        *[(12, 3, 3)] * 2,
        (12, 1, 1),
        *[(5, 1, 1)] * 2,
    ]
    assert [layer.inputs for layer in found][5:7] == [(4, 3), (5, 3)]
    batch_norm = ["scales", "means", "variances"]
    assert list(found[0].tensors) == ["biases", *batch_norm, "weights"]
    assert found[0].tensors["weights"] == (6, 1, 3, 3)
    assert found[0].options["padding"] == 1  # pad=1 overrides padding
    assert list(found[9].tensors) == ["biases", "weights", *batch_norm]
    assert found[1].tensors == {"slopes": (6,)} and found[2].tensors == {"slopes": (1,)}
    assert count_weights(found) == 4 * 6 + 54 + 6 + 1 + 6 + 36 + 5 + 60 + 15


def test_default_maxpool_padding():
    assert layers("[maxpool]\nsize=3\nstride=2\n", height=13, width=14)[0].shape == (3, 7, 7)
    assert layers("[maxpool]\nsize=3\nstride=2\npadding=0\n", height=13)[0].shape == (3, 6, 5)


def test_the_networks_of_the_paper():
    shapes = {name: read_layers(read_cfg(DARKNET_CFG / f"{name}.cfg")) for name in NETWORKS}
    assert shapes["pnet"][-1].shape == (5, 1, 1)
    assert shapes["rnet"][5].tensors["weights"] == (128, 64, 3, 3)  # the paper's 576
    assert shapes["onet"][7].tensors["weights"] == (256, 128, 2 + 1, 3)  # the paper's 1152
    assert shapes["onet"][-1].shape == (15, 1, 1)


def test_activations_are_the_same_in_both_tables():
    assert tuple(ACTIVATION) == ACTIVATIONS


WORD = st.text("abcdefghijklmnopqrstuvwxyz_0123456789,.-", min_size=1, max_size=8)


@given(
    st.lists(
        st.tuples(WORD, st.dictionaries(WORD, WORD, max_size=4), st.lists(WORD, max_size=2)),
        max_size=5,
    )
)
def test_cfg_round_trip(sections):
    cfg = Cfg([Section("net"), *(Section(n, o, c) for n, o, c in sections)])
    text = format_cfg(cfg)
    again = parse_cfg(text)
    assert again == cfg
    assert parse_cfg(text.replace("\n", "\r\n")) == cfg
    assert [s.comments for s in again.sections] == [s.comments for s in cfg.sections]


@given(st.text(alphabet="[]=#;\n\r net,widthro3-1", max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        read_layers(parse_cfg(text))
    except CfgError as error:
        assert "\n" not in str(error)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileError, match=r"none\.cfg: cannot be read"):
        read_cfg(tmp_path / "none.cfg")
    (tmp_path / "binary.cfg").write_bytes(b"[net]\n\0")
    with pytest.raises(CfgError, match=r"binary\.cfg: not a text file"):
        read_cfg(tmp_path / "binary.cfg")
    with pytest.raises(FileError, match=r"none/x\.cfg: cannot be written"):
        write_cfg(tmp_path / "none" / "x.cfg", parse_cfg(NET))


def test_comments_of_other_encodings_are_kept(tmp_path):
    text = b"# gr\xf6\xdfer\n[net]\nmomentum=\nwidth=12\n"
    (tmp_path / "a.cfg").write_bytes(b"\xef\xbb\xbf" + text)
    write_cfg(tmp_path / "b.cfg", read_cfg(tmp_path / "a.cfg"))
    assert (tmp_path / "b.cfg").read_bytes() == text


# ---- prelu ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_with_prelu(name):
    plain = read_cfg(DARKNET_CFG / f"{name}.cfg")
    text = format_cfg(plain)
    rewritten = with_prelu(plain)
    assert format_cfg(plain) == text
    old, new = read_layers(plain), read_layers(rewritten)
    leaky = sum(layer.options.get("activation") == "leaky" for layer in old)
    assert leaky and len(new) == len(old) + leaky
    assert not any(layer.options.get("activation") == "leaky" for layer in new)
    assert all(layer.tensors["slopes"] == layer.shape[:1] for layer in new if layer.type == "prelu")
    assert new[-1].shape == old[-1].shape


def test_with_prelu_keeps_absolute_and_relative_references():
    cfg = with_prelu(
        parse_cfg(
            NET + 3 * CONV.replace("size=3", "size=1") + "[shortcut]\nfrom=-3\nactivation=leaky\n"
            "[route]\nlayers=0,-1,2,-3\n"
        )
    )
    found = read_layers(cfg)
    assert [layer.type for layer in found[:6]] == 3 * ["convolutional", "prelu"]
    assert found[6].inputs == (5, 1)  # the shortcut
    assert found[8].inputs == (1, 7, 5, 3)
    assert cfg.sections[-1].options["layers"] == "1,-1,5,-5"


def test_with_prelu_of_one_slope():
    new = read_layers(with_prelu(read_cfg(DARKNET_CFG / "onet.cfg"), shared=True))
    slopes = [layer.tensors["slopes"] for layer in new if layer.type == "prelu"]
    assert len(slopes) == 5 and set(slopes) == {(1,)}


@pytest.mark.parametrize(
    ("name", "kernels", "shapes"),
    [
        ("pnet", [3, 3, 3, 1, 1], [5]),
        ("rnet", [3, 3, 2, 2, 1, 1], [11, 4]),
        ("onet", [3, 3, 3, 2, 2, 1, 1, 1], [23, 10, 4]),
    ],
)
def test_with_floor_pooling(name, kernels, shapes):
    plain = read_cfg(DARKNET_CFG / f"{name}.cfg")
    text = format_cfg(plain)
    floor = with_floor_pooling(plain)
    assert format_cfg(plain) == text
    old, new = read_layers(plain), read_layers(floor)
    assert [layer.shape.height for layer in old if layer.type == "maxpool"] == shapes
    floors = {"pnet": [5], "rnet": [10, 3], "onet": [22, 9, 3]}[name]
    assert [layer.shape.height for layer in new if layer.type == "maxpool"] == floors
    sizes = [layer.options["size"] for layer in new if layer.type == "convolutional"]
    assert sizes == kernels and new[-1].shape == old[-1].shape
    assert "ceil_mode" not in format_cfg(floor) and "3x3" not in format_cfg(floor)
    assert format_cfg(with_floor_pooling(floor)) == format_cfg(floor)


# ---- weights -------------------------------------------------------------------------------------

FLOATS = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=20)


@given(FLOATS)
def test_weights_round_trip(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("weights") / "x.weights"
    array = np.array(values, np.float32)
    write_weights(path, array)
    assert path.read_bytes()[:20] == struct.pack("<iiiQ", 0, 2, 0, 0)
    assert path.stat().st_size == 20 + 4 * len(array)
    read, transposed = read_weights(path, len(array))
    assert read.tobytes() == array.tobytes() and not transposed


@pytest.mark.parametrize(
    ("header", "transposed"),
    [
        (struct.pack("<iiiQ", 0, 2, 0, 0), False),
        (struct.pack("<iiiQ", 0, 2, 5, 1 << 40), False),
        (struct.pack("<iiiQ", 1, 0, 0, 0), False),
        (struct.pack("<iiii", 0, 0, 0, 0), False),  # isLouisHsu's
        (struct.pack("<iiii", 0, 1, 0, 77), False),
        (struct.pack("<iiii", 1001, 0, 0, 0), True),
        (struct.pack("<iiii", 0, 1001, 0, 0), True),
        (struct.pack("<iiii", 1000, 0, 0, 0), False),
    ],
)
def test_header_forms(tmp_path, header, transposed):
    path = tmp_path / "x.weights"
    values = np.arange(5, dtype=np.float32)
    path.write_bytes(header + values.tobytes())
    read, flag = read_weights(path, 5)
    assert read.tolist() == values.tolist() and flag == transposed


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("name", MTCNN_DARKNET)
def test_prelu_files_of_mtcnn_darknet(tmp_path, name, shared):
    """.cfg and .weights as isLouisHsu/MTCNN_Darknet writes them, with random numbers."""
    theirs = write_mtcnn_darknet(tmp_path, name, shared)
    files = tmp_path / f"{name}.cfg", tmp_path / f"{name}.weights"
    side = MTCNN_DARKNET[name][0]
    x = torch.rand(4, 3, side, side)
    with torch.no_grad():
        expected = theirs(x).numpy().reshape(4, 15, 1, 1)
        found = Network.from_darknet(*files)(x).numpy()
    tolerance = 1e-5 * np.abs(expected).max()
    assert np.abs(found - expected).max() < tolerance
    assert np.abs(pymtcnn.Network(*files).run(x.numpy()) - expected).max() < tolerance


@pytest.mark.parametrize("size", [16, 20 + 4 * 4, 20 + 4 * 6, 20 + 4 * 5 + 1, 20 + 4 * 5 - 3])
def test_wrong_sizes(tmp_path, size):
    path = tmp_path / "x.weights"
    path.write_bytes((struct.pack("<iiiQ", 0, 2, 0, 0) + bytes(100))[:size])
    with pytest.raises(WeightsError, match=r"x\.weights: .* expected 20 \(5 values\)"):
        read_weights(path, 5)


@pytest.mark.parametrize("content", [b"", b"\0" * 15])
def test_incomplete_header(tmp_path, content):
    (tmp_path / "x.weights").write_bytes(content)
    with pytest.raises(WeightsError, match="even the header"):
        read_weights(tmp_path / "x.weights")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite(tmp_path, value):
    path = tmp_path / "x.weights"
    with pytest.raises(WeightsError, match="value 1 is"):
        write_weights(path, [0, value])
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(bytes(16) + np.array([0, value], np.float32).tobytes())
    with pytest.raises(WeightsError, match="value 1 of 2 is"):
        read_weights(path)


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(path) as file:
        file.write(b"new")
        raise RuntimeError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


# ---- data ----------------------------------------------------------------------------------------

DATA = """\
# a cascade
pnet_cfg = nets/p.cfg
pnet_weights = nets/p.weights
rnet_cfg = ../r.cfg
rnet_weights = r r.weights
onet_cfg = /o.cfg
onet_weights=o.weights
thresholds = 0.6, 0.7,0.7
min_face = 20
scale_factor = 0.709
  nms = 0.5, 0.7, 0.7, 0.7
max_boxes = 300,200, 100
; another comment
mean = 127.5
norm = 0.0078125
color = RGB
pad = 0
"""


def test_default_data():
    data = read_data(DEFAULT_MODEL)
    assert set(data.cfg) == set(data.weights) == set(NETWORKS)
    assert data.cfg["pnet"].parent == DARKNET_CFG
    assert data.color in ("RGB", "BGR") and 0 < data.scale_factor < 1


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_data(tmp_path, newline):
    (tmp_path / "x.data").write_text(DATA.replace("\n", newline))
    data = read_data(tmp_path / "x.data")
    assert data.cfg["pnet"] == tmp_path / "nets" / "p.cfg"
    assert data.cfg["rnet"].resolve() == tmp_path.parent.resolve() / "r.cfg"
    assert data.cfg["onet"].as_posix() == "/o.cfg"
    assert data.weights["rnet"] == tmp_path / "r r.weights"
    assert data.thresholds == (0.6, 0.7, 0.7) and data.nms == (0.5, 0.7, 0.7, 0.7)
    assert (data.min_face, data.scale_factor, data.mean, data.norm) == (20, 0.709, 127.5, 1 / 128)
    assert data.max_boxes == (300, 200, 100)
    assert all(isinstance(number, int) for number in data.max_boxes)
    assert (data.color, data.pad) == ("RGB", 0)
    assert data.border == 0  # the one key that may be left out
    (tmp_path / "x.data").write_text(DATA + "border = 0.3\n")
    assert read_data(tmp_path / "x.data").border == 0.3


def test_comments_behind_values(tmp_path):
    lines = [f"{line}\t# {line}" for line in DATA.splitlines() if "=" in line]
    (tmp_path / "x.data").write_text("\n".join(lines))
    (tmp_path / "y.data").write_text(DATA)
    assert read_data(tmp_path / "x.data") == read_data(tmp_path / "y.data")
    cfg = parse_cfg("# a\n[net] # b\nwidth=1 ;c\nheight=2#d\n;e\nchannels = 3 # f # g\n")
    assert cfg == parse_cfg("[net]\nwidth=1\nheight=2\nchannels=3\n")
    assert cfg.sections[0].comments == ["a", "b", "c", "d", "e", "f # g"]  # none is lost
    with pytest.raises(CfgError, match=":2: 'width' is not 'option = value'"):
        parse_cfg("[net]\nwidth # =1\n")


def test_data_of_paths_with_signs_of_comments(tmp_path):
    (tmp_path / "x.data").write_text(DATA)
    data = read_data(tmp_path / "x.data")
    data.cfg["pnet"] = tmp_path / "#1;" / "p;#.cfg"
    write_data(tmp_path / "y.data", data)
    assert "pnet_cfg = ./#1;/p;#.cfg\n" in (tmp_path / "y.data").read_text()
    assert read_data(tmp_path / "y.data").cfg["pnet"] == data.cfg["pnet"]
    for name in ("p #1.cfg", "p ;.cfg"):
        data.cfg["pnet"] = tmp_path / name
        with pytest.raises(CfgError, match=f"{name}: cannot be named in a .data file"):
            write_data(tmp_path / "z.data", data)
    assert not (tmp_path / "z.data").exists()


def test_data_round_trip(tmp_path):
    (tmp_path / "x.data").write_text(DATA)
    data = read_data(tmp_path / "x.data")
    write_data(tmp_path / "y.data", data, ("why", ""))
    text = (tmp_path / "y.data").read_text()
    assert text.startswith("# why\n#\npnet_cfg = nets/p.cfg\n")
    assert text == format_data(data, tmp_path, ("why", ""))
    again = read_data(tmp_path / "y.data")
    for paths in ("cfg", "weights"):
        old, new = getattr(data, paths), getattr(again, paths)
        assert {n: p.resolve() for n, p in new.items()} == {n: p.resolve() for n, p in old.items()}
    settings = vars(data).keys() - {"cfg", "weights"}
    assert len(settings) == 10
    for key in settings:
        assert getattr(again, key) == getattr(data, key)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("color = RGB", "color = rgb", "color = rgb: must be RGB or BGR"),
        ("color = RGB", "", "missing color"),
        ("color = RGB", "colour = RGB", r"unknown key 'colour'; did you mean color\?"),
        ("color = RGB", "hue = 3", "unknown key 'hue'; the .data of a cascade, .* has pnet_cfg, "),
        ("color = RGB", "color = RGB\ncolor = RGB", "'color' is given twice"),
        ("color = RGB", "color", "is not 'key = value'"),
        ("0.6, 0.7,0.7", "0.6, 0.7", "must be three numbers, each 0 to 1"),
        ("0.6, 0.7,0.7", "0.6, 0.7, 1.7", "must be three numbers, each 0 to 1"),
        ("0.6, 0.7,0.7", "0.6, 0.7, nan", "must be three numbers, each 0 to 1"),
        ("min_face = 20", "min_face = 0.5", "must be a number of pixels, 1 to 1000000"),
        ("scale_factor = 0.709", "scale_factor = 1", "must be a number above 0 and below 1"),
        ("300,200, 100", "300, 200", "must be three whole numbers, each 1 to 1000000"),
        ("300,200, 100", "300, 200, 0", "must be three whole numbers, each 1 to 1000000"),
        ("300,200, 100", "300, 200, 0.5", "must be three whole numbers, each 1 to 1000000"),
        ("300,200, 100", "300, 200, 1e7", "must be three whole numbers, each 1 to 1000000"),
        ("300,200, 100", "300, 200, few", "must be three whole numbers, each 1 to 1000000"),
        ("norm = 0.0078125", "norm = 0", "must be a number other than 0"),
        ("pad = 0", "pad = 256", "must be a number, 0 to 255"),
        ("mean = 127.5", "mean = inf", "must be a number"),
    ],
)
def test_data_errors(tmp_path, old, new, message):
    assert old in DATA
    (tmp_path / "x.data").write_text(DATA.replace(old, new))
    with pytest.raises(CfgError, match=message) as error:
        read_data(tmp_path / "x.data")
    assert "x.data" in str(error.value)


def test_shapes_print_as_products():
    assert str(Shape(3, 12, 24)) == "3x12x24"
