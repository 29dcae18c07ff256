"""The fix of SVL409 for real: a save that is killed half way leaves the last good file.

One process per generation imports TensorFlow; it forks a child for each save, which is
killed with SIGKILL as soon as the new file has begun to grow.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from savelint.analysis import analyse
from savelint.finding import Finding
from savelint.fixer import fix
from savelint.keras.generation import Keras
from savelint.rules import RULES
from savelint.source import Source

SUFFIXES = (".keras", ".h5", ".weights.h5")
# Big enough for the write to last; the saves are those that the rule reports.
SOURCE = """\
import tensorflow as tf

model = tf.keras.Sequential([tf.keras.Input((1000,)), tf.keras.layers.Dense(12000)])


def run(steps):
    for _ in range(steps):
        model.{method}("last{suffix}")
"""
PROGRAM = """\
import json, os, pathlib, signal, sys, time

forms = json.loads(pathlib.Path("forms.json").read_text())
import tensorflow as tf

def good(names, name):
    try:
        if name.endswith(".weights.h5"):
            names["model"].load_weights(name)
        else:
            tf.keras.models.load_model(name)
    except Exception:
        return False
    return True

def growing(known):
    for path in pathlib.Path().iterdir():
        size = path.stat().st_size
        if path.name.startswith("last") and path.name not in known and size > 0:
            return True
        if path.name in known and path.stat().st_mtime_ns != known[path.name]:
            return True
    return False

report = {}
for form, sources in forms.items():
    for suffix, source in sources.items():
        folder = pathlib.Path(f"{form}{suffix}").resolve()
        folder.mkdir()
        os.chdir(folder)
        names = {}
        exec(source, names)
        names["run"](1)
        known = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
        child = os.fork()
        if not child:
            names["run"](1)
            os._exit(0)
        while not growing(known):
            time.sleep(0.0005)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        report[f"{form} {suffix}"] = [os.WIFSIGNALED(status), good(names, f"last{suffix}")]
        os.chdir(folder.parent)
print("REPORT", json.dumps(report))
"""


def source(suffix: str) -> str:
    method = "save_weights" if suffix == ".weights.h5" else "save"
    return SOURCE.format(method=method, suffix=suffix)


def fixed(text: str) -> str:
    rules = [rule for rule in RULES if rule.code == "SVL409"]

    def again(text: Source) -> tuple[Finding, ...]:
        return analyse(text, rules).findings

    return fix(Source("run.py", text), again, unsafe=True).source.text


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_fix_keeps_the_suffix(suffix: str) -> None:
    """Keras chooses the format by how the file's name ends."""
    text = fixed(source(suffix))
    assert f'.tmp{{os.getpid()}}{suffix}"' in text
    assert text.startswith("import tensorflow as tf\nimport os\n")


@pytest.mark.tensorflow
@pytest.mark.parametrize("keras", Keras, ids=lambda keras: f"keras{int(keras)}")
def test_the_last_good_file_survives_a_kill(keras: Keras, tmp_path: Path) -> None:
    forms = {
        "bad": {suffix: source(suffix) for suffix in SUFFIXES},
        "good": {suffix: fixed(source(suffix)) for suffix in SUFFIXES},
    }
    (tmp_path / "forms.json").write_text(json.dumps(forms), encoding="utf-8")
    environment = {
        **os.environ,
        "TF_USE_LEGACY_KERAS": str(int(keras is Keras.V2)),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
    }
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    report = json.loads(result.stdout.rpartition("REPORT ")[2])
    assert report == {
        **{f"bad {suffix}": [True, False] for suffix in SUFFIXES},
        **{f"good {suffix}": [True, True] for suffix in SUFFIXES},
    }
