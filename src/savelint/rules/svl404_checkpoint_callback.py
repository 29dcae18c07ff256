"""SVL404 checkpoint-callback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras import paths
from savelint.keras.events import Argument, Contact, Flow, SaveCall
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.values import Const, Instance, Seq, Text, Value, elements
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import occasions, places

if TYPE_CHECKING:
    import libcst as cst

_V3 = (Keras.V3,)
_V2 = (Keras.V2,)
_REMOVED = ("period", "save_format", "options")
_FIELD = re.compile(r"\{(\w+)[:}]")
# What the callback itself puts into a name.
_REPORTED = re.compile(r"epoch$|batch$|(?:val_)?(?:loss|acc|accuracy)$")
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


_COUNT = """\
saved = [name for name in os.listdir() if name.endswith(".keras")]
assert len(saved) == 2, "one file for both epochs"
"""


def _script(callback: str, *, imports: str = "", then: str = "") -> str:
    callbacks = f"[\n        {callback},\n    ]"
    fit = f"model.fit(\n    x,\n    y,\n    epochs=2,\n    callbacks={callbacks},\n)\n"
    return f"{imports}{_HEAD}{_FIT}{fit}{then}"


def _run(fails: dict[Keras, str]) -> Witness:
    return Witness(
        build="model",
        ways=(Way.RUN,),
        fails={keras: {Way.RUN: text} for keras, text in fails.items()},
    )


class CheckpointCallback(Rule):
    """A `ModelCheckpoint` that is refused when it is made, or when it first saves.

    Consequence: Keras 3 takes `.keras` and `.h5` for models and `.weights.h5` for weights, and
    no longer `period=`: the constructor raises; so it does in both generations for a
    `save_freq=` that is neither "epoch" nor a number of batches. A field in braces that no
    epoch reports raises at the end of the first one, in both generations: the wrong name of
    a metric, `{batch}` where epochs are saved, `{val_loss}` of a `fit` without validation
    data. So does a path object in Keras 2, unless weights are saved. Without a metric called
    `val_acc` the best one is never known: Keras 3 raises, Keras 2 saves nothing; nor does
    Keras 2 where `fit` has no validation data and `val_loss` is to tell the best. An f-string
    puts `epoch` into the name before there is one: it raises, or every epoch writes over the
    same file.

    Silent: a path of which the end is not known; fields when it is not seen which metrics
    the model is compiled with, or what `fit` is given; f-strings in a loop; in Keras 2, every
    suffix.

    Fix: another suffix (unsafe: other code may know the file by its old name); `period=1`
    goes (safe: it is what happens anyway); `acc` becomes `accuracy` (safe); a path object
    becomes its text (safe); the f-string leaves `epoch` to the callback (safe where it
    raises).
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
                """\
keras.callbacks.ModelCheckpoint(
            "w_{epoch:02d}.weights.h5",
            save_weights_only=True,
        )"""
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
            variant="frequency",
            bad=_script("keras.callbacks.ModelCheckpoint('{epoch}.keras', save_freq='batch')"),
            at="save_freq='batch'",
            good=_script("keras.callbacks.ModelCheckpoint('{epoch}.keras', save_freq=1)"),
            witness=_run(dict.fromkeys(Keras, "Unrecognized save_freq: batch")),
            fixed=False,
        ),
        Example(
            variant="batch",
            bad=_script('keras.callbacks.ModelCheckpoint("m_{epoch}_{batch}.keras")'),
            at='"m_{epoch}_{batch}.keras"',
            good=_script('keras.callbacks.ModelCheckpoint("m_{epoch}_{batch}.keras", save_freq=1)'),
            witness=_run(dict.fromkeys(Keras, "Failed to format this callback filepath")),
            fixed=False,
        ),
        Example(
            variant="validation",
            bad=_script(
                'ModelCheckpoint("m_{epoch:02d}-{val_loss:.2f}.keras")',
                imports="from tensorflow.keras.callbacks import ModelCheckpoint\n",
            ),
            at='"m_{epoch:02d}-{val_loss:.2f}.keras"',
            good=_script(
                'ModelCheckpoint("m_{epoch:02d}-{loss:.2f}.keras")',
                imports="from tensorflow.keras.callbacks import ModelCheckpoint\n",
            ),
            witness=_run(dict.fromkeys(Keras, "Failed to format this callback filepath")),
            fixed=False,
        ),
        Example(
            variant="monitor",
            bad=_script(
                'keras.callbacks.ModelCheckpoint("best.keras", "acc", save_best_only=True)',
                then='assert os.path.exists("best.keras"), "nothing is saved"\n',
                imports="import os\n",
            ),
            at='"acc"',
            good=_script(
                """\
keras.callbacks.ModelCheckpoint(
            "best.keras",
            "accuracy",
            save_best_only=True,
        )""",
                then='assert os.path.exists("best.keras"), "nothing is saved"\n',
                imports="import os\n",
            ),
            witness=_run(
                {
                    Keras.V3: "Keras isn't able to automatically determine",
                    Keras.V2: "AssertionError: nothing is saved",
                }
            ),
        ),
        Example(
            variant="unvalidated",
            bad=_script(
                'keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True)',
                then='assert os.path.exists("best.keras"), "nothing is saved"\n',
                imports="import os\n",
            ),
            at="save_best_only=True",
            good=_script(
                'keras.callbacks.ModelCheckpoint("best.keras", "loss", save_best_only=True)',
                then='assert os.path.exists("best.keras"), "nothing is saved"\n',
                imports="import os\n",
            ),
            witness=_run({Keras.V2: "AssertionError: nothing is saved"}),
            keras=_V2,
            fixed=False,
        ),
        Example(
            variant="formatted",
            bad=_script('keras.callbacks.ModelCheckpoint(f"m_{epoch:02d}.keras")'),
            at='f"m_{epoch:02d}.keras"',
            good=_script('keras.callbacks.ModelCheckpoint("m_{epoch:02d}.keras")'),
            witness=_run(dict.fromkeys(Keras, "NameError: name 'epoch' is not defined")),
        ),
        Example(
            variant="overwritten",
            bad=_script(
                'keras.callbacks.ModelCheckpoint(f"{name}_{epoch}.keras")',
                then=_COUNT,
                imports='import os\n\nname = "net"\nepoch = 0\n',
            ),
            at='f"{name}_{epoch}.keras"',
            good=_script(
                'keras.callbacks.ModelCheckpoint(f"{name}_{{epoch}}.keras")',
                then=_COUNT,
                imports='import os\n\nname = "net"\nepoch = 0\n',
            ),
            witness=_run(dict.fromkeys(Keras, "AssertionError: one file for both epochs")),
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
from pathlib import Path
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
        ModelCheckpoint(Path(folder) / "m.weights.h5", save_weights_only=True),
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
# There is validation data, or may be; the loop or the caller knows the epoch.
from tensorflow import keras
from tensorflow.keras.callbacks import Callback, ModelCheckpoint

class Scores(Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["val_f1"] = 1.0

net = keras.Sequential()
net.compile("sgd", "mse", metrics=["accuracy"])
net.fit(x, y, validation_split=0.1, callbacks=[ModelCheckpoint("{val_loss}.keras")])
net.fit(x, y, **options, callbacks=[ModelCheckpoint("{val_loss}.keras")])
net.fit(x, y, callbacks=[Scores(), ModelCheckpoint("{val_f1}.keras", save_best_only=True)])
net.fit(x, y, callbacks=[*more, ModelCheckpoint("{val_f1}.keras")])
given = ModelCheckpoint("{epoch}-{val_loss}.keras", "val_accuracy", save_best_only=True)
every = ModelCheckpoint("{epoch}-{batch}.keras", save_freq=100)
best = ModelCheckpoint("best.keras", "acc")
for epoch in range(3):
    net.fit(x, y, callbacks=[ModelCheckpoint(f"{epoch}.keras")])

def last(epoch):
    return ModelCheckpoint(f"{epoch}_{{epoch}}.keras")

def frequency(number):
    return ModelCheckpoint("m.keras", save_freq=number)
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
            yield from self._frequency(module, save)
            yield from self._monitor(module, flow, save)
            path = save.path
            if path is None:
                continue
            if module.keras is Keras.V3:
                yield from self._suffix(module, save, path)
            elif isinstance(path.value, Text) and path.value.is_path and _saves_models(save):
                yield self._object(module, path)
            yield from self._field(module, flow, path)
            yield from self._unreported(module, flow, save, path)
            yield from self._formatted(module, save, path)

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

    def _unreported(
        self, module: ModuleModel, flow: Flow, save: SaveCall, path: Argument
    ) -> Iterator[Finding]:
        """`{batch}` at the end of an epoch, `{val_loss}` without validation data."""
        fields = _FIELD.findall(paths.whole(path.value) or "")
        frequency = save.arguments.get(6, "save_freq")
        epochs = frequency is None or places.literal(frequency) == "epoch"
        unvalidated = [field for field in fields if field.startswith("val_")]
        if "batch" in fields and epochs and not save.arguments.is_open:
            yield self.finding(
                module,
                path.node.value,
                "the end of an epoch has no `batch`",
                variant="batch",
                severity=Severity.ERROR,
                fix=Fix("save each number of batches, by `save_freq=`", Safety.DISPLAY),
            )
        elif unvalidated and _never_validates(flow, save):
            yield self.finding(
                module,
                path.node.value,
                f"no epoch reports `{unvalidated[0]}`: `fit` is given no validation data",
                variant="validation",
                severity=Severity.ERROR,
                fix=Fix("give `fit` validation data, or name another metric", Safety.DISPLAY),
            )

    def _frequency(self, module: ModuleModel, save: SaveCall) -> Iterator[Finding]:
        given = save.arguments.get(6, "save_freq")
        found = places.literal(given)
        if given is not None and found is not ... and found != "epoch" and type(found) is not int:
            yield self.finding(
                module,
                given.node,
                '`save_freq=` is "epoch" or a number of batches',
                variant="frequency",
                severity=Severity.ERROR,
                fix=Fix('say "epoch", or how many batches', Safety.DISPLAY),
            )

    def _monitor(self, module: ModuleModel, flow: Flow, save: SaveCall) -> Iterator[Finding]:
        """`monitor="val_acc"` where the metric is called `accuracy`."""
        given = save.arguments.get(1, "monitor")
        best = places.literal(save.arguments.get(3, "save_best_only"))
        name, names = places.literal(given), _metrics(flow)
        decided = module.keras is Keras.V3 and save.arguments.get(5, "mode") is not None
        unknown = names is None or "accuracy" not in names or "acc" in names
        validation = given is None or str(name).startswith("val_")
        if (
            best is True
            and validation
            and module.keras is Keras.V2
            and _never_validates(flow, save)
        ):
            yield self._never_best(module, save)
            return
        if given is None or name not in {"acc", "val_acc"} or best is not True:
            return
        if unknown or decided or save.arguments.is_open:
            return
        literal = places.last_literal(module, given.node.value)
        edits: tuple[Edit, ...] = ()
        if literal is not None and "acc" in module.text(literal):
            edits = (
                rewrite.replace(module, literal, module.text(literal).replace("acc", "accuracy")),
            )
        yield self.finding(
            module,
            given.node.value,
            f"no epoch reports `{name}`: the metric is called `accuracy`",
            variant="monitor",
            fix=Fix("call it `accuracy`", Safety.SAFE if edits else Safety.DISPLAY, edits),
        )

    def _never_best(self, module: ModuleModel, save: SaveCall) -> Finding:
        given = save.arguments.get(3, "save_best_only")
        return self.finding(
            module,
            given.node if given is not None else save.node,
            "nothing is saved: `fit` is given no validation data, by which the best is known",
            variant="unvalidated",
            fix=Fix('give `fit` validation data, or say `monitor="loss"`', Safety.DISPLAY),
        )

    def _formatted(self, module: ModuleModel, save: SaveCall, path: Argument) -> Iterator[Finding]:
        """An f-string that puts a value where the callback would."""
        import libcst as cst

        literal = places.last_literal(module, path.node.value)
        if not isinstance(literal, cst.FormattedString) or occasions.loop_around(module, save.node):
            return
        fields = [p for p in literal.parts if isinstance(p, cst.FormattedStringExpression)]
        names = {
            part.expression.value: part
            for part in fields
            if isinstance(part.expression, cst.Name) and _REPORTED.match(part.expression.value)
        }
        unbound = [name for name in names if not module.is_bound(name)]
        constant = [n for n, part in names.items() if _is_number(module, part.expression)]
        eaten = unbound or constant
        if not eaten:
            return
        text = module.text(literal)
        if len(eaten) == len(fields) and literal.start.lower().startswith("f"):
            text = text[1:]
        else:
            for name in eaten:
                written = module.text(names[name])
                text = text.replace(written, "{" + written + "}")
        yield self.finding(
            module,
            literal,
            f"an f-string puts `{eaten[0]}` into the name before the callback can",
            variant="formatted" if unbound else "overwritten",
            severity=Severity.ERROR if unbound else Severity.WARNING,
            fix=Fix(
                "leave it to the callback",
                Safety.SAFE if unbound else Safety.UNSAFE,
                (rewrite.replace(module, literal, text),),
                "" if unbound else places.OTHERS,
            ),
        )


def _saves_models(save: SaveCall) -> bool:
    """Whether whole models are saved, and not weights alone, which may go to path objects."""
    only = save.arguments.get(4, "save_weights_only")
    return places.literal(only) is False if only is not None else not save.arguments.is_open


def _is_number(module: ModuleModel, node: cst.BaseExpression) -> bool:
    """Whether a name stands for one number, given to it once in the file."""
    import libcst as cst

    value = module.bound_to(node) if isinstance(node, cst.Name) else None
    return isinstance(value, (cst.Integer, cst.Float))


def _never_validates(flow: Flow, save: SaveCall) -> bool:
    """Whether the callback is given to a `fit` of Keras' own that has no validation data."""
    fits = []
    for contact in flow.all(Contact):
        given = contact.arguments.get(5, "callbacks")
        held = list(elements(given.value)) if given is not None else []
        if contact.how == "fit" and any(getattr(v, "node", None) is save.node for v in held):
            fits.append(_is_own_fit(contact) and all(map(_reports_nothing, held)))
    return bool(fits) and all(fits)


def _is_own_fit(fit: Contact) -> bool:
    """Whether a call of `fit` trains as Keras does, and is given no validation data."""
    outline = fit.instance.outline
    own = outline is not None and any(map(outline.definer, ("fit", "train_step")))
    split = fit.arguments.get(6, "validation_split")
    data = fit.arguments.get(7, "validation_data")
    return not (own or fit.arguments.is_open) and split is None and data is None


def _reports_nothing(value: Value) -> bool:
    """Whether what is among the callbacks adds nothing to what an epoch reports."""
    if isinstance(value, Seq):
        return value.complete
    made = value.name if isinstance(value, Instance) else ""
    return made.startswith("keras.callbacks.") and not made.endswith(".LambdaCallback")


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
