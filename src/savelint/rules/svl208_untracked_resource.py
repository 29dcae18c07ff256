"""SVL208 untracked-resource."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras.clues import OUTER_OBJECT
from savelint.keras.events import AttributeStore, Creation, OuterRead
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import LOOKUP_LAYERS, LOOKUP_TABLES, WEIGHTED, Kind
from savelint.keras.values import Instance, Seq, Table, Use, Value, Variable, elements
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import containers, weights
from savelint.rules.containers import Holder

if TYPE_CHECKING:
    import libcst as cst

_SHOWN = Fix("make it in `__init__`, as an attribute of `self`", Safety.DISPLAY)
_REASON = "it is then a part of the object, and is trained and saved with it"
# What says something of an object and does not use its state.
_ASKING = frozenset("getattr hasattr id isinstance issubclass len print repr str type".split())
_LABELS = frozenset("device dtype get_shape name ndim op rank shape trainable".split())
_PARTS = frozenset(
    """
    __call__ bias call embeddings kernel trainable_variables trainable_weights variables weights
    """.split()
)
_ITERATING = frozenset("enumerate reversed zip".split())
# Attributes that Keras has for itself.
_TAKEN = frozenset(
    """
    activity_regularizer built dtype dynamic input inputs layers loss losses metrics name optimizer
    output outputs path states submodules trainable training updates variables weights
    """.split()
)

_UNTRACKED = "AssertionError: Tried to export a function which references an 'untracked' resource"
_OTHERS = "DIFF: other outputs"
_LOST = {
    Way.SAVED_MODEL: _UNTRACKED,
    Way.KERAS: _OTHERS,
    Way.WEIGHTS: _OTHERS,
    Way.TRAIN: "UNTRAINED",
}
_TABLE = {Way.SAVED_MODEL: _UNTRACKED, Way.EXPORT: _UNTRACKED}
# A layer with a table and no weights: there is nothing to train, and no Keras file to try.
_SERVED = (Way.CALL, Way.SAVED_MODEL, Way.EXPORT)
_TABLE_OF_LAYER = """\
import tensorflow as tf
from tensorflow import keras


class Prices(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant([0, 1], tf.int64), tf.constant([1.0, 2.0])
            ),
            default_value=-1.0,
        )

    def call(self, inputs):
        return self.table.lookup(tf.cast(inputs, tf.int64))
"""
_CLASS_LAYER = {Way.SAVED_MODEL: _UNTRACKED}


class UntrackedResource(Rule):
    """What `call` uses belongs to no layer or model, so it is not saved with any.

    Consequence: a variable, a layer with weights, a list of them or a whole model that is
    made at module level, and used in `call` from there, is no part of the object.
    `tf.saved_model.save` raises an AssertionError ("untracked resource"); `.keras` and
    `.weights.h5` are written without it, so that another process has other outputs,
    without any exception. With a lookup table, or a layer that keeps one, `export` raises
    too. A variable in the body of a class is lost in the same way; a layer there fails
    `tf.saved_model.save` alone. A lookup table that `call` makes, or that a plain object or
    a function in an attribute keeps, fails `tf.saved_model.save` and `export`.

    Silent: layers without weights, constants and arrays; a table that a `tf.Module` keeps;
    what a constructor or any other code assigns to an attribute; what other code calls or
    hands on, as for a functional model that may then keep it; what is asked for its shape
    or name alone; what only training, or a function outside of Keras classes, uses; names
    bound more than once.

    Fix: `self.name = name` at the end of `__init__` (unsafe: from then on it is trained and
    saved with the object). Shown for variables, for what the body of a class makes, and
    where there is no constructor.
    """

    code = "SVL208"
    name = "untracked-resource"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("call",)
    clues = (frozenset({OUTER_OBJECT, *(name.rpartition(".")[2] for name in LOOKUP_TABLES)}),)
    examples = (
        Example(
            variant="variable",
            bad="""\
import tensorflow as tf
from tensorflow import keras

GAIN = tf.Variable(tf.random.normal([6]), name="gain")


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs * GAIN)
""",
            at="GAIN",
            good="""\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)
        self.gain = self.add_weight(name="gain", shape=[6], initializer="random_normal")

    def call(self, inputs):
        return self.dense(inputs * self.gain)
""",
            witness=Witness(build="Net()", fails=dict.fromkeys(Keras, _LOST), trains=3),
            fixed=False,
        ),
        Example(
            variant="layer",
            bad="""\
import tensorflow as tf
from tensorflow.keras import layers

projection = layers.Dense(6)


def project(x):
    return tf.nn.relu(projection(x))


class Block(layers.Layer):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(units)

    def call(self, inputs):
        return self.dense(project(inputs))
""",
            at="projection",
            good="""\
import tensorflow as tf
from tensorflow.keras import layers

projection = layers.Dense(6)


def project(x):
    return tf.nn.relu(projection(x))


class Block(layers.Layer):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(units)
        self.projection = projection

    def call(self, inputs):
        return self.dense(project(inputs))
""",
            witness=Witness(build="Block()", fails=dict.fromkeys(Keras, _LOST), trains=4),
        ),
        Example(
            variant="list",
            bad="""\
import tensorflow as tf
from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Model

BLOCKS = [Dense(6, activation="relu") for _ in range(2)]


class Net(Model):
    def __init__(self):
        super().__init__()
        self.head = Dense(3)

    def call(self, inputs):
        x = inputs
        for block in BLOCKS:
            x = block(x)
        return self.head(x)

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()
""",
            at="BLOCKS",
            good="""\
import tensorflow as tf
from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Model

BLOCKS = [Dense(6, activation="relu") for _ in range(2)]


class Net(Model):
    def __init__(self):
        super().__init__()
        self.head = Dense(3)
        self.blocks = BLOCKS

    def call(self, inputs):
        x = inputs
        for block in BLOCKS:
            x = block(x)
        return self.head(x)

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()
""",
            witness=Witness(build="Net()", fails=dict.fromkeys(Keras, _LOST), trains=6),
        ),
        Example(
            variant="model",
            bad="""\
import keras
from keras import layers

encoder_input = keras.Input((6,))
encoder = keras.Model(encoder_input, layers.Dense(4, activation="relu")(encoder_input))


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.head = layers.Dense(3)

    def call(self, inputs):
        return self.head(encoder(inputs))
""",
            at="encoder",
            good="""\
import keras
from keras import layers

encoder_input = keras.Input((6,))
encoder = keras.Model(encoder_input, layers.Dense(4, activation="relu")(encoder_input))


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.head = layers.Dense(3)
        self.encoder = encoder

    def call(self, inputs):
        return self.head(encoder(inputs))
""",
            witness=Witness(build="Net()", fails=dict.fromkeys(Keras, _LOST), trains=4),
        ),
        Example(
            variant="table",
            bad="""\
import tensorflow as tf
from tensorflow import keras

PRICES = tf.lookup.StaticHashTable(
    tf.lookup.KeyValueTensorInitializer(
        tf.constant([0, 1], tf.int64), tf.constant([1.0, 2.0])
    ),
    default_value=-1.0,
)


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(PRICES.lookup(tf.cast(inputs, tf.int64)))
""",
            at="PRICES",
            good="""\
import tensorflow as tf
from tensorflow import keras

PRICES = tf.lookup.StaticHashTable(
    tf.lookup.KeyValueTensorInitializer(
        tf.constant([0, 1], tf.int64), tf.constant([1.0, 2.0])
    ),
    default_value=-1.0,
)


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)
        self.prices = PRICES

    def call(self, inputs):
        return self.dense(PRICES.lookup(tf.cast(inputs, tf.int64)))
""",
            witness=Witness(build="Net()", fails=dict.fromkeys(Keras, _TABLE)),
        ),
        Example(
            variant="lookup",
            bad="""\
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras.layers import Embedding, IntegerLookup, Layer

lookup = IntegerLookup(vocabulary=[1, 2, 3])


class Codes(Layer):
    def __init__(self, width=2, **kwargs):
        super().__init__(**kwargs)
        self.embedding = Embedding(5, width)

    def call(self, inputs):
        return self.embedding(lookup(tf.cast(inputs, tf.int64)))
""",
            at="lookup",
            good="""\
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras.layers import Embedding, IntegerLookup, Layer

lookup = IntegerLookup(vocabulary=[1, 2, 3])


class Codes(Layer):
    def __init__(self, width=2, **kwargs):
        super().__init__(**kwargs)
        self.embedding = Embedding(5, width)
        self.lookup = lookup

    def call(self, inputs):
        return self.embedding(lookup(tf.cast(inputs, tf.int64)))
""",
            witness=Witness(build="Codes()", fails=dict.fromkeys(Keras, _TABLE)),
        ),
        Example(
            variant="class-layer",
            bad="""\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)
""",
            at="self.dense",
            good="""\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)
""",
            witness=Witness(build="Net()", fails=dict.fromkeys(Keras, _CLASS_LAYER)),
            fixed=False,
        ),
        Example(
            variant="class-variable",
            bad="""\
import tensorflow as tf
from tensorflow.keras.layers import Layer


class Scale(Layer):
    scale = tf.Variable(tf.random.normal([6]))

    def call(self, inputs):
        return tf.multiply(inputs, Scale.scale)
""",
            at="Scale.scale",
            good="""\
import tensorflow as tf
from tensorflow.keras.layers import Layer


class Scale(Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=(6,), initializer="random_normal")

    def call(self, inputs):
        return tf.multiply(inputs, self.scale)
""",
            witness=Witness(build="Scale()", fails=dict.fromkeys(Keras, _LOST), trains=1),
            fixed=False,
        ),
        Example(
            variant="class-table",
            bad="""\
import tensorflow as tf
from tensorflow import keras


class Prices(keras.layers.Layer):
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant([0, 1], tf.int64), tf.constant([1.0, 2.0])
        ),
        default_value=-1.0,
    )

    def call(self, inputs):
        return self.table.lookup(tf.cast(inputs, tf.int64))
""",
            at="self.table",
            good=_TABLE_OF_LAYER,
            witness=Witness(build="Prices()", ways=_SERVED, fails=dict.fromkeys(Keras, _TABLE)),
            fixed=False,
        ),
        Example(
            variant="table-in-call",
            bad="""\
import tensorflow as tf
from tensorflow import keras


class Prices(keras.layers.Layer):
    def call(self, inputs):
        table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant([0, 1], tf.int64), tf.constant([1.0, 2.0])
            ),
            default_value=-1.0,
        )
        return table.lookup(tf.cast(inputs, tf.int64))
""",
            at="""\
tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant([0, 1], tf.int64), tf.constant([1.0, 2.0])
            ),
            default_value=-1.0,
        )""",
            good=_TABLE_OF_LAYER,
            witness=Witness(build="Prices()", ways=_SERVED, fails=dict.fromkeys(Keras, _TABLE)),
            fixed=False,
        ),
        Example(
            variant="table-in-object",
            bad="""\
import keras
import tensorflow as tf
from tensorflow.lookup import KeyValueTensorInitializer, StaticHashTable


class Catalogue:
    def __init__(self, keys, prices):
        start = KeyValueTensorInitializer(keys, prices, tf.int64, tf.float32)
        self.table = StaticHashTable(start, -1.0)

    def price(self, keys):
        return self.table.lookup(keys)


class Prices(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.catalogue = Catalogue([0, 1], [1.0, 2.0])

    def call(self, inputs):
        return self.catalogue.price(tf.cast(inputs, "int64"))
""",
            at="Catalogue([0, 1], [1.0, 2.0])",
            good="""\
import keras
import tensorflow as tf
from tensorflow.lookup import KeyValueTensorInitializer, StaticHashTable


class Catalogue(tf.Module):
    def __init__(self, keys, prices):
        super().__init__()
        start = KeyValueTensorInitializer(keys, prices, tf.int64, tf.float32)
        self.table = StaticHashTable(start, -1.0)

    def price(self, keys):
        return self.table.lookup(keys)


class Prices(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.catalogue = Catalogue([0, 1], [1.0, 2.0])

    def call(self, inputs):
        return self.catalogue.price(tf.cast(inputs, "int64"))
""",
            witness=Witness(build="Prices()", ways=_SERVED, fails=dict.fromkeys(Keras, _TABLE)),
            fixed=False,
        ),
        Example(
            variant="table-in-function",
            bad="""\
import tensorflow as tf
from tensorflow import keras


class Prices(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer([0, 1], [1.0, 2.0], tf.int64, tf.float32), -1.0
        )
        self.price = lambda keys: table.lookup(keys)

    def call(self, inputs):
        return self.price(tf.cast(inputs, tf.int64))
""",
            at="lambda keys: table.lookup(keys)",
            good="""\
import tensorflow as tf
from tensorflow import keras


class Prices(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer([0, 1], [1.0, 2.0], tf.int64, tf.float32), -1.0
        )

    def call(self, inputs):
        return self.table.lookup(tf.cast(inputs, tf.int64))
""",
            witness=Witness(build="Prices()", ways=_SERVED, fails=dict.fromkeys(Keras, _TABLE)),
            fixed=False,
        ),
    )
    silent = (
        """\
# Nothing that is made here has state: layers without weights, arrays, initializers, losses.
import numpy as np
import tensorflow as tf
from tensorflow import keras

drop = keras.layers.Dropout(0.5)
flatten = keras.layers.Flatten()
augment = keras.Sequential([keras.layers.GaussianNoise(0.1), keras.layers.Rescaling(2.0)])
ones = keras.initializers.Ones()
loss = keras.losses.MeanSquaredError()
MEAN = tf.constant([1.0] * 6)
TABLE = np.arange(6.0)

class Net(keras.Model):
    scale = tf.constant(2.0)
    relu = keras.layers.ReLU()

    def call(self, inputs):
        x = flatten(drop(augment(inputs))) * MEAN * TABLE * self.scale
        return self.relu(x) + ones((6,)) + loss(inputs, inputs)
""",
        """\
# The constructor, or other code, makes them attributes of the object.
import tensorflow as tf
from tensorflow import keras

dense = keras.layers.Dense(6)
blocks = [keras.layers.Dense(6) for _ in range(2)]
gate = keras.layers.Dense(6)

class Net(keras.Model):
    head = keras.layers.Dense(3)

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = dense
        self.blocks = list(blocks)
        self.head = keras.layers.Dense(4)

    def call(self, inputs):
        x = gate(dense(inputs))
        for block in blocks:
            x = block(x)
        return self.head(x)

net = Net()
net.gate = gate
""",
        """\
# The functional model and the Sequential, which are what is saved, keep these layers.
import tensorflow as tf
from tensorflow import keras

embedding = keras.layers.Embedding(10, 4)
dense = keras.layers.Dense(4)

class Tied(keras.layers.Layer):
    def call(self, inputs):
        return tf.matmul(inputs, embedding.embeddings, transpose_b=True)

class Twice(keras.layers.Layer):
    def call(self, inputs):
        return dense(inputs)

inputs = keras.Input([6], dtype="int32")
model = keras.Model(inputs, Tied()(embedding(inputs)))
other = keras.Sequential([dense, Twice()])
""",
        """\
# A script's functions use its model: only what `call` of a Keras class uses is meant.
import tensorflow as tf
from tensorflow import keras

model = keras.Sequential([keras.layers.Dense(3)])
step = tf.Variable(0)

class Evaluate(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        model(tf.zeros([1, 6]))

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)

    def train_step(self, data):
        step.assign_add(1)
        return {"loss": tf.reduce_mean(model(data[0]))}

def predict(x):
    return model(x) * tf.cast(step, tf.float32)
""",
        """\
# Only what is said of them is asked for, in training alone or while building.
import tensorflow as tf
from tensorflow import keras

dense = keras.layers.Dense(6)
gain = tf.Variable(tf.ones([6]))
noise = tf.Variable(tf.ones([6]))
blocks = [keras.layers.Dense(6)]

class Net(keras.layers.Layer):
    def call(self, inputs, training=False):
        if training:
            inputs = inputs * noise
        return inputs * float(dense.units) * len(blocks) * gain.shape[0]
""",
        """\
# Names of the function's own, and names that have no one value.
import tensorflow as tf
from tensorflow import keras

dense = keras.layers.Dense(6)
gain = keras.layers.Dense(6)
other = None
if other is None:
    other = keras.layers.Dense(6)

class Net(keras.layers.Layer):
    def __init__(self, layers=(), **kwargs):
        super().__init__(**kwargs)
        self.stages = layers

    def call(self, inputs):
        for dense in self.stages:
            inputs = dense(inputs)
        with tf.name_scope("gain") as gain:
            return other(tf.identity(inputs, name=gain))
""",
        """\
# A class in a function reads what its function holds, not the module.
import tensorflow as tf
from tensorflow import keras

dense = keras.layers.Dense(6)

def make(dense):
    class Net(keras.layers.Layer):
        def call(self, inputs):
            return dense(inputs)

    return Net()
""",
        """\
# A functional model: the constructor runs `call` once, so that the layer is one of its own.
import tensorflow as tf
from tensorflow import keras

dense = keras.layers.Dense(3)

class Net(keras.Model):
    def __init__(self):
        inputs = keras.Input([6])
        super().__init__(inputs, self.call(inputs))

    def call(self, inputs):
        return dense(inputs)
""",
        """\
# The layer has the table in an attribute, or takes it out of what keeps it.
import tensorflow as tf
from tensorflow import keras


def make_table():
    start = tf.lookup.KeyValueTensorInitializer([0, 1], [1.0, 2.0], tf.int64, tf.float32)
    return tf.lookup.StaticHashTable(start, -1.0)


class Catalogue:
    def __init__(self):
        self.table = make_table()

    def price(self, keys):
        return self.table.lookup(keys)


class Prices(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        table = make_table()
        self.tables = [table]
        self.price = lambda keys: table.lookup(keys)
        self.catalogue = Catalogue()
        self.held = self.catalogue.table
        self.unused = Catalogue()

    def call(self, inputs):
        keys = tf.cast(inputs, tf.int64)
        return self.price(keys) + self.catalogue.price(keys)
""",
        """\
# Made once, or outside of Keras: a `tf.Module`, a method that caches, an eager helper.
import functools

import tensorflow as tf
from tensorflow import keras


def make_table():
    start = tf.lookup.KeyValueTensorInitializer([0, 1], [1.0, 2.0], tf.int64, tf.float32)
    return tf.lookup.StaticHashTable(start, -1.0)


class Catalogue(tf.Module):
    def __init__(self):
        super().__init__()
        self.table = make_table()

    def price(self, keys):
        return self.table.lookup(keys)


class Prices(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.catalogue = Catalogue()
        self.table = None

    @functools.cached_property
    def cached(self):
        return make_table()

    def vocabulary(self):
        return make_table().export()

    def call(self, inputs):
        if self.table is None:
            self.table = make_table()
        keys = tf.cast(inputs, tf.int64)
        return self.table.lookup(keys) + self.catalogue.price(keys) + self.cached.lookup(keys)
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The first place of each class at which `call` uses such an object."""
        for holder in containers.holders(module):
            yield from self._tables(holder)
        for cls in module.classes:
            reads = list(cls.flow("call").all(OuterRead))
            if not reads or cls.kind not in {Kind.LAYER, Kind.MODEL} or _is_inner(module, cls):
                continue
            seen: set[str] = set()
            for read in reads:
                found = _resource(module, read)
                if found is None or read.name in seen or _is_kept(module, cls, read):
                    continue
                if isinstance(found, Instance) and _goes_elsewhere(module, read):
                    continue
                if _is_used(module, read) and not _is_shadowed(module, read):
                    seen.add(read.name)
                    yield self._found(module, cls, read, found)

    def _found(
        self, module: ModuleModel, cls: KerasClass, read: OuterRead, found: Instance | Variable
    ) -> Finding:
        own = read.owner is not None and read.owner in cls.outline.lineage
        variant, what = _kind(read.value, found)
        place = f"the body of `{read.owner.name}`" if read.owner is not None else "the module"
        return self.finding(
            module,
            read.node,
            f"`{cls.name}.call` uses the {what} `{module.text(read.node)}`, "
            f"which {place} makes and no object keeps",
            variant=f"class-{_CLASS_VARIANTS[variant]}" if own else variant,
            note="Keras and TensorFlow save what is an attribute of the object",
            labels=((found.node, "made here"),),
            fix=_keep(module, cls, read, found),
        )

    def _tables(self, holder: Holder) -> Iterator[Finding]:
        """Lookup tables that the class itself makes, and does not keep in an attribute."""
        for creation in _made_in_call(holder):
            yield self.finding(
                holder.module,
                creation.node,
                f"`{holder.cls.name}.call` makes a lookup table, which no object keeps",
                variant="table-in-call",
                note="TensorFlow saves what is an attribute of the object",
                fix=_SHOWN,
            )
        for store in holder.stores:
            found = _table_behind(holder, store)
            if found is None or not holder.is_used(store.name):
                continue
            table, in_object = found
            keeper = "a plain object" if in_object else "a function"
            title = "make the object a `tf.Module`" if in_object else "assign the table to `self`"
            yield self.finding(
                holder.module,
                store.value_node,
                f"`self.{store.name}` of `{holder.cls.name}` is {keeper} with a lookup table"
                " that TensorFlow does not see",
                variant="table-in-object" if in_object else "table-in-function",
                labels=((table.node, "this table"),),
                fix=Fix(title, Safety.DISPLAY),
            )


# ---------------------------------------------------------------------- lookup tables


def _tables_in(value: Value) -> Iterator[Instance]:
    for held in elements(value):
        if isinstance(held, Instance) and held.name in LOOKUP_TABLES:
            yield held


def _made_in_call(holder: Holder) -> Iterator[Creation]:
    """The tables that each run of `call` makes anew."""
    call = holder.cls.flow("call")
    kept = {id(table.node) for s in call.all(AttributeStore) for table in _tables_in(s.value)}
    constructed = {id(f.node) for m in containers.CONSTRUCTION for f in holder.cls.flow(m).entered}
    for creation in call.all(Creation):
        if (
            any(_tables_in(creation.value))
            and not creation.conditional
            and id(creation.node) not in kept
            and not any(id(function) in constructed for function in creation.inside)
            and not any(getattr(function, "decorators", ()) for function in creation.inside[1:])
        ):
            yield creation


def _table_behind(holder: Holder, store: AttributeStore) -> tuple[Instance, bool] | None:
    """A table that a function or a plain object in an attribute keeps, and whether an object."""
    module = holder.module
    seen = {
        id(table.node)
        for other in (*holder.stores, *holder.inherited)
        for value in containers.tracked(other.value)
        for table in _tables_in(value)
    }
    for value in elements(store.value):
        for held in containers.behind(module, value):
            for table in _tables_in(held):
                if id(table.node) not in seen:
                    return table, False
        outline = value.outline if isinstance(value, Instance) else None
        if (
            outline is None
            or not containers.is_plain(outline)
            or containers.is_taken_out(holder, store.name)
        ):
            continue
        flows = containers.flows_of(module, outline)
        for inner in flows["__init__"].all(AttributeStore) if "__init__" in flows else ():
            tables = _tables_in(inner.value) if inner.owner is outline else ()
            for table in tables:
                if containers.reaches(holder, store.name, inner.name, flows):
                    return table, True
    return None


# ---------------------------------------------------------------------- what is reported

_CLASS_VARIANTS = {
    "variable": "variable",
    "layer": "layer",
    "list": "layer",
    "model": "layer",
    "table": "table",
    "lookup": "table",
}


def _resource(module: ModuleModel, read: OuterRead) -> Instance | Variable | None:
    """The first object with state that a name holds."""
    for value in elements(read.value):
        if isinstance(value, Variable) and value.origin != "weight":
            return value
        if isinstance(value, Instance) and _has_state(module, read, value):
            return value
    return None


def _has_state(module: ModuleModel, read: OuterRead, value: Instance) -> bool:
    last = value.name.rpartition(".")[2]
    if value.name in LOOKUP_TABLES:
        return True
    if value.kind is None or not value.kind.is_layer:
        return False
    if value.outline is not None:
        return weights.makes_weights(module, value)
    if value.kind is Kind.FUNCTIONAL:
        return not _words_behind(module, read, value).isdisjoint(WEIGHTED | LOOKUP_LAYERS)
    return last in WEIGHTED or last in LOOKUP_LAYERS


def _words_behind(module: ModuleModel, read: OuterRead, value: Instance) -> set[str]:
    """The words of a model's own call, and of the assignments that give what it is made of."""
    words = set(re.findall(r"\w+", module.text(value.node)))
    if read.owner is not None:
        return words
    pending, seen = [*words], set(words)
    while pending:
        for index in module.summary.assignments.get(pending.pop(), ()):
            new = set(module.summary.statements[index].words) - seen
            seen |= new
            pending.extend(new)
    return seen


def _kind(held: Value, found: Instance | Variable) -> tuple[str, str]:
    """The variant of an object, and what it is called."""
    if isinstance(found, Variable):
        return "variable", "variable"
    if found.name in LOOKUP_TABLES:
        return "table", "lookup table"
    if found.name.rpartition(".")[2] in LOOKUP_LAYERS:
        return "lookup", "lookup layer"
    if isinstance(held, (Seq, Table)):
        return "list", "layers of"
    return ("model", "model") if found.kind is Kind.FUNCTIONAL else ("layer", "layer")


def _is_inner(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether a class stands in a function, whose names it may read."""
    return module.function_of(cls.outline.node) is not None


def _is_used(module: ModuleModel, read: OuterRead) -> bool:
    """Whether the state itself is used when the object is served."""
    if read.in_training:
        return False
    use = module.use_of(read.node)
    if isinstance(read.value, (Seq, Table)):
        return _uses_items(use)
    if isinstance(read.value, Variable):
        if use.role == "member":
            return use.name not in _LABELS
        if use.role == "argument":
            return use.name.rpartition(".")[2] not in _ASKING
        return use.role in {"operand", "listed", "returned", "iterated"}
    if use.role == "member":
        tables = isinstance(read.value, Instance) and read.value.name in LOOKUP_TABLES
        return use.called is not None if tables else use.name in _PARTS
    return use.role == "called" or (use.role != "tested" and not use.direct)


def _uses_items(use: Use) -> bool:
    """Whether the items of a list or a dictionary are used."""
    if use.role == "member":
        return use.name in {"items", "values", "get"}
    if use.role == "argument":
        return use.name in _ITERATING
    return use.role in {"called", "iterated"}


def _is_kept(module: ModuleModel, cls: KerasClass, read: OuterRead) -> bool:
    """Whether some code makes the object an attribute, or the attribute another value."""
    made = (event for method in ("__init__", "build") for event in cls.flow(method).all(OuterRead))
    if any(event.name == read.name and event.owner is read.owner for event in made):
        return True
    if read.owner is not None:
        stores = (s for flow in cls.flows.values() for s in flow.all(AttributeStore))
        return any(store.name == read.name for store in stores)
    stored = rf"\.\w+\s*(?::[^=\n]+)?=(?!=)[^\n]*\b{read.name}\b"
    handed = rf"\b(?:append|extend|setattr|track|_track\w*)\([^\n]*\b{read.name}\b"
    return bool(re.search(f"{stored}|{handed}", module.source.text))


def _goes_elsewhere(module: ModuleModel, read: OuterRead) -> bool:
    """Whether other code calls it or hands it on: a model made there may be what keeps it."""
    if read.owner is not None:
        return False
    name = read.name
    used = re.compile(
        rf"(?<![.\w]){name}\s*[(\[]|\bin\s+{name}\b|[\[(,]\s*\*?{name}\s*(?=[,\])])|=\s*{name}\s*[,)]"
    )
    flows = (cls.flow("call") for cls in module.classes)
    entered = {id(function.node): function.node for flow in flows for function in flow.entered}
    within = {
        module.span(node): len(used.findall(module.text(node)))
        for node in entered.values()
        if not _has_around(module, node, entered.values())
    }
    return len(used.findall(module.source.text)) > sum(within.values())


def _has_around(module: ModuleModel, node: cst.CSTNode, others: Iterable[cst.CSTNode]) -> bool:
    """Whether a function stands in another one of the given."""
    inner = module.span(node)
    spans = (module.span(other) for other in others if other is not node)
    return any(span.start <= inner.start and inner.end <= span.end for span in spans)


def _is_shadowed(module: ModuleModel, read: OuterRead) -> bool:
    """Whether the function that reads a name may bind it as well."""
    name = read.name
    bound = (
        rf"^\s*(?:global\b[^\n]*)?\b{name}\b[^=\n(\[.]*=(?!=)"
        rf"|\bfor\b[^\n]*\b{name}\b[^\n]*\bin\b|\bas\s+{name}\b|\bglobal\b[^\n]*\b{name}\b"
    )
    inner = module.text(read.inside[-1])
    return read.owner is None and bool(re.search(bound, inner, re.MULTILINE))


# ---------------------------------------------------------------------- the fix


def _keep(module: ModuleModel, cls: KerasClass, read: OuterRead, found: Instance | Variable) -> Fix:
    """Make the object an attribute, at the end of the constructor."""
    start = cls.outline.methods.get("__init__")
    name = read.name.lower().strip("_")
    if (
        start is None
        or read.owner is not None
        or isinstance(found, Variable)
        or name in _TAKEN
        or re.search(rf"\.{name}\b|\bdef {name}\b", module.source.text)
    ):
        return _SHOWN
    insertion = rewrite.at_end(module, start)
    if insertion is None:
        return _SHOWN
    point, margin = insertion
    line = f"{margin}self.{name} = {read.name}{module.source.newline}"
    title = f"assign it to `self.{name}` in `__init__`"
    return Fix(title, Safety.UNSAFE, (Edit(point, line),), _REASON)
