"""SVL302 init-refuses-config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras.config import (
    Config,
    Constructor,
    accepted,
    config,
    constructor,
    inherited,
    library_bases,
)
from savelint.keras.events import Argument
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import CONFIG, ROOT_CONFIGS, UNRECORDED_LAYERS, Kind
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import inheriting, rebuilding

_BY_ITSELF = ROOT_CONFIGS["Layer"] - {"name"}
# Classes whose lost arguments are the business of SVL307.
_ROOTS = frozenset({"Loss", "Metric", "Mean", "Sum"})
_ORDER = ("name", "trainable", "dtype", "reduction")
_REFUSED = "TypeError: .*unexpected keyword argument '(name|trainable|dtype|reduction)'"
_AGAIN = "TypeError: .*got multiple values for (keyword )?argument '(kernel_size|padding|factor)'"
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
_PATCHES = """\
import keras
from keras import layers


@keras.utils.register_keras_serializable(package="project")
class Offset(layers.Layer):
    def __init__(self, by{parameter}):
        super().__init__({argument})
        self.by = by

    def call(self, inputs):
        return inputs + self.by
"""
_NARROW = """\
import tensorflow as tf


@tf.keras.utils.register_keras_serializable(package="project")
class Narrow(tf.keras.layers.Dense):
    def __init__(self, units=3{parameter}):
        super().__init__(units{argument})
"""
_SQUARE = """\
import keras
from keras.layers import Conv2D


@keras.utils.register_keras_serializable(package="project")
class Square(Conv2D):
    def __init__(self, filters, **kwargs):
        super().__init__(filters, 3, padding="same", **kwargs)
        self.filters_per_group = filters
{method}

def build():
    inputs = keras.Input((4, 4, 1))
    outputs = keras.layers.GlobalMaxPooling2D()(Square(3)(inputs))
    return keras.Model(inputs, outputs)
"""
_TWICE = """\
from tensorflow.keras import layers


class Scale(layers.Layer):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        return {{**super().get_config(), "factor": self.factor}}


class Twice(Scale):
    def __init__(self, offset=0.0, **kwargs):
        super().__init__(factor=2.0, **kwargs)
        self.offset = offset

    def call(self, inputs):
        return super().call(inputs) + self.offset

    def get_config(self):
        config = super().get_config()
{deleted}        config.update({{"offset": self.offset}})
        return config
"""
_ERROR = """\
from tensorflow import keras
from tensorflow.keras import layers


@keras.utils.register_keras_serializable(package="project")
class Largest(keras.metrics.Metric):
    def __init__(self, name="largest"{parameter}):
        super().__init__(name=name{argument})
        self.total = self.add_weight(name="total", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(1.0)

    def result(self):
        return self.total


def build():
    model = keras.Sequential([layers.Input([6]), layers.Dense(3)])
    model.compile("sgd", "mse", metrics=[Largest()])
    return model
"""


class InitRefusesConfig(Rule):
    """`get_config` hands on the config of the base, which the constructor does not take.

    Consequence: the config of every layer holds `name`, `trainable` and `dtype`, that of a
    loss its `reduction`. Keras rebuilds the object by `cls(**config)`: a constructor that
    lacks one of them raises when the model is loaded. A class without `get_config` inherits
    such a config, too. So raises one that gives `super().__init__` an argument of its own beside
    its `**kwargs`, in which the config of the base gives it again. In Keras 2 the config that
    a model inherits is empty, and that of a layer without `get_config` holds what the
    constructor takes only.

    Silent: a constructor with `**kwargs`, a `from_config`, a config whose entries cannot be
    told; without `get_config` a layer that is only a part of others, which make it anew,
    and a class that is a base of others. A layer that derives from `Layer` and has no
    `get_config` is a warning: nothing says that it is saved in a whole model.

    Fix: `**kwargs` is added and handed to `super().__init__` (safe: only the failure goes).
    Where that call fixes such an argument itself, nothing is changed. Other arguments that it
    fixes are left out of the config (unsafe: others may read them).
    """

    code = "SVL302"
    name = "init-refuses-config"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("__init__", "dataclass", "attr")
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
        Example(
            variant="bare",
            bad=_PATCHES.format(parameter="", argument=""),
            at="by",
            good=_PATCHES.format(parameter=", **kwargs", argument="**kwargs"),
            witness=Witness(
                build="Offset(3.0)",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _REFUSED}},
            ),
            keras=(Keras.V3,),
        ),
        Example(
            variant="derived",
            bad=_NARROW.format(parameter="", argument=""),
            at="units",
            good=_NARROW.format(parameter=", **kwargs", argument=", **kwargs"),
            witness=Witness(
                build="Narrow()",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _REFUSED}, Keras.V2: {Way.KERAS: _REFUSED}},
                trains=2,
            ),
        ),
        Example(
            variant="fixed",
            bad=_SQUARE.format(method=""),
            at="3",
            good=_SQUARE.format(
                method="""
    def get_config(self):
        config = super().get_config()
        del config["kernel_size"]
        del config["padding"]
        return config
"""
            ),
            witness=Witness(
                build="build()",
                inputs=(((4, 4, 1), "float32"),),
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _AGAIN}, Keras.V2: {Way.KERAS: _AGAIN}},
            ),
        ),
        Example(
            variant="given",
            bad=_TWICE.format(deleted=""),
            at="factor=2.0",
            good=_TWICE.format(deleted='        del config["factor"]\n'),
            witness=Witness(
                build="Twice(1.0)",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _AGAIN}, Keras.V2: {Way.KERAS: _AGAIN}},
            ),
        ),
        Example(
            variant="unrecorded",
            bad=_ERROR.format(parameter="", argument=""),
            at="name",
            good=_ERROR.format(parameter=", **kwargs", argument=", **kwargs"),
            witness=Witness(
                build="build()",
                ways=(Way.CALL, Way.RESUME, Way.KERAS),
                fails={
                    Keras.V3: {Way.KERAS: _REFUSED, Way.RESUME: _REFUSED},
                    Keras.V2: {Way.KERAS: _REFUSED, Way.RESUME: _REFUSED},
                },
            ),
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
# What they hand to the base they take, or leave out of the config; the base alone records it.
import keras
from keras import layers

class Base(layers.Layer):
    def __init__(self, units, rate=0.5, **kwargs):
        super().__init__(**kwargs)
        self.units, self.rate = units, rate

    def get_config(self):
        return {**super().get_config(), "units": self.units}

class One(Base):
    def __init__(self, units=3, **kwargs):
        super().__init__(units=2 * units, rate=0.1, **kwargs)

class Two(Base):
    def __init__(self, **kwargs):
        kwargs.setdefault("units", 3)
        super().__init__(**kwargs)

class Three(Base):
    def __init__(self, **kwargs):
        units = kwargs.pop("units", 3)
        super().__init__(units, **kwargs)

class Four(layers.Conv2D):
    def __init__(self, filters, **kwargs):
        super().__init__(filters, kernel_size=3, **kwargs)

    def get_config(self):
        config = super().get_config()
        config.pop("kernel_size")
        return config

class Five(layers.Dense):
    def __init__(self, width, units=None, **kwargs):
        super().__init__(units=units or width, activity_regularizer="l2", **kwargs)
        self.width = width

class Six(layers.Dense):
    def __init__(self, **kwargs):
        super().__init__(units=3, **kwargs)

    @classmethod
    def from_config(cls, config):
        return cls(name=config["name"])

class Seven(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.six = Eight()

    def call(self, inputs):
        return self.six(inputs)

class Eight(layers.Dense):
    def __init__(self, **kwargs):
        super().__init__(units=3, **kwargs)
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
# Without `get_config`: they take all, are parts of others that make them anew, or a base.
import abc
import keras
from keras import layers

class One(layers.Layer):
    def __init__(self, units, trainable=True, dtype=None):
        super().__init__(trainable=trainable, dtype=dtype)
        self.dense = layers.Dense(units)

    def call(self, inputs):
        return self.dense(inputs)

class Scale(layers.Layer):
    def __init__(self, by):
        super().__init__()
        self.by = by

    def call(self, inputs):
        return inputs * self.by

class Two(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scale = Scale(2.0)

    def call(self, inputs):
        return self.scale(inputs)

class Base(layers.Dense):
    def __init__(self, units):
        super().__init__(units)

class Three(Base):
    def __init__(self, units, **kwargs):
        layers.Dense.__init__(self, units, **kwargs)

class Pooling(layers.Layer, abc.ABC):
    def __init__(self, size):
        super().__init__()
        self.size = size

    @abc.abstractmethod
    def reduce(self, inputs):
        pass

    def call(self, inputs):
        return self.reduce(inputs)

class Four(keras.losses.Loss):
    def __init__(self, name="four", reduction="sum"):
        super().__init__(name=name, reduction=reduction)

    def call(self, y_true, y_pred):
        return y_true - y_pred
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
            made = constructor(module, cls)
            if made is None or not rebuilding.is_plain(module, cls):
                continue
            if cls.outline is not made.definer or not module.is_here(made.node):
                continue
            if rebuilding.supplied(module, cls) != frozenset() or rebuilding.is_functional(cls):
                continue
            keys = inheriting.fixed(module, cls, made)
            if keys:
                yield self._fixed(module, cls, keys)
            takes = accepted(module, cls.outline)
            if takes is None:
                continue
            recorded = config(cls)
            from_abroad = inherited(module, cls) if recorded is None else None
            if from_abroad is not None and inheriting.is_meant(module, cls):
                recorded = from_abroad
            if recorded is not None and recorded.is_known:
                held = frozenset[str]().union(
                    *(rebuilding.held_by(base, module.keras) for base in recorded.inherits)
                )
            elif cls.outline.definer(CONFIG) is None:
                held = _inherited(module, cls, made)
            else:
                continue
            refused = held - takes
            if refused and (recorded is not None or _is_saved(module, cls)):
                yield self._found(module, cls, recorded, made, refused)

    def _fixed(self, module: ModuleModel, cls: KerasClass, keys: Mapping[str, Argument]) -> Finding:
        first, *others = keys.values()
        names = rebuilding.enumerated(list(keys))
        return self.finding(
            module,
            first.node,
            f"`{cls.name}.__init__` gives its base {names}, which its config holds, too",
            variant="given" if CONFIG in cls.outline.method_names else "fixed",
            note="Keras rebuilds it by `cls(**config)`",
            labels=[(each.node, "and this") for each in others],
            fix=inheriting.fix(module, cls, keys),
        )

    def _found(
        self,
        module: ModuleModel,
        cls: KerasClass,
        recorded: Config | None,
        made: Constructor,
        refused: frozenset[str],
    ) -> Finding:
        from savelint.rules import configs

        names = rebuilding.enumerated(sorted(refused, key=_ORDER.index))
        variant = "model" if cls.kind is Kind.MODEL else "layer"
        if variant == "layer" and "name" in made.names:
            variant = "name"
        if recorded is None:
            is_bare = {base.rpartition(".")[2] for base in library_bases(cls.outline)}
            variant = "derived" if cls.kind is Kind.LAYER else "unrecorded"
            if is_bare <= UNRECORDED_LAYERS:
                variant = "bare"
        declared = made.arguments[-1].parameter if made.arguments else None
        method = recorded.method if recorded is not None else None
        edits = configs.forwarding(module, made)
        fix = (
            Fix("take `**kwargs` and hand them to `super().__init__`", Safety.SAFE, edits)
            if edits is not None
            else Fix("take `**kwargs` and hand them on", Safety.DISPLAY)
        )
        return self.finding(
            module,
            declared.name if declared is not None else made.node.name,
            f"`{cls.name}.__init__` does not take {names}, which its config holds",
            variant=variant,
            # Nothing says that a layer without a config is to be saved in a whole model.
            severity=Severity.WARNING if variant == "bare" else None,
            note="Keras rebuilds it by `cls(**config)`",
            labels=(
                [(method.name, "hands on the base's config")]
                if method is not None and module.is_here(method)
                else ()
            ),
            fix=fix,
        )


def _inherited(module: ModuleModel, cls: KerasClass, made: Constructor) -> frozenset[str]:
    """What Keras records by itself of a class that has no `get_config`."""
    bases = list(library_bases(cls.outline))
    names = {base.rpartition(".")[2] for base in bases}
    if cls.kind is Kind.LAYER and names <= UNRECORDED_LAYERS:
        # Of a Keras 2 layer it records what the constructor takes, and no more.
        is_done = cls.outline.definer("call") is not None and module.keras is Keras.V3
        others = any(rebuilding.nature(module, cls, made, taken) for taken in made.arguments)
        return _BY_ITSELF if is_done and not others else frozenset()
    if cls.kind is Kind.LAYER or (
        cls.kind is Kind.OTHER
        # Else SVL307 speaks of its arguments.
        and (names - _ROOTS or not rebuilding.lost(module, cls, made))
    ):
        return frozenset[str]().union(*(rebuilding.held_by(b, module.keras) for b in bases))
    return frozenset()


def _is_saved(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether nothing says that instances of a class without `get_config` are not saved."""
    if rebuilding.is_left_open(module, cls) or rebuilding.is_base(module, cls):
        return False
    # Who registers a class means it to be saved, whoever makes it in the project.
    return bool(cls.outline.node.decorators) or not module.is_part(cls)
