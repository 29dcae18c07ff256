"""What a class fixes of the config that it inherits: Keras would give it twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from savelint.finding import Fix, Safety
from savelint.keras.config import Config, Constructor, config, handed, inherited, library_bases
from savelint.keras.events import Argument
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import (
    CONFIG,
    LAYER_ARGUMENTS,
    ROOT_ARGUMENTS,
    UNRECORDED_ARGUMENTS,
    UNRECORDED_LAYERS,
)
from savelint.rules import lineage, rebuilding

if TYPE_CHECKING:
    import libcst as cst

_RECORDED = LAYER_ARGUMENTS - UNRECORDED_ARGUMENTS


def fixed(module: ModuleModel, cls: KerasClass, made: Constructor) -> Mapping[str, Argument]:
    """The keys of an inherited config that a constructor gives `super().__init__` itself.

    It hands its `**kwargs` on, too, in which Keras gives it the same key.
    """
    call = made.forwarding
    if call is None or made.definer is not cls.outline or not module.is_here(made.node):
        return {}
    if module.branches_of(call.node) or any(a.node.star == "*" for a in call.arguments.items):
        return {}
    known = made.names | ROOT_ARGUMENTS["Layer"]
    given = handed(module, cls.outline, cls.outline, call)
    given = {name: argument for name, argument in given.items() if name not in known}
    if not given:
        return {}
    if rebuilding.supplied(module, cls) != frozenset() or rebuilding.is_abstract(module, cls):
        return {}
    if any(map(rebuilding.is_functional, lineage.ancestry(module, cls))):
        return {}
    keys = _inherited_keys(module, cls)
    again = {name: argument for name, argument in given.items() if name in keys}
    if not again or not is_meant(module, cls):
        return {}
    text = module.code_of(made.node.body)
    # A word of its own may take the key out of `**kwargs`.
    return {n: argument for n, argument in again.items() if not re.search(f"[\"']{n}[\"']", text)}


def is_meant(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether a class has a config of its own, or nothing says that it is not to be saved."""
    if CONFIG in cls.outline.method_names or cls.outline.node.decorators:
        return True
    is_left = rebuilding.is_left_open(module, cls) or rebuilding.is_base(module, cls)
    return not is_left and not module.is_part(cls)


def _inherited_keys(module: ModuleModel, cls: KerasClass) -> frozenset[str]:
    """The keys that the config of a class certainly has of those that it derives from."""
    recorded = config(cls) or inherited(module, cls)
    if recorded is None:
        is_told = cls.outline.definer(CONFIG) is None
        return _of_keras(tuple(library_bases(cls.outline))) if is_told else frozenset()
    if not recorded.is_known:
        return frozenset()
    entries = (e for e in recorded.entries.values() if not _is_own(module, cls, recorded, e.node))
    return _of_keras(recorded.inherits) | {entry.key for entry in entries}


def _of_keras(bases: tuple[str, ...]) -> frozenset[str]:
    """What the configs of Keras' own layers hold, as far as they take it."""
    names = {base.rpartition(".")[2] for base in bases if base.startswith("keras.layers.")}
    return _RECORDED if names - UNRECORDED_LAYERS else frozenset()


def _is_own(module: ModuleModel, cls: KerasClass, recorded: Config, node: cst.CSTNode) -> bool:
    """Whether an entry is of the class itself, or depends on a condition."""
    is_own = recorded.definer is cls.outline and module.function_of(node) is recorded.method
    return is_own or bool(module.branches_of(node))


def fix(module: ModuleModel, cls: KerasClass, keys: Iterable[str]) -> Fix:
    """Leave the keys out of the config."""
    # libcst is behind this import: a file without findings does not pay for it.
    from savelint.rules import configs

    edit = configs.deletions(module, cls, tuple(keys))
    message = f"leave {rebuilding.enumerated(tuple(keys))} out of the config"
    if edit is None:
        return Fix(message, Safety.DISPLAY)
    return Fix(message, Safety.UNSAFE, (edit,), "others may read it")
