"""What the page shows of a picture, without Gradio."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import formats
from ..crops import extract_faces
from ..detector import Detector
from ..drawing import draw
from ..errors import FileError, MtcnnError
from ..files import reason
from ..pictures import read_picture
from ..results import Detections
from ..settings import settings

MAX_PIXELS = 50_000_000
MAX_BYTES = 64 << 20
"""Limits of a picture and its file: they bound the time and memory of a visitor."""

MAX_FACES = 24
"""Maximum number of faces that are shown one by one."""


@dataclass(frozen=True)
class View:
    """What the page shows.

    Attributes
    ----------
    message : str
        How many faces, or what is wrong with the picture.
    picture : ndarray, [H, W, 3] uint8, RGB, or None
        With the boxes of a stage.
    faces : ndarray, [N, 112, 112, 3] uint8, RGB
        The best faces, at most `MAX_FACES`, aligned.
    timing : list of tuple
        The rows of `formats.timing_rows`.
    json : str
        The line of `mtcnn --json --time`.
    """

    message: str = ""
    picture: NDArray[np.uint8] | None = None
    faces: NDArray[np.uint8] = field(default_factory=lambda: np.empty((0, 112, 112, 3), np.uint8))
    timing: list[tuple[str, str, float]] = field(default_factory=list)
    json: str = ""


def view(
    path: str | os.PathLike[str],
    name: str,
    stage: str,
    *,
    model: str | None = None,
    min_face: float,
    thresholds: Sequence[float],
    threads: int = 1,
) -> View:
    """Find the faces of a picture file.

    Every call makes its own detector, which takes about 3 ms, so calls share nothing.

    Parameters
    ----------
    path : path
        The file.
    name : str
        What the visitor calls it.
    stage : str
        Whose boxes to draw: ``"pnet"``, ``"rnet"``, or ``"onet"`` for the faces.
    model, min_face, thresholds, threads
        As for `Detector`.

    Returns
    -------
    View
        Only the message for a file that cannot be read, an unknown stage or a setting outside its
        range.
    """
    try:
        settings()["stage"].check(stage)
        source = io.BytesIO(_content(path, name))
        source.name = name  # for messages
        rgb = read_picture(source, max_pixels=MAX_PIXELS)
        with Detector(model, min_face=min_face, thresholds=thresholds, threads=threads) as detector:
            found = detector.detect_stages(rgb)
        faces = extract_faces(rgb, found[:MAX_FACES])
    except MtcnnError as error:
        return View(str(error))
    height, width = rgb.shape[:2]
    return View(
        message=f"{formats.summary(name, found)}, {width}x{height} pixels",
        picture=draw_stage(rgb, found, stage),
        faces=faces,
        timing=formats.timing_rows(found),
        json=formats.json_line(name, width, height, found, timed=True),
    )


def _content(path: str | os.PathLike[str], name: str) -> bytes:
    """The file's bytes, or FileError with the name that the visitor gave it."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise FileError(f"{name}: cannot be read: {reason(error)}") from error


def draw_stage(rgb: NDArray[np.uint8], found: Detections, name: str) -> NDArray[np.uint8]:
    """A copy of a picture with the faces, or with the many boxes of PNet or RNet."""
    if name == "onet":
        return draw(rgb, found)
    return draw(rgb, found.proposals(name))
