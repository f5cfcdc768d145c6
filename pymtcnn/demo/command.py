"""`pymtcnn demo`: the options, and the wait for Ctrl+C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import util
from typing import NoReturn

from ..arguments import MAX_THREADS, check_threads
from ..errors import MtcnnError
from .server import HOST, PORT, serving

DESCRIPTION = """\
Serve a web page for trying the detector out: upload a picture or take one with the camera, move the
thresholds, see what each stage finds. Ctrl+C ends it. Without --host and --share only this machine
reaches the page, and nothing leaves it."""


def main(argv: Sequence[str] | None = None, *, prog: str = "pymtcnn demo") -> int:
    """Serve the page until Ctrl+C or SIGTERM.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.
    prog : str
        The program's name in help and messages.

    Returns
    -------
    int
        0: it was ended; 1: it could not be served; 2: wrong usage.
    """
    try:
        args = _parser(prog).parse_args(argv)
        check_threads(args.threads, "--threads")
        if util.find_spec("gradio") is None:
            raise MtcnnError("not installed: gradio; pip install 'pymtcnn-darknet[demo]'")
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with serving(**vars(args)) as address:
            print(f"The page is at {address} (Ctrl+C ends it)", flush=True)
            threading.Event().wait()
    except SystemExit as stop:  # --help or a usage error, already printed
        return int(stop.code or 0)
    except MtcnnError as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    raise AssertionError("unreachable")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; try --help\n")


def _parser(prog: str) -> _Parser:
    parser = _Parser(prog=prog, description=DESCRIPTION)
    add = parser.add_argument
    add("--model", metavar="FILE.data", default=os.environ.get("MTCNN_MODEL") or None)
    add("--threads", metavar="N", type=int, default=1, help=f"of a detection, 1..{MAX_THREADS}")
    add("--host", default=HOST)
    add("--port", type=int, default=PORT)
    add("--share", action="store_true")
    add("--open", dest="browser", action="store_true")
    return parser
