"""Drawing faces into pictures, in the style of the `mtcnn` program (csrc/program/draw.c)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import check_image
from .errors import ArgumentError
from .faces import Faces
from .opencv import opencv

Color = tuple[int, int, int]

BOX_COLOR: Color = (60, 220, 70)
TEXT_COLOR: Color = (0, 0, 0)
LEFT_COLOR: Color = (255, 70, 60)  # the eye and mouth corner on the left
NOSE_COLOR: Color = (255, 210, 0)
RIGHT_COLOR: Color = (60, 150, 255)
LANDMARK_COLORS = (LEFT_COLOR, RIGHT_COLOR, NOSE_COLOR, LEFT_COLOR, RIGHT_COLOR)

MAX_SIDE = 1_000_000
_LINE_DIVISOR = 400  # a line is as wide as the picture's mean side divided by this


def draw(
    rgb: NDArray[np.uint8],
    detections: Faces[Any],
    labels: Iterable[object] | None = None,
) -> NDArray[np.uint8]:
    """A copy of a picture with the faces' boxes, landmarks, ids and scores drawn in.

    Parameters
    ----------
    rgb : ndarray, [H, W, 3] uint8, RGB
    detections : Detections or Tracks
    labels : iterable, optional
        What to write at each face, as text or what `str` makes text of, instead of its score, or
        id and score: names, for example. OpenCV's font has ASCII characters only.

    Returns
    -------
    ndarray, [H, W, 3] uint8, RGB
        Landmarks on the left of a face are red, those on the right blue, the nose is yellow.

    Raises
    ------
    ArgumentError
        Not such an array, no result of a detector, or not as many labels as faces.
    """
    if not isinstance(detections, Faces):
        kind = type(detections).__name__
        raise ArgumentError(f"faces of type {kind}: must be what detect gives, not its arrays")
    if labels is None:
        labels = [f"{score:.2f}" for score in detections.scores]
        if hasattr(detections, "ids"):
            labels = [f"#{number} {label}" for number, label in zip(detections.ids, labels)]
    texts = [str(label) for label in labels]
    if len(texts) != len(detections):
        raise ArgumentError(f"{len(texts)} labels for {len(detections)} faces: one each is wanted")
    canvas = np.array(check_image(rgb, "RGB")[0], order="C")
    height, width = canvas.shape[:2]
    line = max(2, (width // 2 + height // 2) // _LINE_DIVISOR)
    boxes = _pixels(detections.boxes).tolist()
    widths = detections.boxes[:, 2] - detections.boxes[:, 0]
    diameters = np.clip(_pixels(np.float32(0.06) * widths), 2, 3 * line).tolist()
    faces = zip(boxes, detections.landmarks, diameters, texts)
    for box, points, diameter, text in reversed(list(faces)):  # the best one last, on top
        _box(canvas, box, line)
        if text:
            _label(canvas, text, box, line)
        if points.any():
            for point, color in zip(points, LANDMARK_COLORS):
                _dot(canvas, point, diameter + 2, TEXT_COLOR)  # a rim: red on lips is not seen
                _dot(canvas, point, diameter, color)
    return canvas


def _pixels(positions: ArrayLike) -> NDArray[np.int64]:
    """The nearest pixel borders; far outside is as good as at twice the largest side outside."""
    nearest: NDArray[np.float64] = np.rint(np.clip(positions, -2.0 * MAX_SIDE, 2.0 * MAX_SIDE))
    return nearest.astype(np.int64)


def _fill(canvas: NDArray[np.uint8], x1: int, y1: int, x2: int, y2: int, color: Color) -> None:
    """Fill x1 <= x < x2, y1 <= y < y2 as far as it lies in the picture."""
    canvas[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)] = color


def _box(canvas: NDArray[np.uint8], box: list[int], line: int) -> None:
    """The outline, its middle on the box's border."""
    x1, y1, x2, y2 = (value - line // 2 for value in box)
    x2, y2 = x2 + line, y2 + line
    _fill(canvas, x1, y1, x2, y1 + line, BOX_COLOR)
    _fill(canvas, x1, y2 - line, x2, y2, BOX_COLOR)
    _fill(canvas, x1, y1, x1 + line, y2, BOX_COLOR)
    _fill(canvas, x2 - line, y1, x2, y2, BOX_COLOR)


def _dot(
    canvas: NDArray[np.uint8], point: NDArray[np.float32], diameter: int, color: Color
) -> None:
    """A disc, by its rows."""
    radius = 0.5 * diameter
    heights = np.arange(diameter, dtype=np.float32) + (0.5 - radius)
    halves = np.sqrt(radius * radius - heights * heights)
    x, y = point
    top = int(_pixels(y - radius))
    for row, (left, right) in enumerate(zip(_pixels(x - halves), _pixels(x + halves))):
        _fill(canvas, left, top + row, right, top + row + 1, color)


def _label(canvas: NDArray[np.uint8], text: str, box: list[int], line: int) -> None:
    """Text on a plate above the box, or within it where the picture ends above."""
    cv2 = opencv()
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.3 * max(line, 1.5)
    thickness = max(1, line // 2)
    (width, height), base = cv2.getTextSize(text, font, scale, thickness)
    width, height = width + 2 * line, height + base // 2 + 2 * line
    left = max(0, min(box[0] - line // 2, canvas.shape[1] - width))
    top = box[1] - line // 2 - height
    if top < 0:
        top += height
    _fill(canvas, left, top, left + width, top + height, BOX_COLOR)
    origin = (left + line, top + height - line - base // 2)
    cv2.putText(canvas, text, origin, font, scale, TEXT_COLOR, thickness, cv2.LINE_AA)
