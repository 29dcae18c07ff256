"""The ledger: every rule, in the order of its code. A code, once released, keeps its meaning."""

from __future__ import annotations

from savelint.rule import Rule
from savelint.rules.svl101_dynamic_reshape import DynamicReshape
from savelint.rules.svl102_missing_input_signature import MissingInputSignature
from savelint.rules.svl103_static_batch_dimension import StaticBatchDimension
from savelint.rules.svl104_tf_function_on_call import TfFunctionOnCall

RULES: tuple[Rule, ...] = (
    DynamicReshape(),
    MissingInputSignature(),
    StaticBatchDimension(),
    TfFunctionOnCall(),
)
