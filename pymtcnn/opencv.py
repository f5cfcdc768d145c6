"""OpenCV, which reads and writes files of pictures and videos."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .optional import library


def opencv() -> Any:
    """OpenCV's module, imported at the first file: arrays do not need it.

    Raises
    ------
    LibraryError
        It cannot be imported.
    """
    return library(
        "cv2", "opencv-python, and, on Debian or Ubuntu, the packages libgl1 and libglib2.0-0"
    )


_lock = threading.Lock()
_depth = 0
_log_level = 0


@contextmanager
def quiet(cv2: Any) -> Iterator[None]:
    """OpenCV logs nothing inside, in any number of threads; its log level is restored."""
    global _depth, _log_level
    with _lock:
        if _depth == 0:
            _log_level = cv2.utils.logging.getLogLevel()
            cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                cv2.utils.logging.setLogLevel(_log_level)
