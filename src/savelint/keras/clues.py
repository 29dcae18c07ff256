"""Cheap signs, in a statement's `ast`, that a rule may have something to say about it.

The words are the names that the statement uses. Beside them stand marks, in angle
brackets, for shapes of code that no word tells. All of them are necessary conditions: a
rule may ask for them before anything is parsed by libcst, and never decide by them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import TypeAlias

from savelint import keras
from savelint.keras import labels, removed, reserved
from savelint.keras.nodes import dotted_name, reversed_children, walk
from savelint.keras.tables import ARRAY_MAKERS, INITIALIZERS, NUMBER_READERS

# A static shape is read, and not only for its rank or for an axis other than the first.
STATIC_SHAPE = "<static shape>"
# `len(x)` stands in a shape or in an argument.
LENGTH = "<length>"
# A shape that ends in -1 and begins with something else.
OPEN_SHAPE = "<shape ending in -1>"
# An attribute is given something that makes an array, or that a helper makes.
ARRAY_ATTRIBUTE = "<array attribute>"
# Something is asked for its truth, its items or its number, outside a constructor.
TEST = "<test>"
# Something may be asked for its numbers there: `float`, numpy, `math`, `x.numpy()`.
NUMBERS = "<numbers>"
# A method changes an attribute by what it was.
COUNTER = "<counter>"
# An attribute that Keras itself computes is assigned.
RESERVED_ATTRIBUTE = "<reserved attribute>"
# A class of the kind stands in the statement.
MODEL = "<model>"
# A constructor does not begin with `super().__init__(...)`.
UNFOUNDED = "<constructor that does not begin with super>"
# A class defines `__call__` or `forward`, and not `call`.
OTHER_CALL = "<class with another call>"
# A class is instantiated, or a variable made, outside constructors and `build`.
LATE_STATE = "<object made after construction>"
# It leads to a class of the file that is neither a layer nor a model.
PLAIN_CLASS = "<plain class>"
# A name, or a member of a class, is bound to what a call makes, outside all functions.
OUTER_OBJECT = "<object made outside functions>"
# A set is written out.
SET = "<set>"
# A lambda, or a function in a function.
CLOSURE = "<closure>"
# A dictionary may have a key that is not a string.
KEY = "<key>"
# An item is set or deleted, or something is added in place.
ITEM = "<item>"
# A list, tuple or dictionary that may hold another one.
NESTED = "<nested>"
# Something is given a name that TensorFlow or Keras may refuse.
DOUBTFUL_NAME = "<doubtful name>"
# A method hands its object on, or keeps it: not one of its members.
ITSELF = "<object itself>"
# A method `call` must be given more than its inputs.
NEEDY_CALL = "<call needs more>"
# Something has the name of what is gone from Keras or TensorFlow.
REMOVED = "<removed name>"
# The environment variable that asks for Keras 2 is set.
LEGACY_FLAG = "<legacy flag>"

# What an attribute here is given may be made by a base or a helper in another file.
CARRIED = frozenset({KEY, NESTED})
# Marks for which a statement is read whatever else is in it.
ALONE = frozenset({REMOVED, LEGACY_FLAG})

EVERY = frozenset(
    {
        *(STATIC_SHAPE, LENGTH, OPEN_SHAPE, ARRAY_ATTRIBUTE, RESERVED_ATTRIBUTE, MODEL),
        *(TEST, NUMBERS, COUNTER, NEEDY_CALL, UNFOUNDED, OTHER_CALL, LATE_STATE, OUTER_OBJECT),
        *(ITSELF, PLAIN_CLASS, SET, CLOSURE, KEY, ITEM, NESTED, DOUBTFUL_NAME),
        *ALONE,
    }
)

_SHAPE_READERS = frozenset({"as_list", "get_shape", "int_shape", "shape"})
# Keras calls these with shapes and specs, never with a tensor to compute on.
SHAPE_METHODS = frozenset(
    {
        "__init__",
        "build",
        "compute_mask",
        "compute_output_shape",
        "compute_output_spec",
        "compute_output_signature",
        "get_config",
        "from_config",
    }
)
# Those of which the own lines, functions within left aside, see no tensor: `call` itself may
# run `compute_mask`.
WITHOUT_TENSORS = SHAPE_METHODS - {"compute_mask"}
_SETTING = frozenset({"putenv", "setdefault"})
_GROWING = frozenset({"append", "extend", "insert", "setdefault", "update"})
_WEIGHT_MAKERS = frozenset({"add_weight", "add_variable"})
_STATE_MAKERS = _WEIGHT_MAKERS | {"variable"}
_RANKS = frozenset({"rank", "ndims", "dims", "num_elements", "is_fully_defined"})
_ASKING = frozenset(
    "range bool any all max min sum list tuple sorted set iter enumerate zip map".split()
)
# With the names under which other files of a project hand modules of numbers on.
_NUMBER_NAMES = NUMBER_READERS | {"int", "float", "numpy", "np", "math"}
_NUMBER_MODULES = ("numpy", "math")
# What may give pairs, whose first items become keys.
_PAIRS = (ast.Call, ast.GeneratorExp, ast.List, ast.ListComp, ast.Tuple)
_IDENTITIES = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)

# The methods of `Clues` that take in a node of each kind.
Seers: TypeAlias = Mapping[type[ast.AST], tuple[Callable[..., None], ...]]


class Clues:
    """Collects the words and marks of one statement, by what `MARKING` and `QUIET` hold.

    Parents are seen before children.

    `helpers` are the functions of the file: what they return may be anything. `origin`
    tells what an imported name stands for.
    """

    def __init__(
        self,
        helpers: Container[str],
        origin: Callable[[str], str | None] = lambda name: None,
    ) -> None:
        self._helpers = helpers
        self._origin = origin
        self.words: set[str] = set()
        # The last names of what Keras or TensorFlow has and is called with a doubtful name.
        self.misnamed: set[str] = set()
        # Dotted names that end as something that is gone from Keras or TensorFlow does.
        self.doubtful: set[str] = set()
        # The names written out for layers that one model may hold.
        self._layer_names: set[str] = set()
        # The names that were seen, with their origins.
        self._origins: set[tuple[str, str]] = set()
        # Local names that were given an array.
        self._arrays: set[str] = set()
        self._initializers: set[str] = set()
        # What methods call their object, and where only a member of it is taken, by identity.
        self._objects: set[str] = set()
        self._owners: set[int] = set()
        # The last line of the outermost function that is being seen.
        self._function_end = 0
        # Static shapes of which only a harmless part is taken, by identity.
        self._harmless: set[int] = set()
        # Functions that are called, and not kept, by identity.
        self._called: set[int] = set()

    def _set(self, node: ast.Set | ast.SetComp) -> None:
        self.words.add(SET)

    def _lambda(self, node: ast.Lambda) -> None:
        self.words.add(CLOSURE)

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if node.lineno <= self._function_end:
            self.words.add(CLOSURE)
        else:
            self._function_end = node.end_lineno or node.lineno

        for parameter, default in _defaults(node.args):
            if parameter == "name" and labels.is_doubtful(default):
                self.words.add(DOUBTFUL_NAME)

    def _labelled(self, node: ast.Call) -> None:
        """Note a call that gives a name, `name=` or the first of `add_weight`, or sets the flag."""
        name = _last_name(node.func)
        given = [keyword.value for keyword in node.keywords if keyword.arg == "name"]
        if node.args:
            if name in _SETTING and _is_flag(node.args[0]):
                self.words.add(LEGACY_FLAG)
            if name == "update" and any(isinstance(arg, _PAIRS) for arg in node.args):
                self.words.add(KEY)
            if name in _WEIGHT_MAKERS:
                given.append(node.args[0])
        if name == "Sequential" or isinstance(node.func, ast.Call):
            self._twins(node)
        if given and any(map(labels.is_doubtful, given)):
            self.words.add(DOUBTFUL_NAME)
            root: ast.expr = node.func
            while isinstance(root, ast.Attribute):
                root = root.value
            origin = self._origin(_last_name(root)) or ""
            if "keras" in origin or "tensorflow" in origin:
                self.misnamed.add(name)

    def _twins(self, node: ast.Call) -> None:
        """Note layers of one name: those called where they are made, and those of a Sequential."""
        made: list[ast.expr] = [node.func]
        if _last_name(node.func) == "Sequential" and node.args:
            made = list(getattr(node.args[0], "elts", ()))
        for call in made:
            if not isinstance(call, ast.Call):
                continue
            for keyword in call.keywords:
                value = getattr(keyword.value, "value", None)
                if keyword.arg != "name" or not isinstance(value, str):
                    continue
                if value in self._layer_names:
                    self.words.add(DOUBTFUL_NAME)
                    self.misnamed.add(_last_name(call.func))
                self._layer_names.add(value)

    def _bound(self, node: ast.Assign | ast.AnnAssign) -> None:
        """Note what is made outside all functions."""
        if node.lineno > self._function_end and OUTER_OBJECT not in self.words:
            value = node.value
            if value is not None and any(isinstance(part, ast.Call) for part in walk(value)):
                self.words.add(OUTER_OBJECT)

    def _dictionary(self, node: ast.Dict) -> None:
        if not all(map(_is_text, node.keys)):
            self.words.add(KEY)
        self._nest(*node.values)

    def _mapping(self, node: ast.DictComp) -> None:
        self.words.add(KEY)
        self._nest(node.value)

    def _items(self, node: ast.List | ast.Tuple) -> None:
        self._nest(*node.elts)

    def _generated(self, node: ast.ListComp | ast.GeneratorExp) -> None:
        self._nest(node.elt)

    def _makes_object(self, item: ast.expr) -> bool:
        """Whether a value is a new object of a class, by its name."""
        name = _last_name(item.func) if isinstance(item, ast.Call) else ""
        return name[:1].isupper() and name != "OrderedDict" and name not in self._helpers

    def _nest(self, *items: ast.expr) -> None:
        """Note a container with an item that may be one: not a number, and no new object."""
        for item in items if NESTED not in self.words else ():
            if not self._makes_object(item) and not isinstance(item, ast.Constant):
                self.words.add(NESTED)

    def _imported(self, node: ast.Import | ast.ImportFrom) -> None:
        dotted = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            dotted = [module, *(f"{module}.{name}" for name in dotted)]
        if any(map(removed.find, dotted)):
            self.words.add(REMOVED)

    def _item(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            if _is_flag(node.slice):
                self.words.add(LEGACY_FLAG)
            self.words.add(ITEM)
            if not _is_text(node.slice):
                self.words.add(KEY)

    def _augmented(self, node: ast.AugAssign) -> None:
        self.words.add(ITEM)

    def _name(self, node: ast.Name) -> None:
        self.words.add(node.id)
        if node.id in self._objects and id(node) not in self._owners:
            self.words.add(ITSELF)

    def _quiet_name(self, node: ast.Name) -> None:
        """What sees no tensor itself may keep a function that does: `self.root = np.sqrt`."""
        if id(node) in self._called:
            self._name(node)
        else:
            self._named(node)

    def _quiet_call(self, node: ast.Call) -> None:
        self._grown(node)
        function = node.func
        while isinstance(function, ast.Attribute):
            function = function.value
        self._called.add(id(function))

    def _named(self, node: ast.Name) -> None:
        self._name(node)
        origin = self._origin(node.id) or node.id
        if (node.id, origin) in self._origins:
            return
        self._origins.add((node.id, origin))
        if node.id in _ASKING:
            self.words.add(TEST)
        head, _, _ = origin.partition(".")
        imported = origin.rpartition(".")[2]
        self.words.add(imported)  # whatever it is called here
        if head in _NUMBER_MODULES or _NUMBER_NAMES & {node.id, imported}:
            self.words.add(NUMBERS)

    def _member(self, node: ast.Attribute) -> None:
        self.words.add(node.attr)
        if node.attr in removed.WORDS and (dotted := dotted_name(node)):
            self.doubtful.add(dotted)
        self._owners.add(id(node.value))
        if node.attr in reserved.EVERY and isinstance(node.ctx, ast.Store):
            self.words.add(RESERVED_ATTRIBUTE)

    def _attribute(self, node: ast.Attribute) -> None:
        self._member(node)
        if node.attr in _NUMBER_NAMES:
            self.words.add(NUMBERS)
        if node.attr in _RANKS:
            self._harmless.add(id(node.value))
        elif node.attr == "shape" and id(node) not in self._harmless:
            self.words.add(STATIC_SHAPE)

    def _function(self, node: ast.FunctionDef) -> None:
        given = node.args
        plain = len(given.posonlyargs) + len(given.args) - len(given.defaults)
        optional = any(
            isinstance(default, ast.Constant) and default.value is None
            for name, default in _defaults(given)
            if name not in {"training", "mask"}
        )
        starred = plain == 1 and given.vararg is not None
        needy = plain > 2 or starred or None in given.kw_defaults or optional
        if node.name == "call" and needy:
            self.words.add(NEEDY_CALL)
        if node.name == "__init__" and not _begins_with_super(node.body):
            self.words.add(UNFOUNDED)

    def _call(self, node: ast.Call) -> None:
        function = node.func
        name = _last_name(function)
        if name == "len" and node.args:
            self._harmless.add(id(node.args[0]))
        elif name in _SHAPE_READERS:
            self._shape_call(node, function, name)
        if name[:1].isupper() or name in _STATE_MAKERS:
            self.words.add(LATE_STATE)
        self._grown(node)
        if LENGTH not in self.words:
            self._sizes(node.args)
            self._sizes(keyword.value for keyword in node.keywords)

    def _grown(self, node: ast.Call) -> None:
        """`self.weights.append(array)`; of `super(Net, self)` only a member is taken."""
        function = node.func
        if isinstance(function, ast.Name) and function.id == "super":
            self._owners.update(map(id, node.args))
        if isinstance(function, ast.Attribute) and function.attr in _GROWING:
            self._kept(function.value, *node.args, *(item.value for item in node.keywords))

    def _shape_call(self, node: ast.Call, function: ast.expr, name: str) -> None:
        """`x.shape.as_list()`, `x.get_shape()`, `K.int_shape(x)`; `tf.shape(x)` is dynamic."""
        if name == "shape":
            self._harmless.add(id(function))
        elif id(node) in self._harmless:
            if isinstance(function, ast.Attribute):
                self._harmless.add(id(function.value))
        elif name != "as_list":
            self.words.add(STATIC_SHAPE)

    def _class(self, node: ast.ClassDef) -> None:
        self._objects.update(_object_names(node.body))
        defined = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
        if "call" not in defined and not defined.isdisjoint({"__call__", "forward"}):
            self.words.add(OTHER_CALL)

    def _subscript(self, node: ast.Subscript) -> None:
        index = node.slice
        if isinstance(index, ast.Slice):
            index = index.lower or ast.Constant(0)
        negative = isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub)
        number = index.value if isinstance(index, ast.Constant) else 0
        if negative or (isinstance(number, int) and number > 0):
            self._harmless.add(id(node.value))

    def _formatted(self, node: ast.FormattedValue) -> None:
        self._harmless.add(id(node.value))

    def _asked(self, node: ast.AST) -> None:
        """A condition, a loop or an unpacking, unless it asks for what no tensor answers."""
        test = getattr(node, "test", None)
        if test is None or not _is_plain(test):
            self.words.add(TEST)

    def _boolean(self, node: ast.BoolOp | ast.UnaryOp) -> None:
        if (isinstance(node, ast.BoolOp) or isinstance(node.op, ast.Not)) and not _is_plain(node):
            self.words.add(TEST)

    def _compare(self, node: ast.Compare) -> None:
        if len(node.ops) > 1 or isinstance(node.ops[0], (ast.In, ast.NotIn)):
            self.words.add(TEST)
        if all(isinstance(operator, _IDENTITIES) for operator in node.ops):
            for operand in (node.left, *node.comparators):
                self._harmless.add(id(operand))
                if isinstance(operand, ast.Subscript):
                    self._harmless.add(id(operand.value))

    def _store(self, node: ast.Assign | ast.AugAssign | ast.AnnAssign) -> None:
        if node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                self._kept(target, node.value)
                if (
                    isinstance(target, ast.Attribute)
                    and COUNTER not in self.words
                    and _counts(node, target.attr)
                ):
                    self.words.add(COUNTER)

    def _kept(self, target: ast.expr, *values: ast.expr) -> None:
        """Note an attribute, or a local name, that is given an array; the first one is enough."""
        if ARRAY_ATTRIBUTE in self.words:
            return
        while isinstance(target, (ast.Subscript, ast.Starred)):
            target = target.value
        if isinstance(target, (ast.Tuple, ast.List)):
            for item in target.elts:
                self._kept(item, *values)
        elif isinstance(target, ast.Name) and any(map(_makes_initializer, values)):
            self._initializers.add(target.id)
        elif isinstance(target, ast.Name):
            if any(map(self._is_array, values)):
                self._arrays.add(target.id)
        elif isinstance(target, ast.Attribute) and any(map(self._is_array, values)):
            self.words.add(ARRAY_ATTRIBUTE)

    def _is_array(self, value: ast.expr) -> bool:
        """Whether a value is, or holds, an array; what a constructor is given is not held."""
        pending: list[ast.AST] = [value]
        while pending:
            node = pending.pop()
            if isinstance(node, ast.Name) and node.id in self._arrays:
                return True
            if isinstance(node, ast.Call):
                if self._makes_array(node.func):
                    return True
                name = _last_name(node.func)
                if (name[:1].isupper() and name != "OrderedDict") or name in _WEIGHT_MAKERS:
                    continue
            pending += reversed_children(node)
        return False

    def _makes_array(self, function: ast.expr) -> bool:
        if isinstance(function, ast.Call):
            return _is_initializer(function.func)  # initializer()(shape)
        name = _last_name(function)
        return name in ARRAY_MAKERS or (self._is_helper(function) and name not in _WEIGHT_MAKERS)

    def _is_helper(self, function: ast.expr) -> bool:
        """Whether it is a function of the file, a method of `self`, or a kept initializer."""
        if isinstance(function, ast.Name):
            return function.id in self._helpers or function.id in self._initializers
        return isinstance(function, ast.Attribute) and (getattr(function.value, "id", "") == "self")

    def _assign(self, node: ast.Assign) -> None:
        self._store(node)
        value = node.value
        for target in node.targets:
            if isinstance(target, (ast.Tuple, ast.List)):
                self.words.add(TEST)
            if isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, ast.Call):
                function = value.func
                if isinstance(function, ast.Attribute) and function.attr == "shape":
                    self.words.add(STATIC_SHAPE)

    def _display(self, node: ast.List | ast.Tuple) -> None:
        self._sizes(node.elts)
        if len(node.elts) > 1 and _is_minus_one(node.elts[-1]):
            self.words.add(OPEN_SHAPE)

    def _sizes(self, nodes: Iterable[ast.expr]) -> None:
        for node in nodes:
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "len":
                self.words.add(LENGTH)


def _defaults(given: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    """The parameters that have a default, with it."""
    plain = [*given.posonlyargs, *given.args]
    yield from (
        (parameter.arg, default)
        for parameter, default in zip(reversed(plain), reversed(given.defaults), strict=False)
    )
    for parameter, value in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        if value is not None:
            yield parameter.arg, value


def _object_names(body: Iterable[ast.AST]) -> Iterator[str]:
    """What the methods in the body of a class, branches included, call their object."""
    for item in body:
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from (given.arg for given in (*item.args.posonlyargs, *item.args.args)[:1])
        elif not isinstance(item, ast.ClassDef):
            for field in ("body", "handlers", "orelse", "finalbody", "cases"):
                inner = getattr(item, field, None)
                yield from _object_names(inner if isinstance(inner, list) else ())


def _is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_flag(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == keras.LEGACY_FLAG


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _is_plain(test: ast.expr) -> bool:
    """Whether a condition has a truth value whatever it asks about: `x is None`, a type."""
    if isinstance(test, ast.Compare):
        return all(isinstance(operator, (ast.Is, ast.IsNot)) for operator in test.ops)
    if isinstance(test, ast.BoolOp):
        return all(map(_is_plain, test.values))
    if isinstance(test, ast.UnaryOp):
        return _is_plain(test.operand)
    asks = isinstance(test, ast.Call) and _last_name(test.func) in {"isinstance", "hasattr"}
    return asks or isinstance(test, ast.Constant)


def _begins_with_super(body: list[ast.stmt]) -> bool:
    """Whether the first statement, behind a docstring, is `super().__init__(...)`."""
    documented = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    first = body[1:2] if documented else body[:1]
    call = getattr(first[0], "value", None) if first else None
    function = getattr(call, "func", None)
    owner = getattr(getattr(function, "value", None), "func", None)
    return getattr(function, "attr", "") == "__init__" and getattr(owner, "id", "") == "super"


def _is_initializer(function: ast.expr) -> bool:
    """Whether a function makes an initializer, by its name or its module's."""
    module = function.value if isinstance(function, ast.Attribute) else function
    return _last_name(function) in INITIALIZERS or "nitializer" in _last_name(module)


def _makes_initializer(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and _is_initializer(value.func)


def _counts(node: ast.Assign | ast.AugAssign | ast.AnnAssign, attribute: str) -> bool:
    """Whether an attribute is set by what it was."""
    return isinstance(node, ast.AugAssign) or any(
        isinstance(part, ast.Attribute) and part.attr == attribute
        for part in walk(node.value or node)
    )


def _is_minus_one(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.UnaryOp)
        and isinstance(node.op, ast.USub)
        and isinstance(node.operand, ast.Constant)
        and node.operand.value == 1
    )


_READERS: dict[type[ast.AST], Callable[..., None]] = {
    ast.AnnAssign: Clues._store,
    ast.AugAssign: Clues._store,
    ast.Assert: Clues._asked,
    ast.Assign: Clues._assign,
    ast.Attribute: Clues._attribute,
    ast.BoolOp: Clues._boolean,
    ast.Call: Clues._call,
    ast.ClassDef: Clues._class,
    ast.Compare: Clues._compare,
    ast.For: Clues._asked,
    ast.FormattedValue: Clues._formatted,
    ast.FunctionDef: Clues._function,
    ast.If: Clues._asked,
    ast.IfExp: Clues._asked,
    ast.List: Clues._display,
    ast.Match: Clues._asked,
    ast.Name: Clues._named,
    ast.Starred: Clues._asked,
    ast.Subscript: Clues._subscript,
    ast.Tuple: Clues._display,
    ast.UnaryOp: Clues._boolean,
    ast.While: Clues._asked,
    ast.comprehension: Clues._asked,
}
_CONTAINERS: dict[type[ast.AST], Callable[..., None]] = {
    ast.AnnAssign: Clues._bound,
    ast.Assign: Clues._bound,
    ast.AsyncFunctionDef: Clues._definition,
    ast.AugAssign: Clues._augmented,
    ast.Call: Clues._labelled,
    ast.Dict: Clues._dictionary,
    ast.DictComp: Clues._mapping,
    ast.FunctionDef: Clues._definition,
    ast.GeneratorExp: Clues._generated,
    ast.Import: Clues._imported,
    ast.ImportFrom: Clues._imported,
    ast.Lambda: Clues._lambda,
    ast.List: Clues._items,
    ast.ListComp: Clues._generated,
    ast.Set: Clues._set,
    ast.SetComp: Clues._set,
    ast.Subscript: Clues._item,
    ast.Tuple: Clues._items,
}
_QUIET_READERS: dict[type[ast.AST], Callable[..., None]] = {
    ast.AnnAssign: Clues._store,
    ast.Assign: Clues._store,
    ast.AugAssign: Clues._store,
    ast.Attribute: Clues._member,
    ast.Call: Clues._quiet_call,
    ast.ClassDef: Clues._class,
    ast.FunctionDef: Clues._function,
    ast.Name: Clues._quiet_name,
}


def _seers(readers: Mapping[type[ast.AST], Callable[..., None]]) -> Seers:
    kinds = {**_CONTAINERS, **readers}
    tables = (_CONTAINERS, readers)
    return {kind: tuple(table[kind] for table in tables if kind in table) for kind in kinds}


# What takes in the nodes of each kind; the quiet ones leave out the marks of what is done
# with tensors.
MARKING = _seers(_READERS)
QUIET = _seers(_QUIET_READERS)
