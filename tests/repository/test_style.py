"""Every Python and C file as ruff and clang-format leave it, and pymtcnn's types as mypy wants."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

C_FILES = [
    path
    for folder in ("csrc", "tests/c", "bench", "docs/examples")
    for pattern in ("*.c", "*.h", "*.cpp")
    for path in sorted((ROOT / folder).rglob(pattern))
]


def tool(name):
    """A tool of the environment that runs the tests, else of the system."""
    path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed: pip install '.[test]'")
    return path


def run(*command):
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr


def test_ruff():
    run(tool("ruff"), "check", "--no-cache", ".")
    run(tool("ruff"), "format", "--no-cache", "--check", ".")


@pytest.mark.slow
def test_mypy():
    pytest.importorskip("mypy", reason="mypy is not installed: pip install '.[test]'")
    run(sys.executable, "-m", "mypy")


def test_clang_format():
    assert len(C_FILES) > 50
    run(tool("clang-format"), "--dry-run", "--Werror", *map(str, C_FILES))
