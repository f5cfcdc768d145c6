"""When a test is skipped, and the hooks that make that a failure under $MTCNN_NO_SKIP.

A machine may lack data, hardware, properties of its system, or peers (programs and packages that
results are compared with): that is `absent`. What the set-up installs but cannot be found is
`missing`: a program that was not built, a tool, a package. Then tests are also skipped, for work on
other parts; but if $MTCNN_NO_SKIP is set to something other than 0, as .ci/run does, they fail, and
so does every skip that does not come from `absent`, `absent_if` or `import_peer`.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from types import ModuleType
from typing import NoReturn

import pytest

PEERS = {
    "av": "PyAV",
    "facenet_pytorch": "facenet-pytorch",
    "mtcnn": "mtcnn 1.0",
    "sklearn": "scikit-learn",
    "supervision": "supervision",
}
"""Packages that no set-up installs: module -> name. Programs: Darknet ($DARKNET), Chromium."""

_ABSENT = "absent: "


def absent(what: str) -> NoReturn:
    """Skip the test: this machine lacks something that the set-up does not install."""
    pytest.skip(_ABSENT + what)


def absent_if(condition: bool, what: str) -> pytest.MarkDecorator:
    """The mark of a test that is skipped if `condition` holds, as `absent` does."""
    return pytest.mark.skipif(condition, reason=_ABSENT + what)


def import_peer(module: str) -> ModuleType:
    """One of PEERS; the test is skipped if it is absent."""
    return pytest.importorskip(module, reason=_ABSENT + PEERS[module], exc_type=ImportError)


def missing(what: str) -> NoReturn:
    """Skip the test: something of the set-up is missing. A failure under $MTCNN_NO_SKIP."""
    pytest.skip(f"missing: {what}")


def missing_if(condition: bool, what: str) -> pytest.MarkDecorator:
    """The mark of a test that is skipped if `condition` holds, as `missing` does."""
    return pytest.mark.skipif(condition, reason=f"missing: {what}")


# ---- hooks: conftest.py imports them -------------------------------------------------------------


def _check(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip that $MTCNN_NO_SKIP forbids into a failure."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    if os.environ.get("MTCNN_NO_SKIP", "0") in ("", "0"):
        return
    reason = str(report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if not reason.startswith(_ABSENT):
        report.outcome = "failed"
        report.longrepr = f"$MTCNN_NO_SKIP is set, and this would be left out: {reason}"


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, None, None]:
    outcome = yield
    _check(outcome.get_result())


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, None, None]:
    outcome = yield
    _check(outcome.get_result())
