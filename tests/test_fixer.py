"""Fixes applied to a fixpoint, the diff, and the write: what the user's file becomes."""

from __future__ import annotations

import ast
import errno
import os
import re
import shutil
import subprocess
import time
import tokenize
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.fixer import WriteError, fix, unified_diff, write
from savelint.source import Source, Span

Find = Callable[[Source], Sequence[Finding]]
# A text, and fixes as edits: (start, end, replacement).
Case = tuple[str, list[list[tuple[int, int, str]]]]


def finding(
    edits: Sequence[tuple[int, int, str]],
    safety: Safety = Safety.SAFE,
    code: str = "T1",
) -> Finding:
    """A finding at its first edit, with a fix of these (start, end, replacement)."""
    start, end = edits[0][:2] if edits else (0, 0)
    return Finding(
        code=code,
        name="test",
        severity=Severity.ERROR,
        message="",
        consequence="",
        keras_version=3,
        span=Span(start, end),
        fix=Fix("do it", safety, tuple(Edit(Span(a, b), text) for a, b, text in edits)),
    )


def once(*found: Finding) -> Find:
    """These findings for the first text, and none for what becomes of it."""
    calls: list[str] = []

    def find(source: Source) -> Sequence[Finding]:
        calls.append(source.text)
        return found if source.text == calls[0] else ()

    return find


def renaming(pattern: str, replacement: str, code: str = "T1") -> Find:
    """A rule: each match of a pattern is a finding, whose fix replaces it."""

    def find(source: Source) -> Sequence[Finding]:
        return [
            finding([(*match.span(), match.expand(replacement))], code=code)
            for match in re.finditer(pattern, source.text)
        ]

    return find


def together(*finds: Find) -> Find:
    return lambda source: [item for find in finds for item in find(source)]


def fixed(text: str, find: Find) -> str:
    return fix(Source("m.py", text), find, unsafe=False).source.text


# What a user sees.


def test_every_finding_is_fixed_and_the_rest_of_the_file_stays() -> None:
    result = fix(
        Source("m.py", "a = old\n\n\x0cb = [old ,  old]"), renaming("old", "new"), unsafe=False
    )
    assert result.source.text == "a = new\n\n\x0cb = [new ,  new]"
    assert len(result.applied) == 3
    assert result.findings == ()
    assert result.withheld == ()


def test_nested_findings_are_all_fixed() -> None:
    depth = 50
    find = renaming(r"f\(((?:[^f]|f(?!\())*?)\)", r"\1")  # the innermost only
    outermost = renaming(r"f\((.*)\)", r"\1")  # overlaps all that it holds
    text = "x = " + "f(" * depth + "y" + ")" * depth + "\n"
    assert fixed(text, find) == "x = y\n"
    assert fixed(text, outermost) == "x = y\n"


def test_an_outer_and_an_inner_fix_take_a_pass_each() -> None:
    def find(source: Source) -> Sequence[Finding]:
        outer = renaming(r"outer\((.*)\)", r"OUTER(\1)", "T1")
        inner = renaming(r"inner", "INNER", "T2")
        return [*inner(source), *outer(source)]

    result = fix(Source("m.py", "outer(inner, inner)\n"), find, unsafe=False)
    assert result.source.text == "OUTER(INNER, INNER)\n"
    assert [item.code for item in result.applied] == ["T1", "T2", "T2"]


def test_findings_come_from_the_final_text() -> None:
    text = "old\nkeep\n"
    find = together(renaming("old", "longer"), lambda source: [at(source, "keep")])

    def at(source: Source, word: str) -> Finding:
        start = source.text.index(word)
        return finding([(start, start + 4, "")], Safety.DISPLAY)

    result = fix(Source("m.py", text), find, unsafe=False)
    assert [item.span for item in result.findings] == [Span(7, 11)]


@pytest.mark.parametrize(
    ("safety", "unsafe", "is_applied"),
    [
        (Safety.SAFE, False, True),
        (Safety.SAFE, True, True),
        (Safety.UNSAFE, False, False),
        (Safety.UNSAFE, True, True),
        (Safety.DISPLAY, False, False),
        (Safety.DISPLAY, True, False),
    ],
)
def test_safety_decides_what_is_applied(safety: Safety, unsafe: bool, is_applied: bool) -> None:
    result = fix(Source("m.py", "a\n"), once(finding([(0, 1, "b")], safety)), unsafe=unsafe)
    assert (result.source.text == "b\n") == is_applied
    assert len(result.applied) == is_applied
    assert result.withheld == ()


def test_a_fix_without_edits_is_not_one() -> None:
    result = fix(Source("m.py", "a\n"), lambda _: [finding([])], unsafe=True)
    assert (result.applied, result.withheld) == ((), ())
    assert len(result.findings) == 1


def test_an_import_that_two_fixes_add_is_added_once() -> None:
    line = (0, 0, "import tensorflow as tf\n")
    find = once(finding([line, (0, 1, "tf.a")]), finding([(4, 5, "tf.b"), line]))
    result = fix(Source("m.py", "a + b\n"), find, unsafe=False)
    assert result.source.text == "import tensorflow as tf\ntf.a + tf.b\n"
    assert len(result.applied) == 2


def test_an_import_added_at_an_end_without_newline_is_added_once() -> None:
    line = (5, 5, "\nimport x")
    find = once(finding([line, (0, 1, "A")]), finding([line, (4, 5, "B")]))
    assert fixed("a + b", find) == "A + B\nimport x"


def test_two_imports_of_one_fix_keep_their_order() -> None:
    edits = [(0, 0, "import b\n"), (0, 0, "import a\n"), (0, 0, "import b\n"), (0, 1, "y")]
    assert fixed("x\n", once(finding(edits))) == "import b\nimport a\ny\n"


def test_different_insertions_at_one_point_take_a_pass_each() -> None:
    def find(source: Source) -> Sequence[Finding]:
        wanted = [name for name in "ab" if f"import {name}\n" not in source.text]
        return [finding([(0, 0, f"import {name}\n")], code=name) for name in wanted]

    result = fix(Source("m.py", "x\n"), find, unsafe=False)
    assert result.source.text == "import b\nimport a\nx\n"
    assert [item.code for item in result.applied] == ["a", "b"]


def test_fixes_that_only_touch_are_applied_in_one_pass() -> None:
    find = once(finding([(0, 1, "x")]), finding([(1, 2, "y")]), finding([(2, 2, "z")]))
    assert fixed("ab\n", find) == "xyz\n"
    assert fixed("ab\n", once(finding([(1, 1, "x")]), finding([(1, 2, "y")]))) == "axy\n"


def test_equal_insertions_of_one_fix_are_both_made() -> None:
    edits = [(0, 0, "f("), (0, 0, "f("), (1, 1, ")"), (1, 1, ")")]
    assert fixed("x\n", once(finding(edits))) == "f(f(x))\n"


def test_what_two_fixes_would_insert_into_a_line_is_inserted_once() -> None:
    def find(source: Source) -> Sequence[Finding]:
        missing = "1, " not in source.text
        return [finding([(2, 2, "1, ")], code=code) for code in ("T1", "T2") if missing]

    assert fixed("f(x)\n", find) == "f(1, x)\n"


def test_equal_closing_brackets_at_one_point_are_not_shared() -> None:
    # f(x) and x both end at 4: sharing the bracket that both fixes insert would be wrong.
    def find(source: Source) -> Sequence[Finding]:
        found = []
        if not source.text.startswith("A("):
            found.append(finding([(0, 0, "A("), (len(source.text) - 1, len(source.text) - 1, ")")]))
        if "B(" not in source.text:
            start = source.text.index("x")
            found.append(finding([(start, start, "B("), (start + 1, start + 1, ")")]))
        return found

    assert fixed("+x\n", find) == "A(+B(x))\n"


# What is withheld, and why.


def withheld(text: str, *found: Finding, encoding: str = "utf-8") -> list[str]:
    source = Source("m.py", text, encoding)
    result = fix(source, lambda now: found if now.text == text else (), unsafe=False)
    assert result.source == source
    assert result.applied == ()
    assert [item for item, _ in result.withheld] == list(found)
    return [reason for _, reason in result.withheld]


def test_a_fix_that_breaks_the_syntax_is_withheld() -> None:
    (reason,) = withheld("a = 1\n", finding([(4, 5, "(")]))
    assert "syntax error" in reason


def test_a_fix_that_deletes_a_comment_is_withheld() -> None:
    text = "a = f(  # why\n    1)\n"
    (reason,) = withheld(text, finding([(4, len(text) - 1, "1")]))
    assert "'# why'" in reason


def test_one_of_two_equal_comments_may_not_go_either() -> None:
    assert withheld("a  # c\nb  # c\n", finding([(0, 7, "")]))


def test_a_comment_that_moves_is_kept() -> None:
    text = "f(  # why\n    1)\n"
    assert fixed(text, once(finding([(0, len(text), "# why\nf(1)\n")]))) == "# why\nf(1)\n"


def test_a_hash_in_a_string_is_no_comment() -> None:
    assert fixed("a = '# b'\n", once(finding([(4, 9, "1")]))) == "a = 1\n"


def test_a_comment_swallowed_by_a_string_is_lost() -> None:
    assert withheld("a = 1\n# c\nb = 2\n", finding([(4, 5, "'''"), (15, 15, "'''")]))


def test_overlapping_edits_of_one_fix_are_withheld() -> None:
    (reason,) = withheld("abc\n", finding([(0, 2, "x"), (1, 3, "y")]))
    assert "overlap" in reason


@pytest.mark.parametrize("span", [(-1, 1), (0, 5), (2, 1)])
def test_edits_outside_the_text_are_withheld(span: tuple[int, int]) -> None:
    (reason,) = withheld("abc\n", finding([(*span, "x")]))
    assert "outside" in reason


def test_a_fix_that_the_encoding_cannot_hold_is_withheld() -> None:
    (reason,) = withheld("a = 1\n", finding([(4, 5, "'→'")]), encoding="latin-1")
    assert "latin-1" in reason


def test_a_fix_that_changes_nothing_is_withheld() -> None:
    assert withheld("a\n", finding([(0, 1, "a")]))


def test_only_the_guilty_fix_is_withheld() -> None:
    text = "".join(f"a{i} = old\n" for i in range(20))
    bad = "a13 = old"

    def find(source: Source) -> Sequence[Finding]:
        return [
            finding([(*match.span(1), "(" if match.group() == bad else "new")])
            for match in re.finditer(r"a\d+ = (old)", source.text)
        ]

    result = fix(Source("m.py", text), find, unsafe=False)
    assert result.source.text == text.replace("old", "new").replace("a13 = new", bad)
    assert len(result.applied) == 19
    assert [item for item, _ in result.withheld] == list(result.findings)
    assert len(result.withheld) == 1


def test_what_waits_for_a_guilty_fix_gets_its_turn() -> None:
    def find(source: Source) -> Sequence[Finding]:
        broken = [finding([(0, len(source.text), "(")])]
        return [*broken, *renaming("old", "new")(source)]

    result = fix(Source("m.py", "a = old\n"), find, unsafe=False)
    assert result.source.text == "a = new\n"
    assert len(result.withheld) == 1


def test_fixes_that_only_break_together_are_applied_in_turn() -> None:
    # Each removes one of two statements, which is sound; both would leave an empty body.
    def find(source: Source) -> Sequence[Finding]:
        return [finding([(*match.span(), "")]) for match in re.finditer(r"    [ab]\n", source.text)]

    result = fix(Source("m.py", "if x:\n    a\n    b\n"), find, unsafe=False)
    assert result.source.text == "if x:\n    b\n"
    assert len(result.applied) == 1
    assert [reason for _, reason in result.withheld if "syntax error" in reason]


@pytest.mark.parametrize("length", [1, 2, 3, 7])
def test_fixes_that_undo_each_other_leave_the_text_alone(length: int) -> None:
    find = together(*(renaming(f"v{i}", f"v{(i + 1) % length}") for i in range(length)))
    result = fix(Source("m.py", "v0\n"), find, unsafe=False)
    assert result.source.text == "v0\n"
    assert result.applied == ()
    assert len(result.withheld) == 1
    assert result.findings == tuple(find(result.source))


def test_other_fixes_are_applied_beside_a_cycle() -> None:
    find = together(renaming("a", "b"), renaming("b", "a"), renaming("old", "new"))
    result = fix(Source("m.py", "a = old\n"), find, unsafe=False)
    assert result.source.text == "a = new\n"
    assert len(result.applied) == 1
    assert [item.span for item, _ in result.withheld] == [Span(0, 1)]


def test_the_text_before_a_cycle_is_kept() -> None:
    find = together(renaming("start", "a1"), renaming("a1", "b2"), renaming("b2", "a1"))
    result = fix(Source("m.py", "start\n"), find, unsafe=False)
    assert result.source.text == "a1\n"
    assert len(result.applied) == 1


def test_a_fix_that_never_settles_is_stopped() -> None:
    result = fix(Source("m.py", "x\n"), renaming("^x", "xx"), unsafe=False)
    assert len(result.applied) == 100
    assert [reason for _, reason in result.withheld if "not settled" in reason]


# Newer syntax than the running Python's.


@pytest.fixture
def old_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python whose `ast` refuses `match`, which libcst knows."""
    parse = ast.parse

    def refuse(text: str) -> ast.Module:
        if re.search(r"^match ", text, re.MULTILINE):
            raise SyntaxError("invalid syntax")
        return parse(text)

    monkeypatch.setattr(ast, "parse", refuse)


NEWER = "match x:\n    case 1:\n        old  # c\n"


@pytest.mark.usefixtures("old_python")
def test_newer_syntax_is_fixed() -> None:
    assert fixed(NEWER, renaming("old", "new")) == NEWER.replace("old", "new")


@pytest.mark.usefixtures("old_python")
def test_newer_syntax_is_not_broken() -> None:
    (reason,) = withheld(NEWER, finding([(6, 7, "(")]))
    assert "syntax error" in reason


@pytest.mark.usefixtures("old_python")
def test_a_fix_may_not_bring_newer_syntax() -> None:
    text = "if x:\n    case\n"
    assert withheld(text, finding([(0, len(text), "match x:\n    case 1: pass\n")]))


def test_comments_are_kept_where_the_tokenizer_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise SyntaxError("invalid syntax")

    monkeypatch.setattr(tokenize, "generate_tokens", refuse)
    assert fixed("old\nx = 1  # c\n", renaming("old", "new")) == "new\nx = 1  # c\n"
    assert withheld("x = f(  # c\n1)\n", finding([(4, 14, "1")]))


# The same for any way of writing a file down.


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_fix_writes_the_file_s_own_newlines(newline: str) -> None:
    text = "import os\nx = 1\n".replace("\n", newline)
    at = text.index("x")
    find = once(finding([(at, at, "import a\nimport b\n"), (at, at + 1, "y")]))
    expected = "import os\nimport a\nimport b\ny = 1\n".replace("\n", newline)
    assert fixed(text, find) == expected


def test_a_replacement_that_has_the_file_s_newlines_is_taken_as_it_is() -> None:
    assert fixed("x\r\n", once(finding([(0, 0, "import a\r\n")]))) == "import a\r\nx\r\n"


WORDS = st.lists(st.sampled_from(["old", "é", "x1", "'s'", "('t',\n old)", "[\n]"]), max_size=8)


@given(
    WORDS,
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([("utf-8", False), ("utf-8", True), ("iso-8859-1", False)]),
)
def test_newlines_marks_and_encodings_make_no_difference(
    words: list[str], newline: str, written: tuple[str, bool]
) -> None:
    encoding, bom = written
    plain = f"# coding: {encoding}\n" + "".join(f"y = {word}\n" for word in words)
    source = Source("m.py", plain.replace("\n", newline), encoding, bom)
    data = fix(source, renaming("old", "(\n  new)"), unsafe=False).source.to_bytes()
    expected = fixed(plain, renaming("old", "(\n  new)")).replace("\n", newline)
    again = Source.from_bytes("m.py", data)
    assert (again.text, again.encoding, again.bom) == (expected, encoding, bom)


@st.composite
def texts_with_edits(draw: st.DrawFn) -> Case:
    """A line of names, and fixes that replace some of them or insert around them."""
    count = draw(st.integers(1, 30))
    text = " + ".join(["abc"] * count) + "\n"
    fixes = []
    for index in range(count):
        start = 6 * index
        kind = draw(st.sampled_from(["none", "replace", "wrap", "part"]))
        if kind == "replace":
            fixes.append(
                [(start, start + 3, draw(st.sampled_from(["d", "'é'", "(\n1)", "longer"])))]
            )
        elif kind == "wrap":
            fixes.append([(start + 3, start + 3, ")"), (start, start, "f(")])
        elif kind == "part":
            fixes.append([(start + 1, start + 2, "")])
    return text, draw(st.permutations(fixes))


@given(texts_with_edits())
def test_edits_are_applied_as_if_one_by_one_from_the_end(
    case: Case,
) -> None:
    text, fixes = case
    result = fix(Source("m.py", text), once(*map(finding, fixes)), unsafe=False)
    for start, end, replacement in sorted(
        (edit for edits in fixes for edit in edits), reverse=True
    ):
        text = text[:start] + replacement + text[end:]
    assert result.source.text == text
    assert len(result.applied) == len(fixes)


@st.composite
def texts_with_any_edits(draw: st.DrawFn) -> Case:
    text = draw(
        st.sampled_from(["a = f(b, c)  # d\n\nif a:\n    b\n", "x = [\n  1, # 2\n  3]\r\n", "a"])
    )
    point = st.integers(0, len(text))
    words = st.sampled_from(["", "z", ")", "(", "# n", "\n", "    ", "import q\n"])
    edit = st.tuples(point, point, words).map(lambda e: (min(e[:2]), max(e[:2]), e[2]))
    return text, draw(st.lists(st.lists(edit, min_size=1, max_size=3), max_size=6))


@given(texts_with_any_edits())
def test_whatever_is_offered_the_result_parses_and_keeps_every_comment(
    case: Case,
) -> None:
    text, fixes = case
    found = [finding(edits, code=f"T{i}") for i, edits in enumerate(fixes)]
    # A finding that begins at a comment is about it, and may remove it.
    found = [item for item in found if not text.startswith("#", item.span.start)]
    result = fix(Source("m.py", text), once(*found), unsafe=False)
    ast.parse(result.source.text)
    assert re.findall(r"# [d2](?!\S)", text) == re.findall(r"# [d2](?!\S)", result.source.text)
    if not result.applied:
        assert result.source.text == text
        assert [item for item, _ in result.withheld] == sorted(
            found, key=lambda item: (item.span, item.code)
        )


@given(st.lists(st.sampled_from(["aa", "bb", "cc", "dd"]), max_size=12), st.data())
def test_a_fixpoint_stays_one(words: list[str], data: st.DataObject) -> None:
    pairs = data.draw(
        st.dictionaries(st.sampled_from(["aa", "bb", "cc"]), st.sampled_from(["aa", "bb", "dd"]))
    )
    find = together(*(renaming(old, new) for old, new in pairs.items()))
    source = Source("m.py", "".join(f"{word} = {word}\n" for word in words))
    first = fix(source, find, unsafe=False)
    again = fix(first.source, find, unsafe=False)
    assert again.source == first.source
    assert again.applied == ()
    assert first.findings == tuple(find(first.source))


def test_ten_thousand_fixes_take_seconds_not_minutes() -> None:
    text = "x = old\n" * 10_000
    started = time.perf_counter()
    assert fixed(text, renaming("old", "new")) == text.replace("old", "new")
    assert time.perf_counter() - started < 20


# The diff.


def test_a_diff_names_the_file_and_shows_the_change() -> None:
    assert unified_diff("a/m.py", "a\nold\nb\n", "a\nnew\nb\n") == (
        "--- a/m.py\n+++ a/m.py\n@@ -1,3 +1,3 @@\n a\n-old\n+new\n b\n"
    )


def test_no_change_gives_no_diff() -> None:
    assert unified_diff("m.py", "a\n", "a\n") == ""


def test_a_missing_last_newline_is_said() -> None:
    assert unified_diff("m.py", "a", "b\n").splitlines()[3:] == [
        "-a",
        "\\ No newline at end of file",
        "+b",
    ]


LINES = st.lists(
    st.sampled_from(["a", "b", "", "é\x0cc", "d\r", "\u2028e", "-- f", "++ g", "x\x85y"]),
    max_size=12,
)


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs the patch command")
@given(LINES, LINES, st.tuples(st.booleans(), st.booleans()), st.sampled_from(["\n", "\r\n"]))
def test_patch_applies_the_diff(
    tmp_path_factory: pytest.TempPathFactory,
    before: list[str],
    after: list[str],
    ends: tuple[bool, bool],
    newline: str,
) -> None:
    old, new = (
        newline.join(lines) + (newline if end and lines else "")
        for lines, end in zip((before, after), ends, strict=True)
    )
    # patch removes a file that becomes empty, and takes an empty one for a new one.
    assume(old != new and old and new)
    folder = tmp_path_factory.mktemp("patch")
    for path in ("pkg/m.py", "pkg/with space.py"):
        target = folder / path
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(old.encode())
        diff = unified_diff(path, old, new).encode()
        subprocess.run(["patch", "-p0"], cwd=folder, input=diff, check=True, capture_output=True)
        assert target.read_bytes() == new.encode()


# The write.


def leftovers(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_bytes(b"old")
    path.chmod(0o751)
    write(path, b"old", b"new\r\n\xff")
    assert path.read_bytes() == b"new\r\n\xff"
    assert path.stat().st_mode & 0o7777 == 0o751
    assert leftovers(tmp_path) == ["m.py"]


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "m.py"
    target.write_bytes(b"old")
    link = tmp_path / "link.py"
    link.symlink_to("real/m.py")
    write(link, b"old", b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert leftovers(tmp_path / "real") == ["m.py"]


def test_a_reader_that_has_the_file_open_sees_the_old_bytes(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_bytes(b"old")
    with path.open("rb") as reader:
        write(path, b"old", b"new")
        assert reader.read() == b"old"


def test_another_hard_link_keeps_the_old_content(tmp_path: Path) -> None:
    path, other = tmp_path / "m.py", tmp_path / "other.py"
    path.write_bytes(b"old")
    other.hardlink_to(path)
    write(path, b"old", b"new")
    assert (path.read_bytes(), other.read_bytes()) == (b"new", b"old")


def test_a_file_that_changed_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_bytes(b"mine")
    with pytest.raises(WriteError, match=r"m\.py changed since it was read.*run again"):
        write(path, b"old", b"new")
    assert path.read_bytes() == b"mine"
    assert leftovers(tmp_path) == ["m.py"]


def test_a_file_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"m\.py was not written \(No such file"):
        write(tmp_path / "m.py", b"old", b"new")
    assert leftovers(tmp_path) == []


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.symlink_to("m.py")
    with pytest.raises(WriteError, match=r"m\.py was not written"):
        write(path, b"old", b"new")


def test_a_read_only_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.py"
    path.write_bytes(b"old")
    # Root may write to any file, so that a mode would prove nothing.
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)
    with pytest.raises(WriteError, match=r"m\.py is read-only: make it writable"):
        write(path, b"old", b"new")
    assert path.read_bytes() == b"old"


def fail(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("step", ["tempfile.mkstemp", "os.fsync", "pathlib.Path.replace"])
def test_a_failing_step_leaves_the_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "m.py"
    path.write_bytes(b"old")
    monkeypatch.setattr(step, fail)
    with pytest.raises(WriteError, match=r"m\.py was not written \(No space left.*free space"):
        write(path, b"old", b"new")
    assert path.read_bytes() == b"old"
    assert leftovers(tmp_path) == ["m.py"]


def test_an_interruption_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "m.py"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(path, b"old", b"new")
    assert leftovers(tmp_path) == ["m.py"]


def test_an_owner_that_cannot_be_kept_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    path = tmp_path / "m.py"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "chown", refuse)
    write(path, b"old", b"new")
    assert path.read_bytes() == b"new"
