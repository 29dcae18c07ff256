"""What is read of `get_config` and of the constructor, and what their rules make of it."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from keras_model import HEAD, model
from savelint.analysis import analyse
from savelint.finding import Safety
from savelint.fixer import fix
from savelint.keras.config import Config, Constructor, accepted, config, constructor
from savelint.keras.generation import Keras
from savelint.rules import RULES
from savelint.source import Source

CONSTRUCTOR = """\
def __init__(self, units, rate=0.1, **kwargs):
    super().__init__(**kwargs)
    self.units, self.rate = units, rate
"""


def text(body: str, made: str = CONSTRUCTOR, base: str = "layers.Layer") -> str:
    methods = f"{made}\ndef get_config(self):\n{indent(dedent(body), '    ')}"
    return f"{HEAD}\nclass Net({base}):\n{indent(methods, '    ')}\n"


def read(body: str, made: str = CONSTRUCTOR) -> Config | None:
    (cls,) = model(text(body, made)).classes
    return config(cls)


def made_by(made: str, base: str = "layers.Layer") -> tuple[Constructor, frozenset[str] | None]:
    found = model(text("return {}", made, base))
    (cls,) = found.classes
    built = constructor(found, cls)
    assert built is not None
    return built, accepted(found, cls.outline)


@pytest.mark.parametrize(
    "body",
    [
        "return {**super().get_config(), 'units': self.units, 'rate': self.rate}",
        "return dict(super().get_config(), units=self.units, rate=self.rate)",
        "return super().get_config() | {'units': self.units, 'rate': self.rate}",
        "config = super().get_config()\nconfig |= dict(units=1, rate=2)\nreturn config",
        "config = super().get_config()\nconfig.update(units=1)\nconfig['rate'] = 2\nreturn config",
        "config = {'units': 1, 'rate': 2}\nconfig.update(super().get_config())\nreturn config",
        "config = {'units': 1, 'rate': 2}\nbase = layers.Layer.get_config(self)\n"
        "return dict(list(base.items()) + list(config.items()))",
        "config = super(Net, self).get_config()\nfor name in ('units', 'rate'):\n"
        "    config[name] = getattr(self, name)\nreturn config",
        "config = {name: getattr(self, name) for name in ['units', 'rate']}\n"
        "return {**super().get_config(), **config}",
        "config = super().get_config().copy()\nconfig.update({'units': 1, 'rate': 2, 'a': 3})\n"
        "del config['a']\nreturn config",
    ],
)
def test_a_config_is_read_in_every_style(body: str) -> None:
    found = read(body)
    assert found is not None
    assert found.is_known
    assert set(found.entries) == {"units", "rate"}
    assert found.inherits == ("keras.layers.Layer",)


@pytest.mark.parametrize(
    "body",
    [
        "return {**super().get_config(), **vars(self)}",
        "config = super().get_config()\nconfig.update(self.settings)\nreturn config",
        "config = super().get_config()\nconfig[self.key] = 1\nreturn config",
        "config = super().get_config()\nconfig.pop('dtype')\nreturn config",
    ],
)
def test_a_config_with_keys_that_cannot_be_told_is_not_known(body: str) -> None:
    found = read(body)
    assert found is None or not found.is_known


@pytest.mark.parametrize(
    ("statement", "how"),
    [
        ("self.units = units", ""),
        ("self.units = int(units)", "converted"),
        ("self.units = units or 3", "defaulted"),
        ("self.units = 3 if units is None else units", "defaulted"),
        ("if units is None:\n    units = [1]\nself.units = units", "defaulted"),
        ("self.units = keras.activations.get(units)", "keras.activations"),
        ("self.units = 2 * units", None),
        ("self.units = units[0]", None),
    ],
)
def test_how_an_attribute_keeps_an_argument(statement: str, how: str | None) -> None:
    body = indent(statement, "    ")
    built, _ = made_by(
        f"def __init__(self, units, **kwargs):\n    super().__init__(**kwargs)\n{body}\n"
    )
    held = built.held.get("units")
    assert (held.how if held is not None else None) == how


def test_what_a_class_can_be_made_with() -> None:
    plain, takes = made_by("def __init__(self, units):\n    super().__init__()\n")
    assert plain.names == frozenset({"units"})
    assert takes == plain.names
    _, takes = made_by("def __init__(self, a, /, **kwargs):\n    super().__init__(**kwargs)\n")
    assert takes is not None
    assert {"name", "dtype"} <= takes and "a" not in takes
    _, takes = made_by("def __init__(self, a, **kwargs):\n    super().__init__()\n")
    assert takes is None
    popped, _ = made_by(
        "def __init__(self, **kwargs):\n    rate = kwargs.pop('rate', 1)\n"
        "    super().__init__(**kwargs)\n"
    )
    assert popped.names == {"rate"}


def fixed(source: str) -> str:
    rules = [rule for rule in RULES if rule.code.startswith("SVL30")]
    found = fix(
        Source("net.py", source),
        lambda each: analyse(each, rules, Keras.V3).findings,
        unsafe=True,
    )
    return found.source.text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return {'rate': self.rate}", "return {'units': self.units, 'rate': self.rate}"),
        ("return dict(rate=self.rate)", "return dict(units=self.units, rate=self.rate)"),
        (
            "config = {}\nconfig['units'] = self.units  # wide\nreturn config",
            "config = {}\nconfig['units'] = self.units  # wide\nconfig['rate'] = self.rate\n"
            "return config",
        ),
        (
            "return {\n    'units': self.units  # wide\n}",
            "return {\n    'units': self.units,  # wide\n    'rate': self.rate\n}",
        ),
    ],
)
def test_an_entry_is_written_as_the_others_are(body: str, expected: str) -> None:
    head = "from keras import layers\n"
    before = text(body).replace(HEAD, head)
    after = text(expected).replace(HEAD, head)
    assert fixed(before) == after


def test_a_line_that_grows_too_long_is_split_as_formatters_do() -> None:
    body = "config = super().get_config()\nconfig.update({'units': self.units})\nreturn config"
    long = CONSTRUCTOR.replace("rate", "a_rate_with_quite_a_long_name_of_its_own")
    after = fixed(text(body, long).replace(HEAD, "from keras import layers\n"))
    assert (
        """\
        config.update(
            {
                'units': self.units,
                'a_rate_with_quite_a_long_name_of_its_own': self.a_rate_with"""
        in after
    )


def test_what_is_called_is_not_recorded_without_leave() -> None:
    body = "return {'units': self.units}"
    methods = CONSTRUCTOR + "\ndef call(self, inputs):\n    return self.rate(inputs)\n"
    rules = [rule for rule in RULES if rule.code == "SVL301"]
    (finding,) = analyse(Source("net.py", text(body, methods)), rules, Keras.V3).findings
    assert finding.fix is not None
    assert finding.fix.safety is Safety.UNSAFE
