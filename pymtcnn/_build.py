"""Generates `_mtcnn_abi.py`, cffi's form of mtcnn.h, so that declarations exist only once.

Run when the package is built, by pymtcnn/CMakeLists.txt:

    python _build.py csrc/include/mtcnn.h OUTPUT.py

cffi's ABI mode needs no compiler: at run time the module loads the shared library next to it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import cffi

MODULE = "pymtcnn._mtcnn_abi"


def declarations(header: str) -> str:
    """The parts of a header that cffi's cdef accepts: declarations and integer constants."""
    text = re.sub(r"/\*.*?\*/", " ", header, flags=re.DOTALL)
    text = re.sub(r"\\\n", " ", text)
    text = re.sub(r"^#ifdef __cplusplus\n.*?^#endif", "", text, flags=re.DOTALL | re.MULTILINE)
    constant = re.compile(r"#\s*define\s+\w+\s+[-+]?(0[xX][0-9a-fA-F]+|\d+)")
    lines = [line.strip() for line in text.splitlines()]
    kept = [line for line in lines if not line.startswith("#") or constant.fullmatch(line)]
    return re.sub(r"\bMTCNN_API\b", "", "\n".join(kept))


def main(header: str, output: str) -> None:
    ffi = cffi.FFI()
    ffi.cdef(declarations(Path(header).read_text(encoding="utf-8")))
    ffi.set_source(MODULE, None)
    ffi.emit_python_code(output)


if __name__ == "__main__":
    main(*sys.argv[1:])
