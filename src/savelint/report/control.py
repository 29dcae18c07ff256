"""Text that must not steer a terminal, whatever it holds."""

from __future__ import annotations

# Control characters and their pictures in Unicode.
_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "\u2421"}
_DIRECTION_MARKS = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))


def visible(text: str) -> str:
    """Return `text` without what steers a terminal: escapes, and marks of direction."""
    if text.isprintable():
        return text
    return text.translate(_PICTURES).translate(_DIRECTION_MARKS)
