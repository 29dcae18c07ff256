"""SVL403 weights-suffix."""

from __future__ import annotations

from collections.abc import Iterator

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import paths
from savelint.keras.events import Argument, SaveCall
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import places

_SUFFIX = ".weights.h5"
_V3 = (Keras.V3,)
_REFUSED = {Keras.V3: {Way.RUN: r"The filename must end in `\.weights\.h5`"}}
# Keras 2 writes something else under the name that was given.
_NO_FILE = {Keras.V2: {Way.WEIGHTS: "FileNotFoundError"}}

_NET = """\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)


"""


class WeightsSuffix(Rule):
    """Weights are saved to a path that does not end in `.weights.h5`.

    Consequence: Keras 3 raises before it writes anything. Keras 2 takes every name, but
    writes HDF5 under one that ends in `.keras`, which `load_model` then refuses. A
    subclassed model that nothing has called yet has no weights: Keras 3 raises, Keras 2
    writes an empty file.

    Silent: a path of which the end is not known; objects that are not known to be Keras
    models; in Keras 2, all other names; calls with `save_format=`, of which SVL402 speaks.

    Fix: end the name in `.weights.h5`, there and where the file loads it (unsafe: other
    code may know the file by its old name).
    """

    code = "SVL403"
    name = "weights-suffix"
    since = "0.1"
    severity = {Keras.V3: Severity.ERROR, Keras.V2: Severity.WARNING}
    mentions = ("save_weights",)
    clues = (frozenset({"save_weights"}),)
    examples = (
        Example(
            variant="suffix",
            bad="""\
import keras
from keras import layers


def build():
    return keras.Sequential([keras.Input((6,)), layers.Dense(3)])


trained = build()
trained.save_weights('trained.h5')

model = build()
model.load_weights('trained.h5')
""",
            at="'trained.h5'",
            good="""\
import keras
from keras import layers


def build():
    return keras.Sequential([keras.Input((6,)), layers.Dense(3)])


trained = build()
trained.save_weights('trained.weights.h5')

model = build()
model.load_weights('trained.weights.h5')
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN, Way.WEIGHTS),
                saved="trained.weights.h5",
                fails=_REFUSED | _NO_FILE,
            ),
            keras=_V3,
        ),
        Example(
            variant="checkpoint",
            bad="""\
import os

import tensorflow as tf


class Trainer:
    def __init__(self, folder):
        self.folder = folder
        self.model = tf.keras.Sequential([tf.keras.Input((6,)), tf.keras.layers.Dense(3)])

    def run(self, epochs):
        for epoch in range(epochs):
            self.model.save_weights(os.path.join(self.folder, f"epoch_{epoch}_ckpt"))


os.mkdir("run")
trainer = Trainer("run")
trainer.run(1)
model = trainer.model
""",
            at='os.path.join(self.folder, f"epoch_{epoch}_ckpt")',
            good="""\
import os

import tensorflow as tf


class Trainer:
    def __init__(self, folder):
        self.folder = folder
        self.model = tf.keras.Sequential([tf.keras.Input((6,)), tf.keras.layers.Dense(3)])

    def run(self, epochs):
        for epoch in range(epochs):
            self.model.save_weights(
                os.path.join(self.folder, f"epoch_{epoch}_ckpt.weights.h5"),
            )


os.mkdir("run")
trainer = Trainer("run")
trainer.run(1)
model = trainer.model
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN, Way.WEIGHTS),
                saved="run/epoch_0_ckpt.weights.h5",
                fails=_REFUSED | _NO_FILE,
            ),
            keras=_V3,
        ),
        Example(
            variant="keras",
            bad="""\
from tensorflow import keras

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
model.save_weights("model.keras")
model.load_weights("model.keras")
again = keras.models.load_model("model.keras")
""",
            at='"model.keras"',
            good="""\
from tensorflow import keras

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
model.save("model.keras")
model.load_weights("model.keras")
again = keras.models.load_model("model.keras")
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN, Way.KERAS),
                saved="model.keras",
                fails={**_REFUSED, Keras.V2: {Way.RUN: "ValueError|OSError"}},
            ),
            fixed=False,
        ),
        Example(
            variant="unbuilt",
            bad=_NET + 'net = Net()\nnet.save_weights("net.weights.h5")\n',
            at='net.save_weights("net.weights.h5")',
            good=_NET + 'net = Net()\nnet(tf.ones((4, 6)))\nnet.save_weights("net.weights.h5")\n',
            witness=Witness(
                build="net",
                ways=(Way.RUN, Way.WEIGHTS),
                saved="net.weights.h5",
                fails={
                    Keras.V3: {Way.RUN: "You are saving a model that has not yet been built"},
                    Keras.V2: {Way.WEIGHTS: "DIFF|Error"},
                },
            ),
            fixed=False,
        ),
    )
    silent = (
        """\
# The suffix is right, or not known.
import os
from tensorflow import keras

def main(path, name):
    model = keras.Sequential()
    model.save_weights("model.weights.h5")
    model.save_weights(path)
    model.save_weights(os.path.join(path, name))
    model.save_weights(filepath=f"{path}/{name}" + ".h5")
    model.save_weights(path + "weights.h5")
""",
        """\
# What is saved is no Keras model, or in a way of its own.
from tensorflow import keras

class Agent:
    def __init__(self, network):
        self.network = network

    def save_weights(self, path):
        self.network.save_weights(path)

class Net(keras.Model):
    def save_weights(self, path):
        super().save_weights(path + ".weights.h5")

Agent(Net()).save_weights("agent")
Net().save_weights("net")
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The saves of weights to other names."""
        for flow, save in module.saves("weights"):
            path = save.path
            if places.is_keras(save) and places.is_unbuilt(module, flow, save):
                yield self._unbuilt(module, save)
                continue
            formatted = save.arguments.get(2, "save_format") is not None
            if path is None or not places.is_keras(save) or formatted:
                continue
            whole = paths.ends_with(path.value, ".keras")
            if paths.ends_with(path.value, _SUFFIX) is False and (
                module.keras is Keras.V3 or whole
            ):
                yield self._found(module, save, path, whole=whole is True)

    def _unbuilt(self, module: ModuleModel, save: SaveCall) -> Finding:
        return self.finding(
            module,
            save.node,
            "the model has no weights yet: nothing has called or built it",
            variant="unbuilt",
            severity=Severity.ERROR,
            fix=Fix("call the model once before", Safety.DISPLAY),
        )

    def _found(
        self, module: ModuleModel, save: SaveCall, path: Argument, *, whole: bool
    ) -> Finding:
        edits: tuple[object, ...] = ()
        if not whole:
            found = places.renamed(module, save, _old(path), _SUFFIX, "weights")
            fix = Fix(f"end it in `{_SUFFIX}`", Safety.UNSAFE, found, places.OTHERS)
            edits = found
        known = paths.whole(path.value)
        variant = "keras" if whole else "checkpoint" if known is None else "suffix"
        return self.finding(
            module,
            path.node.value,
            f"{places.shown(path)} does not end in `{_SUFFIX}`",
            variant=variant,
            severity=places.severity(path, self.severity[module.keras]),
            fix=fix if edits else Fix(f"end the path in `{_SUFFIX}`", Safety.DISPLAY),
        )


def _old(path: Argument) -> str:
    """What `.weights.h5` takes the place of."""
    tail = paths.tail(path.value)
    name = tail.rstrip("/ \n").rpartition("/")[2]
    for suffix in (".weights", ".h5", ".hdf5", ".ckpt", ".tf"):
        if name.endswith(suffix):
            return suffix + tail[len(tail.rstrip("/ \n")) :]
    return tail[len(tail.rstrip("/ \n")) :]
