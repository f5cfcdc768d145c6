"""All that is measured on WIDER FACE's pictures: average precision, faces found, recall.

Average precision and recall are measured for each stage of the cascade, as if it ended there.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pymtcnn.errors import FileError
from train_mtcnn.data.recall import SIZE_NAMES, SizeRecall
from train_mtcnn.data.wider import Truth, read_annotations, read_prediction
from train_mtcnn.evaluation.average_precision import Curve, evaluate
from train_mtcnn.evaluation.detect_set import FINAL, STAGES, stage_folder
from train_mtcnn.evaluation.false_alarms import found_at


def read_valid_faces(split: Path, truth: list[Truth]) -> list[NDArray[np.float32]]:
    """The annotated faces of each picture that are not marked invalid, [G, 4] x1, y1, x2, y2.

    Parameters
    ----------
    split
        The folder wider_face_split.
    truth
        The pictures.

    Raises
    ------
    FileError
        If the annotations cannot be read, or lack a picture.
    """
    path = split / "wider_face_val_bbx_gt.txt"
    annotations = {annotation.path: annotation for annotation in read_annotations(path)}
    faces = []
    for picture in truth:
        name = f"{picture.event}/{picture.name}.jpg"
        if name not in annotations:
            raise FileError(
                f"{path}: lacks {name}, which the .mat files list; take all of them from one"
                " download"
            )
        faces.append(annotations[name].boxes[~annotations[name].invalid])
    return faces


def read_stages(predictions: Path, truth: list[Truth]) -> dict[str, list[NDArray[np.float64]]]:
    """The predictions of each stage that has a folder (`stage_folder`), for `measure`.

    Raises
    ------
    FileError
        If a folder lacks a picture or a file is not of the official form.
    """
    folders = {stage: stage_folder(predictions, stage) for stage in STAGES}
    return {
        stage: [read_prediction(folder, picture.event, picture.name) for picture in truth]
        for stage, folder in folders.items()
        if folder.is_dir()
    }


def measure(
    truth: list[Truth],
    faces: list[NDArray[np.float32]],
    stages: dict[str, list[NDArray[np.float64]]],
) -> tuple[dict, dict[str, NDArray[np.float32]]]:
    """Measure the predictions of all stages.

    Parameters
    ----------
    truth
        The pictures.
    faces : for each picture [G, 4]
        x1, y1, x2, y2 of the faces whose recall is measured.
    stages
        Stage -> for each picture [N, 5]: x, y, width, height, score, best first. FINAL must be
        there.

    Returns
    -------
    results
        ap, faces (set -> number), found_at (rate -> FoundAt as a dict), faces_by_size, stages
        (stage -> ap, boxes_per_picture, recall, recall_by_size), to be written as JSON.
    curves
        "easy", "medium", "hard" -> [2, 1000]: recall and precision of the final predictions.
    """
    curves, recall = {}, {}
    for stage, predictions in stages.items():
        curves[stage] = evaluate(truth, predictions)
        recall[stage] = SizeRecall()
        for picture, boxes in zip(faces, predictions, strict=True):
            recall[stage].add(picture, np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:4]]))
    found = found_at(truth, stages[FINAL])
    results = {
        "ap": _ap(curves[FINAL]),
        "faces": {name: curve.faces for name, curve in curves[FINAL].items()},
        "found_at": {f"{rate:g}": asdict(value) for rate, value in found.items()},
        "faces_by_size": dict(zip(SIZE_NAMES, recall[FINAL].faces.tolist())),
        "stages": {
            stage: {
                "ap": _ap(curves[stage]),
                "boxes_per_picture": counts.boxes_per_picture,
                "recall": counts.overall,
                "recall_by_size": dict(zip(SIZE_NAMES, counts.by_size)),
            }
            for stage, counts in recall.items()
        },
    }
    arrays = {
        name: np.array([curve.recall, curve.precision], np.float32)
        for name, curve in curves[FINAL].items()
    }
    return results, arrays


def _ap(curves: dict[str, Curve]) -> dict[str, float]:
    return {name: curve.ap for name, curve in curves.items()}
