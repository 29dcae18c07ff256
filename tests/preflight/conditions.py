"""Places on real file systems where saving a model fails, or looks as if it would.

A condition is a context manager that makes a place below an empty directory and yields the
path to save to there; what it mounts, locks or limits it takes back. Standard library only.
"""

from __future__ import annotations

import fcntl
import os
import resource
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

KINDS = ("keras", "h5", "weights", "saved-model", "checkpoint")
FILES = ("keras", "h5", "weights")
HDF5 = ("h5", "weights")
TREE = ("saved-model",)
NAMES = {
    "keras": "m.keras",
    "h5": "m.h5",
    "weights": "m.weights.h5",
    "saved-model": "m",
    "checkpoint": "ckpt",
}
SUFFIXES = {"keras": ".keras", "h5": ".h5", "weights": ".weights.h5"}
# The model's weights are 1 MiB, which is what preflight is told.
MIB = 1 << 20
NEED = MIB
NOBODY = 65534


@dataclass(frozen=True)
class Place:
    """Where a case works: an empty directory, what is saved, and a directory with a good save.

    `numbered` if the call puts a number behind the prefix of a checkpoint.
    """

    base: Path
    kind: str
    good: Path
    numbered: bool = False

    @property
    def name(self) -> str:
        return NAMES[self.kind]

    @property
    def stem(self) -> str:
        """What the names of a checkpoint's files begin with."""
        return f"{self.name}-1" if self.numbered else self.name

    def put_good(self, directory: Path) -> Path:
        """Put the good save into a directory; returns the path that it was saved to."""
        shutil.copytree(self.good, directory, dirs_exist_ok=True)
        return directory / self.name

    def parts(self, directory: Path) -> list[Path]:
        """What `put_good` put there."""
        return sorted(directory / part.relative_to(self.good) for part in self.good.rglob("*"))


Make = Callable[[Place], AbstractContextManager[str]]


@dataclass(frozen=True)
class Condition:
    """A condition by its name, the kinds it is for, and what the machine must allow.

    `needs`: "mount" for file systems of its own, "root" for other users and attributes.
    """

    name: str
    make: Make
    kinds: tuple[str, ...] = KINDS
    needs: frozenset[str] = frozenset()


CONDITIONS: list[Condition] = []


def condition(
    name: str, kinds: tuple[str, ...] = KINDS, needs: str = ""
) -> Callable[[Callable[[Place], Iterator[str]]], None]:
    """Put what makes a condition into the list."""

    def add(function: Callable[[Place], Iterator[str]]) -> None:
        needed = frozenset(filter(None, [needs]))
        CONDITIONS.append(Condition(name, contextmanager(function), kinds, needed))

    return add


# ---------------------------------------------------------------------- tools


@contextmanager
def mounted(at: Path, options: str) -> Iterator[Path]:
    """A tmpfs at a new directory; taken away even if a broken HDF5 file is still open in it."""
    at.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(at)], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)


def remount_read_only(at: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(at)], check=True)


@contextmanager
def attribute(flag: str, *paths: Path) -> Iterator[None]:
    """An attribute of files, as of `chattr +i`, for a time."""
    subprocess.run(["chattr", f"+{flag}", *map(str, paths)], check=True)
    try:
        yield
    finally:
        subprocess.run(["chattr", f"-{flag}", *map(str, paths)], check=True)


@contextmanager
def user(number: int = NOBODY) -> Iterator[None]:
    """Another user than root, for all threads of the process, for a time."""
    groups = os.getgroups()
    os.setgroups([])
    os.setresgid(number, number, 0)
    os.setresuid(number, number, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
        os.setgroups(groups)


@contextmanager
def root_again() -> Iterator[None]:
    """Root's eyes for a look at what `user` may not see."""
    number = os.geteuid()
    if os.getresuid()[2] == 0:
        os.seteuid(0)
    try:
        yield
    finally:
        os.seteuid(number)


@contextmanager
def inside(directory: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def temporary(directory: Path) -> Iterator[None]:
    """Another directory for temporary files, for a time."""
    before = tempfile.tempdir
    tempfile.tempdir = str(directory)
    try:
        with environment(TMPDIR=str(directory)):
            yield
    finally:
        tempfile.tempdir = before


@contextmanager
def size_limit(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def locked(path: Path, how: int) -> Iterator[None]:
    """A lock such as HDF5 takes while it reads or writes a file."""
    with path.open("rb") as file:
        fcntl.flock(file, how)
        yield


def fill(directory: Path, leave: int) -> None:
    """Fill a file system but for so many bytes; a multiple of 4 KiB on tmpfs."""
    free = os.statvfs(directory)
    size = free.f_bavail * free.f_frsize - leave
    with (directory / "filler").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)


def use_inodes(directory: Path, leave: int) -> None:
    """Use the inodes of a file system up but for so many."""
    for number in range(os.statvfs(directory).f_favail - leave):
        (directory / f"filler{number}").touch()


def writable(base: Path) -> Path:
    """A directory that the other user may write to."""
    own = base / "own"
    own.mkdir()
    os.chown(own, NOBODY, NOBODY)
    return own


def give(number: int, paths: list[Path]) -> None:
    """Make another user the owner."""
    for path in paths:
        os.chown(path, number, number)


def parents(base: Path) -> None:
    """Let the other user reach `base`, below directories that may be private."""
    for directory in (base, *base.parents):
        mode = directory.stat().st_mode
        if not mode & 0o001:
            directory.chmod(mode | 0o011)


# ---------------------------------------------------------------------- where all is well


@condition("an empty directory")
def _(place: Place) -> Iterator[str]:
    yield str(place.base / place.name)


@condition("a bare name")
def _(place: Place) -> Iterator[str]:
    with inside(place.base):
        yield place.name


@condition("over a good save")
def _(place: Place) -> Iterator[str]:
    yield str(place.put_good(place.base))


@condition("spaces, umlauts and a newline in the name")
def _(place: Place) -> Iterator[str]:
    directory = place.base / "mein Ordner ü\n%s"
    directory.mkdir()
    yield str(directory / place.name)


@condition("a name that is not UTF-8")
def _(place: Place) -> Iterator[str]:
    directory = os.fsdecode(os.fsencode(place.base) + b"/\xff")
    os.mkdir(directory)
    yield f"{directory}/{place.name}"


# ---------------------------------------------------------------------- the path's text


@condition("an empty path")
def _(place: Place) -> Iterator[str]:
    with inside(place.base):
        yield ""


@condition("a NUL in the path")
def _(place: Place) -> Iterator[str]:
    yield str(place.base / f"a\0{place.name}")


@condition("another suffix", FILES)
def _(place: Place) -> Iterator[str]:
    yield str(place.base / "m.model")


@condition("the suffix in capitals", FILES)
def _(place: Place) -> Iterator[str]:
    yield str(place.base / place.name.upper())


@condition("a blank after the suffix", FILES)
def _(place: Place) -> Iterator[str]:
    yield str(place.base / f"{place.name} ")


@condition("a slash at the end")
def _(place: Place) -> Iterator[str]:
    yield str(place.base / place.name) + "/"


@condition(".hdf5", ("h5",))
def _(place: Place) -> Iterator[str]:
    yield str(place.base / "m.hdf5")


for scheme in ("s3", "hdfs", "http"):

    @condition(f"{scheme}://")
    def _(place: Place, scheme: str = scheme) -> Iterator[str]:
        with inside(place.base):
            yield f"{scheme}://bucket/{place.name}"


@condition("file://")
def _(place: Place) -> Iterator[str]:
    with inside(place.base):
        yield f"file://{place.base}/{place.name}"


@condition("~/ with a home")
def _(place: Place) -> Iterator[str]:
    home = place.base / "home"
    home.mkdir()
    with inside(place.base), environment(HOME=str(home)):
        yield f"~/{place.name}"


@condition("~/ where there is a directory ~")
def _(place: Place) -> Iterator[str]:
    home = place.base / "home"
    home.mkdir()
    (place.base / "~").mkdir()
    with inside(place.base), environment(HOME=str(home)):
        yield f"~/{place.name}"


@condition("a name that begins with ~")
def _(place: Place) -> Iterator[str]:
    with inside(place.base):
        yield f"~backup-{place.name}"


@condition("$HOME/")
def _(place: Place) -> Iterator[str]:
    home = place.base / "home"
    home.mkdir()
    with inside(place.base), environment(HOME=str(home)):
        yield f"$HOME/{place.name}"


@condition("a variable that is not set")
def _(place: Place) -> Iterator[str]:
    with inside(place.base):
        yield f"$NO_SUCH_RUN/{place.name}"


@condition("a name with $ in it")
def _(place: Place) -> Iterator[str]:
    yield str(place.base / f"cost$5-{place.name}")


def long_name(place: Place, size: int, letter: str = "n") -> str:
    suffix = SUFFIXES.get(place.kind, "")
    return letter * ((size - len(suffix)) // len(letter.encode())) + suffix


for size in (200, 234, 236, 255, 256):

    @condition(f"a name of {size} bytes")
    def _(place: Place, size: int = size) -> Iterator[str]:
        yield str(place.base / long_name(place, size))


@condition("a name of 131 umlauts")
def _(place: Place) -> Iterator[str]:
    yield str(place.base / long_name(place, 262, "ü"))


@condition("a parent of 256 bytes")
def _(place: Place) -> Iterator[str]:
    yield str(place.base / ("d" * 256) / place.name)


def deep(place: Place, size: int) -> str:
    """A path of `size` bytes, whose directories exist."""
    directory = str(place.base)
    with inside(place.base):
        while (rest := size - len(directory) - len(place.name) - 1) > 0:
            # Never a last piece of nothing but its slash.
            name = "d" * (rest - 1 if rest <= 200 else 197)
            os.mkdir(name)
            os.chdir(name)
            directory += f"/{name}"
    return f"{directory}/{place.name}"


for size in (3970, 4050, 4096):

    @condition(f"a path of {size} bytes")
    def _(place: Place, size: int = size) -> Iterator[str]:
        path = deep(place, size)
        assert len(path) == size
        yield path


# ---------------------------------------------------------------------- what lies on the way


@condition("no parent")
def _(place: Place) -> Iterator[str]:
    yield str(place.base / "runs" / place.name)


@condition("no grandparent")
def _(place: Place) -> Iterator[str]:
    yield str(place.base / "runs" / "7" / place.name)


@condition("no working directory")
def _(place: Place) -> Iterator[str]:
    gone = place.base / "gone"
    gone.mkdir()
    before = Path.cwd()
    os.chdir(gone)
    gone.rmdir()
    try:
        yield place.name
    finally:
        os.chdir(before)


@condition("a parent that is a file")
def _(place: Place) -> Iterator[str]:
    (place.base / "runs").touch()
    yield str(place.base / "runs" / place.name)


@condition("a grandparent that is a file")
def _(place: Place) -> Iterator[str]:
    (place.base / "runs").touch()
    yield str(place.base / "runs" / "7" / place.name)


@condition("a parent that is a broken link")
def _(place: Place) -> Iterator[str]:
    (place.base / "runs").symlink_to("nowhere")
    yield str(place.base / "runs" / place.name)


@condition("a parent that is a link")
def _(place: Place) -> Iterator[str]:
    (place.base / "real").mkdir()
    (place.base / "runs").symlink_to("real")
    yield str(place.base / "runs" / place.name)


@condition(".. behind a link")
def _(place: Place) -> Iterator[str]:
    (place.base / "a" / "real").mkdir(parents=True)
    (place.base / "runs").symlink_to("a/real")
    yield str(place.base / "runs" / ".." / place.name)


@condition(".. behind a missing directory")
def _(place: Place) -> Iterator[str]:
    yield str(place.base / "missing" / ".." / place.name)


@condition("a link to a good save", (*FILES, *TREE))
def _(place: Place) -> Iterator[str]:
    place.put_good(place.base).rename(place.base / f"real-{place.name}")
    (place.base / place.name).symlink_to(f"real-{place.name}")
    yield str(place.base / place.name)


@condition("a broken link whose target can be made", (*FILES, *TREE))
def _(place: Place) -> Iterator[str]:
    (place.base / place.name).symlink_to(f"real-{place.name}")
    yield str(place.base / place.name)


@condition("a broken link whose target's parent is missing", (*FILES, *TREE))
def _(place: Place) -> Iterator[str]:
    (place.base / place.name).symlink_to(f"nowhere/{place.name}")
    yield str(place.base / place.name)


@condition("a link to itself", (*FILES, *TREE))
def _(place: Place) -> Iterator[str]:
    (place.base / place.name).symlink_to(place.name)
    yield str(place.base / place.name)


@condition("broken links in place of the files", ("checkpoint",))
def _(place: Place) -> Iterator[str]:
    for suffix in (".index", ".data-00000-of-00001"):
        (place.base / f"{place.stem}{suffix}").symlink_to("nowhere/x")
    yield str(place.base / place.name)


@condition("an empty directory of that name")
def _(place: Place) -> Iterator[str]:
    (place.base / place.name).mkdir()
    yield str(place.base / place.name)


@condition("a full directory of that name")
def _(place: Place) -> Iterator[str]:
    (place.base / place.name).mkdir()
    (place.base / place.name / "notes.txt").touch()
    yield str(place.base / place.name)


@condition("a file of that name")
def _(place: Place) -> Iterator[str]:
    (place.base / place.name).write_text("notes")
    yield str(place.base / place.name)


@condition("a file named variables", TREE)
def _(place: Place) -> Iterator[str]:
    (place.base / place.name).mkdir()
    (place.base / place.name / "variables").touch()
    yield str(place.base / place.name)


@condition("a directory named saved_model.pb", TREE)
def _(place: Place) -> Iterator[str]:
    (place.base / place.name / "saved_model.pb").mkdir(parents=True)
    yield str(place.base / place.name)


@condition("directories in place of the files", ("checkpoint",))
def _(place: Place) -> Iterator[str]:
    (place.base / f"{place.stem}.index").mkdir()
    yield str(place.base / place.name)


@condition("a directory in place of the latest checkpoint's name", ("checkpoint",))
def _(place: Place) -> Iterator[str]:
    (place.base / "checkpoint").mkdir()
    yield str(place.base / place.name)


@condition("a socket of that name", FILES)
def _(place: Place) -> Iterator[str]:
    with inside(place.base), socket.socket(socket.AF_UNIX) as end:
        end.bind(place.name)
        yield str(place.base / place.name)


# ---------------------------------------------------------------------- file systems


@condition("a read-only file system", needs="mount")
def _(place: Place) -> Iterator[str]:
    with mounted(place.base / "fs", "size=8m") as disk:
        remount_read_only(disk)
        yield str(disk / place.name)


@condition("no parent on a read-only file system", needs="mount")
def _(place: Place) -> Iterator[str]:
    with mounted(place.base / "fs", "size=8m") as disk:
        remount_read_only(disk)
        yield str(disk / "runs" / place.name)


@condition("a good save on a read-only file system", needs="mount")
def _(place: Place) -> Iterator[str]:
    with mounted(place.base / "fs", "size=8m") as disk:
        place.put_good(disk)
        remount_read_only(disk)
        yield str(disk / place.name)


@condition("a link to a read-only file system", (*FILES, *TREE), needs="mount")
def _(place: Place) -> Iterator[str]:
    with mounted(place.base / "fs", "size=8m") as disk:
        place.put_good(disk)
        remount_read_only(disk)
        (place.base / place.name).symlink_to(disk / place.name)
        yield str(place.base / place.name)


@condition("a full file system", needs="mount")
def _(place: Place) -> Iterator[str]:
    with mounted(place.base / "fs", "size=8m") as disk:
        fill(disk, 0)
        yield str(disk / place.name)


@condition("a full file system, with a good save on it", needs="mount")
def _(place: Place) -> Iterator[str]:
    with mounted(place.base / "fs", "size=8m") as disk:
        place.put_good(disk)
        fill(disk, 0)
        yield str(disk / place.name)


@condition("room for less than the model", needs="mount")
def _(place: Place) -> Iterator[str]:
    with mounted(place.base / "fs", "size=8m") as disk:
        fill(disk, MIB // 2)
        yield str(disk / place.name)


@condition("room for the model", needs="mount")
def _(place: Place) -> Iterator[str]:
    with mounted(place.base / "fs", "size=8m") as disk:
        fill(disk, MIB + MIB // 4)
        yield str(disk / place.name)


@condition("room for the model twice", needs="mount")
def _(place: Place) -> Iterator[str]:
    with mounted(place.base / "fs", "size=8m") as disk:
        fill(disk, 2 * MIB + MIB // 2)
        yield str(disk / place.name)


@condition("room for half the model, with a good save to replace", needs="mount")
def _(place: Place) -> Iterator[str]:
    with mounted(place.base / "fs", "size=8m") as disk:
        place.put_good(disk)
        fill(disk, MIB // 2)
        yield str(disk / place.name)


for left in (0, 3, 4, 6, 7):

    @condition(f"{left} inodes left", needs="mount")
    def _(place: Place, left: int = left) -> Iterator[str]:
        with mounted(place.base / "fs", "size=16m,nr_inodes=64") as disk:
            use_inodes(disk, left)
            yield str(disk / place.name)


for left in (0, 2, 3):

    @condition(f"{left} inodes left, with a good save to replace", needs="mount")
    def _(place: Place, left: int = left) -> Iterator[str]:
        with mounted(place.base / "fs", "size=16m,nr_inodes=64") as disk:
            place.put_good(disk)
            use_inodes(disk, left)
            yield str(disk / place.name)


@condition("a file system that does not count inodes", needs="mount")
def _(place: Place) -> Iterator[str]:
    with mounted(place.base / "fs", "size=16m,nr_inodes=0") as disk:
        yield str(disk / place.name)


# ---------------------------------------------------------------------- permissions


@condition("an immutable directory", needs="root")
def _(place: Place) -> Iterator[str]:
    directory = place.base / "runs"
    directory.mkdir()
    with attribute("i", directory):
        yield str(directory / place.name)


@condition("no parent in an immutable directory", needs="root")
def _(place: Place) -> Iterator[str]:
    directory = place.base / "runs"
    directory.mkdir()
    with attribute("i", directory):
        yield str(directory / "7" / place.name)


@condition("an append-only directory", needs="root")
def _(place: Place) -> Iterator[str]:
    directory = place.base / "runs"
    directory.mkdir()
    with attribute("a", directory):
        yield str(directory / place.name)


@condition("a good save in an append-only directory", needs="root")
def _(place: Place) -> Iterator[str]:
    directory = place.base / "runs"
    directory.mkdir()
    path = place.put_good(directory)
    with attribute("a", directory):
        yield str(path)


@condition("a good save in an immutable directory", needs="root")
def _(place: Place) -> Iterator[str]:
    directory = place.base / "runs"
    directory.mkdir()
    path = place.put_good(directory)
    with attribute("i", directory):
        yield str(path)


@condition("an immutable good save", needs="root")
def _(place: Place) -> Iterator[str]:
    path = place.put_good(place.base)
    with attribute("i", *place.parts(place.base)):
        yield str(path)


@condition("an append-only good save", needs="root")
def _(place: Place) -> Iterator[str]:
    path = place.put_good(place.base)
    with attribute("a", *place.parts(place.base)):
        yield str(path)


@condition("the user's own directory", needs="root")
def _(place: Place) -> Iterator[str]:
    parents(place.base)
    own = writable(place.base)
    with user():
        yield str(own / place.name)


@condition("a directory of root", needs="root")
def _(place: Place) -> Iterator[str]:
    parents(place.base)
    (place.base / "runs").mkdir(mode=0o755)
    with user():
        yield str(place.base / "runs" / place.name)


@condition("no parent in a directory of root", needs="root")
def _(place: Place) -> Iterator[str]:
    parents(place.base)
    (place.base / "runs").mkdir(mode=0o755)
    with user():
        yield str(place.base / "runs" / "7" / place.name)


@condition("a private directory of root on the way", needs="root")
def _(place: Place) -> Iterator[str]:
    parents(place.base)
    (place.base / "runs").mkdir(mode=0o700)
    inner = place.base / "runs" / "own"
    inner.mkdir()
    os.chown(inner, NOBODY, NOBODY)
    with user():
        yield str(inner / place.name)


@condition("a directory that may be searched and written but not read", needs="root")
def _(place: Place) -> Iterator[str]:
    parents(place.base)
    own = writable(place.base)
    own.chmod(0o300)
    with user():
        yield str(own / place.name)


@condition("the user's good save", needs="root")
def _(place: Place) -> Iterator[str]:
    parents(place.base)
    own = writable(place.base)
    path = place.put_good(own)
    give(NOBODY, place.parts(own))
    with user():
        yield str(path)


@condition("the user's good save, read-only", needs="root")
def _(place: Place) -> Iterator[str]:
    parents(place.base)
    own = writable(place.base)
    path = place.put_good(own)
    give(NOBODY, place.parts(own))
    for part in place.parts(own):
        if part.is_file():
            part.chmod(0o444)
    with user():
        yield str(path)


@condition("the user's good save, with a read-only directory", TREE, needs="root")
def _(place: Place) -> Iterator[str]:
    parents(place.base)
    own = writable(place.base)
    path = place.put_good(own)
    give(NOBODY, place.parts(own))
    (path / "variables").chmod(0o555)
    with user():
        yield str(path)


@condition("root's good save in the user's directory", needs="root")
def _(place: Place) -> Iterator[str]:
    parents(place.base)
    own = writable(place.base)
    path = place.put_good(own)
    with user():
        yield str(path)


@condition("the user's good save in a directory of root", needs="root")
def _(place: Place) -> Iterator[str]:
    parents(place.base)
    directory = place.base / "runs"
    directory.mkdir()
    path = place.put_good(directory)
    give(NOBODY, place.parts(directory))
    with user():
        yield str(path)


@condition("a good save of another in a directory for all", needs="root")
def _(place: Place) -> Iterator[str]:
    parents(place.base)
    directory = place.base / "runs"
    directory.mkdir()
    path = place.put_good(directory)
    directory.chmod(0o1777)
    give(NOBODY, place.parts(directory))
    for part in place.parts(directory):
        part.chmod(part.stat().st_mode | 0o066)
    with user(NOBODY - 1):
        yield str(path)


@condition("a good save of a user in a directory for all, saved by root", needs="root")
def _(place: Place) -> Iterator[str]:
    directory = place.base / "runs"
    directory.mkdir()
    path = place.put_good(directory)
    directory.chmod(0o1777)
    give(NOBODY, place.parts(directory))
    yield str(path)


# ---------------------------------------------------------------------- locks and limits


@condition("an HDF5 file that is being read", FILES)
def _(place: Place) -> Iterator[str]:
    path = place.put_good(place.base)
    with locked(path, fcntl.LOCK_SH):
        yield str(path)


@condition("an HDF5 file that is being written", FILES)
def _(place: Place) -> Iterator[str]:
    path = place.put_good(place.base)
    with locked(path, fcntl.LOCK_EX):
        yield str(path)


@condition("an HDF5 file that is being read, without locking", HDF5)
def _(place: Place) -> Iterator[str]:
    path = place.put_good(place.base)
    with locked(path, fcntl.LOCK_SH), environment(HDF5_USE_FILE_LOCKING="FALSE"):
        yield str(path)


@condition("a limit on the size of files below the model's")
def _(place: Place) -> Iterator[str]:
    with size_limit(MIB // 2):
        yield str(place.base / place.name)


@condition("a limit on the size of files below the model's, over a good save")
def _(place: Place) -> Iterator[str]:
    path = place.put_good(place.base)
    with size_limit(MIB // 2):
        yield str(path)


@condition("a limit on the size of files above the model's")
def _(place: Place) -> Iterator[str]:
    with size_limit(MIB + MIB // 8):
        yield str(place.base / place.name)


@condition("a temporary directory that is full", needs="mount")
def _(place: Place) -> Iterator[str]:
    with mounted(place.base / "fs", "size=1m") as disk, temporary(disk):
        fill(disk, 0)
        yield str(place.base / place.name)


@condition("files of no size at all")
def _(place: Place) -> Iterator[str]:
    with size_limit(0):
        yield str(place.base / place.name)
