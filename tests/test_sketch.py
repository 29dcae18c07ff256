"""A sketch has the nodes of libcst's parse, but for the layout of the source."""

from __future__ import annotations

import ast
import json
import re
import sys
import unittest
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import libcst as cst
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savelint.keras.regions import PlaceError, Region
from savelint.keras.sketch import Sketch, SketchError
from savelint.keras.walk import children, descendants
from savelint.rule import Rule
from savelint.rules import RULES
from savelint.source import Source

STATEMENTS = {
    "names": """
a = b.c.d
a.b = c
""",
    "constants": """
a = [None, True, False, ..., 0x1F, 1_000, 1.5e3, 2j, -1, not 0]
""",
    "strings": r'''
a = 'b' r'\c' 'd\'' if e else """f
\"""g""" "\"h"
i = ('j'  # no 'string'
  "k\n")
l = b'm' b"n"
''',
    "joined over a line": r"""
a = 'b' \
    'c'
""",
    "formatted strings": '''
a = f'{b!r:>{c}} d{{' 'e' F"{f=}" rf"""{g['h']}
"""
''',
    "calls": """
a(b, *c, d=e, **f)
a(*b, c=d, *e)
a()(b)[c](d)
a(b for c in d)
a((b for c in d), e)
""",
    "subscripts": """
a[b], a[b, c], a[(b, c)], a[()]
a[b:c], a[::d], a[b:, ...]
a[(b), (c)], a[b,]
""",
    "tuples": """
a = ()
a = b,
a = (b,)
a = (b), (c)
a = ((b), c)
a = (b, c), d
a, *b = *c, d
a = (  # )
    b,  # ,)
    c)
""",
    "operators": """
a = b + c * -d ** e // f % g @ h << i >> j | k ^ ~l & m - n / o
a = (b + c) * (d - (e)) + ((f))
a = (b or c) and (d and e or f) and not (g or h)
a = b or c or (d if e else f) or g
""",
    "comparisons": """
a = b < c <= d == e != f >= g > h
a = b is c is not d in e not in (f == g) != (h < i)
""",
    "operands": """
a = (b + c).d((e if f else g)[h]).i
a = (lambda: b)()
a = (-b) ** c
""",
    "conditions": """
a = b if c else d if e else f
a = (b if c else d) if (e if f else g) else h
""",
    "functions in place": """
a = lambda: b
a = lambda b, /, c=d, *e, f, g=h, **i: j
a = lambda *, b: b
""",
    "collections": """
a = [b, *c]
a = {b, *c}
a = {b: c, **d, 'e': [f]}
a = {}
a = [*(b or c)]
a = {**(b or c)}
""",
    "comprehensions": """
a = [b for c in d if e if (f if g else h) for i, j in (k if l else m)]
a = {b for c in d}
a = {b: c for d in e}
""",
    "named": """
if (a := b) and (c := d):
    e(f := g)
""",
    "assignments": """
a = b = c, d = e
a: b = c
a: b
a.b: c
a += b
a @= b
a >>= b
""",
    "small statements": """
a; b = c; d
assert a, b
assert (a, b)
del a
del a, b[c]
del (a, b)
pass
""",
    "raise": """
def a():
    raise
    raise B
    raise B(c) from d
    return
    return *a, b
""",
    "imports": """
import a, b.c as d
from . import e
from ..f.g import (h as i, j)
from k import *
""",
    "names of functions": """
def a():
    global b, c
    def d():
        nonlocal e
""",
    "if": """
if a: b
if a:
    b
elif c: d; e
else:
    if f:
        g
if (a
    ): b
else: c
""",
    "loops": """
for a, b in *c, d:
    break
else:
    e
while a: continue
else: b
""",
    "with": """
with a as b, c(d) as (e, f), g: h
with (a as b, c): d
with (a, b): c
""",
    "try": """
try:
    a
except (B, C) as d: e
except F:
    g
except: h
else:
    i
finally:
    j
""",
    "asynchronous": """
async def a():
    async for b in c: await d
    async with e as f:
        return [g async for g in h]
""",
    "generators": """
def a():
    yield
    b = yield c
    d = (yield from e) + f
    yield g, h
""",
    "functions": """
@a
@b.c(d)
def e(f: g, /, h: i = j, *k: l, m, n=o, **p: q) -> r:
    's'
    t
""",
    "classes": """
@a
class B(C, *d, metaclass=E, **f): g = h
class I: pass
class J():
    "k"
    @l
    def m(self): return n
""",
    "comments": """
# a
class B:  # c
    # d

    # e
    def f(  # g:
        self,  # h
    ):  # i
        # j
        k
        # l

    # m

    # n

    def o(self): p  # q
    # r
# s
""",
    "letters": """
é = 'ü'; à(ç='漢', d=[é])  # ø
def ñ(ö='ß') -> 'é':  # ü
    return ö + '😀'.ë
""",
    "form feeds and tabs": """
\x0ca = b
\x0cif c:
\td
\tif e:
\t\tf
""",
    "no last line": """
def a():
    b""",
}
if sys.version_info >= (3, 11):
    STATEMENTS["starred subscripts"] = "a[*b, c]\n"
    STATEMENTS["groups of exceptions"] = """
try:
    a
except* (B, C) as d:
    e
except* F: g
"""
LAYOUT = (
    *(cst.BaseParenthesizableWhitespace, cst.TrailingWhitespace, cst.EmptyLine, cst.Newline),
    *(cst.Comma, cst.Dot, cst.Semicolon, cst.Colon, cst.AssignEqual, cst.LeftParen),
    *(cst.RightParen, cst.LeftSquareBracket, cst.RightSquareBracket, cst.LeftCurlyBrace),
    *(cst.RightCurlyBrace, cst.MaybeSentinel),
)
# Fields of layout that hold None, text or several nodes.
LAYOUT_FIELDS = {
    *("lpar", "rpar", "indent", "header", "footer", "leading_lines", "lines_after_decorators"),
    *("encoding", "default_indent", "default_newline", "has_trailing_newline"),
    *("whitespace_after_star", "equal", "semicolon", "comma", "second_colon"),
}


def meaning(value: object) -> object:
    """A node without its layout, as something that can be compared."""
    if isinstance(value, (list, tuple)):
        return [meaning(item) for item in value]
    if not isinstance(value, cst.CSTNode):
        return value
    parts = {
        field.name: meaning(getattr(value, field.name))
        for field in fields(value)
        if field.name not in LAYOUT_FIELDS and not isinstance(getattr(value, field.name), LAYOUT)
    }
    return type(value).__name__, parts


def definitions(left: cst.CSTNode, right: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    """The definitions, and their bodies, of two trees with the same nodes."""
    if isinstance(left, (cst.FunctionDef, cst.ClassDef)):
        assert isinstance(right, (cst.FunctionDef, cst.ClassDef))
        yield left, right
        yield left.body, right.body
    for pair in zip(children(left), children(right), strict=True):
        yield from definitions(*pair)


def seen(text: str) -> str:
    """A text without what layout is made of."""
    return "".join(char for char in text if char not in " \t\r\n\\(),;")


def without_space(text: str) -> str:
    """All characters of a text that can be seen."""
    return "".join(text.split())


def check(text: str) -> None:
    """Compare the sketch of a text with libcst's parse of it."""
    parsed, sketch = cst.parse_module(text.replace("\x0c", "")), Sketch(text)
    assert meaning(sketch.tree.body) == meaning(parsed.body)
    assert ast.dump(ast.parse(sketch.tree.code)) == ast.dump(ast.parse(text))
    for node, drawn in definitions(parsed, sketch.tree):
        if node is not parsed.body[0]:  # the comments above the first are those of the file
            assert without_space(sketch.code_of(drawn)) == without_space(parsed.code_for_node(node))


@pytest.mark.parametrize("text", STATEMENTS.values(), ids=STATEMENTS)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_it_has_the_nodes_of_the_parse(text: str, newline: str) -> None:
    check(text.replace("\n", newline))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(STATEMENTS.values())), min_size=2, max_size=6))
def test_it_has_them_whatever_stands_before_and_behind(texts: list[str]) -> None:
    check("".join(text if text.endswith("\n") else text + "\n" for text in texts))


@pytest.mark.exhaustive
@pytest.mark.parametrize("rule", RULES, ids=[rule.code for rule in RULES])
def test_it_has_those_of_every_example(rule: Rule) -> None:
    for text in [*rule.silent, *(t for e in rule.examples for t in (e.bad, e.good))]:
        check(text)


@pytest.mark.exhaustive
@pytest.mark.parametrize("package", [json, unittest], ids=["json", "unittest"])
def test_it_has_those_of_python_s_own_files(package: ModuleType) -> None:
    paths = sorted(Path(str(package.__file__)).parent.glob("*.py"))
    assert len(paths) > 3
    for path in paths:
        check(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "text", ["match a:\n    case b:\n        c\n", "if a:\n match b:\n  case _: c\n"]
)
def test_what_it_cannot_draw_it_does_not_draw(text: str) -> None:
    with pytest.raises(SketchError):
        Sketch(text)


@pytest.mark.parametrize("text", STATEMENTS.values(), ids=STATEMENTS)
def test_the_text_of_an_expression_is_its_source_but_for_layout(text: str) -> None:
    text = re.sub("  *# .*", "", text).replace("\x0c", "")
    source = Source("m.py", text)
    parsed = Region(source, 1, len(source.line_starts))
    drawn = Region(source, 1, len(source.line_starts), drawn=True)
    found = 0
    for node, other in zip(descendants(parsed.tree), descendants(drawn.tree), strict=True):
        if isinstance(node, cst.BaseExpression):
            found += 1
            assert seen(drawn.text_of(other)) == seen(parsed.text_of(node))
            with pytest.raises(PlaceError):
                drawn.span_of(other)
    assert found


def test_code_of_a_node_that_is_no_definition_means_the_same() -> None:
    tree = Sketch("a = [b,c , (d+e)*f]  # g\n").tree
    assert Sketch("").code_of(tree.body[0]) == "a = [b, c, (d + e) * f]\n"
