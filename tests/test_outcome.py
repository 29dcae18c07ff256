"""A run that is like an earlier one says what that one said, and nothing else, ever."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from savelint import cli, files, outcome
from test_cache import EDITS, HEAD, MODEL, TEXTS, edit, project

FORMATS: tuple[list[str], ...] = (
    [],
    ["-q"],
    ["--output-format", "json"],
    ["--output-format", "concise", "--notes"],
    ["--color", "always"],
    ["--exit-zero", "--ignore", "SVL1"],
)


def key(*arguments: str) -> str:
    found = outcome.key(["check", *arguments])
    assert found is not None
    return found


def run(*arguments: str) -> Result:
    """A whole run, which keeps its outcome."""
    result = CliRunner().invoke(cli.cli, ["check", *arguments], obj=key(*arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def known(*arguments: str) -> tuple[str, int] | None:
    return outcome.recall(key(*arguments))


def told(*arguments: str) -> tuple[str, int]:
    result = run("--no-cache", *arguments)
    return result.stdout, result.exit_code


def tick() -> None:
    """Let the clock of the file system go on."""
    time.sleep(0.01)


def keep(*arguments: str) -> None:
    """Run until the outcome is kept: a run that adds to the cache keeps none."""
    for _ in range(3):
        tick()
        run(*arguments)
    assert known(*arguments) == told(*arguments)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project whose stamps are trusted however new they are; an edit has to change them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    edit("model.py", TEXTS[1])
    edit("base.py", TEXTS[3])
    edit("pkg/model.py", MODEL)
    edit("pkg/other.py", f"{HEAD}x = 1\n")
    with mock.patch.object(files, "_SETTLED", 0):
        yield tmp_path


# Adds to what the edits of the cache's own test do: names, directories, links, ignore files.
def move(source: str, target: str) -> None:
    if Path(source).exists() and not Path(target).exists():
        Path(source).rename(target)


def link(name: str, target: str) -> None:
    path = Path(name)
    if path.is_symlink() or not path.exists():
        path.unlink(missing_ok=True)
        path.symlink_to(target)


def swap(name: str, other: str) -> None:
    """Put a link in the place of a directory, which stays elsewhere; and back."""
    path, away = Path(name), Path(other)
    if path.is_symlink():
        path.unlink()
        move(other, name)
    elif path.is_dir() and not away.exists():
        path.rename(away)
        path.symlink_to(away.resolve(), target_is_directory=True)


CHANGES: list[tuple[Callable[[str, str], object], str, str]] = [
    *((edit, name, text) for name, text in EDITS),
    *((edit, f"{where}.gitignore", text) for where in ("", "pkg/") for text in ("", "m*.py", "*")),
    *((edit, "pyproject.toml", f"[tool.savelint]\nexclude = ['{name}']") for name in ("pkg", "b*")),
    (edit, "pkg/pyproject.toml", "[tool.savelint]\nselect = ['SVL2']"),
    (edit, "pkg/pyvenv.cfg", "home"),
    (move, "pkg/model.py", "pkg/renamed.py"),
    (move, "pkg/renamed.py", "pkg/model.py"),
    (move, "pkg", "moved"),
    (move, "moved", "pkg"),
    (swap, "pkg", "away"),
    (link, "linked.py", "pkg/model.py"),
    (link, "linked.py", "base.py"),
    (link, "linked.py", "nowhere"),
    (link, "data", "pkg"),
]


@given(
    st.lists(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3), min_size=1, max_size=5),
    st.sampled_from([(), ("pkg",), ("-q", "."), ("model.py", "pkg")]),
)
@settings(max_examples=25, deadline=None)
def test_no_sequence_of_changes_makes_a_difference(
    steps: list[list[tuple[Callable[[str, str], object], str, str]]], arguments: tuple[str, ...]
) -> None:
    with project(), mock.patch.object(files, "_SETTLED", 0):
        edit("pkg/base.py", TEXTS[4])
        edit("model.py", TEXTS[1])
        for changes in steps:
            for change, name, other in changes:
                if change is not edit or Path(name).parent.is_dir():
                    change(name, other)
            expected = told(*arguments)
            assert known(*arguments) in (None, expected)
            for _ in range(3):
                tick()
                result = run(*arguments)
                assert (result.stdout, result.exit_code) == expected
                assert known(*arguments) in (None, expected)


@pytest.mark.parametrize("options", FORMATS, ids=" ".join)
def test_the_same_is_said_without_a_whole_run(tree: Path, options: list[str]) -> None:
    keep(*options)


def test_findings_are_said_again(tree: Path) -> None:
    keep()
    text, code = known() or ("", 0)
    assert code == 1
    assert "SVL101" in text


CHANGED: dict[str, Callable[[], object]] = {
    "a file is added": lambda: edit("pkg/new.py", MODEL),
    "a file is removed": lambda: Path("pkg/model.py").unlink(),
    "a file is renamed": lambda: move("pkg/model.py", "pkg/renamed.py"),
    "a file is written in place": lambda: Path("pkg/model.py").write_text(MODEL[::-1]),
    "a file is replaced": lambda: Path("base.py").replace("pkg/model.py"),
    "a file that is imported is edited": lambda: edit("base.py", TEXTS[4]),
    "a directory is added": lambda: edit("new/model.py", MODEL),
    "a directory is replaced by a link": lambda: swap("pkg", "away"),
    "an ignore file is added": lambda: edit("pkg/.gitignore", "model.py"),
    "an ignore file is edited": lambda: edit(".gitignore", "pkg"),
    "a directory becomes a repository": lambda: Path("pkg/.git").mkdir(),
    "a directory becomes an environment": lambda: edit("pkg/pyvenv.cfg", "home"),
    "excludes are set": lambda: edit("pyproject.toml", "[tool.savelint]\nexclude = ['pkg']"),
    "settings are added below": lambda: edit(
        "pkg/pyproject.toml", "[tool.savelint]\nignore = ['SVL1']"
    ),
    "what is declared": lambda: edit("requirements.txt", "tf_keras"),
    "a link leads elsewhere": lambda: link("linked.py", "pkg/model.py"),
    "what a link leads to is edited": lambda: edit("../target.py", MODEL),
}


@pytest.mark.parametrize("what", CHANGED)
def test_after_a_change_it_does_not_hold(tree: Path, what: str) -> None:
    edit("../target.py", HEAD)
    edit(".gitignore", "nothing")
    link("linked.py", "../target.py")
    keep("-q", ".")
    tick()
    CHANGED[what]()
    before = known("-q", ".")
    assert before is None
    keep("-q", ".")


@pytest.mark.parametrize(
    "options", [["sub"], ["sub/model.py"], ["--force-exclude", "sub/model.py"]]
)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".gitignore", "model.py"),
        ("pyproject.toml", "[tool.savelint]\nexclude = ['model.py']"),
        ("sub/pyproject.toml", "[tool.savelint]\nignore = ['SVL']"),
    ],
)
def test_what_is_above_counts(tree: Path, name: str, text: str, options: list[str]) -> None:
    edit("sub/model.py", MODEL)
    run()  # makes the cache
    keep(*options)
    edit(name, text)
    assert known(*options) in (None, told(*options))
    if name.endswith(".toml") or options == ["sub"]:
        assert known(*options) is None


def test_the_end_of_a_repository_counts(tree: Path) -> None:
    Path("sub").mkdir()
    edit("sub/deep/model.py", MODEL)
    edit(".gitignore", "other.py")
    run()
    keep("sub/deep")
    Path(".git/index").touch()  # it is the repository all the same
    assert known("sub/deep") is not None
    Path("sub/.git").mkdir()
    assert known("sub/deep") is None


def test_from_a_directory_below_it_is_found(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit("pyproject.toml", "[tool.savelint]\n")
    run()
    monkeypatch.chdir("pkg")
    keep()
    assert not Path(".savelint_cache").exists()


def test_what_changed_just_now_is_not_trusted(tree: Path) -> None:
    with mock.patch.object(files, "_SETTLED", 10**12):
        for _ in range(3):
            run()
    assert known() is None


def test_no_other_run_keeps_or_uses_one(tree: Path) -> None:
    keep()
    kept = sorted(Path(".savelint_cache").glob("run-*"))
    for options in (["--no-cache"], ["-v"], ["--diff"], ["--fix"], ["missing.py"]):
        for _ in range(3):
            CliRunner().invoke(cli.cli, ["check", *options], obj=key(*options))
        assert known(*options) is None
    CliRunner().invoke(cli.cli, ["check", "-"], input=MODEL, obj=key("-"))
    assert sorted(Path(".savelint_cache").glob("run-*")) == kept
    edit("broken.py", "import keras\nbroken(\n")
    for _ in range(3):
        run()
    assert known() is None
    assert outcome.key(["rule"]) is None


def test_the_screen_counts(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    keep()
    narrow = known()
    monkeypatch.setenv("COLUMNS", "120")
    assert known() is None
    keep()
    assert known() != narrow
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert known() is None
    keep()


def test_any_damage_makes_it_none(tree: Path) -> None:
    keep()
    (path,) = Path(".savelint_cache").glob("run-*")
    whole = path.read_bytes()
    for at in range(0, len(whole), 31):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert known() is None
    path.write_bytes(whole[:-1])
    assert known() is None
    path.unlink()
    path.mkdir()
    keep_nothing = run()
    assert (keep_nothing.stdout, keep_nothing.exit_code) == told()


@pytest.mark.parametrize(
    "forged", [b"", b"\0", b"\xff\0\0", b"{key}\0", b"{key}\0x text\0([], [])", b"{key}\0\0\0\0"]
)
def test_a_forged_one_does_no_harm(tree: Path, forged: bytes) -> None:
    keep()
    (path,) = Path(".savelint_cache").glob("run-*")
    data = forged.replace(b"{key}", key().encode())
    path.write_bytes(f"{zlib.crc32(data):08x}\n".encode() + data)
    assert known() is None


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("plain\n", True),
        ("\x1b[1;31mred\x1b[0m", True),
        ("a\u00a0b \u65e5\u3000\n", True),
        ("\x1b[2J", False),
        ("\x1b[31", False),
        ("\x1b]0;title\x07", False),
        ("\r", False),
        ("\x9b2J", False),
        ("\u202e", False),
    ],
)
def test_nothing_that_steers_a_terminal_is_said(tree: Path, text: str, harmless: bool) -> None:
    keep()
    (path,) = Path(".savelint_cache").glob("run-*")
    content = path.read_bytes().partition(b"\n")[2]
    said = content.split(b"\0")[1]
    data = content.replace(said, f"0 {text}".encode())
    path.write_bytes(f"{zlib.crc32(data):08x}\n".encode() + data)
    assert known() == ((text, 0) if harmless else None)


def test_they_are_few_and_cleaned_away(tree: Path) -> None:
    for number in range(20):
        keep("-q", f"-j{number + 1}")
    assert len([*Path(".savelint_cache").glob("run-*")]) <= 12
    CliRunner().invoke(cli.cli, ["clean"])
    assert not Path(".savelint_cache").exists()


PROGRAM = """\
import sys
from savelint import files
files._SETTLED = 0
from savelint.__main__ import main
try:
    main()
finally:
    print("whole" if "click" in sys.modules else "known", file=sys.stderr)
"""


def process(*arguments: str, **options: str) -> subprocess.CompletedProcess[str]:
    tick()
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | options,
    )


def test_it_takes_neither_click_nor_a_rule(tree: Path) -> None:
    first, second, third = (process("check", ".") for _ in range(3))
    assert first.stdout == second.stdout == third.stdout
    assert first.returncode == second.returncode == third.returncode == 1
    assert (first.stderr, second.stderr, third.stderr) == ("whole\n", "whole\n", "known\n")


def test_an_edit_of_savelint_itself_counts(
    tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("code")
    package = place / "savelint"
    shutil.copytree(Path(cli.__file__).parent, package)
    where = {"PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
    assert [process("check", **where).stderr for _ in range(3)][2] == "known\n"
    rule = package / "rules" / "svl101_dynamic_reshape.py"
    rule.write_text(rule.read_text().replace("dynamic-reshape", "another-name"))
    assert process("check", **where).stderr == "whole\n"


def test_a_reader_that_goes_away_causes_no_noise(tree: Path) -> None:
    classes = (MODEL.removeprefix(HEAD).replace("Net", f"Net{number}") for number in range(80))
    edit("many.py", "".join((HEAD, *classes)))  # more than a pipe holds
    for _ in range(2):
        process("check", "--output-format=json")
    command = [sys.executable, "-c", PROGRAM, "check", "--output-format=json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.readline()
        run.stdout.close()
        assert run.stderr.read() == b"known\n"
        assert run.wait() == 1
