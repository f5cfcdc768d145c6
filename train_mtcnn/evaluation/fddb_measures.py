"""FDDB measured with a model: its two ROC curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymtcnn.errors import FileError
from pymtcnn.pictures import pixels_of
from train_mtcnn.data.fddb import FddbPicture
from train_mtcnn.data.wider import read_prediction
from train_mtcnn.evaluation.detect_set import FINAL, detect_all
from train_mtcnn.evaluation.fddb_roc import Roc, evaluate

KINDS = ("discrete", "continuous")
FALSE_POSITIVES = (100, 500, 1000, 2000)  # of the rates in the table
_POINTS = 1000  # of a curve: enough for a plot


def measure(
    truth: list[FddbPicture], folder: Path, settings: dict, out: Path, **options: Any
) -> tuple[dict, dict[str, NDArray[np.float32]]]:
    """Detect faces in FDDB's pictures and evaluate them.

    Parameters
    ----------
    truth
        The pictures.
    folder
        The unpacked download, with originalPics/.
    settings
        As for `detect_all`.
    out
        Predictions and their settings go there.
    options
        Others of `detect_all`: jobs, resume, force.

    Returns
    -------
    values
        pictures, faces, discrete and continuous (number of false positives -> rate), to be
        written as JSON.
    curves
        "fddb-discrete", "fddb-continuous" -> [2, K]: false positives, true positive rate.

    Raises
    ------
    MtcnnError
        As for `detect_all`.
    """
    images = folder / "originalPics"
    if not images.is_dir():
        raise FileError(f"{images}: no such folder; FDDB's pictures belong there")
    names = [picture.path.removesuffix(".jpg").rpartition("/")[::2] for picture in truth]
    detect_all(settings, names, images, out, stages=(FINAL,), **options)
    found = [read_prediction(out / "predictions", event, name) for event, name in names]
    sizes = [pixels_of(images / picture.path, "RGB")[0].shape[1::-1] for picture in truth]
    roc = evaluate(truth, found, sizes)
    rates = {count: roc.at(count) for count in FALSE_POSITIVES}
    values = {
        "pictures": len(truth),
        "faces": roc.faces,
        **{
            kind: {str(count): rate[index] for count, rate in rates.items()}
            for index, kind in enumerate(KINDS)
        },
    }
    return values, curves(roc)


def curves(roc: Roc) -> dict[str, NDArray[np.float32]]:
    """The curves up to the last of FALSE_POSITIVES, of no more than some points."""
    within = np.flatnonzero(roc.false_positives <= FALSE_POSITIVES[-1])
    if len(within) > _POINTS:
        within = within[np.linspace(0, len(within) - 1, _POINTS).round().astype(int)]
    rates = {"discrete": roc.discrete, "continuous": roc.continuous}
    return {
        f"fddb-{kind}": np.array([roc.false_positives[within], rates[kind][within]], np.float32)
        for kind in KINDS
    }
