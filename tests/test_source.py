"""Bytes to text and back, and the places in the text, for every way of writing a file."""

from __future__ import annotations

import ast
import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from savelint.source import Position, Source, SourceError

ROUND_TRIPS = {
    "empty": b"",
    "only a mark": codecs.BOM_UTF8,
    "no final newline": b"a = 1",
    "crlf": b"a = 1\r\n\r\nb = 2\r\n",
    "lone cr": b"a = 1\rb = 2\r",
    "mixed": b"a = 1\r\nb = 2\nc = 3\rd = 4\n\r",
    "mark and crlf": codecs.BOM_UTF8 + "é = 1\r\n".encode(),
    "mark and cookie": codecs.BOM_UTF8 + "# coding: utf-8\né = 1\n".encode(),
    "form feeds and tabs": b"\x0cif a:\n\tb\n\x0c\tc \t\n",
    "unicode separators": "a = '\u2028\u0085\x1c'\n".encode(),
    "latin-1": b"# coding: latin-1\n\xe9 = '\x85'\n",
    "latin-1 by another spelling": b"#!/bin/sh\n# vim: set fileencoding=ISO-8859-1 :\n\xe9 = 1\r\n",
    "cp1252": b"# -*- coding: cp1252 -*-\na = '\x80'\n",
    "shift_jis": "# coding: shift_jis\na = 'ソ'\n".encode("shift_jis"),
    "gb18030": "# coding: gb18030\na = '漢'\n".encode("gb18030"),
    "koi8-r": "# coding: koi8-r\na = 'я'\n".encode("koi8-r"),
    "cookie behind a long line": b"#" + b"x" * 3000 + b"\n# coding: latin-1\na = '\xe9'\n",
    "cookie before a lone cr": b"# coding: latin-1\ra = '\xe9'\r",
    "cookie too late to count": "a = 1\nb = 2\n# coding: latin-1\nc = 'é'\n".encode(),
    "cookie in code": "coding = 'é'\n".encode(),
    "cookie below code": "a = 1\n# coding: latin-1\nb = 'é'\n".encode(),
}


@pytest.mark.parametrize("data", ROUND_TRIPS.values(), ids=ROUND_TRIPS)
def test_no_byte_changes_on_the_way_there_and_back(data: bytes) -> None:
    assert Source.from_bytes("m.py", data).to_bytes() == data


@pytest.mark.parametrize("data", ROUND_TRIPS.values(), ids=ROUND_TRIPS)
def test_the_text_means_to_python_what_the_bytes_mean(data: bytes) -> None:
    text = Source.from_bytes("m.py", data).text
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(data))


@given(
    st.text(st.characters(codec="latin-1", exclude_characters="\0"), max_size=60),
    st.sampled_from(["utf-8", "latin-1", "cp437"]),
    st.booleans(),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_any_text_survives_any_encoding(text: str, encoding: str, bom: bool, newline: str) -> None:
    bom = bom and encoding == "utf-8"
    whole = f"# coding: {encoding}{newline}{text}"
    data = whole.encode(encoding, errors="replace")
    source = Source.from_bytes("m.py", codecs.BOM_UTF8 * bom + data)
    assert source.text == data.decode(encoding)
    assert source.bom == bom
    assert source.to_bytes() == codecs.BOM_UTF8 * bom + data


ODD_CODECS = st.sampled_from(["utf-7", "utf-16", "idna", "rot13", "hz", "undefined", "cp037"])
ODD_FILES = st.builds(
    lambda codec, tail: f"# coding: {codec}\n".encode() + tail, ODD_CODECS, st.binary(max_size=30)
)


@given(st.binary(max_size=80) | ODD_FILES)
def test_bytes_are_read_exactly_or_refused_in_words(data: bytes) -> None:
    try:
        source = Source.from_bytes("m.py", data)
    except SourceError as error:
        assert str(error)
    else:
        assert source.to_bytes() == data


REFUSED = {
    "nul": (b"a\0b", "NUL", 0),
    "utf-16": ("a = 1".encode("utf-16"), "NUL", 0),
    "not utf-8": (b"a\r\n\nb = '\xe9'\n", "line 3 is not valid utf-8: save the file as UTF-8", 3),
    "not utf-8, lone cr": (b"a\rb = '\xe9'\r", "line 2 ", 2),
    "not utf-8, mark": (codecs.BOM_UTF8 + b"a\n\n\n\xff", "line 4 ", 4),
    "late cookie": (b"a\n\n# coding: latin-1\n\xe9", "line 4 is not valid utf-8", 4),
    "unknown": (b"# coding: nope\n", "unknown encoding: nope; declare", 0),
    "mark and another cookie": (codecs.BOM_UTF8 + b"# coding: latin-1\n", "declare", 0),
    "not text": (b"# coding: rot13\na\n", "rot13 is no encoding for text", 0),
    "no codec at all": (b"# coding: undefined\na\n", "undefined is no encoding for text", 0),
    "not written back": (b"# coding: unicode_escape\na = '\\u0041'\n", "written back", 0),
}


@pytest.mark.parametrize(("data", "reason", "line"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_says_why(data: bytes, reason: str, line: int) -> None:
    with pytest.raises(SourceError) as caught:
        Source.from_bytes("m.py", data)
    assert reason in str(caught.value)
    assert caught.value.line == line


def test_a_character_that_the_encoding_lacks_is_refused() -> None:
    source = Source.from_bytes("m.py", b"# coding: latin-1\n").with_text("a = '\u2192'")
    with pytest.raises(SourceError, match=r"2192.*save the file as UTF-8"):
        source.to_bytes()


def test_another_text_keeps_everything_else() -> None:
    source = Source("m.py", "a", "latin-1", bom=True).with_text("b")
    assert source == Source("m.py", "b", "latin-1", bom=True)


# Places.

PIECES = st.lists(
    st.sampled_from(["a = 1", "é = '→𝄞'", "\x0cb", "c \x0c+ d", "'\x85\u2028'", "# \x1c", ""]),
    max_size=8,
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def module_texts(draw: st.DrawFn) -> str:
    return "".join(piece + draw(ENDS) for piece in draw(PIECES))


@given(module_texts())
def test_lines_are_those_of_python(text: str) -> None:
    source = Source("m.py", text)
    for node in ast.parse(text).body:
        line = source.line_text(node.lineno)
        start = source.line_offset(node.lineno) + len(line.encode()[: node.col_offset].decode())
        segment = ast.get_source_segment(text.replace("\r\n", "\n").replace("\r", "\n"), node)
        assert segment is not None
        assert text.startswith(segment, start)
        assert source.position(start).line == node.lineno


@given(module_texts(), st.data())
def test_an_offset_and_its_position_are_one_place(text: str, data: st.DataObject) -> None:
    source = Source("m.py", text)
    offset = data.draw(st.integers(0, len(text)))
    line, column = source.position(offset)
    assert source.line_offset(line) + column - 1 == offset
    assert column >= 1


@given(module_texts())
def test_lines_and_their_ends_make_up_the_text(text: str) -> None:
    source = Source("m.py", text)
    rebuilt = ""
    for line, start in enumerate(source.line_starts, 1):
        assert start == len(rebuilt)
        end = source.line_offset(line + 1)
        ending = text[start + len(source.line_text(line)) : end]
        assert ending in ("\n", "\r\n", "\r", "")
        rebuilt += source.line_text(line) + ending
    assert rebuilt == text


def test_positions_count_characters_from_one() -> None:
    source = Source("m.py", "é𝄞a\r\nb")
    assert source.position(0) == Position(1, 1)
    assert source.position(2) == Position(1, 3)
    assert source.position(5) == Position(2, 1)
    assert source.position(6) == Position(2, 2)
    assert source.line_offset(3) == 6


@pytest.mark.parametrize(
    ("text", "newline"),
    [("", "\n"), ("a", "\n"), ("a\r\nb\n", "\r\n"), ("a\rb\r\n", "\r"), ("a\n\r", "\n")],
)
def test_the_first_newline_is_the_file_s_own(text: str, newline: str) -> None:
    assert Source("m.py", text).newline == newline


@pytest.mark.parametrize(
    ("text", "indentation"),
    [
        ("", "    "),
        ("a = 1\n", "    "),
        ("if a:\n  b\n", "  "),
        ("if a:\r\n\r\n\tb\r\n", "\t"),
        ("if a:\r   b\r", "   "),
        ("if a:  # c\n  # d\n\n      b\n", "      "),
        # What is indented without being a block.
        ('"""Args:\n  a: b\n"""\nif a:\n\tb\n', "\t"),
        ("a = {1:\n  2}\nif a:\n\tb\n", "\t"),
        ("def f(\n  a: int,\n): pass\nif a:\n\tb\n", "\t"),
        ("\x0cif a:\n\x0c   b\n", "   "),
        # Without a block, a line will do.
        ("a = f(\n\tb,\n)\n", "\t"),
        # Python itself cannot read it.
        ("a = (\n", "    "),
        ("a = '''\n", "    "),
    ],
)
def test_the_first_block_s_indentation_is_the_file_s_own(text: str, indentation: str) -> None:
    assert Source("m.py", text).indentation == indentation


def test_real_files_survive() -> None:
    library = Path(ast.__file__).parent
    # Some of Python's own tests are about files that say a wrong encoding.
    encoded = [path for path in library.glob("test/*coding*.py") if "bad" not in path.name]
    for path in [*sorted(library.glob("*.py"))[::8], *sorted(encoded)]:
        data = path.read_bytes()
        source = Source.from_bytes(str(path), data)
        assert source.to_bytes() == data
        assert ast.dump(ast.parse(source.text)) == ast.dump(ast.parse(data))
