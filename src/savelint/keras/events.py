"""What happens when a function of the source runs, as far as the source tells: events.

The events of a `Flow` are in the order in which the statements would run.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from savelint.frozen import frozen
from savelint.keras.tables import Family
from savelint.keras.values import (
    ClassOutline,
    Dim,
    Function,
    Instance,
    Reading,
    Shape,
    Spec,
    Traced,
    Value,
    Variable,
)

if TYPE_CHECKING:
    import libcst as cst


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
        return iter(self._by_kind.get(kind, ()))

    @cached_property
    def _by_kind(self) -> dict[type, list[Any]]:
        found: dict[type, list[Any]] = {}
        for event in self.events:
            found.setdefault(type(event), []).append(event)
        return found
