"""Facts about the classes of packages other than Keras that models derive from.

They are not read, so this table stands for them: dotted prefixes with the kind of the
classes below. Each line was seen by importing the package and asking `issubclass`.
"""

from __future__ import annotations

from savelint.keras import tables
from savelint.keras.tables import Kind


def kind(name: str) -> Kind | None:
    """The kind of the class with the canonical `name`; None when that is not known."""
    return tables.base_kind(name)
