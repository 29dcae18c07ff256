"""What a call does and gives: functions of the file, libraries, layers, methods of values."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from savelint.keras import external, operations, paths, receivers, saves, tables
from savelint.keras.builtin import BuiltinReader
from savelint.keras.events import Argument as CallArgument
from savelint.keras.events import (
    Arguments,
    Contact,
    Creation,
    Graph,
    LayerCall,
    NumberUse,
    PythonOperation,
    SelfContact,
    ShapeUse,
    Stack,
    SuperCall,
    TakenKeyword,
    Tracing,
    WeightCall,
)
from savelint.keras.expressions import WEIGHT_MAKERS
from savelint.keras.methods import METHODS
from savelint.keras.tables import CONFIG, Kind
from savelint.keras.values import (
    Argument,
    Array,
    ClassOutline,
    ClassRef,
    Concrete,
    Const,
    Dim,
    Function,
    Imported,
    Instance,
    Member,
    Mode,
    Model,
    ModuleRef,
    Options,
    Partial,
    Reading,
    Ref,
    SelfValue,
    Seq,
    Shape,
    Spec,
    Table,
    Tensor,
    Text,
    Traced,
    Value,
    Variable,
    dimensions,
    elements,
    holds_tensor,
    is_symbolic,
    literal,
)

_DICTIONARIES = {
    "builtins.dict": "dict",
    "collections.OrderedDict": "OrderedDict",
    "collections.defaultdict": "defaultdict",
}
GETTERS = frozenset(
    f"keras.{module}.get"
    for module in "activations constraints initializers losses metrics regularizers".split()
)
_COLLECTIONS = {"collections.deque": "deque", "builtins.frozenset": "frozenset"}
_TF_FUNCTION = frozenset({"tensorflow.function", "tensorflow.experimental.function"})
_MATH = "math."
_GENERATORS = frozenset({"numpy.random.default_rng", "numpy.random.RandomState"})
_VARIABLES = frozenset({"Variable", "variable"})
_MAKERS = _VARIABLES | {"constant", "convert_to_tensor"}
# Operations that show a value, and do not compute with it.
_OUTSIDE = ("print", "summary.", "debugging.", "assert", "Assert", "random.set_seed")


class CallReader(BuiltinReader):
    """The part that reads calls."""

    def _call(self, node: cst.Call) -> Value:
        func = node.func
        if type(func) is not cst.Attribute:
            return self._apply(self.value(func), node, self._arguments(node))
        name = func.attr.value
        if _is_super(func.value):
            arguments = self._arguments(node)
            self._note(SuperCall(name, node, arguments))
            if name == CONFIG:
                return self._inherited_config(node)
            return self._unknown(arguments)
        owner = self.value(func.value)
        arguments = self._arguments(node)
        if name == "numpy" and (isinstance(owner, Tensor) or is_symbolic(owner)):
            self._note_read(node, func.value, ".numpy")
        self._note_method(node, func, arguments)
        method = METHODS.get(type(owner))
        if method is not None:
            return self._made(method(self, owner, func, node, arguments), node, arguments)
        if isinstance(owner, Argument) and owner.keywords:
            return self._taken(owner, name, node, arguments)
        if owner is None or isinstance(owner, (Model, SelfValue)):
            self._note_saving_method(owner, node, name, arguments)
        if owner is None and self._grows_own(func) and arguments.items:
            self._append(func.value, arguments.items[-1])
            return None
        return self._apply(self._member(owner, func), node, arguments)

    def _taken(
        self, keywords: Argument, method: str, node: cst.Call, arguments: Arguments
    ) -> Value:
        """`kwargs.pop("units", 3)` and `kwargs.get("units")`: an argument without a parameter."""
        name = literal(arguments.items[0].value) if arguments.items else ...
        if method not in {"pop", "get"} or not isinstance(name, str):
            return None
        required = method == "pop" and len(arguments.items) == 1
        conditional = self._branches > 0
        self._note(TakenKeyword(name, node, method == "pop", required, self._method, conditional))
        return Argument(name)

    def _inherited_config(self, node: cst.Call) -> Value:
        """What `super().get_config()` gives in the class whose method is being read."""
        function = self._frame.function
        held = (value for value in self._frame.names.values() if isinstance(value, SelfValue))
        owner = next(held, None)
        if function is None or owner is None:
            return None
        lineage = list(owner.outline.lineage)
        named = (i for i, cls in enumerate(lineage) if function.name in cls.method_names)
        at = next((i for i in named if lineage[i].methods[function.name] is function.node), None)
        if at is None:
            return None
        above = [cls for cls in lineage[at:] if cls is not lineage[at]]
        definer = next((cls for cls in above if CONFIG in cls.method_names), None)
        if definer is not None:
            return self._config_of(definer, owner, node)
        # Of a mixin, that is a base of the class that it is mixed into.
        order = (*lineage[at:], *lineage[:at])
        bases = (base for cls in order for base in cls.bases if base is not None)
        base = next((base for base in bases if external.kind(base) is not None), None)
        return Table((), inherits=(base,) if base else (), complete=owner.outline.is_whole)

    def _config_of(self, definer: ClassOutline, owner: SelfValue, node: cst.Call) -> Value:
        """What a class's own `get_config` gives for an object that may be of a derived class."""
        method = self._around.method(definer, CONFIG)
        if method is None:
            return None
        function, surroundings = method
        if surroundings is self._around:
            return self._follow(function, Arguments(()), owner)
        return self._follow_abroad(function, surroundings, node, Arguments(()), owner)

    def _arguments(self, node: cst.Call) -> Arguments:
        arguments = Arguments(tuple([CallArgument(a, self.value(a.value)) for a in node.args]))
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
        return self._made(self._result(callee, node, arguments), node, arguments)

    def _made(self, value: Value, node: cst.Call, arguments: Arguments) -> Value:
        """What a call gives; an object or a variable that it makes is noted."""
        if isinstance(value, (Instance, Variable, Spec)) and value.node is node:
            self._note(Creation(value, node, arguments, self._inside, self._branches > 0))
        return value

    def _result(self, callee: Value, node: cst.Call, arguments: Arguments) -> Value:
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
            return value if isinstance(value, (Const, Mode)) else None
        if value is None:
            return self._result_of_unknown(node, arguments)
        if isinstance(value, Table) and self._method == CONFIG:
            return value  # its nodes say where it is written
        return _at_home(value, node)

    def _apply_traced(self, callee: Traced, node: cst.Call, arguments: Arguments) -> Value:
        if callee.function is None:
            first = arguments.get(0)
            traced = replace(callee, function=first.value if first else None, node=node)
            self._note_traced(traced)
            return traced
        converted = callee.is_converted
        self._converted += converted
        result = self._result(callee.function, node, arguments)
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
        if isinstance(owner, ClassRef) and callee.name == CONFIG and arguments.items:
            given = arguments.items[0].value  # Base.get_config(self)
            definer = owner.outline.definer(CONFIG)
            if isinstance(given, SelfValue) and definer is not None:
                return self._config_of(definer, given, node)
        self._pass_on(arguments, node)
        return None

    def _apply_reference(self, name: str, node: cst.Call, arguments: Arguments) -> Value:
        if name.endswith(f".{CONFIG}") and external.kind(base := name[: -len(CONFIG) - 1]):
            return Table((), inherits=(base,))
        if name in GETTERS:
            return self._resolved(name, arguments)
        if name in _DICTIONARIES:
            return self._dictionary(_DICTIONARIES[name], arguments)
        if name in _COLLECTIONS:
            first = arguments.get(0)
            return self._collection(_COLLECTIONS[name], first.value if first else Seq(()))
        if name == "functools.partial" and arguments.items:
            function, *bound = (argument.value for argument in arguments.items)
            return Partial(function, tuple(bound))
        if name in paths.OPENING:
            self._pass_on(arguments, node)
            return Instance(None, name, node)
        if name.startswith("builtins."):
            return self._builtin(name.removeprefix("builtins."), node, arguments)
        if name in _TF_FUNCTION:
            return self._tf_function(node, arguments)
        self._note_saving(name, node, arguments)
        if name in saves.QUIET:
            return None
        if (model := receivers.model_of_call(name)) is not None:
            self._pass_on(arguments, node)
            return model
        if name in paths.FUNCTIONS:
            return paths.call(name, arguments.values) if not arguments.is_open else None
        if name == "argparse.ArgumentParser":
            return Options()
        if name == "keras.Variable":
            initial = arguments.get(0, "initializer")
            return Variable("keras", node, initial.value if initial else None)
        if name in {"keras.Input", "keras.layers.Input"}:
            return operations.keras_input(node, arguments)
        if name.endswith(".Model") and arguments.items and tables.base_kind(name) is Kind.MODEL:
            ends = (arguments.get(0, "inputs"), arguments.get(1, "outputs"))
            inputs, outputs = (end.value if end else None for end in ends)
            self._note(Graph(node, inputs, outputs, self._inside))
            return Instance(Kind.FUNCTIONAL, name, node)
        if name == saves.EXPORT_ARCHIVE or name in tables.LOOKUP_TABLES:
            return Instance(None, name, node)
        if name in saves.CHECKPOINTS:
            self._pass_on(arguments, node)
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

    def _resolved(self, name: str, arguments: Arguments) -> Value:
        """`activations.get(activation)`: still the argument, in another form."""
        given = arguments.items[0].value if arguments.items else None
        if isinstance(given, Argument) and not given.keywords:
            return replace(given, how=name.removesuffix(".get"))
        return None

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
    known = (Const, Mode, Text, Ref, ClassRef, Model, ModuleRef, Imported)
    return value if isinstance(value, known) else None


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
    return type(node) is cst.Call and isinstance(node.func, cst.Name) and node.func.value == "super"


def _generator_name(arguments: Arguments) -> str:
    """The name under which a numpy generator is known: seeded when it is given a seed."""
    seeded = operations.is_seeded(arguments, 0, "seed")
    return "numpy.random.Generator.seeded" if seeded else "numpy.random.Generator"
