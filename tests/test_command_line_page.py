"""docs/python-command-line.md: its commands leave the files that it tells of, videos included."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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
