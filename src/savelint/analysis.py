"""One source in, its findings out: the gates, the model of the file, the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from savelint.finding import Finding
from savelint.keras.generation import Keras
from savelint.rule import Rule
from savelint.source import Source


@dataclass(frozen=True)
class Analysis:
    """What the rules say of one source.

    `has_keras` is False for a file that never mentions Keras; `evidence` says, for
    people, what decided the generation.
    """

    findings: tuple[Finding, ...]
    has_keras: bool = False
    keras: Keras = Keras.V3
    evidence: str = "no evidence: the default"


class RuleError(Exception):
    """A rule raised: a defect of savelint, reported as SVL901."""

    def __init__(self, code: str, error: Exception) -> None:
        super().__init__(f"{code} failed: {type(error).__name__}: {error}")
        self.code = code


def analyse(
    source: Source, rules: Sequence[Rule], keras: Keras | None = None, *, gates: bool = True
) -> Analysis:
    """Run `rules` over `source`; findings are in the order of their place.

    `keras` is the generation, or None to read it from the file. Without `gates` every
    step runs even where nothing can be found; the result is the same.

    Raises SourceError for source that does not parse or is too deep to analyse, and
    RuleError when a rule itself fails.
    """
    raise NotImplementedError
