"""What functions of Python's own, and those that read numbers, do and give."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from savelint.keras import paths, tables
from savelint.keras.derived import (
    item_of,
)
from savelint.keras.events import Arguments, TensorRead
from savelint.keras.methods import MethodReader
from savelint.keras.values import (
    Argument,
    Count,
    Dim,
    Mode,
    Reading,
    Ref,
    SelfValue,
    Seq,
    Tensor,
    Value,
    elements,
    is_symbolic,
    literal,
)

_COPIES = {"sorted": "list", "reversed": "iterator"}
# They leave what they gave before as it is.
_CONVERSIONS = frozenset("bool float int list str tuple".split())
# Builtin functions that iterate over what they are given, and those that ask for a truth
# value or a number.
_ITERATING = frozenset("list tuple sorted set iter enumerate zip map sum any all".split())
_ASKING = frozenset("bool range max min".split())


class BuiltinReader(MethodReader):
    """The part that reads calls of Python's functions."""

    def _builtin(self, name: str, node: cst.Call, arguments: Arguments) -> Value:
        first = arguments.items[0].value if arguments.items else None
        self._note_builtin(name, node, arguments)
        if name in _CONVERSIONS and isinstance(first, Argument) and not first.keywords:
            return replace(first, how=first.how or "converted")
        if name == "getattr" and len(arguments.items) > 1 and isinstance(first, SelfValue):
            attribute = literal(arguments.items[1].value)
            if isinstance(attribute, str):
                return self._kept_value(first.outline, attribute)
        if name in {"list", "tuple", "sorted", "reversed", "set"}:
            empty = Seq(()) if not arguments.items else None
            return self._collection(_COPIES.get(name, name), first or empty)
        if name == "isinstance" and _is_untraced(arguments):
            return Mode(eager=True)
        if name == "len":
            if isinstance(first, Tensor) and not first.structured:
                return Dim(first, 0, False, node, arguments.items[0].node.value, is_length=True)
            return None
        if name == "int" and isinstance(first, Dim) and not first.dynamic:
            number = replace(first, read=node)
            self._note_number(node, number)
            return number
        if name in {"int", "float", "range", "round", "abs", "sum"}:
            for argument in arguments.items:
                self._note_number(node, argument.value)
            if isinstance(first, Dim) and not first.dynamic and first.is_batch:
                return None
            if name == "range":
                return Seq((Count(),), complete=False, kind="iterator")
            if isinstance(first, Dim):
                return replace(first, symbolic=False)
            if isinstance(first, Argument):
                return first.computed
            return first if isinstance(first, Reading) else None
        if name == "enumerate":
            pair = Seq((Count(), item_of(first)), kind="tuple")
            return Seq((pair,), complete=False, kind="iterator")
        if name == "zip":
            row = Seq(tuple(item_of(a.value) for a in arguments.items), kind="tuple")
            return Seq((row,), complete=False, kind="iterator")
        if name == "str":
            return paths.as_string(first)
        if name in {"isinstance", "print", "type", "hasattr", "bool"}:
            return None
        self._pass_on(arguments, node)
        return None

    def _note_builtin(self, name: str, node: cst.Call, arguments: Arguments) -> None:
        """Note what a builtin function asks of a tensor."""
        if name in {"int", "float"}:
            self._note_reads(f"builtins.{name}", node, arguments)
        elif name in _ITERATING or name in _ASKING:
            only = len(arguments.items) == 1
            for argument in arguments.items:
                value = argument.value
                if name in {"any", "all"} and isinstance(value, Seq):
                    value = next(filter(is_symbolic, value.items), None)
                if (is_symbolic(value) and not argument.node.star) or name == "bool":
                    how = "each" if only and name in {"max", "min"} else name
                    self._note_test(node, argument.node.value, value, how)
                    break

    def _note_reads(self, name: str, node: cst.Call, arguments: Arguments) -> None:
        """Note that a function takes the numbers out of a tensor that it is given."""
        for argument in arguments.items:
            held = list(elements(argument.value))
            if any(is_symbolic(v) or (isinstance(v, Tensor) and v.certain) for v in held):
                self._note_read(node, argument.node.value, name)
                return

    def _note_read(self, node: cst.Call, argument: cst.BaseExpression, name: str) -> None:
        if self._caught:
            return
        converted, training = self._converted > 0, self._training > 0
        self._note(TensorRead(node, argument, name, converted, training))


def _is_untraced(arguments: Arguments) -> bool:
    """Whether `isinstance` asks a tensor if it is an array, or a tensor of another library."""
    if len(arguments.items) != 2:
        return False
    value, classes = (argument.value for argument in arguments.items)
    asked = classes.items if isinstance(classes, Seq) else (classes,)
    names = {item.name if isinstance(item, Ref) else "" for item in asked}
    known = isinstance(value, Tensor) or is_symbolic(value)
    return known and bool(names) and names <= tables.UNTRACED_CLASSES
