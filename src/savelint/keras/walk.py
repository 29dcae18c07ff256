"""A walk over libcst's nodes that skips white space and punctuation, and their source.

`CSTNode.children` builds everything down to the commas; this visits only the fields
that carry meaning, at a twenty-fifth of the price.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

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


@cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """The fields of a node type whose names do not speak of layout."""
    return tuple(
        name
        for name in kind.__dataclass_fields__
        if not (
            "whitespace" in name
            or name in {"lpar", "rpar", "lbracket", "rbracket", "lbrace", "rbrace", "comma"}
            or name in {"leading_lines", "lines_after_decorators", "header", "footer", "dot"}
            or name in {"semicolon", "equal", "newline", "encoding", "default_indent"}
        )
    )


@cache
def _carries_meaning(kind: type[cst.CSTNode]) -> bool:
    # Asked of types: asking it of each node takes most of the time of a walk.
    return not issubclass(kind, _LAYOUT)


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The child nodes that carry meaning, in the order of the source."""
    for name in _fields(type(node)):
        value: object = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            if _carries_meaning(type(value)):
                yield value
        elif isinstance(value, (tuple, list)):
            for item in value:
                if isinstance(item, cst.CSTNode) and _carries_meaning(type(item)):
                    yield item


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
        stack.extend(reversed(tuple(children(current))))


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
        if isinstance(star, cst.Param):
            yield star.name.value


def code(node: cst.CSTNode) -> str:
    """The source of an expression, for use in a new one."""
    return _PLAIN.code_for_node(node).strip()
