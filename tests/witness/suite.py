"""The witness suite's jobs, made of the rules' examples, and their outcomes.

Outcomes are kept in `.pytest_cache`, under a key of everything they depend on: the job, the
runner, and the versions of TensorFlow and both Keras. `SAVELINT_WITNESS=fresh` measures anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from savelint.keras.generation import Keras
from savelint.rule import Example, Way, Witness
from savelint.rules import RULES

RUNNER = Path(__file__).with_name("runner.py")
CACHE = Path(__file__).parents[2] / ".pytest_cache" / "witness.json"
GENERATIONS = (Keras.V2, Keras.V3)

Outcomes = dict[str, str]

# Names that only one generation has; an example with one is not legal in the other.
ONLY_V3 = re.compile(
    r"\bkeras\.(?:ops|random|Variable|distribution|tree|Function)\b"
    r"|from (?:tensorflow\.)?keras import [^\n]*\b(?:ops|random|Variable)\b"
    r"|from (?:tensorflow\.)?keras\.(?:ops|random)\b"
    r"|\bTFSMLayer\b"
)
ONLY_V2 = re.compile(r"\btf_keras\b|tensorflow\.python\.keras\b")
# The two generations beside each other: only where Keras 3 is installed are they two.
BOTH = re.compile(r"^import keras$(?s:.*)\btf_keras\b", re.MULTILINE)


@dataclass(frozen=True)
class Job:
    """One text, run along some ways."""

    id: str
    source: str
    build: str
    inputs: Sequence[tuple[Sequence[int | None], str]] = (((6,), "float32"),)
    ways: Sequence[Way] = Witness.ways
    saved: str = ""
    trains: int | None = None
    serves: str = ""
    program: bool = False

    @property
    def legal(self) -> tuple[Keras, ...]:
        """The generations in which it can be meant to run."""
        return GENERATIONS if self.program else legal(self.source)

    @property
    def record(self) -> dict[str, Any]:
        """The job as the runner reads it."""
        return {
            "id": self.id,
            "source": self.source,
            "build": self.build,
            "inputs": [[list(shape), dtype] for shape, dtype in self.inputs],
            "ways": [way.value for way in self.ways],
            "saved": self.saved,
            "trains": self.trains,
            "serves": self.serves,
            "program": self.program,
        }


@dataclass(frozen=True)
class Case:
    """An example of a rule."""

    code: str
    example: Example

    @property
    def id(self) -> str:
        return f"{self.code}-{self.example.variant}"

    def job(self, form: str) -> Job:
        """The job of the "bad" or "good" form."""
        example, witness = self.example, self.example.witness
        text = example.bad if form == "bad" else example.good
        failing = {way for ways in witness.fails.values() for way in ways}
        ways = tuple(w for w in Way if w in witness.ways or (form == "bad" and w in failing))
        return Job(
            f"{self.id}-{form}",
            text,
            witness.build,
            witness.inputs,
            ways,
            witness.saved,
            witness.trains,
            witness.serves,
            witness.program,
        )


def legal(text: str) -> tuple[Keras, ...]:
    """The generations in which the text can be meant to run."""
    if BOTH.search(text):
        return (Keras.V3,)
    if ONLY_V2.search(text):
        return (Keras.V2,)
    return (Keras.V3,) if ONLY_V3.search(text) else GENERATIONS


def cases(only: str = "") -> list[Case]:
    """Every example of the rules whose code begins with `only`."""
    return [
        Case(rule.code, example)
        for rule in RULES
        if rule.code.startswith(only)
        for example in rule.examples
    ]


# ---------------------------------------------------------------------- measuring


def measure(jobs: Sequence[Job]) -> Mapping[Keras, Mapping[str, Outcomes]]:
    """The outcomes of all jobs in the generations in which they are legal; by job's id."""
    CACHE.parent.mkdir(exist_ok=True)
    with CACHE.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of pytest's workers, one measures; the others read
        stored = read_cache()
        with ThreadPoolExecutor(len(GENERATIONS)) as pool:
            both = pool.map(lambda keras: measure_in(keras, jobs, stored), GENERATIONS)
            result = dict(zip(GENERATIONS, both, strict=True))
        for keras in GENERATIONS:
            stored |= {key(j, keras): result[keras][j.id] for j in jobs if j.id in result[keras]}
        content = {"environment": environment(), "outcomes": stored}
        CACHE.write_text(json.dumps(content, indent=0), encoding="utf-8")
    return result


def measure_in(
    keras: Keras, jobs: Sequence[Job], stored: Mapping[str, Outcomes]
) -> dict[str, Outcomes]:
    """The outcomes in one generation; only what is not stored is run."""
    mine = [job for job in jobs if keras in job.legal]
    known = {job.id: stored[key(job, keras)] for job in mine if key(job, keras) in stored}
    missing = [job.record for job in mine if job.id not in known]
    if not missing:
        return known
    with tempfile.TemporaryDirectory(prefix="witness") as name:
        request, answer = Path(name, "jobs.json"), Path(name, "outcomes.json")
        request.write_text(json.dumps(missing), encoding="utf-8")
        subprocess.run([sys.executable, RUNNER, str(int(keras)), request, answer], check=True)
        measured: dict[str, Outcomes] = json.loads(answer.read_text(encoding="utf-8"))
    return known | measured


def read_cache() -> dict[str, Outcomes]:
    """What was measured by this runner with these versions; else nothing."""
    if not CACHE.exists() or os.environ.get("SAVELINT_WITNESS") == "fresh":
        return {}
    content = json.loads(CACHE.read_text(encoding="utf-8"))
    return dict(content["outcomes"]) if content.get("environment") == environment() else {}


@cache
def environment() -> str:
    """What every outcome depends on, as one word."""
    versions = []
    for name in ("tensorflow-cpu", "tensorflow", "keras", "tf_keras", "numpy"):
        with suppress(metadata.PackageNotFoundError):
            versions.append(f"{name} {metadata.version(name)}")
    whole = [RUNNER.read_text(encoding="utf-8"), versions, sys.version]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def key(job: Job, keras: Keras) -> str:
    """What one outcome depends on, as one word; not on the job's name."""
    return hashlib.sha256(json.dumps([job.record | {"id": ""}, int(keras)]).encode()).hexdigest()
