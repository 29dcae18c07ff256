"""The names that a file writes out, and SVL211 beyond its examples."""

from __future__ import annotations

import ast

import pytest

from savelint.analysis import analyse
from savelint.finding import Finding
from savelint.keras import labels
from savelint.keras.generation import Keras
from savelint.rules import RULES
from savelint.source import Source


def parts(text: str) -> list[tuple[str, bool]]:
    return list(labels.literal_parts(ast.parse(text, mode="eval").body))


def findings(text: str, keras: Keras = Keras.V3, *, gates: bool = True) -> list[Finding]:
    rules = [rule for rule in RULES if rule.code == "SVL211"]
    return list(analyse(Source("net.py", text), rules, keras, gates=gates).findings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'a' 'b'", [("ab", True)]),
        ("f'a{x}b'", [("a", True), ("b", False)]),
        ("f'{x}b'", [("b", False)]),
        ("name + '/b' + str(i)", [("/b", False)]),
        ("'a' + name", [("a", True)]),
        ("'%s_b%02d' % x", [("_b", False)]),
        ("'a{:>3}b'.format(x)", [("a", True), ("b", False)]),
        ("title(x)", []),
        ("3", []),
    ],
)
def test_what_is_written_of_a_name(text: str, expected: list[tuple[str, bool]]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize(
    ("text", "slash", "expected"),
    [("'a b'", False, " "), ("'a/b'", False, ""), ("'a/b'", True, "/"), ("'a-b.c_>D'", True, "")],
)
def test_what_is_refused(text: str, slash: bool, expected: str) -> None:
    assert labels.refused(ast.parse(text, mode="eval").body, slash=slash) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("'_a'", "_"), ("'-a'", "-"), ("'1a'", ""), ("'.a'", ""), ("x + '_a'", ""), ("''", "")],
)
def test_what_a_name_cannot_begin_with(name: str, expected: str) -> None:
    assert labels.bad_beginning(ast.parse(name, mode="eval").body) == expected


@pytest.mark.parametrize("keras", Keras)
@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("layers.Dense(3, name='a b')", "'a_b'"),
        ("layers.Dense(3, name=' a ')", "'a'"),
        ("layers.Dense(3, name='a: (b)')", "'a_b'"),
        ("layers.Dense(3, name='a _ b')", "'a_b'"),
        ("keras.Sequential([], name='net %d' % x)", "'net_%d' % x"),
        ("keras.Sequential([], name='net {}'.format(x))", "'net_{}'.format(x)"),
        ("keras.Model(x, x, name='_net' + x)", "'net' + x"),
        ("keras.optimizers.Adam(1e-3, name='my adam')", "'my_adam'"),
        ("layers.Dense(3, name='a\\tb')", None),
        ("layers.Dense(3, name='a_b') if x else layers.Dense(3, name='a b')", None),
        ("layers.Dense(3, name=' ')", None),
    ],
)
def test_the_fix_keeps_what_is_allowed(keras: Keras, line: str, fix: str | None) -> None:
    text = f"from tensorflow import keras\nfrom keras import layers\ndef f(x): return {line}\n"
    (finding,) = findings(text, keras)
    assert finding.fix is not None
    assert [edit.replacement for edit in finding.fix.edits] == ([fix] if fix else [])


@pytest.mark.parametrize(
    "line",
    [
        "pd.Series(x, name='a b')",
        "layers.Dense(3, name=x)",
        "keras.metrics.Mean(name='a b')",
        "other(name='a b')",
    ],
)
def test_other_names_are_free(line: str) -> None:
    text = f"import pandas as pd\nfrom keras import layers\nimport keras\ndef f(x): return {line}\n"
    assert findings(text) == findings(text, gates=False) == []


def test_a_function_that_saves_nothing_is_read_for_its_names() -> None:
    text = "import keras as k\ndef f(x):\n    return k.layers.Dense(3, name='a b')(x)\n"
    assert len(findings(text)) == len(findings(text, gates=False)) == 1
