"""Average precision on WIDER FACE by the official protocol: easy, medium, hard; IoU 0.5.

    python train_mtcnn/evaluate.py --data WIDER_FACE
    python train_mtcnn/evaluate.py --data WIDER_FACE --landmarks FOLDER --stages

WIDER_FACE is the folder of the unpacked download: wider_face_split/ and WIDER_val/. Writes
predictions in the official form, the precision-recall curves and a table with the settings.
--landmarks adds ONet's error on testImageList.txt (AFLW); --stages adds, for each of the three
networks, its AP and its recall by face size. train_mtcnn/compare.py puts runs side by side.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":
    if not __package__:  # run as a script
        sys.path[0] = str(Path(__file__).resolve().parents[1])
    from train_mtcnn.script import require

    require("evaluate.py", "numpy", "scipy", "tqdm", "matplotlib")

import numpy as np
from numpy.typing import NDArray

from pymtcnn.arguments import check_min_face, check_scale_factor, check_thresholds
from pymtcnn.cli import joined
from pymtcnn.errors import ArgumentError, FileError, MtcnnError, OutOfMemoryError
from pymtcnn.files import atomic_write
from train_mtcnn.average_precision import Curve, evaluate, found_at
from train_mtcnn.darknet import DEFAULT_MODEL, NETWORKS
from train_mtcnn.files import read_bytes
from train_mtcnn.landmark_error import measure
from train_mtcnn.model_files import model_digest
from train_mtcnn.recall import SizeRecall, recall_table
from train_mtcnn.script import require
from train_mtcnn.wider import (
    Truth,
    prediction_path,
    read_prediction,
    read_truth,
    write_prediction,
)

# ---- detecting -----------------------------------------------------------------------------------

_detector = None  # one a process
_stages = False  # whether the boxes of PNet and RNet are written, too


def _make_detector(settings: dict) -> None:
    global _detector, _stages
    _stages = settings.get("stages", False)
    options = {key: settings[key] for key in ("min_face", "scale_factor", "thresholds")}
    if settings["backend"] == "torch":
        from train_mtcnn.detector import TorchDetector as Detector
    else:
        from pymtcnn import Detector
    _detector = Detector(settings["model"], **options)


def stage_folder(predictions: Path, stage: str) -> Path:
    """Where the boxes of PNet or RNet lie, beside the predictions."""
    return predictions.with_name(f"{predictions.name}-{stage}")


def _detect(images: Path, out: Path, event: str, name: str) -> float:
    """Write one picture's prediction; returns its milliseconds."""
    found = _detector.detect(images / event / f"{name}.jpg")
    if _stages:
        for stage in found.stages[:-1]:
            write_prediction(stage_folder(out, stage.name), event, name, stage.boxes, stage.scores)
    write_prediction(out, event, name, found.boxes, found.scores)
    return found.total_ms


def _run(settings: dict, tasks: list[tuple], jobs: int) -> Iterator[float]:
    """Do all tasks in `jobs` processes; yields the milliseconds of each."""
    _make_detector(settings)  # here in any case: its errors are clearer than a dead process
    if jobs == 1 or len(tasks) < 2:
        for task in tasks:
            yield _detect(*task)
        return
    with ProcessPoolExecutor(
        min(jobs, len(tasks)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_make_detector,
        initargs=(settings,),
    ) as pool:
        futures = [pool.submit(_detect, *task) for task in tasks]
        try:
            for future in futures:
                yield future.result()
        except BrokenProcessPool as error:
            raise OutOfMemoryError(
                "a process died, perhaps for want of memory; give fewer --jobs, then --resume"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def detect_all(
    settings: dict, truth: list[Truth], images: Path, out: Path, jobs: int = 1, resume: bool = False
) -> dict:
    """Detect faces in all pictures and write the predictions.

    Parameters
    ----------
    settings
        backend ("c" or "torch"), model, min_face, scale_factor, thresholds, stages.
    truth
        The pictures.
    images
        Folder of the events' folders.
    out
        Predictions go to <out>/predictions, the settings to <out>/settings.json.
    jobs
        Processes; the results do not depend on it.
    resume
        Keep predictions that were made with the same settings.

    Returns
    -------
    Number of pictures detected now and, if there are any, their median milliseconds.

    Raises
    ------
    MtcnnError
        If a picture cannot be read, an output not be written, or the settings differ.
    """
    from tqdm import tqdm

    predictions, written = out / "predictions", out / "settings.json"
    signed = {**settings, "model_sha256": model_digest(Path(settings["model"]))}
    if resume and written.exists():
        if json.loads(read_bytes(written)) != json.loads(json.dumps(signed)):
            raise FileError(
                f"{written}: the predictions there were made with other settings; leave out"
                " --resume to replace them, or give another --out"
            )
    else:
        resume = False
    _make_folder(predictions)
    if not resume:
        for picture in truth:  # none of other settings may stay
            prediction_path(predictions, picture.event, picture.name).unlink(missing_ok=True)
        with atomic_write(written) as file:
            file.write(json.dumps(signed, indent=2).encode())
    tasks = [
        (images, predictions, picture.event, picture.name)
        for picture in truth
        if not prediction_path(predictions, picture.event, picture.name).exists()
    ]
    times = list(tqdm(_run(settings, tasks, jobs), total=len(tasks), unit="picture", disable=None))
    median = {"median_ms": round(float(np.median(times)), 2)} if times else {}
    return {"detected": len(times), **median}


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{path}: cannot be made: {error.strerror or error}") from error


# ---- reporting -----------------------------------------------------------------------------------


ALARMS = (0.1, 1.0)  # false alarms a picture


@dataclass
class Results:
    """What was measured of a model; what was not is empty.

    Attributes
    ----------
    curves
        "easy", "medium", "hard" -> precision and recall.
    settings
    found
        False alarms a picture -> share of the hard set's faces found at that threshold.
    stages
        Network -> AP of its boxes: "easy", "medium", "hard".
    recalls
        Network -> recall of its boxes by face size.
    landmarks
        Summary of the landmarks' errors.
    """

    curves: dict[str, Curve]
    settings: dict
    found: dict[float, float] = field(default_factory=dict)
    stages: dict[str, dict[str, float]] = field(default_factory=dict)
    recalls: dict[str, SizeRecall] = field(default_factory=dict)
    landmarks: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict:
        """Plain values."""
        return {
            "ap": {name: curve.ap for name, curve in self.curves.items()},
            "faces": {name: curve.faces for name, curve in self.curves.items()},
            "found": {f"{alarms:g}": share for alarms, share in self.found.items()},
            "stages": self.stages,
            "recalls": {name: recall.to_json() for name, recall in self.recalls.items()},
            "landmarks": self.landmarks,
            "curves": {
                name: {
                    "precision": np.round(curve.precision, 4).tolist(),
                    "recall": np.round(curve.recall, 4).tolist(),
                }
                for name, curve in self.curves.items()
            },
            "settings": self.settings,
        }


def table(results: Results) -> str:
    """The results as text."""
    lines = ["set      faces      AP"]
    lines += [f"{name:8} {curve.faces:5}  {curve.ap:.4f}" for name, curve in results.curves.items()]
    lines += [""] if results.found else []
    for alarms, share in results.found.items():
        lines.append(
            f"faces of the hard set found at {alarms:g} false alarms a picture: {share:.3f}"
        )
    if results.stages:
        lines += ["", "AP of each network's boxes"]
        for name, ap in results.stages.items():
            lines.append(f"{name:6}" + "".join(f"  {key} {ap[key]:.4f}" for key in ap))
        lines += ["", "share of the annotated faces that have a box of IoU 0.5 or more"]
        lines += [recall_table(results.recalls).rstrip()]
    if results.landmarks:
        error = results.landmarks
        lines += [
            "",
            f"landmarks of {error['faces']} faces, errors in distances between the eyes:"
            f" mean {error['mean']:.2%}, median {error['median']:.2%},"
            f" above 10%: {error['above_10_percent']:.1%}",
        ]
    lines += ["", *(f"{key}: {_show(value)}" for key, value in results.settings.items())]
    return "\n".join(lines) + "\n"


def _show(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def plot(path: Path, curves: dict[str, Curve], title: str) -> None:
    """Draw the precision-recall curves into a PNG file."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 5))
    for name, curve in curves.items():
        axes.plot(curve.recall, curve.precision, label=f"{name}: AP {curve.ap:.3f}")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title=title)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left")
    figure.tight_layout()
    with atomic_write(path) as file:
        figure.savefig(file, format="png", dpi=120)
    pyplot.close(figure)


def report(out: Path, results: Results) -> None:
    """Write results.txt, results.json and precision_recall.png into the folder `out`."""
    _make_folder(out)
    with atomic_write(out / "results.txt") as file:
        file.write(table(results).encode())
    with atomic_write(out / "results.json") as file:
        file.write((json.dumps(results.to_json()) + "\n").encode())
    title = f"WIDER FACE validation, {results.settings['pictures']} pictures"
    plot(out / "precision_recall.png", results.curves, title)


# ---- the command line ----------------------------------------------------------------------------


def _option(check):
    """A checker of pymtcnn.arguments as a type for argparse."""

    def parse(text: str):
        many = check is check_thresholds
        value = [float(part) for part in text.split(",")] if many else float(text)
        try:
            return check(value)
        except ArgumentError as error:
            raise argparse.ArgumentTypeError(str(error).partition(": ")[2]) from error

    parse.__name__ = "number"
    return parse


def _count(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: must be at least 1")
    return int(text)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="evaluate.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="WIDER_FACE", help="the folder of the download")
    add("--backend", choices=("c", "torch"), default="c", help="the C core or the reference")
    add("--model", type=Path, metavar="FILE.data", default=DEFAULT_MODEL, help="the model")
    add("--min-face", type=_option(check_min_face), default=20.0, metavar="PX", help="default: 20")
    add(
        "--scale-factor",
        type=_option(check_scale_factor),
        default=0.709,
        metavar="F",
        help="default: 0.709",
    )
    add(
        "--thresholds",
        type=_option(check_thresholds),
        default=(0.5, 0.5, 0.3),
        metavar="P,R,O",
        help="default: 0.5,0.5,0.3, low because AP wants the whole curve",
    )
    add("--landmarks", type=Path, metavar="DIR", help="folder of testImageList.txt (AFLW)")
    add("--stages", action="store_true", help="AP and recall by face size of each network")
    add("--predictions", type=Path, metavar="DIR", help="evaluate these; detect nothing")
    add("--out", type=Path, metavar="DIR", help="default: runs/evaluate-BACKEND")
    add("--pictures", type=_count, metavar="N", help="only N pictures, spread over the set")
    add("--jobs", type=_count, default=1, metavar="N", help="processes; default: 1")
    add("--resume", action="store_true", help="keep predictions made with the same settings")
    words = sys.argv[1:] if argv is None else argv
    return parser.parse_args(joined(words, ("min-face", "scale-factor", "thresholds")))


def _spread(truth: list[Truth], count: int | None) -> list[Truth]:
    if count is None or count >= len(truth):
        return truth
    return [truth[index * len(truth) // count] for index in range(count)]


def _evaluate(args: argparse.Namespace) -> None:
    split = args.data / "wider_face_split"
    if not split.is_dir():
        raise FileError(
            f"{split}: no such folder; --data is the folder with WIDER FACE's wider_face_split/"
            " and WIDER_val/"
        )
    truth = _spread(read_truth(split), args.pictures)
    settings: dict = {"pictures": len(truth)}
    if args.predictions:
        predictions, out = args.predictions, args.out
        settings["predictions"] = os.fspath(args.predictions)
        missing = [
            path
            for picture in truth
            if not (path := prediction_path(predictions, picture.event, picture.name)).exists()
        ]
        if missing:
            raise FileError(f"{missing[0]}: missing, as are {len(missing) - 1} others")
    else:
        images = args.data / "WIDER_val" / "images"
        if not images.is_dir():
            raise FileError(f"{images}: no such folder; the validation pictures belong there")
        out = args.out or Path("runs") / f"evaluate-{args.backend}"
        predictions = out / "predictions"
        if args.backend == "torch":
            require("evaluate.py", "torch")
        settings |= {
            "backend": args.backend,
            "model": os.fspath(args.model),
            "min_face": args.min_face,
            "scale_factor": args.scale_factor,
            "thresholds": args.thresholds,
            "stages": args.stages,
        }
        start = time.perf_counter()
        made = {key: settings[key] for key in settings if key != "pictures"}
        settings |= detect_all(made, truth, images, out, args.jobs, args.resume)
        settings["seconds"] = round(time.perf_counter() - start, 1)
    found = [read_prediction(predictions, p.event, p.name) for p in truth]
    settings["detections"] = sum(map(len, found))
    curves = evaluate(truth, found)
    results = Results(curves, settings)
    results.found = {alarms: found_at(curves["hard"], alarms, len(truth)) for alarms in ALARMS}
    if args.stages and not args.predictions:
        for stage in NETWORKS[:-1]:
            folder = stage_folder(predictions, stage)
            _add_stage(
                results, stage, truth, [read_prediction(folder, p.event, p.name) for p in truth]
            )
        _add_stage(results, NETWORKS[-1], truth, found)
    if args.landmarks and not args.predictions:
        results.landmarks = measure(args.model, args.landmarks).summary()
    print(table(results), end="")
    if out is not None:
        report(out, results)
        print(f"written to {out}/: results.txt, results.json, precision_recall.png")


def _add_stage(
    results: Results, stage: str, truth: list[Truth], found: list[NDArray[np.float64]]
) -> None:
    """Add what a network's boxes [N, 5] of all pictures are worth."""
    results.stages[stage] = {name: curve.ap for name, curve in evaluate(truth, found).items()}
    recall = results.recalls[stage] = SizeRecall()
    for picture, faces in zip(truth, found, strict=True):
        recall.add(_corners(picture.boxes), _corners(faces[:, :4]))


def _corners(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """x, y, width, height to x1, y1, x2, y2."""
    return np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = _arguments(argv)
    try:
        _evaluate(args)
    except MtcnnError as error:
        print(f"evaluate.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
