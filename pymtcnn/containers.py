"""What the bytes of a picture file say about it, without decoding a pixel.

Pillow allocates what a header claims, makes up what a JPEG lacks, and takes a PNG whose checksums
are wrong. So size and completeness are read here first, of the formats where that is so.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from . import jpeg
from .errors import PictureError
from .exif import without_orientation

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_DEFLATE = 1032
"""Most bytes that a byte of deflated data may stand for."""

_LZW = 4096
"""More pixels than a byte of a GIF's may stand for: a code has 12 bits, and is for 4095 at most."""

_ADAM7 = (  # x and y of the first pixel, steps in x and y, of an interlaced PNG's passes
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of PNG's colour types


@dataclass
class Container:
    """What a file holds.

    Attributes
    ----------
    width, height : int
        As the picture is stored, before any Exif rotation; 0 where the decoder finds it out.
    data : bytes
        What a decoder needs of the file.
    least : int
        The fewest bytes that so many pixels take.
    exif : bytes
        Exif data, from their TIFF header on; empty if there are none.
    ended : bool
        Whether the file has its end; if not, all pixels may be there nevertheless.
    """

    width: int
    height: int
    data: bytes
    least: int = 0
    exif: bytes = b""
    ended: bool = True


def check_container(data: bytes) -> Container | jpeg.Jpeg | None:
    """What a JPEG, PNG, WebP, GIF or TIFF file holds; None for a file of another kind.

    Raises
    ------
    PictureError
        The file ends early or its structure is damaged; the message has no file name.
    """
    if data.startswith(jpeg.SIGNATURE):
        return jpeg.look_through(data)
    if data.startswith(PNG_SIGNATURE):
        return _png(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp(data)
    if data.startswith((b"GIF87a", b"GIF89a")):
        width, height = struct.unpack("<HH", data[6:10].ljust(4, b"\0"))
        return Container(width, height, data, width * height // _LZW)
    if data.startswith((b"II*\0", b"MM\0*")):  # some Pillows turn it themselves
        return Container(0, 0, without_orientation(data), exif=data)
    _check_jpeg2000(data)
    return None


def _png(data: bytes) -> Container:
    """Walk the chunks from IHDR to IEND, checking their checksums (PNG specification, 5.3)."""
    truncated = PictureError(
        "truncated PNG: the file ends before the picture does; get a whole copy of it"
    )
    header, exif, kept = b"", b"", [PNG_SIGNATURE]
    position = len(PNG_SIGNATURE)
    kind = b""
    ended = True
    while kind != b"IEND":
        begun = position + 8 <= len(data)
        length, kind = struct.unpack_from(">I4s", data, position) if begun else (0, b"")
        end = position + 12 + length
        if end > len(data):
            if not header:
                raise truncated
            if kind == b"IDAT":
                kept.append(_png_chunk(kind, data[position + 8 : position + 8 + length]))
            kept.append(_png_chunk(b"IEND", b""))
            ended = False
            break
        chunk = data[position:end]
        critical = kind[0] & 0x20 == 0
        if critical and zlib.crc32(chunk[4:-4]) != struct.unpack(">I", chunk[-4:])[0]:
            name = kind.decode("ascii", "replace")
            raise PictureError(
                f"damaged PNG: the checksum of its {name} chunk is wrong; get a whole copy of it"
            )
        if not header:
            if kind != b"IHDR" or length != 13:
                raise PictureError(
                    "damaged PNG: it does not begin with its IHDR chunk; get a whole copy of it"
                )
            header = chunk[8:-4]
        if critical:
            kept.append(chunk)
        elif kind == b"eXIf":
            exif = chunk[8:-4]
        position = end
    width, height = struct.unpack_from(">II", header)
    return Container(width, height, b"".join(kept), _png_bytes(header) // _DEFLATE, exif, ended)


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def _png_bytes(header: bytes) -> int:
    """Bytes of all rows, unpacked, by the contents of IHDR."""
    width, height, depth, colors = struct.unpack_from(">IIBB", header)
    passes = _ADAM7 if header[12] else ((0, 0, 1, 1),)
    sizes = ((-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in passes)
    bits = depth * _CHANNELS.get(colors, 1)
    return sum((1 + -(-w * bits // 8)) * h for w, h in sizes if w > 0 and h > 0)


def png_lacks_rows(data: bytes) -> bool:
    """Whether the data of a PNG, its chunks checked before, unpack to less than all rows."""
    position, packed = len(PNG_SIGNATURE), []
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"IDAT":
            packed.append(data[position + 8 : position + 8 + length])
        position += 12 + length
    unpacker, rest, count = zlib.decompressobj(), b"".join(packed), 0
    while rest and not unpacker.eof:
        count += len(unpacker.decompress(rest, 1 << 20))
        rest = unpacker.unconsumed_tail
    return count < _png_bytes(data[16:29])


def _webp(data: bytes) -> Container | None:
    """Walk the chunks of the RIFF file; None where it has no picture at its beginning."""
    kind, body = data[12:16], data[20:30].ljust(10, b"\0")
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(body[i : i + 3], "little") for i in (4, 7))
    elif kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = (n & 0x3FFF for n in struct.unpack_from("<HH", body, 6))
    else:
        return None
    exif = b""
    position, end = 12, min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while position + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, position)
        position += 8
        if position + length > len(data):
            raise PictureError(
                "truncated WebP: the file ends before the picture does; get a whole copy of it"
            )
        if kind == b"EXIF":
            exif = data[position : position + length]
        position += length + (length & 1)
    return Container(width, height, data, exif=exif)


def _check_jpeg2000(data: bytes) -> None:
    """Refuse what Pillow decodes wrongly: with 16 bits, white becomes black in places."""
    start = data.find(b"\xff\x4f\xff\x51") if data[4:8] == b"jP  " else 0
    if start >= 0 and data.startswith(b"\xff\x4f\xff\x51", start):
        channels, depth = struct.unpack_from(">HB", data[start + 40 :].ljust(3, b"\0"))
        if channels > 1 and depth & 0x7F >= 8:  # one less than the bits; the first bit is a sign
            raise PictureError(
                "is a JPEG 2000 picture with more than 8 bits a channel; save it with 8"
            )
