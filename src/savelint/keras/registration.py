"""What statements register with Keras, and what they name of `keras.saving`."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from savelint.keras.model import Reference, Registration
from savelint.keras.names import canonical
from savelint.keras.summary import Summary
from savelint.keras.walk import decorator_name, descendants, dotted

REGISTER = "register_keras_serializable"
_REGISTER_NAMES = frozenset(f"keras.{module}.{REGISTER}" for module in ("saving", "utils"))
SAVING = "saving"
# The package under which Keras registers what is given none.
_PACKAGE = "Custom"


def registrations(summary: Summary, statement: cst.CSTNode) -> Iterator[Registration]:
    """The classes and functions of a statement that a decorator registers with Keras."""
    for node in descendants(statement):
        if not (type(node) is cst.ClassDef or type(node) is cst.FunctionDef):
            continue
        for item in node.decorators:
            call = item.decorator if isinstance(item.decorator, cst.Call) else None
            found = summary.origin(decorator_name(item))
            if found is not None and canonical(found) in _REGISTER_NAMES:
                yield Registration(node, item.decorator, found, _key(node.name.value, call))


def references(summary: Summary, statement: cst.CSTNode) -> Iterator[Reference]:
    """Where a statement takes a member of `keras.saving` through an attribute."""
    for node in descendants(statement):
        if type(node) is cst.Attribute and isinstance(node.value, cst.Attribute):
            found = summary.origin(dotted(node)) if node.value.attr.value == SAVING else None
            if found is not None and canonical(found).startswith("keras.saving."):
                yield Reference(node, node.value.attr, found)


def _key(name: str, call: cst.Call | None) -> str | None:
    """The name under which Keras knows it; None when that is not written out."""
    package: str | None = _PACKAGE
    own: str | None = name
    for position, argument in enumerate(call.args if call else ()):
        text = _text(argument.value)
        keyword = argument.keyword.value if argument.keyword else ("package", "name")[position:][0]
        if argument.star:
            return None
        if keyword == "package":
            package = text
        else:
            own = text
    return f"{package}>{own}" if package and own else None


def _text(node: cst.BaseExpression) -> str | None:
    value = node.evaluated_value if isinstance(node, cst.SimpleString) else None
    return value if isinstance(value, str) else None
