"""SVL209 missing-super-init."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras.clues import UNFOUNDED
from savelint.keras.events import AttributeStore, SuperCall
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Kind
from savelint.keras.values import ClassOutline, Instance, Seq, Table, Value, Variable
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import lineage
from savelint.source import Span

if TYPE_CHECKING:
    import libcst as cst

_COMMENT = re.compile(r"#[^\r\n]*")
_ANY_SUPER = re.compile(r"\bsuper\b|\b__init__\b|\b__dict__\b|\bvars\(")
# `super().__init__` or `super()` alone on its line, called by nobody.
_IDLE_SUPER = re.compile(r"^[ \t]*super\((?:\w+, *\w+)?\)(\.__init__)?[ \t\r]*$", re.MULTILINE)
_BY_NAME = re.compile(r"(?<!\))\.__init__\(")
_UNTRACKED = "_self_setattr_tracking"
# Methods without which nobody asks whether the constructor ran.
_OTHER_WAYS = frozenset({"__call__", "__setattr__", "__getattr__"})
# Their constructors need no arguments.
_UNDEMANDING = frozenset({"Layer", "Model", "Sequential"})

_CALLED = (Way.CALL, Way.TRAIN, Way.KERAS)
_FORGOT = {
    Keras.V3: dict.fromkeys(_CALLED, r"RuntimeError: In layer '\w+', you forgot to call"),
    Keras.V2: dict.fromkeys(_CALLED, r"RuntimeError: .*`super\(\).__init__\(\)`"),
}
_IMPORTS = """\
import tensorflow as tf
from tensorflow import keras


"""
_LINEAR = """\
    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units))

    def call(self, inputs):
        return tf.matmul(inputs, self.kernel)
"""


class MissingSuperInit(Rule):
    """A constructor that does not run its base's leaves no layer behind.

    Consequence: the first call raises RuntimeError (inside another model AttributeError),
    in both generations, whatever the class holds; so it is never built, trained or saved.
    `add_weight` before `super().__init__()` raises in both generations. In Keras 2 a Model
    (not a Layer) that is given a layer, a variable, a metric or an empty list before it
    raises too.

    Silent: `super().__init__()` anywhere else in the constructor, also behind attributes
    (harmless in Keras 3, and for plain values and Layers in Keras 2); a base called by its
    name; classes with a base that is not in sight, or that have a metaclass, a `__new__`
    or a `__call__` of their own; a constructor that only raises.

    Fix: insert `super().__init__()` as the first statement, with `**kwargs` and `name`
    where the constructor takes and ignores them, add the missing `()`, or move the line to
    the top (safe: the code cannot run without it). Shown only where the base's constructor
    wants arguments, or the line depends on what stands before it.
    """

    code = "SVL209"
    name = "missing-super-init"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("__init__",)
    clues = (frozenset({UNFOUNDED}),)
    examples = (
        Example(
            variant="layer",
            bad=_IMPORTS
            + """\
class Linear(keras.layers.Layer):
    def __init__(self, units=3, **kwargs):
        self.units = units

"""
            + _LINEAR,
            at="__init__",
            good=_IMPORTS
            + """\
class Linear(keras.layers.Layer):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units

"""
            + _LINEAR,
            witness=Witness(build="Linear()", ways=_CALLED, fails=_FORGOT),
        ),
        Example(
            variant="model",
            bad="""\
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self):
        # super().__init__()
        self.dense = tf.keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)

    def get_config(self):
        return {}
""",
            at="__init__",
            good="""\
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self):
        # super().__init__()
        super().__init__()
        self.dense = tf.keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)

    def get_config(self):
        return {}
""",
            witness=Witness(build="Net()", ways=_CALLED, fails=_FORGOT),
        ),
        Example(
            variant="not-called",
            bad="""\
import keras
from keras import layers


class Double(layers.Layer):
    def __init__(self, name=None):
        \"""Doubles its inputs.\"""
        super().__init__
        self.factor = 2.0

    def call(self, inputs):
        return inputs * self.factor


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.double = Double()
        self.dense = layers.Dense(3)

    def call(self, inputs):
        return self.dense(self.double(inputs))
""",
            at="__init__",
            good="""\
import keras
from keras import layers


class Double(layers.Layer):
    def __init__(self, name=None):
        \"""Doubles its inputs.\"""
        super().__init__(name=name)
        self.factor = 2.0

    def call(self, inputs):
        return inputs * self.factor


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.double = Double()
        self.dense = layers.Dense(3)

    def call(self, inputs):
        return self.dense(self.double(inputs))
""",
            witness=Witness(
                build="Net()",
                ways=_CALLED,
                fails=dict.fromkeys(
                    Keras, dict.fromkeys(_CALLED, "AttributeError: 'Double' object")
                ),
            ),
        ),
        Example(
            variant="late-weight",
            bad="""\
import tensorflow as tf
from tensorflow.keras.layers import Layer


class Scale(Layer):
    def __init__(self, **kwargs):
        self.factor = self.add_weight(name="factor", shape=(6,), initializer="ones")
        super().__init__(**kwargs)

    def call(self, inputs):
        return tf.multiply(inputs, self.factor)
""",
            at='self.add_weight(name="factor", shape=(6,), initializer="ones")',
            good="""\
import tensorflow as tf
from tensorflow.keras.layers import Layer


class Scale(Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.factor = self.add_weight(name="factor", shape=(6,), initializer="ones")

    def call(self, inputs):
        return tf.multiply(inputs, self.factor)
""",
            witness=Witness(
                build="Scale()",
                ways=(Way.RUN, *_CALLED),
                fails={
                    Keras.V3: dict.fromkeys(
                        (Way.RUN, *_CALLED), "RuntimeError: In layer 'Scale', you forgot to call"
                    ),
                    Keras.V2: dict.fromkeys(
                        (Way.RUN, *_CALLED), "AttributeError: 'Scale' object has no attribute"
                    ),
                },
            ),
        ),
        Example(
            variant="late-layer",
            bad="""\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        self.units = 3
        self.blocks = [keras.layers.Dense(6), keras.layers.Dense(3)]
        super(Net, self).__init__(**kwargs)

    def call(self, inputs):
        for block in self.blocks:
            inputs = block(inputs)
        return inputs
""",
            at="[keras.layers.Dense(6), keras.layers.Dense(3)]",
            good="""\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super(Net, self).__init__(**kwargs)
        self.units = 3
        self.blocks = [keras.layers.Dense(6), keras.layers.Dense(3)]

    def call(self, inputs):
        for block in self.blocks:
            inputs = block(inputs)
        return inputs
""",
            witness=Witness(
                build="Net()",
                ways=(Way.RUN, *_CALLED),
                fails={
                    Keras.V2: dict.fromkeys(
                        (Way.RUN, *_CALLED), "RuntimeError: It looks like you are subclassing"
                    )
                },
            ),
            keras=(Keras.V2,),
        ),
    )
    silent = (
        """\
# Plain values may be set first, in a Layer layers too: measured in both generations.
import tensorflow as tf
from tensorflow import keras

class Block(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        self.units = units
        self.dense = keras.layers.Dense(units)
        super().__init__(**kwargs)

class Net(keras.Model):
    def __init__(self, units, **kwargs):
        self.units = [units]
        self.rate = {"a": 1}
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(units)
""",
        """\
# The base is called by its name, in a branch, or by a helper.
import tensorflow as tf
from tensorflow import keras

class One(keras.layers.Layer):
    def __init__(self):
        keras.layers.Layer.__init__(self)

class Two(keras.layers.Layer):
    def __init__(self, name=None):
        if name:
            super().__init__(name=name)
        else:
            super().__init__()

class Three(keras.layers.Layer):
    def __init__(self):
        self._start()

    def _start(self):
        super().__init__()

class Four(keras.layers.Layer):
    def __init__(self):
        start(self)

def start(layer):
    keras.layers.Layer.__init__(layer)
""",
        """\
# Who knows what a base of another file, a metaclass or a decorator does.
import tensorflow as tf
from tensorflow import keras
from project import Base, Meta, wrapped

class One(Base, keras.layers.Layer):
    def __init__(self):
        self.units = 3

class Two(keras.layers.Layer, metaclass=Meta):
    def __init__(self):
        self.units = 3

@wrapped
class Three(keras.layers.Layer):
    def __init__(self):
        self.units = 3

class Four(One):
    def __init__(self):
        self.units = 4
""",
        """\
# The class is called in its own way, or cannot be made at all.
import tensorflow as tf
from tensorflow import keras

class Shared(keras.layers.Layer):
    def __init__(self, inner=None):
        self.__dict__ = inner.__dict__

class Never(keras.layers.Layer):
    def __init__(self):
        raise NotImplementedError("abstract")

class Once(keras.layers.Layer):
    def __new__(cls, *args):
        return keras.layers.Dense(*args)

    def __init__(self, units):
        self.units = units
""",
        """\
# Each derived class starts Keras by itself, and then the mixin.
import tensorflow as tf
from tensorflow import keras

class Base(keras.layers.Layer):
    def __init__(self, units):
        self.units = units

class Derived(Base):
    def __init__(self):
        keras.layers.Layer.__init__(self)
        Base.__init__(self, 3)
""",
        """\
# The model is told not to look at its attributes until its constructor has run.
import tensorflow as tf
import tf_keras

class Net(tf_keras.Model):
    def __init__(self, **kwargs):
        self._self_setattr_tracking = False
        inputs = tf_keras.Input([6])
        self.dense = tf_keras.layers.Dense(3)
        super().__init__(inputs=inputs, outputs=self.dense(inputs), **kwargs)
""",
        """\
# Neither a tf.Module nor a loss nor a constraint asks for it; a dataclass has no __init__.
from dataclasses import dataclass
import tensorflow as tf
from tensorflow import keras

class Module(tf.Module):
    def __init__(self):
        self.units = 3

class Positive(keras.constraints.Constraint):
    def __init__(self):
        self.low = 0.0

@dataclass
class Config:
    units: int = 3
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Constructors of layers and models that do not run their base's, or run it too late."""
        for cls in module.classes:
            function = cls.outline.methods.get("__init__")
            if function is None or not cls.kind.is_layer:
                continue
            if _has_other_ways(cls):
                continue
            # Few classes come this far; what they derive from is read only then.
            found = next(self._found(module, cls, function), None)
            if found is not None and lineage.is_known(module, cls.outline):
                yield found

    def _found(
        self, module: ModuleModel, cls: KerasClass, function: cst.FunctionDef
    ) -> Iterator[Finding]:
        early, call = _beginning(module, cls)
        if call is not None and early is None:
            return
        code = _code(module, function)
        if _is_missing(module, cls, function, code):
            yield self._missing(module, cls, function, code)
        elif early is not None and call is not None and not _is_elsewhere(code):
            yield self._late_finding(module, cls, function, early, call, code)

    def _missing(
        self, module: ModuleModel, cls: KerasClass, function: cst.FunctionDef, code: str
    ) -> Finding:
        idle = _IDLE_SUPER.search(code)
        variant = "model" if cls.kind is Kind.MODEL else "layer"
        return self.finding(
            module,
            function.name,
            f"`{cls.name}.__init__` does not call `super().__init__()`",
            variant="not-called" if idle else variant,
            note="`super().__init__` is named but not called" if idle and idle[1] else "",
            fix=_insertion(module, cls, function, code),
        )

    def _late_finding(
        self,
        module: ModuleModel,
        cls: KerasClass,
        function: cst.FunctionDef,
        store: AttributeStore,
        event: SuperCall,
        code: str,
    ) -> Finding:
        weight = _is_weight(store.value)
        what = "creates a weight" if weight else "takes what Keras tracks"
        return self.finding(
            module,
            store.value_node,
            f"`{cls.name}.{store.name}` {what} before `super().__init__()`",
            variant="late-weight" if weight else "late-layer",
            labels=[(event.node, "the base's constructor runs only here")],
            fix=_move(module, function, event, code),
        )


def _beginning(
    module: ModuleModel, cls: KerasClass
) -> tuple[AttributeStore | None, SuperCall | None]:
    """(the first attribute that needs what `super().__init__()` only makes behind it, that call).

    One of them or both may be missing.
    """
    early: AttributeStore | None = None
    for event in cls.flow("__init__").events:
        if isinstance(event, AttributeStore) and early is None:
            early = event if _needs_base(module, cls, event) else None
        if isinstance(event, SuperCall) and event.method == "__init__":
            return early, event
    return early, None


def _is_elsewhere(code: str) -> bool:
    """Whether a base is called by its name, or Keras is told not to track."""
    return _BY_NAME.search(code) is not None or _UNTRACKED in code


def _has_other_ways(cls: KerasClass) -> bool:
    return any(_OTHER_WAYS & outline.method_names for outline in cls.outline.lineage)


def _code(module: ModuleModel, function: cst.FunctionDef) -> str:
    """The source of a function's body; its comments are made blank."""
    return _COMMENT.sub(lambda found: " " * len(found[0]), module.text(function.body))


def _is_missing(module: ModuleModel, cls: KerasClass, function: cst.FunctionDef, code: str) -> bool:
    """Whether nothing that the constructor reaches can run the base's constructor."""
    if re.search(r"\braise\b[^\n]*\s*$", code):
        return False
    owner = function.params.params[0].name.value if function.params.params else ""
    entered = [item.node.body for item in cls.flow("__init__").entered[1:]]
    bodies = [code, *(_COMMENT.sub("", module.code_of(body)) for body in entered)]
    for body in [*bodies, *_abroad(module, cls.outline, bodies)]:
        handed_on = rf"[(,=*]\s*{owner}\s*[,)]" if owner else ""
        if not owner or re.search(handed_on, body) or _ANY_SUPER.search(_IDLE_SUPER.sub("", body)):
            return False
    return not any(
        _BY_NAME.search(module.text(method))
        for derived in lineage.descendants(module, cls.outline)
        for method in derived.outline.methods.values()
    )


def _abroad(module: ModuleModel, outline: ClassOutline, bodies: list[str]) -> list[str]:
    """The source of the inherited methods of other files that function bodies name."""
    found: dict[str, str] = {}
    pending = list(bodies)
    while pending:
        for name in re.findall(r"\.(\w+)\b", pending.pop()):
            definer = outline.definer(name)
            if definer is not None and definer.path != outline.path and name not in found:
                found[name] = _COMMENT.sub("", module.code_of(definer.methods[name].body))
                pending.append(found[name])
    return list(found.values())


def _needs_base(module: ModuleModel, cls: KerasClass, store: AttributeStore) -> bool:
    """Whether an attribute set before the base's constructor makes the assignment fail."""
    if store.owner is not cls.outline or store.conditional or store.how != "assign":
        return False
    if _is_weight(store.value):
        return True
    return module.keras is Keras.V2 and cls.kind is Kind.MODEL and _is_tracked(store.value)


def _is_weight(value: Value) -> bool:
    return isinstance(value, Variable) and value.origin == "weight"


def _is_tracked(value: Value) -> bool:
    """Whether a Keras 2 model counts a value as layers and variables; it does an empty list."""
    if isinstance(value, Seq):
        return value.complete and all(map(_is_tracked, value.items))
    if isinstance(value, Table):
        return all(_is_tracked(item) for _, item in value.items)
    if isinstance(value, Instance):
        is_layer = value.kind is not None and value.kind.is_layer
        return is_layer or value.name.startswith("keras.metrics.")
    return isinstance(value, Variable)


# ---------------------------------------------------------------------- fixes


def _insertion(module: ModuleModel, cls: KerasClass, function: cst.FunctionDef, code: str) -> Fix:
    """`super().__init__()` as the first statement, or the `()` that it lacks."""
    first = _first_statement(module, function)
    if first is None or _demands_arguments(cls):
        return Fix("call `super().__init__(...)` first", Safety.DISPLAY)
    arguments = _arguments(function, code)
    idle = _IDLE_SUPER.search(code)
    if idle is not None:
        missing = f"({arguments})" if idle[1] else f".__init__({arguments})"
        end = module.span(function.body).start + len(idle[0].rstrip()) + idle.start()
        return Fix("call it", Safety.SAFE, (Edit(Span(end, end), missing),))
    edit = rewrite.insert_before(module, first, f"{_super(module, cls)}.__init__({arguments})")
    return Fix("call `super().__init__()` first", Safety.SAFE, (edit,))


def _super(module: ModuleModel, cls: KerasClass) -> str:
    """`super()`, with the arguments that Python 2 needed where most of the file gives them."""
    text = module.source.text
    explicit = re.findall(r"\bsuper\(\w+, (\w+)\)", text)
    if len(explicit) <= len(re.findall(r"\bsuper\(\)", text)):
        return "super()"
    at_top = re.search(rf"^class {cls.name}\b", text, re.MULTILINE)
    return f"super({cls.name}, {explicit[0]})" if at_top else "super()"


def _first_statement(module: ModuleModel, function: cst.FunctionDef) -> cst.CSTNode | None:
    """The first statement of a function behind its docstring."""
    statements = function.body.body
    text = module.text(statements[0]).lstrip("rRuU")
    if not text.startswith(('"', "'")):
        return statements[0]
    return statements[1] if len(statements) > 1 else None


def _demands_arguments(cls: KerasClass) -> bool:
    """Whether the base's constructor may want arguments that nobody knows."""
    if any(base.rpartition(".")[2] not in _UNDEMANDING for base in cls.outline.bases if base):
        return True
    inherited = (parent.method("__init__") for parent in cls.outline.parents)
    return any(function is not None and _required(function) for function in inherited)


def _required(function: cst.FunctionDef) -> bool:
    plain = (*function.params.posonly_params, *function.params.params)[1:]
    return any(p.default is None for p in (*plain, *function.params.kwonly_params))


def _arguments(function: cst.FunctionDef, code: str) -> str:
    """The arguments of the constructor that only the base can have a use for."""
    given = []
    parameters = (*function.params.params, *function.params.kwonly_params)
    if any(p.name.value == "name" for p in parameters) and not re.search(r"\bname\b", code):
        given.append("name=name")
    rest = function.params.star_kwarg
    if rest is not None and not re.search(rf"\b{rest.name.value}\b", code):
        given.append(f"**{rest.name.value}")
    return ", ".join(given)


def _move(module: ModuleModel, function: cst.FunctionDef, event: SuperCall, code: str) -> Fix:
    """Move the call of the base's constructor to the top of the function."""
    shown = Fix("move `super().__init__()` to the top", Safety.DISPLAY)
    first = _first_statement(module, function)
    line, last = rewrite.lines_of(module, event.node)
    text = module.text(event.node)
    body = module.span(function.body)
    before = code[: max(0, module.span(event.node).start - body.start)]
    parameters = {p.name.value for p in (*function.params.params, *function.params.kwonly_params)}
    if function.params.star_kwarg is not None:
        parameters.add(function.params.star_kwarg.name.value)
    values = re.sub(r"\w+\s*=(?!=)", "", text.partition("__init__")[2])
    used = set(re.findall(r"[A-Za-z_]\w*", values))
    changed = any(re.search(rf"\b{name}\s*(?:=(?!=)|\.\w+\()", before) for name in used)
    if (
        first is None
        or line != last
        or module.source.line_text(line).strip() != text
        or rewrite.margin_of(module, event.node) != rewrite.margin_of(module, first)
        or not used <= parameters
        or changed
    ):
        return shown
    edits = (rewrite.insert_before(module, first, text), rewrite.remove_lines(module, event.node))
    return Fix("move `super().__init__()` to the top", Safety.SAFE, edits)
