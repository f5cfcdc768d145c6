"""Builds with CMake that tests make and look at."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from .skips import missing


def tool(name: str) -> str:
    """The path of a program that the set-up installs."""
    path = shutil.which(name)
    if path is None:
        missing(name)
    return path


def run(*command: object, **options) -> str:
    """The output of a command, which must succeed."""
    words = list(map(str, command))
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


def configure(source: Path, build: Path, *options: str) -> str:
    """What CMake prints."""
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    return run(tool("cmake"), "-S", source, "-B", build, *generator, *options)


def build(folder: Path) -> None:
    """Build all of a folder that is configured."""
    run(tool("cmake"), "--build", folder, "--parallel", os.cpu_count() or 1)
