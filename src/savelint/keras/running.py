"""What of a module runs when it is imported, what later, and what perhaps not at all.

Here the names of libraries are read as they are written: `tf.keras.X` and `keras.X`, which
are one name everywhere else, are two things where one of them may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from enum import IntEnum

import libcst as cst

from savelint.frozen import frozen
from savelint.keras.flow import bindings
from savelint.keras.summary import Summary
from savelint.keras.walk import children, code, descendants

_EXITS = (cst.Return, cst.Raise, cst.Break, cst.Continue)
# Context managers that swallow or expect an exception, and decorators that skip a test.
_TOLERANT = re.compile(r"suppress|raises|skip|xfail|fails", re.IGNORECASE)
_MAIN = re.compile(r"__name__\s*==")


class Guard(IntEnum):
    """What stands between a node and its being run; the highest of several counts."""

    NONE = 0
    TRIED = 1  # in a `try` that handles exceptions
    ASKED = 2  # under a condition, in a handler, or behind a way out


@frozen
class Spot:
    """A node, and when it runs: at import, or when one of the functions around it is called.

    `names` are those that the functions around bind, with their origin if they import them.
    """

    node: cst.CSTNode
    guard: Guard = Guard.NONE
    inside: tuple[cst.FunctionDef | cst.Lambda, ...] = ()
    names: Mapping[str, str | None] | None = None
    store: bool = False

    def resolve(self, summary: Summary) -> str | None:
        """The origin of a dotted name, as the import has it; None when it is no import's."""
        dotted = dotted_name(self.node)
        head, dot, rest = (dotted or "").partition(".")
        if self.names is not None and head in self.names:
            origin = self.names[head]
        elif head in summary.assignments or head not in summary.names:
            origin = None
        else:
            origin = summary.reexported.get(head, summary.names[head])
        return origin and origin + dot + rest


def spots(nodes: Iterable[cst.CSTNode]) -> Iterator[Spot]:
    """The imports, calls, assignments and dotted names of statements, in the order they run.

    Of a dotted name only the whole is given; annotations, which need not be evaluated, are
    left out.
    """
    yield from _block(nodes, Spot(cst.Pass()))


def dotted_name(node: cst.CSTNode) -> str | None:
    """`a.b.c` as text, or None for anything but names and attributes."""
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if not isinstance(node, cst.Name):
        return None
    return ".".join(reversed([*parts, node.value]))


def origins(node: cst.Import | cst.ImportFrom) -> Iterator[tuple[cst.ImportAlias, str]]:
    """Each name that an import statement takes, with its dotted origin; not those of a star."""
    if isinstance(node.names, cst.ImportStar):
        return
    module = imported_module(node) if isinstance(node, cst.ImportFrom) else ""
    separator = "." if module.strip(".") else ""
    for alias in node.names:
        yield alias, module + separator + code(alias.name)


def imported_module(node: cst.ImportFrom) -> str:
    """The module of `from module import ...`, with its leading dots."""
    return "." * len(node.relative) + (code(node.module) if node.module is not None else "")


def _block(nodes: Iterable[cst.CSTNode], at: Spot) -> Iterator[Spot]:
    """Statements one after the other; what stands behind a way out may not be reached."""
    for node in nodes:
        yield from _walk(node, at)
        if isinstance(node, cst.If) and any(isinstance(n, _EXITS) for n in descendants(node.body)):
            at = replace(at, guard=Guard.ASKED)


def _walk(node: cst.CSTNode, at: Spot) -> Iterator[Spot]:
    if isinstance(node, cst.Annotation):
        return
    dotted = isinstance(node, cst.Attribute) and dotted_name(node) is not None
    if dotted or isinstance(node, (cst.Import, cst.ImportFrom)):
        yield replace(at, node=node)
    elif isinstance(node, (cst.FunctionDef, cst.Lambda)):
        yield from _function(node, at)
    elif isinstance(node, cst.ClassDef):
        yield from _definition(node, node.decorators, node.body.body, at)
    elif isinstance(node, (cst.If, cst.IfExp, cst.While, cst.Match, cst.BooleanOperation)):
        yield from _condition(node, at)
    elif isinstance(node, (cst.Try, cst.TryStar)):
        yield from _try(node, at)
    elif isinstance(node, cst.With):
        tolerant = any(_TOLERANT.search(code(item)) for item in node.items)
        for item in node.items:
            yield from _walk(item, at)
        yield from _block(node.body.body, _under(at, Guard.ASKED) if tolerant else at)
    elif isinstance(node, (cst.AssignTarget, cst.Del)):
        target = node.target
        yield from (replace(s, store=s.node is target) for s in _walk(target, at))
    elif isinstance(node, (cst.IndentedBlock, cst.SimpleStatementLine, cst.SimpleStatementSuite)):
        yield from _block(node.body, at)
    else:
        parts = list(children(node))
        if isinstance(node, cst.Assign):
            parts.reverse()  # the value comes first
        for part in parts:
            yield from _walk(part, at)
        if isinstance(node, (cst.Assign, cst.Call)):
            yield replace(at, node=node)


def _under(at: Spot, guard: Guard) -> Spot:
    return replace(at, guard=max(at.guard, guard))


def _condition(node: cst.CSTNode, at: Spot) -> Iterator[Spot]:
    """The condition itself runs; what it decides about may not."""
    decided = _under(at, Guard.ASKED)
    if isinstance(node, cst.If) and _MAIN.search(code(node.test)):
        yield from _block(node.body.body, at)
        return
    first = getattr(node, "test", None) or getattr(node, "subject", None)
    first = first or getattr(node, "left", None)
    for part in children(node):
        yield from _walk(part, at if part is first else decided)


def _try(node: cst.Try | cst.TryStar, at: Spot) -> Iterator[Spot]:
    tried = _under(at, Guard.TRIED) if node.handlers else at
    yield from _block(node.body.body, tried)
    for handler in node.handlers:
        yield from _walk(handler, _under(at, Guard.ASKED))
    if node.orelse is not None:
        yield from _block(node.orelse.body.body, tried)
    if node.finalbody is not None:
        yield from _block(node.finalbody.body.body, at)


def _function(node: cst.FunctionDef | cst.Lambda, at: Spot) -> Iterator[Spot]:
    bound: dict[str, str | None] = {**(at.names or {}), **bound_names(node)}
    inner = replace(at, inside=(*at.inside, node), names=bound)
    parameters = node.params
    every = (*parameters.posonly_params, *parameters.params, *parameters.kwonly_params)
    for parameter in every:
        if parameter.default is not None:
            yield from _walk(parameter.default, at)
    if isinstance(node, cst.Lambda):
        yield from _walk(node.body, inner)
    else:
        yield from _definition(node, node.decorators, node.body.body, at, inner)


def _definition(
    node: cst.FunctionDef | cst.ClassDef,
    decorators: Iterable[cst.Decorator],
    body: Iterable[cst.CSTNode],
    at: Spot,
    inner: Spot | None = None,
) -> Iterator[Spot]:
    skipped = any(_TOLERANT.search(code(decorator)) for decorator in decorators)
    for decorator in decorators:
        yield from _walk(decorator, at)
    if isinstance(node, cst.ClassDef):
        for base in (*node.bases, *node.keywords):
            yield from _walk(base, at)
    inner = inner or at
    yield from _block(body, _under(inner, Guard.ASKED) if skipped else inner)


def bound_names(node: cst.FunctionDef | cst.Lambda) -> dict[str, str | None]:
    """The names that a function binds, with their origin where it imports them."""
    found: dict[str, str | None] = {}
    for part in descendants(node):
        if isinstance(part, cst.Param):
            found[part.name.value] = None
        elif isinstance(part, (cst.Import, cst.ImportFrom)):
            found.update((bound.local, bound.written) for bound in bindings(part))
        elif isinstance(
            part, (cst.AssignTarget, cst.AnnAssign, cst.For, cst.CompFor, cst.NamedExpr)
        ):
            found.update(dict.fromkeys(_targets(part.target)))
        elif isinstance(part, cst.AsName):
            found.update(dict.fromkeys(_targets(part.name)))
    return found


def _targets(node: cst.CSTNode) -> Iterator[str]:
    """The plain names in the target of an assignment."""
    if isinstance(node, cst.Name):
        yield node.value
    elif isinstance(node, (cst.Tuple, cst.List)):
        for element in node.elements:
            yield from _targets(element.value)
