"""SVL102 missing-input-signature."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint import rewrite
from savelint.finding import Finding, Fix, Safety, Severity
from savelint.keras import saving
from savelint.keras.generation import Keras
from savelint.keras.model import (
    Argument,
    Contact,
    Flow,
    KerasClass,
    ModuleModel,
    ObjectStore,
    SaveCall,
)
from savelint.keras.saving import Bundle, FirstContact
from savelint.keras.tables import Kind
from savelint.keras.values import (
    Const,
    Function,
    Instance,
    Member,
    Spec,
    Table,
    Traced,
    Value,
)
from savelint.rule import Rule
from savelint.rules import serving

if TYPE_CHECKING:
    import libcst as cst

_EXPORT_REASON = "it writes the endpoint `serve` beside `serving_default`"
_REFUSED = {
    Bundle.PLAIN: "a plain function",
    Bundle.UNSIGNED: "a `tf.function` without an `input_signature`",
    Bundle.OBJECT: "an object, not a function",
}


class MissingInputSignature(Rule):
    """A model is saved for serving without a signature, or with one that cannot be traced.

    Consequence: in Keras 3 `tf.saved_model.save(model)` of a subclassed model that was
    run on a batch records that batch's size and float32 inputs. A `tf.Module` without a
    method that has an `input_signature`, or a model that was never run, is saved without
    any signature. A function without an `input_signature` given to `signatures=`, or to
    `ExportArchive.add_endpoint`, raises.

    Silent: functional and sequential models, concrete functions, objects and functions
    whose kind is not known, a model whose first use was `fit` or a symbolic input.

    Fix: `signatures=tf.function(lambda inputs: model(inputs, training=False),
    input_signature=[...])` where the input's shape can be read from the file (safe); else
    `model.export(path)` (unsafe). A missing `input_signature` is added where the shape
    can be read (unsafe: a guess about the callers); else the place is shown.
    """

    code = "SVL102"
    name = "missing-input-signature"
    since = "0.1"
    severity = {Keras.V2: Severity.ERROR, Keras.V3: Severity.ERROR}
    mentions = ("saved_model", "add_endpoint")
    examples = ()
    silent = ()

    def check(self, module: ModuleModel) -> Iterator[Finding]:
        """Each call that saves for serving, in the order of the scopes."""
        for flow in module.scopes:
            for save in flow.all(SaveCall):
                if save.how == "saved_model" and not save.arguments.is_open:
                    yield from self._saved(module, flow, save)
                elif save.how == "endpoint" and module.keras is Keras.V3:
                    yield from self._endpoint(module, save)

    def _saved(self, module: ModuleModel, flow: Flow, save: SaveCall) -> Iterator[Finding]:
        given = save.arguments.get(2, "signatures")
        if given is not None and given.value != Const(None):
            yield from self._refused(module, save, given)
            return
        cls = _saved_class(module, save)
        if cls is None:
            return
        if cls.kind is Kind.MODULE:
            if not _is_given_functions(module, save) and not saving.has_signature(cls):
                yield self._module_unsigned(module, cls, save)
            return
        if given is not None or saving.builds_itself(cls):
            return
        first, contact = saving.first_contact(flow, save)
        if first is FirstContact.NEVER:
            yield self._never_run(module, cls, save)
        elif first is FirstContact.EAGER and module.keras is Keras.V3 and contact is not None:
            yield self._frozen(module, cls, save, contact)

    def _frozen(
        self, module: ModuleModel, cls: KerasClass, save: SaveCall, contact: Contact
    ) -> Finding:
        return self.finding(
            module,
            save.node,
            f"`{cls.name}` is saved without `signatures=`, with the batch size of its first call",
            variant="frozen-batch",
            severity=Severity.WARNING,
            note="records that batch size, and float32",
            labels=[(contact.node, "first run on a batch here")],
            fix=_pass_signature(module, cls, save, contact),
        )

    def _never_run(self, module: ModuleModel, cls: KerasClass, save: SaveCall) -> Finding:
        return self.finding(
            module,
            save.node,
            f"`{cls.name}` is saved before it was ever run, without any signature",
            variant="never-run",
            severity=Severity.WARNING,
            note="no input shape is known here",
            fix=Fix("run the model once before, or pass `signatures=`", Safety.DISPLAY),
        )

    def _module_unsigned(self, module: ModuleModel, cls: KerasClass, save: SaveCall) -> Finding:
        traced = [t for t in cls.traced.values() if t.signature is None]
        place = [(_decoration(t), "an `input_signature` goes here") for t in traced[:1]]
        return self.finding(
            module,
            save.node,
            f"`{cls.name}` has no method with an `input_signature`; it is saved without"
            " any signature",
            variant="module",
            severity=Severity.WARNING,
            note="no signature is written",
            labels=place,
            fix=Fix(
                "decorate a method with `@tf.function(input_signature=[tf.TensorSpec(...)])`",
                Safety.DISPLAY,
            ),
        )

    def _refused(self, module: ModuleModel, save: SaveCall, given: Argument) -> Iterator[Finding]:
        for value, node in _functions(given):
            kind = saving.bundle(module, value)
            if kind in _REFUSED:
                yield self.finding(
                    module,
                    node,
                    f"`signatures=` is given {_REFUSED[kind]}, which cannot be saved",
                    variant=_variant(kind),
                    note="needs an `input_signature`",
                    labels=_definition(module, value),
                    fix=_sign(module, save, value, node, kind),
                )

    def _endpoint(self, module: ModuleModel, save: SaveCall) -> Iterator[Finding]:
        function = save.arguments.get(1, "fn")
        signature = save.arguments.get(2, "input_signature")
        if function is None or save.arguments.is_open:
            return
        if signature is not None and isinstance(signature.value, Spec):
            node = signature.node.value
            text = module.text(node)
            yield self.finding(
                module,
                node,
                "`add_endpoint` is given a bare spec where it takes a list of them",
                variant="bare-spec",
                note="one spec, not a list",
                fix=Fix(
                    "put the spec into a list",
                    Safety.SAFE,
                    (rewrite.replace(module, node, f"[{text}]"),),
                ),
            )
        elif signature is None and saving.bundle(module, function.value) is Bundle.PLAIN:
            yield self.finding(
                module,
                save.node,
                "`add_endpoint` is given a plain function and no `input_signature`",
                variant="endpoint",
                note="needs an `input_signature`",
                fix=Fix("pass `input_signature=[tf.TensorSpec(...)]`", Safety.DISPLAY),
            )


def _decoration(traced: Traced) -> cst.CSTNode:
    node: cst.CSTNode = getattr(traced.node, "decorator", traced.node)
    return node


def _saved_class(module: ModuleModel, save: SaveCall) -> KerasClass | None:
    """The class of the saved object, for subclassed models and tf.Modules of the file."""
    receiver = save.receiver
    if not isinstance(receiver, Instance) or receiver.outline is None:
        return None
    cls = module.class_of(receiver)
    return cls if cls is not None and cls.kind in {Kind.MODEL, Kind.MODULE} else None


def _is_given_functions(module: ModuleModel, save: SaveCall) -> bool:
    """Whether somebody sets attributes on the object from outside, such as functions."""
    return any(
        isinstance(save.receiver, Instance) and store.owner.node is save.receiver.node
        for flow in module.scopes
        for store in flow.all(ObjectStore)
    )


def _functions(given: Argument) -> Iterator[tuple[Value, cst.CSTNode]]:
    """The functions of a `signatures=` argument, each with its node."""
    if not isinstance(given.value, Table):
        yield given.value, given.node.value
        return
    written = getattr(given.node.value, "elements", ())
    if len(written) == len(given.value.items):
        for (_, value), element in zip(given.value.items, written, strict=True):
            yield value, element.value
    else:
        for _, value in given.value.items:
            yield value, given.node.value


def _variant(kind: Bundle) -> str:
    return {Bundle.PLAIN: "plain-function", Bundle.UNSIGNED: "unsigned", Bundle.OBJECT: "object"}[
        kind
    ]


def _definition(module: ModuleModel, value: Value) -> list[tuple[cst.CSTNode, str]]:
    """Where the refused function is defined, if it has a name."""
    if isinstance(value, Function) and value.name != "<lambda>":
        return [(getattr(value.node, "name", value.node), "not wrapped by `tf.function`")]
    if isinstance(value, Member) and isinstance(value.owner, Instance) and value.owner.outline:
        method = value.owner.outline.method(value.name)
        if method is not None:
            return [(method.name, "this method")]
    return []


def _pass_signature(
    module: ModuleModel, cls: KerasClass, save: SaveCall, contact: Contact
) -> Fix | None:
    spec = saving.input_spec([contact]) or serving.class_spec(module, cls)
    if spec is not None:
        return serving.signature_argument(module, save, spec)
    return _export(module, save)


def _export(module: ModuleModel, save: SaveCall) -> Fix | None:
    """`model.export(path)` in the place of `tf.saved_model.save(model, path)`."""
    model, path = save.arguments.get(0, "obj"), save.arguments.get(1, "export_dir")
    if model is None or path is None or len(save.arguments.items) != 2:
        return None
    text = f"{module.text(model.node.value)}.export({module.text(path.node.value)})"
    return Fix(
        "export the model, which leaves the batch free",
        Safety.UNSAFE,
        (rewrite.replace(module, save.node, text),),
        _EXPORT_REASON,
    )


def _sign(
    module: ModuleModel, save: SaveCall, value: Value, node: cst.CSTNode, kind: Bundle
) -> Fix:
    """Wrap a refused function by `tf.function` with the signature that the file tells."""
    shown = Fix("pass `tf.function(..., input_signature=[tf.TensorSpec(...)])`", Safety.DISPLAY)
    cls = _saved_class(module, save)
    spec = serving.class_spec(module, cls) if cls is not None else None
    written = serving.signature(module, spec) if spec is not None else None
    if written is None or isinstance(value, Traced) or kind is Bundle.UNSIGNED:
        return shown
    function, specs, imports = written
    text = f"{function}({module.text(node)}, input_signature={specs})"
    return Fix(
        "give it an `input_signature`",
        Safety.UNSAFE,
        (*imports, rewrite.replace(module, node, text)),
        "the shape is that of the one call in the file",
    )
