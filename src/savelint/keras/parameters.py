"""What a method's parameters are when Keras calls it."""

from __future__ import annotations

import libcst as cst

from savelint.keras.values import Argument, ClassOutline, SelfValue, Tensor, Value
from savelint.keras.walk import Parts, code, parameter_names

_ORDERINGS = (cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual)


def method_parameters(
    outline: ClassOutline, method: str, node: cst.FunctionDef
) -> dict[str, Value]:
    """The values of a method's parameters: `call` gets tensors, the constructor arguments."""
    values: dict[str, Value] = dict.fromkeys(parameter_names(node.params))
    plain = (*node.params.posonly_params, *node.params.params)
    if not plain or is_static(node):
        return values
    values[plain[0].name.value] = SelfValue(outline)
    if method in {"__init__", "build"}:
        star = node.params.star_kwarg
        for name in list(values)[1:]:
            values[name] = Argument(name, keywords=star is not None and star.name.value == name)
    elif method == "call":
        for position, parameter in enumerate(plain[1:]):
            values[parameter.name.value] = _input(parameter, position, node)
    return values


def is_static(node: cst.FunctionDef) -> bool:
    """Whether a method is decorated by `staticmethod`."""
    return any(
        isinstance(item.decorator, cst.Name) and item.decorator.value == "staticmethod"
        for item in node.decorators
    )


def _input(parameter: cst.Param, position: int, node: cst.FunctionDef) -> Value:
    """The value of a parameter of `call`: a tensor, unless it is plainly something else."""
    name = parameter.name.value
    annotation = code(parameter.annotation.annotation) if parameter.annotation else ""
    if name == "training" or "mask" in name or annotation in {"bool", "int", "str", "float"}:
        return None
    if position == 0:
        parts = Parts(node.body)
        listed = any(word in annotation.lower() for word in ("list", "tuple", "sequence", "dict"))
        structured = listed or _is_structure(name, parts)
        certain = parameter.default is None
        single = certain and not structured and _is_single(name, annotation, parts)
        return Tensor(0, structured, certain=certain, single=single)
    if parameter.default is None:
        return Tensor(0)
    return Tensor(None) if code(parameter.default) == "None" else None


def _is_structure(name: str, parts: Parts) -> bool:
    """Whether a parameter is a list or dictionary of tensors, by how the function uses it.

    It is when it is unpacked, or when it appears only as `x[0]`, `x["key"]`, `len(x)` or
    `for item in x`.
    """
    assigned = (each for each in parts.of(cst.Assign) if _is_name(each.value, name))
    targets = (target.target for each in assigned for target in each.targets)
    if any(isinstance(target, (cst.Tuple, cst.List)) for target in targets):
        return True
    uses = sum(each.value == name for each in parts.of(cst.Name))
    items = sum(_is_constant_item(s) for s in parts.of(cst.Subscript) if _is_name(s.value, name))
    loops = sum(_is_name(each.iter, name) for each in parts.of(cst.For))
    loops += sum(_is_name(each.iter, name) for each in parts.of(cst.CompFor))
    calls = (call for call in parts.of(cst.Call) if _is_name(call.func, "len") and call.args)
    lengths = sum(_is_name(call.args[0].value, name) for call in calls)
    # A loop alone does not tell: a tensor can be iterated eagerly.
    return items + lengths > 0 and items + loops + lengths == uses and items + loops > 0


def _is_single(name: str, annotation: str, parts: Parts) -> bool:
    """Whether the first parameter of `call` is one tensor, by how the function uses it.

    It is when it is an operand, has a shape, or is indexed as only a tensor can be. An
    annotation says so too, but not of what goes into `zip`: those are lists of tensors.
    """
    annotated = annotation in {"tf.Tensor", "tensorflow.Tensor", '"tf.Tensor"', "'tf.Tensor'"}
    found = False
    for call in parts.of(cst.Call):
        if _is_name(call.func, "zip"):
            annotated = annotated and not any(_is_name(a.value, name) for a in call.args)
        if call.args and _is_name(call.args[0].value, name):
            if _is_name(call.func, "isinstance"):
                return False  # it may be something else
            called = call.func
            found = found or (isinstance(called, cst.Attribute) and called.attr.value == "shape")
    return (
        found
        or annotated
        or any(_is_operand(each, name) for each in parts.of(cst.BinaryOperation))
        or any(
            isinstance(each.comparisons[0].operator, _ORDERINGS) and _is_name(each.left, name)
            for each in parts.of(cst.Comparison)
        )
        or any(
            each.attr.value in {"shape", "dtype", "get_shape"} and _is_name(each.value, name)
            for each in parts.of(cst.Attribute)
        )
        or any(
            len(each.slice) > 1 and _is_name(each.value, name) for each in parts.of(cst.Subscript)
        )
    )


def _is_operand(node: cst.BinaryOperation, name: str) -> bool:
    """Whether arithmetic takes a name, other than a sum that lists may have, too."""
    sides = (node.left, node.right)
    if not any(_is_name(side, name) for side in sides):
        return False
    return not isinstance(node.operator, cst.Add) or any(
        isinstance(side, cst.BaseNumber) for side in sides
    )


def _is_constant_item(node: cst.Subscript) -> bool:
    index = node.slice[0].slice if len(node.slice) == 1 else None
    return isinstance(index, cst.Index) and isinstance(index.value, (cst.Integer, cst.SimpleString))


def _is_name(node: cst.CSTNode, name: str) -> bool:
    return type(node) is cst.Name and node.value == name
