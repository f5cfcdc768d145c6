"""A model's seven files, as one: their names, writing them, their common hash."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path

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


def with_files_in(folder: Path, settings: Data) -> Data:
    """The settings, with the networks' files in `folder`: pnet.cfg, pnet.weights, ..."""
    cfg, weights = (
        {name: folder / f"{name}.{kind}" for name in NETWORKS} for kind in ("cfg", "weights")
    )
    return dataclasses.replace(settings, cfg=cfg, weights=weights)


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
    data = with_files_in(path.parent, settings)
    for name, (cfg, values) in networks.items():
        write_cfg(data.cfg[name], cfg)
        write_weights(data.weights[name], values)
    write_data(path, data, comments)


def model_digest(model: Path) -> str:
    """Hash of a model's `.data` file and all that it names: a changed model is another model."""
    data = read_data(model)
    files = [model, *(paths[name] for paths in (data.cfg, data.weights) for name in NETWORKS)]
    return hashlib.sha256(
        b"".join(hashlib.sha256(read_bytes(f)).digest() for f in files)
    ).hexdigest()
