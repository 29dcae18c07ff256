"""What Python asks of a tensor, and where what it gives anew at each run meets one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import libcst as cst

from savelint.keras.choices import choice_of
from savelint.keras.derived import (
    as_dynamic,
)
from savelint.keras.events import FrozenRead, TensorTest
from savelint.keras.frames import FunctionReader
from savelint.keras.guards import asked_about, asked_for_rank, asks_shape, runs_in_training
from savelint.keras.values import (
    Array,
    Dim,
    Mode,
    Tensor,
    Value,
    dimensions,
    elements,
    is_symbolic,
    reading_of,
)
from savelint.keras.walk import Parts, parameter_names


class ConditionReader(FunctionReader):
    """The part that reads conditions."""

    def _meet(self, node: cst.CSTNode, *values: Value, decides: bool = False) -> None:
        """Note what Python gives anew at each run, where it meets a tensor."""
        if self._method != "call":
            return
        for reading in map(reading_of, chain.from_iterable(map(elements, values))):
            if reading is not None:
                self._note(FrozenRead(reading, node, decides, self._training > 0))

    def _note_test(
        self, node: cst.CSTNode, test: cst.BaseExpression, value: Value, how: str
    ) -> None:
        """Note that Python asks a tensor for its truth, its items or its number."""
        certain = is_symbolic(value) or is_drawn(value)
        if self._caught:
            return
        if certain or (isinstance(value, Tensor) and not value.structured):
            converted, training = self._converted > 0, self._training > 0
            choice = choice_of(node)
            self._note(TensorTest(node, test, how, certain, converted, training, choice))

    def _note_items(
        self, node: cst.CSTNode, iterated: cst.BaseExpression, value: Value, how: str
    ) -> None:
        """Note that Python iterates over a tensor."""
        counted = isinstance(iterated, cst.Call) and isinstance(value, Array)
        if isinstance(value, Array) and counted and not value.is_numpy and not value.attribute:
            value = Tensor(None, certain=True, single=True)  # tf.range(3)
        if not isinstance(value, Dim):
            self._note_test(node, iterated, value, how)

    def _note_comparison(self, node: cst.Comparison, values: Sequence[Value]) -> None:
        """Note what a comparison itself asks: `0 < x < 1` its first half, `x in y` each item."""
        found = next((v for v in values if is_symbolic(v)), None)
        operator = node.comparisons[0].operator
        if len(node.comparisons) > 1 and not isinstance(operator, (cst.Is, cst.IsNot)):
            self._note_test(node, node, found, "chained")
        elif isinstance(operator, (cst.In, cst.NotIn)):
            self._note_test(node, node, found, "in")

    def _test(self, node: cst.BaseExpression, around: cst.CSTNode, how: str) -> tuple[bool, Value]:
        """Read a condition: whether it asks if a static dimension is known, and its value.

        From here on such a dimension counts as dynamic: where it is None the program
        takes another way.
        """
        value = self.value(node)
        eager = isinstance(value, Mode) and value.eager is True
        training = runs_in_training(node) is True
        self._muted += eager
        self._training += training
        self._note_test(around, node, value, how)
        self._training -= training
        self._muted -= eager
        parts = Parts(node)
        guards = shaped = asks_shape(parts)
        for name in asked_about(node):
            known, current = self._frame.lookup(name)
            if known and any(not dim.dynamic for dim in dimensions(current)):
                self._frame.names[name] = as_dynamic(current)
                guards = True
            elif isinstance(current, Tensor) and shaped:
                self._frame.names[name] = replace(current, batch_axis=None)
        for name in asked_for_rank(parts):
            _, current = self._frame.lookup(name)
            if isinstance(current, Tensor):
                self._doubt_given(name)
        return guards, value

    def _doubt_given(self, asked: str) -> None:
        """Where an item of a structure is asked for its rank, so is what the structure is of."""
        function = self._frame.function
        given = set(parameter_names(function.node.params)) if function is not None else {asked}
        for name in given if asked not in given else ():
            value = self._frame.names.get(name)
            if isinstance(value, Tensor):
                self._frame.names[name] = replace(value, batch_axis=None)

    def _untraced(self, tested: Value) -> tuple[bool, bool]:
        """Of a condition's two branches, which no traced program runs, as far as is known."""
        if not isinstance(tested, Mode):
            return False, False
        self._frame.asked_mode = True
        return tested.eager is not False, tested.eager is not True


def is_drawn(value: Value) -> bool:
    """Whether a value is a random tensor, which is drawn when the graph runs."""
    return (
        isinstance(value, Array)
        and value.origin == "random"
        and not value.is_numpy
        and value.attribute is None
    )
