"""What a file uses of Keras and TensorFlow that is gone, where it certainly runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import libcst as cst

from savelint.keras.model import RemovedUse
from savelint.keras.removed import OF_BOTH, Removed, find
from savelint.keras.running import Guard, Spot, dotted_name, imported_module, origins, spots
from savelint.keras.summary import Summary

# The file asks for versions, or stands in for modules: what its functions use is its own affair.
_VERSIONS = re.compile(r"version|hasattr\(|getattr\(", re.IGNORECASE)
_STAND_INS = "sys.modules"


def uses(text: str, summary: Summary, statements: Iterable[cst.CSTNode]) -> Iterator[RemovedUse]:
    """What statements of a file use of all this where they certainly run.

    Nothing of a file that stands in for modules; of functions nothing where the file asks
    for versions.
    """
    if _STAND_INS in text:
        return
    certain = [spot for spot in spots(statements) if spot.guard is Guard.NONE]
    given = {spot.resolve(summary) for spot in certain if spot.store}
    asks = _VERSIONS.search(text) is not None
    for spot in certain:
        if not spot.store and not (asks and spot.inside):
            for use in _used(spot, summary):
                if use.missing not in given:
                    yield use


def _used(spot: Spot, summary: Summary) -> Iterator[RemovedUse]:
    node = spot.node
    if isinstance(node, (cst.Import, cst.ImportFrom)):
        found = [(alias, find(origin)) for alias, origin in origins(node)]
        whole = find(imported_module(node)) if isinstance(node, cst.ImportFrom) else None
        if isinstance(node, cst.ImportFrom) and node.module is not None and whole is not None:
            homes = tuple(removed.home if removed else "" for _, removed in found)
            yield RemovedUse(node.module, whole.missing, homes, node)
            return
        for alias, removed in found:
            if removed is not None:
                yield RemovedUse(alias, removed.missing, (removed.home,), node)
    elif isinstance(node, cst.Attribute):
        origin = spot.resolve(summary)
        head = origin[: len(origin) - len(_tail(node))] if origin is not None else ""
        if origin is None or find(head) is not None:
            return  # what is gone was imported: the import itself raises
        removed = find(origin)
        if removed is not None and _is_of_one_root(removed, summary):
            yield RemovedUse(node, removed.missing, (removed.home,), head=head)


def _tail(node: cst.Attribute) -> str:
    """What follows the first name of a dotted one."""
    return "".join((dotted_name(node) or "").partition(".")[1:])


def _is_of_one_root(removed: Removed, summary: Summary) -> bool:
    """Whether what is gone from `keras` alone is certainly not taken from `tf.keras`."""
    root, _, name = removed.missing.partition(".")
    if root != "keras" or name in OF_BOTH:
        return True
    return not any(f"{origin}.".startswith("tensorflow.keras.") for origin in summary.imported)
