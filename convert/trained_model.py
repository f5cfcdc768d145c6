"""What there is to convert where nothing is named: the newest training, else the shipped model."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from train_mtcnn.network.darknet import DARKNET_CFG, DEFAULT_MODEL, NETWORKS
from train_mtcnn.training.run_folder import MODEL, MODEL_FILE, RECORD, final_checkpoints

SHIPPED = DARKNET_CFG / "training"


class TrainedModel(NamedTuple):
    """A cascade as training left it.

    Attributes
    ----------
    folder
        Where it was found.
    data
        The `.data` file with its settings.
    checkpoints
        "pnet", "rnet", "onet" -> file.
    """

    folder: Path
    data: Path
    checkpoints: dict[str, Path]


def newest_model(runs: Path) -> TrainedModel:
    """The newest of the finished trainings in the folder `runs`; without one, the shipped model.

    Raises
    ------
    FileError
        If a training's record is damaged.
    """
    found = [
        TrainedModel(run, run / MODEL / MODEL_FILE, checkpoints)
        for run in (path.parent for path in runs.glob(f"*/{RECORD}"))
        if (checkpoints := final_checkpoints(run))
    ]
    shipped = {name: SHIPPED / f"{name}.pt" for name in NETWORKS}
    return max(
        found,
        key=lambda model: model.data.stat().st_mtime,
        default=TrainedModel(SHIPPED, DEFAULT_MODEL, shipped),
    )
