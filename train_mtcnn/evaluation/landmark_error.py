"""How far ONet's landmarks lie from annotated ones (AFLW, as the paper measures it).

ONet sees the square around the annotated box, as it sees RNet's in the cascade. A face's error is
the mean distance of the five points, divided by the distance between the annotated eyes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pymtcnn.errors import FileError
from train_mtcnn.data.landmark_sets import LandmarkFace

LARGE = 0.1  # errors above it are failures


@dataclass(frozen=True)
class LandmarkErrors:
    """Errors of a set of faces, as shares of the distance between the eyes.

    Attributes
    ----------
    mean, median
    large
        Share of faces with an error above `LARGE`.
    faces
        Their number.
    shift
        Mean x and y of found less annotated points.
    mean_without_shift
        Mean of what the errors would be if all points were moved back by `shift`: the rest after a
        difference in where the marks are put.
    """

    mean: float
    median: float
    large: float
    faces: int
    shift: tuple[float, float]
    mean_without_shift: float


def errors(points: NDArray, truth: NDArray) -> NDArray[np.float64]:
    """Each face's error.

    Parameters
    ----------
    points, truth : [N, 5, 2]
        x, y of the left eye, right eye, nose, left and right mouth corner. The eyes of `truth`
        must be two points.

    Returns
    -------
    [N] float64: mean distance of the five points over the distance between the eyes of `truth`.
    """
    return np.linalg.norm(_differences(points, truth), axis=2).mean(1)


def summary(points: NDArray, truth: NDArray) -> LandmarkErrors:
    """The errors of at least one face; `points` and `truth` as for `errors`."""
    values, differences = errors(points, truth), _differences(points, truth)
    shift = differences.mean((0, 1))
    return LandmarkErrors(
        mean=float(values.mean()),
        median=float(np.median(values)),
        large=float((values > LARGE).mean()),
        faces=len(values),
        shift=(float(shift[0]), float(shift[1])),
        mean_without_shift=float(np.linalg.norm(differences - shift, axis=2).mean()),
    )


def _differences(points: NDArray, truth: NDArray) -> NDArray[np.float64]:
    """Found less annotated points, in distances between the annotated eyes: [N, 5, 2]."""
    points, truth = np.asarray(points, np.float64), np.asarray(truth, np.float64)
    eyes = np.linalg.norm(truth[:, 0] - truth[:, 1], axis=1)
    return (points - truth) / eyes[:, None, None]


def landmark_error(
    model: str | os.PathLike, folder: Path, faces: Sequence[LandmarkFace]
) -> LandmarkErrors:
    """Errors of a model's ONet, run by the PyTorch reference.

    Parameters
    ----------
    model
        The model's `.data` file.
    folder
        The faces' paths are relative to it.
    faces
        At least one.

    Raises
    ------
    FileError
        If a file cannot be read, or both eyes of a face are annotated at one point.
    MtcnnError
        If a picture or the model makes no sense.
    """
    from tqdm import tqdm

    from train_mtcnn.cascade.torch_detector import TorchDetector

    for face in faces:
        if (face.points[0] == face.points[1]).all():
            raise FileError(
                f"{folder / face.path}: both eyes are annotated at one point, so that there is no"
                " distance to divide by; take its line out of the list"
            )
    detector = TorchDetector(model)
    points = [
        detector.landmarks(folder / face.path, face.box[None])[0]
        for face in tqdm(faces, unit="face", disable=None)
    ]
    return summary(np.array(points), np.array([face.points for face in faces]))
