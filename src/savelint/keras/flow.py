"""Where a value comes from and where it goes: one pass over a function's statements.

The reader follows values through assignments, unpacking, branches, comprehensions,
`self` helpers and functions of the same file, and notes what happens to them as events.
It reads each statement once and in order; on branches it joins what is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import libcst as cst

from savelint.keras import names, operations, tables
from savelint.keras.model import (
    Argument as CallArgument,
)
from savelint.keras.model import (
    Arguments,
    AttributeRead,
    AttributeStore,
    Combination,
    Contact,
    Event,
    Flow,
    LayerCall,
    NumberUse,
    ObjectStore,
    SaveCall,
    SelfContact,
    ShapeUse,
    Stack,
    SuperCall,
    SymbolicUnpacking,
    TensorTest,
)
from savelint.keras.operations import code
from savelint.keras.tables import Kind
from savelint.keras.values import (
    Argument,
    Array,
    ClassOutline,
    ClassRef,
    Concrete,
    Const,
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
    join,
    literal,
)
from savelint.keras.walk import children, descendants

# Calls are followed this deep, and a function's calls this often; deeper is unknown.
_MAX_CALL_DEPTH = 8
_MAX_ENTRIES = 200

_BUILTINS = frozenset(
    """
    abs bool dict enumerate float frozenset getattr hasattr int isinstance iter len list map
    max min next print range reversed round set setattr sorted str sum super tuple type zip
    """.split()
)
_CONSTANTS = {"True": True, "False": False, "None": None}
_GROWING = frozenset({"append", "extend", "insert", "add", "update", "setdefault"})
_EAGER_TEST = "executing_eagerly"

_ORDERINGS = (cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual)

_WEIGHT_MAKERS = frozenset({"add_weight", "add_variable"})

EXPORT_ARCHIVE = "keras.export.ExportArchive"
_TF_FUNCTION = frozenset({"tensorflow.function", "tensorflow.experimental.function"})
_SAVE_MODEL = frozenset({"keras.models.save_model", "keras.saving.save_model"})
_GENERATORS = frozenset({"numpy.random.default_rng", "numpy.random.RandomState"})


class Surroundings(Protocol):
    """What a function sees around itself: its module, and the other methods of its class."""

    def name(self, name: str) -> Value:
        """The value of a module-level name."""

    def outline(self, node: cst.ClassDef, resolve: Mapping[str, Value]) -> ClassOutline:
        """The outline of a class statement inside a function."""

    def attribute(self, outline: ClassOutline, name: str) -> Value:
        """The value that the constructor or `build` gives to an attribute of `self`."""


@dataclass
class _Frame:
    """One function being read: its names, and what it returned so far."""

    function: Function | None
    names: dict[str, Value]
    closure: Mapping[str, Value] = field(default_factory=dict)
    results: list[Value] = field(default_factory=list)
    # Whether a global random generator was seeded in it.
    seeded: bool = False

    def lookup(self, name: str) -> tuple[bool, Value]:
        if name in self.names:
            return True, self.names[name]
        if name in self.closure:
            return True, self.closure[name]
        return False, None


def read_method(
    surroundings: Surroundings, outline: ClassOutline, method: str, node: cst.FunctionDef
) -> Flow:
    """What a method does when it is called as Keras calls it.

    The parameters of `call` are tensors, those of the constructor and of `build` are
    arguments; of any other method nothing is known of them.
    """
    reader = _Reader(surroundings, method)
    return reader.enter(Function(node), _method_parameters(outline, method, node))


def read_function(surroundings: Surroundings, node: cst.FunctionDef) -> Flow:
    """What a module-level function does, with nothing known of its parameters."""
    reader = _Reader(surroundings, node.name.value)
    return reader.enter(Function(node), dict.fromkeys(_parameter_names(node.params)))


def read_statements(
    surroundings: Surroundings, statements: Iterable[cst.BaseStatement | cst.BaseSmallStatement]
) -> Flow:
    """What a module's own statements do, in their order."""
    reader = _Reader(surroundings, "<module>")
    return reader.run(statements)


def decorate(surroundings: Surroundings, node: cst.FunctionDef) -> Value:
    """A module-level function as its decorators leave it."""
    reader = _Reader(surroundings, node.name.value)
    return reader.module_function(node)


def _parameter_names(parameters: cst.Parameters) -> Iterator[str]:
    for parameter in (*parameters.posonly_params, *parameters.params, *parameters.kwonly_params):
        yield parameter.name.value
    for star in (parameters.star_arg, parameters.star_kwarg):
        if isinstance(star, cst.Param):
            yield star.name.value


def _method_parameters(
    outline: ClassOutline, method: str, node: cst.FunctionDef
) -> dict[str, Value]:
    values: dict[str, Value] = dict.fromkeys(_parameter_names(node.params))
    plain = (*node.params.posonly_params, *node.params.params)
    if not plain or _is_static(node):
        return values
    values[plain[0].name.value] = SelfValue(outline)
    if method in {"__init__", "build"}:
        for name in list(values)[1:]:
            values[name] = Argument(name)
    elif method == "call":
        for position, parameter in enumerate(plain[1:]):
            values[parameter.name.value] = _input(parameter, position, node)
    return values


def _is_static(node: cst.FunctionDef) -> bool:
    return any(
        isinstance(item.decorator, cst.Name) and item.decorator.value == "staticmethod"
        for item in node.decorators
    )


def _input(parameter: cst.Param, position: int, node: cst.FunctionDef) -> Value:
    """The value of a parameter of `call`: a tensor, unless it is plainly something else."""
    name = parameter.name.value
    annotation = code(parameter.annotation.annotation) if parameter.annotation else ""
    if name == "training" or "mask" in name or annotation in {"bool", "int", "str", "float"}:
        return None
    if position == 0:
        listed = any(word in annotation.lower() for word in ("list", "tuple", "sequence", "dict"))
        return Tensor(0, structured=listed or _is_structure(name, node))
    if parameter.default is None:
        return Tensor(0)
    return Tensor(None) if code(parameter.default) == "None" else None


def _is_structure(name: str, node: cst.FunctionDef) -> bool:
    """Whether a parameter is a list or dictionary of tensors, by how the function uses it.

    It is when it is unpacked, or when it appears only as `x[0]`, `x["key"]` or `len(x)`.
    """
    uses = items = lengths = 0
    for current in descendants(node.body):
        if _is_name(current, name):
            uses += 1
        elif isinstance(current, cst.Assign) and _is_name(current.value, name):
            if any(isinstance(t.target, (cst.Tuple, cst.List)) for t in current.targets):
                return True
        elif isinstance(current, cst.Subscript) and _is_name(current.value, name):
            items += _is_constant_item(current)
        elif isinstance(current, cst.Call) and _is_name(current.func, "len"):
            lengths += _is_name(current.args[0].value, name) if current.args else 0
    return items > 0 and items + lengths == uses


def _is_constant_item(node: cst.Subscript) -> bool:
    index = node.slice[0].slice if len(node.slice) == 1 else None
    return isinstance(index, cst.Index) and isinstance(index.value, (cst.Integer, cst.SimpleString))


def _is_name(node: cst.CSTNode, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name


class _Reader:
    """Reads one function and all that it calls in the file."""

    def __init__(self, surroundings: Surroundings, method: str) -> None:
        self._around = surroundings
        self._method = method
        self._events: list[Event] = []
        self._frames: list[_Frame] = []
        self._entered: list[Function] = []
        self._results: dict[tuple[int, tuple[Value, ...]], Value] = {}
        # What this flow itself stored on self, newest last.
        self._attributes: dict[str, Value] = {}
        # How many branches or loops enclose the statement being read.
        self._branches = 0
        # Above zero while reading what runs eagerly only.
        self._muted = 0

    # -- functions ---------------------------------------------------------------

    def enter(self, function: Function, parameters: dict[str, Value]) -> Flow:
        """Read a function from its first statement to its last."""
        result = self._body(function, parameters)
        return Flow(tuple(self._events), result, tuple(self._entered))

    def run(self, statements: Iterable[cst.BaseStatement | cst.BaseSmallStatement]) -> Flow:
        """Read statements that stand in no function."""
        frame = _Frame(None, {})
        self._frames.append(frame)
        self._block(statements)
        return Flow(tuple(self._events), Table(tuple(frame.names.items())))

    def module_function(self, node: cst.FunctionDef) -> Value:
        """A `def` of the module's own, decorated."""
        self._frames.append(_Frame(None, {}))
        return self.decorated(Function(node), node)

    def _body(self, function: Function, parameters: dict[str, Value]) -> Value:
        self._entered.append(function)
        frame = _Frame(function, parameters, function.closure)
        self._frames.append(frame)
        node = function.node
        if isinstance(node, cst.Lambda):
            frame.results.append(self.value(node.body))
        else:
            self._block(node.body.body)
        self._frames.pop()
        result = frame.results[0] if frame.results else Const(None)
        for other in frame.results[1:]:
            result = join(result, other)
        return result

    def _follow(self, function: Function, arguments: Arguments, owner: Value) -> Value:
        """The result of calling a function of the file."""
        if (
            len(self._frames) > _MAX_CALL_DEPTH
            or len(self._entered) > _MAX_ENTRIES
            or any(f.function and f.function.node is function.node for f in self._frames)
        ):
            return self._unknown(arguments)
        parameters = self._bind(function, arguments, owner)
        key = (id(function.node), tuple(parameters.values()))
        if key not in self._results:
            branches, self._branches = self._branches, self._branches
            self._results[key] = self._body(function, parameters)
            self._branches = branches
        return self._results[key]

    def _bind(self, function: Function, arguments: Arguments, owner: Value) -> dict[str, Value]:
        declared = function.node.params
        plain = [*declared.posonly_params, *declared.params]
        values: dict[str, Value] = dict.fromkeys(_parameter_names(declared))
        for parameter in (*plain, *declared.kwonly_params):
            if parameter.default is not None:
                values[parameter.name.value] = self._quietly(parameter.default)
        if owner is not None and plain:
            values[plain[0].name.value] = owner
            plain = plain[1:]
        for parameter, argument in zip(plain, arguments.positional, strict=False):
            values[parameter.name.value] = argument.value
        for argument in arguments.items:
            if argument.keyword in values:
                values[argument.keyword] = argument.value
        if arguments.is_open:
            given = {p.name.value for p, _ in zip(plain, arguments.positional, strict=False)}
            given.update(a.keyword for a in arguments.items if a.keyword)
            for parameter in plain:
                if parameter.name.value not in given:
                    values[parameter.name.value] = None
        return values

    def _quietly(self, node: cst.BaseExpression) -> Value:
        """The value of an expression that is not run here."""
        self._muted += 1
        value = self.value(node)
        self._muted -= 1
        return value

    def _note(self, event: Event) -> None:
        if not self._muted:
            self._events.append(event)

    @property
    def _frame(self) -> _Frame:
        return self._frames[-1]

    # -- statements --------------------------------------------------------------

    def _block(self, statements: Iterable[cst.BaseStatement | cst.BaseSmallStatement]) -> bool:
        """Read statements; True when control cannot reach what follows them."""
        for statement in statements:
            if self._statement(statement):
                return True
        return False

    def _statement(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.SimpleStatementLine):
            return self._block(node.body)
        reader = _STATEMENTS.get(type(node))
        return bool(reader(self, node)) if reader is not None else False

    def _assign(self, node: cst.Assign) -> None:
        value = self.value(node.value)
        for target in node.targets:
            self._store(target.target, value, node.value, node)

    def _annotated(self, node: cst.AnnAssign) -> None:
        if node.value is not None:
            self._store(node.target, self.value(node.value), node.value, node)

    def _augmented(self, node: cst.AugAssign) -> None:
        added = self.value(node.value)
        current = self._quietly(node.target)
        if isinstance(node.target, cst.Attribute):
            owner = self._quietly(node.target.value)
            if isinstance(owner, SelfValue):
                self.value(node.target)
                self._keep(owner, node.target, added, node.value, node, node.target, "augment")
                return
        if isinstance(node.target, cst.Subscript):
            self._store(node.target, added, node.value, node)
            return
        result = self._arithmetic(current, added, node.target, type(node.operator).__name__)
        if isinstance(node.target, cst.Name):
            self._frame.names[node.target.value] = result

    def _expression(self, node: cst.Expr) -> None:
        self.value(node.value)

    def _return(self, node: cst.Return) -> bool:
        self._frame.results.append(self.value(node.value) if node.value else Const(None))
        return True

    def _raise(self, node: cst.Raise) -> bool:
        if node.exc is not None:
            self._quietly(node.exc)
        return True

    def _leave(self, node: cst.CSTNode) -> bool:
        return True

    def _assert(self, node: cst.Assert) -> None:
        # An assertion is there to be read, and gone with -O.
        self._quietly(node.test)

    def _if(self, node: cst.If) -> bool:
        self._test(node.test)
        eager = _runs_eagerly(node.test)
        before = dict(self._frame.names)
        self._branches += 1
        self._muted += eager is True
        ends = self._block(node.body.body)
        self._muted -= eager is True
        after = self._frame.names
        self._frame.names = before
        other_ends = False
        if node.orelse is not None:
            self._muted += eager is False
            if isinstance(node.orelse, cst.If):
                other_ends = self._if(node.orelse)
            else:
                other_ends = self._block(node.orelse.body.body)
            self._muted -= eager is False
        self._branches -= 1
        if ends and not other_ends:
            pass  # only the other branch goes on: its names stand
        elif other_ends and not ends:
            self._frame.names = after
        else:
            self._frame.names = _joined(after, self._frame.names)
        return ends and other_ends and node.orelse is not None

    def _for(self, node: cst.For) -> None:
        iterated = self.value(node.iter)
        if isinstance(iterated, Tensor) and not iterated.structured:
            self._note(TensorTest(node))
        before = dict(self._frame.names)
        self._branches += 1
        self._store(node.target, _element(iterated), node.iter, node)
        self._block(node.body.body)
        if node.orelse is not None:
            self._block(node.orelse.body.body)
        self._branches -= 1
        self._frame.names = _joined(before, self._frame.names, missing_right=True)

    def _while(self, node: cst.While) -> None:
        self._test(node.test)
        before = dict(self._frame.names)
        self._branches += 1
        self._block(node.body.body)
        self._branches -= 1
        self._frame.names = _joined(before, self._frame.names, missing_right=True)

    def _with(self, node: cst.With) -> bool:
        for item in node.items:
            value = self.value(item.item)
            if item.asname is not None:
                self._store(item.asname.name, value, item.item, node)
        return self._block(node.body.body)

    def _try(self, node: cst.Try | cst.TryStar) -> bool:
        before = dict(self._frame.names)
        ends = self._block(node.body.body)
        if node.orelse is not None:
            ends = self._block(node.orelse.body.body) or ends
        after = self._frame.names
        self._branches += 1
        handled_all = True
        for handler in node.handlers:
            self._frame.names = dict(before)
            if not self._block(handler.body.body):
                handled_all = False
                after = _joined(after, self._frame.names) if not ends else self._frame.names
        self._branches -= 1
        self._frame.names = after
        if node.finalbody is not None:
            self._block(node.finalbody.body.body)
        return ends and handled_all

    def _match(self, node: cst.Match) -> None:
        subject = self.value(node.subject)
        if isinstance(subject, Tensor) and not subject.structured:
            self._note(TensorTest(node.subject))
        before = self._frame.names
        after: dict[str, Value] | None = None
        self._branches += 1
        for case in node.cases:
            self._frame.names = dict(before)
            for name in _captured_names(case.pattern):
                self._frame.names[name] = None
            if case.guard is not None:
                self._test(case.guard)
            if not self._block(case.body.body):
                after = _joined(after, self._frame.names) if after else self._frame.names
        self._branches -= 1
        self._frame.names = _joined(before, after) if after else before

    def _function(self, node: cst.FunctionDef) -> None:
        frame = self._frame
        # The names as they will be when the function is called: the frame's own dict.
        closure = _Chain(frame.names, frame.closure)
        self._frame.names[node.name.value] = self.decorated(Function(node, closure), node)

    def _class(self, node: cst.ClassDef) -> None:
        seen = _Chain(self._frame.names, self._frame.closure)
        self._frame.names[node.name.value] = ClassRef(self._around.outline(node, seen))

    def _import(self, node: cst.Import | cst.ImportFrom) -> None:
        for local, origin in imported_names(node):
            if local != "*":
                self._frame.names.setdefault(local, Ref(names.canonical(origin)))

    def _delete(self, node: cst.Del) -> None:
        if isinstance(node.target, cst.Name):
            self._frame.names.pop(node.target.value, None)

    def decorated(self, function: Function, node: cst.FunctionDef) -> Value:
        """The function as its decorators leave it: `tf.function` is followed, others pass."""
        value: Value = function
        for item in reversed(node.decorators):
            decorator = self._quietly(item.decorator)
            if is_tf_function(decorator):
                signature = decorator.signature if isinstance(decorator, Traced) else None
                value = Traced(function, signature, item)
        return value

    # -- storing -----------------------------------------------------------------

    def _store(
        self,
        target: cst.BaseExpression,
        value: Value,
        value_node: cst.BaseExpression,
        statement: cst.CSTNode,
    ) -> None:
        if isinstance(target, cst.Name):
            self._frame.names[target.value] = value
        elif isinstance(target, (cst.Tuple, cst.List)):
            self._unpack(target, value, value_node, statement)
        elif isinstance(target, cst.Attribute):
            owner = self.value(target.value)
            name = target.attr.value
            if isinstance(owner, SelfValue):
                self._keep(owner, target, value, value_node, statement, target, "assign")
                self._attributes[name] = value
            elif isinstance(owner, Instance):
                self._note(ObjectStore(owner, name, value, value_node, statement))
        elif isinstance(target, cst.Subscript):
            self._store_item(target, value, value_node, statement)
        elif isinstance(target, cst.StarredElement):
            self._store(target.value, None, value_node, statement)

    def _keep(
        self,
        owner: SelfValue,
        attribute: cst.Attribute,
        value: Value,
        value_node: cst.BaseExpression,
        statement: cst.CSTNode,
        target: cst.BaseExpression,
        how: str,
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
            )
        )

    def _store_item(
        self,
        target: cst.Subscript,
        value: Value,
        value_node: cst.BaseExpression,
        statement: cst.CSTNode,
    ) -> None:
        for element in target.slice:
            self._slice(element.slice)
        base = target.value
        owner = self._quietly(base.value) if isinstance(base, cst.Attribute) else None
        if isinstance(base, cst.Attribute) and isinstance(owner, SelfValue):
            self._keep(owner, base, value, value_node, statement, target, "item")
        elif isinstance(base, cst.Name):
            current = self._frame.names.get(base.value)
            if isinstance(current, Shape) and isinstance(value, (Dim, Shape)):
                # shape[i] = tf.shape(x)[i]: the usual way to complete a static shape.
                self._frame.names[base.value] = replace(current, dynamic=value.dynamic)
            elif isinstance(current, Array):
                self._frame.names[base.value] = _with_items(current, value)
            elif isinstance(current, (Shape, Seq)):
                self._frame.names[base.value] = None

    def _unpack(
        self,
        target: cst.Tuple | cst.List,
        value: Value,
        value_node: cst.BaseExpression,
        statement: cst.CSTNode,
    ) -> None:
        items = [element.value for element in target.elements]
        starred = any(isinstance(element, cst.StarredElement) for element in target.elements)
        if isinstance(value, Shape):
            self._unpack_shape(items, value, statement, starred)
            return
        for index, item in enumerate(items):
            found: Value = None
            if isinstance(value, Seq) and value.complete and not starred:
                found = value.items[index] if index < len(value.items) else None
            elif isinstance(value, Tensor):
                found = Tensor(value.batch_axis)
            elif isinstance(value, Seq):
                found = _element(value)
            self._store(item, found, value_node, statement)

    def _unpack_shape(
        self,
        items: Sequence[cst.BaseExpression],
        shape: Shape,
        statement: cst.CSTNode,
        starred: bool,
    ) -> None:
        assignment = statement if isinstance(statement, cst.Assign) else None
        if shape.dynamic and not shape.iterable and assignment is not None:
            count = None if starred else len(items)
            self._note(SymbolicUnpacking(assignment, shape, count))
        for index, item in enumerate(items):
            axis = None if starred and index else shape.start + index
            dim = Dim(shape.tensor, axis, shape.dynamic, item, shape.tensor_node, assignment)
            self._store(item, dim if isinstance(item, cst.Name) else None, item, statement)

    # -- tests and guards ---------------------------------------------------------

    def _test(self, node: cst.BaseExpression) -> None:
        """Read a condition; static dimensions that it asks about are guarded from here on."""
        value = self.value(node)
        if isinstance(value, Tensor) and not value.structured:
            self._note(TensorTest(node))
        for name in _asked_about(node):
            current = self._frame.names.get(name)
            if any(not dim.dynamic for dim in dimensions(current)):
                self._frame.names[name] = None
            elif isinstance(current, Tensor) and _asks_shape(node):
                self._frame.names[name] = replace(current, batch_axis=None)

    # -- expressions -------------------------------------------------------------

    def value(self, node: cst.BaseExpression) -> Value:
        """The value of an expression; everything in it is read."""
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
        found = self._around.name(node.value)
        if found is None and node.value in _BUILTINS:
            return Ref(f"builtins.{node.value}")
        return found

    def _literal(self, node: cst.Integer | cst.Float | cst.SimpleString) -> Value:
        return Const(node.evaluated_value)

    def _ellipsis(self, node: cst.Ellipsis) -> Value:
        return Const(...)

    def _attribute(self, node: cst.Attribute) -> Value:
        return self._member(self.value(node.value), node)

    def _member(self, owner: Value, node: cst.Attribute) -> Value:
        name = node.attr.value
        if isinstance(owner, Ref):
            return Ref(names.canonical(f"{owner.name}.{name}"))
        if isinstance(owner, SelfValue):
            return self._self_member(owner, node)
        if isinstance(owner, Tensor):
            if name == "shape":
                return Shape(owner, False, node, node.value)
            return Tensor(None) if name in {"T", "values", "flat_values"} else None
        if isinstance(owner, Dim):
            return owner if name == "value" else None
        if isinstance(owner, Array):
            return replace(owner, shape=None, dims=None) if name == "T" else None
        if isinstance(owner, (Instance, Function, Traced, ClassRef, Member)):
            return Member(owner, name)
        return None

    def _self_member(self, owner: SelfValue, node: cst.Attribute) -> Value:
        name = node.attr.value
        method = owner.outline.method(name)
        if method is not None:
            if _is_property(method):
                return self._follow(Function(method), Arguments(()), owner)
            return Member(owner, name)
        if name == "build" or name in _WEIGHT_MAKERS:
            return Member(owner, name)
        self._note(AttributeRead(owner.outline, name, node, self._method))
        if name in self._attributes:
            value = self._attributes[name]
        else:
            value = self._around.attribute(owner.outline, name)
        if isinstance(value, (Array, Variable, Instance)):
            return replace(value, attribute=name)
        return value

    def _subscript(self, node: cst.Subscript) -> Value:
        base = self.value(node.value)
        indices = [self._slice(element.slice) for element in node.slice]
        if isinstance(base, Shape):
            return self._shape_item(base, node, indices)
        if isinstance(base, (Seq, Table)):
            return self._item(base, node)
        if isinstance(base, Tensor):
            return _tensor_item(base, node)
        if isinstance(base, Array):
            return replace(base, shape=None, dims=None, draw=tables.Draw.OTHER, initializer="")
        if isinstance(base, (Instance, Variable)):
            return None
        return base if isinstance(base, Argument) else None

    def _slice(self, node: cst.BaseSlice) -> Value:
        if isinstance(node, cst.Index):
            return self.value(node.value)
        if isinstance(node, cst.Slice):
            for part in (node.lower, node.upper, node.step):
                if part is not None:
                    self.value(part)
        return None

    def _shape_item(self, shape: Shape, node: cst.Subscript, indices: Sequence[Value]) -> Value:
        part = node.slice[0].slice if len(node.slice) == 1 else None
        if isinstance(part, cst.Slice):
            start = literal(self._quietly(part.lower)) if part.lower else 0
            stop = literal(self._quietly(part.upper)) if part.upper else None
            if part.step is not None or not isinstance(start, int) or start < 0:
                return None
            end = shape.start + stop if isinstance(stop, int) and stop >= 0 else shape.stop
            return replace(shape, start=shape.start + start, stop=end, node=node)
        index = literal(indices[0]) if len(indices) == 1 else ...
        axis = shape.start + index if isinstance(index, int) and index >= 0 else None
        return Dim(shape.tensor, axis, shape.dynamic, node, shape.tensor_node)

    def _item(self, base: Seq | Table, node: cst.Subscript) -> Value:
        part = node.slice[0].slice if len(node.slice) == 1 else None
        if not isinstance(part, cst.Index):
            return Seq(base.items, complete=False) if isinstance(base, Seq) else None
        index = literal(self._quietly(part.value))
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
        return _element(base)

    def _sequence(self, node: cst.List | cst.Tuple | cst.Set) -> Value:
        items: list[Value] = []
        complete = True
        for element in node.elements:
            value = self.value(element.value)
            if isinstance(element, cst.StarredElement):
                if isinstance(value, Seq):
                    items.extend(value.items)
                    complete = complete and value.complete
                elif isinstance(value, Shape):
                    items.append(value)
                else:
                    complete = False
            else:
                items.append(value)
        return Seq(tuple(items), complete)

    def _dict(self, node: cst.Dict) -> Value:
        items: list[tuple[object, Value]] = []
        for element in node.elements:
            key: object = None
            if isinstance(element, cst.DictElement):
                found = literal(self.value(element.key))
                key = None if found is ... or isinstance(found, list) else found
            items.append((key, self.value(element.value)))
        return Table(tuple(items))

    def _comprehension(self, node: cst.BaseSimpleComp | cst.DictComp) -> Value:
        outer = self._frame.names
        self._frame.names = dict(outer)
        self._branches += 1
        source = self._comprehension_source(node.for_in)
        if isinstance(node, cst.DictComp):
            self.value(node.key)
            value = self.value(node.value)
        else:
            value = self.value(node.elt)
        self._branches -= 1
        self._frame.names = outer
        if isinstance(value, Dim) and value.axis is None:
            # [dynamic[i] if s is None else s for i, s in enumerate(static)]
            return Shape(value.tensor, value.dynamic, value.read, value.tensor_node, iterable=True)
        if isinstance(node, cst.DictComp):
            return Table(((None, value),))
        if isinstance(source, Tensor) and value is None:
            return Tensor(None)
        return Seq((value,), complete=False)

    def _comprehension_source(self, node: cst.CompFor) -> Value:
        source = self.value(node.iter)
        self._store(node.target, _element(source), node.iter, node)
        for condition in node.ifs:
            self._test(condition.test)
        if node.inner_for_in is not None:
            self._comprehension_source(node.inner_for_in)
        return source

    def _lambda(self, node: cst.Lambda) -> Value:
        return Function(node, _Chain(self._frame.names, self._frame.closure))

    def _walrus(self, node: cst.NamedExpr) -> Value:
        value = self.value(node.value)
        if isinstance(node.target, cst.Name):
            self._frame.names[node.target.value] = value
        return value

    def _conditional(self, node: cst.IfExp) -> Value:
        kept = dict(self._frame.names)
        guards_shape = _asks_shape(node.test)
        self._test(node.test)
        eager = _runs_eagerly(node.test)
        self._muted += eager is True or guards_shape
        body = self.value(node.body)
        self._muted += (eager is False) - (eager is True)
        orelse = self.value(node.orelse)
        self._muted -= (eager is False) + guards_shape
        self._frame.names = {**self._frame.names, **kept}
        if guards_shape:
            found = [v for v in (body, orelse) if isinstance(v, (Dim, Shape)) and v.dynamic]
            return found[0] if found else None
        return join(body, orelse)

    def _boolean(self, node: cst.BooleanOperation) -> Value:
        left = self.value(node.left)
        right = self.value(node.right)
        if isinstance(node.operator, cst.Or) and isinstance(left, (Dim, Shape)):
            return right  # x.shape[0] or tf.shape(x)[0]
        tensors = [v for v in (left, right) if isinstance(v, Tensor) and not v.structured]
        if tensors:
            self._note(TensorTest(node))
            return tensors[0]
        return None

    def _unary(self, node: cst.UnaryOperation) -> Value:
        value = self.value(node.expression)
        if isinstance(node.operator, cst.Minus) and isinstance(value, Const):
            number = value.value
            if isinstance(number, (int, float)) and not isinstance(number, bool):
                return Const(-number)
        if isinstance(value, (Tensor, Array)):
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
        if any(isinstance(target.operator, _ORDERINGS) for target in node.comparisons):
            for value in values:
                self._note_number(node, value)
        return tensors[0] if tensors and not identity else None

    def _binary(self, node: cst.BinaryOperation) -> Value:
        left = self.value(node.left)
        right = self.value(node.right)
        return self._arithmetic(left, right, node, type(node.operator).__name__)

    def _arithmetic(
        self, left: Value, right: Value, node: cst.BaseExpression, operator: str
    ) -> Value:
        if operator == "Add" and isinstance(left, (Seq, Shape)) and isinstance(right, (Seq, Shape)):
            return _concatenated(left, right)
        if operator == "Multiply" and isinstance(left, Seq):
            return Seq(left.items, complete=False)
        for value in (left, right):
            if isinstance(value, Dim):
                return self._dimension_arithmetic(value, left, right, node)
        self._combine(node, left, right)
        for value in (left, right):
            if isinstance(value, Tensor):
                other = right if value is left else left
                axis = value.batch_axis
                if isinstance(other, Tensor) and axis is None:
                    axis = other.batch_axis
                if operator == "MatrixMultiply" and value is right:
                    axis = None
                return Tensor(axis)
        if isinstance(left, Const) and isinstance(right, Const) and operator == "Add":
            if isinstance(left.value, str) and isinstance(right.value, str):
                return Const(left.value + right.value)
        return _array_arithmetic(left, right, node, operator)

    def _dimension_arithmetic(
        self, dim: Dim, left: Value, right: Value, node: cst.BaseExpression
    ) -> Value:
        for value in (left, right):
            if isinstance(value, Dim) and not value.dynamic and value.is_batch:
                self._note(NumberUse(node, value))
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

    # -- calls -------------------------------------------------------------------

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
                receiver = None if _is_static(method) else owner
                return self._follow(Function(method), arguments, receiver)
            if callee.name in _WEIGHT_MAKERS:
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
        if name in {"keras.Input", "keras.layers.Input"}:
            return operations.keras_input(node, arguments)
        if name.endswith(".Model") and tables.base_kind(name) is Kind.MODEL:
            if arguments.items:
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
                self._note(ShapeUse(node, family, short, argument.node.value, argument.value))

    def _note_stack(self, name: str, node: cst.Call, arguments: Arguments) -> None:
        layers = arguments.get(0, "layers")
        if name.endswith(".Sequential") and layers and isinstance(layers.value, Seq):
            self._note(Stack(node, layers.value.items))

    def _note_number(
        self, node: cst.BaseExpression, value: Value, *, takes_tensor: bool = False
    ) -> None:
        if isinstance(value, Dim) and not value.dynamic and value.is_batch:
            self._note(NumberUse(node, value, takes_tensor))

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
                return Dim(first, 0, False, node, arguments.items[0].node.value)
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
            return Seq((Seq((None, _element(first))),), complete=False)
        if name == "zip":
            return Seq((Seq(tuple(_element(a.value) for a in arguments.items)),), complete=False)
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
        return _array_method(owner, func.attr.value, arguments)

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
                self._note(ShapeUse(node, None, "reshape", arguments.items[0].node.value, target))
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
        receiver = None if _is_static(method) else SelfValue(outline)
        result = self._follow(Function(method), arguments, receiver)
        self._attributes = attributes
        return result


class _Chain(Mapping[str, Value]):
    """Names of an enclosing function, then those around it."""

    def __init__(self, inner: Mapping[str, Value], outer: Mapping[str, Value]) -> None:
        self._inner = inner
        self._outer = outer

    def __getitem__(self, name: str) -> Value:
        return self._inner[name] if name in self._inner else self._outer[name]

    def __contains__(self, name: object) -> bool:
        return name in self._inner or name in self._outer

    def __iter__(self) -> Iterator[str]:
        yield from self._inner
        yield from (name for name in self._outer if name not in self._inner)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def is_tf_function(value: Value) -> bool:
    """Whether a decorator's value is `tf.function`, plain or with arguments."""
    if isinstance(value, Traced):
        return value.function is None
    return isinstance(value, Ref) and value.name in _TF_FUNCTION


def imported_names(node: cst.Import | cst.ImportFrom) -> Iterator[tuple[str, str]]:
    """(local name, dotted origin) of what an import statement binds."""
    if isinstance(node, cst.ImportFrom):
        if isinstance(node.names, cst.ImportStar):
            return
        module = code(node.module) if node.module is not None else ""
        aliases = ((code(a.name), _alias(a)) for a in node.names)
        yield from names.import_bindings(aliases, module, len(node.relative))
    else:
        aliases = ((code(a.name), _alias(a)) for a in node.names)
        yield from names.import_bindings(aliases, None, 0)


def _alias(node: cst.ImportAlias) -> str | None:
    return code(node.asname.name) if node.asname is not None else None


def _is_super(node: cst.BaseExpression) -> bool:
    return (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Name)
        and node.func.value == "super"
    )


def _is_property(node: cst.FunctionDef) -> bool:
    return any(
        isinstance(item.decorator, cst.Name)
        and item.decorator.value in {"property", "cached_property"}
        for item in node.decorators
    )


def _generator_name(arguments: Arguments) -> str:
    """The name under which a numpy generator is known: seeded when it is given a seed."""
    seeded = operations.is_seeded(arguments, 0, "seed")
    return "numpy.random.Generator.seeded" if seeded else "numpy.random.Generator"


def _element(value: Value) -> Value:
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
        return Dim(value.tensor, None, value.dynamic, value.node, value.tensor_node)
    if isinstance(value, Tensor):
        return Tensor(value.batch_axis if value.structured else None)
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


def _joined(
    left: Mapping[str, Value], right: Mapping[str, Value], *, missing_right: bool = False
) -> dict[str, Value]:
    """The names known after two branches; one that a branch does not bind is unknown,
    unless the right one is a loop's body, which binds it when it runs at all.
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


def _concatenated(left: Seq | Shape, right: Seq | Shape) -> Seq:
    items: list[Value] = []
    for side in (left, right):
        items.extend(side.items if isinstance(side, Seq) else [side])
    complete = all(not isinstance(side, Seq) or side.complete for side in (left, right))
    return Seq(tuple(items), complete)


def _array_arithmetic(left: Value, right: Value, node: cst.BaseExpression, operator: str) -> Value:
    arrays = [value for value in (left, right) if isinstance(value, Array)]
    if len(arrays) == 2:
        origin = next((a.origin for a in arrays if a.origin == "random"), "table")
        return Array(origin, is_numpy=arrays[0].is_numpy)
    if len(arrays) == 1:
        other = right if arrays[0] is left else left
        if isinstance(other, Variable):
            return None
        return _scaled(arrays[0], node, operator, arrays[0] is left)
    # A number computed from a constructor argument.
    return next((value for value in (left, right) if isinstance(value, Argument)), None)


def _scaled(array: Array, node: cst.BaseExpression, operator: str, first: bool) -> Array:
    """An array times or over a number: a normal draw keeps its distribution."""
    plain = replace(array, draw=tables.Draw.OTHER, parameters=(), fill="", initializer="")
    if not isinstance(node, cst.BinaryOperation) or operator not in {"Multiply", "Divide"}:
        return plain
    if operator == "Divide" and not first:
        return plain
    factor = operations.operand_code(node.right if first else node.left)
    scaled = operations.scaled_parameters(array, factor, operator)
    return replace(array, parameters=scaled, fill="", initializer="") if scaled else plain


def _with_items(array: Array, value: Value) -> Array:
    """An array some of whose items are set, one by one or by a slice."""
    random = "random" in {array.origin, value.origin if isinstance(value, Array) else ""}
    origin = "random" if random else "table"
    draw = tables.Draw.OTHER
    return replace(array, origin=origin, draw=draw, parameters=(), fill="", initializer="")


def _array_method(owner: Array, name: str, arguments: Arguments) -> Value:
    if name == "astype" and arguments.items:
        return replace(owner, dtype=operations.dtype_name(arguments.items[0].value))
    if name in {"copy", "numpy"}:
        return owner
    if name in {"tolist", "reshape", "flatten", "ravel", "transpose", "sum", "mean", "cumsum"}:
        return replace(owner, shape=None, dims=None, draw=tables.Draw.OTHER, initializer="")
    return None


def _tensor_item(tensor: Tensor, node: cst.Subscript) -> Tensor:
    """`x[:, 0]` keeps the batch first, `x[0]` takes one of it, `x["key"]` a tensor out of a dict."""
    part = node.slice[0].slice
    if isinstance(part, cst.Slice):
        whole = part.lower is None and part.upper is None
        return Tensor(tensor.batch_axis if whole else None)
    if isinstance(part, cst.Index):
        if isinstance(part.value, cst.Ellipsis):
            return Tensor(tensor.batch_axis)
        if isinstance(part.value, cst.SimpleString):
            return Tensor(0)
        if tensor.structured and isinstance(part.value, cst.Integer):
            return Tensor(tensor.batch_axis)
    return Tensor(None)


def _runs_eagerly(test: cst.BaseExpression) -> bool | None:
    """True for `tf.executing_eagerly()`, False for its negation, None for other tests."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        inner = _runs_eagerly(test.expression)
        return None if inner is None else not inner
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        return _runs_eagerly(test.left) or _runs_eagerly(test.right)
    if isinstance(test, cst.Call):
        last = test.func.attr if isinstance(test.func, cst.Attribute) else test.func
        if isinstance(last, cst.Name) and last.value == _EAGER_TEST:
            return True
    return None


def _asked_about(test: cst.BaseExpression) -> Iterator[str]:
    """The names in a condition that asks whether something is None, or is true at all."""
    if isinstance(test, cst.BooleanOperation):
        yield from _asked_about(test.left)
        yield from _asked_about(test.right)
    elif isinstance(test, cst.UnaryOperation):
        yield from _asked_about(test.expression)
    elif isinstance(test, cst.Comparison):
        if _compares_none(test):
            yield from _names_in(test.left)
    elif isinstance(test, (cst.Name, cst.Attribute, cst.Subscript, cst.Call)):
        yield from _names_in(test)


def _compares_none(test: cst.Comparison) -> bool:
    return any(
        isinstance(part, cst.Name) and part.value == "None"
        for target in test.comparisons
        for part in (target.comparator, test.left)
    )


def _asks_shape(test: cst.BaseExpression) -> bool:
    """Whether a condition looks at a static shape."""
    return any(
        isinstance(node, cst.Attribute) and node.attr.value in {"shape", "is_fully_defined"}
        for node in descendants(test)
    ) or any(
        isinstance(node, cst.Comparison) and _compares_none(node) for node in descendants(test)
    )


def _names_in(node: cst.CSTNode) -> Iterator[str]:
    return (part.value for part in descendants(node) if isinstance(part, cst.Name))


def _captured_names(pattern: cst.MatchPattern) -> Iterator[str]:
    for node in descendants(pattern):
        name = getattr(node, "name", None)
        if isinstance(node, (cst.MatchAs, cst.MatchStar)) and isinstance(name, cst.Name):
            yield name.value


_STATEMENTS: dict[type[cst.CSTNode], Callable[..., bool | None]] = {
    cst.Assign: _Reader._assign,
    cst.AnnAssign: _Reader._annotated,
    cst.AugAssign: _Reader._augmented,
    cst.Expr: _Reader._expression,
    cst.Return: _Reader._return,
    cst.Raise: _Reader._raise,
    cst.Break: _Reader._leave,
    cst.Continue: _Reader._leave,
    cst.Assert: _Reader._assert,
    cst.Del: _Reader._delete,
    cst.If: _Reader._if,
    cst.For: _Reader._for,
    cst.While: _Reader._while,
    cst.With: _Reader._with,
    cst.Try: _Reader._try,
    cst.TryStar: _Reader._try,
    cst.Match: _Reader._match,
    cst.FunctionDef: _Reader._function,
    cst.ClassDef: _Reader._class,
    cst.Import: _Reader._import,
    cst.ImportFrom: _Reader._import,
}
_EXPRESSIONS: dict[type[cst.CSTNode], Callable[..., Value]] = {
    cst.Name: _Reader._name,
    cst.Integer: _Reader._literal,
    cst.Float: _Reader._literal,
    cst.SimpleString: _Reader._literal,
    cst.ConcatenatedString: _Reader._literal,
    cst.Ellipsis: _Reader._ellipsis,
    cst.Attribute: _Reader._attribute,
    cst.Subscript: _Reader._subscript,
    cst.List: _Reader._sequence,
    cst.Tuple: _Reader._sequence,
    cst.Set: _Reader._sequence,
    cst.Dict: _Reader._dict,
    cst.ListComp: _Reader._comprehension,
    cst.SetComp: _Reader._comprehension,
    cst.GeneratorExp: _Reader._comprehension,
    cst.DictComp: _Reader._comprehension,
    cst.Lambda: _Reader._lambda,
    cst.NamedExpr: _Reader._walrus,
    cst.IfExp: _Reader._conditional,
    cst.BooleanOperation: _Reader._boolean,
    cst.UnaryOperation: _Reader._unary,
    cst.Comparison: _Reader._comparison,
    cst.BinaryOperation: _Reader._binary,
    cst.Call: _Reader._call,
}
_METHODS: dict[type, Callable[..., Value]] = {
    Shape: _Reader._shape_method,
    Tensor: _Reader._tensor_method,
    Array: _Reader._array_method,
    Table: _Reader._table_method,
    Seq: _Reader._sequence_method,
    Instance: _Reader._object_method,
}
