"""The interface of ipazc's package mtcnn, version 1.0."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..detector import Detector, ImageSource
from ..errors import ArgumentError
from ..pictures import pixels_of
from ..results import Detections
from . import array_of, check_device

STAGES = "face_and_landmarks_detection"

KEYPOINTS = {"nose": 2, "mouth_right": 4, "right_eye": 1, "left_eye": 0, "mouth_left": 3}
"""Names of the landmarks, left and right as seen in the picture, and their indices in ours."""


class MTCNN:
    """Finds faces as ``mtcnn.MTCNN`` does.

    Parameters
    ----------
    stages : str
        ``"face_and_landmarks_detection"`` only.
    device : str
        The CPU only.
    model : path, optional
        A `.data` file, as for `Detector`.
    threads : int
        As for `Detector`.

    Raises
    ------
    ArgumentError
        Other stages or another device, or what `Detector` raises.

    Examples
    --------
    >>> from pymtcnn.compat.ipazc import MTCNN
    >>> (face,) = MTCNN().detect_faces("tests/data/grace_hopper.jpg")
    >>> sorted(face), sorted(face["keypoints"])[:2]
    (['box', 'confidence', 'keypoints'], ['left_eye', 'mouth_left'])
    """

    def __init__(
        self,
        stages: str = STAGES,
        device: str = "CPU:0",
        *,
        model: str | os.PathLike[str] | None = None,
        threads: int = 1,
    ) -> None:
        if stages != STAGES:
            raise ArgumentError(f"stages {stages!r}: must be {STAGES!r}")
        check_device(device)
        self._detector = Detector(model, threads=threads)
        self._own = self._detector.options
        self._given: dict[str, Any] = {}

    def detect_faces(
        self,
        image: Any,
        fit_to_image: bool = True,
        limit_boundaries_landmarks: bool = False,
        box_format: str = "xywh",
        output_type: str = "json",
        postprocess: bool = True,
        batch_stack_justification: str = "center",
        *,
        min_face_size: float | None = None,
        scale_factor: float | None = None,
        threshold_pnet: float | None = None,
        threshold_rnet: float | None = None,
        threshold_onet: float | None = None,
        nms_pnet1: float | None = None,
        nms_pnet2: float | None = None,
        nms_rnet: float | None = None,
        nms_onet: float | None = None,
    ) -> Any:
        """Find the faces of one picture, or of each picture of a list.

        Parameters
        ----------
        image : path, bytes of a picture file, RGB array or tensor [H, W, 3] uint8; or list of them
        fit_to_image : bool
            Whether boxes are clipped to the picture.
        limit_boundaries_landmarks : bool
            Whether landmarks are clipped, too.
        box_format : ``"xywh"`` or ``"xyxy"``
        output_type : ``"json"`` or ``"numpy"``
        postprocess : bool
            False: neither boxes nor landmarks are clipped.
        batch_stack_justification : str
            Without effect: pictures of a list are not stacked here.
        min_face_size, scale_factor : float, optional
        threshold_pnet, threshold_rnet, threshold_onet : float, optional
        nms_pnet1, nms_pnet2, nms_rnet, nms_onet : float, optional
            As `Detector`'s `min_face`, `scale_factor`, `thresholds` and `nms`.

        Returns
        -------
        list of dict, or list of such lists
            One dict a face: ``box`` [x, y, width, height] or [x1, y1, x2, y2], rounded;
            ``confidence``; ``keypoints``, a dict of [x, y], rounded.
        ndarray, [N, 16], for ``"numpy"``
            Number of the picture, box, confidence, x of the five landmarks, y of them.

        Raises
        ------
        ArgumentError
            A value that is not one of these, or what `Detector` raises.
        FileError, PictureError
            A picture cannot be read.
        """
        for name, value, values in (
            ("box_format", box_format, ("xywh", "xyxy")),
            ("output_type", output_type, ("json", "numpy")),
        ):
            if value not in values:
                raise ArgumentError(f"{name} {value!r}: must be one of {', '.join(values)}")
        thresholds = (threshold_pnet, threshold_rnet, threshold_onet)
        nms = (nms_pnet1, nms_pnet2, nms_rnet, nms_onet)
        detector = self._with(
            min_face=min_face_size,
            scale_factor=scale_factor,
            thresholds=_merged(thresholds, self._own.thresholds),
            nms=_merged(nms, self._own.nms),
            clip=fit_to_image and postprocess,
        )
        limit = limit_boundaries_landmarks and fit_to_image and postprocess
        pictures = image if isinstance(image, list) else [image]
        rows = [_rows(detector, array_of(picture), limit) for picture in pictures]
        if box_format == "xywh":
            for array in rows:
                array[:, 2:4] -= array[:, :2]
        if output_type == "numpy":
            numbers = np.repeat(np.arange(len(rows)), [len(array) for array in rows])
            return np.column_stack([numbers, np.concatenate([np.empty((0, 15)), *rows])])
        faces = [[_json(row) for row in array] for array in rows]
        return faces if isinstance(image, list) else faces[0]

    def predict(self, image: Any, *args: Any, **kwargs: Any) -> Any:
        """The same as `detect_faces`."""
        return self.detect_faces(image, *args, **kwargs)

    def _with(self, **given: Any) -> Detector:
        """A detector with these options: the previous call's if it had the same."""
        if given != self._given:
            model, threads = self._detector.model, self._own.threads
            self._detector = Detector(model, threads=threads, **given)
            self._given = given
        return self._detector


def _merged(given: tuple[float | None, ...], own: tuple[float, ...]) -> tuple[float, ...]:
    """The given values, and the model's own in place of None."""
    return tuple(other if value is None else value for value, other in zip(given, own))


def _rows(detector: Detector, picture: ImageSource, limit: bool) -> NDArray[np.float64]:
    """The faces of one picture, [N, 15]: box, score, x of the landmarks, y of them."""
    pixels, _ = pixels_of(picture, "RGB")
    faces: Detections = detector.detect(pixels)
    height, width = pixels.shape[:2]
    points = faces.landmarks
    if limit:
        points = np.clip(points, 0, (width - 1, height - 1))
    table = [faces.boxes, faces.scores, points[..., 0], points[..., 1]]
    return np.column_stack(table).astype(np.float64)


def _json(row: NDArray[np.float64]) -> dict[str, Any]:
    """One row of _rows as a dict."""
    numbers = row.round().astype(int).tolist()
    xs, ys = numbers[5:10], numbers[10:15]
    return {
        "box": numbers[:4],
        "confidence": float(row[4]),
        "keypoints": {name: [xs[index], ys[index]] for name, index in KEYPOINTS.items()},
    }
