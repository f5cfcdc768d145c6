"""Running the mtcnn program, for the tests of it; conftest.py has the fixtures."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import cv2
import numpy as np


def execute(program, *arguments, environment=None, **options):
    """Runs the program, its standard output and error captured as bytes."""
    return subprocess.run(
        [str(program), *map(os.fspath, arguments)],
        stdout=options.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        env={**os.environ, **(environment or {})},
        timeout=120,
        check=False,
        **options,
    )


def read_terminal(descriptor: int) -> str:
    """What was written to a pseudo-terminal whose other end is closed; closes this one."""
    shown = b""
    with contextlib.suppress(OSError):  # Linux's sign of the end
        while part := os.read(descriptor, 4096):
            shown += part
    os.close(descriptor)
    return shown.decode()


def run_on_terminal(program, *arguments, environment) -> tuple[bytes, str]:
    """Runs the program with a terminal as standard error: its output, what the terminal got."""
    ours, theirs = os.openpty()
    done = subprocess.run(
        [str(program), *map(os.fspath, arguments)],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, **environment},
        check=True,
        timeout=120,
    )
    os.close(theirs)
    return done.stdout, read_terminal(ours)


def assert_one_line(done, status: int, *words: str) -> None:
    """The run failed with this status and one line on stderr that holds all the words."""
    lines = done.stderr.decode(errors="replace").splitlines()
    assert (done.returncode, len(lines)) == (status, 1), (done.returncode, lines)
    assert lines[0].startswith("mtcnn: ")
    for word in words:
        assert word in lines[0]


def encode_jpeg(rgb: np.ndarray, *parameters: int) -> bytes:
    pixels = rgb[..., ::-1] if rgb.ndim == 3 else rgb
    done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 95, *parameters])
    assert done
    return data.tobytes()


def read_rgb(path: Path) -> np.ndarray:
    return cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1]
