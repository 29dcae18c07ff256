"""The findings as one JSON array, for other programs."""

from __future__ import annotations

import json
from typing import Any

from savelint.finding import Finding
from savelint.report import Failure, FileReport, Report, View, fingerprint, fingerprints
from savelint.source import Source, Span

Record = dict[str, Any]


def document(report: Report, view: View) -> str:
    """Return one array of `records`, indented."""
    return json.dumps(records(report, view), indent=2)


def records(report: Report, view: View) -> list[Record]:
    """Return an object per finding and failure; lines and columns are 1-based, in characters."""
    result: list[Record] = []
    for file in report.files:
        result += [_failure(file, failure) for failure in file.failures]
        if file.source is None:
            continue
        result += [
            _finding(file.path, file.source, finding, identifier)
            for finding, identifier in zip(file.findings, fingerprints(file), strict=True)
            if view.shown([finding])
        ]
    return result


def _finding(path: str, source: Source, finding: Finding, identifier: str) -> Record:
    fix = finding.fix
    return {
        "path": path,
        **_place(source, finding.span),
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "message": finding.message,
        "note": finding.note,
        "consequence": finding.consequence,
        "keras_version": finding.keras_version,
        "labels": [
            {
                "path": label.source.path if label.source else path,
                **_place(label.source or source, label.span),
                "message": label.text,
            }
            for label in finding.labels
        ],
        "fix": fix
        and {
            "safety": fix.safety.value,
            "message": fix.message,
            "reason": fix.reason,
            "edits": [
                {**_place(source, edit.span), "replacement": edit.replacement} for edit in fix.edits
            ],
        },
        "cell": None,
        "fingerprint": identifier,
    }


def _failure(file: FileReport, failure: Failure) -> Record:
    line, column = failure.line or 1, failure.column or 1
    return {
        "path": file.path,
        "line": line,
        "column": column,
        "end_line": line,
        "end_column": column,
        "code": failure.what.code,
        "name": failure.what.name,
        "severity": failure.what.severity.value,
        "message": failure.message,
        "note": "",
        "consequence": "",
        "keras_version": None,
        "labels": [],
        "fix": None,
        "cell": None,
        "fingerprint": fingerprint(failure.what.code, file.identity, "", 0),
    }


def _place(source: Source, span: Span) -> Record:
    start, end = source.position(span.start), source.position(span.end)
    return {
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
    }
