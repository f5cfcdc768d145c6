"""Wrong usage of the Python programs: one line that names the option and the remedy, status 2."""

from importlib import import_module

import pytest

PROGRAMS = {
    "bench.cold_start": [[], ["a.png", "--runs", "0"]],
    "bench.folder": [[], ["a", "--runs", "0"]],
    "bench.peers": [[], ["a.png", "--sizes", "640"]],
    "bench.scaling": [[], ["a.png", "--output", "a.txt"]],
    "convert.darknet2torch": [[], ["a.data"], ["a.weights", "--dialect", "other"]],
    "convert.describe": [[], ["a.cfg", "--size", "640"], ["a.cfg", "--size", "0x4"]],
    "convert.import_pretrained": [[], ["other"], ["caffe"], ["mtcnn-sysu"], ["pytorch"]],
    "convert.torch2darknet": [["a.data"], ["--cfg", "x"], ["a.pt", "--dialect", "other"]],
    "convert.torch2onnx": [[], ["a.pt", "--norm", "0"], ["a.pt", "--mean", "x"]],
    "train_mtcnn.assemble": [[], ["a.pt"], ["--out", "x", "a", "b", "c", "d"]],
    "train_mtcnn.evaluate": [[], ["--data", "x", "--jobs", "0"]],
    "train_mtcnn.prepare_data": [[], ["--net", "qnet"], ["--net", "pnet"]],
    "train_mtcnn.report": [[], ["a"]],
    "train_mtcnn.show": [[], ["a.jpg", "--net", "qnet"], ["a.jpg", "--out", "a.jpg"]],
    "train_mtcnn.train": [[], ["--net", "qnet"]],
    "train_mtcnn.train_all": [[], ["--wider", "x", "--jobs", "y"]],
}


@pytest.mark.parametrize("module", PROGRAMS)
def test_wrong_usage(module, capsys):
    program = import_module(module)
    for words in (*PROGRAMS[module], ["--nonsense", "1"]):
        try:
            status = program.main(words)
        except SystemExit as stop:
            status = stop.code
        out, err = capsys.readouterr()
        name = module.rpartition(".")[2] + ".py"
        assert status == 2 and not out
        assert err.startswith(name) and err.endswith("; try --help\n") and err.count("\n") == 1
