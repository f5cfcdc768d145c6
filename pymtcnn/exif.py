"""The orientation in a block of Exif data."""

from __future__ import annotations

import struct

_ORIENTATION, _SHORT = 0x0112, 3


def orientation_of(exif: bytes) -> int:
    """How a picture is to be turned, 1..8; 1, upright, where the block does not say so.

    Parameters
    ----------
    exif : bytes
        From the TIFF header on, or from the mark before it that JPEG files have.
    """
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, directory)
        for entry in range(count):
            tag, kind, values, value = struct.unpack_from(
                f"{order}HHIH", exif, directory + 2 + 12 * entry
            )
            if (tag, kind, values) == (_ORIENTATION, _SHORT, 1):
                return value if 1 <= value <= 8 else 1
    except struct.error:  # it ends early
        pass
    return 1
