"""SVL418 zipped-directory-again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import paths
from savelint.keras.events import Flow, SaveCall
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.values import Const, text_of
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import occasions

_ABSOLUTE = re.compile(r"(?:os\.path\.)?(?:abspath|realpath)\(")
_SCRIPT = """\
import os

import keras
from keras import layers

model = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
model.compile("sgd", "mean_squared_error")
for epoch in range(2):
    model.fit(keras.random.normal([4, 6]), keras.random.normal([4, 3]), verbose=0)
    model.save({path}, zipped=False)
"""
_TWICE = """\
from os.path import abspath
import tensorflow as tf

FOLDER = abspath("checkpoint")
model = tf.keras.Sequential([tf.keras.Input((6,)), tf.keras.layers.Dense(3)])
model.save(FOLDER, zipped=False)
model.compile("adam", "mean_squared_error")
model.fit(tf.keras.random.normal([4, 6]), tf.keras.random.normal([4, 3]), verbose=0)
model.save({path}, overwrite=True, zipped=False)
"""
_LOST = {Keras.V3: {Way.RUN: "UnboundLocalError: .*asset_store"}}


class ZippedDirectoryAgain(Rule):
    """`model.save(folder, zipped=False)` runs a second time over the same folder.

    Consequence: Keras 3 raises UnboundLocalError when the folder is there and its path is
    absolute, with the configuration and the weights already written over: neither the new
    model nor the old one can be loaded.

    Silent: Keras 2, which has no such argument; a relative path, which was harmless; a path
    with a part that changes or is not known; files that remove folders; two calls of which
    one run makes only one.

    Fix: none is applied. Save to a `.keras` file, or to a folder whose name is new each time.
    """

    code = "SVL418"
    name = "zipped-directory-again"
    since = "0.1"
    severity = {Keras.V3: Severity.ERROR}
    mentions = ("zipped",)
    clues = (frozenset({"save", "save_model"}),)
    examples = (
        Example(
            variant="loop",
            bad=_SCRIPT.format(path='os.path.abspath("checkpoint")'),
            at='model.save(os.path.abspath("checkpoint"), zipped=False)',
            good=_SCRIPT.format(path='os.path.abspath(f"checkpoint_{epoch}")'),
            witness=Witness(build="model", ways=(Way.RUN,), fails=_LOST),
            keras=(Keras.V3,),
            fixed=False,
        ),
        Example(
            variant="twice",
            bad=_TWICE.format(path="FOLDER"),
            at="model.save(FOLDER, overwrite=True, zipped=False)",
            good=_TWICE.format(path='abspath("compiled")'),
            witness=Witness(build="model", ways=(Way.RUN,), fails=_LOST),
            keras=(Keras.V3,),
            fixed=False,
        ),
    )
    silent = (
        """\
# Each time another folder, or a file, or one that was removed.
import keras

def run(model: keras.Model, steps, folder):
    for step in range(steps):
        model.save(f"step_{step}.keras")
        model.save(folder / str(step))
""",
        """\
# Once, or only one of the two.
import keras

def run(model: keras.Model, last):
    if last:
        model.save("a.keras")
    else:
        model.save("b.keras")
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The calls that find the folder there."""
        if "rmtree" in module.source.text:
            return
        first: dict[tuple[int, str], SaveCall] = {}
        for save, flow in occasions.saves(module, "save"):
            folder = _folder(module, save)
            if folder is None:
                continue
            known = first.setdefault((id(flow), folder), save)
            again = known is not save and _follows(module, known, save)
            if again or occasions.loop_around(module, save.node) is not None:
                yield self._found(module, save, flow, known if again else None)

    def _found(
        self, module: ModuleModel, save: SaveCall, flow: Flow, first: SaveCall | None
    ) -> Finding:
        return self.finding(
            module,
            save.node,
            "`zipped=False` cannot write over the folder that it wrote before",
            variant="twice" if first else "loop",
            note="raises, and the model that was there is lost",
            labels=[(first.node, "written here")] if first else [],
            fix=Fix("save to a `.keras` file, or to a new folder each time", Safety.DISPLAY),
        )


def _folder(module: ModuleModel, save: SaveCall) -> str | None:
    """The folder that a call writes, where it is absolute and all of its name is known."""
    import libcst as cst

    zipped = save.arguments.get(None, "zipped")
    if zipped is None or zipped.value != Const(False) or save.path is None:
        return None
    path = text_of(save.path.value)
    node: cst.BaseExpression | None = save.path.node.value
    if isinstance(node, cst.Name):
        node = module.bound_to(node)
    written = module.text(node) if node is not None else ""
    if path is None:
        return None
    if path.parts[0] is not None:
        return paths.whole(path) if path.parts[0].startswith("/") else None
    made = _ABSOLUTE.match(written) is not None and len(path.parts) == 2
    return path.parts[1] if made else None


def _follows(module: ModuleModel, first: SaveCall, second: SaveCall) -> bool:
    """Whether both calls certainly run, one after the other, in one function."""
    return all(
        not module.branches_of(save.node) and save.inside == first.inside
        for save in (first, second)
    )
