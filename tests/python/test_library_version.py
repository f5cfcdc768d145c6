"""A libmtcnn.so of another version than pymtcnn's is refused."""

from __future__ import annotations

import shutil
import subprocess
from types import SimpleNamespace

import pytest
from support.skips import missing

from pymtcnn import _library
from pymtcnn.errors import LibraryError


@pytest.fixture
def load(tmp_path, monkeypatch):
    """A function that loads a library whose only content is the given C text."""
    compiler = shutil.which("cc")
    if not compiler:
        missing("a C compiler")
    abi = SimpleNamespace(ffi=_library.core().ffi, __file__=str(tmp_path / "_mtcnn_abi.py"))
    monkeypatch.setattr(_library, "_abi", lambda: abi)

    def load(text: str) -> _library.Core:
        (tmp_path / "fake.c").write_text(text)
        command = [compiler, "-shared", "-fPIC", "fake.c", "-o", "libmtcnn.so"]
        subprocess.run(command, cwd=tmp_path, check=True)
        return _library.Core()

    return load


def version_of(text: str) -> str:
    return f'const char *mtcnn_version(void) {{ return "{text}"; }}'


def built_for() -> list[int]:
    lib = _library.core().lib
    return [getattr(lib, f"MTCNN_VERSION_{part}") for part in ("MAJOR", "MINOR", "PATCH")]


@pytest.mark.parametrize("minor", [-1, 1])
def test_another_minor_version_is_refused(load, tmp_path, minor):
    numbers = built_for()
    other = f"{numbers[0]}.{numbers[1] + minor}.0"
    with pytest.raises(LibraryError) as caught:
        load(version_of(other))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'libmtcnn.so'} has version {other}, but ")
    assert f"built for version {'.'.join(map(str, numbers))}; run 'bash make_install" in message


def test_a_library_without_a_version_is_refused(load):
    with pytest.raises(LibraryError, match="has version unknown"):
        load("int nothing;")


def test_another_patch_version_is_taken(load):
    major, minor, patch = built_for()
    assert load(version_of(f"{major}.{minor}.{patch + 1}")).lib
