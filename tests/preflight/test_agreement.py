"""What preflight says is what happens: real file systems, real saves, both generations.

The saves run in programs of their own (`saver.py`), within a mount namespace, so that no
mount outlives them. Without the right to mount, or without root, those conditions are
skipped, and their number is shown.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conditions import CONDITIONS

from savelint.destination.errors import OR

pytestmark = pytest.mark.tensorflow

SAVER = Path(__file__).with_name("saver.py")
GENERATIONS = (2, 3)
MISSED = 0.01  # of the failures, at most
Outcome = dict[str, Any]

# Where preflight is right not to know: a server decides, the user's meaning does, or the calls
# that save the same kind differ.
UNSURE = {
    "a variable that is not set": "P04",
    "a name of 234 bytes": "P05",  # Checkpoint.save adds a number
    "broken links in place of the files": "P08",  # of Checkpoint.save, if it counts anew
    "directories in place of the files": "P09",
    "a directory in place of the latest checkpoint's name": "P12",  # Checkpoint.write has none
    "an append-only directory": "P10",
    "a good save in an append-only directory": "P12",
    "an immutable good save": "P12",
    "an append-only good save": "P12",
    "the user's good save, read-only": "P12",
    "root's good save in the user's directory": "P12",
    "a good save of another in a directory for all": "P12",
    "an HDF5 file that is being read, without locking": "P11",  # by a variable read at the import
    "room for the model": "P13",  # model.export of Keras 3 needs it twice
    "a limit on the size of files above the model's": "P15",
    "7 inodes left": "P14",  # model.save of Keras 2 needs one more
    "3 inodes left": "P14",  # Checkpoint.save may number on
    "3 inodes left, with a good save to replace": "P14",
}
# The calls that save the same kind raise different errors, so none is shown.
DIFFERENT = {"an empty path"}


def allowed(scratch: Path) -> set[str]:
    """What this machine lets a test do, found by doing it."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return set()
    found = set()
    if all(map(shutil.which, ("unshare", "mount", "umount"))):
        place = scratch / "mount"
        place.mkdir()
        mount = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", str(place)]
        if subprocess.run(mount, capture_output=True, check=False).returncode == 0:
            found.add("mount")
    if shutil.which("chattr"):
        file = scratch / "file"
        file.touch()
        immutable = ["chattr", "+i", str(file)]
        if subprocess.run(immutable, capture_output=True, check=False).returncode == 0:
            subprocess.run(["chattr", "-i", str(file)], check=True)
            found.add("root")
    return found


def outcomes_in(generation: int, needs: set[str], scratch: Path) -> list[Outcome]:
    answer = scratch / f"{generation}.json"
    command = [sys.executable, str(SAVER), str(generation), ",".join(needs), str(answer)]
    if "mount" in needs:
        command = ["unshare", "--mount", *command]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found: list[Outcome] = json.loads(answer.read_text(encoding="utf-8"))
    return [outcome | {"generation": generation} for outcome in found]


@pytest.fixture(scope="module")
def needs(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    return allowed(tmp_path_factory.mktemp("allowed"))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory, needs: set[str]) -> list[Outcome]:
    scratch = tmp_path_factory.mktemp("saves")
    with ThreadPoolExecutor(len(GENERATIONS)) as pool:
        both = pool.map(lambda generation: outcomes_in(generation, needs, scratch), GENERATIONS)
        return [outcome for found in both for outcome in found]


def failed(outcome: Outcome) -> bool:
    return bool(outcome["error"] or outcome["lost"])


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """How often preflight and what happened agree, by call and generation."""
    yield f"{'call':32}{'Keras':>6}{'saves':>7}{'failed':>8}{'foretold':>10}{'missed':>8}" + (
        f"{'false':>7}{'unsure':>8}"
    )
    groups: dict[tuple[str, int], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome["call"], outcome["generation"]), []).append(outcome)
    for (call, generation), group in [*sorted(groups.items()), (("all", 0), list(outcomes))]:
        counts = Counter((failed(outcome), outcome["verdict"]) for outcome in group)
        yield (
            f"{call:32}{generation or '':>6}{len(group):>7}"
            f"{sum(n for (bad, _), n in counts.items() if bad):>8}"
            f"{counts[True, 'fails']:>10}{counts[True, 'ok']:>8}{counts[False, 'fails']:>7}"
            f"{sum(n for (_, verdict), n in counts.items() if verdict == 'unknown'):>8}"
        )


def shown(outcomes: Sequence[Outcome]) -> str:
    return "\n".join(
        f"Keras {o['generation']}, {o['call']}, {o['condition']}: preflight said "
        f"{o['verdict']} {o['codes']}; {o['error'] or o['lost'] or 'saved'}"
        for o in outcomes
    )


@pytest.mark.parametrize("need", ["mount", "root"])
def test_the_machine_allows_it(need: str, needs: set[str]) -> None:
    """Skipped, with the number of conditions left out, where it does not."""
    left_out = sum(need in condition.needs for condition in CONDITIONS)
    if need not in needs:
        pytest.skip(f"{left_out} of {len(CONDITIONS)} conditions left out: no right to {need}")
    assert left_out


def test_agreement(outcomes: list[Outcome], capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print("", *table(outcomes), sep="\n")
    false = [o for o in outcomes if o["verdict"] == "fails" and not failed(o)]
    assert not false, shown(false)
    failures = [o for o in outcomes if failed(o)]
    missed = [o for o in failures if o["verdict"] == "ok"]
    assert len(missed) <= MISSED * len(failures), shown(missed)


def test_preflight_is_unsure_only_where_it_must_be(outcomes: list[Outcome]) -> None:
    unsure = [o for o in outcomes if o["verdict"] == "unknown"]
    unexpected = [o for o in unsure if UNSURE.get(o["condition"]) not in o["codes"]]
    assert not unexpected, shown(unexpected)


def test_the_error_shown_is_the_one_raised(outcomes: list[Outcome]) -> None:
    wrong = [
        f"{o['generation']} {o['call']}, {o['condition']}:\n  {expected}\n  {o['error']}"
        for o in outcomes
        for expected in o["expected"][:1]
        if expected and o["verdict"] == "fails" and not raised(expected, o["error"])
    ]
    assert not wrong, "\n".join(wrong)


def raised(expected: str, error: str) -> bool:
    """Tell whether an error is one of those expected, in which `...` stands for anything."""
    for form in expected.split(OR):
        pattern = ".*".join(map(re.escape, form.split("...")))
        if re.fullmatch(pattern, error, re.DOTALL):
            return True
    return False


def test_an_error_is_shown_where_there_was_one(outcomes: list[Outcome]) -> None:
    silent = [
        o
        for o in outcomes
        if o["verdict"] == "fails" and o["error"] and not o["expected"][0]
        if o["condition"] not in DIFFERENT
    ]
    assert not silent, shown(silent)


def test_nothing_is_left_behind(outcomes: list[Outcome]) -> None:
    assert not [(o["condition"], o["left"]) for o in outcomes if o["left"]]
