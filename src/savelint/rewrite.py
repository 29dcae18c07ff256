"""Edits that rules build fixes from, in the file's own layout and by its own imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from savelint import layout
from savelint.finding import Edit
from savelint.imports import Importer
from savelint.source import Span

if TYPE_CHECKING:
    import libcst as cst

    from savelint.keras.model import ModuleModel

_LEVEL = 4  # spaces that stand for one level of indentation in new lines


def spell(module: ModuleModel, name: str) -> tuple[str, tuple[Edit, ...]] | None:
    """How the file writes a canonical name, and the imports that this needs.

    None when it cannot be written, or when the file is newer than the running Python.
    """
    known = importer(module)
    return known.use(name) if known is not None else None


# One file's findings come one after the other, so the last importer is the one to keep.
@lru_cache(maxsize=1)
def importer(module: ModuleModel) -> Importer | None:
    """What spells canonical names in this file."""
    try:
        return Importer(module.source, ast.parse(module.source.text))
    except SyntaxError:
        return None


def replace(module: ModuleModel, node: cst.CSTNode, text: str) -> Edit:
    """Put `text` in the place of a node."""
    return Edit(module.span(node), text)


def add_argument(module: ModuleModel, call: cst.Call, text: str) -> Edit:
    """Add an argument at the end of a call, on a line of its own where the others are."""
    source = module.source
    end = module.span(call).end - 1
    if not call.args:
        return Edit(Span(end, end), text)
    start = source.position(module.span(call.args[-1]).start)
    margin = source.line_text(start.line)[: start.column - 1]
    last = argument_end(source.text, module.span(call.args[-1]).end)
    # A sole argument on a line without a comma is there for its length.
    beside = len(call.args) == 1 and source.text[last:end].startswith(("\n", "\r"))
    if margin.strip() or beside:
        return Edit(Span(last, last), f", {text}")
    return Edit(Span(last, last), f",{source.newline}{margin}{text}")


def argument_end(text: str, end: int) -> int:
    """Where an argument ends without the comma and the space that libcst counts to it."""
    stripped = text[:end].rstrip()
    return len(stripped.removesuffix(",").rstrip())


def insert_before(module: ModuleModel, statement: cst.CSTNode, text: str) -> Edit:
    """Insert a statement before another: on a line of its own, or before it on its line."""
    source = module.source
    start = module.span(statement).start
    position = source.position(start)
    margin = source.line_text(position.line)[: position.column - 1]
    if margin.strip():
        return Edit(Span(start, start), f"{text}; ")
    return Edit(Span(start, start), f"{text}{source.newline}{margin}")


def insert_after(module: ModuleModel, statement: cst.CSTNode, lines: Sequence[str]) -> Edit:
    """Insert lines behind the last line of a statement, at its margin."""
    source = module.source
    margin = margin_of(module, statement)
    offset = source.line_offset(lines_of(module, statement)[1] + 1)
    if offset == len(source.text) and not source.text.endswith(("\n", "\r")):
        text = "".join(f"{source.newline}{margin}{line}" for line in lines)
    else:
        text = "".join(f"{margin}{line}{source.newline}" for line in lines)
    return Edit(Span(offset, offset), text)


def add_parameter(module: ModuleModel, function: cst.FunctionDef, text: str) -> Edit | None:
    """Add a parameter behind all others of a `def`, each on its line where one is too short."""
    declared = function.params
    star = declared.star_arg if type(declared.star_arg).__name__ == "Param" else None
    every = (*declared.posonly_params, *declared.params, star, *declared.kwonly_params)
    known: list[cst.Param] = [parameter for parameter in every if parameter is not None]  # type: ignore[misc]
    if not known or declared.star_kwarg is not None:
        return None
    source = module.source
    spans = [_parameter_span(module, parameter) for parameter in known]
    end = spans[-1].end
    start = source.position(spans[-1].start)
    line = source.line_text(start.line)
    margin = line[: start.column - 1]
    first = spans[0].start
    alone = source.position(first).line == source.position(end).line
    if not margin.strip():
        return Edit(Span(end, end), f",{source.newline}{margin}{text}")
    if (
        not alone
        or star is not None
        or declared.posonly_params
        or len(f"{line}, {text}".expandtabs(_LEVEL)) <= width(module)
        or "*," in line
    ):
        return Edit(Span(end, end), f", {text}")
    outer = margin_of(module, function)
    names = [source.text[span.start : span.end] for span in spans]
    lines = "".join(f"{outer}{source.indentation}{n},{source.newline}" for n in (*names, text))
    return Edit(Span(first, end), f"{source.newline}{lines}{outer}")


def _parameter_span(module: ModuleModel, parameter: cst.Param) -> Span:
    """Where a parameter stands, with its annotation and default: to libcst it is its name."""
    annotation = parameter.annotation.annotation if parameter.annotation is not None else None
    last = parameter.default or annotation or parameter.name
    start = module.span(parameter.name).start
    return Span(start, max(module.span(parameter.name).end, module.span(last).end))


def part(module: ModuleModel, method: cst.FunctionDef, name: str) -> Edit | None:
    """Make the body of a method that of another, undecorated one, which it then calls.

    None where its parameters, or its layout, are not plain. A docstring stays.
    """
    declared, source = method.params, module.source
    statements = list(method.body.body)
    plain = [*declared.posonly_params, *declared.params]
    known = [*plain, *declared.kwonly_params]
    start = module.span(method.name).end
    if method.returns is not None:
        end, colon = module.span(method.returns.annotation).end, r"\s*:"
    else:
        end, colon = (
            max((_parameter_span(module, p).end for p in known), default=start),
            r"[\s,]*\)\s*:",
        )
    head = re.compile(colon).match(source.text, end)
    starred = type(declared.star_arg).__name__ == "Param" or declared.star_kwarg is not None
    if head is None or starred or not plain:
        return None
    first = source.position(head.end()).line + 1
    if method.get_docstring() is not None:
        first = lines_of(module, statements.pop(0))[1] + 1
    if not statements or lines_of(module, statements[0])[0] < first:
        return None
    owner, *given = (parameter.name.value for parameter in plain)
    given += [f"{p.name.value}={p.name.value}" for p in declared.kwonly_params]
    margin = margin_of(module, method.name)
    lines = (
        f"{margin}{source.indentation}return {owner}.{name}({', '.join(given)})",
        "",
        f"{margin}def {name}{source.text[start : head.end()]}",
        "",
    )
    at = source.line_offset(first)
    return Edit(Span(at, at), source.newline.join(lines))


def width(module: ModuleModel) -> int:
    """How long a line may be."""
    return layout.width(module.source)


def remove_lines(module: ModuleModel, node: cst.CSTNode) -> Edit:
    """Remove the whole lines on which a node stands."""
    first, last = lines_of(module, node)
    start = module.source.line_offset(first)
    return Edit(Span(start, module.source.line_offset(last + 1)), "")


def remove_unused(module: ModuleModel, function: cst.FunctionDef, name: str) -> list[Edit]:
    """Remove the line that assigns a local name whose one use another edit takes away.

    Gives no edit unless the assignment is alone on its line and the name is used once.
    """
    text = module.text(function)
    word = rf"\b{re.escape(name)}\b"
    lines = [
        line
        for line in range(*_line_range(module, function))
        if re.match(rf"\s*{word}\s*=[^=]", module.source.line_text(line))
    ]
    if len(lines) != 1 or len(re.findall(word, text)) != 2:
        return []
    line = lines[0]
    code = module.source.line_text(line)
    if any(mark in code for mark in "#;\\") or code.count("(") != code.count(")"):
        return []
    return [Edit(Span(module.source.line_offset(line), module.source.line_offset(line + 1)), "")]


def _line_range(module: ModuleModel, node: cst.CSTNode) -> tuple[int, int]:
    first, last = lines_of(module, node)
    return first, last + 1


def add_method(module: ModuleModel, after: cst.FunctionDef, lines: Sequence[str]) -> Edit:
    """Add a method behind another; `lines` are indented by four spaces a level."""
    source = module.source
    margin = margin_of(module, after)
    text = "".join(_indented(module, margin, line) for line in ["", *lines])
    offset = source.line_offset(lines_of(module, after)[1] + 1)
    if offset == len(source.text) and not source.text.endswith(("\n", "\r")):
        text = source.newline + text.removesuffix(source.newline)
    return Edit(Span(offset, offset), text)


def at_end(module: ModuleModel, function: cst.FunctionDef) -> tuple[Span, str] | None:
    """Where a line can follow the last statement of a function, and its margin."""
    last = function.body.body[-1]
    text = module.text(last)
    first, end = lines_of(module, last)
    own_line = module.source.line_text(first).strip().startswith(text.splitlines()[0].strip())
    if text.startswith(("return", "raise")) or not own_line:
        return None
    offset = module.source.line_offset(end + 1)
    if offset == len(module.source.text) and not module.source.text.endswith(("\n", "\r")):
        return None
    return Span(offset, offset), margin_of(module, last)


def margin_of(module: ModuleModel, node: cst.CSTNode) -> str:
    """The white space before the line on which a node begins."""
    line = module.source.line_text(lines_of(module, node)[0])
    return line[: len(line) - len(line.lstrip())]


def lines_of(module: ModuleModel, node: cst.CSTNode) -> tuple[int, int]:
    """The first and the last line of a node."""
    span = module.span(node)
    source = module.source
    return source.position(span.start).line, source.position(max(span.start, span.end - 1)).line


def _indented(module: ModuleModel, margin: str, line: str) -> str:
    if not line:
        return module.source.newline
    bare = line.lstrip(" ")
    levels = (len(line) - len(bare)) // _LEVEL
    return margin + module.source.indentation * levels + bare + module.source.newline


def remove_argument(module: ModuleModel, call: cst.Call, argument: cst.Arg) -> Edit:
    """Remove an argument of a call, with the comma and the space that part it from the others."""
    spans = [module.span(arg) for arg in call.args]
    index = next(i for i, arg in enumerate(call.args) if arg is argument)
    text = module.source.text
    start, end = spans[index].start, argument_end(text, spans[index].end)
    if index + 1 < len(spans):
        return Edit(Span(start, spans[index + 1].start), "")
    if index:
        start = argument_end(text, spans[index - 1].end)
    return Edit(Span(start, end), "")


def begins_line(module: ModuleModel, node: cst.CSTNode) -> bool:
    """Whether there is nothing but white space before a node on its line."""
    position = module.source.position(module.span(node).start)
    return not module.source.line_text(position.line)[: position.column - 1].strip()
