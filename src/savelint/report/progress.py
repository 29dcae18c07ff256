"""How far a long run has come, for people who wait at a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from rich import progress

# Seconds before it appears, and between two pictures.
_PATIENCE = 1.0
_INTERVAL = 0.1


class Progress:
    """A bar on standard error, which leaves nothing behind; none where it is not `visible`."""

    def __init__(self, *, visible: bool) -> None:
        self._visible = visible
        self._total = self._done = 0
        self._next = time.monotonic() + _PATIENCE
        self._bar: progress.Progress | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self, total: int) -> Callable[[], None]:
        """So many files are to be checked; call what this gives after each of them."""
        self._total = total
        return self._advance

    def _advance(self) -> None:
        self._done += 1
        now = time.monotonic()
        if self._visible and now >= self._next:
            self._next = now + _INTERVAL
            self._show()

    def _show(self) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            # Without a thread of its own, which processes that are forked would not bear.
            self._bar = Progress(
                TextColumn("Checking"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("files"),
                console=Console(stderr=True),
                auto_refresh=False,
                transient=True,
            )
            self._bar.add_task("", total=self._total)
            self._bar.start()
        (task,) = self._bar.task_ids
        self._bar.update(task, completed=self._done)
        self._bar.refresh()
