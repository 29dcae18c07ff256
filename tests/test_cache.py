"""With the cache savelint says what it says without it, whatever happened in between."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from savelint import analysis, cli, files

HEAD = "import keras\nimport tensorflow as tf\n"
FROZEN = (
    "    def __init__(self):\n        super().__init__()\n"
    "    def call(self, x):\n        return tf.reshape(x, [tf.shape(x)[0], 2, 3])\n"
)
MODEL = f"{HEAD}class Net(keras.Model):\n{FROZEN}"
TEXTS = [
    MODEL,
    f"{HEAD}from base import Base\nclass Net(Base):\n{FROZEN}",
    f"{HEAD}from .base import Base, rows\nclass Net(Base):\n    def __init__(self):\n"
    "        super().__init__()\n    def call(self, x):\n        return rows(x)\n",
    f"{HEAD}class Base(keras.Model):\n    pass\ndef rows(x):\n"
    "    return tf.reshape(x, [tf.shape(x)[0], 2, 3])\n",
    f"{HEAD}class Base:\n    pass\ndef rows(x):\n    return x\n",
    f"{HEAD}from model import Net\nnet = Net()\ntf.saved_model.save(net, 'x')\n",
    "import keras\nbroken(\n",
    "print('no model')\n",
    f"# savelint: file-ignore[SVL101]\n{MODEL}",
    f"import tf_keras\n{MODEL}",
]
MODULES = ["model.py", "base.py", "pkg/model.py", "pkg/base.py", "pkg/__init__.py", "use.py"]
DECLARED = {
    "requirements.txt": ["tensorflow<2.16", "tensorflow>=2.16", "numpy"],
    "pyproject.toml": [
        '[project]\ndependencies = ["tf_keras"]\n',
        '[tool.savelint]\nkeras-version = "2"\n',
        '[tool.savelint]\nignore = ["SVL101"]\n',
        '[tool.savelint.per-file-ignores]\n"pkg/" = ["SVL1"]\n',
    ],
}
EDITS = [
    *((name, text) for name in MODULES for text in TEXTS),
    *((name, text) for name, texts in DECLARED.items() for text in texts),
    *((name, "") for name in [*MODULES, *DECLARED]),
]


def check(*arguments: str) -> Result:
    result = CliRunner().invoke(cli.cli, ["check", "--output-format", "json", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def told(*arguments: str) -> tuple[str, str, int]:
    result = check("-v", *arguments)
    return result.stdout, result.stderr, result.exit_code


def edit(name: str, text: str) -> None:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    if text:
        path.write_text(text)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def project() -> Iterator[Path]:
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        try:
            Path(".git").mkdir()
            yield Path(name)
        finally:
            os.chdir(before)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The names of the files that are analysed meanwhile."""
    names: list[str] = []
    real = analysis.analyse

    def noted(source: object, *arguments: object, **options: object) -> analysis.Analysis:
        names.append(getattr(source, "path", ""))
        return real(source, *arguments, **options)  # type: ignore[arg-type]

    with mock.patch.object(analysis, "analyse", noted):
        yield names


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    edit("model.py", TEXTS[1])
    edit("base.py", TEXTS[3])
    edit("other.py", f"{HEAD}x = 1\n")
    return tmp_path


def results(tree: Path) -> Path:
    (found,) = (tree / ".savelint_cache").glob("results-*.cache")
    return found


# The second makes the cache trust every stamp, however new; an edit then has to change it.
@given(
    st.lists(st.lists(st.sampled_from(EDITS), min_size=1, max_size=4), min_size=1, max_size=5),
    st.sampled_from([files._SETTLED, 0]),
    st.sampled_from([(), ("pkg",), ("model.py", "use.py")]),
)
@settings(max_examples=25, deadline=None)
def test_no_sequence_of_edits_makes_a_difference(
    steps: list[list[tuple[str, str]]], settled: int, narrow: tuple[str, ...]
) -> None:
    with project(), mock.patch.object(files, "_SETTLED", settled):
        edit("pkg/base.py", TEXTS[4])
        for count, edits in enumerate(steps):
            for name, text in edits:
                edit(name, text)
            paths = tuple(p for p in narrow if Path(p).exists()) if count % 2 else ()
            expected = told("--no-cache", *paths)
            assert told(*paths) == expected
            assert told(*paths) == expected
            if not settled:
                time.sleep(0.01)  # the clock of the file system ticks


def test_nothing_is_analysed_again(tree: Path) -> None:
    first = told()
    with counted() as names:
        assert told() == first
        assert names == []
        os.utime("other.py")  # touched, not changed
        assert told() == first
        assert names == []
    assert json.loads(first[0])


@pytest.mark.parametrize(
    ("name", "text", "again"),
    [
        ("other.py", f"{HEAD}x = 2\n", ["other.py"]),
        # One file leads to it, so that all results of the project are doubtful.
        ("base.py", TEXTS[4], ["base.py", "model.py", "other.py"]),
        ("notes.md", "text", []),
        ("requirements.txt", "tf_keras", ["base.py", "model.py", "other.py"]),
    ],
)
def test_a_change_costs_what_depends_on_it(
    tree: Path, name: str, text: str, again: list[str]
) -> None:
    told()
    edit(name, text)
    with counted() as names:
        found = told()
    assert names == again
    assert found == told("--no-cache")
    with counted() as names:
        assert told() == found
    assert names == []


def test_other_settings_have_other_results(tree: Path) -> None:
    options = [(), ("--ignore", "SVL1"), ("--keras-version", "2"), ("--select", "SVL2")]
    found = [told(*each) for each in options]
    assert found == [told("--no-cache", *each) for each in options]
    assert found == [told(*each) for each in options]


@pytest.mark.parametrize(
    "damage", ["", "garbage", "{}", '{"key": 1}', "[" * 100_000, "half", "text"]
)
def test_a_damaged_cache_is_none(tree: Path, damage: str) -> None:
    expected = told()
    path = results(tree)
    whole = path.read_text()
    damaged = {"half": whole[: len(whole) // 2], "text": whole.replace("reshape", "reshaqe")}
    path.write_text(damaged.get(damage, damage))
    assert told() == expected
    checksum, _, document = path.read_text().partition("\n")
    assert checksum == f"{zlib.crc32(document.encode()):08x}"
    assert json.loads(document)["results"]


def test_a_cache_of_another_version_does_not_count(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told()
    path = results(tree)
    _, _, document = path.read_text().partition("\n")
    changed = document.replace("dynamic-reshape", "another-name")
    path.write_text(f"{zlib.crc32(changed.encode()):08x}\n{changed}")
    assert "another-name" in told()[0]  # it is read
    monkeypatch.setattr("savelint.cache.__version__", "0.0")
    assert told() == told("--no-cache")


def test_without_a_place_for_it_there_is_no_cache(tree: Path) -> None:
    Path(".savelint_cache").write_text("in the way")
    assert told() == told("--no-cache")
    assert Path(".savelint_cache").read_text() == "in the way"


def test_two_runs_at_once_do_no_harm(tree: Path) -> None:
    expected = check("--no-cache").stdout
    command = [sys.executable, "-m", "savelint", "check", "--output-format", "json"]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [run.communicate()[0] for run in runs] == [expected, expected]
    assert check().stdout == expected
    assert sorted(path.name[:8] for path in Path(".savelint_cache").iterdir()) == [
        ".gitigno",
        "CACHEDIR",
        "results-",
    ]


def test_fixing_and_standard_input_use_no_cache(tree: Path) -> None:
    check("--fix", "--unsafe-fixes")
    CliRunner().invoke(cli.cli, ["check", "-"], input=MODEL)
    assert not Path(".savelint_cache").exists()


def test_its_directory_is_a_setting(tree: Path) -> None:
    edit("pyproject.toml", '[tool.savelint]\ncache-dir = "var/cache"\n')
    check()
    assert not Path(".savelint_cache").exists()
    assert Path("var/cache/CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f")
    edit("pyproject.toml", "[tool.savelint]\ncache-dir = 1\n")
    assert check().exit_code == 2


def test_clean_removes_what_is_savelint_s_own(tree: Path) -> None:
    clean = ["clean"]
    assert CliRunner().invoke(cli.cli, clean).output == ""
    check()
    assert CliRunner().invoke(cli.cli, clean).output == "Removed .savelint_cache\n"
    assert not Path(".savelint_cache").exists()
    edit("pyproject.toml", '[tool.savelint]\ncache-dir = "."\n')
    Path(".gitignore").write_text("mine\n")
    check()
    assert CliRunner().invoke(cli.cli, clean).exit_code == 0
    assert Path(".gitignore").read_text() == "mine\n"
    assert sorted(path.name for path in tree.iterdir()) == [
        *(".git", ".gitignore", "base.py", "model.py", "other.py", "pyproject.toml")
    ]


def test_old_results_are_let_go(tree: Path) -> None:
    for number in range(20):
        check("--ignore", f"SVL1{number:02}" if number in range(1, 15) else "SVL201")
    assert len([*Path(".savelint_cache").glob("results-*")]) <= 12
