"""SVL407 h5-loss-alias."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras import paths
from savelint.keras.events import Argument, Contact, LoadCall, SaveCall
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.values import Instance
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import places

if TYPE_CHECKING:
    import libcst as cst

_V3 = (Keras.V3,)
# The aliases that a file of HDF5 keeps as they are, with the names of the functions.
_NAMES = {
    "bce": "binary_crossentropy",
    "BCE": "binary_crossentropy",
    "kld": "kl_divergence",
    "KLD": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
    "logcosh": "log_cosh",
    "mae": "mean_absolute_error",
    "MAE": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "MAPE": "mean_absolute_percentage_error",
    "mse": "mean_squared_error",
    "MSE": "mean_squared_error",
    "msle": "mean_squared_logarithmic_error",
    "MSLE": "mean_squared_logarithmic_error",
}


class H5LossAlias(Rule):
    """A model compiled with a short name for its loss is saved to HDF5.

    Consequence: the file keeps `mse` as it is written, and Keras 3 does not know it again:
    `load_model` raises. With the full name it loads.

    Silent: Keras 2; `.keras`, which keeps the function; full names; the same words among
    the metrics, which do no harm; a save with `include_optimizer=False`; a file in which
    every `load_model` says `compile=False`.

    Fix: the loss by its full name (safe: it is the same function).
    """

    code = "SVL407"
    name = "h5-loss-alias"
    since = "0.1"
    severity = {Keras.V3: Severity.ERROR}
    mentions = ("compile",)
    clues = (frozenset({"save", "save_model"}), frozenset({"compile"}))
    examples = (
        Example(
            variant="alias",
            bad="""\
from tensorflow import keras

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
model.save("model.h5")
again = keras.models.load_model("model.h5")
""",
            at='"mse"',
            good="""\
from tensorflow import keras

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
model.compile(optimizer="sgd", loss="mean_squared_error", metrics=["mae"])
model.save("model.h5")
again = keras.models.load_model("model.h5")
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN, Way.H5),
                saved="model.h5",
                fails={Keras.V3: {Way.RUN: r"Could not deserialize 'keras\.metrics\.mse'"}},
            ),
            keras=_V3,
        ),
        Example(
            variant="renamed",
            bad="""\
import keras
from keras import Model, layers


class Trainer:
    def __init__(self, rate):
        self.model = self._build()
        self.model.compile(keras.optimizers.SGD(rate), 'logcosh')

    def _build(self):
        inputs = layers.Input((6,))
        return Model(inputs, layers.Dense(3)(inputs))

    def store(self, folder):
        self.model.save(folder + '/model.h5')


trainer = Trainer(0.1)
trainer.store(".")
model = keras.models.load_model("./model.h5")
""",
            at="'logcosh'",
            good="""\
import keras
from keras import Model, layers


class Trainer:
    def __init__(self, rate):
        self.model = self._build()
        self.model.compile(keras.optimizers.SGD(rate), 'log_cosh')

    def _build(self):
        inputs = layers.Input((6,))
        return Model(inputs, layers.Dense(3)(inputs))

    def store(self, folder):
        self.model.save(folder + '/model.h5')


trainer = Trainer(0.1)
trainer.store(".")
model = keras.models.load_model("./model.h5")
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN, Way.H5),
                saved="model.h5",
                fails={Keras.V3: {Way.RUN: "TypeError|ValueError"}},
            ),
            keras=_V3,
        ),
    )
    silent = (
        """\
# `.keras` keeps the function; a full name is known again, and so are metrics.
from tensorflow import keras

one = keras.Sequential()
one.compile("adam", loss="mse")
one.save("one.keras")
two = keras.Sequential()
two.compile("adam", loss="mean_squared_error", metrics=["mse"])
two.save("two.h5")
three = keras.Sequential()
three.compile("adam", loss="mse")
three.save("three.h5", include_optimizer=False)
""",
        """\
# Nothing is compiled again when it is loaded.
from tensorflow import keras

model = keras.Sequential()
model.compile("adam", "mse")
model.save("model.h5")
again = keras.models.load_model("model.h5", compile=False)
""",
        """\
# Another model is compiled so, and not the one that is saved.
from tensorflow import keras

trained = keras.Sequential()
trained.compile("adam", "mse")
model = keras.Sequential()
model.compile("adam", "huber")
model.save("model.h5")
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The losses of models that are saved to HDF5."""
        if _never_compiles(module):
            return
        for _, save in module.saves("save"):
            kept = places.literal(save.arguments.get(2, "include_optimizer")) is not False
            ends = save.path is not None and paths.ends_with(save.path.value, ".h5", ".hdf5")
            if not ends or not kept or not places.is_keras(save):
                continue
            for loss in _losses(module, save):
                name = paths.whole(loss.value) or ""
                if name in _NAMES:
                    yield self._found(module, save, loss, name)

    def _found(self, module: ModuleModel, save: SaveCall, loss: Argument, name: str) -> Finding:
        full = _NAMES[name]
        literal = places.last_literal(module, loss.node.value)
        edits: tuple[Edit, ...] = ()
        if literal is not None and name in module.text(literal):
            written = module.text(literal).replace(name, full)
            edits = (rewrite.replace(module, literal, written),)
        wrapped = name in {"logcosh", "kullback_leibler_divergence"}
        return self.finding(
            module,
            loss.node.value,
            f"the loss `{name}` cannot be loaded from HDF5 again",
            variant="renamed" if wrapped else "alias",
            labels=[(save.node, "saved to HDF5 here")],
            fix=Fix(f"call it `{full}`", Safety.SAFE if edits else Safety.DISPLAY, edits),
        )


def _losses(module: ModuleModel, save: SaveCall) -> Iterator[Argument]:
    """The losses with which the saved object is compiled, anywhere in the file."""
    instance = save.receiver
    seen: set[cst.Call] = set()
    for contact in (c for flow in module.flows for c in flow.all(Contact)):
        same = isinstance(instance, Instance) and contact.instance.node is instance.node
        if same and contact.how == "compile" and contact.node not in seen:
            seen.add(contact.node)
            loss = contact.arguments.get(1, "loss")
            if loss is not None:
                yield loss


def _never_compiles(module: ModuleModel) -> bool:
    """Whether the file loads models, and never compiles them again."""
    loads = [load for flow in module.flows for load in flow.all(LoadCall) if load.how == "model"]
    return bool(loads) and all(
        places.literal(load.arguments.get(2, "compile")) is False for load in loads
    )
