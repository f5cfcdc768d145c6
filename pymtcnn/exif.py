"""The orientation in a block of Exif data, which a TIFF file is, too."""

from __future__ import annotations

import struct

_ORIENTATION, _SHORT = 0x0112, 3
_MARK = b"Exif\0\0"
"""What stands before the block in JPEG files."""


def orientation_of(exif: bytes) -> int:
    """How a picture is to be turned, 1..8; 1, upright, where the block does not say so.

    Parameters
    ----------
    exif : bytes
        From the TIFF header on, or from the mark before it.
    """
    return _find(exif.removeprefix(_MARK))[1]


def without_orientation(exif: bytes) -> bytes:
    """The block that begins with a TIFF header, saying upright."""
    place, value = _find(exif)
    if value == 1:
        return exif
    return exif[:place] + struct.pack(f"{_order(exif)}H", 1) + exif[place + 2 :]


def _order(exif: bytes) -> str:
    return {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4], "")


def _find(exif: bytes) -> tuple[int, int]:
    """Where the orientation stands, and its value; 0 and 1 where there is none."""
    order = _order(exif)
    try:
        (directory,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, directory)
        for start in range(directory + 2, directory + 2 + 12 * count * bool(order), 12):
            tag, kind, values, value = struct.unpack_from(f"{order}HHIH", exif, start)
            if (tag, kind, values) == (_ORIENTATION, _SHORT, 1):
                return (start + 8, value) if 1 <= value <= 8 else (0, 1)
    except struct.error:  # it ends early
        pass
    return 0, 1
