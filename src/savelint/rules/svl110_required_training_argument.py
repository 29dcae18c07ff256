"""SVL110 required-training-argument."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import clues
from savelint.keras.events import LayerCall
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.values import Parameter
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import signatures

if TYPE_CHECKING:
    import libcst as cst

_NET = """\
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = tf.keras.layers.Dense(3)
        self.dropout = tf.keras.layers.Dropout(0.1)

    def call(self, inputs, {parameter}):
        return self.dropout(self.dense(inputs), training=training)
"""
_BUILT = """\
from keras import Model, layers


class Net(Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.norm = layers.BatchNormalization()

    def build(self, input_shape):
        self.norm.build(input_shape)
        self.built = True

    def call(self, x, {parameter}):
        return self.norm(x, training=training)
"""
_PART = """\
import keras


class Block(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs, {parameter}):
        outputs = self.dense(inputs)
        return outputs * 0.5 if training else outputs


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.block = Block()

    def call(self, inputs, training=None):
        return self.block(inputs, training=training)
"""
_MASK = """\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.lstm = keras.layers.LSTM(3)

    def call(self, inputs, {parameter}):
        return self.lstm(inputs, mask=mask)


net = Net()
net(tf.zeros([4, 5, 6]), mask=tf.ones([4, 5], tf.bool))
net.export("served")
"""
_WAYS = (Way.CALL, Way.TRAIN, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS)
_MISSING = "TypeError: .*missing a required argument: 'training'"


class RequiredTrainingArgument(Rule):
    """The `call` of a Model has a `training` or a `mask` without a default.

    Consequence: what exports or reloads a model calls it on its inputs only. In Keras 3
    `export` and `tf.saved_model.save` raise, even with signatures of one's own, and the
    reload of a `.keras` file, which cannot build the layers, leaves them with new random
    weights, without an exception. Keras 2 gives `training` by itself, unless it is keyword-only;
    a `mask` neither generation gives to a model.

    Silent: layers, to which the model that holds them gives what they need; in Keras 2 a
    plain `training`; a `call` that is there to be overridden.

    Fix: `training=None` (safe: who passes it goes on as before), `training: bool = False`;
    `mask=None` (unsafe: `call` must do without a mask). Nothing is changed where other
    parameters without default follow.
    """

    code = "SVL110"
    name = "required-training-argument"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("training", "mask")
    clues = (frozenset({clues.NEEDY_CALL}),)
    examples = (
        Example(
            variant="training",
            bad=_NET.format(parameter="training"),
            at="training",
            good=_NET.format(parameter="training=None"),
            witness=Witness(
                build="Net()",
                ways=_WAYS,
                fails={
                    Keras.V3: {
                        Way.KERAS: "DIFF",
                        Way.EXPORT: _MISSING,
                        Way.SAVED_MODEL: _MISSING,
                    }
                },
            ),
            keras=(Keras.V3,),
        ),
        Example(
            variant="built",
            bad=_BUILT.format(parameter="training: bool"),
            at="training",
            good=_BUILT.format(parameter="training: bool = False"),
            witness=Witness(
                build="Net()",
                ways=_WAYS,
                fails={Keras.V3: {Way.EXPORT: _MISSING, Way.SAVED_MODEL: _MISSING}},
            ),
            keras=(Keras.V3,),
        ),
        Example(
            variant="keyword-only",
            bad=_NET.format(parameter="*, training"),
            at="training",
            good=_NET.format(parameter="*, training=None"),
            witness=Witness(
                build="Net()",
                ways=_WAYS,
                fails={
                    Keras.V2: {Way.KERAS: "ValueError: You cannot build your model"},
                    Keras.V3: {
                        Way.KERAS: "DIFF",
                        Way.EXPORT: _MISSING,
                        Way.SAVED_MODEL: _MISSING,
                    },
                },
            ),
        ),
        Example(
            variant="part",
            bad=_PART.format(parameter="training"),
            at="training",
            good=_PART.format(parameter="training=None"),
            witness=Witness(
                build="Net()",
                ways=_WAYS,
                fails={Keras.V3: {Way.SAVED_MODEL: _MISSING}},
            ),
            keras=(Keras.V3,),
        ),
        Example(
            variant="mask",
            bad=_MASK.format(parameter="mask"),
            at="mask",
            good=_MASK.format(parameter="mask=None"),
            witness=Witness(
                build="net",
                inputs=(((5, 6), "float32"),),
                ways=(Way.RUN, Way.SAVED_MODEL),
                saved="served",
                fails={
                    Keras.V2: {Way.RUN: "TypeError: .*'mask'"},
                    Keras.V3: {Way.RUN: "TypeError: .*'mask'"},
                },
            ),
        ),
    )
    silent = (
        """\
# A layer gets it from the model that calls it.
import keras

class Block(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs, training, mask):
        return self.dense(inputs)

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.block = Block()

    def call(self, inputs, training=None, mask=None):
        return self.block(inputs, training=training, mask=mask)
""",
        """\
# What is there to be overridden.
import keras

class Base(keras.Model):
    def call(self, inputs, training):
        raise NotImplementedError
""",
        """\
# Not the method that Keras calls.
import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def encode(self, inputs, training):
        return self.dense(inputs, training=training)

    def call(self, inputs, training=False):
        return self.encode(inputs, training)
""",
        """\
# The inputs may have any name.
import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, mask, *, training=False):
        return self.dense(mask)
""",
        """\
# No Keras class.
import keras

class Model:
    def call(self, inputs, training):
        return keras.ops.relu(inputs)
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each Model's own `call`, at the first such parameter."""
        for cls in module.classes:
            call = signatures.whole_call(cls)
            needs = signatures.demanded(module, call) if call is not None else []
            found = [p for p in needs if p.name in signatures.BY_KERAS]
            if module.keras is Keras.V2:
                found = [p for p in found if p.name == "mask" or p.keyword_only]
            if call is not None and found:
                yield from self._found(module, cls, call, found)

    def _found(
        self,
        module: ModuleModel,
        cls: KerasClass,
        call: cst.FunctionDef,
        found: list[Parameter],
    ) -> Iterator[Finding]:
        use = signatures.use_as_part(module, cls)
        variant = _variant(module, cls, found, use)
        if variant is None:
            return
        parameter = next((p for p in found if p.name == variant), found[0])
        keyword_only = module.keras is Keras.V2 and variant == "keyword-only"
        yield self.finding(
            module,
            parameter.node.name,
            f"`{cls.name}.call` has no default for `{parameter.name}`",
            variant=variant,
            severity=Severity.WARNING if variant == "part" or keyword_only else None,
            note="saving calls it without",
            labels=[(use.node, "the model that holds it cannot be saved")] if use else (),
            fix=_fix(module, call, found),
        )


def _variant(
    module: ModuleModel, cls: KerasClass, found: list[Parameter], use: LayerCall | None
) -> str | None:
    """The example whose consequence is that of this class, None where there is none."""
    if use is not None or signatures.is_part_elsewhere(module, cls):
        return "part" if module.keras is Keras.V3 else None
    if any(parameter.name == "mask" for parameter in found):
        return "mask"
    if not signatures.loses_weights(module, cls):
        return "built" if module.keras is Keras.V3 else None
    return "keyword-only" if found[0].keyword_only else "training"


def _fix(module: ModuleModel, call: cst.FunctionDef, found: list[Parameter]) -> Fix:
    needs = signatures.demanded(module, call)
    if any(not p.keyword_only and p.name not in signatures.BY_KERAS for p in needs):
        shown = "give it a default; the parameters without one come before it"
        return Fix(shown, Safety.DISPLAY)
    given = [p for p in needs if p.name in signatures.BY_KERAS]
    defaults = (signatures.defaulted(module, p, _default(module, p)) for p in given)
    edits = tuple(dict.fromkeys(chain.from_iterable(defaults)))
    masked = any(parameter.name == "mask" for parameter in given)
    shown = f"give {' and '.join(f'`{p.name}`' for p in given)} a default"
    if masked and not _does_without_mask(module, call):
        return Fix(f"{shown}, and let `call` do without a mask", Safety.DISPLAY)
    return Fix(
        shown,
        Safety.UNSAFE if masked else Safety.SAFE,
        edits,
        "`call` must then do without a mask" if masked else "",
    )


def _does_without_mask(module: ModuleModel, call: cst.FunctionDef) -> bool:
    """Whether `call` asks if there is a mask, only passes it on by that name, or ignores it."""
    body = module.text(call.body)
    if re.search(r"\bmask is (?:not )?None\b|\bif (?:not )?mask\b", body):
        return True
    return re.search(r"\bmask\b", re.sub(r"\bmask ?= ?mask\b", "", body)) is None


def _default(module: ModuleModel, parameter: Parameter) -> str:
    annotation = parameter.node.annotation
    is_bool = annotation is not None and module.text(annotation.annotation) == "bool"
    return "False" if is_bool else "None"
