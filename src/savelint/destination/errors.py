"""What the calls that save raise, as it was seen: the texts by kind, generation and errno.

`.keras` files are opened by Python, `.h5` files by the HDF5 library, and all else is done by
TensorFlow. Each says what the system said, in its own words. Tests save for real and compare.
"""

from __future__ import annotations

import errno
import os

from savelint.destination.outcome import Kind

_TENSORFLOW = {
    errno.ENOENT: "NotFoundError",
    errno.EACCES: "PermissionDeniedError",
    errno.EPERM: "PermissionDeniedError",
    errno.EROFS: "PermissionDeniedError",
    errno.ENOTDIR: "FailedPreconditionError",
    errno.EISDIR: "FailedPreconditionError",
    errno.ENAMETOOLONG: "InvalidArgumentError",
    errno.ENOSPC: "ResourceExhaustedError",
    errno.EDQUOT: "ResourceExhaustedError",
    errno.EFBIG: "OutOfRangeError",
    errno.ELOOP: "UnknownError",
}
# Where TensorFlow puts the weights first, within a SavedModel and behind a checkpoint's prefix,
# which `Checkpoint.save` gives a number.
TEMPORARY = {
    Kind.SAVED_MODEL: "/variables/variables_temp",
    Kind.CHECKPOINT: "..._temp",
}
PART = "/part-00000-of-00001.data-00000-of-00001"
TEMPORARY_PART = PART + ".tempstate"
# One form of an error, or another.
OR = " | "


def opening(kind: Kind, number: int, path: str) -> str:
    """The error of opening the file of a kind that is one file."""
    if kind is Kind.KERAS:
        return python(number, path)
    text = os.strerror(number)
    return (
        f"{_python_class(number)}: [Errno {number}] Unable to synchronously create file (unable "
        f"to open file: name = '{path}', errno = {number}, error message = '{text}', "
        "flags = 13, o_flags = 242)"
    )


def making(kind: Kind, keras_version: int, number: int, path: str) -> str:
    """The error of making a directory or a temporary file at `path`."""
    if kind is Kind.H5 and keras_version == 3:
        return python(number, path)
    return tensorflow(number, path)


def writing(kind: Kind, number: int, path: str) -> str:
    """The error of writing the weights for a model that is saved to `path`."""
    text = os.strerror(number)
    if kind is Kind.KERAS:
        return f"{_python_class(number)}: [Errno {number}] {text}"
    if kind.is_hdf5:
        # Whichever of its writes the library finds wanting.
        forms = [f"{_python_class(number)}: [Errno {number}] ...error message = '{text}'..."]
        if kind is Kind.H5:
            forms.append(f"RuntimeError: ...error message = '{text}')")
        return OR.join(forms)
    return tensorflow(number, f"{path}{TEMPORARY[kind]}{TEMPORARY_PART}...")


def python(number: int, path: str) -> str:
    """The error of a call of Python's own."""
    return f"{_python_class(number)}: [Errno {number}] {os.strerror(number)}: {path!r}"


def tensorflow(number: int, path: str) -> str:
    """The error of a call of TensorFlow's, or nothing if it was never seen."""
    if number not in _TENSORFLOW:
        return ""
    return f"{_TENSORFLOW[number]}: {path}; {os.strerror(number)}"


def not_a_directory(path: str) -> str:
    """The error of TensorFlow where it needs a directory and finds `path`."""
    return f"FailedPreconditionError: {path} is not a directory"


def locked() -> str:
    """The error of the HDF5 library for a file that is open elsewhere."""
    number = errno.EAGAIN
    return (
        f"BlockingIOError: [Errno {number}] Unable to synchronously create file (unable to lock "
        f"file, errno = {number}, error message = '{os.strerror(number)}')"
    )


def suffix(kind: Kind, path: str) -> str:
    """The error of Keras 3 for a path without the suffix that the kind must have."""
    if kind is Kind.WEIGHTS:
        return f"ValueError: The filename must end in `.weights.h5`. Received: filepath={path}"
    return (
        "ValueError: Invalid filepath extension for saving. Please add either a `.keras` extension "
        "for the native Keras format (recommended) or a `.h5` extension. Use "
        "`model.export(filepath)` if you want to export a SavedModel for use with "
        f"TFLite/TFServing/etc. Received: filepath={path}."
    )


def _python_class(number: int) -> str:
    """The subclass of OSError that Python makes of an errno."""
    return type(OSError(number, "")).__name__
