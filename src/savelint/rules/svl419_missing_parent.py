"""SVL419 missing-parent."""

from __future__ import annotations

from collections.abc import Iterator

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import paths
from savelint.keras.events import Argument, SaveCall
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.values import text_of
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import places

_REASON = "the directory may be there already, or be meant to be"
_MODEL = """\
model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
"""


class MissingParent(Rule):
    """A model is saved into a directory that nothing in the file creates.

    Consequence: `.keras` and `.weights.h5` files are not written where their directory does
    not exist; the save raises, in both generations. HDF5 files, SavedModels and
    `ModelCheckpoint` create it.

    Silent: a directory that is not known, an absolute one, and every file that creates some
    directory.

    Fix: `os.makedirs(..., exist_ok=True)` before the save (unsafe: the directory may be
    there already).
    """

    code = "SVL419"
    name = "missing-parent"
    since = "0.1"
    severity = {Keras.V3: Severity.NOTE, Keras.V2: Severity.NOTE}
    mentions = ("save",)
    clues = (frozenset({"save", "save_model", "save_weights"}),)
    examples = (
        Example(
            variant="model",
            bad="import os\n\nfrom tensorflow import keras\n\n"
            + _MODEL
            + 'model.save("models/best/model.keras")\n',
            at='"models/best/model.keras"',
            good="import os\n\nfrom tensorflow import keras\n\n"
            + _MODEL
            + 'os.makedirs("models/best", exist_ok=True)\nmodel.save("models/best/model.keras")\n',
            witness=Witness(
                build="model",
                ways=(Way.RUN, Way.KERAS),
                saved="models/best/model.keras",
                fails={k: {Way.RUN: "FileNotFoundError"} for k in Keras},
            ),
        ),
        Example(
            variant="weights",
            bad="""\
import os

import keras

FOLDER = "weights"


def store(net: keras.Model):
    net.save_weights(os.path.join(FOLDER, "net.weights.h5"))


model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
store(model)
""",
            at='os.path.join(FOLDER, "net.weights.h5")',
            good="""\
import os

import keras

FOLDER = "weights"


def store(net: keras.Model):
    os.makedirs("weights", exist_ok=True)
    net.save_weights(os.path.join(FOLDER, "net.weights.h5"))


model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
store(model)
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN, Way.WEIGHTS),
                saved="weights/net.weights.h5",
                fails={k: {Way.RUN: "FileNotFoundError"} for k in Keras},
            ),
        ),
    )
    silent = (
        """\
# The directory is the current one, is not known, is absolute, or is created.
import os
from tensorflow import keras

def main(folder):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
    model.save("model.keras")
    model.save("./model.keras")
    model.save("../model.keras")
    model.save(f"{folder}/model.keras")
    model.save("/data/model.keras")
    model.save("models/model.h5")
    model.export("models/model")
""",
        """\
# Something creates directories here.
from pathlib import Path
from tensorflow import keras

Path("models").mkdir(exist_ok=True)
model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
model.save("models/model.keras")
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The saves that need a directory."""
        if places.creates_directories(module):
            return
        for _, save in module.saves("save", "weights"):
            path = save.path
            suffix = ".keras" if save.how == "save" else ".weights.h5"
            if path is None or not places.is_keras(save):
                continue
            text = text_of(path.value)
            folder = paths.directory(text) if text is not None and not text.assumed else None
            needed = bool(folder) and not (folder or "").startswith((".", "/", "~", "$"))
            if folder and needed and "://" not in folder and paths.ends_with(path.value, suffix):
                yield self._found(module, save, path, folder)

    def _found(self, module: ModuleModel, save: SaveCall, path: Argument, folder: str) -> Finding:
        fix = Fix("create the directory first", Safety.DISPLAY)
        spelled = rewrite.spell(module, "os.makedirs")
        if spelled is not None and rewrite.begins_line(module, save.node) and '"' not in folder:
            line = f'{spelled[0]}("{folder}", exist_ok=True)'
            edits = (*spelled[1], rewrite.insert_before(module, save.node, line))
            fix = Fix("create the directory first", Safety.UNSAFE, edits, _REASON)
        return self.finding(
            module,
            path.node.value,
            f"nothing in this file creates `{folder}`",
            variant="model" if save.how == "save" else "weights",
            fix=fix,
        )
