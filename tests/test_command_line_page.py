"""docs/python-command-line.md: its commands run, and its options and links are there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pymtcnn.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "python-command-line.md").read_text(encoding="utf-8")


@pytest.fixture
def shell(tmp_path, film):
    """Runs a line in a folder with the bundled pictures and a film."""
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    (tmp_path / "VIDEO.mp4").symlink_to(film)

    def shell(line):
        function = f'pymtcnn() {{ "{sys.executable}" -m pymtcnn "$@"; }}\n'
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            ["bash", "-e", "-c", function + line],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), line
        return done.stdout

    return shell


def test_commands(shell, default_model, tmp_path, monkeypatch):
    monkeypatch.setenv("MTCNN_MODEL", str(default_model))
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            output = shell(line)
            assert output or "--save" in line or ">" in line, line
    files = {path.name for path in tmp_path.iterdir()}
    assert files >= {"faces.csv", "faces.jsonl", "table.csv", "annotated.mp4", "faces.txt"}
    assert len(list((tmp_path / "faces").iterdir())) == 2
    assert len((tmp_path / "table.csv").read_text().splitlines()) == 3


def test_options_and_links_that_it_names_are_there(shell):
    known = "".join(shell(f"pymtcnn {name} --help") for name in COMMANDS)
    for option in set(re.findall(r"(?<![-\w])--[a-z][a-z-]*", PAGE)) - {"--stage", "--video"}:
        assert option in known, option
    for name in re.findall(r"\]\(([^)h#][^)#]*)", PAGE):
        assert (ROOT / "docs" / name).exists(), name
    for name in re.findall(r"^\| `pymtcnn (\w+)", PAGE, re.MULTILINE):
        assert name in COMMANDS or name == "detect", name
