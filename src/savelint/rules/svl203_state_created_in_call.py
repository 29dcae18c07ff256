"""SVL203 state-created-in-call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, count
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras.clues import LATE_STATE, SHAPE_METHODS
from savelint.keras.events import AttributeStore, Creation
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import SEEDED, WEIGHTED, Kind
from savelint.keras.values import Instance, Variable, elements
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import building, lineage, weights
from savelint.source import Span

if TYPE_CHECKING:
    import libcst as cst

_MAKERS = frozenset({"add_weight", "add_variable", "variable"})
_OWN_CALL = re.compile(r"\bself(?:\.call|\.__call__)?\(")
_REASON = "it is then one layer, with weights that are kept, trained and saved"
_ZERO = re.compile(r"0(?:\.0*)?")
_SHOWN = Fix("create it in `__init__` or `build`", Safety.DISPLAY)

_GRAPH = "ValueError: tf.function only supports singleton tf.Variables"
_LOST = {
    Way.KERAS: "DIFF: other outputs",
    Way.WEIGHTS: "DIFF: other outputs",
    Way.TRAIN: _GRAPH,
    Way.SAVED_MODEL: _GRAPH,
    Way.EXPORT: _GRAPH,
}
_ADDED = "ValueError: You cannot add new elements of state"
_WAYS = (Way.CALL, Way.TRAIN, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS)
_IMPORTS = """\
import tensorflow as tf
from tensorflow import keras


"""
_LAZY_BESIDE = """\
import keras
from keras import layers


class Head(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden = layers.Dense(6)
        self.dense = {made}

    def call(self, inputs):
{first}        return self.dense(self.hidden(inputs))
"""
# Their own `build` is all that Keras 3 runs before it closes a layer to new state.
_WITHOUT_BUILD = frozenset(
    {"keras.Layer", "keras.layers.Layer", "keras.Model", "keras.models.Model"}
)


class StateCreatedInCall(Rule):
    """What `call` creates is new at each call, and Keras never learns of it.

    Consequence: a layer with weights, or a `tf.Variable`, that is made in `call` has new
    random numbers each time. `fit`, `export` and `tf.saved_model.save` raise, since a graph
    cannot make variables anew; `.keras` and `.weights.h5` are written without them, so a
    reload gives other outputs, without any exception. In Keras 3 a layer assigned to `self`
    and `add_weight` raise at the first call, also under `if self.layer is None`; a
    `tf.Variable` made so is in no Keras file. Beside layers that are unbuilt when `call` first
    runs, Keras 3 takes it in; then only a functional model in a `.keras` file does not load
    (a warning). There Dropout and noise layers count too: they hold a seed (a warning where
    the rate may be 0).

    Silent: layers without weights (in Keras 2 Dropout too); what is made once under a
    condition and kept on `self` in Keras 2, which finds it, and in Keras 3 in a Model that has
    other unbuilt layers; functional models that run `call` in their constructor; what runs
    eagerly only; `build`.

    Fix: make it at the end of `__init__` and use the attribute (unsafe: from then on it is
    one layer, which is trained and saved), where its arguments are known there and `call`
    makes it in any case. Else shown.
    """

    code = "SVL203"
    name = "state-created-in-call"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("call",)
    clues = (frozenset({LATE_STATE}),)
    examples = (
        Example(
            variant="layer",
            bad=_IMPORTS
            + """\
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.units = 3
        self.hidden = keras.layers.Dense(6)

    def call(self, inputs):
        return keras.layers.Dense(self.units)(self.hidden(inputs))
""",
            at="keras.layers.Dense(self.units)",
            good=_IMPORTS
            + """\
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.units = 3
        self.hidden = keras.layers.Dense(6)
        self.dense = keras.layers.Dense(self.units)

    def call(self, inputs):
        return self.dense(self.hidden(inputs))
""",
            witness=Witness(build="Net()", ways=_WAYS, fails=dict.fromkeys(Keras, _LOST), trains=4),
        ),
        Example(
            variant="helper",
            bad="""\
import tensorflow as tf
from tensorflow.keras import layers


def project(x, units):
    return layers.Dense(units, activation="relu")(x)


class Block(layers.Layer):
    def call(self, inputs):
        return project(inputs, 3)
""",
            at='layers.Dense(units, activation="relu")',
            good="""\
import tensorflow as tf
from tensorflow.keras import layers


class Block(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.project = layers.Dense(3, activation="relu")

    def call(self, inputs):
        return self.project(inputs)
""",
            witness=Witness(build="Block()", ways=_WAYS, fails=dict.fromkeys(Keras, _LOST)),
            fixed=False,
        ),
        Example(
            variant="weight",
            bad="""\
import tensorflow as tf
from tensorflow.keras.layers import Layer


class Scale(Layer):
    def call(self, inputs):
        scale = self.add_weight(name="scale", shape=(6,), initializer="random_normal")
        return tf.multiply(inputs, scale)
""",
            at='self.add_weight(name="scale", shape=(6,), initializer="random_normal")',
            good="""\
import tensorflow as tf
from tensorflow.keras.layers import Layer


class Scale(Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=(6,), initializer="random_normal")

    def call(self, inputs):
        return tf.multiply(inputs, self.scale)
""",
            witness=Witness(
                build="Scale()",
                ways=_WAYS,
                fails={
                    Keras.V3: dict.fromkeys(_WAYS, _ADDED),
                    Keras.V2: {**_LOST, Way.KERAS: "ValueError", Way.WEIGHTS: "ValueError"},
                },
                trains=1,
            ),
            fixed=False,
        ),
        Example(
            variant="variable",
            bad="""\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        gain = tf.Variable(tf.random.normal([6]))
        return self.dense(inputs * gain)
""",
            at="tf.Variable(tf.random.normal([6]))",
            good="""\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)
        self.gain = self.add_weight(name="gain", shape=[6], initializer="random_normal")

    def call(self, inputs):
        return self.dense(inputs * self.gain)
""",
            witness=Witness(
                build="Net()",
                ways=_WAYS,
                fails={
                    Keras.V3: {
                        **_LOST,
                        Way.SAVED_MODEL: "NO SIGNATURE",
                        Way.EXPORT: "ValueError",
                    },
                    Keras.V2: {**_LOST, Way.KERAS: "ValueError"},
                },
                trains=3,
            ),
            fixed=False,
        ),
        Example(
            variant="lazy",
            bad="""\
import keras
from keras import layers


class Head(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = None

    def call(self, inputs):
        if self.dense is None:
            self.dense = layers.Dense(3)
        return self.dense(inputs)
""",
            at="layers.Dense(3)",
            good="""\
import keras
from keras import layers


class Head(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)
""",
            witness=Witness(
                build="Head()", ways=_WAYS, fails={Keras.V3: dict.fromkeys(_WAYS, _ADDED)}, trains=2
            ),
            keras=(Keras.V3,),
            fixed=False,
        ),
        Example(
            variant="lazy beside others",
            bad=_LAZY_BESIDE.format(
                made="None",
                first="        if self.dense is None:\n            self.dense = layers.Dense(3)\n",
            ),
            at="layers.Dense(3)",
            good=_LAZY_BESIDE.format(made="layers.Dense(3)", first=""),
            witness=Witness(
                build="Head()", ways=_WAYS, fails={Keras.V3: {Way.KERAS: "ValueError"}}, trains=4
            ),
            keras=(Keras.V3,),
            fixed=False,
        ),
        Example(
            variant="dropout",
            bad="""\
import keras
from keras.layers import Dense, Dropout


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = Dense(3)

    def call(self, inputs, training=None):
        x = Dropout(0.5)(inputs, training=training)
        return self.dense(x)
""",
            at="Dropout(0.5)",
            good="""\
import keras
from keras.layers import Dense, Dropout


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = Dense(3)
        self.dropout = Dropout(0.5)

    def call(self, inputs, training=None):
        x = self.dropout(inputs, training=training)
        return self.dense(x)
""",
            witness=Witness(
                build="Net()",
                ways=(Way.CALL, Way.TRAIN, Way.EXPORT, Way.KERAS, Way.WEIGHTS),
                fails={Keras.V3: {Way.TRAIN: _GRAPH, Way.EXPORT: _GRAPH}},
            ),
            keras=(Keras.V3,),
        ),
    )
    silent = (
        """\
# A rate that is 0 unless somebody gives another one: Keras 3 then makes no seed.
import keras

class Block(keras.layers.Layer):
    def __init__(self, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.dropout = dropout
        self.dense = keras.layers.Dense(3)

    def call(self, inputs, training=None):
        outputs = keras.layers.Dropout(self.dropout)(inputs, training=training)
        return self.dense(outputs)

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.block = Block()

    def call(self, inputs):
        return self.block(inputs)
""",
        """\
# Keras 3 runs `call` once to build the other layer, and keeps what is made then.
import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden = keras.layers.Dense(6)
        self.dense = None

    def call(self, inputs):
        if self.dense is None:
            self.dense = keras.layers.Dense(3)
        return self.dense(self.hidden(inputs))
""",
        """\
# Layers without weights may be made anew each time.
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

class Scale(layers.Layer):
    def call(self, inputs):
        return inputs * 2.0

class Net(keras.Model):
    def call(self, inputs):
        x = layers.Concatenate()([layers.Flatten()(inputs), layers.ReLU()(inputs)])
        return Scale()(layers.Activation("relu")(layers.Dropout(0.0)(x)))
""",
        """\
# `build` is the place for it, also when `call` asks for it or leaves it to a helper.
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

class Net(keras.Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.first = self.make()

    def make(self):
        return layers.Dense(self.units)

    def build(self, input_shape):
        self.second = self.make()

    def call(self, inputs):
        return self.second(self.first(inputs))

    def get_config(self):
        config = super().get_config()
        config.update({"units": self.units})
        return config
""",
        """\
# A functional model: the constructor runs `call` once, on an Input.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def __init__(self):
        inputs = keras.Input([6])
        super().__init__(inputs, self.call(inputs))

    def call(self, inputs):
        return keras.layers.Dense(3)(inputs)
""",
        """\
# Initializers, losses and plain objects hold no weights; eager code is never traced.
import tensorflow as tf
from tensorflow import keras

class Config:
    units = 3

class Net(keras.layers.Layer):
    def call(self, inputs):
        config = Config()
        if tf.executing_eagerly():
            keras.layers.Dense(config.units)(inputs)
        return inputs * keras.initializers.Ones()((6,))
""",
        """\
# Neither a tf.Module nor a function that builds a model is called by Keras.
import tensorflow as tf
from tensorflow import keras

class Net(tf.Module):
    def call(self, inputs):
        return keras.layers.Dense(3)(inputs)

def call(inputs):
    return keras.Model(inputs, keras.layers.Dense(3)(inputs))
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Layers with weights, weights and variables that `call` makes."""
        for cls in module.classes:
            definer = cls.outline.definer("call")
            if cls.kind not in {Kind.LAYER, Kind.MODEL} or definer is None:
                continue
            if definer.path != cls.outline.path:
                continue  # it is reported where it stands
            call = definer.methods["call"]
            if _runs_in_construction(module, cls, call):
                continue
            taken: set[str] = set()
            lazy: set[int] = set()
            every = _outermost(module, cls)
            for creation in every:
                once = creation.conditional and _is_kept(module, cls, creation)
                place = id(creation.inside[-1])
                taken_in = once and _is_taken_in(module, cls, creation)
                if taken_in and cls.kind is Kind.MODEL:
                    continue
                if not once or place not in lazy:
                    yield self._found(module, cls, call, creation, once, taken_in, every, taken)
                if once:
                    lazy.add(place)

    def _found(
        self,
        module: ModuleModel,
        cls: KerasClass,
        call: cst.FunctionDef,
        creation: Creation,
        once: bool,
        taken_in: bool,
        every: list[Creation],
        taken: set[str],
    ) -> Finding:
        name = module.text(creation.node.func).rpartition(".")[2]
        what = "weight" if name in {"add_weight", "add_variable"} else f"`{name}`"
        how = f"makes its {what} only when it first runs" if once else f"makes a new {what}"
        mild = taken_in or _may_be_idle(module, creation)
        return self.finding(
            module,
            creation.node,
            f"`{cls.name}.call` {how}" + ("" if once else " each time it runs"),
            variant="lazy beside others" if taken_in else _variant(creation, once),
            severity=Severity.WARNING if mild else None,
            note="a layer's state is made in `__init__` or `build`",
            fix=_hoist(module, cls, call, creation, every, taken),
        )


# ---------------------------------------------------------------------- what is reported


def _runs_in_construction(module: ModuleModel, cls: KerasClass, call: cst.FunctionDef) -> bool:
    """Whether the constructor or `build` runs `call` itself, as in a functional model."""
    for method in ("__init__", "build"):
        if any(entered.node is call for entered in cls.flow(method).entered):
            return True
        definer = cls.outline.definer(method)
        if definer is None or definer.path == cls.outline.path:
            continue
        # One of another file is not followed into this one's `call`.
        if _OWN_CALL.search(module.code_of(definer.methods[method])):
            return True
    return False


def _outermost(module: ModuleModel, cls: KerasClass) -> list[Creation]:
    """What `call` makes that holds state; of a layer made for another one only the outer."""
    every = list(cls.flow("call").all(Creation))
    held = [m for m in every if _holds_state(module, cls, m) and _is_late(module, cls, m)]
    spans = {id(made): module.span(made.node) for made in every} if held else {}
    found: dict[Span, Creation] = {}
    for creation in held:
        inner = spans[id(creation)]
        around = [
            made
            for made in every
            if isinstance(made.value, Instance)
            and made.value.kind is not None
            and made.value.kind.is_layer
            and spans[id(made)].start <= inner.start
            and inner.end <= spans[id(made)].end
        ]
        outer = max(
            [creation, *around], key=lambda made: spans[id(made)].end - spans[id(made)].start
        )
        found.setdefault(spans[id(outer)], outer)
    return list(found.values())


def _holds_state(module: ModuleModel, cls: KerasClass, creation: Creation) -> bool:
    """Whether what is made is a variable, or a layer that makes some."""
    value = creation.value
    if isinstance(value, Variable):
        return True
    if not isinstance(value, Instance) or value.kind is None or not value.kind.is_layer:
        return False
    if value.outline is not None:
        return weights.makes_weights(module, value)
    last = value.name.rpartition(".")[2]
    if last in WEIGHTED:
        return True
    return module.keras is Keras.V3 and last in SEEDED and not _is_idle(module, cls, creation.node)


def _is_idle(module: ModuleModel, cls: KerasClass, node: cst.Call) -> bool:
    """Whether a dropout drops nothing, as far as the file tells; Keras 3 gives it no seed then."""
    rate = re.search(r"\((?:rate\s*=\s*)?([\w.]+)\s*[,)]", module.text(node))
    if rate is None:
        return False
    return _ZERO.fullmatch(rate[1]) is not None or _is_zero(module, cls, rate[1])


def _is_zero(module: ModuleModel, cls: KerasClass, rate: str) -> bool:
    """Whether an attribute is 0 by the constructor's default, which all that make it leave."""
    start = cls.outline.methods.get("__init__")
    stores = [s for s in cls.stores("__init__") if f"self.{s.name}" == rate]
    made_here = any(True for _ in module.file.makers(cls.name))
    if start is None or len(stores) != 1 or not made_here or [*module.elsewhere.makers(cls)]:
        return False
    name = module.text(stores[0].value_node)
    every = (*start.params.params, *start.params.kwonly_params)
    defaults = (p.default for p in every if p.name.value == name and p.default is not None)
    given = rf"\b{cls.name}\((?:[^()]|\([^()]*\))*\b{name}\s*="
    return any(_ZERO.fullmatch(module.text(default)) for default in defaults) and not re.search(
        given, module.source.text
    )


def _may_be_idle(module: ModuleModel, creation: Creation) -> bool:
    """Whether a dropout's rate may be 0, which is common where an argument gives it."""
    value = creation.value
    if not isinstance(value, Instance) or value.name.rpartition(".")[2] not in SEEDED:
        return False
    literal = re.search(r"\((?:rate\s*=\s*)?0?\.\d+\s*[,)]", module.text(creation.node))
    return creation.conditional or literal is None


def _is_late(module: ModuleModel, cls: KerasClass, creation: Creation) -> bool:
    """Whether something is made where Keras can no longer take it in."""
    name = module.text(creation.node.func).rpartition(".")[2]
    if not name[:1].isupper() and name not in _MAKERS:
        return False
    names = {getattr(getattr(f, "name", None), "value", "") for f in creation.inside[1:]}
    if names & SHAPE_METHODS:
        return False
    span = module.span(creation.node)
    for outline in cls.outline.lineage:
        if outline.path != cls.outline.path:
            continue
        for method in SHAPE_METHODS & outline.method_names:
            around = module.span(outline.methods[method])
            if around.start <= span.start and span.end <= around.end:
                return False
    if module.keras is Keras.V2 and creation.conditional:
        return not _is_kept(module, cls, creation)
    return True


def _is_kept(module: ModuleModel, cls: KerasClass, creation: Creation) -> bool:
    """Whether `call` keeps what it makes on `self`, or hands it to what may do that."""
    for store in cls.flow("call").all(AttributeStore):
        held = (getattr(value, "node", None) for value in elements(store.value))
        if any(node is creation.node for node in held):
            return True
    use = module.use_of(creation.node)
    return use.role in {"argument", "entry", "listed"}


def _is_taken_in(module: ModuleModel, cls: KerasClass, creation: Creation) -> bool:
    """Whether Keras 3 meets it when it runs `call` to build the layers that are unbuilt."""
    if isinstance(creation.value, Variable) and creation.value.origin != "weight":
        return False
    bases = frozenset(lineage.library_bases(cls.outline))
    if cls.outline.definer("build") is not None or not bases <= _WITHOUT_BUILD:
        return False
    held = (value for store in cls.stores("__init__") for value in elements(store.value))
    return any(
        isinstance(value, Instance)
        and value.kind is not None
        and value.kind.is_layer
        and (value.outline is not None or building.has_late_weights(module, value))
        for value in held
    )


def _variant(creation: Creation, once: bool) -> str:
    value = creation.value
    if isinstance(value, Variable):
        return "weight" if value.origin == "weight" else "variable"
    if isinstance(value, Instance) and value.name.rpartition(".")[2] in SEEDED:
        return "dropout"
    if once:
        return "lazy"
    return "layer" if len(creation.inside) == 1 else "helper"


# ---------------------------------------------------------------------- the fix


def _hoist(
    module: ModuleModel,
    cls: KerasClass,
    call: cst.FunctionDef,
    creation: Creation,
    every: list[Creation],
    taken: set[str],
) -> Fix:
    """Make a layer at the end of the constructor, and use it in the place of the call."""
    start = cls.outline.methods.get("__init__")
    text = module.text(creation.node)
    if (
        start is None
        or isinstance(creation.value, Variable)
        or creation.conditional
        or creation.inside != (call,)
        or "call" not in cls.outline.methods
        or module.use_of(creation.node).role != "called"
        or "\n" in text
        or not _is_known_in(module, cls, call, creation)
    ):
        return _SHOWN
    insertion = rewrite.at_end(module, start)
    if insertion is None:
        return _SHOWN
    made = [module.text(other.node.func).rpartition(".")[2] for other in every]
    name = _free_name(module, text, made, taken)
    point, margin = insertion
    line = f"{margin}self.{name} = {text}{module.source.newline}"
    edits = (Edit(point, line), rewrite.replace(module, creation.node, f"self.{name}"))
    return Fix("create it in `__init__`", Safety.UNSAFE, edits, _REASON)


def _is_known_in(
    module: ModuleModel, cls: KerasClass, call: cst.FunctionDef, creation: Creation
) -> bool:
    """Whether the arguments of a layer mean the same in the constructor."""
    text = re.sub(r"(['\"]).*?\1", "''", module.text(creation.node))
    stored = {
        s.name
        for s in cls.stores("__init__")
        if s.how == "assign" and not s.conditional and s.method == "__init__"
    }
    changed = {s.name for s in cls.stores(*cls.flows) if s.method != "__init__"}
    if not set(re.findall(r"\bself\.(\w+)", text)) <= stored - changed:
        return False
    names = set(re.findall(r"(?<![\w.])([A-Za-z_]\w*)\b(?!\s*=[^=])", text))
    known = module.summary
    return all(
        name in {"self", "True", "False", "None"}
        or name in known.names
        or name in module.file.kinds
        or (name in known.assignments and not _is_bound(module, call, name))
        for name in names
    )


def _is_bound(module: ModuleModel, function: cst.FunctionDef, name: str) -> bool:
    return bool(re.search(rf"\b{name}\b\s*(?:=[^=]|[,)]|:)", module.text(function)))


def _free_name(module: ModuleModel, text: str, made: list[str], taken: set[str]) -> str:
    """An attribute named by the layer's class that the file does not use yet.

    With a number, as the file writes it, where `call` makes several of the class.
    """
    kind = text.partition("(")[0].rpartition(".")[2]
    base = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower()
    used = {*re.findall(r"\.([a-zA-Z_]\w*)", module.source.text), *taken}
    several = made.count(kind) > 1 or {f"{base}1", f"{base}_1"} & used
    apart = sum(bool(re.search(r"[a-z]_[1-9]$", name)) for name in used)
    joined = sum(bool(re.search(r"[a-z][1-9]$", name)) for name in used)
    mark = "_" if apart > joined else ""
    numbered = (f"{base}{mark}{number}" for number in count(1))
    names = numbered if several else chain((base, f"{base}_layer"), numbered)
    name = next(name for name in names if name not in used)
    taken.add(name)
    return name
