"""Where the command line's annotated pictures go: one file, or a folder with one file a picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import ArgumentError, FileError
from ..pictures import check_writable
from .sources import Picture

EXTENSIONS = (".jpg", ".jpeg", ".png")
"""What the name of a single annotated picture may end in: what the C program writes."""


class Destination:
    """What `--out PATH` means for a list of pictures.

    Parameters
    ----------
    out : str
        A folder where there are several pictures, or it ends in ``/``, or it is one already.
    pictures : sequence of Picture
    several : bool
        Whether there are, or might be, several.

    Raises
    ------
    ArgumentError
        Two pictures have one name, or the file's name does not end in one of `EXTENSIONS`.
    """

    def __init__(self, out: str, pictures: Sequence[Picture], several: bool) -> None:
        self._out = out
        self._path = Path(out)
        self._folder = several or out.endswith("/") or self._path.is_dir()
        if not self._folder:
            if self._path.suffix.lower() not in EXTENSIONS:
                raise ArgumentError(f"--out {out}: the name must end in .jpg, .jpeg or .png")
            return
        names = set()
        for name in (picture.name for picture in pictures):
            if name in names:
                raise ArgumentError(
                    f"--out {out}: two pictures are called {name} and would overwrite each other "
                    "there; run them one by one, into two folders"
                )
            names.add(name)

    def make(self) -> None:
        """Make the folder, if it is one and missing; FileError where that fails."""
        if self._folder:
            self._make(self._path)

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(
                f"--out {self._out}: the folder cannot be made: {error.strerror or error}"
            ) from error

    def of(self, picture: Picture) -> Path:
        """The annotated picture's path; its folder is there.

        Raises
        ------
        ArgumentError
            It has no name that can be written, or is the picture itself.
        FileError
            The folder cannot be made.
        """
        target = self._path / picture.name if self._folder else self._path
        check_writable(target)
        if target.exists() and picture.data is None and os.path.samefile(target, picture.path):
            raise ArgumentError(
                f"{picture}: would be overwritten by its annotated copy; choose another --out"
            )
        if self._folder:
            self._make(target.parent)
        return target
