"""What a rule reports: a finding, its labels, and the fix it offers."""

from __future__ import annotations

from enum import Enum

from savelint.frozen import frozen
from savelint.source import Source, Span


class Severity(Enum):
    """How certain the harm is; the order is by gravity."""

    NOTE = "note"  # advice, counted but not printed unless asked for
    WARNING = "warning"  # fails on one common path, which may not be the one used
    ERROR = "error"  # fails or loses state on every path it names

    @property
    def rank(self) -> int:
        """0 for the mildest."""
        return list(Severity).index(self)


class Safety(Enum):
    """What may happen to the program's behaviour when a fix is applied."""

    SAFE = "safe"  # behaviour kept, or only a certain failure removed
    UNSAFE = "unsafe"  # applied with --unsafe-fixes; the reason is printed
    DISPLAY = "display"  # shown, never applied


@frozen
class Edit:
    """Replace the characters of `span` by `replacement`; an empty span inserts."""

    span: Span
    replacement: str


@frozen
class Fix:
    """Edits that are applied all together or not at all.

    `message` says what the fix does, in the imperative; `reason` why it is not safe.
    A display fix that only tells what to do has no edits.
    """

    message: str
    safety: Safety
    edits: tuple[Edit, ...] = ()
    reason: str = ""


@frozen
class Label:
    """A further place that a finding points at, and what is there.

    `source` is the file that it stands in, None for that of the finding.
    """

    span: Span
    text: str
    source: Source | None = None


@frozen
class Finding:
    """One defect at one place.

    `span` is the place that the reader must change, `note` the short text shown under
    it; `labels` are further places, such as the call that saves. `consequence` is what
    was seen when the pattern ran; `keras_version` (2 or 3) is the generation it holds for.
    """

    code: str
    name: str
    severity: Severity
    message: str
    consequence: str
    keras_version: int
    span: Span
    note: str = ""
    labels: tuple[Label, ...] = ()
    fix: Fix | None = None
