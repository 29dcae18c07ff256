"""Conditions that tell what is known of a shape, or whether code runs eagerly."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from savelint.keras.walk import Parts, code, descendants

_DISPLAYS = (cst.Tuple, cst.List, cst.Set)
_MODE_TESTS = {"executing_eagerly": True, "inside_function": False}
_EAGER_TENSOR = {"hasattr": "numpy", "isinstance": "EagerTensor"}
_MODES = ("eager", "function", "graph", "symbolic", "trac")


def asked_mode(call: cst.Call) -> bool | None:
    """True for `tf.executing_eagerly()`, False for `inside_function()`, None for other calls.

    That a tensor has a method `numpy`, or is an EagerTensor, says that code runs eagerly.
    """
    last = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
    name = last.value if isinstance(last, cst.Name) else ""
    if name in _MODE_TESTS:
        return _MODE_TESTS[name]
    if name in _EAGER_TENSOR:
        asked = [n for n in descendants(call) if isinstance(n, (cst.Name, cst.SimpleString))]
        if _EAGER_TENSOR[name] in {part.value.strip("'\"") for part in asked}:
            return True
    return None


def may_ask_mode(name: str) -> bool:
    """Whether a function is called as one that asks if code runs eagerly or is traced."""
    return any(word in name for word in _MODES)


def runs_in_training(test: cst.BaseExpression) -> bool | None:
    """True for `training`, False for its negation, None for other tests."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        inner = runs_in_training(test.expression)
        return None if inner is None else not inner
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        return runs_in_training(test.left) or runs_in_training(test.right)
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
        return _compared_training(test.left, test.comparisons[0])
    return True if isinstance(test, cst.Name) and test.value == "training" else None


def _compared_training(left: cst.BaseExpression, target: cst.ComparisonTarget) -> bool | None:
    """`training is True`, `training == False`, `training in (None, False)`."""
    if not isinstance(left, cst.Name) or left.value != "training":
        return None
    found = None
    if isinstance(target.operator, (cst.Is, cst.Equal)):
        found = {"True": True, "False": False}.get(getattr(target.comparator, "value", ""))
    elif isinstance(target.operator, cst.In) and isinstance(target.comparator, _DISPLAYS):
        names = {getattr(element.value, "value", "") for element in target.comparator.elements}
        found = False if "False" in names and names <= {"None", "False"} else None
    return found


def asked_about(test: cst.BaseExpression) -> Iterator[str]:
    """The names in a condition that asks whether something is None, or is true at all."""
    if isinstance(test, cst.BooleanOperation):
        yield from asked_about(test.left)
        yield from asked_about(test.right)
    elif isinstance(test, cst.UnaryOperation):
        yield from asked_about(test.expression)
    elif isinstance(test, cst.Comparison):
        if _compares_none(test):
            yield from _names_in(test.left)
    elif isinstance(test, (cst.Name, cst.Attribute, cst.Subscript, cst.Call)):
        yield from _names_in(test)


def _compares_none(test: cst.Comparison) -> bool:
    return any(
        isinstance(part, cst.Name) and part.value == "None"
        for target in test.comparisons
        for part in (target.comparator, test.left)
    )


def asks_shape(test: Parts) -> bool:
    """Whether a condition looks at a static shape."""
    return any(node.attr.value in {"shape", "is_fully_defined"} for node in test.of(cst.Attribute))


def asked_for_rank(test: Parts) -> Iterator[str]:
    """The names of tensors whose rank a condition looks at: `x.shape.rank`, `len(x.shape)`."""
    ranks = (n for n in test.of(cst.Attribute) if n.attr.value in {"rank", "ndims", "ndim"})
    lengths = (n for n in test.of(cst.Call) if code(n.func) == "len" and len(n.args) == 1)
    for owner in (*(node.value for node in ranks), *(node.args[0].value for node in lengths)):
        if isinstance(owner, cst.Attribute) and owner.attr.value == "shape":
            owner = owner.value
        if isinstance(owner, cst.Name):
            yield owner.value


def _names_in(node: cst.CSTNode) -> Iterator[str]:
    return (part.value for part in descendants(node) if type(part) is cst.Name)
