"""The value of each kind of expression, and where it is stored."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TypeGuard

import libcst as cst

from savelint.keras import names, paths, tables
from savelint.keras.choices import choice_of
from savelint.keras.derived import (
    array_arithmetic,
    as_dynamic,
    computed_from,
    concatenated,
    item_of,
    merged,
    tensor_item,
    with_entry,
    with_items,
)
from savelint.keras.frames import Chain, FunctionReader
from savelint.keras.guards import asked_about, asked_mode, asks_shape, runs_in_training
from savelint.keras.model import (
    Arguments,
    AttributeRead,
    AttributeStore,
    Combination,
    ContainerChange,
    FrozenRead,
    NumberUse,
    ObjectStore,
    OuterRead,
    SymbolicUnpacking,
    TensorTest,
)
from savelint.keras.values import (
    Argument,
    Array,
    ClassOutline,
    ClassRef,
    Const,
    Count,
    Dim,
    Function,
    Instance,
    Member,
    Mode,
    Model,
    ModuleRef,
    Options,
    Reading,
    Ref,
    SelfValue,
    Seq,
    Shape,
    Table,
    Tensor,
    Text,
    Traced,
    Value,
    Variable,
    as_model,
    bounded,
    dimensions,
    elements,
    holds_tensor,
    is_symbolic,
    join,
    literal,
    reading_of,
    text_of,
)
from savelint.keras.walk import children, descendants

_CONSTANTS = {"True": True, "False": False, "None": None}
_BUILTINS = frozenset(
    """
    abs all any bool dict enumerate float frozenset getattr hasattr int isinstance iter len list map
    max min next print range reversed round set setattr sorted str sum super tuple type zip
    """.split()
)
_ORDERINGS = (cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual)
WEIGHT_MAKERS = frozenset({"add_weight", "add_variable"})


_KINDS: dict[type[cst.CSTNode], str] = {
    cst.Tuple: "tuple",
    cst.Set: "set",
    cst.SetComp: "set",
    cst.GeneratorExp: "iterator",
}


class ExpressionReader(FunctionReader):
    """The part that reads expressions, assignments and conditions."""

    # -- expressions -------------------------------------------------------------

    def value(self, node: cst.BaseExpression) -> Value:
        """The value of an expression; everything in it is read."""
        if isinstance(node, cst.Call):
            value = self._call(node)
            eager = asked_mode(node) if value is None else None
            return value if eager is None else Mode(eager)
        reader = _EXPRESSIONS.get(type(node))
        if reader is not None:
            return reader(self, node)
        for child in children(node):
            if isinstance(child, cst.BaseExpression):
                self.value(child)
        return None

    def _name(self, node: cst.Name) -> Value:
        if node.value in _CONSTANTS:
            return Const(_CONSTANTS[node.value])
        local, found = self._frame.lookup(node.value)
        if local:
            return found
        found = self._script_name(node.value) or self._around.name(node.value)
        if found is None and node.value in _BUILTINS:
            return Ref(f"builtins.{node.value}")
        if found is None or isinstance(found, (Seq, Table)):
            outer = self._around.outer(node.value)
            self._note_outer(node.value, outer, None, node)
            found = found or as_model(outer)
        return found

    def _note_outer(
        self, name: str, value: Value, owner: ClassOutline | None, node: cst.Name | cst.Attribute
    ) -> None:
        """Note that something is read which holds an object made outside all functions."""
        if any(isinstance(item, (Instance, Variable)) for item in elements(value)):
            training = self._training > 0
            self._note(OuterRead(name, value, owner, node, self._inside, training))

    def _literal(self, node: cst.Integer | cst.Float | cst.SimpleString) -> Value:
        return Const(node.evaluated_value)

    def _texts(self, node: cst.ConcatenatedString) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        return paths.concatenated(left, right) if text_of(left) or text_of(right) else None

    def _formatted(self, node: cst.FormattedString) -> Value:
        pieces: list[Value] = []
        for part in node.parts:
            if isinstance(part, cst.FormattedStringText):
                written = paths.evaluated(part.value, node.start)
                pieces.append(Const(written) if written is not None else None)
            elif isinstance(part, cst.FormattedStringExpression):
                value = self._quietly(part.expression)
                changed = part.conversion or part.format_spec or part.equal
                pieces.append(None if changed else value)
        return paths.concatenated(*pieces) if pieces else Const("")

    def _ellipsis(self, node: cst.Ellipsis) -> Value:
        return Const(...)

    def _attribute(self, node: cst.Attribute) -> Value:
        return self._member(self.value(node.value), node)

    def _member(self, owner: Value, node: cst.Attribute) -> Value:
        name = node.attr.value
        if isinstance(owner, Ref):
            return Ref(names.canonical(f"{owner.name}.{name}"))
        if isinstance(owner, ModuleRef):
            return self._around.member(owner, name)
        if isinstance(owner, SelfValue):
            return self._self_member(owner, node)
        if isinstance(owner, Tensor):
            if name == "shape":
                return Shape(owner, False, node, node.value)
            return Tensor(None) if name in {"T", "values", "flat_values"} else None
        if isinstance(owner, Dim):
            return owner if name == "value" else None
        if isinstance(owner, Text):
            return paths.attribute(owner, name) if owner.is_path else None
        if isinstance(owner, Options):
            return next((value for known, value in owner.defaults if known == name), None)
        if isinstance(owner, Reading):
            return owner
        if isinstance(owner, Array):
            return replace(owner, shape=None, dims=None) if name == "T" else None
        if isinstance(owner, ClassRef):
            found = self._around.class_member(owner.outline, name)
            self._note_outer(name, found, owner.outline, node)
        if isinstance(owner, (Instance, Function, Traced, ClassRef, Member)):
            return Member(owner, name)
        return None

    def _self_member(self, owner: SelfValue, node: cst.Attribute) -> Value:
        name = node.attr.value
        method = owner.outline.method(name)
        if method is not None:
            if _is_property(method):
                return self._follow_method(owner.outline, name, None, Arguments(()))
            return Member(owner, name)
        if name == "build" or name in WEIGHT_MAKERS:
            return Member(owner, name)
        self._note(AttributeRead(owner.outline, name, node, self._method))
        value = self._kept_value(owner.outline, name)
        counted = _is_number(value) or (isinstance(value, Reading) and value.name == name)
        if counted and name in self._counters(owner.outline):
            return Reading(node, name)
        if isinstance(value, (Array, Variable, Instance)):
            return replace(value, attribute=name)
        if value is None:
            found = self._around.class_member(owner.outline, name)
            self._note_outer(name, found, owner.outline, node)
            if found is None and name == "model" and is_callback(owner.outline):
                return Model("the model of a callback")  # Keras sets it before training
        return value

    def _kept_value(self, outline: ClassOutline, name: str) -> Value:
        """What an attribute of `self` holds by now."""
        if name in self._attributes:
            return self._attributes[name]
        return self._around.attribute(outline, name)

    def _subscript(self, node: cst.Subscript) -> Value:
        base = self.value(node.value)
        indices = [self._slice(element.slice) for element in node.slice]
        if isinstance(base, Shape):
            return self._shape_item(base, node, indices)
        if isinstance(base, (Seq, Table)):
            return self._item(base, node, indices)
        if isinstance(base, Tensor):
            self._meet(node, *indices)
            return tensor_item(base, node)
        if isinstance(base, Array):
            return replace(base, shape=None, dims=None, draw=tables.Draw.OTHER, initializer="")
        if isinstance(base, Argument):
            return base.computed
        return base if isinstance(base, Reading) else None

    def _slice(self, node: cst.BaseSlice) -> Value:
        """The value of an index; of a slice `a:b` the two bounds, None where there is none."""
        if isinstance(node, cst.Index):
            return self.value(node.value)
        if isinstance(node, cst.Slice):
            if node.step is not None:
                self.value(node.step)
            bounds = (node.lower, node.upper)
            return Seq(tuple(self.value(b) if b is not None else Const(None) for b in bounds))
        return None

    def _shape_item(self, shape: Shape, node: cst.Subscript, indices: Sequence[Value]) -> Value:
        part = node.slice[0].slice if len(node.slice) == 1 else None
        if isinstance(part, cst.Slice):
            bounds = literal(indices[0])
            start, stop = bounds if isinstance(bounds, list) else (..., ...)
            start = 0 if start is None else start
            if part.step is not None or not isinstance(start, int) or start < 0:
                return None
            end = shape.start + stop if isinstance(stop, int) and stop >= 0 else shape.stop
            return replace(shape, start=shape.start + start, stop=end, node=node)
        index = literal(indices[0]) if len(indices) == 1 else ...
        axis = shape.start + index if isinstance(index, int) and index >= 0 else None
        return Dim(
            shape.tensor, axis, shape.dynamic, node, shape.tensor_node, symbolic=shape.symbolic
        )

    def _item(self, base: Seq | Table, node: cst.Subscript, indices: Sequence[Value]) -> Value:
        part = node.slice[0].slice if len(node.slice) == 1 else None
        if not isinstance(part, cst.Index):
            return replace(base, complete=False) if isinstance(base, Seq) else None
        index = literal(indices[0])
        if isinstance(base, Table):
            return next((value for key, value in base.items if key == index), None)
        plain = not any(isinstance(item, Shape) for item in base.items)
        if (
            base.complete
            and plain
            and isinstance(index, int)
            and -len(base.items) <= index < len(base.items)
        ):
            return base.items[index]
        return item_of(base)

    def _sequence(self, node: cst.List | cst.Tuple | cst.Set) -> Value:
        items: list[Value] = []
        complete = True
        for element in node.elements:
            value = self.value(element.value)
            if isinstance(element, cst.StarredElement):
                if is_symbolic(value):
                    self._note_test(node, element.value, value, "star")
                if isinstance(value, Seq):
                    items.extend(value.items)
                    complete = complete and value.complete
                elif isinstance(value, Shape):
                    items.append(value)
                else:
                    complete = False
            else:
                items.append(value)
        return bounded(Seq(tuple(items), complete, _KINDS.get(type(node), "list")))

    def _dict(self, node: cst.Dict) -> Value:
        table: Value = Table(())
        for element in node.elements:
            key = self.value(element.key) if isinstance(element, cst.DictElement) else None
            value = self.value(element.value)
            spread = isinstance(element, cst.StarredDictElement)
            if isinstance(value, Table) and spread:
                added = value
            else:
                added = Table.of([(key, value)], nodes=[element])
            table = merged(table, added) if isinstance(table, Table) else None
        return table

    def _comprehension(self, node: cst.BaseSimpleComp | cst.DictComp) -> Value:
        outer = self._frame.names
        self._frame.names = dict(outer)
        self._branches += 1
        source = self._comprehension_source(node.for_in)
        if isinstance(node, cst.DictComp) and self._is_listed(source, node.for_in):
            table = self._listed(node, source)
            self._branches -= 1
            self._frame.names = outer
            return table
        key: Value = None
        if isinstance(node, cst.DictComp):
            key = self.value(node.key)
            value = self.value(node.value)
        else:
            value = self.value(node.elt)
        self._branches -= 1
        self._frame.names = outer
        if isinstance(value, Dim) and value.axis is None:
            # [dynamic[i] if s is None else s for i, s in enumerate(static)]
            return Shape(value.tensor, value.dynamic, value.read, value.tensor_node, iterable=True)
        if isinstance(node, cst.DictComp):
            return Table(((None, value),), (key,), nodes=(node,))
        if isinstance(source, Tensor) and value is None:
            return Tensor(None)
        return Seq((value,), complete=False, kind=_KINDS.get(type(node), "list"))

    def _is_listed(self, source: Value, loop: cst.For | cst.CompFor) -> TypeGuard[Seq]:
        """Whether a loop of `get_config` goes over literals, so that it can be written out."""
        if self._method != "get_config" or not isinstance(loop.target, cst.Name):
            return False
        if isinstance(loop, cst.CompFor) and (loop.ifs or loop.inner_for_in is not None):
            return False
        literals = isinstance(source, Seq) and all(isinstance(i, Const) for i in source.items)
        return literals and isinstance(source, Seq) and source.complete

    def _listed(self, node: cst.DictComp, source: Seq) -> Value:
        """`{name: getattr(self, name) for name in ("units", "rate")}`."""
        entries: list[tuple[Value, Value]] = []
        for item in source.items:
            self._store(node.for_in.target, item, node.for_in.iter, node)
            entries.append((self.value(node.key), self.value(node.value)))
        return bounded(Table.of(entries, nodes=[node] * len(entries)))

    def _comprehension_source(self, node: cst.CompFor) -> Value:
        source = self.value(node.iter)
        self._note_items(node, node.iter, source, "each")
        self._store(node.target, item_of(source), node.iter, node)
        for condition in node.ifs:
            self._test(condition.test, condition, "filter")
        if node.inner_for_in is not None:
            self._comprehension_source(node.inner_for_in)
        return source

    def _lambda(self, node: cst.Lambda) -> Value:
        return Function(node, Chain(self._frame.names, self._frame.closure))

    def _walrus(self, node: cst.NamedExpr) -> Value:
        value = self.value(node.value)
        if isinstance(node.target, cst.Name):
            self._frame.names[node.target.value] = value
        return value

    def _conditional(self, node: cst.IfExp) -> Value:
        kept = dict(self._frame.names)
        guards, tested = self._test(node.test, node, "ternary")
        eager, traced = self._untraced(tested)
        training = runs_in_training(node.test)
        self._muted += eager or guards
        self._training += training is True
        body = self.value(node.body)
        self._muted += traced - eager
        self._training += (training is False) - (training is True)
        orelse = self.value(node.orelse)
        self._muted -= traced + guards
        self._training -= training is False
        self._frame.names = {**self._frame.names, **kept}
        if holds_tensor(body) or holds_tensor(orelse):
            self._training += training is True
            self._meet(node.test, tested, decides=True)
            self._training -= training is True
        if guards:
            found = [v for v in (body, orelse) if isinstance(v, (Dim, Shape)) and v.dynamic]
            return replace(found[0], symbolic=False) if found else None
        if isinstance(tested, Reading) and isinstance(body, Const) and isinstance(orelse, Const):
            return tested
        if defaulted := _defaulted(node.test, body, orelse):
            return defaulted
        return join(body, orelse)

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
        if _is_drawn(right):
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

    def _meet(self, node: cst.CSTNode, *values: Value, decides: bool = False) -> None:
        """Note what Python gives anew at each run, where it meets a tensor."""
        if self._method != "call":
            return
        for reading in map(reading_of, chain.from_iterable(map(elements, values))):
            if reading is not None:
                self._note(FrozenRead(reading, node, decides, self._training > 0))

    def _counters(self, outline: ClassOutline) -> frozenset[str]:
        """The attributes that methods of the class count up, or set by what they were."""
        if self._method != "call":
            return frozenset()
        if outline not in self._counted:
            self._counted[outline] = frozenset(_counted(outline))
        return self._counted[outline]

    # -- storing -----------------------------------------------------------------

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
        elif isinstance(target, (cst.Tuple, cst.List)):
            self._unpack(target, value, value_node, statement)
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

    # -- tests and guards ---------------------------------------------------------

    def _note_test(
        self, node: cst.CSTNode, test: cst.BaseExpression, value: Value, how: str
    ) -> None:
        """Note that Python asks a tensor for its truth, its items or its number."""
        certain = is_symbolic(value) or _is_drawn(value)
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
        eager, training = value == Mode(eager=True), runs_in_training(node) is True
        self._muted += eager
        self._training += training
        self._note_test(around, node, value, how)
        self._training -= training
        self._muted -= eager
        guards = asks_shape(node)
        for name in asked_about(node):
            known, current = self._frame.lookup(name)
            if known and any(not dim.dynamic for dim in dimensions(current)):
                self._frame.names[name] = as_dynamic(current)
                guards = True
            elif isinstance(current, Tensor) and asks_shape(node):
                self._frame.names[name] = replace(current, batch_axis=None)
        return guards, value

    def _untraced(self, tested: Value) -> tuple[bool, bool]:
        """Of a condition's two branches, which no traced program runs, as far as is known."""
        if not isinstance(tested, Mode):
            return False, False
        self._frame.asked_mode = True
        return tested.eager is not False, tested.eager is not True

    @abstractmethod
    def _call(self, node: cst.Call) -> Value:
        """The result of a call."""

    @abstractmethod
    def _is_own(self, node: cst.BaseExpression) -> bool:
        """Whether an expression is an attribute of `self`, or an item of one."""

    @abstractmethod
    def _note_number(
        self, node: cst.BaseExpression, value: Value, *, takes_tensor: bool = False
    ) -> None:
        """Note that a value is used as a Python number."""


def _is_drawn(value: Value) -> bool:
    """Whether a value is a random tensor, which is drawn when the graph runs."""
    return (
        isinstance(value, Array)
        and value.origin == "random"
        and not value.is_numpy
        and value.attribute is None
    )


def _defaulted(test: cst.BaseExpression, *branches: Value) -> Argument | None:
    """What `x if x is not None else 3` and `(x, x) if isinstance(x, int) else x` give."""
    found = next((v for v in branches if isinstance(v, Argument) and v.how != "computed"), None)
    if found is None or found.name not in asked_about(test):
        return None
    return replace(found, how=found.how or "defaulted")


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


def _is_number(value: Value) -> bool:
    number = value.value if isinstance(value, Const) else None
    return isinstance(number, (int, float)) and not isinstance(number, bool)


def _counted(outline: ClassOutline) -> Iterator[str]:
    methods = {m.name.value: m for cls in outline.lineage for m in cls.methods.values()}
    for name, method in methods.items():
        if name in {"__init__", "build"}:
            continue
        for node in descendants(method.body):
            if isinstance(node, cst.AugAssign) and isinstance(node.target, cst.Attribute):
                yield node.target.attr.value
            elif isinstance(node, cst.Assign) and len(node.targets) == 1:
                target = node.targets[0].target
                if isinstance(target, cst.Attribute) and any(
                    isinstance(part, cst.Attribute) and part.attr.value == target.attr.value
                    for part in descendants(node.value)
                ):
                    yield target.attr.value


def _item_owner(node: cst.BaseExpression) -> cst.BaseExpression | None:
    """The container of which an expression is an item: `x` of `x[0]` and `x.setdefault(k, [])`."""
    if isinstance(node, cst.Subscript):
        return node.value
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        return node.func.value if node.func.attr.value == "setdefault" else None
    return None


def is_callback(outline: ClassOutline) -> bool:
    """Whether a class derives from a callback of Keras' own."""
    bases = (base for cls in outline.lineage for base in cls.bases if base is not None)
    return any(base.startswith("keras.callbacks.") for base in bases)


def _is_property(node: cst.FunctionDef) -> bool:
    return any(
        isinstance(item.decorator, cst.Name)
        and item.decorator.value in {"property", "cached_property"}
        for item in node.decorators
    )


_EXPRESSIONS: dict[type[cst.CSTNode], Callable[..., Value]] = {
    cst.Name: ExpressionReader._name,
    cst.Integer: ExpressionReader._literal,
    cst.Float: ExpressionReader._literal,
    cst.SimpleString: ExpressionReader._literal,
    cst.ConcatenatedString: ExpressionReader._texts,
    cst.FormattedString: ExpressionReader._formatted,
    cst.Ellipsis: ExpressionReader._ellipsis,
    cst.Attribute: ExpressionReader._attribute,
    cst.Subscript: ExpressionReader._subscript,
    cst.List: ExpressionReader._sequence,
    cst.Tuple: ExpressionReader._sequence,
    cst.Set: ExpressionReader._sequence,
    cst.Dict: ExpressionReader._dict,
    cst.ListComp: ExpressionReader._comprehension,
    cst.SetComp: ExpressionReader._comprehension,
    cst.GeneratorExp: ExpressionReader._comprehension,
    cst.DictComp: ExpressionReader._comprehension,
    cst.Lambda: ExpressionReader._lambda,
    cst.NamedExpr: ExpressionReader._walrus,
    cst.IfExp: ExpressionReader._conditional,
    cst.BooleanOperation: ExpressionReader._boolean,
    cst.UnaryOperation: ExpressionReader._unary,
    cst.Comparison: ExpressionReader._comparison,
    cst.BinaryOperation: ExpressionReader._binary,
}
