"""What savelint understood of a file, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from savelint.frozen import frozen
from savelint.keras.generation import Keras
from savelint.keras.tables import Kind

_NONE = "not Keras"


@frozen
class ClassView:
    """A class: its kind, how it came to it, and what stands in the way where it has none.

    `chain` leads from the class to the last base that is known, each with its place.
    """

    name: str
    line: int
    kind: Kind | None
    chain: tuple[str, ...]
    registered: bool
    problem: str = ""


@frozen
class CallView:
    """A call that saves or loads: what it is, what it saves, and how."""

    line: int
    call: str
    what: str


@frozen
class Overview:
    """What was understood of one file; `path` is its name for people."""

    path: str
    keras: Keras
    evidence: str
    classes: tuple[ClassView, ...]
    saves: tuple[CallView, ...]
    loads: tuple[CallView, ...]


def text(overview: Overview) -> str:
    """The overview of a file in lines; a class that is not Keras says why."""
    lines = [f"{overview.path}: Keras {overview.keras.value} ({overview.evidence})"]
    width = max((len(cls.name) for cls in overview.classes), default=0)
    kinds = [cls.kind.value if cls.kind else _NONE for cls in overview.classes]
    room = max(map(len, kinds), default=0)
    if overview.classes:
        lines.append("  classes")
    for cls, kind in zip(overview.classes, kinds, strict=True):
        line = f"    {cls.line:>5}  {cls.name:<{width}}  {kind:<{room}}  {_way(cls)}"
        lines.append(line.rstrip())
    lines += _calls("saves", overview.saves)
    lines += _calls("loads", overview.loads)
    if len(lines) == 1:
        lines.append("  no classes, and no calls that save or load a Keras model")
    return "\n".join(lines)


def _way(cls: ClassView) -> str:
    way = " < ".join(cls.chain)
    registered = ", registered" if cls.registered else ""
    if cls.problem:
        return f"< {way}: {cls.problem}" if way else cls.problem
    return f"< {way}{registered}"


def _calls(title: str, calls: Sequence[CallView]) -> Iterator[str]:
    if calls:
        yield f"  {title}"
    for call in calls:
        yield f"    {call.line:>5}  {call.call}  {call.what}".rstrip()


def record(overview: Overview) -> dict[str, Any]:
    """The overview of a file as a JSON object."""
    return {
        "path": overview.path,
        "keras_version": overview.keras.value,
        "evidence": overview.evidence,
        "classes": [
            {
                "name": cls.name,
                "line": cls.line,
                "kind": cls.kind.name.lower() if cls.kind else None,
                "bases": list(cls.chain),
                "registered": cls.registered,
                "problem": cls.problem,
            }
            for cls in overview.classes
        ],
        "saves": [_call(call) for call in overview.saves],
        "loads": [_call(call) for call in overview.loads],
    }


def _call(call: CallView) -> dict[str, Any]:
    return {"line": call.line, "call": call.call, "what": call.what}
