"""Frozen dataclasses that cost a run little: to define them, and to make them.

`dataclass(frozen=True)` compiles six methods for each class, which for all classes of a run
takes longer than the check of a file, and sets each field through `object.__setattr__`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: object) -> Callable[[Any], Any]:
        """At run time there is nothing to be told."""
        return lambda decorator: decorator


_Class = TypeVar("_Class", bound=type)


@overload
def frozen(cls: _Class, /) -> _Class: ...
@overload
def frozen(*, eq: bool) -> Callable[[_Class], _Class]: ...
@dataclass_transform(frozen_default=True)
def frozen(cls: type | None = None, /, *, eq: bool = True) -> Any:
    """Make a class a dataclass whose fields are not to be assigned; a type checker sees to that.

    Two are equal if their class and their fields are; without `eq` only if they are one.
    """

    def made(cls: type) -> type:
        dataclass(eq=False, repr=False)(cls)
        names = [field.name for field in fields(cls) if field.compare]
        cls.__repr__ = _repr  # type: ignore[assignment]
        if eq:
            _compare(cls, attrgetter(*names) if names else lambda _: ())
        return cls

    return made if cls is None else made(cls)


def _repr(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in fields(self) if field.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _compare(cls: Any, content: Callable[[Any], Any]) -> None:
    def equal(self: object, other: object) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self is other or content(self) == content(other)

    cls.__eq__ = equal
    cls.__hash__ = lambda self: hash(content(self))
