"""torch2darknet.py without a SOURCE: the newest finished training, else the shipped checkpoints."""

import json
import os

import numpy as np
import pytest
from support.export_models import random_network

import pymtcnn
from convert import torch2darknet, trained_model
from pymtcnn.errors import FileError
from train_mtcnn.assemble import assemble
from train_mtcnn.network.checkpoint import load_checkpoint, save_checkpoint
from train_mtcnn.network.darknet import DARKNET_CFG, NETWORKS, read_cfg, read_data
from train_mtcnn.network.network_input import STOCK
from train_mtcnn.network.rewrite import with_batch_norm


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_run(folder, seed, age, finished=True):
    """The files of train_all.py: checkpoints, a model, the record of the stages."""
    checkpoints = [folder / f"{name}-long" / f"{name}.pt" for name in NETWORKS]
    for number, (path, name) in enumerate(zip(checkpoints, NETWORKS)):
        path.parent.mkdir(parents=True)
        cfg = with_batch_norm(read_cfg(DARKNET_CFG / f"{name}.cfg"))
        save_checkpoint(path, random_network(cfg, seed + number))
    model = assemble(checkpoints, folder / "model")
    os.utime(model, (1e9 - age, 1e9 - age))
    words = ["assemble.py", "--out", str(folder / "model"), *map(str, checkpoints)]
    stages = {"convert to model": {"command": words}} if finished else {"prepare pnet": {}}
    (folder / "stages.json").write_text(json.dumps(stages))


@pytest.mark.slow
def test_without_a_training_the_shipped_checkpoints(here, capsys, report_difference):
    assert torch2darknet.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" -> ")[2] for line in lines[:3]] == [
        f"runs/darknet/{name}.weights" for name in NETWORKS
    ]
    assert lines[-1] == "next: ./mtcnn --model runs/darknet/cascade.data picture.jpg"
    difference = float(lines[-2].split(": ")[1].split(",")[0])
    report_difference("C core, torch2darknet.py without a SOURCE", difference, 1e-5)
    assert 0 < difference <= 1e-5 and "at most 1e-05 is allowed" in lines[-2]
    data = read_data("runs/darknet/cascade.data")
    assert (data.mean, np.float32(data.norm)) == (STOCK.mean, np.float32(STOCK.norm))
    with pymtcnn.Detector("runs/darknet/cascade.data") as detector:
        assert len(detector.detect(DARKNET_CFG.parent / "tests/data/grace_hopper.jpg")) == 1
    assert torch2darknet.main([]) == 0  # repeated


@pytest.mark.slow
def test_the_newest_finished_training(here, capsys):
    write_run(here / "old", 0, age=20)
    write_run(here / "elsewhere", 3, age=10)
    write_run(here / "unfinished", 6, age=0, finished=False)
    (here / "runs/darknet").mkdir(parents=True)
    for name in ("old", "unfinished"):
        (here / name).rename(here / "runs" / name)
    (here / "elsewhere").rename(here / "runs/new")  # a folder that was moved since
    model = trained_model.newest_model(torch2darknet.RUNS)
    assert model.folder.name == "new"
    assert torch2darknet.main(["--dialect", "native"]) == 0
    out = capsys.readouterr().out
    assert "runs/new/onet-long/onet.pt -> runs/darknet/onet.weights" in out and "native" in out
    source = load_checkpoint(model.checkpoints["rnet"])
    written = np.fromfile("runs/darknet/rnet.weights", "<f4", offset=20)
    assert (written == source.weights(fold=True)).all()
    assert torch2darknet.main([]) == 1
    assert "would change; --force replaces them" in capsys.readouterr().err
    assert torch2darknet.main(["--force"]) == 0
    assert torch2darknet.main(["--out", "other"]) == 0
    assert (here / "other/cascade.data").is_file()


@pytest.mark.parametrize(
    "record",
    [
        [],
        {"convert to model": {"command": ["assemble.py", "--out", "x/model", "a/1", "b/2", "c/3"]}},
        {"convert to model": {"command": ["assemble.py", "--out", "x/model", 1, 2, 3]}},
    ],
)
def test_a_damaged_record(here, record):
    write_run(here / "runs/mine", 0, age=0)
    (here / "runs/mine/stages.json").write_text(json.dumps(record))
    with pytest.raises(FileError, match=r"mine/stages\.json: damaged .*; remove it"):
        trained_model.newest_model(torch2darknet.RUNS)


def test_what_computes_something_else_is_not_written(here, monkeypatch, capsys):
    written = torch2darknet.write_weights
    monkeypatch.setattr(torch2darknet, "write_weights", lambda path, w: written(path, 1.01 * w))
    assert torch2darknet.main([]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "not written: the C core's output is" in error
    assert not list(here.rglob("*.weights"))
