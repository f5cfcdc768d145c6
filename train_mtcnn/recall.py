"""Recall by face size: which annotated faces have a box at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

EDGES = (0, 10, 20, 30, 50, 100, 200, np.inf)  # of face sizes: sqrt(width * height), pixels
OVERLAP = 0.5


def size_names() -> list[str]:
    """What the sizes between EDGES are called."""
    inner = [f"{low}-{high}" for low, high in zip(EDGES[1:-2], EDGES[2:-1])]
    return [f"<{EDGES[1]}", *inner, f">{EDGES[-2]}"]


def best_overlaps(faces: NDArray, boxes: NDArray) -> NDArray[np.float64]:
    """For each of `faces` [G, 4] the IoU with the box of `boxes` [N, 4] that it overlaps most."""
    faces, boxes = np.asarray(faces, np.float64), np.asarray(boxes, np.float64)
    if not len(boxes):
        return np.zeros(len(faces))
    low = np.maximum(faces[:, None, :2], boxes[:, :2])
    high = np.minimum(faces[:, None, 2:], boxes[:, 2:])
    inter = np.clip(high - low, 0, None).prod(2)
    areas = [(b[:, 2:] - b[:, :2]).prod(1) for b in (faces, boxes)]
    union = areas[0][:, None] + areas[1] - inter
    return np.divide(inter, union, out=np.zeros_like(inter), where=union > 0).max(1)


class SizeRecall:
    """Faces and found faces by size, summed over pictures.

    Attributes
    ----------
    faces, found : [S] int64
        By size.
    boxes, pictures : int
    """

    def __init__(self) -> None:
        self.faces = np.zeros(len(EDGES) - 1, np.int64)
        self.found = np.zeros(len(EDGES) - 1, np.int64)
        self.boxes = self.pictures = 0

    def add(self, faces: NDArray, boxes: NDArray) -> None:
        """Count one picture: its faces [G, 4] and what was found, boxes [N, 4]."""
        sides = np.asarray(faces, np.float64)
        sides = np.sqrt(np.clip(sides[:, 2:] - sides[:, :2], 0, None).prod(1))
        size = np.searchsorted(EDGES, sides, side="right") - 1
        hit = best_overlaps(faces, boxes) >= OVERLAP
        self.faces += np.bincount(size, minlength=len(EDGES) - 1)
        self.found += np.bincount(size[hit], minlength=len(EDGES) - 1)
        self.boxes += len(boxes)
        self.pictures += 1

    def __iadd__(self, other: SizeRecall) -> SizeRecall:
        self.faces += other.faces
        self.found += other.found
        self.boxes += other.boxes
        self.pictures += other.pictures
        return self

    def rates(self) -> list[float | None]:
        """Recall by size; None where there is no face."""
        return [found / faces if faces else None for found, faces in zip(self.found, self.faces)]

    def to_json(self) -> dict:
        """Plain values; from_json takes them back."""
        return {
            "faces": self.faces.tolist(),
            "found": self.found.tolist(),
            "boxes": self.boxes,
            "pictures": self.pictures,
        }

    @classmethod
    def from_json(cls, values: dict) -> SizeRecall:
        recall = cls()
        recall.faces += np.array(values["faces"])
        recall.found += np.array(values["found"])
        recall.boxes, recall.pictures = values["boxes"], values["pictures"]
        return recall


def recall_table(recalls: dict[str, SizeRecall]) -> str:
    """Recall by size as text: a row for each name."""
    width = max(map(len, recalls), default=0) + 2
    head = "".join(f"{name:>9}" for name in size_names())
    lines = [f"{'face size, px':{width}}{head}      all  boxes a picture"]
    for name, recall in recalls.items():
        rates: Sequence = [*recall.rates(), recall.found.sum() / max(recall.faces.sum(), 1)]
        cells = "".join("        -" if rate is None else f"{rate:9.3f}" for rate in rates)
        lines.append(f"{name:{width}}{cells}  {recall.boxes / max(recall.pictures, 1):15.1f}")
    return "\n".join(lines) + "\n"
