"""SVL210 reserved-attribute."""

from __future__ import annotations

from collections.abc import Iterator

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import clues, reserved
from savelint.keras.events import AttributeStore, SuperCall
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Kind
from savelint.keras.values import Argument, ClassOutline, Const, Seq, Spec
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import rebuilding, weight_calls

_RAISES = dict.fromkeys(Witness.ways, "AttributeError")
# For layers that have nothing to train.
_UNTRAINED = (Way.CALL, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS)
_V2 = (Keras.V2,)
_V3 = (Keras.V3,)
# Bases that define no attribute of their own.
_CONFIG = """\

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()
"""


class ReservedAttribute(Rule):
    """An attribute that Keras computes cannot be assigned.

    Consequence: AttributeError as soon as the statement runs: in the constructor, or, in
    `call`, when the layer is used first. Which names these are differs: `name` and
    `input_shape` are read-only in Keras 2 only, `inputs` and `outputs` in functional models
    of Keras 3, `metrics`, `losses`, `weights` and `dtype` in both. A subclassed model of Keras 2
    takes `inputs`, and is then not built when it is loaded from `.keras`, which raises: a
    warning.

    Silent: properties with a setter, such as `trainable` and `input_spec`; a class that
    defines the name itself, or one of whose bases is out of sight; a statement in a `try`,
    or under a test of the version.

    Fix: shown only, since readers of the attribute must be renamed too.
    """

    code = "SVL210"
    name = "reserved-attribute"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = tuple(sorted(reserved.EVERY))
    clues = (frozenset({clues.RESERVED_ATTRIBUTE}),)
    examples = (
        Example(
            variant="metrics",
            bad=f"""\
from tensorflow import keras


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)
        self.metrics = []

    def call(self, inputs):
        return self.dense(inputs)
{_CONFIG}""",
            at="self.metrics",
            good=f"""\
from tensorflow import keras


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)
        self.own_metrics = []

    def call(self, inputs):
        return self.dense(inputs)
{_CONFIG}""",
            witness=Witness(build="Net()", fails=dict.fromkeys(Keras, _RAISES)),
            fixed=False,
        ),
        Example(
            variant="layers",
            bad=f"""\
import tensorflow as tf


class Stack(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.layers = [tf.keras.layers.Dense(3)]

    def call(self, inputs):
        return self.layers[0](inputs)
{_CONFIG}""",
            at="self.layers",
            good=f"""\
import tensorflow as tf


class Stack(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [tf.keras.layers.Dense(3)]

    def call(self, inputs):
        return self.blocks[0](inputs)
{_CONFIG}""",
            witness=Witness(build="Stack()", fails=dict.fromkeys(Keras, _RAISES)),
            fixed=False,
        ),
        Example(
            variant="weights",
            bad="""\
import tensorflow as tf
from tensorflow.keras import layers


class Gate(layers.Layer):
    def call(self, inputs):
        self.weights = tf.nn.softmax(inputs)
        return inputs * self.weights
""",
            at="self.weights",
            good="""\
import tensorflow as tf
from tensorflow.keras import layers


class Gate(layers.Layer):
    def call(self, inputs):
        weights = tf.nn.softmax(inputs)
        return inputs * weights
""",
            witness=Witness(
                build="Gate()",
                ways=_UNTRAINED,
                fails=dict.fromkeys(Keras, dict.fromkeys(_UNTRAINED, "AttributeError")),
            ),
            fixed=False,
        ),
        Example(
            variant="dtype",
            bad="""\
import keras


class Scale(keras.layers.Layer):
    def __init__(self, dtype="float32", **kwargs):
        super().__init__(**kwargs)
        self.dtype = dtype

    def call(self, inputs):
        return inputs * 2.0
""",
            at="self.dtype",
            good="""\
import keras


class Scale(keras.layers.Layer):
    def __init__(self, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, **kwargs)

    def call(self, inputs):
        return inputs * 2.0
""",
            witness=Witness(
                build="Scale()",
                ways=_UNTRAINED,
                fails=dict.fromkeys(Keras, dict.fromkeys(_UNTRAINED, "AttributeError")),
            ),
            fixed=False,
        ),
        Example(
            variant="name",
            bad="""\
import tensorflow as tf
from tensorflow.keras.layers import Dense, Layer


class Block(Layer):
    def __init__(self, name="block", **kwargs):
        super(Block, self).__init__(**kwargs)
        self.name = name
        self.dense = Dense(3)

    def call(self, inputs):
        return self.dense(inputs)
""",
            at="self.name",
            good="""\
import tensorflow as tf
from tensorflow.keras.layers import Dense, Layer


class Block(Layer):
    def __init__(self, name="block", **kwargs):
        super(Block, self).__init__(name=name, **kwargs)
        self.dense = Dense(3)

    def call(self, inputs):
        return self.dense(inputs)
""",
            witness=Witness(build="Block()", fails={Keras.V2: _RAISES}),
            keras=_V2,
            fixed=False,
        ),
        Example(
            variant="input_shape",
            bad="""\
import tf_keras as keras


class Flat(keras.layers.Layer):
    def build(self, input_shape):
        self.input_shape = input_shape

    def call(self, inputs):
        return inputs * 2.0
""",
            at="self.input_shape",
            good="""\
import tf_keras as keras


class Flat(keras.layers.Layer):
    def build(self, input_shape):
        self.shape_of_input = input_shape

    def call(self, inputs):
        return inputs * 2.0
""",
            witness=Witness(
                build="Flat()",
                ways=_UNTRAINED,
                fails={Keras.V2: dict.fromkeys(_UNTRAINED, "AttributeError")},
            ),
            keras=_V2,
            fixed=False,
        ),
        Example(
            variant="functional",
            bad=f"""\
import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        inputs = keras.Input((6,))
        outputs = keras.layers.Dense(3)(inputs)
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)
        self.outputs = outputs
{_CONFIG}""",
            at="self.outputs",
            good=f"""\
import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        inputs = keras.Input((6,))
        outputs = keras.layers.Dense(3)(inputs)
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)
{_CONFIG}""",
            witness=Witness(
                build="Net()",
                fails={Keras.V3: _RAISES, Keras.V2: dict.fromkeys(Witness.ways, "TypeError")},
            ),
            keras=_V3,
            fixed=False,
        ),
        Example(
            variant="inputs",
            bad="""\
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inputs = 6
        self.head = tf.keras.layers.Dense(3)

    def call(self, inputs):
        return self.head(inputs)
""",
            at="self.inputs",
            good="""\
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.input_size = 6
        self.head = tf.keras.layers.Dense(3)

    def call(self, inputs):
        return self.head(inputs)
""",
            witness=Witness(
                build="Net()",
                trains=2,
                fails={Keras.V2: {Way.KERAS: "ValueError: Layer .* expected 0 variables"}},
            ),
            keras=_V2,
            fixed=False,
        ),
        Example(
            variant="kernel",
            bad="""\
import keras


class Masked(keras.layers.Dense):
    def build(self, input_shape):
        super().build(input_shape)
        self.kernel = self.kernel * 0.5
""",
            at="self.kernel",
            good="""\
import keras


class Masked(keras.layers.Dense):
    def build(self, input_shape):
        super().build(input_shape)
        self.kernel.assign(self.kernel * 0.5)
""",
            witness=Witness(build="Masked(3)", ways=(Way.CALL,), fails={Keras.V3: _RAISES}),
            keras=_V3,
            fixed=False,
        ),
    )
    silent = (
        """\
# These properties have setters, or are no properties.
from tensorflow import keras


class Free(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.trainable = False
        self.supports_masking = True
        self.stateful = True
        self.input_spec = keras.layers.InputSpec(ndim=2)
        self.layers = [keras.layers.Dense(3)]
        self.inputs = None

    def call(self, inputs):
        return inputs
""",
        """\
# The class says itself what the name is.
from tensorflow import keras


class Own(keras.Model):
    losses = None

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.metrics = []
        self.losses = {}

    @property
    def metrics(self):
        return self._own

    @metrics.setter
    def metrics(self, value):
        self._own = value

    def call(self, inputs):
        return inputs


class Child(Own):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.metrics = [1]
""",
        """\
# Other objects, a base class that may define it, and what is tried only.
from tensorflow import keras
from elsewhere import Base


class Holder(Base, keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.losses = []

    def call(self, inputs):
        return inputs


class Careful(keras.Model):
    def __init__(self, child, **kwargs):
        super().__init__(**kwargs)
        child.metrics = []
        self.child = child
        self.child.losses = []
        try:
            self.metrics = []
        except AttributeError:
            self._own = []
        if not hasattr(self, "losses"):
            self.losses = []
        if self.name is None:
            self.name = "careful"

    def call(self, inputs):
        return inputs

    def get_config(self):
        config = super().get_config()
        config.update({"child": keras.layers.serialize(self.child)})
        return config

    @classmethod
    def from_config(cls, config):
        config["child"] = keras.layers.deserialize(config["child"])
        return cls(**config)


class Plain:
    def __init__(self):
        self.metrics = []
        self.weights = []


class Score(keras.metrics.Metric):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.losses = []
""",
        """\
# None is what Keras 3 has there itself.
import keras


class Stored(keras.layers.Layer):
    def __init__(self, path=None, **kwargs):
        super().__init__(**kwargs)
        self.path = path
        self.quantization_mode = None

    def call(self, inputs):
        return inputs
""",
        """\
# Before it has its inputs and outputs a model is not functional.
import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        inputs = keras.Input((6,))
        self.outputs = keras.layers.Dense(3)(inputs)
        super().__init__(inputs=inputs, outputs=self.outputs, **kwargs)


class Held(keras.Model):
    def __init__(self, **kwargs):
        self.inputs = keras.Input((6,))
        outputs = keras.layers.Dense(3)(self.inputs)
        super().__init__(self.inputs, outputs, **kwargs)
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The first assignment of each reserved name in a class."""
        for cls in module.classes:
            if not cls.kind.is_layer or not _is_in_sight(cls.outline):
                continue
            seen: set[str] = set()
            for store in _reserved(module, cls):
                if store.name in seen or _is_guarded(module, store):
                    continue
                seen.add(store.name)
                unbuilt = _unbuilds(module, cls, store)
                what = "keeps the model from being built when it is loaded"
                yield self.finding(
                    module,
                    store.target,
                    f"`self.{store.name}` of `{cls.name}` "
                    + (what if unbuilt else f"is a read-only property of Keras {module.keras:d}"),
                    variant="inputs" if unbuilt else _variant(module, store.name),
                    severity=Severity.WARNING if unbuilt else None,
                    fix=Fix(f"rename it: `self.{_free(store.name)}`", Safety.DISPLAY),
                )


def _is_in_sight(outline: ClassOutline) -> bool:
    """Whether all that a class inherits is in sight, and nothing of it sets attributes itself."""
    return outline.is_whole and outline.definer("__setattr__") is None


def _reserved(module: ModuleModel, cls: KerasClass) -> Iterator[AttributeStore]:
    """The statements that assign what the class's instances cannot be given."""
    bases = [base for own in cls.outline.lineage for base in own.bases if base is not None]
    names = reserved.names(module.keras, cls.kind, bases)
    for method in sorted(cls.flows, key=lambda name: name != "__init__"):
        functional = False
        for event in cls.flow(method).events:
            if isinstance(event, SuperCall) and cls.kind is Kind.MODEL:
                functional = functional or _makes_functional(event)
            if (
                not isinstance(event, AttributeStore)
                or event.owner is not cls.outline
                or event.how not in {"assign", "augment"}
            ):
                continue
            late = functional and event.name in reserved.of_functional(module.keras)
            is_reserved = event.name in names or late or _is_something(module, event)
            is_reserved = is_reserved or _unbuilds(module, cls, event)
            if is_reserved and not _is_declared(cls.outline, event.name):
                yield event


def _unbuilds(module: ModuleModel, cls: KerasClass, store: AttributeStore) -> bool:
    """Whether a model that its constructor gives this is not built when it is loaded."""
    if store.name not in reserved.of_graphs(module.keras) or cls.kind is not Kind.MODEL:
        return False
    if store.method != "__init__" or store.conditional or module.is_part(cls):
        return False
    if rebuilding.is_functional(cls):
        return False
    value = store.value
    given = value.items if isinstance(value, Seq) and value.complete else (value,)
    if isinstance(value, Const):
        return bool(value.value)
    return bool(given) and all(isinstance(item, (Const, Spec)) for item in given)


def _is_declared(outline: ClassOutline, name: str) -> bool:
    """Whether the class or one that it derives from has an attribute of its own of that name."""
    return any(name in own.method_names or name in own.assigned for own in outline.lineage)


def _makes_functional(event: SuperCall) -> bool:
    keywords = {argument.keyword for argument in event.arguments.items}
    return event.method == "__init__" and {"inputs", "outputs"} <= keywords


def _is_something(module: ModuleModel, store: AttributeStore) -> bool:
    """Whether an attribute that takes None only is certainly meant to hold something."""
    if store.name not in reserved.unless_none(module.keras) or store.value == Const(None):
        return False
    if not isinstance(store.value, Argument):
        return store.value is not None
    function = module.function_of(store.target)
    parameters = function.params if function is not None else None
    for parameter in (*parameters.params, *parameters.kwonly_params) if parameters else ():
        if parameter.name.value == store.value.name:
            return parameter.default is None
    return False


def _is_guarded(module: ModuleModel, store: AttributeStore) -> bool:
    """Whether it runs under a `try`, or under a test of itself or of what is installed."""
    branches = module.branches_of(store.target)
    tried = any(
        getattr(branch, "body", None) is part for branch, part in branches if _is_try(branch)
    )
    tests = [getattr(branch, "test", None) for branch, _ in branches]
    asked = any(f".{store.name}" in module.text(test) for test in tests if test is not None)
    return tried or asked or weight_calls.asks_generation(module, store.target)


def _is_try(branch: object) -> bool:
    return type(branch).__name__ in {"Try", "TryStar"}


_SHOWN = frozenset("metrics layers weights dtype name input_shape kernel".split())


def _variant(module: ModuleModel, name: str) -> str:
    """The example whose consequence is shown."""
    if name in reserved.of_functional(module.keras):
        return "functional"
    if name == "embeddings":
        return "kernel"
    return name if name in _SHOWN else "metrics"


def _free(name: str) -> str:
    """A name beside a reserved one."""
    return f"own_{name.lstrip('_')}"
