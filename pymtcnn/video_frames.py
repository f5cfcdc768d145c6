"""Videos: the frames of a file, a camera or a stream. Pixels are uint8 RGB."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arguments import check_image
from .errors import ArgumentError
from .pictures import MAX_PIXELS
from .settings import settings
from .video_input import Source
from .video_reader import DEFAULT_FPS, VideoReader
from .video_reader import VideoFrame as VideoFrame

VideoSource = str | os.PathLike[str] | int | Iterable[NDArray[np.uint8]]


def frames(
    source: VideoSource,
    *,
    fps: float | None = None,
    timeout: float | None = None,
    reconnect: float | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Iterator[VideoFrame]:
    """The frames of a video.

    Parameters
    ----------
    source : path, URL, int, or iterable of ndarray [H, W, 3] uint8 RGB
        A path or URL is anything that PyAV's FFmpeg reads, ``"-"`` standard input; a whole number
        is a camera.
    fps : float, optional
        Frames a second, above 0: for arrays, which have no time (default 25), and instead of a
        video's times, which are the stream's own or, where it has none, those of arrival.
    timeout : float, optional
        Seconds to wait for a stream's or camera's connection, and for each of its frames; default
        10.
    reconnect : float, optional
        Seconds for which to try to connect again after a stream or camera gave nothing for
        `timeout` or broke off, until a frame comes; default 0: not at all. Each time a
        `VideoWarning` is issued.
    max_pixels : int
        A video of larger frames is refused.

    Yields
    ------
    VideoFrame
        Closing the iterator closes the camera or file.

    Raises
    ------
    ArgumentError
        A source or array of the wrong kind, or `reconnect` for a file.
    FileError
        No such file or camera, or no such stream.
    VideoError
        Not a video; or one that stalls, breaks off or has damaged frames: all frames before have
        been yielded, and the message has their number.
    PictureError
        Its frames have more than `max_pixels` pixels.
    LibraryError
        PyAV cannot be loaded.
    """
    fps = None if fps is None else settings()["fps"].check(fps)
    if isinstance(source, np.ndarray) and source.ndim != 4:
        raise ArgumentError(f"video of shape {source.shape}: must be (frames, height, width, 3)")
    number = isinstance(source, (int, np.integer)) and not isinstance(source, bool)
    if isinstance(source, (str, os.PathLike)) or number:
        return timed(open_video(source, timeout, reconnect, max_pixels), fps)
    if isinstance(source, Iterable) and not isinstance(source, (bytes, bytearray, memoryview)):
        return _arrays(source, fps or DEFAULT_FPS)
    raise ArgumentError(
        f"video of type {type(source).__name__}: must be a path, a URL, the number of a camera, or "
        "an iterable of arrays"
    )


def open_video(
    source: Any,
    timeout: float | None,
    reconnect: float | None,
    max_pixels: int,
    stopped: Callable[[], object] = lambda: False,
) -> VideoReader:
    """A file, ``"-"`` for standard input, a URL or a camera, opened; as `frames`.

    stopped: whether reading is to end; it is asked while a pipe or a camera gives nothing.
    """
    table = settings()
    given = {"timeout": timeout, "reconnect": reconnect}
    checked = {
        name: table[name].default if value is None else table[name].check(value)
        for name, value in given.items()
    }
    camera = None if isinstance(source, (str, os.PathLike)) else int(source)
    if camera is not None:
        table["camera"].check(camera, "camera")
    name = os.fspath(source) if camera is None else device(camera)
    opened = Source(name, camera, checked["timeout"], max_pixels, stopped)
    if checked["reconnect"] and not opened.connects:
        raise ArgumentError("reconnect: is for streams and cameras, not for files")
    return VideoReader(opened, checked["reconnect"])


def device(camera: int) -> str:
    """A camera's name in output and messages."""
    return f"camera {camera}" if sys.platform in ("darwin", "win32") else f"/dev/video{camera}"


def timed(video: VideoReader, fps: float | None) -> Iterator[VideoFrame]:
    """The frames, at `fps` frames a second; None: at the video's own times."""
    try:
        for frame in video:
            yield replace(frame, seconds=frame.index / fps) if fps else frame
    finally:
        video.close()


def _arrays(source: Iterable[NDArray[np.uint8]], fps: float) -> Iterator[VideoFrame]:
    for index, picture in enumerate(source):
        yield VideoFrame(index, index / fps, check_image(picture)[0])
