"""The processes that train one network together, as torchrun starts them; often just one."""

from __future__ import annotations

import os

import torch
import torch.distributed as dist
from torch import Tensor, nn

from pymtcnn.errors import ArgumentError


class Team:
    """A context: joins the other processes, and leaves them at its end.

    Parameters
    ----------
    device
        "cpu", "cuda" (each process of this machine its own) or "cuda:N"; None: a GPU where there
        is one.

    Attributes
    ----------
    rank, size : int
    first : bool
        Whether this process writes files.
    device : torch.device

    Raises
    ------
    ArgumentError
        If the device is not there.
    """

    def __init__(self, device: str | None = None):
        self.rank, self.size = (
            int(os.environ.get(k, d)) for k, d in (("RANK", 0), ("WORLD_SIZE", 1))
        )
        self.first = self.rank == 0
        self.device = _device(device, int(os.environ.get("LOCAL_RANK", 0)))

    @staticmethod
    def local_size() -> int:
        """Processes of the team on this machine."""
        return int(os.environ.get("LOCAL_WORLD_SIZE", 1))

    def __enter__(self) -> Team:
        if self.size > 1:
            dist.init_process_group("nccl" if self.device.type == "cuda" else "gloo")
        return self

    def __exit__(self, *exception: object) -> None:
        if self.size > 1:
            dist.destroy_process_group()

    def average_gradients(self, network: nn.Module) -> None:
        """Give all processes the mean of their gradients: one message for all of them."""
        if self.size == 1:
            return
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.size
        start = 0
        for gradient in gradients:
            count = gradient.numel()
            gradient.copy_(flat[start : start + count].view_as(gradient))
            start += count

    def mean(self, value: Tensor) -> Tensor:
        """The processes' mean of a number."""
        if self.size > 1:
            value = value.clone()
            dist.all_reduce(value)
        return value / self.size

    def wait(self) -> None:
        """Until all are here."""
        if self.size > 1:
            dist.barrier()


def _device(name: str | None, local_rank: int) -> torch.device:
    there = torch.cuda.is_available()
    name = name or ("cuda" if there else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ArgumentError(f"--device {name}: no such device; try cpu or cuda") from None
    if device.type not in ("cpu", "cuda"):
        raise ArgumentError(f"--device {name}: must be cpu or cuda")
    if device.type == "cuda":
        if not there:
            raise ArgumentError(f"--device {name}: there is no GPU that PyTorch can use; try cpu")
        if device.index is None:
            device = torch.device("cuda", local_rank)
        if device.index >= torch.cuda.device_count():
            raise ArgumentError(f"--device {name}: there are {torch.cuda.device_count()} GPUs")
        torch.cuda.set_device(device)
    return device
