"""Checkpoints: `{"cfg": text of the network's cfg, "state_dict": its tensors}`, and nothing else
that PyTorch would have to run code for. Those whose network is fed otherwise than in training say
so: `"input": {"mean": 0.0, "norm": 1 / 255, "color": "RGB"}`."""

from __future__ import annotations

import io
import os
import pickle
import warnings
from typing import Any

import torch

from pymtcnn.errors import FileError, ModelError
from pymtcnn.files import atomic_write
from train_mtcnn.common.file_content import check_unpacked, read_bytes
from train_mtcnn.network.darknet import Cfg, format_cfg, parse_cfg
from train_mtcnn.network.network_input import TRAINED, Input, checked_input, refit
from train_mtcnn.network.networks import Network
from train_mtcnn.network.weighted_sections import network_of, sections_of


def load_tensors(content: bytes, name: str | os.PathLike) -> dict:
    """`torch.load` that runs no code of the file.

    Parameters
    ----------
    content
        The whole file.
    name
        Its name in messages.

    Raises
    ------
    FileError
        If it is not PyTorch's, or holds more than tensors and plain values.
    """
    try:
        check_unpacked(content, name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd pickles: they are refused or they load
            loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except FileError:
        raise
    except pickle.UnpicklingError as error:
        raise FileError(
            f"{name}: refused: it is no PyTorch file, or holds more than tensors and plain values"
            " (loading that would run its code); save the model's state_dict() alone"
        ) from error
    except Exception as error:  # a damaged file makes the unpickler raise anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise FileError(f"{name}: not a whole PyTorch file: {reason}") from error
    if not isinstance(loaded, dict):
        raise FileError(f"{name}: holds a {type(loaded).__name__}, expected a dict of tensors")
    return loaded


def save_tensors(path: str | os.PathLike, content: dict) -> None:
    """`torch.save`, whole or not at all. Raises FileError.

    Written from memory: on a full disk PyTorch's own writer raises an error without the reason.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with atomic_write(path) as file:
        file.write(buffer.getbuffer())


def state_dict_of(content: dict) -> tuple[dict, dict]:
    """The state dict in what `load_tensors` read, and what else a checkpoint holds.

    A bare state dict holds nothing else.
    """
    state = content.get("state_dict")
    if not isinstance(state, dict):
        return content, {}
    return state, {key: value for key, value in content.items() if key != "state_dict"}


def save_checkpoint(path: str | os.PathLike, network: Network, about: dict | None = None) -> None:
    """Write a network's checkpoint, and plain values on how it was made. Raises FileError."""
    content = {"cfg": format_cfg(network.cfg), "state_dict": network.state_dict(), **(about or {})}
    save_tensors(path, content)


def load_checkpoint(path: str | os.PathLike, cfg: Cfg | None = None) -> Network:
    """Read a network from a checkpoint, or from a bare state dict of a Network.

    Parameters
    ----------
    path
        The file.
    cfg
        The network; None: the checkpoint's own.

    Returns
    -------
    The network, in evaluation mode; it takes training's input, whatever it took (inputs.refit).

    Raises
    ------
    FileError
        If the file cannot be read or was refused.
    CfgError
        If its cfg makes no sense.
    ModelError
        If it names no network, or its tensors do not fit the network.
    """
    network, fed = read_checkpoint(path, cfg)
    if fed == TRAINED:
        return network
    return network_of(refit(sections_of(network), fed, TRAINED, network.cfg.path), str(path))


def read_checkpoint(path: str | os.PathLike, cfg: Cfg | None = None) -> tuple[Network, Input]:
    """Like load_checkpoint; the network is as it was saved, beside what it takes."""
    state, others = state_dict_of(load_tensors(read_bytes(path), path))
    fed = _input(path, others["input"]) if "input" in others else TRAINED
    if cfg is None and isinstance(others.get("cfg"), str):
        cfg = parse_cfg(others["cfg"], f"{path} (its cfg)")
    if cfg is None:
        raise ModelError(f"{path}: does not say which network it is; name its cfg with --cfg")
    network = Network(cfg)
    expected = network.state_dict()
    missing = [key for key in expected if key not in state]
    unknown = [key for key in state if key not in expected]
    if missing or unknown:
        raise ModelError(
            f"{path}: not a state of {cfg.path}: missing {_list(missing)}, unknown {_list(unknown)}"
        )
    for key, tensor in expected.items():
        if isinstance(state[key], torch.Tensor) and not is_plain(state[key]):
            raise ModelError(f"{path}: {key} holds no plain numbers (sparse, or without a content)")
        shape = list(getattr(state[key], "shape", [type(state[key]).__name__]))
        if shape != list(tensor.shape):
            raise ModelError(f"{path}: {key} is {shape}, {cfg.path} has {list(tensor.shape)}")
    network.load_state_dict(state)
    return network.eval(), fed


def is_plain(value: torch.Tensor) -> bool:
    """Whether a tensor's numbers are all there, and real."""
    return value.layout == torch.strided and not value.is_meta and not value.is_complex()


def _input(path: str | os.PathLike, value: Any) -> Input:
    try:
        return checked_input(**value)
    except (TypeError, ValueError) as error:
        raise ModelError(f"{path}: its input is {value!r}: {error}") from error


def _list(names: list) -> str:
    """The first names of a list."""
    shown = ", ".join(map(str, names[:4]))
    return (shown + (f" and {len(names) - 4} more" if len(names) > 4 else "")) or "none"
