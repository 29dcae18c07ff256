"""SVL410 save-while-tracing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import paths
from savelint.keras.events import SaveCall
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import occasions
from savelint.rules.occasions import Trace

_VARIANTS = {
    Trace.FUNCTION: "function",
    Trace.STEP: "step",
    Trace.GRAPH: "graph",
    Trace.SWITCHED: "switched",
}
_NO_VALUES = r"NotImplementedError: .*numpy\(\) is only available"
# Then nothing is traced.
_EAGERLY = re.compile(r"\brun_eagerly\b|\brun_functions_eagerly\(True")
_RAISES = {keras: {Way.RUN: _NO_VALUES} for keras in Keras}

_STEP = """\
import numpy as np
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)

    def train_step(self, data):
        logs = super().train_step(data)
{inside}        return logs


net = Net()
net.compile("sgd", keras.losses.MeanSquaredError())
net.fit(np.ones([4, 6]), np.ones([4, 3]), verbose=0)
{outside}"""
_FUNCTION = """\
import tensorflow as tf

model = tf.keras.Sequential([tf.keras.Input((6,)), tf.keras.layers.Dense(3)])


@tf.function
def step(batch):
    outputs = model(batch)
{inside}    return outputs


step(tf.ones([4, 6]))
{outside}"""
_GRAPH = """\
import tensorflow as tf
from tensorflow.keras import layers

{before}model = tf.keras.Sequential([tf.keras.Input((6,)), layers.Dense(3)])
{after}"""
_SWITCHED = """\
import tensorflow as tf
from tensorflow import keras

{switch}
model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
model.save("model.keras")
"""


class SaveWhileTracing(Rule):
    """A model is saved where TensorFlow builds a graph, and its weights have no values.

    Consequence: `model.save`, `save_weights` and `export` need the numbers in the weights,
    which there are none of in `call`, in `train_step`, in a `tf.function`, in a `tf.Graph`
    or after `disable_eager_execution`. They raise, and leave a broken file behind: of what
    was under that path nothing is left.

    Silent: `tf.train.Checkpoint`, which works there; callbacks; in Keras 2 a graph or
    switched-off eager execution, but for `.keras` and `.weights.h5` files; a class that is
    compiled with `run_eagerly`.

    Fix: none is applied. Save behind the call that trains, or from a callback.
    """

    code = "SVL410"
    name = "save-while-tracing"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("save", "export")
    clues = (frozenset({"save", "save_model", "save_weights", "export"}),)
    examples = (
        Example(
            variant="step",
            bad=_STEP.format(inside='        self.save("last.keras")\n', outside=""),
            at='self.save("last.keras")',
            good=_STEP.format(inside="", outside='net.save("last.keras")\n'),
            witness=Witness(build="net", ways=(Way.RUN,), fails=_RAISES),
            fixed=False,
        ),
        Example(
            variant="function",
            bad=_FUNCTION.format(inside='    model.save_weights("last.weights.h5")\n', outside=""),
            at='model.save_weights("last.weights.h5")',
            good=_FUNCTION.format(inside="", outside='model.save_weights("last.weights.h5")\n'),
            witness=Witness(build="model", ways=(Way.RUN,), fails=_RAISES),
            fixed=False,
        ),
        Example(
            variant="graph",
            bad=_GRAPH.format(
                before="with tf.Graph().as_default():\n    ",
                after='    model.save("model.keras")\n',
            ),
            at='model.save("model.keras")',
            good=_GRAPH.format(before="", after='model.save("model.keras")\n'),
            witness=Witness(build="model", ways=(Way.RUN,), program=True, fails=_RAISES),
            fixed=False,
        ),
        Example(
            variant="switched",
            bad=_SWITCHED.format(switch="tf.compat.v1.disable_eager_execution()"),
            at='model.save("model.keras")',
            good=_SWITCHED.format(switch="tf.config.run_functions_eagerly(False)"),
            witness=Witness(build="model", ways=(Way.RUN,), program=True, fails=_RAISES),
            fixed=False,
        ),
    )
    silent = (
        """\
# A checkpoint can be written there.
import tensorflow as tf

model = tf.keras.Sequential([tf.keras.Input((6,)), tf.keras.layers.Dense(3)])
checkpoint = tf.train.Checkpoint(model=model)

@tf.function
def step(batch):
    checkpoint.write("last")
    return model(batch)
""",
        """\
# These save between the steps.
from tensorflow import keras

class Net(keras.Model):
    def call(self, inputs):
        return inputs

    def train(self, data):
        self.fit(data)
        self.save_weights("last.weights.h5")

class Keep(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.save(f"{epoch}.keras")
""",
        """\
# It runs eagerly.
from tensorflow import keras

class Net(keras.Model):
    def train_step(self, data):
        logs = super().train_step(data)
        self.save_weights("last.weights.h5")
        return logs

net = Net()
net.compile("sgd", run_eagerly=True)
""",
        """\
# A function may switch it off, and is not called.
import tensorflow as tf
from tensorflow import keras

def old():
    tf.compat.v1.disable_eager_execution()

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
model.save("model.keras")
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The saves that are traced."""
        if _EAGERLY.search(module.source.text):
            return
        for save, _ in occasions.saves(module, "save", "weights", "export", "saved_model"):
            found = occasions.trace_around(module, save)
            if found is None or not _fails(module.keras, found[0], save):
                continue
            trace, where = found
            yield self.finding(
                module,
                save.node,
                f"a model is saved where {trace.value}: its weights have no values",
                variant=_VARIANTS[trace],
                note="raises, and leaves a broken file",
                labels=[(where, "here")] if where is not None else [],
                fix=Fix("save it between the steps, or from a callback", Safety.DISPLAY),
            )


def _fails(keras: Keras, trace: Trace, save: SaveCall) -> bool:
    """Whether this way of saving was seen to fail there."""
    if trace in {Trace.FUNCTION, Trace.STEP}:
        return True
    if save.how not in {"save", "weights"}:
        return False
    path = save.path.value if save.path is not None else None
    return keras is Keras.V3 or paths.ends_with(path, ".keras", ".weights.h5") is True
