"""Which Keras generation a file is written for, and what says so."""

from __future__ import annotations

import pytest

from savelint.analysis import DEFAULT, analyse
from savelint.keras.generation import Evidence, Keras, file_evidence
from savelint.keras.summary import summarise
from savelint.rules import RULES
from savelint.source import Source

V2 = [
    "import tf_keras",
    "import tf_keras as keras",
    "from tf_keras import layers",
    "from tf_keras.layers import *",
    "import tensorflow.python.keras as keras",
    "from tensorflow.python.keras.engine import training",
    "from tensorflow.python.keras import backend as K",
    "import tensorflow_addons as tfa",
    "from tensorflow_addons.layers import WeightNormalization",
    "from keras.engine.topology import Layer",
    "from keras.engine import Layer",
    "from keras.utils.generic_utils import get_custom_objects",
    "from keras.utils.np_utils import to_categorical",
    "from keras.saving.hdf5_format import load_model_from_hdf5",
    "from keras.layers.core import Dense",
    "def f():\n    import tf_keras",
    "try:\n    import tf_keras as keras\nexcept ImportError:\n    import keras",
    "import keras\nimport os\nos.environ['TF_USE_LEGACY_KERAS'] = '1'",
    'import keras\nimport os\nos.environ["TF_USE_LEGACY_KERAS"]="1"',
    "import keras\nimport os\nos.environ.setdefault('TF_USE_LEGACY_KERAS', 'True')",
    "import keras\nimport os\nos.putenv('TF_USE_LEGACY_KERAS', 'true')",
    # What the file sets says more than what it imports.
    "import os\nos.environ['TF_USE_LEGACY_KERAS'] = '1'\nfrom keras import ops",
    # A file for both is judged by the rules of the older one.
    "import tf_keras\nimport keras.ops",
]
V3 = [
    "from keras import ops",
    "from keras import layers, ops",
    "from keras.ops import reshape",
    "import keras.ops as K",
    "from keras import random",
    "from keras import tree",
    "from keras.random import SeedGenerator",
    "import keras\nx = keras.ops.shape(1)",
    "import keras_hub",
    "import keras_nlp\n",
    "from keras_hub.models import Backbone",
    "def f():\n    from keras import ops",
    "from keras.ops import *",
]
SILENT = [
    "import keras",
    "import tensorflow as tf",
    "from tensorflow import keras",
    "from keras.layers import Layer",
    "from keras import backend as K",
    "import keras_tuner",
    "import tf_keras_vis\nimport keras",
    "import keras\nimport random",
    "import keras\nfrom project.keras import ops",
    "import keras\nimport os\nos.environ['TF_USE_LEGACY_KERAS'] = '0'",
    "import keras\nimport os\nif os.environ.get('TF_USE_LEGACY_KERAS') == '1': pass",
    "# keras.ops\nimport tensorflow as tf",
]


def evidence(text: str) -> Evidence | None:
    return file_evidence(text, summarise(Source("m.py", text)))


def decided(
    text: str, keras: Keras | None = None, declared: Evidence | None = None
) -> tuple[Keras, str]:
    found = analyse(Source("m.py", text), RULES, keras, declared=lambda: declared)
    return found.keras, found.evidence


@pytest.mark.parametrize("text", V2)
def test_what_only_keras_2_has_tells_it(text: str) -> None:
    found = evidence(text)
    assert found is not None and found.keras is Keras.V2


@pytest.mark.parametrize("text", V3)
def test_what_only_keras_3_has_tells_it(text: str) -> None:
    found = evidence(text)
    assert found is not None and found.keras is Keras.V3


@pytest.mark.parametrize("text", SILENT)
def test_what_both_have_tells_nothing(text: str) -> None:
    assert evidence(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import keras\nos.environ['TF_USE_LEGACY_KERAS'] = '1'", "TF_USE_LEGACY_KERAS"),
        ("from tf_keras import layers", "tf_keras"),
        ("from keras.engine.topology import Layer", "keras.engine.topology"),
        ("from keras import ops", "keras.ops"),
        ("import keras\nkeras.ops.shape(x)", "keras.ops"),
    ],
)
def test_the_reason_names_what_decided(text: str, reason: str) -> None:
    assert reason in decided(text)[1]


def test_the_settings_decide_before_all_else() -> None:
    declared = Evidence(Keras.V3, "declared")
    keras, reason = decided("import tf_keras", Keras.V3, declared)
    assert keras is Keras.V3 and "settings" in reason


def test_the_file_decides_before_its_project() -> None:
    assert decided("import tf_keras", declared=Evidence(Keras.V3, "pins"))[0] is Keras.V2


def test_the_project_decides_where_the_file_is_silent() -> None:
    assert decided("import keras", declared=Evidence(Keras.V2, "pins")) == (Keras.V2, "pins")


def test_the_default_is_keras_3() -> None:
    assert decided("import keras") == tuple(DEFAULT)
    assert DEFAULT.keras is Keras.V3


@pytest.mark.parametrize("text", ["import tf_keras", "x = 'keras'", "import os"])
def test_the_project_is_not_asked_in_vain(text: str) -> None:
    """Reading what a project declares costs time; only a silent file needs it."""
    asked: list[str] = []

    def declared() -> Evidence | None:
        asked.append(text)
        return None

    analyse(Source("m.py", text), RULES, declared=declared)
    assert bool(asked) is ("'keras'" in text)


DEFECTS = """\
{imports}

class Net(keras.Model):
    def call(self, x):
        return tf.reshape(x, [tf.shape(x)[0], 2, 3])
"""


@pytest.mark.parametrize(
    ("imports", "expected"),
    [
        ("import tf_keras as keras\nimport tensorflow as tf", []),
        ("import keras\nimport tensorflow as tf", ["SVL101"]),
    ],
)
def test_a_defect_of_keras_3_alone_is_none_in_a_file_for_keras_2(
    imports: str, expected: list[str]
) -> None:
    found = analyse(Source("m.py", DEFECTS.format(imports=imports)), RULES)
    assert [finding.code for finding in found.findings] == expected
