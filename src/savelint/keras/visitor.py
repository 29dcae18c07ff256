"""The visitor: from the summary of a file to the Keras model of it.

It parses only the regions that matter, reads each once, and fills in what they need from
the rest of the file (a helper function, a base class, a module-level constant) and from the
other files of its project on demand.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

import libcst as cst

from savelint.keras import (
    LEGACY_FLAG,
    clues,
    external,
    flow,
    legacy,
    registration,
    removals,
    saving,
)
from savelint.keras.events import AttributeStore, Flow, SaveCall
from savelint.keras.generation import Keras
from savelint.keras.handing import only_hands_on
from savelint.keras.model import HeldClass, KerasClass, LegacyFlag, ModuleModel, RemovedUse
from savelint.keras.names import canonical
from savelint.keras.project import Definition, External, File, Found, Module, Project
from savelint.keras.regions import Region
from savelint.keras.summary import ClassSummary, Summary
from savelint.keras.tables import MODEL_WORDS, SAVING, Kind
from savelint.keras.values import (
    Array,
    ClassOutline,
    ClassRef,
    Const,
    Function,
    Imported,
    Instance,
    ModuleRef,
    Ref,
    Seq,
    Surroundings,
    Table,
    Text,
    Traced,
    Value,
    Variable,
    as_model,
    elements,
    is_none,
    join,
)
from savelint.keras.walk import Parts, code, descendants
from savelint.source import SourceError

# Beyond this many nested nodes libcst's own recursion, or its time, is not safe.
MAX_DEPTH = 400
# Beyond this many a statement is not drawn: the sketch takes more of Python's stack.
_MAX_DRAWN = 100
# Files whose visitors are kept while the next file is read; beyond, all are let go.
_MAX_VISITORS = 400
# What every class inherits that is neither Keras' nor the project's.
_PLAIN_BASES = frozenset({"object", "abc.ABC", "typing.Generic", "typing.Protocol", "Generic"})

Noted = TypeVar("Noted")


def visit(
    file: File,
    statements: Iterable[int],
    keras: Keras,
    scope_words: frozenset[str],
    library: Library | None = None,
) -> ModuleModel:
    """Read the top-level `statements` (by their index in the summary) into a model.

    `scope_words` are the names of calls that make a function worth reading as a scope:
    those that save, and the file's own Keras classes. `library` keeps what was read of
    other files from one file to the next.
    Raises SourceError when a statement is nested too deeply to be read.
    """
    visitor = (library or Library(file.project)).open(file)
    return visitor.model(sorted(statements), keras, scope_words)


class Library:
    """The visitors of a project's files: what each has read serves all that lead to it.

    Of a library that is `drawn`, no node has a place.
    """

    def __init__(self, project: Project, *, drawn: bool = False) -> None:
        self.project = project
        self.drawn = drawn
        self._visitors: dict[str, _Visitor] = {}
        # The paths of the files to which another one led.
        self._led: set[str] = set()
        self.homes: dict[ClassOutline, _Visitor] = {}

    def open(self, file: File) -> _Visitor:
        """The visitor of a file that is checked, whatever text others have seen of it."""
        known = self._visitors.get(file.path)
        if known is not None and known.file is file and file.path:
            return known
        if known is not None or len(self._visitors) > _MAX_VISITORS:
            # What others hold of its classes must be of this text.
            self._visitors.clear()
            self.homes.clear()
        self._visitors[file.path] = _Visitor(file, self)
        return self._visitors[file.path]

    def close(self, file: File) -> None:
        """Let go of what was read of a file that was checked, if only its own check needs it."""
        visitor = self._visitors[file.path]
        for region in visitor.regions:
            region.let_go()
        if file.path not in self._led:
            del self._visitors[file.path]
            for outline in visitor.outlines:
                self.homes.pop(outline, None)

    def visitor(self, file: File) -> _Visitor:
        """The visitor of a file that another one leads to."""
        self._led.add(file.path)
        if file.path not in self._visitors:
            self._visitors[file.path] = _Visitor(file, self)
        return self._visitors[file.path]

    def value(self, found: Found | None) -> Value:
        """The value of what a name means in the project."""
        if isinstance(found, External):
            return Ref(found.name)
        if isinstance(found, Module):
            return ModuleRef(found.place)
        if found is None:
            return None
        visitor = self.visitor(found.file)
        if "." in found.name:
            return visitor.nested_class(found.name)
        if found.name in found.file.summary.functions:
            return Imported(found.name, visitor)
        return _exported(visitor.name(found.name))

    def region(self, node: cst.CSTNode) -> Region | None:
        """The region, of whatever file, that holds a node."""
        regions = [region for visitor in self._visitors.values() for region in visitor.regions]
        for region in regions:
            if id(node) in region.definitions:
                return region
        return next((region for region in regions if region.holds(node)), None)


def _exported(value: Value) -> Value:
    """A module-level value as other files see it; arrays and objects are not followed there."""
    if isinstance(value, Seq):
        return replace(value, items=tuple(map(_exported, value.items)))
    if isinstance(value, Table):
        items = tuple((key, _exported(item)) for key, item in value.items)
        return replace(value, items=items, keys=tuple(map(_exported, value.keys)))
    known = (Const, Text, Ref, ClassRef, ModuleRef, Imported)
    return value if isinstance(value, known) else None


class _Visitor:
    """Holds what was read of one file so far; the Surroundings of its functions."""

    def __init__(self, file: File, library: Library) -> None:
        self.file = file
        self._library = library
        self._source = file.source
        self._summary = file.summary
        self._scope_words: frozenset[str] = frozenset()
        self._regions: dict[int, Region] = {}
        self._outlines: dict[int, ClassOutline] = {}
        # The outlines of the classes that other files can name, by qualified name.
        self._outer: dict[str, ClassOutline] = {}
        self._outlining: set[str] = set()
        self._outer_classes: dict[str, ClassSummary | None] = {}
        self._makers: dict[str, bool] = {}
        self._stored_by: dict[int, frozenset[str]] = {}
        self._classes_by_name = {cls.name: cls.statement for cls in file.summary.classes}
        self._attributes: dict[tuple[ClassOutline, ClassOutline], Mapping[str, Value]] = {}
        self._values: dict[str, Value] = {}
        # What statements bind to names, the objects included that `_values` leaves out.
        self._bound: dict[str, Value] = {}
        self._bodies: dict[ClassOutline, Mapping[object, Value]] = {}
        self._flows: dict[tuple[ClassOutline, int], Flow] = {}
        self._later: dict[tuple[ClassOutline, str], Value] = {}
        self._models: dict[ClassOutline, KerasClass] = {}

    def model(
        self, statements: list[int], keras: Keras, scope_words: frozenset[str]
    ) -> ModuleModel:
        """The model of the file, of the given statements and what they lead to."""
        self._scope_words = scope_words
        classes: list[KerasClass] = []
        scopes: list[Flow] = []
        loose: list[cst.BaseStatement] = []
        for index in sorted({self._summary.group(index)[0] for index in statements}):
            for node in self._region(index).tree.body:
                if isinstance(node, cst.ClassDef):
                    self._read_class(node, classes, scopes)
                elif isinstance(node, cst.FunctionDef):
                    self._read_function(node, classes, scopes)
                else:
                    for inner in _nested_classes(node):
                        self._read_class(inner, classes, scopes)
                    loose.append(node)
        held = tuple(self._held(classes))
        if loose:
            scopes.append(flow.read_statements(self, loose))
        gone = tuple(self._removed())
        flags = tuple(self._legacy_flags())
        return ModuleModel(
            self.file,
            keras,
            tuple(classes),
            tuple(scopes),
            tuple(self.regions),
            _Elsewhere(self._library, self.file),
            held,
            tuple(self._served(scopes)),
            tuple(self._in_words(registration.REGISTER, statements, registration.registrations)),
            tuple(self._in_words(registration.SAVING, statements, registration.references)),
            gone,
            flags,
        )

    def _in_words(
        self,
        word: str,
        statements: Iterable[int],
        found: Callable[[Summary, cst.CSTNode], Iterator[Noted]],
    ) -> Iterator[Noted]:
        """What is found in those of the statements that use a word."""
        every = self._summary.statements
        groups = {self._summary.group(i)[0] for i in statements if word in every[i].words}
        for index in sorted(groups):
            yield from found(self._summary, self._region(index).tree)

    @property
    def regions(self) -> Collection[Region]:
        """What was parsed so far."""
        return self._regions.values()

    @property
    def outlines(self) -> Iterator[ClassOutline]:
        """The classes of the file that were met so far."""
        yield from self._outlines.values()
        yield from self._outer.values()

    def _removed(self) -> Iterable[RemovedUse]:
        """What the file uses of names that are gone."""
        marked = self._statements_with(clues.REMOVED)
        return removals.uses(self._source.text, self._summary, marked) if marked else ()

    def _legacy_flags(self) -> Iterable[LegacyFlag]:
        """Where the file asks for Keras 2: the order of all its statements decides."""
        if not self._statements_with(clues.LEGACY_FLAG):
            return ()
        package = self.file.package()
        if package is not None and LEGACY_FLAG in package.source.text:
            return ()
        return legacy.flags(self._source.text, self._summary, self._statements_with())

    def _statements_with(self, mark: str = "") -> list[cst.CSTNode]:
        """The top-level statements that have a mark, or all of them; none nested too deeply."""
        every = enumerate(self._summary.statements)
        wanted = {index for index, statement in every if not mark or mark in statement.words}
        wanted -= {index for index in wanted if self._depth(index) > MAX_DEPTH}
        groups = sorted({self._summary.group(index)[0] for index in wanted})
        return [node for index in groups for node in self._region(index).tree.body]

    def _served(self, scopes: Iterable[Flow]) -> Iterable[tuple[Function, Flow]]:
        """The functions of the file that are saved as signatures."""
        for save in (save for scope in scopes for save in scope.all(SaveCall)):
            for value in saving.signatures(save):
                function = value.function if isinstance(value, Traced) else value
                if isinstance(function, Function):
                    yield function, flow.read_served(self, function)

    def _held(self, classes: Iterable[KerasClass]) -> Iterable[HeldClass]:
        """The plain classes of which Keras objects make and keep instances."""
        seen: set[int] = set()
        stores = [store for cls in classes for store in cls.stores("__init__", "build")]
        for value in (value for store in stores for value in elements(store.value)):
            if not isinstance(value, Instance) or value.kind is not None:
                continue
            outline = value.outline
            if outline is not None and id(outline) not in seen and outline.path == self.file.path:
                seen.add(id(outline))
                methods = self._all_methods(outline).items()
                yield HeldClass(outline, {n: self.method_flow(outline, n, m) for n, m in methods})

    def _depth(self, index: int) -> int:
        """How deeply a statement, or one that shares a line with it, is nested."""
        first, last = self._summary.group(index)
        return max(item.depth for item in self._summary.statements[first : last + 1])

    def _region(self, index: int) -> Region:
        """The region of a statement, with those that share a line with it."""
        first, last = self._summary.group(index)
        region = self._regions.get(first)
        if region is None:
            group = self._summary.statements[first : last + 1]
            statement = max(group, key=lambda item: item.depth)
            if statement.depth > MAX_DEPTH:
                raise SourceError(
                    f"nested {statement.depth} levels deep, more than the {MAX_DEPTH} that can"
                    " be analysed; split the expression",
                    statement.first_line,
                )
            drawn = self._library.drawn and statement.depth <= _MAX_DRAWN
            region = Region(self._source, group[0].first_line, group[-1].last_line, drawn=drawn)
            self._regions[first] = region
        return region

    def _read_class(
        self, node: cst.ClassDef, classes: list[KerasClass], scopes: list[Flow]
    ) -> None:
        outline = self.outline(node, {})
        if outline.kind is not None:
            classes.append(self.keras_class(outline))
        for method in outline.methods.values():
            if outline.kind is None and self._is_scope(method):
                scopes.append(self.method_flow(outline, method.name.value, method))
            for inner in _nested_classes(method):
                self._read_class(inner, classes, scopes)
        for member in node.body.body:
            if isinstance(member, cst.ClassDef):
                self._read_class(member, classes, scopes)

    def keras_class(self, outline: ClassOutline) -> KerasClass:
        """What the methods of a Keras class of the file do."""
        if outline not in self._models:
            methods = self._all_methods(outline)
            flows = {name: self.method_flow(outline, name, node) for name, node in methods.items()}
            decorated = {
                name: flow.decorate(self, node) for name, node in methods.items() if node.decorators
            }
            traced = {name: value for name, value in decorated.items() if isinstance(value, Traced)}
            kind = outline.kind or Kind.OTHER
            self._models[outline] = KerasClass(outline, kind, flows, traced)
        return self._models[outline]

    def _all_methods(self, outline: ClassOutline) -> dict[str, cst.FunctionDef]:
        """The methods of a class and, where it defines none of that name, of its parents.

        Those of parents in other files are left out: they are checked there.
        """
        methods: dict[str, cst.FunctionDef] = {}
        for cls in outline.lineage:
            if cls.path == self.file.path:
                for name, node in cls.methods.items():
                    methods.setdefault(name, node)
        return methods

    def _read_function(
        self, node: cst.FunctionDef, classes: list[KerasClass], scopes: list[Flow]
    ) -> None:
        for inner in _nested_classes(node):
            self._read_class(inner, classes, scopes)
        if self._is_scope(node):
            scopes.append(flow.read_function(self, node))

    def _is_scope(self, node: cst.FunctionDef) -> bool:
        return any(
            type(part) is cst.Name and part.value in self._scope_words
            for part in descendants(node.body)
        )

    def method_flow(self, outline: ClassOutline, name: str, node: cst.FunctionDef) -> Flow:
        """What a method that stands in this file does for an object of a class."""
        key = (outline, id(node))
        if key not in self._flows:
            self._flows[key] = flow.read_method(self, outline, name, node)
        return self._flows[key]

    # -- the surroundings of a function ---------------------------------------------

    def name(self, name: str) -> Value:
        """The value of a module-level name."""
        if name not in self._values:
            self._values[name] = None  # a name that is being read refers to itself
            self._values[name] = self._module_value(name)
        return self._values[name]

    def outer(self, name: str) -> Value:
        """What the module's own statement makes and binds to a name, objects included."""
        self.name(name)
        return self._bound.get(name)

    def class_member(self, outline: ClassOutline, name: str) -> Value:
        """What the body of a class of this file binds to a name, objects included."""
        for cls in outline.lineage:
            if cls.path != self.file.path or not self.holds(cls, name):
                continue
            if cls not in self._bodies:
                self._bodies[cls] = {}
                definitions = (cst.FunctionDef, cst.ClassDef)
                body = [node for node in cls.node.body.body if not isinstance(node, definitions)]
                result = flow.read_statements(self, body).result
                self._bodies[cls] = dict(result.items) if isinstance(result, Table) else {}
            if name in self._bodies[cls]:
                return self._bodies[cls][name]
        return None

    def _module_value(self, name: str) -> Value:
        found = self.file.find(name)
        if not isinstance(found, Definition) or found.file is not self.file:
            return self._library.value(found)
        definition = self._summary.functions.get(name, self._classes_by_name.get(name))
        if definition is not None:
            return self._definition(name, definition)
        assignments = self._summary.assignments.get(name, ())
        # One that is assigned more than once has no one value.
        return self._assigned(name, assignments[0]) if len(assignments) == 1 else None

    def imported(self, origin: str) -> Value:
        """The value of what an import statement takes from its dotted origin."""
        return self._library.value(self.file.project.follow(self.file, origin))

    def member(self, module: ModuleRef, name: str) -> Value:
        """The value of a member of a module of the project."""
        return self._library.value(self.file.project.member(Module(module.place), name))

    def _definition(self, name: str, index: int) -> Value:
        outer = self._outer_class(name)
        if outer is not None and name not in self._summary.functions:
            if name in self._outlining:
                return None  # it derives from itself
            return ClassRef(self._outlined(outer))
        for node in _definitions(self._region(index).tree.body):
            if node.name.value == name:
                if isinstance(node, cst.ClassDef):
                    return ClassRef(self.outline(node, {}))
                return flow.decorate(self, node)
        return None

    def _assigned(self, name: str, index: int) -> Value:
        result = flow.read_statements(self, self._region(index).tree.body).result
        found = dict(result.items).get(name) if isinstance(result, Table) else None
        self._bound[name] = found
        if isinstance(found, Array):
            return replace(found, origin="constant")
        # Instances of a script are followed in the order of its statements instead.
        held = any(isinstance(value, (Array, Variable)) for value in elements(found))
        return None if held or isinstance(found, Instance) else found

    def outline(self, node: cst.ClassDef, resolve: Mapping[str, Value]) -> ClassOutline:
        """The outline of a class statement; `resolve` has the names local to its function."""
        name = node.name.value
        if id(node) not in self._outlines:
            outer = self._outer_class(name)
            if outer is not None and node in _definitions(self._region(outer.statement).tree.body):
                self._outlines[id(node)] = self._outlined(outer)
            else:
                bases = [_base_text(argument.value) for argument in node.bases]
                methods = (n for n in node.body.body if isinstance(n, cst.FunctionDef))
                names = frozenset(method.name.value for method in methods)
                made = self._outline(name, bases, names, resolve, lambda: node)
                self._outlines[id(node)] = made
        return self._outlines[id(node)]

    def nested_class(self, qualname: str) -> Value:
        """A class inside another one, by its qualified name."""
        found = list(self.file.classes_at_top(qualname))
        return ClassRef(self._outlined(found[0])) if len(found) == 1 else None

    def _outer_class(self, name: str) -> ClassSummary | None:
        """The one class of a name that stands in no function and no other class."""
        if name not in self._outer_classes:
            every = self._summary.classes_by_name.get(name, ())
            found = [cls for cls in every if cls.qualname == name]
            self._outer_classes[name] = found[0] if len(found) == 1 else None
        return self._outer_classes[name]

    def _outlined(self, cls: ClassSummary) -> ClassOutline:
        """The outline of a class that other files can name, without parsing it."""
        if cls.qualname not in self._outer:
            self._outlining.add(cls.name)
            bases = [base or "" for base in cls.bases]
            made = self._outline(cls.name, bases, cls.methods, {}, partial(self._class_node, cls))
            self._outlining.discard(cls.name)
            self._outer[cls.qualname] = made
        return self._outer[cls.qualname]

    def _class_node(self, cls: ClassSummary) -> cst.ClassDef:
        nodes = _definitions(self._region(cls.statement).tree.body)
        for name in cls.qualname.split("."):
            classes = (node for node in nodes if isinstance(node, cst.ClassDef))
            found = next(node for node in classes if node.name.value == name)
            nodes = _definitions(found.body.body)
        return found

    def _outline(
        self,
        name: str,
        written: Iterable[str],
        methods: frozenset[str],
        resolve: Mapping[str, Value],
        load: Callable[[], cst.ClassDef],
    ) -> ClassOutline:
        bases: list[str | None] = []
        parents: list[ClassOutline] = []
        kinds: list[Kind | None] = []
        is_whole = True
        for text in written:
            base = self._base(text, resolve)
            bases.append(base.name if isinstance(base, Ref) else None)
            if isinstance(base, ClassRef):
                parents.append(base.outline)
                kinds.append(base.outline.kind)
                is_whole = is_whole and base.outline.is_whole
            elif isinstance(base, Ref):
                kinds.append(external.kind(base.name))
                own = base.name.startswith("keras.") or base.name == "tensorflow.Module"
                is_whole = is_whole and (own or base.name in _PLAIN_BASES)
            else:
                is_whole = is_whole and text in _PLAIN_BASES
        kind = next((kind for kind in kinds if kind is not None), None)
        outline = ClassOutline(
            name, kind, tuple(bases), tuple(parents), methods, self.file.path, is_whole, load
        )
        self._library.homes[outline] = self
        return outline

    def _base(self, dotted: str, resolve: Mapping[str, Value]) -> Value:
        head, *rest = dotted.split(".")
        if rest and head not in resolve:
            return self._library.value(self.file.find(dotted))
        found = resolve[head] if head in resolve else self.name(head)
        for part in rest:
            found = Ref(canonical(f"{found.name}.{part}")) if isinstance(found, Ref) else None
        return found

    def attribute(self, outline: ClassOutline, name: str) -> Value:
        """What the constructor and `build` store under an attribute of `self`."""
        home = self._home(outline)
        if home is not self:
            return home.attribute(outline, name)
        value: Value = None
        for cls in outline.lineage:
            if self._home(cls).holds(cls, name):
                stored = self._stored(outline, cls)
                if name in stored:
                    value = stored[name]
                    if not is_none(value):
                        return value
                    break
        # `self.model = None` in the constructor, or nothing.
        if outline.kind is None or not outline.kind.is_layer:
            return self._stored_later(outline, name) or value
        return value

    def _stored_later(self, outline: ClassOutline, name: str) -> Value:
        """The model that other methods than the constructor store under an attribute.

        None unless all that they store is known to be one, but for None.
        """
        if (outline, name) not in self._later:
            self._later[outline, name] = None  # while these methods are being read
            stored: dict[str, Value] = {}
            for cls in outline.lineage:
                home = self._home(cls)
                for method, node in cls.methods.items() if home.holds(cls, name) else ():
                    if method != "__init__" and name in home.stored_by(node):
                        # Read apart: what is known of the attribute now is not all.
                        found = flow.read_method(home, outline, method, node)
                        for event in found.all(AttributeStore):
                            same = event.owner is outline and event.name == name
                            if same and not is_none(event.value):
                                _add_store(stored, replace(event, value=as_model(event.value)))
            self._later[outline, name] = stored.get(name)
        return self._later[outline, name]

    def stored_by(self, method: cst.FunctionDef) -> frozenset[str]:
        """The attributes that a method of this file may assign to, of whatever object."""
        if id(method) not in self._stored_by:
            self._stored_by[id(method)] = frozenset(_assigned_attributes(method))
        return self._stored_by[id(method)]

    def holds(self, outline: ClassOutline, name: str) -> bool:
        """Whether a class of this file may give an attribute its value: a word of it says so."""
        outer = self._outer_class(outline.name)
        return outer is None or name in self._summary.statements[outer.statement].words

    def method(self, outline: ClassOutline, name: str) -> tuple[Function, Surroundings] | None:
        """The method of a class, its own or inherited, and what it sees around itself."""
        definer = outline.definer(name)
        if definer is None:
            return None
        return Function(definer.methods[name]), self._home(definer)

    def may_make_model(self, name: str) -> bool:
        """Whether a function of this file may return a Keras model, as far as words tell."""
        if name not in self._makers:
            index = self._summary.functions.get(name)
            reached = self.file.reach(index) if index is not None else ()
            words = MODEL_WORDS | self.file.kinds.keys()
            statements = self._summary.statements
            self._makers[name] = any(not words.isdisjoint(statements[i].words) for i in reached)
        return self._makers[name]

    def _home(self, outline: ClassOutline) -> _Visitor:
        """The visitor of the file in which a class stands."""
        return self._library.homes.get(outline, self)

    def _stored(self, outline: ClassOutline, cls: ClassOutline) -> Mapping[str, Value]:
        """What the methods of one class of an object's lineage store on it."""
        key = outline, cls
        if key not in self._attributes:
            self._attributes[key] = {}  # while the constructor itself is being read
            stored: dict[str, Value] = {}
            for method in ("__init__", "build"):
                if method not in cls.method_names:
                    continue
                own: dict[str, Value] = {}
                found = self._home(cls).method_flow(outline, method, cls.methods[method])
                for event in found.all(AttributeStore):
                    if event.owner is outline:
                        _add_store(own, event)
                stored.update(own)
            self._attributes[key] = stored
        return self._attributes[key]


class _Elsewhere:
    """What the other files of the project say about a file's classes."""

    def __init__(self, library: Library, file: File) -> None:
        self._library = library
        self._file = file
        # Rules ask for the same few nodes again and again.
        self._regions: dict[int, Region] = {}

    def region(self, node: cst.CSTNode) -> Region | None:
        """The region of another file that holds a node."""
        known = self._regions.get(id(node))
        if known is None and (known := self._library.region(node)) is not None:
            self._regions[id(node)] = known
        return known

    def class_of(self, outline: ClassOutline) -> KerasClass | None:
        """The Keras class of another file."""
        home = self._library.homes.get(outline)
        known = home is not None and outline.kind is not None
        return home.keras_class(outline) if home is not None and known else None

    def makers(self, cls: KerasClass) -> Iterator[bool]:
        """For each statement of other files that makes instances, whether it is a Keras class."""
        for file, indices in self._file.project.users(self._file, cls.name):
            yield from map(file.is_keras_statement, indices)

    def only_hands_on(self, cls: KerasClass) -> bool:
        """Whether other files make instances, each as a value for other code."""
        texts = [
            file.statement_text(index)
            for file, indices in self._file.project.users(self._file, cls.name)
            for index in indices
        ]
        return bool(texts) and all(only_hands_on(text, cls.name) for text in texts)

    def scopes(self, cls: KerasClass) -> Iterator[Flow]:
        """The functions and scripts of other files that make instances and may save them."""
        for file, makers in self._file.project.users(self._file, cls.name):
            statements = file.summary.statements
            loose = {i for i, statement in enumerate(statements) if not statement.definition}
            together = loose if not loose.isdisjoint(makers) else set()
            wanted = {i for i in {*makers, *together} if statements[i].called & SAVING}
            if wanted & together:
                wanted = wanted.union(*(file.reach(i) for i in together))
            if wanted:
                yield from self._scopes_in(file, wanted)

    def loads(self) -> Iterator[Flow]:
        """The functions and scripts of other files that load models."""
        for file, indices in self._file.project.loading(self._file):
            yield from self._scopes_in(file, indices)

    def _scopes_in(self, file: File, statements: Iterable[int]) -> Iterator[Flow]:
        words = SAVING | self._file.kinds.keys()
        visitor = self._library.visitor(file)
        yield from visitor.model(sorted(statements), Keras.V3, words).scopes


def _add_store(stored: dict[str, Value], event: AttributeStore) -> None:
    """Add one assignment to what is known of the attributes."""
    name = event.name
    if event.how == "append":
        before = stored.get(name)
        items = before.items if isinstance(before, Seq) else ()
        stored[name] = Seq((*items, event.value), complete=False)
    elif event.how == "assign":
        stored[name] = join(stored[name], event.value) if name in stored else event.value
    else:
        stored[name] = None


def _assigned_attributes(method: cst.FunctionDef) -> Iterator[str]:
    parts = Parts(method.body)
    targets = [each.target for each in parts.of(cst.AssignTarget)]
    targets += [each.target for each in parts.of(cst.AnnAssign)]
    for target in targets:
        yield from (attribute.attr.value for attribute in Parts(target).of(cst.Attribute))


def _base_text(node: cst.BaseExpression) -> str:
    """A base as dotted text; of a generic one, `Base[T]`, without what it is given."""
    return code(node.value if isinstance(node, cst.Subscript) else node)


def _nested_classes(node: cst.CSTNode) -> Iterable[cst.ClassDef]:
    """The classes inside a statement, outermost only."""
    return (found for found in _definitions([node], inside=True) if isinstance(found, cst.ClassDef))


def _definitions(
    nodes: Iterable[cst.CSTNode], *, inside: bool = False
) -> Iterable[cst.ClassDef | cst.FunctionDef]:
    """The definitions among statements and in their branches.

    With `inside` also those in functions, but never those in a class.
    """
    stack = list(reversed(list(nodes)))
    while stack:
        node = stack.pop()
        if isinstance(node, cst.SimpleStatementLine):
            pass  # most are, and none of the following
        elif isinstance(node, cst.ClassDef):
            yield node
        elif isinstance(node, cst.FunctionDef):
            yield node
            if inside:
                stack.extend(reversed(node.body.body))
        elif isinstance(node, (cst.If, cst.Else, cst.For, cst.While, cst.With, cst.Finally)):
            if isinstance(node, (cst.If, cst.For, cst.While)) and node.orelse is not None:
                stack.append(node.orelse)
            stack.extend(reversed(node.body.body))
        elif isinstance(node, cst.Match):
            for case in reversed(node.cases):
                stack.extend(reversed(case.body.body))
        elif isinstance(node, (cst.Try, cst.TryStar)):
            parts = [node.body, *(h.body for h in node.handlers)]
            parts += [p.body for p in (node.orelse, node.finalbody) if p is not None]
            for part in reversed(parts):
                stack.extend(reversed(part.body))
