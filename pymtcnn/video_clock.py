"""When each frame of a video is shown, as csrc/program/video_clock.h has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass
class VideoClock:
    """Seconds since the first frame.

    They are the stream's own. Where its format has no time stamps, the time of arrival counts, and
    in a file, where nothing arrives, the declared rate.

    Attributes
    ----------
    kind : {"stream", "arrival", "rate"}
    rate : float
        Frames a second, as declared.
    gap : bool
        The next frame is the first of a new connection to an endless stream.
    frames : int
        So far.
    zero : float
        Time stamp or arrival of the first frame.
    seconds, arrival : float
        Of the frame before.
    """

    kind: Literal["stream", "arrival", "rate"] = "stream"
    rate: float = 25.0
    gap: bool = False
    frames: int = 0
    zero: float = 0.0
    seconds: float = 0.0
    arrival: float = 0.0

    def next(self, stamp: float | None, arrival: float) -> float:
        """The time of the next frame: after that of the one before.

        stamp: as the stream has it, in seconds; arrival: time.monotonic() when it came.
        """
        after = self.seconds + 1 / self.rate
        times = {"stream": stamp, "arrival": arrival, "rate": self.frames / self.rate}
        time = times[self.kind]
        if time is None:  # as the frame before would have it
            time = self.zero + after if self.frames else 0.0
        if not self.frames:
            self.zero = time
        elif self.gap:  # stamps begin anew, time has gone on
            self.zero = time - self.seconds - (arrival - self.arrival)
        if self.frames:
            seconds = time - self.zero
            self.seconds = seconds if seconds > self.seconds else after
        self.gap = False
        self.arrival = arrival
        self.frames += 1
        return self.seconds
