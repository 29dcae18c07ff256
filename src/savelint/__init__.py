"""savelint finds and fixes what breaks saving, exporting, reloading or serving a Keras model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from savelint.api import check_paths, check_source, fix_source

__version__ = "0.1.0"
__all__ = ["__version__", "check_paths", "check_source", "fix_source"]


def __getattr__(name: str) -> object:
    """Import the functions when they are first used: the command line must start fast."""
    if name in __all__:
        from savelint import api

        return getattr(api, name)
    raise AttributeError(f"module 'savelint' has no attribute {name!r}")
