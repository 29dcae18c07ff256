"""What the defaults of parameters decide about the code of a function."""

from __future__ import annotations

import libcst as cst
import pytest

from savelint.keras import defaults
from savelint.keras.walk import descendants


def skipped(parameters: str, body: str) -> bool:
    """Whether `here()` in the body of a function is skipped."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    function = cst.parse_module(f"def call({parameters}):\n{lines}").body[0]
    assert isinstance(function, cst.FunctionDef)
    place = next(
        node
        for node in descendants(function)
        if isinstance(node, cst.Call) and getattr(node.func, "value", "") == "here"
    )
    return defaults.skipped(function, place)


@pytest.mark.parametrize(
    ("parameters", "body"),
    [
        ("x, mode='train'", "if mode == 'train':\n    return x\nhere()"),
        ("x, mode='train'", "if mode != 'eval':\n    raise ValueError\nhere()"),
        ("x, mode='train'", "if mode in ('train', 'eval'):\n    return x\nhere()"),
        ("x, mode='train'", "if mode == 'eval':\n    here()"),
        (
            "x, mode='train'",
            "if mode == 'train':\n    y = x\nelif x:\n    y = 1\nelse:\n    here()",
        ),
        ("x, *, flag=False", "if flag:\n    if x:\n        return here()\nreturn x"),
        ("x, flag=True", "if not flag:\n    return here()\nreturn x"),
        ("x, state=None", "if x:\n    if state is not None:\n        here()"),
        ("x, count=0", "if x:\n    pass\nelse:\n    if count:\n        here()"),
    ],
)
def test_is_skipped(parameters: str, body: str) -> None:
    """Where a default decides it."""
    assert skipped(parameters, body)


@pytest.mark.parametrize(
    ("parameters", "body"),
    [
        ("x, mode='train'", "if mode == 'eval':\n    return x\nhere()"),
        ("x, mode='train'", "if mode == 'train':\n    y = x\nhere()"),
        ("x, mode='train'", "if mode == 'train':\n    here()"),
        ("x, mode='train'", "mode = self.mode\nif mode == 'train':\n    return x\nhere()"),
        ("x, mode='train'", "if mode == self.mode:\n    return x\nhere()"),
        ("x, mode='train'", "if mode == 'train' and x:\n    return x\nhere()"),
        ("x, mode", "if mode == 'train':\n    return x\nhere()"),
        ("x, state=None", "if state is None:\n    here()"),
        ("x, state=None", "if here(state):\n    return x"),
        (
            "x, state=None",
            "for state in x:\n    if state:\n        return x\nif state:\n    here()",
        ),
        ("x, mode=MODE", "if mode in ('train', 'eval'):\n    return x\nhere()"),
    ],
)
def test_is_not_known_to_be_skipped(parameters: str, body: str) -> None:
    """Where no default decides it, or in the other way."""
    assert not skipped(parameters, body)
