"""The results of earlier checks, kept in one file beside the settings, and never wrong.

A result holds as long as the file's content does and, where other files were looked at, as
long as what was seen of all of them is still there to be seen: their content, the names in
directories, also those where nothing was found. Stamps (time, size, inode) spare the reading
of what did not change. The key of a cache holds all else that a result depends on: savelint's
own code, Python's and libcst's version, the settings, and the directory from which paths are
shown.

The file is a checksum and JSON, which does no harm whoever wrote it. It is replaced as a whole:
of two runs at once the later one's remains. One that cannot be read or does not fit is as good
as none, and where none can be written there is none.

Beside the results stand the outcomes of whole runs.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from typing import Any

from savelint import __version__, outcome
from savelint.files import Fact, Files, Kind, Listing, Place, Seen, again, digest, read_bytes
from savelint.finding import Edit, Finding, Fix, Label, Safety, Severity
from savelint.report import FileReport, Status
from savelint.settings import Settings
from savelint.source import Source, SourceError, Span
from savelint.trail import Trail

# Counts the ways in which a cache was written.
_FORMAT = 2
_PREFIX, _SUFFIX = "results-", ".cache"
# How many caches a directory holds: of other versions, of other command lines.
_KEPT = 12
# Files without Keras are hardly dearer to read than to recall: only many are worth a cache.
_MANY = 100
_OWN_FILES = {
    "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n# A cache of savelint.\n",
    ".gitignore": "*\n",
}


class Caches:
    """The caches of a run: one for the files of each settings.

    `codes` are those of all rules, `files` what the run reads with. What results are recalled
    for is in the trail.
    """

    def __init__(self, codes: frozenset[str], files: Files, trail: Trail) -> None:
        self._codes = codes
        self._files = files
        self._trail = trail
        self._code = _code_state(trail)
        self._of: dict[Settings, Cache] = {}

    def of(self, settings: Settings) -> Cache:
        """The cache for the files with these settings."""
        if settings not in self._of:
            key = _key(settings, self._codes, self._code)
            self._of[settings] = Cache(settings.cache_dir, key, self._trail)
        return self._of[settings]

    def save(self) -> None:
        """Write the caches to which something was added; without a place to write, do nothing."""
        seen = self._files.seen()
        for cache in self._of.values():
            cache.save(seen)


class Cache:
    """The results for the files with one settings, under one key."""

    def __init__(self, directory: str, key: list[Any], trail: Trail) -> None:
        self._directory = directory
        self._key = key
        self._trail = trail
        self._name = f"{_PREFIX}{zlib.crc32(json.dumps(key).encode()):08x}{_SUFFIX}"
        # As they stand in the file: a run in which nothing changed makes nothing of them. Of a
        # file [stamp, digest, result], of another one [kind, path, asked, stamp, digest].
        self._results: dict[str, list[Any]] = {}
        self._facts: list[list[Any]] = []
        self._load()
        self._new: set[str] = set()
        self._changed = False

    def recall(self, path: str, display: str, identity: str) -> FileReport | None:
        """The report on a file, when the one that is known still holds.

        `display` names the file to people, `identity` in fingerprints.
        """
        known = self._results.get(path)
        if known is None:
            return None
        state, seen, result = known
        if not self._is_as_noted(path, state):
            now = again(Place(Kind.CONTENT, path), _fact(state, seen))
            if now.digest != seen:
                return None
            self._results[path] = [*_row(now), result]
            self._changed = True
        if result is None:
            return FileReport(display, Status.SKIPPED)
        if not self._facts_hold:
            return None
        source = None
        if result["findings"]:
            try:
                data = read_bytes(path)
                source = Source.from_bytes(display, data)
            except (OSError, SourceError):
                return None
            if digest(data) != seen:
                return None
        return FileReport(
            display,
            Status(result["status"]),
            identity,
            source=source,
            findings=tuple(map(_finding, result["findings"])),
            evidence=result["evidence"],
        )

    def keep(self, path: str, fact: Fact, report: FileReport) -> None:
        """Add a report; what failed is tried again each time."""
        self._results.pop(path, None)
        if report.failures:
            return
        # What only its own bytes decided has no evidence of a generation.
        result = _record(report) if report.evidence else None
        self._results[path] = [*_row(fact), result]
        self._new.add(path)
        self._changed |= result is not None or len(self._new) > _MANY

    def save(self, seen: Seen) -> None:
        """Write the cache if it changed; `seen` is what the new results depend on."""
        if not self._changed:
            return
        hold = self._facts_hold
        facts = dict(_facts(self._facts)) if hold else {}
        if any(facts[place].digest != seen[place].digest for place in facts.keys() & seen.keys()):
            # It changed while this run was under way: what was known before is of another state.
            hold, facts = False, {}
        facts.update(seen)
        results = {
            path: known
            for path, known in self._results.items()
            if path in self._new or known[-1] is None or hold
        }
        document = {
            "key": self._key,
            "facts": [
                [place.kind.value, place.path, place.asked, *fact] for place, fact in facts.items()
            ],
            "results": results,
        }
        with suppress(OSError, UnicodeError):
            data = json.dumps(document, separators=(",", ":")).encode()
            content = outcome.check(data) + b"\n" + data
            _write(self._directory, self._name, content, _PREFIX)

    @cached_property
    def _facts_hold(self) -> bool:
        """Whether all that earlier runs saw of other files is still so."""
        changed = [row for row in self._facts if not self._is_as_noted(row[1], row[3])]
        for row, (place, fact) in zip(changed, _facts(changed), strict=True):
            now = again(place, fact)
            if place.kind is Kind.NAMES:
                for link in Listing(place.path).links:
                    self._trail.look(os.path.join(place.path, link))
            if now.digest != fact.digest:
                return False
            self._changed |= now != fact
            row[3:] = _row(now)
        return True

    def _is_as_noted(self, path: str, state: list[int] | None) -> bool:
        """Whether the stamp that was noted of a path, as a list, is still its own."""
        now = self._trail.look(path)
        return now is not None and [*now] == state

    def _load(self) -> None:
        try:
            content = read_bytes(os.path.join(self._directory, self._name))
            checksum, _, data = content.partition(b"\n")
            if checksum != outcome.check(data):
                return
            document = json.loads(data)
        except (OSError, ValueError, RecursionError):
            return
        if document["key"] == self._key:
            self._facts, self._results = document["facts"], document["results"]


def keep_outcome(directory: str, key: str, text: str, code: int, trail: Trail) -> None:
    """Keep what a run printed and its exit code, where results are kept already.

    Those of another directory than the usual one are not found without the settings.
    """
    usual = os.path.basename(directory) == outcome.CACHE and os.path.isdir(directory)
    if trail.whole and usual and outcome.is_harmless(text):
        with suppress(OSError, UnicodeError):
            data = outcome.packed(key, text, code, trail.stamps, trail.marks)
            _write(directory, outcome.file_name(key), data, outcome.PREFIX)


def _write(cache: str, name: str, data: bytes, prefix: str) -> None:
    """Replace a file in a cache, and let go the oldest of its kind; raises OSError."""
    from pathlib import Path  # slow to import, and a run without changes needs none

    directory = Path(cache)
    directory.mkdir(parents=True, exist_ok=True)
    for own, content in _OWN_FILES.items():
        path = directory / own
        if not path.exists():
            path.write_text(content, encoding="utf-8")
    temporary = directory / f"{name}.{os.getpid()}.tmp"
    try:
        temporary.write_bytes(data)
        temporary.replace(directory / name)
    finally:
        temporary.unlink(missing_ok=True)
    kept = sorted(directory.glob(f"{prefix}*"), key=lambda path: -path.stat().st_mtime_ns)
    for path in kept[_KEPT:]:
        path.unlink(missing_ok=True)


def clean(cache_dir: str) -> bool:
    """Remove the caches in a directory, and the directory when nothing else is in it.

    Whether there was anything to remove; raises OSError.
    """
    from pathlib import Path

    directory = Path(cache_dir)
    found = [path for prefix in (_PREFIX, outcome.PREFIX) for path in directory.glob(f"{prefix}*")]
    for name, content in _OWN_FILES.items():
        path = directory / name
        if path.is_file() and path.read_text(encoding="utf-8", errors="replace") == content:
            found.append(path)
    for path in found:
        path.unlink(missing_ok=True)
    if found and not any(directory.iterdir()):
        directory.rmdir()
    return bool(found)


def _key(settings: Settings, codes: frozenset[str], code: list[Any]) -> list[Any]:
    """All that results depend on besides files, in the types of JSON."""
    return [
        _FORMAT,
        __version__,
        sys.version,
        code,
        os.getcwd(),
        str(settings.root),
        sorted(codes),
        sorted(settings.enabled),
        None if settings.keras is None else settings.keras.value,
        [[pattern, sorted(off)] for pattern, off in settings.per_file_ignores],
    ]


def _code_state(trail: Trail) -> list[Any]:
    """The state of savelint's and libcst's own code: of an editable install it changes."""
    own: list[int] = []
    pending = [os.path.dirname(__file__)]
    while pending:
        directory = pending.pop()
        trail.look(directory)
        with os.scandir(directory) as scan:
            for entry in scan:
                if entry.is_dir():
                    pending += [entry.path] if entry.name != "__pycache__" else []
                elif entry.name.endswith((".py", ".json")):
                    now = trail.look(entry.path)
                    own.append(now[0] if now is not None else 0)
    # The others have no say in results, but in what is made of them.
    _, _, _, parser = (_library(name, trail) for name in ("click", "pathspec", "rich", "libcst"))
    return [len(own), max(own), *parser]


def _library(name: str, trail: Trail) -> tuple[str, int]:
    """Where a library is, and when it came there."""
    from importlib.util import find_spec

    spec = find_spec(name)
    if spec is None or spec.origin is None:
        return "", 0
    trail.look(os.path.dirname(os.path.dirname(spec.origin)))
    now = trail.look(spec.origin)
    return spec.origin, now[0] if now is not None else 0


def _fact(stamp: list[int] | None, digest: str) -> Fact:
    if stamp is None:
        return Fact(None, digest)
    mtime, ctime, size, inode = stamp
    return Fact((mtime, ctime, size, inode), digest)


def _row(fact: Fact) -> list[Any]:
    return [None if fact.stamp is None else [*fact.stamp], fact.digest]


def _facts(rows: Iterable[list[Any]]) -> Iterator[tuple[Place, Fact]]:
    for kind, path, asked, stamp, seen in rows:
        yield Place(Kind(kind), path, tuple(asked)), _fact(stamp, seen)


def _record(report: FileReport) -> dict[str, Any]:
    return {
        "status": report.status.value,
        "evidence": report.evidence,
        "findings": [
            [
                *(f.code, f.name, f.severity.value, f.message, f.consequence, f.keras_version),
                *(f.span, f.note),
                [[label.span, label.text, _source_record(label.source)] for label in f.labels],
                None if f.fix is None else _fix_record(f.fix),
            ]
            for f in report.findings
        ],
    }


def _source_record(source: Source | None) -> list[Any] | None:
    return None if source is None else [source.path, source.text, source.encoding, source.bom]


def _fix_record(fix: Fix) -> list[Any]:
    edits = [[edit.span, edit.replacement] for edit in fix.edits]
    return [fix.message, fix.safety.value, edits, fix.reason]


def _finding(record: list[Any]) -> Finding:
    code, name, severity, message, consequence, version, span, note, labels, fix = record
    return Finding(
        code=code,
        name=name,
        severity=Severity(severity),
        message=message,
        consequence=consequence,
        keras_version=version,
        span=Span(*span),
        note=note,
        labels=tuple(
            Label(Span(*at), text, None if source is None else Source(*source))
            for at, text, source in labels
        ),
        fix=None if fix is None else _fix(*fix),
    )


def _fix(message: str, safety: str, edits: list[Any], reason: str) -> Fix:
    made = tuple(Edit(Span(*span), replacement) for span, replacement in edits)
    return Fix(message, Safety(safety), made, reason)
