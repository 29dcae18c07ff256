"""SVL208 beyond its examples: what counts as a use, and which fix is offered."""

from __future__ import annotations

import pytest

from savelint.analysis import analyse
from savelint.finding import Finding, Safety
from savelint.keras.generation import Keras
from savelint.rules import RULES
from savelint.source import Source

HEAD = "import tensorflow as tf\nfrom tensorflow import keras\nfrom keras import layers\n"
DENSE = "G = layers.Dense(6)"


def net(before: str, body: str = "return G(x)", init: str = "self.d = layers.Dense(3)") -> str:
    """A file with one model; `init` is the last line of its constructor."""
    start = f"    def __init__(self):\n        super().__init__()\n        {init}\n" if init else ""
    call = f"    def call(self, x):\n        {body}\n"
    return f"{HEAD}{before}\n\nclass Net(keras.Model):\n{start}{call}"


def findings(text: str, keras: Keras = Keras.V3) -> list[Finding]:
    rules = [rule for rule in RULES if rule.code == "SVL208"]
    return list(analyse(Source("net.py", text), rules, keras).findings)


@pytest.mark.parametrize(
    ("before", "body"),
    [
        (DENSE, "return G.call(x)"),
        (DENSE, "return x @ G.kernel"),
        ("G = (layers.Dense(6), layers.Dropout(0.5))", "return G[1](G[0](x))"),
        ("G = {'a': layers.Dense(6)}", "for g in G.values(): x = g(x)\n        return x"),
        ("G = [layers.Dense(6)]", "for i, g in enumerate(G): x = g(x)\n        return x"),
        ("G = keras.Sequential([layers.StringLookup()])", "return G(x)"),
        ("class Sub(layers.Layer):\n    def build(self, shape):\n"
         "        self.w = self.add_weight(shape=())\n    def call(self, x): return x * self.w\n"
         "G = Sub()", "return G(x)"),
        ("G = keras.Variable(1.0)", "return tf.add(x, G)"),
        ("G = tf.Variable(1.0)", "return x * G.read_value()"),
        ("G = tf.lookup.experimental.MutableHashTable(tf.int64, tf.int64, 0)", "return G.size()"),
    ],
)  # fmt: skip
def test_a_use_is_found(before: str, body: str) -> None:
    assert len(findings(net(before, body))) == 1


@pytest.mark.parametrize(
    ("before", "body"),
    [
        (DENSE, "return x * G.units"),
        ("G = [layers.Dense(6)]", "return x * len(G)"),
        ("G = [layers.Dropout(0.5)]", "return G[0](x)"),
        ("G = tf.Variable(1.0)", "return x + tf.zeros(G.shape)"),
        ("G = tf.Variable(1.0)", "return x if isinstance(G, tf.Variable) else x"),
        ("G = tf.Variable(1.0)", "global G\n        return x * G"),
        ("class Sub(layers.Layer):\n    def call(self, x): return x\nG = Sub()", "return G(x)"),
        (f"{DENSE}\ndef build(inputs): return G(inputs)", "return G(x)"),
        (f"{DENSE}\nclass Other(keras.Model):\n    def build(self, s): self.g = G", "return G(x)"),
    ],
)
def test_no_use_is_found(before: str, body: str) -> None:
    assert not findings(net(before, body))


def test_a_class_says_it_once() -> None:
    assert len(findings(net(DENSE, "return G(G(x))"))) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (net(DENSE), "        self.g = G"),
        (net("_GATE = layers.Dense(6)", "return _GATE(x)"), "        self.gate = _GATE"),
        (net(DENSE, init=""), None),
        (net(DENSE, init="self.g = 3"), None),
        (net("layers_ = [layers.Dense(6)]", "return layers_[0](x)"), None),
        (net("LAYERS = [layers.Dense(6)]", "return LAYERS[0](x)"), None),
        (net("G = tf.Variable(1.0)", "return x * G"), None),
    ],
)  # fmt: skip
def test_the_fix_keeps_the_object_where_it_can(text: str, line: str | None) -> None:
    (finding,) = findings(text)
    assert finding.fix is not None
    if line is None:
        assert finding.fix.safety is Safety.DISPLAY
    else:
        assert finding.fix.safety is Safety.UNSAFE
        assert [edit.replacement.rstrip("\n") for edit in finding.fix.edits] == [line]
