"""What a call does and gives: functions of the file, libraries, layers."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from savelint.keras import external, operations, tables
from savelint.keras.derived import item_of
from savelint.keras.expressions import WEIGHT_MAKERS
from savelint.keras.methods import EXPORT_ARCHIVE, METHODS, MethodReader
from savelint.keras.model import Argument as CallArgument
from savelint.keras.model import (
    Arguments,
    Contact,
    LayerCall,
    LoadCall,
    NumberUse,
    PythonOperation,
    SaveCall,
    SelfContact,
    ShapeUse,
    Stack,
    SuperCall,
    TensorRead,
    Tracing,
    WeightCall,
)
from savelint.keras.tables import Kind
from savelint.keras.values import (
    Argument,
    Array,
    ClassRef,
    Concrete,
    Const,
    Count,
    Dim,
    Function,
    Imported,
    Instance,
    Member,
    ModuleRef,
    Partial,
    Reading,
    Ref,
    SelfValue,
    Seq,
    Shape,
    Spec,
    Tensor,
    Traced,
    Value,
    Variable,
    dimensions,
    elements,
    holds_tensor,
    is_symbolic,
)
from savelint.keras.walk import code

_COPIES = {"sorted": "list", "reversed": "iterator"}
_DICTIONARIES = {
    "builtins.dict": "dict",
    "collections.OrderedDict": "OrderedDict",
    "collections.defaultdict": "defaultdict",
}
_COLLECTIONS = {"collections.deque": "deque", "builtins.frozenset": "frozenset"}
_TF_FUNCTION = frozenset({"tensorflow.function", "tensorflow.experimental.function"})
_SAVE_MODEL = frozenset({"keras.models.save_model", "keras.saving.save_model"})
_LOADING = {
    "keras.models.load_model": "model",
    "keras.saving.load_model": "model",
    "tensorflow.saved_model.load": "saved_model",
}
# Builtin functions that iterate over what they are given, and those that ask for a truth
# value or a number.
_ITERATING = frozenset("list tuple sorted set iter enumerate zip map sum any all".split())
_ASKING = frozenset("bool range max min".split())
_MATH = "math."
_GENERATORS = frozenset({"numpy.random.default_rng", "numpy.random.RandomState"})
_VARIABLES = frozenset({"Variable", "variable"})
_MAKERS = _VARIABLES | {"constant", "convert_to_tensor"}
# Operations that show a value, and do not compute with it.
_OUTSIDE = ("print", "summary.", "debugging.", "assert", "Assert", "random.set_seed")


class CallReader(MethodReader):
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
        if node.func.attr.value == "numpy" and (isinstance(owner, Tensor) or is_symbolic(owner)):
            self._note_read(node, node.func.value, ".numpy")
        self._note_method(node, node.func, arguments)
        method = METHODS.get(type(owner))
        if method is not None:
            return method(self, owner, node.func, node, arguments)
        if owner is None and self._grows_own(node.func) and arguments.items:
            self._append(node.func.value, arguments.items[-1])
            return None
        return self._apply(self._member(owner, node.func), node, arguments)

    def _arguments(self, node: cst.Call) -> Arguments:
        arguments = Arguments(tuple(CallArgument(a, self.value(a.value)) for a in node.args))
        for argument in arguments.items:
            if argument.node.star == "*" and is_symbolic(argument.value):
                self._note_test(node, argument.node.value, argument.value, "star")
        return arguments

    def _unknown(self, arguments: Arguments) -> Value:
        """The result of a function that cannot be followed."""
        self._pass_on(arguments, None)
        return (
            Tensor(None, structured=True)
            if any(holds_tensor(a.value) for a in arguments.items)
            else None
        )

    def _apply(self, callee: Value, node: cst.Call, arguments: Arguments) -> Value:
        if isinstance(callee, Ref):
            return self._apply_reference(callee.name, node, arguments)
        if isinstance(callee, ClassRef):
            self._pass_on(arguments, node)
            return Instance(callee.outline.kind, callee.outline.name, node, callee.outline)
        if isinstance(callee, Function):
            return self._follow(callee, arguments, None)
        if isinstance(callee, Imported):
            return self._follow_imported(callee, node, arguments)
        if isinstance(callee, Traced):
            return self._apply_traced(callee, node, arguments)
        if isinstance(callee, Member):
            return self._apply_member(callee, node, arguments)
        if isinstance(callee, Instance):
            return self._call_object(callee, node, arguments)
        if isinstance(callee, Reading):
            if not any(holds_tensor(a.value) for a in arguments.items):
                return callee
            self._meet(node, callee)
        if isinstance(callee, SelfValue):
            self._note(SelfContact("call", node, arguments))
            if callee.outline.definer("call") is not None:
                return self._follow_method(callee.outline, "call", node, arguments)
        self._pass_on(arguments, node)
        return self._result_of_unknown(node, arguments)

    def _brought_home(self, value: Value, node: cst.Call | None, arguments: Arguments) -> Value:
        """What a function of another file gave, with nodes of this file alone."""
        self._pass_on(arguments, node)
        if node is None:
            return value if isinstance(value, Const) else None
        if value is None:
            return self._result_of_unknown(node, arguments)
        return _at_home(value, node)

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

    def _apply_traced(self, callee: Traced, node: cst.Call, arguments: Arguments) -> Value:
        if callee.function is None:
            first = arguments.get(0)
            traced = replace(callee, function=first.value if first else None, node=node)
            self._note_traced(traced)
            return traced
        converted = callee.is_converted
        self._converted += converted
        result = self._apply(callee.function, node, arguments)
        self._converted -= converted
        return result

    def _apply_member(self, callee: Member, node: cst.Call, arguments: Arguments) -> Value:
        owner = callee.owner
        if isinstance(owner, SelfValue):
            if callee.name == "build":
                self._note(SelfContact("build", node, arguments))
            if owner.outline.definer(callee.name) is not None:
                return self._follow_method(owner.outline, callee.name, node, arguments)
            if callee.name in WEIGHT_MAKERS:
                conditional = self._branches > 0
                self._note(WeightCall(owner.outline, node, arguments, self._method, conditional))
                return Variable("weight", node)
        if callee.name == "get_concrete_function":
            return Concrete()
        self._pass_on(arguments, node)
        return None

    def _apply_reference(self, name: str, node: cst.Call, arguments: Arguments) -> Value:
        if name in _DICTIONARIES:
            return self._dictionary(_DICTIONARIES[name], arguments)
        if name in _COLLECTIONS:
            first = arguments.get(0)
            return self._collection(_COLLECTIONS[name], first.value if first else Seq(()))
        if name == "functools.partial" and arguments.items:
            function, *bound = (argument.value for argument in arguments.items)
            return Partial(function, tuple(bound))
        if name.startswith("builtins."):
            return self._builtin(name.removeprefix("builtins."), node, arguments)
        if name in _TF_FUNCTION:
            return self._tf_function(node, arguments)
        if name == "tensorflow.saved_model.save":
            self._save("saved_model", arguments.get(0, "obj"), node, arguments)
            return None
        if name in _LOADING:
            self._note(LoadCall(_LOADING[name], node, arguments))
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
        if name == EXPORT_ARCHIVE or name in tables.LOOKUP_TABLES:
            return Instance(None, name, node)
        if tables.is_initializer(name):
            seeded = ".seeded" if operations.is_seeded(arguments, None, "seed") else ""
            return Instance(Kind.OTHER, name + seeded, node)
        if name in tables.PYTHON_STATE and self._method == "call":
            repeats = self._frame.seeded and name.startswith("random.")
            return None if repeats else Reading(node, name, arguments.values)
        if name == "random.seed":
            self._frame.seeded = True
        kind = external.kind(name)
        if kind is not None:
            self._pass_on(arguments, node)
            self._note_stack(name, node, arguments)
            return Instance(kind, name, node)
        if name in _GENERATORS:
            return Instance(None, _generator_name(arguments), node)
        if name.startswith(_MATH):
            self._note_reads(name, node, arguments)
        operation = tables.operation(name)
        if operation is None:
            self._pass_on(arguments, node)
            return self._result_of_unknown(node, arguments)
        family, short = operation
        if short == "executing_eagerly":
            return None
        self._note_shape_uses(family, short, node, arguments)
        if _reads_numbers(family, short):
            self._note_reads(name, node, arguments)
        runs_python = family is tables.Family.TF and short in tables.PYTHON_OPERATIONS
        if runs_python and not self._training:
            self._note(PythonOperation(node, name))
        if short in tables.ELEMENTWISE_COMBINATIONS or short in tables.CONTRACTIONS:
            values = [v for a in arguments.items for v in elements(a.value)]
            self._combine(node, *values)
        if short in {"random.seed", "random.set_seed"}:
            self._frame.seeded = True
        first = arguments.get(0)
        if short in _MAKERS:
            # Nothing is computed yet; a variable begins with what is drawn now.
            if first and isinstance(first.value, Reading) and short not in _VARIABLES:
                return first.value
        elif family is not tables.Family.NUMPY and not short.startswith(_OUTSIDE):
            self._meet(node, *(a.value for a in arguments.items if a.keyword != "seed"))
        result = operations.call_operation(family, short, node, arguments)
        if isinstance(result, Array) and result.origin == "random" and self._frame.seeded:
            return replace(result, origin="table")
        if family is tables.Family.NUMPY and short.startswith("random."):
            return self._drawn(result, node, arguments)
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
        if signature is not None and signature.value == Const(None):
            signature = None
        traced = Traced(
            wrapped.value if wrapped else None,
            signature.node.value if signature else None,
            node,
            signature.value if signature else None,
        )
        self._note_traced(traced)
        return traced

    def _note_traced(self, traced: Traced) -> None:
        if traced.function is not None:
            self._note(Tracing(traced))

    def _builtin(self, name: str, node: cst.Call, arguments: Arguments) -> Value:
        first = arguments.items[0].value if arguments.items else None
        self._note_builtin(name, node, arguments)
        if name in {"list", "tuple", "sorted", "reversed", "set"}:
            empty = Seq(()) if not arguments.items else None
            return self._collection(_COPIES.get(name, name), first or empty)
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
            return first if isinstance(first, (Argument, Reading)) else None
        if name == "enumerate":
            pair = Seq((Count(), item_of(first)), kind="tuple")
            return Seq((pair,), complete=False, kind="iterator")
        if name == "zip":
            row = Seq(tuple(item_of(a.value) for a in arguments.items), kind="tuple")
            return Seq((row,), complete=False, kind="iterator")
        if name in {"isinstance", "print", "type", "hasattr", "str", "bool"}:
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

    def _call_object(self, layer: Instance, node: cst.Call, arguments: Arguments) -> Value:
        self._note(Contact(layer, "call", node, arguments))
        made_by = layer.name.removesuffix(".seeded")
        if layer.outline is None and tables.is_initializer(made_by):
            return operations.initialised(made_by, made_by != layer.name, node, arguments)
        if layer.kind is None or not layer.kind.is_layer:
            return self._unknown(arguments)
        self._note(LayerCall(layer, node, arguments, self._inside))
        self._meet(node, *(a.value for a in arguments.items))
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
            certain=layer.outline is None,
        )


def _at_home(value: Value, node: cst.Call) -> Value:
    """A value of another file as the call in this file gives it.

    Static dimensions are dropped: where they are read is the other file's affair.
    """
    if isinstance(value, (Dim, Shape)):
        if not value.dynamic or not node.args:
            return None
        tensor = node.args[0].value
        if isinstance(value, Dim):
            return replace(value, read=node, tensor_node=tensor, unpacking=None)
        return replace(value, node=node, tensor_node=tensor, iterable=True, symbolic=False)
    if isinstance(value, Tensor):
        return replace(value, features_lost=None)
    if isinstance(value, Seq):
        return replace(value, items=tuple(_at_home(item, node) for item in value.items))
    if isinstance(value, Instance):
        return replace(value, node=node)
    return value if isinstance(value, (Const, Ref, ClassRef, ModuleRef, Imported)) else None


def is_tf_function(value: Value) -> bool:
    """Whether a decorator's value is `tf.function`, plain or with arguments."""
    if isinstance(value, Traced):
        return value.function is None
    return isinstance(value, Ref) and value.name in _TF_FUNCTION


def _reads_numbers(family: tables.Family, short: str) -> bool:
    """Whether a library function asks a tensor for its numbers."""
    if family is tables.Family.NUMPY:
        return short not in tables.NUMPY_WITHOUT_NUMBERS
    return short in tables.NUMBER_READERS and family is not tables.Family.TF


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
