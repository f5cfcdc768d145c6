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
import json
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

if __name__ == "__main__":
    if not __package__:  # run as a script
        sys.path[0] = str(Path(__file__).resolve().parents[1])
    from train_mtcnn.script import require

    require("train.py", "numpy", "torch", "tqdm", "matplotlib")

import numpy as np
import torch
from torch import Tensor

from pymtcnn.commands.options import Parser
from pymtcnn.errors import ArgumentError, ModelError, MtcnnError
from pymtcnn.files import atomic_write, make_folder
from train_mtcnn import plots
from train_mtcnn.augment import Augmentation, augment
from train_mtcnn.batches import RATIOS, Batches, Source
from train_mtcnn.checkpoint import load_checkpoint, load_tensors, save_checkpoint
from train_mtcnn.darknet import DARKNET_CFG, NETWORKS, format_cfg, parse_cfg, read_cfg
from train_mtcnn.files import read_bytes, read_lines
from train_mtcnn.history import HISTORY, read_history
from train_mtcnn.losses import TASKS, Targets, measures, task_losses, taught
from train_mtcnn.memory import keep_freed_memory
from train_mtcnn.networks import Network
from train_mtcnn.parallel import Team
from train_mtcnn.rewrite import with_batch_norm, with_prelu
from train_mtcnn.samples import Kind, Samples

WEIGHTS = {"pnet": (1, 0.5, 0.5), "rnet": (1, 0.5, 0.5), "onet": (1, 0.5, 1)}  # the paper's
BATCH = {"pnet": 1024, "rnet": 256, "onet": 128}


@dataclass(frozen=True)
class Settings:
    """All that a training depends on besides the samples."""

    net: str
    epochs: int = 20
    steps: int = 0  # of an epoch; 0: so many that all positives are shown about once
    batch: int = 0  # samples over all processes; 0: BATCH
    rate: float = 2e-3  # the highest learning rate
    schedule: str = "cosine"
    warmup: float = 1.0  # epochs
    decay: float = 1e-4
    average: float = 0.999  # of the weights, a step
    keep: float = 1.0
    ratios: tuple[float, ...] = tuple(RATIOS.values())
    weights: tuple[float, ...] = ()  # of the tasks; (): WEIGHTS
    batch_norm: bool = True
    prelu: bool = False
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "batch", self.batch or BATCH[self.net])
        object.__setattr__(self, "weights", tuple(self.weights) or WEIGHTS[self.net])


def learning_rate(settings: Settings, epoch: float) -> float:
    """The learning rate at a moment, in epochs from the start."""
    if epoch < settings.warmup:
        return settings.rate * max(epoch / settings.warmup, 0.01)
    left = (epoch - settings.warmup) / max(settings.epochs - settings.warmup, 1e-9)
    if settings.schedule == "step":  # a tenth after 60%, a hundredth after 85%
        return settings.rate * (0.01 if left > 0.85 else 0.1 if left > 0.6 else 1)
    return settings.rate * (0.005 + 0.995 * (1 + math.cos(math.pi * min(left, 1))) / 2)


class Average:
    """Exponential average of a network's weights, and its latest other state."""

    def __init__(self, network: Network, rate: float):
        self._rate, self._steps = rate, 0
        self.state = {key: value.detach().clone() for key, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: Network) -> None:
        self._steps += 1
        rate = min(self._rate, (1 + self._steps) / (10 + self._steps))  # short at the start
        for key, value in network.state_dict().items():
            self.state[key].lerp_(value, 1 - rate)

    def to_dict(self) -> dict:
        return {"state": self.state, "steps": self._steps}

    def load(self, values: dict) -> None:
        self._steps = int(values["steps"])
        for key, value in values["state"].items():
            self.state[key].copy_(value)


class Trainer:
    """One network in training.

    Parameters
    ----------
    settings
    network
    samples
    out
        Folder to write.
    team
        The processes that share the work.
    """

    def __init__(
        self, settings: Settings, network: Network, samples: Samples, out: Path, team: Team
    ):
        shape = network.input_shape
        if samples.crops.shape[1:3] != shape[1:]:
            raise ModelError(
                f"the samples are {samples.crops.shape[1]} pixels wide, {network.cfg.path} takes"
                f" {shape.width}: they were prepared for another network"
            )
        if settings.batch % team.size:
            raise ArgumentError(
                f"a batch of {settings.batch} cannot be shared by {team.size} processes evenly"
            )
        self.settings, self.out, self.team = settings, out, team
        self._samples = {name: samples.about[name] for name in ("side", "count", "settings")}
        device = team.device
        self.network = network.to(device, memory_format=torch.channels_last)
        self.average = Average(self.network, settings.average)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), settings.rate, weight_decay=settings.decay
        )
        self.scaler = torch.amp.GradScaler("cuda", enabled=device.type == "cuda")
        self.source = Source(samples, device)
        ratios = dict(zip(RATIOS, settings.ratios, strict=True))
        if network.output_shape.channels != 15:
            ratios[Kind.LANDMARK] = 0
        self._kinds = {kind for kind, ratio in ratios.items() if ratio > 0}
        held = samples.labels["held"]
        if ratios[Kind.LANDMARK] and not (samples.labels["kind"] == Kind.LANDMARK).any():
            raise ArgumentError(
                f"{network.cfg.path} gives landmarks, of which there are no samples: prepare them"
                " with --landmarks, or give a ratio of 0 for them (--ratios 1 3 1 0)"
            )
        self.batches = Batches(
            samples.labels, np.flatnonzero(~held), settings.batch, ratios, settings.seed
        )
        wanted = held & np.isin(samples.labels["kind"], list(self._kinds))
        self._validation = np.flatnonzero(wanted)
        most = 64 * settings.batch  # enough for three digits
        if len(self._validation) > most:
            rng = np.random.default_rng(settings.seed)
            self._validation = np.sort(rng.choice(self._validation, most, replace=False))
        self.steps = settings.steps or self.batches.steps_per_epoch
        self.epoch = 0

    # -- one epoch

    def train_epoch(self, bar) -> dict[str, float]:
        """One epoch; returns the mean losses."""
        self.network.train()
        settings = self.settings
        # Batches are sorted by kind: every process takes its part of each.
        part = slice(self.team.rank, None, self.team.size)
        sums: dict[str, Tensor] = {}
        for step, indices in enumerate(self.batches.epoch(self.epoch, self.steps)):
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate(settings, self.epoch + step / self.steps)
            pixels, targets = self.source.take(indices[part])
            seed = np.random.SeedSequence([settings.seed, self.epoch, step]).generate_state(1)
            generator = torch.Generator().manual_seed(int(seed[0]))
            pixels, targets = augment(
                pixels, targets, settings.augmentation, generator, part, settings.batch
            )
            losses = self._step(pixels, targets, self.source.kinds(indices))
            for name, value in losses.items():
                sums[name] = sums.get(name, 0) + value
            bar.update(1)
            if step % 20 == 0 and not bar.disable:
                bar.set_postfix(loss=f"{float(losses['loss']):.4f}")
        means = {name: float(self.team.mean(value / self.steps)) for name, value in sums.items()}
        if not math.isfinite(means["loss"]):
            raise ModelError(
                f"{self.out}: the loss is {means['loss']} in epoch {self.epoch + 1}; train again"
                f" with a --rate lower than {self.settings.rate:g}, into another --out"
            )
        return means

    def _step(self, pixels: Tensor, targets: Targets, kinds: Tensor) -> dict[str, Tensor]:
        """Learn from this process's part of a batch, which holds samples of `kinds` in all."""
        device = self.team.device
        with torch.autocast(device.type, torch.float16, enabled=device.type == "cuda"):
            output = self.network(_normalised(pixels), logits=True).flatten(1)
        losses = task_losses(output.float(), targets, self.settings.keep)
        mine, batch = (
            {task: rows.sum() for task, rows in taught(k).items()} for k in (targets.kind, kinds)
        )
        for task in losses:  # so that the processes' mean is the mean over the batch
            losses[task] *= self.team.size * mine[task] / batch[task].clamp(min=1)
        loss = sum(w * losses[t] for t, w in zip(TASKS, self.settings.weights) if t in losses)
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.team.average_gradients(self.network)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.average.update(self.network)
        return {"loss": loss.detach(), **{name: value.detach() for name, value in losses.items()}}

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Loss and measures of the averaged weights on the samples held out.

        What none of them teaches is left out.
        """
        if not len(self._validation):
            return {}
        network = self.averaged()
        sums: dict[str, Tensor] = {}
        for first in range(0, len(self._validation), 512):
            pixels, targets = self.source.take(self._validation[first : first + 512])
            output = network(_normalised(pixels), logits=True).flatten(1)
            parts = measures(output, targets)
            counts = {task: rows.sum() for task, rows in taught(targets.kind).items()}
            for name, loss in task_losses(output, targets).items():
                parts[name] = torch.stack([loss * counts[name], counts[name]])
            for name, value in parts.items():
                sums[name] = sums.get(name, 0) + value
        values = {name: float(total / count) for name, (total, count) in sums.items() if count}
        weights = dict(zip(TASKS, self.settings.weights))
        values["loss"] = sum(w * values[task] for task, w in weights.items() if task in values)
        return {f"val_{name}": value for name, value in values.items()}

    def averaged(self) -> Network:
        """The network with the averaged weights, in evaluation mode."""
        network = Network(self.network.cfg)
        network.load_state_dict(self.average.state)
        return network.to(self.team.device, memory_format=torch.channels_last).eval()

    # -- saving

    def save(self) -> None:
        """Write NET.pt and last.pt: this one at the end, since an epoch that it has is done."""
        content = {
            "cfg": format_cfg(self.network.cfg),
            "state_dict": self.network.state_dict(),
            "average": self.average.to_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "epoch": self.epoch,
            "settings": json.loads(json.dumps(asdict(self.settings))),
            "samples": self._samples,
        }
        save_checkpoint(
            self.out / f"{self.settings.net}.pt",
            self.averaged().cpu(),
            {"epoch": self.epoch, "settings": content["settings"]},
        )
        with atomic_write(self.out / "last.pt") as file:
            torch.save(content, file)

    def resume(self) -> None:
        """Go on from last.pt.

        Raises
        ------
        FileError, ModelError
            If it is not there, damaged, or of another network, other settings or samples.
        """
        path = self.out / "last.pt"
        content = load_tensors(read_bytes(path), path)
        try:
            saved = content["settings"]
            mine = json.loads(json.dumps(asdict(self.settings)))
            changed = [k for k in mine if k != "epochs" and saved.get(k) != mine[k]]
            if changed:
                raise ModelError(
                    f"{path}: was made with other settings ({', '.join(changed)}); give the same"
                    " ones, or another --out"
                )
            if content.get("samples", self._samples) != self._samples:
                raise ModelError(
                    f"{path}: was made with other samples; give the same --data, or another --out"
                )
            if Network(parse_cfg(content["cfg"], path)).definition != self.network.definition:
                raise ModelError(
                    f"{path}: is of another network than {self.network.cfg.path}; give the same"
                    " --cfg or --load, or another --out"
                )
            self.network.load_state_dict(content["state_dict"])
            self.average.load(content["average"])
            self.optimizer.load_state_dict(content["optimizer"])
            self.scaler.load_state_dict(content["scaler"])
            self.epoch = int(content["epoch"])
        except MtcnnError:
            raise
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise ModelError(
                f"{path}: is no state of a training: {reason}; name another --out or leave out"
                " --resume"
            ) from error

    def run(self) -> None:
        """Train the epochs that are left."""
        from tqdm import tqdm

        history = self.out / HISTORY
        rows = _rows(history, self.epoch) if self.team.first else []
        board = _board(self.out, self.epoch * self.steps) if self.team.first else None
        total = self.settings.epochs * self.steps
        with tqdm(
            total=total,
            initial=self.epoch * self.steps,
            unit="step",
            disable=None if self.team.first else True,
            desc=self.settings.net,
        ) as bar:
            while self.epoch < self.settings.epochs:
                begin = time.perf_counter()
                row = self.train_epoch(bar)
                seconds = time.perf_counter() - begin
                self.epoch += 1
                if not self.team.first:
                    continue
                row = {"epoch": self.epoch, "step": self.epoch * self.steps, **row}
                row |= self.validate()
                row["rate"] = learning_rate(self.settings, self.epoch)
                row["samples_per_second"] = self.steps * self.settings.batch / seconds
                row = {k: v if isinstance(v, int) else float(f"{v:.6g}") for k, v in row.items()}
                rows.append(json.dumps(row))
                with atomic_write(history) as file:
                    file.write(("\n".join(rows) + "\n").encode())
                self.save()
                for name, value in row.items():
                    if board and name not in ("epoch", "step"):
                        board.add_scalar(name, value, row["step"])
                tqdm.write(_line(row), file=sys.stdout)
                sys.stdout.flush()
                plots.training(self.out / "curves.png", {self.settings.net: read_history(history)})
        if board:
            board.close()
        self.team.wait()


def _normalised(pixels: Tensor) -> Tensor:
    """[B, 3, H, W], 0..255, as the networks take them (DESIGN: (v - 127.5) / 128)."""
    return (pixels - 127.5) * 0.0078125


def _rows(path: Path, epochs: int) -> list[str]:
    """The lines of a history's first epochs; none where there is no history."""
    return read_lines(path)[:epochs] if epochs and path.exists() else []


def _line(row: dict) -> str:
    shown = {k: v for k, v in row.items() if k not in ("epoch", "step", "rate")}
    return f"epoch {row['epoch']:3}  " + "  ".join(f"{k} {v:.4g}" for k, v in shown.items())


def _board(out: Path, step: int):
    """TensorBoard's writer, or None where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(out / "events"), purge_step=step)


# ---- the command line ----------------------------------------------------------------------------


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
