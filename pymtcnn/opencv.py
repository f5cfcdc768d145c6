"""OpenCV, as it is found: whichever of its packages is installed, or none."""

from __future__ import annotations

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
