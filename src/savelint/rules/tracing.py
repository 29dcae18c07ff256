"""The classes whose `call` Keras traces: what several rules begin with."""

from __future__ import annotations

from collections.abc import Iterator

from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import Kind


def traced_classes(module: ModuleModel) -> Iterator[KerasClass]:
    """The layers and models of a file; none where the file cannot run in its generation."""
    if module.keras is Keras.V2 and "keras.ops" in module.summary.imported:
        return
    yield from (cls for cls in module.classes if cls.kind in {Kind.LAYER, Kind.MODEL})
