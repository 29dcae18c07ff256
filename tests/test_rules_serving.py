"""What SVL101 to SVL104 offer where real code was harder than their examples."""

from __future__ import annotations

import pytest

from savelint import check_source, fix_source
from savelint.finding import Finding, Safety

HEAD = """\
import numpy as np
import tensorflow as tf
from tensorflow import keras


"""


def found(text: str, keras: int = 3) -> list[Finding]:
    return list(check_source(HEAD + text, keras_version=keras))


def layer(*body: str) -> str:
    lines = "".join(f"        {line}\n" for line in body)
    return f"class Net(keras.layers.Layer):\n    def call(self, x):\n{lines}"


@pytest.mark.parametrize(
    ("value", "safety"),
    [
        ("tf.zeros((x.shape[0], 3))", Safety.SAFE),
        ("tf.ones(x.shape)", Safety.SAFE),
        # numpy takes no symbolic tensor, wherever its array then goes.
        ("tf.constant(np.zeros((x.shape[0], 3)), tf.float32)", Safety.DISPLAY),
        ("tf.constant(np.ones(x.shape), tf.float32)", Safety.DISPLAY),
        # A Python number is needed.
        ("sum(x[i] for i in range(x.shape[0]))", Safety.DISPLAY),
        ("x * x.shape[0]", Safety.DISPLAY),
    ],
)
def test_a_static_batch_size_is_replaced_where_a_tensor_will_do(value: str, safety: Safety) -> None:
    (finding,) = found(layer(f"return {value}"))
    assert finding.code == "SVL103"
    assert finding.fix is not None
    assert finding.fix.safety is safety


@pytest.mark.parametrize(
    "lines",
    [
        # Two batches behind each other: still unknown while tracing.
        ("y = tf.concat([x, x], axis=0)", "return tf.zeros([y.shape[0], 1])"),
        ("y = tf.signal.frame(x, 16, 8)", "return tf.reshape(y, [int(y.shape[0]), -1])"),
    ],
)
def test_the_batch_is_followed_through_operations_that_keep_it(lines: tuple[str, ...]) -> None:
    assert [finding.code for finding in found(layer(*lines))] == ["SVL103"]


def test_ops_beside_a_re_exported_keras_are_those_of_keras() -> None:
    text = """\
from mylib.backend import keras, ops


class Net(keras.Model):
    def call(self, x):
        return ops.tile(ops.ones((1, 3)), (ops.shape(x)[0], 1))
"""
    assert [f.code for f in check_source(text, keras_version=3)] == ["SVL101"]
    alone = text.replace("keras, ops", "ops").replace("\n\n", "\nimport keras\n\n", 1)
    assert check_source(alone, keras_version=3) == ()


SIGNED = """\
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])
    def call(self, x):
        return self.dense(x)
"""


def test_a_signature_stays_where_the_class_serves_call_itself() -> None:
    (free,) = found(SIGNED)
    (served,) = found(SIGNED + "\n    def signatures(self):\n        return {'a': self.call}\n")
    assert free.fix is not None
    assert served.fix is not None
    assert (free.fix.safety, served.fix.safety) == (Safety.UNSAFE, Safety.DISPLAY)


@pytest.mark.parametrize("test", ["training", "training and x is not None", "not training"])
def test_what_runs_in_training_only_is_not_reported(test: str) -> None:
    branches = ("return x + tf.fill(x.shape, 0.5)", "return x")
    body, other = branches if not test.startswith("not") else reversed(branches)
    text = layer(f"if {test}:", f"    {body}", "else:", f"    {other}")
    assert found(text.replace("(self, x)", "(self, x, training=False)")) == []


def test_a_tf_function_given_to_signatures_gets_the_signature_that_the_file_tells() -> None:
    text = (
        SIGNED.replace(
            "    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])\n", ""
        )
        + "\n\n\nnet = Net()\nnet(tf.ones([4, 6]))\n"
        + "tf.saved_model.save(net, 'p', signatures=tf.function(net))\n"
    )
    (finding,) = found(text)
    assert finding.fix is not None
    fixed = fix_source(HEAD + text, keras_version=3, unsafe=True)
    specs = "input_signature=[tf.TensorSpec([None, 6], tf.float32)]"
    assert f"signatures=tf.function(\n        net,\n        {specs},\n    ),\n" in fixed
    assert check_source(fixed, keras_version=3) == ()


def test_a_reshape_in_a_model_that_cannot_be_saved_at_all_is_no_matter() -> None:
    text = """\
class Net(keras.Model):
    def call(self, a, b):
        return tf.reshape(a, [tf.shape(a)[0], 2, 3]) + b
"""
    assert [finding.code for finding in found(text)] == ["SVL109"]


FLAGGED = """\
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs, {parameters}):
        return self.dense(inputs, training=training)
"""


@pytest.mark.parametrize(
    ("parameters", "after"),
    [
        ("training", "training=None"),
        ("training: bool", "training: bool = False"),
        ("training: Optional[bool]", "training: Optional[bool] = None"),
        ("*, training", "*, training=None"),
        ("training, mask", "training=None, mask=None"),
        # A parameter with a default cannot stand before one without.
        ("training, depth: int", "training, depth: int"),
    ],
)
def test_training_gets_a_default_where_it_can_stand(parameters: str, after: str) -> None:
    text = HEAD + FLAGGED.format(parameters=parameters)
    fixed = fix_source(text, unsafe=True, keras_version=3)
    assert fixed == HEAD + FLAGGED.format(parameters=after)


@pytest.mark.parametrize(
    ("head", "annotated", "added"),
    [
        ("from typing import Optional\nx: Optional[int] = 1\n", "Optional[tf.Tensor]", ""),
        ("import typing as t\nx: t.Optional[int] = 1\n", "t.Optional[tf.Tensor]", ""),
        ("x: int | None = 1\n", "tf.Tensor | None", ""),
        ("from __future__ import annotations\n", "tf.Tensor | None", ""),
        ("from typing import Dict, Tuple\n", "Optional[tf.Tensor]", "Dict, Optional, Tuple"),
        ("from typing import Dict, List\n", "Optional[tf.Tensor]", "Dict, List, Optional"),
        ("", "typing.Optional[tf.Tensor]", "import typing\n"),
    ],
)
def test_a_default_of_none_is_annotated_as_the_file_does(
    head: str, annotated: str, added: str
) -> None:
    text = head + HEAD + FLAGGED.format(parameters="training: tf.Tensor, mask: tf.Tensor")
    fixed = fix_source(text, unsafe=True, keras_version=3)
    assert f"training: {annotated} = None" in fixed
    assert f"mask: {annotated} = None" in fixed
    assert fixed.count(added) == 1 or not added


OTHERS = """\
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, a, b):
        return self.dense(a) + self.dense(b)


net = Net()
net(a, b)
"""


@pytest.mark.parametrize(
    ("use", "codes"),
    [
        ("net.export('served')", ["SVL109"]),
        ("net.export('served', input_signature=[SPEC, SPEC])", []),
        ("net.save('net.keras')", ["SVL109"]),
    ],
)
def test_several_tensors_can_be_exported_with_a_signature(use: str, codes: list[str]) -> None:
    assert [finding.code for finding in found(OTHERS + use + "\n")] == codes


def test_a_model_that_the_file_never_makes_may_be_a_part() -> None:
    made = OTHERS + "net.save('net.keras')\n"
    (warning,) = found(OTHERS.partition("\n\nnet")[0] + "\n")
    (error,) = found(made)
    assert (warning.severity.value, error.severity.value) == ("warning", "error")
