"""The annotated video that `pymtcnn video` writes, through OpenCV."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError, FileError
from ..files import atomic_path
from ..opencv import opencv, quiet

CODECS = {".mp4": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
"""By the name's ending; OpenCV's wheels can write these."""

LONGEST = 1.0
"""Maximum seconds from the first frame to the second, as some cameras start slowly."""


def check_video_name(out: str, video: str) -> None:
    """Raise ArgumentError where no video of this name can be written, or it is the video itself."""
    if Path(out).suffix.lower() not in CODECS:
        raise ArgumentError(f"--out {out}: the name must end in {', '.join(CODECS)}")
    if os.path.exists(out) and os.path.exists(video) and os.path.samefile(out, video):
        raise ArgumentError(f"--out {out}: would overwrite the video itself; choose another name")


@contextmanager
def video_file(path: str, rate: float | None = None) -> Iterator[VideoFile]:
    """A video that appears complete when the block ends without an error, else not at all.

    rate: frames a second; None: that of the first two frames.

    Raises
    ------
    FileError
        It cannot be written.
    """
    with atomic_path(path) as temporary:
        temporary.touch()  # OpenCV reports no cause
        video = VideoFile(path, temporary, rate)
        try:
            yield video
            video.finish()
        finally:
            video.release()


class VideoFile:
    """A video that is being written."""

    def __init__(self, path: str, temporary: Path, rate: float | None) -> None:
        self._rate = rate
        self._path = path
        self._temporary = temporary
        self._first: tuple[NDArray[np.uint8], float] | None = None  # until there is a second one
        self._writer: Any = None
        self._size = (0, 0)
        self._count = 0

    def add(self, rgb: NDArray[np.uint8], seconds: float) -> None:
        """Add a frame, [H, W, 3] uint8, scaled to the size of the first one."""
        if self._writer is None and self._first is None:
            self._first = rgb, seconds
            return
        if self._first is not None:
            self._begin(*self._first, seconds)
        self._write(rgb)

    def _begin(self, rgb: NDArray[np.uint8], seconds: float, after: float) -> None:
        """Open the file with the first frame, from `seconds` until `after`."""
        cv2 = opencv()
        self._first = None
        self._size = rgb.shape[1], rgb.shape[0]
        code = cv2.VideoWriter_fourcc(*CODECS[Path(self._path).suffix.lower()])
        rate = self._rate or 1 / min(after - seconds, LONGEST)
        with quiet(cv2):
            self._writer = cv2.VideoWriter(str(self._temporary), code, rate, self._size)
        self._write(rgb)

    def _write(self, rgb: NDArray[np.uint8]) -> None:
        cv2 = opencv()
        if (rgb.shape[1], rgb.shape[0]) != self._size:
            rgb = cv2.resize(rgb, self._size, interpolation=cv2.INTER_AREA)
        self._writer.write(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        self._count += 1

    def finish(self) -> None:
        """Complete the file; FileError if frames are missing, which OpenCV does not report."""
        if self._first is not None:
            rgb, seconds = self._first
            self._begin(rgb, seconds, seconds + LONGEST)
        self.release()
        cv2 = opencv()
        with quiet(cv2):
            capture = cv2.VideoCapture(str(self._temporary))
            held = capture.get(cv2.CAP_PROP_FRAME_COUNT) if capture.isOpened() else 0
            capture.release()
        if not self._count or held < self._count:
            raise FileError(
                f"{self._path}: cannot be written: {held:.0f} of {self._count} frames arrived; "
                "check the free space"
            )

    def release(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.release()
