"""What savelint costs beside its floor and its peers: CPU, wall time and memory, as ratios.

    python benchmarks/peers.py                  # every row
    python benchmarks/peers.py --only file      # the rows whose name holds the word
    python benchmarks/peers.py --keep DIRECTORY # corpora and peers stay there for another run

The corpora are wheels from PyPI, unpacked and never executed: a Keras-heavy tree, and a mixed
one of other packages and a Keras one. The peers stand in a virtual environment of their own, in
pinned versions; each runs with one rule. All commands of a row run by turns, medians count.

POSIX only (os.wait4). Peak memory is that of the largest process of a command.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cost import DEARER, MODEL, PARSE, PLAIN

PEERS = (
    *("ruff==0.17.6", "fixit==2.2.1", "torchfix==0.7.0", "pylint==4.1.4"),
    *("flake8-bugbear==26.10.27", "setuptools<81"),
)
KERAS_HEAVY = ("keras-hub==0.32.0", "keras-cv==0.9.0", "kecam==1.4.3")
MIXED = ("Django==5.2.19", "networkx==3.4.2", "keras-cv==0.9.0")
PACKAGE = ("deepctr==0.9.3",)
CHECK = (sys.executable, "-m", "savelint", "check")
COLD = (*CHECK, "--isolated", "--no-cache", "-q")
CLEAN = """\
import keras


class Net(keras.layers.Layer):
    def call(self, x):
        return x
"""
FINDINGS = 200
# Seconds.
SETTLED = 3


class Command(NamedTuple):
    """What is run, and where its arguments come from for people."""

    name: str
    words: tuple[str, ...]
    directory: Path | None = None


class Row(NamedTuple):
    """A command of savelint, and what it is compared with; `aim` is a ratio of `what`."""

    name: str
    command: Command
    against: Command
    aim: float
    what: str = "cpu"


class Cost(NamedTuple):
    """Medians: seconds of CPU and of wall time, peak memory in MB."""

    cpu: float
    wall: float
    peak: float


def run(command: Command, environment: dict[str, str]) -> Cost:
    """Run a command to its end, whatever its exit code: linters exit with 1."""
    null = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    begin = time.perf_counter()
    process = subprocess.Popen(  # type: ignore[call-overload]
        command.words, cwd=command.directory, env=environment, **null
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begin
    if process.returncode < 0 or process.returncode > 32:
        sys.exit(f"{command.name}: exit code {process.returncode}: {' '.join(command.words)}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def surroundings(scratch: Path) -> dict[str, str]:
    """The environment of all commands."""
    environment = {key: value for key, value in os.environ.items() if key not in DEARER}
    environment["PYTHONPYCACHEPREFIX"] = str(scratch / "bytecode")
    return environment


def fill(warm: Command, scratch: Path) -> None:
    """Fill the cache, which trusts nothing that changed in the last seconds, itself not either."""
    for _ in range(2):
        run(warm, surroundings(scratch))
        time.sleep(SETTLED)


def measure(rows: Sequence[Row], repeat: int, scratch: Path) -> Iterator[tuple[Row, Cost, Cost]]:
    """The costs of each row's two commands, by turns, after a first run that does not count."""
    environment = surroundings(scratch)
    for row in rows:
        runs = [
            (run(row.command, environment), run(row.against, environment))
            for _ in range(repeat + 1)
        ][1:]
        ours, theirs = zip(*runs, strict=True)
        yield row, _median(ours), _median(theirs)


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(*map(statistics.median, zip(*costs, strict=True)))


def corpus(directory: Path, requirements: Sequence[str]) -> Path:
    """Download wheels from PyPI and unpack them, once; a repository of its own."""
    if directory.is_dir():
        return directory
    with tempfile.TemporaryDirectory() as downloads:
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps")
        subprocess.run(
            (*pip, "--only-binary", ":all:", "--dest", downloads, *requirements), check=True
        )
        for wheel in Path(downloads).glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(directory)
    (directory / ".git").mkdir()
    return directory


def peers(directory: Path) -> Path:
    """The programs of the peers, installed once."""
    if not directory.is_dir():
        venv.create(directory, with_pip=True)
        pip = (str(directory / "bin" / "python"), "-m", "pip", "install", "--quiet")
        subprocess.run((*pip, *PEERS), check=True)
    return directory / "bin"


def floor(tree: Path, scratch: Path) -> Command:
    """Import libcst and parse the files of a tree in which something is found."""
    command = (*CHECK, "--isolated", "--no-cache", "--output-format", "json", str(tree))
    report = subprocess.run(command, capture_output=True, text=True, check=False)
    # Codes from SVL9 on tell of savelint itself, not of a model.
    found = [f for f in json.loads(report.stdout) if not f["code"].startswith("SVL9")]
    paths = sorted({str(Path(finding["path"]).absolute()) for finding in found})
    files = sum(1 for _ in tree.rglob("*.py"))
    print(f"{tree.name}: {files} files, {len(found)} findings in {len(paths)} of them", flush=True)
    listed = scratch / f"{tree.name}.paths"
    listed.write_text("\0".join(paths), encoding="utf-8")
    words = (sys.executable, "-c", PARSE, str(listed))
    return Command(f"import libcst, parse the {len(paths)}", words)


def largest(tree: Path, scratch: Path) -> Command:
    """Import libcst and parse the longest class of a tree's files that name Keras."""
    longest = ""
    for path in tree.rglob("*.py"):
        source = path.read_bytes()
        if b"keras" in source:
            text = source.decode()
            classes = (n for n in ast.parse(text).body if isinstance(n, ast.ClassDef))
            sources = (ast.get_source_segment(text, node) or "" for node in classes)
            longest = max((longest, *sources), key=len)
    module = scratch / f"{tree.name}.largest.py"
    module.write_text(longest, encoding="utf-8")
    listed = scratch / f"{tree.name}.largest"
    listed.write_text(str(module), encoding="utf-8")
    lines = longest.count("\n") + 1
    words = (sys.executable, "-c", PARSE, str(listed))
    return Command(f"import libcst, parse the longest class ({lines} lines)", words)


def file_rows(scratch: Path) -> list[Row]:
    """One file, in which there is nothing, no finding, one finding, and many."""
    many = f"{MODEL}\n" + "".join(
        MODEL.partition("\n\n\n")[2].replace("Flat", f"Flat{number}") + "\n\n"
        for number in range(FINDINGS - 1)
    )
    texts = {"plain": PLAIN, "clean": CLEAN, "model": MODEL, "many": many}
    paths = {name: scratch / f"{name}.py" for name in texts}
    for name, text in texts.items():
        paths[name].write_text(text, encoding="utf-8")
    python = (sys.executable, "-c")
    click = Command("import click", (*python, "import click"))
    libcst = Command("import libcst", (*python, "import libcst"))
    listed = scratch / "one.paths"
    listed.write_text(str(paths["model"]), encoding="utf-8")
    parse = Command("import libcst, parse it", (*python, PARSE, str(listed)))
    check = {name: Command("check", (*COLD, str(path))) for name, path in paths.items()}
    fixes = Command("check --fix, unwritten", (*COLD, "--diff", str(paths["many"])))
    return [
        Row("file without Keras", check["plain"], click, 1.3),
        Row("file that the gates stop", check["clean"], libcst, 0.4),
        Row("file with a finding", check["model"], parse, 1.2),
        Row(f"file with {FINDINGS} findings", fixes, check["many"], 2.5),
    ]


def tree_rows(scratch: Path, kept: Path, only: str) -> Iterator[Row]:
    """The trees, cold and warm, beside libcst and the peers."""
    programs = peers(kept / "peers")
    ruff = (str(programs / "ruff"), "check", "--isolated", "--select", "F401", "-q")
    trees = (("mixed tree", MIXED, 1.2), ("Keras-heavy tree", KERAS_HEAVY, 1.5))
    for name, requirements, aim in trees:
        if only not in name:
            continue
        tree = corpus(kept / name.replace(" ", "-"), requirements)
        cold = Command("cold", (*COLD, str(tree)))
        warm = Command("warm", (*CHECK, "-q", "."), tree)
        fill(warm, scratch)
        yield Row(f"{name}, cold", cold, floor(tree, scratch), aim)
        yield Row(f"{name}, cold", cold, Command("ruff cold", (*ruff, "-n", str(tree))), 1.5)
        yield Row(f"{name}, warm", warm, Command("ruff warm", (*ruff, "."), tree), 1.0)
        one, two = (Command(f"-j{jobs}", (*COLD, f"-j{jobs}", str(tree))) for jobs in (1, 2))
        yield Row(f"{name}, cold", one, largest(tree, scratch), 2.0, "peak")
        yield Row(f"{name}, cold", two, one, 0.6, "wall")
    if only in "package":
        tree = corpus(kept / "package", PACKAGE)
        cold = Command("cold", (*COLD, str(tree)))
        for peer, words, aim in (
            ("TorchFix", ("torchfix", "--select=TOR101", "."), 0.3),
            ("Fixit", ("fixit", "lint", "."), 0.08),
            ("pylint", ("pylint", "--disable=all", "--enable=W0102", "-j1", "."), 0.3),
            ("flake8-bugbear", ("flake8", "--isolated", "--select=B006", "-j1", "."), 0.3),
        ):
            command = Command(peer, (str(programs / words[0]), *words[1:]), tree)
            yield Row("package, cold", cold, command, aim)


def line(row: Row, ours: Cost, theirs: Cost) -> str:
    """One row of the table."""
    cells = [row.name, row.command.name, row.against.name]
    cells += [f"{ours.cpu:.2f}", f"{theirs.cpu:.2f}"]
    cells += [f"{mine / other:.2f}" for mine, other in zip(ours, theirs, strict=True)]
    cells.append(f"{row.what} {row.aim}")
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure, and print a row when it is known."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", metavar="WORD", help="rows whose name holds it")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="for another run")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each (at least 5)")
    options = parser.parse_args()
    if options.repeat < 5:
        parser.error("medians of fewer than 5 runs say nothing")
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        kept = (options.keep or scratch).resolve()
        rows = [row for row in file_rows(scratch) if options.only in row.name]
        if not rows or not options.only:
            rows += tree_rows(scratch, kept, options.only)
        print("| of | savelint | against | CPU s | CPU s | CPU | wall | peak memory | aim |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
        for found in measure(rows, options.repeat, scratch):
            print(line(*found), flush=True)


if __name__ == "__main__":
    main()
