"""One source in, its findings out: the gates, the model of the file, the rules."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence, Set
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from savelint.files import Files
from savelint.finding import Finding
from savelint.frozen import frozen
from savelint.keras import METHODS, WORDS, clues
from savelint.keras.generation import (
    Evidence,
    Keras,
    package_evidence,
)
from savelint.keras.project import File, Project
from savelint.source import Source, SourceError, Span

if TYPE_CHECKING:
    from savelint.keras.model import ModuleModel
    from savelint.keras.visitor import Library

DEFAULT = Evidence(Keras.V3, "no evidence: the default")


class Checker(Protocol):
    """What the analysis asks of a rule, whether it is imported or not; see Rule."""

    @property
    def code(self) -> str:
        """The rule's code."""

    @property
    def severity(self) -> Container[Keras]:
        """The generations in which it is on."""

    @property
    def mentions(self) -> tuple[str, ...]:
        """Literals of which a file must hold one."""

    @property
    def clues(self) -> tuple[frozenset[str], ...]:
        """Sets of words of which a statement must hold one each."""

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Yield the findings in one file."""


class Session:
    """What the analyses of one run share: the files of the projects, each read once."""

    def __init__(self, files: Files | None = None) -> None:
        self.project = Project(files)

    @cached_property
    def library(self) -> Library:
        """What the visitor has read; libcst is behind it."""
        from savelint.keras.visitor import Library

        return Library(self.project)

    @cached_property
    def sketches(self) -> Library:
        """What the visitor has read without the places of anything: at a fraction of the price."""
        from savelint.keras.visitor import Library

        return Library(self.project, drawn=True)


@frozen
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
    rules: Sequence[Checker],
    keras: Keras | None = None,
    *,
    declared: Callable[[], Evidence | None] = lambda: None,
    gates: bool = True,
    path: str = "",
    session: Session | None = None,
) -> Analysis:
    """Run `rules` over `source`; findings are in the order of their place.

    `keras` is the generation, or None to read it from the file; where the file does not
    tell, `declared` is asked what its project depends on. `path` is where the file stands:
    names lead from there to the other files of its project, which `session` keeps; an empty
    one leads nowhere. Without `gates` every step runs even where nothing can be found; the
    result is the same.

    Raises SourceError for source that does not parse or is too deep to analyse, and
    RuleError when a rule itself fails.
    """
    if not any(mark in source.text for mark in (*WORDS, *METHODS)):
        return Analysis(())
    session = session or Session()
    file = session.project.open(source, path)
    if not _has_keras(file):
        return Analysis(())
    if keras is not None:
        evidence = Evidence(keras, "the settings say so")
    else:
        evidence = generation(file, declared)
    active = [rule for rule in rules if evidence.keras in rule.severity]
    if gates:
        statements, active = needed(file, active)
    else:
        statements = relevant(file)
    findings: tuple[Finding, ...] = ()
    if gates and active:
        active = _suspects(file, statements, active, evidence.keras, session)
    if gates and active:
        fewer, asked = needed(file, active)
        statements = fewer if asked == active else statements
    if active:
        findings = _findings(file, statements, active, evidence.keras, session)
    return Analysis(findings, True, evidence.keras, evidence.reason)


def generation(file: File, declared: Callable[[], Evidence | None]) -> Evidence:
    """Which Keras a file is written for, by itself, its bases, its project, or by default."""
    return (
        file.evidence
        or _evidence_by(file.base_files(), "with a base class")
        or _evidence_by(file.keras_files(), "which hands on Keras")
        or ((package := file.package()) and package_evidence(package.source))
        or declared()
        or DEFAULT
    )


def _evidence_by(files: Iterable[File], role: str) -> Evidence | None:
    """The generation by other files, the first that tells; `role` is what they are to a file."""
    for file in files:
        if file.evidence is not None:
            reason = file.evidence.reason.removeprefix("the file ")
            return Evidence(file.evidence.keras, f"{file.source.path}, {role}, {reason}")
    return None


def _has_keras(file: File) -> bool:
    return any(word in file.source.text for word in WORDS) or bool(file.keras_classes)


def relevant(file: File) -> set[int]:
    """The top-level statements that hold a Keras class or may save something."""
    return _with_script(file, _starts(file))


def needed(file: File, rules: Sequence[Checker]) -> tuple[set[int], list[Checker]]:
    """The top-level statements that a rule can have something to say about, and these rules."""
    words = frozenset[str]().union(*(each.words for each in file.summary.statements))
    rules = _possible(file.source.text, words, rules)
    marked = _marked(words, rules)
    starts = _starts(file) if rules else set()
    holding = _holding(file, starts, rules)
    if not holding:
        return set(), marked
    # What a class is depends on its parts, and on the classes of which it is a part.
    users = {start for start in starts if not holding.isdisjoint(file.leads_to(start))}
    wanted = users.union(holding, *(file.reach(start) for start in holding))
    wanted = _with_script(file, wanted, starts)
    # What one rule needs read may show another one what its own statement does not tell.
    mark = clues.MODEL if wanted & file.models else ""
    asked = [*_with_clues(file, frozenset(wanted), mark, rules), *marked]
    return wanted, [rule for rule in rules if rule in asked]


def _possible(text: str, words: frozenset[str], rules: Sequence[Checker]) -> list[Checker]:
    """The rules whose clues, or some of them, and whose mentions are anywhere in a file."""
    marked = words | {clues.MODEL, clues.PLAIN_CLASS}
    # To search the text costs more than to ask for words: only for what they leave.
    return [
        rule
        for rule in rules
        if _may_hold(rule, _missing(rule, marked)) and any(m in text for m in rule.mentions)
    ]


def _marked(words: frozenset[str], rules: Sequence[Checker]) -> list[Checker]:
    """The rules to which a mark of a statement is enough, by itself."""
    marks = clues.ALONE & words
    return [rule for rule in rules if rule.clues and all(marks & clue for clue in rule.clues)]


def _starts(file: File) -> set[int]:
    words = file.scope_words
    called = {i for i, each in enumerate(file.summary.statements) if each.called & words}
    return called.union(cls.statement for cls, _ in file.keras_classes)


def _with_script(file: File, wanted: set[int], starts: set[int] | None = None) -> set[int]:
    """The statements with, if one of them is a script's, all of the script's."""
    every = file.summary.statements
    begun = wanted if starts is None else wanted & starts
    if any(not every[index].definition for index in begun):
        # A script's statements are read together: one makes the model, another saves it.
        loose = {i for i, statement in enumerate(every) if not statement.definition}
        wanted = wanted.union(*(file.reach(index) for index in loose))
    return wanted


def _holding(file: File, starts: set[int], rules: Sequence[Checker]) -> set[int]:
    """The starts that hold a rule's clues."""
    models = file.models
    script = {i for i, each in enumerate(file.summary.statements) if not each.definition}
    holding: set[int] = set()
    for start in starts - script:
        reached = file.reach(start, through_keras=False)
        if _with_clues(file, reached, clues.MODEL if start in models else "", rules):
            holding.add(start)
    if starts & script:
        # One statement of a script makes a model, the next may build it.
        together = frozenset[int]().union(*(file.reach(i, through_keras=False) for i in script))
        if _with_clues(file, together, clues.MODEL if script & models else "", rules):
            holding |= starts & script
    return holding


def _with_clues(
    file: File, helpers: frozenset[int], mark: str, rules: Sequence[Checker]
) -> list[Checker]:
    """The rules of which statements, with the helpers and bases they lead to, have the clues."""
    words = {mark}.union(*(file.summary.statements[index].words for index in helpers))
    if any(file.has_plain_class(index) for index in helpers):
        words.add(clues.PLAIN_CLASS)
    missing = {rule.code: _missing(rule, words) for rule in rules}
    begun = [r for r in rules if missing[r.code] and _may_hold(r, missing[r.code])]
    abroad = file.words_abroad(helpers) if begun else frozenset()
    added = [rule for rule in begun if not any(map(abroad.isdisjoint, missing[rule.code]))]
    return [rule for rule in rules if not missing[rule.code] or rule in added]


def _missing(rule: Checker, words: Set[str]) -> list[frozenset[str]]:
    """The clues of a rule that are not among words."""
    return [clue for clue in rule.clues if words.isdisjoint(clue)]


def _may_hold(rule: Checker, missing: Sequence[frozenset[str]]) -> bool:
    """Whether what misses some of a rule's clues can have them all, with what it leads to.

    What helpers of other files do is no finding here: it can only add to some clue of this.
    """
    return len(missing) < len(rule.clues) or not any(map(clues.CARRIED.isdisjoint, missing))


def _suspects(
    file: File, statements: set[int], rules: Sequence[Checker], keras: Keras, session: Session
) -> list[Checker]:
    """The rules that find something in sketches of the statements."""
    # libcst is behind this import; files without a candidate never pay for it.
    from savelint.keras.regions import PlaceError

    suspects: list[Checker] = []
    module = _module(file, statements, keras, session.sketches)
    for rule in rules:
        try:
            if any(True for _ in _run(rule, module)):
                suspects.append(rule)
        except PlaceError:
            suspects.append(rule)
    session.sketches.close(file)
    return suspects


def _findings(
    file: File, statements: set[int], rules: Sequence[Checker], keras: Keras, session: Session
) -> tuple[Finding, ...]:
    module = _module(file, statements, keras, session.library)
    # A helper that two classes call is one place: its first finding stands.
    findings: dict[tuple[Span, str], Finding] = {}
    for rule in rules:
        for finding in _run(rule, module):
            findings.setdefault((finding.span, finding.code), finding)
    session.library.close(file)
    return tuple(finding for _, finding in sorted(findings.items(), key=lambda item: item[0]))


def _module(file: File, statements: set[int], keras: Keras, library: Library) -> ModuleModel:
    from savelint.keras.visitor import visit

    try:
        return visit(file, statements, keras, file.scope_words, library)
    except (SourceError, RecursionError, MemoryError):
        raise
    except Exception as error:
        raise RuleError("the reader", error) from error


def _run(rule: Checker, module: ModuleModel) -> Iterator[Finding]:
    from savelint.keras.regions import PlaceError

    try:
        yield from rule.check(module)
    except PlaceError:
        raise
    except Exception as error:
        raise RuleError(rule.code, error) from error
