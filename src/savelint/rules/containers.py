"""What a Keras object holds in its attributes, and what of it Keras sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from savelint.frozen import frozen
from savelint.keras import tables
from savelint.keras.events import (
    AttributeRead,
    AttributeStore,
    Contact,
    ContainerChange,
    Flow,
    Stack,
)
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Kind
from savelint.keras.values import (
    ClassOutline,
    Function,
    Instance,
    Member,
    Partial,
    Seq,
    Table,
    Value,
    Variable,
    elements,
)
from savelint.rules import lineage, weights

CONSTRUCTION = ("__init__", "build")
# Keras wraps these, with what they hold, when they are assigned to an attribute.
_TRACKED = frozenset({"list", "tuple"})
# Layers whose state, where they have any, is neither trained nor drawn.
_STATELESS = frozenset(
    """
    CategoryEncoding CenterCrop Discretization HashedCrossing Hashing IntegerLookup Layer
    Normalization StringLookup TextVectorization
    """.split()
)


@frozen
class Holder:
    """A Keras class, with what its constructor and `build` do to its attributes.

    `inherited` is what those of bases in other files do.
    """

    module: ModuleModel
    cls: KerasClass
    stores: tuple[AttributeStore, ...]
    inherited: tuple[AttributeStore, ...]
    changes: tuple[ContainerChange, ...]
    passed: tuple[Contact, ...]
    stacks: tuple[Stack, ...]

    @property
    def names(self) -> list[str]:
        """The attributes, in the order in which they are first set."""
        return list(dict.fromkeys(store.name for store in self.stores))

    def assigned(self, name: str) -> Iterator[AttributeStore]:
        """The assignments to an attribute."""
        return (s for s in self.stores if s.name == name and s.how == "assign")

    def changed(self, name: str) -> Iterator[ContainerChange]:
        """The changes of the container that an attribute holds."""
        return (change for change in self.changes if change.name == name)

    def has_weights(self, value: Value) -> bool:
        """Whether a value is certainly a layer with weights."""
        return _has_weights(self.module, value, self.stacks, frozenset())

    def layers(self, value: Value) -> list[Instance]:
        """The layers with weights in a value."""
        return [v for v in elements(value) if isinstance(v, Instance) and self.has_weights(v)]

    def is_seen(self, layer: Instance, beside: str) -> bool:
        """Whether Keras may see a layer elsewhere than in the attribute `beside`."""
        for store in (*self.stores, *self.inherited):
            held = tracked(store.value) if store.name != beside else ()
            if any(isinstance(v, Instance) and v.node is layer.node for v in held):
                return True
        return any(
            contact.instance.node is layer.node and not self._is_plain_call(contact)
            for contact in self.passed
        )

    def _is_plain_call(self, contact: Contact) -> bool:
        """Whether what a layer is handed to makes an object that is not Keras."""
        return any(
            isinstance(v, Instance) and v.kind is None and v.node is contact.node
            for store in self.stores
            for v in elements(store.value)
        )

    def is_used(self, name: str) -> bool:
        """Whether anything but the constructor and `build` takes what an attribute holds."""
        return any(
            self.module.use_of(read.node).role != "tested"
            for method in weights.later_methods(self.cls)
            for read in weights.reads(self.module, self.cls, name, method)
        )


# The rules of this family look at the same classes, one after the other.
@lru_cache(maxsize=2)
def holders(module: ModuleModel) -> tuple[Holder, ...]:
    """The layers and models of a file."""
    return tuple(_holder(module, cls) for cls in module.classes if cls.kind.is_layer)


def _holder(module: ModuleModel, cls: KerasClass) -> Holder:
    flows = [cls.flow(method) for method in CONSTRUCTION]
    outlines = list(cls.outline.lineage)
    parents = [other for other in module.classes if other.outline in outlines]
    all_flows = [other.flow(method) for other in parents for method in CONSTRUCTION]
    changes = {
        id(change.node): change
        for flow in all_flows
        for change in flow.all(ContainerChange)
        if change.owner in outlines
    }
    return Holder(
        module,
        cls,
        tuple(store for _, store in weights.constructed(module, cls)),
        tuple(
            store
            for part in lineage.ancestry(module, cls)
            if part.outline.path != cls.outline.path
            for store in part.stores(*CONSTRUCTION)
        ),
        tuple(changes.values()),
        tuple(c for f in all_flows for c in f.all(Contact) if c.how == "passed"),
        tuple(stack for flow in flows for stack in flow.all(Stack)),
    )


def tracked(value: Value) -> Iterator[Value]:
    """The value and what Keras finds in it: in lists, tuples and plain dictionaries."""
    yield value
    if isinstance(value, Seq) and value.kind in _TRACKED:
        for item in value.items:
            yield from tracked(item)
    elif isinstance(value, Table) and value.kind != "defaultdict":
        for _, item in value.items:
            yield from tracked(item)


def is_layer(value: Value) -> bool:
    """Whether a value is certainly a layer or a model."""
    return isinstance(value, Instance) and value.kind is not None and value.kind.is_layer


def is_plain(outline: ClassOutline) -> bool:
    """Whether a class of the project is certainly no part of Keras, nor a named tuple."""
    bases = [base for cls in outline.lineage for base in cls.bases if base is not None]
    return (
        outline.kind is None
        and outline.is_whole
        and not any(base.startswith(("keras.", "tensorflow.")) for base in bases)
    )


# ---------------------------------------------------------------------- what others keep


def behind(module: ModuleModel, value: Value) -> tuple[Value, ...]:
    """What a function has of the functions around it, a partial of its arguments, a method."""
    if isinstance(value, Function):
        return tuple(module.captured(value).values())
    if isinstance(value, Partial):
        return (value.function, *value.arguments)
    return (value.owner,) if isinstance(value, Member) else ()


def flows_of(module: ModuleModel, outline: ClassOutline) -> Mapping[str, Flow]:
    """What the methods of a class whose instances a Keras object holds do."""
    for held in module.held:
        if held.outline is outline:
            return held.flows
    return next((cls.flows for cls in module.classes if cls.outline is outline), {})


def reaches(holder: Holder, attribute: str, name: str, flows: Mapping[str, Flow]) -> bool:
    """Whether a method uses what the object in an attribute keeps under a name."""
    readers = {
        method
        for method, flow in flows.items()
        if method != "__init__" and any(read.name == name for read in flow.all(AttributeRead))
    }
    for method in weights.later_methods(holder.cls):
        for read in weights.reads(holder.module, holder.cls, attribute, method):
            use = holder.module.use_of(read.node)
            member = "__call__" if use.role == "called" else use.name
            if use.role in {"called", "member"}:
                if member in readers or member == name:
                    return True
            elif use.role != "tested" and readers:
                return True
    return False


def is_taken_out(holder: Holder, name: str) -> bool:
    """Whether construction may take out of the object in an attribute what that one keeps.

    It does more, then, than call a method that fills a list of objects.
    """
    uses = (
        holder.module.use_of(read.node)
        for method in CONSTRUCTION
        for read in weights.reads(holder.module, holder.cls, name, method)
    )
    filling = {"append", "extend", "add"}
    return any(not (use.role == "member" and use.name in filling) for use in uses)


# ---------------------------------------------------------------------- what has weights


def _has_weights(
    module: ModuleModel, value: Value, stacks: tuple[Stack, ...], around: frozenset[int]
) -> bool:
    if not isinstance(value, Instance) or not is_layer(value):
        return False
    if value.outline is None:
        return _library_has_weights(module, value, stacks, around)
    cls = module.class_of(value)
    if cls is None or id(cls.outline) in around:
        return False
    inner = around | {id(cls.outline)}
    ready_made = any(
        base is not None
        and tables.base_kind(base) is not None
        and base.rpartition(".")[2] not in {"Model", "Sequential"}
        and not _is_weightless(base.rpartition(".")[2])
        for outline in cls.outline.lineage
        for base in outline.bases
    )
    return ready_made or any(
        isinstance(held, Variable) or _has_weights(module, held, stacks, inner)
        for part in lineage.ancestry(module, cls)
        for store in part.stores(*CONSTRUCTION)
        for held in elements(store.value)
    )


def _library_has_weights(
    module: ModuleModel, value: Instance, stacks: tuple[Stack, ...], around: frozenset[int]
) -> bool:
    name = value.name.rpartition(".")[2]
    if value.kind is Kind.FUNCTIONAL:
        stack = next((stack for stack in stacks if stack.node is value.node), None)
        return stack is not None and any(
            _has_weights(module, held, stacks, around)
            for layer in stack.layers
            for held in elements(layer)
        )
    return not _is_weightless(name)


def _is_weightless(layer: str) -> bool:
    """Whether a layer of Keras' own has no weights."""
    return layer in tables.WEIGHTLESS or layer in _STATELESS or layer.startswith("Random")
