"""The visitor: from the summary of a file to the Keras model of it.

It parses only the regions that matter, reads each once, and fills in what they need from
the rest of the file (a helper function, a base class, a module-level constant) on demand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import libcst as cst

from savelint.keras import flow, tables
from savelint.keras.generation import Keras
from savelint.keras.model import AttributeStore, Flow, HeldClass, KerasClass, ModuleModel
from savelint.keras.names import canonical
from savelint.keras.operations import code
from savelint.keras.regions import Region
from savelint.keras.summary import Summary
from savelint.keras.tables import Kind
from savelint.keras.values import (
    Array,
    ClassOutline,
    ClassRef,
    Instance,
    Ref,
    Seq,
    Table,
    Traced,
    Value,
    Variable,
    elements,
    join,
)
from savelint.keras.walk import descendants
from savelint.source import Source, SourceError

# Beyond this many nested nodes libcst's own recursion, or its time, is not safe.
MAX_DEPTH = 400


def visit(
    source: Source,
    summary: Summary,
    statements: Iterable[int],
    keras: Keras,
    scope_words: frozenset[str],
) -> ModuleModel:
    """Read the top-level `statements` (by their index in the summary) into a model.

    `scope_words` are the names of calls that make a function worth reading as a scope:
    those that save, and the file's own Keras classes.
    Raises SourceError when a statement is nested too deeply to be read.
    """
    return _Visitor(source, summary, keras, scope_words).model(sorted(statements))


class _Visitor:
    """Holds what was read of one file so far; the Surroundings of its functions."""

    def __init__(
        self, source: Source, summary: Summary, keras: Keras, scope_words: frozenset[str]
    ) -> None:
        self._source = source
        self._summary = summary
        self._keras = keras
        self._scope_words = scope_words
        self._regions: dict[int, Region] = {}
        self._outlines: dict[int, ClassOutline] = {}
        self._classes_by_name = {cls.name: cls.statement for cls in summary.classes}
        self._attributes: dict[int, Mapping[str, Value]] = {}
        self._values: dict[str, Value] = {}
        self._flows: dict[tuple[int, int], Flow] = {}

    def model(self, statements: list[int]) -> ModuleModel:
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
        return ModuleModel(
            self._source,
            self._keras,
            self._summary,
            tuple(classes),
            tuple(scopes),
            tuple(self._regions.values()),
            held,
        )

    def _held(self, classes: Iterable[KerasClass]) -> Iterable[HeldClass]:
        """The plain classes of which Keras objects make and keep instances."""
        seen: set[int] = set()
        stores = [store for cls in classes for store in cls.stores("__init__", "build")]
        for value in (value for store in stores for value in elements(store.value)):
            if not isinstance(value, Instance) or value.kind is not None:
                continue
            outline = value.outline
            if outline is not None and id(outline.node) not in seen:
                seen.add(id(outline.node))
                methods = _all_methods(outline).items()
                yield HeldClass(outline, {n: self._method_flow(outline, n, m) for n, m in methods})

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
            region = Region(self._source, group[0].first_line, group[-1].last_line)
            self._regions[first] = region
        return region

    def _read_class(
        self, node: cst.ClassDef, classes: list[KerasClass], scopes: list[Flow]
    ) -> None:
        outline = self.outline(node, {})
        if outline.kind is not None:
            flows = {
                name: self._method_flow(outline, name, method)
                for name, method in _all_methods(outline).items()
            }
            decorated = {
                name: flow.decorate(self, method)
                for name, method in _all_methods(outline).items()
                if method.decorators
            }
            traced = {name: value for name, value in decorated.items() if isinstance(value, Traced)}
            classes.append(KerasClass(outline, outline.kind, flows, traced))
        for method in outline.methods.values():
            if outline.kind is None and self._is_scope(method):
                scopes.append(self._method_flow(outline, method.name.value, method))
            for inner in _nested_classes(method):
                self._read_class(inner, classes, scopes)
        for member in node.body.body:
            if isinstance(member, cst.ClassDef):
                self._read_class(member, classes, scopes)

    def _read_function(
        self, node: cst.FunctionDef, classes: list[KerasClass], scopes: list[Flow]
    ) -> None:
        for inner in _nested_classes(node):
            self._read_class(inner, classes, scopes)
        if self._is_scope(node):
            scopes.append(flow.read_function(self, node))

    def _is_scope(self, node: cst.FunctionDef) -> bool:
        return any(
            isinstance(part, cst.Name) and part.value in self._scope_words
            for part in descendants(node.body)
        )

    def _method_flow(self, outline: ClassOutline, name: str, node: cst.FunctionDef) -> Flow:
        key = (id(outline.node), id(node))
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

    def _module_value(self, name: str) -> Value:
        resolved = self._summary.resolve(name)
        if resolved is not None:
            return Ref(resolved)
        definition = self._summary.functions.get(name, self._classes_by_name.get(name))
        if definition is not None:
            return self._definition(name, definition)
        assignments = self._summary.assignments.get(name, ())
        if len(assignments) == 1:  # one assigned more than once has no one value
            return self._assigned(name, assignments[0])
        inner = self._summary.inner_names.get(name)
        return Ref(canonical(inner)) if inner is not None and not assignments else None

    def _definition(self, name: str, index: int) -> Value:
        for node in _definitions(self._region(index).tree.body):
            if node.name.value == name:
                if isinstance(node, cst.ClassDef):
                    return ClassRef(self.outline(node, {}))
                return flow.decorate(self, node)
        return None

    def _assigned(self, name: str, index: int) -> Value:
        result = flow.read_statements(self, self._region(index).tree.body).result
        found = dict(result.items).get(name) if isinstance(result, Table) else None
        if isinstance(found, Array):
            return replace(found, origin="constant")
        # Instances of a script are followed in the order of its statements instead.
        held = any(isinstance(value, (Array, Variable)) for value in elements(found))
        return None if held or isinstance(found, Instance) else found

    def outline(self, node: cst.ClassDef, resolve: Mapping[str, Value]) -> ClassOutline:
        """The outline of a class statement; `resolve` has the names local to its function."""
        known = self._outlines.get(id(node))
        if known is not None:
            return known
        bases: list[str | None] = []
        parents: list[ClassOutline] = []
        kinds: list[Kind | None] = []
        for argument in node.bases:
            base = self._base(code(argument.value), resolve)
            bases.append(base.name if isinstance(base, Ref) else None)
            if isinstance(base, ClassRef) and base.outline.node is not node:
                parents.append(base.outline)
                kinds.append(base.outline.kind)
            elif isinstance(base, Ref):
                kinds.append(tables.base_kind(base.name))
        outline = ClassOutline(
            node.name.value,
            node,
            next((kind for kind in kinds if kind is not None), None),
            tuple(bases),
            tuple(parents),
            {item.name.value: item for item in node.body.body if isinstance(item, cst.FunctionDef)},
            frozenset(_assigned_names(node)),
        )
        self._outlines[id(node)] = outline
        return outline

    def _base(self, dotted: str, resolve: Mapping[str, Value]) -> Value:
        head, dot, rest = dotted.partition(".")
        found = resolve[head] if head in resolve else self.name(head)
        if isinstance(found, Ref):
            return Ref(canonical(found.name + dot + rest))
        return found if not dot else None

    def attribute(self, outline: ClassOutline, name: str) -> Value:
        """What the constructor and `build` store under an attribute of `self`."""
        key = id(outline.node)
        if key not in self._attributes:
            self._attributes[key] = {}  # while the constructor itself is being read
            self._attributes[key] = self._stored(outline)
        return self._attributes[key].get(name)

    def _stored(self, outline: ClassOutline) -> Mapping[str, Value]:
        stored: dict[str, Value] = {}
        for cls in reversed(list(outline.lineage)):
            for method in ("__init__", "build"):
                node = cls.methods.get(method)
                if node is None:
                    continue
                own: dict[str, Value] = {}
                for event in self._method_flow(outline, method, node).all(AttributeStore):
                    if event.owner is outline:
                        _add_store(own, event)
                stored.update(own)
        return stored


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


def _all_methods(outline: ClassOutline) -> dict[str, cst.FunctionDef]:
    """The methods of a class and, where it defines none of that name, of its parents."""
    methods: dict[str, cst.FunctionDef] = {}
    for cls in outline.lineage:
        for name, node in cls.methods.items():
            methods.setdefault(name, node)
    return methods


def _assigned_names(node: cst.ClassDef) -> Iterable[str]:
    """The names that a class body's own statements assign."""
    lines = (line for line in node.body.body if isinstance(line, cst.SimpleStatementLine))
    for statement in (part for line in lines for part in line.body):
        targets: list[cst.BaseExpression] = []
        if isinstance(statement, cst.Assign):
            targets = [target.target for target in statement.targets]
        elif isinstance(statement, cst.AnnAssign) and statement.value is not None:
            targets = [statement.target]
        yield from (target.value for target in targets if isinstance(target, cst.Name))


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
        if isinstance(node, cst.ClassDef):
            yield node
        elif isinstance(node, cst.FunctionDef):
            yield node
            if inside:
                stack.extend(reversed(node.body.body))
        elif isinstance(node, (cst.If, cst.Else, cst.For, cst.While, cst.With, cst.Finally)):
            stack.extend(reversed(node.body.body))
            if isinstance(node, (cst.If, cst.For, cst.While)) and node.orelse is not None:
                stack.append(node.orelse)
        elif isinstance(node, cst.Match):
            for case in reversed(node.cases):
                stack.extend(reversed(case.body.body))
        elif isinstance(node, (cst.Try, cst.TryStar)):
            parts = [node.body, *(h.body for h in node.handlers)]
            parts += [p.body for p in (node.orelse, node.finalbody) if p is not None]
            for part in reversed(parts):
                stack.extend(reversed(part.body))
