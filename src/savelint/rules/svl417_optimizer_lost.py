"""SVL417 optimizer-lost."""

from __future__ import annotations

from collections.abc import Iterator

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import paths
from savelint.keras.events import Contact, Flow, SaveCall
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.values import Const, Instance
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import occasions

_SCRIPT = """\
import numpy as np
import tensorflow as tf
from tensorflow import keras

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
model.compile(keras.optimizers.SGD(0.5), keras.losses.MeanSquaredError())
model.fit(np.ones([4, 6]), np.ones([4, 3]), verbose=0)
model.save("model.h5"{argument})
model.save("model.keras")

again = keras.models.load_model("model.keras")
assert again.optimizer.name.lower() == "sgd", again.optimizer.name
"""
_REASON = "the `.h5` file is then without the optimizer and its state"


class OptimizerLost(Rule):
    """A compiled model is saved to `.h5`, and later to `.keras` in the same process.

    Consequence: saving to `.h5` leaves a mark on the model, and what is in the `.keras` file is
    no longer how it was compiled: Keras 3 loads it with RMSprop at its default rate in
    place of the optimizer, without its state. Training that goes on from the file goes
    on wrongly; nothing is raised.

    Silent: `.keras` first; an `.h5` file without the optimizer; a model that is compiled in
    between, or never in sight; Keras 2.

    Fix: `include_optimizer=False` for the `.h5` file (unsafe: the optimizer is not in it).
    """

    code = "SVL417"
    name = "optimizer-lost"
    since = "0.1"
    severity = {Keras.V3: Severity.WARNING}
    mentions = (".h5", ".hdf5")
    clues = (frozenset({"save", "save_model"}),)
    examples = (
        Example(
            variant="both",
            bad=_SCRIPT.format(argument=""),
            at='model.save("model.keras")',
            good=_SCRIPT.format(argument=", include_optimizer=False"),
            witness=Witness(
                build="model",
                ways=(Way.RUN,),
                fails={Keras.V3: {Way.RUN: "AssertionError: rm_?sprop"}},
            ),
            keras=(Keras.V3,),
        ),
    )
    silent = (
        """\
# `.keras` comes first, or the other has no optimizer.
import numpy as np
from tensorflow import keras

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
model.compile("sgd", keras.losses.MeanSquaredError())
model.save("a.keras")
model.save("a.h5", include_optimizer=False)
model.save("b.keras")
""",
        """\
# Two models; and one that is compiled in between.
import numpy as np
from tensorflow import keras

one = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
one.compile("sgd", keras.losses.MeanSquaredError())
two = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
two.compile("sgd", keras.losses.MeanSquaredError())
one.save("one.h5")
two.save("two.keras")
one.compile("adam", keras.losses.MeanSquaredError())
one.save("one.keras")
""",
        """\
# It has no optimizer.
from tensorflow import keras

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
model.save("model.h5")
model.save("model.keras")
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The `.keras` files that are written behind an `.h5` file of the same model."""
        for save, flow in occasions.saves(module, "save"):
            path = save.path.value if save.path is not None else None
            if paths.ends_with(path, ".keras") and isinstance(save.receiver, Instance):
                before = _marked(module, flow, save, save.receiver)
                if before is not None:
                    yield self._found(module, save, before)

    def _found(self, module: ModuleModel, save: SaveCall, before: SaveCall) -> Finding:
        edit = rewrite.add_argument(module, before.node, "include_optimizer=False")
        return self.finding(
            module,
            save.node,
            "what is saved here is no longer how the model was compiled",
            variant="both",
            note="loads with RMSprop",
            labels=[(before.node, "it was saved to `.h5` here")],
            fix=Fix("leave the optimizer out of the `.h5` file", Safety.UNSAFE, (edit,), _REASON),
        )


def _marked(module: ModuleModel, flow: Flow, save: SaveCall, model: Instance) -> SaveCall | None:
    """The `.h5` save that came before, of a compiled model that was not compiled since."""
    compiled = False
    marked: SaveCall | None = None
    for event in flow.events:
        if event is save:
            return marked
        if isinstance(event, Contact) and event.instance.node is model.node:
            if event.how == "compile":
                compiled, marked = True, None
        elif isinstance(event, SaveCall) and event.how == "save" and compiled:
            receiver = event.receiver
            path = event.path.value if event.path is not None else None
            same = isinstance(receiver, Instance) and receiver.node is model.node
            certain = not module.is_here(event.node) or not module.branches_of(event.node)
            if same and certain and paths.ends_with(path, ".h5", ".hdf5") and _has_optimizer(event):
                marked = event
    return None


def _has_optimizer(save: SaveCall) -> bool:
    given = save.arguments.get(None, "include_optimizer")
    return given is None or given.value == Const(True)
