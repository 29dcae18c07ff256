"""The files of a project as an index: what a name means across files, and which class is Keras.

A file is read when something leads to it, once a run, and only its summary is kept. What
cannot be read or found is unknown, and a rule that meets it stays silent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from savelint.discover import display_name, os_reason
from savelint.files import Files
from savelint.frozen import frozen
from savelint.keras import external, names
from savelint.keras.generation import Evidence, file_evidence
from savelint.keras.summary import ClassSummary, Summary, summarise
from savelint.keras.tables import SAVING, WRITING, Kind
from savelint.modules import Modules, Place
from savelint.source import Source, SourceError

# Characters of a file that is read for others; a longer one was generated, not written.
_MAX_SIZE = 2_000_000
# Packages within packages that a dotted name is followed through.
_MAX_PACKAGES = 5
_FAMILIES = ("keras", "tensorflow", "numpy")
LOADING = "load_model"
_TEST_FILE = re.compile(r"[\\/](?:tests?[\\/]|test_[^\\/]*$|[^\\/]*_test\.py$|conftest\.py$)")


@frozen
class External:
    """Something outside of the project, or not found in it, by its canonical name."""

    name: str


@frozen(eq=False)
class Definition:
    """A class, function or value that a file of the project defines at its top level."""

    file: File
    name: str


@frozen
class Module:
    """A module or package of the project."""

    place: Place


Found: TypeAlias = External | Definition | Module
Answer = TypeVar("Answer")


class File:
    """One file and its summary, seen in its project.

    `path` is absolute, and empty for a text that is in no file.
    """

    def __init__(self, project: Project, source: Source, summary: Summary, path: str) -> None:
        self.project = project
        self.source = source
        self.summary = summary
        self.path = path
        self._found: dict[str, Found | None] = {}
        self._class_kinds: dict[str, Kind | None] = {}
        self._reached: dict[tuple[int, bool], frozenset[int]] = {}

    def find(self, dotted: str) -> Found | None:
        """What a dotted expression at the file's top level means; None when it is not known."""
        answer: Callable[[], Found | None] = partial(self._find, dotted)
        return self.project.once(self._found, dotted, answer)

    def _find(self, dotted: str) -> Found | None:
        head, dot, rest = dotted.partition(".")
        origin = self.summary.names.get(head)
        if origin is not None:
            written = self.summary.reexported.get(head, "")
            module = self.project.follow(self, written) if written and self.path else None
            # A module of the project may only go by the name, as a stand-in for the real one.
            if isinstance(module, Module) and not self.project.passes_on(module):
                return self.project.follow(self, written + dot + rest)
            return self.project.follow(self, origin + dot + rest)
        if head in self.summary.definitions or head in self.summary.assignments:
            # Members of a class are found by its name; of a value nothing is known.
            return Definition(self, dotted)
        found = self._starred(head)
        for part in rest.split(".") if rest else ():
            found = self.project.member(found, part)
        if found is None and head in self.summary.inner_names:
            return self.project.follow(self, self.summary.inner_names[head] + dot + rest)
        return found

    def _starred(self, name: str) -> Found | None:
        """What a star import brings under a name."""
        known = self.summary.resolve(name)
        if known is not None:
            return External(known)
        outside: list[str] = []
        for star in self.summary.stars:
            module = self.project.follow(self, star)
            if isinstance(module, External):
                outside.append(module.name)
            elif module is not None and not name.startswith("_"):
                found = self.project.member(module, name)
                if found is not None:
                    return found
        # What the project does not define comes from the one star that is not its own.
        ours = [star for star in outside if star.partition(".")[0] in _FAMILIES]
        return External(f"{ours[0]}.{name}") if len(outside) == len(ours) == 1 else None

    # -- classes -------------------------------------------------------------------------

    @cached_property
    def keras_classes(self) -> tuple[tuple[ClassSummary, Kind], ...]:
        """Each class of the file that is Keras, with its kind; two may have one name."""
        found = ((cls, self.kind_of(cls)) for cls in self.summary.classes)
        return tuple((cls, kind) for cls, kind in found if kind is not None)

    @cached_property
    def kinds(self) -> Mapping[str, Kind]:
        """The kind of each class of the file that descends from Keras or tf.Module, by name."""
        return MappingProxyType({cls.name: kind for cls, kind in self.keras_classes})

    @cached_property
    def models(self) -> frozenset[int]:
        """The statements that define a subclassed Model or Sequential."""
        kinds = {Kind.MODEL, Kind.FUNCTIONAL}
        return frozenset(cls.statement for cls, kind in self.keras_classes if kind in kinds)

    def kind_of(self, cls: ClassSummary) -> Kind | None:
        """The kind of a class of this file, by the first of its bases that is Keras."""
        of_bases = (self.base_kind(cls, base) for base in cls.bases if base is not None)
        return self.project.once(
            self._class_kinds,
            f"{cls.qualname}:{cls.line}",
            lambda: next(filter(None, of_bases), None),
        )

    def base_kind(self, cls: ClassSummary, base: str) -> Kind | None:
        """The kind of what a base of a class means."""
        defined = self.base_class(cls, base)
        kind = defined[0].kind_of(defined[1]) if defined is not None else None
        found = self.base(cls, base) if kind is None else None
        return external.kind(found.name) if isinstance(found, External) else kind

    def base(self, cls: ClassSummary, base: str) -> Found | None:
        """What a base of a class means; a class that has its base's name is not meant itself."""
        head = base.partition(".")[0]
        if head == cls.name and head in self.summary.names:
            return self.project.follow(self, self.summary.names[head] + base[len(head) :])
        return self.find(base)

    def base_class(self, cls: ClassSummary, base: str) -> tuple[File, ClassSummary] | None:
        """The class of the project that a base means, in its file; the Keras one of several."""
        named = [(self, other) for other in self._classes_called(base) if other is not cls]
        found = self.base(cls, base)
        if isinstance(found, Definition):
            named += [(found.file, other) for other in found.file.classes_at_top(found.name)]
        keras = ((file, other) for file, other in named if file.kind_of(other) is not None)
        return next(keras, named[0] if named else None)

    def base_files(self) -> Iterator[File]:
        """The other files in which bases of this one's Keras classes stand, nearest first."""
        files = {self.path}
        seen: set[int] = set()
        pending = [(self, cls) for cls, _ in self.keras_classes]
        while pending:
            file, cls = pending.pop(0)
            if id(cls) in seen:
                continue
            seen.add(id(cls))
            for base in filter(None, cls.bases):
                found = file.base_class(cls, base)
                if found is not None:
                    pending.append(found)
                    if found[0].path not in files:
                        files.add(found[0].path)
                        yield found[0]

    def keras_files(self) -> Iterator[File]:
        """The other files from which this one takes Keras by its name, nearest first."""
        files = {self.path}
        pending = [self]
        while pending:
            file = pending.pop(0)
            for written in file.summary.reexported.values() if file.path else ():
                # `.compat.keras` is a module of that name, or of `.compat`; `.keras` is the
                # package's own.
                place = written[: len(written) - len(written.rpartition(".")[2])]
                place = place[:-1] if place.strip(".") else place
                for module in (self.project.follow(file, n) for n in (written, place) if n):
                    if not isinstance(module, Module):
                        continue
                    path = self.project.modules.file_of(module.place)
                    found = self.project.file(path) if path and path not in files else None
                    files.add(path)
                    if found is not None:
                        pending.append(found)
                        yield found

    @cached_property
    def evidence(self) -> Evidence | None:
        """Which Keras it is written for, as far as it tells by itself."""
        return file_evidence(self.source.text, self.summary)

    def package(self) -> File | None:
        """The `__init__.py` of the outermost package that holds the file."""
        path = self.project.modules.package_init(self.path) if self.path else ""
        return self.project.file(path) if path and path != self.path else None

    def _classes_called(self, dotted: str) -> Iterator[ClassSummary]:
        """The classes of the file that a dotted expression may mean, wherever they stand."""
        if "." in dotted:
            yield from (cls for cls in self.summary.classes if cls.qualname == dotted)
        else:
            yield from self.summary.classes_by_name.get(dotted, ())

    def classes_at_top(self, qualname: str) -> Iterator[ClassSummary]:
        """The classes with a qualified name that other files can import."""
        name = qualname.rpartition(".")[2]
        named = self.summary.classes_by_name.get(name, ())
        yield from (cls for cls in named if cls.qualname == qualname)

    @cached_property
    def scope_words(self) -> frozenset[str]:
        """The calls that make a function, or the module, worth reading as a scope.

        Those that save and load, those that make the file's Keras objects or objects that may
        save one, and those of its functions in which any of these is called: what they are
        given is known where they are.
        """
        words = {*SAVING, *self.kinds, *self.summary.misnamed, *self._savers}
        called = {n: self.summary.statements[i].called for n, i in self.summary.functions.items()}
        while found := [name for name, calls in called.items() if calls & words]:
            words.update(found)
            for name in found:
                del called[name]
        return frozenset(words)

    @cached_property
    def bound(self) -> frozenset[str]:
        """The names that the file's own statements bind, those of its functions' imports too."""
        summary = self.summary
        return frozenset(
            {*summary.names, *summary.definitions, *summary.assignments, *summary.inner_names}
        )

    @cached_property
    def _savers(self) -> frozenset[str]:
        """The classes of the file that are not Keras', and call what saves."""
        return frozenset(
            cls.name
            for cls in self.summary.classes
            if self.summary.statements[cls.statement].called & WRITING
            and cls.name not in self.kinds
        )

    # -- statements ----------------------------------------------------------------------

    def leads_to(self, index: int, *, through_keras: bool = True) -> Iterator[int]:
        """The statements whose functions, classes and values a statement names or derives from.

        Without `through_keras`, those that define a Keras class count as bases only.
        """
        definitions = self.summary.definitions
        for name in self.summary.statements[index].words & definitions.keys():
            if through_keras or name not in self.kinds:
                yield definitions[name]
        for cls in self.summary.classes_of.get(index, ()):
            for base in cls.bases:
                if base is not None and base in definitions:
                    yield definitions[base]

    def reach(self, start: int, *, through_keras: bool = True) -> frozenset[int]:
        """A statement and all that it leads to in the file, directly or not."""
        known = self._reached.get((start, through_keras))
        if known is not None:
            return known
        seen: set[int] = set()
        pending = [start]
        while pending:
            current = pending.pop()
            if current not in seen:
                seen.add(current)
                pending.extend(self.leads_to(current, through_keras=through_keras))
        return self._reached.setdefault((start, through_keras), frozenset(seen))

    def words_abroad(self, indices: frozenset[int]) -> frozenset[str]:
        """The words of what statements lead to in other files: helpers and bases."""
        return self.project.words_abroad(self, indices)

    def has_plain_class(self, index: int) -> bool:
        """Whether a statement holds a class that is neither a layer nor a model."""
        kinds = map(self.kind_of, self.summary.classes_of.get(index, ()))
        return any(kind is None or not kind.is_layer for kind in kinds)

    # -- users ---------------------------------------------------------------------------

    def makers(self, name: str) -> Iterator[int]:
        """The statements that call a name."""
        for index, statement in enumerate(self.summary.statements):
            if name in statement.called:
                yield index

    def statement_text(self, index: int) -> str:
        """The source of a statement's lines."""
        statement = self.summary.statements[index]
        start = self.source.line_offset(statement.first_line)
        return self.source.text[start : self.source.line_offset(statement.last_line + 1)]

    def namers(self, name: str) -> Iterator[int]:
        """The definitions of Keras classes that name another class, and do not derive from it."""
        for index, statement in enumerate(self.summary.statements):
            if name in statement.words and self.is_keras_statement(index):
                own = [cls for cls in self.summary.classes if cls.statement == index]
                if not any(name in {cls.name, *cls.bases} for cls in own):
                    yield index

    def is_layer_statement(self, index: int) -> bool:
        """Whether a statement is the definition of a layer, and of no model."""
        kinds = [kind for cls, kind in self.keras_classes if cls.statement == index]
        return bool(kinds) and all(kind is Kind.LAYER for kind in kinds)

    def is_keras_statement(self, index: int) -> bool:
        """Whether a statement is the definition of a Keras class."""
        return self.summary.statements[index].is_class and any(
            cls.statement == index for cls, _ in self.keras_classes
        )


class Project:
    """The files of the projects of one run, read when something leads to them."""

    def __init__(self, files: Files | None = None) -> None:
        self._disk = files or Files()
        self.modules = Modules(self._disk)
        self._files: dict[str, File | str] = {}
        # The questions that are being answered, and how often one led back to itself.
        self._open: set[tuple[int, str]] = set()
        self._circles = 0
        self._makers: dict[str, dict[str, list[str]]] = {}
        self._leads: dict[tuple[File, frozenset[int]], Sequence[tuple[File, int]]] = {}

    def open(self, source: Source, path: str = "") -> File:
        """A file whose text is given; raises SourceError when that does not parse.

        The first text that is known of a path stands for it wherever others lead to it.
        """
        known = self._files.get(path)
        if isinstance(known, File) and known.source == source:
            return known
        file = File(self, source, _summary(source), path)
        if path:
            self._files.setdefault(path, file)
        return file

    def file(self, path: str) -> File | None:
        """The file at an absolute path; None when it cannot be read or parsed."""
        found = self._file(path)
        return found if isinstance(found, File) else None

    @property
    def read(self) -> frozenset[str]:
        """The paths of the files that were read so far."""
        return frozenset(self._files)

    def problem(self, path: str) -> str:
        """Why a file cannot be read or parsed; empty when it can."""
        found = self._file(path)
        return found if isinstance(found, str) else ""

    def _file(self, path: str) -> File | str:
        if path in self._files:
            self._disk.lead(path)
        else:
            try:
                data = self._disk.read(path)
                if len(data) > _MAX_SIZE:
                    self._files[path] = "too large to have been written by hand"
                else:
                    self.open(Source.from_bytes(display_name(path), data), path)
            except OSError as error:
                self._files[path] = os_reason(error)
            except SourceError as error:
                self._files[path] = str(error)
            except (RecursionError, MemoryError):
                self._files[path] = "nested too deeply"
        return self._files[path]

    def once(
        self, known: dict[str, Answer], question: str, answer: Callable[[], Answer]
    ) -> Answer | None:
        """The answer to a question, kept in `known`; None for one that leads back to itself.

        What came of such a circle holds for the question asked first alone: within the
        circle, where one begins must not tell what is found.
        """
        if question in known:
            return known[question]
        key = (id(known), question)
        if key in self._open:
            self._circles += 1
            return None
        before = self._circles
        self._open.add(key)
        found = answer()
        self._open.discard(key)
        if self._circles == before or not self._open:
            known[question] = found
        return found

    # -- names ---------------------------------------------------------------------------

    def follow(self, file: File, dotted: str) -> Found | None:
        """What the origin of an import in a file means; None for a name that is missing."""
        canonical = names.canonical(dotted)
        if canonical.partition(".")[0] in _FAMILIES:
            return External(canonical)
        if not file.path:
            return External(canonical)
        relative = dotted.lstrip(".")
        level = len(dotted) - len(relative)
        parts = relative.split(".") if relative else []
        if level:
            package = self.modules.package(file.path, level)
            return self._walk(Module(package), parts) if package is not None else None
        places = self.modules.top(file.path, parts[0])
        for place in places:
            found = self._walk(Module(place), parts[1:])
            if found is not None:
                return found
        return None if any(place.file for place in places) else External(canonical)

    def _walk(self, start: Found, parts: list[str]) -> Found | None:
        found: Found | None = start
        for part in parts:
            found = self.member(found, part)
        return found

    def member(self, owner: Found | None, name: str) -> Found | None:
        """A member of a module, or of something outside."""
        if isinstance(owner, External):
            return External(names.canonical(f"{owner.name}.{name}"))
        if isinstance(owner, Definition):
            return Definition(owner.file, f"{owner.name}.{name}")
        if owner is None:
            return None
        before = self._circles
        found = self._defined(owner, name)
        if found is None or _is_value(found):
            submodule = self.modules.submodule(owner.place, name)
            if submodule is not None:
                # A package that imports its own module is no circle: the file is there.
                self._circles = before
            # `bijectors = LazyLoader(...)` stands for the module of that name.
            return Module(submodule) if submodule is not None else found
        return found

    def _defined(self, module: Module, name: str) -> Found | None:
        """What a module's own statements bind to a name."""
        file = self.file(module.place.file) if module.place.file else None
        return file.find(name) if file is not None else None

    def passes_on(self, module: Module) -> bool:
        """Whether a module hands on all that it takes from Keras or TensorFlow."""
        file = self.file(module.place.file) if module.place.file else None
        stars = file.summary.stars if file is not None else ()
        return any(star.partition(".")[0] in _FAMILIES for star in stars)

    # -- what other files hold -----------------------------------------------------------

    def words_abroad(self, file: File, indices: frozenset[int]) -> frozenset[str]:
        """The words of the helpers and bases in other files that statements lead to."""
        words: set[str] = set()
        seen: set[tuple[str, int]] = set()
        pending = [*self._leads_abroad(file, indices)]
        while pending:
            other, index = pending.pop()
            if (other.path, index) in seen:
                continue
            reached = other.reach(index, through_keras=False)
            seen.update((other.path, each) for each in reached)
            words.update(*(other.summary.statements[each].words for each in reached))
            pending += self._leads_abroad(other, reached)
        return frozenset(words)

    def _leads_abroad(self, file: File, indices: frozenset[int]) -> Sequence[tuple[File, int]]:
        """The functions, and bases of classes, of other files that statements name."""
        key = (file, indices)
        if key not in self._leads:
            self._leads[key] = list(self._named_abroad(file, indices))
        return self._leads[key]

    def _named_abroad(self, file: File, indices: frozenset[int]) -> Iterator[tuple[File, int]]:
        summary = file.summary
        dotted = {
            base
            for index in indices
            for cls in summary.classes_of.get(index, ())
            for base in cls.bases
            if base is not None
        }
        bases = frozenset(dotted)
        words = {w for i in indices for w in summary.statements[i].words if w.isidentifier()}
        dotted.update(words if summary.stars else words & summary.names.keys())
        for name in sorted(dotted):
            found = file.find(name)
            if isinstance(found, Definition) and found.file is not file:
                for other, at in _definition(found):
                    if name in bases or not other.is_keras_statement(at):
                        yield other, at
            elif isinstance(found, Module):
                yield from self._named_in(found, words)

    def _named_in(self, module: Module, words: set[str]) -> Iterator[tuple[File, int]]:
        """The functions of a module, or of modules in it, that have one of the names."""
        level, seen = [module], {module.place}
        for _ in range(_MAX_PACKAGES + 1):
            inner: list[Module] = []
            for each in level:
                for word in sorted(self._bound_in(each, words)):
                    found = self.member(each, word)
                    if isinstance(found, Module) and found.place not in seen:
                        seen.add(found.place)
                        inner.append(found)
                    elif isinstance(found, Definition):
                        for other, at in _definition(found):
                            if not other.is_keras_statement(at):
                                yield other, at
            level = inner

    def _bound_in(self, module: Module, words: set[str]) -> set[str]:
        """Which of the words a module may bind: all where a star import hides what it does."""
        file = self.file(module.place.file) if module.place.file else None
        if file is not None and file.summary.stars:
            return words
        bound = words & file.bound if file is not None else set[str]()
        return bound | (words & self.modules.inside(module.place))

    def users(self, file: File, name: str) -> list[tuple[File, list[int]]]:
        """The other files of the project that make instances of a file's class, and where.

        Files of tests are left out: what they make is there to be tried.
        """
        found: list[tuple[File, list[int]]] = []
        for path in self._calling(file, name):
            other = self.file(path) if path != file.path else None
            if other is None:
                continue
            makers = [
                index
                for local in _local_names(other, name)
                if _is_class(other.find(local), file, name)
                for index in other.makers(local.rpartition(".")[2])
            ]
            if makers:
                found.append((other, makers))
        return found

    def loading(self, file: File) -> list[tuple[File, list[int]]]:
        """The other files of the project that load models, and where; tests are left out."""
        found: list[tuple[File, list[int]]] = []
        for path in self._calling(file, LOADING):
            other = self.file(path) if path != file.path else None
            loads = list(other.makers(LOADING)) if other is not None else []
            if other is not None and loads:
                found.append((other, loads))
        return found

    def _calling(self, file: File, name: str) -> list[str]:
        """The paths of the project's files that seem to call a `name`, without its tests."""
        if not file.path:
            return []
        root = self.modules.root(file.path)
        if root not in self._makers:
            self._makers[root] = self._making(root)
        return self._makers[root].get(name, [])

    def _making(self, root: str) -> dict[str, list[str]]:
        """For each name that looks like a class's and is called, the files that do."""
        found: dict[str, list[str]] = {}
        for path in self.modules.tree(root):
            if not _TEST_FILE.search(path[len(root) :]):
                for made in self._disk.makes(path):
                    found.setdefault(made.decode(), []).append(path)
        return found


def _is_value(found: Found) -> bool:
    """Whether something is assigned, and neither a class nor a function."""
    if not isinstance(found, Definition):
        return False
    summary = found.file.summary
    return found.name not in summary.functions and found.name not in summary.classes_by_name


def _definition(found: Definition) -> Iterator[tuple[File, int]]:
    """The statement of a definition at the top of its file."""
    index = found.file.summary.definitions.get(found.name.partition(".")[0])
    if index is not None:
        yield found.file, index


def _local_names(file: File, name: str) -> Iterator[str]:
    """The dotted expressions by which a file may mean another one's class."""
    yield name
    for local, origin in file.summary.names.items():
        if origin.rpartition(".")[2] == name and local != name:
            yield local
        elif names.canonical(origin).partition(".")[0] not in _FAMILIES:
            yield f"{local}.{name}"


def _is_class(found: Found | None, file: File, name: str) -> bool:
    return isinstance(found, Definition) and (found.file.path, found.name) == (file.path, name)


def _summary(source: Source) -> Summary:
    try:
        return summarise(source)
    except SourceError as error:
        if not isinstance(error.__cause__, SyntaxError):
            raise
        # What this Python's `ast` refuses may be newer syntax, which libcst knows.
        from savelint.keras.newer import summarise_newer

        newer = summarise_newer(source)
        if newer is None:
            raise
        return newer
