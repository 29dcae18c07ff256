"""The calls of `add_weight` that build a layer: their names, and which of them run together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint.keras.events import Argument, WeightCall
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.values import Variable, elements

if TYPE_CHECKING:
    import libcst as cst

CONSTRUCTION = ("__init__", "build")
MAKERS = ("add_weight", "add_variable")
_LOOPS = frozenset({"For", "While", "ListComp", "SetComp", "DictComp", "GeneratorExp"})
_LEAVES = re.compile(r"\s*(?:return|raise)\b")
_ASKS = re.compile(r"version|keras|legacy|hasattr|tf2|\btf_?v?2", re.IGNORECASE)
_COUNTED = re.compile(r"(?:range|enumerate)\(")


def calls(cls: KerasClass, *methods: str) -> Iterator[WeightCall]:
    """The weights that the given methods, and the helpers they call, make for the object."""
    for method in methods:
        for call in cls.flow(method).all(WeightCall):
            if call.owner is cls.outline:
                yield call


def name_argument(call: WeightCall, keras: Keras) -> Argument | None:
    """The argument that names a weight; Keras 3 takes it by keyword only."""
    return call.arguments.get(0 if keras is Keras.V2 else None, "name")


def attribute_of(cls: KerasClass, call: WeightCall) -> str | None:
    """A name for a weight by the one attribute that holds it, with its place among others."""
    found: set[str] = set()
    for store in cls.stores(*CONSTRUCTION):
        made = [id(v.node) for v in elements(store.value) if isinstance(v, Variable)]
        if id(call.node) in made:
            bare = store.name.lstrip("_") or store.name
            found.add(bare if len(made) == 1 else f"{bare}_{made.index(id(call.node))}")
    return found.pop() if len(found) == 1 else None


def loop_around(module: ModuleModel, call: WeightCall) -> cst.CSTNode | None:
    """The loop or comprehension in which a call runs again and again in any case."""
    branches = _without_scopes(module, call)
    if not branches:
        return None
    loop, part = branches[0]
    repeated = [id(getattr(loop, field, None)) for field in ("body", "elt", "value")]
    return loop if is_loop(loop) and id(part) in repeated else None


def asks_generation(module: ModuleModel, node: cst.CSTNode) -> bool:
    """Whether a branch around a node is taken by the version of Keras, or by what it has."""
    branches = (branch for branch, _ in module.branches_of(node))
    tests = (getattr(branch, "test", None) for branch in branches)
    return any(_ASKS.search(module.text(test)) for test in tests if test is not None)


def is_scoped(module: ModuleModel, call: WeightCall) -> bool:
    """Whether a name scope around it makes another name of a weight's own.

    Those of TensorFlow are nothing to Keras 3.
    """
    scopes = _scopes(module, call)
    if module.keras is Keras.V3:
        names = (module.summary.resolve(scope) or "" for scope in scopes)
        return not all(name.startswith("tensorflow.") for name in names)
    return bool(scopes)


def is_in_scope(module: ModuleModel, call: WeightCall) -> bool:
    """Whether a name scope is around it, of whatever library."""
    return bool(_scopes(module, call))


def _scopes(module: ModuleModel, call: WeightCall) -> list[str]:
    """What opens the name scopes around a weight: `tf.name_scope`, ..."""
    blocks = (block for block, _ in module.branches_of(call.node) if _is_with(block))
    items = (item for block in blocks for item in getattr(block, "items", ()))
    opened = (module.text(item).partition("(")[0].strip() for item in items)
    return [name for name in opened if "_scope" in name]


def _is_with(branch: cst.CSTNode) -> bool:
    return type(branch).__name__ == "With"


def _without_scopes(module: ModuleModel, call: WeightCall) -> list[tuple[cst.CSTNode, cst.CSTNode]]:
    branches = module.branches_of(call.node)
    return [(branch, part) for branch, part in branches if not _is_with(branch)]


def is_loop(branch: cst.CSTNode) -> bool:
    """Whether a branch is a loop or a comprehension."""
    return type(branch).__name__ in _LOOPS


def counter_of(module: ModuleModel, loop: cst.CSTNode) -> str | None:
    """The name that counts the rounds of a loop over `range` or `enumerate`."""
    clause = getattr(loop, "for_in", loop)
    target, iterated = getattr(clause, "target", None), getattr(clause, "iter", None)
    if target is None or iterated is None or getattr(clause, "inner_for_in", None) is not None:
        return None
    counted = _COUNTED.match(module.text(iterated))
    name = module.text(target).strip("()").partition(",")[0]
    usable = name.isidentifier() and not name.startswith("_")
    return name if counted and usable else None


def label_of(module: ModuleModel, cls: KerasClass, call: WeightCall) -> tuple[str, str] | None:
    """A name for a weight, and the counter that tells its rounds apart where it is in a loop."""
    name = attribute_of(cls, call)
    branches = _without_scopes(module, call)
    if name is None or (call.conditional and not branches):
        return None  # the helper that makes it may make several
    loops = [branch for branch, _ in branches if is_loop(branch)]
    if not loops:
        return name, ""
    counter = counter_of(module, loops[0]) if len(loops) == 1 else None
    return (name, counter) if counter is not None else None


def run_together(module: ModuleModel, one: WeightCall, other: WeightCall) -> bool:
    """Whether one run certainly can make both weights: not two arms, nor two conditions."""
    first, second = _without_scopes(module, one), _without_scopes(module, other)
    arms = {id(branch): part for branch, part in first}
    if any(arms.get(id(branch), part) is not part for branch, part in second):
        return False
    shared = arms.keys() & {id(branch) for branch, _ in second}
    own = [_own(first, shared), _own(second, shared)]
    unseen = [one.conditional and not first, other.conditional and not second]
    if all(branches or call for branches, call in zip(own, unseen, strict=True)):
        return False
    return not any(_leaves(module, part) for branches in own for _, part in branches)


def _own(
    branches: list[tuple[cst.CSTNode, cst.CSTNode]], shared: set[int]
) -> list[tuple[cst.CSTNode, cst.CSTNode]]:
    return [
        (branch, part)
        for branch, part in branches
        if id(branch) not in shared and not is_loop(branch)
    ]


def _leaves(module: ModuleModel, part: cst.CSTNode) -> bool:
    """Whether control does not go on behind a branch."""
    lines = module.text(part).splitlines()
    return bool(lines) and _LEAVES.match(lines[-1]) is not None
