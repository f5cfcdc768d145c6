"""$MTCNN_NO_SKIP: tests are skipped only for what a machine may lack, and only by the helpers."""

import os
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from support import PYTHON_PATH, ROOT

CONFTEST = "from support.skips import pytest_make_collect_report, pytest_runtest_makereport\n"
IMPORTS = "import pytest\nimport support.skips as s\n"
ALLOWED = {
    "absent": "def test(): s.absent('a camera')",
    "absent_if": "@s.absent_if(True, 'a camera')\ndef test(): pass",
    "peer": "s.PEERS['no_such'] = 'x'\ndef test(): s.import_peer('no_such')",
    "xfail": "@pytest.mark.xfail\ndef test(): assert 0",
}
FORBIDDEN = {
    "missing": "def test(): s.missing('the program')",
    "missing_if": "@s.missing_if(True, 'a tool')\ndef test(): pass",
    "fixture": "@pytest.fixture\ndef made(): s.missing('it')\ndef test(made): pass",
    "skip": "def test(): pytest.skip('no reason')",
    "importorskip": "pytest.importorskip('no_such')\ndef test(): pass",
}


@pytest.mark.slow
@pytest.mark.parametrize("setting, failing", [("1", set(FORBIDDEN)), ("0", set()), ("", set())])
def test_what_may_be_skipped(tmp_path, setting, failing):
    (tmp_path / "conftest.py").write_text(CONFTEST)
    for name, text in (ALLOWED | FORBIDDEN).items():
        (tmp_path / f"test_{name}.py").write_text(f"{IMPORTS}{text}\n")
    report = tmp_path / "report.xml"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--continue-on-collection-errors", "--junitxml", report],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": PYTHON_PATH, "MTCNN_NO_SKIP": setting},
        capture_output=True,
        text=True,
    )
    assert (done.returncode == 0) == (not failing), done.stdout
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')} {case.get('name')}".split("test_")[1].split()[0]
        found[name] = {outcome.tag for outcome in case}
    assert set(found) == set(ALLOWED | FORBIDDEN)
    assert {name for name, tags in found.items() if tags & {"failure", "error"}} == failing
    assert all("skipped" in tags for name, tags in found.items() if name not in failing)


def test_only_the_helpers_skip():
    places = [ROOT / "tests" / "repository" / "test_skips.py", ROOT / "tests/support/skips.py"]
    for path in sorted(set((ROOT / "tests").rglob("*.py")) - set(places)):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"pytest\.(mark\.)?(skip|skipif|importorskip)\(", text), path
