"""What a method's parameters are when Keras calls it."""

from __future__ import annotations

import libcst as cst

from savelint.keras.values import Argument, ClassOutline, SelfValue, Tensor, Value
from savelint.keras.walk import code, descendants, parameter_names

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
        for name in list(values)[1:]:
            values[name] = Argument(name)
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
        listed = any(word in annotation.lower() for word in ("list", "tuple", "sequence", "dict"))
        structured = listed or _is_structure(name, node)
        certain = parameter.default is None
        single = certain and not structured and _is_single(name, annotation, node)
        return Tensor(0, structured, certain=certain, single=single)
    if parameter.default is None:
        return Tensor(0)
    return Tensor(None) if code(parameter.default) == "None" else None


def _is_structure(name: str, node: cst.FunctionDef) -> bool:
    """Whether a parameter is a list or dictionary of tensors, by how the function uses it.

    It is when it is unpacked, or when it appears only as `x[0]`, `x["key"]`, `len(x)` or
    `for item in x`.
    """
    uses = items = loops = lengths = 0
    for current in descendants(node.body):
        if _is_name(current, name):
            uses += 1
        elif isinstance(current, cst.Assign) and _is_name(current.value, name):
            if any(isinstance(t.target, (cst.Tuple, cst.List)) for t in current.targets):
                return True
        elif isinstance(current, cst.Subscript) and _is_name(current.value, name):
            items += _is_constant_item(current)
        elif isinstance(current, (cst.For, cst.CompFor)) and _is_name(current.iter, name):
            loops += 1
        elif isinstance(current, cst.Call) and _is_name(current.func, "len"):
            lengths += _is_name(current.args[0].value, name) if current.args else 0
    # A loop alone does not tell: a tensor can be iterated eagerly.
    return items + lengths > 0 and items + loops + lengths == uses and items + loops > 0


def _is_single(name: str, annotation: str, node: cst.FunctionDef) -> bool:
    """Whether the first parameter of `call` is one tensor, by how the function uses it.

    It is when it is an operand, has a shape, or is indexed as only a tensor can be.
    """
    found = annotation in {"tf.Tensor", "tensorflow.Tensor", '"tf.Tensor"', "'tf.Tensor'"}
    for current in descendants(node.body):
        if isinstance(current, cst.Call):
            first = current.args[0].value if current.args else None
            if first is not None and _is_name(first, name):
                if _is_name(current.func, "isinstance"):
                    return False  # it may be something else
                called = current.func
                found = found or (
                    isinstance(called, cst.Attribute) and called.attr.value == "shape"
                )
        elif isinstance(current, cst.BinaryOperation):
            sides = (current.left, current.right)
            # Lists can be added, to lists.
            lists = isinstance(current.operator, cst.Add) and not any(
                isinstance(side, cst.BaseNumber) for side in sides
            )
            found = found or (not lists and any(_is_name(side, name) for side in sides))
        elif isinstance(current, cst.Comparison):
            orders = isinstance(current.comparisons[0].operator, _ORDERINGS)
            found = found or (orders and _is_name(current.left, name))
        elif isinstance(current, cst.Attribute):
            shaped = current.attr.value in {"shape", "dtype", "get_shape"}
            found = found or (shaped and _is_name(current.value, name))
        elif isinstance(current, cst.Subscript):
            found = found or (len(current.slice) > 1 and _is_name(current.value, name))
    return found


def _is_constant_item(node: cst.Subscript) -> bool:
    index = node.slice[0].slice if len(node.slice) == 1 else None
    return isinstance(index, cst.Index) and isinstance(index.value, (cst.Integer, cst.SimpleString))


def _is_name(node: cst.CSTNode, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name
