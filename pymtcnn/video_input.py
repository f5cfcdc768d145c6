"""The packets of a video file, a stream or a camera, through PyAV: FFmpeg inside."""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from glob import glob
from pathlib import Path
from typing import Any

from ._library import core
from .errors import FileError, VideoError
from .files import reason
from .held import Held
from .optional import library
from .pictures import check_pixels

_CAMERAS = {"darwin": "avfoundation", "win32": "dshow"}
"""FFmpeg's names of what gives cameras, by sys.platform; else v4l2."""

_POLL = 0.002
"""Seconds between two questions to a camera without a frame."""

_NONBLOCK = 4
"""FFmpeg's AVFMT_FLAG_NONBLOCK, which has no name among the options."""


@cache
def pyav() -> Any:
    """PyAV's module, imported at the first video.

    Raises
    ------
    LibraryError
        It cannot be imported.
    """
    return library(
        "av",
        "av (PyAV; where it has no wheel, it is built from source with FFmpeg's headers), or use "
        "./mtcnn video",
    )


def _swap_level(level: int | None) -> int | None:
    """Set FFmpeg's log level, unless a program has set its own; returns the one before."""
    log = pyav().logging
    before: int | None = log.get_level()
    if before is None or level is None:
        log.set_level(level)
    return before


_silent = Held(_swap_level, 0)  # FFmpeg's PANIC: errors are only counted


@contextmanager
def listening() -> Iterator[Callable[[], str]]:
    """Inside, FFmpeg's last error is kept, not printed; yields what tells it, '' for none."""
    with _silent:
        log = pyav().logging
        before = log.get_last_error()[0]

        def last() -> str:
            count, error = log.get_last_error()
            return str(error[2]).strip() if count > before else ""

        yield last


@dataclass(frozen=True)
class Source:
    """What is read, and how.

    Attributes
    ----------
    name : str
        For messages: the path or URL, ``"-"`` for standard input, the camera's device.
    camera : int, optional
        Its number.
    timeout : float
        Seconds to wait for a connection, and for each frame.
    max_pixels : int
        Of the largest frame that is decoded.
    stopped : callable
        Whether reading is to end.
    """

    name: str
    camera: int | None
    timeout: float
    max_pixels: int
    stopped: Callable[[], object]

    @property
    def connects(self) -> bool:
        """Whether it is a URL or a camera: there may be another connection to it."""
        return self.camera is not None or "://" in self.name


class Ended(Exception):
    """A source ended too early; the text is why. stalled: it gave nothing."""

    def __init__(self, text: str, *, stalled: bool = False) -> None:
        super().__init__(text)
        self.stalled = stalled


def _lenient() -> dict[str, str]:
    """Options of PyAV by which metadata that are not UTF-8 are no error: from 19 on it has none."""
    return {"metadata_errors": "replace"} if int(pyav().__version__.split(".")[0]) < 19 else {}


class VideoInput:
    """An open source.

    Attributes
    ----------
    stream : av.VideoStream
        The one that is read.
    file : bool
        A regular file: it has an end, which is known.

    Raises
    ------
    FileError
        It cannot be opened.
    VideoError
        It is no video.
    PictureError
        Its frames are too large.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.file = False
        self._ticks = 0  # of the stream, until behind the packet that was read last
        self._cut = False  # that packet, of any stream, lacks its end
        self._last_log = ""
        self._pipe: _Pipe | None = None
        try:
            self._container = self._open()
        finally:
            self._check_pipe()
        try:
            self.stream = self._choose_stream()
            context = self.stream.codec_context
            if context is None:
                raise VideoError(f"{source.name}: is video which this FFmpeg does not decode")
            if context.width and context.height:  # else the first frame shows it
                check_pixels(source.name, context.width, context.height, source.max_pixels)
            context.thread_count = 1  # FFmpeg's own threads could wait for Python's lock
            context.options = {"max_pixels": str(source.max_pixels)}
        except BaseException:
            self.close()
            raise
        self._packets = self._demux()

    # ---- opening ---------------------------------------------------------------------------------

    def _open(self) -> Any:
        source, av = self._source, pyav()
        options = {"fflags": "-genpts", "rtsp_flags": "prefer_tcp"}
        kind, what = None, self._what()
        if source.camera is not None:
            kind = _CAMERAS.get(sys.platform, "v4l2")
            options["fflags"] += f"+{_NONBLOCK}"
        timeout = source.timeout if source.connects else None
        with listening() as log:
            try:
                return av.open(
                    what, "r", kind, container_options=options, timeout=timeout, **_lenient()
                )
            except av.error.InvalidDataError as error:
                text = f"is no video, or a damaged one: {_cause(error, log())}"
                raise VideoError(f"{source.name}: {text}") from error
            except av.error.ExitError as error:
                text = f"{_stalled(source)}; check it, or allow more (--timeout)"
                raise FileError(f"{source.name}: {text}") from error
            except av.error.FFmpegError as error:
                task = "opened" if source.camera is None else "used as a camera"
                text = f"cannot be {task}: {_cause(error, log())}"
                raise FileError(f"{source.name}: {text}") from error

    def _what(self) -> Any:
        """What PyAV opens: a URL or a file object. FileError, VideoError where it is neither."""
        source = self._source
        if source.camera is not None:
            return _camera(source)
        if source.connects:
            return source.name
        if source.name == "-":
            return self._regular_or_pipe(0, "pipe:0")
        try:
            status = os.stat(source.name)
            if stat.S_ISDIR(status.st_mode):
                raise FileError(f"{source.name}: is a folder; name a video in it")
            descriptor = os.open(source.name, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            if isinstance(error, FileError):
                raise
            raise FileError(f"{source.name}: cannot be opened: {reason(error)}") from error
        path = os.path.abspath(source.name)  # a:b.mp4 would be an address
        return self._regular_or_pipe(descriptor, path)

    def _regular_or_pipe(self, descriptor: int, path: str) -> Any:
        """The path of a regular file, else what reads from the descriptor."""
        status = os.fstat(descriptor)
        self.file = stat.S_ISREG(status.st_mode)
        if not self.file:
            self._pipe = _Pipe(descriptor, self._source.stopped)
            return self._pipe
        if descriptor:
            os.close(descriptor)
        if not status.st_size:
            raise VideoError(f"{self._source.name}: is an empty file")
        return path

    def _choose_stream(self) -> Any:
        """The best stream of video that is not a sound file's cover."""
        streams = self._container.streams
        videos = [each for each in streams.video if not _is_cover(each)]
        if not videos:
            only = ", only sound" if streams.audio else ""
            raise VideoError(f"{self._source.name}: has no video stream{only}")
        if self._container.format.name == "tty":  # any text is, to FFmpeg
            raise VideoError(f"{self._source.name}: is no video but text")
        best = streams.best("video")
        best = best if best in videos else videos[0]
        for each in streams:
            if each is not best and not self.file and hasattr(each, "discard"):
                each.discard = "all"
        return best

    def _demux(self) -> Iterator[Any]:
        """A file's sound tells where the file ends."""
        packets = self._container.demux() if self.file else self._container.demux(self.stream)
        return iter(packets)

    # ---- reading ---------------------------------------------------------------------------------

    def read(self) -> Any:
        """The stream's next packet; None at its end.

        Raises
        ------
        Ended
            It ended too early.
        """
        while True:
            packet = self._read_any()
            self._check_pipe()
            if packet is None:
                return None
            self._cut = packet.is_corrupt
            if packet.stream.index != self.stream.index:
                continue
            if packet.dts is not None:
                self._ticks = packet.dts + 1
            return packet

    def _read_any(self) -> Any:
        """The next packet of any stream; None at the end."""
        av = pyav()
        deadline = time.monotonic() + self._source.timeout
        with listening() as log:
            while True:
                try:
                    packet = next(self._packets)
                    self._last_log = log()
                    return None if not packet.size and packet.dts is None else packet
                except StopIteration:
                    return None
                except av.error.BlockingIOError:  # a camera without a frame
                    if time.monotonic() > deadline:
                        raise Ended(_stalled(self._source), stalled=True) from None
                    if self._source.stopped():
                        return None
                    time.sleep(_POLL)
                    self._packets = self._demux()
                except av.error.ExitError:
                    raise Ended(_stalled(self._source), stalled=True) from None
                except av.error.FFmpegError as error:
                    if self._is_closing(error):
                        return None
                    raise Ended(_cause(error, log())) from error

    def _check_pipe(self) -> None:
        """Raise the KeyboardInterrupt that came while a pipe gave nothing."""
        if self._pipe is not None and self._pipe.interrupted:
            raise KeyboardInterrupt

    def _is_closing(self, error: Any) -> bool:
        """Whether it is what HTTP tells where the other side closes an endless stream."""
        http = self._source.name.startswith("http")
        return http and self.endless and bool(error.errno == errno.EIO)

    @property
    def cut_off(self) -> bool:
        """Whether the end that `read` came to is not where the source's own data say."""
        name = self._container.format.name
        if name == "mpegts":  # declares nothing: it may end anywhere
            return False
        if name == "avi" and self._ticks < self.stream.frames:
            return True  # there is a frame, maybe an empty one, at each tick
        # What the readers of MP4 and Matroska log where less is there than the file declares.
        log = self._last_log
        return self._cut or "partial file" in log or "ended prematurely" in log

    @property
    def endless(self) -> bool:
        """Whether it has no end of its own, as a camera."""
        return not self.file and self._container.duration is None

    @property
    def stampless(self) -> bool:
        """Whether its format has no time stamps."""
        return self._container.format.name in _stampless_formats()

    def resume(self, seconds: float) -> None:
        """Go to a time; where that cannot be done, it is read anew."""
        stamp = int(seconds / self.stream.time_base)
        try:
            self._container.seek(stamp, stream=self.stream)
        except pyav().error.FFmpegError:
            return
        self._packets = self._demux()

    def close(self) -> None:
        """Close it."""
        self._container.close()


@cache
def _stampless_formats() -> frozenset[str]:
    library = core()
    return frozenset(library.ffi.string(library.lib.mtcnn_stampless_formats()).decode().split())


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & pyav().stream.Disposition.attached_pic)


def _stalled(source: Source) -> str:
    return f"gave nothing for {source.timeout:g} second{'s' * (source.timeout != 1)}"


def _cause(error: Any, log: str) -> str:
    """What FFmpeg's error means, and what its libraries said last."""
    return f"{error.strerror}{f' ({log})' if log else ''}"


def _camera(source: Source) -> str:
    """What FFmpeg opens as the camera; FileError where there is none."""
    if sys.platform == "darwin":
        return str(source.camera)
    if sys.platform == "win32":
        names = [
            each.name
            for each in pyav().enumerate_input_devices("dshow")
            if "video" in each.media_types
        ]
        if source.camera is None or source.camera >= len(names):
            there = f"but {', '.join(names)}" if names else "nor any other"
            raise FileError(f"{source.name}: there is no such camera, {there}")
        return f"video={names[source.camera]}"
    if not Path(source.name).exists():
        others = sorted(glob("/dev/video[0-9]*"))
        there = f"but {', '.join(others)}" if others else "nor any other"
        raise FileError(f"{source.name}: there is no such camera, {there}")
    return source.name


class _Pipe:
    """A pipe, as PyAV reads a file object; so a signal does not wait for the pipe's next byte."""

    name = "pipe"

    def __init__(self, descriptor: int, stopped: Callable[[], object]) -> None:
        self._descriptor = descriptor
        self._stopped = stopped
        self.interrupted = False

    def read(self, size: int) -> bytes:
        """The next bytes; b'' at the end."""
        try:
            return self._read(size)
        except KeyboardInterrupt:  # PyAV would lose it
            self.interrupted = True
            return b""

    def _read(self, size: int) -> bytes:
        if hasattr(select, "poll"):  # else it is Windows, whose pipes cannot be asked
            while not select.select([self._descriptor], [], [], 0.1)[0]:
                if self._stopped():
                    return b""
        return os.read(self._descriptor, size)

    def __del__(self) -> None:
        if self._descriptor:  # not standard input
            os.close(self._descriptor)
