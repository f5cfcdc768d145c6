"""Training samples on disk: crops and labels of one network, read through memory maps.

A folder holds

    crops.u8      uint8 [N, side, side, 3], RGB
    labels.bin    LABEL [N]
    samples.json  side, N and how they were made

While they are made the first two end in `.part`, and progress.json says how much of them is whole:
an interrupted preparation continues from there.
"""

from __future__ import annotations

import json
import os
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymtcnn.errors import FileError
from pymtcnn.files import atomic_write
from train_mtcnn.common.file_content import OTHER, read_bytes


class Kind(IntEnum):
    """What a sample teaches."""

    NEGATIVE = 0  # no face: the probability
    POSITIVE = 1  # a face: the probability and the box
    PART = 2  # part of a face: the box alone
    LANDMARK = 3  # a face whose five points are known: the points alone


KINDS = {kind: kind.name.lower() for kind in Kind}

LABEL = np.dtype(
    [
        ("kind", "u1"),
        ("held", "?"),  # held out: for validation while training
        ("size", "f4"),  # side of the face's square in its picture (of the crop's, where none)
        ("offsets", "f4", 4),  # the face's corners less the crop's, in sides of the crop
        ("landmarks", "f4", (5, 2)),  # in sides of the crop, from its top left corner
    ]
)


class SampleWriter:
    """Appends samples to a folder; what was committed survives an interruption.

    Parameters
    ----------
    folder
        Made if missing.
    side
        Pixels of a crop.
    settings
        All that the samples depend on. What is there of other settings is replaced.

    Attributes
    ----------
    steps : int
        Commits so far, in earlier runs too.
    notes
        What the caller gave with the last commit, or None.
    """

    def __init__(self, folder: Path, side: int, settings: dict):
        self._folder, self.side, self._settings = folder, side, json.loads(json.dumps(settings))
        self.steps, self.count = 0, 0
        self.notes: Any = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if self._progress.exists():
                self._resume(json.loads(read_bytes(self._progress, OTHER)))
            (folder / "samples.json").unlink(missing_ok=True)
            # Without a buffer: what cannot be written must not be tried again on closing.
            self._files = [open(path, "ab", buffering=0) for path in self._parts]  # noqa: SIM115
            for file, size in zip(self._files, self._sizes):
                file.truncate(self.count * size)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FileError(
                f"{folder}: samples cannot be written there: {error}; remove it or name another"
            ) from error

    @property
    def _parts(self) -> list[Path]:
        return [self._folder / "crops.u8.part", self._folder / "labels.bin.part"]

    @property
    def _progress(self) -> Path:
        return self._folder / "progress.json"

    @property
    def _sizes(self) -> list[int]:
        return [self.side * self.side * 3, LABEL.itemsize]

    def _resume(self, progress: dict) -> None:
        whole = all(
            path.exists() and path.stat().st_size >= progress["count"] * size
            for path, size in zip(self._parts, self._sizes)
        )
        if whole and progress["settings"] == self._settings and progress["side"] == self.side:
            self.steps, self.notes = progress["steps"], progress["notes"]
            self.count = progress["count"]

    def commit(self, crops: NDArray[np.uint8], labels: NDArray, notes: object = None) -> None:
        """Append one step's samples: crops [N, side, side, 3] and labels, LABEL [N].

        Raises
        ------
        FileError
            If they cannot be written; then none of them is.
        """
        try:
            for file, array in zip(self._files, (crops, labels)):
                rest = memoryview(np.ascontiguousarray(array).tobytes())
                while rest:
                    rest = rest[file.write(rest) :]
        except OSError as error:
            raise FileError(
                f"{self._folder}: {error.strerror or error}; what was written so far is kept: make"
                " room and run it again"
            ) from error
        progress = {
            "side": self.side,
            "count": self.count + len(labels),
            "steps": self.steps + 1,
            "notes": notes,
            "settings": self._settings,
        }
        with atomic_write(self._progress) as record:
            record.write(json.dumps(progress).encode())
        self.count, self.steps, self.notes = self.count + len(labels), self.steps + 1, notes

    def finish(self, report: dict) -> None:
        """Give the files their names; `report` goes into samples.json."""
        self.close()
        for part in self._parts:
            os.replace(part, part.with_suffix(""))
        about = {"side": self.side, "count": self.count, "settings": self._settings}
        with atomic_write(self._folder / "samples.json") as file:
            file.write((json.dumps(about | {"report": report}, indent=2) + "\n").encode())
        self.forget()

    def forget(self) -> None:
        """Let the next writer start from the beginning."""
        self._progress.unlink(missing_ok=True)

    def close(self) -> None:
        for file in self._files:
            file.close()


class Samples:
    """A finished folder of samples, read-only.

    Attributes
    ----------
    crops : [N, side, side, 3] uint8
        A memory map.
    labels : [N] of LABEL
        In memory.
    about : dict
        samples.json.

    Raises
    ------
    FileError
        If the folder is unfinished, or its files do not fit each other.
    """

    def __init__(self, folder: str | os.PathLike):
        folder = Path(folder)
        if not (folder / "samples.json").exists():
            raise FileError(
                f"{folder}: no finished samples there (samples.json); make them with"
                " train_mtcnn/prepare_data.py"
            )
        try:
            self.about = json.loads(read_bytes(folder / "samples.json", OTHER))
            side, count = int(self.about["side"]), int(self.about["count"])
            if side < 1:
                raise ValueError(f"a side of {side}")
        except (ValueError, KeyError, TypeError) as error:
            raise FileError(
                f"{folder / 'samples.json'}: damaged ({error}); prepare again"
            ) from None
        shape = (count, side, side, 3)
        for name, size in (("crops.u8", side * side * 3), ("labels.bin", LABEL.itemsize)):
            path = folder / name
            if not path.exists() or path.stat().st_size != count * size:
                raise FileError(f"{path}: missing or not {count} samples long; prepare again")
        if count == 0:
            raise FileError(f"{folder}: holds no samples; see its report for why")
        self.crops = np.memmap(folder / "crops.u8", np.uint8, "r", shape=shape)
        self.labels = np.fromfile(folder / "labels.bin", LABEL)

    def __len__(self) -> int:
        return len(self.labels)


def is_finished(folder: Path, settings: dict) -> bool:
    """Whether the folder holds whole samples that were made with these settings."""
    try:
        return Samples(folder).about["settings"] == json.loads(json.dumps(settings))
    except (FileError, KeyError):
        return False
