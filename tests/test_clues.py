"""Shapes of code that the cheap signs could overlook: what a rule finds in them, it is given.

A rule is run alone, so that none of the others has a statement read for it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from savelint.analysis import analyse
from savelint.keras.generation import Keras
from savelint.rules import RULES
from savelint.source import Source


def indented(text: str, depth: int) -> str:
    return "".join(f"{'    ' * depth}{line}\n" for line in text.splitlines())


# -- tensors: asked, unpacked or measured far from where they are computed -----------------

ASKED = {
    "an attribute that another method stores": (
        "SVL105",
        """\
class Base(keras.layers.Layer):
    def look(self, x):
        self.large = tf.reduce_any(x > 9)

class Net(Base):
    def call(self, x):
        self.look(x)
        return -x if self.large else x
""",
    ),
    "a property": (
        "SVL105",
        """\
class Net(keras.layers.Layer):
    @property
    def coin(self):
        return tf.random.uniform([]) > 0.5

    def call(self, x):
        return -x if self.coin else x
""",
    ),
    "a property that gives several": (
        "SVL105",
        """\
class Net(keras.layers.Layer):
    @property
    def coins(self):
        return tf.random.uniform([]) > 0.5, tf.random.uniform([]) > 0.5

    def call(self, x):
        for coin in self.coins:
            x = -x if coin else x
        return x
""",
    ),
    "an item of what a function gives": (
        "SVL105",
        """\
def look(x):
    return x, tf.reduce_any(x > 0)

class Net(keras.layers.Layer):
    def call(self, x):
        if look(x)[1]:
            x = -x
        if {"mean": tf.reduce_mean(x)}.get("mean"):
            x = x + 1
        return x
""",
    ),
    "an item of what the constructor draws": (
        "SVL105",
        """\
class Net(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.draws = [tf.random.uniform([])]

    def call(self, x):
        for draw in self.draws:
            if draw > 0.5:
                x = -x
        return x
""",
    ),
    "a closure that the constructor keeps": (
        "SVL105",
        """\
class Net(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        def flip(y):
            return -y if tf.reduce_mean(y) > 0 else y
        self.flip = flip

    def call(self, x):
        return self.flip(x)
""",
    ),
    "a method that Keras calls with shapes": (
        "SVL105",
        """\
class Net(keras.layers.Layer):
    def compute_mask(self, x, mask=None):
        return -x if tf.reduce_any(x > 0) else x

    def call(self, x):
        return self.compute_mask(x)
""",
    ),
    "an argument of a method that is handed on": (
        "SVL105",
        """\
def run(step, x, flag):
    return step(x, flag)

class Net(keras.layers.Layer):
    def step(self, x, flag):
        return -x if flag else x

    def call(self, x):
        return run(self.step, x, tf.reduce_any(x > 0))
""",
    ),
    "an argument by its place, its name and its default": (
        "SVL105",
        """\
def pick(x, first, *, second=tf.random.uniform([])):
    if first:
        x = -x
    return x if second > 0.5 else x + 1

class Net(keras.layers.Layer):
    def call(self, x):
        return pick(x, tf.reduce_any(x > 0))
""",
    ),
    "a function, and an operation, by another name": (
        "SVL105",
        """\
mean = tf.reduce_mean

class Net(keras.layers.Layer):
    def look(self, y):
        return mean(y)

    def call(self, x):
        look = self.look
        most = max
        return x * most(look(x), 0.1)
""",
    ),
    "a name of a library that stands for something else": (
        "SVL105",
        """\
from tensorflow.keras import layers

class Net(keras.layers.Layer):
    def call(self, x):
        layers = tf.random.uniform([])
        if layers.copy() > 0.5:
            x = -x
        return x
""",
    ),
    "walrus, star, augmented and chained": (
        "SVL105",
        """\
class Net(keras.layers.Layer):
    def call(self, x):
        total = 0.0
        total += tf.reduce_sum(x)
        while 0 < total < 9:
            break
        a, *rest = [total, (y := tf.transpose(x))]
        b, c = y
        return tf.stack([*y]) + b + c
""",
    ),
    "what is computed with several tensors": (
        "SVL105",
        """\
class Net(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        found = self.dense(inputs) > 0
        if inputs[0] is not None and found:
            return inputs
        return -inputs if found else inputs
""",
    ),
    "the object of a class of the file": (
        "SVL105",
        """\
class Switch:
    def __init__(self, on):
        self.on = on

    def turn(self, x):
        return -x if self.on else x

class Net(keras.layers.Layer):
    def call(self, x):
        switch = Switch(tf.reduce_any(x > 0))
        return switch.turn(x)
""",
    ),
    "numbers by a function that is kept": (
        "SVL106",
        """\
class Net(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.root = np.sqrt

    def call(self, x):
        return x * self.root(tf.reduce_mean(x))
""",
    ),
    "numbers of what a list holds": (
        "SVL106",
        """\
def scale(parts):
    return float(parts[0])

class Net(keras.layers.Layer):
    def call(self, x):
        return x * scale([tf.reduce_mean(x)])
""",
    ),
    "numbers of another file's by the name": (
        "SVL106",
        """\
from compat import np as xp

class Net(keras.layers.Layer):
    def call(self, x):
        return x * tf.reduce_mean(x).numpy()
""",
    ),
    "a shape that a helper reads": (
        "SVL103",
        """\
def rows(y):
    shape = y.shape
    return shape[0]

class Net(keras.layers.Layer):
    def call(self, x):
        return tf.reshape(x, [rows(x), 2, 3])
""",
    ),
    "a shape whose first number is called _": (
        "SVL103",
        """\
class Net(keras.layers.Layer):
    def call(self, x):
        _, width = x.shape
        return tf.zeros([_, width])
""",
    ),
    "a symbolic shape whose first number is called _": (
        "SVL103",
        """\
class Net(keras.layers.Layer):
    def call(self, x):
        _, width = tf.shape(x)
        return x * tf.cast(width, x.dtype)
""",
    ),
}


# -- state: made late, hidden, changed in its place, made before the base's ----------------

IMPORTS = (
    "import tensorflow as tf\nfrom tensorflow import keras\nEMPTY = []\n"
    "from collections import deque as Queue\nfrom functools import partial as Bound\n"
)
CONSTRUCTED = "class Net(keras.Model):\n    def __init__(self, units, **kwargs):\n"
STARTED = f"D = keras.layers.Dense\n{CONSTRUCTED}        super().__init__(**kwargs)\n"
FILLS = (
    "    def fill(self):\n        self.blocks[0] = D(3)\n"
    "    @property\n    def filled(self):\n        return self.fill()\n"
    "    def call(self, x):\n        self.blocks[0] = D(3)\n        return self.blocks[0](x)\n"
    "def fill(net):\n    net.blocks[0] = D(3)\n"
)
HIDES = (
    "    def call(self, x):\n        return use(self.kept, self.kept.run(x))\n"
    "    def made(self):\n        return {D(3), D(4)}\n"
    "    @property\n    def shown(self):\n        d = D(3)\n        return d.compute_mask\n"
    "def same(x):\n    return x\n"
    "class Plain:\n    def __init__(self):\n        self.d = D(3)\n"
    "    def run(self, x):\n        return self.d(x)\n"
    "class Part(tf.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.d = D(3)\n    def run(self, x):\n        return self.d(x)\n"
)
CALLED = "class Net(keras.layers.Layer):\n    def call(self, x):\n        return self.run(x)\n"
MADE = "return keras.layers.Dense(3)(x)"
STATE = {
    f"{IMPORTS}{head}{body}{tail}": code
    for (code, head, tail), bodies in {
        ("SVL203", "", ""): [
            f"{CALLED}    def run(self, x):\n        {MADE}",
            f"{CALLED}    @property\n    def run(self):\n        return self.made\n"
            f"    def made(self, x):\n        {MADE}",
            f"{CALLED}    def run(self, x):\n        run = made\n        return run(x)\n"
            f"def made(x):\n    {MADE}",
            f"if EMPTY:\n    def made(x):\n        {MADE}\n"
            f"{CALLED}    def run(self, x):\n        return made(x)\n",
            f"def made(x):\n    {MADE}\nother = made\n"
            f"{CALLED}    def run(self, x):\n        return other(x)\n",
            f"class Made:\n    def begin(self, x):\n        {MADE}\n"
            "class Net(keras.layers.Layer):\n    def __init__(self):\n"
            "        super().__init__()\n        self.made = Made()\n"
            "    def call(self, x):\n        return self.made.begin(x)",
            f"{CALLED}    def run(self, x):\n        return x\n"
            f"class Other(Net):\n    def run(self, x):\n        {MADE}\n",
            f"class Base(keras.layers.Layer):\n    def run(self, x):\n        {MADE}\n"
            + CALLED.replace("keras.layers.Layer", "Base"),
            f"def make():\n{indented(CALLED, 1)}        def run(self, x):\n            {MADE}\n",
            f"class Outer(keras.Model):\n    def get_config(self):\n{indented(CALLED, 2)}"
            f"            def run(self, x):\n                {MADE}\n",
            f"class Outer:\n{indented(CALLED, 1)}        def run(self, x):\n            {MADE}\n",
            f"if EMPTY:\n{indented(CALLED, 1)}        def run(self, x):\n            {MADE}\n",
        ],
        ("SVL204", STARTED, HIDES): [
            "self.kept = {D(3), D(4)}",
            "self.kept = {D(units) for units in (3, 4)}",
            "kept = set()\nself.kept = kept\nself.kept.add(D(3))\nself.kept.add(D(4))",
            "make = set\nself.kept = make([D(3), D(4)])",
            "self.kept = frozenset([D(3)])",
            "with {D(3), D(4)} as self.kept:\n    pass",
            "self.kept = Queue([D(3)])",
            "from collections import deque as Row\nself.kept = Row([D(3)])",
            "self.kept = zip([D(3)], [D(3)])",
            "rows = zip([D(3)], [D(3)])\nself.kept = rows",
            "self.kept = (D(3) for _ in range(2))",
            "rows = {'a': D(3)}\nself.kept = rows.values()",
            "rows = {'a': D(3)}\nfor row in [rows.items()]:\n    self.kept = row",
            "d = D(3)\nself.kept = lambda x: d(x)",
            "def f(x):\n    return d(x)\nd = D(3)\nself.kept = f",
            "self.kept = Bound(tf.add, D(3))",
            "self.kept = D(3).__call__",
            "d = D(3)\nkept = d.compute_mask\nself.kept = kept",
            "d = D(3)\nself.kept, _ = d.compute_mask, 3",
            "d = D(3)\nself.kept = {'a': [d.compute_mask]}",
            "d = D(3)\nself.kept = []\nself.kept.append(d.compute_mask)",
            "self.kept = []\nself.kept += [D(3).compute_mask]",
            "d = D(3)\nself.kept = same(d.compute_mask)",
            "d = D(3)\nkeep = same\nself.kept = keep(d.compute_mask)",
            "units = D(3)\nself.kept = units.compute_mask",
            "d = D(3)\nfor f in [d.compute_mask]:\n    self.kept = f",
            "[kept := D(3).compute_mask]\nself.kept = kept",
            "self.kept = self.made()",
            "self.kept = self.shown",
            "self.kept = Plain()",
            "self.kept = Part()",
            "self.__dict__['kept'] = D(3)",
        ],
        ("SVL205", STARTED, FILLS): [
            "self.blocks = [None]\nself.blocks[0] = D(3)",
            "self.blocks = [D(3)]\nfor self.blocks[0] in [D(3)]:\n    pass",
            "self.blocks = [D(3), D(3)]\n*self.blocks[:1], _ = [D(3), 1]",
            "self.blocks = [D(3)]\nself.fill()",
            "self.blocks = [D(3)]\nfill(self)",
            "self.blocks = [D(3)]\nself.filled",
            "self.blocks = [D(3)]\nme = self\nme.blocks[0] = D(3)",
            "self.blocks = [D(3)]\ndef inner():\n    self.blocks[0] = D(3)\ninner()",
            "self.blocks = [D(3)]\n(lambda: self.blocks.insert(0, D(3)))()",
            "self.blocks = [D(3)]\nself(units)",
            "blocks = []\nself.blocks = blocks\nblocks += [D(3)]",
            "self.blocks = blocks = []\nblocks.extend([D(3)])",
            "blocks = []\nself.blocks, _ = blocks, 3\nself.blocks.setdefault(0, D(3))",
            "blocks = [[]]\nself.blocks, _ = blocks\nblocks.append(D(3))",
            "blocks = [[]]\nfor self.blocks in blocks:\n    blocks.append(D(3))",
            "blocks = []\nwith blocks as self.blocks:\n    blocks.append(D(3))",
            "self.blocks = []\nblock = []\nself.blocks.append(block)\nblock.append(D(3))",
            "self.blocks = {}\nself.blocks.setdefault('a', []).append(D(3))",
            "self.blocks = []\nself.blocks.append([])\nself.blocks[0].append(D(3))",
            "self.blocks = [D(3), D(3)]\ndel self.blocks[0]",
            "self.blocks = [D(3), D(3)]\nself.blocks.sort(key=str)",
            "self.blocks = EMPTY\nEMPTY.append(D(3))",
        ],
        ("SVL209", CONSTRUCTED, ""): [
            "self.units = units",
            "super().__init__\nself.units = units",
            "self.w = self.add_weight('#'); super().__init__()",
            "self.w = self.add_weight()\nsuper().__init__()",
            "units = keras.layers.Dense(3)\nself.dense = units\nsuper().__init__()",
            "[units := keras.layers.Dense(3)]\nself.dense = units\nsuper().__init__()",
            "me = self\nme.dense = keras.layers.Dense(3)\nsuper().__init__()",
            "def start(x):\n    self.dense = keras.layers.Dense(x)\nstart(3)\nsuper().__init__()",
            "self.blocks = []\nsuper().__init__()",
            "self.blocks = EMPTY\nsuper().__init__()",
            "if units:\n    raise ValueError\nself.a, self.dense = 3, keras.layers.Dense(3)\n"
            "super().__init__()",
            "with keras.layers.Dense(3) as self.dense:\n    super().__init__()",
        ],
    }.items()
    for body in (bodies if not head else (indented(each, 2) for each in bodies))
}


# -- containers: what carries a layer into one, and what else the class and the file have --

CARRIED = [
    ("self.a = [[Dense(6)]]", "", ""),
    ("rows = []\nrows.append([Dense(6)])\nself.a = rows", "", ""),
    ("rows = {}\nrows.update(a=[Dense(6)])\nself.a = rows", "", ""),
    ("rows = {}\nrows['a'] = [Dense(6)]\nself.a, _ = rows, 1", "", ""),
    ("_, *rows = [Dense(6)], [Dense(6)]\nself.a = rows", "", ""),
    ("self.a = [row for row in [[Dense(6)]]]", "", ""),
    ("self.a = [list(row) for row in zip([Dense(6)], [Dense(6)])]", "", ""),
    ("self.a = {**{'a': [Dense(6)]}}", "", ""),
    ("rows = [[[Dense(6)]]]\nfor row in rows:\n    self.a = row", "", ""),
    ("self.a = [OrderedDict(a=Dense(6))]", "", ""),
    ("self.a = [(lambda: [Dense(6)])()]", "", ""),
    ("pair = [Dense(6)]\nsetup(self, pair)", "", "def setup(layer, a): layer.a = [a]"),
    ("self.a = [Pair()]", "", "def Pair(): return [Dense(6)]"),
    ("self.a = [PAIR]", "", "PAIR = [Dense(6)]"),
    ("self.a = [self.pair]", "@property\ndef pair(self): return [Dense(6)]", ""),
    ("self.a = [self.pair()]", "def pair(self): return [Dense(6)]", ""),
    ("self.a = self.get_config()", "def get_config(self): return [[Dense(6)]]", ""),
    ("self.a = self(1)", "def call(self, x): return [[Dense(6)]]", ""),
    ("self.build([[Dense(6)]])", "def build(self, rows): self.a = rows", ""),
    ("self.build()", "def build(self, rows=[[Dense(6)]]): self.a = rows", ""),
    (
        "self.a = [Box([Dense(6)]).get()]",
        "",
        "class Box:\n    def get(self): return self.b\n    def __init__(self, b): self.b = b",
    ),
    ("self.a = run(self)", "def rows(self): return [[Dense(6)]]", "def run(x): return x.rows()"),
    ("self.a = {0: Dense(6)}", "", ""),
    ("self.a = {KEY: Dense(6)}", "", "KEY = (1, 2)"),
    ("self.a = dict(enumerate([Dense(6)]))", "", ""),
    ("rows = {}\nrows.update(enumerate([Dense(6)]))\nself.a = rows", "", ""),
    ("pairs = [(1, Dense(6))]\nself.a = OrderedDict(pairs)", "", ""),
    ("self.a = {}\nfor i in range(2):\n    self.a[i] = Dense(6)", "", ""),
    ("self.a = self.rows()", "def rows(self): return {None: Dense(6)}", ""),
]


def carried(constructor: str, members: str, rest: str, *, inherited: bool) -> str:
    """A file with a class that has the members, or whose base has them."""
    own, base = ("", members) if inherited else (members, "")
    return (
        "import keras\nfrom keras.layers import Dense\nfrom collections import OrderedDict\n"
        f"{rest}\nclass Base(keras.Layer):\n    pass\n{indented(base, 1)}"
        "class Net(Base):\n    def __init__(self):\n        super().__init__()\n"
        f"{indented(constructor, 2)}{indented(own, 1)}"
    )


# -- configs and references: what is recorded, and what is handed on -----------------------

RECORDING = """\
import keras
import tensorflow as tf
from keras import layers
from builtins import set as distinct

class Style:
    def __init__(self, scale=2.0):
        self.scale = scale

    def names(self):
        return {{"a"}}

def unique(x):
    return set(x)

def configure(layer, inner):
    layer.inner = set(inner)

def entries(layer):
    return {{"inner": layer.inner}}

class Net({base}):
    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
{kept}
    def call(self, x):
{used}
    def get_config(self):
{recorded}
"""
PLAIN = "self.inner = inner"
MERGED = "return {**super().get_config(), 'inner': self.inner}"


def recording(
    kept: str = PLAIN, recorded: str = MERGED, used: str = "return x", base: str = "layers.Layer"
) -> str:
    """A layer with a config: what its constructor keeps, what it records, what it does with it."""
    blocks = {"kept": kept, "recorded": recorded, "used": used}
    return RECORDING.format(base=base, **{k: indented(text, 2) for k, text in blocks.items()})


BACK_REFERENCE = """\
import keras
from keras import layers

def attach(owner, part):
    part.parent = owner

class Part(layers.Layer):
    def __init__(self, model=None, **kwargs):
        super().__init__(**kwargs)
        self.model = model

class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.part = Part()
{kept}
    def myself(this):
        return this

    def tie(this, part):
        part.parent = this
"""


def holding(kept: str) -> str:
    """A model whose constructor does something with itself and its part."""
    return BACK_REFERENCE.format(kept=indented(kept, 2))


LOST_MODEL = """\
import dataclasses
import keras

{head}class Net({base}):
{fields}
    def call(self, x):
        return self.scale * x

    {decorator}
    def other(self, config):
        return config

net = Net(2.0)
net.save("net.keras")
"""
WITH_INIT = """\
    def __init__(self, scale, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale
"""

DOUBTFUL = [
    # What the constructor makes of what it is given.
    ("SVL304", recording("inner = set(inner)\nself.inner = inner")),
    ("SVL304", recording("self.other = {i for i in inner}\nself.inner = self.other")),
    ("SVL304", recording("self.inner, self.other = frozenset(inner), 1")),
    ("SVL304", recording("self.inner: object = distinct(inner)")),
    ("SVL304", recording("self.inner = unique(inner)")),
    ("SVL304", recording("self.inner = Style().names()")),
    ("SVL304", recording("self.inner = inner or Style()")),
    ("SVL304", recording("self.inner = tf.cast(inner, 'float32')")),
    ("SVL304", recording("self.inner = tf.ones([3]) * 2")),
    ("SVL304", recording("self.inner = inner or {1: 3}", used="return x * self.inner[1]")),
    ("SVL304", recording("configure(self, inner)")),
    ("SVL304", recording("def keep(inner):\n    self.inner = inner\nkeep(set(inner))")),
    ("SVL304", recording("print(inner := set(inner))\nself.inner = inner")),
    ("SVL304", recording(f"assert isinstance(inner, tuple)\n{PLAIN}")),
    ("SVL304", recording(f"{PLAIN}\nself.width = inner.units")),
    # What other methods do with it.
    ("SVL304", recording(used="return self.inner(x)")),
    ("SVL304", recording(used="for f in self.inner[1:]:\n    x = f(x)\nreturn x")),
    ("SVL304", recording(used="def inner(y):\n    return self.inner(y)\nreturn inner(x)")),
    ("SVL304", recording(used="self.inner.count_params()\nreturn x")),
    # How it is recorded.
    ("SVL304", recording(recorded="return {'inner': layers.serialize(self.inner)}")),
    ("SVL304", recording(recorded="return {'inner': {'a': self.inner.get_config()}}")),
    ("SVL304", recording(recorded="inner = {1}\ninner = inner\nreturn {'inner': inner}")),
    ("SVL304", recording("self.inner = set(inner)", "return entries(self)")),
    ("SVL304", recording("self.all = {'inner': set(inner)}", "return {**self.all}")),
    (
        "SVL304",
        recording("made = {}\nmade.update(inner={1})\nself.all = made", "return {**self.all}"),
    ),
    (
        "SVL304",
        recording(
            "self.inner = set(inner)",
            "config = super().get_config()\nconfig.setdefault('inner', self.inner)\nreturn config",
        ),
    ),
    (
        "SVL304",
        recording(
            "self.inner = set(inner)",
            "config = {}\nconfig['inner'], config['b'] = self.inner, 1\nreturn config",
        ),
    ),
    (
        "SVL304",
        recording("self.inner = set(inner)", "return {k: getattr(self, k) for k in ('inner',)}"),
    ),
    # An object that is handed on.
    ("SVL212", holding("attach(self, self.part)")),
    ("SVL212", holding("self.part.parent = self.myself()")),
    ("SVL212", holding("Net.tie(self, self.part)\nself.tie(self.part)")),
    ("SVL212", holding("other = Part(model=self)\nself.other = other")),
    ("SVL212", holding("self.all = [self]")),
    # A model without a config, whatever makes its constructor.
    ("SVL306", LOST_MODEL.format(head="", base="keras.Model", fields=WITH_INIT, decorator="")),
    (
        "SVL306",
        LOST_MODEL.format(
            head="@dataclasses.dataclass\n",
            base="keras.Model",
            fields="    scale: float\n",
            decorator="",
        ),
    ),
    (
        "SVL306",
        LOST_MODEL.format(
            head="",
            base="keras.Sequential",
            fields=f"{WITH_INIT}        self.add(keras.layers.Dense(3))\n",
            decorator="",
        ),
    ),
    (
        "SVL309",
        LOST_MODEL.format(
            head="", base="keras.Model", fields=WITH_INIT, decorator="@staticmethod"
        ).replace("other", "from_config"),
    ),
]


# -- what is found -------------------------------------------------------------------------

HEADED = "import numpy as np\nimport tensorflow as tf\nfrom tensorflow import keras\n\n"
TEXTS: dict[str, list[str]] = {}
for code, text in [
    *((code, HEADED + text) for code, text in ASKED.values()),
    *((code, text) for text, code in STATE.items()),
    *DOUBTFUL,
]:
    TEXTS.setdefault(code, []).append(text)


def found(code: str, text: str, *, gates: bool) -> list[tuple[object, ...]]:
    """What one rule says of a text, in either generation."""
    rules = [rule for rule in RULES if rule.code == code]
    source = Source("model.py", text)
    every = (analyse(source, rules, keras, gates=gates).findings for keras in Keras)
    return [(f.keras_version, f.span, f.message, f.fix) for findings in every for f in findings]


@pytest.mark.parametrize("code", TEXTS)
def test_no_finding_is_overlooked(code: str) -> None:
    for text in TEXTS[code]:
        whole = found(code, text, gates=False)
        assert whole, text
        assert found(code, text, gates=True) == whole, text


@pytest.mark.parametrize("inherited", [False, True])
@pytest.mark.parametrize("shape", CARRIED)
def test_no_container_is_overlooked(shape: tuple[str, str, str], inherited: bool) -> None:
    text = carried(*shape, inherited=inherited)
    whole = {code: found(code, text, gates=False) for code in ("SVL206", "SVL207")}
    assert {code: found(code, text, gates=True) for code in whole} == whole
    assert inherited or any(whole.values())


def test_a_container_that_a_base_in_another_file_makes_is_found(tmp_path: Path) -> None:
    base = (
        "import keras\nfrom keras.layers import Dense\nclass Base(keras.Layer):\n"
        "    def rows(self):\n        return [[Dense(3)]]\n"
    )
    own = (
        "from base import Base\nclass Net(Base):\n    def __init__(self):\n"
        "        super().__init__()\n        self.a = self.rows()\n"
        "    def call(self, x):\n        return x\n"
    )
    files = {"pyproject.toml": "", "base.py": base, "net.py": own}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    path = str(tmp_path / "net.py")
    rules = [rule for rule in RULES if rule.code == "SVL207"]
    for gates in (False, True):
        assert analyse(Source("net.py", own), rules, Keras.V3, gates=gates, path=path).findings
