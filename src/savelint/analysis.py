"""One source in, its findings out: the gates, the model of the file, the rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from savelint.finding import Finding
from savelint.keras import clues
from savelint.keras.generation import Evidence, Keras, file_evidence
from savelint.keras.summary import summarise
from savelint.source import Source, SourceError, Span

if TYPE_CHECKING:
    from savelint.keras.summary import Summary
    from savelint.rule import Rule

# A file with none of these words has nothing to do with Keras.
_WORDS = ("keras", "tensorflow")
# The calls for which a function, or the module itself, is read as a place that makes and
# saves models; `call` is there for `model.call = tf.function(model.call)`.
_SAVING = frozenset({"save", "save_model", "export", "add_endpoint", "call"})
DEFAULT = Evidence(Keras.V3, "no evidence: the default")


@dataclass(frozen=True)
class Analysis:
    """What the rules say of one source.

    `has_keras` is False for a file that never mentions Keras; `evidence` says, for
    people, what decided the generation.
    """

    findings: tuple[Finding, ...]
    has_keras: bool = False
    keras: Keras = DEFAULT.keras
    evidence: str = DEFAULT.reason


class RuleError(Exception):
    """A rule, or the reader of the file for all rules, raised: a defect of savelint (SVL901)."""

    def __init__(self, code: str, error: Exception) -> None:
        super().__init__(f"{code} failed: {type(error).__name__}: {error}")
        self.code = code


def analyse(
    source: Source,
    rules: Sequence[Rule],
    keras: Keras | None = None,
    *,
    declared: Callable[[], Evidence | None] = lambda: None,
    gates: bool = True,
) -> Analysis:
    """Run `rules` over `source`; findings are in the order of their place.

    `keras` is the generation, or None to read it from the file; where the file does not
    tell, `declared` is asked what its project depends on. Without `gates` every step runs
    even where nothing can be found; the result is the same.

    Raises SourceError for source that does not parse or is too deep to analyse, and
    RuleError when a rule itself fails.
    """
    if not any(word in source.text for word in _WORDS):
        return Analysis(())
    summary = _summary(source)
    if keras is not None:
        evidence = Evidence(keras, "the settings say so")
    else:
        evidence = file_evidence(source.text, summary) or declared() or DEFAULT
    active = [rule for rule in rules if evidence.keras in rule.severity]
    if gates:
        active = [rule for rule in active if _mentions(source.text, [rule])]
    statements = _relevant(summary, active if gates else None)
    findings = (
        _check(source, summary, statements, active, evidence.keras) if active and statements else ()
    )
    return Analysis(findings, True, evidence.keras, evidence.reason)


def _summary(source: Source) -> Summary:
    try:
        return summarise(source)
    except SourceError as error:
        if not isinstance(error.__cause__, SyntaxError):
            raise
        # What this Python's `ast` refuses may be newer syntax, which libcst knows.
        from savelint.keras.newer import summarise_newer

        newer = summarise_newer(source)
        if newer is None:
            raise
        return newer


def _mentions(text: str, rules: Sequence[Rule]) -> bool:
    return any(mention in text for rule in rules for mention in rule.mentions)


def _relevant(summary: Summary, rules: Sequence[Rule] | None) -> set[int]:
    """The top-level statements that a rule can have something to say about.

    With `rules` None all that hold a Keras class or may save something.
    """
    if rules is not None and not rules:
        return set()
    keras = {cls.statement for cls in summary.classes if cls.name in summary.kinds}
    words = _scope_words(summary)
    starts = keras | {
        i for i, statement in enumerate(summary.statements) if statement.called & words
    }
    wanted = starts if rules is None else _led_to(summary, starts, rules)
    if any(not summary.statements[index].definition for index in wanted & starts):
        # A script's statements are read together: one makes the model, another saves it.
        loose = {i for i, statement in enumerate(summary.statements) if not statement.definition}
        wanted = wanted.union(*(summary.reach(index) for index in loose))
    return wanted


def _scope_words(summary: Summary) -> frozenset[str]:
    """The calls that make a function, or the module, worth reading as a scope."""
    return _SAVING | summary.kinds.keys()


def _led_to(summary: Summary, starts: set[int], rules: Sequence[Rule]) -> set[int]:
    """The starts that hold a rule's clues, their definitions, and their users.

    What a class is depends on its parts, and on the classes of which it is a part.
    """
    models = summary.models
    holding = {
        start
        for start in starts
        if _holds_clues(summary, start, clues.MODEL if start in models else "", rules)
    }
    users = {start for start in starts if holding.intersection(summary.leads_to(start))}
    return users.union(holding, *(summary.reach(start) for start in holding))


def _holds_clues(summary: Summary, start: int, mark: str, rules: Sequence[Rule]) -> bool:
    """Whether a statement, with the helpers and bases that it leads to, has a rule's clues."""
    helpers = summary.reach(start, through_keras=False)
    words = {mark}.union(*(summary.statements[index].words for index in helpers))
    if any(summary.has_plain_class(index) for index in helpers):
        words.add(clues.PLAIN_CLASS)
    return any(all(words & clue for clue in rule.clues) for rule in rules)


def _check(
    source: Source,
    summary: Summary,
    statements: set[int],
    rules: Sequence[Rule],
    keras: Keras,
) -> tuple[Finding, ...]:
    # libcst is behind this import; files without a candidate never pay for it.
    from savelint.keras.visitor import visit

    try:
        module = visit(source, summary, statements, keras, _scope_words(summary))
    except (SourceError, RecursionError, MemoryError):
        raise
    except Exception as error:
        raise RuleError("the reader", error) from error
    # A helper that two classes call is one place: its first finding stands.
    findings: dict[tuple[Span, str], Finding] = {}
    for rule in rules:
        try:
            for finding in rule.check(module):
                findings.setdefault((finding.span, finding.code), finding)
        except Exception as error:
            raise RuleError(rule.code, error) from error
    return tuple(finding for _, finding in sorted(findings.items(), key=lambda item: item[0]))
