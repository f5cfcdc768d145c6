"""`pymtcnn video`: find and follow faces in a video, a stream or a camera."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from time import perf_counter
from typing import Any

from .. import formats
from ..detector import Detector
from ..drawing import draw
from ..errors import ArgumentError, FileError, MtcnnError
from ..results import Detections
from ..tracking import Tracker, Tracks
from ..video_frames import VideoFrame, device, open_video, timed
from .command_line import make_parser, read, value_of
from .console import complain, emit, interruptible, is_terminal, note, status_of, with_progress
from .options import Parser, given_options
from .video_file import VideoFile, check_video_name

DESCRIPTION = "Find faces and their five landmarks in a video, and follow them from frame to frame."


def main(argv: Sequence[str], *, prog: str = "pymtcnn video") -> int:
    """Run the command; returns the exit status."""
    parser = make_parser(prog, DESCRIPTION, "the model built in")
    return status_of(prog, lambda: run_video(parser, read(parser, argv, video=True)))


# ---- work ----------------------------------------------------------------------------------------


class _Search:
    """Finds faces in the frames that are to be searched."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.detector = Detector(args.model, **given_options("detector", args))
        self._every = args.every or 1
        self._detect = self.detector.detect_stages if args.stage else self.detector.detect
        tracker = partial(Tracker, self.detector, **given_options("tracker", args))
        self._tracker = tracker() if args.track else None

    def __call__(self, frame: VideoFrame) -> Detections | Tracks | None:
        """None: this frame is skipped."""
        if self._tracker:
            return self._tracker.update(frame.picture, frame.seconds)
        return self._detect(frame.picture) if frame.index % self._every == 0 else None


def run_video(parser: Parser, args: argparse.Namespace) -> int:
    """Search the video that the parsed arguments name; returns the exit status."""
    source: str | int = args.video if args.camera is None else args.camera
    name = str(source) if args.camera is None else device(args.camera)
    try:
        if args.out is not None:
            check_video_name(args.out, name)
    except ArgumentError as error:
        parser.error(str(error))
    with ExitStack() as stack:
        search = _Search(args)
        stack.enter_context(search.detector)
        stop = stack.enter_context(interruptible())
        if args.form == "csv":
            emit(formats.csv_header(frames=True, ids=bool(args.track)))
        try:
            most = round(value_of(args, "max_pixels") * 1e6)
            video = open_video(source, args.timeout, args.reconnect, most, lambda: stop.signal)
        except MtcnnError:
            if stop.signal:
                return 128 + stop.signal
            raise
        stack.callback(video.close)
        work = _Work()
        if args.time:
            stack.callback(lambda: note(work.summary(name, args.track)))
        out = None
        if args.out is not None:
            out = _Annotated(parser.prog, VideoFile(args.out, args.fps or video.rate))
            stack.callback(out.finish)
        found: Any = None
        for frame in _shown(timed(video, args.fps)):
            work.count("decode")
            new = search(frame)
            work.add(new)
            work.count("search")
            if new is not None:
                found = new
                emit(_formatted(args, name, frame, found))
            if out is not None:
                out.add(frame, found.proposals(args.stage) if args.stage else found)
            work.count("print and write")
            if stop.signal:  # the way to end a camera
                break
    if stop.signal:
        return 128 + stop.signal
    return int(out is not None and out.failed)


class _Annotated:
    """The annotated video; where it cannot go on, the rest of the work does."""

    def __init__(self, prog: str, file: VideoFile) -> None:
        self._prog = prog
        self._file = file
        self.failed = False

    def add(self, frame: VideoFrame, faces: Any) -> None:
        """Add a frame with its faces."""
        if not self.failed:
            self._try(lambda: self._file.add(draw(frame.picture, faces), frame.seconds))

    def finish(self) -> None:
        """Complete it."""
        self._try(self._file.finish)

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except FileError as error:
            complain(self._prog, error)
            self.failed = True


class _Work:
    """What was done with the frames, and how long it took."""

    def __init__(self) -> None:
        self._begin = self._last = perf_counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self.frames = self._searched = self._followed = self._faces = 0

    def count(self, step: str) -> None:
        """Add the time since the previous step to this one."""
        now = perf_counter()
        self._seconds[step] += now - self._last
        self._last = now

    def add(self, found: Detections | Tracks | None) -> None:
        """Count a frame; None: it was skipped."""
        self.frames += 1
        if found is not None:
            scanned = getattr(found, "scanned", True)
            self._searched += scanned
            self._followed += not scanned
            self._faces += len(found)

    def summary(self, name: str, track: bool) -> str:
        """A table for people, as the C program prints it."""
        total = perf_counter() - self._begin
        followed = f", {self._followed} followed" if track else ""
        lines = [
            f"{name}:",
            f"  {self.frames} frames, {self._searched} searched{followed}, {self._faces} faces",
        ]
        for step, seconds in self._seconds.items() if self.frames else ():
            each, share = 1e3 * seconds / self.frames, 100 * seconds / total
            lines.append(f"  {step:<16}{each:8.2f} ms a frame{share:7.1f}%")
        if self.frames:
            rate = self.frames / total
            lines.append(f"  {'total':<16}{total:8.2f} s{rate:10.1f} frames a second")
        return "\n".join(lines)


def _shown(video: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    """The frames, with a progress bar where no results go to the terminal."""
    if is_terminal(sys.stdout) or not is_terminal(sys.stderr):
        return video
    return iter(with_progress(video, None, "frame"))


def _formatted(
    args: argparse.Namespace, name: str, frame: VideoFrame, faces: Detections | Tracks
) -> str:
    height, width = frame.picture.shape[:2]
    return formats.formatted(
        args.form,
        name,
        faces,
        (width, height),
        frame=(frame.index, frame.seconds),
        stage=args.stage,
        timed=bool(args.time),
    )
