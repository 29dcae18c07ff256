"""The value of what operators make: arithmetic, comparisons, `and`, `or` and `not`."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

import libcst as cst

from savelint.keras import paths
from savelint.keras.conditions import is_drawn
from savelint.keras.derived import (
    array_arithmetic,
    computed_from,
    concatenated,
    merged,
)
from savelint.keras.events import Combination, NumberUse
from savelint.keras.guards import runs_in_training
from savelint.keras.stores import StoreReader
from savelint.keras.values import (
    Argument,
    Array,
    Const,
    Count,
    Dim,
    Mode,
    Reading,
    Seq,
    Shape,
    Table,
    Tensor,
    Value,
    Variable,
    holds_tensor,
    is_none,
    is_symbolic,
    reading_of,
    text_of,
)

# Asked by type: `isinstance` is dear for what libcst's abstract nodes are not.
_ORDERINGS = frozenset({cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual})
_IDENTITIES = frozenset({cst.Is, cst.IsNot, cst.In, cst.NotIn})


class OperatorReader(StoreReader):
    """The part that reads operators."""

    def _boolean(self, node: cst.BooleanOperation) -> Value:
        is_and = isinstance(node.operator, cst.And)
        left = self.value(node.left)
        self._note_test(node, node.left, left, "and" if is_and else "or")
        eager = is_and and isinstance(left, Mode) and left.eager is True
        training = is_and and runs_in_training(node.left) is True
        self._muted += eager
        self._training += training
        right = self.value(node.right)
        self._training -= training
        self._muted -= eager
        if not is_and and isinstance(left, (Dim, Shape)):
            # x.shape[0] or tf.shape(x)[0]
            if isinstance(right, (Dim, Shape)):
                return replace(right, symbolic=left.symbolic)
            return right
        if is_and and (mode := next((v for v in (left, right) if isinstance(v, Mode)), None)):
            return mode
        if is_drawn(right):
            return right
        if isinstance(left, Argument) and not is_and:
            return replace(left, how=left.how or "defaulted")
        tensors = [v for v in (right, left) if isinstance(v, Tensor) and not v.structured]
        return tensors[0] if tensors else next(filter(reading_of, (left, right)), None)

    def _unary(self, node: cst.UnaryOperation) -> Value:
        value = self.value(node.expression)
        if isinstance(node.operator, cst.Not):
            self._note_test(node, node.expression, value, "not")
            if isinstance(value, Mode):
                return Mode(None if value.eager is None else not value.eager)
            return reading_of(value)
        if isinstance(node.operator, cst.Minus) and isinstance(value, Const):
            number = value.value
            if isinstance(number, (int, float)) and not isinstance(number, bool):
                return Const(-number)
        if isinstance(value, Tensor):
            return replace(value)  # another tensor
        if isinstance(value, (Array, Reading)):
            return value
        return None

    def _comparison(self, node: cst.Comparison) -> Value:
        values = [self.value(node.left)]
        values += [self.value(target.comparator) for target in node.comparisons]
        operators = [type(target.operator) for target in node.comparisons]
        tensors = [v for v in values if isinstance(v, Tensor) and not v.structured]
        arrays = [v for v in values if isinstance(v, Array)]
        self._note_comparison(node, values)
        if not _ORDERINGS.isdisjoint(operators):
            for value in values:
                self._note_number(node, value)
        if not _IDENTITIES.isdisjoint(operators) or any(map(is_none, values)):
            return None
        ordered = operators[0] in _ORDERINGS
        known = any(
            is_symbolic(v) or (ordered and isinstance(v, Tensor) and v.certain) for v in values
        )
        if tensors or known:
            self._meet(node, *values)
            axis = tensors[0].batch_axis if tensors else None
            return Tensor(axis, certain=known, single=known)
        if reading := next((v for v in values if isinstance(v, Reading)), None):
            return reading
        random = next((v for v in arrays if v.origin == "random"), None)
        found = random or next(iter(arrays), None)
        return replace(computed_from(found), dtype="bool") if found else None

    def _binary(self, node: cst.BinaryOperation) -> Value:
        left = self.value(node.left)
        right = self.value(node.right)
        return self._arithmetic(left, right, node, type(node.operator).__name__)

    def _arithmetic(
        self, left: Value, right: Value, node: cst.BaseExpression, operator: str
    ) -> Value:
        if operator == "Add" and isinstance(left, (Seq, Shape)) and isinstance(right, (Seq, Shape)):
            return concatenated(left, right)
        if operator == "Multiply" and isinstance(left, Seq):
            self._note_number(node, right)  # how often a list is repeated
            return replace(left, complete=False)
        for value in (left, right):
            if isinstance(value, Dim):
                return self._dimension_arithmetic(value, left, right, node)
        self._combine(node, left, right)
        if holds_tensor(left) or holds_tensor(right):
            self._meet(node, left, right)
        for value in (left, right):
            if isinstance(value, Tensor):
                other = right if value is left else left
                axis = value.batch_axis
                if isinstance(other, Tensor) and axis is None:
                    axis = other.batch_axis
                if operator == "MatrixMultiply" and value is right:
                    axis = None
                known = any(isinstance(v, Tensor) and v.certain for v in (left, right))
                # Lists can be added, to lists.
                lists = operator == "Add" and not isinstance(other, Const)
                one = known and not lists
                single = one or any(is_symbolic(v) for v in (left, right))
                return Tensor(axis, certain=known, single=single)
        if operator.startswith("BitOr") and isinstance(left, Table):
            return merged(left, right) if isinstance(right, Table) else None
        if text_of(left) or text_of(right):
            return _text_arithmetic(left, right, operator)
        for value in (left, right):
            if isinstance(value, Reading):
                return value
        return array_arithmetic(left, right, node, operator)

    def _dimension_arithmetic(
        self, dim: Dim, left: Value, right: Value, node: cst.BaseExpression
    ) -> Value:
        for value in (left, right):
            if isinstance(value, Dim) and not value.dynamic and value.is_batch:
                self._note(NumberUse(node, value, in_training=self._training > 0))
                return None
        for value in (left, right):
            if isinstance(value, Dim) and value.dynamic:
                # A number computed from it: still tied to the axis.
                return value
        return None

    def _combine(self, node: cst.BaseExpression, *values: Value) -> None:
        if any(map(holds_tensor, values)):
            for value in values:
                if isinstance(value, (Array, Variable)) and value.attribute is not None:
                    self._note(Combination(value.attribute, node))

    @abstractmethod
    def _note_number(
        self, node: cst.BaseExpression, value: Value, *, takes_tensor: bool = False
    ) -> None:
        """Note that a value is used as a Python number."""


def _text_arithmetic(left: Value, right: Value, operator: str) -> Value:
    """What `+`, `%` and `/` make of a text or a path and something else."""
    first, second = text_of(left), text_of(right)
    if operator == "Divide":
        return paths.plain(paths.joined((left, right), is_path=True))
    if operator == "Modulo" and first is not None and not first.is_path:
        return paths.percent(first, right)
    if operator != "Add" or (first and first.is_path) or (second and second.is_path):
        return None
    unknown = (Argument, Count)
    if all(text_of(v) or v is None or isinstance(v, unknown) for v in (left, right)):
        return paths.concatenated(left, right)
    return next((v for v in (left, right) if isinstance(v, Reading)), None)
