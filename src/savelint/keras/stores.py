"""Where values are stored: names, attributes, items, and several at once."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

import libcst as cst

from savelint.keras.conditions import ConditionReader
from savelint.keras.derived import (
    computed_from,
    item_of,
    with_entry,
    with_items,
)
from savelint.keras.events import AttributeStore, ContainerChange, ObjectStore, SymbolicUnpacking
from savelint.keras.values import (
    Array,
    ClassOutline,
    Dim,
    Instance,
    SelfValue,
    Seq,
    Shape,
    Table,
    Tensor,
    Value,
    is_symbolic,
)


class StoreReader(ConditionReader):
    """The part that stores values."""

    def _store(
        self,
        target: cst.BaseExpression,
        value: Value,
        value_node: cst.BaseExpression,
        statement: cst.CSTNode,
    ) -> None:
        if isinstance(target, cst.Name):
            if isinstance(value, Tensor) and "mask" in target.value:
                # A mask is as often one for all as one an example.
                value = Tensor(None, certain=value.certain, single=value.single)
            self._frame.names[target.value] = value
            self._frame.aliases.pop(target.value, None)
        elif isinstance(target, cst.Attribute):
            owner = self.value(target.value)
            name = target.attr.value
            if isinstance(owner, SelfValue):
                self._keep(owner, target, value, value_node, statement, target, "assign")
                if isinstance(value, Array) and self._branches:
                    value = replace(value, drawn=None)  # once, as a state that is made late
                self._attributes[name] = value
                self._alias(value_node, value, owner.outline, name, 0)
            elif isinstance(owner, Instance):
                self._note(ObjectStore(owner, name, value, value_node, statement))
        elif isinstance(target, cst.Subscript):
            self._store_item(target, value, value_node, statement)
        elif isinstance(target, (cst.Tuple, cst.List)):
            self._unpack(target, value, value_node, statement)
        elif isinstance(target, cst.StarredElement):
            self._store(target.value, None, value_node, statement)

    def _alias(
        self,
        node: cst.BaseExpression,
        value: Value,
        owner: ClassOutline,
        attribute: str,
        depth: int,
    ) -> None:
        """Remember that a local name stands for a container that an attribute was given."""
        is_list = isinstance(value, Seq) and value.kind == "list"
        if isinstance(node, cst.Name) and (is_list or isinstance(value, Table)):
            self._frame.aliases[node.value] = (owner, attribute, depth)

    def _keep(
        self,
        owner: SelfValue,
        attribute: cst.Attribute,
        value: Value,
        value_node: cst.BaseExpression,
        statement: cst.CSTNode,
        target: cst.BaseExpression,
        how: str,
        key: Value = None,
    ) -> None:
        self._note(
            AttributeStore(
                owner.outline,
                attribute.attr.value,
                value,
                value_node,
                statement,
                target,
                how,
                self._method,
                conditional=self._branches > 0,
                key=key,
            )
        )

    def _store_item(
        self,
        target: cst.Subscript,
        value: Value,
        value_node: cst.BaseExpression,
        statement: cst.CSTNode,
    ) -> None:
        key, *_ = (self._slice(element.slice) for element in target.slice)
        base = target.value
        owner = self._quietly(base.value) if isinstance(base, cst.Attribute) else None
        is_slice = isinstance(target.slice[0].slice, cst.Slice)
        self._change(base, "slice" if is_slice else "item", (value,), target, statement)
        if isinstance(base, cst.Attribute) and isinstance(owner, SelfValue):
            self._keep(owner, base, value, value_node, statement, target, "item", key)
        elif isinstance(base, cst.Name):
            current = self._frame.names.get(base.value)
            if isinstance(current, Shape) and isinstance(value, (Dim, Shape)):
                # shape[i] = tf.shape(x)[i]: the usual way to complete a static shape.
                self._frame.names[base.value] = replace(current, dynamic=value.dynamic)
            elif isinstance(current, Array):
                self._frame.names[base.value] = with_items(current, value)
            elif isinstance(current, (Shape, Seq)):
                self._frame.names[base.value] = None
            elif isinstance(current, Table):
                self._frame.names[base.value] = with_entry(current, key, value, statement)

    def _change(
        self,
        base: cst.BaseExpression,
        how: str,
        values: tuple[Value, ...],
        node: cst.BaseExpression,
        statement: cst.CSTNode,
    ) -> None:
        """Note that a container is changed in its place, where an attribute of `self` holds it."""
        depth = 0
        while (outer := _item_owner(base)) is not None:
            base = outer
            depth += 1
        alias = ""
        if isinstance(base, cst.Name):
            found = self._frame.aliases.get(base.value)
            if found is None:
                return
            owner, name, inner = found
            depth += inner
            alias = base.value
        elif isinstance(base, cst.Attribute):
            holder = self._quietly(base.value)
            if not isinstance(holder, SelfValue):
                return
            owner, name = holder.outline, base.attr.value
        else:
            return
        self._note(
            ContainerChange(owner, name, how, values, node, statement, self._method, alias, depth)
        )

    def _unpack(
        self,
        target: cst.Tuple | cst.List,
        value: Value,
        value_node: cst.BaseExpression,
        statement: cst.CSTNode,
    ) -> None:
        starred = next(
            (i for i, e in enumerate(target.elements) if isinstance(e, cst.StarredElement)), None
        )
        if isinstance(value, Shape):
            self._unpack_shape(target, value, statement, starred)
            return
        if is_symbolic(value):
            self._note_test(statement, value_node, value, "unpack")
        for index, element in enumerate(target.elements):
            found: Value = None
            if index == starred:
                found = Seq((item_of(value),), complete=False) if value is not None else None
            elif isinstance(value, Seq) and value.complete and starred is None:
                found = value.items[index] if index < len(value.items) else None
            elif isinstance(value, Tensor):
                found = Tensor(value.batch_axis, certain=value.single, single=value.single)
            elif isinstance(value, Array):
                found = computed_from(value)
            elif isinstance(value, Seq):
                found = item_of(value)
            self._store(element.value, found, value_node, statement)

    def _unpack_shape(
        self,
        target: cst.Tuple | cst.List,
        shape: Shape,
        statement: cst.CSTNode,
        starred: int | None,
    ) -> None:
        assignment = statement if isinstance(statement, cst.Assign) else None
        if shape.dynamic and not shape.iterable and assignment is not None:
            count = None if starred is not None else len(target.elements)
            self._note(SymbolicUnpacking(assignment, shape, count))
        for index, element in enumerate(target.elements):
            item = element.value
            found: Value = None
            if index != starred and isinstance(item, cst.Name):
                axis = None if starred is not None and index > starred else shape.start + index
                found = Dim(
                    shape.tensor,
                    axis,
                    shape.dynamic,
                    item,
                    shape.tensor_node,
                    assignment,
                    symbolic=shape.symbolic,
                )
            self._store(item, found, item, statement)

    @abstractmethod
    def _is_own(self, node: cst.BaseExpression) -> bool:
        """Whether an expression is an attribute of `self`, or an item of one."""

    @abstractmethod
    def _slice(self, node: cst.BaseSlice) -> Value:
        """The value of an index; of a slice `a:b` the two bounds, None where there is none."""


def _item_owner(node: cst.BaseExpression) -> cst.BaseExpression | None:
    """The container of which an expression is an item: `x` of `x[0]` and `x.setdefault(k, [])`."""
    if isinstance(node, cst.Subscript):
        return node.value
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        return node.func.value if node.func.attr.value == "setdefault" else None
    return None
