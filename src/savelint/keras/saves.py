"""The calls that save and load: what is saved, where to, and what tells that it is Keras'."""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from savelint.keras.events import Argument, Arguments, LoadCall, SaveCall
from savelint.keras.expressions import ExpressionReader
from savelint.keras.tables import Kind
from savelint.keras.values import Instance, Model, SelfValue, Value, as_model
from savelint.keras.walk import code

EXPORT_ARCHIVE = "keras.export.ExportArchive"
CHECKPOINTS = frozenset({"tensorflow.train.Checkpoint", "tensorflow.train.CheckpointManager"})
MODEL_CHECKPOINT = "keras.callbacks.ModelCheckpoint"
# Functions that save or load: how, and where the path stands among their arguments.
_SAVING = {
    "tensorflow.saved_model.save": ("saved_model", 1, "export_dir"),
    "keras.models.save_model": ("save", 1, "filepath"),
    "keras.saving.save_model": ("save", 1, "filepath"),
}
_LOADING = {
    "keras.models.load_model": ("model", "filepath"),
    "keras.saving.load_model": ("model", "filepath"),
    "tensorflow.saved_model.load": ("saved_model", "export_dir"),
}
# Of these there is no result to follow.
QUIET = frozenset({*_SAVING, "tensorflow.saved_model.load"})
# Methods of a model.
_SAVING_METHODS = {"save": "save", "save_weights": "weights", "export": "export"}
_LOADING_METHODS = {"load_weights": "weights"}
_ARCHIVE_METHODS = {"add_endpoint": "endpoint", "write_out": "archive"}
_WRITING = frozenset({"save", "write"})
_RESTORING = frozenset({"restore", "read"})
# Keywords that only Keras' own methods take, so that they tell what the receiver is.
DECISIVE: Mapping[str, frozenset[str]] = {
    "save": frozenset({"include_optimizer", "save_format", "save_traces"}),
    "save_weights": frozenset({"save_format"}),
    "load_weights": frozenset({"skip_mismatch", "by_name"}),
}


class SaveReader(ExpressionReader):
    """The part that notes what is saved and loaded."""

    def _note_saving(self, name: str, node: cst.Call, arguments: Arguments) -> None:
        """Note a function or a class of the library that saves or loads."""
        if name in _SAVING:
            how, position, keyword = _SAVING[name]
            saved = arguments.get(0, "obj", "model")
            receiver = saved.value if saved else None
            evidence = f"`{code(node.func)}`" if how == "save" else told(receiver)
            self._note_save(how, receiver, node, arguments, evidence, position, keyword)
        elif name in _LOADING:
            how, keyword = _LOADING[name]
            path = arguments.get(0, keyword)
            evidence = f"`{code(node.func)}`"
            self._note(LoadCall(how, node, arguments, None, path, evidence, self._inside))
        elif name == MODEL_CHECKPOINT:
            self._note_save("callback", None, node, arguments, f"`{code(node.func)}`")

    def _note_saving_method(
        self, owner: Value, node: cst.Call, method: str, arguments: Arguments
    ) -> None:
        """Note a method that saves or loads, where its object is a model."""
        name = owner.name if isinstance(owner, Instance) else ""
        if name == EXPORT_ARCHIVE:
            if method in _ARCHIVE_METHODS:
                self._note_save(_ARCHIVE_METHODS[method], owner, node, arguments, name)
        elif name in CHECKPOINTS:
            path = arguments.get(0, "file_prefix", "save_path")
            if method in _WRITING:
                self._note_save("checkpoint", owner, node, arguments, name, 0, "file_prefix")
            elif method in _RESTORING:
                self._note(LoadCall("checkpoint", node, arguments, owner, path, name, self._inside))
        elif method in _SAVING_METHODS or method in _LOADING_METHODS:
            evidence = told(owner) if _is_keras_method(owner, method) else ""
            if owner is None:
                evidence = _decisive(method, arguments)
            if not evidence:
                return
            if method in _SAVING_METHODS:
                how = _SAVING_METHODS[method]
                self._note_save(how, owner, node, arguments, evidence)
            else:
                path = arguments.get(0, "filepath")
                how = _LOADING_METHODS[method]
                self._note(LoadCall(how, node, arguments, owner, path, evidence, self._inside))

    def _note_save(
        self,
        how: str,
        receiver: Value,
        node: cst.Call,
        arguments: Arguments,
        evidence: str,
        position: int = 0,
        keyword: str = "filepath",
    ) -> None:
        path: Argument | None = None if how == "endpoint" else arguments.get(position, keyword)
        self._note(SaveCall(how, receiver, node, arguments, path, evidence, self._inside))


def told(value: Value) -> str:
    """What tells that a value is a model, for people; empty where nothing does."""
    if isinstance(value, SelfValue):
        is_model = value.outline.kind in {Kind.MODEL, Kind.FUNCTIONAL}
        return f"`{value.outline.name}` is a model" if is_model else ""
    if isinstance(value, Instance) and value.kind is Kind.LAYER:
        return f"`{value.name}(...)`"
    model = as_model(value)
    return model.evidence if isinstance(model, Model) else ""


def _is_keras_method(owner: Value, method: str) -> bool:
    """Whether it is Keras that defines a method of a model: no class of the project does."""
    outline = getattr(owner, "outline", None)
    return outline is None or outline.definer(method) is None


def _decisive(method: str, arguments: Arguments) -> str:
    """The argument that only a method of Keras takes."""
    keywords = {argument.keyword for argument in arguments.items if argument.keyword}
    found = sorted(keywords & DECISIVE.get(method, frozenset()))
    return f"`{found[0]}=`" if found else ""
