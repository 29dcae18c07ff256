"""TOML for every Python that savelint runs on."""

from __future__ import annotations

import sys
from typing import Any


def parse(data: bytes) -> dict[str, Any]:
    """Read a document; raises ValueError for bytes that are not UTF-8 or not TOML."""
    # Here, because most runs read no TOML at all.
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(data.decode("utf-8"))
