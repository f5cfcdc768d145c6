"""The examples in pymtcnn's docstrings run, with the output that they show."""

from __future__ import annotations

import doctest
import importlib

from support import ROOT
from support.examples import run_examples

MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((ROOT / "pymtcnn").rglob("*.py"))
    if path.name == "__init__.py" or not path.name.startswith("_")
]


def test_docstrings(tmp_path, monkeypatch, film):
    for name in ("tests", "darknet_cfg"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "video.mp4").symlink_to(film)
    monkeypatch.chdir(tmp_path)
    tried = 0
    for name in MODULES:
        module = importlib.import_module(name)
        for test in doctest.DocTestFinder().find(module, name):
            tried += run_examples(test)
    assert tried > 12
