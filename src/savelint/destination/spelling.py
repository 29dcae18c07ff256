"""What the text of a path says, before any look at the disk: P01 to P04."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterator

from savelint.destination import errors
from savelint.destination.aim import SUFFIXES, Aim, told_kind
from savelint.destination.outcome import Kind, Problem, Verdict

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_LOCAL_SCHEME = "file"
# Keras itself saves to the Hugging Face Hub.
_SCHEMES_OF_KERAS = frozenset({"hf"})
# The suffixes by which `save_weights` of Keras 2 writes HDF5 as well.
_WEIGHTS_OF_KERAS_2 = (".weights.h5", ".h5", ".hdf5", ".keras")
_VARIABLE = re.compile(r"(?:^|/)\$(?:\{(\w+)\}|([A-Za-z_]\w*))")
_WRITTEN = {
    Kind.KERAS: "a `.keras` file",
    Kind.H5: "a `.h5` file",
    Kind.WEIGHTS: "a `.weights.h5` file",
    Kind.SAVED_MODEL: "a SavedModel",
    Kind.CHECKPOINT: "a checkpoint",
}


def written(kind: Kind) -> str:
    """What is written, for people: `a .keras file`."""
    return _WRITTEN[kind]


def local_path(aim: Aim) -> str:
    """The path on this machine that `file://` stands for; any other path as it is.

    The `.h5` saving of Keras 3 knows no schemes at all.
    """
    literal = aim.kind is Kind.H5 and aim.keras_version == 3
    return aim.path if literal else aim.path.removeprefix(f"{_LOCAL_SCHEME}://")


def fatal(aim: Aim) -> Iterator[Problem]:
    """Yield what makes every further look at the path idle."""
    yield from _empty(aim)
    yield from _characters(aim)
    yield from _scheme(aim)
    yield from _suffix(aim)


def doubtful(aim: Aim) -> Iterator[Problem]:
    """Yield what the path does not mean although it says it: P04."""
    home = os.path.expanduser(aim.path)
    if home != aim.path:
        first = aim.path.split("/", 1)[0]
        yield Problem(
            "P04",
            Verdict.FAILS,
            f"nothing expands the `~`: the model does not go to {home}",
            f"it goes below a directory named `{first}` in the working directory"
            + ("" if aim.makes_parents else ", if there is one"),
            "" if aim.makes_parents else _missing(aim, first),
            "pass os.path.expanduser(path)",
        )
    for match in _VARIABLE.finditer(aim.path):
        name = match[1] or match[2]
        upto = aim.path[: match.end()]
        if os.path.lexists(upto):
            continue
        yield Problem(
            "P04",
            Verdict.FAILS if name in os.environ else Verdict.UNKNOWN,
            f"nothing expands the `${name}`"
            + (", which is not set here" if name not in os.environ else ""),
            f"the model goes to, or into, something named `{os.path.basename(upto)}`",
            "" if aim.makes_parents or upto == aim.path else _missing(aim, upto),
            "pass os.path.expandvars(path)",
        )


def _missing(aim: Aim, directory: str) -> str:
    if os.path.isdir(directory):
        return ""
    return errors.opening(aim.kind, errno.ENOENT, aim.path)


def _empty(aim: Aim) -> Iterator[Problem]:
    if aim.path:
        return
    error = aim.error(errors.suffix(aim.kind, "")) if aim.kind.is_file else ""
    if aim.kind is Kind.WEIGHTS and aim.keras_version == 2:
        error = "ValueError: no path specified"
    yield Problem(
        "P01", Verdict.FAILS, "the path is empty", error=error, help="pass the path to save to"
    )


def _characters(aim: Aim) -> Iterator[Problem]:
    if "\0" in aim.path:
        errors_seen = {
            Kind.KERAS: "ValueError: embedded null byte",
            Kind.SAVED_MODEL: "FailedPreconditionError: ...saved_model.pb.tmp...; Is a directory",
        }
        yield Problem(
            "P02",
            Verdict.FAILS,
            "there is a NUL in the path",
            "no system call takes one: what is written, if anything, goes to a path cut off there",
            errors_seen.get(aim.kind, ""),
            "take it out",
        )
    if aim.kind.is_file:
        return
    try:
        aim.path.encode()
    except UnicodeEncodeError as problem:
        yield Problem(
            "P02",
            Verdict.FAILS,
            "the path is not UTF-8, and TensorFlow takes no other",
            error=f"UnicodeEncodeError: {problem}"
            if aim.kind is Kind.SAVED_MODEL
            else "ValueError: Error converting unicode string while converting Python sequence "
            "to Tensor.",
            help="rename the directory or file",
        )


def _scheme(aim: Aim) -> Iterator[Problem]:
    match = _SCHEME.match(aim.path)
    if match is None:
        return
    scheme = match[1]
    if aim.kind is Kind.H5 and aim.keras_version == 3:
        yield Problem(
            "P03",
            Verdict.FAILS,
            f"the model does not go to {aim.path}",
            "without an error, the `.h5` saving of Keras 3 writes it into a directory named "
            f"`{scheme}:` in the working directory",
            help="save a `.keras` file, or save locally and copy it with tf.io.gfile.copy",
        )
    elif scheme != _LOCAL_SCHEME:
        error = f"UnimplementedError: File system scheme '{scheme}' not implemented (file: ...)"
        known = _known_schemes()
        if known is not None and scheme not in {*known, *_SCHEMES_OF_KERAS}:
            yield Problem(
                "P03",
                Verdict.FAILS,
                f"TensorFlow, as it is loaded here, knows no {scheme}://",
                "a package such as tensorflow_io, imported before the model is saved, may add it",
                error,
                "import what adds it first, or save locally and copy the file",
            )
            return
        yield Problem(
            "P03",
            Verdict.UNKNOWN,
            f"{scheme}:// cannot be checked from here",
            "TensorFlow decides, when it saves, whether it knows the scheme, and the server "
            "whether it lets you write",
            error=error,
            help=f"try tf.io.gfile.exists({aim.path!r}) in the process that will save",
        )


def _known_schemes() -> frozenset[str] | None:
    """The schemes that TensorFlow knows; None where this process has not loaded it."""
    gfile = getattr(getattr(sys.modules.get("tensorflow"), "io", None), "gfile", None)
    ask = getattr(gfile, "get_registered_schemes", None)
    return frozenset(ask()) if ask is not None else None


def _suffix(aim: Aim) -> Iterator[Problem]:
    if not aim.path or not aim.kind.is_file:
        return
    suffixes = SUFFIXES[aim.kind]
    if aim.keras_version == 2 and aim.kind is Kind.WEIGHTS:
        suffixes = _WEIGHTS_OF_KERAS_2
    if aim.path.endswith(suffixes):
        return
    meant = told_kind(aim.path)
    if meant not in (aim.kind, None, Kind.SAVED_MODEL) and aim.path.endswith(
        SUFFIXES.get(meant, ())
    ):
        yield Problem(
            "P01",
            Verdict.UNKNOWN,
            f"{written(aim.kind)} was asked about, but the path is that of {written(meant)}",
            "Keras goes by the suffix",
            help="change either",
        )
        return
    wanted = " or ".join(f"`{suffix}`" for suffix in SUFFIXES[aim.kind])
    if aim.keras_version == 3:
        reason = "Keras 3 goes by the suffix and refuses any other"
    elif aim.kind is Kind.WEIGHTS:
        reason = "Keras 2 takes it for the prefix of a checkpoint and writes several files"
    else:
        reason = "without an error, Keras 2 writes a directory of that name, a SavedModel"
    yield Problem(
        "P01",
        Verdict.FAILS,
        f"the path of {written(aim.kind)} must end in {wanted}",
        reason,
        aim.error(errors.suffix(aim.kind, aim.path)),
        f"save to {_mended(aim)}",
    )


def _mended(aim: Aim) -> str:
    """The path with the suffix that it lacks."""
    wanted = SUFFIXES[aim.kind][0]
    stripped = aim.path.rstrip("/ \t\r\n")
    if stripped.lower().endswith(wanted):
        return stripped[: -len(wanted)] + wanted
    return stripped + wanted
