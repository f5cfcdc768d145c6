"""Data sets with landmarks: official layouts, their quirks, damaged files."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymtcnn.errors import FileError
from train_mtcnn.data.filtering import keep_usable
from train_mtcnn.data.landmark_sets import read_celeba, read_facepoint, read_landmarks

POINTS = "20 20 40 20 30 30 22.5 40 38 40"
FACE = f"net\\a.jpg 10 50 12 60 {POINTS}"


def facepoint(folder, *lines, newline="\n"):
    path = folder / "trainImageList.txt"
    path.write_bytes((newline.join(lines) + newline).encode())
    return path


# ---- CNN_FacePoint -------------------------------------------------------------------------------


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_facepoint(tmp_path, newline):
    second = "lfw\\sub\\b c.jpg -3 99.5 0 70 -1 20 40 20 30 30 22.5 40 38 72"
    path = facepoint(tmp_path, FACE, second + " ", "", "  ", newline=newline)
    reading = read_facepoint(path)
    assert [face.path for face in reading.faces] == ["net/a.jpg", "lfw/sub/b c.jpg"]
    first, second = reading.faces
    assert first.box.tolist() == [10, 12, 50, 60]  # the file has left right top bottom
    assert first.points.tolist() == [[20, 20], [40, 20], [30, 30], [22.5, 40], [38, 40]]
    assert second.box.tolist() == [-3, 0, 99.5, 70] and second.points[4].tolist() == [38, 72]
    assert first.box.dtype == first.points.dtype == np.float32
    assert not reading.skipped


def test_byte_order_mark(tmp_path):
    path = facepoint(tmp_path, FACE)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_facepoint(path).faces[0].path == "net/a.jpg"


SWAPPED_EYES = "40 20 20 20 30 30 22.5 40 38 40"
SWAPPED_MOUTH = "20 20 40 20 30 30 38 40 22.5 40"
SKIPPED = [
    (f"b.jpg 10 10 12 60 {POINTS}", "box without an area"),
    (f"b.jpg 10 50 60 12 {POINTS}", "box without an area"),
    (f"b.jpg 10 50 12 60 nan {POINTS[3:]}", "coordinate not finite or far too large"),
    (f"b.jpg 10 50 12 60 {POINTS[:-2]} -inf", "coordinate not finite or far too large"),
    (f"b.jpg 10 50 12 1e300 {POINTS}", "coordinate not finite or far too large"),
    (f"b.jpg 10 50 12 60 {SWAPPED_EYES}", "left and right points swapped"),
    (f"b.jpg 10 50 12 60 {SWAPPED_MOUTH}", "left and right points swapped"),
    (f"b.jpg 210 250 12 60 {POINTS}", "points far outside the box"),
    ("b.jpg 10 50 12 60 20 20 40 20 30 30 22.5 40 38 72.5", "points far outside the box"),
    (FACE, "listed twice"),
]


@pytest.mark.parametrize(("line", "reason"), SKIPPED)
def test_skipped(tmp_path, line, reason):
    reading = read_facepoint(facepoint(tmp_path, FACE, line, FACE.replace("a.jpg", "c.jpg")))
    assert [face.path for face in reading.faces] == ["net/a.jpg", "net/c.jpg"]
    assert reading.skipped == {reason: 1}


def test_two_faces_of_a_picture(tmp_path):
    reading = read_facepoint(facepoint(tmp_path, FACE, FACE.replace("10 50 12", "11 50 12")))
    assert [face.path for face in reading.faces] == ["net/a.jpg"] * 2 and not reading.skipped


@given(st.floats(0, 2 * np.pi), st.floats(0.1, 1), st.booleans())
def test_swapped_however_the_face_is_turned(tmp_path_factory, turn, narrow, swapped):
    """A face turned in the picture's plane, and away from the camera."""
    points = np.array([[-narrow, -1], [narrow, -1], [0, 0], [-narrow, 1], [narrow, 1]])
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points = (points @ rotation) * 20 + 50
    if swapped:
        points = points[[1, 0, 2, 4, 3]]
    line = f"b.jpg 0 100 0 100 {' '.join(map(str, points.ravel()))}"
    reading = read_facepoint(facepoint(tmp_path_factory.mktemp("turned"), FACE, line))
    assert reading.skipped == ({"left and right points swapped": 1} if swapped else {})


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (FACE[:-4], "List.txt:2: 'net\\a.jpg 10 50 12 60 20 20 40 20 30 30 22.5 40 3', expected a"),
        (FACE + " 1", "List.txt:2: 'net"),
        (FACE.replace("a.jpg", "a"), "List.txt:2: 'net"),
        (FACE.replace("22.5", "22,5"), "List.txt:2: 'net"),
        (FACE.removeprefix("net\\a.jpg "), "List.txt:2: '10 50"),
        ("a", "List.txt:2: 'a', expected a path, left right top bottom, and five x y pairs; mend"),
    ],
)
def test_facepoint_errors(tmp_path, second, message):
    with pytest.raises(FileError) as error:
        read_facepoint(facepoint(tmp_path, FACE, second, FACE))
    assert message in str(error.value) and "\n" not in str(error.value)
    assert "unpack the download again" in str(error.value)


def test_not_text(tmp_path):
    path = facepoint(tmp_path, FACE)
    path.write_bytes(path.read_bytes() + FACE.replace("a", "\xe4").encode("latin-1"))
    with pytest.raises(FileError, match=r"trainImageList\.txt:2: not a text file \(byte \d+ is"):
        read_facepoint(path)
    path.unlink()
    with pytest.raises(FileError, match=r"trainImageList\.txt: cannot be read"):
        read_facepoint(path)


def test_mostly_unusable(tmp_path):
    """A whole set with the person's left and right, or with other columns, is an error."""
    swapped = [f"{index}.jpg 10 50 12 60 {SWAPPED_EYES}" for index in range(3)]
    with pytest.raises(FileError) as error:
        read_facepoint(facepoint(tmp_path, FACE, FACE.replace("a", "b"), *swapped))
    assert "2 of 5 faces are usable (left and right points swapped: 3); check" in str(error.value)
    assert len(read_facepoint(facepoint(tmp_path, FACE, *swapped[:1])).faces) == 1
    with pytest.raises(FileError, match="lists no face"):
        read_facepoint(facepoint(tmp_path, ""))


def test_real_facepoint(data_dir):
    folder = data_dir / "landmarks"
    reading = read_landmarks(folder)
    assert len(reading.faces) == len((folder / "trainImageList.txt").read_text().splitlines())
    assert all((folder / face.path).is_file() for face in reading.faces[::500])
    poses = read_facepoint(folder / "testImageList.txt")
    assert not reading.skipped and not poses.skipped  # large poses are not taken for mistakes
    points = np.stack([face.points for face in reading.faces])
    assert (points[:, 0, 0] < points[:, 1, 0]).all() and (points[:, 0, 1] < points[:, 3, 1]).all()


# ---- CelebA --------------------------------------------------------------------------------------

BOX_HEADER = "image_id x_1 y_1 width height"
POINT_HEADER = (
    "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y"
    " rightmouth_x rightmouth_y"
)
CELEBA = {  # the boxes as x y width height
    "000001.jpg": ("10  12  40  48", POINTS),
    "000002.jpg": (" 0   0   0   0", POINTS),
    "000003.jpg": ("500 12  40  48", POINTS),
    "000004.jpg": (" 0  -5  70  70", POINTS),
    "000005.jpg": (" 0   0  70  70", POINTS),
}


def write_celeba(folder, rows=CELEBA, lists=".", pictures="img_celeba"):
    (folder / pictures).mkdir(parents=True)
    (folder / lists).mkdir(exist_ok=True)
    files = folder / lists / "list_bbox_celeba.txt", folder / lists / "list_landmarks_celeba.txt"
    for column, (path, header) in enumerate(zip(files, (BOX_HEADER, POINT_HEADER))):
        text = [str(len(rows)), header, *(f"{name} {row[column]}" for name, row in rows.items())]
        path.write_text(" \r\n".join(text) + "\r\n\r\n")
    return files


@pytest.mark.parametrize(("lists", "pictures"), [(".", "img_celeba"), ("Anno", "Img/img_celeba")])
def test_celeba(tmp_path, lists, pictures):
    files = write_celeba(tmp_path, lists=lists, pictures=pictures)
    files[0].with_name("list_landmarks_align_celeba.txt").write_text("is not read")
    for reading in (read_celeba(tmp_path), read_landmarks(tmp_path)):
        names = ("000001.jpg", "000004.jpg", "000005.jpg")
        assert [face.path for face in reading.faces] == [f"{pictures}/{name}" for name in names]
        assert reading.faces[0].box.tolist() == [10, 12, 50, 60]
        assert reading.faces[1].box.tolist() == [0, -5, 70, 65]
        assert reading.faces[0].points.ravel().tolist() == [float(v) for v in POINTS.split()]
        assert reading.skipped == {"box without an area": 1, "points far outside the box": 1}


def damage(path, old, new):
    text = path.read_bytes().decode()
    assert text.count(old) == 1
    path.write_bytes(text.replace(old, new).encode())


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (0, "5 \r\n", "five\r\n", "bbox_celeba.txt:1: 'five', expected the number of pictures"),
        (0, "5 \r\n", "6\r\n", "bbox_celeba.txt:8: 'the end of the file', expected a picture and"),
        (1, "5 \r\n", "6\r\n", "landmarks_celeba.txt:8: 'the end of the file', expected a picture"),
        (1, "5 \r\n", "4\r\n", "landmarks_celeba.txt:7: '000005.jpg 20 20 40 20 30 30 22.5 40 38"),
        (0, "5 \r\n", "4\r\n", "bbox_celeba.txt:7: '000005.jpg  0   0  70  70', expected the end"),
        (0, "width", "x_2", "bbox_celeba.txt:2: 'image_id x_1 y_1 x_2 height', expected the col"),
        (1, "lefteye_x", "nose", "landmarks_celeba.txt:2: 'nose lefteye_y"),
        (0, "500 12  40", "500 12", "bbox_celeba.txt:5: '000003.jpg 500 12  48', expected a pict"),
        (1, "000004", "000009", "landmarks_celeba.txt:6: '000009.jpg', expected '000004.jpg' as"),
    ],
)
def test_celeba_errors(tmp_path, file, old, new, message):
    damage(write_celeba(tmp_path)[file], old, new)
    with pytest.raises(FileError) as error:
        read_celeba(tmp_path)
    assert message in str(error.value) and "download" in str(error.value)


def test_celeba_of_two_downloads(tmp_path):
    shorter = dict(list(CELEBA.items())[:-1])
    files = write_celeba(tmp_path / "a"), write_celeba(tmp_path / "b", shorter)
    os.replace(files[1][1], files[0][1])
    with pytest.raises(FileError, match=r"landmarks_celeba\.txt: 4 pictures, expected 5 as in"):
        read_celeba(tmp_path / "a")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.97])
def test_celeba_cut(tmp_path, share):
    """Wherever one of the files is cut, the error names it and a line."""
    for file in write_celeba(tmp_path):
        whole = file.read_bytes()
        file.write_bytes(whole[: int(share * len(whole.rstrip()))])
        with pytest.raises(FileError, match=rf"{file.name}:\d: .*unpack the download again"):
            read_celeba(tmp_path)
        file.write_bytes(whole)


def test_aligned_celeba_is_refused(tmp_path):
    boxes, points = write_celeba(tmp_path)
    points.rename(tmp_path / "list_landmarks_align_celeba.txt")
    with pytest.raises(FileError) as error:
        read_celeba(tmp_path)
    message = str(error.value)
    assert "list_landmarks_celeba.txt: missing" in message and "fits only pictures that" in message
    boxes.unlink()
    with pytest.raises(FileError, match=r"list_bbox_celeba\.txt: missing.*fits only pictures that"):
        read_landmarks(tmp_path)


def test_aligned_celeba_under_another_name(tmp_path):
    """Landmarks of other pictures fit none of the boxes."""
    rows = {f"{i}.jpg": (f"{200 * i} 200 90 90", POINTS) for i in range(1, 4)}
    write_celeba(tmp_path, rows)
    with pytest.raises(FileError, match=r"0 of 3 faces are usable \(points far outside the box: 3"):
        read_celeba(tmp_path)


def test_celeba_without_pictures(tmp_path):
    write_celeba(tmp_path)
    (tmp_path / "img_celeba").rmdir()
    with pytest.raises(FileError, match=r"img_celeba: missing, and so is Img/img_celeba"):
        read_celeba(tmp_path)


# ---- layouts -------------------------------------------------------------------------------------


def test_unknown_layout(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(FileError) as error:
            read_landmarks(folder)
        message = str(error.value)
        assert message.startswith(f"{folder}: neither trainImageList.txt (CNN_FacePoint) nor")
        assert "list_bbox_celeba.txt (CelebA) is there; give" in message


def test_sort_out_counts_the_first_reason():
    reasons = {"a": [1, 0, 1, 0], "b": [1, 1, 0, 0], "c": [0, 0, 0, 0]}
    keep, skipped = keep_usable({why: np.array(rows, bool) for why, rows in reasons.items()})
    assert keep.tolist() == [False, False, False, True] and skipped == {"a": 2, "b": 1}
    keep, skipped = keep_usable({"a": np.zeros(0, bool)})
    assert keep.shape == (0,) and not skipped
