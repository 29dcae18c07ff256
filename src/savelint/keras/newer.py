"""The summary of a file whose syntax is newer than that of the running Python.

libcst reads it all the same. The whole file is then one region: nothing of it is left
out, and nothing of it is cheap. Only files of a bounded depth and size are read, since
libcst's parser is neither safe nor fast beyond.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

import libcst as cst

from savelint.keras import clues, flow, names
from savelint.keras.operations import code
from savelint.keras.summary import ClassSummary, Statement, Summary
from savelint.keras.walk import descendants
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
    nodes = list(descendants(tree))
    # Every mark stands: which ones hold is not worth finding out here.
    words = clues.EVERY | {part.value for part in nodes if isinstance(part, cst.Name)}
    last = len(source.line_starts)
    return Summary(
        statements=(Statement(1, last, 0, False, False, words, words),),
        names=MappingProxyType(dict(_imports(tree))),
        stars=tuple(_stars(tree)),
        classes=tuple(
            ClassSummary(node.name.value, tuple(code(base.value) for base in node.bases), 0)
            for node in nodes
            if isinstance(node, cst.ClassDef)
        ),
        functions=MappingProxyType(
            {node.name.value: 0 for node in tree.body if isinstance(node, cst.FunctionDef)}
        ),
        assignments=MappingProxyType({}),
        imported=frozenset(origin for _, origin in _imports(tree)),
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


def _import_statements(tree: cst.Module) -> Iterator[cst.Import | cst.ImportFrom]:
    for statement in tree.body:
        for node in descendants(statement):
            if isinstance(node, (cst.Import, cst.ImportFrom)):
                yield node


def _imports(tree: cst.Module) -> Iterator[tuple[str, str]]:
    for node in _import_statements(tree):
        yield from flow.imported_names(node)


def _stars(tree: cst.Module) -> Iterator[str]:
    for node in _import_statements(tree):
        if isinstance(node, cst.ImportFrom) and isinstance(node.names, cst.ImportStar):
            yield names.canonical(code(node.module) if node.module is not None else "")
