"""docs/python.md and the docstrings of pymtcnn: their examples run, and give what they show."""

import doctest
import importlib
import inspect
import re
from pathlib import Path

import pytest

import pymtcnn

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((ROOT / "pymtcnn").rglob("*.py"))
    if path.name == "__init__.py" or not path.name.startswith("_")
]


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def run(test):
    """Run a doctest; its report fails the test."""
    lines = []
    failed, tried = doctest.DocTestRunner().run(test, out=lines.append, clear_globs=False)
    assert failed == 0, "".join(lines)
    return tried


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder that looks like the repository."""
    for name in ("tests", "darknet_cfg"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_page(folder):
    text = "\n".join(blocks("pycon"))
    test = doctest.DocTestParser().get_doctest(text, {}, "python.md", None, 0)
    assert run(test) > 30
    assert (folder / "faces.png").stat().st_size > 10000


def test_tables(folder, capsys):
    for name in ("pandas", "supervision"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    with pymtcnn.Detector() as detector:
        faces = detector.detect("tests/data/grace_hopper.jpg")
    (code,) = blocks("python")
    exec(code, {"faces": faces})
    printed = capsys.readouterr().out
    assert re.search(r"0 +1\d\d\.\d+ +0\.9", printed) and "[[1" in printed


def test_page_names_all_that_is_public():
    for name in pymtcnn.__all__:
        value = getattr(pymtcnn, name)
        if name in ("Options", "Face", "Stage"):  # what others return
            continue
        assert re.search(rf"\b{name}\b", PAGE), name
        if value is pymtcnn.Detector:
            for method, _ in inspect.getmembers(value, inspect.isfunction):
                assert method.startswith("_") or re.search(rf"\b{method}\b", PAGE), method


def test_links():
    for name in re.findall(r"\]\(([^)h#][^)#]*)", PAGE):
        assert (ROOT / "docs" / name).exists(), name


def test_docstrings(folder):
    tried = 0
    for name in MODULES:
        module = importlib.import_module(name)
        for test in doctest.DocTestFinder().find(module, name):
            tried += run(test) if test.examples else 0
    assert tried > 12
