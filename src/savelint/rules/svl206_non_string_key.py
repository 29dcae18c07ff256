"""SVL206 non-string-key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import clues
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.values import Const, Count, Instance, Seq, Table, Value, Variable
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import containers
from savelint.rules.containers import Holder

if TYPE_CHECKING:
    import libcst as cst

_REFUSED = {
    Way.SAVED_MODEL: "ValueError: Unable to save the object",
    Way.EXPORT: "ValueError: Unable to save the object",
}


class NonStringKey(Rule):
    """A dictionary of layers or weights with keys that are not strings cannot be exported.

    Consequence: TensorFlow saves what a dictionary holds under its keys, and takes strings
    only. With a number, a tuple or None as a key `tf.saved_model.save` and `export` raise;
    `.keras` and the weights files do without the keys. Keras 2 makes objects to be saved of
    lists and dictionaries too, so that `{0: [1, 2]}` is refused as well.

    Silent: keys that may be strings; values that are not saved, such as numbers, strings,
    tuples and functions; in Keras 3 also lists, and dictionaries inside other containers.

    Fix: `str(key)` where the dictionary is filled and where it is read, which you have to see
    together.
    """

    code = "SVL206"
    name = "non-string-key"
    since = "0.1"
    severity = {Keras.V2: Severity.WARNING, Keras.V3: Severity.WARNING}
    mentions = ("class",)
    clues = (frozenset({clues.KEY, "dict", "OrderedDict", "defaultdict", "setdefault"}),)

    examples = (
        Example(
            variant="display",
            bad="""\
import tensorflow as tf
from tensorflow.keras import layers


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.heads = {0: layers.Dense(6), 1: layers.Dense(6)}

    def call(self, x):
        return self.heads[0](x) + self.heads[1](x)
""",
            at="{0: layers.Dense(6), 1: layers.Dense(6)}",
            good="""\
import tensorflow as tf
from tensorflow.keras import layers


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.heads = {"0": layers.Dense(6), "1": layers.Dense(6)}

    def call(self, x):
        return self.heads["0"](x) + self.heads["1"](x)
""",
            witness=Witness("Net()", trains=4, fails={Keras.V3: _REFUSED, Keras.V2: _REFUSED}),
            fixed=False,
        ),
        Example(
            variant="item",
            bad="""\
import keras
from keras import layers


class Pyramid(layers.Layer):
    def __init__(self, levels=2, **kwargs):
        super().__init__(**kwargs)
        self.levels = levels
        self.convs = {}
        for level in range(levels):
            self.convs[level] = layers.Dense(6)

    def call(self, inputs):
        return keras.layers.add([conv(inputs) for conv in self.convs.values()])

    def get_config(self):
        return {**super().get_config(), "levels": self.levels}
""",
            at="self.convs[level]",
            good="""\
import keras
from keras import layers


class Pyramid(layers.Layer):
    def __init__(self, levels=2, **kwargs):
        super().__init__(**kwargs)
        self.levels = levels
        self.convs = {}
        for level in range(levels):
            self.convs[str(level)] = layers.Dense(6)

    def call(self, inputs):
        return keras.layers.add([conv(inputs) for conv in self.convs.values()])

    def get_config(self):
        return {**super().get_config(), "levels": self.levels}
""",
            witness=Witness("Pyramid()", trains=4, fails={Keras.V3: _REFUSED, Keras.V2: _REFUSED}),
            fixed=False,
        ),
        Example(
            variant="comprehension",
            bad="""\
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.experts = {i: keras.layers.Dense(6) for i in range(2)}

    def call(self, x):
        for i in range(2):
            x = self.experts[i](x)
        return x
""",
            at="{i: keras.layers.Dense(6) for i in range(2)}",
            good="""\
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.experts = {f"expert_{i}": keras.layers.Dense(6) for i in range(2)}

    def call(self, x):
        for i in range(2):
            x = self.experts[f"expert_{i}"](x)
        return x
""",
            witness=Witness("Net()", trains=4, fails={Keras.V3: _REFUSED, Keras.V2: _REFUSED}),
            fixed=False,
        ),
        Example(
            variant="tuple",
            bad="""\
import tensorflow as tf

L = tf.keras.layers


class Grid(L.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scales = {}
        for row in range(2):
            for column in range(2):
                self.scales[(row, column)] = self.add_weight(
                    name=f"scale_{row}_{column}", shape=(6,), initializer="ones"
                )

    def call(self, x):
        for scale in self.scales.values():
            x = x * scale
        return x
""",
            at="self.scales[(row, column)]",
            good="""\
import tensorflow as tf

L = tf.keras.layers


class Grid(L.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scales = {}
        for row in range(2):
            for column in range(2):
                self.scales[f"{row}_{column}"] = self.add_weight(
                    name=f"scale_{row}_{column}", shape=(6,), initializer="ones"
                )

    def call(self, x):
        for scale in self.scales.values():
            x = x * scale
        return x
""",
            witness=Witness("Grid()", trains=4, fails={Keras.V3: _REFUSED, Keras.V2: _REFUSED}),
            fixed=False,
        ),
        Example(
            variant="enumerated",
            bad="""\
import tensorflow as tf
from tensorflow.keras.layers import Dense


class Net(tf.keras.Model):
    def __init__(self, units=(12, 6), **kwargs):
        super().__init__(**kwargs)
        self.steps = dict(enumerate([Dense(12), Dense(6)]))

    def call(self, x):
        return self.steps[1](self.steps[0](x))
""",
            at="dict(enumerate([Dense(12), Dense(6)]))",
            good="""\
import tensorflow as tf
from tensorflow.keras.layers import Dense


class Net(tf.keras.Model):
    def __init__(self, units=(12, 6), **kwargs):
        super().__init__(**kwargs)
        self.steps = [Dense(12), Dense(6)]

    def call(self, x):
        return self.steps[1](self.steps[0](x))
""",
            witness=Witness("Net()", trains=4, fails={Keras.V3: _REFUSED, Keras.V2: _REFUSED}),
            fixed=False,
        ),
        Example(
            variant="list",
            bad="""\
import tensorflow as tf
from tensorflow.keras import layers


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.columns = {2: [0, 1], 3: [2, 4, 5]}
        self.dense = layers.Dense(6)

    def call(self, x):
        return self.dense(tf.gather(x, self.columns[3], axis=1))
""",
            at="{2: [0, 1], 3: [2, 4, 5]}",
            good="""\
import tensorflow as tf
from tensorflow.keras import layers


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.columns = {2: (0, 1), 3: (2, 4, 5)}
        self.dense = layers.Dense(6)

    def call(self, x):
        return self.dense(tf.gather(x, self.columns[3], axis=1))
""",
            witness=Witness("Net()", trains=2, fails={Keras.V2: _REFUSED}),
            keras=(Keras.V2,),
            fixed=False,
        ),
    )

    silent = (
        """\
# Keys that are strings, or may be.
import keras
from keras import layers

NAMES = ("a", "b")


class Net(keras.Model):
    def __init__(self, tasks=("x",), **kwargs):
        super().__init__(**kwargs)
        self.tasks = tasks
        self.named = {"0": layers.Dense(6), "1": layers.Dense(6)}
        self.heads = {task: layers.Dense(6) for task in tasks}
        self.numbered = {str(i): layers.Dense(6) for i in range(2)}
        self.formed = {f"block_{i}": layers.Dense(6) for i in range(2)}
        self.filled = {}
        for name in NAMES:
            self.filled[name] = layers.Dense(6)

    def call(self, x):
        for held in (self.named, self.heads, self.numbered, self.formed, self.filled):
            for layer in held.values():
                x = layer(x)
        return x

    def get_config(self):
        config = super().get_config()
        config.update({"tasks": self.tasks})
        return config
""",
        """\
# Values that TensorFlow does not save: it never looks at their keys.
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.labels = {0: "cat", 1: "dog"}
        self.sizes = {(0, 1): (2, 3), None: 4}
        self.functions = {1: tf.nn.relu, 2: tf.nn.softmax}
        self.tables = {0: np.arange(3)}
        self.classes = {0: layers.Dense}
        self.dense = layers.Dense(6)

    def call(self, x):
        return self.functions[1](self.dense(x))
""",
        """\
# An item of a list, and a dictionary that no attribute holds.
import keras
from keras import layers


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        made = {0: layers.Dense(6), 1: layers.Dense(6)}
        self.blocks = [made[0], made[1]]

    def call(self, x):
        return self.blocks[1](self.blocks[0](x))
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each dictionary once, where it is made or where it is filled."""
        seen: set[int] = set()
        for holder in containers.holders(module):
            for name in holder.names:
                found = _first(holder, name)
                if found is None or id(found[0]) in seen:
                    continue
                node, variant = found
                seen.add(id(node))
                yield self.finding(
                    module,
                    node,
                    f"`self.{name}` of `{holder.cls.name}` has keys that are not strings,"
                    " under which TensorFlow cannot save",
                    variant=variant,
                    fix=Fix("use `str(key)`, here and where it is read", Safety.DISPLAY),
                )


def _first(holder: Holder, name: str) -> tuple[cst.CSTNode, str] | None:
    """Where a dictionary first gets such a key, and the variant."""
    if not all(_is_container(store.value) for store in holder.assigned(name)):
        return None
    is_table = any(isinstance(store.value, Table) for store in holder.assigned(name))
    for store in holder.stores:
        if store.name != name:
            continue
        if store.how == "item" and is_table:
            entries = [(store.key, store.value)]
            node: cst.CSTNode = store.target
        elif store.how == "assign" or isinstance(store.value, Table):
            entries = list(_entries(holder, store.value))
            node = store.value_node
        else:
            continue
        for key, value in entries:
            if _is_other(key) and _is_saved(holder, value):
                return node, _variant(holder, node, key, value, item=store.how == "item")
    return None


def _is_container(value: Value) -> bool:
    return isinstance(value, (Table, Seq)) or value == Const(None)


def _entries(holder: Holder, value: Value) -> Iterator[tuple[Value, Value]]:
    """The keys and values of a dictionary; in Keras 2 also of those inside."""
    if isinstance(value, Table):
        yield from value.entries
    if holder.module.keras is Keras.V2 and isinstance(value, (Table, Seq)):
        inner = value.items if isinstance(value, Seq) else [held for _, held in value.items]
        for item in inner:
            yield from _entries(holder, item)


def _is_other(key: Value) -> bool:
    """Whether a key is certainly not a string."""
    if isinstance(key, Const):
        return not isinstance(key.value, str)
    return isinstance(key, Count) or (isinstance(key, Seq) and key.kind == "tuple")


def _is_saved(holder: Holder, value: Value) -> bool:
    """Whether TensorFlow certainly saves a value as an object of its own."""
    if containers.is_layer(value) or isinstance(value, Variable):
        return True
    if holder.module.keras is Keras.V3:
        return False
    if isinstance(value, Instance):
        return value.name.startswith("keras.metrics.")
    return isinstance(value, Table) or (isinstance(value, Seq) and value.kind == "list")


def _variant(holder: Holder, node: cst.CSTNode, key: Value, value: Value, *, item: bool) -> str:
    if isinstance(value, (Seq, Table)):
        return "list"
    if isinstance(key, Seq):
        return "tuple"
    if item:
        return "item"
    if not isinstance(key, Count):
        return "display"
    return "comprehension" if holder.module.text(node).startswith("{") else "enumerated"
