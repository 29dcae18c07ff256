"""SVL108 frozen-python-state."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras import clues
from savelint.keras.events import FrozenRead
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import CLOCKS, NUMPY_DRAWS, PYTHON_DRAWS
from savelint.keras.values import (
    Const,
    Dim,
    Reading,
    Seq,
    Shape,
    Value,
    dimensions,
    holds_tensor,
)
from savelint.rule import Example, Rule, Way, Witness

if TYPE_CHECKING:
    import libcst as cst

# What each draw of floats becomes: the function, the position of its size (-1: every
# argument is a dimension; None: there is none), and its parameters with their defaults.
_NORMAL = (("loc", "mean", ("0", "0.0")), ("scale", "stddev", ("1", "1.0")))
_UNIFORM = (("low", "minval", ("0", "0.0")), ("high", "maxval", ("1", "1.0")))
_GAUSS = (("mu", "mean", ("0", "0.0")), ("sigma", "stddev", ("1", "1.0")))
_BETWEEN = (("a", "minval", ("0", "0.0")), ("b", "maxval", ("1", "1.0")))
_Parameters = tuple[tuple[str, str, tuple[str, str]], ...]
_DRAWS: dict[str, tuple[str, int | None, _Parameters]] = {
    "numpy.random.normal": ("normal", 2, _NORMAL),
    "numpy.random.uniform": ("uniform", 2, _UNIFORM),
    "numpy.random.randn": ("normal", -1, ()),
    "numpy.random.rand": ("uniform", -1, ()),
    "numpy.random.standard_normal": ("normal", 0, ()),
    "numpy.random.random": ("uniform", 0, ()),
    "numpy.random.random_sample": ("uniform", 0, ()),
    "random.random": ("uniform", None, ()),
    "random.uniform": ("uniform", None, _BETWEEN),
    "random.gauss": ("normal", None, _GAUSS),
    "random.normalvariate": ("normal", None, _GAUSS),
}
# They want an array or a number.
_REFUSE_TENSORS = frozenset({"tensorflow.constant", "tensorflow.Variable", "keras.Variable"})
_OTHER_NUMBERS = "the draws are float32, of TensorFlow's generator: seed it with `tf.random`"

_HEAD = """\
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

"""
_LAYER = """\
{extra}import tensorflow as tf


class Jitter(tf.keras.layers.Layer):
    def call(self, inputs):
        return self.scaled(inputs)

    def scaled(self, x):
        return x * {factor}
"""
_GENERATOR = """\
import keras
import numpy as np
import tensorflow as tf


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)
        self.rng = np.random.default_rng(7)

    def call(self, inputs):
        return self.dense(inputs) + {noise}
"""
_BRANCH = """\
{imports}from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Model


class Flip(Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = Dense(3)

    def call(self, inputs):
        x = self.dense(inputs)
{flip}        return x
"""
_LAYER_DROP = """\
{imports}from tensorflow import keras


class Stack(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [keras.layers.Dense(6) for _ in range(8)]

    def call(self, inputs, training=False):
        x = inputs
        for block in self.blocks:
{skip}        return x
"""
_COUNTER = """\
import tensorflow as tf


class Warm(tf.keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        {start}

    def call(self, inputs):
        {count}
        return inputs * {factor}
"""
_WAYS = (Way.CALL, Way.TRAIN, Way.REPEAT, Way.STEPS)
_STUCK = {keras: {Way.REPEAT: "STUCK", Way.STEPS: "STUCK"} for keras in Keras}
_IN_TRAINING = {keras: {Way.STEPS: "STUCK"} for keras in Keras}


class FrozenPythonState(Rule):
    """What Python draws, reads or counts in `call` becomes a constant of the traced model.

    Consequence: `fit`, `predict`, `export` and `tf.saved_model.save` run Python once, while
    they trace `call`: the draw of `np.random` or `random`, the time, or the number that a
    counter had then stands in the graph for good. Called eagerly the model varies, so a
    test does not notice. Under `if training:` it is `fit` that takes every step with one
    draw.

    Silent: draws in the constructor, or of a generator seeded on the spot; what is only
    printed or logged; code under `tf.executing_eagerly()` and in `tf.py_function`;
    `tf.random` and `keras.random`; a counter that nothing is computed from.

    Fix: `tf.random.normal` or `tf.random.uniform` of the same shape and parameters (unsafe:
    other numbers, in float32). Integers, choices, the time and counters are only shown:
    keep a counter in a weight, and hand the time in as an input.
    """

    code = "SVL108"
    name = "frozen-python-state"
    since = "0.1"
    severity = {Keras.V3: Severity.WARNING, Keras.V2: Severity.WARNING}
    mentions = ("random", "time", "self.")
    clues = (
        frozenset(
            {
                clues.COUNTER,
                *NUMPY_DRAWS,
                *(name.rpartition(".")[2] for name in PYTHON_DRAWS | CLOCKS),
            }
        ),
    )
    examples = (
        Example(
            variant="draw",
            bad=_HEAD
            + """\
    def call(self, inputs):
        noise = np.random.normal(0.0, 0.1, size=(3,))
        return self.dense(inputs) + noise
""",
            at="np.random.normal(0.0, 0.1, size=(3,))",
            good=_HEAD
            + """\
    def call(self, inputs):
        noise = tf.random.normal((3,), stddev=0.1)
        return self.dense(inputs) + noise
""",
            witness=Witness(build="Net()", ways=_WAYS, fails=_STUCK),
        ),
        Example(
            variant="python-draw",
            bad=_LAYER.format(factor="random.uniform(0.9, 1.1)", extra="import random\n"),
            at="random.uniform(0.9, 1.1)",
            good=_LAYER.format(
                factor="tf.random.uniform([], minval=0.9, maxval=1.1)",
                extra="import random\n",
            ),
            witness=Witness(build="Jitter()", ways=(Way.CALL, Way.REPEAT, Way.STEPS), fails=_STUCK),
        ),
        Example(
            variant="generator",
            bad=_GENERATOR.format(noise="self.rng.standard_normal(3)"),
            at="self.rng.standard_normal(3)",
            good=_GENERATOR.format(noise="tf.random.normal([3])"),
            witness=Witness(build="Net()", ways=_WAYS, fails=_STUCK),
        ),
        Example(
            variant="batch-shape",
            bad=_HEAD
            + """\
    def call(self, inputs):
        x = self.dense(inputs)
        return x + np.random.normal(size=x.shape)
""",
            at="np.random.normal(size=x.shape)",
            good=_HEAD
            + """\
    def call(self, inputs):
        x = self.dense(inputs)
        return x + tf.random.normal(tf.shape(x))
""",
            witness=Witness(
                build="Net()",
                ways=(Way.CALL, Way.TRAIN, Way.REPEAT),
                fails={
                    keras: {Way.EXPORT: "TypeError", Way.REPEAT: "TypeError"} for keras in Keras
                },
            ),
        ),
        Example(
            variant="branch",
            bad=_BRANCH.format(
                imports="import random\n\nimport tensorflow as tf\n",
                flip="        if random.random() < 0.5:\n            x = -x\n",
            ),
            at="random.random()",
            good=_BRANCH.format(
                imports="import tensorflow as tf\n",
                flip="        x = tf.where(tf.random.uniform([]) < 0.5, x, -x)\n",
            ),
            witness=Witness(build="Flip()", ways=_WAYS, fails=_STUCK),
            fixed=False,
        ),
        Example(
            variant="integer",
            bad=_HEAD
            + """\
    def call(self, inputs):
        return tf.roll(self.dense(inputs), np.random.randint(3), axis=1)
""",
            at="np.random.randint(3)",
            good=_HEAD
            + """\
    def call(self, inputs):
        shift = tf.random.uniform([], maxval=3, dtype=tf.int32)
        return tf.roll(self.dense(inputs), shift, axis=1)
""",
            witness=Witness(build="Net()", ways=_WAYS, fails=_STUCK),
            fixed=False,
        ),
        Example(
            variant="training",
            bad=_HEAD
            + """\
    def call(self, inputs, training=False):
        x = self.dense(inputs)
        if training:
            x += np.random.randn(3)
        return x
""",
            at="np.random.randn(3)",
            good=_HEAD
            + """\
    def call(self, inputs, training=False):
        x = self.dense(inputs)
        if training:
            x += tf.random.normal([3])
        return x
""",
            witness=Witness(
                build="Net()",
                ways=(Way.CALL, Way.TRAIN, Way.STEPS, Way.EXPORT, Way.KERAS, Way.WEIGHTS),
                fails=_IN_TRAINING,
            ),
        ),
        Example(
            variant="layer-drop",
            bad=_LAYER_DROP.format(
                imports="import random\n\nimport tensorflow as tf\n",
                skip="""\
            if training and random.random() < 0.5:
                continue
            x = block(x)
""",
            ),
            at="random.random()",
            good=_LAYER_DROP.format(
                imports="import tensorflow as tf\n",
                skip="""\
            y = block(x)
            if training:
                y = tf.where(tf.random.uniform([]) < 0.5, x, y)
            x = y
""",
            ),
            witness=Witness(
                build="Stack()",
                ways=(Way.CALL, Way.STEPS, Way.EXPORT, Way.KERAS, Way.WEIGHTS),
                fails=_IN_TRAINING,
            ),
            fixed=False,
        ),
        Example(
            variant="clock",
            bad="""\
from time import time

import tensorflow as tf


class Decay(tf.keras.layers.Layer):
    def call(self, inputs):
        return inputs * (time() * 1e3 % 1.0)
""",
            at="time()",
            good="""\
import tensorflow as tf


class Decay(tf.keras.layers.Layer):
    def call(self, inputs):
        return inputs * tf.cast(tf.timestamp() * 1e3 % 1.0, inputs.dtype)
""",
            witness=Witness(
                build="Decay()",
                ways=(Way.CALL, Way.REPEAT),
                fails={keras: {Way.REPEAT: "STUCK"} for keras in Keras},
            ),
            fixed=False,
        ),
        Example(
            variant="counter",
            bad=_COUNTER.format(
                start="self.calls = 0",
                count="self.calls += 1",
                factor="self.calls",
            ),
            at="self.calls",
            good=_COUNTER.format(
                start="self.calls = self.add_weight(\n"
                '            name="calls", shape=(), initializer="zeros", trainable=False\n'
                "        )",
                count="self.calls.assign_add(1.0)",
                factor="self.calls",
            ),
            witness=Witness(build="Warm()", ways=(Way.CALL, Way.REPEAT, Way.STEPS), fails=_STUCK),
            fixed=False,
        ),
    )
    silent = (
        """\
# TensorFlow's and Keras's own draws are operations of the graph.
import tensorflow as tf
from tensorflow import keras

class Noise(keras.layers.Layer):
    def call(self, inputs):
        x = inputs + keras.backend.random_normal(tf.shape(inputs))
        return x * tf.random.uniform([], 0.9, 1.1)
""",
        """\
# Drawn once, in the constructor, as it is meant.
import random
import numpy as np
from tensorflow import keras

class Shift(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scale = random.Random(1).random()
        self.offset = np.random.default_rng(1).normal(size=3)

    def call(self, inputs):
        return inputs * self.scale + self.offset
""",
        """\
# The same numbers each time: a generator made and seeded on the spot.
import random
import numpy as np
import tensorflow as tf
from tensorflow import keras

class Project(keras.layers.Layer):
    def call(self, inputs):
        basis = np.random.RandomState(0).randn(6, 3).astype("float32")
        return tf.matmul(inputs, basis)

class Seeded(keras.layers.Layer):
    def call(self, inputs):
        np.random.seed(0)
        random.seed(0)
        return inputs * random.random() + np.random.rand()
""",
        """\
# The time that it took is printed, nothing is computed from it.
import time
from tensorflow import keras

class Timed(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        start = time.perf_counter()
        outputs = self.dense(inputs)
        self.seconds = time.perf_counter() - start
        print("took", time.perf_counter() - start)
        return outputs
""",
        """\
# A counter that only decides what is printed, and one that is only counted.
from tensorflow import keras

class Counted(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)
        self.calls = 0
        self.seen = 0

    def call(self, inputs):
        self.calls += 1
        self.seen += 1
        if self.calls % 100 == 0:
            print("called", self.calls)
        return self.dense(inputs)
""",
        """\
# Python runs it each time: eagerly, or in a py_function.
import numpy as np
import tensorflow as tf
from tensorflow import keras

class Noise(keras.layers.Layer):
    def call(self, inputs):
        if tf.executing_eagerly():
            inputs = inputs + np.random.normal(size=(6,))
        return inputs
""",
        """\
# Changed between epochs by a callback, on purpose: not by `call` itself.
from tensorflow import keras

class Annealed(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.temperature = 1.0

    def anneal(self):
        self.temperature *= 0.9

    def call(self, inputs):
        return inputs / self.temperature
""",
        """\
# A seed or a name drawn by Python; the draw of the operation still varies.
import random
import tensorflow as tf
from tensorflow import keras

class Noise(keras.layers.Layer):
    def call(self, inputs):
        name = f"noise_{random.randint(0, 9)}"
        with tf.name_scope(name):
            return inputs + tf.random.normal([6], seed=random.randint(0, 9))
""",
        """\
# Not a class that Keras traces.
import numpy as np
from tensorflow import keras

class Batches(keras.utils.Sequence):
    def call(self, inputs):
        return inputs + np.random.normal(size=(6,))
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each draw, clock or counter that `call` computes with, where it is read."""
        for cls in module.classes:
            if not cls.kind.is_layer or "call" not in cls.outline.methods:
                continue
            seen: dict[int, FrozenRead] = {}
            for read in cls.flow("call").all(FrozenRead):
                known = seen.setdefault(id(read.reading.source), read)
                if known.in_training and not read.in_training:
                    seen[id(read.reading.source)] = read
            counters = set()
            for read in seen.values():
                name = read.reading.name
                if "." not in name:
                    # A counter is one finding, wherever it is read.
                    if name in counters or not _counts(cls, name):
                        continue
                    counters.add(name)
                yield self._frozen(module, cls, read)

    def _frozen(self, module: ModuleModel, cls: KerasClass, read: FrozenRead) -> Finding:
        source = read.reading.source
        labels = []
        if not _is_on_line_of(module, source, read.node):
            what = "decided by it here" if read.decides else "computed with here"
            labels.append((read.node, what))
        return self.finding(
            module,
            source,
            f"`{cls.name}.call` {_deed(module, read)}",
            variant=_variant(read),
            note="a constant of the traced graph",
            labels=labels,
            fix=_fix(module, read),
        )


def _counts(cls: KerasClass, name: str) -> bool:
    """Whether `call` itself changes a number at each run."""
    return any(
        store.name == name
        and store.how in {"assign", "augment"}
        and not store.conditional
        and not holds_tensor(store.value)
        for store in cls.stores("call")
    )


def _deed(module: ModuleModel, read: FrozenRead) -> str:
    reading = read.reading
    source = module.text(reading.source)
    if "." not in reading.name:
        return f"computes with `{source}`, which counts no further once it is traced"
    function = source.partition("(")[0]
    if reading.name in CLOCKS:
        return f"reads `{function}` once, when it is traced"
    if _takes_batch(reading):
        return f"draws `{function}` by a static shape, whose batch is None while it is traced"
    if read.in_training:
        return f"draws `{function}` once for all training steps"
    return f"draws `{function}` once, when it is traced"


def _variant(read: FrozenRead) -> str:
    name = read.reading.name
    if "." not in name:
        return "counter"
    if name in CLOCKS:
        return "clock"
    if _takes_batch(read.reading):
        return "batch-shape"
    if read.in_training:
        return "layer-drop" if read.decides else "training"
    if read.decides:
        return "branch"
    if name in PYTHON_DRAWS:
        return "python-draw"
    return "draw" if name in _DRAWS else "integer"


def _takes_batch(reading: Reading) -> bool:
    """Whether a draw is of a static shape with the batch in it."""
    return any(
        not part.dynamic and (part.is_batch if isinstance(part, Dim) else part.has_batch)
        for value in reading.given
        for part in dimensions(value)
    )


def _is_on_line_of(module: ModuleModel, node: cst.CSTNode, other: cst.CSTNode) -> bool:
    first, _ = rewrite.lines_of(module, node)
    return first == rewrite.lines_of(module, other)[0]


# ---------------------------------------------------------------------- the fix


def _fix(module: ModuleModel, read: FrozenRead) -> Fix:
    name = read.reading.name
    if "." not in name:
        return Fix(
            f"keep `{name}` in `self.add_weight(..., trainable=False)` and count with `assign_add`",
            Safety.DISPLAY,
        )
    if name in CLOCKS:
        return Fix("take the time as an input, or use `tf.timestamp()`", Safety.DISPLAY)
    edits = _drawn_by_operation(module, read) if not read.decides else None
    if edits is None:
        return Fix("draw it with an operation of `tf.random`", Safety.DISPLAY)
    return Fix("draw it in the graph", Safety.UNSAFE, edits, _OTHER_NUMBERS)


def _drawn_by_operation(module: ModuleModel, read: FrozenRead) -> tuple[Edit, ...] | None:
    """The draw as an operation; None where it cannot be one, or a tensor would not do."""
    reading = read.reading
    operation = _DRAWS.get(reading.name)
    if operation is None or not _takes_tensor(module, read):
        return None
    function, position, parameters = operation
    found = rewrite.spell(module, f"tensorflow.random.{function}")
    shape_function = rewrite.spell(module, "tensorflow.shape")
    if (found is None or found[1]) and module.keras is Keras.V3:
        found = rewrite.spell(module, f"keras.random.{function}") or found
        shape_function = rewrite.spell(module, "keras.ops.shape") or shape_function
    if found is None or shape_function is None:
        return None
    arguments = [(a.keyword.value if a.keyword else None, a) for a in _arguments(reading)]
    if any(argument.star for _, argument in arguments) and position != -1:
        return None
    shape = _shape(module, reading, position, shape_function[0])
    if shape is None:
        return None
    given = [shape]
    for index, (own, keyword, default) in enumerate(parameters):
        text = next(
            (
                module.text(argument.value)
                for place, (name, argument) in enumerate(arguments)
                if name == own or (name is None and place == index)
            ),
            default[0],
        )
        if text not in default:
            given.append(f"{keyword}={text}")
    needed = (*found[1], *(shape_function[1] if "shape(" in shape else ()))
    edit = rewrite.replace(module, reading.source, f"{found[0]}({', '.join(given)})")
    return (*dict.fromkeys(needed), edit)


def _arguments(reading: Reading) -> Sequence[cst.Arg]:
    arguments: Sequence[cst.Arg] = getattr(reading.source, "args", ())
    return arguments


def _shape(
    module: ModuleModel, reading: Reading, position: int | None, function: str
) -> str | None:
    """The shape of a draw as source; None where it is not certain what it is."""
    pairs = list(zip(_arguments(reading), reading.given, strict=True))
    if position is None:
        return "[]"
    if position < 0:
        if len(pairs) == 1 and pairs[0][0].star == "*":
            return _whole(module, pairs[0][0].value, pairs[0][1], function)
        if any(argument.star or argument.keyword for argument, _ in pairs) or _takes_batch(reading):
            return None
        return f"[{', '.join(module.text(argument.value) for argument, _ in pairs)}]"
    for place, (argument, value) in enumerate(pairs):
        if argument.keyword.value == "size" if argument.keyword else place == position:
            return _whole(module, argument.value, value, function)
    return "[]"


def _whole(
    module: ModuleModel, node: cst.BaseExpression, value: Value, function: str
) -> str | None:
    if value == Const(None):
        return "[]"
    if isinstance(value, Const):
        return f"[{module.text(node)}]" if isinstance(value.value, int) else None
    if isinstance(value, Shape) and (value.start, value.stop) == (0, None):
        return f"{function}({module.text(value.tensor_node)})"
    known = (
        isinstance(value, Seq) and value.complete and not any(map(_is_static, dimensions(value)))
    )
    # The span of a tuple leaves its parentheses out.
    return (f"({module.text(node)})" if node.lpar else module.text(node)) if known else None


def _is_static(part: Dim | Shape) -> bool:
    return not part.dynamic and (part.is_batch if isinstance(part, Dim) else part.has_batch)


def _takes_tensor(module: ModuleModel, read: FrozenRead) -> bool:
    """Whether the draw is used only where a tensor does as well as an array."""
    source = read.reading.source
    use = module.use_of(source)
    if use.role in {"argument", "listed"}:
        name = module.summary.resolve(use.name) or use.name
        return name.startswith(("tensorflow.", "keras.", "self.")) and name not in _REFUSE_TENSORS
    if use.role != "stored" or use.node is None:
        return use.role in {"operand", "returned"} or type(read.node).__name__ == "Name"
    statement, place = module.span(use.node), module.span(read.node)
    if statement.start <= place.start and place.end <= statement.end:
        return True
    name = module.text(use.node).partition("=")[0].strip()
    function = module.function_of(source)
    if not use.direct or not name.isidentifier() or function is None:
        return False
    used = re.findall(rf"\b{name}\b(?!\s*[.\[(=])", module.text(function))
    return len(used) == 1 and len(re.findall(rf"\b{name}\b", module.text(function))) == 2
