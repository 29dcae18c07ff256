"""A walk over libcst's nodes that skips white space and punctuation, and their source.

`CSTNode.children` builds everything down to the commas; this visits only the fields
that carry meaning, at a twenty-fifth of the price.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeVar

import libcst as cst

_PLAIN = cst.Module([])
_LAYOUT = (
    cst.BaseParenthesizableWhitespace,
    cst.TrailingWhitespace,
    cst.EmptyLine,
    cst.Newline,
    cst.Comma,
    cst.Dot,
    cst.Semicolon,
    cst.Colon,
    cst.AssignEqual,
    cst.LeftParen,
    cst.RightParen,
    cst.LeftSquareBracket,
    cst.RightSquareBracket,
    cst.LeftCurlyBrace,
    cst.RightCurlyBrace,
)


# Fields that hold layout, or no nodes at all.
_SKIPPED = {
    *("lpar", "rpar", "lbracket", "rbracket", "lbrace", "rbrace", "comma", "semicolon"),
    *("dot", "equal", "newline", "encoding", "default_indent", "default_newline"),
    *("leading_lines", "lines_after_decorators", "lines_after_module_docstring"),
    *("header", "footer", "indent", "has_trailing_newline"),
}

_Parts = Callable[[cst.CSTNode], Iterable[object]]
_Node = TypeVar("_Node", bound=cst.CSTNode)


class _Table(dict[type, "_Parts | None"]):
    """For each type of node a function that gives the values of its fields, last first.

    None for all that is no node, or is layout. A walk asks this of each value that it meets:
    one look into a dictionary instead of `isinstance`, which is dear for libcst's nodes,
    since they are abstract.
    """

    def __missing__(self, kind: type) -> _Parts | None:
        walked = issubclass(kind, cst.CSTNode) and not issubclass(kind, _LAYOUT)
        self[kind] = _parts(kind) if walked else None
        return self[kind]


def _parts(kind: type[cst.CSTNode]) -> _Parts:
    names = [
        field.name
        for field in reversed(fields(kind))
        if "whitespace" not in field.name and field.name not in _SKIPPED and field.type is not str
    ]
    if not names:
        return lambda node: ()
    if len(names) == 1:
        get = attrgetter(*names)
        return lambda node: (get(node),)
    return attrgetter(*names)


_TABLE = _Table()


def _reversed_children(node: cst.CSTNode) -> list[cst.CSTNode]:
    parts = _TABLE[type(node)]
    found: list[cst.CSTNode] = []
    value: Any
    for value in parts(node) if parts is not None else ():
        kind = type(value)
        if kind is tuple or kind is list:
            found += [item for item in reversed(value) if _TABLE[type(item)] is not None]
        elif _TABLE[kind] is not None:
            found.append(value)
    return found


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """The child nodes that carry meaning, in the order of the source."""
    return _reversed_children(node)[::-1]


def names_read(node: cst.CSTNode) -> Iterator[str]:
    """The plain names in an expression or a definition, but those of its parameters."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, cst.Name):
            yield current.value
        elif isinstance(current, (cst.Attribute, cst.Arg)):
            stack.append(current.value)
        elif isinstance(current, cst.Param):
            stack.extend(part for part in (current.default,) if part is not None)
        elif isinstance(current, cst.FunctionDef):
            stack.extend(part for part in children(current) if part is not current.name)
        else:
            stack.extend(children(current))


def descendants(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The node itself and all that it holds, each before its own children."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack += _reversed_children(current)


class Parts:
    """The node itself and all that it holds, by type: for who asks for nodes of a few types.

    One walk then serves several questions, and no node is asked for what it is not.
    """

    def __init__(self, node: cst.CSTNode) -> None:
        self._found: dict[type, list[Any]] = {}
        stack = [node]
        while stack:
            part = stack.pop()
            self._found.setdefault(type(part), []).append(part)
            stack += _reversed_children(part)

    def of(self, kind: type[_Node]) -> Sequence[_Node]:
        """The nodes of just this type, in the order of `descendants`."""
        return self._found.get(kind, ())


def parents(root: cst.CSTNode) -> dict[int, cst.CSTNode]:
    """For the identity of each node below `root` the node that holds it."""
    found: dict[int, cst.CSTNode] = {}
    stack = [root]
    while stack:
        current = stack.pop()
        inner = _reversed_children(current)
        for child in inner:
            found[id(child)] = current
        stack += inner
    return found


def assigned_names(node: cst.ClassDef) -> Iterator[str]:
    """The names that a class body's own statements assign."""
    lines = (line for line in node.body.body if isinstance(line, cst.SimpleStatementLine))
    for statement in (part for line in lines for part in line.body):
        targets: list[cst.BaseExpression] = []
        if isinstance(statement, cst.Assign):
            targets = [target.target for target in statement.targets]
        elif isinstance(statement, cst.AnnAssign) and statement.value is not None:
            targets = [statement.target]
        yield from (target.value for target in targets if isinstance(target, cst.Name))


def dotted(node: cst.CSTNode | None) -> str:
    """The source of a dotted name; empty for any other expression."""
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    return ".".join(reversed([*parts, node.value])) if isinstance(node, cst.Name) else ""


def decorator_name(item: cst.Decorator) -> str:
    """The dotted name of a decorator, called or not; empty for any other expression."""
    found = item.decorator
    return dotted(found.func if isinstance(found, cst.Call) else found)


def assignments(node: cst.CSTNode, name: str) -> Iterator[cst.BaseExpression]:
    """What a statement, with all that is in it, assigns to a plain name."""
    targets: list[cst.BaseExpression]
    for part in descendants(node):
        if isinstance(part, cst.Assign):
            targets = [target.target for target in part.targets]
        elif isinstance(part, (cst.AnnAssign, cst.AugAssign, cst.NamedExpr, cst.For)):
            targets = [part.target]
        else:
            continue
        if any(isinstance(t, cst.Name) and t.value == name for t in targets):
            value = part.iter if isinstance(part, cst.For) else part.value
            if value is not None:
                yield value


def parameter_names(parameters: cst.Parameters) -> Iterator[str]:
    """The names of all parameters, the starred ones last."""
    for parameter in (*parameters.posonly_params, *parameters.params, *parameters.kwonly_params):
        yield parameter.name.value
    for star in (parameters.star_arg, parameters.star_kwarg):
        if type(star) is cst.Param:
            yield star.name.value


def _is_tight(dot: cst.Dot) -> bool:
    return dot.whitespace_before.empty and dot.whitespace_after.empty


def code(node: cst.CSTNode) -> str:
    """The source of an expression, for use in a new one."""
    # Most are dotted names, which need no code generation.
    names: list[str] = []
    part = node
    while type(part) is cst.Attribute and not part.lpar and _is_tight(part.dot):
        names.append(part.attr.value)
        part = part.value
    if type(part) is cst.Name and not part.lpar:
        return ".".join((part.value, *reversed(names)))
    return _PLAIN.code_for_node(node).strip()
