"""What the `call` of a model must be given, and who gives it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit
from savelint.keras.events import LayerCall, SaveCall, SelfContact, SuperCall
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Kind
from savelint.keras.values import Const, Instance, Parameter, Spec, elements
from savelint.rules import building, serving
from savelint.source import Span

if TYPE_CHECKING:
    import libcst as cst

# Layers that take integers or text.
_LOOKING_UP = frozenset(
    {
        "keras.layers.Embedding",
        "keras.layers.StringLookup",
        "keras.layers.TextVectorization",
    }
)
# What Keras may give to `call` by itself, besides the inputs.
BY_KERAS = frozenset({"training", "mask"})


def whole_call(cls: KerasClass) -> cst.FunctionDef | None:
    """The `call` that a subclassed Model defines itself; None where it is left to others.

    A functional model is traced from its inputs, and a `call` without a result is there
    to be overridden.
    """
    call = cls.outline.methods.get("call")
    if cls.kind is not Kind.MODEL or cls.flow("call").result == Const(None):
        return None
    for event in cls.flow("__init__").all(SuperCall):
        names = {argument.keyword for argument in event.arguments.items}
        if event.method == "__init__" and (names & {"inputs", "outputs"}):
            return None
    return call


def demanded(module: ModuleModel, call: cst.FunctionDef) -> list[Parameter]:
    """The parameters without default behind `self` and the inputs."""
    return [parameter for parameter in _behind_inputs(module, call) if parameter.required]


def _behind_inputs(module: ModuleModel, call: cst.FunctionDef) -> list[Parameter]:
    parameters = module.signature_of(call).parameters
    positional = [parameter for parameter in parameters if not parameter.keyword_only]
    if len(positional) < 2:
        return []
    return [parameter for parameter in parameters if parameter not in positional[:2]]


def demanded_tensors(module: ModuleModel, call: cst.FunctionDef) -> list[Parameter]:
    """The tensors behind the inputs without which `call` raises; not those that Keras gives.

    A `*args` is one, where `call` takes its inputs by it, and several of them.
    """
    signature = module.signature_of(call)
    if signature.several is not None and all(p.keyword_only for p in signature.parameters[1:]):
        return [signature.several]
    return [
        p
        for p in _behind_inputs(module, call)
        if (p.required or p.needed) and not p.use and p.name not in BY_KERAS
    ]


def demanded_plain(module: ModuleModel, call: cst.FunctionDef) -> list[Parameter]:
    """What is no tensor and has no default, and is not given by Keras itself."""
    needs = demanded(module, call)
    return [p for p in needs if p.use and p.name not in BY_KERAS]


def use_as_part(module: ModuleModel, cls: KerasClass) -> LayerCall | None:
    """Where another class, or a functional model, calls an instance of the class."""
    for other in module.classes:
        if other.outline is not cls.outline:
            for call in other.flow("call").all(LayerCall):
                if _is_of(call, cls):
                    return call
    for flow in module.scopes:
        for call in flow.all(LayerCall):
            values = (v for argument in call.arguments.items for v in elements(argument.value))
            if _is_of(call, cls) and any(isinstance(v, Spec) and v.symbolic for v in values):
                return call
    return None


def _is_of(call: LayerCall, cls: KerasClass) -> bool:
    outline = call.layer.outline
    return outline is not None and cls.outline in outline.lineage


def is_made(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether the file makes an instance of the class, or another one does by itself."""
    if any(True for _ in module.file.makers(cls.name)):
        return True
    return not all(module.elsewhere.makers(cls))


def is_part_elsewhere(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether the class is made in other files only, and only by Keras classes."""
    return module.is_part(cls) and not any(True for _ in module.file.makers(cls.name))


def loses_weights(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether a `.keras` file cannot be reloaded when `call` refuses to be called on inputs.

    Measured: a `build` of the class's own, or a `build_from_config`, is run instead. Weights
    that the constructor makes are loaded in Keras 3; Keras 2 calls the model all the same.
    A base that is not in sight may have a `build`.
    """
    if not cls.outline.is_whole:
        return False
    if any(cls.outline.definer(name) is not None for name in ("build", "build_from_config")):
        return False
    if module.keras is Keras.V2:
        return True
    if any(True for _ in cls.flow("__init__").all(SelfContact)):
        return False
    calls = cls.flow("call").all(LayerCall)
    return any(building.is_unbuilt(module, cls, call) for call in calls)


def is_exported_with_signature(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether all that is seen saved of the class are exports with an `input_signature`."""
    saves = [
        save
        for flow in module.saving_scopes(cls)
        for save in flow.all(SaveCall)
        if isinstance(save.receiver, Instance) and save.receiver.outline is cls.outline
        if save.is_whole
    ]
    return bool(saves) and all(
        save.how == "export" and save.arguments.get(None, "input_signature") is not None
        for save in saves
    )


def looked_up_input(module: ModuleModel, cls: KerasClass) -> LayerCall | None:
    """The call of a layer for integers or text on the input of `call`, or on one of several."""
    call = cls.outline.method("call")
    parameter = serving.first_parameter(call) if call is not None else None
    one_of = re.compile(rf"{parameter}(\[(?:'[^']*'|\"[^\"]*\")\])?")
    for event in cls.flow("call").all(LayerCall):
        if event.layer.name in _LOOKING_UP and event.arguments.positional:
            given = event.arguments.positional[0].node.value
            if parameter and one_of.fullmatch(module.text(given)):
                return event
    return None


def defaulted(module: ModuleModel, parameter: Parameter, default: str) -> tuple[Edit, ...]:
    """Give a parameter a default, and an annotation that allows it."""
    annotation = parameter.node.annotation
    if annotation is None:
        end = module.span(parameter.node.name).end
        return (Edit(Span(end, end), f"={default}"),)
    node = annotation.annotation
    end = module.span(node).end
    text, imports = _optional(module, module.text(node)) if default == "None" else (None, ())
    if text is None:
        return (Edit(Span(end, end), f" = {default}"),)
    return (*imports, rewrite.replace(module, node, f"{text} = {default}"))


def _optional(module: ModuleModel, annotation: str) -> tuple[str | None, tuple[Edit, ...]]:
    """How the file says that something may be None too; None where it says so already."""
    text = module.source.text
    if re.search(r"\b(?:Optional|None|Any|object)\b", annotation) or annotation[:1] in "\"'":
        return None, ()
    if known := re.search(r"[\w.]*\bOptional(?=\[)", text):
        return f"{known.group()}[{annotation}]", ()
    if re.search(r"\| None\b|^from __future__ import annotations$", text, re.MULTILINE):
        return f"{annotation} | None", ()
    typing = re.search(r"^from typing import (\w+(?:, \w+)*)$", text, re.MULTILINE)
    if typing is None:
        found = rewrite.spell(module, "typing.Optional")
        return (f"{found[0]}[{annotation}]", found[1]) if found else (None, ())
    names = typing.group(1).split(", ")
    at = next((name for name in names if name > "Optional"), None)
    start = typing.start(1) if at is None else text.index(at, typing.start(1))
    edit = Edit(Span(start, start), "Optional, ")
    if at is None:
        edit = Edit(Span(typing.end(), typing.end()), ", Optional")
    return f"Optional[{annotation}]", (edit,)
