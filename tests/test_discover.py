from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from savelint.discover import Discovery, Excludes, PatternError, compile_patterns, discover


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tree(*names: str) -> None:
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("import keras\n")


def search(*paths: str, patterns: tuple[str, ...] = (), force_exclude: bool = False) -> Discovery:
    excludes = replace(Excludes(str(Path.cwd())), patterns=patterns)
    return discover(paths, lambda *_: excludes, force_exclude=force_exclude)


def names(found: Discovery) -> list[str]:
    assert not found.problems
    return [file.display for file in found.files]


def test_python_files_are_found_at_any_depth_in_order() -> None:
    tree("b.py", "a/z.py", "a/b/c.pyw", "notes.txt", "stub.pyi", "book.ipynb", "a/no.pyc")
    assert names(search(".")) == ["a/b/c.pyw", "a/z.py", "b.py"]


def test_other_peoples_directories_are_left_out() -> None:
    tree("x.py", ".venv/x.py", "node_modules/x.py", "build/x.py", "lib/site-packages/x.py")
    tree("__pycache__/x.py", "env/x.py")
    Path("env/pyvenv.cfg").touch()
    assert names(search(".")) == ["x.py"]


def test_a_directory_given_by_name_is_entered_whatever_excludes_it() -> None:
    tree("build/x.py", "generated/deep/y.py", "build/dist/z.py")
    Path(".git").mkdir()
    Path(".gitignore").write_text("generated\n")
    assert names(search("build", "generated/deep", patterns=("generated",))) == [
        "build/x.py",
        "generated/deep/y.py",
    ]


def test_exclude_patterns_follow_gitignore() -> None:
    tree("a.py", "generated/b.py", "sub/generated/c.py", "sub/old_d.py", "build/e.py")
    assert names(search(".", patterns=("/generated", "old_*", "!build"))) == [
        "a.py",
        "build/e.py",
        "sub/generated/c.py",
    ]


def test_a_file_given_by_name_is_taken_unless_forced_out() -> None:
    tree("build/x.py", "old/y.py", "script")
    given = ("build/x.py", "old/y.py", "script")
    assert names(search(*given, patterns=("old",))) == ["build/x.py", "old/y.py", "script"]
    forced = search(*given, patterns=("old",), force_exclude=True)
    assert names(forced) == ["script"]
    assert forced.excluded == 2


def test_gitignore_files_hold_below_their_directory_and_the_inner_wins() -> None:
    tree("a.py", "skip.py", "sub/skip.py", "sub/keep.py", "sub/other.py", "out/x.py")
    Path(".git").mkdir()
    Path(".gitignore").write_text("skip.py\nout/\nother.py\n")
    Path("sub/.gitignore").write_text("!other.py\nkeep.py\n")
    assert names(search(".")) == ["a.py", "sub/other.py"]


def test_gitignore_above_the_start_holds_up_to_the_repository_root() -> None:
    tree("repo/sub/a.py", "repo/sub/b.py", "repo/sub/c.py")
    Path("repo/.git").mkdir()
    Path(".gitignore").write_text("a.py\n")
    Path("repo/.gitignore").write_text("b.py\n")
    assert names(search("repo/sub")) == ["repo/sub/a.py", "repo/sub/c.py"]


def test_a_repository_inside_is_not_ignored_by_the_outer_ones_files() -> None:
    tree("inner/a.py", "inner/sub/a.py", "a.py")
    Path(".git").mkdir()
    Path("inner/.git").write_text("gitdir: elsewhere\n")
    Path(".gitignore").write_text("a.py\n")
    assert names(search(".")) == ["inner/a.py", "inner/sub/a.py"]


def test_a_bad_line_of_a_gitignore_is_passed_over_as_git_does() -> None:
    tree("a.py", "b.py")
    Path(".gitignore").write_text("!\na.py\n")
    assert names(search(".")) == ["b.py"]


def test_what_is_given_twice_or_nested_is_found_once() -> None:
    tree("a/x.py", "a/b/y.py")
    Path("a/same.py").symlink_to("x.py")
    assert len(search("a", "a/x.py", "./a", "a/b", "a/../a/x.py").files) == 2


def test_link_loops_end() -> None:
    tree("a/x.py")
    Path("a/up").symlink_to("..")
    Path("loop.py").symlink_to("loop.py")
    assert names(search(".")) == ["a/x.py"]


def test_a_missing_path_is_a_problem_and_the_others_are_found() -> None:
    tree("x.py")
    found = search("nope.py", "x.py", "loop")
    assert [file.display for file in found.files] == ["x.py"]
    assert [(p.display, p.reason) for p in found.problems] == [
        ("nope.py", "no such file or directory; check the path"),
        ("loop", "no such file or directory; check the path"),
    ]


def test_pipes_are_refused_by_name_and_passed_over_in_directories() -> None:
    os.mkfifo("pipe.py")
    tree("x.py")
    assert names(search(".")) == ["x.py"]
    (problem,) = search("pipe.py").problems
    assert problem.reason == "not a regular file; use `-` to read standard input"


def test_a_notebook_given_by_name_is_refused() -> None:
    tree("book.ipynb")
    (problem,) = search("book.ipynb").problems
    assert problem.reason == "notebooks are not read yet; leave it out"


def test_a_directory_named_like_a_file_is_searched() -> None:
    tree("x.py/y.py")
    assert names(search(".")) == ["x.py/y.py"]


def test_an_unreadable_directory_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    tree("a/x.py", "locked/y.py")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("locked"):  # root, which tests run as, can read everything
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr("os.scandir", refuse)
    found = search(".")
    assert [file.display for file in found.files] == ["a/x.py"]
    assert [(p.display, p.reason) for p in found.problems] == [
        ("locked", "permission denied; make it readable or exclude it")
    ]


def test_names_are_shown_relative_where_that_is_short(tmp_path: Path) -> None:
    tree("here/x.py", "there/y.py")
    os.chdir("here")
    assert names(search(".", "../there", str(tmp_path / "here"))) == ["../there/y.py", "x.py"]
    assert names(search(str(tmp_path / "there"))) == [(tmp_path / "there/y.py").as_posix()]


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux only")
def test_a_name_that_is_not_utf8_can_be_shown() -> None:
    Path(os.fsdecode(b"caf\xe9.py")).write_text("x = 1\n")
    assert names(search(".")) == ["caf\\xe9.py"]


def test_a_bad_pattern_is_named() -> None:
    with pytest.raises(PatternError, match="`!` is not a valid pattern"):
        compile_patterns(["fine", "!"])


def test_the_result_is_what_git_would_list() -> None:
    tree("a.py", "b/c.py", "b/d.py", "b/e/f.py", "g/h.py", "g/i/j.py")
    Path(".gitignore").write_text("b/*\n!b/d.py\ng/**/j.py\n")
    subprocess.run(["git", "init", "-q"], check=True)
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard", "*.py"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert names(search(".")) == listed.stdout.split()
