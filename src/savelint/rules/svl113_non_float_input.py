"""SVL113 non-float-input."""

from __future__ import annotations

from collections.abc import Iterator

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import saving
from savelint.keras.events import Contact, LayerCall, SaveCall
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import LOOKUP_TABLES, Kind
from savelint.keras.values import Instance
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import serving, signatures

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
_ENTRY = """\
import keras
import tensorflow as tf


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.embed = keras.layers.Embedding(10, 4)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        embedded = keras.ops.mean(self.embed(inputs["ids"]), axis=1)
        return self.dense(keras.ops.concatenate([inputs["size"], embedded], axis=-1))


batch = {{"size": tf.ones([4, 6]), "ids": tf.ones([4, 2], tf.int32)}}
net = Net()
net(batch)
net.export("exported"{given})
served = tf.saved_model.load("exported")
served.serve(batch)
"""
_WITNESS = Witness(
    build="net",
    inputs=(((6,), "int32"),),
    ways=(Way.RUN, Way.EXPORT),
    saved="exported",
    fails={Keras.V3: {Way.EXPORT: "expected to be a float tensor"}},
)


_TEXT = """\
import keras
import tensorflow as tf


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.lookup = keras.layers.StringLookup(vocabulary=["a", "b"])
        self.embed = keras.layers.Embedding(4, 3)

    def call(self, words):
        return keras.ops.mean(self.embed(self.lookup(words)), axis=1)


net = Net()
net(tf.constant([["a"], ["b"], ["c"], ["a"]]))
"""
_PRICES = """\
import tensorflow as tf
from tensorflow import keras

"""
_START = """\
            tf.lookup.KeyValueTensorInitializer([0, 1], [1.0, 2.0], tf.int64, tf.float32), -1.0
"""


class NonFloatInput(Rule):
    """A subclassed model takes integers or text, where Keras counts on floats.

    Consequence: Keras 3 records float32 for every input of a subclassed Model, whatever it
    was called with. An `Embedding` or a `StringLookup` takes floats too while it is traced,
    so nothing raises before a client sends what the exported model is for. A lookup table
    takes none: `export` raises, and a `.keras` file loads with new random weights, without
    an exception; in Keras 2 the file does not load.

    Silent: Keras 2, which records the real dtype, but for the table; an export with an
    `input_signature`; functional and sequential models, and parts of others; anything but
    the input itself; for the table a class with a `build` of its own.

    Fix: an `input_signature` of the integers that the file calls the model on (unsafe: no
    other dtype, and no other size but the batch's, is then served). Shown for text and
    for the table.
    """

    code = "SVL113"
    name = "non-float-input"
    since = "0.1"
    severity = {Keras.V2: Severity.WARNING, Keras.V3: Severity.NOTE}
    mentions = ("export", "lookup")
    clues = (frozenset({"export", "lookup"}),)
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
        Example(
            variant="entry",
            bad=_ENTRY.format(given=""),
            at='net.export("exported")',
            good=_ENTRY.format(
                given=", input_signature=[tf.nest.map_structure(tf.TensorSpec.from_tensor, batch)]"
            ),
            witness=Witness(
                build="net",
                ways=(Way.RUN,),
                fails={Keras.V3: {Way.RUN: "TypeError: .*Binding inputs"}},
            ),
            keras=(Keras.V3,),
            fixed=False,
        ),
        Example(
            variant="text",
            bad=_TEXT + 'net.export("exported")\n',
            at='net.export("exported")',
            good=_TEXT
            + 'net.export("exported", input_signature=[tf.TensorSpec([None, 1], tf.string)])\n',
            witness=Witness(
                build="net",
                inputs=(((1,), "string"),),
                ways=(Way.RUN, Way.EXPORT),
                saved="exported",
                fails={Keras.V3: {Way.EXPORT: "expected to be a float tensor"}},
            ),
            keras=(Keras.V3,),
            fixed=False,
        ),
        Example(
            variant="table",
            bad=_PRICES
            + """\

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.prices = tf.lookup.StaticHashTable(
"""
            + _START
            + """\
        )
        self.dense = keras.layers.Dense(3)

    def call(self, keys):
        return self.dense(self.prices.lookup(keys))


def build():
    return Net()
""",
            at="self.prices.lookup(keys)",
            good=_PRICES
            + """\

class Prices(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.prices = tf.lookup.StaticHashTable(
"""
            + _START
            + """\
        )

    def call(self, keys):
        return self.prices.lookup(keys)


def build():
    keys = keras.Input([6], dtype="int64")
    return keras.Model(keys, keras.layers.Dense(3)(Prices()(keys)))
""",
            witness=Witness(
                build="build()",
                inputs=(((6,), "int64"),),
                ways=(Way.CALL, Way.EXPORT, Way.KERAS),
                fails={
                    Keras.V3: {Way.KERAS: "DIFF", Way.EXPORT: "TypeError"},
                    Keras.V2: {Way.KERAS: "ValueError: .*cannot build your model"},
                },
            ),
            fixed=False,
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
archive = keras.export.ExportArchive()
archive.track(net)
archive.add_endpoint("serve", net.call, input_signature=[tf.TensorSpec([None, 6], tf.int32)])
archive.write_out("one")
options = {}
net.export("two", **options)
""",
        """\
# The table is asked for something else, or by a part of a model.
import tensorflow as tf
from tensorflow import keras

def make_table():
    start = tf.lookup.KeyValueTensorInitializer([0, 1], [1.0, 2.0], tf.int64, tf.float32)
    return tf.lookup.StaticHashTable(start, -1.0)

class Cast(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.table = make_table()
        self.dense = keras.layers.Dense(3)

    def call(self, keys):
        return self.dense(self.table.lookup(tf.cast(keys, tf.int64)))

class Built(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.table = make_table()
        self.dense = keras.layers.Dense(3)

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, keys):
        return self.dense(self.table.lookup(keys))

class Part(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.table = make_table()
        self.dense = keras.layers.Dense(3)

    def call(self, keys):
        return self.dense(self.table.lookup(keys))

class Whole(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.part = Part()

    def call(self, x):
        return self.part(tf.cast(x, tf.int64))
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
        """The exports of models that embed their input, and those that look it up."""
        for cls in module.classes:
            yield from self._looked_up(module, cls)
        if module.keras is Keras.V3:
            yield from self._exports(module)

    def _exports(self, module: ModuleModel) -> Iterator[Finding]:
        """The exports that record floats for integers or for text."""
        for flow in module.scopes:
            for save in flow.all(SaveCall):
                instance = save.receiver
                cls = module.class_of(instance) if isinstance(instance, Instance) else None
                if cls is None or save.how != "export" or cls.kind is not Kind.MODEL:
                    continue
                embedded = signatures.looked_up_input(module, cls)
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
        last = embedded.layer.name.rpartition(".")[2]
        what, how = ("integers", "embedded") if last == "Embedding" else ("text", "looked up")
        return self.finding(
            module,
            save.node,
            f"`{cls.name}` takes {what}, and is exported with a float32 input",
            variant=_variant(module, embedded, what),
            note="records float32",
            labels=[(embedded.node, f"the input is {how} here")],
            fix=_fix(module, cls, save, embedded, contacts),
        )

    def _looked_up(self, module: ModuleModel, cls: KerasClass) -> Iterator[Finding]:
        """A lookup table that is asked for what Keras takes for floats."""
        call = signatures.whole_call(cls)
        parameter = serving.first_parameter(call) if call is not None else None
        if parameter is None or not signatures.loses_weights(module, cls):
            return
        for contact in cls.flow("call").all(Contact):
            first = contact.arguments.get(0, "keys")
            if (
                contact.instance.name in LOOKUP_TABLES
                and contact.how == "lookup"
                and first is not None
                and module.text(first.node.value) == parameter
                and not _is_used_otherwise(module, cls)
            ):
                yield self.finding(
                    module,
                    contact.node,
                    f"`{cls.name}` looks its input up, which Keras takes for floats",
                    variant="table",
                    severity=Severity.ERROR if module.keras is Keras.V3 else None,
                    note="no table takes floats",
                    labels=[(contact.instance.node, "this table")],
                    fix=Fix(
                        "look it up in a layer of a functional model, with the dtype at its"
                        " `Input`",
                        Safety.DISPLAY,
                    ),
                )
                return


def _is_used_otherwise(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether a model is a part of others, or is seen saved with a signature alone."""
    return (
        signatures.use_as_part(module, cls) is not None
        or module.is_part(cls)
        or signatures.is_exported_with_signature(module, cls)
    )


def _is_unsigned(save: SaveCall) -> bool:
    plain = [argument for argument in save.arguments.items if argument.keyword == "input_signature"]
    return not plain and not save.arguments.is_open


def _variant(module: ModuleModel, embedded: LayerCall, what: str) -> str:
    if what == "text":
        return what
    given = module.text(embedded.arguments.positional[0].node.value)
    return "entry" if given.endswith("]") else "embedding"


def _fix(
    module: ModuleModel,
    cls: KerasClass,
    save: SaveCall,
    embedded: LayerCall,
    contacts: list[Contact],
) -> Fix:
    if embedded.layer.name.rpartition(".")[2] != "Embedding":
        return Fix("pass an `input_signature` with `tf.string`", Safety.DISPLAY)
    call = cls.outline.method("call")
    given = embedded.arguments.positional[0].node.value
    is_whole = call is not None and module.text(given) == serving.first_parameter(call)
    spec = saving.input_spec(contacts) if is_whole else None
    written = serving.signature(module, spec) if spec and "int" in spec.dtype else None
    if written is None:
        return Fix("pass an `input_signature` with the integer dtype", Safety.DISPLAY)
    _, specs, imports = written
    edit = rewrite.add_argument(module, save.node, f"input_signature={specs}")
    return Fix("export it with integers", Safety.UNSAFE, (*imports, edit), _ONLY_THESE)
