"""What was found as text, JSON, CSV and other forms, by the C library's mtcnn_format."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._library import core
from .faces import Faces
from .findings import Findings
from .results import Detections


def formatted(
    form: str,
    source: str | os.PathLike[str],
    faces: Faces[Any],
    size: tuple[int, int] = (0, 0),
    *,
    frame: tuple[int, float] | None = None,
    stage: str | None = None,
    timed: bool = False,
) -> str:
    """What was found in a picture or in a frame of a video.

    Parameters
    ----------
    form : str
        ``"text"``, ``"json"``, ``"csv"``, ``"wider"``, ``"times"`` or ``"summary"``: see mtcnn.h.
    source, faces, size, frame, stage, timed
        As for `Findings`.

    Returns
    -------
    str
        Lines, each with its end. Bytes of the source that are not UTF-8 are as `os.fsdecode`
        decodes them, and in JSON as `utf8` writes them.

    Raises
    ------
    ArgumentError
        As `Findings`.
    """
    loaded = core()
    ffi = loaded.ffi
    findings = Findings(loaded, faces, source, size, frame=frame, stage=stage, timed=timed)
    length, error = ffi.new("size_t *"), ffi.new("mtcnn_error *")
    code = getattr(loaded.lib, f"MTCNN_FORM_{form.upper()}")
    room = 1024 + 512 * len(faces)  # usually enough; else the first call returns the size
    while True:
        text = ffi.new("char[]", room)
        status = loaded.lib.mtcnn_format(code, findings.view, text, room, length, error)
        loaded.check(status, error)
        if length[0] < room:
            return os.fsdecode(ffi.buffer(text, length[0])[:])
        room = length[0] + 1


def csv_header(*, frames: bool = False, ids: bool = False) -> str:
    """CSV's header line, for pictures or for frames of a video, with ids."""
    loaded = core()
    header: bytes = loaded.ffi.string(loaded.lib.mtcnn_csv_header(frames, ids))
    return header.decode()


def json_line(
    path: str, width: int, height: int, detections: Detections, *, timed: bool = False
) -> str:
    """One object on one line; width and height in pixels, after EXIF rotation."""
    return formatted("json", path, detections, (width, height), timed=timed)


def json_begin() -> str:
    """What each line of `json_line` begins with."""
    line = json_line("", 0, 0, _boxes(np.empty((0, 4)), np.empty(0)))
    return line[: line.index('""') + 1]


def wider_text(name: str, boxes: NDArray[Any], scores: NDArray[Any]) -> str:
    """Boxes [N, 4] and scores [N] in the form of WIDER FACE's evaluation, best first."""
    order = np.argsort(-scores, kind="stable")
    return formatted("wider", name, _boxes(boxes[order], scores[order]))


def timing(path: str, detections: Detections) -> str:
    """A table of milliseconds and candidates per stage, without the last line's end."""
    return formatted("times", path, detections)[:-1]


def timing_rows(detections: Detections) -> list[tuple[str, str, float]]:
    """The rows of `timing`: each step's name, its inputs and outputs, its milliseconds."""
    rows = [line.split() for line in timing("", detections).splitlines()[1:]]
    return [(name, " ".join(what), float(ms)) for name, *what, ms, _ in rows]


def summary(path: str, detections: Detections) -> str:
    """How many faces a picture has, for a terminal."""
    return formatted("summary", path, detections)[:-1]


def utf8(path: str) -> str:
    r"""The path as JSON and other forms that are UTF-8 hold it, different for different paths.

    Bytes that are not UTF-8 become text like ``\xff``; in a path with such bytes, or with the text
    ``\x``, each backslash is doubled.
    """
    if path.isascii() and "\\" not in path:
        return path
    name: str = json.loads(json_line(path, 0, 0, _boxes(np.empty((0, 4)), np.empty(0))))["image"]
    return name


def _boxes(boxes: NDArray[Any], scores: NDArray[Any]) -> Detections:
    return Detections(boxes, scores, np.zeros((len(scores), 5, 2), np.float32))
