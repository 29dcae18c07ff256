"""SVL101 dynamic-reshape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import clues, saving
from savelint.keras.events import Contact, LayerCall, SaveCall, ShapeUse, Stack
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.saving import FirstContact
from savelint.keras.tables import SHAPE_HELPERS, Kind
from savelint.keras.values import (
    Const,
    Dim,
    Instance,
    Seq,
    Shape,
    Spec,
    Tensor,
    dimensions,
    elements,
)
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import serving

if TYPE_CHECKING:
    import libcst as cst

# What each operation makes of the batch size; the result keeps the number of rows.
_OPERATIONS = {
    "reshape": "reshapes to",
    "broadcast_to": "broadcasts to",
    "tile": "tiles by",
    "zeros": "makes zeros of",
    "ones": "makes ones of",
    "fill": "fills",
    "full": "fills",
}

_HEAD = """\
import tensorflow as tf
from tensorflow import keras


class Columns(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

"""
_TILE = """\
    def call(self, inputs):
        rows = tf.shape(inputs)[0]
        bias = tf.tile(tf.ones([1, 3]), [rows, 1])
        return self.dense(inputs) + bias
"""
_USE = """\


columns = Columns()
columns(tf.zeros([4, 6]))
"""
_OPS_HEAD = """\
import keras
from keras import layers, ops


class Columns(keras.Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(units)

    def get_config(self):
        return {**super().get_config(), "units": self.dense.units}

    def _columns(self, outputs, batch):
"""
_FLATTEN = """\
import tensorflow as tf


class Flat(tf.keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = tf.keras.layers.Dense(3)
"""
_FUNCTIONAL = """\


def make():
    inputs = tf.keras.Input([2, 6])
    return tf.keras.Model(inputs, Flat()(inputs))
"""
_FROZEN = {Keras.V3: {Way.SAVED_MODEL: "FROZEN: InvalidArgumentError"}}
_WAYS = (Way.FUNCTIONAL, Way.TRAIN, Way.EXPORT, Way.KERAS, Way.WEIGHTS)
_UNBUILDABLE = dict.fromkeys(_WAYS, "ValueError: .*([Ll]ast dimension|fully-defined)")


class DynamicReshape(Rule):
    """A reshape to a batch size read by `tf.shape` is saved with the sample's batch size.

    Consequence: in Keras 3 `tf.saved_model.save(model)` after an eager call or `predict`
    records the sample's batch size. `tf.shape(x)[0]` is then a constant of the graph, and
    the served function fails on any other batch, or answers with the sample's number of
    rows. `model.export`, `.keras` and weights are fine, and so is all of Keras 2. A layer
    that reshapes to `[batch, -1]` loses its last dimension while it is traced, in both
    generations, so that a `Dense` behind it cannot be built.

    Silent: a model whose `call` has a second parameter without a default (saving it
    raises), that is only a part of another Keras class, that builds itself in its
    constructor, that has a method with an `input_signature`, or that the file saves only
    by `export`, as `.keras` or with `signatures=`, or after `fit` was its first use; a
    target that is the whole `tf.shape(x)`.

    Fix: where the batch is the one dynamic dimension of a reshape, `-1` in its place
    (safe: the number of elements decides it, and nothing is recorded; other operations of
    the model, such as `Dense` on three dimensions, may still be frozen by the way it is
    saved). Else, where a save is in sight, `signatures=` there, see SVL102; else, where
    the input's shape can be read from the file, a serving method beside `call` (unsafe:
    the caller must pass it to `signatures=`). `call` is never decorated, see SVL104. A
    layer's `[batch, -1]` becomes `[-1, ...]` with the product of the static dimensions
    where the file shows the rank (unsafe); else the cure is shown.
    """

    code = "SVL101"
    name = "dynamic-reshape"
    since = "0.1"
    severity = {Keras.V2: Severity.WARNING, Keras.V3: Severity.WARNING}
    mentions = ("shape",)
    clues = (
        frozenset({"shape", "size", *SHAPE_HELPERS}),
        frozenset(_OPERATIONS),
        frozenset({clues.MODEL, clues.OPEN_SHAPE}),
        frozenset({clues.MODEL, "Dense"}),
    )
    examples = (
        Example(
            variant="reshape",
            bad=_HEAD
            + """\
    def call(self, inputs):
        batch = tf.shape(inputs)[0]
        return tf.reshape(self.dense(inputs), [batch, 3, 1])
""",
            at="tf.reshape(self.dense(inputs), [batch, 3, 1])",
            good=_HEAD
            + """\
    def call(self, inputs):
        return tf.reshape(self.dense(inputs), [-1, 3, 1])
""",
            witness=Witness(build="Columns()", fails=_FROZEN),
            keras=(Keras.V3,),
        ),
        Example(
            variant="tile",
            bad=_HEAD + _TILE + _USE,
            at="tf.tile(tf.ones([1, 3]), [rows, 1])",
            good=_HEAD
            + _TILE
            + """\

    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])
    def serve(self, inputs):
        return self(inputs, training=False)
"""
            + _USE,
            witness=Witness(build="Columns()", fails=_FROZEN, serves="serve"),
            keras=(Keras.V3,),
        ),
        Example(
            variant="helper",
            bad=_OPS_HEAD
            + """\
        return ops.reshape(outputs, (batch, -1, 1))

    def call(self, inputs):
        batch, _ = ops.shape(inputs)
        return self._columns(self.dense(inputs), batch)
""",
            at="ops.reshape(outputs, (batch, -1, 1))",
            good=_OPS_HEAD
            + """\
        return ops.reshape(outputs, (-1, self.dense.units, 1))

    def call(self, inputs):
        batch, _ = ops.shape(inputs)
        return self._columns(self.dense(inputs), batch)
""",
            witness=Witness(build="Columns()", fails=_FROZEN),
            keras=(Keras.V3,),
            fixed=False,
        ),
        Example(
            variant="lost-features",
            bad=_FLATTEN
            + """\

    def call(self, inputs):
        flat = tf.reshape(inputs, [tf.shape(inputs)[0], -1])
        return self.dense(flat)
""",
            at="tf.reshape(inputs, [tf.shape(inputs)[0], -1])",
            good=_FLATTEN
            + """\
        self.flatten = tf.keras.layers.Flatten()

    def call(self, inputs):
        flat = self.flatten(inputs)
        return self.dense(flat)
""",
            witness=Witness(
                build="Flat()",
                inputs=(((2, 6), "float32"),),
                ways=_WAYS,
                fails={Keras.V2: _UNBUILDABLE, Keras.V3: _UNBUILDABLE},
            ),
            fixed=False,
        ),
        Example(
            variant="known-rank",
            bad=_FLATTEN
            + """\

    def call(self, inputs):
        flat = tf.reshape(inputs, [tf.shape(inputs)[0], -1])
        return self.dense(flat)
"""
            + _FUNCTIONAL,
            at="tf.reshape(inputs, [tf.shape(inputs)[0], -1])",
            good=_FLATTEN
            + """\

    def call(self, inputs):
        flat = tf.reshape(inputs, [-1, inputs.shape[1] * inputs.shape[2]])
        return self.dense(flat)
"""
            + _FUNCTIONAL,
            witness=Witness(
                build="Flat()",
                inputs=(((2, 6), "float32"),),
                ways=_WAYS,
                fails={Keras.V2: _UNBUILDABLE, Keras.V3: _UNBUILDABLE},
            ),
        ),
    )
    silent = (
        """\
# A layer is never saved by itself, and a model frees its batch by itself.
import tensorflow as tf

class Split(tf.keras.layers.Layer):
    def call(self, inputs):
        return tf.reshape(inputs, [tf.shape(inputs)[0], 2, 3])
""",
        """\
# The model is only a part: what is saved is the class around it.
import tensorflow as tf
from tensorflow import keras

class Head(keras.Model):
    def call(self, inputs):
        return tf.reshape(inputs, [tf.shape(inputs)[0], 2, 3])

class Whole(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.head = Head()

    def call(self, inputs):
        return self.head(inputs)
""",
        """\
# The constructor builds it for a batch of any size.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(6)
        self(keras.Input((6,)))

    def call(self, inputs):
        return tf.reshape(self.dense(inputs), [tf.shape(inputs)[0], 2, 3])
""",
        """\
# It is called without `mode` when it is saved, and has returned by then.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(6)

    def call(self, inputs, mode="train", columns=False):
        hidden = self.dense(inputs)
        if columns:
            return tf.reshape(hidden, [tf.shape(inputs)[0], 2, 3])
        if mode == "train":
            return hidden
        return hidden + tf.ones([tf.shape(inputs)[0], 1])
""",
        """\
# It has a serving method of its own.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def call(self, inputs):
        return tf.reshape(inputs, [tf.shape(inputs)[0], 2, 3])

    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])
    def predict_rows(self, inputs):
        return self(inputs, training=False)
""",
        """\
# The file saves it by `export` and as `.keras` only; both leave the batch free.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def call(self, inputs):
        return tf.reshape(inputs, [tf.shape(inputs)[0], 2, 3])

net = Net()
net(tf.zeros([4, 6]))
net.export("served")
net.save("net.keras")
""",
        """\
# `fit` came first, which leaves the batch free.
import numpy as np
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return tf.reshape(self.dense(inputs), [tf.shape(inputs)[0], 3, 1])

net = Net()
net.compile("sgd", "mse")
net.fit(np.ones([8, 6]), np.ones([8, 3, 1]))
tf.saved_model.save(net, "saved")
""",
        """\
# -1 stands for the batch already; the other dimensions are static.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def call(self, inputs):
        return tf.reshape(inputs, [-1, inputs.shape[1] // 2, 2])
""",
        """\
# The whole shape of a tensor: measured, nothing of it is recorded.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(6)

    def call(self, inputs):
        return tf.reshape(self.dense(inputs), tf.shape(inputs))
""",
        """\
# The dynamic dimension is the time axis, not the batch.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def call(self, inputs):
        steps = tf.shape(inputs)[1]
        return tf.reshape(inputs, [-1, steps, 2, 3])
""",
        """\
# The layer's own `build` tells its Dense the last dimension.
import tensorflow as tf

class Flat(tf.keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = tf.keras.layers.Dense(3)

    def build(self, input_shape):
        self.dense.build((None, 12))

    def call(self, inputs):
        return self.dense(tf.reshape(inputs, [tf.shape(inputs)[0], -1]))
""",
        """\
# A class with a `call` that is not Keras.
import tensorflow as tf

class Distance:
    def call(self, inputs):
        return tf.reshape(inputs, [tf.shape(inputs)[0], 2, 3])
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Models that freeze their batch; layers that lose their last dimension."""
        for cls in module.classes:
            if "call" not in cls.outline.methods:
                continue
            if cls.kind is Kind.MODEL and module.keras is Keras.V3:
                yield from self._frozen(module, cls)
            elif cls.kind is Kind.LAYER:
                yield from self._lost_features(module, cls)

    def _frozen(self, module: ModuleModel, cls: KerasClass) -> Iterator[Finding]:
        uses = filter(_takes_batch, cls.flow("call").all(ShapeUse))
        # What saves the model calls it on its input alone.
        use = next((use for use in uses if not module.is_skipped(cls, use.call)), None)
        if use is None or "call" in cls.traced or _is_harmless(module, cls):
            return
        saves = list(_saves(module, cls))
        frozen = [save for save, is_frozen in saves if is_frozen]
        if saves and not frozen:
            return
        yield self.finding(
            module,
            use.call,
            f"`{cls.name}.call` {_OPERATIONS[use.operation]} a batch size that"
            " `tf.saved_model.save` records as a constant",
            variant=_variant(use),
            note="the batch size it is traced with",
            labels=[(save.node, "saved here after an eager call") for save in frozen[:1]],
            fix=_fix(module, cls, use, frozen),
        )

    def _lost_features(self, module: ModuleModel, cls: KerasClass) -> Iterator[Finding]:
        for reshape, dense in _starved(module, cls):
            known = _flattened(module, cls, reshape)
            yield self.finding(
                module,
                reshape,
                f"`{cls.name}.call` reshapes to `[batch, -1]`, whose last dimension is unknown"
                " while it is traced",
                variant="known-rank" if known is not None else "lost-features",
                note="the last dimension is lost here",
                labels=[(dense, "`Dense` needs it here")],
                fix=known
                or Fix(
                    "flatten with a `keras.layers.Flatten()`, which keeps the last dimension",
                    Safety.DISPLAY,
                ),
            )


def _variant(use: ShapeUse) -> str:
    if use.operation != "reshape":
        return "tile"
    return "reshape" if _only_dynamic(use) is not None else "helper"


def _takes_batch(use: ShapeUse) -> bool:
    """Whether a shape holds the batch size by `tf.shape`, and not as a whole shape."""
    if use.operation not in _OPERATIONS or isinstance(use.value, Shape) or use.in_training:
        return False
    return any(
        part.is_batch if isinstance(part, Dim) else part.has_batch
        for part in dimensions(use.value)
        if part.dynamic
    )


def _is_harmless(module: ModuleModel, cls: KerasClass) -> bool:
    return (
        _cannot_be_saved(cls.outline.methods["call"])
        or module.is_part(cls)
        or saving.builds_itself(cls)
        or bool(saving.signed_functions(cls))
    )


def _cannot_be_saved(call: cst.FunctionDef) -> bool:
    """Whether `call` has a second parameter that must be given: saving it raises then."""
    plain = (*call.params.posonly_params, *call.params.params)
    return any(parameter.default is None for parameter in plain[2:])


def _saves(module: ModuleModel, cls: KerasClass) -> Iterator[tuple[SaveCall, bool]]:
    """The calls that save an instance of the class, and whether they freeze its batch."""
    for flow in module.saving_scopes(cls):
        for save in flow.all(SaveCall):
            receiver = save.receiver
            own = isinstance(receiver, Instance) and receiver.outline is cls.outline
            if own and save.is_whole:
                first, _ = saving.first_contact(flow, save)
                plain = save.how == "saved_model" and save.arguments.get(2, "signatures") is None
                yield save, plain and first in {FirstContact.EAGER, FirstContact.UNKNOWN}


def _fix(module: ModuleModel, cls: KerasClass, use: ShapeUse, frozen: list[SaveCall]) -> Fix | None:
    call = cls.outline.methods["call"]
    batch = _only_dynamic(use)
    if batch is not None:
        name = module.text(batch)
        unused = rewrite.remove_unused(module, call, name) if name.isidentifier() else []
        return Fix(
            "put `-1` in the place of the batch size",
            Safety.SAFE,
            (rewrite.replace(module, batch, "-1"), *unused),
        )
    spec = serving.class_spec(module, cls)
    if spec is None:
        return None
    if frozen:
        return serving.signature_argument(module, frozen[0], spec)
    written = serving.signature(module, spec)
    if written is None:
        return None
    function, specs, imports = written
    decorator = f"{function}(input_signature={specs})"
    edits = serving.serving_method(module, cls, call, decorator, imports)
    if edits is None:
        return None
    return Fix(
        "add a serving method for any batch",
        Safety.UNSAFE,
        edits,
        "it serves only if the caller passes it as `signatures=model.serve`",
    )


def _only_dynamic(use: ShapeUse) -> cst.BaseExpression | None:
    """The node of the batch size, where it is the one dynamic dimension of a reshape."""
    if use.operation != "reshape" or not isinstance(use.value, Seq) or not use.value.complete:
        return None
    written: Sequence[cst.BaseElement] = getattr(use.argument, "elements", ())
    if len(written) != len(use.value.items):
        return None
    dynamic: list[cst.BaseExpression] = []
    for element, item in zip(written, use.value.items, strict=True):
        if item == Const(-1) or isinstance(item, Shape):
            return None
        if isinstance(item, Dim):
            if item.dynamic:
                dynamic.append(element.value)
        elif not isinstance(item, Const) and item is not None:
            return None
    return dynamic[0] if len(dynamic) == 1 else None


def _starved(module: ModuleModel, cls: KerasClass) -> Iterator[tuple[cst.Call, cst.CSTNode]]:
    """(reshape, Dense) where a reshape of the class feeds a Dense: in the class or behind it.

    A class with its own `build` may have built its Dense for a known last dimension.
    """
    flow = cls.flow("call")
    if cls.outline.method("build") is not None:
        return
    for call in flow.all(LayerCall):
        for value in (v for a in call.arguments.items for v in elements(a.value)):
            if isinstance(value, Tensor) and value.features_lost and _is_dense(call.layer):
                yield value.features_lost, call.node
                return
    if not isinstance(flow.result, Tensor) or flow.result.features_lost is None:
        return
    for scope in module.scopes:
        for event in scope.events:
            if isinstance(event, Contact) and _is_dense(event.instance):
                fed = [a.value for a in event.arguments.items]
                if any(isinstance(v, Spec) and _is_made_by(v.made_by, cls) for v in fed):
                    yield flow.result.features_lost, event.node
                    return
            elif isinstance(event, Stack):
                for layer, following in zip(event.layers, event.layers[1:], strict=False):
                    if _is_made_by(layer, cls) and _is_dense(following):
                        yield flow.result.features_lost, event.node
                        return


def _flattened(module: ModuleModel, cls: KerasClass, reshape: cst.Call) -> Fix | None:
    """`[-1, x.shape[1] * x.shape[2]]`, where the file calls the layer on inputs of a known rank."""
    spec = serving.class_spec(module, cls)
    given = serving.first_parameter(cls.outline.methods["call"])
    if spec is None or given is None or len(spec.shape) < 3 or len(reshape.args) != 2:
        return None
    tensor, target = (argument.value for argument in reshape.args)
    if module.text(tensor) != given or len(getattr(target, "elements", ())) != 2:
        return None
    features = " * ".join(f"{given}.shape[{axis}]" for axis in range(1, len(spec.shape)))
    return Fix(
        "flatten to the product of the static dimensions",
        Safety.UNSAFE,
        (rewrite.replace(module, target, f"[-1, {features}]"),),
        "the rank is that of the call in this file",
    )


def _is_made_by(layer: object, cls: KerasClass) -> bool:
    return isinstance(layer, Instance) and layer.outline is cls.outline


def _is_dense(layer: object) -> bool:
    return isinstance(layer, Instance) and layer.name == "keras.layers.Dense"
