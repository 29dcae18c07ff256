"""SVL307 loss-arguments-lost."""

from __future__ import annotations

from collections.abc import Iterator

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras.config import Taken, constructor, library_bases
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import CONFIG, Kind
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import rebuilding, recording

_OTHERWISE = "DIFF: it learns something else"
_REQUIRED = "TypeError: .*missing 1 required positional argument"
_REFUSED = "TypeError: .*unexpected keyword argument '(name|reduction)'"
_ABSTRACT = "NotImplementedError"
# Classes whose `get_config` raises until it is overridden.
_ABSTRACT_BASES = frozenset({"Regularizer", "LearningRateSchedule"})
# Classes whose config is known, and lacks what a class that derives from them adds.
_BASES = _ABSTRACT_BASES | {"Loss", "Metric", "Mean", "Sum", "Initializer", "Constraint"}

_LOSS = """\
import tensorflow as tf
from tensorflow import keras


class Weighted(keras.losses.Loss):
    def __init__(self, weight=1.0{parameter}):
        super().__init__({argument})
        self.weight = weight

    def call(self, y_true, y_pred):
        return self.weight * tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
{method}

def build():
    inputs = keras.Input([6])
    model = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    model.compile(optimizer=keras.optimizers.SGD(0.01), loss=Weighted(2.0))
    return model
"""
_METRIC = """\
import tensorflow as tf
from tensorflow.keras import layers, metrics, models


class Within(metrics.Mean):
    def __init__(self, tolerance, name='within', **kwargs):
        super().__init__(name=name, **kwargs)
        self.tolerance = tolerance

    def update_state(self, y_true, y_pred, sample_weight=None):
        close = tf.abs(y_true - y_pred) < self.tolerance
        return super().update_state(tf.cast(close, tf.float32), sample_weight=sample_weight)
{method}

def build():
    model = models.Sequential([layers.Input([6]), layers.Dense(3)])
    model.compile('sgd', 'mse', metrics=[Within(2.0)])
    return model
"""
_REGULARIZER = """\
import keras


class Sparse(keras.regularizers.Regularizer):
    def __init__(self, strength=0.01):
        self.strength = strength

    def __call__(self, weights):
        return self.strength * abs(weights)[0, 0]
{method}

def build():
    dense = keras.layers.Dense(3, kernel_regularizer=Sparse())
    return keras.Sequential([keras.layers.Input([6]), dense])
"""
_CONSTRAINT = """\
import tensorflow as tf


class Clipped(tf.keras.constraints.Constraint):
    def __init__(self, low=-1.0, high=1.0):
        self.low = low
        self.high = high

    def __call__(self, w):
        return tf.clip_by_value(w, self.low, self.high)
{method}

def build():
    inputs = tf.keras.Input([6])
    dense = tf.keras.layers.Dense(3, kernel_constraint=Clipped(high=0.1))
    return tf.keras.Model(inputs, dense(inputs))
"""


class LossArgumentsLost(Rule):
    """A loss, metric, regularizer, ... with arguments of its own has no `get_config`.

    Consequence: Keras rebuilds it from the config of the base class, which knows nothing of
    them. A required argument raises when the model is loaded; one with a default is reset
    to it, without an exception, so that the model that is trained on learns something
    else. A Regularizer and a LearningRateSchedule without `get_config` cannot be saved.

    Silent: an argument that the base records; a base that is not in sight; an Initializer
    whose arguments have defaults, which is not asked again once the weights are loaded.

    Fix: `get_config` is generated, and `**kwargs` where the base's config needs them (safe
    where attributes keep the arguments as they were given).
    """

    code = "SVL307"
    name = "loss-arguments-lost"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("Loss", "Metric", "Mean", "Sum", "Initializer", "Constraint", *_ABSTRACT_BASES)
    examples = (
        Example(
            variant="defaulted",
            bad=_LOSS.format(parameter=", **kwargs", argument="**kwargs", method=""),
            at="weight",
            good=_LOSS.format(
                parameter=", **kwargs",
                argument="**kwargs",
                method="""
    def get_config(self):
        config = super().get_config()
        config.update({"weight": self.weight})
        return config
""",
            ),
            witness=Witness(
                build="build()",
                ways=(Way.CALL, Way.RESUME, Way.KERAS),
                fails={
                    Keras.V3: {Way.RESUME: _OTHERWISE},
                    Keras.V2: {Way.RESUME: _OTHERWISE},
                },
            ),
        ),
        Example(
            variant="refused",
            bad=_LOSS.format(parameter="", argument="", method=""),
            at="weight",
            good=_LOSS.format(
                parameter=", **kwargs",
                argument="**kwargs",
                method="""
    def get_config(self):
        config = super().get_config()
        config.update({"weight": self.weight})
        return config
""",
            ),
            witness=Witness(
                build="build()",
                ways=(Way.CALL, Way.RESUME, Way.KERAS),
                fails={
                    Keras.V3: {Way.KERAS: _REFUSED, Way.RESUME: _REFUSED},
                    Keras.V2: {Way.KERAS: _REFUSED, Way.RESUME: _REFUSED},
                },
            ),
        ),
        Example(
            variant="required",
            bad=_METRIC.format(method=""),
            at="tolerance",
            good=_METRIC.format(
                method="""
    def get_config(self):
        config = super().get_config()
        config.update({'tolerance': self.tolerance})
        return config
"""
            ),
            witness=Witness(
                build="build()",
                ways=(Way.CALL, Way.RESUME, Way.KERAS),
                fails={
                    Keras.V3: {Way.KERAS: _REQUIRED, Way.RESUME: _REQUIRED},
                    Keras.V2: {Way.KERAS: _REQUIRED, Way.RESUME: _REQUIRED},
                },
            ),
        ),
        Example(
            variant="abstract",
            bad=_REGULARIZER.format(method=""),
            at="Sparse",
            good=_REGULARIZER.format(
                method="""
    def get_config(self):
        return {"strength": self.strength}
"""
            ),
            witness=Witness(
                build="build()",
                ways=(Way.CALL, Way.RESUME, Way.KERAS),
                fails={
                    Keras.V3: {Way.KERAS: _ABSTRACT, Way.RESUME: _ABSTRACT},
                    Keras.V2: {Way.KERAS: _ABSTRACT, Way.RESUME: _ABSTRACT},
                },
            ),
        ),
        Example(
            variant="constraint",
            bad=_CONSTRAINT.format(method=""),
            at="low",
            good=_CONSTRAINT.format(
                method="""
    def get_config(self):
        return {"low": self.low, "high": self.high}
"""
            ),
            witness=Witness(
                build="build()",
                ways=(Way.CALL, Way.RESUME, Way.KERAS),
                fails={
                    Keras.V3: {Way.RESUME: _OTHERWISE},
                    Keras.V2: {Way.RESUME: _OTHERWISE},
                },
            ),
        ),
    )
    silent = (
        """\
# The base records what they take, or they record it themselves.
import keras

class One(keras.losses.Loss):
    def __init__(self, name="one", reduction="sum"):
        super().__init__(name=name, reduction=reduction)

    def call(self, y_true, y_pred):
        return y_true - y_pred

class Two(keras.losses.Loss):
    def __init__(self, weight=1.0, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight

    def call(self, y_true, y_pred):
        return self.weight * (y_true - y_pred)

    def get_config(self):
        return {**super().get_config(), "weight": self.weight}

class Three(Two):
    def call(self, y_true, y_pred):
        return self.weight

class Four(keras.metrics.Metric):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.total = self.add_weight(name="total", initializer="zeros")
""",
        """\
# What these derive from may record anything; a callback is not rebuilt.
import keras
from project import BaseLoss

class One(BaseLoss):
    def __init__(self, weight=1.0):
        super().__init__()
        self.weight = weight

class Two(keras.metrics.MeanMetricWrapper):
    def __init__(self, weight=1.0, **kwargs):
        super().__init__(lambda a, b: a - b, weight=weight, **kwargs)

class Three(keras.callbacks.Callback):
    def __init__(self, weight):
        super().__init__()
        self.weight = weight
""",
        """\
# An initializer is not asked again once the weights are loaded.
import keras

class Ramp(keras.initializers.Initializer):
    def __init__(self, start=0.0, stop=1.0):
        self.start, self.stop = start, stop

    def __call__(self, shape, dtype=None):
        return keras.ops.zeros(shape, dtype)
""",
        """\
# Left to the classes that derive from it.
import keras

class Base(keras.regularizers.Regularizer):
    def __init__(self, strength=0.01):
        self.strength = strength

class Sparse(Base):
    def __call__(self, weights):
        return self.strength * keras.ops.sum(weights)

    def get_config(self):
        return {"strength": self.strength}
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each class of such a kind without `get_config`."""
        for cls in module.classes:
            if cls.kind is not Kind.OTHER or not rebuilding.is_plain(module, cls):
                continue
            names = {base.rpartition(".")[2] for base in library_bases(cls.outline)}
            if not names <= _BASES or cls.outline.definer(CONFIG) is not None:
                continue
            if rebuilding.is_left_open(module, cls) or "from_config" in cls.outline.method_names:
                continue
            made = constructor(module, cls)
            missing = rebuilding.lost(module, cls, made) if made is not None else []
            if "Initializer" in names:
                missing = [taken for taken in missing if taken.required]
            if names & _ABSTRACT_BASES:
                yield self._abstract(module, cls, missing)
            elif made is not None and missing and made.definer is cls.outline:
                yield self._lost(module, cls, missing)

    def _lost(self, module: ModuleModel, cls: KerasClass, missing: list[Taken]) -> Finding:
        made = constructor(module, cls)
        required = any(taken.required for taken in missing)
        is_constraint = any(b.endswith(".Constraint") for b in library_bases(cls.outline))
        variant = "required" if required else "constraint" if is_constraint else "defaulted"
        if variant == "defaulted" and rebuilding.refuses(module, cls):
            variant = "refused"
        return self.finding(
            module,
            missing[0].label,
            f"`{cls.name}` loses {rebuilding.listed(missing)}: it has no `get_config`",
            variant=variant,
            note="not recorded",
            labels=[(taken.label, "nor this") for taken in missing[1:]],
            fix=recording.generate(module, cls, made, missing) if made is not None else None,
        )

    def _abstract(self, module: ModuleModel, cls: KerasClass, missing: list[Taken]) -> Finding:
        made = constructor(module, cls)
        fix = Fix("define `get_config`", Safety.DISPLAY)
        if made is not None and missing:
            fix = recording.generate(module, cls, made, missing)
        return self.finding(
            module,
            cls.outline.node.name,
            f"`{cls.name}` has no `get_config`, without which it cannot be saved",
            variant="abstract",
            labels=[(taken.label, "to be recorded") for taken in missing],
            fix=fix,
        )
