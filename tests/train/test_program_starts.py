"""Programs without arguments, from any folder, and in a Python that has no packages."""

import os
import subprocess
import sys

import pytest
from support import ROOT

from train_mtcnn import detector

PROGRAMS = [
    path
    for folder in ("train_mtcnn", "convert", "docs/figures")
    for path in sorted((ROOT / folder).glob("*.py"))
    if "raise SystemExit(main())" in path.read_text()
]


def test_the_detector_alone_prints_its_usage(capsys):
    assert detector.main([]) == 2
    out, error = capsys.readouterr()
    assert out == "" and error.count("\n") == 3
    assert error.startswith("usage: python train_mtcnn/detector.py [OPTION ...] PICTURE ...\n")
    assert "for example: python train_mtcnn/detector.py tests/data/grace_hopper.jpg" in error


def run_bare(program, folder, **environment):
    """Run a program in a Python that sees no installed packages."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-S", program, "--help"],
        **{"cwd": folder, "env": kept | environment, "capture_output": True, "text": True},
    )


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_where_the_project_is_not_installed(program, tmp_path):
    done = run_bare(program, tmp_path)
    message = f"{program.name}: No module named 'train_mtcnn'; `bash make_install.sh` makes a .venv"
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(message)


def test_where_torch_is_not_installed(tmp_path):
    done = run_bare(ROOT / "train_mtcnn/detector.py", tmp_path, PYTHONPATH=str(ROOT))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(
        "detector.py: not installed: numpy, torch; `bash make_install.sh`"
    )


@pytest.mark.slow
@pytest.mark.parametrize("module", ["train_mtcnn.detector", "convert.describe"])
def test_modules_run_from_any_folder(module, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout.startswith("usage: ")
