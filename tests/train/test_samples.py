"""Samples: what a crop teaches, where crops lie, the files that hold them."""

import errno
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymtcnn.errors import FileError
from train_mtcnn.cascade.boxes import overlaps, regress, square
from train_mtcnn.data import samples as module
from train_mtcnn.data.samples import LABEL, Kind, Samples, SampleWriter, is_finished
from train_mtcnn.data.sampling import (
    Limits,
    at_most,
    inside,
    jitter,
    label,
    random_squares,
)

SIDE = 4
SETTINGS = {"net": "pnet", "limits": (0.65, 0.4, 0.3)}

# ---- what a crop teaches -------------------------------------------------------------------------


def plain_square(box):
    x1, y1, x2, y2 = (float(value) for value in box)
    half = max(x2 - x1, y2 - y1) / 2
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return [float(np.float32(value)) for value in (x - half, y - half, x + half, y + half)]


def plain_iou(a, b):
    across = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    down = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return across * down / (areas - across * down)


def plain_label(crop, faces, others, limits):
    """Kind (None: of no use), offsets and size of one crop."""
    crop = [float(value) for value in crop]
    side = crop[2] - crop[0]
    rows = [(plain_iou(crop, plain_square(face)), face, True) for face in faces]
    rows += [(plain_iou(crop, plain_square(other)), other, False) for other in others]
    overlap, face, own = max(rows, key=lambda row: row[0], default=(0.0, None, False))
    if overlap < limits.negative:
        return Kind.NEGATIVE, [0] * 4, side
    if not own or overlap < limits.part:
        return None, [0] * 4, side
    kind = Kind.POSITIVE if overlap >= limits.positive else Kind.PART
    offsets = [(float(face[i]) - crop[i]) / side for i in range(4)]
    return kind, offsets, max(face[2] - face[0], face[3] - face[1])


def boxes_of(rows):
    corners = np.array(rows, np.float32).reshape(-1, 4)
    return np.hstack([corners[:, :2], corners[:, :2] + corners[:, 2:]])


place, length = st.integers(-20, 60), st.integers(4, 60)
rectangles = st.lists(st.tuples(place, place, length, length), max_size=4).map(boxes_of)
squares = st.lists(st.tuples(place, place, length), min_size=1, max_size=12).map(
    lambda rows: boxes_of([(x, y, side, side) for x, y, side in rows])
)


@given(squares, rectangles, rectangles)
def test_labels(crops, faces, others):
    limits = Limits()
    labels = label(crops, faces, others, limits)
    assert (labels["landmarks"] == 0).all() and not labels["held"].any()
    for crop, found in zip(crops, labels):
        kind, offsets, size = plain_label(crop, faces, others, limits)
        assert found["kind"] == (255 if kind is None else kind)
        assert np.allclose(found["offsets"], offsets, atol=1e-5)
        assert found["size"] == pytest.approx(size, rel=1e-5)


@given(squares, rectangles)
def test_offsets_give_back_the_face(crops, faces):
    labels = label(crops, faces, np.empty((0, 4), np.float32), Limits())
    near = np.isin(labels["kind"], (Kind.POSITIVE, Kind.PART))
    for crop, row in zip(crops[near], labels[near]):
        back = regress(crop[None], row["offsets"][None])
        assert np.abs(faces - back).max(1).min() < 1e-3


def test_crops_of_faces_left_out_are_never_negative():
    rng = np.random.default_rng(0)
    face, other = boxes_of([(0, 0, 40, 50)]), boxes_of([(200, 100, 30, 40)])
    for faces in (face, face[:0]):
        crops = jitter(other, 300, 0.15, 0.1, rng)
        kinds = label(crops, faces, other, Limits())["kind"]
        assert (kinds == 255).all()
    assert (label(crops, face, face[:0], Limits())["kind"] == Kind.NEGATIVE).all()


def test_limits_are_inclusive():
    face = boxes_of([(0, 0, 100, 100)])
    crops = boxes_of([(0, 0, 100, 100), (0, 0, 80, 80), (0, 0, 70, 70), (0, 0, 60, 60)])
    assert overlaps(crops, face)[:, 0].tolist() == pytest.approx([1, 0.64, 0.49, 0.36])
    kinds = label(crops, face, face[:0], Limits(positive=0.64, part=0.49, negative=0.36))["kind"]
    assert kinds.tolist() == [Kind.POSITIVE, Kind.POSITIVE, Kind.PART, 255]


# ---- where crops lie -----------------------------------------------------------------------------


@given(rectangles, st.floats(0, 1), st.floats(0, 1), st.integers(0, 3))
def test_jitter(faces, scale, shift, count):
    made = jitter(faces, count, scale, shift, np.random.default_rng(1)).astype(np.float64)
    assert made.shape == (count * len(faces), 4)
    around = np.repeat(square(faces), count, 0)
    sides, own = made[:, 2] - made[:, 0], around[:, 2] - around[:, 0]
    assert np.allclose(sides, made[:, 3] - made[:, 1], atol=1e-3)  # squares
    assert (sides <= own * np.exp(scale) * 1.0001).all()
    assert (sides >= own * np.exp(-scale) * 0.9999).all()
    off = np.abs((made[:, :2] + made[:, 2:] - around[:, :2] - around[:, 2:]) / 2)
    assert (off <= shift * own[:, None] + 1e-3).all()


def test_jitter_fills_its_range():
    made = jitter(boxes_of([(0, 0, 100, 80)]), 4000, 0.5, 0.3, np.random.default_rng(0))
    sides, centres = made[:, 2] - made[:, 0], (made[:, :2] + made[:, 2:]) / 2
    assert np.log(sides / 100).min() < -0.45 and np.log(sides / 100).max() > 0.45
    assert (np.abs(centres - (50, 40)).max(0) > 28).all()


@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 30), st.floats(1, 60))
def test_random_squares(width, height, count, least):
    made = random_squares(width, height, count, least, np.random.default_rng(2))
    assert made.shape == ((count if min(width, height) >= least else 0), 4)
    sides = (made[:, 2:] - made[:, :2]).astype(np.float64)
    assert (sides >= least * 0.999).all() and (sides <= min(width, height) * 1.001).all()
    assert (made >= 0).all() and (made[:, 2:] <= np.array([width, height]) + 1e-3).all()


def test_inside():
    boxes = np.float32([[0, 0, 20, 10], [-0.1, 0, 5, 5], [0, 0, 20.1, 10], [0, 5, 3, 10.1]])
    assert inside(boxes, 20, 10).tolist() == [True, False, False, False]


@given(st.integers(0, 20), st.integers(0, 25))
def test_at_most(length, count):
    indices = np.arange(length) * 3
    kept = at_most(indices, count, np.random.default_rng(0))
    assert len(kept) == min(length, count) == len(set(kept.tolist()))
    assert set(kept.tolist()) <= set(indices.tolist()) and (np.diff(kept) > 0).all()


# ---- files ---------------------------------------------------------------------------------------


def step(number):
    """The samples of one step."""
    rng = np.random.default_rng(number)
    labels = np.zeros(number % 3 + 1, LABEL)
    labels["kind"] = rng.integers(0, 4, len(labels))
    labels["size"], labels["offsets"] = number, rng.random((len(labels), 4))
    return rng.integers(0, 256, (len(labels), SIDE, SIDE, 3), np.uint8), labels


def write(folder, first, last, settings=SETTINGS):
    """Go on from step `first` to `last`; the last of all is 7."""
    writer = SampleWriter(folder, SIDE, settings)
    assert writer.steps == first and writer.notes == (first or None)
    for number in range(first, last):
        writer.commit(*step(number), number + 1)
    if last == 7:
        writer.finish({"faces": 3})
    else:
        writer.close()


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_written_samples_are_read(tmp_path):
    write(tmp_path, 0, 7)
    samples = Samples(tmp_path)
    steps = [step(number) for number in range(7)]
    assert np.array_equal(samples.crops, np.concatenate([crops for crops, _ in steps]))
    assert samples.labels.tobytes() == b"".join(labels.tobytes() for _, labels in steps)
    assert len(samples) == 13 and samples.about["report"] == {"faces": 3}
    assert set(content(tmp_path)) == {"crops.u8", "labels.bin", "samples.json"}
    assert not samples.crops.flags.writeable


@pytest.mark.parametrize("breaks", [[3], [1, 2, 6], [0, 4]])
def test_going_on_gives_the_same_bytes(tmp_path, breaks):
    write(tmp_path / "whole", 0, 7)
    first = 0
    for last in [*breaks, 7]:
        write(tmp_path / "broken", first, last)
        first = last
    assert content(tmp_path / "broken") == content(tmp_path / "whole")


def test_bytes_of_a_step_that_was_not_committed_are_dropped(tmp_path):
    write(tmp_path / "whole", 0, 7)
    broken = tmp_path / "broken"
    write(broken, 0, 4)
    for name in ("crops.u8.part", "labels.bin.part"):
        with open(broken / name, "ab") as file:
            file.write(b"half a step")
    write(broken, 4, 7)
    assert content(broken) == content(tmp_path / "whole")


def test_a_file_cut_behind_its_back_starts_anew(tmp_path):
    write(tmp_path, 0, 4)
    with open(tmp_path / "crops.u8.part", "r+b") as file:
        file.truncate(10)
    write(tmp_path, 0, 7)
    assert len(Samples(tmp_path)) == 13


def test_other_settings_start_anew(tmp_path):
    write(tmp_path, 0, 4)
    write(tmp_path, 0, 7, SETTINGS | {"net": "rnet"})
    assert is_finished(tmp_path, SETTINGS | {"net": "rnet"})
    assert not is_finished(tmp_path, SETTINGS)
    write(tmp_path, 0, 3)  # over finished ones
    assert not (tmp_path / "samples.json").exists()
    with pytest.raises(FileError, match="no finished samples there"):
        Samples(tmp_path)


class FullDisk:
    """A file that takes `room` bytes and no more."""

    def __init__(self, file, room):
        self._file, self._room = file, room

    def write(self, data):
        if not self._room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = self._file.write(bytes(data[: self._room]))
        self._room -= taken
        return taken

    def __getattr__(self, name):
        return getattr(self._file, name)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("room", [0, 13])
def test_a_full_disk(tmp_path, monkeypatch, which, room):
    write(tmp_path / "whole", 0, 7)
    broken = tmp_path / "broken"
    write(broken, 0, 3)
    with monkeypatch.context() as patch:
        opened = []

        def full(*args, **kwargs):
            file = open(*args, **kwargs)  # noqa: SIM115
            opened.append(file)
            return FullDisk(file, room) if len(opened) == which + 1 else file

        patch.setattr(module, "open", full, raising=False)
        writer = SampleWriter(broken, SIDE, SETTINGS)
        with pytest.raises(FileError, match="No space left on device; what was written so far"):
            writer.commit(*step(3), 4)
        assert writer.steps == 3
        writer.close()
    write(broken, 3, 7)
    assert content(broken) == content(tmp_path / "whole")


def test_progress_that_cannot_be_written(tmp_path, monkeypatch):
    write(tmp_path / "whole", 0, 7)
    broken = tmp_path / "broken"
    writer = SampleWriter(broken, SIDE, SETTINGS)
    writer.commit(*step(0), 1)
    with monkeypatch.context() as patch:

        def refuse(path):
            raise FileError(f"{path}: cannot be written: No space left on device")

        patch.setattr(module, "atomic_write", refuse)
        with pytest.raises(FileError, match="No space left"):
            writer.commit(*step(1), 2)
    writer.close()
    write(broken, 1, 7)
    assert content(broken) == content(tmp_path / "whole")


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="samples cannot be written there"):
        SampleWriter(tmp_path / "file", SIDE, SETTINGS)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"count": 1}', '{"count": "x"}'])
def test_damaged_progress(tmp_path, text):
    write(tmp_path, 0, 2)
    (tmp_path / "progress.json").write_text(text)
    with pytest.raises(FileError, match=r"samples cannot be written there: .*; remove it or name"):
        SampleWriter(tmp_path, SIDE, SETTINGS)


@pytest.mark.parametrize("name", ["crops.u8", "labels.bin"])
@pytest.mark.parametrize("change", ["short", "long", "missing"])
def test_files_of_another_length(tmp_path, name, change):
    write(tmp_path, 0, 7)
    path = tmp_path / name
    if change == "missing":
        path.unlink()
    else:
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] if change == "short" else whole + b"\0")
    with pytest.raises(FileError, match=rf"{name}: missing or not 13 samples long; prepare again"):
        Samples(tmp_path)
    assert not is_finished(tmp_path, SETTINGS)  # so that preparing again does so


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"side": 4}', '{"side": 0, "count": 3}'])
def test_damaged_description(tmp_path, text):
    write(tmp_path, 0, 7)
    (tmp_path / "samples.json").write_text(text)
    with pytest.raises(FileError, match=r"samples\.json: damaged .*; prepare again"):
        Samples(tmp_path)
    assert not is_finished(tmp_path, SETTINGS)


def test_no_samples(tmp_path):
    SampleWriter(tmp_path, SIDE, SETTINGS).finish({})
    assert json.loads((tmp_path / "samples.json").read_text())["count"] == 0
    with pytest.raises(FileError, match="holds no samples"):
        Samples(tmp_path)
    with pytest.raises(FileError, match="no finished samples there"):
        Samples(tmp_path / "missing")
