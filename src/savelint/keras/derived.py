"""Values made of values: items, elements, concatenations, scaled arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import libcst as cst

from savelint.keras import operations, tables
from savelint.keras.events import Arguments
from savelint.keras.values import (
    Argument,
    Array,
    Const,
    Dim,
    Instance,
    Seq,
    Shape,
    Table,
    Tensor,
    Value,
    Variable,
    bounded,
    join,
    literal,
)


def item_of(value: Value) -> Value:
    """What iterating over a value gives."""
    if isinstance(value, Seq):
        found = list(value.items)
        if not found or any(isinstance(item, Shape) for item in found):
            return None
        if all(isinstance(item, Instance) for item in found):
            return _typical(found)
        result = found[0]
        for item in found[1:]:
            result = join(result, item)
        return result
    if isinstance(value, Shape):
        return Dim(
            value.tensor,
            None,
            value.dynamic,
            value.node,
            value.tensor_node,
            symbolic=value.symbolic,
        )
    if isinstance(value, Tensor):
        axis = value.batch_axis if value.structured else None
        return Tensor(axis, certain=value.single, single=value.single)
    return None


def _typical(layers: Sequence[Value]) -> Value:
    """One object of a list to stand for all: a layer with weights, if there is one."""
    return next(
        (
            layer
            for layer in layers
            if isinstance(layer, Instance)
            and layer.name.rpartition(".")[2] not in tables.WEIGHTLESS
        ),
        layers[0],
    )


def joined(
    left: Mapping[str, Value], right: Mapping[str, Value], *, missing_right: bool = False
) -> dict[str, Value]:
    """The names known after two branches; one that a branch does not bind is unknown.

    With `missing_right` the right one is a loop's body, which binds it when it runs at all.
    """
    merged: dict[str, Value] = {}
    for name in (*left, *(n for n in right if n not in left)):
        if name in left and name in right:
            merged[name] = join(left[name], right[name])
        elif missing_right and name in right:
            merged[name] = right[name]
        else:
            merged[name] = None
    return merged


def as_dynamic(value: Value) -> Value:
    """A static dimension, or shapes in a list, as if they were read dynamically."""
    if isinstance(value, (Dim, Shape)):
        return replace(value, dynamic=True, symbolic=False)
    if isinstance(value, Seq):
        return replace(value, items=tuple(map(as_dynamic, value.items)))
    return value


def concatenated(left: Seq | Shape, right: Seq | Shape) -> Value:
    """`left + right` of lists, tuples and shapes."""
    items: list[Value] = []
    for side in (left, right):
        items.extend(side.items if isinstance(side, Seq) else [side])
    complete = all(not isinstance(side, Seq) or side.complete for side in (left, right))
    kind = left.kind if isinstance(left, Seq) else "list"
    return bounded(Seq(tuple(items), complete, kind))


def array_arithmetic(left: Value, right: Value, node: cst.BaseExpression, operator: str) -> Value:
    """What arithmetic gives where no tensor is involved: an array, or a number."""
    arrays = [value for value in (left, right) if isinstance(value, Array)]
    if len(arrays) == 2:
        origin = next((a.origin for a in arrays if a.origin == "random"), "table")
        drawn = next((a.drawn for a in arrays if a.drawn is not None), None)
        return Array(origin, is_numpy=arrays[0].is_numpy, drawn=drawn)
    if len(arrays) == 1:
        other = right if arrays[0] is left else left
        if isinstance(other, Variable):
            return None
        return _scaled(arrays[0], other, node, operator, arrays[0] is left)
    # A number computed from a constructor argument.
    return next((v.computed for v in (left, right) if isinstance(v, Argument)), None)


def _scaled(
    array: Array, other: Value, node: cst.BaseExpression, operator: str, first: bool
) -> Array:
    """An array times or over a number: a draw keeps its distribution, ones become the number."""
    plain = replace(array, draw=tables.Draw.OTHER, parameters=(), fill="", initializer="")
    if not isinstance(node, cst.BinaryOperation) or operator not in {"Multiply", "Divide"}:
        return plain
    if operator == "Divide" and not first:
        return plain
    factor = operations.operand_code(node.right if first else node.left)
    if array.fill == "ones" and operator == "Multiply" and isinstance(other, (Const, Argument)):
        return replace(array, fill=factor)
    scaled = operations.scaled_parameters(array, factor, operator)
    return replace(array, parameters=scaled, fill="", initializer="") if scaled else plain


def computed_from(array: Array) -> Array:
    """An array that a computation makes of another: only where it comes from is known."""
    origin = "table" if array.origin == "filled" else array.origin
    return Array(origin, is_numpy=array.is_numpy, drawn=array.drawn)


def with_items(array: Array, value: Value) -> Array:
    """An array some of whose items are set, one by one or by a slice."""
    random = "random" in {array.origin, value.origin if isinstance(value, Array) else ""}
    origin = "random" if random else "table"
    draw = tables.Draw.OTHER
    return replace(array, origin=origin, draw=draw, parameters=(), fill="", initializer="")


def with_entry(table: Table, key: Value, value: Value, node: cst.CSTNode) -> Value:
    """A dictionary one of whose items is set, by `node`."""
    return merged(table, Table.of([(key, value)], nodes=[node]))


def merged(table: Table, added: Table) -> Value:
    """A dictionary updated by another: an item that both have is the other's."""
    names = {name for name, _ in added.items if name is not None}
    kept = [index for index, (name, _) in enumerate(table.items) if name not in names]
    return bounded(
        Table(
            (*(table.items[index] for index in kept), *added.items),
            (*(table.keys[index] for index in kept), *added.keys),
            table.kind,
            (*(table.nodes[index] for index in kept), *added.nodes),
            tuple(dict.fromkeys((*table.inherits, *added.inherits))),
            table.complete and added.complete,
        )
    )


def without_entry(table: Table, key: Value) -> Table:
    """A dictionary from which an item was taken; one of an inherited config is not known."""
    name = literal(key)
    kept = [index for index, (known, _) in enumerate(table.items) if known != name]
    return Table(
        tuple(table.items[index] for index in kept),
        tuple(table.keys[index] for index in kept),
        table.kind,
        tuple(table.nodes[index] for index in kept),
        table.inherits,
        table.complete and len(kept) < len(table.items),
    )


def array_method(owner: Array, name: str, arguments: Arguments) -> Value:
    """What a method of an array gives."""
    if name == "astype" and arguments.items:
        return replace(owner, dtype=operations.dtype_name(arguments.items[0].value))
    if name in {"copy", "numpy"}:
        return owner
    if name in {"tolist", "reshape", "flatten", "ravel", "transpose", "sum", "mean", "cumsum"}:
        return replace(owner, shape=None, dims=None, draw=tables.Draw.OTHER, initializer="")
    return None


def tensor_item(tensor: Tensor, node: cst.Subscript) -> Tensor:
    """`x[:, 0]` keeps the batch first, `x[0]` takes one of it, `x["key"]` is of a dict."""
    found = _axes_of_item(tensor, node)
    one = tensor.single or (tensor.certain and len(node.slice) > 1)
    return replace(found, certain=one, single=one)


def _axes_of_item(tensor: Tensor, node: cst.Subscript) -> Tensor:
    part = node.slice[0].slice
    if isinstance(part, cst.Slice):
        whole = part.lower is None and part.upper is None
        return Tensor(tensor.batch_axis if whole else None)
    if isinstance(part, cst.Index):
        if isinstance(part.value, (cst.Ellipsis, cst.SimpleString)):
            return Tensor(tensor.batch_axis)
        if tensor.structured and isinstance(part.value, cst.Integer):
            return Tensor(tensor.batch_axis)
    return Tensor(None)
