"""Examples as typed into Python, `>>>`, in docstrings and pages."""

from __future__ import annotations

import doctest

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def run_examples(test: doctest.DocTest) -> int:
    """Run examples, each of which must give the output that it shows; returns their number.

    The names that they define are then in `test.globs`.
    """
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
    failed, tried = runner.run(test, out=report.append, clear_globs=False)
    assert failed == 0, "".join(report)
    return tried
