"""SVL314 compile-override."""

from __future__ import annotations

from collections.abc import Iterator

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import clues
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Kind
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import lineage

_LOADING = "compile_from_config"
_NET = """\
import keras
import numpy as np
from keras import layers


@keras.utils.register_keras_serializable(package="nets")
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)

    def compile(self, optimizer, penalty=0.1, **kwargs):
        super().compile(optimizer=optimizer, loss="mean_squared_error", **kwargs)
        self.penalty = penalty
{more}

x, y = np.ones([8, 6], "float32"), np.ones([8, 3], "float32")
net = Net()
net.compile("sgd", penalty=0.5)
net.fit(x, y, verbose=0)
net.save("net.keras")
net = keras.models.load_model("net.keras")
net.fit(x, y, verbose=0)
"""
_BOTH = """
    def get_compile_config(self):
        return {"optimizer": "sgd", "penalty": self.penalty}

    def compile_from_config(self, config):
        self.compile(**config)
"""
_HALF = """
    def get_compile_config(self):
        return {"optimizer": "sgd", "penalty": self.penalty}
"""
_FAILS = {
    Keras.V2: {Way.RUN: "RuntimeError: You must compile your model"},
    Keras.V3: {Way.RUN: "ValueError: No loss to compute"},
}
_WITNESS = Witness(build="net", ways=(Way.RUN,), fails=_FAILS)


class CompileOverride(Rule):
    """A model overrides `compile`, and does not say how it is compiled when it is loaded.

    Consequence: Keras does not call a `compile` that is not its own when it loads a model. It
    warns, and the model comes back without optimizer and loss and without all that `compile`
    set on it: `fit` and `evaluate` raise. The weights are there.

    Silent: classes with `compile_from_config`, or a `save`, of their own or inherited; models
    whose constructor compiles them; bases that are not in sight.

    Fix: `get_compile_config` and `compile_from_config` are to be written by hand: what
    `compile` takes must be serialized first.
    """

    code = "SVL314"
    name = "compile-override"
    since = "0.1"
    severity = {Keras.V2: Severity.WARNING, Keras.V3: Severity.WARNING}
    mentions = ("compile",)
    clues = (frozenset({clues.MODEL}),)
    examples = (
        Example(
            variant="neither",
            bad=_NET.format(more=""),
            at="compile",
            good=_NET.format(more=_BOTH),
            witness=_WITNESS,
            fixed=False,
        ),
        Example(
            variant="not-read",
            bad=_NET.format(more=_HALF),
            at="compile",
            good=_NET.format(more=_BOTH),
            witness=_WITNESS,
            fixed=False,
        ),
    )
    silent = (
        """\
# The base says how it is compiled when it is loaded.
import keras

class Base(keras.Model):
    def compile_from_config(self, config):
        self.compile(**config)

class Net(Base):
    def compile(self, rate=0.1):
        super().compile(keras.optimizers.SGD(rate), "mse")
""",
        """\
# A base that is not in sight may; an abstract `compile` is left to others.
import keras
from project import Base

class One(Base, keras.Model):
    def compile(self, rate=0.1):
        super().compile(keras.optimizers.SGD(rate), "mse")

class Two(keras.Model):
    def compile(self, rate=0.1):
        raise NotImplementedError
""",
        """\
# Its constructor, or that of a base, compiles it.
import keras

class Task(keras.Model):
    def __init__(self, *, compile=True, **kwargs):
        super().__init__(**kwargs)
        if compile:
            self.compile()

class Classifier(Task):
    def compile(self, optimizer="auto", **kwargs):
        super().compile(optimizer="adam", **kwargs)
""",
        """\
# It has its own way of saving.
import tensorflow as tf

class Net(tf.keras.Model):
    def compile(self, rate=0.1):
        super().compile(tf.keras.optimizers.SGD(rate), "mse")

    def save(self, path):
        self.save_weights(path)
""",
        """\
# It is no Keras model, or it has no `compile` of its own.
import keras

class Pattern:
    def compile(self, text):
        return text

class Net(keras.Model):
    def prepare(self):
        self.compile("sgd", "mse")
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each Model's own `compile`."""
        for cls in module.classes:
            if _is_lost(module, cls):
                yield self._found(module, cls)

    def _found(self, module: ModuleModel, cls: KerasClass) -> Finding:
        half = cls.outline.definer("get_compile_config") is not None
        names = f"`{_LOADING}`" if half else f"`get_compile_config` and `{_LOADING}`"
        return self.finding(
            module,
            cls.outline.methods["compile"].name,
            f"`{cls.name}` is loaded uncompiled: its `compile` is its own",
            variant="not-read" if half else "neither",
            note="not called when the model is loaded",
            fix=Fix(f"define {names}", Safety.DISPLAY),
        )


def _is_lost(module: ModuleModel, cls: KerasClass) -> bool:
    compiling = cls.outline.methods.get("compile")
    return (
        compiling is not None
        and cls.kind in {Kind.MODEL, Kind.FUNCTIONAL}
        and lineage.is_known(module, cls.outline)
        and not any(map(cls.outline.definer, (_LOADING, "save")))
        and not _compiles_itself(module, cls)
        and "NotImplementedError" not in module.code_of(compiling.body)
    )


def _compiles_itself(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether a constructor compiles the model that it makes, the loaded one too."""
    made = (each.methods.get("__init__") for each in cls.outline.lineage)
    return any("self.compile(" in module.code_of(node.body) for node in made if node is not None)
