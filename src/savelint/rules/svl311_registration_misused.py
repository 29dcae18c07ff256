"""SVL311 registration-misused."""

from __future__ import annotations

from collections.abc import Iterator

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel, Reference, Registration
from savelint.rule import Example, Rule, Way, Witness
from savelint.source import Span

_REGISTER = "register_keras_serializable"
_TF_SAVING = "tensorflow.keras.saving"
# Where else TensorFlow's Keras has what it should have under `saving`.
_UTILS = frozenset(
    """
    CustomObjectScope custom_object_scope deserialize_keras_object get_custom_objects
    get_registered_name get_registered_object register_keras_serializable serialize_keras_object
    """.split()
)
_MODELS = frozenset({"load_model", "save_model"})
_LAYER = """\
import tensorflow as tf


@{decorator}
class Scale(tf.keras.layers.Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {{**super().get_config(), "factor": self.factor}}


inputs = tf.keras.Input([6])
model = tf.keras.Model(inputs, Scale({argument})(inputs))
model.save("model.keras")
"""
_FUNCTION = """\
import keras
from keras.saving import register_keras_serializable


@{decorator}
def doubled(x):  # an activation
    return x * 2.0


model = keras.Sequential([keras.Input([6]), keras.layers.Dense(3, activation=doubled)])
model.save("model.keras")
"""
_TWICE = """\
import keras
from keras import layers


@keras.saving.register_keras_serializable(package="blocks", name="Scale")
class Double(layers.Layer):
    def call(self, inputs):
        return inputs * 2.0


@keras.saving.register_keras_serializable(package="blocks", name="{name}")
class Triple(layers.Layer):
    def call(self, inputs):
        return inputs * 3.0


model = keras.Sequential([keras.Input([6]), Double()])
model.save("model.keras")
"""
_SCRIPT = (Way.RUN, Way.KERAS)
_IS_FUNCTION = r"(AttributeError: .*'__name__'|TypeError: .*decorator\(\))"


class RegistrationMisused(Rule):
    """A class or function is not registered as its decorator says.

    Consequence: `@register_keras_serializable` without parentheses puts a function in the
    place of the class: whatever makes an instance raises. A model with such a function as an
    activation raises in Keras 2, and cannot be loaded in Keras 3.
    In Keras 3 `tf.keras` has no attribute `saving`, so that `tf.keras.saving.*` raises when the
    module is imported; in Keras 2 it has one. Of two that are registered under one `package>name`
    the last is loaded in the place of both, without an exception. The decorator of another
    Keras than that of the class is SVL414's.

    Silent: `tf.keras.saving` in a branch, in a `try`, or after an import of
    `tensorflow.keras.saving`, which makes it exist; names that are computed; a class that is
    defined once more under its own name.

    Fix: the parentheses; `tf.keras.utils` or `tf.keras.models`, which have the same (safe:
    only certain failures are removed). Which of two is to be named otherwise is left to the
    reader.
    """

    code = "SVL311"
    name = "registration-misused"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = (_REGISTER, ".saving.")
    clues = (frozenset({_REGISTER, "saving"}),)
    examples = (
        Example(
            variant="parentheses",
            bad=_LAYER.format(decorator=f"tf.keras.utils.{_REGISTER}", argument="3.0"),
            at=f"tf.keras.utils.{_REGISTER}",
            good=_LAYER.format(decorator=f"tf.keras.utils.{_REGISTER}()", argument="3.0"),
            witness=Witness(
                build="model",
                ways=_SCRIPT,
                saved="model.keras",
                fails={keras: {Way.RUN: _IS_FUNCTION} for keras in Keras},
            ),
        ),
        Example(
            variant="function",
            bad=_FUNCTION.format(decorator=_REGISTER),
            at=_REGISTER,
            good=_FUNCTION.format(decorator=f"{_REGISTER}()"),
            witness=Witness(
                build="model",
                ways=_SCRIPT,
                saved="model.keras",
                fails={
                    Keras.V2: {Way.RUN: _IS_FUNCTION},
                    Keras.V3: {Way.KERAS: "TypeError: Could not locate function"},
                },
            ),
        ),
        Example(
            variant="tf-keras-saving",
            bad=_LAYER.format(decorator=f"tf.keras.saving.{_REGISTER}('blocks')", argument=""),
            at=f"tf.keras.saving.{_REGISTER}",
            good=_LAYER.format(decorator=f"tf.keras.utils.{_REGISTER}('blocks')", argument=""),
            witness=Witness(
                build="model",
                ways=_SCRIPT,
                saved="model.keras",
                fails={Keras.V3: {Way.RUN: "AttributeError: .*no attribute 'saving'"}},
            ),
            keras=(Keras.V3,),
        ),
        Example(
            variant="twice",
            bad=_TWICE.format(name="Scale"),
            at='keras.saving.register_keras_serializable(package="blocks", name="Scale")',
            good=_TWICE.format(name="Triple"),
            witness=Witness(
                build="model",
                ways=_SCRIPT,
                saved="model.keras",
                fails={keras: {Way.KERAS: "DIFF"} for keras in Keras},
            ),
            fixed=False,
        ),
    )
    silent = (
        """\
# Importing the module first makes the attribute exist.
import tensorflow as tf
from tensorflow.keras.saving import load_model

@tf.keras.saving.register_keras_serializable()
class Double(tf.keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2.0
""",
        """\
# Keras' own package has `saving`; another decorator may be used without parentheses.
import keras
from project import keras_export, register_keras_serializable as register

@keras.saving.register_keras_serializable()
class Double(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2.0

@register
@keras_export
class Triple(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 3.0

keras.saving.save_model(keras.Sequential([Double()]), "model.keras")
""",
        """\
# The name is asked for where it may be missing.
import tensorflow as tf

try:
    register = tf.keras.saving.register_keras_serializable
except AttributeError:
    register = tf.keras.utils.register_keras_serializable

def load(path):
    if hasattr(tf.keras, "saving"):
        return tf.keras.saving.load_model(path)
    return tf.keras.models.load_model(path)
""",
        """\
# The project hands a Keras on, which may be the one that the class is of.
import tf_keras
from project import keras

@keras.saving.register_keras_serializable()
class Double(tf_keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2.0
""",
        """\
# Registered under different names, under names that are not written out, and once more.
import keras
from keras.saving import register_keras_serializable
from project import PACKAGE

@register_keras_serializable("one")
class Scale(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2.0

@register_keras_serializable("one", "Scale3")
class Scale3(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 3.0

@register_keras_serializable(PACKAGE, name="Scale")
class Scale4(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 4.0

@register_keras_serializable("one")
class Scale(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 5.0
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The decorators of the file, then what it takes from `tf.keras.saving`."""
        for registration in module.registrations:
            if not registration.is_called:
                yield self._without_parentheses(module, registration)
        yield from self._twice(module)
        if module.keras is Keras.V3 and not _imports_saving(module):
            for reference in module.references:
                if reference.origin.startswith(_TF_SAVING) and not _is_guarded(module, reference):
                    yield self._lacking(module, reference)

    def _without_parentheses(self, module: ModuleModel, registration: Registration) -> Finding:
        name = registration.node.name.value
        is_class = hasattr(registration.node, "bases")
        end = module.span(registration.decorator).end
        return self.finding(
            module,
            registration.decorator,
            f"the decorator takes `{name}` for a package's name and returns a function",
            variant="parentheses" if is_class else "function",
            note=f"`{name}` is then the decorator itself",
            fix=Fix("call it", Safety.SAFE, (Edit(Span(end, end), "()"),)),
        )

    def _twice(self, module: ModuleModel) -> Iterator[Finding]:
        known: dict[str, Registration] = {}
        for registration in module.registrations:
            if registration.key is None or module.function_of(registration.node):
                continue
            first = known.setdefault(registration.key, registration)
            names = {first.node.name.value, registration.node.name.value}
            if len(names) > 1 and not module.branches_of(registration.node):
                yield self.finding(
                    module,
                    registration.decorator,
                    f"`{registration.key}` is registered twice",
                    variant="twice",
                    note="this one is loaded in the place of both",
                    labels=((first.decorator, "registered here before"),),
                    fix=Fix("give it a `name` or a `package` of its own", Safety.DISPLAY),
                )

    def _lacking(self, module: ModuleModel, reference: Reference) -> Finding:
        name = reference.node.attr.value
        there = "utils" if name in _UTILS else "models" if name in _MODELS else ""
        fix = None
        if there:
            edits = (rewrite.replace(module, reference.saving, there),)
            fix = Fix(f"take it from `tf.keras.{there}`", Safety.SAFE, edits)
        return self.finding(
            module,
            reference.node,
            "`tf.keras` has no attribute `saving` in Keras 3",
            variant="tf-keras-saving",
            note="raises AttributeError",
            fix=fix,
        )


def _imports_saving(module: ModuleModel) -> bool:
    """Whether the file imports `tensorflow.keras.saving`, which also makes the attribute."""
    return any(f"{o}.".startswith(f"{_TF_SAVING}.") for o in module.summary.imported)


def _is_guarded(module: ModuleModel, reference: Reference) -> bool:
    """Whether a condition, or a `try`, is around it or around the class that it decorates."""
    decorated = (
        registration.node
        for registration in module.registrations
        if reference.node in (registration.decorator, getattr(registration.decorator, "func", None))
    )
    around = [
        branch for node in (reference.node, *decorated) for branch in module.branches_of(node)
    ]
    return any(hasattr(branch, "test") or hasattr(branch, "handlers") for branch, _ in around)
