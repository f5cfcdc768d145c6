"""What a detection returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .errors import ArgumentError
from .faces import Face, Faces

STAGE_NAMES = ("pnet", "rnet", "onet")


class Stage:
    """What one network did with one picture.

    Attributes
    ----------
    name : str
        ``"pnet"``, ``"rnet"`` or ``"onet"``.
    inputs : int
        PNet: cells of its output over all pyramid levels. RNet, ONet: crops.
    count : int
        Boxes left after the threshold and non-maximum suppression; also its `len`.
    milliseconds : float
        Wall time, crops included.
    """

    def __init__(
        self,
        name: str,
        inputs: int,
        count: int,
        milliseconds: float,
        boxes: NDArray[np.float32] | None = None,
        scores: NDArray[np.float32] | None = None,
    ) -> None:
        self.name = name
        self.inputs = inputs
        self.count = count
        self.milliseconds = milliseconds
        self._boxes = boxes
        self._scores = scores

    @property
    def boxes(self) -> NDArray[np.float32]:
        """The boxes left: x1, y1, x2, y2 in pixels, after box regression, never clipped.

        [count, 4] float32, best first. ArgumentError where `detect` made the stage: only
        `Detector.detect_stages` keeps them.
        """
        return self._kept(self._boxes)

    @property
    def scores(self) -> NDArray[np.float32]:
        """The boxes' probabilities, 0..1: [count] float32, or ArgumentError, as for `boxes`."""
        return self._kept(self._scores)

    def _kept(self, array: NDArray[np.float32] | None) -> NDArray[np.float32]:
        if array is None:
            raise ArgumentError(f"boxes of {self.name}: detect keeps none; call detect_stages")
        return array

    def __len__(self) -> int:
        return self.count

    def __repr__(self) -> str:
        return f"Stage({self.name}: {self.inputs} -> {self.count}, {self.milliseconds:.2f} ms)"


@dataclass(frozen=True, repr=False, eq=False)
class Detections(Faces[Face]):
    """The faces of one picture, best first: a sequence of `Face`, see `Faces`.

    Attributes
    ----------
    boxes : ndarray, [N, 4] float32
        x1, y1, x2, y2 in pixels of the picture; x2 and y2 are exclusive: width is x2 - x1.
    scores : ndarray, [N] float32
        ONet's probabilities, 0..1, in descending order.
    landmarks : ndarray, [N, 5, 2] float32
        x, y in pixels of the left eye, right eye, nose, left and right mouth corner, as seen in
        the picture.
    total_ms, pyramid_ms : float
        Wall time of the whole detection, and of building the pyramid, in milliseconds.
    stages : tuple of Stage
        PNet, RNet, ONet.
    levels : int
        Levels of the image pyramid.

    Examples
    --------
    >>> from pymtcnn import Detector
    >>> with Detector() as detector:
    ...     faces = detector.detect("tests/data/grace_hopper.jpg")
    >>> for face in faces[faces.scores > 0.9]:
    ...     print(face.box.shape, face.landmarks.shape)
    (4,) (5, 2)
    """

    stages: tuple[Stage, ...] = ()
    levels: int = 0
    pyramid_ms: float = 0.0

    def proposals(self, stage: str) -> Detections:
        """What one stage proposes, as detections of its boxes, which are never clipped.

        Parameters
        ----------
        stage : str
            ``"pnet"``, ``"rnet"`` or ``"onet"``. The landmarks of the first two are all zero.

        Raises
        ------
        ArgumentError
            Where `detect` made them: only `Detector.detect_stages` keeps boxes.
        """
        [found] = [each for each in self.stages if each.name == stage]
        none = np.zeros((len(found), 5, 2), np.float32)
        landmarks = self.landmarks if stage == STAGE_NAMES[-1] else none
        return replace(self, boxes=found.boxes, scores=found.scores, landmarks=landmarks)

    def __iter__(self) -> Iterator[Face]:
        return map(Face, self.boxes, self.scores.tolist(), self.landmarks)
