"""Many tasks in several processes: an error or a crashed process costs one task."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any

from ..errors import CfgWarning, MtcnnError, OutOfMemoryError

Task = Any
Result = Any
Work = Callable[[Task], Result]
Outcomes = Generator[tuple[Task, Result], None, None]

_AHEAD = 4
"""Tasks per process that are submitted before the first result is taken."""


def outcomes(make: Callable[[], Work], tasks: Iterable[Task], jobs: int) -> Outcomes:
    """Do all tasks; yields each with its result, or the error that it raised, in their order.

    Parameters
    ----------
    make : callable
        Makes the function that does one task; called once in each process, so that it can be
        pickled where there is more than one.
    tasks : iterable
    jobs : int
        Processes; 1: this one.

    Raises
    ------
    MtcnnError
        From `make`.
    """
    work = make()  # here in any case: its errors are clearer than a crashed process
    if jobs == 1:
        for task in tasks:
            yield task, _attempt(work, task)
        return
    del work
    with _Pool(make, jobs) as pool:
        yield from pool.outcomes(iter(tasks))


def _attempt(work: Work, task: Task) -> Result:
    try:
        return work(task)
    except MtcnnError as error:
        return error


class _Pool:
    """The processes. A context: they end with it, each after its current task."""

    def __init__(self, make: Callable[[], Work], jobs: int) -> None:
        self._make = make
        self._jobs = jobs
        self._spawn = multiprocessing.get_context("spawn")  # fork and threads do not mix
        # No Event: a process that is killed while it asks one keeps its lock, and all others wait.
        self._stop = self._spawn.RawValue("b", 0)

    def __enter__(self) -> _Pool:
        self._pool = self._start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.value = 1
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._jobs, self._spawn, initializer=_begin, initargs=(self._make, self._stop)
        )

    def _restart(self) -> None:
        self._pool.shutdown()
        self._pool = self._start()

    def outcomes(self, tasks: Iterator[Task]) -> Outcomes:
        waiting: deque[tuple[Task, Future[Result]]] = deque()
        while True:
            for task in islice(tasks, self._jobs * _AHEAD - len(waiting)):
                waiting.append((task, self._pool.submit(_do, task)))
            if not waiting:
                return
            task, future = waiting[0]
            try:
                result = future.result()
            except BrokenProcessPool:
                # The task is unknown: repeat all that were submitted, one at a time.
                self._restart()
                for again, _ in waiting:
                    yield again, self._alone(again)
                waiting.clear()
            else:
                waiting.popleft()
                yield task, result

    def _alone(self, task: Task) -> Result:
        """Do a task while no other one runs."""
        try:
            return self._pool.submit(_do, task).result()
        except BrokenProcessPool:
            self._restart()
            return OutOfMemoryError(f"{task}: its process died, perhaps out of memory")


# ---- in each process -----------------------------------------------------------------------------

_work: Work
_stopped: Any


def _begin(make: Callable[[], Work], stop: Any) -> None:
    global _work, _stopped
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process stops the others
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore", CfgWarning)  # the main process made the same, and said so
    _work, _stopped = make(), stop


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _do(task: Task) -> Result:
    return None if _stopped.value else _attempt(_work, task)
