"""`pymtcnn video`: find and follow faces in a video, a stream or a camera.

The options that it shares with the C program `mtcnn --video`, and the output, are the same; but
--time tells the milliseconds in JSON only.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from .. import formats
from ..arguments import MAX_FRAMES, check_every, check_fps
from ..detector import Detector
from ..drawing import draw
from ..errors import ArgumentError
from ..results import Detections
from ..tracking import Tracker, Tracks
from ..video import VideoFrame, frames
from .console import emit, interruptible, is_terminal, status_of, with_progress
from .options import Option, Parser, detector_options
from .video_file import check_video_name, video_file

DESCRIPTION = "Find faces and their five landmarks in a video, and follow them from frame to frame."
EPILOG = """\
Text is one line a face: VIDEO, frame, seconds, id, each with a tab, then x1 y1 x2 y2 score and x y
of the landmarks, as `pymtcnn detect` has them. Ctrl-C ends it: an annotated video is completed.
Exit status: 0 all frames were read; 1 the video or an output failed; 2 wrong usage; 130 Ctrl-C."""

EVERY = Option(
    "N",
    "search the whole picture in every N-th frame only; those between are looked at where faces "
    f"were or, with --no-track, left out; 1..{MAX_FRAMES}",
    int,
    check_every,
)
FPS = Option("F", "frames a second, where the video's own times are wrong", float, check_fps)


def main(argv: Sequence[str], *, prog: str = "pymtcnn video") -> int:
    """Run the command; returns the exit status."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # FFmpeg's own lines; ours tell enough
    return status_of(prog, lambda: _run(_parser(prog), argv))


def _parser(prog: str) -> Parser:
    parser = Parser(prog, DESCRIPTION, EPILOG)
    add = parser.add_argument
    add("video", metavar="VIDEO", help="a file, a URL such as rtsp://..., or a camera's number")
    parser.detector_options("the model built in")
    parser.checked("every", EVERY, otherwise="10, with --no-track 1")
    add("--no-track", dest="track", action="store_false", help="no ids, and nothing is smoothed")
    parser.checked("fps", FPS, otherwise="the video's")
    form = parser.add_mutually_exclusive_group()
    for name, what in (("json", "one JSON object a frame"), ("csv", "one row a face")):
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=what)
    parser.valued("out", "FILE", "annotated video: .mp4, .mkv or .avi")
    add("--time", action="store_true", help="with --json: milliseconds of each frame")
    parser.set_defaults(form="text")
    return parser


# ---- work ----------------------------------------------------------------------------------------


class _Search:
    """Looks for faces in the frames that are to be searched."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.detector = Detector(args.model, **detector_options(args))
        self._every = args.every or 1
        self._tracker = Tracker(self.detector, every=args.every) if args.track else None

    def __call__(self, frame: VideoFrame) -> Detections | Tracks | None:
        """None: this frame is left out."""
        if self._tracker:
            return self._tracker.update(frame.picture, frame.seconds)
        return self.detector.detect(frame.picture) if frame.index % self._every == 0 else None


def _run(parser: Parser, argv: Sequence[str]) -> int:
    args = parser.read(argv)
    try:
        if args.time and args.form != "json":
            raise ArgumentError("--time: goes with --json")
        if args.out is not None:
            check_video_name(args.out, args.video)
    except ArgumentError as error:
        parser.error(str(error))
    source = int(args.video) if re.fullmatch(r"\d{1,9}", args.video, re.ASCII) else args.video
    with ExitStack() as stack:
        search = _Search(args)
        stack.enter_context(search.detector)
        video: Any = frames(source, fps=args.fps)
        stack.callback(video.close)
        out = stack.enter_context(video_file(args.out)) if args.out is not None else None
        if args.form == "csv":
            emit(formats.csv_header(frames=True, ids=args.track))
        found: Any = None
        stop = stack.enter_context(interruptible())
        for frame in _shown(video):
            new = search(frame)
            if new is not None:
                found = new
                emit(_formatted(args, frame, found))
            if out is not None:
                out.add(draw(frame.picture, found), frame.seconds)
            if stop.is_set():  # the way to end a camera: what there is becomes whole
                return 130
    return 0


def _shown(video: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    """The frames, with a progress bar where no results go to the terminal."""
    if is_terminal(sys.stdout) or not is_terminal(sys.stderr):
        return video
    return iter(with_progress(video, None, "frame"))


def _formatted(args: argparse.Namespace, frame: VideoFrame, faces: Detections | Tracks) -> str:
    height, width = frame.picture.shape[:2]
    place = (frame.index, frame.seconds)
    return formats.formatted(
        args.form, args.video, faces, (width, height), frame=place, timed=args.time
    )
