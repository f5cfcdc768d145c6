"""Shared by tests besides the fixtures of conftest.py: paths, files to read, runs."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The repository."""

DATA = ROOT / "tests" / "data"
HOPPER = DATA / "grace_hopper.jpg"
ASTRONAUT = DATA / "astronaut.jpg"

PYTHON_PATH = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
"""$PYTHONPATH of a process that imports what tests import."""
