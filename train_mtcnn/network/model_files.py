"""A model's seven files, as one: their common hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

from train_mtcnn.common.file_content import read_bytes
from train_mtcnn.network.darknet import NETWORKS, read_data


def model_digest(model: Path) -> str:
    """Hash of a model's `.data` file and all that it names: a changed model is another model."""
    data = read_data(model)
    files = [model, *(paths[name] for paths in (data.cfg, data.weights) for name in NETWORKS)]
    return hashlib.sha256(
        b"".join(hashlib.sha256(read_bytes(f)).digest() for f in files)
    ).hexdigest()
