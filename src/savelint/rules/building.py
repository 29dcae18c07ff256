"""Which weights of a class are made only when it is first called."""

from __future__ import annotations

from savelint.keras.events import Contact, LayerCall
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import WEIGHTLESS, Kind
from savelint.keras.values import ClassOutline, Instance, Value, Variable, elements

_BUILT = ("Input(", "InputLayer(", "input_shape=", "batch_input_shape=")


def is_unbuilt(module: ModuleModel, cls: KerasClass, call: LayerCall) -> bool:
    """Whether a called layer gets its weights only when it is first called."""
    layer = call.layer
    builds = cls.flow("__init__").all(Contact)
    if any(c.how == "build" and c.instance.node is layer.node for c in builds):
        return False
    return has_late_weights(module, layer)


def has_late_weights(module: ModuleModel, layer: Instance) -> bool:
    """Whether a layer that nobody has built yet makes weights when it is."""
    if layer.outline is not None:
        cls = module.class_of(layer)
        return cls is not None and makes_late_weights(module, cls)
    last = layer.name.rpartition(".")[2]
    if layer.kind is Kind.FUNCTIONAL:
        text = module.text(layer.node)
        return last == "Sequential" and "(" in text[:-1] and not any(m in text for m in _BUILT)
    return layer.kind is Kind.LAYER and last not in WEIGHTLESS and ".layers." in layer.name


def makes_late_weights(
    module: ModuleModel, cls: KerasClass, seen: frozenset[ClassOutline] = frozenset()
) -> bool:
    """Whether a class of the file makes weights in `build`, or has layers that do."""
    if cls.outline in seen:
        return False
    if any(is_weight(store.value) for store in cls.stores("build")):
        return True
    for store in cls.stores("__init__"):
        for value in elements(store.value):
            if not isinstance(value, Instance):
                continue
            inner = module.class_of(value) if value.outline is not None else None
            if inner is not None:
                if makes_late_weights(module, inner, seen | {cls.outline}):
                    return True
            elif has_late_weights(module, value):
                return True
    return False


def is_weight(value: Value) -> bool:
    """Whether a value is what `add_weight` gives."""
    return isinstance(value, Variable) and value.origin == "weight"
