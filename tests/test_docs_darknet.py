"""The example of docs/darknet.md runs as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from convert.torch2darknet import convert_model
from train_mtcnn.darknet import DEFAULT_MODEL

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "darknet.md").read_text(encoding="utf-8")


def test_opencv_example(tmp_path):
    if not hasattr(cv2.dnn, "readNetFromDarknet"):
        pytest.skip("OpenCV 5 reads no Darknet files")
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    convert_model(DEFAULT_MODEL, tmp_path / "runs" / "stock")
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    pnet, onet = (float(v) for v in re.findall(r"Net: (\d\.\d+)", result.stdout))
    assert pnet > 0.9 and onet > 0.9
    points = [[float(v) for v in pair] for pair in re.findall(r"(\d+)\. (\d+)\.", result.stdout)]
    known = [(222, 194), (306, 190), (270, 234), (231, 276), (306, 272)]  # ./mtcnn's
    assert len(points) == 5
    for (x, y), (known_x, known_y) in zip(points, known):
        assert abs(x - known_x) < 6 and abs(y - known_y) < 6


def test_programs_and_files_that_it_names_are_there():
    for name in re.findall(r"python ([a-z_0-9/]+\.py)", PAGE):
        assert (ROOT / name).is_file(), name
    for name in re.findall(r"\]\(([^)h#][^)#]*)", PAGE):
        assert (ROOT / "docs" / name).exists(), name
