"""facenet-pytorch's three networks (the paper's weights, MIT licence), from its wheel.

The package itself is never imported: its `.pt` files are read from the wheel.

What differs from our networks, and is put right exactly: two classes and a softmax where we have
one logistic (the difference of the two), dense layers where we have convolutions that cover their
whole input (theirs flatten in the order width, height, channel), landmarks as x1..x5, y1..y5 where
ours are x, y interleaved.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from convert.importers.tensors import PAPER, interleaved, logistic, pair, read_state, weights_values
from pymtcnn.errors import FileError
from train_mtcnn.files import read_bytes
from train_mtcnn.layers import Layer
from train_mtcnn.rewrite import with_prelu

SETTINGS = PAPER
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


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the wheel."""
    parser.add_argument(
        "--wheel", dest="source", type=Path, metavar="FILE", help="the published file, if at hand"
    )


rewrite = with_prelu


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
    pairs = pair(file, name, layers, _LAYERS[name].split())
    theirs = read_state(content, file, f"facenet-pytorch's {name}", pairs)
    theirs[_PROBABILITY[name]] = logistic(theirs[_PROBABILITY[name]])
    if _LANDMARKS in theirs:
        theirs[_LANDMARKS] = interleaved(theirs[_LANDMARKS])
    return weights_values(file, name, pairs, theirs, _unflatten)


def _unflatten(weights: np.ndarray, shape: tuple[int, int, int, int]) -> np.ndarray:
    filters, channels, height, width = shape
    return weights.reshape(filters, width, height, channels).transpose(0, 3, 2, 1)
