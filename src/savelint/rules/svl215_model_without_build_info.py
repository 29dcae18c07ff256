"""SVL215 model-without-build-info."""

from __future__ import annotations

from collections.abc import Iterator

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import saving
from savelint.keras.events import Contact, Flow, SelfContact, WeightCall
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import WEIGHTLESS, Kind
from savelint.keras.values import Instance, elements, literal_dimensions
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import lineage

_LOST = {Keras.V3: {Way.WEIGHTS: "DIFF: other outputs"}}
_V3 = (Keras.V3,)
_REASON = "the input may be of another dtype, or one of several"


class ModelWithoutBuildInfo(Rule):
    """`model.build(shape)` of a class without `build` creates no weights to load into.

    Consequence: in Keras 3 `build` of a subclassed Model marks the model as built and
    leaves its layers as they are. `load_weights` then finds nothing to fill and says
    nothing: the first call draws new weights, and the answers are those of an untrained
    model. Without the `build` it raises. Keras 2 builds the layers and loads them.

    Silent: a class that defines `build`, builds itself or its layers, or makes weights of
    its own; functional and Sequential models; a model that was called, fitted or handed on
    in between; a class one of whose bases is out of sight.

    Fix: call the model on a `keras.Input` of that shape instead (unsafe: its inputs may be
    of another dtype, or several). Shown only where the shape is not literal.
    """

    code = "SVL215"
    name = "model-without-build-info"
    since = "0.1"
    severity = {Keras.V3: Severity.WARNING}
    mentions = ("load_weights",)
    clues = (frozenset({"build"}), frozenset({"load_weights"}))
    examples = (
        Example(
            variant="script",
            bad="""\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden = keras.layers.Dense(4, activation="tanh")
        self.dense = keras.layers.Dense(3)

    def call(self, inputs, training=None):
        return self.dense(self.hidden(inputs))


trained = Net()
trained(tf.ones((4, 6)))
trained.save_weights("trained.weights.h5")

net = Net()
net.build((None, 6))
net.load_weights("trained.weights.h5")
""",
            at="net.build((None, 6))",
            good="""\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden = keras.layers.Dense(4, activation="tanh")
        self.dense = keras.layers.Dense(3)

    def call(self, inputs, training=None):
        return self.dense(self.hidden(inputs))


trained = Net()
trained(tf.ones((4, 6)))
trained.save_weights("trained.weights.h5")

net = Net()
net(keras.Input((6,)))
net.load_weights("trained.weights.h5")
""",
            witness=Witness(
                build="net", ways=(Way.WEIGHTS,), saved="trained.weights.h5", fails=_LOST
            ),
            keras=_V3,
        ),
        Example(
            variant="function",
            bad="""\
import keras
import numpy as np
from keras import layers


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [layers.Dense(4), layers.Dense(3)]

    def call(self, inputs):
        for block in self.blocks:
            inputs = block(inputs)
        return inputs


def load(path, sample):
    net = Net()
    net.build(input_shape=sample.shape)
    net.load_weights(path)
    return net


sample = np.ones((4, 6), "float32")
trained = Net()
trained(sample)
trained.save_weights("trained.weights.h5")
net = load("trained.weights.h5", sample)
""",
            at="net.build(input_shape=sample.shape)",
            good="""\
import keras
import numpy as np
from keras import layers


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [layers.Dense(4), layers.Dense(3)]

    def call(self, inputs):
        for block in self.blocks:
            inputs = block(inputs)
        return inputs


def load(path, sample):
    net = Net()
    net(sample)
    net.load_weights(path)
    return net


sample = np.ones((4, 6), "float32")
trained = Net()
trained(sample)
trained.save_weights("trained.weights.h5")
net = load("trained.weights.h5", sample)
""",
            witness=Witness(
                build="net", ways=(Way.WEIGHTS,), saved="trained.weights.h5", fails=_LOST
            ),
            keras=_V3,
            fixed=False,
        ),
    )
    silent = (
        """\
# The class builds its layers, or itself.
from tensorflow import keras


class Builder(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, inputs):
        return self.dense(inputs)


class Early(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)
        self.dense.build((None, 6))

    def call(self, inputs):
        return self.dense(inputs)


class Known(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)
        self(keras.Input((6,)))

    def call(self, inputs):
        return self.dense(inputs)


for kind in (Builder, Early, Known):
    kind().build((None, 6))
builder = Builder()
builder.build((None, 6))
builder.load_weights("path.weights.h5")
early = Early()
early.build((None, 6))
early.load_weights("path.weights.h5")
known = Known()
known.build((None, 6))
known.load_weights("path.weights.h5")
""",
        """\
# The model is called in between, or handed to what may call it; or never loaded.
import numpy as np
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)


def called(path):
    net = Net()
    net.build((None, 6))
    net(np.ones((4, 6), "float32"))
    net.load_weights(path)
    return net


def fitted(data, path):
    net = Net()
    net.compile("sgd", "mse")
    net.build((None, 6))
    net.fit(data, epochs=0)
    net.load_weights(path)
    return net


def handed(prepare, path):
    net = Net()
    net.build((None, 6))
    prepare(net)
    net.load_weights(path)
    return net


def fresh():
    net = Net()
    net.build((None, 6))
    return net
""",
        """\
# A Sequential model builds its layers, and so may a base class out of sight.
from tensorflow import keras
from elsewhere import Base


class Chain(keras.Sequential):
    def __init__(self, layers=None, name=None):
        super().__init__(layers or [keras.layers.Dense(3)], name=name)


class Net(Base, keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)


def load(path):
    chain = Chain()
    chain.build((None, 6))
    chain.load_weights(path)
    net = Net()
    net.build((None, 6))
    net.load_weights(path)
    return chain, net
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Models that are built and loaded, and nothing else before."""
        for flow in module.scopes:
            for load in flow.all(Contact):
                cls = module.class_of(load.instance) if load.how == "load_weights" else None
                if cls is None or not _stays_empty(module, cls):
                    continue
                build = _only_build(flow, load)
                if build is not None:
                    yield self.finding(
                        module,
                        build.node,
                        f"`build` of a `{cls.name}` creates no weights: the class defines none",
                        variant="script" if module.function_of(build.node) is None else "function",
                        labels=[(load.node, "nothing is loaded here")],
                        fix=_fix(module, build),
                    )


def _only_build(flow: Flow, load: Contact) -> Contact | None:
    """The `build` of a model that nothing else has used before its weights are loaded."""
    build: Contact | None = None
    for event in flow.all(Contact):
        if event is load:
            break
        if event.instance.node is not load.instance.node or event.how in {"compile", "summary"}:
            continue
        if event.how != "build":
            return None
        build = event
    return build


def _stays_empty(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether Keras' own `build` leaves layers of a subclassed Model without weights."""
    outline = cls.outline
    if cls.kind is not Kind.MODEL or not outline.is_whole or outline.definer("build") is not None:
        return False
    if any(_builds(part) for part in lineage.ancestry(module, cls)):
        return False
    held = [value for store in cls.stores("__init__") for value in elements(store.value)]
    return any(isinstance(value, Instance) and _has_weights(value) for value in held)


# What happens to a layer in a constructor and leaves it with weights, or may do so.
_BUILDING = frozenset({"build", "call", "passed"})


def _builds(cls: KerasClass) -> bool:
    """Whether the constructor leaves the model or a layer of it with weights, or may do so."""
    used = (SelfContact, Contact, WeightCall)
    events = cls.flow("__init__").events
    done = any(isinstance(e, used) and getattr(e, "how", "build") in _BUILDING for e in events)
    return done or saving.builds_itself(cls)


def _has_weights(layer: Instance) -> bool:
    kind = layer.kind is Kind.LAYER and layer.name.startswith("keras.layers.")
    return kind and layer.name.rpartition(".")[2] not in WEIGHTLESS


def _fix(module: ModuleModel, build: Contact) -> Fix:
    """Call the model on a symbolic input in the place of `build`."""
    shown = Fix("call it on a batch, or on a `keras.Input`, before loading", Safety.DISPLAY)
    argument = build.arguments.get(0, "input_shape")
    shape = literal_dimensions(argument.value) if argument else None
    found = rewrite.spell(module, "keras.Input")
    if not shape or len(shape) < 2 or found is None:
        return shown
    name, imports = found
    model = module.text(build.node.func).rpartition(".")[0]
    inner = ", ".join(map(str, shape[1:])) + ("," if len(shape) == 2 else "")
    edits = (*imports, rewrite.replace(module, build.node, f"{model}({name}(({inner})))"))
    return Fix("call it on an input of that shape instead", Safety.UNSAFE, edits, _REASON)
