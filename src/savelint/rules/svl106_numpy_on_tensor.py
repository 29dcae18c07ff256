"""SVL106 numpy-on-tensor."""

from __future__ import annotations

from collections.abc import Iterator

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import clues
from savelint.keras.events import TensorRead
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Kind
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules.tracing import traced_classes

_COMPUTES = "numpy may compute in another dtype than the graph does"
# What numpy functions are called in TensorFlow, where they take the same arguments: one
# tensor, or two, or a tensor with `axis` and `keepdims`.
_ONE = {
    **dict.fromkeys("abs cos exp floor sign sin sqrt square tan tanh".split(), ""),
    "log": "math.log",
    "log1p": "math.log1p",
    "expm1": "math.expm1",
    "ceil": "math.ceil",
    "isnan": "math.is_nan",
    "isinf": "math.is_inf",
    "isfinite": "math.is_finite",
    "absolute": "abs",
    "zeros_like": "zeros_like",
    "ones_like": "ones_like",
}
_TWO = dict.fromkeys(("maximum", "minimum", "multiply", "subtract", "add", "divide"), "")
_REDUCING = {
    "sum": "reduce_sum",
    "mean": "reduce_mean",
    "prod": "reduce_prod",
    "any": "reduce_any",
    "max": "reduce_max",
    "amax": "reduce_max",
    "min": "reduce_min",
    "amin": "reduce_min",
    "all": "reduce_all",
    "std": "math.reduce_std",
    "var": "math.reduce_variance",
}
_OTHER = {
    ".numpy": "compute with the tensor itself",
    "builtins.float": "use `tf.cast`",
    "builtins.int": "use `tf.cast`",
}
_WAYS = (Way.CALL, Way.TRAIN, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS)
_NO_ARRAY = "NotImplementedError: Cannot convert a symbolic tf.Tensor"
_NO_NUMPY = "AttributeError: 'SymbolicTensor' object has no attribute 'numpy'"
_NO_REAL = "TypeError: must be real number, not SymbolicTensor"
_NO_FLOAT = "TypeError: float\\(\\) argument must be"
_NOT_BUILT = "ValueError: You cannot build your model"
_NEVER = "ValueError: The model provided has never called"


def _after_layers(message: str) -> dict[Keras, dict[Way, str]]:
    """How it fails behind the layers: they are never built before a reload."""
    lost = {Way.TRAIN: message, Way.KERAS: "DIFF", Way.SAVED_MODEL: "NO SIGNATURE"}
    return {
        Keras.V3: lost | {Way.EXPORT: _NEVER},
        Keras.V2: dict.fromkeys((Way.TRAIN, Way.SAVED_MODEL, Way.EXPORT), message)
        | {Way.KERAS: f"{message}|{_NOT_BUILT}"},
    }


_NET = """\
import math

import numpy as np
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs, training=False):
        x = self.dense(inputs)
        {body}
"""
_LAYER = """\
{imports}


class Squash(layers.Layer):
    def call(self, inputs):
        return self.squash(inputs)

    def squash(self, values):
        return {value}
"""
_OPS = "import numpy as np\nfrom keras import layers, ops"
_TF = "import numpy\nimport tensorflow as tf\nfrom tensorflow.keras import layers"


class NumpyOnTensor(Rule):
    """numpy, `float` or `math` asks a tensor for numbers that it does not have while traced.

    Consequence: called eagerly it works. `fit`, `predict` and `export` raise in both
    generations. In Keras 3 `tf.saved_model.save` writes no signature, and `.keras` loses the
    weights on reload, both without an exception; in Keras 2 saving, or loading the `.keras`
    file, raises. AutoGraph, in Keras 2, converts `float` and `int` for `fit` and `export`.
    In training only, `fit` raises in both, and in Keras 2 `tf.saved_model.save`. A warning
    where `call` must be asked for it by an argument, which no save does.

    Silent: numpy on a static shape (`np.prod(x.shape[1:])`), on an array or a constructor
    argument; `np.shape`, `np.ndim`; an array beside a tensor (`table * x`); the function
    that `tf.py_function` runs; code that runs eagerly only, or in a `try` that handles
    exceptions.

    Fix: a function that TensorFlow or `keras.ops` has too is taken from there (unsafe: the
    dtype may differ); anything else is for you to rewrite.
    """

    code = "SVL106"
    name = "numpy-on-tensor"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("numpy", "float", "int", "math", "eval", "get_value")
    clues = (frozenset({clues.NUMBERS}),)
    examples = (
        Example(
            variant="numpy-function",
            bad=_NET.format(body="return x - np.mean(x, axis=-1, keepdims=True)"),
            at="np.mean(x, axis=-1, keepdims=True)",
            good=_NET.format(body="return x - tf.reduce_mean(x, axis=-1, keepdims=True)"),
            witness=Witness(build="Net()", fails=_after_layers(_NO_ARRAY)),
        ),
        Example(
            variant="in-a-layer",
            bad=_LAYER.format(imports=_TF, value="values * numpy.exp(-values)"),
            at="numpy.exp(-values)",
            good=_LAYER.format(imports=_TF, value="values * tf.exp(-values)"),
            witness=Witness(
                build="Squash()",
                ways=(*_WAYS, Way.FUNCTIONAL),
                fails={
                    keras: dict.fromkeys((Way.FUNCTIONAL, *_WAYS[1:]), _NO_ARRAY) for keras in Keras
                },
            ),
        ),
        Example(
            variant="beside-keras-ops",
            bad=_LAYER.format(imports=_OPS, value="np.maximum(values, 0.1)"),
            at="np.maximum(values, 0.1)",
            good=_LAYER.format(imports=_OPS, value="ops.maximum(values, 0.1)"),
            witness=Witness(
                build="Squash()",
                ways=(*_WAYS, Way.FUNCTIONAL),
                fails={Keras.V3: dict.fromkeys((Way.FUNCTIONAL, *_WAYS[1:]), _NO_ARRAY)},
            ),
            keras=(Keras.V3,),
        ),
        Example(
            variant="numpy-method",
            bad=_NET.format(body="return x * tf.reduce_mean(x).numpy()"),
            at="tf.reduce_mean(x).numpy()",
            good=_NET.format(body="return x * tf.reduce_mean(x)"),
            witness=Witness(build="Net()", fails=_after_layers(_NO_NUMPY)),
        ),
        Example(
            variant="number",
            bad=_NET.format(body="return x * float(tf.reduce_mean(x))"),
            at="float(tf.reduce_mean(x))",
            good=_NET.format(body="return x * tf.reduce_mean(x)"),
            witness=Witness(
                build="Net()",
                fails={
                    Keras.V3: _after_layers(_NO_FLOAT)[Keras.V3],
                    Keras.V2: {Way.SAVED_MODEL: _NO_FLOAT, Way.KERAS: _NOT_BUILT},
                },
            ),
            fixed=False,
        ),
        Example(
            variant="math",
            bad=_NET.format(body="return x / math.sqrt(tf.shape(x)[-1])"),
            at="math.sqrt(tf.shape(x)[-1])",
            good=_NET.format(body="return x / math.sqrt(x.shape[-1])"),
            witness=Witness(build="Net()", fails=_after_layers(_NO_REAL)),
            fixed=False,
        ),
        Example(
            variant="keras-function",
            bad=_NET.format(body="return x * keras.backend.get_value(tf.reduce_mean(x))"),
            at="keras.backend.get_value(tf.reduce_mean(x))",
            good=_NET.format(body="return x * tf.reduce_mean(x)"),
            witness=Witness(build="Net()", fails=_after_layers(_NO_NUMPY)),
            fixed=False,
        ),
        Example(
            variant="training",
            bad=_NET.format(body="return x * np.std(x) if training else x"),
            at="np.std(x)",
            good=_NET.format(body="return x * tf.math.reduce_std(x) if training else x"),
            witness=Witness(
                build="Net()",
                fails={
                    Keras.V3: {Way.TRAIN: _NO_ARRAY},
                    Keras.V2: {Way.TRAIN: _NO_ARRAY, Way.SAVED_MODEL: _NO_ARRAY},
                },
            ),
        ),
    )
    silent = (
        """\
# Static shapes, arguments and arrays have numbers while the model is traced.
import math
import numpy as np
import tensorflow as tf
from tensorflow import keras

class Net(keras.layers.Layer):
    def __init__(self, rate, table, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.table = np.array(table, "float32")

    def call(self, inputs, depth=3):
        size = int(np.prod(inputs.shape[1:]))
        scale = math.sqrt(inputs.shape[-1]) * np.log(self.rate) * float(size)
        shift = np.mean(self.table) * np.exp(depth) * np.ndim(inputs)
        rows = np.shape(inputs)[-1] / np.sqrt(inputs.get_shape().as_list()[-1])
        return inputs * scale + shift * self.table[:3] * np.float32(rows)
""",
        """\
# A numpy array beside a tensor becomes a constant.
import numpy as np
import tensorflow as tf
from tensorflow import keras

class Net(keras.layers.Layer):
    def call(self, inputs):
        mask = np.triu(np.ones((3, 3), "float32"))
        return tf.matmul(inputs, mask) * np.linspace(0.0, 1.0, 3)
""",
        """\
# What py_function runs gets eager tensors (the operation is another rule's matter).
import numpy as np
import tensorflow as tf
from tensorflow import keras

def load(paths):
    def read(path):
        return np.load(path.numpy())
    return tf.data.Dataset.from_tensor_slices(paths).map(
        lambda path: tf.py_function(read, [path], tf.float32)
    )

class Net(keras.layers.Layer):
    def call(self, inputs):
        return inputs
""",
        """\
# Eagerly only, and where an exception is handled.
import numpy as np
import tensorflow as tf
from tensorflow import keras

class Net(keras.layers.Layer):
    def call(self, inputs):
        if tf.executing_eagerly():
            print(inputs.numpy(), np.mean(inputs))
        if hasattr(inputs, "numpy"):
            print(float(inputs.numpy().max()))
        try:
            print(inputs.numpy())
        except (AttributeError, NotImplementedError):
            pass
        return inputs
""",
        """\
# What a helper, or an early return, sends another way while it is traced.
import numpy as np
import tensorflow as tf
from tensorflow import keras

def in_tf_function():
    if tf is None:
        return False
    return not tf.executing_eagerly()

class Tokenizer(keras.layers.Layer):
    def _use_tf(self):
        if in_tf_function():
            return True
        return not self._allow_python

    def call(self, inputs):
        if not self._use_tf():
            return inputs.numpy().tolist()
        return inputs

class Show(keras.layers.Layer):
    def call(self, inputs):
        eager = tf.executing_eagerly()
        if eager:
            print(inputs.numpy())
        if tf.inside_function():
            return inputs
        print(inputs.numpy(), float(inputs[0, 0]))
        return inputs
""",
        """\
# An array, or a tensor of another library, has its numbers.
import numpy as np
import tensorflow as tf
from tensorflow import keras

class Convert(keras.layers.Layer):
    def call(self, inputs):
        if isinstance(inputs, np.ndarray):
            inputs = tf.constant(np.log(inputs))
        elif "torch.Tensor" in str(type(inputs)):
            inputs = tf.constant(inputs.detach().cpu().numpy())
        return inputs
""",
        """\
# AutoGraph converts float and int under tf.function, in both generations.
import tensorflow as tf
from tensorflow import keras

class Net(keras.layers.Layer):
    @tf.function
    def scale(self, values):
        return values * float(tf.reduce_mean(values))

    def call(self, inputs):
        return self.scale(inputs)
""",
        """\
# Not in `call`: a callback, a training script, TensorFlow's own numpy.
import numpy as np
import tensorflow as tf
import tensorflow.experimental.numpy as tnp
from tensorflow import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(tnp.exp(inputs))

    def evaluate_by_hand(self, inputs):
        return np.mean(self(inputs)), float(self(inputs).numpy().max())

net = Net()
print(np.exp(net(tf.zeros([4, 6])).numpy()))
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """What `call`, and what it calls, takes out of tensors."""
        for cls in traced_classes(module):
            for event in cls.flow("call").all(TensorRead):
                converted = event.converted or "call" in cls.traced
                if not (converted and _is_number(event)):
                    yield self._finding(module, cls, event)

    def _finding(self, module: ModuleModel, cls: KerasClass, event: TensorRead) -> Finding:
        # What AutoGraph converts, and what no save reaches: it calls a model on its input alone.
        mild = module.keras is Keras.V2 and _is_number(event)
        mild = mild or module.is_skipped(cls, event.node)
        text = module.text(event.node)
        called = ".numpy" if event.name == ".numpy" else text.partition("(")[0].strip()
        return self.finding(
            module,
            event.node,
            f"`{cls.name}.call` asks a tensor for its numbers with `{called}`:"
            " it has none while it is traced",
            variant=_variant(module, cls, event),
            severity=Severity.WARNING if mild else None,
            note="needs a number, and gets a symbolic tensor",
            fix=_renamed(module, event) or _unwrapped(module, event) or _advice(event),
        )


def _is_number(event: TensorRead) -> bool:
    """Whether AutoGraph converts it."""
    return event.name.startswith("builtins.")


def _variant(module: ModuleModel, cls: KerasClass, event: TensorRead) -> str:
    if event.in_training:
        return "training"
    if event.name == ".numpy":
        return "numpy-method"
    if event.name.startswith("numpy."):
        if "keras.ops" in module.summary.imported:
            return "beside-keras-ops"
        own = cls.outline.methods.get("call")
        inside = module.function_of(event.node) is own
        return "numpy-function" if inside or cls.kind is Kind.MODEL else "in-a-layer"
    kinds = {"builtins": "number", "math": "math"}
    return kinds.get(event.name.partition(".")[0], "keras-function")


def _advice(event: TensorRead) -> Fix:
    return Fix(
        _OTHER.get(event.name, "use the TensorFlow operation that does this"), Safety.DISPLAY
    )


def _renamed(module: ModuleModel, event: TensorRead) -> Fix | None:
    """The same function of TensorFlow, or of `keras.ops` where the file uses that."""
    head, _, short = event.name.rpartition(".")
    name = {**_ONE, **_TWO, **_REDUCING}.get(short)
    if head != "numpy" or name is None or not _fits(event, short):
        return None
    ways = {f"tensorflow.{name or short}": "TensorFlow", f"keras.ops.{short}": "Keras"}
    found = [(rewrite.spell(module, way), whose) for way, whose in ways.items()]
    known = [(spelled, whose) for spelled, whose in found if spelled is not None]
    if not known:
        return None
    (text, imports), whose = min(known, key=lambda item: len(item[0][1]))
    edits = (*imports, rewrite.replace(module, event.node.func, text))
    return Fix(f"use the function of that name of {whose}", Safety.UNSAFE, edits, _COMPUTES)


def _fits(event: TensorRead, short: str) -> bool:
    """Whether the arguments mean the same to the other function."""
    arguments = event.node.args
    if any(argument.star for argument in arguments):
        return False
    keywords = {argument.keyword.value for argument in arguments if argument.keyword}
    plain = len(arguments) - len(keywords)
    if short in _REDUCING:
        return plain in {1, 2} and keywords <= {"axis", "keepdims"}
    return not keywords and plain == (1 if short in _ONE else 2)


def _unwrapped(module: ModuleModel, event: TensorRead) -> Fix | None:
    """The tensor itself where `.numpy()` is only an operand."""
    use = module.use_of(event.node)
    if event.name != ".numpy" or (use.direct and use.role != "operand"):
        return None
    edit = rewrite.replace(module, event.node, module.text(event.argument))
    return Fix("compute with the tensor itself", Safety.UNSAFE, (edit,), _COMPUTES)
