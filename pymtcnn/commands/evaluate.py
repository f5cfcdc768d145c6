"""`pymtcnn evaluate`: train_mtcnn's evaluation, which is not part of the installed package."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from ..errors import LibraryError
from .console import status_of


def main(argv: Sequence[str], *, prog: str = "pymtcnn evaluate") -> int:
    """Run the command; returns the exit status."""
    return status_of(prog, lambda: _run(argv, prog))


def _run(argv: Sequence[str], prog: str) -> int:
    try:
        requirements = import_module("train_mtcnn.common.requirements")
    except ImportError as error:
        raise LibraryError(
            f"it needs train_mtcnn, which is not installed ({error}); in the project's source tree "
            "run: bash make_install.sh && .venv/bin/pymtcnn evaluate --data WIDER_FACE"
        ) from error
    requirements.require(prog, "scipy", "tqdm", "matplotlib")
    return int(import_module("train_mtcnn.evaluate").main(argv, prog=prog))
