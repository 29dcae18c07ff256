"""One canonical name for each thing of TensorFlow, Keras and numpy, whatever it was imported as.

`tf.keras.X`, `keras.X`, `tf_keras.X` and `tensorflow.python.keras.X` are all `keras.X`;
`tf.compat.v1.X` is `tensorflow.X`. Names are read from import statements and module-level
aliases, never by importing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

# Longest first: what replaces a dotted prefix.
_PREFIXES = (
    ("tensorflow.compat.v1.keras", "keras"),
    ("tensorflow.compat.v2.keras", "keras"),
    ("tensorflow._api.v2.keras", "keras"),
    ("tensorflow.python.keras.api", "keras"),
    ("tensorflow.python.keras", "keras"),
    ("tensorflow.keras", "keras"),
    ("keras._tf_keras.keras", "keras"),
    ("tf_keras.api", "keras"),
    ("tf_keras.src", "keras"),
    ("tf_keras", "keras"),
    ("keras.api", "keras"),
    ("keras.src", "keras"),
    ("tensorflow.compat.v1", "tensorflow"),
    ("tensorflow.compat.v2", "tensorflow"),
)
_MAPPED = re.compile("(" + "|".join(re.escape(prefix) for prefix, _ in _PREFIXES) + r")(?=\.|$)")
_TARGETS = dict(_PREFIXES)

# Projects re-export these under their own names (`from .compat import keras`); nobody
# gives them to anything else.
_WELL_KNOWN = {"keras": "keras", "tf_keras": "keras", "tf": "tensorflow"}
_FAMILIES = ("keras", "tensorflow", "numpy")


@lru_cache(maxsize=4096)
def canonical(dotted: str) -> str:
    """The canonical form of a dotted name as it was imported."""
    match = _MAPPED.match(dotted)
    if match is None:
        return dotted
    return _TARGETS[match.group(1)] + dotted[match.end() :]


class Binding(NamedTuple):
    """A name that an import statement binds, and the dotted origin that it stands for.

    `written` is the origin in the statement's own words; the two differ for what a
    project re-exports under a name that only Keras or TensorFlow have.
    """

    local: str
    origin: str
    written: str


def import_bindings(
    aliases: Iterator[tuple[str, str | None]], module: str | None, level: int
) -> Iterator[Binding]:
    """What each alias of one import statement binds.

    `module` is None for `import a.b as c`; for `from m import a as b` it is `m`, with
    `level` leading dots kept in the origin. A star binds the name `*`.
    """
    found = list(aliases)
    # `from .backend import keras, ops` brings the `ops` of that Keras.
    beside_keras = any(name == "keras" for name, _ in found)
    for name, asname in found:
        if module is None:
            origin = name if asname else name.partition(".")[0]
            yield Binding(asname or origin, origin, origin)
        else:
            origin = "." * level + module
            separator = "" if origin.endswith(".") or not origin else "."
            if name == "*":
                yield Binding(name, origin, origin)
            else:
                local, whole = asname or name, f"{origin}{separator}{name}"
                yield Binding(local, _recognised(local, whole, beside_keras), whole)


def _recognised(local: str, origin: str, beside_keras: bool) -> str:
    if origin.partition(".")[0] in _FAMILIES:
        return origin
    if beside_keras and local == "ops":
        return "keras.ops"
    return _WELL_KNOWN.get(local, origin)


def resolve(dotted: str, names: Mapping[str, str]) -> str | None:
    """The canonical name of a dotted expression, or None when its head was not imported."""
    head, dot, rest = dotted.partition(".")
    origin = names.get(head)
    if origin is None:
        return None
    return canonical(origin + dot + rest)
