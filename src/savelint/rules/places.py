"""Where models are saved, for the rules that look at paths: who saves, and how to rename."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint.finding import Edit, Severity
from savelint.keras import paths, saving
from savelint.keras.events import Argument, Flow, LoadCall, SaveCall
from savelint.keras.model import ModuleModel
from savelint.keras.saving import FirstContact
from savelint.keras.tables import Kind
from savelint.keras.values import Const, Instance, Text
from savelint.source import Span

if TYPE_CHECKING:
    import libcst as cst

# What other code, or an earlier run, may have written or will read.
OTHERS = "other code may know the file by its old name"
# Suffixes of `model.save`, and of files that are no models of Keras'.
WHOLE = (".keras", ".h5", ".hdf5")
FILES = frozenset(
    """
    .ckpt .hdf .joblib .json .model .npy .npz .onnx .pb .pickle .pkl .pt .pth .tf .tflite .txt
    .yaml .yml .zip
    """.split()
)

_CREATING = re.compile(r"(?i)mkdir|makedirs|create_dir|ensure_dir|unzip|extractall|copytree")


def creates_directories(module: ModuleModel) -> bool:
    """Whether anything in the file may create a directory."""
    return _CREATING.search(module.source.text) is not None


def zipped(save: SaveCall) -> Argument | None:
    """What Keras 3 takes for `zipped=` of `model.save` and `save_model`."""
    function = save.arguments.get(0, "model") is not save.path
    return save.arguments.get(3 if function else 2, "zipped")


def is_keras(save: SaveCall | LoadCall) -> bool:
    """Whether it is certainly Keras itself that saves or loads there.

    Models of other packages may save in a way of their own.
    """
    receiver = save.receiver
    if isinstance(receiver, Instance):
        known = receiver.outline is not None or receiver.name.startswith(("keras.", "tensorflow."))
        return known and receiver.kind is not Kind.LAYER
    return bool(save.evidence)


def is_unbuilt(module: ModuleModel, flow: Flow, save: SaveCall) -> bool:
    """Whether a subclassed model is saved that was certainly never called, built or fitted."""
    first, _ = saving.first_contact(flow, save)
    return first is FirstContact.NEVER and _is_subclassed(module, save)


def is_only_built(module: ModuleModel, flow: Flow, save: SaveCall) -> bool:
    """Whether a subclassed model is saved of which `build` was called, and nothing else."""
    return saving.is_only_built(flow, save) and _is_subclassed(module, save)


def _is_subclassed(module: ModuleModel, save: SaveCall) -> bool:
    """Whether a model of a class is saved that does not build itself."""
    instance = save.receiver
    if not isinstance(instance, Instance) or instance.kind is not Kind.MODEL:
        return False
    cls = module.class_of(instance)
    return cls is not None and not saving.builds_itself(cls)


def literal(argument: Argument | None) -> object:
    """The value of an argument that is a literal; an Ellipsis object stands for none."""
    value = argument.value if argument is not None else None
    return value.value if isinstance(value, Const) else ...


def severity(path: Argument, certain: Severity) -> Severity:
    """What holds for a default only is a warning at most."""
    assumed = isinstance(path.value, Text) and path.value.assumed
    return Severity.WARNING if assumed and certain is Severity.ERROR else certain


def shown(path: Argument) -> str:
    """A path in a message: what is known of how it ends."""
    whole = paths.whole(path.value)
    return f"`{whole}`" if whole is not None else f"`...{paths.tail(path.value)}`"


def last_literal(
    module: ModuleModel, node: cst.BaseExpression
) -> cst.SimpleString | cst.FormattedString | None:
    """The string literal with which the text of an expression ends."""
    import libcst as cst

    if isinstance(node, cst.Name):
        value = module.bound_to(node)
        plain = not isinstance(value, cst.Name)
        return last_literal(module, value) if value is not None and plain else None
    if isinstance(node, (cst.SimpleString, cst.FormattedString)):
        return node
    if isinstance(node, cst.ConcatenatedString):
        return last_literal(module, node.right)
    if isinstance(node, cst.BinaryOperation):
        percent = isinstance(node.operator, cst.Modulo)
        return last_literal(module, node.left if percent else node.right)
    if isinstance(node, cst.Call) and node.args:
        function = node.func.attr if isinstance(node.func, cst.Attribute) else node.func
        name = function.value if isinstance(function, cst.Name) else ""
        if name == "format" and isinstance(node.func, cst.Attribute):
            return last_literal(module, node.func.value)
        if name in {"join", "joinpath", "Path", "str", "fspath"} and not node.args[-1].star:
            return last_literal(module, node.args[-1].value)
    return None


def date_formats(
    module: ModuleModel, node: cst.BaseExpression, depth: int = 2
) -> Iterator[cst.CSTNode]:
    """The formats of dates in the text of an expression: what `strftime` is given, `{now:%d}`.

    Names stand for what they are bound to, so many deep.
    """
    import libcst as cst

    from savelint.keras.walk import descendants

    parts = list(descendants(node))
    members = {id(part.attr) for part in parts if isinstance(part, cst.Attribute)}
    for part in parts:
        if isinstance(part, cst.FormattedStringExpression):
            spec = part.format_spec or ()
            yield from (text for text in spec if isinstance(text, cst.FormattedStringText))
        elif isinstance(part, cst.Call):
            function = part.func.attr if isinstance(part.func, cst.Attribute) else part.func
            if isinstance(function, cst.Name) and function.value == "strftime":
                given = (argument.value for argument in part.args)
                yield from (text for text in given if isinstance(text, cst.SimpleString))
        elif isinstance(part, cst.Name) and depth and id(part) not in members:
            value = module.bound_to(part)
            if value is not None:
                yield from date_formats(module, value, depth - 1)


def rename(module: ModuleModel, path: Argument, old: str, new: str) -> Edit | None:
    """Make a path end in `new` where it ends in `old`; None when no literal says so."""
    node = last_literal(module, path.node.value)
    if node is None:
        return None
    text = module.text(node)
    quote = '"""' if text.endswith('"""') else "'''" if text.endswith("'''") else text[-1:]
    written = text.removesuffix(quote)
    if not written.endswith(old) or quote[:1] not in {"'", '"'} or written.endswith("\\"):
        return None
    end = module.span(node).start + len(written)
    return Edit(Span(end - len(old), end), new)


def readers(module: ModuleModel, save: SaveCall, *hows: str) -> Iterator[LoadCall]:
    """The calls of the file that load what is saved there: by the same path."""
    # A function knows its path where it is called, and not by itself.
    every = [other.path for _, other in module.saves(save.how) if other.node is save.node]
    seen: set[int] = set()
    for load in (load for flow in module.flows for load in flow.all(LoadCall)):
        same = any(same_path(path, load.path) for path in every)
        same = same or same_expression(module, save.path, load.path)
        if load.how in hows and id(load.node) not in seen and same:
            seen.add(id(load.node))
            yield load


def same_path(one: Argument | None, other: Argument | None) -> bool:
    """Whether two paths are certainly the same."""
    whole = paths.whole(one.value) if one is not None else None
    found = paths.whole(other.value) if other is not None else None
    return whole is not None and found is not None and whole.rstrip("/") == found.rstrip("/")


def same_expression(module: ModuleModel, one: Argument | None, other: Argument | None) -> bool:
    """Whether one function writes two paths in the same words, whatever is known of them."""
    if one is None or other is None:
        return False
    nodes = one.node.value, other.node.value
    if not all(map(module.is_here, nodes)):
        return False
    text, found = map(module.text, nodes)
    inside, around = map(module.function_of, nodes)
    return text == found and inside is around


def renamed(
    module: ModuleModel, save: SaveCall, old: str, new: str, *hows: str
) -> tuple[Edit, ...]:
    """Another suffix where a path is written and where the file reads it; empty if it cannot."""
    edits = [rename(module, save.path, old, new) if save.path is not None else None]
    edits += [
        rename(module, load.path, old, new)
        for load in readers(module, save, *hows)
        if load.path is not None
    ]
    found = [edit for edit in edits if edit is not None]
    return tuple(sorted(set(found), key=lambda edit: edit.span)) if len(found) == len(edits) else ()
