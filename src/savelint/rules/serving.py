"""The serving code that several rules offer, as text in the style of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Edit, Fix, Safety
from savelint.keras import saving
from savelint.keras.events import SaveCall, SelfContact
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.saving import InputSpec

if TYPE_CHECKING:
    import libcst as cst


def signature(module: ModuleModel, spec: InputSpec) -> tuple[str, str, tuple[Edit, ...]] | None:
    """(`tf.function`, `[tf.TensorSpec(...)]`, imports) as the file would write them."""
    spellings = [
        rewrite.spell(module, f"tensorflow.{name}")
        for name in ("function", "TensorSpec", spec.dtype)
    ]
    if any(spelling is None for spelling in spellings):
        return None
    texts = [spelling[0] for spelling in spellings if spelling]
    imports = {edit for spelling in spellings if spelling for edit in spelling[1]}
    shape = ", ".join(map(str, spec.shape))
    return texts[0], f"[{texts[1]}([{shape}], {texts[2]})]", tuple(imports)


def class_spec(module: ModuleModel, cls: KerasClass) -> InputSpec | None:
    """The input of a class's instances, by how the file calls, fits or builds them."""
    own = cls.flow("__init__").all(SelfContact)
    return saving.input_spec([*saving.contacts_of(module, cls), *own])


def serving_method(
    module: ModuleModel,
    cls: KerasClass,
    call: cst.FunctionDef,
    decorator: str,
    imports: tuple[Edit, ...],
) -> tuple[Edit, ...] | None:
    """A method beside `call` that serves the model; None when the class has a `serve`."""
    if cls.outline.method("serve") is not None:
        return None
    parameter = first_parameter(call)
    if parameter is None:
        return None
    lines = [
        f"@{decorator}",
        f"def serve(self, {parameter}):",
        f"    return self({parameter}, training=False)",
    ]
    return (*imports, rewrite.add_method(module, call, lines))


def first_parameter(call: cst.FunctionDef) -> str | None:
    """The name of the first parameter of `call` behind `self`."""
    plain = (*call.params.posonly_params, *call.params.params)
    return plain[1].name.value if len(plain) > 1 else None


def signature_argument(module: ModuleModel, save: SaveCall, spec: InputSpec) -> Fix | None:
    """Pass `signatures=` to a `tf.saved_model.save(model, path)`."""
    saved = save.arguments.get(0, "obj")
    written = signature(module, spec)
    if saved is None or written is None:
        return None
    function, specs, imports = written
    model = module.text(saved.node.value)
    arguments = [
        f"lambda inputs: {model}(inputs, training=False)",
        f"input_signature={specs}",
    ]
    text = f"signatures={function}({', '.join(arguments)})"
    return Fix(
        "serve any batch: pass an `input_signature`",
        Safety.SAFE,
        (*imports, rewrite.add_argument(module, save.node, text)),
    )
