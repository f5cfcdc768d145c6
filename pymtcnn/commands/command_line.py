"""The command line that `pymtcnn detect`, `pymtcnn video` and the C program `mtcnn` share.

Its options are rows of the library's table of settings; `--save` and `--resume` are pymtcnn's own.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any

from .. import __version__
from ..errors import ArgumentError
from ..settings import Setting, settings
from .options import Parser, on_command_lines

EPILOG = """\
Coordinates are continuous pixels of the picture: the origin is the top left corner of the top left
pixel; a box is x1 y1 x2 y2. Landmarks are left eye, right eye, nose, left and right mouth corner.
Text is one line a face: PICTURE<TAB>x1 y1 x2 y2 score, then x y of the landmarks; in videos the
frame's number, its time in seconds and, with --track, the face's id follow the name, each with a
tab. A picture or frame without a face prints no line.
Exit status: 0 all was read, with faces or not; 1 a picture, the video or an output failed; 2 wrong
usage; 130 Ctrl-C, which completes an annotated video."""

_SOURCES = ("video", "camera")


def make_parser(prog: str, description: str, default_model: str, *, videos: bool = True) -> Parser:
    """The parser.

    Parameters
    ----------
    prog, description : str
        For help and messages.
    default_model : str
        What is used without `--model`, for the help.
    videos : bool
        Whether it has the options of videos.
    """
    parser = Parser(prog, description, EPILOG)
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="*",
        help="a picture, a folder (all in it and below it), a pattern such as 'x/*.jpg', or - for "
        "standard input" + ("; of `video` a file, a URL or the number of a camera" * videos),
    )
    for row in on_command_lines():
        if row.name == "model":
            parser.model_option(default_model, grouped=True)
        elif row.name not in ("help", "version") and (videos or row.group != "Video"):
            parser.setting(row.name, grouped=True)
    tables = parser.add_argument_group("Tables (pymtcnn alone)")
    parser.valued(
        "save",
        "FILE",
        "write the results there, not to standard output: .jsonl, .csv, .parquet",
        group=tables,
    )
    tables.add_argument(
        "--resume",
        action="store_true",
        help="resume --save FILE.jsonl, with the same options: skip pictures that it holds",
    )
    parser.add_argument("--version", action="version", version=f"pymtcnn {__version__}")
    return parser


def read(parser: Parser, argv: Sequence[str], *, video: bool = False) -> argparse.Namespace:
    """The parsed arguments, which are compatible; SystemExit, with the message printed, if not.

    Parameters
    ----------
    parser : Parser
        Of `make_parser`.
    argv : sequence of str
    video : bool
        Whether the verb is `video`, so that the one input is its source.
    """
    args = parser.read(argv)
    for name in settings():  # those that the parser leaves out
        if name not in args:
            setattr(args, name, None)
    try:
        if video and args.video is None and args.camera is None:
            _take_source(args)
        _check_together(args)
    except ArgumentError as error:
        parser.error(str(error))
    args.form = "json" if args.json else "csv" if args.csv else "text"
    return args


def _take_source(args: argparse.Namespace) -> None:
    """Make the one input of `video` its source: a camera by its number, else a file or URL."""
    if len(args.inputs) != 1:
        raise ArgumentError("video: one file, URL or number of a camera is needed")
    [word] = args.inputs
    args.inputs = []
    if re.fullmatch(r"[0-9]+", word):
        args.camera = settings()["camera"].parse(word, "--camera")
    else:
        args.video = word


def _check_together(args: argparse.Namespace) -> None:
    """Raise ArgumentError where options cannot be combined: by the table, and with --save."""
    source = next((name for name in _SOURCES if getattr(args, name) is not None), None)
    for row in on_command_lines():
        problem = getattr(args, row.name) is not None and _misplaced(args, row, bool(source))
        if problem:
            raise ArgumentError(f"--{row.option}: {problem}")
    if source and args.inputs:
        raise ArgumentError(f"--{source}: cannot go with pictures")
    if not source and not args.inputs:
        raise ArgumentError("no picture named")
    if args.crops is not None and args.stage in ("pnet", "rnet"):
        raise ArgumentError("--crops: needs landmarks, which --stage pnet and rnet do not give")
    if args.reconnect and args.video is not None and "://" not in args.video:
        raise ArgumentError("--reconnect: is for streams and cameras, not for files")
    if args.save is None:
        if args.resume:
            raise ArgumentError("--resume: needs --save FILE.jsonl")
    elif source:
        raise ArgumentError("--save: is for pictures, not for videos")
    elif args.stage:
        raise ArgumentError("--save: cannot go with --stage: tables hold faces")
    elif args.json or args.csv:
        raise ArgumentError("--save: cannot go with --json or --csv: the name's ending is the form")


def _misplaced(args: argparse.Namespace, row: Setting, video: bool) -> str | None:
    """Why a setting's option cannot stand beside the others; None: it can."""
    table = settings()
    if row.excludes and getattr(args, row.excludes) is not None:
        return f"cannot go with --{table[row.excludes].option}"
    if row.needs and getattr(args, row.needs) is None:
        return f"needs --{table[row.needs].option}"
    if row.has("OF_PICTURES") and video:
        return "is for pictures, not for videos"
    if row.has("OF_VIDEOS") and not video:
        return "is for videos: it needs the verb video, --video or --camera"
    return None


def value_of(args: argparse.Namespace, name: str) -> Any:
    """A setting's value, or the table's default where the command line does not give it."""
    value = getattr(args, name)
    return settings()[name].default if value is None else value
