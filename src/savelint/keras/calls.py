"""What a call does and gives: functions of the file, libraries, layers, methods of values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import libcst as cst

from savelint.keras import external, operations, paths, receivers, saves, tables
from savelint.keras.derived import (
    array_method,
    item_of,
    merged,
    without_entry,
)
from savelint.keras.expressions import WEIGHT_MAKERS
from savelint.keras.model import (
    Argument as CallArgument,
)
from savelint.keras.model import (
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
    TensorRead,
    Tracing,
    WeightCall,
)
from savelint.keras.saves import SaveReader
from savelint.keras.tables import CONFIG, Kind
from savelint.keras.values import (
    Argument,
    Array,
    ClassOutline,
    ClassRef,
    Concrete,
    Const,
    Count,
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
from savelint.keras.walk import code

_GROWING = frozenset({"append", "extend", "insert", "add", "update", "setdefault"})
_SHRINKING = frozenset({"pop", "remove", "clear", "popitem", "sort", "reverse", "discard"})
_COPIES = {"sorted": "list", "reversed": "iterator"}
_DICTIONARIES = {
    "builtins.dict": "dict",
    "collections.OrderedDict": "OrderedDict",
    "collections.defaultdict": "defaultdict",
}
GETTERS = frozenset(
    f"keras.{module}.get"
    for module in "activations constraints initializers losses metrics regularizers".split()
)
# They leave what they gave before as it is.
_CONVERSIONS = frozenset("bool float int list str tuple".split())
_COLLECTIONS = {"collections.deque": "deque", "builtins.frozenset": "frozenset"}
_TF_FUNCTION = frozenset({"tensorflow.function", "tensorflow.experimental.function"})
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


class CallReader(SaveReader):
    """The part that reads calls."""

    def _call(self, node: cst.Call) -> Value:
        if not isinstance(node.func, cst.Attribute):
            return self._apply(self.value(node.func), node, self._arguments(node))
        if _is_super(node.func.value):
            arguments = self._arguments(node)
            self._note(SuperCall(node.func.attr.value, node, arguments))
            if node.func.attr.value == CONFIG:
                return self._inherited_config(node)
            return self._unknown(arguments)
        owner = self.value(node.func.value)
        arguments = self._arguments(node)
        if node.func.attr.value == "numpy" and (isinstance(owner, Tensor) or is_symbolic(owner)):
            self._note_read(node, node.func.value, ".numpy")
        self._note_method(node, node.func, arguments)
        method = _METHODS.get(type(owner))
        if method is not None:
            return self._made(method(self, owner, node.func, node, arguments), node, arguments)
        if isinstance(owner, Argument) and owner.keywords:
            return self._taken(owner, node.func.attr.value, node, arguments)
        if owner is None or isinstance(owner, (Model, SelfValue)):
            self._note_saving_method(owner, node, node.func.attr.value, arguments)
        if owner is None and self._grows_own(node.func) and arguments.items:
            self._append(node.func.value, arguments.items[-1])
            return None
        return self._apply(self._member(owner, node.func), node, arguments)

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
        bases = (base for cls in lineage[at:] for base in cls.bases if base is not None)
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

    def _pass_on(self, arguments: Arguments, node: cst.Call | None) -> None:
        """Objects handed to a function that cannot be followed may be used there."""
        for argument in arguments.items:
            for value in elements(argument.value):
                if isinstance(value, Instance):
                    self._note(Contact(value, "passed", node or value.node, arguments))

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
            return paths.call(name, _values(arguments)) if not arguments.is_open else None
        if name == "argparse.ArgumentParser":
            return Options()
        if name == "keras.Variable":
            initial = arguments.get(0, "initializer")
            return Variable("keras", node, initial.value if initial else None)
        if name in {"keras.Input", "keras.layers.Input"}:
            return operations.keras_input(node, arguments)
        if name.endswith(".Model") and arguments.items and tables.base_kind(name) is Kind.MODEL:
            outputs = arguments.get(1, "outputs")
            self._note(Graph(node, outputs.value if outputs else None, self._inside))
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
            return None if repeats else Reading(node, name, _values(arguments))
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

    def _drawn(self, array: Value, node: cst.Call, arguments: Arguments) -> Value:
        """An array drawn here; in `call` it is drawn anew at each run."""
        if not isinstance(array, Array) or self._method != "call":
            return array
        func = node.func.attr if isinstance(node.func, cst.Attribute) else node.func
        name = f"numpy.random.{getattr(func, 'value', '')}"
        return replace(array, drawn=Reading(node, name, _values(arguments)))

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

    def _builtin(self, name: str, node: cst.Call, arguments: Arguments) -> Value:
        first = arguments.items[0].value if arguments.items else None
        self._note_builtin(name, node, arguments)
        if name in _CONVERSIONS and isinstance(first, Argument) and not first.keywords:
            return replace(first, how=first.how or "converted")
        if name == "getattr" and len(arguments.items) > 1 and isinstance(first, SelfValue):
            attribute = literal(arguments.items[1].value)
            if isinstance(attribute, str):
                return self._kept_value(first.outline, attribute)
        if name in {"list", "tuple", "sorted", "reversed", "set"}:
            empty = Seq(()) if not arguments.items else None
            return self._collection(_COPIES.get(name, name), first or empty)
        if name == "isinstance" and _is_untraced(arguments):
            return Mode(eager=True)
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
            if isinstance(first, Argument):
                return first.computed
            return first if isinstance(first, Reading) else None
        if name == "enumerate":
            pair = Seq((Count(), item_of(first)), kind="tuple")
            return Seq((pair,), complete=False, kind="iterator")
        if name == "zip":
            row = Seq(tuple(item_of(a.value) for a in arguments.items), kind="tuple")
            return Seq((row,), complete=False, kind="iterator")
        if name == "str":
            return paths.as_string(first)
        if name in {"isinstance", "print", "type", "hasattr", "bool"}:
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
        result = self._follow_method(outline, name, node, arguments)
        self._attributes = attributes
        return result


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


def _values(arguments: Arguments) -> tuple[Value, ...]:
    return tuple(argument.value for argument in arguments.items)


def _added(method: str, arguments: Arguments) -> tuple[Value, ...]:
    """The items that a method adds to a list or set."""
    last = arguments.items[-1].value
    if method in {"extend", "update"}:
        return last.items if isinstance(last, Seq) else (None,)
    return (last,)


def _is_untraced(arguments: Arguments) -> bool:
    """Whether `isinstance` asks a tensor if it is an array, or a tensor of another library."""
    if len(arguments.items) != 2:
        return False
    value, classes = (argument.value for argument in arguments.items)
    asked = classes.items if isinstance(classes, Seq) else (classes,)
    names = {item.name if isinstance(item, Ref) else "" for item in asked}
    known = isinstance(value, Tensor) or is_symbolic(value)
    return known and bool(names) and names <= tables.UNTRACED_CLASSES


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


_METHODS: dict[type, Callable[..., Value]] = {
    Shape: CallReader._shape_method,
    Tensor: CallReader._tensor_method,
    Array: CallReader._array_method,
    Table: CallReader._table_method,
    Seq: CallReader._sequence_method,
    Instance: CallReader._object_method,
    Const: CallReader._text_method,
    Text: CallReader._text_method,
    Options: CallReader._option,
}
