"""Top-level statements parsed by libcst on their own, and where their nodes stand.

libcst's parse is the dearest step, so only the statements that a rule can have something
to say about are parsed. Positions come from libcst's own code generation, done at most
once a region and only when something in it is reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import libcst as cst

# The state that code generation writes to has no public name; libcst's own position
# provider derives from it in the same way.
from libcst._nodes.internal import CodegenState

from savelint.keras.walk import descendants
from savelint.source import Source, SourceError, Span


class _Spans(CodegenState):
    """Generates code and notes where each node begins and ends."""

    def __init__(self, default_indent: str, default_newline: str) -> None:
        super().__init__(default_indent=default_indent, default_newline=default_newline)
        self.length = 0
        self.spans: dict[int, Span] = {}

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
        self.spans[id(node)] = Span(self.length, -1)

    def after_codegen(self, node: cst.CSTNode) -> None:
        span = self.spans[id(node)]
        if span.end < 0:
            self.spans[id(node)] = Span(span.start, self.length)

    @contextmanager
    def record_syntactic_position(
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> Iterator[None]:
        start = self.length
        yield
        # Nodes name the child with which they really begin or end, without white space.
        if start_node is not None:
            start = self.spans[id(start_node)].start
        end = self.length if end_node is None else self.spans[id(end_node)].end
        self.spans[id(node)] = Span(start, end)


class Region:
    """A run of whole lines of a source, parsed on its own.

    Raises SourceError from `tree` when libcst refuses what `ast` accepted.
    """

    def __init__(self, source: Source, first_line: int, last_line: int) -> None:
        self.source = source
        self.first_line = first_line
        self.last_line = last_line

    @cached_property
    def span(self) -> Span:
        """The region in the source."""
        return Span(
            self.source.line_offset(self.first_line), self.source.line_offset(self.last_line + 1)
        )

    @cached_property
    def text(self) -> str:
        """The region's source."""
        return self.source.text[self.span.start : self.span.end]

    @cached_property
    def tree(self) -> cst.Module:
        """The region as a module of its own."""
        try:
            return cst.parse_module(self.text)
        except cst.ParserSyntaxError as error:
            raise SourceError(
                f"libcst cannot parse this: {error.message}", self.first_line + error.raw_line - 1
            ) from error

    @cached_property
    def members(self) -> frozenset[int]:
        """The identities of the region's nodes, without white space and punctuation."""
        return frozenset(id(node) for node in descendants(self.tree))

    def span_of(self, node: cst.CSTNode) -> Span:
        """Where a node of this region stands in the source, without surrounding space."""
        start, end = self._spans[id(node)]
        return Span(
            self._offsets(start),
            self._offsets(end - 1) + 1 if end > start else self._offsets(start),
        )

    def count_name(self, node: cst.CSTNode, name: str) -> int:
        """How often a plain name occurs inside a node."""
        return sum(isinstance(part, cst.Name) and part.value == name for part in descendants(node))

    def function_of(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """The innermost `def` around a node."""
        found = None
        for function in descendants(self.tree):
            if isinstance(function, cst.FunctionDef) and any(
                part is node for part in descendants(function.body)
            ):
                found = function
        return found

    @cached_property
    def _generated(self) -> tuple[str, dict[int, Span]]:
        state = _Spans(self.tree.default_indent, self.tree.default_newline)
        self.tree._codegen(state)
        return "".join(state.tokens), state.spans

    @property
    def _spans(self) -> dict[int, Span]:
        return self._generated[1]

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
        code = self._generated[0]
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
