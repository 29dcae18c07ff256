"""Registering a class or a function with Keras, as the file would write it."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit
from savelint.keras.model import ModuleModel
from savelint.source import Source, Span

if TYPE_CHECKING:
    import libcst as cst

_NAMES = ("keras.saving.register_keras_serializable", "keras.utils.register_keras_serializable")


def decorator(module: ModuleModel, line: int) -> tuple[str, tuple[Edit, ...]] | None:
    """The decorator with its `@` for a definition at a line, and the import that it needs.

    None where the file cannot name it. `keras.utils` has it in both generations, under
    `tf.keras` too, where `saving` is missing.
    """
    known = rewrite.importer(module)
    if known is None:
        return None
    found = [use for use in (known.use(name, at_line=line) for name in _NAMES) if use is not None]
    if not found:
        return None
    # One that needs no import, else the first.
    spelled, imports = min(found, key=lambda use: bool(use[1]))
    package = _package(module)
    return f"@{spelled}({package})", imports


def _package(module: ModuleModel) -> str:
    """The arguments that others of the file are registered with, else the package's name."""
    for registration in module.registrations:
        arguments: Sequence[cst.Arg] = getattr(registration.decorator, "args", ())
        if len(arguments) == 1:
            return module.text(arguments[0]).strip()
    init = module.file.package()
    return f'package="{Path(init.path).parent.name}"' if init is not None else ""


def lifted(
    module: ModuleModel, node: cst.FunctionDef | cst.Lambda, name: str
) -> tuple[Edit, ...] | None:
    """Make a lambda a registered function of the module, above the statement that holds it.

    None where it reads what only functions around it have, where its body takes several
    lines, or where neither `name` nor `name_function` is free.
    """
    from savelint.keras.walk import names_read

    parameters = node.params
    own = {p.name.value for p in (*parameters.posonly_params, *parameters.params)}
    own.update(p.name.value for p in parameters.kwonly_params)
    body = module.code_of(node.body)
    taken = set[str]().union(
        module.summary.definitions, *(s.words for s in module.summary.statements)
    )
    free = next((n for n in (name, f"{name}_function") if n not in taken), None)
    line, is_definition = _statement(module, node)
    register = decorator(module, line)
    above = {*names_read(node)} - own
    if free is None or register is None or "\n" in body or not _is_known(module, node, above):
        return None
    source = module.source
    newline = source.newline
    lines = [register[0], f"def {free}({module.text(parameters)}):"]
    lines.append(f"{source.indentation}return {body}")
    before = newline * (0 if is_definition else max(0, 2 - _blank_lines_above(source, line)))
    offset = source.line_offset(line)
    text = before + newline.join(lines) + newline * 3
    definition = Edit(Span(offset, offset), text)
    return (*register[1], definition, rewrite.replace(module, node, free))


def _statement(module: ModuleModel, node: cst.CSTNode) -> tuple[int, bool]:
    """The first line of the module's statement around a node, with the comments above it.

    Then whether it is a definition.
    """
    line = module.source.position(module.span(node).start).line
    statements = module.summary.statements
    around = next(s for s in statements if s.first_line <= line <= s.last_line)
    first = around.first_line
    while first > 1 and module.source.line_text(first - 1).startswith("#"):
        first -= 1
    return first, around.definition


def _blank_lines_above(source: Source, line: int) -> int:
    """How many blank lines stand above a line; enough of them where it is the first."""
    count = 0
    while line - 1 - count > 0 and not source.line_text(line - 1 - count).strip():
        count += 1
    return count if line - 1 - count > 0 else line


def _is_known(module: ModuleModel, node: cst.CSTNode, names: set[str]) -> bool:
    """Whether names are the module's own imports, functions and constants, or Python's."""
    from savelint.keras.running import bound_names

    summary = module.summary
    constants = {name for name in summary.assignments if name.isupper()}
    if not names <= {*summary.names, *summary.functions, *constants, *dir(builtins)}:
        return False
    around = module.function_of(node)
    return around is None or names.isdisjoint(bound_names(around))
