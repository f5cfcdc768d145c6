"""Evaluate a model, or predictions that are there, on WIDER FACE and other annotated pictures.

    python train_mtcnn/evaluate.py --data WIDER_FACE [--landmarks FOLDER] [--fddb FOLDER]

WIDER_FACE is the folder of the unpacked download: wider_face_split/ and WIDER_val/. Measured are

  - average precision by the official protocol (easy, medium, hard; IoU 0.5), of all stages,
  - faces found at 0.1 and 1 false alarms a picture,
  - the share of faces that each stage finds, by their size,
  - with --landmarks: the error of the five points on AFLW (testImageList.txt),
  - with --fddb: FDDB's ROC curves.

Writes predictions in the official form, results.txt, results.json, curves.npz and plots. An --out
that holds those of other settings is refused. report.py puts several such folders side by side.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

if __name__ == "__main__":
    try:
        from train_mtcnn.common.requirements import require
    except ImportError as error:
        sys.exit(f"evaluate.py: {error}; `bash make_install.sh` makes a .venv that has it")
    require("evaluate.py", "numpy", "scipy", "tqdm", "matplotlib")

from pymtcnn.arguments import check_count
from pymtcnn.commands.console import status_of
from pymtcnn.commands.options import Option, Parser
from pymtcnn.errors import FileError
from train_mtcnn.common.requirements import require
from train_mtcnn.common.sequences import spread
from train_mtcnn.data.fddb import read_folds
from train_mtcnn.data.landmark_sets import read_facepoint
from train_mtcnn.data.wider import Truth, prediction_path, read_truth
from train_mtcnn.evaluation import evaluation_plots, fddb_measures, wider_measures
from train_mtcnn.evaluation.detect_set import FINAL, detect_all
from train_mtcnn.evaluation.evaluation_results import (
    CURVES,
    RESULTS,
    TABLE,
    Results,
    read_results,
    table,
    write_results,
)
from train_mtcnn.evaluation.landmark_error import landmark_error
from train_mtcnn.evaluation.wider_measures import read_stages, read_valid_faces
from train_mtcnn.network.darknet import DEFAULT_MODEL

# ---- the command line ----------------------------------------------------------------------------


PICTURES = Option(
    "N",
    "pictures, spread over the set",
    int,
    lambda value, name: check_count(value, name, 1_000_000),
)


def _arguments(argv: Sequence[str] | None, prog: str) -> argparse.Namespace:
    parser = Parser(prog, __doc__)
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="WIDER_FACE", help="the folder of the download")
    add("--backend", choices=("c", "torch"), default="c", help="the C core or the reference")
    add("--model", type=Path, metavar="FILE.data", default=DEFAULT_MODEL, help="the model")
    parser.setting("min_face", "20")
    parser.setting("scale_factor", "0.709")
    parser.setting("thresholds", "0.5,0.5,0.3")  # low: AP wants the whole curve
    add("--landmarks", type=Path, metavar="FOLDER", help="AFLW: testImageList.txt, AFLW/")
    add("--fddb", type=Path, metavar="FOLDER", help="FDDB: FDDB-folds/ and originalPics/")
    add("--predictions", type=Path, metavar="DIR", help="evaluate these; detect nothing")
    add("--out", type=Path, metavar="DIR", help="default: runs/evaluate-BACKEND")
    parser.checked("pictures", PICTURES, otherwise="all")
    parser.setting("jobs", "1")
    add("--resume", action="store_true", help="keep predictions made with the same settings")
    add("--force", action="store_true", help="replace what was made with other settings")
    args = parser.read(sys.argv[1:] if argv is None else argv)
    if args.predictions and (args.landmarks or args.fddb):
        parser.error("--predictions detects nothing, so leave out --landmarks and --fddb")
    return args


def _stored(args: argparse.Namespace, truth: list[Truth]) -> Path:
    """The folder of the predictions that were given, with one for each picture.

    Results of other predictions are replaced with --force only.
    """
    there = args.out and args.out / RESULTS
    if there and there.exists() and not args.force:
        of = read_results(args.out).values["settings"].get("predictions")
        if of != os.fspath(args.predictions):
            raise FileError(
                f"{there}: holds the results of {of or 'a model'}; give another --out, or --force"
                " to replace them"
            )
    missing = [
        path
        for picture in truth
        if not (path := prediction_path(args.predictions, picture.event, picture.name)).exists()
    ]
    if missing:
        raise FileError(f"{missing[0]}: missing, as are {len(missing) - 1} others")
    return args.predictions


def _detected(args: argparse.Namespace, truth: list[Truth], out: Path) -> dict:
    """Make predictions in the folder `out`; returns their number and time."""
    images = args.data / "WIDER_val" / "images"
    if not images.is_dir():
        raise FileError(f"{images}: no such folder; the validation pictures belong there")
    pictures = [(picture.event, picture.name) for picture in truth]
    start = time.perf_counter()
    made = detect_all(_model(args), pictures, images, out, **_how(args))
    return {**made, "seconds": round(time.perf_counter() - start, 1)}


def _model(args: argparse.Namespace) -> dict:
    """The model and its settings, those that `detect_all` takes."""
    return {
        "backend": args.backend,
        "model": os.fspath(args.model),
        "min_face": args.min_face,
        "scale_factor": args.scale_factor,
        "thresholds": args.thresholds,
    }


def _how(args: argparse.Namespace) -> dict:
    """The other options of `detect_all`."""
    return {"jobs": args.jobs, "resume": args.resume, "force": args.force}


def _evaluate(args: argparse.Namespace) -> int:
    if args.backend == "torch" or args.landmarks:
        require("evaluate.py", "torch")
    split = args.data / "wider_face_split"
    if not split.is_dir():
        raise FileError(
            f"{split}: no such folder; --data is the folder with WIDER FACE's wider_face_split/"
            " and WIDER_val/"
        )
    truth = spread(read_truth(split), args.pictures)
    faces = read_valid_faces(split, truth)
    marked = read_facepoint(args.landmarks / "testImageList.txt") if args.landmarks else None
    folds = read_folds(args.fddb) if args.fddb else None

    settings: dict = {"pictures": len(truth)}
    if args.predictions:
        out, predictions = args.out, _stored(args, truth)
        settings["predictions"] = os.fspath(predictions)
    else:
        out = args.out or Path("runs") / f"evaluate-{args.backend}"
        predictions = out / "predictions"
        settings |= {**_model(args), **_detected(args, truth, out)}
    stages = read_stages(predictions, truth)
    settings["detections"] = sum(map(len, stages[FINAL]))
    values, curves = wider_measures.measure(truth, faces, stages)
    if marked:
        errors = landmark_error(args.model, args.landmarks, marked.faces)
        values["landmarks"] = {**asdict(errors), "left_out": marked.skipped.total()}
    if folds:
        measured = fddb_measures.measure(folds, args.fddb, _model(args), out / "fddb", **_how(args))
        values["fddb"] = measured[0]
        curves |= measured[1]
    results = Results({**values, "settings": settings}, curves)
    print(table(results.values), end="")
    if out is not None:
        write_results(out, results)
        title = f"WIDER FACE validation, {len(truth)} pictures"
        evaluation_plots.precision_recall(out / "precision_recall.png", results, title)
        evaluation_plots.recall_by_size(out / "recall_by_size.png", {out.name: results})
        if folds:
            evaluation_plots.roc(out / "fddb.png", {out.name: results})
        print(f"written to {out}/: {TABLE}, {RESULTS}, {CURVES}, plots")
    return 0


def main(argv: Sequence[str] | None = None, *, prog: str = "evaluate.py") -> int:
    """The command line; returns the exit status."""
    return status_of(prog, lambda: _evaluate(_arguments(argv, prog)))


if __name__ == "__main__":
    raise SystemExit(main())
