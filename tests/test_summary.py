"""The summary of a file: what each top-level statement is, calls and leads to."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_model import codes, summary
from savelint.keras.clues import LATE_STATE, OTHER_CALL, OUTER_OBJECT, UNFOUNDED
from savelint.keras.summary import Statement, summarise
from savelint.source import Source, SourceError


def statement(text: str) -> Statement:
    (found,) = summary(text).statements
    return found


# -- a chain of classes, as a user writes it -----------------------------------------------

CHAIN = (
    "import tensorflow as tf",
    "class Base(tf.keras.Model): pass",
    "class Middle(Base): pass",
    "class Net(Middle):\n    def call(self, x):\n        return folded(x, tf.shape(x)[0])",
    "def folded(x, rows):\n    return inner(x, rows)",
    "def inner(x, rows):\n    return tf.reshape(x, [rows, 2, 3])",
)


@given(st.permutations(CHAIN))
@settings(max_examples=40, deadline=None)
def test_a_defect_behind_a_chain_of_the_file_is_found_in_any_order(parts: list[str]) -> None:
    assert codes("\n".join(parts) + "\n") == ["SVL101"]


# -- statements --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a = 1\n", (1, 1)),
        ("\n\n# note\na = (\n  1,\n)\n", (4, 6)),
        ("@one\n@two(\n)\ndef f():\n    pass\n", (1, 5)),
        ("@one\nclass A:\n    @two\n    def f(self): pass\n\n# note\n", (1, 4)),
        ("\x0c\nclass A:\n    x = '''\n\n'''\n", (2, 5)),
        ("if a:\r    b\relse:\r    c\r", (1, 4)),
        ("a = 1 + \\\r\n  2\r\n", (1, 2)),
    ],
)
def test_a_statement_has_its_decorators_and_all_its_lines(
    text: str, lines: tuple[int, int]
) -> None:
    found = statement(text)
    assert (found.first_line, found.last_line) == lines


@pytest.mark.parametrize(
    ("text", "definition", "is_class"),
    [
        ("class A: pass", True, True),
        ("def f(): pass", True, False),
        ("async def f(): pass", True, False),
        ("f = lambda: 1", False, False),
        ("if a:\n    class A: pass", False, False),
        ("a = 1", False, False),
    ],
)
def test_classes_and_functions_are_definitions(text: str, definition: bool, is_class: bool) -> None:
    found = statement(text)
    assert (found.definition, found.is_class) == (definition, is_class)


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("f(g(x), h=i())", {"f", "g", "i"}),
        ("model.inner.save('p')", {"save"}),
        ("f()()", {"f"}),
        ("fs[0](x)", set()),
        ("@tf.function\ndef f(): pass", {"function"}),
        ("@tf.function(jit_compile=True)\ndef f(): pass", {"function"}),
        ("@register\nclass A: pass", {"register"}),
        ("@keras.saving.register(package='p')\nclass A: pass", {"register"}),
        ("class A:\n    @property\n    def f(self):\n        return g(self)", {"property", "g"}),
        ("model.call = traced", {"call"}),
        ("f = lambda x: g(x)", {"g"}),
        ("[f(x) for x in g()]", {"f", "g"}),
        ("f'{g(x)}'", {"g"}),
        ("x = f", set()),
    ],
)
def test_called_are_the_last_names_of_calls_decorators_and_set_attributes(
    text: str, called: set[str]
) -> None:
    assert statement(text).called == called


NESTINGS = ("f({})", "[{}]", "({}, 1)", "{{1: {}}}", "not {}", "lambda: {}", "{}.a", "{}[0]")


@given(st.lists(st.sampled_from(NESTINGS), max_size=40), st.sampled_from(NESTINGS))
def test_depth_grows_with_each_nesting(outer: list[str], more: str) -> None:
    text = "x"
    for nesting in outer:
        text = nesting.format(f"({text})")
    assert statement(more.format(f"({text})")).depth == statement(text).depth + 1


@given(st.integers(1, 30))
def test_depth_is_that_of_the_deepest_and_not_the_sum(count: int) -> None:
    assert statement(f"[{', '.join(['f(x)'] * count)}]").depth == statement("[f(x)]").depth


# -- names -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "dotted", "expected"),
    [
        ("import tensorflow as tf", "tf.shape", "tensorflow.shape"),
        ("from tensorflow import keras as k", "k.Model", "keras.Model"),
        ("import tensorflow as tf\nk = tf.keras\nL = k.layers", "L.Dense", "keras.layers.Dense"),
        ("import os", "os.path", "os.path"),
        ("import keras", "kreas.Model", None),
        ("from keras.layers import *", "Dense", "keras.layers.Dense"),
        ("from keras.layers import *", "Densely", None),
        ("def f():\n    import keras", "keras", None),
        ("class A:\n    import keras", "keras", None),
        ("a = b = 1\nimport keras\nx, y = keras, 1", "x", None),
    ],
)
def test_names_are_resolved_at_module_level(text: str, dotted: str, expected: str | None) -> None:
    assert summary(text).resolve(dotted) == expected


def test_imported_holds_every_import_of_the_file() -> None:
    text = (
        "import os\ndef f():\n    from keras import ops\n    class A:\n        import tf_keras.x\n"
    )
    assert summary(text).imported == {"os", "keras.ops", "tf_keras"}


def test_assignments_know_each_statement_that_assigns() -> None:
    text = "a = 1\n(a, [b]) = 2, [3]\nif c:\n    b: int = 4\ndef f():\n    a = 5\nd.e = 6\n"
    assert dict(summary(text).assignments) == {"a": (0, 1), "b": (1, 2)}


def test_functions_are_those_of_the_module_level() -> None:
    text = "def f():\n    def g(): 0\nif a:\n    async def h(): 0\nclass A:\n    def i(s): 0\n"
    assert dict(summary(text).functions) == {"f": 0, "h": 1}


def test_classes_are_those_anywhere_with_their_bases_as_text() -> None:
    text = (
        "class A(a.b.C, make(), metaclass=M):\n    class B: pass\ndef f():\n    class D(A): pass\n"
    )
    found = [(cls.name, cls.bases, cls.statement) for cls in summary(text).classes]
    assert found == [("A", ("a.b.C", None), 0), ("B", (), 0), ("D", ("A",), 1)]


# -- what does not parse -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = (\n", 1), ("a = 1\n  b = 2\n", 2), ("class:\n", 1), ("a\rb c\r", 2), ("a\n\x00", 0)],
)
def test_broken_source_says_where(text: str, line: int) -> None:
    with pytest.raises(SourceError) as caught:
        summarise(Source("m.py", text))
    assert caught.value.line == line


@pytest.mark.parametrize("text", ["(" * 5000 + ")" * 5000, "-" * 100_000 + "1"])
def test_source_too_deep_for_python_is_refused_in_words(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        summarise(Source("m.py", text))
    assert str(caught.value)


# -- marks -------------------------------------------------------------------------------

CLASS = "class A(B):\n    "


@pytest.mark.parametrize(
    ("body", "marks"),
    [
        ("def __init__(self):\n        super().__init__()", set()),
        ("def __init__(self):\n        'Doc.'\n        super(A, self).__init__(a=1)", set()),
        ("def __init__(self):\n        self.a = 1\n        super().__init__()", {UNFOUNDED}),
        ("def __init__(self):\n        super().__init__", {UNFOUNDED}),
        ("def __init__(self):\n        B.__init__(self)", {UNFOUNDED}),
        ("def __init__(self):\n        'Doc.'", {UNFOUNDED}),
        ("def __call__(self): pass", {OTHER_CALL}),
        ("def forward(self): pass", {OTHER_CALL}),
        ("def forward(self): pass\n    def call(self): pass", set()),
        ("def call(self, x): return layers.Dense(3)(x)", {LATE_STATE}),
        ("def call(self, x): return self.add_weight()", {LATE_STATE}),
        ("def build(self, shape): self.dense = layers.Dense(3)", set()),
        ("def call(self, x): return self.dense(x)", set()),
    ],
)
def test_marks_tell_what_no_word_tells(body: str, marks: set[str]) -> None:
    assert statement(CLASS + body).words & {UNFOUNDED, OTHER_CALL, LATE_STATE} == marks


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("dense = Dense(3)", True),
        ("dense: Layer = Dense(3)", True),
        ("blocks = [Dense(3) for _ in range(2)]", True),
        ("if x:\n    a, b = make(), 2", True),
        ("class Net:\n    def __init__(self):\n        pass\n    dense = Dense(3)", True),
        ("units = 3", False),
        ("class Net:\n    def __init__(self):\n        self.dense = Dense(3)", False),
        ("def make():\n    dense = Dense(3)\n    return dense", False),
    ],
)
def test_what_is_made_outside_functions_is_marked(text: str, marked: bool) -> None:
    assert (OUTER_OBJECT in statement(text).words) is marked
