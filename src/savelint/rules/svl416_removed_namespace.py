"""SVL416 removed-namespace."""

from __future__ import annotations

import re
from collections.abc import Iterator

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras import clues, removed
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel, RemovedUse
from savelint.rule import Example, Rule, Way, Witness

_IMPORT = "(ModuleNotFound|Import)Error: "
_ATTRIBUTE = "AttributeError: module .* has no attribute"
# Keras 2 fails as well, here where it runs on the newest TensorFlow.
_NO_IMPORT = {keras: {Way.RUN: _IMPORT} for keras in Keras}
_NO_ATTRIBUTE = {keras: {Way.RUN: _ATTRIBUTE} for keras in Keras}


class RemovedNamespace(Rule):
    """The code imports or reads a name that Keras 3 and its TensorFlow no longer have.

    Consequence: the import raises ImportError, the attribute AttributeError: `keras.engine`,
    `keras.layers.core`, `keras.utils.np_utils`, `keras.saving.hdf5_format`,
    `tf.keras.experimental`, `K.get_session`, `tf.saved_model.simple_save`, `tf.contrib` and
    their like.

    Silent: Keras 2, where it depends on the release; code in a `try`, under a condition or
    behind a way out; functions in a file that asks for versions, `hasattr` or `getattr`;
    a file that assigns to the name or to `sys.modules`; what `tf.keras.backend` still has
    (`int_shape`, `mean`, ...); names from `tf.compat.v1`.

    Fix: the name under which Keras 3 (or `tf.compat.v1`) has the same thing (safe). Where
    there is none, or the import takes names of several modules, it is only said.
    """

    code = "SVL416"
    name = "removed-namespace"
    since = "0.1"
    severity = {Keras.V3: Severity.ERROR}
    mentions = tuple(sorted(removed.WORDS))
    clues = (frozenset({clues.REMOVED}),)
    examples = (
        Example(
            variant="module",
            bad="""\
from keras.layers.core import Dense, Dropout
from keras.layers import Input
from keras.models import Sequential

model = Sequential([Input((6,)), Dense(3), Dropout(0.1)])
""",
            at="keras.layers.core",
            good="""\
from keras.layers import Dense, Dropout
from keras.layers import Input
from keras.models import Sequential

model = Sequential([Input((6,)), Dense(3), Dropout(0.1)])
""",
            witness=Witness(build="model", ways=(Way.RUN,), fails=_NO_IMPORT),
            keras=(Keras.V3,),
        ),
        Example(
            variant="helpers",
            bad="""\
import numpy as np
from tensorflow import keras
from tensorflow.keras.utils import np_utils

labels = np_utils.to_categorical(np.arange(3))
model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
""",
            at="np_utils",
            good="""\
import numpy as np
from tensorflow import keras
from tensorflow.keras import utils as np_utils

labels = np_utils.to_categorical(np.arange(3))
model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
""",
            witness=Witness(build="model", ways=(Way.RUN,), fails=_NO_IMPORT),
            keras=(Keras.V3,),
        ),
        Example(
            variant="attribute",
            bad="""\
import numpy as np
import tensorflow as tf

labels = tf.keras.utils.np_utils.to_categorical(np.arange(3))
model = tf.keras.Sequential([tf.keras.Input((6,)), tf.keras.layers.Dense(3)])
""",
            at="tf.keras.utils.np_utils.to_categorical",
            good="""\
import numpy as np
import tensorflow as tf

labels = tf.keras.utils.to_categorical(np.arange(3))
model = tf.keras.Sequential([tf.keras.Input((6,)), tf.keras.layers.Dense(3)])
""",
            witness=Witness(build="model", ways=(Way.RUN,), fails=_NO_ATTRIBUTE),
            keras=(Keras.V3,),
        ),
        Example(
            variant="saved-model",
            bad="""\
import tensorflow as tf
from tensorflow.compat import v1


def export(path):
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 6])
        tf.saved_model.simple_save(session, path, {"x": x}, {"y": x * 2.0})


export("served")
inputs = tf.keras.Input((6,))
model = tf.keras.Sequential([inputs, tf.keras.layers.Rescaling(2.0)])
""",
            at="tf.saved_model.simple_save",
            good="""\
import tensorflow as tf
from tensorflow.compat import v1


def export(path):
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 6])
        tf.compat.v1.saved_model.simple_save(
            session,
            path,
            {"x": x},
            {"y": x * 2.0},
        )


export("served")
inputs = tf.keras.Input((6,))
model = tf.keras.Sequential([inputs, tf.keras.layers.Rescaling(2.0)])
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN, Way.SAVED_MODEL),
                saved="served",
                fails=_NO_ATTRIBUTE,
            ),
            keras=(Keras.V3,),
        ),
        Example(
            variant="gone",
            bad="""\
from tensorflow import keras
from tensorflow.keras import backend as K

K.set_learning_phase(0)
model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
""",
            at="K.set_learning_phase",
            good="""\
from tensorflow import keras
from tensorflow.keras import backend as K

K.set_floatx("float32")
model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN,),
                fails={Keras.V3: {Way.RUN: _ATTRIBUTE}},
            ),
            keras=(Keras.V3,),
            fixed=False,
        ),
        Example(
            variant="contrib",
            bad="""\
import tensorflow as tf

initializer = tf.contrib.layers.xavier_initializer()
model = tf.keras.Sequential([tf.keras.layers.Dense(3, kernel_initializer=initializer)])
""",
            at="tf.contrib.layers.xavier_initializer",
            good="""\
import tensorflow as tf

initializer = tf.keras.initializers.GlorotUniform()
model = tf.keras.Sequential([tf.keras.layers.Dense(3, kernel_initializer=initializer)])
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN,),
                fails=_NO_ATTRIBUTE,
            ),
            keras=(Keras.V3,),
            fixed=False,
        ),
    )
    silent = (
        """\
# Code that tries both, or asks first.
import tensorflow as tf
from contextlib import suppress

try:
    from keras.engine import Layer
except ImportError:
    from keras.layers import Layer

if tf.__version__.startswith("1."):
    from keras.layers.core import Dense
else:
    from keras.layers import Dense

with suppress(AttributeError):
    tf.keras.backend.set_learning_phase(0)

flatten = tf.contrib.layers.flatten if hasattr(tf, "contrib") else tf.keras.layers.Flatten()
""",
        """\
# The way to it is left where the version is another one.
import tensorflow as tf

def export(session, path, inputs, outputs):
    if int(tf.__version__[0]) > 1:
        raise RuntimeError("for TensorFlow 1")
    tf.saved_model.simple_save(session, path, inputs, outputs)
""",
        """\
# `tf.keras.backend` still has these; and this is another `engine`, and another `contrib`.
import tensorflow as tf
from tensorflow.keras import backend as K
from autokeras.engine import tuner
from project import contrib
from tensorflow.keras.saving import register_keras_serializable

def shapes(x):
    return K.int_shape(x), tf.keras.backend.shape(x), K.mean(x), contrib.layers(x)
""",
        """\
# TensorFlow 1 is still there under this name.
import tensorflow.compat.v1 as tf
from tensorflow.compat import v1 as tf1

def export(session, path):
    tf.saved_model.simple_save(session, path, {}, {})
    tf1.saved_model.builder.SavedModelBuilder(path)
    tf.train.Saver().save(session, path)
""",
        """\
# A name that the function or the file gives a meaning of its own.
import tensorflow as tf
from tensorflow import keras

tf.contrib = None
tf.contrib.framework

def run(keras):
    return keras.engine.run()

def use(tf):
    return tf.saved_model.builder
""",
        """\
# Which Keras the project's own module hands on is not known.
from .backend import keras, K

def value(x):
    return K.get_value(x), keras.backend.int_shape(x)
""",
        """\
# Annotations need not be evaluated.
from __future__ import annotations
import tensorflow as tf
from tensorflow import keras

def run(layer: keras.engine.base_layer.Layer) -> tf.contrib.Tensor:
    return layer
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """What the file uses that is gone."""
        for use in module.removed:
            homes = sorted({home for home in use.homes if home})
            where = f"now {' and '.join(f'`{home}`' for home in homes)}" if homes else "is gone"
            owner = "Keras 3" if "keras" in use.missing else "TensorFlow 2"
            yield self.finding(
                module,
                use.node,
                f"{owner} has no `{use.missing}`",
                variant=_variant(use),
                note=where,
                fix=_fix(module, use),
            )


def _variant(use: RemovedUse) -> str:
    if use.statement is not None:
        return "helpers" if use.node is not getattr(use.statement, "module", None) else "module"
    if "keras" in use.missing:
        return "attribute" if use.homes[0] else "gone"
    return "saved-model" if use.homes[0] else "contrib"


def _fix(module: ModuleModel, use: RemovedUse) -> Fix | None:
    edit = _edit(module, use)
    if edit is not None:
        return Fix("use its present name", Safety.SAFE, (edit,))
    homes = sorted({home for home in use.homes if home})
    if not homes:
        return None
    return Fix(f"use {' and '.join(f'`{home}`' for home in homes)}", Safety.DISPLAY)


def _edit(module: ModuleModel, use: RemovedUse) -> Edit | None:
    statement = use.statement
    text = module.text(statement or use.node)
    if "#" in text or "\n" in text or "\r" in text:
        return None
    if statement is None:
        home = use.homes[0]
        if not home.startswith(f"{use.head}."):
            return None
        local = text.partition(".")[0]
        return rewrite.replace(module, use.node, local + home[len(use.head) :])
    if "keras" not in use.missing:
        return None  # `tf.compat.v1` has attributes, and not all the modules
    if use.node is getattr(statement, "module", None):
        homes = {home.rpartition(".")[0] for home in use.homes}
        return (
            rewrite.replace(module, use.node, homes.pop())
            if len(homes) == 1 and all(homes)
            else None
        )
    return _module_edit(module, use, text)


def _module_edit(module: ModuleModel, use: RemovedUse, text: str) -> Edit | None:
    """`from keras.utils import np_utils`, where all that the file takes of it has one home."""
    match = re.fullmatch(r"from \S+ import (\w+)(?: as (\w+))?", text)
    if match is None or use.statement is None:
        return None
    local = match.group(2) or match.group(1)
    span = module.span(use.statement)
    rest = module.source.text[: span.start] + module.source.text[span.end :]
    members = re.findall(rf"\b{local}\b(?:\.(\w+))?", rest)
    found = [removed.find(f"{use.missing}.{member}") for member in members]
    homes = {item.home.rpartition(".")[0] if item else "" for item in found}
    if len(homes) != 1 or not all(homes):
        return None
    root, _, name = homes.pop().rpartition(".")
    renamed = f" as {local}" if local != name else ""
    return rewrite.replace(module, use.statement, f"from {root} import {name}{renamed}")
