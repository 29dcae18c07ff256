"""Fixes that have a class record its arguments: entries of `get_config`, or the method itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Fix, Safety
from savelint.frozen import frozen
from savelint.keras.config import Constructor, Held, Taken, library_bases
from savelint.keras.events import AttributeStore
from savelint.keras.model import KerasClass, ModuleModel
from savelint.rules import rebuilding

if TYPE_CHECKING:
    from savelint.rules.configs import Addition


# Their own `get_config` gives something in one generation at least.
_MERGED = (".Layer", ".Model", ".Loss", ".Metric", ".metrics.Mean", ".metrics.Sum")
# Words of functions that give what they are given in the form that they take.
_CHECKS = ("standardize", "normalize", "normalise", "validate", "check", "ensure")


@frozen
class Written:
    """Entries for a config, the edits they need elsewhere, and why they may not be safe."""

    additions: tuple[Addition, ...]
    edits: tuple[Edit, ...]
    reason: str


def record(
    module: ModuleModel, cls: KerasClass, made: Constructor, missing: Sequence[Taken]
) -> Written | None:
    """What records arguments; None where it cannot be written."""
    # libcst is behind this import: a file without findings does not pay for it.
    from savelint.rules import configs

    additions: list[configs.Addition] = []
    unkept: list[str] = []
    reason = ""
    for taken in missing:
        held = made.held.get(taken.name)
        if held is None and _is_hyper(module, made, taken):
            key = configs.quoted(module, taken.name)
            kept = f"self._serialize_hyperparameter({key})"
            additions.append(configs.Addition(taken.name, kept))
            continue
        checked = _checked(module, cls, taken) if held is None else None
        if checked is not None:
            additions.append(configs.Addition(taken.name, f"self.{checked.name}"))
            reason = reason or f"`self.{checked.name}` must be taken as `{taken.name}`, too"
            continue
        if (held is None or not held.how) and _is_set(module, taken):
            return None  # A set cannot be saved, and what takes one may not take a list.
        if held is None:
            unkept.append(taken.name)
            additions.append(configs.Addition(taken.name, f"self.{taken.name}"))
            if not _is_plain_default(module, taken):
                reason = reason or f"what `{taken.name}` is given must be plain"
            continue
        value = configs.value_of(module, held)
        if value is None:
            return None
        if _is_object(module, cls, held):
            reason = reason or f"what `{taken.name}` is given must be plain"
        if not held.certain:
            reason = reason or f"`self.{held.attribute}` may be something else by then"
        additions.append(configs.Addition(taken.name, value))
    edits: tuple[Edit, ...] = ()
    if unkept:
        stored = configs.storing(module, cls, made, unkept)
        if stored is None:
            return None
        edits = (stored,)
    return Written(tuple(additions), edits, reason)


def _is_hyper(module: ModuleModel, made: Constructor, taken: Taken) -> bool:
    """Whether a Keras 2 optimizer keeps an argument as one of its hyperparameters."""
    setting = rf"\bself\._set_hyper\(\s*([\"']){taken.name}\1,\s*{taken.name}\s*,?\s*\)"
    return re.search(setting, module.code_of(made.node.body)) is not None


def _is_object(module: ModuleModel, cls: KerasClass, held: Held) -> bool:
    """Whether the class calls what it keeps, or asks it for what no plain value has."""
    if held.how.startswith("keras."):
        return False
    for method in cls.outline.methods.values():
        for read in module.reads_of(method, held.attribute):
            use = module.use_of(read)
            if use.role == "called" or (
                use.role == "member" and use.name not in rebuilding.OF_PLAIN
            ):
                return True
    return False


def _checked(module: ModuleModel, cls: KerasClass, taken: Taken) -> AttributeStore | None:
    """`self.padding = normalize_padding(padding)`, where that is all that it is ever given."""
    stores = [
        store
        for flow in cls.flows.values()
        for store in flow.all(AttributeStore)
        if store.name.lstrip("_") == taken.name
    ]
    if len(stores) != 1 or stores[0].conditional or stores[0].method != "__init__":
        return None
    store = stores[0]
    call = rf"[\w.]*(?:{'|'.join(_CHECKS)})\w*\((?:\w+=)?{taken.name}\)"
    is_checked = store.how == "assign" and re.fullmatch(call, module.text(store.value_node))
    return store if is_checked else None


def _is_set(module: ModuleModel, taken: Taken) -> bool:
    """Whether the default of an argument is a set."""
    default = taken.parameter.default if taken.parameter is not None else None
    return default is not None and (
        type(default).__name__ == "Set" or module.text(default).startswith(("set(", "frozenset("))
    )


def _is_plain_default(module: ModuleModel, taken: Taken) -> bool:
    """Whether the default of an argument is a number or a word, so that others are too."""
    default = taken.parameter.default if taken.parameter is not None else None
    if default is None:
        return False
    return bool(re.fullmatch(r"True|False|[-+.\d][\w.+-]*|(['\"]).*\1", module.text(default)))


def generate(
    module: ModuleModel,
    cls: KerasClass,
    made: Constructor,
    missing: Sequence[Taken],
    layers: Sequence[str] = (),
    *,
    merges: bool = False,
) -> Fix:
    """A `get_config` that records arguments, with the `**kwargs` that its reader needs.

    Of the arguments `layers` are layers, which a `from_config` brings back. With `merges` a
    class of the project has a config that is to be handed on; that of Keras is in any case.
    """
    from savelint.rules import configs

    display = Fix("define `get_config`", Safety.DISPLAY)
    if made.definer is not cls.outline or made.star is not None or made.positional_only:
        return display
    edits: list[Edit] = []
    if rebuilding.refuses(module, cls):
        forwarded = configs.forwarding(module, made)
        if forwarded is None:
            return display
        edits.extend(forwarded)
    if not missing:
        if not edits:
            return display
        message = "take `**kwargs` and hand them to `super().__init__`"
        return Fix(message, Safety.SAFE, tuple(edits))
    written = record(module, cls, made, missing)
    if written is None:
        return display
    bases = tuple(library_bases(cls.outline))
    merges = merges or rebuilding.is_recorded(cls) or any(base.endswith(_MERGED) for base in bases)
    additions = list(written.additions)
    restored: list[configs.Addition] = []
    reason = written.reason
    if layers:
        modules = rewrite.spell(module, "keras.layers")
        if modules is None:
            return display
        name, imports = modules
        edits.extend(imports)
        reason = f"{rebuilding.enumerated(layers)} must be a layer"
        additions = [_serialized(name, each) if each.key in layers else each for each in additions]
        restored = [_deserialized(module, name, key) for key in layers]
    method = configs.generated(module, cls, additions, merges=merges, restored=restored)
    if method is None:
        return display
    safety = Safety.UNSAFE if reason else Safety.SAFE
    edits.extend((*written.edits, method))
    return Fix(f"record {rebuilding.listed(missing)} in `get_config`", safety, tuple(edits), reason)


def _serialized(layers: str, entry: Addition) -> Addition:
    return replace(entry, value=f"{layers}.serialize({entry.value})")


def _deserialized(module: ModuleModel, layers: str, key: str) -> Addition:
    from savelint.rules import configs

    given = f"config[{configs.quoted(module, key)}]"
    return configs.Addition(key, f"{layers}.deserialize({given})")
