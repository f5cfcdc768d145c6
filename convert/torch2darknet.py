"""A PyTorch checkpoint to Darknet's `.weights`, in our native dialect ([prelu] stays).

    python convert/torch2darknet.py pnet.pt --out pnet.weights

Without a checkpoint it converts checkpoints/{pnet,rnet,onet}.pt, in place. Batch normalisation is
folded into the convolutions, in double precision, because readers differ in its epsilon. The `.cfg`
is written beside the `.weights` where it is new: taken from the checkpoint, or folded. Files that
are there and differ are replaced with --force only.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    if not __package__:  # run as a script
        sys.path[0] = str(Path(__file__).resolve().parents[1])
    from train_mtcnn.script import require

    require("torch2darknet.py", "numpy", "torch")

from convert.place import place
from pymtcnn.errors import ArgumentError, FileError, MtcnnError
from train_mtcnn.checkpoint import load_checkpoint
from train_mtcnn.darknet import NETWORKS, read_cfg, write_cfg, write_weights
from train_mtcnn.rewrite import without_batch_norm

CHECKPOINTS = Path("checkpoints")


def convert(checkpoint: Path, cfg: Path | None, out: Path, force: bool = False) -> str:
    """Convert one checkpoint.

    Parameters
    ----------
    checkpoint
        The file.
    cfg
        The network's cfg; None: the checkpoint's own.
    out
        The `.weights` file to write.
    force
        Replace files that are there and differ.

    Returns
    -------
    One line that says what was done.

    Raises
    ------
    FileError, CfgError, ModelError, WeightsError
        If a file cannot be read or written, or is there, differs and `force` is not given, or the
        checkpoint does not fit the cfg.
    """
    network = load_checkpoint(checkpoint, None if cfg is None else read_cfg(cfg))
    folded = sum("scales" in layer.tensors for layer in network.definition)
    new_cfg = out.with_suffix(".cfg") if folded or cfg is None else None
    if new_cfg and cfg and new_cfg.exists() and os.path.samefile(new_cfg, cfg):
        raise ArgumentError(
            f"{cfg}: its batch normalisation is folded, which would write over it; give an --out of"
            " another name or folder"
        )
    values = network.weights(fold=True)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as temporary:
            write_weights(Path(temporary, out.name), values)
            if new_cfg:
                write_cfg(Path(temporary, new_cfg.name), without_batch_norm(network.cfg))
            place(Path(temporary), out.parent, force)
    except OSError as error:
        if isinstance(error, MtcnnError):
            raise
        raise FileError(f"{out}: cannot be written: {error.strerror or error}") from error
    notes = [f"{len(values)} weights", f"output {network.output_shape}"]
    if folded:
        notes.append(f"batch normalisation of {folded} layers folded")
    if new_cfg:
        notes.append(f"its network in {new_cfg}")
    return f"{checkpoint} -> {out}: {', '.join(notes)}"


def _jobs(args: argparse.Namespace) -> list[tuple[Path, Path | None, Path]]:
    """What to convert: checkpoint, cfg, output."""
    if args.checkpoint:
        out = args.out or args.checkpoint.with_suffix(".weights")
        return [(args.checkpoint, args.cfg, out)]
    found = [CHECKPOINTS / f"{name}.pt" for name in NETWORKS]
    missing = [str(path) for path in found if not path.exists()]
    if missing:
        raise FileError(
            f"no CHECKPOINT given, and not there: {', '.join(missing)}; name one:"
            " torch2darknet.py FILE.pt [--cfg FILE.cfg] --out FILE.weights"
        )
    return [(path, None, path.with_suffix(".weights")) for path in found]


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="torch2darknet.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("checkpoint", nargs="?", type=Path, metavar="CHECKPOINT", help="checkpoint or state dict")
    add("--cfg", type=Path, metavar="FILE", help="the network, where the checkpoint has none")
    add("--out", type=Path, metavar="FILE.weights", help="default: beside the checkpoint")
    add("--force", action="store_true", help="replace files that differ")
    args = parser.parse_args(argv)
    if not args.checkpoint and (args.cfg or args.out):
        parser.error("--cfg and --out go with a CHECKPOINT; name it")
    try:
        for job in _jobs(args):
            print(convert(*job, force=args.force))
    except MtcnnError as error:
        print(f"torch2darknet.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
