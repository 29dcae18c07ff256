"""What the project index costs: a tree with and without it, and trees of growing size.

    python benchmarks/project.py DIRECTORY

The first row checks the tree twice by turns, following imports to other files and not
following them. The others check one, two and four copies of the tree, each a package of a
project of its own; `exponent` is that of the growth: 1.0 for twice the time for twice the
files. All are medians of whole processes' CPU, as in `cost.py`.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from cost import DEARER, cpu

CHECK = """\
import sys
from savelint.codes import Catalogue
from savelint.engine import Options, check_paths
from savelint.rules import LEDGER
from savelint.settings import Configuration, Overrides
catalogue = Catalogue.of(LEDGER)
options = Options(catalogue, follow=sys.argv[1] == "follow")
configuration = Configuration(catalogue, Overrides(), isolated=True)
check_paths(configuration, options, sys.argv[2:])
"""
COPIES = (1, 2, 4)


def check(paths: list[Path], *, follow: bool) -> tuple[str, ...]:
    """The command that checks paths, with the index or without."""
    how = "follow" if follow else "alone"
    return (sys.executable, "-c", CHECK, how, *map(str, paths))


def grown(source: Path, scratch: Path, copies: int) -> list[Path]:
    """Copies of a tree, each in a project of its own."""
    found = []
    for number in range(copies):
        root = scratch / f"project{copies}_{number}"
        shutil.copytree(source, root / source.name)
        (root / "pyproject.toml").touch()
        found.append(root)
    return found


def medians(commands: list[tuple[str, ...]], repeat: int, scratch: Path) -> list[float]:
    """The median CPU of each command, run by turns after a first run that does not count."""
    environment = {key: value for key, value in os.environ.items() if key not in DEARER}
    environment["PYTHONPYCACHEPREFIX"] = str(scratch / "bytecode")
    runs: list[list[float]] = [[] for _ in commands]
    for count in range(repeat + 1):
        for command, run in zip(commands, runs, strict=True):
            seconds = cpu(command, frozenset({0}), environment)
            if count:
                run.append(seconds)
    return [statistics.median(run) for run in runs]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="runs that count")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        trees = [grown(arguments.directory.resolve(), scratch, copies) for copies in COPIES]
        commands = [check(trees[0], follow=False), *(check(tree, follow=True) for tree in trees)]
        alone, *with_index = medians(commands, arguments.repeat, scratch)
    one, *more = with_index
    print("| savelint check of | CPU | against | ratio |")
    print("| --- | --- | --- | --- |")
    name = f"{arguments.directory.name}, with its project"
    print(f"| {name} | {one:.2f} s | each file alone | {one / alone:.2f} |")
    for copies, seconds in zip(COPIES[1:], more, strict=True):
        ratio = seconds / one
        growth = f"{ratio:.2f}, exponent {math.log(ratio, copies):.2f}"
        print(f"| {copies} copies | {seconds:.2f} s | one copy | {growth} |")


if __name__ == "__main__":
    main()
