"""Where models are saved and loaded: what tells that it is one, and what is known of the path."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from keras_model import HEAD, codes, model
from savelint.analysis import Session, analyse
from savelint.keras import paths
from savelint.keras.events import LoadCall, SaveCall
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.values import Const, Text, Value, join, text_of
from savelint.keras.visitor import visit
from savelint.source import Source

SEQUENTIAL = "m = keras.Sequential([layers.Dense(2)])\n"
HEADER = f"{HEAD}import argparse, os, pathlib\nfrom pathlib import Path\n"


def saves(text: str) -> list[SaveCall]:
    return list(events(model(text)))


def events(module: ModuleModel) -> list[SaveCall]:
    return [event for flow in module.scopes for event in flow.all(SaveCall)]


def spelled(value: Value) -> str:
    """A path in words: `*` is what is not known; a path object stands in brackets."""
    text = text_of(value)
    if text is None:
        return "?"
    found = "".join("*" if part is None else part for part in text.parts)
    found = f"<{found}>" if text.is_path else found
    return f"{found} by default" if text.assumed else found


# -- paths ------------------------------------------------------------------------------

PATHS = {
    "'m.h5'": "m.h5",
    "'m' '.h5'": "m.h5",
    "f'{n}' '.h5'": "*.h5",
    "f'm_{n:02d}.h5'": "m_*.h5",
    "f'{{epoch}}_{n}\\n'": "{epoch}_*\n",
    "rf'{n}\\n'": "*\\n",
    "f'{OUT}/{3}.h5'": "out/3.h5",
    "'m_%d.h5' % n": "m_*.h5",
    "'%s/%s.h5' % (OUT, n)": "out/*.h5",
    "'100%%_%(a)s' % n": "100%_*",
    "'{}/m'.format(OUT)": "out/m",
    "'{0}_{x}.h5'.format(n, x='y')": "*_y.h5",
    "'{:.2f}.h5'.format(n)": "*.h5",
    "n + '.h5'": "*.h5",
    "OUT + '/m'": "out/m",
    "os.path.join(OUT, 'm.h5')": "out/m.h5",
    "os.path.join(n, 'm.h5')": "*/m.h5",
    "os.path.join(OUT, '/m.h5')": "/m.h5",
    "os.path.join(OUT, n)": "out/*",
    "os.path.join(n, '')": "*/",
    "tf.io.gfile.join(OUT, 'm')": "out/m",
    "os.path.join(*parts)": "?",
    "Path(OUT)": "<out>",
    "Path(OUT) / 'm.h5'": "<out/m.h5>",
    "Path(OUT, 'm.h5')": "<out/m.h5>",
    "Path('./m/')": "<m>",
    "Path(n)": "<*>",
    "n / 'm.h5'": "<*/m.h5>",
    "pathlib.Path(OUT).joinpath('m').with_suffix('.h5')": "<out/m.h5>",
    "(Path(n) / 'a.tf').with_name('b.h5')": "<*/b.h5>",
    "Path(n).with_suffix('.h5')": "<*.h5>",
    "Path(OUT, 'm.h5').stem": "m",
    "Path(OUT, 'm.h5').name": "m.h5",
    "Path(OUT, 'm.h5').parent": "<out>",
    "Path(OUT).resolve()": "<*/out>",
    "Path('~/m').expanduser()": "<*/m>",
    "os.path.expanduser('~/m.h5')": "*/m.h5",
    "os.path.abspath('m.h5')": "*/m.h5",
    "os.path.basename(n + '/m.h5')": "m.h5",
    "str(Path(OUT) / 'm')": "out/m",
    "os.fspath(Path(OUT))": "out",
    "Path(OUT).as_posix()": "out",
    "'M.H5'.lower()": "m.h5",
    "'_'.join(['a', n, 'c'])": "a_*_c",
    "'a.h5' if n else 'b.h5'": "*.h5",
    "'a.h5' if n else 'a.keras'": "a.*",
    "'a.h5' if n else 'b.keras'": "?",
    "n": "?",
    "given()": "x/m.h5",
    "args.out": "m.h5 by default",
    "args.out + '.h5'": "*.h5",
    "args.model_dir": "runs by default",
    "args.count": "?",
    "args.missing": "?",
}
SCRIPT = """\
OUT = "out"
def given(folder="x"):
    return folder + "/m.h5"
parser = argparse.ArgumentParser()
parser.add_argument("--out", "-o", default="m.h5")
parser.add_argument("--model-dir", default="runs")
parser.add_argument("--count", type=int, default=3)
args = parser.parse_args()
"""


@pytest.mark.parametrize(("expression", "expected"), PATHS.items(), ids=PATHS)
def test_a_path_is_read(expression: str, expected: str) -> None:
    (save,) = saves(f"{HEADER}{SCRIPT}{SEQUENTIAL}m.save({expression})\n")
    assert save.path is not None
    assert spelled(save.path.value) == expected


def test_a_path_is_followed_into_a_function_and_over_branches() -> None:
    text = """\
    def store(net, path):
        net.save(path)

    def main(short):
        path = "a.h5"
        if short:
            path = "b.h5"
        store(keras.Sequential(), path)
    """
    found = saves(HEAD + textwrap.dedent(text))
    assert [(save.evidence, spelled(save.path.value if save.path else None)) for save in found] == [
        ("`keras.Sequential(...)`", "*.h5")
    ]


def test_a_default_is_only_assumed() -> None:
    text = "def store(net: keras.Model, path='m'):\n    net.save(path)\n"
    (save,) = saves(HEAD + text)
    assert save.path and spelled(save.path.value) == "m by default"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Const("m.h5"), True),
        (Const("m"), False),
        (Const("h5"), False),
        (Text((None, ".h5")), True),
        (Text((None, "5")), None),
        (Text((None, "_weights")), False),
        (Text(("m.h5", None)), None),
        (None, None),
        (Const(3), None),
    ],
)
def test_how_a_path_ends(value: Const | Text | None, expected: bool | None) -> None:
    assert paths.ends_with(value, ".h5", ".keras") is expected


def test_the_directory_is_what_is_known_of_it() -> None:
    given = ["a/b/m.h5", "m.h5", "/m.h5"]
    assert [paths.directory(Text((path,))) for path in given] == ["a/b", "", ""]
    assert paths.directory(Text((None, "/m.h5"))) is None
    assert paths.directory(Text(("a/", None, ".h5"))) == "a"


def test_joined_texts_keep_what_they_share() -> None:
    assert join(Const("out/a.h5"), Const("out/b.h5")) == Text(("out/", None, ".h5"))
    assert join(Const("a"), Const("b")) is None
    assert join(Const("a"), None) is None


# -- receivers ----------------------------------------------------------------------------

RECEIVERS = {
    SEQUENTIAL + "m.save('p')": "save by `keras.Sequential(...)`",
    "m = keras.models.load_model('q')\nm.save('p')": "save by `load_model(...)`",
    "m = keras.applications.ResNet50()\nm.save_weights('p')": "weights by `ResNet50(...)`",
    "def f(m: keras.Model):\n    m.export('p')": "export by the annotation `keras.Model`",
    "def f(m: 'keras.Model | None'):\n    m.save('p')": "",
    "def f(m: keras.Sequential | None = None):\n    m.save('p')": (
        "save by the annotation `keras.Sequential`"
    ),
    "def f() -> keras.Model:\n    return g()\nf().save('p')": (
        "save by the annotation `keras.Model`"
    ),
    "class T:\n    def __init__(self, m: keras.Model):\n        self.m = m\n"
    "    def f(self):\n        self.m.save('p')": "save by the annotation `keras.Model`",
    "class T:\n    def __init__(self):\n        self.m = keras.Sequential()\n"
    "    def f(self):\n        self.m.save('p')": "save by `keras.Sequential(...)`",
    # A method that the constructor does not call makes it, on top of None or of nothing.
    "class T:\n    def __init__(self):\n        self.m = None\n"
    "    def make(self):\n        self.m = keras.Sequential()\n"
    "    def f(self):\n        self.m.save('p')": "save by `keras.Sequential(...)`",
    # The caller says what the constructor is given.
    "class T:\n    def __init__(self, m):\n        self.m = m\n"
    "    def f(self):\n        self.m.save('p')\nT(keras.Sequential()).f()": (
        "save by `keras.Sequential(...)`"
    ),
    # There a figure may be given as well, or comes from another method.
    "class T:\n    def __init__(self, m):\n        self.m = m\n"
    "    def f(self):\n        self.m.save('p')\nT(figure).f()\nprint(keras.Sequential())": "",
    "class T:\n    def make(self):\n        self.m = keras.Sequential()\n"
    "    def draw(self, figure):\n        self.m = figure\n"
    "    def f(self):\n        self.m.save('p')": "",
    "class N(keras.Model):\n    def f(self):\n        self.save('p')\nN().f()": "",
    "m = keras.Sequential()\ndef f():\n    m.save('p')": "save by `keras.Sequential(...)`",
    "keras.models.save_model(x, 'p')": "save by `keras.models.save_model`",
    "x.save('p', save_format='tf')": "save by `save_format=`",
    "x.save_weights('p', save_format='tf')": "weights by `save_format=`",
    "keras.callbacks.ModelCheckpoint('p')": "callback by `keras.callbacks.ModelCheckpoint`",
    "a = keras.export.ExportArchive()\na.write_out('p')": "archive by keras.export.ExportArchive",
    "c = tf.train.Checkpoint()\nc.write('p')": "checkpoint by tensorflow.train.Checkpoint",
    # Of these nothing says that they are models.
    "x.save('p')": "",
    "x.save('p', format='png')": "",
    "from PIL import Image\nImage.open('q').save('p')": "",
    "def f(m: Net):\n    m.save('p')": "",
    "class Net:\n    def save(self, p, save_format=''): ...\nNet().save('p', save_format='')": "",
    "class N(keras.Model):\n    def save(self, p): ...\nN().save('p')": "",
}


@pytest.mark.parametrize(("text", "expected"), RECEIVERS.items(), ids=RECEIVERS)
def test_what_tells_that_it_is_a_model(text: str, expected: str) -> None:
    found = [f"{save.how} by {save.evidence}" for save in saves(f"{HEAD}{text}\n")]
    assert sorted(set(found)) == ([expected] if expected else [])


def test_two_objects_of_a_class_save_what_each_was_given() -> None:
    text = f"""\
{HEAD}
class Saver:
    def __init__(self, model, path="c"):
        self.model = model
        self.path = path

    def store(self):
        self.model.save(self.path)

    def other(self):
        print(self.model)

first = Saver(keras.Sequential(), "a")
first.other()
first.store()
other = Saver(path="b", model=keras.Sequential())
other.store()
Saver(keras.Sequential()).store()
Saver(figure, "d").store()
"""
    known = [spelled(save.path.value) for save in saves(text) if save.evidence and save.path]
    assert known == ["a", "b", "c"]


def test_a_model_that_saves_itself_is_seen_in_its_class() -> None:
    text = "class N(keras.Model):\n    def f(self):\n        self.save_weights('p')\n"
    (cls,) = model(HEAD + text).classes
    (save,) = cls.flow("f").all(SaveCall)
    assert (save.how, save.evidence) == ("weights", "`N` is a model")


def test_a_function_of_another_file_gives_a_model(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text(
        "import keras\ndef build():\n    return keras.Sequential()\ndef other():\n    return 3\n"
    )
    text = "import keras\nfrom nets import build, other\nbuild().save('p')\nother().save('p')\n"
    path = tmp_path / "run.py"
    path.write_text(text)
    session = Session()
    file = session.project.open(Source("run.py", text), str(path))
    module = visit(file, range(4), Keras.V3, file.scope_words, session.library)
    assert [save.evidence for save in events(module)] == ["`build(...)`"]
    assert analyse(Source("run.py", text), (), path=str(path)).has_keras


def test_loads_are_events_too() -> None:
    text = f"""\
{HEAD}
m = keras.models.load_model("a")
m.load_weights("b")
x.load_weights("c")
x.load_weights("d", by_name=True)
tf.saved_model.load("e")
c = tf.train.Checkpoint(model=m)
c.restore("f")
"""
    found = [event for flow in model(text).scopes for event in flow.all(LoadCall)]
    assert [(load.how, spelled(load.path.value if load.path else None)) for load in found] == [
        ("model", "a"),
        ("weights", "b"),
        ("weights", "d"),
        ("saved_model", "e"),
        ("checkpoint", "f"),
    ]


def test_a_directory_that_keras_3_itself_writes_is_loaded() -> None:
    text = f"{HEAD}{SEQUENTIAL}m.save('d', zipped=False)\nkeras.models.load_model('d')\n"
    assert codes(text) == []
    assert codes(text.replace("zipped=False", "zipped=z")) == []


def test_of_a_path_that_is_saved_to_only_the_save_is_reported() -> None:
    text = f"""\
{HEADER}
def f(folder, other):
    {SEQUENTIAL.strip()}
    path = os.path.join(folder, "model")
    m.save(path)
    keras.models.load_model(path)
    m.save(folder + "/other")
    keras.models.load_model(folder + "/other")
    keras.models.load_model(os.path.join(other, "model"))
"""
    assert codes(text) == ["SVL401", "SVL401", "SVL405"]
