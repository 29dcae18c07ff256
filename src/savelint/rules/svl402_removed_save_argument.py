"""SVL402 removed-save-argument."""

from __future__ import annotations

from collections.abc import Iterator

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import paths
from savelint.keras.events import Argument, LoadCall, SaveCall
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.values import Const
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import places

_V3 = (Keras.V3,)
_V2 = (Keras.V2,)
_SAVED_MODEL = ("signatures", "options", "save_traces")
# What these say is what happens without them, or what cannot be had.
_NEEDLESS = frozenset({"options", "save_traces", "include_optimizer"})
# All that Keras 2 knows.
_FORMATS = frozenset({"tf", "tensorflow", "h5", "hdf5", "keras", "keras_v3"})
_OTHER_FORMAT = "other code may read the file as HDF5"
_EXPORTED = "what `export` writes is served, and not trained on or loaded by `load_model`"
_HEAD = """\
import tensorflow as tf
from tensorflow import keras

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
"""


_COMPILED = """\
from tensorflow import keras

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
model.compile("sgd", "mean_squared_error")
"""
_EXPORT = """\
import tensorflow as tf

model = tf.keras.Sequential([tf.keras.Input((6,)), tf.keras.layers.Dense(3)])
model(tf.ones((4, 6)))
spec = tf.TensorSpec([None, 6], tf.float32)
"""
_STORE = """\
import tf_keras as keras
from tf_keras.models import Model


def store(net: Model, path):
    net.save(path, save_format={format})


model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
for name in "model.h5".split():
    store(model, name)
"""


def _run(fails: dict[Keras, str], saved: str = "model.keras", *ways: Way) -> Witness:
    return Witness(
        build="model",
        ways=(Way.RUN, *(ways or (Way.KERAS,))),
        saved=saved,
        fails={keras: {Way.RUN: text} for keras, text in fails.items()},
    )


class RemovedSaveArgument(Rule):
    """An argument that saving does not take, or does not heed.

    Consequence: Keras 3 refuses `signatures=`, `options=` and `save_traces=`, and
    `save_format=` unless the path ends in `.keras` or `.h5`; there it ignores it, so that
    `save_format="tf"` writes no SavedModel. It keeps the optimizer in a `.keras` file
    although `include_optimizer=False` is said. The third positional argument is `zipped`,
    which cannot be False for a `.keras` file. `save_weights` has no `save_format=`,
    `load_model` no `options=`. Keras 2 has no `zipped=`, takes none of the others for a
    `.keras` file nor `options=` to load one, exports with the path alone, refuses a format
    that it does not know, and with `save_format="h5"` writes HDF5 under the name of a `.keras`
    file.

    Silent: in Keras 3, formats but "tf" that the path already decides; objects that are not
    Keras models, unless they are given what only Keras' own `save` takes; in Keras 2, all
    that it knows, and a third positional argument, which its releases take for different
    things.

    Fix: what has no effect, or only that of failing, is removed (safe). `save_format="tf"`
    becomes `model.export(path)` (unsafe: it writes a model to be served, not to be loaded
    by Keras).
    """

    code = "SVL402"
    name = "removed-save-argument"
    since = "0.1"
    severity = {Keras.V3: Severity.ERROR, Keras.V2: Severity.ERROR}
    mentions = ("save", "load_model", "export")
    clues = (frozenset({"save", "save_model", "save_weights", "load_model", "export"}),)
    examples = (
        Example(
            variant="format",
            bad=_HEAD + 'model.save("exported", save_format="tf")\n',
            at='save_format="tf"',
            good=_HEAD + 'model.export("exported")\n',
            witness=_run(
                {Keras.V3: "`save_format` argument is deprecated"}, "exported", Way.EXPORT
            ),
            keras=_V3,
        ),
        Example(
            variant="ignored",
            bad=_HEAD
            + """\
model.save("model.h5", save_format="tf")
served = tf.saved_model.load("model.h5")
""",
            at='save_format="tf"',
            good=_HEAD
            + """\
model.export("exported")
served = tf.saved_model.load("exported")
""",
            witness=_run(dict.fromkeys(Keras, r"\w+Error"), "exported", Way.EXPORT),
            keras=_V3,
            fixed=False,
        ),
        Example(
            variant="refused",
            bad=_HEAD + 'model.save("model.keras", save_traces=False, overwrite=True)\n',
            at="save_traces=False",
            good=_HEAD + 'model.save("model.keras", overwrite=True)\n',
            witness=_run(
                {
                    Keras.V3: "argument.* not supported",
                    Keras.V2: "argument.* not supported",
                }
            ),
        ),
        Example(
            variant="optimizer",
            bad="""\
from tensorflow.keras import layers, models

model = models.Sequential([layers.Input((6,)), layers.Dense(3)])
models.save_model(
    model,
    "model.keras",
    include_optimizer=True,
)
""",
            at="include_optimizer=True",
            good="""\
from tensorflow.keras import layers, models

model = models.Sequential([layers.Input((6,)), layers.Dense(3)])
models.save_model(
    model,
    "model.keras",
)
""",
            witness=_run({Keras.V2: "argument.* not supported"}),
            keras=_V2,
        ),
        Example(
            variant="kept",
            bad=_COMPILED
            + """\
model.save("model.keras", include_optimizer=False)
again = keras.models.load_model("model.keras")
assert again.optimizer is None, "there is an optimizer"
""",
            at="include_optimizer=False",
            good=_COMPILED
            + """\
model.save("model.keras")
again = keras.models.load_model("model.keras", compile=False)
assert getattr(again, "optimizer", None) is None, "there is an optimizer"
""",
            witness=_run(
                {
                    Keras.V3: "AssertionError: there is an optimizer",
                    Keras.V2: "argument.* not supported",
                }
            ),
            fixed=False,
        ),
        Example(
            variant="unknown",
            bad=_STORE.format(format='"hdf"'),
            at='save_format="hdf"',
            good=_STORE.format(format='"h5"'),
            witness=_run({Keras.V2: "Unknown `save_format` argument"}, "model.h5", Way.H5),
            keras=_V2,
            fixed=False,
        ),
        Example(
            variant="native",
            bad=_HEAD + 'model.save("model", save_format="keras")\n',
            at='save_format="keras"',
            good=_HEAD + 'model.save("model.keras", save_format="keras")\n',
            witness=_run(
                {
                    Keras.V2: r"expected a `\.keras` extension",
                    Keras.V3: "`save_format` argument is deprecated",
                }
            ),
            fixed=False,
        ),
        Example(
            variant="misnamed",
            bad=_HEAD
            + """\
import zipfile

model.save("model.keras", save_format="h5")
assert zipfile.is_zipfile("model.keras"), "no `.keras` file"
""",
            at='save_format="h5"',
            good=_HEAD
            + """\
import zipfile

model.save("model.keras")
assert zipfile.is_zipfile("model.keras"), "no `.keras` file"
""",
            witness=_run({Keras.V2: "AssertionError: no `.keras` file"}),
            keras=_V2,
        ),
        Example(
            variant="unzipped",
            bad=_COMPILED + 'model.save("model.keras", zipped=False)\n',
            at="zipped=False",
            good=_COMPILED + 'model.save("model.keras")\n',
            witness=_run({Keras.V3: "should not end in `.keras`", Keras.V2: "zipped"}),
            fixed=False,
        ),
        Example(
            variant="zipped",
            bad="""\
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense, Input

model = Sequential([Input((6,)), Dense(3)])
model.save("model.keras", zipped=True)
""",
            at="zipped=True",
            good="""\
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense, Input

model = Sequential([Input((6,)), Dense(3)])
model.save("model.keras")
""",
            witness=_run({Keras.V2: "zipped"}),
            keras=_V2,
        ),
        Example(
            variant="positional",
            bad="""\
import keras

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
model.save("model.keras", True, False)
""",
            at="False",
            good="""\
import keras

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
model.save("model.keras", True)
""",
            witness=_run({Keras.V3: "ValueError"}),
            keras=_V3,
            fixed=False,
        ),
        Example(
            variant="export",
            bad=_EXPORT + "model.export('exported', input_signature=[spec])\n",
            at="input_signature=[spec]",
            good=_EXPORT + "model.export('exported')\n",
            witness=_run(
                {Keras.V2: "unexpected keyword argument 'input_signature'"},
                "exported",
                Way.EXPORT,
            ),
            keras=_V2,
        ),
        Example(
            variant="weights",
            bad=_HEAD + "model.save_weights('model.weights.h5', save_format='h5')\n",
            at="save_format='h5'",
            good=_HEAD + "model.save_weights('model.weights.h5')\n",
            witness=_run(
                {Keras.V3: "unexpected keyword argument 'save_format'"},
                "model.weights.h5",
                Way.WEIGHTS,
            ),
            keras=_V3,
        ),
        Example(
            variant="load",
            bad=_HEAD
            + """\
model.save("model.keras")
options = tf.saved_model.LoadOptions()
again = keras.models.load_model("model.keras", options=options)
""",
            at="options=options",
            good=_HEAD
            + """\
model.save("model.keras")
options = tf.saved_model.LoadOptions()
again = keras.models.load_model("model.keras")
""",
            witness=_run(dict.fromkeys(Keras, "options")),
        ),
    )
    silent = (
        """\
# The format is the one of the path, or none; nobody knows what the path or the format is.
from tensorflow import keras

def main(path, form):
    model = keras.Sequential()
    model.save("model.h5", save_format="h5")
    model.save("model.h5", save_format=None)
    model.save("model.keras", save_format="keras_v3")
    model.export("model")
    model.save(path, save_format="h5")
    keras.models.load_model(path, compile=False)
    model.save("model.keras", save_format=form)
    model.save("model.h5", include_optimizer=False)
    model.save("model.keras", True)
    model.save(*path, **form)
""",
        """\
# These are not Keras' own.
from tensorflow import keras

class Report:
    def save(self, path, save_format="tf", options=None):
        pass

Report().save("report", save_format="pdf", options=3)

def main(image, figure):
    image.save("image", options=3)
    figure.save("figure", signatures=None)
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The arguments of calls that save, then of those that load."""
        for _, save in module.saves("save"):
            if places.is_keras(save):
                yield from self._format(module, save)
                yield from self._refused(module, save)
                yield from self._zipped(module, save)
        if module.keras is Keras.V3:
            for _, save in module.saves("weights"):
                given = save.arguments.get(None, "save_format")
                if given is not None and places.is_keras(save):
                    yield self._weights(module, save, given)
        else:
            for _, save in module.saves("export"):
                if places.is_keras(save):
                    yield from self._exported(module, save)
        for load in (load for flow in module.flows for load in flow.all(LoadCall)):
            given = load.arguments.get(None, "options")
            if load.how == "model" and given is not None and _refuses_options(module, load):
                yield self._removed(module, load, given, "`load_model` takes no", "load")

    def _format(self, module: ModuleModel, save: SaveCall) -> Iterator[Finding]:
        given = save.arguments.get(None, "save_format")
        if given is None or given.value == Const(None):
            return
        path = save.path
        form = places.literal(given)
        if module.keras is Keras.V2:
            yield from self._format_of_v2(module, save, given, form)
            return
        right = paths.ends_with(path.value, *places.WHOLE) if path is not None else None
        if right and path is not None:
            if form in {"tf", "tensorflow"}:
                yield self.finding(
                    module,
                    given.node,
                    f"`save_format=` is ignored: {places.shown(path)} decides",
                    variant="ignored",
                    severity=Severity.WARNING,
                    fix=Fix("`export` a model that is to be served", Safety.DISPLAY),
                )
        elif right is False or form == "tf":
            yield self.finding(
                module,
                given.node,
                "`save_format=` is refused unless the path ends in `.keras` or `.h5`",
                variant="native" if form in {"keras", "keras_v3"} else "format",
                severity=Severity.ERROR if right is False else Severity.WARNING,
                fix=_exported(module, save, given, form),
            )

    def _format_of_v2(
        self, module: ModuleModel, save: SaveCall, given: Argument, form: object
    ) -> Iterator[Finding]:
        """A format that is not known, or HDF5 under the name of a `.keras` file."""
        named = save.path is not None and paths.ends_with(save.path.value, ".keras")
        if isinstance(form, str) and form not in _FORMATS:
            yield self.finding(
                module,
                given.node,
                f"there is no format `{form}`",
                variant="unknown",
                fix=Fix("the formats are `keras`, `h5` and `tf`", Safety.DISPLAY),
            )
        elif named is False and form in {"keras", "keras_v3"}:
            yield self.finding(
                module,
                given.node,
                f"`save_format={module.text(given.node.value)}` needs a path that ends in `.keras`",
                variant="native",
                fix=Fix("end the path in `.keras`", Safety.DISPLAY),
            )
        elif named and save.path is not None and form in {"h5", "hdf5"}:
            edit = rewrite.remove_argument(module, save.node, given.node)
            yield self.finding(
                module,
                given.node,
                f"{places.shown(save.path)} becomes a file of HDF5",
                variant="misnamed",
                severity=Severity.WARNING,
                fix=Fix("remove it: the path decides", Safety.UNSAFE, (edit,), _OTHER_FORMAT),
            )

    def _refused(self, module: ModuleModel, save: SaveCall) -> Iterator[Finding]:
        native = _is_native(module, save)
        known = save.path is not None and paths.ends_with(save.path.value, *places.WHOLE)
        for argument in save.arguments.items:
            if argument.keyword in _SAVED_MODEL and (native or module.keras is Keras.V3):
                fix = Fix("`tf.saved_model.save` takes it", Safety.DISPLAY)
                yield self._removed(
                    module,
                    save,
                    argument,
                    "a model of Keras is not saved with",
                    "refused",
                    None if known and argument.keyword in _NEEDLESS else fix,
                )
            elif argument.keyword == "include_optimizer" and native:
                left_out = places.literal(argument) is False
                if module.keras is Keras.V2:
                    said = "a `.keras` file is not saved with"
                    fix = Fix("remove it, and load with `compile=False`", Safety.DISPLAY)
                    variant = "kept" if left_out else "optimizer"
                    yield self._removed(
                        module, save, argument, said, variant, fix if left_out else None
                    )
                elif left_out:
                    yield self.finding(
                        module,
                        argument.node,
                        "a `.keras` file keeps the optimizer, whatever `include_optimizer=` says",
                        variant="kept",
                        severity=Severity.NOTE,
                        fix=Fix("load it with `compile=False`", Safety.DISPLAY),
                    )

    def _zipped(self, module: ModuleModel, save: SaveCall) -> Iterator[Finding]:
        given = save.arguments.get(None, "zipped")
        if given is not None and module.keras is Keras.V2:
            certain = places.literal(given) is True
            fix = None if certain else Fix("remove it", Safety.DISPLAY)
            variant = "zipped" if certain else "unzipped"
            yield self._removed(module, save, given, "Keras 2 has no", variant, fix)
        elif given is not None and _is_native(module, save) and places.literal(given) is False:
            yield self.finding(
                module,
                given.node,
                "`zipped=False` writes a directory, whose name cannot end in `.keras`",
                variant="unzipped",
                fix=Fix("remove it, or give it the name of a directory", Safety.DISPLAY),
            )
        third = places.zipped(save)
        if (
            module.keras is Keras.V3
            and third is not None
            and third.keyword is None
            and places.literal(third) is False
        ):
            yield self.finding(
                module,
                third.node,
                "the third argument is `zipped`, and no longer the optimizer or the format",
                variant="positional",
                fix=Fix("name the argument that is meant", Safety.DISPLAY),
            )

    def _exported(self, module: ModuleModel, save: SaveCall) -> Iterator[Finding]:
        """`export` of Keras 2 takes a path, and nothing else; SVL411 speaks of `format=`."""
        for argument in save.arguments.items:
            if argument.keyword not in {None, "filepath", "format"}:
                fix = Fix("`tf.saved_model.save` takes it", Safety.DISPLAY)
                served = argument.keyword == "signatures"
                said = "`export` of Keras 2 has no"
                yield self._removed(module, save, argument, said, "export", fix if served else None)

    def _weights(self, module: ModuleModel, save: SaveCall, given: Argument) -> Finding:
        ends = save.path is not None and paths.ends_with(save.path.value, ".weights.h5")
        fix = None if ends else Fix("end the path in `.weights.h5`", Safety.DISPLAY)
        return self._removed(module, save, given, "`save_weights` has no", "weights", fix)

    def _removed(
        self,
        module: ModuleModel,
        call: SaveCall | LoadCall,
        argument: Argument,
        said: str,
        variant: str,
        fix: Fix | None = None,
    ) -> Finding:
        edit = rewrite.remove_argument(module, call.node, argument.node)
        return self.finding(
            module,
            argument.node,
            f"{said} `{argument.keyword}=`",
            variant=variant,
            fix=fix or Fix("remove it", Safety.SAFE, (edit,)),
        )


def _is_native(module: ModuleModel, save: SaveCall) -> bool:
    """Whether a `.keras` file is written; in Keras 2 a format counts for more than the path."""
    given = save.arguments.get(None, "save_format")
    if module.keras is Keras.V2 and given is not None and given.value != Const(None):
        return places.literal(given) in {"keras", "keras_v3"}
    return save.path is not None and paths.ends_with(save.path.value, ".keras") is True


def _refuses_options(module: ModuleModel, load: LoadCall) -> bool:
    """Whether `load_model` has no `options=` there; Keras 2 has it for directories."""
    if module.keras is Keras.V3:
        return True
    return load.path is not None and paths.ends_with(load.path.value, ".keras") is True


def _exported(module: ModuleModel, save: SaveCall, given: Argument, form: object) -> Fix:
    """`model.save(path, save_format="tf")` as `model.export(path)`."""
    import libcst as cst

    function = save.node.func
    names = {argument.keyword for argument in save.arguments.items} - {"save_format", None}
    plain = len(save.arguments.positional) == 1 and not names and not save.arguments.is_open
    if form != "tf" or not isinstance(function, cst.Attribute) or not plain:
        return Fix("end the path in `.keras`, or `export` the model", Safety.DISPLAY)
    if function.attr.value != "save":
        return Fix("`export` the model", Safety.DISPLAY)
    edits = (
        rewrite.replace(module, function.attr, "export"),
        rewrite.remove_argument(module, save.node, given.node),
    )
    return Fix("`export` it", Safety.UNSAFE, edits, _EXPORTED)
