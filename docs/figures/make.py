"""Draw the pictures of docs/how-it-works.md again, with the default model.

    python docs/figures/make.py [--out DIR]

They are PNG files of docs/images/, of the pictures that the tests bring and darknet_cfg/.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

if __name__ == "__main__":
    try:
        from train_mtcnn.common.requirements import require
    except ImportError as error:
        sys.exit(f"make.py: {error}; `bash make_install.sh` makes a .venv that has it")
    require("make.py", "numpy", "torch", "matplotlib", "PIL", "cv2")

import matplotlib
from matplotlib.figure import Figure
from PIL import Image

from docs.figures import cascade, diagrams
from pymtcnn.commands.console import status_of
from pymtcnn.commands.options import Parser
from pymtcnn.files import atomic_write, make_folder

_IMAGES = Path(__file__).resolve().parents[1] / "images"

FIGURES: dict[str, Callable[[], Figure]] = {
    "networks": diagrams.networks,
    "activations": diagrams.activations,
    "overlaps": diagrams.overlaps,
    "pyramid": cascade.pyramid,
    "heat_map": cascade.heat_map,
    "nms": cascade.suppression,
    "stages": cascade.stages,
}

_DPI = 110
_COLORS = 256  # of a file's palette: a photograph takes a third of its bytes then


def save(path: Path, figure: Figure) -> None:
    """Write a figure as a small PNG."""
    whole = io.BytesIO()
    figure.savefig(whole, format="png", dpi=_DPI, bbox_inches="tight", facecolor="white")
    picture = Image.open(whole).convert("RGB")
    small = picture.quantize(_COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    with atomic_write(path) as file:
        small.save(file, format="PNG", optimize=True)


def _run(argv: Sequence[str] | None) -> int:
    parser = Parser("make.py", __doc__)
    parser.add_argument(
        "--out", type=Path, default=_IMAGES, metavar="DIR", help="default: docs/images"
    )
    out = parser.parse_args(argv).out
    make_folder(out)
    with matplotlib.rc_context({"font.family": "DejaVu Sans", "font.size": 9}):
        for name, draw in FIGURES.items():
            save(out / f"{name}.png", draw())
    print(f"written to {out}/: {', '.join(f'{name}.png' for name in FIGURES)}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of("make.py", lambda: _run(argv))


if __name__ == "__main__":
    raise SystemExit(main())
