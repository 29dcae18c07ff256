"""When a save runs: again and again, as a callback, while something is traced.

The rules are imported without libcst, so the functions that ask for types of nodes import it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING

from savelint.keras.events import Flow, SaveCall
from savelint.keras.model import KerasClass, ModuleModel

if TYPE_CHECKING:
    import libcst as cst

_TRACED_METHODS = ("call", "train_step", "test_step", "predict_step")
_TF_FUNCTION = frozenset({"tensorflow.function", "tensorflow.experimental.function"})
_SWITCHES = frozenset({"disable_eager_execution", "disable_v2_behavior"})
_SWITCH = re.compile(r"[\w.]*\bdisable_(?:eager_execution|v2_behavior)\(\)")
_GRAPH = re.compile(r"([\w.]+)\(\)\.as_default\(\)")
_EVERYTHING = frozenset({"Exception", "BaseException"})


def saves(module: ModuleModel, *how: str) -> Iterator[tuple[SaveCall, Flow]]:
    """The calls of this file that save a model in one of some ways, each once, in its flow.

    Of a call that is reached by several ways, that whose path is known comes first.
    """
    flows = [*module.scopes, *(flow for cls in module.classes for flow in cls.flows.values())]
    found: dict[int, tuple[SaveCall, Flow]] = {}
    for flow in flows:
        for save in flow.all(SaveCall):
            if save.how in how and save.evidence and module.is_here(save.node):
                known = found.get(id(save.node))
                if known is None or (known[0].path and known[0].path.value is None):
                    found[id(save.node)] = (save, flow)
    yield from found.values()


def loop_around(module: ModuleModel, node: cst.CSTNode) -> cst.For | cst.While | None:
    """The innermost loop of its function whose body holds a node."""
    import libcst as cst

    for branch, part in module.branches_of(node):
        if isinstance(branch, (cst.For, cst.While)) and part is branch.body:
            return branch
    return None


def leaves_loop(loop: cst.For | cst.While, node: cst.CSTNode) -> bool:
    """Whether what stands behind a node, in its own block, leaves the loop."""
    import libcst as cst

    from savelint.keras.walk import descendants

    block: cst.CSTNode = loop.body
    while isinstance(block, cst.BaseSuite):
        at = next(i for i, s in enumerate(block.body) if any(p is node for p in descendants(s)))
        for behind in block.body[at + 1 :]:
            parts = behind.body if isinstance(behind, cst.SimpleStatementLine) else ()
            if any(isinstance(part, (cst.Break, cst.Return, cst.Raise)) for part in parts):
                return True
        inner = [p for p in descendants(block.body[at]) if isinstance(p, cst.BaseSuite)]
        holding = (p for p in inner if any(part is node for part in descendants(p)))
        block = next(holding, block.body[at])
    return False


def swallowing_handler(module: ModuleModel, node: cst.CSTNode) -> cst.CSTNode | None:
    """The `except` around a node that takes every error and does nothing about it."""
    import libcst as cst

    from savelint.keras.walk import code

    for branch, part in module.branches_of(node):
        if isinstance(branch, cst.Try) and part is branch.body:
            for handler in branch.handlers:
                every = handler.type is None or code(handler.type) in _EVERYTHING
                if every and all(
                    isinstance(line, cst.SimpleStatementLine)
                    and all(isinstance(s, (cst.Pass, cst.Continue)) for s in line.body)
                    for line in handler.body.body
                ):
                    return handler
    return None


def handles_signal(module: ModuleModel, function: cst.FunctionDef) -> bool:
    """Whether a function of the file is given to `signal.signal`."""
    name = re.escape(function.name.value)
    given = re.search(rf"\bsignal\(\s*[\w.]+\s*,\s*(?:\w+\.)?{name}\s*\)", module.source.text)
    return given is not None


def class_around(module: ModuleModel, node: cst.CSTNode) -> KerasClass | None:
    """The Keras class in one of whose own methods a node stands."""
    function = module.function_of(node)
    for cls in module.classes:
        if any(method is function for method in cls.outline.methods.values()):
            return cls
    return None


def is_callback(cls: KerasClass) -> bool:
    """Whether a class derives from a callback of Keras' own."""
    bases = (base for outline in cls.outline.lineage for base in outline.bases if base)
    return any(base.startswith("keras.callbacks.") for base in bases)


class Trace(Enum):
    """What makes the code around a save run without values."""

    FUNCTION = "`tf.function` traces it"
    STEP = "Keras traces it"
    GRAPH = "it runs in a graph"
    SWITCHED = "eager execution is switched off"


def trace_around(module: ModuleModel, save: SaveCall) -> tuple[Trace, cst.CSTNode | None] | None:
    """What traces the code in which a save stands, and where that is said."""
    import libcst as cst

    from savelint.keras.walk import code

    for function in save.inside:
        for decorator in function.decorators if isinstance(function, cst.FunctionDef) else ():
            called = decorator.decorator
            name = code(called.func if isinstance(called, cst.Call) else called)
            if module.is_here(decorator) and module.summary.resolve(name) in _TF_FUNCTION:
                return Trace.FUNCTION, decorator
    outermost = save.inside[0] if save.inside else None
    if isinstance(outermost, cst.FunctionDef):
        for cls in module.classes:
            methods = cls.outline.methods if cls.kind.is_layer else {}
            if any(methods.get(name) is outermost for name in _TRACED_METHODS):
                return Trace.STEP, outermost.name
    for branch, _ in module.branches_of(save.node):
        for item in branch.items if isinstance(branch, cst.With) else ():
            match = _GRAPH.fullmatch(code(item.item))
            if match and module.summary.resolve(match[1]) == "tensorflow.Graph":
                return Trace.GRAPH, item.item
    return (Trace.SWITCHED, None) if _is_switched(module) else None


def _is_switched(module: ModuleModel) -> bool:
    """Whether a statement of the file's own switches eager execution off."""
    for statement in module.summary.statements:
        line = module.source.line_text(statement.first_line)
        if statement.called & _SWITCHES and not statement.definition and _SWITCH.match(line):
            return True
    return False
