"""The files that `pymtcnn detect` writes for each picture: annotated, crops, predictions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from ..crops import extract_faces
from ..drawing import draw
from ..errors import ArgumentError
from ..files import atomic_write, make_folder
from ..formats import wider_text
from ..pictures import write_picture
from ..results import Detections
from .sources import Picture

EXTENSIONS = (".jpg", ".jpeg", ".png")
_ENDINGS = ".jpg, .jpeg or .png"
"""What the name of a single annotated picture may end in: what the C program writes."""

Write = Callable[[Picture, NDArray[np.uint8], Detections], None]
"""Writes the files of one picture: given with its RGB pixels [H, W, 3] and its faces."""


def refuse_same_names(option: str, names: Iterable[str]) -> None:
    """Raise ArgumentError where two pictures would overwrite each other's files."""
    seen = set()
    for name in names:
        if name in seen:
            raise ArgumentError(
                f"{option}: two pictures are called {name} and would overwrite each other there; "
                "run them one by one, into two folders"
            )
        seen.add(name)


class _Originals:
    """The files of the pictures, which nothing may overwrite."""

    def __init__(self, pictures: Iterable[Picture]) -> None:
        identities = (_identity(p.path) for p in pictures if p.data is None)
        self._files = frozenset(identity for identity in identities if identity)

    def __contains__(self, path: object) -> bool:
        """Whether a path is one of them, also through links and other spellings."""
        return _identity(str(path)) in self._files


def _identity(path: str) -> tuple[int, int] | None:
    """What identifies a file; None where it does not exist."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _stem(name: str) -> str:
    """A path without the ending."""
    return str(PurePath(name).with_suffix(""))


def _copy_name(picture: Picture) -> str:
    """The name of a picture's annotated copy in a folder: PNG where its own cannot be written."""
    if PurePath(picture.name).suffix.lower() in EXTENSIONS:
        return picture.name
    return f"{_stem(picture.name)}.png"


class Annotated:
    """What `--out PATH` means for a list of pictures.

    Parameters
    ----------
    out : str
        A folder where there are several pictures, or it ends in ``/``, or it is a folder.
    pictures : sequence of Picture
    several : bool
        Whether there are, or might be, several.

    Raises
    ------
    ArgumentError
        Two pictures have one name, or the file's name does not end in one of `EXTENSIONS`.
    """

    def __init__(self, out: str, pictures: Sequence[Picture], several: bool) -> None:
        self._path = Path(out)
        self._originals = _Originals(pictures)
        self.folder = several or out.endswith("/") or os.path.isdir(out)
        if self.folder:
            refuse_same_names(f"--out {out}", map(_copy_name, pictures))
        elif self._path.suffix.lower() not in EXTENSIONS:
            raise ArgumentError(f"--out {out}: the name must end in {_ENDINGS}")

    def make(self) -> None:
        """Make the folder, if it is one and missing; FileError where that fails."""
        if self.folder:
            make_folder(self._path)

    def check(self, picture: Picture) -> None:
        """Raise ArgumentError where its copy cannot be written, or would overwrite a picture."""
        target = self._target(picture)
        if target.suffix.lower() not in EXTENSIONS:
            raise ArgumentError(f"{target}: cannot be written: the name must end in {_ENDINGS}")
        if target in self._originals:
            raise ArgumentError(
                f"{picture}: its annotated copy would overwrite {target}, which is one of the"
                " pictures; choose another --out"
            )

    def _target(self, picture: Picture) -> Path:
        return self._path / _copy_name(picture) if self.folder else self._path

    def __call__(self, picture: Picture, rgb: NDArray[np.uint8], faces: Detections) -> None:
        target = self._target(picture)
        if self.folder:
            make_folder(target.parent)
        write_picture(target, draw(rgb, faces))


class Crops:
    """`--crops FOLDER`: the aligned faces, <FOLDER>/<name without ending>_<i>.png, best first."""

    def __init__(self, folder: str, side: int, pictures: Sequence[Picture]) -> None:
        self._folder = Path(folder)
        self._side = side
        self._originals = _Originals(pictures)
        refuse_same_names(f"--crops {folder}", (_stem(picture.name) for picture in pictures))

    def __call__(self, picture: Picture, rgb: NDArray[np.uint8], faces: Detections) -> None:
        stem = self._folder / _stem(picture.name)
        for number, face in enumerate(extract_faces(rgb, faces, self._side)):
            target = f"{stem}_{number}.png"
            if target in self._originals:
                raise ArgumentError(
                    f"{target}: is one of the pictures, which a crop would overwrite; choose"
                    " another --crops"
                )
            make_folder(stem.parent)
            write_picture(target, face)


class Predictions:
    """`--wider FOLDER`: <FOLDER>/<event>/<name>.txt for WIDER FACE's evaluation.

    The event is the name of the picture's folder.
    """

    def __init__(self, folder: str, pictures: Sequence[Picture]) -> None:
        self._folder = Path(folder)
        refuse_same_names(f"--wider {folder}", (_stem(_with_event(p)) for p in pictures))

    def __call__(self, picture: Picture, rgb: NDArray[np.uint8], faces: Detections) -> None:
        name = _with_event(picture)
        path = self._folder / f"{_stem(name)}.txt"
        make_folder(path.parent)
        with atomic_write(path) as file:
            file.write(os.fsencode(wider_text(name, faces.boxes, faces.scores)))


def _with_event(picture: Picture) -> str:
    """`event/name.jpg`; a picture from standard input has no event."""
    if picture.data is not None:
        return picture.name
    path = Path(picture.path)
    return str(PurePath(path.parent.resolve().name, path.name))
