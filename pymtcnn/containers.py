"""What the bytes of a JPEG or PNG file say about it, without decoding a pixel.

OpenCV gives no reason when it cannot read a picture, decodes some damaged files to half-grey
pictures, and allocates any size that a header claims. So the size, and whether the file is
complete, are read here first.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import NamedTuple

from .errors import PictureError

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8\xff"

_STANDALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length: TEM, RST0..7, SOI
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0..15, without DHT, JPG, DAC
_SOS, _EOI = 0xDA, 0xD9
# In coded data 0xFF is followed by 0 (a stuffed byte), RST0..7, or a marker that ends it.
_MARKER_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


class Size(NamedTuple):
    """Size of a picture as it is stored, before any EXIF rotation, in pixels."""

    width: int
    height: int


def check_container(data: bytes) -> Size | None:
    """The size that a JPEG or PNG file's header gives; None for any other kind of file.

    Raises
    ------
    PictureError
        The file ends early or its structure is damaged; the message has no file name.
    """
    if data.startswith(JPEG_SIGNATURE):
        return _jpeg(data)
    if data.startswith(PNG_SIGNATURE):
        return _png(data)
    return None


def _jpeg(data: bytes) -> Size:
    """Walk the segments from SOI to EOI (ITU-T T.81, B.1.1)."""
    truncated = PictureError("truncated JPEG: the file ends before the picture does")
    size = None
    position = 2
    while True:
        position = data.find(b"\xff", position)
        while data[position : position + 2] == b"\xff\xff":  # fill bytes
            position += 1
        if position < 0 or position + 2 > len(data):
            raise truncated
        marker = data[position + 1]
        position += 2
        if marker == _EOI:
            break
        if marker == 0 or marker in _STANDALONE:
            continue
        if position + 2 > len(data):
            raise truncated
        (length,) = struct.unpack_from(">H", data, position)
        if marker in _FRAMES and size is None:
            if position + 7 > len(data):
                raise truncated
            height, width = struct.unpack_from(">HH", data, position + 3)
            size = Size(width, height)
        position += length
        if marker == _SOS:
            found = _MARKER_AFTER_SCAN.search(data, position)
            if found is None:
                raise truncated
            position = found.start()
    if size is None:
        raise PictureError("damaged JPEG: it holds no picture")
    return size


def _png(data: bytes) -> Size:
    """Walk the chunks from IHDR to IEND, checking their checksums (PNG specification, 5.3)."""
    size = None
    position = len(PNG_SIGNATURE)
    kind = b""
    while kind != b"IEND":
        if position + 12 > len(data):
            raise PictureError("truncated PNG: the file ends before the picture does")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise PictureError("truncated PNG: the file ends before the picture does")
        body = memoryview(data)[position + 4 : end - 4]
        critical = kind[0] & 0x20 == 0
        if critical and zlib.crc32(body) != struct.unpack_from(">I", data, end - 4)[0]:
            name = kind.decode("ascii", "replace")
            raise PictureError(f"damaged PNG: the checksum of its {name} chunk is wrong")
        if size is None:
            if kind != b"IHDR" or length != 13:
                raise PictureError("damaged PNG: it does not begin with its IHDR chunk")
            size = Size(*struct.unpack_from(">II", body, 4))
        position = end
    return size  # type: ignore[return-value]  # the first chunk has set it
