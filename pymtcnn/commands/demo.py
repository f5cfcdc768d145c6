"""`pymtcnn demo`: the demo in the browser, which needs gradio."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from ..errors import LibraryError
from .console import status_of


def main(argv: Sequence[str], *, prog: str = "pymtcnn demo") -> int:
    """Run the command; returns the exit status."""
    return status_of(prog, lambda: _run(argv))


def _run(argv: Sequence[str]) -> int:
    if find_spec("gradio") is None:
        raise LibraryError("gradio is not installed: pip install 'pymtcnn-darknet[demo]'")
    from .. import demo

    return demo.main(argv)
