"""One line a finding, for editors and for reading many."""

from __future__ import annotations

from collections.abc import Iterator

from savelint.report import FileReport, Report, View, mark, summary


def lines(report: Report, view: View) -> Iterator[str]:
    """Yield `path:line:column: CODE [*] message` for each finding, and the summary."""
    for file in report.files:
        yield from _file(file, view)
    yield from summary(report, view)


def _file(file: FileReport, view: View) -> Iterator[str]:
    yield from failures(file)
    for finding in view.shown(file.findings):
        assert file.source is not None
        line, column = file.source.position(finding.span.start)
        yield f"{file.path}:{line}:{column}: {finding.code} {mark(finding, view)}{finding.message}"


def failures(file: FileReport) -> Iterator[str]:
    """Yield `path:line:column: CODE message` for what could not be done."""
    for failure in file.failures:
        place = f":{failure.line}:{failure.column or 1}" if failure.line else ""
        yield f"{file.path}{place}: {failure.what.code} {failure.message}"
