"""Training one network: it learns, resumes without a difference, and runs in several processes."""

import json
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
import torch
from support import ROOT
from support.skips import absent_if, missing
from support.small_wider import write_small_sets

from pymtcnn.errors import ArgumentError, MtcnnError
from train_mtcnn.data.picture_samples import SampleSettings
from train_mtcnn.data.preparation import prepare
from train_mtcnn.data.samples import LABEL, Kind, Samples, SampleWriter
from train_mtcnn.network.checkpoint import load_checkpoint
from train_mtcnn.network.darknet import DARKNET_CFG
from train_mtcnn.train import main, make_network
from train_mtcnn.training import trainer as trainer_module
from train_mtcnn.training.history import read_history
from train_mtcnn.training.hyperparameters import Hyperparameters, learning_rate
from train_mtcnn.training.losses import task_losses
from train_mtcnn.training.parallel import Team
from train_mtcnn.training.trainer import Trainer

SHORT = "--epochs 2 --steps 4 --batch 24 --warmup 0.5 --average 0.5 --threads 1 --device cpu"


@pytest.fixture(scope="module")
def data(tmp_path_factory, pictures):
    """PNet's samples of a small set."""
    folder = tmp_path_factory.mktemp("train")
    write_small_sets(folder, pictures, 10)
    prepare(folder / "data", SampleSettings("pnet", held=0.3), folder / "wider")
    return folder / "data"


def noise_samples(folder, side, kinds=tuple(Kind), count=40):
    """Samples of noise."""
    rng = np.random.default_rng(0)
    labels = np.zeros(count * len(kinds), LABEL)
    labels["kind"] = np.repeat(kinds, count)
    labels["offsets"] = rng.normal(0, 0.1, labels["offsets"].shape)
    labels["landmarks"] = rng.random(labels["landmarks"].shape)
    labels["held"] = np.arange(len(labels)) % 4 == 0
    writer = SampleWriter(folder, side, {"net": "noise", "kinds": kinds})
    writer.commit(rng.integers(0, 256, (len(labels), side, side, 3), np.uint8), labels)
    writer.finish({})
    return folder


def train(data, out, options="", net="pnet"):
    status = main(f"--net {net} --data {data} --out {out} {SHORT} {options}".split())
    return status


def state(path):
    return load_checkpoint(path).state_dict()


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


# ---- learning ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_losses_fall(data, tmp_path, capsys):
    options = "--epochs 4 --steps 25 --batch 64 --rate 5e-3 --average 0.9"
    assert train(data, tmp_path, options) == 0
    out = capsys.readouterr().out
    assert "epoch   4" in out and f"written to {tmp_path}/" in out
    history = read_history(tmp_path / "history.jsonl")
    for name in ("loss", "face", "box", "val_loss", "val_face"):
        epochs, values = history[name]
        assert epochs.tolist() == [1, 2, 3, 4]
        assert values[-1] < 0.6 * values[0], name
    assert history["val_recall"][1][-1] > 0.7
    assert "landmarks" not in history
    assert (tmp_path / "curves.png").stat().st_size > 1000
    network = load_checkpoint(tmp_path / "pnet.pt")
    assert any("scales" in name for name in network.state_dict())


@pytest.mark.slow
@pytest.mark.parametrize("net, side", [("rnet", 24), ("onet", 48)])
@pytest.mark.parametrize("options", ["", "--no-batch-norm", "--prelu", "--keep 0.7"])
def test_other_networks_and_options(tmp_path, net, side, options):
    data = noise_samples(tmp_path / "data", side)
    assert train(data, tmp_path / "out", options, net) == 0
    history = read_history(tmp_path / "out/history.jsonl")
    assert ("landmarks" in history) == ("val_landmark_error" in history) == (net == "onet")
    names = state(tmp_path / f"out/{net}.pt")
    assert any("scales" in name for name in names) == ("norm" not in options)
    assert any("slopes" in name for name in names) == ("prelu" in options)


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_bfloat16(tmp_path):
    """Layers compute in it, weights and what is saved stay in float32, losses are the same."""
    data = noise_samples(tmp_path / "data", 48)
    losses = {}
    for precision in ("float32", "auto", "bfloat16"):
        out = tmp_path / precision
        assert train(data, out, f"--precision {precision}", "onet") == 0
        assert all(value.dtype == torch.float32 for value in state(out / "onet.pt").values())
        losses[precision] = read_history(out / "history.jsonl")["loss"][1]
    assert (losses["auto"] == losses["float32"]).all()
    assert (losses["bfloat16"] != losses["float32"]).all()
    assert np.abs(losses["bfloat16"] / losses["float32"] - 1).max() < 0.02


@pytest.mark.slow
def test_validation_is_a_mean_over_what_teaches(tmp_path):
    """Also if the samples of a kind are far apart: more than one batch of 512."""
    data = noise_samples(tmp_path / "data", 48, count=600)
    settings = Hyperparameters("onet", batch=24)
    with Team("cpu") as team:
        samples = Samples(data)
        network = make_network(settings, None, None)
        trainer = Trainer(settings, network, samples, tmp_path, team)
        found = trainer.validate()
        held = np.flatnonzero(samples.labels["held"])
        assert len(held) > 512
        pixels, targets = trainer.source.take(held)
        with torch.inference_mode():
            output = trainer.averaged()((pixels - 127.5) / 128, logits=True).flatten(1)
            losses = task_losses(output, targets)
    for task, value in losses.items():
        assert found[f"val_{task}"] == pytest.approx(float(value), rel=1e-4), task
    total = sum(w * float(losses[t]) for w, t in zip(settings.weights, losses))
    assert found["val_loss"] == pytest.approx(total, rel=1e-4)


@pytest.mark.slow
def test_validation_ignores_what_is_not_held_out(tmp_path):
    data = noise_samples(tmp_path / "data", 48)
    samples = Samples(data)
    samples.labels["held"] &= samples.labels["kind"] == Kind.LANDMARK
    settings = Hyperparameters("onet", batch=24)
    with Team("cpu") as team:
        network = make_network(settings, None, None)
        found = Trainer(settings, network, samples, tmp_path, team).validate()
        assert set(found) == {"val_landmarks", "val_landmark_error", "val_loss"}
        samples.labels["held"] = False
        assert Trainer(settings, network, samples, tmp_path, team).validate() == {}


@pytest.mark.slow
def test_fine_tuning_starts_from_what_it_loads(data, tmp_path):
    assert train(data, tmp_path / "a") == 0
    options = f"--load {tmp_path}/a/pnet.pt --rate 1e-12 --decay 0 --epochs 1 --warmup 0"
    for more in ("", f" --cfg {DARKNET_CFG / 'pnet.cfg'}"):
        assert train(data, tmp_path / f"b{len(more)}", options + more) == 0
        tuned, first = (state(tmp_path / d / "pnet.pt") for d in (f"b{len(more)}", "a"))
        for name in first:
            if name.endswith(("weights", "biases", "scales")):
                assert torch.allclose(tuned[name], first[name], atol=1e-6), name


def test_learning_rates():
    settings = Hyperparameters("pnet", epochs=10, rate=0.1, warmup=1)
    rates = [learning_rate(settings, epoch / 10) for epoch in range(101)]
    assert rates[0] == pytest.approx(0.001) and rates[5] == pytest.approx(0.05)
    assert max(rates) == rates[10] == pytest.approx(0.1)
    assert (np.diff(rates[10:]) <= 0).all() and rates[-1] == pytest.approx(0.0005)
    step = Hyperparameters("pnet", epochs=10, rate=0.1, warmup=0, schedule="step")
    assert [learning_rate(step, epoch) for epoch in (0, 6, 6.1, 8.5, 8.6)] == pytest.approx(
        [0.1, 0.1, 0.01, 0.01, 0.001]
    )


# ---- resuming ------------------------------------------------------------------------------------


class Broken(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("breaks", ["in an epoch", "before last.pt"])
def test_resumed_equals_uninterrupted(data, tmp_path, monkeypatch, breaks):
    assert train(data, tmp_path / "whole", "--epochs 3") == 0
    calls = []

    def second(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise Broken
        return original(*args, **kwargs)

    name = "train_epoch" if breaks == "in an epoch" else "save"
    original = getattr(Trainer, name)
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, name, second)
        patch.setattr(Trainer, name, lambda self, *a: second(self, *a))
        with pytest.raises(Broken):
            train(data, tmp_path / "broken", "--epochs 3 --resume")
    assert train(data, tmp_path / "broken", "--epochs 3 --resume") == 0
    for file in ("pnet.pt", "last.pt"):
        one, other = (
            torch.load(tmp_path / run / file, weights_only=True) for run in ("whole", "broken")
        )
        assert equal(one["state_dict"], other["state_dict"])
    rows = [
        [json.loads(line) for line in (tmp_path / run / "history.jsonl").read_text().splitlines()]
        for run in ("whole", "broken")
    ]
    assert len(rows[0]) == 3
    for row in [*rows[0], *rows[1]]:
        del row["samples_per_second"]
    assert rows[0] == rows[1]


@pytest.mark.slow
def test_a_finished_training_is_left_unchanged(data, tmp_path):
    assert train(data, tmp_path) == 0
    before = (tmp_path / "pnet.pt").read_bytes()
    assert train(data, tmp_path, "--resume") == 0
    assert (tmp_path / "pnet.pt").read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "options, message",
    [
        ("--rate 1e-3", r"other settings \(rate\); give the same ones, or another --out"),
        ("--batch 32 --seed 3", r"other settings \(batch, seed\)"),
        ("--flip 0", r"other settings \(augmentation\)"),
        ("--precision bfloat16", r"other settings \(precision\)"),
        ("--cfg {cfg}", r"is of another network than .*small\.cfg; give the same --cfg"),
    ],
)
def test_resume_with_other_settings(data, tmp_path, capsys, options, message):
    assert train(data, tmp_path / "out") == 0
    cfg = tmp_path / "small.cfg"
    text = (DARKNET_CFG / "pnet.cfg").read_text()
    cfg.write_text(text.replace("filters=16", "filters=8"))
    check_refused(capsys, data, tmp_path / "out", f"--resume {options.format(cfg=cfg)}", message)


def check_refused(capsys, data, out, options, message, net="pnet"):
    """The training ends with one line."""
    import re

    capsys.readouterr()
    assert train(data, out, options, net) == 1
    error = capsys.readouterr().err
    assert error.startswith("train.py: ") and error.count("\n") == 1
    assert re.search(message, error), error


@pytest.mark.slow
def test_resume_with_other_samples(data, tmp_path, capsys):
    assert train(data, tmp_path / "out") == 0
    other = noise_samples(tmp_path / "noise", 12)
    check_refused(capsys, other, tmp_path / "out", "--resume", "was made with other samples")


@pytest.mark.slow
@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "not a whole PyTorch file"),
        ({"epoch": 1}, "is no state of a training"),
        ({"settings": [1]}, "is no state of a training"),
    ],
)
def test_resume_from_a_damaged_file(data, tmp_path, capsys, content, message):
    if isinstance(content, bytes):
        (tmp_path / "last.pt").write_bytes(content)
    else:
        torch.save(content, tmp_path / "last.pt")
    check_refused(capsys, data, tmp_path, "--resume", message)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.5, 0.667])  # PyTorch's own writer fails in two ways
def test_a_full_disk(data, tmp_path, capsys, share):
    """The state of the last epoch that fitted stays, and training resumes from it."""
    assert train(data, tmp_path) == 0
    before = (tmp_path / "last.pt").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * len(before)), limits[1]))
    try:
        check_refused(capsys, data, tmp_path, "--resume --epochs 3", "/last.pt: .*too large")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "last.pt").read_bytes() == before
    assert not list(tmp_path.glob(".*.tmp*"))
    assert train(data, tmp_path, "--resume --epochs 3") == 0


# ---- what is refused -----------------------------------------------------------------------------


def test_samples_of_another_network(data, tmp_path, capsys):
    check_refused(
        capsys,
        data,
        tmp_path,
        "",
        "the samples are 12 pixels wide, .*rnet.cfg takes 24: they were prepared for another",
        "rnet",
    )


@pytest.mark.slow
def test_no_samples(tmp_path, capsys):
    check_refused(capsys, tmp_path / "none", tmp_path / "out", "", "no finished samples there")
    few = noise_samples(tmp_path / "few", 12, (Kind.NEGATIVE,))
    check_refused(capsys, few, tmp_path / "out", "", "must be positive and negative samples")


@pytest.mark.slow
def test_landmarks_without_samples(tmp_path, capsys):
    data = noise_samples(tmp_path / "data", 48, (Kind.NEGATIVE, Kind.POSITIVE, Kind.PART))
    message = "gives landmarks, of which there are no samples: prepare them with --landmarks"
    check_refused(capsys, data, tmp_path / "out", "", message, "onet")
    assert train(data, tmp_path / "out", "--ratios 1 3 1 0", "onet") == 0


@pytest.mark.slow
def test_load_of_other_shapes(data, tmp_path, capsys):
    cfg = tmp_path / "small.cfg"
    text = (DARKNET_CFG / "pnet.cfg").read_text()
    cfg.write_text(text.replace("filters=16", "filters=8"))
    assert train(data, tmp_path / "small", f"--cfg {cfg}") == 0
    load = f"--load {tmp_path}/small/pnet.pt"
    shapes = r"pnet\.pt: layers\.2\.biases is \[8\], .*pnet\.cfg has \[16\]"
    options = f"{load} --cfg {DARKNET_CFG / 'pnet.cfg'}"
    check_refused(capsys, data, tmp_path / "out", options, shapes)
    assert not (tmp_path / "out").exists()
    rnet = noise_samples(tmp_path / "r", 24)
    check_refused(capsys, rnet, tmp_path / "out", load, "takes 12", "rnet")
    for option in ("--prelu", "--no-batch-norm"):
        message = "the network is the checkpoint's"
        check_refused(capsys, data, tmp_path / "out", f"{load} {option}", message)
    check_refused(capsys, data, tmp_path / "out", f"--load {tmp_path}/none.pt", "cannot be read")


@absent_if(torch.cuda.is_available(), "a machine without a GPU")
@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_no_gpu(data, tmp_path, capsys, device):
    message = f"--device {device}: there is no GPU that PyTorch can use; try cpu"
    check_refused(capsys, data, tmp_path, f"--device {device}", message)


@pytest.mark.parametrize("device", ["meta", "gpu", "cuda:x"])
def test_invalid_devices(device):
    with pytest.raises(ArgumentError, match=f"--device {device}: "):
        Team(device)


def test_each_process_has_its_gpu(monkeypatch):
    chosen = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    for rank in (0, 1):
        monkeypatch.setenv("LOCAL_RANK", str(rank))
        assert Team().device == Team("cuda").device == torch.device("cuda", rank)
        assert Team("cuda:1").device == chosen[-1] == torch.device("cuda:1")
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(ArgumentError, match="--device cuda: there are 2 GPUs"):
        Team("cuda")


def test_a_loss_that_is_not_a_number(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(trainer_module, "_normalised", lambda pixels: pixels * float("nan"))
    message = r"the loss is nan in epoch 1; train again with a --rate lower than 0\.002"
    check_refused(capsys, data, tmp_path, "", message)
    assert not (tmp_path / "pnet.pt").exists()


@pytest.mark.parametrize(
    "options",
    [
        "--epochs 0",
        "--steps -1",
        "--batch -1",
        "--batch 2",
        "--rate nan",
        "--keep 0",
        "--average 1",
        "--ratios 1 -1 1 1",
        "--ratios 1 inf 1 1",
        "--ratios 0 1 1 1",
        "--weights 1 nan 1",
        "--flip 1.5",
        "--scale 0.6",
        "--seed -1",
        "--threads -1",
    ],
)
def test_options_out_of_range(data, tmp_path, capsys, options):
    check_refused(capsys, data, tmp_path / "out", options, "")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_any_seed(data, tmp_path):
    assert train(data, tmp_path, f"--epochs 1 --seed {2**32 - 1}") == 0


def test_a_folder_that_cannot_be_made(data, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    check_refused(capsys, data, tmp_path / "file/out", "", "cannot be made")


# ---- several processes ---------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("net, side, batch", [("pnet", 12, 24), ("onet", 48, 26)])
def test_two_processes_train_as_one(tmp_path, net, side, batch):
    """Also if the counts of the kinds are odd: 26 samples are 5, 13, 4 and 4."""
    if not torch.distributed.is_available():
        missing("torch.distributed")
    data = noise_samples(tmp_path / "data", side)
    options = f"{SHORT} --batch {batch} --no-batch-norm --epochs 3"
    launch = {
        "one": [],
        "two": ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"],
    }
    for name, words in launch.items():
        command = [sys.executable, *words, str(ROOT / "train_mtcnn/train.py"), "--net", net]
        command += ["--data", str(data), "--out", str(tmp_path / name), *options.split()]
        made = subprocess.run(
            command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
        )
        assert made.returncode == 0, made.stderr
    one, two = (read_history(tmp_path / name / "history.jsonl") for name in launch)
    for key in one.keys() - {"samples_per_second"}:
        assert np.abs(one[key] - two[key]).max() < 1e-4, key
    assert ("landmarks" in one) == (net == "onet")
    first, second = (state(tmp_path / name / f"{net}.pt") for name in launch)
    assert all((first[key] - second[key]).abs().max() < 1e-4 for key in first)


def test_a_batch_that_cannot_be_shared(data, tmp_path):
    with Team("cpu") as team:
        team.size = 5
        samples, settings = Samples(data), Hyperparameters("pnet", batch=24)
        with pytest.raises(MtcnnError, match="a batch of 24 cannot be shared by 5 processes"):
            Trainer(settings, make_network(settings, None, None), samples, tmp_path, team)
        team.size = 1
