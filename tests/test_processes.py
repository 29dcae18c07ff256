"""However many processes check, what they say and write is what one would."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest import mock

import pytest
from click.testing import CliRunner, Result

from savelint import cli, engine, processes

EXAMPLES = Path(__file__).with_name("examples")
FILES = 12
BASE = "import keras\nclass Base(keras.Model):\n    pass\n"
MODEL = (
    "import tensorflow as tf\nfrom base import Base\nclass Net{number}(Base):\n"
    "    def __init__(self):\n        super().__init__()\n"
    "    def call(self, x):\n        return tf.reshape(x, [x.shape[0], 2, 3])\n"
)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project whose files lead to each other, checked by processes from the first one on."""
    (tmp_path / "pyproject.toml").write_text("[tool.savelint]\n")
    (tmp_path / "base.py").write_text(BASE)
    (tmp_path / "broken.py").write_text("import keras\nx = (\n")
    for number in range(FILES):
        (tmp_path / f"model{number:02}.py").write_text(MODEL.format(number=number))
    for example in EXAMPLES.glob("*.py"):
        shutil.copy(example, tmp_path)
    monkeypatch.chdir(tmp_path)
    with mock.patch.object(engine, "_WORTH_PROCESSES", -1.0):
        yield tmp_path


def check(*arguments: str) -> Result:
    result = CliRunner().invoke(cli.cli, ["check", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def told(*arguments: str) -> tuple[str, str, int]:
    result = check("-v", *arguments)
    return result.stdout, result.stderr, result.exit_code


def contents(tree: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(tree.glob("*.py"))}


@pytest.mark.parametrize("form", ["json", "full", "concise"])
def test_what_is_said_is_the_same(tree: Path, form: str) -> None:
    one = told("--no-cache", "--output-format", form, "-j1")
    assert "SVL103" in one[0]
    assert told("--no-cache", "--output-format", form, "-j3") == one


def test_what_is_written_is_the_same(tree: Path) -> None:
    before = contents(tree)
    one = told("--fix", "--unsafe-fixes", "-j1")
    fixed = contents(tree)
    assert fixed != before
    for name, content in before.items():
        (tree / name).write_bytes(content)
    assert told("--fix", "--unsafe-fixes", "-j3") == one
    assert contents(tree) == fixed


def test_what_several_saw_is_kept(tree: Path) -> None:
    expected = told("--no-cache", "-j1")
    assert told("-j3") == expected
    with mock.patch.object(engine, "check_file", wraps=engine.check_file) as checked:
        assert told("-j3") == expected
    # What failed is tried again each time.
    assert [call.args[0].display for call in checked.call_args_list] == ["broken.py"]
    # Each result depends on the base, whichever process read it.
    (tree / "base.py").write_text("class Base:\n    pass\n")
    assert told("-j3") == told("--no-cache", "-j1")


def test_where_nothing_is_inherited_it_is_the_same(tree: Path) -> None:
    one = told("--no-cache", "-j1")
    with mock.patch.object(processes, "FORKS", False):
        assert told("--no-cache", "-j2") == one


def test_what_a_dead_process_left_is_checked(tree: Path) -> None:
    one = told("--no-cache", "-j1")
    first = os.getpid()
    real = engine.check_file

    def dies(task: engine.Task, options: engine.Options) -> engine.Checked:
        if os.getpid() != first and task.display == "model10.py":
            os._exit(1)
        return real(task, options)

    with mock.patch.object(engine, "check_file", dies):
        assert told("--no-cache", "-j2") == one


def test_few_files_need_no_processes(tree: Path) -> None:
    for path in tree.glob("model*.py"):
        path.unlink()
    with mock.patch.object(processes, "spread", side_effect=AssertionError):
        assert check("--no-cache", "-j4", "base.py").exit_code == 0


def on_a_terminal(command: Sequence[str]) -> tuple[str, str]:
    """What a command prints, and what it shows where standard error is a terminal."""
    ours, its = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    environment.pop("CI", None)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=its, text=True, env=environment
    ) as process:
        os.close(its)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:  # all who wrote to it are gone
                break
        assert process.stdout is not None
        printed = process.stdout.read()
    os.close(ours)
    return printed, shown.decode()


SLOW = """\
import sys, time
from savelint import cli, engine
from savelint.report import progress
real = engine.check_file
def slow(task, options):
    time.sleep(0.01)
    return real(task, options)
engine.check_file = slow
progress._PATIENCE = progress._INTERVAL = 0.0
sys.argv = ["savelint", *sys.argv[1:]]
cli.main()
"""


@pytest.mark.parametrize(("quiet", "seen"), [((), True), (("-q",), False)])
def test_who_waits_at_a_terminal_sees_how_far_it_is(
    tree: Path, quiet: tuple[str, ...], seen: bool
) -> None:
    command = (sys.executable, "-c", SLOW, "check", "--no-cache", "-j1", *quiet)
    printed, shown = on_a_terminal(command)
    total = len(contents(tree))
    assert (f"{total}/{total}" in shown) == seen
    assert "Checking" not in printed
    # Of the environment as Python knows it: readline adds the width of a terminal unseen.
    piped = subprocess.run(
        command, capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert (piped.stdout, piped.stderr) == (printed, "")


def test_an_interrupted_run_ends_at_once_and_writes_nothing(tree: Path) -> None:
    before = contents(tree)
    program = SLOW.replace("time.sleep(0.01)", "open('begun', 'w').close(); time.sleep(300)")
    # A shell that runs in the background has its children ignore the signal.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program = heed + program.replace("real = ", "engine._WORTH_PROCESSES = -1.0\nreal = ", 1)
    command = (sys.executable, "-c", program, "check", "--fix", "--unsafe-fixes", "-j2", ".")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        while not (tree / "begun").exists():
            assert process.poll() is None
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)
        _, shown = process.communicate(timeout=60)
    assert (process.returncode, shown.strip()) == (130, b"")
    assert contents(tree) == before
