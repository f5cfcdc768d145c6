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
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

if __name__ == "__main__":
    if not __package__:  # run as a script
        sys.path[0] = str(Path(__file__).resolve().parents[1])
    from train_mtcnn.script import require

    require("train.py", "numpy", "torch", "tqdm", "matplotlib")

import torch

from pymtcnn.commands.options import Parser
from pymtcnn.errors import ArgumentError, MtcnnError
from pymtcnn.files import make_folder
from train_mtcnn.augment import Augmentation
from train_mtcnn.checkpoint import load_checkpoint
from train_mtcnn.darknet import DARKNET_CFG, NETWORKS, read_cfg
from train_mtcnn.memory import keep_freed_memory
from train_mtcnn.networks import Network
from train_mtcnn.parallel import Team
from train_mtcnn.rewrite import with_batch_norm, with_prelu
from train_mtcnn.samples import Samples
from train_mtcnn.settings import BATCH, PRECISIONS, WEIGHTS, Settings
from train_mtcnn.trainer import Trainer


def make_network(settings: Settings, cfg: Path | None, load: Path | None) -> Network:
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
    default, changes = Settings("pnet"), Augmentation()
    add("--net", choices=NETWORKS, required=True, help="the network to train")
    add("--data", type=Path, metavar="DIR", help="its samples; default: runs/NET-data")
    add("--out", type=Path, metavar="DIR", help="default: runs/NET")
    add("--cfg", type=Path, metavar="FILE", help="default: darknet_cfg/NET.cfg")
    add("--load", type=Path, metavar="FILE.pt", help="start from these weights (fine-tune)")
    add("--resume", action="store_true", help="go on from OUT/last.pt, if it is there")
    add("--epochs", type=int, default=default.epochs, metavar="N", help="default: %(default)s")
    add("--steps", type=int, default=0, metavar="N", help="of an epoch; default: all positives")
    add(
        "--batch",
        type=int,
        default=0,
        metavar="N",
        help="samples, over all processes; default: " + str(BATCH),
    )
    add(
        "--rate",
        type=float,
        default=default.rate,
        metavar="X",
        help="highest learning rate; default: %(default)s",
    )
    add("--schedule", choices=("cosine", "step"), default="cosine", help="default: cosine")
    add("--warmup", type=float, default=default.warmup, metavar="EPOCHS", help="default: 1")
    add(
        "--decay",
        type=float,
        default=default.decay,
        metavar="X",
        help="weight decay; default: %(default)s",
    )
    add(
        "--average",
        type=float,
        default=default.average,
        metavar="X",
        help="of the weights: how much a step keeps; default: %(default)s",
    )
    add(
        "--keep",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="hard example mining: the share of the samples that counts (the paper: 0.7);"
        " default: 1",
    )
    add(
        "--ratios",
        type=float,
        nargs=4,
        default=default.ratios,
        metavar=("POS", "NEG", "PART", "LM"),
        help="of the kinds in a batch; default: 1 3 1 1",
    )
    add(
        "--weights",
        type=float,
        nargs=3,
        default=(),
        metavar=("FACE", "BOX", "LM"),
        help="of the tasks; default: the paper's, " + str(WEIGHTS),
    )
    add("--no-batch-norm", action="store_true", help="train without batch normalisation")
    add("--prelu", action="store_true", help="[prelu] in place of leaky (not stock Darknet)")
    add(
        "--precision",
        choices=PRECISIONS,
        default=default.precision,
        help="of the layers; auto (the default): float16 on a GPU, float32 on the CPU; bfloat16:"
        " faster on a CPU that has it",
    )
    for name, value in asdict(changes).items():
        add(
            f"--{name}",
            type=float,
            default=value,
            metavar="X",
            help=f"augmentation, see train_mtcnn/augment.py; default: {value:g}",
        )
    add("--seed", type=int, default=0, metavar="N", help="default: 0")
    add("--device", default=None, metavar="NAME", help="cpu, cuda, cuda:1; default: cuda if there")
    add("--threads", type=int, default=0, metavar="N", help="of the CPU; default: all cores")
    return parser.parse_args(argv)


def _settings(args: argparse.Namespace) -> Settings:
    checks = {
        "epochs": args.epochs >= 1,
        "steps": args.steps >= 0,
        "batch": args.batch >= 0,
        "rate": 0 < args.rate < 1,
        "warmup": args.warmup >= 0,
        "decay": args.decay >= 0,
        "average": 0 <= args.average < 1,
        "keep": 0 < args.keep <= 1,
        "ratios": all(0 <= value < math.inf for value in args.ratios),
        "weights": all(0 <= value < math.inf for value in args.weights),
        "seed": 0 <= args.seed < 1 << 32,
    }
    for name, good in checks.items():
        if not good:
            raise ArgumentError(f"--{name} {getattr(args, name)}: out of range; see --help")
    changes = Augmentation(**{name: getattr(args, name) for name in asdict(Augmentation())})
    if not all(0 <= value <= 1 for value in asdict(changes).values()) or changes.scale > 0.5:
        raise ArgumentError(f"{changes}: must be 0 to 1, scale 0 to 0.5")
    names = ("epochs", "steps", "batch", "rate", "schedule", "warmup", "decay", "average", "keep")
    return Settings(
        args.net,
        **{name: getattr(args, name) for name in names},
        ratios=tuple(args.ratios),
        weights=tuple(args.weights),
        batch_norm=not args.no_batch_norm,
        prelu=args.prelu,
        precision=args.precision,
        augmentation=changes,
        seed=args.seed,
    )


def train(args: argparse.Namespace, team: Team) -> None:
    """What the command line asks for. Raises MtcnnError."""
    settings = _settings(args)
    out = args.out or Path("runs") / args.net
    samples = Samples(args.data or Path("runs") / f"{args.net}-data")
    trainer = Trainer(settings, make_network(settings, args.cfg, args.load), samples, out, team)
    make_folder(out)
    if args.resume and (out / "last.pt").exists():
        trainer.resume()
    trainer.run()
    if team.first:
        print(f"written to {out}/: {args.net}.pt, history.jsonl, curves.png")


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = _arguments(argv)
    keep_freed_memory()
    try:
        if args.threads < 0:
            raise ArgumentError(f"--threads {args.threads}: is negative")
        torch.set_num_threads(args.threads or max(1, (os.cpu_count() or 1) // Team.local_size()))
        with Team(args.device) as team:
            train(args, team)
    except MtcnnError as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("train.py: stopped; --resume goes on from the last whole epoch", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
