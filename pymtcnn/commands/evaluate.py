"""`pymtcnn evaluate`: train_mtcnn/evaluate.py, which lies in the source tree only."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from ..errors import FileError
from .console import status_of

SOURCE_TREE = Path(__file__).resolve().parents[2]
"""Where the package lies, unless it is installed without --editable."""


def main(argv: Sequence[str], *, prog: str = "pymtcnn evaluate") -> int:
    """Run the command; returns the exit status."""
    return status_of(prog, lambda: _run(argv, prog))


def _run(argv: Sequence[str], prog: str) -> int:
    program = SOURCE_TREE / "train_mtcnn" / "evaluate.py"
    if not program.is_file():
        raise FileError(
            f"{program}: is not there, as it is no part of the installed package; in the project's "
            "source tree run: bash make_install.sh && .venv/bin/pymtcnn evaluate --data WIDER_FACE"
        )
    if str(SOURCE_TREE) not in sys.path:
        sys.path.insert(0, str(SOURCE_TREE))
    import_module("train_mtcnn.script").require(prog, "scipy", "tqdm", "matplotlib")
    return int(import_module("train_mtcnn.evaluate").main(argv, prog=prog))
