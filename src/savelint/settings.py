"""The settings: `[tool.savelint]` of the nearest pyproject.toml, and the command line.

Each file is checked with the table of the nearest pyproject.toml above it that has one,
whatever the working directory is and whatever other files are checked; there is no
inheritance between them. Patterns are gitignore's and relative to the directory of that
pyproject.toml. `--config FILE` puts one table in the place of all, with patterns relative
to the working directory.

    [tool.savelint]
    select = ["SVL1", "untracked-variable"]     # default: every rule
    ignore = ["SVL103"]
    exclude = ["generated"]                     # in place of the default excludes
    extend-exclude = ["third_party/"]           # besides them
    keras-version = "auto"                      # or 2 or 3
    cache-dir = ".savelint_cache"               # relative to this file
    [tool.savelint.per-file-ignores]
    "tests/" = ["SVL3"]
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from savelint import toml
from savelint.codes import Catalogue, Selection, UnknownCodeError, enabled
from savelint.discover import EXCLUDED, Excludes, PatternError, compile_patterns, path_within
from savelint.files import read_bytes
from savelint.frozen import frozen
from savelint.keras.generation import Keras
from savelint.outcome import CACHE
from savelint.trail import Trail

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

FILE = "pyproject.toml"
TABLE = "[tool.savelint]"
KEYS = (
    "cache-dir",
    "exclude",
    "extend-exclude",
    "ignore",
    "keras-version",
    "per-file-ignores",
    "select",
)
VERSIONS = ("auto", "2", "3")


class ConfigError(Exception):
    """Settings that cannot be used; the text names the file, the key and the remedy."""


@frozen(eq=False)
class Settings:
    """What holds for the files below one directory; those of one table are one object.

    `root` is where patterns are relative to, `file` where the settings were read, if
    anywhere. `keras` is None for "auto". `enabled` are the codes that are on. Results are
    kept in `cache`, a directory relative to the root.
    """

    root: str
    enabled: frozenset[str]
    keras: Keras | None = None
    file: str | None = None
    excluded_names: frozenset[str] = EXCLUDED
    excluded: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, frozenset[str]], ...] = ()
    cache: str = CACHE

    @property
    def cache_dir(self) -> str:
        """Where results are kept."""
        return os.path.join(self.root, self.cache)

    @cached_property
    def excludes(self) -> Excludes:
        """What these settings keep out of a search."""
        return Excludes(self.root, self.excluded_names, self.excluded)

    @cached_property
    def _ignored_in(self) -> tuple[tuple[GitIgnoreSpec, frozenset[str]], ...]:
        return tuple((compile_patterns([p]), codes) for p, codes in self.per_file_ignores)

    def enabled_in(self, path: str) -> frozenset[str]:
        """Return the codes that are on in the file at the absolute `path`."""
        relative = path_within(self.root, path) if self.per_file_ignores else None
        if relative is None:
            return self.enabled
        off = (codes for spec, codes in self._ignored_in if spec.match_file(relative))
        return self.enabled.difference(*off)


@frozen
class Overrides:
    """What the command line says; `keras_version` is one of VERSIONS, or None if not given."""

    selection: Selection = field(default_factory=Selection)
    keras_version: str | None = None


@dataclass
class Configuration:
    """The settings of every directory, each file read once.

    `config` is the file to use for all; with `isolated` no file is read. What is looked at
    for them goes to the trail. Everything raises ConfigError.
    """

    catalogue: Catalogue
    overrides: Overrides = field(default_factory=Overrides)
    config: str | None = None
    isolated: bool = False
    trail: Trail = field(default_factory=Trail)
    _of: dict[str, Settings] = field(default_factory=dict)

    def of(self, directory: str, names: Container[str] | None = None) -> Settings:
        """Return the settings for the files in the absolute `directory`.

        `names` are those of the files in it, if they are known: a look at the disk is dear.
        """
        if directory not in self._of:
            self._of[directory] = self._find(directory, names)
        return self._of[directory]

    def excludes_of(self, directory: str, names: Container[str] | None) -> Excludes:
        """Return what is kept out of a search in a directory; `names` as for `of`."""
        return self.of(directory, names).excludes

    @cached_property
    def fallback(self) -> Settings:
        """The settings where no file has any, or the file given for all."""
        if self.config is None:
            return self._build(os.getcwd(), None, {})
        self.trail.look(os.path.abspath(self.config))
        table = _table(self.config)
        if table is None:
            raise ConfigError(f"{_shown(self.config)}: holds no {TABLE} table")
        return self._build(os.getcwd(), self.config, table)

    def _find(self, directory: str, names: Container[str] | None) -> Settings:
        if self.isolated or self.config:
            return self.fallback
        file = os.path.join(directory, FILE)
        if names is None or FILE in names:
            self.trail.look(file)
            table = _table(file) if os.path.isfile(file) else None
            if table is not None:
                return self._build(directory, file, table)
        above = os.path.dirname(directory)
        return self.fallback if above == directory else self.of(above)

    def _build(self, root: str, file: str | None, table: dict[str, Any]) -> Settings:
        reader = _Reader(file, table, self.catalogue)
        reader.check_keys()
        said = Selection(
            reader.selectors("select", table["select"]) if "select" in table else None,
            reader.selectors("ignore", table.get("ignore", [])),
        )
        version = self.overrides.keras_version or reader.version()
        return Settings(
            root=root,
            file=file,
            enabled=enabled(self.catalogue, (said, self.overrides.selection)),
            keras=None if version == "auto" else Keras(int(version)),
            excluded_names=frozenset({CACHE}) if "exclude" in table else EXCLUDED,
            excluded=(*reader.patterns("exclude"), *reader.patterns("extend-exclude")),
            per_file_ignores=reader.per_file_ignores(),
            cache=reader.cache(),
        )


def _table(file: str) -> dict[str, Any] | None:
    """Return the table in `file`, or None if it has none."""
    try:
        data = read_bytes(file)
    except OSError as error:
        raise ConfigError(f"{_shown(file)}: cannot be read: {error.strerror}") from error
    # A cheap test, which spares most projects' files the parser.
    if b"savelint" not in data:
        return None
    try:
        document = toml.parse(data)
    except ValueError as error:
        raise ConfigError(f"{_shown(file)}: not valid TOML: {error}") from error
    tool = document.get("tool", {})
    table = tool.get("savelint") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{_shown(file)}: `tool.savelint` must be a table")
    return table


def _shown(file: str) -> str:
    return os.path.relpath(file).replace(os.sep, "/")


@frozen
class _Reader:
    """Reads one table strictly."""

    file: str | None
    table: dict[str, Any]
    catalogue: Catalogue

    def error(self, key: str, what: str) -> ConfigError:
        where = _shown(self.file) if self.file else "settings"
        return ConfigError(f"{where}: `{key}` in {TABLE} {what}")

    def check_keys(self) -> None:
        for key in self.table:
            if key not in KEYS:
                import difflib  # slow to import, and needed only here

                close = difflib.get_close_matches(key.replace("_", "-"), KEYS, n=1)
                hint = f"; did you mean `{close[0]}`?" if close else ""
                legal = ", ".join(f"`{legal}`" for legal in KEYS)
                raise self.error(key, f"is not a setting{hint} (settings are {legal})")

    def strings(self, key: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise self.error(key, f"must be a list of strings, not {_type(value)}")
        for item in value:
            if not isinstance(item, str):
                raise self.error(key, f"must be a list of strings, but holds {item!r}")
        return tuple(value)

    def selectors(self, key: str, value: object) -> tuple[str, ...]:
        said = self.strings(key, value)
        try:
            Selection(said).check(self.catalogue)
        except UnknownCodeError as error:
            raise self.error(key, f"is wrong: {error}") from error
        return said

    def cache(self) -> str:
        value = self.table.get("cache-dir", CACHE)
        if not isinstance(value, str) or not value:
            raise self.error("cache-dir", f"must be the name of a directory, not {value!r}")
        return value

    def patterns(self, key: str) -> tuple[str, ...]:
        patterns = self.strings(key, self.table.get(key, []))
        self._compile(key, patterns)
        return patterns

    def per_file_ignores(self) -> tuple[tuple[str, frozenset[str]], ...]:
        key = "per-file-ignores"
        table = self.table.get(key, {})
        if not isinstance(table, dict):
            raise self.error(key, f"must be a table of patterns and codes, not {_type(table)}")
        self._compile(key, table)
        return tuple(
            (
                pattern,
                frozenset().union(*map(self.catalogue.expand, self.selectors(key, selectors))),
            )
            for pattern, selectors in table.items()
        )

    def version(self) -> str:
        value = self.table.get("keras-version", "auto")
        if not isinstance(value, (str, int)) or str(value) not in VERSIONS:
            raise self.error("keras-version", f'must be "auto", 2 or 3, not {value!r}')
        return str(value)

    def _compile(self, key: str, patterns: Iterable[str]) -> None:
        if not patterns:
            return
        try:
            compile_patterns(patterns)
        except PatternError as error:
            raise self.error(key, f"is wrong: {error}") from error


def _type(value: object) -> str:
    names = {str: "a string", bool: "a boolean", dict: "a table", list: "a list"}
    return names.get(type(value), f"`{value}`")
