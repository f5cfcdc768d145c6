"""A checkpoint, Darknet's `.cfg` and `.weights`, or the three networks of a `.data` file to ONNX.

    python convert/torch2onnx.py pnet.pt                     # pnet.onnx
    python convert/torch2onnx.py pnet.weights --cfg pnet.cfg
    python convert/torch2onnx.py MODEL.data --out FOLDER     # pnet.onnx, rnet.onnx, onet.onnx

Each file takes `input`, float32 [batch, channels, height, width], normalised as its metadata say,
and gives `output`, float32 [batch, channels, rows, columns]: the probability (after the logistic),
the box offsets and, of ONet, the landmarks. Batch normalisation is folded, in double precision.
What ONNX Runtime makes of each file is compared with PyTorch before it takes its place; where ONNX
Runtime is not installed, this is left out. Files that are there and differ are replaced with
--force only. docs/converting.md has the rest.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    try:
        from train_mtcnn.common.requirements import require
    except ImportError as error:
        sys.exit(f"torch2onnx.py: {error}; `bash make_install.sh` makes a .venv that has it")
    require("torch2onnx.py", "numpy", "torch", "onnx")

from convert.comparison import TOLERANCE, largest_difference, takes_any_size
from convert.model_sources import check_kind, read_model, read_source
from convert.onnx_graph import onnx_model
from convert.staging import staged
from pymtcnn.commands.console import status_of
from pymtcnn.commands.options import Parser
from pymtcnn.errors import ArgumentError, ModelError
from train_mtcnn.network.darknet import float32, parse_decimal
from train_mtcnn.network.network_input import TRAINED, Input
from train_mtcnn.network.networks import Network

CHANNELS = (  # of the output of a cascade's network
    *("probability", "dx1", "dy1", "dx2", "dy2"),
    *("left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y", "nose_x", "nose_y"),
    *("left_mouth_x", "left_mouth_y", "right_mouth_x", "right_mouth_y"),
)


def metadata(network: Network, fed: Input) -> dict[str, str]:
    """What a user of the network has to know, in words and by itself."""
    found = {
        "input": f"float32 [batch, {network.input_shape.channels}, height, width], {fed.color}:"
        f" (v - {fed.mean!r}) * {fed.norm!r}, v in 0..255",
        "color": fed.color,
        "mean": repr(fed.mean),
        "norm": repr(fed.norm),
        "cell": str(network.cell),
        "stride": str(network.stride),
    }
    channels = network.output_shape.channels
    if channels in (5, len(CHANNELS)):
        found["output"] = (
            f"float32 [batch, {channels}, rows, columns]: {', '.join(CHANNELS[:channels])};"
            " the probability in 0..1, all others in parts of the box's width or height"
        )
    return found


def difference_of(path: Path, network: Network, fed: Input, any_size: bool) -> float | None:
    """The largest difference of what ONNX Runtime makes of a file from PyTorch's network.

    Returns
    -------
    As `largest_difference`; None if ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        return None
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return largest_difference(lambda x: session.run(None, {"input": x})[0], network, fed, any_size)


def write(path: Path, network: Network, fed: Input, fixed_size: bool) -> str:
    """Write a network and check it; returns one line that says what it is.

    Raises
    ------
    OSError
        If the file cannot be written.
    ModelError
        If ONNX Runtime makes something else of it than PyTorch does of the network.
    """
    any_size = not fixed_size and takes_any_size(network)
    model = onnx_model(network, any_size, metadata(network, fed))
    path.write_bytes(model.SerializeToString(deterministic=True))
    largest = difference_of(path, network, fed, any_size)
    if largest is None:
        checked = "not checked, since onnxruntime is not installed"
    elif largest <= TOLERANCE:
        checked = f"{largest:.1e} from PyTorch at most"
    else:
        raise ModelError(
            f"{path.name}: not written: ONNX Runtime's output is {largest:.1e} from PyTorch's,"
            f" more than {TOLERANCE:.0e}"
            + ("; --fixed-size leaves sizes other than its own out" if any_size else "")
        )
    size = "any size" if any_size else "this size only"
    return f"input {network.input_shape} ({size}), output {network.output_shape}, {checked}"


def convert(
    model: Path,
    cfg: Path | None = None,
    out: Path | None = None,
    *,
    given: Mapping[str, Any] | None = None,
    fixed_size: bool = False,
    force: bool = False,
) -> list[str]:
    """Convert one network, or the three of a `.data` file.

    Parameters
    ----------
    model
        A checkpoint, a `.weights` or a `.data` file.
    cfg
        The network's cfg; None: the checkpoint's own, or the one beside the `.weights`.
    out
        The `.onnx` file or the folder to write, of a `.data` file the folder; None: beside it.
    given
        Attributes of Input by name, for the metadata, where a single network takes another input
        than train.py feeds. A `.data` file says itself what its networks take.
    fixed_size
        Take pictures of the size of `[net]` only. Of a `.data` file's networks PNet takes any size,
        RNet and ONet take one.
    force
        Replace files that are there and differ.

    Returns
    -------
    One line for each file.

    Raises
    ------
    ArgumentError
        If an option does not go with the kind of model.
    FileError, CfgError, WeightsError
        If a file cannot be read or written, is of another kind, makes no sense, or is there,
        differs and `force` is not given.
    ModelError
        If the tensors do not fit the cfg, the networks make no cascade, or ONNX Runtime makes
        something else of a file than PyTorch.
    """
    check_kind(model, ".pt", ".pth", ".weights", ".data")
    if model.suffix == ".data":
        if cfg or given or fixed_size:
            raise ArgumentError(
                f"{model}: says itself which networks it has and what they are fed; --cfg,"
                " --fixed-size, --color, --mean and --norm are for a single network"
            )
        folder = out or model.parent
        sources = {f"{name}.onnx": source for name, source in read_model(model)[1].items()}
        fixed = {name: not name.startswith("pnet") for name in sources}
    else:
        out = out or model.with_suffix(".onnx")
        if out.suffix != ".onnx":
            out /= f"{model.stem}.onnx"
        folder = out.parent
        source = read_source(model, cfg)
        source = dataclasses.replace(source, fed=source.fed._replace(**(given or {})))
        sources, fixed = {out.name: source}, {out.name: fixed_size}
    with staged(folder, force) as (temporary, _):
        return [
            f"{model} -> {folder / name}: "
            + write(temporary / name, source.network, source.fed, fixed_size=fixed[name])
            for name, source in sources.items()
        ]


def _number(text: str) -> float:
    """A finite number."""
    value = parse_decimal(text)
    if value != value:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number")
    return value


def _factor(text: str) -> float:
    """A number other than 0."""
    value = _number(text)
    if not float32(value):
        raise argparse.ArgumentTypeError(f"{text}; expected a number other than 0")
    return value


def _run(argv: Sequence[str] | None) -> int:
    parser = Parser("torch2onnx.py", __doc__)
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL", help="a checkpoint, FILE.weights or FILE.data")
    add("--cfg", type=Path, metavar="FILE", help="default: the checkpoint's, or beside the weights")
    add("--out", type=Path, metavar="PATH", help="FILE.onnx or a folder; default: beside the model")
    add("--fixed-size", action="store_true", help="take pictures of the size of [net] only")
    for name, kind, what in (
        ("color", str, "order of the input's channels"),
        ("mean", _number, "input = (v - mean) * norm"),
        ("norm", _factor, "likewise"),
    ):
        default = getattr(TRAINED, name)
        choices = ("RGB", "BGR") if kind is str else None
        add(f"--{name}", type=kind, choices=choices, help=f"{what}, for the metadata ({default})")
    add("--force", action="store_true", help="replace files that differ")
    args = parser.parse_args(argv)
    given = {n: v for n in ("color", "mean", "norm") if (v := getattr(args, n)) is not None}
    lines = convert(
        args.model,
        args.cfg,
        args.out,
        given=given,
        fixed_size=args.fixed_size,
        force=args.force,
    )
    print("\n".join(lines))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of("torch2onnx.py", lambda: _run(argv))


if __name__ == "__main__":
    raise SystemExit(main())
