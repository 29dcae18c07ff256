"""The value of each kind of expression."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeGuard

import libcst as cst

from savelint.keras import names, paths, tables
from savelint.keras.derived import (
    item_of,
    merged,
    tensor_item,
)
from savelint.keras.events import Arguments, AttributeRead, OuterRead
from savelint.keras.frames import Chain
from savelint.keras.guards import asked_about, asked_mode, runs_in_training
from savelint.keras.operators import OperatorReader
from savelint.keras.values import (
    Argument,
    Array,
    ClassOutline,
    ClassRef,
    Const,
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
    elements,
    holds_tensor,
    is_symbolic,
    join,
    literal,
    text_of,
)
from savelint.keras.walk import children, descendants

_CONSTANTS = {"True": True, "False": False, "None": None}
_BUILTINS = frozenset(
    """
    abs all any bool dict enumerate float frozenset getattr hasattr int isinstance iter len list map
    max min next open print range reversed round set setattr sorted str sum super tuple type zip
    """.split()
)
WEIGHT_MAKERS = frozenset({"add_weight", "add_variable"})
# A text that says what it is, without an escape, between single quotation marks.
_PLAIN_TEXT = re.compile(r"(['\"])(?!\1)([^\\]*)\1")

_KINDS: dict[type[cst.CSTNode], str] = {
    cst.Tuple: "tuple",
    cst.Set: "set",
    cst.SetComp: "set",
    cst.GeneratorExp: "iterator",
}


class ExpressionReader(OperatorReader):
    """The part that reads expressions."""

    def value(self, node: cst.BaseExpression) -> Value:
        """The value of an expression; everything in it is read."""
        reader = _EXPRESSIONS.get(type(node))
        if reader is not None:
            return reader(self, node)
        for child in children(node):
            if isinstance(child, cst.BaseExpression):
                self.value(child)
        return None

    def _called(self, node: cst.Call) -> Value:
        value = self._call(node)
        eager = asked_mode(node) if value is None else None
        return value if eager is None else Mode(eager)

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

    # Literals, nearly all without the compiler of Python.

    def _integer(self, node: cst.Integer) -> Value:
        return Const(int(node.value, 0))

    def _float(self, node: cst.Float) -> Value:
        return Const(float(node.value))

    def _string(self, node: cst.SimpleString) -> Value:
        plain = _PLAIN_TEXT.fullmatch(node.value)
        return Const(plain[2] if plain else node.evaluated_value)

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
        value = self._around.attribute(outline, name)
        given = isinstance(value, Argument) and not value.how
        if given or (isinstance(value, Text) and value.assumed):
            _, stored = self._made_with.get(outline, (None, {}))
            return stored.get(name, value)
        return value

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

    def _counters(self, outline: ClassOutline) -> frozenset[str]:
        """The attributes that methods of the class count up, or set by what they were."""
        if self._method != "call":
            return frozenset()
        if outline not in self._counted:
            self._counted[outline] = frozenset(_counted(outline))
        return self._counted[outline]

    @abstractmethod
    def _call(self, node: cst.Call) -> Value:
        """The result of a call."""


def _defaulted(test: cst.BaseExpression, *branches: Value) -> Argument | None:
    """What `x if x is not None else 3` and `(x, x) if isinstance(x, int) else x` give."""
    found = next((v for v in branches if isinstance(v, Argument) and v.how != "computed"), None)
    if found is None or found.name not in asked_about(test):
        return None
    return replace(found, how=found.how or "defaulted")


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
    cst.Call: ExpressionReader._called,
    cst.Integer: ExpressionReader._integer,
    cst.Float: ExpressionReader._float,
    cst.SimpleString: ExpressionReader._string,
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
