"""What runs when a module is imported, and the names that are gone where it certainly runs."""

from __future__ import annotations

import textwrap

import libcst as cst
import pytest

from keras_model import model
from savelint.keras import removed
from savelint.keras.running import Guard, spots

HEAD = "import tensorflow as tf\nfrom tensorflow import keras\nimport os\n"


def places(text: str) -> list[tuple[str, Guard, bool]]:
    """The dotted names of a text, what guards them, and whether a function is around."""
    module = cst.parse_module(textwrap.dedent(text))
    return [
        (module.code_for_node(spot.node), spot.guard, bool(spot.inside))
        for spot in spots(module.body)
        if isinstance(spot.node, cst.Attribute)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = a.b", [("a.b", Guard.NONE, False)]),
        ("def f(x=a.b):\n    return c.d", [("a.b", Guard.NONE, False), ("c.d", Guard.NONE, True)]),
        ("class A(a.b):\n    x = c.d", [("a.b", Guard.NONE, False), ("c.d", Guard.NONE, False)]),
        ("f = lambda: a.b", [("a.b", Guard.NONE, True)]),
        ("x: a.b = c.d", [("c.d", Guard.NONE, False)]),
        ("if a.b:\n    c.d", [("a.b", Guard.NONE, False), ("c.d", Guard.ASKED, False)]),
        ("if __name__ == '__main__':\n    a.b", [("a.b", Guard.NONE, False)]),
        ("a.b and c.d", [("a.b", Guard.NONE, False), ("c.d", Guard.ASKED, False)]),
        (
            "try:\n    a.b\nexcept ImportError:\n    c.d\nfinally:\n    e.f",
            [
                ("a.b", Guard.TRIED, False),
                ("c.d", Guard.ASKED, False),
                ("e.f", Guard.NONE, False),
            ],
        ),
        ("with suppress(E):\n    a.b", [("a.b", Guard.ASKED, False)]),
        ("with a.b():\n    c.d", [("a.b", Guard.NONE, False), ("c.d", Guard.NONE, False)]),
        (
            "def f():\n    if x:\n        return\n    a.b",
            [("a.b", Guard.ASKED, True)],
        ),
        ("@skipif(x)\ndef f():\n    a.b", [("a.b", Guard.ASKED, True)]),
    ],
)
def test_when_a_name_is_read(text: str, expected: list[tuple[str, Guard, bool]]) -> None:
    assert places(text) == expected


@pytest.mark.parametrize(
    ("origin", "missing", "home"),
    [
        ("keras.layers.core.Dense", "keras.layers.core", "keras.layers.Dense"),
        ("keras.engine.Layer", "keras.engine", "keras.layers.Layer"),
        ("keras.engine.topology.Container", "keras.engine", ""),
        ("tensorflow.keras.utils.np_utils", "tensorflow.keras.utils.np_utils", ""),
        ("tensorflow.contrib.rnn.Cell", "tensorflow.contrib", ""),
        (
            "tensorflow.saved_model.loader.load",
            "tensorflow.saved_model.loader",
            "tensorflow.compat.v1.saved_model.loader.load",
        ),
        (
            "keras.optimizers.experimental.Adam",
            "keras.optimizers.experimental",
            "keras.optimizers.Adam",
        ),
    ],
)
def test_what_is_missing_and_where_it_is_now(origin: str, missing: str, home: str) -> None:
    assert removed.find(origin) == removed.Removed(missing, home)


@pytest.mark.parametrize(
    "origin",
    [
        "keras.layers.Dense",
        "tensorflow.keras.backend.int_shape",
        "tensorflow.compat.v1.saved_model.loader",
        "tensorflow.saved_model.save",
        "autokeras.engine",
        "keras.saving.load_model",
    ],
)
def test_what_is_still_there(origin: str) -> None:
    assert removed.find(origin) is None


def test_what_only_keras_lost_is_silent_beside_tf_keras() -> None:
    text = "import keras\n{}keras.backend.int_shape(x)\n"
    assert [use.missing for use in model(text.format("")).removed] == ["keras.backend.int_shape"]
    assert not model(text.format("import tensorflow.keras as other\n")).removed


FLAG = 'os.environ["TF_USE_LEGACY_KERAS"] = "1"\n'


@pytest.mark.parametrize(
    ("text", "late"),
    [
        (f"{FLAG}import tensorflow.keras\n", False),
        (f"import tensorflow.keras\n{FLAG}", True),
        (f"import tensorflow as tf\ntf.keras.Input\n{FLAG}", True),
        (f"import tensorflow as tf\nk = tf.keras\n{FLAG}", False),
        (f"import tensorflow as tf\n{FLAG}from tensorflow import keras\n", False),
        (f"import tensorflow as tf\n{FLAG}from tensorflow.keras import layers\n", True),
        (f"try:\n    import tensorflow.keras\nexcept ImportError:\n    pass\n{FLAG}", True),
        (f"if x:\n    import tensorflow.keras\n{FLAG}", False),
        (f"def f():\n    import tensorflow.keras\n{FLAG}", False),
        (f"import tensorflow.keras\ndef f():\n    {FLAG}", True),
        (f"def f():\n    {FLAG}\nf()\nimport tensorflow.keras\n", False),
        (f"{FLAG}import tensorflow.keras\n{FLAG}", False),
        (f"import tensorflow.keras, subprocess\n{FLAG}", False),
    ],
)
def test_when_the_flag_is_too_late(text: str, late: bool) -> None:
    found = model(f"import os\n{text}").legacy_flags
    assert any(flag.loaded is not None for flag in found) is late
