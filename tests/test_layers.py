"""Imports go down only, no two modules import each other, and each library has its place."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import savelint

PACKAGE = Path(savelint.__file__).parent
# From the top to the bottom; a module imports only from its own layer and from those below.
LAYERS = (
    {"__main__"},
    {"cli", "server", "api"},
    {"engine", "overview", "analysis"},
    {"rules"},
    {"codes", "fixer", "rewrite", "rule", "settings", "suppress", "report", "cache", "baseline"},
    {"dependencies", "imports", "keras", "layout", "notebook", "finding"},
    {"source", "discover", "modules", "files", "destination", "processes", "toml", "trail"},
    {"__init__", "frozen", "outcome", "screen", "stamps"},
)
# The only modules that know a library.
KNOWS = {
    "click": {"cli"},
    "rich": {"cli", "report.line", "report.progress"},
    "pathspec": {"discover", "settings"},
}


def modules() -> dict[str, ast.Module]:
    """Every module of the package by its name, without the package's own."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        found[name] = ast.parse(path.read_bytes())
    return found


MODULES = modules()


def imported(tree: ast.Module) -> Iterator[str]:
    """What a module imports anywhere, also for its types only: full dotted names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}".removeprefix("savelint.")
                yield f"savelint.{submodule}" if submodule in MODULES else node.module


def own_imports(name: str) -> set[str]:
    """The modules of savelint that a module imports."""
    found = {m for m in imported(MODULES[name]) if m.split(".")[0] == "savelint"}
    return {m.removeprefix("savelint.") if "." in m else "__init__" for m in found} - {name}


def layer(name: str) -> int:
    top = name.split(".")[0]
    return next((i for i, names in enumerate(LAYERS) if top in names), -1)


@pytest.mark.parametrize("name", MODULES)
def test_every_module_has_a_layer_and_imports_down(name: str) -> None:
    assert layer(name) >= 0, f"put {name} into LAYERS"
    if name == "__init__":  # the public face re-exports from everywhere, when asked
        return
    up = {other for other in own_imports(name) if layer(other) < layer(name)}
    assert not up


def test_no_two_modules_import_each_other() -> None:
    remaining = {name: own_imports(name) - {"__init__"} for name in MODULES if name != "__init__"}
    while True:
        leaves = {name for name, needs in remaining.items() if not needs & remaining.keys()}
        if not leaves:
            break
        remaining = {name: needs for name, needs in remaining.items() if name not in leaves}
    assert not remaining, "these import each other, directly or in a circle"


@pytest.mark.parametrize("library", KNOWS)
def test_libraries_are_known_where_they_belong(library: str) -> None:
    users = {
        name
        for name, tree in MODULES.items()
        if any(module.split(".")[0] == library for module in imported(tree))
    }
    assert users <= KNOWS[library]


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("keras")])
def test_keras_knows_no_rule(name: str) -> None:
    assert all(other.split(".")[0] not in ("rule", "rules") for other in own_imports(name))


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("rules.")])
def test_rules_know_neither_engine_nor_reporters(name: str) -> None:
    assert not {m.split(".")[0] for m in own_imports(name)} & {"engine", "analysis", "report"}


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("destination")])
def test_a_destination_needs_the_standard_library_only(name: str) -> None:
    """It is for training scripts, which must not pay for a linter."""
    roots = {module.split(".")[0] for module in imported(MODULES[name])}
    assert roots <= {*sys.stdlib_module_names, "savelint"}
    assert all(other.split(".")[0] == "destination" for other in own_imports(name))


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--version"], {"libcst", "rich", "pathspec", "multiprocessing", "savelint.engine"}),
        (["check", "--help"], {"libcst", "rich", "pathspec", "multiprocessing", "savelint.engine"}),
        (["check", "plain.py"], {"libcst", "rich", "pathspec", "multiprocessing"}),
        (["preflight", "m.keras"], {"libcst", "rich", "pathspec", "multiprocessing"}),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(
    tmp_path: Path, arguments: list[str], unwanted: set[str]
) -> None:
    (tmp_path / "plain.py").write_text("x = 1\n")
    program = (
        "import sys\nfrom savelint.cli import main\n"
        f"sys.argv = ['savelint', *{arguments!r}]\n"
        "try:\n    main()\nfinally:\n    print(*sys.modules, sep='\\n')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert not unwanted & set(run.stdout.splitlines())
