"""Where a node of a region stands in the source: exactly at its own text.

`ast`, which reads the whole file and knows nothing of regions, says where that is.
"""

from __future__ import annotations

import ast
import sysconfig
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import libcst as cst
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_model import codes, model
from savelint.api import check_source, fix_source
from savelint.keras.events import SaveCall
from savelint.keras.model import ModuleModel
from savelint.keras.regions import Region
from savelint.keras.walk import children
from savelint.source import Source

Place = tuple[str, int, int]
_IMPORTS = (cst.Import, cst.ImportFrom)
# Before Python 3.12 `ast` did not say where in an f-string a name stands.
_UNPLACED = (ast.JoinedStr,)


def places_by_ast(source: Source) -> Iterator[Place]:
    """(type, start, end) of each name, attribute and call outside f-strings."""
    stack: list[ast.AST] = [ast.parse(source.text)]
    while stack:
        node = stack.pop()
        if isinstance(node, _UNPLACED):
            continue
        if isinstance(node, (ast.Name, ast.Attribute, ast.Call)):
            assert node.end_lineno is not None and node.end_col_offset is not None
            start = offset(source, node.lineno, node.col_offset)
            yield type(node).__name__, start, offset(source, node.end_lineno, node.end_col_offset)
        stack.extend(ast.iter_child_nodes(node))


def offset(source: Source, line: int, column: int) -> int:
    """The offset in characters of `ast`'s line and column in bytes."""
    return source.line_offset(line) + len(source.line_text(line).encode()[:column].decode())


def nodes(tree: cst.Module) -> Iterator[cst.CSTNode]:
    """The nodes whose places `ast` tells, and some names besides."""
    stack: list[cst.CSTNode] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, (*_IMPORTS, cst.FormattedString)):
            continue
        yield node
        stack.extend(children(node))


def check(found: ModuleModel) -> int:
    """Compare the places of all nodes with those by `ast`; how many there are."""
    source = found.source
    expected = Counter(places_by_ast(source))
    actual: Counter[Place] = Counter()
    for region in found.regions:
        for node in nodes(region.tree):
            if isinstance(node, (cst.Name, cst.Attribute, cst.Call)):
                span = found.span(node)
                actual[type(node).__name__, span.start, span.end] += 1
                if isinstance(node, cst.Name):
                    assert source.text[span.start : span.end] == node.value
    for kind in ("Attribute", "Call"):
        assert {p for p in actual.items() if p[0][0] == kind} == {
            p for p in expected.items() if p[0][0] == kind
        }
    # Parameters, keywords and members are names to libcst, and not to `ast`.
    assert {p for p in expected.items() if p[0][0] == "Name"} <= set(actual.items())
    return expected.total()


TEXTS = {
    "plain": "a = f(b.c)\n",
    "crlf": "class A:\r\n\r\n    def f(self):\r\n        return self.x(\r\n            y)\r\n",
    "lone cr": "class A:\r    def f(self):\r        return self.x(y)\r\ra = b.c\r",
    "mixed newlines": "if a:\r\n    b(c)\n    d.e\r    f(g)\r\n",
    "tabs": "class A:\n\tdef f(self):\n\t\tif self.a:\n\t\t\treturn\tb ( c )\n",
    "tabs and spaces": "if a:\n\tb(c)\nif d:\n  e(f)\n",
    "form feed": "\x0cclass A:\n\x0c\n    def f(self):\n        return b.c\n\x0c\na = b(c)\n",
    "form feed before an indentation": "class A:\n\x0c    def f(self):\n        b.c\n\x0ca(b)\n",
    "form feed inside": "a = b(\x0cc,\x0c d . e)\n",
    "blank before comment": "if a:\n    b(c)\n\n   \n# note\n    d(e)\n",
    "tabs before comment": "def f():\n    a(b)\n\t\t\n    # note\n\n    c(d)\n",
    "comments at all depths": "class A:\n  # one\n# two\n  def f(self): # three\n# four\n"
    "    return a(b) # five\n  # six\n# seven\n",
    "no final newline": "a = b(c)",
    "spaces at the ends": "a = b(c)   \nif d :  \n    e ( f )   \n   \n",
    "non-ascii": "é = {'漢字': f(ñ.ü)}\nö = é['𝄞'](ß)\n",
    "astral before": "a = '𝄞𝄞' + b.c(d)\n",
    "decorators": "@a.b\n@c(d)\n\n# note\n@e\ndef f(g=h, *i, j: k = l, **m) -> n: return o(p)\n",
    "decorated class": "@ a . b ( c )\nclass D ( E , f = G ) :\n    @h\n"
    "    async def i(self): await j\n",
    "space before colons": "try :\n    a(b)\nexcept (C, D.e) :\n    f\nexcept  G  as  h  :\n    i\n"
    "else :\n    j\nfinally :\n    k(l)\n",
    "except star": "try:\n    a\nexcept* (B, c.D):\n    e(f)\n",
    "semicolons": "a = b(c); d.e; f(g)\nh.i;\n",
    "semicolon behind brackets": "a(\nb.c); d(e)\n",
    "semicolon before brackets": "a.b; c(\nd)\n",
    "semicolon behind a string": "a = '''\n'''; b.c(d)\n",
    "semicolons on and on": "a(\nb); c(\nd); e(\nf)\n",
    "semicolons inside": "if a: b(c); d.e; f\nclass G: h = i; j = k(l);\n",
    "continuation": "a = b + \\\n    c(d) \\\n  . e\nif f and \\\n   g: h(i)\n",
    "parentheses": "a = (b)(((c)), (d).e)\nf((g for g in h), *(i), **(j))\n",
    "parentheses over lines": "a = (\n    # note\n    b(\n\n        c\n    ).d\n)\n",
    "strings": "a = '''\n  b(c)\n''' + d(e)\nf = 'x' \"y\" 'z' + g.h\n",
    "f-strings": "a = f'{b}' + c(f'''{d.e(f)}\n''' , g)\n",
    "comprehensions": "a = [b(c) for c in d.e if f(c) for g in h]\ni = {j: k(l) for j, l in m}\n",
    "lambdas": "a = lambda b, *c, d=e.f, **g: h(b)\n",
    "slices": "a[b(c) : d.e :, ..., *f]\n",
    "walrus": "if (a := b(c)): print(a.d)\n",
    "with": "with a(b) as c, d.e : f\nwith (\n    g(h) as i,\n    j,\n): k\n",
    "match": "match a(b):\n    case C.D | E(f=g.h, i=1) if j(k):\n        l(m)\n"
    "    case {n.o: p, **q}: r\n"
    "    case [s, *t] as u: v.w\n",
    "async": "async def a():\n    async for b in c(d): await e.f\n"
    "    async with g(h) as i: yield j\n",
    "annotations": "a: b.c = d(e)\nf: 'g'\ndef h(i: j(k) = l): m\n",
    "global": "def a():\n    global b\n    nonlocal_ = c(d)\n"
    "    del e.f, g[h(i)]\n    raise j(k) from l.m\n",
    "chain": "a.b(c)(d).e[f](g).h\n",
    "only comments": "# note\n\n",
    "empty": "",
    "docstring": '"""Doc.\n\n    a(b)\n"""\nc(d)\n',
    "semicolon at the end": "a = b(c);\nd.e ;  # note\n",
    "shebang and coding": "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\na(b)\n",
    "else with a comment": "if a:\n    b(c)\n  # note\nelse:\n    d.e\n\n\n# end\nf(g)\n",
    "deep": "if a:\n if b:\n  if c:\n   while d(e):\n    f.g\n  else: h(i)\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_span_of_a_node_is_its_own_text(text: str) -> None:
    check(model(text))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_it_is_with_every_line_ending(text: str, newline: str) -> None:
    check(model(text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", newline)))


def test_the_texts_together_are_one_file() -> None:
    assert check(model("\n".join(TEXTS.values()) + "\n")) > 200


def test_a_byte_order_mark_moves_nothing() -> None:
    source = Source.from_bytes("m.py", b"\xef\xbb\xbfa = b.c\n")
    region = Region(source, 1, 1)
    (call,) = [node for node in nodes(region.tree) if isinstance(node, cst.Attribute)]
    assert region.span_of(call) == (4, 7)


LINES = st.sampled_from(
    [
        "a = b(c)",
        "if a:\n    b(c)",
        "if a :\n\tb . c\n\n   \n# note\n\td(e)",
        "class A:\n    \x0c\n    def f(self): return self.g(h)",
        "@é\ndef f(x=y.z):\n    return '漢'(x)\n  # note",
        "try:\n    a\nexcept (B, c.D) :\n    pass",
        "x = (a.b\n     # note\n     (c))",
        "   \n# note",
        "\x0c",
        "",
        "a = b \\\n  (c)",
        "'''\n\n'''.f(x)",
        "a(b); c.d",
        "'''\n'''; a(\nb); c . d;",
        "class A:\n\x0c    def f(self): b(c)",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n", "\r"])), max_size=8))
def test_spans_are_right_in_any_mixture_of_layouts(parts: list[tuple[str, str]]) -> None:
    check(model("".join(text.replace("\n", newline) + newline for text, newline in parts)))


@pytest.mark.parametrize(
    "text",
    [
        "note = '''\n'''; m.save('p')\n",
        "f(\n1); m.save('p')\n",
        "m.save(\n'p'); a = 1\n",
        "class Net(keras.Model): pass; m = Net(); m.save('p')\n",
    ],
)
@pytest.mark.parametrize("gates", [True, False])
def test_statements_that_share_a_line_are_analysed(text: str, gates: bool) -> None:
    assert codes("import keras\n" + text, gates=gates) == []


def test_statements_that_share_a_line_are_read_once() -> None:
    found = model("import keras; m = keras.Model(); m.save('p')\n")
    assert [save.how for flow in found.scopes for save in flow.all(SaveCall)] == ["save"]


def test_a_fix_among_statements_that_share_a_line_can_be_read_again() -> None:
    text = """\
import tensorflow as tf
from tensorflow import keras
class Net(keras.Model):
    def __init__(self): super().__init__(); self.d = keras.layers.Dense(3)
    def call(self, x): return tf.reshape(self.d(x), [tf.shape(x)[0], 3, 1])
m = Net(); m(tf.zeros([4, 6])); tf.saved_model.save(m, 'p')
"""
    assert {finding.code for finding in check_source(text)} == {"SVL101", "SVL102"}
    assert check_source(fix_source(text, unsafe=True)) == ()


STDLIB = Path(sysconfig.get_path("stdlib"))
FILES = ["contextlib", "dataclasses", "fractions", "functools", "heapq", "textwrap", "types"]


@pytest.mark.parametrize("name", FILES)
def test_spans_are_right_in_python_s_own_library(name: str) -> None:
    source = Source.from_bytes(name, (STDLIB / f"{name}.py").read_bytes())
    assert check(model(source.text)) > 100


@pytest.mark.parametrize("name", FILES)
def test_the_text_of_a_node_is_that_of_its_span(name: str) -> None:
    """Whether its region's places are known already or not."""
    source = Source.from_bytes(name, (STDLIB / f"{name}.py").read_bytes())
    for region in model(source.text).regions:
        every = [node for node in nodes(region.tree) if isinstance(node, cst.BaseExpression)]
        texts = [region.text_of(node) for node in every]
        assert texts == [source.text[slice(*region.span_of(node))] for node in every]


def test_a_span_belongs_to_the_text_without_surrounding_space() -> None:
    found = model(
        "class A :\r\n\r\n   # note\r\n   def f ( self ) :\r\n      pass\r\n\r\n# end\r\n"
    )
    (function,) = [
        node
        for region in found.regions
        for node in nodes(region.tree)
        if isinstance(node, cst.FunctionDef)
    ]
    assert found.text(function) == "def f ( self ) :\r\n      pass"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if t:\n    x", ["If IndentedBlock"]),
        ("if t: pass\nelif x: pass", ["If Name", "If If"]),
        ("if t: pass\nelse:\n    for i in o: x", ["For SimpleStatementSuite", "If Else"]),
        ("while t:\n    try: x\n    except E: pass", ["Try SimpleStatementSuite", "While"]),
        ("try: pass\nexcept E:\n    x", ["Try ExceptHandler"]),
        ("match t:\n    case 1: x", ["Match MatchCase"]),
        ("[x for i in o]", ["ListComp Name"]),
        ("{1: x for i in o}", ["DictComp Name"]),
        ("t if o else x", ["IfExp Name"]),
        ("t and x", ["BooleanOperation Name"]),
        ("if t:\n    def g(): x", []),
        ("with t: x", ["With SimpleStatementSuite"]),
    ],
)
def test_the_branches_around_a_node_are_found(text: str, expected: list[str]) -> None:
    found = model(f"class C:\n    def f(self):\n{textwrap.indent(text, ' ' * 8)}\n")
    (node,) = [
        node
        for region in found.regions
        for node in nodes(region.tree)
        if isinstance(node, cst.Name) and node.value == "x"
    ]
    branches = found.branches_of(node)
    told = [f"{type(around).__name__} {type(part).__name__}" for around, part in branches]
    assert len(told) == len(expected)
    assert all(one.startswith(other) for one, other in zip(told, expected, strict=True))


def test_the_innermost_function_around_a_node_is_found() -> None:
    found = model(
        "def f():\n    a\n    def g(b=c):\n        d\n    class E:\n        def h(self): i\nj\n"
    )
    around = {
        node.value: found.function_of(node)
        for region in found.regions
        for node in nodes(region.tree)
        if isinstance(node, cst.Name)
    }
    names = {name: around[name] for name in "acdij"}
    told = {name: node.name.value if node else None for name, node in names.items()}
    assert told == {"a": "f", "c": "f", "d": "g", "i": "h", "j": None}
