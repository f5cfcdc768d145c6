"""Videos that tests make through PyAV, and a server on this machine that sends them."""

from __future__ import annotations

import contextlib
import re
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np

SIZE = (96, 64)
RATE = 25

X264 = {"preset": "ultrafast", "x264-params": "log-level=none"}


def grey(count: int, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
    """Frames [H, W, 3] that can be told apart: squares that walk, on grey that grows lighter."""
    frames = []
    for index in range(count):
        frame = np.full((size[1], size[0], 3), 3 * index % 200, np.uint8)
        left = 5 * index % (size[0] - 20)
        frame[10:40, left : left + 20] = (250, 200, 60)
        frames.append(frame)
    return frames


def make_video(
    path: Path,
    ticks: Sequence[int],
    *,
    codec: str = "libx264",
    size: tuple[int, int] = SIZE,
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    offset: float = 0,
    sound: float | None = None,
    cover: bool = False,
    format: str | None = None,
) -> Path:
    """A video with a frame at each of the ticks, each 1/25 s long.

    options, container: FFmpeg's, of the encoder and of the format; offset: seconds before the first
    tick; sound: so many seconds of it, in a stream before the video; cover: a picture, too.
    """
    with av.open(str(path), "w", format=format, container_options=container or {}) as file:
        audio = (
            file.add_stream("pcm_s16le" if path.suffix in (".avi", ".mkv") else "aac", rate=8000)
            if sound
            else None
        )
        if audio:
            audio.layout = "mono"
        stream = file.add_stream(codec, rate=RATE)
        stream.options = dict(X264 if codec == "libx264" else {}) | (options or {})
        stream.width, stream.height = size
        stream.pix_fmt = {"mjpeg": "yuvj420p", "png": "rgb24"}.get(codec, "yuv420p")
        still = file.add_stream("mjpeg", rate=1) if cover else None
        if still:
            still.width, still.height, still.pix_fmt = 32, 32, "yuvj420p"
            still.disposition = 1 << 10
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
            file.mux(still.encode(frame.reformat(format="yuvj420p")))
        if audio:
            for start in range(0, int(8000 * sound), 1000):
                noise = av.AudioFrame.from_ndarray(np.zeros((1, 1000), np.int16), "s16", "mono")
                noise.pts, noise.rate, noise.time_base = start, 8000, Fraction(1, 8000)
                file.mux(audio.encode(noise))
            file.mux(audio.encode(None))
        for tick, rgb in zip(ticks, grey(len(ticks), size), strict=True):
            frame = av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = tick + round(offset * RATE), Fraction(1, RATE)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def edit(path: Path, start: float, seconds: float) -> Path:
    """Make an MP4's one edit show so many seconds from start on (ISO/IEC 14496-12, elst)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 4
    scale = struct.unpack_from(">I", data, data.index(b"mdhd") + 16)[0]
    before = struct.unpack_from(">i", data, at + 12)[0]
    struct.pack_into(">Ii", data, at + 8, round(1000 * seconds), before + round(scale * start))
    path.write_bytes(data)
    return path


def turn(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Write an MP4's display matrix: x to x, x to y, y to x, y to y."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in matrix)
    struct.pack_into(">iiiiii", data, at, a, b, 0, c, d, 0)
    path.write_bytes(data)
    return path


# ---- a server ------------------------------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    """Answers with what the server's paths name."""

    def do_GET(self) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.server.answers[self.path](self)

    def log_message(self, *words: object) -> None:
        pass


@contextlib.contextmanager
def served(**answers: Callable[[Handler], None]) -> Iterator[str]:
    """Serves each answer under its name; yields the server's URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answers = {f"/{name}": answer for name, answer in answers.items()}
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def camera(jpegs: Sequence[bytes], pause: float, hang: float = 0) -> Callable[[Handler], None]:
    """A camera that sends JPEG after JPEG, and then nothing for so many seconds."""

    def answer(request: Handler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        request.end_headers()
        for index, jpeg in enumerate(jpegs):
            time.sleep(pause if index else 0)
            head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            request.wfile.write(head.encode() + jpeg + b"\r\n")
        time.sleep(hang)

    return answer


def download(data: bytes, most: int | None = None, hang: float = 0) -> Callable[[Handler], None]:
    """A file, also from the middle; each connection breaks off or hangs after so many bytes."""

    def answer(request: Handler) -> None:
        asked = re.match(r"bytes=(\d+)-", request.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        request.send_response(206 if asked else 200)
        request.send_header("Accept-Ranges", "bytes")
        request.send_header("Content-Length", str(len(data) - start))
        if asked:
            request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        request.end_headers()
        request.wfile.write(data[start:][:most])
        if most is not None and len(data) - start > most:
            time.sleep(hang)

    return answer
