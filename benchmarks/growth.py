"""How the cost grows: with files, with the lines of one file, with its findings.

    python benchmarks/growth.py

An exponent of 1 means twice the CPU for twice the work. What one run costs without any work,
mostly imports, is measured and taken away first.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from cost import DEARER, MODEL, cpu

CHECK = (sys.executable, "-m", "savelint", "check", "--isolated", "--no-cache", "-q")
HEAD, _, BODY = MODEL.partition("\n\n\n")
FILLER = "def helper{0}(a, b):\n    total = a + {0}\n    return [total, b]\n\n\n"


def findings(count: int) -> str:
    """A module with so many findings."""
    return f"{HEAD}\n\n\n" + "\n\n".join(BODY.replace("Flat", f"Flat{n}") for n in range(count))


def long(lines: int) -> str:
    """A module of so many lines, with one finding and a class that grows."""
    methods = "".join(
        f"\n    def part{n}(self, x):\n        y = x + {n}\n        return self.scale(y, {n})\n"
        for n in range(lines // 8)
    )
    rest = "".join(FILLER.format(n) for n in range(lines // 10))
    return f"{HEAD}\n\n\n{rest}{BODY}{methods}"


def tree(directory: Path, copies: int) -> None:
    """A tree with so many times ten models."""
    for number in range(10 * copies):
        path = directory / f"package{number // 10}" / f"model{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(long(160), encoding="utf-8")


def module(text: Callable[[int], str]) -> Callable[[Path, int], None]:
    """What writes one module of a size."""

    def write(directory: Path, size: int) -> None:
        directory.mkdir()
        (directory / "model.py").write_text(text(size), encoding="utf-8")

    return write


CASES: tuple[tuple[str, Callable[[Path, int], None], tuple[int, ...]], ...] = (
    ("tens of files", tree, (1, 2, 4)),
    ("lines of a file", module(long), (1_000, 4_000, 16_000)),
    ("findings in a file", module(findings), (10, 100, 1_000)),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="runs that count")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        environment = {key: value for key, value in os.environ.items() if key not in DEARER}
        environment["PYTHONPYCACHEPREFIX"] = str(scratch / "bytecode")

        def median(directory: Path) -> float:
            command = (*CHECK, str(directory))
            runs = [cpu(command, frozenset({0, 1}), environment) for _ in range(options.repeat + 1)]
            return statistics.median(runs[1:])

        module(findings)(scratch / "empty", 1)
        base = median(scratch / "empty")
        print("| growing | sizes | CPU s beyond the first finding | exponents |")
        print("| --- | --- | --- | --- |")
        for what, write, sizes in CASES:
            costs = []
            for size in sizes:
                directory = scratch / f"{what}-{size}".replace(" ", "-")
                write(directory, size)
                costs.append(max(median(directory) - base, 1e-3))
            points = list(zip(sizes, costs, strict=True))
            exponents = [math.log(d / b, c / a) for (a, b), (c, d) in pairwise(points)]
            cells = (map(str, sizes), (f"{c:.2f}" for c in costs), (f"{e:.2f}" for e in exponents))
            print(f"| {what} | {' | '.join(map(', '.join, cells))} |", flush=True)


if __name__ == "__main__":
    main()
