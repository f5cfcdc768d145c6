"""What a detection returns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from .errors import ArgumentError
from .optional import library

if TYPE_CHECKING:
    import pandas
    import supervision

STAGE_NAMES = ("pnet", "rnet", "onet")

LANDMARK_NAMES = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
"""As seen in the picture: the left eye is the one with the smaller x."""

COLUMNS = (
    *("x1", "y1", "x2", "y2", "score"),
    *(f"{name}_{axis}" for name in LANDMARK_NAMES for axis in "xy"),
)
"""Names of a face's numbers in tables."""


class Face(NamedTuple):
    """One face of a `Detections`.

    Attributes
    ----------
    box : ndarray, [4] float32
        x1, y1, x2, y2 in pixels.
    score : float
        0..1.
    landmarks : ndarray, [5, 2] float32
        x, y in pixels, in the order of `LANDMARK_NAMES`.
    """

    box: NDArray[np.float32]
    score: float
    landmarks: NDArray[np.float32]

    def to_dict(self) -> dict[str, Any]:
        """The face as plain numbers and lists: ``box``, ``score``, ``landmarks``."""
        return {
            "box": self.box.tolist(),
            "score": float(self.score),
            "landmarks": self.landmarks.tolist(),
        }

    def __repr__(self) -> str:
        return f"Face({self.score:.4f}  {_box_text(self.box)})"


class Stage:
    """What one network did with one picture.

    Attributes
    ----------
    name : str
        ``"pnet"``, ``"rnet"`` or ``"onet"``.
    inputs : int
        PNet: cells of its output over all pyramid levels. RNet, ONet: crops.
    count : int
        Boxes left after the threshold and non-maximum suppression; `len` gives it, too.
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

        [count, 4] float32, best first. ArgumentError where `detect` made the stage: it keeps none,
        `Detector.detect_stages` does.
        """
        return self._kept(self._boxes)

    @property
    def scores(self) -> NDArray[np.float32]:
        """Their probabilities, 0..1: [count] float32, or ArgumentError, as for `boxes`."""
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
class Detections:
    """The faces of one picture, best first. No face is an empty result.

    It is a sequence of faces: ``len(faces)``, ``for face in faces`` and ``faces[0]`` give `Face`
    records; a slice, a list of numbers or a mask picks some of them, as in
    ``faces[faces.scores > 0.9]``.

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

    Examples
    --------
    >>> from pymtcnn import Detector
    >>> with Detector() as detector:
    ...     faces = detector.detect("tests/data/grace_hopper.jpg")
    >>> for face in faces[faces.scores > 0.9]:
    ...     print(face.box.shape, face.landmarks.shape)
    (4,) (5, 2)
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    stages: tuple[Stage, ...] = ()
    levels: int = 0
    pyramid_ms: float = 0.0
    total_ms: float = 0.0

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[Face]:
        return map(Face, self.boxes, self.scores.tolist(), self.landmarks)

    @overload
    def __getitem__(self, which: int | np.integer[Any]) -> Face: ...

    @overload
    def __getitem__(self, which: slice | Sequence[int] | NDArray[Any]) -> Detections: ...

    def __getitem__(self, which: Any) -> Face | Detections:
        """One face, or those that a slice, a list of numbers or a mask [N] picks.

        Raises
        ------
        IndexError
            No such face, or a mask of another length.
        """
        boxes, scores, landmarks = self.boxes[which], self.scores[which], self.landmarks[which]
        if scores.ndim > 1:
            raise IndexError("faces lie in one row: pick them by one number, slice, list or mask")
        if scores.ndim == 0:
            return Face(boxes, float(scores), landmarks)
        return replace(self, boxes=boxes, scores=scores, landmarks=landmarks)

    def to_dicts(self) -> list[dict[str, Any]]:
        """The faces as plain numbers and lists, ready for JSON: those of the command line's JSON.

        Returns
        -------
        list of dict
            One a face: ``box`` [x1, y1, x2, y2], ``score``, ``landmarks`` [[x, y]] * 5.
        """
        return [face.to_dict() for face in self]

    def to_pandas(self) -> pandas.DataFrame:
        """The faces as a table with a row a face: the columns of the command line's CSV.

        Raises
        ------
        LibraryError
            pandas is not installed.
        """
        rows = np.column_stack([self.boxes, self.scores, self.landmarks.reshape(-1, 10)])
        table: pandas.DataFrame = library("pandas").DataFrame(rows, columns=list(COLUMNS))
        return table

    def to_supervision(self) -> supervision.Detections:
        """The faces as `supervision.Detections`, for Roboflow's annotators, trackers and zones.

        All are of class 0; the landmarks [N, 5, 2] are in ``data["landmarks"]``.

        Raises
        ------
        LibraryError
            supervision is not installed.
        """
        detections: supervision.Detections = library("supervision").Detections(
            xyxy=self.boxes.copy(),
            confidence=self.scores.copy(),
            class_id=np.zeros(len(self), int),
            data={"landmarks": self.landmarks.copy()},
        )
        return detections

    def __repr__(self) -> str:
        count = len(self)
        head = f"Detections({count} {'face' if count == 1 else 'faces'}, {self.total_ms:.2f} ms)"
        rows = [f"  {face.score:.4f}  {_box_text(face.box)}" for face in self[:10]]
        if count > len(rows):
            rows.append(f"  ... {count - len(rows)} more")
        return "\n".join([head, *rows])


def _box_text(box: NDArray[np.float32]) -> str:
    return " ".join(f"{value:.1f}" for value in box)
