"""What a function takes, and which of that can be no tensor."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from savelint.keras.values import Parameter, Signature
from savelint.keras.walk import Parts, code, descendants

# What may leave out a part of an expression, or run it later.
_CHOOSING = (cst.IfExp, cst.BooleanOperation, cst.Lambda, cst.CompFor)
# Operations on a list of tensors, of which none may be None.
_JOINING = frozenset({"add_n", "concat", "concatenate", "stack"})
# An annotation of something that is no tensor, alone or in a list.
_PLAIN = re.compile(
    r"(?:Optional\[)?(?:(?:list|tuple|sequence)\[)?(?:(bool)|int|str|float|callable|literal)\b",
    re.IGNORECASE,
)


def signature(node: cst.FunctionDef | cst.Lambda) -> Signature:
    """What a function takes, and how it uses that."""
    declared = node.params
    flags, plain = _plain_names(node.body)
    every = (*declared.posonly_params, *declared.params, *declared.kwonly_params)
    computed = set[str]()
    if isinstance(node, cst.FunctionDef) and any(map(_is_none, every)):
        computed = computed_names(node)
    found = []
    for parameter in every:
        name = parameter.name.value
        use = _annotated_use(parameter)
        if not use:
            use = "flag" if name in flags else "plain" if name in plain else ""
        keyword_only = parameter in declared.kwonly_params
        needed = name in computed and _is_none(parameter)
        required = parameter.default is None
        found.append(Parameter(name, parameter, required, keyword_only, use, needed))
    star = declared.star_arg
    if not isinstance(star, cst.Param):
        return Signature(tuple(found), is_open=False)
    name = star.name.value
    several = Parameter(name, star, True, False, "") if _takes_several(node, name) else None
    return Signature(tuple(found), is_open=True, several=several)


def _is_none(parameter: cst.Param) -> bool:
    """Whether the default of a parameter is None."""
    return isinstance(parameter.default, cst.Name) and parameter.default.value == "None"


def _takes_several(node: cst.FunctionDef | cst.Lambda, name: str) -> bool:
    """Whether a function joins all that its `*args` takes, or has a name for each of several."""
    for part in descendants(node.body):
        if isinstance(part, cst.Assign) and _names(part.value) == (name,):
            target = part.targets[0].target
            if isinstance(target, (cst.Tuple, cst.List)) and len(target.elements) > 1:
                return True
        elif isinstance(part, cst.Call) and _last_name(part.func) in _JOINING:
            first = part.args[0] if part.args else None
            if first is not None and _names(first.value) == (name,) and not first.star:
                return True
    return False


def computed_names(node: cst.FunctionDef) -> set[str]:
    """The names that a function computes with in any case, as its caller gave them.

    None of them is looked at before: what is read ends at the first branch, loop or `with`.
    """
    found: set[str] = set()
    bound: set[str] = set()
    lines = [node.body] if isinstance(node.body, cst.SimpleStatementSuite) else node.body.body
    for line in lines:
        if not isinstance(line, (cst.SimpleStatementLine, cst.SimpleStatementSuite)):
            break
        parts = Parts(line)
        if any(parts.of(kind) for kind in _CHOOSING):
            break
        for operation in parts.of(cst.BinaryOperation):
            found.update({*_names(operation.left), *_names(operation.right)} - bound)
        for call in parts.of(cst.Call):
            if _last_name(call.func) in _JOINING:
                lists = [a.value for a in call.args if isinstance(a.value, (cst.List, cst.Tuple))]
                items = [name for held in lists for e in held.elements for name in _names(e.value)]
                found.update(set(items) - bound)
        targets = [part.target for part in parts.of(cst.AssignTarget)]
        bound.update(name for target in targets for name in assigned(target))
    return found


def assigned(target: cst.BaseExpression) -> Iterator[str]:
    """The plain names that an assignment binds."""
    if isinstance(target, (cst.Tuple, cst.List)):
        for element in target.elements:
            yield from assigned(element.value)
    else:
        yield from _names(target)


def _last_name(node: cst.BaseExpression) -> str:
    last = node.attr if isinstance(node, cst.Attribute) else node
    return last.value if isinstance(last, cst.Name) else ""


def _annotated_use(parameter: cst.Param) -> str:
    if parameter.annotation is None:
        return ""
    annotation = code(parameter.annotation.annotation)
    text = re.sub(r"""["']|\b(?:typing|t|collections\.abc|abc)\.""", "", annotation)
    found = _PLAIN.match(text)
    if found is None:
        return ""
    return "flag" if found[1] else "plain"


def _plain_names(body: cst.CSTNode) -> tuple[set[str], set[str]]:
    """(names whose truth is tested or that say how to run, names that are no tensors)."""
    parts = Parts(body)
    tests = [node.test for node in parts.of(cst.If)]
    tests += [node.test for node in parts.of(cst.While)]
    tests += [node.test for node in parts.of(cst.IfExp)]
    flags = {name for test in tests for name in _tested(test)}
    plain: set[str] = set()
    for comparison in parts.of(cst.Comparison):
        if any(_is_word(target.comparator) for target in comparison.comparisons):
            plain.update(_names(comparison.left))
    for item in parts.of(cst.Subscript):
        index = item.slice[0].slice if len(item.slice) == 1 else None
        if isinstance(index, cst.Index) and isinstance(item.value, cst.Attribute):
            plain.update(_names(index.value))
    for call in parts.of(cst.Call):
        called = _names(call.func)
        plain.update(called)
        for argument in call.args:
            if "range" in called:
                plain.update(_names(argument.value))
            elif argument.keyword is not None and argument.keyword.value == "training":
                flags.update(_names(argument.value))
    return flags, plain


def _names(node: cst.BaseExpression) -> tuple[str, ...]:
    return (node.value,) if isinstance(node, cst.Name) else ()


def _tested(node: cst.BaseExpression) -> Iterator[str]:
    """The names whose own truth a condition asks for."""
    if isinstance(node, cst.BooleanOperation):
        yield from _tested(node.left)
        yield from _tested(node.right)
    elif isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        yield from _tested(node.expression)
    else:
        yield from _names(node)


def _is_word(node: cst.BaseExpression) -> bool:
    """Whether something is compared with a string, or with several."""
    if isinstance(node, (cst.Tuple, cst.List, cst.Set)):
        return any(_is_word(element.value) for element in node.elements)
    return isinstance(node, (cst.SimpleString, cst.ConcatenatedString))
