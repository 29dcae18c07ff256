"""SVL413 weights-not-loaded."""

from __future__ import annotations

from collections.abc import Iterator

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import paths
from savelint.keras.assembly import creation
from savelint.keras.events import Flow, LoadCall, Stack
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.tables import WEIGHTED
from savelint.keras.values import Const, Instance
from savelint.rule import Example, Rule, Way, Witness

_OTHERS = {keras: {Way.RUN: "AssertionError: the weights are others"} for keras in Keras}
_SCRIPT = """\
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers


def build():
    return keras.Sequential([keras.Input((6,)), layers.Dense(3{name})])


first = build()
first.save("first.h5")
model = keras.Sequential([keras.Input((6,)), layers.Dense(3{name})])
model.load_weights("first.h5", by_name=True)
assert np.allclose(model.get_weights()[0], first.get_weights()[0]), "the weights are others"
"""
_RESTORED = """\
import numpy as np
import tensorflow as tf


def build():
    return tf.keras.Sequential([tf.keras.Input((6,)), tf.keras.layers.Dense(3)])


first = build()
tf.train.Checkpoint(model=first).save("run")
model = build()
tf.train.Checkpoint({name}=model).restore("run-1"){asked}
assert np.allclose(model.get_weights()[0], first.get_weights()[0]), "the weights are others"
"""


class WeightsNotLoaded(Rule):
    """Weights are loaded by names that may not be those in the file, and nobody asks.

    Consequence: `load_weights(path, by_name=True)` loads what has the same name in the file,
    and says nothing where there is none. A layer without `name=` is called `dense`,
    `dense_1`, ... by how many the process made before it: in another order the model
    keeps its initial weights, without an exception.

    So does `restore` of a `tf.train.Checkpoint`, by the names of its arguments and of
    attributes, unless its result is asked.

    Silent: layers that are all named; models that are made elsewhere; a file `.weights.h5`,
    where Keras 3 raises; a checkpoint of other things than Keras models.

    Fix: none is applied. Name the layers before the weights are saved, or load without
    `by_name`; call `assert_existing_objects_matched()` on what `restore` gives.
    """

    code = "SVL413"
    name = "weights-not-loaded"
    since = "0.1"
    severity = {Keras.V2: Severity.WARNING, Keras.V3: Severity.WARNING}
    mentions = ("by_name", "restore")
    clues = (frozenset({"load_weights", "restore"}),)
    examples = (
        Example(
            variant="by-name",
            bad=_SCRIPT.format(name=""),
            at="by_name=True",
            good=_SCRIPT.format(name=', name="out"'),
            witness=Witness(
                build="model",
                ways=(Way.RUN,),
                fails=_OTHERS,
            ),
            fixed=False,
        ),
        Example(
            variant="restored",
            bad=_RESTORED.format(name="net", asked=""),
            at='tf.train.Checkpoint(net=model).restore("run-1")',
            good=_RESTORED.format(name="model", asked=".assert_existing_objects_matched()"),
            witness=Witness(build="model", ways=(Way.RUN,), fails=_OTHERS),
            fixed=False,
        ),
    )
    silent = (
        """\
# What was restored is asked; something else than a model is restored.
import tensorflow as tf

def resume(model: tf.keras.Model, path):
    checkpoint = tf.train.Checkpoint(model=model)
    checkpoint.restore(path).expect_partial()
    status = checkpoint.restore(path)
    status.assert_consumed()
    counter = tf.train.Checkpoint(step=tf.Variable(0))
    counter.restore(path)
""",
        """\
# The layers are named, or it is by their order, or somebody else decides.
from tensorflow import keras
from tensorflow.keras import layers

model = keras.Sequential([keras.Input((6,)), layers.Dense(3, name="out"), layers.Dropout(0.1)])
model.load_weights("first.h5", by_name=True)
other = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
other.load_weights("first.h5")
other.load_weights("first.h5", by_name=False)
""",
        """\
# How these layers are named is not in sight.
from tensorflow import keras

def load(model: keras.Model, path):
    model.load_weights(path, by_name=True)
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The loads by names that nobody gave, and those that nobody asks about."""
        yield from self._restored(module)
        for flow in module.scopes:
            for load in flow.all(LoadCall):
                argument = load.arguments.get(None, "by_name")
                if argument is None or argument.value != Const(True):
                    continue
                path = load.path.value if load.path is not None else None
                unnamed = _unnamed(flow, load)
                if not unnamed or not module.is_here(load.node):
                    continue
                if paths.ends_with(path, ".weights.h5") is True:
                    continue
                yield self.finding(
                    module,
                    argument.node,
                    "weights are loaded by the names of layers that nobody named",
                    variant="by-name",
                    note="loads nothing where the names differ",
                    labels=[(unnamed[0].node, "this one is named by how many came before it")],
                    fix=Fix("name the layers, or load without `by_name`", Safety.DISPLAY),
                )

    def _restored(self, module: ModuleModel) -> Iterator[Finding]:
        for flow in module.flows:
            for load in flow.all(LoadCall):
                restores = load.how == "checkpoint" and module.is_here(load.node)
                if restores and _of_models(flow, load) and _is_statement(module, load):
                    yield self.finding(
                        module,
                        load.node,
                        "nobody asks whether anything was restored",
                        variant="restored",
                        severity=Severity.NOTE,
                        note="restores nothing where the names differ",
                        fix=Fix("call `assert_existing_objects_matched()` on it", Safety.DISPLAY),
                    )


def _of_models(flow: Flow, load: LoadCall) -> bool:
    """Whether a checkpoint is one of Keras models."""
    from savelint.keras import saves

    made = creation(flow, load.receiver) if isinstance(load.receiver, Instance) else None
    return made is not None and any(saves.told(a.value) for a in made.arguments.items)


def _is_statement(module: ModuleModel, load: LoadCall) -> bool:
    """Whether nothing is done with what a call gives."""
    end = module.span(load.node).end
    behind = module.source.text[end : module.source.line_end(end)].strip()
    return rewrite.begins_line(module, load.node) and (not behind or behind[0] in "#;")


def _unnamed(flow: Flow, load: LoadCall) -> list[Instance]:
    """The layers with weights of a Sequential that have no name of their own."""
    model = load.receiver
    if not isinstance(model, Instance):
        return []
    stacks = [stack for stack in flow.all(Stack) if stack.node is model.node]
    layers = [layer for stack in stacks for layer in stack.layers]
    found = [layer for layer in layers if isinstance(layer, Instance) and _is_unnamed(layer)]
    return found if not any(layer is None for layer in layers) else []


def _is_unnamed(layer: Instance) -> bool:
    """Whether a layer of Keras' own that has weights is given no name."""
    keywords = {argument.keyword.value for argument in layer.node.args if argument.keyword}
    opened = any(argument.star for argument in layer.node.args)
    last = layer.name.rpartition(".")[2]
    return last in WEIGHTED and layer.outline is None and "name" not in keywords and not opened
