"""A file seen in its project: which of its classes are Keras, and what leads where."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_model import file, model
from savelint.keras.tables import Kind


def leads(text: str) -> list[set[str]]:
    """For each statement the first lines of those that it leads to."""
    found = file(text)
    lines = text.splitlines()
    starts = [lines[item.first_line - 1] for item in found.summary.statements]
    return [{starts[i] for i in found.leads_to(n)} for n in range(len(starts))]


# -- kinds -------------------------------------------------------------------------------

FAMILY = {
    "class A(keras.Model): pass": ("A", Kind.MODEL),
    "class B(A): pass": ("B", Kind.MODEL),
    "class C(Mixin, B): pass": ("C", Kind.MODEL),
    "class D(keras.layers.Layer): pass": ("D", Kind.LAYER),
    "class E(Mixin, D): pass": ("E", Kind.LAYER),
    "class F(keras.Sequential): pass": ("F", Kind.FUNCTIONAL),
    "class G(tf.Module): pass": ("G", Kind.MODULE),
    "class H(keras.losses.Loss): pass": ("H", Kind.OTHER),
    "class Mixin: pass": ("Mixin", None),
    "class I(Mixin): pass": ("I", None),
    "class J(J): pass": ("J", None),
    "class K(L): pass": ("K", None),
    "class L(K): pass": ("L", None),
}


@given(st.permutations(tuple(FAMILY)))
def test_kinds_come_down_the_bases_in_any_order(classes: list[str]) -> None:
    text = "import keras\nimport tensorflow as tf\n" + "\n".join(classes) + "\n"
    expected = {name: kind for name, kind in FAMILY.values() if kind is not None}
    assert dict(file(text).kinds) == expected


def test_the_first_base_with_a_kind_gives_it() -> None:
    text = "import keras\nclass A(keras.Model): 0\nclass B(keras.layers.Layer): 0\n"
    found = file(text + "class C(B, A): 0\nclass D(A, B): 0\nclass E(keras.Model, B): 0\n")
    assert [found.kinds[name] for name in "CDE"] == [Kind.LAYER, Kind.MODEL, Kind.MODEL]


BASES = ["keras.Model", "keras.layers.Layer", "keras.Sequential", "tf.Module", "Mixin"]
CHAINS = st.tuples(
    *(
        st.lists(st.sampled_from(BASES + [f"C{n}" for n in range(before)]), max_size=3)
        for before in range(4)
    )
)


@given(CHAINS)
@settings(max_examples=40, deadline=None)
def test_the_reader_and_the_summary_say_the_same_kinds(chains: tuple[list[str], ...]) -> None:
    classes = [f"class C{n}({', '.join(bases)}): pass" for n, bases in enumerate(chains)]
    found = model("\n".join(["import keras", "import tensorflow as tf", *classes]) + "\n")
    assert {cls.name: cls.kind for cls in found.classes} == dict(found.file.kinds)


@given(st.integers(1, 60), st.booleans())
def test_a_kind_comes_down_any_number_of_bases(length: int, backwards: bool) -> None:
    chain = [f"class C{n}({f'C{n - 1}' if n else 'keras.Model'}): pass" for n in range(length)]
    text = "\n".join(["import keras", *(reversed(chain) if backwards else chain)]) + "\n"
    assert set(file(text).kinds.values()) == {Kind.MODEL}
    assert len(file(text).kinds) == length


# -- what leads where --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("def f(): g()\ndef g(): pass\n", {"def g(): pass"}),
        ("class A(B): pass\nclass B: pass\n", {"class B: pass"}),
        ("@d\ndef f(): pass\ndef d(g): pass\n", {"def d(g): pass"}),
        ("class A:\n    def f(self): return B()\nclass B: pass\n", {"class B: pass"}),
        ("def f(): f()\n", {"def f(): f()"}),
        ("m = A()\nclass A: pass\n", {"m = A()", "class A: pass"}),
        ("m.f()\ndef f(): pass\n", {"def f(): pass"}),
        ("def f(): return g\ng = 1\n", {"g = 1"}),
        # Where two things have one name, it leads to both rather than to the wrong one.
        ("class A(a.B): pass\nclass B: pass\n", {"class B: pass"}),
    ],
)
def test_a_statement_leads_to_what_it_names_or_derives_from(text: str, first: set[str]) -> None:
    assert leads(text)[0] == first


def test_a_class_inside_a_function_leads_from_there_to_its_base() -> None:
    assert leads("def f():\n    class A(B): pass\nclass B: pass\n")[0] == {"class B: pass"}


# -- parts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("class Outer(keras.Model):\n    def __init__(self): self.head = Head()", True),
        ("class One(keras.Model):\n    h = Head()\nclass Two(One):\n    h = x.Head()", True),
        # A trainer saves what it holds.
        ("class Trainer:\n    def __init__(self): self.head = Head()", False),
        ("", False),
        ("model = Head()", False),
        ("def make(): return Head()", False),
        ("class Outer(keras.Model):\n    h = Head()\nmodel = Head()", False),
        ("if __name__ == '__main__':\n    Head()", False),
    ],
)
def test_a_part_is_made_by_other_keras_classes_only(text: str, part: bool) -> None:
    head = "import keras\nclass Head(keras.Model): pass\n"
    found = model(f"{head}{text}\n")
    (cls,) = (cls for cls in found.classes if cls.name == "Head")
    assert found.is_part(cls) is part
