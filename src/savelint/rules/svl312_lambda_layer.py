"""SVL312 lambda-layer."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import clues
from savelint.keras.assembly import creation, parts
from savelint.keras.events import Argument, Arguments
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.saving import WholeSave, whole_saves
from savelint.keras.values import Function, Instance, Value, literal
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import registering

if TYPE_CHECKING:
    import libcst as cst

_LAMBDA = "keras.layers.Lambda"
_REFUSED = "ValueError: Requested the deserialization of a .?Lambda"
_LAYER = """\
import keras
from keras import layers


def tower(inputs):
    return layers.Dense(4)(inputs)


inputs = keras.Input([6])
hidden = tower(inputs)
{head}# twice as much
x = layers.Lambda({function}, name="doubled")(hidden)
model = keras.Model(inputs, layers.Dense(3)(x))
model.save("model.h5")
"""
_CLOSURE = """\
import keras
from keras import layers


{head}def build(factor):
    inputs = keras.Input([6])
    hidden = layers.Dense(4)(inputs)
    return keras.Model(inputs, {layer}(hidden))


model = build(2.0)
model.save("model.keras")
"""
_TIMES = """\
@keras.utils.register_keras_serializable()
class Times(layers.Layer):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


"""
_ACTIVATION = """\
import tensorflow as tf
from tensorflow.keras import Sequential, layers


{head}def build():
    return Sequential(
        [
            layers.Input([6]),
            layers.Dense(4, activation={function}),
            layers.Dense(3),
        ]
    )


model = build()
model.save("model.keras")
"""
_NAMED = """\
import tf_keras
from tf_keras.layers import Dense, Input, {layer}


{definition}inputs = Input([6])
outputs = Dense(3)({made}(inputs))
model = tf_keras.Model(inputs, outputs)
model.save("model.keras")
"""
_SQUARE = """\
def square(x):
    return x * x


"""
_SQUARE_LAYER = """\
@tf_keras.utils.register_keras_serializable()
class Square(Layer):
    def call(self, inputs):
        return inputs * inputs


"""
_DOUBLED = """\


@keras.saving.register_keras_serializable()
def doubled(x):
    return x * 2.0


"""
_ACTIVATED = """\
@tf.keras.utils.register_keras_serializable()
def activation(x):
    return tf.nn.relu(x) * 2.0


"""
_SCRIPT = (Way.RUN, Way.KERAS)
_TRUSTED = re.compile(r"\bsafe_mode\s*=\s*False|\benable_unsafe_deserialization\b")
_REASON = "models saved before hold the lambda, which stays refused"


class LambdaLayer(Rule):
    """A model that is saved whole holds a lambda: loading refuses it, or does not find it.

    Consequence: a `Lambda` layer of a Python lambda is written as byte code, which `load_model`
    refuses unless it is told that the file is safe; Keras 2 refuses it in `.keras` alone, and
    there a `Lambda` layer of any function. A lambda as an activation, an initializer, a
    regularizer or a constraint cannot be loaded from `.keras` and `.h5` in either generation.

    Silent: the layers of a subclassed model or layer, which are made anew; models of which the
    file saves weights only, or which it exports; a file that loads with `safe_mode=False`;
    a path in Keras 2 that does not tell the format.

    Fix: in Keras 3 the lambda becomes a registered function of the module, where it reads
    nothing but its arguments and what the module names above it (unsafe: what was saved before
    does not load under its name). A `Lambda` layer of Keras 2, or one that reads more, needs a
    `Layer` subclass, which is left to the reader.
    """

    code = "SVL312"
    name = "lambda-layer"
    since = "0.1"
    severity = {Keras.V2: Severity.WARNING, Keras.V3: Severity.WARNING}
    mentions = ("lambda", "Lambda")
    clues = (
        frozenset({clues.CLOSURE, "Lambda"}),
        frozenset({"save", "save_model", "ModelCheckpoint"}),
    )
    examples = (
        Example(
            variant="layer",
            bad=_CLOSURE.format(head="", layer="layers.Lambda(lambda x: x * factor)"),
            at="lambda x: x * factor",
            good=_CLOSURE.format(head=_TIMES, layer="Times(factor)"),
            witness=Witness(
                build="model",
                ways=_SCRIPT,
                saved="model.keras",
                fails={keras: {Way.KERAS: _REFUSED} for keras in Keras},
            ),
            fixed=False,
        ),
        Example(
            variant="layer-h5",
            bad=_LAYER.format(head="", function="lambda x: x * 2.0"),
            at="lambda x: x * 2.0",
            good=_LAYER.format(head=_DOUBLED, function="doubled"),
            witness=Witness(
                build="model",
                ways=(Way.RUN, Way.H5),
                saved="model.h5",
                fails={Keras.V3: {Way.H5: _REFUSED}},
            ),
            keras=(Keras.V3,),
        ),
        Example(
            variant="argument",
            bad=_ACTIVATION.format(head="", function="lambda x: tf.nn.relu(x) * 2.0"),
            at="lambda x: tf.nn.relu(x) * 2.0",
            good=_ACTIVATION.format(head=_ACTIVATED, function="activation"),
            witness=Witness(
                build="model",
                ways=_SCRIPT,
                saved="model.keras",
                fails={keras: {Way.KERAS: "TypeError: "} for keras in Keras},
            ),
        ),
        Example(
            variant="named",
            bad=_NAMED.format(layer="Lambda", definition=_SQUARE, made="Lambda(square)"),
            at="square",
            good=_NAMED.format(layer="Layer", definition=_SQUARE_LAYER, made="Square()"),
            witness=Witness(
                build="model",
                ways=_SCRIPT,
                saved="model.keras",
                fails={Keras.V2: {Way.KERAS: _REFUSED}},
            ),
            keras=(Keras.V2,),
            fixed=False,
        ),
    )
    silent = (
        """\
# The layers of a subclassed model are made anew when it is loaded.
import keras
from keras import layers

@keras.saving.register_keras_serializable()
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.double = layers.Lambda(lambda x: x * 2.0)
        self.tower = keras.Sequential([layers.Dense(3, activation=lambda x: x * 2.0)])

    def call(self, inputs):
        return self.tower(self.double(inputs))

net = Net()
net.save("net.keras")
""",
        """\
# Only its weights are saved, or it is exported.
import keras
from keras import layers

inputs = keras.Input([6])
model = keras.Model(inputs, layers.Lambda(lambda x: x * 2.0)(inputs))
model.compile("sgd", "mse")
model.fit(data, callbacks=[keras.callbacks.ModelCheckpoint("x.weights.h5", save_weights_only=True)])
model.save_weights("model.weights.h5")
model.export("exported")
""",
        """\
# The file is trusted where it is loaded.
from tensorflow import keras
from tensorflow.keras import layers

inputs = keras.Input([6])
model = keras.Model(inputs, layers.Lambda(lambda x: x * 2.0)(inputs))
model.save("model.keras")
model = keras.models.load_model("model.keras", safe_mode=False)
""",
        """\
# Another model of the same place holds it, and is never saved; a lambda that no layer holds.
import keras
from keras import layers

inputs = keras.Input([6])
hidden = layers.Dense(3)(inputs)
shown = layers.Lambda(lambda x: x * 2.0)(hidden)
model = keras.Model(inputs, hidden)
viewer = keras.Model(inputs, shown)
data = map(lambda row: row[0], rows)
model.fit(data, callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (1 + epoch))])
model.save("model.keras")
""",
        """\
# A file of the project's own format may not hold it.
import keras
from keras import layers
from project import Store

inputs = keras.Input([6])
model = keras.Model(inputs, layers.Lambda(lambda x: x * 2.0)(inputs))
store = Store(model)
store.save("model.keras")
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The lambdas in what is saved whole."""
        if _TRUSTED.search(module.source.text):
            return
        for flow in module.scopes:
            for save in whole_saves(flow):
                for layer in parts(flow, save.model):
                    made = creation(flow, layer)
                    if made is not None and _is_own(module, layer):
                        yield from self._in_layer(module, save, layer, made.arguments)

    def _in_layer(
        self, module: ModuleModel, save: WholeSave, layer: Instance, arguments: Arguments
    ) -> Iterator[Finding]:
        is_h5 = save.suffix == ".h5"
        function = arguments.get(0, "function") if layer.name.endswith(".Lambda") else None
        for argument in arguments.items:
            is_lambda = _is_lambda(argument.value)
            if argument is function:
                if not _is_refused(module, save, is_lambda=is_lambda):
                    continue
                variant = "named" if not is_lambda else "layer-h5" if is_h5 else "layer"
            elif is_lambda and _is_lost(module, save):
                variant = "argument"
            else:
                continue
            name = _name(layer, argument, arguments)
            yield self._found(module, save, argument, variant, name)

    def _found(
        self, module: ModuleModel, save: WholeSave, argument: Argument, variant: str, name: str
    ) -> Finding:
        value = argument.value
        node = value.node if isinstance(value, Function) and _is_lambda(value) else None
        what = "a `Lambda` layer" if variant == "named" else "a lambda"
        return self.finding(
            module,
            node or argument.node.value,
            f"the model is saved with {what} in it, which loading refuses",
            variant=variant,
            note="" if variant == "named" else "written as byte code",
            labels=((save.node, "saved here"),),
            fix=_fix(
                module,
                node,
                name,
                can_be_named=variant == "argument"
                and (module.keras is Keras.V3 or save.suffix == ".keras"),
            ),
        )


def _is_own(module: ModuleModel, layer: Instance) -> bool:
    """Whether this file makes it, of a class of Keras' own."""
    plain = layer.outline is None and layer.name.startswith("keras.layers.")
    return plain and module.is_here(layer.node)


def _name(layer: Instance, argument: Argument, arguments: Arguments) -> str:
    """What the function can be called: as the layer, or as the argument."""
    given = arguments.get(None, "name")
    name = literal(given.value) if given else ""
    if isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name):
        return name
    if layer.name.endswith((".Lambda", ".Activation")) or argument.keyword is None:
        return "transform" if layer.name.endswith(".Lambda") else "activation"
    return argument.keyword.rpartition("_")[2]


def _is_lambda(value: Value) -> bool:
    return isinstance(value, Function) and value.name == "<lambda>"


def _is_refused(module: ModuleModel, save: WholeSave, *, is_lambda: bool) -> bool:
    """Whether a `Lambda` layer is refused when the file is loaded."""
    if module.keras is Keras.V2:
        return save.suffix == ".keras"
    return is_lambda and save.suffix != ""


def _is_lost(module: ModuleModel, save: WholeSave) -> bool:
    """Whether a lambda that is an argument of a layer cannot be loaded."""
    return save.suffix in {".keras", ".h5"} or (save.suffix is None and module.keras is Keras.V3)


def _fix(
    module: ModuleModel, node: cst.FunctionDef | cst.Lambda | None, name: str, *, can_be_named: bool
) -> Fix:
    if node is None or not (can_be_named or module.keras is Keras.V3):
        return Fix("put a registered `Layer` subclass in its place", Safety.DISPLAY)
    edits = registering.lifted(module, node, name)
    if edits is not None:
        return Fix("make it a registered function", Safety.UNSAFE, edits, _REASON)
    return Fix("put a registered function of the module in its place", Safety.DISPLAY)
