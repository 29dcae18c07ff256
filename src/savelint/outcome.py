"""What a run printed, kept so that the next one over the same files says it again at once.

It holds as long as the same is asked (the key) and all that the run looked at is in the state
in which it was seen: the files, the directories that were searched, settings, ignore files,
savelint itself. The states are compared as one text; where one differs, a whole run is due.

The file is a checksum and text, which does no harm whoever wrote it: a key holds what only this
machine knows, and no text is printed that steers a terminal.
"""

from __future__ import annotations

import os
import sys
import zlib

from savelint import __version__, screen
from savelint.stamps import Stamp, stamp

# Where it is looked for, here and in the directories above.
CACHE = ".savelint_cache"
PREFIX = "run-"
_END = "\0"
_ESCAPE = "\x1b["


def key(arguments: list[str]) -> str | None:
    """All that an outcome depends on besides paths; None where none is kept."""
    if arguments[:1] != ["check"] or sys.stdout is None:
        return None
    own = os.path.dirname(os.path.abspath(__file__))
    try:
        here = os.getcwd()
    except OSError:
        return None
    shown = screen.width(), screen.coloured("auto")
    return repr((__version__, sys.version, own, stamp(own), sys.path, here, arguments, shown))


def file_name(key: str) -> str:
    """The name of the file that holds the outcome for a key."""
    return f"{PREFIX}{zlib.crc32(key.encode(errors='replace')):08x}.cache"


def recall(key: str) -> tuple[str, int] | None:
    """What is to be printed and the exit code, if an outcome is kept and still holds."""
    checksum, _, data = _read(file_name(key)).partition(b"\n")
    if checksum != check(data):
        return None
    try:
        content, _, marks = data.decode("utf-8", "surrogateescape").partition(_END + _END)
        known, said, states, *paths = content.split(_END)
        if known != key or _states(paths, marks.split(_END) if marks else []) != states:
            return None
        code, _, text = said.partition(" ")
        return (text, int(code)) if is_harmless(text) else None
    except ValueError:
        return None


def packed(
    key: str, text: str, code: int, stamps: dict[str, Stamp | None], marks: dict[str, bool]
) -> bytes:
    """The content of the file; raises UnicodeError.

    `stamps` are those of all paths that were looked at. Of `marks` only matters whether they
    are there.
    """
    states = repr(([*stamps.values()], [*marks.values()]))
    content = _END.join((key, f"{code} {text}", states, *stamps))
    data = f"{content}{_END}{_END}{_END.join(marks)}".encode("utf-8", "surrogateescape")
    return check(data) + b"\n" + data


def check(data: bytes) -> bytes:
    """The checksum of what is kept."""
    return f"{zlib.crc32(data):08x}".encode()


def is_harmless(text: str) -> bool:
    """Whether nothing in a text steers a terminal but line ends and colours."""
    plain, *coloured = text.split(_ESCAPE)
    characters = {*plain}
    for piece in coloured:
        style, end, rest = piece.partition("m")
        if not end or style.strip("0123456789;"):
            return False
        characters.update(rest)
    characters.discard("\n")
    return all(c.isprintable() or (c.isspace() and c > "\x9f") for c in characters)


def _states(paths: list[str], marks: list[str]) -> str:
    """The text of all states, as they are now."""
    return repr(([stamp(path) for path in paths], [os.path.exists(path) for path in marks]))


def _read(name: str) -> bytes:
    directory, below = os.getcwd(), ""
    while directory != below:
        try:
            with open(os.path.join(directory, CACHE, name), "rb") as stream:
                return stream.read()
        except OSError:
            directory, below = os.path.dirname(directory), directory
    return b""
