"""How the state of a layer is written as a Keras weight, and whether its uses allow that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import IntEnum
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit
from savelint.frozen import frozen
from savelint.keras.events import AttributeRead, AttributeStore, SuperCall
from savelint.keras.model import KerasClass, ModuleModel, once
from savelint.keras.tables import WEIGHTED, Draw
from savelint.keras.values import (
    Array,
    ClassOutline,
    Const,
    Instance,
    Use,
    Value,
    Variable,
    elements,
)
from savelint.rules import weight_calls

if TYPE_CHECKING:
    import libcst as cst

_CONSTRUCTION = ("__init__", "build")
# Methods that keep an attribute by other means than a weight.
_KEEPERS = frozenset(
    """
    get_config get_build_config get_compile_config save_own_variables load_own_variables
    save_assets __getstate__ __reduce__ __reduce_ex__ get_weights
    """.split()
)
_TRACKED_BY_HAND = re.compile(
    r"\b_track_variable\b|\b_(?:non_)?trainable_(?:weights|variables)\b|\bsave_own_variables\b"
)
# One of these is in all that it finds.
_TRACKING = ("_track_variable", "_trainable_", "save_own_variables")
# What opens a plain string; an apostrophe and the quotes of a docstring do not.
_OPENING = re.compile(r"""(?<=[\s(\[{,=:])[fFrRbB]?(?:'(?!'')|"(?!""))""")


# ---------------------------------------------------------------------- who sets, who reads


def makes_weights(
    module: ModuleModel, instance: Instance, seen: frozenset[ClassOutline] = frozenset()
) -> bool:
    """Whether the class of an object of the project makes weights, or has layers that do."""
    cls = module.class_of(instance)
    if cls is None or cls.outline in seen:
        return False
    outline = cls.outline
    if any(base and base.rpartition(".")[2] in WEIGHTED for base in outline.bases):
        return True
    for store in cls.stores("__init__", "build"):
        for value in elements(store.value):
            if isinstance(value, Variable) and value.origin == "weight":
                return True
            if not isinstance(value, Instance):
                continue
            if value.outline is not None and makes_weights(module, value, seen | {outline}):
                return True
            if value.outline is None and value.name.rpartition(".")[2] in WEIGHTED:
                return value.kind is not None and value.kind.is_layer
    return False


def constructed(module: ModuleModel, cls: KerasClass) -> list[tuple[KerasClass, AttributeStore]]:
    """What `__init__` and `build` set, those of the class's parents first, each with its class."""
    found: dict[tuple[int, int], tuple[KerasClass, AttributeStore]] = {}
    for outline in reversed(list(cls.outline.lineage)):
        holder = next((other for other in module.classes if other.outline is outline), None)
        for store in holder.stores(*_CONSTRUCTION) if holder else ():
            found.setdefault((id(store.target), id(store.value_node)), (holder or cls, store))
    return list(found.values())


def reads(module: ModuleModel, cls: KerasClass, name: str, method: str) -> list[AttributeRead]:
    """Where a method, or a helper that it calls, reads an attribute of `self`.

    Functions defined in them count too, since nobody knows when they run.
    """
    own = {id(node): node for outline in cls.outline.lineage for node in outline.methods.values()}
    flow = cls.flow(method)
    found = {
        id(read.node): read
        for read in flow.all(AttributeRead)
        if read.name == name and read.owner is cls.outline
    }
    for function in flow.entered:
        definition = own.get(id(function.node))
        for node in module.reads_of(definition, name) if definition is not None else ():
            found.setdefault(id(node), AttributeRead(cls.outline, name, node, method))
    return list(found.values())


def later_methods(cls: KerasClass) -> Iterator[str]:
    """The methods that run after construction, and not in it."""
    entered = {id(function.node) for name in _CONSTRUCTION for function in cls.flow(name).entered}
    for name in cls.flows:
        method = cls.outline.method(name)
        if name not in _CONSTRUCTION and id(method) not in entered:
            yield name


def is_kept(module: ModuleModel, cls: KerasClass, name: str) -> bool:
    """Whether the class itself sees to it that an attribute is saved, or tracked."""
    if any(reads(module, cls, name, keeper) for keeper in _KEEPERS & cls.flows.keys()):
        return True
    return any(_tracks_by_hand(module, outline) for outline in cls.outline.lineage)


@once
def _tracks_by_hand(module: ModuleModel, outline: ClassOutline) -> bool:
    """Whether a class names what Keras keeps its weights in; most files never do."""
    text = module.source_of(outline.node).text
    if not any(word in text for word in _TRACKING):
        return False
    return _TRACKED_BY_HAND.search(module.code_of(outline.node)) is not None


# ---------------------------------------------------------------------- what uses allow


class Verdict(IntEnum):
    """Whether a use works as well with a Keras weight; measured in both generations."""

    FINE = 0
    UNKNOWN = 1
    BROKEN = 2


# What a Keras 3 variable has of an array's attributes, and of a tf.Variable's.
_OF_ARRAYS = frozenset({"shape", "dtype"})
_OF_VARIABLES = frozenset(
    {"assign", "assign_add", "assign_sub", "dtype", "name", "numpy", "shape", "trainable"}
)
_PYTHON = frozenset(
    """
    builtins.float builtins.int builtins.len builtins.list builtins.tuple builtins.iter
    builtins.zip builtins.enumerate builtins.sum builtins.min builtins.max builtins.map
    """.split()
)
# They read their argument at once, or want a tensor or a tf.Variable of TensorFlow's own.
_REFUSE_WEIGHTS = frozenset(
    {"tensorflow.constant", "tensorflow.assign", "keras.backend.update", "tensorflow.stack"}
)
_TAKE_LISTS = frozenset({"tensorflow.concat", "tensorflow.add_n"})
_TAPE = frozenset({"watch", "gradient", "jacobian", "batch_jacobian"})


def verdict(module: ModuleModel, cls: KerasClass, store: AttributeStore, *, array: bool) -> Verdict:
    """The worst of the uses of an array, or else a tf.Variable, that becomes a weight."""
    held = store.how != "assign" or not isinstance(store.value, (Array, Variable))
    uses = (
        module.use_of(read.node)
        for method in cls.flows
        for read in reads(module, cls, store.name, method)
    )
    return max((_verdict(module, use, array, held) for use in uses), default=Verdict.FINE)


def _verdict(module: ModuleModel, use: Use, array: bool, held: bool) -> Verdict:
    if held:
        # The list stays a list; an item of it is what becomes a weight.
        if use.direct:
            iterated = use.role in {"iterated", "argument", "listed", "stored", "returned"}
            return Verdict.UNKNOWN if iterated else Verdict.FINE
        use = replace(use, direct=True)
    if use.role in {"operand", "tested"}:
        return Verdict.FINE
    if not use.direct and not array:
        return Verdict.FINE  # a tensor, as before
    if use.role == "member":
        return _member(use, array)
    if use.role in {"argument", "listed"}:
        return _passed(module, use, array)
    broken = use.role == "called" or (use.role == "iterated" and array)
    return Verdict.BROKEN if broken else Verdict.UNKNOWN


def _member(use: Use, array: bool) -> Verdict:
    if array:
        return Verdict.FINE if use.name in _OF_ARRAYS else Verdict.BROKEN
    keywords = use.called is not None and any(a.keyword for a in use.called.args)
    fine = use.name in _OF_VARIABLES and not keywords
    return Verdict.FINE if fine else Verdict.BROKEN


def _passed(module: ModuleModel, use: Use, array: bool) -> Verdict:
    head = use.name.partition(".")[0]
    name = module.summary.resolve(use.name) or f"builtins.{head}"
    if use.name.rpartition(".")[2] in _TAPE:
        return Verdict.BROKEN
    if name in _REFUSE_WEIGHTS and (name != "tensorflow.stack" or use.role == "listed"):
        return Verdict.BROKEN
    if array and (name.startswith("numpy.") or name in _PYTHON):
        return Verdict.BROKEN
    if not name.startswith(("tensorflow.", "keras.", "numpy.")):
        return Verdict.UNKNOWN
    listed = use.role == "listed" and name.startswith("tensorflow.") and name not in _TAKE_LISTS
    return Verdict.UNKNOWN if listed else Verdict.FINE


# ---------------------------------------------------------------------- writing a weight


@frozen
class Start:
    """What a weight begins with: source of its shape and initializer, and their imports.

    `doubt` says under which condition it is the same as before, empty where it is certain.
    """

    shape: str
    initializer: str
    imports: tuple[Edit, ...] = ()
    doubt: str = ""


def start(module: ModuleModel, value: Value) -> Start | None:
    """How an initializer makes the same numbers, or draws them alike; None if none does."""
    if isinstance(value, Const):
        if isinstance(value.value, bool) or not isinstance(value.value, (int, float)):
            return None
        return _filled(module, "()", repr(value.value))
    if not isinstance(value, Array) or value.shape is None:
        return None
    if value.initializer:
        return Start(value.shape, value.initializer)
    if value.origin == "filled" and value.fill:
        return _filled(module, value.shape, value.fill)
    if value.origin == "random" and value.draw is not Draw.OTHER and value.parameters:
        return _drawn(module, value, value.shape)
    return None


def _filled(module: ModuleModel, shape: str, fill: str) -> Start | None:
    name = {"0": "zeros", "0.0": "zeros", "1": "ones", "1.0": "ones"}.get(fill, fill)
    if name in {"zeros", "ones"}:
        return Start(shape, quoted(module, name))
    return constant(module, shape, fill)


def _drawn(module: ModuleModel, array: Array, shape: str) -> Start | None:
    found = rewrite.spell(module, f"keras.initializers.{array.draw.value}")
    if found is None:
        return None
    name, imports = found
    given = [
        (keyword, _number(text))
        for keyword, text in array.parameters
        if (keyword, text) not in {("mean", "0"), ("mean", "0.0")}
    ]
    arguments = ", ".join(f"{keyword}={text}" for keyword, text in given)
    open_ones = [text for _, text in given if not re.fullmatch(r"[-+*/()\d.e ]+", text)]
    doubt = f"`{open_ones[0]}` must be a number" if open_ones else ""
    return Start(shape, f"{name}({arguments})", imports, doubt)


def _number(text: str) -> str:
    """An integer as the float that an initializer's argument is."""
    return f"{text}.0" if re.fullmatch(r"-?\d+", text) else text


def constant(module: ModuleModel, shape: str, text: str) -> Start | None:
    """An initializer that gives the numbers of an expression."""
    found = rewrite.spell(module, "keras.initializers.Constant")
    return Start(shape, f"{found[0]}({text})", found[1]) if found else None


def quoted(module: ModuleModel, text: str) -> str:
    """A string in the quotes that the file prefers."""
    opened = [found[-1] for found in _OPENING.findall(module.source.text)]
    quote = "'" if opened.count("'") > opened.count('"') else '"'
    return f"{quote}{text}{quote}"


def weight(
    module: ModuleModel,
    store: AttributeStore,
    node: cst.CSTNode,
    begin: Start,
    arguments: Iterable[str],
) -> Edit:
    """Put `self.add_weight(...)` in the place of an expression of a store."""
    given = list(arguments)
    first = [text for text in given if text.startswith("name=")]
    every = [*first, f"shape={begin.shape}", f"initializer={begin.initializer}"]
    every += [text for text in given if text not in first]
    return rewrite.replace(module, node, f"{_owner(module, store)}.add_weight({', '.join(every)})")


def name_argument(module: ModuleModel, attribute: str, node: cst.CSTNode | None = None) -> str:
    """`name=`, which TensorFlow's own saving needs of every weight that is trained.

    With the counter of the loop around `node` that makes several, where it has one.
    """
    name = attribute.lstrip("_") or attribute
    branches = module.branches_of(node) if node is not None else []
    loops = [branch for branch, _ in branches if weight_calls.is_loop(branch)]
    counter = weight_calls.counter_of(module, loops[0]) if len(loops) == 1 else None
    text = f"{name}_{{{counter}}}" if counter is not None else name
    return f"name={'f' if counter is not None else ''}{quoted(module, text)}"


def _owner(module: ModuleModel, store: AttributeStore) -> str:
    """How the method that makes a store calls `self`."""
    target: object = store.target
    while not hasattr(target, "attr"):
        target = target.value  # type: ignore[attr-defined]  # an item of the attribute
    return module.text(target.value)  # type: ignore[attr-defined]


def is_after_super(module: ModuleModel, cls: KerasClass, store: AttributeStore) -> bool:
    """Whether the base class's constructor has run, without which there is no add_weight."""
    if store.method != "__init__":
        return True
    for event in cls.flow("__init__").events:
        if event is store:
            break
        if isinstance(event, SuperCall) and event.method == "__init__":
            return True
    function = module.function_of(store.target)
    if function is None:
        return False
    before = module.source.text[module.span(function).start : module.span(store.target).start]
    return ".__init__(self" in before


def bind(module: ModuleModel, store: AttributeStore) -> tuple[str, Edit | None] | None:
    """A local name for the value of `self.name = value`, and the line that binds it.

    The value's own name where it is one; None where a line cannot be put before it.
    """
    text = module.text(store.value_node)
    if text.isidentifier():
        return text, None
    name = store.name.lstrip("_")
    function = module.function_of(store.statement)
    if (
        store.how != "assign"
        or function is None
        or getattr(store.statement, "value", None) is not store.value_node
        or not name.isidentifier()
        or re.search(rf"(?<![\w.]){name}\b", module.text(function))
    ):
        return None
    return name, rewrite.insert_before(module, store.statement, f"{name} = {text}")


_MAKERS = re.compile(
    r"\b(?:random|rand\w*|normal|uniform|truncated_normal|zeros|ones|empty|full|fill|choice)\b"
)


def is_written_at(module: ModuleModel, node: cst.CSTNode, array: Array) -> bool:
    """Whether the source of an array's shape means the same in the place of `node`.

    It does unless the array was made in another function.
    """
    text = module.text(node)
    if text.isidentifier():
        function = module.function_of(node)
        text = module.text(function) if function is not None else ""
    made_here = _MAKERS.search(text) or (array.initializer and array.initializer in text)
    shape = re.sub(r"\s", "", (array.shape or "").strip("(),[]"))
    return bool(made_here) and shape in re.sub(r"\s", "", text)
