"""Files written to a temporary folder, then moved; over others that differ only where forced."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pymtcnn.errors import FileError, MtcnnError
from pymtcnn.files import atomic_write


@contextmanager
def staged(folder: Path, force: bool) -> Iterator[tuple[Path, list[str]]]:
    """A temporary folder whose files move to `folder` when the block ends well.

    Parameters
    ----------
    folder
        Where they belong; made if it is not there. Other files in it stay as they are.
    force
        Replace files that are there and differ.

    Yields
    ------
    The temporary folder, and a list that then holds the names of the files that were moved.

    Raises
    ------
    FileError
        If it cannot be written, or a file is there, differs and `force` is not given. Folders
        that were made go again.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".convert-", dir=folder) as temporary:
            moved: list[str] = []
            yield Path(temporary), moved
            moved += move_files(Path(temporary), folder, force)
    except BaseException as error:
        with suppress(OSError):
            for path in made:
                path.rmdir()
        if isinstance(error, OSError) and not isinstance(error, MtcnnError):
            reason = error.strerror or error
            raise FileError(f"{folder}: cannot be written: {reason}") from error
        raise


def move_files(source: Path, folder: Path, force: bool) -> list[str]:
    """Move the files of one folder into another, where they are new or differ.

    A link stays one: the file that it names is replaced.

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
        If a file is there, differs and `force` is not given, or a folder is there: then none is
        moved.
    """
    new = [path for path in sorted(source.iterdir()) if not _same(path, folder / path.name)]
    folders = [path.name for path in new if (folder / path.name).is_dir()]
    if folders:
        raise FileError(f"{folder}: {', '.join(folders)}: a folder is where a file belongs")
    differing = [path.name for path in new if os.path.lexists(folder / path.name)]
    if differing and not force:
        raise FileError(f"{folder}: {', '.join(differing)} would change; --force replaces them")
    for path in new:
        target = folder / path.name
        if target.is_symlink():
            with atomic_write(target) as file:  # beside the file that it names
                file.write(path.read_bytes())
        else:
            os.replace(path, target)
    return [path.name for path in new]


def _same(first: Path, second: Path) -> bool:
    return second.is_file() and first.read_bytes() == second.read_bytes()
