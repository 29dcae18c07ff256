"""Writing into `get_config` and the constructor, in the style that they have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import libcst as cst

from savelint import rewrite
from savelint.finding import Edit
from savelint.frozen import frozen
from savelint.keras import reserved
from savelint.keras.config import Config, Constructor, Entry, Held
from savelint.keras.events import AttributeStore
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.tables import CONFIG
from savelint.keras.values import Argument
from savelint.keras.walk import descendants, dotted
from savelint.source import Span


@frozen
class Addition:
    """An entry to be added to a config: a key and the source of its value."""

    key: str
    value: str


def quoted(module: ModuleModel, word: str) -> str:
    """A string in the quotes that the file prefers."""
    text = module.source.text
    mark = "'" if text.count("'") > text.count('"') else '"'
    return f"{mark}{word}{mark}"


# -- entries ------------------------------------------------------------------------------


def add_entries(
    module: ModuleModel, config: Config, additions: Sequence[Addition], order: Sequence[str]
) -> tuple[Edit, ...] | None:
    """Edits that add entries where the constructor's order puts them; None where none fit."""
    places = [entry for entry in config.entries.values() if _is_place(module, config, entry.node)]
    ranks = {name: rank for rank, name in enumerate(order)}
    known = [entry for entry in places if entry.key in ranks]
    if not places:
        return _first_entries(module, config, additions)
    # (the entry beside which they go, whether before it) -> the additions
    groups: dict[tuple[str, bool], list[Addition]] = {}
    for addition in additions:
        rank = ranks[addition.key]
        before = [entry for entry in known if ranks[entry.key] < rank]
        after = [entry for entry in known if ranks[entry.key] > rank]
        if before:
            anchor = max(before, key=lambda entry: ranks[entry.key])
        elif after:
            anchor = min(after, key=lambda entry: ranks[entry.key])
        else:
            anchor = places[-1]
        groups.setdefault((anchor.key, not before and bool(after)), []).append(addition)
    edits: list[Edit] = []
    for (key, ahead), group in groups.items():
        node = config.entries[key].node
        added = _beside(module, config, node, group, ahead=ahead)
        if added is None or (len(groups) > 1 and len(added) == 1 and _is_whole(module, added[0])):
            return None
        edits.extend(added)
    return tuple(edits)


def _is_place(module: ModuleModel, config: Config, node: cst.CSTNode) -> bool:
    """Whether an entry is written where another can be written beside it."""
    if not module.is_here(node) or module.function_of(node) is not config.method:
        return False
    if module.branches_of(node):
        return False
    if isinstance(node, cst.Assign):
        target = node.targets[0].target
        index = target.slice[0].slice if isinstance(target, cst.Subscript) else None
        return isinstance(index, cst.Index) and isinstance(index.value, cst.SimpleString)
    if isinstance(node, cst.Arg):
        return node.keyword is not None
    return isinstance(node, cst.DictElement) and isinstance(node.key, cst.SimpleString)


def _beside(
    module: ModuleModel,
    config: Config,
    node: cst.CSTNode,
    additions: Sequence[Addition],
    *,
    ahead: bool,
) -> list[Edit] | None:
    if isinstance(node, cst.Assign):
        return [_assignment_beside(module, node, additions, ahead=ahead)]
    holder = _holder(config, node)
    if holder is None:
        return None
    texts = [_element(module, node, addition) for addition in additions]
    source = module.source
    span = _bare_span(module, node)
    start = source.position(span.start)
    margin = source.line_text(start.line)[: start.column - 1]
    own_line = not margin.strip()
    if ahead:
        separator = f",{source.newline}{margin}" if own_line else ", "
        insertion = Edit(Span(span.start, span.start), "".join(f"{t}{separator}" for t in texts))
        return _fitting(module, holder, [insertion], own_line=own_line)
    if not own_line:
        insertion = Edit(Span(span.end, span.end), "".join(f", {text}" for text in texts))
        return _fitting(module, holder, [insertion], own_line=False)
    return _lines_behind(module, span, margin, texts)


def _element(module: ModuleModel, node: cst.CSTNode, addition: Addition) -> str:
    if isinstance(node, cst.Arg):
        return f"{addition.key}={addition.value}"
    return f"{quoted(module, addition.key)}: {addition.value}"


def _lines_behind(
    module: ModuleModel, span: Span, margin: str, texts: Sequence[str]
) -> list[Edit] | None:
    """Lines of their own behind an element on a line of its own, and behind its comment."""
    source = module.source
    line = source.position(span.end).line
    end = source.line_offset(line) + len(source.line_text(line))
    rest = source.text[span.end : end]
    has_comma = rest.lstrip().startswith(",")
    behind = rest.lstrip().removeprefix(",").strip()
    if behind and not behind.startswith("#"):
        # The bracket closes on this line.
        joined = "".join(f",{source.newline}{margin}{text}" for text in texts)
        return [Edit(Span(span.end, span.end), joined)]
    lines = f",{source.newline}{margin}".join(texts)
    edits = [Edit(Span(end, end), f"{source.newline}{margin}{lines}{',' * has_comma}")]
    return edits if has_comma else [Edit(Span(span.end, span.end), ","), *edits]


def _assignment_beside(
    module: ModuleModel, node: cst.Assign, additions: Sequence[Addition], *, ahead: bool
) -> Edit:
    """`config["rate"] = self.rate`, before or after another such statement."""
    target = node.targets[0].target
    name = module.text(target.value) if isinstance(target, cst.Subscript) else ""
    lines = [f"{name}[{quoted(module, a.key)}] = {a.value}" for a in additions]
    source = module.source
    if ahead:
        margin = rewrite.margin_of(module, node)
        start = module.span(node).start
        return Edit(Span(start, start), "".join(f"{ln}{source.newline}{margin}" for ln in lines))
    return rewrite.insert_after(module, node, lines)


def _holder(config: Config, node: cst.CSTNode) -> cst.Dict | cst.Call | None:
    """The literal or the call of which a node is an element or an argument."""
    for part in descendants(config.method.body):
        elements = part.elements if isinstance(part, cst.Dict) else ()
        arguments = part.args if isinstance(part, cst.Call) else ()
        if isinstance(part, (cst.Dict, cst.Call)) and any(
            item is node for item in (*elements, *arguments)
        ):
            return part
    return None


def _bare_span(module: ModuleModel, node: cst.CSTNode) -> Span:
    """Where an element stands, without the comma and the space behind it."""
    span = module.span(node)
    return Span(span.start, rewrite.argument_end(module.source.text, span.end))


def _is_whole(module: ModuleModel, edit: Edit) -> bool:
    """Whether an edit writes a literal anew, which others would meet."""
    return edit.span.end > edit.span.start


def _fitting(
    module: ModuleModel, holder: cst.Dict | cst.Call, edits: list[Edit], *, own_line: bool
) -> list[Edit] | None:
    """The edits, or the whole literal on several lines where its one would grow too long."""
    source = module.source
    span = module.span(holder)
    line = source.position(span.start).line
    added = sum(len(edit.replacement) - (edit.span.end - edit.span.start) for edit in edits)
    length = len(source.line_text(line).expandtabs(4)) + added
    if own_line or length <= rewrite.width(module) or source.position(span.end - 1).line != line:
        return edits
    margin = rewrite.margin_of(module, holder)
    text = source.text[span.start : span.end]
    for edit in edits:
        at, end = edit.span.start - span.start, edit.span.end - span.start
        text = text[:at] + edit.replacement + text[end:]
    return [_exploded(module, holder, text, margin)]


def _exploded(module: ModuleModel, holder: cst.Dict | cst.Call, text: str, margin: str) -> Edit:
    """A literal, or a call with keywords, with each element on a line of its own."""
    tree = cst.parse_expression(text)
    parts = tree.elements if isinstance(tree, cst.Dict) else getattr(tree, "args", ())
    bare = [part.with_changes(comma=cst.MaybeSentinel.DEFAULT) for part in parts]
    elements = [cst.Module([]).code_for_node(part).strip().removesuffix(",") for part in bare]
    head = text[: text.index("{")] if isinstance(tree, cst.Dict) else text[: text.index("(")]
    brackets = "{}" if isinstance(tree, cst.Dict) else "()"
    newline, step = module.source.newline, module.source.indentation
    outer = margin
    span = module.span(holder)
    sole = _sole_argument(module, holder)
    if sole:
        outer += step
    lines = "".join(f"{outer}{step}{element},{newline}" for element in elements)
    block = f"{head}{brackets[0]}{newline}{lines}{outer}{brackets[1]}"
    if sole:
        block = f"{newline}{outer}{block}{newline}{margin}"
    return Edit(span, block)


def _sole_argument(module: ModuleModel, holder: cst.Dict | cst.Call) -> bool:
    """Whether a literal is all that a call is given: `config.update({...})`."""
    use = module.use_of(holder)
    return isinstance(holder, cst.Dict) and use.role == "argument" and len(_args(use.node)) == 1


def _args(node: cst.CSTNode | None) -> Sequence[cst.Arg]:
    return node.args if isinstance(node, cst.Call) else ()


def _first_entries(
    module: ModuleModel, config: Config, additions: Sequence[Addition]
) -> tuple[Edit, ...] | None:
    """Entries for a config that has none: `{}`, `{**base}`, or the base's own."""
    returned = [r for r in config.returns if isinstance(r.node, cst.Return)]
    if len(returned) != 1 or not module.is_here(returned[0].node):
        return None
    statement = returned[0].node
    value = statement.value if isinstance(statement, cst.Return) else None
    if isinstance(value, cst.Name):
        line = updating(module, statement, value.value, additions)
        return (rewrite.insert_before(module, statement, line),)
    if isinstance(value, cst.Dict):
        elements = ", ".join(f"{quoted(module, a.key)}: {a.value}" for a in additions)
        if not value.elements:
            return (rewrite.replace(module, value, f"{{{elements}}}"),)
        span = _bare_span(module, value.elements[-1])
        edits = [Edit(Span(span.end, span.end), f", {elements}")]
        return tuple(_fitting(module, value, edits, own_line=False) or ())
    if isinstance(value, cst.Call) and not module.branches_of(statement):
        line = updating(module, statement, "config", additions)
        margin = rewrite.margin_of(module, statement)
        if module.source.text[: module.span(statement).start].rpartition("\n")[2].strip():
            return None
        newline = module.source.newline + margin
        text = f"config = {module.text(value)}{newline}{line}{newline}return config"
        return (rewrite.replace(module, statement, text),)
    return None


def updating(module: ModuleModel, at: cst.CSTNode, name: str, additions: Sequence[Addition]) -> str:
    """`config.update({...})` for a line at a statement's margin; without its own margin."""
    margin = rewrite.margin_of(module, at)
    newline, step = module.source.newline, module.source.indentation
    return _update(module, name, additions, margin, newline, step)


def _update(
    module: ModuleModel,
    name: str,
    additions: Sequence[Addition],
    margin: str,
    newline: str,
    step: str,
) -> str:
    elements = [f"{quoted(module, a.key)}: {a.value}" for a in additions]
    line = f"{name}.update({{{', '.join(elements)}}})"
    if len(margin.expandtabs(4)) + len(line) <= rewrite.width(module):
        return line
    lines = "".join(f"{margin}{step * 2}{element},{newline}" for element in elements)
    inner = margin + step
    return f"{name}.update({newline}{inner}{{{newline}{lines}{inner}}}{newline}{margin})"


def revalue(module: ModuleModel, config: Config, entry: Entry, text: str) -> Edit:
    """Write another value into an entry."""
    edit = rewrite.replace(module, entry.value_node, text)
    holder = _holder(config, entry.node)
    if holder is None:
        return edit
    own_line = rewrite.begins_line(module, entry.node)
    fitting = _fitting(module, holder, [edit], own_line=own_line)
    return fitting[0] if fitting else edit


# -- the constructor ------------------------------------------------------------------------


def value_of(module: ModuleModel, held: Held, owner: str = "self") -> str | None:
    """The source of the entry for an argument that an attribute holds."""
    kept = f"{owner}.{held.attribute}"
    if not held.how.startswith("keras."):
        return kept
    call = held.store.value_node
    if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute):
        return f"{module.text(call.func.value)}.serialize({kept})"
    return None


def storing(
    module: ModuleModel, cls: KerasClass, constructor: Constructor, names: Iterable[str]
) -> Edit | None:
    """Lines behind `super().__init__(...)` that keep arguments under their own names."""
    statement = _super_statement(module, constructor)
    missing = list(names)
    if statement is None or not all(map(str.isidentifier, missing)):
        return None
    body = constructor.node.body.body
    before = body[: body.index(statement) + 1]
    changed = {name for part in before for name in _assigned(part)}
    if changed & set(missing) or any(_is_taken(cls, name) for name in missing):
        return None
    return rewrite.insert_after(module, statement, [f"self.{n} = {n}" for n in missing])


def _super_statement(module: ModuleModel, constructor: Constructor) -> cst.BaseStatement | None:
    if not module.is_here(constructor.node) or len(constructor.supers) != 1:
        return None
    call = constructor.supers[0].node
    for statement in constructor.node.body.body:
        if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
            expression = statement.body[0]
            if isinstance(expression, cst.Expr) and expression.value is call:
                return statement
    return None


def _is_taken(cls: KerasClass, name: str) -> bool:
    """Whether the object already has something under a name."""
    if name in reserved.EVERY or any(
        name in outline.method_names or name in outline.assigned for outline in cls.outline.lineage
    ):
        return True
    stores = (s for flow in cls.flows.values() for s in flow.all(AttributeStore))
    return any(store.name == name for store in stores)


def _assigned(node: cst.CSTNode) -> Iterator[str]:
    for part in descendants(node):
        if isinstance(part, cst.AssignTarget) and isinstance(part.target, cst.Name):
            yield part.target.value


def forwarding(module: ModuleModel, constructor: Constructor) -> tuple[Edit, ...] | None:
    """Edits that give a constructor `**kwargs` and hand them on; None where that is not plain.

    A keyword that the call of `super().__init__` fixes would meet that of the config.
    """
    statement = _super_statement(module, constructor)
    if statement is None or constructor.keywords is not None:
        return None
    call = constructor.supers[0]
    if call.arguments.is_open or _fixes(call.arguments.items):
        return None
    if any(isinstance(n, cst.Name) and n.value == "kwargs" for n in descendants(constructor.node)):
        return None
    if not isinstance(constructor.node, cst.FunctionDef):
        return None
    declared = rewrite.add_parameter(module, constructor.node, "**kwargs")
    if declared is None:
        return None
    return declared, rewrite.add_argument(module, call.node, "**kwargs")


def _fixes(items: Iterable[object]) -> bool:
    for item in items:
        keyword, value = getattr(item, "keyword", None), getattr(item, "value", None)
        if keyword in {"name", "trainable", "dtype", "reduction"} and not (
            isinstance(value, Argument) and value.name == keyword
        ):
            return True
    return False


# -- returning ------------------------------------------------------------------------------


def returned_update(module: ModuleModel, statement: cst.CSTNode, call: cst.Call) -> Edit | None:
    """`return config.update(...)` in two lines, or three where `config` has no name."""
    receiver = _receiver(call)
    source = module.source
    start = source.position(module.span(statement).start)
    if receiver is None or source.line_text(start.line)[: start.column - 1].strip():
        return None
    newline = source.newline + rewrite.margin_of(module, statement)
    text = module.text(call)
    first = ""
    name = module.text(receiver)
    if not isinstance(receiver, cst.Name):
        first = f"config = {name}{newline}"
        text, name = "config" + text[len(name) :], "config"
    return rewrite.replace(module, statement, f"{first}{text}{newline}return {name}")


def returned_at_end(module: ModuleModel, method: cst.FunctionDef) -> Edit | None:
    """`return config` at the end of a method whose last line fills that dictionary."""
    last = method.body.body[-1]
    names = set(_assigned(method.body))
    changed = [name for name in sorted(names) if _changes(last, name)]
    if len(changed) != 1 or not isinstance(last, cst.SimpleStatementLine):
        return None
    if rewrite.at_end(module, method) is None:
        return None
    return rewrite.insert_after(module, last, [f"return {changed[0]}"])


def _changes(statement: cst.CSTNode, name: str) -> bool:
    """Whether a statement fills, or makes, the dictionary of a name."""
    for part in descendants(statement):
        held = part.target if isinstance(part, cst.AssignTarget) else _receiver(part)
        held = held.value if isinstance(held, cst.Subscript) else held
        if isinstance(held, cst.Name) and held.value == name:
            return True
    return False


def _receiver(call: cst.CSTNode) -> cst.BaseExpression | None:
    """What a method is called on."""
    func = call.func if isinstance(call, cst.Call) else None
    return func.value if isinstance(func, cst.Attribute) else None


# -- a method of one's own --------------------------------------------------------------------


def generated(
    module: ModuleModel,
    cls: KerasClass,
    additions: Sequence[Addition],
    *,
    merges: bool,
    restored: Sequence[Addition] = (),
) -> Edit | None:
    """A `get_config` behind the other methods of a class, with or without the base's config.

    With a `from_config` where values of the config must be `restored` first.
    """
    methods = [item for item in cls.outline.node.body.body if isinstance(item, cst.FunctionDef)]
    if not methods or not module.is_here(methods[-1]):
        return None
    elements = [f"{quoted(module, a.key)}: {a.value}" for a in additions]
    room = rewrite.width(module) - len(rewrite.margin_of(module, methods[-1]).expandtabs(4)) - 4
    joined = f"{{{', '.join(elements)}}}"
    listed = [f"        {element}," for element in elements]
    if not merges:
        body = [f"    return {joined}"]
        if len(body[0]) - 4 > room:
            body = ["    return {", *listed, "    }"]
    else:
        body = [f"    config.update({joined})"]
        if len(body[0]) - 4 > room:
            deeper = [f"    {element}" for element in listed]
            body = ["    config.update(", "        {", *deeper, "        }", "    )"]
        body = ["    config = super().get_config()", *body, "    return config"]
    lines = ["def get_config(self):", *body]
    if restored:
        lines += ["", *restoring(module, restored)]
    return rewrite.add_method(module, methods[-1], lines)


def deletions(module: ModuleModel, cls: KerasClass, keys: Sequence[str]) -> Edit | None:
    """`del config["units"]` in `get_config`, or one of its own; None where none is plain."""
    own = cls.outline.methods.get(CONFIG)
    methods = [item for item in cls.outline.node.body.body if isinstance(item, cst.FunctionDef)]
    if own is not None:
        name, statement = _inherited_config(own)
        if statement is None:
            return None
        lines = [f"del {name}[{quoted(module, key)}]" for key in keys]
        return rewrite.insert_after(module, statement, lines)
    if not methods or not module.is_here(methods[-1]):
        return None
    lines = [f"    del config[{quoted(module, key)}]" for key in keys]
    head = ["def get_config(self):", "    config = super().get_config()"]
    return rewrite.add_method(module, methods[-1], [*head, *lines, "    return config"])


def _inherited_config(method: cst.FunctionDef) -> tuple[str, cst.SimpleStatementLine | None]:
    """`config = super().get_config()` at the top of a method, and the name."""
    for statement in method.body.body:
        if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
            part = statement.body[0]
            call = part.value if isinstance(part, cst.Assign) else None
            func = call.func if isinstance(call, cst.Call) else None
            if not isinstance(part, cst.Assign) or not isinstance(func, cst.Attribute):
                continue
            target = part.targets[0].target
            is_super = isinstance(func.value, cst.Call) and dotted(func.value.func) == "super"
            if is_super and func.attr.value == CONFIG and isinstance(target, cst.Name):
                return target.value, statement
    return "", None


def restoring(module: ModuleModel, restored: Sequence[Addition]) -> list[str]:
    """The lines of a `from_config` that makes objects of what the config holds of them."""
    return [
        "@classmethod",
        "def from_config(cls, config):",
        *(f"    config[{quoted(module, each.key)}] = {each.value}" for each in restored),
        "    return cls(**config)",
    ]
