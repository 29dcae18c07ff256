"""The value of what operators make: arithmetic, comparisons, `and`, `or` and `not`."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

import libcst as cst

from savelint.keras.conditions import is_drawn
from savelint.keras.derived import array_arithmetic, computed_from, concatenated
from savelint.keras.guards import runs_eagerly, runs_in_training
from savelint.keras.model import Combination, NumberUse
from savelint.keras.stores import StoreReader
from savelint.keras.values import (
    Array,
    Const,
    Dim,
    Reading,
    Seq,
    Shape,
    Tensor,
    Value,
    Variable,
    holds_tensor,
    is_symbolic,
    reading_of,
)

_ORDERINGS = (cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual)
_MAX_TEXT = 10_000  # characters of a string that is put together


class OperatorReader(StoreReader):
    """The part that reads operators."""

    def _boolean(self, node: cst.BooleanOperation) -> Value:
        is_and = isinstance(node.operator, cst.And)
        left = self.value(node.left)
        self._note_test(node, node.left, left, "and" if is_and else "or")
        eager = is_and and runs_eagerly(node.left) is True
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
        if is_drawn(right):
            return right
        tensors = [v for v in (right, left) if isinstance(v, Tensor) and not v.structured]
        return tensors[0] if tensors else next(filter(reading_of, (left, right)), None)

    def _unary(self, node: cst.UnaryOperation) -> Value:
        value = self.value(node.expression)
        if isinstance(node.operator, cst.Not):
            self._note_test(node, node.expression, value, "not")
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
        identity = False
        for target in node.comparisons:
            values.append(self.value(target.comparator))
            identity = identity or isinstance(
                target.operator, (cst.Is, cst.IsNot, cst.In, cst.NotIn)
            )
        tensors = [v for v in values if isinstance(v, Tensor) and not v.structured]
        arrays = [v for v in values if isinstance(v, Array)]
        self._note_comparison(node, values)
        if any(isinstance(target.operator, _ORDERINGS) for target in node.comparisons):
            for value in values:
                self._note_number(node, value)
        if identity or Const(None) in values:
            return None
        ordered = isinstance(node.comparisons[0].operator, _ORDERINGS)
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
        if operator == "Add" and isinstance(left, Const) and isinstance(right, Const):
            return _joined_text(left.value, right.value)
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


def _joined_text(left: object, right: object) -> Value:
    if isinstance(left, str) and isinstance(right, str) and len(left) + len(right) <= _MAX_TEXT:
        return Const(left + right)
    return None
