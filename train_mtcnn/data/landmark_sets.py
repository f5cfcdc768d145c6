"""Data sets of faces with five landmarks: CNN_FacePoint and CelebA, in their official layouts.

    CNN_FacePoint/  trainImageList.txt, testImageList.txt, and the folders that they name
    CelebA/         list_bbox_celeba.txt, list_landmarks_celeba.txt (or both in Anno/),
                    img_celeba/ (or Img/img_celeba/)

Faces that cannot be learned from are left out and counted; a file that is not what is expected is
an error. Coordinates stay as the files have them.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pymtcnn.errors import FileError
from train_mtcnn.common.file_content import read_lines
from train_mtcnn.data.annotation_files import LARGEST_COORDINATE, is_picture, wrong_line
from train_mtcnn.data.filtering import keep_usable

_FACEPOINT_LIST = "trainImageList.txt"
_CELEBA_BOXES = "list_bbox_celeba.txt"
_CELEBA_POINTS = "list_landmarks_celeba.txt"
_CELEBA_ALIGNED = "list_landmarks_align_celeba.txt"
_FIRST_ROW = 3  # of CelebA's lists, after the count and the columns' names
_BOX_COLUMNS = ("x_1", "y_1", "width", "height")
_POINT_COLUMNS = tuple(
    f"{point}_{axis}"
    for point in ("lefteye", "righteye", "nose", "leftmouth", "rightmouth")
    for axis in "xy"
)

# How far a point may lie outside its box, in widths and heights of the box. In CNN_FacePoint and
# AFLW the farthest is at 0.1.
_FAR = 0.25


@dataclass(frozen=True)
class LandmarkFace:
    """One annotated face.

    Attributes
    ----------
    path
        The picture, relative to the data set's folder, with forward slashes.
    box : [4] float32
        x1, y1, x2, y2 in pixels, x2 and y2 exclusive. May reach out of the picture.
    points : [5, 2] float32
        Left eye, right eye, nose, left and right mouth corner as seen in the picture; x, y in
        pixels. May lie outside the picture.
    """

    path: str
    box: NDArray[np.float32]
    points: NDArray[np.float32]


@dataclass(frozen=True)
class Reading:
    """What was read of a data set.

    Attributes
    ----------
    faces
        In the order of the file.
    skipped
        Reason -> number of faces left out for it.
    """

    faces: list[LandmarkFace]
    skipped: Counter[str]


def read_landmarks(folder: str | os.PathLike) -> Reading:
    """Read the faces to train on of a data set, whose layout is recognised by its files.

    Raises
    ------
    FileError
        If the layout is none of those that are known, or as `read_facepoint` and `read_celeba`.
    """
    folder = Path(folder)
    if (folder / _FACEPOINT_LIST).is_file():
        return read_facepoint(folder / _FACEPOINT_LIST)
    celeba = (_CELEBA_BOXES, _CELEBA_POINTS, _CELEBA_ALIGNED)
    if any((folder / place / name).is_file() for place in ("", "Anno") for name in celeba):
        return read_celeba(folder)
    raise FileError(
        f"{folder}: neither {_FACEPOINT_LIST} (CNN_FacePoint) nor {_CELEBA_BOXES} (CelebA) is"
        " there; give the folder of an unpacked download"
    )


# ---- CNN_FacePoint -------------------------------------------------------------------------------


def read_facepoint(path: str | os.PathLike) -> Reading:
    """Read CNN_FacePoint's `trainImageList.txt` or `testImageList.txt`.

    A line is a face: the picture's path with backslashes or slashes, left, right, top, bottom of
    the box, and x, y of five points. Blank lines do not count. Pictures are relative to the list's
    folder.

    Raises
    ------
    FileError
        If the file cannot be read, a line is not what is expected (names the line), or fewer than
        half of the faces are usable.
    """
    lines = read_lines(path)
    expected = "a path, left right top bottom, and five x y pairs"
    numbers = [number for number, line in enumerate(lines, 1) if line]
    rows = [_row(path, lines, number, 14, expected) for number in numbers]
    values = np.array([values for _, values in rows]).reshape(-1, 14)
    names = [name.replace("\\", "/") for name, _ in rows]
    return _reading(path, names, values[:, [0, 2, 1, 3]], values[:, 4:])


def _row(
    path: str | os.PathLike, lines: list[str], number: int, count: int, expected: str
) -> tuple[str, list[float]]:
    """A picture's path, which may contain blanks, and `count` numbers; `number` is from 1."""
    try:
        name, *values = lines[number - 1].rsplit(None, count)
        if len(values) == count and is_picture(name):
            return name, [float(value) for value in values]
    except (ValueError, IndexError):
        pass
    raise wrong_line(path, lines, number, expected)


# ---- CelebA --------------------------------------------------------------------------------------


def read_celeba(folder: str | os.PathLike) -> Reading:
    """Read CelebA's boxes and landmarks "in the wild".

    The aligned form of the data set (`list_landmarks_align_celeba.txt`, `img_align_celeba/`) has
    no boxes, so it is not read; its files may lie there, too.

    Raises
    ------
    FileError
        If something is missing, a file was cut (names the line), the files do not list the same
        pictures in the same order, or fewer than half of the faces are usable.
    """
    folder = Path(folder)
    boxes_file, points_file = (
        folder / _place(folder, (name, f"Anno/{name}")) for name in (_CELEBA_BOXES, _CELEBA_POINTS)
    )
    pictures = _place(folder, ("img_celeba", "Img/img_celeba"))
    names, boxes = _table(boxes_file, _BOX_COLUMNS)
    others, points = _table(points_file, _POINT_COLUMNS)
    for number, (name, other) in enumerate(zip(names, others), _FIRST_ROW):
        if name != other:
            raise FileError(
                f"{points_file}:{number}: '{other}', expected '{name}' as in {boxes_file}; both"
                " files must come from one download"
            )
    if len(names) != len(others):
        raise FileError(
            f"{points_file}: {len(others)} pictures, expected {len(names)} as in {boxes_file};"
            " both files must come from one download"
        )
    boxes[:, 2:] += boxes[:, :2]
    return _reading(boxes_file, [f"{pictures}/{name}" for name in names], boxes, points)


def _place(folder: Path, places: tuple[str, ...]) -> str:
    """The first of `places` that is there."""
    for place in places:
        if (folder / place).exists():
            return place
    places_of_aligned = (_CELEBA_ALIGNED, f"Anno/{_CELEBA_ALIGNED}")
    aligned = any((folder / place).exists() for place in places_of_aligned)
    hint = f" ({_CELEBA_ALIGNED} fits only pictures that are cut out)" if aligned else ""
    raise FileError(
        f"{folder / places[0]}: missing, and so is {places[1]}{hint}; CelebA's form 'in the wild'"
        f" is needed: {_CELEBA_BOXES}, {_CELEBA_POINTS} and img_celeba/"
    )


def _table(path: Path, columns: tuple[str, ...]) -> tuple[list[str], NDArray[np.float64]]:
    """The pictures and numbers of one of CelebA's lists."""
    lines = read_lines(path)
    count = lines[0] if lines else ""
    if not (count.isascii() and count.isdigit()):
        raise wrong_line(path, lines, 1, "the number of pictures")
    if len(lines) < 2 or tuple(lines[1].split()[-len(columns) :]) != columns:
        raise wrong_line(path, lines, 2, f"the columns {' '.join(columns)}")
    end = _FIRST_ROW + int(count)
    if len(lines) >= end:
        raise wrong_line(path, lines, end, f"the end of the file after {count} pictures")
    expected = f"a picture and {len(columns)} numbers, {count} such lines in all"
    rows = [_row(path, lines, number, len(columns), expected) for number in range(_FIRST_ROW, end)]
    values = np.array([values for _, values in rows]).reshape(-1, len(columns))
    return [name for name, _ in rows], values


# ---- what both share -----------------------------------------------------------------------------


def _reading(
    path: str | os.PathLike,
    pictures: list[str],
    boxes: NDArray[np.float64],
    points: NDArray[np.float64],
) -> Reading:
    """The usable ones of the faces that `path` lists; `boxes` [N, 4], `points` [N, 10]."""
    values = np.hstack([boxes, points])
    finite = np.all(np.abs(values) <= LARGEST_COORDINATE, 1)  # not so of what is no number
    table = np.where(finite[:, None], values, 0).astype(np.float32)
    corners, landmarks = table[:, :4], table[:, 4:].reshape(-1, 5, 2)
    first: dict[tuple, int] = {}
    keep, skipped = keep_usable(
        {
            "coordinate not finite or far too large": ~finite,
            "box without an area": ~np.all(corners[:, :2] < corners[:, 2:], 1),
            "points far outside the box": _far(corners, landmarks),
            "left and right points swapped": _mirrored(landmarks),
            "listed twice": np.array(
                [
                    first.setdefault((picture, *box), index) != index
                    for index, (picture, box) in enumerate(zip(pictures, corners.tolist()))
                ],
                np.bool_,
            ),
        }
    )
    if not len(keep):
        raise FileError(f"{path}: lists no face; unpack the download again")
    if 2 * keep.sum() < len(keep):
        reasons = ", ".join(f"{why}: {count}" for why, count in skipped.items())
        raise FileError(
            f"{path}: {keep.sum()} of {len(keep)} faces are usable ({reasons}); check the order of"
            " the columns, and that all files are of one data set"
        )
    faces = [
        LandmarkFace(pictures[index], corners[index], landmarks[index])
        for index in np.flatnonzero(keep)
    ]
    return Reading(faces, skipped)


def _far(boxes: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which of `boxes` [N, 4] have one of their `points` [N, 5, 2] far outside: they are wrong."""
    margin = _FAR * (boxes[:, 2:] - boxes[:, :2])
    low, high = boxes[:, :2] - margin, boxes[:, 2:] + margin
    return np.any((points < low[:, None]) | (points > high[:, None]), (1, 2))


def _mirrored(points: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which faces of `points` [N, 5, 2] have eyes or mouth corners on each other's side.

    Seen from the way down the face, the way from left to right is a quarter turn anticlockwise,
    however the face is turned.
    """
    left_eye, right_eye, _, left_mouth, right_mouth = np.moveaxis(points, 1, 0)
    down = left_mouth + right_mouth - left_eye - right_eye

    def wrong(left: NDArray, right: NDArray) -> NDArray[np.bool_]:
        across = right - left
        return across[:, 0] * down[:, 1] < across[:, 1] * down[:, 0]

    return wrong(left_eye, right_eye) | wrong(left_mouth, right_mouth)
