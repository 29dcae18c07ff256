"""The ledger: every rule, in the order of its code. A code, once released, keeps its meaning.

The ledger names the rules without importing them, because most files need none of them, and
the others a few. What tells whether a file needs a rule is kept in a file of its own.
A rule `SVL101 dynamic-reshape` stands in `svl101_dynamic_reshape.py`.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from savelint.codes import Entry
from savelint.files import read_bytes
from savelint.keras.generation import Keras

if TYPE_CHECKING:
    from savelint.finding import Finding
    from savelint.keras.model import ModuleModel
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
    Entry("SVL211", "invalid-name", "InvalidName"),
    Entry("SVL212", "back-reference", "BackReference"),
    Entry("SVL213", "positional-weight-name", "PositionalWeightName"),
    Entry("SVL214", "call-not-defined", "CallNotDefined"),
    Entry("SVL215", "model-without-build-info", "ModelWithoutBuildInfo"),
    Entry("SVL216", "unnamed-weight", "UnnamedWeight"),
    Entry("SVL301", "config-omits-argument", "ConfigOmitsArgument"),
    Entry("SVL302", "init-refuses-config", "InitRefusesConfig"),
    Entry("SVL303", "config-is-none", "ConfigIsNone"),
    Entry("SVL304", "config-not-serializable", "ConfigNotSerializable"),
    Entry("SVL305", "config-key-mismatch", "ConfigKeyMismatch"),
    Entry("SVL306", "model-arguments-lost", "ModelArgumentsLost"),
    Entry("SVL307", "loss-arguments-lost", "LossArgumentsLost"),
    Entry("SVL308", "argument-not-recorded", "ArgumentNotRecorded"),
    Entry("SVL309", "from-config-not-classmethod", "FromConfigNotClassmethod"),
    Entry("SVL310", "unregistered-class", "UnregisteredClass"),
    Entry("SVL311", "registration-misused", "RegistrationMisused"),
    Entry("SVL312", "lambda-layer", "LambdaLayer"),
    Entry("SVL313", "unserializable-compile", "UnserializableCompile"),
    Entry("SVL314", "compile-override", "CompileOverride"),
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


# Written by `python tests/gates.py`; a test holds it to the rules.
GATES = "gates.json"


class Deferred:
    """A rule that is imported when it is to check a file; its gates are known before."""

    def __init__(self, entry: Entry, gates: dict[str, Any]) -> None:
        self.code = entry.code
        self.severity: Container[Keras] = frozenset(map(Keras, gates["keras"]))
        self.mentions: tuple[str, ...] = tuple(gates["mentions"])
        self.clues: tuple[frozenset[str], ...] = tuple(map(frozenset, gates["clues"]))
        self._entry = entry

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Yield the findings of the rule in one file."""
        return _load(self._entry).check(module)


def gates(rule: Rule) -> dict[str, Any]:
    """What tells whether a file needs a rule, in the types of JSON."""
    return {
        "keras": sorted(keras.value for keras in rule.severity),
        "mentions": sorted(rule.mentions),
        "clues": [sorted(clue) for clue in rule.clues],
    }


@cache
def deferred() -> tuple[Deferred | Rule, ...]:
    """All rules; those whose gates are known are not imported."""
    import json

    known = json.loads(read_bytes(os.path.join(os.path.dirname(__file__), GATES)))
    return tuple(
        Deferred(entry, known[entry.code]) if entry.code in known else _load(entry)
        for entry in LEDGER
    )


@cache
def _load(entry: Entry) -> Rule:
    from importlib import import_module

    module = f"{entry.code}_{entry.name}".lower().replace("-", "_")
    rule: Rule = getattr(import_module(f"{__name__}.{module}"), entry.implementation)()
    return rule


def __getattr__(name: str) -> tuple[Rule, ...]:
    """`RULES`: all rules, imported when they are first asked for."""
    if name == "RULES":
        return tuple(map(_load, LEDGER))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
