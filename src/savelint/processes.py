"""Files checked by several processes; what comes out is what one process would say."""

from __future__ import annotations

import math
import multiprocessing
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

from savelint.engine import Checked, Options, Task, check_file
from savelint.files import Seen

# Neighbours share bases and helpers, which each process has to read for itself; but a process
# that has nothing left to do waits for the last one.
_SHARES = 8
_MOST = 32

_tasks: Sequence[Task] = ()
_options: Options


def spread(tasks: Sequence[Task], options: Options) -> Iterator[Checked]:
    """Check `tasks` in `options.jobs` processes; what they say is in the order of the tasks.

    What is missing because a process died, this one checks.
    """
    # A fork has all that was imported and read so far; macOS' own libraries do not bear it.
    forks = sys.platform != "darwin" and "fork" in multiprocessing.get_all_start_methods()
    if forks:
        from savelint.keras import visitor  # noqa: F401  (libcst, once instead of in each)
    context = multiprocessing.get_context("fork" if forks else "spawn")
    shared = options if forks else replace(options)  # without what it has read
    size = min(_MOST, math.ceil(len(tasks) / (options.jobs * _SHARES)))
    ranges = [range(at, min(at + size, len(tasks))) for at in range(0, len(tasks), size)]
    pool = ProcessPoolExecutor(options.jobs, context, _begin, (tasks, shared))
    done = 0
    try:
        for checked, seen in pool.map(_check, ranges):
            options.files.add(seen)
            done += len(checked)
            yield from checked
    except BrokenProcessPool:
        yield from (check_file(task, options) for task in tasks[done:])
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(tasks: Sequence[Task], options: Options) -> None:
    global _tasks, _options
    _tasks, _options = tasks, options
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others


def _check(numbers: range) -> tuple[list[Checked], Seen]:
    checked = [check_file(_tasks[number], _options) for number in numbers]
    return checked, _options.files.news()
