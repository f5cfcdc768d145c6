"""facenet-pytorch's three networks (the paper's weights, MIT licence), from its wheel.

The package itself is never imported: its `.pt` files are read from the wheel.

What differs from our networks, and is put right exactly: two classes and a softmax where we have
one logistic (the difference of the two), dense layers where we have convolutions that cover their
whole input (theirs flatten in the order width, height, channel), landmarks as x1..x5, y1..y5 where
ours are x, y interleaved.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from pymtcnn.errors import FileError, ModelError
from train_mtcnn.checkpoint import load_tensors
from train_mtcnn.files import read_bytes
from train_mtcnn.layers import Layer

REQUIREMENT = "facenet-pytorch==2.6.0"

# Their layers in the order of our sections with weights; the last two or three are the heads:
# probability, box offsets, landmarks.
_LAYERS = {
    "pnet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 conv4_1 conv4_2",
    "rnet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 dense4 prelu4 dense5_1 dense5_2",
    "onet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 conv4 prelu4 dense5 prelu5"
    " dense6_1 dense6_2 dense6_3",
}
_PROBABILITY = {"pnet": "conv4_1", "rnet": "dense5_1", "onet": "dense6_1"}
_LANDMARKS = "dense6_3"


def read(source: Path | None, layers: dict[str, list[Layer]]) -> dict[str, np.ndarray]:
    """Read the three networks.

    Parameters
    ----------
    source
        A wheel of facenet-pytorch; None: the installed package's files, else the wheel from PyPI.
    layers
        Our networks' layers, by name.

    Returns
    -------
    Network's name -> [weights_count] float32.

    Raises
    ------
    FileError
        If the files cannot be found, downloaded or read.
    ModelError
        If they are not the networks that we expect.
    """
    files = find(source)
    return {name: _network(name, *files[name], layers[name]) for name in layers}


def find(source: Path | None) -> dict[str, tuple[str, bytes]]:
    """Network's name -> name and content of its `.pt` file."""
    if source is not None:
        return _from_wheel(source)
    spec = importlib.util.find_spec("facenet_pytorch")  # a top-level name: nothing is imported
    if spec is not None and spec.submodule_search_locations:
        folder = Path(spec.submodule_search_locations[0]) / "data"
        paths = {name: folder / f"{name}.pt" for name in _LAYERS}
        return {name: (str(path), read_bytes(path)) for name, path in paths.items()}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
        command += ["--disable-pip-version-check", "--retries", "1", "--dest", folder, REQUIREMENT]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            reason = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
            raise FileError(
                f"{REQUIREMENT} cannot be downloaded ({reason}); with no way to PyPI, fetch its"
                " wheel elsewhere and name it with --wheel"
            )
        return _from_wheel(wheels[0])


def _from_wheel(path: Path) -> dict[str, tuple[str, bytes]]:
    found = {}
    try:
        with zipfile.ZipFile(path) as wheel:
            for name in _LAYERS:
                member = f"facenet_pytorch/data/{name}.pt"
                found[name] = f"{path}:{member}", wheel.read(member)
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (zipfile.BadZipFile, KeyError) as error:
        raise FileError(f"{path}: not a wheel of facenet-pytorch: {error}") from error
    return found


def _network(name: str, file: str, content: bytes, layers: list[Layer]) -> np.ndarray:
    state = load_tensors(content, file)
    theirs = _LAYERS[name].split()
    ours = [layer for layer in layers if layer.tensors]
    if len(ours) != len(theirs):
        raise ModelError(
            f"{file}: has {len(theirs)} layers with weights, darknet_cfg/{name}.cfg {len(ours)}"
        )
    expected = {
        f"{layer}.{part}"
        for layer in theirs
        for part in (("weight",) if layer.startswith("prelu") else ("weight", "bias"))
    }
    missing, unknown = sorted(expected - set(state)), sorted(set(state) - expected)
    if missing or unknown:
        raise ModelError(
            f"{file}: not facenet-pytorch's {name}: missing {missing}, unknown {unknown}"
        )

    values = []
    for layer, their in zip(ours, theirs, strict=True):
        weight = state[f"{their}.weight"].double().numpy()
        if layer.type == "prelu":
            tensors = {"slopes": weight}
        else:
            bias = state[f"{their}.bias"].double().numpy()
            if their == _PROBABILITY[name]:  # classes: other, face
                weight, bias = weight[1:] - weight[:1], bias[1:] - bias[:1]
            elif their == _LANDMARKS:
                order = np.arange(10).reshape(2, 5).T.ravel()  # 0, 5, 1, 6, ...
                weight, bias = weight[order], bias[order]
            if weight.ndim == 2:
                filters, channels, height, width = layer.tensors["weights"]
                if weight.size == filters * channels * height * width:
                    weight = weight.reshape(filters, width, height, channels).transpose(0, 3, 2, 1)
            tensors = {"biases": bias, "weights": weight}
        for part, shape in layer.tensors.items():
            if tensors[part].shape != shape:
                raise ModelError(
                    f"{file}: {their} ({part}) is {list(tensors[part].shape)},"
                    f" darknet_cfg/{name}.cfg has {list(shape)}"
                )
            values.append(tensors[part].ravel())
    return np.concatenate(values).astype(np.float32)
