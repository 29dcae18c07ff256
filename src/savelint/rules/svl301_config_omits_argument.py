"""SVL301 config-omits-argument."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras.config import Config, Constructor, Taken, constructor, library_bases
from savelint.keras.config import recorded as recorded_of
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import CONFIG, Kind
from savelint.keras.values import Instance
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import alterations, rebuilding, recording

if TYPE_CHECKING:
    import libcst as cst

_LOAD = "TypeError: .*missing 1 required positional argument"
_LAYER = "(TypeError|ValueError): .*(int\\(\\) argument|invalid value for `units`)"
_OTHER = "DIFF: other outputs"
_WAYS = (Way.CALL, Way.TRAIN, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS)

_SCALE = """\
import keras


class Scale(keras.layers.Layer):
    def __init__(self, factor, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.offset = offset

    def call(self, inputs):
        return inputs * self.factor + self.offset

    def get_config(self):
        return {entries}
"""
_PROJECTION = """\
import tensorflow as tf
from tensorflow.keras import activations, layers


@tf.keras.utils.register_keras_serializable(package="project")
class Projection(layers.Layer):
    def __init__(self, units, activation=None, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.units = int(units)
        self.activation = activations.get(activation)
        self.scale = scale
        self.dense = layers.Dense(units)

    def build(self, input_shape):
        self.dense.build(input_shape)
        super().build(input_shape)

    def call(self, inputs):
        return self.activation(self.dense(inputs) * self.scale)

    def get_config(self):
        config = super().get_config()
        config.update(
            {{
                "units": self.units,  # the width of the output
{entries}            }}
        )
        return config
"""
_NET = """\
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self, units=3, rate=1.0, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.rate = rate if rate is not None else 1.0
        self.dense = tf.keras.layers.Dense(units)

    def call(self, inputs):
        return self.dense(inputs) * self.rate

    def get_config(self):
        config = super(Net, self).get_config()
        config['units'] = self.units
{entries}        return config
"""
_PARTS = """\
from keras import layers


class Base(layers.Layer):
    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self._width = width

    def get_config(self):
        base = super().get_config()
        own = dict(width=self._width)
        return dict(list(base.items()) + list(own.items()))


class Shift(Base):
    def __init__(self, width, by=1.0, **kwargs):
        super().__init__(width, **kwargs){store}
        self.shift = by * width

    def call(self, inputs):
        return inputs + self.shift

    def get_config(self):
{body}
"""
_GATED = """\
from keras.layers import Dense


class Gated(Dense):
    def __init__(self, units, power=1.0, **kwargs):
        super().__init__(units, **kwargs)
        self.power = power

    def call(self, inputs):
        return super().call(inputs) * self.power
{method}"""
_NOISE = """\
import keras


class Affine(keras.layers.Layer):
    def __init__(self, scale=1.0, shift=0.0, **kwargs):
        super().__init__(**kwargs)
        self._scale = scale
        self._shift = shift

    def call(self, inputs):
        return inputs * self._scale + self._shift

    def get_config(self):
        config = super().get_config()
        config.update({{"scale": self._scale, "shift": {value}}})
        return config
"""
_COOL = """\
import tensorflow as tf


class Cool(tf.keras.layers.Layer):
    def __init__(self, heat=1.0, **kwargs):
        super().__init__(**kwargs)
        self.heat = {kept}

    def call(self, inputs):
        return inputs {operator} self.heat

    def get_config(self):
        return {{**super().get_config(), "heat": self.heat}}
"""
_FEED = """\
import tensorflow as tf
from tensorflow import keras


class Feed(keras.layers.Layer):
    def __init__(self, units, rate=0.0, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.drop_rate = rate

    def build(self, input_shape):
        self.width = keras.layers.Dense(self.units)
        self.width.build(input_shape)
        super().build(input_shape)

    def call(self, inputs):
        return tf.nn.dropout(self.width(inputs), self.drop_rate)

    def get_config(self):
        config = super().get_config()
        config.update({{
            "units": self.{kept},
            "rate": self.drop_rate,
        }})
        return config
"""
_POWER = """\
from dataclasses import dataclass, field

import keras


@keras.utils.register_keras_serializable(package="project")
@dataclass(eq=False)
class Power(keras.layers.Layer):
    base: float
    exponent: float = 1.0
    seen: list = field(default_factory=list, init=False)

    def __post_init__(self):
        super().__init__()

    def call(self, inputs):
        return inputs * self.base**self.exponent

    def get_config(self):
        return {entries}
"""


class ConfigOmitsArgument(Rule):
    """`get_config` leaves out an argument of the constructor, with which Keras rebuilds it.

    Consequence: a required argument raises when the model is loaded. One with a default is
    reset to it, without an exception: the model that is loaded computes something else.

    So it is where an entry holds what another argument was given, or what the class made of
    its own, as `1.0 / rate` or `Dense(self.units)`, which it makes again of that.

    Silent: what the config of the base holds, and what cannot be told: a config or a
    constructor that is made up when it runs, keys that may be there, a `from_config` that
    knows the argument. `name`, `dtype`, `trainable` and a seed, which change no output.

    Fix: the entry is added in the style and the order that the others have. Safe where an
    attribute keeps the argument as it was given; unsafe where that must be added or is
    given something else. Shown where a class of the file derives from it with a constructor
    of its own, which may not take the entry.
    """

    code = "SVL301"
    name = "config-omits-argument"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("__init__", "dataclass", "attr")
    examples = (
        Example(
            variant="required",
            bad=_SCALE.format(entries='{**super().get_config(), "offset": self.offset}'),
            at="get_config",
            good=_SCALE.format(
                entries="""\
{
            **super().get_config(),
            "factor": self.factor,
            "offset": self.offset,
        }"""
            ),
            witness=Witness(
                build="Scale(3.0)",
                ways=(Way.CALL, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS),
                fails={
                    Keras.V3: {Way.KERAS: _LOAD},
                    Keras.V2: {Way.KERAS: _LOAD},
                },
            ),
        ),
        Example(
            variant="defaulted",
            bad=_PROJECTION.format(entries=""),
            at="get_config",
            good=_PROJECTION.format(
                entries="""\
                "activation": activations.serialize(self.activation),
                "scale": self.scale,
"""
            ),
            witness=Witness(
                build="Projection(3, scale=5.0)",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _OTHER}, Keras.V2: {Way.KERAS: _OTHER}},
                trains=2,
            ),
        ),
        Example(
            variant="model",
            bad=_NET.format(entries=""),
            at="get_config",
            good=_NET.format(entries="        config['rate'] = self.rate\n"),
            witness=Witness(
                build="Net(3, rate=5.0)",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _OTHER}, Keras.V2: {Way.KERAS: _OTHER}},
                trains=2,
            ),
        ),
        Example(
            variant="inherited",
            bad=_PARTS.format(store="", body="        return super().get_config()"),
            at="get_config",
            good=_PARTS.format(
                store="\n        self.by = by",
                body="""\
        config = super().get_config()
        config.update({"by": self.by})
        return config""",
            ),
            witness=Witness(
                build="Shift(2.0, 3.0)",
                ways=(Way.CALL, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS),
                fails={Keras.V3: {Way.KERAS: _OTHER}, Keras.V2: {Way.KERAS: _OTHER}},
            ),
        ),
        Example(
            variant="derived",
            bad=_GATED.format(method=""),
            at="power",
            good=_GATED.format(
                method="""
    def get_config(self):
        config = super().get_config()
        config.update({"power": self.power})
        return config
"""
            ),
            witness=Witness(
                build="Gated(3, 5.0)",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _OTHER}, Keras.V2: {Way.KERAS: _OTHER}},
                trains=2,
            ),
        ),
        Example(
            variant="other",
            bad=_NOISE.format(value="self._scale"),
            at="self._scale",
            good=_NOISE.format(value="self._shift"),
            witness=Witness(
                build="Affine(1.0, 5.0)",
                ways=(Way.CALL, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS),
                fails={Keras.V3: {Way.KERAS: _OTHER}, Keras.V2: {Way.KERAS: _OTHER}},
            ),
        ),
        Example(
            variant="fields",
            bad=_POWER.format(entries='{"base": self.base}'),
            at="get_config",
            good=_POWER.format(entries='{"base": self.base, "exponent": self.exponent}'),
            witness=Witness(
                build="Power(2.0, 3.0)",
                ways=(Way.CALL, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS),
                fails={Keras.V3: {Way.KERAS: _OTHER}, Keras.V2: {Way.KERAS: _OTHER}},
            ),
        ),
        Example(
            variant="made",
            bad=_FEED.format(kept="width"),
            at="self.width",
            good=_FEED.format(kept="units"),
            witness=Witness(
                build="Feed(3)",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _LAYER}, Keras.V2: {Way.KERAS: _LAYER}},
                trains=2,
            ),
        ),
        Example(
            variant="computed",
            bad=_COOL.format(kept="1.0 / heat", operator="*"),
            at="self.heat",
            good=_COOL.format(kept="heat", operator="/"),
            witness=Witness(
                build="Cool(5.0)",
                ways=(Way.CALL, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS),
                fails={Keras.V3: {Way.KERAS: _OTHER}, Keras.V2: {Way.KERAS: _OTHER}},
            ),
            fixed=False,
        ),
    )
    silent = (
        """\
# All are there, in whatever style: spread, update, items, keywords, a loop, a merge.
import keras
from keras import layers

class One(layers.Layer):
    def __init__(self, units, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.units, self.rate = units, rate

    def get_config(self):
        config = {"units": self.units}
        config.update(rate=self.rate)
        base_config = super().get_config()
        return dict(list(base_config.items()) + list(config.items()))

class Two(layers.Layer):
    def __init__(self, units, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.units, self.rate = units, rate

    def get_config(self):
        config = super().get_config()
        for name in ("units", "rate"):
            config[name] = getattr(self, name)
        return config

class Three(layers.Layer):
    def __init__(self, units, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.units, self.rate = units, rate

    def get_config(self):
        return super().get_config() | {name: getattr(self, name) for name in ["units", "rate"]}

class Four(One):
    def __init__(self, units, rate=0.1, depth=2, **kwargs):
        super().__init__(units, rate=rate, **kwargs)
        self.depth = depth

    def get_config(self):
        return dict(super().get_config(), depth=self.depth)
""",
        """\
# What is recorded cannot be told.
import keras
from keras import layers
from project import describe

class One(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def get_config(self):
        return describe(self)

class Two(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def get_config(self):
        config = super().get_config()
        config.update(vars(self))
        return config

class Three(layers.Layer):
    def __init__(self, units, rate, **kwargs):
        super().__init__(**kwargs)
        self.settings = {"units": units, "rate": rate}

    def get_config(self):
        return {**super().get_config(), **self.settings}

class Four(layers.Layer):
    def __init__(self, units, rate=None, **kwargs):
        super().__init__(**kwargs)
        self.units, self.rate = units, rate

    def get_config(self):
        config = {"units": self.units}
        if self.rate is not None:
            config["rate"] = self.rate
        return config

class Five(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def get_config(self):
        raise NotImplementedError("not to be saved")
""",
        """\
# `load_assets` fills it in.
import json
import keras

class Tokenizer(keras.layers.Layer):
    def __init__(self, vocabulary=None, lower=True, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary, self.lower = vocabulary, lower

    def save_assets(self, folder):
        with open(f"{folder}/words.json", "w") as file:
            json.dump(self.vocabulary, file)

    def load_assets(self, folder):
        with open(f"{folder}/words.json") as file:
            self.vocabulary = json.load(file)

    def get_config(self):
        return {**super().get_config(), "lower": self.lower}
""",
        """\
# `from_config` supplies it.
import keras
from keras import layers

class One(layers.Layer):
    def __init__(self, inner, units=3, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.units = inner, units

    def get_config(self):
        return {**super().get_config(), "units": self.units}

    @classmethod
    def from_config(cls, config):
        return cls(layers.Dense(config["units"]), **config)
""",
        """\
# The base records it; names, dtypes and seeds change no output.
import keras
from keras import layers

class One(layers.Dense):
    def __init__(self, units, rate=0.1, name="one", seed=None, **kwargs):
        super().__init__(units, name=name, **kwargs)
        self.rate, self.seed = rate, seed

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}

class Two(layers.Layer):
    def __init__(self, units, name=None, dtype="float32", trainable=True):
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        self.units = units

    def get_config(self):
        return {"units": self.units}
""",
        """\
# Fields that are recorded, or are no arguments; constructors that are made otherwise.
import dataclasses
from typing import ClassVar
import attr
import keras
from project import fielded

@dataclasses.dataclass
class Start(keras.initializers.Initializer):
    kind: ClassVar[str] = "start"
    mean: float
    spread: float = dataclasses.field(default=1.0)
    _: dataclasses.KW_ONLY
    count: int = dataclasses.field(default=0, init=False)

    def __call__(self, shape, dtype=None):
        return keras.ops.ones(shape) * self.mean

    def get_config(self):
        return {"mean": self.mean, "spread": self.spread}

@attr.s(eq=False)
class Other(keras.regularizers.Regularizer):
    _rate = attr.ib(default=0.1)

    def __call__(self, x):
        return keras.ops.sum(x) * self._rate

    def get_config(self):
        return {"rate": self._rate}

@dataclasses.dataclass(init=False)
class Third(keras.regularizers.Regularizer):
    rate: float = 0.1

    def __call__(self, x):
        return keras.ops.sum(x) * self.rate

    def get_config(self):
        return {}

@fielded
class Fourth(keras.regularizers.Regularizer):
    rate: float = 0.1

    def __call__(self, x):
        return keras.ops.sum(x) * self.rate

    def get_config(self):
        return {}
""",
        """\
# Arguments that are taken only to be left or refused.
import keras

class One(keras.layers.Layer):
    def __init__(self, units, shared=False, activation=None, rate=None, **kwargs):
        del shared
        super().__init__(**kwargs)
        self.units = units
        if activation:
            raise ValueError("there is no activation")
        if rate is not None:
            raise ValueError("there is no rate")

    def get_config(self):
        return {**super().get_config(), "units": self.units}
""",
        """\
# Another way to give what is recorded; an earlier name; what classes that derive from it give.
import abc
import keras
from keras import layers

class One(layers.Layer):
    def __init__(self, start=None, end=None, tokens=None, **kwargs):
        super().__init__(**kwargs)
        self.start = tokens["start"] if tokens else start
        self.end = tokens["end"] if tokens else end

    def get_config(self):
        return {**super().get_config(), "start": self.start, "end": self.end}

class Pairs(layers.Layer):
    def __init__(self, pairs=None, words=None, **kwargs):
        super().__init__(**kwargs)
        if words is None:
            self.words = [word for word, _ in pairs]
        else:
            self.words = list(words)

    def get_config(self):
        return {**super().get_config(), "words": self.words}

class Table(layers.Layer):
    def __init__(self, values=None, shape=None, **kwargs):
        super().__init__(**kwargs)
        start = "zeros" if values is None else keras.initializers.Constant(values)
        self.shape = shape
        self.table = self.add_weight(name="table", shape=shape, initializer=start)

    def get_config(self):
        return {**super().get_config(), "shape": self.shape}

class Convolution(layers.Layer):
    def __init__(self, size, operations=None, **kwargs):
        super().__init__(**kwargs)
        self.size, self.operations = size, operations

    @abc.abstractmethod
    def convolve(self, inputs):
        pass

    def get_config(self):
        return {**super().get_config(), "size": self.size}

class Two(layers.Layer):
    def __init__(self, units=3, **kwargs):
        if "size" in kwargs:
            units = kwargs.pop("size")
        super().__init__(**kwargs)
        self.units = units

    def get_config(self):
        return {**super().get_config(), "units": self.units}

class Renamed(layers.Layer):
    def __init__(self, units=3, **kwargs):
        units = kwargs.pop("size", units)
        super().__init__(**kwargs)
        self.units = units

    def get_config(self):
        return {**super().get_config(), "units": self.units}

class Pooling(layers.Layer):
    def __init__(self, reduce, size=2, **kwargs):
        super().__init__(**kwargs)
        self.reduce, self.size = reduce, size

    def get_config(self):
        return {**super().get_config(), "size": self.size}

class AveragePooling(Pooling):
    def __init__(self, size=2, **kwargs):
        super().__init__(keras.ops.mean, size, **kwargs)
""",
        """\
# What layers and optimizers of Keras take they may record; a base layer records what it is given.
import keras
import tensorflow as tf
from keras import layers

class One(layers.Dense):
    def __init__(self, units, use_scale=True, **kwargs):
        super().__init__(units, **kwargs)
        self.use_scale = use_scale

class Two(layers.Layer):
    def __init__(self, units, power=1.0, **kwargs):
        super().__init__(**kwargs)
        self.units, self.power = units, power

class Three(keras.optimizers.SGD):
    def __init__(self, learning_rate=0.1, momentum=0.9, **kwargs):
        super().__init__(learning_rate, momentum=momentum, **kwargs)

class Four(tf.keras.optimizers.legacy.Optimizer):
    def __init__(self, learning_rate=0.1, rate=0.5, name="four", **kwargs):
        super().__init__(name, **kwargs)
        self._set_hyper("learning_rate", kwargs.get("lr", learning_rate))
        self._set_hyper("rate", rate)

    def get_config(self):
        config = super().get_config()
        config["learning_rate"] = self._serialize_hyperparameter("learning_rate")
        config["rate"] = self._serialize_hyperparameter("rate")
        return config

class Decay:
    def __init__(self, decay, **kwargs):
        super().__init__(**kwargs)
        self.decay = decay

    def get_config(self):
        return {**super().get_config(), "decay": self.decay}

class Five(Decay, keras.optimizers.SGD):
    def __init__(self, decay, momentum=0.9, **kwargs):
        super().__init__(decay, momentum=momentum, **kwargs)

class Base(layers.Dense):
    def __init__(self, units, power, **kwargs):
        super().__init__(units, **kwargs)
        self.power = power

class Squared(Base):
    def __init__(self, units, **kwargs):
        super().__init__(units, 2.0, **kwargs)
""",
        """\
# Entries hold what the arguments of their names were given, or what makes the same of it.
import keras
from keras import layers

class One(layers.Layer):
    def __init__(self, units, width=None, rate=0.1, depth=2, area=1.0, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.area = area * area * 2.0
        self.width = width or units
        self.rate = float(rate)
        self.depth = 1 * depth
        self.half = (units + 1) / 2
        self.third = units / 3

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "width": self.width,
            "rate": self.rate,
            "depth": self.depth,
            "area": self.area,
        }

class Drop(layers.Layer):
    def __init__(self, rate, inner=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.drop = rate if isinstance(rate, layers.Layer) else layers.Dropout(self.rate)
        self.inner = layers.Dense(3) if inner is None else inner

    def get_config(self):
        return {**super().get_config(), "rate": self.drop, "inner": self.inner}

class Two(layers.Layer):
    def __init__(self, low, high, **kwargs):
        super().__init__(**kwargs)
        self.low, self.high = low, high - low
        self.high = self.high + low

    def get_config(self):
        return {**super().get_config(), "low": self.low, "high": self.high}
""",
        """\
# Not rebuilt from a config, or by a base that is not in sight.
import keras
from project import Base

class Recorder(keras.callbacks.Callback):
    def __init__(self, path, every=1):
        super().__init__()
        self.path, self.every = path, every

    def get_config(self):
        return {"path": self.path}

class Other(Base, keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def get_config(self):
        return super().get_config()

class Plain:
    def __init__(self, units, rate):
        self.units, self.rate = units, rate

    def get_config(self):
        return {"units": self.units}
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each class whose own `get_config` or constructor the file has."""
        for cls in module.classes:
            recorded = recorded_of(module, cls)
            made = constructor(module, cls)
            if made is None or not rebuilding.is_plain(module, cls):
                continue
            if recorded is None:
                missing = self._unrecorded(module, cls, made)
                if missing:
                    yield self._inherited(module, cls, made, missing)
                continue
            if cls.outline not in {recorded.definer, made.definer}:
                continue
            missing = rebuilding.omitted(module, cls, recorded, made)
            if missing:
                yield self._found(module, cls, recorded, made, missing)
            if recorded.definer is cls.outline and recorded.definer is made.definer:
                for each in alterations.altered(module, cls, recorded, made):
                    yield self._altered(module, cls, made, each)

    def _unrecorded(self, module: ModuleModel, cls: KerasClass, made: Constructor) -> list[Taken]:
        """What a class takes of which the `get_config` that it inherits of Keras knows nothing."""
        outline = cls.outline
        methods = {name for member in outline.lineage for name in member.method_names}
        if methods & {CONFIG, "from_config"} or made.definer is not outline:
            return []
        if not rebuilding.is_recorded(cls) or not module.is_here(made.node):
            return []
        missing = rebuilding.lost(module, cls, made)
        if not missing or rebuilding.is_base(module, cls) or module.is_part(cls):
            return []
        return missing

    def _inherited(
        self, module: ModuleModel, cls: KerasClass, made: Constructor, missing: Sequence[Taken]
    ) -> Finding:
        base = next(library_bases(cls.outline))
        return self.finding(
            module,
            missing[0].label,
            f"`{cls.name}` loses {rebuilding.listed(missing)}: it has no `get_config`",
            variant="derived",
            note=f"that of `{base.rpartition('.')[2]}` knows nothing of it",
            labels=[(taken.label, "nor of this") for taken in missing[1:]],
            fix=recording.generate(module, cls, made, missing),
        )

    def _altered(
        self, module: ModuleModel, cls: KerasClass, made: Constructor, found: alterations.Altered
    ) -> Finding:
        node = found.entry.value_node
        name = found.taken.name
        labels: list[tuple[cst.CSTNode, str]]
        variant = "other"
        if found.computed is not None:
            variant = "made" if isinstance(found.entry.value, Instance) else "computed"
            note = f"it is made with `{module.text(found.computed)}` of that"
            labels = [(found.computed, "not what it was given")]
        else:
            note = f"that is `{found.other}`"
            labels = [(found.taken.label, "reset to that when rebuilt")]
        return self.finding(
            module,
            node,
            f"`{cls.name}.get_config` gives `{module.text(node)}` as `{name}`",
            variant=variant,
            note=note,
            labels=labels,
            fix=_corrected(module, made, found),
        )

    def _found(
        self,
        module: ModuleModel,
        cls: KerasClass,
        recorded: Config,
        made: Constructor,
        missing: Sequence[Taken],
    ) -> Finding:
        names = rebuilding.listed(missing)
        required = any(taken.required for taken in missing)
        variant = "required" if required else "model" if cls.kind is Kind.MODEL else "defaulted"
        if recorded.definer is cls.outline:
            place: cst.CSTNode = recorded.method.name
            labels = [(t.label, _label(t)) for t in missing if module.is_here(t.node)]
            variant = "fields" if made.is_of_fields else variant
            note = f"{names} not recorded"
        else:
            place = missing[0].label
            here = module.is_here(recorded.method)
            labels = [(recorded.method.name, "what is recorded")] if here else []
            note = "not recorded"
        return self.finding(
            module,
            place,
            f"`{cls.name}.get_config` leaves out {names}",
            variant=variant,
            note=note,
            labels=labels,
            fix=_fix(module, cls, recorded, made, missing),
        )


def _corrected(module: ModuleModel, made: Constructor, found: alterations.Altered) -> Fix:
    from savelint.rules import configs

    name = found.taken.name
    held = made.held.get(name)
    value = configs.value_of(module, held) if held is not None else None
    if value is None:
        return Fix(f"record what `{name}` was given", Safety.DISPLAY)
    edit = rewrite.replace(module, found.entry.value_node, value)
    return Fix(f"record `{name}`", Safety.SAFE, (edit,))


def _label(taken: Taken) -> str:
    return "required to rebuild it" if taken.required else "reset to its default when rebuilt"


def _fix(
    module: ModuleModel,
    cls: KerasClass,
    recorded: Config,
    made: Constructor,
    missing: Sequence[Taken],
) -> Fix:
    from savelint.rules import configs

    names = rebuilding.listed(missing)
    display = Fix(f"record {names} in `get_config`", Safety.DISPLAY)
    if rebuilding.is_base(module, cls):
        return display
    if recorded.definer is not cls.outline:
        return recording.generate(module, cls, made, missing, merges=True)
    written = recording.record(module, cls, made, missing)
    if written is None:
        return display
    order = [taken.name for taken in made.arguments]
    entries = configs.add_entries(module, recorded, written.additions, order)
    if entries is None:
        return display
    safety = Safety.UNSAFE if written.reason else Safety.SAFE
    return Fix(f"record {names}", safety, (*written.edits, *entries), written.reason)
