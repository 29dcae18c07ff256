"""How a module's own imports spell a canonical name, and the import to add when none does."""

from __future__ import annotations

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple, TypeGuard

from savelint.finding import Edit
from savelint.keras.names import canonical, import_bindings
from savelint.keras.nodes import dotted_name
from savelint.source import Source, Span

_DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (*_DEFINITIONS, *_COMPREHENSIONS, ast.Lambda)
# What everybody calls them.
_ALIASES = {"tensorflow": "tf", "numpy": "np"}
# Blocks under these names do not run when the module is imported.
_GUARDS = ("TYPE_CHECKING", "__name__")
_NEVER = sys.maxsize


class _Binding(NamedTuple):
    """What a name is bound to: a dotted origin, or None for anything else.

    `line` is the last one that it does not serve: the statement's own, or `_NEVER`.
    """

    line: int
    origin: str | None


class _Addition(NamedTuple):
    """An import statement, the name it binds, and to what."""

    statement: str
    name: str
    origin: str


class Importer:
    """Writes canonical names (`keras.initializers.Constant`) as one module can use them.

    It reads module-level imports and aliases of them; a name that anything else at module
    level rebinds is not used. Names that a function shadows are not seen.
    """

    def __init__(self, source: Source, tree: ast.Module) -> None:
        self._source = source
        self._tree = tree
        self._names = _module_names(tree)
        self._imported = {
            local: bindings
            for local, bindings in self._names.items()
            if any(binding.origin is not None for binding in bindings)
        }

    @cached_property
    def _roots(self) -> list[str]:
        # The whole file is searched for them, and every fix asks.
        return _keras_roots(self._tree)

    def use(self, name: str, *, at_line: int | None = None) -> tuple[str, tuple[Edit, ...]] | None:
        """Return the text for canonical `name`, and the edits it needs: none, or an import.

        `at_line` is the 1-based line of the use; only imports above it serve. Without it
        the use is taken to run after the module's import, inside a function.

        None when it cannot be written: `keras.ops` in a file that does not import
        Keras 3's own package, `keras.saving` in one that knows only `tf.keras`.
        """
        name = canonical(name)
        if present := self._present(name, at_line):
            return present, ()
        for addition in self._additions(name):
            text = _spelling(addition.name, addition.origin, name)
            if text and self._is_free(addition):
                return text, (self._insertion(addition.statement, at_line),)
        return None

    def _present(self, name: str, at_line: int | None) -> str | None:
        """Find the shortest spelling by what is already imported above `at_line`.

        Of two Keras packages the one that the file uses most comes first.
        """
        roots = self._roots
        found: list[tuple[int, int, str]] = []
        for local, bindings in self._imported.items():
            if min(binding.line for binding in bindings) >= (at_line or _NEVER):
                continue
            spellings = {_spelling(local, binding.origin, name) for binding in bindings}
            text = spellings.pop() if len(spellings) == 1 else None
            if text is not None:
                rank = _rank(bindings[-1].origin or "", roots)
                found.append((rank, len(text), text))
        return min(found)[2] if found else None

    def _additions(self, name: str) -> Iterator[_Addition]:
        """Yield imports that would do, the one most in the file's style first."""
        head, *inner = name.split(".")
        if head != "keras":
            if alias := _ALIASES.get(head):
                yield _Addition(f"import {head} as {alias}", alias, head)
            yield _Addition(f"import {head}", head, head)
            return
        modules = _from_modules(self._tree)
        for root in self._roots:
            if not _exists(".".join((root, *inner))):
                return  # in the Keras that the file uses most
            if len(inner) > 1 and (parent := ".".join((root, *inner[:-1]))) in modules:
                yield _from_import(parent, inner[-1])
            if inner and any(f"{module}.".startswith(f"{root}.") for module in modules):
                yield _from_import(root, inner[0])
            package, _, last = root.rpartition(".")
            if package:
                yield _from_import(package, last)
            else:
                yield _Addition(f"import {root}", root, root)
            if inner:
                yield _from_import(root, inner[0], f"keras_{inner[0]}")

    def _is_free(self, addition: _Addition) -> bool:
        """Whether the new name means nothing else anywhere in the file."""
        return all(
            origin == addition.origin
            for node in ast.walk(self._tree)
            for name, origin in _bound(node)
            if name == addition.name
        )

    def _insertion(self, statement: str, at_line: int | None) -> Edit:
        """Insert a line after the leading imports, else after the docstring, else on top."""
        newline = self._source.newline
        body = self._tree.body
        last = None
        for index, node in enumerate(body):
            above = at_line is None or (node.end_lineno or 0) < at_line
            if isinstance(node, _DEFINITIONS) or not above:
                break
            if _is_import_block(node) or (index == 0 and ast.get_docstring(self._tree) is not None):
                last = node
        if last is None:
            offset = self._source.line_offset(_first_line(body[0]) if body else 1)
            return Edit(Span(offset, offset), f"{statement}{newline}{newline}")
        offset = self._source.line_offset(_last_line(body, last) + 1)
        blank = "" if _is_import_block(last) else newline
        if self._source.text[offset - 1] in "\r\n":
            text = f"{blank}{statement}{newline}"
        else:
            text = f"{newline}{blank}{statement}"
        return Edit(Span(offset, offset), text)


def _spelling(local: str, origin: str | None, name: str) -> str | None:
    """Write canonical `name` by a local name of that origin; None when it cannot be."""
    if origin is None:
        return None
    known = canonical(origin)
    if known == "tensorflow" and name.partition(".")[0] == "keras":
        rest = f".{name}"
    elif f"{name}.".startswith(f"{known}."):
        rest = name[len(known) :]
    else:
        return None
    return local + rest if not rest or _exists(origin + rest) else None


def _exists(dotted: str) -> bool:
    """Whether an attribute of Keras exists in every generation that the file may run on."""
    inner = canonical(dotted).split(".")[1:2]
    proper = dotted.startswith("keras.") and not dotted.startswith("keras._tf_keras.")
    if inner in (["ops"], ["Variable"]):
        return proper
    # `tf.keras.saving` raises in Keras 3 (facts/call-sites.md, A12).
    return inner != ["saving"] or proper or dotted.startswith("tf_keras.")


def _module_names(tree: ast.Module) -> dict[str, list[_Binding]]:
    """Read what each module-level name is bound to, in the order of the source."""
    names: dict[str, list[_Binding]] = defaultdict(list)
    # (node, whether it is skipped when the module is imported, whether in a handler)
    stack: list[tuple[ast.AST, bool, bool]] = [(tree, False, False)]
    while stack:
        node, guarded, handler = stack.pop()
        handler = handler or isinstance(node, ast.ExceptHandler)
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, dotted = node.targets[0], dotted_name(node.value)
            if handler and isinstance(node.value, ast.Constant) and node.value.value is None:
                continue  # `except ImportError: tf = None`
            if isinstance(target, ast.Name) and dotted:
                head, dot, rest = dotted.partition(".")
                origin = names[head][-1].origin if head in names else None
                line = _NEVER if guarded else node.lineno
                names[target.id].append(_Binding(line, origin and origin + dot + rest))
                continue
        for name, origin in _bound(node):
            names[name].append(_Binding(_NEVER if guarded else getattr(node, "lineno", 0), origin))
        if isinstance(node, _SCOPES):
            continue
        inside = [(child, guarded, handler) for child in ast.iter_child_nodes(node)]
        if _is_guard(node):
            inside = [(child, guarded or child in node.body, handler) for child, *_ in inside]
        stack.extend(reversed(inside))
    return dict(names)


def _bound(node: ast.AST) -> Iterator[tuple[str, str | None]]:
    """Yield the names that a node itself binds, each with its origin if imported."""
    if isinstance(node, ast.Import):
        for name, origin, _ in import_bindings(((a.name, a.asname) for a in node.names), None, 0):
            yield name, origin
    elif isinstance(node, ast.ImportFrom):
        aliases = ((a.name, a.asname) for a in node.names)
        for name, origin, _ in import_bindings(aliases, node.module or "", node.level):
            if name != "*":
                # A project's own `from .compat import keras` may be any Keras.
                yield name, "tensorflow.keras" if origin == "keras" else origin
    elif isinstance(node, _DEFINITIONS):
        yield node.name, None
    elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id, None
    elif isinstance(node, ast.arg):
        yield node.arg, None
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
        yield node.name, None
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest, None


def _is_guard(node: ast.AST) -> TypeGuard[ast.If]:
    """Whether a node is an `if` whose body does not run when the module is imported."""
    return isinstance(node, ast.If) and any(
        (dotted_name(part) or "").rpartition(".")[2] in _GUARDS for part in ast.walk(node.test)
    )


def _is_import_block(node: ast.stmt) -> bool:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return True
    if not isinstance(node, (ast.Try, ast.If)) or _is_guard(node):
        return False
    parts = list(ast.walk(node))
    imports = any(isinstance(part, (ast.Import, ast.ImportFrom)) for part in parts)
    return imports and not any(isinstance(part, _DEFINITIONS) for part in parts)


def _from_import(module: str, name: str, asname: str = "") -> _Addition:
    renamed = f" as {asname}" if asname else ""
    return _Addition(f"from {module} import {name}{renamed}", asname or name, f"{module}.{name}")


def _from_modules(tree: ast.Module) -> set[str]:
    """Gather the modules that names are imported from."""
    return {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and not node.level
    }


def _keras_roots(tree: ast.Module) -> list[str]:
    """List the packages that the file takes Keras from, the most used first."""
    roots: Counter[str] = Counter()
    for node in ast.walk(tree):
        dotted: list[str] = []
        if isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            dotted = [f"{node.module}.{alias.name}" for alias in node.names]
        for origin in dotted:
            head, dot, rest = canonical(origin).partition(".")
            if head == "keras":
                roots[origin.removesuffix(dot + rest)] += 1
    return [root for root, _ in roots.most_common()] or ["tensorflow.keras"]


def _rank(origin: str, roots: list[str]) -> int:
    """The place of an origin's package among those from which the file takes Keras."""
    places = (place for place, root in enumerate(roots) if f"{origin}.".startswith(f"{root}."))
    return next(places, len(roots))


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min((node.lineno, *(item.lineno for item in decorators)))


def _last_line(body: list[ast.stmt], node: ast.stmt) -> int:
    """Find where the line ends on which `node` does, with what follows on it after a `;`."""
    last = node.end_lineno or node.lineno
    for other in body:
        if other.lineno <= last:
            last = max(last, other.end_lineno or other.lineno)
    return last
