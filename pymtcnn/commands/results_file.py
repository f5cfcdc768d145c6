"""The file of `--save FILE`: JSON Lines, which can be resumed, or a table."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .. import formats
from ..errors import ArgumentError, FileError, LibraryError
from ..faces import COLUMNS
from ..files import atomic_path, atomic_write, is_stream, reason
from ..results import Detections

Add = Callable[[str, tuple[int, int], Detections], None]
"""Saves a picture's faces: its path, width and height, and the detections."""

_ROWS = 100_000
"""Rows of a Parquet file that are written at a time."""


def check_save(save: str, resume: bool) -> None:
    """Raise ArgumentError where a file of this name, or this form, cannot be saved."""
    suffix = Path(save).suffix.lower()
    if suffix not in _FORMS:
        raise ArgumentError(f"--save {save}: the name must end in {', '.join(_FORMS)}")
    if resume and suffix != ".jsonl":
        raise ArgumentError(
            f"--resume: only JSON Lines can be resumed; --save {Path(save).stem}.jsonl"
        )
    if suffix == ".parquet":
        _pyarrow()


def done_in(save: str) -> set[str]:
    """The pictures that a JSON Lines file holds; a broken last line is cut off.

    Returns
    -------
    set of str
        Their paths, as `formats.utf8` writes them.

    Raises
    ------
    FileError
        It cannot be read, or holds something else; then it is left unchanged.
    """
    done = set()
    try:
        if os.path.exists(save) and not os.path.isfile(save):
            raise OSError(0, "Not a regular file")
        with open(save, "rb+") as file:
            whole = 0
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    _check_begun(line, f"{save}:{number}")
                    break
                done.add(_image_of(line, f"{save}:{number}"))
                whole += len(line)
            file.truncate(whole)
    except FileNotFoundError:
        return done
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{save}: cannot be resumed: {reason(error)}") from error
    return done


def _image_of(line: bytes, where: str) -> str:
    try:
        image = json.loads(line)["image"]
        if isinstance(image, str):
            return image
    except (ValueError, TypeError, KeyError):
        pass
    raise _not_ours(where)


def _check_begun(line: bytes, where: str) -> None:
    """Raise FileError unless a broken line may be cut off, being one of ours."""
    begin = formats.json_begin().encode()
    if line[: len(begin)] != begin[: len(line)]:
        raise _not_ours(where)


def _not_ours(where: str) -> FileError:
    return FileError(f"{where}: not a line of `pymtcnn detect --save`; give --save another name")


def open_results(save: str, resume: bool) -> AbstractContextManager[Add]:
    """Open the file; gives a function that adds a picture.

    JSON Lines are written immediately, one picture a line. A table appears when the context ends
    without an error; until then a previous file stays.

    Raises
    ------
    FileError
        It cannot be written, or exists already and is not to be resumed.
    """
    if not resume and os.path.exists(save) and not is_stream(save):
        also = " or --resume" if save.lower().endswith(".jsonl") else ""
        raise FileError(f"{save}: exists already; give --save another name{also}")
    return _FORMS[Path(save).suffix.lower()](save)


@contextmanager
def _json_lines(save: str) -> Iterator[Add]:
    try:
        file = open(save, "ab", buffering=0)  # noqa: SIM115 closed below
    except OSError as error:
        raise FileError(f"{save}: cannot be written: {reason(error)}") from error

    def add(path: str, size: tuple[int, int], detections: Detections) -> None:
        line = memoryview(formats.json_line(path, *size, detections).encode())
        end = os.fstat(file.fileno()).st_size
        try:
            while line:
                line = line[file.write(line) :]
        except OSError as error:
            if not is_stream(save):
                file.truncate(end)
            raise FileError(f"{save}: cannot be written: {reason(error)}") from error

    with file:
        yield add


@contextmanager
def _csv(save: str) -> Iterator[Add]:
    with atomic_write(save) as file:
        file.write(formats.csv_header().encode())

        def add(path: str, size: tuple[int, int], detections: Detections) -> None:
            file.write(os.fsencode(formats.formatted("csv", path, detections)))

        yield add


@contextmanager
def _parquet(save: str) -> Iterator[Add]:
    """A table of CSV's columns: `image` is text, all others are float32."""
    arrow = _pyarrow()
    from pyarrow.parquet import ParquetWriter

    schema = arrow.schema(
        [("image", arrow.string()), *((column, arrow.float32()) for column in COLUMNS)]
    )
    images: list[str] = []
    rows: list[np.ndarray] = []  # [N, 15]

    def add(path: str, size: tuple[int, int], detections: Detections) -> None:
        count = len(detections)
        images.extend([formats.utf8(path)] * count)
        parts = (detections.boxes, detections.scores, detections.landmarks)
        rows.append(np.hstack([part.reshape(count, -1) for part in parts]))
        if len(images) >= _ROWS:
            flush()

    def flush() -> None:
        if images:
            columns = [images, *np.concatenate(rows).T]
            writer.write_table(arrow.table(columns, schema=schema))
        images.clear()
        rows.clear()

    with atomic_path(save) as file, ParquetWriter(file, schema) as writer:
        yield add
        flush()


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError as error:
        raise LibraryError(
            f"--save .parquet: pyarrow cannot be loaded ({error}); pip install pyarrow"
        ) from error
    return pyarrow


_FORMS: dict[str, Callable[[str], AbstractContextManager[Add]]] = {
    ".jsonl": _json_lines,
    ".csv": _csv,
    ".parquet": _parquet,
}
