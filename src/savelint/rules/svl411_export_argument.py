"""SVL411 export-argument."""

from __future__ import annotations

from collections.abc import Iterator

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras import paths
from savelint.keras.generation import Keras
from savelint.keras.model import Argument, ModuleModel, SaveCall
from savelint.keras.values import Seq, Spec, Table, literal_dimensions
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import places

_V3 = (Keras.V3,)
_V2 = (Keras.V2,)
_DEFAULT = "tf_saved_model"
_FORMATS = frozenset({_DEFAULT, "onnx", "openvino", "litert", "torch"})
# What others call the format that is the default.
_CALLED = frozenset({"saved_model", "tf", "SavedModel"})
_HEAD = """\
import tensorflow as tf
from tensorflow import keras

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
"""
_SPEC = """\
import keras
import tensorflow as tf

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
model(keras.ops.ones((4, 6)))
spec = tf.TensorSpec([None, 6], tf.float32)
"""

_NET = """\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)


"""


def _run(fails: dict[Keras, str], *ways: Way, saved: str = "exported") -> Witness:
    return Witness(
        build="model",
        ways=(Way.RUN, *(ways or (Way.EXPORT,))),
        saved=saved,
        fails={keras: {Way.RUN: text} for keras, text in fails.items()},
    )


class ExportArgument(Rule):
    """`model.export` is given what it does not take, or the name of a file.

    Consequence: Keras 3 refuses an `input_signature` that is not in a list or tuple, and a
    `format=` that it does not know; Keras 2 has no `format=`. A name such as `model.keras`
    becomes that of a directory, which `load_model` of Keras 3 cannot load. A subclassed
    model that nothing has called yet is refused by both.

    Silent: values that are not known; objects that are not known to be Keras models.

    Fix: the spec goes into a list, a `format=` that means the default is removed (safe). A
    name is only shown: `save` may have been meant.
    """

    code = "SVL411"
    name = "export-argument"
    since = "0.1"
    severity = {Keras.V3: Severity.ERROR, Keras.V2: Severity.ERROR}
    mentions = ("export",)
    clues = (frozenset({"export"}),)
    examples = (
        Example(
            variant="spec",
            bad=_SPEC + 'model.export("exported", input_signature=spec)\n',
            at="spec",
            good=_SPEC + 'model.export("exported", input_signature=[spec])\n',
            witness=_run({Keras.V3: "must be either a tuple or a list"}),
            keras=_V3,
        ),
        Example(
            variant="format",
            bad=_HEAD + "model.export('exported', format='saved_model')\n",
            at="format='saved_model'",
            good=_HEAD + "model.export('exported')\n",
            witness=_run({Keras.V3: "Unrecognized format", Keras.V2: "TypeError: .*'format'"}),
            keras=_V3,
        ),
        Example(
            variant="name",
            bad=_HEAD
            + """\
model.export("model.keras")
again = keras.models.load_model("model.keras")
""",
            at='"model.keras"',
            good=_HEAD
            + """\
model.save("model.keras")
again = keras.models.load_model("model.keras")
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN, Way.KERAS),
                saved="model.keras",
                fails={
                    Keras.V3: {Way.RUN: "File not found"},
                    # What `export` of Keras 2 wrote is loaded as no model.
                    Keras.V2: {Way.KERAS: "TypeError: '_UserObject'"},
                },
            ),
            keras=_V3,
            fixed=False,
        ),
        Example(
            variant="keyword",
            bad=_HEAD + 'model.export("exported", format="tf_saved_model")\n',
            at='format="tf_saved_model"',
            good=_HEAD + 'model.export("exported")\n',
            witness=_run({Keras.V2: "unexpected keyword argument 'format'"}),
            keras=_V2,
        ),
        Example(
            variant="unbuilt",
            bad=_NET + 'net = Net()\nnet.export("exported")\n',
            at='net.export("exported")',
            good=_NET + 'net = Net()\nnet(tf.ones((4, 6)))\nnet.export("exported")\n',
            witness=Witness(
                build="net",
                ways=(Way.RUN, Way.EXPORT),
                saved="exported",
                fails={k: {Way.RUN: "has not yet been built"} for k in Keras},
            ),
            fixed=False,
        ),
    )
    silent = (
        """\
# What is given is a list, or not known; a format's own suffix.
import tensorflow as tf
from tensorflow import keras

def main(path, options, name):
    model = keras.Sequential()
    model.export(path)
    model.export(f"{path}/{name}", **options)
    model.export("exported")
""",
        """\
# Neither a table nor a class of the project is a Keras model.
from tensorflow import keras

class Exporter:
    def export(self, path, format):
        pass

def main(frame):
    Exporter().export("model.keras", format="csv")
    frame.export("table.h5", format="h5")
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The exports of the file."""
        for flow, save in module.saves("export"):
            if not places.is_keras(save):
                continue
            if places.is_unbuilt(module, flow, save):
                yield self._unbuilt(module, save)
            path = save.path
            file = path is not None and paths.ends_with(path.value, *places.WHOLE)
            if path is not None and file and module.keras is Keras.V3:
                yield self._named(module, path)
            form = save.arguments.get(None, "format")
            name = places.literal(form)
            known = isinstance(name, str) and name in _FORMATS
            if form is not None and isinstance(name, str) and known is (module.keras is Keras.V2):
                yield self._format(module, save, form, name)
            given = save.arguments.get(None, "input_signature")
            if given is not None and module.keras is Keras.V3 and _is_bare(given):
                yield self._spec(module, given)

    def _unbuilt(self, module: ModuleModel, save: SaveCall) -> Finding:
        return self.finding(
            module,
            save.node,
            "the model cannot be exported yet: nothing has called it",
            variant="unbuilt",
            fix=Fix("call the model once before", Safety.DISPLAY),
        )

    def _named(self, module: ModuleModel, path: Argument) -> Finding:
        return self.finding(
            module,
            path.node.value,
            f"`export` makes a directory of the name {places.shown(path)}",
            variant="name",
            severity=Severity.WARNING,
            fix=Fix("`save` a model that Keras is to load", Safety.DISPLAY),
        )

    def _spec(self, module: ModuleModel, given: Argument) -> Finding:
        node = given.node.value
        edits: tuple[Edit, ...] = ()
        if isinstance(given.value, Spec):
            edits = (rewrite.replace(module, node, f"[{module.text(node)}]"),)
        return self.finding(
            module,
            node,
            "`input_signature=` takes a list or tuple of specs",
            variant="spec",
            fix=Fix("put it into a list", Safety.SAFE if edits else Safety.DISPLAY, edits),
        )

    def _format(self, module: ModuleModel, save: SaveCall, form: Argument, name: str) -> Finding:
        old = module.keras is Keras.V2
        fix = Fix("there is one format only", Safety.DISPLAY)
        if not old:
            fix = Fix(f"the formats are {', '.join(sorted(_FORMATS))}", Safety.DISPLAY)
        if name in _CALLED or (old and name == _DEFAULT):
            edit = rewrite.remove_argument(module, save.node, form.node)
            fix = Fix("remove it: a SavedModel is what `export` writes", Safety.SAFE, (edit,))
        return self.finding(
            module,
            form.node,
            "`export` of Keras 2 has no `format=`" if old else f"`export` knows no format `{name}`",
            variant="keyword" if old else "format",
            fix=fix,
        )


def _is_bare(given: Argument) -> bool:
    """Whether a signature is one spec, a dictionary, or a shape, and no list of specs."""
    value = given.value
    if isinstance(value, Seq):
        shape = literal_dimensions(value)
        return value.kind == "tuple" and shape is not None and len(shape) > 1
    return isinstance(value, (Spec, Table))
