"""A JPEG file's segments (ITU-T T.81, B.1.1): size, scans, whether all of the picture is there.

Decoders make up what a file lacks without a word, and work for minutes on thousands of empty
scans. So the file is looked through first, without decoding a pixel.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .errors import PictureError

SIGNATURE = b"\xff\xd8\xff"
MAX_SCANS = 100
"""More are refused: each makes a decoder go over all pixels again."""

PIXELS_A_BYTE = 512
"""Most pixels that a byte may stand for: each block of 8x8 takes a bit at least."""

_EOI, _SOS, _APP1 = 0xD9, 0xDA, 0xE1
_FOREIGN = {*range(0xE0, 0xF0), 0xFE}  # APP0..15, comments
_COLOURS = {0xE0: (b"JFIF\0", 14), 0xEE: (b"Adobe", 12)}  # of these, what tells of colours; bytes
_STANDALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length: TEM, RST0..7, SOI
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0..15, without DHT, JPG, DAC
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_ARITHMETIC = set(range(0xC9, 0xD0))
_FILL = re.compile(rb"\xff+")  # before a marker; the last byte is the marker's
# In coded data 0xFF is followed by 0 (a stuffed byte), RST0..7, or a marker that ends it.
_MARKER_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_ZEROS = 32  # so many at the end are what a file system left, no coded data


@dataclass
class Jpeg:
    """What was found.

    Attributes
    ----------
    width, height : int
        As stored, before any rotation.
    data : bytes
        What a decoder needs of the file: without comments and foreign segments, and without what
        follows the picture. Ends with the end marker only where the file has it.
    ended : bool
        The file has its end marker.
    least : int
        The fewest bytes that so many pixels take.
    exif : bytes
        The first Exif block, from its TIFF header on; empty if there is none.
    """

    width: int
    height: int
    data: bytes
    ended: bool
    least: int
    exif: bytes


TRUNCATED = "truncated JPEG: the file ends before the picture does; get a whole copy of it"


def look_through(data: bytes) -> Jpeg:
    """Walk the segments from SOI to EOI.

    Raises
    ------
    PictureError
        It ends early, holds no picture or more than `MAX_SCANS` scans; without the file's name.
    """
    kept, exif = [SIGNATURE[:2]], b""
    frame, size, scans = 0, None, _Scans()
    for marker, body, whole in _segments(data):
        if marker in _FRAMES and size is None:
            frame, size = marker, struct.unpack_from(">HH", body.ljust(5, b"\0"), 1)
            scans.components = list(body[6::3])
        elif marker == _SOS:
            scans.add(body)
        elif marker == _APP1 and body.startswith(b"Exif\0\0") and not exif:
            exif = body[6:]
        begin, least = _COLOURS.get(marker, (b"", 0))
        if marker not in _FOREIGN or (begin and body.startswith(begin) and len(body) >= least):
            kept.append(whole)
    ended = kept[-1] == b"\xff\xd9"
    if not ended and not (size and scans.complete(frame in _PROGRESSIVE)):
        raise PictureError(TRUNCATED)
    if size is None:
        raise PictureError("damaged JPEG: it holds no picture; get a whole copy of it")
    height, width = size
    least = 0 if frame in _ARITHMETIC else width * height // PIXELS_A_BYTE
    return Jpeg(width, height, b"".join(kept), ended, least, exif)


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Each marker, its segment's body, and the whole segment, of a scan with the coded data.

    The last one is EOI, or a scan with which the file ends.
    """
    position = 2
    while True:
        fill = _FILL.search(data, position)
        if fill is None or fill.end() == len(data):
            raise PictureError(TRUNCATED)
        position = fill.end() - 1
        marker = data[position + 1]
        if marker == _EOI:
            yield marker, b"", data[position : position + 2]
            return
        if marker == 0 or marker in _STANDALONE:
            position += 2
            continue
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        end = position + 2 + length
        if end > len(data) or length < 2:
            raise PictureError(TRUNCATED)
        body = data[position + 4 : end]
        if marker == _SOS:
            end = _end_of_scan(data, end)
        yield marker, body, data[position:end]
        if marker == _SOS and data[end : end + 2] in (b"", b"\xff", b"\0\0"):
            return
        position = end


def _end_of_scan(data: bytes, start: int) -> int:
    """Where the coded data from `start` end: at a marker, or with the file.

    Zeros behind them, which a broken download leaves, and a lone 0xFF do not count.
    """
    found = _MARKER_AFTER_SCAN.search(data, start)
    if found:
        return found.start()
    end = len(data)
    rest = data[start:].rstrip(b"\0")
    if end - start - len(rest) >= _ZEROS:
        end = start + len(rest)
    return end - data.endswith(b"\xff", start, end)


class _Scans:
    """What the scans have brought of each component."""

    def __init__(self) -> None:
        self.components: list[int] = []
        self._count = 0
        self._missing: dict[tuple[int, int], int] = {}  # component, coefficient: bits to come

    def add(self, body: bytes) -> None:
        """A scan, by its header."""
        self._count += 1
        if self._count > MAX_SCANS:
            raise PictureError(
                f"has more than {MAX_SCANS} scans, which no camera or program writes; save it anew"
            )
        count = body[0] if body else 0
        if len(body) < 4 + 2 * count:
            raise PictureError(TRUNCATED)
        first, last, bits = body[1 + 2 * count : 4 + 2 * count]
        for component in body[1 : 1 + 2 * count : 2]:
            for coefficient in range(first, min(last, 63) + 1):
                self._missing[component, coefficient] = bits & 15

    def complete(self, progressive: bool) -> bool:
        """Whether none is to follow: of all components, all coefficients with all their bits."""
        return bool(self.components) and not any(
            self._missing.get((component, coefficient), 1)
            for component in self.components
            for coefficient in (range(64) if progressive else (0,))
        )


_FILLERS = [bytes((first + step * i) % 255 for i in range(4096)) for first, step in
            ((0, 1), (0x55, 89), (0xAA, 144), (0xFE, 254))]  # fmt: skip
"""Coded data, beginning with other bits each, long enough for blocks that can be seen."""


def closings(jpeg: Jpeg) -> Iterator[bytes]:
    """The file with different data in the place of what it may lack.

    Where coded data are missing, a decoder takes what stands there instead, and each of these
    gives other pixels. Where all are there, all give the same. The first is the file with nothing
    but its end marker.
    """
    coded = jpeg.data[:-2] if jpeg.ended else jpeg.data
    yield coded + b"\xff\xd9"
    restarts = _RESTART.findall(coded, coded.rfind(b"\xff\xda"))  # of the last scan
    following = restarts[-1][1] + 1 if restarts else 0xD0
    for filler in _FILLERS:
        parts = [coded, filler]
        for step in range(8):
            parts += [bytes([0xFF, 0xD0 + (following + step) % 8]), filler]
        yield b"".join([*parts, b"\xff\xd9"])
