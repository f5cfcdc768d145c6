"""From raw data to a model: which stages are run, and the whole chain in miniature."""

import json
import shutil

import numpy as np
import pytest
from support.small_wider import write_small_sets

from pymtcnn import Detector, read_picture
from pymtcnn.errors import FileError, ModelError, WeightsError
from train_mtcnn import train_all as program
from train_mtcnn.assemble import assemble
from train_mtcnn.cascade.torch_detector import TorchDetector
from train_mtcnn.data.recall import best_overlaps
from train_mtcnn.data.wider import read_annotations
from train_mtcnn.network.checkpoint import save_checkpoint
from train_mtcnn.network.darknet import read_data
from train_mtcnn.network.networks import Network
from train_mtcnn.train_all import main
from train_mtcnn.training.history import read_history

# ---- which stages are run ------------------------------------------------------------------------


@pytest.fixture
def chain(tmp_path, monkeypatch, capsys):
    """A function: runs the chain with stages that write their files alone; returns their names."""
    broken = []  # the stage that breaks off

    def run(stage):
        ran.append(stage.name)
        stage.made.parent.mkdir(parents=True, exist_ok=True)
        if stage.command[0] == "train.py":
            last = stage.made.parent / "last.pt"
            fresh.append(not last.exists())
            last.write_text("")
        if stage.name in broken:
            raise KeyboardInterrupt
        stage.made.write_text("")
        return {"seconds": 1.0, "mib": 2}

    ran: list[str] = []
    fresh: list[bool] = []
    monkeypatch.setattr(program, "run", run)

    def call(options="", breaks=None):
        ran.clear()
        fresh.clear()
        broken[:] = [breaks]
        command = f"--wider {tmp_path}/wider --landmarks {tmp_path}/l --out {tmp_path}/out"
        status = main([*command.split(), *options.split()])
        assert status == (130 if breaks else 0)
        return list(ran), list(fresh)

    return call


ALL = [
    "prepare pnet",
    "train pnet",
    "convert to cascade-pnet",
    "prepare pnet-hard",
    "train pnet-hard",
    "convert to cascade-pnet-hard",
    "prepare rnet",
    "train rnet",
    "convert to cascade-rnet",
    "prepare rnet-hard",
    "train rnet-hard",
    "convert to cascade-rnet-hard",
    "prepare onet",
    "train onet",
    "convert to cascade-onet",
    "prepare onet-hard",
    "train onet-hard",
    "convert to cascade-onet-hard",
    "prepare rnet-long",
    "train rnet-long",
    "convert to cascade-rnet-long",
    "prepare onet-long",
    "train onet-long",
    "convert to model",
]


def test_stages_are_run_once(chain):
    first, _ = chain()
    assert first == ALL and len(set(ALL)) == len(ALL)  # a name for each in stages.json
    assert chain() == ([], [])


def test_a_break_is_gone_on_from(chain):
    assert chain(breaks="train rnet")[0][-1] == "train rnet"
    again, fresh = chain()
    assert again == ALL[ALL.index("train rnet") :]
    assert fresh == [False, True, True, True, True, True]  # the first one goes on


@pytest.mark.parametrize("options", ["--jobs 7", "--device cpu", "--jobs 3 --device cuda"])
def test_jobs_and_device_do_not_count(chain, options):
    chain()
    assert chain(options) == ([], [])


def test_other_options_start_anew(chain):
    first, _ = chain("--jobs 5 --seed 5")
    assert chain("--jobs 2 --seed 5") == ([], [])
    again, fresh = chain("--jobs 5 --seed 6")
    assert again == first and all(fresh)
    for options in ("--seed 6 --small", "--seed 6 --small --precision bfloat16"):
        again, fresh = chain(options)
        assert again == first[1:] and all(fresh)


def test_what_follows_from_other_input_is_not_taken_for_done(chain):
    """Also where that run is broken off before it comes to it."""
    first, _ = chain()
    chain("--seed 1", breaks="prepare rnet")
    again, fresh = chain("--seed 1")
    assert again == first[first.index("prepare rnet") :] and all(fresh)


def test_what_is_gone_is_made_again(chain, tmp_path):
    first, _ = chain()
    (tmp_path / "out/rnet-data/samples.json").unlink()
    again, fresh = chain()
    assert again == first[first.index("prepare rnet") :] and all(fresh)


def test_report(chain, tmp_path):
    chain()
    record = json.loads((tmp_path / "out/stages.json").read_text())
    assert record["train pnet"]["seconds"] == 1 and "--net" in record["train pnet"]["command"]
    text = (tmp_path / "out/report.md").read_text()
    assert "| train onet | 0.0 | 2 |" in text and "![loss and accuracy](rnet/curves.png)" in text


@pytest.mark.parametrize("text", ["{", "[]", '{"train pnet": 3}'])
def test_damaged_record(tmp_path, capsys, text):
    (tmp_path / "stages.json").write_text(text)
    assert main(["--wider", "w", "--landmarks", "l", "--out", str(tmp_path)]) == 1
    assert "stages.json: damaged" in capsys.readouterr().err


def test_landmarks_are_needed(tmp_path, capsys):
    assert main(["--wider", "w", "--out", str(tmp_path / "out")]) == 1
    assert "--landmarks: needed" in capsys.readouterr().err


def test_a_stage_that_fails_is_named(tmp_path, capfd):
    command = ["--wider", f"{tmp_path}/none", "--landmarks", "l", "--out", str(tmp_path / "out")]
    assert main(command) == 1
    error = capfd.readouterr().err
    assert "wider_face_train_bbx_gt.txt: cannot be read" in error
    assert "train_all.py: this stage failed: prepare pnet (exit status 1)" in error


# ---- the whole chain -----------------------------------------------------------------------------

PICTURES = 40


@pytest.mark.slow
def test_from_pictures_to_a_model(tmp_path, pictures, capfd):
    write_small_sets(tmp_path, pictures, PICTURES)
    out = tmp_path / "out"
    command = ["--wider", str(tmp_path / "wider"), "--landmarks", str(tmp_path / "landmarks")]
    command += ["--out", str(out), "--small", "--device", "cpu"]
    assert main(command) == 0
    stages = capfd.readouterr().out.count("==> ")
    assert stages == len(ALL)
    for each in program.ROUNDS:
        _, losses = read_history(out / each.name / "history.jsonl")["loss"]
        part = 0.6 if each.name == each.net else 0.9 if "hard" in each.name else 1
        assert losses[-1] < part * losses[0], (each.name, losses)

    assert main(command) == 0  # again: nothing is left to do
    assert capfd.readouterr().out.count(": done before, skipped") == stages

    model = out / "model/cascade.data"
    core, torch_ = Detector(model), TorchDetector(model)
    split = tmp_path / "wider/wider_face_split/wider_face_train_bbx_gt.txt"
    found, wrong, faces = 0, 0, 0
    for index, annotation in enumerate(read_annotations(split)):
        pixels = read_picture(tmp_path / "wider/WIDER_train/images" / annotation.path)
        result = core.detect(pixels)
        found += int((best_overlaps(annotation.boxes, result.boxes) >= 0.5).sum())
        wrong += int((best_overlaps(result.boxes, annotation.boxes) < 0.3).sum())
        faces += len(annotation.boxes)
        if index % 8 == 0:
            same = torch_.detect(pixels)
            assert len(same.boxes) == len(result.boxes)
            assert np.abs(same.boxes - result.boxes).max(initial=0) < 0.5
            assert np.abs(same.scores - result.scores).max(initial=0) < 1e-3
            assert np.abs(same.landmarks - result.landmarks).max(initial=0) < 0.5
    assert faces == 3 * PICTURES
    assert found > 0.8 * faces and wrong < 0.3 * faces, (found, wrong, faces)
    assert "train onet" in (out / "report.md").read_text()


def test_install(tmp_path, monkeypatch):
    """The weights go beside the cfgs, default.data names them and keeps its settings."""
    before = read_data(program.DEFAULT_MODEL)
    checkpoints = []
    for net in ("pnet", "rnet", "onet"):
        checkpoints.append(tmp_path / f"{net}.pt")
        save_checkpoint(checkpoints[-1], Network(program.DARKNET_CFG / f"{net}.cfg"))
    assemble(checkpoints, tmp_path / "model")
    folder = tmp_path / "darknet_cfg"
    shutil.copytree(program.DARKNET_CFG, folder, ignore=shutil.ignore_patterns("*-*", "training"))
    monkeypatch.setattr(program, "DARKNET_CFG", folder)
    monkeypatch.setattr(program, "DEFAULT_MODEL", folder / "default.data")
    program.install(tmp_path / "model")
    after = read_data(folder / "default.data")
    assert (after.thresholds, after.nms, after.min_face) == (
        *(before.thresholds, before.nms, before.min_face),
    )
    for net in ("pnet", "rnet", "onet"):
        assert after.weights[net] == folder / f"{net}.weights"
        made = (tmp_path / "model" / f"{net}.weights").read_bytes()
        assert after.weights[net].read_bytes() == made
    before = (folder / "pnet.weights").read_bytes()
    for name, error in (("pnet", WeightsError), ("onet", FileError)):
        weights = tmp_path / "model" / f"{name}.weights"
        weights.write_bytes(b"\0" * 20) if name == "pnet" else weights.unlink()
        with pytest.raises(error, match=rf"model/{name}\.weights"):
            program.install(tmp_path / "model")
        assemble(checkpoints, tmp_path / "model")
    assert (folder / "pnet.weights").read_bytes() == before
    (tmp_path / "model/onet.cfg").write_text((folder / "rnet.cfg").read_text())
    with pytest.raises(ModelError, match=r"onet\.cfg: is another network"):
        program.install(tmp_path / "model")
