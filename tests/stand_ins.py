"""A stand-in for the analysis: rules that look for words, so that tests need no real ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import pytest

from savelint.analysis import Analysis, RuleError, Session
from savelint.finding import Edit, Finding, Fix, Label, Safety, Severity
from savelint.keras.generation import Evidence, Keras
from savelint.rule import Example, Rule, Witness
from savelint.source import Source, SourceError, Span

BOTH = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}


class WordRule(Rule):
    since = "0.1"
    mentions = ()
    examples: ClassVar[Sequence[Example]] = ()
    silent = ()
    word = ""
    message = ""
    consequence = ""
    note = ""

    def fix(self, span: Span) -> Fix | None:
        return None

    def check(self, module: Any) -> Iterator[Finding]:
        source, keras = module
        for match in re.finditer(rf"\b{self.word}\b", source.text):
            span = Span(*match.span())
            yield Finding(
                code=self.code,
                name=self.name,
                severity=self.severity[keras],
                message=self.message,
                consequence=self.consequence,
                keras_version=keras.value,
                span=span,
                note=self.note,
                labels=tuple(self.labels(source)),
                fix=self.fix(span),
            )

    def labels(self, source: Source) -> Iterator[Label]:
        for match in re.finditer(r"\bneeded\b", source.text):
            yield Label(Span(*match.span()), "required here")


class Lost(WordRule):
    """`lost` is not saved.

    Consequence: the weights are gone.

    Fix: write `kept`; safe.
    """

    code, name = "SVL101", "lost-word"
    severity = BOTH
    word = "lost"
    message = "`lost` is not saved by `get_config`"
    consequence = "TypeError: missing 1 required positional argument: 'factor'"
    note = "not written here"
    examples = (
        Example(
            variant="plain", bad="x = lost\n", at="lost", good="x = kept\n", witness=Witness("x")
        ),
    )

    def fix(self, span: Span) -> Fix:
        return Fix("write `kept`", Safety.SAFE, (Edit(span, "kept"),))


class Risky(WordRule):
    """`risky` is traced once."""

    code, name = "SVL102", "risky-word"
    severity: ClassVar = {Keras.V2: Severity.WARNING, Keras.V3: Severity.WARNING}
    word = "risky"
    message = "`risky` is traced once"

    def fix(self, span: Span) -> Fix:
        return Fix("write `fine`", Safety.UNSAFE, (Edit(span, "fine"),), "it becomes trainable")


class Plain(WordRule):
    """`plain` is no weight, in Keras 3."""

    code, name = "SVL201", "plain-word"
    severity: ClassVar = {Keras.V3: Severity.WARNING}
    word = "plain"
    message = "`plain` is no weight"


class Remark(WordRule):
    """`remark` could be said better."""

    code, name = "SVL202", "remark-word"
    severity: ClassVar = {Keras.V2: Severity.NOTE, Keras.V3: Severity.NOTE}
    word = "remark"
    message = "`remark` could be said better"

    def fix(self, span: Span) -> Fix:
        return Fix("write `better`", Safety.SAFE, (Edit(span, "better"),))


class Exploding(WordRule):
    """`explode` makes the rule itself fail."""

    code, name = "SVL301", "exploding-word"
    severity = BOTH
    word = "explode"

    def check(self, module: Any) -> Iterator[Finding]:
        if self.word in module[0].text:
            raise KeyError("no such node")
        yield from ()


RULES: tuple[Rule, ...] = (Lost(), Risky(), Plain(), Remark(), Exploding())


def analyse(
    source: Source,
    rules: Sequence[Rule],
    keras: Keras | None = None,
    *,
    declared: Callable[[], Evidence | None],
    gates: bool = True,
    path: str = "",
    session: Session | None = None,
) -> Analysis:
    """As `analysis.analyse`, for the rules of this module."""
    if "too_deep" in source.text:
        raise RecursionError
    try:
        ast.parse(source.text)
    except SyntaxError as error:
        raise SourceError(
            f"does not parse: {error.msg}", error.lineno or 0, error.offset or 0
        ) from error
    chosen = keras or (Keras.V2 if "tf_keras" in source.text else Keras.V3)
    evidence = "`tf_keras` is imported" if "tf_keras" in source.text else "no evidence: the default"
    if "import" not in source.text:
        return Analysis((), has_keras=False, keras=chosen, evidence=evidence)
    findings: list[Finding] = []
    for rule in rules:
        try:
            if chosen in rule.severity:
                findings += rule.check((source, chosen))  # type: ignore[arg-type]
        except Exception as error:
            raise RuleError(rule.code, error) from error
    findings.sort(key=lambda finding: finding.span)
    return Analysis(tuple(findings), has_keras=True, keras=chosen, evidence=evidence)


@pytest.fixture
def word_rules(monkeypatch: pytest.MonkeyPatch) -> tuple[Rule, ...]:
    """Put the rules and the analysis of this module in the place of the real ones."""
    monkeypatch.setattr("savelint.analysis.analyse", analyse)
    monkeypatch.setattr("savelint.rules.RULES", RULES, raising=False)
    monkeypatch.setattr("savelint.rules.LEDGER", RULES)
    monkeypatch.setattr("savelint.rules.deferred", lambda: RULES)
    monkeypatch.setattr(
        "savelint.rule._witnessed",
        lambda: {"SVL101": {"plain": {"2": "TypeError in Keras 2", "3": "TypeError in Keras 3"}}},
    )
    return RULES
