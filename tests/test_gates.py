"""What is left out to save time is never what holds a defect, and layout is never part of it.

Files are put together from parts, so that each part meets every other one.
"""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Callable
from io import StringIO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keras_model import analysis, codes
from savelint.analysis import analyse
from savelint.keras.generation import Keras
from savelint.rule import Rule
from savelint.rules import RULES
from savelint.source import Source

SHIPPED = [t for r in RULES for e in r.examples for t in (e.bad, e.good)]
SHIPPED += [t for r in RULES for t in r.silent]

IMPORTS = [
    "import tensorflow as tf\nfrom tensorflow import keras\n",
    "import tensorflow as tf\nimport keras\n",
    "import tf_keras as keras\nimport tensorflow as tf\n",
    "import tensorflow as tf\nkeras = tf.keras\n",
    "try:\n    from tensorflow import keras\nexcept ImportError:\n    import keras\n"
    "import tensorflow as tf\n",
]
BASES = ["keras.Model", "keras.layers.Layer", "tf.Module", "Base", "Mixin, keras.Model", "object"]
CONSTRUCTORS = [
    "super().__init__()",
    "super().__init__(**kwargs)\nself.dense = keras.layers.Dense(3)",
    "super().__init__()\nself.dense = make()\nself.scale = tf.Variable(1.0)",
    "super().__init__()\nself.dense = Part()\nself.table = np.random.randn(6, 3)",
    "super().__init__()\nself.call = tf.function(self.call)",
    "super().__init__()\nself(keras.Input((6,)))",
    "super().__init__()\nself.build((None, 6))\nself.rows = ROWS",
    "super().__init__()\nself.run = folded",
]
CALLS = [
    "return x",
    "return tf.reshape(x, [tf.shape(x)[0], 2, 3])",
    "return tf.reshape(x, [x.shape[0], 2, 3])",
    "return folded(x)",
    "return self.helper(x)",
    "return super().call(x)",
    "batch, width = x.shape\nreturn tf.zeros([batch, width])",
    "a, b = tf.shape(x)\nreturn tf.reshape(x, [a * 2, -1])",
    "return self.dense(tf.reshape(x, [tf.shape(x)[0], -1]))",
    "return x @ self.table",
    "def inner(y):\n    return tf.ones([len(y), 3])\nreturn inner(x)",
    "if tf.executing_eagerly():\n    return folded(x)\nreturn Part()(x)",
    "for row in range(x.shape[0]):\n    x = x + row\nreturn x",
    "f = folded\nreturn f(x)",
    "return self.run(alias(x))",
    "return apply(folded, x)",
    "return TABLE['a'](x)",
]
DECORATORS = [
    "",
    "@tf.function\n",
    "@tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])\n",
    "@tf.function(input_signature=[tf.TensorSpec([4, 6], tf.float32)])\n",
    "@traced\n",
]
USES = [
    "",
    "net = Net()\nnet(tf.zeros([4, 6]))\ntf.saved_model.save(net, 'path')\n",
    "net = Net()\nnet.fit(data)\ntf.saved_model.save(net, 'path')\n",
    "net = Net()\nnet.export('path')\nnet.save('path.keras')\n",
    "net = Net()\ntf.saved_model.save(net, 'path', signatures=net.call)\n",
    "def main():\n    net = Net()\n    use(net)\n    tf.saved_model.save(net, 'path')\nmain()\n",
    "net = Net()\nnet.predict(SAMPLE)\ntf.saved_model.save(net, 'path', signatures=served)\n",
    "net = Net()\nnet.call = tf.function(net.call)\nnet.save('path')\n",
    "whole = keras.Sequential([Net(), keras.layers.Dense(3)])\nwhole.save('path')\n",
    "class Whole(keras.Model):\n    def __init__(self):\n        super().__init__()\n"
    "        self.net = Net()\n    def call(self, x):\n        return self.net(x)\n",
]
REST = [
    "import numpy as np\n",
    "ROWS = 4\nSAMPLE = tf.zeros([ROWS, 6])\n",
    "def folded(y):\n    return tf.reshape(y, [tf.shape(y)[0], 2, 3])\n",
    "def folded(y):\n    return deeper(y, y.shape[0])\ndef deeper(y, n):\n    return y * n\n",
    "if True:\n    def folded(y):\n        return tf.reshape(y, [tf.shape(y)[0], 6])\n",
    "def make():\n    return keras.layers.Dense(3)\n",
    "def use(model):\n    model.predict(tf.ones((4, 6)))\n",
    "class Base(keras.Model):\n    def call(self, x):\n"
    "        return tf.reshape(x, (tf.shape(x)[0], 6))\n",
    "class Base:\n    pass\n",
    "class Part(keras.layers.Layer):\n    def call(self, x):\n"
    "        return tf.tile(x, [x.shape[0], 1])\n",
    "class Part(keras.Model):\n    @tf.function\n    def call(self, x):\n        return x\n",
    "traced = tf.function(jit_compile=True)\n",
    "@tf.function\ndef served(x):\n    return x\n",
    "def unrelated():\n    return 'shape'\n",
    "folded = lambda y: tf.reshape(y, [tf.shape(y)[0], 2, 3])\n",
    "alias = folded\n",
    "alias = tf.function(folded)\n",
    "def apply(f, y):\n    return f(y)\n",
    "TABLE = {'a': folded}\n",
    "class Net(keras.layers.Layer):\n    def call(self, x):\n        return folded(x)\n",
    "def late(x):\n    import tensorflow as tf\n    return tf.reshape(x, [tf.shape(x)[0], 6])\n",
]


def indented(text: str, depth: int) -> str:
    return "".join(f"{'    ' * depth}{line}\n" for line in text.splitlines())


def program(
    base: str,
    call: str,
    *rest: str,
    imports: str = IMPORTS[0],
    constructor: str = CONSTRUCTORS[0],
    decorator: str = "",
    helper: bool = False,
    behind: bool = False,
    use: str = "",
) -> str:
    """A file with a class `Net`, what it needs or does not, and what is done with it."""
    net = (
        f"class Net({base}):\n"
        f"    def __init__(self, **kwargs):\n{indented(constructor, 2)}"
        f"{indented(decorator, 1)}    def call(self, x):\n{indented(call, 2)}"
    )
    net += "    def helper(self, y):\n        return folded(y)\n" if helper else ""
    return "\n\n".join([imports, *([net, *rest] if behind else [*rest, net]), use])


@st.composite
def programs(draw: st.DrawFn) -> str:
    return program(
        draw(st.sampled_from(BASES)),
        draw(st.sampled_from(CALLS)),
        *draw(st.lists(st.sampled_from(REST), unique=True, max_size=7)),
        imports=draw(st.sampled_from(IMPORTS)),
        constructor=draw(st.sampled_from(CONSTRUCTORS)),
        decorator=draw(st.sampled_from(DECORATORS)),
        helper=draw(st.booleans()),
        behind=draw(st.booleans()),
        use=draw(st.sampled_from(USES)),
    )


def renamed(text: str) -> str:
    """The program with other names for what it defines."""
    bound = {
        node.id if isinstance(node, ast.Name) else node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.ClassDef, ast.FunctionDef))
        or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    }
    special = {"call", "build", "get_config"}
    names = [name for name in bound - special if not name.startswith("__")]
    for name in names:
        text = re.sub(rf"\b{name}\b", f"{name}_2", text)
    return text


def essence(text: str, keras: Keras, *, gates: bool) -> list[tuple[object, ...]]:
    found = analysis(Source("model.py", text), keras, gates=gates)
    return [(f.code, f.span, f.message, f.note, f.labels, f.fix) for f in found.findings]


# A rule whose clue stands where the class is used, while another one has it read.
IN_A_CHAIN = program("keras.layers.Layer", CALLS[7], use=USES[8])


@given(programs(), st.sampled_from(Keras))
@example(IN_A_CHAIN, Keras.V2)
@settings(max_examples=80, deadline=None)
def test_gates_change_no_result(text: str, keras: Keras) -> None:
    assert essence(text, keras, gates=True) == essence(text, keras, gates=False)


@given(
    st.sampled_from(SHIPPED),
    st.sampled_from(SHIPPED),
    st.sampled_from([renamed, str]),
    st.sampled_from(Keras),
)
@settings(max_examples=40, deadline=None)
def test_gates_change_no_result_of_two_programs_in_one_file(
    one: str, other: str, names: Callable[[str], str], keras: Keras
) -> None:
    text = f"{one}\n\n{names(other)}"
    assert essence(text, keras, gates=True) == essence(text, keras, gates=False)


@given(st.sampled_from(SHIPPED), st.sampled_from(RULES), st.sampled_from(Keras))
@settings(max_examples=40, deadline=None)
def test_a_rule_alone_finds_what_it_finds_among_others(text: str, rule: Rule, keras: Keras) -> None:
    source = Source("model.py", text)
    alone = analyse(source, [r for r in RULES if r is rule], keras).findings
    among = analysis(source, keras).findings
    assert list(alone) == [f for f in among if f.code == rule.code]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (program("keras.Model", CALLS[1]), "SVL101"),
        (program("keras.Model", CALLS[3], REST[2], behind=True), "SVL101"),
        (program("keras.Model", CALLS[4], REST[2], helper=True), "SVL101"),
        (program("keras.Model", CALLS[1], use=USES[1]), "SVL102"),
        (program("keras.Model", CALLS[2]), "SVL103"),
        (
            program("keras.Model", CALLS[8], constructor=CONSTRUCTORS[1], decorator=DECORATORS[1]),
            "SVL104",
        ),
    ],
)
def test_the_programs_hold_defects(text: str, code: str) -> None:
    """Else the properties above would hold of nothing."""
    assert code in codes(text)


@pytest.mark.parametrize(
    ("helper", "body"),
    [
        ("folded = lambda y: tf.reshape(y, [tf.shape(y)[0], 2, 3])\n", "return folded(x)"),
        (REST[2], "f = folded\nreturn f(x)"),
        (REST[2], "return self.run(x)"),
        (REST[2] + "alias = folded\n", "return alias(x)"),
        (REST[2] + "alias = tf.function(folded)\n", "return alias(x)"),
        (REST[2] + "def apply(f, y): return f(y)\n", "return apply(folded, x)"),
        (REST[2] + "TABLE = {'a': folded}\n", "return TABLE['a'](x)"),
    ],
)
@pytest.mark.parametrize("behind", [False, True])
def test_a_helper_that_is_not_called_by_its_name_is_read(
    helper: str, body: str, behind: bool
) -> None:
    text = program("keras.Model", body, helper, constructor=CONSTRUCTORS[-1], behind=behind)
    assert codes(text, gates=False) == ["SVL101"]
    assert codes(text) == ["SVL101"]


@given(st.permutations(["keras.Model", "keras.layers.Layer", "object"]), st.sampled_from(USES))
@settings(max_examples=20, deadline=None)
def test_gates_know_all_classes_of_one_name(bases: list[str], use: str) -> None:
    first, *rest = bases
    calls = ["return x", CALLS[3]]
    others = [
        f"class Net({b}):\n    def call(self, x):\n{indented(c, 2)}"
        for b, c in zip(rest, calls, strict=True)
    ]
    text = "\n\n".join([program(first, CALLS[1], use=use), *others])
    for keras in Keras:
        assert essence(text, keras, gates=True) == essence(text, keras, gates=False)


def test_a_class_in_a_method_that_sees_no_tensor_is_read() -> None:
    inner = program("keras.layers.Layer", "if tf.reduce_sum(x) > 0:\n    x = x + 1\nreturn x")
    head, _, cls = inner.partition("class ")
    outer = "class Outer(keras.Model):\n    def get_config(self):\n"
    text = f"{head}{outer}{indented('class ' + cls, 2)}\n        return {{}}\n"
    assert codes(text, gates=False) == codes(text) == ["SVL105"]


# -- layout ------------------------------------------------------------------------------


def crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def tabs(text: str) -> str:
    return "\n".join(retabbed(line, "\t") for line in text.split("\n"))


def two_spaces(text: str) -> str:
    return "\n".join(retabbed(line, "  ") for line in text.split("\n"))


def retabbed(line: str, unit: str) -> str:
    inner = line.lstrip(" ")
    depth, rest = divmod(len(line) - len(inner), 4)
    return unit * depth + " " * rest + inner


def comments(text: str) -> str:
    """A comment behind each logical line, and on lines between them."""
    ends = {
        token.start
        for token in tokenize.generate_tokens(StringIO(text).readline)
        if token.type == tokenize.NEWLINE
    }
    lines = text.split("\n")
    for line, column in sorted(ends, reverse=True):
        tail = lines[line - 1][column:]
        if not tail.strip():
            lines[line - 1] = f"{lines[line - 1][:column]}  # é: a note\n    # another"
    return "\n".join(lines)


def blank_lines(text: str) -> str:
    """Blank lines, with white space and without, behind each logical line."""
    ends = {
        token.start[0]
        for token in tokenize.generate_tokens(StringIO(text).readline)
        if token.type == tokenize.NEWLINE
    }
    return "".join(
        f"{line}\n" + ("\n   \n" if number in ends else "")
        for number, line in enumerate(text.split("\n")[:-1], 1)
    )


LAYOUTS: list[Callable[[str], str]] = [crlf, tabs, two_spaces, comments, blank_lines]


def test_layouts_are_other_texts_of_the_same_length_in_lines_or_more() -> None:
    text = "class A:\n    def f(self):\n        return 1\n"
    assert len({layout(text) for layout in LAYOUTS} | {text}) == len(LAYOUTS) + 1
    assert all(layout(text).count("\n") >= text.count("\n") for layout in LAYOUTS)


@pytest.mark.exhaustive
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_layout_does_not_change_what_is_found(rule: Rule) -> None:
    """In the newest generation of the rule, for a layout is the same to both."""
    keras = max(rule.severity)
    texts = [text for example in rule.examples for text in (example.bad, example.good)]
    for text in (*texts, *rule.silent):
        assert codes(comments(blank_lines(text)), keras) == codes(text, keras), text


@given(
    programs(),
    st.sampled_from([str, tabs, two_spaces]),
    st.sets(st.sampled_from([comments, blank_lines])),
    st.sampled_from([str, crlf]),
    st.sampled_from(Keras),
)
@settings(max_examples=30, deadline=None)
def test_layouts_upon_layouts_do_not_change_what_is_found(
    text: str,
    indentation: Callable[[str], str],
    lines: set[Callable[[str], str]],
    newline: Callable[[str], str],
    keras: Keras,
) -> None:
    expected = codes(text, keras)
    for layout in (indentation, *sorted(lines, key=lambda layout: layout.__name__), newline):
        text = layout(text)
    assert codes(text, keras) == expected


@given(programs(), st.sampled_from(Keras))
@settings(max_examples=40, deadline=None)
def test_unrelated_code_around_does_not_change_what_is_found(text: str, keras: Keras) -> None:
    before = "import os\n\n\ndef other(path):\n    return os.fspath(path)\n\n\n"
    behind = "\n\nclass Other:\n    shape = 1\n\n    def save(self, path):\n        return path\n"
    assert codes(before + text + behind, keras) == codes(text, keras)
