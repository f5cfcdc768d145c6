"""Train one network on its samples.

    python train_mtcnn/train.py --net pnet --data runs/pnet-data --out runs/pnet
    torchrun --nproc-per-node 2 train_mtcnn/train.py --net pnet ...

The network is darknet_cfg/NET.cfg (--cfg names another one). Writes into OUT

    last.pt          after each epoch, with all that --resume needs
    NET.pt           the averaged weights, for convert/torch2darknet.py and --load
    history.jsonl    an epoch a line;  curves.png: the same to look at;  TensorBoard's events
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    try:
        from train_mtcnn.common.requirements import require
    except ImportError as error:
        sys.exit(f"train.py: {error}; `bash make_install.sh` makes a .venv that has it")
    require("train.py", "numpy", "torch", "tqdm", "matplotlib")

import torch

from pymtcnn.commands.console import status_of
from pymtcnn.commands.options import Parser
from pymtcnn.errors import ArgumentError
from pymtcnn.files import make_folder
from train_mtcnn.common.dataclass_options import add_options, read_options
from train_mtcnn.data.samples import Samples
from train_mtcnn.network.checkpoint import load_checkpoint
from train_mtcnn.network.darknet import DARKNET_CFG, NETWORKS, read_cfg
from train_mtcnn.network.networks import Network
from train_mtcnn.network.rewrite import with_batch_norm, with_prelu
from train_mtcnn.training.augment import Augmentation
from train_mtcnn.training.hyperparameters import Hyperparameters
from train_mtcnn.training.parallel import Team
from train_mtcnn.training.process_memory import keep_freed_memory
from train_mtcnn.training.trainer import Trainer


def make_network(settings: Hyperparameters, cfg: Path | None, load: Path | None) -> Network:
    """The network to train: from a cfg, or from a checkpoint (with the cfg's shapes, if given).

    Raises
    ------
    ArgumentError
        If the checkpoint's own network is to be trained, and settings ask for another one.
    FileError, CfgError, ModelError
        If the files are bad or do not fit each other.
    """
    if load is not None and cfg is None:
        if settings.prelu or not settings.batch_norm:
            raise ArgumentError(
                f"--load {load}: the network is the checkpoint's; --prelu and --no-batch-norm are"
                " for networks of a --cfg"
            )
        return load_checkpoint(load)
    definition = read_cfg(cfg or DARKNET_CFG / f"{settings.net}.cfg")
    if settings.prelu:
        definition = with_prelu(definition)
    if settings.batch_norm:
        definition = with_batch_norm(definition)
    torch.manual_seed(settings.seed)
    return load_checkpoint(load, definition) if load else Network(definition)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser("train.py", __doc__)
    add = parser.add_argument
    add("--net", choices=NETWORKS, required=True, help="the network to train")
    add("--data", type=Path, metavar="DIR", help="its samples; default: runs/NET-data")
    add("--out", type=Path, metavar="DIR", help="default: runs/NET")
    add("--cfg", type=Path, metavar="FILE", help="default: darknet_cfg/NET.cfg")
    add("--load", type=Path, metavar="FILE.pt", help="start from these weights (fine-tune)")
    add("--resume", action="store_true", help="go on from OUT/last.pt, if it is there")
    add_options(parser, Hyperparameters)
    add_options(parser, Augmentation)
    add("--device", metavar="NAME", help="cpu, cuda, cuda:1; default: cuda where there is a GPU")
    add("--threads", type=int, default=0, metavar="N", help="of the CPU; default: all cores")
    return parser.parse_args(argv)


def train(args: argparse.Namespace, team: Team) -> None:
    """What the command line asks for. Raises MtcnnError."""
    changes = read_options(args, Augmentation)
    settings = read_options(args, Hyperparameters, net=args.net, augmentation=changes)
    out = args.out or Path("runs") / args.net
    samples = Samples(args.data or Path("runs") / f"{args.net}-data")
    trainer = Trainer(settings, make_network(settings, args.cfg, args.load), samples, out, team)
    make_folder(out)
    if args.resume and (out / "last.pt").exists():
        trainer.resume()
    trainer.run()
    if team.first:
        print(f"written to {out}/: {args.net}.pt, history.jsonl, curves.png")


def _run(argv: Sequence[str] | None) -> int:
    args = _arguments(argv)
    if args.threads < 0:
        raise ArgumentError(f"--threads {args.threads}: is negative")
    keep_freed_memory()
    torch.set_num_threads(args.threads or max(1, (os.cpu_count() or 1) // Team.local_size()))
    with Team(args.device) as team:
        train(args, team)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    resuming = "--resume goes on from the last whole epoch"
    return status_of("train.py", lambda: _run(argv), stopped=resuming)


if __name__ == "__main__":
    raise SystemExit(main())
