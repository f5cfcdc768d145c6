"""The `.json` beside a `.weights` file: what it was made of, how it is fed, its checksum.

A `.weights` file holds none of it, and a network that is fed wrongly finds no faces.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import torch

import pymtcnn
from pymtcnn.errors import FileError
from pymtcnn.files import atomic_write
from train_mtcnn.common.file_content import OTHER, read_bytes
from train_mtcnn.network.network_input import Input, checked_input

NO_LICENCE = "that of the source; converting it does not change it"


def sha256(path: Path) -> str:
    """Checksum of a file. Raises FileError."""
    return hashlib.sha256(read_bytes(path)).hexdigest()


def write_sidecar(
    weights: Path, source: Path, dialect: str, fed: Input, licence: str | None
) -> None:
    """Write the `.json` of a `.weights` file and the `.cfg` beside it.

    Parameters
    ----------
    weights
        The file; it is there, as is its `.cfg`.
    source
        What it was made of: a checkpoint or a `.weights` file.
    dialect
        "stock" or "native".
    fed
        What the network takes.
    licence
        Of the weights; None: the source's.

    Raises
    ------
    FileError
        If a file cannot be read or written.
    """
    cfg = weights.with_suffix(".cfg")
    content = {
        "weights": weights.name,
        "weights_sha256": sha256(weights),
        "cfg": cfg.name,
        "cfg_sha256": sha256(cfg),
        "dialect": dialect,
        "input": {**fed._asdict(), "meaning": "(v - mean) * norm, v in 0..255; channels, y, x"},
        "source": source.name,
        "source_sha256": sha256(source),
        "licence": licence or NO_LICENCE,
        "versions": {
            "pymtcnn": pymtcnn.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }
    with atomic_write(weights.with_suffix(".json")) as file:
        file.write((json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def read_input(weights: Path) -> Input | None:
    """What the sidecar of a `.weights` file says that the network takes.

    Returns
    -------
    None where there is no sidecar of ours.

    Raises
    ------
    FileError
        If the sidecar makes no sense, or is that of another `.weights` file.
    """
    path = weights.with_suffix(".json")
    if not path.is_file():
        return None
    try:
        content = json.loads(read_bytes(path, OTHER))
        if not isinstance(content, dict) or "weights_sha256" not in content:
            return None
        fed = checked_input(*(content["input"][name] for name in Input._fields))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FileError(
            f"{path}: does not say how {weights.name} is fed ({error}); write the files again,"
            " or delete it and say how with --dialect or --mean, --norm and --color"
        ) from error
    if content["weights_sha256"] != sha256(weights):
        raise FileError(
            f"{path}: its checksum is not that of {weights.name}, which has been changed or"
            " replaced; write both again, or delete it and say how the network is fed with"
            " --dialect or --mean, --norm and --color"
        )
    return fed
