"""Videos: the frames of a file, a camera or a stream, through OpenCV. Pixels are uint8 RGB."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arguments import check_image
from .errors import ArgumentError, FileError, VideoError
from .files import reason
from .opencv import opencv, quiet
from .pictures import MAX_PIXELS, check_pixels
from .settings import settings

VideoSource = str | os.PathLike[str] | int | Iterable[NDArray[np.uint8]]

DEFAULT_FPS = 25.0
"""Frames a second where neither the source nor the caller says so."""

_PLAIN_CAMERAS = 100
"""OpenCV reads the hundreds of a larger number as one of its back ends, and may crash."""

WHOLE = 0.95
"""A file that ends before this share of its declared frames is truncated. Some containers declare
a duration, from which the number of frames is only estimated."""


@dataclass(frozen=True, repr=False, eq=False)
class VideoFrame:
    """A frame of a video.

    Attributes
    ----------
    index : int
        0, 1, ... in the order in which frames were read.
    seconds : float
        When it is shown; it increases from frame to frame. A camera's first frame is at 0.
    picture : ndarray, [H, W, 3] uint8, RGB
    """

    index: int
    seconds: float
    picture: NDArray[np.uint8]


def frames(
    source: VideoSource,
    *,
    fps: float | None = None,
    timeout: float | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Iterator[VideoFrame]:
    """The frames of a video.

    Parameters
    ----------
    source : path, URL, int, or iterable of ndarray [H, W, 3] uint8 RGB
        A path or URL is anything that OpenCV's FFmpeg reads; a whole number is a camera.
    fps : float, optional
        Frames a second, above 0: for arrays, which have no time (default 25), and instead of a
        file's times.
    timeout : float, optional
        Seconds to wait for a stream's connection, and for each of its frames; default 10.
    max_pixels : int
        A video of larger frames is refused.

    Yields
    ------
    VideoFrame
        Closing the iterator closes the camera or file.

    Raises
    ------
    ArgumentError
        A source or array of the wrong kind.
    FileError
        No such file or camera, or no such stream.
    VideoError
        Not a video; or one that breaks off: all frames before have been yielded, and the message
        has their number.
    PictureError
        Its frames have more than `max_pixels` pixels.
    """
    table = settings()
    fps = None if fps is None else table["fps"].check(fps)
    limit = table["timeout"]
    seconds = limit.default if timeout is None else limit.check(timeout)
    if isinstance(source, (str, os.PathLike)):
        return _capture(*_open_file(os.fspath(source), seconds), fps, max_pixels)
    if isinstance(source, (int, np.integer)) and not isinstance(source, bool):
        return _capture(*_open_camera(int(source)), fps, max_pixels)
    if isinstance(source, np.ndarray) and source.ndim != 4:
        raise ArgumentError(f"video of shape {source.shape}: must be (frames, height, width, 3)")
    if isinstance(source, Iterable) and not isinstance(source, (bytes, bytearray, memoryview)):
        return _arrays(source, fps or DEFAULT_FPS)
    raise ArgumentError(
        f"video of type {type(source).__name__}: must be a path, a URL, the number of a camera, or "
        "an iterable of arrays"
    )


def _arrays(source: Iterable[NDArray[np.uint8]], fps: float) -> Iterator[VideoFrame]:
    for index, picture in enumerate(source):
        yield VideoFrame(index, index / fps, check_image(picture)[0])


def _open(cv2: Any, what: str | int) -> Any:
    with quiet(cv2):
        return cv2.VideoCapture(what)


def _open_stream(cv2: Any, url: str, timeout: float) -> Any:
    """Only OpenCV's FFmpeg back end has time limits."""
    limit = round(1000 * timeout)
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit]
    with quiet(cv2):
        return cv2.VideoCapture(url, cv2.CAP_FFMPEG, limits)


def _open_file(name: str, timeout: float) -> tuple[Any, str, bool]:
    """OpenCV's capture of a file or URL, its name for messages, and whether it is endless."""
    cv2 = opencv()
    stream = "://" in name
    if not stream:
        try:
            with open(name, "rb"):
                pass
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise FileError(f"{name}: cannot be read: {reason(error)}") from error
    # FFmpeg would read a relative a:b.mp4 as an address.
    capture = _open_stream(cv2, name, timeout) if stream else _open(cv2, os.path.abspath(name))
    if not capture.isOpened():
        if stream:
            raise FileError(f"{name}: cannot be opened; check the address and the network")
        raise VideoError(f"{name}: not a video that can be decoded; MP4, AVI or MKV is needed")
    return capture, name, False


def _open_camera(number: int) -> tuple[Any, str, bool]:
    settings()["camera"].check(number, "camera")
    cv2 = opencv()
    capture = _open(cv2, number if number < _PLAIN_CAMERAS else f"/dev/video{number}")
    if not capture.isOpened():
        raise FileError(
            f"camera {number}: cannot be opened; check that it is there (/dev/video{number}), that "
            "no other program uses it, and that you may read it"
        )
    return capture, f"camera {number}", True


def _capture(
    capture: Any, name: str, live: bool, fps: float | None, max_pixels: int
) -> Iterator[VideoFrame]:
    cv2 = opencv()
    width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
    height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    index, last, start = 0, -1.0, None
    declared = 0 if live else capture.get(cv2.CAP_PROP_FRAME_COUNT)
    step = 1 / (capture.get(cv2.CAP_PROP_FPS) or DEFAULT_FPS)
    try:
        check_pixels(name, width, height, max_pixels)
        while True:
            with quiet(cv2):
                ok, bgr = capture.read()
            if not ok:
                break
            check_pixels(name, bgr.shape[1], bgr.shape[0], max_pixels)
            seconds = index / fps if fps else index * step
            if live and fps is None:
                start = start or time.monotonic()
                seconds = time.monotonic() - start
            elif fps is None:
                seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if index and not seconds > last:  # some files repeat times, or have none
                seconds = last + step
            last = seconds
            yield VideoFrame(index, seconds, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
            index += 1
    finally:
        capture.release()
    if live:
        raise VideoError(f"{name}: gives no more pictures after frame {index}")
    if index == 0:
        raise VideoError(f"{name}: holds no picture that can be decoded")
    if index < WHOLE * declared:
        raise VideoError(
            f"{name}: breaks off after frame {index} of {declared:.0f}; get a whole copy of it"
        )
