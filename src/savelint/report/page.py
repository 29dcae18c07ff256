"""What there is to know of a rule: its page, and the list of all."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

from savelint.codes import OwnCode
from savelint.keras.generation import Keras
from savelint.rule import Example, Rule, consequence

Entry = Rule | OwnCode


def headline(entry: Entry) -> str:
    """Say in one line what is wrong."""
    return description(entry).partition("\n")[0]


def description(entry: Entry) -> str:
    """Return the text of the page: a rule's docstring."""
    return entry.text if isinstance(entry, OwnCode) else inspect.cleandoc(entry.__doc__ or "")


def severities(entry: Entry) -> dict[Keras, str]:
    """Say how grave it is in each Keras generation: a severity, or `off`."""
    if isinstance(entry, OwnCode):
        return dict.fromkeys(Keras, entry.severity.value)
    return {k: entry.severity[k].value if k in entry.severity else "off" for k in Keras}


def listing(entries: list[Entry]) -> str:
    """List the entries, a line each."""
    width = max(len(entry.name) for entry in entries)
    return "\n".join(f"{e.code}  {e.name:<{width}}  {headline(e)}" for e in entries)


def text(entry: Entry) -> str:
    """Return the page of a rule or of a code of savelint's own, for people."""
    return "\n".join(_lines(entry))


def record(entry: Entry) -> dict[str, Any]:
    """Return the page for programs."""
    rule = entry if isinstance(entry, Rule) else None
    return {
        "code": entry.code,
        "name": entry.name,
        "since": rule.since if rule else None,
        "severity": {str(k.value): severity for k, severity in severities(entry).items()},
        "summary": headline(entry),
        "description": description(entry),
        "examples": [
            {
                "variant": example.variant,
                "bad": example.bad,
                "good": example.good,
                "fixed": example.fixed,
                "consequence": {str(k.value): seen for k, seen in _seen(rule, example).items()},
            }
            for example in (rule.examples if rule else ())
        ]
        if rule
        else [],
    }


def _seen(rule: Rule, example: Example) -> dict[Keras, str]:
    return {k: consequence(rule.code, example.variant, k) for k in example.keras}


def _lines(entry: Entry) -> Iterator[str]:
    yield f"{entry.code} {entry.name}"
    said = severities(entry)
    if len(set(said.values())) == 1:
        grade = f"{said[Keras.V3]} in Keras 2 and Keras 3"
    else:
        grade = ", ".join(f"{severity} in Keras {k.value}" for k, severity in said.items())
    yield f"{grade}; since {entry.since}" if isinstance(entry, Rule) else grade
    yield ""
    yield description(entry)
    if isinstance(entry, OwnCode):
        return
    for example in entry.examples:
        yield ""
        yield f"Example `{example.variant}`:"
        yield ""
        yield _code(example.bad)
        seen = _seen(entry, example)
        if seen:
            yield ""
            yield "As seen under TensorFlow:"
        for keras, outcome in seen.items():
            lead = f"  in Keras {keras.value}: "
            yield textwrap.fill(
                outcome, 100, initial_indent=lead, subsequent_indent=" " * len(lead),
                break_long_words=False, break_on_hyphens=False,
            )  # fmt: skip
        yield ""
        yield "With the fix:" if example.fixed else "Use instead:"
        yield ""
        yield _code(example.good)


def _code(source: str) -> str:
    return textwrap.indent(source.strip("\n"), "    ")
