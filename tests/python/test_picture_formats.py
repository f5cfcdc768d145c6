"""What Python reads of each format, and what it refuses before it costs anything."""

from __future__ import annotations

import io
import re
import struct
import subprocess
import sys
import threading
import warnings
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile, features
from support import picture_files as files
from support.skips import missing

from pymtcnn import PictureError, PictureWarning, read_picture
from pymtcnn.exif import orientation_of


@pytest.fixture(scope="module")
def picture(pictures) -> Image.Image:
    """A small photograph."""
    return Image.open(pictures[0]).convert("RGB").resize((96, 75))


def encoded(picture: Image.Image, form: str, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def needs_avif(form: str) -> None:
    if form == "AVIF" and "avif" not in features.get_supported():
        missing("Pillow 11.3 or newer, with AVIF")


def refusal(data: bytes) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # what is refused gives no warning besides
        with pytest.raises(PictureError) as caught:
            read_picture(data)
    return str(caught.value).removeprefix("picture: ")


# ---- formats -------------------------------------------------------------------------------------

LOSSLESS = [
    ("PNG", {}),
    ("BMP", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ("WebP", {"lossless": True}),
    ("JPEG2000", {}),
    ("PPM", {}),
]


@pytest.mark.parametrize(("form", "options"), LOSSLESS)
def test_lossless_formats(picture, form, options):
    assert (read_picture(encoded(picture, form, **options)) == np.asarray(picture)).all()


@pytest.mark.parametrize(
    ("form", "options"),
    [("WebP", {}), ("AVIF", {"quality": 90}), ("TIFF", {"compression": "jpeg", "quality": 95})],
)
def test_lossy_formats(picture, form, options):
    needs_avif(form)
    found = read_picture(encoded(picture, form, **options)).astype(int)
    assert np.abs(found - np.asarray(picture)).mean() < 6


def test_gif_gives_its_first_frame_and_palette(picture):
    paletted = picture.quantize(64)
    frames = [picture.transpose(Image.Transpose.ROTATE_180).quantize(64)]
    data = encoded(paletted, "GIF", save_all=True, append_images=frames, transparency=3)
    assert (read_picture(data) == np.asarray(paletted.convert("RGB"))).all()


@pytest.mark.slow
def test_heic(picture):
    try:
        from pillow_heif import from_pillow
    except ImportError:
        missing("pillow-heif")
    file = io.BytesIO()
    from_pillow(picture).save(file, quality=90)
    assert np.abs(read_picture(file.getvalue()).astype(int) - np.asarray(picture)).mean() < 6


@pytest.mark.parametrize(
    ("module", "brand", "text"),
    [
        ("pillow_heif", b"heic", "HEIC, which cannot be read here; install pillow-heif, as by pip"),
        ("pillow_heif", b"mif1", "HEIC, which cannot be read here; install pillow-heif, as by pip"),
        ("PIL.AvifImagePlugin", b"avif", "AVIF, which cannot be read here; install pillow 11.3"),
    ],
)
def test_a_format_without_its_plugin(monkeypatch, module, brand, text):
    monkeypatch.setitem(sys.modules, module, None)
    data = b"\0\0\0\x1cftyp" + brand + bytes(4) + b"miaf" + brand + bytes(40)
    assert refusal(data).startswith(f"is of the format {text}")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_kinds_of_pixels(picture, mode):
    """Grey is tripled, transparency dropped and not blended."""
    alpha = picture.convert("L").point(lambda value: value // 2)
    made = picture.convert(mode)
    if mode.endswith("A"):
        made.putalpha(alpha)
    expected = np.asarray(made.convert("RGB"))
    for form in ("TIFF", *(["PNG"] * (mode != "CMYK"))):
        assert (read_picture(encoded(made, form)) == expected).all(), form


@pytest.mark.parametrize("form", [".png", ".tif", ".pgm", "JPEG2000"])
def test_sixteen_bits_of_grey(form):
    values = np.random.default_rng(3).integers(0, 65536, (70, 80)).astype(np.uint16)
    if form.startswith("."):
        data = cv2.imencode(form, values)[1].tobytes()
    else:
        data = encoded(Image.fromarray(values), form)  # OpenCV's loses some
    found = read_picture(data)
    assert (found == (values >> 8).astype(np.uint8)[..., None]).all()


@pytest.mark.parametrize("kind", [".jp2", "codestream"])
def test_sixteen_bits_of_colour_in_jpeg_2000(picture, kind):
    """Pillow makes black points of white ones."""
    done, data = cv2.imencode(".jp2", np.asarray(picture).astype(np.uint16) * 257)
    data = data.tobytes()
    data = data if kind == ".jp2" else data[data.index(b"\xff\x4f\xff\x51") :]
    assert done and refusal(data).startswith("is a JPEG 2000 picture with more than 8 bits")


@pytest.mark.parametrize("mode", ["I", "F", "LAB"])
def test_pixels_whose_range_is_not_known_are_refused(picture, mode):
    data = encoded(picture.convert("L").convert(mode) if mode != "LAB" else
                   Image.new("LAB", (9, 9)), "TIFF")  # fmt: skip
    assert refusal(data).startswith(
        f"holds pixels of another kind than grey, RGB and CMYK (Pillow's {mode})"
    )


# ---- turned upright ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WebP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(picture, form, orientation):
    needs_avif(form)
    upright = np.asarray(picture)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(files.stored(upright, orientation))
    options = {"lossless": True} if form == "WebP" else {} if form in ("PNG", "TIFF") else {"quality": 95}  # fmt: skip # noqa: E501
    found = read_picture(encoded(stored, form, exif=exif, **options)).astype(int)
    assert found.shape == upright.shape and np.abs(found - upright).mean() < 6


@pytest.mark.parametrize(
    "exif",
    [b"", b"II*\0", b"MM\0*" + b"\xff" * 40, files.tiff(0), files.tiff(9), files.tiff(6)[:-12]],
)
def test_exif_without_an_orientation(exif):
    assert orientation_of(exif) == 1


# ---- JPEG ----------------------------------------------------------------------------------------

KINDS = [
    {},
    {"progressive": True},
    {"restart_marker_blocks": 1},
    {"progressive": True, "restart_marker_rows": 1},
    {"subsampling": 0, "optimize": True},
]


@pytest.mark.parametrize("options", KINDS)
def test_a_jpeg_without_its_end_marker(picture, options):
    data = encoded(picture, "JPEG", **options)
    for rest in (data[:-2], data[:-1], data[:-2] + bytes(5000)):
        with pytest.warns(PictureWarning, match="^picture: lacks its end marker, as some cameras"):
            assert (read_picture(rest) == read_picture(data)).all()


@pytest.mark.parametrize("options", KINDS)
def test_a_jpeg_without_its_last_pixels(picture, options):
    data = encoded(picture.resize((40, 33)), "JPEG", **options)
    for cut in [*range(3, 40), *range(40, len(data) - 20, 23)]:
        for filler in (b"", bytes(5000)):
            assert refusal(data[:-cut] + filler).startswith("truncated JPEG: the file ends before")


def test_a_progressive_jpeg_without_its_last_scan(picture):
    data = encoded(picture, "JPEG", progressive=True)
    assert refusal(data[: data.rindex(b"\xff\xda")]).startswith("truncated JPEG")


def test_a_jpeg_whose_middle_is_missing(picture):
    data = encoded(picture, "JPEG")
    with pytest.warns(PictureWarning, match="is a damaged JPEG, parts of the picture are wrong$"):
        read_picture(data[:-900] + data[-2:])
    grey = encoded(Image.new("RGB", (64, 64), (128, 128, 128)), "JPEG")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (read_picture(grey) == 128).all()  # whole, although it looks as if it were not


def scans(count: int, side: int = 64) -> bytes:
    """A progressive JPEG whose last scan comes `count` times; empty ones."""
    data = encoded(Image.new("RGB", (64, 64), (90, 90, 90)), "JPEG", progressive=True)
    at = data.index(b"\xff\xc2") + 5
    data = data[:at] + struct.pack(">HH", side, side) + data[at + 4 :]
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + b"\xff\xd9"


def test_scans_without_end():
    others = scans(1).count(b"\xff\xda") - 1
    assert read_picture(scans(100 - others)).shape == (64, 64, 3)
    text = "has more than 100 scans, which no camera or program writes; save it anew"
    assert refusal(scans(101 - others)) == refusal(scans(20000, 2000)) == text


# ---- what a file claims --------------------------------------------------------------------------


def claims(data: bytes, width: int = 10000, height: int = 10000) -> str:
    return (
        f"claims {width}x{height} pixels, for which its {len(data)} bytes are too few; "
        "get a whole copy of it"
    )


def test_a_file_too_short_for_its_pixels():
    jpeg = files.resized_jpeg_header(encoded(Image.new("L", (64, 64)), "JPEG"), 10000, 10000)
    header = struct.pack(">IIBBBBB", 10000, 10000, 8, 2, 0, 0, 0)
    body = files.png_chunk(b"IHDR", header) + files.png_chunk(b"IDAT", bytes(3000))
    png = files.PNG_SIGNATURE + body + files.png_chunk(b"IEND", b"")
    gif = bytearray(encoded(Image.new("L", (64, 64)), "GIF"))
    gif[6:10] = struct.pack("<HH", 10000, 10000)
    for data in (jpeg, jpeg[:-2], scans(1, 10000), png, bytes(gif)):
        assert refusal(data) == claims(data)


@pytest.mark.parametrize("depth", [1, 8])
def test_the_smallest_files_of_one_colour(depth):
    """What packs best is no claim."""
    black = np.zeros((2000, 2000, 1), int)
    assert read_picture(files.png(black, files.GRAY, depth)).max() == 0
    for form in ("JPEG", "GIF", "WebP", "TIFF"):
        options = {"compression": "tiff_adobe_deflate"} if form == "TIFF" else {"optimize": True}
        small = encoded(Image.new("L", (2000, 2000)), form, **options)
        assert read_picture(small).shape == (2000, 2000, 3)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["GIF", "WebP", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM"])
def test_pixels_over_the_limit_cost_nothing(tmp_path, form):
    needs_avif(form)
    path = tmp_path / "large"
    side = 2600 if form in ("AVIF", "JPEG2000") else 5000
    path.write_bytes(encoded(Image.new("L" if form != "WebP" else "RGB", (side, side)), form))
    program = (
        "import resource, sys, pymtcnn\n"
        "from importlib import import_module\n"
        "import PIL.Image, numpy\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: pymtcnn.read_picture(sys.argv[1], max_pixels=1000000)\n"
        "except pymtcnn.PictureError as error: print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=True
    )
    message, grown = done.stdout.splitlines()
    assert message.endswith("1 megapixels at most, or raise the limit")
    file = path.stat().st_size / 1024 * 3
    assert int(grown) < 12 * 1024 + file, "kilobytes: less than the pixels alone take"


# ---- truncated and damaged -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "options"), [*LOSSLESS[1:], ("GIF", {}), ("TIFF", {"compression": "jpeg"})]
)
def test_cut_anywhere(picture, form, options, capfd):
    data = encoded(picture.quantize(16) if form == "GIF" else picture, form, **options)
    for part in range(1, 16):
        assert re.match("truncated|cannot be read as", refusal(data[: len(data) * part // 16]))
    assert capfd.readouterr() == ("", "")


def lzw_tiff(picture: Image.Image, compression: int) -> bytes:
    """A TIFF that says that its data are packed in this way."""
    data = encoded(picture, "TIFF", compression="tiff_lzw")
    entry = struct.pack("<HHI", 259, 3, 1)
    at = data.index(entry) + len(entry)
    return data[:at] + struct.pack("<H", compression) + data[at + 2 :]


@pytest.mark.parametrize("compression", [6, 8, 34712, 33003, 50000, 50001, 34925, 65535])
def test_a_tiff_packed_in_another_way(picture, compression, capfd):
    """JPEG 2000 inside, among others: an error, never black, and one message."""
    assert refusal(lzw_tiff(picture, compression)).startswith("cannot be read as TIFF (")
    assert capfd.readouterr() == ("", "")


def test_a_tiff_of_too_many_channels(picture, capfd):
    entry = struct.pack("<HHI", 277, 3, 1)
    data = encoded(picture, "TIFF").replace(entry + b"\3\0", entry + b"\xff\0")
    assert refusal(data).startswith("cannot be read as TIFF (")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("compression", ["tiff_lzw", "group4"])
def test_a_tiff_with_damaged_strips(picture, capfd, compression):
    """Also where libtiff goes on and Pillow says nothing, as of a fax."""
    kept = picture.convert("1") if compression == "group4" else picture
    data = bytearray(encoded(kept, "TIFF", compression=compression))
    middle = len(data) // 2
    data[middle : middle + 100] = np.random.default_rng(2).bytes(100)
    assert refusal(bytes(data)).startswith("cannot be read as TIFF (")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("kind", [files.GRAY, files.RGB, files.PALETTE, files.RGB_ALPHA])
def test_a_png_without_its_last_rows(kind, interlaced):
    """Its structure and checksums are right."""
    channels = {files.GRAY: 1, files.RGB: 3, files.PALETTE: 1, files.RGB_ALPHA: 4}[kind]
    samples = np.random.default_rng(4).integers(0, 16, (21, 19, channels))
    samples[-1] = 0  # as if they were missing
    options = {"palette": np.full((16, 3), 99)} if kind == files.PALETTE else {}
    data = files.png(samples, kind, 8, interlaced=interlaced, **options)
    read_picture(data)
    at, end = data.index(b"IDAT"), data.index(b"IEND")
    rows = zlib.decompress(data[at + 4 : end - 8])
    row = 1 + 19 * channels
    for missing_bytes in (1, row, 2 * row, len(rows) - row):
        cut = files.png_chunk(b"IDAT", zlib.compress(rows[:-missing_bytes]))
        text = refusal(data[: at - 4] + cut + data[end - 4 :])
        assert re.match("truncated PNG: .*; get a whole copy of it$", text)


# ---- the process ---------------------------------------------------------------------------------


def test_pillow_s_own_limits_stay_and_do_not_count(picture, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", False)
    for form, options in LOSSLESS:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert read_picture(encoded(picture, form, **options)).shape == (75, 96, 3)
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES) == (100, False)


def test_a_program_that_lets_pillow_read_cut_files(picture, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    for form, options in LOSSLESS:
        data = encoded(picture, form, **options)
        assert refusal(data[: len(data) // 2])
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


def test_many_threads(picture):
    data = [encoded(picture, form, **options) for form, options in LOSSLESS]
    bad = lzw_tiff(picture, 8)
    found = []

    def work() -> None:
        for one in data:
            found.append((read_picture(one) == np.asarray(picture)).all())
            with pytest.raises(PictureError):
                read_picture(bad)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 * len(data) and all(found)


@pytest.mark.slow
def test_pixels_of_arrays_need_no_library():
    """Neither Pillow nor OpenCV is imported before a file is read."""
    program = (
        "import sys, numpy, pymtcnn\n"
        "pymtcnn.Detector().detect(numpy.zeros((99, 99, 3), numpy.uint8))\n"
        "print(sorted({'PIL', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
