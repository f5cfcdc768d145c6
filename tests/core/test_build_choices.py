"""What CMake's options leave out: the program says so, and what is left finds faces."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import HOPPER, ROOT
from support.builds import build, configure, tool

PARTS = ("CMakeLists.txt", "cmake", "csrc", "darknet_cfg", "pymtcnn", "tests/c", "tests/data")
LEAST = ("-DMTCNN_BLAS=OFF", "-DMTCNN_PROGRAM_PNG=OFF", "-DMTCNN_PROGRAM_FFMPEG=OFF")


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """The source in a folder whose path has what CMake takes for the start of a comment."""
    folder = tmp_path_factory.mktemp("source") / "C#"
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copyfile
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / part, folder / part)
    return folder


@pytest.fixture(scope="module")
def jpeg_alone(source) -> tuple[Path, str]:
    """A build without OpenBLAS, libpng and FFmpeg: its folder, and what CMake printed."""
    folder = source / "build"
    printed = configure(source, folder, "-DCMAKE_BUILD_TYPE=Debug", *LEAST)
    build(folder)
    return folder, printed


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """A folder with the same picture in three formats."""
    folder = tmp_path_factory.mktemp("pictures")
    picture = cv2.imread(str(HOPPER))
    for ending in ("png", "webp"):
        assert cv2.imwrite(str(folder / f"hopper.{ending}"), picture)
    shutil.copyfile(HOPPER, folder / "hopper.jpg")
    return folder


def start(build_folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    words = [str(build_folder / "mtcnn"), *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, timeout=60)


def found(line: str) -> np.ndarray:
    return np.array(line.split("\t")[1].split()[:4], float)


@pytest.mark.slow
def test_jpeg_alone(jpeg_alone, pictures, tmp_path):
    folder, printed = jpeg_alone
    lines = [line.split(None, 2)[1:] for line in printed.splitlines() if line.startswith("--   ")]
    summary = {words[0]: words[1] for words in lines}
    assert summary["libjpeg"] == "yes"
    assert summary["libpng"] == "no (MTCNN_PROGRAM_PNG=OFF)"
    assert summary["FFmpeg"] == "no (MTCNN_PROGRAM_FFMPEG=OFF)"
    assert summary["OpenBLAS"] == "no (MTCNN_BLAS=OFF)"
    assert ".TH" in (folder / "mtcnn.1").read_text()

    done = start(folder, "--crops", tmp_path / "crops", pictures / "hopper.jpg")
    assert (done.returncode, done.stderr) == (0, "")
    assert np.abs(found(done.stdout) - (175, 115, 350, 336)).max() < 40
    assert [path.name for path in (tmp_path / "crops").iterdir()] == ["hopper_0.jpg"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "ending, library, option", [("png", "libpng", "PNG"), ("webp", "FFmpeg", "FFMPEG")]
)
def test_formats_left_out(jpeg_alone, pictures, ending, library, option):
    done = start(jpeg_alone[0], pictures / f"hopper.{ending}")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert f"need {library}, without which it was built" in done.stderr
    assert f"-DMTCNN_PROGRAM_{option}=ON" in done.stderr


@pytest.mark.slow
def test_writing_a_format_left_out(jpeg_alone, pictures, tmp_path):
    done = start(jpeg_alone[0], "--out", tmp_path / "x.png", pictures / "hopper.jpg")
    assert (done.returncode, done.stdout) == (2, "")
    assert "must end in .jpg or .jpeg, as this mtcnn was built without libpng" in done.stderr
    done = start(jpeg_alone[0], "--out", tmp_path / "x.jpg", pictures / "hopper.jpg")
    assert done.returncode == 0 and cv2.imread(str(tmp_path / "x.jpg")) is not None


@pytest.mark.slow
def test_videos_left_out(jpeg_alone):
    done = start(jpeg_alone[0], "--video", "x.mp4")
    assert done.returncode == 2
    assert "built without FFmpeg" in done.stderr and "MTCNN_PROGRAM_FFMPEG=ON" in done.stderr


@pytest.mark.slow
def test_no_format_at_all(jpeg_alone, pictures):
    folder, _ = jpeg_alone
    configure(folder.parent, folder, "-DMTCNN_PROGRAM_JPEG=OFF")
    try:
        build(folder)
        done = start(folder, pictures / "hopper.jpg")
        assert (done.returncode, done.stdout) == (1, "")
        assert "need libjpeg, without which it was built" in done.stderr
    finally:
        configure(folder.parent, folder, "-DMTCNN_PROGRAM_JPEG=ON")
        build(folder)


@pytest.mark.slow
def test_the_wheel_in_such_a_folder(source):
    configure(source, source / "wheel", "-DSKBUILD=ON", f"-DPython_EXECUTABLE={sys.executable}")
    assert "mtcnn_detect" in (source / "wheel" / "pymtcnn" / "_mtcnn_abi.py").read_text()


@pytest.mark.parametrize("name", ["a;b", 'a"b', "a<b"])
def test_folders_that_cmake_cannot_take(tmp_path, name):
    command = [tool("cmake"), "-S", ROOT, "-B", tmp_path / name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    words = " ".join(done.stderr.split())
    assert done.returncode and "CMake cannot build in a folder whose path has" in words
    assert f"rename it: {tmp_path / name}" in words


@pytest.mark.slow
def test_other_values_are_refused(source, tmp_path):
    command = [tool("cmake"), "-S", source, "-B", tmp_path, "-DMTCNN_BLAS=perhaps"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode and "MTCNN_BLAS=perhaps: AUTO, ON or OFF" in done.stderr
