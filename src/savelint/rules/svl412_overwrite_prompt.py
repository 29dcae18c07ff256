"""SVL412 overwrite-prompt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras.events import SaveCall
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.values import Const
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import occasions

if TYPE_CHECKING:
    import libcst as cst

_SCRIPT = """\
from tensorflow import keras
from tensorflow.keras import layers

model = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
model.compile("sgd", "mean_squared_error")
model.save("model.keras")
model.save("model.keras"{argument})
"""
_WEIGHTS = """\
import os

import tensorflow as tf


def store(model: tf.keras.Model, path):
    model.save_weights({arguments})


model = tf.keras.Sequential([tf.keras.Input((6,)), tf.keras.layers.Dense(3)])
os.makedirs("run")
for step in range(2):
    store(model, os.path.join("run", "last.weights.h5"))
"""
_ASKS = {keras: {Way.RUN: "EOFError: EOF when reading a line"} for keras in Keras}


class OverwritePrompt(Rule):
    """`overwrite=False` asks on the terminal where the file is there already.

    Consequence: `model.save` and `save_weights` call `input()`. In a job, a service or a
    notebook that is run by a program nobody answers, and it raises EOFError: what was
    trained is not saved.

    Silent: a call behind a look at whether the file exists; a value that is not written out.

    Fix: none is applied. Raise an error of your own where the path exists, before training,
    or save under a name that is new.
    """

    code = "SVL412"
    name = "overwrite-prompt"
    since = "0.1"
    severity = {Keras.V2: Severity.WARNING, Keras.V3: Severity.WARNING}
    mentions = ("False",)
    clues = (frozenset({"save", "save_model", "save_weights"}),)
    examples = (
        Example(
            variant="save",
            bad=_SCRIPT.format(argument=", overwrite=False"),
            at="overwrite=False",
            good=_SCRIPT.format(argument=""),
            witness=Witness(
                build="model", ways=(Way.RUN, Way.KERAS), saved="model.keras", fails=_ASKS
            ),
            fixed=False,
        ),
        Example(
            variant="weights",
            bad=_WEIGHTS.format(arguments="path, False"),
            at="False",
            good=_WEIGHTS.format(arguments="path"),
            witness=Witness(build="model", ways=(Way.RUN,), fails=_ASKS),
            fixed=False,
        ),
    )
    silent = (
        """\
# It looks first, or it overwrites, or somebody else decides.
import os
import tensorflow as tf

def store(model: tf.keras.Model, path, replace):
    if not os.path.exists(path):
        model.save(path, overwrite=False)
    model.save(path, overwrite=True)
    model.save(path, overwrite=replace)
""",
        """\
# These are no models of Keras.
import tensorflow as tf

def store(figure, table, path):
    figure.save(path, overwrite=False)
    table.export(path, overwrite=False)
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The calls that may ask."""
        for save, _ in occasions.saves(module, "save", "weights"):
            argument = save.arguments.get(_position(save), "overwrite")
            if argument is None or argument.value != Const(False) or _looks(module, save.node):
                continue
            yield self.finding(
                module,
                argument.node,
                "`overwrite=False` asks on the terminal if the file exists",
                variant="save" if save.how == "save" else "weights",
                note="calls `input()`",
                fix=Fix("raise an error of your own if the path exists", Safety.DISPLAY),
            )


def _position(save: SaveCall) -> int:
    """Where `overwrite` stands: behind the path."""
    before = list(save.arguments.positional)
    return before.index(save.path) + 1 if save.path in before else len(before)


def _looks(module: ModuleModel, node: cst.CSTNode) -> bool:
    """Whether a condition around a call asks if something exists."""
    return any(
        "exist" in module.text(branch).partition(":")[0].lower()
        for branch, _ in module.branches_of(node)
    )
