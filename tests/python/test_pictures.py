"""Picture files in Python: reading and writing."""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest
from support import picture_files as files
from support.skips import absent_if

from pymtcnn import (
    ArgumentError,
    Detector,
    FileError,
    PictureError,
    pictures,
    read_picture,
    write_picture,
)


def jpeg(rgb: np.ndarray, *options: int) -> bytes:
    done, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95, *options])
    assert done
    return data.tobytes()


# ---- reading -------------------------------------------------------------------------------------


def test_png_pixels_come_back(noise, tmp_path):
    path = tmp_path / "noise.png"
    path.write_bytes(files.png_rgb(noise))
    pixels = read_picture(path)
    assert (pixels.dtype, pixels.shape) == (np.uint8, noise.shape)
    assert (pixels == noise).all() and pixels.flags.c_contiguous


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_orientation(noise, orientation, order):
    upright = np.zeros((48, 80, 3), np.uint8)  # four areas of one colour each
    upright[:16, :32], upright[:16, 32:] = (255, 0, 0), (0, 255, 0)
    upright[16:, :32] = (0, 0, 255)
    data = files.with_orientation(jpeg(files.stored(upright, orientation)), orientation, order)
    pixels = read_picture(data).astype(int)
    assert pixels.shape == upright.shape
    assert np.abs(pixels - upright)[4::8, 4::8].max() < 20


@pytest.mark.parametrize("orientation", range(1, 9))
def test_faces_are_found_in_turned_files(pictures, tmp_path, orientation):
    """A path gives what the upright picture gives: boxes in the coordinates of the upright one."""
    upright = read_picture(next(path for path in pictures if "hopper" in path.name))
    path = tmp_path / "turned.jpg"
    path.write_bytes(files.with_orientation(jpeg(files.stored(upright, orientation)), orientation))
    with Detector(min_face=60) as detector:
        (expected,), (found,) = detector.detect(upright), detector.detect(path)
    assert np.abs(found.box - expected.box).max() < 5
    assert np.abs(found.landmarks - expected.landmarks).max() < 5


@pytest.mark.parametrize(
    "options",
    [
        (),
        (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        (cv2.IMWRITE_JPEG_RST_INTERVAL, 1),
        (cv2.IMWRITE_JPEG_OPTIMIZE, 1),
    ],
)
def test_jpeg_kinds(pictures, options):
    rgb = read_picture(pictures[0])
    data = jpeg(rgb, *options)
    assert np.abs(read_picture(data).astype(int) - rgb).mean() < 5
    trailing = data + b"more bytes, as some cameras append them"
    assert (read_picture(trailing) == read_picture(data)).all()


def test_fill_bytes_before_markers(noise):
    data = jpeg(noise)
    filled = data[:2] + b"\xff\xff\xff" + data[2:-2] + b"\xff\xff" + data[-2:]
    assert (read_picture(filled) == read_picture(data)).all()


@pytest.mark.parametrize("marker", [0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xEF, 0xFE])
def test_segments_that_are_no_part_of_the_picture(noise, marker):
    """Odd ones, with which Pillow would stop."""
    data = jpeg(noise)
    for body in (b"", b"JFIF", b"JFIF\0\1", b"Adobe", b"Exif\0\0", b"Photoshop 3.0\0" + bytes(9)):
        odd = bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body
        assert (read_picture(data[:2] + odd + data[2:]) == read_picture(data)).all()


def test_thumbnail_is_not_taken_for_the_picture(noise):
    small = jpeg(np.zeros((8, 8, 3), np.uint8))
    data = files.with_app1(jpeg(noise), b"Exif\0\0" + small)
    assert read_picture(data).shape == noise.shape


def test_gray_and_transparent_pictures(noise):
    gray = files.png(noise[..., :1].astype(int), files.GRAY, 8)
    assert (read_picture(gray) == noise[..., :1]).all()
    alpha = np.concatenate([noise, noise[..., :1]], 2).astype(int)
    assert (read_picture(files.png(alpha, files.RGB_ALPHA, 8)) == noise).all()
    deep = files.png(noise.astype(int) * 257, files.RGB, 16)
    assert (read_picture(deep) == noise).all()


# ---- writing -------------------------------------------------------------------------------------


def test_png_round_trip(noise, tmp_path):
    path = tmp_path / "out.png"
    write_picture(path, noise)
    assert (read_picture(path) == noise).all()
    write_picture(str(path), noise[::-1, ::-1])  # replaces
    assert (read_picture(path) == noise[::-1, ::-1]).all()
    assert list(tmp_path.iterdir()) == [path]


def test_jpeg_is_written(pictures, tmp_path):
    rgb = read_picture(pictures[0])
    write_picture(tmp_path / "OUT.JPG", rgb)
    data = (tmp_path / "OUT.JPG").read_bytes()
    assert data.startswith(b"\xff\xd8")
    assert np.abs(read_picture(data).astype(int) - rgb).mean() < 5


def test_a_link_stays_a_link(noise, tmp_path):
    target, link = tmp_path / "target.png", tmp_path / "link.png"
    link.symlink_to(target)
    write_picture(link, noise)
    assert link.is_symlink() and (read_picture(target) == noise).all()


@pytest.mark.parametrize("name", ["out", "out.txt", "out.", ".png"])
def test_unknown_extension(noise, tmp_path, name):
    with pytest.raises(ArgumentError, match=r"end it in \.jpg or \.png"):
        write_picture(tmp_path / name, noise)
    assert list(tmp_path.iterdir()) == []


def test_path_that_cannot_be_written(noise, tmp_path):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_text("text")
    for name in ["missing/out.png", "folder.png", "file/out.png", "nul\0.png"]:
        with pytest.raises(FileError, match="cannot be written: "):
            write_picture(tmp_path / name, noise)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.png"]
    assert list((tmp_path / "folder.png").iterdir()) == []


def test_failure_leaves_what_was_there(noise, tmp_path, monkeypatch):
    path = tmp_path / "out.png"
    path.write_bytes(b"before")

    def no_space(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", no_space)
    with pytest.raises(FileError, match="No space left"):
        write_picture(path, noise)
    assert list(tmp_path.iterdir()) == [path] and path.read_bytes() == b"before"


def test_not_a_picture_to_write(tmp_path):
    for image in [np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8), None]:
        with pytest.raises(ArgumentError):
            write_picture(tmp_path / "out.png", image)
    with pytest.raises(ArgumentError, match=r"too many for \.jpg"):
        write_picture(tmp_path / "out.jpg", np.zeros((1, 70000, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


class EndlessJpeg:
    """A source that begins as a JPEG."""

    def __init__(self):
        self._head = b"\xff\xd8\xff"

    def read(self, size=-1):
        assert 0 < size <= 1 << 24, "in parts"
        head, self._head = self._head, b""
        return head + bytes(size - len(head))


@absent_if(not os.path.exists("/dev/zero"), "/dev/zero")
def test_files_without_end_are_refused(monkeypatch):
    monkeypatch.setattr(pictures, "MAX_BYTES", 1 << 25)
    with pytest.raises(PictureError, match=r"^/dev/zero: not a picture"):
        read_picture("/dev/zero")
    with open("/dev/zero", "rb") as file, pytest.raises(PictureError, match=r"not a picture"):
        read_picture(file)
    with pytest.raises(PictureError, match=r"^picture: more than 32 MiB, which no picture has"):
        read_picture(EndlessJpeg())
