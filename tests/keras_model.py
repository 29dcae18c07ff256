"""A text as the rules see it, and what is known of its values in words."""

from __future__ import annotations

import textwrap
from functools import cache

from savelint.analysis import Analysis, analyse
from savelint.keras.events import Flow
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.project import File, Project
from savelint.keras.summary import Summary, summarise
from savelint.keras.values import (
    Array,
    ClassRef,
    Const,
    Dim,
    Instance,
    Ref,
    SelfValue,
    Seq,
    Shape,
    Spec,
    Table,
    Tensor,
    Value,
    Variable,
)
from savelint.keras.visitor import visit
from savelint.rules import RULES
from savelint.source import Source

HEAD = """\
import numpy as np
import tensorflow as tf
import keras
from keras import backend as K, layers, ops
"""


def summary(text: str) -> Summary:
    return summarise(Source("model.py", text))


def file(text: str) -> File:
    """A file that stands in no project."""
    return Project().open(Source("model.py", text))


def model(text: str, keras: Keras = Keras.V3) -> ModuleModel:
    """The model of a whole file: all its statements are read."""
    found = file(text)
    return visit(found, range(len(found.summary.statements)), keras, found.scope_words)


@cache
def analysis(source: Source, keras: Keras, *, gates: bool = True) -> Analysis:
    """What all rules say of a source; many tests ask this of the same ones."""
    return analyse(source, RULES, keras, gates=gates)


def codes(text: str, keras: Keras = Keras.V3, *, gates: bool = True) -> list[str]:
    """The codes of all findings in a file, in the order of their place."""
    found = analysis(Source("model.py", text), keras, gates=gates)
    return [finding.code for finding in found.findings]


def keras_class(text: str, name: str = "Net") -> KerasClass:
    (found,) = [cls for cls in model(text).classes if cls.name == name]
    return found


def net(call: str, *, parameters: str = "x", methods: str = "", head: str = "") -> str:
    """A model whose `call` has the given body."""
    parts = [f"class Net(keras.Model):\n    def call(self, {parameters}):"]
    parts.append(textwrap.indent(textwrap.dedent(call).strip(), " " * 8))
    parts.append(textwrap.indent(textwrap.dedent(methods).strip(), " " * 4))
    return "\n".join([HEAD, textwrap.dedent(head), *parts]) + "\n"


def call_flow(call: str, *, parameters: str = "x", methods: str = "", head: str = "") -> Flow:
    return keras_class(net(call, parameters=parameters, methods=methods, head=head)).flow("call")


def returned(call: str, *, parameters: str = "x", methods: str = "", head: str = "") -> str:
    """What is known of the value that `call` returns, in words."""
    return told(call_flow(call, parameters=parameters, methods=methods, head=head).result)


def told(value: Value) -> str:
    """A value in words: `tensor 0` has its batch on axis 0, `?` is what is not known."""
    if isinstance(value, Tensor):
        return ("tensors " if value.structured else "tensor ") + _number(value.batch_axis)
    if isinstance(value, Shape):
        span = "" if (value.start, value.stop) == (0, None) else f" {value.start}:{value.stop}"
        return f"{_how(value)} shape{span}"
    if isinstance(value, Dim):
        return f"{_how(value)} dim {_number(value.axis)}"
    if isinstance(value, Seq):
        items = [told(item) for item in value.items]
        return f"[{', '.join(items if value.complete else [*items, '...'])}]"
    if isinstance(value, Table):
        return f"{{{', '.join(f'{key!r}: {told(item)}' for key, item in value.items)}}}"
    if isinstance(value, Const):
        return repr(value.value)
    if isinstance(value, (Instance, Ref)):
        return value.name
    if isinstance(value, ClassRef):
        return f"class {value.outline.name}"
    if isinstance(value, Array):
        return f"{value.origin} array"
    if isinstance(value, Variable):
        return f"{value.origin} variable"
    if isinstance(value, SelfValue):
        return "self"
    if isinstance(value, Spec):
        return f"{'input' if value.symbolic else 'spec'} {value.shape} {value.dtype}"
    return "?" if value is None else type(value).__name__.lower()


def _number(axis: int | None) -> str:
    return "?" if axis is None else str(axis)


def _how(value: Shape | Dim) -> str:
    return "dynamic" if value.dynamic else "static"
