"""One file in, its report out: read, analyse, suppress, fix, write.

Files know of each other only through the session, which holds what was read of them, and all
that goes in and out is frozen, so that `check_file` can as well run in another process (see
`processes`). What only a file with Keras needs is imported when the first one is met.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from enum import Enum
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple

from savelint.codes import RULE_FAILED, UNREADABLE, WITHHELD, Catalogue, OwnCode
from savelint.discover import Problem, discover, os_reason, path_within
from savelint.files import Fact, Files, Seen, digest, read_bytes, stamp
from savelint.finding import Finding, Safety, Severity
from savelint.frozen import frozen
from savelint.keras import METHODS, WORDS
from savelint.report import Failure, FileReport, Report, Status
from savelint.settings import Configuration, Settings
from savelint.source import Source, SourceError
from savelint.trail import Trail

if TYPE_CHECKING:
    from savelint import analysis
    from savelint.analysis import Checker, Session
    from savelint.dependencies import Dependencies
    from savelint.keras.generation import Evidence
    from savelint.report.overview import Overview

# A file without any of these can have no finding. The last is for comments that outlived
# the Keras code they stood beside.
_MARKS = tuple(mark.encode() for mark in (*WORDS, *METHODS, "savelint:"))
# Only a comment with one of these suppresses; of `noqa` there is nothing to say by itself.
_OWN_SUPPRESSING = ("savelint:",)
_SUPPRESSING = (*_OWN_SUPPRESSING, "noqa")
# Seconds of work after which the start of processes is soon made up for.
_WORTH_PROCESSES = 1.0
_TOO_DEEP = "too deeply nested or too large to analyse; split it or exclude it"


class Mode(Enum):
    """What happens to fixes."""

    CHECK = "shown"
    DIFF = "applied, but not written"
    FIX = "applied and written"


@frozen
class Options:
    """What holds for all files of a run.

    Fixes of notes are applied only where `notes` are shown. `gates` is for tests: without
    it, every file is analysed in full. Without `follow` no other file is read for what a
    file imports. With `cache` results of earlier checks are used, and those of this one kept.
    `jobs` is how many processes may work at once.
    """

    catalogue: Catalogue
    mode: Mode = Mode.CHECK
    unsafe: bool = False
    notes: bool = False
    gates: bool = True
    follow: bool = True
    cache: bool = False
    jobs: int = 1

    @cached_property
    def rules(self) -> Sequence[Checker]:
        """Every rule; each is imported when the first file needs it."""
        from savelint import rules

        return rules.deferred()

    @cached_property
    def session(self) -> Session:
        """What the files of this run share; made when the first one needs it."""
        from savelint.analysis import Session

        return Session(self.files)

    @cached_property
    def dependencies(self) -> Dependencies:
        """What the projects of this run declare; read when the first file needs it."""
        from savelint.dependencies import Dependencies

        return Dependencies(self.files)

    @cached_property
    def files(self) -> Files:
        """What reads the files that others lead to, and notes them for the cache."""
        return Files(noting=self.cache)

    @cached_property
    def trail(self) -> Trail:
        """What this run looked at, if all of it can be recalled."""
        return Trail(noting=self.cache and self.mode is Mode.CHECK)


@frozen
class Task:
    """A file to check: its absolute path, its name for people, and its settings."""

    path: str
    display: str
    settings: Settings

    @property
    def identity(self) -> str:
        """How fingerprints name the file: from the settings' root, wherever savelint runs."""
        within = path_within(self.settings.root, self.path)
        if within is not None:
            return within
        try:
            relative = os.path.relpath(self.path, self.settings.root)
        except ValueError:  # another drive
            return self.display
        return relative.replace(os.sep, "/")


class Checked(NamedTuple):
    """The report on a file, and for the cache what the file was when it was read."""

    report: FileReport
    fact: Fact | None = None


def check_paths(
    configuration: Configuration,
    options: Options,
    paths: Sequence[str],
    *,
    force_exclude: bool = False,
    watch: Callable[[int], Callable[[], None]] = lambda _: lambda: None,
) -> Report:
    """Find the files under `paths` and check them; raises ConfigError.

    All settings are read before the first file is: a mistake in them leaves all as it is.
    `watch` is told how many files there are, and gives what is called after each of them.
    """
    found = discover(
        paths, configuration.excludes_of, force_exclude=force_exclude, trail=options.trail
    )
    tasks = [
        Task(f.path, f.display, configuration.of(os.path.dirname(f.path))) for f in found.files
    ]
    checked = check_files(tasks, options, watch(len(tasks)))
    files = [*map(unsearchable, found.problems), *checked]
    return Report(tuple(sorted(files, key=lambda file: file.path)), found.excluded)


def cores() -> int:
    """How many processes of this one can work at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def overviews(
    configuration: Configuration, options: Options, paths: Sequence[str]
) -> tuple[list[Overview], list[str]]:
    """What was understood of each file under `paths`, and what could not be read and why.

    Raises ConfigError.
    """
    from savelint.overview import overview

    found = discover(paths, configuration.excludes_of)
    shown: list[Overview] = []
    failed = [f"{problem.display}: {problem.reason}" for problem in found.problems]
    for each in found.files:
        declared = partial(options.dependencies.evidence, each.path)
        keras = configuration.of(os.path.dirname(each.path)).keras
        try:
            source = Source.from_bytes(each.display, read_bytes(each.path))
            shown.append(overview(source, each.path, options.session, keras, declared))
        except OSError as error:
            failed.append(f"{each.display}: {os_reason(error)}")
        except SourceError as error:
            failed.append(f"{each.display}: {error}")
        except (RecursionError, MemoryError):
            failed.append(f"{each.display}: {_TOO_DEEP}")
    return shown, failed


def check_files(
    tasks: Sequence[Task], options: Options, done: Callable[[], None] = lambda: None
) -> list[FileReport]:
    """Check the files and, in mode FIX, write them; `done` is called after each check.

    All are checked before the first is written, so that each is judged beside the others as
    the run found them, in whatever order and by however many processes.
    """
    caches = None
    if options.cache and options.mode is Mode.CHECK:
        from savelint.cache import Caches

        caches = Caches(frozenset(options.catalogue.names), options.files, options.trail)
    reports: list[FileReport] = []
    left: list[Task] = []
    for task in tasks:
        known = None
        if caches is not None:
            cache = caches.of(task.settings)
            known = cache.recall(task.path, task.display, task.identity)
        if known is None:
            left.append(task)
            options.trail.whole = False
        else:
            reports.append(known)
            done()
    try:
        for task, (report, fact) in zip(left, _checked(left, options), strict=True):
            if caches is not None and fact is not None:
                caches.of(task.settings).keep(task.path, fact, report)
            reports.append(report)
            done()
    finally:
        if caches is not None:
            caches.save()
    if options.mode is Mode.FIX:
        return [_write(task, report, options) for task, report in zip(left, reports, strict=True)]
    return reports


def _checked(tasks: Sequence[Task], options: Options) -> Iterator[Checked]:
    """Check files in order; by several processes if that turns out to be worth their start."""
    begin = time.perf_counter()
    for number, task in enumerate(tasks):
        left = len(tasks) - number
        if min(options.jobs, left) > 1 and time.perf_counter() - begin > _WORTH_PROCESSES:
            yield from _spread(tasks[number:], options)
            return
        yield check_file(task, options)


def _spread(tasks: Sequence[Task], options: Options) -> Iterator[Checked]:
    """Check files by several processes; what is missing because one died, this one checks."""
    from savelint import processes

    shared = options
    if processes.FORKS:
        from savelint.keras import visitor  # noqa: F401  (libcst, once instead of in each)
    else:
        shared = replace(options)  # without what it has read
    done = 0
    work = partial(_check_some, tasks, shared)
    for checked, seen in processes.spread(work, len(tasks), options.jobs):
        options.files.add(seen)
        done += len(checked)
        yield from checked
    yield from (check_file(task, options) for task in tasks[done:])


def _check_some(
    tasks: Sequence[Task], options: Options, numbers: range
) -> tuple[list[Checked], Seen]:
    """Check some of the files; with what was newly seen of others."""
    checked = [check_file(tasks[number], options) for number in numbers]
    return checked, options.files.news()


def check_file(task: Task, options: Options) -> Checked:
    """Check a file; nothing is written.

    Raises nothing for what is wrong with the file: that is a failure in its report.
    """
    before = stamp(task.path) if options.cache else None
    try:
        data = read_bytes(task.path)
    except OSError as error:
        return Checked(_failed(task, Failure(UNREADABLE, os_reason(error))))
    fact = None
    if options.cache:
        fact = Fact(before, digest(data))
        options.files.check(task.path, fact)
    return Checked(check_bytes(data, task, options), fact)


def _write(task: Task, report: FileReport, options: Options) -> FileReport:
    """Write what the fixes made of a file, if they made anything of it."""
    if report.before is None or report.source is None:
        return report
    from pathlib import Path

    from savelint import fixer

    before = report.before.to_bytes()
    try:
        fixer.write(Path(task.path), before, report.source.to_bytes())
    except (fixer.WriteError, SourceError) as error:
        # The file is as it was, so what was found in it still holds.
        failure = Failure(UNREADABLE, str(error).removeprefix(f"{task.path} "))
        unfixed = check_bytes(before, task, replace(options, mode=Mode.CHECK))
        return replace(unfixed, status=Status.FAILED, failures=(*unfixed.failures, failure))
    return report


def check_bytes(data: bytes, task: Task, options: Options) -> FileReport:
    """Check `data` as the content of a file that need not exist; nothing is written.

    In the modes FIX and DIFF the report is of the fixed text.
    """
    if options.gates and not any(mark in data for mark in _MARKS):
        return FileReport(task.display, Status.SKIPPED)
    source: Source | None = None
    try:
        source = Source.from_bytes(task.display, data)
        return _Check(task, options).report(source)
    except SourceError as error:
        failure = Failure(UNREADABLE, str(error), error.line, error.column)
    except (RecursionError, MemoryError):
        failure = Failure(UNREADABLE, _TOO_DEEP)
    return replace(_failed(task, failure), source=source)


def unsearchable(problem: Problem) -> FileReport:
    """Return the report of a path that could not be searched for files."""
    failure = Failure(UNREADABLE, problem.reason)
    return FileReport(problem.display, Status.FAILED, problem.display, failures=(failure,))


def _failed(task: Task, failure: Failure) -> FileReport:
    return FileReport(task.display, Status.FAILED, task.identity, failures=(failure,))


class _Check:
    """The check of one file, which may take several analyses: one per pass of fixes."""

    def __init__(self, task: Task, options: Options) -> None:
        self.task = task
        self.options = options
        self.enabled = task.settings.enabled_in(task.path)
        self.rules = tuple(rule for rule in options.rules if rule.code in self.enabled)
        self.failures: list[Failure] = []
        # The text that was looked at last, which the fixer asks about again.
        self._last: tuple[Source, analysis.Analysis, tuple[Finding, ...]] | None = None

    def report(self, source: Source) -> FileReport:
        """Find, and fix unless the mode is CHECK; raises SourceError."""
        found, findings = self._find(source)
        final = source
        applied: tuple[Finding, ...] = ()
        if self.options.mode is not Mode.CHECK and any(f.fix for f in findings):
            from savelint import fixer

            fixed = fixer.fix(source, self._fixable, unsafe=self.options.unsafe)
            withheld = dict(fixed.withheld)
            final, applied = fixed.source, fixed.applied
            if applied:
                found, findings = self._find(final)
            findings = tuple(self._with_withheld(findings, withheld))
        status = Status.CHECKED if found.has_keras or findings else Status.SKIPPED
        return FileReport(
            self.task.display,
            Status.FAILED if self.failures else status,
            self.task.identity,
            source=final,
            before=source if applied else None,
            findings=tuple(sorted(findings, key=lambda f: (f.span.start, f.code, f.span.end))),
            applied=applied,
            failures=tuple(self.failures),
            evidence=f"Keras {found.keras.value} ({found.evidence})",
        )

    def _find(self, source: Source) -> tuple[analysis.Analysis, tuple[Finding, ...]]:
        """Return the analysis, and the findings that no comment suppresses."""
        if self._last is None or self._last[0] != source:
            self._last = (source, *self._unsuppressed(source))
        _, found, findings = self._last
        return found, findings

    def _unsuppressed(self, source: Source) -> tuple[analysis.Analysis, tuple[Finding, ...]]:
        found = self._analyse(source)
        marks = _SUPPRESSING if found.findings else _OWN_SUPPRESSING
        text = source.text.lower()
        if not any(mark in text for mark in marks):
            return found, found.findings
        from savelint.suppress import suppress

        failed = frozenset(rule.code for rule in self.options.rules) - {r.code for r in self.rules}
        suppressed = suppress(
            source,
            found.findings,
            catalogue=self.options.catalogue,
            enabled=self.enabled - failed,
            off=frozenset(r.code for r in self.rules if found.keras not in r.severity),
            keras_version=found.keras.value,
        )
        return found, suppressed.kept

    def _analyse(self, source: Source) -> analysis.Analysis:
        """Analyse with all rules that do not fail; the others are noted as failures."""
        from savelint import analysis

        options, keras = self.options, self.task.settings.keras
        while True:
            try:
                return analysis.analyse(
                    source,
                    self.rules,
                    keras,
                    declared=self._declared,
                    gates=options.gates,
                    path=self.task.path if options.follow else "",
                    session=options.session,
                )
            except analysis.RuleError as error:
                working = tuple(rule for rule in self.rules if rule.code != error.code)
                # Without any rule left nothing is read, so a reader that fails ends here too.
                self.rules = working if len(working) < len(self.rules) else ()
                text = f"{error}; a defect of savelint, please report it"
                self.failures.append(Failure(RULE_FAILED, text))

    def _declared(self) -> Evidence | None:
        return self.options.dependencies.evidence(self.task.path)

    def _fixable(self, source: Source) -> tuple[Finding, ...]:
        """Return the findings for the fixer: what is not shown is not fixed either."""
        _, findings = self._find(source)
        hidden = Severity.NOTE if not self.options.notes else None
        return tuple(f for f in findings if f.severity is not hidden)

    def _with_withheld(
        self, findings: Iterable[Finding], withheld: dict[Finding, str]
    ) -> Iterator[Finding]:
        """Yield the findings; those whose fix was withheld say so, and are noted besides."""
        for finding in findings:
            reason = withheld.get(finding)
            if reason is None or finding.fix is None:
                yield finding
                continue
            fix = replace(finding.fix, safety=Safety.DISPLAY, reason=reason)
            yield replace(finding, fix=fix)
            if WITHHELD.code in self.enabled:
                yield _own(WITHHELD, finding, f"fix of `{finding.code}` was withheld: {reason}")


def _own(what: OwnCode, at: Finding, message: str) -> Finding:
    return replace(
        at,
        code=what.code,
        name=what.name,
        severity=what.severity,
        message=message,
        consequence="",
        note="",
        labels=(),
        fix=None,
    )
