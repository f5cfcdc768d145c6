"""Faces with five landmarks: the lists of CNN_FacePoint and of CelebA.

Layouts of the standard downloads:

    CNN_FacePoint   trainImageList.txt, testImageList.txt; pictures at the paths that they name
    CelebA          list_bbox_celeba.txt, list_landmarks_celeba.txt; pictures in img_celeba/
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pymtcnn.errors import FileError
from train_mtcnn.files import read_lines

FACEPOINT_LIST = "trainImageList.txt"
CELEBA_BOXES, CELEBA_LANDMARKS = "list_bbox_celeba.txt", "list_landmarks_celeba.txt"
CELEBA_PICTURES = "img_celeba"
_FAR = 0.5  # landmarks further outside their box, in its sides: one of the two is wrong


@dataclass(frozen=True)
class LandmarkFace:
    """One annotated face.

    Attributes
    ----------
    path
        Of its picture, relative to the data set's folder.
    box : [4] float32
        x1, y1, x2, y2 in pixels, x2 and y2 exclusive.
    points : [5, 2] float32
        Left eye, right eye, nose, left and right mouth corner, as seen in the picture; pixels.
    """

    path: str
    box: NDArray[np.float32]
    points: NDArray[np.float32]


@dataclass(frozen=True)
class Reading:
    """What a data set holds.

    Attributes
    ----------
    folder
        What the faces' paths are relative to.
    faces
    skipped
        Faces left out: reason -> number.
    """

    folder: Path
    faces: list[LandmarkFace]
    skipped: Counter[str]


def read_landmarks(folder: str | os.PathLike) -> Reading:
    """Read the training faces of a CNN_FacePoint or CelebA folder, whichever it is.

    Raises
    ------
    FileError
        If it is neither, or its lists are damaged.
    """
    folder = Path(folder)
    if (folder / FACEPOINT_LIST).is_file():
        return read_facepoint(folder / FACEPOINT_LIST)
    if (folder / CELEBA_BOXES).is_file():
        return read_celeba(folder)
    raise FileError(
        f"{folder}: neither CNN_FacePoint ({FACEPOINT_LIST}) nor CelebA ({CELEBA_BOXES},"
        f" {CELEBA_LANDMARKS}) is there; name the folder of the unpacked download"
    )


def read_facepoint(path: str | os.PathLike) -> Reading:
    """Read a list of CNN_FacePoint: a line is `path left right top bottom` and five `x y`.

    Raises
    ------
    FileError
        If the file cannot be read, is empty, or a line is not of that form; names the line.
    """
    path = Path(path)
    faces, skipped = [], Counter()
    for number, line in enumerate(read_lines(path), 1):
        if not line:
            continue
        name, values = _row(path, number, line, 14, "path left right top bottom, five x y")
        face = LandmarkFace(name, values[[0, 2, 1, 3]], values[4:].reshape(5, 2))
        _add(face, faces, skipped)
    if not faces:
        raise FileError(f"{path}: holds no face")
    return Reading(path.parent, faces, skipped)


def read_celeba(folder: str | os.PathLike) -> Reading:
    """Read CelebA's two lists: boxes `x y width height` and landmarks of the pictures as published.

    (The aligned pictures have other landmarks, list_landmarks_align_celeba.txt: not these.)

    Raises
    ------
    FileError
        If a file cannot be read, is cut, or the two disagree; names the line.
    """
    folder = Path(folder)
    boxes = _celeba_table(folder / CELEBA_BOXES, 4, "picture x y width height")
    points = _celeba_table(folder / CELEBA_LANDMARKS, 10, "picture and five x y")
    faces, skipped = [], Counter()
    for (number, name, box), (_, other, landmarks) in zip(boxes, points):
        if name != other:
            raise FileError(
                f"{folder / CELEBA_LANDMARKS}:{number}: is of {other}, {CELEBA_BOXES} of {name}:"
                " the two files do not belong together"
            )
        corners = np.concatenate([box[:2], box[:2] + box[2:]])
        face = LandmarkFace(f"{CELEBA_PICTURES}/{name}", corners, landmarks.reshape(5, 2))
        _add(face, faces, skipped)
    if len(boxes) != len(points):
        raise FileError(
            f"{folder}: {CELEBA_BOXES} lists {len(boxes)} faces, {CELEBA_LANDMARKS} {len(points)};"
            " download them again"
        )
    return Reading(folder, faces, skipped)


def _celeba_table(path: Path, columns: int, form: str) -> list[tuple[int, str, NDArray]]:
    """Line number, picture and numbers of each row; the first line says how many there are."""
    lines = read_lines(path)
    if not lines[0].isdigit() or len(lines) < 2:
        raise FileError(f"{path}:1: '{lines[0][:80]}', expected the number of pictures")
    rows = [
        (number, *_row(path, number, line, columns, form))
        for number, line in enumerate(lines[2:], 3)
        if line
    ]
    if len(rows) != int(lines[0]):
        raise FileError(
            f"{path}: holds {len(rows)} rows, its first line says {lines[0]}: it was cut; download"
            " it again"
        )
    return rows


def _row(
    path: Path, number: int, line: str, columns: int, form: str
) -> tuple[str, NDArray[np.float32]]:
    """Path and numbers of a line. A path may hold blanks: the numbers are the last columns."""
    parts = line.split()
    name = " ".join(parts[:-columns]).replace("\\", "/")
    try:
        values = np.array([float(part) for part in parts[-columns:]], np.float32)
    except ValueError:
        values = np.empty(0, np.float32)
    if not name or len(values) != columns or not np.isfinite(values).all():
        raise FileError(f"{path}:{number}: '{line[:80]}', expected {form}")
    return name, values


def _add(face: LandmarkFace, faces: list[LandmarkFace], skipped: Counter[str]) -> None:
    """Append the face, or count why it is of no use."""
    sides = face.box[2:] - face.box[:2]
    if (sides <= 0).any():
        skipped["landmark face without area"] += 1
    elif (
        (face.points < face.box[:2] - _FAR * sides) | (face.points > face.box[2:] + _FAR * sides)
    ).any():
        skipped["landmarks far outside their box"] += 1
    else:
        faces.append(face)
