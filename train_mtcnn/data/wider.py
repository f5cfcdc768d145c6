"""WIDER FACE's files: annotations (text), ground truth of the evaluation (.mat), predictions.

Layout of the standard download, below one folder:

    wider_face_split/wider_face_{train,val}_bbx_gt.txt, wider_{easy,medium,hard}_val.mat
    WIDER_{train,val}/images/<event>/<picture>.jpg
"""

from __future__ import annotations

import io
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pymtcnn.errors import FileError
from pymtcnn.files import atomic_write, make_folder
from pymtcnn.formats import wider_text
from train_mtcnn.cascade.boxes import visible
from train_mtcnn.common.file_content import OTHER, read_bytes, read_lines
from train_mtcnn.data.annotation_files import LARGEST_COORDINATE, is_picture, wrong_line
from train_mtcnn.data.filtering import keep_usable

ATTRIBUTES = ("blur", "expression", "illumination", "invalid", "occlusion", "pose")
SETS = ("easy", "medium", "hard")


# ---- annotations ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Annotation:
    """One annotated picture.

    Attributes
    ----------
    path
        "<event>/<picture>.jpg", relative to the folder of the pictures, with forward slashes.
    boxes : [N, 4] float32
        x1, y1, x2, y2 in pixels, x2 and y2 exclusive. All that the file holds: a few have no area,
        or a negative width or height.
    attributes : [N, 6] int64
        In the order of ATTRIBUTES.
    """

    path: str
    boxes: NDArray[np.float32]
    attributes: NDArray[np.int64]

    @property
    def invalid(self) -> NDArray[np.bool_]:
        """Faces that the annotators marked as not to be judged, [N]."""
        return self.attributes[:, ATTRIBUTES.index("invalid")] != 0


def read_annotations(path: str | os.PathLike) -> list[Annotation]:
    """Read `wider_face_train_bbx_gt.txt` or `wider_face_val_bbx_gt.txt`.

    A picture is three or more lines: its path, the number of faces, and for each face x, y, width,
    height and six flags. A picture without a face may have one line of zeros all the same. As other
    programs write it: numbers may have a decimal point, but not the flags; blank lines do not
    count; paths may have backslashes.

    Raises
    ------
    FileError
        If the file cannot be read or a line is not what is expected there; names the line.
    """
    reader = _Lines(path)
    annotations = []
    while reader.left:
        picture = reader.text()
        if not is_picture(picture):
            raise reader.wrong("the path of a picture with its ending, such as .jpg")
        reader.next()
        count = reader.text()
        if not (count.isascii() and count.isdigit()):
            raise reader.wrong("the number of faces")
        reader.next()
        faces = [_face(reader) for _ in range(int(count))]
        if not faces and reader.left and _is_no_face(reader.text()):
            reader.next()
        table = np.array(faces, np.float64).reshape(-1, 10)
        table[:, 2:4] += table[:, :2]
        boxes, attributes = table[:, :4].astype(np.float32), table[:, 4:].astype(np.int64)
        annotations.append(Annotation(picture.replace("\\", "/"), boxes, attributes))
    return annotations


class _Lines:
    """The lines of a file that are not blank, one after the other."""

    def __init__(self, path: str | os.PathLike) -> None:
        self._path, self._lines = path, read_lines(path)
        self.left = [number for number, line in enumerate(self._lines, 1) if line]
        self.left.reverse()  # the next one last

    def text(self) -> str:
        """The next line; empty after the last."""
        return self._lines[self.left[-1] - 1] if self.left else ""

    def next(self) -> None:
        self.left.pop()

    def wrong(self, expected: str) -> FileError:
        """The error where the next line is not as expected."""
        number = self.left[-1] if self.left else len(self._lines) + 1
        return wrong_line(self._path, self._lines, number, expected)


def _face(reader: _Lines) -> list[float]:
    """The next line's ten numbers, of which the last six are whole."""
    parts = reader.text().split()
    try:
        values: list[float] = [float(part) for part in parts[:4]]
        values += [int(part) for part in parts[4:]]
    except ValueError:
        values = []
    if len(values) != 10 or not all(abs(value) <= LARGEST_COORDINATE for value in values):
        raise reader.wrong("x y width height, in pixels, and 6 flags, whole numbers")
    reader.next()
    return values


def _is_no_face(line: str) -> bool:
    """Whether it is the line of zeros of a picture without a face."""
    return not line.translate(str.maketrans("", "", "0. \t"))


def usable(
    annotation: Annotation, width: int, height: int
) -> tuple[NDArray[np.bool_], Counter[str]]:
    """Which faces of a picture of `width` x `height` pixels may be learned from.

    Returns
    -------
    keep : [N] bool
        Boxes that are not marked invalid, have an area, and some of it inside the picture. Where
        the others lie, there may be a face all the same.
    skipped
        Reason -> number of the other boxes; each counts for its first reason.
    """
    boxes = annotation.boxes
    return keep_usable(
        {
            "marked invalid": annotation.invalid,
            "box without an area": ~np.all(boxes[:, :2] < boxes[:, 2:], 1),
            "box outside the picture": ~visible(boxes, width, height),
        }
    )


# ---- ground truth of the evaluation --------------------------------------------------------------


@dataclass(frozen=True)
class Truth:
    """Ground truth of one picture.

    Attributes
    ----------
    event, name
        The picture is <event>/<name>.jpg.
    boxes : [G, 4] float64
        x, y, width, height of all annotated faces.
    counted : dict
        "easy", "medium", "hard" -> [G] bool: the faces that count; the others are ignored, and so
        are detections of them.
    """

    event: str
    name: str
    boxes: NDArray[np.float64]
    counted: dict[str, NDArray[np.bool_]]


def _cells(cell: NDArray) -> list:
    """The members of a MATLAB cell array, [N, 1] of dtype object."""
    return list(np.ravel(cell))


def _string(cell: NDArray) -> str:
    return str(np.ravel(cell)[0])


def _read_set(path: Path) -> list[tuple[str, str, NDArray[np.float64], NDArray[np.bool_]]]:
    """Event, name, boxes and counted faces of each picture of one of the .mat files."""
    from scipy.io import loadmat

    content = read_bytes(path, OTHER)
    try:
        mat = loadmat(io.BytesIO(content))
        pictures = []
        for event, names, boxes, kept in zip(
            *(_cells(mat[key]) for key in ("event_list", "file_list", "face_bbx_list", "gt_list")),
            strict=True,
        ):
            for name, box, keep in zip(_cells(names), _cells(boxes), _cells(kept), strict=True):
                box = np.asarray(box, np.float64).reshape(-1, 4)
                counted = np.zeros(len(box), bool)
                counted[np.ravel(keep).astype(np.int64) - 1] = True  # MATLAB counts from 1
                pictures.append((_string(event), _string(name), box, counted))
        return pictures
    except (KeyError, ValueError, IndexError, TypeError, NotImplementedError) as error:
        raise FileError(f"{path}: not a .mat file of WIDER FACE's evaluation: {error}") from error


def read_truth(split: str | os.PathLike) -> list[Truth]:
    """Read `wider_{easy,medium,hard}_val.mat` in the folder `split` (wider_face_split).

    Only the pictures that they list count, so that they may be cut to a part of the set.

    Raises
    ------
    FileError
        If a file cannot be read or is not what is expected.
    """
    files = {name: Path(split) / f"wider_{name}_val.mat" for name in SETS}
    sets = {name: _read_set(path) for name, path in files.items()}
    truth = []
    for index, (event, name, boxes, _) in enumerate(sets["easy"]):
        for other in SETS:
            if [row[:2] for row in sets[other][index : index + 1]] != [(event, name)] or len(
                sets[other]
            ) != len(sets["easy"]):
                raise FileError(f"{files[other]}: lists other pictures than {files['easy']}")
        truth.append(Truth(event, name, boxes, {other: sets[other][index][3] for other in SETS}))
    return truth


# ---- predictions ---------------------------------------------------------------------------------


def prediction_path(folder: str | os.PathLike, event: str, name: str) -> Path:
    """Where the predictions of a picture lie."""
    return Path(folder) / event / f"{name}.txt"


def write_prediction(
    folder: str | os.PathLike, event: str, name: str, boxes: NDArray, scores: NDArray
) -> None:
    """Write the faces of one picture in the official form, best first.

    Parameters
    ----------
    folder, event, name
        Writes <folder>/<event>/<name>.txt; the event's folder is made if missing.
    boxes : [N, 4]
        x1, y1, x2, y2 in pixels.
    scores : [N]

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    path = prediction_path(folder, event, name)
    make_folder(path.parent)
    with atomic_write(path) as file:
        file.write(wider_text(f"{event}/{name}.jpg", boxes, scores).encode())


def read_prediction(folder: str | os.PathLike, event: str, name: str) -> NDArray[np.float64]:
    """Read the faces of one picture: [N, 5] float64, x, y, width, height, score, best first.

    Raises
    ------
    FileError
        If the file is missing or not of the official form.
    """
    path = prediction_path(folder, event, name)
    lines = [line for line in read_lines(path) if line]
    try:
        faces = np.array([[float(part) for part in line.split()] for line in lines[2:]])
        faces = faces.reshape(-1, 5)
        good = len(faces) == int(lines[1]) == len(lines) - 2 and np.isfinite(faces).all()
    except (ValueError, IndexError):
        good = False
    if not good:
        raise FileError(
            f"{path}: not of the official form: the picture's name, the number of faces, then"
            " 'x y width height score' a line"
        )
    return faces[np.argsort(-faces[:, 4], kind="stable")]
