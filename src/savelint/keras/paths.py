"""Text of which the beginning and the end are known, and the paths that are made of it.

A path is what decides where and in which format Keras saves, and it is seldom one literal:
`os.path.join(folder, f"{name}.h5")` ends in `.h5` whatever the folder is. What is not known
of a text is a hole in it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath

from savelint.keras.events import Arguments
from savelint.keras.values import Const, Options, Seq, Text, Value, text_of

_MAX_TEXT = 10_000  # characters of a text that is put together
_PERCENT = re.compile(r"%(?:\(\w+\))?[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?([a-zA-Z%])")
_PREFIX = re.compile(r"[a-zA-Z]*")

# What makes a path object of its arguments.
PATH_CLASSES = frozenset(
    {"pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "pathlib.PurePosixPath"}
)
# What joins its arguments as `os.path.join` does.
JOINING = frozenset({"os.path.join", "posixpath.join", "tensorflow.io.gfile.join"})
# What gives the text of a path, as it is.
_PLAIN = frozenset({"os.fspath", "os.path.normpath", "os.fsdecode"})
# What puts something before it.
_ANCHORED = frozenset({"os.path.abspath", "os.path.realpath"})
_EXPANDED = frozenset({"os.path.expanduser", "os.path.expandvars"})
# What opens a file, or is one in memory.
OPENING = frozenset(
    {
        *("builtins.open", "h5py.File", "io.BytesIO", "io.StringIO", "io.open"),
        *("tempfile.NamedTemporaryFile", "tempfile.SpooledTemporaryFile", "tempfile.TemporaryFile"),
    }
)
FUNCTIONS = PATH_CLASSES | JOINING | _PLAIN | _ANCHORED | _EXPANDED | {"os.path.basename"}


def plain(text: Text | None) -> Value:
    """The simplest value for a text: a literal where all of it is known, None for one hole."""
    if text is None:
        return None
    only = text.parts[0] if len(text.parts) == 1 else None
    if only is not None and not text.is_path and not text.assumed:
        return Const(only)
    return text if text.is_path or any(text.parts) else None


def text(
    parts: Iterable[str | None], *, is_path: bool = False, assumed: bool = False
) -> Text | None:
    """The text of these parts in their order; neighbours are joined."""
    found: list[str | None] = []
    for part in parts:
        if found and part is not None and found[-1] is not None:
            found[-1] += part
        elif part is None and found and found[-1] is None:
            continue
        elif part != "":
            found.append(part)
    if sum(len(part) for part in found if part is not None) > _MAX_TEXT:
        return None
    return Text(tuple(found) or ("",), is_path, assumed)


def _parts(value: Value) -> tuple[str | None, ...]:
    """The parts of what a value is as a string; one hole where it is not known.

    A default is as good as unknown beside what is certain.
    """
    found = text_of(value)
    if found is not None:
        return found.parts if not found.assumed else (None,)
    if isinstance(value, Const) and value.value is not ... and not isinstance(value.value, bytes):
        return (str(value.value),)
    return (None,)


def concatenated(*values: Value) -> Value:
    """`a + b`: text in a row, of which not all has to be known."""
    if len(values) == 1 and text_of(values[0]):
        return as_string(values[0])
    return plain(text(p for v in values for p in _parts(v)))


def evaluated(written: str, start: str) -> str | None:
    """What the text of an f-string, as it is written behind its `start`, stands for."""
    bare = written.replace("{{", "{").replace("}}", "}")
    prefix = _PREFIX.match(start)
    if "\\" not in bare or (prefix and "r" in prefix[0].lower()):
        return bare
    quote = start[prefix.end() :] if prefix else start
    try:
        found = ast.literal_eval(f"{quote}{bare}{quote}")
    except (SyntaxError, ValueError):
        return None
    return found if isinstance(found, str) else None


def percent(template: Text, argument: Value) -> Value:
    """`template % argument`."""
    arguments: Sequence[Value] = (argument,)
    if isinstance(argument, Seq) and argument.kind == "tuple" and argument.complete:
        arguments = argument.items
    pending = iter(arguments)
    found: list[str | None] = []
    for part in template.parts:
        if part is None:
            found.append(None)
            continue
        end = 0
        for match in _PERCENT.finditer(part):
            found.append(part[end : match.start()])
            end = match.end()
            if match[1] == "%":
                found.append("%")
            else:
                value = next(pending, None)
                known = match[0] == "%s"
                found.extend(_parts(value) if known else (None,))
        found.append(part[end:])
    return plain(text(found, assumed=template.assumed))


def format_call(template: str, positional: Sequence[Value], named: dict[str, Value]) -> Value:
    """`template.format(...)`."""
    import string  # slow to import

    found: list[str | None] = []
    try:
        fields = list(string.Formatter().parse(template))
    except ValueError:
        return None
    count = 0
    for literal, name, form, conversion in fields:
        found.append(literal)
        if name is None:
            continue
        value: Value = None
        if name == "" or name.isdigit():
            place = int(name) if name else count
            count += 1
            value = positional[place] if place < len(positional) else None
        elif name in named:
            value = named[name]
        found.extend(_parts(value) if not form and not conversion else (None,))
    return plain(text(found))


def joined(values: Sequence[Value], *, is_path: bool = False) -> Text | None:
    """`os.path.join(*values)`, or the path object of several segments."""
    parts: tuple[str | None, ...] = ("",)
    alone = text_of(values[0]) if len(values) == 1 else None
    for value in values:
        segment = _parts(value) if alone is None else alone.parts
        head = segment[0]
        if parts == ("",) or (head is not None and head.startswith("/")):
            parts = segment
        elif segment != ("",) or not is_path:
            last = parts[-1]
            separator = "" if last is not None and last.endswith("/") else "/"
            parts = (*parts, separator, *segment)
    found = text(parts, is_path=is_path, assumed=alone is not None and alone.assumed)
    return _path(found) if found is not None and is_path else found


def _path(found: Text) -> Text:
    """A path object: pathlib drops `./` before it and `/` behind it."""
    parts = list(found.parts)
    if isinstance(parts[0], str):
        while parts[0].startswith("./"):
            parts[0] = parts[0][2:].lstrip("/")
    if isinstance(parts[-1], str) and parts[-1] != "/":
        parts[-1] = parts[-1].rstrip("/")
    # A hole may end in one.
    return text(parts or [""], is_path=True, assumed=found.assumed) or Text((None,), True)


def call(name: str, values: Sequence[Value]) -> Value:
    """What one of FUNCTIONS gives."""
    first = text_of(values[0]) if values else None
    if name in PATH_CLASSES:
        return plain(joined(values, is_path=True))
    if name in JOINING:
        return plain(joined(values))
    if first is None:
        return None
    if name in _EXPANDED:
        return plain(_expanded(first, is_path=False))
    if name in _ANCHORED:
        return plain(_anchored(first, is_path=False))
    if name == "os.path.basename":
        return plain(text(_last(first), assumed=first.assumed))
    return plain(text(first.parts, assumed=first.assumed))


def as_string(value: Value) -> Value:
    """`str(value)` of text and paths; nothing is known of the rest."""
    found = text_of(value)
    return plain(text(found.parts, assumed=found.assumed)) if found is not None else None


def _expanded(path: Text, *, is_path: bool) -> Text | None:
    head = path.parts[0]
    if head is None or not ("~" in head[:1] or "$" in head):
        return text(path.parts, is_path=is_path, assumed=path.assumed)
    end = max(head.rfind("~"), head.rfind("$")) + 1
    name = re.match(r"\w*|\{\w*\}", head[end:])
    rest = head[end + (name.end() if name else 0) :]
    return text((None, rest, *path.parts[1:]), is_path=is_path, assumed=path.assumed)


def _anchored(path: Text, *, is_path: bool) -> Text | None:
    head = path.parts[0]
    before = () if head is not None and head.startswith("/") else (None, "/")
    return text((*before, *path.parts), is_path=is_path, assumed=path.assumed)


def _last(path: Text) -> tuple[str | None, ...]:
    """The parts of a path's last component."""
    for index in range(len(path.parts) - 1, -1, -1):
        part = path.parts[index]
        if part is not None and "/" in part:
            return (part.rpartition("/")[2], *path.parts[index + 1 :])
    return path.parts


def _before_last(path: Text) -> tuple[str | None, ...] | None:
    """What stands before a path's last component, with its slash; None when that is unknown."""
    for index in range(len(path.parts) - 1, -1, -1):
        part = path.parts[index]
        if part is not None and "/" in part:
            return (*path.parts[:index], part[: part.rindex("/") + 1])
    return None if None in path.parts else ()


def directory(path: Text) -> str | None:
    """The directory of a path where all of it is known, without its last slash."""
    before = _before_last(path)
    if before is None or None in before:
        return None
    return "".join(part for part in before if part is not None).rstrip("/")


def attribute(path: Text, name: str) -> Value:
    """An attribute of a path object."""
    last = text(_last(path), assumed=path.assumed)
    end = last.parts[-1] if last is not None else None
    if last is None or name not in {"name", "stem", "suffix", "parent"}:
        return None
    if name == "name":
        return plain(last)
    if name == "parent":
        before = _before_last(path)
        if before is None:
            return Text((None,), is_path=True)
        return _path(text(before, is_path=True, assumed=path.assumed) or path)
    if end is None:
        return None
    stem, suffix = split_suffix(end)
    if name == "suffix":
        return Const(suffix) if suffix or len(last.parts) == 1 else None
    whole = suffix or len(last.parts) == 1
    return plain(text((*last.parts[:-1], stem), assumed=path.assumed)) if whole else None


def method(path: Text, name: str, values: Sequence[Value]) -> Value:
    """What a method of a path object gives."""
    if name == "joinpath":
        return plain(joined((path, *values), is_path=True))
    if name in {"absolute", "resolve"}:
        return plain(_anchored(path, is_path=True))
    if name == "expanduser":
        return plain(_expanded(path, is_path=True))
    if name in {"as_posix", "__str__", "__fspath__"}:
        return as_string(path)
    if name in {"with_suffix", "with_name", "with_stem"}:
        return plain(_renamed(path, name, values[0] if values else None))
    return None


def _renamed(path: Text, how: str, value: Value) -> Text | None:
    given = text_of(value)
    new = given.parts if given is not None else (None,)
    before = _before_last(path)
    if how != "with_suffix":
        new = (*new, _suffix(path)) if how == "with_stem" else new
        # Without a slash in what is known, the new name stands behind one all the same.
        head = before if before is not None else (None, "/")
        return text((*head, *new), is_path=True, assumed=path.assumed)
    end = path.parts[-1]
    if end is None or path.assumed:
        return text((None, *new), is_path=True)
    stem, suffix = split_suffix(end)
    if not suffix and "/" not in end and len(path.parts) > 1:
        return text((*path.parts[:-1], None, *new), is_path=True, assumed=path.assumed)
    return text((*path.parts[:-1], stem, *new), is_path=True, assumed=path.assumed)


def _suffix(path: Text) -> str | None:
    found = attribute(path, "suffix")
    return found.value if isinstance(found, Const) and isinstance(found.value, str) else None


_KEPT: dict[str, Callable[..., str]] = {
    name: getattr(str, name)
    for name in (
        *("strip", "rstrip", "lstrip", "lower", "upper", "replace", "removesuffix"),
        *("removeprefix", "title", "capitalize"),
    )
}


def string_method(
    owner: Value, name: str, positional: Sequence[Value], named: dict[str, Value]
) -> Value:
    """What a method of a string gives."""
    found = text_of(owner)
    if found is None:
        return None
    if name == "join" and len(positional) == 1 and isinstance(positional[0], Seq):
        return _interleaved(owner, positional[0])
    whole = found.parts[0] if len(found.parts) == 1 else None
    if whole is None:
        return None
    if name == "format":
        made = format_call(whole, positional, named)
        held = text_of(made)
        return plain(text(held.parts, assumed=True)) if held and found.assumed else made
    given = [v.value for v in positional if isinstance(v, Const) and isinstance(v.value, str)]
    if name not in _KEPT or named or len(given) != len(positional):
        return None
    try:
        return plain(text((_KEPT[name](whole, *given),), assumed=found.assumed))
    except TypeError:
        return None


def _interleaved(separator: Value, items: Seq) -> Value:
    if not items.complete or not items.items:
        return None
    row: list[Value] = []
    for item in items.items:
        row += [separator, item]
    return concatenated(*row[1:])


def with_option(options: Options, arguments: Arguments) -> Options:
    """An `argparse` parser with one more option, given what `add_argument` is given."""
    flags = [whole(argument.value) or "" for argument in arguments.positional]
    longs = [flag for flag in flags if flag.startswith("--")] or flags
    named = whole(given.value) if (given := arguments.get(None, "dest")) else None
    name = named or (longs[0].lstrip("-").replace("-", "_") if longs else "")
    default = text_of(given.value) if (given := arguments.get(None, "default")) else None
    value: Value = None
    if default is not None and default.parts != ("",):
        value = Text(default.parts, default.is_path, assumed=True)
    others = tuple(item for item in options.defaults if item[0] != name)
    return Options((*others, (name, value)))


def split_suffix(path: str) -> tuple[str, str]:
    """A path without its suffix, and the suffix with its dot."""
    suffix = PurePosixPath(path).suffix
    return path.removesuffix(suffix), suffix


# -- asking ---------------------------------------------------------------------------


def whole(value: Value) -> str | None:
    """The text itself where all of it is known."""
    found = text_of(value)
    return found.parts[0] if found is not None and len(found.parts) == 1 else None


def tail(value: Value) -> str:
    """How a text certainly ends; empty when that is not known."""
    found = text_of(value)
    return (found.parts[-1] or "") if found is not None else ""


def head(value: Value) -> str:
    """How a text certainly begins; empty when that is not known."""
    found = text_of(value)
    return (found.parts[0] or "") if found is not None else ""


def ends_with(value: Value, *suffixes: str) -> bool | None:
    """Whether a text ends in one of some suffixes; None when that is not known."""
    found = text_of(value)
    if found is None:
        return None
    end = found.parts[-1]
    if end is None:
        return None
    if end.endswith(suffixes):
        return True
    open_end = len(found.parts) > 1 and any(suffix.endswith(end) for suffix in suffixes)
    return None if open_end else False
