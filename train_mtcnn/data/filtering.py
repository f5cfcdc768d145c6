"""Rows of data that are left out, counted by the reason why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


def keep_usable(reasons: Mapping[str, NDArray[np.bool_]]) -> tuple[NDArray[np.bool_], Counter[str]]:
    """Which rows no reason speaks against, and how many are left out for each reason.

    Parameters
    ----------
    reasons
        Reason -> the rows that it applies to, [N]. A row counts for the first one that applies.

    Returns
    -------
    keep : [N] bool
    skipped
        Reason -> count, without zeros.
    """
    table = np.stack(list(reasons.values()))
    keep = ~np.any(table, 0)
    first = np.bincount(table.argmax(0)[~keep], minlength=len(reasons))
    return keep, Counter({why: int(count) for why, count in zip(reasons, first) if count})
