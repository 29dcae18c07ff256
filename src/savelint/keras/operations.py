"""What a call into TensorFlow, Keras or numpy returns, by what it was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import libcst as cst

from savelint.keras import tables
from savelint.keras.events import Arguments
from savelint.keras.tables import Draw, Family
from savelint.keras.values import (
    Argument,
    Array,
    Const,
    Dim,
    Ref,
    Seq,
    Shape,
    Spec,
    Tensor,
    Value,
    Variable,
    elements,
    holds_tensor,
    literal,
    literal_dimensions,
)
from savelint.keras.walk import code


def call_operation(family: Family, name: str, node: cst.Call, arguments: Arguments) -> Value:
    """The result of a library function, None when nothing is known of it."""
    if name in {"shape", "int_shape"} and family is not Family.NUMPY:
        return _shape(family, name, node, arguments)
    if name == "size" and family is not Family.NUMPY:
        return _size(family, node, arguments)
    if name in {"Variable", "variable"}:
        return _variable(family, node, arguments)
    if name == "TensorSpec":
        return _spec(node, arguments)
    tensors = [a.value for a in arguments.items if holds_tensor(a.value)]
    if not tensors:
        return _without_tensors(family, name, node, arguments)
    result = _of_tensors(name, node, arguments, tensors)
    if isinstance(result, Tensor) and family is not Family.NUMPY and is_tensor_maker(name):
        return replace(result, certain=True, single=not result.structured)
    return result


def is_tensor_maker(name: str) -> bool:
    """Whether an operation gives one tensor, and neither several nor a Python value."""
    return name in tables.SHAPE_ARGUMENTS or name.rpartition(".")[2] in tables.TENSOR_MAKERS


def _shape(family: Family, name: str, node: cst.Call, arguments: Arguments) -> Value:
    argument = arguments.get(0, "input", "x")
    if argument is None or not isinstance(argument.value, Tensor):
        return None
    dynamic = name == "shape"
    # keras.ops.shape gives a tuple; tf.shape and K.shape give a tensor.
    iterable = family is Family.OPS or not dynamic
    return Shape(
        argument.value,
        dynamic,
        node,
        argument.node.value,
        iterable=iterable,
        symbolic=not iterable,
    )


def _size(family: Family, node: cst.Call, arguments: Arguments) -> Value:
    """`tf.size(x)`: a number that grows with the batch."""
    argument = arguments.get(0, "input", "x")
    if argument is None or not isinstance(argument.value, Tensor):
        return None
    axis, symbolic = argument.value.batch_axis, family is Family.TF
    return Dim(argument.value, axis, True, node, argument.node.value, symbolic=symbolic)


def _variable(family: Family, node: cst.Call, arguments: Arguments) -> Value:
    if family is Family.NUMPY:
        return None
    initial = arguments.get(0, "initial_value", "value")
    origin = "tensorflow" if family in {Family.TF, Family.BACKEND} else "keras"
    return Variable(origin, node, initial.value if initial else None)


def _spec(node: cst.Call, arguments: Arguments) -> Spec:
    shape = arguments.get(0, "shape")
    dtype = arguments.get(1, "dtype")
    return Spec(
        literal_dimensions(shape.value) if shape else None,
        dtype_name(dtype.value) if dtype else "float32",
        False,
        node,
    )


def keras_input(node: cst.Call, arguments: Arguments) -> Spec:
    """`keras.Input(shape, batch_size, dtype)`: its spec with the batch dimension first."""
    shape = arguments.get(0, "shape")
    full = arguments.get(None, "batch_shape", "batch_input_shape")
    dtype = arguments.get(None, "dtype")
    dims = literal_dimensions(full.value) if full else None
    if (
        full is None
        and shape is not None
        and (inner := literal_dimensions(shape.value)) is not None
    ):
        dims = (None, *inner)
    return Spec(dims, dtype_name(dtype.value) if dtype else "float32", True, node)


def dtype_name(value: Value) -> str | None:
    """The name of a dtype given as `tf.int32`, `np.float32`, `"int32"` or `float`."""
    if isinstance(value, Const) and isinstance(value.value, str):
        return value.value
    if isinstance(value, Ref):
        module, _, last = value.name.rpartition(".")
        if module in {"tensorflow", "numpy", "tensorflow.dtypes"}:
            return {"float_": "float64", "int_": "int64", "bool_": "bool"}.get(last, last)
        return {"builtins.float": "float32", "builtins.int": "int32", "builtins.bool": "bool"}.get(
            value.name
        )
    return None


def _of_tensors(name: str, node: cst.Call, arguments: Arguments, tensors: Sequence[Value]) -> Value:
    first = _leading(tensors[0])
    short = name.rpartition(".")[2]
    if name in tables.SHAPE_ARGUMENTS and name not in tables.AXES_KEEPING:
        return _reshaped(name, node, arguments, first)
    if short in tables.AXES_KEEPING:
        return _broadcast(tensors)
    if short in tables.REDUCTIONS:
        return _reduced(arguments, first)
    if short == "transpose":
        return _transposed(arguments, first)
    if short in {"expand_dims", "squeeze"}:
        axis = _integer(arguments, 1, "axis")
        return first if axis is not None and axis != 0 and first.batch_axis == 0 else Tensor(None)
    if short in {"concat", "concatenate", "stack"}:
        return _joined(arguments, tensors[0], is_stack=short == "stack")
    if short in {"split", "unstack", "unbind"}:
        axis = _integer(arguments, 2 if short == "split" else None, "axis")
        keeps = axis is not None and axis != first.batch_axis
        return Tensor(first.batch_axis if keeps else None, structured=True)
    if short in {"matmul", "tensordot", "dot", "batch_dot"}:
        return first if holds_tensor(arguments.items[0].value) else Tensor(None)
    if short == "einsum":
        return _einsum(arguments)
    if short == "gather" and not holds_tensor(arguments.items[0].value):
        return first
    return Tensor(None)


def _leading(value: Value) -> Tensor:
    """The tensor itself, or the first in a list."""
    if isinstance(value, Tensor):
        return replace(value, structured=False, certain=False, single=False)
    if isinstance(value, Seq):
        return next((_leading(item) for item in value.items if holds_tensor(item)), Tensor(None))
    return Tensor(None)


def _integer(arguments: Arguments, position: int | None, *keywords: str) -> int | None:
    argument = arguments.get(position, *keywords)
    found = literal(argument.value) if argument else ...
    return found if isinstance(found, int) else None


def _broadcast(tensors: Sequence[Value]) -> Tensor:
    found = [_leading(value) for value in tensors]
    known = [tensor for tensor in found if tensor.batch_axis is not None]
    return replace(known[0], features_lost=None) if known else found[0]


def _reduced(arguments: Arguments, tensor: Tensor) -> Value:
    axis = arguments.get(1, "axis", "reduction_indices")
    found = literal(axis.value) if axis else None
    axes = found if isinstance(found, list) else [found]
    if tensor.batch_axis == 0 and all(isinstance(a, int) and a != 0 for a in axes):
        return Tensor(0)
    return Tensor(None)


def _transposed(arguments: Arguments, tensor: Tensor) -> Tensor:
    perm = arguments.get(1, "perm", "axes", "pattern")
    found = literal(perm.value) if perm else None
    if isinstance(found, list) and tensor.batch_axis in found:
        return Tensor(found.index(tensor.batch_axis))
    return Tensor(None)


def _joined(arguments: Arguments, value: Value, *, is_stack: bool) -> Value:
    """`concat` and `stack`: of shapes a shape, of tensors a tensor."""
    batch = _leading(value).batch_axis
    axis = _integer(arguments, 1, "axis") if len(arguments.items) > 1 else 0
    if axis is None or batch is None:
        return Tensor(None)
    # Also the sum of several batches is unknown while tracing.
    return Tensor(batch + 1 if is_stack and 0 <= axis <= batch else batch)


def _reshaped(name: str, node: cst.Call, arguments: Arguments, source: Tensor) -> Tensor:
    positions, keywords = tables.SHAPE_ARGUMENTS[name]
    target = arguments.get(positions[0], *keywords)
    if target is None:
        return Tensor(None)
    return tensor_of_shape(target.value, name, node, source)


def tensor_of_shape(target: Value, name: str, node: cst.Call, source: Tensor | None) -> Tensor:
    """A tensor made with a shape such as `[batch, -1, n]`."""
    if name == "tile":
        return Tensor(source.batch_axis if source else None)
    if isinstance(target, Shape):
        return Tensor(0 if target.start == 0 and target.has_batch else None)
    if not isinstance(target, Seq) or not target.items:
        return Tensor(None)
    head = target.items[0]
    is_batch = (isinstance(head, Dim) and head.axis == head.tensor.batch_axis) or (
        isinstance(head, Shape) and head.start == 0 and head.has_batch
    )
    inferred = head == Const(-1) and source is not None and source.batch_axis is not None
    # Next to an unknown first dimension a last -1 is unknown too.
    lost = (
        is_batch
        and target.complete
        and len(target.items) > 1
        and target.items[-1] == Const(-1)
        and isinstance(head, Dim)
        and head.dynamic
    )
    return Tensor(0 if is_batch or inferred else None, features_lost=node if lost else None)


def _einsum(arguments: Arguments) -> Tensor:
    equation = literal(arguments.items[0].value)
    if not isinstance(equation, str) or "->" not in equation:
        return Tensor(None)
    inputs, _, output = equation.replace(" ", "").partition("->")
    for subscripts, argument in zip(inputs.split(","), arguments.items[1:], strict=False):
        if isinstance(argument.value, Tensor) and argument.value.batch_axis == 0 and subscripts:
            index = output.find(subscripts[0])
            return Tensor(index if index >= 0 and subscripts[0] != "." else None)
    return Tensor(None)


def _without_tensors(family: Family, name: str, node: cst.Call, arguments: Arguments) -> Value:
    """Arrays and shape arithmetic: nothing here was computed from call's inputs."""
    short = name.rpartition(".")[2]
    if short in {"stack", "concat", "concatenate"}:
        shape = _shape_list(arguments)
        if shape is not None:
            return shape
    if short == "TensorShape":
        dims = arguments.get(0, "dims")
        return dims.value if dims else None
    if short in {"cast", "convert_to_tensor", "unstack", "identity", "constant"}:
        passed = _passed_through(short, arguments)
        if passed is not None:
            return passed
    return random_array(family, name, arguments) or _plain_array(family, name, arguments)


def _passed_through(short: str, arguments: Arguments) -> Value:
    argument = arguments.get(0, "x", "value", "values")
    if argument is None:
        return None
    value = argument.value
    if isinstance(value, Shape):
        return replace(value, iterable=value.iterable or short == "unstack")
    if isinstance(value, (Dim, Seq)) and short != "constant":
        return value
    if isinstance(value, Array):
        dtype = arguments.get(1, "dtype")
        named = dtype_name(dtype.value) if dtype else value.dtype
        return replace(value, dtype=named, is_numpy=False)
    return None


def _shape_list(arguments: Arguments) -> Value:
    argument = arguments.get(0, "values")
    if argument is None or not isinstance(argument.value, Seq):
        return None
    items: list[Value] = []
    for item in argument.value.items:
        items.extend(item.items if isinstance(item, Seq) else [item])
    if not any(isinstance(item, (Shape, Dim)) for item in items):
        return None
    return Seq(tuple(items), argument.value.complete)


# Parameters of each draw: (position, keyword, the initializer's argument, its default).
_NUMPY_PARAMETERS = {
    Draw.NORMAL: ((0, "loc", "mean", "0.0"), (1, "scale", "stddev", "1.0")),
    Draw.UNIFORM: ((0, "low", "minval", "0.0"), (1, "high", "maxval", "1.0")),
}
_TENSOR_PARAMETERS = {
    Draw.NORMAL: ((1, "mean", "mean", "0.0"), (2, "stddev", "stddev", "1.0")),
    Draw.TRUNCATED: ((1, "mean", "mean", "0.0"), (2, "stddev", "stddev", "1.0")),
    Draw.UNIFORM: ((1, "minval", "minval", "0.0"), (2, "maxval", "maxval", "1.0")),
}


def random_array(family: Family, name: str, arguments: Arguments) -> Array | None:
    """The array that a random draw gives, None for anything else.

    A draw with a literal `seed` is a table: it is the same in every process.
    """
    if family is Family.NUMPY and name.startswith("random."):
        return numpy_draw(name.rpartition(".")[2], arguments)
    if family in {Family.TF, Family.KERAS_RANDOM} and name in tables.TENSOR_DRAWS:
        return _tensor_draw(family, name, arguments)
    return None


def numpy_draw(name: str, arguments: Arguments) -> Array | None:
    """The array drawn by a method of `np.random` or of a numpy generator."""
    if name not in tables.NUMPY_DRAWS:
        return None
    draw, position, dtype = tables.NUMPY_DRAWS[name]
    if position is None:
        shape, dims, values = _plain_sizes(arguments)
    else:
        size = arguments.get(position if position >= 0 else None, "size")
        shape = _shape_code(size.node.value, size.value) if size else "()"
        dims = literal_dimensions(size.value) if size else ()
        values = (size.value,) if size else ()
        if arguments.is_open or position < 0:
            shape = dims = None
    named = name in {"normal", "uniform"}
    first = arguments.get(0)
    if name == "permutation" and first and isinstance(first.value, (Const, Argument)):
        dtype = "int64"  # of a number
    return Array(
        "random",
        shape,
        dims,
        dtype,
        draw,
        _parameters(_NUMPY_PARAMETERS[draw], arguments) if named else _defaults(draw),
        from_arguments=any(map(_from_arguments, values)),
    )


def _plain_sizes(
    arguments: Arguments,
) -> tuple[str | None, tuple[int | None, ...] | None, tuple[Value, ...]]:
    """Shape, dimensions and values of the sizes in `randn(2, 3)` or `randn(*shape)`."""
    sizes = arguments.positional
    if arguments.is_open:
        only = arguments.items[0] if len(arguments.items) == 1 else None
        return (code(only.node.value) if only and only.node.star == "*" else None), None, ()
    text = ", ".join(code(a.node.value) for a in sizes)
    values = tuple(a.value for a in sizes)
    return f"({text},)" if len(sizes) == 1 else f"({text})", literal_dimensions(Seq(values)), values


def is_seeded(arguments: Arguments, position: int | None, *keywords: str) -> bool:
    """Whether a seed other than None is given: what is drawn may be the same every time."""
    seed = arguments.get(position, *keywords)
    return seed is not None and seed.value != Const(None)


def _tensor_draw(family: Family, name: str, arguments: Arguments) -> Array:
    draw = tables.TENSOR_DRAWS[name]
    shape = None if name in tables.SHAPELESS_DRAWS else arguments.get(0, "shape")
    dtype = arguments.get(3, "dtype")
    named = dtype_name(dtype.value) if dtype else "float32"
    if draw is Draw.OTHER:
        named = None
    elif named is None or "float" not in named:
        draw = Draw.OTHER
    return Array(
        # The seed of a TensorFlow operation does not repeat its draw in another process.
        "table" if family is Family.KERAS_RANDOM and is_seeded(arguments, 4, "seed") else "random",
        _shape_code(shape.node.value, shape.value) if shape else None,
        literal_dimensions(shape.value) if shape else None,
        named,
        draw,
        _parameters(_TENSOR_PARAMETERS.get(draw, ()), arguments),
        from_arguments=bool(shape and _from_arguments(shape.value)),
        is_numpy=False,
    )


def _defaults(draw: Draw) -> tuple[tuple[str, str], ...]:
    return tuple((name, default) for *_, name, default in _NUMPY_PARAMETERS.get(draw, ()))


def _parameters(
    table: Sequence[tuple[int, str, str, str]], arguments: Arguments
) -> tuple[tuple[str, str], ...]:
    found = []
    for position, keyword, name, default in table:
        argument = arguments.get(position, keyword)
        found.append((name, code(argument.node.value) if argument else default))
    return tuple(found)


def _shape_code(node: cst.BaseExpression, value: Value) -> str | None:
    """The source of a shape as a sequence: a bare number becomes a tuple of one.

    None for what may be a number as well as a sequence.
    """
    text = code(node)
    if isinstance(value, Const) and isinstance(value.value, int):
        return f"({text},)"
    is_sequence = isinstance(node, (cst.Tuple, cst.List)) or isinstance(value, (Seq, Shape))
    return text if is_sequence or "shape" in text else None


def _from_arguments(value: Value) -> bool:
    if isinstance(value, Seq):
        return any(map(_from_arguments, value.items))
    return isinstance(value, Argument)


def _plain_array(family: Family, name: str, arguments: Arguments) -> Array | None:
    if family not in {Family.NUMPY, Family.TF, Family.OPS}:
        return None
    short = name.rpartition(".")[2]
    is_numpy = family is Family.NUMPY
    if short in tables.FILLS and arguments.items:
        return _filled(short, arguments, is_numpy)
    if short in {"zeros_like", "ones_like", "empty_like", "full_like"}:
        return Array("filled", is_numpy=is_numpy)
    if short in tables.CONVERSIONS:
        return _converted(arguments, is_numpy)
    if short in tables.TABLES:
        return _computed(arguments) or Array("table", is_numpy=is_numpy)
    if is_numpy and "." not in name:
        # Any other numpy function: random if one of its operands is.
        return _computed(arguments)
    return None


def _filled(short: str, arguments: Arguments, is_numpy: bool) -> Array:
    shape = arguments.get(0, "shape", "dims")
    value = arguments.get(1, "fill_value", "value") if short in {"full", "fill"} else None
    dtype = arguments.get(2 if short in {"full", "fill"} else 1, "dtype")
    named = dtype_name(dtype.value) if dtype else ("float64" if is_numpy else "float32")
    return Array(
        "filled",
        _shape_code(shape.node.value, shape.value) if shape else None,
        literal_dimensions(shape.value) if shape else None,
        named,
        fill=tables.FILLS[short] or (code(value.node.value) if value else ""),
        from_arguments=bool(shape and _from_arguments(shape.value)),
        is_numpy=is_numpy,
    )


def _converted(arguments: Arguments, is_numpy: bool) -> Array:
    """`np.array(...)`, `tf.constant(...)`: as random as what is in it."""
    argument = arguments.get(0, "value", "object", "a", "x")
    value = argument.value if argument else None
    dtype = arguments.get(1, "dtype")
    named = dtype_name(dtype.value) if dtype else None
    if isinstance(value, Array):
        return replace(value, dtype=named or value.dtype, is_numpy=is_numpy, attribute=None)
    if isinstance(value, Argument):
        return Array("argument", dtype=named, is_numpy=is_numpy)
    if isinstance(value, Seq) and any(_is_random(item) for item in value.items):
        return Array("random", dtype=named, is_numpy=is_numpy)
    dims = _nested_dimensions(literal(value))
    return Array(
        "table", dims=dims, dtype=named or _literal_dtype(literal(value)), is_numpy=is_numpy
    )


def _nested_dimensions(found: object) -> tuple[int | None, ...] | None:
    if found is ...:
        return None
    dims: list[int | None] = []
    while isinstance(found, list):
        dims.append(len(found))
        if not found:
            return None
        found = found[0]
    return tuple(dims)


def _literal_dtype(found: object) -> str | None:
    while isinstance(found, list) and found:
        found = found[0]
    if isinstance(found, bool):
        return "bool"
    if isinstance(found, int):
        return "int32"
    return "float32" if isinstance(found, float) else None


def _is_random(value: Value) -> bool:
    return isinstance(value, Array) and value.origin == "random"


def _computed(arguments: Arguments) -> Array | None:
    values = [v for a in arguments.items for v in elements(a.value)]
    random = next(filter(_is_random, values), None)
    if isinstance(random, Array):
        return Array("random", drawn=random.drawn)
    if any(isinstance(value, Array) for value in values):
        return Array("table")
    return None


def operand_code(node: cst.BaseExpression) -> str:
    """The source of an operand, in parentheses unless it binds tightly."""
    text = code(node)
    tight = (cst.Name, cst.Attribute, cst.Call, cst.Integer, cst.Float, cst.Subscript)
    return text if isinstance(node, tight) or node.lpar else f"({text})"


def scaled_parameters(array: Array, factor: str, operator: str) -> tuple[tuple[str, str], ...]:
    """The initializer's arguments for a draw around or from zero times, or over, a factor."""
    parameters = dict(array.parameters)
    centre, width = {
        Draw.NORMAL: ("mean", "stddev"),
        Draw.UNIFORM: ("minval", "maxval"),
    }.get(array.draw, ("", ""))
    if parameters.get(centre) not in {"0", "0.0"} or "-" in factor:
        return ()
    spread = parameters[width]
    if operator == "Multiply":
        parameters[width] = factor if spread in {"1", "1.0"} else f"{spread} * {factor}"
    else:
        parameters[width] = f"{spread} / {factor}"
    return tuple(parameters.items())


# What the names of initializers that draw at random have in them.
_DRAWING = ("random", "normal", "uniform", "glorot", "he_", "lecun", "variance", "orthogonal")


def initialised(name: str, seeded: bool, node: cst.Call, arguments: Arguments) -> Array:
    """The array that an initializer makes when it is called with a shape."""
    last = name.rpartition(".")[2].lower()
    draws = not seeded and any(word in last for word in _DRAWING)
    shape = arguments.get(0, "shape")
    dtype = arguments.get(1, "dtype")
    return Array(
        "random" if draws else "table",
        _shape_code(shape.node.value, shape.value) if shape else None,
        literal_dimensions(shape.value) if shape else None,
        dtype_name(dtype.value) if dtype else "float32",
        initializer=code(node.func),
        is_numpy=False,
    )
