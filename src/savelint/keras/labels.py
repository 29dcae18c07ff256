"""The names that a file gives to layers, models and weights, as far as they are literal.

TensorFlow makes names of operations from them. Which it refuses was measured character by
character, in both generations.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

# What no name may hold; Keras 3 refuses `/` besides.
REFUSED = re.compile(r"[^A-Za-z0-9_.\\/>-]")
# Where it is the first of its scope, a name begins with one of these.
_BEGINNING = re.compile(r"[A-Za-z0-9.]")
# What is filled in by `%` and by `format`.
FILLED = re.compile(r"%(?:\(\w+\))?[-#0 +]*[\d.*]*[a-zA-Z%]|\{[^{}]*\}")


def literal_parts(node: ast.expr) -> Iterator[tuple[str, bool]]:
    """The pieces of a name that are written out, each with whether the name begins with it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value, True
    elif isinstance(node, ast.JoinedStr):
        for place, value in enumerate(node.values):
            if isinstance(value, ast.Constant):
                yield str(value.value), place == 0
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from literal_parts(node.left)
        yield from ((text, False) for text, _ in literal_parts(node.right))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        yield from _around_filled(node.left)
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "format"
    ):
        yield from _around_filled(node.func.value)


def _around_filled(node: ast.expr) -> Iterator[tuple[str, bool]]:
    for text, begins in literal_parts(node):
        for place, piece in enumerate(FILLED.split(text)):
            if piece:
                yield piece, begins and place == 0


def refused(node: ast.expr, *, slash: bool) -> str:
    """The first character of a name that is refused anywhere in it, empty if there is none."""
    for text, _ in literal_parts(node):
        for character in text:
            if REFUSED.match(character) or (slash and character == "/"):
                return character
    return ""


def bad_beginning(node: ast.expr) -> str:
    """The character that a name must not begin with, empty if it is fine or not known."""
    text, begins = next(literal_parts(node), ("", False))
    return text[0] if text and begins and not _BEGINNING.match(text) else ""


def is_doubtful(node: ast.expr) -> bool:
    """Whether some generation refuses a name, in some place."""
    return bool(refused(node, slash=True) or bad_beginning(node))
