"""What `call` must not do, beyond the rules' examples: what is fixed and how, how grave it is."""

from __future__ import annotations

from textwrap import indent

import pytest

from keras_model import net
from savelint.analysis import analyse
from savelint.finding import Finding, Safety, Severity
from savelint.fixer import fix
from savelint.keras.generation import Keras
from savelint.rules import RULES
from savelint.source import Source


def findings(text: str, keras: Keras = Keras.V3) -> tuple[Finding, ...]:
    return analyse(Source("model.py", text), RULES, keras).findings


def fixed(body: str) -> str:
    """The body of `call` after all fixes."""
    source = Source("model.py", net(body))
    text = fix(source, lambda again: findings(again.text), unsafe=True).source.text
    lines = text.partition("def call(self, x):\n")[2].splitlines()
    return "\n".join(line[8:] for line in lines if line.strip())


FIXED = {
    "return x * 2 if tf.reduce_mean(x) > 0 else -x": "return tf.cond("
    "tf.reduce_mean(x) > 0, lambda: x * 2, lambda: -x)",
    "if tf.reduce_any(x > 0):\n    y = x\nelse:\n    y = -x\nreturn y": "y = tf.cond("
    "tf.reduce_any(x > 0), lambda: x, lambda: -x)\nreturn y",
    "if tf.reduce_any(x > 0): return x\nelse: return -x": "return tf.cond("
    "tf.reduce_any(x > 0), lambda: x, lambda: -x)",
    "y = x\nif tf.reduce_mean(x) > 0:\n    y = tf.nn.relu(y) * tf.reduce_mean(y) - 1.0\n"
    "return y": "y = x\ny = tf.cond(\n    tf.reduce_mean(x) > 0,\n"
    "    lambda: tf.nn.relu(y) * tf.reduce_mean(y) - 1.0,\n    lambda: y,\n)\nreturn y",
    "return np.exp(x)": "return tf.exp(x)",
    "return np.log1p(x)": "return tf.math.log1p(x)",
    "return np.sum(x, 1, keepdims=True)": "return tf.reduce_sum(x, 1, keepdims=True)",
    "return x - tf.reduce_mean(x).numpy()": "return x - tf.reduce_mean(x)",
}


@pytest.mark.parametrize(("body", "expected"), FIXED.items(), ids=FIXED)
def test_what_the_graph_can_say_is_written(body: str, expected: str) -> None:
    assert fixed(body) == expected


SHOWN = [
    "if tf.reduce_mean(x) > 0:\n    # double it\n    x = x * 2\nreturn x",
    "if tf.reduce_mean(x) > 0:\n    return x\nreturn -x",
    "if tf.reduce_mean(x):\n    x = x * 2\nreturn x",
    "if (y := tf.reduce_mean(x)) > 0:\n    x = x * 2\nreturn x",
    "if self.wide:\n    x = -x\nelif tf.reduce_mean(x) > 0:\n    x = x * 2\nreturn x",
    "if tf.reduce_mean(x) > 0:\n    x = 1\nelse:\n    x = 2\nreturn x",
    "if tf.reduce_mean(x) > 0:\n    x = tf.concat(\n        [x, x], 0\n    )\nreturn x",
    "if tf.reduce_mean(x) > 0:\n    x += 1\nreturn x",
    "while tf.reduce_mean(x) > 0:\n    x = x - 1\nreturn x",
    "return np.sum(x, dtype='float64')",
    "return np.exp(x, out=y)",
    "return np.exp(*[x])",
    "return np.fft.fft(x)",
    "return print(x.numpy())",
    "return float(tf.reduce_mean(x))",
]


@pytest.mark.parametrize("body", SHOWN)
def test_what_it_cannot_say_for_sure_is_left_to_the_reader(body: str) -> None:
    (finding,) = findings(net(body))
    assert finding.fix is not None
    assert finding.fix.safety is Safety.DISPLAY
    assert not finding.fix.edits


def test_what_one_condition_decides_is_mended_whole() -> None:
    asked = "tf.reduce_max(x) > 9"
    found = findings(net(f"a = 0 if {asked} else self.n\ny = x if {asked} else -x\nreturn y * a"))
    assert [f.fix.edits for f in found if f.fix] == [(), ()]


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("if tf.reduce_mean(x) > 0:\n    x = -x\nreturn x", Severity.WARNING),
        ("for _ in range(tf.shape(x)[1]):\n    x = -x\nreturn x", Severity.WARNING),
        ("assert tf.reduce_mean(x) > 0\nreturn x", Severity.ERROR),
        ("return [row for row in tf.nn.relu(x)]", Severity.ERROR),
        ("return x * float(tf.reduce_mean(x))", Severity.WARNING),
        ("return x * np.exp(x)", Severity.ERROR),
    ],
)
def test_keras_2_fails_less_where_autograph_converts(body: str, severity: Severity) -> None:
    text = net(body).replace("from keras import backend as K, layers, ops\n", "")
    assert [f.severity for f in findings(text, Keras.V2)] == [severity]
    assert [f.severity for f in findings(text, Keras.V3)] == [Severity.ERROR]


def test_one_condition_is_one_finding() -> None:
    body = "if tf.reduce_mean(x) > 0 and tf.reduce_max(x) < 1:\n    x = -x\nreturn x"
    (finding,) = findings(net(body))
    assert finding.code == "SVL105"


SERVED = """\
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = tf.keras.layers.Dense(3)

    def call(self, inputs):
        return self.inference(inputs)

    @tf.function(input_signature=[tf.TensorSpec([None, 6])])
    def {inference}:
{body}        return self.dense(inputs)
"""


@pytest.mark.parametrize(
    ("inference", "given"),
    [
        ("inference(self, inputs)", "inputs"),
        (
            "inference(\n        self, inputs: tf.Tensor = (), *, mode=None,\n    )",
            "inputs, mode=mode",
        ),
        ("inference(self, inputs) -> dict[str, int]", "inputs"),
    ],
)
@pytest.mark.parametrize("docstring", ["", '        """It serves."""\n'])
def test_a_helper_that_may_be_served_keeps_its_signature(
    inference: str, given: str, docstring: str
) -> None:
    """Who saves the model may name the method in `signatures=`."""
    text = SERVED.format(inference=inference, body=docstring)
    after = fix(Source("m.py", text), lambda source: findings(source.text), unsafe=True)
    expected = SERVED.format(
        inference=inference,
        body=f"{docstring}        return self._inference({given})\n\n    def _{inference}:\n",
    )
    assert after.source.text == expected.replace("self.inference(", "self._inference(")


@pytest.mark.parametrize(
    "inference",
    ["_run(self, inputs)", "inference(self, *inputs)", "inference(self, inputs, **_)"],
)
def test_a_helper_that_may_be_served_is_left_alone_where_it_is_not_plain(inference: str) -> None:
    name = inference.partition("(")[0]
    text = SERVED.format(inference=inference, body="").replace("self.inference", f"self.{name}")
    (finding,) = findings(text)
    assert finding.fix is not None and finding.fix.safety is Safety.DISPLAY


ASKS = """\
import tensorflow as tf

def in_tf_function():
    return tf is not None and not tf.executing_eagerly()

class Net(tf.keras.layers.Layer):
    def _use_tf(self):
        if in_tf_function():
            return True
        return not self.plain

    def _use_python(self):
        return not self._use_tf()

    def call(self, inputs):
        traced = tf.inside_function()
"""


@pytest.mark.parametrize(
    "body",
    [
        "if in_tf_function():\n    return inputs\nreturn inputs.numpy()",
        "if not self._use_tf():\n    return inputs.numpy()\nreturn inputs",
        "if self._use_tf():\n    return inputs\nreturn inputs.numpy()",
        "return inputs.numpy() if self._use_python() else inputs",
        "if traced:\n    return inputs\nelse:\n    return inputs.numpy()",
        "if not tf.executing_eagerly() and self.plain:\n    return inputs\nreturn inputs.numpy()",
    ],
)
def test_what_runs_eagerly_only_has_its_numbers(body: str) -> None:
    assert findings(ASKS + indent(body, " " * 8)) == ()


@pytest.mark.parametrize(
    "body",
    [
        "if in_tf_function():\n    return inputs.numpy()\nreturn inputs",
        "if self._use_tf():\n    return inputs.numpy()\nreturn inputs",
        "if self._use_python():\n    return inputs\nreturn inputs.numpy()",
        "return inputs.numpy() if traced else inputs",
        "if self.plain:\n    return inputs\nreturn inputs.numpy()",
    ],
)
def test_what_is_traced_has_none(body: str) -> None:
    assert [found.code for found in findings(ASKS + indent(body, " " * 8))] == ["SVL106"]


HELD = """\
import tensorflow as tf
import tf_keras as keras


class Gate(keras.layers.Layer):
    def call(self, inputs):
        if tf.reduce_mean(inputs) > 0:
            inputs = inputs * 2.0
        return inputs


class Stage(keras.{holder}):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.gate = Gate()

    def call(self, inputs):
        return self.gate(inputs)
"""


@pytest.mark.parametrize(
    ("holder", "keras", "codes"),
    [
        ("layers.Layer", Keras.V2, []),
        ("layers.Layer", Keras.V3, ["SVL105"]),
        ("Model", Keras.V2, ["SVL105"]),
    ],
)
def test_keras_2_saves_what_only_another_layer_holds(
    holder: str, keras: Keras, codes: list[str]
) -> None:
    """There AutoGraph reads it when the model is saved, but not right below a model."""
    found = findings(HELD.format(holder=holder), keras)
    assert [finding.code for finding in found if finding.code == "SVL105"] == codes


def test_a_list_is_repeated_by_a_number() -> None:
    """A tensor in its place would multiply what is in the list, without a word."""
    text = net("rows = x.shape[0]\nstart = [7] * rows\nreturn tf.fill([rows, 1], 7) + start")
    (finding,) = analyse(Source("m.py", text), RULES, Keras.V3).findings
    assert finding.code == "SVL103" and finding.fix is not None
    assert finding.fix.safety is Safety.DISPLAY


@pytest.mark.parametrize(
    ("body", "code"),
    [("x = tf.fill([x.shape[0], 6], 1.0)", "SVL103"), ("x = tf.constant(x.numpy())", "SVL106")],
)
def test_what_no_save_reaches_is_a_warning(body: str, code: str) -> None:
    """Saving calls a model on its input alone."""
    text = net(f"if whole:\n    {body}\nreturn x").replace("(self, x", "(self, x, whole=False")
    (finding,) = analyse(Source("m.py", text), RULES, Keras.V3).findings
    assert (finding.code, finding.severity) == (code, Severity.WARNING)


NAMED = """\
from keras import layers


class Net(layers.Layer):
    def __init__(self, rate, **kwargs):
        super().__init__(**kwargs)
        self.{own} = rate
        self.norm{mark}1 = self.norm{mark}2 = layers.Dense(6)
{made}
    def call(self, x):
        return {body}
"""


@pytest.mark.parametrize(
    ("own", "mark", "body", "names"),
    [
        ("rate", "", "x + {0}(x)", ["dense"]),
        ("dense", "", "x + {0}(x)", ["dense_layer"]),
        ("rate", "", "{0}(x) + {1}(x)", ["dense1", "dense2"]),
        ("rate", "_", "{0}(x) + {1}(x)", ["dense_1", "dense_2"]),
        ("dense1", "", "{0}(x) + {1}(x)", ["dense2", "dense3"]),
    ],
)
def test_a_layer_is_named_as_the_others_of_the_file(
    own: str, mark: str, body: str, names: list[str]
) -> None:
    def text(made: list[str], given: list[str]) -> str:
        lines = "".join(f"        self.{name} = layers.Dense(6)\n" for name in made)
        return NAMED.format(own=own, mark=mark, made=lines, body=body.format(*given))

    before = text([], ["layers.Dense(6)"] * len(names))
    after = fix(Source("m.py", before), lambda source: findings(source.text), unsafe=True)
    assert after.source.text == text(names, [f"self.{name}" for name in names])


def test_super_is_called_as_the_file_calls_it() -> None:
    text = (
        "from keras import layers\n\n\nclass A(layers.Layer):\n    def __init__(self):\n"
        "        {a}self.n = 1\n\n\nclass B(layers.Layer):\n    def __init__(self):\n"
        "        super({b}).__init__()\n"
    )
    for style in ("", "{}, self"):
        given = style.format("B")
        before = text.format(a="", b=given)
        after = fix(Source("m.py", before), lambda source: findings(source.text), unsafe=True)
        call = f"super({style.format('A')}).__init__()\n        "
        assert after.source.text == text.format(a=call, b=given)
