"""The command line's output: text, JSON, CSV, timing. The C program writes the same bytes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .faces import COLUMNS
from .results import Detections

if TYPE_CHECKING:
    from .tracking import Tracks

_FACE = ",".join(COLUMNS) + "\n"
CSV_HEADER = f"image,{_FACE}"
FRAME_CSV_HEADER = f"video,frame,seconds,{_FACE}"
TRACK_CSV_HEADER = f"video,frame,seconds,id,{_FACE}"

JSON_BEGIN = '{"image": "'
"""What each line of `json_line` begins with."""


# ---- pictures ------------------------------------------------------------------------------------


def text_lines(path: str, detections: Detections) -> str:
    """One line a face: path, tab, box, score, landmarks, parted by blanks."""
    return "".join(f"{path}\t{_text_face(*face)}\n" for face in _faces(detections))


def csv_rows(path: str, detections: Detections) -> str:
    """One row a face (RFC 4180, but lines end in a single LF)."""
    name = _csv_string(path)
    return "".join(f"{name},{_csv_face(*face)}\n" for face in _faces(detections))


def json_line(
    path: str, width: int, height: int, detections: Detections, *, timed: bool = False
) -> str:
    """One object on one line; width and height in pixels, after EXIF rotation."""
    faces = ", ".join(f"{{{_json_face(*face)}}}" for face in _faces(detections))
    head = f'"image": {_json_string(path)}, "width": {width}, "height": {height}'
    times = _json_times(detections) if timed else ""
    return f'{{{head}, "faces": [{faces}]{times}}}\n'


def wider_text(name: str, boxes: NDArray[Any], scores: NDArray[Any]) -> str:
    """Boxes [N, 4] and scores [N] in the form of WIDER FACE's evaluation, best first."""
    lines = [name, str(len(boxes))]
    for i in np.argsort(-scores, kind="stable"):
        x1, y1, x2, y2 = (float(value) for value in boxes[i])
        lines.append(f"{x1:.3f} {y1:.3f} {x2 - x1:.3f} {y2 - y1:.3f} {scores[i]:.8f}")
    return "\n".join(lines) + "\n"


# ---- frames of videos ----------------------------------------------------------------------------


@dataclass(frozen=True)
class FrameFaces:
    """What was found in a frame of a video.

    Attributes
    ----------
    video : str
        Its path, URL or camera.
    index : int
        0, 1, ...
    seconds : float
        When the frame is shown.
    width, height : int
        Of the frame, pixels.
    faces : Detections or Tracks
        Tracks have ids, which then stand with each face.
    """

    video: str
    index: int
    seconds: float
    width: int
    height: int
    faces: Detections | Tracks

    def ids(self, form: str) -> list[str]:
        """Each face's id in a form like ``"{},"``; without ids all are empty."""
        ids = getattr(self.faces, "ids", None)
        return [""] * len(self.faces) if ids is None else [form.format(number) for number in ids]


def frame_text(frame: FrameFaces) -> str:
    """One line a face: video, frame, seconds, id, each with a tab, then as in `text_lines`."""
    head = f"{frame.video}\t{frame.index}\t{frame.seconds:.3f}\t"
    return "".join(
        f"{head}{number}{_text_face(*face)}\n"
        for number, face in zip(frame.ids("{}\t"), _faces(frame.faces))
    )


def frame_csv(frame: FrameFaces) -> str:
    """One row a face."""
    head = f"{_csv_string(frame.video)},{frame.index},{frame.seconds:.3f},"
    return "".join(
        f"{head}{number}{_csv_face(*face)}\n"
        for number, face in zip(frame.ids("{},"), _faces(frame.faces))
    )


def frame_json(frame: FrameFaces, *, timed: bool = False) -> str:
    """One object on one line."""
    faces = ", ".join(
        f"{{{number}{_json_face(*face)}}}"
        for number, face in zip(frame.ids('"id": {}, '), _faces(frame.faces))
    )
    head = (
        f'"video": {_json_string(frame.video)}, "frame": {frame.index}, '
        f'"seconds": {frame.seconds:.3f}, "width": {frame.width}, "height": {frame.height}'
    )
    times = ""
    if timed:
        times = (
            _json_times(frame.faces)
            if isinstance(frame.faces, Detections)
            else f', "milliseconds": {{"total": {frame.faces.total_ms:.3f}}}'
        )
    return f'{{{head}, "faces": [{faces}]{times}}}\n'


# ---- their parts ---------------------------------------------------------------------------------


def _text_face(box: NDArray[np.float32], score: np.float32, points: NDArray[np.float32]) -> str:
    return f"{_join(box, 2, ' ')} {score:.4f} {_join(points.ravel(), 2, ' ')}"


def _csv_face(box: NDArray[np.float32], score: np.float32, points: NDArray[np.float32]) -> str:
    return f"{_join(box, 3, ',')},{score:.6f},{_join(points.ravel(), 3, ',')}"


def _json_face(box: NDArray[np.float32], score: np.float32, points: NDArray[np.float32]) -> str:
    landmarks = ", ".join(f"[{_join(point, 3)}]" for point in points)
    return f'"box": [{_join(box, 3)}], "score": {score:.6f}, "landmarks": [{landmarks}]'


def _csv_string(path: str) -> str:
    if any(character in path for character in ',"\r\n'):
        return '"' + path.replace('"', '""') + '"'
    return path


def _json_string(path: str) -> str:
    """A path in quotes; where it is no UTF-8, with U+FFFD."""
    return re.sub(_NO_UTF8, r"\\ufffd", json.dumps(path, ensure_ascii=False))


def utf8(path: str) -> str:
    """The path; bytes that are no UTF-8, which many formats cannot hold, become U+FFFD."""
    return re.sub(_NO_UTF8, "\ufffd", path)


_NO_UTF8 = "[\udc80-\udcff]"


def _json_times(detections: Detections) -> str:
    stages = detections.stages
    candidates = ", ".join(f'"{stage.name}": [{stage.inputs}, {len(stage)}]' for stage in stages)
    times = [("pyramid", detections.pyramid_ms)]
    times += [(stage.name, stage.milliseconds) for stage in stages]
    times += [("total", detections.total_ms)]
    milliseconds = ", ".join(f'"{name}": {time:.3f}' for name, time in times)
    return (
        f', "levels": {detections.levels}, "candidates": {{{candidates}}}, '
        f'"milliseconds": {{{milliseconds}}}'
    )


def timing_rows(detections: Detections) -> list[tuple[str, str, float]]:
    """Each step's name, what it was given and hands on, and its milliseconds."""
    rows = [("pyramid", f"{detections.levels} levels", detections.pyramid_ms)]
    units = {"pnet": ("cells", "boxes"), "rnet": ("crops", "boxes"), "onet": ("crops", "faces")}
    for stage in detections.stages:
        before, after = units[stage.name]
        what = f"{f'{stage.inputs} {before}':<12} -> {len(stage):>4} {after}"
        rows.append((stage.name, what, stage.milliseconds))
    return [*rows, ("total", "", detections.total_ms)]


def timing(path: str, detections: Detections) -> str:
    """A table of milliseconds and candidates per stage."""
    rows = timing_rows(detections)
    return "\n".join(
        [f"{path}:", *(f"  {name:<9} {what:<26}{ms:>8.2f} ms" for name, what, ms in rows)]
    )


def summary(path: str, detections: Detections) -> str:
    """How many faces a picture has, for a terminal."""
    count = len(detections)
    return f"{path}: {count} {'face' if count == 1 else 'faces'}"


def _faces(
    detections: Detections | Tracks,
) -> list[tuple[NDArray[np.float32], np.float32, NDArray[np.float32]]]:
    return list(zip(detections.boxes, detections.scores, detections.landmarks))


def _join(values: NDArray[np.float32], digits: int, separator: str = ", ") -> str:
    return separator.join(f"{value:.{digits}f}" for value in values)
