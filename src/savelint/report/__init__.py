"""What a run has to say: the values that reporters read, and what all of them need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import Enum

from savelint.codes import OwnCode
from savelint.finding import Finding, Safety, Severity
from savelint.frozen import frozen
from savelint.source import Source


class Status(Enum):
    """What became of a file."""

    CHECKED = "checked"
    SKIPPED = "without Keras"  # read as far as it takes to know that no rule applies
    FAILED = "failed"


@frozen
class Failure:
    """Why a file could not be checked, wholly or in part; `line` is 0 if it has no place."""

    what: OwnCode
    message: str
    line: int = 0
    column: int = 0


@frozen
class FileReport:
    """All that is known of one file after its check.

    `path` names it to people, `identity` in fingerprints. `source` is the text that the
    findings point into: the fixed one if there were fixes, and None if there was nothing
    to read; `before` is the text before the `applied` fixes, else None. Findings are in
    the order of their places. `evidence` says what decided the Keras generation.
    """

    path: str
    status: Status
    identity: str = ""
    source: Source | None = None
    before: Source | None = None
    findings: tuple[Finding, ...] = ()
    applied: tuple[Finding, ...] = ()
    failures: tuple[Failure, ...] = ()
    evidence: str = ""


@frozen
class Report:
    """The reports of all files, in the order of their paths.

    `excluded` counts the files given by name that were left out.
    """

    files: tuple[FileReport, ...] = ()
    excluded: int = 0

    @property
    def failed(self) -> bool:
        """Tell whether anything could not be done."""
        return any(file.failures for file in self.files)


@frozen
class View:
    """How people want to see a report.

    `unsafe` fixes are shown as applicable, findings of severity note are shown with
    `notes`, no summary with `quiet`; `width` is that of the terminal, in cells.
    """

    unsafe: bool = False
    notes: bool = False
    quiet: bool = False
    width: int = 100

    def shown(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings to print."""
        return [f for f in findings if self.notes or f.severity is not Severity.NOTE]


def applicable(finding: Finding, *, unsafe: bool) -> bool:
    """Tell whether `--fix`, with or without `--unsafe-fixes`, would apply the finding's fix."""
    fix = finding.fix
    if fix is None or not fix.edits:
        return False
    return fix.safety is Safety.SAFE or (unsafe and fix.safety is Safety.UNSAFE)


def mark(finding: Finding, view: View) -> str:
    """Return what stands before a message: `[*] ` if there is a fix to apply."""
    return "[*] " if applicable(finding, unsafe=view.unsafe) else ""


def fingerprints(file: FileReport) -> list[str]:
    """Return one identifier per finding of `file`, in order, that outlives edits elsewhere.

    It is the SHA-256, in its first 32 hexadecimal digits, of the code, the file's
    identity, the text of the line where the finding starts, with its white space
    normalised, and how many findings with the same of all these come before it.
    """
    seen: Counter[tuple[str, str]] = Counter()
    result = []
    for finding in file.findings:
        line = ""
        if file.source is not None:
            number = file.source.position(finding.span.start).line
            line = " ".join(file.source.line_text(number).split())
        key = (finding.code, line)
        result.append(fingerprint(finding.code, file.identity, line, seen[key]))
        seen[key] += 1
    return result


def fingerprint(code: str, identity: str, line: str, occurrence: int) -> str:
    """Return the identifier of one finding; see `fingerprints`."""
    text = "\0".join((code, identity, line, str(occurrence)))
    import hashlib  # slow to import, and needed only for machine formats

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def count(number: int, noun: str) -> str:
    """Return `number` and the noun, in the plural where it needs one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def summary(report: Report, view: View) -> list[str]:
    """Return the lines that end a report for people."""
    if view.quiet:
        return []
    return [
        *_fixed(report, "Fixed"),
        _found(report, view),
        *_fixable(report, view),
        *_hidden(report, view),
    ]


def diff_summary(report: Report) -> list[str]:
    """Return the lines that follow a diff."""
    failed = sum(file.status is Status.FAILED for file in report.files)
    lines = _fixed(report, "Would fix") or ["No fixes to apply."]
    if failed:
        lines.append(f"{count(failed, 'file')} of {len(report.files)} could not be checked.")
    return lines


def _fixed(report: Report, verb: str) -> list[str]:
    codes = Counter(finding.code for file in report.files for finding in file.applied)
    if not codes:
        return []
    files = sum(bool(file.applied) for file in report.files)
    detail = ", ".join(f"{number} {code}" for code, number in sorted(codes.items()))
    return [f"{verb} {count(codes.total(), 'finding')} in {count(files, 'file')} ({detail})."]


def _found(report: Report, view: View) -> str:
    statuses = Counter(file.status for file in report.files)
    parts = [f"{statuses[s]} {s.value}" for s in Status if statuses[s] or s is Status.CHECKED]
    if report.excluded:
        parts.append(f"{report.excluded} excluded")
    total = len(report.files) + report.excluded
    scope = f"{count(total, 'file')} ({', '.join(parts)})"
    findings = [view.shown(file.findings) for file in report.files]
    severities = Counter(finding.severity for found in findings for finding in found)
    if severities:
        affected = sum(bool(found) for found in findings)
        detail = ", ".join(
            count(severities[s], s.value) for s in reversed(Severity) if severities[s]
        )
        return f"{count(severities.total(), 'finding')} ({detail}) in {affected} of {scope}."
    return f"No findings in {scope}." if report.failed else f"Clean: {scope}."


def _fixable(report: Report, view: View) -> list[str]:
    shown = [finding for file in report.files for finding in view.shown(file.findings)]
    safe = sum(applicable(finding, unsafe=False) for finding in shown)
    unsafe = sum(applicable(finding, unsafe=True) for finding in shown) - safe
    if view.unsafe and unsafe:
        return [f"{safe + unsafe} fixable with --fix --unsafe-fixes ({unsafe} unsafe)."]
    if safe:
        more = f" ({unsafe} more with --unsafe-fixes)" if unsafe else ""
        return [f"{safe} fixable with --fix{more}."]
    return [f"{unsafe} fixable with --fix --unsafe-fixes."] if unsafe else []


def _hidden(report: Report, view: View) -> list[str]:
    hidden = sum(len(f.findings) - len(view.shown(f.findings)) for f in report.files)
    return [f"{count(hidden, 'note')} not shown; see --notes."] if hidden else []


Renderer = Callable[[Report, View], Sequence[str]]
