"""What is rebuilt from a config: the less usual ways in which code is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from keras_model import codes
from savelint.api import check_source, fix_source
from savelint.finding import Safety
from savelint.keras.generation import Keras

NET = """\
import functools
import os
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

class Scale(layers.Layer):
    def call(self, inputs):
        return inputs * 2.0

def build():
    inputs = keras.Input([6])
    return keras.Model(inputs, layers.Dense(3)(LAYER(inputs)))

"""


def net(layer: str, *statements: str) -> str:
    return NET.replace("LAYER", layer) + "\n".join(("model = build()", *statements)) + "\n"


LAMBDA = "layers.Lambda(lambda x: x * 2.0)"
CHECKPOINT = "keras.callbacks.ModelCheckpoint(os.path.join(folder, 'best.keras'))"


@pytest.mark.parametrize(
    ("save", "in_2", "in_3"),
    [
        ("model.save('model.keras')", True, True),
        ("model.save('model.h5')", False, True),
        ("model.save('directory')", False, False),
        ("model.save(path)", False, True),
        ("keras.models.save_model(model, 'model.keras')", True, True),
        (f"model.fit(data, callbacks=[{CHECKPOINT}])", True, True),
        ("model.save_weights('model.weights.h5')", False, False),
        ("other.save('model.keras')", False, False),
    ],
)
def test_a_lambda_layer_matters_by_the_format(save: str, in_2: bool, in_3: bool) -> None:
    found = ["SVL312" in codes(net(LAMBDA, save), keras) for keras in (Keras.V2, Keras.V3)]
    assert found == [in_2, in_3]


@pytest.mark.parametrize(
    ("compiled", "code"),
    [
        ("'sgd', lambda y, p: y - p", ["SVL313"]),
        ("loss={'out': lambda y, p: y - p}, optimizer='sgd'", ["SVL313"]),
        ("'sgd', 'mse', weighted_metrics=[functools.partial(scaled, k=2)]", ["SVL313"]),
        ("'sgd', functools.partial(scaled, k=2)", ["SVL313"]),
        ("'sgd', scaled", []),
        ("'sgd', keras.losses.MeanSquaredError()", []),
        ("'sgd', unknown(2)", []),
    ],
)
def test_what_a_saved_model_is_compiled_with(compiled: str, code: list[str]) -> None:
    head = "def scaled(y, p, k=1):\n    return k * (y - p)\n\n"
    text = net("layers.ReLU()", f"model.compile({compiled})", "model.save('model.keras')")
    assert codes(text.replace("def build", head + "def build")) == code


@pytest.mark.parametrize(
    ("load", "code"),
    [
        ("keras.models.load_model('model.keras')", ["SVL310"]),
        ("tf.keras.models.load_model(filepath='model.keras', compile=False)", ["SVL310"]),
        ("keras.models.load_model('another.keras')", []),
        ("keras.models.load_model(path)", []),
        ("keras.models.load_model('model.keras', custom_objects={'Scale': Scale})", []),
        ("keras.utils.get_custom_objects()['Scale'] = Scale", []),
    ],
)
def test_a_class_matters_where_it_is_loaded_again(load: str, code: list[str]) -> None:
    assert codes(net("Scale()", "model.save('model.keras')", load)) == code


def test_a_model_may_be_loaded_by_another_file(tmp_path: Path) -> None:
    for name in ("project/__init__.py", "project/train.py", "project/predict.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    train = net("Scale()", "model.save('model.keras')")
    predict = "import keras\n\ndef load():\n    return keras.models.load_model('model.keras')\n"
    path = tmp_path / "project" / "train.py"
    path.write_text(train, encoding="utf-8")
    assert check_source(train, path=str(path)) == ()
    path.with_name("predict.py").write_text(predict, encoding="utf-8")
    (finding,) = check_source(train, path=str(path))
    assert finding.code == "SVL310"
    assert '@keras.utils.register_keras_serializable(package="project")\nclass Scale' in fix_source(
        train, path=str(path), unsafe=True
    )


@pytest.mark.parametrize(
    ("made", "name"),
    [
        ("layers.Lambda(lambda x: x * 2.0)", "transform"),
        ("layers.Lambda(lambda x: x * 2.0, name='twice')", "twice"),
        ("layers.Lambda(lambda x: x * 2.0, name='two times')", "transform"),
        ("layers.Lambda(lambda x: x * 2.0, name='build')", "build_function"),
        ("layers.Dense(3, kernel_initializer=lambda s, dtype=None: tf.ones(s))", "initializer"),
        ("layers.Activation(lambda x: tf.nn.relu(x))", "activation"),
    ],
)
def test_a_lambda_becomes_a_function_of_the_module(made: str, name: str) -> None:
    fixed = fix_source(net(made, "model.save('model.keras')"), unsafe=True, keras_version=3)
    assert f"\n\n@keras.utils.register_keras_serializable()\ndef {name}(" in fixed
    assert "lambda" not in fixed
    assert check_source(fixed, keras_version=3) == ()


@pytest.mark.parametrize(
    "method",
    [
        "def from_config(self, config):\n        return self.make(config)",
        "def from_config(self, config):\n        cls = type(self)\n        return cls(**config)",
    ],
)
def test_a_from_config_that_uses_its_object_is_left_to_the_reader(method: str) -> None:
    text = f"import keras\n\nclass Net(keras.layers.Layer):\n    {method}\n"
    assert codes(text) == ["SVL309"]
    assert fix_source(text, unsafe=True) == text


SCALE = """\
import keras

class Scale(keras.layers.Layer):
    def __init__(self, size=2, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        return {**super().get_config(), "size": self.size}

class Derived(Scale):
"""


@pytest.mark.parametrize(
    ("body", "safety"),
    [
        ("    pass\n", Safety.SAFE),
        # It is rebuilt by a constructor that does not take the entry.
        ("    def __init__(self, size=3):\n        super().__init__(size)\n", Safety.DISPLAY),
    ],
)
def test_an_entry_that_a_derived_class_does_not_take_is_not_added(
    body: str, safety: Safety
) -> None:
    (finding,) = (f for f in check_source(SCALE + body) if f.code == "SVL301")
    assert finding.fix is not None
    assert finding.fix.safety is safety


def test_a_config_is_inherited_from_another_file(tmp_path: Path) -> None:
    base = """\
import keras

class Base(keras.layers.Layer):
    def __init__(self, words=None, **kwargs):
        super().__init__(**kwargs)
        self.words = words

    def get_config(self):
        config = super().get_config()
        if self.words:
            config["words"] = self.words
        return config
"""
    own = """\
from project.base import Base

class Own(Base):
    def __init__(self, words=None, depth=2, **kwargs):
        super().__init__(words, **kwargs)
        self.depth = depth

    def call(self, inputs):
        return inputs * self.depth
"""
    (tmp_path / "project").mkdir()
    for name, text in (("__init__", ""), ("base", base), ("own", own)):
        (tmp_path / "project" / f"{name}.py").write_text(text, encoding="utf-8")
    path = str(tmp_path / "project" / "own.py")
    (finding,) = check_source(own, path=path)
    assert finding.message == "`Own.get_config` leaves out `depth`"
    assert fix_source(own, path=path).endswith(
        """\

    def get_config(self):
        config = super().get_config()
        config.update({"depth": self.depth})
        return config
"""
    )
    assert check_source(fix_source(own, path=path), path=path) == ()
    asking = own + "\n    @property\n    def words(self):\n        return self.depth\n"
    assert check_source(asking, path=path) == ()
    filling = own.replace("self.depth = depth", 'self.words["depth"] = self.depth = depth')
    assert check_source(filling, path=path) == ()


def test_what_a_base_in_another_file_records_is_given_twice(tmp_path: Path) -> None:
    base = """\
import keras

class Base(keras.layers.Layer):
    def __init__(self, units, rate=0.5, **kwargs):
        super().__init__(**kwargs)
        self.units, self.rate = units, rate

    def get_config(self):
        config = super().get_config()
        config.update({"units": self.units, "rate": self.rate})
        return config
"""
    own = """\
from project.base import Base

class Own(Base):
    def __init__(self, width, **kwargs):
        super().__init__(2 * width, rate=0.1, **kwargs)
        self.width = width

    def get_config(self):
        config = super().get_config()
        config.update({"width": self.width})
        return config
"""
    (tmp_path / "project").mkdir()
    for name, text in (("__init__", ""), ("base", base), ("own", own)):
        (tmp_path / "project" / f"{name}.py").write_text(text, encoding="utf-8")
    path = str(tmp_path / "project" / "own.py")
    (finding,) = check_source(own, path=path)
    assert (
        finding.message
        == "`Own.__init__` gives its base `units` and `rate`, which its config holds, too"
    )
    fixed = fix_source(own, path=path, unsafe=True)
    deleted = '        del config["units"]\n        del config["rate"]\n'
    assert fixed == own.replace("get_config()\n", "get_config()\n" + deleted)
    assert check_source(fixed, path=path) == ()
    takes = own.replace("width, **kwargs):", "width, units=3, rate=0.5, **kwargs):")
    assert check_source(takes, path=path) == ()


def test_a_class_may_require_what_layers_may_be_given() -> None:
    text = """\
from keras import layers

class Table(layers.Layer):
    def __init__(self, input_dim, batch_size=None, **kwargs):
        super().__init__(**kwargs)
        self.input_dim = input_dim
        self.batch_size = batch_size

    def call(self, inputs):
        return inputs * self.input_dim

    def get_config(self):
        return super().get_config()
"""
    (finding,) = check_source(text)
    assert finding.message == "`Table.get_config` leaves out `input_dim`"
    # What a function gives in another form may be taken in that form, too.
    checked = text.replace("= input_dim\n", "= normalize_size(input_dim)\n")
    assert fix_source(checked) == checked
    assert '"input_dim": self.input_dim' in fix_source(checked, unsafe=True)


def test_what_is_left_of_an_entry() -> None:
    text = """\
import keras
from project import Settings

class Cosine(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, steps, params, words={"a", "b"}):
        self._steps = steps
        self._params = params if isinstance(params, Settings) else Settings(params)
        self.words = words

    def __call__(self, step):
        return self._params.rate * step / self._steps

    def get_config(self):
        return {"_params": self._params.as_dict(), "_steps": self._steps}
"""
    found = {f.code + f.message.rpartition(" ")[2]: f for f in check_source(text)}
    assert sorted(found) == ["SVL301`words`", "SVL305`_params`", "SVL305`_steps`"]
    # A set cannot be saved.
    fix = found["SVL301`words`"].fix
    assert fix is not None
    assert fix.safety is Safety.DISPLAY
    after = '{"params": self._params.as_dict(), "steps": self._steps}'
    assert after in fix_source(text, unsafe=True)


def test_what_an_optimizer_is_given() -> None:
    text = """\
import tensorflow as tf

class Novo(tf.keras.optimizers.legacy.Optimizer):
    def __init__(self, rate=0.5, decoupled=False, name="Novo", **kwargs):
        super().__init__(name, **kwargs)
        self._set_hyper("rate", rate)
        self.decoupled = decoupled

    def get_config(self):
        config = super().get_config()
        return config

class Slow(tf.keras.optimizers.SGD):
    def __init__(self, learning_rate=0.1, every=2):
        super().__init__(learning_rate)
        self.every = every
"""
    assert codes(text, Keras.V2) == ["SVL301", "SVL301", "SVL302"]
    after = fix_source(text, keras_version=2, unsafe=True)
    assert codes(after, Keras.V2) == []
    assert '"rate": self._serialize_hyperparameter("rate")' in after
    assert '"every": self.every' in after


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('config["inner"] = layers.deserialize(config["inner"])', ["SVL301"]),
        ("config.update(DEFAULTS)", []),
        ("config = fill(config)", []),
        ("fill(config)", []),
        ("config |= DEFAULTS", []),
        ("config = config.copy()", ["SVL301", "SVL304"]),
        (
            'inner = layers.deserialize(config.pop("inner"))\n        return cls(inner, **config)',
            ["SVL301"],
        ),
        ("inner, rate = fill(config)\n        return cls(inner, rate, **config)", []),
        ('config["rate"] = config["inner"] = 0.5', []),
    ],
)
def test_what_a_from_config_may_supply(line: str, found: list[str]) -> None:
    text = f"""\
from keras import layers
from project import DEFAULTS, fill

class Block(layers.Layer):
    def __init__(self, inner, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.rate = inner, rate

    def call(self, inputs):
        return self.inner(inputs) * self.rate

    def get_config(self):
        return {{**super().get_config(), "inner": layers.serialize(self.inner)}}

    @classmethod
    def from_config(cls, config):
        {line}
        return cls(**config)
"""
    assert codes(text) == found


def test_a_key_of_no_argument_is_left_out() -> None:
    text = """\
from keras import layers

class Patches(layers.Layer):
    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.count = size**2

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "size": self.size,
                "count": self.count,
            }
        )
        config["area"] = self.count
        return config
"""
    after = fix_source(text, keras_version=3, unsafe=True)
    assert after == text.replace('                "count": self.count,\n', "").replace(
        '        config["area"] = self.count\n', ""
    )
    noted = text.replace('"count": self.count,', '"count": self.count,  # a comment')
    assert "# a comment" in fix_source(noted, keras_version=3, unsafe=True)


def test_numbers_in_any_base_and_a_choice_of_one_are_read() -> None:
    text = (
        "import keras\n\n\nclass A(keras.layers.Layer):\n"
        "    def __init__(self, x, y=None, z=None, **kwargs):\n"
        "        super().__init__(**kwargs)\n"
        "        self.x = x * 0x10\n        self.y = y if z else y\n        self.z = z\n\n"
        "    def get_config(self):\n        config = super().get_config()\n"
        '        config.update({"x": self.x, "y": self.y, "z": self.z})\n        return config\n\n'
        "    def call(self, inputs):\n        return inputs * self.x + self.y\n"
    )
    assert [finding.code for finding in check_source(text)] == ["SVL301"]


CONV = """\
import keras
from project.kinds import is_kept

class Conv(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__()
        self.names = []
        for key in kwargs:
            if is_kept(key):
                self.names.append(key)
                setattr(self, key, kwargs[key])

    def get_config(self):
        kept = {}
        for key in self.names:
            kept[key] = getattr(self, key)
        return {**super().get_config(), **kept, **self.config}

    @property
    def config(self):
        return {}
"""
TAG = """\
from project.conv import Conv

class Tag(Conv):
    def __init__(self, units, order=3, activation=None, **kwargs):
        super().__init__(activation=activation, **kwargs)
        self.units = units
        self.order = order

    def call(self, inputs):
        return self.activation(inputs) * self.units**self.order

    @property
    def config(self):
        return {"units": self.units}
"""


@pytest.mark.parametrize(
    ("file", "old", "new", "found"),
    [
        ("tag", "", "", ["`Tag.get_config` leaves out `order`"]),
        # The names may be others, or be made otherwise; what is added may be unknown.
        ("conv", "self.names = []", "self.names = ['order']", []),
        ("conv", "append(key)\n", "append(key)\n        self.names.extend(['order'])\n", []),
        ("conv", "for key in self.names:", "for key in dir(self):", []),
        ("conv", "return {}", "return {'order': self.order}", []),
        ("tag", 'return {"units": self.units}', "return vars(self)", []),
        ("tag", "activation=activation,", "activation=activation, order=order,", []),
    ],
)
def test_names_of_keywords_are_recorded_by_a_base(
    tmp_path: Path, file: str, old: str, new: str, found: list[str]
) -> None:
    (tmp_path / "project").mkdir()
    texts = {"__init__": "", "conv": CONV, "tag": TAG}
    texts[file] = texts[file].replace(old, new)
    for name, text in texts.items():
        (tmp_path / "project" / f"{name}.py").write_text(text, encoding="utf-8")
    path = str(tmp_path / "project" / "tag.py")
    assert [f.message for f in check_source(texts["tag"], path=path) if f.code == "SVL301"] == found
    if found:
        entries = 'return {"units": self.units, "order": self.order}'
        assert entries in fix_source(texts["tag"], path=path)


def test_a_constructor_may_be_made_of_fields() -> None:
    text = """\
import attr
from dataclasses import InitVar, dataclass
import keras

@dataclass
class Base(keras.constraints.Constraint):
    low: float
    high: float = 1.0

    def __call__(self, w):
        return keras.ops.clip(w, self.low, self.high)

@dataclass
class Steep(Base):
    slope: InitVar[float] = 2.0

    def get_config(self):
        return {"low": self.low, "width": self.high}

@attr.s(auto_attribs=True, eq=False)
class Decay(keras.optimizers.schedules.LearningRateSchedule):
    _rate: float
    steps: int = attr.ib(default=3)

    def __call__(self, step):
        return self._rate * step / self.steps

    def get_config(self):
        return {"steps": self.steps}
"""
    assert [(f.code, f.message) for f in check_source(text)] == [
        ("SVL301", "`Steep.get_config` leaves out `slope`"),
        ("SVL305", "`Steep.__init__` takes no keyword `width`"),
        ("SVL301", "`Decay.get_config` leaves out `rate`"),
    ]
    fixed = fix_source(text, unsafe=True)
    assert '"low": self.low, "high": self.high' in fixed
    assert '"rate": self._rate, "steps": self.steps' in fixed


def test_what_a_comment_says_is_not_asked() -> None:
    """Only an assertion refuses the list that a tuple comes back as."""
    text = (
        "import keras\nclass Net(keras.layers.Layer):\n"
        "    def __init__(self, ends, **kwargs):\n        super().__init__(**kwargs)\n"
        "        {}\n        self.ends = ends\n"
        "    def get_config(self):\n"
        "        return {{**super().get_config(), 'ends': self.ends}}\n"
    )
    assert codes(text.format("assert isinstance(ends, tuple)")) == ["SVL304"]
    assert codes(text.format("self.on = True; assert isinstance(ends, tuple)")) == ["SVL304"]
    assert codes(text.format("# assert isinstance(ends, tuple)")) == []
    assert codes(text.format("self.on = True  # assert isinstance(ends, tuple)")) == []
    assert codes(text.format("self.on = True  # on; assert isinstance(ends, tuple)")) == []
