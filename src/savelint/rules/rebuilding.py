"""What a class loses, or cannot take, when Keras rebuilds it by `cls(**config)`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from savelint.keras.config import (
    Config,
    Constructor,
    Taken,
    accepted,
    arguments_of,
    handed,
    library_bases,
    recorded_by,
)
from savelint.keras.events import AttributeStore, Creation, SuperCall
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel, once
from savelint.keras.tables import (
    CONFIG,
    ROOT_ARGUMENTS,
    ROOT_CONFIGS,
    UNRECORDED_LAYERS,
    Kind,
)
from savelint.keras.values import Argument, Array, Function, Instance
from savelint.rules import lineage

if TYPE_CHECKING:
    import libcst as cst


# Arguments of every layer, and seeds: what is lost of them changes no output.
_NEUTRAL = ROOT_ARGUMENTS["Layer"] | {"seed", "verbose", "debug"}
# Those of them that the base always has a value for; others a class may require itself.
_GIVEN = frozenset({"name", "trainable", "dtype"})
# What the annotation of an argument says of it.
_ANNOTATIONS = (
    ("layer", r"(?:\w+\.)*(?:Layer|Model|Sequential)"),
    ("callable", r"(?:\w+\.)*Callable(?:\[.*\])?"),
    ("array", r"(?:np|numpy)\.ndarray|tf\.Tensor|tensorflow\.Tensor"),
)
# Members that layers have, and neither functions nor numbers.
_OF_LAYERS = frozenset(
    """
    compute_output_shape count_params get_weights losses non_trainable_variables
    non_trainable_weights set_weights trainable_variables trainable_weights
    """.split()
)
# Members of numbers, words, lists and dictionaries.
OF_PLAIN = frozenset(
    name for kind in (int, float, str, list, tuple, dict) for name in dir(kind) if name[0] != "_"
)
# The class whose config those of a module's other classes hold.
_ROOTS = {"layers": "Layer", "losses": "Loss", "metrics": "Metric"}
_OPTIMIZER = re.compile(r"keras\.optimizers\.(?:legacy\.|experimental\.)?[A-Z]\w+")
# How a `from_config` makes the object of a config, of which it may take some things out.
_MADE = re.compile(
    r"\breturn cls\((?P<given>(?:\w+, *)*)\*\*(?P<spread>\w+)\)"
    r"|\breturn super\(.*\)\.from_config\((?P<handed>\w+)\)"
)
# Words of a `from_config` that may give what it does not name; where it makes the config
# anew, or hands it to something else, it may, too.
OPAQUE = frozenset({"update", "setdefault", "fromkeys", "for", "while", "vars", "items", "="})
# Modules of Keras whose classes are rebuilt from their configs, beside layers and models.
REBUILT = tuple(
    f"keras.{module}."
    for module in (
        *("constraints", "initializers", "losses", "metrics"),
        *("optimizers", "regularizers"),
    )
)


@once
def is_plain(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether Keras rebuilds instances of a class, and all that it inherits is in sight."""
    return is_rebuilt(cls) and lineage.is_known(module, cls.outline, made=True)


def is_rebuilt(cls: KerasClass) -> bool:
    """Whether Keras rebuilds instances of a class from their configs."""
    if cls.kind is Kind.OTHER:
        bases = list(library_bases(cls.outline))
        return bool(bases) and all(base.startswith(REBUILT) for base in bases)
    return cls.kind in {Kind.LAYER, Kind.MODEL}


def is_functional(cls: KerasClass) -> bool:
    """Whether a model's constructor hands its inputs and outputs to Keras."""
    return cls.kind is Kind.MODEL and any(
        call.arguments.get(0, "inputs") is not None and call.arguments.get(1, "outputs") is not None
        for call in _supers(cls)
    )


def _supers(cls: KerasClass) -> Sequence[SuperCall]:
    return [c for c in cls.flow("__init__").all(SuperCall) if c.method == "__init__"]


@once
def supplied(module: ModuleModel, cls: KerasClass) -> frozenset[str] | None:
    """The words of a `from_config` of the project; None where it may do anything."""
    words: set[str] = set()
    for outline in cls.outline.lineage:
        if "from_config" not in outline.method_names:
            continue
        text = module.code_of(outline.methods["from_config"])
        made = _MADE.search(text)
        if made is None:
            return None
        words.update(re.findall(r"\w+", text))
        spread = made["spread"] or made["handed"]
        copied = rf" *(?:dict\({spread}\)|{spread}\.copy\(\)|copy\.(?:deep)?copy\({spread}\))$"
        anew = rf"^\s*{spread} *\|?=(?!=)(?!{copied})|^\s*[\w.]+\(.*\b{spread}\b"
        if re.search(anew, text, re.MULTILINE):
            words.add("=")
        given = (made["given"] or "").count(",")
        init = cls.outline.method("__init__")
        if given and init is None:
            return None
        if init is not None:
            words.update(p.name.value for p in init.params.params[1 : given + 1])
    return frozenset(words)


def omitted(
    module: ModuleModel, cls: KerasClass, recorded: Config, made: Constructor
) -> list[Taken]:
    """The arguments of a constructor that its config lacks for sure."""
    if not (recorded.is_known or recorded.collected) or (recorded.inherits and is_functional(cls)):
        return []
    if is_abstract(module, cls):
        return []  # What it takes may be for those that derive from it to give.
    kept = supplied(module, cls)
    if kept is None:
        return []
    known = {*recorded.entries, *kept, *renamed(module, cls, recorded, made).values()}
    for base in recorded.inherits:
        inherited = recorded_by(base, module.keras)
        if inherited is None:
            inherited = arguments_of(base)
        if inherited is None:
            return []
        known |= inherited
    missing = [t for t in made.arguments if t.name not in known and not t.conditional]
    missing = [taken for taken in missing if not _is_neutral(taken)]
    if not recorded.is_known:
        missing = [taken for taken in missing if taken.name not in _handed(module, cls, made)]
    if kept & OPAQUE:
        missing = [taken for taken in missing if taken.required]
    assets = _assets(module, cls)
    missing = [taken for taken in missing if taken.required or taken.name not in assets]
    missing = [taken for taken in missing if taken.required or _is_used(module, made, taken)]
    filled = _filled_by_derived(module, cls, made)
    return [
        taken
        for taken in missing
        if taken.name not in filled
        and (taken.required or not _is_spread(module, made, taken))
        and (taken.required or not _fills_weight(module, made, taken))
        and (taken.required or not _is_another_way(module, cls, recorded, made, taken))
    ]


def _is_neutral(taken: Taken) -> bool:
    """Whether what is lost of an argument changes no output, by its name."""
    is_own = taken.required and taken.parameter is not None
    return taken.name in (_GIVEN if is_own else _NEUTRAL)


def _handed(module: ModuleModel, cls: KerasClass, made: Constructor) -> set[str]:
    """The arguments that a constructor may hand to that of its base by their names."""
    if any(item.node.star == "*" for call in made.supers for item in call.arguments.items):
        return {taken.name for taken in made.arguments}
    calls = (handed(module, cls.outline, made.definer, call) for call in made.supers)
    return {name for given in calls for name in given}


def _assets(module: ModuleModel, cls: KerasClass) -> str:
    """What reads the files of their own that Keras 3 hands to objects that it loads."""
    methods = (outline.methods.get("load_assets") for outline in cls.outline.lineage)
    return " ".join(module.code_of(method.body) for method in methods if method is not None)


def _is_spread(module: ModuleModel, made: Constructor, taken: Taken) -> bool:
    """Whether an argument is taken apart, so that others may record what was in it."""
    if taken.name in made.held:
        return False
    text = module.code_of(made.node.body)
    helper = rf"\bself\.(?!add_weight|_set_hyper)\w+\((?:[^()]|\([^()]*\))*\b{taken.name}\b"
    return re.search(rf"(?<![\w.]){taken.name}\[[\"']|{helper}", text) is not None


def _fills_weight(module: ModuleModel, made: Constructor, taken: Taken) -> bool:
    """Whether an argument is what weights start with, which are loaded anyway."""
    if taken.name in made.held:
        return False
    filling = rf"\b(?:constant_initializer|Constant)\(\s*(?:value=\s*)?{taken.name}\s*,?\s*\)"
    return re.search(filling, module.code_of(made.node.body)) is not None


def _is_another_way(
    module: ModuleModel, cls: KerasClass, recorded: Config, made: Constructor, taken: Taken
) -> bool:
    """Whether what is recorded under the name of another argument is made of this one, too."""
    if taken.name in made.held:
        return False
    given = made.names & recorded.entries.keys()
    return any(
        store.name.lstrip("_") in given
        and module.is_here(store.value_node)
        and re.search(rf"(?<![\w.]){taken.name}\b", module.text(store.value_node))
        for store in cls.flow("__init__").all(AttributeStore)
    )


def _filled_by_derived(module: ModuleModel, cls: KerasClass, made: Constructor) -> set[str]:
    """The arguments that classes which derive from a class give it themselves."""
    filled: set[str] = set()
    names = [taken.name for taken in made.arguments if taken.parameter is not None]
    for derived in lineage.descendants(module, cls.outline):
        for call in _supers(derived):
            for name, argument in zip(names, call.arguments.positional, strict=False):
                if not isinstance(argument.value, Argument):
                    filled.add(name)
            filled.update(
                argument.keyword
                for argument in call.arguments.items
                if argument.keyword and not isinstance(argument.value, Argument)
            )
    return filled


def _is_used(module: ModuleModel, made: Constructor, taken: Taken) -> bool:
    """Whether a constructor does anything with an argument but to refuse it."""
    body = made.node.body
    if taken.parameter is None or not module.is_here(made.node):
        return True
    return module.count_name(body, taken.name) > _count_refusals(body, taken.name)


def _count_refusals(body: cst.BaseSuite, name: str) -> int:
    """How often a constructor deletes an argument, or raises where it is given."""
    import libcst as cst

    from savelint.keras.walk import descendants

    found = 0
    for part in descendants(body):
        if isinstance(part, cst.Del):
            found += isinstance(part.target, cst.Name) and part.target.value == name
        elif isinstance(part, cst.If):
            test = part.test.left if isinstance(part.test, cst.Comparison) else part.test
            first = part.body.body[0]
            raises = isinstance(first, cst.SimpleStatementLine) and isinstance(
                first.body[0], cst.Raise
            )
            found += raises and isinstance(test, cst.Name) and test.value == name
    return found


def stray(module: ModuleModel, cls: KerasClass, recorded: Config, made: Constructor) -> list[str]:
    """The keys of a config that the constructor refuses, without those that it inherits."""
    kept = supplied(module, cls)
    takes = accepted(module, cls.outline)
    if kept is None or takes is None:
        return []
    others = [outline for outline in cls.outline.lineage if outline is not recorded.definer]
    above = [outline.methods.get(CONFIG) for outline in others]
    return [
        key
        for key, entry in recorded.entries.items()
        if key not in takes and key not in kept | _NEUTRAL
        # What is added on a condition may never be.
        if module.is_here(entry.node) and not module.branches_of(entry.node)
        if module.function_of(entry.node) not in above
    ]


def renamed(
    module: ModuleModel, cls: KerasClass, recorded: Config, made: Constructor
) -> dict[str, str]:
    """The argument that a key which the constructor refuses stands for."""
    found: dict[str, str] = {}
    for key in stray(module, cls, recorded, made):
        entry = recorded.entries[key]
        value = entry.value
        if isinstance(value, Argument) and value.how != "computed":
            name = value.name
        else:
            name = _named(made, key, module.text(entry.value_node))
        if name in made.names and name not in recorded.entries:
            found[key] = name
    return found


def _named(made: Constructor, key: str, written: str) -> str:
    """The argument that the key of an entry means by its name, or by what is written."""
    held = made.held.get(key.strip("_"))
    if held is not None and written.startswith(f"self.{held.attribute}."):
        return key.strip("_")
    kept = (
        n for n, h in made.held.items() if made.is_of_fields and written == f"self.{h.attribute}"
    )
    return next(kept, "")


def calls_items(module: ModuleModel, loop: cst.CSTNode | None) -> bool:
    """Whether a `for` calls what it goes over."""
    if loop is None or type(loop).__name__ != "For":
        return False
    target = module.text(loop.target)  # type: ignore[attr-defined]
    body = module.text(loop.body)  # type: ignore[attr-defined]
    return target.isidentifier() and re.search(rf"(?<![\w.]){target}\(", body) is not None


def listed(taken: Sequence[Taken]) -> str:
    """The names of arguments as a sentence has them."""
    return enumerated([each.name for each in taken])


def enumerated(words: Sequence[str]) -> str:
    """Names as a sentence has them."""
    names = [f"`{word}`" for word in words]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def lost(module: ModuleModel, cls: KerasClass, made: Constructor) -> list[Taken]:
    """The arguments of a constructor that the config of Keras' own base class lacks."""
    known = _inherited(module, cls)
    for base in library_bases(cls.outline):
        if recorded_by(base, module.keras) is None:
            known |= arguments_of(base) or frozenset()
    missing = [t for t in made.arguments if t.name not in known and not t.conditional]
    missing = [taken for taken in missing if not _is_neutral(taken)]
    missing = [taken for taken in missing if taken.required or _is_used(module, made, taken)]
    filled = _filled_by_derived(module, cls, made)
    return [taken for taken in missing if taken.name not in filled]


def refuses(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether a constructor does not take what the config of Keras' own base class holds."""
    takes = accepted(module, cls.outline)
    return takes is not None and not _inherited(module, cls) <= takes


def _inherited(module: ModuleModel, cls: KerasClass) -> frozenset[str]:
    """What the config of Keras' own base class holds, at least."""
    bases = library_bases(cls.outline)
    return frozenset[str]().union(*(held_by(base, module.keras) for base in bases))


def held_by(base: str, keras: Keras) -> frozenset[str]:
    """What the config of a Keras class holds, at least."""
    if _OPTIMIZER.fullmatch(base):
        return frozenset({"name"})
    known = recorded_by(base, keras)
    family = base.partition("keras.")[2].partition(".")[0]
    return ROOT_CONFIGS.get(_ROOTS.get(family, ""), frozenset()) if known is None else known


def is_recorded(cls: KerasClass) -> bool:
    """Whether a class without `get_config` inherits that of a layer or optimizer of Keras.

    Keras then records nothing that the class takes by itself.
    """
    bases = list(library_bases(cls.outline))
    return bool(bases) and all(
        (base.startswith("keras.layers.") and base.rpartition(".")[2] not in UNRECORDED_LAYERS)
        or _OPTIMIZER.fullmatch(base)
        for base in bases
    )


def is_base(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether classes of the file derive from a class, with a constructor of their own."""
    family = lineage.descendants(module, cls.outline)
    return any("__init__" in member.outline.method_names for member in family)


def nature(module: ModuleModel, cls: KerasClass, made: Constructor, taken: Taken) -> str:
    """What an argument that must be given certainly is, and no plain value; "" if unknown.

    "layer", "callable", "callables" (a list of them), "array" or "object": by its annotation,
    or by what methods of the class do with it.
    """
    if taken.parameter is None or not taken.required:
        return ""
    annotation = taken.parameter.annotation
    if annotation is not None and module.is_here(annotation.annotation):
        text = re.sub(r"[\"' ]", "", module.text(annotation.annotation))
        for word, pattern in _ANNOTATIONS:
            if re.fullmatch(pattern, text):
                return word
    found = "object" if _members(module, made, taken.name) - OF_PLAIN - {"pop"} else ""
    held = made.held.get(taken.name)
    if held is None or held.how not in {"", "converted"} or not held.certain:
        return found
    for method in cls.outline.methods.values():
        for read in module.reads_of(method, held.attribute):
            use = module.use_of(read)
            if use.role == "member" and use.name in _OF_LAYERS:
                return "layer"
            if method.name.value != "call" or (held.how and use.role != "iterated"):
                continue
            if use.role == "called" and use.direct:
                found = "callable"
            elif use.role == "iterated" and calls_items(module, use.node):
                found = "callables"
    return found


def _members(module: ModuleModel, made: Constructor, name: str) -> set[str]:
    """The members that a constructor takes of an argument."""
    text = module.code_of(made.node.body)
    if f"{name}." not in text:
        return set()
    # From where the name stands for something else, it tells nothing of the argument.
    anew = re.search(rf"(?m)^[ \t]*(?:\w+, *)*{name}(?:, *\w+)* *=(?!=)", text)
    text = text[: anew.end()] + text[anew.end() :].partition("\n")[0] if anew else text
    return set(re.findall(rf"(?<![\w.]){name}\.(\w+)", text))


def given(module: ModuleModel, cls: KerasClass, made: Constructor, taken: Taken) -> str:
    """What code in sight gives a class as an argument, where that is no plain value.

    The words are those of `nature`.
    """
    order = [t.name for t in made.arguments if t.parameter is not None and not t.keyword_only]
    position = order.index(taken.name) if taken.name in order else None
    for flow in module.saving_scopes(cls):
        for creation in flow.all(Creation):
            if getattr(creation.value, "outline", None) is not cls.outline:
                continue
            argument = creation.arguments.get(position, taken.name)
            value = argument.value if argument is not None else None
            if isinstance(value, Array):
                return "array"
            if isinstance(value, Function):
                return "callable"
            if isinstance(value, Instance) and value.kind is not None and value.kind.is_layer:
                return "layer"
    return ""


def is_left_open(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether a class leaves `get_config`, or a method, to those that derive from it."""
    family = lineage.descendants(module, cls.outline)
    is_open = any(CONFIG in member.outline.method_names for member in family)
    return is_open or is_abstract(module, cls)


@once
def is_abstract(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether a class has an abstract method of its own."""
    decorators = (item for node in cls.outline.methods.values() for item in node.decorators)
    return any(module.text(item.decorator).endswith("abstractmethod") for item in decorators)
