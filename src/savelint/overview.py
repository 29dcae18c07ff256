"""What savelint understood of a file: the answer to "why did it not see my class?"."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator

from savelint import analysis
from savelint.analysis import Session
from savelint.keras import names
from savelint.keras.events import LoadCall, SaveCall
from savelint.keras.generation import Evidence, Keras
from savelint.keras.model import ModuleModel
from savelint.keras.project import Definition, External, File, Module
from savelint.keras.summary import ClassSummary
from savelint.keras.tables import Kind
from savelint.keras.values import Instance, Model, SelfValue, Value
from savelint.report.overview import CallView, ClassView, Overview
from savelint.source import Source

_REGISTERING = "register_keras_serializable"
_SPELLED = {
    "saved_model": "tf.saved_model.save",
    "save": "save",
    "export": "export",
    "endpoint": "add_endpoint",
    "archive": "write_out",
    "callback": "ModelCheckpoint",
    "checkpoint": "tf.train.Checkpoint",
    "weights": "save_weights",
}
_SPELLED_LOADS = {
    "model": "load_model",
    "weights": "load_weights",
    "saved_model": "tf.saved_model.load",
    "checkpoint": "tf.train.Checkpoint",
}


def overview(
    source: Source,
    path: str,
    session: Session,
    keras: Keras | None = None,
    declared: Callable[[], Evidence | None] = lambda: None,
) -> Overview:
    """Look at a file whose text is given; raises SourceError for one that does not parse."""
    file = session.project.open(source, path)
    evidence = (
        Evidence(keras, "the settings say so")
        if keras is not None
        else analysis.generation(file, declared)
    )
    statements = analysis.relevant(file)
    saves: tuple[CallView, ...] = ()
    loads: tuple[CallView, ...] = ()
    if statements:
        from savelint.keras.visitor import visit

        words = file.scope_words
        module = visit(file, statements, evidence.keras, words, session.library)
        saves = tuple(sorted(_saves(module), key=lambda call: call.line))
        loads = tuple(sorted(_loads(module), key=lambda call: call.line))
    return Overview(
        source.path,
        evidence.keras,
        evidence.reason,
        tuple(_class(file, cls) for cls in file.summary.classes),
        saves,
        loads,
    )


def _class(file: File, cls: ClassSummary) -> ClassView:
    chain, problem = _chain(file, cls)
    kind = file.kind_of(cls)
    registered = any(name and name.endswith(_REGISTERING) for name in cls.decorators)
    return ClassView(cls.qualname, cls.line, kind, chain, registered, "" if kind else problem)


def _chain(file: File, cls: ClassSummary) -> tuple[tuple[str, ...], str]:
    """The way from a class along its bases, and what ends it before Keras is reached."""
    chain: list[str] = []
    seen: list[ClassSummary] = []
    while True:
        if cls in seen:
            return tuple(chain), f"`{cls.name}` derives from itself"
        seen.append(cls)
        if not cls.bases:
            return tuple(chain), f"`{cls.name}` has no base"
        base = _leading(file, cls)
        if base is None:
            return tuple(chain), f"`{cls.name}` has a base that is computed"
        found = file.base_class(cls, base)
        if found is None:
            name, problem = _end(file, cls, base)
            return (*chain, name), problem
        file, cls = found
        chain.append(f"{cls.qualname} ({file.source.path}:{cls.line})")


def _leading(file: File, cls: ClassSummary) -> str | None:
    """The base that makes a class Keras; the first one where none does."""
    for base in filter(None, cls.bases):
        if file.base_kind(cls, base) is not None:
            return base
    return cls.bases[0]


def _end(file: File, cls: ClassSummary, base: str) -> tuple[str, str]:
    """The name of a base that is no class of the project, and why it leads no further."""
    found = file.base(cls, base)
    if isinstance(found, External):
        if file.base_kind(cls, base) is not None:
            return found.name, ""
        return found.name, f"`{found.name}` is not in the project, and no class known to be Keras"
    if isinstance(found, Module):
        return base, f"`{base}` is a module"
    if isinstance(found, Definition):
        where = found.file.source.path
        return base, f"`{found.name}` in {where} is not a class at the top of the file"
    head = base.partition(".")[0]
    if hasattr(builtins, head):
        return base, f"`{head}` is Python's own"
    origin = file.summary.names.get(head)
    if origin is None:
        return base, f"`{head}` is neither imported nor defined here"
    return base, _unreadable(file, origin) or f"`{origin}` cannot be found in the project"


def _unreadable(file: File, origin: str) -> str:
    """Why the module that a name comes from cannot be read."""
    module = file.project.follow(file, origin.rpartition(".")[0] or origin)
    if not isinstance(module, Module) or not module.place.file:
        return ""
    problem = file.project.problem(module.place.file)
    return f"`{origin}` is in a file that cannot be read: {problem}" if problem else ""


def _saves(module: ModuleModel) -> Iterator[CallView]:
    for flow in module.scopes:
        for save in flow.all(SaveCall):
            line = module.source.position(module.span(save.node).start).line
            yield CallView(line, _SPELLED[save.how], _told(save.receiver))


def _loads(module: ModuleModel) -> Iterator[CallView]:
    for flow in module.scopes:
        for load in flow.all(LoadCall):
            line = module.source.position(module.span(load.node).start).line
            given = load.arguments.get(1, "custom_objects") is not None
            known = given or load.arguments.is_open
            how = "with custom_objects" if known else "without custom_objects"
            yield CallView(line, _SPELLED_LOADS[load.how], how if load.how == "model" else "")


def _told(value: Value) -> str:
    """What is saved, for people."""
    if isinstance(value, SelfValue):
        return f"the {value.outline.name} itself"
    if isinstance(value, Model):
        return f"a {value.outline.name}" if value.outline else f"a model, by {value.evidence}"
    if not isinstance(value, Instance):
        return "something not known"
    if value.outline is not None:
        return f"a {value.outline.name}"
    name = names.canonical(value.name)
    return f"a {value.kind.value}" if value.kind is Kind.FUNCTIONAL else f"a {name}"
