"""Checkpoints to a cascade that the C core runs: a folder with NAME.data, cfgs and weights.

    python train_mtcnn/assemble.py --out FOLDER pnet.pt [rnet.pt [onet.pt]]

Batch normalisation is folded. Networks that are still missing have weights of zero: the cascade
can be used up to the last one that is there.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    try:
        from train_mtcnn.common.requirements import require
    except ImportError as error:
        sys.exit(f"assemble.py: {error}; `bash make_install.sh` makes a .venv that has it")
    require("assemble.py", "numpy", "torch")

import numpy as np

from pymtcnn.commands.console import status_of
from pymtcnn.commands.options import Parser
from pymtcnn.files import make_folder
from train_mtcnn.network.checkpoint import load_checkpoint
from train_mtcnn.network.darknet import (
    DARKNET_CFG,
    DEFAULT_MODEL,
    NETWORKS,
    read_cfg,
    read_data,
)
from train_mtcnn.network.model_files import write_model_files
from train_mtcnn.network.networks import Network
from train_mtcnn.network.rewrite import without_batch_norm


def assemble(checkpoints: Sequence[Path], out: Path, name: str = "cascade") -> Path:
    """Write a cascade.

    Parameters
    ----------
    checkpoints
        Of PNet, RNet, ONet in this order; the last ones may be missing.
    out
        Folder to write; files of the same names there are replaced.
    name
        The `.data` file is OUT/NAME.data; its settings are the default model's.

    Returns
    -------
    Path of the `.data` file.

    Raises
    ------
    FileError, CfgError, ModelError
        If a checkpoint cannot be read (then nothing is written) or a file not be written.
    """
    networks = {}  # all are read before any is written
    for index, net in enumerate(NETWORKS):
        if index < len(checkpoints):
            network = load_checkpoint(checkpoints[index])
            networks[net] = without_batch_norm(network.cfg), network.weights(fold=True)
        else:
            cfg = read_cfg(DARKNET_CFG / f"{net}.cfg")
            networks[net] = cfg, np.zeros(Network(cfg).weights_count, np.float32)
    make_folder(out)
    path = out / f"{name}.data"
    write_model_files(path, read_data(DEFAULT_MODEL), networks)
    return path


def _run(argv: Sequence[str] | None) -> int:
    parser = Parser("assemble.py", __doc__)
    parser.add_argument("checkpoints", nargs="+", type=Path, metavar="NET.pt")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    args = parser.parse_args(argv)
    if len(args.checkpoints) > len(NETWORKS):
        parser.error("at most three checkpoints: of PNet, RNet, ONet")
    print(assemble(args.checkpoints, args.out))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of("assemble.py", lambda: _run(argv))


if __name__ == "__main__":
    raise SystemExit(main())
