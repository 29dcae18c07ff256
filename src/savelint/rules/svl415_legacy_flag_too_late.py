"""SVL415 legacy-flag-too-late."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Finding, Fix, Safety, Severity
from savelint.keras import LEGACY_FLAG, clues
from savelint.keras.generation import Keras
from savelint.keras.model import ModuleModel
from savelint.rule import Example, Rule, Way, Witness
from savelint.source import Span

if TYPE_CHECKING:
    from savelint.keras.model import LegacyFlag

_MODEL = """
model = tf.keras.Sequential([tf.keras.Input((6,)), tf.keras.layers.Dense(3)])
model.save(environ.get("MODEL_DIR", "saved"))
"""
_RAISES = {keras: {Way.RUN: "ValueError: Invalid filepath extension"} for keras in Keras}
_WITNESS = Witness(build="model", ways=(Way.RUN,), program=True, fails=_RAISES)


class LegacyFlagTooLate(Rule):
    """`TF_USE_LEGACY_KERAS` is set where TensorFlow no longer asks for it, or to no yes.

    Consequence: `tf.keras` chooses its Keras when its first member is read or its first
    module imported, and keeps it. Set later, the flag is silently ignored: Keras 3 runs, and
    what was written for Keras 2 fails where it saves. `from tensorflow.keras import ...`
    is Keras 3 even where only `import tensorflow` came before the flag. TensorFlow takes
    "1", "true" and "True" for a yes; "yes", "on" or "TRUE" silently mean Keras 3.

    Silent: a flag set before the first use of `tf.keras`, although TensorFlow is imported
    already, which works; an earlier line, or the package, that sets it; values that mean a
    no; values that are not written out; files that start other processes, whose
    environment it may be.

    Fix: move the line above the first import of TensorFlow, with `import os`; write "1"
    (safe). In a function, in a branch or beside other code on its line it is only shown.
    """

    code = "SVL415"
    name = "legacy-flag-too-late"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = (LEGACY_FLAG,)
    clues = (frozenset({clues.LEGACY_FLAG}),)
    examples = (
        Example(
            variant="behind-keras",
            bad="""\
import os

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # SavedModel

model = tf.keras.Sequential([tf.keras.Input((6,)), layers.Dense(3)])
model.predict(np.ones([4, 6]))
model.save(os.environ.get("MODEL_DIR", "saved"))
""",
            at='os.environ["TF_USE_LEGACY_KERAS"] = "1"',
            good="""\
import os

import numpy as np

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # SavedModel

import tensorflow as tf
from tensorflow.keras import layers

model = tf.keras.Sequential([tf.keras.Input((6,)), layers.Dense(3)])
model.predict(np.ones([4, 6]))
model.save(os.environ.get("MODEL_DIR", "saved"))
""",
            witness=_WITNESS,
        ),
        Example(
            variant="behind-tensorflow",
            bad="""\
\"""A small model.\"""

import tensorflow as tf
import os
os.environ.setdefault('TF_USE_LEGACY_KERAS', 'True')
from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Sequential

model = Sequential([tf.keras.Input((6,)), Dense(3)])
model.save(os.environ.get('MODEL_DIR', 'saved'))
""",
            at="os.environ.setdefault('TF_USE_LEGACY_KERAS', 'True')",
            good="""\
\"""A small model.\"""

import os

os.environ.setdefault('TF_USE_LEGACY_KERAS', 'True')
import tensorflow as tf
from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Sequential

model = Sequential([tf.keras.Input((6,)), Dense(3)])
model.save(os.environ.get('MODEL_DIR', 'saved'))
""",
            witness=_WITNESS,
        ),
        Example(
            variant="no-yes",
            bad="""\
from os import environ

environ["TF_USE_LEGACY_KERAS"] = "yes"

import tensorflow as tf
"""
            + _MODEL,
            at='"yes"',
            good="""\
from os import environ

environ["TF_USE_LEGACY_KERAS"] = "1"

import tensorflow as tf
"""
            + _MODEL,
            witness=_WITNESS,
        ),
        Example(
            variant="in-function",
            bad="""\
import os
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = tf.keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)


def main():
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    net = Net()
    net(tf.ones([4, 6]))
    net.save(os.environ.get("MODEL_DIR", "saved"))


if __name__ == "__main__":
    main()
""",
            at='os.environ["TF_USE_LEGACY_KERAS"] = "1"',
            good="""\
import os
os.environ["TF_USE_LEGACY_KERAS"] = "1"
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = tf.keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)


def main():
    net = Net()
    net(tf.ones([4, 6]))
    net.save(os.environ.get("MODEL_DIR", "saved"))


if __name__ == "__main__":
    main()
""",
            witness=_WITNESS,
            fixed=False,
        ),
    )
    silent = (
        """\
# TensorFlow is imported, and nothing of its Keras used: it still asks for the flag.
import os
import tensorflow as tf
from tensorflow import keras
import keras as own

os.environ["TF_USE_LEGACY_KERAS"] = "1"
vector = tf.ones([3])
model = keras.Sequential([keras.layers.Dense(3)])
""",
        """\
# It was set in time; this line only makes sure.
import os
os.environ["TF_USE_LEGACY_KERAS"] = "1"
import tensorflow as tf
from tensorflow.keras import layers
os.environ["TF_USE_LEGACY_KERAS"] = "1"
""",
        """\
# The function is called before TensorFlow is imported.
import os

def configure():
    os.environ["TF_USE_LEGACY_KERAS"] = "1"

configure()

import tensorflow as tf
from tensorflow.keras import layers
""",
        """\
# Keras 3 is asked for, or what somebody else decides.
import os
import sys
import tensorflow as tf
from tensorflow.keras import layers

os.environ["TF_USE_LEGACY_KERAS"] = "0"
os.environ["TF_USE_LEGACY_KERAS"] = sys.argv[1]
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "1"
settings = {}
settings["TF_USE_LEGACY_KERAS"] = "1"
""",
        """\
# The flag is for the process that is started.
import os
import subprocess
import tensorflow as tf
from tensorflow.keras import layers

os.environ["TF_USE_LEGACY_KERAS"] = "1"
subprocess.run(["python", "export.py"], check=True)
""",
        """\
# What stands in a function, or under a condition, has not run yet.
import os
import tensorflow as tf

def build():
    return tf.keras.Sequential()

if os.environ.get("EAGER"):
    tf.keras.utils.set_random_seed(1)

os.environ["TF_USE_LEGACY_KERAS"] = "1"
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """The places that ask for Keras 2 and are not heard."""
        for flag in module.legacy_flags:
            if not flag.is_on:
                yield self.finding(
                    module,
                    flag.value,
                    f"{module.text(flag.value)} is no yes to TensorFlow: Keras 3 runs",
                    variant="no-yes",
                    note='only "1", "true" and "True" are',
                    fix=_yes(module, flag),
                )
            elif flag.loaded is not None:
                yield self._too_late(module, flag)

    def _too_late(self, module: ModuleModel, flag: LegacyFlag) -> Finding:
        variant = "behind-tensorflow" if flag.split else "behind-keras"
        where = "this is of Keras 3" if flag.split else "`tf.keras` chose Keras 3 here"
        labels = [(flag.loaded, where)] if flag.loaded is not None else []
        return self.finding(
            module,
            flag.node,
            f"`{LEGACY_FLAG}` is set too late: Keras 3 runs",
            variant="in-function" if flag.deferred else variant,
            note="is no longer asked for",
            labels=labels,
            fix=_move(module, flag),
        )


def _yes(module: ModuleModel, flag: LegacyFlag) -> Fix:
    quote = module.text(flag.value)[-1]
    edit = rewrite.replace(module, flag.value, f"{quote}1{quote}")
    return Fix('write "1"', Safety.SAFE, (edit,))


def _move(module: ModuleModel, flag: LegacyFlag) -> Fix:
    """Put the line above the first import of TensorFlow, with the import that it needs."""
    shown = Fix("set it above the first import of TensorFlow", Safety.DISPLAY)
    if flag.deferred or flag.first is None:
        return shown
    source = module.source
    line, last = rewrite.lines_of(module, flag.node)
    target, _ = rewrite.lines_of(module, flag.first)
    written = module.text(flag.node)
    rest = source.line_text(line).partition(written)[2].strip()
    unindented = source.line_text(line).startswith(written) and not rest.startswith(";")
    if line != last or not unindented or source.line_text(target)[:1].isspace():
        return shown
    if ";" in source.line_text(target):
        return shown
    head = re.match(r"\w+", written)
    needed = _import_line(module, head.group() if head else "")
    if needed is None:
        return shown
    moved = [needed] if needed > target else []
    place = source.line_offset(target)
    # Formatters part imports from what follows them.
    above = source.line_text(target - 1) if target > 1 else ""
    text = source.newline if not moved and above.startswith(("import ", "from ")) else ""
    edits = []
    for first in (*moved, line):
        end = first + 1
        if first == line and not source.line_text(end).strip() and end <= len(source.line_starts):
            end += 1  # the blank line behind it comes along
        span = Span(source.line_offset(first), source.line_offset(end))
        text += source.text[span.start : span.end]
        text += source.newline if first != line else ""
        edits.append(Edit(span, ""))
    if not text.endswith(("\n", "\r")):
        text += source.newline
    return Fix(
        "set it above the first import of TensorFlow",
        Safety.SAFE,
        (Edit(Span(place, place), text), *edits),
    )


def _import_line(module: ModuleModel, name: str) -> int | None:
    """The line that imports `os` or its `environ`, alone on it and at the file's top level."""
    source = module.source
    pattern = re.compile(rf"(import|from os import) {name}\s*(#.*)?")
    lines = range(1, len(source.line_starts) + 1)
    return next((line for line in lines if pattern.fullmatch(source.line_text(line))), None)
