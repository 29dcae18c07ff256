"""SVL306 model-arguments-lost."""

from __future__ import annotations

from collections.abc import Iterator

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import clues
from savelint.keras.config import Constructor, Taken, constructor, library_bases
from savelint.keras.events import LoadCall, SaveCall
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import CONFIG, Kind
from savelint.keras.values import Instance
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import lineage, rebuilding, recording

_OTHER = "DIFF: other outputs"
_TWICE = "ValueError: .*(single positional argument|Shape mismatch)"
_REFUSED = "TypeError: .*unexpected keyword argument '(name|trainable|dtype)'"
_WAYS = (Way.CALL, Way.TRAIN, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS)

_NET = """\
import tensorflow as tf
from tensorflow.keras import layers


class Net(tf.keras.Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
{store}        self.dense = layers.Dense(units)

    def call(self, inputs):
        return self.dense(inputs)
{method}"""
_SCALED = """\
import keras


class Scaled(keras.Model):
    def __init__(self, scale=1.0, activation="relu", name="scaled", **kwargs):
        super().__init__(name=name, **kwargs)
        self.scale = scale
        self.activation = keras.activations.get(activation)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.activation(self.dense(inputs)) + self.scale
{method}"""
_PLAIN = """\
from tensorflow import keras


class Plain(keras.Model):
    def __init__(self{parameter}):
        super(Plain, self).__init__({argument})
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)
"""
_STACK = """\
import keras
from keras.layers import Dense


class Stack(keras.Sequential):
    def __init__(self, units=3, **kwargs):
        super().__init__([Dense(units, activation="relu"), Dense(3)], **kwargs){store}
{method}
"""
_ENCODED = """\
from tensorflow import keras


class Encoded(keras.Model):
    def __init__(self, encoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder

    def call(self, inputs):
        return self.encoder(inputs)
{method}"""
_WHOLE = """\
import keras
from keras import layers


class Whole(keras.Model):
    def __init__(self, units=3, **kwargs):
        inputs = keras.Input([6])
        outputs = layers.Dense(4)(inputs) * units
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)
{method}"""


_REGISTERED = """\
from tensorflow import keras
from tensorflow.keras import layers


@keras.utils.register_keras_serializable("nets")
class Whole(keras.Model):
    def __init__(self, units=3, **kwargs):
        inputs = keras.Input([6])
        super().__init__(inputs=inputs, outputs=layers.Dense(units)(inputs), **kwargs)
{method}

model = Whole(5)
path = "whole.keras" if hasattr(keras, "ops") else "whole"
model.save(path)
keras.models.load_model(path)
"""


class ModelArgumentsLost(Rule):
    """A Model has arguments, or takes no `**kwargs`, and has no `get_config`.

    Consequence: Keras 3 records the arguments of layers by itself, but not those of models.
    A required argument raises when the model is saved; one with a default is reset to it
    when the model is loaded, without an exception. A constructor that takes no `name`,
    `trainable` and `dtype` raises when the model is loaded. Keras 2 records plain arguments;
    a model that was given a layer, a function, an array or another object raises when it is
    loaded, as does a registered model with inputs and outputs of its own that was saved as a
    directory. A `Sequential` that makes its own layers raises when it is loaded, in either
    generation: it is given those that were saved beside them.

    Silent: a model that is only a part of others, which make it anew; one without a `call`;
    a base that is not in sight; one of which the code in sight saves the weights alone, or
    only what is served: `save_weights`, `export` and `tf.saved_model.save` need no config.

    Fix: `get_config` is generated, and `**kwargs` are taken and handed on (safe where
    attributes keep the arguments as they were given).
    """

    code = "SVL306"
    name = "model-arguments-lost"
    since = "0.1"
    severity = {Keras.V2: Severity.WARNING, Keras.V3: Severity.WARNING}
    mentions = ("Model", "Sequential")
    clues = (frozenset({clues.MODEL}),)
    examples = (
        Example(
            variant="required",
            bad=_NET.format(store="", method=""),
            at="units",
            good=_NET.format(
                store="        self.units = units\n",
                method="""
    def get_config(self):
        config = super().get_config()
        config.update({"units": self.units})
        return config
""",
            ),
            witness=Witness(
                build="Net(3)",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: "NotImplementedError: Object Net was created"}},
                trains=2,
            ),
            keras=(Keras.V3,),
        ),
        Example(
            variant="defaulted",
            bad=_SCALED.format(method=""),
            at="scale",
            good=_SCALED.format(
                method="""
    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "scale": self.scale,
                "activation": keras.activations.serialize(self.activation),
            }
        )
        return config
"""
            ),
            witness=Witness(
                build="Scaled(5.0)",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _OTHER}},
                trains=2,
            ),
            keras=(Keras.V3,),
        ),
        Example(
            variant="refused",
            bad=_PLAIN.format(parameter="", argument=""),
            at="__init__",
            good=_PLAIN.format(parameter=", **kwargs", argument="**kwargs"),
            witness=Witness(
                build="Plain()",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _REFUSED}},
                trains=2,
            ),
            keras=(Keras.V3,),
        ),
        Example(
            variant="layer",
            bad=_ENCODED.format(method=""),
            at="encoder",
            good=_ENCODED.format(
                method="""
    def get_config(self):
        config = super().get_config()
        config.update({"encoder": keras.layers.serialize(self.encoder)})
        return config

    @classmethod
    def from_config(cls, config):
        config["encoder"] = keras.layers.deserialize(config["encoder"])
        return cls(**config)
"""
            ),
            witness=Witness(
                build="Encoded(keras.layers.Dense(3))",
                ways=_WAYS,
                fails={
                    Keras.V3: {Way.KERAS: "NotImplementedError: Object Encoded was created"},
                    Keras.V2: {Way.KERAS: "TypeError"},
                },
                trains=2,
            ),
        ),
        Example(
            variant="functional",
            bad=_WHOLE.format(method=""),
            at="units",
            good=_WHOLE.format(
                method="""\
        self.units = units

    def get_config(self):
        return {"units": self.units}
"""
            ),
            witness=Witness(
                build="Whole(5)",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _OTHER}},
                trains=2,
            ),
            keras=(Keras.V3,),
            fixed=False,
        ),
        Example(
            variant="registered",
            bad=_REGISTERED.format(method=""),
            at="units",
            good=_REGISTERED.format(
                method="""\
        self.units = units

    def get_config(self):
        return {"units": self.units}
"""
            ),
            witness=Witness(
                build="model",
                ways=(Way.RUN,),
                fails={
                    Keras.V3: {Way.RUN: "ValueError: .*objects could not be loaded"},
                    Keras.V2: {Way.RUN: "TypeError: .*missing 2 required positional arg"},
                },
            ),
            fixed=False,
        ),
        Example(
            variant="stack",
            bad=_STACK.format(store="", method=""),
            at="units",
            good=_STACK.format(
                store="\n        self.units = units",
                method="""
    def get_config(self):
        return {"name": self.name, "units": self.units}

    @classmethod
    def from_config(cls, config):
        return cls(**config)""",
            ),
            witness=Witness(
                build="Stack(4)",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _TWICE}, Keras.V2: {Way.KERAS: _TWICE}},
                trains=4,
            ),
            fixed=False,
        ),
    )
    silent = (
        """\
# Saved in ways that need no config.
import keras
import tensorflow as tf

class Net(keras.Model):
    def __init__(self, units=3):
        super().__init__()
        self.dense = keras.layers.Dense(units)

    def call(self, inputs):
        return self.dense(inputs)

net = Net(4)
net.fit(tf.ones([4, 6]), tf.ones([4, 4]))
net.save_weights("net.weights.h5")
net.export("served")
""",
        """\
# A stack of what it is given, or that is made anew by its own `from_config`, or by others.
import keras
from keras import layers

class One(keras.Sequential):
    def __init__(self, layers=None, **kwargs):
        super().__init__(layers, **kwargs)

class Two(keras.Sequential):
    def __init__(self, layers=(), **kwargs):
        super().__init__(**kwargs)
        for layer in layers:
            self.add(layer)

class Three(keras.Sequential):
    def __init__(self, units, **kwargs):
        super().__init__([layers.Dense(units)], **kwargs)
        self.units = units

    def get_config(self):
        return {"units": self.units}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

class Four(keras.Sequential):
    def __init__(self, units):
        super().__init__([layers.Dense(units), layers.ReLU()])

class Five(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.four = Four(units)

    def call(self, inputs):
        return self.four(inputs)
""",
        """\
# It records them, takes what Keras records, or has none; Keras 2 records them by itself.
import keras

class One(keras.Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = keras.layers.Dense(units)

    def call(self, inputs):
        return self.dense(inputs)

    def get_config(self):
        return {**super().get_config(), "units": self.units}

class Two(One):
    def call(self, inputs):
        return 2 * self.dense(inputs)

class Three(keras.Model):
    def __init__(self, name=None, *, trainable=True, dtype=None):
        super().__init__(name=name, trainable=trainable, dtype=dtype)

    def call(self, inputs):
        return inputs

class Four(keras.Model):
    def call(self, inputs):
        return inputs
""",
        """\
# A part of another model, which makes it anew.
import keras

class Part(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.dense = keras.layers.Dense(units)

    def call(self, inputs):
        return self.dense(inputs)

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.part = Part(3)

    def call(self, inputs):
        return self.part(inputs)
""",
        """\
# Without a `call` it is no model to be saved; of the other one's base nothing is known.
import keras
from project import Base

class Trainer(keras.Model):
    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator

    def train_step(self, data):
        return {}

class Net(Base, keras.Model):
    def __init__(self, units):
        super().__init__()

    def call(self, inputs):
        return inputs
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each Model without `get_config` whose constructor the file has."""
        for cls in module.classes:
            if cls.kind is Kind.FUNCTIONAL:
                yield from self._stacked(module, cls)
                continue
            if cls.kind is not Kind.MODEL or cls.outline.definer(CONFIG) is not None:
                continue
            made = constructor(module, cls)
            if made is None or made.definer is not cls.outline or not module.is_here(made.node):
                continue
            if not rebuilding.is_plain(module, cls) or _is_built_by_others(module, cls):
                continue
            functional = rebuilding.is_functional(cls)
            if not functional and cls.outline.definer("call") is None:
                continue
            missing = rebuilding.lost(module, cls, made)
            refuses = module.keras is Keras.V3 and rebuilding.refuses(module, cls)
            if not missing and (functional or not refuses):
                continue
            # What the rest of the project does with it is dearer to know.
            if module.is_part(cls):
                continue
            saves = _saves(module, cls)
            if saves and "save" not in saves:
                continue
            if module.keras is Keras.V2:
                # It records plain arguments by itself, and takes all that it records.
                if not functional:
                    missing = [t for t in missing if _nature(module, cls, made, t)]
                elif not _is_registered(module, cls):
                    continue
                if missing:
                    yield self._found(module, cls, made, missing, refuses=False)
                continue
            yield self._found(module, cls, made, missing, refuses=refuses)

    def _stacked(self, module: ModuleModel, cls: KerasClass) -> Iterator[Finding]:
        made = constructor(module, cls)
        methods = {name for member in cls.outline.lineage for name in member.method_names}
        if made is None or made.definer is not cls.outline or not module.is_here(made.node):
            return
        bases = {base.rpartition(".")[2] for base in library_bases(cls.outline)}
        if bases != {"Sequential"} or not lineage.is_known(module, cls.outline):
            return
        if methods & {CONFIG, "from_config"} or not _fills_itself(module, made):
            return
        is_left = rebuilding.is_left_open(module, cls) or rebuilding.is_base(module, cls)
        saves = _saves(module, cls)
        if is_left or module.is_part(cls) or (saves and "save" not in saves):
            return
        if not saves and _gets_weights(module, cls):
            return
        first = next((t.label for t in made.arguments if t.parameter is not None), made.node.name)
        yield self.finding(
            module,
            first,
            f"`{cls.name}` makes its layers anew beside those that are loaded",
            variant="stack",
            severity=Severity.ERROR if saves else None,
            note="it has no `get_config` and `from_config`",
            fix=Fix("define `get_config` and `from_config`", Safety.DISPLAY),
        )

    def _found(
        self,
        module: ModuleModel,
        cls: KerasClass,
        made: Constructor,
        missing: list[Taken],
        *,
        refuses: bool,
    ) -> Finding:
        required = any(taken.required for taken in missing)
        functional = rebuilding.is_functional(cls)
        if missing:
            what = f"loses {rebuilding.listed(missing)}: it has no `get_config`"
        else:
            what = "takes no `**kwargs`, by which Keras rebuilds it"
        variant = "defaulted"
        if functional and _is_registered(module, cls):
            variant = "registered"
        elif any(_nature(module, cls, made, taken) for taken in missing):
            variant = "layer"
        elif functional:
            variant = "functional"
        elif required:
            variant = "required"
        elif refuses:
            variant = "refused"
        return self.finding(
            module,
            missing[0].label if missing else made.node.name,
            f"`{cls.name}` {what}",
            variant=variant,
            severity=Severity.ERROR if _saves(module, cls) else None,
            note="not recorded" if missing else "not taken",
            labels=[(taken.label, "nor this") for taken in missing[1:]],
            fix=_fix(module, cls, made, missing),
        )


def _fills_itself(module: ModuleModel, made: Constructor) -> bool:
    """Whether the constructor of a `Sequential` certainly puts layers into it."""
    for call in made.supers:
        given = call.arguments.get(0, "layers")
        elements = getattr(given.node.value, "elements", ()) if given is not None else ()
        if elements and not module.branches_of(call.node):
            return True
    # A statement of the body itself, under no condition.
    lines = (module.text(each) for each in made.node.body.body)
    return any(line.startswith("self.add(") for line in lines)


def _fix(module: ModuleModel, cls: KerasClass, made: Constructor, missing: list[Taken]) -> Fix:
    natures = {taken.name: _nature(module, cls, made, taken) for taken in missing}
    layers = [name for name, kind in natures.items() if kind in {"layer", "callable"}]
    plain = all(kind in {"", "layer", "callable"} for kind in natures.values())
    if rebuilding.is_functional(cls) or not plain:
        return Fix("define `get_config`", Safety.DISPLAY)
    every = rebuilding.lost(module, cls, made)
    return recording.generate(module, cls, made, every, layers)


def _nature(module: ModuleModel, cls: KerasClass, made: Constructor, taken: Taken) -> str:
    """What an argument certainly is, or is given where the model is made, that is not plain."""
    nature = rebuilding.nature(module, cls, made, taken)
    return nature or rebuilding.given(module, cls, made, taken)


def _is_registered(module: ModuleModel, cls: KerasClass) -> bool:
    return any(found.node is cls.outline.node for found in module.registrations)


def _is_built_by_others(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether it is made by something else than Keras, or left to other classes."""
    if "from_config" in {name for c in cls.outline.lineage for name in c.method_names}:
        return True
    if any(base.rpartition(".")[2] != "Model" for base in library_bases(cls.outline)):
        return True
    return rebuilding.is_left_open(module, cls)


def _gets_weights(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether code in sight makes such a model and loads its weights, so that it is not rebuilt."""
    return any(
        load.how == "weights"
        and isinstance(load.receiver, Instance)
        and load.receiver.outline is cls.outline
        for scope in module.saving_scopes(cls)
        for load in scope.all(LoadCall)
    )


def _saves(module: ModuleModel, cls: KerasClass) -> set[str]:
    """The ways in which code in sight saves such a model; only "save" writes its config."""
    saves = (save for scope in module.saving_scopes(cls) for save in scope.all(SaveCall))
    return {
        save.how
        for save in saves
        if isinstance(save.receiver, Instance) and save.receiver.outline is cls.outline
    }
