"""What the defaults of a function's parameters decide: the code that a call without them skips.

Saving a model calls it on its input alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import libcst as cst

from savelint.frozen import frozen
from savelint.keras.walk import descendants

_DISPLAYS = (cst.Tuple, cst.List, cst.Set)
_NAMED: Mapping[str, bool | None] = {"True": True, "False": False, "None": None}
_LEAVES = (cst.Return, cst.Raise)
_BINDING = (
    cst.AssignTarget,
    cst.AugAssign,
    cst.AnnAssign,
    cst.NamedExpr,
    cst.For,
    cst.CompFor,
)


@frozen
class _Literal:
    """A plain text, number, truth value or None."""

    value: str | bytes | int | float | bool | None


def skipped(function: cst.FunctionDef, node: cst.CSTNode) -> bool:
    """Whether a node in the body of a function is not reached when all defaults apply."""
    return _skips(_statements(function.body), node, _defaults(function))


def skipped_in(call: cst.FunctionDef, node: cst.CSTNode, around: cst.FunctionDef) -> bool:
    """Whether `call` does not reach a node when all its defaults apply.

    `around` is the function in whose body the node stands: `call` itself, or a helper.
    """
    if around is call:
        return skipped(call, node)
    name = around.name.value
    uses = [n for n in descendants(call.body) if isinstance(n, cst.Call) and _called(n) == name]
    return bool(uses) and all(skipped(call, use) for use in uses)


def _called(call: cst.Call) -> str:
    last = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
    return last.value if isinstance(last, cst.Name) else ""


def _defaults(function: cst.FunctionDef) -> dict[str, _Literal]:
    """The parameters with a plain default that the function does not give another value."""
    params = function.params
    every = (*params.posonly_params, *params.params, *params.kwonly_params)
    bound = set(_bound(function.body))
    found = {p.name.value: _literal(p.default) for p in every if p.name.value not in bound}
    return {name: literal for name, literal in found.items() if literal is not None}


def _bound(body: cst.CSTNode) -> Iterable[str]:
    for node in descendants(body):
        target: cst.CSTNode | None = None
        if isinstance(node, _BINDING):
            target = node.target
        elif isinstance(node, cst.AsName):
            target = node.name
        if target is not None:
            yield from (n.value for n in descendants(target) if isinstance(n, cst.Name))


def _skips(
    statements: Sequence[cst.CSTNode], node: cst.CSTNode, known: Mapping[str, _Literal]
) -> bool:
    for statement in statements:
        if _holds(statement, node):
            return isinstance(statement, cst.If) and _skips_in(statement, node, known)
        if isinstance(statement, cst.If) and _leaves(statement, known):
            return True
    return False


def _skips_in(branch: cst.If, node: cst.CSTNode, known: Mapping[str, _Literal]) -> bool:
    """The same of a node somewhere in an `if`."""
    decided = _decided(branch.test, known)
    if _holds(branch.test, node):
        return False
    if _holds(branch.body, node):
        return decided is False or _skips(_statements(branch.body), node, known)
    if decided is True or branch.orelse is None:
        return decided is True
    if isinstance(branch.orelse, cst.If):
        return _skips_in(branch.orelse, node, known)
    return _skips(_statements(branch.orelse.body), node, known)


def _leaves(branch: cst.If, known: Mapping[str, _Literal]) -> bool:
    """Whether the branch that is taken ends the function."""
    if _decided(branch.test, known) is not True:
        return False
    last = _statements(branch.body)[-1:]
    small = last[0].body if last and isinstance(last[0], cst.SimpleStatementLine) else last
    return any(isinstance(each, _LEAVES) for each in small)


def _decided(test: cst.BaseExpression, known: Mapping[str, _Literal]) -> bool | None:
    """What a condition gives by the defaults alone; None when they do not decide it."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        inner = _decided(test.expression, known)
        return None if inner is None else not inner
    if isinstance(test, cst.Name):
        default = known.get(test.value)
        return None if default is None else bool(default.value)
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return None
    default = known.get(test.left.value) if isinstance(test.left, cst.Name) else None
    operator, other = test.comparisons[0].operator, test.comparisons[0].comparator
    if default is None:
        return None
    if isinstance(operator, cst.Equal | cst.Is | cst.NotEqual | cst.IsNot):
        literal = _literal(other)
        same = None if literal is None else literal == default
        return same is isinstance(operator, cst.Equal | cst.Is) if same is not None else None
    if isinstance(operator, cst.In | cst.NotIn) and isinstance(other, _DISPLAYS):
        items = [_literal(element.value) for element in other.elements]
        return None if None in items else (default in items) is isinstance(operator, cst.In)
    return None


def _literal(node: cst.CSTNode | None) -> _Literal | None:
    if isinstance(node, cst.Name) and node.value in _NAMED:
        return _Literal(_NAMED[node.value])
    if isinstance(node, cst.SimpleString | cst.Integer | cst.Float):
        return _Literal(node.evaluated_value)
    return None


def _statements(body: cst.BaseSuite) -> Sequence[cst.CSTNode]:
    return body.body


def _holds(outer: cst.CSTNode, node: cst.CSTNode) -> bool:
    return any(each is node for each in descendants(outer))
