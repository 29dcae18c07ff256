"""What Python gives anew at each run of `call`, and where that meets a tensor."""

from __future__ import annotations

import pytest

from keras_model import call_flow, codes
from savelint import fix_source
from savelint.keras.events import FrozenRead

HEAD = """
import random
import time
from datetime import datetime

def jitter(x):
    return x * random.uniform(0.9, 1.1)
"""
METHODS = """
def __init__(self):
    super().__init__()
    self.dense = keras.layers.Dense(3)
    self.rng = np.random.default_rng(0)
    self.table = np.random.randn(3)
    self.n = 0

def tick(self):
    self.n += 1

def tock(self):
    self.n = self.n + 1
"""


def reads(body: str) -> list[str]:
    """The names of what is read anew, `?` behind those that decide, `!` if in training only."""
    flow = call_flow(body, parameters="x, training=None", methods=METHODS, head=HEAD)
    found = {
        read.reading.name + "?" * read.decides + "!" * read.in_training: None
        for read in flow.all(FrozenRead)
    }
    return list(found)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return x + np.random.randn(3)", ["numpy.random.randn"]),
        ("a = np.random.rand(3).astype('float32')\nreturn x * (a - 0.5)", ["numpy.random.rand"]),
        ("return x + self.rng.normal(size=3)", ["numpy.random.normal"]),
        ("a = np.random.rand(3) + np.ones(3)\nreturn tf.add(x, a)", ["numpy.random.rand"]),
        ("return tf.where(np.random.rand() < 0.5, x, -x)", ["numpy.random.rand"]),
        ("return self.dense(tf.constant(np.random.rand(1, 3)))", ["numpy.random.rand"]),
        ("return jitter(x)", ["random.uniform"]),
        ("return x[:, random.randint(0, 2) :]", ["random.randint"]),
        ("return tf.roll(x, int(random.random() * 3), axis=1)", ["random.random"]),
        ("return random.choice([tf.sin, tf.cos])(x)", ["random.choice"]),
        ("return x + time.time()", ["time.time"]),
        ("return x + tf.constant(time.time(), tf.float32)", ["time.time"]),
        ("self.w = np.random.randn(3)\nreturn x * self.w", ["numpy.random.randn"]),
        ("return x * datetime.now().hour", ["datetime.datetime.now"]),
        ("k = 1.0 if random.random() < 0.5 else 2.0\nreturn k * x", ["random.random"]),
        ("return x if random.random() < 0.5 else -x", ["random.random?"]),
        ("if random.random() < 0.5:\n    x = -x\nreturn x", ["random.random?"]),
        ("if not random.random() < 0.5:\n    return -x\nreturn x", ["random.random?"]),
        ("for b in c:\n    if random.random() < 0.5:\n        continue", ["random.random?"]),
        ("if training:\n    x = x + np.random.randn(3)\nreturn x", ["numpy.random.randn!"]),
        ("if not training:\n    return x\nreturn x + np.random.randn(3)", ["numpy.random.randn!"]),
        (
            "if training in (None, False):\n    return x\nreturn x + np.random.randn(3)",
            ["numpy.random.randn!"],
        ),
        ("if training is True:\n    x = x + np.random.randn(3)", ["numpy.random.randn!"]),
        (
            "if training is None:\n    return x\nreturn x + np.random.randn(3)",
            ["numpy.random.randn"],
        ),
        ("if training and random.random() < 0.5:\n    x = -x\nreturn x", ["random.random?!"]),
        ("self.n += 1\nreturn x * self.n", ["n"]),
        ("self.n += 1\nif self.n > 3:\n    x = -x\nreturn x", ["n?"]),
        ("self.n = self.n + 1\nreturn x * self.n", ["n"]),
    ],
)
def test_what_is_read_anew_meets_a_tensor(body: str, expected: list[str]) -> None:
    assert reads(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        "return x + self.table",
        "return x + np.random.RandomState(0).randn(3)",
        "np.random.seed(1)\nreturn x + np.random.randn(3)",
        "random.seed(1)\nreturn x + random.random()",
        "start = time.time()\nprint(time.time() - start)\nreturn x",
        "tf.print(time.time())\nreturn x",
        "if random.random() < 0.1:\n    print('now')\nreturn x",
        "if tf.executing_eagerly():\n    x = x + np.random.randn(3)\nreturn x",
        "return x + tf.random.normal([3], seed=random.randint(0, 9))",
        "return tf.py_function(lambda a: a + np.random.randn(3), [x], tf.float32)",
        "self.m += 1\nreturn x * self.m",
        "if self.w is None:\n    self.w = tf.Variable(np.random.randn(6, 3))\nreturn x @ self.w",
        "if self.w is None:\n    self.w = tf.constant(np.random.randn(3))\nreturn x * self.w",
    ],
)
def test_what_is_not(body: str) -> None:
    assert reads(body) == []


def test_a_helper_s_return_in_training_ends_with_it() -> None:
    """What follows the call of a helper that returns early is served again."""
    helper = "def f(x, training):\n    if not training:\n        return x\n    return -x\n"
    flow = call_flow(
        "y = f(x, training)\nreturn y + np.random.randn(3)",
        parameters="x, training=None",
        head=helper,
    )
    assert [read.in_training for read in flow.all(FrozenRead)] == [False]


KERAS_ONLY = """\
import keras
import numpy as np


class Noise(keras.layers.Layer):
    def call(self, x):
        return x + {}
"""


@pytest.mark.parametrize(
    ("draw", "fixed"),
    [
        ("np.random.normal(size=(3,))", "keras.random.normal((3,))"),
        (
            "np.random.normal(1.0, scale=2.0, size=3)",
            "keras.random.normal([3], mean=1.0, stddev=2.0)",
        ),
        (
            "np.random.uniform(-1, 1, x.shape)",
            "keras.random.uniform(keras.ops.shape(x), minval=-1)",
        ),
        ("np.random.randn(*x.shape)", "keras.random.normal(keras.ops.shape(x))"),
        ("np.random.rand()", "keras.random.uniform([])"),
    ],
)
def test_a_file_without_tensorflow_draws_by_keras(draw: str, fixed: str) -> None:
    text = KERAS_ONLY.format(draw)
    assert fix_source(text, keras_version=3, unsafe=True) == KERAS_ONLY.format(fixed)


@pytest.mark.parametrize(
    "draw",
    [
        "np.random.normal(size=self.size)",
        "np.random.randn(x.shape[0], 3)",
        "np.random.normal(*self.given)",
        "np.random.poisson(3.0, size=3)",
        "np.random.rand(3).astype('float32')",
        "np.float32(np.random.rand())",
        "tf.constant(np.random.rand(3))",
    ],
)
def test_a_draw_that_no_operation_certainly_repeats_is_left(draw: str) -> None:
    text = KERAS_ONLY.format(draw).replace("import keras", "import keras\nimport tensorflow as tf")
    assert set(codes(text)) <= {"SVL103", "SVL108"}
    assert "random.normal(" not in fix_source(text, keras_version=3, unsafe=True).replace(draw, "")
