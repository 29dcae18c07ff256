"""SVL216 unnamed-weight."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras.events import WeightCall
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Kind
from savelint.keras.values import Const
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import lineage, weight_calls, weights

if TYPE_CHECKING:
    from savelint.finding import Edit

_EVERY = (*Witness.ways, Way.H5)
_UNNAMED = {Way.SAVED_MODEL: "AttributeError: 'NoneType'"}
_TAKEN = {Way.H5: "ValueError: .*name already exists"}
# Measured: `.h5`, `.weights.h5` and `.keras` of before load as they did in both.
_KNOWN_BY_NAME = {
    Keras.V2: "checkpoints and SavedModels of before know the weight by its name: they load other"
    " numbers, or not at all",
    Keras.V3: "other code may look for the weight by its name",
}
_V2 = (Keras.V2,)
_V3 = (Keras.V3,)
_SCOPED = """\
import tensorflow as tf
from tensorflow import keras


class Embeddings(keras.layers.Layer):
    def build(self, input_shape):
        with tf.name_scope("words"):
            self.weight = self.add_weight(name="embeddings", shape=(6,), initializer="ones")
        with tf.name_scope("positions"):
            self.position = self.add_weight(name="{}", shape=(6,), initializer="ones")

    def call(self, inputs):
        return inputs * self.weight + self.position
"""


class UnnamedWeight(Rule):
    """A weight without a name of its own keeps a layer out of some formats.

    Consequence: in Keras 2 one `add_weight` without `name=` is enough:
    `tf.saved_model.save(model, path)`, `model.save(directory)` and a checkpoint of the weights
    raise, trained or not.
    Two of them in one layer, or two with the same name, cannot be written to `.h5` either.
    In Keras 3 only weights that share a name matter: `.h5` refuses them. `.keras` and
    `.weights.h5` do not use the names.

    Silent: Keras 3 where no name is given (it makes up different ones); names that are
    computed; the same name in two branches of which a run takes one; names in a name scope,
    in Keras 3 one of its own; in Keras 2 the same name in `__init__` and in `build`, which
    prefixes it; in Keras 3 subclassed models, which `.h5` never loads; metrics.

    Fix: `name=` after the attribute that holds the weight, with the counter of its loop
    (safe: what was saved before is loaded by position). A name given twice becomes the
    attribute's (unsafe: other code may look for the weight by its name; in Keras 2 a
    checkpoint or a SavedModel of before does, and no longer loads right).
    """

    code = "SVL216"
    name = "unnamed-weight"
    since = "0.1"
    severity = {Keras.V2: Severity.WARNING, Keras.V3: Severity.WARNING}
    mentions = weight_calls.MAKERS
    clues = (frozenset(mentions),)
    examples = (
        Example(
            variant="unnamed",
            bad="""\
import tensorflow as tf
from tensorflow import keras


class Scale(keras.layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones")
        super().build(input_shape)

    def call(self, inputs):
        return inputs * self.scale
""",
            at='self.add_weight(shape=(input_shape[-1],), initializer="ones")',
            good="""\
import tensorflow as tf
from tensorflow import keras


class Scale(keras.layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(
            shape=(input_shape[-1],),
            initializer="ones",
            name="scale",
        )
        super().build(input_shape)

    def call(self, inputs):
        return inputs * self.scale
""",
            witness=Witness(build="Scale()", ways=_EVERY, fails={Keras.V2: _UNNAMED}),
            keras=_V2,
        ),
        Example(
            variant="several",
            bad="""\
from tensorflow.keras.layers import Layer


class Affine(Layer):
    def build(self, input_shape):
        width = input_shape[-1]
        self._scale = self.add_weight(
            shape=(width,),
            initializer="ones",
        )
        self.shift = self.add_weight(
            None,
            shape=(width,),
            initializer="zeros",
        )

    def call(self, inputs):
        return inputs * self._scale + self.shift
""",
            at="""\
self.add_weight(
            shape=(width,),
            initializer="ones",
        )""",
            good="""\
from tensorflow.keras.layers import Layer


class Affine(Layer):
    def build(self, input_shape):
        width = input_shape[-1]
        self._scale = self.add_weight(
            shape=(width,),
            initializer="ones",
            name="scale",
        )
        self.shift = self.add_weight(
            name="shift",
            shape=(width,),
            initializer="zeros",
        )

    def call(self, inputs):
        return inputs * self._scale + self.shift
""",
            witness=Witness(
                build="Affine()",
                ways=_EVERY,
                fails={
                    Keras.V2: _UNNAMED | _TAKEN,
                    Keras.V3: dict.fromkeys(_EVERY, "ValueError: `shape` was passed both"),
                },
            ),
            keras=_V2,
        ),
        Example(
            variant="loop",
            bad="""\
import tf_keras
from tf_keras import layers


class Gates(layers.Layer):
    def build(self, input_shape):
        self.gates = [
            self.add_weight(shape=(6,), initializer="random_normal") for i in range(3)
        ]
        super().build(input_shape)

    def call(self, inputs):
        for gate in self.gates:
            inputs = inputs * gate
        return inputs
""",
            at='self.add_weight(shape=(6,), initializer="random_normal")',
            good="""\
import tf_keras
from tf_keras import layers


class Gates(layers.Layer):
    def build(self, input_shape):
        self.gates = [
            self.add_weight(
                shape=(6,),
                initializer="random_normal",
                name=f"gates_{i}",
            )
            for i in range(3)
        ]
        super().build(input_shape)

    def call(self, inputs):
        for gate in self.gates:
            inputs = inputs * gate
        return inputs
""",
            witness=Witness(build="Gates()", ways=_EVERY, fails={Keras.V2: _UNNAMED | _TAKEN}),
            keras=_V2,
        ),
        Example(
            variant="model",
            bad="""\
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = tf.keras.layers.Dense(3)
        self.temperature = self.add_weight(shape=(), initializer='ones', trainable=False)

    def call(self, inputs):
        return self.dense(inputs) / self.temperature

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()
""",
            at="self.add_weight(shape=(), initializer='ones', trainable=False)",
            good="""\
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = tf.keras.layers.Dense(3)
        self.temperature = self.add_weight(
            shape=(),
            initializer='ones',
            trainable=False,
            name='temperature',
        )

    def call(self, inputs):
        return self.dense(inputs) / self.temperature

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()
""",
            witness=Witness(build="Net()", fails={Keras.V2: _UNNAMED}),
            keras=_V2,
        ),
        Example(
            variant="shared name",
            bad="""\
import keras


class Affine(keras.layers.Layer):
    def __init__(self, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.use_bias = use_bias

    def build(self, input_shape):
        width = input_shape[-1]
        self.scale = self.add_weight(name="kernel", shape=(width,), initializer="ones")
        if self.use_bias:
            self.bias = self.add_weight(name="kernel", shape=(width,), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs):
        outputs = inputs * self.scale
        return outputs + self.bias if self.use_bias else outputs
""",
            at='"kernel"',
            good="""\
import keras


class Affine(keras.layers.Layer):
    def __init__(self, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.use_bias = use_bias

    def build(self, input_shape):
        width = input_shape[-1]
        self.scale = self.add_weight(name="kernel", shape=(width,), initializer="ones")
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(width,), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs):
        outputs = inputs * self.scale
        return outputs + self.bias if self.use_bias else outputs
""",
            witness=Witness(build="Affine()", ways=_EVERY, fails=dict.fromkeys(Keras, _TAKEN)),
        ),
        Example(
            variant="shared name in a loop",
            bad="""\
from keras import layers


class Chain(layers.Layer):
    def __init__(self, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.depth = depth

    def build(self, input_shape):
        self.scales = []
        for index in range(self.depth):
            scale = self.add_weight(name="scale", shape=(6,), initializer="ones")
            self.scales.append(scale)
        super().build(input_shape)

    def call(self, inputs):
        for scale in self.scales:
            inputs = inputs * scale
        return inputs
""",
            at='"scale"',
            good="""\
from keras import layers


class Chain(layers.Layer):
    def __init__(self, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.depth = depth

    def build(self, input_shape):
        self.scales = []
        for index in range(self.depth):
            scale = self.add_weight(
                name=f"scale_{index}",
                shape=(6,),
                initializer="ones",
            )
            self.scales.append(scale)
        super().build(input_shape)

    def call(self, inputs):
        for scale in self.scales:
            inputs = inputs * scale
        return inputs
""",
            witness=Witness(build="Chain()", ways=_EVERY, fails=dict.fromkeys(Keras, _TAKEN)),
        ),
        Example(
            variant="shared name in two methods",
            bad="""\
import keras
from keras import ops


class Mix(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.before = self.add_weight(shape=(6,), initializer="ones", name="mix")

    def build(self, input_shape):
        self.behind = self.add_weight(shape=(6,), initializer="ones", name="mix")

    def call(self, inputs):
        return ops.tanh(inputs * self.before) * self.behind
""",
            at='"mix"',
            good="""\
import keras
from keras import ops


class Mix(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.before = self.add_weight(shape=(6,), initializer="ones", name="mix")

    def build(self, input_shape):
        self.behind = self.add_weight(
            shape=(6,),
            initializer="ones",
            name="behind",
        )

    def call(self, inputs):
        return ops.tanh(inputs * self.before) * self.behind
""",
            witness=Witness(build="Mix()", ways=_EVERY, fails={Keras.V3: _TAKEN}),
            keras=_V3,
        ),
        Example(
            variant="shared name in two scopes",
            bad=_SCOPED.format("embeddings"),
            at='"embeddings"',
            good=_SCOPED.format("position"),
            witness=Witness(build="Embeddings()", ways=_EVERY, fails={Keras.V3: _TAKEN}),
            keras=_V3,
        ),
    )
    silent = (
        """\
# A name scope of Keras' own prefixes the names.
from tensorflow import keras


class Embeddings(keras.layers.Layer):
    def build(self, input_shape):
        with keras.backend.name_scope("word_embeddings"):
            self.weight = self.add_weight(name="embeddings", shape=(6,), initializer="ones")
        with keras.backend.name_scope("position_embeddings"):
            self.position = self.add_weight(name="embeddings", shape=(6,), initializer="ones")

    def call(self, inputs):
        return inputs * self.weight + self.position
""",
        """\
# Each has a name of its own, in every way of giving one.
import tensorflow as tf
from tensorflow import keras


class Named(keras.layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=(6,), initializer="ones")
        self.gates = [
            self.add_weight(name=f"gate_{i}", shape=(6,), initializer="ones") for i in range(2)
        ]
        self.table = {
            key: self.add_weight(name=key, shape=(6,), initializer="ones") for key in "ab"
        }

    def call(self, inputs):
        return inputs * self.scale
""",
        """\
# A run makes only one of those that share a name.
import tensorflow as tf
from tensorflow import keras


class Either(keras.layers.Layer):
    def __init__(self, wide=False, deep=False, **kwargs):
        super().__init__(**kwargs)
        self.wide = wide
        self.deep = deep

    def build(self, input_shape):
        if self.wide:
            self.kernel = self.add_weight(name="kernel", shape=(6, 12))
        elif self.deep:
            self.kernel = self.add_weight(name="kernel", shape=(6, 6))
        else:
            self.kernel = self.add_weight(name="kernel", shape=(6, 3))
        if self.deep:
            self.bias = self.add_weight(name="bias", shape=(6,))
        if not self.deep:
            self.bias = self.add_weight(name="bias", shape=(3,))

    def call(self, inputs):
        return inputs @ self.kernel


class Early(keras.layers.Layer):
    def build(self, input_shape):
        if len(input_shape) > 2:
            self.scale = self.add_weight(name="scale", shape=(6, 6))
            return
        self.scale = self.add_weight(name="scale", shape=(6,))

    def call(self, inputs):
        return inputs * self.scale
""",
        """\
# The name, or the arguments, come from elsewhere.
import tensorflow as tf
from tensorflow import keras


class Made(keras.layers.Layer):
    def build(self, input_shape):
        self.query = self._kernel("query")
        self.key = self._kernel("key")
        self.value = self.add_weight(**self.options)

    def _kernel(self, name):
        return self.add_weight(name=name, shape=(6, 6))

    def call(self, inputs):
        return inputs @ self.query @ self.key @ self.value
""",
        """\
# Two layers may use the same name, and the class makes its weights in its own way.
import tensorflow as tf
from tensorflow import keras


class One(keras.layers.Layer):
    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(6, 6))

    def call(self, inputs):
        return inputs @ self.kernel


class Other(keras.layers.Layer):
    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(6, 6))
        self.inner = One()
        self.scale = self.inner.add_weight(shape=(6,))

    def call(self, inputs):
        return inputs @ self.kernel


class Own(keras.layers.Layer):
    def add_weight(self, shape):
        return super().add_weight(name=f"w{len(self.weights)}", shape=shape)

    def build(self, input_shape):
        self.kernel = self.add_weight((6, 6))

    def call(self, inputs):
        return inputs @ self.kernel
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Weights without a name (Keras 2), then those that share one."""
        for cls in module.classes:
            if not cls.kind.is_layer:
                continue
            if module.keras is Keras.V2:
                yield from self._unnamed(module, cls)
                # What `build` makes is prefixed with the name of the layer.
                for method in weight_calls.CONSTRUCTION:
                    yield from self._shared(module, cls, method)
            elif cls.kind is not Kind.MODEL:
                # A subclassed Model cannot be loaded from `.h5` anyway.
                yield from self._shared(module, cls, *weight_calls.CONSTRUCTION)

    def _unnamed(self, module: ModuleModel, cls: KerasClass) -> Iterator[Finding]:
        found = {id(call.node): call for call in _all_calls(cls) if _is_unnamed(call)}
        if not found:
            return
        first, *others = found.values()
        loop = weight_calls.loop_around(module, first)
        yield self.finding(
            module,
            first.node,
            f"a weight of `{cls.name}` has no name, without which Keras 2 writes no SavedModel",
            variant=_variant(cls, first, alone=not others, in_loop=loop is not None),
            labels=[(call.node, "nor has this one") for call in others],
            fix=_names(module, cls, list(found.values())),
        )

    def _shared(self, module: ModuleModel, cls: KerasClass, *methods: str) -> Iterator[Finding]:
        seen: dict[str, list[WeightCall]] = {}
        for call in {id(c.node): c for c in weight_calls.calls(cls, *methods)}.values():
            argument = weight_calls.name_argument(call, module.keras)
            name = argument.value if argument is not None else None
            if argument is None or not isinstance(name, Const) or not isinstance(name.value, str):
                continue
            if weight_calls.is_scoped(module, call):
                continue
            before = seen.setdefault(name.value, [])
            first = next((b for b in before if weight_calls.run_together(module, b, call)), None)
            loop = weight_calls.loop_around(module, call)
            before.append(call)
            if first is None and loop is None:
                continue
            variant = "shared name in a loop" if first is None else "shared name"
            if first is not None and first.method != call.method:
                variant = "shared name in two methods"
            elif first is not None and weight_calls.is_in_scope(module, call):
                variant = "shared name in two scopes"
            yield self.finding(
                module,
                argument.node.value,
                f"weights of `{cls.name}` share the name `{name.value}`",
                variant=variant,
                labels=[(first.node, "the first of that name")] if first is not None else [],
                fix=_rename(module, cls, call, name.value),
            )


def _all_calls(cls: KerasClass) -> Iterator[WeightCall]:
    return weight_calls.calls(cls, *weight_calls.CONSTRUCTION)


def _variant(cls: KerasClass, first: WeightCall, *, alone: bool, in_loop: bool) -> str:
    if cls.kind is not Kind.LAYER:
        return "model"
    if in_loop:
        return "loop"
    return "unnamed" if alone else "several"


def _is_unnamed(call: WeightCall) -> bool:
    if call.arguments.is_open:
        return False
    argument = weight_calls.name_argument(call, Keras.V2)
    return argument is None or argument.value == Const(None)


# ---------------------------------------------------------------------- fixes


def _names(module: ModuleModel, cls: KerasClass, unnamed: list[WeightCall]) -> Fix:
    """Name the weights after their attributes, as many of them as have one of their own."""
    taken = _taken(module, cls)
    edits: list[Edit] = []
    for call in unnamed:
        label = weight_calls.label_of(module, cls, call)
        if label is None or label[0] in taken:
            continue
        taken.add(label[0])
        text = _quoted(module, *label)
        argument = weight_calls.name_argument(call, Keras.V2)
        if argument is None:
            edits.append(rewrite.add_argument(module, call.node, f"name={text}"))
        else:
            given = text if argument.keyword else f"name={text}"
            edits.append(rewrite.replace(module, argument.node.value, given))
    if not edits:
        return Fix("give it a name of its own: `name=`", Safety.DISPLAY)
    return Fix("name it after its attribute", Safety.SAFE, tuple(edits))


def _rename(module: ModuleModel, cls: KerasClass, call: WeightCall, name: str) -> Fix:
    label = weight_calls.label_of(module, cls, call)
    argument = weight_calls.name_argument(call, module.keras)
    if label is not None and label[1]:
        label = (name, label[1])  # the loop's counter tells them apart
    elif label is not None and label[0] in _taken(module, cls):
        label = None
    if label is None or argument is None:
        return Fix("give each a name of its own", Safety.DISPLAY)
    return Fix(
        "give it a name of its own",
        Safety.UNSAFE,
        (rewrite.replace(module, argument.node.value, _quoted(module, *label)),),
        _KNOWN_BY_NAME[module.keras],
    )


def _taken(module: ModuleModel, cls: KerasClass) -> set[str]:
    """The names that weights of the class already have."""
    every = (call for part in lineage.ancestry(module, cls) for call in _all_calls(part))
    arguments = (weight_calls.name_argument(call, module.keras) for call in every)
    values = (argument.value for argument in arguments if argument is not None)
    return {str(v.value) for v in values if isinstance(v, Const) and v.value is not None}


def _quoted(module: ModuleModel, name: str, counter: str) -> str:
    if not counter:
        return weights.quoted(module, name)
    return "f" + weights.quoted(module, f"{name}_{{{counter}}}")
