"""ipazc's mtcnn as it stores its networks: lists of Keras's arrays, written by joblib.

And what they compute, in plain NumPy, with pictures in Keras's layout [count, y, x, channels].
"""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

# A word a layer: convolutions c (side, inputs, filters), their slopes and poolings (window, 'same'
# or 'valid'), then dense layers d (inputs, outputs), the last ones being the heads.
_NETWORKS = {
    "pnet": "c:3:3:10 same:2 c:3:10:16 c:3:16:32",
    "rnet": "c:3:3:28 same:3 c:3:28:48 valid:3 c:2:48:64 d:576:128",
    "onet": "c:3:3:32 same:3 c:3:32:64 valid:3 c:3:64:64 same:2 c:2:64:128 d:1152:256",
}
_HEADS = {"pnet": (4, 2), "rnet": (4, 2), "onet": (4, 10, 2)}  # offsets, landmarks, probability


def random_arrays(name: str, seed: int = 0) -> list[np.ndarray]:
    """The arrays of "pnet", "rnet" or "onet", in Keras's order, float32."""
    random = np.random.default_rng(seed)
    arrays = []

    def add(*shape: int) -> None:
        scale = np.sqrt(2 / np.prod(shape[:-1]))
        arrays.append(random.normal(0, scale, shape).astype(np.float32))
        arrays.append(random.normal(0, 0.2, shape[-1]).astype(np.float32))

    for word in _NETWORKS[name].split():
        kind, *sizes = word.split(":")
        sizes = [int(size) for size in sizes]
        if kind in ("c", "d"):
            add(*sizes[:1], *sizes) if kind == "c" else add(*sizes)
            shape = (1, 1, sizes[-1]) if kind == "c" else (sizes[-1],)
            arrays.append(random.uniform(-0.2, 0.5, shape).astype(np.float32))
    for count in _HEADS[name]:
        add(*((1, 1) if name == "pnet" else ()), sizes[-1], count)
    return arrays


def write_ipazc(path: Path, value: object) -> None:
    """Write a file in mtcnn's form."""
    joblib.dump(value, path, compress=("lz4", 1))


def write_random_ipazc(folder: Path, seed: int = 0) -> None:
    """Write the three files of a cascade."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _NETWORKS:
        write_ipazc(folder / f"{name}.lz4", random_arrays(name, seed))


def read_ipazc(source: Path, name: str) -> list[np.ndarray]:
    """joblib's reading of a trusted file."""
    return joblib.load(source / f"{name}.lz4")


def _pool(x: np.ndarray, window: int, padding: str) -> np.ndarray:
    """MaxPooling2D(window, 2, padding); TensorFlow's 'same' puts half before, the rest after."""
    if padding == "same":
        fills = []
        for size in x.shape[1:3]:
            total = max((-(-size // 2) - 1) * 2 + window - size, 0)
            fills.append((total // 2, total - total // 2))
        x = np.pad(x, ((0, 0), *fills, (0, 0)), constant_values=-np.inf)
    return sliding_window_view(x, (window, window), (1, 2))[:, ::2, ::2].max((4, 5))


def keras_forward(arrays: list[np.ndarray], name: str, x: np.ndarray) -> np.ndarray:
    """The network as its authors wrote it.

    Takes [count, 3, height, width]; gives [count, 5 or 15, height, width]: the probability of a
    face, the offsets, and the landmarks as x, y interleaved.
    """
    each = iter([array.astype(np.float64) for array in arrays])
    x = x.transpose(0, 2, 3, 1).astype(np.float64)
    for word in _NETWORKS[name].split():
        kind, *sizes = word.split(":")
        if kind in ("same", "valid"):
            x = _pool(x, int(sizes[0]), kind)
            continue
        weights, biases, slopes = next(each), next(each), next(each)
        if kind == "c":
            windows = sliding_window_view(x, weights.shape[:2], (1, 2))
            x = np.einsum("nyxcij,ijco->nyxo", windows, weights, optimize=True)
        else:
            x = x.transpose(0, 2, 1, 3).reshape(len(x), -1) @ weights  # Permute, Flatten
        x = x + biases
        x = np.where(x > 0, x, slopes * x)
    heads = [x @ np.squeeze(weights) + biases for weights, biases in zip(each, each)]
    classes = np.exp(heads[-1] - heads[-1].max(-1, keepdims=True))
    y = [classes[..., 1:] / classes.sum(-1, keepdims=True), heads[0]]
    if name == "onet":
        y.append(np.stack([heads[1][:, :5], heads[1][:, 5:]], 2).reshape(-1, 10))
    y = np.concatenate(y, -1)
    return y.transpose(0, 3, 1, 2) if y.ndim == 4 else y[:, :, None, None]
