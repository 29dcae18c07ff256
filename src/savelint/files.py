"""The files and directories that a run reads besides those it checks, and what was seen of them.

Each is looked at once a run. What was seen is noted as a fact, with which the cache can tell
whether a result of that run still holds: a file's content, which of the names asked for are in
a directory, or the names of the classes that a file makes and whether it loads a model, which
is all that most files are read for.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple, TypeAlias

from savelint import stamps
from savelint.stamps import Stamp

# A class that is made, or a model that is loaded, as far as bytes tell.
_MAKING = rb"\b([A-Z]\w*|load_model)\s*\("
# What is asked of a directory besides single names: all names with a suffix, `*.py`, and the
# directories in it that are not tools' own; and whether it holds anything.
_SUFFIX = "*"
_DIRECTORIES = "*/"
_ANY = ""
_BYTECODE = "__pycache__"
# A file that was changed so recently, in nanoseconds, may change again unseen: some file
# systems count in steps of two seconds.
_SETTLED = 2_500_000_000


class Kind(Enum):
    """What is noted of a path."""

    CONTENT = "content"
    NAMES = "names"
    MAKES = "makes"


class Fact(NamedTuple):
    """What was seen: the digest tells it, the stamp spares the look; "" for nothing to see."""

    stamp: Stamp | None
    digest: str


class Place(NamedTuple):
    """Where a fact was seen; `asked` are the names that a directory was asked for."""

    kind: Kind
    path: str
    asked: tuple[str, ...] = ()


Seen: TypeAlias = dict[Place, Fact]

# What no look confirms.
_CHANGED = Fact(None, "changed")


class Listing:
    """The names in a directory; it remembers what it was asked for."""

    def __init__(self, directory: str) -> None:
        self.asked: set[str] = set()
        # The names, whether each is a directory, and which of them are links.
        self._names: dict[str, bool] = {}
        self.links: frozenset[str] = frozenset()
        try:
            with os.scandir(directory) as scan:
                entries = list(scan)
            self._names = {entry.name: entry.is_dir() for entry in entries}
            self.links = frozenset(entry.name for entry in entries if entry.is_symlink())
        except OSError:
            pass  # nothing can be found there

    def __bool__(self) -> bool:
        self.asked.add(_ANY)
        return bool(self._names)

    def __contains__(self, name: str) -> bool:
        self.asked.add(name)
        return name in self._names

    def is_directory(self, name: str) -> bool | None:
        """Whether a name is a directory's; None where it is not there."""
        self.asked.add(name)
        return self._names.get(name)

    def ending(self, suffix: str) -> list[str]:
        """The names of files with a suffix, in order."""
        self.asked.add(_SUFFIX + suffix)
        found = (n for n, is_directory in self._names.items() if not is_directory)
        return sorted(name for name in found if name.endswith(suffix))

    def directories(self) -> list[str]:
        """The names of directories, but for hidden ones, in order."""
        self.asked.add(_DIRECTORIES)
        return sorted(name for name in self._names if self._is_open(name))

    def digest(self, asked: Iterable[str]) -> str:
        """What tells these answers from any others."""
        told = {name for name in asked if not name.startswith(_SUFFIX)}
        if _DIRECTORIES in asked:
            told.update(filter(self._is_open, self._names))
        suffixes = tuple(name.removeprefix(_SUFFIX) for name in asked if name.startswith(_SUFFIX))
        told.update(name for name in self._names if name.endswith(suffixes))
        return _digest_of(
            f"{name}/{self._answer(name)}/{name in self.links}".encode("utf-8", "surrogateescape")
            for name in sorted(told)
        )

    def _answer(self, name: str) -> bool | None:
        return bool(self._names) if name == _ANY else self._names.get(name)

    def _is_open(self, name: str) -> bool:
        return self._names[name] and not name.startswith(".") and name != _BYTECODE


class Files:
    """Reads for one run; with `noting` it notes what it saw."""

    def __init__(self, *, noting: bool = False) -> None:
        self._noting = noting
        self._seen: Seen = {}
        self._listings: dict[str, tuple[Stamp | None, Listing]] = {}
        self._answered: dict[str, tuple[Place, Fact]] = {}
        self._checked: dict[str, Fact] = {}
        self._told: Seen = {}

    def read(self, path: str) -> bytes:
        """The bytes of a file; raises OSError."""
        if not self._noting:
            return read_bytes(path)
        before = stamp(path)
        try:
            data = read_bytes(path)
        except OSError:
            self._seen.setdefault(Place(Kind.CONTENT, path), Fact(None, ""))
            raise
        self._seen.setdefault(Place(Kind.CONTENT, path), Fact(before, digest(data)))
        return data

    def listing(self, directory: str) -> Listing:
        """The names in a directory; none where there is no directory."""
        known = self._listings.get(directory)
        if known is None:
            before = stamp(directory) if self._noting else None
            known = self._listings[directory] = before, Listing(directory)
        return known[1]

    def makes(self, path: str) -> frozenset[bytes]:
        """The names like a class's, and `load_model`, that a file calls; none if unreadable."""
        before = stamp(path) if self._noting else None
        found = _makes(path)
        if self._noting:
            self._seen[Place(Kind.MAKES, path)] = Fact(before, _digest_of(sorted(found)))
        return found

    def check(self, path: str, fact: Fact) -> None:
        """Note the state in which a file is checked; it counts once another one leads to it."""
        self._checked.setdefault(path, fact)

    def lead(self, path: str) -> None:
        """Another file led to one that was read before."""
        if path in self._checked:
            self._seen.setdefault(Place(Kind.CONTENT, path), self._checked[path])

    def seen(self) -> Seen:
        """All that was noted so far."""
        found = dict(self._seen)
        for directory in self._listings if self._noting else ():
            found.update([self._answers(directory)])
        return found

    def _answers(self, directory: str) -> tuple[Place, Fact]:
        """What was asked of a directory, and told; made anew only when more was asked."""
        before, listing = self._listings[directory]
        known = self._answered.get(directory)
        if known is None or len(known[0].asked) != len(listing.asked):
            place = Place(Kind.NAMES, directory, tuple(sorted(listing.asked)))
            known = self._answered[directory] = place, _listed(listing, before, place.asked)
        return known

    def news(self) -> Seen:
        """What was noted since this was last asked."""
        seen = self.seen()
        found = {place: fact for place, fact in seen.items() if self._told.get(place) != fact}
        self._told = seen
        return found

    def add(self, seen: Seen) -> None:
        """Note what another process saw."""
        for place, fact in seen.items():
            known = self._seen.setdefault(place, fact)
            if known.digest != fact.digest:
                # It changed meanwhile, and one result is of another state than the other.
                self._seen[place] = _CHANGED


def read_bytes(path: str) -> bytes:
    """The bytes of a file; raises OSError."""
    with open(path, "rb") as stream:
        return stream.read()


def stamp(path: str) -> Stamp | None:
    """The state of a path; None when it tells nothing: nothing there, or changed just now."""
    now = stamps.stamp(path)
    return now if now is not None and is_settled(now) else None


def is_settled(now: Stamp) -> bool:
    """Whether a stamp read just now tells any later change."""
    return time.time_ns() - max(now[:2]) >= _SETTLED


def again(place: Place, fact: Fact) -> Fact:
    """What is to be seen at a place now; it is looked at only if the stamp is another one."""
    kind, path, asked = place
    now = stamp(path)
    if now is not None and now == fact.stamp:
        return fact
    if kind is Kind.NAMES:
        return _listed(Listing(path), now, asked)
    if kind is Kind.MAKES:
        return Fact(now, _digest_of(sorted(_makes(path))))
    try:
        return Fact(now, digest(read_bytes(path)))
    except OSError:
        return Fact(None, "")


def digest(data: bytes) -> str:
    """What tells this content from any other."""
    import hashlib  # slow to import, and a run without changes needs none

    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _digest_of(parts: Iterable[bytes]) -> str:
    return digest(b"\0".join(parts))


def _listed(listing: Listing, before: Stamp | None, asked: Iterable[str]) -> Fact:
    # What a link leads to changes without a trace in the directory.
    return Fact(None if listing.links else before, listing.digest(asked))


def _makes(path: str) -> frozenset[bytes]:
    try:
        return frozenset(re.findall(_MAKING, read_bytes(path)))
    except OSError:
        return frozenset()
