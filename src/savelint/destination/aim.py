"""What a preflight is about: what is to be saved where, and where on disk that begins."""

from __future__ import annotations

import os
from dataclasses import dataclass

from savelint.destination.outcome import Kind

# The suffixes by which Keras knows what to write.
SUFFIXES = {
    Kind.KERAS: (".keras",),
    Kind.H5: (".h5", ".hdf5"),
    Kind.WEIGHTS: (".weights.h5",),
}
# How a name ends that is meant for another kind, the longest first.
_TOLD = (
    (".weights.h5", Kind.WEIGHTS),
    (".keras", Kind.KERAS),
    (".h5", Kind.H5),
    (".hdf5", Kind.H5),
    (".ckpt", Kind.CHECKPOINT),
)


@dataclass(frozen=True)
class Aim:
    """A model to be saved: where, as what, by which Keras, and how many bytes it needs."""

    path: str
    kind: Kind
    keras_version: int
    need: int | None = None

    @property
    def directory(self) -> str:
        """The directory that must be there before the model's own file or directory."""
        path = self.path.rstrip("/") if self.kind is Kind.SAVED_MODEL else self.path
        return os.path.dirname(path) or "."

    @property
    def makes_parents(self) -> bool:
        """Tell whether the call that saves makes the directories that are missing."""
        return self.kind not in (Kind.KERAS, Kind.WEIGHTS)

    def error(self, text: str) -> str:
        """An error that was seen in Keras 3 only."""
        return text if self.keras_version == 3 else ""


def told_kind(path: str) -> Kind | None:
    """What is to be saved, as far as the path tells: by a known suffix, or by having none.

    Letters of the wrong case and blanks at the end show what was meant, though not to Keras.
    """
    name = os.path.basename(path.rstrip("/ \t\r\n")).lower()
    for suffix, kind in _TOLD:
        if name.endswith(suffix):
            return kind
    suffix = os.path.splitext(name)[1]
    # `resnet50-v1.5` and `epoch3-0.93` have no suffix, whatever splitext says.
    return None if suffix[1:2].isalpha() else Kind.SAVED_MODEL
