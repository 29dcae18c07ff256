"""Findings as people read them best: the code, what is wrong in it, what happens, the cure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from savelint.finding import Finding, Safety, Severity
from savelint.report import Failure, FileReport, Report, View, mark, summary
from savelint.report.control import visible
from savelint.report.frame import GUTTER, Frame, Mark
from savelint.report.line import Line
from savelint.source import Source, Span

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold cyan"}
SECONDARY = "bold blue"
HELP = "bold cyan"
# Prose wider than this is hard to read, however wide the terminal is.
_PROSE = 100


def lines(report: Report, view: View) -> Iterator[Line]:
    """Draw the findings and failures of all files, a blank line after each, and the summary."""
    for file in report.files:
        for failure in file.failures:
            yield from _failure(file, failure, view)
            yield Line()
        for finding in view.shown(file.findings):
            assert file.source is not None
            yield from _finding(file.path, file.source, finding, view)
            yield Line()
    for line in summary(report, view):
        yield Line((line, ""))


def _finding(path: str, source: Source, finding: Finding, view: View) -> Iterator[Line]:
    style = STYLES[finding.severity]
    frame = Frame(source, _digits(source, finding), view.width)
    head = f"{finding.severity.value}: {mark(finding, view)}"
    yield from _prose(finding.code, style, f"{head}{finding.message}", view)
    yield frame.location(path, finding.span.start)
    yield from frame.marked(
        (
            Mark(finding.span, finding.note, "^", style),
            *(
                Mark(label.span, label.text, "-", SECONDARY)
                for label in finding.labels
                if label.source is None
            ),
        )
    )
    for label in finding.labels:
        if label.source is not None:
            other = Frame(label.source, frame.digits, view.width)
            yield other.location(label.source.path, label.span.start)
            yield from other.marked([Mark(label.span, label.text, "-", SECONDARY)])
    if finding.consequence:
        lead = " " * frame.digits + " ="
        # What it quotes, names among it, is the example's.
        seen = f"seen in Keras {finding.keras_version} on the rule's example"
        text = f"{seen}: {finding.consequence}"
        yield from _prose(lead, GUTTER, text, view)
    fix = finding.fix
    if fix is None:
        return
    yield from _prose("help:", HELP, fix.message, view)
    if fix.edits:
        yield from frame.change(fix.edits)
    if fix.safety is Safety.UNSAFE:
        yield from _prose("note:", HELP, f"unsafe: {fix.reason}", view)
    elif fix.safety is Safety.DISPLAY and fix.reason:
        yield from _prose("note:", HELP, f"not applied: {fix.reason}", view)


def _failure(file: FileReport, failure: Failure, view: View) -> Iterator[Line]:
    style = STYLES[failure.what.severity]
    text = f"{failure.what.severity.value}: {file.path}: {failure.message}"
    yield from _prose(failure.what.code, style, text, view)
    if file.source is None or not failure.line:
        return
    offset = file.source.line_offset(failure.line) + max(failure.column, 1) - 1
    frame = Frame(file.source, len(str(failure.line)), view.width)
    yield frame.location(file.path, offset)
    if failure.column:
        yield from frame.marked([Mark(Span(offset, offset), "", "^", style)])
    else:
        yield frame.row(failure.line, visible(file.source.line_text(failure.line)))


def _digits(source: Source, finding: Finding) -> int:
    """Tell how wide the gutter must be for all lines that the finding shows."""
    own = [label.span.start for label in finding.labels if label.source is None]
    others = [
        label.source.position(label.span.start).line
        for label in finding.labels
        if label.source is not None
    ]
    ends = [finding.span.start, *own]
    added = 0
    for edit in finding.fix.edits if finding.fix else ():
        ends.append(edit.span.end)
        added += edit.replacement.count("\n")
    # Two lines of context follow the last edit.
    last = source.position(max(ends)).line + added + (2 if finding.fix else 0)
    return len(str(max(last, *others, 1)))


def _prose(lead: str, style: str, text: str, view: View) -> Iterator[Line]:
    """Set `text` after `lead`, wrapped to the terminal, further lines indented to the first."""
    indent = len(lead) + 1
    width = max(indent + 20, min(view.width, _PROSE))
    first = True
    for paragraph in visible_lines(text):
        for line in textwrap.wrap(
            paragraph,
            width - indent,
            break_long_words=False,
            break_on_hyphens=False,
        ):
            begin = Line((lead, style), (" ", "")) if first else Line((" " * indent, ""))
            yield begin.append(line)
            first = False


def visible_lines(text: str) -> list[str]:
    """Return the lines of a message, with nothing in them that would steer a terminal."""
    return [visible(line) for line in text.splitlines()]
