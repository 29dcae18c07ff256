"""SVL408 literal-path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras import paths
from savelint.keras.events import Argument
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.values import Text
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import places

if TYPE_CHECKING:
    import libcst as cst

_HOWS = ("save", "weights", "export", "saved_model", "callback", "archive")
_VARIABLE = re.compile(r"\$\{?[A-Za-z_]")
_REMOTE = re.compile(r"(?:gs|s3|hdfs|https?|file)://")
# A slash between two parts of a date; with the year first it is the path of a directory.
_SLASH = re.compile(r"(?<=%[a-zA-Z])/(?=%[a-zA-Z])")
_YEAR_FIRST = re.compile(r"%[Yy]/")
_DATED = ("save", "weights", "callback")
_ESCAPES = re.compile(r"[\a\b\f\n\r\t\v]")
_PLACE = "an earlier run may have saved to the other place"
_HEAD = """\
import os

from tensorflow import keras

os.environ["HOME"] = os.environ["OUT"] = os.getcwd()
model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
"""


def _saved(path: str, fails: dict[Way, str], *keras: Keras) -> Witness:
    way = Way.H5 if path.endswith(".h5") else Way.KERAS
    return Witness(
        build="model",
        ways=(Way.RUN, way),
        saved=path,
        fails=dict.fromkeys(keras or tuple(Keras), fails),
    )


class LiteralPath(Rule):
    r"""A path is taken as it is written, where something else was meant.

    Consequence: nothing replaces `~` or `$NAME`: a directory of that name is made, or the
    save fails because there is none. `"models\new.keras"` has a line break in the name of
    the file. A date such as `%d/%m/%Y` makes directories of its days and months, or fails
    because there are none. In Keras 3 a model in a `.h5` file at `gs://bucket` never leaves
    the machine: it is written below a new directory called `gs:`.

    Silent: paths that `os.path.expanduser` or `os.path.expandvars` has seen, raw strings;
    dates in a file that creates directories, or that begin with the year; other files than
    `.h5` at such an address, which TensorFlow writes or refuses.

    Fix: `os.path.expanduser(...)`, `os.path.expandvars(...)`, a raw string, or `-` between
    the parts of a date (unsafe: an earlier run may have saved to the other place). Shown only
    for an address.
    """

    code = "SVL408"
    name = "literal-path"
    since = "0.1"
    severity = {Keras.V3: Severity.WARNING, Keras.V2: Severity.WARNING}
    mentions = ("save", "export", "ModelCheckpoint", "write_out")
    clues = (
        frozenset({"save", "save_model", "save_weights", "export", "ModelCheckpoint", "write_out"}),
    )
    examples = (
        Example(
            variant="home",
            bad=_HEAD + 'model.save("~/model.keras")\n',
            at='"~/model.keras"',
            good=_HEAD + 'model.save(os.path.expanduser("~/model.keras"))\n',
            witness=_saved("model.keras", {Way.RUN: "FileNotFoundError"}),
        ),
        Example(
            variant="variable",
            bad=_HEAD + "model.save('$OUT/model.h5')\n",
            at="'$OUT/model.h5'",
            good=_HEAD + "model.save(os.path.expandvars('$OUT/model.h5'))\n",
            witness=_saved("model.h5", {Way.H5: "FileNotFoundError"}),
        ),
        Example(
            variant="escape",
            bad=_HEAD + r'model.save("models\new.keras")' + "\n",
            at=r'"models\new.keras"',
            good=_HEAD + r'model.save(r"models\new.keras")' + "\n",
            witness=_saved(r"models\new.keras", {Way.KERAS: "FileNotFoundError"}),
        ),
        Example(
            variant="date",
            bad="""\
from datetime import datetime

import keras
from keras import layers

now = datetime(2026, 11, 22)
model = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
model.save(f"model_{now.strftime('%d/%m/%Y')}.keras")
""",
            at="'%d/%m/%Y'",
            good="""\
from datetime import datetime

import keras
from keras import layers

now = datetime(2026, 11, 22)
model = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
model.save(f"model_{now.strftime('%d-%m-%Y')}.keras")
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN,),
                fails={key: {Way.RUN: "FileNotFoundError"} for key in Keras},
            ),
        ),
        Example(
            variant="remote",
            bad=_HEAD
            + """\
model.save("s3://bucket/model.h5")
assert not os.path.exists("s3:"), "a directory `s3:` on this machine"
""",
            at='"s3://bucket/model.h5"',
            good=_HEAD
            + """\
model.save("model.h5")
assert not os.path.exists("s3:"), "a directory `s3:` on this machine"
""",
            witness=Witness(
                build="model",
                ways=(Way.RUN, Way.H5),
                saved="model.h5",
                fails={
                    Keras.V3: {Way.RUN: "AssertionError"},
                    Keras.V2: {Way.RUN: "UnimplementedError: "},
                },
            ),
            keras=(Keras.V3,),
            fixed=False,
        ),
    )
    silent = (
        """\
# Dates without a slash, of a directory by its year, and of something else than a path.
from datetime import datetime
from tensorflow import keras

now = datetime.now()
title = now.strftime("%d/%m/%Y")
model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)], name="net")
model.save(f"{now:%Y-%m-%d}.keras")
model.save(now.strftime("%Y/%m/%d") + ".keras")
model.save(now.strftime("models/%Y.keras"))
model.export(now.strftime("%d/%m/%Y"))
print(title)
""",
        """\
# The directories of a date are made.
import os
import time
from tensorflow import keras

folder = time.strftime("%m/%d")
os.makedirs(folder)
model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
model.save(os.path.join(folder, "model.keras"))
""",
        r"""# The path was seen to, or is a raw string; a brace of a template is no variable.
import os
from pathlib import Path
from tensorflow import keras

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
model.save(os.path.expanduser("~/model.keras"))
model.save(Path("~/model.keras").expanduser())
model.save(os.path.expandvars("$OUT/model.keras"))
model.save(r"models\new.keras")
model.save("models\\new.keras")
model.save("a~b$.keras")
model.save("gs://bucket/model.keras")
model.export("gs://bucket/model")
model.save_weights("gs://bucket/model.weights.h5")
keras.callbacks.ModelCheckpoint("m_{epoch:02d}.keras")
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The paths of all that saves."""
        for _, save in module.saves(*_HOWS):
            path = save.path
            if path is None or not (places.is_keras(save) or save.how == "saved_model"):
                continue
            head, whole = paths.head(path.value), paths.whole(path.value) or ""
            if head.startswith(("~/", "~\\")):
                yield self._expanded(module, path, "~", "expanduser", "home")
            elif _VARIABLE.match(head):
                name = head.partition("/")[0]
                yield self._expanded(module, path, name, "expandvars", "variable")
            elif _ESCAPES.search(whole.strip()):
                yield self._escaped(module, path)
            elif (
                module.keras is Keras.V3
                and save.how in {"save", "callback"}
                and _REMOTE.match(head)
                and paths.ends_with(path.value, ".h5", ".hdf5")
                # Weights go through TensorFlow's file systems.
                and not paths.ends_with(path.value, ".weights.h5")
            ):
                yield self.finding(
                    module,
                    path.node.value,
                    f"a file of HDF5 is never written to `{head.partition('://')[0]}://`",
                    variant="remote",
                    fix=Fix("save `.keras`, or copy the file there afterwards", Safety.DISPLAY),
                )

            if save.how in _DATED and not places.creates_directories(module):
                yield from self._dated(module, path)

    def _dated(self, module: ModuleModel, path: Argument) -> Iterator[Finding]:
        for node in places.date_formats(module, path.node.value):
            text = module.text(node)
            if not _SLASH.search(text) or _YEAR_FIRST.search(text):
                continue
            edit = rewrite.replace(module, node, _SLASH.sub("-", text))
            yield self.finding(
                module,
                node,
                "the `/` of this date makes directories of its parts",
                variant="date",
                labels=[(path.node.value, "in the path of a file")]
                if not _holds(path.node.value, node)
                else [],
                fix=Fix("write `-`", Safety.UNSAFE, (edit,), _PLACE),
            )

    def _expanded(
        self, module: ModuleModel, path: Argument, written: str, function: str, variant: str
    ) -> Finding:
        node = path.node.value
        fix = Fix(f"call `os.path.{function}`", Safety.DISPLAY)
        spelled = rewrite.spell(module, f"os.path.{function}")
        if spelled is not None and not (isinstance(path.value, Text) and path.value.is_path):
            text = f"{spelled[0]}({module.text(node)})"
            edits = (*spelled[1], rewrite.replace(module, node, text))
            fix = Fix(f"call `os.path.{function}`", Safety.UNSAFE, edits, _PLACE)
        return self.finding(
            module,
            node,
            f"nothing replaces `{written}` in this path",
            variant=variant,
            fix=fix,
        )

    def _escaped(self, module: ModuleModel, path: Argument) -> Finding:
        node = path.node.value
        edits: tuple[Edit, ...] = ()
        if _is_plain(node):
            edits = (rewrite.replace(module, node, f"r{module.text(node)}"),)
        return self.finding(
            module,
            node,
            "a backslash in this path makes a character that no name should have",
            variant="escape",
            fix=Fix("write a raw string", Safety.UNSAFE, edits, _PLACE)
            if edits
            else Fix("write a raw string, or `/`", Safety.DISPLAY),
        )


def _holds(node: cst.CSTNode, part: cst.CSTNode) -> bool:
    from savelint.keras.walk import descendants

    return any(each is part for each in descendants(node))


def _is_plain(node: cst.BaseExpression) -> bool:
    import libcst as cst

    return isinstance(node, cst.SimpleString) and not node.prefix and not node.lpar
