"""What a class loses, or cannot take, when Keras rebuilds it by `cls(**config)`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Fix, Safety
from savelint.frozen import frozen
from savelint.keras.config import (
    Config,
    Constructor,
    Entry,
    Held,
    Taken,
    accepted,
    arguments_of,
    handed,
    library_bases,
    recorded_by,
)
from savelint.keras.events import (
    AttributeStore,
    Creation,
    SuperCall,
)
from savelint.keras.generation import Keras
from savelint.keras.model import (
    KerasClass,
    ModuleModel,
)
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

    from savelint.rules.configs import Addition

# Arguments of every layer, and seeds: what is lost of them changes no output.
_NEUTRAL = ROOT_ARGUMENTS["Layer"] | {"seed", "verbose", "debug"}
# Those of them that the base always has a value for; others a class may require itself.
_GIVEN = frozenset({"name", "trainable", "dtype"})
# Their own `get_config` gives something in one generation at least.
_MERGED = (".Layer", ".Model", ".Loss", ".Metric", ".metrics.Mean", ".metrics.Sum")
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
_OF_PLAIN = frozenset(
    name for kind in (int, float, str, list, tuple, dict) for name in dir(kind) if name[0] != "_"
)
# The class whose config those of a module's other classes hold.
_ROOTS = {"layers": "Layer", "losses": "Loss", "metrics": "Metric"}
_OPTIMIZER = re.compile(r"keras\.optimizers\.(?:legacy\.|experimental\.)?[A-Z]\w+")
# Words of functions that give what they are given in the form that they take.
_CHECKS = ("standardize", "normalize", "normalise", "validate", "check", "ensure")
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


@frozen
class Altered:
    """An entry that holds something else than what the argument of its name was given.

    It is what another argument holds, or what `computed` makes of it.
    """

    taken: Taken
    entry: Entry
    other: str
    computed: cst.BaseExpression | None


def altered(
    module: ModuleModel, cls: KerasClass, recorded: Config, made: Constructor
) -> Iterator[Altered]:
    """The entries with which a class is not made as it was."""
    if supplied(module, cls) != frozenset():
        return
    arguments = {taken.name: taken for taken in made.arguments if taken.parameter is not None}
    for key, entry in recorded.entries.items():
        if key not in arguments or not module.is_here(entry.node):
            continue
        if module.branches_of(entry.node):
            continue
        written = module.text(entry.value_node)
        held = made.held.get(key)
        other = _other(module, recorded, made, entry)
        if other:
            yield Altered(arguments[key], entry, other, None)
        elif held is not None and isinstance(entry.value, Instance):
            layer = _layer_of(module, cls, written, held)
            if layer is not None:
                yield Altered(arguments[key], entry, "", layer)
        elif held is None and isinstance(entry.value, Argument):
            value = entry.value
            if value.name == key and value.how == "computed" and not value.keywords:
                computed = _computation(cls, written, key)
                if computed is not None:
                    yield Altered(arguments[key], entry, "", computed)


def _other(module: ModuleModel, recorded: Config, made: Constructor, entry: Entry) -> str:
    """The argument that an entry holds in place of that of its name."""
    written = module.text(entry.value_node)
    held = made.held.get(entry.key)
    if held is None:
        return ""
    for name, source in made.held.items():
        if name == entry.key or name not in recorded.entries:
            continue
        if written != f"self.{source.attribute}":
            continue
        value = entry.value
        is_it = isinstance(value, Argument) and value.name == name and not value.keywords
        # The two have changed places, whatever becomes of one of them later.
        crossed = module.is_here(recorded.entries[name].node) and (
            module.text(recorded.entries[name].value_node) == f"self.{held.attribute}"
        )
        if (is_it and held.certain) or (crossed and not held.how and not source.how):
            return name
    return ""


def _layer_of(
    module: ModuleModel, cls: KerasClass, written: str, held: Held
) -> cst.BaseExpression | None:
    """`Dropout(self.rate)`, where that is all that an entry is given in place of `rate`."""
    stores = [
        store
        for flow in cls.flows.values()
        for store in flow.all(AttributeStore)
        if f"self.{store.name}" == written
    ]
    if len(stores) != 1 or stores[0].conditional or not held.certain or held.how:
        return None
    made = stores[0].value
    if not isinstance(made, Instance) or made.kind is None or not made.kind.is_layer:
        return None
    arguments = getattr(stores[0].value_node, "args", ())
    is_given = any(module.text(each.value) == f"self.{held.attribute}" for each in arguments)
    return stores[0].value_node if is_given else None


def _computation(cls: KerasClass, kept: str, name: str) -> cst.BaseExpression | None:
    """`1.0 / name`, where that is all that `self.kept` is ever given."""
    stores = [
        store
        for flow in cls.flows.values()
        for store in flow.all(AttributeStore)
        if f"self.{store.name}" == kept
    ]
    if len(stores) != 1 or stores[0].conditional or stores[0].method != "__init__":
        return None
    import libcst as cst

    node = stores[0].value_node
    if not isinstance(node, cst.BinaryOperation):
        return None
    parts = (node.left, node.right)
    names = [part.value for part in parts if isinstance(part, cst.Name)]
    numbers = [part.evaluated_value for part in parts if isinstance(part, cst.Integer | cst.Float)]
    is_neutral = any(number in {0, 1} for number in numbers)
    inverts = not isinstance(parts[0], cst.Name)
    if names != [name] or len(numbers) != 1:
        return None
    operator = type(node.operator).__name__
    if operator not in {"Add", "Subtract", "Multiply", "Divide"}:
        return None
    return node if not is_neutral or (inverts and operator in {"Divide", "Subtract"}) else None


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


def _calls_items(module: ModuleModel, loop: cst.CSTNode | None) -> bool:
    """Whether a `for` calls what it goes over."""
    if loop is None or type(loop).__name__ != "For":
        return False
    target = module.text(loop.target)  # type: ignore[attr-defined]
    body = module.text(loop.body)  # type: ignore[attr-defined]
    return target.isidentifier() and re.search(rf"(?<![\w.]){target}\(", body) is not None


def _is_object(module: ModuleModel, cls: KerasClass, held: Held) -> bool:
    """Whether the class calls what it keeps, or asks it for what no plain value has."""
    if held.how.startswith("keras."):
        return False
    for method in cls.outline.methods.values():
        for read in module.reads_of(method, held.attribute):
            use = module.use_of(read)
            if use.role == "called" or (use.role == "member" and use.name not in _OF_PLAIN):
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
    default = taken.parameter.node.default if taken.parameter is not None else None
    return default is not None and (
        type(default).__name__ == "Set" or module.text(default).startswith(("set(", "frozenset("))
    )


def _is_plain_default(module: ModuleModel, taken: Taken) -> bool:
    """Whether the default of an argument is a number or a word, so that others are too."""
    default = taken.parameter.node.default if taken.parameter is not None else None
    if default is None:
        return False
    return bool(re.fullmatch(r"True|False|[-+.\d][\w.+-]*|(['\"]).*\1", module.text(default)))


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
    if refuses(module, cls):
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
    merges = merges or is_recorded(cls) or any(base.endswith(_MERGED) for base in bases)
    additions = list(written.additions)
    restored: list[configs.Addition] = []
    reason = written.reason
    if layers:
        modules = rewrite.spell(module, "keras.layers")
        if modules is None:
            return display
        name, imports = modules
        edits.extend(imports)
        reason = f"{enumerated(layers)} must be a layer"
        additions = [_serialized(name, each) if each.key in layers else each for each in additions]
        restored = [_deserialized(module, name, key) for key in layers]
    method = configs.generated(module, cls, additions, merges=merges, restored=restored)
    if method is None:
        return display
    safety = Safety.UNSAFE if reason else Safety.SAFE
    edits.extend((*written.edits, method))
    return Fix(f"record {listed(missing)} in `get_config`", safety, tuple(edits), reason)


def _serialized(layers: str, entry: Addition) -> Addition:
    return replace(entry, value=f"{layers}.serialize({entry.value})")


def _deserialized(module: ModuleModel, layers: str, key: str) -> Addition:
    from savelint.rules import configs

    given = f"config[{configs.quoted(module, key)}]"
    return configs.Addition(key, f"{layers}.deserialize({given})")


def nature(module: ModuleModel, cls: KerasClass, made: Constructor, taken: Taken) -> str:
    """What an argument that must be given certainly is, and no plain value; "" if unknown.

    "layer", "callable", "callables" (a list of them), "array" or "object": by its annotation,
    or by what methods of the class do with it.
    """
    if taken.parameter is None or not taken.required:
        return ""
    annotation = taken.parameter.node.annotation
    if annotation is not None and module.is_here(annotation.annotation):
        text = re.sub(r"[\"' ]", "", module.text(annotation.annotation))
        for word, pattern in _ANNOTATIONS:
            if re.fullmatch(pattern, text):
                return word
    # From where the name stands for something else, it tells nothing of the argument.
    text = module.code_of(made.node.body)
    anew = re.search(rf"(?m)^[ \t]*(?:\w+, *)*{taken.name}(?:, *\w+)* *=(?!=)", text)
    text = text[: anew.end()] + text[anew.end() :].partition("\n")[0] if anew else text
    members = re.findall(rf"(?<![\w.]){taken.name}\.(\w+)", text)
    found = "object" if set(members) - _OF_PLAIN - {"pop"} else ""
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
            elif use.role == "iterated" and _calls_items(module, use.node):
                found = "callables"
    return found


def given(module: ModuleModel, cls: KerasClass, made: Constructor, taken: Taken) -> str:
    """What code in sight gives a class as an argument, where that is no plain value.

    The words are those of `nature`.
    """
    order = [t.name for t in made.arguments if t.parameter and not t.parameter.keyword_only]
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


def is_abstract(module: ModuleModel, cls: KerasClass) -> bool:
    """Whether a class has an abstract method of its own."""
    decorators = (item for node in cls.outline.methods.values() for item in node.decorators)
    return any(module.text(item.decorator).endswith("abstractmethod") for item in decorators)
