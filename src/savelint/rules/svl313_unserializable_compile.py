"""SVL313 unserializable-compile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.frozen import frozen
from savelint.keras.events import Argument, Arguments, Contact, Flow, LoadCall
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.saving import WholeSave, whole_saves
from savelint.keras.values import Const, Function, Partial, Value, elements
from savelint.rule import Example, Rule, Way, Witness

if TYPE_CHECKING:
    import libcst as cst

_NET = """\
import keras
import tensorflow as tf
from keras import layers


{definition}model = keras.Sequential([keras.Input([6]), layers.Dense(3)])
model.compile("sgd", {compiled})
model.save("{file}")
model = keras.models.load_model("{file}"{loaded})
"""
_SQUARES = "lambda y, p: tf.reduce_mean(tf.square(y - p))"
_SCALED = """\
def scaled(factor):
    def loss(y_true, y_pred):
        return factor * tf.reduce_mean(tf.square(y_true - y_pred))

    return loss


"""
_PARTIAL = """\
from functools import partial

from tensorflow import keras
from tensorflow.keras import losses
{more}

def build():
    model = keras.Sequential([keras.Input([6]), keras.layers.Dense(1)])
    model.compile(
        optimizer="sgd",
        loss={loss},
    )
    return model


model = build()
model.save("model.keras")
model = keras.models.load_model("model.keras")
"""
_REFUSED = {keras: {Way.RUN: "ValueError: Requested the deserialization of"} for keras in Keras}


@frozen
class _Compiled:
    """A function that a model is compiled with, and where; `alone` as the one loss."""

    argument: Argument
    function: Value
    alone: bool


class UnserializableCompile(Rule):
    """A model that is saved whole was compiled with a function that a file cannot hold.

    Consequence: `functools.partial` as a loss or metric makes `model.save` raise. A lambda, or
    a function that another function makes, is saved; `load_model` refuses the lambda and does
    not find the function. Keras 3 reads only a single loss of an `.h5` file, and loads one
    with such metrics. With `compile=False` the model loads, and is not compiled.

    Silent: a file whose loads are all given `compile=False` or `custom_objects`; a model that
    is saved without its optimizer, or compiled again before it is saved; functions of the
    module, which `custom_objects` can name.

    Fix: a registered `Loss` or `Metric` subclass with `get_config` is to be written by hand.
    """

    code = "SVL313"
    name = "unserializable-compile"
    since = "0.1"
    severity = {Keras.V2: Severity.WARNING, Keras.V3: Severity.WARNING}
    mentions = ("compile",)
    clues = (frozenset({"compile"}), frozenset({"save", "save_model", "ModelCheckpoint"}))
    examples = (
        Example(
            variant="lambda",
            bad=_NET.format(definition="", compiled=_SQUARES, file="model.keras", loaded=""),
            at=_SQUARES,
            good=_NET.format(
                definition="",
                compiled=_SQUARES,
                file="model.keras",
                loaded=", compile=False",
            ),
            witness=Witness(build="model", ways=(Way.RUN,), fails=_REFUSED),
            fixed=False,
        ),
        Example(
            variant="metric",
            bad=_NET.format(
                definition="",
                compiled=f'loss="mse", metrics=["mae", {_SQUARES}]',
                file="model.keras",
                loaded="",
            ),
            at=_SQUARES,
            good=_NET.format(
                definition="",
                compiled='loss="mse", metrics=["mae"]',
                file="model.keras",
                loaded="",
            ),
            witness=Witness(build="model", ways=(Way.RUN,), fails=_REFUSED),
            fixed=False,
        ),
        Example(
            variant="closure",
            bad=_NET.format(
                definition=_SCALED, compiled="scaled(2.0)", file="model.keras", loaded=""
            ),
            at="scaled(2.0)",
            good=_NET.format(
                definition=_SCALED,
                compiled="scaled(2.0)",
                file="model.keras",
                loaded=', custom_objects={"loss": scaled(2.0)}',
            ),
            witness=Witness(
                build="model",
                ways=(Way.RUN,),
                fails={keras: {Way.RUN: "TypeError: Could not locate"} for keras in Keras},
            ),
            fixed=False,
        ),
        Example(
            variant="partial",
            bad=_PARTIAL.format(
                more="", loss="partial(losses.binary_crossentropy, from_logits=True)"
            ),
            at="partial(losses.binary_crossentropy, from_logits=True)",
            good=_PARTIAL.format(more="", loss="losses.BinaryCrossentropy(from_logits=True)"),
            witness=Witness(
                build="model",
                ways=(Way.RUN,),
                fails={keras: {Way.RUN: "TypeError: Cannot serialize"} for keras in Keras},
            ),
            fixed=False,
        ),
    )
    silent = (
        """\
# A function of the module can be named where the model is loaded.
import tensorflow as tf
from tensorflow import keras

def squares(y, p):
    return tf.reduce_mean(tf.square(y - p))

model = keras.Sequential([keras.Input([6]), keras.layers.Dense(3)])
model.compile("sgd", squares, metrics=[keras.metrics.MeanAbsoluteError()])
model.save("model.keras")
""",
        """\
# It is compiled again, with a loss that has a name, before it is saved.
import keras

model = keras.Sequential([keras.Input([6]), keras.layers.Dense(3)])
model.compile("sgd", lambda y, p: y - p)
model.fit(x, y)
model.compile("sgd", "mean_squared_error")
model.save("model.keras")
""",
        """\
# Only its weights are kept; another model is saved.
import keras

model = keras.Sequential([keras.Input([6]), keras.layers.Dense(3)])
model.compile("sgd", lambda y, p: y - p)
checkpoint = keras.callbacks.ModelCheckpoint("best.weights.h5", save_weights_only=True)
model.fit(x, y, callbacks=[checkpoint])
model.save_weights("last.weights.h5")
other = keras.Sequential([keras.Input([6]), keras.layers.Dense(3)])
other.compile("sgd", "mean_squared_error")
other.save("other.keras")
""",
        """\
# The training is not written to the file; the name of the function is registered.
import keras

model = keras.Sequential([keras.Input([6]), keras.layers.Dense(3)])
model.compile("sgd", lambda y, p: y - p)
model.save("model.h5", include_optimizer=False)

def train():
    @keras.saving.register_keras_serializable()
    def loss(y, p):
        return y - p

    model = keras.Sequential([keras.Input([6]), keras.layers.Dense(3)])
    model.compile("sgd", loss)
    model.save("model.keras")
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """What each model was last compiled with before it is saved."""
        spared = _spared(module)
        for flow in module.scopes:
            for save in whole_saves(flow):
                for compiled in _compiled(flow, save):
                    kind = _kind(module, compiled.function)
                    refused = kind == "partial" or not spared
                    if kind and refused and _fails(module, save, compiled, kind):
                        yield self._found(module, save, compiled, kind)

    def _found(
        self, module: ModuleModel, save: WholeSave, compiled: _Compiled, kind: str
    ) -> Finding:
        what = {"partial": "a `partial`", "lambda": "a lambda"}.get(kind, "a function's function")
        when = "cannot be saved" if kind == "partial" else "is saved and cannot be loaded"
        node: cst.CSTNode = compiled.argument.node.value
        if isinstance(compiled.function, Function) and kind == "lambda":
            node = compiled.function.node
        return self.finding(
            module,
            node,
            f"the model is compiled with {what}, so that it {when}",
            variant="metric" if kind == "lambda" and not compiled.alone else kind,
            note="has no name by which it is found",
            labels=((save.node, "saved here"),),
            fix=Fix(
                "write a registered `Loss` or `Metric` with `get_config`"
                + ("" if kind == "partial" else ", or load with `compile=False`"),
                Safety.DISPLAY,
            ),
        )


def _compiled(flow: Flow, save: WholeSave) -> Iterator[_Compiled]:
    """The functions that the saved model was compiled with, the last time before."""
    if save.arguments.get(None, "include_optimizer") is not None:
        return
    last: Contact | None = None
    for event in flow.events:
        if event is save.event:
            break
        if isinstance(event, Contact) and event.how == "compile":
            last = event if event.instance.node is save.model.node else last
    if last is not None:
        yield from _functions(last.arguments)


def _functions(arguments: Arguments) -> Iterator[_Compiled]:
    loss = arguments.get(1, "loss")
    for argument in (loss, *(arguments.get(None, k) for k in ("metrics", "weighted_metrics"))):
        for value in elements(argument.value) if argument else ():
            if argument is not None and isinstance(value, (Function, Partial)):
                yield _Compiled(argument, value, argument is loss and value is argument.value)


def _kind(module: ModuleModel, function: Value) -> str:
    """What a function is; empty for one that its module can name."""
    if isinstance(function, Partial):
        return "partial"
    if not isinstance(function, Function) or not module.is_here(function.node):
        return ""
    if function.name == "<lambda>":
        return "lambda"
    plain = not getattr(function.node, "decorators", ())
    return "closure" if plain and module.function_of(function.node) is not None else ""


def _fails(module: ModuleModel, save: WholeSave, compiled: _Compiled, kind: str) -> bool:
    if kind == "partial":
        known = (".keras", ".h5") if module.keras is Keras.V2 else (".keras", ".h5", None)
        return save.suffix in known
    if module.keras is Keras.V2:
        return True
    return save.suffix in ((".keras", ".h5", None) if compiled.alone else (".keras",))


def _spared(module: ModuleModel) -> bool:
    """Whether all loads of the file, if there are any, leave out or name what was compiled."""
    loads = [load for flow in module.scopes for load in flow.all(LoadCall) if load.how == "model"]
    return bool(loads) and all(map(_is_spared, loads))


def _is_spared(load: LoadCall) -> bool:
    compiles = load.arguments.get(2, "compile")
    named = load.arguments.get(1, "custom_objects") is not None
    left_out = compiles is not None and compiles.value == Const(False)
    return named or left_out or load.arguments.is_open
