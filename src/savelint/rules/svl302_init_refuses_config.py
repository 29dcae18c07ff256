"""SVL302 init-refuses-config."""

from __future__ import annotations

from collections.abc import Iterator

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras.config import (
    Config,
    Constructor,
    accepted,
    config,
    constructor,
    recorded_by,
)
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import ROOT_CONFIGS, Kind
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import rebuilding

_ORDER = ("name", "trainable", "dtype", "reduction")
_REFUSED = "TypeError: .*unexpected keyword argument '(name|trainable|dtype)'"
_WAYS = (Way.CALL, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS)

_SCALE = """\
import tensorflow as tf


@tf.keras.utils.register_keras_serializable(package="project")
class Scale(tf.keras.layers.Layer):
    def __init__(self, factor{parameter}):
        super().__init__({argument})
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        config = super().get_config()
        config.update({{"factor": self.factor}})
        return config
"""
_SHIFT = """\
from keras import layers


class Shift(layers.Layer):
    def __init__(
        self,
        by=1.0,
        name=None,{parameter}
    ):
        super(Shift, self).__init__(name=name{argument})
        self.by = by

    def call(self, inputs):
        return inputs + self.by

    def get_config(self):
        return {{**super(Shift, self).get_config(), "by": self.by}}
"""
_NET = """\
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, units: int{parameter}):
        super().__init__({argument})
        self.units = units
        self.dense = keras.layers.Dense(units)

    def call(self, inputs):
        return self.dense(inputs)

    def get_config(self):
        base_config = super().get_config()
        config = {{"units": self.units}}
        return dict(list(base_config.items()) + list(config.items()))
"""


class InitRefusesConfig(Rule):
    """`get_config` hands on the config of the base, which the constructor does not take.

    Consequence: the config of every layer holds `name`, `trainable` and `dtype`, that of a
    loss its `reduction`. Keras rebuilds the object by `cls(**config)`: a constructor that
    lacks one of them raises when the model is loaded. In Keras 2 the config that a model
    inherits is empty.

    Silent: a constructor with `**kwargs`, a `from_config`, and a config whose entries
    cannot be told.

    Fix: `**kwargs` is added and handed to `super().__init__` (safe: only the failure goes).
    Where that call fixes such an argument itself, nothing is changed.
    """

    code = "SVL302"
    name = "init-refuses-config"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("get_config",)
    examples = (
        Example(
            variant="layer",
            bad=_SCALE.format(parameter="", argument=""),
            at="factor",
            good=_SCALE.format(parameter=", **kwargs", argument="**kwargs"),
            witness=Witness(
                build="Scale(3.0)",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _REFUSED}, Keras.V2: {Way.KERAS: _REFUSED}},
            ),
        ),
        Example(
            variant="name",
            bad=_SHIFT.format(parameter="", argument=""),
            at="name",
            good=_SHIFT.format(parameter="\n        **kwargs,", argument=", **kwargs"),
            witness=Witness(
                build="Shift(3.0)",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _REFUSED}, Keras.V2: {Way.KERAS: _REFUSED}},
            ),
        ),
        Example(
            variant="model",
            bad=_NET.format(parameter="", argument=""),
            at="units",
            good=_NET.format(parameter=", **kwargs", argument="**kwargs"),
            witness=Witness(
                build="Net(3)",
                ways=(*_WAYS, Way.TRAIN),
                fails={Keras.V3: {Way.KERAS: _REFUSED}},
                trains=2,
            ),
            keras=(Keras.V3,),
        ),
    )
    silent = (
        """\
# It takes them: in `**kwargs`, by name, or through the base's constructor.
import keras
from keras import layers

class One(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def get_config(self):
        return {**super().get_config(), "units": self.units}

class Two(layers.Layer):
    def __init__(self, units, *, name=None, trainable=True, dtype=None):
        super().__init__(name=name, trainable=trainable, dtype=dtype)
        self.units = units

    def get_config(self):
        return {**super().get_config(), "units": self.units}

class Three(One):
    def get_config(self):
        return super().get_config()

class Four(One):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
""",
        """\
# The base's config is not merged, or not handed on whole.
import keras
from keras import layers

class One(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.units = units

    def get_config(self):
        return {"units": self.units}

class Two(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.units = units

    def get_config(self):
        config = super().get_config()
        return {"units": self.units, "described": str(config)}

    @classmethod
    def from_config(cls, config):
        return cls(config["units"])

class Three(layers.Layer):
    def __init__(self, units, name=None):
        super().__init__(name=name)
        self.units = units

    def get_config(self):
        config = super().get_config()
        config.pop("trainable")
        config.pop("dtype")
        config["units"] = self.units
        return config

class Four(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.units = units

    def get_config(self):
        config = super().get_config()
        return {key: config[key] for key in config if key == "units"}
""",
        """\
# What these inherit is an empty config, or none that can be told.
import keras
from project import Base

class Clip(keras.constraints.Constraint):
    def __init__(self, limit):
        self.limit = limit

    def __call__(self, w):
        return w

    def get_config(self):
        return {**super().get_config(), "limit": self.limit}

class Other(Base, keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.units = units

    def get_config(self):
        return {**super().get_config(), "units": self.units}
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each class whose config holds that of a Keras class, at its last parameter."""
        for cls in module.classes:
            recorded = config(cls)
            made = constructor(module, cls)
            if recorded is None or made is None or not rebuilding.is_plain(module, cls):
                continue
            if cls.outline is not made.definer or not module.is_here(made.node):
                continue
            if not recorded.is_known or rebuilding.supplied(module, cls) != frozenset():
                continue
            takes = accepted(module, cls.outline)
            refused = _inherited(module, recorded) - takes if takes is not None else frozenset()
            if refused and not rebuilding.is_functional(cls):
                yield self._found(module, cls, recorded, made, refused)

    def _found(
        self,
        module: ModuleModel,
        cls: KerasClass,
        recorded: Config,
        made: Constructor,
        refused: frozenset[str],
    ) -> Finding:
        from savelint.rules import configs

        names = rebuilding.enumerated(sorted(refused, key=_ORDER.index))
        variant = "model" if cls.kind is Kind.MODEL else "layer"
        if variant == "layer" and "name" in made.names:
            variant = "name"
        declared = made.arguments[-1].parameter if made.arguments else None
        here = module.is_here(recorded.method)
        edits = configs.forwarding(module, made)
        fix = (
            Fix("take `**kwargs` and hand them to `super().__init__`", Safety.SAFE, edits)
            if edits is not None
            else Fix("take `**kwargs` and hand them on", Safety.DISPLAY)
        )
        return self.finding(
            module,
            declared.node.name if declared is not None else made.node.name,
            f"`{cls.name}.__init__` does not take {names}, which its config holds",
            variant=variant,
            note="Keras rebuilds it by `cls(**config)`",
            labels=[(recorded.method.name, "hands on the base's config")] if here else (),
            fix=fix,
        )


def _inherited(module: ModuleModel, recorded: Config) -> frozenset[str]:
    """What the config of Keras' own classes brings, at least, and is not set anew."""
    found: set[str] = set()
    for base in recorded.inherits:
        known = recorded_by(base, module.keras)
        if known is None and ".layers." in f".{base}":
            known = ROOT_CONFIGS["Layer"]
        found.update(known or ())
    return frozenset(found)
