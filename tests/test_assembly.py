"""What functional and sequential models are made of, and where they are saved whole."""

from __future__ import annotations

import pytest

from keras_model import HEAD, model
from savelint.keras.assembly import parts
from savelint.keras.events import Flow
from savelint.keras.saving import plain_loads, whole_saves


def script(text: str) -> Flow:
    return model(HEAD + text + "\n").scopes[-1]


def saved(text: str) -> list[str]:
    """The layers in what a script saves, by the source of their first argument."""
    flow = script(text)
    (save,) = whole_saves(flow)
    names = []
    for layer in parts(flow, save.model):
        argument = layer.node.args[0].value if layer.node.args else None
        names.append(getattr(argument, "value", type(argument).__name__))
    return names


FUNCTIONAL = """\
i = keras.Input([6])
a = layers.Dense(1)(i)
b = layers.Dense(2)(a)
c = layers.Dense(3)(a)
"""


@pytest.mark.parametrize(
    ("made", "held"),
    [
        ("m = keras.Sequential([layers.Dense(1), layers.Dense(2)])", ["1", "2"]),
        ("m = keras.Sequential()\nm.add(layers.Dense(1))\nm.add(layers.Dense(2))", ["1", "2"]),
        ("m = keras.Sequential([layers.Bidirectional(layers.LSTM(4))])", ["Call", "4"]),
        ("m = keras.Sequential([keras.Sequential([layers.Dense(1)])])", ["List", "1"]),
        (FUNCTIONAL + "m = keras.Model(i, [b, c])", ["1", "2", "3"]),
        (FUNCTIONAL + "n = keras.Model(i, b)\nm = keras.Model(inputs=i, outputs=c)", ["3", "1"]),
        (
            "def block(x):\n    return layers.Dense(2)(layers.Dense(1)(x))\n"
            "def build():\n    i = keras.Input([6])\n    return keras.Model(i, block(i))\n"
            "m = build()",
            ["1", "2"],
        ),
        ("m = Net(layers.Dense(1))", []),
    ],
)
def test_parts(made: str, held: list[str]) -> None:
    net = "class Net(keras.Model):\n    def __init__(self, layer):\n        super().__init__()\n"
    assert saved(f"{net}{made}\nm.save('m.keras')") == held


@pytest.mark.parametrize(
    ("save", "suffix"),
    [
        ("m.save('m.keras')", ".keras"),
        ("m.save(filepath='a/m.h5')", ".h5"),
        ("m.save('m.hdf5')", ".h5"),
        ("m.save('directory')", ""),
        ("m.save('m', save_format='h5')", ".h5"),
        ("m.save(path)", None),
        ("m.save(path + '.keras')", ".keras"),
        ("m.save(f'{path}/m.keras')", ".keras"),
        ("m.save(f'{path}')", None),
        ("m.save(os.path.join(path, 'm.h5'))", ".h5"),
        ("m.save(path / 'm.keras')", ".keras"),
        ("keras.models.save_model(m, 'm.keras')", ".keras"),
        ("m.fit(x, callbacks=[keras.callbacks.ModelCheckpoint('m.keras')])", ".keras"),
    ],
)
def test_the_suffix_of_what_is_saved(save: str, suffix: str | None) -> None:
    flow = script(f"m = keras.Sequential([layers.Dense(1)])\n{save}")
    assert [found.suffix for found in whole_saves(flow)] == [suffix]


@pytest.mark.parametrize(
    "save",
    [
        "m.save_weights('m.weights.h5')",
        "m.export('m')",
        "m.fit(x, callbacks=[keras.callbacks.ModelCheckpoint('m.h5', save_weights_only=True)])",
        "m.fit(x, callbacks=[keras.callbacks.ModelCheckpoint('m.keras', **options)])",
    ],
)
def test_weights_and_exports_are_no_whole_model(save: str) -> None:
    flow = script(f"m = keras.Sequential([layers.Dense(1)])\n{save}")
    assert list(whole_saves(flow)) == []


@pytest.mark.parametrize(
    ("load", "count"),
    [
        ("keras.models.load_model('m.keras')", 1),
        ("keras.models.load_model('m.keras', compile=False)", 1),
        ("keras.models.load_model('m.keras', {'A': A})", 0),
        ("keras.models.load_model('m.keras', custom_objects=objects)", 0),
        ("keras.models.load_model('m.keras', **options)", 0),
        ("tf.saved_model.load('m')", 0),
    ],
)
def test_loads_without_custom_objects(load: str, count: int) -> None:
    text = f"m = keras.Sequential([layers.Dense(1)])\nm.save('m.keras')\n{load}"
    assert len(list(plain_loads(script(text)))) == count
