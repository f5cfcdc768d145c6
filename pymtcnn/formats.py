"""The command line's output: text, JSON, CSV, timing. The C program writes the same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from .results import COLUMNS, Detections

CSV_HEADER = ",".join(("image", *COLUMNS)) + "\n"

_DIGITS = {"box": 3, "score": 6, "landmarks": 3}
"""After the point, of the numbers of a face in JSON."""


def text_lines(path: str, detections: Detections) -> str:
    """One line a face: path, tab, box, score, landmarks, parted by blanks."""
    return "".join(
        f"{path}\t{_join(box, 2, ' ')} {score:.4f} {_join(points.ravel(), 2, ' ')}\n"
        for box, score, points in detections
    )


def csv_rows(path: str, detections: Detections) -> str:
    """One row a face (RFC 4180, but lines end in a single LF)."""
    name = path
    if any(character in name for character in ',"\r\n'):
        name = '"' + name.replace('"', '""') + '"'
    return "".join(
        f"{name},{_join(box, 3, ',')},{score:.6f},{_join(points.ravel(), 3, ',')}\n"
        for box, score, points in detections
    )


def json_line(
    path: str, width: int, height: int, detections: Detections, *, timed: bool = False
) -> str:
    """One object on one line; width and height in pixels, after EXIF rotation."""
    faces = ", ".join(map(_json_face, detections.to_dicts()))
    head = f'"image": {_json_string(path)}, "width": {width}, "height": {height}'
    times = _json_times(detections) if timed else ""
    return f'{{{head}, "faces": [{faces}]{times}}}\n'


def _json_face(face: dict[str, Any]) -> str:
    """Like json.dumps, with a fixed number of digits."""
    items = (f'"{name}": {_json_numbers(value, _DIGITS[name])}' for name, value in face.items())
    return f"{{{', '.join(items)}}}"


def _json_numbers(value: float | list[Any], digits: int) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_json_numbers(item, digits) for item in value)}]"
    return f"{value:.{digits}f}"


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


def _join(values: Iterable[float], digits: int, separator: str) -> str:
    return separator.join(f"{value:.{digits}f}" for value in values)
