"""What a training logs: history.jsonl, one JSON object an epoch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pymtcnn.errors import FileError
from train_mtcnn.common.file_content import OTHER, read_bytes

HISTORY = "history.jsonl"
_PLACES = ("epoch", "step")  # where the training was, not how well it did


def read_history(path: Path) -> dict[str, NDArray[np.float64]]:
    """Read the quantities that a training logged.

    A last line without an end is passed over: the training may be writing it.

    Parameters
    ----------
    path
        Lines are objects with `epoch` and any other keys; those with numbers are read.

    Returns
    -------
    Quantity -> [2, K]: the epochs that have it, and its values there. In the order in which they
    first come.

    Raises
    ------
    FileError
        If the file cannot be read, holds no whole line, or a line is not what is expected (names
        the line).
    """
    points: dict[str, list[tuple[float, float]]] = {}
    lines = read_bytes(path, OTHER).split(b"\n")[:-1]
    if not any(line.strip() for line in lines):
        raise FileError(f"{path}: no epoch is logged there yet; wait until the first has ended")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            epoch = row["epoch"]
        except (ValueError, KeyError, TypeError):
            epoch = None
        if not _is_number(epoch):
            raise FileError(
                f"{path}:{number}: expected a JSON object with a number 'epoch'; take the line out"
            )
        for key, value in row.items():
            if key not in _PLACES and _is_number(value):
                points.setdefault(key, []).append((epoch, value))
    if not points:
        raise FileError(f"{path}: no quantity is logged beside {' and '.join(_PLACES)}")
    return {key: np.array(values, np.float64).T for key, values in points.items()}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
