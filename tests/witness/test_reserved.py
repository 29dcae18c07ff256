"""The table of reserved attributes is what Keras' own classes say."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from savelint.keras import reserved
from savelint.keras.generation import Keras
from savelint.keras.tables import Kind

pytestmark = pytest.mark.tensorflow

# Prints, for each class, the properties that raise AttributeError when they are assigned.
PROGRAM = """
import inspect, json
import tensorflow as tf

keras = tf.keras

def attempt(base, name):
    class Net(base):
        def __init__(self):
            super().__init__()
            setattr(self, name, object())
    try:
        Net()
    except AttributeError:
        return True
    except Exception:
        return False
    return False

def reserved(base):
    held = (vars(cls).items() for cls in base.__mro__)
    names = {n for items in held for n, value in items if inspect.isdatadescriptor(value)}
    return sorted(n for n in names if not n.startswith("_") and attempt(base, n))

classes = {"LAYER": keras.layers.Layer, "MODEL": keras.Model, "FUNCTIONAL": keras.Sequential}
print(json.dumps({kind: reserved(base) for kind, base in classes.items()}))
"""


@pytest.mark.parametrize("keras", Keras, ids=lambda keras: f"keras{int(keras)}")
def test_the_table_is_what_keras_refuses(keras: Keras) -> None:
    environment = {
        **os.environ,
        "TF_USE_LEGACY_KERAS": str(int(keras is Keras.V2)),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
    }
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    refused = json.loads(result.stdout.splitlines()[-1])
    told = {
        kind: sorted(
            name
            for name in reserved.names(keras, Kind[kind], ()) | reserved.unless_none(keras)
            if not name.startswith("_")
        )
        for kind in refused
    }
    assert told == refused
