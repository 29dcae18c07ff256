"""SVL102 missing-input-signature."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras import saving
from savelint.keras.events import Argument, Contact, Flow, ObjectStore, SaveCall
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.saving import Bundle, FirstContact
from savelint.keras.tables import Kind
from savelint.keras.values import (
    Concrete,
    Const,
    Function,
    Instance,
    Member,
    Spec,
    Table,
    Traced,
    Value,
)
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import serving

if TYPE_CHECKING:
    import libcst as cst

_ONE_CALL = "the shape is that of the call in this file"
_EXPORT_REASON = "it writes the endpoint `serve` beside `serving_default`"
_REFUSED = {
    Bundle.PLAIN: "a plain function",
    Bundle.UNSIGNED: "a `tf.function` without an `input_signature`",
    Bundle.OBJECT: "an object, not a function",
}


_SERVED = (Way.RUN, Way.SAVED_MODEL)
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
_MODULE = """\
import tensorflow as tf


class Scale(tf.Module):
    def __init__(self):
        super().__init__()
        self.factor = tf.Variable(2.0)

"""
_TWO = (
    _MODULE
    + """\
    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])
    def up(self, x):
        return x * self.factor

    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])
    def down(self, x):
        return x / self.factor


scale = Scale()
"""
)
_UNSIGNED = {keras: {Way.SAVED_MODEL: "NO SIGNATURE"} for keras in Keras}
_REFUSES = {
    keras: {Way.RUN: "ValueError: Expected a TensorFlow function for which to generate"}
    for keras in Keras
}
_ENDPOINT = """\
import tensorflow as tf
from tensorflow import keras

net = keras.Sequential([keras.Input([6]), keras.layers.Dense(3)])
archive = keras.export.ExportArchive()
archive.track(net)
"""


class MissingInputSignature(Rule):
    """A model is saved for serving without a signature, or with one that cannot be traced.

    Consequence: in Keras 3 `tf.saved_model.save(model)` of a subclassed model that was
    run on a batch records that batch's size and float32 inputs. A `tf.Module` without a
    method that has an `input_signature`, or a model that was never run, is saved without
    any signature. A function without an `input_signature` given to `signatures=`, or to
    `ExportArchive.add_endpoint`, raises.

    Silent: functional and sequential models, concrete functions, objects and functions
    whose kind is not known, a model whose first use was `fit` or a symbolic input.

    Fix: `signatures=tf.function(lambda inputs: model(inputs, training=False),
    input_signature=[...])` where the input's shape can be read from the file (safe); else
    `model.export(path)` (unsafe). A missing `input_signature` is added where the shape
    can be read (unsafe: a guess about the callers); else the place is shown.
    """

    code = "SVL102"
    name = "missing-input-signature"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("saved_model", "add_endpoint")
    clues = (frozenset({"saved_model", "save", "add_endpoint"}),)
    examples = (
        Example(
            variant="frozen-batch",
            bad=_NET
            + """\
net = Net()
net(tf.random.normal([4, 8, 6]))
tf.saved_model.save(net, "saved")
""",
            at='tf.saved_model.save(net, "saved")',
            good=_NET
            + """\
net = Net()
net(tf.random.normal([4, 8, 6]))
tf.saved_model.save(
    net,
    "saved",
    signatures=tf.function(
        lambda inputs: net(inputs, training=False),
        input_signature=[tf.TensorSpec([None, 8, 6], tf.float32)],
    ),
)
""",
            witness=Witness(
                build="net",
                inputs=(((8, 6), "float32"),),
                ways=_SERVED,
                fails={Keras.V3: {Way.SAVED_MODEL: "FROZEN: InvalidArgumentError"}},
                saved="saved",
            ),
            keras=(Keras.V3,),
        ),
        Example(
            variant="unknown-shape",
            bad=_NET
            + """\
def save(path, batch):
    net = Net()
    net(batch)
    tf.saved_model.save(net, path)
    return net


net = save("saved", next(iter(tf.data.Dataset.from_tensors(tf.ones([4, 8, 6])))))
""",
            at="tf.saved_model.save(net, path)",
            good=_NET
            + """\
def save(path, batch):
    net = Net()
    net(batch)
    net.export(path)
    return net


net = save("saved", next(iter(tf.data.Dataset.from_tensors(tf.ones([4, 8, 6])))))
""",
            witness=Witness(
                build="net",
                inputs=(((8, 6), "float32"),),
                ways=_SERVED,
                fails={Keras.V3: {Way.SAVED_MODEL: "FROZEN: InvalidArgumentError"}},
                saved="saved",
            ),
            keras=(Keras.V3,),
        ),
        Example(
            variant="never-run",
            bad=_NET
            + """\
net = Net()
tf.saved_model.save(net, "saved")
""",
            at='tf.saved_model.save(net, "saved")',
            good=_NET
            + """\
net = Net()
net(keras.Input([8, 6]))
tf.saved_model.save(net, "saved")
""",
            witness=Witness(
                build="net",
                inputs=(((8, 6), "float32"),),
                ways=_SERVED,
                fails={
                    Keras.V2: {Way.SAVED_MODEL: "NO SIGNATURE"},
                    Keras.V3: {Way.SAVED_MODEL: "NO SIGNATURE"},
                },
                saved="saved",
            ),
            fixed=False,
        ),
        Example(
            variant="module",
            bad=_MODULE
            + """\
    @tf.function
    def __call__(self, x):
        return x * self.factor


scale = Scale()
scale(tf.ones([4, 6]))
tf.saved_model.save(scale, "saved")
""",
            at='tf.saved_model.save(scale, "saved")',
            good=_MODULE
            + """\
    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])
    def __call__(self, x):
        return x * self.factor


scale = Scale()
scale(tf.ones([4, 6]))
tf.saved_model.save(scale, "saved")
""",
            witness=Witness(build="scale", ways=_SERVED, fails=_UNSIGNED, saved="saved"),
        ),
        Example(
            variant="module-ambiguous",
            bad=_TWO + 'tf.saved_model.save(scale, "saved")\n',
            at='tf.saved_model.save(scale, "saved")',
            good=_TWO + 'tf.saved_model.save(scale, "saved", signatures=scale.up)\n',
            witness=Witness(build="scale.up", ways=_SERVED, fails=_UNSIGNED, saved="saved"),
            fixed=False,
        ),
        Example(
            variant="plain-function",
            bad=_NET
            + """\
net = Net()
net(tf.ones([4, 8, 6]))
tf.saved_model.save(net, "saved", signatures={"serving_default": net.call})
""",
            at="net.call",
            good=_NET
            + """\
net = Net()
net(tf.ones([4, 8, 6]))
tf.saved_model.save(
    net,
    "saved",
    signatures={
        "serving_default": tf.function(
            net.call,
            input_signature=[tf.TensorSpec([None, 8, 6], tf.float32)],
        ),
    },
)
""",
            witness=Witness(
                build="net",
                inputs=(((8, 6), "float32"),),
                ways=_SERVED,
                fails=_REFUSES,
                saved="saved",
            ),
        ),
        Example(
            variant="unsigned",
            bad=_MODULE
            + """\
    def scale(self, x):
        return x * self.factor


@tf.function
def serve(x):
    return scale.scale(x)


scale = Scale()
serve(tf.ones([4, 6]))
tf.saved_model.save(scale, "saved", signatures=serve)
""",
            at="serve",
            good=_MODULE
            + """\
    def scale(self, x):
        return x * self.factor


@tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])
def serve(x):
    return scale.scale(x)


scale = Scale()
serve(tf.ones([4, 6]))
tf.saved_model.save(scale, "saved", signatures=serve)
""",
            witness=Witness(build="serve", ways=_SERVED, fails=_REFUSES, saved="saved"),
            fixed=False,
        ),
        Example(
            variant="object",
            bad=_NET
            + """\
net = Net()
net(tf.ones([4, 8, 6]))
tf.saved_model.save(net, "saved", signatures=net)
""",
            at="net",
            good=_NET
            + """\
net = Net()
net(tf.ones([4, 8, 6]))
tf.saved_model.save(
    net,
    "saved",
    signatures=tf.function(
        net,
        input_signature=[tf.TensorSpec([None, 8, 6], tf.float32)],
    ),
)
""",
            witness=Witness(
                build="net",
                inputs=(((8, 6), "float32"),),
                ways=_SERVED,
                fails=_REFUSES,
                saved="saved",
            ),
        ),
        Example(
            variant="endpoint",
            bad=_ENDPOINT
            + """\
archive.add_endpoint("serve", net.call)
archive.write_out("saved")
""",
            at='archive.add_endpoint("serve", net.call)',
            good=_ENDPOINT
            + """\
archive.add_endpoint("serve", net.call, [tf.TensorSpec([None, 6], tf.float32)])
archive.write_out("saved")
""",
            witness=Witness(
                build="net",
                ways=_SERVED,
                fails={keras: {Way.RUN: "ValueError: If the `fn` argument"} for keras in Keras},
                saved="saved",
            ),
            fixed=False,
        ),
        Example(
            variant="bare-spec",
            bad=_ENDPOINT
            + """\
spec = tf.TensorSpec([None, 6], tf.float32)
archive.add_endpoint("serve", net.call, input_signature=spec)
archive.write_out("saved")
""",
            at="spec",
            good=_ENDPOINT
            + """\
spec = tf.TensorSpec([None, 6], tf.float32)
archive.add_endpoint("serve", net.call, input_signature=[spec])
archive.write_out("saved")
""",
            witness=Witness(
                build="net",
                ways=_SERVED,
                fails={
                    keras: {Way.RUN: "TypeError: input_signature must be either a tuple or a list"}
                    for keras in Keras
                },
                saved="saved",
            ),
        ),
    )
    silent = (
        """\
# A functional model knows its inputs.
import tensorflow as tf
from tensorflow import keras

inputs = keras.Input([6])
model = keras.Model(inputs, keras.layers.Dense(3)(inputs))
tf.saved_model.save(model, "saved")
""",
        """\
# A subclass that is functional by its constructor.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def __init__(self):
        inputs = keras.Input([6])
        super().__init__(inputs=inputs, outputs=keras.layers.Dense(3)(inputs))

net = Net()
tf.saved_model.save(net, "saved")
""",
        """\
# A concrete function has its signature.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def call(self, inputs):
        return inputs * 2.0

net = Net()
net(tf.ones([4, 6]))
serve = tf.function(net.call).get_concrete_function(tf.TensorSpec([None, 6], tf.float32))
tf.saved_model.save(net, "saved", signatures=serve)
tf.saved_model.save(net, "named", signatures={"serving_default": serve})
""",
        """\
# What is saved is not known.
import tensorflow as tf

def save(model, path):
    tf.saved_model.save(model, path)
""",
        """\
# `fit` came first; the batch is free.
import numpy as np
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)

net = Net()
net.compile("sgd", "mse")
net.fit(np.ones([8, 6]), np.ones([8, 3]))
net(np.ones([4, 6]))
tf.saved_model.save(net, "saved")
""",
        """\
# Somebody else may have run it first.
import tensorflow as tf
from tensorflow import keras
from trainers import train

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)

net = Net()
train(net)
tf.saved_model.save(net, "saved")
""",
        """\
# The one signed method becomes `serving_default` by itself.
import tensorflow as tf

class Scale(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def serve(self, x):
        return x * 2.0

tf.saved_model.save(Scale(), "saved")
""",
        """\
# The function is attached from outside.
import tensorflow as tf

class Holder(tf.Module):
    pass

holder = Holder()
holder.serve = tf.function(lambda x: x * 2.0, input_signature=[tf.TensorSpec([None])])
tf.saved_model.save(holder, "saved")
""",
        """\
# `save` of something that is no model.
import tensorflow as tf
from PIL import Image

image = Image.open("a.png")
image.save("b.png")
tf.io.write_file("c", "d")
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each call that saves for serving, in the order of the scopes."""
        for flow in module.scopes:
            for save in flow.all(SaveCall):
                if save.how == "saved_model" and not save.arguments.is_open:
                    yield from self._saved(module, flow, save)
                elif save.how == "endpoint":
                    yield from self._endpoint(module, save)

    def _saved(self, module: ModuleModel, flow: Flow, save: SaveCall) -> Iterator[Finding]:
        given = save.arguments.get(2, "signatures")
        if given is not None and given.value != Const(None):
            yield from self._refused(module, save, given)
            return
        cls = _saved_class(module, save)
        if cls is None:
            return
        signed = saving.signed_functions(cls)
        if cls.kind is Kind.MODULE:
            # Of exactly one signed function TensorFlow makes `serving_default` by itself.
            if not _is_given_functions(module, save) and len(signed) != 1:
                yield self._module_unsigned(module, cls, save, len(signed))
            return
        if saving.builds_itself(cls):
            return
        first, contact = saving.first_contact(flow, save)
        if first is FirstContact.NEVER and len(signed) != 1:
            yield self._never_run(module, cls, save)
        elif first is FirstContact.EAGER and module.keras is Keras.V3 and contact is not None:
            yield self._frozen(module, cls, save, contact)

    def _frozen(
        self, module: ModuleModel, cls: KerasClass, save: SaveCall, contact: Contact
    ) -> Finding:
        return self.finding(
            module,
            save.node,
            f"`{cls.name}` is saved without `signatures=`, with the batch size of its first call",
            variant="frozen-batch",
            severity=Severity.WARNING,
            note="records that batch size, and float32",
            labels=[(contact.node, "first run on a batch here")],
            fix=_pass_signature(module, cls, save, contact),
        )

    def _never_run(self, module: ModuleModel, cls: KerasClass, save: SaveCall) -> Finding:
        return self.finding(
            module,
            save.node,
            f"`{cls.name}` is saved before it was ever run, without any signature",
            variant="never-run",
            severity=Severity.WARNING,
            note="no input shape is known here",
            fix=Fix("run the model once before, or pass `signatures=`", Safety.DISPLAY),
        )

    def _module_unsigned(
        self, module: ModuleModel, cls: KerasClass, save: SaveCall, signed: int
    ) -> Finding:
        place: list[tuple[cst.CSTNode, str]] = []
        fix = None
        if signed:
            what = f"{signed} functions with an `input_signature`, of which none is chosen"
            cure = "pass the one to serve as `signatures=`"
        else:
            what = "no method with an `input_signature`"
            cure = "decorate a method with `@tf.function(input_signature=[tf.TensorSpec(...)])`"
            fix = _sign_method(module, cls)
            traced = [t for t in cls.traced.values() if t.signature is None]
            place = [(t.expression, "an `input_signature` goes here") for t in traced[:1]]
        return self.finding(
            module,
            save.node,
            f"`{cls.name}` has {what}; it is saved without any signature",
            variant="module-ambiguous" if signed else "module",
            severity=Severity.WARNING,
            note="no signature is written",
            labels=place,
            fix=fix or Fix(cure, Safety.DISPLAY),
        )

    def _refused(self, module: ModuleModel, save: SaveCall, given: Argument) -> Iterator[Finding]:
        for value, node in _functions(given):
            kind = saving.bundle(module, value)
            if kind in _REFUSED:
                yield self.finding(
                    module,
                    node,
                    f"`signatures=` is given {_REFUSED[kind]}, which cannot be saved",
                    variant=_variant(kind),
                    note="needs an `input_signature`",
                    labels=_definition(module, value),
                    fix=_sign(module, save, value, node, kind),
                )

    def _endpoint(self, module: ModuleModel, save: SaveCall) -> Iterator[Finding]:
        function = save.arguments.get(1, "fn")
        signature = save.arguments.get(2, "input_signature")
        if function is None or save.arguments.is_open:
            return
        if signature is not None and isinstance(signature.value, Spec):
            yield self._bare_spec(module, signature)
        elif signature is None:
            kind = saving.bundle(module, function.value)
            if kind in _REFUSED or isinstance(function.value, Concrete):
                yield self._unsigned_endpoint(module, save, function)

    def _bare_spec(self, module: ModuleModel, signature: Argument) -> Finding:
        node = signature.node.value
        edit = rewrite.replace(module, node, f"[{module.text(node)}]")
        return self.finding(
            module,
            node,
            "`add_endpoint` is given a bare spec where it takes a list of them",
            variant="bare-spec",
            note="one spec, not a list",
            fix=Fix("put the spec into a list", Safety.SAFE, (edit,)),
        )

    def _unsigned_endpoint(
        self, module: ModuleModel, save: SaveCall, function: Argument
    ) -> Finding:
        return self.finding(
            module,
            save.node,
            "`add_endpoint` is given no `input_signature`, and a function that carries none",
            variant="endpoint",
            note="needs an `input_signature`",
            labels=_definition(module, function.value),
            fix=Fix("pass `input_signature=[tf.TensorSpec(...)]`", Safety.DISPLAY),
        )


def _sign_method(module: ModuleModel, cls: KerasClass) -> Fix | None:
    """A signature for the one `tf.function` of a tf.Module, by how the file calls it."""
    if len(cls.traced) != 1:
        return None
    ((name, traced),) = cls.traced.items()
    how = "call" if name == "__call__" else name
    contacts = (contact for contact in saving.contacts_of(module, cls) if contact.how == how)
    spec = saving.input_spec(contacts)
    written = serving.signature(module, spec) if spec is not None else None
    return _add_signature(module, traced, written) if written is not None else None


def _add_signature(
    module: ModuleModel, traced: Traced, written: tuple[str, str, tuple[Edit, ...]]
) -> Fix:
    """Give a `tf.function`, a decorator or a call, its `input_signature`."""
    _, specs, imports = written
    node = traced.expression
    argument = f"input_signature={specs}"
    if getattr(node, "args", None) is None:
        edit = rewrite.replace(module, node, f"{module.text(node)}({argument})")
    else:
        edit = rewrite.add_argument(module, cast("cst.Call", node), argument)
    return Fix("give it an `input_signature`", Safety.UNSAFE, (*imports, edit), _ONE_CALL)


def _saved_class(module: ModuleModel, save: SaveCall) -> KerasClass | None:
    """The class of the saved object, for subclassed models and tf.Modules of the file."""
    receiver = save.receiver
    if not isinstance(receiver, Instance) or receiver.outline is None:
        return None
    cls = module.class_of(receiver)
    return cls if cls is not None and cls.kind in {Kind.MODEL, Kind.MODULE} else None


def _is_given_functions(module: ModuleModel, save: SaveCall) -> bool:
    """Whether somebody sets attributes on the object from outside, such as functions."""
    return any(
        isinstance(save.receiver, Instance) and store.owner.node is save.receiver.node
        for flow in module.scopes
        for store in flow.all(ObjectStore)
    )


def _functions(given: Argument) -> Iterator[tuple[Value, cst.CSTNode]]:
    """The functions of a `signatures=` argument, each with its node."""
    if not isinstance(given.value, Table):
        yield given.value, given.node.value
        return
    written = getattr(given.node.value, "elements", ())
    if len(written) == len(given.value.items):
        for (_, value), element in zip(given.value.items, written, strict=True):
            yield value, element.value
    else:
        for _, value in given.value.items:
            yield value, given.node.value


def _variant(kind: Bundle) -> str:
    return {Bundle.PLAIN: "plain-function", Bundle.UNSIGNED: "unsigned", Bundle.OBJECT: "object"}[
        kind
    ]


def _definition(module: ModuleModel, value: Value) -> list[tuple[cst.CSTNode, str]]:
    """Where the refused function is defined, if it has a name."""
    if isinstance(value, Function) and value.name != "<lambda>":
        return [(getattr(value.node, "name", value.node), "not wrapped by `tf.function`")]
    if isinstance(value, Member) and isinstance(value.owner, Instance) and value.owner.outline:
        method = value.owner.outline.method(value.name)
        if method is not None:
            return [(method.name, "this method")]
    return []


def _pass_signature(
    module: ModuleModel, cls: KerasClass, save: SaveCall, contact: Contact
) -> Fix | None:
    spec = saving.input_spec([contact]) or serving.class_spec(module, cls)
    if spec is not None:
        return serving.signature_argument(module, save, spec)
    return _export(module, save)


def _export(module: ModuleModel, save: SaveCall) -> Fix | None:
    """`model.export(path)` in the place of `tf.saved_model.save(model, path)`."""
    model, path = save.arguments.get(0, "obj"), save.arguments.get(1, "export_dir")
    if model is None or path is None or len(save.arguments.items) != 2:
        return None
    text = f"{module.text(model.node.value)}.export({module.text(path.node.value)})"
    return Fix(
        "export the model, which leaves the batch free",
        Safety.UNSAFE,
        (rewrite.replace(module, save.node, text),),
        _EXPORT_REASON,
    )


def _sign(
    module: ModuleModel, save: SaveCall, value: Value, node: cst.CSTNode, kind: Bundle
) -> Fix:
    """Wrap a refused function by `tf.function` with the signature that the file tells."""
    shown = Fix("pass `tf.function(..., input_signature=[tf.TensorSpec(...)])`", Safety.DISPLAY)
    cls = _saved_class(module, save)
    spec = serving.class_spec(module, cls) if cls is not None else None
    written = serving.signature(module, spec) if spec is not None else None
    if written is None:
        return shown
    if isinstance(value, Traced) and value.expression is node:
        return _add_signature(module, value, written)
    if kind is Bundle.UNSIGNED:
        return shown
    function, specs, imports = written
    text = f"{function}({module.text(node)}, input_signature={specs})"
    return Fix(
        "give it an `input_signature`",
        Safety.UNSAFE,
        (*imports, rewrite.replace(module, node, text)),
        _ONE_CALL,
    )
