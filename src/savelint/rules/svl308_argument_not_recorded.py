"""SVL308 argument-not-recorded."""

from __future__ import annotations

from collections.abc import Iterator

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras.config import Taken, constructor, library_bases
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import CONFIG, Kind
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import rebuilding, recording

_MUST = r"NotImplementedError: .*must override `get_config\(\)`"
_WAYS = (Way.CALL, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS)

_RESIDUAL = """\
import tensorflow as tf


class Residual(tf.keras.layers.Layer):
    def __init__(self, inner, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner
        self.scale = scale

    def call(self, inputs):
        return inputs + self.scale * self.inner(inputs)
{method}"""
_FROZEN = """\
import keras
from keras import layers


class Frozen(layers.Layer):
    def __init__(self, base: layers.Layer, *, name="frozen", **kwargs):
        super().__init__(name=name, **kwargs)
        self.base = base
        self.base.trainable = False

    def call(self, inputs):
        return self.base(inputs, training=False)
{method}"""
_TABLE = """\
import numpy as np
import tensorflow as tf
from tensorflow.keras import layers


class Weighted(layers.Layer):
    def __init__(self, table: np.ndarray, **kwargs):
        super().__init__(**kwargs)
        self.table = np.asarray(table, "float32")

    def call(self, inputs):
        return inputs * self.table
{method}"""


class ArgumentNotRecorded(Rule):
    """A layer without `get_config` takes a layer, a function or an array.

    Consequence: Keras records the arguments of a layer by itself, but only numbers, words
    and lists of them. A layer that was given anything else raises when it is saved.

    Silent: a layer that is only a part of others, which make it anew; an argument that may
    be left out; one of which it is not certain what it is. In Keras 2 as in Keras 3 plain
    arguments need no `get_config`.

    Fix: `get_config` with the layer in its serialized form, and `from_config` that brings
    it back (unsafe: it must be a layer, and no function). Shown only for an array.
    """

    code = "SVL308"
    name = "argument-not-recorded"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("__init__", "dataclass", "attr")
    examples = (
        Example(
            variant="callable",
            bad=_RESIDUAL.format(method=""),
            at="inner",
            good=_RESIDUAL.format(
                method="""
    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "inner": tf.keras.layers.serialize(self.inner),
                "scale": self.scale,
            }
        )
        return config

    @classmethod
    def from_config(cls, config):
        config["inner"] = tf.keras.layers.deserialize(config["inner"])
        return cls(**config)
"""
            ),
            witness=Witness(
                build="Residual(tf.keras.layers.Dense(6), 2.0)",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _MUST}, Keras.V2: {Way.KERAS: _MUST}},
            ),
        ),
        Example(
            variant="layer",
            bad=_FROZEN.format(method=""),
            at="base",
            good=_FROZEN.format(
                method="""
    def get_config(self):
        config = super().get_config()
        config.update({"base": layers.serialize(self.base)})
        return config

    @classmethod
    def from_config(cls, config):
        config["base"] = layers.deserialize(config["base"])
        return cls(**config)
"""
            ),
            witness=Witness(
                build="Frozen(layers.Dense(3))",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _MUST}, Keras.V2: {Way.KERAS: _MUST}},
            ),
        ),
        Example(
            variant="array",
            bad=_TABLE.format(method=""),
            at="table",
            good=_TABLE.format(
                method="""
    def get_config(self):
        return {**super().get_config(), "table": self.table.tolist()}
"""
            ),
            witness=Witness(
                build="Weighted(np.arange(6.0))",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _MUST}, Keras.V2: {Way.KERAS: _MUST}},
            ),
            fixed=False,
        ),
    )
    silent = (
        """\
# Plain arguments are recorded; these may be left out, or are made of words.
import keras
from keras import layers

class One(layers.Layer):
    def __init__(self, units, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(units)
        self.rate = rate

    def call(self, inputs):
        return self.dense(inputs) * self.rate

class Two(layers.Layer):
    def __init__(self, activation, inner=None, **kwargs):
        super().__init__(**kwargs)
        self.activation = keras.activations.get(activation)
        self.inner = inner

    def call(self, inputs):
        outputs = self.activation(inputs)
        return self.inner(outputs) if self.inner is not None else outputs
""",
        """\
# What is asked for its members is no argument any more.
import numpy as np
import keras

class One(keras.layers.Layer):
    def __init__(self, shape, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        shape = np.array(shape)
        if shape.ndim > 1:
            raise ValueError(shape)
        self.units, self.scale = shape.tolist(), scale

    def call(self, inputs):
        return inputs * self.scale
""",
        """\
# A part of a model, which makes it anew, by its name or by another; one with its own config.
import keras
from keras import layers

class Block(layers.Layer):
    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def call(self, inputs):
        return self.inner(inputs)

class Other(Block):
    def __init__(self, inner: layers.Layer, **kwargs):
        super().__init__(inner, **kwargs)

class Net(layers.Layer):
    def __init__(self, other=False, **kwargs):
        super().__init__(**kwargs)
        self.block = Block(layers.Dense(3))
        block = Other if other else Block
        self.next = block(layers.Dense(3))

    def call(self, inputs):
        return self.block(inputs)

class Third(layers.Layer):
    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def call(self, inputs):
        return self.inner(inputs)

    def get_config(self):
        config = {"inner": layers.serialize(self.inner)}
        return {**super().get_config(), **config}

    @classmethod
    def from_config(cls, config):
        config["inner"] = layers.deserialize(config["inner"])
        return cls(**config)
""",
        """\
# Wrapper records the layer that it wraps; of the other base nothing is known.
import keras
from project import Base

class Wrapped(keras.layers.Wrapper):
    def __init__(self, layer, **kwargs):
        super().__init__(layer, **kwargs)
        self.inner = layer

    def call(self, inputs):
        return self.inner(inputs)

class Known(Base, keras.layers.Layer):
    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def call(self, inputs):
        return self.inner(inputs)
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each Layer without `get_config`, at the first such argument."""
        for cls in module.classes:
            if cls.kind is not Kind.LAYER or cls.outline.definer(CONFIG) is not None:
                continue
            if any(base.rpartition(".")[2] != "Layer" for base in library_bases(cls.outline)):
                continue
            made = constructor(module, cls)
            if made is None or made.definer is not cls.outline or not module.is_here(made.node):
                continue
            if not rebuilding.is_plain(module, cls) or rebuilding.is_left_open(module, cls):
                continue
            methods = {name for c in cls.outline.lineage for name in c.method_names}
            if "from_config" in methods:
                continue
            natures = {t.name: rebuilding.nature(module, cls, made, t) for t in made.arguments}
            found = [taken for taken in made.arguments if natures[taken.name]]
            if found and not module.is_part(cls):
                yield self._found(module, cls, found, natures)

    def _found(
        self, module: ModuleModel, cls: KerasClass, found: list[Taken], natures: dict[str, str]
    ) -> Finding:
        made = constructor(module, cls)
        first = found[0]
        what = {
            "layer": "a layer",
            "callable": "a layer or a function",
            "callables": "a list of layers",
            "array": "an array",
            "object": "an object",
        }
        kind = natures[first.name]
        fix = Fix("define `get_config`", Safety.DISPLAY)
        if made is not None and {natures[t.name] for t in found} <= {"layer", "callable"}:
            missing = rebuilding.lost(module, cls, made)
            fix = recording.generate(module, cls, made, missing, [t.name for t in found])
        return self.finding(
            module,
            first.label,
            f"`{cls.name}` is given {what[kind]} as `{first.name}`, which Keras cannot record",
            variant="array" if kind == "object" else "callable" if kind == "callables" else kind,
            note="it has no `get_config`",
            labels=[(taken.label, "nor this") for taken in found[1:]],
            fix=fix,
        )
