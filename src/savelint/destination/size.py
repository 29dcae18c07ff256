"""Sizes as people write them."""

from __future__ import annotations

import re

_UNITS = {"": 1, "K": 1, "M": 2, "G": 3, "T": 4}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*([KMGT]?)(i?)(B?)\s*", re.IGNORECASE)


def parse_size(text: str) -> int:
    """The bytes in `200MB`, `1.5GiB`, `800K` or `4096`; raises ValueError for anything else.

    As in the SI, a kilobyte is 1000 bytes; a KiB is 1024.
    """
    match = _SIZE.fullmatch(text)
    if match is None or (match[3] and not match[2]):
        raise ValueError(f"{text!r} is no size; write it as 200MB, 1.5GiB or in bytes")
    base = 1024 if match[3] else 1000
    exponent = _UNITS[match[2].upper()] if match[2] else 0
    factor: int = base**exponent
    return round(float(match[1]) * factor)


def size_text(size: int) -> str:
    """A number of bytes for people, such as `1.5 GB`."""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.3g} {unit}"
