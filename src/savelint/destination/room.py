"""How much may be written where a model is to be saved: P13 to P15."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator

from savelint.destination import errors, probe
from savelint.destination.aim import Aim
from savelint.destination.outcome import Kind, Problem, Verdict
from savelint.destination.size import size_text
from savelint.destination.target import DATA, INDEX
from savelint.destination.tree import Way

_LEAST = 4096  # no model is smaller
# `model.export` of Keras 3 stores the weights twice.
_EXPORT = 2
_MORE = "model.export of Keras 3 stores the weights twice"
# Inodes while the weights are written to a SavedModel or a checkpoint: a directory and two files.
_TEMPORARY_FILES = 3
_FILES = (f"variables/variables{INDEX}", f"variables/variables{DATA}")
_METADATA = "keras_metadata.pb"  # written by model.save of Keras 2 alone


def check(aim: Aim, way: Way) -> Iterator[Problem]:
    """Yield what is too small for the model; a size is only known if the aim has one."""
    yield from _size_limit(aim)
    if not hasattr(os, "statvfs"):
        return
    place = _place(aim, way)
    try:
        disk = os.statvfs(place)
    except OSError:
        return
    if not disk.f_blocks:
        return  # not a disk, or one that does not say
    inodes = list(_inodes(aim, way, disk))
    yield from inodes
    if not any(problem.verdict is Verdict.FAILS for problem in inodes):
        yield from _space(aim, place, disk)


def _place(aim: Aim, way: Way) -> str:
    """A file or directory on the file system that the model is written to."""
    if way.missing:
        return way.last
    if aim.kind is Kind.CHECKPOINT:
        return aim.directory
    if aim.kind is Kind.SAVED_MODEL:
        variables = os.path.join(aim.path, "variables")
        return next(filter(os.path.isdir, (variables, aim.path)), aim.directory)
    if os.path.exists(aim.path):
        return aim.path
    return (
        os.path.dirname(os.path.realpath(aim.path)) if os.path.islink(aim.path) else aim.directory
    )


def _space(aim: Aim, place: str, disk: os.statvfs_result) -> Iterator[Problem]:
    blocks = disk.f_bfree if _is_root() else disk.f_bavail
    free = blocks * disk.f_frsize
    old = 0
    if os.path.isfile(place):
        # The old file is emptied first, and that is all the room that is needed.
        old = os.stat(place).st_blocks * 512
    room = free + old
    least = aim.need if aim.need is not None else _LEAST
    help_text = "make room, or save elsewhere"
    full = room < _LEAST or (not old and _refused(place, errno.ENOSPC))
    if full or room < least:
        yield Problem(
            "P13",
            Verdict.FAILS,
            f"{size_text(room)} of room for {size_text(least)}"
            if aim.need is not None
            else "the file system is full",
            _both(aim, old=bool(old)),
            errors.writing(aim.kind, errno.ENOSPC, aim.path),
            help_text,
        )
    elif _exported(aim) and room < _EXPORT * least:
        yield Problem(
            "P13",
            Verdict.UNKNOWN,
            f"{size_text(room)} of room for {size_text(least)} once, but not twice",
            f"{_MORE}; tf.saved_model.save does not",
            errors.writing(aim.kind, errno.ENOSPC, aim.path),
            help_text,
        )


def _both(aim: Aim, *, old: bool) -> str:
    if old:
        return "that counts the room of the old file, which is emptied first"
    if aim.kind.is_file:
        return ""
    return "TensorFlow writes the new one beside the old one, so there must be room for both"


def _refused(place: str, number: int) -> bool:
    problem = probe.write_new(place) if os.path.isdir(place) else None
    return problem is not None and problem.errno == number


def _size_limit(aim: Aim) -> Iterator[Problem]:
    if sys.platform == "win32":
        return
    import resource

    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    least = aim.need if aim.need is not None else _LEAST
    if limit == resource.RLIM_INFINITY or limit >= _EXPORT * least:
        return
    if limit < least:
        verdict, reason = Verdict.FAILS, ""
    elif _exported(aim):
        verdict, reason = Verdict.UNKNOWN, f"{_MORE}; tf.saved_model.save does not"
    else:
        return
    yield Problem(
        "P15",
        verdict,
        f"this process may write files of {size_text(limit)} at most, and {size_text(least)} are "
        "needed",
        reason,
        errors.writing(aim.kind, errno.EFBIG, aim.path),
        "raise the limit: ulimit -f unlimited",
    )


def _exported(aim: Aim) -> bool:
    """Tell whether the call may be the one that stores the weights twice."""
    known = aim.need is not None
    return known and aim.kind is Kind.SAVED_MODEL and aim.keras_version == 3


def _inodes(aim: Aim, way: Way, disk: os.statvfs_result) -> Iterator[Problem]:
    if not disk.f_files:
        return  # this file system makes them as they are needed
    free = disk.f_ffree if _is_root() else disk.f_favail
    least, most, of = _wanted(aim)
    if free >= most + len(way.missing):
        return
    certain = free < least + len(way.missing)
    yield Problem(
        "P14",
        Verdict.FAILS if certain else Verdict.UNKNOWN,
        f"{free} inodes are left on the file system, and {most + len(way.missing)} are needed",
        "there may be free bytes all the same" if certain else f"only {of} needs them all",
        _inode_error(aim, free) if certain else "",
        "remove some files, however small",
    )


def _wanted(aim: Aim) -> tuple[int, int, str]:
    """The inodes that some call needs, that every call is content with, and which is not."""
    if aim.kind.is_file:
        made = int(not os.path.exists(aim.path))
        return made, made, ""
    if aim.kind is Kind.CHECKPOINT:
        if os.path.exists(aim.path + INDEX):  # which is overwritten
            return _TEMPORARY_FILES, _TEMPORARY_FILES, ""
        numbered = os.path.exists(f"{aim.path}-1{INDEX}")  # overwritten, or followed by -2
        return _TEMPORARY_FILES + (not numbered), _TEMPORARY_FILES + 1, "Checkpoint.save"
    there = {
        name: os.path.exists(os.path.join(aim.path, name))
        for name in ("", "variables", "assets", "saved_model.pb", "fingerprint.pb", *_FILES)
    }
    directories = (not there[""]) + (not there["variables"])
    writing = directories + _TEMPORARY_FILES + (not there[_FILES[0]])
    new = sum(not present for present in there.values())
    metadata = aim.keras_version == 2 and not os.path.exists(os.path.join(aim.path, _METADATA))
    return max(writing, new), max(writing, new + metadata), "model.save of Keras 2"


def _inode_error(aim: Aim, free: int) -> str:
    number = errno.ENOSPC
    if aim.kind.is_file:
        return errors.opening(aim.kind, number, aim.path)
    return f"ResourceExhaustedError: ...; {os.strerror(number)}"


def _is_root() -> bool:
    """Tell whether the part of a disk that is kept for root counts."""
    return hasattr(os, "geteuid") and os.geteuid() == 0
