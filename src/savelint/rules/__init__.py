"""The ledger: every rule, in the order of its code. A code, once released, keeps its meaning.

The ledger names the rules without importing them, because most files need none of them.
A rule `SVL101 dynamic-reshape` stands in `svl101_dynamic_reshape.py`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from savelint.codes import Entry

if TYPE_CHECKING:
    from savelint.rule import Rule

    RULES: tuple[Rule, ...]


LEDGER: tuple[Entry, ...] = (
    Entry("SVL101", "dynamic-reshape", "DynamicReshape"),
    Entry("SVL102", "missing-input-signature", "MissingInputSignature"),
    Entry("SVL103", "static-batch-dimension", "StaticBatchDimension"),
    Entry("SVL104", "tf-function-on-call", "TfFunctionOnCall"),
    Entry("SVL105", "branch-on-tensor", "BranchOnTensor"),
    Entry("SVL106", "numpy-on-tensor", "NumpyOnTensor"),
    Entry("SVL107", "python-function-op", "PythonFunctionOp"),
    Entry("SVL108", "frozen-python-state", "FrozenPythonState"),
    Entry("SVL109", "several-tensor-arguments", "SeveralTensorArguments"),
    Entry("SVL110", "required-training-argument", "RequiredTrainingArgument"),
    Entry("SVL111", "unservable-output", "UnservableOutput"),
    Entry("SVL112", "required-plain-argument", "RequiredPlainArgument"),
    Entry("SVL113", "non-float-input", "NonFloatInput"),
    Entry("SVL114", "signature-arity", "SignatureArity"),
    Entry("SVL201", "untracked-numpy-attribute", "UntrackedNumpyAttribute"),
    Entry("SVL202", "untracked-variable", "UntrackedVariable"),
    Entry("SVL203", "state-created-in-call", "StateCreatedInCall"),
    Entry("SVL204", "hidden-layer", "HiddenLayer"),
    Entry("SVL205", "layer-list-mutation", "LayerListMutation"),
    Entry("SVL206", "non-string-key", "NonStringKey"),
    Entry("SVL207", "nested-container", "NestedContainer"),
    Entry("SVL208", "untracked-resource", "UntrackedResource"),
    Entry("SVL209", "missing-super-init", "MissingSuperInit"),
    Entry("SVL210", "reserved-attribute", "ReservedAttribute"),
    Entry("SVL212", "back-reference", "BackReference"),
    Entry("SVL213", "positional-weight-name", "PositionalWeightName"),
    Entry("SVL214", "call-not-defined", "CallNotDefined"),
    Entry("SVL215", "model-without-build-info", "ModelWithoutBuildInfo"),
    Entry("SVL216", "unnamed-weight", "UnnamedWeight"),
    Entry("SVL401", "save-path-suffix", "SavePathSuffix"),
    Entry("SVL402", "removed-save-argument", "RemovedSaveArgument"),
    Entry("SVL403", "weights-suffix", "WeightsSuffix"),
    Entry("SVL404", "checkpoint-callback", "CheckpointCallback"),
    Entry("SVL405", "load-saved-model-directory", "LoadSavedModelDirectory"),
    Entry("SVL406", "h5-of-subclassed-model", "H5OfSubclassedModel"),
    Entry("SVL407", "h5-loss-alias", "H5LossAlias"),
    Entry("SVL408", "literal-path", "LiteralPath"),
    Entry("SVL409", "destructive-overwrite", "DestructiveOverwrite"),
    Entry("SVL410", "save-while-tracing", "SaveWhileTracing"),
    Entry("SVL411", "export-argument", "ExportArgument"),
    Entry("SVL412", "overwrite-prompt", "OverwritePrompt"),
    Entry("SVL413", "weights-not-loaded", "WeightsNotLoaded"),
    Entry("SVL414", "mixed-generations", "MixedGenerations"),
    Entry("SVL415", "legacy-flag-too-late", "LegacyFlagTooLate"),
    Entry("SVL416", "removed-namespace", "RemovedNamespace"),
    Entry("SVL417", "optimizer-lost", "OptimizerLost"),
    Entry("SVL418", "zipped-directory-again", "ZippedDirectoryAgain"),
    Entry("SVL419", "missing-parent", "MissingParent"),
)


@cache
def _load() -> tuple[Rule, ...]:
    from importlib import import_module

    rules = []
    for entry in LEDGER:
        module = f"{entry.code}_{entry.name}".lower().replace("-", "_")
        rules.append(getattr(import_module(f"{__name__}.{module}"), entry.implementation)())
    return tuple(rules)


def __getattr__(name: str) -> tuple[Rule, ...]:
    """`RULES`: all rules, imported when they are first asked for."""
    if name == "RULES":
        return _load()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
