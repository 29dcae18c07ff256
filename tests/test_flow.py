"""Where values come from and where they go, through every way Python has of passing them.

`tensor 0` is a value computed from call's inputs whose batch stands on axis 0; `tensor ?`
one whose axes are not known; `?` is a value of which nothing is known.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_model import HEAD, call_flow, codes, keras_class, model, net, returned, told
from savelint.keras.events import (
    AttributeStore,
    Combination,
    Contact,
    Creation,
    LayerCall,
    NumberUse,
    OuterRead,
    PythonOperation,
    SaveCall,
    SelfContact,
    ShapeUse,
    Stack,
    SuperCall,
    SymbolicUnpacking,
    TensorRead,
    TensorTest,
    WeightCall,
)
from savelint.keras.values import Dim, Instance
from savelint.keras.walk import code

Told = dict[str, str]


def each(table: Told) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("body", "expected"), table.items(), ids=table)


# -- what a user sees: the batch size is found on whatever way it takes ----------------------

WAYS = {
    "straight": "return tf.reshape(x, [tf.shape(x)[0], 2, 3])",
    "name": "b = tf.shape(x)[0]\nreturn tf.reshape(x, [b, 2, 3])",
    "shape name": "s = tf.shape(x)\nreturn tf.reshape(x, [s[0], 2, 3])",
    "unpacked": "s = ops.shape(x)\nb, n = s\nreturn tf.reshape(x, [b, 2, 3])",
    "unstacked": "b, n = tf.unstack(tf.shape(x))\nreturn tf.reshape(x, [b, 2, 3])",
    "walrus": "return tf.reshape(x, [(b := tf.shape(x)[0]), 2, 3])",
    "arithmetic": "return tf.reshape(x, [tf.shape(x)[0] * 2, 3])",
    "if": "if training:\n    b = tf.shape(x)[0]\nelse:\n    b = tf.shape(x)[0]\n"
    "return tf.reshape(x, [b, 2, 3])",
    "early return": "if training:\n    return x\nreturn tf.reshape(x, [tf.shape(x)[0], 2, 3])",
    "for": "for layer in self.blocks:\n    x = tf.reshape(x, [tf.shape(x)[0], 2, 3])\nreturn x",
    "while": "while True:\n    x = tf.reshape(x, [tf.shape(x)[0], 2, 3])\nreturn x",
    "with": "with tf.name_scope('a'):\n    return tf.reshape(x, [tf.shape(x)[0], 2, 3])",
    "try": "try:\n    return tf.reshape(x, [tf.shape(x)[0], 2, 3])\nfinally:\n    pass",
    "except": "try:\n    pass\nexcept ValueError:\n    x = tf.reshape(x, [tf.shape(x)[0], 2, 3])\n"
    "return x",
    "match": "match self.mode:\n    case 'a':\n        x = tf.reshape(x, [tf.shape(x)[0], 2, 3])\n"
    "return x",
    "IfExp": "return tf.reshape(x, [tf.shape(x)[0], 2, 3]) if self.deep else x",
    "comprehension": "return [tf.reshape(x, [tf.shape(x)[0], 2, 3]) for _ in range(2)]",
    "lambda": "f = lambda y: tf.reshape(y, [tf.shape(y)[0], 2, 3])\nreturn f(x)",
    "nested": "def f(y):\n    return tf.reshape(y, [tf.shape(y)[0], 2, 3])\nreturn f(x)",
    "closure": "b = tf.shape(x)[0]\ndef f(y):\n    return tf.reshape(y, [b, 2, 3])\nreturn f(x)",
    "self helper": "return self.helper(x)",
    "property": "b = tf.shape(x)[0]\nreturn self.helper(tf.identity(x))",
    "helper": "return helper(x, tf.shape(x)[0])",
    "helper by keyword": "return helper(rows=tf.shape(x)[0], y=x)",
    "helper over helper": "return outer(x)",
    "list": "target = [tf.shape(x)[0]]\ntarget.append(2)\ntarget.append(3)\n"
    "return tf.reshape(x, target)",
    "sum of lists": "return tf.reshape(x, [tf.shape(x)[0]] + [2, 3])",
    "starred": "return tf.reshape(x, [tf.shape(x)[0], *[2, 3]])",
    "slice of a shape": "return tf.reshape(x, [*tf.shape(x)[:1], 2, 3])",
    "concat": "return tf.reshape(x, tf.concat([tf.shape(x)[:1], [2, 3]], 0))",
    "stack": "return tf.reshape(x, tf.stack([tf.shape(x)[0], 2, 3]))",
    "cast": "return tf.reshape(x, [tf.cast(tf.shape(x)[0], tf.int32), 2, 3])",
    "size": "return tf.reshape(x, [tf.size(x)])",
    "annotated": "b: tf.Tensor = tf.shape(x)[0]\nreturn tf.reshape(x, [b, 2, 3])",
    "two targets": "b = rows = tf.shape(x)[0]\nreturn tf.reshape(x, [rows, 2, 3])",
    "K": "return K.reshape(x, (K.shape(x)[0], 2, 3))",
    "ops": "return ops.reshape(x, (ops.shape(x)[0], 2, 3))",
    "method": "y = tf.identity(x)\nreturn tf.reshape(y, shape=(tf.shape(y)[0], 2, 3))",
    "of a layer": "y = self.dense(x)\nreturn tf.reshape(y, [tf.shape(y)[0], 2, 3])",
    "of a list of layers": "for d in self.blocks:\n    x = d(x)\n"
    "return tf.reshape(x, [tf.shape(x)[0], 2, 3])",
    "on self": "self.batch = tf.shape(x)[0]\nreturn tf.reshape(x, [self.batch, 2, 3])",
    "in a dict": "s = {'b': tf.shape(x)[0]}\nreturn tf.reshape(x, [s['b'], 2, 3])",
    "deferred": "def f():\n    return tf.reshape(x, [b, 2, 3])\nb = tf.shape(x)[0]\nreturn f()",
    "guarded": "b = x.shape[0]\nif b is None:\n    b = tf.shape(x)[0]\n"
    "return tf.reshape(x, [b, 2, 3])",
    "behind a check": "if x is None:\n    raise ValueError\n"
    "return tf.reshape(x, [tf.shape(x)[0], 2, 3])",
    "behind a list that grew": "ys = []\nfor _ in range(3):\n    ys.append(x)\n"
    "y = tf.concat(ys, -1)\nreturn tf.reshape(y, [tf.shape(y)[0], 2, 3])",
    "or": "return tf.reshape(x, [x.shape[0] or tf.shape(x)[0], 2, 3])",
    "shape helper": "b = shape_list(x)[0]\nreturn tf.reshape(x, [b, 2, 3])",
}
HELPERS = """\
def helper(y, rows):
    return tf.reshape(y, [rows, 2, 3])

def outer(y, deep=True):
    return helper(y, tf.shape(y)[0])

def shape_list(tensor):
    static = tensor.shape.as_list()
    dynamic = tf.shape(tensor)
    return [dynamic[i] if s is None else s for i, s in enumerate(static)]
"""
METHODS = """\
def __init__(self, **kwargs):
    super().__init__(**kwargs)
    self.dense = layers.Dense(3)
    self.blocks = [layers.Dense(3) for _ in range(2)]

def helper(self, y):
    return tf.reshape(y, [self.rows(y), 2, 3])

def rows(self, y):
    return tf.shape(y)[0]
"""


@pytest.mark.parametrize("body", WAYS.values(), ids=WAYS)
def test_a_batch_size_is_found_on_any_way(body: str) -> None:
    text = net(body, parameters="x, training=False", methods=METHODS, head=HELPERS)
    assert codes(text)[:1] == ["SVL101"]


EAGER_ONLY = {
    "if": "if tf.executing_eagerly():\n    return tf.reshape(x, [tf.shape(x)[0], 2, 3])\nreturn x",
    "else": "if not tf.executing_eagerly():\n    return x\nelse:\n"
    "    return tf.reshape(x, [tf.shape(x)[0], 2, 3])",
    "and": "if training and tf.executing_eagerly():\n"
    "    return tf.reshape(x, [tf.shape(x)[0], 2, 3])\nreturn x",
    "IfExp": "return tf.reshape(x, [tf.shape(x)[0], 2, 3]) if tf.executing_eagerly() else x",
    "negated IfExp": "return x if not tf.executing_eagerly() else "
    "tf.reshape(x, [tf.shape(x)[0], 2, 3])",
    "assert": "assert tf.reduce_all(tf.reshape(x, [tf.shape(x)[0], 6]) == x)\nreturn x",
    "not called": "def f():\n    return tf.reshape(x, [tf.shape(x)[0], 2, 3])\nreturn x",
    "lambda not called": "f = lambda: tf.reshape(x, [tf.shape(x)[0], 2, 3])\nreturn x",
    "after return": "return x\nreturn tf.reshape(x, [tf.shape(x)[0], 2, 3])",
    "after raise": "raise ValueError\nreturn tf.reshape(x, [tf.shape(x)[0], 2, 3])",
    "after both return": "if training:\n    return x\nelse:\n    return x\n"
    "return tf.reshape(x, [tf.shape(x)[0], 2, 3])",
    "other tensor": "return tf.reshape(x, [tf.shape(self.table)[0], 2, 3])",
    "other axis": "return tf.reshape(x, [tf.shape(x)[1], 2, 3])",
    "named anew": "b = tf.shape(x)[0]\nb = 4\nreturn tf.reshape(x, [b, 2, 3])",
    "shadowed": "def f(x):\n    return tf.reshape(x, [tf.shape(x)[0], 2, 3])\nreturn f(self.table)",
}


@pytest.mark.parametrize("body", EAGER_ONLY.values(), ids=EAGER_ONLY)
def test_what_does_not_run_on_the_batch_in_a_graph_is_not_reported(body: str) -> None:
    found = codes(net(body, parameters="x, training=False"))
    assert [code for code in found if code != "SVL105"] == []  # the assertion itself


# -- statements --------------------------------------------------------------------------

STATEMENTS = {
    "return x": "tensor 0",
    "y = x\nreturn y": "tensor 0",
    "y = z = x\nreturn z": "tensor 0",
    "y: object = x\nreturn y": "tensor 0",
    "y = x\ny += 1\nreturn y": "tensor 0",
    "y = 1\ny *= x\nreturn y": "tensor 0",
    "return (y := x)": "tensor 0",
    "if (y := x + 1) > 2:\n    pass\nreturn y": "tensor 0",
    "y, z = x, 1\nreturn y": "tensor 0",
    "y, z = x, 1\nreturn z": "1",
    "(y, [z, w]) = 1, (2, x)\nreturn w": "tensor 0",
    "y, z = z, y = x, 1\nreturn y": "1",
    "y = [1, x]\nreturn y[1]": "tensor 0",
    "y = [1, x]\nreturn y[-2]": "1",
    "y = [1, x]\nreturn y[i]": "tensor ?",
    "y = {'a': x, 'b': 1}\nreturn y['a']": "tensor 0",
    "y = {'a': x, 'b': 1}\nreturn y['b']": "1",
    "y = {'a': x}\nreturn y['c']": "?",
    "y = {'a': x}\nreturn y.get('a')": "tensor 0",
    "y = {'a': x}\nreturn y.pop('a', None)": "tensor 0",
    "y = {k: x for k in 'ab'}\nreturn y": "{None: tensor 0}",
    "y = []\ny.append(x)\nreturn y": "[tensor 0]",
    "y = []\nfor _ in z:\n    y.append(x)\nreturn y[0]": "tensor 0",
    "y, *z = x, 1, 2\nreturn z": "[tensor ?, ...]",
    "*y, z = 1, 2, x\nreturn y": "[tensor ?, ...]",
    "*y, z = unknown\nreturn y": "?",
    "if x is None:\n    return 1\nreturn x": "tensor ?",
    "if x is None:\n    raise ValueError\nreturn x": "tensor 0",
    "if x is not None:\n    y = x\nelse:\n    raise ValueError\nreturn y": "tensor 0",
    "y = x\ndel y\nreturn y": "?",
    "if a:\n    return x\nreturn x": "tensor 0",
    "if a:\n    return x\nelse:\n    return x": "tensor 0",
    "if a:\n    y = x\nelse:\n    y = x + 1\nreturn y": "tensor 0",
    "if a:\n    y = x\nreturn y": "?",
    "if a:\n    y = x\nelse:\n    raise ValueError\nreturn y": "tensor 0",
    "if a:\n    raise ValueError\nelse:\n    y = x\nreturn y": "tensor 0",
    "if a:\n    y = 1\nelif b:\n    y = 1\nelse:\n    y = 1\nreturn y": "1",
    "if a:\n    y = 1\nelif b:\n    y = 2\nelse:\n    y = 1\nreturn y": "?",
    "if a:\n    y = 1\nelse:\n    return 2\nreturn y": "?",
    "y = 1\nif a:\n    y = 2\n    return y\nreturn y": "?",
    "y = x\nif a:\n    y = x[0]\nreturn y": "tensor ?",
    "y = x\nfor _ in z:\n    y = y + 1\nreturn y": "tensor 0",
    "y = 1\nfor _ in z:\n    y = x\nreturn y": "tensor ?",
    "for i in z:\n    y = x\nreturn y": "tensor 0",
    "for i in z:\n    pass\nelse:\n    y = x\nreturn y": "tensor 0",
    "for y in [x, x]:\n    pass\nreturn y": "tensor 0",
    "for i, y in enumerate([x, x]):\n    pass\nreturn y": "tensor 0",
    "for y, i in zip([x, x], [1, 2]):\n    pass\nreturn y": "tensor 0",
    "while a:\n    y = x\nreturn y": "tensor 0",
    "y = 1\nwhile a:\n    y = 2\n    break\nreturn y": "?",
    "with a as b:\n    y = x\nreturn y": "tensor 0",
    "with tf.GradientTape() as tape:\n    return x": "tensor 0",
    "with x as y:\n    return y": "tensor 0",
    "try:\n    y = x\nexcept ValueError:\n    y = x\nreturn y": "tensor 0",
    "try:\n    y = x\nexcept ValueError:\n    raise\nreturn y": "tensor 0",
    "try:\n    y = 1\nexcept ValueError:\n    y = 2\nreturn y": "?",
    "try:\n    y = 1\nexcept ValueError:\n    pass\nelse:\n    y = 2\nreturn y": "?",
    "try:\n    return x\nexcept ValueError:\n    return x": "tensor 0",
    "try:\n    return 1\nexcept ValueError:\n    return 2": "?",
    "try:\n    pass\nfinally:\n    y = x\nreturn y": "tensor 0",
    "match a:\n    case 1:\n        y = x\n    case _:\n        y = x\nreturn y": "?",
    "y = x\nmatch a:\n    case 1:\n        y = x + 1\nreturn y": "tensor 0",
    "match a:\n    case {'b': y}:\n        return y": "?",
    "y = x\nmatch a:\n    case y:\n        pass\nreturn y": "tensor ?",
    "import numpy as other\nreturn other.random.rand(3)": "random array",
    "from tensorflow import shape as s\nreturn s(x)": "dynamic shape",
    "pass": "None",
    "return": "None",
    "return\nreturn x": "None",
    "global y\nreturn x": "tensor 0",
}


@each(STATEMENTS)
def test_a_value_goes_through_statements(body: str, expected: str) -> None:
    assert returned(body) == expected


EXPRESSIONS = {
    "x + 1": "tensor 0",
    "1 - x": "tensor 0",
    "-x": "tensor 0",
    "x @ w": "tensor 0",
    "w @ x": "tensor ?",
    "x if a else x": "tensor 0",
    "x if a else None": "tensor ?",
    "1 if a else 1": "1",
    "[x, 1]": "[tensor 0, 1]",
    "(x,)": "[tensor 0]",
    "[*[x, 1], 2]": "[tensor 0, 1, 2]",
    "[*unknown, x]": "[tensor 0, ...]",
    "[x] + [1]": "[tensor 0, 1]",
    "[y for y in [x, x]]": "[tensor 0, ...]",
    "[y + 1 for y in [x] if a]": "[tensor 0, ...]",
    "(x for _ in a)": "[tensor 0, ...]",
    "(lambda y: y)(x)": "tensor 0",
    "(lambda y=1: y)()": "1",
    "(lambda y, *z: y)(x, 1)": "tensor 0",
    "{'a': x}": "{'a': tensor 0}",
    "unknown": "?",
    "unknown.attribute": "?",
    "unknown(1)": "?",
    "unknown(x)": "tensors ?",
    "unknown(y=[x])": "tensors ?",
    "x == 1": "tensor 0",
    "x is None": "?",
    "f'{x}'": "?",
    "'a' 'b'": "'ab'",
    "'a' + 'b'": "'ab'",
    "-1": "-1",
    "...": "Ellipsis",
    "True": "True",
    "len([x])": "?",
    "list((x, 1))": "[tensor 0, 1]",
    "tuple([x])": "[tensor 0]",
    "print(x)": "?",
    "isinstance(x, dict)": "?",
}


@each(EXPRESSIONS)
def test_a_value_goes_through_expressions(body: str, expected: str) -> None:
    assert returned(f"return {body}") == expected


# -- functions ---------------------------------------------------------------------------

FUNCTIONS = {
    "return plain(x)": "tensor 0",
    "return plain(1)": "1",
    "return plain(a=x)": "tensor 0",
    "return plain(*[x])": "?",
    "return plain(**{'a': x})": "?",
    "return default()": "7",
    "return default(x)": "tensor 0",
    "return default(b=1)": "7",
    "return second(1, x)": "tensor 0",
    "return second(b=x, a=1)": "tensor 0",
    "return second(1, **more)": "?",
    "return keyword(b=x)": "tensor 0",
    "return keyword()": "3",
    "return rest(1, x)": "?",
    "return named(b=x)": "?",
    "return named(a=x)": "?",
    "return pair(x)[0]": "tensor 0",
    "y, z = pair(x)\nreturn z": "1",
    "return either(x)": "?",
    "return nothing(x)": "None",
    "return outer(x)": "tensor 0",
    "return traced(x)": "tensor 0",
    "return signed(x)": "tensor 0",
    "return constant()": "[2, 3]",
    "return LIMIT": "5",
    "return TWICE": "?",
    "return short(x)": "tensor 0",
    "return self.own(x)": "tensor 0",
    "return self.own(y=x)": "tensor 0",
    "return self.static(x)": "tensor 0",
    "return self.inherited(x)": "tensor 0",
    "return self.overridden(x)": "1",
    "return self.width": "9",
    # A layer handed to the constructor, or a method of a base out of sight.
    "return self.unheard_of(x)": "tensors 0",
    "return super().call(x)": "tensors ?",
    "f = self.own\nreturn f(x)": "tensor 0",
    "f = plain\nreturn f(x)": "tensor 0",
    "def f(): return x\nreturn f()": "tensor 0",
    "def f(y): return y\nreturn f(x)": "tensor 0",
    "def f(): return y\ny = x\nreturn f()": "tensor 0",
    "def f(x): return x\nreturn f(1)": "1",
    "def f():\n    def g(): return x\n    return g()\nreturn f()": "tensor 0",
    "def f(y):\n    def g(): return y\n    return g\nreturn f(x)()": "tensor 0",
    "def f(): return x\ndef f(): return 1\nreturn f()": "1",
    "@tf.function\ndef f(y): return y\nreturn f(x)": "tensor 0",
    "f = tf.function(lambda y: y)\nreturn f(x)": "tensor 0",
    "class A:\n    pass\nreturn A()": "A",
    "helper = Helper()\nreturn helper.run(x)": "tensor 0",
    "helper = Helper()\nreturn helper.static(x)": "tensor 0",
    "helper = Helper()\nreturn helper.unheard_of(x)": "?",
    # Recursion ends, and what it gives is not known.
    "return recursive(x)": "tensors ?",
    "return ping(x)": "tensors ?",
    "return self.ping(x)": "tensors ?",
    "f = lambda y: f(y)\nreturn f(x)": "tensors ?",
    "return [f := plain, f(x)][1]": "tensor 0",
}
SAME_FILE = """\
LIMIT = 5
TWICE = 1
TWICE = 2
def plain(a): return a
def default(a=7, b=0): return a
def second(a, b): return b
def keyword(*, b=3): return b
def rest(*a): return a
def named(**a): return a
def pair(a): return a, 1
def either(a):
    if a.flag: return 1
    return 2
def nothing(a): a
def outer(a): return plain(inner(a))
def inner(a): return a * LIMIT
@tf.function
def traced(a): return a
@tf.function(input_signature=[tf.TensorSpec([None])])
def signed(a): return a
def constant(): return (2, 3)
short = lambda a: a
def recursive(a, n=3): return a if n == 0 else recursive(a, n - 1)
def ping(a): return pong(a)
def pong(a): return ping(a)

class Helper:
    def run(self, a): return a
    @staticmethod
    def static(a): return a

class Base(keras.Model):
    def inherited(self, y): return self.own(y)
    def overridden(self, y): return y
"""
OWN = """\
def own(self, y): return y
@staticmethod
def static(y): return y
def overridden(self, y): return 1
@property
def width(self): return 9
def ping(self, y): return self.pong(y)
def pong(self, y): return self.ping(y)
"""


@each(FUNCTIONS)
def test_a_value_goes_through_the_functions_of_the_file(body: str, expected: str) -> None:
    text = net(body, methods=OWN, head=SAME_FILE).replace("Net(keras.Model)", "Net(Base)")
    assert told(keras_class(text).flow("call").result) == expected


# -- the inputs --------------------------------------------------------------------------

INPUTS = {
    "x, y": "[tensor 0, tensor 0]",
    "x, y=None": "[tensor 0, tensor ?]",
    "x, y=1": "[tensor 0, ?]",
    "x, y: bool": "[tensor 0, ?]",
    "x, y: tf.Tensor": "[tensor 0, tensor 0]",
    "x: list, y=2": "[tensors 0, ?]",
    "x: tuple[tf.Tensor, tf.Tensor], y=2": "[tensors 0, ?]",
    "x: Dict[str, tf.Tensor], y=2": "[tensors 0, ?]",
    "x, /, y": "[tensor 0, tensor 0]",
    "x, *y": "[tensor 0, ?]",
    "x, **y": "[tensor 0, ?]",
}


@pytest.mark.parametrize(("parameters", "expected"), INPUTS.items(), ids=INPUTS)
def test_what_call_is_given_are_tensors(parameters: str, expected: str) -> None:
    assert returned("return x, y", parameters=parameters) == expected


@pytest.mark.parametrize("name", ["training", "mask", "attention_mask"])
def test_what_says_how_to_run_is_no_input(name: str) -> None:
    assert returned(f"return {name}", parameters=f"x, {name}") == "?"


STRUCTURES = {
    "a, b = x\nreturn a": "tensor 0",
    "a = x[0]\nreturn a": "tensor 0",
    "return x['image']": "tensor 0",
    "a = x[0] + x[1]\nreturn a": "tensor 0",
    "return x[0], self.d(x)": "[tensor ?, tensors 0]",
}


@each(STRUCTURES)
def test_lists_and_dictionaries_of_inputs_hold_tensors(body: str, expected: str) -> None:
    methods = "def __init__(self):\n    self.d = layers.Dense(3)"
    assert returned(body, methods=methods) == expected


@pytest.mark.parametrize(
    ("method", "expected"), [("__init__", "argument"), ("build", "argument"), ("other", "?")]
)
def test_only_call_is_given_tensors(method: str, expected: str) -> None:
    text = f"{HEAD}class Net(keras.Model):\n    def {method}(self, x): return x\n"
    assert told(keras_class(text).flow(method).result) == expected


# -- the batch axis ----------------------------------------------------------------------

AXES = {
    "tf.nn.relu(x)": "tensor 0",
    "tf.math.exp(x)": "tensor 0",
    "tf.cast(x, tf.float32)": "tensor 0",
    "ops.softmax(x)": "tensor 0",
    "np.tanh(x)": "tensor 0",
    "tf.identity(x)": "tensor 0",
    "tf.zeros_like(x)": "tensor 0",
    "tf.where(x > 0, x, 1.0)": "tensor 0",
    "tf.maximum(1.0, x)": "tensor 0",
    "tf.transpose(x)": "tensor ?",
    "tf.transpose(x, [0, 2, 1])": "tensor 0",
    "tf.transpose(x, [1, 0, 2])": "tensor 1",
    "tf.transpose(x, perm=(2, 1, 0))": "tensor 2",
    "tf.transpose(tf.transpose(x, [1, 0, 2]), [1, 0, 2])": "tensor 0",
    "ops.transpose(x, axes=(1, 0))": "tensor 1",
    "tf.transpose(x, order)": "tensor ?",
    "K.permute_dimensions(x, (1, 0))": "tensor ?",
    "tf.reshape(x, [-1, 3])": "tensor 0",
    "tf.reshape(x, (tf.shape(x)[0], 3))": "tensor 0",
    "tf.reshape(x, tf.shape(x))": "tensor 0",
    "tf.reshape(x, [3, -1])": "tensor ?",
    "tf.reshape(x, [tf.shape(x)[1], -1])": "tensor ?",
    "tf.reshape(x, shape)": "tensor ?",
    "tf.reshape(tf.transpose(x, [1, 0]), [tf.shape(x)[0], 3])": "tensor 0",
    "tf.expand_dims(x, 1)": "tensor 0",
    "tf.expand_dims(x, -1)": "tensor 0",
    "tf.expand_dims(x, axis=1)": "tensor 0",
    "tf.expand_dims(x, 0)": "tensor ?",
    "tf.expand_dims(x, axis)": "tensor ?",
    "tf.squeeze(x, -1)": "tensor 0",
    "tf.squeeze(x)": "tensor ?",
    "tf.reduce_mean(x, 1)": "tensor 0",
    "tf.reduce_mean(x, axis=[1, 2])": "tensor 0",
    "tf.reduce_sum(x, axis=-1, keepdims=True)": "tensor 0",
    "tf.reduce_sum(x)": "tensor ?",
    "tf.reduce_sum(x, 0)": "tensor ?",
    "tf.reduce_sum(x, axis=[0, 1])": "tensor ?",
    "tf.reduce_sum(x, axis)": "tensor ?",
    "ops.max(x, axis=1)": "tensor 0",
    "tf.argmax(x, 1)": "tensor 0",
    "tf.concat([x, x], 1)": "tensor 0",
    "tf.concat([x, x], axis=-1)": "tensor 0",
    "tf.concat([x, x], 0)": "tensor 0",  # two batches: still unknown while tracing
    "tf.concat([x, x], axis)": "tensor ?",
    "tf.stack([x, x], 1)": "tensor 0",
    "tf.stack([x, x])": "tensor 1",
    "tf.split(x, 2, axis=1)": "tensors 0",
    "tf.split(x, 2, axis=1)[0]": "tensor 0",
    "tf.split(x, 2)": "tensors ?",
    "tf.unstack(x, axis=1)": "tensors 0",
    "tf.unstack(x)": "tensors ?",
    "tf.matmul(x, w)": "tensor 0",
    "tf.matmul(w, x)": "tensor ?",
    "ops.dot(x, w)": "tensor 0",
    "tf.tensordot(x, w, 1)": "tensor 0",
    "tf.einsum('bi,ij->bj', x, w)": "tensor 0",
    "tf.einsum('bi,ij->jb', x, w)": "tensor 1",
    "tf.einsum('ij,bi->bj', w, x)": "tensor 0",
    "tf.einsum('bi,ij->j', x, w)": "tensor ?",
    "tf.einsum('b...i->b...', x)": "tensor 0",
    "tf.einsum('...i->...', x)": "tensor ?",
    "tf.einsum(equation, x)": "tensor ?",
    "tf.gather(w, x)": "tensor 0",
    "tf.gather(x, w)": "tensor ?",
    "tf.tile(x, [1, 2])": "tensor 0",
    "tf.one_hot(x, 3)": "tensor 0",
    "tf.boolean_mask(x, w)": "tensor ?",
    "tf.nn.embedding_lookup(w, x)": "tensor 0",
    "x[:, 0]": "tensor 0",
    "x[:, :, 1:]": "tensor 0",
    "x[..., 0]": "tensor 0",
    "x[..., tf.newaxis]": "tensor 0",
    "(x + 1)[0]": "tensor ?",
    "x[1:]": "tensor ?",
    "x[i]": "tensor ?",
    "x[None]": "tensor ?",
    "tf.zeros([tf.shape(x)[0], 3])": "filled array",
    "x.unheard_of(1)": "tensor ?",
    "x.numpy()": "tensor ?",
    "x.T": "tensor ?",
    "x.dtype": "?",
}


@each(AXES)
def test_the_batch_is_followed_through_operations(body: str, expected: str) -> None:
    assert returned(f"return {body}") == expected


SHAPES = {
    "x.shape": "static shape",
    "x.get_shape()": "static shape",
    "x.shape.as_list()": "static shape",
    "list(x.shape)": "static shape",
    "K.int_shape(x)": "static shape",
    "tf.shape(x)": "dynamic shape",
    "K.shape(x)": "dynamic shape",
    "ops.shape(x)": "dynamic shape",
    "tf.shape(input=x)": "dynamic shape",
    "tf.cast(tf.shape(x), tf.int64)": "dynamic shape",
    "get_shape_list(x)": "dynamic shape",
    "x.shape[0]": "static dim 0",
    "x.shape[-1]": "static dim ?",
    "x.shape[i]": "static dim ?",
    "x.shape[1:]": "static shape 1:None",
    "x.shape[1:][0]": "static dim 1",
    "x.shape[1:3]": "static shape 1:3",
    "x.shape[1:][:2]": "static shape 1:3",
    "x.shape[:-1]": "static shape",
    "x.shape[::2]": "?",
    "x.shape.as_list()[1]": "static dim 1",
    "tf.shape(x)[0]": "dynamic dim 0",
    "tf.shape(x)[0] * 2": "dynamic dim 0",
    "2 // tf.shape(x)[1]": "dynamic dim 1",
    "int(x.shape[1])": "static dim 1",
    "x.shape[0] or tf.shape(x)[0]": "dynamic dim 0",
    "tf.shape(x)[0] if x.shape[0] is None else x.shape[0]": "dynamic dim 0",
    "x.shape[0] if x.shape[0] else tf.shape(x)[0]": "dynamic dim 0",
    "x.shape[0] if x.shape[0] is not None else -1": "?",
    "len(x)": "static dim 0",
    "tf.size(x)": "dynamic dim 0",
    "tf.shape(unknown)": "?",
    "tf.rank(x)": "tensor ?",
    "[tf.shape(x)[0]] + x.shape[1:]": "[dynamic dim 0, static shape 1:None]",
    "(tf.shape(x)[0], *x.shape[1:])": "[dynamic dim 0, static shape 1:None]",
}


@each(SHAPES)
def test_shapes_and_dimensions_are_followed(body: str, expected: str) -> None:
    assert returned(f"return {body}") == expected


GUARDS = {
    "b = x.shape[0]\nreturn b": "static dim 0",
    # From here on the program takes another way where it is None.
    "b = x.shape[0]\nif b is None:\n    pass\nreturn b": "dynamic dim 0",
    "s = x.shape\nif None in s:\n    s = tf.shape(x)\nreturn s": "dynamic shape",
    "s = x.shape.as_list()\ns[0] = tf.shape(x)[0]\nreturn s[0]": "dynamic dim 0",
    "b, n = x.shape\nreturn n": "static dim 1",
    "b, n = x.shape[1:]\nreturn n": "static dim 2",
    "for d in x.shape:\n    pass\nreturn d": "static dim ?",
    "*rest, last = x.shape\nreturn rest": "?",
    "b, *rest = x.shape\nreturn b": "static dim 0",
    "b = x.shape[0]\nif b is None:\n    b = tf.shape(x)[0]\nreturn b": "dynamic dim 0",
}


@each(GUARDS)
def test_a_shape_that_is_asked_about_is_guarded(body: str, expected: str) -> None:
    assert returned(body) == expected


@pytest.mark.parametrize("body", ["return x.shape[0] * 2", "return int(x.shape[0])"])
def test_a_static_batch_as_a_number_is_noted(body: str) -> None:
    (use,) = call_flow(body).all(NumberUse)
    assert told(use.dim) == "static dim 0"


NO_NUMBERS = [
    "return x.shape[1] * 2",
    "return tf.shape(x)[0] * 2",
    "b = x.shape[0]\nif b is not None:\n    return b * 2",
    "return f'{x.shape[0]}'",
    "return x.shape[0] == 2",
    "if tf.executing_eagerly():\n    return x.shape[0] * 2",
]


@pytest.mark.parametrize("body", NO_NUMBERS)
def test_another_number_is_not(body: str) -> None:
    assert list(call_flow(body).all(NumberUse)) == []


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("a, b = tf.shape(x)", 2),
        ("a, b, c = K.shape(x)", 3),
        ("a, *b = tf.shape(x)", None),
        ("a, b = tf.unstack(tf.shape(x))", ...),
        ("a, b = ops.shape(x)", ...),
        ("a, b = x.shape", ...),
    ],
)
def test_a_symbolic_shape_unpacked_is_noted(body: str, count: object) -> None:
    found = [use.count for use in call_flow(body).all(SymbolicUnpacking)]
    assert found == ([] if count is ... else [count])


TESTS = {
    "if x > 0:\n    pass": 1,
    "if tf.reduce_sum(x):\n    pass": 1,
    "while tf.reduce_any(x):\n    pass": 1,
    "for row in x:\n    pass": 1,
    "return 1 if x > 0 else 2": 1,
    "if x is None:\n    pass": 0,
    "if training:\n    pass": 0,
    "if 'a' in x:\n    pass": 0,
    "if isinstance(x, list):\n    pass": 0,
    "if x.shape[1] == 2:\n    pass": 0,
    "for d in self.blocks:\n    pass": 0,
    "for a in [x, x]:\n    pass": 0,
    "for i in range(3):\n    pass": 0,
    "y, *z = x\nfor w in z:\n    pass": 0,
    "*y, z = x.shape\nfor w in y:\n    pass": 0,
    "if tf.executing_eagerly():\n    if x > 0: pass": 0,
    "match x:\n    case _: pass": 1,
}


@pytest.mark.parametrize(("body", "count"), TESTS.items(), ids=TESTS)
def test_python_that_branches_on_a_tensor_is_noted(body: str, count: int) -> None:
    found = list(call_flow(body, parameters="x, training=None").all(TensorTest))
    assert len(found) == count


ASKED = {
    "if tf.reduce_mean(x) > 0: pass": "if",
    "if tf.reduce_any(x > 0): pass": "if",
    "if x * 2 > 0: pass": "if",
    "y = tf.reduce_mean(x)\nif y: pass": "if",
    "y = tf.reduce_mean(x)\nif training:\n    y = -y\nif y > 0: pass": "if",
    "y = tf.nn.relu(x)\nfor _ in self.blocks:\n    y = tf.nn.relu(y)\nif y > 0: pass": "if",
    "if (y := tf.reduce_mean(x)) > 0: pass": "if",
    "if training: pass\nelif tf.reduce_mean(x) > 0: pass": "if",
    "if self.dense(x) > 0: pass": "if",
    "if x[0, 0] > 0: pass": "if",
    "if tf.rank(x) == 2: pass": "if",
    "if tf.shape(x)[1] > 2: pass": "if",
    "b, n = tf.unstack(tf.shape(x))\nif n > 2: pass": "if",
    "if K.shape(x)[0] * 2 > 2: pass": "if",
    "if tf.random.uniform([]) < 0.5: pass": "if",
    "if training is None or tf.reduce_any(x): pass": "if",
    "y = x - 1 if tf.reduce_mean(x) > 0 else x": "ternary",
    "while tf.reduce_max(x) > 0: pass": "while",
    "assert tf.reduce_all(x > 0)": "assert",
    "y = [a for a in self.blocks if tf.reduce_mean(x) > 0]": "filter",
    "y = tf.reduce_mean(x) > 0 and training": "and",
    "y = tf.reduce_mean(x) > 0 or training": "or",
    "y = not tf.reduce_any(x)": "not",
    "y = 0 < tf.reduce_mean(x) < 1": "chained",
    "y = tf.reduce_mean(x) in (0, 1)": "in",
    "match tf.rank(x):\n    case 2: pass": "match",
    "for row in tf.nn.relu(x): pass": "for",
    "for i in tf.range(3): pass": "for",
    "for i in tf.range(tf.reduce_max(x)): pass": "for",
    "for d in tf.shape(x): pass": "for",
    "y = [row for row in tf.nn.relu(x)]": "each",
    "y = {i: row for i, row in enumerate(tf.nn.relu(x))}": "enumerate",
    "a, b = tf.transpose(x)": "unpack",
    "y = [*tf.transpose(x)]": "star",
    "y = tf.concat(*tf.transpose(x))": "star",
    "y = list(tf.nn.relu(x))": "list",
    "y = sum(tf.nn.relu(x))": "sum",
    "for a, b in zip(self.blocks, tf.nn.relu(x)): pass": "zip",
    "for i in range(tf.shape(x)[1]): pass": "range",
    "n = tf.shape(x)[1]\nfor i in range(1, n): pass": "range",
    "for i in range(tf.reduce_max(x)): pass": "range",
    "y = max(tf.reduce_mean(x), 0.1)": "max",
    "y = min(tf.shape(x)[1], 3)": "min",
    "y = bool(tf.reduce_any(x))": "bool",
    "y = any(tf.reduce_mean(a) > 0 for a in [x, x])": "any",
    "y = plain(x)": "if",
    "y = self.own(tf.nn.relu(x))": "if",
    "def inner():\n    return 1 if tf.reduce_mean(x) > 0 else 2\nreturn inner()": "ternary",
    "f = lambda y: 1 if tf.reduce_mean(y) > 0 else 2\nreturn f(x)": "ternary",
}
ASKING = """\
def __init__(self):
    super().__init__()
    self.dense = layers.Dense(3)
    self.blocks = [layers.Dense(3)]

def own(self, y):
    if y > 0: return y
    return -y

@tf.function
def converted(self, y):
    return self.own(y)

@tf.function(autograph=False)
def plain(self, y):
    return self.own(y)
"""
PLAIN = "def plain(y):\n    if tf.reduce_mean(y) > 0: return y\n    return -y\n"


@each(ASKED)
def test_what_is_asked_of_a_tensor_is_noted_once(body: str, expected: str) -> None:
    flow = call_flow(body, parameters="x, training=None", methods=ASKING, head=PLAIN)
    found = [test.how for test in flow.all(TensorTest) if test.certain]
    assert found == [expected]


NOT_ASKED = [
    "if x: pass",  # a list, perhaps
    "for part in x: pass",
    "a, b = x\nif a is not None: pass",
    "if x is None or training: pass",
    "if n > 0 and flag: pass",
    "if n: pass",
    "if x.shape[0] == 2 or x.shape.rank > 2 or len(x.shape) > 2: pass",
    "for d in x.shape: pass",
    "for i in range(x.shape[1]): pass",
    "b = x.shape[0] or tf.shape(x)[0]\nif b > 2: pass",
    "b = x.shape[0]\nif b is None:\n    b = tf.shape(x)[0]\nif b > 2: pass",
    "b = tf.shape(x)[0] if x.shape[0] is None else x.shape[0]\nif b > 2: pass",
    "if ops.shape(x)[1] > 2: pass",
    "for i in range(3): pass",
    "for a in [x, x]: pass",
    "for a in tf.split(x, 2): pass",
    "for a in tf.unstack(x): pass",
    "mean, variance = tf.nn.moments(x, [0])",
    "values, indices = tf.math.top_k(x)",
    "y, state = self.dense(x)",
    "y = sum([x, x])",
    "y = len(tf.nn.relu(x))",
    "y = abs(tf.nn.relu(x))",
    "y = max(x.shape[1], 3)",
    "if isinstance(x, dict) and 'a' in x: pass",
    "if self.unheard_of(x): pass",
    "if tf.executing_eagerly() and tf.reduce_mean(x) > 0: pass",
    "if hasattr(x, 'numpy'):\n    if tf.reduce_mean(x) > 0: pass",
    "try:\n    if tf.reduce_mean(x) > 0: pass\nexcept ValueError:\n    pass",
    "return 1\nif tf.reduce_mean(x) > 0: pass",
    "if tf.reduce_mean(x) is None: pass",
    "if tf.reduce_mean(x) != None: pass",
]


@pytest.mark.parametrize("body", NOT_ASKED)
def test_what_is_known_while_tracing_is_not_asked_of_a_tensor(body: str) -> None:
    parameters = "x, n=None, flag=False, training=None"
    flow = call_flow(body, parameters=parameters, methods=ASKING)
    assert [test for test in flow.all(TensorTest) if test.certain] == []


@pytest.mark.parametrize(
    ("body", "converted", "in_training"),
    [
        ("return self.own(tf.nn.relu(x))", False, False),
        ("return self.converted(tf.nn.relu(x))", True, False),
        ("return self.plain(tf.nn.relu(x))", False, False),
        ("f = tf.function(self.own)\nreturn f(tf.nn.relu(x))", True, False),
        ("if training:\n    return self.own(tf.nn.relu(x))", False, True),
        ("if training and tf.reduce_mean(x) > 0: pass", False, True),
        ("return (1 if tf.reduce_mean(x) > 0 else 2) if training else x", False, True),
        ("if not training:\n    return self.own(tf.nn.relu(x))", False, False),
    ],
)
def test_who_reads_the_code_and_when_it_runs_is_told(
    body: str, converted: bool, in_training: bool
) -> None:
    flow = call_flow(body, parameters="x, training=None", methods=ASKING)
    (test,) = [test for test in flow.all(TensorTest) if test.certain]
    assert (test.converted, test.in_training) == (converted, in_training)


CHOICES = {
    "if tf.reduce_mean(x) > 0:\n    y = x\nelse:\n    y = -x": "y = ",
    "y = x\nif tf.reduce_mean(x) > 0:\n    y = y * 2": "y = ",
    "if tf.reduce_any(x):\n    return x\nelse:\n    return -x": "return ",
    "y = x * 2 if tf.reduce_mean(x) > 0 else x": "",
    "if tf.reduce_mean(x) > 0:\n    y = x\nelse:\n    z = -x": None,
    "if tf.reduce_mean(x) > 0:\n    y = x": None,
    "if tf.reduce_mean(x) > 0:\n    y = x\n    z = x\nelse:\n    y = -x": None,
    "if tf.reduce_mean(x) > 0:\n    return x": None,
    "if tf.reduce_mean(x) > 0:\n    y = 1\nelse:\n    y = x": None,
    "if tf.reduce_mean(x) > 0:\n    y = x\nelif training:\n    y = -x": None,
    "if tf.reduce_mean(x) > 0:\n    self.y = x\nelse:\n    self.y = -x": None,
}


@pytest.mark.parametrize(("body", "head"), CHOICES.items(), ids=CHOICES)
def test_a_choice_between_two_values_is_told(body: str, head: str | None) -> None:
    (test,) = call_flow(body, parameters="x, training=None").all(TensorTest)
    assert (test.choice.head if test.choice is not None else None) == head


READS = {
    "np.exp(x)": "numpy.exp",
    "np.array([x, 1])": "numpy.array",
    "np.float32(tf.reduce_mean(x))": "numpy.float32",
    "np.sqrt(tf.shape(x)[0])": "numpy.sqrt",
    "np.mean(self.dense(x))": "numpy.mean",
    "x.numpy()": ".numpy",
    "tf.reduce_mean(x).numpy().item()": ".numpy",
    "tf.shape(x)[0].numpy()": ".numpy",
    "float(tf.reduce_mean(x))": "builtins.float",
    "int(tf.shape(x)[0])": "builtins.int",
    "K.eval(x)": "keras.backend.eval",
    "ops.convert_to_numpy(x)": "keras.ops.convert_to_numpy",
    "plain(x)": "numpy.exp",
    "np.shape(x)": None,
    "np.ndim(x)": None,
    "np.prod(x.shape)": None,
    "np.prod(np.shape(x))": None,
    "np.exp(n)": None,
    "np.ones(3) * x": None,
    "float(x.shape[-1])": None,
    "int(len(x.shape))": None,
    "tf.py_function(lambda y: y.numpy(), [x], tf.float32)": None,
    "x.numpy() if tf.executing_eagerly() else x": None,
    "x.numpy() if hasattr(x, 'numpy') else x": None,
}


@pytest.mark.parametrize(("body", "expected"), READS.items(), ids=READS)
def test_numbers_taken_out_of_a_tensor_are_noted(body: str, expected: str | None) -> None:
    head = "def plain(y): return np.exp(-y)\n"
    flow = call_flow(f"return {body}", parameters="x, n=None", methods=ASKING, head=head)
    assert [read.name for read in flow.all(TensorRead)] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("return tf.py_function(f, [x], tf.float32)", 1),
        ("return tf.numpy_function(func=f, inp=[x], Tout=tf.float32)", 1),
        ("return tf.compat.v1.py_func(f, [x], tf.float32)", 1),
        ("if training:\n    return tf.py_function(f, [x], tf.float32)", 0),
        ("if tf.executing_eagerly():\n    return tf.py_function(f, [x], tf.float32)", 0),
        ("g = tf.py_function\nreturn g(f, [x], tf.float32)", 1),
        ("return f.py_function(x)", 0),
    ],
)
def test_python_that_runs_in_the_graph_is_noted(body: str, count: int) -> None:
    found = list(call_flow(body, parameters="x, training=None").all(PythonOperation))
    assert len(found) == count


# -- attributes --------------------------------------------------------------------------

ATTRIBUTES = {
    "self.a = layers.Dense(3)": "keras.layers.Dense",
    "self.a = tf.Variable(1.0)": "tensorflow variable",
    "self.a = K.variable(1.0)": "tensorflow variable",
    "self.a = keras.Variable(1.0)": "keras variable",
    "self.a = self.add_weight('a', (3,))": "weight variable",
    "self.a = np.random.rand(3)": "random array",
    "self.a = tf.random.normal([3])": "random array",
    "self.a = np.zeros(3)": "filled array",
    "self.a = np.arange(3)": "table array",
    "self.a = np.random.default_rng().normal(size=3)": "random array",
    "self.a = np.random.default_rng(1).normal(size=3)": "table array",
    "np.random.seed(1)\nself.a = np.random.rand(3)": "table array",
    "self.a = n": "argument",
    "self.a = n * 2": "argument",
    "self.a = n or 3": "argument",
    "self.a = [layers.Dense(3)]": "[keras.layers.Dense]",
    "self.a = []\nself.a.append(layers.Dense(3))": "[keras.layers.Dense, ...]",
    "self.a = []\nfor i in n:\n    self.a.append(layers.Dense(i))": "[keras.layers.Dense, ...]",
    "self.a = [layers.Dense(3) for _ in range(n)]": "[keras.layers.Dense, ...]",
    "self.a = {'d': layers.Dense(3)}": "{'d': keras.layers.Dense}",
    "self.a = None\nself.a = layers.Dense(3)": "keras.layers.Dense",
    "if n:\n    self.a = layers.Dense(3)": "keras.layers.Dense",
    "if n:\n    self.a = 1\nelse:\n    self.a = 2": "?",
    "self.helper(layers.Dense(3))": "keras.layers.Dense",
    "a = layers.Dense(3)\nself.a = a": "keras.layers.Dense",
    "self.a, self.c = layers.Dense(3), 1": "keras.layers.Dense",
    "self.a = self.c = layers.Dense(3)": "keras.layers.Dense",
    "self.a: layers.Layer = layers.Dense(3)": "keras.layers.Dense",
    "me = self\nme.a = layers.Dense(3)": "keras.layers.Dense",
    "self.a = make()": "keras.layers.Dense",
    "self.a = Part()": "Part",
    "self.a = 1\nself.a += 1": "?",
    "self.a = keras.Sequential([layers.Dense(3)])": "keras.Sequential",
    "setattr(self, 'a', 1)": "?",
    "self.c = 1": "?",
}


@each(ATTRIBUTES)
@pytest.mark.parametrize("method", ["__init__", "build"])
def test_an_attribute_is_what_the_constructor_or_build_made_of_it(
    body: str, expected: str, method: str
) -> None:
    methods = f"def {method}(self, n):\n    " + body.replace("\n", "\n    ")
    methods += "\ndef helper(self, y): self.a = y"
    head = "def make(): return layers.Dense(3)\nclass Part(keras.layers.Layer): pass"
    assert returned("return self.a", methods=methods, head=head) == expected


INHERITED = """\
class Base(keras.Model):
    def __init__(self):
        self.a = layers.Dense(3)
        self.b = layers.Dense(3)
    def build(self, shape):
        self.c = layers.Dense(3)

class Net(Base):
    def __init__(self):
        super().__init__()
        self.b = layers.LSTM(3)
    def call(self, x):
        return self.a, self.b, self.c
"""


def test_attributes_come_from_the_bases_in_the_file() -> None:
    found = told(keras_class(HEAD + INHERITED).flow("call").result)
    assert found == "[keras.layers.Dense, keras.layers.LSTM, keras.layers.Dense]"


@pytest.mark.parametrize(
    ("body", "hows"),
    [
        ("self.a = x", [("a", "assign")]),
        ("self.a += x", [("a", "augment")]),
        ("self.a[0] = x", [("a", "item")]),
        ("self.a['b'] = x", [("a", "item")]),
        ("self.a.append(x)", [("a", "append")]),
        ("self.a['b'].extend(x)", [("a", "append")]),
        ("self.a, self.b = x, x", [("a", "assign"), ("b", "assign")]),
        ("for self.a in x: pass", [("a", "assign")]),
        ("with x as self.a: pass", [("a", "assign")]),
        ("a = x", []),
        ("other.a = x", []),
        ("self.a.b = x", []),
        ("if tf.executing_eagerly():\n    self.a = x", []),
    ],
)
def test_a_store_on_self_is_noted(body: str, hows: list[tuple[str, str]]) -> None:
    found = [(store.name, store.how) for store in call_flow(body).all(AttributeStore)]
    assert found == hows


@pytest.mark.parametrize(
    ("body", "conditional"),
    [
        ("self.a = x", False),
        ("with b: self.a = x", False),
        ("if b: self.a = x", True),
        ("for _ in b: self.a = x", True),
        ("self.own(x)", False),
        ("if b: self.own(x)", True),
    ],
)
def test_a_store_knows_whether_it_always_happens(body: str, conditional: bool) -> None:
    flow = call_flow(body, methods="def own(self, y): self.a = y")
    assert [store.conditional for store in flow.all(AttributeStore)] == [conditional]


@pytest.mark.parametrize(
    ("body", "attributes"),
    [
        ("return x * self.w", ["w"]),
        ("return self.w @ x", ["w"]),
        ("return tf.matmul(x, self.w)", ["w"]),
        ("return tf.einsum('bi,ij->bj', x, self.w)", ["w"]),
        ("w = self.w\nreturn x + w", ["w"]),
        ("return x + tf.cast(self.w, tf.float32)", ["w"]),
        ("return self.w * 2", []),
        ("return x * 2", []),
        ("return x, self.w", []),
    ],
)
def test_an_array_of_self_meets_the_inputs(body: str, attributes: list[str]) -> None:
    flow = call_flow(body, methods="def __init__(self): self.w = np.random.rand(3, 3)")
    assert [event.attribute for event in flow.all(Combination)] == attributes


# -- layers ------------------------------------------------------------------------------

LAYERS = """\
def __init__(self):
    super().__init__()
    self.dense = layers.Dense(3)
    self.blocks = [layers.Dense(3), layers.LSTM(3)]
    self.named = {'a': layers.GRU(3)}

def own(self, y):
    return self.dense(y)
"""


@pytest.mark.parametrize(
    ("body", "called"),
    [
        ("return self.dense(x)", ["Dense"]),
        ("return self.own(x)", ["Dense"]),
        ("return self.blocks[1](x)", ["LSTM"]),
        ("return self.named['a'](x)", ["GRU"]),
        ("for block in self.blocks:\n    x = block(x)\nreturn x", ["Dense"]),
        ("return layers.Conv2D(3, 3)(x)", ["Conv2D"]),
        ("d = self.dense\nreturn d(d(x))", ["Dense", "Dense"]),
        ("return self.unheard_of(x)", []),
        ("return self.dense", []),
    ],
)
def test_calls_of_layers_are_noted(body: str, called: list[str]) -> None:
    flow = call_flow(body, methods=LAYERS)
    assert [event.layer.name.rpartition(".")[2] for event in flow.all(LayerCall)] == called


@pytest.mark.parametrize(
    ("body", "made"),
    [
        ("return layers.Dense(3)(x)", [("keras.layers.Dense", False, 1)]),
        ("if training:\n    x = layers.Dense(3)(x)\nreturn x", [("keras.layers.Dense", True, 1)]),
        ("return self.make()(x)", [("keras.layers.ReLU", False, 2)]),
        ("return x * tf.Variable(1.0)", [("tensorflow variable", False, 1)]),
        ("w = self.add_weight()\nreturn x * w", [("weight variable", False, 1)]),
        ("return self.dense(x)", []),
    ],
)
def test_what_is_made_is_noted(body: str, made: list[tuple[str, bool, int]]) -> None:
    methods = """
        def make(self):
            return layers.ReLU()

        def build(self, shape):
            self.dense = layers.Dense(3)
    """
    flow = call_flow(body, parameters="x, training=False", methods=methods)
    events = flow.all(Creation)
    assert [(told(e.value), e.conditional, len(e.inside)) for e in events] == made


def test_a_stack_of_layers_is_noted() -> None:
    text = HEAD + "model = keras.Sequential([layers.Dense(3), layers.ReLU()])\n"
    text += "model.save('p')\n"
    (stack,) = [event for flow in model(text).scopes for event in flow.all(Stack)]
    assert [told(layer) for layer in stack.layers] == ["keras.layers.Dense", "keras.layers.ReLU"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("super().__init__(name='n')", ["super __init__"]),
        ("super(Net, self).build(s)", ["super build"]),
        ("self(1)", ["self call"]),
        ("self.build((None, 3))", ["self build"]),
        ("super().__init__()\nself.build(1)", ["super __init__", "self build"]),
    ],
)
def test_what_an_object_does_to_itself_is_noted(body: str, expected: list[str]) -> None:
    text = f"{HEAD}class Net(keras.Model):\n    def __init__(self):\n        "
    text += body.replace("\n", "\n        ") + "\n"
    found = []
    for event in keras_class(text).flow("__init__").events:
        if isinstance(event, SuperCall):
            found.append(f"super {event.method}")
        elif isinstance(event, SelfContact):
            found.append(f"self {event.how}")
    assert found == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("self.w = self.add_weight('w', (6,))", ["add_weight: 'w', [6]"]),
        ("if deep:\n    self.add_variable(name='w')", ["add_variable in a branch: 'w'"]),
        ("self.w = [self.add_weight() for _ in range(2)]", ["add_weight in a branch: "]),
        ("self.w = self.make(name='w')", ["add_weight: 'w'"]),
        ("self.w = other.add_weight(name='w')", []),
        ("self.w = self.mine.add_weight(name='w')", []),
    ],
)
def test_the_making_of_a_weight_is_noted(body: str, expected: list[str]) -> None:
    text = f"{HEAD}class Net(keras.layers.Layer):\n    def build(self, shape):\n        "
    text += body.replace("\n", "\n        ") + "\n"
    text += "    def make(self, name):\n        return self.add_weight(name=name)\n"
    found = []
    for event in keras_class(text).flow("build").all(WeightCall):
        how = " in a branch" if event.conditional else ""
        given = ", ".join(told(argument.value) for argument in event.arguments.items)
        found.append(f"{code(event.node.func).rpartition('.')[2]}{how}: {given}")
    assert found == expected


def test_a_class_s_own_add_weight_is_followed_instead() -> None:
    text = f"{HEAD}class Net(keras.layers.Layer):\n    def build(self, shape):\n"
    text += "        self.add_weight('w')\n    def add_weight(self, name):\n        pass\n"
    assert not list(keras_class(text).flow("build").all(WeightCall))


def test_the_names_that_a_class_body_assigns_are_known() -> None:
    text = f"{HEAD}class Net(keras.Model):\n    a = b = 1\n    c: int = 2\n    d: int\n"
    text += "    def e(self):\n        f = 3\n"
    assert keras_class(text).outline.assigned == {"a", "b", "c"}


# -- scripts -----------------------------------------------------------------------------

SCRIPT = HEAD + "class Net(keras.Model): pass\nclass Other(keras.Model): pass\n"


def told_scripts(text: str) -> list[str]:
    """In order, what happens to instances in the scopes of a file, and what is saved."""
    found = []
    for flow in model(text).scopes:
        for event in flow.events:
            if isinstance(event, Contact):
                found.append(f"{told(event.instance)} {event.how}")
            elif isinstance(event, SaveCall):
                found.append(f"{event.how} of {told(event.receiver)}")
    return found


SCRIPTS = {
    "m = Net()\nm(1)\ntf.saved_model.save(m, 'p')": ["Net call", "saved_model of Net"],
    "m = Net()\nm.fit(1)\nm.save('p')": ["Net fit", "save of Net", "Net save"],
    "m, n = Net(), Other()\nn(1)\ntf.saved_model.save(n, 'p')": [
        "Other call",
        "saved_model of Other",
    ],
    "tf.saved_model.save(Net(), 'p')": ["saved_model of Net"],
    "m = n = Net()\nn(1)\nm.export('p')": ["Net call", "export of Net", "Net export"],
    "m = [Net()]\nm[0](1)\ntf.saved_model.save(m[0], 'p')": ["Net call", "saved_model of Net"],
    "m = {'a': Net()}\ntf.saved_model.save(m['a'], 'p')": ["saved_model of Net"],
    "def make(): return Net()\nm = make()\ntf.saved_model.save(m, 'p')": ["saved_model of Net"],
    "def use(m): m(1)\nuse(Net())": ["Net call"],
    "def make():\n    m = Net()\n    m(1)\n    return m\nm = make()\ntf.saved_model.save(m, 'p')": [
        "Net call",
        "Net call",
        "saved_model of Net",
    ],
    "train(Net())": ["Net passed"],
    "for m in [Net(), Net()]:\n    m(1)": ["Net call"],
    "with scope():\n    m = Net()\nm(1)": ["Net call"],
    "if a:\n    m = Net()\nelse:\n    m = Net()\ntf.saved_model.save(m, 'p')": [
        "saved_model of model"
    ],
    "try:\n    m = Net()\nexcept E:\n    raise\nm(1)": ["Net call"],
    "m = Net()\nm = Other()\nm(1)": ["Other call"],
    "m = Net()\nm.layer.inner(1)": [],
    "m = Net() if a else None\nm(1)": ["Net call"],
    "lambda: Net()": [],
    "m = keras.models.load_model('p')\nm.save('q')": ["save of model"],
    "tf.saved_model.save(m, 'p')": ["saved_model of ?"],
}


@pytest.mark.parametrize(("script", "expected"), SCRIPTS.items(), ids=SCRIPTS)
def test_a_script_is_followed_in_the_order_of_its_statements(
    script: str, expected: list[str]
) -> None:
    found = told_scripts(f"{SCRIPT}{script}\n")
    # Functions are read as places of their own too, before the module.
    assert found[len(found) - len(expected) :] == expected
    assert bool(found) is bool(expected)


IDIOMS = {
    "guard": "def main():\n    m = Net()\n    m(1)\n    tf.saved_model.save(m, 'p')\n"
    "if __name__ == '__main__':\n    main()\n",
    "parts": "def make(): return Net()\ndef use(m): m(1)\n"
    "def save(m): tf.saved_model.save(m, 'p')\n"
    "def main():\n    m = make()\n    use(m)\n    save(m)\nmain()\n",
    "app": "def main(argv):\n    m = Net()\n    m(1)\n    tf.saved_model.save(m, 'p')\n"
    "if __name__ == '__main__':\n    app.run(main)\n",
    "class": "class Trainer:\n    def run(self):\n        m = Net()\n        m(1)\n"
    "        tf.saved_model.save(m, 'p')\n",
    "attribute": "class Trainer:\n    def __init__(self):\n        self.m = Net()\n"
    "    def run(self):\n        self.m(1)\n        tf.saved_model.save(self.m, 'p')\n",
}


@pytest.mark.parametrize("script", IDIOMS.values(), ids=IDIOMS)
def test_a_save_is_seen_in_every_idiom(script: str) -> None:
    found = told_scripts(SCRIPT + script)
    start = found.index("Net call")
    assert "saved_model of Net" in found[start:]


def test_instances_are_told_apart_by_where_they_are_made() -> None:
    text = f"{SCRIPT}m = Net()\nn = Net()\nm(1)\nn(1)\nm(2)\n"
    (flow,) = [f for f in model(text).scopes if list(f.all(Contact))]
    first, second, third = (event.instance for event in flow.all(Contact))
    assert isinstance(first, Instance)
    assert first.node is third.node and first.node is not second.node


def test_an_attribute_s_instance_says_whose_it_is() -> None:
    flow = call_flow("return self.dense(x)", methods=LAYERS)
    (event,) = flow.all(LayerCall)
    assert event.layer.attribute == "dense"


# -- events are in the order of running ------------------------------------------------------


def test_events_are_in_the_order_in_which_they_run() -> None:
    text = net(
        "x = self.one(x)\nfor _ in range(2):\n    x = self.two(x)\nreturn tail(x)",
        methods="""\
def one(self, y): return tf.reshape(y, [tf.shape(y)[0], 1])
def two(self, y): return tf.reshape(self.one(y), [tf.shape(y)[0], 2])
""",
        head="def tail(y): return tf.reshape(y, [tf.shape(y)[0], 3])",
    )
    found = model(text)
    (cls,) = found.classes
    lines = [found.text(use.argument)[-2] for use in cls.flow("call").all(ShapeUse)]
    assert lines[0] == "1" and lines[-1] == "3"
    assert lines == sorted(lines)


def test_a_dimension_knows_where_it_was_read() -> None:
    found = model(net("b = tf.shape(x)[0]\nc, d = ops.shape(x)\nreturn tf.zeros([b, c])"))
    (use,) = found.classes[0].flow("call").all(ShapeUse)
    dims = [dim for dim in getattr(use.value, "items", ()) if isinstance(dim, Dim)]
    assert [found.text(dim.read) for dim in dims] == ["tf.shape(x)[0]", "c"]
    assert [dim.unpacking is None for dim in dims] == [True, False]


# -- size: steps, not seconds ---------------------------------------------------------------


def test_a_long_call_has_an_event_for_each_statement() -> None:
    lines = ["x = tf.reshape(x, [tf.shape(x)[0], 6])"] * 500 + ["return x"]
    flow = call_flow("\n".join(lines))
    assert len(list(flow.all(ShapeUse))) == 500
    assert told(flow.result) == "tensor 0"


def calls(work: Callable[[], object]) -> int:
    """How many Python functions run during the work."""
    count = 0

    def noted(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(noted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "nested",
    ["a[{}]", "s[:{}]", "s[{}:]", "tf.shape({})", "(b := {})", "[{}][0]", "{} + x", "f({})"],
)
def test_what_is_nested_is_read_once(nested: str) -> None:
    """Else the work would double with each level."""

    def work(depth: int) -> None:
        expression = "self(1)"
        for _ in range(depth):
            expression = nested.format(expression)
        call_flow(f"a = [0, x]\ns = x.shape\nf = lambda y: y\nreturn {expression}")

    work(1)
    assert calls(lambda: work(16)) < 3 * calls(lambda: work(8))


@pytest.mark.parametrize("body", ["y = (y, y)", "y = y + y", "y = [*y, *y]", "y = {1: y, 2: y}"])
@pytest.mark.parametrize("start", ["[x]", "(1, x)", "'a'", "x"])
def test_a_value_does_not_grow_without_bound(start: str, body: str) -> None:
    """Else a value, and the work on it, would double with each statement."""

    def work(count: int) -> str:
        return returned("\n".join([f"y = {start}", *[body] * count, "return y"]))

    assert max(len(work(count)) for count in range(13, 17)) < 10_000
    assert calls(lambda: work(16)) < 3 * calls(lambda: work(8))


def tangled(count: int, self: str) -> str:
    """Functions of which each calls five others."""
    generator = random.Random(count)
    parameters = "self, x" if self else "x"
    return "\n".join(
        f"def m{n}({parameters}): return "
        + " + ".join(f"{self}m{generator.randrange(count)}(x)" for _ in range(5))
        for n in range(count)
    )


@pytest.mark.parametrize("count", [10, 400])
def test_functions_that_all_call_each_other_are_read_in_bounded_steps(count: int) -> None:
    """The work is bounded for each method, whatever the number of ways through the file."""
    flow = call_flow("return m0(x)", head=tangled(count, ""))
    assert len(flow.entered) <= min(2 * count + 2, 250)


@pytest.mark.parametrize("count", [10, 60])
def test_methods_that_all_call_each_other_are_read_in_bounded_steps(count: int) -> None:
    cls = keras_class(net("return self.m0(x)", methods=tangled(count, "self.")))
    assert len(cls.flows) == count + 1
    assert max(len(flow.entered) for flow in cls.flows.values()) <= min(2 * count + 2, 250)


@given(st.integers(1, 12))
@settings(max_examples=12, deadline=None)
def test_a_helper_called_twice_at_each_level_is_read_once(depth: int) -> None:
    """Without what was read before, the work would double with each level."""
    methods = [f"def m{n}(self, y): return self.m{n + 1}(self.m{n + 1}(y))" for n in range(depth)]
    methods.append(f"def m{depth}(self, y): return y")
    flow = call_flow("return self.m0(x)", methods="\n".join(methods))
    assert len(flow.entered) <= 2 * depth + 4


@given(st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_a_ring_of_functions_ends(length: int) -> None:
    head = "\n".join(f"def f{n}(a): return f{(n + 1) % length}(a)" for n in range(length))
    assert returned("return f0(x)", head=head) == "tensors ?"


# -- properties --------------------------------------------------------------------------

BLOCKS: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["y = x", "y = y + 1", "x = x", "pass", "z = (x, y)", "y = x if a else y"]),
        st.tuples(
            st.sampled_from(
                [
                    "if a:\n{0}\nelse:\n{1}",
                    "for i in b:\n{0}\n{2}",
                    "while a:\n{0}",
                    "with c:\n{0}\n{2}",
                    "try:\n{0}\nexcept E:\n{1}",
                    "match a:\n    case 1:\n{3}",
                    "def f(x):\n{0}",
                ]
            ),
            BLOCKS,
            BLOCKS,
        ).map(
            lambda parts: parts[0].format(
                indented(parts[1]), indented(parts[2]), parts[2], indented(indented(parts[1]))
            )
        ),
    )
)


def indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


@pytest.mark.parametrize(
    ("before", "expression", "expected"),
    [
        ("G = layers.Dense(3)", "G(x)", [("G", False)]),
        ("G = tf.Variable(1.0)", "x * G + G", [("G", False), ("G", False)]),
        ("G = {'a': [layers.Dense(3)]}", "G['a'][0](x)", [("G", False)]),
        ("G, H = layers.Dense(3), 2", "G(x) * H", [("G", False)]),
        ("def make(): return layers.Dense(3)\nG = make()", "G(x)", [("G", False)]),
        ("G = layers.Dense(3)\ndef use(y): return G(y)", "use(x)", [("G", False)]),
        ("class Held:\n    g = tf.Variable(1.0)", "x * Held.g", [("g", True)]),
        ("G = layers.Dense(3)\nG = layers.Dense(4)", "G(x)", []),
        ("G = np.ones(3)", "x * G", []),
        ("G = layers.Dense(3)", "(lambda G: G)(x)", []),
    ],
)
def test_what_the_module_or_a_class_makes_is_noted_where_it_is_read(
    before: str, expression: str, expected: list[tuple[str, bool]]
) -> None:
    head = f"{HEAD}{before}\n"
    text = f"class Net(keras.Model):\n    def call(self, x):\n        return {expression}\n"
    flow = model(head + text).classes[-1].flow("call")
    assert [(r.name, r.owner is not None) for r in flow.all(OuterRead)] == expected


def test_what_the_body_of_a_class_makes_is_noted_unless_the_constructor_sets_it() -> None:
    text = (
        f"{HEAD}class Base(keras.Model):\n    g = layers.Dense(3)\n    h = layers.Dense(3)\n"
        "class Net(Base):\n    def __init__(self):\n        self.h = layers.Dense(4)\n"
        "    def call(self, x, training=False):\n        if training:\n            x = self.g(x)\n"
        "        return self.h(self.g(x))\n"
    )
    reads = list(model(text).classes[-1].flow("call").all(OuterRead))
    assert [(read.name, read.in_training) for read in reads] == [("g", True), ("g", False)]
    assert all(read.owner is not None for read in reads)


@given(BLOCKS)
@settings(max_examples=60, deadline=None)
def test_whatever_the_branches_the_input_stays_the_input(block: str) -> None:
    assert returned(f"y = x\n{block}\nreturn x, y") == "[tensor 0, tensor 0]"


@given(BLOCKS)
@settings(max_examples=40, deadline=None)
def test_whatever_the_branches_the_unknown_stays_unknown(block: str) -> None:
    assert returned(f"x = unknown\ny = unknown\n{block}\nreturn x, y") == "[?, ?]"


@given(BLOCKS, BLOCKS)
@settings(max_examples=40, deadline=None)
def test_what_stands_behind_a_return_does_not_count(before: str, behind: str) -> None:
    once = returned(f"y = x\n{before}\nreturn x, y")
    assert returned(f"y = x\n{before}\nreturn x, y\n{behind}\nreturn 1") == once
