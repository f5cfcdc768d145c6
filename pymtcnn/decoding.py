"""Picture files decoded by Pillow, each format by its own plugin.

`PIL.Image.open` is not used: it imports and tries all plugins, and refuses sizes by a limit that
belongs to the whole process.
"""

from __future__ import annotations

from importlib import import_module
from io import BytesIO
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import jpeg
from .containers import check_container, png_lacks_rows
from .errors import PictureError
from .exif import orientation_of
from .optional import library
from .picture_kind import head_size, picture_kind
from .pillow_state import libtiff_complained, noted_tiff, quiet_log, strict

Pixels = NDArray[np.uint8]


class _Format(NamedTuple):
    """The class that reads a format.

    `feature` is what Pillow calls the library behind it; `remedy` is what to do without that.
    """

    name: str
    module: str
    reader: str
    feature: str = ""
    remedy: str = "install the package pillow of PyPI"


_PILLOW = (
    _Format("JPEG", "PIL.JpegImagePlugin", "JpegImageFile", "jpg"),
    _Format("PNG", "PIL.PngImagePlugin", "PngImageFile", "zlib"),
    _Format("WebP", "PIL.WebPImagePlugin", "WebPImageFile", "webp"),
    _Format("GIF", "PIL.GifImagePlugin", "GifImageFile"),
    _Format("BMP", "PIL.BmpImagePlugin", "BmpImageFile"),
    _Format("TIFF", "PIL.TiffImagePlugin", "TiffImageFile"),
    _Format("BigTIFF", "PIL.TiffImagePlugin", "TiffImageFile"),
    _Format("AVIF", "PIL.AvifImagePlugin", "AvifImageFile", "avif", "install pillow 11.3 or newer"),
    _Format(
        "HEIC",
        "pillow_heif",
        "HeifImageFile",
        remedy="install pillow-heif, as by pip install 'pymtcnn-darknet[heic]'",
    ),
    _Format("JPEG 2000", "PIL.Jpeg2KImagePlugin", "Jpeg2KImageFile", "jpg_2000"),
    _Format("PNM", "PIL.PpmImagePlugin", "PpmImageFile"),
)
_FORMATS = {format.name: format for format in _PILLOW}
"""By what `picture_kind` calls them."""


def format_of(data: bytes) -> _Format:
    """The format of a file, by its first `head_size()` bytes; PictureError if it is not read."""
    kind = picture_kind(data[: head_size()])
    if kind is None:
        raise PictureError(
            "not a picture that can be decoded; a JPEG or PNG is needed, "
            "and videos go through pymtcnn video or pymtcnn.track"
        )
    if kind not in _FORMATS:
        raise PictureError(
            f"is a {kind} picture, which this pymtcnn does not decode; convert it to JPEG or PNG"
        )
    return _FORMATS[kind]


def decode(data: bytes, max_pixels: int) -> tuple[Pixels, str | None]:
    """The pixels of a picture file, of an animation those of the first picture.

    Parameters
    ----------
    data : bytes
    max_pixels : int
        More are refused before they are decoded.

    Returns
    -------
    ndarray, [H, W, 3] uint8, RGB
        Upright.
    str or None
        What is odd about the file.

    Raises
    ------
    PictureError
        No picture, or a damaged or too large one; the message has no file name.
    LibraryError
        Pillow cannot be imported.
    MemoryError
    """
    format = format_of(data)
    container = check_container(data)
    if container is None:
        pixels, orientation = _pixels(format, data, max_pixels)
        return upright(pixels, orientation), None
    check_size(container.width, container.height, max_pixels)
    if len(data) < container.least:
        raise PictureError(
            f"claims {container.width}x{container.height} pixels, for which its {len(data)} bytes "
            "are too few; get a whole copy of it"
        )
    if isinstance(container, jpeg.Jpeg):
        pixels, oddity = _jpeg(format, container, max_pixels)
        return upright(pixels, orientation_of(container.exif)), oddity
    pixels, orientation = _pixels(format, container.data, max_pixels)
    png = container.data if format.name == "PNG" else b""
    if png and (not container.ended or _may_lack_rows(png, pixels)) and png_lacks_rows(png):
        raise PictureError("truncated PNG: its last rows are missing; get a whole copy of it")
    oddity = None if container.ended else "lacks its end; all its pixels are there"
    return upright(
        pixels, orientation_of(container.exif) if container.exif else orientation
    ), oddity


def check_size(width: int, height: int, most: int) -> None:
    """Raise PictureError, without a file's name, where a picture has more than `most` pixels."""
    if width * height > most:
        raise PictureError(
            f"{width}x{height} pixels are too many; scale it down to "
            f"{most / 1e6:g} megapixels at most, or raise the limit"
        )


# ---- JPEG --------------------------------------------------------------------------------------

GREY = 128
"""What libjpeg puts in the place of blocks that a file lacks."""


def _jpeg(format: _Format, file: jpeg.Jpeg, max_pixels: int) -> tuple[Pixels, str | None]:
    """Decode, and find out whether parts are missing where that may be."""
    closed = jpeg.closings(file)
    pixels, _ = _pixels(format, next(closed), max_pixels)
    if file.ended and (pixels[-1, -1] != GREY).any():
        return pixels, None
    if file.ended:  # a suspicion only, which one of them has to confirm
        closed = islice(closed, 1)
    whole = all((_pixels(format, data, max_pixels)[0] == pixels).all() for data in closed)
    if file.ended:
        return pixels, None if whole else "is a damaged JPEG, parts of the picture are wrong"
    if not whole:
        raise PictureError(jpeg.TRUNCATED)
    return pixels, "lacks its end marker, as some cameras leave it out; all its pixels are there"


def _may_lack_rows(png: bytes, pixels: Pixels) -> bool:
    """Whether to make sure: where they do, Pillow leaves black, or a palette's first colour."""
    palette, interlaced = png[25] == 3, png[28] != 0
    return palette or interlaced or not pixels[-1, -1].any()


# ---- decoding by Pillow ------------------------------------------------------------------------


def _pixels(format: _Format, data: bytes, max_pixels: int) -> tuple[Pixels, int]:
    """Pixels [H, W, 3], RGB, and the orientation that the file asks for."""
    library("PIL.Image", "pillow")
    try:
        reader = getattr(import_module(format.module), format.reader)
    except ImportError:
        raise _unreadable(format) from None
    try:
        with quiet_log:
            image = reader(BytesIO(data))
        width, height = image.size
        check_size(width, height, max_pixels)
        _load(image)
        return _rgb(image), orientation_of(image.info.get("exif") or b"")
    except (PictureError, MemoryError):
        raise
    except Exception as error:  # of many types, as the files are damaged in many ways
        raise _damaged(format, error) from error


def _load(image: Any) -> None:
    """Decode, without the limit on pixels of Pillow's TIFF plugin, which holds for the process."""
    from PIL import Image

    tags = getattr(image, "tag_v2", None)
    if tags is None:
        with strict:
            image.load()
        return
    image.im = Image.new(image.mode, (tags[256], tags[257]), None).im
    with strict, noted_tiff:
        libtiff_complained()  # about one before
        image.load()
        if libtiff_complained():  # as it does about a damaged fax, and goes on
            raise OSError("damaged")


def _unreadable(format: _Format) -> PictureError:
    return PictureError(
        f"is of the format {format.name}, which cannot be read here; {format.remedy}, "
        "or convert it to JPEG or PNG"
    )


def _damaged(format: _Format, error: Exception) -> PictureError:
    from PIL import features

    if format.feature and format.feature not in features.get_supported():
        return _unreadable(format)
    cause = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    if "truncated" in cause:
        return PictureError(
            f"truncated {format.name}: the file ends before the picture does; "
            "get a whole copy of it"
        )
    if isinstance(error.__cause__, KeyError):  # of a table in the plugin
        cause = f"Pillow does not know {error.__cause__.args[0]}"
    return PictureError(
        f"cannot be read as {format.name} ({cause}); "
        "get a whole copy of it, or convert it to JPEG or PNG"
    )


# ---- pixels ------------------------------------------------------------------------------------

_BAND = 1 << 20
"""Pixels that are converted at once, so that the picture is not held three times."""

_DEEP = {"I;16", "I;16L", "I;16B", "I;16N"}
_COLOURS = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"}
_PREMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}


def _rgb(image: Any) -> Pixels:
    """Pixels [H, W, 3]: grey tripled, of 16 bits the upper 8, transparency dropped."""
    deep = image.mode in _DEEP or (image.mode == "I" and image.format in ("PNG", "PPM"))
    if not deep and image.mode not in _COLOURS | _PREMULTIPLIED.keys():
        raise PictureError(
            f"holds pixels of another kind than grey, RGB and CMYK (Pillow's {image.mode}); "
            "save it as RGB with 8 bits a channel"
        )
    image.info.pop("transparency", None)  # else Pillow warns that it is dropped
    width, height = image.size
    limit = library("PIL.Image").MAX_IMAGE_PIXELS  # the process's, which crop() obeys
    pixels = np.empty((height, width, 3), np.uint8)
    rows = max(1, min(_BAND, limit or _BAND) // width)
    for y in range(0, height, rows):
        band = image.crop((0, y, width, min(y + rows, height)))
        if deep:
            pixels[y : y + rows] = (np.asarray(band) >> 8)[..., None]
        else:
            if band.mode in _PREMULTIPLIED:
                band = band.convert(_PREMULTIPLIED[band.mode])
            pixels[y : y + rows] = np.asarray(band if band.mode == "RGB" else band.convert("RGB"))
    return pixels


def upright(stored: Pixels, orientation: int) -> Pixels:
    """The pixels turned and mirrored as an Exif orientation, 1..8, asks for; contiguous."""
    if orientation > 4:
        stored = stored.swapaxes(0, 1)
    down = -1 if orientation in (3, 4, 7, 8) else 1
    right = -1 if orientation in (2, 3, 6, 7) else 1
    return np.ascontiguousarray(stored[::down, ::right])
