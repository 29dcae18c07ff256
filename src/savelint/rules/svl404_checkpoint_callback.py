"""SVL404 checkpoint-callback."""

from __future__ import annotations

import re
from collections.abc import Iterator

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras import paths
from savelint.keras.generation import Keras
from savelint.keras.model import Argument, Contact, Flow, ModuleModel, SaveCall
from savelint.keras.values import Const, Seq, Text
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import places

_V3 = (Keras.V3,)
_V2 = (Keras.V2,)
_REMOVED = ("period", "save_format", "options")
_FIELD = re.compile(r"\{(\w+)[:}]")
_FIT = """\
x = np.ones((4, 6), "float32")
y = np.ones((4, 3), "float32")
"""
_HEAD = """\
import numpy as np
from tensorflow import keras

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
model.compile("sgd", "mean_squared_error", metrics=["accuracy"])
"""


def _script(callback: str, *, imports: str = "") -> str:
    return f"{imports}{_HEAD}{_FIT}model.fit(x, y, epochs=2, callbacks=[{callback}])\n"


def _run(fails: dict[Keras, str]) -> Witness:
    return Witness(
        build="model",
        ways=(Way.RUN,),
        fails={keras: {Way.RUN: text} for keras, text in fails.items()},
    )


class CheckpointCallback(Rule):
    """A `ModelCheckpoint` that is refused when it is made, or when it first saves.

    Consequence: Keras 3 takes `.keras` and `.h5` for models and `.weights.h5` for weights, and
    no longer `period=`: the constructor raises. A field in braces that no epoch reports
    raises at the end of the first one, in both generations; so does a path object in Keras 2.

    Silent: a path of which the end is not known; fields when it is not seen which metrics
    the model is compiled with; in Keras 2, every suffix.

    Fix: another suffix (unsafe: other code may know the file by its old name); `period=1`
    goes (safe: it is what happens anyway); `{val_acc}` becomes `{val_accuracy}` (safe); a
    path object becomes its text (safe).
    """

    code = "SVL404"
    name = "checkpoint-callback"
    since = "0.1"
    severity = {Keras.V3: Severity.ERROR, Keras.V2: Severity.WARNING}
    mentions = ("ModelCheckpoint",)
    clues = (frozenset({"ModelCheckpoint"}),)
    examples = (
        Example(
            variant="weights",
            bad=_script(
                'keras.callbacks.ModelCheckpoint("w_{epoch:02d}.h5", save_weights_only=True)'
            ),
            at='"w_{epoch:02d}.h5"',
            good=_script(
                'keras.callbacks.ModelCheckpoint("w_{epoch:02d}.weights.h5",'
                " save_weights_only=True)"
            ),
            witness=_run({Keras.V3: r"the filepath provided must end in `\.weights\.h5`"}),
            keras=_V3,
        ),
        Example(
            variant="model",
            bad=_script(
                "ModelCheckpoint(filepath='best.hdf5')",
                imports="from tensorflow.keras.callbacks import ModelCheckpoint\n",
            ),
            at="'best.hdf5'",
            good=_script(
                "ModelCheckpoint(filepath='best.keras')",
                imports="from tensorflow.keras.callbacks import ModelCheckpoint\n",
            ),
            witness=_run({Keras.V3: r"The filepath provided must end in `\.keras`"}),
            keras=_V3,
        ),
        Example(
            variant="argument",
            bad=_script('keras.callbacks.ModelCheckpoint("best.keras", period=1, verbose=1)'),
            at="period=1",
            good=_script('keras.callbacks.ModelCheckpoint("best.keras", verbose=1)'),
            witness=_run({Keras.V3: "unexpected keyword argument 'period'"}),
            keras=_V3,
        ),
        Example(
            variant="field",
            bad=_script('keras.callbacks.ModelCheckpoint("m_{epoch}_{acc:.2f}.keras")'),
            at='"m_{epoch}_{acc:.2f}.keras"',
            good=_script('keras.callbacks.ModelCheckpoint("m_{epoch}_{accuracy:.2f}.keras")'),
            witness=_run(
                {
                    Keras.V3: "Failed to format this callback filepath",
                    Keras.V2: "Failed to format this callback filepath",
                }
            ),
        ),
        Example(
            variant="path",
            bad=_script(
                'keras.callbacks.ModelCheckpoint(Path("run") / "best.keras")',
                imports="from pathlib import Path\n\n",
            ),
            at='Path("run") / "best.keras"',
            good=_script(
                'keras.callbacks.ModelCheckpoint(str(Path("run") / "best.keras"))',
                imports="from pathlib import Path\n\n",
            ),
            witness=_run({Keras.V2: "object has no attribute 'endswith'"}),
            keras=_V2,
        ),
    )
    silent = (
        """\
# The suffix is right, or not known; what is saved is not said.
import os
from tensorflow.keras.callbacks import ModelCheckpoint

def callbacks(path, name, weights, folder):
    return [
        ModelCheckpoint("m_{epoch:02d}.keras", save_best_only=True),
        ModelCheckpoint("m.h5", monitor="val_loss"),
        ModelCheckpoint("m.weights.h5", save_weights_only=True),
        ModelCheckpoint("m.weights.h5", save_weights_only=weights),
        ModelCheckpoint(path),
        ModelCheckpoint(os.path.join(folder, name), save_weights_only=True),
        ModelCheckpoint(*path),
    ]
""",
        """\
# Which metrics there are is not seen, or they have the name.
from tensorflow import keras

def train(model, metrics):
    model.compile("sgd", "mse", metrics=metrics)
    model.fit(x, callbacks=[keras.callbacks.ModelCheckpoint("m_{val_acc}.keras")])

net = keras.Sequential()
net.compile("sgd", "mse", metrics=[keras.metrics.Accuracy(name="acc")])
net.fit(x, callbacks=[keras.callbacks.ModelCheckpoint("m_{acc}.keras")])
net.compile("sgd", "mse", metrics=["acc"])
""",
        """\
# A class of the project only has the name.
from tensorflow import keras

class ModelCheckpoint(keras.callbacks.Callback):
    def __init__(self, path, period=1):
        super().__init__()

ModelCheckpoint("m", period=5)
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The callbacks of the file."""
        for flow, save in module.saves("callback"):
            if module.keras is Keras.V3:
                yield from self._removed(module, save)
            path = save.path
            if path is None:
                continue
            if module.keras is Keras.V3:
                yield from self._suffix(module, save, path)
            elif isinstance(path.value, Text) and path.value.is_path:
                yield self._object(module, path)
            yield from self._field(module, flow, path)

    def _removed(self, module: ModuleModel, save: SaveCall) -> Iterator[Finding]:
        for argument in save.arguments.items:
            if argument.keyword in _REMOVED:
                fix = Fix(f"`{argument.keyword}=` has to go", Safety.DISPLAY)
                if argument.keyword == "period" and places.literal(argument) == 1:
                    edit = rewrite.remove_argument(module, save.node, argument.node)
                    fix = Fix("remove it: it saves every epoch anyway", Safety.SAFE, (edit,))
                yield self.finding(
                    module,
                    argument.node,
                    f"`ModelCheckpoint` has no `{argument.keyword}=` any more",
                    variant="argument",
                    fix=fix,
                )

    def _suffix(self, module: ModuleModel, save: SaveCall, path: Argument) -> Iterator[Finding]:
        only = save.arguments.get(4, "save_weights_only")
        weights = places.literal(only) if only is not None else False
        if save.arguments.is_open and only is None:
            weights = ...
        suffixes = (".weights.h5",) if weights is True else (".keras", ".h5")
        if paths.ends_with(path.value, *suffixes) is not False:
            return
        new = suffixes[0] if weights in {True, False} else ""
        edits = places.renamed(module, save, _old(path), new, "weights", "model") if new else ()
        what = "weights" if weights is True else "models"
        names = " or ".join(f"`{suffix}`" for suffix in suffixes)
        yield self.finding(
            module,
            path.node.value,
            f"`ModelCheckpoint` saves {what} to {names}, and {places.shown(path)} is neither"
            if len(suffixes) > 1
            else f"`ModelCheckpoint` saves {what} to {names}, and not to {places.shown(path)}",
            variant="weights" if weights is True else "model",
            severity=places.severity(path, self.severity[module.keras]),
            fix=Fix(f"end it in `{new}`", Safety.UNSAFE, edits, places.OTHERS)
            if edits
            else Fix(f"end the path in {names}", Safety.DISPLAY),
        )

    def _object(self, module: ModuleModel, path: Argument) -> Finding:
        node = path.node.value
        edit = rewrite.replace(module, node, f"str({module.text(node)})")
        return self.finding(
            module,
            node,
            "`ModelCheckpoint` takes no path objects",
            variant="path",
            fix=Fix("give it the text of the path", Safety.SAFE, (edit,)),
        )

    def _field(self, module: ModuleModel, flow: Flow, path: Argument) -> Iterator[Finding]:
        """`{acc}` where the metric is called `accuracy`."""
        written = paths.whole(path.value)
        names = _metrics(flow)
        if written is None or names is None or "accuracy" not in names or "acc" in names:
            return
        wrong = [f for f in _FIELD.findall(written) if f in {"acc", "val_acc"}]
        literal = places.last_literal(module, path.node.value)
        if not wrong:
            return
        edits: tuple[Edit, ...] = ()
        if literal is not None and "{" + wrong[0] in module.text(literal):
            text = re.sub(r"\{(val_)?acc(?=[:}])", r"{\1accuracy", module.text(literal))
            edits = (rewrite.replace(module, literal, text),)
        yield self.finding(
            module,
            path.node.value,
            f"no epoch reports `{wrong[0]}`: the metric is called `accuracy`",
            variant="field",
            severity=Severity.ERROR,
            fix=Fix("call it `accuracy`", Safety.SAFE if edits else Safety.DISPLAY, edits),
        )


def _old(path: Argument) -> str:
    """What the right suffix takes the place of."""
    tail = paths.tail(path.value)
    name = tail.rpartition("/")[2]
    known = (".weights.h5", ".weights", ".h5", ".hdf5", ".keras", ".ckpt", ".tf", ".model")
    return next((suffix for suffix in known if name.endswith(suffix)), "")


def _metrics(flow: Flow) -> set[str] | None:
    """The names of all metrics that models are compiled with; None where one is not known."""
    names: set[str] = set()
    compiled = [contact for contact in flow.all(Contact) if contact.how == "compile"]
    for contact in compiled:
        given = contact.arguments.get(2, "metrics")
        if given is None or not isinstance(given.value, Seq) or not given.value.complete:
            return None
        for item in given.value.items:
            if not isinstance(item, Const) or not isinstance(item.value, str):
                return None
            names.add(item.value)
    return names if compiled else None
