"""Settings that belong to the whole process, changed for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .locks import Lock


class Held:
    """A context in which a setting has another value, in any number of threads.

    The last thread to leave it restores what was there before the first one.

    Parameters
    ----------
    swap : callable
        Takes a value, sets it, and returns the one before.
    value : object
    """

    def __init__(self, swap: Callable[[Any], Any], value: Any) -> None:
        self._swap = swap
        self._value = value
        self._lock = Lock()
        self._inside = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._before = self._swap(self._value)
            self._inside += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._swap(self._before)
