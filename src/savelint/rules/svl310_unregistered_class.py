"""SVL310 unregistered-class."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras.assembly import parts
from savelint.keras.events import Flow, LoadCall
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.saving import WholeSave, is_same_path, plain_loads, whole_saves
from savelint.keras.tables import Kind
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import registering

_MODEL = """\
import keras
import numpy as np
from keras import layers


{decorator}class Net(keras.Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(units)

    def call(self, inputs):
        return self.dense(inputs)

    def get_config(self):
        return {{**super().get_config(), "units": self.units}}


net = Net(4)
net(np.ones([2, 6], "float32"))
net.save("net.keras")
net = keras.models.load_model("net.keras")
"""
_LAYER = """\
import tensorflow as tf
from tensorflow import keras

PATH = "models/" + "net.keras"


{decorator}class Scale(keras.layers.Layer):
    def call(self, inputs):
        return 2.0 * inputs


def build():
    inputs = keras.Input([6])
    outputs = keras.layers.Dense(3)(Scale()(inputs))
    return keras.Model(inputs, outputs)


tf.io.gfile.makedirs("models")
model = build()
model.save(PATH)
model = keras.models.load_model(PATH)
"""
_STACK = """\
from tensorflow.keras.layers import Dense, Input, Layer
from tensorflow.keras.models import Sequential, load_model
{added}

{decorator}class Half(Layer):
    def call(self, inputs):
        return inputs / 2.0


model = Sequential()
model.add(Input([6]))
model.add(Half())
model.add(Dense(3))
model.save("model.h5")
model = load_model("model.h5")
"""
_SAVES = ("save", "save_model", "ModelCheckpoint")
_REASON = "what was saved before is found under its earlier name only"
_OTHERWISE = re.compile(
    r"\b(?:get_custom_objects|custom_object_scope|CustomObjectScope)\b"
    r"|register_keras_serializable\([^()]*\)\("
)


class _Trip(NamedTuple):
    """A model is saved whole and loaded again under the same path."""

    save: WholeSave
    load: LoadCall


class UnregisteredClass(Rule):
    """A class of the project is saved in a model and loaded where Keras does not know it.

    Consequence: a `.keras` or `.h5` file names the classes that it was made of. Where they are
    not registered and `load_model` is given no `custom_objects`, it raises, also in the process
    that saved the model. Keras 2 finds a subclassed model by its module, and layers in a
    SavedModel; a layer of a functional or sequential model it does not find.

    Silent: paths of which nothing tells that they are the same; models that no statement of
    the class's own file saves; the layers of a subclassed model, which its file does not name;
    classes with a decorator; files that use `get_custom_objects` or `custom_object_scope`.

    Fix: the decorator (unsafe: the class is saved under a new name).
    """

    code = "SVL310"
    name = "unregistered-class"
    since = "0.1"
    severity = {Keras.V2: Severity.WARNING, Keras.V3: Severity.WARNING}
    mentions = _SAVES
    clues = (frozenset(_SAVES),)
    examples = (
        Example(
            variant="model",
            bad=_MODEL.format(decorator=""),
            at="Net",
            good=_MODEL.format(decorator="@keras.saving.register_keras_serializable()\n"),
            witness=Witness(
                build="net",
                ways=(Way.RUN, Way.KERAS),
                saved="net.keras",
                fails={Keras.V3: {Way.RUN: "TypeError: Could not locate class 'Net'"}},
            ),
            keras=(Keras.V3,),
        ),
        Example(
            variant="layer",
            bad=_LAYER.format(decorator=""),
            at="Scale",
            good=_LAYER.format(decorator="@keras.utils.register_keras_serializable()\n"),
            witness=Witness(
                build="model",
                ways=(Way.RUN, Way.KERAS),
                saved="models/net.keras",
                fails={keras: {Way.RUN: "TypeError: "} for keras in Keras},
            ),
        ),
        Example(
            variant="layer-h5",
            bad=_STACK.format(decorator="", added=""),
            at="Half",
            good=_STACK.format(
                decorator="@utils.register_keras_serializable()\n",
                added="from tensorflow.keras import utils\n",
            ),
            witness=Witness(
                build="model",
                ways=(Way.RUN, Way.H5),
                saved="model.h5",
                fails={keras: {Way.RUN: "ValueError: Unknown layer"} for keras in Keras},
            ),
        ),
    )
    silent = (
        """\
# Named where it is loaded, registered by other means, or loaded from somewhere else.
import keras
from keras import layers

class Scale(layers.Layer):
    def call(self, inputs):
        return inputs * 2.0

def train():
    model = keras.Sequential([keras.Input([6]), Scale()])
    model.save("model.keras")
    return keras.models.load_model("model.keras", custom_objects={"Scale": Scale})

def convert(path):
    model = keras.Sequential([keras.Input([6]), Scale()])
    model.save("other.keras")
    return keras.models.load_model(path)
""",
        """\
# The scope names it.
import tensorflow as tf
from tensorflow import keras

class Scale(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2.0

model = keras.Sequential([keras.Input([6]), Scale()])
model.save("model.keras")
with keras.utils.custom_object_scope({"Scale": Scale}):
    model = keras.models.load_model("model.keras")
""",
        """\
# A file of a subclassed model does not name its layers; only weights are saved.
import keras
from keras import layers

class Scale(layers.Layer):
    def call(self, inputs):
        return inputs * 2.0

@keras.saving.register_keras_serializable()
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scale = Scale()

    def call(self, inputs):
        return self.scale(inputs)

net = Net()
net.save("net.keras")
net = keras.models.load_model("net.keras")
model = keras.Sequential([keras.Input([6]), Scale()])
model.save_weights("model.weights.h5")
model.load_weights("model.weights.h5")
""",
        """\
# A decorator of the project may register it.
import keras
from project import exported

@exported("Scale")
class Scale(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2.0

model = keras.Sequential([keras.Input([6]), Scale()])
model.save("model.keras")
model = keras.models.load_model("model.keras")
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each class without a decorator that a saved and loaded model is made of."""
        if _OTHERWISE.search(module.source.text):
            return
        for cls in module.classes:
            if cls.kind.is_layer and not cls.outline.node.decorators:
                trip = next(_trips(module, cls), None)
                if trip is not None:
                    yield self._found(module, cls, trip)

    def _found(self, module: ModuleModel, cls: KerasClass, trip: _Trip) -> Finding:
        is_model = cls.kind is Kind.MODEL and _is_itself(trip.save, cls)
        variant = "model" if is_model else "layer-h5" if trip.save.suffix == ".h5" else "layer"
        return self.finding(
            module,
            cls.outline.node.name,
            f"`{cls.name}` is not registered, and a model with it is loaded",
            variant=variant,
            note="not known to `load_model`",
            labels=((trip.save.node, "saved here"), (trip.load.node, "loaded here")),
            fix=_fix(module, cls),
        )


def _trips(module: ModuleModel, cls: KerasClass) -> Iterator[_Trip]:
    scopes = module.scopes
    saves = [s for flow in scopes for s in whole_saves(flow) if _names(module, flow, s, cls)]
    if not saves:
        return
    flows = (*scopes, *module.elsewhere.loads())
    for load in (load for flow in flows for load in plain_loads(flow)):
        path = load.arguments.get(0, "filepath", "filename")
        for save in saves:
            if is_same_path(module, save.path, path) and not _has_objects(module, load):
                yield _Trip(save, load)


def _has_objects(module: ModuleModel, load: LoadCall) -> bool:
    """Whether the file that loads may make classes known by other means."""
    return _OTHERWISE.search(module.source_of(load.node).text) is not None


def _names(module: ModuleModel, flow: Flow, save: WholeSave, cls: KerasClass) -> bool:
    """Whether the file that is saved names a class, and loading it does not find it."""
    if save.suffix not in {".keras", ".h5"}:
        return False
    if _is_itself(save, cls):
        return module.keras is Keras.V3 and save.suffix == ".keras"
    return any(layer.outline is cls.outline for layer in parts(flow, save.model))


def _is_itself(save: WholeSave, cls: KerasClass) -> bool:
    return save.model.outline is cls.outline


def _fix(module: ModuleModel, cls: KerasClass) -> Fix:
    node = cls.outline.node
    register = registering.decorator(module, rewrite.lines_of(module, node)[0])
    if register is None:
        return Fix("register it", Safety.DISPLAY)
    edits = (*register[1], rewrite.insert_before(module, node, register[0]))
    return Fix("register it", Safety.UNSAFE, edits, _REASON)
