"""What savelint knows of a value without running anything.

`None` stands for *not statically knowable*; a rule that meets it stays silent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Protocol, TypeAlias

from savelint.frozen import frozen
from savelint.keras.tables import Draw, Kind
from savelint.modules import Place

if TYPE_CHECKING:
    import libcst as cst


@frozen(eq=False)
class Function:
    """A `def` or `lambda` of the file, with the names it closes over."""

    node: cst.FunctionDef | cst.Lambda
    closure: Mapping[str, Value] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The function's name; `<lambda>` for one without."""
        name = getattr(self.node, "name", None)
        return str(name.value) if name is not None else "<lambda>"


@frozen(eq=False)
class ClassOutline:
    """A class of the project: its kind, its bases, and its own methods.

    `bases` are canonical names, None where one is not known or is a class of the project;
    `parents` are those of the project, in whatever file. `kind` is None for a class that is
    not Keras. `path` is the file that it stands in, which `load` parses; `is_whole` says
    that what it inherits is known: each of its bases is Keras' own, Python's, or a whole
    class of the project.
    """

    name: str
    kind: Kind | None
    bases: tuple[str | None, ...]
    parents: tuple[ClassOutline, ...]
    method_names: frozenset[str]
    path: str
    is_whole: bool
    load: Callable[[], cst.ClassDef]

    @cached_property
    def node(self) -> cst.ClassDef:
        """The class statement; parsed when it is first asked for."""
        return self.load()

    @cached_property
    def methods(self) -> Mapping[str, cst.FunctionDef]:
        """The methods of its own."""
        import libcst as cst

        body = self.node.body.body
        return {item.name.value: item for item in body if isinstance(item, cst.FunctionDef)}

    @cached_property
    def assigned(self) -> frozenset[str]:
        """The names that statements of the class body give a value."""
        from savelint.keras.walk import assigned_names

        return frozenset(assigned_names(self.node))

    def method(self, name: str) -> cst.FunctionDef | None:
        """The method as the class or the nearest of its parents defines it."""
        definer = self.definer(name)
        return definer.methods[name] if definer is not None else None

    def definer(self, method: str) -> ClassOutline | None:
        """The class that defines a method: this one or the nearest of its parents."""
        for cls in self.lineage:
            if method in cls.method_names:
                return cls
        return None

    @cached_property
    def lineage(self) -> tuple[ClassOutline, ...]:
        """The class itself, then its parents, depth first."""
        return (self, *(cls for parent in self.parents for cls in parent.lineage))


class Surroundings(Protocol):
    """What a function sees around itself: its module, and the classes of the project."""

    def name(self, name: str) -> Value:
        """The value of a module-level name."""

    def outer(self, name: str) -> Value:
        """What the module's own statement makes and binds to a name, objects included."""

    def class_member(self, outline: ClassOutline, name: str) -> Value:
        """What the body of a class binds to a name, objects included."""

    def imported(self, origin: str) -> Value:
        """The value of what an import statement takes from its dotted origin."""

    def member(self, module: ModuleRef, name: str) -> Value:
        """The value of a member of a module of the project."""

    def outline(self, node: cst.ClassDef, resolve: Mapping[str, Value]) -> ClassOutline:
        """The outline of a class statement inside a function."""

    def attribute(self, outline: ClassOutline, name: str) -> Value:
        """The value that the constructor or `build` gives to an attribute of `self`."""

    def may_make_model(self, name: str) -> bool:
        """Whether a function of the module may return a Keras model, as far as words tell."""

    def method(self, outline: ClassOutline, name: str) -> tuple[Function, Surroundings] | None:
        """The method of a class, its own or inherited, and what it sees around itself."""


@frozen
class Ref:
    """Something imported, by its canonical name."""

    name: str


@frozen
class ClassRef:
    """A class of the file."""

    outline: ClassOutline


@frozen
class ModuleRef:
    """A module or package of the project."""

    place: Place


@frozen(eq=False)
class Imported:
    """A function of another file of the project, read when it is called with a tensor."""

    name: str
    surroundings: Surroundings


@frozen
class Const:
    """A literal: a number, a string, True, False, None or Ellipsis."""

    value: object


@frozen
class Text:
    """Text of which some is not known, and path objects; `savelint.keras.paths` makes them.

    `parts` are in a row, None where something is not known; no two neighbours are of one
    sort. `is_path` says that it is a `pathlib` object, `assumed` that it is a default, which
    the user of the program may replace.
    """

    parts: tuple[str | None, ...]
    is_path: bool = False
    assumed: bool = False


@frozen
class Count:
    """An integer of Python's that `range` or `enumerate` gives."""


@frozen
class Argument:
    """A constructor argument, or a number computed from one.

    `how` says what became of it: "" nothing, "converted" by `int`, `tuple` and their like,
    which leave what they gave before, "defaulted" (`x or 3`), "computed", or the module of
    Keras whose `get` it went through, such as "keras.activations". `keywords` is set for
    the dictionary of a `**kwargs`.
    """

    name: str
    how: str = ""
    keywords: bool = False

    @property
    def computed(self) -> Argument:
        """A number computed from it."""
        return replace(self, how="computed")


@frozen
class Tensor:
    """A value computed from the inputs of `call`.

    `batch_axis` is the axis that grows with the batch, which is None while the model is
    traced; None when it is not known. `structured` says that it may be a list or a
    dictionary of tensors. `features_lost` is the reshape to `[batch, -1]` that made its
    last dimension unknown while tracing. `certain` says that it is nothing but tensors,
    where else it may be None, a number or a flag; `single` that it is certainly one.
    """

    batch_axis: int | None
    structured: bool = False
    features_lost: cst.Call | None = None
    certain: bool = False
    single: bool = False


@frozen
class Shape:
    """The shape of a tensor, or of its axes from `start` on.

    `dynamic` shapes are tensors (`tf.shape(x)`); static ones (`x.shape`) hold None where
    the model was traced without a number. `iterable` is False for a symbolic tensor,
    which cannot be unpacked. `node` reads it, `tensor_node` is the expression it is of.
    `symbolic` says that it is a tensor even where the numbers are known.
    """

    tensor: Tensor
    dynamic: bool
    node: cst.BaseExpression
    tensor_node: cst.BaseExpression
    start: int = 0
    stop: int | None = None
    iterable: bool = True
    symbolic: bool = False

    @property
    def has_batch(self) -> bool:
        """Whether the batch dimension is among the axes."""
        axis = self.tensor.batch_axis
        return axis is not None and self.start <= axis and (self.stop is None or axis < self.stop)


@frozen
class Dim:
    """One dimension of a tensor, or a number computed from it.

    `axis` is None when it is not known. `read` is the node that took it out of the
    shape: a subscript, a `len(...)` (then `is_length`), or the name it was unpacked to,
    then `unpacking` is the assignment. `symbolic` is as for a Shape.
    """

    tensor: Tensor
    axis: int | None
    dynamic: bool
    read: cst.BaseExpression
    tensor_node: cst.BaseExpression
    unpacking: cst.Assign | None = None
    is_length: bool = False
    symbolic: bool = False

    @property
    def is_batch(self) -> bool:
        """Whether it is certainly the batch dimension."""
        return self.axis is not None and self.axis == self.tensor.batch_axis


@frozen
class Seq:
    """A list, tuple or set; a Shape among the items stands for the dimensions it holds.

    Without `complete` the items are examples of what it holds. `kind` is "list", "tuple",
    "set", "frozenset", "deque" or "iterator".
    """

    items: tuple[Value, ...]
    complete: bool = True
    kind: str = field(default="list", compare=False)


@frozen
class Table:
    """A dictionary, with its literal keys (None where a key is not literal).

    `keys` are the values of all keys, in the order of `items`, `nodes` what writes each of
    them: an element of a literal, an argument or an assignment. `kind` is "dict",
    "OrderedDict" or "defaultdict". `inherits` are the classes of Keras whose config is in
    it; without `complete` there may be further keys.
    """

    items: tuple[tuple[object, Value], ...]
    keys: tuple[Value, ...] = field(default=(), compare=False)
    kind: str = field(default="dict", compare=False)
    nodes: tuple[cst.CSTNode, ...] = field(default=(), compare=False)
    inherits: tuple[str, ...] = ()
    complete: bool = True

    @classmethod
    def of(
        cls,
        entries: Iterable[tuple[Value, Value]],
        kind: str = "dict",
        nodes: Iterable[cst.CSTNode] = (),
    ) -> Table:
        """The dictionary of these keys and values."""
        found = tuple(entries)
        items = tuple((_plain_key(key), value) for key, value in found)
        return cls(items, tuple(key for key, _ in found), kind, tuple(nodes))

    @property
    def entries(self) -> Iterator[tuple[Value, Value]]:
        """Each key with its value."""
        return zip(self.keys, (value for _, value in self.items), strict=False)

    @property
    def is_known(self) -> bool:
        """Whether all keys are known but those of the inherited config."""
        return self.complete and all(name is not None for name, _ in self.items)


@frozen
class Reading:
    """A number that Python gives anew at each run of `call`, or one computed from it.

    `source` is the call of the function `name` (a draw, the time), or the attribute of
    `self` that `call` counts up; `given` are the values of the call's arguments.
    """

    source: cst.BaseExpression
    name: str
    given: tuple[Value, ...] = ()


@frozen
class Mode:
    """What `tf.executing_eagerly()` and its like answer.

    `eager` says how code runs where the answer is yes: eagerly, or traced; None where the
    answer depends on it in a way that is not followed.
    """

    eager: bool | None


@frozen
class Array:
    """A numpy array or constant tensor, and where its numbers come from.

    `origin` is "random" (drawn without a constant seed), "filled" (zeros, ones, ...),
    "table" (a deterministic computation), "argument" (handed to the constructor) or
    "constant" (made when the module was imported).
    `shape` is the source of an expression for the shape, `dims` the numbers in it where
    they are literal, `parameters` the source of the initializer's arguments, `initializer`
    that of the initializer itself where one made it.
    """

    origin: str
    shape: str | None = None
    dims: tuple[int | None, ...] | None = None
    dtype: str | None = None
    draw: Draw = Draw.OTHER
    parameters: tuple[tuple[str, str], ...] = ()
    initializer: str = ""
    fill: str = ""
    from_arguments: bool = False
    is_numpy: bool = True
    attribute: str | None = None
    # The draw that it comes from, where `call` makes it anew at each run.
    drawn: Reading | None = field(default=None, compare=False)


@frozen
class Variable:
    """A `tf.Variable` ("tensorflow"), `keras.Variable` ("keras") or weight ("weight")."""

    origin: str
    node: cst.Call
    initial: Value = None
    attribute: str | None = None


@frozen
class Instance:
    """An object made by a call of a class.

    `node` is that call and tells instances apart. `outline` is set for classes of the
    file, `name` is the canonical name of any other.
    """

    kind: Kind | None
    name: str
    node: cst.Call
    outline: ClassOutline | None = None
    attribute: str | None = None


@frozen
class Model:
    """A Keras model that was made out of sight, so that nothing is known of its use so far.

    `evidence` says, for people, what tells that it is one: an annotation, `load_model`, a
    function of another file. `outline` is set for a class of the project, `kind` is None
    where it may be a subclassed model as well as a functional one.
    """

    evidence: str = field(compare=False)
    kind: Kind | None = None
    outline: ClassOutline | None = None


@frozen
class Options:
    """An `argparse` parser, or what it parses: the options with their defaults."""

    defaults: tuple[tuple[str, Value], ...] = ()


@frozen
class SelfValue:
    """The object whose method is being read."""

    outline: ClassOutline


@frozen
class Member:
    """An attribute of a value, such as a bound method."""

    owner: Value
    name: str


@frozen
class Partial:
    """What `functools.partial` makes of a function and some of its arguments."""

    function: Value
    arguments: tuple[Value, ...]


@frozen
class Traced:
    """A function wrapped by `tf.function`; `signature` is its input_signature, if any.

    `function` is None for the decorator itself, `tf.function(...)` before it is applied;
    `specs` is the value of the signature.
    """

    function: Value
    signature: cst.BaseExpression | None
    node: cst.CSTNode
    specs: Value = None

    @property
    def expression(self) -> cst.CSTNode:
        """The call that wraps, or what decorates, without its `@`."""
        expression: cst.CSTNode = getattr(self.node, "decorator", self.node)
        return expression

    @property
    def is_converted(self) -> bool:
        """Whether AutoGraph converts the function: unless `autograph=` says anything."""
        arguments = getattr(self.expression, "args", ())
        keywords = [a.keyword.value for a in arguments if a.keyword is not None]
        return "autograph" not in keywords


@frozen
class Concrete:
    """A concrete function: `tf.function(f).get_concrete_function(spec)`."""


@frozen
class Spec:
    """A `tf.TensorSpec`, or a symbolic tensor: `keras.Input` and what layers make of it.

    `shape` has the batch first; `made_by` is the layer that a symbolic tensor comes from.
    """

    shape: tuple[int | None, ...] | None
    dtype: str | None
    symbolic: bool
    node: cst.Call
    made_by: Instance | None = None


@frozen(eq=False)
class Parameter:
    """A parameter of a function, without the starred ones.

    `use` is "flag" (its truth is tested, or it is passed on as `training`), "plain" (a word,
    a number or a function, by its annotation or by its use), "" for what may be a tensor.
    `needed` says that its default is None, with which the function certainly raises.
    """

    name: str
    node: cst.Param
    required: bool
    keyword_only: bool
    use: str
    needed: bool = False


@frozen
class Signature:
    """What a function takes; `is_open` says that a `*args` takes further arguments.

    `several` is that `*args`, where the function takes several by it.
    """

    parameters: tuple[Parameter, ...]
    is_open: bool
    several: Parameter | None = None


@frozen
class Use:
    """What becomes of the value of an expression, or of what arithmetic or an item makes of it.

    `role` is "operand" (its value goes no further), "member" (`value.name`), "argument" (of
    `name(...)`), "listed" (in a list that is an argument of `name`), "called", "iterated",
    "tested" (`is None`, `isinstance`), "entry" (of a dictionary, or stored under a key),
    "stored" (bound to a name or an attribute), "returned" or "other". `name` is source text.
    `called` is the call of a member, `direct` whether it is the value itself.
    """

    role: str
    name: str = ""
    node: cst.CSTNode | None = None
    called: cst.Call | None = None
    direct: bool = True


Value: TypeAlias = (
    Ref
    | ClassRef
    | ModuleRef
    | Imported
    | Const
    | Text
    | Count
    | Argument
    | Tensor
    | Shape
    | Dim
    | Seq
    | Table
    | Array
    | Reading
    | Mode
    | Variable
    | Instance
    | Model
    | Options
    | SelfValue
    | Member
    | Function
    | Partial
    | Traced
    | Concrete
    | Spec
    | None
)


# A list, with what its items hold, is followed up to this size.
_MAX_ITEMS = 500


def bounded(value: Seq | Table) -> Value:
    """The value, unless it has grown too large to be followed."""
    return value if sum(1 for _ in islice(elements(value), _MAX_ITEMS + 1)) <= _MAX_ITEMS else None


def join(left: Value, right: Value) -> Value:
    """What is known of a value that is `left` on one path and `right` on another."""
    if left == right:
        return left
    if isinstance(left, Shape) and isinstance(right, Shape) and left.dynamic and right.dynamic:
        # One way a tensor, another a list of its parts: what can be unpacked may be.
        return left if left.iterable else right
    # A shape helper returns the static shape where it is complete, else the dynamic one.
    for one, other in ((left, right), (right, left)):
        if isinstance(one, (Shape, Dim)) and one.dynamic and isinstance(other, (Shape, Dim)):
            return replace(one, symbolic=one.symbolic and other.symbolic)
        if is_none(one) and isinstance(other, (Array, Variable, Instance, Model, Ref)):
            return other
    if (model := _either_model(left, right)) is not None:
        return model
    if (text := _either_text(left, right)) is not None:
        return text
    if isinstance(left, Seq) and isinstance(right, Seq):
        # As a loop leaves it: empty before, filled after.
        grown = right.items[: len(left.items)] == left.items
        items = right.items if grown else (*left.items, *right.items)
        kind = left.kind if left.kind == right.kind else "list"
        return bounded(Seq(items, complete=False, kind=kind))
    if isinstance(left, Table) and isinstance(right, Table):
        less, more = sorted((left, right), key=lambda table: len(table.items))
        return more if more.items[: len(less.items)] == less.items else None
    if isinstance(left, Shape) and isinstance(right, Shape) and left.tensor == right.tensor:
        # K.int_shape(x) on one path, x.shape on the other.
        return left if (left.start, left.stop) == (right.start, right.stop) else None
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        same = left.batch_axis == right.batch_axis
        return Tensor(
            left.batch_axis if same else None,
            left.structured or right.structured,
            left.features_lost if left.features_lost is right.features_lost else None,
            left.certain and right.certain,
            left.single and right.single,
        )
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        return Tensor(None)
    return None


def is_none(value: Value) -> bool:
    """Whether a value is known to be None, which is not to say that it is not known."""
    return isinstance(value, Const) and value.value is None


def as_model(value: Value, evidence: str = "") -> Model | None:
    """A value as a model of which nothing more is known, where it is one."""
    if isinstance(value, Model):
        return value
    if isinstance(value, Instance) and value.kind in {Kind.MODEL, Kind.FUNCTIONAL}:
        return Model(evidence or f"`{value.name}(...)`", value.kind, value.outline)
    return None


def _either_model(left: Value, right: Value) -> Model | None:
    """What two models have in common."""
    one, other = as_model(left), as_model(right)
    if one is None or other is None:
        return None
    kind = one.kind if one.kind is other.kind else None
    return Model(one.evidence, kind, one.outline if one.outline is other.outline else None)


def _either_text(left: Value, right: Value) -> Text | None:
    """What two texts have in common: how they begin, and how they end."""
    one, other = text_of(left), text_of(right)
    if one is None or other is None:
        return None
    head = _same_start(one.parts[0] or "", other.parts[0] or "")
    tail = _same_start((one.parts[-1] or "")[::-1], (other.parts[-1] or "")[::-1])[::-1]
    parts = tuple(part for part in (head, None, tail) if part != "")
    is_path = one.is_path and other.is_path
    same = Text(one.parts, is_path, one.assumed or other.assumed)
    found = same if one.parts == other.parts else replace(same, parts=parts)
    return found if is_path or any(found.parts) else None


def _same_start(one: str, other: str) -> str:
    differs = (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return one[: next(differs, min(len(one), len(other)))]


def text_of(value: Value) -> Text | None:
    """A value as text with holes; None for one that is no text, or nothing known of one."""
    if isinstance(value, Text):
        return value
    if isinstance(value, Const) and isinstance(value.value, str):
        return Text((value.value,))
    return None


def dimensions(value: Value) -> Iterator[Dim | Shape]:
    """The dimensions and whole shapes in a shape-like value."""
    if isinstance(value, (Dim, Shape)):
        yield value
    elif isinstance(value, Seq):
        for item in value.items:
            yield from dimensions(item)


def holds_tensor(value: Value) -> bool:
    """Whether the value is, or directly holds, something computed from call's inputs."""
    if isinstance(value, Tensor):
        return True
    if isinstance(value, Seq):
        return any(map(holds_tensor, value.items))
    return isinstance(value, Table) and any(holds_tensor(item) for _, item in value.items)


def is_symbolic(value: Value) -> bool:
    """Whether the value is certainly a tensor that has no number while a graph is traced."""
    if isinstance(value, Tensor):
        return value.single
    return isinstance(value, (Dim, Shape)) and value.symbolic


def reading_of(value: Value) -> Reading | None:
    """What Python gives anew at each run of `call`, where the value is computed from it."""
    return (
        value.drawn if isinstance(value, Array) else value if isinstance(value, Reading) else None
    )


def elements(value: Value) -> Iterator[Value]:
    """The value itself and what is in it, through lists, tuples and dictionaries."""
    yield value
    if isinstance(value, Seq):
        for item in value.items:
            yield from elements(item)
    elif isinstance(value, Table):
        for _, item in value.items:
            yield from elements(item)


def _plain_key(key: Value) -> object:
    found = literal(key)
    return None if found is ... or isinstance(found, list) else found


def literal(value: Value) -> object:
    """The literal that a value is; an Ellipsis object stands for "not a literal"."""
    if isinstance(value, Const):
        return value.value
    if isinstance(value, Seq) and value.complete:
        items = [literal(item) for item in value.items]
        return ... if ... in items else items
    return ...


def literal_dimensions(value: Value) -> tuple[int | None, ...] | None:
    """The dimensions of a literal shape; None for one that is not literal."""
    found = literal(value)
    if isinstance(found, int) and not isinstance(found, bool):
        return (found,)
    if isinstance(found, list) and all(d is None or isinstance(d, int) for d in found):
        return tuple(found)
    return None
