"""The directories on the way to where a model is to be saved: P05 to P08."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from savelint.destination import errors
from savelint.destination.aim import Aim
from savelint.destination.outcome import Kind, Problem, Verdict

# The longest that TensorFlow adds to the last name of a checkpoint's prefix: what all calls
# add, and the number that `Checkpoint.save` puts before it.
_SHARD_SUFFIX = len(".data-00000-of-00001")
_NUMBER = len("-1")
# The digits at the end of a temporary file's name.
_DIGITS = 20


@dataclass(frozen=True)
class Way:
    """How far the way to a directory leads.

    `last` is the deepest directory that is there, `missing` those below it, in order;
    `number` is the errno of what keeps them from being made, 0 if they are only not there.
    """

    last: str
    missing: tuple[str, ...] = ()
    number: int = 0


def way_to(directory: str) -> Way:
    """Follow a path down, name by name, as far as there are directories."""
    stages = _stages(directory)
    last = "/" if directory.startswith("/") else "."
    for place, stage in enumerate(stages):
        rest = tuple(stages[place:])
        try:
            status = os.stat(stage)
        except FileNotFoundError:
            # A link to nowhere is in the way of a directory of that name.
            return Way(last, rest, errno.EEXIST if os.path.lexists(stage) else 0)
        except OSError as error:
            return Way(last, rest, error.errno or errno.EIO)
        if not stat.S_ISDIR(status.st_mode):
            return Way(last, rest, errno.ENOTDIR)
        last = stage
    return Way(last)


def _stages(directory: str) -> list[str]:
    """`a/b/c` as `a`, `a/b`, `a/b/c`; the path's own spelling is kept."""
    ends = [i for i, char in enumerate(directory) if char == "/" and i] + [len(directory)]
    return list(dict.fromkeys(directory[:end].rstrip("/") or "/" for end in ends))


def check(aim: Aim, way: Way) -> Iterator[Problem]:
    """Yield what is wrong with the way to the directory of the aim."""
    try:
        os.stat(".")
        os.getcwd()
    except OSError:
        if not os.path.isabs(aim.path):
            yield _no_working_directory(aim)
            return
    long = list(_long(aim, way))
    if long or not way.missing:
        yield from long
        return
    first, number = way.missing[0], way.number
    if number == errno.ENOTDIR:
        yield _not_a_directory(aim, way)
    elif number in (errno.EEXIST, errno.ELOOP):
        yield _broken_link(aim, way)
    elif number in (errno.EACCES, errno.EPERM):
        yield Problem(
            "P10",
            Verdict.FAILS,
            f"{way.last} may not be searched",
            f"{os.strerror(number)} for user {_user()}",
            errors.making(aim.kind, aim.keras_version, number, first)
            if aim.makes_parents
            else errors.opening(aim.kind, number, aim.path),
            f"let this user search it (chmod +x {way.last}), or save elsewhere",
        )
    elif number:
        yield Problem("P10", Verdict.UNKNOWN, f"{first} cannot be read: {os.strerror(number)}")
    elif not aim.makes_parents or _lexical(aim, first):
        yield Problem(
            "P07",
            Verdict.FAILS,
            f"there is no directory {aim.directory}",
            f"{_call(aim)} makes none; the ModelCheckpoint callback would",
            errors.opening(aim.kind, errno.ENOENT, aim.path),
            f"os.makedirs({aim.directory!r}, exist_ok=True)",
        )


def _lexical(aim: Aim, first: str) -> bool:
    """Tell whether `a/..` is opened though `a` is missing: Keras 2 takes it out, but not HDF5."""
    return aim.kind is Kind.H5 and aim.keras_version == 2 and ".." in aim.path[len(first) :]


def _call(aim: Aim) -> str:
    return "save_weights" if aim.kind is Kind.WEIGHTS else "model.save"


def _user() -> str:
    return str(os.geteuid()) if hasattr(os, "geteuid") else "of this process"


def _no_working_directory(aim: Aim) -> Problem:
    number = errno.ENOENT
    error = (
        errors.opening(aim.kind, number, aim.path)
        if aim.kind.is_file
        else errors.tensorflow(
            number, aim.path + (errors.TEMPORARY[aim.kind] if aim.kind is Kind.CHECKPOINT else "")
        )
    )
    return Problem(
        "P07",
        Verdict.FAILS,
        "the working directory has been removed, and the path is relative to it",
        error=error,
        help="save to an absolute path",
    )


def _not_a_directory(aim: Aim, way: Way) -> Problem:
    first, number = way.missing[0], errno.ENOTDIR
    if not aim.kind.is_file or (
        aim.kind is Kind.H5 and aim.keras_version == 2 and len(way.missing) > 1
    ):
        error = errors.not_a_directory(first)
    elif aim.kind is Kind.H5 and len(way.missing) > 1:
        error = errors.python(number, way.missing[1])
    else:
        error = errors.opening(aim.kind, number, aim.path)
    return Problem(
        "P06",
        Verdict.FAILS,
        f"{first} is not a directory",
        "nothing can be saved below it",
        error,
        "save elsewhere, or move it out of the way",
    )


def _broken_link(aim: Aim, way: Way) -> Problem:
    first = way.missing[0]
    loop = way.number == errno.ELOOP
    number = errno.ELOOP if loop else errno.ENOENT
    if aim.kind is Kind.SAVED_MODEL:
        error = errors.tensorflow(number, (*way.missing, aim.path)[1])
    elif aim.kind is Kind.CHECKPOINT:
        error = errors.tensorflow(number, aim.path + errors.TEMPORARY[aim.kind])
    elif aim.kind is Kind.H5 and aim.keras_version == 3:
        error = errors.python(errno.EEXIST, first)
    else:
        error = errors.opening(aim.kind, number, aim.path)
    what = "leads back to itself" if loop else f"leads to {_target(first)}, which is not there"
    return Problem(
        "P08",
        Verdict.FAILS,
        f"the link {first} {what}",
        "no call that saves makes the directory that a link leads to",
        error,
        "mend the link" if loop else f"os.makedirs({_target(first)!r}), or mend the link",
    )


def _target(link: str) -> str:
    """Where a link leads, as a path from where the link's own path leads from."""
    return os.path.join(os.path.dirname(link), os.readlink(link))


def _long(aim: Aim, way: Way) -> Iterator[Problem]:
    if not hasattr(os, "pathconf"):
        return
    number = errno.ENAMETOOLONG
    try:
        name_limit = os.pathconf(way.last, "PC_NAME_MAX")
        path_limit = os.pathconf(way.last, "PC_PATH_MAX") - 1  # it counts the NUL at the end
    except OSError:
        return
    parts = [part for part in aim.path.split("/") if part]
    sizes = [len(os.fsencode(part)) for part in parts]
    size = len(os.fsencode(aim.path))
    long = next((i for i, length in enumerate(sizes) if length > name_limit), None)
    if long is not None:
        yield Problem(
            "P05",
            Verdict.FAILS,
            f"a name in the path has {sizes[long]} bytes, and {name_limit} are allowed",
            "letters other than ASCII have two to four bytes each",
            _long_error(aim, last=long == len(parts) - 1),
            "shorten it",
        )
        return
    if size > path_limit:
        yield Problem(
            "P05",
            Verdict.FAILS,
            f"the path has {size} bytes, and {path_limit} are allowed",
            error=_long_error(aim, last=True),
            help="shorten it, or save to a relative path from within the directory",
        )
        return
    if aim.kind.is_file:
        return
    added = len(errors.TEMPORARY[aim.kind] + errors.TEMPORARY_PART)
    if size + added + _DIGITS > path_limit:
        yield Problem(
            "P05",
            Verdict.FAILS,
            f"the path has {size} bytes, and TensorFlow adds up to {added + _DIGITS} to it, which "
            f"makes more than the {path_limit} that are allowed",
            error=f"InvalidArgumentError: {aim.path}...; {os.strerror(number)}",
            help="shorten it, or save to a relative path from within the directory",
        )
    elif aim.kind is Kind.CHECKPOINT and sizes and sizes[-1] + _SHARD_SUFFIX + _NUMBER > name_limit:
        certain = sizes[-1] + _SHARD_SUFFIX > name_limit
        yield Problem(
            "P05",
            Verdict.FAILS if certain else Verdict.UNKNOWN,
            f"the prefix has {sizes[-1]} bytes; with `.data-00000-of-00001` "
            + ("" if certain else "and the number that `Checkpoint.save` gives it ")
            + f"it has more than the {name_limit} that are allowed",
            error=f"InvalidArgumentError: {aim.path}...; {os.strerror(number)}",
            help="shorten it",
        )


def _long_error(aim: Aim, *, last: bool) -> str:
    number = errno.ENAMETOOLONG
    if aim.kind.is_file and (last or not aim.makes_parents):
        return errors.opening(aim.kind, number, aim.path)
    if aim.kind is Kind.H5 and aim.keras_version == 3:
        return f"OSError: [Errno {number}] {os.strerror(number)}: ..."
    return f"InvalidArgumentError: ...; {os.strerror(number)}"
