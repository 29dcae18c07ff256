"""Work spread over processes; what comes out is in the order of what went in."""

from __future__ import annotations

import math
import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

# A fork has all that was imported and read so far; macOS' own libraries do not bear it.
FORKS = sys.platform != "darwin" and "fork" in multiprocessing.get_all_start_methods()
# Neighbours share bases and helpers, which each process has to read for itself; but a process
# that has nothing left to do waits for the last one.
_SHARES = 8
_MOST = 32

_Result = TypeVar("_Result")
_work: Callable[[range], Any]


def spread(work: Callable[[range], _Result], count: int, processes: int) -> Iterator[_Result]:
    """Have `count` items worked on, some at a time: `work` gets their numbers.

    Ends early when a process dies. Where processes are not FORKS, `work` is pickled.
    """
    size = max(1, min(_MOST, math.ceil(count / (processes * _SHARES))))
    ranges = [range(at, min(at + size, count)) for at in range(0, count, size)]
    context = multiprocessing.get_context("fork" if FORKS else "spawn")
    pool = ProcessPoolExecutor(processes, context, _begin, (work,))
    try:
        # Not `map`: it cancels what is left as the pool does when its processes are
        # interrupted, and the thread of a pool that meets a cancelled item ends in a traceback.
        with _uninterrupted():
            futures = [pool.submit(_run, numbers) for numbers in ranges]
        for future in futures:
            yield future.result()
    except BrokenProcessPool:
        return
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """An interrupt waits: a process that has not begun yet would tell of it by a traceback."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(work: Callable[[range], object]) -> None:
    global _work
    _work = work
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # it ends here and now, without a traceback
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _run(numbers: range) -> Any:
    return _work(numbers)
