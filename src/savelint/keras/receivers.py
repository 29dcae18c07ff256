"""What tells that a value is a Keras model although it was made out of sight."""

from __future__ import annotations

from savelint.keras import external, tables
from savelint.keras.tables import Kind
from savelint.keras.values import ClassRef, Model, Ref, Value

_ANY_MODEL = frozenset({"keras.Model", "keras.models.Model", "keras.engine.training.Model"})


def model_of_call(name: str) -> Model | None:
    """What a function of Keras' that gives a model makes, by its canonical name."""
    if not tables.makes_model(name):
        return None
    kind = Kind.FUNCTIONAL if name.startswith("keras.applications.") else None
    return Model(f"`{name.rpartition('.')[2]}(...)`", kind)


def model_of_class(cls: Value, evidence: str) -> Model | None:
    """An instance of a class that an annotation names; of `keras.Model` also of any other."""
    outline = cls.outline if isinstance(cls, ClassRef) else None
    name = cls.name if isinstance(cls, Ref) else ""
    kind = outline.kind if outline is not None else external.kind(name)
    if kind not in {Kind.MODEL, Kind.FUNCTIONAL}:
        return None
    return Model(evidence, None if name in _ANY_MODEL else kind, outline)
