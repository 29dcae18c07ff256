"""SVL211 invalid-name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.frozen import frozen
from savelint.keras import assembly, labels
from savelint.keras.clues import DOUBTFUL_NAME
from savelint.keras.events import Creation, Flow, SuperCall
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import WEIGHTED, Kind
from savelint.keras.values import Instance, Spec, Value
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import weight_calls, weights

if TYPE_CHECKING:
    import libcst as cst

_REASON = "weights that were saved before may be loaded by the name"
_SHOWN = Fix("use letters, digits, `_`, `.` and `-` alone", Safety.DISPLAY)
# What `compile` takes; metrics may have any name.
_COMPILED = ("keras.losses.", "keras.optimizers.")
_SPOKEN = {" ": "a space", "\n": "a line break", "\t": "a tab"}

_SCOPE = "ValueError: .* is not a valid (?:root )?scope name"
_SLASH = "ValueError: Argument `name` must be a string and cannot contain character `/`"
_SIGNATURE = "ValueError: Got non-flat/non-unique argument names for SavedModel signature"
_USED = (Way.FUNCTIONAL, Way.TRAIN, Way.SAVED_MODEL, Way.EXPORT)
_SERVED = (Way.SAVED_MODEL, Way.EXPORT)
_V3 = (Keras.V3,)


class InvalidName(Rule):
    """A name that TensorFlow or Keras refuses.

    Consequence: TensorFlow makes the names of operations from those of layers, models and
    weights, and takes letters, digits, `_`, `.`, `-` and `>` there. With anything else, such
    as a space, `:` or `(`, `fit` and `export` raise for a layer or a model (in Keras 2 a
    functional model of such layers cannot even be made), `fit` for a loss or an optimizer,
    `tf.saved_model.save` and `export` for a weight, `export` for an input. Keras 3 refuses
    `/` at once, where Keras 2 allows it. A name that begins with `_` or `-` cannot stand
    first, as that of a model does, or in a checkpoint that of a layer. A functional or
    sequential model of which two layers have one name cannot be made.

    Silent: names that are computed, as far as they are; metrics, which may have any name; a
    `_` at the beginning of the name of a weight, or of a layer in another one that has a
    `build` of its own; a statement under a test of the version.

    Fix: `_` in the place of what is refused (unsafe: weights saved before may be loaded by
    the name). Only shown where the text has escapes, or the new name is taken.
    """

    code = "SVL211"
    name = "invalid-name"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("name",)
    clues = (frozenset({DOUBTFUL_NAME}),)
    examples = (
        Example(
            variant="layer",
            bad="""\
from tensorflow import keras

inputs = keras.Input([6])
hidden = keras.layers.Dense(4, activation="relu", name="hidden layer")
outputs = keras.layers.Dense(3, name="logits")


def build():
    return keras.Model(inputs, outputs(hidden(inputs)))
""",
            at='"hidden layer"',
            good="""\
from tensorflow import keras

inputs = keras.Input([6])
hidden = keras.layers.Dense(4, activation="relu", name="hidden_layer")
outputs = keras.layers.Dense(3, name="logits")


def build():
    return keras.Model(inputs, outputs(hidden(inputs)))
""",
            witness=Witness(
                build="build()",
                fails={
                    Keras.V2: dict.fromkeys(Witness.ways, _SCOPE),
                    Keras.V3: dict.fromkeys((Way.TRAIN, *_SERVED), _SCOPE),
                },
            ),
        ),
        Example(
            variant="slash",
            bad="""\
import tensorflow as tf
from tensorflow.keras import layers


def block(x, name):
    x = layers.Dense(4, use_bias=False, name=name + '/dense')(x)
    return layers.Activation('relu', name=name + '_relu')(x)


def build():
    inputs = layers.Input([6])
    return tf.keras.Model(inputs, block(inputs, 'first'))
""",
            at="name + '/dense'",
            good="""\
import tensorflow as tf
from tensorflow.keras import layers


def block(x, name):
    x = layers.Dense(4, use_bias=False, name=name + '_dense')(x)
    return layers.Activation('relu', name=name + '_relu')(x)


def build():
    inputs = layers.Input([6])
    return tf.keras.Model(inputs, block(inputs, 'first'))
""",
            witness=Witness(build="build()", fails={Keras.V3: dict.fromkeys(Witness.ways, _SLASH)}),
            keras=_V3,
        ),
        Example(
            variant="model",
            bad="""\
import keras


def build(units):
    return keras.Sequential(
        [keras.Input([6]), keras.layers.Dense(units)],
        name="mlp (%d units)" % units,
    )
""",
            at='"mlp (%d units)" % units',
            good="""\
import keras


def build(units):
    return keras.Sequential(
        [keras.Input([6]), keras.layers.Dense(units)],
        name="mlp_%d_units" % units,
    )
""",
            witness=Witness(
                build="build(3)",
                fails={
                    Keras.V2: dict.fromkeys(_USED, _SCOPE),
                    Keras.V3: dict.fromkeys((Way.TRAIN, *_SERVED), _SCOPE),
                },
            ),
        ),
        Example(
            variant="default",
            bad="""\
import tensorflow as tf


class Encoder(tf.keras.Model):
    def __init__(self, name="text encoder", **kwargs):
        super().__init__(name=name, **kwargs)
        self.dense = tf.keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)
""",
            at='"text encoder"',
            good="""\
import tensorflow as tf


class Encoder(tf.keras.Model):
    def __init__(self, name="text_encoder", **kwargs):
        super().__init__(name=name, **kwargs)
        self.dense = tf.keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)
""",
            witness=Witness(
                build="Encoder()",
                fails={
                    Keras.V2: dict.fromkeys((Way.TRAIN, *_SERVED), _SCOPE),
                    Keras.V3: dict.fromkeys((Way.TRAIN, *_SERVED), _SCOPE),
                },
            ),
        ),
        Example(
            variant="weight",
            bad="""\
from tensorflow import keras


class Scale(keras.layers.Layer):
    def __init__(self, units=6, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.scale = self.add_weight(
            shape=(self.units,), initializer="ones", name=f"scale: {self.units}"
        )

    def call(self, inputs):
        return inputs * self.scale
""",
            at='f"scale: {self.units}"',
            good="""\
from tensorflow import keras


class Scale(keras.layers.Layer):
    def __init__(self, units=6, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.scale = self.add_weight(
            shape=(self.units,), initializer="ones", name=f"scale_{self.units}"
        )

    def call(self, inputs):
        return inputs * self.scale
""",
            witness=Witness(
                build="Scale()",
                fails=dict.fromkeys(Keras, dict.fromkeys(_SERVED, "ValueError")),
            ),
        ),
        Example(
            variant="input",
            bad="""\
from tensorflow import keras
from tensorflow.keras.layers import Dense, Input


def build():
    inputs = Input(shape=(6,), name="pixel values")
    return keras.Model(inputs, Dense(3)(inputs))
""",
            at='"pixel values"',
            good="""\
from tensorflow import keras
from tensorflow.keras.layers import Dense, Input


def build():
    inputs = Input(shape=(6,), name="pixel_values")
    return keras.Model(inputs, Dense(3)(inputs))
""",
            witness=Witness(
                build="build()",
                fails={
                    Keras.V2: dict.fromkeys(_SERVED, _SIGNATURE),
                    Keras.V3: {Way.EXPORT: _SIGNATURE},
                },
            ),
        ),
        Example(
            variant="beginning",
            bad="""\
import keras


def build():
    inputs = keras.Input([6])
    return keras.Model(inputs, keras.layers.Dense(3)(inputs), name="_net")
""",
            at='"_net"',
            good="""\
import keras


def build():
    inputs = keras.Input([6])
    return keras.Model(inputs, keras.layers.Dense(3)(inputs), name="net")
""",
            witness=Witness(
                build="build()",
                fails={
                    Keras.V2: dict.fromkeys((Way.TRAIN, *_SERVED), _SCOPE),
                    Keras.V3: dict.fromkeys((Way.TRAIN, Way.SAVED_MODEL), _SCOPE),
                },
            ),
        ),
        Example(
            variant="compile",
            bad="""\
import numpy as np
from tensorflow import keras

net = keras.Sequential([keras.Input([6]), keras.layers.Dense(3)])
net.compile("sgd", loss=keras.losses.MeanSquaredError(name="squared error"))
net.fit(np.ones([4, 6], "float32"), np.ones([4, 3], "float32"), verbose=0)
""",
            at='"squared error"',
            good="""\
import numpy as np
from tensorflow import keras

net = keras.Sequential([keras.Input([6]), keras.layers.Dense(3)])
net.compile("sgd", loss=keras.losses.MeanSquaredError(name="squared_error"))
net.fit(np.ones([4, 6], "float32"), np.ones([4, 3], "float32"), verbose=0)
""",
            witness=Witness(
                build="net",
                ways=(Way.RUN,),
                fails={keras: {Way.RUN: _SCOPE} for keras in Keras},
            ),
        ),
        Example(
            variant="twice",
            bad="""\
from tensorflow import keras
from tensorflow.keras import layers


def build():
    inputs = keras.Input([6])
    x = layers.Dense(4, activation="relu", name="dense")(inputs)
    x = layers.Dropout(0.5)(x)
    outputs = layers.Dense(3, name='dense')(x)
    return keras.Model(inputs, outputs)
""",
            at="'dense'",
            good="""\
from tensorflow import keras
from tensorflow.keras import layers


def build():
    inputs = keras.Input([6])
    x = layers.Dense(4, activation="relu", name="dense")(inputs)
    x = layers.Dropout(0.5)(x)
    outputs = layers.Dense(3, name='logits')(x)
    return keras.Model(inputs, outputs)
""",
            witness=Witness(
                build="build()",
                fails={
                    keras: dict.fromkeys(
                        Witness.ways, 'ValueError: The name "dense" is used 2 times'
                    )
                    for keras in Keras
                },
            ),
            fixed=False,
        ),
    )
    silent = (
        """\
# What TensorFlow allows, and what is not seen.
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


class Block(layers.Layer):
    def __init__(self, name="Block.1-a", **kwargs):
        super().__init__(name=name, **kwargs)
        self.inner = layers.Dense(3, name="_inner")
        self.other = layers.Dense(3, name=self.name + kwargs.get("suffix", "-b"))

    def build(self, input_shape):
        self.kernel = self.add_weight(name="_kernel", shape=(3,), initializer="ones")

    def call(self, inputs):
        with tf.name_scope("block"):
            return self.inner(self.other(inputs)) * self.kernel


def build(i, title):
    x = inputs = keras.Input([6], name=f"input_{i}")
    x = layers.Dense(3, name="dense_%03d" % i)(x)
    x = layers.Dense(3, name="dense.{:d}".format(i))(x)
    x = layers.Dense(3, name=title)(x)
    return keras.Model(inputs, Block()(x), name="1st")
""",
        """\
# One name in two models, in one layer that is called twice, in what is chosen or nested.
from tensorflow import keras
from tensorflow.keras import layers


def pair(deep):
    inputs = keras.Input([6])
    shared = layers.Dense(6, name="dense")
    first = keras.Model(inputs, layers.Dense(3, name="out")(shared(shared(inputs))))
    second = keras.Model(inputs, layers.Dense(3, name="out")(inputs))
    if deep:
        x = layers.Dense(4, name="hidden")(inputs)
    else:
        x = layers.Dense(6, name="hidden")(inputs)
    x = layers.Reshape((-1, 1))(x)
    x = layers.TimeDistributed(layers.Dense(3, name="step"))(x)
    x = layers.TimeDistributed(layers.Dense(3, name="step"))(x)
    third = keras.Model(inputs, x)
    unused = layers.Dense(3, name="all")(layers.Dense(3, name="part")(inputs))
    fourth = keras.Model(inputs, layers.Dense(3, name="part")(inputs))
    parts = [layers.Dense(3, name="a"), layers.Dense(3, name="a")]
    hidden = layers.Dense(3, name="head")(inputs)
    fifth = keras.Model(hidden, layers.Dense(3, name="head")(hidden))
    return first, second, third, fourth, fifth, parts[0](inputs)
""",
        """\
# Names of other things: metrics, tensors, columns, what a class keeps for itself.
import pandas as pd
import tensorflow as tf
from tensorflow import keras


class Report:
    def __init__(self, name="my report"):
        self.name = name


class Net(keras.Model):
    def __init__(self, name="my data", **kwargs):
        super().__init__(**kwargs)
        self.data = name
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)


def build():
    model = Net(name="the data")
    model.compile("adam", "mse", metrics=[keras.metrics.MeanSquaredError(name="my error")])
    column = pd.Series([1.0], name="my column")
    return model, column, Report(name="a report"), tf.TensorSpec([None, 6], name="an input")
""",
        """\
# The file asks which Keras it is.
import keras


def build():
    inputs = keras.Input([6])
    if keras.__version__.startswith("2"):
        return keras.Model(inputs, keras.layers.Dense(3, name="block/dense")(inputs))
    return keras.Model(inputs, keras.layers.Dense(3, name="block_dense")(inputs))
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each name that is given, once."""
        taken: set[str] = set()
        seen: set[int] = set()
        for given in _all_given(module):
            if id(given.node) in seen or weight_calls.asks_generation(module, given.node):
                continue
            seen.add(id(given.node))
            found = _offence(module, given)
            if found is None:
                continue
            character, variant = found
            mark = _SPOKEN.get(character, f"`{character}`")
            beginning = labels.REFUSED.match(character) is None and character != "/"
            how = "begins with" if beginning else "has"
            who = "Keras 3" if variant == "slash" else "TensorFlow"
            lesser = variant in {"weight", "input", "beginning"}
            yield self.finding(
                module,
                given.node,
                f"the name of {given.what} {how} {mark}, which {who} refuses",
                variant=variant,
                severity=Severity.WARNING if lesser else None,
                labels=[(given.passed, "passed on here")] if given.passed is not None else (),
                fix=_fix(module, given.node, taken),
            )
        yield from self._twice(module)

    def _twice(self, module: ModuleModel) -> Iterator[Finding]:
        """The names that two layers of one functional or sequential model have."""
        seen: set[int] = set()
        for flow in module.scopes:
            for first, second in assembly.namesakes(flow):
                node, other = second.node.value, first.node.value
                if id(node) in seen or not (module.is_here(node) and module.is_here(other)):
                    continue
                seen.add(id(node))
                if not weight_calls.asks_generation(module, node):
                    yield self.finding(
                        module,
                        node,
                        f"two layers of one model have the name {module.text(node)}",
                        variant="twice",
                        labels=[(other, "the other one")],
                        fix=Fix("give one of them another name", Safety.DISPLAY),
                    )


@frozen
class _Given:
    """An expression that names something.

    `is_first` says that it may be the first of a scope's name, `passed` is the call that
    hands a default on.
    """

    node: cst.BaseExpression
    what: str
    variant: str
    is_first: bool = False
    passed: cst.Call | None = None


def _all_given(module: ModuleModel) -> Iterator[_Given]:
    for cls in module.classes:
        if cls.kind.is_layer:
            yield from _of_class(module, cls)
        is_built = cls.kind is Kind.LAYER and cls.outline.definer("build") is not None
        for flow in cls.flows.values():
            yield from _made(module, flow, is_first=not is_built)
    for flow in module.scopes:
        yield from _made(module, flow, is_first=True)


def _of_class(module: ModuleModel, cls: KerasClass) -> Iterator[_Given]:
    """The names of a class's weights, and the one that its constructor hands on."""
    for weight in weight_calls.calls(cls, *cls.flows):
        argument = weight_calls.name_argument(weight, Keras.V2)
        if argument is not None:
            yield _Given(argument.node.value, f"a weight of `{cls.name}`", "weight")
    start = cls.outline.methods.get("__init__")
    variant = "layer" if cls.kind is Kind.LAYER else "model"
    for call in cls.flow("__init__").all(SuperCall):
        argument = call.arguments.get(None, "name") if call.method == "__init__" else None
        if argument is None or not module.is_here(call.node):
            continue
        what = f"`{cls.name}`"
        yield _Given(argument.node.value, what, variant, is_first=True)
        default = _default_name(start) if start is not None else None
        if default is not None and getattr(argument.node.value, "value", "") == "name":
            yield _Given(default, what, "default", is_first=True, passed=call.node)


def _default_name(function: cst.FunctionDef) -> cst.BaseExpression | None:
    params = function.params
    every = (*params.posonly_params, *params.params, *params.kwonly_params)
    return next((p.default for p in every if p.name.value == "name"), None)


def _made(module: ModuleModel, flow: Flow, *, is_first: bool) -> Iterator[_Given]:
    """The names of the layers, models, inputs, losses and optimizers that are made."""
    for creation in flow.all(Creation):
        argument = next((a for a in creation.node.args if _keyword(a) == "name"), None)
        if argument is not None and module.is_here(argument.value):
            given = _given(module, argument.value, creation.value, is_first)
            if given is not None:
                yield given


def _given(
    module: ModuleModel, node: cst.BaseExpression, value: Value, is_first: bool
) -> _Given | None:
    if isinstance(value, Spec) and value.symbolic:
        return _Given(node, "an input", "input", is_first=True)
    if not isinstance(value, Instance) or value.kind is None:
        return None
    last = value.name.rpartition(".")[2]
    if value.outline is not None:
        if not value.kind.is_layer or not _takes_name(module, value):
            return None
        what, has_weights = f"a `{last}`", weights.makes_weights(module, value)
    elif last == "InputLayer":
        return _Given(node, "an input", "input", is_first=True)
    elif value.name.startswith(_COMPILED):
        return _Given(node, "a loss" if "losses" in value.name else "an optimizer", "compile")
    elif value.kind is Kind.LAYER:
        what, has_weights = "a layer", last in WEIGHTED
    elif value.kind.is_layer:
        what, has_weights = "a model", True
    else:
        return None
    # In Keras 3 only weights bring the name of a layer to a checkpoint.
    is_first = is_first and (has_weights or module.keras is Keras.V2)
    return _Given(node, what, "layer" if value.kind is Kind.LAYER else "model", is_first)


def _keyword(argument: cst.Arg) -> str:
    return argument.keyword.value if argument.keyword is not None else ""


def _takes_name(module: ModuleModel, instance: Instance) -> bool:
    """Whether a class of the project hands `name=` on to Keras."""
    cls = module.class_of(instance)
    if cls is None:
        return False
    start = cls.outline.method("__init__")
    if start is None:
        return True
    named = _parameters(start)
    for call in cls.flow("__init__").all(SuperCall):
        for argument in call.arguments.items if call.method == "__init__" else ():
            text = getattr(argument.node.value, "value", "")
            if argument.keyword == "name" and text == "name":
                return True
            if argument.node.star == "**" and "name" not in named:
                return True
    return False


def _parameters(function: cst.FunctionDef) -> set[str]:
    params = function.params
    every = (*params.posonly_params, *params.params, *params.kwonly_params)
    return {parameter.name.value for parameter in every}


# ---------------------------------------------------------------------- what is refused


def _offence(module: ModuleModel, given: _Given) -> tuple[str, str] | None:
    """The character of a name that is refused, and the example that shows it."""
    node = _parsed(module.text(given.node))
    if node is None:
        return None
    character = labels.refused(node, slash=module.keras is Keras.V3)
    if character:
        return character, "slash" if character == "/" else given.variant
    character = labels.bad_beginning(node) if given.is_first else ""
    if character:
        return character, "input" if given.variant == "input" else "beginning"
    return None


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(f"({text})", mode="eval").body
    except SyntaxError:
        return None


# ---------------------------------------------------------------------- the fix

# What is refused, with the `_` around it.
_RUN = re.compile(r"[^A-Za-z0-9.\\>-]*[^A-Za-z0-9_.\\>-][^A-Za-z0-9.\\>-]*")
_STRING = re.compile(r"""([rbfuRBFU]*)(['"])([^'"\n]*)\2""")


def _fix(module: ModuleModel, node: cst.BaseExpression, taken: set[str]) -> Fix:
    """Put `_` where something is refused."""
    text = module.text(node)
    new = _STRING.sub(lambda found: _repaired(found, text), text)
    parsed = _parsed(new)
    if (
        "\\" in text
        or parsed is None
        or labels.is_doubtful(parsed)
        or not any(text for text, _ in labels.literal_parts(parsed))
        or new in taken
        or new in module.source.text
    ):
        return _SHOWN
    taken.add(new)
    edit = rewrite.replace(module, node, new)
    return Fix("put `_` in its place", Safety.UNSAFE, (edit,), _REASON)


def _repaired(found: re.Match[str], whole: str) -> str:
    """One literal of a name without what is refused, at its ends without a trace of it."""
    prefix, quote, body = found.groups()
    pieces = labels.FILLED.split(body)
    filled = labels.FILLED.findall(body)
    clean = [_RUN.sub("_", piece) for piece in pieces]
    if found.start() == 0:
        clean[0] = clean[0].lstrip("_->")
    is_last = re.match(r"\s*(?:%|\.format\(|$)", whole[found.end() :])
    if is_last and pieces[-1] and not re.search(r"[\w.>-]$", pieces[-1]):
        clean[-1] = clean[-1].rstrip("_")
    text = "".join(piece + fill for piece, fill in zip(clean, [*filled, ""], strict=True))
    return f"{prefix}{quote}{text}{quote}"
