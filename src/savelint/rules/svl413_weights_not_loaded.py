"""SVL413 weights-not-loaded."""

from __future__ import annotations

from collections.abc import Iterator

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import paths
from savelint.keras.generation import Keras
from savelint.keras.model import Flow, LoadCall, ModuleModel, Stack
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


class WeightsNotLoaded(Rule):
    """Weights are loaded by the names of layers that have none of their own.

    Consequence: `load_weights(path, by_name=True)` loads what has the same name in the file,
    and says nothing where there is none. A layer without `name=` is called `dense`,
    `dense_1`, ... by how many the process made before it: in another order the model
    keeps its initial weights, without an exception.

    Silent: layers that are all named; models that are made elsewhere; a file `.weights.h5`,
    where Keras 3 raises.

    Fix: none is applied. Name the layers before the weights are saved, or load without
    `by_name`.
    """

    code = "SVL413"
    name = "weights-not-loaded"
    since = "0.1"
    severity = {Keras.V2: Severity.WARNING, Keras.V3: Severity.WARNING}
    mentions = ("by_name",)
    clues = (frozenset({"load_weights"}),)
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
    )
    silent = (
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
        """The loads by names that nobody gave."""
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
