"""SVL204 hidden-layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras import clues
from savelint.keras.events import AttributeStore, Flow
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.tables import Kind
from savelint.keras.values import (
    ClassOutline,
    Function,
    Instance,
    Member,
    Partial,
    Seq,
    Table,
    Value,
    elements,
)
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import containers, weights
from savelint.rules.containers import Holder

if TYPE_CHECKING:
    import libcst as cst

_COLLECTIONS = {
    "set": "a set",
    "frozenset": "a frozenset",
    "deque": "a deque",
    "iterator": "an iterator",
}
_TAKES_LIST = frozenset({"sorted", "list", "tuple", "len", "enumerate", "zip", "sum", "reversed"})
# Keras 3's own list, which its saving passes over in a layer; a model has `layers` besides.
_INTERNAL = "_layers"

_LOST = {Way.KERAS: "DIFF: other outputs", Way.WEIGHTS: "DIFF: other outputs"}
_UNTRACKED = r"AssertionError: Tried to export a function which references an 'untracked'"


def _hidden(of: int) -> dict[Way, str]:
    return {
        Way.TRAIN: f"UNTRAINED: 0 of {of}",
        Way.SAVED_MODEL: _UNTRACKED,
    }


class HiddenLayer(Rule):
    """A layer kept where Keras does not look is neither trained nor saved.

    Consequence: Keras finds the layers of a layer or model in its attributes, and in the
    lists, tuples and dictionaries that these hold. A layer in a frozenset, a deque, a plain
    object, a lambda, a nested function or a `functools.partial` is in none of `weights`,
    `trainable_weights`, `.keras` and `.weights.h5`: `fit` leaves it as it is, and a reload
    begins with new random numbers, without any exception. Keras 3 trains what is in a set,
    but a layer does not save it, and a model saves it in an order of its own. A layer does not
    save what it keeps in `_layers`, Keras 3's own list, either; and whoever assigns that list
    leaves all other layers of the object untrained.

    Silent: layers that another attribute or list holds as well; layers without weights;
    attributes that nothing but the constructor uses; classes that track by hand.

    Fix: a list takes the place of a set, and a tuple that of a frozenset, where the code only
    iterates; unsafe, because it gives the layers another order, and what was saved before does
    not fit. Elsewhere the place for the layer is yours to choose.
    """

    code = "SVL204"
    name = "hidden-layer"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("class",)
    clues = (
        frozenset(
            {
                *(clues.SET, clues.CLOSURE, clues.PLAIN_CLASS),
                *("set", "frozenset", "deque", "defaultdict", "partial", "__dict__"),
                *("zip", "enumerate", "reversed", "items", "values", "call", "__call__"),
                _INTERNAL,
            }
        ),
    )

    examples = (
        Example(
            variant="set",
            bad="""\
import tensorflow as tf


class Mixer(tf.keras.layers.Layer):
    def __init__(self, units=6, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.blocks = {tf.keras.layers.Dense(units), tf.keras.layers.Dense(units)}

    def call(self, inputs):
        return sum(block(inputs) for block in self.blocks)

    def get_config(self):
        return {**super().get_config(), "units": self.units}
""",
            at="{tf.keras.layers.Dense(units), tf.keras.layers.Dense(units)}",
            good="""\
import tensorflow as tf


class Mixer(tf.keras.layers.Layer):
    def __init__(self, units=6, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.blocks = [tf.keras.layers.Dense(units), tf.keras.layers.Dense(units)]

    def call(self, inputs):
        return sum(block(inputs) for block in self.blocks)

    def get_config(self):
        return {**super().get_config(), "units": self.units}
""",
            witness=Witness(
                "Mixer()",
                trains=4,
                fails={Keras.V3: _LOST, Keras.V2: _hidden(4)},
            ),
        ),
        Example(
            variant="filled set",
            bad="""\
from tensorflow import keras
from tensorflow.keras import layers


class Mixer(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._heads = set()
        for _ in range(3):
            self._heads.add(layers.Dense(6, activation="tanh"))  # per task

    def call(self, inputs):
        outputs = [head(inputs) for head in self._heads]
        return keras.layers.add(outputs)
""",
            at="set()",
            good="""\
from tensorflow import keras
from tensorflow.keras import layers


class Mixer(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._heads = []
        for _ in range(3):
            self._heads.append(layers.Dense(6, activation="tanh"))  # per task

    def call(self, inputs):
        outputs = [head(inputs) for head in self._heads]
        return keras.layers.add(outputs)
""",
            witness=Witness(
                "Mixer()",
                trains=6,
                fails={Keras.V3: _LOST, Keras.V2: _hidden(6)},
            ),
        ),
        Example(
            variant="frozenset",
            bad="""\
import keras
from keras import layers


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.branches = frozenset([layers.Dense(6), layers.Dense(6)])

    def call(self, x):
        for branch in self.branches:
            x = x + branch(x)
        return x
""",
            at="frozenset([layers.Dense(6), layers.Dense(6)])",
            good="""\
import keras
from keras import layers


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.branches = tuple([layers.Dense(6), layers.Dense(6)])

    def call(self, x):
        for branch in self.branches:
            x = x + branch(x)
        return x
""",
            witness=Witness(
                "Net()",
                trains=4,
                fails={Keras.V3: {**_hidden(4), **_LOST}, Keras.V2: {**_hidden(4), **_LOST}},
            ),
        ),
        Example(
            variant="deque",
            bad="""\
import collections

import tensorflow as tf
from tensorflow.keras.layers import Dense


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = collections.deque(maxlen=2)
        self.blocks.append(Dense(6))
        self.blocks.append(Dense(6))

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x
""",
            at="collections.deque(maxlen=2)",
            good="""\
import collections

import tensorflow as tf
from tensorflow.keras.layers import Dense


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = []
        self.blocks.append(Dense(6))
        self.blocks.append(Dense(6))

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x
""",
            witness=Witness(
                "Net()",
                trains=4,
                fails={Keras.V3: {**_hidden(4), **_LOST}, Keras.V2: {**_hidden(4), **_LOST}},
            ),
            fixed=False,
        ),
        Example(
            variant="iterator",
            bad="""\
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.pairs = zip([tf.keras.layers.Dense(6)], [tf.keras.layers.Dense(6)])

    def call(self, x):
        for one, other in self.pairs:
            x = one(x) * other(x)
        return x
""",
            at="zip([tf.keras.layers.Dense(6)], [tf.keras.layers.Dense(6)])",
            good="""\
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.pairs = list(zip([tf.keras.layers.Dense(6)], [tf.keras.layers.Dense(6)]))

    def call(self, x):
        for one, other in self.pairs:
            x = one(x) * other(x)
        return x
""",
            witness=Witness(
                "Net()",
                trains=4,
                fails={
                    Keras.V3: {Way.TRAIN: "UNTRAINED: 0 of 4"},
                    Keras.V2: {Way.TRAIN: "UNTRAINED: 0 of 4"},
                },
            ),
            fixed=False,
        ),
        Example(
            variant="defaultdict",
            bad="""\
from collections import defaultdict

import tensorflow as tf
from tensorflow.keras import layers


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = defaultdict(list)
        for _ in range(2):
            self.blocks["left"].append(layers.Dense(6))

    def call(self, x):
        for block in self.blocks["left"]:
            x = block(x)
        return x
""",
            at="defaultdict(list)",
            good="""\
from collections import defaultdict

import tensorflow as tf
from tensorflow.keras import layers


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        blocks = defaultdict(list)
        for _ in range(2):
            blocks["left"].append(layers.Dense(6))
        self.left = blocks["left"]

    def call(self, x):
        for block in self.left:
            x = block(x)
        return x
""",
            witness=Witness(
                "Net()",
                trains=4,
                fails={
                    Keras.V3: dict.fromkeys(Witness.ways, "KeyError: 'left'"),
                    Keras.V2: {**_hidden(4), **_LOST},
                },
            ),
            fixed=False,
        ),
        Example(
            variant="lambda",
            bad="""\
import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        dense = keras.layers.Dense(6)
        self.head = lambda x: dense(x) * 0.5

    def call(self, inputs):
        return self.head(inputs)
""",
            at="lambda x: dense(x) * 0.5",
            good="""\
import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(6)
        self.head = lambda x: self.dense(x) * 0.5

    def call(self, inputs):
        return self.head(inputs)
""",
            witness=Witness(
                "Net()",
                trains=2,
                fails={Keras.V3: {**_hidden(2), **_LOST}, Keras.V2: {**_hidden(2), **_LOST}},
            ),
            fixed=False,
        ),
        Example(
            variant="function",
            bad="""\
import tensorflow as tf

Dense = tf.keras.layers.Dense


def make_block(units):
    first, second = Dense(units, activation="relu"), Dense(units)

    def block(x):
        return second(first(x))

    return block


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.block = make_block(6)

    def call(self, inputs):
        return self.block(inputs)
""",
            at="make_block(6)",
            good="""\
import tensorflow as tf

Dense = tf.keras.layers.Dense


def make_block(units):
    return tf.keras.Sequential([Dense(units, activation="relu"), Dense(units)])


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.block = make_block(6)

    def call(self, inputs):
        return self.block(inputs)
""",
            witness=Witness(
                "Net()",
                trains=4,
                fails={Keras.V3: {**_hidden(4), **_LOST}, Keras.V2: {**_hidden(4), **_LOST}},
            ),
            fixed=False,
        ),
        Example(
            variant="partial",
            bad="""\
import functools

import tensorflow as tf


def residual(layer, x):
    return x + layer(x)


class Block(tf.keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.step = functools.partial(residual, tf.keras.layers.Dense(6))

    def call(self, inputs):
        return self.step(inputs)
""",
            at="functools.partial(residual, tf.keras.layers.Dense(6))",
            good="""\
import functools

import tensorflow as tf


def residual(layer, x):
    return x + layer(x)


class Block(tf.keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = tf.keras.layers.Dense(6)
        self.step = functools.partial(residual, self.dense)

    def call(self, inputs):
        return self.step(inputs)
""",
            witness=Witness(
                "Block()",
                trains=2,
                fails={Keras.V3: {**_hidden(2), **_LOST}, Keras.V2: {**_hidden(2), **_LOST}},
            ),
            fixed=False,
        ),
        Example(
            variant="method",
            bad="""\
import keras
from keras.layers import Dense


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.project = Dense(6).__call__

    def call(self, inputs):
        return self.project(inputs)
""",
            at="Dense(6).__call__",
            good="""\
import keras
from keras.layers import Dense


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.project = Dense(6)

    def call(self, inputs):
        return self.project(inputs)
""",
            witness=Witness(
                "Net()",
                trains=2,
                fails={Keras.V3: {**_hidden(2), **_LOST}, Keras.V2: {**_hidden(2), **_LOST}},
            ),
            fixed=False,
        ),
        Example(
            variant="object",
            bad="""\
import tensorflow as tf


class Encoder:
    def __init__(self, units):
        self.units = units
        self.dense = tf.keras.layers.Dense(units)

    def encode(self, x):
        return tf.nn.relu(self.dense(x))


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.encoder = Encoder(6)

    def call(self, inputs):
        return self.encoder.encode(inputs)
""",
            at="Encoder(6)",
            good="""\
import tensorflow as tf


class Encoder(tf.keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.units = units
        self.dense = tf.keras.layers.Dense(units)

    def encode(self, x):
        return tf.nn.relu(self.dense(x))


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.encoder = Encoder(6)

    def call(self, inputs):
        return self.encoder.encode(inputs)
""",
            witness=Witness(
                "Net()",
                trains=2,
                fails={Keras.V3: {**_hidden(2), **_LOST}, Keras.V2: {**_hidden(2), **_LOST}},
            ),
            fixed=False,
        ),
        Example(
            variant="record",
            bad="""\
from dataclasses import dataclass

import tensorflow as tf
from tensorflow.keras import layers


@dataclass
class Parts:
    inner: layers.Layer
    outer: layers.Layer


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = Parts(layers.Dense(12), outer=layers.Dense(6))

    def call(self, inputs):
        return self.parts.outer(self.parts.inner(inputs))
""",
            at="Parts(layers.Dense(12), outer=layers.Dense(6))",
            good="""\
from typing import NamedTuple

import tensorflow as tf
from tensorflow.keras import layers


class Parts(NamedTuple):
    inner: layers.Layer
    outer: layers.Layer


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = Parts(layers.Dense(12), outer=layers.Dense(6))

    def call(self, inputs):
        return self.parts.outer(self.parts.inner(inputs))
""",
            witness=Witness(
                "Net()",
                trains=4,
                fails={Keras.V3: {**_hidden(4), **_LOST}, Keras.V2: {**_hidden(4), **_LOST}},
            ),
            fixed=False,
        ),
        Example(
            variant="module",
            bad="""\
import tensorflow as tf


class Scorer(tf.Module):
    def __init__(self):
        super().__init__()
        self.dense = tf.keras.layers.Dense(6)

    def __call__(self, x):
        return self.dense(x)


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scorer = Scorer()

    def call(self, inputs):
        return self.scorer(inputs)
""",
            at="Scorer()",
            good="""\
import tensorflow as tf


class Scorer(tf.keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.dense = tf.keras.layers.Dense(6)

    def call(self, x):
        return self.dense(x)


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scorer = Scorer()

    def call(self, inputs):
        return self.scorer(inputs)
""",
            witness=Witness(
                "Net()",
                trains=2,
                fails={
                    Keras.V3: {Way.TRAIN: "UNTRAINED: 0 of 2", **_LOST},
                    Keras.V2: _LOST,
                },
            ),
            fixed=False,
        ),
        Example(
            variant="internal",
            bad="""\
import keras
from keras.layers import Dense, Layer


class Tower(Layer):
    def __init__(self, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.depth = depth
        self._layers = []
        for _ in range(depth):
            self._layers.append(Dense(6))

    def call(self, inputs):
        for layer in self._layers:
            inputs = layer(inputs)
        return keras.activations.relu(inputs)

    def get_config(self):
        return {**super().get_config(), "depth": self.depth}
""",
            at="[]",
            good="""\
import keras
from keras.layers import Dense, Layer


class Tower(Layer):
    def __init__(self, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.depth = depth
        self.blocks = []
        for _ in range(depth):
            self.blocks.append(Dense(6))

    def call(self, inputs):
        for layer in self.blocks:
            inputs = layer(inputs)
        return keras.activations.relu(inputs)

    def get_config(self):
        return {**super().get_config(), "depth": self.depth}
""",
            witness=Witness("Tower()", trains=4, fails={Keras.V3: _LOST}),
            keras=(Keras.V3,),
            fixed=False,
        ),
        Example(
            variant="replaced",
            bad="""\
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.head = keras.layers.Dense(3)
        self._layers = []

    def call(self, inputs):
        return self.head(inputs)
""",
            at="[]",
            good="""\
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.head = keras.layers.Dense(3)

    def call(self, inputs):
        return self.head(inputs)
""",
            witness=Witness("Net()", trains=2, fails={Keras.V3: {Way.TRAIN: "UNTRAINED: 0 of 2"}}),
            keras=(Keras.V3,),
            fixed=False,
        ),
        Example(
            variant="dict",
            bad="""\
import tensorflow as tf
from tensorflow.keras import layers


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.__dict__["teacher"] = layers.Dense(6)

    def call(self, inputs):
        return self.teacher(inputs)
""",
            at="layers.Dense(6)",
            good="""\
import tensorflow as tf
from tensorflow.keras import layers


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.teacher = layers.Dense(6)

    def call(self, inputs):
        return self.teacher(inputs)
""",
            witness=Witness(
                "Net()",
                trains=2,
                fails={Keras.V3: _hidden(2), Keras.V2: _hidden(2)},
            ),
            fixed=False,
        ),
    )

    silent = (
        """\
# Lists, tuples, named tuples and dictionaries: Keras looks into them.
import collections
import tensorflow as tf
from tensorflow.keras import layers

Pair = collections.namedtuple("Pair", "one other")


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [layers.Dense(6) for _ in range(2)]
        self.heads = {"a": layers.Dense(6), "b": layers.Dense(6)}
        self.pair = Pair(layers.Dense(6), layers.Dense(6))
        self.rest = tuple(layers.Dense(6) for _ in range(2))
        self.named = collections.OrderedDict(a=layers.Dense(6))
        self.sorted = sorted({layers.Dense(6, name="p")}, key=lambda layer: layer.name)

    def call(self, x):
        for block in (*self.blocks, *self.heads.values(), *self.pair, *self.rest, *self.sorted):
            x = block(x)
        return self.named["a"](x)
""",
        """\
# Layers that another attribute or list holds too: Keras finds them there.
import functools
import keras
from keras import layers


class Helper:
    def __init__(self, dense):
        self.dense = dense

    def __call__(self, x):
        return self.dense(x)


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.a = layers.Dense(6)
        b = layers.Dense(6)
        self.kept = [b]
        self.frozen = {self.a, b}
        self.step = lambda x: b(x)
        self.again = functools.partial(self.a)
        self.helper = Helper(self.a)

    def call(self, x):
        for layer in self.frozen:
            x = layer(x)
        return self.helper(self.again(self.step(x)))
""",
        """\
# Layers without weights: there is nothing to train or to save.
import keras
from keras import layers


class Swish(layers.Layer):
    def call(self, x):
        return x * keras.activations.sigmoid(x)


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        drop = layers.Dropout(0.1)
        swish = Swish()
        self.dense = layers.Dense(6)
        self.noise = lambda x: swish(drop(x))
        self.options = {layers.ReLU(), layers.Flatten()}

    def call(self, x):
        for option in self.options:
            x = option(x)
        return self.noise(self.dense(x))
""",
        """\
# Functions that make layers, or that reach them through `self`.
import keras
from keras import layers


class Net(keras.Model):
    def __init__(self, units=6, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.make = lambda: layers.Dense(units)
        self.dense = self.make()
        self.scaled = lambda x: self.dense(x) * 2.0

        def shifted(x):
            return self.scaled(x) + 1.0

        self.shifted = shifted

    def call(self, x):
        return self.shifted(x)

    def get_config(self):
        config = super().get_config()
        config.update({"units": self.units})
        return config
""",
        """\
# A model's own list of layers: it saves them under `layers`.
import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._layers = [keras.layers.Dense(6)]

    def call(self, x):
        return self._layers[0](x)
""",
        """\
# Sets, deques and objects that hold no layers.
import collections
import keras
from keras import layers


class Settings:
    def __init__(self, units):
        self.units = units
        self.kind = layers.Dense


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.settings = Settings(6)
        self.names = {"a", "b"}
        self.losses_seen = collections.deque(maxlen=10)
        self.counts = collections.defaultdict(int)
        self.dense = self.settings.kind(self.settings.units)

    def call(self, x):
        return self.dense(x)
""",
        """\
# The constructor takes the layer out of the object, and keeps it where Keras sees it.
import keras
from keras import layers


class Builder:
    def __init__(self):
        self.dense = layers.Dense(6)


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.builder = Builder()
        self.inner = self.builder.dense

    def call(self, x):
        return self.builder.dense(x)
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Every attribute that is set in construction."""
        seen: set[int] = set()
        for holder in containers.holders(module):
            for name in holder.names:
                for finding, node in self._attribute(holder, name):
                    if id(node) not in seen:
                        seen.add(id(node))
                        yield finding

    def _attribute(self, holder: Holder, name: str) -> Iterator[tuple[Finding, cst.CSTNode]]:
        if weights.is_kept(holder.module, holder.cls, name):
            return
        if name == "__dict__":
            yield from self._behind_setattr(holder)
        elif name == _INTERNAL and holder.module.keras is Keras.V3:
            yield from self._in_own_list(holder)
        elif holder.is_used(name):
            yield from self._in_collection(holder, name)
            yield from self._in_defaultdict(holder, name)
            for store in holder.stores:
                if store.name == name:
                    yield from self._in_function(holder, store)
                    yield from self._in_object(holder, store)

    def _report(
        self,
        holder: Holder,
        store: AttributeStore,
        where: str,
        *,
        variant: str,
        fix: Fix,
        layer: Instance | None = None,
    ) -> tuple[Finding, cst.CSTNode]:
        finding = self.finding(
            holder.module,
            store.value_node,
            f"`self.{store.name}` of `{holder.cls.name}` {where}",
            variant=variant,
            note="absent from `weights`",
            labels=[(layer.node, "this layer")] if layer is not None else (),
            fix=fix,
        )
        return finding, store.value_node

    # -- collections ----------------------------------------------------------------

    def _in_collection(self, holder: Holder, name: str) -> Iterator[tuple[Finding, cst.CSTNode]]:
        stores = list(holder.assigned(name))
        first = stores[0].value if stores else None
        if len(stores) != 1 or not isinstance(first, Seq) or first.kind not in _COLLECTIONS:
            return
        layers = _contents(holder, name)
        added = any(change.how == "add" for change in holder.changed(name))
        if not layers or any(holder.is_seen(layer, name) for layer in layers):
            return
        tracked = first.kind == "set" and holder.module.keras is Keras.V3
        single = len(layers) == 1 and first.complete and not added
        if tracked and single and holder.cls.kind is not Kind.LAYER:
            return  # a model saves it, and there is no order to lose
        where = f"keeps layers in {_COLLECTIONS[first.kind]}, "
        where += "which Keras 3 does not save" if tracked else "where Keras does not see them"
        fix = _as_list(holder, stores[0], first.kind)
        yield self._report(
            holder,
            stores[0],
            where,
            variant="filled set" if first.kind == "set" and added else first.kind,
            fix=fix,
        )

    def _in_own_list(self, holder: Holder) -> Iterator[tuple[Finding, cst.CSTNode]]:
        stores = list(holder.assigned(_INTERNAL))
        is_list = bool(stores) and isinstance(stores[0].value, Seq)
        if not is_list:
            return
        layers = _contents(holder, _INTERNAL)
        fix = Fix("give the attribute another name", Safety.DISPLAY)
        others = [v for s in holder.stores if s.name != _INTERNAL for v in holder.layers(s.value)]
        hidden = [v for v in others if all(v.node is not layer.node for layer in layers)]
        if hidden:
            where = "takes the place of Keras' own list, by which it finds what to train"
            yield self._report(
                holder, stores[0], where, variant="replaced", fix=fix, layer=hidden[0]
            )
            return
        seen = any(holder.is_seen(layer, _INTERNAL) for layer in layers)
        if layers and not seen and holder.cls.kind is Kind.LAYER:
            where = "is a list of Keras' own, which it does not save"
            yield self._report(holder, stores[0], where, variant="internal", fix=fix)

    def _in_defaultdict(self, holder: Holder, name: str) -> Iterator[tuple[Finding, cst.CSTNode]]:
        stores = list(holder.assigned(name))
        value = stores[0].value if stores else None
        if len(stores) != 1 or not isinstance(value, Table) or value.kind != "defaultdict":
            return
        layers = _contents(holder, name)
        if not layers or any(holder.is_seen(layer, name) for layer in layers):
            return
        if holder.module.keras is Keras.V3 and not _needs_factory(holder, name):
            return  # a dictionary like any other, once it has its keys
        where = "is a `defaultdict` of layers, which "
        where += (
            "Keras 3 makes a plain dictionary"
            if holder.module.keras is Keras.V3
            else ("Keras does not look into")
        )
        fix = Fix("fill a local one, and assign `dict(...)` of it", Safety.DISPLAY)
        yield self._report(holder, stores[0], where, variant="defaultdict", fix=fix)

    # -- functions ------------------------------------------------------------------

    def _in_function(
        self, holder: Holder, store: AttributeStore
    ) -> Iterator[tuple[Finding, cst.CSTNode]]:
        for value in elements(store.value):
            found = _bound(holder, value)
            if found is None:
                continue
            layers, where, variant = found
            hidden = [layer for layer in layers if not holder.is_seen(layer, store.name)]
            if hidden:
                fix = Fix("assign the layer to an attribute as well", Safety.DISPLAY)
                yield self._report(holder, store, where, variant=variant, fix=fix, layer=hidden[0])
                return

    # -- objects --------------------------------------------------------------------

    def _in_object(
        self, holder: Holder, store: AttributeStore
    ) -> Iterator[tuple[Finding, cst.CSTNode]]:
        cls = holder.cls
        if containers.is_taken_out(holder, store.name):
            return  # the constructor may take the layer out of it
        for value in elements(store.value):
            outline = value.outline if isinstance(value, Instance) else None
            if not isinstance(value, Instance) or outline is None:
                continue
            start = outline.definer("__init__") or outline
            if {outline.path, start.path} != {cls.outline.path}:
                continue  # what it does with a layer is not read
            is_module = value.kind is Kind.MODULE
            if not is_module and not containers.is_plain(outline):
                continue
            layer = _inner_layer(holder, store, value, outline)
            if layer is None:
                continue
            kind = "a `tf.Module`" if is_module else "a plain object"
            fix = Fix(
                f"make `{outline.name}` a `keras.layers.Layer`, or assign its layer to an"
                f" attribute of `{cls.name}` as well",
                Safety.DISPLAY,
            )
            variant = (
                "module"
                if is_module
                else "object"
                if "__init__" in outline.method_names
                else "record"
            )
            where = f"is {kind} with a layer that Keras does not see"
            yield self._report(holder, store, where, variant=variant, fix=fix, layer=layer)
            return

    def _behind_setattr(self, holder: Holder) -> Iterator[tuple[Finding, cst.CSTNode]]:
        for store in holder.stores:
            layers = holder.layers(store.value) if store.name == "__dict__" else []
            if not layers or any(holder.is_seen(layer, "__dict__") for layer in layers):
                continue
            fix = Fix("assign it to the attribute itself", Safety.DISPLAY)
            where = "is given a layer, of which Keras does not hear"
            yield self._report(holder, store, where, variant="dict", fix=fix)


def _contents(holder: Holder, name: str) -> list[Instance]:
    """The layers with weights that construction puts into an attribute."""
    values = [s.value for s in holder.stores if s.name == name]
    values += [value for change in holder.changed(name) for value in change.values]
    found = [layer for value in values for layer in holder.layers(value)]
    return list({id(layer.node): layer for layer in found}.values())


def _needs_factory(holder: Holder, name: str) -> bool:
    """Whether an item is changed that only the factory of a `defaultdict` can have made."""
    changes = list(holder.changed(name))
    made = any(c.depth == 0 and c.how in {"item", "setdefault", "update"} for c in changes)
    store = next(holder.assigned(name))
    empty = isinstance(store.value, Table) and not store.value.items
    return empty and not made and any(c.depth > 0 and not c.alias for c in changes)


def _bound(holder: Holder, value: Value) -> tuple[list[Instance], str, str] | None:
    """The layers that a function, a partial or a bound method keeps, where, and the variant."""
    behind = containers.behind(holder.module, value)
    layers = [layer for held in behind for layer in holder.layers(held)]
    if isinstance(value, Function):
        is_lambda = value.name == "<lambda>"
        kind = "a lambda" if is_lambda else "a function"
        where = f"is {kind} around a layer that Keras does not see"
        return layers, where, "lambda" if is_lambda else "function"
    if isinstance(value, Partial):
        return layers, "is a `partial` with a layer that Keras does not see", "partial"
    if isinstance(value, Member) and layers:
        return layers, "is a method of a layer that Keras does not see", "method"
    return None


def _inner_layer(
    holder: Holder, store: AttributeStore, helper: Instance, outline: ClassOutline
) -> Instance | None:
    """A layer with weights that an object holds, and that the class uses through it."""
    flows = containers.flows_of(holder.module, outline)
    given = [
        contact.instance
        for contact in holder.passed
        if contact.node is helper.node and holder.has_weights(contact.instance)
    ]
    keeps_given = "__init__" not in flows
    for inner in flows.get("__init__", Flow()).all(AttributeStore):
        keeps_given = True
        layers = holder.layers(inner.value) if inner.owner is outline else []
        if layers and containers.reaches(holder, store.name, inner.name, flows):
            return layers[0]
    hidden = [layer for layer in given if not holder.is_seen(layer, store.name)]
    return hidden[0] if hidden and keeps_given else None


def _as_list(holder: Holder, store: AttributeStore, kind: str) -> Fix:
    """A list in the place of a set, a tuple in that of a frozenset."""
    module = holder.module
    display = Fix("keep them in a list", Safety.DISPLAY)
    text = module.text(store.value_node)
    changes = list(holder.changed(store.name))
    plain = all(change.how == "add" and not change.alias for change in changes)
    if not plain or not _only_iterates(holder, store.name):
        return display
    edits: list[Edit] = []
    for change in changes:
        called = module.text(change.node)
        head, dot, rest = called.partition(".add(")
        if not dot or ".add(" in rest:
            return display
        edits.append(rewrite.replace(module, change.node, f"{head}.append({rest}"))
    if kind == "set" and text.startswith("{") and text.endswith("}"):
        new = f"[{text[1:-1]}]"
    elif kind == "set" and text == "set()":
        new = "[]"
    elif kind == "set" and text.startswith("set("):
        new = f"list{text.removeprefix('set')}"
    elif kind == "frozenset" and text.startswith("frozenset(") and not changes:
        new = f"tuple{text.removeprefix('frozenset')}"
    else:
        return display
    edits.append(rewrite.replace(module, store.value_node, new))
    how = "keep them in a tuple" if kind == "frozenset" else "keep them in a list"
    reason = "the layers get an order, and weights saved before do not fit"
    return Fix(how, Safety.UNSAFE, tuple(edits), reason)


def _only_iterates(holder: Holder, name: str) -> bool:
    """Whether a list would do as well in every use of a set."""
    for method in holder.cls.flows:
        for read in weights.reads(holder.module, holder.cls, name, method):
            use = holder.module.use_of(read.node)
            taken = use.role == "argument" and use.name in _TAKES_LIST
            added = use.role == "member" and use.name == "add" and use.direct
            if not (taken or added or use.role == "iterated"):
                return False
    return True
