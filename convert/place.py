"""Files put where they belong, over others that differ only where that is wanted."""

from __future__ import annotations

import os
from pathlib import Path

from pymtcnn.errors import FileError


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
