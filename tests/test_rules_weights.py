"""SVL201 and SVL202 beyond their examples: which uses allow which fix, and how it is written."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent, indent

import pytest

from savelint.analysis import analyse
from savelint.finding import Finding, Safety, Severity
from savelint.fixer import fix
from savelint.keras.generation import Keras
from savelint.rules import RULES
from savelint.source import Source

ARRAY = "np.random.randn(6, 3)"
VARIABLE = "tf.Variable(tf.ones((6, 3)))"
HEAD = "import numpy as np\nimport tensorflow as tf\nfrom tensorflow import keras\n"


def layer(value: str, call: str = "return x @ self.w", head: str = HEAD, before: str = "") -> str:
    """A file with one layer; `value` is given to `self.w`."""
    body = indent(dedent(call), " " * 8)
    first = f"        {before}\n" if before else ""
    return (
        f"{head}\n\nclass Net(keras.layers.Layer):\n"
        f"    def __init__(self, units, data=None, **kwargs):\n{first}"
        f"        super().__init__(**kwargs)\n        self.w = {value}\n\n"
        f"    def call(self, x):\n{body}\n"
    )


def findings(text: str, keras: Keras = Keras.V3) -> list[Finding]:
    rules = [rule for rule in RULES if rule.code in {"SVL201", "SVL202"}]
    return list(analyse(Source("net.py", text), rules, keras).findings)


def only(text: str, keras: Keras = Keras.V3) -> Finding:
    (finding,) = findings(text, keras)
    return finding


def safety(text: str) -> Safety:
    finding = only(text)
    assert finding.fix is not None
    return finding.fix.safety


def fixed(text: str, find: Callable[[str], list[Finding]] = findings) -> str:
    return fix(Source("net.py", text), lambda source: find(source.text), unsafe=True).source.text


def stored(text: str) -> str:
    """What a fixed layer gives to `self.w`, on one line."""
    after = fixed(text).partition("self.w = ")[2].partition("\n\n")[0]
    return " ".join(after.split()).replace("( ", "(").replace(", )", ")").replace(" )", ")")


# Measured in Keras 3.15 and tf_keras 2.21: what fails once an array, or a tf.Variable, has
# become a Keras variable.
@pytest.mark.parametrize(
    "use",
    [
        "x @ self.w.astype('float32')",
        "tf.matmul(x, self.w.T, transpose_b=True)",
        "x @ self.w.reshape((6, 3))",
        "x * self.w.sum()",
        "x @ np.abs(self.w)",
        "x @ tf.constant(self.w)",
        "x @ tf.stack([self.w, self.w])[0]",
        "x * len(self.w)",
        "x * float(self.w[0, 0])",
        "sum(x * row for row in self.w)",
    ],
)
def test_an_array_that_is_used_as_one_is_left_alone(use: str) -> None:
    assert safety(layer(ARRAY, f"return {use}")) is Safety.DISPLAY


@pytest.mark.parametrize(
    "use",
    [
        "x @ self.w.read_value()",
        "x @ self.w.value()",
        "x @ tf.ones(self.w.get_shape())",
        "self.w.scatter_nd_update([[0, 0]], [1.0]) @ x",
        "self.w.assign(self.w * 0.9, name='decay')",
        "x @ tf.stack([self.w, self.w])[0]",
        "tape.gradient(x, self.w)",
        "tf.cond(x, lambda: self.w.assign_add(x, use_locking=True), lambda: self.w)",
    ],
)
def test_a_variable_that_only_tensorflow_knows_is_left_alone(use: str) -> None:
    assert safety(layer(VARIABLE, f"return {use}")) is Safety.DISPLAY


@pytest.mark.parametrize(
    "use",
    [
        "x @ self.w",
        "tf.matmul(x, self.w)",
        "tf.gather(self.w, x) + self.w[0, :2]",
        "tf.einsum('bi,ij->bj', x, self.w[tf.newaxis])",
        "self.w.assign_add(self.w * 0.5)",
        "x @ tf.concat([self.w, self.w], 1) if self.w is not None else x",
        "self.w * tf.ones(self.w.shape, self.w.dtype)",
    ],
)
def test_a_variable_that_is_computed_with_becomes_a_weight(use: str) -> None:
    assert safety(layer(VARIABLE, f"return {use}")) is Safety.SAFE


@pytest.mark.parametrize("use", ["helper(x, self.w)", "(x, self.w)", "{'w': self.w}"])
def test_a_variable_that_leaves_the_class_becomes_one_on_demand(use: str) -> None:
    assert safety(layer(VARIABLE, f"return {use}")) is Safety.UNSAFE


@pytest.mark.parametrize(
    ("value", "weight"),
    [
        ("tf.Variable(0.0)", 'name="w", shape=(), initializer="zeros"'),
        (
            "tf.Variable(1)",
            'name="w", shape=(), initializer="ones", dtype="int32", trainable=False',
        ),
        (
            "tf.Variable(0.5, trainable=data)",
            'name="w", shape=(), initializer=keras.initializers.Constant(0.5), trainable=data',
        ),
        (
            'tf.Variable(tf.zeros([3, units]), False, name="a/b c:0")',
            'name="a_b_c_0", shape=[3, units], initializer="zeros", trainable=False',
        ),
        (
            "tf.Variable(tf.fill((units, 2), 0.1), constraint=tf.nn.relu)",
            'name="w", shape=(units, 2), initializer=keras.initializers.Constant(0.1),'
            " constraint=tf.nn.relu",
        ),
        (
            "tf.Variable(tf.random.truncated_normal([units, 3], stddev=0.1), dtype=tf.float32)",
            'name="w", shape=[units, 3],'
            " initializer=keras.initializers.TruncatedNormal(stddev=0.1)",
        ),
        (
            "tf.Variable(np.random.uniform(-1, 1, (units, 3)))",
            'name="w", shape=(units, 3),'
            " initializer=keras.initializers.RandomUniform(minval=-1.0, maxval=1.0),"
            ' dtype="float64"',
        ),
        (
            "tf.Variable(data, dtype=tf.float32)",
            'name="w", shape=np.shape(data), initializer=keras.initializers.Constant(data)',
        ),
    ],
)
def test_a_variable_keeps_what_it_was_given(value: str, weight: str) -> None:
    assert stored(layer(value)) == f"self.add_weight({weight})"


@pytest.mark.parametrize(
    ("value", "weight"),
    [
        (
            "np.random.rand(units) * 0.1",
            'name="w", shape=(units,),'
            " initializer=keras.initializers.RandomUniform(minval=0.0, maxval=0.1)",
        ),
        (
            "tf.constant(np.random.randn(6, units) / np.sqrt(6))",
            'name="w", shape=(6, units),'
            " initializer=keras.initializers.RandomNormal(stddev=1.0 / np.sqrt(6))",
        ),
        (
            "np.random.normal(2, 1.5, size=[units, 3])",
            'name="w", shape=[units, 3],'
            " initializer=keras.initializers.RandomNormal(mean=2.0, stddev=1.5)",
        ),
        (
            "keras.initializers.HeNormal()((units, 3))",
            'name="w", shape=(units, 3), initializer=keras.initializers.HeNormal()',
        ),
        (
            "np.random.laplace(size=(units, 3))",
            'name="w", shape=(units, 3),'
            " initializer=keras.initializers.Constant(np.random.laplace(size=(units, 3))),"
            " trainable=False",
        ),
    ],
)
def test_an_array_is_drawn_alike(value: str, weight: str) -> None:
    assert stored(layer(value)) == f"self.add_weight({weight})"


def test_an_array_of_unknown_shape_gets_a_name_first() -> None:
    after = fixed(layer("np.random.rand(units, 3)[1:].astype('float32')"))
    assert "        w = np.random.rand(units, 3)[1:].astype('float32')\n" in after
    assert "shape=w.shape," in after


@pytest.mark.parametrize(
    "value",
    [
        "np.random.permutation(units)",  # whole numbers: gathered by, or multiplied with?
        "make(units)",
        "np.random.choice(data, 3)",
    ],
)
def test_numbers_of_unknown_kind_are_left_alone(value: str) -> None:
    text = layer(value, "return tf.gather(x, self.w) * self.w")
    text += "\n\ndef make(n):\n    return np.random.poisson(size=(n, 3))\n"
    assert safety(text) is Safety.DISPLAY


def test_add_weight_needs_the_base_class() -> None:
    text = layer("None", before="self.w = tf.Variable(tf.ones((6, 3)))").replace(
        "        self.w = None\n", ""
    )
    assert safety(text) is Safety.DISPLAY


@pytest.mark.parametrize("value", ["tf.Variable('a')", "tf.Variable(lambda: tf.ones(3))"])
def test_what_no_weight_can_hold_is_left_alone(value: str) -> None:
    assert safety(layer(value)) is Safety.DISPLAY


def test_keras_itself_has_variables() -> None:
    head = "import keras\nimport tensorflow as tf\n"
    text = layer("tf.Variable(make(), dtype='float32', trainable=False)", head=head)
    assert stored(text) == "keras.Variable(make(), dtype='float32', trainable=False)"


@pytest.mark.parametrize(
    "keras",
    [
        "import tf_keras as keras",
        "from tensorflow import keras",
        "from .compat import keras",
        "try:\n    import tf_keras as keras\nexcept ImportError:\n    import keras",
    ],
)
def test_what_may_be_keras_2_has_no_variables(keras: str) -> None:
    text = layer("tf.Variable(make(), dtype='float32')", head=f"import tensorflow as tf\n{keras}\n")
    assert safety(text) is Safety.DISPLAY


@pytest.mark.parametrize(
    ("value", "call", "severity"),
    [
        ("tf.Variable(data, trainable=False)", "return x * self.w", Severity.NOTE),
        ("tf.Variable(data, trainable=units > 1)", "return x * self.w", Severity.WARNING),
        ("tf.Variable(data)", "return x * self.w", Severity.ERROR),
        (
            "tf.Variable(tf.random.normal([3]), trainable=False)",
            "return x * self.w",
            Severity.ERROR,
        ),
        (
            "tf.Variable(0.0, trainable=False)",
            "self.w.assign_add(1.0)\nreturn x * self.w",
            Severity.ERROR,
        ),
    ],
)
def test_what_cannot_have_changed_is_milder(value: str, call: str, severity: Severity) -> None:
    assert only(layer(value, call)).severity is severity


def test_keras_2_tracks_variables() -> None:
    assert not findings(layer(VARIABLE), Keras.V2)


def test_a_read_in_a_nested_function_counts() -> None:
    text = layer(VARIABLE, "return tf.cond(x[0, 0] > 0, lambda: x @ self.w, lambda: x)")
    assert only(text).labels[0].text == "`call` reads it"


def test_what_a_parent_stores_and_its_child_reads() -> None:
    base = HEAD + dedent(
        """
        class Base(keras.layers.Layer):
            def __init__(self):
                super().__init__()
                self.w = np.random.randn(6, 3)


        class Child(Base):
            def call(self, x):
                return x @ self.w
        """
    )
    assert "`self.w` of `Child`" in only(base).message


def test_an_attribute_of_a_helper_is_not_the_layers() -> None:
    text = HEAD + dedent(
        """
        class Helper:
            def __init__(self):
                self.w = 2.0

            def scale(self, x):
                return x * self.w


        class Net(keras.layers.Layer):
            def __init__(self):
                super().__init__()
                self.w = np.random.randn(6, 3)
                self.helper = Helper()

            def call(self, x):
                return self.helper.scale(x)
        """
    )
    assert not findings(text)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ("", '"w"'),
        ("NAMES = ['a', 'b']", "'w'"),
        ('NAMES = ["a", "b"]', '"w"'),
        # Neither what stands in a docstring, nor its quotes, nor an apostrophe is a string.
        ('def f():\n    """Say \'it\' isn\'t so, don\'t."""\n    return {"a": 1}', '"w"'),
        ('def f():\n    """One."""\n    return f(\'a\')', "'w'"),
    ],
)
def test_a_name_is_quoted_as_the_file_does(head: str, name: str) -> None:
    text = layer(VARIABLE, head=f"{HEAD}\n{head}\n")
    assert f"name={name}" in fixed(text)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("shape=(6,)", 'shape=(6,), name="w"'),
        ("shape=(6,),\n            trainable=False", ',\n            name="w"'),
        ("\n            shape=(6,), trainable=False", ', trainable=False, name="w"'),
        (f"\n            shape=(6,), regularizer={'n' * 50}", ',\n            name="w"'),
    ],
)
def test_a_name_is_added_where_it_fits(given: str, named: str) -> None:
    def unnamed(text: str) -> list[Finding]:
        rules = [rule for rule in RULES if rule.code == "SVL216"]
        return list(analyse(Source("net.py", text), rules, Keras.V2).findings)

    text = layer(f"self.add_weight({given})")
    assert f"{named})\n" in fixed(text, unnamed)


@pytest.mark.parametrize(
    ("base", "made", "expected"),
    [
        ("layers.Layer", '"w", (6, 3)', Safety.SAFE),
        ("layers.Layer", '"out/w", (6, 3)', Safety.DISPLAY),
        ("layers.Layer", '"w", (6, 3), aggregation=tf.VariableAggregation.MEAN', Safety.DISPLAY),
        ("metrics.Metric", '"w", initializer="zeros"', Safety.SAFE),
        ("metrics.Metric", '"w"', Safety.DISPLAY),
        ("metrics.Metric", '"w", shape=None, initializer="zeros"', Safety.DISPLAY),
    ],
)
def test_a_call_that_keras_3_refuses_all_the_same_is_only_shown(
    base: str, made: str, expected: Safety
) -> None:
    text = (
        f"import tensorflow as tf\nfrom tensorflow import keras\n\nclass Net(keras.{base}):\n"
        f"    def __init__(self, **kwargs):\n        super().__init__(**kwargs)\n"
        f"        self.w = self.add_weight({made})\n"
    )
    every = analyse(Source("net.py", text), RULES, Keras.V3).findings
    found = [finding for finding in every if finding.code == "SVL213"]
    assert [each.fix and each.fix.safety for each in found] == [expected]
