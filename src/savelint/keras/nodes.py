"""The nodes of `ast`, as the summary reads them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

# Fields of operators, contexts, names and constants: no node of interest is in them.
_LEAVES = frozenset(
    {
        *("arg", "asname", "attr", "conversion", "ctx", "id", "is_async", "kind", "kwd_attrs"),
        *("level", "module", "op", "ops", "rest", "simple", "type_comment", "type_ignores"),
    }
)
# The other fields of each node type, last first.
FIELDS: Mapping[type[ast.AST], tuple[str, ...]] = {
    **{
        kind: tuple(field for field in reversed(kind._fields) if field not in _LEAVES)
        for kind in vars(ast).values()
        if isinstance(kind, type) and issubclass(kind, ast.AST)
    },
    **dict.fromkeys((ast.Constant, ast.Global, ast.Nonlocal), ()),
}


def reversed_children(node: ast.AST) -> list[ast.AST]:
    """The nodes in a node that can hold something, the last one first."""
    found: list[ast.AST] = []
    for field in FIELDS[type(node)]:
        value = getattr(node, field)
        if isinstance(value, list):
            found += [item for item in reversed(value) if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all in it that can hold something or is a name, in order."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack += reversed_children(current)


def dotted_name(node: ast.AST) -> str | None:
    """`a.b.c` as text, or None for anything but names and attributes."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    parts.append(node.id)
    return ".".join(reversed(parts))
