"""What a function returns, on which way, and what a signature of the file does."""

from __future__ import annotations

import pytest

from keras_model import HEAD, call_flow, model, told
from savelint.keras.events import Returned
from savelint.keras.values import Const


def returns(body: str, head: str = "") -> list[str]:
    """Each return in words: `?` where it depends on a condition, `!` in training only."""
    flow = call_flow(body, parameters="x, training=None", head=head)
    return [
        told(found.value) + "?" * found.sometimes + "!" * found.in_training
        for found in flow.all(Returned)
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return x", ["tensor 0"]),
        ("y = {'a': x, 1: None}\nreturn y", ["{'a': tensor 0, 1: None}"]),
        ("if a:\n    return None\nreturn x", ["None?", "tensor 0"]),
        ("if training:\n    return x, x\nreturn x", ["[tensor 0, tensor 0]?!", "tensor 0"]),
        ("if not training:\n    return x\nreturn x, x", ["tensor 0?", "[tensor 0, tensor 0]!"]),
        ("y = x", ["None"]),
        ("if a:\n    return x", ["tensor 0?", "None"]),
        ("raise NotImplementedError", []),
        ("def f(y):\n    return None\nreturn f(x)", ["None"]),
        ("return one(x)", ["[tensor 0]"]),
    ],
)
def test_the_returns_of_the_function_itself_are_noted(body: str, expected: list[str]) -> None:
    assert returns(body, "def one(x):\n    return [x]\n") == expected


SAVED = """
class Net(keras.Model):
    def call(self, x):
        return x

net = Net()
net(tf.zeros([1, 6]))
spec = [tf.TensorSpec([None, 6], tf.float32)]

@tf.function(input_signature=spec)
def serve(x):
    return {"a": x.shape, "b": net(x)}

"""


@pytest.mark.parametrize(
    ("save", "expected"),
    [
        ('tf.saved_model.save(net, "d", signatures=serve)', ["serve"]),
        ('tf.saved_model.save(net, "d", {"one": serve, "two": net.call})', ["serve"]),
        (
            'tf.saved_model.save(net, "d", signatures=tf.function(lambda x: {1: x}, spec))',
            ["<lambda>"],
        ),
        ('a = keras.export.ExportArchive()\na.add_endpoint("one", serve, spec)', ["serve"]),
        ('tf.saved_model.save(net, "d")', []),
    ],
)
def test_a_function_that_is_served_is_read(save: str, expected: list[str]) -> None:
    assert [function.name for function, _ in model(HEAD + SAVED + save).served] == expected


def test_what_it_is_given_are_tensors() -> None:
    (served,) = model(HEAD + SAVED + 'tf.saved_model.save(net, "d", signatures=serve)').served
    (found,) = served[1].all(Returned)
    assert told(found.value) == "{'a': static shape, 'b': tensors ?}"
    assert found.value != Const(None)
