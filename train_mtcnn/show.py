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
    if not __package__:  # run as a script
        sys.path[0] = str(Path(__file__).resolve().parents[1])
    from train_mtcnn.script import require

    require("show.py", "numpy", "torch", "matplotlib")

import numpy as np
from numpy.typing import NDArray

from pymtcnn.errors import ArgumentError, MtcnnError
from pymtcnn.files import atomic_write
from pymtcnn.pictures import read_picture
from train_mtcnn.darknet import NETWORKS
from train_mtcnn.detector import TorchDetector
from train_mtcnn.files import make_folder
from train_mtcnn.stage_plots import (
    add_scale,
    draw_heat_map,
    draw_stage,
    heat_map_title,
    panels,
    show_picture,
)

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


def _figure(window: bool) -> Figure:
    """An empty figure, with a window where one is wanted.

    Raises
    ------
    ArgumentError
        If there is no display to open a window on.
    """
    if not window:
        from matplotlib.figure import Figure

        return Figure()
    from matplotlib import pyplot

    if pyplot.get_backend().lower() == "agg":  # what pyplot takes where nothing else works
        raise ArgumentError(
            "--show: no window can be opened: no display, or none of the toolkits that matplotlib"
            " knows; leave it out and look at the file"
        )
    return pyplot.figure()


# ---- the command line ----------------------------------------------------------------------------


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="show.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("picture", type=Path, metavar="PICTURE", help="JPEG, PNG or what else OpenCV reads")
    add("--net", choices=NETWORKS, help="the stage to show; default: all three side by side")
    add("--model", type=Path, metavar="FILE.data", help="default: darknet_cfg/default.data")
    add("--min-face", type=float, metavar="PX", help="default: the model's")
    add(
        "--thresholds",
        type=lambda text: [float(part) for part in text.split(",")],
        metavar="P,R,O",
        help="least probability after PNet, RNet, ONet; default: the model's",
    )
    add(
        "--out",
        type=Path,
        metavar="FILE.png",
        help="default: runs/show/PICTURE-NET.png",
    )
    add("--show", action="store_true", help="then open a window")
    args = parser.parse_args(argv)
    if args.out is None:
        args.out = Path("runs/show", f"{args.picture.stem}-{args.net or 'stages'}.png")
    elif args.out.suffix.lower() != ".png":
        parser.error(f"--out {args.out}: must end in .png")
    return args


def _run(args: argparse.Namespace) -> None:
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


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    try:
        _run(_arguments(argv))
    except SystemExit as stop:  # --help or a usage error, already printed
        return int(stop.code or 0)
    except ArgumentError as error:
        print(f"show.py: {error}", file=sys.stderr)
        return 2
    except MtcnnError as error:
        print(f"show.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
