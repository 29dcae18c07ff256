"""What SVL204 to SVL207 see in containers, and what they let be."""

from __future__ import annotations

import pytest

from keras_model import HEAD, codes
from savelint.keras.generation import Keras

COLLECTIONS = "import collections\nimport functools\n"


def constructed(body: str, call: str = "return x", base: str = "keras.Model") -> str:
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    return (
        f"{HEAD}{COLLECTIONS}\nclass Net({base}):\n"
        "    def __init__(self, **kwargs):\n        super().__init__(**kwargs)\n"
        f"{lines}\n    def call(self, x):\n        {call}\n"
    )


SAME = {
    "both": "a = layers.Dense(6)\nself.b = {a}\nself.c = a",
    "by hand": "self.b = {layers.Dense(6)}\nself._trainable_weights = []",
    "unused": "self.d = {layers.Dense(6)}",
    "another value": "self.b = {layers.Dense(6)}\nself.b = [layers.Dense(6)]",
    "handed on": "a = layers.Dense(6)\nself.b = lambda y: a(y)\nself._track_layer(a)",
    "in a wrapper": "a = layers.Dense(6)\nself.b = lambda y: a(y)\n"
    "self.c = layers.TimeDistributed(a)",
    "unknown": "self.b = set(make())",
}


@pytest.mark.parametrize("body", SAME.values(), ids=SAME)
def test_a_layer_that_may_be_seen_is_not_reported(body: str) -> None:
    text = constructed(body, "return [b(x) for b in self.b]")
    assert codes(text) == []


def test_a_layer_in_a_list_of_functions_is_hidden() -> None:
    body = "self.b = []\nfor _ in range(2):\n    d = layers.Dense(6)\n"
    body += "    self.b.append(lambda y, d=d: d(y))"
    assert codes(constructed(body, "return self.b[0](x)")) == ["SVL204"]


def test_a_sequential_model_is_as_its_layers() -> None:
    for layer, expected in (("Dense(6)", ["SVL204"]), ("Dropout(0.1)", [])):
        body = f"b = keras.Sequential([layers.{layer}])\nself.b = lambda y: b(y)"
        assert codes(constructed(body, "return self.b(x)")) == expected


NESTS = [
    "[[layers.Dense(6)]]",
    "[(layers.Dense(6), layers.Dense(6))]",
    "{'a': [layers.Dense(6)]}",
    "{'a': {'b': layers.Dense(6)}}",
    "([layers.Dense(6)],)",
]


@pytest.mark.parametrize("nest", NESTS)
def test_keras_2_loses_what_a_layer_nests(nest: str) -> None:
    text = constructed(f"self.b = {nest}", "return self.b", "layers.Layer")
    assert codes(text, Keras.V2) == ["SVL207"]
    assert "SVL207" not in codes(text.replace("layers.Layer)", "keras.Model)"), Keras.V2)


@pytest.mark.parametrize("nest", NESTS)
def test_keras_3_does_not_wrap_tuples(nest: str) -> None:
    expected = [] if nest.startswith("[(") else ["SVL207"]
    assert codes(constructed(f"self.b = {nest}")) == expected


CHANGES = {
    "self.b = [layers.Dense(6)]\nself.b[0] = layers.Dense(6)": (True, True),
    "self.b = [None]\nself.b[0] = layers.Dense(6)": (True, False),
    "self.b = [layers.Dense(6)]\nself.b.pop()": (False, True),
    "self.b = [layers.Dense(6)]\ndel self.b[0]": (False, True),
    "self.b = [layers.Dense(6)]\nself.b.insert(0, layers.Dense(6))": (False, True),
    "self.a = layers.Dense(6)\nself.b = [None]\nself.b[0] = self.a": (False, False),
    "a = []\nself.b = a\na.append(layers.Dense(6))": (True, True),
    "a = {}\nself.b = a\na['x'] = layers.Dense(6)": (True, True),
    "a = []\nself.b = a\na.append(layers.Dense(6))\nself.b = a": (False, False),
    "self.b = {}\nself.b['x'] = []\nself.b['x'].append(layers.Dense(6))": (True, False),
    "self.b = {}\nself.b.setdefault('x', []).append(layers.Dense(6))": (True, False),
    "self.b = {}\nself.b.setdefault('x', layers.Dense(6))": (True, True),
    "self.b = [1]\nself.b[0] = 2\nself.b.pop()": (False, False),
}


@pytest.mark.parametrize(("body", "expected"), CHANGES.items())
def test_each_generation_misses_changes_of_its_own(body: str, expected: tuple[bool, bool]) -> None:
    text = constructed(body, "return [b for b in self.b]")
    found = [codes(text, keras) == ["SVL205"] for keras in (Keras.V3, Keras.V2)]
    assert found == list(expected)
