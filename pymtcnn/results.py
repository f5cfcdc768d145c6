"""What a detection returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STAGE_NAMES = ("pnet", "rnet", "onet")


@dataclass(frozen=True, repr=False, eq=False)
class Stage:
    """What one network did with one picture.

    Attributes
    ----------
    name : str
        ``"pnet"``, ``"rnet"`` or ``"onet"``.
    inputs : int
        PNet: cells of its output over all pyramid levels. RNet, ONet: crops.
    boxes : ndarray, [M, 4] float32
        x1, y1, x2, y2 in pixels, after the threshold, non-maximum suppression and box regression,
        best first, never clipped.
    scores : ndarray, [M] float32
        Probabilities, 0..1.
    milliseconds : float
        Wall time, crops included.
    """

    name: str
    inputs: int
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    milliseconds: float

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        return f"Stage({self.name}: {self.inputs} -> {len(self)}, {self.milliseconds:.2f} ms)"


@dataclass(frozen=True, repr=False, eq=False)
class Detections:
    """The faces of one picture, best first. No face is an empty result.

    Attributes
    ----------
    boxes : ndarray, [N, 4] float32
        x1, y1, x2, y2 in pixels of the picture; x2 and y2 are exclusive: width is x2 - x1.
    scores : ndarray, [N] float32
        ONet's probabilities, 0..1, in descending order.
    landmarks : ndarray, [N, 5, 2] float32
        x, y in pixels of the left eye, right eye, nose, left and right mouth corner, as seen in
        the picture.
    stages : tuple of Stage
        PNet, RNet, ONet.
    levels : int
        Levels of the image pyramid.
    pyramid_ms, total_ms : float
        Wall time of building the pyramid, and of the whole detection, in milliseconds.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    stages: tuple[Stage, ...]
    levels: int
    pyramid_ms: float
    total_ms: float

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        count = len(self)
        head = f"Detections({count} {'face' if count == 1 else 'faces'}, {self.total_ms:.2f} ms)"
        rows = [
            f"  {score:.4f}  " + " ".join(f"{value:.1f}" for value in box)
            for box, score in zip(self.boxes[:10], self.scores[:10])
        ]
        if count > len(rows):
            rows.append(f"  ... {count - len(rows)} more")
        return "\n".join([head, *rows])
