"""SVL207 nested-container."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras import clues
from savelint.keras.events import AttributeStore
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.tables import Kind
from savelint.keras.values import Instance, Seq, Table, Value, Variable, elements
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import containers, weights
from savelint.rules.containers import Holder
from savelint.source import Span

if TYPE_CHECKING:
    import libcst as cst

_WAYS = (Way.CALL, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS)
_REFUSED = {
    Keras.V3: {
        Way.SAVED_MODEL: r"AssertionError: Tried to export a function which references an"
        r" 'untracked' resource"
    }
}
_LOST = {Keras.V2: {Way.KERAS: "DIFF: other outputs", Way.WEIGHTS: "DIFF: other outputs"}}
_V3 = (Keras.V3,)
_FILLING = frozenset({"append", "extend", "insert", "item", "setdefault"})
_LAST_RESORT = Fix("keep the layers in a flat list as well", Safety.DISPLAY)


class NestedContainer(Rule):
    """The layers in a list of lists are not saved on every way.

    Consequence: Keras 3 wraps the lists and dictionaries in an attribute, and TensorFlow does
    not look into one that another holds. `tf.saved_model.save` raises, unless `fit` has run
    before, whose optimizer then holds the weights. `export`, `.keras` and the weights files
    work. Keras 2 does not save what a layer (not a model) holds in nested lists, tuples or
    dictionaries to `.keras` and `.weights.h5`: a reload begins with new random numbers,
    without any exception.

    Silent: layers that another attribute holds directly; layers without weights; in Keras 3
    tuples in a list, and lists that are appended to one after it was assigned, which it does
    not wrap; in Keras 2 models, and weights that are made by `add_weight`.

    Fix: a flat list of the same layers in an attribute beside it; unsafe, because `.keras` and
    weights files then hold the layers under another name.
    """

    code = "SVL207"
    name = "nested-container"
    since = "0.1"
    severity = {Keras.V2: Severity.WARNING, Keras.V3: Severity.WARNING}
    mentions = ("class",)
    clues = (frozenset({clues.NESTED, "append", "extend", "insert", "setdefault", "update"}),)

    examples = (
        Example(
            variant="list",
            bad="""\
import tensorflow as tf
from tensorflow.keras import layers


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.stages = [[layers.Dense(6) for _ in range(2)] for _ in range(2)]

    def call(self, x):
        for stage in self.stages:
            for layer in stage:
                x = layer(x)
        return x
""",
            at="[[layers.Dense(6) for _ in range(2)] for _ in range(2)]",
            good="""\
import tensorflow as tf
from tensorflow.keras import layers


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.stages = [[layers.Dense(6) for _ in range(2)] for _ in range(2)]
        self.flat_stages = [item for items in self.stages for item in items]

    def call(self, x):
        for stage in self.stages:
            for layer in stage:
                x = layer(x)
        return x
""",
            witness=Witness("Net()", ways=_WAYS, fails=_REFUSED),
            keras=_V3,
        ),
        Example(
            variant="dictionary of lists",
            bad="""\
import keras
from keras import layers


class Towers(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._up = {
            "left": [layers.Dense(6), layers.Dense(6)],  # with a residual
            "right": [layers.Dense(6)],
        }

    def call(self, inputs):
        left = inputs
        for layer in self._up["left"]:
            left = left + layer(left)
        return keras.layers.add([left, self._up["right"][0](inputs)])
""",
            at="""{
            "left": [layers.Dense(6), layers.Dense(6)],  # with a residual
            "right": [layers.Dense(6)],
        }""",
            good="""\
import keras
from keras import layers


class Towers(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._up = {
            "left": [layers.Dense(6), layers.Dense(6)],  # with a residual
            "right": [layers.Dense(6)],
        }
        self._flat_up = [item for items in self._up.values() for item in items]

    def call(self, inputs):
        left = inputs
        for layer in self._up["left"]:
            left = left + layer(left)
        return keras.layers.add([left, self._up["right"][0](inputs)])
""",
            witness=Witness("Towers()", ways=_WAYS, fails={**_REFUSED, **_LOST}),
        ),
        Example(
            variant="rows",
            bad="""\
from tensorflow.keras import layers


class Residual(layers.Layer):
    def __init__(self, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.depth = depth
        self.rows = []
        for _ in range(depth):
            self.rows.append((layers.Dense(12, activation="relu"), layers.Dense(6)))

    def call(self, inputs):
        for inner, outer in self.rows:
            inputs = inputs + outer(inner(inputs))
        return inputs

    def get_config(self):
        return {**super().get_config(), "depth": self.depth}
""",
            at="""self.rows.append((layers.Dense(12, activation="relu"), layers.Dense(6)))""",
            good="""\
from tensorflow.keras import layers


class Residual(layers.Layer):
    def __init__(self, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.depth = depth
        self.inner = []
        self.outer = []
        for _ in range(depth):
            self.inner.append(layers.Dense(12, activation="relu"))
            self.outer.append(layers.Dense(6))

    def call(self, inputs):
        for inner, outer in zip(self.inner, self.outer):
            inputs = inputs + outer(inner(inputs))
        return inputs

    def get_config(self):
        return {**super().get_config(), "depth": self.depth}
""",
            witness=Witness("Residual()", ways=_WAYS, fails=_LOST),
            keras=(Keras.V2,),
            fixed=False,
        ),
        Example(
            variant="list of dictionaries",
            bad="""\
from tensorflow import keras
from tensorflow.keras.layers import Dense, LayerNormalization


class Encoder(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        blocks = []
        for _ in range(2):
            blocks.append({"norm": LayerNormalization(), "dense": Dense(6)})
        self.net = blocks

    def call(self, x):
        for block in self.net:
            x = x + block["dense"](block["norm"](x))
        return x

    def get_config(self):
        return {}
""",
            at="blocks",
            good="""\
from tensorflow import keras
from tensorflow.keras.layers import Dense, LayerNormalization


class Encoder(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        blocks = []
        for _ in range(2):
            blocks.append({"norm": LayerNormalization(), "dense": Dense(6)})
        self.net = blocks
        self.flat_net = [item for items in self.net for item in items.values()]

    def call(self, x):
        for block in self.net:
            x = x + block["dense"](block["norm"](x))
        return x

    def get_config(self):
        return {}
""",
            witness=Witness("Encoder()", ways=_WAYS, fails=_REFUSED),
            keras=_V3,
        ),
        Example(
            variant="dictionary of dictionaries",
            bad="""\
import tensorflow as tf

L = tf.keras.layers


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.heads = {"a": {"in": L.Dense(12), "out": L.Dense(6)}}

    def call(self, x):
        head = self.heads["a"]
        return L.average([head["out"](head["in"](x)), head["out"](head["in"](2.0 * x)), x + 1.0])
""",
            at="""{"a": {"in": L.Dense(12), "out": L.Dense(6)}}""",
            good="""\
import tensorflow as tf

L = tf.keras.layers


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.heads = {"a": {"in": L.Dense(12), "out": L.Dense(6)}}
        self.flat_heads = [item for items in self.heads.values() for item in items.values()]

    def call(self, x):
        head = self.heads["a"]
        return L.average([head["out"](head["in"](x)), head["out"](head["in"](2.0 * x)), x + 1.0])
""",
            witness=Witness("Net()", ways=_WAYS, fails=_REFUSED),
            keras=_V3,
        ),
        Example(
            variant="weights",
            bad="""\
import keras


class Scale(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.pairs = [
            [
                self.add_weight(name=f"scale_{i}", shape=(6,), initializer="ones"),
                self.add_weight(name=f"shift_{i}", shape=(6,), initializer="zeros"),
            ]
            for i in range(2)
        ]

    def call(self, x):
        for scale, shift in self.pairs:
            x = x * scale + shift
        return x
""",
            at="""[
            [
                self.add_weight(name=f"scale_{i}", shape=(6,), initializer="ones"),
                self.add_weight(name=f"shift_{i}", shape=(6,), initializer="zeros"),
            ]
            for i in range(2)
        ]""",
            good="""\
import keras


class Scale(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.pairs = [
            [
                self.add_weight(name=f"scale_{i}", shape=(6,), initializer="ones"),
                self.add_weight(name=f"shift_{i}", shape=(6,), initializer="zeros"),
            ]
            for i in range(2)
        ]
        self.flat_pairs = [item for items in self.pairs for item in items]

    def call(self, x):
        for scale, shift in self.pairs:
            x = x * scale + shift
        return x
""",
            witness=Witness("Scale()", ways=_WAYS, fails=_REFUSED),
            keras=_V3,
        ),
    )

    silent = (
        """\
# Tuples are no containers of Keras' own: TensorFlow looks into them.
import tensorflow as tf
from tensorflow.keras import layers


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.pairs = [(layers.Dense(6), layers.Dense(6)) for _ in range(2)]
        self.named = [("a", layers.Dense(6))]
        self.both = {"a": (layers.Dense(6), layers.Dense(6))}
        self.zipped = list(zip([layers.Dense(6)], [layers.Dense(6)]))

    def call(self, x):
        for one, other in self.pairs:
            x = other(one(x))
        return self.both["a"][0](self.zipped[0][0](self.named[0][1](x)))
""",
        """\
# Rows that are appended one by one are not wrapped.
import keras
from keras import layers


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.stages = []
        for _ in range(2):
            self.stages.append([layers.Dense(6), layers.Dense(6)])
        self.heads = {}
        self.heads["a"] = [layers.Dense(6)]

    def call(self, x):
        for stage in self.stages:
            for layer in stage:
                x = layer(x)
        return self.heads["a"][0](x)
""",
        """\
# Other attributes hold the same layers, so that TensorFlow finds them there.
import keras
from keras import layers


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.a = layers.Dense(6)
        self.b = layers.Dense(6)
        self.stages = [[self.a], [self.b]]
        self.rows = [[layers.Dense(6)], [layers.Dense(6)]]
        self.flat = [layer for row in self.rows for layer in row]

    def call(self, x):
        for row in self.stages + self.rows:
            for layer in row:
                x = layer(x)
        return x
""",
        """\
# Nested numbers and names, layers without weights, and lists of sequential models.
import keras
from keras import layers


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.sizes = [[1, 2], [3]]
        self.names = {"a": ["x", "y"]}
        self.dense = layers.Dense(6)
        self.drops = [[layers.Dropout(0.1)], [layers.ReLU(), layers.Flatten()]]
        self.parts = [keras.Sequential([layers.Dense(6), layers.Dense(6)])]

    def call(self, x):
        for row in self.drops:
            for layer in row:
                x = layer(x)
        return self.parts[0](self.dense(x))
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """What construction puts into attributes: each of them, and each place, once."""
        seen: set[int] = set()
        for holder in containers.holders(module):
            found = _refused(holder) if module.keras is Keras.V3 else _lost(holder)
            named: set[str] = set()
            for name, node, nested, store in found:
                if name in named or id(node) in seen or _is_elsewhere(holder, name, nested):
                    continue
                if weights.is_kept(module, holder.cls, name):
                    continue
                named.add(name)
                seen.add(id(node))
                yield self._report(holder, name, node, nested, store)

    def _report(
        self,
        holder: Holder,
        name: str,
        node: cst.CSTNode,
        nested: list[Instance | Variable],
        store: AttributeStore | None,
    ) -> Finding:
        v3 = holder.module.keras is Keras.V3
        return self.finding(
            holder.module,
            node,
            f"`self.{name}` of `{holder.cls.name}` nests containers, in which "
            + ("TensorFlow does not find the weights" if v3 else "Keras 2 saves no layers"),
            variant=_variant(holder, store, nested),
            note="harmless once `fit` has run" if v3 else "",
            fix=_fix(holder, store) if store is not None else _LAST_RESORT,
        )


_Found = tuple[str, "cst.CSTNode", list[Instance | Variable], AttributeStore | None]


def _refused(holder: Holder) -> Iterator[_Found]:
    """What Keras 3 wraps in vain; what is added to an attribute later is not wrapped."""
    for store in holder.stores:
        nested = list(_nested(holder, store.value)) if store.how == "assign" else []
        if nested and not _is_flattened(holder, store):
            yield store.name, store.value_node, nested, store


def _lost(holder: Holder) -> Iterator[_Found]:
    """What a layer of Keras 2 does not save; a model has `layers` besides."""
    if holder.cls.kind is not Kind.LAYER:
        return
    for store in holder.stores:
        deep: list[Instance | Variable] = list(_deep(holder, store.value, 0))
        if store.how == "assign" and deep and not _is_flattened(holder, store):
            yield store.name, store.value_node, deep, store
    for change in holder.changes:
        if change.alias or change.how not in _FILLING:
            continue
        depth = change.depth + (change.how != "extend")
        deep = [held for value in change.values for held in _deep(holder, value, depth)]
        if deep and not any(_mentions(s, holder, change.name) for s in holder.stores):
            yield change.name, change.node, deep, None


def _deep(holder: Holder, value: Value, depth: int) -> Iterator[Instance]:
    """The layers with weights in a container that stands in another one."""
    if isinstance(value, Instance) and depth > 1 and holder.has_weights(value):
        yield value
    elif isinstance(value, (Seq, Table)):
        items = value.items if isinstance(value, Seq) else [item for _, item in value.items]
        for item in items:
            yield from _deep(holder, item, depth + 1)


def _nested(holder: Holder, value: Value, depth: int = 0) -> Iterator[Instance | Variable]:
    """What has weights in a list or dictionary that stands in another container."""
    if not isinstance(value, (Seq, Table)):
        return
    if depth > 0 and (isinstance(value, Table) or value.kind == "list"):
        yield from (
            held
            for held in elements(value)
            if (isinstance(held, Instance) and holder.has_weights(held))
            or (isinstance(held, Variable) and held.origin in {"weight", "keras"})
        )
        return
    items = value.items if isinstance(value, Seq) else [item for _, item in value.items]
    for item in items:
        yield from _nested(holder, item, depth + 1)


def _mentions(store: AttributeStore, holder: Holder, name: str) -> bool:
    """Whether another attribute is made of one."""
    text = holder.module.text(store.value_node)
    return store.name != name and re.search(rf"\.{name}\b", text) is not None


def _is_elsewhere(holder: Holder, name: str, nested: list[Instance | Variable]) -> bool:
    return any(_is_beside(holder, value, name) for value in nested)


def _is_flattened(holder: Holder, store: AttributeStore) -> bool:
    """Whether another attribute is made of this one, or of the local name of its value."""
    text = holder.module.text(store.value_node)
    names = rf"\.{store.name}\b" + (rf"|(?<![\w.]){text}\b" if text.isidentifier() else "")
    return any(
        re.search(names, holder.module.text(other.value_node))
        for other in holder.stores
        if other.name != store.name
    )


def _is_beside(holder: Holder, value: Instance | Variable, name: str) -> bool:
    """Whether another attribute holds what has weights directly, or in a flat list."""
    return any(
        isinstance(held, (Instance, Variable)) and held.node is value.node
        for store in holder.stores
        if store.name != name
        for held in _flat(store.value)
    )


def _flat(value: Value) -> Iterator[Value]:
    yield value
    if isinstance(value, Seq):
        yield from value.items
    elif isinstance(value, Table):
        yield from (item for _, item in value.items)


def _variant(
    holder: Holder, store: AttributeStore | None, nested: list[Instance | Variable]
) -> str:
    value = store.value if store is not None else None
    if holder.module.keras is Keras.V2:
        return "dictionary of lists" if isinstance(value, Table) else "rows"
    if isinstance(nested[0], Variable):
        return "weights"
    items = value.items if isinstance(value, Seq) else ()
    inner = next(iter(items), None)
    if isinstance(value, Table):
        inner = next((item for _, item in value.items if isinstance(item, (Seq, Table))), None)
        return "dictionary of dictionaries" if isinstance(inner, Table) else "dictionary of lists"
    return "list of dictionaries" if isinstance(inner, Table) else "list"


def _fix(holder: Holder, store: AttributeStore) -> Fix:
    """A flat list of the same layers, on a line behind the assignment."""
    module, value = holder.module, store.value
    inner = list(value.items) if isinstance(value, Seq) else []
    if isinstance(value, Table):
        inner = [item for _, item in value.items]
    kinds = {type(item) for item in inner}
    flat = f"{'_' if store.name.startswith('_') else ''}flat_{store.name.lstrip('_')}"
    if (
        len(kinds) != 1
        or not kinds <= {Seq, Table}
        or any(isinstance(deeper, (Seq, Table)) for item in inner for deeper in _flat_items(item))
        or any(other.name == store.name for other in holder.stores if other is not store)
        or any(True for _ in holder.changed(store.name))
        or re.search(rf"\b{flat}\b", module.source.text)
    ):
        return _LAST_RESORT
    owner = module.text(store.target).rpartition(".")[0]
    rows = f"{owner}.{store.name}" + (".values()" if isinstance(value, Table) else "")
    row = "items.values()" if kinds == {Table} else "items"
    line = f"{owner}.{flat} = [item for items in {rows} for item in {row}]"
    edit = _line_after(holder, store, line)
    if edit is None:
        return _LAST_RESORT
    reason = "saved weights get another name in `.keras` and `.weights.h5`"
    return Fix("keep them in a flat list as well", Safety.UNSAFE, (edit,), reason)


def _flat_items(value: Value) -> Iterator[Value]:
    return (held for held in _flat(value) if held is not value)


def _line_after(holder: Holder, store: AttributeStore, line: str) -> Edit | None:
    """Put a line behind a statement that has its lines for itself."""
    module, source = holder.module, holder.module.source
    first, last = rewrite.lines_of(module, store.statement)
    span = module.span(store.statement)
    begin, end = source.line_offset(first), source.line_offset(last + 1)
    margin = source.text[begin : span.start]
    rest = source.text[span.end : end].strip()
    if margin.strip() or (rest and not rest.startswith("#")):
        return None
    newline = source.newline
    if end == len(source.text) and not source.text.endswith(("\n", "\r")):
        return Edit(Span(end, end), f"{newline}{margin}{line}")
    return Edit(Span(end, end), f"{margin}{line}{newline}")
