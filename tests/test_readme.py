"""README's code runs as it stands there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_python(default_model, tmp_path):
    (code,) = blocks("python")
    pictures = tmp_path / "tests" / "data"
    pictures.mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "data" / "grace_hopper.jpg", pictures)
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert re.search(r"\[\[17\d\.", result.stdout)
    assert (tmp_path / "faces.png").stat().st_size > 10000


def test_c(default_model, tmp_path):
    (code,) = blocks("c")
    (command,) = [line for block in blocks("sh") for line in block.splitlines() if "cc " in line]
    if not (ROOT / "build" / "libmtcnn.a").is_file():
        pytest.skip("build/libmtcnn.a is not there: run make_install.sh")
    (tmp_path / "faces.c").write_text(code)
    for name in ("csrc", "build"):
        (tmp_path / name).symlink_to(ROOT / name)
    words = [*shlex.split(command), "-Wall", "-Wextra", "-Werror"]
    result = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    result = subprocess.run([tmp_path / "faces"], capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stdout) == (0, "0 faces\n"), result.stderr


def test_programs_that_it_names_are_there():
    for name in re.findall(r"python ([a-z_0-9/]+\.py)", README):
        assert (ROOT / name).is_file(), name
    for name in re.findall(r"\]\(([^)h][^)]*)\)", README):
        assert (ROOT / name).exists(), name
