"""One network in training: epochs, validation, averaged weights, what is saved and resumed."""

from __future__ import annotations

import json
import math
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pymtcnn.errors import ArgumentError, ModelError, MtcnnError
from pymtcnn.files import atomic_write
from train_mtcnn.common.file_content import read_bytes, read_lines
from train_mtcnn.data.samples import Kind, Samples
from train_mtcnn.network.checkpoint import load_tensors, save_checkpoint, save_tensors
from train_mtcnn.network.darknet import format_cfg, parse_cfg
from train_mtcnn.network.network_input import TRAINED
from train_mtcnn.network.networks import Network
from train_mtcnn.training.augment import augment
from train_mtcnn.training.batches import RATIOS, Batches, Source
from train_mtcnn.training.history import HISTORY, read_history
from train_mtcnn.training.hyperparameters import Hyperparameters, learning_rate
from train_mtcnn.training.losses import TASKS, Targets, measures, task_losses, taught
from train_mtcnn.training.parallel import Team
from train_mtcnn.training.training_plots import plot_trainings


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
        self, settings: Hyperparameters, network: Network, samples: Samples, out: Path, team: Team
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
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = Average(self.network, settings.average)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), settings.rate, weight_decay=settings.decay
        )
        self._layers = _layer_type(settings.precision, device)
        self.scaler = torch.amp.GradScaler("cuda", enabled=self._layers == torch.float16)
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

    def train_epoch(self, bar: Any) -> dict[str, float]:
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
        mixed = self._layers != torch.float32
        with torch.autocast(self.team.device.type, self._layers, enabled=mixed):
            output = self.network(_normalised(pixels), logits=True).flatten(1)
        losses = task_losses(output.float(), targets, self.settings.keep)
        mine, batch = (
            {task: rows.sum() for task, rows in taught(k).items()} for k in (targets.kind, kinds)
        )
        for task in losses:  # so that the processes' mean is the mean over the batch
            losses[task] *= self.team.size * mine[task] / batch[task].clamp(min=1)
        loss: Any = sum(w * losses[t] for t, w in zip(TASKS, self.settings.weights) if t in losses)
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
        layout = torch.channels_last
        return network.to(self.team.device, memory_format=layout).eval()  # type: ignore[call-overload]

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
        save_tensors(self.out / "last.pt", content)

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
                plot_trainings(self.out / "curves.png", {self.settings.net: read_history(history)})
        if board:
            board.close()
        self.team.wait()


def _layer_type(precision: str, device: torch.device) -> torch.dtype:
    """What layers compute in while training, where PyTorch holds that to be safe."""
    if precision == "auto":
        return torch.float16 if device.type == "cuda" else torch.float32
    return getattr(torch, precision)


def _normalised(pixels: Tensor) -> Tensor:
    """[B, 3, H, W], 0..255, as the networks take them."""
    return (pixels - TRAINED.mean) * TRAINED.norm


def _rows(path: Path, epochs: int) -> list[str]:
    """The lines of a history's first epochs; none where there is no history."""
    return read_lines(path)[:epochs] if epochs and path.exists() else []


def _line(row: dict) -> str:
    shown = {k: v for k, v in row.items() if k not in ("epoch", "step", "rate")}
    return f"epoch {row['epoch']:3}  " + "  ".join(f"{k} {v:.4g}" for k, v in shown.items())


def _board(out: Path, step: int) -> Any:
    """TensorBoard's writer, or None where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(out / "events"), purge_step=step)
