"""Videos made from still pictures, with the truth of each frame, to measure tracking on.

A shot is one picture seen through a camera that pans and zooms over it. The faces found in the
still picture are the truth: the camera's transform gives where they are in each frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bench import common


@dataclass(frozen=True, eq=False)
class Camera:
    """Where a camera looks: the middle and the width of its view, in pixels of the picture."""

    x: float
    y: float
    width: float


@dataclass(frozen=True, eq=False)
class Shot:
    """A picture, its faces, and the path of a camera over it.

    Attributes
    ----------
    picture : ndarray, [H, W, 3] uint8, RGB
    boxes : ndarray, [N, 4] float
        x1, y1, x2, y2 of its faces.
    path : sequence of Camera
        Stations, through which the camera moves evenly.
    frames : int
    """

    picture: NDArray[np.uint8]
    boxes: NDArray[np.float64]
    path: Sequence[Camera]
    frames: int


@dataclass(frozen=True, eq=False)
class Truth:
    """A frame, and what is in it.

    Attributes
    ----------
    picture : ndarray, [H, W, 3] uint8, RGB
    boxes : ndarray, [N, 4] float
        Of all faces of the shot's picture; they may lie outside the frame.
    ids : ndarray, [N] int
        Of the faces; no two shots have one in common.
    visible : ndarray, [N] float
        Share of each box that is inside the frame, 0..1.
    """

    picture: NDArray[np.uint8]
    boxes: NDArray[np.float64]
    ids: NDArray[np.int64]
    visible: NDArray[np.float64]


def made_video(
    shots: Sequence[Shot],
    size: tuple[int, int],
    *,
    noise: float = 0.0,
    quality: int | None = None,
    seed: int = 1,
) -> Iterator[Truth]:
    """The frames of shots, one after the other.

    Parameters
    ----------
    shots : sequence of Shot
    size : two ints
        Width and height of the frames.
    noise : float
        Standard deviation of the noise added to each value of a frame, 0..255.
    quality : int, optional
        Compress each frame as a JPEG of this quality, 1..100, as MJPEG does.
    seed : int
        Of the noise.
    """
    random = np.random.default_rng(seed)
    first = 0
    for shot in shots:
        ids = np.arange(first, first + len(shot.boxes))
        first += len(shot.boxes)
        for camera in _moved(shot.path, shot.frames):
            matrix = _matrix(camera, size)
            rgb = cv2.warpAffine(shot.picture, matrix, size, borderMode=cv2.BORDER_REPLICATE)
            if noise:
                rgb = rgb + random.normal(0, noise, rgb.shape)
                rgb = np.clip(np.round(rgb), 0, 255).astype(np.uint8)
            if quality is not None:
                _, data = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])
                rgb = cv2.imdecode(data, cv2.IMREAD_COLOR)
            boxes = moved_boxes(shot.boxes, camera, size)
            yield Truth(rgb, boxes, ids, _visible(boxes, size))


def moved_boxes(
    boxes: NDArray[np.float64], camera: Camera, size: tuple[int, int]
) -> NDArray[np.float64]:
    """Boxes of the picture in the camera's frame: [N, 4]."""
    scale = size[0] / camera.width
    middle = np.array([camera.x, camera.y] * 2)
    return (boxes - middle) * scale + np.array(size * 2) / 2


def _moved(path: Sequence[Camera], frames: int) -> Iterator[Camera]:
    stations = np.array([[camera.x, camera.y, camera.width] for camera in path])
    places = np.linspace(0, len(path) - 1, frames)
    for values in zip(*(np.interp(places, range(len(path)), column) for column in stations.T)):
        yield Camera(*values)


def _matrix(camera: Camera, size: tuple[int, int]) -> NDArray[np.float64]:
    """Of cv2.warpAffine, whose coordinates are of pixels' middles: [2, 3]."""
    scale = size[0] / camera.width
    shifts = [
        (0.5 - middle) * scale + side / 2 - 0.5 for middle, side in zip((camera.x, camera.y), size)
    ]
    return np.array([[scale, 0, shifts[0]], [0, scale, shifts[1]]])


def _visible(boxes: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    inside = np.clip(boxes, 0, size * 2)
    return _area(inside) / _area(boxes)


def _area(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


# ---- how good tracks are -------------------------------------------------------------------------


@dataclass
class Measures:
    """What a tracker, or a detector, made of a video.

    Attributes
    ----------
    faces : int
        Faces that were to be found, over all frames: those that are wholly visible.
    found : int
        Of these, those found with an overlap (intersection over union) of at least 0.5.
    overlap : float
        Mean overlap of those found.
    switches : int
        How often a face had another id than the last time that it was found.
    false : int
        Boxes over all frames that belong to no face, wholly visible or not.
    trembling : float
        Root mean square of what the error of a box's centre changes from frame to frame, in sides
        of the face.
    """

    faces: int
    found: int
    overlap: float
    switches: int
    false: int
    trembling: float


class Judge:
    """Holds results to the truth, frame by frame.

    Parameters
    ----------
    min_side : float
        Smaller faces are not asked for.
    """

    def __init__(self, min_side: float = 0.0) -> None:
        self._min_side = min_side
        self._faces = self._switches = self._false = 0
        self._overlaps: list[float] = []
        self._changes: list[float] = []
        self._last_id: dict[int, int] = {}
        self._last_error: dict[int, NDArray[np.float64]] = {}

    def add(self, truth: Truth, boxes: NDArray[np.float32], ids: NDArray[np.integer]) -> None:
        """A frame's boxes [M, 4] and their ids [M]."""
        sides = truth.boxes[:, 2] - truth.boxes[:, 0]
        asked = (truth.visible > 0.99) & (sides >= self._min_side)
        self._faces += int(asked.sum())
        overlaps = common.overlaps(truth.boxes, boxes.astype(np.float64))
        for number in truth.ids[truth.visible < 0.5]:  # gone: it may come back as another one
            self._last_id.pop(int(number), None)
        errors: dict[int, NDArray[np.float64]] = {}
        taken = np.zeros(len(boxes), bool)
        for face, box in common.pairs(overlaps, 0.5):
            taken[box] = True
            if not asked[face]:
                continue
            number = int(truth.ids[face])
            self._overlaps.append(overlaps[face, box])
            self._switches += int(self._last_id.get(number, ids[box]) != ids[box])
            self._last_id[number] = ids[box]
            error = _centre(boxes[box]) - _centre(truth.boxes[face])
            errors[number] = error / sides[face]
            if number in self._last_error:
                self._changes.append(
                    float(((errors[number] - self._last_error[number]) ** 2).sum())
                )
        if len(boxes):
            # Of a face that leaves, only what is left in the frame is found.
            height, width = truth.picture.shape[:2]
            inside = np.clip(truth.boxes, 0, (width, height) * 2)
            all_boxes = np.concatenate([truth.boxes, inside])
            near = common.overlaps(all_boxes, boxes.astype(np.float64)).max(0, initial=0) >= 0.2
            self._false += int((~taken & ~near).sum())
        self._last_error = errors

    def measures(self) -> Measures:
        return Measures(
            faces=self._faces,
            found=len(self._overlaps),
            overlap=float(np.mean(self._overlaps)) if self._overlaps else 0.0,
            switches=self._switches,
            false=self._false,
            trembling=float(np.sqrt(np.mean(self._changes))) if self._changes else 0.0,
        )


def _centre(box: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.array([box[0] + box[2], box[1] + box[3]], np.float64) / 2
