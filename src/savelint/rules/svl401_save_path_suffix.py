"""SVL401 save-path-suffix."""

from __future__ import annotations

from collections.abc import Iterator

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import paths
from savelint.keras.events import Argument, SaveCall
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.values import Instance
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import places

_V3 = (Keras.V3,)
_INVALID = {Keras.V3: {Way.RUN: "Invalid filepath extension for saving"}}
# Keras 2 writes something else under the name that was given.
_NO_FILE = {Keras.V2: {Way.KERAS: "FileNotFoundError"}}
# With one of these the call is refused, or served otherwise, whatever the path is.
_OTHERS = frozenset({"save_format", "signatures", "options", "save_traces"})
# In Keras 2 a directory may have any name; these are names of files.
_FILES = places.FILES - {".ckpt", ".model", ".tf"}
_MODEL = """\
model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
"""


class SavePathSuffix(Rule):
    """A whole model is saved to a path that does not end in `.keras` or `.h5`, or to no path.

    Consequence: Keras 3 raises before it writes anything. Keras 2 takes any other name for
    that of a directory, and writes a SavedModel: `model.H5` or `model.json` is then no file.
    An open file is no path: neither takes one, but for the `h5py.File` of Keras 2.

    Silent: a path of which the end is not known; objects that are not known to be Keras
    models; in Keras 2, names of directories; calls with `save_format=`, `signatures=` or
    `zipped=False`, of which SVL402 speaks.

    Fix: end the name in `.keras`, there and where the file loads it (unsafe: other code may
    know the file by its old name). To serve the model, `model.export(path)` writes a
    SavedModel.
    """

    code = "SVL401"
    name = "save-path-suffix"
    since = "0.1"
    severity = {Keras.V3: Severity.ERROR, Keras.V2: Severity.WARNING}
    mentions = ("save",)
    clues = (frozenset({"save", "save_model"}),)
    examples = (
        Example(
            variant="directory",
            bad="from tensorflow import keras\n\n" + _MODEL + 'model.save("model")\n',
            at='"model"',
            good="from tensorflow import keras\n\n" + _MODEL + 'model.save("model.keras")\n',
            witness=Witness(
                build="model",
                ways=(Way.RUN, Way.KERAS),
                saved="model.keras",
                fails=_INVALID | _NO_FILE,
            ),
            keras=_V3,
        ),
        Example(
            variant="joined",
            bad="""\
import os
from pathlib import Path

import keras
from keras.models import load_model


def build():
    inputs = keras.Input((6,))
    return keras.Model(inputs, keras.layers.Dense(3)(inputs))


def store(net: keras.Model, folder):
    net.save(os.path.join(folder, "model.tf"))


Path("run").mkdir(exist_ok=True)
model = build()
store(model, Path("run"))
""",
            at='os.path.join(folder, "model.tf")',
            good="""\
import os
from pathlib import Path

import keras
from keras.models import load_model


def build():
    inputs = keras.Input((6,))
    return keras.Model(inputs, keras.layers.Dense(3)(inputs))


def store(net: keras.Model, folder):
    net.save(os.path.join(folder, "model.keras"))


Path("run").mkdir(exist_ok=True)
model = build()
store(model, Path("run"))
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN, Way.KERAS),
                saved="run/model.keras",
                fails=_INVALID | _NO_FILE,
            ),
            keras=_V3,
        ),
        Example(
            variant="file",
            bad="""\
from pathlib import Path

import tensorflow as tf

PATH = 'model.H5'

model = tf.keras.models.Sequential([tf.keras.Input((6,)), tf.keras.layers.Dense(3)])
tf.keras.models.save_model(model, PATH)
size = len(Path(PATH).read_bytes())
""",
            at="PATH",
            good="""\
from pathlib import Path

import tensorflow as tf

PATH = 'model.keras'

model = tf.keras.models.Sequential([tf.keras.Input((6,)), tf.keras.layers.Dense(3)])
tf.keras.models.save_model(model, PATH)
size = len(Path(PATH).read_bytes())
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN, Way.KERAS),
                saved="model.keras",
                fails={**_INVALID, Keras.V2: {Way.RUN: "IsADirectoryError"}},
            ),
        ),
        Example(
            variant="open",
            bad="""\
import tempfile

from tensorflow import keras

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
with tempfile.NamedTemporaryFile(suffix=".keras") as file:
    model.save(file)
""",
            at="file",
            good="""\
import tempfile

from tensorflow import keras

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
with tempfile.NamedTemporaryFile(suffix=".keras") as file:
    model.save(file.name)
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN,),
                fails={**_INVALID, Keras.V2: {Way.RUN: "AttributeError|TypeError"}},
            ),
            fixed=False,
        ),
    )
    silent = (
        """\
# A file's name is a path; so is what is none only where nothing is saved.
import io
import os
from tensorflow import keras

def main(name, path=None):
    model = keras.Sequential()
    with open(name, "rb") as file:
        model.save(file.name)
    path = None
    if name:
        path = name
    model.save(path)
    buffer = io.BytesIO() if name else "model.keras"
    model.save(buffer)
""",
        """\
# The suffix is right, or not known.
import os
from tensorflow import keras

def main(path, name):
    model = keras.Sequential()
    model.save("model.keras")
    model.save("model.hdf5")
    model.save(path)
    model.save(os.path.join(path, name))
    model.save(f"model{name}")
    model.save(path + "5")
    model.save()
    model.save(*path)
""",
        """\
# Neither images nor figures, tokenizers, forms or models of Django are Keras'.
import matplotlib.pyplot as plt
from PIL import Image
from tensorflow import keras

def show(model, image: Image.Image, tokenizer, form):
    image.save("image.png")
    Image.open("a").save("image")
    tokenizer.save("tokenizer.json")
    form.save("form")
    model.save("model")
    plt.figure().save("x")
""",
        """\
# The class saves in a way of its own.
from tensorflow import keras

class Net(keras.Model):
    def save(self, folder):
        self.save_weights(folder + "/net.weights.h5")

Net().save("net")
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The saves of whole models to other names."""
        for _, save in module.saves("save"):
            path = save.path
            keywords = {argument.keyword for argument in save.arguments.items}
            zipped = places.zipped(save)
            if path is None or not places.is_keras(save) or keywords & _OTHERS:
                continue
            if zipped is not None and places.literal(zipped) is not True:
                continue
            if _is_object(module, path):
                yield self._object(module, path)
            if paths.ends_with(path.value, *places.WHOLE) is False and (
                module.keras is Keras.V3 or _is_file_name(path)
            ):
                yield self._found(module, save, path)

    def _object(self, module: ModuleModel, path: Argument) -> Finding:
        opened = isinstance(path.value, Instance)
        what = "a file that is open" if opened else f"`{module.text(path.node.value)}`"
        fix = Fix("give it the name of the file", Safety.DISPLAY)
        return self.finding(
            module,
            path.node.value,
            f"{what} is no path to save a model to",
            variant="open",
            severity=Severity.ERROR,
            fix=fix,
        )

    def _found(self, module: ModuleModel, save: SaveCall, path: Argument) -> Finding:
        new_directory = module.keras is Keras.V2
        effect = "becomes a directory" if new_directory else "is no name for a model"
        old, variant = _old(path), "file" if _is_file_name(path) else "directory"
        joined = paths.whole(path.value) is None and variant == "directory"
        edits = places.renamed(module, save, old, ".keras", "model")
        return self.finding(
            module,
            path.node.value,
            f"{places.shown(path)} {effect}: it does not end in `.keras` or `.h5`",
            variant="joined" if joined else variant,
            severity=places.severity(path, self.severity[module.keras]),
            fix=Fix("end it in `.keras`", Safety.UNSAFE, edits, places.OTHERS)
            if edits
            else Fix("end the path in `.keras`, or `export` the model", Safety.DISPLAY),
        )


def _is_object(module: ModuleModel, path: Argument) -> bool:
    """Whether it is an open file, or a literal that is no text."""
    value = path.value
    if isinstance(value, Instance):
        hdf5 = module.keras is Keras.V2 and value.name == "h5py.File"
        return value.name in paths.OPENING and not hdf5
    literal = places.literal(path)
    return isinstance(literal, (int, float, bytes)) and not isinstance(literal, bool)


def _old(path: Argument) -> str:
    """What `.keras` takes the place of: a suffix of files, a slash or white space."""
    tail = paths.tail(path.value)
    bare = tail.rstrip("/ \n")
    suffix = paths.split_suffix(bare.rpartition("/")[2])[1]
    known = suffix.lower() in {*places.FILES, *places.WHOLE}
    return tail[len(bare) - len(suffix if known else "") :]


def _is_file_name(path: Argument) -> bool:
    """Whether a name is that of a file for everybody but Keras 2."""
    tail = paths.tail(path.value)
    suffix = paths.split_suffix(tail.strip().rpartition("/")[2])[1]
    return suffix.lower() in {*_FILES, *places.WHOLE}
