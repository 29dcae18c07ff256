"""What stands where a model is to be saved, and whether it can be written: P08 to P12, P17."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import replace

from savelint.destination import errors, probe
from savelint.destination.aim import SUFFIXES, Aim
from savelint.destination.outcome import Advice, Kind, Problem, Verdict
from savelint.destination.tree import Way

# What TensorFlow writes into a SavedModel; of these, `variables` and `assets` are directories.
_PARTS = ("saved_model.pb", "fingerprint.pb")
_DIRECTORIES = ("variables", "assets")
# What a checkpoint consists of. The data are renamed into place, the index is overwritten.
DATA, INDEX = ".data-00000-of-00001", ".index"
_STATE = "checkpoint"  # where Checkpoint.save keeps the name of the latest
_MAGIC = (b"PK\x03\x04", b"\x89HDF\r\n\x1a\n")
# Switches the locks of the HDF5 library off, if set before it is loaded.
_LOCKING = "HDF5_USE_FILE_LOCKING"
_HELP = {
    errno.EROFS: "save elsewhere: this file system is mounted read-only",
    errno.EPERM: "look at `lsattr`; `chattr -i` or `chattr -a` takes the attribute off",
    errno.EACCES: "change the owner or the mode, or save elsewhere",
}


def check(aim: Aim, way: Way) -> Iterator[Problem]:
    """Yield what stands in the way, and what may not be written."""
    if aim.kind is Kind.CHECKPOINT:
        yield from _checkpoint(aim, way)
    elif way.missing:
        yield from _directory(aim, way.last, way.missing[0], opened=False)
    elif aim.kind is Kind.SAVED_MODEL:
        yield from _saved_model(aim)
    else:
        yield from _file(aim)


def advice(aim: Aim) -> Iterator[Advice]:
    """Yield what to know before a good model is overwritten."""
    if not aim.kind.is_file:
        return  # TensorFlow writes beside the old one, then renames: the old one survives
    try:
        with open(aim.path, "rb") as file:
            good = file.read(8).startswith(_MAGIC)
    except OSError:
        return
    if not good:
        return
    suffix = next(s for s in SUFFIXES[aim.kind] if aim.path.endswith(s))
    save = "save_weights" if aim.kind is Kind.WEIGHTS else "save"
    yield Advice(
        "P17",
        "there is a model, which is overwritten in place: if saving fails or is killed, both the "
        "old and the new one are lost",
        f"""save beside it, then rename:
path = os.path.realpath(path)
tmp = path[:-{len(suffix)}] + f".tmp{{os.getpid()}}{suffix}"
try:
    model.{save}(tmp)
    os.replace(tmp, path)
finally:
    if os.path.exists(tmp):
        os.remove(tmp)""",
    )


# ---------------------------------------------------------------------- files


def _file(aim: Aim) -> Iterator[Problem]:
    path = aim.path
    try:
        status = os.stat(path)
    except FileNotFoundError:
        yield from _new_file(aim)
        return
    except OSError as problem:
        if problem.errno == errno.ELOOP:
            yield _looping(aim, errors.opening(aim.kind, errno.ELOOP, path))
        else:
            yield Problem("P10", Verdict.UNKNOWN, f"{path} cannot be read: {problem.strerror}")
        return
    if stat.S_ISDIR(status.st_mode):
        yield Problem(
            "P09",
            Verdict.FAILS,
            f"{path} is a directory",
            "a file is to be written there",
            errors.opening(aim.kind, errno.EISDIR, path),
            "save to another name, or move the directory out of the way",
        )
    elif stat.S_ISSOCK(status.st_mode):
        yield Problem(
            "P09",
            Verdict.FAILS,
            f"{path} is a socket",
            error=errors.opening(aim.kind, errno.ENXIO, path),
            help="save to another name",
        )
    elif not stat.S_ISREG(status.st_mode):
        yield Problem("P09", Verdict.UNKNOWN, f"{path} is a device or a pipe, not a file")
    else:
        yield from _old_file(aim)


def _new_file(aim: Aim) -> Iterator[Problem]:
    path = aim.path
    if not os.path.islink(path):
        yield from _directory(aim, aim.directory, path, opened=True)
        return
    # Saving through a link makes the file that it leads to.
    real = os.path.realpath(path)
    directory = os.path.dirname(real)
    if os.path.isdir(directory):
        yield from _directory(aim, directory, path, opened=True)
        return
    yield Problem(
        "P08",
        Verdict.FAILS,
        f"the link {path} leads to {real}, and there is no directory {directory}",
        "no call that saves makes the directory that a link leads to",
        errors.opening(aim.kind, errno.ENOENT, path),
        f"os.makedirs({directory!r}), or mend the link",
    )


def _old_file(aim: Aim) -> Iterator[Problem]:
    read = not (aim.kind is Kind.KERAS and aim.keras_version == 3)
    problem = probe.open_existing(aim.path, read=read, exclusive=aim.kind.is_hdf5)
    if problem is None:
        return
    number = problem.errno or errno.EIO
    if number in (errno.EAGAIN, errno.EWOULDBLOCK):
        yield _locked(aim)
    else:
        yield Problem(
            "P10" if number == errno.EROFS else "P12",
            Verdict.FAILS,
            f"{aim.path} may not be written: {os.strerror(number)}",
            "it is overwritten in place, so it must be writable itself",
            errors.opening(aim.kind, number, aim.path),
            _HELP.get(number, "save to another name"),
        )


def _locked(aim: Aim) -> Problem:
    off = os.environ.get(_LOCKING, "").upper() in ("FALSE", "0")
    return Problem(
        "P11",
        Verdict.UNKNOWN if off else Verdict.FAILS,
        f"{aim.path} is open in another process, or elsewhere in this one",
        f"{_LOCKING} is set, but counts only if it was so before h5py was imported"
        if off
        else "the HDF5 library empties the file, then fails to lock it: the old model is lost too",
        errors.locked(),
        "close it there (`with h5py.File(...)`), or save to another name",
    )


# ---------------------------------------------------------------------- SavedModels


def _saved_model(aim: Aim) -> Iterator[Problem]:
    path = aim.path.rstrip("/") or "/"
    try:
        status = os.stat(path)
    except FileNotFoundError:
        if os.path.islink(path):
            yield Problem(
                "P08",
                Verdict.FAILS,
                f"the link {path} leads to {os.path.realpath(path)}, which is not there",
                "TensorFlow makes a directory, but not the one that a link leads to",
                errors.tensorflow(errno.ENOENT, f"{path}/variables"),
                f"os.makedirs({os.path.realpath(path)!r}), or mend the link",
            )
        else:
            yield from _directory(aim, aim.directory, path, opened=False)
        return
    except OSError as problem:
        if problem.errno == errno.ELOOP:
            yield _looping(aim, errors.tensorflow(errno.ELOOP, f"{path}/variables"))
        else:
            yield Problem("P10", Verdict.UNKNOWN, f"{path} cannot be read: {problem.strerror}")
        return
    if not stat.S_ISDIR(status.st_mode):
        yield _occupied(path)
        return
    yield from _parts(aim, path)


def _parts(aim: Aim, path: str) -> Iterator[Problem]:
    """Check the directories of an existing SavedModel, and the files that are replaced."""
    variables = f"{path}/variables"
    for name in _DIRECTORIES:
        part = f"{path}/{name}"
        if os.path.lexists(part) and not os.path.isdir(part):
            yield _occupied(part)
            return
    if os.path.isdir(variables):
        problems = list(_directory(aim, variables, path + errors.TEMPORARY[aim.kind], opened=False))
        if problems or os.path.realpath(variables) == os.path.realpath(path):
            yield from problems
            return
        yield from _directory(aim, path, f"{path}/saved_model.pb...", opened=False)
    else:
        yield from _directory(aim, path, variables, opened=False)
    yield from _weights(f"{variables}/variables", Verdict.FAILS)
    for name in _PARTS:
        part = f"{path}/{name}"
        if os.path.isdir(part):
            error = f"FailedPreconditionError: {part}.tmp...; {os.strerror(errno.EISDIR)}"
            yield _directory_in_place(part, error)
        elif os.path.lexists(part) and (problem := _irreplaceable(part)):
            number, text = problem
            yield _fixed(part, text, errors.tensorflow(number, f"{part}.tmp..."))


# ---------------------------------------------------------------------- checkpoints


def _checkpoint(aim: Aim, way: Way) -> Iterator[Problem]:
    if way.missing:
        yield from _directory(aim, way.last, way.missing[0], opened=False)
        return
    directory, prefix = aim.directory, aim.path
    yield from _directory(aim, directory, prefix + errors.TEMPORARY[aim.kind], opened=False)
    yield from _weights(prefix, Verdict.FAILS)
    # `Checkpoint.save` begins to count anew in every process that has restored none.
    yield from _weights(f"{prefix}-1", Verdict.UNKNOWN)
    if probe.append_only(directory):
        yield Problem(
            "P10",
            Verdict.UNKNOWN,
            f"in {directory}, files can be added but not replaced (`chattr +a`)",
            "`Checkpoint.write` can do with that; `Checkpoint.save`, and `save_weights` of "
            "Keras 2, cannot",
            help=f"chattr -a {directory}",
        )
    state = os.path.join(directory, _STATE)
    if os.path.isdir(state) or (os.path.lexists(state) and _irreplaceable(state)):
        yield Problem(
            "P12",
            Verdict.UNKNOWN,
            f"{state} cannot be replaced",
            "`Checkpoint.save`, and `save_weights` of Keras 2, write the name of the latest "
            "checkpoint to it; `Checkpoint.write` does not",
        )


def _weights(prefix: str, verdict: Verdict) -> Iterator[Problem]:
    """Check the files of earlier weights, which are to be overwritten."""
    for suffix in (DATA, INDEX):
        path = prefix + suffix
        if not os.path.lexists(path):
            continue
        problem = _earlier(path, f"{prefix}_temp{errors.PART}")
        if problem is not None:
            yield replace(problem, verdict=verdict)


def _earlier(path: str, temporary: str) -> Problem | None:
    """What keeps an earlier file of weights from being overwritten, by one that is renamed."""
    if os.path.isdir(path):
        return _directory_in_place(path, errors.tensorflow(errno.EISDIR, path))
    if path.endswith(DATA):
        found = _irreplaceable(path)
        return found and _fixed(path, found[1], errors.tensorflow(found[0], temporary))
    if os.path.islink(path) and not os.path.isdir(os.path.dirname(os.path.realpath(path))):
        return Problem(
            "P08",
            Verdict.FAILS,
            f"the link {path} leads to {os.path.realpath(path)}, which is not there",
            error=errors.tensorflow(errno.ENOENT, path),
            help="remove the link",
        )
    refusal = probe.open_existing(path, read=False) if os.path.isfile(path) else None
    if refusal is None:
        return None
    number = refusal.errno or errno.EIO
    return Problem(
        "P12",
        Verdict.FAILS,
        f"{path} may not be written: {os.strerror(number)}",
        "TensorFlow replaces the weights, but overwrites their index",
        errors.tensorflow(number, path),
        _HELP.get(number, "save to another name"),
    )


# ---------------------------------------------------------------------- what all have in common


def _directory(aim: Aim, directory: str, made: str, *, opened: bool) -> Iterator[Problem]:
    """Check that `made` can be put into a directory; `opened` if it is the model's own file."""
    problem = probe.write_new(directory)
    if problem is None:
        return
    number = problem.errno or errno.EIO
    if number in (errno.ENOSPC, errno.EFBIG):
        return  # how much may be written is another question, and `room` answers it
    error = (
        errors.opening(aim.kind, number, made)
        if opened
        else errors.making(aim.kind, aim.keras_version, number, made)
    )
    known = number in (errno.EROFS, errno.EPERM, errno.EACCES)
    yield Problem(
        "P13" if number == errno.EDQUOT else "P10",
        Verdict.FAILS if known or number == errno.EDQUOT else Verdict.UNKNOWN,
        f"nothing can be written to {directory}: {os.strerror(number)}",
        "",
        error if known else "",
        _HELP.get(number, "save elsewhere"),
    )


def _irreplaceable(path: str) -> tuple[int, str] | None:
    """Why a file cannot be replaced by another of its name."""
    problem = probe.fixed(path)
    if problem is None and probe.append_only(os.path.dirname(path) or "."):
        return errno.EPERM, "its directory lets files be added but not replaced (`chattr +a`)"
    if problem is None:
        return None
    return problem.errno or errno.EPERM, problem.strerror or ""


def _fixed(path: str, text: str, error: str) -> Problem:
    return Problem(
        "P12", Verdict.FAILS, f"{path} cannot be replaced: {text}", "", error, _HELP[errno.EPERM]
    )


def _occupied(path: str) -> Problem:
    return Problem(
        "P09",
        Verdict.FAILS,
        f"{path} is not a directory",
        "TensorFlow needs a directory there",
        errors.not_a_directory(path),
        "save to another name, or move it out of the way",
    )


def _directory_in_place(path: str, error: str) -> Problem:
    return Problem(
        "P09",
        Verdict.FAILS,
        f"{path} is a directory",
        "TensorFlow needs a file there",
        error,
        "save to another name, or move the directory out of the way",
    )


def _looping(aim: Aim, error: str) -> Problem:
    return Problem(
        "P08",
        Verdict.FAILS,
        f"the link {aim.path} leads back to itself",
        "",
        error,
        "mend the link",
    )
