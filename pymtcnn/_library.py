"""The compiled C core: found, loaded once, and its status codes turned into exceptions."""

from __future__ import annotations

import os
import warnings
from importlib import import_module, util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import errors
from .locks import Lock

COLORS = {"RGB": 3, "BGR": 3, "GRAY": 1, "RGBA": 4, "BGRA": 4}
"""Colour orders and their bytes a pixel."""

_LIBRARY = "libmtcnn.so"
_PARTS = ("MAJOR", "MINOR", "PATCH")
_lock = Lock()
_core: Core | None = None


class Core:
    """cffi's two objects: `ffi` for memory and types, `lib` for mtcnn.h's functions."""

    def __init__(self) -> None:
        abi = _abi()
        path = Path(abi.__file__).with_name(_LIBRARY)
        self.ffi: Any = abi.ffi
        try:
            self.lib: Any = self.ffi.dlopen(str(path))
        except OSError as error:
            raise errors.LibraryError(
                f"{path} cannot be loaded ({error}); run 'bash make_install.sh' in the project's "
                "folder again"
            ) from error
        self._check_version(path)
        lib = self.lib
        self.colors = {name: getattr(lib, f"MTCNN_{name}") for name in COLORS}
        self._exceptions: dict[int, type[errors.MtcnnError]] = {
            lib.MTCNN_ERROR_ARGUMENT: errors.ArgumentError,
            lib.MTCNN_ERROR_MEMORY: errors.OutOfMemoryError,
            lib.MTCNN_ERROR_FILE: errors.FileError,
            lib.MTCNN_ERROR_CFG: errors.CfgError,
            lib.MTCNN_ERROR_WEIGHTS: errors.WeightsError,
            lib.MTCNN_ERROR_MODEL: errors.ModelError,
        }

    def _check_version(self, path: Path) -> None:
        """Raise LibraryError where the library's structs may not be those that `ffi` knows."""
        try:
            header = [getattr(self.lib, f"MTCNN_VERSION_{part}") for part in _PARTS]
        except AttributeError:
            header = [0, 1, 0]  # the last one without these macros
        try:
            library = os.fsdecode(self.ffi.string(self.lib.mtcnn_version()))
        except self.ffi.error:
            library = "unknown"
        fixed = 1 if header[0] else 2  # how much of a version the soname has: see mtcnn.h
        if library.split(".")[:fixed] != [str(number) for number in header[:fixed]]:
            raise errors.LibraryError(
                f"{path} has version {library}, but pymtcnn was built for version "
                f"{'.'.join(map(str, header))}; run 'bash make_install.sh' in the project's folder "
                "again, which builds both"
            )

    def check(self, status: int, error: Any) -> None:
        """Raise the exception that fits a status, with the message in `error` (mtcnn_error *)."""
        if status == self.lib.MTCNN_OK:
            return
        message = self.ffi.string(error.message) or self.ffi.string(self.lib.mtcnn_strerror(status))
        raise self._exceptions.get(status, errors.MtcnnError)(os.fsdecode(message))

    def warn(self, lines: Any) -> None:
        """Issue a CfgWarning for each line of C's text, in the name of the caller's caller's."""
        for line in os.fsdecode(self.ffi.string(lines)).splitlines():
            warnings.warn(line, errors.CfgWarning, stacklevel=4)

    def path(self, path: Any) -> Any:
        """A path as a char array for C; NULL for None."""
        if path is None:
            return self.ffi.NULL
        try:
            name = os.fsencode(path)
        except TypeError:
            kind = type(path).__name__
            raise errors.ArgumentError(f"path of type {kind}: must be str or a path") from None
        if b"\0" in name:
            raise errors.ArgumentError(f"path {path!r}: must not hold a NUL character")
        return self.ffi.new("char[]", name)


def absolute(path: str | os.PathLike[str] | None) -> str | None:
    """A path that other processes find, too; None for None."""
    return None if path is None else os.path.abspath(os.fsdecode(path))


def _abi() -> Any:
    """The generated module: next to this one, or, from a source tree, where pip installed it."""
    try:
        try:
            return import_module("._mtcnn_abi", __package__)
        except ImportError:
            from importlib import metadata

            path = metadata.distribution("pymtcnn-darknet").locate_file("pymtcnn/_mtcnn_abi.py")
            spec = util.spec_from_file_location("pymtcnn._mtcnn_abi", str(path))
            if spec is None or spec.loader is None:
                raise
            abi = util.module_from_spec(spec)
            spec.loader.exec_module(abi)
            return abi
    except (ImportError, OSError) as error:
        raise errors.LibraryError(
            f"the compiled core of pymtcnn cannot be loaded ({error}); run 'bash make_install.sh' "
            "in the project's folder and use the Python in its .venv"
        ) from error


def core() -> Core:
    """The C core, loaded at the first call.

    Raises
    ------
    LibraryError
        It is not installed or cannot be loaded.
    """
    global _core
    with _lock:
        if _core is None:
            _core = Core()
        return _core


def image_view(core: Core, pixels: NDArray[np.uint8], color: str) -> Any:
    """C's `mtcnn_image *` of an array as pixels_of returns it; the array must outlive it."""
    address, _ = pixels.__array_interface__["data"]  # pixels.ctypes takes longer
    height, width = pixels.shape[:2]
    first = core.ffi.cast("uint8_t *", address)
    return core.ffi.new(
        "mtcnn_image *", (first, width, height, pixels.strides[0], core.colors[color])
    )


FACE = np.dtype([("box", "f4", 4), ("score", "f4"), ("landmarks", "f4", (5, 2))])
"""struct mtcnn_face."""

TRACKED_FACE = np.dtype([("face", FACE), ("id", "u4"), ("age", "u4")])
"""struct mtcnn_tracked_face."""


def faces_view(core: Core, found: Any, kind: np.dtype[np.void] = FACE) -> NDArray[np.void]:
    """The faces of a C result, stage or tracks, [count] of `kind`, in C's memory: copy them."""
    if found.count == 0:
        return np.empty(0, kind)
    return np.frombuffer(core.ffi.buffer(found.faces, found.count * kind.itemsize), kind)


def shortest(value: float) -> float:
    """The shortest decimal number that is this float32: 0.6, not 0.6000000238418579."""
    return float(str(np.float32(value)))
