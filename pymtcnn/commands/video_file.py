"""The annotated video that `pymtcnn video` writes, through PyAV."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError, FileError
from ..files import atomic_path
from ..video_input import pyav

FORMATS = {".mp4": "mp4", ".mkv": "matroska", ".avi": "avi"}
"""FFmpeg's, by the name's ending."""

TICKS = 60000
"""Of a second: whole for 24, 25, 30, 50, 60 frames a second; MPEG-4 allows 65535 at most."""

_X264 = {"preset": "veryfast", "crf": "20"}
_MPEG4 = {"flags": "+qscale", "global_quality": str(4 * 118)}
"""The quantiser, 4 of 1 (best) to 31, in FFmpeg's units."""

_BT601, _LIMITED = 6, 1
"""What libswscale makes of RGB, in FFmpeg's numbers."""

_STEP, _INDEX, _ENTRY = 1 << 20, 1 << 16, 64
"""Bytes: what the disk is asked for at a time, an index at most, and a frame's part of it."""

_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


def check_video_name(out: str, video: str) -> None:
    """Raise ArgumentError where no video of this name can be written, or it is the video itself."""
    if Path(out).suffix.lower() not in FORMATS:
        raise ArgumentError(f"--out {out}: the name must end in {', '.join(FORMATS)}")
    if os.path.exists(out) and os.path.exists(video) and os.path.samefile(out, video):
        raise ArgumentError(f"--out {out}: would overwrite the video itself; choose another name")


class VideoFile:
    """A video to write. It appears under its name when it is finished.

    Parameters
    ----------
    path : str
    rate : float
        Frames a second, roughly: .mp4 and .mkv keep each frame's own time.
    """

    def __init__(self, path: str, rate: float) -> None:
        self._path = path
        self._rate = rate
        self._format = FORMATS[Path(path).suffix.lower()]
        self._any_time = self._format != "avi"  # else a frame at each tick of the rate
        self._temporary = ExitStack()
        self._file: Any = None
        self._container: Any = None
        self._stream: Any = None
        self._size = (0, 0)
        self._last = -1  # time stamp of the frame before, in ticks
        self._given = 0  # bytes to the container, which may hold them back
        self._frames = 0

    def add(self, rgb: NDArray[np.uint8], seconds: float) -> None:
        """Add a frame, [H, W, 3] uint8, shown from `seconds` on.

        One of another size is scaled to that of the first, with black at two sides where its
        proportions are others.

        Raises
        ------
        FileError
            The video cannot go on; what there is of it is complete.
        """
        av = pyav()
        with self._completed_where_it_fails():
            if self._container is None:
                self._open(rgb.shape[1], rgb.shape[0])
            frame = av.VideoFrame.from_ndarray(_fitted(rgb, *self._size), "rgb24")
            frame = frame.reformat(*self._size, "yuv420p", interpolation="BICUBIC")
            tick = self._stream.codec_context.time_base
            self._last = max(round(seconds / tick), self._last + 1)
            frame.pts, frame.time_base = self._last, tick
            self._write(self._stream.encode(frame))

    def finish(self) -> None:
        """Complete the file, if there is one; FileError where that fails."""
        if self._container is not None:
            with self._completed_where_it_fails():
                self._write(self._stream.encode(None))
                self._close()

    @contextmanager
    def _completed_where_it_fails(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, pyav().error.FFmpegError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            remedy = "; free some space" if getattr(error, "errno", 0) == errno.ENOSPC else ""
            kept = "; it has the frames until there" if self._frames else ""
            failure = FileError(f"{self._path}: cannot be written: {reason}{remedy}{kept}")
            with suppress(OSError, pyav().error.FFmpegError):  # the first cause counts
                self._close()
            self._temporary.__exit__(FileError, failure, None)
            raise (error if isinstance(error, FileError) else failure) from error

    def _open(self, width: int, height: int) -> None:
        if width < 2 or height < 2:
            raise ValueError("a video needs 2 x 2 pixels at least")
        av = pyav()
        temporary = self._temporary.enter_context(atomic_path(self._path))
        file = open(temporary, "xb", buffering=0)  # noqa: SIM115 open until it is complete
        self._file = _Output(self._temporary.enter_context(file))
        rate = Fraction(self._rate).limit_denominator(65535)
        h264 = self._any_time and "libx264" in av.codecs_available
        self._container = av.open(self._file, "w", self._format)
        stream = self._container.add_stream("libx264" if h264 else "mpeg4", rate=rate)
        stream.options = dict(_X264 if h264 else _MPEG4)
        stream.width, stream.height = self._size = width & ~1, height & ~1  # as 4:2:0 wants it
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.colorspace, context.color_range = _BT601, _LIMITED
        context.time_base = Fraction(1, TICKS) if self._any_time else 1 / rate
        self._stream = stream

    def _write(self, packets: Any) -> None:
        for packet in packets:
            if not packet.duration:
                packet.duration = round(1 / self._rate / packet.time_base)
            entries = self._frames if self._any_time else self._last
            held = max(self._given, self._file.end)
            self._file.make_room(held + packet.size + 2 * _INDEX + _ENTRY * entries)
            self._given += packet.size + _ENTRY
            self._container.mux(packet)
            self._frames += 1

    def _close(self) -> None:
        """End the file, which gets its name if it has frames."""
        container, self._container = self._container, None
        if container is None:
            return
        try:
            container.close()
        finally:
            self._file.truncate()
            if self._frames:
                self._temporary.close()


class _Output:
    """A file as PyAV writes it, with room on the disk for what follows the frames (an index)."""

    name = "video"

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._room = 0
        self.end = 0

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        while view:  # the file has no buffer: it may take a part
            view = view[self._file.write(view) :]
        self.end = max(self.end, self._file.tell())
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def make_room(self, size: int) -> None:
        """See to it that the disk has so many bytes for the file; OSError where it has not."""
        if size <= self._room or not hasattr(os, "posix_fallocate"):
            return
        for room in (size + _STEP, size):
            try:
                os.posix_fallocate(self._file.fileno(), 0, room)
            except OSError as error:
                if error.errno in _FULL and room == size:
                    raise
            else:
                self._room = room
                return

    def truncate(self) -> None:
        """Give back the room that is not needed."""
        self._file.truncate(self.end)


def _fitted(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """The picture, or, where it has other proportions, in the middle of a black one of the size."""
    ratio = min(width / rgb.shape[1], height / rgb.shape[0])
    w, h = (max(1, min(round(ratio * rgb.shape[i]), n)) for i, n in ((1, width), (0, height)))
    if width - w < 2 and height - h < 2:
        return rgb
    frame = pyav().VideoFrame.from_ndarray(rgb, "rgb24")
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - w) // 2, (height - h) // 2
    small = frame.reformat(w, h, "rgb24", interpolation="BICUBIC").to_ndarray()
    canvas[top : top + h, left : left + w] = small
    return canvas
