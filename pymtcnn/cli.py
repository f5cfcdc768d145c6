"""The command line: `python -m pymtcnn`, and train_mtcnn/detector.py with a detector of its own.

Options and output are those of the C program `mtcnn`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from . import formats
from .arguments import (
    MAX_BOXES,
    MAX_THREADS,
    check_max_boxes,
    check_min_face,
    check_scale_factor,
    check_threads,
    check_thresholds,
)
from .destination import Destination
from .errors import ArgumentError, MtcnnError
from .pictures import draw, read_picture, write_picture
from .results import Detections

DESCRIPTION = "Find faces and their five landmarks in pictures, with MTCNN on the CPU."
EPILOG = """\
Coordinates are continuous pixels of the picture: the origin is the top left corner of the top left
pixel; a box is x1 y1 x2 y2. Landmarks are left eye, right eye, nose, left and right mouth corner.
Text is one line a face: PICTURE<TAB>x1 y1 x2 y2 score, then x y of the landmarks. A picture without
a face prints no line.
Exit status: 0 all pictures were read, with faces or not; 1 a picture or an output failed; 2 wrong
usage."""


class PictureDetector(Protocol):
    """What the command line needs of a detector."""

    def detect(self, image: NDArray[np.uint8], /) -> Detections:
        """Find the faces of an RGB picture, [H, W, 3]."""


def main(
    argv: Sequence[str] | None = None,
    *,
    prog: str = "pymtcnn",
    make_detector: Callable[[argparse.Namespace], PictureDetector] | None = None,
    description: str = DESCRIPTION,
    default_model: str = "the model built in",
) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.
    prog : str
        The program's name in help and messages.
    make_detector : callable, optional
        Makes the detector from the parsed arguments: ``model`` (``--model``, else the environment
        variable MTCNN_MODEL, else None), ``min_face``, ``thresholds``, ``scale_factor``,
        ``max_boxes`` (None: the model's own), ``threads``, ``clip``. By default a `Detector`.
    description : str
        What the program is, for ``--help``.
    default_model : str
        What the detector takes where ``model`` is None, for ``--help``.

    Returns
    -------
    int
        0: all pictures were read; 1: a picture or an output failed; 2: wrong usage.
    """
    try:
        parser = _parser(prog, description, default_model)
        args = _arguments(parser, sys.argv[1:] if argv is None else argv)
    except SystemExit as stop:  # --help, --version or a usage error, already printed
        return int(stop.code or 0)
    try:
        return _run(args, prog, make_detector or _default_detector)
    except MtcnnError as error:
        _complain(prog, error)
        return 1
    except OSError as error:  # from _emit; all other files' errors are MtcnnErrors
        if not isinstance(error, BrokenPipeError):  # head, for example, has what it wanted
            _complain(prog, f"standard output cannot be written: {error.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        return 1
    except KeyboardInterrupt:
        return 130


def _default_detector(args: argparse.Namespace) -> PictureDetector:
    from .detector import Detector

    return Detector(args.model, **detector_options(args))


def detector_options(args: argparse.Namespace) -> dict[str, Any]:
    """The parsed options as keyword arguments of a detector."""
    return {
        name: getattr(args, name)
        for name in ("min_face", "thresholds", "scale_factor", "max_boxes", "clip", "threads")
    }


# ---- arguments --------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """Usage errors in one line, with the remedy."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; try --help\n")


def _arguments(parser: _Parser, argv: Sequence[str]) -> argparse.Namespace:
    """The parsed and checked arguments; SystemExit where they are wrong."""
    args = parser.parse_args(joined(argv, _VALUED))
    args.model = args.model or os.environ.get("MTCNN_MODEL") or None
    for name, (parse, check) in _OPTIONS.items():
        text = getattr(args, name)
        if text is None:
            continue
        option = f"--{name.replace('_', '-')}"
        try:
            setattr(args, name, check(_parsed(parse, text), option))
        except ArgumentError as error:
            _, _, rule = str(error).partition(": ")
            parser.error(f"{option} {text}: {rule}")
    if args.out is not None:
        try:
            args.out = Destination(args.out, args.pictures)
        except ArgumentError as error:
            parser.error(str(error))
    return args


def joined(argv: Sequence[str], options: Iterable[str]) -> list[str]:
    """`--option value` as `--option=value`, so that a value may begin with a minus sign."""
    words = iter(argv)
    joined: list[str] = []
    for word in words:
        if word == "--":
            return [*joined, word, *words]
        takes = word.startswith("--") and any(f"--{name}".startswith(word) for name in options)
        value = next(words, None) if takes else None
        joined.append(word if value is None else f"{word}={value}")
    return joined


def _parsed(parse: Callable[[str], Any], text: str) -> Any:
    """The option's value, or the text itself for the check to complain about."""
    try:
        return parse(text)
    except ValueError:
        return text


def _floats(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]


def _integers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


_OPTIONS: dict[str, tuple[Callable[[str], Any], Callable[[Any, str], Any]]] = {
    "min_face": (float, check_min_face),
    "thresholds": (_floats, check_thresholds),
    "scale_factor": (float, check_scale_factor),
    "max_boxes": (_integers, check_max_boxes),
    "threads": (int, check_threads),
}
_VALUED = ("model", "out", *(name.replace("_", "-") for name in _OPTIONS))


def _parser(prog: str, description: str, default_model: str) -> _Parser:
    parser = _Parser(
        prog=prog,
        description=description,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("pictures", metavar="PICTURE", nargs="+", help="JPEG, PNG or what else OpenCV reads")
    add(
        "--model",
        metavar="FILE.data",
        help="the networks and their settings; default: the file that the environment variable "
        f"MTCNN_MODEL names, else {default_model}",
    )
    add(
        "--min-face",
        metavar="PX",
        help="side of the smallest face, pixels, at least 1; default: the model's",
    )
    add(
        "--thresholds",
        metavar="P,R,O",
        help="least probability after PNet, RNet, ONet, each 0..1; default: the model's",
    )
    add(
        "--scale-factor",
        metavar="F",
        help="ratio of neighbouring pyramid levels, above 0 and below 1; default: the model's",
    )
    add(
        "--max-boxes",
        metavar="P,R,O",
        help="most boxes that PNet, RNet, ONet hand on, the best ones, each "
        f"1..{MAX_BOXES}; bounds memory and time; default: the model's",
    )
    add("--threads", metavar="N", default="1", help=f"1..{MAX_THREADS}; default: 1")
    add("--no-clip", dest="clip", action="store_false", help="boxes may stick out of the picture")
    form = parser.add_mutually_exclusive_group()
    for name, what in (("json", "one JSON object a picture"), ("csv", "one row a face")):
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=what)
    add(
        "--out",
        metavar="PATH",
        help="annotated picture; with several pictures, or where PATH is a folder or ends in '/', "
        "a folder for one file a picture, of the same name",
    )
    add(
        "--time",
        action="store_true",
        help="milliseconds and candidates of each stage, on stderr, or in the JSON object",
    )
    add("--version", action="version", version=f"pymtcnn {_version()}")
    parser.set_defaults(form="text")
    return parser


def _version() -> str:
    from . import __version__

    return __version__


# ---- work -------------------------------------------------------------------------------------


def _run(
    args: argparse.Namespace,
    prog: str,
    make_detector: Callable[[argparse.Namespace], PictureDetector],
) -> int:
    """Detect in all pictures; 1 if one of them or its output failed, else 0."""
    detector = make_detector(args)
    if args.out is not None:
        args.out.make()
    failed = False
    if args.form == "csv":
        _emit(formats.CSV_HEADER)
    for path in args.pictures:
        try:
            _do_picture(args, detector, path)
        except MtcnnError as error:
            _complain(prog, error)
            failed = True
    return int(failed)


def _do_picture(args: argparse.Namespace, detector: PictureDetector, path: str) -> None:
    """Detect in one picture, print what was found and save the annotated picture."""
    rgb = read_picture(path)
    target = None if args.out is None else args.out.of(path)
    detections = detector.detect(rgb)
    _emit(_formatted(args, path, rgb, detections))
    if args.form == "text" and sys.stderr.isatty():
        _note(formats.summary(path, detections))
    if args.time and args.form != "json":
        _note(formats.timing(path, detections))
    if target is not None:
        write_picture(target, draw(rgb, detections))


def _formatted(
    args: argparse.Namespace, path: str, rgb: NDArray[np.uint8], detections: Detections
) -> str:
    if args.form == "json":
        height, width = rgb.shape[:2]
        return formats.json_line(path, width, height, detections, timed=args.time)
    return (formats.csv_rows if args.form == "csv" else formats.text_lines)(path, detections)


def _emit(text: str) -> None:
    """Write to standard output, at once; a path's bytes come out as they went in."""
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:  # replaced by a text-only object
        sys.stdout.write(text)
    else:
        stream.write(os.fsencode(text))
    sys.stdout.flush()


def _note(text: str) -> None:
    print(text, file=sys.stderr)


def _complain(prog: str, problem: object) -> None:
    """One line on standard error."""
    _note(f"{prog}: {' '.join(str(problem).splitlines())}")
