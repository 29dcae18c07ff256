"""One pass over a file's `ast`: imports, classes, functions, and where Keras may matter.

The summary is cheap and holds no node, so that later it can be kept and shared; it says
which top-level statements deserve to be parsed by libcst.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

from savelint.keras import names, tables
from savelint.keras.clues import SHAPE_METHODS, Clues
from savelint.keras.tables import Kind
from savelint.source import Source, SourceError


@dataclass(frozen=True)
class Statement:
    """One top-level statement: its lines, its nesting, and what is in it.

    `depth` counts nested nodes; `called` holds the last name of each call, decorator and
    assigned attribute; `definition` is True for a class or a function; `words` are all the
    names it uses, and the marks of `savelint.keras.clues`.
    """

    first_line: int
    last_line: int
    depth: int
    definition: bool
    is_class: bool
    called: frozenset[str]
    words: frozenset[str]


@dataclass(frozen=True)
class ClassSummary:
    """A class anywhere in the file: its bases as dotted text, None where they are not."""

    name: str
    bases: tuple[str | None, ...]
    statement: int


@dataclass(frozen=True)
class Summary:
    """What one file says at its top level.

    `names` maps each module-level name that was imported, or made an alias of an import,
    to its dotted origin, `inner_names` those that functions import; `functions` and
    `assignments` map a name to the top-level statements that define or assign it;
    `imported` holds the dotted origin of every import, also inside functions.
    """

    statements: tuple[Statement, ...]
    names: Mapping[str, str]
    inner_names: Mapping[str, str]
    stars: tuple[str, ...]
    classes: tuple[ClassSummary, ...]
    functions: Mapping[str, int]
    assignments: Mapping[str, tuple[int, ...]]
    imported: frozenset[str]

    def resolve(self, dotted: str) -> str | None:
        """The canonical name of a dotted expression at module level."""
        found = names.resolve(dotted, self.names)
        if found is None and self.stars:
            head, dot, rest = dotted.partition(".")
            member = tables.star_member(head, self.stars)
            return names.canonical(member + dot + rest) if member else None
        return found

    @cached_property
    def kinds(self) -> Mapping[str, Kind]:
        """The kind of each class of the file that descends from Keras or tf.Module."""
        return MappingProxyType({cls.name: kind for cls, kind in self._kinds})

    @cached_property
    def models(self) -> frozenset[int]:
        """The statements that define a subclassed Model."""
        return frozenset(cls.statement for cls, kind in self._kinds if kind is Kind.MODEL)

    @cached_property
    def _kinds(self) -> tuple[tuple[ClassSummary, Kind], ...]:
        """Each class that is Keras with its kind; two classes may have one name."""
        found: list[tuple[ClassSummary, Kind]] = []
        kinds: dict[str, Kind] = {}
        pending = list(self.classes)
        while pending:
            left = []
            for cls in pending:
                of_bases = (self._base_kind(base, kinds) for base in cls.bases)
                kind = next(filter(None, of_bases), None)
                if kind is None:
                    left.append(cls)
                else:
                    kinds[cls.name] = kind
                    found.append((cls, kind))
            if len(left) == len(pending):
                break
            pending = left
        return tuple(found)

    @cached_property
    def _definitions(self) -> Mapping[str, int]:
        assigned = {name: found[0] for name, found in self.assignments.items() if len(found) == 1}
        classes = {cls.name: cls.statement for cls in self.classes}
        return {**assigned, **self.functions, **classes}

    def group(self, index: int) -> tuple[int, int]:
        """The first and last of the statements that share a line with one, directly or not."""
        first = last = index
        while first and self.statements[first - 1].last_line >= self.statements[first].first_line:
            first -= 1
        while (
            last + 1 < len(self.statements)
            and self.statements[last].last_line >= self.statements[last + 1].first_line
        ):
            last += 1
        return first, last

    def leads_to(self, index: int, *, through_keras: bool = True) -> Iterator[int]:
        """The statements whose functions, classes and values a statement names or derives from.

        Without `through_keras`, those that define a Keras class count as bases only.
        """
        for name in self.statements[index].words:
            if name in self._definitions and (through_keras or name not in self.kinds):
                yield self._definitions[name]
        for cls in self._classes_of.get(index, ()):
            for base in cls.bases:
                if base is not None and base in self._definitions:
                    yield self._definitions[base]

    def reach(self, start: int, *, through_keras: bool = True) -> set[int]:
        """A statement and all that it leads to, directly or not."""
        seen: set[int] = set()
        pending = [start]
        while pending:
            current = pending.pop()
            if current not in seen:
                seen.add(current)
                pending.extend(self.leads_to(current, through_keras=through_keras))
        return seen

    @cached_property
    def _classes_of(self) -> Mapping[int, list[ClassSummary]]:
        found: dict[int, list[ClassSummary]] = {}
        for cls in self.classes:
            found.setdefault(cls.statement, []).append(cls)
        return found

    def has_plain_class(self, index: int) -> bool:
        """Whether a statement holds a class that is neither a layer nor a model."""
        classes = (self.kinds.get(cls.name) for cls in self._classes_of.get(index, ()))
        return any(kind is None or not kind.is_layer for kind in classes)

    def is_part(self, name: str) -> bool:
        """Whether instances of a class are made in the file, and only by Keras classes."""
        keras = {cls.statement for cls, _ in self._kinds if self.statements[cls.statement].is_class}
        makers = [i for i, statement in enumerate(self.statements) if name in statement.called]
        return bool(makers) and keras.issuperset(makers)

    def _base_kind(self, base: str | None, kinds: Mapping[str, Kind]) -> Kind | None:
        if base is None:
            return None
        if base in kinds:
            return kinds[base]
        resolved = self.resolve(base) or names.resolve(base, self.inner_names)
        return tables.base_kind(resolved) if resolved else None


def summarise(source: Source) -> Summary:
    """Read a source's `ast`; raises SourceError when it does not parse."""
    tree = parse(source)
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    reader = Reader({node.name for node in tree.body if isinstance(node, functions)})
    for statement in tree.body:
        reader.read(statement)
    return reader.summary()


def parse(source: Source) -> ast.Module:
    """`ast.parse` with the file's own errors as SourceError."""
    try:
        return ast.parse(source.text)
    except SyntaxError as error:
        raise SourceError(
            f"syntax error: {error.msg}", error.lineno or 0, error.offset or 0
        ) from error
    except (RecursionError, MemoryError, ValueError) as error:
        raise SourceError("nested too deeply to be parsed; split the expression") from error


def dotted_name(node: ast.AST) -> str | None:
    """`a.b.c` as text, or None for anything but names and attributes."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    parts.append(node.id)
    return ".".join(reversed(parts))


# Fields of operators, contexts and constants: nothing in them is of interest.
_LEAVES = frozenset({"ctx", "op", "ops", "type_comment", "kind", "conversion"})
# The other fields of each node type, last first.
_FIELDS = {
    kind: tuple(field for field in reversed(kind._fields) if field not in _LEAVES)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}


class Reader:
    """Gathers the summary, one top-level statement after the other.

    `helpers` are the names of the file's own functions.
    """

    def __init__(self, helpers: Container[str] = ()) -> None:
        self._helpers = helpers
        self._statements: list[Statement] = []
        self._names: dict[str, str] = {}
        self._stars: list[str] = []
        self._classes: list[ClassSummary] = []
        self._functions: dict[str, int] = {}
        self._assignments: dict[str, list[int]] = {}
        self._imported: set[str] = set()
        # What functions import for themselves; it counts where the module says nothing.
        self._inner_names: dict[str, str] = {}

    def add(self, statement: Statement, function: str, classes: Iterable[ClassSummary]) -> None:
        """Take in a statement that was summarised elsewhere."""
        index = len(self._statements)
        self._statements.append(statement)
        self._classes.extend(replace(cls, statement=index) for cls in classes)
        if function:
            self._functions[function] = index

    def read(self, statement: ast.stmt, first_line: int = 1) -> None:
        """Take in one top-level statement, with all that is in it.

        `first_line` is the line of the file at which the statement's own text began.
        """
        index = len(self._statements)
        called: set[str] = set()
        clues = Clues(self._helpers)
        deepest = 0
        # (node, depth, whether it stands at module level, whether its marks count);
        # parents before children, in order.
        stack: list[tuple[ast.AST, int, bool, bool]] = [(statement, 1, True, True)]
        while stack:
            node, depth, top, marks = stack.pop()
            deepest = max(deepest, depth)
            clues.see(node, marks=marks)
            reader = _READERS.get(type(node))
            if reader is not None:
                reader(self, node, index, top, called)
            if isinstance(node, _SCOPES):
                top = False
                marks = marks and getattr(node, "name", "") not in SHAPE_METHODS
            for field in _FIELDS[type(node)]:
                value = getattr(node, field)
                if isinstance(value, list):
                    stack.extend(
                        (item, depth + 1, top, marks)
                        for item in reversed(value)
                        if isinstance(item, ast.AST)
                    )
                elif isinstance(value, ast.AST):
                    stack.append((value, depth + 1, top, marks))
        decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
        first = min((statement.lineno, *(item.lineno for item in decorators)))
        offset = first_line - 1
        self._statements.append(
            Statement(
                first + offset,
                (statement.end_lineno or first) + offset,
                deepest,
                isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)),
                isinstance(statement, ast.ClassDef),
                frozenset(called),
                frozenset(clues.words),
            )
        )

    def _call(self, node: ast.Call, index: int, top: bool, called: set[str]) -> None:
        called.update(_last_name(node.func))

    def _class(self, node: ast.ClassDef, index: int, top: bool, called: set[str]) -> None:
        for decorator in node.decorator_list:
            called.update(_last_name(decorator))
        bases = tuple(dotted_name(base) for base in node.bases)
        self._classes.append(ClassSummary(node.name, bases, index))

    def _function(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef,
        index: int,
        top: bool,
        called: set[str],
    ) -> None:
        if top:
            self._functions[node.name] = index
        for decorator in node.decorator_list:
            called.update(_last_name(decorator))

    def _import(
        self, node: ast.Import | ast.ImportFrom, index: int, top: bool, called: set[str]
    ) -> None:
        module, level = None, 0
        if isinstance(node, ast.ImportFrom):
            module, level = node.module or "", node.level
        aliases = ((alias.name, alias.asname) for alias in node.names)
        for local, origin in names.import_bindings(aliases, module, level):
            self._imported.add(origin)
            if local == "*":
                self._stars.append(names.canonical(origin))
            elif not top:
                self._inner_names.setdefault(local, origin)
            else:
                # The first import wins: `except ImportError` holds the substitute.
                self._names.setdefault(local, origin)

    def _assign(self, node: ast.Assign, index: int, top: bool, called: set[str]) -> None:
        called.update(target.attr for target in node.targets if isinstance(target, ast.Attribute))
        if not top:
            return
        for target in node.targets:
            for name in _assigned_names(target):
                self._assignments.setdefault(name, []).append(index)
        dotted = dotted_name(node.value)
        if dotted is None or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            return
        origin = names.resolve(dotted, self._names)
        if origin is not None:
            self._names.setdefault(node.targets[0].id, origin)

    def _annotated(self, node: ast.AnnAssign, index: int, top: bool, called: set[str]) -> None:
        if top and isinstance(node.target, ast.Name):
            self._assignments.setdefault(node.target.id, []).append(index)

    def summary(self) -> Summary:
        """All that was read."""
        return Summary(
            statements=tuple(self._statements),
            names=MappingProxyType(self._names),
            inner_names=MappingProxyType(self._inner_names),
            stars=tuple(self._stars),
            classes=tuple(self._classes),
            functions=MappingProxyType(self._functions),
            assignments=MappingProxyType({k: tuple(v) for k, v in self._assignments.items()}),
            imported=frozenset(self._imported),
        )


def _last_name(node: ast.expr) -> tuple[str, ...]:
    """The last name of a called or decorating expression, as a tuple of none or one."""
    if isinstance(node, ast.Attribute):
        return (node.attr,)
    if isinstance(node, ast.Name):
        return (node.id,)
    return ()


def _assigned_names(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, (ast.Tuple, ast.List)):
        for item in target.elts:
            yield from _assigned_names(item)


_SCOPES = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_READERS: dict[type[ast.AST], Callable[..., None]] = {
    ast.AnnAssign: Reader._annotated,
    ast.Assign: Reader._assign,
    ast.AsyncFunctionDef: Reader._function,
    ast.Call: Reader._call,
    ast.ClassDef: Reader._class,
    ast.FunctionDef: Reader._function,
    ast.Import: Reader._import,
    ast.ImportFrom: Reader._import,
}
