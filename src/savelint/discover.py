"""Paths to files: which Python files a command line means.

Read are `.py` and `.pyw`; stubs hold no code that could fail. Directories are searched
for them, without the directories that hold other people's code, what `.gitignore` files
ignore (those of the repository, up to its root), and what the settings exclude.
Directory links are not followed, so that no loop is possible and no file is met twice.
A file given by name is taken whatever its suffix, and whatever excludes it, unless
`force_exclude` is set; a directory given by name is entered whatever excludes it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from savelint.files import read_bytes
from savelint.frozen import frozen
from savelint.trail import Trail

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

SUFFIXES = (".py", ".pyw")
NOTEBOOK = ".ipynb"
# Names of files and directories that hold tools' data or other people's code.
EXCLUDED = frozenset(
    {
        ".bzr",
        ".direnv",
        ".eggs",
        ".git",
        ".git-rewrite",
        ".hg",
        ".hypothesis",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".nox",
        ".pants.d",
        ".pyenv",
        ".pytest_cache",
        ".pytype",
        ".ruff_cache",
        ".savelint_cache",
        ".svn",
        ".tox",
        ".venv",
        ".vscode",
        "__pycache__",
        "__pypackages__",
        "_build",
        "buck-out",
        "build",
        "dist",
        "node_modules",
        "site-packages",
        "venv",
    }
)
# Its presence makes a directory a virtual environment, whatever the directory's name.
_VENV_MARK = "pyvenv.cfg"
_IGNORE_FILE = ".gitignore"
_REPOSITORY_MARK = ".git"


class PatternError(Exception):
    """A pattern that is not one of gitignore's."""


def compile_patterns(patterns: Iterable[str]) -> GitIgnoreSpec:
    """Compile patterns in gitignore's syntax; raises PatternError naming a bad one."""
    from pathspec import GitIgnoreSpec

    kept = list(patterns)
    try:
        return GitIgnoreSpec.from_lines(kept)
    except ValueError:
        for pattern in kept:
            try:
                GitIgnoreSpec.from_lines([pattern])
            except ValueError:
                raise PatternError(f"`{pattern}` is not a valid pattern") from None
        raise


@frozen
class Excludes:
    """What settings exclude: bare names at any depth, and patterns relative to `root`.

    A negated pattern (`!build`) brings back what a name excludes.
    """

    root: str
    names: frozenset[str] = EXCLUDED
    patterns: tuple[str, ...] = ()

    @cached_property
    def _spec(self) -> GitIgnoreSpec | None:
        return compile_patterns(self.patterns) if self.patterns else None

    def verdict(self, path: str, *, directory: bool) -> bool | None:
        """Return True if a pattern excludes the absolute `path`, False if one keeps it."""
        return None if self._spec is None else _verdict(self._spec, self.root, path, directory)

    def excludes(self, path: str, *, directory: bool) -> bool:
        """Tell whether the absolute `path` itself, leaving its parents aside, is excluded."""
        verdict = self.verdict(path, directory=directory)
        return os.path.basename(path) in self.names if verdict is None else verdict

    def excludes_within(self, path: str) -> bool:
        """Tell whether the file `path`, or a directory between `root` and it, is excluded."""
        if self.excludes(path, directory=False):
            return True
        above = os.path.dirname(path)
        while path_within(self.root, above):
            if self.excludes(above, directory=True):
                return True
            above = os.path.dirname(above)
        return False


@frozen
class Found:
    """A file to check: its absolute path, and how to name it to people."""

    path: str
    display: str


@frozen
class Problem:
    """A path that cannot be searched, how to name it, and why."""

    display: str
    reason: str


@frozen
class Discovery:
    """All files in the order of their names, each once; `excluded` counts given files left out."""

    files: tuple[Found, ...]
    problems: tuple[Problem, ...] = ()
    excluded: int = 0


@frozen
class _Ignore:
    """One `.gitignore` file: its directory and its patterns."""

    root: str
    spec: GitIgnoreSpec

    def verdict(self, path: str, *, directory: bool) -> bool | None:
        return _verdict(self.spec, self.root, path, directory)


def _verdict(spec: GitIgnoreSpec, root: str, path: str, directory: bool) -> bool | None:
    relative = path_within(root, path)
    if relative is None:
        return None
    return spec.check_file(relative + "/" if directory else relative).include


def path_within(root: str, path: str) -> str | None:
    """An absolute path from `root` on, with forward slashes; None where it is not below it."""
    prefix = root if root.endswith(os.sep) else root + os.sep
    return path[len(prefix) :].replace(os.sep, "/") if path.startswith(prefix) else None


def display_name(path: str, given: str | None = None) -> str:
    """Return `path` as shown to people: relative to the working directory, with forward slashes.

    One outside of it stays absolute, unless it was `given` by a relative path.
    """
    shown = path_within(os.getcwd(), path)
    if shown is None:
        relative = given is not None and not os.path.isabs(given)
        shown = (os.path.relpath(path) if relative else path).replace(os.sep, "/")
    # Bytes of a name that are not UTF-8 arrive as lone surrogates, which nothing can print.
    return shown if shown.isascii() else os.fsencode(shown).decode("utf-8", "backslashreplace")


def os_reason(error: OSError) -> str:
    """Say what went wrong, in the system's words and without the path, and what to do."""
    if isinstance(error, PermissionError):
        return "permission denied; make it readable or exclude it"
    if isinstance(error, FileNotFoundError):
        return "no such file or directory; check the path"
    return f"{(error.strerror or str(error)).lower()}; check the path or exclude it"


# Gives the excludes for a directory, of which it is told the names where they are known.
ExcludesOf: TypeAlias = Callable[[str, Container[str] | None], Excludes]


def discover(
    paths: Sequence[str],
    excludes_of: ExcludesOf,
    *,
    force_exclude: bool = False,
    trail: Trail | None = None,
) -> Discovery:
    """Find the files that `paths` mean; what is looked at for that goes to the trail.

    Raises only what `excludes_of` raises: a path that does not work is a Problem.
    """
    search = _Search(excludes_of, trail or Trail())
    excluded = 0
    for given in paths:
        # Not resolve(): a link is shown, configured and excluded by the name it was given.
        absolute = os.path.abspath(given)
        search.trail.look(absolute)
        try:
            mode = os.stat(absolute).st_mode
        except OSError as error:
            search.problem(absolute, given, os_reason(error))
            continue
        if stat.S_ISDIR(mode):
            search.directory(absolute, given)
        elif not stat.S_ISREG(mode):
            search.problem(absolute, given, "not a regular file; use `-` to read standard input")
        elif force_exclude and _is_kept_out(absolute, excludes_of):
            excluded += 1
        elif absolute.endswith(NOTEBOOK):
            search.problem(absolute, given, "notebooks are not read yet; leave it out")
        else:
            search.file(absolute, given, os.path.realpath(absolute))
    files = sorted(search.found.values(), key=lambda found: found.display)
    return Discovery(tuple(files), tuple(search.problems), excluded)


def _is_kept_out(path: str, excludes_of: ExcludesOf) -> bool:
    return excludes_of(os.path.dirname(path), None).excludes_within(path)


@dataclass
class _Search:
    """The state of one search: what was found, by real path, and what went wrong."""

    excludes_of: ExcludesOf
    trail: Trail
    found: dict[str, Found] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, path: str, given: str, reason: str) -> None:
        self.problems.append(Problem(display_name(path, given), reason))

    def file(self, path: str, given: str, real: str) -> None:
        """Take the file `path`, unless the one at the real path `real` is there already."""
        if real not in self.found:
            self.found[real] = Found(path, display_name(path, given))

    def directory(self, top: str, given: str) -> None:
        """Search `top` and all below it."""
        real_top = os.path.realpath(top)
        pending: list[tuple[str, tuple[_Ignore, ...]]] = [(top, self._ignores_above(top, given))]
        while pending:
            path, ignores = pending.pop()
            self.trail.look(path)
            try:
                with os.scandir(path) as scan:
                    entries = {entry.name: entry for entry in scan}
            except OSError as error:
                self.problem(path, given, os_reason(error))
                continue
            if _VENV_MARK in entries and path != top:
                continue
            if _REPOSITORY_MARK in entries:
                ignores = ()  # a repository of its own: what the one around it ignores ends here
            if _IGNORE_FILE in entries:
                ignores += tuple(self._ignore_file(path, given))
            excludes = self.excludes_of(path, entries)
            # A directory given by name is entered, so what excludes it has no say inside.
            if excludes.verdict(top, directory=True):
                excludes = replace(excludes, patterns=())
            for name, entry in entries.items():
                is_directory = entry.is_dir(follow_symlinks=False)
                if not is_directory and not (name.endswith(SUFFIXES) and self._is_file(entry)):
                    continue
                if excludes.excludes(entry.path, directory=is_directory):
                    continue
                if _ignored(ignores, entry.path, is_directory):
                    continue
                if is_directory:
                    pending.append((entry.path, ignores))
                else:
                    # Only links need the system's help: no directory below `top` is one.
                    linked = entry.is_symlink()
                    real = real_top + entry.path[len(top) :]
                    self.file(entry.path, given, os.path.realpath(entry.path) if linked else real)

    def _is_file(self, entry: os.DirEntry[str]) -> bool:
        """Tell whether this is a file, or a link that leads to one."""
        if not entry.is_symlink():
            return entry.is_file(follow_symlinks=False)
        self.trail.look(entry.path)
        return os.path.isfile(entry)

    def _ignores_above(self, top: str, given: str) -> tuple[_Ignore, ...]:
        """Read the ignore files above `top`, outermost first, that do not ignore `top` itself."""
        above: list[_Ignore] = []
        directory, parent = top, os.path.dirname(top)
        while True:
            if self.trail.exists(os.path.join(directory, _REPOSITORY_MARK)):
                return tuple(i for i in reversed(above) if not i.verdict(top, directory=True))
            if parent == directory:
                break
            above += self._ignore_file(parent, given)
            directory, parent = parent, os.path.dirname(parent)
        return ()  # not in a repository: nothing above speaks for this directory

    def _ignore_file(self, directory: str, given: str) -> Iterator[_Ignore]:
        path = os.path.join(directory, _IGNORE_FILE)
        self.trail.look(path)
        if not os.path.isfile(path):
            return
        try:
            lines = read_bytes(path).decode("utf-8", "surrogateescape").splitlines()
        except OSError as error:
            self.problem(path, given, os_reason(error))
            return
        try:
            spec = compile_patterns(lines)
        except PatternError:
            spec = compile_patterns(line for line in lines if _compiles(line))
        yield _Ignore(directory, spec)


def _compiles(pattern: str) -> bool:
    try:
        compile_patterns([pattern])
    except PatternError:  # git, too, reads past a pattern that it cannot use
        return False
    return True


def _ignored(ignores: Sequence[_Ignore], path: str, directory: bool) -> bool:
    """Tell whether the innermost ignore file with an opinion ignores `path`."""
    for ignore in reversed(ignores):
        verdict = ignore.verdict(path, directory=directory)
        if verdict is not None:
            return verdict
    return False
