"""SVL305 config-key-mismatch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras.config import Config, Constructor, config, constructor
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import rebuilding

if TYPE_CHECKING:
    import libcst as cst

_REASON = "what was saved under the old key is not read any more"
_WAYS = (Way.CALL, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS)
_KEY = (
    "(TypeError|ValueError): .*(unexpected keyword argument|Unrecognized keyword arguments|"
    "Keyword argument not understood|missing 1 required positional argument|"
    "could not be deserialized)"
)

_PROJECTION = """\
import tensorflow as tf


class Projection(tf.keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.dim = units
        self.dense = tf.keras.layers.Dense(units)

    def build(self, input_shape):
        self.dense.build(input_shape)
        super().build(input_shape)

    def call(self, inputs):
        return self.dense(inputs)

    def get_config(self):
        config = super().get_config()
        config["{key}"] = self.dim
        return config
"""
_SCALE = """\
from keras import layers


class Scale(layers.Layer):
    def __init__(self, factor{parameter}, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        return {{**super().get_config(), "factor": self.factor}}
"""
_SUM = """\
import keras


class Shift(keras.layers.Layer):
    def __init__(self, {parameter}, **kwargs):
        super().__init__(**kwargs)
        self.steps = steps

    def call(self, inputs):
        return inputs + sum(self.steps)

    def get_config(self):
        config = super().get_config()
        config.update({{"steps": list(self.steps)}})
        return config
"""


class ConfigKeyMismatch(Rule):
    """A key of the config is no keyword of the constructor, by which Keras rebuilds the object.

    Consequence: Keras calls `cls(**config)`. A key that is no parameter raises when the
    model is loaded; so does one for a parameter that can only be given by its position, or
    for `*args`.

    Silent: a constructor that swallows what it does not know, keys that a `from_config`
    takes out, and what a base that is not in sight may take.

    Fix: the key becomes the name of the argument that its attribute keeps (unsafe: what was
    saved under the old key is not read any more). One that stands for no argument is left
    out where it has lines of its own (unsafe: others may read it).
    """

    code = "SVL305"
    name = "config-key-mismatch"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("get_config",)
    examples = (
        Example(
            variant="key",
            bad=_PROJECTION.format(key="dim"),
            at='"dim"',
            good=_PROJECTION.format(key="units"),
            witness=Witness(
                build="Projection(3)",
                ways=(*_WAYS, Way.TRAIN),
                fails={Keras.V3: {Way.KERAS: _KEY}, Keras.V2: {Way.KERAS: _KEY}},
                trains=2,
            ),
        ),
        Example(
            variant="positional",
            bad=_SCALE.format(parameter=", /"),
            at='"factor"',
            good=_SCALE.format(parameter=""),
            witness=Witness(
                build="Scale(3.0)",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _KEY}, Keras.V2: {Way.KERAS: _KEY}},
            ),
            fixed=False,
        ),
        Example(
            variant="star",
            bad=_SUM.format(parameter="*steps"),
            at='"steps"',
            good=_SUM.format(parameter="steps=()"),
            witness=Witness(
                build="Shift()",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _KEY}, Keras.V2: {Way.KERAS: _KEY}},
            ),
            fixed=False,
        ),
    )
    silent = (
        """\
# A key that the constructor, or a base's, takes by its name or out of `**kwargs`.
import keras
from keras import layers

class One(layers.Layer):
    def __init__(self, units, **kwargs):
        self.rate = kwargs.pop("rate", 0.1)
        super().__init__(**kwargs)
        self.units = units

    def get_config(self):
        return {**super().get_config(), "units": self.units, "rate": self.rate}

class Two(One):
    def __init__(self, depth, **kwargs):
        super().__init__(**kwargs)
        self.depth = depth

    def get_config(self):
        return {"name": self.name, "units": self.units, "rate": 1, "depth": self.depth}

class Three(layers.Dense):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)

    def get_config(self):
        config = super().get_config()
        config["units"] = 2 * self.units
        return config
""",
        """\
# The constructor swallows it, or is not in sight.
import keras
from keras import layers
from project import Base

class One(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(name=kwargs.get("name"))
        self.units = units

    def get_config(self):
        return {"units": self.units, "version": 2}

class Two(Base, layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def get_config(self):
        return {"units": self.units, "version": 2}
""",
        """\
# `from_config` takes it out.
import keras
from keras import layers

class One(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def get_config(self):
        return {**super().get_config(), "units": self.units, "version": 2}

    @classmethod
    def from_config(cls, config):
        config.pop("version", None)
        return cls(**config)

class Two(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def get_config(self):
        return {"size": self.units}

    @classmethod
    def from_config(cls, config):
        return cls(config["size"])
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each class's own `get_config`, at the keys that are refused."""
        for cls in module.classes:
            recorded = config(cls)
            made = constructor(module, cls)
            if recorded is None or made is None or recorded.definer is not cls.outline:
                continue
            if not rebuilding.is_plain(module, cls):
                continue
            if rebuilding.is_functional(cls):
                continue
            for key in rebuilding.stray(module, cls, recorded, made):
                if module.is_here(recorded.entries[key].node):
                    yield self._found(module, cls, recorded, made, key)

    def _found(
        self, module: ModuleModel, cls: KerasClass, recorded: Config, made: Constructor, key: str
    ) -> Finding:
        place = _key_node(recorded.entries[key].node)
        star = made.star is not None and made.star.name.value == key
        variant = "positional" if key in made.positional_only else "star" if star else "key"
        name = rebuilding.renamed(module, cls, recorded, made).get(key)
        taken = next((t for t in made.arguments if t.name == (name or key)), None)
        label = taken.label if taken is not None else made.node.name
        return self.finding(
            module,
            place,
            f"`{cls.name}.__init__` takes no keyword `{key}`",
            variant=variant,
            note="Keras rebuilds it by `cls(**config)`",
            labels=[(label, "what it takes")] if module.is_here(label) else (),
            fix=_fix(module, recorded.entries[key].node, key, name, variant),
        )


def _key_node(entry: cst.CSTNode) -> cst.CSTNode:
    """The key of an entry as it is written: a string, or a keyword."""
    kind = type(entry).__name__
    if kind == "DictElement":
        key: cst.CSTNode = entry.key  # type: ignore[attr-defined]
        return key
    if kind == "Arg":
        keyword: cst.CSTNode | None = entry.keyword  # type: ignore[attr-defined]
        return keyword or entry
    if kind == "Assign":
        target = entry.targets[0].target  # type: ignore[attr-defined]
        if type(target).__name__ == "Subscript":
            index: cst.CSTNode = target.slice[0].slice.value
            return index
    return entry


def _fix(module: ModuleModel, node: cst.CSTNode, key: str, name: str | None, variant: str) -> Fix:
    place = _key_node(node)
    if type(node).__name__ == "Assign" and place is node:
        # `config["units"], config["rate"] = ...`
        return Fix(f"take `{key}` by its name, or leave it out", Safety.DISPLAY)
    if name is not None:
        edit = rewrite.replace(module, place, module.text(place).replace(key, name, 1))
        return Fix(f"call it `{name}`", Safety.UNSAFE, (edit,), _REASON)
    first, last = rewrite.lines_of(module, node)
    lines = [module.source.line_text(line).strip() for line in range(first, last + 1)]
    is_alone = rewrite.begins_line(module, node) and (
        type(node).__name__ == "Assign" or lines[-1].endswith(",")
    )
    if variant != "key" or not is_alone or "#" in "".join(lines) or ";" in lines[-1]:
        return Fix(f"take `{key}` by its name, or leave it out", Safety.DISPLAY)
    edit = rewrite.remove_lines(module, node)
    return Fix(f"leave `{key}` out", Safety.UNSAFE, (edit,), "others may read it")
