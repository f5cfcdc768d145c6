"""`pymtcnn detect`: find faces in pictures; train_mtcnn/detector.py has a detector of its own.

Options and output are those of the C program `mtcnn`, and more.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .. import __version__, formats
from ..arguments import MAX_CROP, check_count, check_megapixels
from ..errors import ArgumentError, MtcnnError
from ..pictures import read_picture
from ..results import Detections
from .console import complain, emit, is_terminal, note, status_of, with_progress
from .destination import Annotated, Crops, Predictions, Write
from .options import JOBS, Option, Parser, detector_options
from .results_file import Add, check_save, done_in, open_results
from .sources import Picture, find_pictures
from .workers import outcomes

DESCRIPTION = "Find faces and their five landmarks in pictures, with MTCNN on the CPU."
EPILOG = """\
Coordinates are continuous pixels of the picture: the origin is the top left corner of the top left
pixel; a box is x1 y1 x2 y2. Landmarks are left eye, right eye, nose, left and right mouth corner.
Text is one line a face: PICTURE<TAB>x1 y1 x2 y2 score, then x y of the landmarks. A picture without
a face prints no line.
Exit status: 0 all pictures were read, with faces or not; 1 a picture or an output failed; 2 wrong
usage; 130 interrupted."""

MEGAPIXELS = Option(
    "MP",
    "refuse larger pictures, in megapixels; JPEG and PNG by what their header says",
    float,
    check_megapixels,
)
CROP_SIZE = Option(
    "PX", f"side of the crops, pixels, 1..{MAX_CROP}", int, partial(check_count, most=MAX_CROP)
)

_NAMED = 10
"""Pictures that failed and are named at the end; each has had its own message."""


class PictureDetector(Protocol):
    """What the command needs of a detector."""

    def detect(self, image: NDArray[np.uint8], /) -> Detections:
        """Find the faces of an RGB picture, [H, W, 3]."""


MakeDetector = Callable[[argparse.Namespace], PictureDetector]


def make_detector(args: argparse.Namespace) -> PictureDetector:
    """The detector that the parsed options ask for."""
    from ..detector import Detector

    return Detector(args.model, **detector_options(args))


def main(
    argv: Sequence[str] | None = None,
    *,
    prog: str = "pymtcnn detect",
    make_detector: MakeDetector = make_detector,
    description: str = DESCRIPTION,
    default_model: str = "the model built in",
) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.
    prog : str
        The program's name in help and messages.
    make_detector : callable
        Makes the detector from the parsed arguments: ``model`` (``--model``, else the environment
        variable MTCNN_MODEL, else None), ``min_face``, ``thresholds``, ``scale_factor``,
        ``max_boxes`` (None: the model's own), ``threads``, ``clip``. With ``--jobs`` each process
        calls it, so that it has to be a function of a module.
    description : str
        What the program is, for ``--help``.
    default_model : str
        What the detector takes where ``model`` is None, for ``--help``.

    Returns
    -------
    int
        The exit status: 0 all pictures were read; 1 a picture or an output failed; 2 wrong usage;
        130 interrupted.
    """
    parser = _parser(prog, description, default_model)
    words = sys.argv[1:] if argv is None else argv
    return status_of(prog, lambda: _run(parser, words, make_detector))


# ---- arguments -----------------------------------------------------------------------------------


def _parser(prog: str, description: str, default_model: str) -> Parser:
    parser = Parser(prog, description, EPILOG)
    add = parser.add_argument
    add(
        "pictures",
        metavar="PICTURE",
        nargs="+",
        help="JPEG, PNG or what else OpenCV reads; a folder: all in it and in its folders; a "
        "pattern like 'x/*.jpg'; -: standard input",
    )
    parser.detector_options(default_model)
    parser.checked("jobs", JOBS, "1")
    parser.checked("max_pixels", MEGAPIXELS, "100")
    form = parser.add_mutually_exclusive_group()
    for name, what in (("json", "one JSON object a picture"), ("csv", "one row a face")):
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=what)
    parser.valued(
        "save",
        "FILE",
        "write the results there and not to standard output: .jsonl, .csv, .parquet",
        group=form,
    )
    add(
        "--resume",
        action="store_true",
        help="go on with --save FILE.jsonl, by the same options: leave out pictures that it holds",
    )
    parser.valued(
        "out",
        "PATH",
        "annotated picture; with several pictures or a folder of them, or where PATH is a folder "
        "or ends in '/', a folder for one file a picture, of the same name",
    )
    parser.valued(
        "crops",
        "DIR",
        "save each face, turned and scaled to ArcFace's five points, as NAME_0.png, ...; folders "
        "as with --out",
    )
    parser.checked("crop_size", CROP_SIZE, "112")
    parser.valued(
        "wider",
        "DIR",
        "save the faces in the form of WIDER FACE's evaluation, as DIR/EVENT/NAME.txt; EVENT is "
        "the name of the folder in which the picture lies",
    )
    add(
        "--time",
        action="store_true",
        help="milliseconds and candidates of each stage, on stderr, or in the JSON object",
    )
    add("--version", action="version", version=f"pymtcnn {__version__}")
    parser.set_defaults(form="text")
    return parser


# ---- work ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    """What a picture holds, its width and height, and why its annotated copy was not written."""

    size: tuple[int, int]
    detections: Detections
    problem: MtcnnError | None = None


class _Work:
    """What a process does with a picture."""

    def __init__(
        self,
        args: argparse.Namespace,
        annotated: Annotated | None,
        writes: Sequence[Write],
        make: MakeDetector,
    ) -> None:
        self._detector = make(args)
        self._most = round(args.max_pixels * 1e6)
        self._annotated = annotated
        self._writes = writes

    def __call__(self, picture: Picture) -> _Found:
        rgb = read_picture(picture.source(), max_pixels=self._most)
        if self._annotated:
            self._annotated.check(picture)
        found = _Found((rgb.shape[1], rgb.shape[0]), self._detector.detect(rgb))
        try:
            for write in self._writes:
                write(picture, rgb, found.detections)
        except MtcnnError as error:
            return replace(found, problem=error)
        return found


def _run(parser: Parser, argv: Sequence[str], make: MakeDetector) -> int:
    """Detect in all pictures; 1 if one of them or its output failed, else 0."""
    args = parser.read(argv)
    pictures, problems = find_pictures(args.pictures)
    try:
        if args.save is not None:
            check_save(args.save, args.resume)
        elif args.resume:
            raise ArgumentError("--resume: goes on with --save FILE.jsonl, which is not given")
        several = [picture.path for picture in pictures] != args.pictures or len(pictures) > 1
        annotated = Annotated(args.out, pictures, several) if args.out is not None else None
        writes: list[Write] = [annotated] if annotated else []
        if args.crops is not None:
            writes.append(Crops(args.crops, args.crop_size, pictures))
        if args.wider is not None:
            writes.append(Predictions(args.wider, pictures))
    except ArgumentError as error:
        parser.error(str(error))
    failed = []
    for problem in problems:
        complain(parser.prog, problem)
        failed.append(str(problem).partition(": ")[0])
    total = len(pictures) + len(failed)
    if args.resume:
        done = done_in(args.save)
        pictures = [picture for picture in pictures if picture.path not in done]
    if annotated and pictures:
        annotated.make()
    work = partial(_Work, args, annotated, writes, make)
    saving = nullcontext() if args.save is None else open_results(args.save, args.resume)
    with saving as save, closing(outcomes(work, pictures, args.jobs)) as results:
        failed += _take(results, len(pictures), args, parser.prog, save)
    if failed and total > 1:
        more = f" and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
        names = ", ".join(failed[:_NAMED])
        complain(parser.prog, f"{len(failed)} of {total} failed: {names}{more}")
    return int(bool(failed))


def _take(
    results: Iterable[tuple[Picture, _Found | MtcnnError]],
    count: int,
    args: argparse.Namespace,
    prog: str,
    save: Add | None,
) -> Iterator[str]:
    """Print or save all results; yields the paths of pictures that failed."""
    terminal = is_terminal(sys.stderr)
    bar = count > 1 and terminal and not (save is None and is_terminal(sys.stdout))
    if bar:
        results = with_progress(results, count, "picture")
    if save is None and args.form == "csv":
        emit(formats.csv_header())
    for picture, found in results:
        problem = found if isinstance(found, MtcnnError) else found.problem
        if isinstance(found, _Found):
            if save is None:
                emit(
                    formats.formatted(
                        args.form, picture.path, found.detections, found.size, timed=args.time
                    )
                )
            elif problem is None:  # else --resume would not try it again
                save(picture.path, found.size, found.detections)
            if args.form == "text" and not bar and terminal:
                note(formats.summary(picture.path, found.detections))
            if args.time and args.form != "json":
                note(formats.timing(picture.path, found.detections))
        if problem is not None:
            complain(prog, problem)
            yield picture.path
