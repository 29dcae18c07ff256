"""SVL405 load-saved-model-directory."""

from __future__ import annotations

from collections.abc import Iterator

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import paths
from savelint.keras.events import Argument, LoadCall
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import places

# What writes directories that `load_model` cannot load.
_WRITING = {
    Keras.V3: ("saved_model", "export", "archive"),
    Keras.V2: ("saved_model",),
}
_LAYER = "keras.layers.TFSMLayer"
_REASON = "a layer that serves the model is no Model, and cannot be trained"
_MODEL = """\
model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
"""


class LoadSavedModelDirectory(Rule):
    """`load_model` is given a SavedModel, or another name than of a Keras file.

    Consequence: Keras 3 loads `.keras` and `.h5` only, and raises for every directory.
    Keras 2 loads the directories that its own `save` and `export` wrote, and not those of
    `tf.saved_model.save`.

    Silent: a path of which the end is not known, one that the file also gives to `save`
    (SVL401 speaks of that), and `hf://`; files in which something is saved with
    `zipped=False`, which writes a directory that Keras 3 does load; in Keras 2, a directory
    that the file does not write.

    Fix: in Keras 3 a layer that serves it, `keras.layers.TFSMLayer` (unsafe: it is no Model
    and cannot be trained; where the file itself writes the directory, it can as well write
    `.keras`). Keras 2 has no such layer.
    """

    code = "SVL405"
    name = "load-saved-model-directory"
    since = "0.1"
    severity = {Keras.V3: Severity.ERROR, Keras.V2: Severity.ERROR}
    mentions = ("load_model",)
    clues = (frozenset({"load_model"}),)
    examples = (
        Example(
            variant="written",
            bad="import tensorflow as tf\nfrom tensorflow import keras\n\n"
            + _MODEL
            + """\
tf.saved_model.save(model, "saved")
again = keras.models.load_model("saved", compile=False)
""",
            at='"saved"',
            good="import tensorflow as tf\nfrom tensorflow import keras\n\n"
            + _MODEL
            + """\
model.save("saved.keras")
again = keras.models.load_model("saved.keras", compile=False)
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN, Way.KERAS),
                saved="saved.keras",
                fails={
                    Keras.V3: {Way.RUN: "File format not supported"},
                    Keras.V2: {Way.RUN: "Unable to create a (?:TF-)?Keras model"},
                },
            ),
            fixed=False,
        ),
        Example(
            variant="served",
            bad="from tensorflow import keras\n\n"
            + _MODEL
            + """\
model.export("saved")
served = keras.models.load_model("saved")
""",
            at='"saved"',
            good="from tensorflow import keras\n\n"
            + _MODEL
            + """\
model.export("saved")
served = keras.layers.TFSMLayer("saved", call_endpoint="serving_default")
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN,),
                fails={Keras.V3: {Way.RUN: "File format not supported"}},
            ),
            keras=(Keras.V3,),
        ),
        Example(
            variant="directory",
            bad="""\
import os

from tensorflow import keras


def build():
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])


build().export(os.path.join(os.getcwd(), "exported"))
model = keras.models.load_model("exported")
""",
            at='"exported"',
            good="""\
import os

from tensorflow import keras


def build():
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])


build().export(os.path.join(os.getcwd(), "exported"))
model = keras.layers.TFSMLayer("exported", call_endpoint="serving_default")
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN,),
                fails={Keras.V3: {Way.RUN: "File format not supported"}},
            ),
            keras=(Keras.V3,),
        ),
    )
    silent = (
        """\
# The name is right or not known, or another module's.
import os
import joblib
from keras.models import load_model

def main(path, name, given=""):
    if given:
        load_model(given)
    load_model("model.keras")
    load_model("model.hdf5", compile=False)
    load_model(path)
    load_model(os.path.join(path, name))
    load_model("hf://user/model")
    joblib.load("model")
    mlflow.load_model("model")
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The loads of other names."""
        unzipped = any(
            save.arguments.get(2, "zipped") is not None for _, save in module.saves("save")
        )
        for load in (load for flow in module.flows for load in flow.all(LoadCall)):
            path = load.path
            if path is None or load.how != "model" or unzipped:
                continue
            if paths.head(path.value).startswith("hf://") or _is_saved(module, path):
                continue
            written = _is_given(module, path, *_WRITING[module.keras])
            named = paths.ends_with(path.value, *places.WHOLE)
            if named is False and (written or module.keras is Keras.V3):
                yield self._found(module, load, path, written=written)

    def _found(
        self, module: ModuleModel, load: LoadCall, path: Argument, *, written: bool
    ) -> Finding:
        fix = Fix("load it with `tf.saved_model.load`, or save `.keras`", Safety.DISPLAY)
        variant = "written" if written else "directory"
        spelled = rewrite.spell(module, _LAYER) if module.keras is Keras.V3 else None
        # The package for Keras 2 alone has no such layer.
        other = spelled is not None and spelled[0].startswith("tf_keras.")
        if spelled is not None and not other and len(load.arguments.items) == 1:
            variant = "served" if written else "directory"
            text = f'{spelled[0]}({module.text(path.node.value)}, call_endpoint="serving_default")'
            edits = (*spelled[1], rewrite.replace(module, load.node, text))
            fix = Fix("serve it with a `TFSMLayer`", Safety.UNSAFE, edits, _REASON)
        return self.finding(
            module,
            path.node.value,
            f"`load_model` cannot load {places.shown(path)}: "
            + ("it is a SavedModel" if written else "it ends in neither `.keras` nor `.h5`"),
            variant=variant,
            severity=places.severity(path, Severity.ERROR),
            fix=fix,
        )


def _is_given(module: ModuleModel, path: Argument, *hows: str) -> bool:
    """Whether the file saves to the same path in one of some ways."""
    return any(places.same_path(path, save.path) for _, save in module.saves(*hows))


def _is_saved(module: ModuleModel, path: Argument) -> bool:
    """Whether the file gives the path to `save`, be it in words of which less is known."""
    return _is_given(module, path, "save") or any(
        places.same_expression(module, path, save.path) for _, save in module.saves("save")
    )
