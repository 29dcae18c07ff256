"""Where a dotted name is looked for: packages, roots, namespaces, repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from savelint.modules import Modules

# A repository with a package at its root, one below `src`, two projects side by side, a
# namespace package, scripts, and other people's code.
TREE = """
.git/HEAD
pkg/__init__.py
pkg/net.py
pkg/sub/__init__.py
pkg/sub/deep.py
pkg/sub/net.py
src/inner/__init__.py
src/inner/a.py
packages/one/pyproject.toml
packages/one/one/__init__.py
packages/one/one/x.py
packages/two/src/two/__init__.py
packages/two/src/two/y.py
packages/left/same/__init__.py
packages/right/same/__init__.py
spaces/part/z.py
examples/train.py
examples/helpers.py
venv/other/__init__.py
node_modules/js/__init__.py
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    grow(tmp_path, TREE)
    return tmp_path


def grow(root: Path, tree: str) -> None:
    for name in tree.split():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def tops(root: Path, at: str, name: str) -> list[str]:
    """The files (or directories) that an absolute import may mean, relative to the root."""
    places = Modules().top(str(root / at), name)
    return [str(Path(p.file or p.directory).relative_to(root)) for p in places]


@pytest.mark.parametrize(
    ("at", "name", "expected"),
    [
        ("pkg/net.py", "pkg", ["pkg/__init__.py"]),
        ("pkg/sub/deep.py", "pkg", ["pkg/__init__.py"]),
        ("examples/train.py", "pkg", ["pkg/__init__.py"]),
        ("examples/train.py", "helpers", ["examples/helpers.py"]),
        ("examples/train.py", "inner", ["src/inner/__init__.py"]),
        ("pkg/net.py", "inner", ["src/inner/__init__.py"]),
        ("src/inner/a.py", "pkg", ["pkg/__init__.py"]),
        # Packages of the repository that are in no directory above.
        ("examples/train.py", "one", ["packages/one/one/__init__.py"]),
        ("packages/one/one/x.py", "two", ["packages/two/src/two/__init__.py", "packages/two"]),
        # A script inside a package, run by its own path; the outermost comes first.
        ("pkg/sub/deep.py", "net", ["pkg/sub/net.py", "pkg/net.py"]),
        # A namespace package is a directory.
        ("examples/train.py", "spaces", ["spaces"]),
        # Two packages of one name: none is meant for certain.
        ("examples/train.py", "same", []),
        # The standard library, other people's code, and what is not there.
        ("pkg/net.py", "types", []),
        ("pkg/net.py", "other", []),
        ("pkg/net.py", "js", []),
        ("pkg/net.py", "absent", []),
    ],
)
def test_an_absolute_import_is_found_where_python_would(
    root: Path, at: str, name: str, expected: list[str]
) -> None:
    assert tops(root, at, name) == expected


@pytest.mark.parametrize(
    ("at", "level", "name", "expected"),
    [
        ("pkg/sub/deep.py", 1, "net", "pkg/sub/net.py"),
        ("pkg/sub/deep.py", 2, "net", "pkg/net.py"),
        ("pkg/sub/__init__.py", 1, "deep", "pkg/sub/deep.py"),
        ("pkg/net.py", 1, "sub", "pkg/sub/__init__.py"),
        ("spaces/part/z.py", 2, "part", "spaces/part"),
        ("pkg/net.py", 1, "absent", None),
    ],
)
def test_a_relative_import_counts_its_dots(
    root: Path, at: str, level: int, name: str, expected: str | None
) -> None:
    modules = Modules()
    package = modules.package(str(root / at), level)
    assert package is not None
    found = modules.submodule(package, name)
    shown = str(Path(found.file or found.directory).relative_to(root)) if found else None
    assert shown == expected


def test_dots_that_lead_out_of_everything_lead_nowhere(root: Path) -> None:
    assert Modules().package(str(root / "pkg/net.py"), 99) is not None  # the file system's root
    assert Modules().package(str(root / "absent/x.py"), 1) is None


def test_without_any_mark_the_outermost_package_is_all_there_is(tmp_path: Path) -> None:
    grow(tmp_path, "pkg/__init__.py pkg/a.py beside/__init__.py script.py")
    assert tops(tmp_path, "pkg/a.py", "pkg") == ["pkg/__init__.py"]
    assert Modules().root(str(tmp_path / "pkg/a.py")) == str(tmp_path / "pkg")
    assert Modules().root(str(tmp_path / "script.py")) == str(tmp_path)


def test_installed_packages_do_not_see_each_other(tmp_path: Path) -> None:
    grow(tmp_path, "pyproject.toml lib/site-packages/one/a.py lib/site-packages/one/__init__.py")
    grow(tmp_path, "lib/site-packages/two/__init__.py two/__init__.py")
    at = "lib/site-packages/one/a.py"
    assert tops(tmp_path, at, "two") == []
    assert tops(tmp_path, at, "one") == ["lib/site-packages/one/__init__.py"]


def test_a_tree_holds_the_files_of_a_project_without_other_peoples(root: Path) -> None:
    modules = Modules()
    top = modules.root(str(root / "examples/train.py"))
    assert top == str(root)
    found = [str(Path(path).relative_to(root)) for path in modules.tree(top)]
    expected = [n for n in TREE.split() if n.endswith(".py") and n.split("/")[0] not in BARRED]
    assert found == sorted(expected)


BARRED = {"venv", "node_modules", ".git"}


def test_the_tree_of_an_unmarked_directory_is_its_own_files(tmp_path: Path) -> None:
    grow(tmp_path, "script.py other.py below/far.py")
    modules = Modules()
    found = modules.tree(modules.root(str(tmp_path / "script.py")))
    assert [Path(path).name for path in found] == ["other.py", "script.py"]


def test_a_link_to_a_directory_above_is_no_loop(root: Path) -> None:
    (root / "pkg/again").symlink_to(root)
    modules = Modules()
    assert len(modules.tree(str(root))) == len(set(modules.tree(str(root))))
    assert tops(root, "examples/train.py", "absent") == []
