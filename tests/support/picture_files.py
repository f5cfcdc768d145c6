"""Picture files for the tests, written byte by byte if no library can."""

from __future__ import annotations

import struct
import zlib

import numpy as np

# ---- PNG (https://www.w3.org/TR/png-3/) ----------------------------------------------------------

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, RGB, PALETTE, GRAY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6

# x and y of the first pixel, steps in x and y, of the seven passes of an interlaced picture
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2)]  # fmt: skip


def png_chunk(name: bytes, body: bytes) -> bytes:
    """One chunk: length, name, body, checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _png_rows(samples: np.ndarray, depth: int) -> bytes:
    """The bytes of [H, W, channels] samples, each row behind filter type 0."""
    height, width, channels = samples.shape
    if depth == 16:
        rows = samples.astype(">u2").reshape(height, -1).view(np.uint8)
    elif depth == 8:
        rows = samples.astype(np.uint8).reshape(height, -1)
    else:
        bits = (samples.reshape(height, -1, 1) >> np.arange(depth - 1, -1, -1)) & 1
        rows = np.packbits(bits.reshape(height, -1).astype(np.uint8), axis=1)
    return b"".join(b"\0" + row.tobytes() for row in rows) if width * channels else b""


def png(
    samples: np.ndarray,
    color_type: int,
    depth: int,
    *,
    palette: np.ndarray | None = None,
    transparency: bytes | None = None,
    interlaced: bool = False,
    exif: bytes | None = None,
    exif_last: bool = False,
) -> bytes:
    """A PNG file of integer samples [H, W, channels], 0..2**depth - 1, of any kind."""
    height, width, _ = samples.shape
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, interlaced)
    chunks = [PNG_SIGNATURE, png_chunk(b"IHDR", header)]
    if palette is not None:
        chunks.append(png_chunk(b"PLTE", palette.astype(np.uint8).tobytes()))
    if transparency is not None:
        chunks.append(png_chunk(b"tRNS", transparency))
    if exif is not None and not exif_last:
        chunks.append(png_chunk(b"eXIf", exif))
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    rows = b"".join(_png_rows(samples[y::dy, x::dx], depth) for x, y, dx, dy in passes)
    chunks.append(png_chunk(b"IDAT", zlib.compress(rows)))
    if exif is not None and exif_last:
        chunks.append(png_chunk(b"eXIf", exif))
    chunks.append(png_chunk(b"IEND", b""))
    return b"".join(chunks)


def png_rgb(pixels: np.ndarray, **options) -> bytes:
    """The usual PNG of uint8 RGB pixels [H, W, 3]."""
    return png(pixels, RGB, 8, **options)


def png_animated(frames: list[np.ndarray]) -> bytes:
    """An APNG of uint8 RGB frames [H, W, 3]; the first is what readers of plain PNG show."""
    height, width, _ = frames[0].shape
    chunks = [
        PNG_SIGNATURE,
        png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, RGB, 0, 0, 0)),
        png_chunk(b"acTL", struct.pack(">II", len(frames), 0)),
    ]
    sequence = 0
    for index, frame in enumerate(frames):
        control = struct.pack(">IIIIIHHBB", sequence, width, height, 0, 0, 1, 10, 0, 0)
        chunks.append(png_chunk(b"fcTL", control))
        body = zlib.compress(_png_rows(frame, 8))
        sequence += 1
        if index:
            chunks.append(png_chunk(b"fdAT", struct.pack(">I", sequence) + body))
            sequence += 1
        else:
            chunks.append(png_chunk(b"IDAT", body))
    return b"".join([*chunks, png_chunk(b"IEND", b"")])


# ---- Exif ----------------------------------------------------------------------------------------


def tiff(orientation: int, order: str = ">") -> bytes:
    """A TIFF block with a width entry and the orientation; order ``>`` big, ``<`` little endian."""
    mark = b"MM" if order == ">" else b"II"
    width = struct.pack(order + "HHII", 0x0100, 4, 1, 640)
    turn = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    entries = struct.pack(order + "H", 2) + width + turn
    return mark + struct.pack(order + "HI", 42, 8) + entries + bytes(4)


def with_app1(jpeg: bytes, body: bytes) -> bytes:
    """The JPEG with an APP1 segment of this body right behind its first marker."""
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def with_orientation(jpeg: bytes, orientation: int, order: str = ">") -> bytes:
    """The JPEG with an Exif orientation, 1..8."""
    return with_app1(jpeg, b"Exif\0\0" + tiff(orientation, order))


def stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels that a file with this orientation must hold to be shown upright."""
    turned = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]
    return np.ascontiguousarray(turned)


# ---- TIFF ----------------------------------------------------------------------------------------


def tiff_picture(pixels: np.ndarray, tags: dict[int, list[int]], *, tile: int = 0) -> bytes:
    """An uncompressed TIFF of uint8 pixels [H, W, 3], in one strip or in tiles; tags are added."""
    height, width, channels = pixels.shape
    if tile:
        rows, columns = -(-height // tile), -(-width // tile)
        padded = np.zeros((rows * tile, columns * tile, channels), np.uint8)
        padded[:height, :width] = pixels
        blocks = padded.reshape(rows, tile, columns, tile, channels).swapaxes(1, 2)
        parts = [block.tobytes() for block in blocks.reshape(rows * columns, tile, tile, channels)]
        places = {322: [tile], 323: [tile], 325: [len(part) for part in parts]}
    else:
        parts = [pixels.tobytes()]
        places = {278: [height], 279: [len(parts[0])]}
    entries = {256: [width], 257: [height], 258: [8] * channels, 259: [1], 262: [2],
               277: [channels], 284: [1], **places, **tags}  # fmt: skip
    offsets = 324 if tile else 273
    entries[offsets] = [0] * len(parts)
    end = 8 + 2 + 12 * len(entries) + 4
    data_at = end + sum(4 * len(values) for values in entries.values() if len(values) > 1)
    entries[offsets] = [data_at + sum(map(len, parts[:i])) for i in range(len(parts))]
    table, more = struct.pack("<H", len(entries)), b""
    for tag, values in sorted(entries.items()):
        packed = struct.pack(f"<{len(values)}I", *values)
        at = packed if len(values) == 1 else struct.pack("<I", end + len(more))
        more += packed if len(values) > 1 else b""
        table += struct.pack("<HHI", tag, 4, len(values)) + at
    return b"II*\0" + struct.pack("<I", 8) + table + bytes(4) + more + b"".join(parts)


# ---- JPEG ----------------------------------------------------------------------------------------


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def _grey_jpeg(side: int, components: int, scans: bytes) -> bytes:
    """A JPEG of square mid-grey planes, with one Huffman code, of one bit, for the symbol 0."""
    one_code = bytes([1] + [0] * 15 + [0])
    planes = b"".join(bytes([i, 0x11, 0]) for i in range(1, components + 1))
    return (
        b"\xff\xd8"
        + _segment(0xDB, bytes([0] + [1] * 64))
        + _segment(0xC0, struct.pack(">BHHB", 8, side, side, components) + planes)
        + _segment(0xC4, b"\x00" + one_code)
        + _segment(0xC4, b"\x10" + one_code)
        + scans
        + b"\xff\xd9"
    )


def jpeg_cmyk() -> bytes:
    """The smallest JPEG of four components: one pixel, all coefficients zero."""
    return _grey_jpeg(1, 4, _segment(0xDA, bytes([4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0])) + b"\x00")


def jpeg_scans(count: int) -> bytes:
    """A JPEG of three components, 8x8 pixels, with scans of the first `count` of them."""
    scans = (_segment(0xDA, bytes([1, i, 0, 0, 63, 0])) + b"\x3f" for i in range(1, count + 1))
    return _grey_jpeg(8, 3, b"".join(scans))


def resized_jpeg_header(jpeg: bytes, width: int, height: int) -> bytes:
    """The JPEG whose header claims another size (its first baseline frame header is patched)."""
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]
