"""The table of names that are gone is what Keras 3 and TensorFlow say."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from savelint.keras import removed

pytestmark = pytest.mark.tensorflow

# Of the dotted names that it is given, prints those that can be read.
PROGRAM = """
import importlib, json, sys

def is_there(dotted):
    head, *rest = dotted.split(".")
    found = importlib.import_module(head)
    try:
        for name in rest:
            found = getattr(found, name)
    except AttributeError:
        return False
    return True

names = json.load(sys.stdin)
print(json.dumps([name for name in names if is_there(name)]))
"""


def there(names: list[str]) -> list[str]:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    environment.pop("TF_USE_LEGACY_KERAS", None)
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        input=json.dumps(names),
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(result.stdout.splitlines()[-1])
    return found


def test_the_table_is_what_is_missing() -> None:
    gone, kept, homes = removed.table()
    found = set(there([*gone, *kept, *homes]))
    assert found == {*kept, *homes}
