"""What model files hold: .cfg, .weights, .pt, .caffemodel and .data.

    python convert/describe.py darknet_cfg/*.cfg
    python convert/describe.py pnet.weights --cfg pnet.cfg --size 640x480
    python convert/describe.py --json default.data

Layers, shapes, parameters, multiply-adds, what an output sees of the picture, hashes, and whether
stock Darknet reads it. A .weights file is described with the .cfg of its name beside it, where
there is one, a .caffemodel with its .prototxt. No code of any file is run. docs/converting.md has
the rest.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    try:
        from train_mtcnn.common.requirements import require
    except ImportError as error:
        sys.exit(f"describe.py: {error}; `bash make_install.sh` makes a .venv that has it")
    require("describe.py", "numpy", "torch")

from convert.descriptions import describe
from convert.plain_text import plain_text
from pymtcnn.commands.console import complain, emit, status_of
from pymtcnn.commands.options import Parser
from pymtcnn.errors import MtcnnError


def _size(text: str) -> tuple[int, int]:
    """Height and width of WxH."""
    match = re.fullmatch(r"([1-9][0-9]{0,5})x([1-9][0-9]{0,5})", text)
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is not WxH, like 640x480")
    return int(match[2]), int(match[1])


def _run(argv: Sequence[str] | None) -> int:
    parser = Parser("describe.py", __doc__)
    add = parser.add_argument
    add("files", nargs="+", type=Path, metavar="FILE", help="what to describe")
    add("--cfg", type=Path, metavar="FILE", help="the network of a .weights or .pt file")
    add("--size", type=_size, metavar="WxH", help="of the picture; default: the network's own")
    add("--json", action="store_true", help="one JSON object a file and line")
    args = parser.parse_args(argv)
    status = 0
    for number, path in enumerate(args.files):
        try:
            found = describe(path, args.cfg, args.size)
        except MtcnnError as error:
            complain(parser.prog, error)
            status = 1
            continue
        shown = json.dumps(found) if args.json else "\n" * (number > 0) + plain_text(found)
        emit(f"{shown}\n")
        if found.get("misfit"):
            complain(parser.prog, f"{path}: {found['misfit']}")
            status = 1
    return status


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of("describe.py", lambda: _run(argv))


if __name__ == "__main__":
    raise SystemExit(main())
