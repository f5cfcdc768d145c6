"""The folder of a whole training, as train_all.py fills it: which stages are done, what it made."""

from __future__ import annotations

import json
from pathlib import Path

from pymtcnn.errors import FileError
from train_mtcnn.common.file_content import OTHER, read_bytes
from train_mtcnn.network.darknet import NETWORKS

RECORD = "stages.json"  # name of a stage -> its command, seconds and memory
MODEL = "model"  # the folder of the last model
MODEL_FILE = "cascade.data"


def assembly_of(model: str) -> str:
    """Name of the stage that makes a model's folder."""
    return f"convert to {model}"


def read_record(run: Path) -> dict[str, dict]:
    """The stages that are done, by name; empty where none is recorded.

    Raises
    ------
    FileError
        If the record cannot be read or is damaged.
    """
    path = run / RECORD
    try:
        record = json.loads(read_bytes(path, OTHER)) if path.exists() else {}
        if not isinstance(record, dict) or not all(isinstance(v, dict) for v in record.values()):
            raise ValueError("not a record of stages")
    except ValueError as error:
        raise FileError(f"{path}: damaged ({error}); remove it") from error
    return record


def final_checkpoints(run: Path) -> dict[str, Path]:
    """The checkpoints that the model of a finished training is made of; empty where it is not.

    They are in the folder where it is now, wherever that was while it was filled.

    Raises
    ------
    FileError
        If the record cannot be read or is damaged.
    """
    command = read_record(run).get(assembly_of(MODEL), {}).get("command", [])
    if not (run / MODEL / MODEL_FILE).is_file() or len(command) != 3 + len(NETWORKS):
        return {}
    try:
        _, _, out, *checkpoints = map(Path, command)  # assemble.py --out OUT/model PNET RNET ONET
        paths = [run / path.relative_to(out.parent) for path in checkpoints]
    except (TypeError, ValueError) as error:  # no paths, or of another folder
        raise FileError(f"{run / RECORD}: damaged ({error}); remove it") from error
    return dict(zip(NETWORKS, paths, strict=True))
