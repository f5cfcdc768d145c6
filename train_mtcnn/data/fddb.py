"""FDDB's files: the lists of its ten folds and their ellipses.

Layout of the standard download, below one folder:

    FDDB-folds/FDDB-fold-NN.txt, FDDB-fold-NN-ellipseList.txt
    originalPics/<year>/<month>/<day>/big/<picture>.jpg
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pymtcnn.errors import FileError
from train_mtcnn.common.file_content import read_lines
from train_mtcnn.data.annotation_files import LARGEST_COORDINATE, wrong_line


@dataclass(frozen=True)
class FddbPicture:
    """Ground truth of one picture.

    Attributes
    ----------
    path
        "<year>/<month>/<day>/big/<picture>.jpg", relative to originalPics/.
    fold
        Number of its fold, from 1.
    ellipses : [G, 5] float64
        Half of the longer and of the shorter axis in pixels; the longer one's angle to the x axis
        in radians, clockwise on the screen; x, y of the centre.
    """

    path: str
    fold: int
    ellipses: NDArray[np.float64]


def read_folds(folder: str | os.PathLike) -> list[FddbPicture]:
    """Read all folds that are in `folder`/FDDB-folds, in their order.

    Raises
    ------
    FileError
        If there is no fold, a file of one is missing or cannot be read, a line is not what is
        expected (names the line), or a picture comes twice.
    """
    folds = Path(folder) / "FDDB-folds"
    found = (re.fullmatch(r"FDDB-fold-(\d+)(-ellipseList)?\.txt", p.name) for p in folds.glob("*"))
    numbers = sorted({match[1] for match in found if match}, key=int)
    if not numbers:
        raise FileError(
            f"{folds}: no FDDB-fold-NN-ellipseList.txt is there; give the folder with FDDB's"
            " FDDB-folds/ and originalPics/"
        )
    pictures = [picture for number in numbers for picture in _read_fold(folds, number)]
    first: dict[str, FddbPicture] = {}
    for picture in pictures:
        if first.setdefault(picture.path, picture) is not picture:
            raise FileError(
                f"{folds}: folds {first[picture.path].fold} and {picture.fold} both have"
                f" {picture.path}; unpack the download again"
            )
    return pictures


def _read_fold(folds: Path, fold: str) -> list[FddbPicture]:
    names_file = folds / f"FDDB-fold-{fold}.txt"
    path = folds / f"FDDB-fold-{fold}-ellipseList.txt"
    lines = read_lines(path)
    number = 1  # of the line to be read next
    pictures = []
    for name in read_lines(names_file):
        if lines[number - 1 : number] != [name]:
            raise wrong_line(path, lines, number, f"'{name}' as in {names_file}")
        count = lines[number] if number < len(lines) else ""
        if not (count.isascii() and count.isdigit()):
            raise wrong_line(path, lines, number + 1, "the number of faces")
        number += 2
        rows = [_ellipse(path, lines, number + i) for i in range(int(count))]
        number += len(rows)
        ellipses = np.array(rows, np.float64).reshape(-1, 5)
        pictures.append(FddbPicture(f"{name}.jpg", int(fold), ellipses))
    if number <= len(lines):
        raise wrong_line(path, lines, number, f"the end of the file, as {names_file} ends here")
    return pictures


def _ellipse(path: Path, lines: list[str], number: int) -> list[float]:
    try:
        values = [float(part) for part in lines[number - 1].split()]
    except (ValueError, IndexError):
        values = []
    if (
        len(values) != 6
        or not all(abs(value) <= LARGEST_COORDINATE for value in values)
        or min(values[:2]) <= 0
    ):
        raise wrong_line(path, lines, number, "two radii, an angle, x y of the centre, and 1")
    return values[:5]
