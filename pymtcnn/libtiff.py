"""libtiff, which Pillow reads TIFF files with, writes its errors to standard error: not here."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .optional import library

_lock = threading.Lock()
_depth = 0
_handler: Any = None


def _set_handler(handler: Any) -> Any:
    """Set libtiff's handler of errors, None for none; returns the one before.

    The library is found through Pillow's own, so that it is the one that Pillow calls.
    """
    try:
        set_handler = ctypes.CDLL(library("PIL._imaging").__file__).TIFFSetErrorHandler
    except (OSError, AttributeError):  # Pillow without libtiff, or with one whose names are hidden
        return None
    set_handler.restype, set_handler.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    return set_handler(handler)


@contextmanager
def quiet() -> Iterator[None]:
    """libtiff says nothing inside, in any number of threads; its handler is restored."""
    global _depth, _handler
    with _lock:
        if _depth == 0:
            _handler = _set_handler(None)
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                _set_handler(_handler)
