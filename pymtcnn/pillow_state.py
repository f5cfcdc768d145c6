"""Settings of Pillow that belong to the whole process, changed while a file is decoded only."""

from __future__ import annotations

import ctypes
import logging
import threading
from typing import Any

from .held import Held
from .optional import library


def _set_lenient(value: Any) -> Any:
    file = library("PIL.ImageFile")
    before = file.LOAD_TRUNCATED_IMAGES
    if before != value:
        file.LOAD_TRUNCATED_IMAGES = value
    return before


def _set_tiff_handler(value: Any) -> Any:
    """libtiff's handler of errors; found through Pillow, so that it is Pillow's libtiff."""
    try:
        set_handler = ctypes.CDLL(library("PIL._imaging").__file__).TIFFSetErrorHandler
    except (OSError, AttributeError):  # Pillow without libtiff, or with one whose names are hidden
        return None
    set_handler.restype, set_handler.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    return set_handler(value)


_complaints: set[int] = set()  # threads in which libtiff has reported an error


def _note(module: bytes, text: bytes, arguments: int) -> None:
    _complaints.add(threading.get_ident())


_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)(_note)


def libtiff_complained() -> bool:
    """Whether it has reported an error in this thread since the last call, within `noted_tiff`."""
    thread = threading.get_ident()
    complained = thread in _complaints
    _complaints.discard(thread)
    return complained


def _disable_tiff_log(value: Any) -> Any:
    logger = logging.getLogger("PIL.TiffImagePlugin")
    before, logger.disabled = logger.disabled, value
    return before


strict = Held(_set_lenient, False)
"""What is truncated or damaged is an error, also where a program has told Pillow otherwise."""

noted_tiff = Held(_set_tiff_handler, ctypes.cast(_HANDLER, ctypes.c_void_p))
"""libtiff's errors, which Pillow does not all take for such, are noted and not printed."""

quiet_log = Held(_disable_tiff_log, True)
"""Nor does the plugin, whose log is shown where a program has set none up."""
