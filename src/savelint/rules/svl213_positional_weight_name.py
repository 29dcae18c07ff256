"""SVL213 positional-weight-name."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras.events import Argument, SuperCall, WeightCall
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Kind
from savelint.keras.values import ClassOutline, Const, Seq
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import weight_calls
from savelint.source import Span

_RAISES = "ValueError: `name` must be passed as a keyword argument"
_EVERY: Mapping[Way, str] = dict.fromkeys(Witness.ways, _RAISES)
# The positional parameters of Keras 2, by whose names Keras 3 takes the same arguments.
_OF_LAYERS = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")
_OF_METRICS = ("name", "shape")
# What Keras 2 alone takes.
_REMOVED = frozenset(
    """
    partitioner use_resource synchronization collections experimental_autocast getter
    caching_device layout aggregation
    """.split()
)
_V3 = (Keras.V3,)


class PositionalWeightName(Rule):
    """Keras 3 takes the name of a weight by keyword only.

    Consequence: in Keras 3 the first positional argument of `add_weight` is the shape:
    `self.add_weight("kernel", (6, 3))`, as Keras 2 has it, raises ValueError as soon as the
    layer is built, or the metric made. Keras 2 takes both.

    Silent: Keras 2; a first argument that may be a shape; a class with an `add_weight` of
    its own; other objects' `add_weight`.

    Fix: keywords for the positional arguments, after the parameters of Keras 2 (safe: both
    generations take them). Shown only where an argument is one that Keras 3 does not take.
    """

    code = "SVL213"
    name = "positional-weight-name"
    since = "0.1"
    severity = {Keras.V3: Severity.ERROR}
    mentions = weight_calls.MAKERS
    clues = (frozenset(mentions),)
    examples = (
        Example(
            variant="name and shape",
            bad="""\
import tensorflow as tf
from tensorflow import keras


class Linear(keras.layers.Layer):
    def build(self, input_shape):
        self.kernel = self.add_weight("kernel", [int(input_shape[-1]), 3])

    def call(self, inputs):
        return tf.matmul(inputs, self.kernel)
""",
            at='"kernel"',
            good="""\
import tensorflow as tf
from tensorflow import keras


class Linear(keras.layers.Layer):
    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel",
            shape=[int(input_shape[-1]), 3],
        )

    def call(self, inputs):
        return tf.matmul(inputs, self.kernel)
""",
            witness=Witness(build="Linear()", fails={Keras.V3: _EVERY}),
            keras=_V3,
        ),
        Example(
            variant="name",
            bad="""\
from tensorflow.keras.layers import Layer


class Scale(Layer):
    def __init__(self, units=6, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.scale = self.add_weight(
            "scale_" + str(self.units),
            shape=(self.units,),
            initializer="ones",
        )

    def call(self, inputs):
        return inputs * self.scale
""",
            at='"scale_" + str(self.units)',
            good="""\
from tensorflow.keras.layers import Layer


class Scale(Layer):
    def __init__(self, units=6, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.scale = self.add_weight(
            name="scale_" + str(self.units),
            shape=(self.units,),
            initializer="ones",
        )

    def call(self, inputs):
        return inputs * self.scale
""",
            witness=Witness(build="Scale()", fails={Keras.V3: _EVERY}),
            keras=_V3,
        ),
        Example(
            variant="every argument",
            bad="""\
import keras


class Shift(keras.layers.Layer):
    def build(self, input_shape):
        self.shift = self.add_weight(f"{self.name}_shift", (6,), "float32", "zeros", None, True)

    def call(self, inputs):
        return inputs + self.shift
""",
            at='f"{self.name}_shift"',
            good="""\
import keras


class Shift(keras.layers.Layer):
    def build(self, input_shape):
        self.shift = self.add_weight(
            name=f"{self.name}_shift",
            shape=(6,),
            dtype="float32",
            initializer="zeros",
            regularizer=None,
            trainable=True,
        )

    def call(self, inputs):
        return inputs + self.shift
""",
            witness=Witness(
                build="Shift()",
                fails={Keras.V3: dict.fromkeys(Witness.ways, "ValueError|TypeError")},
            ),
            keras=_V3,
        ),
        Example(
            variant="add_variable",
            bad="""\
import tensorflow as tf
from tensorflow.keras import layers


class Linear(layers.Layer):
    def build(self, input_shape):
        self.kernel = self.add_variable('kernel', shape=[int(input_shape[-1]), 3])

    def call(self, inputs):
        return tf.matmul(inputs, self.kernel)
""",
            at="'kernel'",
            good="""\
import tensorflow as tf
from tensorflow.keras import layers


class Linear(layers.Layer):
    def build(self, input_shape):
        self.kernel = self.add_weight(
            name='kernel',
            shape=[int(input_shape[-1]), 3],
        )

    def call(self, inputs):
        return tf.matmul(inputs, self.kernel)
""",
            witness=Witness(
                build="Linear()", fails={Keras.V3: dict.fromkeys(Witness.ways, "TypeError")}
            ),
            keras=_V3,
        ),
        Example(
            variant="handed on",
            bad="""\
from tensorflow import keras


class Tied(keras.layers.Dense):
    tied = None

    def add_weight(self, name, **kwargs):
        if self.tied is not None and name == "kernel":
            return self.tied
        return super().add_weight(name, **kwargs)
""",
            at="name",
            good="""\
from tensorflow import keras


class Tied(keras.layers.Dense):
    tied = None

    def add_weight(self, name, **kwargs):
        if self.tied is not None and name == "kernel":
            return self.tied
        return super().add_weight(name=name, **kwargs)
""",
            witness=Witness(build="Tied(3)", fails={Keras.V3: _EVERY}),
            keras=_V3,
        ),
        Example(
            variant="metric",
            bad="""\
import tensorflow as tf
from tensorflow import keras


class Count(keras.metrics.Metric):
    def __init__(self, name="count", **kwargs):
        super().__init__(name=name, **kwargs)
        self.count = self.add_weight("count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.count.assign_add(1.0)

    def result(self):
        return self.count
""",
            at='"count"',
            good="""\
import tensorflow as tf
from tensorflow import keras


class Count(keras.metrics.Metric):
    def __init__(self, name="count", **kwargs):
        super().__init__(name=name, **kwargs)
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.count.assign_add(1.0)

    def result(self):
        return self.count
""",
            witness=Witness(
                build="Count()",
                ways=(Way.RUN,),
                fails={Keras.V3: {Way.RUN: "ValueError|TypeError"}},
            ),
            keras=_V3,
        ),
    )
    silent = (
        """\
# Keywords, and a shape that comes first, which Keras 3 takes.
import keras
from keras import ops


class Linear(keras.layers.Layer):
    def build(self, input_shape):
        shape = (input_shape[-1], 3)
        self.kernel = self.add_weight(shape, name="kernel")
        self.gate = self.add_weight((3,), "ones", name="gate")
        self.bias = self.add_weight(name="bias", shape=(3,))

    def call(self, inputs):
        return ops.matmul(inputs, self.kernel) * self.gate + self.bias
""",
        """\
# Other methods of that name, and other objects.
from tensorflow import keras


class Own(keras.layers.Layer):
    def add_weight(self, name, shape):
        return super().add_weight(name=name, shape=shape)

    def build(self, input_shape):
        self.kernel = self.add_weight("kernel", (6, 6))

    def call(self, inputs):
        return inputs @ self.kernel


class Graph:
    def build(self):
        self.edge = self.add_weight("edge", (6, 6))


class Holder(keras.layers.Layer):
    def __init__(self, graph=None, **kwargs):
        super().__init__(**kwargs)
        self.edge = graph.add_weight("edge", 3.0)

    def call(self, inputs):
        return inputs * self.edge
""",
        """\
# What the file asks before it decides.
import keras


class Both(keras.layers.Layer):
    def build(self, input_shape):
        if keras.__version__.startswith("2"):
            self.kernel = self.add_weight("kernel", (6,), initializer="ones")
        else:
            self.kernel = self.add_weight(name="kernel", shape=(6,), initializer="ones")

    def call(self, inputs):
        return inputs * self.kernel
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Calls that certainly give a name where Keras 3 wants a shape."""
        for cls in module.classes:
            is_metric = _is_metric(cls.outline)
            if not (cls.kind.is_layer or is_metric):
                continue
            for call in [*weight_calls.calls(cls, *cls.flows), *_handed_on(cls)]:
                first = _first(call)
                if first is None or not _is_name(module, call, first):
                    continue
                if weight_calls.asks_generation(module, call.node):
                    continue
                function = module.text(call.node.func).rpartition(".")[2]
                yield self.finding(
                    module,
                    first.node.value,
                    f"`{function}` of `{cls.name}` takes its name by keyword only in Keras 3",
                    variant=_variant(call, function, is_metric),
                    fix=_fix(module, call, function, is_metric),
                )


def _is_metric(outline: ClassOutline) -> bool:
    """Whether a class is a metric, whose weights are made by a function of the same name."""
    bases = (base for cls in outline.lineage for base in cls.bases if base is not None)
    return outline.kind is Kind.OTHER and any(base.startswith("keras.metrics.") for base in bases)


def _handed_on(cls: KerasClass) -> Iterator[WeightCall]:
    """What a class's own `add_weight` gives that of Keras."""
    for maker in weight_calls.MAKERS:
        if maker not in cls.outline.methods or any(p.definer(maker) for p in cls.outline.parents):
            continue
        for event in cls.flow(maker).all(SuperCall):
            if event.method == maker:
                yield WeightCall(cls.outline, event.node, event.arguments, maker, False)


def _first(call: WeightCall) -> Argument | None:
    """The first argument, where it is positional and in sight."""
    items = call.arguments.items
    plain = bool(items) and not items[0].node.star and items[0].keyword is None
    return items[0] if plain else None


def _is_name(module: ModuleModel, call: WeightCall, first: Argument) -> bool:
    """Whether the first argument is a string, or else another one is the shape."""
    if isinstance(first.value, Const):
        return isinstance(first.value.value, str)
    text = module.text(first.node.value)
    if _is_text(text) or (call.method in weight_calls.MAKERS and text == "name"):
        return True
    if any(argument.keyword == "shape" for argument in call.arguments.items):
        return True
    second = call.arguments.get(1)
    return second is not None and isinstance(second.value, Seq)


def _is_text(source: str) -> bool:
    """Whether an expression makes a string whatever its names stand for."""
    try:
        node = ast.parse(source, mode="eval").body
    except SyntaxError:
        return False
    while isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
        if isinstance(node.op, ast.Add) and _is_string(node.right):
            return True
        node = node.left
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr == "format" and _is_string(node.func.value)
    return _is_string(node)


def _is_string(node: ast.expr) -> bool:
    constant = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return constant or isinstance(node, ast.JoinedStr)


def _variant(call: WeightCall, function: str, is_metric: bool) -> str:
    if call.method in weight_calls.MAKERS:
        return "handed on"
    if is_metric:
        return "metric"
    if function == "add_variable":
        return "add_variable"
    given = len(call.arguments.positional)
    return {1: "name", 2: "name and shape"}.get(given, "every argument")


def _fix(module: ModuleModel, call: WeightCall, function: str, is_metric: bool) -> Fix:
    """Write the positional arguments as keywords."""
    names = _OF_METRICS if is_metric else _OF_LAYERS
    arguments = call.arguments
    keywords = {argument.keyword for argument in arguments.items}
    positional = arguments.positional
    shape = arguments.get(1, "shape")
    given = {*names[: len(positional)], *keywords}
    # Keras 3 refuses such names, and a metric's weight that is not said to begin with anything.
    refused = "/" in module.text(positional[0].node.value) or (
        is_metric
        and ("initializer" not in given or (shape is not None and shape.value == Const(None)))
    )
    if (
        refused
        or any(argument.star == "*" for argument in call.node.args)
        or (arguments.is_open and is_metric)
        or len(positional) > len(names)
        or keywords & _REMOVED
        or keywords & set(names[: len(positional)])
    ):
        return Fix("give each argument by its keyword", Safety.DISPLAY)
    edits: list[Edit] = []
    if function != "add_weight":
        # Keras 3's own `add_variable` takes other arguments.
        end = module.span(call.node.func).end
        edits.append(Edit(Span(end - len(function), end), "add_weight"))
    for name, argument in zip(names, positional, strict=False):
        start = module.span(argument.node).start  # of a tuple, before its parenthesis
        edits.append(Edit(Span(start, start), f"{name}="))
    return Fix("give each argument by its keyword", Safety.SAFE, tuple(edits))
