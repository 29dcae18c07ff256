"""SVL111 unservable-output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.frozen import frozen
from savelint.keras import clues, saving
from savelint.keras.events import Flow, LayerCall, Returned, SaveCall
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Kind
from savelint.keras.values import (
    Const,
    Instance,
    Member,
    SelfValue,
    Seq,
    Shape,
    Table,
    Traced,
    Value,
    dimensions,
)
from savelint.rule import Example, Rule, Way, Witness

if TYPE_CHECKING:
    import libcst as cst

_NET = """\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

"""
_DATACLASS = """\
from dataclasses import dataclass

import tensorflow as tf
from tensorflow import keras


@dataclass
class Output:
    logits: tf.Tensor


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return {answer}


net = Net()
net(tf.zeros([1, 6]))
net.export("saved")
"""
_SIGNED = """\
import tensorflow as tf
from tensorflow.keras import Model, layers


class Net(Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.score = layers.Dense(1)
        self.embed = layers.Dense(3)

    def call(self, x):
        return self.score(x), self.embed(x)

    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])
    def serve(self, x):
        score, embedding = self(x)
{answer}


net = Net()
net(tf.zeros([1, 6]))
tf.saved_model.save(net, "saved", signatures={{"serving_default": net.serve}})
"""
_FUNCTION = (
    _NET
    + """\
    def call(self, inputs):
        return self.dense(inputs)


net = Net()
net(tf.zeros([1, 6]))


@tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])
def serve(inputs):
    return {answer}


tf.saved_model.save(net, "saved", signatures=serve)
"""
)
_WAYS = (Way.CALL, Way.KERAS)
_RAISES = {
    keras: {Way.SAVED_MODEL: "ValueError|TypeError", Way.EXPORT: "ValueError|TypeError"}
    for keras in Keras
}
_SCRIPT = (Way.RUN, Way.SAVED_MODEL)


class UnservableOutput(Rule):
    """What `call` or a signature returns cannot be the output of a signature.

    Consequence: a signature answers with tensors by name: one tensor, or a flat list, tuple
    or dictionary of them. None, a static shape, a dataclass, a key that is no string raise
    in `export` and `tf.saved_model.save`; so does what is nested, but for the `call` of a
    Keras 2 model, which `tf.saved_model.save` flattens. Calling, `fit` and `.keras` work.

    Silent: Layers; a Model that is only a part of other classes of the file, that is saved
    in the file only in other ways, or that has a signature method of its own; a `call` of
    which some path returns what can be served; tuples, named tuples, flat dictionaries,
    numbers, strings.

    Fix: a nested dictionary that a signature returns is flattened, its keys joined by `_`
    (unsafe: clients find the outputs under these names). The rest is only shown.
    """

    code = "SVL111"
    name = "unservable-output"
    since = "0.1"
    severity = {Keras.V3: Severity.ERROR, Keras.V2: Severity.ERROR}
    mentions = ("call", "saved_model", "add_endpoint")
    clues = (frozenset({clues.MODEL, "saved_model", "save", "add_endpoint"}),)
    examples = (
        Example(
            variant="nothing",
            bad=_NET
            + """\
    def call(self, inputs):
        self.outputs_ = self.dense(inputs)
""",
            at="call",
            good=_NET
            + """\
    def call(self, inputs):
        return self.dense(inputs)
""",
            witness=Witness(build="Net()", ways=_WAYS, fails=_RAISES),
            fixed=False,
        ),
        Example(
            variant="none",
            bad=_NET
            + """\
    def call(self, inputs):
        state = None
        return self.dense(inputs), state
""",
            at="return self.dense(inputs), state",
            good=_NET
            + """\
    def call(self, inputs):
        return self.dense(inputs)
""",
            witness=Witness(build="Net()", ways=_WAYS, fails=_RAISES),
            fixed=False,
        ),
        Example(
            variant="key",
            bad=_NET
            + """\
    def call(self, inputs):
        outputs = {0: self.dense(inputs), 1: inputs}
        return outputs
""",
            at="return outputs",
            good=_NET
            + """\
    def call(self, inputs):
        outputs = {"0": self.dense(inputs), "1": inputs}
        return outputs
""",
            witness=Witness(build="Net()", ways=_WAYS, fails=_RAISES),
            fixed=False,
        ),
        Example(
            variant="shape",
            bad=_NET
            + """\
    def call(self, inputs):
        x = self.dense(inputs)
        return x, x.shape
""",
            at="return x, x.shape",
            good=_NET
            + """\
    def call(self, inputs):
        x = self.dense(inputs)
        return x, tf.shape(x)
""",
            witness=Witness(
                build="Net()",
                ways=_WAYS,
                fails={keras: {Way.EXPORT: "TypeError"} for keras in Keras},
            ),
            fixed=False,
        ),
        Example(
            variant="dataclass",
            bad=_DATACLASS.format(answer="Output(logits=self.dense(inputs))"),
            at="return Output(logits=self.dense(inputs))",
            good=_DATACLASS.format(answer='{"logits": self.dense(inputs)}'),
            witness=Witness(
                build="net",
                ways=_SCRIPT,
                saved="saved",
                fails={keras: {Way.RUN: "TypeError"} for keras in Keras},
            ),
            fixed=False,
        ),
        Example(
            variant="nested",
            bad=_NET
            + """\
    def call(self, inputs):
        x = self.dense(inputs)
        return x, (inputs, x + 1.0)
""",
            at="return x, (inputs, x + 1.0)",
            good=_NET
            + """\
    def call(self, inputs):
        x = self.dense(inputs)
        return x, inputs, x + 1.0
""",
            witness=Witness(
                build="Net()",
                ways=_WAYS,
                fails={
                    Keras.V3: {Way.EXPORT: "ValueError", Way.SAVED_MODEL: "ValueError"},
                    Keras.V2: {Way.EXPORT: "ValueError"},
                },
            ),
            fixed=False,
        ),
        Example(
            variant="signature-nested",
            bad=_SIGNED.format(
                answer="""\
        return {
            "outputs": {"score": score},  # the first head
            "embedding": embedding,
        }"""
            ),
            at="""\
return {
            "outputs": {"score": score},  # the first head
            "embedding": embedding,
        }""",
            good=_SIGNED.format(
                answer="""\
        return {
            "outputs_score": score,  # the first head
            "embedding": embedding,
        }"""
            ),
            witness=Witness(
                build="net",
                ways=_SCRIPT,
                saved="saved",
                fails={keras: {Way.RUN: "ValueError"} for keras in Keras},
            ),
        ),
        Example(
            variant="signature",
            bad=_FUNCTION.format(answer='{"scores": net(inputs), "error": None}'),
            at='return {"scores": net(inputs), "error": None}',
            good=_FUNCTION.format(answer='{"scores": net(inputs)}'),
            witness=Witness(
                build="net",
                ways=_SCRIPT,
                saved="saved",
                fails={keras: {Way.RUN: "ValueError"} for keras in Keras},
            ),
            fixed=False,
        ),
    )
    silent = (
        """\
# Flat lists, tuples, named tuples and dictionaries are named one by one.
import collections
from typing import NamedTuple
import tensorflow as tf
from tensorflow import keras

class Pair(NamedTuple):
    a: tf.Tensor
    b: tf.Tensor

class Tuples(keras.Model):
    def call(self, inputs):
        return inputs, [1.0, "a"][0], 3

class Named(keras.Model):
    def call(self, inputs):
        return Pair(inputs, inputs)

class Ordered(keras.Model):
    def call(self, inputs):
        return collections.OrderedDict(a=inputs, b=tf.shape(inputs))

class Keyed(keras.Model):
    def call(self, inputs):
        return {"a": inputs, "b": inputs.shape[-1]}
""",
        """\
# A Layer is not served, and a Model inside another one is not either.
from tensorflow import keras

class Norm(keras.layers.Layer):
    def call(self, inputs):
        return inputs, (inputs, None)

class Encoder(keras.Model):
    def call(self, inputs):
        return inputs, [inputs, inputs]

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.encoder = Encoder()

    def call(self, inputs):
        return self.encoder(inputs)[0]
""",
        """\
# Saved, in this file, only where Keras itself reads it back.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def call(self, inputs):
        return inputs, (inputs, inputs)

net = Net()
net(tf.zeros([4, 6]))
net.save("net.keras")
""",
        """\
# Another path returns what can be served; the caller chooses.
from tensorflow import keras

class Net(keras.Model):
    def __init__(self, features=False, **kwargs):
        super().__init__(**kwargs)
        self.features = features

    def call(self, inputs, training=False, return_dict=False):
        if self.features:
            return inputs, [inputs, inputs]
        if return_dict:
            return {"a": {"b": inputs}}
        if inputs is None:
            return None
        return inputs

    def get_config(self):
        config = super().get_config()
        config.update({"features": self.features})
        return config
""",
        """\
# An interface: its subclasses return something.
from tensorflow import keras

class Base(keras.Model):
    def call(self, inputs):
        raise NotImplementedError

class Empty(keras.Model):
    def call(self, inputs):
        \"\"\"Override this.\"\"\"

class Passed(keras.Model):
    def call(self, inputs):
        pass
""",
        """\
# It is served by its own method, with a flat answer.
import tensorflow as tf
from tensorflow import keras

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs), [inputs, inputs]

    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])
    def serve(self, inputs):
        return {"scores": self(inputs)[0]}
""",
        """\
# Only in training, which is never served.
from tensorflow import keras

class Net(keras.Model):
    def call(self, inputs, training=False):
        if training:
            return inputs, (inputs, None)
        return inputs
""",
        """\
# What is in these containers is not known.
from tensorflow import keras

class Net(keras.Model):
    def __init__(self, blocks, names, **kwargs):
        super().__init__(**kwargs)
        self.blocks = blocks
        self.names = names

    def call(self, inputs):
        outputs = {}
        for name, block in zip(self.names, self.blocks):
            outputs[name] = block(inputs)
        return outputs

    def get_config(self):
        config = super().get_config()
        config.update({"blocks": self.blocks, "names": self.names})
        return config
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """What the models of the file return, then what its signatures do."""
        for cls in module.classes:
            if cls.kind is Kind.MODEL and "call" in cls.outline.methods:
                yield from self._called(module, cls)
        for save in (save for flow in module.scopes for save in flow.all(SaveCall)):
            for value in saving.signatures(save):
                yield from self._signed(module, value)

    def _called(self, module: ModuleModel, cls: KerasClass) -> Iterator[Finding]:
        flow = cls.flow("call")
        found = _first_fault(flow)
        if found is None or not _is_served(module, cls):
            return
        returned, fault = found
        node = returned.node
        if fault.variant == "none" and returned.value == Const(None):
            if not any(True for _ in flow.all(LayerCall)):
                return  # an interface
            fault = _Fault("nothing", "nothing")
        yield self.finding(
            module,
            getattr(node, "name", node),
            f"`{cls.name}.call` returns {fault.what}, which cannot be served",
            variant=fault.variant,
            severity=Severity.WARNING if fault.variant == "nested" else None,
            note="not a flat structure of tensors",
            fix=Fix(_CURES[fault.variant], Safety.DISPLAY),
        )

    def _signed(self, module: ModuleModel, value: Value) -> Iterator[Finding]:
        name, flow = _flow_of(module, value)
        found = _first_fault(flow) if flow is not None else None
        if found is None:
            return
        returned, fault = found
        edits = _flattened(module, returned) if fault.variant == "nested" else None
        yield self.finding(
            module,
            getattr(returned.node, "name", returned.node),
            f"the signature `{name}` returns {fault.what}, which cannot be served",
            variant="signature-nested" if fault.variant == "nested" else "signature",
            note="not a flat structure of tensors",
            fix=Fix("flatten the dictionary", Safety.UNSAFE, edits, _RENAMED)
            if edits
            else Fix(_CURES[fault.variant], Safety.DISPLAY),
        )


_CURES = {
    "nothing": "return the outputs",
    "none": "leave None out, or return a tensor in its place",
    "key": "make the keys strings",
    "shape": "return `tf.shape(...)`, a tensor",
    "dataclass": "return a dictionary or a named tuple of tensors",
    "nested": "return a flat tuple or dictionary",
}
_RENAMED = "clients find these outputs under the joined names"


@frozen
class _Fault:
    """Why a value cannot be served."""

    variant: str
    what: str


def _is_served(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether the outputs of `call` may become those of a signature."""
    if module.is_part(cls):
        return False
    if any(other is not cls and cls.outline in other.outline.lineage for other in module.classes):
        return False  # a base class
    if saving.signed_functions(cls):
        return False
    saves = [s for flow in module.saving_scopes(cls) for s in flow.all(SaveCall) if s.is_whole]
    own = [
        s for s in saves if isinstance(s.receiver, Instance) and s.receiver.outline is cls.outline
    ]
    exporting = [s for s in own if s.how == "export" or not any(saving.signatures(s))]
    return not own or any(s.how in {"export", "saved_model"} for s in exporting)


def _first_fault(flow: Flow) -> tuple[Returned, _Fault] | None:
    """The first return that cannot be served, if none that is served can be."""
    found: tuple[Returned, _Fault] | None = None
    for returned in flow.all(Returned):
        if returned.in_training:
            continue
        fault = _fault(returned.value)
        if fault is None:
            return None
        # What is always reached says more than an early way out.
        if found is None or not returned.sometimes:
            found = returned, fault
    return found


def _fault(value: Value) -> _Fault | None:
    if isinstance(value, Table):
        key = next(
            (k for k, _ in value.items if k is not None and not isinstance(k, (str, bytes))), ...
        )
        if key is not ...:
            return _Fault("key", f"a dictionary with the key `{key!r}`")
        return _first(item for _, item in value.items)
    if isinstance(value, Seq):
        # A list that a loop fills is known by examples only.
        return _first(value.items) if value.complete else None
    return _leaf(value)


def _first(items: Iterator[Value] | Sequence[Value]) -> _Fault | None:
    for item in items:
        if isinstance(item, (Seq, Table)):
            if isinstance(item, Seq) and any(True for _ in dimensions(item)):
                return _Fault("shape", "a static shape")
            kind = "dictionary" if isinstance(item, Table) else "list or tuple"
            return _Fault("nested", f"a {kind} inside another structure")
        fault = _leaf(item)
        if fault is not None:
            return fault
    return None


def _leaf(value: Value) -> _Fault | None:
    if value == Const(None):
        return _Fault("none", "None")
    if isinstance(value, Shape) and not value.dynamic:
        return _Fault("shape", "a static shape")
    if isinstance(value, Instance) and _is_dataclass(value):
        return _Fault("dataclass", f"the dataclass `{value.name}`")
    return None


def _is_dataclass(value: Instance) -> bool:
    outline = value.outline
    # One that derives from anything may be a dictionary, as the outputs of transformers are.
    if outline is None or value.kind is not None or outline.bases:
        return False
    for item in outline.node.decorators:
        decorator = getattr(item.decorator, "func", item.decorator)
        name = getattr(getattr(decorator, "attr", decorator), "value", "")
        if name == "dataclass":
            return True
    return False


def _flow_of(module: ModuleModel, value: Value) -> tuple[str, Flow | None]:
    """The name of a signature's function, and what it does when it is served."""
    function = value.function if isinstance(value, Traced) else value
    for served, flow in module.served:
        if served is function:
            return served.name, flow
    if isinstance(function, Member) and isinstance(function.owner, (Instance, SelfValue)):
        outline = function.owner.outline
        cls = next((c for c in module.classes if c.outline is outline), None)
        if cls is not None and function.name in cls.flows and function.name != "call":
            return f"{cls.name}.{function.name}", cls.flow(function.name)
    return "", None


def _flattened(module: ModuleModel, returned: Returned) -> tuple[Edit, ...] | None:
    """The dictionaries in a returned dictionary, put in its place item by item."""
    node = getattr(returned.node, "value", returned.node)
    items = _entries(module, node)
    if items is None:
        return None
    edits = []
    keys = []
    for name, element in items:
        inner = _entries(module, element.value)
        if inner is None:
            if type(element.value).__name__ in {"List", "Tuple", "Dict"}:
                return None
            keys.append(name)
            continue
        keys += [f"{name}_{key}" for key, _ in inner]
        quote = module.text(element.key)[-1]
        texts = [f"{quote}{name}_{key}{quote}: {module.text(e.value)}" for key, e in inner]
        if not texts or any("\n" in text or "#" in text for text in texts):
            return None
        if "\n" in module.text(element.value):
            return None
        edits.append(rewrite.replace(module, element, ", ".join(texts)))
    return tuple(edits) if edits and len(set(keys)) == len(keys) else None


def _entries(module: ModuleModel, node: object) -> list[tuple[str, cst.DictElement]] | None:
    """The entries of a dictionary display whose keys are plain strings."""
    if type(node).__name__ != "Dict":
        return None
    found = []
    for element in getattr(node, "elements", ()):
        key = getattr(element, "key", None)
        if key is None or type(key).__name__ != "SimpleString":
            return None
        text = module.text(key)
        if text[:1] not in {"'", '"'} or len(text) < 3 or text[1] == text[0]:
            return None
        if type(element.value).__name__ == "Dict" and element.value.lpar:
            return None
        found.append((text[1:-1], element))
    return found
