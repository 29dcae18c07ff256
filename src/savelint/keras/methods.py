"""What methods of values do and give: of shapes, tensors, arrays, containers and objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import libcst as cst

from savelint.keras import operations
from savelint.keras.derived import array_method, with_entry
from savelint.keras.expressions import ExpressionReader
from savelint.keras.model import Argument as CallArgument
from savelint.keras.model import Arguments, Contact, SaveCall, ShapeUse
from savelint.keras.values import (
    Array,
    ClassOutline,
    Const,
    Instance,
    Reading,
    SelfValue,
    Seq,
    Shape,
    Table,
    Tensor,
    Value,
    bounded,
    dimensions,
    elements,
    holds_tensor,
    literal,
)

_GROWING = frozenset({"append", "extend", "insert", "add", "update", "setdefault"})
_SHRINKING = frozenset({"pop", "remove", "clear", "popitem", "sort", "reverse", "discard"})
EXPORT_ARCHIVE = "keras.export.ExportArchive"


class MethodReader(ExpressionReader):
    """The part that reads calls of methods."""

    def _note_method(self, node: cst.Call, func: cst.Attribute, arguments: Arguments) -> None:
        """Note a method that changes a container of the object; one added to it is aliased."""
        name = func.attr.value
        if name not in _GROWING and name not in _SHRINKING:
            return
        values = tuple(argument.value for argument in arguments.items)
        self._change(func.value, name, values, node, node)
        base = func.value
        owner = self._quietly(base.value) if isinstance(base, cst.Attribute) else None
        if isinstance(base, cst.Attribute) and isinstance(owner, SelfValue) and name == "append":
            for argument in arguments.positional:
                self._alias(argument.node.value, argument.value, owner.outline, base.attr.value, 1)

    def _pass_on(self, arguments: Arguments, node: cst.Call | None) -> None:
        """Objects handed to a function that cannot be followed may be used there."""
        for argument in arguments.items:
            for value in elements(argument.value):
                if isinstance(value, Instance):
                    self._note(Contact(value, "passed", node or value.node, arguments))

    def _is_own(self, node: cst.BaseExpression) -> bool:
        """Whether an expression is an attribute of `self`, or an item of one."""
        while isinstance(node, cst.Subscript):
            node = node.value
        return isinstance(node, cst.Attribute) and isinstance(self._quietly(node.value), SelfValue)

    def _grows_own(self, func: cst.Attribute) -> bool:
        return func.attr.value in _GROWING and self._is_own(func.value)

    def _append(self, base: cst.BaseExpression, argument: CallArgument) -> None:
        """`self.name.append(value)` and its like."""
        while isinstance(base, cst.Subscript):
            base = base.value
        owner = self._quietly(base.value) if isinstance(base, cst.Attribute) else None
        if isinstance(base, cst.Attribute) and isinstance(owner, SelfValue):
            self._keep(owner, base, argument.value, argument.node.value, base, base, "append")

    def _collection(self, kind: str, value: Value) -> Value:
        """The list, set, ... of what is in a value."""
        if isinstance(value, Seq):
            return replace(value, kind=kind)
        return value if isinstance(value, (Shape, Tensor)) and kind != "deque" else None

    def _dictionary(self, kind: str, arguments: Arguments) -> Value:
        """`dict(...)` and its like, of pairs, of another dictionary and of keywords."""
        entries: list[tuple[Value, Value]] = []
        skipped = 1 if kind == "defaultdict" else 0  # its factory
        for argument in arguments.positional[skipped:]:
            value = argument.value
            if isinstance(value, Table):
                entries.extend(value.entries)
            elif isinstance(value, Seq) and all(map(_is_pair, value.items)):
                entries.extend((i.items[0], i.items[1]) for i in value.items if isinstance(i, Seq))
            else:
                return None
        entries.extend((Const(a.keyword), a.value) for a in arguments.items if a.keyword)
        return bounded(Table.of(entries, kind))

    def _drawn(self, array: Value, node: cst.Call, arguments: Arguments) -> Value:
        """An array drawn here; in `call` it is drawn anew at each run."""
        if not isinstance(array, Array) or self._method != "call":
            return array
        func = node.func.attr if isinstance(node.func, cst.Attribute) else node.func
        name = f"numpy.random.{getattr(func, 'value', '')}"
        return replace(array, drawn=Reading(node, name, arguments.values))

    def _shape_method(
        self, owner: Shape, func: cst.Attribute, node: cst.Call, arguments: Arguments
    ) -> Value:
        same = {"as_list", "with_rank", "with_rank_at_least", "as_proto"}
        return replace(owner, node=node) if func.attr.value in same else None

    def _array_method(
        self, owner: Array, func: cst.Attribute, node: cst.Call, arguments: Arguments
    ) -> Value:
        return array_method(owner, func.attr.value, arguments)

    def _table_method(
        self, owner: Table, func: cst.Attribute, node: cst.Call, arguments: Arguments
    ) -> Value:
        if func.attr.value in {"get", "pop"} and arguments.items:
            key = literal(arguments.items[0].value)
            return next((value for known, value in owner.items if known == key), None)
        if func.attr.value in {"values", "items"}:
            pairs = owner.entries if func.attr.value == "items" else ()
            rows: tuple[Value, ...] = tuple(Seq(pair, kind="tuple") for pair in pairs)
            held = rows or tuple(value for _, value in owner.items)
            return Seq(held, complete=False, kind="iterator")
        if func.attr.value in _GROWING and arguments.items and self._is_own(func.value):
            self._append(func.value, arguments.items[-1])
        elif func.attr.value in {"update", "setdefault"} and isinstance(func.value, cst.Name):
            self._grow_table(func.value.value, owner, func.attr.value, arguments)
        given = func.attr.value == "setdefault" and len(arguments.items) > 1
        return arguments.items[-1].value if given else None

    def _grow_table(self, name: str, owner: Table, method: str, arguments: Arguments) -> None:
        """`blocks.update({...})` and `blocks.setdefault(key, value)` on a local name."""
        added = self._dictionary("dict", arguments)
        if method == "setdefault" and len(arguments.positional) > 1:
            added = Table.of([(arguments.items[0].value, arguments.items[1].value)])
        if name in self._frame.names and isinstance(added, Table):
            grown: Value = owner
            for key, value in added.entries:
                grown = with_entry(grown, key, value) if isinstance(grown, Table) else None
            self._frame.names[name] = grown

    def _sequence_method(
        self, owner: Seq, func: cst.Attribute, node: cst.Call, arguments: Arguments
    ) -> Value:
        base = func.value
        if func.attr.value not in _GROWING or not arguments.items:
            return None
        items = (*owner.items, *_added(func.attr.value, arguments))
        grown = Seq(items, complete=False, kind=owner.kind)
        if isinstance(base, cst.Name) and base.value in self._frame.names:
            certain = func.attr.value == "append" and self._branches == 0 and owner.complete
            self._frame.names[base.value] = replace(grown, complete=certain)
        elif self._is_own(base):
            self._append(base, arguments.items[-1])
            if isinstance(base, cst.Attribute):
                self._attributes[base.attr.value] = grown
        return None

    def _tensor_method(
        self, owner: Tensor, func: cst.Attribute, node: cst.Call, arguments: Arguments
    ) -> Value:
        name = func.attr.value
        if name == "get_shape":
            return Shape(owner, False, node, func.value)
        if name == "reshape":
            values = [a.value for a in arguments.positional]
            target = values[0] if len(values) == 1 else Seq(tuple(values))
            if arguments.items and any(True for _ in dimensions(target)):
                self._note(
                    ShapeUse(
                        node,
                        None,
                        "reshape",
                        arguments.items[0].node.value,
                        target,
                        self._training > 0,
                    )
                )
            return operations.tensor_of_shape(target, "reshape", node, owner)
        if name in {"get", "pop", "values", "items"}:
            return Tensor(owner.batch_axis, structured=True)
        return Tensor(None)

    def _object_method(
        self, owner: Instance, func: cst.Attribute, node: cst.Call, arguments: Arguments
    ) -> Value:
        name = func.attr.value
        if owner.name.startswith("numpy.random."):
            drawn = operations.numpy_draw(name, arguments)
            seeded = drawn is not None and owner.name.endswith(".seeded")
            if drawn and seeded:
                drawn = replace(drawn, origin="table")
            # Made with its seed for this draw, it draws the same each time.
            return (
                drawn if seeded and owner.attribute is None else self._drawn(drawn, node, arguments)
            )
        if owner.name == EXPORT_ARCHIVE:
            if name == "add_endpoint":
                self._note(SaveCall("endpoint", owner, node, arguments))
            else:
                self._pass_on(arguments, node)
            return None
        if owner.kind is None and owner.outline is not None:
            return self._foreign_method(owner, owner.outline, name, node, arguments)
        if name in {"save", "export"} and owner.kind is not None and owner.kind.is_layer:
            self._note(SaveCall(name, owner, node, arguments))
        self._note(Contact(owner, name, node, arguments))
        if any(holds_tensor(a.value) for a in arguments.items):
            return Tensor(None, structured=True)
        return None

    def _foreign_method(
        self,
        owner: Instance,
        outline: ClassOutline,
        name: str,
        node: cst.Call,
        arguments: Arguments,
    ) -> Value:
        """A method of an object of the project that is not Keras."""
        self._pass_on(arguments, node)
        attributes, self._attributes = self._attributes, {}
        result = self._follow_method(outline, name, node, arguments)
        self._attributes = attributes
        return result


def _added(method: str, arguments: Arguments) -> tuple[Value, ...]:
    """The items that a method adds to a list or set."""
    last = arguments.items[-1].value
    if method in {"extend", "update"}:
        return last.items if isinstance(last, Seq) else (None,)
    return (last,)


def _is_pair(value: Value) -> bool:
    return isinstance(value, Seq) and value.complete and len(value.items) == 2


METHODS: dict[type, Callable[..., Value]] = {
    Shape: MethodReader._shape_method,
    Tensor: MethodReader._tensor_method,
    Array: MethodReader._array_method,
    Table: MethodReader._table_method,
    Seq: MethodReader._sequence_method,
    Instance: MethodReader._object_method,
}
