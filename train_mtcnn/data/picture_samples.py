"""The samples of one picture: crops of a face, of parts of one, of the background, of landmarks."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pymtcnn import crop
from pymtcnn.opencv import opencv
from train_mtcnn.cascade.boxes import Boxes, square
from train_mtcnn.common.dataclass_options import Range, option
from train_mtcnn.data.landmark_sets import LandmarkFace
from train_mtcnn.data.samples import LABEL, Kind
from train_mtcnn.data.sampling import Limits, at_most, inside, jitter, label, random_squares

SIDES = {"pnet": 12, "rnet": 24, "onet": 48}


@dataclass(frozen=True)
class SampleSettings:
    """All that the samples depend on besides the pictures."""

    net: str
    limits: Limits = field(default_factory=Limits)
    # Smaller faces are neither faces nor background.
    min_face: float = option(
        15.0, "longer side of the smallest face to learn from, pixels", Range(1)
    )
    # Chosen at random: crowds of small faces would outnumber all others.
    faces: int = option(50, "faces of a picture to learn from, at most", Range(0))
    positives: int = option(
        6, "positives a face of --min-face, as many more a doubling of its size", Range(0)
    )
    parts: int = option(4, "part faces, as --positives", Range(0))
    negatives: int = option(60, "negatives a picture, anywhere", Range(0))
    near: int = option(3, "negatives a face, beside it", Range(0))
    mined: int = option(
        150,
        "negatives a picture that the networks before this one let through, at most",
        Range(0),
    )
    own: int = option(
        0,
        "negatives a picture that this network itself, in --model, lets through, at most",
        Range(0),
    )
    landmark_crops: int = option(8, "crops a landmark face", Range(0))
    held: float = option(
        0.05, "share of the pictures held out for validation", Range(0, 1, below=True)
    )
    thresholds: tuple[float, ...] = option(
        (0.3, 0.3, 0.3),
        "of the networks so far",
        Range(0, 1),
        metavar=("P", "R", "O"),
        shown="0.3 0.3 0.3, low so that hard ones are seen",
    )
    detect_face: float = option(15.0, "--min-face of the networks so far", Range(1))
    seed: int = option(0, "of the random numbers", Range(0))


def held_out(name: str, share: float) -> bool:
    """Whether a picture is held out: by its name alone, so that all networks hold out the same."""
    return zlib.crc32(name.encode()) / 2**32 < share


# ---- a picture of WIDER FACE ---------------------------------------------------------------------


def _candidates(
    faces: Boxes, width: int, height: int, settings: SampleSettings, rng: np.random.Generator
) -> Boxes:
    """Random squares, near faces and anywhere."""
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


def _pick(
    labels: NDArray, faces: int, settings: SampleSettings, rng: np.random.Generator
) -> NDArray:
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
    settings: SampleSettings,
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


# ---- a face with landmarks -----------------------------------------------------------------------


def landmark_samples(
    pixels: NDArray[np.uint8], face: LandmarkFace, count: int, side: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray]:
    """Crops of a face whose five points are known, turned, squeezed, shifted and scaled a little.

    Returns
    -------
    crops [count, side, side, 3] uint8 and labels, LABEL [count]
    """
    cv2 = opencv()

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
