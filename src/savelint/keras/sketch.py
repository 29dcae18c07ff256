"""Statements drawn from `ast`: libcst's own nodes, without the layout of the source.

Most of what is read holds no finding, and to know that takes no comma and no comment. `ast`
reads at a tenth of the price of libcst's parse, so regions are drawn from it first. The nodes
are libcst's, with all fields that carry meaning and the exact text of names, numbers and
strings; white space is as libcst writes it by default, parentheses are those that the source
has around operands. Code generated from the nodes means what the source means, but is not the
source, and they stand nowhere: what is reported is read again from libcst's parse.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import libcst as cst

from savelint.keras import makers as make
from savelint.keras.makers import Maker, Node

_LINE_END = re.compile(rb"\r\n?|\n")
# From the last part of a definition's header to behind its colon.
_TO_COLON = re.compile(rb"(?:[^#:]|#[^\r\n]*)*:")
_COMMENT = re.compile(rb"#[^\r\n]*")
_SPACE = r"(?:\s|\\(?:\r\n?|\n)|[#][^\r\n]*)*"
# One of the strings of which a literal is made, and the space behind it.
_PIECE = re.compile(
    rf"""(([bBfFrRuU]*)
    (?:\"\"\"[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*\"\"\"
    |'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''
    |"[^"\\]*(?:\\.[^"\\]*)*"
    |'[^'\\]*(?:\\.[^'\\]*)*')
    ){_SPACE}""",
    re.DOTALL | re.VERBOSE,
)


class SketchError(Exception):
    """A statement for which there is no sketch: libcst must parse it."""


class Sketch:
    """The nodes of whole top-level statements.

    Raises SyntaxError when Python cannot parse the text, SketchError when a statement is of a kind
    that has no sketch.
    """

    def __init__(self, text: str) -> None:
        drawing = _Drawing(text)
        self.tree = cst.Module(drawing.statements(ast.parse(text).body))
        self._data = drawing.data
        self._extents = drawing.extents

    def code_of(self, node: cst.CSTNode) -> str:
        """The source of a definition or of its body; of any other node code that means the same.

        With the comments that are indented as it is: above a definition, and behind a body.
        """
        if id(node) not in self._extents:
            return self.tree.code_for_node(node)
        start, end = self._extents[id(node)]
        return self._data[start:end].decode()


class _Drawing:
    """Draws the nodes of one text."""

    def __init__(self, text: str) -> None:
        self.data = text.encode()
        # From where to where the code of a definition and of its body goes.
        self.extents: dict[int, tuple[int, int]] = {}
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(self.data))]

    def _start(self, node: Node) -> int:
        return self._starts[int(node.lineno) - 1] + int(node.col_offset)

    def _end(self, node: Node) -> int:
        return self._starts[int(node.end_lineno) - 1] + int(node.end_col_offset)

    def _text(self, node: ast.expr) -> str:
        return self.data[self._start(node) : self._end(node)].decode()

    # Statements

    def statements(self, body: Sequence[ast.stmt]) -> tuple[Node, ...]:
        """Statements with their lines: small ones that share a line are one."""
        found: list[Node] = []
        line: list[Node] = []
        last = 0
        for node in body:
            small = _SMALL.get(type(node))
            if line and (small is None or node.lineno != last):
                found.append(make.SimpleStatementLine(tuple(line)))
                line = []
            if small is not None:
                line.append(small(self, node))
                last = node.end_lineno or 0
            else:
                found.append(self._compound(node))
        if line:
            found.append(make.SimpleStatementLine(tuple(line)))
        return tuple(found)

    def _compound(self, node: ast.stmt) -> Node:
        draw = _LARGE.get(type(node))
        if draw is None:
            raise SketchError(type(node).__name__)
        return draw(self, node)

    def _block(self, body: Sequence[ast.stmt]) -> Node:
        """A block of its own lines, or what stands behind the colon."""
        first = body[0]
        at = self._starts[first.lineno - 1]
        small = _SMALL.get(type(first))
        if small is None or not self.data[at : at + first.col_offset].strip():
            return make.IndentedBlock(self.statements(body))
        return make.SimpleStatementSuite(tuple(_SMALL[type(node)](self, node) for node in body))

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Node:
        if getattr(node, "type_params", None):
            raise SketchError("type parameters")
        body = self._block(node.body)
        parameters = node.args
        made = make.FunctionDef(
            make.Name(node.name),
            self._parameters(parameters),
            body,
            tuple(map(self._decorator, node.decorator_list)),
            None if node.returns is None else make.Annotation(self._expression(node.returns)),
            make.Asynchronous() if isinstance(node, ast.AsyncFunctionDef) else None,
        )
        every = (*parameters.posonlyargs, *parameters.args, *parameters.kwonlyargs)
        stars = (parameters.vararg, parameters.kwarg)
        values = (*parameters.defaults, *parameters.kw_defaults, node.returns)
        self._note(node, made, (part for part in (*every, *stars, *values) if part is not None))
        return made

    def _class(self, node: ast.ClassDef) -> Node:
        if getattr(node, "type_params", None):
            raise SketchError("type parameters")
        arguments = [self._argument(base) for base in node.bases]
        arguments += map(self._keyword, node.keywords)
        made = make.ClassDef(
            make.Name(node.name),
            self._block(node.body),
            tuple(each for each in arguments if each.keyword is None and each.star != "**"),
            tuple(each for each in arguments if each.keyword is not None or each.star == "**"),
            tuple(map(self._decorator, node.decorator_list)),
        )
        self._note(node, made, (*node.bases, *(keyword.value for keyword in node.keywords)))
        return made

    def _note(self, node: Node, made: Node, header: Any) -> None:
        """Note where a definition and its body are, with the comments that are theirs."""
        first = min([node.lineno, *(item.lineno for item in node.decorator_list)]) - 1
        last = end = node.end_lineno
        while first and (found := self._comment(first - 1)) is not None:
            if found > node.col_offset:
                break  # it is the last of the block above
            first -= 1
        inner = node.body[0].col_offset if isinstance(made.body, cst.IndentedBlock) else None
        while inner is not None and (found := self._comment(last)) is not None:
            last += 1
            if found >= inner:
                end = last
        stop = self._starts[end] if end < len(self._starts) else len(self.data)
        begin = max([self._start(node), *map(self._end, header)])
        colon = _TO_COLON.match(self.data, begin)
        assert colon is not None  # a definition has one
        self.extents[id(made)] = (self._starts[first], stop)
        self.extents[id(made.body)] = (colon.end(), stop)

    def _comment(self, line: int) -> int | None:
        """How far a line's comment is indented: 0 for a blank line, None for any other."""
        if line + 1 >= len(self._starts):
            return None
        text = self.data[self._starts[line] : self._starts[line + 1]].strip()
        if not text:
            return 0
        found = self.data.index(text, self._starts[line]) - self._starts[line]
        return found if text.startswith(b"#") else None

    def _decorator(self, node: ast.expr) -> Node:
        return make.Decorator(self._expression(node))

    def _parameters(self, node: ast.arguments) -> Node:
        plain = [*node.posonlyargs, *node.args]
        defaults: list[ast.expr | None] = [None] * (len(plain) - len(node.defaults))
        drawn = tuple(map(self._parameter, plain, [*defaults, *node.defaults]))
        star: Node = cst.MaybeSentinel.DEFAULT
        if node.vararg is not None:
            star = self._parameter(node.vararg, None, "*")
        elif node.kwonlyargs:
            star = make.ParamStar()
        count = len(node.posonlyargs)
        return make.Parameters(
            drawn[count:],
            star,
            tuple(map(self._parameter, node.kwonlyargs, node.kw_defaults)),
            None if node.kwarg is None else self._parameter(node.kwarg, None, "**"),
            drawn[:count],
            make.ParamSlash() if count else cst.MaybeSentinel.DEFAULT,
        )

    def _parameter(self, node: ast.arg, default: ast.expr | None, star: str = "") -> Node:
        annotation = node.annotation
        return make.Param(
            make.Name(node.arg),
            None if annotation is None else make.Annotation(self._expression(annotation)),
            self._optional(default),
            star,
        )

    def _if(self, node: ast.If) -> Node:
        return make.If(self._expression(node.test), self._block(node.body), self._otherwise(node))

    def _otherwise(self, node: Node) -> Node:
        """What an `if` or a loop goes on with."""
        if not node.orelse:
            return None
        only = node.orelse[0]
        if isinstance(node, ast.If) and isinstance(only, ast.If) and len(node.orelse) == 1:
            at = self._start(only)
            if self.data[at : at + 4] == b"elif":
                return self._if(only)
        return make.Else(self._block(node.orelse))

    def _for(self, node: ast.For | ast.AsyncFor) -> Node:
        return make.For(
            self._expression(node.target),
            self._expression(node.iter),
            self._block(node.body),
            self._otherwise(node),
            make.Asynchronous() if isinstance(node, ast.AsyncFor) else None,
        )

    def _while(self, node: ast.While) -> Node:
        return make.While(
            self._expression(node.test), self._block(node.body), self._otherwise(node)
        )

    def _with(self, node: ast.With | ast.AsyncWith) -> Node:
        items = tuple(
            make.WithItem(
                self._expression(item.context_expr),
                None
                if item.optional_vars is None
                else make.AsName(self._expression(item.optional_vars)),
            )
            for item in node.items
        )
        is_async = isinstance(node, ast.AsyncWith)
        return make.With(items, self._block(node.body), make.Asynchronous() if is_async else None)

    def _try(self, node: ast.Try | ast.TryStar) -> Node:
        is_plain = isinstance(node, ast.Try)
        whole, handler = (
            (make.Try, make.ExceptHandler) if is_plain else (make.TryStar, make.ExceptStarHandler)
        )
        return whole(
            self._block(node.body),
            tuple(
                handler(
                    self._block(each.body),
                    self._optional(each.type),
                    None if each.name is None else make.AsName(make.Name(each.name)),
                )
                for each in node.handlers
            ),
            make.Else(self._block(node.orelse)) if node.orelse else None,
            make.Finally(self._block(node.finalbody)) if node.finalbody else None,
        )

    def _expression_statement(self, node: ast.Expr) -> Node:
        return make.Expr(self._expression(node.value))

    def _assign(self, node: ast.Assign) -> Node:
        targets = tuple(make.AssignTarget(self._expression(target)) for target in node.targets)
        return make.Assign(targets, self._expression(node.value))

    def _annotated(self, node: ast.AnnAssign) -> Node:
        annotation = make.Annotation(self._expression(node.annotation))
        return make.AnnAssign(self._expression(node.target), annotation, self._optional(node.value))

    def _augmented(self, node: ast.AugAssign) -> Node:
        operator = _BINARY[type(node.op)][1]()
        return make.AugAssign(self._expression(node.target), operator, self._expression(node.value))

    def _return(self, node: ast.Return) -> Node:
        return make.Return(self._optional(node.value))

    def _delete(self, node: ast.Delete) -> Node:
        if len(node.targets) == 1:
            return make.Del(self._expression(node.targets[0]))
        elements = tuple(make.Element(self._expression(target)) for target in node.targets)
        return make.Del(make.Tuple(elements, (), ()))

    def _raise(self, node: ast.Raise) -> Node:
        cause = None if node.cause is None else make.From(self._expression(node.cause))
        return make.Raise(self._optional(node.exc), cause)

    def _assert(self, node: ast.Assert) -> Node:
        return make.Assert(self._expression(node.test), self._optional(node.msg))

    def _import(self, node: ast.Import) -> Node:
        return make.Import(tuple(map(_alias, node.names)))

    def _import_from(self, node: ast.ImportFrom) -> Node:
        return make.ImportFrom(
            None if node.module is None else _dotted(node.module),
            cst.ImportStar() if node.names[0].name == "*" else tuple(map(_alias, node.names)),
            tuple(cst.Dot() for _ in range(node.level)),
        )

    def _names(self, node: ast.Global | ast.Nonlocal) -> tuple[Node, ...]:
        return tuple(make.NameItem(make.Name(name)) for name in node.names)

    # Expressions

    def _expression(self, node: ast.expr) -> Node:
        draw = _EXPRESSIONS.get(type(node))
        if draw is None:
            raise SketchError(type(node).__name__)
        return draw(self, node)

    def _optional(self, node: ast.expr | None) -> Node:
        return None if node is None else self._expression(node)

    def _operand(self, node: ast.expr, *, bare: bool) -> Node:
        """A part of an expression, in parentheses unless it is `bare`."""
        drawn = self._expression(node)
        if not bare and not drawn.lpar:
            _enclose(drawn, _OPEN, _CLOSED)
        return drawn

    def _first(self, node: ast.expr, whole: ast.expr) -> Node:
        """The part with which an expression begins."""
        is_bare = node.col_offset == whole.col_offset and node.lineno == whole.lineno
        return self._operand(node, bare=is_bare)

    def _last(self, node: ast.expr, whole: ast.expr) -> Node:
        """The part with which an expression ends."""
        ends = (node.end_col_offset, node.end_lineno)
        return self._operand(node, bare=ends == (whole.end_col_offset, whole.end_lineno))

    def _middle(self, node: ast.expr) -> Node:
        """A part within an expression."""
        at = self._start(node) - 1
        is_loose = isinstance(node, _LOOSE) or self.data[at : at + 1] == b"("
        return self._operand(node, bare=not is_loose)

    def _named(self, node: ast.Name) -> Node:
        return make.Name(node.id)

    def _attribute(self, node: ast.Attribute) -> Node:
        return make.Attribute(self._first(node.value, node), make.Name(node.attr))

    def _constant(self, node: ast.Constant) -> Node:
        value = node.value
        if isinstance(value, (str, bytes)):
            return self._string(node)
        if value is Ellipsis:
            return make.Ellipsis()
        if value is None or isinstance(value, bool):
            return make.Name(str(value))
        return _NUMBERS[type(value)](self._text(node))

    def _string(self, node: ast.Constant | ast.JoinedStr) -> Node:
        """A string, or several side by side."""
        text = self._text(node)
        pieces: list[Node] = []
        at = 0
        while at < len(text):
            found = _PIECE.match(text, at)
            if found is None:
                raise SketchError("a string")
            pieces.append(_piece(found[1], found[2]))
            at = found.end()
        drawn = pieces.pop()
        while pieces:
            drawn = make.ConcatenatedString(pieces.pop(), drawn)
        return drawn

    def _call(self, node: ast.Call) -> Node:
        parts: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
        if node.keywords and node.args and isinstance(node.args[-1], ast.Starred):
            # A starred argument may stand behind those with keywords.
            parts.sort(key=lambda part: (part.lineno, part.col_offset))
        arguments = tuple(
            self._keyword(part) if isinstance(part, ast.keyword) else self._argument(part, node)
            for part in parts
        )
        return make.Call(self._first(node.func, node), arguments)

    def _argument(self, node: ast.expr, call: ast.Call | None = None) -> Node:
        if isinstance(node, ast.Starred):
            return make.Arg(self._expression(node.value), None, "*")
        drawn = self._expression(node)
        is_generator = isinstance(node, ast.GeneratorExp)
        if is_generator and call is not None and self._end(node) == self._end(call):
            # Its parentheses are those of the call.
            _enclose(drawn, (), ())
        return make.Arg(drawn, None, "")

    def _keyword(self, node: ast.keyword) -> Node:
        value = self._expression(node.value)
        if node.arg is None:
            return make.Arg(value, None, "**")
        return make.Arg(value, make.Name(node.arg), "")

    def _subscript(self, node: ast.Subscript) -> Node:
        index = node.slice
        value = self._first(node.value, node)
        if not isinstance(index, ast.Tuple) or self._is_enclosed(index):
            return make.Subscript(value, (make.SubscriptElement(self._index(index)),))
        parts = tuple(make.SubscriptElement(self._index(part)) for part in index.elts)
        if len(parts) == 1:
            object.__setattr__(parts[0], "comma", cst.Comma())
        return make.Subscript(value, parts)

    def _index(self, node: ast.expr) -> Node:
        """What stands between two commas of a subscript."""
        if isinstance(node, ast.Slice):
            return make.Slice(*map(self._optional, (node.lower, node.upper, node.step)))
        if isinstance(node, ast.Starred):
            return make.Index(self._expression(node.value), "*")
        return make.Index(self._expression(node), None)

    def _is_enclosed(self, node: ast.Tuple) -> bool:
        """Whether a tuple has parentheses, not only its first part and its last."""
        start, end = self._start(node), self._end(node)
        if self.data[start : start + 1] != b"(":
            return False
        if not node.elts:
            return True
        stop = self._start(node.elts[1]) if len(node.elts) > 1 else end
        before = _COMMENT.sub(b"", self.data[start : self._start(node.elts[0])])
        behind = _COMMENT.sub(b"", self.data[self._end(node.elts[0]) : stop])
        return before.count(b"(") > behind.partition(b",")[0].count(b")")

    def _binary(self, node: ast.BinOp) -> Node:
        operator = _BINARY[type(node.op)][0]()
        return make.BinaryOperation(
            self._first(node.left, node), operator, self._last(node.right, node)
        )

    def _unary(self, node: ast.UnaryOp) -> Node:
        return make.UnaryOperation(_OPERATORS[type(node.op)](), self._last(node.operand, node))

    def _boolean(self, node: ast.BoolOp) -> Node:
        operator = _OPERATORS[type(node.op)]
        first, *middle = node.values
        drawn = self._first(first, node)
        last = middle.pop()
        for value in middle:
            drawn = make.BooleanOperation(drawn, operator(), self._middle(value))
        return make.BooleanOperation(drawn, operator(), self._last(last, node))

    def _comparison(self, node: ast.Compare) -> Node:
        *middle, last = node.comparators
        values = [*map(self._middle, middle), self._last(last, node)]
        targets = (
            make.ComparisonTarget(_OPERATORS[type(operator)](), value)
            for operator, value in zip(node.ops, values, strict=True)
        )
        return make.Comparison(self._first(node.left, node), tuple(targets))

    def _lambda(self, node: ast.Lambda) -> Node:
        return make.Lambda(self._parameters(node.args), self._expression(node.body))

    def _conditional(self, node: ast.IfExp) -> Node:
        return make.IfExp(
            self._middle(node.test), self._first(node.body, node), self._last(node.orelse, node)
        )

    def _dictionary(self, node: ast.Dict) -> Node:
        return make.Dict(
            tuple(
                make.StarredDictElement(self._middle(value))
                if key is None
                else make.DictElement(self._expression(key), self._expression(value))
                for key, value in zip(node.keys, node.values, strict=True)
            )
        )

    def _elements(self, nodes: Sequence[ast.expr]) -> tuple[Node, ...]:
        return tuple(
            make.StarredElement(self._middle(node.value))
            if isinstance(node, ast.Starred)
            else make.Element(self._expression(node))
            for node in nodes
        )

    def _list(self, node: ast.List) -> Node:
        return make.List(self._elements(node.elts))

    def _set(self, node: ast.Set) -> Node:
        return make.Set(self._elements(node.elts))

    def _tuple(self, node: ast.Tuple) -> Node:
        enclosed = self._is_enclosed(node)
        return make.Tuple(
            self._elements(node.elts), _OPEN if enclosed else (), _CLOSED if enclosed else ()
        )

    def _comprehension(self, node: ast.ListComp | ast.SetComp, make: Maker) -> Node:
        return make(self._expression(node.elt), self._loops(node.generators))

    def _generator(self, node: ast.GeneratorExp) -> Node:
        return make.GeneratorExp(
            self._expression(node.elt), self._loops(node.generators), _OPEN, _CLOSED
        )

    def _dict_comprehension(self, node: ast.DictComp) -> Node:
        key, value = self._expression(node.key), self._expression(node.value)
        return make.DictComp(key, value, self._loops(node.generators))

    def _loops(self, generators: Sequence[ast.comprehension]) -> Node:
        inner = None
        for each in reversed(generators):
            inner = make.CompFor(
                self._expression(each.target),
                self._middle(each.iter),
                tuple(make.CompIf(self._middle(test)) for test in each.ifs),
                inner,
                make.Asynchronous() if each.is_async else None,
            )
        return inner

    def _assigning(self, node: ast.NamedExpr) -> Node:
        target, value = self._expression(node.target), self._expression(node.value)
        return make.NamedExpr(target, value, _OPEN, _CLOSED)

    def _await(self, node: ast.Await) -> Node:
        return make.Await(self._last(node.value, node))

    def _yield(self, node: ast.Yield | ast.YieldFrom) -> Node:
        value = self._optional(node.value)
        return make.Yield(
            make.From(value) if isinstance(node, ast.YieldFrom) else value, _OPEN, _CLOSED
        )


def _enclose(node: Node, opened: Sequence[Node], closed: Sequence[Node]) -> None:
    object.__setattr__(node, "lpar", opened)
    object.__setattr__(node, "rpar", closed)


def _piece(text: str, prefix: str) -> Node:
    if "f" not in prefix.lower():
        return make.SimpleString(text)
    try:
        return cst.parse_expression(text)
    except cst.ParserSyntaxError as error:  # quotes within it, since Python 3.12
        raise SketchError("a string") from error


def _dotted(name: str) -> Node:
    first, *others = name.split(".")
    made = make.Name(first)
    for other in others:
        made = make.Attribute(made, make.Name(other))
    return made


def _alias(node: ast.alias) -> Node:
    name = None if node.asname is None else make.AsName(make.Name(node.asname))
    return make.ImportAlias(_dotted(node.name), name)


_OPEN, _CLOSED = (cst.LeftParen(),), (cst.RightParen(),)
_NUMBERS: dict[type, Maker] = {int: make.Integer, float: make.Float, complex: make.Imaginary}
_BINARY: dict[type[ast.operator], tuple[Maker, Maker]] = {
    kind: (make.maker(operator), make.maker(augmented))
    for kind, operator, augmented in (
        (ast.Add, cst.Add, cst.AddAssign),
        (ast.Sub, cst.Subtract, cst.SubtractAssign),
        (ast.Mult, cst.Multiply, cst.MultiplyAssign),
        (ast.MatMult, cst.MatrixMultiply, cst.MatrixMultiplyAssign),
        (ast.Div, cst.Divide, cst.DivideAssign),
        (ast.FloorDiv, cst.FloorDivide, cst.FloorDivideAssign),
        (ast.Mod, cst.Modulo, cst.ModuloAssign),
        (ast.Pow, cst.Power, cst.PowerAssign),
        (ast.LShift, cst.LeftShift, cst.LeftShiftAssign),
        (ast.RShift, cst.RightShift, cst.RightShiftAssign),
        (ast.BitOr, cst.BitOr, cst.BitOrAssign),
        (ast.BitXor, cst.BitXor, cst.BitXorAssign),
        (ast.BitAnd, cst.BitAnd, cst.BitAndAssign),
    )
}
_OPERATORS: dict[type[ast.AST], Maker] = {
    kind: make.maker(operator)
    for kind, operator in (
        (ast.And, cst.And),
        (ast.Or, cst.Or),
        (ast.Not, cst.Not),
        (ast.Invert, cst.BitInvert),
        (ast.UAdd, cst.Plus),
        (ast.USub, cst.Minus),
        (ast.Eq, cst.Equal),
        (ast.NotEq, cst.NotEqual),
        (ast.Lt, cst.LessThan),
        (ast.LtE, cst.LessThanEqual),
        (ast.Gt, cst.GreaterThan),
        (ast.GtE, cst.GreaterThanEqual),
        (ast.Is, cst.Is),
        (ast.IsNot, cst.IsNot),
        (ast.In, cst.In),
        (ast.NotIn, cst.NotIn),
    )
}
_SMALL: dict[type[ast.stmt], Callable[[_Drawing, Any], Node]] = {
    ast.Expr: _Drawing._expression_statement,
    ast.Assign: _Drawing._assign,
    ast.AnnAssign: _Drawing._annotated,
    ast.AugAssign: _Drawing._augmented,
    ast.Return: _Drawing._return,
    ast.Delete: _Drawing._delete,
    ast.Raise: _Drawing._raise,
    ast.Assert: _Drawing._assert,
    ast.Import: _Drawing._import,
    ast.ImportFrom: _Drawing._import_from,
    ast.Global: lambda drawing, node: make.Global(drawing._names(node)),
    ast.Nonlocal: lambda drawing, node: make.Nonlocal(drawing._names(node)),
    ast.Pass: lambda drawing, node: make.Pass(),
    ast.Break: lambda drawing, node: make.Break(),
    ast.Continue: lambda drawing, node: make.Continue(),
}
_LARGE: dict[type[ast.stmt], Callable[[_Drawing, Any], Node]] = {
    ast.FunctionDef: _Drawing._function,
    ast.AsyncFunctionDef: _Drawing._function,
    ast.ClassDef: _Drawing._class,
    ast.If: _Drawing._if,
    ast.For: _Drawing._for,
    ast.AsyncFor: _Drawing._for,
    ast.While: _Drawing._while,
    ast.With: _Drawing._with,
    ast.AsyncWith: _Drawing._with,
    ast.Try: _Drawing._try,
}
if hasattr(ast, "TryStar"):  # since Python 3.11
    _LARGE[ast.TryStar] = _Drawing._try
_EXPRESSIONS: dict[type[ast.expr], Callable[[_Drawing, Any], Node]] = {
    ast.Name: _Drawing._named,
    ast.Attribute: _Drawing._attribute,
    ast.Constant: _Drawing._constant,
    ast.JoinedStr: _Drawing._string,
    ast.Call: _Drawing._call,
    ast.Subscript: _Drawing._subscript,
    ast.BinOp: _Drawing._binary,
    ast.UnaryOp: _Drawing._unary,
    ast.BoolOp: _Drawing._boolean,
    ast.Compare: _Drawing._comparison,
    ast.Lambda: _Drawing._lambda,
    ast.IfExp: _Drawing._conditional,
    ast.Dict: _Drawing._dictionary,
    ast.List: _Drawing._list,
    ast.Set: _Drawing._set,
    ast.Tuple: _Drawing._tuple,
    ast.ListComp: partial(_Drawing._comprehension, make=make.ListComp),
    ast.SetComp: partial(_Drawing._comprehension, make=make.SetComp),
    ast.GeneratorExp: _Drawing._generator,
    ast.DictComp: _Drawing._dict_comprehension,
    ast.NamedExpr: _Drawing._assigning,
    ast.Await: _Drawing._await,
    ast.Yield: _Drawing._yield,
    ast.YieldFrom: _Drawing._yield,
}
# What may stand between two operators in parentheses only.
_LOOSE = (ast.BoolOp, ast.Compare, ast.IfExp, ast.Lambda)
