"""Dotted module names and the files they mean, by the directories of a project.

Nothing is imported. A module's name is looked for where Python would find it when the
project is installed or run from its root: beside the outermost package that holds the
importing file, then in the directories above up to the project's root and in their `src`,
then among all packages of the repository, then beside the file itself, as for a script.
A directory without an `__init__.py` is a namespace package.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

from savelint.discover import EXCLUDED
from savelint.files import Files

_INIT = "__init__.py"
_REPOSITORY_MARKS = (".git", ".hg")
_PROJECT_MARKS = ("pyproject.toml", "setup.py", "setup.cfg", *_REPOSITORY_MARKS)
# Directories that hold other people's packages side by side: no project is one of them.
_SITES = frozenset({"site-packages", "dist-packages"})
# How deep below a repository's root its packages are looked for, in how many directories of
# one depth, and how many files a project has at most that is searched as a whole.
_PACKAGE_DEPTH = 4
_MAX_DIRECTORIES = 1_000
_MAX_FILES = 20_000


class Place(NamedTuple):
    """A module: its file, and the directory of its submodules.

    `file` is empty for a namespace package, `directory` for a module that is no package.
    """

    file: str
    directory: str


class Modules:
    """Finds the files of modules; `files` lists each directory once."""

    def __init__(self, files: Files | None = None) -> None:
        self._listing = (files or Files()).listing
        self._roots: dict[str, tuple[str, ...]] = {}
        self._places: dict[tuple[str, str], tuple[Place, ...]] = {}
        self._packages: dict[str, dict[str, Place | None]] = {}
        self._trees: dict[str, tuple[str, ...]] = {}
        self._inside: dict[str, frozenset[str]] = {}

    def package(self, path: str, level: int) -> Place | None:
        """What the `level` dots of a relative import in the file `path` stand for.

        Its `file` is left empty: an import looks there for submodules first.
        """
        directory = os.path.dirname(path)
        for _ in range(level - 1):
            directory = os.path.dirname(directory)
        return Place("", directory) if self._listing(directory) else None

    def file_of(self, place: Place) -> str:
        """The file of a module, that of a package too; empty for a namespace package."""
        if place.file or _INIT not in self._listing(place.directory):
            return place.file
        return os.path.join(place.directory, _INIT)

    def top(self, path: str, name: str) -> tuple[Place, ...]:
        """The modules that an absolute import of `name` in the file `path` may mean, best first.

        None of them for a module of the standard library.
        """
        if name in sys.stdlib_module_names:
            return ()
        key = os.path.dirname(path), name
        if key not in self._places:
            found = dict.fromkeys(self._top(key[0], name))
            # As for Python, a directory is a package only where nothing else has the name.
            self._places[key] = tuple(sorted(found, key=lambda place: not place.file))
        return self._places[key]

    def submodule(self, package: Place, name: str) -> Place | None:
        """The module `name` of a package."""
        return self._module(package.directory, name) if package.directory else None

    def inside(self, package: Place) -> frozenset[str]:
        """The names that modules of a package may have; none for a module."""
        directory = package.directory
        if directory and directory not in self._inside:
            listing = self._listing(directory)
            modules = (name.removesuffix(".py") for name in listing.ending(".py"))
            self._inside[directory] = frozenset((*modules, *listing.directories()))
        return self._inside[directory] if directory else frozenset()

    def package_init(self, path: str) -> str:
        """The `__init__.py` of the outermost package around the file `path`; empty for none."""
        directory = self._outermost(os.path.dirname(path))
        return os.path.join(directory, _INIT) if _INIT in self._listing(directory) else ""

    def root(self, path: str) -> str:
        """The directory that holds all of the project of the file `path`.

        That is its repository, or what a `pyproject.toml` or `setup.py` marks; without a
        mark the outermost package, or for a script its own directory.
        """
        directory = os.path.dirname(path)
        return self._project(directory) or self._outermost(directory)

    def tree(self, root: str) -> tuple[str, ...]:
        """The Python files of a project with that root, in a fixed order.

        Below a directory that nothing marks only its own files; none where there are too
        many to be searched.
        """
        if root not in self._trees:
            marked = self._has_mark(root, _PROJECT_MARKS)
            found = list(self._files(root, deep=marked or _INIT in self._listing(root)))
            self._trees[root] = tuple(sorted(found)) if len(found) <= _MAX_FILES else ()
        return self._trees[root]

    # -- where to look -------------------------------------------------------------------

    def _top(self, directory: str, name: str) -> Iterator[Place]:
        for root in self._search_path(directory):
            place = self._module(root, name)
            # What is installed side by side is not one project.
            beside = os.path.basename(root) in _SITES
            if place and (not beside or self._outermost(directory) == place.directory):
                yield place
        repository = self._repository(directory)
        if repository is not None:
            found = self._packages_of(repository).get(name)
            if found is not None:
                yield found
        # A script's own directory; and packages above the file that share a namespace.
        for above in self._packages_around(directory):
            place = self._module(above, name)
            if place is not None:
                yield place
        while directory != os.path.dirname(directory):
            directory, base = os.path.split(directory)
            if base == name:
                place = self._module(directory, name)
                if place is not None:
                    yield place

    def _search_path(self, directory: str) -> tuple[str, ...]:
        """The directories that hold top-level modules, as seen from a file's directory."""
        if directory not in self._roots:
            home = self._home(directory)
            found = [home]
            root = self._project(directory)
            while root is not None and home != root:
                home = os.path.dirname(home)
                found.append(home)
            if root is not None:
                found += [
                    os.path.join(above, "src")
                    for above in (*found,)
                    if self._listing(above).is_directory("src")
                ]
            self._roots[directory] = tuple(dict.fromkeys(found))
        return self._roots[directory]

    def _home(self, directory: str) -> str:
        """The first directory upwards that is no package: it holds the outermost one."""
        while _INIT in self._listing(directory) and directory != os.path.dirname(directory):
            directory = os.path.dirname(directory)
        return directory

    def _outermost(self, directory: str) -> str:
        """The outermost package around a directory; the directory itself when it is none."""
        for above in self._packages_around(directory):
            directory = above
        return directory

    def _packages_around(self, directory: str) -> Iterator[str]:
        """The directory, when it is a package, and the packages around it, innermost first."""
        while _INIT in self._listing(directory) and directory != os.path.dirname(directory):
            yield directory
            directory = os.path.dirname(directory)

    def _project(self, directory: str) -> str | None:
        """The root of the project around a directory; None when nothing marks one.

        A repository's root counts before that of one of its projects.
        """
        repository = self._repository(directory)
        if repository is not None:
            return repository
        home = self._home(directory)
        if os.path.basename(home) in _SITES:
            return None
        return next((d for d in _upwards(home) if self._has_mark(d, _PROJECT_MARKS)), None)

    def _repository(self, directory: str) -> str | None:
        home = self._home(directory)
        for above in _upwards(home):
            if os.path.basename(above) in _SITES:
                return None
            if self._has_mark(above, _REPOSITORY_MARKS):
                return above
        return None

    def _has_mark(self, directory: str, marks: tuple[str, ...]) -> bool:
        listing = self._listing(directory)
        return any(mark in listing for mark in marks)

    def _packages_of(self, repository: str) -> dict[str, Place | None]:
        """The outermost packages of a repository; None for a name that several have."""
        if repository not in self._packages:
            found: dict[str, Place | None] = {}
            level = [repository]
            for _ in range(_PACKAGE_DEPTH):
                inner: list[str] = []
                for directory in level[:_MAX_DIRECTORIES]:
                    for name in self._directories(directory):
                        path = os.path.join(directory, name)
                        if _INIT in self._listing(path):
                            place = Place(os.path.join(path, _INIT), path)
                            found[name] = place if name not in found else None
                        else:
                            inner.append(path)
                level = inner
            self._packages[repository] = found
        return self._packages[repository]

    # -- directories ---------------------------------------------------------------------

    def _module(self, directory: str, name: str) -> Place | None:
        entries = self._listing(directory)
        path = os.path.join(directory, name)
        if entries.is_directory(name):
            inner = self._listing(path)
            if _INIT in inner:
                return Place(os.path.join(path, _INIT), path)
        if entries.is_directory(f"{name}.py") is False:
            return Place(f"{path}.py", "")
        return Place("", path) if entries.is_directory(name) else None

    def _files(self, top: str, *, deep: bool) -> Iterator[str]:
        pending = [top]
        count = 0
        while pending and count <= _MAX_FILES:
            directory = pending.pop()
            for name in self._listing(directory).ending(".py"):
                count += 1
                yield os.path.join(directory, name)
            if deep:
                pending += [os.path.join(directory, n) for n in self._directories(directory)]

    def _directories(self, directory: str) -> list[str]:
        """The names of the directories inside one that may hold the project's own code.

        Links are left out, so that no loop is possible.
        """
        listing = self._listing(directory)
        return [n for n in listing.directories() if n not in EXCLUDED and n not in listing.links]


def _upwards(directory: str) -> Iterator[str]:
    """A directory and all above it."""
    while True:
        yield directory
        if directory == os.path.dirname(directory):
            return
        directory = os.path.dirname(directory)
