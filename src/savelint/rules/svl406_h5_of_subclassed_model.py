"""SVL406 h5-of-subclassed-model."""

from __future__ import annotations

from collections.abc import Iterator

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import paths, saving
from savelint.keras.events import SaveCall
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.tables import Kind
from savelint.keras.values import ClassOutline
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import places

_HEAD = """\
import tensorflow as tf
from tensorflow import keras


@keras.utils.register_keras_serializable()
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)


"""


class H5OfSubclassedModel(Rule):
    """A subclassed Model is saved whole to HDF5.

    Consequence: HDF5 keeps the layers of a functional or Sequential model, and a subclassed
    one has none that it could keep. Keras 2 refuses; Keras 3 writes a file that it cannot
    load.

    Silent: functional and Sequential models, and classes that hand `inputs` and `outputs`
    to `super().__init__`; a class that has a `save` of its own; weights alone.

    Fix: end the name in `.keras`, there and where the file loads it (unsafe: other code may
    know the file by its old name).
    """

    code = "SVL406"
    name = "h5-of-subclassed-model"
    since = "0.1"
    severity = {Keras.V3: Severity.ERROR, Keras.V2: Severity.ERROR}
    mentions = ("save",)
    clues = (frozenset({"save", "save_model"}),)
    examples = (
        Example(
            variant="subclass",
            bad=_HEAD
            + """\
def train(path):
    net = Net()
    net(tf.ones((4, 6)))
    net.save(filepath=f"{path}.h5")
    return net


net = train("net")
model = keras.models.load_model("net.h5", custom_objects={"Net": Net})
""",
            at='f"{path}.h5"',
            good=_HEAD
            + """\
def train(path):
    net = Net()
    net(tf.ones((4, 6)))
    net.save(filepath=f"{path}.keras")
    return net


net = train("net")
model = keras.models.load_model("net.keras", custom_objects={"Net": Net})
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN, Way.KERAS),
                saved="net.keras",
                fails={
                    Keras.V3: {Way.RUN: r"\w+Error"},
                    Keras.V2: {Way.RUN: "Saving the model to HDF5 format requires"},
                },
            ),
        ),
    )
    silent = (
        """\
# These have layers that HDF5 can keep; weights can always be kept.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def __init__(self):
        inputs = keras.Input((6,))
        super().__init__(inputs=inputs, outputs=keras.layers.Dense(3)(inputs))

class Stack(keras.Sequential):
    pass

class Plain(keras.Model):
    def call(self, inputs):
        return inputs

Net().save("net.h5")
Stack().save("stack.h5")
keras.Sequential().save("model.h5")
plain = Plain()
plain(tf.ones((4, 6)))
plain.save_weights("plain.weights.h5")
plain.save("plain.keras")
""",
        """\
# It saves itself in a way of its own, and what an annotation says may be functional.
from tensorflow import keras

class Net(keras.Model):
    def save(self, path):
        self.save_weights(path)

def store(model: keras.Model):
    model.save("model.h5")

Net().save("net.weights.h5")
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The saves of subclassed models to HDF5."""
        for _, save in module.saves("save"):
            outline = _subclass(module, save)
            path = save.path
            if outline is None or path is None or not places.is_keras(save):
                continue
            if paths.ends_with(path.value, ".h5", ".hdf5"):
                old = ".h5" if paths.ends_with(path.value, ".h5") else ".hdf5"
                edits = places.renamed(module, save, old, ".keras", "model")
                fix = Fix("save it as `.keras`", Safety.UNSAFE, edits, places.OTHERS)
                yield self.finding(
                    module,
                    path.node.value,
                    f"`{outline.name}` is a subclassed Model, which HDF5 cannot hold",
                    variant="subclass",
                    severity=places.severity(path, self.severity[module.keras]),
                    fix=fix if edits else Fix("save it as `.keras`", Safety.DISPLAY),
                )


def _subclass(module: ModuleModel, save: SaveCall) -> ClassOutline | None:
    """The class of a model that is certainly neither functional nor Sequential."""
    outline = getattr(save.receiver, "outline", None)
    if not isinstance(outline, ClassOutline) or outline.kind is not Kind.MODEL:
        return None
    cls = module.class_of_outline(outline)
    return outline if cls is not None and not saving.is_functional(cls) else None
