"""Entries of a config that hold something else than what their argument was given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint.frozen import frozen
from savelint.keras.config import Config, Constructor, Entry, Held, Taken
from savelint.keras.events import AttributeStore
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.values import Argument, Instance
from savelint.rules import rebuilding

if TYPE_CHECKING:
    import libcst as cst


@frozen
class Altered:
    """An entry that holds something else than what the argument of its name was given.

    It is what another argument holds, or what `computed` makes of it.
    """

    taken: Taken
    entry: Entry
    other: str
    computed: cst.BaseExpression | None


def altered(
    module: ModuleModel, cls: KerasClass, recorded: Config, made: Constructor
) -> Iterator[Altered]:
    """The entries with which a class is not made as it was."""
    if rebuilding.supplied(module, cls) != frozenset():
        return
    arguments = {taken.name: taken for taken in made.arguments if taken.parameter is not None}
    for key, entry in recorded.entries.items():
        if key not in arguments or not module.is_here(entry.node):
            continue
        if module.branches_of(entry.node):
            continue
        written = module.text(entry.value_node)
        held = made.held.get(key)
        other = _other(module, recorded, made, entry)
        if other:
            yield Altered(arguments[key], entry, other, None)
        elif held is not None and isinstance(entry.value, Instance):
            layer = _layer_of(module, cls, written, held)
            if layer is not None:
                yield Altered(arguments[key], entry, "", layer)
        elif held is None and isinstance(entry.value, Argument):
            value = entry.value
            if value.name == key and value.how == "computed" and not value.keywords:
                computed = _computation(cls, written, key)
                if computed is not None:
                    yield Altered(arguments[key], entry, "", computed)


def _other(module: ModuleModel, recorded: Config, made: Constructor, entry: Entry) -> str:
    """The argument that an entry holds in place of that of its name."""
    written = module.text(entry.value_node)
    held = made.held.get(entry.key)
    if held is None:
        return ""
    for name, source in made.held.items():
        if name == entry.key or name not in recorded.entries:
            continue
        if written != f"self.{source.attribute}":
            continue
        value = entry.value
        is_it = isinstance(value, Argument) and value.name == name and not value.keywords
        # The two have changed places, whatever becomes of one of them later.
        crossed = module.is_here(recorded.entries[name].node) and (
            module.text(recorded.entries[name].value_node) == f"self.{held.attribute}"
        )
        if (is_it and held.certain) or (crossed and not held.how and not source.how):
            return name
    return ""


def _layer_of(
    module: ModuleModel, cls: KerasClass, written: str, held: Held
) -> cst.BaseExpression | None:
    """`Dropout(self.rate)`, where that is all that an entry is given in place of `rate`."""
    stores = [
        store
        for flow in cls.flows.values()
        for store in flow.all(AttributeStore)
        if f"self.{store.name}" == written
    ]
    if len(stores) != 1 or stores[0].conditional or not held.certain or held.how:
        return None
    made = stores[0].value
    if not isinstance(made, Instance) or made.kind is None or not made.kind.is_layer:
        return None
    arguments = getattr(stores[0].value_node, "args", ())
    is_given = any(module.text(each.value) == f"self.{held.attribute}" for each in arguments)
    return stores[0].value_node if is_given else None


def _computation(cls: KerasClass, kept: str, name: str) -> cst.BaseExpression | None:
    """`1.0 / name`, where that is all that `self.kept` is ever given."""
    stores = [
        store
        for flow in cls.flows.values()
        for store in flow.all(AttributeStore)
        if f"self.{store.name}" == kept
    ]
    if len(stores) != 1 or stores[0].conditional or stores[0].method != "__init__":
        return None
    import libcst as cst

    node = stores[0].value_node
    if not isinstance(node, cst.BinaryOperation):
        return None
    parts = (node.left, node.right)
    names = [part.value for part in parts if isinstance(part, cst.Name)]
    numbers = [part.evaluated_value for part in parts if isinstance(part, cst.Integer | cst.Float)]
    is_neutral = any(number in {0, 1} for number in numbers)
    inverts = not isinstance(parts[0], cst.Name)
    if names != [name] or len(numbers) != 1:
        return None
    operator = type(node.operator).__name__
    if operator not in {"Add", "Subtract", "Multiply", "Divide"}:
        return None
    return node if not is_neutral or (inverts and operator in {"Divide", "Subtract"}) else None
