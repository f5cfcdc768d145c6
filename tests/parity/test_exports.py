"""Rung 3: what torch2darknet.py and torch2onnx.py write, against PyTorch on what it was made of.

The same pixels, fed to each reader as it wants them; differences of probabilities, offsets,
landmarks. The readers: OpenCV 4's Darknet reader and Darknet itself, within 1e-4; the C core,
PyTorch and ONNX Runtime, within 1e-5.
"""

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from support import ROOT
from support.export_models import MODELS, read_test_model
from support.skips import absent

import pymtcnn
from convert.torch2darknet import convert_model, write_network
from pymtcnn import read_picture
from train_mtcnn.network.darknet import NETWORKS
from train_mtcnn.network.networks import Network

TOLERANCE = {"OpenCV": 1e-4, "Darknet": 1e-4, "C core": 1e-5, "PyTorch": 1e-5}

SIZES = {
    "pnet": [(12, 12), (13, 12), (17, 23), (47, 61), (120, 160), (333, 241)],
    "rnet": [(24, 24)],
    "onet": [(48, 48)],
}


@pytest.fixture(scope="module", params=MODELS)
def model(request, tmp_path_factory):
    return request.param, read_test_model(request.param, tmp_path_factory.mktemp("model"), request)


def pixels(picture, height, width):
    """A picture's face, a part of it in full size, and noise, RGB: [3, height, width, 3] uint8."""
    face = cv2.resize(picture[40:240, 130:330], (width, height), interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(height).integers(0, 256, (height, width, 3))
    return np.stack([face, picture[50 : 50 + height, 150 : 150 + width], noise.astype(np.uint8)])


def fed_with(values, fed):
    """Pixels as a network takes them: [B, 3, H, W] float32."""
    if fed.color == "BGR":
        values = values[..., ::-1]
    x = (values.astype(np.float64) - fed.mean) * fed.norm
    return np.ascontiguousarray(x.astype(np.float32).transpose(0, 3, 1, 2))


@torch.inference_mode()
def by_pytorch(cfg, weights, x):
    return Network.from_darknet(cfg, weights)(torch.from_numpy(x)).numpy()


def by_c_core(cfg, weights, x):
    return pymtcnn.Network(cfg, weights).run(x)


def by_opencv(cfg, weights, x):
    """One picture at a time, of any size: the one that the cfg gives does not count."""
    reader = cv2.dnn.readNetFromDarknet(str(cfg), str(weights))
    reader.enableWinograd(False)  # it costs precision
    outputs = []
    for picture in x:
        reader.setInput(picture[None])
        outputs.append(reader.forward())
    return np.concatenate(outputs)


READERS = {"OpenCV": by_opencv, "C core": by_c_core, "PyTorch": by_pytorch}


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("dialect", ["stock", "native"])
def test_readers_agree_with_the_source(model, dialect, name, pictures, tmp_path, report_difference):
    label, sources = model
    source = sources[name]
    weights = tmp_path / f"{name}.weights"
    fed = write_network(source, weights, dialect)
    cfg = weights.with_suffix(".cfg")
    picture = read_picture(pictures[0])
    readers = dict(READERS)
    if "[prelu]" in cfg.read_text() or not hasattr(cv2.dnn, "readNetFromDarknet"):  # OpenCV 5
        del readers["OpenCV"]
    assert dialect == "native" or "[prelu]" not in cfg.read_text()
    largest = dict.fromkeys(readers, 0.0)
    spread = 0.0
    for size in SIZES[name]:
        values = pixels(picture, *size)
        with torch.inference_mode():
            expected = source.network(torch.from_numpy(fed_with(values, source.fed))).numpy()
        spread = max(spread, np.ptp(expected[:, 0]), np.ptp(expected[:, 1:], 0).max())
        for reader, run in readers.items():
            found = run(cfg, weights, fed_with(values, fed))
            assert found.shape == expected.shape
            assert np.isfinite(found).all()
            largest[reader] = max(largest[reader], float(np.abs(found - expected).max()))
    assert spread > 0.01, "the pictures make no difference to this network"
    for reader, difference in largest.items():
        what = f"{label} {name}, {dialect} files: {reader} against PyTorch's source"
        report_difference(what, difference, TOLERANCE[reader])
        assert difference <= TOLERANCE[reader], what


@pytest.fixture(scope="module")
def darknet():
    """The libdarknet.so that $DARKNET names (docs/darknet.md)."""
    library = os.environ.get("DARKNET")
    if not library:
        absent("Darknet: $DARKNET names no libdarknet.so (docs/darknet.md)")
    return os.path.abspath(library)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("dialect", ["stock", "native"])
def test_darknet_agrees_with_the_source(
    model, dialect, name, darknet, pictures, tmp_path, report_difference
):
    label, sources = model
    source = sources[name]
    weights = tmp_path / f"{name}.weights"
    fed = write_network(source, weights, dialect)
    cfg = weights.with_suffix(".cfg")
    if "[prelu]" in cfg.read_text():
        absent("Darknet's [prelu]: it has none")
    picture = read_picture(pictures[0])
    values = {f"{h}x{w}": pixels(picture, h, w) for h, w in SIZES[name]}
    inputs, outputs = tmp_path / "inputs.npz", tmp_path / "outputs.npz"
    np.savez(inputs, **{size: fed_with(value, fed) for size, value in values.items()})
    script = ROOT / "tests" / "support" / "darknet_forward.py"
    command = [sys.executable, script, darknet, cfg, weights, inputs, outputs]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    largest = 0.0
    with np.load(outputs) as found:
        for size, value in values.items():
            with torch.inference_mode():
                expected = source.network(torch.from_numpy(fed_with(value, source.fed))).numpy()
            difference = np.abs(found[size].reshape(expected.shape) - expected).max()
            largest = np.maximum(largest, difference).item()
    what = f"{label} {name}, {dialect} files: Darknet against PyTorch's source"
    report_difference(what, largest, TOLERANCE["Darknet"])
    assert largest <= TOLERANCE["Darknet"], what


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_onnx_runtime_agrees_with_the_source(model, name, pictures, tmp_path, report_difference):
    import onnxruntime as runtime

    from convert.torch2onnx import write

    label, sources = model
    network, fed = sources[name].network, sources[name].fed
    write(tmp_path / "x.onnx", network, fed, fixed_size=name != "pnet")
    session = runtime.InferenceSession(tmp_path / "x.onnx", providers=["CPUExecutionProvider"])
    picture = read_picture(pictures[0])
    largest = 0.0
    for size in SIZES[name]:
        x = fed_with(pixels(picture, *size), fed)
        with torch.inference_mode():
            expected = network(torch.from_numpy(x)).numpy()
        (found,) = session.run(None, {"input": x})
        assert found.shape == expected.shape and np.isfinite(found).all()
        largest = max(largest, float(np.abs(found - expected).max()))
    what = f"{label} {name}: ONNX Runtime against PyTorch's source"
    report_difference(what, largest, 1e-5)
    assert largest <= 1e-5


def test_the_core_finds_the_same_faces(default_model, pictures, tmp_path, report_difference):
    """The default model, and the same for stock Darknet."""
    convert_model(default_model, tmp_path)
    stock = tmp_path / default_model.name
    largest = np.zeros(3)
    with pymtcnn.Detector(default_model) as ours, pymtcnn.Detector(stock) as theirs:
        for path in pictures:
            a, b = (detector.detect(path) for detector in (ours, theirs))
            assert len(a) == len(b) > 0
            found = [np.abs(x - y).max() for x, y in zip(fields(a), fields(b))]
            largest = np.maximum(largest, found)
    for what, difference, tolerance in zip(("boxes", "landmarks", "scores"), largest, FACES):
        report_difference(f"C core, stock files against native, {what}", difference, tolerance)
        assert difference <= tolerance


FACES = (0.5, 0.5, 1e-3)  # boxes and landmarks in pixels, scores: those of test_cascade.py


def fields(faces):
    return faces.boxes, faces.landmarks, faces.scores
