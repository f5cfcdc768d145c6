"""Pictures of all formats: each is really decoded, or refused before it costs much."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, features
from support import HOPPER, ROOT
from support import picture_files as files
from support.program_runs import assert_one_line, encode_jpeg, read_rgb
from support.skips import absent, missing

HEIC = ROOT / "tests" / "support" / "face.heic"


@pytest.fixture(scope="module")
def small() -> np.ndarray:
    """A face, uint8 RGB [112, 96, 3]."""
    return np.array(Image.open(HOPPER).convert("RGB").resize((96, 112)))


@pytest.fixture(autouse=True, scope="module")
def _ffmpeg(program, tmp_path_factory):
    """Skips the tests where the program reads JPEG and PNG only."""
    path = tmp_path_factory.mktemp("probe") / "probe.bmp"
    Image.new("RGB", (1, 1)).save(path)
    done = subprocess.run([program, path], capture_output=True, text=True)
    if "FFmpeg" in done.stderr:
        missing(done.stderr)


def saved(pixels: np.ndarray | Image.Image, form: str, **options) -> bytes:
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


# ---- what FFmpeg would give as black -------------------------------------------------------------


def test_tiff_is_read(decode, small):
    assert (decode(files.tiff_picture(small, {})) == small).all()


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_deflate", "packbits"])
def test_compressed_tiff_is_read(decode, small, compression):
    assert (decode(saved(small, "TIFF", compression=compression)) == small).all()


@pytest.mark.parametrize(
    ("tags", "tile", "what"),
    [
        ({}, 64, "tiles"),
        ({259: [6]}, 0, "JPEG compression"),
        ({259: [7]}, 0, "JPEG compression"),
        ({259: [34712]}, 0, "JPEG 2000 compression"),
        ({259: [50000]}, 0, "compression 50000"),
        ({262: [6]}, 0, "YCbCr pixels"),
        ({262: [8]}, 0, "pixels of kind 8"),
        ({262: [32803]}, 0, "pixels of kind 32803"),
        ({262: [5]}, 0, "pixels of kind 5"),  # CMYK of three channels
        ({262: [3], 320: [0] * 768, 258: [8], 277: [1]}, 0, "a palette of odd numbers"),
        ({262: [1], 266: [2], 258: [4], 277: [1]}, 0, "pixels in reversed order"),
        ({339: [2, 2, 2]}, 0, "signed or floating-point pixels"),
        ({339: [3, 3, 3]}, 0, "signed or floating-point pixels"),
    ],
)
def test_tiff_that_is_not_decoded(run, tmp_path, small, tags, tile, what):
    path = tmp_path / "picture.tif"
    path.write_bytes(files.tiff_picture(small, tags, tile=tile))
    said = f"is a TIFF picture with {what}, which this mtcnn does not decode; convert it"
    assert_one_line(run(path), 1, "picture.tif", said)


def test_jpeg_in_tiff(run, tmp_path, small):
    path = tmp_path / "picture.tif"
    path.write_bytes(saved(small, "TIFF", compression="jpeg"))
    assert_one_line(run(path), 1, "picture.tif", "JPEG compression")


@pytest.mark.parametrize("tags", [{254: [1]}, {50706: [1]}])
def test_camera_raw_is_not_its_small_copy(run, tmp_path, small, tags):
    path = tmp_path / "picture.dng"
    path.write_bytes(files.tiff_picture(small, tags))
    assert_one_line(run(path), 1, "picture.dng", "is a camera raw picture, which this mtcnn does")


def test_bigtiff_and_jpeg_2000_are_named(run, tmp_path):
    for name, head in (
        ("BigTIFF", b"II+\0"),
        ("JPEG 2000", b"\xff\x4f\xff\x51"),
        ("PNM", b"P6 1 1 "),
    ):
        path = tmp_path / name
        path.write_bytes(head + bytes(50))
        assert_one_line(run(path), 1, name, f"is a {name} picture, which this mtcnn does not")


# ---- animations, HEIC, AVIF ----------------------------------------------------------------------


@pytest.mark.parametrize(("form", "most"), [("GIF", 0), ("WEBP", 0)])
def test_first_frame(decode, small, form, most):
    first = Image.fromarray(small).quantize(64).convert("RGB")
    options = {"lossless": True} if form == "WEBP" else {}
    more = [Image.fromarray(255 - small).quantize(64)]
    given = first.quantize(64) if form == "GIF" else first
    data = saved(given, form, save_all=True, append_images=more, **options)
    assert np.abs(decode(data).astype(int) - np.array(first)).max() <= most


def box_by_libheif(run, path):
    """The first face's box, [4], in a picture that takes libheif."""
    done = run("--csv", path)
    if b"libheif" in done.stderr:
        absent("libheif.so.1")
    assert (done.returncode, done.stderr) == (0, b"")
    return np.array(done.stdout.decode().splitlines()[1].split(",")[1:5], float)


def test_heic(run):
    assert np.abs(box_by_libheif(run, HEIC) - [32, 22, 66, 62]).max() < 2


@pytest.mark.slow
def test_avif_is_turned_as_its_box_says(run, tmp_path):
    if not features.check("avif"):
        absent("Pillow with AVIF")
    exif = Image.Exif()
    exif[0x0112] = 6  # becomes AVIF's irot
    upright = Image.open(HOPPER).convert("RGB")
    path = tmp_path / "lying.avif"
    path.write_bytes(saved(upright.transpose(Image.Transpose.ROTATE_90), "AVIF", exif=exif))
    assert np.abs(box_by_libheif(run, path) - [176, 121, 354, 336]).max() < 15


# ---- files that end early ------------------------------------------------------------------------


def smallest_cuts(data: bytes, pixels_end: int) -> list[int]:
    """Cuts all over a file, and around the end of its pixels."""
    around = range(pixels_end - 3, pixels_end + 2)
    return sorted({*around, *(len(data) * part // 16 for part in range(1, 16)), len(data) - 1})


def gif_picture(small) -> tuple[bytes, int]:
    data = saved(Image.fromarray(small).quantize(32), "GIF")
    return data, len(data) - 2  # the end of the chain of blocks, and the trailer


def bmp_picture(small) -> tuple[bytes, int]:
    return saved(np.ascontiguousarray(small[:, :-1]), "BMP"), -3  # padding of the last row


def webp_picture(small) -> tuple[bytes, int]:
    exif = b"Exif\0\0" + files.tiff(1)
    data = saved(small, "WEBP", lossless=True, exif=exif)
    return data, data.index(b"EXIF")


@pytest.mark.slow
@pytest.mark.parametrize("make", [gif_picture, bmp_picture, webp_picture])
def test_cut_files(run, tmp_path, small, make):
    """Either all pixels and a warning, or an error: never fewer pixels."""
    data, end = make(small)
    end %= len(data)
    whole = tmp_path / "whole"
    whole.write_bytes(data)
    for size in smallest_cuts(data, end):
        (tmp_path / f"cut{size}").write_bytes(data[:size])
    out = tmp_path / "out"
    done = run("--min-face", "1000000", "--out", out, *sorted(tmp_path.glob("[cw]*")))
    lines = done.stderr.decode().splitlines()
    expected = read_rgb(out / "whole.png")
    assert done.returncode == 1 and expected.shape[0] == small.shape[0]
    for line in lines:
        cut = out / f"{line.split(': ')[1].rsplit('/')[-1]}.png"
        size = int(cut.stem[3:])
        if size >= end:
            assert line.endswith("lacks its end; all its pixels are there")
            assert (read_rgb(cut) == expected).all()
        elif cut.exists():  # a GIF's last block may be needed in part only
            assert make is gif_picture and size >= end - 2
        else:
            assert "truncated" in line
    assert len(lines) == len(list(tmp_path.glob("cut*")))


@pytest.mark.slow
def test_jpeg_without_end_marker(run, tmp_path):
    for kind in ([], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_RST_INTERVAL, 1]):
        data = encode_jpeg(read_rgb(HOPPER), *kind)
        (tmp_path / "whole.jpg").write_bytes(data)
        (tmp_path / "picture.jpg").write_bytes(data[:-2])
        done = run("--json", tmp_path / "picture.jpg")
        said = "lacks its end marker, as some cameras leave it out; all its pixels are there"
        assert_one_line(done, 0, f"{tmp_path}/picture.jpg: {said}")
        assert (
            done.stdout.replace(b"picture", b"whole")
            == run("--json", tmp_path / "whole.jpg").stdout
        )
        (tmp_path / "picture.jpg").write_bytes(data[:-3])
        assert_one_line(run(tmp_path / "picture.jpg"), 1, "truncated JPEG")


def test_jpeg_that_ends_behind_a_scan(run, tmp_path):
    """All scans so far are whole, but not all of them are there."""
    data = encode_jpeg(read_rgb(HOPPER), cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    scans = [i for i in range(len(data)) if data[i : i + 2] in (b"\xff\xda", b"\xff\xc4")]
    path = tmp_path / "picture.jpg"
    for end in (scans[-1], scans[len(scans) // 2]):
        path.write_bytes(data[:end])
        assert_one_line(run(path), 1, "truncated JPEG")


def test_jpeg_without_the_scan_of_a_colour(run, decode, tmp_path):
    """It has its end marker, but libjpeg would make up the values of all blocks."""
    assert (decode(files.jpeg_scans(3)) == 128).all()
    path = tmp_path / "picture.jpg"
    path.write_bytes(files.jpeg_scans(2))
    assert_one_line(run(path), 1, "is a damaged JPEG: the scan of a colour is missing")
    path.write_bytes(files.jpeg_scans(2)[:-2])
    assert_one_line(run(path), 1, "is a truncated JPEG")


def test_jpeg_without_its_first_scan(run, tmp_path):
    data = encode_jpeg(read_rgb(HOPPER), cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    start = data.index(b"\xff\xda")
    path = tmp_path / "picture.jpg"
    path.write_bytes(data[:start] + data[data.index(b"\xff\xc4", start) :])
    assert_one_line(run(path), 0, "is a damaged JPEG, parts of the picture are wrong")


# ---- what a file costs ---------------------------------------------------------------------------


def repeated_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes more often."""
    data = encode_jpeg(np.full((64, 64, 3), 90, np.uint8), cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    at = data.rindex(b"\xff\xda")
    (length,) = struct.unpack(">H", data[at + 2 : at + 4])
    return data[:at] + (data[at : at + 2 + length] + b"\0\0") * count + b"\xff\xd9"


def test_many_scans(run, tmp_path):
    path = tmp_path / "picture.jpg"
    path.write_bytes(repeated_scans(50))
    assert run(path).returncode == 0
    path.write_bytes(repeated_scans(120))
    said = "has more than 100 scans, which no camera or program writes; save it anew"
    assert_one_line(run(path), 1, f"{path}: {said}")


def claims(kind: str) -> bytes:
    """A file of few bytes that claims 9000x10000 pixels."""
    if kind in ("baseline", "progressive"):
        options = (cv2.IMWRITE_JPEG_PROGRESSIVE, 1) if kind == "progressive" else ()
        data = encode_jpeg(np.zeros((64, 64, 3), np.uint8), *options)
        at = data.index(b"\xff\xc2" if options else b"\xff\xc0") + 5
        return data[:at] + struct.pack(">HH", 10000, 9000) + data[at + 4 :]
    if kind == "PNG":
        header = struct.pack(">IIBBBBB", 9000, 10000, 8, files.RGB, 0, 0, 0)
        body = zlib.compress(bytes(9001))
        chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
        return files.PNG_SIGNATURE + b"".join(files.png_chunk(*chunk) for chunk in chunks)
    assert kind == "TIFF"
    return files.tiff_picture(np.zeros((64, 64, 3), np.uint8), {256: [9000], 257: [10000]})


@pytest.mark.parametrize("kind", ["baseline", "progressive", "PNG", "TIFF"])
def test_more_pixels_than_the_bytes_can_hold(run, tmp_path, kind):
    path = tmp_path / "picture"
    path.write_bytes(claims(kind))
    said = (
        f"claims 9000x10000 pixels, for which its {path.stat().st_size} bytes are too few; "
        "get a whole copy of it"
    )
    assert_one_line(run(path), 1, f"{path}: {said}")


@pytest.mark.slow
def test_a_uniform_picture_is_not_too_small(decode):
    """The fewest bytes that encoders come to."""
    pixels = np.full((1000, 1500), 128, np.uint8)
    progressive = Image.fromarray(pixels).convert("RGB")
    data = saved(progressive, "JPEG", progressive=True, quality=10, subsampling=2)
    assert np.abs(decode(data).astype(int) - 128).max() <= 1
    assert (decode(saved(pixels, "PNG", compress_level=9)) == 128).all()


@pytest.mark.slow
def test_endless_standard_input(program):
    """Bounded, though its first bytes are those of a picture; it takes 1 GiB of memory at most."""
    if os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") < 3 << 30:
        absent("3 GiB of free memory")
    command = f"(printf '\\377\\330\\377'; cat /dev/zero) | {program} -"
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=120)
    assert_one_line(done, 1, "standard input: more than 1024 MiB, which no picture has")


# ---- where a file goes ---------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["there.png", "new.png"])
def test_out_over_a_link(run, tmp_path, target):
    """It is written through links, to a file that is there or not."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "there.png").write_bytes(b"older")
    (tmp_path / "link.png").symlink_to(f"folder/{target}")
    (tmp_path / "out.png").symlink_to(tmp_path / "link.png")
    assert run("--out", tmp_path / "out.png", HOPPER).returncode == 0
    assert os.readlink(tmp_path / "link.png") == f"folder/{target}"
    assert os.readlink(tmp_path / "out.png") == f"{tmp_path}/link.png"
    assert not (tmp_path / "folder" / target).is_symlink()
    assert read_rgb(tmp_path / "folder" / target).shape == (600, 512, 3)
    assert {path.name for path in (tmp_path / "folder").iterdir()} == {"there.png", target}


def test_out_over_a_loop_of_links(run, tmp_path):
    (tmp_path / "out.png").symlink_to("out.png")
    done = run("--out", tmp_path / "out.png", HOPPER)
    assert_one_line(done, 1, "out.png: cannot be written: Too many levels of symbolic links")
    assert (tmp_path / "out.png").is_symlink()


def test_out_over_a_pipe_or_device(run, tmp_path):
    pipe, device, full = (tmp_path / f"{name}.png" for name in ("pipe", "device", "full"))
    os.mkfifo(pipe)
    with open(tmp_path / "copy", "wb") as copy, subprocess.Popen(["cat", pipe], stdout=copy) as cat:
        assert run("--out", pipe, HOPPER).returncode == 0 and cat.wait(20) == 0
    assert Image.open(tmp_path / "copy").size == (512, 600) and pipe.is_fifo()
    device.symlink_to("/dev/null")
    assert run("--out", device, HOPPER).returncode == 0 and device.is_char_device()
    full.symlink_to("/dev/full")
    assert_one_line(run("--out", full, HOPPER), 1, "full.png: cannot be written: No space left")
    assert len(list(tmp_path.iterdir())) == 4
