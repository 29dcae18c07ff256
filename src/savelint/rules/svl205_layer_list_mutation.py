"""SVL205 layer-list-mutation."""

from __future__ import annotations

from collections.abc import Iterator

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import clues
from savelint.keras.events import ContainerChange
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.values import Const, Instance, Seq, Table, Value, Variable, elements
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import containers, weights
from savelint.rules.containers import Holder, is_layer

# What adds to a container; what puts one into another as it is.
_ADDING = frozenset({"append", "extend", "insert", "augment", "item", "update", "setdefault"})
_RAW = frozenset({"append", "insert", "item", "setdefault"})
# What TensorFlow cannot follow in a list, so that Keras 2 refuses to save it.
_UNFOLLOWED = frozenset(
    {"item", "slice", "insert", "pop", "delete", "remove", "clear", "sort", "reverse"}
)
_FIX = Fix("fill a local container, and assign it when it is complete", Safety.DISPLAY)
_REFUSED = {
    Way.SAVED_MODEL: "ValueError: Unable to save the object",
    Way.EXPORT: "ValueError: Unable to save the object",
}


def _untrained(trained: int, of: int) -> dict[Way, str]:
    return {Way.TRAIN: f"UNTRAINED: {trained} of {of}"}


class LayerListMutation(Rule):
    """A list of layers is changed in a way that Keras does not notice.

    Consequence: Keras 3 copies a list or dictionary that is assigned to an attribute, and
    watches `append`, `extend` and `insert` of the copy. A layer that is put there by
    `self.blocks[0] = ...`, `self.blocks[:] = ...` or `setdefault`, or into a list that was
    itself appended to the attribute, is saved but never trained. What is appended to the
    local list that was assigned does not get into the attribute at all: the model does
    without those layers. Keras 2 trains them all, but after an insertion, a removal, a
    replacement, `setdefault` or a change of the local list `tf.saved_model.save` and `export`
    raise.

    Silent: lists without layers; layers that another attribute holds as well; `append` and
    `extend`, and in Keras 3 also `insert`, `pop`, `del`, `sort` and `reverse`; an attribute
    that is assigned anew afterwards.

    Fix: fill a local list, and assign it when it is complete.
    """

    code = "SVL205"
    name = "layer-list-mutation"
    since = "0.1"
    severity = {Keras.V2: Severity.WARNING, Keras.V3: Severity.ERROR}
    mentions = ("class",)
    clues = (frozenset({clues.ITEM, "setdefault", "append", *_ADDING, *_UNFOLLOWED}),)

    examples = (
        Example(
            variant="item",
            bad="""\
import tensorflow as tf
from tensorflow.keras import layers


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [layers.Dense(6) for _ in range(2)]
        self.blocks[0] = layers.Dense(6, activation="tanh")

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x

    def get_config(self):
        return {}
""",
            at="self.blocks[0]",
            good="""\
import tensorflow as tf
from tensorflow.keras import layers


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        blocks = [layers.Dense(6) for _ in range(2)]
        blocks[0] = layers.Dense(6, activation="tanh")
        self.blocks = blocks

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x

    def get_config(self):
        return {}
""",
            witness=Witness(
                "Net()", trains=4, fails={Keras.V3: _untrained(2, 4), Keras.V2: _REFUSED}
            ),
            fixed=False,
        ),
        Example(
            variant="empty item",
            bad="""\
import keras
from keras import layers


class Tower(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.steps = [None] * 2
        for i in range(2):
            self.steps[i] = layers.Dense(6)

    def call(self, inputs):
        return keras.activations.relu(self.steps[1](self.steps[0](inputs)))
""",
            at="self.steps[i]",
            good="""\
import keras
from keras import layers


class Tower(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.steps = []
        for i in range(2):
            self.steps.append(layers.Dense(6))

    def call(self, inputs):
        return keras.activations.relu(self.steps[1](self.steps[0](inputs)))
""",
            witness=Witness("Tower()", trains=4, fails={Keras.V3: _untrained(0, 4)}),
            keras=(Keras.V3,),
            fixed=False,
        ),
        Example(
            variant="slice",
            bad="""\
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [keras.layers.Dense(12), keras.layers.Dense(12)]
        self.blocks[1:] = [keras.layers.Dense(6)]

    def call(self, x):
        return self.blocks[1](self.blocks[0](x))
""",
            at="self.blocks[1:]",
            good="""\
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [keras.layers.Dense(12), keras.layers.Dense(6)]

    def call(self, x):
        return self.blocks[1](self.blocks[0](x))
""",
            witness=Witness(
                "Net()", trains=4, fails={Keras.V3: _untrained(2, 4), Keras.V2: _REFUSED}
            ),
            fixed=False,
        ),
        Example(
            variant="local",
            bad="""\
import tensorflow as tf
from tensorflow.keras.layers import Dense


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        blocks = []
        self.blocks = blocks
        for _ in range(2):
            blocks.append(Dense(6))

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x
""",
            at="blocks.append(Dense(6))",
            good="""\
import tensorflow as tf
from tensorflow.keras.layers import Dense


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        blocks = []
        for _ in range(2):
            blocks.append(Dense(6))
        self.blocks = blocks

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x
""",
            witness=Witness(
                "Net()", trains=4, fails={Keras.V3: _untrained(0, 4), Keras.V2: _REFUSED}
            ),
            fixed=False,
        ),
        Example(
            variant="row",
            bad="""\
import keras
from keras import layers


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.stages = []
        for _ in range(2):
            self.stages.append([])
            self.stages[-1].append(layers.Dense(6))

    def call(self, x):
        for stage in self.stages:
            for layer in stage:
                x = layer(x)
        return x
""",
            at="self.stages[-1].append(layers.Dense(6))",
            good="""\
import keras
from keras import layers


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.stages = []
        for _ in range(2):
            stage = []
            stage.append(layers.Dense(6))
            self.stages.append(stage)

    def call(self, x):
        for stage in self.stages:
            for layer in stage:
                x = layer(x)
        return x
""",
            witness=Witness("Net()", trains=4, fails={Keras.V3: _untrained(0, 4)}),
            keras=(Keras.V3,),
            fixed=False,
        ),
        Example(
            variant="setdefault",
            bad="""\
import tensorflow as tf

Dense = tf.keras.layers.Dense


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.heads = {}
        for name in ("a", "b"):
            self.heads.setdefault(name, Dense(6))

    def call(self, x):
        return self.heads["a"](x) + self.heads["b"](x)
""",
            at="self.heads.setdefault(name, Dense(6))",
            good="""\
import tensorflow as tf

Dense = tf.keras.layers.Dense


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.heads = {}
        for name in ("a", "b"):
            self.heads[name] = Dense(6)

    def call(self, x):
        return self.heads["a"](x) + self.heads["b"](x)
""",
            witness=Witness(
                "Net()", trains=4, fails={Keras.V3: _untrained(0, 4), Keras.V2: _REFUSED}
            ),
            fixed=False,
        ),
        Example(
            variant="moved",
            bad="""\
import tensorflow as tf
from tensorflow.keras import layers


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [layers.Dense(6), layers.Dense(6)]
        self.blocks.insert(0, layers.LayerNormalization())

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x
""",
            at="self.blocks.insert(0, layers.LayerNormalization())",
            good="""\
import tensorflow as tf
from tensorflow.keras import layers


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [layers.LayerNormalization(), layers.Dense(6), layers.Dense(6)]

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x
""",
            witness=Witness("Net()", trains=6, fails={Keras.V2: _REFUSED}),
            keras=(Keras.V2,),
            fixed=False,
        ),
    )

    silent = (
        """\
# Lists that grow at their end, and local lists that are complete when they are assigned.
import keras
from keras import layers


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.a = []
        self.a.append(layers.Dense(6))
        self.a.extend([layers.Dense(6)])
        self.a += [layers.Dense(6)]
        b = [None] * 2
        b[0] = layers.Dense(6)
        b[1] = layers.Dense(6)
        b.reverse()
        self.b = b
        self.c = {}
        self.c["x"] = layers.Dense(6)
        self.c.update({"y": layers.Dense(6)})
        rows = []
        for _ in range(2):
            row = [layers.Dense(6)]
            row.append(layers.Dense(6))
            rows.append(tuple(row))
        self.rows = rows

    def call(self, x):
        for layer in (*self.a, *self.b, *self.c.values(), *self.rows[0]):
            x = layer(x)
        return x
""",
        """\
# Lists without layers may be changed in any way.
import keras
from keras import layers


class Net(keras.Model):
    def __init__(self, sizes=(6, 6), **kwargs):
        super().__init__(**kwargs)
        self.sizes = list(sizes)
        self.sizes[0] = 6
        self.sizes.pop()
        names = ["a"]
        self.names = names
        names.append("b")
        self.order = [2, 1]
        self.order.sort()
        self.dense = layers.Dense(self.sizes[0])

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        config = super().get_config()
        config.update({"sizes": self.sizes})
        return config
""",
        """\
# The attribute is assigned anew when the local list is complete.
import keras
from keras import layers


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        blocks = []
        self.blocks = blocks
        for _ in range(2):
            blocks.append(layers.Dense(6))
        self.blocks = blocks
        other = self.blocks
        other.append(layers.Dense(6))

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x
""",
        """\
# Another list under the same local name, and a copy of the list.
import keras
from keras import layers


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        blocks = [layers.Dense(6)]
        self.first = blocks
        blocks = []
        blocks.append(layers.Dense(6))
        self.second = tuple(blocks)
        blocks.append(layers.Dropout(0.1))
        self.third = list(blocks)

    def call(self, x):
        for block in (*self.first, *self.second, *self.third):
            x = block(x)
        return x
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The first change of each attribute that is not noticed."""
        seen: set[int] = set()
        for holder in containers.holders(module):
            for name in holder.names:
                found = _first(holder, name)
                if found is None or id(found[0].node) in seen:
                    continue
                change, variant, message = found
                if weights.is_kept(module, holder.cls, name):
                    continue
                seen.add(id(change.node))
                yield self.finding(
                    module,
                    change.node,
                    f"`self.{name}` of `{holder.cls.name}` {message}",
                    variant=variant,
                    fix=_FIX,
                )


def _first(holder: Holder, name: str) -> tuple[ContainerChange, str, str] | None:
    values = [store.value for store in holder.assigned(name)]
    if not values or not all(_is_container(value) for value in values):
        return None
    find = _unwatched if holder.module.keras is Keras.V3 else _unfollowed
    for change in holder.changed(name):
        found = find(holder, change)
        if found is not None and not _is_replaced(holder, change):
            return change, *found
    return None


def _is_container(value: Value) -> bool:
    if isinstance(value, Table):
        return value.kind != "defaultdict"
    return value == Const(None) or (isinstance(value, Seq) and value.kind == "list")


def _is_replaced(holder: Holder, change: ContainerChange) -> bool:
    """Whether the attribute is assigned after the change."""
    span = holder.module.span
    return any(
        span(store.statement).start > span(change.node).start
        for store in holder.assigned(change.name)
    )


def _unwatched(holder: Holder, change: ContainerChange) -> tuple[str, str] | None:
    """What Keras 3 does not notice: the variant, and what to say."""
    put = [value for given in change.values for value in elements(given)]
    if not holder.is_used(change.name):
        return None
    if change.alias and not change.depth:
        adds = change.how in _ADDING and any(map(is_layer, put))
        is_list = not any(isinstance(s.value, Table) for s in holder.assigned(change.name))
        if not adds or (change.how == "item" and is_list):
            return None
        return "local", f"is a copy of `{change.alias}`, and does not get this layer"
    fresh = [value for value in put if isinstance(value, Instance) and holder.has_weights(value)]
    if not fresh or any(_is_tracked(holder, layer, change.name) for layer in fresh):
        return None
    if change.depth:
        raw = change.how in _ADDING and (change.alias or _has_raw_items(holder, change.name))
        return ("row", "holds a list that Keras 3 does not watch for layers") if raw else None
    if change.how == "setdefault":
        return "setdefault", "gets a layer by `setdefault`, which Keras 3 never trains"
    tables = any(isinstance(s.value, Table) for s in holder.assigned(change.name))
    if tables or change.how not in {"item", "slice"}:
        return None
    variant = change.how
    if variant == "item" and not _holds_layers(holder, change):
        variant = "empty item"
    return variant, "gets a layer in the place of an item, which Keras 3 never trains"


def _unfollowed(holder: Holder, change: ContainerChange) -> tuple[str, str] | None:
    """What TensorFlow cannot save in Keras 2: the variant, and what to say."""
    put = [value for given in change.values for value in elements(given)]
    if change.depth or not (_holds_layers(holder, change) or any(map(is_layer, put))):
        return None
    if change.alias:
        return "local", f"is changed as `{change.alias}`, after which it cannot be exported"
    if change.how == "setdefault" and any(map(is_layer, put)):
        return "setdefault", "gets a layer by `setdefault`, after which it cannot be exported"
    lists = all(not isinstance(s.value, Table) for s in holder.assigned(change.name))
    if not lists or change.how not in _UNFOLLOWED:
        return None
    if change.how in {"item", "slice"} and not _holds_layers(holder, change):
        return None
    variant = change.how if change.how in {"item", "slice"} else "moved"
    return variant, "is changed otherwise than at its end, after which it cannot be exported"


def _holds_layers(holder: Holder, change: ContainerChange) -> bool:
    """Whether the container has layers or weights from its assignment, or from `append`."""
    values = [store.value for store in holder.assigned(change.name)]
    for other in holder.changed(change.name):
        if other is not change and other.how in {"append", "extend", "augment"}:
            values.extend(other.values)
    return any(
        is_layer(held) or isinstance(held, Variable) for value in values for held in elements(value)
    )


def _is_tracked(holder: Holder, layer: Instance, name: str) -> bool:
    """Whether Keras sees a layer, or one that it wraps, elsewhere or in the list already."""
    inner = [contact.instance for contact in holder.passed if contact.node is layer.node]
    for known in (layer, *inner):
        if holder.is_seen(known, name) and known is layer:
            return True
        held = (v for store in holder.assigned(name) for v in containers.tracked(store.value))
        if any(isinstance(v, Instance) and v.node is known.node for v in held):
            return True
    return False


def _has_raw_items(holder: Holder, name: str) -> bool:
    """Whether lists were put into an attribute as they were, and none when it was assigned."""
    assigned = [store.value for store in holder.assigned(name)]
    wrapped = any(
        isinstance(item, (Seq, Table))
        for value in assigned
        for item in elements(value)
        if item is not value
    )
    return not wrapped and any(
        isinstance(value, (Seq, Table))
        for change in holder.changed(name)
        if not change.depth and change.how in _RAW
        for value in change.values
    )
