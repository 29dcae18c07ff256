"""What is known of a model at the call that saves it: how it was used before, and with what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import TYPE_CHECKING, TypeGuard

from savelint.frozen import frozen
from savelint.keras.assembly import creation
from savelint.keras.events import (
    Argument,
    Arguments,
    Contact,
    Flow,
    LoadCall,
    ObjectStore,
    SaveCall,
    SelfContact,
    SuperCall,
)
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Kind
from savelint.keras.values import (
    Array,
    Concrete,
    Const,
    Function,
    Instance,
    Member,
    SelfValue,
    Seq,
    Spec,
    Table,
    Traced,
    Value,
    elements,
    literal,
    literal_dimensions,
)

if TYPE_CHECKING:
    import libcst as cst

# Methods that run the model on the batch they are given.
_EAGER = frozenset(
    {"call", "predict", "predict_on_batch", "train_on_batch", "test_on_batch", "__call__"}
)
# Methods that build it for a batch of any size.
_FREE = frozenset({"fit", "evaluate"})
# Methods of keras.Model that do not run it.
_NEUTRAL = frozenset(
    """
    compile summary save save_weights export get_layer get_weights set_weights count_params
    load_weights get_config to_json reset_metrics add_loss add_metric build_from_config
    """.split()
)


_SUFFIXES = {".keras": (".keras",), ".h5": (".h5", ".hdf5")}


class FirstContact(Enum):
    """What first told a model the shape of its inputs."""

    EAGER = "run on a batch"  # Keras 3 records that batch's size
    FREE = "built for any batch"
    NEVER = "never run, built or fitted"
    UNKNOWN = "not known"


def first_contact(flow: Flow, save: SaveCall) -> tuple[FirstContact, Contact | None]:
    """How the saved object was first used before it was saved, and where.

    Measured in Keras 3.15: an eager call, `predict` or `train_on_batch` freezes the batch
    size in what `tf.saved_model.save` writes; `fit`, a call on `keras.Input` and
    `build((None, ...))` leave it free, the last of these also afterwards.
    """
    instance = save.receiver
    if not isinstance(instance, Instance) or instance.attribute is not None:
        return FirstContact.UNKNOWN, None
    first: tuple[FirstContact, Contact | None] = (FirstContact.NEVER, None)
    for event in flow.events:
        if event is save:
            break
        if not isinstance(event, Contact) or event.instance.node is not instance.node:
            continue
        found = _contact(event)
        if found is FirstContact.FREE and event.how == "build":
            return found, event
        if found is not None and first[0] is FirstContact.NEVER:
            first = (found, event)
    return first


def is_only_built(flow: Flow, save: SaveCall) -> bool:
    """Whether nothing but `build` happened to the saved object before it is saved."""
    instance = save.receiver
    hows: set[str] = set()
    for event in flow.events:
        if event is save:
            break
        if isinstance(event, Contact) and event.how not in _NEUTRAL:
            same = isinstance(instance, Instance) and event.instance.node is instance.node
            hows.update({event.how} if same else ())
    return hows == {"build"}


def _contact(event: Contact) -> FirstContact | None:
    if event.how in _NEUTRAL:
        return None
    if event.how in _FREE:
        return FirstContact.FREE
    if event.how == "build":
        return _built(event)
    if event.how in _EAGER:
        values = [argument.value for argument in event.arguments.items]
        symbolic = any(_is_symbolic(value) for value in values)
        return FirstContact.FREE if symbolic else FirstContact.EAGER
    return FirstContact.UNKNOWN


def _built(event: Contact | SelfContact) -> FirstContact:
    argument = event.arguments.get(0, "input_shape")
    value = argument.value if argument else None
    if isinstance(value, Seq) and value.items:
        return FirstContact.FREE if value.items[0] == Const(None) else FirstContact.EAGER
    return FirstContact.UNKNOWN


def _is_symbolic(value: Value) -> bool:
    if isinstance(value, Seq):
        return any(map(_is_symbolic, value.items))
    if isinstance(value, Table):
        return any(_is_symbolic(item) for _, item in value.items)
    return isinstance(value, Spec) and value.symbolic


def builds_itself(cls: KerasClass) -> bool:
    """Whether the constructor builds the model for a batch of any size.

    By `self.build((None, ...))`, by `self(keras.Input(...))`, or because its
    `super().__init__(inputs=..., outputs=...)` makes it a functional model.
    """
    flow = cls.flow("__init__")
    contacts = flow.all(SelfContact)
    return is_functional(cls) or any(_self_contact(c) is FirstContact.FREE for c in contacts)


def is_functional(cls: KerasClass) -> bool:
    """Whether the constructor makes it a functional model, by what it hands to `super()`."""
    for event in cls.flow("__init__").all(SuperCall):
        names = {argument.keyword for argument in event.arguments.items}
        if event.method == "__init__" and (
            names & {"inputs", "outputs"} or len(event.arguments.positional) > 1
        ):
            return True
    return False


def _self_contact(event: SelfContact) -> FirstContact | None:
    if event.how == "build":
        return _built(event)
    symbolic = any(_is_symbolic(argument.value) for argument in event.arguments.items)
    return FirstContact.FREE if symbolic else None


@frozen
class InputSpec:
    """Shape (the batch first, None) and dtype of a model's one input tensor."""

    shape: tuple[int | None, ...]
    dtype: str


def input_spec(contacts: Iterable[Contact | SelfContact]) -> InputSpec | None:
    """The input of a model, read from what it was called, fitted or built with."""
    for event in contacts:
        found = _spec_of(event)
        if found is not None:
            return found
    return None


def _spec_of(event: Contact | SelfContact) -> InputSpec | None:
    argument = event.arguments.get(0, "inputs", "x", "input_shape")
    value = argument.value if argument else None
    if event.how == "build":
        dims = literal_dimensions(value)
        return InputSpec((None, *dims[1:]), "float32") if dims and len(dims) > 1 else None
    if isinstance(value, Array) and value.dims and value.dtype is not None:
        # Keras casts floating inputs to the layer's own dtype.
        dtype = "float32" if value.dtype == "float64" else value.dtype
        return InputSpec((None, *value.dims[1:]), dtype)
    if isinstance(value, Spec) and value.shape and value.dtype is not None:
        return InputSpec((None, *value.shape[1:]), value.dtype)
    return None


def contacts_of(module: ModuleModel, cls: KerasClass) -> Iterator[Contact]:
    """What happens to the instances of a class, anywhere in the file."""
    for flow in module.scopes:
        for event in flow.all(Contact):
            if event.instance.outline is cls.outline:
                yield event


@frozen
class WholeSave:
    """A model with its config is written to a file, by `save` or by a `ModelCheckpoint`.

    `suffix` is ".keras", ".h5", "" for another, and None where the path does not tell;
    `event` is the call of `save`, or of the `fit` that is given the `ModelCheckpoint`.
    """

    event: SaveCall | Contact
    model: Instance
    suffix: str | None
    node: cst.Call
    arguments: Arguments
    path: Argument | None


def whole_saves(flow: Flow) -> Iterator[WholeSave]:
    """The models that a flow saves whole."""
    for event in flow.events:
        if isinstance(event, SaveCall) and event.how == "save":
            if isinstance(event.receiver, Instance):
                yield _whole(event, event.receiver, event.node, event.arguments)
        elif isinstance(event, Contact) and event.how == "fit":
            callbacks = event.arguments.get(None, "callbacks")
            for value in elements(callbacks.value) if callbacks else ():
                made = creation(flow, value) if _is_checkpoint(value) else None
                if made is not None and not _weights_only(made.arguments):
                    yield _whole(event, event.instance, made.node, made.arguments)


def _whole(
    event: SaveCall | Contact, model: Instance, node: cst.Call, arguments: Arguments
) -> WholeSave:
    given = arguments.get(0, "model")
    behind = given is not None and given.value is model
    path = arguments.get(1 if behind else 0, "filepath")
    return WholeSave(event, model, _suffix(arguments, path), node, arguments, path)


def _suffix(arguments: Arguments, path: Argument | None) -> str | None:
    stated = arguments.get(None, "save_format")
    if stated is not None:
        return {"h5": ".h5", "keras": ".keras", "tf": ""}.get(str(literal(stated.value)))
    tail = path_tail(path)
    if tail is None:
        return None
    return next((s for s in (".keras", ".h5") if tail.endswith(_SUFFIXES[s])), "")


def path_tail(path: Argument | None) -> str | None:
    """How a path ends: all of a literal one, or the literal text at its end."""
    if path is None:
        return None
    import libcst as cst

    from savelint.keras.walk import dotted

    whole = literal(path.value)
    if isinstance(whole, str):
        return whole
    node = path.node.value
    if isinstance(node, cst.Call) and dotted(node.func).endswith("join") and node.args:
        node = node.args[-1].value
    if isinstance(node, cst.BinaryOperation):
        node = node.right
    if isinstance(node, cst.FormattedString) and node.parts:
        last = node.parts[-1]
        return last.value if isinstance(last, cst.FormattedStringText) else None
    text = node.evaluated_value if isinstance(node, cst.SimpleString) else None
    return text if isinstance(text, str) else None


def is_same_path(module: ModuleModel, one: Argument | None, other: Argument | None) -> bool:
    """Whether two paths are certainly one: the same literal, or the same name."""
    if one is None or other is None:
        return False
    texts = literal(one.value), literal(other.value)
    if all(isinstance(text, str) for text in texts):
        return texts[0] == texts[1]
    return ... in texts and module.text(one.node.value) == module.text(other.node.value)


def plain_loads(flow: Flow) -> Iterator[LoadCall]:
    """The calls of a flow that load a whole model and are given no custom objects."""
    for load in flow.all(LoadCall):
        given = load.arguments.get(1, "custom_objects")
        if load.how == "model" and given is None and not load.arguments.is_open:
            yield load


def _is_checkpoint(value: Value) -> TypeGuard[Instance]:
    return isinstance(value, Instance) and value.name == "keras.callbacks.ModelCheckpoint"


def _weights_only(arguments: Arguments) -> bool:
    given = arguments.get(4, "save_weights_only")
    return arguments.is_open or (given is not None and given.value != Const(False))


def signatures(save: SaveCall) -> Iterator[Value]:
    """The functions that a save call is given to serve."""
    if save.how == "saved_model":
        given = save.arguments.get(2, "signatures")
        value = given.value if given else None
        yield from (item for _, item in value.items) if isinstance(value, Table) else (value,)
    elif save.how == "endpoint":
        given = save.arguments.get(1, "resource", "fn")
        yield given.value if given else None


class Bundle(Enum):
    """What a `signatures=` value is, as far as saving it goes."""

    SERVABLE = "a tf.function with an input_signature, or a concrete function"
    PLAIN = "a function that no tf.function wraps"
    UNSIGNED = "a tf.function without an input_signature"
    OBJECT = "an object, not a function"
    UNKNOWN = "not known"


def bundle(module: ModuleModel, value: Value) -> Bundle:
    """Classify one function given to `signatures=` or to `add_endpoint`."""
    if isinstance(value, Concrete):
        return Bundle.SERVABLE
    if isinstance(value, Traced):
        if value.function is None:
            return Bundle.UNKNOWN
        return Bundle.SERVABLE if value.signature is not None else Bundle.UNSIGNED
    if isinstance(value, Function):
        return Bundle.UNKNOWN if _has_decorators(value) else Bundle.PLAIN
    if isinstance(value, Instance):
        return Bundle.OBJECT if value.kind is not None else Bundle.UNKNOWN
    if isinstance(value, Member):
        return _bundle_of_method(module, value)
    return Bundle.UNKNOWN


def _has_decorators(function: Function) -> bool:
    return bool(getattr(function.node, "decorators", ()))


def _bundle_of_method(module: ModuleModel, member: Member) -> Bundle:
    owner = member.owner
    if not isinstance(owner, (Instance, SelfValue)):
        return Bundle.UNKNOWN
    if _is_replaced(module, owner, member.name):
        return Bundle.UNKNOWN
    outline = owner.outline
    cls = next((c for c in module.classes if c.outline is outline), None)
    if cls is not None:
        traced = cls.traced.get(member.name)
        if traced is not None:
            return bundle(module, traced)
        method = cls.outline.method(member.name)
        if method is not None:
            return Bundle.UNKNOWN if method.decorators else Bundle.PLAIN
        stored = [s.value for s in cls.stores(*cls.flows) if s.name == member.name]
        if len(stored) == 1:
            return bundle(module, stored[0])
    if member.name in {"call", "__call__"} and _is_whole_keras(owner):
        return Bundle.PLAIN
    return Bundle.UNKNOWN


def _is_whole_keras(owner: Instance | SelfValue) -> bool:
    """Whether Keras itself defines what the class does not."""
    kind = owner.kind if isinstance(owner, Instance) else owner.outline.kind
    return kind in {Kind.MODEL, Kind.FUNCTIONAL}


def _is_replaced(module: ModuleModel, owner: Instance | SelfValue, name: str) -> bool:
    """Whether somebody assigns the method on the object from outside."""
    return any(
        store.name == name
        for flow in module.scopes
        for store in flow.all(ObjectStore)
        if isinstance(owner, Instance) and store.owner.node is owner.node
    )


def signed_functions(cls: KerasClass) -> set[str]:
    """The methods and attributes that are functions which can be served by themselves."""
    methods = {name for name, traced in cls.traced.items() if traced.signature is not None}
    return methods | {
        store.name
        for store in cls.stores(*cls.flows)
        if isinstance(store.value, Concrete)
        or (isinstance(store.value, Traced) and store.value.signature is not None)
    }
