"""docs/converting.md: its commands and its example run, and its figures are true."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "converting.md").read_text(encoding="utf-8")


def blocks(language):
    found = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [text for name, text in found if name == language]


@pytest.fixture
def needs_onnx():
    for name in ("onnx", "onnxruntime"):
        pytest.importorskip(name, reason=f"{name} is not installed: pip install '.[export]'")


@pytest.fixture
def run(tmp_path):
    """Runs a command in a folder that looks like the repository; returns its output."""
    for name in ("convert", "darknet_cfg", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)

    def run(command):
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command,
            shell=isinstance(command, str),
            cwd=tmp_path,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_commands_and_example(run, needs_onnx, default_model):
    commands = [line for line in "".join(blocks("sh")).splitlines() if "darknet_cfg/" in line]
    assert len(commands) == 3
    outputs = [run(command) for command in commands]
    assert outputs[0].count("from PyTorch at most") == 3
    (code,) = blocks("python")
    probability, *box = map(float, run([sys.executable, "-c", code]).split())
    assert probability > 0.9
    face = (175, 115, 350, 336)
    assert all(abs(found - true) < 40 for found, true in zip(box, face, strict=True))


def test_what_it_shows(run):
    text = run("python convert/describe.py darknet_cfg/pnet.cfg")
    (shown,) = blocks("")
    for line in shown.splitlines():
        assert line.removesuffix("...").rstrip() in text


def test_options_that_it_names_are_there(run, needs_onnx):
    help_of = {name: run(f"python convert/{name}.py --help") for name in ("torch2onnx", "describe")}
    for option in set(re.findall(r"(?<![-\w])--[a-z][a-z-]*", PAGE)):
        assert any(option in text for text in help_of.values()), option


def test_links():
    for name in re.findall(r"\]\(([^)h#][^)#]*)", PAGE):
        assert (ROOT / "docs" / name).exists(), name
