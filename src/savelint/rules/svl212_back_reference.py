"""SVL212 back-reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import clues
from savelint.keras.events import AttributeStore, ObjectStore
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.values import Argument, Instance, SelfValue, elements
from savelint.rule import Example, Rule, Way, Witness

if TYPE_CHECKING:
    import libcst as cst

_FIX = Fix("keep `weakref.ref(...)` of it, which Keras does not track", Safety.DISPLAY)
_RAISES = {keras: {Way.RUN: "RecursionError: maximum recursion depth exceeded"} for keras in Keras}
# Asks for the weights, as building, `fit` and saving do.
_BUILD = "(lambda net: (net.weights, net)[1])(Net())"
# What stops Keras from tracking an attribute.
_UNTRACKED = ("no_automatic_dependency_tracking", "_setattr_tracking", "__setattr__")
_CONFIG = """\

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()
"""


class BackReference(Rule):
    """A layer that holds the one that holds it makes Keras walk in a circle.

    Consequence: RecursionError in both generations: Keras collects the weights of a layer
    from the layers in its attributes, and from theirs, and never ends. `fit`, `export` and
    `weights` fail, in Keras 2 `tf.saved_model.save` too, whether the attribute is set on the
    part (`self.block.parent = self`), handed to its constructor and kept there
    (`self.block = Block(self)`), or is the object itself. A call and `.keras` may work.

    Silent: `weakref.ref(self)`, functions and bound methods; plain objects that hold a
    layer; a part that does not keep what it is given; a layer that its parent does not hold;
    classes that turn the tracking off.

    Fix: shown only: `weakref.ref`, or an argument in place of the attribute.
    """

    code = "SVL212"
    name = "back-reference"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("self",)
    clues = (frozenset({clues.ITSELF}),)
    examples = (
        Example(
            variant="attribute",
            bad=f"""\
from tensorflow import keras


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)
        self.dense.parent = self

    def call(self, inputs):
        return self.dense(inputs)
{_CONFIG}""",
            at="self.dense.parent = self",
            good=f"""\
from tensorflow import keras


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)
{_CONFIG}""",
            witness=Witness(build=_BUILD, ways=(Way.RUN,), fails=_RAISES),
            fixed=False,
        ),
        Example(
            variant="constructor",
            bad=f"""\
import tensorflow as tf
from tensorflow.keras import layers


class Head(layers.Layer):
    def __init__(self, model=None, **kwargs):
        super().__init__(**kwargs)
        self._model = model
        self.dense = layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs) * self._model.factor


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.factor = 2.0
        self.head = Head(model=self)

    def call(self, inputs):
        return self.head(inputs)
{_CONFIG}""",
            at="Head(model=self)",
            good=f"""\
import weakref

import tensorflow as tf
from tensorflow.keras import layers


class Head(layers.Layer):
    def __init__(self, model=None, **kwargs):
        super().__init__(**kwargs)
        self._model = weakref.ref(model)
        self.dense = layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs) * self._model().factor


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.factor = 2.0
        self.head = Head(model=self)

    def call(self, inputs):
        return self.head(inputs)
{_CONFIG}""",
            witness=Witness(build=_BUILD, ways=(Way.RUN,), fails=_RAISES),
            fixed=False,
        ),
        Example(
            variant="list",
            bad=f"""\
from keras import Model, layers


class Net(Model):
    def __init__(self):
        super().__init__()
        self.blocks = [layers.Dense(6), layers.Dense(3)]
        for block in self.blocks:
            block.owner = self

    def call(self, inputs):
        for block in self.blocks:
            inputs = block(inputs)
        return inputs
{_CONFIG}""",
            at="block.owner = self",
            good=f"""\
from keras import Model, layers


class Net(Model):
    def __init__(self):
        super().__init__()
        self.blocks = [layers.Dense(6), layers.Dense(3)]

    def call(self, inputs):
        for block in self.blocks:
            inputs = block(inputs)
        return inputs
{_CONFIG}""",
            witness=Witness(build=_BUILD, ways=(Way.RUN,), fails=_RAISES),
            fixed=False,
        ),
        Example(
            variant="itself",
            bad=f"""\
import keras


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)
        self.chain = [self, self.dense]

    def call(self, inputs):
        return self.dense(inputs)
{_CONFIG}""",
            at="self.chain = [self, self.dense]",
            good=f"""\
import keras


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)
        self.chain = [self.dense]

    def call(self, inputs):
        return self.dense(inputs)
{_CONFIG}""",
            witness=Witness(build=_BUILD, ways=(Way.RUN,), fails=_RAISES),
            fixed=False,
        ),
    )
    silent = (
        """\
# A weak reference, a method and a closure are not tracked.
import weakref

from tensorflow import keras


class Head(keras.layers.Layer):
    def __init__(self, model, scale, **kwargs):
        super().__init__(**kwargs)
        self.model = weakref.ref(model)
        self.factor = lambda: model.factor
        self.scale = scale

    def call(self, inputs):
        return self.scale(inputs)


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.factor = 2.0
        self.head = Head(self, self.scale)
        self.head.parent = weakref.proxy(self)

    def scale(self, inputs):
        return inputs * self.factor

    def call(self, inputs):
        return self.head(inputs)
""",
        """\
# A plain object may hold a layer; a layer may be given one that it does not keep.
from tensorflow import keras


class Trainer:
    def __init__(self, model):
        self.model = model


class Block(keras.layers.Layer):
    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        self.width = model.width

    def call(self, inputs):
        return inputs * self.width


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.width = 6
        self.trainer = Trainer(self)
        self.trainer.owner = self
        self.block = Block(self)

    def call(self, inputs):
        return self.block(inputs)
""",
        """\
# The parent does not hold the layer that holds it.
from tensorflow import keras


class Probe(keras.layers.Layer):
    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        self.model = model

    def call(self, inputs):
        return self.model(inputs)


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def probe(self, inputs):
        return Probe(self)(inputs)

    def call(self, inputs):
        return self.dense(inputs)
""",
        """\
# The class keeps Keras from tracking what it sets.
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)
        self._link()

    @tf.__internal__.tracking.no_automatic_dependency_tracking
    def _link(self):
        self.me = self

    def call(self, inputs):
        return self.dense(inputs)
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Circles that close at an attribute of a part, in its constructor, or at once."""
        if any(word in module.source.text for word in _UNTRACKED):
            return
        for cls in module.classes:
            if not cls.kind.is_layer:
                continue
            held = _held(cls)
            for node, variant in _circles(module, cls, held):
                yield self.finding(
                    module,
                    node,
                    f"`{cls.name}` holds a layer that holds it"
                    if variant != "itself"
                    else f"`{cls.name}` holds itself",
                    variant=variant,
                    note="Keras walks through the attributes of layers without an end",
                    fix=_FIX,
                )


def _held(cls: KerasClass) -> dict[int, AttributeStore]:
    """The layers that objects of a class hold, each by the call that makes it."""
    return {
        id(value.node): store
        for store in cls.stores(*cls.flows)
        for value in elements(store.value)
        if isinstance(value, Instance) and value.kind is not None and value.kind.is_layer
    }


def _circles(
    module: ModuleModel, cls: KerasClass, held: dict[int, AttributeStore]
) -> Iterator[tuple[cst.CSTNode, str]]:
    for flow in cls.flows.values():
        for event in flow.all(ObjectStore):
            given = any(_is_itself(cls, value) for value in elements(event.value))
            if id(event.owner.node) in held and given:
                alone = held[id(event.owner.node)].value == event.owner
                single = alone or event.owner.attribute is not None
                yield event.node, "attribute" if single else "list"
    for store in cls.stores(*cls.flows):
        if store.how != "augment" and any(_is_itself(cls, v) for v in elements(store.value)):
            yield store.statement, "itself"
        for value in elements(store.value):
            made_here = isinstance(value, Instance) and module.is_here(value.node)
            if isinstance(value, Instance) and made_here and _keeps(module, cls, store, value):
                yield value.node, "constructor"


def _is_itself(cls: KerasClass, value: object) -> bool:
    return isinstance(value, SelfValue) and value.outline is cls.outline


def _keeps(module: ModuleModel, cls: KerasClass, store: AttributeStore, part: Instance) -> bool:
    """Whether a layer of the file is given the object, and keeps it in an attribute."""
    holder = module.class_of(part)
    if holder is None or not holder.kind.is_layer:
        return False
    constructor = holder.outline.method("__init__")
    if constructor is None:
        return False
    plain = [p.name.value for p in (*constructor.params.posonly_params, *constructor.params.params)]
    given: set[str] = set()
    position = 1
    for argument in part.node.args:
        if argument.star:
            break
        name = (
            argument.keyword.value if argument.keyword else "".join(plain[position : position + 1])
        )
        position += argument.keyword is None
        if module.text(argument.value) == _self_name(module, store):
            given.add(name)
    return any(
        isinstance(value, Argument) and value.name in given
        for kept in holder.stores("__init__")
        for value in elements(kept.value)
        if kept.how in {"assign", "append"} and not kept.conditional
    )


def _self_name(module: ModuleModel, store: AttributeStore) -> str:
    """What the method that makes a store calls its object."""
    function = module.function_of(store.target)
    parameters = (*function.params.posonly_params, *function.params.params) if function else ()
    return parameters[0].name.value if parameters else ""
