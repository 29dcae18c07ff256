"""SVL309 from-config-not-classmethod."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Kind
from savelint.rule import Example, Rule, Way, Witness

if TYPE_CHECKING:
    import libcst as cst

_METHOD = "from_config"
_MISSING = "TypeError: .*missing 1 required positional argument"
# What Keras 3 says of a model of which a part cannot be made.
_LAYER = """\
import tensorflow as tf
from tensorflow import keras


@keras.utils.register_keras_serializable(package="blocks")
class Block(keras.layers.Layer):
    def __init__(self, units, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)
        self.dense = keras.layers.Dense(units)

    def call(self, inputs):
        return self.activation(self.dense(inputs))

    def build(self, input_shape):
        self.dense.build(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        config = super().get_config()
        config["units"] = self.units
        config["activation"] = keras.activations.serialize(self.activation)
        return config

{method}


inputs = keras.Input([6])
model = keras.Model(inputs, Block(3)(inputs))
model.save("model.keras")
"""
_MODEL = """\
import keras
from keras import layers


@keras.saving.register_keras_serializable(package="nets")
class Net(keras.Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(units)

    def call(self, inputs):
        return self.dense(inputs)

    {decorator}
    def from_config(cls, config):  # as it was written
        return cls(**config)

    def get_config(self):
        return {{**super().get_config(), "units": self.units}}
"""
_LOSS = """\
import tensorflow as tf
import tensorflow.keras as K


@K.utils.register_keras_serializable()
class Scaled(K.losses.Loss):
    def __init__(self, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, y_true, y_pred):
        return self.scale * tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

    def get_config(self):
        return dict(super().get_config(), scale=self.scale)

{method}


model = K.Sequential([K.Input([6]), K.layers.Dense(3)])
model.compile("sgd", Scaled(2.0))
model.save("model.keras")
"""
_SCRIPT = (Way.RUN, Way.KERAS)


class FromConfigNotClassmethod(Rule):
    """`from_config` is no class method, so that Keras cannot call it.

    Consequence: Keras calls `Class.from_config(config)`. Without `@classmethod` the config
    takes the place of the class, and loading a model with such a part raises a TypeError, in
    both generations and for layers, models and losses alike. Saving says nothing.

    Silent: `def from_config(config)`, which can be called so; a method made a class method
    further down; any other decorator; callbacks, which Keras never rebuilds.

    Fix: `@classmethod`, with `self` renamed to `cls` where it is not used otherwise (safe:
    nothing could call it before). A `self` of which attributes are read is left to the reader.
    """

    code = "SVL309"
    name = "from-config-not-classmethod"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = (_METHOD,)
    examples = (
        Example(
            variant="layer",
            bad=_LAYER.format(
                method="    def from_config(cls, config):\n        return cls(**config)"
            ),
            at="from_config",
            good=_LAYER.format(
                method="    @classmethod\n    def from_config(cls, config):\n"
                "        return cls(**config)"
            ),
            witness=Witness(
                build="model",
                ways=_SCRIPT,
                saved="model.keras",
                fails={keras: {Way.KERAS: _MISSING} for keras in Keras},
            ),
        ),
        Example(
            variant="staticmethod",
            bad=_MODEL.format(decorator="@staticmethod"),
            at="from_config",
            good=_MODEL.format(decorator="@classmethod"),
            witness=Witness(
                build="Net(units=4)",
                fails={keras: {Way.KERAS: _MISSING} for keras in Keras},
            ),
        ),
        Example(
            variant="loss",
            bad=_LOSS.format(
                method="    def from_config(self, config):\n        return Scaled(**config)"
            ),
            at="from_config",
            good=_LOSS.format(
                method="    @classmethod\n    def from_config(cls, config):\n"
                "        return Scaled(**config)"
            ),
            witness=Witness(
                build="model",
                ways=_SCRIPT,
                saved="model.keras",
                fails={keras: {Way.KERAS: _MISSING} for keras in Keras},
            ),
        ),
    )
    silent = (
        """\
# Called on the class, it needs no first parameter; another is made a class method below.
import keras

class One(keras.layers.Layer):
    def call(self, inputs):
        return inputs

    def from_config(config):
        return One(**config)

class Two(keras.layers.Layer):
    def call(self, inputs):
        return inputs

    def from_config(cls, config):
        return cls(**config)

    from_config = classmethod(from_config)

class Three(keras.layers.Layer):
    def call(self, inputs):
        return inputs

    @staticmethod
    def from_config(config, custom_objects=None):
        return Three(**config)
""",
        """\
# A decorator of the project may do it; a plain class is no matter of Keras.
import keras
from project import class_method

class One(keras.layers.Layer):
    def call(self, inputs):
        return inputs

    @class_method
    def from_config(cls, config):
        return cls(**config)

class Settings:
    def from_config(self, config):
        return Settings(**config)
""",
        """\
# Keras never rebuilds a callback.
import keras

class Log(keras.callbacks.Callback):
    def from_config(self, config):
        return Log(**config)
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each `from_config` that a class with a config defines as a plain method."""
        for cls in module.classes:
            method = cls.outline.methods.get(_METHOD)
            if method is None or not _is_rebuilt(cls) or _METHOD in cls.outline.assigned:
                continue
            decorators = [module.text(item.decorator) for item in method.decorators]
            if decorators in ([], ["staticmethod"]) and _takes_class_and_config(method):
                yield self._found(module, cls, method)

    def _found(self, module: ModuleModel, cls: KerasClass, method: cst.FunctionDef) -> Finding:
        static = bool(method.decorators)
        variant = "staticmethod" if static else "loss" if cls.kind is Kind.OTHER else "layer"
        return self.finding(
            module,
            method.name,
            f"`{cls.name}.from_config` is not a class method",
            variant=variant,
            note="Keras calls it on the class, with the config alone",
            fix=_fix(module, method),
        )


def _is_rebuilt(cls: KerasClass) -> bool:
    """Whether Keras rebuilds such an object from its config."""
    bases = (base for outline in cls.outline.lineage for base in outline.bases if base)
    return cls.kind is not Kind.MODULE and not any("keras.callbacks." in base for base in bases)


def _takes_class_and_config(method: cst.FunctionDef) -> bool:
    """Whether a function cannot be called on a config alone."""
    parameters = (*method.params.posonly_params, *method.params.params)
    return len([p for p in parameters if p.default is None]) > 1


def _fix(module: ModuleModel, method: cst.FunctionDef) -> Fix:
    first = (*method.params.posonly_params, *method.params.params)[0].name
    uses = module.count_name(method.body, first.value)
    edits: list[Edit] = []
    if method.decorators:
        edits.append(rewrite.replace(module, method.decorators[0].decorator, "classmethod"))
    else:
        edits.append(rewrite.insert_before(module, method, "@classmethod"))
    if first.value == "self":
        if uses or re.search(r"\bcls\b", module.text(method)):
            return Fix("make it a class method; `self` is then the class", Safety.DISPLAY)
        edits.append(rewrite.replace(module, first, "cls"))
    return Fix("make it a class method", Safety.SAFE, tuple(edits))
