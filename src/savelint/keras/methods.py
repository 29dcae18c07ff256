"""What methods of values do and give: of shapes, tensors, arrays, containers and objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import libcst as cst

from savelint.keras import operations, paths, saves, tables
from savelint.keras.derived import (
    array_method,
    merged,
    without_entry,
)
from savelint.keras.events import Argument as CallArgument
from savelint.keras.events import Arguments, Contact, Creation, ShapeUse
from savelint.keras.saves import SaveReader
from savelint.keras.tables import CONFIG
from savelint.keras.values import (
    Array,
    ClassOutline,
    Const,
    Instance,
    Options,
    Reading,
    SelfValue,
    Seq,
    Shape,
    Table,
    Tensor,
    Text,
    Value,
    dimensions,
    elements,
    holds_tensor,
    literal,
)
from savelint.keras.walk import code

_GROWING = frozenset({"append", "extend", "insert", "add", "update", "setdefault"})
_SHRINKING = frozenset({"pop", "remove", "clear", "popitem", "sort", "reverse", "discard"})


class MethodReader(SaveReader):
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

    def _result_of_unknown(self, node: cst.Call, arguments: Arguments) -> Value:
        last = node.func.attr.value if isinstance(node.func, cst.Attribute) else code(node.func)
        first = arguments.get(0)
        if last in tables.SHAPE_HELPERS and first and isinstance(first.value, Tensor):
            return Shape(first.value, True, node, first.node.value)
        # A sublayer handed to the constructor, or a helper out of sight.
        if first and isinstance(first.value, Tensor) and self._is_own(node.func):
            return Tensor(0 if first.value.batch_axis == 0 else None, structured=True)
        if any(holds_tensor(a.value) for a in arguments.items):
            return Tensor(None, structured=True)
        return None

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
        if isinstance(value, (Shape, Tensor)) and kind != "deque":
            return value
        return Seq((None,), complete=False, kind=kind) if kind in {"set", "frozenset"} else None

    def _dictionary(self, kind: str, arguments: Arguments) -> Value:
        """`dict(...)` and its like, of pairs, of another dictionary and of keywords."""
        parts: list[Value] = []
        skipped = 1 if kind == "defaultdict" else 0  # its factory
        for argument in arguments.positional[skipped:]:
            parts.extend(_dictionaries(argument))
        for argument in arguments.items:
            if argument.keyword:
                entry = (Const(argument.keyword), argument.value)
                parts.append(Table.of([entry], nodes=[argument.node]))
            elif argument.node.star:
                parts.append(argument.value if argument.node.star == "**" else None)
        table: Value = Table((), kind=kind)
        for part in parts:
            if not isinstance(part, Table) or not isinstance(table, Table):
                return None
            table = merged(table, part)
        return table

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
            if func.attr.value == "pop" and isinstance(func.value, cst.Name):
                shorter = without_entry(owner, arguments.items[0].value)
                if func.value.value in self._frame.names:
                    self._frame.names[func.value.value] = shorter
            return next((value for known, value in owner.items if known == key), None)
        if func.attr.value == "copy":
            return owner
        if func.attr.value == "items" and self._method == CONFIG:
            return Seq((owner,), complete=False, kind="iterator")
        if func.attr.value in {"values", "items"}:
            pairs = owner.entries if func.attr.value == "items" else ()
            rows: tuple[Value, ...] = tuple(Seq(pair, kind="tuple") for pair in pairs)
            held = rows or tuple(value for _, value in owner.items)
            return Seq(held, complete=False, kind="iterator")
        if func.attr.value in _GROWING and arguments.items and self._is_own(func.value):
            self._append(func.value, arguments.items[-1])
        elif func.attr.value in {"update", "setdefault"} and isinstance(func.value, cst.Name):
            self._grow_table(func.value.value, owner, node, arguments)
        if func.attr.value == "update":
            return Const(None)
        given = func.attr.value == "setdefault" and len(arguments.items) > 1
        return arguments.items[-1].value if given else None

    def _grow_table(self, name: str, owner: Table, node: cst.Call, arguments: Arguments) -> None:
        """`blocks.update({...})` and `blocks.setdefault(key, value)` on a local name."""
        if len(arguments.positional) > 1:
            key, value, *_ = (argument.value for argument in arguments.positional)
            added: Value = Table.of([(key, value)], nodes=[node])
        else:
            added = self._dictionary("dict", arguments)
        if name in self._frame.names:
            unknown = replace(owner, complete=False)
            grown = merged(owner, added) if isinstance(added, Table) else unknown
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
        if name in tables.FOREIGN_METHODS:
            return None
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
        self._note_saving_method(owner, node, name, arguments)
        if owner.name == saves.EXPORT_ARCHIVE:
            if name != "add_endpoint":
                self._pass_on(arguments, node)
            return None
        if owner.kind is None and owner.outline is not None:
            return self._foreign_method(owner, owner.outline, name, node, arguments)
        self._note(Contact(owner, name, node, arguments))
        if any(holds_tensor(a.value) for a in arguments.items):
            return Tensor(None, structured=True)
        return None

    def _text_method(
        self, owner: Const | Text, func: cst.Attribute, node: cst.Call, arguments: Arguments
    ) -> Value:
        name = func.attr.value
        positional = [a.value for a in arguments.positional]
        named = {a.keyword: a.value for a in arguments.items if a.keyword}
        self._pass_on(arguments, node)
        if arguments.is_open:
            found = None
        elif isinstance(owner, Text) and owner.is_path:
            found = paths.method(owner, name, positional)
        else:
            found = paths.string_method(owner, name, positional, named)
        return found if found is not None else self._result_of_unknown(node, arguments)

    def _option(
        self, owner: Options, func: cst.Attribute, node: cst.Call, arguments: Arguments
    ) -> Value:
        """`parser.add_argument("--out", default="m.h5")` and `parser.parse_args()`."""
        name = func.attr.value
        if name == "parse_args":
            return owner
        base = func.value
        if (
            name == "add_argument"
            and isinstance(base, cst.Name)
            and base.value in self._frame.names
        ):
            self._frame.names[base.value] = paths.with_option(owner, arguments)
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
        made = owner.node, self._constructed(owner, outline)
        before, self._made_with = self._made_with, {**self._made_with, outline: made}
        self._attributes = {}
        result = self._follow_method(outline, name, node, arguments)
        self._attributes, self._made_with = attributes, before
        return result

    def _constructed(self, owner: Instance, outline: ClassOutline) -> Mapping[str, Value]:
        """What the constructor of an object that this flow made stored on it, by its arguments."""
        method = self._around.method(outline, "__init__")
        made = (e for e in reversed(self._events) if isinstance(e, Creation))
        creation = next((event for event in made if event.node is owner.node), None)
        if method is None or creation is None or method[1] is not self._around:
            return {}
        if creation not in self._constructions:
            results, self._results = self._results, {}  # it is read for what it stores
            self._muted += 1
            self._follow(method[0], creation.arguments, SelfValue(outline))
            self._muted -= 1
            self._results = results
            self._constructions[creation] = self._attributes
        return self._constructions[creation]


def _added(method: str, arguments: Arguments) -> tuple[Value, ...]:
    """The items that a method adds to a list or set."""
    last = arguments.items[-1].value
    if method in {"extend", "update"}:
        return last.items if isinstance(last, Seq) else (None,)
    return (last,)


def _dictionaries(argument: CallArgument) -> Iterator[Value]:
    """The dictionaries that make up what `dict` is given: one, or pairs."""
    value = argument.value
    if not isinstance(value, Seq):
        yield value
        return
    for item in value.items:
        if isinstance(item, Seq) and _is_pair(item):
            yield Table.of([(item.items[0], item.items[1])], nodes=[argument.node])
        else:
            yield item  # list(config.items())


def _is_pair(value: Value) -> bool:
    return isinstance(value, Seq) and value.complete and len(value.items) == 2


METHODS: dict[type, Callable[..., Value]] = {
    Shape: MethodReader._shape_method,
    Tensor: MethodReader._tensor_method,
    Array: MethodReader._array_method,
    Table: MethodReader._table_method,
    Seq: MethodReader._sequence_method,
    Instance: MethodReader._object_method,
    Const: MethodReader._text_method,
    Text: MethodReader._text_method,
    Options: MethodReader._option,
}
