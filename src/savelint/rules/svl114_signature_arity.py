"""SVL114 signature-arity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras.events import Flow, Tracing
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.values import (
    Function,
    Instance,
    Member,
    Parameter,
    SelfValue,
    Seq,
    Traced,
)
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import signatures

if TYPE_CHECKING:
    import libcst as cst

_MODULE = """\
import tensorflow as tf


class Scale(tf.Module):
    def __init__(self):
        super().__init__()
        self.factor = tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])
    def serve({parameters}):
        return {result}


scale = Scale()
tf.saved_model.save(scale, "served")
"""
_NET = """\
import keras
import tensorflow as tf

SPEC = tf.TensorSpec([None, 6], tf.float32)


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs, training=None):
        return self.dense(inputs)

    @tf.function(input_signature=[SPEC])
    def serve({parameters}):
        return self(inputs, training=training)
"""
_WRAPPED = """\
import tensorflow as tf
from tensorflow.keras import Sequential, layers

model = Sequential([layers.Dense(3)])
model(tf.zeros([1, 6]))


def serve({parameters}):
    return model(inputs)


signature = tf.function(serve, input_signature={specs})
tf.saved_model.save(model, "served", signatures=signature)
"""
_SPEC = "tf.TensorSpec([None, 6], tf.float32)"
_SAVED = (Way.RUN, Way.SAVED_MODEL)


def _raises(message: str) -> dict[Keras, dict[Way, str]]:
    return {keras: {Way.RUN: f"TypeError: .*{message}"} for keras in Keras}


class SignatureArity(Rule):
    """An `input_signature` does not fit the parameters of its function.

    Consequence: `tf.function` raises TypeError where it is applied, or, for a method that
    takes no `self`, where the method is first asked for: a parameter without default that
    has no spec, a spec that has no parameter, a keyword-only parameter without default. A
    method's first parameter is left out only when it is called `self`.

    Silent: parameters with a default, `*args`, functions behind other decorators, and
    signatures whose length is not known.

    Fix: a `training` without a spec gets the default `False` (safe: the function could not
    even be made). Anything else is only shown.
    """

    code = "SVL114"
    name = "signature-arity"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("function",)
    clues = (frozenset({"function"}),)
    examples = (
        Example(
            variant="missing",
            bad=_MODULE.format(parameters="self, inputs, bias", result="inputs * self.factor"),
            at=f"[{_SPEC}]",
            good=_MODULE.format(parameters="self, inputs, bias=0.0", result="inputs * self.factor"),
            witness=Witness(
                build="scale.serve",
                ways=_SAVED,
                saved="served",
                fails=_raises("input_signature missing type constraint for bias"),
            ),
            fixed=False,
        ),
        Example(
            variant="training",
            bad=_NET.format(parameters="self, inputs, training"),
            at="[SPEC]",
            good=_NET.format(parameters="self, inputs, training=False"),
            witness=Witness(
                build="Net()",
                ways=(Way.CALL, Way.SAVED_MODEL),
                serves="serve",
                fails={
                    keras: dict.fromkeys(
                        (Way.CALL, Way.SAVED_MODEL),
                        "TypeError: input_signature missing type constraint for training",
                    )
                    for keras in Keras
                },
            ),
        ),
        Example(
            variant="keyword-only",
            bad=_WRAPPED.format(parameters="inputs, *, scale", specs=f"[{_SPEC}]"),
            at=f"[{_SPEC}]",
            good=_WRAPPED.format(parameters="inputs, *, scale=1.0", specs=f"[{_SPEC}]"),
            witness=Witness(
                build="model",
                ways=_SAVED,
                saved="served",
                fails=_raises("keyword-only parameter `scale` must have a default"),
            ),
            fixed=False,
        ),
        Example(
            variant="extra",
            bad=_WRAPPED.format(parameters="inputs", specs=f"[{_SPEC}, {_SPEC}]"),
            at=f"[{_SPEC}, {_SPEC}]",
            good=_WRAPPED.format(parameters="inputs", specs=f"[{_SPEC}]"),
            witness=Witness(
                build="model",
                ways=_SAVED,
                saved="served",
                fails=_raises("input_signature contains 1 extra type constraint"),
            ),
            fixed=False,
        ),
        Example(
            variant="self",
            bad=_MODULE.format(parameters="this, inputs", result="inputs * this.factor"),
            at="this",
            good=_MODULE.format(parameters="self, inputs", result="inputs * self.factor"),
            witness=Witness(
                build="scale.serve",
                ways=_SAVED,
                saved="served",
                fails=_raises("input_signature missing type constraint for inputs"),
            ),
            fixed=False,
        ),
    )
    silent = (
        """\
# What has a default needs no spec; a nested list is one argument.
import tensorflow as tf

SPEC = tf.TensorSpec([None, 6], tf.float32)

class Scale(tf.Module):
    @tf.function(input_signature=[SPEC])
    def one(self, x, y=1.0, *, z=None):
        return x * y

    @tf.function(input_signature=[SPEC, SPEC])
    def several(self, *inputs):
        return inputs[0]

    @tf.function(input_signature=[[SPEC, SPEC]])
    def listed(self, inputs):
        return inputs[0]

    @tf.function(input_signature=())
    def none(self):
        return tf.ones([2])
""",
        """\
# How many specs there are is not known.
import tensorflow as tf
from specs import make_specs

class Scale(tf.Module):
    @tf.function(input_signature=make_specs(2))
    def serve(self, x, y):
        return x * y

    @tf.function(input_signature=[*make_specs(2)])
    def other(self, x, y):
        return x * y
""",
        """\
# A static method has no `self`; another decorator may give the arguments.
import tensorflow as tf
from tools import with_scale

SPEC = tf.TensorSpec([None, 6], tf.float32)

class Scale(tf.Module):
    @staticmethod
    @tf.function(input_signature=[SPEC])
    def serve(x):
        return x

    @tf.function(input_signature=[SPEC])
    @with_scale
    def other(self, x, scale):
        return x * scale
""",
        """\
# A bound method has its object already, whatever the parameter is called.
import tensorflow as tf

class Scale(tf.Module):
    def scale(this, x):
        return x * 2.0

scale = Scale()
scale.serve = tf.function(scale.scale, input_signature=[tf.TensorSpec([None, 6], tf.float32)])
tf.saved_model.save(scale, "served")
""",
        """\
# Without a signature any arguments will do.
import tensorflow as tf

class Scale(tf.Module):
    @tf.function
    def scale(self, x, y):
        return x * y
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each function that `tf.function` wraps with a signature of known length."""
        for cls in module.classes:
            for name, traced in cls.traced.items():
                if name in cls.outline.methods:
                    yield from self._method(module, cls, traced)
        flows = [flow for cls in module.classes for flow in cls.flows.values()]
        for flow in (*flows, *module.scopes):
            yield from self._wrapped(module, flow)

    def _method(self, module: ModuleModel, cls: KerasClass, traced: Traced) -> Iterator[Finding]:
        node = traced.function.node if isinstance(traced.function, Function) else None
        if node is None or len(getattr(node, "decorators", ())) != 1:
            return
        parameters = module.signature_of(node).parameters
        first = parameters[0] if parameters else None
        if first is not None and first.name != "self" and not first.keyword_only:
            if _length(traced) is not None:
                yield self._not_self(module, cls, traced, first)
        else:
            yield from self._compared(module, traced, node, bound=True)

    def _wrapped(self, module: ModuleModel, flow: Flow) -> Iterator[Finding]:
        for event in flow.all(Tracing):
            function = event.traced.function
            node: cst.FunctionDef | cst.Lambda | None = None
            if isinstance(function, Function):
                node = function.node
            elif isinstance(function, Member) and isinstance(function.owner, (Instance, SelfValue)):
                outline = function.owner.outline
                node = outline.method(function.name) if outline is not None else None
            decorators = len(getattr(node, "decorators", ()))
            if node is not None and decorators <= (event.traced.node in _decorators(node)):
                bound = isinstance(function, Member)
                yield from self._compared(module, event.traced, node, bound=bound)

    def _compared(
        self,
        module: ModuleModel,
        traced: Traced,
        node: cst.FunctionDef | cst.Lambda,
        *,
        bound: bool,
    ) -> Iterator[Finding]:
        count = _length(traced)
        signature = module.signature_of(node)
        if count is None or traced.signature is None:
            return
        taken = [p for p in signature.parameters if not p.keyword_only][int(bound) :]
        keyword_only = [p for p in signature.parameters if p.keyword_only and p.required]
        missing = [p for p in taken[count:] if p.required]
        if missing or keyword_only:
            yield self._missing(module, traced, missing or keyword_only)
        elif count > len(taken) and not signature.is_open:
            yield self.finding(
                module,
                traced.signature,
                f"The `input_signature` has {count} specs for {len(taken)} parameters",
                variant="extra",
                note="a spec without a parameter",
                fix=Fix("give one spec for each parameter", Safety.DISPLAY),
            )

    def _missing(self, module: ModuleModel, traced: Traced, missing: list[Parameter]) -> Finding:
        first = missing[0]
        assert traced.signature is not None
        fix = Fix("give it a spec, or the parameter a default", Safety.DISPLAY)
        if all(p.name == "training" and module.is_here(p.node) for p in missing):
            edits = signatures.defaulted(module, first, "False")
            fix = Fix("give `training` the default `False`", Safety.SAFE, edits)
        variant = "keyword-only" if first.keyword_only else "missing"
        return self.finding(
            module,
            traced.signature,
            f"The `input_signature` has no spec for `{first.name}`, which has no default",
            variant="training" if first.name == "training" else variant,
            note="too few specs",
            labels=[(first.node.name, "no default")],
            fix=fix,
        )

    def _not_self(
        self, module: ModuleModel, cls: KerasClass, traced: Traced, first: Parameter
    ) -> Finding:
        assert traced.signature is not None
        return self.finding(
            module,
            first.node.name,
            f"The first parameter of a method of `{cls.name}` that has an `input_signature`"
            " is not called `self`",
            variant="self",
            note="counts as one of the inputs",
            labels=[(traced.signature, "one of these specs is taken for it")],
            fix=Fix("call the first parameter `self`", Safety.DISPLAY),
        )


def _length(traced: Traced) -> int | None:
    """How many specs a signature has."""
    specs = traced.specs
    return len(specs.items) if isinstance(specs, Seq) and specs.complete else None


def _decorators(node: cst.FunctionDef | cst.Lambda) -> tuple[object, ...]:
    return tuple(getattr(node, "decorators", ()))
