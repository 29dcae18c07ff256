"""SVL109 several-tensor-arguments."""

from __future__ import annotations

from collections.abc import Iterator

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import clues
from savelint.keras.events import LayerCall
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.values import Parameter
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import signatures

_TWO = """\
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = tf.keras.layers.Dense(3)
        self.second = tf.keras.layers.Dense(3)

    def call(self, {parameters}):
{unpacked}        return self.first(user) + self.second(item)
"""
_EXPORTED = """\


net = Net()
net({})
net.export("served")
"""
_TUPLE = {"parameters": "inputs", "unpacked": "        user, item = inputs\n"}
_BUILT = """\
from tensorflow.keras import Model, layers


class Net(Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(3)

    def build(self, input_shape):
        self.dense.build({shape})
        self.built = True

    def call(self, {parameters}):
{unpacked}        return self.dense(x) * tf.reduce_sum(weights, axis=-1, keepdims=True)
"""
_PART = """\
import keras


class Attend(keras.{base}):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.query = keras.layers.Dense(3)
        self.value = keras.layers.Dense(3)

    def call(self, query, value):
        return self.query(query) * self.value(value)


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.attend = Attend()

    def call(self, inputs):
        return self.attend(inputs, inputs)
"""
_JOINED = """\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, {parameter}):
        return self.dense(tf.concat(parts, axis=-1))


net = Net()
net({given})
net.export("served")
"""
_INPUTS = (((6,), "float32"), ((6,), "float32"))
_WAYS = (Way.CALL, Way.TRAIN, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS)
_V3 = "TypeError: .*missing a required argument: '{}'"
_V2 = "TypeError: .*missing 1 required (?:positional|keyword-only) arg.*: '{}'"


class SeveralTensorArguments(Rule):
    """The `call` of a Model must be given more than one argument.

    Consequence: Keras calls a model on one argument, its inputs, when it fits, exports and
    reloads it. `fit` and `export` raise in both generations, `tf.saved_model.save` in Keras 3,
    also with signatures of one's own. A `.keras` file loads in Keras 3 with new random weights,
    without an exception; in Keras 2 it does not load. In Keras 3 `tf.saved_model.save` also
    raises for a model that holds such a model as a part.

    Silent: layers; in Keras 3 a class whose `build` names a shape for each argument; one whose
    instances are only exported with an `input_signature`; parameters with a default, unless it
    is None and is computed with unseen; a `call` that is there to be overridden; parts in
    Keras 2.

    Fix: shown only, as the callers must change too: one tuple or dictionary of tensors, or for
    a part `keras.layers.Layer` as its base.
    """

    code = "SVL109"
    name = "several-tensor-arguments"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("call",)
    clues = (frozenset({clues.NEEDY_CALL}),)
    examples = (
        Example(
            variant="two",
            bad=_TWO.format(parameters="user, item", unpacked=""),
            at="item",
            good=_TWO.format(**_TUPLE),
            witness=Witness(
                build="Net()",
                inputs=_INPUTS,
                ways=_WAYS,
                fails={
                    Keras.V3: {
                        Way.KERAS: "DIFF",
                        Way.EXPORT: _V3.format("item"),
                        Way.SAVED_MODEL: _V3.format("item"),
                        Way.TRAIN: _V3.format("item"),
                    },
                    Keras.V2: {
                        Way.KERAS: "ValueError: Currently, you cannot build your model",
                        Way.EXPORT: _V2.format("item"),
                        Way.TRAIN: "ValueError: Models passed to `fit` can only have",
                    },
                },
            ),
            fixed=False,
        ),
        Example(
            variant="optional",
            bad="""\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, user, item=None, training=None):
        x = tf.concat([user, item], axis=-1)
        return self.dense(x)


net = Net()
net(tf.ones([4, 6]), tf.ones([4, 2]))
net.export("served")
""",
            at="item",
            good="""\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs, training=None):
        user, item = inputs
        x = tf.concat([user, item], axis=-1)
        return self.dense(x)


net = Net()
net((tf.ones([4, 6]), tf.ones([4, 2])))
net.export("served")
""",
            witness=Witness(
                build="net",
                inputs=_INPUTS,
                ways=(Way.RUN,),
                fails={keras: {Way.RUN: "TypeError|ValueError"} for keras in Keras},
            ),
            fixed=False,
        ),
        Example(
            variant="keyword-only",
            bad=_TWO.format(
                parameters="user: tf.Tensor, *, item: tf.Tensor, training=None", unpacked=""
            )
            + _EXPORTED.format("tf.ones([4, 6]), item=tf.ones([4, 6])"),
            at="item",
            good=_TWO.format(
                parameters="inputs, training=None", unpacked="        user, item = inputs\n"
            )
            + _EXPORTED.format("[tf.ones([4, 6]), tf.ones([4, 6])]"),
            witness=Witness(
                build="net",
                inputs=_INPUTS,
                ways=(Way.RUN, Way.SAVED_MODEL),
                saved="served",
                fails={
                    Keras.V3: {Way.RUN: _V3.format("item")},
                    Keras.V2: {Way.RUN: _V2.format("item")},
                },
            ),
            fixed=False,
        ),
        Example(
            variant="starred",
            bad=_JOINED.format(parameter="*parts", given="tf.ones([4, 6]), tf.ones([4, 2])"),
            at="parts",
            good=_JOINED.format(parameter="parts", given="(tf.ones([4, 6]), tf.ones([4, 2]))"),
            witness=Witness(
                build="net",
                inputs=_INPUTS,
                ways=(Way.RUN,),
                fails={keras: {Way.RUN: "TypeError|ValueError"} for keras in Keras},
            ),
            fixed=False,
        ),
        Example(
            variant="built",
            bad="import tensorflow as tf\n"
            + _BUILT.format(parameters="x, weights", shape="input_shape", unpacked=""),
            at="weights",
            good="import tensorflow as tf\n"
            + _BUILT.format(
                parameters="inputs",
                shape="input_shape[0]",
                unpacked="        x, weights = inputs\n",
            ),
            witness=Witness(
                build="Net()",
                inputs=_INPUTS,
                ways=_WAYS,
                fails={
                    Keras.V3: {
                        Way.EXPORT: _V3.format("weights"),
                        Way.SAVED_MODEL: _V3.format("weights"),
                        Way.TRAIN: _V3.format("weights"),
                    },
                    Keras.V2: {
                        Way.EXPORT: _V2.format("weights"),
                        Way.TRAIN: "ValueError: Models passed to `fit` can only have",
                    },
                },
            ),
            fixed=False,
        ),
        Example(
            variant="part",
            bad=_PART.format(base="Model"),
            at="value",
            good=_PART.format(base="layers.Layer"),
            witness=Witness(
                build="Net()",
                ways=_WAYS,
                fails={Keras.V3: {Way.SAVED_MODEL: _V3.format("value")}},
            ),
            keras=(Keras.V3,),
            fixed=False,
        ),
    )
    silent = (
        """\
# A layer is called by the model that holds it, as it likes.
import keras

class Attend(keras.layers.Layer):
    def call(self, query, value):
        return query * value

inputs = keras.Input([6])
model = keras.Model(inputs, Attend()(inputs, inputs))
""",
        """\
# All in one argument, whatever Keras adds.
import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs, training=None, mask=None):
        user, item = inputs
        return self.dense(user) + self.dense(item)
""",
        """\
# What is not given has a default.
import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, x, state=None, *others, **kwargs):
        return self.dense(x) if state is None else self.dense(x) + state
""",
        """\
# A default that is looked at, or that has a value.
import keras
from keras import ops

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs, scale=1.0, state=None, memory=None):
        if state is None:
            state = ops.zeros_like(inputs)
        memory = inputs if memory is None else memory
        x = inputs * scale
        return self.dense(ops.concatenate([x, state, memory], axis=-1) + state)

class Other(Net):
    def call(self, inputs, state=None, memory=None):
        state = self.start(inputs, state)
        with keras.name_scope("other"):
            x = ops.add(inputs, memory) if memory is not None else inputs + state
        return self.dense(x)

    def start(self, inputs, state):
        return ops.zeros_like(inputs) if state is None else state
""",
        """\
# Several or one, handed on as they are; layers.
import keras
import tensorflow as tf

class Wrapper(keras.Model):
    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def call(self, *args, **kwargs):
        return self.inner(*args, **kwargs)

    def get_config(self):
        return {**super().get_config(), "inner": keras.layers.serialize(self.inner)}

    @classmethod
    def from_config(cls, config):
        config["inner"] = keras.layers.deserialize(config["inner"])
        return cls(**config)

class First(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, *inputs):
        return self.dense(inputs[0])

class Joined(keras.layers.Layer):
    def call(self, *inputs):
        return tf.concat(inputs, axis=-1)

class Rest(keras.Model):
    def call(self, inputs, *others):
        return tf.concat([inputs, *others], axis=-1)
""",
        """\
# What is there to be overridden.
import keras

class Base(keras.Model):
    def call(self, user, item):
        raise NotImplementedError
""",
        """\
# Other methods may take what they like.
import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)

    def attend(self, query, value):
        return self.dense(query) * value
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each Model's own `call`, at the first such parameter."""
        for cls in module.classes:
            call = signatures.whole_call(cls)
            needs = signatures.demanded_tensors(module, call) if call is not None else []
            if needs:
                yield from self._found(module, cls, needs)

    def _found(
        self, module: ModuleModel, cls: KerasClass, needs: list[Parameter]
    ) -> Iterator[Finding]:
        use = signatures.use_as_part(module, cls)
        variant = _variant(module, cls, needs, use)
        if variant is None or signatures.is_exported_with_signature(module, cls):
            return
        made_here = any(True for _ in module.file.makers(cls.name))
        if variant != "part" and not made_here and module.elsewhere.only_hands_on(cls):
            return  # a part of what gets it as an argument
        # A class that is never made may be a part of one that is not in sight.
        # A `*args` may as well be given one, as it is where nothing is unpacked.
        is_whole = variant not in {"part", "built", "starred"} and signatures.is_made(module, cls)
        names = " and ".join(f"`{parameter.name}`" for parameter in needs)
        what = f"must be given {names} besides its inputs"
        if variant == "starred":
            what = f"takes several inputs as `*{needs[0].name}`"
        yield self.finding(
            module,
            needs[0].node.name,
            f"`{cls.name}.call` {what}",
            variant=variant,
            severity=None if is_whole else Severity.WARNING,
            note="Keras calls a model on one argument",
            labels=[(use.node, "the model that holds it cannot be saved")] if use else (),
            fix=_fix(variant),
        )


def _variant(
    module: ModuleModel, cls: KerasClass, needs: list[Parameter], use: LayerCall | None
) -> str | None:
    """The example whose consequence is that of this class, None where there is none."""
    if use is not None:
        return "part" if module.keras is Keras.V3 else None
    if signatures.is_part_elsewhere(module, cls):
        return "part" if module.keras is Keras.V3 else None
    if module.is_part(cls):
        return None  # where it is called is not seen
    if needs[0].node.star:
        return "starred" if signatures.loses_weights(module, cls) else None
    build = cls.outline.method("build")
    shapes = module.signature_of(build).parameters if build is not None else ()
    if module.keras is Keras.V3 and len(shapes) > len(needs) + 1:
        return None
    if not signatures.loses_weights(module, cls):
        return "built"
    if not needs[0].required:
        return "optional"
    return "keyword-only" if needs[0].keyword_only else "two"


def _fix(variant: str) -> Fix:
    if variant == "part":
        return Fix("derive it from `keras.layers.Layer`", Safety.DISPLAY)
    return Fix("take the inputs as one tuple or dictionary", Safety.DISPLAY)
