"""The C core and Python read the same cfg and .data files, and refuse the same ones."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
from support.random_cascade import write_random_cascade

import pymtcnn
from pymtcnn.errors import CfgError, FileError, ModelError
from train_mtcnn.cascade.torch_detector import TorchDetector
from train_mtcnn.network.darknet import DARKNET_CFG, read_cfg, read_data, write_weights
from train_mtcnn.network.layers import count_weights, read_layers

NET = b"[net]\nwidth=12\nheight=12\nchannels=3\n"
CONV = b"[convolutional]\nfilters=4\nsize=3\nactivation=leaky\n"
SHORTCUT = CONV + CONV.replace(b"size=3", b"size=1") + b"[shortcut]\nfrom=-2\nactivation=relu\n"
SOFTMAX = CONV + b"[softmax]\n"


def net(width: int, height: int, channels: int) -> bytes:
    return b"[net]\nwidth=%d\nheight=%d\nchannels=%d\n" % (width, height, channels)


def accepts(read, *arguments) -> bool:
    try:
        read(*arguments)
    except (CfgError, ModelError):
        return False
    return True


CFGS = {
    # text
    "plain": (NET + CONV, True),
    "dos": ((NET + CONV).replace(b"\n", b"\r\n"), True),
    "blanks": (NET + CONV.replace(b"=", b" = ").replace(b"4", b"\t4 "), True),
    "byte order mark": (b"\xef\xbb\xbf" + NET + CONV, True),
    "comments behind": (NET.replace(b"\n", b" # x\n") + CONV.replace(b"\n", b" ;x=1\n"), True),
    "comments without a blank": (NET + CONV.replace(b"\n", b"#x\n"), True),
    "comment instead of a value": (NET + CONV.replace(b"leaky", b"# leaky"), False),
    "comment within a key": (NET + CONV + b"str#ide=1\n", False),
    "unknown options": (NET + b"batsh=1\n" + CONV + b"filter=3\n", True),
    "latin-1 comment": (b"# gr\xf6\xdfer\n" + NET + CONV, True),
    "latin-1 value": (NET + CONV.replace(b"leaky", b"l\xe9aky"), False),
    "no-break space": (NET + CONV.replace(b"leaky", "leaky\u00a0".encode()), False),
    "form feed": (NET + CONV + b"\f\n", False),
    "zero byte": (NET + CONV + b"# \0\n", False),
    "empty unread option": (NET + b"momentum=\n" + CONV + b"stopbackward=\n", True),
    "empty option": (NET + CONV + b"stride=\n", False),
    "empty activation": (NET + CONV.replace(b"leaky", b""), False),
    "first of two": (NET + CONV + b"filters=x\n", True),
    "no key": (NET + CONV + b"=3\n", False),
    "no section": (b"width=12\n" + NET + CONV, False),
    "no layers": (NET, False),
    "unknown section": (NET + b"[yolo]\n", False),
    "empty section": (NET + b"[ ]\n", False),
    "leading zeros": (NET + CONV + b"stride=" + 30 * b"0" + b"1\n", True),
    "plus": (NET + CONV + b"stride=+1\n", True),
    "hexadecimal": (NET + CONV + b"stride=0x1\n", False),
    # options
    "same strides": (NET + CONV + b"stride=2\nstride_x=2\nstride_y=2\n", True),
    "stride_x": (NET + CONV + b"stride_x=2\n", False),
    "stride_y": (NET + CONV + b"stride=2\nstride_y=1\n", False),
    "maxpool stride_x": (NET + CONV + b"[maxpool]\nsize=2\nstride=2\nstride_x=1\n", False),
    "maxpool stride_y": (NET + CONV + b"[maxpool]\nsize=2\nstride=2\nstride_y=1\n", False),
    "dilation": (NET + CONV + b"dilation=2\n", False),
    "shortcut": (NET + SHORTCUT + b"alpha=1\nbeta=1\nweights_type=none\n", True),
    "alpha": (NET + SHORTCUT + b"alpha=0.5\n", False),
    "beta": (NET + SHORTCUT + b"beta=2\n", False),
    "weights_type": (NET + SHORTCUT + b"weights_type=per_channel\n", False),
    "dropout": (NET + CONV + b"[dropout]\nprobability=much\n", True),
    "small temperature": (NET + SOFTMAX + b"temperature=1e-30\n", True),
    "large temperature": (NET + SOFTMAX + b"temperature=1e30\n", True),
    "temperature that vanishes": (NET + SOFTMAX + b"temperature=1e-60\n", False),
    "temperature beyond float": (NET + SOFTMAX + b"temperature=1e60\n", False),
    "negative temperature": (NET + SOFTMAX + b"temperature=-1\n", False),
    "tree": (NET + SOFTMAX + b"tree=x\n", False),
    "empty tree": (NET + SOFTMAX + b"tree=\n", True),
    # sizes
    "layers": (NET + 4096 * b"[dropout]\n", True),
    "too many layers": (NET + 4097 * b"[dropout]\n", False),
    "too many weights": (
        net(32, 32, 1) + b"[connected]\noutput=65536\nactivation=relu\n", False
    ),
    "large net": (net(1 << 20, 2047, 1) + b"[maxpool]\nsize=1024\nstride=1024\n", True),
    "too large net": (net(1 << 20, 2048, 1) + b"[maxpool]\nsize=1024\nstride=1024\n", False),
    "too large output": (
        net(1 << 14, 1 << 10, 1) + b"[convolutional]\nfilters=128\nactivation=relu\n", False
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::pymtcnn.CfgWarning")
@pytest.mark.parametrize("name", CFGS)
def test_cfg(tmp_path, name):
    text, good = CFGS[name]
    path = tmp_path / "x.cfg"
    path.write_bytes(text)
    ours = accepts(lambda: read_layers(read_cfg(path)))
    assert (ours, accepts(pymtcnn.Network, path)) == (good, good)


ODD_KEYS = (
    NET
    + b"momentum=0.9\nbatsh=1 # learn\n"
    + CONV
    + b"Filters=8\nstopbackward=1\nspeed\xfc=1\n"
    + b"[maxpool]\npad=0\nsize=2\nsize=2\n[prelu]\ngroup=1\n"
)


def cfg_warnings(read, path) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read(path)
    assert all(warning.category is pymtcnn.CfgWarning for warning in caught)
    return [str(warning.message) for warning in caught]


def test_unknown_keys_give_the_same_warnings(tmp_path):
    path = tmp_path / "x.cfg"
    path.write_bytes(ODD_KEYS)
    assert cfg_warnings(read_cfg, path) == [
        f"{path}:6: [net] unknown key 'batsh' is ignored; did you mean batch?",
        f"{path}:11: [convolutional] unknown key 'Filters' is ignored; did you mean filters?",
        f"{path}:13: [convolutional] unknown key 'speed\udcfc' is ignored",
        f"{path}:15: [maxpool] unknown key 'pad' is ignored; did you mean padding?",
        f"{path}:19: [prelu] unknown key 'group' is ignored; did you mean groups?",
    ]
    assert cfg_warnings(pymtcnn.Network, path) == cfg_warnings(read_cfg, path)
    path.write_bytes(NET + CONV + b"".join(b"k%d=1\n" % number for number in range(50)))
    assert len(cfg_warnings(pymtcnn.Network, path)) == 20
    assert cfg_warnings(pymtcnn.Network, path) == cfg_warnings(read_cfg, path)


def test_our_own_and_published_cfgs_give_no_warnings(models_dir):
    for path in [*DARKNET_CFG.glob("*.cfg"), *models_dir.glob("*/*.cfg")]:
        assert cfg_warnings(read_cfg, path) == cfg_warnings(pymtcnn.Network, path) == []


def test_misspelt_sections_give_the_same_message(tmp_path):
    path = tmp_path / "x.cfg"
    path.write_bytes(NET + CONV.replace(b"convolutional", b"convolutionnal"))
    for read in (pymtcnn.Network, lambda path: read_layers(read_cfg(path))):
        with pytest.raises(CfgError) as error:
            read(path)
        sentence = "unknown section [convolutionnal]; did you mean [convolutional]?"
        assert str(error.value) == f"{path}:5: {sentence}"


# What a line of random.data becomes.
DATA = {
    "plain": (r"^pad.*", "pad = 0", True),
    "comment": (r"^pad", "# gr\udcf6er\npad", True),
    "comment behind a number": (r"^pad.*", "pad = 0 # black", True),
    "comment behind numbers": (r"^(thresholds.*)", "thresholds = 0.5, 0.5, 0.5\t; low", True),
    "comment behind a name": (r"^color.*", "color = RGB ;x", True),
    "no blank before a comment": (r"^pad.*", "pad = 0#", False),
    "comment instead of a value": (r"^pad.*", "pad = # 0", False),
    "comment behind a path": (r"^(pnet_weights = .*)", r"\1 # of PNet", True),
    "byte order mark": (r"\A", "\ufeff", True),
    "hexadecimal": (r"^min_face.*", "min_face = 0x14", False),
    "underscore": (r"^min_face.*", "min_face = 2_0", False),
    "exponent": (r"^min_face.*", "min_face = +2.e1", True),
    "other digits": (r"^min_face.*", "min_face = \u0662\u0660", False),
    "largest min_face": (r"^min_face.*", "min_face = 1000000", True),
    "too large min_face": (r"^min_face.*", "min_face = 1000001", False),
    "small min_face": (r"^min_face.*", "min_face = 0.9", False),
    "scale_factor": (r"^scale_factor.*", "scale_factor = 1", False),
    "threshold a little above": (r"^thresholds.*", "thresholds = 1.00000001, 0, 0", False),
    "threshold": (r"^thresholds.*", "thresholds = 1.001, 0, 0", False),
    "two thresholds": (r"^thresholds.*", "thresholds = 0.6, 0.7", False),
    "one box": (r"^max_boxes.*", "max_boxes = 1,1 , +1.0", True),
    "most boxes": (r"^max_boxes.*", "max_boxes = 1000000, 1e6, 1", True),
    "too many boxes": (r"^max_boxes.*", "max_boxes = 1, 1000001, 1", False),
    "no box": (r"^max_boxes.*", "max_boxes = 1, 1, 0", False),
    "negative boxes": (r"^max_boxes.*", "max_boxes = -1, 1, 1", False),
    "half a box": (r"^max_boxes.*", "max_boxes = 1, 1.5, 1", False),
    "two numbers of boxes": (r"^max_boxes.*", "max_boxes = 1, 1", False),
    "text for boxes": (r"^max_boxes.*", "max_boxes = a, b, c", False),
    "infinite mean": (r"^mean.*", "mean = inf", False),
    "mean beyond float": (r"^mean.*", "mean = 1e39", False),
    "norm": (r"^norm.*", "norm = 0", False),
    "norm that vanishes": (r"^norm.*", "norm = 1e-60", False),
    "pad": (r"^pad.*", "pad = 255", True),
    "large pad": (r"^pad.*", "pad = 256", False),
    "negative pad": (r"^pad.*", "pad = -1", False),
    "color": (r"^color.*", "color = rgb", False),
    "unknown key": (r"^pad", "speed = 1\npad", False),
    "misspelt key": (r"^min_face", "min_fcae", False),
    "key given twice": (r"^pad", "norm = 1\npad", False),
    "missing key": (r"^pad.*", "", False),
    "border": (r"^border.*", "border = 0.49", True),
    "no border": (r"^border.*", "", True),
    "wide border": (r"^border.*", "border = 0.5", False),
    "section": (r"^pad", "[net]\npad", False),
}


@pytest.mark.parametrize("name", DATA)
def test_data(tmp_path, name):
    pattern, new, good = DATA[name]
    path = write_random_cascade(tmp_path)
    text = re.sub(
        pattern,
        lambda found: new.replace(r"\1", found[0]),
        path.read_text(),
        count=1,
        flags=re.MULTILINE,
    )
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    found = accepts(TorchDetector, path), accepts(pymtcnn.Detector, path)
    assert found == (good, good)


def test_paths_with_signs_of_comments(tmp_path):
    path = write_random_cascade(tmp_path)
    weights = read_data(path).weights["pnet"]
    text = re.sub(r"(?m)^pnet_weights.*", "pnet_weights = {} # it", path.read_text())
    for place, good in (("nets#1/#p;net#.weights", True), ("nets #1;2 #/#p;net#.weights", False)):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_bytes(weights.read_bytes())
        path.write_text(text.format(place))
        for read in (TorchDetector, pymtcnn.Detector):
            if good:
                read(path)
            else:
                with pytest.raises(FileError, match="nets: cannot be"):
                    read(path)


# What a cfg of the cascade becomes, with weights that fit.
NETWORKS = {
    "plain": ("pnet", "", "", True),
    "oblong pnet": ("pnet", "height=12", "height=13", False),
    "oblong rnet": ("rnet", "height=24", "height=23", False),
    "oblong onet": ("onet", "height=48", "height=47", False),
    "gray": ("rnet", "channels=3", "channels=1", False),
    "padded pnet": ("pnet", "filters=16\nsize=3", "filters=16\nsize=3\npad=1", False),
    "coarse pnet": ("pnet", "=32\nsize=3\nstride=1", "=32\nsize=3\nstride=5", True),
    "gaps in pnet": ("pnet", "=32\nsize=3\nstride=1", "=32\nsize=3\nstride=7", False),
    "average": ("pnet", "[route]", "[avgpool]\n[route]", False),
    "softmax over all": ("pnet", "[route]", "[softmax]\n[route]", False),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(tmp_path, name):
    network, old, new, good = NETWORKS[name]
    path = write_random_cascade(tmp_path)
    cfg = tmp_path / f"{network}.cfg"
    text = (DARKNET_CFG / cfg.name).read_text()
    assert old in text
    cfg.write_text(text.replace(old, new, 1))
    count = count_weights(read_layers(read_cfg(cfg)))
    write_weights(tmp_path / f"{network}.weights", np.zeros(count))
    data = re.sub(rf"^({network}_cfg).*", rf"\1 = {cfg.name}", path.read_text(), flags=re.MULTILINE)
    path.write_text(data)
    found = accepts(TorchDetector, path), accepts(pymtcnn.Detector, path)
    assert found == (good, good)
