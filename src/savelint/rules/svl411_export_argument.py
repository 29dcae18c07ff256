"""SVL411 export-argument."""

from __future__ import annotations

from collections.abc import Iterator

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import paths
from savelint.keras.events import Argument, SaveCall
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.values import Array, Const, Seq, Spec, Table, elements, literal_dimensions
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import places

_V3 = (Keras.V3,)
_V2 = (Keras.V2,)
_DEFAULT = "tf_saved_model"
_FORMATS = frozenset({_DEFAULT, "onnx", "openvino", "litert", "torch"})
# What others call the format that is the default.
_CALLED = frozenset({"saved_model", "tf", "SavedModel"})
# How formats are written that are known by another name; all their files have a suffix.
_RENAMED = {"tflite": "litert", "LiteRT": "litert", "ONNX": "onnx", "OpenVINO": "openvino"}
_SUFFIXES = {"litert": ".tflite", "openvino": ".xml"}
# What `save` takes, or took, and `export` passes on to nobody.
_UNHEEDED = frozenset({"save_format", "signatures", "options", "save_traces", "overwrite"})
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
_SIGNED = (
    _SPEC
    + """\


@tf.function(input_signature=[spec])
def scores(inputs):
    return {"scores": model(inputs)}


"""
)
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

    Consequence: Keras 3 refuses an `input_signature` that is not in a list or tuple, or that
    holds shapes or arrays in the place of specs, a `format=` that it does not know, and
    LiteRT or OpenVINO under another suffix than `.tflite` or `.xml`; what only `save` takes,
    such as `signatures=`, it does not heed. Keras 2 has no `format=`. A name such as
    `model.keras` becomes that of a directory, which `load_model` of Keras 3 cannot load. A
    subclassed model that nothing has called yet is refused by both, even when it is built.

    Silent: values that are not known; objects that are not known to be Keras models.

    Fix: the spec goes into a list; a `format=` that means the default, and what only `save`
    takes, is removed; a format is called by its present name (safe). A name is only shown:
    `save` may have been meant.
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
            bad=_SPEC + "model.export('exported', format='saved_model')\n",
            at="format='saved_model'",
            good=_SPEC + "model.export('exported')\n",
            witness=_run({Keras.V3: "Unrecognized format"}),
            keras=_V3,
        ),
        Example(
            variant="shape",
            bad=_SPEC + 'model.export("exported", input_signature=[(None, 6)])\n',
            at="[(None, 6)]",
            good=_SPEC + 'model.export("exported", input_signature=[spec])\n',
            witness=_run({Keras.V3: "Unsupported x=None"}),
            keras=_V3,
            fixed=False,
        ),
        Example(
            variant="suffix",
            bad=_SPEC + 'model.export("model", "litert")\n',
            at='"model"',
            good=_SPEC + 'model.export("model.tflite", "litert")\n',
            witness=Witness(
                build="model",
                ways=(Way.RUN,),
                fails={Keras.V3: {Way.RUN: r"requires the filepath to end with '\.tflite'"}},
            ),
            keras=_V3,
            fixed=False,
        ),
        Example(
            variant="renamed",
            bad=_SPEC + 'model.export("model.tflite", "tflite")\n',
            at='"tflite"',
            good=_SPEC + 'model.export("model.tflite", "litert")\n',
            witness=Witness(
                build="model",
                ways=(Way.RUN,),
                fails={Keras.V3: {Way.RUN: "Unrecognized format=tflite"}},
            ),
            keras=_V3,
        ),
        Example(
            variant="unheeded",
            bad=_SIGNED
            + """\
model.export("exported", signatures={"scores": scores})
assert "scores" in tf.saved_model.load("exported").signatures, "the signature is missing"
""",
            at='signatures={"scores": scores}',
            good=_SIGNED
            + """\
tf.saved_model.save(model, "exported", signatures={"scores": scores})
assert "scores" in tf.saved_model.load("exported").signatures, "the signature is missing"
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN,),
                fails={
                    Keras.V3: {Way.RUN: "AssertionError: the signature is missing"},
                },
            ),
            keras=_V3,
            fixed=False,
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
        Example(
            variant="built",
            bad=_NET + 'net = Net()\nnet.build((None, 6))\nnet.export("exported")\n',
            at='net.export("exported")',
            good=_NET
            + 'net = Net()\nnet.build((None, 6))\nnet(tf.ones((4, 6)))\nnet.export("exported")\n',
            witness=Witness(
                build="net",
                ways=(Way.RUN, Way.EXPORT),
                saved="exported",
                fails={k: {Way.RUN: "has never called"} for k in Keras},
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
    model.export(filepath="exported")
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
                yield self._unbuilt(module, save, "unbuilt")
            elif places.is_only_built(module, flow, save):
                yield self._unbuilt(module, save, "built")
            path = save.path
            file = path is not None and paths.ends_with(path.value, *places.WHOLE)
            if path is not None and file and module.keras is Keras.V3:
                yield self._named(module, path)
            form = save.arguments.get(1, "format")
            name = places.literal(form)
            if module.keras is Keras.V2:
                if form is not None and form.keyword and name in _FORMATS:
                    yield self._keyword(module, save, form)
                continue
            if form is not None and isinstance(name, str) and name not in _FORMATS:
                yield self._format(module, save, form, name)
            elif path is not None and isinstance(name, str) and name in _SUFFIXES:
                yield from self._suffix(module, path, name)
            given = save.arguments.get(3, "input_signature")
            if given is not None and (_is_bare(given) or _holds_no_specs(given)):
                yield self._spec(module, given)
            yield from self._unheeded(module, save)

    def _unbuilt(self, module: ModuleModel, save: SaveCall, variant: str) -> Finding:
        return self.finding(
            module,
            save.node,
            "the model cannot be exported yet: nothing has called it",
            variant=variant,
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
        if isinstance(given.value, Spec):
            edit = rewrite.replace(module, node, f"[{module.text(node)}]")
            fix = Fix("put it into a list", Safety.SAFE, (edit,))
        else:
            fix = Fix("put a `tf.TensorSpec` for each input into a list", Safety.DISPLAY)
        return self.finding(
            module,
            node,
            "`input_signature=` takes a list or tuple of specs",
            variant="spec" if isinstance(given.value, (Spec, Table)) else "shape",
            fix=fix,
        )

    def _format(self, module: ModuleModel, save: SaveCall, form: Argument, name: str) -> Finding:
        fix = Fix(f"the formats are {', '.join(sorted(_FORMATS))}", Safety.DISPLAY)
        new = _RENAMED.get(name)
        path = save.path.value if save.path is not None else None
        if name in _CALLED:
            edit = rewrite.remove_argument(module, save.node, form.node)
            fix = Fix("remove it: a SavedModel is what `export` writes", Safety.SAFE, (edit,))
        elif new is not None and paths.ends_with(path, _SUFFIXES.get(new, "")):
            literal = module.text(form.node.value)
            edit = rewrite.replace(module, form.node.value, literal.replace(name, new))
            fix = Fix(f"call it `{new}`", Safety.SAFE, (edit,))
        return self.finding(
            module,
            form.node,
            f"`export` knows no format `{name}`",
            variant="renamed" if new is not None else "format",
            fix=fix,
        )

    def _suffix(self, module: ModuleModel, path: Argument, name: str) -> Iterator[Finding]:
        if paths.ends_with(path.value, _SUFFIXES[name]) is False:
            yield self.finding(
                module,
                path.node.value,
                f"what is exported as `{name}` ends in `{_SUFFIXES[name]}`",
                variant="suffix",
                severity=places.severity(path, Severity.ERROR),
                fix=Fix(f"end the path in `{_SUFFIXES[name]}`", Safety.DISPLAY),
            )

    def _keyword(self, module: ModuleModel, save: SaveCall, form: Argument) -> Finding:
        fix = Fix("there is one format only", Safety.DISPLAY)
        if places.literal(form) == _DEFAULT:
            edit = rewrite.remove_argument(module, save.node, form.node)
            fix = Fix("remove it: a SavedModel is what `export` writes", Safety.SAFE, (edit,))
        return self.finding(
            module,
            form.node,
            "`export` of Keras 2 has no `format=`",
            variant="keyword",
            fix=fix,
        )

    def _unheeded(self, module: ModuleModel, save: SaveCall) -> Iterator[Finding]:
        for argument in save.arguments.items:
            if argument.keyword in _UNHEEDED and argument.value != Const(None):
                edit = rewrite.remove_argument(module, save.node, argument.node)
                fix = Fix("remove it", Safety.SAFE, (edit,))
                if argument.keyword == "signatures":
                    fix = Fix("`tf.saved_model.save` takes it", Safety.DISPLAY)
                yield self.finding(
                    module,
                    argument.node,
                    f"`export` does not heed `{argument.keyword}=`",
                    variant="unheeded",
                    severity=Severity.WARNING,
                    fix=fix,
                )


def _is_bare(given: Argument) -> bool:
    """Whether a signature is one spec, or a dictionary, and no list of specs."""
    return isinstance(given.value, (Spec, Table))


def _holds_no_specs(given: Argument) -> bool:
    """Whether a list or tuple holds shapes or arrays, which no spec is made of."""
    value = given.value
    if isinstance(value, Array):
        return value.is_numpy
    held = list(elements(value)) if isinstance(value, Seq) else []
    wrong = [e for e in held if literal_dimensions(e) or (isinstance(e, Array) and e.is_numpy)]
    return bool(wrong) and not any(isinstance(e, Spec) for e in held)
