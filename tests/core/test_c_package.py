"""docs/examples/c, a project that uses the library, built in each way of docs/c-api.md."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import ROOT
from support.builds import build, configure, run, tool
from support.skips import missing

EXAMPLE = ROOT / "docs" / "examples" / "c"
HEADER = (ROOT / "csrc" / "include" / "mtcnn.h").read_text(encoding="utf-8")
MAJOR, MINOR, PATCH = map(int, re.findall(r"#define MTCNN_VERSION_[A-Z]+ (\d+)", HEADER))


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    """The folder that build/ was installed to, moved afterwards, as it must be relocatable."""
    if not (ROOT / "build" / "libmtcnn.a").is_file():
        missing("build/libmtcnn.a: run make_install.sh")
    folder = tmp_path_factory.mktemp("package")
    run(tool("cmake"), "--install", ROOT / "build", "--prefix", folder / "installed")
    return (folder / "installed").rename(folder / "moved")


@pytest.fixture(scope="module")
def finds_the_face():
    """A function that runs the example and checks what it prints."""
    picture = cv2.imread(str(ROOT / "tests" / "data" / "grace_hopper.jpg"))
    height, width = picture.shape[:2]
    ppm = b"P6 %d %d 255\n" % (width, height) + picture[..., ::-1].tobytes()

    def check(program: Path, **environment: str) -> None:
        done = subprocess.run(
            [program], input=ppm, capture_output=True, env=os.environ | environment, timeout=60
        )
        assert done.returncode == 0, done.stderr
        (line,) = done.stdout.decode().splitlines()
        box = np.array(line.split()[:4], float)
        assert np.abs(box - (175, 115, 350, 336)).max() < 40

    return check


def pkg_config(package: Path, *options: str) -> list[str]:
    (file,) = package.rglob("mtcnn.pc")
    path = os.environ | {"PKG_CONFIG_PATH": str(file.parent)}
    return run(tool("pkg-config"), *options, "mtcnn", env=path).split()


def test_the_example_is_that_of_the_page():
    page = (ROOT / "docs" / "c-api.md").read_text(encoding="utf-8")
    assert f"```c\n{(EXAMPLE / 'faces.c').read_text(encoding='utf-8')}```" in page
    lists = (EXAMPLE / "CMakeLists.txt").read_text(encoding="utf-8")
    (line,) = re.findall(r"find_package.*", lists)
    assert line == f"find_package(mtcnn {MAJOR}.{MINOR} REQUIRED)" and line in page


@pytest.mark.slow
@pytest.mark.parametrize("library", ["mtcnn::mtcnn", "mtcnn::mtcnn_static"])
def test_find_package(package, finds_the_face, tmp_path, library):
    configure(EXAMPLE, tmp_path, f"-DCMAKE_PREFIX_PATH={package}", f"-DMTCNN_LIBRARY={library}")
    build(tmp_path)
    finds_the_face(tmp_path / "faces")


@pytest.mark.slow
@pytest.mark.parametrize("minor, found", [(-1, 0), (0, 1), (1, 0)])
def test_find_package_takes_no_other_minor_version(package, tmp_path, minor, found):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.18)\nproject(versions LANGUAGES C)\n"
        f"find_package(mtcnn {MAJOR}.{MINOR + minor} QUIET)\n"
        'message(STATUS "found: ${mtcnn_FOUND} ${mtcnn_CONSIDERED_VERSIONS}")\n'
    )
    said = configure(tmp_path, tmp_path / "build", f"-DCMAKE_PREFIX_PATH={package}")
    assert f"found: {found} {MAJOR}.{MINOR}.{PATCH}" in said


def test_pkg_config(package, finds_the_face, tmp_path):
    assert pkg_config(package, "--modversion") == [f"{MAJOR}.{MINOR}.{PATCH}"]
    (folder,) = pkg_config(package, "--variable=libdir")
    flags = pkg_config(package, "--cflags", "--libs")
    run(tool("cc"), EXAMPLE / "faces.c", *flags, "-o", tmp_path / "faces")
    soname = f"libmtcnn.so.{MAJOR}.{MINOR}" if MAJOR == 0 else f"libmtcnn.so.{MAJOR}"
    assert soname.encode() + b"\0" in (tmp_path / "faces").read_bytes()
    finds_the_face(tmp_path / "faces", LD_LIBRARY_PATH=folder)


def test_pkg_config_static(package, finds_the_face, tmp_path):
    flags = pkg_config(package, "--static", "--cflags", "--libs")
    run(tool("cc"), "-static", EXAMPLE / "faces.c", *flags, "-o", tmp_path / "faces")
    assert b"libmtcnn.so" not in (tmp_path / "faces").read_bytes()
    finds_the_face(tmp_path / "faces")


@pytest.mark.slow
def test_add_subdirectory(finds_the_face, tmp_path):
    folder, prefix = tmp_path / "build", tmp_path / "installed"
    configure(EXAMPLE, folder, f"-DMTCNN_SOURCE={ROOT}", "-DMTCNN_LIBRARY=mtcnn::mtcnn_static")
    build(folder)
    finds_the_face(folder / "faces")

    # Only the linked library is built, and the project's settings are unchanged.
    assert [path.name for path in (folder / "mtcnn").glob("*mtcnn*")] == ["libmtcnn.a"]
    assert "CMAKE_BUILD_TYPE:STRING=\n" in (folder / "CMakeCache.txt").read_text()
    run(tool("cmake"), "--install", folder, "--prefix", prefix)
    assert not prefix.exists()
