"""The contract of a rule: what it states, how it was witnessed, and how it reports."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from savelint import layout
from savelint.finding import Finding, Fix, Severity
from savelint.frozen import frozen
from savelint.keras.generation import Keras

if TYPE_CHECKING:
    import libcst as cst

    from savelint.keras.model import ModuleModel

# Written by `python tests/witness/record.py`; a test holds it to what TensorFlow does today.
WITNESSED = "witnessed.json"


class Way(Enum):
    """A way of using, saving and reloading a model that a witness tries."""

    RUN = "run"  # the example itself runs to its end
    CALL = "call"  # called eagerly on a batch of 4 and on one of 7
    FUNCTIONAL = "functional"  # used as a layer of a functional model
    TRAIN = "fit"  # one step of fit; every weight in `trains` changes
    STEPS = "several steps of fit"  # with a learning rate of 0 on one batch
    REPEAT = "export, served again and again"  # on one batch, as the model itself is called
    RESUME = ".keras, trained on"  # reloaded, and trained as the saved model is
    SAVED_MODEL = "tf.saved_model.save"
    EXPORT = "export"
    KERAS = ".keras"
    H5 = ".h5"
    WEIGHTS = ".weights.h5"


@frozen
class Witness:
    """How an example is run under TensorFlow, and how its bad form fails.

    `build` is an expression, evaluated in the example's namespace, for a Model, or for a
    Layer (the witness then puts it into a functional model). `inputs` holds one
    (shape without the batch, dtype) per input tensor. `ways` are those on which the good
    form must pass; `fails` gives, per generation, the ways on which the bad form must
    fail, each with a regular expression for its outcome. An outcome is "ok",
    "DIFF: ..." (no exception, other outputs), "UNTRAINED: ..." (weights that one step of
    fit leaves as they were, or that are not among the model's weights), "FROZEN: ..."
    (a signature that serves the sample's batch size only), "NO SIGNATURE" or
    "ErrorType: message".

    An example with `saved` is a script: it is run whole, in an empty directory, and
    leaves a SavedModel at the path `saved` ("exported" for one that `export` wrote), which
    is loaded and compared with `build`.
    `trains` counts the variables that one step of fit must change in the good form.
    `serves` names a method that is passed as `signatures=` where the object has it.
    With `program` the text is run as a program of its own, and `Way.RUN` is all that is tried.
    There `keras` is Keras 3 in both generations; the environment asks `tf.keras` for Keras 2
    where that is measured, unless the text itself sets `TF_USE_LEGACY_KERAS`.
    """

    build: str
    inputs: tuple[tuple[tuple[int | None, ...], str], ...] = (((6,), "float32"),)
    ways: tuple[Way, ...] = (
        Way.CALL,
        Way.TRAIN,
        Way.SAVED_MODEL,
        Way.EXPORT,
        Way.KERAS,
        Way.WEIGHTS,
    )
    fails: Mapping[Keras, Mapping[Way, str]] = field(default_factory=dict)
    saved: str = ""
    trains: int | None = None
    serves: str = ""
    program: bool = False


@frozen
class Example:
    """A defect, in source, and the same source without it.

    `variant` names the case within its rule; findings cite the consequence seen for it.
    `at` is the source text that the finding must span. `good` is what all fixes, safe
    and unsafe, make of `bad`; with `fixed=False` no fix is applied, and `good` was
    written by hand. `keras` are the generations in which `bad` is reported.
    """

    variant: str
    bad: str
    at: str
    good: str
    witness: Witness
    keras: tuple[Keras, ...] = (Keras.V2, Keras.V3)
    fixed: bool = True


class Rule(ABC):
    """One defect: how to see it in the model of a file, and what to say about it.

    The docstring is the rule's page: the first line says what is wrong, then the
    paragraphs `Consequence:`, `Silent:` and `Fix:` follow. `severity` has no entry for a
    generation in which the rule is off. `mentions` are literals, of which a file must
    hold at least one for any finding to be possible; of each set of `clues` (words, and the
    marks of `savelint.keras.clues`) a statement must hold one, itself or in the definitions
    that it leads to. `silent` are look-alikes that no
    rule may report, each with a comment that says why.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    since: ClassVar[str]
    severity: ClassVar[Mapping[Keras, Severity]]
    mentions: ClassVar[tuple[str, ...]]
    clues: ClassVar[tuple[frozenset[str], ...]] = ()
    examples: ClassVar[Sequence[Example]]
    silent: ClassVar[Sequence[str]]

    @abstractmethod
    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Yield the findings of this rule in one file."""

    def finding(
        self,
        module: ModuleModel,
        node: cst.CSTNode,
        message: str,
        *,
        variant: str,
        severity: Severity | None = None,
        note: str = "",
        labels: Sequence[tuple[cst.CSTNode, str]] = (),
        fix: Fix | None = None,
    ) -> Finding:
        """A finding of this rule at `node`, with the consequence witnessed for `variant`."""
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity or self.severity[module.keras],
            message=message,
            consequence=consequence(self.code, variant, module.keras),
            keras_version=module.keras.value,
            span=module.span(node),
            note=note,
            labels=tuple(module.label(place, text) for place, text in labels),
            fix=fix and layout.fitted(module.source, fix),
        )


@cache
def _witnessed() -> dict[str, dict[str, dict[str, str]]]:
    text = Path(__file__).with_name("rules").joinpath(WITNESSED).read_text(encoding="utf-8")
    table: dict[str, dict[str, dict[str, str]]] = json.loads(text)
    return table


def consequence(code: str, variant: str, keras: Keras) -> str:
    """What was seen when the example `variant` of rule `code` ran in that generation."""
    return _witnessed()[code][variant][str(keras.value)]
