"""`pymtcnn demo`: the demo in the browser, which needs Gradio."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from ..demo.server import HOST, PORT, serving
from ..errors import ArgumentError, LibraryError
from .console import emit, status_of
from .options import Option, Parser

DESCRIPTION = """\
Serve a page for trying the detector out: give it a picture or take one with the camera, move the
thresholds, see what each stage finds. Ctrl+C ends it. Without --host and --share, only this machine
can reach the page, and nothing leaves the machine."""


def main(argv: Sequence[str], *, prog: str = "pymtcnn demo") -> int:
    """Run the command until Ctrl+C or SIGTERM; returns the exit status."""
    return status_of(prog, lambda: _run(_parser(prog).read(argv)))


def _check_port(port: Any, name: str) -> int:
    if not isinstance(port, int) or not 0 <= port <= 65535:
        raise ArgumentError(f"{name} {port}: must be 0 to 65535")
    return port


_PORT = Option("N", "port to listen on; 0: any that is free", int, _check_port)


def _parser(prog: str) -> Parser:
    parser = Parser(prog, DESCRIPTION)
    parser.model_option("the model built in")
    parser.setting("threads", "1")
    parser.checked("port", _PORT, str(PORT))
    parser.valued(
        "host",
        "ADDRESS",
        f"address to listen on; 0.0.0.0: all, so that others reach the page; default: {HOST}",
        default=HOST,
    )
    parser.add_argument(
        "--share",
        action="store_true",
        help="make a public link, for a week at most: pictures then pass through Gradio's servers",
    )
    parser.add_argument(
        "--open", dest="browser", action="store_true", help="open the page in the browser"
    )
    return parser


def _run(args: Any) -> int:
    if find_spec("gradio") is None:
        raise LibraryError("gradio is not installed: pip install gradio")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with serving(**vars(args)) as address:
            emit(f"{address} (Ctrl+C ends it)\n")
            threading.Event().wait()
    except KeyboardInterrupt:
        pass
    return 0
