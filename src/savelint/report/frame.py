"""Frames of source code: numbered lines with the spans under them, and changes to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

from savelint.finding import Edit
from savelint.frozen import frozen
from savelint.report.control import visible
from savelint.report.line import Line, cell_len
from savelint.source import Source, Span

GUTTER = "blue"
REMOVED = "red"
ADDED = "green"
TAB = 4
# Lines left out between two shown ones cost a line of dots, so fewer are shown instead.
_GAP = 2
_CONTEXT = 2  # unchanged lines round a change
_NARROWEST = 40  # cells of code that are shown however narrow the terminal is


@frozen
class Mark:
    """A span to underline with `sign`, and the text that stands at it."""

    span: Span
    text: str
    sign: str
    style: str


@frozen
class _Line:
    """A line as shown: tabs expanded, control characters made visible.

    `starts[i]` is the index in `text` of what stands for the character at offset i.
    """

    text: str
    starts: tuple[int, ...]

    def cells(self, offset: int) -> int:
        """Return the cell in which the character at `offset` starts."""
        return cell_len(self.text[: self.starts[min(offset, len(self.starts) - 1)]])


def _line(raw: str) -> _Line:
    pieces: list[str] = []
    starts: list[int] = []
    length = 0
    for char in raw:
        starts.append(length)
        tabbed = char == "\t"
        piece = " " * (TAB - cell_len("".join(pieces)) % TAB) if tabbed else visible(char)
        pieces.append(piece)
        length += len(piece)
    return _Line("".join(pieces), (*starts, length))


@frozen
class Frame:
    """Draws code of one source, with line numbers in a gutter of `digits` digits.

    Lines of more than `width` cells are cropped round what they show.
    """

    source: Source
    digits: int
    width: int

    def location(self, path: str, offset: int) -> Line:
        """Return the line that tells where the frame is."""
        line, column = self.source.position(offset)
        return Line((" " * self.digits + "--> ", GUTTER), (f"{path}:{line}:{column}", ""))

    def marked(self, marks: Iterable[Mark]) -> Iterator[Line]:
        """Draw the lines with marks on them, each followed by its marks; the rest is left out.

        A mark over several lines underlines the first of them.
        """
        by_line: dict[int, list[Mark]] = {}
        for mark in marks:
            by_line.setdefault(self.source.position(mark.span.start).line, []).append(mark)
        last = 0
        yield self.row()
        for number in sorted(by_line):
            if last and number - last > _GAP + 1:
                yield self._dots()
            elif last:
                for between in range(last + 1, number):
                    yield self.row(between, self._cropped(self.source.line_text(between)))
            yield from self._marked_line(number, by_line[number])
            last = number
        yield self.row()

    def change(self, edits: Sequence[Edit]) -> Iterator[Line]:
        """Draw what `edits` do, as removed and added lines with a little of what is round them."""
        lines = len(self.source.line_starts)
        top = max(1, self.source.position(min(e.span.start for e in edits)).line - _CONTEXT)
        last = self.source.position(max(e.span.end for e in edits)).line
        bottom = min(lines, last + _CONTEXT)
        old = [self.source.line_text(number) for number in range(top, bottom + 1)]
        begin, end = self.source.line_offset(top), self.source.line_offset(bottom + 1)
        # Of these lines alone: a file may have many changes.
        after = self.source.with_text(_apply(self.source.text, edits, begin, end))
        new = [after.line_text(number + 1) for number in range(len(after.line_starts))]
        if bottom < lines:
            del new[-1]  # what follows the line ending of the last one
        if bottom == lines and old[-1:] == new[-1:] == [""]:
            del old[-1], new[-1]  # what follows the last line ending is not a line
        groups = SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_CONTEXT)
        for index, group in enumerate(groups):
            if index:
                yield self._dots()
            for tag, i1, i2, j1, j2 in group:
                if tag == "equal":
                    for j in range(j1, j2):
                        yield self.row(top + j, self._cropped(new[j]))
                    continue
                for i in range(i1, i2):
                    yield self.row(top + i, self._cropped(old[i]), "-", REMOVED)
                for j in range(j1, j2):
                    yield self.row(top + j, self._cropped(new[j]), "+", ADDED)

    def row(self, number: int = 0, code: str = "", sign: str = "|", style: str = "") -> Line:
        """Draw one line with its gutter; without `number` the gutter is empty."""
        gutter = f"{number or '':>{self.digits}} "
        text = Line((gutter, GUTTER), (sign, style or GUTTER))
        # White space at the end tells something only where it changes.
        shown = code if style else code.rstrip()
        return text.append(f" {shown}", style) if shown.strip() else text

    @property
    def _room(self) -> int:
        return max(_NARROWEST, self.width - self.digits - len(" | "))

    def _dots(self) -> Line:
        return Line(("." * max(3, self.digits), GUTTER))

    def _cropped(self, raw: str) -> str:
        return _crop(_line(raw).text, 0, self._room)

    def _marked_line(self, number: int, marks: Sequence[Mark]) -> Iterator[Line]:
        raw = self.source.line_text(number)
        line = _line(raw)
        base = self.source.line_offset(number)
        spans: list[tuple[int, int, Mark]] = []
        for mark in marks:
            start = line.cells(mark.span.start - base)
            end = line.cells(min(mark.span.end - base, len(raw.rstrip())))
            spans.append((start, max(start + 1, end), mark))
        spans.sort(key=lambda item: item[:2])
        left = 0
        if cell_len(line.text) > self._room and max(end for _, end, _ in spans) > self._room - 1:
            # The start of the first span matters most; a quarter of the room goes before it.
            left = max(0, spans[0][0] - self._room // 4)
        yield self.row(number, _crop(line.text, left, self._room))
        last_cell = self._room - 1
        placed = [
            (min(max(start - left, 0), last_cell), min(max(end - left, 1), last_cell + 1), mark)
            for start, end, mark in spans
        ]
        for drawn in _annotations(placed):
            yield self.row().append(" ").extend(drawn)


_Placed = tuple[int, int, Mark]


def _annotations(placed: Sequence[_Placed]) -> Iterator[Line]:
    """Draw the rows under a line: the signs, then the texts that do not fit beside them."""
    apart = all(this[1] <= after[0] for this, after in pairwise(placed))
    if not apart:  # spans within spans: a row for each
        for item in placed:
            yield from _annotations([item])
        return
    signs = Line()
    for start, end, mark in placed:
        signs.append(" " * (start - len(signs))).append(mark.sign * (end - start), mark.style)
    *waiting, (_, _, rightmost) = placed
    if rightmost.text:
        signs.append(f" {visible(rightmost.text)}", rightmost.style)
    yield signs
    pending = [(start, mark) for start, _, mark in waiting if mark.text]
    if pending:
        yield _stems(pending)
    while pending:
        start, mark = pending.pop()
        row = _stems(pending)
        yield row.append(" " * (start - len(row))).append(visible(mark.text), mark.style)


def _stems(pending: Sequence[tuple[int, Mark]]) -> Line:
    row = Line()
    for start, mark in pending:
        row.append(" " * (start - len(row))).append("|", mark.style)
    return row


def _crop(text: str, left: int, room: int) -> str:
    """Return the part of `text` that is seen through a window of `room` cells from cell `left` on.

    What is cut off is told by an ellipsis in the first or the last cell of the window.
    """
    if not left and cell_len(text) <= room:
        return text
    pieces: list[str] = ["\u2026"] if left else []
    cell = 0
    used = 1 if left else 0
    for char in text:
        width = cell_len(char)
        if cell >= left + (1 if left else 0):
            if used + width > room - 1 and cell + width < cell_len(text):
                pieces.append("\u2026")
                break
            pieces.append(char)
            used += width
        elif cell + width > left + 1:  # a wide character that the edge of the window cuts
            pieces.append(" ")
            used += 1
        cell += width
    return "".join(pieces)


def _apply(text: str, edits: Iterable[Edit], begin: int, end: int) -> str:
    """The text from one offset to another, between which all edits are, with these made."""
    pieces: list[str] = []
    for edit in sorted(edits, key=lambda edit: edit.span):
        pieces += text[begin : edit.span.start], edit.replacement
        begin = edit.span.end
    return "".join((*pieces, text[begin:end]))
