"""SVL105 branch-on-tensor."""

from __future__ import annotations

from collections.abc import Iterator

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras import clues
from savelint.keras.events import AttributeStore, Choice, TensorTest
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Kind
from savelint.keras.values import Traced
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules.tracing import traced_classes

_BOTH_SIDES = "both sides must give the same dtype and the same structure"

# Which example stands for which way of asking.
_VARIANTS = {
    **dict.fromkeys(("if", "ternary", "while", "for", "range", "assert"), ""),
    **dict.fromkeys(("and", "or", "not", "chained"), "boolean"),
    **dict.fromkeys(("bool", "in", "match", "filter", "any", "all", "max", "min"), "truth"),
}
# What AutoGraph, which runs in Keras 2 while `fit` traces, turns into graph operations.
_CONVERTED = frozenset("if ternary while for range and or not chained".split())
_ACTIONS = {
    "while": "loops on a tensor",
    "for": "loops over a tensor",
    "range": "counts with `range` up to a tensor",
    "assert": "asserts a tensor",
    **dict.fromkeys(("if", "ternary", "match", "filter"), "branches on a tensor"),
    **dict.fromkeys(("max", "min"), "compares tensors with a Python function"),
    **dict.fromkeys(("and", "or", "not", "chained", "in", "bool", "any", "all"), "asks a tensor"),
}
_ITERATES = "iterates over a tensor"
_ADVICE = {
    "while": "use `tf.while_loop`, or put the loop into a function under `@tf.function`",
    "for": "compute on the whole tensor, or put the loop into a function under `@tf.function`",
    "range": "take a known size from `x.shape`, or use `tf.while_loop`",
    "assert": "use `tf.debugging.assert_equal` and its like",
    "max": "use `tf.maximum`",
    "min": "use `tf.minimum`",
    "and": "use `tf.logical_and`",
    "or": "use `tf.logical_or`",
    "not": "use `tf.logical_not`",
    "chained": "use `tf.logical_and` of two comparisons",
    "any": "use `tf.reduce_any`",
    "all": "use `tf.reduce_all`",
    **dict.fromkeys(("if", "ternary", "match"), "use `tf.cond` or `tf.where`"),
}
_ADVICE_ON_ITEMS = "compute on the whole tensor, or take it apart with `tf.unstack`"

_WAYS = (Way.CALL, Way.TRAIN, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS)
_NO_BOOL = "OperatorNotAllowedInGraphError: Using a symbolic"
_NO_ITEMS = "OperatorNotAllowedInGraphError: Iterating over a symbolic"
_NO_NUMBER = "TypeError: 'SymbolicTensor' object cannot be interpreted as an integer"


def _fails(message: str, *, converted: bool) -> dict[Keras, dict[Way, str]]:
    """How a branch in a Model fails; AutoGraph may save it in Keras 2 but for the saving."""
    lost = {Way.TRAIN: message, Way.KERAS: "DIFF", Way.SAVED_MODEL: "NO SIGNATURE"}
    traced = () if converted else (Way.TRAIN, Way.EXPORT)
    return {
        Keras.V3: lost | {Way.EXPORT: "ValueError: The model provided has never called"},
        Keras.V2: {Way.SAVED_MODEL: message}
        | dict.fromkeys(traced, message)
        | {Way.KERAS: "ValueError: You cannot build your model"},
    }


def _net(
    body: str, *, imports: str = "import tensorflow as tf\nfrom tensorflow import keras"
) -> str:
    lines = "\n".join(f"        {line}".rstrip() for line in body.splitlines())
    return f"""\
{imports}


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs, training=None):
        x = self.dense(inputs)
{lines}
"""


_GATE = """\
import keras
from keras import layers, ops


class Gate(layers.Layer):
    def call(self, inputs):
        return {value}
"""
_HELPER = """\
import tensorflow as tf
from tensorflow.keras import Model, layers


def flip(values):
{body}


class Net(Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(3)

    def call(self, inputs):
        return flip(self.dense(inputs))
"""


class BranchOnTensor(Rule):
    """Python branches, loops or counts on a tensor, which has no value while it is traced.

    Consequence: called eagerly it works. In Keras 3, which does not let AutoGraph read
    `call`, `fit`, `predict` and `export` raise; `tf.saved_model.save` writes no signature,
    and `.keras` loses all weights on reload, both without an exception. In Keras 2
    AutoGraph converts `if`, `while`, `for` and `range` for `fit` and `export`, but
    `tf.saved_model.save` and `save(directory)` raise, and a `.keras` file of a Model does
    not load; `assert`, `bool`, `max`, unpacking and comprehensions fail in `fit` as well.
    In training only, `fit` raises in Keras 3, `tf.saved_model.save` in Keras 2.

    Silent: what is known while tracing (`x.shape`, a rank, `training`, `is None`, a flag, a
    list of tensors); what a Model reaches only with an optional argument, without which it is
    saved; in Keras 2 what AutoGraph converts in a layer that only other layers hold; code
    that runs eagerly only, or in a `try` that handles exceptions;
    code under `tf.function`, which AutoGraph converts.

    Fix: a choice between two values becomes `tf.cond` (unsafe: both sides must have one
    dtype), where all that its condition decides does; anything else is for you to rewrite.
    """

    code = "SVL105"
    name = "branch-on-tensor"
    since = "0.1"
    severity = {Keras.V2: Severity.WARNING, Keras.V3: Severity.ERROR}
    mentions = ("call",)
    clues = (frozenset({clues.TEST}),)
    examples = (
        Example(
            variant="if",
            bad=_net("if tf.reduce_mean(x) > 0:\n    x = x * 2.0\nreturn x"),
            at="tf.reduce_mean(x) > 0",
            good=_net("x = tf.cond(tf.reduce_mean(x) > 0, lambda: x * 2.0, lambda: x)\nreturn x"),
            witness=Witness(build="Net()", fails=_fails(_NO_BOOL, converted=True)),
        ),
        Example(
            variant="if-else",
            bad=_HELPER.format(
                body="""\
    if tf.shape(values)[0] > 2:
        return values * 2.0
    else:
        return -values"""
            ),
            at="tf.shape(values)[0] > 2",
            good=_HELPER.format(
                body="""\
    return tf.cond(
        tf.shape(values)[0] > 2,
        lambda: values * 2.0,
        lambda: -values,
    )"""
            ),
            witness=Witness(build="Net()", fails=_fails(_NO_BOOL, converted=True)),
        ),
        Example(
            variant="ternary",
            bad=_net("return x if tf.reduce_mean(x) > 0 else -x"),
            at="tf.reduce_mean(x) > 0",
            good=_net("return tf.cond(tf.reduce_mean(x) > 0, lambda: x, lambda: -x)"),
            witness=Witness(build="Net()", fails=_fails(_NO_BOOL, converted=True)),
        ),
        Example(
            variant="beside-keras-ops",
            bad=_GATE.format(value="inputs * 2.0 if ops.any(inputs > 0.9) else -inputs"),
            at="ops.any(inputs > 0.9)",
            good=_GATE.format(
                value="""\
ops.cond(
            ops.any(inputs > 0.9),
            lambda: inputs * 2.0,
            lambda: -inputs,
        )"""
            ),
            witness=Witness(
                build="Gate()",
                ways=(*_WAYS, Way.FUNCTIONAL),
                fails={Keras.V3: dict.fromkeys((Way.FUNCTIONAL, *_WAYS[1:]), _NO_BOOL)},
            ),
            keras=(Keras.V3,),
        ),
        Example(
            variant="while",
            bad=_net("while tf.reduce_max(x) > 0.01:\n    x = x * 0.5\nreturn x"),
            at="tf.reduce_max(x) > 0.01",
            good=_net(
                "return tf.while_loop(\n"
                "    lambda v: tf.reduce_max(v) > 0.01, lambda v: (v * 0.5,), [x]\n"
                ")[0]"
            ),
            witness=Witness(build="Net()", fails=_fails(_NO_BOOL, converted=True)),
            fixed=False,
        ),
        Example(
            variant="for",
            bad=_net(
                "total = tf.zeros([3])\n"
                "for row in tf.nn.relu(x):\n"
                "    total += row\n"
                "return x + total"
            ),
            at="tf.nn.relu(x)",
            good=_net("total = tf.reduce_sum(tf.nn.relu(x), axis=0)\nreturn x + total"),
            witness=Witness(build="Net()", fails=_fails(_NO_ITEMS, converted=True)),
            fixed=False,
        ),
        Example(
            variant="range",
            bad=_net("for _ in range(tf.shape(x)[1]):\n    x = x * 1.1\nreturn x"),
            at="tf.shape(x)[1]",
            good=_net("for _ in range(x.shape[1]):\n    x = x * 1.1\nreturn x"),
            witness=Witness(build="Net()", fails=_fails(_NO_NUMBER, converted=True)),
            fixed=False,
        ),
        Example(
            variant="assert",
            bad=_net('assert tf.reduce_all(tf.math.is_finite(x)), "not finite"\nreturn x'),
            at="tf.reduce_all(tf.math.is_finite(x))",
            good=_net('tf.debugging.assert_all_finite(x, "not finite")\nreturn x'),
            witness=Witness(build="Net()", fails=_fails(_NO_BOOL, converted=False)),
            fixed=False,
        ),
        Example(
            variant="boolean",
            bad=_net("quiet = not tf.reduce_any(x > 0)\nreturn x + tf.cast(quiet, tf.float32)"),
            at="tf.reduce_any(x > 0)",
            good=_net(
                "quiet = tf.logical_not(tf.reduce_any(x > 0))\n"
                "return x + tf.cast(quiet, tf.float32)"
            ),
            witness=Witness(build="Net()", fails=_fails(_NO_BOOL, converted=True)),
            fixed=False,
        ),
        Example(
            variant="truth",
            bad=_net("return x * max(tf.reduce_mean(x), 0.1)"),
            at="tf.reduce_mean(x)",
            good=_net("return x * tf.maximum(tf.reduce_mean(x), 0.1)"),
            witness=Witness(build="Net()", fails=_fails(_NO_BOOL, converted=False)),
            fixed=False,
        ),
        Example(
            variant="items",
            bad=_net("a, b, c = tf.transpose(x)\nreturn tf.stack([c, b, a], axis=-1)"),
            at="tf.transpose(x)",
            good=_net("a, b, c = tf.unstack(x, axis=-1)\nreturn tf.stack([c, b, a], axis=-1)"),
            witness=Witness(build="Net()", fails=_fails(_NO_ITEMS, converted=False)),
            fixed=False,
        ),
        Example(
            variant="training",
            bad=_net(
                "if training and tf.random.uniform([]) < 0.5:\n    x = tf.nn.relu(x)\nreturn x"
            ),
            at="training and tf.random.uniform([]) < 0.5",
            good=_net(
                "if training:\n"
                "    x = tf.cond(tf.random.uniform([]) < 0.5, lambda: tf.nn.relu(x), lambda: x)\n"
                "return x"
            ),
            witness=Witness(
                build="Net()",
                fails={Keras.V3: {Way.TRAIN: _NO_BOOL}, Keras.V2: {Way.SAVED_MODEL: _NO_BOOL}},
            ),
            fixed=False,
        ),
    )
    silent = (
        """\
# A model is saved without its labels.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs, labels=None):
        logits = self.dense(inputs)
        if labels is not None:
            if tf.reduce_max(labels) >= 3:
                raise ValueError("a label is too large")
            self.penalise(logits, labels)
        return logits

    def penalise(self, logits, labels):
        while tf.reduce_any(labels < 0):
            labels = labels + 1
        self.add_loss(tf.reduce_mean(logits) * tf.reduce_mean(labels))
""",
        """\
# Annotated as one tensor, and zipped with the layers as a list of them.
import tensorflow as tf
from tensorflow import keras

class Head(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.mlps = [keras.layers.Dense(3) for _ in range(4)]

    def call(self, hidden_states: tf.Tensor) -> tf.Tensor:
        return tf.add_n([mlp(state) for state, mlp in zip(hidden_states, self.mlps)])
""",
        """\
# Known while tracing: the static shape, its rank, a flag, None, the type.
import tensorflow as tf
from tensorflow import keras

class Net(keras.layers.Layer):
    def __init__(self, depth, causal=False, **kwargs):
        super().__init__(**kwargs)
        self.depth = depth
        self.causal = causal

    def call(self, inputs, training=None, mask=None, scale=None):
        if training:
            inputs = inputs * 2
        if mask is not None and scale:
            inputs = inputs * scale
        if self.causal and self.depth > 2:
            inputs = -inputs
        if isinstance(inputs, (list, tuple)):
            inputs = inputs[0]
        if inputs.shape.rank == 2 or len(inputs.shape) > 3 or inputs.shape[-1] > 3:
            inputs = inputs + 1
        for _ in range(inputs.shape[1]):
            inputs = inputs + 1
        for size in inputs.shape[1:]:
            inputs = inputs + size
        assert inputs.shape[-1] == 3, "three channels"
        return inputs
""",
        """\
# Several inputs: a list or a dictionary is iterated, unpacked and asked for a key.
import tensorflow as tf
from tensorflow import keras

class Net(keras.layers.Layer):
    def call(self, inputs):
        total = 0
        for part in inputs:
            total = total + tf.reduce_sum(part, axis=-1)
        return total

class Joined(keras.layers.Layer):
    def call(self, inputs, more):
        every = inputs + more
        if not every or every == [None]:
            return inputs
        return tf.concat([part for part in every] + [part for part in inputs], axis=-1)

class Pair(keras.layers.Layer):
    def call(self, inputs):
        left, right = inputs
        if not inputs:
            return left
        return sum([left, right]) + max(1, len(inputs))

class Named(keras.layers.Layer):
    def call(self, inputs):
        if "image" in inputs:
            return inputs["image"]
        return tf.add_n([value for value in inputs.values()])
""",
        """\
# Operations that give several tensors.
import tensorflow as tf
from tensorflow import keras

class Net(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.rnn = keras.layers.LSTM(3, return_state=True)

    def call(self, inputs):
        mean, variance = tf.nn.moments(inputs, axes=[-1])
        left, right = tf.split(inputs, 2, axis=-1)
        values, indices = tf.math.top_k(inputs, 2)
        output, *states = self.rnn(inputs)
        for step in tf.unstack(inputs, axis=1):
            left = left + step
        return [state for state in states] + [mean, left, values]
""",
        """\
# AutoGraph converts what tf.function wraps, in both generations.
import tensorflow as tf
from tensorflow import keras

@tf.function
def pick(x):
    return inner(x)

def inner(x):
    if tf.reduce_mean(x) > 0:
        return x * 2.0
    return x

class Net(keras.Model):
    def build(self, shape):
        self.kernel = self.add_weight(name="kernel", shape=(6, 3))

    @tf.function
    def call(self, inputs):
        x = tf.matmul(inputs, self.kernel)
        while tf.reduce_max(x) > 1:
            x = x * 0.5
        return pick(x)

class Gate(keras.layers.Layer):
    @tf.function(jit_compile=False)
    def choose(self, x):
        return x if tf.reduce_any(x > 0) else -x

    def call(self, inputs):
        return self.choose(inputs)
""",
        """\
# Eagerly only, and where an exception is handled.
import tensorflow as tf
from tensorflow import keras

class Net(keras.layers.Layer):
    def call(self, inputs):
        if tf.executing_eagerly() and tf.reduce_any(inputs > 9):
            print("large")
        if tf.executing_eagerly():
            assert tf.reduce_all(inputs < 9)
        try:
            if tf.reduce_mean(inputs) > 0:
                print("positive")
        except Exception:
            pass
        return inputs
""",
        """\
# The dynamic shape where the static one is not known.
import tensorflow as tf
from tensorflow import keras

def shape_list(x):
    static = x.shape.as_list()
    dynamic = tf.shape(x)
    return [dynamic[i] if s is None else s for i, s in enumerate(static)]

class Net(keras.layers.Layer):
    def call(self, inputs):
        batch = inputs.shape[0] or tf.shape(inputs)[0]
        width = inputs.shape[1] if inputs.shape[1] is not None else tf.shape(inputs)[1]
        length, depth = shape_list(inputs)
        if depth > 3:
            inputs = inputs[:, :3]
        for _ in range(depth):
            inputs = inputs + 1
        height = inputs.shape[1]
        if height is None:
            height = tf.shape(inputs)[1]
        return tf.reshape(inputs, [batch, -1]) if width == height else inputs
""",
        """\
# Not traced by Keras: a method that nobody calls, a callback, a plain class.
import tensorflow as tf
from tensorflow import keras

class Net(keras.layers.Layer):
    def summarise(self, values):
        if tf.reduce_mean(values) > 0:
            return "positive"
        return "negative"

    def call(self, inputs):
        return inputs

class Watch(keras.callbacks.Callback):
    def call(self, x):
        if tf.reduce_mean(x) > 0:
            print(x)
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """What `call`, and what it calls, asks of tensors."""
        for cls in traced_classes(module):
            if _is_converted(cls):
                continue
            tests = cls.flow("call").all(TensorTest)
            found = [
                event
                for event in tests
                if event.certain and not event.converted and not _is_saved(module, cls, event)
            ]
            found = list(_outermost(module, found))
            fixes = [_as_choice(module, event) for event in found]
            # What the same condition decides is mended whole or not at all.
            shown = {
                module.text(event.test)
                for event, fix in zip(found, fixes, strict=True)
                if fix is None
            }
            for event, fix in zip(found, fixes, strict=True):
                whole = None if module.text(event.test) in shown else fix
                yield self._finding(module, cls, event, whole or _advice(event.how))

    def _finding(
        self, module: ModuleModel, cls: KerasClass, event: TensorTest, fix: Fix
    ) -> Finding:
        loud = module.keras is Keras.V2 and event.how not in _CONVERTED
        action = _ACTIONS.get(event.how, _ITERATES)
        return self.finding(
            module,
            event.test,
            f"`{cls.name}.call` {action}: {_reason(event.how)}",
            variant=_variant(module, event),
            severity=Severity.ERROR if loud else None,
            note="a tensor",
            fix=fix,
        )


def _is_saved(module: ModuleModel, cls: KerasClass, event: TensorTest) -> bool:
    """Whether what asks does not keep the class from being saved.

    Keras 2 reads a layer's `call` without AutoGraph only where a model itself holds it; and
    a model is saved by a call on its input alone.
    """
    if cls.kind is Kind.MODEL:
        return module.is_skipped(cls, event.node)
    converted = module.keras is Keras.V2 and event.how in _CONVERTED
    return converted and cls.kind is Kind.LAYER and module.is_inner(cls)


def _reason(how: str) -> str:
    if how in {"for", "range"} or how not in _ACTIONS:
        return "it has no length while it is traced"
    return "it has no truth value while it is traced"


def _variant(module: ModuleModel, event: TensorTest) -> str:
    if event.in_training:
        return "training"
    if event.how == "ternary" and "keras.ops" in module.summary.imported:
        return "beside-keras-ops"
    if event.how == "if" and event.choice is not None and event.choice.orelse is not None:
        return "if-else"
    return _VARIANTS.get(event.how, "items") or event.how


def _is_converted(cls: KerasClass) -> bool:
    """Whether `call` itself is under `tf.function`."""
    stored = (s.value for s in cls.flow("__init__").all(AttributeStore) if s.name == "call")
    wrapped = (cls.traced.get("call"), *stored)
    return any(isinstance(value, Traced) and value.is_converted for value in wrapped)


def _outermost(module: ModuleModel, events: list[TensorTest]) -> Iterator[TensorTest]:
    """The events that stand in no other: `if a > 0 and b > 0` is one defect."""
    spans = [module.span(event.test) for event in events]
    for event, span in zip(events, spans, strict=True):
        inside = (o for o in spans if o != span and o.start <= span.start and span.end <= o.end)
        if not any(inside):
            yield event


def _advice(how: str) -> Fix:
    return Fix(_ADVICE.get(how, _ADVICE_ON_ITEMS), Safety.DISPLAY)


def _as_choice(module: ModuleModel, event: TensorTest) -> Fix | None:
    """`tf.cond` in the place of a choice between two values."""
    choice = event.choice
    if choice is None or not choice.boolean or event.how not in {"if", "ternary"}:
        return None
    text = module.text(event.node)
    spelled = _cond(module)
    if spelled is None or "#" in text or ":=" in text or text.startswith("elif"):
        return None
    test, *sides = _parts(module, event, choice)
    if any("\n" in part for part in (test, *sides)):
        return None
    function, imports = spelled
    arguments = [test, *(f"lambda: {side}" for side in sides)]
    line = f"{choice.head}{function}({', '.join(arguments)})"
    edits = (*imports, Edit(module.span(event.node), line))
    return Fix("choose with `cond`, which the graph knows", Safety.UNSAFE, edits, _BOTH_SIDES)


def _parts(module: ModuleModel, event: TensorTest, choice: Choice) -> Iterator[str]:
    yield module.text(event.test)
    yield module.text(choice.body)
    if choice.orelse is None:
        yield choice.head.removesuffix(" = ")
    else:
        yield module.text(choice.orelse)


def _cond(module: ModuleModel) -> tuple[str, tuple[Edit, ...]] | None:
    """How the file writes `tf.cond` or `ops.cond`, the one that needs no import first."""
    names = ["tensorflow.cond", "keras.ops.cond"]
    found = [spelled for spelled in (rewrite.spell(module, n) for n in names) if spelled]
    return min(found, key=lambda spelled: len(spelled[1]), default=None)
