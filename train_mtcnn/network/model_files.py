"""A model's seven files, as one: their names, writing them, their common hash."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train_mtcnn.common.file_content import read_bytes
from train_mtcnn.network.darknet import (
    NETWORKS,
    Cfg,
    Data,
    read_data,
    write_cfg,
    write_data,
    write_weights,
)


def network_files(folder: Path) -> dict[str, Any]:
    """The files of the networks in `folder`: "cfg", "weights" -> network -> file."""
    return {
        kind: {name: folder / f"{name}.{kind}" for name in NETWORKS} for kind in ("cfg", "weights")
    }


def write_model_files(
    path: Path,
    settings: Data,
    networks: Mapping[str, tuple[Cfg, NDArray[np.float32]]],
    comments: tuple[str, ...] = (),
) -> None:
    """Write a `.data` file, and its networks beside it.

    Parameters
    ----------
    path
        The `.data` file.
    settings
        Its settings; the files that they name are others.
    networks
        "pnet", "rnet", "onet" -> the network, and its weights in file order.
    comments
        Of the `.data` file.

    Raises
    ------
    FileError, WeightsError
        If a file cannot be written, or a weight is not finite.
    """
    files = network_files(path.parent)
    for name, (cfg, values) in networks.items():
        write_cfg(files["cfg"][name], cfg)
        write_weights(files["weights"][name], values)
    write_data(path, dataclasses.replace(settings, **files), comments)


def model_digest(model: Path) -> str:
    """Hash of a model's `.data` file and all that it names: a changed model is another model."""
    data = read_data(model)
    files = [model, *(paths[name] for paths in (data.cfg, data.weights) for name in NETWORKS)]
    return hashlib.sha256(
        b"".join(hashlib.sha256(read_bytes(f)).digest() for f in files)
    ).hexdigest()
