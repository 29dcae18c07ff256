"""The lines that a fix makes too long, broken as the file breaks its own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from savelint.finding import Edit, Fix
from savelint.frozen import frozen
from savelint.source import Source, Span

# The lengths of line that formatters are commonly asked for.
_WIDTHS = (79, 88, 100, 120)
_TAB = 4
# The conditions and definitions that open a block have their continuation lines further in.
_BLOCK = re.compile(r"(?:async|def|class|if|elif|while|for|with|except|@)\b")
_TOKEN = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<word>\b[^\W\d]\w*)|[()\[\]{},:#'"\\]"""
)
_CLOSED = {"(": ")", "[": "]", "{": "}"}
# What stands around the brackets of a line that is broken inside of them: no operators.
_PLAIN = re.compile(
    r"""(?:@|return\ |yield\ |await\ |(?:async\ )?def\ |\*{1,2}|\w+=|(["']).*\1:\ |lambda[^:]*:[ ]
    |[\w.\[\](){},\ *]+(?::\ [\w.\[\], |]+)?\ (?:[-+*/|&@]|//|\*\*)?=\ )*
    [\w.]*(?:\(\)|\[\]|\{\})[\w.()\[\]]*(?:\ ->\ .*)?[,:]?""",
    re.VERBOSE,
)


@frozen
class _Style:
    """How a file breaks its calls.

    Below the opening parenthesis (`aligned`), or on lines indented by some `levels`, with
    the closing one on a line of its own (`closed_alone`) or behind the last argument.
    """

    width: int
    indentation: str
    aligned: bool
    levels: int
    closed_alone: bool

    def fits(self, line: str) -> bool:
        return _length(line) <= self.width


@frozen
class _Brackets:
    """A pair of brackets in a line: their offsets, and where what they hold can be parted."""

    start: int
    end: int
    commas: tuple[int, ...]
    clauses: tuple[int, ...]  # of a comprehension: its `for`, and each `for` and `if` behind it


def width(source: Source) -> int:
    """How long a line may be: the file's own longest, but for a few that stand out."""
    return _style(source).width


def fitted(source: Source, fix: Fix) -> Fix:
    """The same fix, with the lines broken that its edits make too long."""
    edits: list[Edit] = []
    for group in _by_lines(source, fix.edits):
        edits += _fitted(source, group)
    return fix if tuple(edits) == fix.edits else replace(fix, edits=tuple(edits))


def _by_lines(source: Source, edits: Sequence[Edit]) -> Iterator[list[Edit]]:
    """Group edits by the lines that they change."""
    group: list[Edit] = []
    last = 0
    for edit in sorted(edits, key=lambda edit: edit.span):
        if group and source.position(edit.span.start).line > last:
            yield group
            group = []
        group.append(edit)
        last = max(last if len(group) > 1 else 0, source.position(edit.span.end).line)
    if group:
        yield group


def _fitted(source: Source, edits: list[Edit]) -> list[Edit]:
    start = source.line_offset(source.position(edits[0].span.start).line)
    end = source.line_end(max(edit.span.end for edit in edits))
    old = source.text[start:end]
    parts, at = [], start
    for edit in edits:
        parts += [source.text[at : edit.span.start], edit.replacement]
        at = edit.span.end
    new = "".join((*parts, source.text[at:end]))
    style = _style(source)
    before = old.split(source.newline)
    lines = new.split(source.newline)
    if all(map(style.fits, lines)) or not all(map(style.fits, before)):
        return edits
    above = source.text[:start].rstrip().rpartition("\n")[2]
    below = source.text[end:].lstrip("\r\n").partition("\n")[0]
    around = [above, *lines, below]
    broken: list[str] = []
    for previous, line, following in zip(around, lines, around[2:], strict=False):
        broken += [line] if style.fits(line) else _broken(style, line, previous, following)
    if broken == lines:
        return edits
    return [_narrow(Edit(Span(start, end), source.newline.join(broken)), old)]


def _narrow(edit: Edit, old: str) -> Edit:
    """The same edit without what it leaves as it is at both ends."""
    new = edit.replacement
    shorter = min(len(old), len(new))
    head = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    tail = next((i for i in range(shorter - head) if old[-1 - i] != new[-1 - i]), shorter - head)
    span = Span(edit.span.start + head, edit.span.end - tail)
    return Edit(span, new[head : len(new) - tail])


# -- breaking a line -----------------------------------------------------------------------


def _broken(style: _Style, line: str, previous: str, following: str) -> list[str]:
    """A line in several; as it is where that is not plain."""
    margin, code = _split(line)
    found = _brackets(code)
    if found is None:
        return _shortened(style, line, margin)
    pairs, opened, whole = found
    at = whole.clauses or whole.commas
    elements = [text for text in _parts(code, 0, len(code), at) if text]
    if opened is None and len(elements) > 1 and previous.rstrip().endswith(tuple(_CLOSED)):
        # All that the brackets hold, on a line of its own.
        comma = "" if whole.clauses else ","
        alone = following.strip().startswith(tuple(_CLOSED.values()))
        return _each(style, margin, elements, comma if alone else "", comma)
    if opened is not None:
        column = " " * _length(line[: len(margin) + opened + 1])
        is_aligned = _length(_split(following)[0]) == len(column)
        return _shortened(style, line, column, len(margin) + opened + 1) if is_aligned else [line]
    outside = list(code)
    for pair in pairs:
        outside[pair.start + 1 : pair.end] = [""] * (pair.end - pair.start - 1)
    splittable = [pair for pair in pairs if _can_split(code, pair)]
    if not splittable or not _PLAIN.fullmatch("".join(outside)):
        return [line]
    pair = max(splittable, key=lambda pair: pair.end - pair.start)
    return _split_at(style, margin, code, pair)


def _split_at(style: _Style, margin: str, code: str, pair: _Brackets) -> list[str]:
    """The content of a pair of brackets on lines of its own."""
    head, tail = margin + code[: pair.start + 1], code[pair.end :]
    at = pair.clauses or pair.commas
    elements = [text for text in _parts(code, pair.start + 1, pair.end, at) if text]
    glue = " " if pair.clauses else ", "
    comma = "" if pair.clauses else ","
    if style.aligned:
        inner = " " * _length(head)
        *most, last = elements
        lines = [*(f"{inner}{text}{comma}" for text in most), f"{inner}{last}{tail}"]
        if all(map(style.fits, lines)):
            return [head + lines[0][len(inner) :], *lines[1:]]
    inner = margin + style.indentation * style.levels
    together = inner + glue.join(elements)
    if not style.closed_alone:
        if style.fits(together + tail):
            return [head, together + tail]
        lines = _each(style, inner, elements, "", comma)
        return [head, *lines[:-1], lines[-1] + tail]
    # The comma at the end keeps a formatter of longer lines from joining them.
    if pair.clauses and style.fits(together):
        return [head, together, margin + tail]
    return [head, *_each(style, inner, elements, comma, comma), margin + tail]


def _each(
    style: _Style, inner: str, elements: Sequence[str], last: str, comma: str = ","
) -> list[str]:
    """Each element on a line of its own, and those that are still too long on several."""
    lines: list[str] = []
    for index, text in enumerate(elements):
        line = inner + text + (comma if index + 1 < len(elements) else last)
        lines += [line] if style.fits(line) else _broken(style, line, "", "")
    return lines


def _shortened(style: _Style, line: str, margin: str, start: int = 0) -> list[str]:
    """A line of arguments from `start` on, in two: as many stay on it as fit."""
    code = line[start:]
    for end in range(len(code), len(code) - 4, -1):
        # Without what closes brackets that other lines opened.
        found = _brackets(code[:end]) if not code[end:].strip(")]},:") else None
        for comma in reversed(found[2].commas if found and found[1] is None else ()):
            at = start + comma + 1
            if style.fits(line[:at]) and line[at:].strip(" )]},:"):
                return [line[:at], margin + line[at:].strip()]
    return [line]


def _can_split(code: str, pair: _Brackets) -> bool:
    """Whether brackets are those of a call, or of what holds several elements."""
    inside = code[pair.start + 1 : pair.end].strip()
    named = bool(re.search(r"[\w)\]]$", code[: pair.start]))
    if not inside or (code[pair.start] == "[" and named):
        return False
    return named or bool(pair.commas or pair.clauses) or code[pair.start] != "("


def _parts(code: str, start: int, end: int, at: Sequence[int]) -> Iterator[str]:
    for one, other in pairwise((start, *at, end)):
        yield code[one:other].strip(", ")


def _brackets(code: str) -> tuple[list[_Brackets], int | None, _Brackets] | None:
    """The outermost brackets of a line, one that it leaves open, and the line as if in brackets.

    None where it closes what it does not open, or holds a comment or an open string.
    """
    found: list[_Brackets] = []
    # (offset, bracket, commas, clauses) of each open bracket; that of the line itself first
    stack: list[tuple[int, str, list[int], list[int]]] = [(-1, "", [], [])]
    parameters = 0  # of how many lambdas the parameters are being read
    for token in _TOKEN.finditer(code):
        text, at = token.group(), token.start()
        if text in _CLOSED:
            stack.append((at, text, [], []))
        elif text in _CLOSED.values():
            start, bracket, commas, clauses = stack.pop()
            if not stack or _CLOSED[bracket] != text:
                return None
            if len(stack) == 1:
                found.append(_Brackets(start, at, tuple(commas), tuple(clauses)))
        elif text == "lambda":
            parameters += 1
        elif text == ":":
            parameters = max(parameters - 1, 0)
        elif text == "," and not parameters:
            stack[-1][2].append(at)
        elif text in {"for", "async"} or (text == "if" and stack[-1][3]):
            stack[-1][3].append(at)
        elif text in {"#", "'", '"', "\\"}:
            return None
    opened = stack[1][0] if len(stack) == 2 else None
    whole = _Brackets(-1, len(code), tuple(stack[0][2]), tuple(stack[0][3]))
    return (found, opened, whole) if len(stack) <= 2 else None


# -- the style of a file -------------------------------------------------------------------


@lru_cache(maxsize=1)
def _style(source: Source) -> _Style:
    lines = source.text.expandtabs(_TAB).splitlines()
    unit = max(_length(source.indentation), 1)
    levels: Counter[int] = Counter()
    closed_alone = sum(line.lstrip().startswith(")") for line in lines)
    aligned = 0
    for line, following in pairwise(lines):
        margin, code = _split(line)
        if not following.strip() or code.startswith("#") or _BLOCK.match(code):
            continue
        inner = len(following) - len(following.lstrip())
        if code.endswith("("):
            levels[1 if inner - len(margin) < 2 * unit else 2] += 1
        elif code.endswith(","):
            aligned += inner - 1 == _last_open(line)
    return _Style(
        width=_width(lines),
        indentation=source.indentation,
        aligned=aligned > levels.total(),
        levels=max(levels, key=lambda count: (levels[count], -count), default=1),
        closed_alone=2 * closed_alone >= levels.total(),
    )


def _width(lines: Sequence[str]) -> int:
    lengths = [len(line) for line in lines if not line.lstrip().startswith("#")]
    limits = (n for n in _WIDTHS if 100 * sum(length > n for length in lengths) <= len(lines))
    limit = next(limits, _WIDTHS[-1])
    return max(_WIDTHS[0], max((length for length in lengths if length <= limit), default=0))


def _last_open(line: str) -> int:
    """The column of the last parenthesis that a line leaves open, or -1."""
    closed = 0
    for column in range(len(line) - 1, -1, -1):
        closed += (line[column] == ")") - (line[column] == "(")
        if closed < 0:
            return column
    return -1


def _split(line: str) -> tuple[str, str]:
    """The white space before a line, and the line without what is around it."""
    code = line.strip()
    return line[: len(line) - len(line.lstrip())] if code else "", code


def _length(line: str) -> int:
    return len(line.expandtabs(_TAB))
