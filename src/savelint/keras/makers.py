"""Makers of libcst's nodes whose layout is that of libcst's defaults, each named as its kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, TypeAlias

import libcst as cst

# The fields of all kinds of nodes are taken alike.
Node: TypeAlias = Any
Maker: TypeAlias = Callable[..., Any]


def maker(kind: type[cst.CSTNode], *names: str) -> Maker:
    """A function that makes nodes of a kind of the values of the fields `names`.

    All other fields have their defaults, which the nodes share: they are layout. libcst's own
    constructors check what they are given and make white space for each node, for which those of
    `Call` and `Arg` take two and a half times as long.
    """
    layout = {f.name: _default(f) for f in fields(kind) if f.name not in names}
    assigns = [getattr(kind, name).__set__ for name in (*names, *layout)]
    defaults = tuple(layout.values())
    new = object.__new__

    def make(*values: object) -> Node:
        node = new(kind)
        for assign, value in zip(assigns, values + defaults, strict=True):
            assign(node, value)
        return node

    return make


def _default(field: Any) -> object:
    if field.default is not MISSING:
        return field.default
    return field.default_factory()


Name = maker(cst.Name, "value")
Attribute = maker(cst.Attribute, "value", "attr")
Ellipsis = maker(cst.Ellipsis)
Integer = maker(cst.Integer, "value")
Float = maker(cst.Float, "value")
Imaginary = maker(cst.Imaginary, "value")
SimpleString = maker(cst.SimpleString, "value")
ConcatenatedString = maker(cst.ConcatenatedString, "left", "right")
Call = maker(cst.Call, "func", "args")
Arg = maker(cst.Arg, "value", "keyword", "star")
Subscript = maker(cst.Subscript, "value", "slice")
SubscriptElement = maker(cst.SubscriptElement, "slice")
Index = maker(cst.Index, "value", "star")
Slice = maker(cst.Slice, "lower", "upper", "step")
BinaryOperation = maker(cst.BinaryOperation, "left", "operator", "right")
UnaryOperation = maker(cst.UnaryOperation, "operator", "expression")
BooleanOperation = maker(cst.BooleanOperation, "left", "operator", "right")
Comparison = maker(cst.Comparison, "left", "comparisons")
ComparisonTarget = maker(cst.ComparisonTarget, "operator", "comparator")
Lambda = maker(cst.Lambda, "params", "body")
IfExp = maker(cst.IfExp, "test", "body", "orelse")
Dict = maker(cst.Dict, "elements")
DictElement = maker(cst.DictElement, "key", "value")
StarredDictElement = maker(cst.StarredDictElement, "value")
Element = maker(cst.Element, "value")
StarredElement = maker(cst.StarredElement, "value")
List = maker(cst.List, "elements")
Set = maker(cst.Set, "elements")
Tuple = maker(cst.Tuple, "elements", "lpar", "rpar")
GeneratorExp = maker(cst.GeneratorExp, "elt", "for_in", "lpar", "rpar")
ListComp = maker(cst.ListComp, "elt", "for_in")
SetComp = maker(cst.SetComp, "elt", "for_in")
DictComp = maker(cst.DictComp, "key", "value", "for_in")
CompFor = maker(cst.CompFor, "target", "iter", "ifs", "inner_for_in", "asynchronous")
CompIf = maker(cst.CompIf, "test")
NamedExpr = maker(cst.NamedExpr, "target", "value", "lpar", "rpar")
Await = maker(cst.Await, "expression")
Yield = maker(cst.Yield, "value", "lpar", "rpar")
From = maker(cst.From, "item")

SimpleStatementLine = maker(cst.SimpleStatementLine, "body")
SimpleStatementSuite = maker(cst.SimpleStatementSuite, "body")
IndentedBlock = maker(cst.IndentedBlock, "body")
Asynchronous = maker(cst.Asynchronous)
Annotation = maker(cst.Annotation, "annotation")
Decorator = maker(cst.Decorator, "decorator")
FunctionDef = maker(
    cst.FunctionDef, "name", "params", "body", "decorators", "returns", "asynchronous"
)
ClassDef = maker(cst.ClassDef, "name", "body", "bases", "keywords", "decorators")
Param = maker(cst.Param, "name", "annotation", "default", "star")
Parameters = maker(
    *(cst.Parameters, "params", "star_arg", "kwonly_params", "star_kwarg"),
    *("posonly_params", "posonly_ind"),
)
ParamStar = maker(cst.ParamStar)
ParamSlash = maker(cst.ParamSlash)
If = maker(cst.If, "test", "body", "orelse")
Else = maker(cst.Else, "body")
For = maker(cst.For, "target", "iter", "body", "orelse", "asynchronous")
While = maker(cst.While, "test", "body", "orelse")
With = maker(cst.With, "items", "body", "asynchronous")
WithItem = maker(cst.WithItem, "item", "asname")
AsName = maker(cst.AsName, "name")
Try = maker(cst.Try, "body", "handlers", "orelse", "finalbody")
TryStar = maker(cst.TryStar, "body", "handlers", "orelse", "finalbody")
ExceptHandler = maker(cst.ExceptHandler, "body", "type", "name")
ExceptStarHandler = maker(cst.ExceptStarHandler, "body", "type", "name")
Finally = maker(cst.Finally, "body")
Expr = maker(cst.Expr, "value")
Assign = maker(cst.Assign, "targets", "value")
AssignTarget = maker(cst.AssignTarget, "target")
AnnAssign = maker(cst.AnnAssign, "target", "annotation", "value")
AugAssign = maker(cst.AugAssign, "target", "operator", "value")
Return = maker(cst.Return, "value")
Del = maker(cst.Del, "target")
Raise = maker(cst.Raise, "exc", "cause")
Assert = maker(cst.Assert, "test", "msg")
Import = maker(cst.Import, "names")
ImportFrom = maker(cst.ImportFrom, "module", "names", "relative")
ImportAlias = maker(cst.ImportAlias, "name", "asname")
Global = maker(cst.Global, "names")
Nonlocal = maker(cst.Nonlocal, "names")
NameItem = maker(cst.NameItem, "name")
Pass, Break, Continue = map(maker, (cst.Pass, cst.Break, cst.Continue))
