"""Frozen dataclasses that cost a run little: to define them, and to make them.

`dataclass(frozen=True)` compiles six methods for each class, which for all classes of a run
takes longer than the check of a file, and sets each field through `object.__setattr__`. Here
one is compiled, and only for the classes of which something is made.
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
_FIELDS = "__dataclass_fields__"


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
        _defer(cls, eq)
        return cls

    return made if cls is None else made(cls)


class _Fields:
    """Stands for the fields of a class until someone asks for them: then it is made whole.

    `replace`, `fields` and the making of a derived class ask.
    """

    def __init__(self, cls: type, eq: bool) -> None:
        self._cls = cls
        self._eq = eq

    def __get__(self, instance: object, owner: type) -> Any:
        _complete(self._cls, self._eq)
        return getattr(owner, _FIELDS)


def _defer(cls: Any, eq: bool) -> None:
    """Give a class methods of which the first to be called makes it whole.

    An object from another process was never made here, but can be compared.
    """

    def init(self: Any, *args: object, **kwargs: object) -> None:
        _complete(cls, eq)
        cls.__init__(self, *args, **kwargs)

    def equal(self: Any, other: object) -> Any:
        _complete(cls, eq)
        return cls.__eq__(self, other)

    def hashed(self: Any) -> int:
        _complete(cls, eq)
        found: int = cls.__hash__(self)
        return found

    setattr(cls, _FIELDS, _Fields(cls, eq))
    cls.__init__ = init
    cls.__repr__ = _repr
    if eq:
        cls.__eq__ = equal
        cls.__hash__ = hashed


def _complete(cls: Any, eq: bool) -> None:
    if not isinstance(cls.__dict__[_FIELDS], _Fields):
        return  # another thread was first
    del cls.__init__  # `dataclass` leaves alone what is there
    delattr(cls, _FIELDS)
    dataclass(eq=False, repr=False)(cls)
    if eq:
        names = [field.name for field in fields(cls) if field.compare]
        _compare(cls, attrgetter(*names) if names else lambda _: ())


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
