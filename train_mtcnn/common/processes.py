"""Work shared by processes, its results in order."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from pymtcnn.errors import OutOfMemoryError

T = TypeVar("T")
R = TypeVar("R")


def in_processes(
    work: Callable[[T], R],
    tasks: Sequence[T],
    jobs: int,
    start: Callable[..., None],
    start_arguments: tuple[Any, ...],
    again: str,
) -> Iterator[R]:
    """The results of `work` for each task, in the order of the tasks; few are held at a time.

    Parameters
    ----------
    work, start
        Functions of modules.
    tasks
    jobs
        Processes; with one all is done in this one.
    start, start_arguments
        What each process calls first, and this one, too: its errors are clearer than those of a
        process that died.
    again
        What to do where a process died, for the message.

    Raises
    ------
    OutOfMemoryError
        If a process died.
    """
    start(*start_arguments)
    if jobs == 1 or len(tasks) < 2:
        yield from map(work, tasks)
        return
    with ProcessPoolExecutor(
        min(jobs, len(tasks)), multiprocessing.get_context("spawn"), start, start_arguments
    ) as pool:
        waiting: list[Future[R]] = []
        try:
            for task in tasks:
                waiting.append(pool.submit(work, task))
                if len(waiting) > jobs + 1:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        except BrokenProcessPool as error:
            raise OutOfMemoryError(
                f"a process died, perhaps because memory ran out; {again}"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)
