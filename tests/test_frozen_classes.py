"""Frozen classes are dataclasses, though nothing is compiled before one is made."""

from __future__ import annotations

import pickle
from dataclasses import field, fields, replace

import pytest

from savelint.frozen import frozen


@frozen
class Point:
    """A class like any of savelint's."""

    x: int
    y: int = 2
    note: str = field(default="", compare=False, repr=False)


@frozen
class Named(Point):
    """A derived one."""

    name: str = "point"


@frozen(eq=False)
class Mark:
    """One that is only equal to itself."""

    x: int


@frozen
class Nothing:
    """One without fields."""


def test_it_is_made_by_its_fields() -> None:
    assert (Point(1).x, Point(1).y, Point(y=3, x=4).y) == (1, 2, 3)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        Point()  # type: ignore[call-arg]
    assert Nothing() == Nothing()


def test_two_are_equal_by_class_and_fields() -> None:
    assert Point(1, note="a") == Point(1, note="b")
    assert Point(1) != Point(2)
    assert Point(1) != Named(1)
    assert len({Point(1), Point(1), Point(1, 3)}) == 2
    assert Mark(1) != Mark(1)


def test_it_is_shown_as_it_is_made() -> None:
    assert repr(Point(1)) == "Point(x=1, y=2)"
    assert repr(Named(1, name="a")) == "Named(x=1, y=2, name='a')"


def test_it_can_be_replaced_and_asked() -> None:
    assert replace(Named(1), name="b") == Named(1, name="b")
    assert [field.name for field in fields(Named)] == ["x", "y", "note", "name"]


def test_one_from_another_process_is_whole() -> None:
    """Unpickled objects are not made by `__init__`, which would have made their class whole."""

    @frozen
    class Late:
        x: int

    late, other = Late.__new__(Late), Late.__new__(Late)
    late.__dict__["x"] = other.__dict__["x"] = 1
    assert late == other
    assert hash(late) == hash(other)
    assert replace(late) == Late(1)
    assert pickle.loads(pickle.dumps(Point(1))) == Point(1)


def test_a_derived_class_may_be_made_first() -> None:
    @frozen
    class Base:
        x: int

    @frozen
    class Derived(Base):
        y: int

    assert Derived(1, 2).y == 2
    assert Base(1) == Base(1)


def test_a_plain_class_may_derive_from_one() -> None:
    @frozen
    class Base:
        x: int

    class Derived(Base):
        pass

    assert fields(Derived)[0].name == "x"
    assert Derived(1) == Derived(1)
    assert Derived(1) != Base(1)
