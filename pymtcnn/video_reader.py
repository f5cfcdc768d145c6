"""The frames of a video file, a stream or a camera: decoded, upright, with their times."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import MtcnnError, VideoError, VideoWarning
from .pictures import check_pixels
from .video_clock import VideoClock
from .video_input import Ended, Source, VideoInput, listening, pyav

DEFAULT_FPS = 25.0
"""Frames a second where neither the source nor the caller says so."""

_PAUSES = 1.0, 8.0
"""Seconds until it is tried to connect again; twice as long each time, up to the second."""


@dataclass(frozen=True, repr=False, eq=False)
class VideoFrame:
    """A frame of a video.

    Attributes
    ----------
    index : int
        0, 1, ... in the order in which frames were read.
    seconds : float
        When it is shown; it increases from frame to frame. The first of a file, stream or camera is
        at 0.
    picture : ndarray, [H, W, 3] uint8, RGB
    """

    index: int
    seconds: float
    picture: NDArray[np.uint8]


class VideoReader:
    """Opens a source; raises as `pymtcnn.frames`.

    Parameters
    ----------
    source : Source
    reconnect : float
        Seconds to try to connect again where it stalls or breaks off; 0: never.

    Attributes
    ----------
    rate : float
        Frames a second as the source declares them; 25 where it does not.
    """

    def __init__(self, source: Source, reconnect: float) -> None:
        self._source = source
        self._reconnect = reconnect if source.connects else 0
        self._clock = VideoClock()
        self._input: VideoInput | None = None
        self._started = False  # a key frame has come
        self._packets = self._damaged = 0
        self._damaged_before = 0  # the packet that was read last, which may have been cut
        self._damage = ""  # what the first damaged frame has
        self._ended: Ended | None = None  # why the source ended, where that was too early
        self._broken_since: float | None = None  # until a frame comes
        self._seen: float | None = None  # frames up to this time came before a new connection
        self._arrival = 0.0
        self._connect()

    @property
    def rate(self) -> float:
        return self._clock.rate

    def close(self) -> None:
        """Close the source."""
        if self._input is not None:
            self._input.close()
        self._input = None

    def __iter__(self) -> Iterator[VideoFrame]:
        """The frames. A source that breaks off gives all before; damaged ones are left out, or
        shown as far as they can be. VideoError reports both, at the end."""
        try:
            while self._input is not None:
                packet = self._next_packet()
                for frame in self._decoded(packet):
                    seconds = self._time_of(frame)
                    if seconds is not None:
                        yield VideoFrame(self._clock.frames - 1, seconds, self._picture(frame))
                if packet is None:
                    break
        finally:
            self.close()
        self._report()

    # ---- connecting ------------------------------------------------------------------------------

    def _connect(self) -> None:
        self._input = opened = VideoInput(self._source)
        stream, clock = opened.stream, self._clock
        rate = stream.guessed_rate
        clock.rate = float(rate) if rate and rate > 0 else DEFAULT_FPS
        clock.kind = "stream" if not opened.stampless else "rate" if opened.file else "arrival"
        self._started = False

    def _connect_again(self, ended: Ended) -> bool:
        """Whether the source goes on: an endless one now, any other one where it broke off."""
        assert self._input is not None
        now = time.monotonic()
        self._broken_since = now if self._broken_since is None else self._broken_since
        end = self._broken_since + self._reconnect
        endless = self._input.endless
        if now < end:
            self._warn(f"{self._broken_off(ended)}; connecting again")
        self.close()
        pause, longest = _PAUSES
        cause: Exception = ended
        while time.monotonic() < end and not self._source.stopped():
            self._wait(min(pause, end - time.monotonic()))
            try:
                if not self._source.stopped():
                    self._connect()
                    self._clock.gap = endless
                    self._damaged = self._damaged_before
                    if not endless:
                        self._resume()
                    return True
            except MtcnnError as error:
                cause = Ended(str(error).removeprefix(f"{self._source.name}: "))
            pause = min(2 * pause, longest)
        self._ended = Ended(f"{cause}; gave up after {self._reconnect:g} seconds (--reconnect)")
        return False

    def _resume(self) -> None:
        assert self._input is not None
        self._seen = self._clock.seconds
        self._input.resume(self._clock.zero + self._seen)

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._source.stopped():
            time.sleep(0.02)

    def _warn(self, text: str) -> None:
        warnings.warn(VideoWarning(f"{self._source.name}: {text}"), stacklevel=2)

    def _broken_off(self, ended: Ended) -> str:
        return f"breaks off after frame {self._clock.frames}: {ended}"

    # ---- reading ---------------------------------------------------------------------------------

    def _next_packet(self) -> Any:
        """The next packet; None: there are no more."""
        while self._input is not None:
            try:
                packet = self._input.read()
                if packet is not None:
                    self._arrival = time.monotonic()
                    self._packets += 1
                    self._damaged_before = self._damaged
                    self._started = self._started or packet.is_keyframe
                    return packet
                ended = self._end_of(self._input)
            except Ended as error:
                ended = error
            if ended is None or self._source.stopped():
                return None
            self._ended = ended
            if not self._reconnect or not self._connect_again(ended):
                return None
            self._ended = None
        return None

    def _end_of(self, opened: VideoInput) -> Ended | None:
        """What is wrong with the end to which the source came; None: nothing."""
        if opened.cut_off:
            return Ended("its end is missing")
        if opened.endless and self._reconnect:
            return Ended("the other side has ended it")
        return None

    def _decoded(self, packet: Any) -> Iterator[Any]:
        """The frames that the packet completes; None: all that are left."""
        if self._input is None:
            return
        with listening() as log:
            try:
                frames = self._input.stream.codec_context.decode(packet)
            except pyav().error.FFmpegError as error:
                frames = []
                self._note_damage(f"{error.strerror}{f' ({log()})' if log() else ''}")
        for frame in frames:
            if frame.is_corrupt:
                self._note_damage("Invalid data found when processing input")
            yield frame

    def _note_damage(self, text: str) -> None:
        """Damage before the first key frame is none: the stream begins in the middle."""
        if self._started:
            self._damage = self._damage or text
            self._damaged += 1

    def _time_of(self, frame: Any) -> float | None:
        """When the frame is shown; None: it came before a new connection."""
        assert self._input is not None
        stamp = frame.dts if frame.pts is None else frame.pts
        seconds = None if stamp is None else float(stamp * self._input.stream.time_base)
        if self._seen is not None:
            if seconds is not None and seconds - self._clock.zero <= self._seen:
                return None
            self._seen = None
        self._broken_since = None
        return self._clock.next(seconds, self._arrival)

    def _picture(self, frame: Any) -> NDArray[np.uint8]:
        """The frame's pixels, upright, [H, W, 3] RGB."""
        check_pixels(self._source.name, frame.width, frame.height, self._source.max_pixels)
        rgb = frame.to_ndarray(format="rgb24", interpolation="BICUBIC")
        matrix = frame.side_data.get("DISPLAYMATRIX")
        return rgb if matrix is None else _upright(rgb, np.frombuffer(bytes(matrix), np.int32))

    def _report(self) -> None:
        """Raise what there is to report at the end."""
        if self._source.stopped():
            return
        name, ended = self._source.name, self._ended
        if ended is not None:
            remedy = "; check it, or allow more (--timeout)" if ended.stalled else ""
            if not remedy and "://" not in name and self._source.camera is None:
                remedy = "; get a whole copy of it"
            raise VideoError(f"{name}: {self._broken_off(ended)}{remedy}")
        if not self._clock.frames:
            raise VideoError(f"{name}: has no frame that can be decoded")
        if self._damaged:
            raise VideoError(
                f"{name}: {self._damaged} of {self._packets} frames are damaged: {self._damage}"
            )


def _upright(rgb: NDArray[np.uint8], matrix: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Turned by quarters and mirrored as a display matrix, 3 x 3 by rows, says."""
    x_to_x, x_to_y, _, y_to_x, y_to_y = (int(value) for value in matrix[:5])
    if abs(x_to_x) + abs(y_to_y) >= abs(x_to_y) + abs(y_to_x):
        from_right, from_bottom = x_to_x < 0, y_to_y < 0
    else:
        rgb = rgb.swapaxes(0, 1)
        from_right, from_bottom = y_to_x < 0, x_to_y < 0
    rgb = rgb[:: -1 if from_bottom else 1, :: -1 if from_right else 1]
    return np.ascontiguousarray(rgb)
