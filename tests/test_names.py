"""However a thing of TensorFlow, Keras or numpy is imported, it is seen for what it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_model import codes, file, keras_class, model, told
from savelint.keras.events import SaveCall
from savelint.keras.names import canonical
from savelint.keras.tables import Kind
from savelint.keras.values import Shape

# How Keras is imported, and how it is then spelled.
KERAS = {
    "tf.keras": ("import tensorflow as tf", "tf.keras"),
    "tensorflow.keras": ("import tensorflow", "tensorflow.keras"),
    "import tensorflow.keras": ("import tensorflow.keras", "tensorflow.keras"),
    "import tensorflow.keras as": ("import tensorflow.keras as tk", "tk"),
    "from tensorflow import keras": ("from tensorflow import keras", "keras"),
    "from tensorflow import keras as": ("from tensorflow import keras as K3", "K3"),
    "keras": ("import keras", "keras"),
    "keras as": ("import keras as k", "k"),
    "import keras.layers": ("import keras.layers", "keras"),
    "tf_keras": ("import tf_keras", "tf_keras"),
    "tf_keras as keras": ("import tf_keras as keras", "keras"),
    "compat.v1 as tf": ("import tensorflow.compat.v1 as tf", "tf.keras"),
    "compat.v2 as tf": ("import tensorflow.compat.v2 as tf", "tf.keras"),
    "from compat import v2": ("from tensorflow.compat import v2 as tf", "tf.keras"),
    "from compat.v1 import keras": ("from tensorflow.compat.v1 import keras", "keras"),
    "tf.compat.v1.keras": ("import tensorflow as tf", "tf.compat.v1.keras"),
    "tf.compat.v2.keras": ("import tensorflow as tf", "tf.compat.v2.keras"),
    "tensorflow.python": ("from tensorflow.python import keras", "keras"),
    "tensorflow.python.keras": ("import tensorflow.python.keras as pk", "pk"),
    "keras._tf_keras": ("from keras._tf_keras import keras", "keras"),
    "star": ("from tensorflow import *", "keras"),
    "try": (
        "try:\n    import keras\nexcept ImportError:\n    from tensorflow import keras",
        "keras",
    ),
    "try the other way": (
        "try:\n    from tensorflow import keras\nexcept ImportError:\n    keras = None",
        "keras",
    ),
    "try, else": (
        "try:\n    import tensorflow as tf\nexcept ImportError:\n    tf = None\n"
        "else:\n    from tensorflow import keras",
        "keras",
    ),
    "if": ("if NEW:\n    import tf_keras as k\nelse:\n    from tensorflow import keras as k", "k"),
    "alias": ("import tensorflow as tf\ntfk = tf.keras", "tfk"),
    "alias of an alias": ("import tensorflow as tf\nT = tf\ntfk = T.keras", "tfk"),
    "alias in a try": (
        "import tensorflow as tf\ntry:\n    tfk = tf.keras\nexcept AttributeError:\n    tfk = None",
        "tfk",
    ),
    "re-exported": ("from project.compat import keras", "keras"),
    "re-exported nearby": ("from . import keras", "keras"),
    "re-exported further up": ("from ..compat import tf", "tf.keras"),
    "re-exported as": ("from .compat import keras as keras", "keras"),
}
# A base as it is spelled behind Keras, and what it makes of a class.
BASES = {
    "layers.Layer": Kind.LAYER,
    "layers.Dense": Kind.LAYER,
    "Model": Kind.MODEL,
    "models.Model": Kind.MODEL,
    "Sequential": Kind.FUNCTIONAL,
    "models.Sequential": Kind.FUNCTIONAL,
    "losses.Loss": Kind.OTHER,
    "callbacks.Callback": Kind.OTHER,
}
# The import of one class by its own name, the name, and its kind.
CLASSES = {
    "from keras.layers": ("from keras.layers import Layer", "Layer", Kind.LAYER),
    "from keras.layers as": ("from keras.layers import Layer as Base", "Base", Kind.LAYER),
    "from keras": ("from keras import Model", "Model", Kind.MODEL),
    "from keras, sequential": ("from keras import Sequential", "Sequential", Kind.FUNCTIONAL),
    "layers": ("from keras import layers, ops", "layers.Layer", Kind.LAYER),
    "tf layers": ("from tensorflow.keras import layers as L", "L.Layer", Kind.LAYER),
    "tf class": ("from tensorflow.keras.layers import Layer", "Layer", Kind.LAYER),
    "tf models": ("from tensorflow.keras.models import Model", "Model", Kind.MODEL),
    "compat class": ("from tensorflow.compat.v1.keras import Model", "Model", Kind.MODEL),
    "private layer": (
        "from tensorflow.python.keras.engine.base_layer import Layer",
        "Layer",
        Kind.LAYER,
    ),
    "private model": (
        "from tensorflow.python.keras.engine.training import Model",
        "Model",
        Kind.MODEL,
    ),
    "keras engine": ("from keras.engine.topology import Layer", "Layer", Kind.LAYER),
    "keras src": ("from keras.src.layers.layer import Layer", "Layer", Kind.LAYER),
    "star of layers": ("from keras.layers import *", "Layer", Kind.LAYER),
    "star of tf layers": ("from tensorflow.keras.layers import *", "Layer", Kind.LAYER),
    "star of models": ("from keras.models import *", "Sequential", Kind.FUNCTIONAL),
    "star of keras": ("from tensorflow.keras import *", "Model", Kind.MODEL),
    "star of keras, module": ("from keras import *", "layers.Layer", Kind.LAYER),
    "alias of layers": (
        "import tensorflow as tf\ntfk = tf.keras\ntfkl = tfk.layers",
        "tfkl.Layer",
        Kind.LAYER,
    ),
    "alias of a class": ("import keras\nBase = keras.Model", "Base", Kind.MODEL),
    "try": (
        "try:\n    from keras.layers import Layer\nexcept ImportError:\n    Layer = object",
        "Layer",
        Kind.LAYER,
    ),
    "tf.Module": ("import tensorflow as tf", "tf.Module", Kind.MODULE),
    "tf.compat.v1.Module": ("import tensorflow.compat.v1 as tf", "tf.Module", Kind.MODULE),
    "Module": ("from tensorflow import Module", "Module", Kind.MODULE),
    "star Module": ("from tensorflow import *", "Module", Kind.MODULE),
    "Module nearby": ("from .compat import tf", "tf.Module", Kind.MODULE),
    "mixin before it": ("import keras\nfrom x import Mixin", "Mixin, keras.Model", Kind.MODEL),
    "metaclass": ("import keras\nimport abc", "keras.Model, metaclass=abc.ABCMeta", Kind.MODEL),
}
NOT_KERAS = {
    "torch": ("from torch.nn import Module", "Module"),
    "a Model of Django": ("from django.db import models", "models.Model"),
    "a Layer of its own": ("class Layer:\n    pass\n", "Layer"),
    "not imported": ("import keras", "Layer"),
    "project": ("from project.layers import Layer", "Layer"),
    "look-alike package": ("import keras_tuner", "keras_tuner.Model"),
    "look-alike prefix": ("import tensorflow.keras_extra as k", "k.Model"),
    "nothing starred": ("from project import *", "Model"),
    "a function of keras": ("import keras", "keras.layers.deserialize"),
    "computed": ("import keras", "keras.layers.make()"),
}
# How TensorFlow is imported, and how it is then spelled.
TENSORFLOW = {
    "tf": ("import tensorflow as tf", "tf."),
    "tensorflow": ("import tensorflow", "tensorflow."),
    "another name": ("import tensorflow as T", "T."),
    "compat.v1": ("import tensorflow.compat.v1 as tf", "tf."),
    "compat.v2": ("import tensorflow.compat.v2 as tf", "tf."),
    "from compat": ("from tensorflow.compat import v1 as tf1", "tf1."),
    "tf.compat.v1": ("import tensorflow as tf", "tf.compat.v1."),
    "from": ("from tensorflow import Variable, function, reshape, saved_model, shape", ""),
    "star": ("from tensorflow import *", ""),
    "alias": ("import tensorflow\ntf = tensorflow", "tf."),
    "re-exported": ("from .backend import tf", "tf."),
    "try": ("try:\n    import tensorflow as tf\nexcept ImportError:\n    tf = None", "tf."),
}
NUMPY = {
    "np": ("import numpy as np", "np.random.randn"),
    "numpy": ("import numpy", "numpy.random.randn"),
    "onp": ("import numpy as onp", "onp.random.randn"),
    "submodule": ("import numpy.random", "numpy.random.randn"),
    "submodule as": ("import numpy.random as npr", "npr.randn"),
    "from numpy": ("from numpy import random", "random.randn"),
    "from numpy as": ("from numpy import random as rnd", "rnd.randn"),
    "function": ("from numpy.random import randn", "randn"),
    "function as": ("from numpy.random import randn as draw", "draw"),
    "alias": ("import numpy as np\nrandn = np.random.randn", "randn"),
}


def each(table: dict[str, tuple[str, str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("imports", "spelled"), table.values(), ids=table.keys())


# -- what a user sees -------------------------------------------------------------------

FROZEN = """\
import tensorflow
{imports}

class Net({base}):
    def call(self, x):
        return tensorflow.reshape(x, [tensorflow.shape(x)[0], 2, 3])
"""


@each(KERAS)
def test_the_defect_of_a_model_is_found_under_any_import(imports: str, spelled: str) -> None:
    assert codes(FROZEN.format(imports=imports, base=f"{spelled}.Model")) == ["SVL101"]


@each(TENSORFLOW)
def test_the_defect_of_a_call_is_found_under_any_import(imports: str, spelled: str) -> None:
    text = f"""\
import keras
{imports}

class Net(keras.Model):
    def call(self, x):
        return {spelled}reshape(x, [{spelled}shape(x)[0], 2, 3])
"""
    assert codes(text) == ["SVL101"]


@each(NOT_KERAS)
def test_a_class_that_only_looks_like_keras_has_no_findings(imports: str, spelled: str) -> None:
    assert codes(FROZEN.format(imports=imports, base=spelled)) == []


def test_a_star_import_gives_all_that_a_defect_is_made_of() -> None:
    text = """\
from tensorflow import *
class Net(keras.Model):
    def call(self, x):
        return reshape(x, [shape(x)[0], 2, 3])
"""
    assert codes(text) == ["SVL101"]


# -- classes ----------------------------------------------------------------------------


@each(KERAS)
@pytest.mark.parametrize("base", BASES)
def test_a_class_of_keras_is_seen_under_any_import(imports: str, spelled: str, base: str) -> None:
    cls = keras_class(f"{imports}\nclass Net({spelled}.{base}):\n    pass\n")
    assert (cls.kind, cls.outline.bases) == (BASES[base], (f"keras.{base}",))


@pytest.mark.parametrize(("imports", "base", "kind"), CLASSES.values(), ids=CLASSES)
def test_a_class_imported_by_its_name_is_seen(imports: str, base: str, kind: Kind) -> None:
    text = f"{imports}\nclass Net({base}):\n    pass\n"
    assert keras_class(text).kind is kind
    # The gates, which see the summary alone, know it too.
    assert file(text).kinds["Net"] is kind


@each(NOT_KERAS)
def test_a_class_that_only_looks_like_keras_is_none(imports: str, spelled: str) -> None:
    assert model(f"{imports}\nclass Net({spelled}):\n    pass\n").classes == ()


def test_the_first_import_wins_over_its_substitute() -> None:
    text = """\
try:
    from keras import Model as Base
except ImportError:
    from project import Base
class Net(Base): pass
"""
    assert keras_class(text).kind is Kind.MODEL


INSIDE = {
    "function": "def make():\n    {cls}",
    "async function": "async def make():\n    {cls}",
    "function in a function": "def make():\n    def inner():\n        {cls}",
    "method": "class Factory:\n    def make(self):\n        {cls}",
    "if": "if flag:\n    {cls}",
    "else": "if flag:\n    pass\nelse:\n    {cls}",
    "elif": "if flag:\n    pass\nelif other:\n    {cls}",
    "try": "try:\n    {cls}\nexcept ImportError:\n    pass",
    "except": "try:\n    pass\nexcept ImportError:\n    {cls}",
    "finally": "try:\n    pass\nfinally:\n    {cls}",
    "with": "with scope():\n    {cls}",
    "for": "for _ in range(2):\n    {cls}",
    "while": "while True:\n    {cls}",
    "if in a function": "def make(deep):\n    if deep:\n        {cls}",
    "try in a method": "class F:\n    def make(self):\n        try:\n            {cls}\n"
    "        except ValueError:\n            pass",
    "Keras method": "class Outer(keras.Model):\n    def make(self):\n        {cls}",
    "class": "class Outer:\n    {cls}",
    "Keras class": "class Outer(keras.Model):\n    {cls}",
    "class in a class": "class Outer:\n    class Inner:\n        {cls}",
    "match": "match kind:\n    case 1:\n        {cls}",
}


@pytest.mark.parametrize("around", INSIDE.values(), ids=INSIDE)
def test_a_class_inside_something_else_is_seen(around: str) -> None:
    text = "import keras\n" + around.format(cls="class Net(keras.layers.Layer): pass") + "\n"
    assert keras_class(text).kind is Kind.LAYER


# -- imports inside functions -------------------------------------------------------------


def test_an_import_inside_a_method_is_seen_there() -> None:
    text = """\
import keras
class Net(keras.Model):
    def call(self, x):
        import tensorflow as tf
        return tf.shape(x)
"""
    assert told(keras_class(text).flow("call").result) == "dynamic shape"


@pytest.mark.parametrize(
    ("imports", "base"),
    [
        ("import tensorflow as tf\n    from tensorflow import keras", "keras.Model"),
        ("import tensorflow as tf", "tf.keras.Model"),
        ("import tensorflow as tf\n    from keras import Model as Base", "Base"),
    ],
)
def test_a_class_with_its_imports_in_the_function_is_found(imports: str, base: str) -> None:
    text = f"""\
def make():
    {imports}

    class Net({base}):
        def call(self, x):
            return tf.reshape(x, [tf.shape(x)[0], 2, 3])

    return Net()
"""
    assert keras_class(text).kind is Kind.MODEL
    assert codes(text) == ["SVL101"]


# -- functions --------------------------------------------------------------------------


@each(TENSORFLOW)
def test_tf_shape_is_seen(imports: str, spelled: str) -> None:
    text = f"""\
import keras
{imports}
class Net(keras.Model):
    def call(self, x):
        return {spelled}shape(x)
"""
    result = keras_class(text).flow("call").result
    assert isinstance(result, Shape) and result.dynamic


@each(TENSORFLOW)
def test_tf_variable_is_seen(imports: str, spelled: str) -> None:
    text = f"""\
import keras
{imports}
class Net(keras.Model):
    def __init__(self):
        self.scale = {spelled}Variable(1.0)
"""
    (store,) = keras_class(text).stores("__init__")
    assert told(store.value) == "tensorflow variable"


@each(TENSORFLOW)
@pytest.mark.parametrize("call", ["", "()", "(jit_compile=True)"])
def test_tf_function_is_seen(imports: str, spelled: str, call: str) -> None:
    text = f"""\
import keras
{imports}
class Net(keras.Model):
    @{spelled}function{call}
    def serve(self, x):
        return x
"""
    assert list(keras_class(text).traced) == ["serve"]


@each(TENSORFLOW)
def test_saved_model_save_is_seen(imports: str, spelled: str) -> None:
    text = f"{imports}\n{spelled}saved_model.save(model, 'path')\n"
    assert [save.how for flow in model(text).scopes for save in flow.all(SaveCall)] == [
        "saved_model"
    ]


@pytest.mark.parametrize(
    ("imports", "call", "how"),
    [
        ("from tensorflow.saved_model import save", "save(m, 'p')", "saved_model"),
        ("from tensorflow import saved_model as sm", "sm.save(m, 'p')", "saved_model"),
        ("from keras.models import save_model", "save_model(m, 'p')", "save"),
        ("import keras", "keras.saving.save_model(m, 'p')", "save"),
        ("import tensorflow as tf", "tf.keras.models.save_model(m, 'p')", "save"),
        ("from tf_keras.models import save_model as s", "s(m, 'p')", "save"),
    ],
)
def test_a_function_that_saves_is_seen(imports: str, call: str, how: str) -> None:
    (flow,) = model(f"{imports}\n{call}\n").scopes
    assert [save.how for save in flow.all(SaveCall)] == [how]


@each(NUMPY)
def test_a_random_draw_of_numpy_is_seen(imports: str, spelled: str) -> None:
    text = f"""\
import keras
{imports}
class Net(keras.Model):
    def __init__(self):
        self.table = {spelled}(2, 3)
"""
    (store,) = keras_class(text).stores("__init__")
    assert told(store.value) == "random array"


@pytest.mark.parametrize("imports", ["import random", "from project import random"])
def test_another_module_named_random_is_not_numpy(imports: str) -> None:
    text = f"""\
import keras
{imports}
class Net(keras.Model):
    def __init__(self):
        self.table = random.randn(2, 3)
"""
    (store,) = keras_class(text).stores("__init__")
    assert store.value is None


# -- canonical names ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dotted", "expected"),
    [
        ("tensorflow.keras.layers.Dense", "keras.layers.Dense"),
        ("tensorflow.compat.v1.keras.Model", "keras.Model"),
        ("tensorflow._api.v2.keras.Model", "keras.Model"),
        ("tensorflow.python.keras.api.layers", "keras.layers"),
        ("tensorflow.compat.v1.shape", "tensorflow.shape"),
        ("tensorflow.compat.v1", "tensorflow"),
        ("tf_keras.src.engine.training.Model", "keras.engine.training.Model"),
        ("keras.api.ops.shape", "keras.ops.shape"),
        ("tensorflow.keras_extra", "tensorflow.keras_extra"),
        ("tf_keras_vis.utils", "tf_keras_vis.utils"),
        ("keras_cv.layers", "keras_cv.layers"),
        ("my.tensorflow.keras", "my.tensorflow.keras"),
    ],
)
def test_all_spellings_have_one_canonical_name(dotted: str, expected: str) -> None:
    assert canonical(dotted) == expected


PARTS = st.sampled_from(
    "tensorflow keras tf_keras compat v1 v2 python api src _tf_keras layers Model x".split()
)


@given(st.lists(PARTS, min_size=1, max_size=6).map(".".join))
def test_a_canonical_name_ends_as_the_name_itself(dotted: str) -> None:
    found = canonical(dotted)
    assert dotted == found or dotted.endswith(found.partition(".")[1] + found.partition(".")[2])


@given(st.lists(PARTS, min_size=1, max_size=6).map(".".join))
def test_what_follows_a_name_does_not_change_its_canonical_form(dotted: str) -> None:
    assert canonical(f"{dotted}.tail") == f"{canonical(dotted)}.tail"
