"""Show what the stages of a cascade propose in a picture.

    python train_mtcnn/show.py picture.jpg                # PNet's, RNet's and ONet's boxes
    python train_mtcnn/show.py --net pnet picture.jpg     # PNet's, and its heat maps

Boxes are those that a stage hands on, after its threshold, non-maximum suppression and box
regression, in the colour of their scores. With --net pnet a panel for each level of the image
pyramid shows PNet's probabilities, too. The model is run by the reference cascade in PyTorch.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    try:
        from train_mtcnn.common.requirements import require
    except ImportError as error:
        sys.exit(f"show.py: {error}; `bash make_install.sh` makes a .venv that has it")
    require("show.py", "numpy", "torch", "matplotlib")

import numpy as np
from numpy.typing import NDArray

from pymtcnn.commands.console import status_of
from pymtcnn.commands.options import Parser
from pymtcnn.files import atomic_write, make_folder
from pymtcnn.pictures import read_picture
from train_mtcnn.cascade.stage_plots import (
    add_scale,
    draw_heat_map,
    draw_stage,
    heat_map_title,
    panels,
    show_picture,
)
from train_mtcnn.cascade.torch_detector import TorchDetector
from train_mtcnn.network.darknet import NETWORKS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 100
_COLUMNS = 4  # panels side by side at most


def draw_stages(
    figure: Figure, rgb: NDArray[np.uint8], detector: TorchDetector, nets: Sequence[str]
) -> None:
    """Fill an empty figure with a panel for each of `nets`; for PNet alone, its heat maps, too."""
    faces = detector.detect(rgb)
    heat_maps = detector.heat_maps(rgb) if tuple(nets) == ("pnet",) else []
    size = rgb.shape[:2]
    axes = panels(figure, len(nets) + len(heat_maps), size, _COLUMNS)
    for one, net in zip(axes, nets):
        draw_stage(one, rgb, faces, net)
    for one, heat_map in zip(axes[len(nets) :], heat_maps):
        show_picture(one, rgb)
        draw_heat_map(one, heat_map, size)
        one.set_title(heat_map_title(heat_map, size), size=10)
    add_scale(figure, axes)
    if heat_maps:
        add_scale(figure, axes, "probability")


def _has_display() -> bool:
    """Whether pyplot can open a window; where it cannot, it takes its backend agg."""
    from matplotlib import pyplot

    return pyplot.get_backend().lower() != "agg"


def _figure(window: bool) -> Figure:
    """An empty figure, with a window if `window`."""
    if window:
        from matplotlib import pyplot

        return pyplot.figure()
    from matplotlib.figure import Figure

    return Figure()


# ---- the command line ----------------------------------------------------------------------------


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser("show.py", __doc__)
    add = parser.add_argument
    add("picture", type=Path, metavar="PICTURE", help="JPEG, PNG or what else OpenCV reads")
    add("--net", choices=NETWORKS, help="the stage to show; default: all three side by side")
    parser.model_option("darknet_cfg/default.data")
    parser.setting("min_face")
    parser.setting("thresholds")
    add("--out", type=Path, metavar="FILE.png", help="default: runs/show/PICTURE-NET.png")
    add("--show", action="store_true", help="then open a window")
    args = parser.read(sys.argv[1:] if argv is None else argv)
    if args.out is None:
        args.out = Path("runs/show", f"{args.picture.stem}-{args.net or 'stages'}.png")
    elif args.out.suffix.lower() != ".png":
        parser.error(f"--out {args.out}: must end in .png")
    if args.show and not _has_display():
        parser.error(
            "--show: no window can be opened, without a display or a toolkit that matplotlib"
            " knows; leave it out and look at the file"
        )
    return args


def _run(args: argparse.Namespace) -> int:
    rgb = read_picture(args.picture)
    detector = TorchDetector(args.model, min_face=args.min_face, thresholds=args.thresholds)
    figure = _figure(args.show)
    draw_stages(figure, rgb, detector, [args.net] if args.net else NETWORKS)
    make_folder(args.out.parent)
    with atomic_write(args.out) as file:
        figure.savefig(file, format="png", dpi=_DPI, bbox_inches="tight")
    print(f"written to {args.out}")
    if args.show:
        from matplotlib import pyplot

        pyplot.show()
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of("show.py", lambda: _run(_arguments(argv)))


if __name__ == "__main__":
    raise SystemExit(main())
