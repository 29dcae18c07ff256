"""What becomes of the objects that code makes, and of its names, read from the source alone."""

from __future__ import annotations

import ast
import io
import textwrap
import tokenize
from collections.abc import Iterator


def only_hands_on(text: str, name: str) -> bool:
    """Whether statements make instances of the class `name` as values for others only.

    Each is an argument or an entry, or is given a plain name that is nothing else.
    """
    try:
        tree = ast.parse(textwrap.dedent(text))
    except SyntaxError:
        return False
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    made = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _last(node) == name]
    names: set[str] = set()
    for call in made:
        parent = parents[call]
        target = parent.targets[0] if isinstance(parent, ast.Assign) else None
        if isinstance(target, ast.Name):
            names.add(target.id)
        elif not _is_value(parent, call):
            return False
    reads = [node for node in _loads(tree) if node.id in names]
    return bool(made) and all(_is_value(parents[node], node) for node in reads)


def _is_value(parent: ast.AST, node: ast.expr) -> bool:
    """Whether an object is given to a call or a dictionary, or asked whether it is None."""
    if isinstance(parent, ast.Call):
        return node in parent.args
    if isinstance(parent, ast.Assign):
        return isinstance(parent.targets[0], ast.Subscript)
    return isinstance(parent, (ast.keyword, ast.Dict, ast.Compare, ast.IfExp))


def _loads(tree: ast.AST) -> Iterator[ast.Name]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node


def _last(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def is_bound(text: str, name: str) -> bool:
    """Whether anything in a file may give a plain name a value."""
    try:
        tree = ast.parse(text)
    except SyntaxError:  # newer than the running Python: wherever the name stands may bind it
        return _is_word(text, name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and node.id == name:
            return True
        if name in {getattr(node, "arg", None), getattr(node, "name", None)}:
            return True  # a parameter, a definition, an exception, a pattern
        if isinstance(node, ast.alias) and {node.name, node.asname} & {"*", name}:
            return True
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"globals", "exec"}:
            return True
    return False


def _is_word(text: str, name: str) -> bool:
    """Whether a name stands anywhere but in strings and comments."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return True
    return any(token.type == tokenize.NAME and token.string == name for token in tokens)
