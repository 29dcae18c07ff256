"""The ledger: every rule, in the order of its code. A code, once released, keeps its meaning."""

from __future__ import annotations

from savelint.rule import Rule
from savelint.rules.svl101_dynamic_reshape import DynamicReshape

RULES: tuple[Rule, ...] = (DynamicReshape(),)
