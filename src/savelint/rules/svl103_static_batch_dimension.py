"""SVL103 static-batch-dimension."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras import clues
from savelint.keras.events import NumberUse, ShapeUse, SymbolicUnpacking
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Family
from savelint.keras.values import Dim, Shape, dimensions
from savelint.rule import Example, Rule, Way, Witness

if TYPE_CHECKING:
    import libcst as cst

# Operations of the table of shapes that want a Python number and nothing else.
_NUMBERS_ONLY = frozenset({"linspace"})
_FIRST = ".shape[0]"


_NET = """\
import tensorflow as tf


class Padded(tf.keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = tf.keras.layers.Dense(3)

    def call(self, inputs):
"""
# A layer that cannot be traced fails when the functional model around it is made, and so
# on every way that such a model goes.
_WAYS = (Way.FUNCTIONAL, Way.TRAIN, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS)
_FAILS = {keras: dict.fromkeys(_WAYS, "TypeError|ValueError") for keras in Keras}


@dataclass
class _Read:
    """One place where the batch dimension is read, and all that is known to use it."""

    value: Dim | Shape
    uses: list[ShapeUse | NumberUse] = field(default_factory=list)

    @property
    def node(self) -> cst.BaseExpression:
        """The expression that reads it."""
        return self.value.read if isinstance(self.value, Dim) else self.value.node


class StaticBatchDimension(Rule):
    """The batch dimension is read as a Python number, which is None while tracing.

    Consequence: eager calls and `fit` on full batches work, which is why nobody notices.
    `export` raises, and so does the construction of a functional model that uses the
    layer, in both generations; Keras 2 also in `tf.saved_model.save`. In Keras 3 that one
    records the sample's batch size instead. Unpacking `tf.shape(x)` iterates over a
    symbolic tensor, which raises wherever the model is traced. A warning where `call` must
    be asked for it by an argument, which no save does.

    Silent: other dimensions, shapes of weights and constants, the rank, comparisons with
    `==`, `print` and `assert`, `x.shape[0] or tf.shape(x)[0]`, what is asked `is None`,
    code under `tf.executing_eagerly()`.

    Fix: `tf.shape(x)[0]`, or `keras.ops.shape(x)[0]` where it goes to `keras.ops` (safe
    where every use is the shape of an operation; unsafe where the name is used further), with
    what else is read so for the same shape.
    An unpacking is split into the static part and the dynamic batch size; an unpacking
    of `tf.shape(x)` goes through `tf.unstack` (safe). Where a Python number is needed,
    such as `range`, there is none.
    """

    code = "SVL103"
    name = "static-batch-dimension"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("shape", "len(")
    clues = (frozenset({clues.STATIC_SHAPE, clues.LENGTH}),)
    examples = (
        Example(
            variant="dimension",
            bad=_NET
            + """\
        batch = inputs.shape[0]
        return tf.concat([self.dense(inputs), tf.zeros([batch, 1])], axis=1)
""",
            at="inputs.shape[0]",
            good=_NET
            + """\
        batch = tf.shape(inputs)[0]
        return tf.concat([self.dense(inputs), tf.zeros([batch, 1])], axis=1)
""",
            witness=Witness(build="Padded()", ways=_WAYS, fails=_FAILS),
        ),
        Example(
            variant="two-dimensions",
            bad="""\
import tensorflow as tf
from tensorflow.keras import layers


class Similarity(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.sides = [layers.Dense(4), layers.Dense(4)]

    def call(self, inputs):
        left, right = tf.nest.map_structure(lambda side: side(inputs), self.sides)
        scores = tf.matmul(left, right, transpose_b=True)
        scores = tf.reshape(scores, (left.shape[0], -1, inputs.shape[0]))
        return tf.reduce_sum(scores, axis=-1)
""",
            at="inputs.shape[0]",
            good="""\
import tensorflow as tf
from tensorflow.keras import layers


class Similarity(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.sides = [layers.Dense(4), layers.Dense(4)]

    def call(self, inputs):
        left, right = tf.nest.map_structure(lambda side: side(inputs), self.sides)
        scores = tf.matmul(left, right, transpose_b=True)
        scores = tf.reshape(scores, (tf.shape(left)[0], -1, tf.shape(inputs)[0]))
        return tf.reduce_sum(scores, axis=-1)
""",
            witness=Witness(build="Similarity()", ways=_WAYS, fails=_FAILS),
        ),
        Example(
            variant="unpacking",
            bad=_NET
            + """\
        # batch, columns
        b, n = inputs.shape
        ones = tf.tile(tf.ones([1, n // 2]), [b, 1])
        return tf.concat([self.dense(inputs), ones], axis=1)
""",
            at="b",
            good=_NET
            + """\
        # batch, columns
        b = tf.shape(inputs)[0]
        _, n = inputs.shape
        ones = tf.tile(tf.ones([1, n // 2]), [b, 1])
        return tf.concat([self.dense(inputs), ones], axis=1)
""",
            witness=Witness(build="Padded()", ways=_WAYS, fails=_FAILS),
        ),
        Example(
            variant="whole-shape",
            bad=_NET
            + """\
        noise = tf.random.normal(inputs.shape)
        return self.dense(inputs + 0.0 * noise)
""",
            at="inputs.shape",
            good=_NET
            + """\
        noise = tf.random.normal(tf.shape(inputs))
        return self.dense(inputs + 0.0 * noise)
""",
            witness=Witness(build="Padded()", ways=_WAYS, fails=_FAILS),
        ),
        Example(
            variant="length",
            bad=_NET
            + """\
        return tf.reshape(self.dense(inputs), [len(inputs), 3, 1])
""",
            at="len(inputs)",
            good=_NET
            + """\
        return tf.reshape(self.dense(inputs), [tf.shape(inputs)[0], 3, 1])
""",
            witness=Witness(
                build="Padded()",
                ways=_WAYS,
                fails={
                    Keras.V2: dict.fromkeys(
                        (Way.SAVED_MODEL, Way.EXPORT), "len is not well defined"
                    ),
                    Keras.V3: dict.fromkeys(_WAYS, "len is not well defined"),
                },
            ),
        ),
        Example(
            variant="number",
            bad=_NET
            + """\
        total = tf.reduce_sum(inputs, axis=0, keepdims=True)
        return self.dense(inputs - total / inputs.shape[0])
""",
            at="inputs.shape[0]",
            good=_NET
            + """\
        total = tf.reduce_sum(inputs, axis=0, keepdims=True)
        return self.dense(inputs - total / tf.cast(tf.shape(inputs)[0], inputs.dtype))
""",
            witness=Witness(build="Padded()", ways=_WAYS, fails=_FAILS),
            fixed=False,
        ),
        Example(
            variant="conversion",
            bad=_NET
            + """\
        rows = int(inputs.get_shape().as_list()[0])
        return tf.concat([self.dense(inputs), tf.ones((rows, 1))], axis=1)
""",
            at="int(inputs.get_shape().as_list()[0])",
            good=_NET
            + """\
        rows = tf.shape(inputs)[0]
        return tf.concat([self.dense(inputs), tf.ones((rows, 1))], axis=1)
""",
            witness=Witness(build="Padded()", ways=_WAYS, fails=_FAILS),
        ),
        Example(
            variant="symbolic-unpacking",
            bad=_NET
            + """\
        b, n = tf.shape(inputs)
        return tf.reshape(self.dense(inputs), [-1, 3, n // 6])
""",
            at="tf.shape(inputs)",
            good=_NET
            + """\
        b, n = tf.unstack(tf.shape(inputs), num=2)
        return tf.reshape(self.dense(inputs), [-1, 3, n // 6])
""",
            witness=Witness(
                build="Padded()",
                ways=_WAYS,
                fails={
                    keras: dict.fromkeys(_WAYS, "OperatorNotAllowedInGraphError") for keras in Keras
                },
            ),
        ),
    )
    silent = (
        """\
# What is given is one example or a batch of them, of which the method gets one at a time.
import tensorflow as tf

class Shift(tf.keras.layers.Layer):
    def shift(self, inputs):
        points = inputs["points"]
        return tf.reshape(points, [points.shape[0], -1])

    def call(self, inputs):
        points = inputs["points"]
        if points.shape.rank == 3:
            return self.shift(inputs)
        return tf.map_fn(self.shift, inputs, fn_output_signature=tf.float32)
""",
        """\
# In training only: neither export nor construction ever gets there.
import tensorflow as tf

class Calibrate(tf.keras.layers.Layer):
    def call(self, x, training=False):
        if training:
            return x + tf.fill(x.shape, 0.5)
        return tf.sigmoid(x)
""",
        """\
# A mask taken out of a list is one for all examples, with rows of its own.
import tensorflow as tf

class Attend(tf.keras.layers.Layer):
    def call(self, inputs):
        x, mask = inputs[0], inputs[1]
        windows = mask.get_shape()[0]
        return tf.reshape(x, (-1, windows, 2, 3)) + mask
""",
        """\
# The length of a list that is iterated over.
import tensorflow as tf

class Share(tf.keras.layers.Layer):
    def call(self, inputs):
        parts = [tf.reshape(part, [-1]) for part in inputs]
        return tf.reshape(tf.stack(parts), [len(inputs), -1])
""",
        """\
# The dynamic size steps in where the static one is unknown.
import tensorflow as tf

class Net(tf.keras.layers.Layer):
    def call(self, x):
        batch = x.shape[0] or tf.shape(x)[0]
        rows = x.shape[0] if x.shape[0] is not None else tf.shape(x)[0]
        return tf.reshape(x, [batch, -1]) + tf.zeros([rows, 1])
""",
        """\
# The usual helper: static where known, dynamic where not.
import tensorflow as tf

def shape_list(tensor):
    static = tensor.shape.as_list()
    dynamic = tf.shape(tensor)
    return [dynamic[i] if s is None else s for i, s in enumerate(static)]

class Net(tf.keras.layers.Layer):
    def call(self, x):
        b, n, c = shape_list(x)
        return tf.reshape(x, [b, n * c])
""",
        """\
# The other usual helper: it completes the static shape item by item.
import tensorflow as tf

def get_shape(tensor):
    shape = tensor.shape.as_list()
    unknown = [index for index, dim in enumerate(shape) if dim is None]
    if not unknown:
        return shape
    dynamic = tf.shape(tensor)
    for index in unknown:
        shape[index] = dynamic[index]
    return shape

class Net(tf.keras.layers.Layer):
    def call(self, x):
        shape = get_shape(x)
        return tf.reshape(x, [shape[0], shape[1] * shape[2]])
""",
        """\
# Other dimensions are static; the batch that was unpacked is not used.
import tensorflow as tf

class Net(tf.keras.layers.Layer):
    def call(self, x):
        b, n, c = x.shape
        return tf.reshape(x, [-1, n * c]) + tf.zeros([x.shape[1] * x.shape[2]])
""",
        """\
# Shapes of weights and of constants are known.
import tensorflow as tf

class Net(tf.keras.layers.Layer):
    def build(self, input_shape):
        self.table = self.add_weight(name="table", shape=(5, 3))

    def call(self, x):
        rows = self.table.shape[0]
        mask = tf.linalg.band_part(tf.ones([7, 7]), -1, 0)
        return x + tf.zeros([rows, mask.shape[0]])
""",
        """\
# It is asserted, printed and compared, never used as a size.
import tensorflow as tf

class Net(tf.keras.layers.Layer):
    def call(self, x):
        assert x.shape[0] == 4, f"wrong batch {x.shape[0]}"
        print(x.shape[0], len(x.shape))
        if x.shape[0] == 1:
            return x
        return x * 2.0
""",
        """\
# Runs eagerly only.
import tensorflow as tf

class Net(tf.keras.layers.Layer):
    def call(self, x):
        if tf.executing_eagerly():
            tf.print(tf.zeros([x.shape[0]]))
        return x
""",
        """\
# The length of a list of tensors.
import tensorflow as tf

class Merge(tf.keras.layers.Layer):
    def call(self, inputs):
        total = tf.zeros([len(inputs)])
        return inputs[0] + inputs[1] + tf.reduce_sum(total)
""",
        """\
# Time comes first: the batch is read dynamically, from another axis.
import tensorflow as tf

class TimeMajor(tf.keras.layers.Layer):
    def call(self, inputs):
        tokens = inputs["tokens"]
        batch = tf.shape(tokens)[1]
        steps = tokens.shape.as_list()[0]
        return tf.zeros([steps, batch, 8])
""",
        """\
# `ops.shape` gives a tuple, which can be unpacked.
import keras
from keras import ops

class Net(keras.layers.Layer):
    def call(self, x):
        b, n = ops.shape(x)
        return ops.reshape(x, (b, n, 1))
""",
        """\
# Static sizes of what was made here, and of one example out of the batch.
import tensorflow as tf

class Net(tf.keras.layers.Layer):
    def call(self, x):
        first = x[0]
        swapped = tf.transpose(x, [1, 0, 2])
        return tf.zeros([first.shape[0]]) + tf.zeros([swapped.shape[0]])
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Static batch dimensions where they are used, and unpacked symbolic shapes."""
        for cls in module.classes:
            if not cls.kind.is_layer or "call" not in cls.outline.methods:
                continue
            reads = _reads(cls)
            for read in reads:
                if not _is_time_major(module, cls, read):
                    yield self._static(module, cls, read, reads)
            for unpacking in cls.flow("call").all(SymbolicUnpacking):
                yield self._unpacked(module, cls, unpacking)

    def _static(
        self, module: ModuleModel, cls: KerasClass, read: _Read, reads: list[_Read]
    ) -> Finding:
        use = read.uses[0]
        place = use.argument if isinstance(use, ShapeUse) else use.node
        what = "the batch size" if isinstance(read.value, Dim) else "the whole static shape"
        beside = _beside(module, read, reads)
        labels = []
        if module.source.position(module.span(place).start).line != (
            module.source.position(module.span(read.node).start).line
        ):
            labels.append((place, "used as a number here"))
        return self.finding(
            module,
            read.node,
            f"`{cls.name}.call` uses {what} as Python numbers; while tracing the batch is None",
            variant="two-dimensions" if beside else _variant(read),
            # What no save reaches by itself: saving calls a model on its input alone.
            severity=Severity.WARNING if module.is_skipped(cls, read.node) else None,
            note="None while tracing",
            labels=labels,
            fix=_fix(module, read, beside),
        )

    def _unpacked(
        self, module: ModuleModel, cls: KerasClass, unpacking: SymbolicUnpacking
    ) -> Finding:
        node = unpacking.node
        fix = None
        spelling = rewrite.spell(module, "tensorflow.unstack")
        if spelling is not None and unpacking.count is not None:
            text, imports = spelling
            shape = module.text(node.value)
            edit = rewrite.replace(module, node.value, f"{text}({shape}, num={unpacking.count})")
            fix = Fix("unstack the shape", Safety.SAFE, (*imports, edit))
        return self.finding(
            module,
            node.value,
            f"`{cls.name}.call` unpacks a symbolic shape, which cannot be iterated",
            variant="symbolic-unpacking",
            note="a tensor while tracing",
            fix=fix,
        )


def _reads(cls: KerasClass) -> list[_Read]:
    """The reads of the batch dimension in `call`, in their order, with their uses."""
    reads: dict[int, _Read] = {}
    for event in cls.flow("call").events:
        if isinstance(event, (NumberUse, ShapeUse)) and event.in_training:
            continue  # neither served nor traced without training
        if isinstance(event, NumberUse):
            # Outside a shape, what has a length is as likely a list of tensors.
            if not event.dim.is_length:
                reads.setdefault(id(event.dim.read), _Read(event.dim)).uses.append(event)
        elif isinstance(event, ShapeUse):
            for part in dimensions(event.value):
                if part.dynamic:
                    continue
                if isinstance(part, Dim) and part.is_batch:
                    reads.setdefault(id(part.read), _Read(part)).uses.append(event)
                elif isinstance(part, Shape) and part.has_batch:
                    reads.setdefault(id(part.node), _Read(part)).uses.append(event)
    return list(reads.values())


def _is_time_major(module: ModuleModel, cls: KerasClass, read: _Read) -> bool:
    """Whether another axis of the same tensor is read dynamically: then that is the batch."""
    tensor = module.text(read.value.tensor_node)
    dynamic = rf"\bshape\(\s*{re.escape(tensor)}\s*\)\[[1-9]"
    return re.search(dynamic, module.text(cls.outline.methods["call"])) is not None


def _variant(read: _Read) -> str:
    if isinstance(read.value, Shape):
        return "whole-shape"
    if read.value.unpacking is not None:
        return "unpacking"
    if read.value.is_length:
        return "length"
    if isinstance(read.uses[0], NumberUse) and read.uses[0].node is not read.node:
        return "number"
    return "conversion" if isinstance(read.uses[0], NumberUse) else "dimension"


def _fix(module: ModuleModel, read: _Read, beside: list[cst.BaseExpression]) -> Fix | None:
    of = module.text(read.value.tensor_node)
    is_ops = any(isinstance(use, ShapeUse) and use.family is Family.OPS for use in read.uses)
    spelling = rewrite.spell(module, "keras.ops.shape" if is_ops else "tensorflow.shape")
    if spelling is None:
        return None
    function, imports = spelling
    shape = f"{function}({of})"
    if isinstance(read.value, Shape):
        return _fix_whole(module, read, shape, imports)
    if not all(map(_takes_tensor, read.uses)):
        return Fix(
            f"a number is needed here; where a tensor will do, take `{shape}[0]`", Safety.DISPLAY
        )
    edits = [*_edits(module, read.value, f"{shape}[0]")]
    for node in beside:
        tensor = module.text(node).removesuffix(_FIRST)
        edits.append(rewrite.replace(module, node, f"{function}({tensor})[0]"))
    safe = _is_used_as_shape_only(module, read)
    return Fix(
        f"read the batch size from `{shape}`",
        Safety.SAFE if safe else Safety.UNSAFE,
        (*imports, *edits),
        "" if safe else "it becomes a tensor, which its other uses must accept",
    )


def _takes_tensor(use: ShapeUse | NumberUse) -> bool:
    if isinstance(use, ShapeUse):
        return use.family is not Family.NUMPY and use.operation not in _NUMBERS_ONLY
    return use.takes_tensor or use.node is use.dim.read


def _fix_whole(module: ModuleModel, read: _Read, shape: str, imports: tuple[Edit, ...]) -> Fix:
    whole = read.value
    plain = (
        isinstance(whole, Shape)
        and (whole.start, whole.stop) == (0, None)
        and all(map(_takes_tensor, read.uses))
        and all(isinstance(use, ShapeUse) and use.argument is whole.node for use in read.uses)
    )
    if not plain:
        return Fix(f"build the shape from `{shape}`", Safety.DISPLAY)
    edits = (*imports, rewrite.replace(module, read.node, shape))
    return Fix(f"take the shape from `{shape}`", Safety.SAFE, edits)


def _edits(module: ModuleModel, dim: Dim, text: str) -> tuple[Edit, ...]:
    if dim.unpacking is None:
        return (rewrite.replace(module, dim.read, text),)
    name = module.text(dim.read)
    return (
        rewrite.insert_before(module, dim.unpacking, f"{name} = {text}"),
        rewrite.replace(module, dim.read, "_"),
    )


def _beside(module: ModuleModel, read: _Read, reads: list[_Read]) -> list[cst.BaseExpression]:
    """What else is read in the same way for the shape that it is used in, of any tensor."""
    known = {id(other.node) for other in reads}
    arguments = {id(use.argument): use.argument for use in read.uses if isinstance(use, ShapeUse)}
    elements = (e.value for a in arguments.values() for e in getattr(a, "elements", ()))
    return [e for e in elements if module.text(e).endswith(_FIRST) and id(e) not in known]


def _is_used_as_shape_only(module: ModuleModel, read: _Read) -> bool:
    """Whether each use of the name it is kept under is one of the known ones."""
    name = _kept_under(module, read)
    if name is None or all(_is_written_in(module, read, use) for use in read.uses):
        return True
    arguments = {
        id(node): node
        for use in read.uses
        for node in [use.argument if isinstance(use, ShapeUse) else use.node]
        if node is not read.node
    }
    known = sum(module.count_name(node, name) for node in arguments.values())
    function = module.function_of(read.node)
    return function is not None and module.count_name(function, name) == known + 1


def _is_written_in(module: ModuleModel, read: _Read, use: ShapeUse | NumberUse) -> bool:
    """Whether the read stands in the very shape that it is used in."""
    if not isinstance(use, ShapeUse):
        return use.node is read.node and len(read.uses) > 1  # a conversion on its way there
    inner, outer = module.span(read.node), module.span(use.argument)
    return outer.start <= inner.start and inner.end <= outer.end


def _kept_under(module: ModuleModel, read: _Read) -> str | None:
    """The local name of the number; None for one that is read where it is used."""
    if isinstance(read.value, Dim) and read.value.unpacking is not None:
        return module.text(read.node)
    line = module.source.line_text(module.source.position(module.span(read.node).start).line)
    name, assigned, _ = line.strip().partition(" = ")
    return name if assigned and name.isidentifier() else None
