"""Which share of faces has a box, by the face's size.

Boxes are [N, 4]: x1, y1, x2, y2 in pixels, x2 and y2 exclusive.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from train_mtcnn.cascade.boxes import areas, overlaps

SIZES = (10, 20, 30, 50, 100, 200)  # where the classes of sizes meet, pixels
SIZE_NAMES = ("<10", *(f"{low}-{high}" for low, high in pairwise(SIZES)), f">{SIZES[-1]}")
OVERLAP = 0.5
_PAIRS = 1 << 20  # overlaps computed at once


def best_overlaps(faces: NDArray, boxes: NDArray) -> NDArray[np.float64]:
    """The largest intersection over union that each face has with any box.

    Parameters
    ----------
    faces : [G, 4]
    boxes : [N, 4]

    Returns
    -------
    [G] float64; 0 where there is no box, or none touches the face.
    """
    best = np.zeros(len(faces))
    if not len(boxes):
        return best
    step = max(1, _PAIRS // len(boxes))
    for first in range(0, len(faces), step):
        best[first : first + step] = overlaps(faces[first : first + step], boxes).max(1)
    return best


class SizeRecall:
    """Counts of faces, and of those found, over pictures.

    A face is found if a box overlaps it by `OVERLAP` or more. Its size is the square root of its
    area; each class of sizes begins with its lower border. Faces without an area do not count.

    Attributes
    ----------
    faces, found : [7] int64
        In the order of SIZE_NAMES.
    boxes, pictures
        Numbers of them.
    """

    def __init__(self) -> None:
        self.faces = np.zeros(len(SIZE_NAMES), np.int64)
        self.found = np.zeros(len(SIZE_NAMES), np.int64)
        self.boxes = 0
        self.pictures = 0

    def add(self, faces: NDArray, boxes: NDArray) -> NDArray[np.int64]:
        """Count a picture.

        Parameters
        ----------
        faces : [G, 4]
            Those that are to be found: leave out what is marked invalid.
        boxes : [N, 4]

        Returns
        -------
        [7] int64: the picture's faces that were found.
        """
        faces = faces[(faces[:, :2] < faces[:, 2:]).all(1)]
        classes = np.searchsorted(SIZES, np.sqrt(areas(faces)), side="right")
        hit = best_overlaps(faces, boxes) >= OVERLAP
        found = np.bincount(classes[hit], minlength=len(SIZE_NAMES))
        self.faces += np.bincount(classes, minlength=len(SIZE_NAMES))
        self.found += found
        self.boxes += len(boxes)
        self.pictures += 1
        return found

    def __iadd__(self, other: SizeRecall) -> SizeRecall:
        self.faces += other.faces
        self.found += other.found
        self.boxes += other.boxes
        self.pictures += other.pictures
        return self

    def to_json(self) -> dict:
        """The counts as plain values; from_json takes them back."""
        return {
            "faces": self.faces.tolist(),
            "found": self.found.tolist(),
            "boxes": self.boxes,
            "pictures": self.pictures,
        }

    @classmethod
    def from_json(cls, values: dict) -> SizeRecall:
        """The counts of to_json."""
        recall = cls()
        recall.faces += np.array(values["faces"])
        recall.found += np.array(values["found"])
        recall.boxes, recall.pictures = values["boxes"], values["pictures"]
        return recall

    @property
    def by_size(self) -> list[float | None]:
        """Share of faces found, for each class of sizes; None where there is no face."""
        pairs = zip(self.found.tolist(), self.faces.tolist())
        return [found / faces if faces else None for found, faces in pairs]

    @property
    def overall(self) -> float | None:
        """Share of all faces found; None without a face."""
        faces = int(self.faces.sum())
        return int(self.found.sum()) / faces if faces else None

    @property
    def boxes_per_picture(self) -> float:
        """Mean number of boxes; 0 without a picture."""
        return self.boxes / max(self.pictures, 1)
