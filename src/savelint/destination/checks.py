"""All checks of one path, in order: what would make a later one idle comes first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from savelint.destination import room, spelling, target, tree
from savelint.destination.aim import Aim, told_kind
from savelint.destination.outcome import Kind, Preflight, Problem, Verdict
from savelint.destination.size import parse_size


def preflight(
    path: str | os.PathLike[str],
    *,
    kind: Kind | str | None = None,
    need: int | str | None = None,
    keras_version: int = 3,
) -> Preflight:
    """Tell whether a model can be saved to `path`, here and now, by this process.

    `kind` is `keras`, `h5`, `weights`, `saved-model` or `checkpoint`; by default, the path's
    suffix tells. `need` is what the model will take: bytes, or a text such as `"200MB"`;
    without it, whether the model fits cannot be told. Nothing is changed on disk. Raises
    ValueError for a kind, a size or a generation that does not exist.
    """
    text = os.fspath(path)
    if not isinstance(text, str):
        raise TypeError(f"path must be text, not {type(text).__name__}")
    if keras_version not in (2, 3):
        raise ValueError(f"keras_version must be 2 or 3, not {keras_version!r}")
    size = parse_size(need) if isinstance(need, str) else need
    if size is not None and size < 0:
        raise ValueError(f"need must not be negative: {need!r}")
    known = _kind(kind) or told_kind(text)
    if known is None:
        return Preflight(text, None, keras_version, size, (_unknown_kind(),))
    aim = Aim(text, known, keras_version, size)
    problems = _distinct(_problems(aim))
    advice = () if problems else tuple(target.advice(_local(aim)))
    return Preflight(text, known, keras_version, size, problems, advice)


def _kind(kind: Kind | str | None) -> Kind | None:
    if kind is None or isinstance(kind, Kind):
        return kind
    names = [each.value for each in Kind]
    if kind not in names:
        raise ValueError(f"kind must be one of {', '.join(names)}, not {kind!r}")
    return Kind(kind)


def _unknown_kind() -> Problem:
    return Problem(
        "P01",
        Verdict.UNKNOWN,
        "the path does not tell what is to be saved",
        "Keras writes `.keras`, `.h5` and `.weights.h5` files, and directories without a suffix",
        help="give the kind: " + ", ".join(kind.value for kind in Kind),
    )


def _problems(aim: Aim) -> Iterator[Problem]:
    fatal = list(spelling.fatal(aim))
    if fatal:
        yield from fatal
        return
    doubtful = list(spelling.doubtful(aim))
    yield from doubtful
    if any(problem.verdict is Verdict.FAILS for problem in doubtful):
        return
    aim = _local(aim)
    if not aim.kind.is_file and ".." in aim.path.split("/"):
        # TensorFlow takes `a/..` out of the path whatever `a` is.
        taken = os.path.normpath(aim.path)
        if os.path.isdir(aim.directory) and not _same(taken, aim.path):
            yield _elsewhere(taken)
            return
        aim = replace(aim, path=taken)
    way = tree.way_to(aim.directory)
    lost = list(tree.check(aim, way))
    yield from lost
    if any(problem.verdict is Verdict.FAILS for problem in lost):
        return
    barred = list(target.check(aim, way))
    yield from barred
    if not any(problem.verdict is Verdict.FAILS for problem in barred):
        yield from room.check(aim, way)


def _local(aim: Aim) -> Aim:
    """The aim with the path that the system gets to see."""
    return replace(aim, path=spelling.local_path(aim))


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _elsewhere(path: str) -> Problem:
    return Problem(
        "P08",
        Verdict.FAILS,
        f"TensorFlow writes to {os.path.realpath(path)}",
        "it takes `..` out of the path before it follows the link in front of it",
        help="pass os.path.realpath(path)",
    )


def _distinct(problems: Iterator[Problem]) -> tuple[Problem, ...]:
    """The problems, gravest first, without what was found twice."""
    order = list(Verdict)
    found = list(dict.fromkeys(problems))
    return tuple(sorted(found, key=lambda problem: -order.index(problem.verdict)))
