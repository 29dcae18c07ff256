"""What can be named: the codes of the rules and savelint's own, and how selectors pick them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from savelint.finding import Severity
from savelint.frozen import frozen

if TYPE_CHECKING:
    from savelint.rule import Rule

PREFIX = "SVL"
ALL = "ALL"
# Below this likeness a suggestion is more often wrong than right (SVL999 is no typo of SVL901).
_LIKENESS = 0.7


@frozen
class OwnCode:
    """A code that savelint itself reports; no rule stands behind it.

    `text` is its page. One that is not `selectable` tells that savelint could not do its
    job; it is always reported, and makes the exit code 2.
    """

    code: str
    name: str
    severity: Severity
    text: str
    selectable: bool = True


UNREADABLE = OwnCode(
    "SVL900",
    "unreadable-file",
    Severity.ERROR,
    """The file could not be read, decoded, parsed or, after a fix, written.

Consequence: nothing is known about a file that was not read; one that was not written is
as it was. The exit code is 2. The other files are checked all the same.

Fix: correct the path, the permissions, the encoding or the syntax that the message
names, or leave the file out with `exclude`.""",
    selectable=False,
)
RULE_FAILED = OwnCode(
    "SVL901",
    "rule-failed",
    Severity.ERROR,
    """A rule raised an exception on the file: a defect of savelint.

Consequence: the findings of that rule are missing for the file; those of the other rules
are reported. The exit code is 2.

Fix: report it with the message and, if possible, the file. Until then, leave the rule out
with `--ignore`.""",
    selectable=False,
)
UNUSED = OwnCode(
    "SVL902",
    "unused-suppression",
    Severity.WARNING,
    """A `# savelint: ignore` or `file-ignore` comment silences nothing.

Consequence: the comment outlived the defect it spoke of, or stands on the wrong line; it
would hide the next finding there.

Silent: for codes that were not enabled in this run or are off in the file's Keras
generation, and for `# noqa`, which other tools read too.

Fix: remove the comment, or the unused code within it; safe.""",
)
INVALID = OwnCode(
    "SVL903",
    "invalid-suppression",
    Severity.WARNING,
    """A `# savelint:` comment names an unknown code, or is not written as savelint reads it.

Consequence: it silences nothing, or less than it seems to.

Fix: none; write `# savelint: ignore[CODE] reason`, with codes or names of `savelint rule`.""",
)
WITHHELD = OwnCode(
    "SVL904",
    "fix-withheld",
    Severity.NOTE,
    """A fix was not applied, since the file would not have parsed or settled with it.

Consequence: the finding stays, and the file is as it would be without that fix.

Fix: none; correct the finding by hand.""",
)
OWN: tuple[OwnCode, ...] = (UNREADABLE, RULE_FAILED, UNUSED, INVALID, WITHHELD)


class Entry(NamedTuple):
    """A rule in the ledger: its code, its name, and its class."""

    code: str
    name: str
    implementation: str


class UnknownCodeError(Exception):
    """A selector that names nothing; the text suggests what was meant."""


@frozen
class Catalogue:
    """Every code that can be named, with its name, in order."""

    names: Mapping[str, str]

    @classmethod
    def of(cls, rules: Iterable[Rule | Entry]) -> Catalogue:
        """Return the catalogue of these rules and of savelint's own codes."""
        return cls({r.code: r.name for r in rules} | {own.code: own.name for own in OWN})

    def expand(self, selector: str) -> frozenset[str]:
        """Return the codes that a code, a name, a prefix such as `SVL1` or `ALL` stands for.

        Raises UnknownCodeError if there are none.
        """
        word = selector.upper()
        if word == ALL:
            return frozenset(self.names)
        if word.startswith(PREFIX):
            codes = frozenset(code for code in self.names if code.startswith(word))
        else:
            codes = frozenset(c for c, name in self.names.items() if name == selector.lower())
        if not codes:
            raise UnknownCodeError(
                f"`{selector}` is not a code or name savelint knows{self._hint(word)}"
            )
        return codes

    def specificity(self, selector: str) -> int:
        """Tell how narrow a known selector is: the length of its prefix; names count as codes."""
        word = selector.upper()
        if word == ALL:
            return 0
        return len(word) if word.startswith(PREFIX) else max(map(len, self.names))

    def _hint(self, word: str) -> str:
        known = {key.upper(): key for pair in self.names.items() for key in pair}
        import difflib  # slow to import, and needed only here

        close = difflib.get_close_matches(word, known, n=1, cutoff=_LIKENESS)
        return f"; did you mean `{known[close[0]]}`?" if close else ""


@frozen
class Selection:
    """What one place, the settings or the command line, selects and ignores.

    `select` is None where that place does not say.
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()

    def check(self, catalogue: Catalogue) -> None:
        """Raise UnknownCodeError for a selector that names nothing, or what cannot be chosen."""
        for selector in (*(self.select or ()), *self.ignore):
            codes = catalogue.expand(selector)
            for own in OWN:
                if not own.selectable and codes == {own.code}:
                    raise UnknownCodeError(
                        f"`{selector}` is always reported; to leave a file out, use `exclude`"
                    )


def enabled(catalogue: Catalogue, selections: Iterable[Selection]) -> frozenset[str]:
    """Return the codes that are on after all `selections`, the earlier ones being overruled.

    Within one selection the most specific selector wins, and `ignore` before `select` at
    equal length. A selection with `select` starts anew; one without it starts from what
    was on before it, at first everything.
    """
    on = frozenset(catalogue.names)
    for selection in selections:
        verdict: dict[str, bool] = {}
        said = [(catalogue.specificity(s), True, s) for s in selection.select or ()]
        said += [(catalogue.specificity(s), False, s) for s in selection.ignore]
        for _, chosen, selector in sorted(said, key=lambda item: (item[0], not item[1])):
            verdict.update(dict.fromkeys(catalogue.expand(selector), chosen))
        start = on if selection.select is None else frozenset()
        on = (start | {c for c, chosen in verdict.items() if chosen}) - {
            c for c, chosen in verdict.items() if not chosen
        }
    return on
