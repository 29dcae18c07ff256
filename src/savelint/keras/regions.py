"""Top-level statements read on their own, and where their nodes stand.

libcst's parse is the dearest step, so only the statements that a rule can have something
to say about are read, and those are first drawn from `ast` (see `sketch`). Positions come from
libcst's own code generation, done at most once a region and only when something in it is
reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property

import libcst as cst

# The state that code generation writes to has no public name; libcst's own position
# provider derives from it in the same way.
from libcst._nodes.internal import CodegenState

from savelint.keras import signature
from savelint.keras.sketch import Sketch, SketchError
from savelint.keras.values import Signature, Use
from savelint.keras.walk import (
    Parts,
    assignments,
    code,
    dotted,
    names_read,
    parameter_names,
    parents,
)
from savelint.source import Source, SourceError, Span


class _Spans(CodegenState):
    """Generates code and notes where each node begins and ends."""

    def __init__(self, default_indent: str, default_newline: str) -> None:
        super().__init__(default_indent=default_indent, default_newline=default_newline)
        self.length = 0
        self._starts: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        # Without white space, for the nodes that tell.
        self.exact: dict[int, tuple[int, int]] = {}

    def add_indent_tokens(self) -> None:
        self.tokens.extend(self.indent_tokens)
        self.length += sum(map(len, self.indent_tokens))

    def add_token(self, value: str) -> None:
        self.tokens.append(value)
        self.length += len(value)

    def pop_trailing_newline(self) -> None:
        if self.tokens:
            self.length -= len(self.tokens.pop())

    def before_codegen(self, node: cst.CSTNode) -> None:
        self._starts[id(node)] = self.length

    def after_codegen(self, node: cst.CSTNode) -> None:
        self._ends[id(node)] = self.length

    def record_syntactic_position(  # type: ignore[override]  # libcst's is a generator
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> _Syntactic:
        return _Syntactic(self, node, start_node, end_node)

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """Where a node's code is in all that was generated."""
        key = id(node)
        return self.exact.get(key) or (self._starts[key], self._ends[key])


class _Syntactic(AbstractContextManager[None]):
    """Notes where the code of a node begins and ends, without the white space around it.

    A class, since one is made for most nodes and a generator costs three times as much.
    """

    __slots__ = ("end_node", "node", "start", "start_node", "state")

    def __init__(
        self,
        state: _Spans,
        node: cst.CSTNode,
        start_node: cst.CSTNode | None,
        end_node: cst.CSTNode | None,
    ) -> None:
        self.state = state
        self.node = node
        self.start = state.length
        self.start_node = start_node
        self.end_node = end_node

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        state, first, last = self.state, self.start_node, self.end_node
        # Nodes name the child with which they really begin or end, without white space.
        start = self.start if first is None else state.span(first)[0]
        end = state.length if last is None else state.span(last)[1]
        state.exact[id(self.node)] = (start, end)


_ARITHMETIC = (
    cst.BinaryOperation,
    cst.UnaryOperation,
    cst.Comparison,
    cst.ComparisonTarget,
    cst.Index,
    cst.SubscriptElement,
)


# Asked by type: `isinstance` is dear for what libcst's abstract nodes are not.
_SCOPES = frozenset({cst.FunctionDef, cst.Lambda, cst.ClassDef})
_BRANCHES = frozenset(
    {
        *(cst.If, cst.IfExp, cst.BooleanOperation, cst.Match, cst.Try, cst.TryStar),
        *(cst.For, cst.While, cst.ListComp, cst.SetComp, cst.GeneratorExp, cst.DictComp, cst.With),
    }
)


def _is_bare(node: cst.CSTNode) -> bool:
    """Whether a node is an expression of whose code everything is its own."""
    if not isinstance(node, cst.BaseExpression) or isinstance(node, cst.StarredElement):
        return False
    return not node.lpar


def _definitions(body: Sequence[cst.CSTNode]) -> Iterator[cst.CSTNode]:
    for node in body:
        if isinstance(node, (cst.ClassDef, cst.FunctionDef)):
            yield from (node, node.body)
            yield from _definitions(node.body.body)


def _asks_identity(node: cst.Comparison) -> bool:
    return all(isinstance(c.operator, (cst.Is, cst.IsNot)) for c in node.comparisons)


def _called_name(node: cst.CSTNode | None) -> str:
    """The source of what is called, when that is a dotted name."""
    return dotted(node.func) if isinstance(node, cst.Call) else ""


class PlaceError(Exception):
    """A node's place was asked for in a region that is only drawn."""


class Region:
    """A run of whole lines of a source, read on its own: parsed, or if `drawn`, a sketch of it.

    Raises SourceError from `tree` when libcst refuses what `ast` accepted.
    """

    def __init__(
        self, source: Source, first_line: int, last_line: int, *, drawn: bool = False
    ) -> None:
        self.source = source
        self.first_line = first_line
        self.last_line = last_line
        self._drawn = drawn
        self._reads: dict[int, dict[str, list[cst.Attribute]]] = {}
        self._signatures: dict[int, Signature] = {}
        self._codes: dict[int, str] = {}

    @cached_property
    def span(self) -> Span:
        """The region in the source."""
        return Span(
            self.source.line_offset(self.first_line), self.source.line_offset(self.last_line + 1)
        )

    @property
    def text(self) -> str:
        """The region's source."""
        return self.source.text[self.span.start : self.span.end]

    @cached_property
    def _sketch(self) -> Sketch | None:
        if not self._drawn:
            return None
        try:
            return Sketch(self.text)
        except (SyntaxError, SketchError):
            return None

    @cached_property
    def tree(self) -> cst.Module:
        """The region as a module of its own."""
        if self._sketch is not None:
            return self._sketch.tree
        try:
            # A form feed is nothing to Python's own tokenizer, and an error to libcst's.
            return cst.parse_module(self.text.replace("\f", ""))
        except cst.ParserSyntaxError as error:
            raise SourceError(
                f"libcst cannot parse this: {error.message}", self.first_line + error.raw_line - 1
            ) from error

    @property
    def members(self) -> Iterator[int]:
        """The identities of the region's nodes, without white space and punctuation."""
        yield id(self.tree)
        yield from self._parents

    def holds(self, node: cst.CSTNode) -> bool:
        """Whether a node is one of the region's."""
        return node is self.tree or id(node) in self._parents

    @cached_property
    def definitions(self) -> frozenset[int]:
        """The identities of its classes and functions, as far as no other block is around them.

        Those of their bodies, too: what is asked of the region of another file is nearly
        always one of these.
        """
        return frozenset(map(id, _definitions(self.tree.body)))

    def let_go(self) -> None:
        """Forget where nodes are, which takes as much memory as they do: it can be made again."""
        for name in ("_parents", "_generated", "_aligned"):
            self.__dict__.pop(name, None)

    def span_of(self, node: cst.CSTNode) -> Span:
        """Where a node of this region stands in the source, without surrounding space.

        Raises PlaceError if the region is only drawn.
        """
        if self._sketch is not None:
            raise PlaceError
        start, end = self._generated.span(node)
        return Span(
            self._offsets(start),
            self._offsets(end - 1) + 1 if end > start else self._offsets(start),
        )

    def text_of(self, node: cst.CSTNode) -> str:
        """The source of a node, without surrounding space and its own parentheses.

        If the region is only drawn, code that means the same.
        """
        if self._sketch is not None:
            enclosed = len(node.lpar) if isinstance(node, cst.BaseExpression) else 0
            text = code(node)
            return text[enclosed : len(text) - enclosed]
        # Without the places of all nodes, where a short expression's own code is the same.
        if "_generated" not in self.__dict__ and _is_bare(node):
            text = code(node)
            if "\n" not in text and "\r" not in text:
                return text
        span = self.span_of(node)
        return self.source.text[span.start : span.end]

    def code_of(self, node: cst.CSTNode) -> str:
        """A statement or a block as libcst writes it: the source but for some white space."""
        if id(node) not in self._codes:
            reader = self._sketch.code_of if self._sketch is not None else self.tree.code_for_node
            self._codes[id(node)] = reader(node)
        return self._codes[id(node)]

    def count_name(self, node: cst.CSTNode, name: str) -> int:
        """How often a plain name occurs inside a node."""
        return sum(part.value == name for part in Parts(node).of(cst.Name))

    def names_read(self, node: cst.CSTNode) -> frozenset[str]:
        """The plain names that an expression or a definition reads."""
        return frozenset(names_read(node))

    def function_of(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """The innermost `def` around a node."""
        parent = self._parents.get(id(node))
        while parent is not None:
            if isinstance(parent, cst.FunctionDef) and parent.body is node:
                return parent
            node, parent = parent, self._parents.get(id(parent))
        return None

    def assigned(
        self, name: str, function: cst.FunctionDef | None = None
    ) -> list[cst.BaseExpression]:
        """What a function, or the region's own statements, assign to a plain name."""
        nodes: Sequence[cst.CSTNode] = self.tree.body if function is None else [function.body]
        loose = (n for n in nodes if not isinstance(n, (cst.FunctionDef, cst.ClassDef)))
        return [value for node in loose for value in assignments(node, name)]

    def parameters_of(self, function: cst.FunctionDef) -> list[str]:
        """The names of a function's parameters."""
        return list(parameter_names(function.params))

    @cached_property
    def _parents(self) -> dict[int, cst.CSTNode]:
        return parents(self.tree)

    def use_of(self, node: cst.CSTNode) -> Use:
        """What becomes of the value of an expression of this region."""
        direct = True
        while True:
            parent = self._parents[id(node)]
            if isinstance(parent, cst.Subscript) and parent.value is node:
                pass
            elif isinstance(parent, cst.Comparison) and _asks_identity(parent):
                return Use("tested", node=parent, direct=direct)
            elif not isinstance(parent, _ARITHMETIC):
                break
            node, direct = parent, False
            if isinstance(node, (cst.ComparisonTarget, cst.Index, cst.SubscriptElement)):
                # The value is compared, or is an index: nothing of it goes on.
                return Use("operand", node=self._parents[id(node)], direct=False)
        return replace(self._final_use(node, parent), direct=direct)

    def branches_of(self, node: cst.CSTNode) -> list[tuple[cst.CSTNode, cst.CSTNode]]:
        """The branches, loops and `with` blocks of its function around a node, innermost first.

        Each with the part of it in which the node stands.
        """
        found: list[tuple[cst.CSTNode, cst.CSTNode]] = []
        parent = self._parents.get(id(node))
        while parent is not None and type(parent) not in _SCOPES:
            if type(parent) in _BRANCHES:
                found.append((parent, node))
            node, parent = parent, self._parents.get(id(parent))
        return found

    def reads_of(self, function: cst.FunctionDef, attribute: str) -> list[cst.Attribute]:
        """Where a method, with what is defined in it, reads an attribute of its object."""
        if id(function) not in self._reads:
            self._reads[id(function)] = self._reads_in(function)
        return self._reads[id(function)].get(attribute, [])

    def _reads_in(self, function: cst.FunctionDef) -> dict[str, list[cst.Attribute]]:
        """Where a method reads which attribute of its object."""
        parameters = (*function.params.posonly_params, *function.params.params)
        owner = parameters[0].name.value if parameters else ""
        found: dict[str, list[cst.Attribute]] = {}
        for node in Parts(function.body).of(cst.Attribute):
            held = isinstance(node.value, cst.Name) and node.value.value == owner
            if held and not self._is_target(node):
                found.setdefault(node.attr.value, []).append(node)
        return found

    def signature_of(self, function: cst.FunctionDef | cst.Lambda) -> Signature:
        """What a function of this region takes."""
        if id(function) not in self._signatures:
            self._signatures[id(function)] = signature.signature(function)
        return self._signatures[id(function)]

    def _is_target(self, node: cst.CSTNode) -> bool:
        """Whether something is assigned to an expression, or to an item of it."""
        parent = self._parents[id(node)]
        while isinstance(parent, (cst.Subscript, cst.Tuple, cst.List, cst.Element)):
            if isinstance(parent, cst.Subscript) and parent.value is not node:
                return False
            node, parent = parent, self._parents[id(parent)]
        if isinstance(parent, (cst.AnnAssign, cst.AugAssign)):
            return parent.target is node
        return isinstance(parent, (cst.AssignTarget, cst.Del))

    def _final_use(self, node: cst.CSTNode, parent: cst.CSTNode) -> Use:
        around = self._parents.get(id(parent))
        if isinstance(parent, cst.Attribute):
            called = around if isinstance(around, cst.Call) and around.func is parent else None
            return Use("member", parent.attr.value, parent, called)
        if isinstance(parent, cst.Call):
            return Use("called", node=parent)
        if isinstance(parent, cst.Arg):
            role = "iterated" if parent.star else "argument"
            return Use(role, _called_name(around), around)
        if isinstance(parent, cst.Element):
            outer = self._parents[id(around)] if around is not None else None
            call = self._parents.get(id(outer)) if isinstance(outer, cst.Arg) else None
            return Use("listed", _called_name(call), call)
        if isinstance(parent, (cst.For, cst.CompFor)):
            return Use("iterated", node=parent)
        if isinstance(parent, cst.DictElement):
            return Use("entry", node=parent)
        if isinstance(parent, (cst.Assign, cst.AnnAssign, cst.NamedExpr)):
            targets = parent.targets if isinstance(parent, cst.Assign) else ()
            keyed = any(isinstance(target.target, cst.Subscript) for target in targets)
            return Use("entry" if keyed else "stored", node=parent)
        if isinstance(parent, cst.Return):
            return Use("returned", node=parent)
        return Use("operand" if isinstance(parent, cst.Expr) else "other", node=parent)

    @cached_property
    def _generated(self) -> _Spans:
        state = _Spans(self.tree.default_indent, self.tree.default_newline)
        self.tree._codegen(state)
        return state

    def _offsets(self, offset: int) -> int:
        """Offset in the source of an offset in the generated code."""
        if self._aligned is None:
            return self.span.start + offset
        return self.span.start + self._aligned[offset]

    @cached_property
    def _aligned(self) -> list[int] | None:
        """For each generated character its offset in the region; None when they agree.

        libcst's generated code differs from its input in white space only (form feeds,
        lone carriage returns, blank lines before a comment), so the n-th visible
        character of one is the n-th of the other.
        """
        code = "".join(self._generated.tokens)
        if code == self.text:
            return None
        visible = [at for at, char in enumerate(self.text) if not char.isspace()]
        aligned: list[int] = []
        seen = 0
        for char in code:
            if char.isspace():
                aligned.append(visible[seen - 1] + 1 if seen else 0)
            else:
                aligned.append(visible[seen])
                seen += 1
        aligned.append(len(self.text))
        return aligned
