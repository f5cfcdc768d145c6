"""A tiny WIDER FACE of noise, in the standard layout."""

from pathlib import Path

import cv2
import numpy as np
from scipy.io import savemat

from train_mtcnn.data.wider import SETS


def cells(values):
    array = np.empty((len(values), 1), object)
    for index, value in enumerate(values):
        array[index, 0] = value
    return array


def write_truth(split, events):
    """The three .mat files; events: name -> picture -> (boxes, set -> counted faces from 1)."""
    split.mkdir(parents=True)
    for name in SETS:
        pictures = [list(event.values()) for event in events.values()]
        savemat(
            split / f"wider_{name}_val.mat",
            {
                "event_list": cells(list(events)),
                "file_list": cells([cells(list(event)) for event in events.values()]),
                "face_bbx_list": cells(
                    [cells([np.array(boxes) for boxes, _ in event]) for event in pictures]
                ),
                "gt_list": cells(
                    [
                        cells([np.array(kept[name], np.uint8)[:, None] for _, kept in event])
                        for event in pictures
                    ]
                ),
            },
        )


def write_annotations(split, events, invalid=()):
    """The official text; invalid: names of pictures whose first face is marked so."""
    lines = []
    for event, pictures in events.items():
        for name, (boxes, _) in pictures.items():
            lines += [f"{event}/{name}.jpg", str(len(boxes))]
            for index, box in enumerate(boxes):
                mark = int(name in invalid and index == 0)
                lines.append(f"{' '.join(map(str, box))} 0 0 0 {mark} 0 0")
            lines += [] if len(boxes) else [" ".join("0" * 10)]
    (split / "wider_face_val_bbx_gt.txt").write_text("\n".join(lines) + "\n")


EVENTS = {
    "0--Parade": {
        "a": (
            [[0, 0, 99, 99], [200, 0, 99, 99], [400, 0, 9, 9]],
            {"easy": [1], "medium": [2], "hard": [1, 2]},
        ),
        "none": (np.zeros((0, 4)), {"easy": [], "medium": [], "hard": []}),
    },
    "1--B": {"b": ([[5, 5, 20, 20]], {"easy": [1], "medium": [1], "hard": [1]})},
}
# x, y, width, height, score
PREDICTIONS = {
    ("0--Parade", "a"): [
        [0, 0, 99, 99, 0.9],  # face 1
        [200, 0, 99, 99, 0.8],  # face 2
        [0, 0, 99, 90, 0.7],  # face 1 again
        [600, 300, 50, 50, 0.5],  # nothing
    ],
    ("0--Parade", "none"): [[1, 1, 30, 30, 1.0]],  # does not count, but scales the scores
    ("1--B", "b"): [],
}


def write_tiny_wider(folder: Path) -> Path:
    """Write EVENTS and a noisy picture for each; returns the folder."""
    write_truth(folder / "wider_face_split", EVENTS)
    write_annotations(folder / "wider_face_split", EVENTS)
    for index, (event, name) in enumerate(PREDICTIONS):
        path = folder / "WIDER_val" / "images" / event / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(index).integers(0, 256, (40, 50 + index, 3), np.uint8)
        assert cv2.imwrite(str(path), cv2.resize(noise, None, fx=2, fy=2))
    return folder
