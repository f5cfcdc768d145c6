"""The samples of one network, made in processes and steps; what is done is not done again."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymtcnn import Detector, read_picture
from pymtcnn.errors import ArgumentError, FileError, MtcnnError
from pymtcnn.files import atomic_write
from pymtcnn.opencv import opencv
from train_mtcnn.common.processes import in_processes
from train_mtcnn.common.sequences import spread
from train_mtcnn.data.landmark_sets import LandmarkFace, read_landmarks
from train_mtcnn.data.picture_samples import (
    SIDES,
    SampleSettings,
    held_out,
    landmark_samples,
    picture_samples,
)
from train_mtcnn.data.sample_report import Report, sheet
from train_mtcnn.data.samples import LABEL, Samples, SampleWriter, is_finished
from train_mtcnn.data.wider import Annotation, read_annotations, usable
from train_mtcnn.network.model_files import model_digest

STAGES = {"pnet": ["pnet"], "rnet": ["pnet"], "onet": ["pnet", "rnet"]}  # whose boxes it is shown


# ---- a chunk of pictures, in a process of its own ------------------------------------------------

_PICTURES = 16  # WIDER pictures of a chunk
_FACES = 256  # landmark pictures of a chunk
_AGAIN = "give fewer --jobs and run it again: it continues from here"
_detector: Detector | None = None


def _open(model: str | None, settings: SampleSettings) -> Detector | None:
    """A detector with the networks so far."""
    if model is None:
        return None
    return Detector(
        model, thresholds=settings.thresholds, min_face=settings.detect_face, clip=False
    )


def _start(model: str | None, settings: SampleSettings) -> None:
    global _detector
    cv2 = opencv()

    cv2.setNumThreads(1)
    _detector = _open(model, settings)


def _chunk(task: tuple[int, str, list, SampleSettings]) -> tuple[NDArray, NDArray, Report]:
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
    settings: SampleSettings,
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


def _pieces(items: list, size: int) -> list[list]:
    return [items[first : first + size] for first in range(0, len(items), size)]


def prepare(
    out: Path,
    settings: SampleSettings,
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
        return _write_report(out, settings.seed)
    start = (None if model is None else os.fspath(model), settings)
    _open(*start)  # a bad model is reported here, and not in each process
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
            for crops, labels, part in in_processes(
                _chunk, tasks[writer.steps :], jobs, _start, start, _AGAIN
            ):
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
    return _write_report(out, settings.seed)


def _write_report(out: Path, seed: int) -> dict[str, Any]:
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
