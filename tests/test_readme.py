"""The README is true: its finding is what is printed, its table is the ledger."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from savelint.cli import cli
from savelint.keras.generation import Keras
from savelint.rules import RULES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_finding_is_what_the_command_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = re.search(r"```console\n\$ savelint (.*)\n([\s\S]*?)```", README)
    assert shown is not None
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "92")
    result = CliRunner().invoke(cli, shown.group(1).split())
    assert result.output == shown.group(2)


def test_the_table_is_the_ledger() -> None:
    rows = re.findall(r"^\| (SVL\d+) \| ([\w-]+) \| (\S+) \| (\S+) \|", README, re.MULTILINE)
    severities = [[rule.severity.get(keras) for keras in (Keras.V3, Keras.V2)] for rule in RULES]
    assert rows == [
        (rule.code, rule.name, *(s.value if s else "-" for s in both))
        for rule, both in zip(RULES, severities, strict=True)
    ]
