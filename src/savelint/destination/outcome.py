"""What a preflight found: problems, and advice where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What is to be saved, named by the call that does it."""

    KERAS = "keras"  # model.save("m.keras")
    H5 = "h5"  # model.save("m.h5")
    WEIGHTS = "weights"  # model.save_weights("m.weights.h5")
    SAVED_MODEL = "saved-model"  # tf.saved_model.save, model.export, model.save(dir) of Keras 2
    CHECKPOINT = "checkpoint"  # tf.train.Checkpoint, model.save_weights(prefix) of Keras 2

    @property
    def is_file(self) -> bool:
        """Tell whether it is one file, which is written where it stands."""
        return self in (Kind.KERAS, Kind.H5, Kind.WEIGHTS)

    @property
    def is_hdf5(self) -> bool:
        """Tell whether the HDF5 library opens the file itself."""
        return self in (Kind.H5, Kind.WEIGHTS)


class Verdict(Enum):
    """Whether saving will succeed; the order is by gravity."""

    OK = "ok"
    UNKNOWN = "unknown"
    FAILS = "fails"


# The codes and names of the checks. P16, a temporary directory that is missing or full, is not
# among them: no call that saves was seen to fail by it.
CHECKS = {
    "P01": "not-a-path-to-save-to",
    "P02": "unusable-character",
    "P03": "remote-path",
    "P04": "unexpanded-path",
    "P05": "name-too-long",
    "P06": "parent-not-a-directory",
    "P07": "missing-parent",
    "P08": "broken-link",
    "P09": "occupied",
    "P10": "directory-not-writable",
    "P11": "locked-file",
    "P12": "file-not-writable",
    "P13": "no-space-left",
    "P14": "no-inodes-left",
    "P15": "file-size-limit",
    "P17": "overwritten-in-place",
}


@dataclass(frozen=True)
class Problem:
    """What keeps a model from being saved, or from being sure that it can be.

    `message` says what is wrong, `reason` why that matters, `help` how to mend it. `error`
    is what the call that saves raises; in it, `...` stands for what varies and ` | ` between
    two forms. It is empty if the call raises nothing, or something that was not seen.
    """

    code: str
    verdict: Verdict
    message: str
    reason: str = ""
    error: str = ""
    help: str = ""

    @property
    def name(self) -> str:
        """The name of the check."""
        return CHECKS[self.code]


@dataclass(frozen=True)
class Advice:
    """What to know about a path although saving to it will succeed."""

    code: str
    message: str
    help: str

    @property
    def name(self) -> str:
        """The name of the check."""
        return CHECKS[self.code]


class PreflightError(Exception):
    """A model cannot be saved where it is meant to be; `result` says why."""

    def __init__(self, result: Preflight) -> None:
        super().__init__(result)
        self.result = result

    def __str__(self) -> str:
        return str(self.result)


@dataclass(frozen=True)
class Preflight:
    """Whether a model can be saved to a path, here and now.

    `kind` is None where neither the caller nor the path tells what is to be saved; `need`
    is in bytes, None if it was not given.
    """

    path: str
    kind: Kind | None
    keras_version: int
    need: int | None = None
    problems: tuple[Problem, ...] = ()
    advice: tuple[Advice, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The gravest of the problems'."""
        order = list(Verdict)
        return max((p.verdict for p in self.problems), key=order.index, default=Verdict.OK)

    @property
    def ok(self) -> bool:
        """Tell whether saving will succeed."""
        return self.verdict is Verdict.OK

    def raise_if_bad(self, *, unknown: bool = False) -> Preflight:
        """Raise PreflightError if saving will fail; with `unknown`, also if nobody can tell.

        Returns the result itself, to be kept or dropped.
        """
        if self.verdict is Verdict.FAILS or (unknown and not self.ok):
            raise PreflightError(self)
        return self

    def __str__(self) -> str:
        if self.ok:
            return f"{self.path!r} can be saved to"
        lines = []
        for problem in self.problems:
            lines.append(f"{self.path!r}: {problem.code} {problem.message}")
            lines += [f"  {text}" for text in (problem.reason, problem.help) if text]
            if problem.error:
                lines.append(f"  saving with Keras {self.keras_version} raises {problem.error}")
        return "\n".join(lines)
