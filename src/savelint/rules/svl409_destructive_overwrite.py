"""SVL409 destructive-overwrite."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras import paths
from savelint.keras.events import SaveCall
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.keras.values import Value, literal
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import occasions
from savelint.source import Span

if TYPE_CHECKING:
    import libcst as cst

# The longest first: what a temporary file must end in to be written in the same format.
_SUFFIXES = (".weights.h5", ".keras", ".hdf5", ".h5")
# A file of no lasting worth.
_PASSING = re.compile(r"te?mp", re.IGNORECASE)
# The methods of a callback that run more than once.
_HOOK = re.compile(r"on_(epoch|batch|train_batch)_(begin|end)")
_REASON = "both files must fit on the disk, and the new one has default permissions"
_REPLACES = re.compile(r"\b(?:os\.replace|shutil\.move|rename)\(|\.replace\([^,()]+\)")

_IMPORTS = """\
import os
import resource
import tensorflow as tf
from tensorflow import keras
"""
_MODEL = """\

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])

"""
# The second time the disk has no room for it.
_TWICE = """

{run}
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
try:
    {run}
except Exception as error:
    print("not saved:", error)
keras.models.load_model("{path}")
"""
_LOOP = """
def run(steps):
    for _ in range(steps):
        model.train_on_batch(tf.ones([4, 6]), tf.ones([4, 3]))
{save}

model.compile("sgd", keras.losses.MeanSquaredError())"""
_CALLBACK = """
class Keep(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
{save}

model.compile("sgd", keras.losses.MeanSquaredError())"""
_SWALLOWED = """
def store(net: keras.Model, path="best.keras"):
    try:
{save}    except Exception:
        pass
"""
_HANDLER = """
import signal

def stop(signum, frame):
{save}
signal.signal(signal.SIGTERM, stop)"""
_CHECKPOINT = """\
import resource
import tensorflow as tf
from tensorflow.keras.callbacks import ModelCheckpoint

model = tf.keras.Sequential([tf.keras.Input((6,)), tf.keras.layers.Dense(3)])
model.compile("sgd", "mean_squared_error")
x, y = tf.ones([4, 6]), tf.ones([4, 3])
kept = ModelCheckpoint({path}, save_freq=1)
model.fit(x, y, callbacks=[kept])
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
try:
    model.fit(x, y, initial_epoch=1, epochs=2, callbacks=[kept])
except Exception as error:
    print("not saved:", error)
tf.keras.models.load_model({first})
"""
_ATOMIC = """\
{margin}target = os.path.realpath({path})
{margin}temporary = f"{{target}}.tmp{{os.getpid()}}.keras"
{margin}try:
{margin}    {call}(temporary)
{margin}    os.replace(temporary, target)
{margin}finally:
{margin}    if os.path.exists(temporary):
{margin}        os.remove(temporary)
"""
_LOST = {keras: {Way.RUN: r"\w+: "} for keras in Keras}
_WITNESS = Witness(build="model", ways=(Way.RUN,), program=True, fails=_LOST)


_FIT = "model.fit(tf.ones([4, 6]), tf.ones([4, 3]), verbose=0, callbacks=[Keep()])"

_RAISE = "signal.raise_signal(signal.SIGTERM)"


def _form(body: str, run: str, call: str, path: str, indent: int, *, atomic: bool) -> str:
    """An example: a body that saves, run twice."""
    margin = " " * indent
    save = f"{margin}{call}({path})\n"
    if atomic:
        save = _ATOMIC.format(margin=margin, call=call, path=path)
    name = "best.keras" if path == "path" else path.strip('"')
    return _IMPORTS + _MODEL + body.format(save=save) + _TWICE.format(run=run, path=name)


class DestructiveOverwrite(Rule):
    """A model is saved again and again to one file, which a failed save destroys.

    Consequence: Keras opens the file for writing before it has what is to be written. If it
    raises then, is killed, or the disk is full, the last good model is gone: the file is empty
    or cannot be read. With `.keras` this holds for the whole time of the save.

    This holds as well for what a signal handler saves, and for a `ModelCheckpoint`; of these
    it is said where they save every so many batches.

    Silent: a name that changes with each turn or is not known; SavedModel folders, exports
    and checkpoints, which were written beside the old ones; a function that replaces or
    renames files itself; a loop that has only one turn left (`break` or `return` behind it).

    Fix: write a file beside it and put that in its place (unsafe: there must be room for
    both, and the new file has default permissions). Only where the call is a statement of
    its own.
    """

    code = "SVL409"
    name = "destructive-overwrite"
    since = "0.1"
    severity = {Keras.V2: Severity.NOTE, Keras.V3: Severity.NOTE}
    mentions = _SUFFIXES
    clues = (frozenset({"save", "save_model", "save_weights", "ModelCheckpoint"}),)
    examples = (
        Example(
            variant="loop",
            bad=_form(_LOOP, "run(1)", "model.save", '"last.keras"', 8, atomic=False),
            at='model.save("last.keras")',
            good=_form(_LOOP, "run(1)", "model.save", '"last.keras"', 8, atomic=True),
            witness=_WITNESS,
        ),
        Example(
            variant="callback",
            bad=_form(_CALLBACK, _FIT, "self.model.save", '"last.keras"', 8, atomic=False),
            at='self.model.save("last.keras")',
            good=_form(_CALLBACK, _FIT, "self.model.save", '"last.keras"', 8, atomic=True),
            witness=_WITNESS,
        ),
        Example(
            variant="swallowed",
            bad=_form(_SWALLOWED, "store(model)", "net.save", "path", 8, atomic=False),
            at="net.save(path)",
            good=_form(_SWALLOWED, "store(model)", "net.save", "path", 8, atomic=True),
            witness=_WITNESS,
        ),
        Example(
            variant="handler",
            bad=_form(_HANDLER, _RAISE, "model.save", '"last.keras"', 4, atomic=False),
            at='model.save("last.keras")',
            good=_form(_HANDLER, _RAISE, "model.save", '"last.keras"', 4, atomic=True),
            witness=_WITNESS,
        ),
        Example(
            variant="checkpoint",
            bad=_CHECKPOINT.format(path='"last.keras"', first='"last.keras"'),
            at='ModelCheckpoint("last.keras", save_freq=1)',
            good=_CHECKPOINT.format(path='"epoch_{epoch}.keras"', first='"epoch_1.keras"'),
            witness=_WITNESS,
            fixed=False,
        ),
    )
    silent = (
        """\
# Each turn has a file of its own, or one that nobody knows.
import tensorflow as tf

def run(model: tf.keras.Model, steps, path, folder):
    for step in range(steps):
        model.save(f"{step}.keras")
        model.save(path)
        model.save_weights(folder + "/last.weights.h5")
""",
        """\
# A temporary file on the way to another one.
import tensorflow as tf

def convert(models, target: tf.keras.Model):
    for name in models:
        source = tf.keras.models.load_model(name)
        source.save("convert_temp.h5")
        target.load_weights("convert_temp.h5")
""",
        """\
# It is saved once; a loop is left behind it; an error is told.
import tensorflow as tf

def run(model: tf.keras.Model, steps):
    model.save("first.keras")
    while True:
        if model.stop_training:
            model.save("last.keras")
            break
    try:
        model.save("end.h5")
    except OSError as error:
        print(error)
""",
        """\
# These are written beside the old ones, or put in their place.
import os
import tensorflow as tf

def run(model: tf.keras.Model, steps):
    checkpoint = tf.train.Checkpoint(model=model)
    for step in range(steps):
        checkpoint.write("last")
        model.export("served")

def keep(model: tf.keras.Model, steps):
    for step in range(steps):
        model.save("new.keras")
        os.replace("new.keras", "last.keras")
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The saves that write over the last one."""
        for save, _ in occasions.saves(module, "callback"):
            every = save.arguments.get(6, "save_freq")
            often = every is not None and isinstance(literal(every.value), int)
            if often and _suffix(save) and "{" not in (paths.whole(_path(save)) or ""):
                yield self.finding(
                    module,
                    save.node,
                    "a save that fails here destroys the last good model",
                    variant="checkpoint",
                    note="writes over it from the start",
                    fix=Fix("give each epoch a file of its own, by `{epoch}`", Safety.DISPLAY),
                )
        for save, _ in occasions.saves(module, "save", "weights"):
            suffix = _suffix(save)
            if suffix is None or _replaces(module, save):
                continue
            variant, label = _occasion(module, save)
            if variant:
                yield self.finding(
                    module,
                    save.node,
                    "a save that fails here destroys the last good model",
                    variant=variant,
                    note="writes over it from the start",
                    labels=[label] if label is not None else [],
                    fix=_fix(module, save, suffix),
                )


def _suffix(save: SaveCall) -> str | None:
    """The suffix of the file, where the whole name is known and so the same each time."""
    name = paths.whole(_path(save))
    if name is None or _PASSING.search(name):
        return None
    return next((suffix for suffix in _SUFFIXES if name.endswith(suffix)), None)


def _path(save: SaveCall) -> Value:
    return save.path.value if save.path is not None else None


def _occasion(module: ModuleModel, save: SaveCall) -> tuple[str, tuple[cst.CSTNode, str] | None]:
    """What makes the save run more than once, or hides that it failed; empty text for neither."""
    loop = occasions.loop_around(module, save.node)
    if loop is not None and not occasions.leaves_loop(loop, save.node):
        return "loop", None
    handler = occasions.swallowing_handler(module, save.node)
    if handler is not None:
        return "swallowed", (handler, "nobody learns of it")
    cls = occasions.class_around(module, save.node)
    function = module.function_of(save.node)
    hook = function is not None and _HOOK.fullmatch(function.name.value) is not None
    if cls is not None and hook and occasions.is_callback(cls):
        return "callback", None
    if function is not None and occasions.handles_signal(module, function):
        return "handler", (function.name, "whenever the signal comes")
    return "", None


def _replaces(module: ModuleModel, save: SaveCall) -> bool:
    """Whether the code around puts files in the place of others."""
    function = module.function_of(save.node)
    text = module.text(function) if function is not None else module.source.text
    return _REPLACES.search(text) is not None


def _fix(module: ModuleModel, save: SaveCall, suffix: str) -> Fix:
    """Write it beside the old file, and put it in its place when it is whole."""
    shown = Fix("save beside it, then `os.replace`", Safety.DISPLAY)
    source = module.source
    span = module.span(save.node)
    line = source.position(span.start).line
    margin = rewrite.margin_of(module, save.node)
    written = source.text[source.line_offset(line) + len(margin) : source.line_end(span.end)]
    behind = written[span.end - span.start :].strip()
    alone = written.startswith(module.text(save.node)) and (not behind or behind[0] == "#")
    taken = re.search(r"\b(?:target|temporary)\b", source.text)
    known = rewrite.importer(module)
    at_line = None if module.function_of(save.node) is not None else line
    imported = known.use("os", at_line=at_line) if known is not None else None
    if not alone or taken or imported is None or save.path is None:
        return shown
    name, imports = imported
    path = save.path.node.value
    indent = source.indentation
    before = (
        f"target = {name}.path.realpath({module.text(path)})",
        f'temporary = f"{{target}}.tmp{{{name}.getpid()}}{suffix}"',
        "try:",
    )
    after = (
        f"{indent}{name}.replace(temporary, target)",
        "finally:",
        f"{indent}if {name}.path.exists(temporary):",
        f"{indent}{indent}{name}.remove(temporary)",
    )
    end = source.line_end(span.end)
    edits = (
        *imports,
        Edit(Span(span.start, span.start), _lines(module, before, margin) + indent),
        rewrite.replace(module, path, "temporary"),
        Edit(Span(end, end), "".join(f"{source.newline}{margin}{text}" for text in after)),
    )
    return Fix("save beside it, then put it in its place", Safety.UNSAFE, edits, _REASON)


def _lines(module: ModuleModel, lines: tuple[str, ...], margin: str) -> str:
    return "".join(f"{text}{module.source.newline}{margin}" for text in lines)
