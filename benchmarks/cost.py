"""What savelint costs beside what it cannot do without: CPU of whole processes, as ratios.

Each row runs a command of savelint and a baseline by turns, in this interpreter, and
compares the medians of user and system time, children included. Ratios of one run are
worth trusting; the milliseconds beside them depend on the machine and its load.

    python benchmarks/cost.py DIRECTORY             # a tree of model source
    python benchmarks/cost.py --package keras-hub   # the source of a package from PyPI
    python benchmarks/cost.py                       # without the row over many files

POSIX only (os.wait4). Packages are downloaded as wheels and unpacked, never installed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

SAVELINT = (sys.executable, "-m", "savelint", "check", "--isolated")
# Reads the paths from the file it is given and parses them: the floor under any tool on libcst.
PARSE = """\
import sys
import libcst
with open(sys.argv[1], encoding="utf-8") as paths:
    for path in paths.read().split("\\0"):
        with open(path, "rb") as file:
            libcst.parse_module(file.read())
"""
PLAIN = "def double(x):\n    return 2 * x\n"
MODEL = """\
import tensorflow as tf


class Flat(tf.keras.layers.Layer):
    def call(self, inputs):
        return tf.reshape(inputs, [inputs.shape[0], -1])
"""
# Codes that tell of savelint itself, not of a model.
OWN = "SVL9"


# Set in this environment, these would make imports dearer than they are for users.
DEARER = ("PYTHONDONTWRITEBYTECODE", "PYTHONPROFILEIMPORTTIME", "PYTHONDEVMODE")


class Row(NamedTuple):
    """One comparison: what both commands are, the exit codes of the first, and the aim."""

    what: str
    command: tuple[str, ...]
    exits: frozenset[int]
    against: str
    baseline: tuple[str, ...]
    aim: float


class Cost(NamedTuple):
    """Median CPU of a row's two commands, in seconds."""

    row: Row
    command: float
    baseline: float

    @property
    def ratio(self) -> float:
        """How often the baseline fits into the command."""
        return self.command / self.baseline


def cpu(command: tuple[str, ...], exits: frozenset[int], environment: dict[str, str]) -> float:
    """Run a command to its end; its CPU seconds. Ends this program on any other exit code."""
    null = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    pid = os.posix_spawn(command[0], command, environment, file_actions=null)
    _, status, usage = os.wait4(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in exits:
        sys.exit(f"exit code {code}, expected {sorted(exits)}: {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime


def measure(rows: Sequence[Row], repeat: int, scratch: Path) -> list[Cost]:
    """Run all commands by turns, `repeat` times after a first run that does not count.

    The first run also compiles all modules to bytecode, below `scratch`.
    """
    environment = {key: value for key, value in os.environ.items() if key not in DEARER}
    environment["PYTHONPYCACHEPREFIX"] = str(scratch / "bytecode")
    ok = frozenset({0})
    runs: list[list[tuple[float, float]]] = [[] for _ in rows]
    for count in range(repeat + 1):
        for row, run in zip(rows, runs, strict=True):
            pair = (
                cpu(row.command, row.exits, environment),
                cpu(row.baseline, ok, environment),
            )
            if count:
                run.append(pair)
    return [
        Cost(row, *(statistics.median(times) for times in zip(*run, strict=True)))
        for row, run in zip(rows, runs, strict=True)
    ]


def single_files(scratch: Path) -> list[Row]:
    """The rows for one file without Keras, and one with a finding."""
    plain, model = scratch / "plain.py", scratch / "model.py"
    plain.write_text(PLAIN)
    model.write_text(MODEL)
    python = (sys.executable, "-c")
    return [
        Row(
            "one file without Keras",
            (*SAVELINT, str(plain)),
            frozenset({0}),
            "import click",
            (*python, "import click"),
            1.6,
        ),
        Row(
            "one model with a finding",
            (*SAVELINT, str(model)),
            frozenset({1}),
            "import libcst",
            (*python, "import libcst"),
            1.4,
        ),
    ]


def tree(directory: Path, scratch: Path) -> Row | None:
    """The row for a whole tree; None if nothing is found in it."""
    command = (*SAVELINT, str(directory))
    report = subprocess.run(
        (*command, "--output-format", "json"), capture_output=True, text=True, check=False
    )
    try:
        findings = [f for f in json.loads(report.stdout) if not f["code"].startswith(OWN)]
    except ValueError:
        sys.exit(f"no report of {directory}: {report.stderr.strip()}")
    paths = sorted({finding["path"] for finding in findings})
    files = sum(1 for _ in directory.rglob("*.py"))
    print(f"{directory.name}: {files} files, {len(findings)} findings in {len(paths)} of them")
    if not paths:
        return None
    listed = scratch / "paths"
    listed.write_text("\0".join(str(Path(path).absolute()) for path in paths), encoding="utf-8")
    return Row(
        f"a tree of {files} files",
        command,
        # 2: trees hold templates and tests that do not parse.
        frozenset({1, 2}),
        f"import libcst, parse the {len(paths)}",
        (sys.executable, "-c", PARSE, str(listed)),
        2.0,
    )


def package(requirement: str) -> Path:
    """Download a wheel from PyPI into the user's cache, once, and unpack it.

    Only wheels: unlike a source distribution, none runs code of the package.
    """
    caches = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    target = Path(caches, "savelint-benchmarks", requirement)
    if target.is_dir():
        return target
    with tempfile.TemporaryDirectory() as downloads:
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps")
        subprocess.run(
            (*pip, "--only-binary", ":all:", "--dest", downloads, "--", requirement), check=True
        )
        (wheel,) = Path(downloads).glob("*.whl")
        unpacked = Path(downloads, "unpacked")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(unpacked, target)
    return target


def table(costs: Sequence[Cost]) -> str:
    """The costs as a Markdown table."""
    heads = ("savelint check of", "ms", "against", "ms", "ratio", "aim")
    lines = [heads, tuple("-" * len(head) for head in heads)]
    for cost in costs:
        row = cost.row
        lines.append(
            (
                row.what,
                f"{cost.command * 1000:.0f}",
                row.against,
                f"{cost.baseline * 1000:.0f}",
                f"{cost.ratio:.2f}",
                f"{row.aim:.1f}",
            )
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(f"| {' | '.join(map(str.ljust, line, widths))} |" for line in lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("directory", nargs="?", type=Path, help="a tree to check")
    parser.add_argument("--package", metavar="NAME", help="check a package's source from PyPI")
    parser.add_argument("--repeat", type=int, default=7, help="runs of each command (at least 5)")
    options = parser.parse_args()
    if options.repeat < 5:
        parser.error("medians of fewer than 5 runs say nothing")
    if options.directory and options.package:
        parser.error("give a directory or a package")
    directory = package(options.package) if options.package else options.directory
    if directory and not directory.is_dir():
        parser.error(f"{directory} is not a directory")
    python, machine = platform.python_version(), platform.machine()
    print(f"Python {python}, {platform.system()} {machine}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        rows = single_files(scratch)
        if directory:
            rows += filter(None, [tree(directory, scratch)])
        print(f"CPU of whole processes, medians of {options.repeat} runs by turns\n")
        print(table(measure(rows, options.repeat, scratch)))


if __name__ == "__main__":
    main()
