"""SVL201 untracked-numpy-attribute."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras import clues
from savelint.keras.events import AttributeRead, AttributeStore, Combination
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import (
    CONVERSIONS,
    FILLS,
    INITIALIZERS,
    NUMPY_DRAWS,
    TABLES,
    TENSOR_DRAWS,
)
from savelint.keras.values import Argument, Array, Const, Value, elements
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import weights
from savelint.rules.weights import Verdict
from savelint.source import Span

if TYPE_CHECKING:
    import libcst as cst

    from savelint.keras.values import ClassOutline

_TRAINABLE = "the weight is trained, which the array never was"
# What an array of a class's own is made by; one of the module is no state of its layers.
_MAKERS = frozenset(
    {
        *(name.rpartition(".")[2] for name in (*NUMPY_DRAWS, *TENSOR_DRAWS)),
        *FILLS,
        *CONVERSIONS,
        *TABLES,
        *"ndarray empty_like full_like ones_like zeros_like initializers".split(),
        *INITIALIZERS,
    }
)
_LAST_RESORT = Fix("create it by `self.add_weight(...)`", Safety.DISPLAY)
_ASSIGNS = {"+=": "assign_add", "-=": "assign_sub"}

_DIFFERS = {Way.KERAS: "DIFF: other outputs", Way.WEIGHTS: "DIFF: other outputs"}
_LOST = {k: {Way.TRAIN: "UNTRAINED: 0 of 1", **_DIFFERS} for k in Keras}


class UntrackedNumpyAttribute(Rule):
    """An array attribute that acts as a weight is neither trained nor saved by Keras.

    Consequence: the array is absent from `weights`, is never trained, and is in none of
    `.keras`, `.h5` and `.weights.h5`. A layer whose array is drawn at random, or changed
    after construction, computes with other numbers after a reload, without any exception;
    an array that `get_config` returns comes back as a dictionary, which no operation takes.

    Silent: deterministic tables (`np.arange`, literals, a draw with a seed), scalars,
    arrays that `call` never reads, arrays that the class saves itself (`get_config`,
    `save_own_variables`), `tf.Module` classes.

    Fix: `self.add_weight(...)` with the initializer that draws alike (unsafe: the weight is
    trained), or with the array itself and `trainable=False` where no initializer does
    (safe, unless the array goes where its uses are not seen). An array that is changed
    becomes a weight that is assigned to (unsafe: `assign` keeps the shape). `get_config`
    returns `.tolist()` (unsafe without a dtype in the constructor's `np.asarray`: a
    reloaded array has numpy's default one).
    """

    code = "SVL201"
    name = "untracked-numpy-attribute"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = tuple(sorted(_MAKERS))
    clues = (frozenset({clues.ARRAY_ATTRIBUTE}),)
    examples = (
        Example(
            variant="random",
            bad="""\
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Projection(keras.layers.Layer):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.kernel = np.random.randn(6, units).astype("float32") * 0.1

    def call(self, inputs):
        return tf.matmul(inputs, self.kernel)
""",
            at='np.random.randn(6, units).astype("float32") * 0.1',
            good="""\
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Projection(keras.layers.Layer):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(6, units),
            initializer=keras.initializers.RandomNormal(stddev=0.1),
        )

    def call(self, inputs):
        return tf.matmul(inputs, self.kernel)
""",
            witness=Witness(build="Projection()", fails=_LOST, trains=1),
        ),
        Example(
            variant="build",
            bad="""\
import numpy as np
import tensorflow as tf
from tensorflow.keras import layers


class Projection(layers.Layer):
    def build(self, input_shape):
        features = input_shape[-1]
        self._scale = np.random.uniform(0.25, 1.75, size=(features,))
        super().build(input_shape)

    def call(self, inputs):
        return inputs * self._scale
""",
            at="np.random.uniform(0.25, 1.75, size=(features,))",
            good="""\
import numpy as np
import tensorflow as tf
from tensorflow.keras import layers


class Projection(layers.Layer):
    def build(self, input_shape):
        features = input_shape[-1]
        self._scale = self.add_weight(
            name="scale",
            shape=(features,),
            initializer=tf.keras.initializers.RandomUniform(
                minval=0.25,
                maxval=1.75,
            ),
        )
        super().build(input_shape)

    def call(self, inputs):
        return inputs * self._scale
""",
            witness=Witness(build="Projection()", fails=_LOST, trains=1),
        ),
        Example(
            variant="tensor",
            bad="""\
import keras
import tensorflow as tf


class Mixer(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)
        self.mixing = tf.random.normal((3, 3))

    def call(self, inputs):
        return tf.matmul(self.dense(inputs), self.mixing)

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()
""",
            at="tf.random.normal((3, 3))",
            good="""\
import keras
import tensorflow as tf


class Mixer(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)
        self.mixing = self.add_weight(
            name="mixing",
            shape=(3, 3),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )

    def call(self, inputs):
        return tf.matmul(self.dense(inputs), self.mixing)

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()
""",
            witness=Witness(
                build="Mixer()",
                fails={k: {Way.TRAIN: "UNTRAINED: 2 of 3", **_DIFFERS} for k in Keras},
                trains=3,
            ),
        ),
        Example(
            variant="list",
            bad="""\
import numpy as np
import tensorflow as tf


class Chain(tf.keras.layers.Layer):
    def __init__(self, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.rotations = [np.random.normal(0, 0.4, (6, 6)) for index in range(depth)]

    def call(self, inputs):
        for rotation in self.rotations:
            inputs = tf.matmul(inputs, rotation)
        return inputs
""",
            at="[np.random.normal(0, 0.4, (6, 6)) for index in range(depth)]",
            good="""\
import numpy as np
import tensorflow as tf


class Chain(tf.keras.layers.Layer):
    def __init__(self, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.rotations = [
            self.add_weight(
                name=f"rotations_{index}",
                shape=(6, 6),
                initializer=tf.keras.initializers.RandomNormal(stddev=0.4),
            )
            for index in range(depth)
        ]

    def call(self, inputs):
        for rotation in self.rotations:
            inputs = tf.matmul(inputs, rotation)
        return inputs
""",
            witness=Witness(
                build="Chain()",
                fails={k: {Way.TRAIN: "UNTRAINED: 0 of 2", **_DIFFERS} for k in Keras},
                trains=2,
            ),
        ),
        Example(
            variant="kept",
            bad="""\
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Shuffle(keras.layers.Layer):
    def __init__(self, features=6, **kwargs):
        super().__init__(**kwargs)
        self.order = np.random.permutation(features)

    def call(self, inputs):
        return tf.gather(inputs, self.order, axis=-1)
""",
            at="np.random.permutation(features)",
            good="""\
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Shuffle(keras.layers.Layer):
    def __init__(self, features=6, **kwargs):
        super().__init__(**kwargs)
        order = np.random.permutation(features)
        self.order = self.add_weight(
            name="order",
            shape=order.shape,
            initializer=keras.initializers.Constant(order),
            dtype="int64",
            trainable=False,
        )

    def call(self, inputs):
        return tf.gather(inputs, self.order, axis=-1)
""",
            witness=Witness(
                build="Shuffle()",
                ways=(Way.CALL, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS),
                fails=dict.fromkeys(Keras, _DIFFERS),
            ),
        ),
        Example(
            variant="filled",
            bad="""\
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Scale(keras.layers.Layer):
    def __init__(self, size=6, **kwargs):
        super().__init__(**kwargs)
        self.gamma = np.ones((size,), dtype="float32")

    def call(self, inputs):
        return inputs * self.gamma
""",
            at='np.ones((size,), dtype="float32")',
            good="""\
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Scale(keras.layers.Layer):
    def __init__(self, size=6, **kwargs):
        super().__init__(**kwargs)
        self.gamma = self.add_weight(
            name="gamma",
            shape=(size,),
            initializer="ones",
        )

    def call(self, inputs):
        return inputs * self.gamma
""",
            witness=Witness(
                build="Scale()",
                fails={k: {Way.TRAIN: "UNTRAINED: 0 of 1"} for k in Keras},
                trains=1,
            ),
        ),
        Example(
            variant="changed",
            bad="""\
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Centred(keras.layers.Layer):
    def __init__(self, features=6, **kwargs):
        super().__init__(**kwargs)
        self.mean = np.zeros((features,))

    def adapt(self, data):
        self.mean = data.mean(axis=0)

    def call(self, inputs):
        return inputs - self.mean


def adapted():
    layer = Centred()
    layer.adapt(np.arange(12.0).reshape(2, 6))
    return layer
""",
            at="self.mean = data.mean(axis=0)",
            good="""\
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Centred(keras.layers.Layer):
    def __init__(self, features=6, **kwargs):
        super().__init__(**kwargs)
        self.mean = self.add_weight(
            name="mean",
            shape=(features,),
            initializer="zeros",
            trainable=False,
        )

    def adapt(self, data):
        self.mean.assign(data.mean(axis=0))

    def call(self, inputs):
        return inputs - self.mean


def adapted():
    layer = Centred()
    layer.adapt(np.arange(12.0).reshape(2, 6))
    return layer
""",
            witness=Witness(
                build="adapted()",
                ways=(Way.CALL, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS),
                fails={k: {Way.KERAS: "DIFF: other outputs"} for k in Keras},
            ),
        ),
        Example(
            variant="config",
            bad="""\
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Lookup(keras.layers.Layer):
    def __init__(self, table, **kwargs):
        super().__init__(**kwargs)
        self.table = np.asarray(table, dtype="float32")

    def call(self, inputs):
        return inputs * self.table

    def get_config(self):
        return {**super().get_config(), "table": self.table}
""",
            at='"table": self.table',
            good="""\
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Lookup(keras.layers.Layer):
    def __init__(self, table, **kwargs):
        super().__init__(**kwargs)
        self.table = np.asarray(table, dtype="float32")

    def call(self, inputs):
        return inputs * self.table

    def get_config(self):
        return {**super().get_config(), "table": self.table.tolist()}
""",
            witness=Witness(
                build="Lookup(np.arange(6))",
                ways=(Way.CALL, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS),
                fails={k: {Way.KERAS: "Error"} for k in Keras},
            ),
        ),
    )
    silent = (
        """\
# Deterministic: a new object makes the same numbers.
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Positions(keras.layers.Layer):
    def __init__(self, length, depth, **kwargs):
        super().__init__(**kwargs)
        angles = np.arange(length)[:, None] / np.power(10000.0, np.arange(depth)[None] / depth)
        self.table = np.sin(angles)
        self.window = np.linspace(0.0, 1.0, depth)
        self.mask = np.tril(np.ones((length, length)))

    def call(self, inputs):
        return (inputs + self.table) * self.window * self.mask
""",
        """\
# Filled by the constructor: a table, though it begins with zeros of a given size.
import numpy as np
from tensorflow import keras


class Positions(keras.layers.Layer):
    def __init__(self, length, depth, **kwargs):
        super().__init__(**kwargs)
        table = np.zeros((length, depth))
        table[:, 0::2] = np.sin(np.arange(length))[:, None]
        self.table = table
        self.eye = np.zeros((depth, depth))
        for index in range(depth):
            self.eye[index, index] = 1.0

    def call(self, inputs):
        return inputs @ self.eye + self.table
""",
        """\
# Drawn with a seed: the same numbers in every process.
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Features(keras.layers.Layer):
    def __init__(self, units, seed=7, **kwargs):
        super().__init__(**kwargs)
        self.frequencies = np.random.RandomState(0).normal(size=(6, units))
        self.phases = np.random.default_rng(seed).uniform(size=(units,))

    def build(self, input_shape):
        np.random.seed(42)
        self.mixing = np.random.randn(6, 6)

    def call(self, inputs):
        return tf.cos(inputs @ self.mixing @ self.frequencies + self.phases)
""",
        """\
# Drawn at random, but `call` reads nothing of it, or its shape only.
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Plain(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.sample = np.random.randn(4, 6)
        self.grid = np.random.rand(8, 3)

    def summary_sample(self):
        return self.sample.mean()

    def call(self, inputs):
        return inputs * self.grid.shape[0]
""",
        """\
# A number, not an array: a random seed is no weight.
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Noise(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.offset = np.random.randint(1000)
        self.dtype_of_noise = np.float32

    def call(self, inputs):
        return inputs + tf.random.stateless_normal([6], [self.offset, 1])
""",
        """\
# The class saves its array itself, as a list in the configuration.
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Codebook(keras.layers.Layer):
    def __init__(self, codes=None, **kwargs):
        super().__init__(**kwargs)
        self.codes = np.random.randn(6, 3)
        if codes is not None:
            self.codes = np.asarray(codes)

    def call(self, inputs):
        return tf.matmul(inputs, self.codes)

    def get_config(self):
        return {**super().get_config(), "codes": self.codes.tolist()}
""",
        """\
# A weight in the end: the array only says how it begins.
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Dense(keras.layers.Layer):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.kernel = np.random.randn(6, units)
        self.kernel = self.add_weight(
            name="kernel", shape=(6, units), initializer=keras.initializers.Constant(self.kernel)
        )

    def call(self, inputs):
        return tf.matmul(inputs, self.kernel)
""",
        """\
# Neither a layer nor a model: a tf.Module, a loss and a plain class.
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Rotation(tf.Module):
    def __init__(self):
        super().__init__()
        self.matrix = np.random.randn(6, 6)

    def call(self, inputs):
        return inputs @ self.matrix


class Weighted(keras.losses.Loss):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.weights = np.random.rand(6)

    def call(self, y_true, y_pred):
        return (y_true - y_pred) * self.weights


class Sampler:
    def __init__(self):
        self.points = np.random.rand(6)

    def call(self, inputs):
        return inputs * self.points
""",
        """\
# Recomputed by `call` and by others: no value of it is kept.
import tensorflow as tf
from tensorflow import keras


class Intervals(keras.layers.Layer):
    def __init__(self, points, learned=False, **kwargs):
        super().__init__(**kwargs)
        self.points = points
        self.learned = learned

    def build(self, input_shape):
        self.logits = self.add_weight(name="logits", shape=(6,), initializer="zeros")
        self.lengths = tf.constant([0.0] * 6)
        if not self.learned:
            self.starts = tf.constant(self.points)

    def lengths_are_positive(self):
        self.lengths = tf.nn.softmax(self.logits)
        if self.learned:
            self.starts = tf.cumsum(self.lengths)
        return tf.reduce_all(self.lengths > 0)

    def call(self, inputs):
        self.lengths = tf.nn.softmax(self.logits)
        return inputs * self.lengths + self.starts
""",
        """\
# Put back to what it was at the start: no state that a reload could lose.
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Windowed(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.window = np.hanning(6)
        self.start = np.zeros((6,))

    def reset(self):
        self.start = np.zeros((6,))

    def call(self, inputs):
        return inputs * self.window + self.start
""",
        """\
# The configuration holds a list, a number and a string; and an array that `from_config` reads.
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Lookup(keras.layers.Layer):
    def __init__(self, table, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.table = np.asarray(table)
        self.scale = scale

    def call(self, inputs):
        return inputs * self.table * self.scale

    def get_config(self):
        config = super().get_config()
        config.update({"table": self.table.tolist(), "scale": self.scale})
        return config


class Decoding(keras.layers.Layer):
    def __init__(self, table, **kwargs):
        super().__init__(**kwargs)
        self.table = np.asarray(table)

    def call(self, inputs):
        return inputs * self.table

    def get_config(self):
        return {"table": self.table}

    @classmethod
    def from_config(cls, config):
        return cls(keras.utils.deserialize_keras_object(config["table"]))
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Arrays that are state in disguise, one finding an attribute and a class."""
        seen: set[int] = set()
        for cls in module.classes:
            if not cls.kind.is_layer or cls.outline.method("call") is None:
                continue
            for holder, store in weights.constructed(module, cls):
                if id(store.value_node) in seen or not _is_last(module, cls, store):
                    continue
                finding = self._finding(module, cls, holder, store)
                if finding is not None:
                    seen.add(id(store.value_node))
                    yield finding

    def _finding(
        self, module: ModuleModel, cls: KerasClass, holder: KerasClass, store: AttributeStore
    ) -> Finding | None:
        read = _read_in_call(module, cls, store.name)
        if read is None:
            return None
        entry = _config_entry(module, cls, store)
        if entry is not None:
            return self._returned_raw(module, cls, store, entry)
        if weights.is_kept(module, cls, store.name):
            return None
        arrays = [value for value in elements(store.value) if isinstance(value, Array)]
        if any(array.origin == "random" and not _is_scalar(array) for array in arrays):
            return self._drawn(module, cls, holder, store, read)
        if store.how != "assign":
            return None
        changes = _changes(module, cls, store)
        if changes:
            return self._changed(module, cls, holder, store, read, changes)
        if isinstance(store.value, Array) and _acts_as_weight(module, cls, store.name, store.value):
            return self._unlearned(module, cls, holder, store, store.value)
        return None

    def _drawn(
        self,
        module: ModuleModel,
        cls: KerasClass,
        holder: KerasClass,
        store: AttributeStore,
        read: AttributeRead,
    ) -> Finding:
        return self.finding(
            module,
            store.value_node,
            f"`self.{store.name}` of `{cls.name}` is drawn at random,"
            " and neither trained nor saved",
            variant=_variant(module, store),
            note="drawn anew in every process",
            labels=[(read.node, f"`{read.method}` computes with it")],
            fix=_weight_fix(module, cls, holder, store, _TRAINABLE),
        )

    def _unlearned(
        self,
        module: ModuleModel,
        cls: KerasClass,
        holder: KerasClass,
        store: AttributeStore,
        array: Array,
    ) -> Finding:
        place = next(e.node for e in cls.flow("call").all(Combination) if e.attribute == store.name)
        return self.finding(
            module,
            store.value_node,
            f"`self.{store.name}` of `{cls.name}` is used as a weight but never trained",
            variant="filled",
            severity=Severity.WARNING,
            note=f"an array of {array.fill}" if array.fill in {"zeros", "ones"} else "an array",
            labels=[(place, "combined with the inputs")],
            fix=_weight_fix(module, cls, holder, store, _TRAINABLE),
        )

    def _changed(
        self,
        module: ModuleModel,
        cls: KerasClass,
        holder: KerasClass,
        store: AttributeStore,
        read: AttributeRead,
        changes: list[AttributeStore],
    ) -> Finding:
        change = changes[0]
        return self.finding(
            module,
            change.statement,
            f"`{change.method}` changes `self.{store.name}` of `{cls.name}`, which is not saved",
            variant="changed",
            note="lost when the model is reloaded",
            labels=[
                (store.value_node, "what it is after a reload"),
                (read.node, f"`{read.method}` computes with it"),
            ],
            fix=_state_fix(module, cls, holder, store, changes),
        )

    def _returned_raw(
        self, module: ModuleModel, cls: KerasClass, store: AttributeStore, entry: _Entry
    ) -> Finding:
        read, node = entry
        return self.finding(
            module,
            node,
            f"`get_config` of `{cls.name}` returns the array `self.{store.name}`,"
            " which comes back as a dictionary",
            variant="config",
            note="an array, not a list",
            labels=[(store.value_node, "given to the constructor as a dictionary on a reload")],
            fix=_list_fix(module, cls, store, read),
        )


_Entry = tuple[AttributeRead, "cst.CSTNode"]


# ---------------------------------------------------------------------- what is reported


def _is_last(module: ModuleModel, cls: KerasClass, store: AttributeStore) -> bool:
    """Whether nothing in the constructor or `build` gives the attribute another value."""
    others = [
        other
        for _, other in weights.constructed(module, cls)
        if other.name == store.name and other.how == "assign" and other is not store
    ]
    if store.how == "assign" and any(not _is_array_or_none(other.value) for other in others):
        return False
    same = [other for other in (*others, store) if isinstance(other.value, Array)]
    return store.how != "assign" or not same or same[-1] is store or store.conditional


def _is_array_or_none(value: Value) -> bool:
    return isinstance(value, Array) or value == Const(None)


def _is_scalar(array: Array) -> bool:
    return array.dims == () or array.shape == "()"


def _read_in_call(module: ModuleModel, cls: KerasClass, name: str) -> AttributeRead | None:
    """The first place in `call` that takes the numbers of an attribute, not its shape only."""
    for read in weights.reads(module, cls, name, "call"):
        use = module.use_of(read.node)
        shape_only = use.role == "member" and use.name in {"shape", "dtype", "ndim", "size"}
        if not shape_only and use.role != "tested":
            return read
    return None


def _variant(module: ModuleModel, store: AttributeStore) -> str:
    """The example that an array drawn at random is like."""
    if not isinstance(store.value, Array) or store.how != "assign":
        return "list"
    if weights.start(module, store.value) is None:
        return "kept"
    if store.method == "build":
        return "build"
    return "random" if store.value.is_numpy else "tensor"


def _acts_as_weight(module: ModuleModel, cls: KerasClass, name: str, array: Array) -> bool:
    """Whether an array of a constructor argument's size meets the inputs as a weight would.

    One that the constructor goes on to fill is a table.
    """
    stores = [store for _, store in weights.constructed(module, cls) if store.name == name]
    return (
        array.origin == "filled"
        and array.from_arguments
        and len(stores) == 1
        and not weights.reads(module, cls, name, "__init__")
        and any(event.attribute == name for event in cls.flow("call").all(Combination))
    )


def _changes(module: ModuleModel, cls: KerasClass, store: AttributeStore) -> list[AttributeStore]:
    """The statements outside construction and `call` that give an array other numbers."""
    known = isinstance(store.value, Array) and store.value.origin != "constant"
    if not known or store.conditional or _is_set_in_call(cls, store.name):
        return []
    in_call = {id(function.node) for function in cls.flow("call").entered}
    found: dict[int, AttributeStore] = {}
    for name in weights.later_methods(cls):
        method = cls.outline.method(name)
        if id(method) in in_call or (method is not None and method.decorators):
            continue
        for change in cls.stores(name):
            if change.name == store.name and change.how != "append":
                found.setdefault(id(change.statement), change)
    # Setting it back to what it was is no state yet.
    computed = [c for c in found.values() if not _is_reset(c.value)]
    return list(found.values()) if computed else []


def _is_set_in_call(cls: KerasClass, name: str) -> bool:
    """Whether `call` computes an attribute anew, so that its old value is of no matter."""
    return any(store.name == name for store in cls.stores("call"))


def _is_reset(value: Value) -> bool:
    fixed = isinstance(value, Array) and value.origin in {"filled", "table"}
    return fixed or isinstance(value, Const)


def _config_entry(module: ModuleModel, cls: KerasClass, store: AttributeStore) -> _Entry | None:
    """Where `get_config` puts a numpy array given to the constructor into the configuration."""
    if cls.outline.method("from_config") is not None or not _is_given_array(module, cls, store):
        return None
    for read in weights.reads(module, cls, store.name, "get_config"):
        use = module.use_of(read.node)
        if use.role == "entry" and use.direct and use.node is not None:
            return read, use.node
        by_keyword = use.role == "argument" and use.name.rpartition(".")[2] in {"dict", "update"}
        written = module.text(use.node) if use.node is not None else ""
        if by_keyword and f"={module.text(read.node)}" in written:
            return read, read.node
    return None


def _is_given_array(module: ModuleModel, cls: KerasClass, store: AttributeStore) -> bool:
    value = store.value
    if isinstance(value, Array):
        return value.origin == "argument" and value.is_numpy
    return isinstance(value, Argument) and any(
        _is_annotated_array(module, outline, value.name) for outline in cls.outline.lineage
    )


def _is_annotated_array(module: ModuleModel, outline: ClassOutline, name: str) -> bool:
    init = outline.methods.get("__init__")
    for parameter in (*init.params.params, *init.params.kwonly_params) if init else ():
        if parameter.name.value == name and parameter.annotation is not None:
            written = module.text(parameter.annotation.annotation)
            return module.summary.resolve(written) == "numpy.ndarray"
    return False


# ---------------------------------------------------------------------- fixes


def _weight_fix(
    module: ModuleModel, cls: KerasClass, holder: KerasClass, store: AttributeStore, reason: str
) -> Fix:
    """Make the array a weight, trained where an initializer draws or fills it alike."""
    worst = weights.verdict(module, cls, store, array=True)
    if worst is Verdict.BROKEN or not weights.is_after_super(module, holder, store):
        return _LAST_RESORT
    if store.how == "item":
        return _LAST_RESORT
    if store.how == "append" or not isinstance(store.value, Array):
        return _listed_fix(module, store, reason)
    edits = _initialised(module, store, store.value)
    if edits is not None:
        return Fix("create it by `add_weight`", Safety.UNSAFE, edits, reason)
    edits = _as_it_is(module, cls, store, store.value)
    if edits is None:
        return _LAST_RESORT
    safety = Safety.SAFE if worst is Verdict.FINE else Safety.UNSAFE
    why = "" if safety is Safety.SAFE else "a weight takes the place of an array in other code"
    return Fix("keep it in a weight that is not trained", safety, edits, why)


def _initialised(
    module: ModuleModel, store: AttributeStore, array: Array
) -> tuple[Edit, ...] | None:
    """`add_weight` with an initializer in the place of the array's expression."""
    node = store.value_node
    begin = weights.start(module, array)
    if begin is None or not weights.is_written_at(module, node, array):
        return None
    unused: list[Edit] = []
    name = module.text(node)
    if name.isidentifier():
        function = module.function_of(node)
        unused = rewrite.remove_unused(module, function, name) if function is not None else []
        if not unused:
            return None
    arguments = [weights.name_argument(module, store.name)]
    added = weights.weight(module, store, node, begin, arguments)
    return (*begin.imports, added, *unused)


def _as_it_is(
    module: ModuleModel, cls: KerasClass, store: AttributeStore, array: Array
) -> tuple[Edit, ...] | None:
    """`add_weight` that begins with the array itself, and is not trained."""
    dtype = _dtype_arguments(module, cls, store, array)
    if dtype is None:
        return None
    node = store.value_node
    before: Edit | None = None
    if array.shape is not None and weights.is_written_at(module, node, array):
        shape, text = array.shape, module.text(node)
    else:
        bound = weights.bind(module, store)
        if bound is None:
            return None
        text, before = bound
        shape = f"{text}.shape"
    begin = weights.constant(module, shape, text)
    if begin is None:
        return None
    arguments = [weights.name_argument(module, store.name), *dtype, "trainable=False"]
    added = weights.weight(module, store, node, begin, arguments)
    return (*begin.imports, *([before] if before else []), added)


def _dtype_arguments(
    module: ModuleModel, cls: KerasClass, store: AttributeStore, array: Array
) -> list[str] | None:
    """`dtype=` for whole numbers; none for those that take on the inputs' dtype as arrays do.

    None where the dtype is not known, or where both would be needed.
    """
    if array.dtype is None or "float" in array.dtype:
        return None if array.dtype is None else []
    reads = [
        read for method in cls.flows for read in weights.reads(module, cls, store.name, method)
    ]
    uses = [module.use_of(read.node) for read in reads]
    roles = {"argument" if use.role == "argument" and use.direct else "operand" for use in uses}
    if roles == {"operand"}:
        return [] if array.dtype != "bool" else None
    return [f"dtype={weights.quoted(module, array.dtype)}"] if roles == {"argument"} else None


def _listed_fix(module: ModuleModel, store: AttributeStore, reason: str) -> Fix:
    """Make each array of a list, or of a comprehension, a weight."""
    made = list(_members(store))
    edits: list[Edit] = []
    for index, (node, value) in enumerate(made):
        begin = weights.start(module, value)
        fits = isinstance(value, Array) and weights.is_written_at(module, node, value)
        if begin is None or not fits or module.text(node).isidentifier():
            return _LAST_RESORT
        name = f"{store.name}_{index}" if len(made) > 1 else store.name
        arguments = [weights.name_argument(module, name, node)]
        edits += [*begin.imports, weights.weight(module, store, node, begin, arguments)]
    if not edits:
        return _LAST_RESORT
    return Fix("create them by `add_weight`", Safety.UNSAFE, tuple(dict.fromkeys(edits)), reason)


def _members(store: AttributeStore) -> Iterator[tuple[cst.CSTNode, Value]]:
    """The expressions whose values a list or a comprehension holds; none where one is unknown."""
    node: object = store.value_node
    values = list(getattr(store.value, "items", ()))
    if store.how in {"append", "item"}:
        yield store.value_node, store.value
    elif hasattr(node, "elt") and len(values) == 1:
        yield node.elt, values[0]
    elif len(getattr(node, "elements", ())) == len(values):
        for element, value in zip(getattr(node, "elements", ()), values, strict=True):
            # A dictionary's items come with their keys.
            yield element.value, value[1] if isinstance(value, tuple) else value


def _state_fix(
    module: ModuleModel,
    cls: KerasClass,
    holder: KerasClass,
    store: AttributeStore,
    changes: Iterable[AttributeStore],
) -> Fix:
    """Make the array a weight that is not trained, and its changes assignments to it."""
    last_resort = Fix(
        "create it by `self.add_weight(..., trainable=False)`, and `assign` to it", Safety.DISPLAY
    )
    worst = weights.verdict(module, cls, store, array=True)
    array = store.value
    if (
        worst is Verdict.BROKEN
        or not isinstance(array, Array)
        or not weights.is_after_super(module, holder, store)
        or not weights.is_written_at(module, store.value_node, array)
    ):
        return last_resort
    begin = weights.start(module, array)
    assigned = [_assignment(module, change) for change in changes]
    if begin is None or module.text(store.value_node).isidentifier():
        return last_resort
    edits = [edit for edit in assigned if edit is not None]
    if len(edits) != len(assigned):
        return last_resort
    arguments = [weights.name_argument(module, store.name), "trainable=False"]
    added = weights.weight(module, store, store.value_node, begin, arguments)
    return Fix(
        "keep it in a weight that is not trained, and assign to that",
        Safety.UNSAFE,
        (*begin.imports, added, *edits),
        "`assign` takes only an array of the weight's shape",
    )


def _assignment(module: ModuleModel, change: AttributeStore) -> Edit | None:
    """`self.mean = x` as `self.mean.assign(x)`."""
    statement = module.text(change.statement)
    target, value = module.text(change.target), module.text(change.value_node)
    operator = re.fullmatch(
        rf"{re.escape(target)}\s*([+-]?=)\s*{re.escape(value)}", statement, re.DOTALL
    )
    if operator is None or change.how == "item":
        return None
    method = _ASSIGNS.get(operator[1], "assign")
    return rewrite.replace(module, change.statement, f"{target}.{method}({value})")


def _list_fix(
    module: ModuleModel, cls: KerasClass, store: AttributeStore, read: AttributeRead
) -> Fix:
    """`.tolist()` in `get_config`, and `np.asarray` in the constructor where it is not there."""
    end = module.span(read.node).end
    edits = [Edit(Span(end, end), ".tolist()")]
    typed = isinstance(store.value, Array) and store.value.dtype is not None
    if not isinstance(store.value, Array):
        found = rewrite.spell(module, "numpy.asarray")
        if found is None:
            return Fix("return a list, and make it an array in the constructor", Safety.DISPLAY)
        text = f"{found[0]}({module.text(store.value_node)})"
        edits += [*found[1], rewrite.replace(module, store.value_node, text)]
    if typed:
        return Fix("return it as a list", Safety.SAFE, tuple(edits))
    return Fix(
        "return it as a list",
        Safety.UNSAFE,
        tuple(edits),
        "a reloaded array has numpy's default dtype",
    )
