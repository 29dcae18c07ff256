"""SVL304 config-not-serializable."""

from __future__ import annotations

import re
from collections.abc import Iterator

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras.config import Config, Constructor, Entry, config, constructor
from savelint.keras.events import AttributeStore, Creation
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import CONFIG, Kind
from savelint.keras.values import Array, Instance, Seq
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import containers, rebuilding

_SAVE = "TypeError: .*(Cannot serialize object|Unable to serialize)"
_AFTER = "(TypeError|ValueError|AttributeError|NotImplementedError|DIFF)"
_WAYS = (Way.CALL, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS)
# How a constructor may make an object of what the config holds of it.
_REBUILDS = re.compile(r"deserialize|from_config|isinstance|\bget\(")
_SERIALIZED = re.compile(
    r"(?:layers|models)\.serialize\(|serialize_keras_object\(|serialize_layer\(|\.get_config\(\)"
)
_INTEGER_KEYS = re.compile(r"\{\s*-?\d+\s*:")
# What certainly makes a tensor.
_TENSORS = frozenset(
    f"{module}.{name}"
    for module in ("tensorflow", "keras.ops", "keras.backend")
    for name in ("cast", "constant", "convert_to_tensor")
)
_WHAT = {
    "keys": "a dictionary with keys that are no text",
    "tuple": "a tuple",
    "set": "a set",
    "tensor": "a tensor",
    "layer": "a layer",
    "callable": "a layer or a function",
    "callables": "a list of layers",
    "object": "an object",
    "made": "an object",
}

_NOTES = {
    "tensor": "comes back as a dictionary",
    "keys": "they come back as text",
    "tuple": "comes back as a list, which the constructor refuses",
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


_SIZED = """\
from tensorflow import keras


class Sized(keras.layers.Layer):
    def __init__(self, sizes=None, **kwargs):
        super().__init__(**kwargs)
        self.sizes = {made}
        self.dense = keras.layers.Dense(self.sizes[1])

    def call(self, inputs):
        return self.dense(inputs)

    def get_config(self):
        return {{**super().get_config(), "sizes": {value}}}
"""
_CROPPED = """\
from keras import layers


class Cropped(layers.Layer):
    def __init__(self, ends=(1, 2), **kwargs):
        super().__init__(**kwargs)
{check}

    def call(self, inputs):
        return inputs[:, self.ends[0] : -self.ends[1]]

    def get_config(self):
        config = super().get_config()
        config["ends"] = self.ends
        return config
"""
_STYLED = """\
import tensorflow as tf


class Style:
    def __init__(self, scale=2.0):
        self.scale = scale


class Styled(tf.keras.layers.Layer):
    def __init__(self, style=None, **kwargs):
        super().__init__(**kwargs)
        self.style = {made}

    def call(self, inputs):
        return inputs * self.style.scale

    def get_config(self):
        return {{**super().get_config(), "style": {value}}}
"""


class ConfigNotSerializable(Rule):
    """The config holds what cannot be written as JSON, or comes back as something else.

    Consequence: a set raises when the model is saved. A tensor is written, and comes back as
    the dictionary that was written; so does a layer, when no `from_config` makes it anew:
    they raise when the model is loaded. Keys that are numbers come back as text, and a tuple
    as a list, which raises where the constructor insists on a tuple.

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
            variant="made",
            bad=_STYLED.format(made="style or Style()", value="self.style"),
            at="self.style",
            good=_STYLED.format(made="Style(**(style or {}))", value='{"scale": self.style.scale}'),
            witness=Witness(
                build="Styled()",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _SAVE}, Keras.V2: {Way.KERAS: _SAVE}},
            ),
            fixed=False,
        ),
        Example(
            variant="keys",
            bad=_SIZED.format(made="sizes or {1: 3}", value="self.sizes"),
            at="self.sizes",
            good=_SIZED.format(
                made="{int(key): size for key, size in (sizes or {1: 3}).items()}",
                value="self.sizes",
            ),
            witness=Witness(
                build="Sized()",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _AFTER}, Keras.V2: {Way.KERAS: _AFTER}},
                trains=2,
            ),
            fixed=False,
        ),
        Example(
            variant="tuple",
            bad=_CROPPED.format(
                check="        assert isinstance(ends, tuple)\n        self.ends = ends"
            ),
            at="self.ends",
            good=_CROPPED.format(
                check="        self.ends = tuple(ends)\n        assert len(self.ends) == 2"
            ),
            witness=Witness(
                build="Cropped()",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _AFTER}, Keras.V2: {Way.KERAS: _AFTER}},
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
        """\
# Made again from what comes back, or used in no way that would tell.
import tensorflow as tf
from tensorflow import keras

class Style:
    def get_config(self):
        return {}

class Options(dict):
    pass

class One(keras.layers.Layer):
    def __init__(
        self, sizes=None, ends=(1, 2), style=None, rate=None, start=0, options=None, **kwargs
    ):
        super().__init__(**kwargs)
        self.sizes = {int(key): size for key, size in sizes.items()} if sizes else {1: 3}
        if not isinstance(ends, tuple):
            ends = tuple(ends)
        self.ends = ends
        self.style = style or Style()
        self.rate = rate if rate is not None else 0.5
        self.start = start or {"a": 1}
        self.options = options or Options()
        self.steps = {1: 2}

    def call(self, inputs):
        return inputs * self.rate * self.sizes[1] * self.steps[1]

    def get_config(self):
        return {
            **super().get_config(),
            "sizes": self.sizes,
            "ends": self.ends,
            "style": self.style,
            "rate": self.rate,
            "start": self.start,
            "options": self.options,
        }
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
            note=_NOTES.get(kind, ""),
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
    store = _kept(cls, text)
    if store is not None and _wants_tuple(module, made, entry.key, store):
        return "tuple"
    if _is_rebuilt(module, made, entry.key):
        return ""
    if store is not None and (found := _made_here(module, cls, entry.key, store)):
        return found
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


def _kept(cls: KerasClass, text: str) -> AttributeStore | None:
    """The one statement of the constructor that gives an attribute its value."""
    named = re.fullmatch(r"self\.(\w+)", text)
    if named is None:
        return None
    stores = (store for flow in cls.flows.values() for store in flow.all(AttributeStore))
    found = [store for store in stores if store.name == named[1]]
    if len(found) != 1 or found[0].method != "__init__" or found[0].conditional:
        return None
    return found[0] if found[0].how == "assign" else None


def _wants_tuple(module: ModuleModel, made: Constructor, name: str, store: AttributeStore) -> bool:
    """Whether the constructor refuses an argument that is no tuple, and keeps it as it is."""
    if module.text(store.value_node) != name:
        return False
    text = module.code_of(made.node.body)
    asked = rf"isinstance\(\s*{name},\s*tuple\s*\)"
    # At the start of a statement, where no comment has it.
    refused = rf"(?m)^(?:[^#\n]*[;:])?\s*(?:assert {asked}|if not {asked}:\s*raise\b)"
    return "tuple" in text and bool(re.search(refused, text))


def _made_here(module: ModuleModel, cls: KerasClass, name: str, store: AttributeStore) -> str:
    """What the constructor makes of an argument, or in its place where it is not given."""
    import libcst as cst

    whole = node = store.value_node
    is_default = False
    if isinstance(whole, cst.BooleanOperation):
        node, is_default = whole.right, module.text(whole.left) == name
    elif isinstance(whole, cst.IfExp):
        others = [part for part in (whole.body, whole.orelse) if module.text(part) != name]
        if not others:
            return ""
        node, is_default = others[0], len(others) == 1
    if not is_default and node is not whole:
        return ""
    used = any(
        module.reads_of(method, store.name)
        for method in cls.outline.methods.values()
        if method.name.value != CONFIG
    )
    if _INTEGER_KEYS.match(module.text(node)):
        return "keys" if used and is_default else ""
    made = next((c.value for c in cls.flow("__init__").all(Creation) if c.node is node), None)
    if isinstance(made, Instance) and made.outline is not None:
        outline = made.outline
        plain = containers.is_plain(outline) and not any(c.bases for c in outline.lineage)
        return "made" if plain and CONFIG not in outline.method_names else ""
    called = getattr(node, "func", None)
    origin = module.summary.resolve(module.text(called)) if called is not None else None
    is_tensor = origin in _TENSORS and (not is_default or used or module.keras is Keras.V2)
    return "tensor" if is_tensor else ""


def _is_rebuilt(module: ModuleModel, made: Constructor, name: str) -> bool:
    """Whether a line of a constructor may make an argument anew."""
    text = module.code_of(made.node.body)
    lines = (line for line in text.splitlines() if name in line and _REBUILDS.search(line))
    return any(re.search(rf"\b{re.escape(name)}\b", line) for line in lines)


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
    if kind in {"keys", "tuple"}:
        return Fix("make it again in the constructor", Safety.DISPLAY)
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
