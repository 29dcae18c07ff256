"""SVL202 untracked-variable."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.frozen import frozen
from savelint.keras.events import AttributeRead, AttributeStore, Flow
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Kind
from savelint.keras.values import (
    Argument,
    Array,
    ClassOutline,
    Const,
    Function,
    Instance,
    Seq,
    Table,
    Value,
    Variable,
    elements,
)
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import weights
from savelint.rules.weights import Verdict

if TYPE_CHECKING:
    import libcst as cst

_LAST_RESORT = Fix("create it by `self.add_weight(...)`", Safety.DISPLAY)
# The parameters of tf.Variable by position; those of K.variable.
_PARAMETERS = (
    "initial_value",
    "trainable",
    "validate_shape",
    "caching_device",
    "name",
    "variable_def",
    "dtype",
    "import_scope",
    "constraint",
    "synchronization",
    "aggregation",
    "shape",
)
_BACKEND_PARAMETERS = ("value", "dtype", "name", "constraint")
_KEPT = frozenset({"initial_value", "value", "trainable", "name", "dtype", "constraint"})
_ASSIGNING = frozenset({"assign", "assign_add", "assign_sub"})
_PLAIN_NAME = re.compile(r"[\w.\-]+")

_DIFFERS = {Way.KERAS: "DIFF: other outputs", Way.WEIGHTS: "DIFF: other outputs"}


def _lost(trained: int, of: int) -> dict[Keras, dict[Way, str]]:
    return {Keras.V3: {Way.TRAIN: f"UNTRAINED: {trained} of {of}", **_DIFFERS}}


_V3 = (Keras.V3,)


class UntrackedVariable(Rule):
    """A variable that Keras does not see is neither trained nor saved.

    Consequence: in Keras 3 a `tf.Variable` held by a layer or model, as attribute or in a
    list, dictionary or tuple, is absent from `weights`. `fit` never trains it, and it is in
    none of `.keras`, `.h5` and `.weights.h5`: a reload begins with its initial value,
    without any exception. Only a SavedModel has it. In both generations the same happens to
    a variable inside a plain object, or in a `tf.Module`, that the layer holds (which
    Keras 2 trains, but does not save to `.keras`).

    Silent: `tf.Module` classes themselves; attributes of Keras 2, which tracks them;
    losses, metrics and optimizers; variables that no method reads, or that the class saves
    or tracks itself. A variable that is not trained, not drawn at random and never assigned
    to in the file is a note, and a warning where `trainable` is computed.

    Fix: `self.add_weight(...)` with the same initial value, dtype, name and `trainable`
    (safe where an initializer gives that value), or `keras.Variable` in files that import
    `keras` (safe); unsafe where the variable goes to code that is not seen. Shown only
    where a Keras variable would not do, as for `scatter_nd_update`, `read_value` or
    `GradientTape.watch`, before `super().__init__()`, or for a helper object.
    """

    code = "SVL202"
    name = "untracked-variable"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("Variable", "variable")
    clues = (frozenset(mentions),)
    examples = (
        Example(
            variant="attribute",
            bad="""\
import tensorflow as tf
from tensorflow import keras


class Linear(keras.layers.Layer):
    def __init__(self, units=3, input_dim=6, **kwargs):
        super().__init__(**kwargs)
        w_init = tf.random_normal_initializer()
        self.w = tf.Variable(
            initial_value=w_init(shape=(input_dim, units), dtype="float32"),
            trainable=True,
        )

    def call(self, inputs):
        return tf.matmul(inputs, self.w)
""",
            at="""\
tf.Variable(
            initial_value=w_init(shape=(input_dim, units), dtype="float32"),
            trainable=True,
        )""",
            good="""\
import tensorflow as tf
from tensorflow import keras


class Linear(keras.layers.Layer):
    def __init__(self, units=3, input_dim=6, **kwargs):
        super().__init__(**kwargs)
        w_init = tf.random_normal_initializer()
        self.w = self.add_weight(
            name="w",
            shape=(input_dim, units),
            initializer=w_init,
        )

    def call(self, inputs):
        return tf.matmul(inputs, self.w)
""",
            witness=Witness(build="Linear()", fails=_lost(0, 1), trains=1),
            keras=_V3,
        ),
        Example(
            variant="build",
            bad="""\
import tensorflow as tf
from tensorflow.keras import layers


class Shift(layers.Layer):
    def build(self, input_shape):
        self.shift = tf.Variable(tf.zeros([input_shape[-1]]), name="shift", dtype=tf.float32)

    def call(self, inputs):
        return inputs + self.shift
""",
            at='tf.Variable(tf.zeros([input_shape[-1]]), name="shift", dtype=tf.float32)',
            good="""\
import tensorflow as tf
from tensorflow.keras import layers


class Shift(layers.Layer):
    def build(self, input_shape):
        self.shift = self.add_weight(
            name="shift",
            shape=[input_shape[-1]],
            initializer="zeros",
        )

    def call(self, inputs):
        return inputs + self.shift
""",
            witness=Witness(build="Shift()", fails=_lost(0, 1), trains=1),
            keras=_V3,
        ),
        Example(
            variant="state",
            bad="""\
import tensorflow as tf


class Temperature(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = tf.keras.layers.Dense(3)
        self.temperature = tf.Variable(2.5, trainable=False)

    def cool(self):
        self.temperature.assign(self.temperature * 0.9)

    def call(self, inputs):
        return self.dense(inputs) / self.temperature

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()
""",
            at="tf.Variable(2.5, trainable=False)",
            good="""\
import tensorflow as tf


class Temperature(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = tf.keras.layers.Dense(3)
        self.temperature = self.add_weight(
            name="temperature",
            shape=(),
            initializer=tf.keras.initializers.Constant(2.5),
            trainable=False,
        )

    def cool(self):
        self.temperature.assign(self.temperature * 0.9)

    def call(self, inputs):
        return self.dense(inputs) / self.temperature

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()
""",
            witness=Witness(build="Temperature()", fails={Keras.V3: _DIFFERS}, trains=2),
            keras=_V3,
        ),
        Example(
            variant="list",
            bad="""\
import tensorflow as tf
from tensorflow.keras.layers import Layer


class Chain(Layer):
    def __init__(self, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.kernels = []
        for index in range(depth):
            kernel = tf.Variable(tf.random.normal((6, 6), stddev=0.3), name=f"kernel_{index}")
            self.kernels.append(kernel)

    def call(self, inputs):
        for kernel in self.kernels:
            inputs = tf.matmul(inputs, kernel)
        return inputs
""",
            at='tf.Variable(tf.random.normal((6, 6), stddev=0.3), name=f"kernel_{index}")',
            good="""\
import tensorflow as tf
from tensorflow.keras.layers import Layer


class Chain(Layer):
    def __init__(self, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.kernels = []
        for index in range(depth):
            kernel = self.add_weight(
                name=f"kernel_{index}",
                shape=(6, 6),
                initializer=tf.keras.initializers.RandomNormal(stddev=0.3),
            )
            self.kernels.append(kernel)

    def call(self, inputs):
        for kernel in self.kernels:
            inputs = tf.matmul(inputs, kernel)
        return inputs
""",
            witness=Witness(build="Chain()", fails=_lost(0, 2), trains=2),
            keras=_V3,
        ),
        Example(
            variant="dict",
            bad="""\
import keras
import tensorflow as tf
from keras import ops


class Gains(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.gains = {"in": tf.Variable(ops.exp(keras.random.normal((6,))), name="gain")}

    def call(self, inputs):
        return ops.multiply(inputs, self.gains["in"])
""",
            at='tf.Variable(ops.exp(keras.random.normal((6,))), name="gain")',
            good="""\
import keras
import tensorflow as tf
from keras import ops


class Gains(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.gains = {
            "in": keras.Variable(ops.exp(keras.random.normal((6,))), name="gain"),
        }

    def call(self, inputs):
        return ops.multiply(inputs, self.gains["in"])
""",
            witness=Witness(build="Gains()", fails=_lost(0, 1), trains=1),
            keras=_V3,
        ),
        Example(
            variant="backend",
            bad="""\
import numpy as np
from tensorflow.keras import backend as K
from tensorflow.keras.layers import Layer


class Scale(Layer):
    def build(self, input_shape):
        self.scale = K.variable(np.random.rand(6) + 0.5, name="scale")

    def call(self, inputs):
        return inputs * self.scale
""",
            at='K.variable(np.random.rand(6) + 0.5, name="scale")',
            good="""\
import numpy as np
from tensorflow.keras import backend as K
from tensorflow.keras.layers import Layer
from tensorflow.keras import initializers


class Scale(Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(
            name="scale",
            shape=(6,),
            initializer=initializers.Constant(np.random.rand(6) + 0.5),
        )

    def call(self, inputs):
        return inputs * self.scale
""",
            witness=Witness(build="Scale()", fails=_lost(0, 1), trains=1),
            keras=_V3,
        ),
        Example(
            variant="helper",
            bad="""\
import tensorflow as tf
from tensorflow import keras


class Affine:
    def __init__(self):
        self.scale = tf.Variable(tf.random.normal((6,)))

    def __call__(self, x):
        return x * self.scale


class Net(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.affine = Affine()

    def call(self, inputs):
        return self.affine(inputs)
""",
            at="Affine()",
            good="""\
import tensorflow as tf
from tensorflow import keras


class Affine(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.scale = self.add_weight(name="scale", shape=(6,), initializer="random_normal")

    def call(self, x):
        return x * self.scale


class Net(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.affine = Affine()

    def call(self, inputs):
        return self.affine(inputs)
""",
            witness=Witness(
                build="Net()",
                fails={
                    k: {
                        Way.TRAIN: "UNTRAINED: 0 of 1",
                        Way.SAVED_MODEL: "AssertionError",
                        **_DIFFERS,
                    }
                    for k in Keras
                },
                trains=1,
            ),
            fixed=False,
        ),
        Example(
            variant="module",
            bad="""\
import tensorflow as tf
from tensorflow import keras


class Affine(tf.Module):
    def __init__(self):
        super().__init__()
        self.scale = tf.Variable(tf.random.normal((6,)))


class Net(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.affine = Affine()

    def call(self, inputs):
        return inputs * self.affine.scale
""",
            at="Affine()",
            good="""\
import tensorflow as tf
from tensorflow import keras


class Affine(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.scale = self.add_weight(name="scale", shape=(6,), initializer="random_normal")


class Net(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.affine = Affine()

    def call(self, inputs):
        return inputs * self.affine.scale
""",
            witness=Witness(
                build="Net()",
                fails={
                    Keras.V2: _DIFFERS,
                    Keras.V3: {Way.TRAIN: "UNTRAINED: 0 of 1", **_DIFFERS},
                },
                trains=1,
            ),
            fixed=False,
        ),
    )
    silent = (
        """\
# A tf.Module has its variables in its own checkpoint, and no Keras layer holds it.
import tensorflow as tf
from tensorflow import keras


class Shift(tf.Module):
    def __init__(self):
        super().__init__()
        self.shift = tf.Variable(tf.zeros([6]))

    def __call__(self, inputs):
        return inputs + self.shift
""",
        """\
# Metrics, losses and optimizers are not saved with their variables in this way.
import tensorflow as tf
from tensorflow import keras


class Count(keras.metrics.Metric):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.count = tf.Variable(0.0)

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.count.assign_add(1.0)

    def result(self):
        return self.count
""",
        """\
# Nothing reads it after construction.
import tensorflow as tf
from tensorflow import keras


class Idle(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.spare = tf.Variable(tf.zeros([6]))

    def reset(self):
        self.spare.assign(tf.zeros([6]))

    def call(self, inputs):
        return inputs
""",
        """\
# Weights, in every way that Keras 3 tracks them.
import keras
from keras import ops


class Tracked(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scale = keras.Variable(ops.ones((6,)))
        self.shifts = [keras.Variable(ops.zeros((6,))) for _ in range(2)]

    def build(self, input_shape):
        self.bias = self.add_weight(shape=(6,), initializer="zeros", name="bias")

    def call(self, inputs):
        return inputs * self.scale + self.shifts[0] + self.bias
""",
        """\
# The attribute becomes a weight before anything reads it.
import tensorflow as tf
from tensorflow import keras


class Shift(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.shift = tf.Variable(tf.zeros([6]))

    def build(self, input_shape):
        self.shift = self.add_weight(name="shift", shape=(6,), initializer="zeros")

    def call(self, inputs):
        return inputs + self.shift
""",
        """\
# The class saves the variable itself.
import tensorflow as tf
from tensorflow import keras


class Annealed(keras.layers.Layer):
    def __init__(self, rate=1.0, **kwargs):
        super().__init__(**kwargs)
        self.rate = tf.Variable(rate, trainable=False)

    def call(self, inputs):
        return inputs * self.rate

    def get_config(self):
        return {**super().get_config(), "rate": float(self.rate.numpy())}


class Stored(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.shift = tf.Variable(tf.zeros([6]))

    def save_own_variables(self, store):
        store["shift"] = self.shift.numpy()

    def load_own_variables(self, store):
        self.shift.assign(store["shift"])

    def call(self, inputs):
        return inputs + self.shift
""",
        """\
# Helpers without variables, or with variables that `call` does not reach, and layers.
import tensorflow as tf
from tensorflow import keras


class Helper:
    def __init__(self):
        self.factor = 2.0
        self.spare = tf.Variable(1.0)

    def __call__(self, x):
        return x * self.factor


class Inner(keras.layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=(6,), initializer="ones")

    def call(self, inputs):
        return inputs * self.scale


class Net(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.helper = Helper()
        self.inner = Inner()

    def call(self, inputs):
        return self.inner(self.helper(inputs))
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Variables held by layers themselves (Keras 3), then those in what layers hold."""
        seen: set[int] = set()
        for cls in module.classes:
            for holder, store in weights.constructed(module, cls) if cls.kind.is_layer else ():
                made = _variables(module, store) if module.keras is Keras.V3 else []
                for index, variable in enumerate(made):
                    finding = self._held(module, cls, holder, store, variable, index)
                    if finding is not None and id(variable.node) not in seen:
                        seen.add(id(variable.node))
                        yield finding
                finding = None if made else self._in_helper(module, cls, store)
                if finding is not None and id(store.value_node) not in seen:
                    seen.add(id(store.value_node))
                    yield finding

    def _held(
        self,
        module: ModuleModel,
        cls: KerasClass,
        holder: KerasClass,
        store: AttributeStore,
        variable: Variable,
        index: int,
    ) -> Finding | None:
        read = _first_read(module, cls, store.name)
        if read is None or _is_replaced(module, cls, store):
            return None
        if weights.is_kept(module, cls, store.name):
            return None
        given = _Given.of(module, variable)
        is_state = given.text("trainable") == "False" or given.is_integral(variable)
        return self.finding(
            module,
            variable.node if _is_inside(module, variable.node, store) else store.value_node,
            f"`self.{store.name}` of `{cls.name}` is a `{given.function}`, which Keras 3"
            + (" does not save" if is_state else " neither trains nor saves"),
            variant=_variant(store, given, is_state),
            severity=_severity(module, store, variable, given),
            note="absent from `weights`",
            labels=[(read.node, f"`{read.method}` reads it")],
            fix=_fix(module, cls, holder, store, variable, given, _label(module, store, index)),
        )

    def _in_helper(
        self, module: ModuleModel, cls: KerasClass, store: AttributeStore
    ) -> Finding | None:
        helpers = [v for v in elements(store.value) if isinstance(v, Instance) and v.outline]
        for helper in helpers:
            found = _used_variable(module, cls, store, helper)
            if found is None or helper.outline is None:
                continue
            variable, name = found
            is_module = helper.kind is not None
            kind = "tf.Module" if is_module else "plain object"
            return self.finding(
                module,
                store.value_node,
                f"`self.{store.name}` of `{cls.name}` is a {kind} with a variable"
                " that Keras does not save",
                variant="module" if is_module else "helper",
                note=f"a `{helper.outline.name}`, not a layer",
                labels=[
                    (variable.node, f"`{helper.outline.name}.{name}` is absent from `weights`")
                ],
                fix=Fix(
                    f"make `{helper.outline.name}` a `keras.layers.Layer` that creates it by"
                    " `self.add_weight(...)`",
                    Safety.DISPLAY,
                ),
            )
        return None


# ---------------------------------------------------------------------- what is reported


def _variables(module: ModuleModel, store: AttributeStore) -> list[Variable]:
    """The variables of TensorFlow's own in the value of an attribute."""
    return [
        value
        for value in elements(store.value)
        if isinstance(value, Variable)
        and value.origin == "tensorflow"
        and not _raises_anyway(module, value)
    ]


def _raises_anyway(module: ModuleModel, variable: Variable) -> bool:
    """Whether it is `keras.backend.variable`, which Keras 3 has under `tf.keras` only."""
    head = module.text(variable.node.func).partition(".")[0]
    origin = module.summary.names.get(head, "")
    return f"{origin}.".startswith("keras.") and not origin.startswith("keras._tf_keras")


def _first_read(module: ModuleModel, cls: KerasClass, name: str) -> AttributeRead | None:
    """The first place after construction that takes the value of a variable."""
    methods = list(weights.later_methods(cls))
    for method in sorted(methods, key=lambda method: method != "call"):
        for read in weights.reads(module, cls, name, method):
            use = module.use_of(read.node)
            if use.role == "member" and use.name in _ASSIGNING | {"shape", "dtype", "name"}:
                continue
            if use.role != "tested":
                return read
    return None


def _is_replaced(module: ModuleModel, cls: KerasClass, store: AttributeStore) -> bool:
    """Whether construction goes on to give the attribute another value in any case."""
    stores = [other for _, other in weights.constructed(module, cls) if other.name == store.name]
    return any(
        other.how == "assign" and not other.conditional and other.value != Const(None)
        for other in stores[stores.index(store) + 1 :]
    )


def _severity(
    module: ModuleModel, store: AttributeStore, variable: Variable, given: _Given
) -> Severity:
    """Milder where the file never changes the numbers, and a new object begins with the same."""
    trainable = given.text("trainable")
    trained = trainable in {"", "True", "None"} and not given.is_integral(variable)
    initial = elements(variable.initial)
    if trained or any(isinstance(v, Array) and v.origin == "random" for v in initial):
        return Severity.ERROR
    name = rf"\b{re.escape(store.name)}\b"
    method = rf"{name}[^=\n]*\.(?:assign|scatter_)"
    function = rf"\b(?:assign|\w*update|set_value)\w*\([^\n]*{name}"
    if re.search(rf"{method}|{function}|\bsetattr\(", module.source.text):
        return Severity.ERROR
    untrained = trainable == "False" or given.is_integral(variable)
    return Severity.NOTE if untrained else Severity.WARNING


def _is_inside(module: ModuleModel, node: cst.CSTNode, store: AttributeStore) -> bool:
    """Whether a variable is made in the method that stores it."""
    function = module.function_of(store.target)
    if function is None:
        return False
    outer, inner = module.span(function), module.span(node)
    return outer.start <= inner.start and inner.end <= outer.end


def _variant(store: AttributeStore, given: _Given, is_state: bool) -> str:
    if given.function.rpartition(".")[2] == "variable":
        return "backend"
    if not isinstance(store.value, Variable) or store.how != "assign":
        return "dict" if isinstance(store.value, Table) else "list"
    if is_state:
        return "state"
    return "build" if store.method == "build" else "attribute"


def _used_variable(
    module: ModuleModel, cls: KerasClass, store: AttributeStore, helper: Instance
) -> tuple[Variable, str] | None:
    """A variable of a helper object that `call` takes the value of, with its name."""
    outline = helper.outline
    flows = _flows_of(module, outline) if outline else {}
    for inner in flows.get("__init__", Flow()).all(AttributeStore):
        if inner.owner is not outline:
            continue
        for value in elements(inner.value):
            if (
                isinstance(value, Variable)
                and value.origin != "weight"
                and _reaches(module, cls, store.name, inner.name, flows)
            ):
                return value, inner.name
    return None


def _flows_of(module: ModuleModel, outline: ClassOutline) -> Mapping[str, Flow]:
    for held in module.held:
        if held.outline is outline:
            return held.flows
    modules = (cls for cls in module.classes if cls.kind is Kind.MODULE)
    return next((cls.flows for cls in modules if cls.outline is outline), {})


def _reaches(
    module: ModuleModel,
    cls: KerasClass,
    attribute: str,
    name: str,
    flows: Mapping[str, Flow],
) -> bool:
    """Whether `call` reads `self.attribute.name`, or calls what reads it."""
    for read in weights.reads(module, cls, attribute, "call"):
        use = module.use_of(read.node)
        member = "__call__" if use.role == "called" else use.name
        if member == name and use.role == "member":
            return True
        inner = flows.get(member, Flow()) if use.role in {"member", "called"} else Flow()
        if any(reached.name == name for reached in inner.all(AttributeRead)):
            return True
    return False


# ---------------------------------------------------------------------- fixes


@frozen
class _Given:
    """The arguments of a call that makes a variable, by the names of its parameters."""

    function: str
    nodes: Mapping[str, cst.BaseExpression]
    texts: Mapping[str, str]
    is_open: bool

    @classmethod
    def of(cls, module: ModuleModel, variable: Variable) -> _Given:
        function = module.text(variable.node.func)
        backend = function.rpartition(".")[2] == "variable"
        if not backend and not function.endswith("Variable"):
            function = "tf.Variable"  # by another name
        names = _BACKEND_PARAMETERS if backend else _PARAMETERS
        nodes: dict[str, cst.BaseExpression] = {}
        for position, argument in enumerate(variable.node.args):
            keyword = argument.keyword.value if argument.keyword else ""
            nodes[keyword or names[min(position, len(names) - 1)]] = argument.value
        texts = {name: module.text(node) for name, node in nodes.items()}
        is_open = any(argument.star for argument in variable.node.args)
        return cls(function, nodes, texts, is_open)

    def text(self, name: str) -> str:
        """The source of an argument, empty where it is not given."""
        return self.texts.get(name, "")

    @property
    def initial(self) -> cst.BaseExpression | None:
        """The node of the initial value."""
        return self.nodes.get("initial_value", self.nodes.get("value"))

    @property
    def is_plain(self) -> bool:
        """Whether a weight can have all that is given."""
        idle = {"None", "True"}
        return not self.is_open and all(
            name in _KEPT or text in idle for name, text in self.texts.items()
        )

    def dtype(self, variable: Variable) -> str | None:
        """The name of the dtype where it is known."""
        written = self.text("dtype").rpartition(".")[2].strip("\"'")
        if written and written != "None":
            return written if re.fullmatch(r"\w+\d*", written) else None
        if "value" in self.nodes:
            return "float32"  # K.variable takes Keras' own
        initial = variable.initial
        if isinstance(initial, Array):
            return initial.dtype
        number = initial.value if isinstance(initial, Const) else None
        kinds = {bool: "bool", int: "int32", float: "float32", str: "string"}
        return kinds.get(type(number))

    def is_integral(self, variable: Variable) -> bool:
        """Whether it holds what no gradient can train."""
        return bool(re.match("u?int|bool|string", self.dtype(variable) or ""))


def _fix(
    module: ModuleModel,
    cls: KerasClass,
    holder: KerasClass,
    store: AttributeStore,
    variable: Variable,
    given: _Given,
    label: str,
) -> Fix:
    """`self.add_weight(...)`, else `keras.Variable(...)`, in the place of a `tf.Variable`."""
    if given.dtype(variable) == "string":
        return Fix("save it outside the model: Keras has no string weights", Safety.DISPLAY)
    worst = weights.verdict(module, cls, store, array=False)
    if (
        worst is Verdict.BROKEN
        or not given.is_plain
        or isinstance(variable.initial, Function)
        or not _is_inside(module, variable.node, store)
        or not weights.is_after_super(module, holder, store)
    ):
        return _LAST_RESORT
    fix = _as_weight(module, store, variable, given, label)
    fix = fix or _as_keras_variable(module, variable, given) or _LAST_RESORT
    elsewhere = isinstance(store.value, Variable) and store.value_node is not variable.node
    if fix.safety is Safety.SAFE and (elsewhere or worst is not Verdict.FINE):
        reason = "a Keras variable takes the place of a `tf.Variable` in other code"
        return replace(fix, safety=Safety.UNSAFE, reason=reason)
    return fix


def _as_weight(
    module: ModuleModel, store: AttributeStore, variable: Variable, given: _Given, label: str
) -> Fix | None:
    """`self.add_weight(...)` with the value, dtype, name and `trainable` of the variable."""
    initial, node = variable.initial, given.initial
    if node is None:
        return None
    if isinstance(initial, Array) and not weights.is_written_at(module, node, initial):
        initial = replace(initial, shape=None)
    begin = weights.start(module, initial) or _constant(module, node, initial)
    dtype = given.dtype(variable)
    if begin is None or dtype is None:
        return None
    arguments = [_name(module, given, label)]
    if dtype != "float32":
        written = given.text("dtype")
        known = written if written not in {"", "None"} else weights.quoted(module, dtype)
        arguments.append(f"dtype={known}")
    arguments += _common(variable, given)
    added = weights.weight(module, store, variable.node, begin, arguments)
    safety = Safety.UNSAFE if begin.doubt else Safety.SAFE
    return Fix("create it by `add_weight`", safety, (*begin.imports, added), begin.doubt)


def _constant(
    module: ModuleModel, node: cst.BaseExpression, initial: Value
) -> weights.Start | None:
    """The initial value itself as an initializer, where its shape can be written."""
    text = module.text(node)
    if isinstance(initial, Array) and (initial.shape or text.isidentifier()):
        return weights.constant(module, initial.shape or f"{text}.shape", text)
    found = rewrite.spell(module, "numpy.shape")
    if not text.isidentifier() or found is None or not _is_data(initial):
        return None
    begin = weights.constant(module, f"{found[0]}({text})", text)
    if begin is None:
        return None
    doubt = f"`{text}` must be a number or an array"
    return replace(begin, imports=(*begin.imports, *found[1]), doubt=doubt)


def _is_data(value: Value) -> bool:
    return value is None or isinstance(value, (Argument, Seq))


def _as_keras_variable(module: ModuleModel, variable: Variable, given: _Given) -> Fix | None:
    """`keras.Variable(...)` with the same arguments, in a file that imports `keras` itself."""
    found = rewrite.spell(module, "keras.Variable")
    dtype = given.dtype(variable)
    unfit = variable.initial == Const(None) or re.match("string|complex", dtype or "")
    if found is None or given.initial is None or unfit:
        return None
    arguments = [module.text(given.initial)]
    if given.text("dtype") not in {"", "None"}:
        arguments.append(f"dtype={given.text('dtype')}")
    elif isinstance(variable.initial, Const) and dtype is not None:
        arguments.append(f"dtype={weights.quoted(module, dtype)}")
    arguments += _common(variable, given)
    name = given.text("name")
    if name not in {"", "None"} and "/" not in name:
        arguments.append(f"name={name}")
    text = f"{found[0]}({', '.join(arguments)})"
    edits = (*found[1], rewrite.replace(module, variable.node, text))
    how = "make it a `keras.Variable`"
    if dtype is not None:
        return Fix(how, Safety.SAFE, edits)
    return Fix(how, Safety.UNSAFE, edits, "Keras makes floats of Python's own numbers")


def _common(variable: Variable, given: _Given) -> Iterable[str]:
    """`trainable` and `constraint` as they were; what no gradient reaches is not trained."""
    trainable = given.text("trainable")
    if trainable not in {"", "True", "None"}:
        yield f"trainable={trainable}"
    elif given.is_integral(variable):
        yield "trainable=False"
    if given.text("constraint") not in {"", "None"}:
        yield f"constraint={given.text('constraint')}"


def _name(module: ModuleModel, given: _Given, label: str) -> str:
    """`name=`: the variable's own, where Keras takes it, else by its attribute."""
    own = given.text("name")
    if re.fullmatch(r"""(["'])(.*)\1""", own):
        plain = "_".join(_PLAIN_NAME.findall(own[1:-1]))
        if plain:
            return f"name={own[0]}{plain}{own[0]}"
    elif own not in {"", "None"} and "/" not in own:
        return f"name={own}"
    return weights.name_argument(module, label)


def _label(module: ModuleModel, store: AttributeStore, index: int) -> str:
    """A name for a variable by the attribute that holds it, with its place in a list."""
    several = len(_variables(module, store)) > 1
    return f"{store.name}_{index}" if several else store.name
