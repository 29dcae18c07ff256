"""What the system lets this process do, tried without leaving a trace."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_BLOCK = 4096
# The system knows no nameless files, or this file system does not.
_NO_TMPFILE = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT})
_PREFIX = ".savelint-preflight-"
# Of <linux/fs.h>: the request for a file's attributes, and the one that `chattr +a` sets.
_GET_FLAGS = 0x80086601
_APPEND_ONLY = 0x20


def write_new(directory: str) -> OSError | None:
    """Make a file in `directory` and write a block to it; what stood in the way, or None.

    The file has no name where the system allows that (Linux), so that the directory is not
    changed and nothing can be left in it. Elsewhere it has one for an instant, in which
    signals wait, and the directory's time of change is put back.
    """
    try:
        with _nameless(directory) as file:
            if file is not None:
                return _write(file)
        with _named(directory) as file:
            return _write(file)
    except OSError as error:
        return error


def open_existing(path: str, *, read: bool, exclusive: bool = False) -> OSError | None:
    """Open a regular file for writing as the calls that save do, without emptying it.

    With `exclusive`, lock it for an instant, as the HDF5 library would.
    """
    flags = (os.O_RDWR if read else os.O_WRONLY) | getattr(os, "O_CLOEXEC", 0)
    real = os.path.realpath(path) if os.path.islink(path) else path
    try:
        if os.stat(os.path.dirname(real) or ".").st_mode & stat.S_ISVTX:
            # Where everybody may write, Linux refuses to open for making what is another's.
            flags |= os.O_CREAT
        file = os.open(path, flags)
    except OSError as error:
        return error
    try:
        if exclusive:
            _lock(file)
    except OSError as error:
        return error
    finally:
        os.close(file)
    return None


def fixed(path: str) -> OSError | None:
    """What keeps a file from being replaced by another though its directory may be written.

    That is an attribute of its own (`chattr +i`, `+a`), or a directory in which everybody may
    replace but their own files. Its mode is no obstacle.
    """
    try:
        flags = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
        os.close(os.open(path, os.O_WRONLY | flags))
    except OSError as error:
        if error.errno == errno.EPERM:
            return error
    if hasattr(os, "geteuid") and (user := os.geteuid()) != 0:
        parent = os.stat(os.path.dirname(path) or ".")
        if parent.st_mode & stat.S_ISVTX and user not in (parent.st_uid, os.lstat(path).st_uid):
            return PermissionError(errno.EPERM, os.strerror(errno.EPERM), path)
    return None


def append_only(directory: str) -> bool:
    """Tell whether files can be put into a directory but neither replaced nor removed."""
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        flags = fcntl.ioctl(file, _GET_FLAGS, bytes(8))
    except OSError:
        return False
    finally:
        os.close(file)
    return bool(int.from_bytes(flags[:4], sys.byteorder) & _APPEND_ONLY)


def _lock(file: int) -> None:
    if sys.platform == "win32":
        return
    import fcntl

    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _write(file: int) -> OSError | None:
    try:
        os.write(file, bytes(_BLOCK))
        os.fsync(file)  # some file systems find out only now that they are full
    except OSError as error:
        return error
    return None


@contextmanager
def _nameless(directory: str) -> Iterator[int | None]:
    """A new file that has no name, or None where there are no such files."""
    if not hasattr(os, "O_TMPFILE"):
        yield None
        return
    try:
        file = os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in _NO_TMPFILE:
            raise
        yield None
        return
    try:
        yield file
    finally:
        os.close(file)


@contextmanager
def _named(directory: str) -> Iterator[int]:
    """A new file that loses its name as soon as the system lets it."""
    path = os.path.join(directory, _PREFIX + secrets.token_hex(8))
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_TEMPORARY", 0)
    before = os.stat(directory)
    with _signals_wait():
        file = os.open(path, flags, 0o600)
        if sys.platform != "win32":
            _unname(path, file)
    try:
        yield file
    finally:
        os.close(file)  # which on Windows is when the file goes, by O_TEMPORARY
        with contextlib.suppress(OSError):  # only the owner of a directory may set its times
            os.utime(directory, ns=(before.st_atime_ns, before.st_mtime_ns))


def _unname(path: str, file: int) -> None:
    """Take its name from an open file, whatever happens; what did happen is raised."""
    try:
        os.unlink(path)
    except BaseException:  # a signal that another thread of the process was given
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        os.close(file)
        raise


@contextmanager
def _signals_wait() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
