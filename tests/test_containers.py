"""What is known of lists, sets and dictionaries, and of what changes them."""

from __future__ import annotations

import pytest

from keras_model import call_flow, file, model, net, summary, told
from savelint.keras import clues
from savelint.keras.events import AttributeStore, ContainerChange
from savelint.keras.values import Const, Function, Member, Partial, Seq, Table, elements

COLLECTIONS = "import collections\nimport functools\n"


def stored(body: str) -> AttributeStore:
    """The last store of a `call` with the given body."""
    return list(call_flow(body, head=COLLECTIONS).all(AttributeStore))[-1]


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("[1, 2]", "list"),
        ("(1, 2)", "tuple"),
        ("{1, 2}", "set"),
        ("[i for i in (1, 2)]", "list"),
        ("{i for i in (1, 2)}", "set"),
        ("(i for i in (1, 2))", "iterator"),
        ("set()", "set"),
        ("list((1, 2))", "list"),
        ("tuple([1, 2])", "tuple"),
        ("sorted({1, 2})", "list"),
        ("reversed([1, 2])", "iterator"),
        ("frozenset([1, 2])", "frozenset"),
        ("collections.deque(maxlen=2)", "deque"),
        ("zip([1], [2])", "iterator"),
        ("enumerate([1])", "iterator"),
        ("[None] * 2", "list"),
        ("(1,) + (2,)", "tuple"),
        ("[1, 2][:1]", "list"),
    ],
)
def test_a_sequence_knows_what_kind_it_is(expression: str, kind: str) -> None:
    value = stored(f"self.a = {expression}").value
    assert isinstance(value, Seq)
    assert value.kind == kind


def test_a_set_that_grows_stays_a_set() -> None:
    value = stored("a = set()\nfor i in (1, 2):\n    a.add(i)\nself.a = a").value
    assert isinstance(value, Seq)
    assert (value.kind, told(value)) == ("set", "[?, ...]")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("self.a = {'x': 1}", "{'x': 1}"),
        ("self.a = dict(x=1)", "{'x': 1}"),
        ("self.a = dict({'x': 1}, y=2)", "{'x': 1, 'y': 2}"),
        ("self.a = dict([('x', 1)])", "{'x': 1}"),
        ("self.a = collections.OrderedDict(x=1)", "{'x': 1}"),
        ("self.a = collections.defaultdict(list, x=1)", "{'x': 1}"),
        ("self.a = dict(x)", "?"),
        ("a = {}\na['x'] = 1\nself.a = a", "{'x': 1}"),
        ("a = {'x': 1}\na['x'] = 2\nself.a = a", "{'x': 2}"),
        ("a = {}\na.update(x=1)\na.setdefault('y', 2)\nself.a = a", "{'x': 1, 'y': 2}"),
        ("a = {}\nfor k in x:\n    a[k] = 1\nself.a = a", "{None: 1}"),
        ("a = {}\nif x is None:\n    a['x'] = 1\nself.a = a", "{'x': 1}"),
        ("a = {'x': 1}\nif x is None:\n    a = {'x': 2}\nself.a = a", "?"),
        ("self.a = [v for v in {'x': 1}.values()]", "[1, ...]"),
        ("self.a = [v for k, v in {'x': 1}.items()]", "[1, ...]"),
    ],
)
def test_a_dictionary_is_followed(body: str, expected: str) -> None:
    assert told(stored(body).value) == expected


@pytest.mark.parametrize(
    ("expression", "keys"),
    [
        ("{'x': 1, 2: 3}", ["'x'", "2"]),
        ("{None: 1}", ["None"]),
        ("{(1, 2): 3}", ["[1, 2]"]),
        ("{i: 1 for i in range(2)}", ["count"]),
        ("{str(i): 1 for i in range(2)}", ["?"]),
        ("dict(enumerate([1]))", ["count"]),
        ("dict(zip(range(2), [1, 2]))", ["count"]),
        ("{**self.b, 'x': 1}", ["?", "'x'"]),
    ],
)
def test_a_dictionary_knows_its_keys(expression: str, keys: list[str]) -> None:
    value = stored(f"self.a = {expression}").value
    assert isinstance(value, Table)
    assert [told(key) for key, _ in value.entries] == keys


def test_an_item_that_is_set_has_its_key() -> None:
    assert stored("self.a['x'] = 1").key == Const("x")
    assert told(stored("for i in range(2): self.a[i] = 1").key) == "count"


CHANGES = {
    "self.a.append(1)": ("a", "append", "", 0),
    "self.a.insert(0, 1)": ("a", "insert", "", 0),
    "self.a.pop()": ("a", "pop", "", 0),
    "self.a.sort(key=len)": ("a", "sort", "", 0),
    "self.a[0] = 1": ("a", "item", "", 0),
    "self.a[:] = [1]": ("a", "slice", "", 0),
    "del self.a[0]": ("a", "delete", "", 0),
    "self.a[0].append(1)": ("a", "append", "", 1),
    "self.a['x']['y'] = 1": ("a", "item", "", 1),
    "self.a.setdefault('x', []).append(1)": ("a", "append", "", 1),
    "b = []\nself.a = b\nb.append(1)": ("a", "append", "b", 0),
    "b = []\nself.a = b\nb += [1]": ("a", "augment", "b", 0),
    "b = {}\nself.a = b\nb['x'] = 1": ("a", "item", "b", 0),
    "self.a = b = []\nb.append(1)": ("a", "append", "b", 0),
    "b = []\nself.a.append(b)\nb.append(1)": ("a", "append", "b", 1),
}


@pytest.mark.parametrize(("body", "expected"), CHANGES.items())
def test_a_change_in_place_is_noted(body: str, expected: tuple[str, str, str, int]) -> None:
    change = list(call_flow(body).all(ContainerChange))[-1]
    assert (change.name, change.how, change.alias, change.depth) == expected


@pytest.mark.parametrize(
    "body",
    [
        "b = []\nb.append(1)\nself.a = b",
        "b = []\nself.a = b\nb = []\nb.append(1)",
        "b = []\nself.a = tuple(b)\nb.append(1)",
        "b = x\nself.a = b\nb.append(1)",
        "other.a.append(1)",
        "self.a = self.b[0]",
    ],
)
def test_what_changes_nothing_that_is_held_is_not(body: str) -> None:
    assert list(call_flow(body).all(ContainerChange)) == []


def test_a_change_holds_what_is_put_in() -> None:
    (change,) = call_flow("self.a.insert(0, layers.Dense(6))").all(ContainerChange)
    assert [told(value) for value in change.values] == ["0", "keras.layers.Dense"]


def test_a_partial_holds_its_function_and_its_arguments() -> None:
    value = stored("self.a = functools.partial(self.b, layers.Dense(6), 2)").value
    assert isinstance(value, Partial)
    assert [told(argument) for argument in value.arguments] == ["keras.layers.Dense", "2"]
    assert list(elements(value)) == [value]


def test_a_bound_method_is_a_member() -> None:
    value = stored("self.a = layers.Dense(6).call").value
    assert isinstance(value, Member)
    assert told(value.owner) == "keras.layers.Dense"


CAPTURED = {
    "self.f = lambda y: d(y)": ["d"],
    "self.f = lambda y, e=d: e(y)": ["d"],
    "self.f = lambda d: d(x)": ["d", "x"],
    "self.f = lambda y: y.d + tf.add(y, d=1)": [],
    "def f(y):\n    return d(y)\nself.f = f": ["d"],
    "self.f = lambda y: [d(z) for z in y]": ["d"],
}


@pytest.mark.parametrize(("body", "expected"), CAPTURED.items())
def test_a_function_captures_the_names_around_it(body: str, expected: list[str]) -> None:
    found = model(net(f"d = layers.Dense(6)\n{body}"))
    (cls,) = found.classes
    store = list(cls.flow("call").all(AttributeStore))[-1]
    assert isinstance(store.value, Function)
    assert sorted(found.captured(store.value)) == expected


MARKS = {
    "a = {1, 2}": clues.SET,
    "a = {i for i in x}": clues.SET,
    "a = lambda: 1": clues.CLOSURE,
    "def f():\n    def g(): pass": clues.CLOSURE,
    "a = {1: 2}": clues.KEY,
    "a = {i: 1 for i in x}": clues.KEY,
    "a[0] = 1": clues.KEY,
    "a['x'] = 1": clues.ITEM,
    "del a[0]": clues.ITEM,
    "a += [1]": clues.ITEM,
    "a = [[1]]": clues.NESTED,
    "a = {'x': [1]}": clues.NESTED,
    "a = [b for b in x]": clues.NESTED,
}


@pytest.mark.parametrize(("text", "mark"), MARKS.items())
def test_a_statement_is_marked(text: str, mark: str) -> None:
    assert mark in summary(text).statements[0].words


@pytest.mark.parametrize(
    "text", ["a = [1, 2]", "a = {'x': 1}", "b = a['x']", "def f(): pass", "a = [Dense(6)]"]
)
def test_another_is_not(text: str) -> None:
    marks = {clues.SET, clues.CLOSURE, clues.KEY, clues.ITEM, clues.NESTED}
    assert not marks & summary(text).statements[0].words


def test_plain_classes_are_told_from_layers() -> None:
    found = file(
        "import keras\nclass A: pass\nclass B(keras.Layer): pass\nclass C(keras.losses.Loss): pass"
    )
    assert [found.has_plain_class(index) for index in range(4)] == [False, True, False, True]
