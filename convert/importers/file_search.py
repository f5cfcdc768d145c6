"""Files of a network in a folder, by the names that they may have."""

from __future__ import annotations

from pathlib import Path

from pymtcnn.errors import FileError


def find_one(folder: Path, *patterns: str) -> Path:
    """The one file of a folder with one of the names `patterns`, where * is any text.

    Raises
    ------
    FileError
        If there is no such folder, no such file, or more than one.
    """
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "no such folder"
        raise FileError(f"{folder}: {what}; name the one that holds {' or '.join(patterns)}")
    found = sorted({path for pattern in patterns for path in folder.glob(pattern)})
    if len(found) != 1:
        there = ", ".join(str(path.relative_to(folder)) for path in found) or "none"
        raise FileError(f"{folder}: expected one {' or '.join(patterns)}, there are: {there}")
    return found[0]
