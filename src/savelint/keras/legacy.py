"""`TF_USE_LEGACY_KERAS` in a file: what it is set to, and whether TensorFlow still asks for it.

Measured with TensorFlow 2.21. The values "1", "true" and "True" mean Keras 2, any other one
Keras 3. `tf.keras` chooses when its first member is read or its first module imported, for
good. `import tensorflow` alone leaves the choice to `tf.keras.X`; modules that are imported
later by name (`from tensorflow.keras import layers`) are of the Keras that was chosen then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from savelint.frozen import frozen
from savelint.keras import LEGACY_FLAG
from savelint.keras.model import LegacyFlag
from savelint.keras.running import Guard, Spot, dotted_name, imported_module, origins, spots
from savelint.keras.summary import Summary

_MEANT = re.compile(r"\s*(y|yes|on|t|true|enabled?|1)\s*", re.IGNORECASE)
# The environment of a child process is set in the same way.
_CHILDREN = re.compile(r"subprocess|multiprocessing|os\.system|os\.exec|os\.spawn|Popen|fork")
_ENVIRONMENT = frozenset({"os.environ"})
_SETTING = frozenset({"os.environ.setdefault", "os.putenv"})


@frozen
class _Load:
    """TensorFlow is imported; `member`: something of `tf.keras` is; `by_name`: a module of it."""

    spot: Spot
    member: bool
    by_name: bool


def flags(text: str, summary: Summary, nodes: list[cst.CSTNode]) -> Iterator[LegacyFlag]:
    """Where the statements of a whole file set the flag; nothing if they start processes."""
    if _CHILDREN.search(text):
        return
    every = list(spots(nodes))
    settings = [(at, spot) for at, spot in enumerate(every) if _value(spot, summary) is not None]
    loads = [(at, load) for at, spot in enumerate(every) if (load := _load(spot, summary))]
    for at, spot in settings:
        value = _value(spot, summary)
        if value is None or not _MEANT.fullmatch(str(value.evaluated_value)):
            continue
        before = [load for i, load in loads if _is_before(i, load.spot, at, spot)]
        after = [load for i, load in loads if i > at and not load.spot.inside]
        earlier = [i for i, other in settings if i < at and not other.inside]
        first = next((load for load in before), None)
        loaded = next((load for load in before if load.member), None)
        split = None
        if loaded is None and before and not spot.inside:
            split = next((load for load in after if load.by_name), None)
        begun = next((i for i, load in loads if load is first), at)
        if (earlier and earlier[0] < begun) or _is_called(every, spot, begun):
            loaded = split = None
        chosen = loaded or split
        yield LegacyFlag(
            spot.node,
            value,
            chosen.spot.node if chosen else None,
            split is not None,
            first.spot.node if first else None,
            bool(spot.inside) or spot.guard is not Guard.NONE,
        )


def _is_before(index: int, load: Spot, at: int, setting: Spot) -> bool:
    """Whether something has certainly run when the flag is set."""
    if load.guard is Guard.ASKED:
        return False
    if not load.inside:
        return index < at or bool(setting.inside)
    return index < at and setting.inside[: len(load.inside)] == load.inside


def _is_called(every: list[Spot], setting: Spot, before: int) -> bool:
    """Whether the function that sets the flag may be called before TensorFlow is there."""
    if not setting.inside:
        return False
    outermost = setting.inside[0]
    name = outermost.name.value if isinstance(outermost, cst.FunctionDef) else None
    return any(
        isinstance(spot.node, cst.Call)
        and not spot.inside
        and dotted_name(spot.node.func) in {name, None}
        for spot in every[:before]
    )


def _load(spot: Spot, summary: Summary) -> _Load | None:
    node = spot.node
    names: list[str] = []
    if isinstance(node, cst.ImportFrom):
        names = [imported_module(node)]
    elif isinstance(node, cst.Import):
        names = [origin for _, origin in origins(node)]
    elif isinstance(node, cst.Attribute):
        origin = spot.resolve(summary) or ""
        return _Load(spot, True, False) if origin.startswith("tensorflow.keras.") else None
    if any(f"{name}.".startswith("tensorflow.keras.") for name in names):
        return _Load(spot, True, True)
    if any(name.partition(".")[0] == "tensorflow" for name in names):
        return _Load(spot, False, False)
    return None


def _value(spot: Spot, summary: Summary) -> cst.SimpleString | None:
    """The text that an assignment or a call sets the flag to."""
    node = spot.node
    key: cst.BaseExpression | None = None
    value: cst.BaseExpression | None = None
    if isinstance(node, cst.Assign) and len(node.targets) == 1:
        target = node.targets[0].target
        if isinstance(target, cst.Subscript) and len(target.slice) == 1:
            index = target.slice[0].slice
            key = index.value if isinstance(index, cst.Index) else None
            value = node.value
            if replace(spot, node=target.value).resolve(summary) not in _ENVIRONMENT:
                return None
    elif isinstance(node, cst.Call) and len(node.args) == 2:
        key, value = node.args[0].value, node.args[1].value
        if replace(spot, node=node.func).resolve(summary) not in _SETTING:
            return None
    if isinstance(key, cst.SimpleString) and key.evaluated_value == LEGACY_FLAG:
        return value if isinstance(value, cst.SimpleString) else None
    return None
