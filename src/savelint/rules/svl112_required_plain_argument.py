"""SVL112 required-plain-argument."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import clues
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.values import Parameter
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import signatures

if TYPE_CHECKING:
    import libcst as cst

_FLAG = """\
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = tf.keras.layers.Dense(3)

    def call(self, inputs, {parameter}):
        outputs = self.dense(inputs)
        if normalize:
            outputs = tf.math.l2_normalize(outputs, axis=-1)
        return outputs


net = Net()
net(tf.ones([4, 6]), normalize=False)
net.export("served")
"""
_TRAINING = """\
import keras
import numpy as np
from keras import layers


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dropout = layers.Dropout(0.1)
        self.dense = layers.Dense(3)

    def call(self, x, {parameter}):
        return self.dense(self.dropout(x, training=is_training))


net = Net()
net(np.ones([4, 6], "float32"), is_training=False)
net.export("served")
"""
_WORD = """\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.user = keras.layers.Dense(3)
        self.item = keras.layers.Dense(3)

    def call(self, inputs, {parameter}):
        return self.user(inputs) if tower == "user" else self.item(inputs)


net = Net()
net(tf.ones([4, 6]), tower="user")
net.export("served")
"""
_REASON = "what is exported and reloaded is the model without it"


def _raises(name: str) -> dict[Keras, dict[Way, str]]:
    return {keras: {Way.RUN: f"TypeError: .*missing .*: '{name}'"} for keras in Keras}


class RequiredPlainArgument(Rule):
    """The `call` of a Model must be given a flag, a word or a number besides its inputs.

    Consequence: Keras calls a model on its inputs only when it fits, exports and reloads it.
    `fit`, `export` and `tf.saved_model.save` raise, the last also with signatures of one's
    own; a `.keras` file loads in Keras 3 with new random weights, without an exception, and
    in Keras 2 it does not load.

    Silent: layers, and models that are a part of others, which give it; parameters with a
    default; `training`, which is the matter of SVL110.

    Fix: a flag gets the default `False` (unsafe: what is exported is the model without it).
    For a word or a number the fix is only shown.
    """

    code = "SVL112"
    name = "required-plain-argument"
    since = "0.1"
    severity = {Keras.V2: Severity.WARNING, Keras.V3: Severity.WARNING}
    mentions = ("call",)
    clues = (frozenset({clues.NEEDY_CALL}),)
    examples = (
        Example(
            variant="flag",
            bad=_FLAG.format(parameter="normalize: bool"),
            at="normalize",
            good=_FLAG.format(parameter="normalize: bool = False"),
            witness=Witness(
                build="net",
                ways=(Way.RUN, Way.SAVED_MODEL),
                saved="served",
                fails=_raises("normalize"),
            ),
        ),
        Example(
            variant="training",
            bad=_TRAINING.format(parameter="is_training"),
            at="is_training",
            good=_TRAINING.format(parameter="is_training=False"),
            witness=Witness(
                build="net",
                ways=(Way.RUN, Way.SAVED_MODEL),
                saved="served",
                fails=_raises("is_training"),
            ),
        ),
        Example(
            variant="plain",
            bad=_WORD.format(parameter="tower"),
            at="tower",
            good=_WORD.format(parameter='tower="user"'),
            witness=Witness(
                build="net",
                ways=(Way.RUN, Way.SAVED_MODEL),
                saved="served",
                fails=_raises("tower"),
            ),
            fixed=False,
        ),
    )
    silent = (
        """\
# The model that holds the part says which.
import keras

class Tower(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, inputs, normalize):
        outputs = self.dense(inputs)
        return keras.ops.normalize(outputs) if normalize else outputs

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.tower = Tower()

    def call(self, inputs):
        return self.tower(inputs, normalize=True)
""",
        """\
# A layer is called by the model that holds it.
import keras

class Tower(keras.layers.Layer):
    def call(self, inputs, depth: int):
        for _ in range(depth):
            inputs = keras.ops.relu(inputs)
        return inputs
""",
        """\
# The word has a default.
import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs, mode="user", *, flag: bool = False):
        return self.dense(inputs) if mode == "user" or flag else inputs
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each Model's own `call`, at the first such parameter."""
        for cls in module.classes:
            call = signatures.whole_call(cls)
            if call is None or signatures.demanded_tensors(module, call):
                continue  # SVL109 reports what it takes all at once
            needs = signatures.demanded_plain(module, call)
            if needs and not _is_part(module, cls):
                yield self._found(module, cls, call, needs)

    def _found(
        self,
        module: ModuleModel,
        cls: KerasClass,
        call: cst.FunctionDef,
        needs: list[Parameter],
    ) -> Finding:
        first = needs[0]
        names = " and ".join(f"`{parameter.name}`" for parameter in needs)
        return self.finding(
            module,
            first.node.name,
            f"`{cls.name}.call` must be given {names} besides its inputs",
            variant=_variant(first),
            note="Keras calls a model on one argument",
            fix=_fix(module, call, needs),
        )


def _is_part(module: ModuleModel, cls: KerasClass) -> bool:
    return signatures.use_as_part(module, cls) is not None or module.is_part(cls)


def _variant(parameter: Parameter) -> str:
    if parameter.use != "flag":
        return "plain"
    return "training" if "train" in parameter.name else "flag"


def _fix(module: ModuleModel, call: cst.FunctionDef, needs: list[Parameter]) -> Fix:
    positional = [p for p in signatures.demanded(module, call) if not p.keyword_only]
    if any(p.use != "flag" for p in (*needs, *positional)):
        return Fix("give it the default that is to be served", Safety.DISPLAY)
    edits = tuple(edit for p in needs for edit in signatures.defaulted(module, p, "False"))
    return Fix(
        f"give {' and '.join(f'`{p.name}`' for p in needs)} the default `False`",
        Safety.UNSAFE,
        edits,
        _REASON,
    )
