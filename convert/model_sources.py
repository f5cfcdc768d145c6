"""What is converted: a checkpoint, one network in Darknet's files, or a whole model.

A file's ending says which it is; a checkpoint may have any that no other kind has.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from convert.sidecar import read_input
from pymtcnn.errors import ArgumentError, FileError, ModelError
from train_mtcnn.cascade.cascade_networks import load_networks
from train_mtcnn.common.file_content import read_bytes
from train_mtcnn.network.checkpoint import read_checkpoint
from train_mtcnn.network.darknet import Data, read_cfg, read_data
from train_mtcnn.network.network_input import STOCK, STOCK_NOTE, TRAINED, Input
from train_mtcnn.network.networks import Network
from train_mtcnn.network.rewrite import with_batch_norm, with_prelu

# What networks of a dialect take, if nothing else is said.
FED = {"stock": STOCK, "native": TRAINED}

_KINDS = {
    ".pt": "a checkpoint",
    ".pth": "a checkpoint",
    ".weights": "the weights of Darknet's files",
    ".data": "a whole model",
    ".cfg": "a network without its weights",
    ".json": "what is known of a .weights file",
    ".onnx": "ONNX's",
    ".caffemodel": "Caffe's, which convert/import_pretrained.py imports",
    ".prototxt": "Caffe's, which convert/import_pretrained.py imports",
}


def check_kind(path: Path, *endings: str) -> None:
    """Raise FileError for a folder, and for a file of another kind than those of `endings`."""
    if path.is_dir():
        kind = "a folder"
    elif path.suffix in _KINDS and path.suffix not in endings:
        kind = _KINDS[path.suffix]
    else:
        return
    *others, last = endings
    raise FileError(f"{path}: is {kind}; name a {', '.join(others)} or {last}")


@dataclass(frozen=True)
class Source:
    """One network that is to be converted.

    Attributes
    ----------
    path
        Its checkpoint or `.weights` file.
    network
        The network as it stands there.
    fed
        What it takes.
    """

    path: Path
    network: Network
    fed: Input


def read_checkpoint_source(path: Path, cfg: Path | None = None) -> Source:
    """Read a checkpoint.

    Parameters
    ----------
    path
        The file.
    cfg
        The network, or what train.py made it of: batch normalisation and PReLU, which it adds,
        are added where the checkpoint has them. None: the checkpoint's own.

    Raises
    ------
    FileError, CfgError, ModelError
        If a file cannot be read, makes no sense or does not fit the other.
    """
    if cfg is None:
        return Source(path, *read_checkpoint(path))
    given = read_cfg(cfg)
    try:
        return Source(path, *read_checkpoint(path, given))
    except ModelError:
        for base in (given, with_prelu(given)):
            for variant in (base, with_batch_norm(base)):
                with suppress(ModelError):
                    return Source(path, *read_checkpoint(path, variant))
        raise


def read_darknet_source(
    weights: Path, cfg: Path | None = None, dialect: str | None = None
) -> Source:
    """Read one network in Darknet's files.

    Parameters
    ----------
    weights
        The file.
    cfg
        The network; None: the .cfg beside the weights.
    dialect
        "stock" or "native", for what the network takes; None: what the .json beside the weights
        says, else what a comment of the cfg says, else "native".

    Raises
    ------
    ArgumentError
        If the .json says otherwise than `dialect`.
    FileError, CfgError, WeightsError
        If a file cannot be read, makes no sense or does not fit the other.
    """
    read_bytes(weights)  # where it is missing, so is perhaps the cfg beside it: name this one
    network = Network.from_darknet(cfg or weights.with_suffix(".cfg"), weights)
    if dialect:
        fed = FED[dialect]
        with suppress(FileError):  # a damaged .json does not count
            if read_input(weights) not in (None, fed):
                json = weights.with_suffix(".json")
                raise ArgumentError(f"--dialect {dialect}: {json} says otherwise")
    else:
        noted = STOCK if STOCK_NOTE in network.cfg.sections[0].comments else TRAINED
        fed = read_input(weights) or noted
    return Source(weights, network, fed)


def read_source(path: Path, cfg: Path | None = None) -> Source:
    """Read one network: a `.weights` file, or else a checkpoint. Raises as their readers do."""
    read = read_darknet_source if path.suffix == ".weights" else read_checkpoint_source
    return read(path, cfg)


def read_model(path: Path) -> tuple[Data, dict[str, Source]]:
    """Read a `.data` file and its networks, by name. Raises as load_networks does."""
    data = read_data(path)
    fed = Input(data.mean, data.norm, data.color)
    networks = load_networks(data).items()
    return data, {name: Source(data.weights[name], network, fed) for name, network in networks}
