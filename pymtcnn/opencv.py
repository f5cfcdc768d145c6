"""OpenCV, as it is found: whichever of its packages is installed, or none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .optional import library


def opencv() -> Any:
    """OpenCV's module, imported by what needs it.

    Raises
    ------
    LibraryError
        It cannot be imported.
    """
    return library(
        "cv2",
        "opencv-python-headless, or opencv-python where its windows are wanted, but not both, "
        "which share a folder",
    )


def _log_functions(cv2: Any) -> tuple[Any, Any]:
    """Getter and setter of the log level; OpenCV before 4.13 has them at another place, or not."""
    logging = getattr(cv2.utils, "logging", cv2)
    return (
        getattr(logging, "getLogLevel", lambda: None),
        getattr(logging, "setLogLevel", lambda level: None),
    )


_lock = threading.Lock()
_depth = 0
_log_level: Any = None


@contextmanager
def quiet(cv2: Any) -> Iterator[None]:
    """OpenCV logs nothing inside, in any number of threads; its log level is restored."""
    global _depth, _log_level
    get_level, set_level = _log_functions(cv2)
    with _lock:
        if _depth == 0:
            _log_level = get_level()
            set_level(0)  # silent
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                set_level(_log_level)
