"""Lint and types: ruff, clang-format, shellcheck and mypy find nothing to change.

python -m pytest -q tests/repository/test_style.py
"""

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
SCRIPTS = [ROOT / "make_install.sh", ROOT / ".ci" / "run"]


def run(tool, *arguments):
    """Runs a tool of the environment that runs the tests, activated or not."""
    path = shutil.which(tool, path=str(Path(sys.executable).parent))
    assert path, f"{tool} is not installed: pip install '.[test]'"
    command = [path, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids="-".join)
def test_ruff(command):
    run("ruff", *command, "--no-cache", ".")


@pytest.mark.slow
def test_mypy():
    run("mypy")


def test_clang_format():
    assert len(C_FILES) > 50
    run("clang-format", "--dry-run", "--Werror", *C_FILES)


def test_shellcheck():
    run("shellcheck", *SCRIPTS)
