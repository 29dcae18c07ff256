"""What a run looked at to find its files and settings and to recall results."""

from __future__ import annotations

import os

from savelint.files import is_settled
from savelint.stamps import Stamp, stamp


class Trail:
    """The states of paths before they were read, each asked once; noted only with `noting`.

    It is `whole` while it holds all that the outcome of the run rests on, in states that any
    later change shows in.
    """

    def __init__(self, *, noting: bool = False) -> None:
        self._noting = self.whole = noting
        self.stamps: dict[str, Stamp | None] = {}
        # Of these only matters whether they are there.
        self.marks: dict[str, bool] = {}

    def look(self, path: str) -> Stamp | None:
        """The stamp of a path that is about to be read; None for nothing there."""
        if not self._noting:
            return None
        if path not in self.stamps:
            now = self.stamps[path] = stamp(path)
            self.whole &= now is None or is_settled(now)
        return self.stamps[path]

    def exists(self, path: str) -> bool:
        """Whether there is anything at a path."""
        found = os.path.exists(path)
        if self._noting:
            self.whole &= self.marks.setdefault(path, found) == found
        return found
