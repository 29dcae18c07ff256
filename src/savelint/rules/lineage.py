"""What is known of a class's bases: whether all of them, and all that they define, are in sight."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint.keras import tables
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.values import ClassOutline

if TYPE_CHECKING:
    import libcst as cst

# Decorators that leave a class as it was written.
_PLAIN_DECORATORS = frozenset({"register_keras_serializable", "keras_export"})
# Methods by which a class may make its instances otherwise than Python does.
_MAKERS = frozenset({"__new__", "__init_subclass__", "__class_getitem__", "__getattribute__"})


def is_known(module: ModuleModel, outline: ClassOutline) -> bool:
    """Whether every base stands in this file or is Keras' own, and Python makes the instances.

    A class with a metaclass, an unknown decorator or a `__new__` of its own is not known.
    """
    return all(
        _bases_are_known(cls)
        and not (_MAKERS & cls.methods.keys())
        and not cls.node.keywords
        and all(_is_plain(module, item) for item in cls.node.decorators)
        for cls in outline.lineage
    )


def library_bases(outline: ClassOutline) -> Iterator[str]:
    """The canonical names of the bases outside the file, those of its parents too."""
    for cls in outline.lineage:
        yield from (base for base in cls.bases if base is not None)


def descendants(module: ModuleModel, outline: ClassOutline) -> Iterator[KerasClass]:
    """The Keras classes of the file that derive from a class, itself left out."""
    for cls in module.classes:
        if cls.outline is not outline and any(c is outline for c in cls.outline.lineage):
            yield cls


def _bases_are_known(outline: ClassOutline) -> bool:
    named = [base for base in outline.bases if base is not None]
    kinds = (tables.base_kind(name) for name in named if name != "abc.ABC")
    in_file = len(outline.bases) - len(named)
    return in_file == len(outline.parents) and all(k is not None and k.is_layer for k in kinds)


def _is_plain(module: ModuleModel, decorator: cst.Decorator) -> bool:
    name = module.text(decorator.decorator).partition("(")[0].strip()
    return name.rpartition(".")[2] in _PLAIN_DECORATORS
