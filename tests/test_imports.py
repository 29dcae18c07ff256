"""The text by which a file can write a canonical name, run for real on stand-in packages."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from savelint.imports import Importer
from savelint.source import Source

USE = "RESULT = lambda: "
# Every module of the stand-ins: each leaf is the canonical name it should be reached by.
_LEAVES = {
    "keras": ("layers.Dense", "initializers.Constant", "ops.shape", "saving.save", "Model"),
    "tf_keras": ("layers.Dense", "initializers.Constant", "saving.save", "Model"),
    "tensorflow.keras": ("layers.Dense", "initializers.Constant", "Model"),
    "tensorflow": ("shape", "function"),
}


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Packages `keras`, `tf_keras` and `tensorflow` whose leaves are canonical names."""
    top = tmp_path_factory.mktemp("site")
    for root, leaves in _LEAVES.items():
        for leaf in leaves:
            module, _, name = f"{root}.{leaf}".rpartition(".")
            folder = top.joinpath(*module.split("."))
            folder.mkdir(parents=True, exist_ok=True)
            family = "tensorflow" if root == "tensorflow" else "keras"
            with folder.joinpath("__init__.py").open("a") as file:
                file.write(f"{name} = '{family}.{leaf}'\n")
    for init in sorted(top.rglob("__init__.py")):
        _import_submodules(init)
    _alias_compat(top / "tensorflow")
    # A real TensorFlow, where there is one, must neither be found nor be lost.
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_stand_in(name)}
    sys.path.insert(0, str(top))
    yield
    sys.path.remove(str(top))
    for name in [name for name in sys.modules if _is_stand_in(name)]:
        del sys.modules[name]
    sys.modules.update(hidden)


def _is_stand_in(name: str) -> bool:
    return name.partition(".")[0] in ("keras", "tf_keras", "tensorflow")


def _import_submodules(init: Path) -> None:
    children = [item.name for item in init.parent.iterdir() if item.is_dir()]
    with init.open("a") as file:
        file.writelines(f"from . import {child}\n" for child in sorted(children))


def _alias_compat(tensorflow: Path) -> None:
    version = tensorflow / "compat" / "v1"
    version.mkdir(parents=True)
    (tensorflow / "compat" / "__init__.py").write_text("")
    (version / "__init__.py").write_text("from tensorflow import keras, shape\n")


def written(text: str, name: str, at_line: int | None = None) -> str | None:
    """The file after the fix that uses `name`, or None if it cannot be written."""
    source = Source("m.py", text)
    used = Importer(source, ast.parse(text)).use(name, at_line=at_line)
    if used is None:
        return None
    expression, edits = used
    for edit in edits:
        text = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
    newline = "" if text.endswith(("\n", "\r")) else source.newline
    return f"{text}{newline}{USE}{expression}{source.newline}"


def reached(text: str) -> object:
    """What the written expression is when the file is really imported and used."""
    scope: dict[str, object] = {"__name__": "m"}
    exec(compile(text, "m.py", "exec"), scope)
    result = scope["RESULT"]
    assert callable(result)
    return result()


PRESENT = [
    ("import tensorflow as tf\n", "tensorflow.shape", "tf.shape"),
    ("import tensorflow\n", "tensorflow.shape", "tensorflow.shape"),
    ("import tensorflow.keras.layers\n", "tensorflow.shape", "tensorflow.shape"),
    ("import tensorflow as tf\n", "keras.initializers.Constant", "tf.keras.initializers.Constant"),
    ("from tensorflow import keras\n", "keras.initializers.Constant", None),
    ("import keras\n", "keras.initializers.Constant", None),
    ("import keras\n", "keras.ops.shape", None),
    ("import keras\n", "keras.saving.save", None),
    ("import tf_keras as keras\n", "keras.initializers.Constant", None),
    ("import tf_keras\n", "keras.saving.save", "tf_keras.saving.save"),
    ("import keras as K3\n", "keras.Model", "K3.Model"),
    ("import keras\n", "keras", "keras"),
    ("from keras import ops\n", "keras.ops.shape", "ops.shape"),
    ("import keras.initializers as ki\n", "keras.initializers.Constant", "ki.Constant"),
    (
        "from tensorflow.keras import layers, initializers\n",
        "keras.initializers.Constant",
        "initializers.Constant",
    ),
    ("from tensorflow.keras.initializers import Constant\n", "keras.initializers.Constant", None),
    (
        "from tensorflow.keras.initializers import Constant as C\n",
        "keras.initializers.Constant",
        "C",
    ),
    (
        "import tensorflow.compat.v1 as tf\n",
        "keras.initializers.Constant",
        "tf.keras.initializers.Constant",
    ),
    ("import tensorflow as tf\ntfk = tf.keras\n", "keras.Model", "tfk.Model"),
    (
        "import tensorflow as tf\ntfk = tf.keras\ntfki = tfk.initializers\n",
        "keras.initializers.Constant",
        "tfki.Constant",
    ),
    (
        "try:\n    import keras\nexcept ImportError:\n    from tensorflow import keras\n",
        "keras.initializers.Constant",
        "keras.initializers.Constant",
    ),
    (
        "try:\n    import tensorflow as tf\nexcept ImportError:\n    tf = None\n",
        "tensorflow.shape",
        "tf.shape",
    ),
    ("if True:\n    import tensorflow as tf\n", "tensorflow.shape", "tf.shape"),
    (
        "TYPE_CHECKING = 0\nif TYPE_CHECKING: pass\nelse:\n    import tensorflow as tf\n",
        "tensorflow.shape",
        "tf.shape",
    ),
    # The same name in a scope of its own does not rebind the module's.
    ("import tensorflow as tf\nxs = [tf for tf in ()]\n", "tensorflow.shape", "tf.shape"),
    ("import tensorflow as tf\ndef f():\n    tf = 1\n", "tensorflow.shape", "tf.shape"),
    # Asked for by another of its names.
    ("import keras\n", "tf_keras.Model", "keras.Model"),
    # Shortest first.
    ("import tensorflow as tf\nfrom tensorflow import keras\n", "keras.Model", "keras.Model"),
]


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize(("text", "name", "expression"), PRESENT)
def test_a_name_is_written_by_what_is_imported(
    text: str, name: str, expression: str | None
) -> None:
    if expression is None:
        expression = "Constant" if "import Constant" in text else name
    used = Importer(Source("m.py", text), ast.parse(text)).use(name)
    assert used == (expression, ())
    if name != "keras":
        assert reached(written(text, name) or "") == name.replace("tf_keras", "keras")


ADDED = [
    (
        '"""Doc."""\n\nimport os\nimport sys\n\nX = 1\n',
        "tensorflow.shape",
        f'"""Doc."""\n\nimport os\nimport sys\nimport tensorflow as tf\n\nX = 1\n{USE}tf.shape\n',
    ),
    # After what may not be moved away from the top.
    (
        '#!/usr/bin/env python\n"""Doc."""\nfrom __future__ import annotations\nX = 1\n',
        "tensorflow.shape",
        '#!/usr/bin/env python\n"""Doc."""\nfrom __future__ import annotations\n'
        f"import tensorflow as tf\nX = 1\n{USE}tf.shape\n",
    ),
    (
        '"""Doc."""\n\nX = 1\n',
        "tensorflow.shape",
        f'"""Doc."""\n\nimport tensorflow as tf\n\nX = 1\n{USE}tf.shape\n',
    ),
    (
        "# Comment.\n@str\nclass A: pass\n",
        "tensorflow.shape",
        f"# Comment.\nimport tensorflow as tf\n\n@str\nclass A: pass\n{USE}tf.shape\n",
    ),
    # The file's own style.
    (
        "from tensorflow.keras import layers\n",
        "keras.initializers.Constant",
        "from tensorflow.keras import layers\nfrom tensorflow.keras import initializers\n"
        f"{USE}initializers.Constant\n",
    ),
    (
        "from keras import layers\n",
        "keras.ops.shape",
        f"from keras import layers\nfrom keras import ops\n{USE}ops.shape\n",
    ),
    (
        "from tensorflow.keras.layers import Dense\n",
        "keras.Model",
        "from tensorflow.keras.layers import Dense\nfrom tensorflow.keras import Model\n"
        f"{USE}Model\n",
    ),
    (
        "from tf_keras.initializers import *\n",
        "keras.layers.Dense",
        f"from tf_keras.initializers import *\nfrom tf_keras import layers\n{USE}layers.Dense\n",
    ),
    (
        "from keras.layers import Dense as D\n",
        "keras.layers.Dense",
        f"from keras.layers import Dense as D\n{USE}D\n",
    ),
    (
        "from tensorflow.keras.layers import *\n",
        "keras.layers.Dense",
        "from tensorflow.keras.layers import *\nfrom tensorflow.keras.layers import Dense\n"
        f"{USE}Dense\n",
    ),
    (
        "import tensorflow.keras.layers as L\n",
        "keras.Model",
        f"import tensorflow.keras.layers as L\nfrom tensorflow import keras\n{USE}keras.Model\n",
    ),
    (
        "import keras.layers as L\n",
        "keras.ops.shape",
        f"import keras.layers as L\nimport keras\n{USE}keras.ops.shape\n",
    ),
    (
        "from tensorflow import function\n",
        "keras.Model",
        f"from tensorflow import function\nfrom tensorflow import keras\n{USE}keras.Model\n",
    ),
    (
        "import keras.layers as L\nfrom tf_keras import layers, Model\n",
        "keras.initializers.Constant",
        "import keras.layers as L\nfrom tf_keras import layers, Model\n"
        f"from tf_keras import initializers\n{USE}initializers.Constant\n",
    ),
    # The name that everybody uses is taken.
    (
        "import os as tf\n",
        "tensorflow.shape",
        f"import os as tf\nimport tensorflow\n{USE}tensorflow.shape\n",
    ),
    (
        "def f(tf): pass\n",
        "tensorflow.shape",
        f"import tensorflow\n\ndef f(tf): pass\n{USE}tensorflow.shape\n",
    ),
    (
        "import tensorflow as tf\ntf = 1\n",
        "tensorflow.shape",
        f"import tensorflow as tf\nimport tensorflow\ntf = 1\n{USE}tensorflow.shape\n",
    ),
    (
        "from tensorflow.keras import layers\ninitializers = []\n",
        "keras.initializers.Constant",
        "from tensorflow.keras import layers\nfrom tensorflow import keras\ninitializers = []\n"
        f"{USE}keras.initializers.Constant\n",
    ),
    (
        "from tensorflow.keras import layers\ninitializers = keras = []\n",
        "keras.initializers.Constant",
        "from tensorflow.keras import layers\n"
        "from tensorflow.keras import initializers as keras_initializers\n"
        f"initializers = keras = []\n{USE}keras_initializers.Constant\n",
    ),
    # A function's own import of the same thing is no conflict.
    (
        "import os\ndef f():\n    import tensorflow as tf\n",
        "tensorflow.shape",
        "import os\nimport tensorflow as tf\ndef f():\n    import tensorflow as tf\n"
        f"{USE}tf.shape\n",
    ),
    # Imports that do not run are not used.
    (
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    import tensorflow as tf\n",
        "tensorflow.shape",
        "import tensorflow as tf\n\nTYPE_CHECKING = False\nif TYPE_CHECKING:\n"
        f"    import tensorflow as tf\n{USE}tf.shape\n",
    ),
    (
        "if __name__ == '__main__':\n    import tensorflow as tf\n    t = tf\n",
        "tensorflow.shape",
        "import tensorflow as tf\n\nif __name__ == '__main__':\n    import tensorflow as tf\n"
        f"    t = tf\n{USE}tf.shape\n",
    ),
    # Blocks of imports, and settings between imports, stay together.
    (
        "import os\nos.environ['A'] = '1'\ntry:\n    import json\nexcept ImportError:\n    pass\n"
        "X = 1\n",
        "tensorflow.shape",
        "import os\nos.environ['A'] = '1'\ntry:\n    import json\nexcept ImportError:\n    pass\n"
        f"import tensorflow as tf\nX = 1\n{USE}tf.shape\n",
    ),
    (
        "import os; X = '''\n'''\nfrom json import (\n    dumps,  # c\n)  # d\nY = 1\n",
        "tensorflow.shape",
        "import os; X = '''\n'''\nfrom json import (\n    dumps,  # c\n)  # d\n"
        f"import tensorflow as tf\nY = 1\n{USE}tf.shape\n",
    ),
    (
        "import os; X = '''\n'''\nY = 1\n",
        "tensorflow.shape",
        f"import os; X = '''\n'''\nimport tensorflow as tf\nY = 1\n{USE}tf.shape\n",
    ),
    (
        "import os\ntry:\n    import json\n    def f(): pass\nfinally: pass\n",
        "tensorflow.shape",
        "import os\nimport tensorflow as tf\ntry:\n    import json\n    def f(): pass\n"
        f"finally: pass\n{USE}tf.shape\n",
    ),
    # No newline at the end.
    ("import os", "tensorflow.shape", f"import os\nimport tensorflow as tf\n{USE}tf.shape\n"),
    ("", "tensorflow.shape", f"import tensorflow as tf\n\n{USE}tf.shape\n"),
]


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize(("text", "name", "expected"), ADDED)
def test_a_missing_import_is_added(text: str, name: str, expected: str) -> None:
    assert written(text, name) == expected
    assert reached(expected) == name


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
@pytest.mark.parametrize(("text", "name", "expected"), ADDED)
def test_an_import_is_added_alike_under_other_newlines(
    text: str, name: str, expected: str, newline: str
) -> None:
    if "\n" in text:
        assert written(text.replace("\n", newline), name) == expected.replace("\n", newline)


STATEMENTS = st.sampled_from(
    [
        "import tensorflow as tf",
        "import tensorflow.compat.v1 as tf",
        "import keras",
        "import tf_keras as keras",
        "from tensorflow import keras",
        "from tensorflow.keras import layers, initializers",
        "from keras.layers import *",
        "from .mine import keras, tf",
        "tfk = tf.keras",
        "tf = keras = initializers = 1",
        "if TYPE_CHECKING:\n    import tensorflow as tf",
        "try:\n    import keras\nexcept ImportError:\n    keras = None",
        "def f(keras):\n    from tensorflow import keras as initializers",
        "class A:\n    import tensorflow as tf",
        "x = [keras for keras in y]; z = 1",
    ]
)
NAMES = st.sampled_from(
    ["tensorflow.shape", "keras.initializers.Constant", "keras.ops.shape", "keras.Model", "numpy.a"]
)


@given(st.lists(STATEMENTS, max_size=5), NAMES, st.none() | st.integers(1, 9))
def test_an_import_is_added_once(statements: list[str], name: str, at_line: int | None) -> None:
    text = "".join(f"{statement}\n" for statement in statements)
    importer = Importer(Source("m.py", text), ast.parse(text))
    used = importer.use(name, at_line=at_line)
    after = written(text, name, at_line)
    assert (used is None) == (after is None)
    if used is None or after is None:
        return
    expression, edits = used
    lower = None if at_line is None else at_line + sum(e.replacement.count("\n") for e in edits)
    again = Importer(Source("m.py", after), ast.parse(after)).use(name, at_line=lower)
    # What serves may be shorter than what was added, but nothing is added twice.
    assert again is not None
    assert again[1] == ()
    assert edits or again[0] == expression


@pytest.mark.parametrize(
    ("text", "name"),
    [
        # They do not exist in one of the generations.
        ("import tensorflow as tf\n", "keras.ops.shape"),
        ("import tensorflow as tf\n", "keras.saving.save"),
        ("from tensorflow import keras\n", "keras.ops.shape"),
        ("from tensorflow import keras\n", "keras.saving.save"),
        ("from tensorflow.keras import layers\n", "keras.ops.shape"),
        ("from tensorflow.keras import layers\n", "keras.saving.save"),
        ("import tf_keras as keras\n", "keras.ops.shape"),
        ("import tensorflow.compat.v1 as tf\n", "keras.ops.shape"),
        ("from .compat import keras\n", "keras.ops.shape"),
        ("from .compat import keras\n", "keras.Variable"),
        ("from keras._tf_keras import keras\n", "keras.ops.shape"),
        (
            "try:\n    import keras\nexcept ImportError:\n    from tensorflow import keras\n"
            "ops = keras_ops = 1\n",
            "keras.ops.shape",
        ),
        ("import os\n", "keras.ops.shape"),
        # Every spelling is taken.
        ("tf = tensorflow = 1\n", "tensorflow.shape"),
    ],
)
def test_what_cannot_be_written_is_refused(text: str, name: str) -> None:
    assert written(text, name) is None


@pytest.mark.parametrize(
    "rebinding",
    [
        "tf = 1",
        "tf = None",
        "tf: int = 1",
        "tf += 1",
        "tf, x = 1, 2",
        "del tf",
        "for tf in (): pass",
        "with open('x') as tf: pass",
        "def tf(): pass",
        "class tf: pass",
        "import os as tf",
        "try: pass\nexcept Exception as tf: pass",
        "match 1:\n    case tf: pass",
        "match 1:\n    case [*tf]: pass",
        "match 1:\n    case {**tf}: pass",
        "(tf := 1)",
        "if x:\n    while y:\n        tf = 1",
        "if TYPE_CHECKING:\n    tf = tensorflow",
        "tf = os",
    ],
)
def test_a_rebound_name_is_not_used(rebinding: str) -> None:
    text = f"import tensorflow as tf\n{rebinding}\n"
    used = Importer(Source("m.py", text), ast.parse(text)).use("tensorflow.shape")
    assert used is not None
    assert used[0] == "tensorflow.shape"


def test_an_import_below_the_use_does_not_serve() -> None:
    text = "import os\nx = f()\nimport tensorflow as tf\n"
    importer = Importer(Source("m.py", text), ast.parse(text))
    assert importer.use("tensorflow.shape") == ("tf.shape", ())
    assert importer.use("tensorflow.shape", at_line=4) == ("tf.shape", ())
    used = importer.use("tensorflow.shape", at_line=2)
    assert used is not None
    expression, (edit,) = used
    assert expression == "tf.shape"
    assert text[: edit.span.start] == "import os\n"
    assert edit.replacement == "import tensorflow as tf\n"


def test_the_import_is_added_above_a_use_in_the_first_statement() -> None:
    text = "x = f()\nimport os\n"
    used = Importer(Source("m.py", text), ast.parse(text)).use("tensorflow.shape", at_line=1)
    assert used is not None
    assert [edit.span.start for edit in used[1]] == [0]


def test_imports_after_a_definition_are_not_the_leading_block() -> None:
    text = "import os\ndef f(): pass\nimport sys\n"
    after = written(text, "tensorflow.shape")
    assert after is not None
    assert after.startswith("import os\nimport tensorflow as tf\ndef f")
