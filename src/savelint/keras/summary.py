"""One pass over a file's `ast`: imports, classes, functions, and where Keras may matter.

The summary is cheap and holds no node, so that later it can be kept and shared; it says
which top-level statements deserve to be parsed by libcst.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType

from savelint.frozen import frozen
from savelint.keras import names, removed, tables
from savelint.keras.clues import MARKING, QUIET, REMOVED, WITHOUT_TENSORS, Clues, Seers
from savelint.keras.nodes import FIELDS, dotted_name
from savelint.source import Source, SourceError


@frozen
class Statement:
    """One top-level statement: its lines, its nesting, and what is in it.

    `depth` counts nested nodes; `called` holds the last name of each call, decorator and
    assigned attribute; `definition` is True for a class or a function; `words` are all the
    names it uses, and the marks of `savelint.keras.clues`; `misnamed` are those of `called`
    that Keras or TensorFlow has, and that are given a name which may be refused.
    """

    first_line: int
    last_line: int
    depth: int
    definition: bool
    is_class: bool
    called: frozenset[str]
    words: frozenset[str]
    misnamed: frozenset[str] = frozenset()


@frozen
class ClassSummary:
    """A class anywhere in the file.

    `bases` are dotted text, None where they are not, `decorators` likewise and without
    their arguments; `methods` are the names of its own. `qualname` tells where it is
    nested, as Python's own does.
    """

    name: str
    bases: tuple[str | None, ...]
    statement: int
    qualname: str = ""
    line: int = 0
    methods: frozenset[str] = frozenset()
    decorators: tuple[str | None, ...] = ()


@frozen
class Summary:
    """What one file says at its top level.

    `names` maps each module-level name that was imported, or made an alias of an import,
    to its dotted origin, `inner_names` those that functions import; `functions` and
    `assignments` map a name to the top-level statements that define or assign it;
    `imported` holds the dotted origin of every import, also inside functions; `reexported`
    has what the imports themselves say of names that were taken for Keras' or TensorFlow's.
    """

    statements: tuple[Statement, ...]
    names: Mapping[str, str]
    inner_names: Mapping[str, str]
    stars: tuple[str, ...]
    classes: tuple[ClassSummary, ...]
    functions: Mapping[str, int]
    assignments: Mapping[str, tuple[int, ...]]
    imported: frozenset[str]
    reexported: Mapping[str, str]

    def resolve(self, dotted: str) -> str | None:
        """The canonical name of a dotted expression at module level."""
        found = names.resolve(dotted, self.names)
        if found is None and self.stars:
            head, dot, rest = dotted.partition(".")
            member = tables.star_member(head, self.stars)
            return names.canonical(member + dot + rest) if member else None
        return found

    def origin(self, dotted: str) -> str | None:
        """What a dotted name stands for by the imports, in their own words.

        None for an empty one, and where its head was not imported.
        """
        head, dot, rest = dotted.partition(".")
        found = self.names.get(head) or self.inner_names.get(head)
        return found + dot + rest if found else None

    @cached_property
    def misnamed(self) -> frozenset[str]:
        """What the file calls with a name that may be refused, by its last name."""
        return frozenset().union(*(statement.misnamed for statement in self.statements))

    @cached_property
    def definitions(self) -> Mapping[str, int]:
        """The statement that defines a name: a class, a function or its one assignment."""
        assigned = {name: found[0] for name, found in self.assignments.items() if len(found) == 1}
        classes = {cls.name: cls.statement for cls in self.classes}
        return {**assigned, **self.functions, **classes}

    @cached_property
    def classes_of(self) -> Mapping[int, tuple[ClassSummary, ...]]:
        """The classes in each top-level statement that has any."""
        found: dict[int, list[ClassSummary]] = {}
        for cls in self.classes:
            found.setdefault(cls.statement, []).append(cls)
        return {index: tuple(classes) for index, classes in found.items()}

    @cached_property
    def classes_by_name(self) -> Mapping[str, tuple[ClassSummary, ...]]:
        """The classes of each name, wherever they are nested."""
        found: dict[str, list[ClassSummary]] = {}
        for cls in self.classes:
            found.setdefault(cls.name, []).append(cls)
        return {name: tuple(classes) for name, classes in found.items()}

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
        # All that some import in the file binds to a name, and for a statement the dotted
        # names that are gone if they begin with such a name.
        self._bindings: dict[str, set[str]] = {}
        self._doubtful: dict[int, set[str]] = {}
        self._reexported: dict[str, str] = {}
        # Lines of the file before the text in which the statement being read was parsed.
        self._offset = 0
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
        self._offset = first_line - 1
        called: set[str] = set()
        clues = Clues(self._helpers, self._origin)
        deepest = 0
        # (node, depth, what its definitions' qualified names begin with, what sees each kind
        # of node in it); parents before children, in order.
        stack: list[tuple[ast.AST, int, str, Seers]] = [(statement, 1, "", MARKING)]
        while stack:
            node, depth, scope, seers = stack.pop()
            if depth > deepest:
                deepest = depth
            kind = type(node)
            for see in seers.get(kind, ()):
                see(clues, node)
            fields = FIELDS[kind]
            if not fields:
                continue
            reader = _READERS.get(kind)
            if reader is not None:
                reader(self, node, index, scope, called)
            if kind in _SCOPES:
                name = getattr(node, "name", "<lambda>")
                # What is defined in a method may be kept, and run when there is a tensor.
                is_method = kind is ast.FunctionDef and scope.endswith(".") and scope[-2] != ">"
                seers = QUIET if is_method and name in WITHOUT_TENSORS else MARKING
                scope += f"{name}." if kind is ast.ClassDef else f"{name}.<locals>."
            depth += 1
            for field in fields:
                value = getattr(node, field)
                if not value:
                    continue
                if isinstance(value, list):
                    stack += [(n, depth, scope, seers) for n in reversed(value) if n is not None]
                elif isinstance(value, ast.AST):
                    stack.append((value, depth, scope, seers))
        if clues.doubtful:
            self._doubtful[index] = clues.doubtful
        decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
        first = min((statement.lineno, *(item.lineno for item in decorators)))
        self._statements.append(
            Statement(
                first + self._offset,
                (statement.end_lineno or first) + self._offset,
                deepest,
                isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)),
                isinstance(statement, ast.ClassDef),
                frozenset(called),
                frozenset(clues.words),
                frozenset(clues.misnamed),
            )
        )

    def _origin(self, name: str) -> str | None:
        """What a name was imported as, so far."""
        return self._names.get(name) or self._inner_names.get(name)

    def _call(self, node: ast.Call, index: int, scope: str, called: set[str]) -> None:
        called.update(_last_name(node.func))

    def _class(self, node: ast.ClassDef, index: int, scope: str, called: set[str]) -> None:
        for decorator in node.decorator_list:
            called.update(_last_name(decorator))
        functions = (ast.FunctionDef, ast.AsyncFunctionDef)
        self._classes.append(
            ClassSummary(
                node.name,
                tuple(map(_base_name, node.bases)),
                index,
                scope + node.name,
                node.lineno + self._offset,
                frozenset(item.name for item in node.body if isinstance(item, functions)),
                tuple(map(_decorator_name, node.decorator_list)),
            )
        )

    def _function(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef,
        index: int,
        scope: str,
        called: set[str],
    ) -> None:
        if not scope:
            self._functions[node.name] = index
        for decorator in node.decorator_list:
            called.update(_last_name(decorator))

    def _import(
        self, node: ast.Import | ast.ImportFrom, index: int, scope: str, called: set[str]
    ) -> None:
        module, level = None, 0
        if isinstance(node, ast.ImportFrom):
            module, level = node.module or "", node.level
        aliases = ((alias.name, alias.asname) for alias in node.names)
        for local, origin, written in names.import_bindings(aliases, module, level):
            self._imported.add(origin)
            self._bindings.setdefault(local, set()).update((origin, written))
            if local == "*":
                self._stars.append(names.canonical(origin))
            elif scope:
                self._inner_names.setdefault(local, origin)
            else:
                # The first import wins: `except ImportError` holds the substitute.
                if self._names.setdefault(local, origin) != written:
                    self._reexported.setdefault(local, written)

    def _assign(self, node: ast.Assign, index: int, scope: str, called: set[str]) -> None:
        called.update(target.attr for target in node.targets if isinstance(target, ast.Attribute))
        if scope:
            return
        for target in node.targets:
            for name in _assigned_names(target):
                self._assignments.setdefault(name, []).append(index)
        dotted = dotted_name(node.value)
        if dotted is None or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            return
        head, dot, rest = dotted.partition(".")
        if head in self._names:
            self._names.setdefault(node.targets[0].id, self._names[head] + dot + rest)

    def _annotated(self, node: ast.AnnAssign, index: int, scope: str, called: set[str]) -> None:
        if not scope and isinstance(node.target, ast.Name):
            self._assignments.setdefault(node.target.id, []).append(index)

    def _is_removed(self, dotted: str) -> bool:
        """Whether a dotted name is gone, by any import of the file that binds its head."""
        head, dot, rest = dotted.partition(".")
        return any(removed.find(o + dot + rest) for o in self._bindings.get(head, ()))

    def summary(self) -> Summary:
        """All that was read."""
        for index, doubtful in self._doubtful.items():
            if any(map(self._is_removed, doubtful)):
                statement = self._statements[index]
                words = statement.words | {REMOVED}
                self._statements[index] = replace(statement, words=words)
        return Summary(
            statements=tuple(self._statements),
            names=MappingProxyType(self._names),
            inner_names=MappingProxyType(self._inner_names),
            stars=tuple(self._stars),
            classes=tuple(self._classes),
            functions=MappingProxyType(self._functions),
            assignments=MappingProxyType({k: tuple(v) for k, v in self._assignments.items()}),
            imported=frozenset(self._imported),
            reexported=MappingProxyType(self._reexported),
        )


def _base_name(node: ast.expr) -> str | None:
    """A base as dotted text; of a generic one, `Base[T]`, without what it is given."""
    return dotted_name(node.value if isinstance(node, ast.Subscript) else node)


def _decorator_name(node: ast.expr) -> str | None:
    return dotted_name(node.func if isinstance(node, ast.Call) else node)


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


_SCOPES = frozenset({ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda})
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
