"""The Keras model of a file: what its classes do, and where they are saved.

Rules read this and the events of its flows, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from savelint.finding import Label
from savelint.frozen import frozen
from savelint.keras import LEGACY_ON
from savelint.keras.events import AttributeStore, Flow, SaveCall
from savelint.keras.generation import Keras
from savelint.keras.tables import Kind
from savelint.keras.values import (
    ClassOutline,
    Function,
    Instance,
    Signature,
    Traced,
    Use,
    Value,
)
from savelint.source import Source, Span

if TYPE_CHECKING:
    import libcst as cst

    from savelint.keras.project import File
    from savelint.keras.regions import Region
    from savelint.keras.summary import Summary


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


@frozen(eq=False)
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
    def answers(self) -> dict[tuple[object, object], Any]:
        """What `once` keeps."""
        return {}

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


_Subject = TypeVar("_Subject", KerasClass, ClassOutline)
_Answer = TypeVar("_Answer")


def once(
    question: Callable[[ModuleModel, _Subject], _Answer],
) -> Callable[[ModuleModel, _Subject], _Answer]:
    """Make a question about a class one that is answered once a module, however many ask it."""

    @wraps(question)
    def answer(module: ModuleModel, subject: _Subject) -> _Answer:
        key = question, subject
        if key not in module.answers:
            module.answers[key] = question(module, subject)
        found: _Answer = module.answers[key]
        return found

    return answer
