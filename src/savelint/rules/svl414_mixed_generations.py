"""SVL414 mixed-generations."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import LEGACY_FLAG
from savelint.keras.events import Contact, SaveCall, Stack
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.values import Instance, Value
from savelint.rule import Example, Rule, Way, Witness

if TYPE_CHECKING:
    import libcst as cst

_REGISTER = "register_keras_serializable"
_DECORATED = """\
import keras
import tf_keras


@{package}.saving.register_keras_serializable(package="example")
class Double(tf_keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2.0


model = tf_keras.Sequential([tf_keras.Input((6,)), Double()])
model.save("model.keras")
tf_keras.models.load_model("model.keras")
"""
_STACKED = """\
import keras
import tf_keras

model = keras.Sequential([keras.Input((6,))])
model.add({layer}.layers.Dense(3))
model.save("model.keras")
keras.models.load_model("model.keras")
old = tf_keras.Sequential([tf_keras.Input((6,))])
"""
_SAVED = """\
import keras
import tf_keras
from keras import layers

model = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
{package}.models.save_model(model, "model.keras")
{package}.models.load_model("model.keras")
old = tf_keras.Sequential([tf_keras.Input((6,))])
"""
_PRIVATE = """\
import tensorflow as tf
from tensorflow.{package}keras.layers import Dense

model = tf.keras.Sequential([tf.keras.Input((6,)), Dense(3)])
model.save("model.keras")
"""
_RAISES = {keras: {Way.RUN: r"(Type|Value)Error: "} for keras in Keras}
_WITNESS = Witness(build="model", ways=(Way.RUN,), program=True, fails=_RAISES)


class Package(Enum):
    """A Keras that knows nothing of the objects of another one."""

    V3 = "Keras 3"
    V2 = "Keras 2"
    PRIVATE = "`tensorflow.python.keras`"


class MixedGenerations(Rule):
    """One model is put together, registered or saved with two packages of Keras.

    Consequence: `keras` and `tf_keras` do not know each other's classes. A layer of the
    other one is refused by `Sequential`; a class registered with the other one's decorator
    is saved, and not found when it is loaded; `tf_keras.models.save_model` takes a Keras 3
    model and writes a file that nobody can load.

    Silent: two packages in one file that do not meet; in Keras 2 `tf.keras` beside another
    one, which depends on the release and the environment; names whose import is not in sight.

    Fix: the decorator of the package that the class comes from (safe). The rest is only said.
    """

    code = "SVL414"
    name = "mixed-generations"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("tf_keras", "tensorflow.python", LEGACY_FLAG)
    clues = (frozenset({_REGISTER, "Sequential", "add", "save_model"}),)
    examples = (
        Example(
            variant="decorator",
            bad=_DECORATED.format(package="keras"),
            at="keras.saving.register_keras_serializable",
            good=_DECORATED.format(package="tf_keras"),
            witness=_WITNESS,
        ),
        Example(
            variant="layer",
            bad=_STACKED.format(layer="tf_keras"),
            at="tf_keras.layers.Dense(3)",
            good=_STACKED.format(layer="keras"),
            witness=_WITNESS,
            fixed=False,
        ),
        Example(
            variant="save",
            bad=_SAVED.format(package="tf_keras"),
            at='tf_keras.models.save_model(model, "model.keras")',
            good=_SAVED.format(package="keras"),
            witness=_WITNESS,
            fixed=False,
        ),
        Example(
            variant="private",
            bad=_PRIVATE.format(package="python."),
            at="Dense(3)",
            good=_PRIVATE.format(package=""),
            witness=Witness(
                build="model",
                ways=(Way.RUN,),
                program=True,
                # Keras 2 fails as well, unless it is that of an old TensorFlow.
                fails={**_RAISES, Keras.V2: {Way.RUN: "NotImplementedError: "}},
            ),
            keras=(Keras.V3,),
            fixed=False,
        ),
    )
    silent = (
        """\
# Two models, each of one package.
import keras
import tf_keras

@keras.saving.register_keras_serializable()
class New(keras.layers.Layer):
    def call(self, inputs):
        return inputs

@tf_keras.saving.register_keras_serializable()
class Old(tf_keras.layers.Layer):
    def call(self, inputs):
        return inputs

new = keras.Sequential([keras.Input((6,)), New()])
old = tf_keras.Sequential([tf_keras.Input((6,)), Old()])
keras.models.save_model(new, "new.keras")
tf_keras.models.save_model(old, "old.keras")
new.set_weights(old.get_weights())
""",
        """\
# Which one a name means was decided by what is installed.
try:
    import tf_keras as keras
except ImportError:
    from tensorflow import keras

from .backend import layers

model = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
model.add(keras.layers.Dense(3))
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The places where two packages meet."""
        for cls in module.classes:
            yield from self._decorators(module, cls.outline.node)
        for flow in module.scopes:
            for stack in flow.all(Stack):
                yield from self._layers(module, stack.node.func, stack.layers)
            for contact in flow.all(Contact):
                if contact.how == "add" and contact.instance.outline is None:
                    values = [argument.value for argument in contact.arguments.items]
                    yield from self._layers(module, contact.instance.node.func, tuple(values))
            for save in flow.all(SaveCall):
                yield from self._saved(module, save)

    def _decorators(self, module: ModuleModel, node: cst.ClassDef) -> Iterator[Finding]:
        if not module.is_here(node) or not node.bases:
            return
        base = node.bases[0].value
        own = _package(module, base)
        for item in node.decorators:
            function = getattr(item.decorator, "func", item.decorator)
            other = _package(module, function)
            text = module.text(function)
            if own is None or other in {own, None} or not text.endswith(_REGISTER):
                continue
            yield self.finding(
                module,
                function,
                f"`{node.name.value}` is a class of {own.value}, registered with"
                f" {other.value if other else ''}",
                variant="decorator",
                note="is not found when it is loaded",
                labels=[(base, f"of {own.value}")],
                fix=_register(module, function, base),
            )

    def _layers(
        self, module: ModuleModel, owner: cst.BaseExpression, layers: tuple[Value, ...]
    ) -> Iterator[Finding]:
        own = _package(module, owner) if module.is_here(owner) else None
        for layer in layers:
            other = _made_by(module, layer)
            if own is None or other in {own, None} or not isinstance(layer, Instance):
                continue
            variant = "private" if Package.PRIVATE in {own, other} else "layer"
            yield self.finding(
                module,
                layer.node,
                f"a layer of {other.value if other else ''} in a model of {own.value}",
                variant=variant,
                note="is refused",
                labels=[(owner, f"of {own.value}")],
                fix=Fix(f"make it of {own.value}", Safety.DISPLAY),
            )

    def _saved(self, module: ModuleModel, save: SaveCall) -> Iterator[Finding]:
        if save.how != "save" or not module.is_here(save.node):
            return
        function = save.node.func
        own = _package(module, function) if module.text(function).endswith("save_model") else None
        made = _made_by(module, save.receiver)
        if own is not None and made not in {own, None} and isinstance(save.receiver, Instance):
            yield self.finding(
                module,
                save.node,
                f"a model of {made.value if made else ''} is saved by {own.value}",
                variant="save",
                note="cannot be loaded",
                labels=[(save.receiver.node, f"of {made.value if made else ''}")],
                fix=Fix("save it by the package that made it", Safety.DISPLAY),
            )


def _made_by(module: ModuleModel, value: Value) -> Package | None:
    """The package of an object that is made in this file."""
    if not isinstance(value, Instance) or not module.is_here(value.node):
        return None
    if value.outline is None:
        return _package(module, value.node.func)
    node = value.outline.node
    return _package(module, node.bases[0].value) if node.bases and module.is_here(node) else None


def _package(module: ModuleModel, node: cst.BaseExpression) -> Package | None:
    """The package of Keras that a dotted name comes from, by the import of its first part."""
    text = module.text(node)
    head, _, _ = text.partition(".")
    summary = module.summary
    if not text.replace(".", "").isidentifier() or head in summary.assignments:
        return None
    origin = summary.reexported.get(head) or summary.names.get(head) or ""
    whole = f"{origin}{text[len(head) :]}."
    if whole.startswith("tensorflow.python.keras."):
        return Package.PRIVATE if module.keras is Keras.V3 else None
    if whole.startswith("tf_keras."):
        return Package.V2
    if whole.startswith("keras."):
        return Package.V3
    if whole.startswith("tensorflow.keras.") and module.keras is Keras.V3:
        return Package.V3
    return None


def _register(module: ModuleModel, function: cst.BaseExpression, base: cst.BaseExpression) -> Fix:
    """Register the class with its own package, under the name that the file has for it."""
    head, dot, _ = module.text(base).partition(".")
    origin = module.summary.names.get(head, "")
    # `tf.keras.saving` cannot be read.
    member = {"tf_keras": "saving", "keras": "saving", "tensorflow": "keras.utils"}.get(origin)
    member = "utils" if origin == "tensorflow.keras" else member
    if member is None or not dot:
        return Fix("register it with the package of its base", Safety.DISPLAY)
    edit = rewrite.replace(module, function, f"{head}.{member}.{_REGISTER}")
    return Fix("register it with the package of its base", Safety.SAFE, (edit,))
