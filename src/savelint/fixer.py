"""Choose fixes, apply them, repeat to a fixpoint, and write the result without risk."""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import re
import stat
import tempfile
import tokenize
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from savelint.finding import Edit, Finding, Safety
from savelint.frozen import frozen
from savelint.keras.summary import parse
from savelint.source import Source, SourceError

# Overlapping fixes take a pass each, so this bounds the nesting of findings.
_PASSES = 100
_BARE_NEWLINE = re.compile(r"(?<!\r)\n")


class WriteError(Exception):
    """A file that was not written; it is as it was, and the text says what to do."""


@frozen
class Fixed:
    """What became of a source and its fixes.

    `findings`, and those in `withheld`, are of the final text; each of the latter comes
    with the reason why its fix was not applied. `applied` is in the order of application,
    each finding as it stood in the text of its own pass.
    """

    source: Source
    findings: tuple[Finding, ...]
    applied: tuple[Finding, ...]
    withheld: tuple[tuple[Finding, str], ...]


# What a fix replaces and by what, wherever it stands: a fix that is offered again in
# another pass is known by it.
_Signature = tuple[str, tuple[tuple[str, str], ...]]


@dataclass
class _Pass:
    """One text on the way, what was found in it, and what was done about it."""

    source: Source
    findings: tuple[Finding, ...]
    applied: tuple[Finding, ...] = ()
    accepted: list[Finding] = field(default_factory=list)
    refused: dict[Finding, str] = field(default_factory=dict)

    def applicable(self, unsafe: bool) -> list[Finding]:
        """Select the findings whose fix may be applied, in the order of their place."""
        levels = (Safety.SAFE, Safety.UNSAFE) if unsafe else (Safety.SAFE,)
        return sorted(
            (item for item in self.findings if _edits(item) and _safety(item) in levels),
            key=lambda item: (item.span, item.code),
        )

    def signature(self, finding: Finding) -> _Signature:
        text = self.source.text
        return finding.code, tuple((text[slice(*e.span)], e.replacement) for e in _edits(finding))

    @cached_property
    def comments(self) -> Counter[str]:
        return _comments(self.source.text)


def fix(
    source: Source, findings_of: Callable[[Source], Sequence[Finding]], *, unsafe: bool
) -> Fixed:
    """Apply the fixes that `findings_of` offers, pass by pass, until none is left.

    A fix is applied whole or not at all; one that overlaps another waits for the next
    pass. A fix is withheld when the result would not parse, would lose a comment or could
    not be encoded, and when fixes undo each other. Raises only what `findings_of` raises.
    """
    trail = [_Pass(source, tuple(findings_of(source)))]
    cyclic: set[_Signature] = set()
    for _ in range(_PASSES):
        now = trail[-1]
        chosen = _choose(now, now.applicable(unsafe), cyclic)
        if not chosen:
            break
        now.accepted = _accept(now, [], chosen)
        if not now.accepted:
            continue
        after = source.with_text(_apply(now.source, now.accepted))
        seen = next((i for i, past in enumerate(trail) if past.source.text == after.text), None)
        if seen is None:
            applied = (*now.applied, *now.accepted)
            trail.append(_Pass(after, tuple(findings_of(after)), applied))
        else:
            # The fixes since then undo each other: start again, without them.
            cyclic |= {past.signature(item) for past in trail[seen:] for item in past.accepted}
            trail = [_Pass(source, trail[0].findings)]
    last = trail[-1]
    unsettled = f"not settled after {_PASSES} passes; run again"
    withheld = ((item, last.refused.get(item, unsettled)) for item in last.applicable(unsafe))
    return Fixed(last.source, last.findings, last.applied, tuple(withheld))


def _edits(finding: Finding) -> tuple[Edit, ...]:
    return finding.fix.edits if finding.fix else ()


def _safety(finding: Finding) -> Safety:
    return finding.fix.safety if finding.fix else Safety.DISPLAY


def _choose(now: _Pass, findings: Iterable[Finding], cyclic: Set[_Signature]) -> list[Finding]:
    """Pick fixes that can be applied together, first come first served; refuse the unfit."""
    chosen: list[Finding] = []
    taken = _Taken(now.source.text)
    for finding in findings:
        edits = _edits(finding)
        if finding in now.refused:
            continue
        if reason := _malformed(edits, len(now.source.text)):
            now.refused[finding] = reason
        elif cyclic and now.signature(finding) in cyclic:
            now.refused[finding] = "applying it leads, with or without others, back to this text"
        elif taken.has_room_for(edits):
            taken.add(edits)
            chosen.append(finding)
    return chosen


def _malformed(edits: Sequence[Edit], length: int) -> str:
    """Why these edits of one fix cannot be applied, or nothing."""
    end = 0
    for edit in sorted(edits, key=lambda edit: edit.span):
        if not 0 <= edit.span.start <= edit.span.end <= length:
            return "its edits lie outside the text"
        if edit.span.start < end:
            return "its edits overlap each other"
        end = edit.span.end
    return ""


class _Taken:
    """The ranges and points of the text that the chosen fixes already edit."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._ranges: list[tuple[int, int]] = []
        self._points: list[int] = []
        self._inserted: set[Edit] = set()

    def has_room_for(self, edits: Iterable[Edit]) -> bool:
        return all(self._is_free(edit) for edit in edits)

    def add(self, edits: Iterable[Edit]) -> None:
        for edit in edits:
            if edit.span.start < edit.span.end:
                insort(self._ranges, (edit.span.start, edit.span.end))
            elif edit not in self._inserted:
                insort(self._points, edit.span.start)
                self._inserted.add(edit)

    def _is_free(self, edit: Edit) -> bool:
        if edit in self._inserted and _adds_lines(self._text, edit):
            return True
        start, end = edit.span
        # The last range that starts before this edit ends is the only one that may reach it.
        index = bisect_left(self._ranges, (end, 0))
        if index and self._ranges[index - 1][1] > start:
            return False
        if start == end:
            index = bisect_left(self._points, start)
            return index == len(self._points) or self._points[index] != start
        index = bisect_left(self._points, start + 1)
        return index == len(self._points) or self._points[index] >= end


def _adds_lines(text: str, edit: Edit) -> bool:
    """Whether an edit only inserts whole lines, so that two fixes can share it."""
    start, end = edit.span
    if start != end:
        return False
    opens = start == 0 or text[start - 1] in "\r\n"
    closes = start == len(text) or text[start] in "\r\n"
    return (opens and edit.replacement.endswith(("\n", "\r"))) or (
        closes and edit.replacement.startswith(("\n", "\r"))
    )


def _accept(now: _Pass, base: list[Finding], group: Sequence[Finding]) -> list[Finding]:
    """Add to `base` what of `group` can join it, halving until the guilty are alone.

    What is refused only for the company it would be in gets its turn in the next text.
    """
    reason = _objection(now, [*base, *group])
    if not reason:
        return [*base, *group]
    if len(group) > 1:
        half = len(group) // 2
        return _accept(now, _accept(now, base, group[:half]), group[half:])
    now.refused[group[0]] = reason
    return base


def _objection(now: _Pass, findings: Iterable[Finding]) -> str:
    """Why these fixes may not be applied together, or nothing."""
    findings = tuple(findings)
    after = now.source.with_text(_apply(now.source, findings))
    try:
        _check_syntax(after, now.source)
        after.to_bytes()
    except SourceError as error:
        return f"the result would be broken: {error}"
    lost = now.comments - _comments(after.text) - _reported_comments(now.source, findings)
    return f"it would delete the comment {next(iter(lost))!r}" if lost else ""


def _reported_comments(source: Source, findings: Iterable[Finding]) -> Counter[str]:
    """Count the comments that findings are about, such as a suppression of nothing."""
    starts = (finding.span.start for finding in findings)
    lines = (source.text[start : source.line_end(start)] for start in starts)
    return Counter(line for line in lines if line.startswith("#"))


def _check_syntax(after: Source, before: Source) -> None:
    """Raise SourceError unless `after` parses, by libcst if `before` too needs that."""
    try:
        parse(after)
    except SourceError:
        if _parses(before):
            raise
        # Newer syntax than the running Python's; libcst is slow to import.
        import libcst

        try:
            libcst.parse_module(after.text)
        except libcst.ParserSyntaxError as error:
            raise SourceError(f"syntax error: {error.message}") from error


def _parses(source: Source) -> bool:
    try:
        parse(source)
    except SourceError:
        return False
    return True


def _comments(text: str) -> Counter[str]:
    """Count each comment of a text."""
    lines = io.StringIO(text, newline=None).readline
    try:
        return Counter(
            token.string
            for token in tokenize.generate_tokens(lines)
            if token.type == tokenize.COMMENT
        )
    except (tokenize.TokenError, SyntaxError):
        # Newer syntax than the running Python's: a `#` in a string counts too, which errs
        # on the side of keeping it.
        return Counter(re.findall(r"#[^\r\n]*", text))


def _apply(source: Source, findings: Iterable[Finding]) -> str:
    """Edit the text by all these fixes, which do not overlap."""
    edits: list[Edit] = []
    shared: set[Edit] = set()
    for finding in findings:
        for edit in _edits(finding):
            if edit in shared:
                continue
            if _adds_lines(source.text, edit):
                shared.add(edit)
            edits.append(edit)
    # Stable, so that a fix's own insertions at one point stay in its order.
    edits.sort(key=lambda edit: edit.span)
    pieces: list[str] = []
    end = 0
    for edit in edits:
        pieces += (
            source.text[end : edit.span.start],
            _BARE_NEWLINE.sub(source.newline, edit.replacement),
        )
        end = edit.span.end
    pieces.append(source.text[end:])
    return "".join(pieces)


def unified_diff(path: str, before: str, after: str) -> str:
    """Render a change as a patch for `patch -p0`; empty if there is none.

    `path`, relative to where the patch is applied, stands in both headers. Lines keep
    their own endings, so a file with CRLF gives a patch with CRLF in its body.
    """
    # GNU patch reads a name with a blank in it only up to a tab.
    name = f"{path}\t" if " " in path else path
    lines = difflib.unified_diff(_patch_lines(before), _patch_lines(after), name, name)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _patch_lines(text: str) -> list[str]:
    """Lines as patch sees them: ended by a line feed and by nothing else."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def write(path: Path, before: bytes, after: bytes) -> None:
    """Replace the content of `path`, which must still be `before`, in one step.

    A reader sees the old bytes or the new, never a part. The mode is kept, the owner
    where the system allows it, and a symbolic link still points to the file it named.
    Other hard links keep the old content: writing through them could not be atomic.

    Raises WriteError, with the file as it was, when it changed, is gone or read-only, or
    when the system refuses.
    """
    try:
        status = path.stat()  # before resolve, whose error for a link to itself is another
        target = path.resolve()
        if not os.access(target, os.W_OK):
            raise WriteError(f"{path} is read-only: make it writable and run again")
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        temporary = Path(name)
        try:
            _fill(handle, after)
            _take_over(temporary, status)
            if target.read_bytes() != before:
                raise WriteError(f"{path} changed since it was read: not written, run again")
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WriteError(
            f"{path} was not written ({error.strerror or error}): check that {path.parent}"
            " exists, is writable and has free space, and run again"
        ) from error


def _fill(handle: int, data: bytes) -> None:
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _take_over(path: Path, status: os.stat_result) -> None:
    """Give `path` the owner, where allowed, and the mode of `status`."""
    if hasattr(os, "chown"):
        with contextlib.suppress(PermissionError):
            os.chown(path, status.st_uid, status.st_gid)
    # After chown, which clears the set-id bits.
    path.chmod(stat.S_IMODE(status.st_mode))
