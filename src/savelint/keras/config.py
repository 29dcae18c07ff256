"""What a class records of itself in `get_config`, and what its constructor takes.

Keras rebuilds an object by `cls(**config)`: the two belong together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, cast

from savelint.frozen import frozen
from savelint.keras import external, fields, tables
from savelint.keras.events import Argument as Passed
from savelint.keras.events import AttributeStore, ContainerChange, Returned, SuperCall, TakenKeyword
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel, once
from savelint.keras.values import Argument, ClassOutline, Table, Value

if TYPE_CHECKING:
    import libcst as cst

# Where optimizers are, but no schedules.
_OPTIMIZERS = re.compile(r"keras\.optimizers(?:\.(?:legacy|experimental))?")


@frozen
class Entry:
    """A key of a config with its value; `node` writes it."""

    key: str
    value: Value
    node: cst.CSTNode

    @property
    def value_node(self) -> cst.BaseExpression:
        """The expression of the value: in `setdefault(key, value)` the last argument's."""
        arguments = getattr(self.node, "args", ())
        written = arguments[-1] if arguments else self.node
        # `for config["units"] in ...` has none.
        return cast("cst.BaseExpression", getattr(written, "value", written))


@frozen
class Config:
    """What `get_config` returns.

    `inherits` are the classes of Keras whose config is merged; where not `is_known` there
    may be further keys. `definer` is the class that defines the method. With `collected`
    these are the names of what a base takes as `**kwargs`, and no others.
    """

    method: cst.FunctionDef
    definer: ClassOutline
    entries: Mapping[str, Entry]
    inherits: tuple[str, ...]
    is_known: bool
    returns: tuple[Returned, ...]
    collected: bool = False


@frozen
class Taken:
    """An argument of a constructor: a parameter, or what it takes out of its `**kwargs`.

    Where it does that on a condition, as for an earlier name, it is `conditional`.
    """

    name: str
    node: cst.CSTNode
    required: bool
    conditional: bool = False
    parameter: cst.Param | None = None
    keyword_only: bool = False

    @property
    def label(self) -> cst.CSTNode:
        """Where it is named."""
        return self.parameter.name if self.parameter is not None else self.node


@frozen
class Held:
    """An attribute that holds an argument; `how` is that of `Argument`.

    Not `certain` where it may be given something else, or not at all.
    """

    attribute: str
    how: str
    store: AttributeStore
    certain: bool


@frozen
class Constructor:
    """The `__init__` of a class, its own or that of a class of the project it derives from.

    That of a dataclass is made of its fields: `node` is the class then.
    """

    node: cst.FunctionDef | cst.ClassDef
    definer: ClassOutline
    arguments: tuple[Taken, ...]
    positional_only: tuple[str, ...]
    star: cst.Param | None
    keywords: cst.Param | None
    supers: tuple[SuperCall, ...]
    held: Mapping[str, Held]

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of what it takes."""
        return frozenset(taken.name for taken in self.arguments)

    @property
    def is_of_fields(self) -> bool:
        """Whether it is made of the fields of a dataclass."""
        return self.node is self.definer.node

    @property
    def forwarding(self) -> SuperCall | None:
        """The `super().__init__(**kwargs)` to which it hands on what it does not know."""
        for call in self.supers:
            for argument in call.arguments.items:
                value = argument.value
                if argument.node.star == "**" and isinstance(value, Argument) and value.keywords:
                    return call
        return None


def config(cls: KerasClass) -> Config | None:
    """What `get_config` of a class gives; None where it has none in its file, or is unknown."""
    definer = cls.outline.definer(tables.CONFIG)
    flow = cls.flow(tables.CONFIG)
    result = flow.result
    if definer is None or not isinstance(result, Table) or definer.path != cls.outline.path:
        return None
    method = definer.methods[tables.CONFIG]
    returns = tuple(flow.all(Returned))
    entries = _entries(result)
    return Config(method, definer, entries, result.inherits, result.is_known, returns)


def _entries(table: Table) -> dict[str, Entry]:
    return {
        name: Entry(name, value, node)
        for (name, value), node in zip(table.items, table.nodes, strict=True)
        if isinstance(name, str)
    }


def recorded(module: ModuleModel, cls: KerasClass) -> Config | None:
    """What `get_config` gives, be it of the class, its file or another file."""
    found = config(cls) or inherited(module, cls)
    if found is None or found.is_known:
        return found
    return replace(found, collected=_is_collected(module, cls))


def inherited(module: ModuleModel, cls: KerasClass) -> Config | None:
    """What the `get_config` gives that a class inherits from another file.

    None where it asks the object for what the class, or one between, defines anew; but for
    a property that adds its own entries to it.
    """
    definer = cls.outline.definer(tables.CONFIG)
    owner = _class_of(module, definer) if definer is not None else None
    if definer is None or owner is None or definer.path == cls.outline.path:
        return None
    lineage = list(cls.outline.lineage)
    below = lineage[: lineage.index(definer)]
    text = module.code_of(definer.methods[tables.CONFIG].body)
    asked = set(re.findall(r"\bself\.(\w+)", text))
    anew = {name for outline in below for name in {*outline.method_names, *outline.assigned}}
    if asked & _filled(cls, below):
        return None
    found = config(owner)
    for name in sorted(asked & anew):
        added = cls.flow(name).result
        if found is None or f"**self.{name}" not in text or name not in cls.outline.methods:
            return None
        if not isinstance(added, Table) or not added.is_known:
            return None
        if owner.flow(name).result != Table(()):
            return None
        entries = {**found.entries, **_entries(added)}
        method = cls.outline.methods[name]
        returns = tuple(cls.flow(name).all(Returned))
        found = replace(found, method=method, definer=cls.outline, entries=entries, returns=returns)
    return found


def _is_collected(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether the keys that are not known are names of `**kwargs`, kept in a list before.

    As in `for key in self.names: config[key] = ...`, where the constructor of a base does
    `for key in kwargs: self.names.append(key)`.
    """
    definer = cls.outline.definer(tables.CONFIG)
    owner = _class_of(module, definer) if definer is not None else None
    result = owner.flow(tables.CONFIG).result if owner is not None else None
    if not isinstance(result, Table) or not result.complete:
        return False
    nodes = (n for (name, _), n in zip(result.items, result.nodes, strict=True) if name is None)
    return all(_is_of_keywords(module, cls, node) for node in nodes)


def _is_of_keywords(module: ModuleModel, cls: KerasClass, node: cst.CSTNode) -> bool:
    loop = next((part for part, _ in module.branches_of(node)), None)
    heading = module.text(loop).partition("\n")[0] if loop is not None else ""
    over = re.fullmatch(r"for (\w+) in self\.(\w+):", heading)
    if over is None or f"[{over[1]}] =" not in module.text(node):
        return False
    name = over[2]
    collecting = re.compile(
        rf"self\.{name} = \[\]\s+for (\w+) in (\w+):\s[^#]*?self\.{name}\.append\(\1\)"
    )
    found = 0
    for outline in cls.outline.lineage:
        text = module.text(outline.node)
        made = outline.methods.get("__init__")
        keywords = made.params.star_kwarg if made is not None else None
        kept = collecting.search(text)
        is_kept = kept is not None and keywords is not None and kept[2] == keywords.name.value
        found += is_kept
        uses = len(re.findall(rf"\b{name}\b", text)) - 2 * is_kept
        if uses != len(re.findall(rf"for \w+ in self\.{name}:", text)):
            return False
    return found == 1


def _filled(cls: KerasClass, below: Sequence[ClassOutline]) -> set[str]:
    """The dictionaries of the object that these classes make or change."""
    stores = (s for flow in cls.flows.values() for s in flow.all(AttributeStore))
    return {
        store.name
        for store in stores
        if store.owner in below and (store.how != "assign" or isinstance(store.value, Table))
    } | {
        change.name
        for flow in cls.flows.values()
        for change in flow.all(ContainerChange)
        if change.owner in below
    }


@once
def constructor(module: ModuleModel, cls: KerasClass) -> Constructor | None:
    """The constructor of a class, where the project defines one."""
    definer = _maker(list(cls.outline.lineage))
    owner = _class_of(module, definer) if definer is not None else None
    if definer is None or owner is None:
        return None
    if "__init__" not in definer.method_names:
        return _of_fields(module, cls, definer)
    node = definer.methods["__init__"]
    flow = (cls if definer.path == cls.outline.path else owner).flow("__init__")
    plain = [*node.params.posonly_params, *node.params.params]
    named = node.params.kwonly_params
    names = {parameter.name.value for parameter in (*plain, *named)}
    arguments = [
        Taken(p.name.value, p, p.default is None, parameter=p, keyword_only=p in named)
        for p in (*plain[1:], *named)
    ]
    known = {taken.name for taken in arguments}
    for event in flow.all(TakenKeyword):
        if event.method == "__init__" and event.popped and event.name not in known:
            known.add(event.name)
            # `kwargs.pop("size", units)` takes another name for what `units` is.
            is_other = (
                len(event.node.args) > 1
                and getattr(event.node.args[1].value, "value", None) in names
            )
            conditional = event.conditional or is_other
            arguments.append(Taken(event.name, event.node, event.required, conditional))
    star = node.params.star_arg
    return Constructor(
        node,
        definer,
        tuple(arguments),
        tuple(p.name.value for p in node.params.posonly_params[1:]),
        star if type(star).__name__ == "Param" else None,  # type: ignore[arg-type]
        node.params.star_kwarg,
        tuple(call for call in flow.all(SuperCall) if call.method == "__init__"),
        _held(cls, flow.all(AttributeStore)),
    )


def _maker(lineage: Sequence[ClassOutline]) -> ClassOutline | None:
    """The first of the classes that has a constructor, its own or one of fields.

    The latter in the file of the first alone.
    """
    for outline in lineage:
        if "__init__" in outline.method_names:
            return outline
        if outline.path == lineage[0].path and fields.is_made(outline):
            return outline
    return None


def _of_fields(module: ModuleModel, cls: KerasClass, definer: ClassOutline) -> Constructor:
    """The constructor that is made of the fields of a class."""
    found = fields.of(module, definer)
    changed = {
        store.name
        for flow in cls.flows.values()
        for store in flow.all(AttributeStore)
        if store.owner in cls.outline.lineage
    }
    held = {}
    for field in found:
        value = Argument(field.name)
        store = AttributeStore(
            definer,
            field.attribute,
            value,
            field.target,
            field.node,
            field.target,
            "assign",
            "__init__",
            conditional=False,
        )
        if not field.is_dropped:
            certain = field.attribute not in changed
            held[field.name] = Held(field.attribute, value.how, store, certain)
    arguments = tuple(Taken(field.name, field.target, field.is_required) for field in found)
    return Constructor(definer.node, definer, arguments, (), None, None, (), held)


def _held(cls: KerasClass, stores: Iterator[AttributeStore]) -> dict[str, Held]:
    """For each argument the attribute that keeps it."""
    found: dict[str, Held] = {}
    changed = [
        store.name
        for flow in cls.flows.values()
        for store in flow.all(AttributeStore)
        if store.owner.name == cls.outline.name or store.owner in cls.outline.lineage
    ]
    for store in stores:
        value = store.value
        if store.how != "assign" or not isinstance(value, Argument) or value.keywords:
            continue
        if value.how == "computed":
            continue
        certain = not store.conditional and changed.count(store.name) == 1
        held = Held(store.name, value.how, store, certain)
        known = found.get(value.name)
        if known is None or _rank(held, value.name) < _rank(known, value.name):
            found[value.name] = held
    return found


def _rank(held: Held, name: str) -> tuple[bool, bool, bool]:
    """The attribute that keeps an argument best comes first: certainly, by its own name."""
    return (not held.certain, held.attribute.lstrip("_") != name, bool(held.how))


def _class_of(module: ModuleModel, outline: ClassOutline) -> KerasClass | None:
    own = next((cls for cls in module.classes if cls.outline is outline), None)
    return own or module.elsewhere.class_of(outline)


def accepted(
    module: ModuleModel, outline: ClassOutline, *, above: ClassOutline | None = None
) -> frozenset[str] | None:
    """The keywords that a class can be made with; None where it may take any.

    `above` asks what `super().__init__` takes in that class of the lineage.
    """
    lineage = list(outline.lineage)
    if above is not None:
        at = lineage.index(above)
        lineage = [cls for cls in lineage[at:] if cls is not above]
    definer = _maker(lineage)
    if definer is None:
        whole = outline if above is None else above
        return library_arguments(whole) if whole.is_whole else None
    owner = _class_of(module, definer)
    found = constructor(module, owner) if owner is not None else None
    if found is None:
        return None
    names = found.names - set(found.positional_only)
    if found.keywords is None:
        return names
    call = found.forwarding
    if call is None:
        return None
    inherited = accepted(module, outline, above=definer)
    given = handed(module, outline, definer, call).keys()
    return None if inherited is None else names | (inherited - given)


def handed(
    module: ModuleModel, outline: ClassOutline, definer: ClassOutline, call: SuperCall
) -> dict[str, Passed]:
    """What the constructor of `definer` hands to that of the class above it, by name."""
    lineage = list(outline.lineage)
    lineage = lineage[lineage.index(definer) + 1 :]
    above = _maker(lineage)
    names: tuple[str, ...] = ()
    if above is None:
        names = tables.FIRST_ARGUMENTS.get(next(library_bases(outline), ""), ())
    elif (owner := _class_of(module, above)) is not None:
        found = constructor(module, owner)
        if found is not None:
            names = tuple(
                taken.name
                for taken in found.arguments
                if taken.parameter is not None and not taken.keyword_only
            )
    given = dict(zip(names, _leading(call), strict=False))
    given.update((item.keyword, item) for item in call.arguments.items if item.keyword)
    return given


def _leading(call: SuperCall) -> Iterator[Passed]:
    """The positional arguments before one with a `*`."""
    for item in call.arguments.items:
        if item.node.star or item.keyword:
            return
        yield item


def library_arguments(outline: ClassOutline) -> frozenset[str] | None:
    """What the constructors of the Keras classes that a class derives from take, at most."""
    found: set[str] = set()
    for base in library_bases(outline):
        arguments = arguments_of(base)
        if arguments is None:
            return None
        found |= arguments
    return frozenset(found)


def library_bases(outline: ClassOutline) -> Iterator[str]:
    """The Keras classes among the bases of a class and of those that it derives from."""
    for cls in outline.lineage:
        for base in cls.bases:
            if base is not None and external.kind(base) is not None:
                yield base


def arguments_of(base: str) -> frozenset[str] | None:
    """What the constructor of a Keras class takes, at most, in either generation."""
    module, _, last = base.rpartition(".")
    if last in tables.ROOT_ARGUMENTS:
        return tables.ROOT_ARGUMENTS[last]
    if module == "keras.layers":
        return tables.ROOT_ARGUMENTS["Layer"] | tables.LAYER_ARGUMENTS
    if _OPTIMIZERS.fullmatch(module):
        return tables.OPTIMIZER_ARGUMENTS
    return None


def recorded_by(base: str, keras: Keras) -> frozenset[str] | None:
    """What the config of a Keras class holds; None where that is not known by its name."""
    last = base.rpartition(".")[2]
    if last == "Model":
        # A Keras 2 model that overrides `get_config` inherits an empty one.
        return tables.ROOT_CONFIGS["Layer"] if keras is Keras.V3 else frozenset()
    return tables.ROOT_CONFIGS.get(last)
