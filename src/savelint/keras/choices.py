"""Choices between two values: what `tf.cond` can make in the place of an `if`."""

from __future__ import annotations

import libcst as cst

from savelint.keras.events import Choice
from savelint.keras.walk import descendants

_TRUTHS = frozenset(
    """
    all any equal greater greater_equal less less_equal logical_and logical_not logical_or
    not_equal reduce_all reduce_any
    """.split()
)
# What `tf.cond` cannot return beside a tensor, or only as another type.
_PLAIN = (cst.BaseNumber, cst.BaseString, cst.BaseList, cst.Tuple, cst.BaseDict)


def choice_of(node: cst.CSTNode) -> Choice | None:
    """The choice that an `if` or a ternary makes, None where it does more than that."""
    if isinstance(node, cst.IfExp):
        return _between("", node.test, node.body, node.orelse)
    if not isinstance(node, cst.If) or isinstance(node.orelse, cst.If):
        return None
    body = _only_statement(node.body)
    other = _only_statement(node.orelse.body) if node.orelse is not None else None
    if isinstance(body, cst.Return) and isinstance(other, cst.Return):
        if body.value is None or other.value is None:
            return None
        return _between("return ", node.test, body.value, other.value)
    name = _assigned_name(body)
    if name is None or not isinstance(body, cst.Assign):
        return None
    if isinstance(other, cst.Assign) and _assigned_name(other) == name:
        return _between(f"{name} = ", node.test, body.value, other.value)
    reads = any(isinstance(n, cst.Name) and n.value == name for n in descendants(body.value))
    if node.orelse is None and reads:
        return _between(f"{name} = ", node.test, body.value, None)
    return None


def _between(
    head: str, test: cst.BaseExpression, body: cst.BaseExpression, orelse: cst.BaseExpression | None
) -> Choice | None:
    for value in (body, orelse):
        if isinstance(value, _PLAIN) or (isinstance(value, cst.Name) and value.value == "None"):
            return None
    return Choice(head, body, orelse, _is_truth(test))


def _is_truth(test: cst.BaseExpression) -> bool:
    """Whether a condition is a truth value already, and no number."""
    if isinstance(test, cst.Comparison):
        return len(test.comparisons) == 1
    if isinstance(test, cst.Call):
        last = test.func.attr if isinstance(test.func, cst.Attribute) else test.func
        return isinstance(last, cst.Name) and last.value in _TRUTHS
    return False


def _only_statement(suite: cst.BaseSuite) -> cst.CSTNode | None:
    statements = list(suite.body)
    if len(statements) == 1 and isinstance(statements[0], cst.SimpleStatementLine):
        statements = list(statements[0].body)
    return statements[0] if len(statements) == 1 else None


def _assigned_name(statement: cst.CSTNode | None) -> str | None:
    if not isinstance(statement, cst.Assign) or len(statement.targets) != 1:
        return None
    target = statement.targets[0].target
    return target.value if isinstance(target, cst.Name) else None
