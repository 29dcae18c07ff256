"""Whether models can be saved, for people and for programs."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from savelint.destination.errors import OR
from savelint.destination.outcome import Preflight, Problem, Verdict
from savelint.destination.spelling import written
from savelint.report import count
from savelint.report.control import visible

_WIDTH = 100
_SUMMARY = {
    Verdict.FAILS: "will fail",
    Verdict.UNKNOWN: "cannot be told",
    Verdict.OK: "can be saved to",
}
_NEED = "without --need, whether the model fits is not known"


def lines(results: Sequence[Preflight]) -> Iterator[str]:
    """Yield a paragraph per path, and the summary where there are several."""
    for result in results:
        yield from _result(result)
    if len(results) > 1:
        verdicts = Counter(result.verdict for result in results)
        parts = [f"{verdicts[v]} {text}" for v, text in _SUMMARY.items() if verdicts[v]]
        yield f"{count(len(results), 'path')}: {', '.join(parts)}."


def _result(result: Preflight) -> Iterator[str]:
    if result.ok:
        assert result.kind is not None
        kind = f"{written(result.kind)} of Keras {result.keras_version}"
        unsure = f" ({_NEED})" if result.need is None else ""
        yield from _prose("ok:", f"{result.path}: {kind} can be saved here{unsure}")
    for problem in result.problems:
        yield from _problem(result, problem)
    for advice in result.advice:
        yield from _prose(f"{advice.code} note:", advice.message)
        head, *code = advice.help.split("\n")
        yield from _prose("help:", head)
        yield from (f"      {line}" for line in code)
    yield ""


def _problem(result: Preflight, problem: Problem) -> Iterator[str]:
    head = f"{problem.code} {problem.verdict.value}:"
    yield from _prose(head, f"{result.path}: {problem.message}")
    if problem.reason:
        yield from _prose("  =", problem.reason)
    if problem.error:
        raises = f"saving with Keras {result.keras_version} raises"
        lead = raises if problem.verdict is Verdict.FAILS else f"if it fails, {raises}"
        yield from _prose("  =", f"{lead} {problem.error.replace(OR, ', or ')}")
    if problem.help:
        yield from _prose("help:", problem.help)


def _prose(lead: str, text: str) -> Iterator[str]:
    """Set `text` after `lead`, wrapped, further lines indented to the first."""
    yield from textwrap.wrap(
        visible(text),
        _WIDTH,
        initial_indent=f"{lead} ",
        subsequent_indent=" " * (len(lead) + 1),
        break_long_words=False,
        break_on_hyphens=False,
    )


def record(result: Preflight) -> dict[str, Any]:
    """The result for one path as a JSON object."""
    return {
        "path": result.path,
        "kind": result.kind.value if result.kind else None,
        "keras_version": result.keras_version,
        "need": result.need,
        "verdict": result.verdict.value,
        "problems": [
            {
                "code": problem.code,
                "name": problem.name,
                "verdict": problem.verdict.value,
                "message": problem.message,
                "reason": problem.reason,
                "error": problem.error,
                "help": problem.help,
            }
            for problem in result.problems
        ],
        "advice": [
            {
                "code": advice.code,
                "name": advice.name,
                "message": advice.message,
                "help": advice.help,
            }
            for advice in result.advice
        ],
    }
