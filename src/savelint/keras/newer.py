"""The summary of a file whose syntax is newer than that of the running Python.

libcst reads it all the same, and tells where each top-level statement stands. Those that
`ast` accepts are summarised as always; of the others libcst tells what matters. Only
files of a bounded depth and size are read, since libcst's parser is neither safe nor fast
beyond.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import libcst as cst

from savelint.keras import clues
from savelint.keras.summary import ClassSummary, Reader, Statement, Summary
from savelint.keras.walk import children, code, descendants
from savelint.source import Source

MAX_SIZE = 500_000  # characters; about 15,000 lines
MAX_BRACKETS = 50  # nested
_OPENING, _CLOSING = "([{", ")]}"


def summarise_newer(source: Source) -> Summary | None:
    """The summary of a file by libcst; None when it is out of bounds or does not parse."""
    if len(source.text) > MAX_SIZE or _bracket_depth(source.text) > MAX_BRACKETS:
        return None
    try:
        tree = cst.parse_module(source.text)
    except cst.ParserSyntaxError:
        return None
    reader = Reader({n.name.value for n in tree.body if isinstance(n, cst.FunctionDef)})
    for node, text, first, last in _statements(tree):
        try:
            known = ast.parse(text).body
        except SyntaxError:
            reader.add(_statement(node, first, last), *_classes(node, first))
        else:
            for statement in known:
                reader.read(statement, first)
    return reader.summary()


def _statements(tree: cst.Module) -> Iterator[tuple[cst.BaseStatement, str, int, int]]:
    """Each top-level statement with its source and its lines, without what leads up to it."""
    line = 1 + sum(tree.code_for_node(item).count("\n") for item in tree.header)
    for node in tree.body:
        whole = tree.code_for_node(node)
        leading = sum(
            tree.code_for_node(item).count("\n") for item in getattr(node, "leading_lines", ())
        )
        text = "\n".join(whole.splitlines()[leading:])
        yield node, text, line + leading, line + len(whole.splitlines()) - 1
        line += len(whole.splitlines())


def _statement(node: cst.BaseStatement, first: int, last: int) -> Statement:
    parts = list(descendants(node))
    words = frozenset(part.value for part in parts if isinstance(part, cst.Name))
    called = frozenset(name for part in parts if (name := _called_name(part)))
    return Statement(
        first_line=first,
        last_line=last,
        depth=0,
        definition=isinstance(node, (cst.ClassDef, cst.FunctionDef)),
        is_class=isinstance(node, cst.ClassDef),
        called=called,
        # Every mark stands: which ones hold is not worth finding out here.
        words=words | clues.EVERY,
    )


def _called_name(node: cst.CSTNode) -> str:
    """The last name of a call, a decorator or an assigned attribute; empty for others."""
    expression: cst.CSTNode = node
    if isinstance(node, cst.Decorator):
        expression = node.decorator
    elif isinstance(node, cst.AssignTarget):
        expression = node.target
        if not isinstance(expression, cst.Attribute):
            return ""
    elif isinstance(node, cst.Call):
        expression = node.func
    else:
        return ""
    last = expression.attr if isinstance(expression, cst.Attribute) else expression
    return last.value if isinstance(last, cst.Name) else ""


def _classes(node: cst.BaseStatement, line: int) -> tuple[str, list[ClassSummary]]:
    """The name of a function, empty for anything else, and the classes in a statement.

    All of them count as standing in the statement's first `line`.
    """
    found: list[ClassSummary] = []
    stack: list[tuple[cst.CSTNode, str]] = [(node, "")]
    while stack:
        part, scope = stack.pop()
        if isinstance(part, cst.ClassDef):
            found.append(_class(part, scope, line))
            scope += f"{part.name.value}."
        elif isinstance(part, cst.FunctionDef):
            scope += f"{part.name.value}.<locals>."
        stack += [(child, scope) for child in reversed(tuple(children(part)))]
    return (node.name.value if isinstance(node, cst.FunctionDef) else ""), found


def _class(node: cst.ClassDef, scope: str, line: int) -> ClassSummary:
    bases = (base.value for base in node.bases)
    decorators = (item.decorator for item in node.decorators)
    return ClassSummary(
        node.name.value,
        tuple(code(b.value if isinstance(b, cst.Subscript) else b) for b in bases),
        0,
        scope + node.name.value,
        line,
        frozenset(n.name.value for n in node.body.body if isinstance(n, cst.FunctionDef)),
        tuple(code(d.func if isinstance(d, cst.Call) else d) for d in decorators),
    )


def _bracket_depth(text: str) -> int:
    """The deepest nesting of brackets, those in strings and comments included."""
    depth = deepest = 0
    for char in text:
        if char in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        elif char in _CLOSING:
            depth -= 1
    return deepest
