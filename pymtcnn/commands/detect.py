"""`pymtcnn detect`: find faces in pictures; train_mtcnn/detector.py has a detector of its own."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .. import formats
from ..errors import ArgumentError, MtcnnError, PictureWarning
from ..pictures import read_picture
from ..results import Detections
from .command_line import make_parser, read, value_of
from .console import complain, emit, is_terminal, note, printable, status_of, with_progress
from .destination import Annotated, Crops, Predictions, Write
from .options import Parser, given_options
from .results_file import Add, check_save, done_in, open_results
from .sources import Picture, find_pictures
from .video import run_video
from .workers import outcomes

DESCRIPTION = "Find faces and their five landmarks in pictures and videos, with MTCNN on the CPU."
_NAMED = 10
"""Pictures that failed and are named at the end; each has had its own message."""


class PictureDetector(Protocol):
    """What the command needs of a detector."""

    def detect(self, image: NDArray[np.uint8], /) -> Detections:
        """Find the faces of an RGB picture, [H, W, 3]."""

    def detect_stages(self, image: NDArray[np.uint8], /) -> Detections:
        """The same, with the boxes of each stage."""


MakeDetector = Callable[[argparse.Namespace], PictureDetector]


def _make_detector(args: argparse.Namespace) -> PictureDetector:
    """The detector that the parsed options ask for."""
    from ..detector import Detector

    return Detector(args.model, **given_options("detector", args))


def main(
    argv: Sequence[str] | None = None,
    *,
    prog: str = "pymtcnn detect",
    make_detector: MakeDetector | None = None,
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
    make_detector : callable, optional
        Makes the detector from the parsed arguments: ``model`` (``--model``, else the environment
        variable MTCNN_MODEL, else None) and what `given_options` takes of them. With ``--jobs``
        each process calls it, so it has to be a function of a module. A detector other than this
        module's takes pictures only.
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
    parser = make_parser(prog, description, default_model, videos=make_detector is None)
    words = sys.argv[1:] if argv is None else argv
    return status_of(prog, lambda: _run(parser, words, make_detector or _make_detector))


# ---- work ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    """What a picture holds, its width and height, what is odd about its file, and why its annotated
    copy was not written.
    """

    size: tuple[int, int]
    detections: Detections
    oddities: tuple[str, ...] = ()
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
        detector = make(args)
        self._detect = detector.detect_stages if args.stage else detector.detect
        self._stage = args.stage
        self._most = round(value_of(args, "max_pixels") * 1e6)
        self._annotated = annotated
        self._writes = writes

    def __call__(self, picture: Picture) -> _Found:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            rgb = read_picture(picture.source(), max_pixels=self._most)
        oddities = [str(w.message) for w in caught if issubclass(w.category, PictureWarning)]
        if self._annotated:
            self._annotated.check(picture)
        found = _Found((rgb.shape[1], rgb.shape[0]), self._detect(rgb), tuple(oddities))
        faces = found.detections.proposals(self._stage) if self._stage else found.detections
        try:
            for write in self._writes:
                write(picture, rgb, faces)
        except MtcnnError as error:
            return replace(found, problem=error)
        return found


def _run(parser: Parser, argv: Sequence[str], make: MakeDetector) -> int:
    """Detect in all pictures; 1 if one of them or its output failed, else 0."""
    args = read(parser, argv)
    if args.video is not None or args.camera is not None:
        return run_video(parser, args)
    found = find_pictures(args.inputs)
    pictures = found.pictures
    try:
        if args.save is not None:
            check_save(args.save, args.resume)
        named = set(args.inputs)  # a folder or a pattern stands for several, whatever it gives
        several = len(pictures) > 1 or any(picture.path not in named for picture in pictures)
        annotated = Annotated(args.out, pictures, several) if args.out is not None else None
        writes: list[Write] = [annotated] if annotated else []
        if args.crops is not None:
            writes.append(Crops(args.crops, value_of(args, "crop_size"), pictures))
        if args.wider is not None:
            writes.append(Predictions(args.wider, pictures))
    except ArgumentError as error:
        parser.error(str(error))
    failed = []
    for problem in found.problems:
        complain(parser.prog, problem)
        failed.append(str(problem).partition(": ")[0])
    total = len(pictures) + len(failed)
    if args.resume:
        done = done_in(args.save)
        pictures = [picture for picture in pictures if formats.utf8(picture.path) not in done]
    if annotated and pictures:
        annotated.make()
    work = partial(_Work, args, annotated, writes, make)
    saving = nullcontext() if args.save is None else open_results(args.save, args.resume)
    with saving as save, closing(outcomes(work, pictures, value_of(args, "jobs"))) as results:
        failed += _take(results, len(pictures), args, parser.prog, save)
    for line in found.passed_over:
        note(f"{parser.prog}: {printable(line)}")
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
            for oddity in found.oddities:
                complain(prog, oddity)
            if save is None:
                emit(_formatted(args, args.form, picture, found))
            elif problem is None:  # else --resume would not try it again
                save(picture.path, found.size, found.detections)
            if args.form == "text" and not bar and terminal:
                note(_formatted(args, "summary", picture, found)[:-1])
            if args.time and args.form != "json":
                note(_formatted(args, "times", picture, found)[:-1])
        if problem is not None:
            complain(prog, problem)
            yield picture.path


def _formatted(args: argparse.Namespace, form: str, picture: Picture, found: _Found) -> str:
    timed = bool(args.time)
    return formats.formatted(
        form, picture.path, found.detections, found.size, stage=args.stage, timed=timed
    )
