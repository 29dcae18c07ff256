"""Classes whose constructor is made of their fields: dataclasses, and those of attrs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint.frozen import frozen
from savelint.keras.model import ModuleModel
from savelint.keras.values import ClassOutline

if TYPE_CHECKING:
    import libcst as cst

_DATACLASS = frozenset({"dataclass", "dataclasses.dataclass"})
_ATTRS = frozenset(
    "attr.s attr.attrs attr.dataclass attr.define attrs.define attrs.mutable attrs.frozen".split()
)
_DEFAULT = re.compile(r"\b(?:default|default_factory|factory)\s*=")
_FIELD = re.compile(r"(?:dataclasses\.)?field\(|attrs?\.(?:ib|attrib|field)\(")


@frozen
class Field:
    """A field: the argument that it makes, the attribute that keeps it, and where it is written.

    One that `is_dropped` is given to `__post_init__` alone.
    """

    name: str
    attribute: str
    target: cst.Name
    node: cst.CSTNode
    is_required: bool
    is_dropped: bool


def makes(decorator: cst.Decorator) -> bool:
    """Whether a decorator makes a constructor of the fields of a class."""
    call = decorator.decorator
    arguments = getattr(call, "args", ())
    return _named(decorator, _DATACLASS | _ATTRS) and not any(
        argument.keyword is not None and argument.keyword.value == "init" for argument in arguments
    )


def _named(decorator: cst.Decorator, names: frozenset[str]) -> bool:
    from savelint.keras.walk import decorator_name

    return decorator_name(decorator) in names


def is_made(outline: ClassOutline) -> bool:
    """Whether a class has a constructor that is made of its fields."""
    return any(map(makes, outline.node.decorators))


def of(module: ModuleModel, outline: ClassOutline) -> list[Field]:
    """The fields of a class in their order, with those of its bases."""
    found: dict[str, Field] = {}
    for member in reversed(list(outline.lineage)):
        if member.path != outline.path or not is_made(member):
            continue
        found.update({field.name: field for field in _own(module, member)})
    return list(found.values())


def _own(module: ModuleModel, outline: ClassOutline) -> Iterator[Field]:
    import libcst as cst

    # attrs takes `_units` as `units`.
    is_attrs = any(_named(item, _ATTRS) for item in outline.node.decorators)
    for line in outline.node.body.body:
        for part in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            target = part.target if isinstance(part, cst.AnnAssign) else None
            kind = (
                module.text(part.annotation.annotation) if isinstance(part, cst.AnnAssign) else ""
            )
            if is_attrs and isinstance(part, cst.Assign) and _FIELD.match(module.text(part.value)):
                target = part.targets[0].target
            if not isinstance(target, cst.Name) or not isinstance(part, cst.AnnAssign | cst.Assign):
                continue
            value = module.text(part.value) if part.value is not None else ""
            made = _FIELD.match(value) is not None
            if "ClassVar" in kind or "KW_ONLY" in kind or (made and "init=False" in value):
                continue
            required = not value or (made and not _DEFAULT.search(value))
            name = target.value.lstrip("_") if is_attrs else target.value
            dropped = "InitVar" in kind
            yield Field(name, target.value, target, part, required, dropped)
