"""Make the training samples of one network from annotated pictures.

    python train_mtcnn/prepare_data.py --net pnet --wider WIDER_FACE --out runs/mine/pnet-data
    python train_mtcnn/prepare_data.py --net rnet --model runs/mine/pnet.data ...
    python train_mtcnn/prepare_data.py --net onet --model runs/mine/rnet.data --landmarks FOLDER ...

Squares near faces and anywhere else, and what the networks trained so far let through (--model),
found by the C core: RNet and ONet need it, PNet can do without. All are
written in steps: a broken run goes on where it was, a finished one is not done again.

Writes samples (train_mtcnn/samples.py) into OUT, and there report.txt (counts by class and size,
proposal recall, what was skipped and why) and samples.png (crops with their labels drawn).
"""

from __future__ import annotations

import argparse
import hashlib
import math
import multiprocessing
import os
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    if not __package__:  # run as a script
        sys.path[0] = str(Path(__file__).resolve().parents[1])
    from train_mtcnn.script import require

    require("prepare_data.py", "numpy", "cv2", "tqdm")

import numpy as np
from numpy.typing import NDArray

from pymtcnn import Detector, crop, read_picture
from pymtcnn.commands.options import Parser
from pymtcnn.errors import ArgumentError, FileError, MtcnnError, OutOfMemoryError
from pymtcnn.files import atomic_write
from train_mtcnn.boxes import square
from train_mtcnn.landmark_sets import LandmarkFace, read_landmarks
from train_mtcnn.model_files import model_digest
from train_mtcnn.prepare_report import Report, sheet
from train_mtcnn.samples import LABEL, Kind, Samples, SampleWriter, is_finished
from train_mtcnn.sampling import (
    Boxes,
    Limits,
    at_most,
    inside,
    jitter,
    label,
    random_squares,
)
from train_mtcnn.wider import Annotation, read_annotations, usable

SIDES = {"pnet": 12, "rnet": 24, "onet": 48}
STAGES = {"pnet": ["pnet"], "rnet": ["pnet"], "onet": ["pnet", "rnet"]}  # whose boxes it is shown


@dataclass(frozen=True)
class Settings:
    """All that the samples depend on besides the pictures."""

    net: str
    limits: Limits = field(default_factory=Limits)
    min_face: float = 15.0  # pixels, longer side; smaller ones are neither faces nor background
    faces: int = 50  # a picture, by chance: crowds of small faces would outnumber all others
    positives: int = 6  # a face of min_face, as many more for each doubling of the size
    parts: int = 4  # as positives
    negatives: int = 60  # a picture, anywhere
    near: int = 3  # negatives a face, beside it
    mined: int = 150  # negatives a picture that the networks before this one let through
    own: int = 0  # negatives a picture that this network itself lets through: it is in the model
    landmark_crops: int = 8  # a landmark face
    held: float = 0.05  # share of the pictures held out for validation
    thresholds: tuple[float, ...] = (0.3, 0.3, 0.3)  # of the networks so far
    detect_face: float = 15.0  # min_face of the networks so far
    seed: int = 0


def held_out(name: str, share: float) -> bool:
    """Whether a picture is held out: by its name alone, so that all networks hold out the same."""
    return zlib.crc32(name.encode()) / 2**32 < share


# ---- one picture ---------------------------------------------------------------------------------


def _candidates(
    faces: Boxes, width: int, height: int, settings: Settings, rng: np.random.Generator
) -> Boxes:
    """Squares by chance, near faces and anywhere."""
    near = jitter(faces, 4 * (settings.positives + settings.parts), 0.4, 0.3, rng)
    beside = jitter(faces, 3 * settings.near, 0.9, 1.0, rng)
    least = SIDES["pnet"] if settings.net == "pnet" else settings.detect_face
    squares = np.concatenate(
        [near, beside, random_squares(width, height, settings.negatives, least, rng)]
    )
    if settings.net == "pnet":  # its cells never reach out of the picture
        squares = squares[inside(squares, width, height)]
    return squares[squares[:, 2] - squares[:, 0] >= 8]


def _repeated(faces: Boxes, min_face: float) -> Boxes:
    """Each face once, and once more for each doubling of its size: large ones are fewer."""
    sides = (faces[:, 2:] - faces[:, :2]).max(1, initial=0)
    return faces.repeat(1 + np.log2(np.maximum(sides / min_face, 1)).round().astype(int), 0)


def _pick(labels: NDArray, faces: int, settings: Settings, rng: np.random.Generator) -> NDArray:
    """Indices of the samples to keep: so many of each kind."""
    most = {
        Kind.POSITIVE: settings.positives * faces,
        Kind.PART: settings.parts * faces,
        Kind.NEGATIVE: settings.negatives + settings.near * faces,
    }
    parts = [at_most(np.flatnonzero(labels["kind"] == k), n, rng) for k, n in most.items()]
    return np.concatenate(parts)


def picture_samples(
    pixels: NDArray[np.uint8],
    faces: Boxes,
    others: Boxes,
    settings: Settings,
    found: Sequence[tuple[Boxes, int]],
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray]:
    """The samples of one picture.

    Parameters
    ----------
    pixels : [H, W, 3] RGB
    faces, others : [F, 4], [O, 4]
        Faces to learn from, and those to leave out.
    settings
    found
        Boxes [N, 4] that a network let through, and how many negatives to take from them.
    rng

    Returns
    -------
    crops [N, side, side, 3] uint8 and labels, LABEL [N]
    """
    height, width = pixels.shape[:2]
    chosen = at_most(np.arange(len(faces)), settings.faces, rng)
    others = np.concatenate([others, np.delete(faces, chosen, 0)])
    faces = faces[chosen]
    repeated = _repeated(faces, settings.min_face)
    squares = _candidates(repeated, width, height, settings, rng)
    labels = label(squares, faces, others, settings.limits)
    kept = _pick(labels, len(repeated), settings, rng)
    squares, labels = squares[kept], labels[kept]
    for boxes, most in found:
        mined = square(boxes)
        mined = mined[mined[:, 2] - mined[:, 0] >= 8]
        about = label(mined, faces, others, settings.limits)
        wrong = at_most(np.flatnonzero(about["kind"] == Kind.NEGATIVE), most, rng)
        right = np.flatnonzero((about["kind"] == Kind.POSITIVE) | (about["kind"] == Kind.PART))
        right = at_most(right, settings.positives * len(repeated), rng)
        chosen = np.concatenate([wrong, right])
        squares, labels = (
            np.concatenate(pair) for pair in ((squares, mined[chosen]), (labels, about[chosen]))
        )
    return crop(pixels, squares, SIDES[settings.net]), labels


def landmark_samples(
    pixels: NDArray[np.uint8], face: LandmarkFace, count: int, side: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray]:
    """Crops of a face whose five points are known, turned, squeezed, shifted and scaled a little.

    Returns
    -------
    crops [count, side, side, 3] uint8 and labels, LABEL [count]
    """
    import cv2

    height, width = pixels.shape[:2]
    box = square(face.box[None])
    centre = (box[0, :2] + box[0, 2:]) / 2
    crops = np.empty((count, side, side, 3), np.uint8)
    labels = np.zeros(count, LABEL)
    labels["kind"] = Kind.LANDMARK
    labels["size"] = box[0, 2] - box[0, 0]
    for i in range(count):
        angle, squeeze = (rng.normal(0, 18), rng.uniform(0.8, 1)) if i else (0, 1)
        turn = cv2.getRotationMatrix2D((0, 0), angle, 1)[:, :2] * (squeeze, 1)
        change = np.column_stack([turn, centre - turn @ centre])
        # OpenCV counts from the middle of the first pixel, we from its corner.
        shifted = change.copy()
        shifted[:, 2] += turn @ (0.5, 0.5) - 0.5
        turned = cv2.warpAffine(pixels, shifted, (width, height)) if i else pixels
        points = face.points @ turn.T + change[:, 2]
        near = jitter(face.box[None], 1, 0.2, 0.1, rng)
        crops[i] = crop(np.asarray(turned, np.uint8), near, side)[0]
        labels["landmarks"][i] = (points - near[0, :2]) / (near[0, 2] - near[0, 0])
    return crops, labels


# ---- a chunk of pictures, in a process of its own ------------------------------------------------

_PICTURES = 16  # WIDER pictures of a chunk
_FACES = 256  # landmark pictures of a chunk
_detector: Detector | None = None


def _open(model: str | None, settings: Settings) -> Detector | None:
    """The networks so far."""
    if model is None:
        return None
    return Detector(
        model, thresholds=settings.thresholds, min_face=settings.detect_face, clip=False
    )


def _start(model: str | None, settings: Settings) -> None:
    global _detector
    import cv2

    cv2.setNumThreads(1)
    _detector = _open(model, settings)


def _chunk(task: tuple[int, str, list, Settings]) -> tuple[NDArray, NDArray, Report]:
    """The samples of some pictures, and the report on them. A bad picture is counted."""
    number, folder, items, settings = task
    rng = np.random.default_rng([settings.seed, number])
    crops, labels, report = [], [], Report(STAGES[settings.net] if _detector else ())
    for item in items:
        try:
            pixels = read_picture(Path(folder, item.path))
            if isinstance(item, Annotation):
                part = _wider(pixels, item, settings, report, rng)
            else:
                side = SIDES[settings.net]
                part = landmark_samples(pixels, item, settings.landmark_crops, side, rng)
        except MtcnnError as error:
            report.bad.append(str(error))
            continue
        part[1]["held"] = held_out(item.path, settings.held)
        report.pictures += 1
        report.count(part[1])
        crops.append(part[0])
        labels.append(part[1])
    side = SIDES[settings.net]
    pixels = np.concatenate([np.empty((0, side, side, 3), np.uint8), *crops])
    return pixels, np.concatenate([np.empty(0, LABEL), *labels]), report


def _wider(
    pixels: NDArray[np.uint8],
    item: Annotation,
    settings: Settings,
    report: Report,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray]:
    keep, skipped = usable(item, pixels.shape[1], pixels.shape[0])
    report.skipped.update(skipped)
    large = (item.boxes[:, 2:] - item.boxes[:, :2]).max(1, initial=0) >= settings.min_face
    report.skipped[f"smaller than {settings.min_face:g} px"] += int((keep & ~large).sum())
    area = (item.boxes[:, 2:] > item.boxes[:, :2]).all(1)
    faces, others = item.boxes[keep & large], item.boxes[area & ~(keep & large)]
    found = []
    if _detector is not None:
        stages = _detector.detect_stages(pixels).stages
        report.recall(item.boxes[keep], stages, held_out(item.path, settings.held))
        before = len(STAGES[settings.net])
        found = [(stages[before - 1].boxes, settings.mined)]
        if settings.own:
            found.append((stages[before].boxes, settings.own))
    return picture_samples(pixels, faces, others, settings, found, rng)


def _run(
    tasks: list[tuple], start: tuple[str | None, Settings], jobs: int
) -> Iterator[tuple[NDArray, NDArray, Report]]:
    """The chunks in their order, made in `jobs` processes; few are held at a time."""
    if jobs == 1:
        _start(*start)
        yield from map(_chunk, tasks)
        return
    with ProcessPoolExecutor(
        jobs, multiprocessing.get_context("spawn"), initializer=_start, initargs=start
    ) as pool:
        waiting: list = []
        try:
            for task in tasks:
                waiting.append(pool.submit(_chunk, task))
                if len(waiting) > jobs + 1:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        except BrokenProcessPool as error:
            raise OutOfMemoryError(
                "a process died, perhaps for want of memory; give fewer --jobs and run it again:"
                " it goes on from here"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _pieces(items: list, size: int) -> list[list]:
    return [items[first : first + size] for first in range(0, len(items), size)]


def prepare(
    out: Path,
    settings: Settings,
    wider: Path,
    landmarks: Path | None = None,
    model: Path | None = None,
    pictures: int | None = None,
    jobs: int = 1,
) -> dict[str, Any]:
    """Make one network's samples.

    Parameters
    ----------
    out
        Folder to write.
    settings
    wider
        Folder of the unpacked WIDER FACE: wider_face_split/, WIDER_train/images.
    landmarks
        Folder of CNN_FacePoint or CelebA, for networks that give landmarks.
    model
        The networks so far: a `.data` file, for RNet and ONet.
    pictures
        Only so many, spread over the set; None: all.
    jobs
        Processes; the samples do not depend on it.

    Returns
    -------
    The report, also in OUT/samples.json.

    Raises
    ------
    MtcnnError
        If an annotation, the model or the output is bad. Bad pictures are counted and listed.
    """
    from tqdm import tqdm

    if settings.net != "pnet" and model is None:
        raise ArgumentError(
            f"--net {settings.net}: needs --model, the networks trained so far, whose finds it is"
            " shown"
        )
    images = wider / "WIDER_train" / "images"
    annotations = read_annotations(wider / "wider_face_split" / "wider_face_train_bbx_gt.txt")
    if not images.is_dir():
        raise FileError(f"{images}: no such folder; the training pictures belong there")
    faces = read_landmarks(landmarks) if landmarks else None
    points = list(faces.faces) if faces else []
    if pictures:
        annotations = spread(annotations, pictures)
        points = spread(points, 4 * pictures)
    if not annotations:
        raise FileError(f"{wider}: the annotations list no pictures")
    signed = {
        **asdict(settings),
        "wider": _digest(annotations),
        "landmarks": _digest(points),
        "model": model_digest(model) if model else None,
    }
    if is_finished(out, signed):
        return _tell(out, settings.seed)
    start = (None if model is None else os.fspath(model), settings)
    _open(*start)  # its faults are told here, and not in each process
    chunks = [(str(images), part) for part in _pieces(annotations, _PICTURES)]
    if points:
        chunks += [(str(landmarks), part) for part in _pieces(points, _FACES)]
    tasks = [(number, *chunk, settings) for number, chunk in enumerate(chunks)]
    writer = SampleWriter(out, SIDES[settings.net], signed)
    report = Report(STAGES[settings.net] if model else ())
    if faces:
        report.skipped.update(faces.skipped)
    if writer.notes:
        report = Report.from_json(writer.notes)
    begin, before = time.perf_counter(), report.pictures
    try:
        with tqdm(total=len(annotations) + len(points), unit="picture", disable=None) as bar:
            bar.update(report.pictures + len(report.bad))
            for crops, labels, part in _run(tasks[writer.steps :], start, jobs):
                report += part
                writer.commit(crops, labels, report.to_json())
                bar.update(part.pictures + len(part.bad))
    finally:
        writer.close()
    report.rate = 60 * (report.pictures - before) / max(time.perf_counter() - begin, 1e-9)
    if not report.pictures:
        writer.forget()
        raise FileError(f"{images}: none of the pictures could be read; first: {report.bad[0]}")
    (out / "samples.png").unlink(missing_ok=True)  # of other samples
    writer.finish(report.to_json())
    return _tell(out, settings.seed)


def _tell(out: Path, seed: int) -> dict[str, Any]:
    """Write what is not there of report.txt and samples.png; returns the report."""
    samples = Samples(out)
    report = samples.about["report"]
    if not (out / "samples.png").exists():  # the last one
        with atomic_write(out / "report.txt") as file:
            file.write(Report.from_json(report).text().encode())
        sheet(out / "samples.png", samples, seed)
    return report


def _digest(items: Sequence[Annotation | LandmarkFace]) -> str:
    """Hash of annotations."""
    digest = hashlib.sha256()
    for item in items:
        for value in vars(item).values():
            digest.update(value.encode() if isinstance(value, str) else value.tobytes())
    return digest.hexdigest()


def spread(items: list, count: int) -> list:
    """`count` of the items, spread evenly, or all."""
    if count >= len(items):
        return items
    return [items[index * len(items) // count] for index in range(count)]


# ---- the command line ----------------------------------------------------------------------------


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser("prepare_data.py", __doc__)
    add = parser.add_argument
    default = Settings("pnet")
    add("--net", choices=tuple(SIDES), required=True, help="the network to make samples for")
    add("--wider", type=Path, required=True, metavar="DIR", help="WIDER FACE, unpacked")
    add("--landmarks", type=Path, metavar="DIR", help="CNN_FacePoint or CelebA, for ONet")
    add("--model", type=Path, metavar="FILE.data", help="the networks so far, for RNet and ONet")
    add("--out", type=Path, metavar="DIR", help="default: runs/NET-data")
    add("--pictures", type=int, metavar="N", help="only N pictures, spread over the set")
    jobs = os.cpu_count() or 1
    add("--jobs", type=int, default=jobs, metavar="N", help="processes; default: all cores")
    for name, text in (
        ("faces", "faces of a picture to learn from, at most"),
        ("positives", "positives a face of --min-face, as many more a doubling of its size"),
        ("parts", "part faces, as --positives"),
        ("negatives", "negatives a picture, anywhere"),
        ("near", "negatives a face, beside it"),
        ("mined", "negatives a picture that the networks before this one let through, at most"),
        ("own", "negatives a picture that this network itself, in --model, lets through, at most"),
        ("landmark_crops", "crops a landmark face"),
        ("seed", "of all that is left to chance"),
        ("min_face", "longer side of the smallest face to learn from, pixels"),
        ("held", "share of the pictures held out for validation"),
        ("detect_face", "--min-face of the networks so far"),
    ):
        value = getattr(default, name)
        kind, metavar = (int, "N") if isinstance(value, int) else (float, "X")
        text = f"{text}; default: {value:g}"
        add("--" + name.replace("_", "-"), type=kind, default=value, metavar=metavar, help=text)
    for name, value in default.limits._asdict().items():
        text = f"overlap (IoU) of {name} crops; default: {value}"
        add(f"--iou-{name}", type=float, default=value, metavar="X", help=text)
    add(
        "--thresholds",
        type=float,
        nargs=3,
        default=default.thresholds,
        metavar=("P", "R", "O"),
        help="of the networks so far; default: 0.3 0.3 0.3, low so that hard ones are seen",
    )
    return parser.parse_args(argv)


def _settings(args: argparse.Namespace) -> Settings:
    limits = Limits(args.iou_positive, args.iou_part, args.iou_negative)
    if not 0 < limits.negative <= limits.part <= limits.positive <= 1:
        raise ArgumentError(f"{limits}: must be 0 < negative <= part <= positive <= 1")
    counts = ["faces", "positives", "parts", "negatives", "near", "mined", "own"]
    counts += ["landmark_crops", "seed"]
    for name in counts:
        if getattr(args, name) < 0:
            raise ArgumentError(f"--{name.replace('_', '-')} {getattr(args, name)}: is negative")
    for name in ("min_face", "detect_face"):
        if not 1 <= getattr(args, name) < math.inf:
            option = f"--{name.replace('_', '-')}"
            raise ArgumentError(f"{option} {getattr(args, name)}: must be at least 1 pixel")
    if args.jobs < 1 or (args.pictures is not None and args.pictures < 1):
        raise ArgumentError("--jobs and --pictures: must be at least 1")
    if not all(0 <= value <= 1 for value in args.thresholds):
        raise ArgumentError(f"--thresholds {args.thresholds}: must be 0 to 1 each")
    if not 0 <= args.held < 1:
        raise ArgumentError(f"--held {args.held}: must be at least 0 and less than 1")
    if args.own and args.net == "pnet":
        raise ArgumentError("--own: for rnet and onet; what PNet lets through is --mined")
    names = (*counts, "min_face", "held", "detect_face")
    values = {name: getattr(args, name) for name in names}
    return Settings(args.net, limits, thresholds=tuple(args.thresholds), **values)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = _arguments(argv)
    out = args.out or Path("runs") / f"{args.net}-data"
    try:
        settings = _settings(args)
        report = prepare(
            out, settings, args.wider, args.landmarks, args.model, args.pictures, args.jobs
        )
    except MtcnnError as error:
        print(f"prepare_data.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("prepare_data.py: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    print(Report.from_json(report).text(), end="")
    print(f"written to {out}/: samples, report.txt, samples.png")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
