"""Comments that silence findings, and the findings about such comments.

    x = 1  # savelint: ignore[SVL301] why           one finding, on this statement
    x = 1  # savelint: ignore[SVL301, untracked-variable]
    x = 1  # savelint: ignore                       all findings on this statement
    # savelint: file-ignore[SVL1]                   a family, in the whole file
    x = 1  # noqa: SVL301                           as for other linters; bare: all

A comment speaks for findings that start on its own line. On the first or the last line
of a statement (for one with a body: of its header) it speaks for all that start in that
statement; decorators and the `def` or `class` under them are one statement here. A
comment alone on its line stands for the next line of code.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from savelint.codes import ALL, INVALID, OWN, UNUSED, Catalogue, OwnCode, UnknownCodeError
from savelint.finding import Edit, Finding, Fix, Safety
from savelint.frozen import frozen
from savelint.source import Source, Span

_DIRECTIVE = re.compile(
    r"#\s*savelint:\s*(?P<verb>[\w-]*)(?P<rest>\s*\[(?P<codes>[^\]#]*)\])?", re.IGNORECASE
)
_NOQA = re.compile(r"#\s*noqa\b(?P<colon>\s*:)?(?P<codes>[^#]*)", re.IGNORECASE)
_CODE = re.compile(r"[A-Za-z][\w-]*")
# What follows a bare `ignore` where brackets were forgotten or left open.
_LOOKS_LIKE_CODES = re.compile(r"[\[(:=]|\s*[\[(:=]?\s*SVL\d", re.IGNORECASE)
_SHOULD_BE = "write `# savelint: ignore[CODE]` or `# savelint: file-ignore[CODE]`"
_LAYOUT = (
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
)


class _Scope(Enum):
    STATEMENT = "ignore"
    FILE = "file-ignore"


@frozen
class _Named:
    """One selector inside a comment: as written, where, and the codes it stands for."""

    text: str
    span: Span
    codes: frozenset[str]


@frozen
class _Suppression:
    """One directive: as `written`, without its reason, which `span` includes.

    `comment` is the span of the whole comment, which may hold several directives; `line`
    is the line that it speaks for.
    """

    scope: _Scope
    written: str
    span: Span
    comment: Span
    line: int
    named: tuple[_Named, ...]
    noqa: bool = False

    def matches(self, code: str) -> tuple[_Named, ...]:
        return tuple(named for named in self.named if code in named.codes)


@dataclass
class _Comments:
    """What the tokens of a file say: its directives, and which lines belong together.

    `heads` maps each line of code to the lines whose comments speak for it.
    """

    suppressions: list[_Suppression] = field(default_factory=list)
    invalid: list[tuple[Span, str]] = field(default_factory=list)
    heads: dict[int, frozenset[int]] = field(default_factory=dict)


@frozen
class Suppressed:
    """The findings that stay, savelint's own on the comments among them, and the others."""

    kept: tuple[Finding, ...]
    silenced: tuple[Finding, ...]


def suppress(
    source: Source,
    findings: Sequence[Finding],
    *,
    catalogue: Catalogue,
    enabled: frozenset[str],
    off: frozenset[str] = frozenset(),
    keras_version: int = 3,
) -> Suppressed:
    """Take the suppressed findings out, and add what there is to say about the comments.

    `enabled` are the codes that were selected, `off` those that have no meaning in the
    file's Keras generation; of what was not reported for such a reason nobody can tell
    whether its suppression is still needed.
    """
    comments = _read(source, catalogue)
    used: set[_Named | Span] = set()
    kept: list[Finding] = []
    silenced: list[Finding] = []

    def sort(finding: Finding, *, explicit: bool) -> None:
        by = list(_silencers(source, comments, finding, explicit=explicit))
        used.update(by)
        (silenced if by else kept).append(finding)

    for finding in findings:
        sort(finding, explicit=False)
    everything = frozenset(catalogue.names) - {own.code for own in OWN}
    testable = (enabled & everything) - off
    own = [_own(INVALID, span, message, keras_version) for span, message in comments.invalid]
    for suppression in comments.suppressions:
        if not suppression.noqa:
            own += _unused(
                source, suppression, used, testable, everything <= enabled, keras_version
            )
    for finding in own:
        # A bare comment would hide its own uselessness: only one that names the code counts.
        if finding.code in enabled:
            sort(finding, explicit=True)
    return Suppressed(tuple(kept), tuple(silenced))


def _silencers(
    source: Source, comments: _Comments, finding: Finding, *, explicit: bool
) -> Iterator[_Named | Span]:
    """Yield what silences `finding`: selectors that name it, or spans of bare directives."""
    line = source.position(finding.span.start).line
    heads = comments.heads.get(line, frozenset((line,)))
    for suppression in comments.suppressions:
        if suppression.scope is _Scope.FILE or suppression.line in heads:
            if suppression.named:
                yield from suppression.matches(finding.code)
            elif not explicit:
                yield suppression.span


def _unused(
    source: Source,
    suppression: _Suppression,
    used: set[_Named | Span],
    testable: frozenset[str],
    all_tested: bool,
    keras_version: int,
) -> Iterator[Finding]:
    """Yield the finding that a suppression, or a part of it, silences nothing."""
    idle = [n for n in suppression.named if n not in used and n.codes and n.codes <= testable]
    if len(idle) == len(suppression.named):
        # A bare one is known to be useless only if every rule had its say.
        if not suppression.named and (suppression.span in used or not all_tested):
            return
        message = f"`{suppression.written}` silences nothing"
        fix = Fix("remove the comment", Safety.SAFE, (_removal(source, suppression),))
    elif idle:
        names = ", ".join(f"`{named.text}`" for named in idle)
        rest = ", ".join(named.text for named in suppression.named if named not in idle)
        inside = Span(suppression.named[0].span.start, suppression.named[-1].span.end)
        verb = "silences" if len(idle) == 1 else "silence"
        message = f"{names} in `{suppression.written}` {verb} nothing"
        fix = Fix(f"remove {names} from the comment", Safety.SAFE, (Edit(inside, rest),))
    else:
        return
    yield _own(UNUSED, suppression.span, message, keras_version, fix)


def _own(
    what: OwnCode, span: Span, message: str, keras_version: int, fix: Fix | None = None
) -> Finding:
    return Finding(
        code=what.code,
        name=what.name,
        severity=what.severity,
        message=message,
        consequence="",
        keras_version=keras_version,
        span=span,
        fix=fix,
    )


def _removal(source: Source, suppression: _Suppression) -> Edit:
    """Return the edit that takes a directive away, with the white space that it leaves behind."""
    text = source.text
    start, end = suppression.span
    if end < suppression.comment.end:
        return Edit(Span(start, end), "")  # another directive follows, and becomes the comment
    while start > 0 and text[start - 1] in " \t":
        start -= 1
    position = source.position(start)
    if position.column == 1:  # alone on its line: the line goes too
        end = source.line_offset(position.line + 1)
    return Edit(Span(start, end), "")


def _read(source: Source, catalogue: Catalogue) -> _Comments:
    """Read the comments up to a place that this Python's tokenizer refuses, if any."""
    comments = _Comments()
    alone: list[Span] = []  # comments on lines of their own, waiting for code
    first = 0  # line of the first token of the statement being read
    decorator = decorated = False  # whether it, and the one before it, is a decorator
    group: list[tuple[int, int]] = []  # first and last lines of what counts as one statement
    lines = io.StringIO(source.text, newline="").readline
    try:
        for token in tokenize.generate_tokens(lines):
            line, column = token.start
            if token.type == tokenize.COMMENT:
                start = source.line_offset(line) + column
                span = Span(start, start + len(token.string))
                if source.text[start - column : start].strip():
                    _directives(source, catalogue, span, line, comments)
                else:
                    alone.append(span)
            elif token.type not in _LAYOUT:
                for span in alone:
                    _directives(source, catalogue, span, line, comments)
                alone.clear()
                if not first:
                    first, decorator = line, token.string == "@"
            elif token.type == tokenize.NEWLINE and first:
                group = [*group, (first, line)] if decorated else [(first, line)]
                ends = frozenset(end for pair in group for end in pair)
                for inner in range(group[0][0], line + 1):
                    comments.heads[inner] = ends | {inner}
                first, decorated = 0, decorator
    except (tokenize.TokenError, SyntaxError):
        pass  # the analysis could read the file; what follows is taken to hold no comment
    for span in alone:
        _directives(source, catalogue, span, source.position(span.start).line, comments)
    return comments


def _directives(
    source: Source, catalogue: Catalogue, comment: Span, line: int, into: _Comments
) -> None:
    """Read the directives of one comment, which speaks for `line`."""
    text = source.text[slice(*comment)]
    for match in _DIRECTIVE.finditer(text):
        # Its reason runs to the end of the comment or to the next comment within it.
        end = text.find("#", match.end())
        end = len(text) if end < 0 else end
        span = Span(comment.start + match.start(), comment.start + end)
        written = match.group().strip()
        complaint = _complaint(match, text[match.end() : end])
        if complaint:
            into.invalid.append((span, f"`{written}` {complaint}: {_SHOULD_BE}"))
            continue
        scope = _Scope(match["verb"].lower())
        named = tuple(_named(catalogue, match, comment.start, into))
        into.suppressions.append(_Suppression(scope, written, span, comment, line, named))
    for match in _NOQA.finditer(text):
        span = Span(comment.start + match.start(), comment.start + match.end())
        words = [word.group() for word in _CODE.finditer(match["codes"])] if match["colon"] else []
        ours = tuple(
            _Named(word, span, codes) for word in words if (codes := _ours(catalogue, word))
        )
        if ours or not match["colon"]:
            into.suppressions.append(
                _Suppression(_Scope.STATEMENT, match.group(), span, comment, line, ours, noqa=True)
            )


def _complaint(match: re.Match[str], reason: str) -> str:
    """Say what is wrong with how a directive is written, or nothing."""
    if match["verb"].lower() not in (scope.value for scope in _Scope):
        return "is not a suppression"
    if match["rest"] is None and _LOOKS_LIKE_CODES.match(reason):
        return "is not followed by codes in brackets"
    if match["rest"] is not None and not match["codes"].strip(" \t,"):
        return "names no code"
    return ""


def _named(
    catalogue: Catalogue, match: re.Match[str], base: int, into: _Comments
) -> Iterator[_Named]:
    for word in re.finditer(r"[^\s,]+", match["codes"] or ""):
        start = base + match.start("codes") + word.start()
        span = Span(start, start + len(word.group()))
        try:
            codes = catalogue.expand(word.group())
        except UnknownCodeError as error:
            into.invalid.append((span, str(error)))
            codes = frozenset()
        yield _Named(word.group(), span, codes)


def _ours(catalogue: Catalogue, word: str) -> frozenset[str]:
    """Return the codes of a word in a `noqa` list, which names other tools' codes too."""
    if word.upper() == ALL:
        return frozenset()
    try:
        return catalogue.expand(word)
    except UnknownCodeError:
        return frozenset()
