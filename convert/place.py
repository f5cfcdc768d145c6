"""Files put where they belong, over others that differ only where that is wanted."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pymtcnn.errors import FileError, MtcnnError
from pymtcnn.files import reason


@contextmanager
def placed(folder: Path, force: bool) -> Iterator[Path]:
    """A temporary folder whose files go into `folder` when the block ends well, else nowhere.

    Parameters
    ----------
    folder
        Where they belong; it has to be there.
    force
        Replace files that are there and differ.

    Raises
    ------
    FileError
        If they cannot be written, or one is there, differs and `force` is not given.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".convert.", dir=folder) as temporary:
            yield Path(temporary)
            place(Path(temporary), folder, force)
    except OSError as error:
        if isinstance(error, MtcnnError):
            raise
        raise FileError(f"{folder}: cannot be written: {reason(error)}") from error


def place(source: Path, folder: Path, force: bool) -> list[str]:
    """Move the files of one folder into another, where they are new or differ.

    Parameters
    ----------
    source
        The folder that holds them, on the same file system.
    folder
        Where they belong; other files in it stay as they are.
    force
        Replace files that are there and differ.

    Returns
    -------
    The names of the files that were moved.

    Raises
    ------
    FileError
        If a file is there, differs and `force` is not given: then none is moved.
    """
    new = [path for path in sorted(source.iterdir()) if not _same(path, folder / path.name)]
    differing = [path.name for path in new if (folder / path.name).exists()]
    if differing and not force:
        raise FileError(f"{folder}: {', '.join(differing)} would change; --force replaces them")
    for path in new:
        os.replace(path, folder / path.name)
    return [path.name for path in new]


def _same(first: Path, second: Path) -> bool:
    return second.is_file() and first.read_bytes() == second.read_bytes()
