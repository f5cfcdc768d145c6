"""Faces in arrays, and their conversions: the common part of all results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from .optional import library

if TYPE_CHECKING:
    import pandas
    import supervision

LANDMARK_NAMES = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
"""As seen in the picture: the left eye is the one with the smaller x."""

COLUMNS = (
    *("x1", "y1", "x2", "y2", "score"),
    *(f"{name}_{axis}" for name in LANDMARK_NAMES for axis in "xy"),
)
"""Names of a face's numbers in tables."""


class Record(Protocol):
    """One face of a result."""

    def to_dict(self) -> dict[str, Any]:
        """The face as plain numbers and lists."""


Self = TypeVar("Self", bound="Faces[Any]")
OneFace = TypeVar("OneFace", bound=Record, covariant=True)


class Face(NamedTuple):
    """One face of a picture.

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
        return f"Face({self.score:.4f}  " + " ".join(f"{value:.1f}" for value in self.box) + ")"


@dataclass(frozen=True, repr=False, eq=False)
class Faces(ABC, Generic[OneFace]):
    """The faces of a picture or frame: a sequence of records, held in arrays.

    ``len(faces)``, ``for face in faces`` and ``faces[0]`` give the records; a slice, a list of
    numbers or a mask selects some of them, as in ``faces[faces.scores > 0.9]``. Without a face the
    result is empty.

    Attributes
    ----------
    boxes : ndarray, [N, 4] float32
        x1, y1, x2, y2 in pixels; x2 and y2 are exclusive: width is x2 - x1.
    scores : ndarray, [N] float32
        ONet's probabilities, 0..1.
    landmarks : ndarray, [N, 5, 2] float32
        x, y in pixels of the left eye, right eye, nose, left and right mouth corner, as seen in
        the picture.
    total_ms : float
        Wall time, milliseconds.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    total_ms: float = 0.0

    _rows: ClassVar[tuple[str, ...]] = ("boxes", "scores", "landmarks")
    """The arrays with a row a face."""

    def __len__(self) -> int:
        return len(self.scores)

    @abstractmethod
    def __iter__(self) -> Iterator[OneFace]:
        """The faces, one by one."""

    @overload
    def __getitem__(self, which: int | np.integer[Any]) -> OneFace: ...

    @overload
    def __getitem__(self: Self, which: slice | Sequence[int] | NDArray[Any]) -> Self: ...

    def __getitem__(self, which: Any) -> Any:
        """One face, or those that a slice, a list of numbers or a mask [N] selects.

        Raises
        ------
        IndexError
            No such face, or a mask of another length.
        """
        picked = {name: getattr(self, name)[which] for name in self._rows}
        if picked["scores"].ndim > 1:
            raise IndexError("faces have one dimension: index by a number, slice, list or mask")
        if picked["scores"].ndim == 0:
            return next(iter(self[[which]]))
        return replace(self, **picked)

    def to_dicts(self) -> list[dict[str, Any]]:
        """The faces as plain numbers and lists, as in the command line's JSON.

        Returns
        -------
        list of dict
            One a face: ``id`` for tracked faces, ``box`` [x1, y1, x2, y2], ``score``,
            ``landmarks`` [[x, y]] * 5.
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
        name = type(self).__name__
        head = f"{name}({count} {'face' if count == 1 else 'faces'}, {self.total_ms:.2f} ms)"
        rows = [f"  {repr(face).partition('(')[2][:-1]}" for face in self[:10]]
        if count > len(rows):
            rows.append(f"  ... {count - len(rows)} more")
        return "\n".join([head, *rows])
