"""The lineage of a class: whether all of it is in sight, its bases, and what derives from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from savelint.keras import fields
from savelint.keras.model import KerasClass, ModuleModel
from savelint.keras.values import ClassOutline

if TYPE_CHECKING:
    import libcst as cst

# Decorators that leave a class as it was written.
_PLAIN_DECORATORS = frozenset(
    """
    register_keras_serializable keras_export keras_core_export keras_cv_export
    keras_hub_export keras_nlp_export configurable
    """.split()
)
# Methods by which a class may make its instances otherwise than Python does.
_MAKERS = frozenset({"__new__", "__init_subclass__", "__class_getitem__", "__getattribute__"})


def is_known(module: ModuleModel, outline: ClassOutline, *, made: bool = False) -> bool:
    """Whether all that a class inherits is in sight, and Python makes the instances.

    A class with a metaclass, an unknown decorator or a `__new__` of its own is not known.
    With `made` its constructor may be one of the fields of its file.
    """
    return outline.is_whole and all(
        not (_MAKERS & cls.method_names)
        and not cls.node.keywords
        and all(
            _is_plain(item) or (made and cls.path == outline.path and fields.makes(item))
            for item in cls.node.decorators
        )
        for cls in outline.lineage
    )


def library_bases(outline: ClassOutline) -> Iterator[str]:
    """The canonical names of the bases outside the project, those of its parents too."""
    for cls in outline.lineage:
        yield from (base for base in cls.bases if base is not None)


def ancestry(module: ModuleModel, cls: KerasClass) -> Iterator[KerasClass]:
    """The class itself and the Keras classes of the project that it derives from."""
    yield cls
    for outline in cls.outline.lineage:
        known = (other for other in module.classes if other.outline is outline)
        found = next(known, None) or module.elsewhere.class_of(outline)
        if found is not None and found is not cls:
            yield found


def descendants(module: ModuleModel, outline: ClassOutline) -> Iterator[KerasClass]:
    """The Keras classes of the file that derive from a class, itself left out."""
    for cls in module.classes:
        if cls.outline is not outline and any(c is outline for c in cls.outline.lineage):
            yield cls


def _is_plain(decorator: cst.Decorator) -> bool:
    from savelint.keras.walk import decorator_name

    return decorator_name(decorator).rpartition(".")[2] in _PLAIN_DECORATORS
