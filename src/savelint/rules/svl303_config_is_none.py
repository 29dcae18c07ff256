"""SVL303 config-is-none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras.events import Returned
from savelint.keras.generation import Keras
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import CONFIG
from savelint.keras.values import Const
from savelint.rule import Example, Rule, Way, Witness
from savelint.rules import lineage, rebuilding

if TYPE_CHECKING:
    import libcst as cst

_NONE = r"TypeError: The `get_config\(\)` method of .* should return a dict"
_OPEN_ENDS = frozenset({"For", "Match", "Try", "TryStar", "While", "With"})
_WAYS = (Way.CALL, Way.SAVED_MODEL, Way.EXPORT, Way.KERAS, Way.WEIGHTS)

_SCALE = """\
import keras
from keras import layers


class Scale(layers.Layer):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
{body}
"""


class ConfigIsNone(Rule):
    """`get_config` gives no dictionary: it forgets to return it, or returns what `update` gives.

    Consequence: `dict.update` changes the dictionary in its place and gives None. Keras
    raises when the model is saved.

    Silent: a method that raises, that is abstract, or that a class of the file overrides.

    Fix: the dictionary is returned (safe: only a certain failure is removed).
    """

    code = "SVL303"
    name = "config-is-none"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("get_config",)
    examples = (
        Example(
            variant="forgotten",
            bad=_SCALE.format(
                body="""\
        config = super().get_config()
        config["factor"] = self.factor  # a number"""
            ),
            at="get_config",
            good=_SCALE.format(
                body="""\
        config = super().get_config()
        config["factor"] = self.factor  # a number
        return config"""
            ),
            witness=Witness(
                build="Scale(3.0)",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _NONE}, Keras.V2: {Way.KERAS: _NONE}},
            ),
        ),
        Example(
            variant="update",
            bad=_SCALE.format(
                body="""\
        config = super().get_config()
        return config.update({"factor": self.factor})"""
            ),
            at='config.update({"factor": self.factor})',
            good=_SCALE.format(
                body="""\
        config = super().get_config()
        config.update({"factor": self.factor})
        return config"""
            ),
            witness=Witness(
                build="Scale(3.0)",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _NONE}, Keras.V2: {Way.KERAS: _NONE}},
            ),
        ),
        Example(
            variant="chained",
            bad=_SCALE.format(
                body="        return super().get_config().update({'factor': self.factor})"
            ),
            at="super().get_config().update({'factor': self.factor})",
            good=_SCALE.format(
                body="""\
        config = super().get_config()
        config.update({'factor': self.factor})
        return config"""
            ),
            witness=Witness(
                build="Scale(3.0)",
                ways=_WAYS,
                fails={Keras.V3: {Way.KERAS: _NONE}, Keras.V2: {Way.KERAS: _NONE}},
            ),
        ),
    )
    silent = (
        """\
# It raises, is abstract, or a class that derives from it has its own.
import abc
import keras
from keras import layers

class One(layers.Layer):
    def get_config(self):
        raise NotImplementedError

class Two(layers.Layer, abc.ABC):
    @abc.abstractmethod
    def get_config(self):
        pass

class Three(layers.Layer):
    def get_config(self):
        pass

class Four(Three):
    def get_config(self):
        return {}
""",
        """\
# A dictionary, on every way out.
import keras
from keras import layers

class One(layers.Layer):
    def get_config(self):
        config = super().get_config()
        try:
            config.update({"a": 1})
        finally:
            return config

class Two(layers.Layer):
    def __init__(self, units=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def get_config(self):
        if self.units is None:
            return {**super().get_config(), "units": None}
        else:
            return {**super().get_config(), "units": self.units}

class Three(layers.Layer):
    def get_config(self):
        while True:
            return super().get_config()
""",
        """\
# Not Keras', or not rebuilt from its config; an `update` that is not a dictionary's.
import keras
from keras import layers
from project import Settings

class Plain:
    def get_config(self):
        self.loaded = True

class Recorder(keras.callbacks.Callback):
    def get_config(self):
        self.loaded = True

class Known(layers.Layer):
    def get_config(self):
        return Settings().update({"a": 1})
""",
    )

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each class's own `get_config` that gives None on some way."""
        for cls in module.classes:
            if CONFIG not in cls.outline.method_names or not rebuilding.is_rebuilt(cls):
                continue
            method = cls.outline.methods[CONFIG]
            family = lineage.descendants(module, cls.outline)
            if method.decorators or any(CONFIG in c.outline.method_names for c in family):
                continue
            returned = list(cls.flow(CONFIG).all(Returned))
            nothing = [r for r in returned if r.value == Const(None) and _gives_none(r, method)]
            if nothing:
                yield self._found(module, cls, method, nothing[0])

    def _found(
        self, module: ModuleModel, cls: KerasClass, method: cst.FunctionDef, at: Returned
    ) -> Finding:
        value = getattr(at.node, "value", None)
        call: cst.Call | None = value if type(value).__name__ == "Call" else None
        receiver = getattr(call.func, "value", None) if call is not None else None
        chained = call is not None and type(receiver).__name__ != "Name"
        variant = "chained" if chained else "update" if call is not None else "forgotten"
        return self.finding(
            module,
            call if call is not None else method.name,
            f"`{cls.name}.get_config` gives None",
            variant=variant,
            note="`update` gives None" if call is not None else "nothing is returned",
            fix=_fix(module, method, at, call),
        )


def _gives_none(returned: Returned, method: cst.FunctionDef) -> bool:
    """Whether a way out certainly ends without a dictionary."""
    # A loop or a `try` may never come to its end.
    ending = type(method.body.body[-1]).__name__
    return returned.node is not method or ending not in _OPEN_ENDS


def _fix(module: ModuleModel, method: cst.FunctionDef, at: Returned, call: cst.Call | None) -> Fix:
    # libcst is behind this import: a file without findings does not pay for it.
    from savelint.rules import configs

    if call is not None:
        edit = configs.returned_update(module, at.node, call)
    else:
        edit = configs.returned_at_end(module, method)
    if edit is None:
        return Fix("return the dictionary", Safety.DISPLAY)
    return Fix("return the dictionary", Safety.SAFE, (edit,))
