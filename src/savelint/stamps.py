"""The state of a path, which tells without a look into it that nothing changed.

Nothing but what Python starts with is imported: a run in which nothing changed does little else.
"""

from __future__ import annotations

import os

# Time of the last change of content and of status, size, inode.
Stamp = tuple[int, int, int, int]


def stamp(path: str) -> Stamp | None:
    """The stamp of a path; None where there is nothing."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
