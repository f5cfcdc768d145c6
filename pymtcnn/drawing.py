"""Drawing faces into pictures, as the `mtcnn` program does: by the C library's mtcnn_draw."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._library import core
from .arguments import check_image
from .errors import ArgumentError
from .faces import Faces
from .findings import Findings


def draw(
    rgb: NDArray[np.uint8],
    detections: Faces[Any],
    labels: Iterable[object] | None = None,
) -> NDArray[np.uint8]:
    """A copy of a picture with the faces' boxes, landmarks, ids and scores.

    Parameters
    ----------
    rgb : ndarray, [H, W, 3] uint8, RGB
    detections : Detections or Tracks
    labels : iterable, optional
        What to write at each face, converted by `str`, instead of its score, or id and score:
        names, for example. The font has the printable ASCII characters; others appear as a box.

    Returns
    -------
    ndarray, [H, W, 3] uint8, RGB
        Landmarks on the left of a face are red, those on the right blue, the nose is yellow. Faces
        whose landmarks are all zero have none, and no score.

    Raises
    ------
    ArgumentError
        Not such an array, not a result of a detector, or not as many labels as faces.
    """
    if not isinstance(detections, Faces):
        kind = type(detections).__name__
        raise ArgumentError(f"faces of type {kind}: must be what detect gives, not its arrays")
    loaded = core()
    ffi = loaded.ffi
    texts, pointers = [], ffi.NULL
    if labels is not None:
        texts = [ffi.new("char[]", str(label).encode("utf-8", "replace")) for label in labels]
        if len(texts) != len(detections):
            raise ArgumentError(
                f"{len(texts)} labels for {len(detections)} faces: each face needs one"
            )
        pointers = ffi.new("char *[]", texts)
    canvas = np.array(check_image(rgb, "RGB")[0], order="C")
    height, width = canvas.shape[:2]
    findings = Findings(loaded, detections, size=(width, height))
    pixels, error = ffi.from_buffer("uint8_t[]", canvas), ffi.new("mtcnn_error *")
    status = loaded.lib.mtcnn_draw(pixels, canvas.strides[0], findings.view, pointers, error)
    loaded.check(status, error)
    return canvas
