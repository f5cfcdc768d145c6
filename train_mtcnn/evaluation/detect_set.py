"""Detect faces in a set of pictures, in several processes; what is done may be kept.

Predictions are text files of WIDER FACE's official form, a folder for each stage of the cascade.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pymtcnn import Detector
from pymtcnn.errors import FileError
from pymtcnn.files import atomic_write, make_folder
from train_mtcnn.common.file_content import OTHER, read_bytes
from train_mtcnn.common.processes import in_processes
from train_mtcnn.data.wider import prediction_path, write_prediction
from train_mtcnn.network.model_files import model_digest

FINAL = "final"  # the cascade's own result: ONet's boxes, clipped to the picture
STAGES = ("pnet", "rnet", FINAL)

_detector: Any = None  # one a process


def stage_folder(predictions: Path, stage: str) -> Path:
    """Where the boxes of a stage lie: predictions/ for the final one, else predictions-STAGE/."""
    if stage == FINAL:
        return predictions
    return predictions.parent / f"{predictions.name}-{stage}"


def _make_detector(settings: dict) -> None:
    global _detector
    options = {key: settings[key] for key in ("min_face", "scale_factor", "thresholds")}
    kind: Any = Detector
    if settings["backend"] == "torch":
        from train_mtcnn.cascade.torch_detector import TorchDetector as kind
    _detector = kind(settings["model"], **options)


def _detect(task: tuple[Path, Path, str, str, tuple[str, ...]]) -> float:
    """Write one picture's predictions, the final ones last; returns its milliseconds."""
    images, out, event, name, stages = task
    found = _detector.detect_stages(images / event / f"{name}.jpg")
    boxes = {stage.name: (stage.boxes, stage.scores) for stage in found.stages}
    boxes[FINAL] = found.boxes, found.scores
    for stage in stages:
        write_prediction(stage_folder(out, stage), event, name, *boxes[stage])
    return found.total_ms


def _is_json_of(value: dict, path: Path) -> bool:
    """Whether a file holds a value as JSON."""
    try:
        return json.loads(read_bytes(path, OTHER)) == json.loads(json.dumps(value))
    except (ValueError, RecursionError):  # no JSON
        return False


def detect_all(
    settings: dict,
    pictures: Sequence[tuple[str, str]],
    images: Path,
    out: Path,
    *,
    stages: tuple[str, ...] = STAGES,
    jobs: int = 1,
    resume: bool = False,
    force: bool = False,
) -> dict:
    """Detect faces in all pictures and write the predictions.

    Parameters
    ----------
    settings
        backend ("c" or "torch"), model, min_face, scale_factor, thresholds.
    pictures
        Event and name of each: the picture is <images>/<event>/<name>.jpg.
    images
        Folder of the events' folders.
    out
        Predictions go to <out>/predictions and the like (`stage_folder`), the settings to
        <out>/settings.json.
    stages
        Those of STAGES to write, in their order.
    jobs
        Processes; the results do not depend on it.
    resume
        Keep predictions that were made with the same settings.
    force
        Replace predictions that were made with other settings.

    Returns
    -------
    Number of pictures detected now and, if there are any, their median milliseconds.

    Raises
    ------
    MtcnnError
        If a picture cannot be read, an output not be written, or there are predictions of other
        settings in `out` and `force` is not given.
    """
    from tqdm import tqdm

    predictions, written = out / "predictions", out / "settings.json"
    signed = {**settings, "model_sha256": model_digest(Path(settings["model"]))}
    same = written.exists() and _is_json_of(signed, written)
    if written.exists() and not same and not force:
        raise FileError(
            f"{written}: the predictions there were made with other settings; give another --out,"
            " or --force to replace them"
        )
    resume = resume and same
    folders = [stage_folder(predictions, stage) for stage in stages]
    for folder in folders:
        make_folder(folder)
    if not resume:
        for event, name in pictures:  # none of other settings may stay
            for folder in folders:
                prediction_path(folder, event, name).unlink(missing_ok=True)
        with atomic_write(written) as file:
            file.write(json.dumps(signed, indent=2).encode())
    tasks = [
        (images, predictions, event, name, stages)
        for event, name in pictures
        if not all(prediction_path(folder, event, name).exists() for folder in folders)
    ]
    run = in_processes(
        _detect, tasks, jobs, _make_detector, (settings,), "give fewer --jobs, then --resume"
    )
    times = list(tqdm(run, total=len(tasks), unit="picture", disable=None))
    median = {"median_ms": round(float(np.median(times)), 2)} if times else {}
    return {"detected": len(times), **median}
