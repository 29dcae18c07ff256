"""savelint finds and fixes what breaks saving, exporting, reloading or serving a Keras model."""

from __future__ import annotations

# `typing` takes longer to import than most commands to run.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from savelint.api import check_paths, check_source, fix_source
    from savelint.destination.checks import preflight
    from savelint.destination.outcome import Preflight, PreflightError

__version__ = "0.1.0"
__all__ = [
    "Preflight",
    "PreflightError",
    "__version__",
    "check_paths",
    "check_source",
    "fix_source",
    "preflight",
]
# A training script must not pay for the linter.
_ELSEWHERE = {
    "Preflight": "savelint.destination.outcome",
    "PreflightError": "savelint.destination.outcome",
    "preflight": "savelint.destination.checks",
}


def __getattr__(name: str) -> object:
    """Import the functions when they are first used: the command line must start fast."""
    if name in __all__:
        from importlib import import_module

        return getattr(import_module(_ELSEWHERE.get(name, "savelint.api")), name)
    raise AttributeError(f"module 'savelint' has no attribute {name!r}")
