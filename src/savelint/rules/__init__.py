"""The ledger: every rule, in the order of its code. A code, once released, keeps its meaning."""

from __future__ import annotations

from savelint.rule import Rule

RULES: tuple[Rule, ...] = ()
