"""The usual measure of landmarks: their mean distance over the distance between the eyes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pymtcnn import Network, crop, read_picture
from pymtcnn.errors import FileError, ModelError
from train_mtcnn.boxes import square
from train_mtcnn.darknet import read_data
from train_mtcnn.landmark_sets import read_facepoint

TEST_LIST = "testImageList.txt"


@dataclass(frozen=True)
class LandmarkError:
    """Errors of a set of faces, in distances between the eyes.

    Attributes
    ----------
    errors : [N] float64
        Of each face, a mean over its five points.
    """

    errors: NDArray[np.float64]

    def summary(self) -> dict[str, float]:
        """Mean, median, the share of the faces above 10%, and their number."""
        return {
            "mean": float(self.errors.mean()),
            "median": float(np.median(self.errors)),
            "above_10_percent": float((self.errors > 0.1).mean()),
            "faces": len(self.errors),
        }


def point_errors(found: NDArray, truth: NDArray) -> NDArray[np.float64]:
    """Error of each face, [N]; found and truth are [N, 5, 2]."""
    found, truth = np.asarray(found, np.float64), np.asarray(truth, np.float64)
    eyes = np.linalg.norm(truth[:, 0] - truth[:, 1], axis=1)
    return np.linalg.norm(found - truth, axis=2).mean(1) / eyes


def measure(model: Path, folder: Path) -> LandmarkError:
    """ONet on the annotated boxes of testImageList.txt, made square, as the cascade cuts them out.

    Parameters
    ----------
    model
        A `.data` file.
    folder
        Of the list and its pictures.

    Raises
    ------
    FileError, PictureError, CfgError, WeightsError, ModelError
        If the list, a picture or the model cannot be read.
    """
    data = read_data(model)
    onet = Network(data.cfg["onet"], data.weights["onet"])
    _, side, _ = onet.input
    if onet.shape(side, side).channels != 15:
        raise ModelError(f"{data.cfg['onet']}: has no landmarks")
    faces = read_facepoint(Path(folder) / TEST_LIST).faces
    boxes = square(np.stack([face.box for face in faces]))
    crops = np.concatenate(
        [
            crop(read_picture(folder / face.path), box[None], side, pad=round(data.pad))
            for face, box in zip(faces, boxes)
        ]
    )
    pixels = crops if data.color == "RGB" else crops[..., ::-1]
    inputs = (pixels.transpose(0, 3, 1, 2).astype(np.float32) - data.mean) * data.norm
    outputs = onet.run(inputs.astype(np.float32))[:, 5:, 0, 0].reshape(-1, 5, 2)
    sides = (boxes[:, 2:] - boxes[:, :2])[:, None]
    found = boxes[:, None, :2] + outputs * sides
    truth = np.stack([face.points for face in faces])
    if not (np.linalg.norm(truth[:, 0] - truth[:, 1], axis=1) > 0).all():
        raise FileError(f"{folder / TEST_LIST}: a face has both eyes in one place")
    return LandmarkError(point_errors(found, truth))
