"""What a call does and gives: functions of the file, libraries, layers, methods of values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import libcst as cst

from savelint.keras import operations, tables
from savelint.keras.derived import (
    array_method,
    item_of,
)
from savelint.keras.expressions import WEIGHT_MAKERS, ExpressionReader
from savelint.keras.model import (
    Argument as CallArgument,
)
from savelint.keras.model import (
    Arguments,
    Contact,
    LayerCall,
    NumberUse,
    SaveCall,
    SelfContact,
    ShapeUse,
    Stack,
    SuperCall,
    WeightCall,
)
from savelint.keras.operations import code
from savelint.keras.parameters import is_static
from savelint.keras.tables import Kind
from savelint.keras.values import (
    Argument,
    Array,
    ClassOutline,
    ClassRef,
    Concrete,
    Dim,
    Function,
    Instance,
    Member,
    Ref,
    SelfValue,
    Seq,
    Shape,
    Spec,
    Table,
    Tensor,
    Traced,
    Value,
    Variable,
    dimensions,
    elements,
    holds_tensor,
    literal,
)

_GROWING = frozenset({"append", "extend", "insert", "add", "update", "setdefault"})
EXPORT_ARCHIVE = "keras.export.ExportArchive"
_TF_FUNCTION = frozenset({"tensorflow.function", "tensorflow.experimental.function"})
_SAVE_MODEL = frozenset({"keras.models.save_model", "keras.saving.save_model"})
_GENERATORS = frozenset({"numpy.random.default_rng", "numpy.random.RandomState"})


class CallReader(ExpressionReader):
    """The part that reads calls."""

    def _call(self, node: cst.Call) -> Value:
        if not isinstance(node.func, cst.Attribute):
            return self._apply(self.value(node.func), node, self._arguments(node))
        if _is_super(node.func.value):
            arguments = self._arguments(node)
            self._note(SuperCall(node.func.attr.value, node, arguments))
            return self._unknown(arguments)
        owner = self.value(node.func.value)
        arguments = self._arguments(node)
        method = _METHODS.get(type(owner))
        if method is not None:
            return method(self, owner, node.func, node, arguments)
        if owner is None and self._grows_own(node.func) and arguments.items:
            self._append(node.func.value, arguments.items[-1])
            return None
        return self._apply(self._member(owner, node.func), node, arguments)

    def _arguments(self, node: cst.Call) -> Arguments:
        return Arguments(tuple(CallArgument(a, self.value(a.value)) for a in node.args))

    def _unknown(self, arguments: Arguments) -> Value:
        """The result of a function that cannot be followed."""
        self._pass_on(arguments, None)
        return (
            Tensor(None, structured=True)
            if any(holds_tensor(a.value) for a in arguments.items)
            else None
        )

    def _pass_on(self, arguments: Arguments, node: cst.Call | None) -> None:
        """Objects handed to a function that cannot be followed may be used there."""
        for argument in arguments.items:
            for value in elements(argument.value):
                if isinstance(value, Instance):
                    self._note(Contact(value, "passed", node or value.node, arguments))

    def _apply(self, callee: Value, node: cst.Call, arguments: Arguments) -> Value:
        if isinstance(callee, Ref):
            return self._apply_reference(callee.name, node, arguments)
        if isinstance(callee, ClassRef):
            self._pass_on(arguments, node)
            return Instance(callee.outline.kind, callee.outline.name, node, callee.outline)
        if isinstance(callee, Function):
            return self._follow(callee, arguments, None)
        if isinstance(callee, Traced):
            return self._apply_traced(callee, node, arguments)
        if isinstance(callee, Member):
            return self._apply_member(callee, node, arguments)
        if isinstance(callee, Instance):
            return self._call_object(callee, node, arguments)
        if isinstance(callee, SelfValue):
            self._note(SelfContact("call", node, arguments))
            method = callee.outline.method("call")
            if method is not None:
                return self._follow(Function(method), arguments, callee)
        self._pass_on(arguments, node)
        return self._result_of_unknown(node, arguments)

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

    def _is_own(self, node: cst.BaseExpression) -> bool:
        """Whether an expression is an attribute of `self`, or an item of one."""
        while isinstance(node, cst.Subscript):
            node = node.value
        return isinstance(node, cst.Attribute) and isinstance(self._quietly(node.value), SelfValue)

    def _apply_traced(self, callee: Traced, node: cst.Call, arguments: Arguments) -> Value:
        if callee.function is None:
            first = arguments.get(0)
            return Traced(first.value if first else None, callee.signature, node)
        return self._apply(callee.function, node, arguments)

    def _apply_member(self, callee: Member, node: cst.Call, arguments: Arguments) -> Value:
        owner = callee.owner
        if isinstance(owner, SelfValue):
            method = owner.outline.method(callee.name)
            if callee.name == "build":
                self._note(SelfContact("build", node, arguments))
            if method is not None:
                receiver = None if is_static(method) else owner
                return self._follow(Function(method), arguments, receiver)
            if callee.name in WEIGHT_MAKERS:
                conditional = self._branches > 0
                self._note(WeightCall(owner.outline, node, arguments, self._method, conditional))
                return Variable("weight", node)
        if callee.name == "get_concrete_function":
            return Concrete()
        self._pass_on(arguments, node)
        return None

    def _apply_reference(self, name: str, node: cst.Call, arguments: Arguments) -> Value:
        if name.startswith("builtins."):
            return self._builtin(name.removeprefix("builtins."), node, arguments)
        if name in _TF_FUNCTION:
            return self._tf_function(node, arguments)
        if name == "tensorflow.saved_model.save":
            self._save("saved_model", arguments.get(0, "obj"), node, arguments)
            return None
        if name in _SAVE_MODEL:
            self._save("save", arguments.get(0, "model"), node, arguments)
            return None
        if name == "keras.Variable":
            initial = arguments.get(0, "initializer")
            return Variable("keras", node, initial.value if initial else None)
        if name in {"keras.Input", "keras.layers.Input"}:
            return operations.keras_input(node, arguments)
        if name.endswith(".Model") and arguments.items and tables.base_kind(name) is Kind.MODEL:
            return Instance(Kind.FUNCTIONAL, name, node)
        if name == EXPORT_ARCHIVE:
            return Instance(None, name, node)
        if tables.is_initializer(name):
            seeded = ".seeded" if operations.is_seeded(arguments, None, "seed") else ""
            return Instance(Kind.OTHER, name + seeded, node)
        kind = tables.base_kind(name)
        if kind is not None:
            self._pass_on(arguments, node)
            self._note_stack(name, node, arguments)
            return Instance(kind, name, node)
        if name in _GENERATORS:
            return Instance(None, _generator_name(arguments), node)
        operation = tables.operation(name)
        if operation is None:
            self._pass_on(arguments, node)
            return self._result_of_unknown(node, arguments)
        family, short = operation
        if short == "executing_eagerly":
            return None
        self._note_shape_uses(family, short, node, arguments)
        if short in tables.ELEMENTWISE_COMBINATIONS or short in tables.CONTRACTIONS:
            values = [v for a in arguments.items for v in elements(a.value)]
            self._combine(node, *values)
        if short in {"random.seed", "random.set_seed"}:
            self._frame.seeded = True
        result = operations.call_operation(family, short, node, arguments)
        if isinstance(result, Array) and result.origin == "random" and self._frame.seeded:
            return replace(result, origin="table")
        return result

    def _note_shape_uses(
        self, family: tables.Family, short: str, node: cst.Call, arguments: Arguments
    ) -> None:
        if short in {"cast", "constant", "convert_to_tensor"}:
            first = arguments.get(0)
            if first and short != "constant":
                self._note_number(node, first.value, takes_tensor=True)
            elif first:
                self._note_number(node, first.value)
            return
        place = tables.SHAPE_ARGUMENTS.get(short)
        if place is None:
            return
        positions, keywords = place
        for position, argument in enumerate(arguments.items):
            is_shape = argument.keyword in keywords if argument.keyword else position in positions
            if is_shape and any(True for _ in dimensions(argument.value)):
                self._note(
                    ShapeUse(
                        node,
                        family,
                        short,
                        argument.node.value,
                        argument.value,
                        self._training > 0,
                    )
                )

    def _note_stack(self, name: str, node: cst.Call, arguments: Arguments) -> None:
        layers = arguments.get(0, "layers")
        if name.endswith(".Sequential") and layers and isinstance(layers.value, Seq):
            self._note(Stack(node, layers.value.items))

    def _note_number(
        self, node: cst.BaseExpression, value: Value, *, takes_tensor: bool = False
    ) -> None:
        if isinstance(value, Dim) and not value.dynamic and value.is_batch:
            self._note(NumberUse(node, value, takes_tensor, self._training > 0))

    def _save(
        self, how: str, saved: CallArgument | None, node: cst.Call, arguments: Arguments
    ) -> None:
        self._note(SaveCall(how, saved.value if saved else None, node, arguments))

    def _tf_function(self, node: cst.Call, arguments: Arguments) -> Value:
        wrapped = arguments.get(0, "func")
        signature = arguments.get(1, "input_signature")
        spec = signature.node.value if signature else None
        if spec is not None and isinstance(spec, cst.Name) and spec.value == "None":
            spec = None
        return Traced(wrapped.value if wrapped else None, spec, node)

    def _builtin(self, name: str, node: cst.Call, arguments: Arguments) -> Value:
        first = arguments.items[0].value if arguments.items else None
        if name in {"list", "tuple", "sorted", "reversed", "set"}:
            return first if isinstance(first, (Shape, Seq, Tensor)) else None
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
            return first if isinstance(first, (Dim, Argument)) and name != "range" else None
        if name == "enumerate":
            return Seq((Seq((None, item_of(first))),), complete=False)
        if name == "zip":
            return Seq((Seq(tuple(item_of(a.value) for a in arguments.items)),), complete=False)
        if name in {"isinstance", "print", "type", "hasattr", "str", "bool"}:
            return None
        self._pass_on(arguments, node)
        return None

    def _call_object(self, layer: Instance, node: cst.Call, arguments: Arguments) -> Value:
        self._note(Contact(layer, "call", node, arguments))
        made_by = layer.name.removesuffix(".seeded")
        if layer.outline is None and tables.is_initializer(made_by):
            return operations.initialised(made_by, made_by != layer.name, node, arguments)
        if layer.kind is None or not layer.kind.is_layer:
            return self._unknown(arguments)
        inside = tuple(f.function.node for f in self._frames if f.function is not None)
        self._note(LayerCall(layer, node, arguments, inside))
        held = [v for a in arguments.items for v in elements(a.value)]
        tensors = [v for v in held if isinstance(v, Tensor)]
        if not tensors:
            symbolic = next((v for v in held if isinstance(v, Spec) and v.symbolic), None)
            return replace(symbolic, shape=None, made_by=layer) if symbolic else None
        last = layer.name.rpartition(".")[2]
        return Tensor(
            0 if tensors[0].batch_axis == 0 else None,
            structured=True,
            features_lost=tensors[0].features_lost if last in tables.WEIGHTLESS else None,
        )

    def _grows_own(self, func: cst.Attribute) -> bool:
        return func.attr.value in _GROWING and self._is_own(func.value)

    def _append(self, base: cst.BaseExpression, argument: CallArgument) -> None:
        """`self.name.append(value)` and its like."""
        while isinstance(base, cst.Subscript):
            base = base.value
        owner = self._quietly(base.value) if isinstance(base, cst.Attribute) else None
        if isinstance(base, cst.Attribute) and isinstance(owner, SelfValue):
            self._keep(owner, base, argument.value, argument.node.value, base, base, "append")

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
        return None

    def _sequence_method(
        self, owner: Seq, func: cst.Attribute, node: cst.Call, arguments: Arguments
    ) -> Value:
        base = func.value
        if func.attr.value not in _GROWING or not arguments.items:
            return None
        grown = Seq((*owner.items, *(a.value for a in arguments.items)), complete=False)
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
            return replace(drawn, origin="table") if drawn and seeded else drawn
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
        """A method of an object of the file that is not Keras."""
        self._pass_on(arguments, node)
        method = outline.method(name)
        if method is None:
            return None
        attributes, self._attributes = self._attributes, {}
        receiver = None if is_static(method) else SelfValue(outline)
        result = self._follow(Function(method), arguments, receiver)
        self._attributes = attributes
        return result


def is_tf_function(value: Value) -> bool:
    """Whether a decorator's value is `tf.function`, plain or with arguments."""
    if isinstance(value, Traced):
        return value.function is None
    return isinstance(value, Ref) and value.name in _TF_FUNCTION


def _is_super(node: cst.BaseExpression) -> bool:
    return (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Name)
        and node.func.value == "super"
    )


def _generator_name(arguments: Arguments) -> str:
    """The name under which a numpy generator is known: seeded when it is given a seed."""
    seeded = operations.is_seeded(arguments, 0, "seed")
    return "numpy.random.Generator.seeded" if seeded else "numpy.random.Generator"


_METHODS: dict[type, Callable[..., Value]] = {
    Shape: CallReader._shape_method,
    Tensor: CallReader._tensor_method,
    Array: CallReader._array_method,
    Table: CallReader._table_method,
    Seq: CallReader._sequence_method,
    Instance: CallReader._object_method,
}
