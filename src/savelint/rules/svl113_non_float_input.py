"""SVL113 non-float-input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import saving
from savelint.keras.generation import Keras
from savelint.keras.model import Contact, KerasClass, LayerCall, ModuleModel, SaveCall
from savelint.keras.tables import Kind
from savelint.keras.values import Instance
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import serving

if TYPE_CHECKING:
    import libcst as cst

_ONLY_THESE = "it serves this dtype and these sizes only"
_NET = """\
import keras
import tensorflow as tf


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.embed = keras.layers.Embedding(10, 4)
        self.dense = keras.layers.Dense(3)

    def call(self, ids):
        return self.dense(keras.ops.mean(self.embed(ids), axis=1))


net = Net()
net(tf.ones([4, 6], tf.int32))
"""
_WITNESS = Witness(
    build="net",
    inputs=(((6,), "int32"),),
    ways=(Way.RUN, Way.EXPORT),
    saved="exported",
    fails={Keras.V3: {Way.EXPORT: "expected to be a float tensor"}},
)


class NonFloatInput(Rule):
    """A subclassed model that takes integer ids is exported with a float input.

    Consequence: Keras 3 records float32 for every input of a subclassed Model, whatever it
    was called with. The `Embedding` takes floats too, so nothing raises before a client
    sends integers to the exported model.

    Silent: Keras 2, which records the real dtype; an export with an `input_signature`;
    functional and sequential models; an embedding of anything but the input itself.

    Fix: an `input_signature` of the integers that the file calls the model on (unsafe: no
    other dtype, and no other size but the batch's, is then served).
    """

    code = "SVL113"
    name = "non-float-input"
    since = "0.1"
    severity = {Keras.V3: Severity.NOTE}
    mentions = ("export",)
    clues = (frozenset({"export"}),)
    examples = (
        Example(
            variant="embedding",
            bad=_NET + 'net.export("exported")\n',
            at='net.export("exported")',
            good=_NET
            + 'net.export("exported", input_signature=[tf.TensorSpec([None, 6], tf.int32)])\n',
            witness=_WITNESS,
            keras=(Keras.V3,),
        ),
    )
    silent = (
        """\
# The signature is given.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.embed = keras.layers.Embedding(10, 4)

    def call(self, ids):
        return self.embed(ids)

net = Net()
net(tf.ones([4, 6], tf.int32))
net.export("one", input_signature=[tf.TensorSpec([None, 6], tf.int32)])
options = {}
net.export("two", **options)
""",
        """\
# A functional model knows the dtype of its inputs.
from tensorflow import keras

ids = keras.Input([6], dtype="int32")
net = keras.Model(ids, keras.layers.Embedding(10, 4)(ids))
net.export("net")
""",
        """\
# The input is of floats; what is embedded is computed from it.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.embed = keras.layers.Embedding(10, 4)

    def call(self, scores):
        return self.embed(tf.argmax(scores, axis=-1))

net = Net()
net(tf.ones([4, 6]))
net.export("net")
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The exports of models that embed their input."""
        for flow in module.scopes:
            for save in flow.all(SaveCall):
                instance = save.receiver
                cls = module.class_of(instance) if isinstance(instance, Instance) else None
                if cls is None or save.how != "export" or cls.kind is not Kind.MODEL:
                    continue
                embedded = _embedded(module, cls)
                if embedded is not None and _is_unsigned(save):
                    contacts = [
                        contact
                        for contact in flow.all(Contact)
                        if isinstance(instance, Instance) and contact.instance.node is instance.node
                    ]
                    yield self._exported(module, cls, save, embedded, contacts)

    def _exported(
        self,
        module: ModuleModel,
        cls: KerasClass,
        save: SaveCall,
        embedded: LayerCall,
        contacts: list[Contact],
    ) -> Finding:
        return self.finding(
            module,
            save.node,
            f"`{cls.name}` takes integers, and is exported with a float32 input",
            variant="embedding",
            note="records float32",
            labels=[(embedded.node, "the input is embedded here")],
            fix=_fix(module, save, contacts),
        )


def _is_unsigned(save: SaveCall) -> bool:
    plain = [argument for argument in save.arguments.items if argument.keyword == "input_signature"]
    return not plain and not save.arguments.is_open


def _embedded(module: ModuleModel, cls: KerasClass) -> LayerCall | None:
    """The call of an `Embedding` on the one input of a model."""
    call = cls.outline.method("call")
    parameter = serving.first_parameter(call) if call is not None else None
    for event in cls.flow("call").all(LayerCall):
        first: cst.BaseExpression | None = None
        if event.layer.name == "keras.layers.Embedding" and event.arguments.positional:
            first = event.arguments.positional[0].node.value
        if first is not None and parameter and module.text(first) == parameter:
            return event
    return None


def _fix(module: ModuleModel, save: SaveCall, contacts: list[Contact]) -> Fix:
    spec = saving.input_spec(contacts)
    written = serving.signature(module, spec) if spec and "int" in spec.dtype else None
    if written is None:
        return Fix("pass an `input_signature` with the integer dtype", Safety.DISPLAY)
    _, specs, imports = written
    edit = rewrite.add_argument(module, save.node, f"input_signature={specs}")
    return Fix("export it with integers", Safety.UNSAFE, (*imports, edit), _ONLY_THESE)
