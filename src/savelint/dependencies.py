"""What a project declares that it depends on, and the Keras generation this means.

The nearest directory above a file that names TensorFlow or Keras among its dependencies
has the say, up to the root of the repository. What is needed at run time counts first;
extras, groups and further requirement files count where it does not decide. A bound that
allows both generations, and requirements that contradict each other, are no evidence.
Nothing is executed, and a file that cannot be read declares nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from savelint import toml
from savelint.files import Files
from savelint.keras.generation import Evidence, Keras

if TYPE_CHECKING:
    import ast

# From these versions on, `tf.keras` and `keras` are Keras 3.
_TENSORFLOW_BORDER = (2, 16)
_KERAS_BORDER = (3,)
_BORDERS = {
    "keras": _KERAS_BORDER,
    "keras-nightly": _KERAS_BORDER,
    **dict.fromkeys(
        (
            "intel-tensorflow",
            "tensorflow",
            "tensorflow-aarch64",
            "tensorflow-cpu",
            "tensorflow-cpu-aws",
            "tensorflow-gpu",
            "tensorflow-intel",
            "tensorflow-macos",
            "tensorflow-rocm",
            "tensorflow-text",  # has TensorFlow's versions
            "tf-nightly",
            "tf-nightly-cpu",
            "tf-nightly-gpu",
        ),
        _TENSORFLOW_BORDER,
    ),
}
# Packages that work with one generation only, whatever their version.
_ALWAYS = {
    "keras-core": Keras.V3,
    "keras-hub": Keras.V3,
    "tensorflow-addons": Keras.V2,
    "tf-keras": Keras.V2,
    "tf-keras-nightly": Keras.V2,
}
_LEGACY = frozenset({"tf-keras", "tf-keras-nightly"})
# Without one of these, a file declares nothing that matters here; parsers are slow.
_WORDS = rb"(?i)keras|tensorflow|tf[-_.]nightly"
_REQUIREMENT = r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?([^;#@\\]*)"
_BOUND = r"(===?|~=|!=|<=|>=|<|>|\^|~)\s*v?(\d+(?:\.\d+)*)(\.\*)?"
# The start of a conda requirement, which may name its channel: `- conda-forge::keras=2.4=py_0`.
_CONDA = r"\s*-\s*['\"]?(?:[^\s'\"]+::)?([\w.-]+)\s*([^'\"]*)"
_REPOSITORY_MARK = ".git"


class Requirement(NamedTuple):
    """One declared dependency: the file, the text as people know it, and what it allows.

    `runtime` is False for extras, groups, and requirement files of a purpose.
    """

    file: str
    name: str
    bounds: str
    runtime: bool

    def __str__(self) -> str:
        return f"{self.name}{self.bounds}"

    @property
    def project(self) -> str:
        """The name as package indexes compare it."""
        return re.sub(r"[-_.]+", "-", self.name).lower()

    @property
    def matters(self) -> bool:
        """Whether this is TensorFlow, Keras, or what works with one generation only."""
        return self.project in _BORDERS or self.project in _ALWAYS

    @property
    def keras(self) -> Keras | None:
        """The generation of all versions it allows; None if they are of both."""
        if self.project in _ALWAYS:
            return _ALWAYS[self.project]
        border = _BORDERS[self.project]
        if "|" in self.bounds:  # alternatives
            return None
        for lowest, above in map(_range, re.findall(_BOUND, self.bounds)):
            if above is not None and above <= border:
                return Keras.V2
            if lowest is not None and lowest >= border:
                return Keras.V3
        return None


_Version = tuple[int, ...]
# A requirement as written, and whether it holds at run time.
_Said = Iterator[tuple[str, bool]]


class Dependencies:
    """The dependencies declared for every directory, each directory read once."""

    def __init__(self, files: Files | None = None) -> None:
        self._files = files or Files()
        self._of: dict[str, Evidence | None] = {}

    def evidence(self, path: str) -> Evidence | None:
        """Return the generation that the project of the file at the absolute `path` needs.

        None where nothing is declared, or nothing that decides; raises nothing.
        """
        directory = os.path.dirname(path)
        passed = []
        while directory not in self._of:
            passed.append(directory)
            above = os.path.dirname(directory)
            requirements = [r for r in declared(directory, self._files) if r.matters]
            if requirements:
                self._of[directory] = decide(requirements)
            elif directory == above or self._is_repository(directory):
                self._of[directory] = None
            else:
                directory = above
        found = self._of[directory]
        self._of.update(dict.fromkeys(passed, found))
        return found

    def _is_repository(self, directory: str) -> bool:
        return _REPOSITORY_MARK in self._files.listing(directory)


def decide(requirements: Iterable[Requirement]) -> Evidence | None:
    """Return the generation that requirements agree on; those of the run time go first."""
    kept = list(requirements)
    runtime = [r for r in kept if r.runtime]
    if any(r.project in _LEGACY for r in runtime):
        # A program that runs on tf_keras means it, however new its TensorFlow is.
        runtime = [r for r in runtime if _BORDERS.get(r.project) != _TENSORFLOW_BORDER]
    for group in (runtime, [r for r in kept if not r.runtime]):
        saying = [(r, r.keras) for r in group if r.keras is not None]
        if not saying:
            continue
        first, keras = saying[0]
        if any(other is not keras for _, other in saying):
            return None
        return Evidence(keras, f"{first.file} requires {first}")
    return None


def declared(directory: str, files: Files | None = None) -> Iterator[Requirement]:
    """Read what the files of one directory declare, those that name Keras or TensorFlow."""
    files = files or Files()
    for file, read in _telling(directory, files):
        try:
            data = files.read(os.path.join(directory, file))
            if re.search(_WORDS, data):
                for text, runtime in list(read(data)):
                    requirement = _requirement(file, text, runtime)
                    if requirement is not None:
                        yield requirement
        except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
            continue  # broken: it declares nothing


def _requirement(file: str, text: str, runtime: bool) -> Requirement | None:
    match = re.match(_REQUIREMENT, text)
    if match is None:
        return None
    name, rest = match.groups()
    bounds = "".join(rest.partition(" --")[0].split()).strip("()")
    bounds = "" if bounds == "*" else bounds
    return Requirement(file, name, bounds, runtime)


def _range(bound: tuple[str, str, str]) -> tuple[_Version | None, _Version | None]:
    """The lowest version that one bound allows, and the lowest one above all it allows."""
    operator, digits, wildcard = bound
    version = tuple(map(int, digits.split(".")))
    if operator in (">=", ">"):
        return version, None
    if operator == "<":
        return None, _trimmed(version)
    if operator == "<=":
        return None, (*_trimmed(version), 1)
    if operator in ("==", "==="):
        return version, _next(version) if wildcard else (*_trimmed(version), 1)
    if operator == "~=":
        return version, _next(version[:-1]) if len(version) > 1 else None
    if operator == "~":
        return version, _next(version[:2])
    if operator == "^":
        return version, _next(version[:1])
    return None, None  # `!=` leaves versions on both sides


def _next(version: _Version) -> _Version:
    return (*version[:-1], version[-1] + 1)


def _trimmed(version: _Version) -> _Version:
    """The version without zeros at its end: 2.16.0 is 2.16."""
    while len(version) > 1 and version[-1] == 0:
        version = version[:-1]
    return version


# The files, and how each is read: bytes to requirements.


def _telling(directory: str, files: Files) -> Iterator[tuple[str, Callable[[bytes], _Said]]]:
    """The files of a directory that may declare dependencies, in a fixed order."""
    names = files.listing(directory)
    for name, read in _READERS.items():
        if name in names:
            yield name, read
    for name in names.ending(".txt"):
        if name.startswith("requirements") and name not in _READERS:
            yield name, _further_requirements
    if "requirements" in names:
        for name in files.listing(os.path.join(directory, "requirements")).ending(".txt"):
            yield f"requirements/{name}", _further_requirements


def _pyproject(data: bytes) -> _Said:
    document = toml.parse(data)
    project = _table(document, "project")
    yield from _each(project.get("dependencies"), True)
    poetry = _table(document, "tool", "poetry")
    yield from _pairs(_table(poetry, "dependencies"), True)
    for extra in _table(project, "optional-dependencies").values():
        yield from _each(extra, False)
    for group in _table(document, "dependency-groups").values():
        yield from _each(group, False)
    yield from _pairs(_table(poetry, "dev-dependencies"), False)
    groups = _table(poetry, "group")
    for name in groups:
        yield from _pairs(_table(groups, name, "dependencies"), False)


def _pipfile(data: bytes) -> _Said:
    document = toml.parse(data)
    yield from _pairs(_table(document, "packages"), True)
    yield from _pairs(_table(document, "dev-packages"), False)


def _table(table: dict[str, object], *keys: str) -> dict[str, object]:
    """The table at the end of the keys, an empty one if there is none."""
    for key in keys:
        inner = table.get(key)
        if not isinstance(inner, dict):
            return {}
        table = inner
    return table


def _each(items: object, runtime: bool) -> _Said:
    for item in items if isinstance(items, list) else ():
        if isinstance(item, str):
            yield item, runtime


def _pairs(table: dict[str, object], runtime: bool) -> _Said:
    """Requirements as Poetry and Pipenv write them: `tensorflow = {version = "^2.10"}`."""
    for name, value in table.items():
        for said in value if isinstance(value, list) else (value,):
            bounds, needed = said, runtime
            if isinstance(said, dict):
                bounds = said.get("version", "")
                needed = runtime and said.get("optional") is not True
            if isinstance(bounds, str):
                exact = "==" if bounds[:1].isdigit() else ""
                yield f"{name} {exact}{bounds}", needed


def _setup_cfg(data: bytes) -> _Said:
    import configparser

    config = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        config.read_string(data.decode("utf-8"))
    except configparser.Error as error:
        raise ValueError(str(error)) from error
    for line in config.get("options", "install_requires", fallback="").splitlines():
        yield line, True
    if config.has_section("options.extras_require"):
        for _, lines in config.items("options.extras_require"):
            for line in lines.splitlines():
                yield line, False


def _requirements(data: bytes) -> _Said:
    for line in data.decode("utf-8-sig").splitlines():
        yield line, True


def _further_requirements(data: bytes) -> _Said:
    for line, _ in _requirements(data):
        yield line, False


def _environment(data: bytes) -> _Said:
    """Conda's file, also the list for pip in it: list items, one a line."""
    _, _, dependencies = data.decode("utf-8-sig").partition("dependencies:")
    for line in dependencies.splitlines():
        match = re.match(_CONDA, line)
        if match is not None:
            name, bounds = match.groups()
            # Conda's `=2.10=build` is any 2.10.
            bounds = re.sub(r"^=\s*([\d.]*\d)(?:\.\*)?(?:=.*)?(?=$|\s)", r"==\1.*", bounds)
            yield f"{name} {bounds}", True


def _setup_py(data: bytes) -> _Said:
    """The strings that stand in the call of `setup`, or in the variables it is given."""
    import ast
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its invalid escapes are its own affair
        tree = ast.parse(data)
    variables: dict[str, list[ast.expr]] = {}
    calls = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    variables.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.Call):
            function = node.func
            name = getattr(function, "attr", None) or getattr(function, "id", None)
            if name == "setup":
                calls.append(node)
    for call in calls:
        for keyword in call.keywords:
            if keyword.arg in ("install_requires", "extras_require"):
                for text in _strings(keyword.value, variables):
                    yield text, keyword.arg == "install_requires"


def _strings(node: ast.expr, variables: dict[str, list[ast.expr]]) -> Iterator[str]:
    """The strings in a literal, in sums of literals, and in the variables named there."""
    import ast

    seen: set[str] = set()
    pending = [node]
    while pending:
        current = pending.pop(0)
        if isinstance(current, ast.Constant) and isinstance(current.value, str):
            yield from current.value.splitlines()
        elif isinstance(current, (ast.List, ast.Tuple, ast.Set)):
            pending += current.elts
        elif isinstance(current, ast.Dict):
            pending += current.values
        elif isinstance(current, ast.BinOp) and isinstance(current.op, ast.Add):
            pending += (current.left, current.right)
        elif isinstance(current, ast.Starred):
            pending.append(current.value)
        elif isinstance(current, ast.Name) and current.id not in seen:
            seen.add(current.id)
            pending += variables.get(current.id, ())


_READERS: dict[str, Callable[[bytes], _Said]] = {
    "pyproject.toml": _pyproject,
    "setup.cfg": _setup_cfg,
    "setup.py": _setup_py,
    "requirements.txt": _requirements,
    "Pipfile": _pipfile,
    "environment.yml": _environment,
    "environment.yaml": _environment,
}
