"""What the output goes to: how wide it is, and whether it shows colours."""

from __future__ import annotations

import os
import sys

# Where the width of the output is not known: a pipe, a file, a log.
_WIDTH = 100


def width() -> int:
    """As `shutil.get_terminal_size` has it, which takes longer to import than a file to check."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(1).columns or _WIDTH
    except OSError:  # closed, or no terminal
        return _WIDTH


def coloured(color: str, *, err: bool = False) -> bool:
    """Whether to colour the output, or with `err` the other stream: `auto`, `always`, `never`."""
    if color != "auto":
        return color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_terminal(err=err)


def is_terminal(*, err: bool = False) -> bool:
    """Whether the output, or with `err` the other stream, is shown as it is written."""
    stream = sys.stderr if err else sys.stdout
    return stream.isatty() and os.environ.get("TERM") != "dumb"
