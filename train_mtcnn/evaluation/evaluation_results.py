"""What an evaluation leaves in its folder: results.json and curves.npz for programs, a table.

results.json has the keys ap, faces, found_at, faces_by_size, stages (see wider_measures.py),
settings, and, where they were measured, landmarks and fddb.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pymtcnn.errors import FileError
from pymtcnn.files import atomic_write, make_folder
from train_mtcnn.common.file_content import OTHER, check_unpacked, read_bytes
from train_mtcnn.data.recall import SIZE_NAMES
from train_mtcnn.data.wider import SETS
from train_mtcnn.evaluation.landmark_error import LARGE

RESULTS, CURVES, TABLE = "results.json", "curves.npz", "results.txt"


@dataclass(frozen=True)
class Results:
    """One evaluation.

    Attributes
    ----------
    values
        What results.json holds.
    curves : name -> [2, K] float32
        Horizontal and vertical values: recall and precision of "easy", "medium", "hard"; false
        positives and true positive rate of "fddb-discrete", "fddb-continuous".
    """

    values: dict
    curves: dict[str, NDArray[np.float32]] = field(default_factory=dict)


def write_results(folder: Path, results: Results) -> None:
    """Write results.txt, results.json and curves.npz into `folder`, which is made if missing.

    Raises
    ------
    FileError
        If one cannot be written.
    """
    make_folder(folder)
    with atomic_write(folder / TABLE) as file:
        file.write(table(results.values).encode())
    with atomic_write(folder / RESULTS) as file:
        file.write((json.dumps(results.values, indent=2) + "\n").encode())
    with atomic_write(folder / CURVES) as file:
        np.savez_compressed(file, **results.curves)  # type: ignore[arg-type]


def read_results(folder: Path) -> Results:
    """Read what `write_results` wrote.

    Raises
    ------
    FileError
        If a file is missing or not of this form.
    """
    path = folder / RESULTS
    try:
        values = json.loads(read_bytes(path, OTHER))
        good = isinstance(values["settings"], dict) and all(
            isinstance(number, (int, float)) for number in _needed(values)
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        good = False
    if not good:
        raise FileError(
            f"{path}: not a result of evaluate.py, expected a JSON object with ap, settings and"
            " stages; evaluate again (evaluate.py --resume keeps the predictions)"
        )
    path = folder / CURVES
    try:
        content = read_bytes(path, OTHER)
        check_unpacked(content, path, OTHER)
        with np.load(io.BytesIO(content)) as arrays:
            curves = {name: arrays[name] for name in {*SETS, *arrays.files}}
        good = all(array.ndim == 2 and len(array) == 2 for array in curves.values())
    except (ValueError, KeyError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error):
        good = False
    if not good:
        raise FileError(
            f"{path}: not the curves of evaluate.py, expected [2, K] of {', '.join(SETS)};"
            " evaluate again (evaluate.py --resume keeps the predictions)"
        )
    return Results(values, curves)


def _needed(values: dict) -> Iterator[float]:
    """The numbers without which nothing can be drawn."""
    yield from (values["ap"][name] for name in SETS)
    for row in values["stages"].values():
        yield from (row["recall_by_size"][name] or 0 for name in SIZE_NAMES)


# ---- as text -------------------------------------------------------------------------------------


def percent(value: float | None) -> str:
    """A share as percent; a dash where there is none."""
    return "-" if value is None else f"{100 * value:.1f}%"


def table(values: dict) -> str:
    """The results as text."""
    ap, faces = values["ap"], values["faces"]
    lines = ["set      faces      AP"]
    lines += [f"{name:8} {faces[name]:5}  {ap[name]:.4f}" for name in SETS]
    lines += ["", "false alarms a picture  faces found  score"]
    for rate, found in values["found_at"].items():
        score = "-" if found["score"] is None else f"{found['score']:.4f}"
        lines.append(f"{rate:22}  {percent(found['recall']):>11}  {score}")
    lines += ["", f"{'stage':6} {'boxes':>7}  {'AP easy':7}  {'medium':6}  {'hard':6}"]
    for stage, row in values["stages"].items():
        numbers = [f"{row['boxes_per_picture']:7.1f}", f"{row['ap']['easy']:7.4f}"]
        numbers += [f"{row['ap'][name]:.4f}" for name in ("medium", "hard")]
        lines.append(f"{stage:6} {'  '.join(numbers)}")
    lines += ["", f"{'recall':6} {'all':>8}" + "".join(f"{name:>9}" for name in SIZE_NAMES)]
    for stage, row in values["stages"].items():
        shares = [row["recall"], *(row["recall_by_size"][name] for name in SIZE_NAMES)]
        lines.append(f"{stage:6}" + "".join(f"{percent(share):>9}" for share in shares))
    sizes = values["faces_by_size"]
    counts = [sum(sizes.values()), *sizes.values()]
    lines.append(f"{'faces':6}" + "".join(f"{count:9}" for count in counts))
    if "landmarks" in values:
        error = values["landmarks"]
        lines += [
            "",
            f"landmark error: mean {percent(error['mean'])}, median {percent(error['median'])},"
            f" {percent(error['large'])} of {error['faces']} faces above {LARGE:.0%}",
        ]
        if "shift" in error:  # older results have none
            x, y = error["shift"]
            lines.append(
                f"points lie {x:+.3f}, {y:+.3f} from the annotated ones; moved back by this:"
                f" mean {percent(error['mean_without_shift'])}"
            )
    if "fddb" in values:
        counts = values["fddb"]["discrete"]
        lines += ["", "FDDB's false positives" + "".join(f"{count:>8}" for count in counts)]
        for kind in ("discrete", "continuous"):
            rates = values["fddb"][kind].values()
            lines.append(f"{kind:22}" + "".join(f"{percent(rate):>8}" for rate in rates))
    lines += ["", *(f"{key}: {show_setting(value)}" for key, value in values["settings"].items())]
    return "\n".join(lines) + "\n"


def show_setting(value: object) -> str:
    """A setting as text, the parts of a list with blanks between them."""
    return " ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
