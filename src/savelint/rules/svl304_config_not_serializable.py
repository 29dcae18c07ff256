"""SVL304 config-not-serializable."""

from __future__ import annotations

import re
from collections.abc import Iterator

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras.config import Config, Constructor, Entry, config, constructor
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Kind
from savelint.keras.values import Array, Seq
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import rebuilding

_SAVE = "TypeError: .*(Cannot serialize object|Unable to serialize)"
_AFTER = "(TypeError|ValueError|AttributeError|NotImplementedError|DIFF)"
_WAYS = (Way.CALL, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS)
# How a constructor may make an object of what the config holds of it.
_REBUILDS = re.compile(r"deserialize|from_config|isinstance|\bget\(")
_SERIALIZED = re.compile(
    r"(?:layers|models)\.serialize\(|serialize_keras_object\(|serialize_layer\(|\.get_config\(\)"
)
_WHAT = {
    "set": "a set",
    "tensor": "a tensor",
    "layer": "a layer",
    "callable": "a layer or a function",
    "callables": "a list of layers",
    "object": "an object",
}

_PICK = """\
import keras
from keras import layers


class Pick(layers.Layer):
    def __init__(self, columns, **kwargs):
        super().__init__(**kwargs)
        self.columns = {kept}

    def call(self, inputs):
        return inputs * float(len(self.columns))

    def get_config(self):
        config = super().get_config()
        config.update({{"columns": {value}}})
        return config
"""
_GATED = """\
import tensorflow as tf
from tensorflow.keras import layers


class Gated(layers.Layer):
    def __init__(self, inner, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner
        self.scale = scale

    def call(self, inputs):
        return self.scale * self.inner(inputs)

    def get_config(self):
        return {config}
{method}"""
_SETTINGS = """\
import dataclasses

import keras


@dataclasses.dataclass
class Settings:
    scale: float = 1.0


class Scale(keras.layers.Layer):
    def __init__(self, settings, **kwargs):
        super().__init__(**kwargs)
        self.settings = {made}
        self.scale = {scale}

    def call(self, inputs):
        return inputs * self.scale

    def get_config(self):
        config = super().get_config()
        config["settings"] = {value}
        return config
"""
_WRAPPED = """\
from tensorflow import keras


class Wrapped(keras.layers.Layer):
    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def call(self, inputs):
        return self.inner(inputs)

    def get_config(self):
        config = super().get_config()
        config["inner"] = keras.layers.serialize(self.inner)
        return config
{method}"""
_DECAY = """\
import tensorflow as tf


class Decay(tf.keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, rate):
        self.rate = tf.constant(rate)

    def __call__(self, step):
        return self.rate

    def get_config(self):
        return {{"rate": {value}}}


def build():
    inputs = tf.keras.Input([6])
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(3)(inputs))
    model.compile(tf.keras.optimizers.SGD(Decay(0.01)), "mse")
    return model
"""


class ConfigNotSerializable(Rule):
    """The config holds what cannot be written as JSON, or comes back as something else.

    Consequence: a set raises when the model is saved. A tensor is written, and comes back as
    the dictionary that was written; so does a layer, when no `from_config` makes it anew:
    they raise when the model is loaded.

    Silent: an array of numpy's, which SVL201 reports; numbers, words, shapes, dtypes,
    functions, and what `initializers.get` and its like give, all of which come back; a
    constructor or a `from_config` that makes an object of what it is given.

    Fix: `sorted(...)`, `.numpy().tolist()`, `from_config` (all unsafe: what comes back is a
    list, or must be a layer).
    """

    code = "SVL304"
    name = "config-not-serializable"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("get_config",)
    examples = (
        Example(
            variant="set",
            bad=_PICK.format(kept="set(columns)", value="self.columns"),
            at="self.columns",
            good=_PICK.format(kept="set(columns)", value="sorted(self.columns)"),
            witness=Witness(
                build="Pick([0, 2])",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _SAVE}, Keras.V2: {Way.KERAS: _SAVE}},
            ),
        ),
        Example(
            variant="layer",
            bad=_WRAPPED.format(method=""),
            at="keras.layers.serialize(self.inner)",
            good=_WRAPPED.format(
                method="""
    @classmethod
    def from_config(cls, config):
        config["inner"] = keras.layers.deserialize(config["inner"])
        return cls(**config)
"""
            ),
            witness=Witness(
                build="Wrapped(keras.layers.Dense(3))",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _AFTER}, Keras.V2: {Way.KERAS: _AFTER}},
            ),
        ),
        Example(
            variant="callable",
            bad=_GATED.format(
                config='{**super().get_config(), "inner": self.inner, "scale": self.scale}',
                method="",
            ),
            at="self.inner",
            good=_GATED.format(
                config="""\
{
            **super().get_config(),
            "inner": layers.serialize(self.inner),
            "scale": self.scale,
        }""",
                method="""
    @classmethod
    def from_config(cls, config):
        config["inner"] = layers.deserialize(config["inner"])
        return cls(**config)
""",
            ),
            witness=Witness(
                build="Gated(layers.Dense(3))",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _AFTER}, Keras.V2: {Way.KERAS: _AFTER}},
            ),
        ),
        Example(
            variant="object",
            bad=_SETTINGS.format(made="settings", scale="settings.scale", value="self.settings"),
            at="self.settings",
            good=_SETTINGS.format(
                made="Settings(**settings) if isinstance(settings, dict) else settings",
                scale="self.settings.scale",
                value="dataclasses.asdict(self.settings)",
            ),
            witness=Witness(
                build="Scale(Settings(3.0))",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _SAVE}, Keras.V2: {Way.KERAS: _SAVE}},
            ),
            fixed=False,
        ),
        Example(
            variant="tensor",
            bad=_DECAY.format(value="self.rate"),
            at="self.rate",
            good=_DECAY.format(value="self.rate.numpy().tolist()"),
            witness=Witness(
                build="build()",
                ways=(Way.CALL, Way.KERAS),
                fails={Keras.V3: {Way.KERAS: _AFTER}, Keras.V2: {Way.KERAS: _AFTER}},
            ),
        ),
    )
    silent = (
        """\
# What comes back: numbers, words, lists, dtypes, functions, initializers; what is converted.
import keras
import numpy as np
import tensorflow as tf
from keras import layers

class One(layers.Layer):
    def __init__(self, units, table, names, dtypes=tf.float32, init="zeros", act=None, **kwargs):
        super().__init__(**kwargs)
        self.units = np.int64(units)
        self.table = np.asarray(table)
        self.names = set(names)
        self.dtypes = dtypes
        self.init = keras.initializers.get(init)
        self.act = act
        self.size = (1, 2)

    def call(self, inputs):
        return self.act(inputs)

    def get_config(self):
        return {
            **super().get_config(),
            "units": int(self.units),
            "table": self.table.tolist(),
            "names": sorted(self.names),
            "dtypes": self.dtypes,
            "init": self.init,
            "act": self.act,
        }
""",
        """\
# The layer is made anew, by `from_config` or by the constructor.
import keras
from keras import layers

class One(layers.Layer):
    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def get_config(self):
        return {**super().get_config(), "inner": layers.serialize(self.inner)}

    @classmethod
    def from_config(cls, config):
        return cls(layers.deserialize(config.pop("inner")), **config)

class Two(layers.Layer):
    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        if isinstance(inner, dict):
            inner = layers.deserialize(inner)
        self.inner = inner

    def get_config(self):
        return {**super().get_config(), "inner": layers.serialize(self.inner)}

class Three(layers.Wrapper):
    def __init__(self, layer, **kwargs):
        super().__init__(layer, **kwargs)

    def get_config(self):
        return {**super().get_config(), "layer": layers.serialize(self.layer)}
""",
        """\
# Not rebuilt from it, or one of several ways.
import keras
from keras import layers

class Recorder(keras.callbacks.Callback):
    def get_config(self):
        return {"seen": {1, 2}}

class Plain:
    def get_config(self):
        return {"seen": {1, 2}}

class Two(layers.Layer):
    def __init__(self, names=None, **kwargs):
        super().__init__(**kwargs)
        self.names = set(names) if names else None

    def get_config(self):
        return {**super().get_config(), "names": self.names}
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The entries of each class's own `get_config`."""
        for cls in module.classes:
            recorded = config(cls)
            made = constructor(module, cls)
            if recorded is None or made is None or recorded.definer is not cls.outline:
                continue
            if not rebuilding.is_plain(module, cls) or not module.is_here(made.node):
                continue
            for entry in recorded.entries.values():
                if module.is_here(entry.node) and not module.branches_of(entry.node):
                    kind = _kind(module, cls, made, entry)
                    if kind:
                        yield self._found(module, cls, recorded, entry, kind)

    def _found(
        self, module: ModuleModel, cls: KerasClass, recorded: Config, entry: Entry, kind: str
    ) -> Finding:
        return self.finding(
            module,
            entry.value_node,
            f"`{cls.name}.get_config` gives {_WHAT[kind]} as `{entry.key}`",
            variant="callable" if kind == "callables" else kind,
            note="comes back as a dictionary" if kind == "tensor" else "",
            fix=_fix(module, cls, recorded, entry, kind),
        )


def _kind(module: ModuleModel, cls: KerasClass, made: Constructor, entry: Entry) -> str:
    """What an entry holds that does not come back; "" where it may."""
    value = entry.value
    text = module.text(entry.value_node)
    if isinstance(value, Seq) and value.kind in {"set", "frozenset"}:
        return "set"
    words = rebuilding.supplied(module, cls)
    taken = next((t for t in made.arguments if t.name == entry.key), None)
    if taken is None or taken.parameter is None or words is None:
        return ""
    if entry.key in words or words & rebuilding.OPAQUE:
        return ""
    if any(_REBUILDS.search(line) for line in _lines_with(module, made, entry.key)):
        return ""
    # An array of numpy's is the business of SVL201.
    if isinstance(value, Array) and not value.is_numpy and re.fullmatch(r"[\w.]+", text):
        return "" if value.origin == "constant" else "tensor"
    held = made.held.get(entry.key)
    nature = rebuilding.nature(module, cls, made, taken)
    if held is not None and text == f"self.{held.attribute}" and nature not in {"", "array"}:
        return nature
    kept = held is not None and held.certain and not held.how
    if kept and held is not None and _SERIALIZED.search(text) and held.attribute in text:
        return "layer"
    return ""


def _lines_with(module: ModuleModel, made: Constructor, word: str) -> list[str]:
    """The lines of a constructor that name an argument."""
    lines = module.text(made.node.body).splitlines()
    return [line for line in lines if re.search(rf"\b{re.escape(word)}\b", line)]


def _fix(
    module: ModuleModel, cls: KerasClass, recorded: Config, entry: Entry, kind: str
) -> Fix | None:
    node = entry.value_node
    text = module.text(node)
    # libcst is behind this import: a file without findings does not pay for it.
    from savelint.rules import configs

    if kind == "set":
        edit = configs.revalue(module, recorded, entry, f"sorted({text})")
        return Fix("make it a list", Safety.UNSAFE, (edit,), "it comes back as a list")
    if kind == "tensor":
        edit = configs.revalue(module, recorded, entry, f"{text}.numpy().tolist()")
        return Fix("make it a list", Safety.UNSAFE, (edit,), "it comes back as a list")
    # A loss, a schedule, ... is given functions; a `from_config` would be inherited.
    is_layer = kind in {"layer", "callable"} and cls.kind is not Kind.OTHER
    is_free = is_layer and not rebuilding.is_base(module, cls)
    edits = _restoring(module, recorded, entry, text) if is_free else None
    if edits is None or "from_config" in cls.outline.method_names:
        return Fix("make it anew in `from_config`", Safety.DISPLAY)
    return Fix("make it anew in `from_config`", Safety.UNSAFE, edits, "it must be a layer")


def _restoring(
    module: ModuleModel, recorded: Config, entry: Entry, text: str
) -> tuple[Edit, ...] | None:
    """`from_config` behind `get_config`, by the module that serializes the layer."""
    # libcst is behind this import: a file without findings does not pay for it.
    from savelint.rules import configs

    key = configs.quoted(module, entry.key)
    edits: list[Edit] = []
    if re.fullmatch(r"[\w.]+", text):
        spelled = rewrite.spell(module, "keras.layers")
        if spelled is None:
            return None
        name, imports = spelled
        made = f"{name}.deserialize(config[{key}])"
        written = configs.revalue(module, recorded, entry, f"{name}.serialize({text})")
        edits = [*imports, written]
    else:
        found = re.match(r"([\w.]*)\bserialize(_keras_object)?\(", text)
        if found is None:
            return None
        made = f"{found[1]}deserialize{found[2] or ''}(config[{key}])"
    lines = configs.restoring(module, [configs.Addition(entry.key, made)])
    return (*edits, rewrite.add_method(module, recorded.method, lines))
