"""The functions being read: their names, their arguments, and what happens in them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import libcst as cst

from savelint.keras.events import Arguments, Creation, Event, Flow, Returned
from savelint.keras.guards import may_ask_mode
from savelint.keras.parameters import is_static
from savelint.keras.receivers import model_of_class
from savelint.keras.values import (
    Argument,
    ClassOutline,
    Const,
    Function,
    Imported,
    Mode,
    Model,
    SelfValue,
    Surroundings,
    Table,
    Traced,
    Value,
    as_model,
    holds_tensor,
    join,
)
from savelint.keras.walk import code, parameter_names

# Calls are followed this deep, and a function's calls this often; deeper is unknown.
_MAX_CALL_DEPTH = 8
_MAX_ENTRIES = 200
# The last name of an annotation that may speak of a model; others are not looked up.
_MODEL_NAME = re.compile(r"(Model|Net|Network|Sequential|Functional)\w*$")


@dataclass
class Frame:
    """One function being read: its names, and what it returned so far."""

    function: Function | None
    names: dict[str, Value]
    closure: Mapping[str, Value] = field(default_factory=dict)
    results: list[Value] = field(default_factory=list)
    # Local names of containers that attributes of an object were given: the object's class,
    # the attribute, and 1 where it is an item of the attribute that is so called.
    aliases: dict[str, tuple[ClassOutline, str, int]] = field(default_factory=dict)
    # Whether a global random generator was seeded in it.
    seeded: bool = False
    # Whether it asked if it runs eagerly, and branched on the answer; then what it returns
    # where it may be traced.
    asked_mode: bool = False
    traced_results: list[Value] = field(default_factory=list)
    # How much was read around it that runs eagerly only.
    muted: int = 0

    def lookup(self, name: str) -> tuple[bool, Value]:
        """Whether a name is bound here or around, and its value."""
        if name in self.names:
            return True, self.names[name]
        if name in self.closure:
            return True, self.closure[name]
        return False, None


class Chain(Mapping[str, Value]):
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


class FunctionReader(ABC):
    """Reads one function and all that it calls in the file; this part keeps the frames."""

    def __init__(self, surroundings: Surroundings, method: str, depth: int = 0) -> None:
        self._around = surroundings
        self._method = method
        # How many functions of other files are being read around this one.
        self._depth = depth
        self._events: list[Event] = []
        self._frames: list[Frame] = []
        # The last of them.
        self._frame = Frame(None, {})
        self._entered: list[Function] = []
        # How many functions were entered; one count for the readers of all files.
        self._entries = [0]
        self._results: dict[tuple[int, bool, tuple[Value, ...]], Value] = {}
        # What this flow itself stored on self, newest last.
        self._attributes: dict[str, Value] = {}
        # The objects whose methods are being read: by class, the call that made one, and
        # what its constructor, given the arguments of that call, stored on it.
        self._made_with: dict[ClassOutline, tuple[cst.Call, Mapping[str, Value]]] = {}
        self._constructions: dict[Creation, Mapping[str, Value]] = {}
        # What methods count up, by class.
        self._counted: dict[ClassOutline, frozenset[str]] = {}
        # How many branches or loops enclose the statement being read.
        self._branches = 0
        # Above zero while reading what runs in training only, which is never served.
        self._training = 0
        # Above zero while reading what runs eagerly only.
        self._muted = 0
        # Above zero in what `tf.function` wraps, which AutoGraph converts.
        self._converted = 0
        # Above zero in a `try` that handles exceptions.
        self._caught = 0

    def enter(self, function: Function, parameters: dict[str, Value]) -> Flow:
        """Read a function from its first statement to its last."""
        result = self._body(function, parameters)
        return Flow(tuple(self._events), result, tuple(self._entered))

    def run(self, statements: Iterable[cst.BaseStatement | cst.BaseSmallStatement]) -> Flow:
        """Read statements that stand in no function."""
        frame = Frame(None, {})
        self._push(frame)
        self._block(statements)
        return Flow(tuple(self._events), Table(tuple(frame.names.items())))

    def _body(self, function: Function, parameters: dict[str, Value]) -> Value:
        self._entered.append(function)
        self._entries[0] += 1
        frame = Frame(function, parameters, function.closure, muted=self._muted)
        outer = self._frame
        self._push(frame)
        training, muted = self._training, self._muted
        node = function.node
        self._read_annotations(node.params, parameters)
        if isinstance(node, cst.FunctionDef):
            if not self._block(node.body.body):
                self._returns(node, Const(None))
        else:
            frame.results.append(self.value(node.body))
            self._returns(node.body, frame.results[-1])
        self._training, self._muted = training, muted
        result = _mode_of(frame) or self._joined_results(frame)
        self._frames.pop()
        self._frame = outer
        return result

    def _joined_results(self, frame: Frame) -> Value:
        """What the function of a frame gives, on whatever path; else what its annotation says."""
        result = frame.results[0] if frame.results else Const(None)
        for other in frame.results[1:]:
            result = join(result, other)
        node = frame.function.node if frame.function is not None else None
        if result is None and isinstance(node, cst.FunctionDef) and node.returns is not None:
            result = self._annotated_model(node.returns.annotation)
        return result

    def _read_annotations(self, declared: cst.Parameters, parameters: dict[str, Value]) -> None:
        """Parameters of which nothing is known may be models by their annotation."""
        owner = next(iter(parameters.values()), None)
        plain = isinstance(owner, SelfValue) and owner.outline.kind is None
        every = (*declared.posonly_params, *declared.params, *declared.kwonly_params)
        for parameter in every:
            name = parameter.name.value
            known = parameters[name]
            if parameter.annotation is not None and (
                known is None or (plain and isinstance(known, Argument))
            ):
                model = self._annotated_model(parameter.annotation.annotation)
                parameters[name] = model if model is not None else known

    def _annotated_model(self, node: cst.BaseExpression) -> Model | None:
        """The model that an annotation speaks of: `keras.Model`, `Optional[Net]`, `Net | None`."""
        if isinstance(node, cst.BinaryOperation):
            return self._annotated_model(node.left) or self._annotated_model(node.right)
        if isinstance(node, cst.Subscript) and code(node.value).endswith("Optional"):
            index = node.slice[0].slice
            return self._annotated_model(index.value) if isinstance(index, cst.Index) else None
        if isinstance(node, cst.SimpleString):
            dotted = str(node.evaluated_value)
            if not all(part.isidentifier() for part in dotted.split(".")):
                return None
            node = cst.parse_expression(dotted)
        text = code(node) if isinstance(node, (cst.Name, cst.Attribute)) else ""
        if not _MODEL_NAME.search(text):
            return None
        return model_of_class(self._quietly(node), f"the annotation `{text}`")

    def _returns(self, node: cst.CSTNode, value: Value) -> None:
        """Note what the function that is read returns; not what those that it calls do."""
        if len(self._frames) == 1:
            self._note(Returned(node, value, self._branches > 0, self._training > 0))

    def _follow(self, function: Function, arguments: Arguments, owner: Value) -> Value:
        """The result of calling a function of the file."""
        if (
            len(self._frames) + self._depth > _MAX_CALL_DEPTH
            or self._entries[0] > _MAX_ENTRIES
            or any(f.function and f.function.node is function.node for f in self._frames)
        ):
            return self._unknown(arguments)
        parameters = self._bind(function, arguments, owner)
        made = (Const(id(call)) for call, _ in self._made_with.values())
        key = (id(function.node), self._converted > 0, (*parameters.values(), *made))
        if key not in self._results:
            branches, self._branches = self._branches, self._branches
            self._results[key] = self._body(function, parameters)
            self._branches = branches
        return self._results[key]

    def _follow_method(
        self, outline: ClassOutline, name: str, node: cst.Call | None, arguments: Arguments
    ) -> Value:
        """The result of calling a method of an object whose class the project defines."""
        method = self._around.method(outline, name)
        if method is None:
            return None
        function, surroundings = method
        static = isinstance(function.node, cst.FunctionDef) and is_static(function.node)
        receiver = None if static else SelfValue(outline)
        if surroundings is self._around:
            converted = self._is_converted(function)
            self._converted += converted
            result = self._follow(function, arguments, receiver)
            self._converted -= converted
            return result
        return self._follow_abroad(function, surroundings, node, arguments, receiver)

    def _is_converted(self, method: Function) -> bool:
        """Whether `tf.function` decorates a method, so that AutoGraph converts it."""
        node = method.node
        if not isinstance(node, cst.FunctionDef) or not node.decorators:
            return False
        self._muted += 1
        wrapped = self.decorated(method, node)
        self._muted -= 1
        return isinstance(wrapped, Traced) and wrapped.is_converted

    def _follow_imported(self, callee: Imported, node: cst.Call, arguments: Arguments) -> Value:
        """The result of calling a function that was imported.

        Only one that takes tensors, asks if it is traced, or may make a model is read.
        """
        asks = not arguments.items and may_ask_mode(callee.name)
        of_tensors = asks or any(holds_tensor(argument.value) for argument in arguments.items)
        around = callee.surroundings
        if of_tensors or around.may_make_model(callee.name):
            found = around.name(callee.name)
            function = found.function if isinstance(found, Traced) else found
            if isinstance(function, Function):
                value = self._follow_abroad(function, around, node, arguments, None)
                # How a model was used where it was made is not known here.
                return value if of_tensors else as_model(value, f"`{callee.name}(...)`")
        return self._brought_home(None, node, arguments)

    def _follow_abroad(
        self,
        function: Function,
        surroundings: Surroundings,
        node: cst.Call | None,
        arguments: Arguments,
        owner: Value,
    ) -> Value:
        """The result of calling a function of another file, in words of this one.

        What it does is reported where it stands; here only its result counts.
        """
        depth = len(self._frames) + self._depth
        if depth > _MAX_CALL_DEPTH or self._entries[0] > _MAX_ENTRIES:
            return self._unknown(arguments)
        reader = type(self)(surroundings, self._method, depth + 1)
        reader._push(Frame(None, {}))
        reader._muted = 1
        reader._entries = self._entries
        reader._attributes = dict(self._attributes) if owner is not None else {}
        parameters = reader._bind(function, arguments, owner)
        key = (id(function.node), self._converted > 0, tuple(parameters.values()))
        if key not in self._results:
            self._results[key] = reader._body(function, parameters)
        return self._brought_home(self._results[key], node, arguments)

    def _bind(self, function: Function, arguments: Arguments, owner: Value) -> dict[str, Value]:
        declared = function.node.params
        plain = [*declared.posonly_params, *declared.params]
        values: dict[str, Value] = dict.fromkeys(parameter_names(declared))
        named = {p.name.value for p in (*declared.params, *declared.kwonly_params)}
        for parameter in (*plain, *declared.kwonly_params):
            if parameter.default is not None:
                values[parameter.name.value] = self._quietly(parameter.default)
        if owner is not None and plain:
            values[plain[0].name.value] = owner
            plain = plain[1:]
        for parameter, argument in zip(plain, arguments.positional, strict=False):
            values[parameter.name.value] = argument.value
        for argument in arguments.items:
            if argument.keyword in named:
                values[argument.keyword] = argument.value
        if arguments.is_open:
            given = {p.name.value for p, _ in zip(plain, arguments.positional, strict=False)}
            given.update(a.keyword for a in arguments.items if a.keyword)
            for parameter in plain:
                if parameter.name.value not in given:
                    values[parameter.name.value] = None
        return values

    def _script_name(self, name: str) -> Value:
        """What a script's own statements have given a name by now, seen from a function."""
        outermost = self._frames[0]
        return outermost.names.get(name) if outermost.function is None else None

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
    def _inside(self) -> tuple[cst.FunctionDef | cst.Lambda, ...]:
        """The functions being read, outermost first."""
        return tuple(f.function.node for f in self._frames if f.function is not None)

    def _push(self, frame: Frame) -> None:
        self._frames.append(frame)
        self._frame = frame

    @abstractmethod
    def value(self, node: cst.BaseExpression) -> Value:
        """The value of an expression; everything in it is read."""

    @abstractmethod
    def _block(self, statements: Iterable[cst.BaseStatement | cst.BaseSmallStatement]) -> bool:
        """Read statements; True when control cannot reach what follows them."""

    @abstractmethod
    def decorated(self, function: Function, node: cst.FunctionDef) -> Value:
        """The function as its decorators leave it."""

    @abstractmethod
    def _brought_home(self, value: Value, node: cst.Call | None, arguments: Arguments) -> Value:
        """What a function of another file gave, in words of this one."""

    @abstractmethod
    def _unknown(self, arguments: Arguments) -> Value:
        """The result of a function that cannot be followed."""


def _mode_of(frame: Frame) -> Mode | None:
    """What a function says of the mode, None where it says nothing."""
    results = [r for r in frame.results if not (isinstance(r, Const) and not r.value)]
    modes = [r for r in results if isinstance(r, Mode)]
    if modes and all(result == modes[0] for result in results):
        return modes[0]
    plain = all(r is None or isinstance(r, (Const, Mode)) for r in results)
    if not modes and not (frame.asked_mode and results and plain):
        return None
    answers = {bool(r.value) if isinstance(r, Const) else None for r in frame.traced_results}
    answer = answers.pop() if len(answers) == 1 else None
    return Mode(None if answer is None else not answer)
