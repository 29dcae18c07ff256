"""SVL214 call-not-defined."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import saving
from savelint.keras.clues import OTHER_CALL
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Kind
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import lineage

if TYPE_CHECKING:
    import libcst as cst

_NAMES = ("__call__", "forward")
# Bases without a `call` of their own.
_EMPTY = frozenset({"Layer", "Model"})
# Methods of a class that is used or saved in a way of its own.
_OWN_WAYS = frozenset({"save", "export", "save_own_variables", "__getattr__"})
_REASON = "Keras converts the inputs of `call` and passes it `training` and `mask`"

_IMPORTS = """\
import tensorflow as tf
from tensorflow import keras


"""
_NET = (
    _IMPORTS
    + """\
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

"""
)
_BODY = """\
        return self.dense(inputs)
"""
_PROJECTION = """\
import tensorflow as tf
from tensorflow.keras import layers


class Projection(layers.Layer):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(units)

    def {name}(self, inputs):
        return self.dense(inputs)
"""
_UNBUILT = {
    Keras.V3: {
        Way.KERAS: "DIFF: other outputs",
        Way.SAVED_MODEL: "NO SIGNATURE",
        Way.EXPORT: "ValueError: .*not yet been built",
        Way.WEIGHTS: "ValueError: .*not yet been built",
    },
    Keras.V2: {
        Way.KERAS: "ValueError: .*expected 0 variables",
        Way.SAVED_MODEL: "NO SIGNATURE",
        Way.EXPORT: "ValueError: .*not yet been built",
    },
}
_WAYS = (Way.CALL, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS)


class CallNotDefined(Rule):
    """Keras runs `call`; a model that defines `__call__` or `forward` instead has none.

    Consequence: `__call__` on a Model takes the place of Keras' own, which builds it: it
    runs and even trains, but is never built. `tf.saved_model.save` writes no signature,
    `export` raises, and what `.keras` brings back has new random weights (Keras 3, without
    an exception; Keras 2 raises). A Model with `forward` raises NotImplementedError when it
    is called, and is lost in the same way where only `forward` is. A Layer with `forward`
    raises in Keras 3; Keras 2 gives back its inputs, without an exception.

    Silent: a Layer with `__call__`, which was harmless on every way (its own layers are
    built and saved as ever); a Layer in a file that calls `.forward(...)`; classes
    that have, inherit, or are given a `call`; a `__call__` that calls Keras' own; functional
    models; classes whose bases stand in another file.

    Fix: rename it to `call` (unsafe: Keras converts its inputs and passes `training`).
    Shown only where it is decorated, or used by its name elsewhere in the file.
    """

    code = "SVL214"
    name = "call-not-defined"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = _NAMES
    clues = (frozenset({OTHER_CALL}),)
    examples = (
        Example(
            variant="model",
            bad=_NET + "    def __call__(self, inputs, training=None):\n" + _BODY,
            at="__call__",
            good=_NET + "    def call(self, inputs, training=None):\n" + _BODY,
            witness=Witness(build="Net()", ways=_WAYS, fails=_UNBUILT),
        ),
        Example(
            variant="forward",
            bad="""\
import keras
from keras import layers


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [layers.Dense(6, activation="relu"), layers.Dense(3)]

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x

    def get_config(self):
        return {}
""",
            at="forward",
            good="""\
import keras
from keras import layers


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [layers.Dense(6, activation="relu"), layers.Dense(3)]

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x

    def get_config(self):
        return {}
""",
            witness=Witness(
                build="Net()",
                ways=_WAYS,
                fails=dict.fromkeys(
                    Keras, dict.fromkeys(_WAYS, r"NotImplementedError: .*call\(\)")
                ),
            ),
        ),
        Example(
            variant="layer-forward",
            bad=_PROJECTION.format(name="forward"),
            at="forward",
            good=_PROJECTION.format(name="call"),
            witness=Witness(
                build="Projection()",
                ways=(*_WAYS, Way.TRAIN),
                fails={
                    Keras.V3: dict.fromkeys(
                        (*_WAYS, Way.TRAIN), "NotImplementedError: Layer Projection"
                    ),
                    Keras.V2: {Way.TRAIN: "UNTRAINED: 0 of 2"},
                },
                trains=2,
            ),
        ),
    )
    silent = (
        """\
# A layer's `__call__` only bypasses Keras: what it holds is built, trained and saved.
import tensorflow as tf
from tensorflow import keras

class Part(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def __call__(self, inputs):
        return self.dense(inputs)
""",
        """\
# There is a `call`: defined, inherited, assigned, or defined where it derives.
import tensorflow as tf
from tensorflow import keras

class One(keras.Model):
    def __call__(self, *args, **kwargs):
        return super().__call__(*args, **kwargs)

    def call(self, inputs):
        return inputs

class Two(One):
    def forward(self, inputs):
        return self(inputs)

class Three(keras.Model):
    def forward(self, inputs):
        return inputs

    call = forward

class Four(keras.Model):
    def forward(self, inputs):
        return self.inner(inputs)

class Five(Four):
    def call(self, inputs):
        return self.forward(inputs)

class Six(keras.layers.Dense):
    def forward(self, inputs):
        return inputs
""",
        """\
# A functional model needs no `call`.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def __init__(self):
        inputs = keras.Input([6])
        super().__init__(inputs, keras.layers.Dense(3)(inputs))

    def forward(self, inputs):
        return self(inputs)
""",
        """\
# The base of another file may have a `call`; a tf.Module, a loss and a metric need none.
import tensorflow as tf
from tensorflow import keras
from project import Base

class Net(Base, keras.Model):
    def forward(self, inputs):
        return inputs

class Module(tf.Module):
    def __call__(self, inputs):
        return inputs

class Loss(keras.losses.Loss):
    def __call__(self, y_true, y_pred, sample_weight=None):
        return tf.reduce_mean(y_true - y_pred)
""",
        """\
# The layer's `forward` is what the file calls.
import tensorflow as tf
from tensorflow import keras

class Part(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def forward(self, inputs):
        return self.dense(inputs)

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.part = Part()

    def call(self, inputs):
        return self.part.forward(inputs)
""",
        """\
# Left to the classes that derive from it.
import tensorflow as tf
from tensorflow import keras

class Abstract(keras.Model):
    def forward(self, inputs):
        raise NotImplementedError
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Models with `__call__` or `forward`, and layers with `forward`, but without `call`."""
        for cls in module.classes:
            name = next((name for name in _NAMES if name in cls.outline.method_names), None)
            if name is None or not _is_without_call(module, cls):
                continue
            method = cls.outline.methods[name]
            if cls.kind is Kind.LAYER and (name == "__call__" or ".forward(" in module.source.text):
                continue
            if _leaves_it_to_others(module, method):
                continue
            yield self._found(module, cls, name, method)

    def _found(
        self, module: ModuleModel, cls: KerasClass, name: str, method: cst.FunctionDef
    ) -> Finding:
        layer = cls.kind is Kind.LAYER
        variant = "model" if name == "__call__" else "layer-forward" if layer else "forward"
        return self.finding(
            module,
            method.name,
            f"`{cls.name}` defines `{name}` in place of `call`",
            variant=variant,
            # Another file may call a layer's `forward` by its name, which does no harm.
            severity=Severity.WARNING if layer else None,
            note="Keras never builds it" if name == "__call__" else "Keras never runs it",
            fix=_rename(module, method, name),
        )


def _is_without_call(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether neither the class nor its bases nor those that derive from it have a `call`."""
    if cls.kind not in {Kind.LAYER, Kind.MODEL} or not lineage.is_known(module, cls.outline):
        return False
    bases = lineage.library_bases(cls.outline)
    if any(base.rpartition(".")[2] not in _EMPTY and base != "abc.ABC" for base in bases):
        return False
    family = [cls, *lineage.descendants(module, cls.outline)]
    if any(member.outline.definer("call") is not None for member in family):
        return False
    if any(_OWN_WAYS & outline.method_names for outline in cls.outline.lineage):
        return False
    assigned = any(
        re.search(r"\bcall\s*(?::[^=\n]+)?=|\bsetattr\(", module.code_of(outline.node))
        for outline in cls.outline.lineage
    )
    return not assigned and not any(map(saving.builds_itself, lineage.ancestry(module, cls)))


def _leaves_it_to_others(module: ModuleModel, method: cst.FunctionDef) -> bool:
    """Whether a method is abstract, or runs Keras' own `__call__`."""
    text = module.code_of(method.body)
    return bool(re.search(r"\bsuper\b|\bNotImplemented|__call__\(self|abstractmethod", text))


def _rename(module: ModuleModel, method: cst.FunctionDef, name: str) -> Fix:
    uses = len(re.findall(rf"\b{name}\b", module.source.text))
    if uses > 1 or method.decorators:
        return Fix("rename it to `call`, and what uses it", Safety.DISPLAY)
    edit = rewrite.replace(module, method.name, "call")
    return Fix("rename it to `call`", Safety.UNSAFE, (edit,), _REASON)
