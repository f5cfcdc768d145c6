"""From the raw downloads to a model: prepare, train, mine, train, ..., convert, evaluate.

    python train_mtcnn/train_all.py --wider WIDER_FACE --landmarks CNN_FACEPOINT --out runs/mine

Each stage is a program of its own, whose command is printed: any can be run by hand. Stages that
are done are skipped; one that was interrupted continues from its last step or epoch.
OUT/model/cascade.data is the model, OUT/report.md the report; --install makes it the default model
in darknet_cfg/.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    try:
        from train_mtcnn.common.requirements import require
    except ImportError as error:
        sys.exit(f"train_all.py: {error}; `bash make_install.sh` makes a .venv that has it")
    require("train_all.py", "numpy", "torch", "tqdm", "matplotlib", "scipy", "cv2")

from pymtcnn.commands.console import status_of
from pymtcnn.commands.options import Parser
from pymtcnn.errors import ArgumentError, ModelError
from pymtcnn.files import atomic_write, make_folder
from train_mtcnn.common.file_content import OTHER, read_bytes
from train_mtcnn.network.darknet import (
    DARKNET_CFG,
    DEFAULT_MODEL,
    NETWORKS,
    read_cfg,
    read_data,
    write_data,
)
from train_mtcnn.network.model_files import with_files_in
from train_mtcnn.network.networks import Network
from train_mtcnn.training.hyperparameters import PRECISIONS
from train_mtcnn.training.process_memory import own_memory
from train_mtcnn.training.run_folder import MODEL, MODEL_FILE, RECORD, assembly_of, read_record

_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Round:
    """Samples of one network, and a training on them; all rounds so far give the models mined with.

    A network's later rounds go on from its earlier ones, with its own mistakes among the samples.
    """

    name: str
    net: str
    prepare: str  # options
    train: str


# What the rounds with the network's own mistakes among the samples have in common. The ratios put
# the scores where thresholds of about 0.5 suit them.
OWN_RNET = "--thresholds 0.4 0.4 1 --min-face 18 --own 120"
OWN_ONET = (
    "--thresholds 0.4 0.2 0.2 --min-face 18 --negatives 40 --mined 80 --own 40 --landmark-crops 16"
)
TRAIN_RNET = "--epochs 20 --steps 1000 --ratios 2 3 1.5 0 --average 0.9995"
TRAIN_ONET = (
    "--steps 500 --batch 256 --ratios 2 4 1.5 2.5 --weights 1 1 1.5 --average 0.9995 --cut 0.25"
    " --grey 0.1"
)

# For two cores: two hours without the long rounds, four with them.
ROUNDS = (
    Round("pnet", "pnet", "", "--epochs 12 --rate 4e-3"),
    Round(
        "pnet-hard",
        "pnet",
        "--thresholds 0.5 1 1 --iou-positive 0.7 --negatives 80 --mined 60",
        "--epochs 20 --steps 600 --rate 4e-3 --ratios 2 3 1.5 0 --average 0.9995",
    ),
    Round("rnet", "rnet", "--thresholds 0.3 1 1", "--epochs 11 --steps 1000"),
    Round("rnet-hard", "rnet", OWN_RNET, TRAIN_RNET),
    Round(
        "onet",
        "onet",
        "--thresholds 0.4 0.2 1 --negatives 40 --mined 80",
        "--epochs 30 --steps 250 --ratios 1 3 1 1.5",
    ),
    Round("onet-hard", "onet", OWN_ONET, f"{TRAIN_ONET} --epochs 42 --rate 3e-3"),
    Round("rnet-long", "rnet", OWN_RNET, f"{TRAIN_RNET} --batch 512 --rate 3e-3"),
    Round("onet-long", "onet", OWN_ONET, f"{TRAIN_ONET} --epochs 56 --rate 2e-3"),
)
SMALL = "--epochs 3 --steps 40 --batch 128 --warmup 0.5 --average 0.9"  # over a round's: a trial


@dataclass(frozen=True)
class Stage:
    """One program to run."""

    name: str
    command: list[str]  # without Python
    made: Path  # is there when it is done


def stages(args: argparse.Namespace) -> list[Stage]:
    """All of them, in order."""
    rows: list[Stage] = []
    trained: dict[str, Path] = {}  # each network's last checkpoint
    model = None
    for each in ROUNDS:
        rows += [_prepare(args, each, model), _train(args, each, trained.get(each.net))]
        trained[each.net] = rows[-1].made
        name = MODEL if each is ROUNDS[-1] else f"cascade-{each.name}"
        model = args.out / name / MODEL_FILE
        command = ["assemble.py", "--out", str(model.parent), *map(str, trained.values())]
        rows.append(Stage(assembly_of(name), command, model))
    if (args.wider / "WIDER_val").is_dir():
        rows.append(_evaluate(args, rows[-1].made))
    return rows


def _prepare(args: argparse.Namespace, each: Round, model: Path | None) -> Stage:
    folder = args.out / f"{each.name}-data"
    command = ["prepare_data.py", "--net", each.net, "--wider", str(args.wider)]
    command += ["--out", str(folder), "--jobs", str(args.jobs), "--seed", str(args.seed)]
    command += ["--model", str(model)] if model else []
    command += ["--landmarks", str(args.landmarks)] if each.net == "onet" else []
    command += ["--pictures", str(args.pictures)] if args.pictures is not None else []
    return Stage(f"prepare {each.name}", command + each.prepare.split(), folder / "samples.json")


def _train(args: argparse.Namespace, each: Round, load: Path | None) -> Stage:
    out = args.out / each.name
    command = ["train.py", "--net", each.net, "--data", f"{out}-data", "--resume"]
    command += ["--out", str(out), "--seed", str(args.seed)]
    command += ["--load", str(load)] if load else []
    command += ["--device", args.device] if args.device else []
    command += ["--precision", args.precision] if args.precision != PRECISIONS[0] else []
    command += f"{each.train} {SMALL if args.small else ''}".split()
    return Stage(f"train {each.name}", command, out / f"{each.net}.pt")


def _evaluate(args: argparse.Namespace, model: Path) -> Stage:
    out = args.out / "evaluation"
    command = ["evaluate.py", "--data", str(args.wider), "--model", str(model), "--out", str(out)]
    command.append("--force")  # over what an earlier model left
    command += ["--landmarks", str(args.landmarks)] if _has_test_list(args.landmarks) else []
    command += ["--pictures", str(args.pictures)] if args.pictures is not None else []
    return Stage("evaluate", command, out / "results.json")


def _has_test_list(folder: Path) -> bool:
    return (folder / "testImageList.txt").is_file()


def run(stage: Stage) -> dict:
    """Run one stage; returns seconds and peak memory (MiB). Raises ModelError if it fails."""
    print(f"==> {stage.name}: python train_mtcnn/{shlex.join(stage.command)}", flush=True)
    begin, peak = time.perf_counter(), 0.0
    child = subprocess.Popen([sys.executable, str(_HERE / stage.command[0]), *stage.command[1:]])
    try:
        while child.poll() is None:
            peak = max(peak, own_memory(child.pid))
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(0.2)
    except KeyboardInterrupt:
        child.wait()
        raise
    if child.returncode == 130:
        raise KeyboardInterrupt
    if child.returncode:
        raise ModelError(
            f"this stage failed: {stage.name} (exit status {child.returncode}); its message is"
            " above; the same command goes on from there"
        )
    return {"seconds": round(time.perf_counter() - begin, 1), "mib": round(peak)}


def run_all(args: argparse.Namespace) -> None:
    """All stages, skipping those done with the same command. Raises MtcnnError."""
    make_folder(args.out)
    record = read_record(args.out)

    def write() -> None:
        with atomic_write(args.out / RECORD) as file:
            file.write(json.dumps(record, indent=2).encode())

    rows = stages(args)
    for index, stage in enumerate(rows):
        known = record.get(stage.name, {}).get("command", [])
        if _essence(known) == _essence(stage.command) and stage.made.exists():
            print(f"==> {stage.name}: done before, skipped", flush=True)
            continue
        later = rows[index:]
        dropped = [record.pop(other.name, None) for other in later]
        if any(dropped):  # they are of other input
            write()
            for other in later:
                (other.made.parent / "last.pt").unlink(missing_ok=True)
        figures = run(stage)
        record[stage.name] = {"command": stage.command, **figures}
        write()
    report(args, record)
    if args.install:
        install(args.out / MODEL)
    print(f"the model: {args.out / MODEL / MODEL_FILE}; the report: {args.out / 'report.md'}")


def _essence(command: Sequence[str]) -> list[str]:
    """The parts of a stage's command that its result depends on."""
    skipped = {i for i, word in enumerate(command) if word in ("--jobs", "--device")}
    skipped |= {i + 1 for i in skipped}
    return [word for i, word in enumerate(command) if i not in skipped]


def report(args: argparse.Namespace, record: dict) -> None:
    """Write OUT/report.md: stages, curves, samples, figures."""
    lines = [
        "# Training report",
        "",
        "| stage | minutes | peak memory, MiB |",
        "| --- | --- | --- |",
    ]
    for name, values in record.items():
        lines.append(f"| {name} | {values['seconds'] / 60:.1f} | {values['mib']} |")
    texts = {f"Samples {each.name}": f"{each.name}-data/report.txt" for each in ROUNDS}
    for title, file in (texts | {"Evaluation": "evaluation/results.txt"}).items():
        path = args.out / file
        if path.exists():
            lines += [
                "",
                f"## {title}",
                "",
                "```",
                read_bytes(path, OTHER).decode().rstrip(),
                "```",
            ]
    for each in ROUNDS:
        lines += ["", f"## Training of {each.name}", ""]
        lines += [f"![loss and accuracy]({each.name}/curves.png)"]
        lines += ["", f"![samples]({each.name}-data/samples.png)"]
    with atomic_write(args.out / "report.md") as report:
        report.write(("\n".join(lines) + "\n").encode())


def install(folder: Path) -> None:
    """Make the networks in `folder` the default model: darknet_cfg/'s weights and default.data.

    Raises
    ------
    MtcnnError
        If their cfgs are not those of darknet_cfg/, or a file is missing or bad: then nothing is
        changed.
    """
    settings, contents = read_data(DEFAULT_MODEL), {}
    for net in NETWORKS:
        ours = Network(read_cfg(DARKNET_CFG / f"{net}.cfg")).definition
        cfg, weights = folder / f"{net}.cfg", folder / f"{net}.weights"
        if Network(read_cfg(cfg)).definition != ours:
            raise ModelError(f"{cfg}: is another network than darknet_cfg/{net}.cfg")
        Network.from_darknet(cfg, weights)  # they fit
        contents[net] = read_bytes(weights)
    for net, content in contents.items():  # now that all are good
        with atomic_write(DARKNET_CFG / f"{net}.weights") as file:
            file.write(content)
    comments = ("The default model, of train_mtcnn/train_all.py --install; see MODEL_CARD.md.",)
    write_data(DEFAULT_MODEL, with_files_in(DARKNET_CFG, settings), comments)
    print(f"installed in {DARKNET_CFG}; build again (bash make_install.sh) to compile it in")


def _run(argv: Sequence[str] | None) -> int:
    parser = Parser("train_all.py", __doc__)
    add = parser.add_argument
    add("--wider", type=Path, required=True, metavar="DIR", help="WIDER FACE, unpacked")
    add("--landmarks", type=Path, metavar="DIR", help="CNN_FacePoint or CelebA, unpacked")
    add("--out", type=Path, default=Path("runs/mine"), metavar="DIR", help="default: runs/mine")
    add("--pictures", type=int, metavar="N", help="only N pictures, for a trial")
    add("--small", action="store_true", help="a few steps for each network, for a trial")
    add("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="default: all cores")
    add("--device", metavar="NAME", help="cpu or cuda; default: cuda if there")
    add(
        "--precision",
        choices=PRECISIONS,
        default=PRECISIONS[0],
        help="of the layers in training, see train.py; default: %(default)s",
    )
    add("--seed", type=int, default=0, metavar="N", help="default: 0")
    add("--install", action="store_true", help="make the result the default model")
    args = parser.parse_args(argv)
    if args.landmarks is None:
        raise ArgumentError("--landmarks: needed: ONet learns its five points from them")
    run_all(args)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of(
        "train_all.py", lambda: _run(argv), stopped="the same command goes on from here"
    )


if __name__ == "__main__":
    raise SystemExit(main())
