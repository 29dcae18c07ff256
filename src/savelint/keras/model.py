"""The Keras model of a file: what its classes do, and where they are saved.

Rules read this and nothing else. The events of a `Flow` are in the order in which the
statements would run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from savelint.finding import Label
from savelint.frozen import frozen
from savelint.keras import LEGACY_ON
from savelint.keras.generation import Keras
from savelint.keras.tables import Family, Kind
from savelint.keras.values import (
    ClassOutline,
    Dim,
    Function,
    Instance,
    Reading,
    Shape,
    Signature,
    Spec,
    Traced,
    Use,
    Value,
    Variable,
)
from savelint.source import Source, Span

if TYPE_CHECKING:
    import libcst as cst

    from savelint.keras.project import File
    from savelint.keras.regions import Region
    from savelint.keras.summary import Summary


@frozen
class Argument:
    """One argument of a call, with its value."""

    node: cst.Arg
    value: Value

    @property
    def keyword(self) -> str | None:
        """The keyword, None for a positional argument."""
        return self.node.keyword.value if self.node.keyword is not None else None


@frozen
class Arguments:
    """The arguments of a call in their order."""

    items: tuple[Argument, ...]

    def get(self, position: int | None, *keywords: str) -> Argument | None:
        """The argument at a position or by one of the keywords.

        None when it is not there, or hidden behind a `*` or `**`.
        """
        index = 0
        for item in self.items:
            if item.node.star:
                if item.node.star == "*":
                    position = None
                continue
            if item.keyword is None:
                if index == position:
                    return item
                index += 1
            elif item.keyword in keywords:
                return item
        return None

    @property
    def positional(self) -> tuple[Argument, ...]:
        """The plain positional arguments."""
        return tuple(a for a in self.items if not a.node.star and a.keyword is None)

    @property
    def values(self) -> tuple[Value, ...]:
        """The values of all of them."""
        return tuple(item.value for item in self.items)

    @property
    def is_open(self) -> bool:
        """Whether a `*` or `**` may bring further arguments."""
        return any(item.node.star for item in self.items)


@frozen(eq=False)
class ShapeUse:
    """A value goes where an operation expects a shape or a number taken from one.

    `in_training` says that this happens under `if training:` only.
    """

    call: cst.Call
    family: Family | None
    operation: str
    argument: cst.BaseExpression
    value: Value
    in_training: bool = False


@frozen(eq=False)
class NumberUse:
    """A static dimension is used as a Python number: arithmetic, `int`, `range`, a cast.

    `int(dim)` is itself the `read` of the dimension it gives. `takes_tensor` says that a
    tensor would do as well.
    """

    node: cst.BaseExpression
    dim: Dim
    takes_tensor: bool = False
    in_training: bool = False


@frozen(eq=False)
class SymbolicUnpacking:
    """`a, b, c = tf.shape(x)`: a symbolic tensor is iterated."""

    node: cst.Assign
    shape: Shape
    count: int | None


@frozen(eq=False)
class Choice:
    """An `if` that does no more than choose between two values, or a ternary.

    `head` is what stands before the value in either branch: `x = `, `return ` or nothing;
    `orelse` is None where the name keeps its value. `boolean` says that the condition is
    a truth value already, and no number.
    """

    head: str
    body: cst.BaseExpression
    orelse: cst.BaseExpression | None
    boolean: bool


@frozen(eq=False)
class TensorTest:
    """Python asks a value computed from call's inputs for its truth, its items or its number.

    `node` is the statement or the expression that asks, `test` what is asked, `how` one of
    "if", "while", "ternary", "assert", "filter", "and", "or", "not", "chained", "in" (truth),
    "for", "each", "unpack", "star" (items), "match", or the name of the builtin function.
    `certain` says that it is one tensor for sure, `converted` that AutoGraph reads the
    code because `tf.function` wraps it, `in_training` that it runs in training only.
    """

    node: cst.CSTNode
    test: cst.BaseExpression
    how: str
    certain: bool = False
    converted: bool = False
    in_training: bool = False
    choice: Choice | None = None


@frozen(eq=False)
class TensorRead:
    """Python or numpy takes the numbers out of a tensor computed from call's inputs.

    `name` is the canonical name of the function ("numpy.exp", "builtins.float"), or
    ".numpy" for the method; `argument` is the tensor. The rest is as in TensorTest.
    """

    node: cst.Call
    argument: cst.BaseExpression
    name: str
    converted: bool = False
    in_training: bool = False


@frozen(eq=False)
class PythonOperation:
    """`tf.py_function` and its like: an operation that runs Python when the graph runs.

    One in training only is not noted: it is never served.
    """

    node: cst.Call
    name: str


@frozen(eq=False)
class AttributeStore:
    """`self.name = value`, `self.name += value`, `self.name[...] = value`, `self.name.append`.

    `how` is "assign", "augment", "item" (then `key` is its value) or "append"; `method` is the
    method whose body (or a helper of which) holds it; `owner` is the class whose `self` it is.
    """

    owner: ClassOutline
    name: str
    value: Value
    value_node: cst.BaseExpression
    statement: cst.CSTNode
    target: cst.BaseExpression
    how: str
    method: str
    conditional: bool
    key: Value = None


@frozen(eq=False)
class ContainerChange:
    """A list or dictionary that the object holds under `self.name` is changed in its place.

    `how` is the method that does it ("append", "pop", "setdefault", ...), or "item", "slice",
    "delete" or "augment"; `values` are what is put in, or the method's arguments. `alias` is
    the local name by which it is reached, empty where that is `self.name`; `depth` is 0 for
    the container itself, 1 for one that it holds.
    """

    owner: ClassOutline
    name: str
    how: str
    values: tuple[Value, ...]
    node: cst.BaseExpression
    statement: cst.CSTNode
    method: str
    alias: str = ""
    depth: int = 0


@frozen(eq=False)
class AttributeRead:
    """`self.name` is read; `owner` is the class whose `self` it is."""

    owner: ClassOutline
    name: str
    node: cst.Attribute
    method: str


@frozen(eq=False)
class OuterRead:
    """A name is read that the module, or the body of a class, gives an object or a variable.

    `value` may hold it in a list or dictionary; `owner` is the class in whose body it is made,
    None for the module. `inside` are the functions being read, outermost first.
    """

    name: str
    value: Value
    owner: ClassOutline | None
    node: cst.Name | cst.Attribute
    inside: tuple[cst.FunctionDef | cst.Lambda, ...]
    in_training: bool = False


@frozen(eq=False)
class Combination:
    """An array or variable held by the object meets call's inputs in `*`, `+`, `@` or alike."""

    attribute: str
    node: cst.BaseExpression


@frozen(eq=False)
class FrozenRead:
    """What Python gives anew at each run of `call` meets a tensor, or decides about one.

    `node` is where they meet, or the condition that `decides`.
    """

    reading: Reading
    node: cst.CSTNode
    decides: bool = False
    in_training: bool = False


@frozen(eq=False)
class Creation:
    """An object, a variable or a symbolic input is made.

    `inside` are the functions being read, outermost first.
    """

    value: Instance | Variable | Spec
    node: cst.Call
    arguments: Arguments
    inside: tuple[cst.FunctionDef | cst.Lambda, ...]
    conditional: bool


@frozen(eq=False)
class ObjectStore:
    """`model.name = value` on an object that is not `self`."""

    owner: Instance
    name: str
    value: Value
    value_node: cst.BaseExpression
    node: cst.CSTNode


@frozen(eq=False)
class LayerCall:
    """A layer, often an attribute of `self`, is called on a value.

    `inside` are the functions being read, outermost first.
    """

    layer: Instance
    node: cst.Call
    arguments: Arguments
    inside: tuple[cst.FunctionDef | cst.Lambda, ...]


@frozen(eq=False)
class Contact:
    """Something happens to an object: "call", "fit", "predict", "build", "passed", ..."""

    instance: Instance
    how: str
    node: cst.Call
    arguments: Arguments


@frozen(eq=False)
class SaveCall:
    """A call that saves a model, or makes what will save it.

    `how` is "save" (`model.save`, `save_model`), "weights" (`save_weights`), "export",
    "saved_model" (`tf.saved_model.save`), "endpoint" (`ExportArchive.add_endpoint`), "archive"
    (`write_out`), "callback" (`ModelCheckpoint`) or "checkpoint" (`save` and `write` of a
    `tf.train.Checkpoint`). `receiver` is what is saved, `path` the argument that says where.
    `evidence` says for people what tells that it is a Keras model; empty where nothing does.
    `inside` are the functions being read, outermost first.
    """

    how: str
    receiver: Value
    node: cst.Call
    arguments: Arguments
    path: Argument | None = None
    evidence: str = ""
    inside: tuple[cst.FunctionDef | cst.Lambda, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it saves or serves the model itself, and not its weights alone."""
        return self.how in {"save", "export", "saved_model", "endpoint"}


@frozen(eq=False)
class LoadCall:
    """A call that loads a model or weights.

    `how` is "model" (`load_model`), "weights" (`load_weights`), "saved_model"
    (`tf.saved_model.load`) or "checkpoint" (`restore` and `read` of a `tf.train.Checkpoint`).
    `receiver` is what weights are loaded into; the rest is as in SaveCall.
    """

    how: str
    node: cst.Call
    arguments: Arguments
    receiver: Value = None
    path: Argument | None = None
    evidence: str = ""
    inside: tuple[cst.FunctionDef | cst.Lambda, ...] = ()


@frozen(eq=False)
class Stack:
    """`keras.Sequential([...])` with its layers."""

    node: cst.Call
    layers: tuple[Value, ...]


@frozen(eq=False)
class Graph:
    """`keras.Model(inputs, outputs)`: a functional model of the layers that were called.

    `outputs` is None where they are not told; `inside` are the functions being read,
    outermost first.
    """

    node: cst.Call
    inputs: Value
    outputs: Value
    inside: tuple[cst.FunctionDef | cst.Lambda, ...]


@frozen(eq=False)
class Registration:
    """`@register_keras_serializable(...)` on a class or a function.

    `decorator` is the expression behind the `@`, `origin` its dotted name as it was imported;
    `key` is "package>name", None where that is not written out.
    """

    node: cst.ClassDef | cst.FunctionDef
    decorator: cst.BaseExpression
    origin: str
    key: str | None

    @property
    def is_called(self) -> bool:
        """Whether the decorator has its parentheses."""
        return hasattr(self.decorator, "func")


@frozen(eq=False)
class Reference:
    """A member of `keras.saving` that an attribute names.

    `origin` is its dotted name as it was imported, `saving` the part of it that says so.
    """

    node: cst.Attribute
    saving: cst.Name
    origin: str


@frozen(eq=False)
class SelfContact:
    """The object itself is called or built by one of its own methods."""

    how: str
    node: cst.Call
    arguments: Arguments


@frozen(eq=False)
class Returned:
    """What the function itself returns, and where: None at its `def` when it just ends.

    `sometimes` says that it depends on a condition whether this is reached.
    """

    node: cst.CSTNode
    value: Value
    sometimes: bool = False
    in_training: bool = False


@frozen(eq=False)
class SuperCall:
    """`super().method(...)`."""

    method: str
    node: cst.Call
    arguments: Arguments


@frozen(eq=False)
class TakenKeyword:
    """`kwargs.pop("units", 3)`: a constructor takes an argument out of its `**kwargs`.

    Not `popped` where it only looks at it; `required` without a default; `conditional` where
    a branch is around it.
    """

    name: str
    node: cst.Call
    popped: bool
    required: bool
    method: str
    conditional: bool


@frozen(eq=False)
class Tracing:
    """`tf.function` wraps a function, as a decorator or as a call."""

    traced: Traced


@frozen(eq=False)
class WeightCall:
    """`self.add_weight(...)` or `self.add_variable(...)` of Keras' own.

    `owner` is the class whose `self` it is, `method` the method whose body (or a helper of
    which) holds it; `conditional` says that a branch or a loop is around it.
    """

    owner: ClassOutline
    node: cst.Call
    arguments: Arguments
    method: str
    conditional: bool


@frozen(eq=False)
class RemovedUse:
    """A name that is gone is imported or read, in code that certainly runs.

    `node` is the module of `from ... import`, one of the names that an import takes, or a
    dotted name; `statement` is the import, None for a dotted name. `head` is what the first
    part of a dotted name was imported as. `homes` are the present names of what is imported
    or read, empty text for one that has none.
    """

    node: cst.CSTNode
    missing: str
    homes: tuple[str, ...]
    statement: cst.Import | cst.ImportFrom | None = None
    head: str = ""


@frozen(eq=False)
class LegacyFlag:
    """The flag is set to a text that is meant to ask for Keras 2.

    `node` is the assignment or the call, `value` the text in it. `loaded` is what chose
    Keras 3 before, None where nothing did; with `split` it is an import behind the
    flag, of a module that was chosen when TensorFlow was imported. `first` is the file's
    first import of TensorFlow, `deferred` says that the flag is set in a function.
    """

    node: cst.CSTNode
    value: cst.SimpleString
    loaded: cst.CSTNode | None
    split: bool
    first: cst.CSTNode | None
    deferred: bool

    @property
    def is_on(self) -> bool:
        """Whether TensorFlow takes the text for a yes."""
        return self.value.evaluated_value in LEGACY_ON


Event: TypeAlias = (
    ShapeUse
    | NumberUse
    | SymbolicUnpacking
    | TensorTest
    | TensorRead
    | PythonOperation
    | AttributeStore
    | AttributeRead
    | Combination
    | FrozenRead
    | Graph
    | ContainerChange
    | ObjectStore
    | LayerCall
    | LoadCall
    | OuterRead
    | Contact
    | Creation
    | SaveCall
    | Returned
    | SelfContact
    | Stack
    | SuperCall
    | TakenKeyword
    | Tracing
    | WeightCall
)
AnyEvent = TypeVar("AnyEvent")


@frozen
class Flow:
    """What happens when a function runs, as far as the source tells, and what it returns.

    `entered` are the functions of the file that it reaches, itself first.
    """

    events: tuple[Event, ...] = ()
    result: Value = None
    entered: tuple[Function, ...] = ()

    def all(self, kind: type[AnyEvent]) -> Iterator[AnyEvent]:
        """The events of one kind."""
        return (event for event in self.events if isinstance(event, kind))


@frozen
class KerasClass:
    """A Layer, Model or tf.Module subclass of the file, and what its methods do.

    `traced` holds the methods that `tf.function` decorates.
    """

    outline: ClassOutline
    kind: Kind
    flows: Mapping[str, Flow]
    traced: Mapping[str, Traced]

    @property
    def name(self) -> str:
        """The class's name."""
        return self.outline.name

    def flow(self, method: str) -> Flow:
        """What a method of the class, or of its parents in the file, does."""
        return self.flows.get(method, Flow())

    def stores(self, *methods: str) -> Iterator[AttributeStore]:
        """The object's own attributes set by the given methods and the helpers they call."""
        for method in methods:
            for store in self.flow(method).all(AttributeStore):
                if store.owner is self.outline:
                    yield store


@frozen
class HeldClass:
    """A class of the file that Keras does not know, whose instances a Keras object holds."""

    outline: ClassOutline
    flows: Mapping[str, Flow]


class Elsewhere(Protocol):
    """What the other files of the project say about a file's classes."""

    def region(self, node: cst.CSTNode) -> Region | None:
        """The region of another file that holds a node."""

    def class_of(self, outline: ClassOutline) -> KerasClass | None:
        """The Keras class of another file."""

    def makers(self, cls: KerasClass) -> Iterator[bool]:
        """For each statement of other files that makes instances, whether it is a Keras class."""

    def only_hands_on(self, cls: KerasClass) -> bool:
        """Whether other files make instances, each as a value for other code."""

    def scopes(self, cls: KerasClass) -> Iterator[Flow]:
        """The functions and scripts of other files that make instances and may save them."""

    def loads(self) -> Iterator[Flow]:
        """The functions and scripts of other files that load models."""


@frozen(eq=False)
class ModuleModel:
    """One file as rules see it.

    `scopes` are the flows of the module's own statements and of each function or method
    in which something may be saved; `held` are the plain classes that `classes` make
    instances of in their constructors or in `build`; `served` has the flow of each function
    that is saved as a signature, with tensors for its parameters. `registrations` and
    `references` are those of the statements that were read; `removed` are the names that
    Keras 3 does not have, `legacy_flags` where the file asks for Keras 2. Events are of this
    file alone; values may come from `elsewhere`, the other files of the project.
    """

    file: File
    keras: Keras
    classes: tuple[KerasClass, ...]
    scopes: tuple[Flow, ...]
    regions: tuple[Region, ...]
    elsewhere: Elsewhere
    held: tuple[HeldClass, ...] = ()
    served: tuple[tuple[Function, Flow], ...] = ()
    registrations: tuple[Registration, ...] = ()
    references: tuple[Reference, ...] = ()
    removed: tuple[RemovedUse, ...] = ()
    legacy_flags: tuple[LegacyFlag, ...] = ()

    @property
    def source(self) -> Source:
        """The text of the file."""
        return self.file.source

    @property
    def summary(self) -> Summary:
        """What the file says at its top level."""
        return self.file.summary

    def origin_of(self, node: cst.CSTNode) -> str | None:
        """What a dotted expression stands for by the file's imports, in their own words."""
        from savelint.keras.walk import dotted

        return self.summary.origin(dotted(node))

    @property
    def flows(self) -> Iterator[Flow]:
        """The scopes, then the methods of each class."""
        yield from self.scopes
        for cls in self.classes:
            yield from cls.flows.values()

    def saves(self, *hows: str) -> Iterator[tuple[Flow, SaveCall]]:
        """The calls that save, each with the flow it is in; one may be in several."""
        for flow in self.flows:
            for save in flow.all(SaveCall):
                if save.how in hows:
                    yield flow, save

    def is_here(self, node: cst.CSTNode) -> bool:
        """Whether a node stands in this file."""
        return id(node) in self._owners

    def span(self, node: cst.CSTNode) -> Span:
        """Where a node of this file stands in the source, without surrounding white space."""
        return self._owners[id(node)].span_of(node)

    def label(self, node: cst.CSTNode, text: str) -> Label:
        """A label at a node of this file or of another one."""
        region = self._region(node)
        source = region.source if region.source is not self.source else None
        return Label(region.span_of(node), text, source)

    def text(self, node: cst.CSTNode) -> str:
        """The source of a node, of this file or of another one."""
        return self._region(node).text_of(node)

    def code_of(self, node: cst.CSTNode) -> str:
        """The code of a definition or a block, to be searched: it has no place in the source.

        To know the place of one node takes the places of all in its top-level statement.
        """
        return self._region(node).code_of(node)

    def source_of(self, node: cst.CSTNode) -> Source:
        """The text of the file, this or another one, in which a node stands."""
        return self._region(node).source

    def _region(self, node: cst.CSTNode) -> Region:
        region = self._owners.get(id(node)) or self.elsewhere.region(node)
        if region is None:
            raise LookupError("a node that stands in no file")
        return region

    def count_name(self, node: cst.CSTNode, name: str) -> int:
        """How often a plain name occurs inside a node."""
        return self._owners[id(node)].count_name(node, name)

    def captured(self, function: Function) -> dict[str, Value]:
        """The names of the functions around it that a function reads, with their values."""
        names = self._region(function.node).names_read(function.node)
        return {name: function.closure[name] for name in sorted(names & set(function.closure))}

    def function_of(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """The innermost `def` around a node of this file or of another one."""
        return self._region(node).function_of(node)

    def is_skipped(self, cls: KerasClass, node: cst.CSTNode) -> bool:
        """Whether a call of the object without its optional arguments does not reach a node."""
        from savelint.keras.defaults import skipped_in

        call = cls.outline.methods.get("call")
        around = self.function_of(node) if self.is_here(node) else None
        while around is not None and around is not call:
            outer = self.function_of(around)
            if outer is None:
                break
            around = outer
        return call is not None and around is not None and skipped_in(call, node, around)

    def bound_to(self, name: cst.Name) -> cst.BaseExpression | None:
        """The expression that a name stands for: of its one assignment in the function or file."""
        region = self._owners[id(name)]
        function = region.function_of(name)
        if function is not None:
            if name.value in region.parameters_of(function):
                return None
            if found := region.assigned(name.value, function):
                return found[0] if len(found) == 1 else None
        if len(self.summary.assignments.get(name.value, ())) != 1:
            return None
        return next((v for each in self.regions for v in each.assigned(name.value)), None)

    def branches_of(self, node: cst.CSTNode) -> list[tuple[cst.CSTNode, cst.CSTNode]]:
        """The branches, loops and `with` blocks of its function around a node, innermost first.

        Each with the part of it in which the node stands.
        """
        return self._region(node).branches_of(node)

    def reads_of(self, function: cst.FunctionDef, attribute: str) -> list[cst.Attribute]:
        """Where a method, with what is defined in it, reads an attribute of its object."""
        return self._owners[id(function)].reads_of(function, attribute)

    def signature_of(self, function: cst.FunctionDef | cst.Lambda) -> Signature:
        """What a function of this file or of another one takes."""
        return self._region(function).signature_of(function)

    def use_of(self, node: cst.CSTNode) -> Use:
        """What becomes of the value of an expression."""
        return self._owners[id(node)].use_of(node)

    @cached_property
    def _owners(self) -> dict[int, Region]:
        return {member: region for region in self.regions for member in region.members}

    def class_of(self, instance: Instance) -> KerasClass | None:
        """The Keras class of the project that an object is an instance of."""
        return self.class_of_outline(instance.outline) if instance.outline is not None else None

    def class_of_outline(self, outline: ClassOutline) -> KerasClass | None:
        """The Keras class of the project that an outline is of."""
        own = next((cls for cls in self.classes if cls.outline is outline), None)
        return own or self.elsewhere.class_of(outline)

    def is_bound(self, name: str) -> bool:
        """Whether anything in the file may give a plain name a value."""
        from savelint.keras.handing import is_bound

        return is_bound(self.source.text, name)

    def is_part(self, cls: KerasClass) -> bool:
        """Whether instances of a class are made in the project, and only by Keras classes.

        What its tests make does not count. Where nothing calls it by its name, a class that
        names it may call it by another.
        """
        own = [self.file.is_keras_statement(index) for index in self.file.makers(cls.name)]
        if not all(own) or not all(by_keras := [*own, *self.elsewhere.makers(cls)]):
            return False
        return bool(by_keras) or any(True for _ in self.file.namers(cls.name))

    def is_inner(self, cls: KerasClass) -> bool:
        """Whether a layer's instances are made in its file alone, and only by other layers."""
        own = [self.file.is_layer_statement(index) for index in self.file.makers(cls.name)]
        return bool(own) and all(own) and not any(True for _ in self.elsewhere.makers(cls))

    def saving_scopes(self, cls: KerasClass) -> Iterator[Flow]:
        """The scopes of this file, then those of others that make instances and may save them."""
        yield from self.scopes
        yield from self.elsewhere.scopes(cls)
