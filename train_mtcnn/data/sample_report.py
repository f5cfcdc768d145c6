"""What the preparation of samples says: counts, proposal recall, faults, a sheet of crops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pymtcnn import Stage, write_picture
from pymtcnn.opencv import opencv
from train_mtcnn.data.recall import SIZE_NAMES, SIZES, SizeRecall
from train_mtcnn.data.samples import KINDS, Kind, Samples

_SETS = ("training", "held out")
_LISTED = 20  # bad pictures in the text; samples.json has all


class Report:
    """Counts of one preparation; parts of it add up.

    Parameters
    ----------
    stages
        Networks whose boxes were shown to this one: their recall is counted.
    """

    def __init__(self, stages: Sequence[str] = ()):
        self.pictures = 0
        self.kinds = np.zeros((len(Kind), len(SIZE_NAMES)), np.int64)  # by size
        self.recalls = {f"{stage}, {name}": SizeRecall() for stage in stages for name in _SETS}
        self.skipped: Counter[str] = Counter()  # annotated faces: reason -> number
        self.bad: list[str] = []  # pictures that could not be read: why
        self.rate = 0.0  # pictures a minute

    def count(self, labels: NDArray) -> None:
        """Count samples, LABEL [N]."""
        size = np.searchsorted(SIZES, labels["size"], side="right")
        np.add.at(self.kinds, (labels["kind"], size), 1)

    def recall(self, faces: NDArray, stages: Sequence[Stage], held: bool) -> None:
        """Count which of a picture's faces [G, 4] the stages found."""
        found = {f"{stage.name}, {_SETS[held]}": stage.boxes for stage in stages}
        for name, recall in self.recalls.items():
            if name in found:
                recall.add(faces, found[name])

    def __iadd__(self, other: Report) -> Report:
        self.pictures += other.pictures
        self.kinds += other.kinds
        for name, recall in other.recalls.items():
            self.recalls[name] += recall
        self.skipped.update(other.skipped)
        self.bad += other.bad
        return self

    def to_json(self) -> dict:
        """Plain values; from_json takes them back."""
        return {
            "pictures": self.pictures,
            "kinds": self.kinds.tolist(),
            "recalls": {name: recall.to_json() for name, recall in self.recalls.items()},
            "skipped": dict(self.skipped),
            "bad": self.bad,
            "rate": self.rate,
        }

    @classmethod
    def from_json(cls, values: dict) -> Report:
        report = cls()
        report.pictures = values["pictures"]
        report.kinds += np.array(values["kinds"])
        report.recalls = {n: SizeRecall.from_json(v) for n, v in values["recalls"].items()}
        report.skipped.update(values["skipped"])
        report.bad, report.rate = list(values["bad"]), values["rate"]
        return report

    def text(self) -> str:
        """The report for people."""
        lines = [f"{self.pictures} pictures, {self.rate:.0f} a minute", ""]
        lines += [f"{'samples':14}{''.join(f'{n:>9}' for n in [*SIZE_NAMES, 'all'])}"]
        for kind, name in KINDS.items():
            cells = [*self.kinds[kind], self.kinds[kind].sum()]
            lines.append(f"{name:14}{''.join(f'{cell:9}' for cell in cells)}")
        if self.recalls:
            lines += ["", "share of the annotated faces that have a box of IoU 0.5 or more"]
            lines += _recall_lines(self.recalls)
        skipped = {reason: count for reason, count in self.skipped.items() if count}
        if skipped:
            lines += ["", "annotated faces left out:"]
            lines += [f"{count:9} {reason}" for reason, count in skipped.items()]
        if self.bad:
            lines += ["", f"{len(self.bad)} pictures could not be read:"]
            lines += [f"    {line}" for line in self.bad[:_LISTED]]
            if len(self.bad) > _LISTED:
                lines += [f"    and {len(self.bad) - _LISTED} more, listed in samples.json"]
        return "\n".join(lines) + "\n"


def _recall_lines(recalls: dict[str, SizeRecall]) -> list[str]:
    """A line for each stage and set."""
    lines = [f"{'face size, px':18}{''.join(f'{n:>9}' for n in [*SIZE_NAMES, 'all'])}  boxes each"]
    for name, recall in recalls.items():
        shares = [*recall.by_size, recall.overall]
        cells = "".join("        -" if share is None else f"{share:9.3f}" for share in shares)
        lines.append(f"{name:18}{cells}  {recall.boxes_per_picture:10.1f}")
    return lines


# ---- the sheet -----------------------------------------------------------------------------------

_CELL = 96  # pixels
_COLUMNS = 16
_ROWS = 3  # of each kind
_MARGIN = 0.25  # around a crop, in crops: boxes may reach out of it


def sheet(path: Path, samples: Samples, seed: int = 0) -> None:
    """Write a picture of crops by chance, three rows of each kind, with their labels drawn.

    The box of a face is green; its left eye and mouth corner are red, the other points yellow. They
    may lie outside the crop, on the grey.
    """
    cv2 = opencv()

    rng = np.random.default_rng(seed)
    rows = []
    for kind in Kind:
        indices = np.flatnonzero(samples.labels["kind"] == kind)
        if not len(indices):
            continue
        count = min(len(indices), _COLUMNS * _ROWS)
        cells = [_cell(samples, i) for i in np.sort(rng.choice(indices, count, replace=False))]
        cells += [np.full_like(cells[0], 96)] * (-count % _COLUMNS)
        title = np.full((28, _COLUMNS * _CELL, 3), 32, np.uint8)
        text = f"{KINDS[kind]}: {len(indices)}"
        cv2.putText(title, text, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1)
        rows.append(title)
        for first in range(0, len(cells), _COLUMNS):
            rows.append(np.hstack(cells[first : first + _COLUMNS]))
    write_picture(path, np.vstack(rows))


def _cell(samples: Samples, index: int) -> NDArray[np.uint8]:
    """One crop on grey, with its label."""
    cv2 = opencv()

    label = samples.labels[index]
    inner = round(_CELL / (1 + 2 * _MARGIN))
    start = (_CELL - inner) // 2
    cell = np.full((_CELL, _CELL, 3), 96, np.uint8)
    crop = cv2.resize(samples.crops[index], (inner, inner), interpolation=cv2.INTER_NEAREST)
    cell[start : start + inner, start : start + inner] = crop
    if label["kind"] in (Kind.POSITIVE, Kind.PART):
        corners = (label["offsets"] + (0, 0, 1, 1)) * inner + start
        x1, y1, x2, y2 = (int(value) for value in np.round(corners))
        cv2.rectangle(cell, (x1, y1), (x2, y2), (0, 255, 0), 1)
    if label["kind"] == Kind.LANDMARK:
        for number, (x, y) in enumerate(label["landmarks"] * inner + start):
            colour = (255, 0, 0) if number in (0, 3) else (255, 255, 0)  # left ones are red
            cv2.circle(cell, (round(float(x)), round(float(y))), 1, colour, -1)
    cell[-1:], cell[:, -1:] = 0, 0
    return cell
