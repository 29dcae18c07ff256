"""SVL104 tf-function-on-call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras.events import (
    AttributeRead,
    AttributeStore,
    Contact,
    LayerCall,
    ObjectStore,
    SelfContact,
    TensorTest,
)
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Kind
from savelint.keras.values import (
    ClassOutline,
    Instance,
    Member,
    SelfValue,
    Seq,
    Spec,
    Traced,
    Value,
    elements,
)
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import building, serving, signatures

if TYPE_CHECKING:
    import libcst as cst

# What gives a model of a class a policy under which its inputs become smaller numbers.
_HALVED = (
    r"^[^#\n]*?(?:\b{}\([^()]*\bdtype=|\bset_(?:global_)?policy\()"
    r"\s*['\"]mixed_(b?float16)['\"]"
)
_CONTROL_FLOW = "without it Python branches on tensors in the body are no longer converted"
_DROPPED = "the signature is dropped: serve with `export`, or pass `signatures=`"
_REFUSED = "`call` then takes what the signature refused, and its eager calls are not traced"
_MOVED = "it serves only if the caller passes it as `signatures=model.serve`"


_IMPORTS = """\
import tensorflow as tf
from tensorflow import keras


"""
_NET = (
    _IMPORTS
    + """\
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

"""
)
_EMBEDDED = """\
import tensorflow as tf
import tf_keras


class Net(tf_keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.embed = tf_keras.layers.Embedding(10, 3)

    def build(self, input_shape):
        self.embed.build(input_shape)
        self.built = True

{decorator}    def call(self, inputs):
        return self.embed(inputs)
"""
_BINDING = "TypeError: .*Binding inputs"
_BUILT = """\
import tensorflow as tf
import tf_keras

_PART = tf.TensorSpec([None, 6])


class Net(tf_keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = tf_keras.layers.Dense(3)

    def build(self, input_shape):
        self.dense.build((None, 6))
        self.built = True

"""
_SIGNED = "    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])\n"
_SERVE = (
    "\n"
    + _SIGNED
    + """\
    def serve(self, inputs):
        return self(inputs, training=False)
"""
)
_HELPER = """\
import keras
import tensorflow as tf
from keras import layers


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [layers.Dense(6, activation="relu"), layers.Dense(3)]

    def call(self, x, training=None):
        return self.run(x)

"""
_LINEAR = """\
import tensorflow as tf


class Linear(tf.keras.layers.Layer):
    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], 3))

{decorator}    def call(self, inputs):
        return tf.matmul(inputs, self.kernel)


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.linear = Linear()

    def call(self, inputs):
        return self.linear(inputs)
"""
_WAYS = (Way.CALL, Way.TRAIN, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS)
_DEAD = {
    Keras.V3: {
        Way.TRAIN: "UNTRAINED|No gradients",
        **dict.fromkeys((Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS), "DIFF"),
    }
}


class TfFunctionOnCall(Rule):
    """`tf.function` on `call` cuts a Keras 3 model off from its weights.

    Consequence: Keras 3 builds the sublayers by calling `call` symbolically; `tf.function`
    keeps that trace with the initial weights baked in. Assigning weights then changes
    nothing, gradients are None, and what is saved is not what was trained. With an
    `input_signature` and a parameter `training`, `fit` raises in both generations; in
    Keras 2 also with one that takes a list, and any other batch with one of a fixed batch;
    a signature of float32 refuses the integers that an `Embedding` takes, and what a mixed
    policy makes of the inputs.

    Silent: a class whose own `build` builds its layers or makes its weights (a layer that
    is itself part of a model without `build` excepted), one whose sublayers have no
    weights or are built already, `train_step`, `test_step`, a serving method beside
    `call`; in Keras 2 everything but an `input_signature`.

    Fix: remove the decorator (safe; unsafe where `call` branches on tensors, which
    `tf.function` converts). One that carries an `input_signature` moves to a serving
    method that calls `self(inputs, training=False)` (unsafe: the caller must pass it to
    `signatures=`); one with a signature on a helper stays, and `call` does what the helper
    does (unsafe: what the signature refused is then taken).
    """

    code = "SVL104"
    name = "tf-function-on-call"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("function",)
    clues = (frozenset({"function"}),)
    examples = (
        Example(
            variant="decorator",
            bad=_NET
            + """\
    @tf.function
    def call(self, inputs):
        return self.dense(inputs)
""",
            at="tf.function",
            good=_NET
            + """\
    def call(self, inputs):
        return self.dense(inputs)
""",
            witness=Witness(build="Net()", ways=_WAYS, fails=_DEAD),
            keras=(Keras.V3,),
        ),
        Example(
            variant="signature",
            bad=_NET
            + _SIGNED
            + """\
    def call(self, inputs):
        return self.dense(inputs)
""",
            at="tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])",
            good=_NET
            + """\
    def call(self, inputs):
        return self.dense(inputs)
"""
            + _SERVE,
            witness=Witness(build="Net()", ways=_WAYS, fails=_DEAD),
            keras=(Keras.V3,),
        ),
        Example(
            variant="training",
            bad=_NET
            + _SIGNED
            + """\
    def call(self, inputs, training=False):
        return self.dense(inputs)
""",
            at="tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])",
            good=_NET
            + """\
    def call(self, inputs, training=False):
        return self.dense(inputs)
"""
            + _SERVE,
            witness=Witness(
                build="Net()",
                ways=(Way.CALL, Way.TRAIN),
                fails={keras: {Way.TRAIN: "TypeError: .*Binding inputs"} for keras in Keras},
            ),
        ),
        Example(
            variant="list",
            bad=_BUILT
            + """\
    @tf.function(input_signature=[[_PART, _PART]])
    def call(self, inputs):
        first, second = inputs
        return self.dense(first * second)
""",
            at="tf.function(input_signature=[[_PART, _PART]])",
            good=_BUILT
            + """\
    def call(self, inputs):
        first, second = inputs
        return self.dense(first * second)
""",
            witness=Witness(
                build="Net()",
                inputs=(((6,), "float32"), ((6,), "float32")),
                ways=(Way.CALL, Way.TRAIN),
                fails={Keras.V2: {Way.TRAIN: "TypeError: .*Binding inputs"}},
            ),
            keras=(Keras.V2,),
        ),
        Example(
            variant="fixed batch",
            bad=_BUILT
            + """\
    @tf.function(input_signature=(tf.TensorSpec(shape=(4, 6), dtype=tf.float32),))
    def call(self, inputs):
        return self.dense(inputs)
""",
            at="tf.function(input_signature=(tf.TensorSpec(shape=(4, 6), dtype=tf.float32),))",
            good=_BUILT
            + """\
    def call(self, inputs):
        return self.dense(inputs)
""",
            witness=Witness(
                build="Net()",
                ways=(Way.CALL, Way.TRAIN),
                fails={Keras.V2: {Way.CALL: "TypeError: .*Binding inputs"}},
            ),
            keras=(Keras.V2,),
        ),
        Example(
            variant="lookup",
            bad=_EMBEDDED.format(
                decorator="    @tf.function(input_signature=[tf.TensorSpec([None, 6])])\n"
            ),
            at="tf.function(input_signature=[tf.TensorSpec([None, 6])])",
            good=_EMBEDDED.format(decorator=""),
            witness=Witness(
                build="Net()",
                inputs=(((6,), "int32"),),
                ways=(Way.CALL, Way.TRAIN),
                fails={Keras.V2: {Way.CALL: _BINDING, Way.TRAIN: _BINDING}},
            ),
            keras=(Keras.V2,),
        ),
        Example(
            variant="policy",
            bad=_BUILT
            + """\
    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])
    def call(self, inputs):
        return self.dense(inputs)


net = Net(dtype="mixed_float16")
""",
            at="tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])",
            good=_BUILT
            + """\
    def call(self, inputs):
        return self.dense(inputs)


net = Net(dtype="mixed_float16")
""",
            witness=Witness(
                build="net",
                ways=(Way.CALL,),
                fails={Keras.V2: {Way.CALL: _BINDING}},
            ),
            keras=(Keras.V2,),
        ),
        Example(
            variant="helper",
            bad=_HELPER
            + """\
    @tf.function(jit_compile=False)
    def run(self, x):
        for block in self.blocks:
            x = block(x)
        return x
""",
            at="tf.function(jit_compile=False)",
            good=_HELPER
            + """\
    def run(self, x):
        for block in self.blocks:
            x = block(x)
        return x
""",
            witness=Witness(build="Net()", ways=_WAYS, fails=_DEAD),
            keras=(Keras.V3,),
        ),
        Example(
            variant="served-helper",
            bad=_HELPER
            + _SIGNED
            + """\
    def run(self, x):
        for block in self.blocks:
            x = block(x)
        return x
""",
            at="tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])",
            good=_HELPER.replace("self.run", "self._run")
            + _SIGNED
            + """\
    def run(self, x):
        return self._run(x)

    def _run(self, x):
        for block in self.blocks:
            x = block(x)
        return x
""",
            witness=Witness(build="Net()", ways=_WAYS, fails=_DEAD, serves="run"),
            keras=(Keras.V3,),
        ),
        Example(
            variant="attribute",
            bad=_NET
            + """\
        self.fast = tf.function(self._slow)

    def _slow(self, inputs):
        return self.dense(inputs)

    def call(self, inputs):
        return self.fast(inputs)
""",
            at="tf.function(self._slow)",
            good=_NET
            + """\
        self.fast = self._slow

    def _slow(self, inputs):
        return self.dense(inputs)

    def call(self, inputs):
        return self.fast(inputs)
""",
            witness=Witness(build="Net()", ways=_WAYS, fails=_DEAD),
            keras=(Keras.V3,),
        ),
        Example(
            variant="own-call",
            bad=_NET
            + """\
        self.call = tf.function(self.call)

    def call(self, inputs):
        return self.dense(inputs)
""",
            at="tf.function(self.call)",
            good=_NET
            + """\
    def call(self, inputs):
        return self.dense(inputs)
""",
            witness=Witness(build="Net()", ways=_WAYS, fails=_DEAD),
            keras=(Keras.V3,),
            fixed=False,
        ),
        Example(
            variant="replaced",
            bad=_NET
            + """\
    def call(self, inputs):
        return self.dense(inputs)


def make():
    net = Net()
    net.call = tf.function(net.call)
    return net
""",
            at="tf.function(net.call)",
            good=_NET
            + """\
    def call(self, inputs):
        return self.dense(inputs)


def make():
    return Net()
""",
            witness=Witness(build="make()", ways=_WAYS, fails=_DEAD),
            keras=(Keras.V3,),
            fixed=False,
        ),
        Example(
            variant="layer-in-model",
            bad=_LINEAR.format(decorator="    @tf.function\n"),
            at="tf.function",
            good=_LINEAR.format(decorator=""),
            witness=Witness(build="Net()", ways=_WAYS, fails=_DEAD),
            keras=(Keras.V3,),
        ),
    )
    silent = (
        """\
# The model's own build makes the weights before `call` is traced.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def build(self, input_shape):
        self.dense.build(input_shape)

    @tf.function
    def call(self, inputs):
        return self.dense(inputs)
""",
        """\
# Weights made in the constructor are there before any trace.
import tensorflow as tf
from tensorflow import keras

class Scale(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.factor = self.add_weight(name="factor", shape=())

    @tf.function
    def call(self, inputs):
        return inputs * self.factor
""",
        """\
# Nothing in it has weights.
import tensorflow as tf
from tensorflow import keras

class Clip(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.relu = keras.layers.ReLU()
        self.flatten = keras.layers.Flatten()

    @tf.function
    def call(self, inputs):
        return self.flatten(self.relu(inputs))
""",
        """\
# The parts are built already: functional, sequential with an Input, or built by hand.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        inputs = keras.Input([6])
        self.inner = keras.Model(inputs, keras.layers.Dense(3)(inputs))
        self.stack = keras.Sequential([keras.layers.Input([3]), keras.layers.Dense(3)])
        self.dense = keras.layers.Dense(3)
        self.dense.build((None, 3))

    @tf.function
    def call(self, inputs):
        return self.dense(self.stack(self.inner(inputs)))
""",
        """\
# A training step and a serving method, not `call`.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)

    @tf.function
    def train_step(self, data):
        return {"loss": tf.reduce_mean(self(data[0], training=True))}

    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])
    def serve(self, inputs):
        return self(inputs, training=False)
""",
        """\
# The decorated helper has nothing to do with weights.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    @tf.function
    def _norm(self, x):
        return x / tf.reduce_sum(x, axis=-1, keepdims=True)

    def call(self, inputs):
        return self.dense(self._norm(inputs))
""",
        """\
# The model has run, so it is built, when `call` is replaced.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)

net = Net()
net(tf.zeros([1, 6]))
net.call = tf.function(net.call)
""",
        """\
# The layer was handed in; whether it is built is not known.
import tensorflow as tf
from tensorflow import keras

class Wrap(keras.layers.Layer):
    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    @tf.function
    def call(self, inputs):
        return self.inner(inputs)

    def get_config(self):
        config = super().get_config()
        config.update({"inner": keras.layers.serialize(self.inner)})
        return config

    @classmethod
    def from_config(cls, config):
        config["inner"] = keras.layers.deserialize(config["inner"])
        return cls(**config)
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Decorated `call` methods and helpers, wrapped attributes, replaced `call`s."""
        for cls in module.classes:
            if cls.kind not in {Kind.LAYER, Kind.MODEL} or cls.outline.method("call") is None:
                continue
            refusing = _refuses_training(module, cls)
            if refusing is not None:
                yield self._refused(module, cls, refusing)
            elif module.keras is Keras.V3:
                yield from self._cut_off(module, cls)
            else:
                yield from self._narrow(module, cls)

    def _refused(self, module: ModuleModel, cls: KerasClass, traced: Traced) -> Finding:
        return self.finding(
            module,
            traced.expression,
            f"The `input_signature` on `{cls.name}.call` refuses the `training` that `fit` passes",
            variant="training",
            note="binds `inputs` and nothing else",
            fix=_move(module, cls, traced),
        )

    def _narrow(self, module: ModuleModel, cls: KerasClass) -> Iterator[Finding]:
        """A signature that refuses what Keras 2 passes."""
        traced = cls.traced.get("call")
        specs = traced.specs if traced is not None and "call" in cls.outline.methods else None
        if traced is None or not isinstance(specs, Seq) or not specs.items:
            return
        inputs = specs.items[0]
        fixed = [s for s in elements(inputs) if isinstance(s, Spec) and s.shape and s.shape[0]]
        labels: list[tuple[cst.CSTNode, str]] = []
        if isinstance(inputs, Seq) and inputs.kind == "list":
            variant, note = "list", "`fit` and `predict` pass a tuple"
            message = f"The `input_signature` on `{cls.name}.call` refuses a tuple of inputs"
        elif found := _refused_dtype(module, cls, inputs):
            variant, given, node = found
            note = f"refuses {given}"
            message = f"The `input_signature` on `{cls.name}.call` takes float32, not {given}"
            labels = [(node, "the input is looked up here")] if node is not None else []
        elif fixed:
            variant, note = "fixed batch", "refuses any other batch"
            batch = fixed[0].shape[0] if fixed[0].shape else None
            message = f"The `input_signature` on `{cls.name}.call` takes batches of {batch} alone"
        else:
            return
        removal = rewrite.remove_lines(module, traced.expression)
        yield self.finding(
            module,
            traced.expression,
            message,
            variant=variant,
            severity=Severity.WARNING if variant in {"lookup", "policy"} else None,
            note=note,
            labels=labels,
            fix=Fix("take the decorator off `call`", Safety.UNSAFE, (removal,), _DROPPED),
        )

    def _cut_off(self, module: ModuleModel, cls: KerasClass) -> Iterator[Finding]:
        if _is_built_first(module, cls):
            return
        dead = [
            call
            for call in cls.flow("call").all(LayerCall)
            if building.is_unbuilt(module, cls, call)
        ]
        if "call" in cls.outline.methods and "call" in cls.traced:
            if dead or any(building.is_weight(store.value) for store in cls.stores("build")):
                yield self._decorated(module, cls, "call", dead)
            return
        for name in cls.traced:
            method = cls.outline.methods.get(name)
            inside = [call for call in dead if method is not None and method in call.inside]
            if inside and name != "__call__":
                yield self._decorated(module, cls, name, inside)
        yield from self._wrapped(module, cls, dead)
        yield from self._replaced(module, cls, dead)

    def _decorated(
        self, module: ModuleModel, cls: KerasClass, name: str, dead: list[LayerCall]
    ) -> Finding:
        traced = cls.traced[name]
        return self.finding(
            module,
            traced.expression,
            f"`tf.function` on `{cls.name}.{name}` keeps the weights it was first traced with",
            variant=_variant(module, cls, name, traced),
            note="traced while Keras builds the layers",
            labels=[(call.node, "its weights are cut off") for call in dead[:1]],
            fix=_unwrap(module, cls, name, traced),
        )

    def _wrapped(
        self, module: ModuleModel, cls: KerasClass, dead: list[LayerCall]
    ) -> Iterator[Finding]:
        for store in cls.stores("__init__", "build"):
            inner = store.value.function if isinstance(store.value, Traced) else None
            if not isinstance(store.value, Traced) or inner is None:
                continue
            inside = [call for call in dead if _runs_in(cls, call, store, inner)]
            if inside:
                yield self._wrapped_finding(module, cls, store, store.value, inside[0])

    def _wrapped_finding(
        self,
        module: ModuleModel,
        cls: KerasClass,
        store: AttributeStore,
        traced: Traced,
        dead: LayerCall,
    ) -> Finding:
        wrapped = getattr(traced.node, "args", ())
        fix = None
        if wrapped and store.value_node is traced.node and store.name != "call":
            edit = rewrite.replace(module, store.value_node, module.text(wrapped[0].value))
            fix = _removal(cls, (edit,))
        return self.finding(
            module,
            store.value_node,
            f"`self.{store.name}` of `{cls.name}` keeps the weights it was first traced with",
            variant="own-call" if store.name == "call" else "attribute",
            note="traced while Keras builds the layers",
            labels=[(dead.node, "its weights are cut off")],
            fix=fix,
        )

    def _replaced(
        self, module: ModuleModel, cls: KerasClass, dead: list[LayerCall]
    ) -> Iterator[Finding]:
        for flow in module.scopes:
            touched: set[int] = set()
            for event in flow.events:
                if isinstance(event, Contact) and event.how not in {"compile", "summary"}:
                    touched.add(id(event.instance.node))
                if (
                    isinstance(event, ObjectStore)
                    and event.owner.outline is cls.outline
                    and event.name == "call"
                    and isinstance(event.value, Traced)
                    and id(event.owner.node) not in touched
                    and dead
                ):
                    yield self.finding(
                        module,
                        event.value_node,
                        f"`tf.function` on the `call` of a `{cls.name}` keeps the weights it was"
                        " first traced with",
                        variant="replaced",
                        note="traced while Keras builds the layers",
                        labels=[(dead[0].node, "its weights are cut off")],
                        fix=Fix(
                            "leave `call` as it is, or run the model once before this line",
                            Safety.DISPLAY,
                        ),
                    )


def _variant(module: ModuleModel, cls: KerasClass, name: str, traced: Traced) -> str:
    if name != "call":
        return "helper" if traced.signature is None else "served-helper"
    if traced.signature is not None:
        return "signature"
    return "decorator" if cls.outline.method("build") is None else "layer-in-model"


def _refuses_training(module: ModuleModel, cls: KerasClass) -> Traced | None:
    """The decorator of `call`, if it has a signature that leaves out a `training`.

    A spec for `training` itself works in Keras 2.
    """
    traced = cls.traced.get("call")
    call = cls.outline.methods.get("call")
    if traced is None or traced.signature is None or call is None:
        return None
    names = [p.name.value for p in (*call.params.params, *call.params.kwonly_params)]
    if "training" not in names:
        return None
    specs = getattr(traced.signature, "elements", ())
    covered = len(specs) >= names.index("training")
    return None if covered and module.keras is Keras.V2 else traced


def _refused_dtype(
    module: ModuleModel, cls: KerasClass, inputs: Value
) -> tuple[str, str, cst.CSTNode | None] | None:
    """What a signature of float32 refuses that the model is given: the example, what, and where."""
    if not isinstance(inputs, Spec) or inputs.dtype != "float32":
        return None
    looked_up = signatures.looked_up_input(module, cls)
    if looked_up is not None:
        given = "integers" if looked_up.layer.name.endswith(".Embedding") else "text"
        return "lookup", given, looked_up.node
    halved = re.search(_HALVED.format(cls.name), module.source.text, re.MULTILINE)
    if halved is None:
        return None
    return "policy", halved[1], None


def _is_built_first(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether the weights exist before `call` is traced.

    Measured in Keras 3.15: a Model's own `build` runs first. A Layer's own `build` does so
    in a functional model; inside a subclassed model, or another layer, that has no
    `build` itself, the layer is built within the trace.
    """
    if any(event.how == "build" for event in cls.flow("__init__").all(SelfContact)):
        return True
    if cls.outline.method("build") is None:
        return False
    return cls.kind is Kind.MODEL or not any(
        other.outline.method("build") is None and _holds(other, cls.outline)
        for other in module.classes
        if other.kind in {Kind.LAYER, Kind.MODEL}
    )


def _holds(cls: KerasClass, outline: ClassOutline) -> bool:
    return any(
        isinstance(value, Instance) and value.outline is outline
        for store in cls.stores("__init__")
        for value in elements(store.value)
    )


def _runs_in(cls: KerasClass, call: LayerCall, store: AttributeStore, inner: Value) -> bool:
    """Whether a layer is called through the wrapped function that an attribute holds."""
    if store.name == "call":
        return isinstance(inner, Member) and inner.name == "call"
    if not any(read.name == store.name for read in cls.flow("call").all(AttributeRead)):
        return False
    if isinstance(inner, Instance):
        return inner.node is call.layer.node
    if isinstance(inner, Member) and isinstance(inner.owner, SelfValue):
        return cls.outline.method(inner.name) in call.inside
    return False


def _unwrap(module: ModuleModel, cls: KerasClass, name: str, traced: Traced) -> Fix:
    if name == "call" and traced.signature is not None and cls.kind is Kind.MODEL:
        return _move(module, cls, traced)
    if name != "call" and traced.signature is not None:
        return _part(module, cls, name) or Fix(
            f"let `call` and `{name}`, which may be served, share a method without `tf.function`",
            Safety.DISPLAY,
        )
    return _removal(cls, (rewrite.remove_lines(module, traced.expression),))


def _part(module: ModuleModel, cls: KerasClass, name: str) -> Fix | None:
    """Leave a helper with its signature to those who serve it; `call` takes what it does."""
    helper, call = cls.outline.methods.get(name), cls.outline.methods.get("call")
    private = f"_{name}"
    if (
        helper is None
        or call is None
        or name.startswith("_")
        or len(helper.decorators) > 1
        or re.search(rf"\b{private}\b", module.source.text)
    ):
        return None
    # Where `call`, or what it calls, does so.
    own = {id(method): method for method in cls.outline.methods.values()}
    callers = [own[id(f.node)] for f in cls.flow("call").entered if id(f.node) in own]
    methods = {id(method): method for method in (call, *callers) if method is not helper}
    reads = [read for method in methods.values() for read in module.reads_of(method, name)]
    parted = rewrite.part(module, helper, private)
    if parted is None or not reads:
        return None
    edits = (parted, *(rewrite.replace(module, read.attr, private) for read in reads))
    message = f"let `call` do what `{name}` does, and leave the signature to those who serve it"
    return Fix(message, Safety.UNSAFE, edits, _REFUSED)


def _removal(cls: KerasClass, edits: tuple[Edit, ...]) -> Fix:
    converts = any(True for _ in cls.flow("call").all(TensorTest))
    return Fix(
        "call it without `tf.function`; `fit`, `predict` and `export` trace it themselves",
        Safety.UNSAFE if converts else Safety.SAFE,
        edits,
        _CONTROL_FLOW if converts else "",
    )


def _move(module: ModuleModel, cls: KerasClass, traced: Traced) -> Fix:
    """Take the decorator off `call` and put it on a serving method behind it."""
    removal = rewrite.remove_lines(module, traced.expression)
    decorator = module.text(traced.expression)
    call = cls.outline.methods["call"]
    serve = serving.serving_method(module, cls, call, decorator, ())
    used = re.search(r"\bself\.call\b", module.text(cls.outline.node))
    if used:
        return Fix("move the signature, and what uses `self.call`, to a method", Safety.DISPLAY)
    if serve is None or cls.kind is not Kind.MODEL or "\n" in decorator:
        return Fix("take the decorator off `call`", Safety.UNSAFE, (removal,), _DROPPED)
    return Fix("move the signature to a serving method", Safety.UNSAFE, (removal, *serve), _MOVED)
