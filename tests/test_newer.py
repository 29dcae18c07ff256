"""A file in a newer syntax than the running Python's is analysed all the same.

On a Python that knows the syntax, `ast` reads it instead and the same holds.
"""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_model import codes, model, told
from savelint.analysis import analyse
from savelint.keras.generation import Keras
from savelint.keras.newer import MAX_BRACKETS, MAX_SIZE, summarise_newer
from savelint.keras.summary import Summary, summarise
from savelint.rule import Rule
from savelint.rules import RULES
from savelint.source import Source, SourceError

TYPE_PARAMETERS = (
    "type Batch[T] = list[T]\n\n\ndef first[T](items: Batch[T]) -> T:\n    return items[0]\n"
)
NESTED_QUOTES = 'def label(row):\n    return f"{row["name"]}: {"\\n".join(row)}"\n'
NEWER = f"{TYPE_PARAMETERS}\n\n{NESTED_QUOTES}"


by_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)


def newer(text: str) -> Summary | None:
    return summarise_newer(Source("m.py", text))


@pytest.mark.exhaustive
@by_rule
def test_a_defect_beside_newer_syntax_is_found_as_without(rule: Rule) -> None:
    """In one generation that reports it: syntax is the same to both."""
    for example in rule.examples:
        among = example.bad.replace("\n\n\n", f"\n\n\n{NEWER}\n\n", 1)
        text = among if NEWER in among else example.bad + NEWER
        assert codes(text, max(example.keras)) == [rule.code], example.variant


@pytest.mark.exhaustive
@by_rule
def test_a_look_alike_beside_newer_syntax_is_not_reported(rule: Rule) -> None:
    found = {text: codes(f"{text}\n\n{TYPE_PARAMETERS}") for text in rule.silent}
    assert {text: each for text, each in found.items() if each} == {}


FROZEN = """\
import tensorflow as tf
from tensorflow import keras

{alias}
class {cls}:
    def call(self, x):
        {name}return tf.reshape(x, [tf.shape(x)[0], 2, 3])
"""
BASE = "class Base({}): pass"


@pytest.mark.parametrize(
    ("cls", "alias", "name"),
    [
        ("Net[T](keras.Model)", "", ""),
        ("Net[T: int = int](keras.Model)", "", ""),
        ("Net[*Ts, **P](tf.keras.Model)", "", ""),
        ("Net(keras.Model)", "type Rows = int", ""),
        ("Net(keras.Model)", "", 'label = f"{x["a"]}"\n        '),
        ("Net(Base)", "class Base[T](keras.Model): pass", ""),
    ],
)
def test_a_defect_in_newer_syntax_is_found(cls: str, alias: str, name: str) -> None:
    assert codes(FROZEN.format(cls=cls, alias=alias, name=name)) == ["SVL101"]


PART = (
    FROZEN.format(cls="Net(keras.Model)", alias="", name="")
    + """\
class Whole(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.net = Net()

    def call(self, x):
        return self.net(x)
"""
)
RETRIED = "try:\n    from keras import Model\nexcept ImportError:\n    from project import Model"
BESIDE = {
    "part": (PART, []),
    "part that is also used": (PART + "net = Net()\n", ["SVL101"]),
    "alias": (
        FROZEN.format(cls="Net(models.Model)", alias="models = tf.keras.models", name=""),
        ["SVL101"],
    ),
    "first import": (FROZEN.format(cls="Net(Model)", alias=RETRIED, name=""), ["SVL101"]),
    "class in a function": (
        "def make():\n"
        + textwrap.indent(FROZEN.format(cls="Net(keras.Model)", alias="", name=""), "    "),
        ["SVL101"],
    ),
    "statements on a line": (
        FROZEN.format(cls="Net(keras.Model)", alias="a = 1; b = 2", name="y = x; "),
        ["SVL101"],
    ),
}


@pytest.mark.parametrize(("text", "expected"), BESIDE.values(), ids=BESIDE)
def test_what_a_file_says_elsewhere_counts_beside_newer_syntax(
    text: str, expected: list[str]
) -> None:
    assert codes(text) == expected
    assert codes(f"{text}\n\n{TYPE_PARAMETERS}") == expected


@pytest.mark.parametrize(
    ("constant", "expected"),
    [("SHAPE = (4, 6)", "[4, 6]"), ("SHAPE = 4\nSHAPE = 6", "?"), ("", "?")],
)
def test_the_constants_of_a_module_are_known_beside_newer_syntax(
    constant: str, expected: str
) -> None:
    text = f"""\
import keras
{constant}
class Net(keras.Model):
    def call(self, x):
        return SHAPE

{TYPE_PARAMETERS}"""
    (cls,) = model(text).classes
    assert told(cls.flow("call").result) == expected


def test_a_finding_stands_at_its_own_text() -> None:
    text = FROZEN.format(cls="Net[T](keras.Model)", alias="é = '漢字'", name="")
    (finding,) = analyse(Source("m.py", text), RULES, Keras.V3).findings
    assert text[slice(*finding.span)] == "tf.reshape(x, [tf.shape(x)[0], 2, 3])"


BROKEN = ["class A[T:\n", "def f(:\n", "x = f'{'\n", "type X = = int\n", "a b\n", "import keras.\n"]


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_no_python_of_any_version_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match="syntax error") as caught:
        analyse(Source("m.py", f"import keras\n{text}"), RULES)
    assert caught.value.line >= 2


# -- the summary by libcst agrees with that by ast --------------------------------------


@pytest.mark.exhaustive
@by_rule
def test_both_summaries_of_a_file_agree(rule: Rule) -> None:
    for example in rule.examples:
        by_ast, by_libcst = summarise(Source("m.py", example.bad)), newer(example.bad)
        assert by_libcst is not None
        assert [c.qualname for c in by_libcst.classes] == [c.qualname for c in by_ast.classes]
        assert [c.bases for c in by_libcst.classes] == [c.bases for c in by_ast.classes]
        assert [c.methods for c in by_libcst.classes] == [c.methods for c in by_ast.classes]
        assert dict(by_libcst.names) == dict(by_ast.names)
        assert by_libcst.stars == by_ast.stars
        assert by_libcst.imported == by_ast.imported
        assert set(by_libcst.functions) == set(by_ast.functions)
        assert by_libcst.statements == by_ast.statements


# -- bounds ------------------------------------------------------------------------------


@given(st.integers(1, 2 * MAX_BRACKETS), st.sampled_from(["()", "[]", "{}"]))
def test_brackets_are_read_up_to_a_bound(depth: int, pair: str) -> None:
    text = f"type X = {pair[0] * depth}{pair[1] * depth}\n"
    assert (newer(text) is not None) is (depth <= MAX_BRACKETS)


def test_a_file_is_read_up_to_a_bound() -> None:
    head = "type X = int\n#"
    assert newer(head + "x" * (MAX_SIZE - len(head))) is not None
    assert newer(head + "x" * (MAX_SIZE - len(head) + 1)) is None


@pytest.mark.parametrize("text", BROKEN)
def test_what_does_not_parse_has_no_summary(text: str) -> None:
    assert newer(text) is None


@given(st.text("()[]{} \n\tab=:,'\"#fif", max_size=60))
def test_any_text_has_a_summary_or_none(text: str) -> None:
    found = newer(text)
    assert found is None or all(s.first_line <= s.last_line for s in found.statements)
