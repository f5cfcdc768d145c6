"""A small WIDER FACE and CNN_FacePoint, made of the faces of the bundled pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pymtcnn import read_picture, write_picture

# Box and landmarks of the two faces, as the published weights find them: x1 y1 x2 y2, five x y.
FACES = {
    "astronaut.jpg": (
        (178, 60, 268, 175),
        ((204, 101), (247, 103), (225, 128), (202, 140), (245, 142)),
    ),
    "grace_hopper.jpg": (
        (175, 116, 350, 336),
        ((223, 193), (309, 190), (270, 239), (233, 281), (307, 277)),
    ),
}
_AROUND = 0.3  # of the face's sides, cut out with it


def _picture(pictures: list[Path], rng: np.random.Generator, width: int, height: int):
    """A blurred background with three faces next to each other: pixels, boxes and landmarks."""
    noise = rng.integers(0, 256, (height // 16, width // 16, 3), np.uint8)
    canvas = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    boxes, points = [], []
    for column in range(3):
        path = pictures[rng.integers(len(pictures))]
        box, landmarks = (np.array(part, float) for part in FACES[path.name])
        sides = box[2:] - box[:2]
        start = np.round(box[:2] - _AROUND * sides).astype(int)
        end = np.round(box[2:] + _AROUND * sides).astype(int)
        face = read_picture(path)[start[1] : end[1], start[0] : end[0]]
        scale = rng.uniform(24, 70) / sides[1]
        face = cv2.resize(face, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        if rng.random() < 0.5:
            face = np.clip(face * rng.uniform(0.7, 1.2), 0, 255).astype(np.uint8)
        y = rng.integers(0, height - face.shape[0] + 1)
        x = column * width // 3 + rng.integers(0, width // 3 - face.shape[1] + 1)
        canvas[y : y + face.shape[0], x : x + face.shape[1]] = face
        boxes.append((box.reshape(2, 2) - start) * scale + (x, y))
        points.append((landmarks - start) * scale + (x, y))
    return canvas, np.array(boxes).reshape(-1, 4), np.array(points)


def write_small_sets(folder: Path, pictures: list[Path], count: int, seed: int = 0) -> None:
    """Write FOLDER/wider (annotated for training) and FOLDER/landmarks (CNN_FacePoint)."""
    rng = np.random.default_rng(seed)
    images = folder / "wider/WIDER_train/images/0--Small"
    split = folder / "wider/wider_face_split"
    faces = folder / "landmarks/faces"
    for new in (images, split, faces):
        new.mkdir(parents=True)
    annotations, rows = [], []
    for number in range(count):
        pixels, boxes, points = _picture(pictures, rng, 420, 160)
        write_picture(images / f"{number}.png", pixels)
        annotations += [f"0--Small/{number}.png", str(len(boxes))]
        for (x1, y1, x2, y2), landmarks in zip(boxes, points):
            whole = [round(value) for value in (x1, y1, x2 - x1, y2 - y1)]
            annotations.append(" ".join(map(str, [*whole, 0, 0, 0, 0, 0, 0])))
            name = f"{len(rows)}.png"
            corner = np.array([max(round(x1) - 20, 0), max(round(y1) - 20, 0)])
            write_picture(
                faces / name, pixels[corner[1] : round(y2) + 20, corner[0] : round(x2) + 20]
            )
            box = np.array([x1, x2, y1, y2]) - corner[[0, 0, 1, 1]]
            values = [*box, *(landmarks - corner).ravel()]
            rows.append(f"faces\\{name} " + " ".join(f"{value:.2f}" for value in values))
    (split / "wider_face_train_bbx_gt.txt").write_text("\n".join(annotations) + "\n")
    (folder / "landmarks/trainImageList.txt").write_text("\n".join(rows) + "\n")
