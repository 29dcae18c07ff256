"""SVL107 python-function-op."""

from __future__ import annotations

from collections.abc import Iterator

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras.events import PythonOperation
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Kind
from savelint.rule import Example, Rule, Way, Witness

_LOST = "InvalidArgumentError: .*Could not find callback"
_SERVED = {
    keras: dict.fromkeys((Way.SAVED_MODEL, Way.EXPORT), _LOST) for keras in (Keras.V2, Keras.V3)
}
_SIGNED = {keras: {Way.SAVED_MODEL: _LOST} for keras in (Keras.V2, Keras.V3)}

_HELPER = """\
import numpy as np
from tensorflow import {imported}
from tensorflow.keras import Model, layers


def smooth(values):
{body}


class Net(Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(3)

    def call(self, inputs):
        return self.dense(smooth(inputs))
"""
_METHOD = """\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def double(self, values):
        return values * 2

    def call(self, inputs, training=None):
        {line}
        return self.dense(tf.ensure_shape(inputs, [None, 6]))
"""
_SERVE = """\
import tensorflow as tf
import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)

    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])
    def serve(self, inputs):
        inputs = {value}
        return self(tf.ensure_shape(inputs, [None, 6]), training=False)
"""


class PythonFunctionOp(Rule):
    """`tf.py_function` and its like run Python that is not saved with the model.

    Consequence: the graph that `tf.saved_model.save` and `export` write holds only the
    number of a callback that lives in this process. In any other process, such as
    TensorFlow Serving, the saved model loads and fails when it is called. `fit`, `.keras`
    and weights are fine, and so is the process that saved it, which is why tests pass.

    Silent: `Dataset.map`, which is not saved; code that runs in training only or eagerly
    only; a class that is not a layer, a model or a module.

    Fix: none that a tool can write: say it with TensorFlow operations, or leave it to the
    input pipeline or the client.
    """

    code = "SVL107"
    name = "python-function-op"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("py_function", "numpy_function", "py_func")
    clues = (frozenset({"py_function", "numpy_function", "py_func"}),)
    examples = (
        Example(
            variant="py_function",
            bad="""\
import tensorflow as tf


class Twice(tf.keras.layers.Layer):
    def call(self, inputs):
        outputs = tf.py_function(lambda values: values * 2, [inputs], tf.float32)
        outputs.set_shape(inputs.shape)
        return outputs
""",
            at="tf.py_function(lambda values: values * 2, [inputs], tf.float32)",
            good="""\
import tensorflow as tf


class Twice(tf.keras.layers.Layer):
    def call(self, inputs):
        outputs = inputs * 2
        outputs.set_shape(inputs.shape)
        return outputs
""",
            witness=Witness(build="Twice()", fails=_SERVED),
            fixed=False,
        ),
        Example(
            variant="numpy_function",
            bad=_HELPER.format(
                imported="ensure_shape, float32, numpy_function",
                body="""\
    result = numpy_function(func=np.tanh, inp=[values], Tout=float32)
    return ensure_shape(result, [None, 6])""",
            ),
            at="numpy_function(func=np.tanh, inp=[values], Tout=float32)",
            good=_HELPER.format(
                imported="ensure_shape, tanh",
                body="""\
    result = tanh(values)
    return ensure_shape(result, [None, 6])""",
            ),
            witness=Witness(build="Net()", fails=_SERVED),
            fixed=False,
        ),
        Example(
            variant="py_func",
            bad=_METHOD.format(
                line="inputs = tf.compat.v1.py_func(self.double, [inputs], tf.float32)"
            ),
            at="tf.compat.v1.py_func(self.double, [inputs], tf.float32)",
            good=_METHOD.format(line="inputs = self.double(inputs)"),
            witness=Witness(build="Net()", fails=_SERVED),
            fixed=False,
        ),
        Example(
            variant="signature",
            bad=_SERVE.format(
                value="tf.numpy_function(lambda values: values / 255, [inputs], tf.float32)"
            ),
            at="tf.numpy_function(lambda values: values / 255, [inputs], tf.float32)",
            good=_SERVE.format(value="inputs / 255.0"),
            witness=Witness(
                build="Net()", ways=(Way.CALL, Way.TRAIN), fails=_SIGNED, serves="serve"
            ),
            fixed=False,
        ),
    )
    silent = (
        """\
# The input pipeline is not saved.
import tensorflow as tf
from tensorflow import keras

def load(paths):
    def read(path):
        return tf.py_function(lambda p: p, [path], tf.float32)
    return tf.data.Dataset.from_tensor_slices(paths).map(read)

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)
""",
        """\
# In training only: what is served does not hold it.
import tensorflow as tf
from tensorflow import keras

class Distort(keras.layers.Layer):
    def call(self, inputs, training=False):
        if training:
            return tf.ensure_shape(
                tf.numpy_function(lambda v: v * 2, [inputs], tf.float32), [None, 6]
            )
        return inputs
""",
        """\
# Eagerly only.
import tensorflow as tf
from tensorflow import keras

class Show(keras.layers.Layer):
    def call(self, inputs):
        if tf.executing_eagerly():
            tf.py_function(print, [inputs], [])
        return inputs
""",
        """\
# A training step and a callback are not served.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def train_step(self, data):
        tf.py_function(print, [data], [])
        return super().train_step(data)

class Show(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        tf.py_function(print, [epoch], [])
""",
        """\
# Another function of that name.
from tensorflow import keras
from mylib import numpy_function

class Net(keras.layers.Layer):
    def call(self, inputs):
        return numpy_function(inputs)
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """`call`, what it calls, and the methods that carry a signature."""
        for cls in module.classes:
            if cls.kind in {Kind.LAYER, Kind.MODEL, Kind.MODULE}:
                yield from self._reached(module, cls)

    def _reached(self, module: ModuleModel, cls: KerasClass) -> Iterator[Finding]:
        seen: set[int] = set()
        for method in _served(cls):
            for event in cls.flow(method).all(PythonOperation):
                if id(event.node) not in seen:
                    seen.add(id(event.node))
                    yield self._finding(module, cls, method, event)

    def _finding(
        self, module: ModuleModel, cls: KerasClass, method: str, event: PythonOperation
    ) -> Finding:
        last = event.name.rpartition(".")[2]
        return self.finding(
            module,
            event.node,
            f"`{cls.name}.{method}` runs Python in the graph, which no saved model holds",
            variant=last if method == "call" else "signature",
            note=f"`{last}` leaves its function in this process",
            fix=Fix(
                "use TensorFlow operations, or do it in the input pipeline or the client",
                Safety.DISPLAY,
            ),
        )


def _served(cls: KerasClass) -> Iterator[str]:
    """The methods that a saved model holds: `call`, and those with a signature."""
    if cls.kind is not Kind.MODULE:
        yield "call"
    for name, traced in cls.traced.items():
        if traced.signature is not None and name != "call":
            yield name
