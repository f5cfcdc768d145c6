"""The importers for the paper's Caffe files, ipazc's mtcnn and mtCNN_sysu's checkpoints.

Each on random weights, and on the published ones if available; an imported network gives the same
outputs as an independent reading of the same source.
"""

import os
import sys

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.caffe_files import (
    LIPPMAN1125,
    caffe_layers,
    prototxt,
    training_prototxt,
    write_caffe,
    write_random_caffe,
    write_random_lippman1125,
)
from support.ipazc_files import keras_forward, read_ipazc, write_random_ipazc
from support.skips import missing_if

import pymtcnn
from convert import import_pretrained
from convert.caffe_net import deployed
from convert.import_pretrained import import_model
from convert.importers import caffe
from pymtcnn.errors import FileError, LibraryError, ModelError, MtcnnError, WeightsError
from train_mtcnn.cascade.boxes import iou
from train_mtcnn.network.darknet import DARKNET_CFG, DEFAULT_MODEL, NETWORKS, read_cfg, read_data
from train_mtcnn.network.layers import read_layers
from train_mtcnn.network.networks import Network

TOLERANCE = 1e-5
SIZES = {"pnet": [(12, 12), (13, 40), (61, 78)], "rnet": [(24, 24)], "onet": [(48, 48)]}
FOLDERS = {"caffe": "caffe-original", "mtcnn-sysu": "mtcnn-sysu"}
FACES = {"astronaut": (178, 60, 268, 175), "grace_hopper": (175, 115, 350, 336)}

needs_opencv_4 = missing_if(
    not hasattr(cv2.dnn, "readNetFromCaffe"), "OpenCV 4: 5 reads no Caffe files"
)
MODELS = [
    pytest.param("caffe", marks=needs_opencv_4),
    "ipazc",
    "mtcnn-sysu",
]


# ---- sources -------------------------------------------------------------------------------------


def sysu_states(seed=0):
    """States of mtCNN_sysu's form with random numbers: network's name -> state dict."""
    random = np.random.default_rng(seed)

    def tensor(*shape):
        scale = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.2
        return torch.tensor(random.normal(0, scale, shape), dtype=torch.float32)

    def layer(name, *shape):
        return {f"{name}.weight": tensor(*shape), f"{name}.bias": tensor(shape[0])}

    def chain(*convolutions):  # number in pre_layer, shape
        state = {}
        for number, *shape in convolutions:
            state |= layer(f"pre_layer.{number}", *shape)
            state[f"pre_layer.{number + 1}.weight"] = tensor(1)
        return state

    def heads(prefix, *shape):
        counts = enumerate((1, 4, 10), 1)
        return {k: v for i, n in counts for k, v in layer(f"{prefix}_{i}", n, *shape).items()}

    return {
        "pnet": chain((0, 10, 3, 3, 3), (3, 16, 10, 3, 3), (5, 32, 16, 3, 3))
        | heads("conv4", 32, 1, 1),
        "rnet": chain((0, 28, 3, 3, 3), (3, 48, 28, 3, 3), (6, 64, 48, 2, 2))
        | layer("conv4", 128, 256)
        | {"prelu4.weight": tensor(1)}
        | heads("conv5", 128),
        "onet": chain((0, 32, 3, 3, 3), (3, 64, 32, 3, 3), (6, 64, 64, 3, 3), (9, 128, 64, 2, 2))
        | layer("conv5", 256, 512)
        | {"prelu5.weight": tensor(1)}
        | heads("conv6", 256),
    }


def write_states(folder, states):
    folder.mkdir(exist_ok=True)
    for name, state in states.items():
        torch.save(state, folder / f"{name}_epoch_20.pt")


def write_random(model, folder, seed=0):
    if model == "caffe":
        write_random_caffe(folder, seed)
    elif model == "ipazc":
        write_random_ipazc(folder, seed)
    else:
        write_states(folder, sysu_states(seed))
    return folder


@pytest.fixture(params=["random", "published"])
def weights(request):
    return request.param


@pytest.fixture
def published(request):
    """A function that gives the folder of a model's published files."""

    def folder(model):
        if model == "ipazc":
            return request.getfixturevalue("ipazc_folder")
        return request.getfixturevalue("models_dir") / FOLDERS[model]

    return folder


def source_of(model, weights, request):
    """The folder of a model's files, published or random."""
    if weights == "published":
        return request.getfixturevalue("published")(model)
    return write_random(model, request.getfixturevalue("tmp_path") / "source")


# ---- the same networks ---------------------------------------------------------------------------


def caffe_forward(folder, name, x):
    """OpenCV's output for Caffe's files; as in MATLAB, x is their height, y their width."""
    file = str(folder / {"pnet": "det1", "rnet": "det2", "onet": "det3"}[name])
    net = cv2.dnn.readNetFromCaffe(f"{file}.prototxt", f"{file}.caffemodel")
    net.enableWinograd(False)  # it loses precision
    net.setInput(np.ascontiguousarray(x.swapaxes(2, 3)))
    heads = {"pnet": ["conv4-2"], "rnet": ["conv5-2"], "onet": ["conv6-2", "conv6-3"]}[name]
    probability, *others = net.forward(["prob1", *heads])
    if name == "onet":  # x1..x5, y1..y5
        others[1] = np.stack([others[1][:, :5], others[1][:, 5:]], axis=2).reshape(-1, 10)
    y = np.concatenate([probability[:, 1:], *others], axis=1)
    return y.swapaxes(2, 3) if y.ndim == 4 else y[:, :, None, None]


def sysu_forward(folder, name, x):
    """The network as its authors wrote it, without the landmarks of PNet and RNet."""
    state = torch.load(folder / f"{name}_epoch_20.pt", "cpu", weights_only=True)
    pools = {"pnet": {0: 2}, "rnet": {0: 3, 3: 3}, "onet": {0: 3, 3: 3, 6: 2}}[name]
    x = torch.from_numpy(x)
    for i in range(12):
        if f"pre_layer.{i}.bias" in state:
            x = F.conv2d(x, state[f"pre_layer.{i}.weight"], state[f"pre_layer.{i}.bias"])
            x = F.prelu(x, state[f"pre_layer.{i + 1}.weight"])
            x = F.max_pool2d(x, pools[i], 2) if i in pools else x
    function, head = F.conv2d, 4
    if name != "pnet":
        function, head = F.linear, {"rnet": 5, "onet": 6}[name]
        dense = f"conv{head - 1}"
        x = F.linear(x.flatten(1), state[f"{dense}.weight"], state[f"{dense}.bias"])
        x = F.prelu(x, state[f"prelu{head - 1}.weight"])
    heads = [
        function(x, state[f"conv{head}_{i}.weight"], state[f"conv{head}_{i}.bias"])
        for i in (1, 2, 3)
    ]
    y = torch.cat([heads[0].sigmoid(), *heads[1 : 3 if name == "onet" else 2]], 1).numpy()
    return y if y.ndim == 4 else y[:, :, None, None]


def ipazc_forward(folder, name, x):
    return keras_forward(read_ipazc(folder, name), name, x)


FORWARD = {"caffe": caffe_forward, "ipazc": ipazc_forward, "mtcnn-sysu": sysu_forward}


def crops(picture, face, size, data):
    """Two crops around a face and two of other places, as network input."""
    x1, y1, x2, y2 = face
    boxes = [face, (x1 - 8, y1, x2 + 20, y2 - 6), (0, 300, 90, 390), (300, 20, 420, 230)]
    values = np.stack(
        [cv2.resize(picture[y1:y2, x1:x2], size[::-1]) for x1, y1, x2, y2 in boxes]
    ).astype(np.float32)
    if data.color == "BGR":
        values = values[..., ::-1]
    return np.ascontiguousarray((values.transpose(0, 3, 1, 2) - data.mean) * np.float32(data.norm))


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", NETWORKS)
def test_imported_networks(model, weights, name, request, pictures, tmp_path, report_difference):
    source = source_of(model, weights, request)
    import_model(model, source, tmp_path / "out")
    data = read_data(tmp_path / "out" / f"{model}.data")
    files = data.cfg[name], data.weights[name]
    torch_network, c_network = Network.from_darknet(*files), pymtcnn.Network(*files)
    picture = next(pymtcnn.read_picture(path) for path in pictures if path.stem == "astronaut")
    largest = 0.0
    for size in SIZES[name]:
        x = crops(picture, FACES["astronaut"], size, data)
        theirs = FORWARD[model](source, name, x)
        with torch.no_grad():
            ours = torch_network(torch.from_numpy(x)).numpy()
        for outputs in (ours, c_network.run(x)):
            assert outputs.shape == theirs.shape
            difference = np.abs(outputs - theirs) / np.maximum(1, np.abs(theirs))
            largest = np.maximum(largest, difference.max())
        if weights == "published":
            assert theirs[:2, 0].max() > 0.7 and theirs[:, 0].min() < 0.1
    report_difference(f"{model}, {weights} {name}: import against its source", largest, TOLERANCE)
    assert largest < TOLERANCE


@pytest.mark.parametrize("model", MODELS)
def test_settings(model, tmp_path):
    import_model(model, write_random(model, tmp_path / "source"), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        [f"{model}.data", *(f"{n}.{kind}" for n in NETWORKS for kind in ("cfg", "weights"))]
    )
    data, default = (read_data(p) for p in (tmp_path / "out" / f"{model}.data", DEFAULT_MODEL))
    theirs = {"mtcnn-sysu": (0, 1 / 255, "BGR")}.get(model, (127.5, 1 / 128, "RGB"))
    assert (data.mean, data.norm, data.color) == theirs
    assert data.thresholds == (0.6, 0.7, 0.8 if model == "ipazc" else 0.7)
    assert (data.nms, data.max_boxes) == (default.nms, default.max_boxes)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_published_models_find_the_faces(model, published, pictures, tmp_path):
    import_model(model, published(model), tmp_path / "out")
    with pymtcnn.Detector(tmp_path / "out" / f"{model}.data") as detector:
        for path in pictures:
            found = detector.detect(path)
            assert iou(found.boxes[0], np.array([FACES[path.stem]], np.float32)) > 0.7
            left_eye, right_eye, nose, left_mouth, right_mouth = found.landmarks[0]
            assert left_eye[0] < nose[0] < right_eye[0] and left_mouth[0] < right_mouth[0]
            assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
            x1, y1, x2, y2 = found.boxes[0]
            assert (found.landmarks[0] > (x1, y1)).all() and (found.landmarks[0] < (x2, y2)).all()


@pytest.mark.slow
def test_colour_order_of_mtcnn_sysu(models_dir, wider_val, tmp_path):
    """It is not documented: with the other order far fewer faces are found."""
    import_model("mtcnn-sysu", models_dir / "mtcnn-sysu", tmp_path / "out")
    data = tmp_path / "out" / "mtcnn-sysu.data"
    other = tmp_path / "out" / "rgb.data"
    other.write_text(data.read_text().replace("color = BGR", "color = RGB"))
    paths = sorted(wider_val.glob("images/*/*.jpg"))[::20]
    counts = []
    for file in (data, other):
        with pymtcnn.Detector(file, thresholds=(0.5, 0.5, 0.3)) as detector:
            counts.append(sum(len(detector.detect(path)) for path in paths))
    assert counts[0] > 2 * counts[1]


# ---- lippman1125's ------------------------------------------------------------------------------


def caffe_plainly(network, x):
    """A network of LIPPMAN1125, layer by layer, in its definition's order: [B, outputs, h, w]."""
    heads = []
    x = torch.from_numpy(x).double()
    for layer in caffe_layers(network):
        blobs = [torch.from_numpy(blob.astype(np.float32)).double() for blob in layer.blobs]
        is_head = layer.name.partition("-")[2] and layer.blobs
        if layer.type == "Convolution":
            y = F.conv2d(x, *blobs)
        elif layer.type == "InnerProduct":
            y = F.linear(x.flatten(1), *blobs)
        elif layer.type == "PReLU":
            y = F.prelu(x, *blobs)
        elif layer.type == "Pooling":
            size = int(layer.parameters.partition("kernel_size: ")[2][0])
            y = F.max_pool2d(x, size, 2, ceil_mode=True)
        else:
            continue
        if is_head:
            heads.append(y if y.ndim == 4 else y[:, :, None, None])
        else:
            x = y
    heads[0] = heads[0].softmax(1)[:, 1:]
    return torch.cat(heads, 1).numpy()


def caffe_by_opencv(folder, network, x):
    """The same by OpenCV's reader of the files, which needs a prototxt for detecting."""
    side = folder / network
    text = prototxt(network, caffe_layers(network))
    (folder / "deploy.prototxt").write_text(text)
    net = cv2.dnn.readNetFromCaffe(
        str(folder / "deploy.prototxt"), str(*side.glob("*_iter_*.caffemodel"))
    )
    net.enableWinograd(False)
    net.setInput(x)
    names = [n for n in net.getUnconnectedOutLayersNames() if n != "prob1"]
    probability, *others = net.forward(["prob1", *sorted(names)])
    parts = [y if y.ndim == 4 else y[:, :, None, None] for y in (probability[:, 1:], *others)]
    return np.concatenate(parts, 1)


@needs_opencv_4
def test_lippman1125(tmp_path, pictures, report_difference):
    """BGR, rows before columns, landmarks interleaved; recognised by names of layers."""
    source, out = tmp_path / "source", tmp_path / "out"
    write_random_lippman1125(source)
    import_model("caffe", source, out)
    data = read_data(out / "caffe.data")
    assert (data.mean, data.norm, data.color) == (127.5, 1 / 128, "BGR")
    picture = pymtcnn.read_picture(pictures[0])
    largest = 0.0
    for name, network in zip(NETWORKS, LIPPMAN1125):
        ours = Network.from_darknet(data.cfg[name], data.weights[name])
        for size in SIZES[name]:
            x = crops(picture, (100, 50, 250, 240), size, data)
            with torch.no_grad():
                found = ours(torch.from_numpy(x)).numpy()
            for theirs in (caffe_plainly(network, x), caffe_by_opencv(source, network, x)):
                theirs = theirs[:, : found.shape[1]]  # without PNet's and RNet's landmarks
                assert found.shape == theirs.shape
                difference = np.abs(found - theirs) / np.maximum(1, np.abs(theirs))
                largest = np.maximum(largest, difference.max())
    report_difference("lippman1125, random: import against its source", largest, TOLERANCE)
    assert largest < TOLERANCE


def test_prototxts_for_training():
    """Layers that only train are removed, their data become an input. Others are unchanged."""
    layers = caffe_layers("12net")
    text = prototxt("12net", layers)
    assert deployed(text) == text and deployed("") == ""
    training = training_prototxt("12net", layers)
    lines = deployed(training).strip().splitlines()
    assert lines[0] == 'input: "data"'
    assert [line for line in lines[1:] if line] == [layer.text().strip() for layer in layers[:-1]]
    assert deployed("layer { " + text) == "layer { " + text  # OpenCV reports the error


@needs_opencv_4
def test_layouts_are_not_mixed(tmp_path):
    """The paper's PNet with lippman1125's others has another input: refused."""
    source = tmp_path / "source"
    write_random_lippman1125(source)
    paper = caffe_layers("det1")
    write_caffe(source / "12net", "det1", paper)
    next(source.glob("12net/PNet*")).unlink()
    message = r"det1\.caffemodel: not lippman1125/mtcnn_caffe's pnet: missing \['conv4-3', 'relu1'"
    refused("caffe", source, ModelError, message)


@needs_opencv_4
def test_of_lippman1125s_names_without_all_heads(tmp_path):
    """CongWeilin's RNet has the same layers except the landmarks; its pictures are by columns."""
    source = tmp_path / "source"
    write_random_lippman1125(source)
    layers = [layer for layer in caffe_layers("24net") if layer.name != "fc5-3"]
    next(source.glob("24net/RNet*")).unlink()
    write_caffe(source / "24net", "24net", layers)
    refused("caffe", source, ModelError, r"24net\.caffemodel: not lippman1125.*missing \['fc5-3'\]")


# ---- the command line ----------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_import_again(model, tmp_path, capsys):
    first, second = (str(write_random(model, tmp_path / f"{i}", i)) for i in range(2))
    out = tmp_path / "out"
    options = ["--out", str(out)]
    assert import_pretrained.main([model, first, *options]) == 0
    before = (out / "onet.weights").read_bytes()
    assert import_pretrained.main([model, first, *options]) == 0
    assert "already in" in capsys.readouterr().out
    assert import_pretrained.main([model, second, *options]) == 1
    message = capsys.readouterr().err
    assert "would change; --force" in message and message.count("\n") == 1
    assert (out / "onet.weights").read_bytes() == before
    assert import_pretrained.main([model, second, *options, "--force"]) == 0
    assert (out / "onet.weights").read_bytes() != before


# ---- what is refused -----------------------------------------------------------------------------


def refused(model, source, error, message):
    """The import fails with one line, and leaves nothing behind."""
    out = source.parent / "out"
    with pytest.raises(error, match=message) as raised:
        import_model(model, source, out)
    assert "\n" not in str(raised.value)
    assert not [path for path in source.parent.iterdir() if path != source]


@pytest.mark.parametrize("model", MODELS)
def test_missing_files(model, tmp_path):
    source = tmp_path / "source"
    missing = "cannot be read: No such file" if model == "ipazc" else "no such folder; name the one"
    refused(model, source, FileError, f"source.*{missing}")
    missing = "cannot be read: No such file" if model == "ipazc" else "there are: none"
    write_random(model, source)
    sorted(source.glob("*3*" if model == "caffe" else "onet*"))[-1].unlink()
    refused(model, source, FileError, f"source.*{missing}")


def bad_caffe(change):
    layers = caffe_layers("det2")
    by_name = {layer.name: layer for layer in layers}
    change(layers, by_name)
    return layers


def extra_layer(layers, by_name):
    extra = caffe_layers("det2")[-2]
    extra.name = extra.top = "conv5-3"
    layers.append(extra)


def no_prelu(layers, by_name):
    layers.remove(by_name["prelu2"])


def wide(layers, by_name):
    layer = by_name["conv5-2"]
    layer.parameters = layer.parameters.replace("4", "5")
    layer.blobs = [np.ones((5, 128)), np.ones(5)]


def one_class(layers, by_name):
    layer = by_name["conv5-1"]
    layer.parameters = layer.parameters.replace("2", "1")
    layer.blobs = [np.ones((1, 128)), np.ones(1)]


def no_bias(layers, by_name):
    layer = by_name["conv3"]
    layer.parameters = layer.parameters.replace("}", "bias_term: false }")
    layer.blobs.pop()


def not_finite(layers, by_name):
    by_name["conv4"].blobs[0][5, 7] = np.nan


@needs_opencv_4
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (extra_layer, r"not the paper's rnet: missing \[\], unknown \['conv5-3'\]"),
        (no_prelu, r"missing \['prelu2'\], unknown \[\]"),
        (wide, r"conv5-2 \(biases\) is \[5\], darknet_cfg/rnet.cfg makes it \[4\]"),
        (one_class, r"conv5-1 \(biases\) is \[0\], .* makes it \[1\]"),
        (no_bias, r"conv3 has 1 arrays, expected 2"),
        (not_finite, r"conv4 \(weights\), channel 5: nan is not a finite number"),
    ],
)
def test_other_caffe_networks(tmp_path, change, message):
    source = write_random("caffe", tmp_path / "source")
    write_caffe(source, "det2", bad_caffe(change))
    error = WeightsError if change is not_finite else ModelError
    refused("caffe", source, error, rf"det2\.caffemodel: .*{message}")


@needs_opencv_4
def test_caffe_files_that_do_not_belong_together(tmp_path):
    source = write_random("caffe", tmp_path / "source")
    model = source / "det1.caffemodel"
    for content in (b"", b"no protobuf at all", (source / "det3.caffemodel").read_bytes()):
        model.write_bytes(content)
        refused("caffe", source, ModelError, r"det1\.caffemodel: not ")
    write_random("caffe", source)
    for text in ("", "layer { name", "layer { name: 'x' type: 'Nonsense' }"):
        (source / "det1.prototxt").write_text(text)
        refused("caffe", source, ModelError, r"det1\.caffemodel: not ")


@needs_opencv_4
@pytest.mark.parametrize("folders", [False, True])
@pytest.mark.parametrize("stem", ["det", "net"])
def test_other_names_of_caffe_files(tmp_path, folders, stem):
    """Names of the programs that train such networks: 12net and so on, or folders of these."""
    source = write_random("caffe", tmp_path / "source")
    import_model("caffe", source, tmp_path / "out")
    for number, side in enumerate(("12net", "24net", "48net"), 1):
        for ending in ("prototxt", "caffemodel"):
            name = f"{side if stem == 'net' else f'det{number}'}.{ending}"
            target = source / side / name if folders else source / name
            target.parent.mkdir(exist_ok=True)
            (source / f"det{number}.{ending}").rename(target)
    assert "nothing to do" in import_model("caffe", source, tmp_path / "out")
    (source / "det3.caffemodel").write_bytes(b"")
    if folders or stem == "net":
        with pytest.raises(FileError, match=r"there are: (48net|det3).*caffemodel, "):
            import_model("caffe", source, tmp_path / "out")


@pytest.mark.slow
@needs_opencv_4
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    cut=st.floats(0, 0.999),
    position=st.integers(0, 400),
    byte=st.none() | st.integers(0, 255),
)
def test_damaged_caffemodels(tmp_path, cut, position, byte):
    """A truncated file is refused; a changed byte at worst changes numbers."""
    folder = tmp_path / "source"
    write_random("caffe", folder)
    path = folder / "det1.caffemodel"
    content = bytearray(path.read_bytes())
    if byte is None:
        path.write_bytes(content[: int(cut * len(content))])
    else:
        content[position] = byte
        path.write_bytes(content)
    cfgs = caffe.rewrite({"pnet": read_cfg(DARKNET_CFG / "pnet.cfg")}, folder)
    layers = {"pnet": read_layers(cfgs["pnet"])}
    try:
        values = caffe.read(folder, layers).values["pnet"]
    except MtcnnError as error:
        assert "det1.caffemodel" in str(error)
    else:
        assert byte is not None and len(values) == 6599 and np.isfinite(values).all()


@pytest.mark.parametrize("missing", ["OpenCV", "its Caffe reader"])
def test_caffe_needs_opencv_4(tmp_path, monkeypatch, missing):
    source = write_random("caffe", tmp_path / "source")
    if missing == "OpenCV":
        monkeypatch.setitem(sys.modules, "cv2", None)
    else:
        monkeypatch.delattr(cv2.dnn, "readNetFromCaffe", raising=False)
    refused("caffe", source, LibraryError, r"takes OpenCV 4 .*pip install 'opencv-python.*<5'")


HUGE = torch.tensor([1, 1e39, 2, 3], dtype=torch.float64)


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("evil",))


@pytest.mark.parametrize(
    ("network", "change", "error", "message"),
    [
        ("rnet", {"conv4.bias": None}, ModelError, r"not mtCNN_sysu's rnet: missing \['conv4.bia"),
        ("pnet", {"conv4_4.bias": torch.ones(1)}, ModelError, r"unknown \['conv4_4.bias'\]"),
        ("onet", {"conv5.weight": torch.ones(256, 1152)}, ModelError, r"conv5 .*\[256, 1152\], .*"),
        ("rnet", {"prelu4.weight": torch.ones(128)}, ModelError, r"\[128\], .* makes it \[1\]"),
        ("rnet", {"conv4.bias": [0.0] * 128}, ModelError, "conv4.bias is no tensor of floating"),
        ("rnet", {"conv4.bias": torch.ones(128, dtype=torch.int64)}, ModelError, "conv4.bias is"),
        ("pnet", {"conv4_2.bias": torch.tensor([1, 2, 3, np.inf])}, WeightsError, "not a finite"),
        ("pnet", {"conv4_2.bias": HUGE}, WeightsError, "channel 1: 1e.39 is beyond float32"),
        ("pnet", {"conv4_2.bias": Evil()}, FileError, "refused"),
    ],
)
def test_other_states(tmp_path, monkeypatch, network, change, error, message):
    monkeypatch.chdir(tmp_path)
    states = sysu_states()
    states[network] = {k: v for k, v in (states[network] | change).items() if v is not None}
    write_states(tmp_path / "source", states)
    refused("mtcnn-sysu", tmp_path / "source", error, rf"{network}_epoch_20\.pt: .*{message}")


def test_damaged_states(tmp_path):
    source = write_random("mtcnn-sysu", tmp_path / "source")
    path = source / "rnet_epoch_20.pt"
    whole = path.read_bytes()
    for content in (b"", whole[:-100], b"text"):
        path.write_bytes(content)
        refused("mtcnn-sysu", source, FileError, r"rnet_epoch_20\.pt: (not a whole|refused)")
    path.write_bytes(whole)
    path.with_name("rnet_epoch_21.pt").write_bytes(whole)
    refused(
        "mtcnn-sysu", source, FileError, r"expected one rnet_epoch_\*.pt, there are: rnet_epoch_2"
    )


def test_landmarks_of_pnet_and_rnet_are_optional(tmp_path):
    states = sysu_states()
    write_states(tmp_path / "with", states)
    for network, head in (("pnet", "conv4_3"), ("rnet", "conv5_3")):
        states[network] = {k: v for k, v in states[network].items() if not k.startswith(head)}
    write_states(tmp_path / "without", states)
    for folder in ("with", "without"):
        import_model("mtcnn-sysu", tmp_path / folder, tmp_path / f"{folder}-out")
    for network in NETWORKS:
        first, second = (tmp_path / f"{f}-out/{network}.weights" for f in ("with", "without"))
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("filters=128", "filters=64", r"rnet.cfg makes it \[64\]"),
        (
            "filters=128",
            "filters=128\nbatch_normalize=1",
            r"batch normalisation, darknet_cfg.rnet.cfg has",
        ),
        ("activation=leaky", "activation=relu", r"layers with weights, darknet_cfg/pnet.cfg 5"),
    ],
)
def test_changed_networks(model, tmp_path, monkeypatch, old, new, message):
    """If darknet_cfg/ has been edited, published weights no longer fit."""
    cfgs = tmp_path / "source" / "cfgs"
    write_random(model, tmp_path / "source")
    cfgs.mkdir()
    for name in NETWORKS:
        text = (DARKNET_CFG / f"{name}.cfg").read_text()
        (cfgs / f"{name}.cfg").write_text(text.replace(old, new))
    monkeypatch.setattr(import_pretrained, "DARKNET_CFG", cfgs)
    refused(model, tmp_path / "source", ModelError, message)
