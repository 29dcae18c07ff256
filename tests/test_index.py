"""Several files: bases, helpers, parts and saves that stand in another one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from savelint.analysis import Session, analyse
from savelint.cli import cli
from savelint.keras.generation import Keras
from savelint.rules import RULES
from savelint.source import Source

Tree = dict[str, str]

FROZEN = "        return tf.reshape(x, [tf.shape(x)[0], 2, 3])\n"
CALL = f"    def call(self, x):\n{FROZEN}"
TF = "import tensorflow as tf\n"


def grow(root: Path, tree: Tree) -> None:
    (root / ".git").mkdir(exist_ok=True)
    for name, text in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def codes(root: Path, *paths: str) -> list[str]:
    """`path:line: CODE` of each finding, of the files at `paths` or of all."""
    arguments = ["check", *(paths or (".",)), "--keras-version", "3", "--output-format", "json"]
    result = run(root, *arguments)
    assert result.exit_code in (0, 1), result.stderr
    found = json.loads(result.stdout)
    return [f"{each['path']}:{each['line']}: {each['code']}" for each in found]


def run(root: Path, *arguments: str) -> Result:
    """The command, run where the project is."""
    before = Path.cwd()
    os.chdir(root)
    try:
        result = CliRunner().invoke(cli, arguments)
    finally:
        os.chdir(before)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def kinds(root: Path, path: str) -> dict[str, str | None]:
    """The kind of each class of a file, as `savelint show` tells it."""
    result = run(root, "show", path, "--output-format", "json")
    assert result.exit_code == 0, result.stderr
    (shown,) = json.loads(result.stdout)
    return {cls["name"]: cls["kind"] for cls in shown["classes"]}


def analysed(root: Path, path: str, session: Session | None = None) -> list[str]:
    file = root / path
    source = Source(path, file.read_text())
    found = analyse(source, RULES, Keras.V3, path=str(file), session=session)
    return [finding.code for finding in found.findings]


# -- bases in other files ------------------------------------------------------------------

BASE = "import keras\nclass Base(keras.Model):\n    pass\n"
# Other files, and how the file `pkg/net.py` imports and spells its base.
WAYS: dict[str, tuple[Tree, str, str]] = {
    "relative": ({"pkg/base.py": BASE}, "from .base import Base", "Base"),
    "relative module": ({"pkg/base.py": BASE}, "from . import base", "base.Base"),
    "absolute": ({"pkg/base.py": BASE}, "from pkg.base import Base", "Base"),
    "absolute module": ({"pkg/base.py": BASE}, "import pkg.base", "pkg.base.Base"),
    "absolute as": ({"pkg/base.py": BASE}, "import pkg.base as b", "b.Base"),
    "renamed": ({"pkg/base.py": BASE}, "from .base import Base as B", "B"),
    "from above": ({"base.py": BASE}, "from base import Base", "Base"),
    "two dots": (
        {"pkg/sub/net2.py": "", "pkg/base.py": BASE},
        "from ..pkg.base import Base",
        "Base",
    ),
    "package": (
        {"pkg/bases/__init__.py": "from .a import Base\n", "pkg/bases/a.py": BASE},
        "from .bases import Base",
        "Base",
    ),
    "package chain": (
        {
            "pkg/bases/__init__.py": "from .inner import *\n",
            "pkg/bases/inner/__init__.py": "from .a import Base as Base\n",
            "pkg/bases/inner/a.py": BASE,
        },
        "from pkg import bases",
        "bases.Base",
    ),
    "re-exported by the package itself": (
        {"pkg/base.py": BASE, "pkg/__init__.py": "from pkg.base import Base\n"},
        "from pkg import Base",
        "Base",
    ),
    "star": ({"pkg/base.py": BASE}, "from .base import *", "Base"),
    "star of a star": (
        {"pkg/all.py": "from .base import *\n", "pkg/base.py": BASE},
        "from .all import *",
        "Base",
    ),
    "star of Keras passed on": (
        {"pkg/layers.py": "from keras.layers import *\nmine = 1\n"},
        "from . import layers",
        "layers.Layer",
    ),
    "alias": (
        {"pkg/base.py": "import keras\nBase = keras.Model\n"},
        "from .base import Base",
        "Base",
    ),
    "alias of the module": ({"pkg/base.py": BASE}, "from . import base\nB = base.Base", "B"),
    "Keras re-exported": (
        {"pkg/backend.py": "import keras as K\n"},
        "from .backend import K",
        "K.Model",
    ),
    "src layout": (
        {"src/lib/base.py": BASE, "src/lib/__init__.py": ""},
        "import lib.base",
        "lib.base.Base",
    ),
    "another package of the repository": (
        {"packages/x/lib/__init__.py": BASE, "packages/x/setup.py": ""},
        "from lib import Base",
        "Base",
    ),
    "namespace package": ({"space/part/base.py": BASE}, "from space.part.base import Base", "Base"),
    "nested class": (
        {"pkg/base.py": "import keras\nclass Out:\n    class Base(keras.Model): pass\n"},
        "from .base import Out",
        "Out.Base",
    ),
    "several files away": (
        {
            "pkg/a.py": "from .b import B\nclass A(B): pass\n",
            "pkg/b.py": "from .c import C\nclass B(C): pass\n",
            "pkg/c.py": "import keras\nclass C(keras.Model): pass\n",
        },
        "from .a import A",
        "A",
    ),
    "mixin before it": (
        {"pkg/base.py": BASE + "class Mixin: pass\n"},
        "from .base import Base, Mixin",
        "Mixin, Base",
    ),
    "generic": ({"pkg/base.py": BASE}, "from .base import Base", "Base[int]"),
    "inside a try": (
        {"pkg/base.py": BASE},
        "try:\n    from .base import Base\nexcept ImportError:\n    Base = object",
        "Base",
    ),
    "import in a cycle": (
        {"pkg/base.py": f"from . import net\n{BASE}"},
        "from .base import Base",
        "Base",
    ),
    "lazy module of the package": (
        {"pkg/__init__.py": "base = Lazy('base')\n", "pkg/base.py": BASE},
        "from pkg import base",
        "base.Base",
    ),
    "conditional": (
        {"pkg/base.py": "import keras\nif x:\n    class Base(keras.Model): pass\nelse:\n"
         "    class Base(keras.layers.Layer): pass\n"},
        "from .base import Base",
        "Base",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("others", "imports", "base"), WAYS.values(), ids=WAYS)
def test_a_defect_is_found_behind_a_base_of_another_file(
    tmp_path: Path, others: Tree, imports: str, base: str
) -> None:
    net = f"{TF}{imports}\nclass Net({base}):\n{CALL}"
    grow(tmp_path, {"pkg/__init__.py": "", **others, "pkg/net.py": net})
    if base == "layers.Layer":
        assert kinds(tmp_path, "pkg/net.py")["Net"] == "layer"
    else:
        assert analysed(tmp_path, "pkg/net.py") == ["SVL101"]


# Nothing may be found, and nothing may fail.
NOT_KERAS: dict[str, tuple[Tree, str, str]] = {
    "a class of its own": ({"pkg/base.py": "class Base: pass\n"}, "from .base import Base", "Base"),
    "missing module": ({}, "from .absent import Base", "Base"),
    "missing name": ({"pkg/base.py": BASE}, "from .base import Other", "Other"),
    "broken file": ({"pkg/base.py": BASE + "def (:\n"}, "from .base import Base", "Base"),
    "not UTF-8": ({"pkg/base.py": "# coding: nonsense\n" + BASE}, "from .base import Base", "Base"),
    "derives from itself": (
        {"pkg/base.py": "class Base(Base): pass\n"},
        "from .base import Base",
        "Base",
    ),
    "bases in a cycle": (
        {
            "pkg/a.py": "from .b import B\nclass A(B): pass\n",
            "pkg/b.py": "from .a import A\nclass B(A): pass\n",
        },
        "from .a import A",
        "A",
    ),
    "imports in a cycle": (
        {"pkg/a.py": "from .b import X\n", "pkg/b.py": "from .a import X\n"},
        "from .a import X",
        "X",
    ),
    "stars in a cycle": (
        {"pkg/a.py": "from .b import *\n", "pkg/b.py": "from .a import *\n"},
        "from .a import *",
        "Base",
    ),
    "inside a function": (
        {"pkg/base.py": "import keras\ndef f():\n    class Base(keras.Model): pass\n"},
        "from .base import Base",
        "Base",
    ),
    "made by a function": (
        {"pkg/base.py": "import keras\ndef make(): return keras.Model\nBase = make()\n"},
        "from .base import Base",
        "Base",
    ),
    "only looks like TensorFlow": (
        {"pkg/v2.py": "class Module: pass\n"},
        "from pkg import v2 as tf",
        "tf.Module",
    ),
    "outside": ({}, "from torch.nn import Module", "Module"),
    "too many dots": ({}, "from .....x import Base", "Base"),
}


@pytest.mark.parametrize(("others", "imports", "base"), NOT_KERAS.values(), ids=NOT_KERAS)
def test_what_cannot_be_known_is_no_finding_and_no_failure(
    tmp_path: Path, others: Tree, imports: str, base: str
) -> None:
    net = f"import tensorflow as t\n{imports}\nclass Net({base}):\n"
    net += CALL.replace("tf.", "t.")
    grow(tmp_path, {"pkg/__init__.py": "", **others, "pkg/net.py": net})
    assert analysed(tmp_path, "pkg/net.py") == []


def test_a_huge_generated_file_is_not_read(tmp_path: Path) -> None:
    table = "ROWS = [\n" + "    1234567890,\n" * 140_000 + "]\n"
    grow(
        tmp_path,
        {"base.py": BASE + table, "net.py": f"{TF}from base import Base\nclass Net(Base):\n{CALL}"},
    )
    assert analysed(tmp_path, "net.py") == []


def test_a_class_in_a_file_that_never_names_keras_is_found(tmp_path: Path) -> None:
    grow(
        tmp_path,
        {
            "compat.py": "import tensorflow as tf\nimport keras\nBase = keras.Model\n",
            "net.py": "from compat import Base, tf\nclass Net(Base):\n" + CALL,
        },
    )
    assert codes(tmp_path) == ["net.py:4: SVL101"]


# -- what a class gets from its bases --------------------------------------------------------

WRAPPED = "    @tf.function\n    def call(self, x):\n        return self.dense(x)\n"
DENSE = """\
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)
"""


def test_what_an_inherited_constructor_stores_is_known(tmp_path: Path) -> None:
    base = f"import keras\nclass Base(keras.Model):\n{DENSE}"
    grow(
        tmp_path,
        {"base.py": base, "net.py": f"{TF}from base import Base\nclass Net(Base):\n{WRAPPED}"},
    )
    assert codes(tmp_path) == ["net.py:4: SVL104"]


def test_an_inherited_build_keeps_the_weights(tmp_path: Path) -> None:
    build = "    def build(self, shape):\n        self.dense.build(shape)\n"
    base = f"import keras\nclass Base(keras.Model):\n{DENSE}{build}"
    grow(
        tmp_path,
        {"base.py": base, "net.py": f"{TF}from base import Base\nclass Net(Base):\n{WRAPPED}"},
    )
    assert codes(tmp_path) == []


def test_a_dataclass_that_is_a_dictionary_in_another_file_is_an_output(tmp_path: Path) -> None:
    outputs = "from collections import OrderedDict\nclass Output(OrderedDict):\n    pass\n"
    net = (
        "from dataclasses import dataclass\nimport keras\nfrom outputs import Output\n"
        "@dataclass\nclass Margins(Output):\n    y: object = None\n"
        "class Net(keras.Model):\n    def call(self, x):\n        return Margins(y=x)\n"
    )
    grow(tmp_path, {"outputs.py": outputs, "net.py": net})
    assert analysed(tmp_path, "net.py") == []
    (tmp_path / "net.py").write_text(net.replace("(Output)", ""))
    assert analysed(tmp_path, "net.py") == ["SVL111"]


# -- helpers of other files --------------------------------------------------------------------

HELPED = """\
import keras
import tensorflow as tf
from {module} import {name}
class Net(keras.Model):
    def call(self, x):
        return tf.reshape(x, [{use}, 2, 3])
"""
HELPERS = {
    "batch": ("def batch(x):\n    return tf.shape(x)[0]\n", "batch(x)", ["SVL101"]),
    "dims": ("def dims(x):\n    return tf.shape(x)\n", "dims(x)[0]", ["SVL101"]),
    "shape_list": (
        "def shape_list(x):\n    static = x.shape.as_list()\n    dynamic = tf.shape(x)\n"
        "    return [dynamic[i] if s is None else s for i, s in enumerate(static)]\n",
        "shape_list(x)[0]",
        ["SVL101"],
    ),
    # What it reads is its own file's affair; without knowing more nothing is said here.
    "fixed": ("def fixed(x):\n    return x.shape[0]\n", "fixed(x)", []),
    "rows": ("ROWS = 4\ndef rows(x):\n    return ROWS\n", "rows(x)", []),
    "endless": ("def endless(x):\n    return endless(x)\n", "endless(x)", []),
}


@pytest.mark.parametrize(("helper", "use", "expected"), HELPERS.values(), ids=HELPERS)
def test_helpers_are_read_where_they_stand(
    tmp_path: Path, helper: str, use: str, expected: list[str]
) -> None:
    name = use.partition("(")[0]
    net = HELPED.format(module="lib.shapes", name=name, use=use)
    grow(tmp_path, {"lib/shapes.py": TF + helper, "lib/__init__.py": "", "net.py": net})
    assert analysed(tmp_path, "net.py") == expected


def test_a_shape_that_a_helper_gives_as_a_list_can_be_unpacked(tmp_path: Path) -> None:
    helper = (
        "def shape_list(x):\n    dynamic = tf.shape(x)\n"
        "    if x.shape == tf.TensorShape(None):\n        return dynamic\n"
        "    static = x.shape.as_list()\n"
        "    return [dynamic[i] if s is None else s for i, s in enumerate(static)]\n"
    )
    net = (
        "import keras\nimport tensorflow as tf\nfrom shapes import shape_list\n"
        "class Block(keras.layers.Layer):\n    def call(self, x):\n"
        "        b, n = shape_list(x)\n        return tf.reshape(x, [b * n])\n"
    )
    grow(tmp_path, {"shapes.py": TF + helper, "net.py": net})
    assert analysed(tmp_path, "net.py") == []


def test_helpers_that_call_each_other_across_files_end(tmp_path: Path) -> None:
    grow(
        tmp_path,
        {
            "a.py": "from b import g\ndef f(x):\n    return g(g(x))\n",
            "b.py": "from a import f\ndef g(x):\n    return f(f(x))\n",
            "net.py": HELPED.format(module="a", name="f", use="f(x)"),
        },
    )
    assert analysed(tmp_path, "net.py") == []


# -- parts, and saves in other files -------------------------------------------------------------

HEAD = f"import keras\n{TF}class Head(keras.Model):\n{CALL}"
PART = """\
import keras
from head import Head
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.head = Head()
"""
SAVE = """\
import tensorflow as tf
from head import Head
head = Head()
head(tf.zeros([4, 6]))
tf.saved_model.save(head, 'p')
"""
EXPORT = SAVE.replace("tf.saved_model.save(head, 'p')", "head.export('p')")
ELSEWHERE = {
    "nobody makes it": ({}, ["head.py:5: SVL101"]),
    "a part of another class": ({"net.py": PART}, []),
    "a part, and tried by a test": (
        {"net.py": PART, "tests/test_head.py": SAVE},
        ["tests/test_head.py:5: SVL102"],
    ),
    "a part, and made by a function": (
        {"net.py": PART, "make.py": "from head import Head\ndef make(): return Head()\n"},
        ["head.py:5: SVL101"],
    ),
    "saved as it must not be": (
        {"train.py": SAVE},
        ["head.py:5: SVL101", "train.py:5: SVL102"],
    ),
    "exported only": ({"train.py": EXPORT}, []),
    "another class of that name": (
        {"net.py": PART.replace("from head", "from other"), "other.py": HEAD},
        ["head.py:5: SVL101"],
    ),
}


@pytest.mark.parametrize(("others", "expected"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_other_files_make_of_a_model_counts(
    tmp_path: Path, others: Tree, expected: list[str]
) -> None:
    grow(tmp_path, {"head.py": HEAD, **others})
    assert codes(tmp_path) == expected
    # The same when the file is checked alone.
    own = [each for each in expected if each.startswith("head.py")]
    assert codes(tmp_path, "head.py") == own


def test_a_save_in_another_file_is_shown_there(tmp_path: Path) -> None:
    grow(tmp_path, {"head.py": HEAD, "train.py": SAVE})
    result = run(tmp_path, "check", "head.py", "--keras-version", "3")
    assert "train.py:5" in result.stdout
    assert "tf.saved_model.save(head, 'p')" in result.stdout
    (found,) = json.loads(
        run(tmp_path, "check", "head.py", "--keras-version", "3", "--output-format", "json").stdout
    )
    assert [(label["path"], label["line"]) for label in found["labels"]] == [("train.py", 5)]


def test_a_class_of_another_file_is_known_where_it_is_saved(tmp_path: Path) -> None:
    grow(tmp_path, {"head.py": HEAD, "train.py": SAVE})
    assert codes(tmp_path, "train.py") == ["train.py:5: SVL102"]


# -- rules that ask what a base does -----------------------------------------------------------

LATE = """\
    def __init__(self):
        {first}
        self.units = 3
    def call(self, x):
        return x
"""
FUNCTIONAL = """\
import keras
class Base(keras.Model):
    def __init__(self):
        x = keras.Input([6])
        super().__init__(inputs=x, outputs=self.call(x))
"""
SETTING_UP = """\
import keras
class Base(keras.Model):
    def prepare(self):
        self.begin()
    def begin(self):
        super().__init__()
"""
OUTSIDE = "import keras\nfrom outside import Mixin\nclass Base(Mixin, keras.Model): pass\n"
FORWARD = "    def forward(self, x):\n        return x\n"
MAKING = "    def call(self, x):\n        return keras.layers.Dense(3)(x)\n"
CLAIMING = """\
    def __init__(self):
        super().__init__()
        self.metrics = []
    def call(self, x):
        return x
"""
OWNING = """\
    @property
    def metrics(self):
        return self._own
    @metrics.setter
    def metrics(self, value):
        self._own = value
"""
# The base's file, the class behind it in another one, and what is found there.
INHERITED: dict[str, tuple[str, str, list[str]]] = {
    "no constructor": (BASE, LATE.format(first="pass"), ["SVL209"]),
    "constructor": (BASE, LATE.format(first="super().__init__()"), []),
    "constructor of the base's own helper": (SETTING_UP, LATE.format(first="self.prepare()"), []),
    "base from outside": (OUTSIDE, LATE.format(first="pass"), []),
    "call of another base": (
        BASE + "    def __call__(self, x):\n        return x\n",
        LATE.format(first="pass"),
        [],
    ),
    "forward": (BASE, FORWARD, ["SVL214"]),
    "forward beside an inherited call": (
        BASE + CALL.replace(FROZEN, "        return x\n"),
        FORWARD,
        [],
    ),
    "forward behind a base from outside": (OUTSIDE, FORWARD, []),
    "forward of a functional base": (FUNCTIONAL, FORWARD, []),
    "reserved attribute": (BASE, CLAIMING, ["SVL210"]),
    "reserved attribute behind a base from outside": (OUTSIDE, CLAIMING, []),
    "property of the base": (BASE + OWNING, CLAIMING, []),
    "class attribute of the base": (BASE + "    metrics = ()\n", CLAIMING, []),
    "attributes set by the base": (
        BASE + "    def __setattr__(self, name, value):\n        pass\n",
        CLAIMING,
        [],
    ),
    "layer in call": (BASE, MAKING, ["SVL203"]),
    "layer in the call that the base's constructor runs": (FUNCTIONAL, MAKING, []),
}


@pytest.mark.parametrize(("base", "body", "expected"), INHERITED.values(), ids=INHERITED)
def test_rules_know_what_a_base_of_another_file_does(
    tmp_path: Path, base: str, body: str, expected: list[str]
) -> None:
    net = f"import keras\n{TF}from base import Base\nclass Net(Base):\n{body}"
    grow(tmp_path, {"base.py": base, "net.py": net})
    assert analysed(tmp_path, "net.py") == expected


def test_a_layer_of_another_file_that_call_makes_is_found(tmp_path: Path) -> None:
    part = f"import keras\nclass Part(keras.layers.Layer):\n{DENSE}"
    idle = "class Idle(keras.layers.Layer): pass\n"
    net = f"import keras\n{TF}from part import Idle, Part\nclass Net(keras.Model):\n"
    net += "    def call(self, x):\n        return Idle()(Part()(x))\n"
    grow(tmp_path, {"part.py": part + idle, "net.py": net})
    assert analysed(tmp_path, "net.py") == ["SVL203"]


LOADED = """\
import keras
from net import Net
net = Net()
net.build((None, 6))
net.load_weights("net.weights.h5")
net.save("net.keras")
"""
EMPTY = f"""\
import keras
from base import Base
class Net(Base):
{DENSE}    def call(self, x):
        return self.dense(x)
"""
BUILDING = "    def __init__(self):\n        super().__init__()\n        self.build((None, 6))\n"


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        (BASE, ["SVL215"]),
        (BASE + "    def build(self, shape):\n        self.dense.build(shape)\n", []),
        (BASE + BUILDING, []),
        (OUTSIDE, []),
    ],
)
def test_a_model_of_other_files_is_known_where_it_is_loaded(
    tmp_path: Path, base: str, expected: list[str]
) -> None:
    grow(tmp_path, {"base.py": base, "net.py": EMPTY, "load.py": LOADED})
    assert analysed(tmp_path, "load.py") == expected


HOLDING = f"import keras\nclass Base(keras.Model):\n{DENSE}"
SETS = """\
import keras
from base import Base
class Net(Base):
    def __init__(self):
        super().__init__()
        self.parts = {{{layer}}}
    def call(self, x):
        for part in self.parts:
            x = part(x)
        return x
"""


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("keras.layers.Dense(3), keras.layers.Dense(3)", ["SVL204"]),
        # The base holds it, where Keras sees it.
        ("self.dense", []),
    ],
)
def test_a_layer_that_a_base_of_another_file_holds_is_seen(
    tmp_path: Path, layer: str, expected: list[str]
) -> None:
    grow(tmp_path, {"base.py": HOLDING, "net.py": SETS.format(layer=layer)})
    assert analysed(tmp_path, "net.py") == expected


def test_values_of_other_files_are_no_place_for_findings(tmp_path: Path) -> None:
    """What a base made, and hands on, is neither a part given `self` here nor a function here."""
    base = """\
import keras
class Part(keras.layers.Layer):
    def __init__(self, owner):
        super().__init__()
        self.owner = owner
class Base(keras.Model):
    def __init__(self):
        super().__init__()
        self.part = Part(self)
        dense = keras.layers.Dense(3)
        self.run = lambda x: dense(x)
"""
    net = """\
import keras
from base import Base
class Net(Base):
    def __init__(self):
        super().__init__()
        self.again = self.part
        self.same = self.run
    def call(self, x):
        return self.same(self.again(x))
"""
    grow(tmp_path, {"base.py": base, "net.py": net})
    assert analysed(tmp_path, "base.py") == ["SVL212"]
    assert analysed(tmp_path, "net.py") in ([], ["SVL204"])


# -- generations -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"base.py": "import tf_keras as keras\nclass Base(keras.Model): pass\n"}, "base.py"),
        ({"base.py": "import keras\nfrom keras import ops\nclass Base(keras.Model): 0\n"}, "ops"),
    ],
)
def test_a_base_tells_the_generation(tmp_path: Path, others: Tree, said: str) -> None:
    grow(tmp_path, {**others, "net.py": "from base import Base\nclass Net(Base):\n" + CALL})
    result = run(tmp_path, "show", "net.py")
    assert said in result.stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("importing", "compat"),
    [
        ("from pkg.compat import keras", "pkg/compat.py"),
        ("from .compat import keras", "pkg/compat.py"),
        ("from pkg import keras", "pkg/compat.py"),
        ("from . import keras", "pkg/compat.py"),
        ("from pkg.internal import tf_keras as keras", "pkg/internal/tf_keras.py"),
    ],
)
def test_who_hands_on_keras_tells_the_generation(
    tmp_path: Path, importing: str, compat: str
) -> None:
    chosen = "import os\nos.environ['TF_USE_LEGACY_KERAS'] = '1'\nkeras = chosen()\n"
    tree = {
        "pkg/__init__.py": "from .compat import keras\n",
        "pkg/compat.py": chosen,
        "pkg/internal/__init__.py": "",
        "pkg/internal/tf_keras.py": chosen,
        "pkg/net.py": f"{importing}\nclass Net(keras.Model):\n{CALL}",
    }
    grow(tmp_path, tree)
    result = run(tmp_path, "show", "pkg/net.py")
    said = f"Keras 2 ({compat}, which hands on Keras, sets TF_USE_LEGACY_KERAS)"
    assert said in result.stdout.splitlines()[0]


def test_a_package_that_asks_for_the_old_keras_gets_it(tmp_path: Path) -> None:
    flag = "import os\nos.environ['TF_USE_LEGACY_KERAS'] = '1'\n"
    grow(tmp_path, {"pkg/__init__.py": flag, "pkg/net.py": "from tensorflow import keras\n"})
    result = run(tmp_path, "show", "pkg/net.py")
    assert "Keras 2 (pkg/__init__.py sets TF_USE_LEGACY_KERAS)" in result.stdout


def test_where_a_circle_of_stars_begins_makes_no_difference(tmp_path: Path) -> None:
    tree = {
        "a.py": "from b import *\n",
        "b.py": "from a import *\nfrom c import *\n",
        "c.py": BASE,
        "one.py": f"{TF}from b import Base\nclass Net(Base):\n{CALL}",
        "two.py": f"{TF}from a import Base\nclass Net(Base):\n{CALL}",
    }
    grow(tmp_path, tree)
    for order in (["one.py", "two.py"], ["two.py", "one.py"]):
        session = Session()
        found = {name: analysed(tmp_path, name, session) for name in order}
        assert found == {"one.py": ["SVL101"], "two.py": ["SVL101"]}


def test_bases_in_a_circle_beside_keras_end(tmp_path: Path) -> None:
    grow(
        tmp_path,
        {
            "a.py": "import keras\nfrom b import B\nclass A(keras.Model, B): pass\n",
            "b.py": "from a import A\nclass B(A): pass\n",
        },
    )
    assert kinds(tmp_path, "a.py") == {"A": "model"}
    assert kinds(tmp_path, "b.py") == {"B": "model"}


# -- which files are read, and in which order ------------------------------------------------------

PROJECT: Tree = {
    "pkg/__init__.py": "from .head import Head\n",
    "pkg/base.py": f"import keras\nclass Base(keras.Model):\n{DENSE}",
    "pkg/head.py": f"{TF}from .base import Base\nclass Head(Base):\n{CALL}",
    "pkg/body.py": f"{TF}from pkg.base import Base\nclass Body(Base):\n{WRAPPED}",
    "pkg/net.py": PART.replace("from head", "from pkg"),
    "train.py": SAVE.replace("from head", "from pkg"),
    "broken.py": "def (:\n",
}


@given(st.permutations([name for name in PROJECT if name != "broken.py"]), st.data())
@settings(max_examples=12, deadline=None)
def test_findings_do_not_depend_on_the_files_given_or_their_order(
    tmp_path_factory: pytest.TempPathFactory, order: list[str], data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("project")
    grow(root, PROJECT)
    alone = {name: analysed(root, name) for name in order}
    some = data.draw(st.lists(st.sampled_from(order), unique=True, min_size=1))
    session = Session()
    assert {name: analysed(root, name, session) for name in order} == alone
    session = Session()
    assert {name: analysed(root, name, session) for name in some} == {n: alone[n] for n in some}
    assert any(alone.values())


def test_only_what_a_file_leads_to_is_read(tmp_path: Path) -> None:
    unrelated = {f"pkg/other{n}.py": f"import keras\nX = {n}\n" for n in range(5)}
    grow(tmp_path, {**PROJECT, **unrelated})
    session = Session()
    assert analysed(tmp_path, "pkg/body.py", session) == ["SVL104"]
    assert {Path(path).name for path in session.project.read} <= {
        "body.py",
        "base.py",
        "__init__.py",
    }


# -- show --------------------------------------------------------------------------------------


SHOWN = """\
net.py: Keras 3 (no evidence: the default)
  classes
        9  Net        model      < Base (base.py:3) < keras.Model, registered
       10  Net.Inner  layer      < keras.layers.Layer
       13  Lost       not Keras  < Other: `broken.Other` is in a file that cannot be read: syntax error: invalid syntax
       14  Torch      not Keras  < torch.nn.Module: `torch.nn.Module` is not in the project, and no class known to be Keras
       15  Gone       not Keras  < absent.X: `absent.X` is not in the project, and no class known to be Keras
       16  Plain      not Keras  `Plain` has no base
       17  Value      not Keras  < dict: `dict` is Python's own
       18  Made       not Keras  `Made` has a base that is computed
       19  Unknown    not Keras  < nowhere.Base: `nowhere` is neither imported nor defined here
  saves
       23  save  a Net
       24  tf.saved_model.save  a Net
  loads
       25  load_model  without custom_objects
       26  load_model  with custom_objects
"""  # noqa: E501


def test_show_tells_how_each_class_came_to_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(
        tmp_path,
        {
            "base.py": "import keras\n\nclass Base(keras.Model):\n    pass\n",
            "broken.py": "def (:\n",
            "net.py": """\
import keras
import tensorflow as tf
from base import Base
from broken import Other
from torch import nn
from absent import X

@keras.saving.register_keras_serializable(package="p")
class Net(Base):
    class Inner(keras.layers.Layer):
        pass

class Lost(Other): pass
class Torch(nn.Module): pass
class Gone(X): pass
class Plain: pass
class Value(dict): pass
class Made(make()): pass
class Unknown(nowhere.Base): pass

def train():
    net = Net()
    net.save("net.keras")
    tf.saved_model.save(net, "net")
    keras.models.load_model("net.keras")
    return keras.models.load_model("net.keras", custom_objects={"Net": Net})
""",
        },
    )
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["show", "net.py"])
    assert result.exit_code == 0
    assert result.output == SHOWN


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["absent.py"], "absent.py: no such file or directory; check the path"),
        (["broken.py"], "broken.py: syntax error: invalid syntax"),
        (["empty"], "no Python files found in empty; check the paths"),
    ],
)
def test_show_says_what_it_cannot_read(tmp_path: Path, arguments: list[str], said: str) -> None:
    grow(tmp_path, {"broken.py": "def (:\n", "empty/readme.md": ""})
    result = run(tmp_path, "show", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("encoder = Net()\n    return Backbone(encoder=encoder)", []),
        ("encoder = None\n    if path:\n        encoder = Net()\n    return {'a': encoder}", []),
        ("encoder = Net()\n    path['encoder'] = encoder", []),
        ("return Backbone(Net())", []),
        ("encoder = Net()\n    encoder.save(path)", ["SVL109"]),
        ("encoder = Net()\n    encoder(path)\n    return Backbone(encoder)", ["SVL109"]),
        ("return Net()", ["SVL109"]),
    ],
)
def test_a_model_that_others_only_get_as_an_argument_is_a_part(
    tmp_path: Path, use: str, expected: list[str]
) -> None:
    net = "import keras\nclass Net(keras.Model):\n    def __init__(self, **kwargs):\n"
    net += "        super().__init__(**kwargs)\n        self.dense = keras.layers.Dense(3)\n"
    net += "    def call(self, x, y):\n        return self.dense(x) + self.dense(y)\n"
    convert = f"from net import Net\nfrom backbone import Backbone\ndef convert(path):\n    {use}\n"
    grow(tmp_path, {"net.py": net, "convert.py": convert})
    assert analysed(tmp_path, "net.py") == expected
